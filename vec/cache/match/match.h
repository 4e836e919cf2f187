/*
** A lookup in a semantic_cache, and what is learned from lookups.
*/
#ifndef LLMCOST_CACHE_MATCH_H
#define LLMCOST_CACHE_MATCH_H

#include "vec/cache/match/query.h"

/* Fills at most q->k matches, best first. What is in memory must be in step (memory_sync). */
int match_run(CacheTable *t, const MatchQuery *q, Match *matches, int *n, Err *err);
/* Resolves the embedder and checks, unless any_version, that the table was made with this one. */
int match_embedder(CacheTable *t, int any_version, Err *err);
/* Embeds into t->vector: RC_OK, VEC_EMPTY or an error. */
int match_embed(CacheTable *t, const char *text, size_t n, Err *err);
/* 1 if a stored text has the normal form of q->text, which is in t->text; 2 if it is that text. */
int match_same_text(CacheTable *t, const MatchQuery *q, const char *text, size_t n, Err *err);
/* What a new entry (its vector in t->vector) teaches: its answer is compared with that of the entry the policy was, or would
** have been, asked about. */
int match_learn(CacheTable *t, int64_t partition, int64_t id, sqlite3_value *query,
                sqlite3_value *response, double max_false_hits, int64_t now, Err *err);
/* Writes into x_meta what decides, where that has changed: 'policy', and once MiniLM confirms, 'confirmed'. */
int match_note_policy(CacheTable *t, Err *err);
void match_free(CacheTable *t);

#endif
