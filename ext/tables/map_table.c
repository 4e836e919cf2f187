/*
** llm_map(sql [, options]): the rows of a SELECT, each asked as one request, many at a time (work/map/run.h).
**
** A cursor is a scan of a run that other cursors of the same statement share. A row whose key is asked for is looked up, and a LIMIT
** that SQLite hands over ends the asking.
*/
#include "tables/kit/table.h"
#include "tables/tables.h"
#include "work/map/shared.h"

typedef struct MapCursor {
  TableCursor base;
  MapRun *run; /* that it reads, or read last: the next query mostly reads the same. NULL: none */
  MapScan scan;
} MapCursor;

static void release(MapCursor *c, MapRun *run) {
  if (run) {
    shared_release(table_of(&c->base)->conn, run);
  }
}

/* The run of these arguments; NULL where there is nothing to ask, or *err. */
static MapRun *find_run(MapCursor *c, const TableQuery *q, Err *err) {
  size_t n = 0;
  const char *sql = sqlite3_value_type(q->args[0]) != SQLITE_NULL
                        ? arg_text(q->args[0], "the SELECT", err)
                        : NULL;
  const char *options = sql && q->args[1] ? arg_bytes(q->args[1], &n, err) : NULL;
  return sql && err->rc == RC_OK ? shared_take(table_of(&c->base)->conn, sql, options, n, err)
                                 : NULL;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  MapCursor *c = (MapCursor *)base;
  MapRun *before = c->run;
  c->scan.is_done = 1;
  c->run = find_run(c, q, err);
  release(c, before);
  if (c->run) {
    map_scan_start(&c->scan, c->run, q->key, q->limit, err);
  }
  return err->rc;
}

static int next(TableCursor *base, Err *err) {
  return map_scan_next(&((MapCursor *)base)->scan, err);
}

static int is_done(const TableCursor *base) {
  return ((const MapCursor *)base)->scan.is_done;
}

static void column(TableCursor *base, sqlite3_context *ctx, int column) {
  sqlite3_stmt *row = ((MapCursor *)base)->scan.result;
  if (column == SPILL_COST && sqlite3_column_type(row, column) != SQLITE_NULL) {
    sqlite3_result_double(ctx, (double)sqlite3_column_int64(row, column) / 1e9);
  } else {
    sqlite3_result_value(ctx, sqlite3_column_value(row, column));
  }
}

static void clear(TableCursor *base) {
  map_scan_done(&((MapCursor *)base)->scan);
}

static void close_cursor(TableCursor *base) {
  release((MapCursor *)base, ((MapCursor *)base)->run);
}

const TableKind map_table = {
    .is_guarded = 1,
    .columns =
        "key, answer TEXT, error TEXT, model TEXT, cost_usd REAL, kind TEXT, call_id INTEGER",
    .args = {"sql", "options"},
    .n_required = 1,
    .usage = "the SELECT is missing: SELECT … FROM llm_map('SELECT id, question FROM tickets')",
    .has_key = 1,
    .rows = 1e6,
    .cost = 1e9,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(MapCursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
    .close = close_cursor,
};
