/*
** What lookups leave to be written with the next write of this connection. (match_flush writes it.)
*/
#ifndef LLMCOST_CACHE_PENDING_H
#define LLMCOST_CACHE_PENDING_H

#include "vec/cache/match/match.h"

/* Notes a hit. Returns err->rc. */
int pending_hit(CacheTable *t, int64_t id, int64_t now, Err *err);
/* Keeps a decision for the log. What is beyond the room for them is left out: the log is a sample then. */
int pending_decision(CacheTable *t, const Decision *d, Err *err);
/* Binds evidence to four parameters from `at` on: similarity, second, margin, agree; what is not known stays NULL. */
void pending_bind_evidence(sqlite3_stmt *stmt, int at, const Evidence *e);

#endif
