/*
** llm_compress_report(text [, options]): what llm_compress does to a text: a row for each method, one for all of them together, and
** one for each range that was left out because it was said before, or has nothing to do with the question.
*/
#include "tables/kit/table.h"
#include "tables/tables.h"
#include "work/prompts/shorten.h"

#include <stdlib.h>
#include <string.h>

typedef struct Cursor {
  TableCursor base;
  Shortened s;
  char *text; /* as it was handed in; owned */
  int n_rows, at;
} Cursor;

static void clear(TableCursor *base) {
  Cursor *c = (Cursor *)base;
  shortened_free(&c->s);
  free(c->text);
  c->text = NULL;
  c->n_rows = c->at = 0;
}

/* Ranges that stand beside each other and went for one reason are one. */
static void join_drops(Compressed *c) {
  size_t n = 0;
  for (size_t i = 0; i < c->n_drops; i++) {
    CompressDrop *last = n ? &c->drops[n - 1] : NULL, *d = &c->drops[i];
    if (last && last->from + last->n == d->from && last->method == d->method &&
        last->reason == d->reason) {
      last->n += d->n;
    } else {
      c->drops[n++] = *d;
    }
  }
  c->n_drops = n;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  size_t n, n_options = 0;
  int has_options = q->args[1] && sqlite3_value_type(q->args[1]) != SQLITE_NULL;
  const char *options = has_options ? arg_bytes(q->args[1], &n_options, err) : NULL;
  const char *text = err->rc == RC_OK ? arg_bytes(q->args[0], &n, err) : NULL;
  if (!text || err->rc != RC_OK) {
    return err->rc; /* of NULL there is nothing to tell */
  }
  c->text = malloc(n + 1);
  if (!c->text) {
    return err_nomem(err);
  }
  memcpy(c->text, text, n);
  c->text[n] = 0;
  if (shorten_text(table_of(base)->conn, text, n, options, n_options, &c->s, err) == RC_OK) {
    join_drops(&c->s.c);
    c->n_rows = COMPRESS_METHODS + 1 + (int)c->s.c.n_drops;
  }
  return err->rc;
}

static int next(TableCursor *base, Err *err) {
  ((Cursor *)base)->at++;
  return err->rc;
}

static int is_done(const TableCursor *base) {
  const Cursor *c = (const Cursor *)base;
  return c->at >= c->n_rows;
}

enum { WHAT, METHOD, BEFORE, AFTER, START, LENGTH, REASON, TEXT };

/* The row of a method, or of all (`step` NULL). */
static void method_column(const Cursor *c, const CompressStep *step, sqlite3_context *ctx, int i) {
  const Compressed *all = &c->s.c;
  if (i == WHAT) {
    sqlite3_result_text(ctx, step ? "method" : "all", -1, SQLITE_STATIC);
  } else if (i == METHOD && step) {
    sqlite3_result_text(ctx, compress_method_name(c->at), -1, SQLITE_STATIC);
  } else if (i == BEFORE) {
    sqlite3_result_int64(ctx, step ? step->tokens_before : all->tokens_before);
  } else if (i == AFTER) {
    sqlite3_result_int64(ctx, step ? step->tokens_after : all->tokens_after);
  } else if (i == REASON && !step && (c->s.is_loss || !all->fits)) {
    sqlite3_result_text(ctx, c->s.is_loss ? "cached_is_cheaper" : "budget_too_small", -1,
                        SQLITE_STATIC);
  } else if (i == TEXT && !step) {
    sqlite3_result_text64(ctx, all->text, all->n, SQLITE_TRANSIENT, SQLITE_UTF8);
  }
}

static void drop_column(const Cursor *c, const CompressDrop *d, sqlite3_context *ctx, int i) {
  if (i == WHAT) {
    sqlite3_result_text(ctx, "dropped", -1, SQLITE_STATIC);
  } else if (i == METHOD) {
    sqlite3_result_text(ctx, compress_method_name(d->method), -1, SQLITE_STATIC);
  } else if (i == START) {
    sqlite3_result_int64(ctx, (sqlite3_int64)d->from);
  } else if (i == LENGTH) {
    sqlite3_result_int64(ctx, (sqlite3_int64)d->n);
  } else if (i == REASON) {
    sqlite3_result_text(ctx, cut_reason_name(d->reason), -1, SQLITE_STATIC);
  } else if (i == TEXT) {
    sqlite3_result_text64(ctx, c->text + d->from, d->n, SQLITE_TRANSIENT, SQLITE_UTF8);
  }
}

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  const Cursor *c = (const Cursor *)base;
  if (c->at > COMPRESS_METHODS) {
    drop_column(c, &c->s.c.drops[c->at - COMPRESS_METHODS - 1], ctx, i);
  } else {
    method_column(c, c->at < COMPRESS_METHODS ? &c->s.c.steps[c->at] : NULL, ctx, i);
  }
}

const TableKind compress_report_table = {
    .columns = "what TEXT, method TEXT, tokens_before INTEGER, tokens_after INTEGER, start INTEGER,"
               " length INTEGER, reason TEXT, result TEXT",
    .args = {"text", "options"},
    .n_required = 1,
    .usage = "the text is missing: SELECT … FROM llm_compress_report('…')",
    .rows = 6,
    .cost = 1e4,
    .is_guarded = 1,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
