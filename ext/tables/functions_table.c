/*
** llm_functions(): what there is, a row for each entry of the manual's index.
*/
#include "tables/kit/table.h"
#include "tables/tables.h"

#include "core/manual/entry.h"
#include "core/manual/show.h"

#include <stdlib.h>

enum { C_NAME, C_ARGUMENTS, C_KIND, C_LINE, C_PAGE };
enum { MOST_LINE = 1 << 16 };

typedef struct FunctionsCursor {
  TableCursor base;
  Walk walk;
  Entry entry;
  int is_done;
} FunctionsCursor;

static int next(TableCursor *base, Err *err) {
  FunctionsCursor *c = (FunctionsCursor *)base;
  c->is_done = !entry_next(&c->walk, &c->entry);
  return err->rc;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  (void)q;
  FunctionsCursor *c = (FunctionsCursor *)base;
  walk_start(&c->walk, sql_manual);
  c->entry = (Entry){0};
  return next(base, err);
}

static int is_done(const TableCursor *base) {
  return ((const FunctionsCursor *)base)->is_done;
}

static void clear(TableCursor *base) {
  (void)base; /* it only borrows */
}

static void result_span(sqlite3_context *ctx, Span s) {
  if (s.at) {
    sqlite3_result_text(ctx, s.at, (int)s.n, SQLITE_TRANSIENT);
  }
}

static void result_buf(sqlite3_context *ctx, Buf *b) {
  int n = (int)b->n;
  char *text = buf_take(b);
  text ? sqlite3_result_text(ctx, text, n, free) : sqlite3_result_error_nomem(ctx);
}

static void column(TableCursor *base, sqlite3_context *ctx, int column) {
  const Entry *e = &((FunctionsCursor *)base)->entry;
  const ManualPage *page = column == C_PAGE ? entry_page(sql_manual, e) : NULL;
  Buf b;
  buf_init(&b, MOST_LINE);
  if (column == C_NAME || column == C_ARGUMENTS) {
    result_span(ctx, column == C_NAME ? e->name : e->arguments);
  } else if (column == C_KIND) {
    entry_put_kind(e, &b);
    result_buf(ctx, &b);
  } else if (column == C_LINE) {
    show_plain(e->line, &b);
    result_buf(ctx, &b);
  } else if (page) {
    sqlite3_result_text(ctx, page->name, -1, SQLITE_STATIC);
  }
  buf_free(&b);
}

const TableKind functions_table = {
    .columns = "name TEXT, arguments TEXT, kind TEXT, line TEXT, page TEXT",
    .rows = 100,
    .cost = 1000,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(FunctionsCursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
