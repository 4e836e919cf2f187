/*
** A request looked at before it is made: what would be sent, where to, and what it comes to. Nothing is sent, nothing
** written.
*/
#ifndef LLMCOST_LOOK_H
#define LLMCOST_LOOK_H

#include "call/call.h"
#include "call/route/route.h"

/* The tokens of a request whose route is chosen. */
typedef struct Weight {
  long long input;  /* as its model counts, or is taken to */
  int is_exact;     /* how a schema is billed, no provider says */
  long long texts;  /* in o200k_base, of its texts alone: for other models */
  long long output; /* of the longest answer; 0: nobody says */
} Weight;

int look_weigh(Call *k, Weight *weight, Err *err);

/* The input tokens of such a request as another model counts them; 1 in *is_exact. */
long long look_weigh_for(Conn *conn, const Model *model, long long texts, int n_messages,
                         int *is_exact, Err *err);

/* What the option dry_run gives: JSON (owned, free). */
char *look_json(Conn *conn, const Request *request, Err *err);

#endif
