/*
** What a row of the ledger would have come to under other terms: without the provider's cache, as a standard request, at
** another model. Always its own tokens, at the prices of its own time.
*/
#ifndef LLMCOST_COUNTED_H
#define LLMCOST_COUNTED_H

#include "money/billing.h"
#include "store/audit/audit.h"

/* Terms; 0: as it was. */
enum {
  COUNTED_UNREAD = 1,    /* what was read from a cache is plain input */
  COUNTED_UNWRITTEN = 2, /* so is what was written to one */
  COUNTED_PLAIN = COUNTED_UNREAD | COUNTED_UNWRITTEN,
  COUNTED_STANDARD = 4, /* the standard service */
  COUNTED_TOKENS = 8    /* without fees: searches, requests */
};

/* A row that is priced again. */
typedef struct Counted {
  Conn *conn;
  const AuditRow *row; /* borrowed */
  Usage usage;
  UsagePart *parts; /* owned */
  int n_parts;
  int has_usage;
  int has_read, has_written; /* any of its parts */
  UnitSet tokens;            /* the units that are tokens */
} Counted;

/* 1 for a row that is no request: what a batch's own usage says otherwise than its answers do (it cost nothing). */
int counted_is_note(const AuditRow *row);

/* Reads its usage; one that can't be read counts as none. RC_OK or *err. Ended by counted_free. */
int counted_read(Conn *conn, const AuditRow *row, Counted *c, Err *err);
void counted_free(Counted *c);

/* 1 if it counts any of these units, in any of its parts. */
int counted_has(const Counted *c, UnitSet units);

/* What it comes to, in nano-dollars; each unit added to *lines unless that is NULL. LEDGER_NULL where nobody says, or *err. */
long long counted_nusd(const Counted *c, unsigned terms, BillingLines *lines, Err *err);

/* What its tokens come to at that model, plain and standard, with the fees it had where it was. The same. */
long long counted_elsewhere(const Counted *c, const char *model, Err *err);

/* The prices that held for it; NULL where there are none, or *err. Borrowed until prices are asked for again. */
const PriceSet *counted_prices(const Counted *c, Err *err);

/* What so many tokens come to as one unit at those prices: that of the plain input where the unit has none of its own.
** COST_MOST: nobody says. */
Cost counted_unit(const PriceSet *set, Unit unit, long long tokens);

/* Which of its input was the first `tokens` of it, in the order of a prompt: what was read, what was written, what is plain; and
** what that cost. COST_MOST: nobody says. */
Cost counted_front(const Counted *c, const PriceSet *set, long long tokens);

#endif
