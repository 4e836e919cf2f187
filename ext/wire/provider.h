/*
** Provider APIs: how a request is written for one, and how its answer is read. One file per API; a
** table joins them.
*/
#ifndef LLMCOST_PROVIDER_H
#define LLMCOST_PROVIDER_H

#include "base/buf.h"
#include "core/price/catalogue.h"
#include "core/request/request.h"
#include "core/price/usage.h"
#include "wire/finish.h"

/* What came back in a success answer. */
typedef struct Reply {
  char *text; /* owned (free); NULL where the answer has none */
  Finish finish;
  char model[LIMIT_MODEL_NAME]; /* as the answer names it; "" if it does not */
  Usage usage;
  /* Owned (reply_free): of an answer that is billed in several parts; else NULL. */
  UsagePart *parts;
  int n_parts;
  char usage_error[96]; /* why the usage can't be priced, or "" */
} Reply;

typedef struct Api {
  const char *name; /* as in llm_models.api */
  const char *path; /* behind the base URL */
  /* Writes the request body. An option this API does not have is an error, before anything is sent.
   */
  int (*build)(const Request *request, const Model *model, Buf *body, Err *err);
  /* Reads a success answer but for model and usage. */
  int (*parse)(const cJSON *answer, Reply *reply, Err *err);
  const char *key_header;    /* printf format of the header that carries the key */
  const char *fixed_headers; /* one more header, or NULL */
  int embeds;                /* its answers are vectors, not texts */
} Api;

/* The API of that name, or NULL; and all names, for messages. */
const Api *provider_api(const char *name);

/* The API by which the servers that speak API `name` embed texts, or NULL. */
const Api *provider_embedding_api(const char *name);
#define PROVIDER_APIS "'openai', 'anthropic'"

/* Reads model and usage of an answer of that provider. What is wrong with them is in usage_error. RC_OK, or
** RC_NOMEM where memory is why: the answer is paid for all the same. */
int provider_read_usage(const cJSON *answer, const char *provider, Reply *reply);

void reply_free(Reply *reply);

/* Shared by the API files. */
int openai_build(const Request *request, const Model *model, Buf *body, Err *err);
int openai_parse(const cJSON *answer, Reply *reply, Err *err);
int openai_embed_build(const Request *request, const Model *model, Buf *body, Err *err);
int openai_embed_parse(const cJSON *answer, Reply *reply, Err *err);
int anthropic_build(const Request *request, const Model *model, Buf *body, Err *err);
int anthropic_parse(const cJSON *answer, Reply *reply, Err *err);

/* Prints the tree into body and frees it, unless an error stands there. A NULL tree is out of memory. */
int wire_finish(cJSON *tree, Buf *body, Err *err);

/* Adds the messages as an array of {role, content}, in front of it the system prompt where
** `system` is not NULL. */
void wire_add_messages(cJSON *tree, const Request *request, const char *system, Err *err);

/* The model's `supports` JSON has "name": true. `otherwise` where it says nothing, or is no JSON (route.c
** refuses that). *err where there was no memory to look: the value says nothing. */
int wire_supports(const Model *model, const char *name, int otherwise, Err *err);

#endif
