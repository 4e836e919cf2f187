/*
** Provider APIs: how a request is written for one, and how its answer is read. One file per API; a
** table joins them.
*/
#ifndef LLMCOST_PROVIDER_H
#define LLMCOST_PROVIDER_H

#include "base/buf.h"
#include "core/price/catalogue.h"
#include "core/request/request.h"
#include "wire/answer/reply.h"
#include "wire/model/prefix.h"
#include "wire/model/supports.h"
#include "wire/message_form.h"

/* How a request is sent this time. */
typedef struct Sending {
  int streams;     /* the answer is to come in pieces */
  int wants_usage; /* and to say its usage, where that must be asked for (stream_options) */
  int logprobs;    /* how sure the model is of each token is asked for */
  int base64;      /* vectors are asked for in it */
  /* A text that was answered before and did not do, and why; NULL: none. The model is told. */
  const char *rejected, *why;
  const PrefixForm *form; /* how prefixes are marked; NULL: none is */
  unsigned marks;         /* those: PREFIX_… */
  int is_long;            /* to be kept for an hour */
} Sending;

typedef struct Api {
  const char *name; /* as in llm_models.api */
  const char *path; /* behind the base URL */
  /* Writes the request body. An option this API does not have is an error, before anything is sent.
   */
  int (*build)(const Request *request, const Model *model, const Sending *how, Buf *body, Err *err);
  /* Reads a success answer but for model and usage. */
  int (*parse)(const Body *answer, Reply *reply, Err *err);
  const char
      *auth; /* how the key is sent where the model's row does not say: a word of llm_models.auth */
  const char *fixed_header; /* one more line, or NULL; a row may have another of that name */
  int embeds;               /* its answers are vectors, not texts */
  long long
      output; /* tokens of an answer that it is asked for where nobody says; 0: it is left open */
} Api;

/* How long an answer to a request may be, in tokens: as asked for, else as the model can. 0: nobody knows. */
long long provider_most_output(const Api *api, const Request *request, const Model *model);

/* The API of that name, or NULL; and all names, for messages. */
const Api *provider_api(const char *name);

/* The API by which the servers that speak API `name` embed texts, or NULL. */
const Api *provider_embedding_api(const char *name);
#define PROVIDER_APIS "'openai', 'anthropic', 'responses'"

/* Reads model and usage of an answer of that provider. What is wrong with them is in usage_error. RC_OK, or
** RC_NOMEM where memory is why: the answer is paid for all the same. */
int provider_read_usage(const cJSON *answer, const char *provider, Reply *reply);

/* Shared by the API files. */
int openai_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                 Err *err);
int openai_embed_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                       Err *err);
int openai_embed_parse(const Body *answer, Reply *reply, Err *err);
int responses_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                    Err *err);
int anthropic_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                    Err *err);

/* Prints the tree into body and frees it, unless an error stands there. A NULL tree is out of memory. */
int wire_finish(cJSON *tree, Buf *body, Err *err);

/* The system prompt as what is sent of it where its end is marked: an array of one part. Owned; NULL is out of memory. */
cJSON *wire_marked_text(const char *text, const Sending *how, Err *err);

/* The same with the caller's own marks within it (r->system_marks), which stay; ours at its end, where it is to be marked and none of the caller's stands. */
cJSON *wire_marked_system(const char *system, const Request *r, const Sending *how, Err *err);

/* Adds what stands beside marks, if any are made. */
void wire_add_beside(cJSON *tree, const Sending *how, Err *err);

/* Adds the messages under `key` as an array of {role, content}, as `style` has them, in front of it the system prompt where
** `system` is not NULL; behind it, what was rejected and why. */
typedef struct Saying {
  const char *key, *system;
  Style style;
  const Model *model;
} Saying;
void wire_add_messages(cJSON *tree, const Request *request, const Saying *saying,
                       const Sending *how, Err *err);

/* The rest of a body that every API has: the options that takes.h knows, tools, and what the model's row and the caller add
** (extra.h). Last of all: what stands there is joined. */
int wire_add_options(cJSON *tree, const Request *request, const Model *model, Style style,
                     const Sending *how, Err *err);

#endif
