/*
** See now.h for the contract.
*/
#include "work/batch/now.h"

#include "call/call.h"
#include "work/map/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What became of rows, until it is written. */
typedef struct Ended {
  Desk *desk;
  SubmitChange changes[DESK_CHUNK]; /* their texts are owned */
  int n;
} Ended;

static int write_ended(Ended *e, Err *err) {
  if (e->n > 0 && err->rc == RC_OK && submit_begin(&e->desk->rows, err) == RC_OK) {
    for (int i = 0; i < e->n && err->rc == RC_OK; i++) {
      submit_change(&e->desk->rows, &e->changes[i], err);
    }
    submit_end(&e->desk->rows, err->rc == RC_OK, err);
  }
  for (int i = 0; i < e->n; i++) {
    free((char *)e->changes[i].answer);
    free((char *)e->changes[i].error);
  }
  e->n = 0;
  return err->rc;
}

static int add_ended(Ended *e, const SubmitChange *change, Err *err) {
  e->changes[e->n++] = *change;
  return e->n == DESK_CHUNK ? write_ended(e, err) : err->rc;
}

static char *keep(const char *text, size_t n, Err *err) {
  char *kept = text ? malloc(n + 1) : NULL;
  if (text && !kept) {
    err_nomem(err);
  } else if (kept) {
    memcpy(kept, text, n);
    kept[n] = 0;
  }
  return kept;
}

/* ---- hits */

/* A vector's text as the BLOB that embed() gives. */
static void take_vector(SubmitChange *c, Err *err) {
  size_t size = 0;
  char *vector = submit_vector(c->answer, c->n, &size, err);
  if (vector) {
    free((char *)c->answer);
    c->answer = vector;
    c->n = size;
    c->is_vector = 1;
  }
}

/* (What is in the cache no longer is asked for, as llm_complete would.) */
static int answer_hit(Dispatch *d, Ended *e, const DispatchOther *other, Report *report, Err *err) {
  SubmitRow row;
  SubmitChange c;
  Outcome out = {0};
  Err why = {0};
  Desk *desk = d->desk;
  const Request *request = submit_get(&desk->rows, other->id, &row, err) == 1
                               ? asker_read(&desk->asker, &row, &why)
                               : NULL;
  submit_change_init(&c, other->id);
  if (request) {
    pipeline_run(desk->conn, request, NULL, &out, &why);
  }
  submit_got(&desk->rows);
  if (why.rc == RC_NOMEM || why.rc == RC_INTERRUPT) {
    *err = why;
  } else if (request && why.rc == RC_OK) {
    c.status = "done";
    c.answer = out.text;
    c.n = out.n;
    c.cost_nusd = out.cost_nusd;
    c.finished_at = now_ms();
    out.text = NULL;
    report->hits++;
    if (request->wants_vectors) {
      take_vector(&c, err);
    }
    add_ended(e, &c, err);
  }
  free(out.text);
  free(out.reasoning);
  cJSON_free(out.logprobs);
  return err->rc;
}

int now_hits(Dispatch *d, Report *report, Err *err) {
  Ended *e = calloc(1, sizeof *e);
  if (!e) {
    return err_nomem(err);
  }
  e->desk = d->desk;
  for (int i = 0; i < d->n_others && err->rc == RC_OK; i++) {
    if (d->others[i].way == WAY_HIT) {
      answer_hit(d, e, &d->others[i], report, err);
    }
  }
  Err unwritten = {0}; /* what was answered is in the table, whatever stopped the rest */
  write_ended(e, err->rc == RC_OK ? err : &unwritten);
  free(e);
  return err->rc;
}

/* ---- at once */

/* They are 'sending', without a batch. How many; -1 and *err. */
static int mark(Dispatch *d, int embeds, Err *err) {
  int n = 0;
  if (submit_begin(&d->desk->rows, err) != RC_OK) {
    return -1;
  }
  for (int i = 0; i < d->n_others && err->rc == RC_OK; i++) {
    const DispatchOther *other = &d->others[i];
    SubmitRow row;
    if (other->way == WAY_NOW && other->embeds == embeds &&
        submit_get(&d->desk->rows, other->id, &row, err) == 1) {
      SubmitChange c;
      submit_change_init(&c, other->id);
      c.status = "sending";
      c.attempts = row.attempts + 1;
      submit_got(&d->desk->rows);
      n += submit_change(&d->desk->rows, &c, err) == 1;
    }
    submit_got(&d->desk->rows);
  }
  submit_end(&d->desk->rows, err->rc == RC_OK, err);
  return err->rc == RC_OK ? n : -1;
}

#define OF_NOW                                                                                     \
  " FROM main.batch_submit WHERE status IN ('sending', 'submitted') AND batch_id IS NULL"

/* The SELECT of llm_map: the columns, and of options each that a row has. Owned (sqlite3_free). */
static char *make_select(sqlite3 *db, Err *err) {
  static const char *const names[] = {"model", "system", "tag", "user", "conversation"};
  sqlite3_str *sql = sqlite3_str_new(db);
  sqlite3_stmt *keys = NULL;
  sqlite3_str_appendall(
      sql, "SELECT id, CASE WHEN json_valid(prompt) AND prompt GLOB '*[[]*{*' AND"
           " json_type(prompt) = 'array' AND json_type(prompt, '$[0].role') IS NOT NULL THEN prompt"
           " ELSE json_array(json_object('role', 'user', 'content', prompt)) END AS messages");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    sqlite3_str_appendf(sql, ", coalesce(\"%w\", json_extract(options, '$.%s')) AS \"%w\"",
                        names[i], names[i], names[i]);
  }
  int rc = sqlite3_prepare_v2(
      db,
      "SELECT DISTINCT j.key FROM main.batch_submit b JOIN json_each(b.options) j WHERE b.status IN"
      " ('sending', 'submitted') AND b.batch_id IS NULL AND j.key NOT IN ('model', 'system', 'tag',"
      " 'user', 'conversation')",
      -1, &keys, NULL);
  while (rc == SQLITE_OK && sqlite3_step(keys) == SQLITE_ROW) {
    const char *key = (const char *)sqlite3_column_text(keys, 0);
    if (key && options_know(key)) {
      sqlite3_str_appendf(sql, ", json_extract(options, '$.%s') AS \"%w\"", key, key);
    }
  }
  rc = sqlite3_finalize(keys);
  sqlite3_str_appendall(sql, OF_NOW);
  char *text = sqlite3_str_finish(sql);
  if (rc != SQLITE_OK || !text) {
    err_nomem(err);
  }
  return text;
}

/* Queued again: as if it had not been tried, where nothing was sent for it (a limit, a key, a pause); else if it was not too often. 1 if
** it is. */
static int is_again(Ended *e, SubmitChange *c, int was_sent, Report *report, Err *err) {
  SubmitRow row = {.attempts = 0};
  int found = submit_get(&e->desk->rows, c->id, &row, err);
  submit_got(&e->desk->rows);
  if (found != 1 || (was_sent && row.attempts >= SUBMIT_MOST_ATTEMPTS)) {
    return 0;
  }
  c->status = SUBMIT_QUEUED;
  c->attempts = was_sent || row.attempts == 0 ? row.attempts : row.attempts - 1;
  report->refused += !was_sent;
  report->again += was_sent;
  report_reason(report, c->error, 1);
  return 1;
}

/* A row that llm_map is through with. */
static int take_answer(Ended *e, sqlite3_stmt *result, Report *report, Err *err) {
  SubmitChange c;
  const char *text = (const char *)sqlite3_column_text(result, SPILL_ANSWER);
  const char *error = (const char *)sqlite3_column_text(result, SPILL_ERROR);
  const char *kind = (const char *)sqlite3_column_text(result, SPILL_KIND);
  submit_change_init(&c, sqlite3_column_int64(result, SPILL_KEY));
  c.from = SUBMIT_UNDER_WAY;
  c.error = keep(error, error ? strlen(error) : 0, err);
  int was_sent = !kind || strcmp(kind, "refused") != 0;
  int is_lost =
      kind && strcmp(kind, "unknown") == 0; /* it may be billed: not bought again unasked */
  int may_again = !was_sent || (!is_lost && sqlite3_column_int(result, SPILL_RETRYABLE));
  if (c.error && may_again && is_again(e, &c, was_sent, report, err)) {
    return add_ended(e, &c, err);
  }
  c.status = error ? "failed" : "done";
  c.n = (size_t)sqlite3_column_bytes(result, SPILL_ANSWER);
  c.answer = keep(text, c.n, err);
  c.cost_nusd = sqlite3_column_type(result, SPILL_COST) == SQLITE_NULL
                    ? SUBMIT_NULL
                    : sqlite3_column_int64(result, SPILL_COST);
  c.finished_at = now_ms();
  report->now += !error;
  report->failed += error != NULL;
  return add_ended(e, &c, err);
}

/* What was answered before the run was stopped by a limit: it is paid for, and without a cache it stands nowhere else. (An error may
** say no more than that it was stopped: that row is asked again.) */
static void take_rest(Ended *e, MapScan *scan, Report *report, Err *err) {
  map_run_rest(scan->run);
  while (scan->at < map_run_state(scan->run).done && map_scan_next(scan, err) == RC_OK &&
         !scan->is_done) {
    if (sqlite3_column_type(scan->result, SPILL_ERROR) == SQLITE_NULL) {
      take_answer(e, scan->result, report, err);
    }
  }
}

static int run_map(Dispatch *d, Ended *e, int concurrency, Report *report, Err *err) {
  char options[60];
  int n = snprintf(options, sizeof options, "{\"concurrency\":%d}", concurrency);
  char *sql = make_select(d->desk->conn->db, err);
  MapRun *run = err->rc == RC_OK ? map_run_new(d->desk->conn, sql, options, (size_t)n, err) : NULL;
  MapScan scan = {.run = NULL};
  if (run && map_scan_start(&scan, run, NULL, MAP_ALL, err) == RC_OK) {
    while (!scan.is_done && err->rc == RC_OK) {
      if (take_answer(e, scan.result, report, err) == RC_OK && desk_keep(d->desk, err) == RC_OK) {
        map_scan_next(&scan, err);
      }
    }
  }
  if (scan.run && err->rc != RC_OK && err->rc != RC_NOMEM) {
    take_rest(e, &scan, report, &(Err){0});
  }
  map_scan_done(&scan);
  if (run) {
    map_run_free(run);
  }
  sqlite3_free(sql);
  return err->rc;
}

/* Texts to embed, one by one. (They are few: most can wait.) */
static int embed_one(Dispatch *d, Ended *e, const DispatchOther *other, Report *report, Err *err) {
  SubmitRow row;
  SubmitChange c;
  Outcome out = {0};
  Err why = {0};
  if (submit_get(&d->desk->rows, other->id, &row, err) == 1 &&
      asker_read(&d->desk->asker, &row, &why)) {
    pipeline_run(d->desk->conn, &d->desk->asker.request, NULL, &out, &why);
  }
  submit_got(&d->desk->rows);
  if (err->rc != RC_OK || why.rc == RC_NOMEM || why.rc == RC_INTERRUPT) {
    *err = err->rc != RC_OK ? *err : why;
    free(out.text);
    return err->rc;
  }
  submit_change_init(&c, other->id);
  c.from = SUBMIT_UNDER_WAY;
  c.error = why.rc == RC_OK ? NULL : keep(why.msg, strlen(why.msg), err);
  int was_sent = out.kind != KIND_REFUSED;
  int may_again = !was_sent || (out.kind != KIND_UNKNOWN && why.retryable);
  if (c.error && may_again && is_again(e, &c, was_sent, report, err)) {
    free(out.text);
    return add_ended(e, &c, err);
  }
  c.status = c.error ? "failed" : "done";
  c.answer = out.text;
  c.n = out.n;
  c.cost_nusd = out.cost_nusd;
  c.finished_at = now_ms();
  if (c.answer) {
    take_vector(&c, err);
  }
  report->now += !c.error;
  report->failed += c.error != NULL;
  return add_ended(e, &c, err);
}

static int embed_all(Dispatch *d, Ended *e, Report *report, Err *err) {
  if (mark(d, 1, err) <= 0) {
    return err->rc;
  }
  for (int i = 0; i < d->n_others && err->rc == RC_OK; i++) {
    if (d->others[i].way == WAY_NOW && d->others[i].embeds) {
      embed_one(d, e, &d->others[i], report, err);
    }
  }
  return err->rc;
}

int now_ask(Dispatch *d, int concurrency, Report *report, Err *err) {
  Ended *e = calloc(1, sizeof *e);
  if (!e) {
    return err_nomem(err);
  }
  e->desk = d->desk;
  if (mark(d, 0, err) > 0) {
    run_map(d, e, concurrency, report, err);
  }
  Err unwritten = {0}; /* what was paid for is in the table, whatever stopped the rest */
  write_ended(e, err->rc == RC_OK ? err : &unwritten);
  if (err->rc == RC_OK) {
    embed_all(d, e, report, err);
  }
  write_ended(e, err->rc == RC_OK ? err : &unwritten);
  /* (A limit stops what has not begun. An interrupt ends what is on its way, too: that was an attempt.) */
  int was_unsent = err->code == ERR_LIMIT;
  submit_left(&d->desk->rows, was_unsent, err->rc == RC_OK ? err : &unwritten);
  free(e);
  return err->rc;
}
