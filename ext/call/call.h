/*
** The whole life of one request, for those who make requests.
*/
#ifndef LLMCOST_CALL_H
#define LLMCOST_CALL_H

#include "call/state/state.h"

/* The whole life of a request: memo, exact cache, claim, route, call with retries, settle,
** answer. */
int pipeline_run(Conn *conn, const Request *request, Memo *memo, Outcome *outcome, Err *err);

/* What is done with the requests of a connection where they are counted and not made: `take` gets each, and gives what
** stands in for its answer. */
typedef struct Counting {
  int (*take)(void *arg, const Request *request, Outcome *outcome, Err *err);
  void *arg;
} Counting;

/* From now on; {NULL} makes them again. */
int call_count_with(Conn *conn, Counting with, Err *err);
int call_is_counted(const Conn *conn);

/* A request with the gates that its answers have to pass: they are part of its key; and with the length that answers of
** its tag have had, where it asks for that (limit.h). */
typedef struct Gated {
  const Request *request; /* as it was, or `with` */
  struct Gates *gates;    /* NULL: none */
  Request with;
  Options options; /* of `with`, where they are others; borrow what they point to */
} Gated;

/* RC_OK or *err; gated_close afterwards, after an error too. */
int gated_open(Conn *conn, const Request *request, Gated *gated, Err *err);
void gated_close(Gated *gated);

#define CALL_LOOK_HIT "hit"
#define CALL_LOOK_SIMILAR "similar"

/* As far as a request goes without a trace: its key, and what the cache has: "hit"; "similar", an answer to a question that
** means the same; "miss"; or the word of a mode that does not read. call_free afterwards, after an error too. */
const char *call_look(Call *k, Conn *conn, const Gated *gated, const Plan *plan, Err *err);

/* What an error that a statement ends with says beside what happened: whose request it was, and, of an answer that was paid
** for, what lets the other rows go on. */
void pipeline_tell(const Request *request, Err *err);

/* A call that is only looked at: none is made where there is no store. call_free afterwards, after an error too. */
int call_start_show(Call *k, Conn *conn, const Request *request, const Plan *plan, Err *err);

/* Store and key. Nothing to free where it fails. */
int call_start(Call *k, Conn *conn, const Request *request, Memo *memo, const Plan *plan, Err *err);

#endif
