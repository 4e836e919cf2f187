/*
** llm_catalogue: every price there is, a row per unit: the single rows of llm_prices (list ''), its
** lists, and the compiled-in catalogue (list 'catalogue').
**
**   SELECT model, usd_per_million, valid_from FROM llm_catalogue WHERE provider = 'openai' AND kind = 'input';
**
** Read-only and eponymous. A cursor has a copy of its own of llm_prices, so that a change while it is
** open does not pull the rows from under it. valid_to is where a price ends, also where that is only
** because a later row begins.
*/
#include "tables/kit/table.h"
#include "tables/tables.h"

#include "core/price/catalogue.h"
#include "base/text/decimal.h"
#include "store/host/prices.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
  C_LIST,
  C_PROVIDER,
  C_MODEL,
  C_NAMES,
  C_KIND,
  C_USD_PER_MILLION,
  C_VALID_FROM,
  C_VALID_TO,
  C_HOURS,
  C_ABOVE_TOKENS,
  C_SERVICE,
  C_SOURCE,
  C_CHECKED
};

typedef struct CatalogueCursor {
  TableCursor base;
  PriceBook *own; /* of llm_prices */
  int n_own;
  int book, shared, model,
      row; /* where it stands; book n_own is the catalogue, past that the end */
} CatalogueCursor;

static void clear(TableCursor *base) {
  CatalogueCursor *c = (CatalogueCursor *)base;
  prices_free(c->own, c->n_own);
  c->own = NULL;
  c->n_own = c->book = c->shared = c->model = c->row = 0;
}

/* (The catalogue is there: query has seen to that.) */
static const PriceBook *book_at(const CatalogueCursor *c) {
  return c->book < c->n_own ? &c->own[c->book] : catalogue_prices();
}

static const PriceModels *models_at(const CatalogueCursor *c) {
  return c->shared ? &book_at(c)->shared : &book_at(c)->models;
}

/* Moves from where there is no row to the next place where there is one, or to the end. */
static void settle(CatalogueCursor *c) {
  while (c->book <= c->n_own) {
    const PriceModels *models = models_at(c);
    if (c->model < models->n && c->row < models->at[c->model].n) {
      return;
    }
    if (c->model < models->n) {
      c->model++;
      c->row = 0;
    } else {
      c->book += c->shared;
      c->shared = !c->shared;
      c->model = c->row = 0;
    }
  }
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  CatalogueCursor *c = (CatalogueCursor *)base;
  Conn *conn = table_of(base)->conn;
  (void)q;
  const Config *config = catalogue_prices() ? conn_config(conn, err) : (err_nomem(err), NULL);
  if (config && prices_read(conn->db, config->has_price_table, &c->own, &c->n_own, err) == RC_OK) {
    settle(c);
  }
  return err->rc;
}

static int next(TableCursor *base, Err *err) {
  CatalogueCursor *c = (CatalogueCursor *)base;
  c->row++;
  settle(c);
  return err->rc;
}

static int is_done(const TableCursor *base) {
  const CatalogueCursor *c = (const CatalogueCursor *)base;
  return c->book > c->n_own;
}

/* 1 if row b, once it holds, ends row a: in a list as a later block of the same service, whatever units
** it names; among single rows only for the same unit and threshold. */
static int ends(const PriceRow *b, const PriceRow *a, int by_block) {
  const PriceTerms *x = &a->terms, *y = &b->terms;
  int same_hours =
      x->hours == y->hours || (x->hours && y->hours && strcmp(x->hours->text, y->hours->text) == 0);
  return y->from_ms > x->from_ms && (!y->hours || same_hours) &&
         strcmp(x->service, y->service) == 0 &&
         (a->unit == UNIT_COUNT) == (b->unit == UNIT_COUNT) &&
         (by_block || (a->unit == b->unit && x->above_tokens == y->above_tokens));
}

/* Where a row ends: at its own end, or where a later one of its model takes over. */
static long long end_of(const PriceModel *m, const PriceRow *row, int by_block) {
  long long end = row->terms.to_ms;
  for (int i = 0; i < m->n; i++) {
    if (ends(&m->rows[i], row, by_block) && m->rows[i].terms.from_ms < end) {
      end = m->rows[i].terms.from_ms;
    }
  }
  return end;
}

static void result_text(sqlite3_context *ctx, const char *text) {
  if (text[0]) {
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
  }
}

static void result_bound(sqlite3_context *ctx, long long ms, long long open) {
  if (ms != open) {
    sqlite3_result_int64(ctx, ms);
  }
}

static void column(TableCursor *base, sqlite3_context *ctx, int column) {
  const CatalogueCursor *c = (CatalogueCursor *)base;
  const PriceModel *m = &models_at(c)->at[c->model];
  const PriceRow *row = &m->rows[c->row];
  const PriceTerms *t = &row->terms;
  int factor = row->unit == UNIT_COUNT;
  switch (column) {
  case C_LIST:
    sqlite3_result_text(ctx, book_at(c)->list, -1, SQLITE_TRANSIENT);
    break;
  case C_PROVIDER:
    result_text(ctx, m->provider);
    break;
  case C_MODEL:
    result_text(ctx, m->name);
    break;
  case C_NAMES:
    result_text(ctx, m->names);
    break;
  case C_KIND:
    result_text(ctx, factor ? "factor" : unit_word(row->unit));
    break;
  case C_USD_PER_MILLION:
    if (row->pusd != BOOK_UNKNOWN) {
      sqlite3_result_double(ctx, decimal_double((unsigned long long)row->pusd, 12));
    }
    break;
  case C_VALID_FROM:
    result_bound(ctx, t->from_ms, 0);
    break;
  case C_VALID_TO:
    result_bound(ctx, end_of(m, row, book_at(c)->list[0] != 0), LLONG_MAX);
    break;
  case C_HOURS:
    result_text(ctx, t->hours ? t->hours->text : "");
    break;
  case C_ABOVE_TOKENS:
    sqlite3_result_int64(ctx, t->above_tokens);
    break;
  case C_SERVICE:
    result_text(ctx, t->service);
    break;
  case C_SOURCE:
    result_text(ctx, t->source);
    break;
  case C_CHECKED:
    result_text(ctx, t->checked);
    break;
  default:
    break;
  }
}

const TableKind catalogue_table = {
    .columns = "list TEXT, provider TEXT, model TEXT, names TEXT, kind TEXT, usd_per_million REAL,"
               " valid_from INTEGER, valid_to INTEGER, hours TEXT, above_tokens INTEGER,"
               " service TEXT, source TEXT, checked TEXT",
    .rows = 5000,
    .cost = 5000,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(CatalogueCursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
