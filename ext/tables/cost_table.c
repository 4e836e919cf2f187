/*
** The views of costs (sql/cost_views.sql) under their bare names, with periods and a time zone.
**
**   SELECT * FROM llm_cost_daily WHERE day >= '2026-11-01'
**   SELECT * FROM llm_cost_by_tag WHERE day = '2026-11'            a hidden column: only that month
**   SELECT * FROM llm_cost_by_user WHERE hour >= '2026-11-04 09:00'
**
** What runs is the text of the view. It selects from llm_days, llm_hours, llm_values or llm_day_values; a common table expression of that
** name stands before it, which reads only what is needed of llm_summed: whole UTC months and days from their sums, the
** rest from those of quarters.
**
** Days and hours are those of the setting time_zone; imported sums have UTC days, and say so (`zone`): no half of one is
** counted. An hour that clocks repeat is one.
**
** Plan: idxStr has two characters for each argument: what it bounds ('d'ay, 'h'our, 'v'alue; a capital: of a hidden
** column) and the operator ('=', '<', 'l' for <=, '>', 'g' for >=).
*/
#include "base/hash.h"
#include "base/clock.h"
#include "base/sqlite/vtab.h"
#include "base/text/decimal.h"
#include "core/audit/span.h"
#include "store/schema/views.h"
#include "store/sums/rebuild.h"
#include "tables/kit/reading.h"
#include "tables/kit/table.h"
#include "tables/tables.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const CostSource cost_sources[] = {
    {"llm_cost_hourly", &cost_hourly_table, "llm_hours"},
    {"llm_cost_daily", &cost_daily_table, "llm_days"},
    {"llm_cost_weekly", &cost_table, "llm_days"},
    {"llm_cost_monthly", &cost_table, "llm_days"},
    {"llm_cost_by_model", &cost_table, "llm_values"},
    {"llm_cost_by_tag", &cost_table, "llm_values"},
    {"llm_cost_by_user", &cost_table, "llm_values"},
    {"llm_cost_daily_by_model", &cost_daily_table, "llm_day_values"},
    {"llm_cost_daily_by_tag", &cost_daily_table, "llm_day_values"},
    {"llm_cost_daily_by_user", &cost_daily_table, "llm_day_values"},
    {NULL, NULL, NULL},
};

enum { HOUR_S = 3600, DAY_S = 86400, LABEL = 20 };

typedef struct CostTable {
  Table base;
  int is_first[2]; /* the first column is the day; the hour */
} CostTable;

typedef struct CostCursor {
  TableCursor base;
  Reading reading;
  long long from, to; /* what was asked for */
} CostCursor;

static const CostSource *source_of(const Table *t) {
  return t->of;
}

static int has_values(const Table *t) {
  return strcmp(source_of(t)->from, "llm_values") == 0;
}

static int connect(Table *base, const char *columns, Err *err) {
  CostTable *t = (CostTable *)base;
  t->is_first[0] = strncmp(columns, "\"day\"", 5) == 0;
  t->is_first[1] = strncmp(columns, "\"hour\"", 6) == 0;
  return err->rc;
}

/* ---- the plan */

/* What a column bounds: 'd', 'h', 'v', a capital where it is hidden; 0: nothing. */
static char bound_of(const CostTable *t, int column) {
  int hidden = column - t->base.n_columns;
  if (hidden >= 0 && t->base.kind->args[hidden]) {
    return t->base.kind->args[hidden][0] == 'd' ? 'D' : 'H';
  }
  return column != 0            ? 0
         : t->is_first[0]       ? 'd'
         : t->is_first[1]       ? 'h'
         : has_values(&t->base) ? 'v'
                                : 0;
}

static char operator_of(unsigned char op) {
  static const struct {
    unsigned char op;
    char letter;
  } known[] = {
      {SQLITE_INDEX_CONSTRAINT_EQ, '='}, {SQLITE_INDEX_CONSTRAINT_LT, '<'},
      {SQLITE_INDEX_CONSTRAINT_LE, 'l'}, {SQLITE_INDEX_CONSTRAINT_GT, '>'},
      {SQLITE_INDEX_CONSTRAINT_GE, 'g'},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (known[i].op == op) {
      return known[i].letter;
    }
  }
  return 0;
}

static int is_hidden(char bound) {
  return bound == 'D' || bound == 'H';
}

static int plan(Table *base, sqlite3_index_info *info) {
  const CostTable *t = (const CostTable *)base;
  sqlite3_str *text = sqlite3_str_new(NULL);
  int n = 0, rc = SQLITE_OK;
  for (int i = 0; i < info->nConstraint && rc == SQLITE_OK; i++) {
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    int is_limit =
        c->op == SQLITE_INDEX_CONSTRAINT_LIMIT || c->op == SQLITE_INDEX_CONSTRAINT_OFFSET;
    char bound = is_limit ? 0 : bound_of(t, c->iColumn), op = operator_of(c->op);
    const char *collation = sqlite3_vtab_collation(info, i);
    int is_binary = !collation || sqlite3_stricmp(collation, "BINARY") == 0;
    if (is_hidden(bound) && !op && c->usable) {
      Err err = {0};
      err_set(&err, RC_ERROR, ERR_BAD_ARGUMENT,
              "a hidden '%s' is compared by =, <, <=, >, >= or BETWEEN",
              bound == 'D' ? "day" : "hour");
      rc = vtab_fail(&base->base, base->name, &err);
    } else if (is_hidden(bound) && !c->usable) {
      rc = SQLITE_CONSTRAINT; /* SQLite finds an order of its tables in which it is */
    } else if (bound && op && c->usable && (is_binary || is_hidden(bound)) &&
               (bound != 'v' || op == '=')) {
      sqlite3_str_appendf(text, "%c%c", bound, op);
      info->aConstraintUsage[i].argvIndex = ++n;
      info->aConstraintUsage[i].omit = (unsigned char)is_hidden(bound);
    }
  }
  info->idxStr = sqlite3_str_finish(text);
  info->needToFreeIdxStr = info->idxStr != NULL;
  info->estimatedRows = 1000 >> (n < 4 ? 2 * n : 8);
  info->estimatedCost = 1e6 / (1 + n);
  return rc;
}

/* ---- periods */

#define SPAN_ALL ((LocalSpan){LLONG_MIN, LLONG_MAX})

/* Narrows *all to what a comparison with a label leaves, as texts compare: labels of the column have `own` characters. A
** hidden column that equals a shorter label is anywhere in what that names. */
static void narrow(LocalSpan *all, LocalSpan named, int length, int own, const char bound_op[2]) {
  char op = bound_op[1];
  LocalSpan s = SPAN_ALL;
  int is_longer = length > own, is_same = length == own;
  if (is_longer) { /* a label of the column that is a prefix of it comes before */
    long long step = own == 10 ? DAY_S : HOUR_S, rest = named.from % step;
    named.from -= rest < 0 ? rest + step : rest;
    named.to = named.from + step;
  }
  if (op == '=') {
    s = is_longer ? (LocalSpan){0, 0} : named;
  } else if (op == '<' || op == 'l') {
    s.to = is_longer || (op == 'l' && is_same) ? named.to : named.from;
  } else {
    s.from = is_longer || (op == '>' && is_same) ? named.to : named.from;
  }
  all->from = s.from > all->from ? s.from : all->from;
  all->to = s.to < all->to ? s.to : all->to;
}

/* What is asked for. */
typedef struct CostPeriod {
  LocalSpan local;    /* seconds there; of invoices: of UTC */
  long long from, to; /* Unix ms */
  const char *value;  /* only this one, or NULL. Borrowed */
} CostPeriod;

static int read_bound(const char bound_op[2], sqlite3_value *v, CostPeriod *p, Err *err) {
  char bound = bound_op[0];
  int is_text = sqlite3_value_type(v) == SQLITE_TEXT;
  const char *text = is_text ? (const char *)sqlite3_value_text(v) : NULL;
  LocalSpan named;
  if (is_text && !text) {
    return err_nomem(err);
  }
  if (bound == 'v') {
    p->value = text;
    return RC_OK;
  }
  int length = text ? span_read_label(text, &named) : 0;
  if (length > 0) {
    narrow(&p->local, named, length, bound == 'd' || bound == 'D' ? 10 : 16, bound_op);
  } else if (is_hidden(bound)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "%s: expected a text such as '2026-11-04'%s or '2026-11'",
            bound == 'D' ? "day" : "hour", bound == 'D' ? "" : ", '2026-11-04 09:00'");
  }
  return err->rc;
}

/* ---- the statement */

/* What the views of costs add up. */
static const char measures[] =
    ", calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens,"
    " output_tokens, cost_nusd, saved_nusd";

/* "start / 1000", and what clocks there are ahead: a CASE over the changes between two moments. */
static void add_local(sqlite3_str *sql, const Zone *zone, long long from, long long to) {
  int offset = zone_offset(zone, from);
  sqlite3_str_appendf(sql, "start / 1000 + CASE");
  for (long long at = from; at < to;) {
    long long low = at, high = at + DAY_S * 1000LL;
    at = high;
    if (zone_offset(zone, high) == offset) {
      continue;
    }
    while (high - low > 1) { /* the first ms of the other offset is `high` */
      long long middle = low + (high - low) / 2;
      *(zone_offset(zone, middle) == offset ? &low : &high) = middle;
    }
    sqlite3_str_appendf(sql, " WHEN start < %lld THEN %d", high, offset);
    offset = zone_offset(zone, at);
  }
  sqlite3_str_appendf(sql, " WHEN 1 THEN %d END", offset);
}

static void add_between(sqlite3_str *sql, long long from, long long to) {
  if (from != LLONG_MIN) {
    sqlite3_str_appendf(sql, " AND start >= %lld", from);
  }
  if (to != LLONG_MAX) {
    sqlite3_str_appendf(sql, " AND start < %lld", to);
  }
}

/* The UTC span of invoices. */
static void add_invoices(sqlite3_str *sql, const CostPeriod *p) {
  add_between(sql, p->local.from == LLONG_MIN ? LLONG_MIN : p->local.from * 1000,
              p->local.to == LLONG_MAX ? LLONG_MAX : p->local.to * 1000);
}

static int is_whole_day(long long at) {
  return at == LLONG_MIN || at == LLONG_MAX || rebuild_day_of(at) == at;
}

/* llm_days, llm_hours or llm_day_values, of a zone and a period. */
static void add_times(sqlite3_str *sql, const char *from, const char *name, const Zone *zone,
                      const CostPeriod *p, LocalSpan known) {
  int is_utc = !name, is_hours = strcmp(from, "llm_hours") == 0;
  int by_day = !is_hours && is_utc && is_whole_day(p->from) && is_whole_day(p->to);
  int by_value = strcmp(from, "llm_day_values") == 0;
  const char *value = by_value ? "dimension, value, provider, " : "";
  const char *of_all = by_value ? "1" : "dimension = 0";
  sqlite3_str_appendf(sql, "WITH %s AS (SELECT %s", from, value);
  if (is_utc) {
    sqlite3_str_appendf(sql, "start / 1000");
  } else {
    add_local(sql, zone, p->from > known.from ? p->from : known.from,
              p->to < known.to ? p->to : known.to);
  }
  sqlite3_str_appendf(sql, " AS local, %Q AS zone, source, billed, basis%s", name ? name : "UTC",
                      measures);
  sqlite3_str_appendf(sql, " FROM llm_summed WHERE %s AND grain = %d", of_all,
                      by_day ? SUM_DAY : SUM_QUARTER);
  add_between(sql, p->from, p->to);
  sqlite3_str_appendf(sql,
                      " UNION ALL SELECT %sstart / 1000, 'UTC', source, billed, basis%s"
                      " FROM llm_invoiced WHERE %s%s",
                      value, measures, of_all, is_hours ? " AND to_ts - start <= 3600000" : "");
  add_invoices(sql, p);
  sqlite3_str_appendf(sql, ") ");
}

static void add_part(sqlite3_str *sql, int grain, long long from, long long to,
                     const CostPeriod *p) {
  sqlite3_str_appendf(sql,
                      "SELECT dimension, value, provider, source, billed, basis%s"
                      " FROM llm_summed WHERE grain = %d%s",
                      measures, grain, p->value ? " AND value = ?1" : "");
  add_between(sql, from, to);
  sqlite3_str_appendf(sql, " UNION ALL ");
}

static int is_whole_month(long long at) {
  return at == LLONG_MIN || at == LLONG_MAX || sums_month(at) == at;
}

/* Whole days between two moments, and the quarters at their ends. */
static void add_days(sqlite3_str *sql, long long from, long long to, const CostPeriod *p) {
  long long first = is_whole_day(from) ? from : rebuild_day_of(from) + REBUILD_DAY_MS;
  long long last = is_whole_day(to) ? to : rebuild_day_of(to);
  if (first >= last) {
    add_part(sql, SUM_QUARTER, from, to, p);
    return;
  }
  add_part(sql, SUM_DAY, first, last, p);
  if (first != from) {
    add_part(sql, SUM_QUARTER, from, first, p);
  }
  if (last != to) {
    add_part(sql, SUM_QUARTER, last, to, p);
  }
}

/* llm_values of a period: whole months, and the days at its ends. */
static void add_values(sqlite3_str *sql, const CostPeriod *p) {
  long long first = is_whole_month(p->from) ? p->from : sums_next_month(sums_month(p->from));
  long long last = is_whole_month(p->to) ? p->to : sums_month(p->to);
  sqlite3_str_appendf(sql, "WITH llm_values AS (");
  if (first >= last) {
    add_days(sql, p->from, p->to, p);
  } else {
    add_part(sql, SUM_MONTH, first, last, p);
    if (first != p->from) {
      add_days(sql, p->from, first, p);
    }
    if (last != p->to) {
      add_days(sql, last, p->to, p);
    }
  }
  sqlite3_str_appendf(sql,
                      "SELECT dimension, value, provider, source, billed, basis%s"
                      " FROM llm_invoiced WHERE 1%s",
                      measures, p->value ? " AND value = ?1" : "");
  add_invoices(sql, p);
  sqlite3_str_appendf(sql, ") ");
}

/* From the first row that is summed to a little past now: where changes of clocks matter. */
static int known_span(sqlite3 *db, LocalSpan *known, Err *err) {
  sqlite3_stmt *stmt = NULL;
  const char *sql =
      "SELECT min(start), max(start) FROM main.llm_sums WHERE dimension = 0 AND grain = 1440";
  long long now = now_ms();
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  *known = (LocalSpan){now - REBUILD_DAY_MS, now + 2 * REBUILD_DAY_MS};
  if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW &&
      sqlite3_column_type(stmt, 0) == SQLITE_INTEGER) {
    long long first = sqlite3_column_int64(stmt, 0) - REBUILD_DAY_MS;
    long long last = sqlite3_column_int64(stmt, 1) + 2 * REBUILD_DAY_MS;
    known->from = first < known->from ? first : known->from;
    known->to = last > known->to ? last : known->to;
    known->from = known->from < TIME_FIRST ? TIME_FIRST : known->from;
    known->to = known->to > TIME_LAST ? TIME_LAST : known->to;
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_ROW || rc == SQLITE_DONE
             ? RC_OK
             : err_set(err, rc & 0xff, ERR_STORE, "%s", sqlite3_errmsg(db));
}

/* The statement of a query. Owned (sqlite3_free); NULL and *err. */
static char *write_sql(const Table *t, sqlite3 *db, CostPeriod *p, Err *err) {
  const char *name = t->conn->set.time_zone, *from = source_of(t)->from;
  Zone zone = {0};
  LocalSpan known;
  size_t n;
  const char *view = views_of_costs(t->name, strlen(t->name), &n);
  if ((name && !zone_parse(name, &zone)) || known_span(db, &known, err) != RC_OK) {
    return NULL;
  }
  sqlite3_str *sql = sqlite3_str_new(db);
  p->from = span_moment(&zone, p->local.from);
  p->to = span_moment(&zone, p->local.to);
  if (!has_values(t)) {
    add_times(sql, from, name, &zone, p, known);
  } else {
    add_values(sql, p);
  }
  sqlite3_str_append(sql, view, (int)n);
  char *text = sqlite3_str_finish(sql);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

/* ---- a query */

static void clear(TableCursor *base) {
  reading_clear(&((CostCursor *)base)->reading);
}

static void close_cursor(TableCursor *base) {
  reading_close(&((CostCursor *)base)->reading);
}

static int next(TableCursor *base, Err *err) {
  return reading_next(&((CostCursor *)base)->reading, err);
}

static int read_bounds(TableCursor *c, const TableQuery *q, CostPeriod *p, Err *err) {
  for (int i = 0; i < q->n && read_bound(q->plan + 2 * i, q->args[i], p, err) == RC_OK; i++) {
    int arg = q->plan[2 * i] == 'H' && table_of(c)->kind->args[1] ? 1 : 0;
    if (is_hidden(q->plan[2 * i]) && q->plan[2 * i + 1] == '=' && !c->args[arg]) {
      c->args[arg] = sqlite3_value_dup(q->args[i]); /* the column shows it */
      err->rc = c->args[arg] ? err->rc : err_nomem(err);
    }
  }
  return err->rc;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Reading *r = &((CostCursor *)base)->reading;
  CostPeriod p = {.local = SPAN_ALL};
  if (read_bounds(base, q, &p, err) != RC_OK) {
    return err->rc;
  }
  ((CostCursor *)base)->from = p.local.from;
  ((CostCursor *)base)->to = p.local.to;
  sqlite3 *db = reading_connection(r, table_of(base)->conn, NULL, err);
  char *sql = db ? write_sql(table_of(base), db, &p, err) : NULL;
  int rc = SQLITE_OK;
  if (sql && reading_prepare(r, db, sql, err) == RC_OK && p.value) {
    rc = sqlite3_bind_text(r->stmt, 1, p.value, -1, SQLITE_TRANSIENT);
  }
  sqlite3_free(sql);
  if (err->rc != RC_OK || !r->stmt) {
    return err->rc;
  }
  return rc == SQLITE_OK ? reading_next(r, err) : reading_fail(rc, sqlite3_errstr(rc), err);
}

static int is_done(const TableCursor *base) {
  return ((const CostCursor *)base)->reading.stmt == NULL;
}

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  if (i != TABLE_HIDDEN) {
    sqlite3_result_value(ctx, sqlite3_column_value(((CostCursor *)base)->reading.stmt, i));
  }
}

/* Of what a row says, and of which period: SQLite's OR optimization, which reads a table once a term, tells rows apart by it. */
static sqlite3_int64 rowid(const TableCursor *base) {
  const CostCursor *c = (const CostCursor *)base;
  sqlite3_stmt *stmt = c->reading.stmt;
  const long long period[2] = {c->from, c->to};
  unsigned long long h = has_values(table_of(base)) ? hash_short(period, sizeof period) : 0;
  for (int i = 0; i < sqlite3_column_count(stmt); i++) {
    const void *text = sqlite3_column_text(stmt, i);
    unsigned long long pair[2] = {h, text ? hash_short(text, (size_t)sqlite3_column_bytes(stmt, i))
                                          : 0};
    h = hash_short(pair, sizeof pair);
  }
  return (sqlite3_int64)(h >> 1);
}

#define COST_KIND                                                                                  \
  .unsaid = "it is hidden: a period is asked for by =, <, <=, >, >= or BETWEEN, joined with AND",  \
  .is_guarded = 1, .table_size = sizeof(CostTable), .cursor_size = sizeof(CostCursor),             \
  .connect = connect, .plan = plan, .query = query, .next = next, .is_done = is_done,              \
  .column = column, .rowid = rowid, .clear = clear, .close = close_cursor

const TableKind cost_hourly_table = {.args = {"day"}, COST_KIND};
const TableKind cost_daily_table = {.args = {"hour"}, COST_KIND};
const TableKind cost_table = {.args = {"day", "hour"}, COST_KIND};
