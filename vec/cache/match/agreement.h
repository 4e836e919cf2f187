/*
** The policy of a table where nobody chose a threshold: what the neighbours answer (vec/policy/fixed.h).
*/
#ifndef LLMCOST_CACHE_AGREEMENT_H
#define LLMCOST_CACHE_AGREEMENT_H

#include "vec/cache/match/search.h"
#include "vec/policy/fixed.h"

/* The rule that is in force; NULL where there is none for the table's embedder (its cosines were never measured): the
** threshold decides. */
const FixedRule *agreement_rule(CacheTable *t, Err *err);

/* The nearest entry, if it may be served. What was not is remembered: an INSERT of the question teaches. */
int agreement_match(Search *s, const FixedRule *rule, Match *m, int *n, Err *err);

/* Up to k entries, each judged as if it were the nearest; with verify 0 all of them, with why not (`explains`). */
int agreement_several(Search *s, const FixedRule *rule, Match *m, int *n, Err *err);

/* What the answer to a question that was looked up, and not found, says about the nearest entry's. */
int agreement_learn(CacheTable *t, int64_t partition, int64_t id, sqlite3_value *query,
                    sqlite3_value *response, int64_t now, Err *err);

void agreement_free(CacheTable *t);

#endif
