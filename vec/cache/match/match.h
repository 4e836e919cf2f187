/*
** A lookup in a semantic_cache, and what is learned from lookups.
*/
#ifndef LLMCOST_CACHE_MATCH_H
#define LLMCOST_CACHE_MATCH_H

#include "vec/cache/state/table.h"

typedef struct Match {
  int64_t id;
  double similarity;
  int is_exact;
  const char *policy; /* what decided, in static storage */
  char *why; /* why it would not be served, owned (sqlite3_free); NULL: it would, or nobody asked */
} Match;

typedef struct MatchQuery {
  int64_t partition;
  const char *text; /* NULL: a vector was given, of any length */
  size_t n;
  const void *vector; /* dim float32 */
  size_t vector_bytes;
  const Condition *conditions; /* on tag and model */
  int n_conditions;
  double threshold;      /* NAN: the table's */
  double max_false_hits; /* NAN: the table's */
  int k;                 /* matches wanted */
  int verify;            /* 0: the nearest, whatever their cosine, expired ones too */
  int explains;          /* with verify 0: says why each would not be served, and what decides */
  int64_t now;
} MatchQuery;

/* Fills at most q->k matches, best first. What is in memory must be in step (memory_sync). */
int match_run(CacheTable *t, const MatchQuery *q, Match *matches, int *n, Err *err);
/* Gives a match its why; "" is none. Returns err->rc. */
int match_why(Match *m, const char *why, Err *err);
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
/* Track that a served answer was right or wrong (similarity NAN: the entry's own text). */
int match_feedback(CacheTable *t, int64_t partition, int64_t id, double similarity, int ok,
                   int64_t now, Err *err);
/* Writes what lookups left: hits, confirming vectors, decisions. */
int match_flush(CacheTable *t, Err *err);
/* Writes into x_meta what decides, where that has changed: 'policy', and once MiniLM confirms, 'confirmed'. */
int match_note_policy(CacheTable *t, Err *err);
void match_free(CacheTable *t);

#endif
