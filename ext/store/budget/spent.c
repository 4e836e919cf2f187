/*
** See spent.h for the contract.
*/
#include "store/budget/spent.h"

#include "base/sqlite/columns.h"

#include <string.h>

enum {
  QUARTER_MS = PERIOD_QUARTER_MS,
  DAY_MS = 86400000,
};

static const int grains[] = {15, 1440};
enum { N_GRAINS = 2 };

static long long floor_to(long long ts, long long step) {
  long long rest = ts % step;
  return ts - (rest < 0 ? rest + step : rest);
}

static long long start_of(long long ts, int grain) {
  return floor_to(ts, grain == 15 ? QUARTER_MS : DAY_MS);
}

/* The kinds of kinds.h that are calls. */
#define CALLS "kind IN ('call', 'batch', 'embed', 'unknown')"

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read what was spent: %s", sqlite3_errmsg(db));
}

/* Columns that are not of the set are the empty BLOB. An SQLite code. */
static int bind_values(sqlite3_stmt *stmt, int at, unsigned set, const BudgetValues *values) {
  int rc = SQLITE_OK;
  for (int i = 0; i < BUDGET_N && rc == SQLITE_OK; i++) {
    rc = set >> i & 1 ? sqlite3_bind_text(stmt, at + i, values->text[i], -1, SQLITE_STATIC)
                      : sqlite3_bind_blob(stmt, at + i, "", 0, SQLITE_STATIC);
  }
  return rc;
}

static int has_values(unsigned set, const BudgetValues *values) {
  return scope_same(set, values, values);
}

BudgetValues spent_values_of(const LedgerRow *row, BudgetNames *names) {
  return scope_values(row->tag, row->user, row->model_requested ? row->model_requested : row->model,
                      row->provider, names);
}

/* ---- adding */

/* What rows of one key come to. */
typedef struct Sum {
  long long calls;
  Spent spent;
} Sum;

/* 1 if the row is a call of our own. */
static int is_own_call(const LedgerRow *row) {
  static const int are_calls[] = {
#define IS_CALL(id, word, call, hit, miss) [KIND_##id] = call,
      LEDGER_KINDS(IS_CALL)
#undef IS_CALL
  };
  return !row->source && are_calls[row->kind];
}

static Sum sum_of(const LedgerRow *row) {
  int is_known = row->cost_nusd != LEDGER_NULL;
  int is_held = !is_known && row->held_nusd != LEDGER_NULL;
  return (Sum){1,
               {.nusd = is_known ? row->cost_nusd : 0,
                .unknown_nusd = is_held ? row->held_nusd : 0,
                .unpriced = !is_known}};
}

/* Runs a statement over one key. RC_OK or *err. */
static int put(Store *s, StoreSql id, unsigned set, const BudgetValues *values, int grain,
               long long start, const Sum *sum, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, id, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, set);
  int rc = bind_values(stmt, 2, set, values);
  sqlite3_bind_int(stmt, 6, grain);
  sqlite3_bind_int64(stmt, 7, start);
  sqlite3_bind_int64(stmt, 8, sum->calls);
  sqlite3_bind_int64(stmt, 9, sum->spent.nusd);
  sqlite3_bind_int64(stmt, 10, sum->spent.unknown_nusd);
  sqlite3_bind_int64(stmt, 11, sum->spent.unpriced);
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
  }
  int done = store_done(s, stmt);
  rc = rc == SQLITE_OK ? done : rc;
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "keep what was spent", err);
}

int spent_kept_in(sqlite3 *db, unsigned *sets, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, statement_text(SQL_GET_BUDGET_SETS), -1, &stmt, NULL);
  *sets = 0;
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    *sets |= 1u << (sqlite3_column_int(stmt, 0) & (BUDGET_SETS - 1));
  }
  int end = sqlite3_finalize(stmt);
  rc = rc == SQLITE_OK ? end : rc;
  return rc == SQLITE_OK ? RC_OK : fail(db, rc, err);
}

int spent_kept(Store *s, unsigned *sets, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_BUDGET_SETS, err);
  *sets = 0;
  while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
    *sets |= 1u << (sqlite3_column_int(stmt, 0) & (BUDGET_SETS - 1));
  }
  int rc = stmt ? store_done(s, stmt) : SQLITE_OK;
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "read what is kept of limits", err);
}

int spent_add(Store *s, const LedgerRow *row, Err *err) {
  unsigned kept = 0;
  if (!is_own_call(row) || spent_kept(s, &kept, err) != RC_OK || kept == 0) {
    return err->rc;
  }
  BudgetNames names;
  BudgetValues values = spent_values_of(row, &names);
  Sum sum = sum_of(row);
  for (int i = 0; i < BUDGET_SETS * N_GRAINS && err->rc == RC_OK; i++) {
    unsigned set = (unsigned)i / N_GRAINS;
    int grain = grains[i % N_GRAINS];
    if (kept >> set & 1 && has_values(set, &values)) {
      put(s, SQL_ADD_BUDGET_SUM, set, &values, grain, start_of(row->ts, grain), &sum, err);
    }
  }
  return err->rc;
}

int spent_add_call(Store *s, long long call_id, Err *err) {
  unsigned kept = 0;
  if (spent_kept(s, &kept, err) != RC_OK || kept == 0) {
    return err->rc;
  }
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_CALL, err);
  LedgerRow row;
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, call_id);
  int rc = SQLITE_OK;
  if (sqlite3_step(stmt) == SQLITE_ROW && (rc = row_read(stmt, &row)) == SQLITE_OK) {
    spent_add(s, &row, err);
  }
  int done = store_done(s, stmt);
  rc = rc == SQLITE_OK ? done : rc;
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "read a row", err);
}

/* ---- from the ledger */

/* Own calls that are final, from ?1 to ?2, each quarter and spelling of the columns of set ?4 once. Of rows that were trimmed
** only those are left whose cost is not known; what is before ?3 stands in llm_sums. */
static const char detail_sql[] =
    "SELECT iif(?4 & 1, tag, NULL), iif(?4 & 2, user, NULL),"
    " iif(?4 & 4, coalesce(model_requested, model), NULL), iif(?4 & 8, provider, NULL),"
    " ts - (ts % 900000 + 900000) % 900000, count(*), coalesce(sum(cost_nusd), 0),"
    " coalesce(sum(CASE WHEN cost_nusd IS NULL THEN held_nusd END), 0), sum(cost_nusd IS NULL)"
    " FROM main.llm_calls WHERE ts >= ?1 AND ts < ?2 AND source IS NULL"
    " AND " CALLS " AND id NOT IN (SELECT call_id FROM main.llm_intents)"
    " AND (ts >= ?3 OR cost_nusd IS NULL) GROUP BY 1, 2, 3, 4, 5";

/* A text; NULL where it is none. */
static const char *text_at(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_NULL ? NULL
                                                     : (const char *)sqlite3_column_text(stmt, i);
}

/* A group of detail_sql. */
typedef struct Group {
  BudgetNames names;
  BudgetValues values;
  long long start;
  Sum sum;
} Group;

static int read_group(sqlite3_stmt *stmt, Group *g, Err *err) {
  if (!columns_have_texts(stmt)) {
    return err_nomem(err);
  }
  g->values = scope_values(text_at(stmt, 0), text_at(stmt, 1), text_at(stmt, 2), text_at(stmt, 3),
                           &g->names);
  g->start = sqlite3_column_int64(stmt, 4);
  g->sum = (Sum){sqlite3_column_int64(stmt, 5),
                 {sqlite3_column_int64(stmt, 6), sqlite3_column_int64(stmt, 7),
                  sqlite3_column_int64(stmt, 8)}};
  return RC_OK;
}

static sqlite3_stmt *detail(Store *s, unsigned set, PeriodSpan span, long long sealed, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(s->db, detail_sql, -1, &stmt, NULL);
  if (rc != SQLITE_OK) {
    store_error(s, rc, "sum up what was spent", err);
    return NULL;
  }
  sqlite3_bind_int64(stmt, 1, span.from);
  sqlite3_bind_int64(stmt, 2, span.to);
  sqlite3_bind_int64(stmt, 3, sealed);
  sqlite3_bind_int64(stmt, 4, set);
  return stmt;
}

static int end_detail(Store *s, sqlite3_stmt *stmt, Err *err) {
  int rc = sqlite3_finalize(stmt);
  return rc == SQLITE_OK || err->rc != RC_OK ? err->rc
                                             : store_error(s, rc, "sum up what was spent", err);
}

/* The sum of one key, from the ledger. */
static int sum_key(Store *s, unsigned set, const BudgetValues *values, PeriodSpan span, Sum *sum,
                   Err *err) {
  sqlite3_stmt *stmt = detail(s, set, span, PERIOD_EVER, err);
  *sum = (Sum){0, {0, 0, 0}};
  while (stmt && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    Group g;
    if (read_group(stmt, &g, err) == RC_OK && scope_same(set, &g.values, values)) {
      sum->calls += g.sum.calls;
      sum->spent.nusd = sum_at_most(sum->spent.nusd, g.sum.spent.nusd);
      sum->spent.unknown_nusd = sum_at_most(sum->spent.unknown_nusd, g.sum.spent.unknown_nusd);
      sum->spent.unpriced += g.sum.spent.unpriced;
    }
  }
  return stmt ? end_detail(s, stmt, err) : err->rc;
}

int spent_refresh(Store *s, const LedgerRow *row, Err *err) {
  unsigned kept = 0;
  if (!is_own_call(row) || spent_kept(s, &kept, err) != RC_OK) {
    return err->rc;
  }
  BudgetNames names;
  BudgetValues values = spent_values_of(row, &names);
  for (int i = 0; i < BUDGET_SETS * N_GRAINS && err->rc == RC_OK; i++) {
    unsigned set = (unsigned)i / N_GRAINS;
    int grain = grains[i % N_GRAINS];
    long long start = start_of(row->ts, grain);
    Sum sum;
    PeriodSpan span = {start, start + (grain == 15 ? QUARTER_MS : DAY_MS)};
    if (kept >> set & 1 && has_values(set, &values) &&
        sum_key(s, set, &values, span, &sum, err) == RC_OK) {
      put(s, SQL_PUT_BUDGET_SUM, set, &values, grain, start, &sum, err);
    }
  }
  return err->rc;
}

/* ---- making a set */

/* From when on the ledger has all its rows; PERIOD_EVER: nothing was trimmed. */
static int sealed_before(Store *s, long long *sealed, Err *err) {
  int found =
      store_ask(s, "SELECT coalesce(max(sealed_before), 0) FROM main.llm_sum_state", sealed, err);
  *sealed = found == 1 && *sealed ? *sealed : PERIOD_EVER;
  return err->rc;
}

static int add_detail(Store *s, unsigned set, long long sealed, Err *err) {
  sqlite3_stmt *stmt = detail(s, set, (PeriodSpan){PERIOD_EVER, PERIOD_NEVER}, sealed, err);
  while (stmt && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    Group g;
    if (read_group(stmt, &g, err) != RC_OK || !has_values(set, &g.values)) {
      continue;
    }
    for (int i = 0; i < N_GRAINS && err->rc == RC_OK; i++) {
      put(s, SQL_ADD_BUDGET_SUM, set, &g.values, grains[i], start_of(g.start, grains[i]), &g.sum,
          err);
    }
  }
  return stmt ? end_detail(s, stmt, err) : err->rc;
}

/* What was trimmed, where llm_sums has it by the columns of the set. (A model there is the one that answered.) */
static int add_trimmed(Store *s, unsigned set, long long sealed, Err *err) {
  static const struct {
    unsigned set;
    int dimension;
  } known[] = {{0, 0},
               {1u << BUDGET_TAG, 2},
               {1u << BUDGET_USER, 3},
               {1u << BUDGET_MODEL, 1},
               {1u << BUDGET_PROVIDER, 1},
               {1u << BUDGET_MODEL | 1u << BUDGET_PROVIDER, 1}};
  for (size_t i = 0; i < sizeof known / sizeof known[0] && sealed != PERIOD_EVER; i++) {
    char sql[640];
    const char *value[BUDGET_N] = {"value", "value", "value", "lower(provider)"};
    for (int k = 0; k < BUDGET_N; k++) {
      value[k] = set >> k & 1 ? value[k] : "x''";
    }
    sqlite3_snprintf(sizeof sql, sql,
                     "INSERT INTO main.llm_budget_sums SELECT %u, %s, %s, %s, %s, grain, start,"
                     " sum(calls), coalesce(sum(cost_nusd), 0), 0, 0 FROM main.llm_sums"
                     " WHERE dimension = %d AND grain IN (15, 1440) AND start < %lld"
                     " AND source = x'' AND (%u = 0 OR value <> x'') GROUP BY 2, 3, 4, 5, 6, 7",
                     set, value[0], value[1], value[2], value[3], known[i].dimension, sealed,
                     set & ~(1u << BUDGET_PROVIDER));
    if (set == known[i].set) {
      store_exec(s, sql, "sum up what was spent", err);
    }
  }
  return err->rc;
}

int spent_keep(Store *s, unsigned set, Err *err) {
  char sql[80];
  long long sealed = 0;
  unsigned kept = 0;
  if (spent_kept(s, &kept, err) != RC_OK || kept >> set & 1 ||
      sealed_before(s, &sealed, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_snprintf(sizeof sql, sql, "INSERT INTO main.llm_budget_sets VALUES (%u)", set);
  store_exec(s, sql, "keep what was spent", err);
  return err->rc == RC_OK && add_trimmed(s, set, sealed, err) == RC_OK
             ? add_detail(s, set, sealed, err)
             : err->rc;
}

int spent_drop(Store *s, Err *err) {
  return store_exec(s, "DELETE FROM main.llm_budget_sums; DELETE FROM main.llm_budget_sets",
                    "give sums up", err);
}

/* ---- reading */

/* The parts of a span: quarters, whole days, quarters. (Its end may be never: then all that follows is days.) */
typedef struct Parts {
  struct {
    int grain;
    PeriodSpan span;
  } at[3];
  int n;
} Parts;

static Parts parts_of(PeriodSpan span) {
  Parts p = {.n = 0};
  long long first = span.from == PERIOD_EVER ? span.from : floor_to(span.from + DAY_MS - 1, DAY_MS);
  long long last = span.to == PERIOD_NEVER ? span.to : floor_to(span.to, DAY_MS);
  if (last <= first) {
    p.at[p.n].grain = 15;
    p.at[p.n++].span = span;
    return p;
  }
  if (span.from < first) {
    p.at[p.n].grain = 15;
    p.at[p.n++].span = (PeriodSpan){span.from, first};
  }
  p.at[p.n].grain = 1440;
  p.at[p.n++].span = (PeriodSpan){first, last};
  if (last < span.to) {
    p.at[p.n].grain = 15;
    p.at[p.n++].span = (PeriodSpan){last, span.to};
  }
  return p;
}

static int bind_sum(sqlite3_stmt *stmt, unsigned set, const BudgetValues *values, int grain,
                    PeriodSpan span) {
  sqlite3_bind_int64(stmt, 1, set);
  sqlite3_bind_int(stmt, 6, grain);
  sqlite3_bind_int64(stmt, 7, span.from);
  sqlite3_bind_int64(stmt, 8, span.to);
  return bind_values(stmt, 2, set, values);
}

static Spent spent_at(sqlite3_stmt *stmt) {
  return (Spent){sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2),
                 sqlite3_column_int64(stmt, 3)};
}

static void add_spent(Spent *to, Spent more) {
  to->nusd = sum_at_most(to->nusd, more.nusd);
  to->unknown_nusd = sum_at_most(to->unknown_nusd, more.unknown_nusd);
  to->unpriced = sum_at_most(to->unpriced, more.unpriced);
}

/* Adds a part. An SQLite code. */
static int add_part(sqlite3_stmt *stmt, unsigned set, const BudgetValues *values, int grain,
                    PeriodSpan span, Spent *spent) {
  int rc = bind_sum(stmt, set, values, grain, span);
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    add_spent(spent, spent_at(stmt));
  }
  int end = sqlite3_reset(stmt);
  return rc == SQLITE_OK ? end : rc;
}

int spent_ask(Store *s, unsigned set, const BudgetValues *values, PeriodSpan span, Spent *spent,
              Err *err) {
  Parts parts = parts_of(span);
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_BUDGET_SUM, err);
  int rc = SQLITE_OK;
  *spent = (Spent){0, 0, 0};
  for (int i = 0; i < parts.n && stmt && rc == SQLITE_OK; i++) {
    rc = add_part(stmt, set, values, parts.at[i].grain, parts.at[i].span, spent);
  }
  if (stmt) {
    store_done(s, stmt);
  }
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "read what was spent", err);
}

int spent_read(sqlite3 *db, unsigned set, const BudgetValues *values, PeriodSpan span, Spent *spent,
               Err *err) {
  Parts parts = parts_of(span);
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, statement_text(SQL_GET_BUDGET_SUM), -1, &stmt, NULL);
  *spent = (Spent){0, 0, 0};
  for (int i = 0; i < parts.n && rc == SQLITE_OK; i++) {
    rc = add_part(stmt, set, values, parts.at[i].grain, parts.at[i].span, spent);
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_OK ? err->rc : fail(db, rc, err);
}

int spent_quarters(sqlite3 *db, unsigned set, const BudgetValues *values, PeriodSpan span,
                   int (*take)(void *arg, long long start, const Spent *spent), void *arg,
                   Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, statement_text(SQL_GET_BUDGET_SUM), -1, &stmt, NULL), goes_on = 1;
  rc = rc == SQLITE_OK ? bind_sum(stmt, set, values, 15, span) : rc;
  while (rc == SQLITE_OK && goes_on && sqlite3_step(stmt) == SQLITE_ROW) {
    Spent spent = spent_at(stmt);
    goes_on = take(arg, sqlite3_column_int64(stmt, 0), &spent);
  }
  int end = sqlite3_finalize(stmt);
  rc = rc == SQLITE_OK ? end : rc;
  return rc == SQLITE_OK ? err->rc : fail(db, rc, err);
}

int spent_values(sqlite3 *db, unsigned set, PeriodSpan span,
                 int (*take)(void *arg, const BudgetValues *values, Err *err), void *arg,
                 Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(
      db,
      "SELECT DISTINCT tag, user, model, provider FROM main.llm_budget_sums WHERE columns = ?1"
      " AND grain = 15 AND start >= ?2 AND start < ?3 ORDER BY 1, 2, 3, 4",
      -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, set);
    sqlite3_bind_int64(stmt, 2, span.from);
    sqlite3_bind_int64(stmt, 3, span.to);
  }
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    BudgetValues v = {.text = {NULL}};
    rc = columns_have_texts(stmt) ? SQLITE_OK : SQLITE_NOMEM;
    for (int i = 0; i < BUDGET_N && rc == SQLITE_OK; i++) {
      v.text[i] = set >> i & 1 ? text_at(stmt, i) : NULL;
    }
    if (rc == SQLITE_OK) {
      take(arg, &v, err);
    }
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_DONE || err->rc != RC_OK ? err->rc : fail(db, rc, err);
}

/* ---- comparing */

/* Over all values at once: a row that is in none, or in two, or with another amount, differs. */
static const char differs_sql[] =
    "WITH own AS MATERIALIZED (SELECT (tag IS NOT NULL) + 2 * (user IS NOT NULL)"
    " + 4 * (coalesce(model_requested, model) IS NOT NULL) + 8 * (provider IS NOT NULL) AS has,"
    " ts - (ts % 900000 + 900000) % 900000 AS quarter, coalesce(sum(cost_nusd), 0) AS cost,"
    " sum(CASE WHEN cost_nusd IS NULL THEN coalesce(held_nusd, 0) ELSE 0 END) AS unknown,"
    " sum(cost_nusd IS NULL) AS unpriced, count(*) AS n"
    " FROM main.llm_calls WHERE source IS NULL AND " CALLS
    " AND id NOT IN (SELECT call_id FROM main.llm_intents)"
    " AND ts >= (SELECT max(sealed_before) FROM main.llm_sum_state) GROUP BY 1, 2)"
    " SELECT count(*) FROM (SELECT 1 FROM ("
    "SELECT columns, grain, start, cost_nusd AS cost, unknown_nusd AS unknown, unpriced, calls AS n"
    " FROM main.llm_budget_sums WHERE start >= (SELECT max(sealed_before) FROM main.llm_sum_state)"
    " UNION ALL SELECT s.columns, g.grain, quarter - (quarter % (g.grain * 60000) + g.grain * "
    "60000)"
    " % (g.grain * 60000), -cost, -unknown, -unpriced, -n FROM main.llm_budget_sets s"
    " CROSS JOIN (SELECT 15 AS grain UNION ALL SELECT 1440) g CROSS JOIN own"
    " WHERE own.has & s.columns = s.columns)"
    " GROUP BY columns, grain, start"
    " HAVING sum(cost) <> 0 OR sum(unknown) <> 0 OR sum(unpriced) <> 0 OR sum(n) <> 0)";

long long spent_differs(sqlite3 *db, Err *err) {
  sqlite3_stmt *stmt = NULL;
  long long n = -1;
  int rc = sqlite3_prepare_v2(db, differs_sql, -1, &stmt, NULL);
  if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    n = sqlite3_column_int64(stmt, 0);
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_ROW ? n : (fail(db, rc, err), -1);
}
