/*
** How hard a request is, from 0 to 1, and who says so.
**
** Read is what the user said last. A follow-up of at most three words ("yes", "and in French?") says nothing by itself: it
** is read behind the latest message of the user that is longer. Where there is nothing to read the score is SCORE_UNREAD.
*/
#ifndef LLMCOST_SCORE_H
#define LLMCOST_SCORE_H

#include "call/state/state.h"
#include "core/route/effort.h"

#define SCORE_UNREAD 0.5

typedef struct Score {
  double value;
  char version[24]; /* "option", or the scorer's */
  const char *of;   /* which text was read, in words; static */
  const char *text; /* borrowed from the request, or `joined` */
  size_t n;
  char *joined; /* owned */
  EffortPart parts[EFFORT_PARTS];
  int n_parts; /* 0: it is no sum of shares */
} Score;

/* The score of a request, by its option `score`, else by the scorer of its options or of the connection. score_free
** afterwards, after an error too. `k` lends its connection, and asks where a scorer asks a model. */
int score_request(Call *k, const Request *r, Score *s, Err *err);

/* The model that the scorer `verifier` asks: that of the first tier that can be asked; NULL: of none. */
const char *score_model(Conn *conn, const Config *config);
void score_free(Score *s);

#endif
