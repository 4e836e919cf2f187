/*
** See filter.h for the contract.
*/
#include "work/report/filter.h"

#include "core/report/figures_text.h"
#include "sql/sql_text.h"

static int run(Figures *f, const char *sql, Err *err) {
  if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
    sqlite3_errcode(f->db) == SQLITE_NOMEM
        ? err_nomem(err)
        : err_set(err, RC_ERROR, ERR_FAILED, "the figures: %s", sqlite3_errmsg(f->db));
  }
  return err->rc;
}

static int run_all(Figures *f, const FigureWord *words, Err *err) {
  const char *at = sql_filter_sql;
  FigureText of;
  Buf sql;
  buf_init(&sql, LIMIT_REPORT_SQL);
  while (err->rc == RC_OK && figure_text_next(&at, &of)) {
    buf_clear(&sql);
    figure_text_expand(of.sql, of.n_sql, words, sql_filter_sql, &sql);
    sql.failed || !sql.n ? err_nomem(err) : run(f, sql.data, err);
  }
  buf_free(&sql);
  return err->rc;
}

int filter_figures(Figures *f, const char *tag, const char *model, Err *err) {
  char *of_tag = tag ? sqlite3_mprintf("tag IS %Q", tag) : sqlite3_mprintf("1");
  char *of_model = model ? sqlite3_mprintf("model IS %Q", model) : sqlite3_mprintf("1");
  char *only = sqlite3_mprintf("%s AND %s", of_tag, of_model);
  int both = tag && model;
  const FigureWord words[] = {
      {"only", only, 0},
      {"tag_only", of_tag, 0},
      {"is_model", model ? "1" : "0", 0},
      {"cube",
       both  ? "cells"
       : tag ? "day_tags"
             : "day_models",
       0},
      {"before_cube",
       both  ? "before_cells"
       : tag ? "before_tags"
             : "before_models",
       0},
      {"drift",
       both  ? "drift_none"
       : tag ? "drift_tags"
             : "drift_models",
       0},
      {NULL, NULL, 0},
  };
  if (!of_tag || !of_model || !only) {
    err_nomem(err);
  } else if (tag || model) {
    run_all(f, words, err);
  }
  sqlite3_free(of_tag);
  sqlite3_free(of_model);
  sqlite3_free(only);
  return err->rc;
}
