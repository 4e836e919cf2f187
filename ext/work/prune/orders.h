/*
** Standing orders: sentences of a conversation that hold for all that comes ("Do not write to the customer", "at most two
** sentences"), and what a summary may say of them.
*/
#ifndef LLMCOST_ORDERS_H
#define LLMCOST_ORDERS_H

#include "base/error.h"

#include <stddef.h>

/* 1 if n bytes hold a standing order; 0, or *err without memory. Linear time. */
int orders_has(const char *text, size_t n, Err *err);

/* A summary without the sentences that order something which no sentence of its source orders, or say what does not stand there, and
** without names of roles in front of them ("User:"): owned (free), its bytes in *n_out; NULL and *err without memory. *n_cut: how many
** sentences went. Linear time. */
char *orders_mend(const char *summary, size_t n, const char *source, size_t n_source, size_t *n_out,
                  size_t *n_cut, Err *err);

#endif
