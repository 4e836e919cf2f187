/*
** Reading llm_route_examples.
*/
#ifndef LLMCOST_HOST_EXAMPLES_H
#define LLMCOST_HOST_EXAMPLES_H

#include "store/host/config.h"

/* What is done with each row; texts are borrowed. Stops at the first error. */
typedef int (*TakeExample)(void *arg, const char *prompt, size_t n, double label, Err *err);

/* Hands over each row, in its order. An error where there is no such table, where it is no plain one, or where a label is
** no number from 0 to 1. RC_OK or *err. */
int examples_read(sqlite3 *host, TakeExample take, void *arg, Err *err);

#endif
