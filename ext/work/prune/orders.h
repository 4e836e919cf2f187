/*
** Standing orders: sentences of a conversation that hold for all that comes ("Do not write to the customer", "at most two
** sentences"), and what a summary may say of them.
*/
#ifndef LLMCOST_ORDERS_H
#define LLMCOST_ORDERS_H

#include "base/error.h"

#include <stddef.h>

typedef enum OrderForce {
  ORDER_NONE,
  ORDER_IN_DOUBT, /* it may be one: a negation, a bound, a word of force, in some thirty languages */
  ORDER_SURE      /* it begins as one, or says whose word is waited for */
} OrderForce;

/* Whether n bytes hold a standing order; ORDER_NONE, too, with *err without memory. Linear time. */
OrderForce orders_force(const char *text, size_t n, Err *err);

/* A summary without the sentences that order something which no sentence of its source orders, or say what does not stand there, and
** without names of roles in front of them ("User:"): owned (free), its bytes in *n_out; NULL and *err without memory. *n_cut: how many
** sentences went. Linear time. */
char *orders_mend(const char *summary, size_t n, const char *source, size_t n_source, size_t *n_out,
                  size_t *n_cut, Err *err);

#endif
