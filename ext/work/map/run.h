/*
** A run of llm_map: the rows of one SELECT, each asked as one request, many at a time.
**
** The SELECT is run to its end into a spill (spill.h) and finalised; only then requests leave, each through the same pipeline as
** llm_complete (call/call.h), side by side (work/pool). Rows that ask the same wait for the first of them: it is paid once, and they
** find its answer in the cache, or its failure in the memo of the run. What became of each row is kept in the spill in the order in
** which they end: a cursor reads from there, and where it has read all, goes on with the run.
**
** A run works only while a cursor asks for a row. When the last cursor is closed, what is on its way is waited for and kept.
*/
#ifndef LLMCOST_MAP_RUN_H
#define LLMCOST_MAP_RUN_H

#include "conn/conn.h"
#include "work/map/progress.h"
#include "work/map/spill.h"

#define MAP_ALL (-1LL)

typedef struct MapRun MapRun;

/* A run with its SELECT read; NULL and *err. `options`: JSON of n bytes, or NULL. */
MapRun *map_run_new(Conn *conn, const char *sql, const char *options, size_t n, Err *err);

/* Ends what is on its way, and frees it. */
void map_run_free(MapRun *run);

/* Waits for what is on its way; nothing else is begun until a cursor asks again. */
void map_run_rest(MapRun *run);

/* Where a scan is. Zeroed; map_scan_done at its end. */
typedef struct MapScan {
  MapRun *run;          /* borrowed */
  long long at;         /* the number of the result, or of the row, that it stands on */
  sqlite3_value *key;   /* owned: only rows with this key; NULL: all */
  sqlite3_stmt *result; /* the row it stands on (columns SPILL_…); NULL before the first */
  int is_done;
} MapScan;

/* To the first row. `key` NULL: of all rows; at most `limit` of them are asked for this scan (MAP_ALL: all). */
int map_scan_start(MapScan *scan, MapRun *run, sqlite3_value *key, long long limit, Err *err);
int map_scan_next(MapScan *scan, Err *err);
void map_scan_done(MapScan *scan);

MapState map_run_state(const MapRun *run);

#endif
