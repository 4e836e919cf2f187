/*
** The system prompts that the ledger's calls began with, and how often each was sent. Texts that differ only in what moves
** (core/lint/moving.h) are one: a clock in a prompt makes it another text each minute. Sent to two models it is two.
*/
#ifndef LLMCOST_SENT_PROMPTS_H
#define LLMCOST_SENT_PROMPTS_H

#include "base/hash.h"
#include "conn/conn.h"
#include "core/lint/moving.h"

enum { SENT_DAYS = 30 };

typedef struct SentPrompt {
  Hash key;                      /* equal for texts that are one prompt */
  long long calls, last_ts;      /* of the last SENT_DAYS */
  char *hash, *model, *provider; /* owned: of the newest call */
} SentPrompt;

typedef struct SentPrompts {
  SentPrompt *at; /* owned; those with most calls first */
  size_t n, cap;
  double days; /* that they were counted over: 1 at least */
} SentPrompts;

/* Reads them. RC_OK or *err. */
int sent_prompts_read(Conn *conn, MovingFinder *finder, SentPrompts *out, Err *err);
void sent_prompts_free(SentPrompts *s);

/* The newest text of one, with its n bytes: owned. NULL: it is gone since, or *err. */
char *sent_prompts_text(Conn *conn, const SentPrompt *p, size_t *n, Err *err);

/* The key of a text. RC_OK or *err. */
int sent_prompts_key(MovingFinder *finder, const char *text, size_t n, Hash *key, Err *err);

#endif
