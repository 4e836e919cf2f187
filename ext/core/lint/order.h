/*
** The same text in another order: examples that are shuffled, tools and documents that come as a hash table gives
** them. No provider's cache reads beyond the first that differs.
*/
#ifndef LLMCOST_ORDER_H
#define LLMCOST_ORDER_H

#include "base/hash.h"
#include "core/lint/moving.h"

/* Two hashes of a text: of its units in their order, and of the same in whatever order (JSON: of its members and
** elements, too). What moves (moving.h) is a mark in both. Returns RC_OK, or *err without memory. */
int order_hash(const char *text, const TextUnits *u, const MovingList *moving, Hash *sequence,
               Hash *set, Err *err);

#endif
