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
** percentile (nearest rank) of the tokens of this model's newest answers with the tag, rounded up to three binary digits. Of "auto" the
** longest of the tiers' models, each of which must have answered so often: a model that thinks is not held to what one needs that does not. An
** answer that a limit ended would have been longer, nobody knows by how much: where that is more than one in a hundred nothing is
** limited. RC_OK or *err. */
int limit_by_tag(Conn *conn, const char *model, Options *options, Err *err);

#endif
