/*
** See batch.h for the contract: flush.
**
** Some rows at a time (dispatch.h) are looked at, and then moved on: what the cache has; what can't be asked; batches, whose requests
** then wait at the provider; and last what is due soon, which takes as long as it takes.
*/
#include "work/batch/batch.h"
#include "work/batch/batch_options.h"
#include "work/batch/now.h"
#include "work/parcel/send.h"
#include "work/desk/tell.h"

#include "money/pricing.h"

#include <stdio.h>
#include <string.h>

typedef struct Flush {
  Desk desk;
  Dispatch dispatch;
  BatchOptions options;
  Report report;
  cJSON *batches; /* owned: what was begun, for the answer */
} Flush;

/* ---- what can't be asked */

static int note_others(Flush *f, Err *err) {
  Submits *rows = &f->desk.rows;
  if (submit_begin(rows, err) != RC_OK) {
    return err->rc;
  }
  for (int i = 0; i < f->dispatch.n_others && err->rc == RC_OK; i++) {
    const DispatchOther *o = &f->dispatch.others[i];
    SubmitChange c;
    submit_change_init(&c, o->id);
    c.error = o->error;
    if (o->way == WAY_FAILED || o->way == WAY_EXPIRED) {
      c.status = o->way == WAY_FAILED ? "failed" : "expired";
      c.finished_at = now_ms();
    }
    if (o->way == WAY_FAILED || o->way == WAY_EXPIRED || o->way == WAY_REFUSED) {
      submit_change(rows, &c, err);
      f->report.failed += o->way == WAY_FAILED;
      f->report.expired += o->way == WAY_EXPIRED;
      f->report.refused += o->way == WAY_REFUSED;
      report_reason(&f->report, o->error, 1);
    }
  }
  return submit_end(rows, err->rc == RC_OK, err);
}

/* ---- batches */

/* What it comes to at most; LEDGER_NULL: nobody says what a batch of this model costs there. */
static long long worst_of(const Parcel *p) {
  long long sum = 0;
  for (int i = 0; i < p->n && sum != LEDGER_NULL; i++) {
    sum = p->rows[i].held_nusd == LEDGER_NULL ? LEDGER_NULL : sum + p->rows[i].held_nusd;
  }
  return sum;
}

static int note_batch(Flush *f, const Parcel *p, Sent sent, Err *err) {
  cJSON *item = json_add(f->batches, NULL, cJSON_CreateObject(), err);
  f->report.submitted += sent == SENT ? p->size.requests : 0;
  f->report.unsure += sent == SENT_UNSURE ? p->size.requests : 0;
  report_add_count(item, "id", p->batch, err);
  json_add(item, "provider", cJSON_CreateString(p->part->model.provider), err);
  json_add(item, "model", cJSON_CreateString(p->part->model.name), err);
  report_add_count(item, "requests", p->size.requests, err);
  report_add_usd(item, "at_most_usd", worst_of(p), err);
  json_add(item, "state", cJSON_CreateString(sent == SENT ? "sent" : "begun"), err);
  return err->rc;
}

/* What the provider refuses now it refuses for the rest, too; but what was too large goes in halves. 1: on with the next rows; 0: these
** again; -1: no more of this part. */
static int go_on_after(Flush *f, const Parcel *p, const BatchFault *fault) {
  int is_halved = fault->trouble == TROUBLE_TOO_LARGE;
  if (is_halved && p->size.requests > 1) {
    return 0;
  }
  report_reason(&f->report, fault->message, p->size.requests);
  f->report.failed += is_halved ? p->size.requests : 0;
  f->report.refused += is_halved ? 0 : p->size.requests;
  return is_halved ? 1 : -1;
}

/* Sends the n rows from `at` on together; those that limits have no room for are no longer in the part, and *n is less by them. As
** go_on_after. */
static int send_some(Flush *f, DispatchPart *part, int at, int *n, Err *err) {
  DispatchRow *rows = &part->rows[at];
  Parcel p = {.dispatch = &f->dispatch, .part = part, .rows = rows, .n = *n, .report = &f->report};
  BatchFault fault = {.trouble = TROUBLE_NONE};
  int go_on = 1, made = parcel_make(&p, err);
  memmove(rows + p.n, rows + *n, (size_t)(part->n - at - *n) * sizeof *rows);
  part->n -= *n - p.n;
  *n = p.n;
  if (made == 1) {
    Sent sent = send_parcel(&p, &fault, err);
    p.is_sent = sent != SENT_NOT;
    if (sent == SENT || sent == SENT_UNSURE) {
      note_batch(f, &p, sent, err);
    } else if (sent == SENT_NOT) {
      go_on = go_on_after(f, &p, &fault);
      f->report.waiting += go_on < 0 ? part->n - at - *n : 0;
    }
  }
  parcel_close(&p);
  return err->rc == RC_OK ? go_on : -1;
}

static int send_part(Flush *f, DispatchPart *part, Err *err) {
  for (int at = 0; at < part->n && err->rc == RC_OK;) {
    int n = parcel_cut(&f->dispatch, part, &part->rows[at], part->n - at, &f->options.limits,
                       &f->report);
    int go_on = n > 0 ? send_some(f, part, at, &n, err) : -1;
    if (go_on < 0) {
      break;
    }
    at += go_on ? n : 0;
    desk_keep(&f->desk, err);
  }
  return err->rc;
}

static int send_all(Flush *f, Err *err) {
  for (int i = 0; i < f->dispatch.n_parts && err->rc == RC_OK; i++) {
    send_part(f, &f->dispatch.parts[i], err);
  }
  return err->rc;
}

/* ---- what was left in the middle */

/* What is begun and was not brought into the table; what is 'sending' and nobody is at it. */
static int heal(Flush *f, Err *err) {
  DeskBatches batches;
  Desk *d = &f->desk;
  desk_batches(d, BATCHES_UNSENT, &batches, err);
  for (int i = 0; i < batches.n && err->rc == RC_OK; i++) {
    const BatchRow *b = &batches.list[i].row;
    if (strcmp(b->state, "begun") == 0 && b->is_marked != 1) {
      tell_begun(d, b->id, err);
    } else if (strcmp(b->state, "opening") == 0 &&
               batches_take(d->store, b->id, now_ms(), DESK_LEASE_MS, err) == 1) {
      batches_drop(d->store, b->id, err);
    }
  }
  desk_batches_free(&batches);
  return err->rc == RC_OK ? (submit_left(&d->rows, 0, err), err->rc) : err->rc;
}

/* ---- a dry run */

typedef struct Estimate {
  long long rows, batch_nusd, full_nusd;
} Estimate;

/* What a part comes to, with answers as long as they may be: at most. */
static Estimate estimate(Flush *f, const DispatchPart *part, Err *err) {
  Estimate e = {.rows = part->n};
  long long input = 0;
  for (int i = 0; i < part->n; i++) {
    int is_known = e.batch_nusd != LEDGER_NULL && part->rows[i].held_nusd != LEDGER_NULL;
    e.batch_nusd = is_known ? e.batch_nusd + part->rows[i].held_nusd : LEDGER_NULL;
    input += part->rows[i].tokens;
  }
  long long half = pricing_of_batch(f->desk.conn, &part->model, input, 0, err);
  long long full = pricing_of_tokens(f->desk.conn, &part->model, input, 0, err);
  e.full_nusd = e.batch_nusd >= 0 && half > 0 && full > 0
                    ? (long long)((double)e.batch_nusd / (double)half * (double)full)
                    : LEDGER_NULL;
  return e;
}

static int describe_parts(Flush *f, Err *err) {
  for (int i = 0; i < f->dispatch.n_parts && err->rc == RC_OK; i++) {
    const DispatchPart *part = &f->dispatch.parts[i];
    const Estimate e = estimate(f, part, err);
    if (part->n == 0) {
      continue;
    }
    cJSON *item = json_add(f->batches, NULL, cJSON_CreateObject(), err);
    json_add(item, "provider", cJSON_CreateString(part->model.provider), err);
    json_add(item, "model", cJSON_CreateString(part->model.name), err);
    report_add_count(item, "requests", e.rows, err);
    report_add_count(item, "window_hours", part->hours, err);
    report_add_usd(item, "at_most_usd", e.batch_nusd, err);
    report_add_usd(item, "at_most_now_usd", e.full_nusd, err);
    f->report.submitted += e.rows;
  }
  for (int i = 0; i < f->dispatch.n_others; i++) {
    DispatchWay way = f->dispatch.others[i].way;
    f->report.hits += way == WAY_HIT;
    f->report.now += way == WAY_NOW;
    f->report.failed += way == WAY_FAILED;
    f->report.expired += way == WAY_EXPIRED;
    f->report.refused += way == WAY_REFUSED;
    if (f->dispatch.others[i].error) {
      report_reason(&f->report, f->dispatch.others[i].error, 1);
    }
  }
  f->report.waiting += f->dispatch.n_same;
  return err->rc;
}

/* ---- all of it */

static int round_of(Flush *f, Err *err) {
  if (dispatch_next(&f->dispatch, err) != RC_OK) {
    return err->rc;
  }
  if (f->options.dry_run) {
    return describe_parts(f, err);
  }
  f->report.waiting += f->dispatch.n_same;
  if (note_others(f, err) == RC_OK && now_hits(&f->dispatch, &f->report, err) == RC_OK &&
      send_all(f, err) == RC_OK) {
    now_ask(&f->dispatch, (int)f->options.concurrency, &f->report, err);
  }
  return err->rc;
}

static int run(Flush *f, Err *err) {
  if (!f->options.dry_run && heal(f, err) != RC_OK) {
    return err->rc;
  }
  while (err->rc == RC_OK && !f->dispatch.is_over) {
    round_of(f, err);
    dispatch_clear(&f->dispatch);
    desk_keep(&f->desk, err);
  }
  return err->rc;
}

static char *describe(Flush *f, Err *err) {
  const Report *r = &f->report;
  const struct {
    const char *name;
    long long n;
  } counts[] = {{"rows", f->dispatch.looked},
                {"hits", r->hits},
                {"now", r->now},
                {"submitted", r->submitted},
                {"unsure", r->unsure},
                {"waiting", r->waiting + f->dispatch.waiting},
                {"refused", r->refused},
                {"again", r->again},
                {"failed", r->failed},
                {"expired", r->expired}};
  cJSON *tree = cJSON_CreateObject();
  if (f->options.dry_run) {
    json_add(tree, "dry_run", cJSON_CreateTrue(), err);
  }
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    report_add_count(tree, counts[i].name, counts[i].n, err);
  }
  json_add(tree, "batches", f->batches, err);
  f->batches = NULL;
  report_add_reasons(r, tree, err);
  return json_print(tree, err);
}

char *batch_flush(Conn *conn, const char *options, size_t n, Err *err) {
  Flush f = {.report = {.n_reasons = 0}};
  char *json = NULL;
  int taken = 0;
  if (batch_options_read(options, n, FOR_FLUSH, &f.options, err) != RC_OK) {
    return NULL;
  }
  if (desk_open(&f.desk, conn, err) == RC_OK) {
    taken = desk_take(&f.desk, err);
  }
  if (taken == 0 && err->rc == RC_OK) {
    err_set(err, RC_BUSY, ERR_STORE,
            "another connection flushes this queue: what it leaves is for the next flush");
  }
  f.batches = cJSON_CreateArray();
  dispatch_init(&f.dispatch, &f.desk);
  if (err->rc == RC_OK && run(&f, err) == RC_OK) {
    json = describe(&f, err);
  }
  if (taken == 1) {
    queues_leave(f.desk.store, f.desk.queue, &(Err){0});
  }
  cJSON_Delete(f.batches);
  dispatch_free(&f.dispatch);
  desk_close(&f.desk);
  return json;
}
