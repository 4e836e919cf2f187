/*
** A request in tokens, before it is made.
*/
#ifndef LLMCOST_WEIGH_H
#define LLMCOST_WEIGH_H

#include "call/call.h"

/* The tokens of a request whose route is chosen. */
typedef struct Weight {
  long long input;  /* as its model counts, or is taken to */
  int is_exact;     /* how a schema is billed, no provider says */
  long long texts;  /* in o200k_base, of its texts alone: for other models */
  long long output; /* of the longest answer; 0: nobody says */
  /* Of an answer, what goes into thought, at most; -1: nobody says, unless answers before it do. */
  long long thought;
  long long
      prefix; /* that it shares with others: its system prompt, and what its last message begins with */
} Weight;

int weigh_request(Call *k, Weight *weight, Err *err);

/* The option `reasoning` as a text, as the ledger's notes have it; "" where it is not given. */
void weigh_reasoning(const Options *o, char *out, size_t size);

/* The input tokens of such a request as another model counts them; 1 in *is_exact. */
long long weigh_for(Conn *conn, const Model *model, long long texts, int n_messages, int *is_exact,
                    Err *err);

#endif
