/*
** llm_progress: how far runs of llm_map are, those of other processes too; the newest first.
*/
#include "core/pace/bar.h"
#include "store/db/owner.h"
#include "tables/kit/reading.h"
#include "tables/kit/table.h"
#include "tables/tables.h"

#include <math.h>
#include <string.h>

typedef struct Cursor {
  TableCursor base;
  Reading reading;
  long long now;
} Cursor;

/* The store's columns, in this order; behind them what is worked out. */
enum {
  ID,
  STATE,
  STARTED,
  UPDATED,
  ROWS,
  REQUESTS,
  DONE,
  HITS,
  ERRORS,
  CALLS,
  SPENT,
  EXPECTED,
  WAITS_FOR,
  WAITS_UNTIL,
  WHY,
  RATE,
  LEFT,
  OWNER,
  LEASE
};

static const char select_runs[] =
    "SELECT id, state, started_at, updated_at, \"rows\", requests, done, hits, errors, calls, "
    "spent_nusd,"
    " expected_nusd, waits_for, waits_until, CASE waits_for WHEN 'pause' THEN (SELECT reason FROM"
    " main.llm_provider_state WHERE until_ts > ?1 ORDER BY until_ts DESC LIMIT 1) END, NULL, NULL, "
    "owner,"
    " lease_until FROM main.llm_runs ORDER BY id DESC";

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  (void)q;
  c->now = now_ms();
  sqlite3 *db = reading_connection(&c->reading, table_of(base)->conn, select_runs, err);
  if (!db || !c->reading.store->mode->has_intents ||
      reading_prepare(&c->reading, db, select_runs, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_bind_int64(c->reading.stmt, 1, c->now);
  return reading_next(&c->reading, err);
}

static int next(TableCursor *base, Err *err) {
  return reading_next(&((Cursor *)base)->reading, err);
}

static int is_done(const TableCursor *base) {
  return !((const Cursor *)base)->reading.stmt;
}

/* "gone": nobody will go on with it. */
static const char *state_of(const Cursor *c) {
  sqlite3_stmt *row = c->reading.stmt;
  const char *state = (const char *)sqlite3_column_text(row, STATE);
  const char *owner = (const char *)sqlite3_column_text(row, OWNER);
  int is_gone =
      state && owner && strcmp(state, "running") == 0 &&
      owner_has_left(owner, c->reading.store->place, sqlite3_column_int64(row, LEASE), c->now);
  return is_gone ? "gone" : state;
}

static Bar bar_of(sqlite3_stmt *row) {
  return (Bar){.done = sqlite3_column_int64(row, DONE),
               .total = sqlite3_column_int64(row, ROWS),
               .elapsed_ms =
                   sqlite3_column_int64(row, UPDATED) - sqlite3_column_int64(row, STARTED)};
}

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  const Cursor *c = (Cursor *)base;
  sqlite3_stmt *row = c->reading.stmt;
  const Bar bar = bar_of(row);
  double rate = bar_rate(&bar);
  long long left = bar_left_ms(&bar);
  if (i == STATE) {
    sqlite3_result_text(ctx, state_of(c), -1, SQLITE_TRANSIENT);
  } else if ((i == SPENT || i == EXPECTED) && sqlite3_column_type(row, i) != SQLITE_NULL) {
    sqlite3_result_double(ctx, (double)sqlite3_column_int64(row, i) / 1e9);
  } else if (i == RATE) {
    isnan(rate) ? sqlite3_result_null(ctx) : sqlite3_result_double(ctx, rate);
  } else if (i == LEFT) {
    left < 0 ? sqlite3_result_null(ctx) : sqlite3_result_double(ctx, (double)left / 1e3);
  } else {
    sqlite3_result_value(ctx, sqlite3_column_value(row, i));
  }
}

static void clear(TableCursor *base) {
  reading_clear(&((Cursor *)base)->reading);
}

static void close_cursor(TableCursor *base) {
  reading_close(&((Cursor *)base)->reading);
}

const TableKind progress_table = {
    .is_guarded = 1,
    .columns = "id INTEGER, state TEXT, started_at INTEGER, updated_at INTEGER, \"rows\" INTEGER,"
               " requests INTEGER, done INTEGER, hits INTEGER, errors INTEGER, calls INTEGER,"
               " spent_usd REAL, expected_usd REAL, waits_for TEXT, waits_until INTEGER, why TEXT,"
               " rows_per_second REAL, left_s REAL",
    .rows = 100,
    .cost = 1e3,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
    .close = close_cursor,
};
