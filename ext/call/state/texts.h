/*
** The texts of a request as the ledger knows them: by their names, and kept once.
*/
#ifndef LLMCOST_TEXTS_H
#define LLMCOST_TEXTS_H

#include "call/state/state.h"

/* Texts to keep with the request: long messages, the transcript, the system prompt. */
typedef struct Texts {
  LedgerText *list;
  int n;
  char *transcript; /* owned; NULL where the one message is its own transcript */
  unsigned long long seed;
} Texts;

/* The name of what was asked: of the message, or of the transcript. */
int texts_name_prompt(const Request *r, unsigned long long seed, Hash *name, Err *err);

/* Names system prompt and what was asked, in the row's columns. */
int texts_name(Call *k, Err *err);

/* Lists the texts that are kept under these names. texts_done afterwards, after an error too. */
int texts_list(const Call *k, Texts *t, Err *err);
void texts_done(Texts *t);

#endif
