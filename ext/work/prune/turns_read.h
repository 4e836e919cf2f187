/*
** The messages of a conversation as pruning sees them, in OpenAI's form or in Anthropic's (blocks of tools and thoughts): where each
** stands in the array's text, its tokens, and which calls of tools its results answer.
*/
#ifndef LLMCOST_TURNS_READ_H
#define LLMCOST_TURNS_READ_H

#include "base/buf.h"
#include "core/history/prune.h"
#include "core/request/messages.h"
#include "core/tokens/tokens.h"

/* A message. */
typedef struct Turn {
  size_t from, n;      /* its bytes in the text */
  PruneMessage plan;   /* nothing is pinned yet */
  Message m;           /* its text, "" of a system message; borrowed from the document */
  const cJSON *item;   /* borrowed; OpenAI's form of it */
  const cJSON *blocks; /* of tools and thoughts, in Anthropic's form; NULL: none. Borrowed */
  int n_calls;
  int says;       /* beside its blocks */
  unsigned force; /* of an order in it (orders.h), where it is a user's */
} Turn;

typedef struct Turns {
  const char *text; /* borrowed */
  cJSON *doc;       /* owned */
  Turn *at;         /* owned */
  size_t n;
} Turns;

/* Reads n bytes of JSON; what providers return and no request takes (an answer that is empty or a refusal, a call of a custom tool, a
** function_call) is a message too. RC_OK, or *err: ERR_BAD_MESSAGES where a message is none, or a result of a tool has no call before
** it. *out is owned (turns_free), after an error too. Linear time. */
int turns_read(const char *text, size_t n, const TokenRule *rule, Turns *out, Err *err);
void turns_free(Turns *t);

/* Adds what a message says, for reading: its text, calls of tools and results (each cut to its beginning where it is long), without
** thoughts. A user's and an assistant's words are told apart in front of them. */
void turns_write(const Turn *t, Buf *b);

#endif
