/*
** See figures.h for the contract.
*/
#include "work/report/figures.h"

#include "base/limits.h"
#include "sql/sql_text.h"
#include "core/report/figures_text.h"

#include <stdio.h>
#include <string.h>

/* The dearest models, tags and users have names of their own: more of them over a shorter time. */
enum { NAMED_MOST = 12, NAMED_LEAST = 5, NAMED_DAYS = 2200 };

/* What stands for the names in figures.sql that are of this report. */
typedef struct Words {
  FigureWord at[24];
  int n;
  char text[24][96];
} Words;

static char *next_word(Words *w, const char *name) {
  w->at[w->n] = (FigureWord){name, w->text[w->n], 0};
  w->at[w->n + 1] = (FigureWord){NULL, NULL, 0};
  return w->text[w->n++];
}

static void add_number(Words *w, const char *name, long long n) {
  snprintf(next_word(w, name), sizeof w->text[0], "%lld", n);
}

static void add_label(Words *w, const char *name, const Zone *zone, long long at) {
  char label[REPORT_LABEL];
  report_label(zone, at, label);
  snprintf(next_word(w, name), sizeof w->text[0], "'%s'", label);
}

/* A statement for each month and week: owned (sqlite3_free), NULL without memory. Without one: no row. */
static char *range_drifts(const ReportPeriod *p, const Zone *zone) {
  ReportRange ranges[REPORT_RANGES];
  int n = report_ranges(p, zone, ranges);
  sqlite3_str *sql = sqlite3_str_new(NULL);
  for (int i = 0; i < n; i++) {
    char from[REPORT_LABEL], last[REPORT_LABEL];
    report_label(zone, ranges[i].shown.from, from);
    report_label(zone, ranges[i].shown.to - 1, last);
    sqlite3_str_appendf(sql,
                        "%sSELECT '%.10s' AS first_day, '%.10s' AS last_day, * FROM "
                        "llm_drift(%lld, %lld, %lld, %lld, json_object('billed', $told))",
                        i ? "\n      UNION ALL " : "", from, last, ranges[i].before.from,
                        ranges[i].before.to, ranges[i].is.from, ranges[i].is.to);
  }
  if (n == 0) {
    sqlite3_str_appendall(
        sql, "SELECT NULL AS first_day, NULL AS last_day, * FROM llm_drift('today') WHERE 0");
  }
  return sqlite3_str_finish(sql);
}

static int count_named(int days) {
  int n = NAMED_DAYS / (days > 0 ? days : 1);
  return n > NAMED_MOST ? NAMED_MOST : n < NAMED_LEAST ? NAMED_LEAST : n;
}

static void fill_words(Words *w, const ReportPeriod *p, const Zone *zone, const Figures *f) {
  *w = (Words){.n = 0};
  snprintf(next_word(w, "batches"), sizeof w->text[0], "%s",
           f->is_in_main ? "temp.llm_batches" : "llm_batches");
  add_number(w, "from", p->is.from);
  add_number(w, "to", p->is.to);
  add_number(w, "before_from", p->before.from);
  add_number(w, "before_to", p->before.to);
  add_label(w, "from_hour", zone, p->is.from);
  add_label(w, "to_hour", zone, p->is.to);
  add_label(w, "before_hour", zone, p->before.from);
  add_label(w, "before_end", zone, p->before.to);
  add_label(w, "month_hour", zone, p->month.from);
  add_number(w, "month_from", p->month.from);
  add_number(w, "month_to", p->month.to);
  add_number(w, "now", p->now);
  if (p->is_named) {
    snprintf(next_word(w, "spans"), sizeof w->text[0], "'%s'", p->label);
  } else {
    snprintf(next_word(w, "spans"), sizeof w->text[0], "%lld, %lld, %lld, %lld", p->before.from,
             p->before.to, p->is.from, p->is.to);
  }
  add_number(w, "values", count_named(p->days));
  add_number(w, "texts", f->with_texts);
}

/* ---- the database in memory */

static int fail(sqlite3 *db, int rc, const char *what, Err *err) {
  return (rc & 0xff) == SQLITE_NOMEM ? err_nomem(err)
         : (rc & 0xff) == SQLITE_INTERRUPT
             ? err_set(err, RC_INTERRUPT, ERR_FAILED, "interrupted")
             : err_set(err, rc & 0xff, ERR_FAILED, "%s: %s", what, sqlite3_errmsg(db));
}

static int run(sqlite3 *db, char *sql, Err *err) {
  int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  return rc == SQLITE_OK ? err->rc : fail(db, rc, "the figures", err);
}

sqlite3_stmt *figures_prepare(const Figures *f, const char *sql, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(f->db, sql, -1, &stmt, NULL);
  if (rc != SQLITE_OK) {
    fail(f->db, rc, "the figures", err);
  }
  return stmt;
}

int figures_step(sqlite3_stmt *stmt, Err *err) {
  int rc = err->rc == RC_OK ? sqlite3_step(stmt) : SQLITE_DONE;
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    fail(sqlite3_db_handle(stmt), rc, "the figures", err);
  }
  return rc == SQLITE_ROW;
}

/* ---- one figure */

typedef struct Figure {
  const FigureText *of;
  const char *sql;
  sqlite3_stmt *ask;    /* on the user's connection */
  sqlite3_stmt *insert; /* into its table */
  int n, more, left_out;
} Figure;

static char *name_columns(sqlite3_stmt *ask, const char *format) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < sqlite3_column_count(ask); i++) {
    sqlite3_str_appendf(text, i ? "," : "");
    sqlite3_str_appendf(text, format, sqlite3_column_name(ask, i));
  }
  return sqlite3_str_finish(text);
}

static int make_table(Figures *f, Figure *g, Err *err) {
  char *columns = name_columns(g->ask, "\"%w\""), *values = name_columns(g->ask, "?%.0s");
  char *insert =
      sqlite3_mprintf("INSERT INTO \"%.*s\" VALUES(%s)", (int)g->of->n_name, g->of->name, values);
  char *create =
      sqlite3_mprintf("CREATE TABLE \"%.*s\"(%s)", (int)g->of->n_name, g->of->name, columns);
  if (!columns || !values || !insert) {
    sqlite3_free(create);
    err_nomem(err);
  } else if (run(f->db, create, err) == RC_OK) {
    g->insert = figures_prepare(f, insert, err);
  }
  sqlite3_free(columns);
  sqlite3_free(values);
  sqlite3_free(insert);
  return err->rc;
}

static int keep_row(Figures *f, Figure *g, Err *err) {
  int rc = SQLITE_OK;
  for (int i = 0; i < sqlite3_column_count(g->ask) && rc == SQLITE_OK; i++) {
    rc = sqlite3_bind_value(g->insert, i + 1, sqlite3_column_value(g->ask, i));
  }
  rc = rc == SQLITE_OK ? sqlite3_step(g->insert) : rc;
  sqlite3_reset(g->insert);
  g->n++;
  return rc == SQLITE_DONE ? RC_OK : fail(f->db, rc, "the figures", err);
}

static int keep_rows(Figures *f, Figure *g, Err *err) {
  int rc = SQLITE_DONE;
  while (err->rc == RC_OK && (rc = sqlite3_step(g->ask)) == SQLITE_ROW) {
    g->more = g->of->first && g->n == g->of->first;
    g->left_out = g->of->most && g->n == g->of->most;
    if (g->more || g->left_out) {
      break;
    }
    keep_row(f, g, err);
  }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    char what[64];
    snprintf(what, sizeof what, "figure '%.*s'", (int)g->of->n_name, g->of->name);
    fail(sqlite3_db_handle(g->ask), rc, what, err);
  }
  return err->rc;
}

static int note(Figures *f, const Figure *g, Err *err) {
  char *columns = name_columns(g->ask, "\"%s\"");
  if (g->left_out) {
    run(f->db, sqlite3_mprintf("DELETE FROM \"%.*s\"", (int)g->of->n_name, g->of->name), err);
  }
  run(f->db,
      columns ? sqlite3_mprintf("INSERT INTO figure(name, title, sql, columns, more, left_out) "
                                "VALUES('%.*q', '%.*q', %Q, '[%q]', %d, %d)",
                                (int)g->of->n_name, g->of->name, (int)g->of->n_title, g->of->title,
                                g->sql, columns, g->more, g->left_out)
              : NULL,
      err);
  sqlite3_free(columns);
  return err->rc;
}

/* (One row more than its LIMIT is asked for: so it is known whether there are more.) */
static int collect(Conn *conn, Figures *f, const FigureText *of, const char *sql, Err *err) {
  Figure g = {.of = of, .sql = sql};
  char *asked = sqlite3_mprintf(of->first ? "%s + 1" : "%s", sql);
  int rc = asked ? sqlite3_prepare_v2(conn->db, asked, -1, &g.ask, NULL) : SQLITE_NOMEM;
  sqlite3_free(asked);
  if (rc != SQLITE_OK) {
    fail(conn->db, rc, "a figure", err);
  } else if (make_table(f, &g, err) == RC_OK && keep_rows(f, &g, err) == RC_OK) {
    note(f, &g, err);
  }
  sqlite3_finalize(g.ask);
  sqlite3_finalize(g.insert);
  return err->rc;
}

static int collect_all(Conn *conn, Figures *f, const Words *words, Err *err) {
  const char *at = sql_figures_sql;
  FigureText of;
  Buf sql;
  buf_init(&sql, LIMIT_REPORT_SQL);
  while (err->rc == RC_OK && figure_text_next(&at, &of)) {
    buf_clear(&sql);
    figure_text_expand(of.sql, of.n_sql, words->at, sql_figures_sql, &sql);
    if (of.first) {
      buf_printf(&sql, "\nLIMIT %d", of.first);
    }
    sql.failed || !sql.n ? err_nomem(err) : collect(conn, f, &of, sql.data, err);
  }
  buf_free(&sql);
  return err->rc;
}

static int open_memory(Figures *f, Err *err) {
  static const char schema[] =
      "CREATE TABLE figure(n INTEGER PRIMARY KEY, name, title, sql, columns, more, left_out)";
  int rc = sqlite3_open_v2(":memory:", &f->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, NULL);
  return rc == SQLITE_OK ? run(f->db, sqlite3_mprintf("BEGIN; %s", schema), err)
                         : fail(f->db, f->db ? rc : SQLITE_NOMEM, "the figures", err);
}

int figures_collect(Conn *conn, const ReportPeriod *period, const Zone *zone, Figures *f,
                    Err *err) {
  Words words;
  char *drifts = range_drifts(period, zone);
  fill_words(&words, period, zone, f);
  char *tag = sqlite3_mprintf("%Q", f->tag), *model = sqlite3_mprintf("%Q", f->model);
  words.at[words.n++] = (FigureWord){"range_drifts", drifts, 1};
  words.at[words.n++] = (FigureWord){"only_tag", tag, 0};
  words.at[words.n++] = (FigureWord){"only_model", model, 0};
  words.at[words.n] = (FigureWord){NULL, NULL, 0};
  if (!drifts || !tag || !model) {
    err_nomem(err);
  } else if (open_memory(f, err) == RC_OK && collect_all(conn, f, &words, err) == RC_OK) {
    run(f->db, sqlite3_mprintf("COMMIT"), err);
  }
  sqlite3_free(drifts);
  sqlite3_free(tag);
  sqlite3_free(model);
  return err->rc;
}

void figures_free(Figures *f) {
  sqlite3_close_v2(f->db);
  f->db = NULL;
}
