/*
** What a connection may still spend: the settings max_usd and max_calls, a stop for clients in which Ctrl-C is deaf; and the same
** of one statement with many requests, its options of these names.
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

/* Limits, and what is used of them. */
typedef struct Allowance {
  double max_usd;                         /* NAN: none */
  long long max_calls;                    /* SPEC_UNSET: none */
  long long calls, spent_nusd, held_nusd; /* so far */
} Allowance;

/* What an attempt may come to at most. */
typedef struct AllowanceAsk {
  const Model *model;
  long long input;     /* tokens, at most: no token is shorter than a byte */
  long long output;    /* tokens, at most */
  const char *service; /* that is asked for; NULL: the standard one */
  int is_embedding;    /* has no output */
  int is_own;          /* a server of this machine, that nobody is paid for */
  Unit writes;         /* what marks may make of the input; UNIT_INPUT: nothing */
  Allowance *beside;   /* of the statement, beside the connection's; NULL: none */
} AllowanceAsk;

/* What an attempt holds: its worst case, and of whom. Zeroed: nothing. */
typedef struct AllowanceHold {
  long long nusd;
  int of_connection, of_statement;
} AllowanceHold;

/* Counts an attempt that is about to be sent, held at its worst case, where a limit asks for that: *held is for
** allowance_settle. An error (ERR_LIMIT) where it may come to more than is left, or can't be told. Where only what other requests of the
** statement hold is in the way, it waits until they have ended. */
int allowance_take(Conn *conn, const AllowanceAsk *ask, AllowanceHold *held, Err *err);

/* Counts requests of a batch, which come to so much together at most (negative: nobody says), as sent and spent: its answers come hours
** later, and perhaps to another connection. An error (ERR_LIMIT) where that is more than is left. */
int allowance_take_batch(Conn *conn, long long calls, long long nusd, Err *err);

/* Gives that back, where nothing was sent after all. */
void allowance_give_batch(Conn *conn, long long calls, long long nusd);

/* What came of it: its cost in nano-dollars, or LEDGER_NULL. `was_sent` 0: nothing left. Nothing is held any more. */
void allowance_settle(Conn *conn, Allowance *beside, AllowanceHold *held, long long cost_nusd,
                      int was_sent);

/* From now on: dollars, or requests. */
void allowance_restart_usd(Conn *conn);
void allowance_restart_calls(Conn *conn);

#endif
