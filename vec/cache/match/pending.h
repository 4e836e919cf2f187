/*
** What lookups leave to be written with the next write of this connection.
*/
#ifndef LLMCOST_CACHE_PENDING_H
#define LLMCOST_CACHE_PENDING_H

#include "vec/cache/match/query.h"

/* Notes a hit. Returns err->rc. */
int pending_hit(CacheTable *t, int64_t id, int64_t now, Err *err);
/* Keeps a decision for the log. What is beyond the room for them is left out: the log is a sample then. */
int pending_decision(CacheTable *t, const Decision *d, Err *err);
/* A question that was looked up and not found: the nearest entry and the key of its answer, and on what evidence it was not
** served. Entry 0: nothing of it is known. */
typedef struct Missed {
  int64_t partition, entry;
  double threshold; /* where one decided */
  Hash question, answer;
  Evidence evidence;
} Missed;

/* Remembers a miss until the question is inserted (of the newest MISSES). Where conditions left entries out, or a vector was
** asked for, it is nothing to learn from. */
void pending_miss(CacheTable *t, const MatchQuery *q, const Missed *missed);
/* 1 and *missed where this question was looked up and not found; it is forgotten then. */
int pending_take_miss(CacheTable *t, int64_t partition, const char *text, size_t n, Missed *missed);

/* Forgets the misses near an entry that is no longer what it was; 0: all. */
void pending_forget_misses(CacheTable *t, int64_t entry);

/* Binds evidence to four parameters from `at` on: similarity, second, margin, agree; what is not known stays NULL. */
void pending_bind_evidence(sqlite3_stmt *stmt, int at, const Evidence *e);

/* Writes what lookups left: hits, confirming vectors, decisions. */
int pending_flush(CacheTable *t, Err *err);

#endif
