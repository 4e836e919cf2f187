/*
** The turns of a conversation: the model of the turn before has its beginning in its cache, another one reads it anew.
*/
#ifndef LLMCOST_TURNS_H
#define LLMCOST_TURNS_H

#include "call/state/state.h"

/* A dearer tier is worth the change only where the score is that far above what the tier before takes: scores about a
** threshold would move a conversation to and fro. */
#define TURNS_MARGIN 0.1

/* The tier that a request's conversation keeps to, though its score draws another (route.drawn): that of the turn before,
** unless the other one is cheaper for this request with all that it has to read anew, or the score is TURNS_MARGIN above. -1:
** none, or *err. The turn before is that of `conversation`; without one, that whose messages these begin with. */
int turns_keep(Call *k, Err *err);

#endif
