/*
** See invoices.h for the contract.
*/
#include "store/past/invoices.h"

#include "base/sqlite/columns.h"

#include <math.h>

#define COLUMN(name, type) ", i." #name
/* (What an agent says of its trace is no invoice.) Of several sources of the same money, or usage, of a provider one counts. */
static const char each_sql[] =
    "WITH reports AS MATERIALIZED (SELECT source, provider, max(to_ts - from_ts) AS longest"
    " FROM main.llm_invoices WHERE precedence < " PAST_UNDER_TEXT
    " AND belongs IS NULL GROUP BY 1, 2)"
    " SELECT source, from_ts, to_ts" PAST_SUM_COLUMNS(
        COLUMN) " FROM main.llm_invoices i"
                " WHERE from_ts >= ?1 AND from_ts < ?2 AND (?3 IS NULL OR source = ?3) AND belongs "
                "IS NULL"
                " AND precedence < " PAST_UNDER_TEXT
                " AND (?4 IS NULL OR provider = ?4) AND (?3 IS NOT NULL OR NOT EXISTS ("
                "SELECT 1 FROM reports r CROSS JOIN main.llm_invoices b ON b.source = r.source"
                " AND b.from_ts > i.from_ts - r.longest AND b.from_ts < i.to_ts"
                " WHERE r.provider IS i.provider AND r.source <> i.source AND b.provider IS "
                "i.provider"
                " AND b.to_ts > i.from_ts AND b.belongs IS NULL AND b.precedence < " PAST_UNDER_TEXT
                " AND (b.amount_nusd IS NULL) = (i.amount_nusd IS NULL)"
                " AND (b.precedence, b.source) < (i.precedence, i.source)))"
                " ORDER BY amount_nusd IS NULL, from_ts, i.id";

static const char counting_sql[] = "SELECT source, from_ts, to_ts" PAST_SUM_COLUMNS(
    COLUMN) " FROM main.llm_invoices i WHERE id IN (SELECT invoice FROM main.llm_invoiced"
            " WHERE dimension = 0 AND start >= ?1 AND start < ?2)"
            " ORDER BY amount_nusd IS NULL, from_ts, id";

static long long read_INT(sqlite3_stmt *stmt, int at) {
  return sqlite3_column_type(stmt, at) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, at)
                                                         : LEDGER_NULL;
}

static const char *read_TEXT(sqlite3_stmt *stmt, int at) {
  return (const char *)sqlite3_column_text(stmt, at);
}

static double read_REAL(sqlite3_stmt *stmt, int at) {
  return sqlite3_column_type(stmt, at) == SQLITE_NULL ? (double)NAN
                                                      : sqlite3_column_double(stmt, at);
}

static void read_sum(sqlite3_stmt *stmt, PastSum *sum) {
  int at = 2;
  *sum = (PastSum){.source = read_TEXT(stmt, 0),
                   .from = sqlite3_column_int64(stmt, 1),
                   .to = sqlite3_column_int64(stmt, 2)};
#define READ(name, type) sum->name = read_##type(stmt, ++at);
  PAST_SUM_COLUMNS(READ)
#undef READ
}

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the invoices: %s", sqlite3_errmsg(db));
}

static int bind(sqlite3_stmt *stmt, const InvoiceAsk *ask) {
  sqlite3_bind_int64(stmt, 1, ask->from);
  sqlite3_bind_int64(stmt, 2, ask->to);
  if (ask->counts) {
    return SQLITE_OK;
  }
  int rc = sqlite3_bind_text(stmt, 3, ask->source, -1, SQLITE_STATIC);
  return rc == SQLITE_OK ? sqlite3_bind_text(stmt, 4, ask->provider, -1, SQLITE_STATIC) : rc;
}

int invoices_each(Store *s, const InvoiceAsk *ask, InvoiceFn take, void *arg, Err *err) {
  sqlite3_stmt *stmt = NULL;
  sqlite3 *reader = store_reader_take(s, err), *db = reader ? reader : s->db;
  if (err->rc != RC_OK) {
    return err->rc;
  }
  int rc = sqlite3_prepare_v2(db, ask->counts ? counting_sql : each_sql, -1, &stmt, NULL);
  rc = rc == SQLITE_OK ? bind(stmt, ask) : rc;
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    PastSum sum;
    rc = columns_have_texts(stmt) ? SQLITE_OK : SQLITE_NOMEM;
    if (rc == SQLITE_OK) {
      read_sum(stmt, &sum);
      take(arg, &sum, err);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(db, rc, err);
  }
  sqlite3_finalize(stmt);
  store_reader_give(s, reader);
  return err->rc;
}
