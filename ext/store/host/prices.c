/*
** Reading and writing llm_prices. See prices.h for the contract.
**
** Rows of a list keep the order of their rowids: in a provider the first model whose names match is
** the one. Single rows are read by model, so that the rows of one stand together.
*/
#include "store/host/prices.h"

#include "base/sqlite/savepoint.h"
#include "base/text/decimal.h"
#include "core/usage/usage.h"
#include "store/host/host.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_COLUMNS "model, kind, usd_per_million, valid_from, valid_to, above_tokens"

static const char *const later_names[] = {"provider", "service", "hours",  "names",
                                          "list",     "source",  "checked"};
static const HostColumns later_columns = {"llm_prices", later_names, 7};

/* A text of the row, "" where it is NULL; also where it can't be read (*err). */
static const char *column_or_empty(sqlite3_stmt *stmt, int i, Err *err) {
  const char *text = host_text(stmt, i, "llm_prices", err);
  return text ? text : "";
}

static int read_time(sqlite3_stmt *stmt, int column, long long otherwise, long long *ms, Err *err) {
  const char *text = column_or_empty(stmt, column, err);
  *ms = otherwise;
  if (text[0] && !time_parse(text, ms)) {
    return err_set(err, RC_ERROR, ERR_CONFIG,
                   "'%.40s' is no date (expected 'YYYY-MM-DD[THH:MM:SSZ]' or Unix ms, not seconds)",
                   text);
  }
  return RC_OK;
}

/* The book of a list, the last one so far: rows come ordered by list. */
static PriceBook *book_of(PriceBook **books, int *n, const char *list) {
  if (*n && strcmp((*books)[*n - 1].list, list) == 0) {
    return &(*books)[*n - 1];
  }
  PriceBook *more = realloc(*books, (size_t)(*n + 1) * sizeof *more);
  if (!more) {
    return NULL;
  }
  *books = more;
  return book_init(&more[(*n)++], list) ? &more[*n - 1] : NULL;
}

/* The terms of a row; *calendar is where its hours are. */
static int read_terms(sqlite3_stmt *stmt, PriceTerms *t, Calendar *calendar, Err *err) {
  char why[CALENDAR_WHY];
  const char *hours = column_or_empty(stmt, 8, err), *service = column_or_empty(stmt, 7, err),
             *list = column_or_empty(stmt, 10, err);
  t->above_tokens = sqlite3_column_int64(stmt, 5);
  t->service = service[0] ? service : "standard";
  if ((sqlite3_column_type(stmt, 5) != SQLITE_INTEGER &&
       sqlite3_column_type(stmt, 5) != SQLITE_NULL) ||
      t->above_tokens < 0) {
    err_set(err, RC_ERROR, ERR_CONFIG, "above_tokens '%.40s' is no count",
            column_or_empty(stmt, 5, err));
  }
  if (strlen(service) >= USAGE_WORD || strpbrk(service, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ")) {
    err_set(
        err, RC_ERROR, ERR_CONFIG,
        "service '%.40s' (one word in lower case: standard, batch, flex, priority, fast, geo:us)",
        service);
  }
  t->source = column_or_empty(stmt, 11, err);
  t->source = t->source[0] ? t->source : list[0] ? list : "llm_prices";
  t->checked = column_or_empty(stmt, 12, err); /* (a column that was not asked for is NULL) */
  t->hours = hours[0] ? calendar : NULL;
  if (t->hours && !calendar_parse(hours, calendar, why)) {
    err_set(err, RC_ERROR, ERR_CONFIG, "'%.40s' are no hours: %s", hours, why);
  }
  read_time(stmt, 3, 0, &t->from_ms, err);
  return read_time(stmt, 4, LLONG_MAX, &t->to_ms, err);
}

static int read_row(sqlite3_stmt *stmt, PriceBook **books, int *n, Err *err) {
  int is_real = sqlite3_column_type(stmt, 2) != SQLITE_NULL;
  double dollars = sqlite3_column_double(stmt, 2);
  const char *model = column_or_empty(stmt, 0, err), *kind = column_or_empty(stmt, 1, err);
  const char *price = column_or_empty(stmt, 2, err), *names = column_or_empty(stmt, 9, err);
  const char *list = column_or_empty(stmt, 10, err), *provider = column_or_empty(stmt, 6, err);
  PriceBook *book = err->rc == RC_OK ? book_of(books, n, list) : NULL;
  PriceRow row = {.unit = unit_parse(kind)};
  Calendar calendar;
  if (!book) {
    return err_nomem(err);
  }
  if (row.unit == UNIT_COUNT && strcmp(kind, "factor") != 0) {
    return err_set(err, RC_ERROR, ERR_CONFIG, "kind '%.40s' (valid: %s)", kind, PRICE_KIND_WORDS);
  }
  if (!decimal_parse_pico(price, &row.pusd)) {
    return err_set(err, RC_ERROR, ERR_CONFIG, "'%.40s' is no price in dollars",
                   is_real ? price : "NULL");
  }
  if (row.pusd == 0 && dollars != 0) {
    return err_set(err, RC_ERROR, ERR_CONFIG, "'%.40s' has more than 12 decimals", price);
  }
  if (row.unit == UNIT_COUNT && row.pusd > BOOK_FACTOR_MOST) {
    return err_set(err, RC_ERROR, ERR_CONFIG, "factor %.40s (at most 1000)", price);
  }
  names = names[0] || !strpbrk(model, "*?[") ? names : model;
  return read_terms(stmt, &row.terms, &calendar, err) == RC_OK &&
                 !book_add(book, provider, model, names, &row)
             ? err_nomem(err)
             : err->rc;
}

/* A row that is wrong is named by its model. */
static int read_price(sqlite3_stmt *stmt, PriceBook **books, int *n, Err *err) {
  Err bad = {0};
  if (read_row(stmt, books, n, &bad) != RC_OK) {
    Err ignored = {0};
    err_set(err, bad.rc, bad.code, "llm_prices, model '%.80s': %s",
            column_or_empty(stmt, 0, &ignored), bad.msg);
  }
  return err->rc;
}

/* The table may be one that an older llm_init() made. An SQLite code, or *err. */
static int prepare_read(sqlite3 *host, sqlite3_stmt **stmt, Err *err) {
  int is_current = prices_are_current(host, err);
  if (is_current < 0) {
    return err->rc;
  }
  return sqlite3_prepare_v2(
      host,
      is_current ? "SELECT " FIRST_COLUMNS
                   ", provider, service, hours, names, list, source, checked"
                   " FROM main.llm_prices ORDER BY coalesce(list, ''),"
                   " CASE WHEN coalesce(list, '') = '' THEN model END,"
                   " CASE WHEN coalesce(list, '') = '' THEN coalesce(provider, '') END, rowid"
                 : "SELECT " FIRST_COLUMNS " FROM main.llm_prices ORDER BY model, rowid",
      -1, stmt, NULL);
}

void prices_free(PriceBook *books, int n) {
  for (int i = 0; i < n; i++) {
    book_free(&books[i]);
  }
  free(books);
}

int prices_read(sqlite3 *host, int there, PriceBook **books, int *n, Err *err) {
  sqlite3_stmt *stmt = NULL;
  *books = NULL;
  *n = 0;
  if (!book_of(books, n, "")) {
    prices_free(*books, *n);
    *books = NULL;
    *n = 0;
    return err_nomem(err);
  }
  int rc = there ? prepare_read(host, &stmt, err) : SQLITE_DONE, rows = 0;
  while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    rc = read_price(stmt, books, n, err) == RC_OK ? SQLITE_OK : SQLITE_ERROR;
    if (++rows > LIMIT_PRICE_ROWS || *n > LIMIT_PRICE_LISTS - 1) {
      rc = err_set(err, RC_ERROR, ERR_CONFIG, "llm_prices: more than %d rows or %d lists",
                   LIMIT_PRICE_ROWS, LIMIT_PRICE_LISTS - 2);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    host_error(host, "read llm_prices (has it the columns of llm_init()?)", err);
  }
  sqlite3_finalize(stmt);
  if (err->rc != RC_OK) {
    prices_free(*books, *n);
    *books = NULL;
    *n = 0;
  }
  return err->rc;
}

/* ---- columns of later versions */

int prices_are_current(sqlite3 *host, Err *err) {
  return host_has_columns(host, &later_columns, err);
}

int prices_add_columns(sqlite3 *host, int *added, Err *err) {
  return host_add_columns(host, &later_columns, added, err);
}

/* ---- writing a list */

static int bind_text(sqlite3_stmt *stmt, int at, const char *text) {
  return text[0] ? sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC)
                 : sqlite3_bind_null(stmt, at);
}

static void bind_time(sqlite3_stmt *stmt, int at, long long ms, long long always) {
  if (ms == always) {
    sqlite3_bind_null(stmt, at);
  } else {
    sqlite3_bind_int64(stmt, at, ms);
  }
}

static int insert_row(sqlite3_stmt *stmt, const PriceModel *m, const PriceRow *row) {
  const PriceTerms *t = &row->terms;
  const struct {
    int at;
    const char *text;
  } texts[] = {{1, m->name},
               {2, row->unit == UNIT_COUNT ? "factor" : unit_word(row->unit)},
               {7, m->provider},
               {8, strcmp(t->service, "standard") == 0 ? "" : t->service},
               {9, t->hours ? t->hours->text : ""},
               {10, m->names},
               {12, t->source},
               {13, t->checked}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    int rc = bind_text(stmt, texts[i].at, texts[i].text);
    if (rc != SQLITE_OK) {
      return rc;
    }
  }
  sqlite3_bind_double(stmt, 3, decimal_double((unsigned long long)row->pusd, 12));
  bind_time(stmt, 4, t->from_ms, 0);
  bind_time(stmt, 5, t->to_ms, LLONG_MAX);
  sqlite3_bind_int64(stmt, 6, t->above_tokens);
  sqlite3_step(stmt);
  return sqlite3_reset(stmt);
}

static int insert_models(sqlite3_stmt *stmt, const PriceModels *models) {
  int rc = SQLITE_OK;
  for (int m = 0; m < models->n && rc == SQLITE_OK; m++) {
    for (int i = 0; i < models->at[m].n && rc == SQLITE_OK; i++) {
      rc = insert_row(stmt, &models->at[m], &models->at[m].rows[i]);
    }
  }
  return rc;
}

static int replace_rows(sqlite3 *host, const PriceBook *book) {
  sqlite3_stmt *drop = NULL, *insert = NULL;
  int rc = sqlite3_prepare_v2(host, "DELETE FROM main.llm_prices WHERE list = ?1", -1, &drop, NULL);
  rc = rc == SQLITE_OK ? bind_text(drop, 1, book->list) : rc;
  if (rc == SQLITE_OK) {
    sqlite3_step(drop);
    rc = sqlite3_reset(drop);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(host,
                            "INSERT INTO main.llm_prices(" FIRST_COLUMNS
                            ", provider, service, hours, names, list, source, checked)"
                            " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
                            -1, &insert, NULL);
  }
  rc = rc == SQLITE_OK ? bind_text(insert, 11, book->list) : rc;
  if (rc == SQLITE_OK) {
    rc = insert_models(insert, &book->models);
  }
  if (rc == SQLITE_OK) {
    rc = insert_models(insert, &book->shared);
  }
  sqlite3_finalize(drop);
  sqlite3_finalize(insert);
  return rc;
}

int prices_replace_list(sqlite3 *host, const PriceBook *book, Err *err) {
  Savepoint savepoint;
  if (savepoint_begin(host, &savepoint) != SQLITE_OK || replace_rows(host, book) != SQLITE_OK) {
    host_error(host, "write llm_prices", err);
  }
  return host_end(host, &savepoint, err);
}
