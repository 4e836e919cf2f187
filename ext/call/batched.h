/*
** A request whose answer comes by a batch: what it is before it is sent, and what its answer comes to, hours later and in another
** process.
**
** What an answer is judged by (its schema, what its text must not repeat) stands in the request, which is made anew of the row that
** asked it. What must be judged by asking again (gates, escalation, an audit) does not wait for a batch: an error.
*/
#ifndef LLMCOST_BATCHED_H
#define LLMCOST_BATCHED_H

#include "call/call.h"
#include "wire/answer/body.h"

typedef struct Batched {
  Call call;
  Plan plan;
} Batched;

/* Looks it up: as call_look, without a trace. NULL and *err. batched_free afterwards, after an error too. */
const char *batched_look(Batched *b, Conn *conn, const Request *request, Err *err);

/* The same without looking: what was looked at before. RC_OK or *err. */
int batched_begin(Batched *b, Conn *conn, const Request *request, Err *err);

/* Where it goes and what is sent: call.model, call.api, call.body; its texts named. */
int batched_target(Batched *b, Err *err);

/* Gives the texts that are to be kept with those of the ledger, where the setting log_text says so. Borrowed. */
int batched_texts(Batched *b, int (*take)(void *arg, const LedgerText *text, Err *err), void *arg,
                  Err *err);

/* Who answered. Borrowed as long as what was made of it. */
typedef struct BatchedFrom {
  const Model *model;
  const Access *access; /* of whose secrets nothing is told */
  long long begun_at;   /* Unix ms: the time that is billed */
} BatchedFrom;

/* Reads an answer: call.row is what it used and cost, call.text what it says. *err: why it is no answer (it may have been billed all
** the same, as the row says), or memory. batched_free afterwards. */
int batched_answer(Batched *b, Conn *conn, const Request *request, const BatchedFrom *from,
                   const Body *body, Err *err);

/* Its text for the caches; of *a NULL where it is not to be kept: returns 0. */
int batched_kept(Batched *b, Answer *a);

void batched_free(Batched *b);

#endif
