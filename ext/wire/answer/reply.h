/*
** A success answer, read: whatever API it came from.
**
** Servers answer in each other's forms (a gateway passes on Anthropic's body at OpenAI's address; Ollama's own one comes
** back from a wrong base URL), so the form is told from the body, not from whom was asked. Text is the model's answer alone:
** what it thought, and what it said in refusing, stand beside it.
*/
#ifndef LLMCOST_REPLY_H
#define LLMCOST_REPLY_H

#include "core/answer/blank.h"
#include "core/usage/usage.h"
#include "wire/answer/body.h"
#include "wire/answer/finish.h"

enum { REPLY_WORD = 48 };

typedef struct Reply {
  char *text;      /* owned (free); NULL where the answer has none */
  char *reasoning; /* owned; NULL: none */
  char *refusal;   /* owned: its words; NULL: none */
  char *
      logprobs; /* owned (cJSON_free): OpenAI's choices[0].logprobs.content, all of it, as JSON; NULL: none came */
  Finish finish;
  char word[REPLY_WORD]; /* the provider's own for what ended it; "" if it has none */
  /* Why the provider's prefix cache did not read, in its own word; "" where it does not say. */
  char cache_miss[REPLY_WORD];
  int has_tools;                /* it asks for tools to be called */
  int dim, n_vectors;           /* of embeddings: elements of each vector; how many */
  int pieces;                   /* of a stream, that brought text */
  int is_broken;                /* a stream that ended neither with a word nor with its end */
  char model[LIMIT_MODEL_NAME]; /* as the answer names it; "" if it does not */
  Usage usage;
  /* Owned (reply_free): of an answer that is billed in several parts; else NULL. */
  UsagePart *parts;
  int n_parts;
  char usage_error[96]; /* why the usage can't be priced, or "" */
} Reply;

/* Reads all but model and usage. An error where the body has none of the forms that are known. */
int reply_read(const Body *body, Reply *reply, Err *err);

/* 1 if these bytes are all of an answer: a JSON value, or a stream that has said how it ended and what it used, or that it is over. */
int reply_is_done(const char *bytes, size_t n);

/* Frees what it owns; safe on zeroed memory, and twice. */
void reply_free(Reply *reply);

#endif
