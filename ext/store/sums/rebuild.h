/*
** Sums from the ledger's rows: to build them anew, and to compare.
*/
#ifndef LLMCOST_REBUILD_H
#define LLMCOST_REBUILD_H

#include "store/sums/sums.h"

/* A month's sums by those of its days; ?1 and ?2: from and to (Unix ms). */
#define REBUILD_SUM(name, kind) ", sum(" #name ")"
#define REBUILD_MONTH_SQL                                                                          \
  "SELECT dimension, 43200, ?1, value, provider, service, source, billed" SUM_MEASURES(            \
      REBUILD_SUM) " FROM main.llm_sums WHERE dimension IN (0, 1, 2, 3) AND grain = 1440"          \
                   " AND start >= ?1 AND start < ?2"                                               \
                   " GROUP BY dimension, value, provider, service, source, billed"

#define REBUILD_DAY_MS ((long long)SUM_DAY * SUM_MINUTE_MS)

/* What the rows of one UTC day that are final come to, added to `sums`. An SQLite code. `db` is any connection of the
** store's; *err where memory is out. */
int rebuild_fold(sqlite3 *db, long long day, Sums *sums, Err *err);

/* Adds to llm_sums what waits in llm_uncounted, in the open transaction. RC_OK or *err. */
int rebuild_uncounted(Store *s, Err *err);

/* The first day from `from` on (Unix ms) that has rows in the ledger or in llm_sums, into *day. 1; 0 where there is
** none; -1 and *err. */
int rebuild_next_day(sqlite3 *db, long long from, long long *day, Err *err);

/* Makes the sums of one day and its month anew, in the open transaction; a sealed one stays. RC_OK or *err. */
int rebuild_day(Store *s, long long day, Err *err);

/* Makes the sums of one month anew, from those of its days. RC_OK or *err. */
int rebuild_month(Store *s, long long month, Err *err);

/* All days and months. RC_OK or *err. */
int rebuild_all(Store *s, Err *err);

/* The UTC day of a moment. */
long long rebuild_day_of(long long ts);

#endif
