/*
** One logical request: what is asked of which model, before any provider's wire format.
*/
#ifndef LLMCOST_REQUEST_H
#define LLMCOST_REQUEST_H

#include "base/error.h"
#include "base/hash.h"
#include "base/text/json.h"
#include "core/request/messages.h"
#include "core/request/options.h"

/* A request that another one makes: a second opinion on its answer, say. They are one for the ledger. */
typedef struct Beside {
  const char *purpose;    /* as llm_calls has it */
  const char *request_id; /* of the other one */
  long long attempts;     /* that it has had so far */
  long long deadline_ms;  /* monotonic: its own */
} Beside;

typedef struct Request {
  const Options *options; /* borrowed */
  const char *system;     /* NULL: none; borrowed from the options, or `system_owned` */
  char *system_owned;
  cJSON *
      system_marks; /* owned; marks of the caller's within the system prompt, for the provider's cache: an array of {"end": bytes of it that the
                          marked prefix has, "mark": the value of cache_control}; NULL: none */
  Message *messages; /* at least one; the last is the question */
  int n_messages;
  cJSON *doc;        /* llm_chat: the parsed array the messages point into */
  int wants_vectors; /* the messages are texts to embed */
  int turn;          /* user messages so far */
  /* What other requests begin with, too: the system prompt, and so many bytes of the last message; and how many they are, this one included (0: nobody
  ** knows of any). Not part of the key: the answer is the same. */
  size_t shared;
  int sharers;
  const char
      *row; /* what the models' rows add to the request (config.h); NULL: nothing. Borrowed */
  const cJSON *gate; /* of the options, or whoever makes the request says; borrowed */
  struct Allowance
      *allowance; /* of the statement that makes it (money/allowance.h); NULL: none. Borrowed */
  const Beside *beside; /* NULL: its answer is the answer. Borrowed */
  struct {
    long long left_out, sent; /* tokens, as we count them; 0 and 0: it was not pruned */
    long long
        anew; /* of those sent: what the provider would have read from its cache, had the cut not moved */
    const char *no_summary; /* a few words: why it has none though it was to; NULL. Borrowed */
  } pruned;
  Message one;                  /* llm_complete's single message */
  char model[LIMIT_MODEL_NAME]; /* as asked for: a name or "auto" */
} Request;

/* A request of one user message. Borrows prompt (NUL-terminated at n) and options. */
int request_from_prompt(const char *prompt, size_t n, const Options *options, Request *r, Err *err);

/* A request of a JSON array of messages: leading system messages join the `system` option, then those of user, assistant and
** tools (messages.h), the last of them the user's or a tool's. Borrows the options. */
int request_from_messages(const char *json, size_t n, const Options *options, Request *r, Err *err);

/* A request that is only looked at: a prompt, or the array of messages of a conversation, whose contents may be parts (their
** texts are read) and may be empty. Borrows text and options. */
int request_for_show(const char *text, size_t n, const Options *options, Request *r, Err *err);

/* A request to embed n texts, each NUL-terminated at its length. Borrows them and the options, whose
** model it is for. */
int request_from_texts(const char *const *texts, const size_t *lengths, int n,
                       const Options *options, Request *r, Err *err);

/* Frees what the request owns; safe on zeroed memory. */
void request_free(Request *r);

/* 1 if texts are all of it: no image, no file, no call of a tool among its messages. */
int request_is_plain(const Request *r);

/* 1 if what is sent has more than texts and what stands around them: a schema, tools, members of the caller's, images. */
int request_has_more(const Request *r);

/* The bytes (of base64) that its images and files have: of these, a byte is less than a token. */
size_t request_media_bytes(const Request *r);

/* What names a request beside what it says: each NULL for nothing. */
typedef struct KeyBeside {
  const char *user; /* whose answer it is */
  const char *row;  /* what the rows of the models add to it (config_row_extras) */
} KeyBeside;

/* The cache key: the hash of every field that can change the answer, each with its name and length, texts in normal form.
** Provider-independent where the model is "auto". `seed` is the store's. */
int request_key(const Request *r, const KeyBeside *beside, unsigned long long seed, Hash *key,
                Err *err);

/* The hash of everything that must be equal for an answer to a similar question to serve this one: as request_key, but without
** the system prompt (a partition's name of its own) and the question. */
int request_scope(const Request *r, const KeyBeside *beside, unsigned long long seed, Hash *scope,
                  Err *err);

/* What a call was asked for beside the usual that bears on its price: the members "reasoning", "service", "tools" (how many),
** "media" (how many), "returns", "extra" (names), as JSON without its braces; "" where it is none of these. Owned (free); NULL and *err. */
char *request_asked(const Request *r, Err *err);

/* A conversation as stored in the ledger: a JSON array of {"role","text"[,"tool_calls","tool_call_id","media":[{"type","bytes","hash"}]]}, where contents of
** LIMIT_INLINE_TEXT bytes or more are {"role","hash"} and each such content is handed to `name`, which
** gives it its name (and may keep a copy). Owned by the caller (free). */
typedef int (*RequestNameText)(void *arg, const char *text, size_t n, Hash *name);
char *request_transcript(const Request *r, RequestNameText name, void *arg, size_t *n, Err *err);

#endif
