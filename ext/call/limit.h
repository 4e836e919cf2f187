/*
** max_tokens "p99": as long as the answers of the tag were, but for one in a hundred.
*/
#ifndef LLMCOST_LIMIT_H
#define LLMCOST_LIMIT_H

#include "conn/conn.h"

enum {
  LIMIT_LEAST_ANSWERS = 100, /* with fewer nobody knows a hundredth: nothing is limited */
  LIMIT_MOST_ANSWERS = 1000  /* the newest */
};

/* Puts the limit into options->max_tokens, and of how many answers it is and which share of them it would have cut: the 99th
** percentile (nearest rank) of the newest answers' tokens, rounded up to three binary digits. What was cut off by a limit
** counts with the tokens it had, so a limit does not grow smaller by its own doing. RC_OK or *err. */
int limit_by_tag(Conn *conn, Options *options, Err *err);

#endif
