/*
** A lookup: what is asked, and what was found.
*/
#ifndef LLMCOST_CACHE_QUERY_H
#define LLMCOST_CACHE_QUERY_H

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
  int64_t asker;         /* who asks (rows_asker); 0: nobody said */
  int k;                 /* matches wanted */
  int verify;            /* 0: the nearest, whatever their cosine, expired ones too */
  int explains;          /* with verify 0: says why each would not be served, and what decides */
  int64_t now;
} MatchQuery;

#endif
