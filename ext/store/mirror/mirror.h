/*
** A copy of the ledger in the caller's own database, for replicas of a server (trust/node/node.h).
**
** The store of a primary is a file of its own, which the server does not copy. So the ledger's numbers are put into main, from
** where the server copies them: without prompts, answers, and texts that may quote them.
**
**   llm_mirror_calls     llm_calls; is_open: it was on its way. Of `error` the code alone, of `notes` what was asked for
**                        and left out, no `gate`
**   llm_mirror_rollups   llm_sums, as it is
**   llm_mirror_invoices  llm_invoices, as it is
**   llm_mirror_state     llm_sum_state, and when it was copied
**
** Written (mirror_copy) through the caller's connection, so that the server sees it; what is equal is not written again.
**
** Read (mode_mirror) by a store that is a database in memory with all of our tables and views, empty, but for those that
** are copied: in their place stand virtual tables that read main of the caller's connection (forward.h). So each report runs
** on a replica as it is.
**
** Threading: as the store.
*/
#ifndef LLMCOST_MIRROR_H
#define LLMCOST_MIRROR_H

#include "store/db/store.h"

#define MIRROR_CALLS "llm_mirror_calls"

/* A store that only reads, over a copy in main of the caller's connection. */
extern const StoreMode mode_mirror;

/* A table that is copied. */
typedef struct MirrorTable {
  const char *store, *name; /* in the store; in main */
  const char *key;          /* what tells its rows apart, in both */
  const char *
      known_by; /* a column that each version of the copy has: a table without it is somebody else's */
  struct {
    const char *name,
        *from; /* a column that only the copy has; what it is in the store, whose table is `t` */
  } more[2];   /* NULL: none */
  const char *indexes; /* of the copy; NULL: none but the key */
} MirrorTable;

enum { MIRROR_OF_CALLS, MIRROR_OF_SUMS, MIRROR_OF_INVOICES, MIRROR_OF_STATE, MIRROR_TABLES };
extern const MirrorTable mirror_tables[MIRROR_TABLES];

/* What a copying did. */
typedef struct MirrorReport {
  long long calls, rollups, invoices; /* rows that were written, new ones or again */
  long long removed;                  /* rows that the store has no more */
  long long total;                    /* calls in the copy by now */
  long long
      left; /* calls that are not in it yet, or 1 where sums are not: it is to be called again */
} MirrorReport;

/* Brings the copy in main of `db` up to what the store (of mode_file, nothing waiting, all summed) holds, inside of whatever the caller has begun.
** After about two seconds it ends with what it has, since a server ends a transaction that holds others up for longer.
** RC_OK, or *err: then the copy is as it was. */
int mirror_copy(Store *s, sqlite3 *db, MirrorReport *report, Err *err);

#endif
