/*
** llm_reconcile([options]): imported invoices held against the ledger (work/audit/reconcile.h). A row a line; its causes add up to its
** difference.
*/
#include "base/text/decimal.h"
#include "tables/kit/table.h"
#include "tables/tables.h"
#include "work/audit/reconcile.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct ReconcileOptions {
  char source[64], provider[64]; /* "": all */
  long long from, to;
} ReconcileOptions;

static const Spec specs[] = {
    {"source", SPEC_INTO(ReconcileOptions, CHARS, source)},
    {"provider", SPEC_INTO(ReconcileOptions, CHARS, provider)},
    {"from", SPEC_INTO(ReconcileOptions, TIME, from)},
    {"to", SPEC_INTO(ReconcileOptions, TIME, to)},
};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, NULL,
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

typedef struct Cursor {
  TableCursor base;
  Reconciled *result;
  int at;
} Cursor;

static const ReconcileLine *line(const Cursor *c) {
  return c->result ? reconcile_at(c->result, c->at) : NULL;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  ReconcileOptions o;
  if (arg_spec(q->args[0], &options_table, &o, err) == RC_OK) {
    ReconcileAsk ask = {o.source[0] ? o.source : NULL, o.provider[0] ? o.provider : NULL,
                        o.from == SPEC_NO_TIME ? LLONG_MIN : o.from,
                        o.to == SPEC_NO_TIME ? LLONG_MAX : o.to};
    c->at = 0;
    c->result = reconcile_new(table_of(base)->conn, &ask, err);
  }
  return err->rc;
}

static int next(TableCursor *base, Err *err) {
  ((Cursor *)base)->at++;
  return err->rc;
}

static int is_done(const TableCursor *base) {
  return line((const Cursor *)base) == NULL;
}

/* 'YYYY-MM-DD', or with the time where it does not begin a day. */
static void result_day(sqlite3_context *ctx, long long ms) {
  char text[32];
  struct tm t;
  time_t seconds = (time_t)(ms / 1000);
  if (gmtime_r(&seconds, &t)) {
    int is_day = t.tm_hour == 0 && t.tm_min == 0;
    strftime(text, sizeof text, is_day ? "%Y-%m-%d" : "%Y-%m-%d %H:%M", &t);
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
  }
}

static void result_text(sqlite3_context *ctx, const char *text) {
  sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT); /* NULL gives NULL */
}

static void result_number(sqlite3_context *ctx, int is_there, double number) {
  if (is_there && !isnan(number)) {
    sqlite3_result_double(ctx, number);
  }
}

/* The one that moves most; "agrees" where nothing does. */
static const char *main_cause(const ReconcileLine *l) {
  int most = 0;
  for (int i = 1; i < RECONCILE_COUNT; i++) {
    most = llabs(l->causes[i]) > llabs(l->causes[most]) ? i : most;
  }
  return l->causes[most] ? reconcile_word((ReconcileCause)most) : "agrees";
}

enum {
  DAY,
  FROM,
  TO,
  SOURCE,
  PROVIDER,
  MODEL,
  ITEM,
  INVOICED,
  LEDGER,
  DIFFERENCE,
  QUANTITY,
  COUNTED,
  CAUSE,
  UNPRICED,
  CAUSES
};

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  const ReconcileLine *l = line((const Cursor *)base);
  const char *const texts[] = {
      [SOURCE] = l->source, [PROVIDER] = l->provider, [MODEL] = l->model, [ITEM] = l->item};
  const ReconcileItem *s = &l->sums;
  switch (i) {
  case DAY:
    result_day(ctx, l->from);
    break;
  case FROM:
  case TO:
    sqlite3_result_int64(ctx, i == FROM ? l->from : l->to);
    break;
  case SOURCE:
  case PROVIDER:
  case MODEL:
  case ITEM:
    result_text(ctx, texts[i]);
    break;
  case INVOICED:
    result_number(ctx, s->is_invoiced, (double)s->invoiced / 1e9);
    break;
  case LEDGER:
    result_number(ctx, s->is_in_ledger, (double)s->ledger / 1e9);
    break;
  case DIFFERENCE:
    result_number(ctx, 1, (double)(s->invoiced - s->ledger) / 1e9);
    break;
  case QUANTITY:
    result_number(ctx, s->is_invoiced, s->quantity);
    break;
  case COUNTED:
    result_number(ctx, s->is_in_ledger, s->counted);
    break;
  case CAUSE:
    result_text(ctx, main_cause(l));
    break;
  case UNPRICED:
    sqlite3_result_int64(ctx, l->unpriced);
    break;
  default:
    if (i >= CAUSES) {
      result_number(ctx, 1, (double)l->causes[i - CAUSES] / 1e9);
    }
  }
}

static void clear(TableCursor *base) {
  Cursor *c = (Cursor *)base;
  reconcile_free(c->result);
  c->result = NULL;
}

#define CAUSE_COLUMN(id, word) ", \"" word "_usd\" REAL"
const TableKind reconcile_table = {
    .is_guarded = 1,
    .columns =
        "\"day\" TEXT, \"from_ts\" INTEGER, \"to_ts\" INTEGER, \"source\" TEXT, \"provider\" TEXT, "
        "\"model\" TEXT,"
        " \"item\" TEXT, \"invoiced_usd\" REAL, \"ledger_usd\" REAL, \"difference_usd\" REAL,"
        " \"invoiced_quantity\" REAL, \"ledger_quantity\" REAL, \"cause\" TEXT,"
        " \"unpriced\" INTEGER" RECONCILE_CAUSES(CAUSE_COLUMN),
    .args = {"options"},
    .rows = 1000,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
