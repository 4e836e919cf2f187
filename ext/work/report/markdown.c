/*
** See markdown.h for the contract.
*/
#include "work/report/markdown.h"

#include "core/audit/words.h"
#include "core/report/escape.h"
#include "sql/sql_text.h"
#include "core/report/figures_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
  LONGEST = 200,
  LINE = 4000
}; /* bytes of a text in a cell; of one that is a line of its own */

static const char dash[] = "\xE2\x80\x93";

/* ---- functions of markdown.sql: NULL of what is unknown */

static int is_unknown(sqlite3_value **argv) {
  return sqlite3_value_type(argv[0]) == SQLITE_NULL;
}

static void say(sqlite3_context *ctx, const char *words) {
  sqlite3_result_text(ctx, words, -1, SQLITE_TRANSIENT);
}

/* What is said of a number: how it is written stands in the function's data. */
typedef void (*SayNumber)(double x, char out[WORDS_NUMBER]);

static void money(double nusd, char out[WORDS_NUMBER]) {
  words_money(llround(nusd), 0, out);
}

static void money_signed(double nusd, char out[WORDS_NUMBER]) {
  words_money(llround(nusd), 1, out);
}

static void percent(double share, char out[WORDS_NUMBER]) {
  words_percent(share, 0, out);
}

static void percent_signed(double share, char out[WORDS_NUMBER]) {
  words_percent(share, 1, out);
}

static const struct NumberFunction {
  const char *name;
  SayNumber say;
} numbers[] = {{"usd", money},
               {"usd_signed", money_signed},
               {"number", words_number},
               {"percent", percent},
               {"percent_signed", percent_signed}};

static void say_number(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  const struct NumberFunction *f = sqlite3_user_data(ctx);
  char words[WORDS_NUMBER];
  (void)argc;
  if (!is_unknown(argv)) {
    f->say(sqlite3_value_double(argv[0]), words);
    say(ctx, words);
  }
}

static void say_moment(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  char label[REPORT_LABEL];
  (void)argc;
  if (!is_unknown(argv)) {
    report_label(sqlite3_user_data(ctx), sqlite3_value_int64(argv[0]), label);
    say(ctx, label);
  }
}

/* text(x), line(x): escaped; the latter is cut later. */
static void say_text(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  const char *text = is_unknown(argv) ? NULL : (const char *)sqlite3_value_text(argv[0]);
  const size_t *most = sqlite3_user_data(ctx);
  Buf out;
  (void)argc;
  buf_init(&out, *most * 8);
  if (text) {
    escape_markdown(text, (size_t)sqlite3_value_bytes(argv[0]), *most, &out);
    out.failed ? sqlite3_result_error_nomem(ctx) : say(ctx, out.n ? out.data : "");
  }
  buf_free(&out);
}

static int add_functions(sqlite3 *db, const Zone *zone, Err *err) {
  static const size_t longest = LONGEST, line = LINE;
  int rc = SQLITE_OK;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && rc == SQLITE_OK; i++) {
    rc = sqlite3_create_function(db, numbers[i].name, 1, SQLITE_UTF8,
                                 (void *)(uintptr_t)&numbers[i], say_number, NULL, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_create_function(db, "moment", 1, SQLITE_UTF8, (void *)(uintptr_t)zone, say_moment,
                                 NULL, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_create_function(db, "text", 1, SQLITE_UTF8, (void *)(uintptr_t)&longest, say_text,
                                 NULL, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_create_function(db, "line", 1, SQLITE_UTF8, (void *)(uintptr_t)&line, say_text,
                                 NULL, NULL);
  }
  return rc == SQLITE_OK ? RC_OK : err_nomem(err);
}

/* ---- tables */

/* 1: the name ends in ":". */
static int is_of_numbers(const char *name) {
  size_t n = name ? strlen(name) : 0;
  return n > 0 && name[n - 1] == ':';
}

static void add_heads(Buf *out, sqlite3_stmt *stmt) {
  int n = sqlite3_column_count(stmt);
  for (int i = 0; i < n; i++) {
    const char *name = sqlite3_column_name(stmt, i);
    size_t length = name ? strlen(name) - (size_t)is_of_numbers(name) : 0;
    buf_printf(out, "| %.*s ", (int)length, name ? name : "");
  }
  buf_puts(out, "|\n");
  for (int i = 0; i < n; i++) {
    const char *name = sqlite3_column_name(stmt, i);
    buf_puts(out, is_of_numbers(name) ? "|---:" : "|---");
  }
  buf_puts(out, "|\n");
}

static void add_cells(Buf *out, sqlite3_stmt *stmt) {
  for (int i = 0; i < sqlite3_column_count(stmt); i++) {
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    buf_printf(out, "| %s ", text ? text : dash);
  }
  buf_puts(out, "|\n");
}

/* Rows without a heading are paragraphs. */
static void add_row(const FigureText *of, sqlite3_stmt *stmt, int n, Buf *out) {
  if (of->n_title == 0) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    buf_printf(out, "\n%s\n", text ? text : "");
    return;
  }
  if (n == 0) {
    buf_printf(out, "\n## %.*s\n\n", (int)of->n_title, of->title);
    add_heads(out, stmt);
  }
  add_cells(out, stmt);
}

static void add_table(const Figures *f, const FigureText *of, const char *sql, Buf *out, Err *err) {
  sqlite3_stmt *stmt = figures_prepare(f, sql, err);
  for (int n = 0; stmt && figures_step(stmt, err); n++) {
    add_row(of, stmt, n, out);
  }
  sqlite3_finalize(stmt);
}

static void add_tables(const Figures *f, const FigureWord *words, Buf *out, Err *err) {
  const char *at = sql_markdown_sql;
  FigureText of;
  Buf sql;
  buf_init(&sql, LIMIT_REPORT_SQL);
  while (err->rc == RC_OK && figure_text_next(&at, &of)) {
    buf_clear(&sql);
    figure_text_expand(of.sql, of.n_sql, words, sql_markdown_sql, &sql);
    sql.failed || !sql.n ? (void)err_nomem(err) : add_table(f, &of, sql.data, out, err);
  }
  buf_free(&sql);
}

/* ---- statements */

/* One that is longer than any run of backticks in it. */
static void add_fence(Buf *out, const char *text) {
  size_t longest = 2;
  for (const char *p = text; *p;) {
    size_t run = strspn(p, "`");
    longest = run > longest ? run : longest;
    p += run;
    p += strcspn(p, "`");
  }
  for (size_t i = 0; i <= longest; i++) {
    buf_puts(out, "`");
  }
}

/* Rows of (words, statement). */
static void add_statements(const Figures *f, const char *sql, Buf *out, Err *err) {
  sqlite3_stmt *stmt = figures_prepare(f, sql, err);
  while (stmt && figures_step(stmt, err)) {
    const char *words = (const char *)sqlite3_column_text(stmt, 0);
    const char *code = (const char *)sqlite3_column_text(stmt, 1);
    if (words && code) {
      buf_printf(out, "\n%s:\n\n", words);
      add_fence(out, code);
      buf_printf(out, "sql\n%s;\n", code);
      add_fence(out, code);
      buf_puts(out, "\n");
    }
  }
  sqlite3_finalize(stmt);
}

/* ---- the page */

static void add_only(Buf *out, const char *words, const char *name) {
  if (name) {
    buf_puts(out, words);
    escape_markdown(name, strlen(name), LONGEST, out);
    buf_puts(out, ".");
  }
}

static void add_head(const ReportMeta *meta, const char *title, Buf *out) {
  const ReportPeriod *p = meta->period;
  char from[REPORT_LABEL], to[REPORT_LABEL], b_from[REPORT_LABEL], b_to[REPORT_LABEL];
  report_label(meta->zone, p->is.from, from);
  report_label(meta->zone, p->is.to, to);
  report_label(meta->zone, p->before.from, b_from);
  report_label(meta->zone, p->before.to, b_to);
  buf_puts(out, "# ");
  escape_markdown(title, strlen(title), LONGEST, out);
  buf_printf(out, "\n\n%s to %s, against %s to %s. Times are those of ", from, to, b_from, b_to);
  escape_markdown(meta->zone_name, strlen(meta->zone_name), LONGEST, out);
  buf_puts(out, ".");
  add_only(out, " Only the tag ", meta->tag);
  add_only(out, " Only the model ", meta->model);
  buf_puts(out, "\n");
}

int markdown_write(const Figures *f, const ReportMeta *meta, const char *title, Buf *out,
                   Err *err) {
  const ReportPeriod *p = meta->period;
  char from[REPORT_LABEL + 2];
  char *now = sqlite3_mprintf("\"%w:\"", p->label),
       *before = sqlite3_mprintf("\"%w:\"", p->before_label);
  report_label(meta->zone, p->is.from, from);
  char *day = sqlite3_mprintf("'%.10s'", from);
  const FigureWord words[] = {
      {"from_day", day, 0}, {"now", now, 0}, {"before", before, 0}, {NULL, NULL, 0}};
  if (!now || !before || !day) {
    err_nomem(err);
  } else if (add_functions(f->db, meta->zone, err) == RC_OK) {
    add_head(meta, title, out);
    add_tables(f, words, out, err);
    add_statements(f,
                   "SELECT rank || '. ' || text(advice) || ', ' || text(subject), how FROM advice",
                   out, err);
    buf_puts(out, "\n<details><summary>The SQL behind these figures");
    buf_puts(out,
             meta->tag || meta->model ? ", of all tags and models</summary>\n" : "</summary>\n");
    add_statements(f, "SELECT title, sql FROM figure ORDER BY n", out, err);
    buf_puts(out, "\n</details>\n");
  }
  sqlite3_free(now);
  sqlite3_free(before);
  sqlite3_free(day);
  return out->failed ? err_nomem(err) : err->rc;
}
