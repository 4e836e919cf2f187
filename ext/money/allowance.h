/*
** What a connection may still spend: the settings max_usd and max_calls, a stop for clients in which Ctrl-C is deaf.
**
** Counted from the moment a setting is set: requests that left, and dollars that are settled plus what is on its way at
** its worst case. An attempt whose price never comes to be known stays at its worst case.
*/
#ifndef LLMCOST_ALLOWANCE_H
#define LLMCOST_ALLOWANCE_H

#include "base/error.h"
#include "conn/conn.h"
#include "core/price/catalogue.h"

/* The longest answer there is, in tokens, where nobody says how long one may be. (The longest that a model of the catalogue
** gives are 128,000.) */
enum { ALLOWANCE_LONGEST = 131072 };

/* What an attempt may come to at most. */
typedef struct AllowanceAsk {
  const Model *model;
  long long input;  /* tokens, at most: no token is shorter than a byte */
  long long output; /* tokens, at most */
  int is_embedding; /* has no output */
  int is_own;       /* a server of this machine, that nobody is paid for */
} AllowanceAsk;

/* Counts an attempt that is about to be sent, held at its worst case, where a setting asks for that: *held is for
** allowance_settle. An error (ERR_LIMIT) where it may come to more than is left, or can't be told. */
int allowance_take(Conn *conn, const AllowanceAsk *ask, long long *held, Err *err);

/* What came of it: its cost in nano-dollars, or LEDGER_NULL. `was_sent` 0: nothing left. */
void allowance_settle(Conn *conn, long long held, long long cost_nusd, int was_sent);

/* From now on: dollars, or requests. */
void allowance_restart_usd(Conn *conn);
void allowance_restart_calls(Conn *conn);

#endif
