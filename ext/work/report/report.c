/*
** See report.h for the contract.
*/
#include "work/report/report.h"

#include "base/clock.h"
#include "base/limits.h"
#include "money/pricing.h"
#include "store/ledger.h"
#include "store/sums/sums.h"
#include "work/report/figures.h"
#include "work/report/figures_json.h"
#include "work/report/filter.h"
#include "work/report/markdown.h"
#include "work/report/page.h"

#include <stdio.h>
#include <string.h>

static int find_zone(const Conn *conn, Zone *zone, Err *err) {
  const char *name = conn->set.time_zone;
  *zone = (Zone){0};
  return !name || zone_parse(name, zone)
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_CONFIG,
                       "the setting time_zone, '%.60s', is not known here", name);
}

/* The first day with anything in it, "" where there is none; and a moment of the last one, SPEC_NO_TIME. */
static int find_ends(Conn *conn, const Zone *zone, char first[REPORT_LABEL], long long *newest,
                     Err *err) {
  sqlite3_stmt *stmt = NULL;
  LocalSpan day;
  *newest = SPEC_NO_TIME;
  first[0] = 0;
  int rc = sqlite3_prepare_v2(conn->db, "SELECT min(day), max(day) FROM llm_cost_daily", -1, &stmt,
                              NULL);
  if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *from = (const char *)sqlite3_column_text(stmt, 0);
    const char *last = (const char *)sqlite3_column_text(stmt, 1);
    snprintf(first, REPORT_LABEL, "%s", from ? from : "");
    if (last && span_read_label(last, &day)) {
      *newest = span_moment(zone, day.from);
    }
  }
  if (rc != SQLITE_ROW) {
    rc == SQLITE_NOMEM
        ? err_nomem(err)
        : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_FAILED, "%s",
                  sqlite3_errmsg(conn->db));
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* Before which moment only sums are known. */
static int find_sealed(Store *store, long long *sealed, Err *err) {
  SumState state;
  *sealed = 0;
  if (store && sums_state(store, &state, err) == RC_OK) {
    *sealed = state.sealed_before;
  }
  return err->rc;
}

static const char *file_name(const Conn *conn) {
  const char *path = sqlite3_db_filename(conn->db, "main");
  const char *slash = path ? strrchr(path, '/') : NULL;
  path = slash ? slash + 1 : path;
  return path && *path ? path : NULL;
}

static int write_page(const Figures *f, const ReportMeta *meta, const char *title, Buf *out,
                      Err *err) {
  Buf json;
  buf_init(&json, LIMIT_REPORT_BYTES);
  if (figures_json(f, meta, &json, err) == RC_OK) {
    page_write(json.data, json.n, title, out, err);
  }
  buf_free(&json);
  return err->rc;
}

static int is_in_main(Conn *conn, Err *err) {
  char *path = conn_store_path(conn, err);
  int is = path && strcmp(path, "main") == 0;
  sqlite3_free(path);
  return is;
}

static int write(Conn *conn, const ReportAsk *ask, const ReportMeta *meta, Buf *out, Err *err) {
  Figures f = {.with_texts = ask->prompts,
               .is_in_main = is_in_main(conn, err),
               .tag = ask->tag,
               .model = ask->model};
  char title[SPAN_LABEL + 32];
  snprintf(title, sizeof title, "LLM spending, %s", meta->period->label);
  if (err->rc == RC_OK && figures_collect(conn, meta->period, meta->zone, &f, err) == RC_OK) {
    if (ask->format == REPORT_HTML) {
      write_page(&f, meta, title, out, err);
    } else if (filter_figures(&f, ask->tag, ask->model, err) == RC_OK) {
      markdown_write(&f, meta, title, out, err);
    }
  }
  figures_free(&f);
  return err->rc;
}

static int write_all_of(Conn *conn, const ReportAsk *ask, Store *store, Buf *out, Err *err) {
  Zone zone;
  ReportPeriod period;
  char first[REPORT_LABEL];
  ReportSpan span = {ask->period, ask->from, ask->to, SPEC_NO_TIME};
  ReportMeta meta = {.period = &period,
                     .zone = &zone,
                     .zone_name = conn->set.time_zone ? conn->set.time_zone : "UTC",
                     .database = file_name(conn),
                     .first_day = first,
                     .with_texts = ask->prompts,
                     .tag = ask->tag,
                     .model = ask->model};
  if (find_zone(conn, &zone, err) != RC_OK ||
      find_ends(conn, &zone, first, &span.newest, err) != RC_OK ||
      report_period(&span, &zone, now_ms(), &period, err) != RC_OK ||
      find_sealed(store, &meta.sealed, err) != RC_OK) {
    return err->rc;
  }
  return write(conn, ask, &meta, out, err);
}

/* The sums of limits that nobody asked for yet are made when they are: not within the moment that is looked at. */
static int make_sums_of_limits(Conn *conn) {
  return sqlite3_exec(conn->db, "SELECT count(*) FROM llm_budget_status", NULL, NULL, NULL);
}

/* Others may write meanwhile: all of it is of one moment. */
int report_write(Conn *conn, const ReportAsk *ask, Buf *out, Err *err) {
  Store *store = conn_store(conn, 0, err);
  make_sums_of_limits(conn); /* (what is wrong with them their figure says) */
  if (err->rc != RC_OK ||
      (store && (ledger_flush(store, err) != RC_OK || store_snapshot_begin(store, err) != RC_OK))) {
    return err->rc;
  }
  write_all_of(conn, ask, store, out, err);
  if (store) {
    store_snapshot_end(store);
  }
  return err->rc;
}
