/*
** Serving so that at most a given share of what is served is wrong (max_false_hits).
*/
#ifndef LLMCOST_CACHE_ADAPTIVE_H
#define LLMCOST_CACHE_ADAPTIVE_H

#include "vec/cache/match/search.h"

/* The share of what is served that may be wrong; NAN: something else decides. */
double adaptive_bound(const Search *s);

/* The nearest entry that neither guard nor feedback refuses, if the policy serves it. Returns err->rc. */
int adaptive_match(Search *s, Match *m, int *n, Err *err);

/* Compares the answer of a new entry with that of the one the policy would have been asked about, and learns. */
int adaptive_compare(Search *s, sqlite3_value *response, Err *err);

#endif
