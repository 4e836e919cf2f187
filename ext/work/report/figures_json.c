/*
** See figures_json.h for the contract.
*/
#include "work/report/figures_json.h"

#include "base/text/json.h"
#include "core/report/escape.h"

#include <string.h>

static void add_value(Buf *out, sqlite3_stmt *stmt, int i) {
  char number[JSON_NUMBER];
  switch (sqlite3_column_type(stmt, i)) {
  case SQLITE_INTEGER:
    buf_printf(out, "%lld", sqlite3_column_int64(stmt, i));
    break;
  case SQLITE_FLOAT:
    json_number(sqlite3_column_double(stmt, i), number);
    buf_puts(out, number);
    break;
  case SQLITE_TEXT: {
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    text ? escape_json(text, (size_t)sqlite3_column_bytes(stmt, i), out)
         : (void)buf_fail(out, RC_NOMEM);
    break;
  }
  default:
    buf_puts(out, "null");
  }
}

static void add_member(Buf *out, const char *name, sqlite3_stmt *stmt, int i) {
  buf_printf(out, ",\"%s\":", name);
  add_value(out, stmt, i);
}

static int add_rows(const Figures *f, const char *name, Buf *out, Err *err) {
  char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" ORDER BY rowid", name);
  sqlite3_stmt *rows = sql ? figures_prepare(f, sql, err) : (err_nomem(err), NULL);
  buf_puts(out, ",\"rows\":[");
  for (int n = 0; rows && !out->failed && figures_step(rows, err); n++) {
    buf_puts(out, n ? ",[" : "[");
    for (int i = 0; i < sqlite3_column_count(rows); i++) {
      buf_puts(out, i ? "," : "");
      add_value(out, rows, i);
    }
    buf_puts(out, "]");
  }
  buf_puts(out, "]");
  sqlite3_finalize(rows);
  sqlite3_free(sql);
  return err->rc;
}

static int add_figures(const Figures *f, Buf *out, Err *err) {
  enum { NAME, TITLE, SQL, COLUMNS, MORE, LEFT_OUT };
  sqlite3_stmt *figures = figures_prepare(
      f, "SELECT name, title, sql, columns, more, left_out FROM figure ORDER BY n", err);
  for (int n = 0; figures && figures_step(figures, err); n++) {
    const char *name = (const char *)sqlite3_column_text(figures, NAME);
    const char *columns = (const char *)sqlite3_column_text(figures, COLUMNS);
    if (!name || !columns) {
      err_nomem(err);
      break;
    }
    buf_printf(out, "%s\"%s\":{\"columns\":%s", n ? "," : "", name, columns);
    add_member(out, "title", figures, TITLE);
    add_member(out, "sql", figures, SQL);
    add_member(out, "more", figures, MORE);
    add_member(out, "left_out", figures, LEFT_OUT);
    add_rows(f, name, out, err);
    buf_puts(out, "}");
  }
  sqlite3_finalize(figures);
  return err->rc;
}

static void add_label(Buf *out, const char *name, const Zone *zone, long long at, int length) {
  char label[REPORT_LABEL];
  report_label(zone, at, label);
  buf_printf(out, ",\"%s\":\"%.*s\"", name, length, label);
}

static void add_said(Buf *out, const char *name, const char *text) {
  buf_printf(out, ",\"%s\":", name);
  text ? escape_json(text, strlen(text), out) : (void)buf_puts(out, "null");
}

static void add_meta(const ReportMeta *m, Buf *out) {
  const ReportPeriod *p = m->period;
  enum { MONTH = 7, DAY = 10, HOUR = 16 };
  buf_printf(out, "\"version\":\"%s\",\"made\":%lld,\"from\":%lld,\"to\":%lld", RELEASE, p->now,
             p->is.from, p->is.to);
  buf_printf(out, ",\"before_from\":%lld,\"before_to\":%lld,\"is_over\":%s,\"texts\":%s",
             p->before.from, p->before.to, p->is_over ? "true" : "false",
             m->with_texts ? "true" : "false");
  add_label(out, "to_hour", m->zone, p->is.to, HOUR);
  add_label(out, "from_day", m->zone, p->is.from, DAY);
  add_label(out, "to_day", m->zone, p->is.to - 1, DAY);
  add_label(out, "before_day", m->zone, p->before.from, DAY);
  add_label(out, "today", m->zone, p->now, DAY);
  add_label(out, "month", m->zone, p->now, MONTH);
  if (m->sealed > 0) {
    add_label(out, "detail_day", m->zone, m->sealed, DAY);
  }
  add_said(out, "first_day", m->first_day[0] ? m->first_day : NULL);
  add_said(out, "tag", m->tag);
  add_said(out, "model", m->model);
  add_said(out, "label", p->label);
  add_said(out, "before_label", p->before_label);
  add_said(out, "zone", m->zone_name);
  add_said(out, "database", m->database);
}

int figures_json(const Figures *f, const ReportMeta *meta, Buf *out, Err *err) {
  buf_puts(out, "{\"meta\":{");
  add_meta(meta, out);
  buf_puts(out, "},\"figures\":{");
  add_figures(f, out, err);
  buf_puts(out, "}}");
  if (out->failed && err->rc == RC_OK) {
    out->failed == RC_TOOBIG
        ? err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the report's data are over %zu bytes", out->max)
        : err_nomem(err);
  }
  return err->rc;
}
