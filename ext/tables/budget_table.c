/*
** llm_budget_status: how the limits of llm_budgets stand (money/budget/status.h). llm_holds: what is held for requests that
** are on their way. Both are of this moment, read anew by each query.
*/
#include "money/budget/status.h"
#include "tables/kit/table.h"
#include "tables/tables.h"

#include <stdlib.h>

static void result_text(sqlite3_context *ctx, const char *text) {
  sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT); /* NULL gives NULL */
}

static void result_usd(sqlite3_context *ctx, long long nusd) {
  sqlite3_result_double(ctx, (double)nusd / 1e9);
}

/* ---- llm_budget_status */

typedef struct StatusCursor {
  TableCursor base;
  StatusReport report;
  int at;
} StatusCursor;

static int status_query(TableCursor *base, const TableQuery *q, Err *err) {
  StatusCursor *c = (StatusCursor *)base;
  (void)q;
  c->at = 0;
  return status_read(table_of(base)->conn, &c->report, err);
}

static int status_next(TableCursor *base, Err *err) {
  ((StatusCursor *)base)->at++;
  return err->rc;
}

static int status_is_done(const TableCursor *base) {
  const StatusCursor *c = (const StatusCursor *)base;
  return c->at >= c->report.n;
}

static void status_clear(TableCursor *base) {
  status_free(&((StatusCursor *)base)->report);
}

#define STATUS_COLUMNS(X)                                                                          \
  X(SCOPE, "scope TEXT")                                                                           \
  X(VALUE, "value TEXT")                                                                           \
  X(PERIOD, "period TEXT")                                                                         \
  X(FROM, "from_time TEXT")                                                                        \
  X(UNTIL, "until_time TEXT")                                                                      \
  X(LIMIT, "limit_usd REAL")                                                                       \
  X(SPENT, "spent_usd REAL")                                                                       \
  X(UNKNOWN, "unknown_usd REAL")                                                                   \
  X(HELD, "held_usd REAL")                                                                         \
  X(SHARE, "share REAL")                                                                           \
  X(UNPRICED, "unpriced INTEGER")                                                                  \
  X(PROJECTED, "projected_usd REAL")                                                               \
  X(BASIS, "basis TEXT")                                                                           \
  X(ACTION, "action TEXT")                                                                         \
  X(FROM_TS, "from_ts INTEGER")                                                                    \
  X(TO_TS, "to_ts INTEGER")                                                                        \
  X(SPENT_NUSD, "spent_nusd INTEGER")                                                              \
  X(UNKNOWN_NUSD, "unknown_nusd INTEGER")                                                          \
  X(HELD_NUSD, "held_nusd INTEGER")

enum {
#define STATUS_ID(id, sql) STATUS_##id,
  STATUS_COLUMNS(STATUS_ID)
#undef STATUS_ID
};

static void result_when(sqlite3_context *ctx, const Zone *zone, long long ms) {
  char text[PERIOD_TEXT];
  if (ms != PERIOD_NEVER && ms != PERIOD_EVER) {
    period_when(zone, ms, text);
    result_text(ctx, text);
  }
}

static void result_ts(sqlite3_context *ctx, long long ms) {
  if (ms != PERIOD_NEVER && ms != PERIOD_EVER) {
    sqlite3_result_int64(ctx, ms);
  }
}

static void result_share(sqlite3_context *ctx, const ReserveLimit *at) {
  if (at->limit_nusd > 0) {
    sqlite3_result_double(ctx, (double)sum_at_most(at->spent.nusd, at->spent.unknown_nusd) /
                                   (double)at->limit_nusd);
  }
}

static void result_basis(sqlite3_context *ctx, const StatusRow *row) {
  static const char *const words[] = {
      [PROJECTED] = "in proportion to the time that is over",
      [TOO_EARLY] = "too early",
      [NO_END] = "no end",
  };
  result_text(ctx, words[row->basis]);
}

/* Numbers of nano-dollars and dollars. */
static void status_money(const StatusRow *row, sqlite3_context *ctx, int i) {
  const ReserveLimit *at = &row->at;
  switch (i) {
  case STATUS_LIMIT:
    result_usd(ctx, at->limit_nusd);
    break;
  case STATUS_SPENT:
    result_usd(ctx, at->spent.nusd);
    break;
  case STATUS_UNKNOWN:
    result_usd(ctx, at->spent.unknown_nusd);
    break;
  case STATUS_HELD:
    result_usd(ctx, at->held_nusd);
    break;
  case STATUS_PROJECTED:
    if (row->basis == PROJECTED) {
      result_usd(ctx, row->projected_nusd);
    }
    break;
  case STATUS_SPENT_NUSD:
    sqlite3_result_int64(ctx, at->spent.nusd);
    break;
  case STATUS_UNKNOWN_NUSD:
    sqlite3_result_int64(ctx, at->spent.unknown_nusd);
    break;
  case STATUS_HELD_NUSD:
    sqlite3_result_int64(ctx, at->held_nusd);
    break;
  }
}

static void status_column(TableCursor *base, sqlite3_context *ctx, int i) {
  const StatusCursor *c = (const StatusCursor *)base;
  const StatusRow *row = &c->report.at[c->at];
  switch (i) {
  case STATUS_SCOPE:
    result_text(ctx, row->limit->scope_text);
    break;
  case STATUS_VALUE:
    result_text(ctx, row->value);
    break;
  case STATUS_PERIOD:
    result_text(ctx, row->limit->period_text);
    break;
  case STATUS_FROM:
  case STATUS_UNTIL:
    result_when(ctx, &c->report.zone, i == STATUS_FROM ? row->at.span.from : row->at.span.to);
    break;
  case STATUS_FROM_TS:
  case STATUS_TO_TS:
    result_ts(ctx, i == STATUS_FROM_TS ? row->at.span.from : row->at.span.to);
    break;
  case STATUS_SHARE:
    result_share(ctx, &row->at);
    break;
  case STATUS_UNPRICED:
    sqlite3_result_int64(ctx, row->at.spent.unpriced);
    break;
  case STATUS_BASIS:
    result_basis(ctx, row);
    break;
  case STATUS_ACTION:
    result_text(ctx, budget_action_word(row->limit->action));
    break;
  default:
    status_money(row, ctx, i);
  }
}

#define AS_COLUMN(id, sql) ", " sql
#define COLUMNS_OF(list) (&list[2])
static const char status_columns[] = STATUS_COLUMNS(AS_COLUMN);

const TableKind budget_status_table = {
    .is_guarded = 1,
    .columns = COLUMNS_OF(status_columns),
    .rows = 20,
    .cost = 1e4,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(StatusCursor),
    .query = status_query,
    .next = status_next,
    .is_done = status_is_done,
    .column = status_column,
    .clear = status_clear,
};

/* ---- llm_holds */

typedef struct Hold {
  long long call_id, ts, held_nusd, lease_until;
  char *texts[4]; /* owner, tag, user, model */
} Hold;

typedef struct HoldsCursor {
  TableCursor base;
  Hold *holds;
  int n, at;
  long long now;
} HoldsCursor;

static int keep_text(char **to, const char *text, Err *err) {
  *to = text ? sqlite3_mprintf("%s", text) : NULL;
  return text && !*to ? err_nomem(err) : err->rc;
}

static int take_hold(void *arg, const HeldRow *row, Err *err) {
  HoldsCursor *c = arg;
  if (row->is_gone || row->held_nusd < 0 || row->cost_nusd >= 0) {
    return err->rc;
  }
  Hold *longer = realloc(c->holds, (size_t)(c->n + 1) * sizeof *longer);
  if (!longer) {
    return err_nomem(err);
  }
  c->holds = longer;
  Hold *h = &c->holds[c->n++];
  *h = (Hold){row->id, row->ts, row->held_nusd, row->lease_until, {NULL}};
  const char *const texts[] = {row->owner, row->tag, row->user, row->model};
  for (int i = 0; i < 4; i++) {
    keep_text(&h->texts[i], texts[i], err);
  }
  return err->rc;
}

static int holds_query(TableCursor *base, const TableQuery *q, Err *err) {
  HoldsCursor *c = (HoldsCursor *)base;
  (void)q;
  c->at = 0;
  c->now = now_ms();
  Store *s = conn_store(table_of(base)->conn, 0, err);
  sqlite3 *reader = s ? store_reader_take(s, err) : NULL;
  if (s && err->rc == RC_OK) { /* (in main mode batches alone hold something) */
    reserve_each(reader ? reader : s->db, c->now, 1, take_hold, c, err);
    store_reader_give(s, reader);
  }
  return err->rc;
}

static int holds_next(TableCursor *base, Err *err) {
  ((HoldsCursor *)base)->at++;
  return err->rc;
}

static int holds_is_done(const TableCursor *base) {
  const HoldsCursor *c = (const HoldsCursor *)base;
  return c->at >= c->n;
}

enum { CALL_ID, OWNER, AGE, HELD, TAG, USER, MODEL, HELD_NUSD, LEASE };

/* Held for requests of a batch: they have no rows in the ledger yet, and no lease. */
static int is_batch(const Hold *h) {
  return h->call_id == LEDGER_NULL;
}

static void holds_column(TableCursor *base, sqlite3_context *ctx, int i) {
  const HoldsCursor *c = (const HoldsCursor *)base;
  const Hold *h = &c->holds[c->at];
  switch (i) {
  case CALL_ID:
    if (!is_batch(h)) {
      sqlite3_result_int64(ctx, h->call_id);
    }
    break;
  case AGE:
    sqlite3_result_int64(ctx, c->now - h->ts);
    break;
  case HELD:
    result_usd(ctx, h->held_nusd);
    break;
  case HELD_NUSD:
    sqlite3_result_int64(ctx, h->held_nusd);
    break;
  case LEASE:
    if (!is_batch(h)) {
      sqlite3_result_int64(ctx, h->lease_until);
    }
    break;
  default:
    result_text(ctx, h->texts[i == OWNER ? 0 : i - TAG + 1]);
  }
}

static void holds_clear(TableCursor *base) {
  HoldsCursor *c = (HoldsCursor *)base;
  for (int i = 0; i < c->n; i++) {
    for (int k = 0; k < 4; k++) {
      sqlite3_free(c->holds[i].texts[k]);
    }
  }
  free(c->holds);
  c->holds = NULL;
  c->n = 0;
}

const TableKind holds_table = {
    .is_guarded = 1,
    .columns = "call_id INTEGER, owner TEXT, age_ms INTEGER, held_usd REAL, tag TEXT, user TEXT,"
               " model TEXT, held_nusd INTEGER, lease_until INTEGER",
    .rows = 20,
    .cost = 1e4,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(HoldsCursor),
    .query = holds_query,
    .next = holds_next,
    .is_done = holds_is_done,
    .column = holds_column,
    .clear = holds_clear,
};
