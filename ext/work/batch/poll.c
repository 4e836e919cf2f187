/*
** See batch.h for the contract: poll, wait and cancel.
**
** Who looks at a batch has its lease; another one passes it by. What is right does not depend on that: each item is settled once.
*/
#include "work/batch/batch.h"
#include "work/batch/batch_options.h"
#include "work/parcel/send.h"
#include "work/batch/settle.h"
#include "work/desk/tell.h"
#include "work/map/progress.h"

#include <stdio.h>
#include <string.h>

enum {
  YOUNG_MS = 60000, /* a batch that was made so lately and is not known yet may come */
  FIRST_EVERY_MS = 2000,
  LONGEST_EVERY_MS = 60000,
  DAY_MS = 24 * 3600 * 1000
};

typedef struct Poll {
  Desk desk;
  BatchOptions options;
  Report report;
  long long strange; /* rows that are under way elsewhere */
} Poll;

/* ---- one batch */

static int is_older_than_results(const BatchRow *b, const BatchForm *form) {
  return form->results_days > 0 &&
         now_ms() - b->created_at > form->results_days * (long long)DAY_MS;
}

static int end_batch(Desk *d, const BatchRow *b, Err *err) {
  BatchNote note;
  batches_note_init(&note);
  note.ended_at = now_ms();
  return batches_note(d->store, b->id, &note, err);
}

static int end_as_gone(Poll *p, const BatchRow *b, const char *why, Err *err) {
  return end_batch(&p->desk, b, err) == RC_OK ? settle_gone(&p->desk, b, why, &p->report, err)
                                              : err->rc;
}

/* What the provider says of one that it should have. */
static int look(Poll *p, Remote *r, const BatchRow *b, Err *err) {
  BatchStatus status = {0};
  BatchFault fault;
  Desk *d = &p->desk;
  remote_get(r, b->provider_id, &status, &fault, err);
  long long since = b->sent_at != LEDGER_NULL ? b->sent_at : b->created_at;
  if (err->rc == RC_OK && fault.trouble == TROUBLE_GONE && now_ms() - since > YOUNG_MS) {
    end_as_gone(p, b, fault.message, err);
  } else if (err->rc == RC_OK && fault.trouble != TROUBLE_NONE) {
    report_reason(&p->report, fault.message, b->items - b->settled);
  } else if (err->rc == RC_OK && send_note(d, b->id, r->form, &status, err) == RC_OK) {
    if (status.is_gone) {
      end_as_gone(p, b, "its results are gone at the provider", err);
    } else if (batch_state_is_over(status.state) && end_batch(d, b, err) == RC_OK) {
      settle_batch(d, r, b, &status, &p->report, err);
    }
  }
  batch_status_free(&status);
  return err->rc;
}

/* One that may not be at the provider. */
static int recover(Poll *p, Remote *r, const BatchRow *b, Err *err) {
  Sent sent = send_recover(&p->desk, r, b, err);
  if (sent == SENT_UNSURE && is_older_than_results(b, r->form)) {
    end_as_gone(p, b, "it was never found at the provider, which keeps none for so long", err);
  }
  p->report.unsure += sent == SENT_UNSURE;
  return err->rc;
}

static int ask_provider(Poll *p, const BatchRow *b, Err *err) {
  Model model = {0};
  Remote r = {0};
  if (desk_model(&p->desk, b, &model, err) == RC_OK &&
      remote_open(&r, p->desk.conn, &model, err) == RC_OK) {
    b->provider_id ? look(p, &r, b, err) : recover(p, &r, b, err);
  }
  remote_close(&r);
  config_model_free(&model);
  return err->rc;
}

/* Files at the provider that nobody needs any more. */
static int delete_files(Poll *p, const BatchRow *b, Err *err) {
  const char *const files[] = {b->input_file, b->output_file, b->error_file};
  Model model = {0};
  Remote r = {0};
  BatchFault fault = {.trouble = TROUBLE_NONE};
  BatchNote note;
  int is_left = 0;
  if (desk_model(&p->desk, b, &model, err) == RC_OK &&
      remote_open(&r, p->desk.conn, &model, err) == RC_OK) {
    for (int i = 0; i < 3 && r.form->paths[BATCH_DELETE_FILE] && err->rc == RC_OK; i++) {
      if (files[i]) {
        remote_delete_file(&r, files[i], &fault, err);
        is_left |= fault.trouble != TROUBLE_NONE;
      }
    }
    if (r.form->paths[BATCH_DELETE] && b->provider_id && err->rc == RC_OK) {
      remote_delete(&r, b->provider_id, &fault, err);
      is_left |= fault.trouble != TROUBLE_NONE;
    }
  }
  batches_note_init(&note);
  note.files_deleted = 1;
  if (err->rc == RC_OK && !is_left) {
    batches_note(p->desk.store, b->id, &note, err);
  }
  remote_close(&r);
  config_model_free(&model);
  return err->rc;
}

/* From where it is to where it can go now. The caller has its lease. */
static int move_on(Poll *p, const BatchRow *b, Err *err) {
  Desk *d = &p->desk;
  DeskBatch now = {.texts = NULL};
  if (strcmp(b->state, "opening") == 0) {
    return batches_drop(d->store, b->id, err);
  }
  if (b->is_marked != 1 && tell_begun(d, b->id, err) != RC_OK) {
    return err->rc;
  }
  if (strcmp(b->state, "settled") != 0) {
    ask_provider(p, b, err);
  }
  Err told = {0};
  if (desk_batch(d, b->id, &now, &told) == 1) {
    if (now.row.provider_id && !b->provider_id) {
      submit_sent(&d->rows, b->id, &told);
    }
    tell_outcomes(d, &now.row, &told);
    int is_over = strcmp(now.row.state, "settled") == 0;
    if (p->options.deletes_files && is_over && now.row.files_deleted != 1 && told.rc == RC_OK) {
      delete_files(p, &now.row, &told);
    }
  }
  desk_batch_free(&now);
  return err->rc != RC_OK ? err->rc : told.rc != RC_OK ? (*err = told, err->rc) : RC_OK;
}

/* What is wrong with one batch is told and does not hold up the others; memory, an interrupt, the store are wrong with all. */
static int poll_one(Poll *p, long long id, Err *err) {
  Desk *d = &p->desk;
  DeskBatch batch = {.texts = NULL};
  Err why = {0};
  int taken = batches_take(d->store, id, now_ms(), DESK_LEASE_MS, err);
  if (taken != 1) {
    return err->rc;
  }
  if (desk_batch(d, id, &batch, err) == 1) {
    move_on(p, &batch.row, &why);
    if (why.rc == RC_ERROR && why.code != ERR_STORE) {
      report_reason(&p->report, why.msg, batch.row.items - batch.row.settled);
    } else if (why.rc != RC_OK) {
      *err = why;
    }
  }
  desk_batch_free(&batch);
  batches_leave(d->store, id, &(Err){0});
  return err->rc;
}

/* ---- what nobody here will settle */

/* Rows that are under way, and their batch is unknown to the store. */
static int count_strange(void *arg, long long batch, long long rows, Err *err) {
  Poll *p = arg;
  DeskBatch known = {.texts = NULL};
  p->strange += desk_batch(&p->desk, batch, &known, err) == 0 ? rows : 0;
  desk_batch_free(&known);
  return err->rc;
}

/* The database was copied without its store, or looks at another one: that may be a mistake of a setting, so that nothing is changed. */
static int note_strange(Poll *p, Err *err) {
  char text[LIMIT_ERROR_TEXT];
  p->strange = 0;
  if (submit_batches(&p->desk.rows, count_strange, p, err) == RC_OK && p->strange > 0) {
    snprintf(text, sizeof text,
             "under way in batches that the store '%.200s' does not know: another one sent them"
             " (LLMCOST_STORE" ERR_CURE(
                 " or llm_config('store', path)") " names it); in a copy of the database UPDATE"
                                                  " batch_submit SET status = 'queued', batch_id = "
                                                  "NULL, attempts = 0 WHERE status IN"
                                                  " ('sending', 'submitted') asks them again",
             store_name(p->desk.store));
    report_reason(&p->report, text, p->strange);
  }
  return err->rc;
}

/* ---- all of them */

static int poll_all(Poll *p, Err *err) {
  DeskBatches batches;
  desk_batches(&p->desk, BATCHES_OPEN, &batches, err);
  for (int i = 0; i < batches.n && err->rc == RC_OK; i++) {
    poll_one(p, batches.list[i].row.id, err);
  }
  desk_batches_free(&batches);
  p->report.open = p->report.open_rows = 0;
  if (err->rc == RC_OK && desk_batches(&p->desk, BATCHES_OPEN, &batches, err) == RC_OK) {
    for (int i = 0; i < batches.n; i++) {
      const BatchRow *b = &batches.list[i].row;
      p->report.open += strcmp(b->state, "settled") != 0;
      p->report.open_rows += b->items - b->settled;
    }
    desk_batches_free(&batches);
  }
  return err->rc == RC_OK ? note_strange(p, err) : err->rc;
}

static char *describe(const Report *r, Err *err) {
  const struct {
    const char *name;
    long long n;
  } counts[] = {{"answered", r->answered},  {"failed", r->failed},       {"again", r->again},
                {"expired", r->expired},    {"cancelled", r->cancelled}, {"open_batches", r->open},
                {"open_rows", r->open_rows}};
  cJSON *tree = cJSON_CreateObject();
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    report_add_count(tree, counts[i].name, counts[i].n, err);
  }
  report_add_usd(tree, "cost_usd", r->cost_nusd, err);
  json_add(tree, "saved_usd", cJSON_CreateNumber((double)r->saved_nusd / 1e9), err);
  report_add_count(tree, "unpriced", r->unpriced, err);
  report_add_reasons(r, tree, err);
  return json_print(tree, err);
}

/* What was left in the middle by who is gone. */
static int start(Poll *p, Conn *conn, const char *options, size_t n, unsigned of, Err *err) {
  *p = (Poll){.report = {.n_reasons = 0}};
  return batch_options_read(options, n, of, &p->options, err) == RC_OK
             ? desk_open(&p->desk, conn, err)
             : err->rc;
}

char *batch_poll(Conn *conn, const char *options, size_t n, Err *err) {
  Poll p;
  char *json = NULL;
  if (start(&p, conn, options, n, FOR_POLL, err) == RC_OK && poll_all(&p, err) == RC_OK) {
    json = describe(&p.report, err);
  }
  desk_close(&p.desk);
  return json;
}

/* ---- waiting */

/* How far it is, for the bar: rows that were under way when it began. */
static MapState state_of(const Poll *p, long long rows) {
  const Report *r = &p->report;
  return (MapState){.rows = rows,
                    .distinct = rows,
                    .done = rows - r->open_rows,
                    .errors = r->failed,
                    .spent_nusd = r->cost_nusd};
}

/* (What is wrong now is told, and not what was.) */
static int look_again(Poll *p, Err *err) {
  p->report.n_reasons = 0;
  return poll_all(p, err);
}

static int wait_for_all(Poll *p, Err *err) {
  const BatchOptions *o = &p->options;
  long long started = monotonic_ms(), rows = -1;
  long long wait = o->every_ms != SPEC_UNSET ? o->every_ms : FIRST_EVERY_MS;
  Progress progress;
  MapState state = {0};
  progress_start(&progress);
  while (look_again(p, err) == RC_OK) {
    const ProgressWait until = {PACE_FREE, PROGRESS_UNKNOWN};
    long long left = o->timeout_ms - (monotonic_ms() - started);
    int is_timed = o->timeout_ms != SPEC_UNSET;
    long long settled = p->report.answered + p->report.failed + p->report.again +
                        p->report.expired + p->report.cancelled;
    rows = rows < 0 ? p->report.open_rows + settled : rows;
    rows = rows < p->report.open_rows ? p->report.open_rows : rows;
    state = state_of(p, rows);
    progress_look(&progress, p->desk.conn, &state, until);
    if (p->report.open == 0 || (is_timed && left <= 0) ||
        conn_sleep(p->desk.conn, is_timed && left < wait ? left : wait, err) != RC_OK) {
      break;
    }
    if (o->every_ms == SPEC_UNSET) {
      wait = wait * 3 / 2 < LONGEST_EVERY_MS ? wait * 3 / 2 : LONGEST_EVERY_MS;
    }
  }
  progress_end(&progress, p->desk.conn, &state, p->report.open == 0 ? "done" : "stopped");
  return err->rc;
}

char *batch_wait(Conn *conn, const char *options, size_t n, Err *err) {
  Poll p;
  char *json = NULL;
  if (start(&p, conn, options, n, FOR_WAIT, err) == RC_OK && wait_for_all(&p, err) == RC_OK) {
    json = describe(&p.report, err);
  } else if (err->rc == RC_INTERRUPT) {
    *err = (Err){0};
    err_set(err, RC_INTERRUPT, ERR_INTERRUPTED,
            "interrupted: nothing was cancelled, the batches go on at the provider; "
            "llm_batch_wait() or llm_batch_poll() goes on, from here or any other process");
  }
  desk_close(&p.desk);
  return json;
}

/* ---- cancelling */

static int ask_end(Desk *d, Remote *r, const BatchRow *b, BatchFault *fault, Err *err) {
  BatchStatus status = {0};
  BatchNote note;
  batches_note_init(&note);
  note.cancel_at = now_ms();
  /* The wish first: who polls meanwhile must know why it ended. */
  if (batches_note(d->store, b->id, &note, err) == RC_OK &&
      remote_cancel(r, b->provider_id, &status, fault, err) == RC_OK &&
      fault->trouble == TROUBLE_NONE) {
    send_note(d, b->id, r->form, &status, err);
  }
  batch_status_free(&status);
  return err->rc;
}

static int cancel(Desk *d, const BatchRow *b, BatchFault *fault, Err *err) {
  Model model = {0};
  Remote r = {0};
  if (!b->provider_id) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "batch %lld is %s: it is not known to be at the provider yet; llm_batch_poll() "
                   "looks for it",
                   b->id, b->state);
  }
  if (desk_model(d, b, &model, err) == RC_OK && remote_open(&r, d->conn, &model, err) == RC_OK &&
      ask_end(d, &r, b, fault, err) == RC_OK && fault->trouble != TROUBLE_NONE) {
    batch_fault_set(r.form, fault, err);
  }
  remote_close(&r);
  config_model_free(&model);
  return err->rc;
}

static char *describe_batch(const BatchRow *b, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  report_add_count(tree, "id", b->id, err);
  json_add(tree, "state", cJSON_CreateString(b->state), err);
  json_add(tree, "word", cJSON_CreateString(b->word ? b->word : ""), err);
  report_add_count(tree, "rows", b->items, err);
  report_add_count(tree, "open_rows", b->items - b->settled, err);
  return json_print(tree, err);
}

char *batch_cancel(Conn *conn, long long id, Err *err) {
  Desk d;
  DeskBatch b = {.texts = NULL}, now = {.texts = NULL};
  BatchFault fault = {.trouble = TROUBLE_NONE};
  char *json = NULL;
  int found = desk_open(&d, conn, err) == RC_OK ? desk_batch(&d, id, &b, err) : -1;
  if (found == 0) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "this database has no batch %lld (llm_batches)", id);
  }
  int is_open =
      found == 1 && (strcmp(b.row.state, "begun") == 0 || strcmp(b.row.state, "sent") == 0);
  if (is_open) {
    cancel(&d, &b.row, &fault, err);
  }
  if (found == 1 && err->rc == RC_OK && desk_batch(&d, id, &now, err) == 1) {
    json = describe_batch(&now.row, err);
  }
  desk_batch_free(&b);
  desk_batch_free(&now);
  desk_close(&d);
  return json;
}
