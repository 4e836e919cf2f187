/*
** Whether the shadow tables of a semantic_cache hold what they must, and making them hold it again.
*/
#ifndef LLMCOST_CACHE_CHECK_H
#define LLMCOST_CACHE_CHECK_H

#include "vec/cache/state/table.h"

/* Checks the shadow tables; *report is what is wrong, owned (sqlite3_free), or NULL. `quick` leaves
** out what needs every vector. */
int check_run(CacheTable *t, int quick, char **report, Err *err);

/* Embeds every query again with the embedder as it is now, and makes anew what can be made of the entries: hashes of queries and
** partitions, log, snapshots, counts, meta rows. Entries of no partition go: nobody could find them. Returns err->rc. */
int check_rebuild(CacheTable *t, Err *err);

/* What the table remembers of its making; `seed` keeps one that is there. */
int check_write_meta(CacheTable *t, Err *err);

/* Counts the entries anew; 0 also with *err. */
int64_t check_count_entries(CacheTable *t, Err *err);
int check_set_entries(CacheTable *t, int64_t n, Err *err);

#endif
