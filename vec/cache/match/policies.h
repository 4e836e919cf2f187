/*
** The three policies: who says whether the nearest entry is served.
*/
#ifndef LLMCOST_CACHE_POLICIES_H
#define LLMCOST_CACHE_POLICIES_H

#include "vec/cache/match/pending.h"
#include "vec/cache/match/search.h"
#include "vec/policy/fixed.h"

/* --- adaptive.c: so that at most a given share of what is served is wrong (max_false_hits) */

/* The share of what is served that may be wrong; NAN: something else decides. */
double adaptive_bound(const Search *s);

/* The nearest entry that neither guard nor feedback refuses, if the policy serves it. Returns err->rc. */
int adaptive_match(Search *s, Match *m, int *n, Err *err);

/* The nearest entries, whatever would be decided, with what is known to stand in the way (`explains`). */
int adaptive_show(Search *s, Match *m, int *n, Err *err);

/* Compares the answer of a new entry with that of the one the policy would have been asked about, and learns. */
int adaptive_compare(Search *s, sqlite3_value *response, Err *err);

/* --- threshold.c: somebody chose one, or nobody measured the table's embedder */

/* The nearest entry above the threshold that neither guard nor feedback is against. Returns err->rc. */
int threshold_match(Search *s, Match *m, int *n, Err *err);

/* Up to k of them, out of one search; with verify 0 the nearest themselves, with why not (`explains`). */
int threshold_several(Search *s, Match *m, int *n, Err *err);

/* Keeps for the log why an entry just below the threshold was not served for this question. */
int threshold_learn(Search *s, Err *err);

/* --- agreement.c: what the neighbours answer (vec/policy/fixed.h) */

/* The rule that is in force; NULL where there is none for the table's embedder (its cosines were never measured): the
** threshold decides. */
const FixedRule *agreement_rule(CacheTable *t, Err *err);

/* The nearest entry, if it may be served. What was not is remembered: an INSERT of the question teaches. */
int agreement_match(Search *s, const FixedRule *rule, Match *m, int *n, Err *err);

/* Up to k entries, each judged as if it were the nearest; with verify 0 all of them, with why not (`explains`). */
int agreement_several(Search *s, const FixedRule *rule, Match *m, int *n, Err *err);

/* What the answer to a question that was looked up, and not found, says about the nearest entry's. */
int agreement_learn(CacheTable *t, const Missed *missed, int64_t id, sqlite3_value *response,
                    int64_t now, Err *err);

#endif
