/*
** The system prompts that the ledger's calls began with, and how often each was sent. Texts that differ only in what
** moves (core/lint/moving.h) are one: a clock in a prompt makes it another text each minute. So are those that differ
** in the order of their sentences, items and JSON members alone (core/lint/order.h), and those that one template made
** (families.h). Sent to two models it is two.
*/
#ifndef LLMCOST_SENT_PROMPTS_H
#define LLMCOST_SENT_PROMPTS_H

#include "conn/conn.h"
#include "core/lint/moving.h"
#include "work/prompts/sent_prompt.h"

enum { SENT_DAYS = 30 };

/* Reads them. RC_OK or *err. */
int sent_prompts_read(Conn *conn, MovingFinder *finder, SentPrompts *out, Err *err);
void sent_prompts_free(SentPrompts *s);

/* The text of a hash, with its n bytes: owned. NULL: it is gone since, or *err. */
char *sent_prompts_text(Conn *conn, const char *hash, size_t *n, Err *err);

/* The key of a text. RC_OK or *err. */
int sent_prompts_key(MovingFinder *finder, const char *text, size_t n, Hash *key, Err *err);

#endif
