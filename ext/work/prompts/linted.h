/*
** llm_lint: prompts looked through (core/lint), with what each finding costs a day. How often a prompt is sent is read from the ledger:
** texts that differ only in what moves (a clock, an id) are one prompt.
*/
#ifndef LLMCOST_LINTED_H
#define LLMCOST_LINTED_H

#include "conn/conn.h"
#include "core/lint/lint.h"

enum { LINTED_MOST = 1000 }; /* prompts of the ledger, those sent most: all are in memory at once */

/* One prompt. */
typedef struct Linted {
  char *text; /* owned, with its n bytes */
  size_t n;
  Lint lint;
  double *usd_day; /* owned: of each finding; NAN: nobody says the price, or how often it is sent */
  long long calls; /* of the last 30 days; -1: the ledger has none */
  double calls_day;  /* NAN: not known */
  char *system_hash; /* owned: of the newest of these texts in the ledger; NULL: it is in none */
  char *model;       /* owned: whose tokens, prices and least prefix; NULL: none is named */
} Linted;

typedef struct LintedList {
  Linted *at; /* owned */
  size_t n;
} LintedList;

/* Looks through one text, or with NULL through the system prompts of the last 30 days. Options are JSON (NULL: none). *out is owned
** (linted_free). RC_OK or *err. */
int linted_read(Conn *conn, const char *text, size_t n, const char *options, size_t n_options,
                LintedList *out, Err *err);
void linted_free(LintedList *list);

#endif
