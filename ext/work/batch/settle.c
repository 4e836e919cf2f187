/*
** See settle.h for the contract.
*/
#include "work/batch/settle.h"

#include "call/batched.h"
#include "work/desk/tell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1024, CHUNK_BYTES = 4 << 20 };

/* A result that waits to be settled with others. */
typedef struct Slot {
  Batched batched;
  int is_read; /* it is to be freed */
  Answer answer;
  LedgerRow row;
  char error[LIMIT_ERROR_TEXT];
} Slot;

typedef struct Settle {
  Desk *desk;
  const BatchRow *batch;
  const BatchStatus *status;
  Report *report;
  Model model;        /* owned */
  BatchedFrom from;   /* of it */
  Options no_options; /* of a request whose row is gone */
  Slot *slots;        /* owned */
  ItemResult results[CHUNK];
  int n;
  size_t bytes;
  long long input, output; /* tokens of all answers */
  long long unknown, doubled,
      found; /* results that are nobody's; of one that was settled; of ours */
} Settle;

static void drop_slots(Settle *t) {
  for (int i = 0; i < t->n; i++) {
    if (t->slots[i].is_read) {
      batched_free(&t->slots[i].batched);
    }
    t->slots[i].is_read = 0;
  }
  t->n = 0;
  t->bytes = 0;
}

static void count(Settle *t, const ItemResult *r) {
  Report *p = t->report;
  if (r->was == ITEM_UNKNOWN) {
    t->unknown++;
    return;
  }
  t->found++;
  t->doubled += r->was == ITEM_BEFORE;
  if (r->was == ITEM_NOW) {
    long long cost = r->row ? r->row->cost_nusd : 0;
    p->answered += r->outcome == ITEM_DONE;
    p->failed += r->outcome == ITEM_FAILED;
    p->expired += r->outcome == ITEM_EXPIRED;
    p->cancelled += r->outcome == ITEM_CANCELLED;
    p->again += r->outcome == ITEM_AGAIN;
    p->unpriced += cost == LEDGER_NULL;
    p->cost_nusd += cost > 0 ? cost : 0;
    p->saved_nusd += cost != LEDGER_NULL && r->full_nusd != LEDGER_NULL ? r->full_nusd - cost : 0;
  }
}

static int flush(Settle *t, Err *err) {
  if (t->n > 0 &&
      batches_settle(t->desk->store, t->batch->id, t->results, t->n, now_ms(), err) == RC_OK) {
    for (int i = 0; i < t->n; i++) {
      count(t, &t->results[i]);
    }
  }
  drop_slots(t);
  return err->rc;
}

/* ---- one result */

/* What it says, where that is no answer. */
static void set_error(Slot *slot, const char *word, const char *message) {
  snprintf(slot->error, sizeof slot->error, "%s%s%.800s", word, word[0] ? ": " : "", message);
}

/* To be sent again, if it was not often enough. */
static ItemOutcome again(Slot *slot, long long attempt) {
  char last[sizeof slot->error];
  if (attempt < SUBMIT_MOST_ATTEMPTS) {
    return ITEM_AGAIN;
  }
  snprintf(last, sizeof last, "%s", slot->error);
  snprintf(slot->error, sizeof slot->error, "after %lld attempts: %.800s", attempt, last);
  return ITEM_FAILED;
}

/* What was asked: the row, which nobody can have changed; or, where it is gone, nothing that an answer could be judged by. */
static const Request *request_of(Settle *t, const BatchKey *key, Err *err) {
  Desk *d = t->desk;
  SubmitRow row;
  Err unread = {0};
  int found = submit_get(&d->rows, key->rowid, &row, err);
  const Request *request = NULL;
  if (found == 1 && row.batch_id == t->batch->id && row.attempts == key->attempt) {
    request = asker_read(&d->asker, &row, &unread);
  }
  if (!request && err->rc == RC_OK) {
    const char *text = "";
    size_t n = 0;
    request_free(&d->asker.request);
    d->asker.request = (Request){0};
    t->no_options.model = t->batch->model;
    if (desk_embeds(t->batch)) {
      text = "-";
      n = 1;
    }
    request_for_show(text, n, &t->no_options, &d->asker.request, err);
    d->asker.request.wants_vectors = desk_embeds(t->batch);
    request = &d->asker.request;
  }
  return err->rc == RC_OK ? request : NULL;
}

static void add_tokens(Settle *t, const LedgerRow *row) {
  t->input += row->input_tokens > 0 ? row->input_tokens : 0;
  t->output += row->output_tokens > 0 ? row->output_tokens : 0;
}

/* An answer: judged as any other. */
static int take_answer(Settle *t, Slot *slot, ItemResult *out, const BatchResult *r, Err *err) {
  Err why = {0};
  Call *k = &slot->batched.call;
  const Request *request = request_of(t, &r->key, err);
  if (!request) {
    return err->rc;
  }
  slot->is_read = 1;
  batched_answer(&slot->batched, t->desk->conn, request, &t->from, &r->body, &why);
  submit_got(&t->desk->rows);
  if (k->is_unpriced || why.rc == RC_NOMEM || why.rc == RC_INTERRUPT) {
    *err = why.rc != RC_OK ? why : (err_nomem(err), *err);
    return err->rc;
  }
  snprintf(k->provider_request_id, sizeof k->provider_request_id, "%s", r->request_id);
  k->row.provider_request_id = r->request_id[0] ? k->provider_request_id : NULL;
  k->row.route_score = k->row.similarity = NAN;
  slot->row = k->row;
  out->row = &slot->row;
  out->full_nusd = k->full_nusd;
  add_tokens(t, &slot->row);
  if (why.rc != RC_OK) {
    set_error(slot, "", why.msg);
    out->outcome = ITEM_FAILED;
    return RC_OK;
  }
  out->outcome = ITEM_DONE;
  out->text = k->text;
  out->n = k->n;
  out->answer = batched_kept(&slot->batched, &slot->answer) ? &slot->answer : NULL;
  t->bytes += k->n;
  return RC_OK;
}

/* It may have been answered and billed: nobody knows. */
static void take_unknown(Slot *slot, ItemResult *out, const char *why) {
  set_error(slot, "", why);
  row_init(&slot->row);
  slot->row.kind = KIND_UNKNOWN;
  slot->row.error = slot->error;
  out->row = &slot->row;
  out->outcome = ITEM_FAILED;
}

static int take_result(Settle *t, Slot *slot, ItemResult *out, const BatchResult *r, Err *err) {
  int was_asked = t->batch->cancel_at != LEDGER_NULL;
  switch (r->outcome) {
  case RESULT_ANSWERED:
    return take_answer(t, slot, out, r, err);
  case RESULT_UNREADABLE:
  case RESULT_TOO_LONG:
    take_unknown(slot, out, r->message);
    return RC_OK;
  case RESULT_CANCELLED:
    set_error(slot, r->word, r->message);
    out->outcome = was_asked ? ITEM_CANCELLED : again(slot, r->key.attempt);
    return RC_OK;
  default:
    set_error(slot, r->word, r->message);
    out->outcome = r->again == AGAIN_NO ? ITEM_FAILED : again(slot, r->key.attempt);
    return RC_OK;
  }
}

/* (What bears no id of ours is nobody's: it is counted.) */
static int take(void *arg, BatchResult *r, Err *err) {
  Settle *t = arg;
  Slot *slot = &t->slots[t->n];
  ItemResult *out = &t->results[t->n];
  if (!r->is_ours || strcmp(r->key.tag, t->batch->wire_tag) != 0) {
    t->unknown++;
    return RC_OK;
  }
  *out =
      (ItemResult){.submit_id = r->key.rowid, .attempt = r->key.attempt, .full_nusd = LEDGER_NULL};
  slot->error[0] = 0;
  slot->is_read = 0;
  t->n++;
  if (take_result(t, slot, out, r, err) == RC_OK) {
    out->error = slot->error[0] ? slot->error : NULL;
  }
  return err->rc == RC_OK && (t->n == CHUNK || t->bytes > CHUNK_BYTES) ? flush(t, err) : err->rc;
}

/* ---- what did not come */

/* Requests of which no result came, in a chunk. */
typedef struct Missing {
  Settle *settle;
  const char *why;
  ItemOutcome outcome; /* ITEM_OPEN: again, if it was not often enough */
  int may_be_billed;
} Missing;

/* The answer to another one that asked the same. 1 if there is one. */
static int take_cached(Settle *t, Slot *slot, ItemResult *out, const ItemRow *item, Err *err) {
  Answer a;
  Hash key;
  sqlite3_stmt *held = NULL;
  if (!item->key) {
    return 0;
  }
  memcpy(key.b, item->key, sizeof key.b);
  int found = ledger_get_answer(t->desk->store, &key, now_ms(), &a, &held, err) == 1;
  if (found) {
    Call *k = &slot->batched.call;
    memset(&slot->batched, 0, sizeof slot->batched);
    slot->is_read = 1;
    k->text = malloc(a.n + 1);
    snprintf(k->answered_model, sizeof k->answered_model, "%s", a.model ? a.model : "");
    if (k->text) {
      memcpy(k->text, a.text, a.n);
      row_init(&slot->row);
      slot->row.kind = KIND_HIT_EXACT;
      slot->row.cost_nusd = 0;
      slot->row.saved_nusd = a.cost_nusd;
      slot->row.model = k->answered_model[0] ? k->answered_model : NULL;
      slot->row.provider = t->batch->provider;
      out->row = &slot->row;
      out->outcome = ITEM_DONE;
      out->text = k->text;
      out->n = a.n;
    } else {
      err_nomem(err);
    }
  }
  ledger_answer_done(t->desk->store, held);
  return found && err->rc == RC_OK;
}

static int take_missing(void *arg, const ItemRow *item, Err *err) {
  Missing *m = arg;
  Settle *t = m->settle;
  Slot *slot = &t->slots[t->n];
  ItemResult *out = &t->results[t->n];
  *out = (ItemResult){
      .submit_id = item->submit_id, .attempt = item->attempt, .full_nusd = LEDGER_NULL};
  slot->error[0] = 0;
  slot->is_read = 0;
  t->n++;
  if (take_cached(t, slot, out, item, err) || err->rc != RC_OK) {
    return err->rc;
  }
  int was_sent = item->line != LEDGER_NULL;
  set_error(slot, "", was_sent ? m->why : "another row asks the same, and has no answer");
  if (was_sent && m->may_be_billed) {
    take_unknown(slot, out, m->why);
  }
  out->outcome = m->outcome != ITEM_OPEN ? m->outcome
                 : was_sent              ? again(slot, item->attempt)
                                         : ITEM_AGAIN;
  out->error = slot->error;
  return RC_OK;
}

/* (Each chunk is written before the next is read: the items of one whose all are told are no more.) */
static int settle_missing(Settle *t, Missing *m, Err *err) {
  ItemWalk walk = {.batch = t->batch->id, .which = ITEMS_OPEN, .most = CHUNK};
  do {
    batches_items(t->desk->store, &walk, take_missing, m, err);
    if (err->rc == RC_OK) {
      flush(t, err);
    }
  } while (err->rc == RC_OK && walk.n == walk.most);
  drop_slots(t);
  return err->rc;
}

/* Lines of the input that the provider complains of: these can't be sent as they are. How many. Lines are counted as they were sent,
** where all were. */
static int settle_complaints(Settle *t, Err *err) {
  const BatchStatus *s = t->status;
  Store *store = t->desk->store;
  int n = 0;
  long long lines = t->batch->requests;
  if (s->n_errors == 0 || batches_at_line(store, t->batch->id, lines, err) <= 0 ||
      batches_at_line(store, t->batch->id, lines + 1, err) != 0) {
    return 0;
  }
  for (int i = 0; i < s->n_errors && err->rc == RC_OK; i++) {
    const BatchComplaint *c = &s->errors[i];
    long long id = c->line > 0 ? batches_at_line(store, t->batch->id, c->line, err) : 0;
    SubmitRow row;
    if (id > 0 && submit_get(&t->desk->rows, id, &row, err) == 1) {
      Slot *slot = &t->slots[t->n];
      slot->is_read = 0;
      set_error(slot, c->word, c->message);
      t->results[t->n++] = (ItemResult){.submit_id = id,
                                        .attempt = row.attempts,
                                        .outcome = ITEM_FAILED,
                                        .error = slot->error,
                                        .full_nusd = LEDGER_NULL};
      n++;
    }
    submit_got(&t->desk->rows);
    if (t->n == CHUNK) {
      flush(t, err);
    }
  }
  flush(t, err);
  return n;
}

static int note_trouble(Settle *t, BatchTrouble trouble, const char *why, Err *err) {
  BatchNote note;
  batches_note_init(&note);
  note.trouble = batch_trouble_word(trouble);
  note.error = why;
  return batches_note(t->desk->store, t->batch->id, &note, err);
}

/* What becomes of requests without a result, by how the batch ended. */
static int settle_rest(Settle *t, Err *err) {
  const BatchStatus *s = t->status;
  int was_asked = t->batch->cancel_at != LEDGER_NULL;
  Missing m = {.settle = t, .why = "the batch has ended, and there is no result of it"};
  if (s->state == BATCH_EXPIRED) {
    m.why = "the batch expired before its turn came";
  } else if (s->state == BATCH_CANCELLED) {
    m.why = was_asked ? "cancelled" : "the batch was cancelled at the provider";
    m.outcome = was_asked ? ITEM_CANCELLED : ITEM_OPEN;
  } else if (s->state == BATCH_FAILED) {
    int complained = settle_complaints(t, err);
    m.why = s->n_errors > 0 && s->errors[0].message[0] ? s->errors[0].message
                                                       : "the batch failed at the provider";
    /* Who has not taken it has not tried it. */
    note_trouble(t, complained || s->trouble != TROUBLE_INVALID ? s->trouble : TROUBLE_REFUSED,
                 m.why, err);
    m.outcome = s->trouble != TROUBLE_NONE && t->found == 0 && s->trouble != TROUBLE_REFUSED &&
                        (complained || s->trouble != TROUBLE_INVALID)
                    ? ITEM_AGAIN
                    : ITEM_OPEN;
  }
  return err->rc == RC_OK ? settle_missing(t, &m, err) : err->rc;
}

/* ---- the whole of it */

/* What the provider counts otherwise than its answers say in sum. The answers count; the difference is shown. */
static int note_difference(Settle *t, Err *err) {
  const BatchStatus *s = t->status;
  LedgerRow row;
  char text[LIMIT_ERROR_TEXT], usage[120];
  long long input = s->input_tokens >= 0 ? s->input_tokens - t->input : 0;
  long long output = s->output_tokens >= 0 ? s->output_tokens - t->output : 0;
  if (t->found == 0 || (input == 0 && output == 0)) {
    return RC_OK;
  }
  row_init(&row);
  snprintf(text, sizeof text,
           "difference: the batch's own usage has %lld input and %lld output tokens more than the "
           "sum of its answers, which is what counts",
           input, output);
  snprintf(usage, sizeof usage, "{\"difference\":{\"input\":%lld,\"output\":%lld}}", input, output);
  row.kind = KIND_BATCH;
  row.cost_nusd = 0;
  row.purpose = "difference";
  row.error = text;
  row.usage = usage;
  return batches_differ(t->desk->store, t->batch->id, &row, err);
}

static void note_unknown(Settle *t, Err *err) {
  char text[160];
  long long more = t->found - t->batch->requests;
  if (more > 0) {
    snprintf(text, sizeof text, "%lld results came more than once: the first of each counts", more);
    note_trouble(t, TROUBLE_NONE, text, err);
    report_reason(t->report, text, more);
  }
  if (t->unknown > 0) {
    snprintf(text, sizeof text, "%lld results bear no id of this batch: nobody got them",
             t->unknown);
    note_trouble(t, TROUBLE_NONE, text, err);
    report_reason(t->report, text, t->unknown);
  }
}

/* One file of results, or those of the batch. 1: read to its end; 0: again later; -1 and *err. */
static int read_results(Settle *t, Remote *r, const char *id, Err *err) {
  const RemoteTake to = {take, t};
  RemoteResults results;
  BatchFault fault;
  int was_torn = t->batch->error && strncmp(t->batch->error, "torn: ", 6) == 0;
  char why[LIMIT_ERROR_TEXT];
  remote_results(r, id, &to, &results, &fault, err);
  if (err->rc != RC_OK || flush(t, err) != RC_OK) {
    drop_slots(t);
    return -1;
  }
  /* Where neither length nor end was said, the batch's own count tells whether all of it came. */
  results.is_torn |= results.is_open_ended && t->status->done > t->found;
  if (fault.trouble == TROUBLE_NONE && !results.is_torn) {
    return 1;
  }
  if (fault.trouble == TROUBLE_GONE) {
    return settle_gone(t->desk, t->batch, fault.message, err) == RC_OK ? 1 : -1;
  }
  /* What ends in the middle of a line twice, at the same place, has no more. */
  snprintf(why, sizeof why, "torn: the results end within a line, after %lld bytes", results.bytes);
  if (results.is_torn && was_torn && strcmp(t->batch->error, why) == 0) {
    Missing m = {.settle = t, .why = why, .may_be_billed = 1, .outcome = ITEM_FAILED};
    return settle_missing(t, &m, err) == RC_OK ? 1 : -1;
  }
  note_trouble(t, fault.trouble, results.is_torn ? why : fault.message, err);
  report_reason(t->report, results.is_torn ? why : fault.message, 0);
  return err->rc == RC_OK ? 0 : -1;
}

static int read_all(Settle *t, Remote *r, Err *err) {
  const BatchStatus *s = t->status;
  int done = 1;
  if (r->form->results_by_batch) {
    return s->has_results ? read_results(t, r, t->batch->provider_id, err) : 1;
  }
  if (s->output_file[0]) {
    done = read_results(t, r, s->output_file, err);
  }
  if (done == 1 && s->error_file[0]) {
    done = read_results(t, r, s->error_file, err);
  }
  return done;
}

int settle_batch(Desk *d, Remote *r, const BatchRow *batch, const BatchStatus *status,
                 Report *report, Err *err) {
  Settle *t = calloc(1, sizeof *t);
  Slot *slots = calloc(CHUNK, sizeof *slots);
  int done = -1;
  if (!t || !slots) {
    free(t);
    free(slots);
    err_nomem(err);
    return -1;
  }
  *t = (Settle){.desk = d, .batch = batch, .status = status, .report = report, .slots = slots};
  options_init(&t->no_options);
  if (desk_model(d, batch, &t->model, err) == RC_OK) {
    t->from = (BatchedFrom){&t->model, r->secret, batch->created_at};
    done = read_all(t, r, err);
  }
  if (done == 1) {
    note_unknown(t, err);
    note_difference(t, err);
    settle_rest(t, err);
  }
  drop_slots(t);
  config_model_free(&t->model);
  free(slots);
  free(t);
  return err->rc == RC_OK ? done : -1;
}

int settle_gone(Desk *d, const BatchRow *batch, const char *why, Err *err) {
  const BatchStatus none = {.trouble = TROUBLE_GONE};
  Report ignored = {.n_reasons = 0};
  Settle *t = calloc(1, sizeof *t);
  Slot *slots = calloc(CHUNK, sizeof *slots);
  if (t && slots) {
    *t = (Settle){.desk = d, .batch = batch, .status = &none, .report = &ignored, .slots = slots};
    Missing m = {.settle = t, .why = why, .may_be_billed = 1, .outcome = ITEM_EXPIRED};
    note_trouble(t, TROUBLE_GONE, why, err);
    settle_missing(t, &m, err);
  } else {
    err_nomem(err);
  }
  free(t);
  free(slots);
  return err->rc;
}
