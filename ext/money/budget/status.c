/*
** See status.h for the contract.
*/
#include "money/budget/status.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_TEXT = BUDGET_SCOPE + 64 };

void status_free(StatusReport *r) {
  for (int i = 0; i < r->n; i++) {
    free(r->at[i].value);
  }
  free(r->at);
  budgets_list_unref(r->list);
  *r = (StatusReport){.n = 0};
}

/* One row, of a limit and the values in `values`; counted later. */
static int add_row(StatusReport *r, const BudgetLimit *limit, const BudgetValues *values,
                   Err *err) {
  char text[VALUE_TEXT];
  if (r->n == r->cap) {
    int cap = r->cap ? 2 * r->cap : 16;
    StatusRow *at = realloc(r->at, (size_t)cap * sizeof *at);
    if (!at) {
      return err_nomem(err);
    }
    r->at = at;
    r->cap = cap;
  }
  scope_describe(limit->scope.set, values, text, sizeof text);
  StatusRow *row = &r->at[r->n];
  *row = (StatusRow){.limit = limit, .value = strdup(text)};
  row->at = (ReserveLimit){.set = limit->scope.set,
                           .values = *values,
                           .span = period_at(&limit->period, &r->zone, r->now),
                           .limit_nusd = limit->limit_nusd,
                           .warns = limit->action == BUDGET_ON_WARN};
  r->n += row->value != NULL;
  return row->value ? RC_OK : err_nomem(err);
}

/* What one limit's rows are made from. */
typedef struct Making {
  StatusReport *report;
  const BudgetLimit *limit;
  sqlite3 *db; /* NULL: there is no store */
  int first;
} Making;

static int count_one(void *arg, const HeldRow *row, Err *err) {
  reserve_count(&((StatusRow *)arg)->at, row);
  return err->rc;
}

/* Adds a row, and what it comes to. Its values are borrowed until then. */
static int make_row(Making *m, const BudgetValues *values, Err *err) {
  StatusReport *r = m->report;
  if (add_row(r, m->limit, values, err) != RC_OK) {
    return err->rc;
  }
  StatusRow *row = &r->at[r->n - 1];
  if (m->db) {
    spent_read(m->db, row->at.set, values, row->at.span, &row->at.spent, err);
  }
  if (m->db && err->rc == RC_OK) {
    reserve_each(m->db, r->now, 1, count_one, row, err);
  }
  row->basis = period_project(row->at.span, r->now,
                              sum_at_most(row->at.spent.nusd, row->at.spent.unknown_nusd),
                              &row->projected_nusd);
  row->at.values = (BudgetValues){.text = {NULL}};
  return err->rc;
}

/* A value that the ledger has, if the GLOB means it. */
static int take_values(void *arg, const BudgetValues *values, Err *err) {
  Making *m = arg;
  return scope_matches(&m->limit->scope, values) ? make_row(m, values, err) : err->rc;
}

/* A value that is on its way, if it has no row yet. */
static int take_held(void *arg, const HeldRow *held, Err *err) {
  Making *m = arg;
  char text[VALUE_TEXT];
  if (!scope_matches(&m->limit->scope, &held->values)) {
    return err->rc;
  }
  scope_describe(m->limit->scope.set, &held->values, text, sizeof text);
  for (int i = m->first; i < m->report->n; i++) {
    if (strcmp(m->report->at[i].value, text) == 0) {
      return err->rc;
    }
  }
  return make_row(m, &held->values, err);
}

static BudgetValues values_of(const BudgetScope *scope) {
  BudgetValues v = {.text = {NULL}};
  for (int i = 0; i < BUDGET_N; i++) {
    v.text[i] = scope->set >> i & 1 ? scope->text + scope->at[i] : NULL;
  }
  return v;
}

static int make_rows(Making *m, Err *err) {
  const BudgetScope *scope = &m->limit->scope;
  PeriodSpan span = period_at(&m->limit->period, &m->report->zone, m->report->now);
  if (!scope->globs) {
    BudgetValues values = values_of(scope);
    return make_row(m, &values, err);
  }
  m->first = m->report->n;
  if (m->db && spent_values(m->db, scope->set, span, take_values, m, err) == RC_OK) {
    reserve_each(m->db, m->report->now, 1, take_held, m, err);
  }
  return err->rc;
}

/* 1 if the sums of all limits are kept, as `db` sees it. */
static int are_kept(sqlite3 *db, const BudgetList *list, Err *err) {
  unsigned sets = 0;
  int all = spent_kept_in(db, &sets, err) == RC_OK;
  for (int i = 0; i < list->n; i++) {
    all &= (int)(sets >> list->at[i].scope.set & 1);
  }
  return all;
}

/* Sums that no call has asked for yet are made now. */
static int keep_all(Store *s, const BudgetList *list, Err *err) {
  if (are_kept(s->db, list, err) || err->rc != RC_OK || store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  for (int i = 0; i < list->n && err->rc == RC_OK; i++) {
    spent_keep(s, list->at[i].scope.set, err);
  }
  return store_end(s, err->rc == RC_OK, err);
}

static int make_all(StatusReport *r, sqlite3 *db, Err *err) {
  Making m = {.report = r, .db = db};
  for (int i = 0; i < r->list->n && err->rc == RC_OK; i++) {
    m.limit = &r->list->at[i];
    make_rows(&m, err);
  }
  return err->rc;
}

/* In one state of the store, from a connection that only reads where there is one. 0: in that state some sums had been given
** up (llm_check). */
static int read_once(StatusReport *r, Store *s, Err *err) {
  sqlite3 *reader = store_reader_take(s, err), *db = reader ? reader : s->db;
  int is_open = reader && sqlite3_exec(reader, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
  int is_whole = err->rc == RC_OK && are_kept(db, r->list, err);
  if (is_whole) {
    make_all(r, db, err);
  }
  if (is_open) {
    sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL);
  }
  store_reader_give(s, reader);
  return is_whole;
}

static int read_all(StatusReport *r, Store *s, Err *err) {
  enum { TRIES = 20 };
  for (int i = 0; i < TRIES && err->rc == RC_OK; i++) {
    if (keep_all(s, r->list, err) == RC_OK && read_once(r, s, err)) {
      return err->rc;
    }
  }
  return err_set(err, RC_BUSY, ERR_STORE, "the sums of limits are being made anew: ask again");
}

int status_read(Conn *conn, StatusReport *r, Err *err) {
  *r = (StatusReport){.now = now_ms()};
  r->list = budgets_list(conn, &r->zone, err);
  Store *s = r->list && r->list->n > 0 ? conn_store(conn, 0, err) : NULL;
  if (r->list && err->rc == RC_OK) {
    s ? read_all(r, s, err) : make_all(r, NULL, err);
  }
  return err->rc;
}
