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

enum {
  CHUNK = 4096,
  CHUNK_BYTES = 8 << 20,
  APPEAR_MS = 600000, /* results of a batch that ended so lately and are not there may come yet */
};

/* A result that waits to be settled with others. */
typedef struct Slot {
  char *memory; /* owned: what the others point into; NULL: nothing */
  LedgerRow row;
  Answer answer;
} Slot;

typedef struct Settle {
  Desk *desk;
  const BatchRow *batch;
  const BatchStatus *status;
  Report *report;
  Model model;         /* owned */
  BatchedFrom from;    /* of it */
  Options no_options;  /* of a request whose row is gone */
  Batched batched;     /* of the result that is being read */
  Slot *slots;         /* owned; CHUNK */
  ItemResult *results; /* owned; CHUNK */
  int n;
  size_t bytes;
  char error[LIMIT_ERROR_TEXT];     /* of the result that is being read; "" */
  long long answers, input, output; /* what was billed, and its tokens, as the results say */
  long long unknown, doubled,
      found; /* results that are nobody's; of one that was settled; of ours */
} Settle;

static void drop_slots(Settle *t) {
  for (int i = 0; i < t->n; i++) {
    free(t->slots[i].memory);
    t->slots[i].memory = NULL;
  }
  t->n = 0;
  t->bytes = 0;
}

/* Copies the texts of a slot, so that what they were read from can go. */
static int keep_texts(Settle *t, Slot *slot, ItemResult *out, Err *err) {
  size_t error = t->error[0] ? strlen(t->error) + 1 : 0, text = out->text ? out->n + 1 : 0;
  size_t row = out->row ? row_texts_size(out->row) : 0;
  char *at = slot->memory = malloc(row + text + error + 1);
  if (!at) {
    return err_nomem(err);
  }
  if (out->row) {
    slot->row = *out->row;
    out->row = &slot->row;
    row_keep_texts(&slot->row, &at);
  }
  if (text) {
    memcpy(at, out->text, text);
    out->text = slot->answer.text = at;
    at += text;
  }
  if (error) {
    memcpy(at, t->error, error);
    out->error = at;
  }
  t->bytes += row + text + error;
  return RC_OK;
}

static void add_answer(Settle *t, const LedgerRow *row) {
  t->answers += row->kind == KIND_BATCH || row->kind == KIND_UNKNOWN;
  t->input += row->input_tokens > 0 ? row->input_tokens : 0;
  t->output += row->output_tokens > 0 ? row->output_tokens : 0;
}

static void count(Settle *t, const ItemResult *r) {
  Report *p = t->report;
  if (r->was == ITEM_UNKNOWN) {
    t->unknown++;
    return;
  }
  t->found++;
  t->doubled += r->was == ITEM_BEFORE;
  /* (Where some were settled before, all are read again, and which are doubled can't be told.) */
  if (r->row && (r->was == ITEM_NOW || t->batch->settled > 0)) {
    add_answer(t, r->row);
  }
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
static void set_error(Settle *t, const char *word, const char *message) {
  snprintf(t->error, sizeof t->error, "%s%s%.800s", word, word[0] ? ": " : "", message);
}

/* To be sent again, if it was not often enough. */
static ItemOutcome again(Settle *t, long long attempt) {
  char last[sizeof t->error];
  if (attempt < SUBMIT_MOST_ATTEMPTS) {
    return ITEM_AGAIN;
  }
  snprintf(last, sizeof last, "%s", t->error);
  snprintf(t->error, sizeof t->error, "after %lld attempts: %.800s", attempt, last);
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

/* (With what the semantic cache compares it by, which is not copied, it is settled at once.) */
static int finish_answer(Settle *t, Slot *slot, ItemResult *out, Err *err) {
  Call *k = &t->batched.call;
  int is_kept = out->outcome == ITEM_DONE && batched_kept(&t->batched, &slot->answer);
  out->answer = is_kept ? &slot->answer : NULL;
  if (keep_texts(t, slot, out, err) != RC_OK) {
    return err->rc;
  }
  slot->answer.provider = t->model.provider;
  slot->answer.model = slot->row.model ? slot->row.model : t->model.name;
  slot->answer.tier = NULL;
  return is_kept && slot->answer.question ? flush(t, err) : (call_drop_unfit(k), RC_OK);
}

/* An answer: judged as any other. */
static int take_answer(Settle *t, Slot *slot, ItemResult *out, const BatchResult *r, Err *err) {
  Err why;
  Call *k = &t->batched.call;
  const Request *request = request_of(t, &r->key, err);
  err_clear(&why);
  if (!request) {
    return err->rc;
  }
  batched_answer(&t->batched, t->desk->conn, request, &t->from, &r->body, &why);
  if (k->is_unpriced || why.rc == RC_NOMEM || why.rc == RC_INTERRUPT) {
    *err = why.rc != RC_OK ? why : (err_nomem(err), *err);
    return err->rc;
  }
  snprintf(k->provider_request_id, sizeof k->provider_request_id, "%s", r->request_id);
  k->row.provider_request_id = r->request_id[0] ? k->provider_request_id : NULL;
  out->row = &k->row;
  out->full_nusd = k->full_nusd;
  if (why.rc != RC_OK) {
    set_error(t, "", why.msg);
  }
  out->outcome = why.rc == RC_OK ? ITEM_DONE : ITEM_FAILED;
  out->text = why.rc == RC_OK ? k->text : NULL;
  out->n = k->n;
  return finish_answer(t, slot, out, err);
}

/* It may have been answered and billed: nobody knows. */
static void set_unknown(Settle *t, Slot *slot, ItemResult *out, const char *why) {
  set_error(t, "", why);
  row_init(&slot->row);
  slot->row.kind = KIND_UNKNOWN;
  slot->row.error = t->error;
  out->row = &slot->row;
  out->outcome = ITEM_FAILED;
}

static int take_result(Settle *t, Slot *slot, ItemResult *out, const BatchResult *r, Err *err) {
  int was_asked = t->batch->cancel_at != LEDGER_NULL;
  switch (r->outcome) {
  case RESULT_ANSWERED:
    take_answer(t, slot, out, r, err);
    submit_got(&t->desk->rows);
    batched_free(&t->batched);
    memset(&t->batched, 0, sizeof t->batched);
    return err->rc;
  case RESULT_UNREADABLE:
  case RESULT_TOO_LONG:
    set_unknown(t, slot, out, r->message);
    return keep_texts(t, slot, out, err);
  case RESULT_CANCELLED:
    set_error(t, r->word, r->message);
    out->outcome = was_asked ? ITEM_CANCELLED : again(t, r->key.attempt);
    return keep_texts(t, slot, out, err);
  default:
    set_error(t, r->word, r->message);
    out->outcome = r->again == AGAIN_NO ? ITEM_FAILED : again(t, r->key.attempt);
    return keep_texts(t, slot, out, err);
  }
}

/* The next place for a result. */
static Slot *next_slot(Settle *t, long long submit_id, long long attempt) {
  Slot *slot = &t->slots[t->n];
  t->results[t->n++] =
      (ItemResult){.submit_id = submit_id, .attempt = attempt, .full_nusd = LEDGER_NULL};
  slot->memory = NULL;
  t->error[0] = 0;
  return slot;
}

static int flush_if_full(Settle *t, Err *err) {
  return err->rc == RC_OK && (t->n == CHUNK || t->bytes > CHUNK_BYTES) ? flush(t, err) : err->rc;
}

/* (What bears no id of ours is nobody's: it is counted.) */
static int take(void *arg, BatchResult *r, Err *err) {
  Settle *t = arg;
  if (!r->is_ours || strcmp(r->key.tag, t->batch->wire_tag) != 0) {
    t->unknown++;
    return RC_OK;
  }
  Slot *slot = next_slot(t, r->key.rowid, r->key.attempt);
  take_result(t, slot, &t->results[t->n - 1], r, err);
  return flush_if_full(t, err);
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
    LedgerRow *row = &slot->row;
    row_init(row);
    row->kind = KIND_HIT_EXACT;
    row->cost_nusd = 0;
    row->saved_nusd = a.cost_nusd;
    row->model = a.model;
    row->provider = t->batch->provider;
    out->row = row;
    out->outcome = ITEM_DONE;
    out->text = a.text;
    out->n = a.n;
    keep_texts(t, slot, out, err);
  }
  ledger_answer_done(t->desk->store, held);
  return found && err->rc == RC_OK;
}

static int take_missing(void *arg, const ItemRow *item, Err *err) {
  Missing *m = arg;
  Settle *t = m->settle;
  Slot *slot = next_slot(t, item->submit_id, item->attempt);
  ItemResult *out = &t->results[t->n - 1];
  if (take_cached(t, slot, out, item, err) || err->rc != RC_OK) {
    return err->rc;
  }
  int was_sent = item->line != LEDGER_NULL;
  set_error(t, "", was_sent ? m->why : "another row asks the same, and has no answer");
  if (was_sent && m->may_be_billed) {
    set_unknown(t, slot, out, m->why);
  }
  out->outcome = m->outcome != ITEM_OPEN ? m->outcome
                 : was_sent              ? again(t, item->attempt)
                                         : ITEM_AGAIN;
  return keep_texts(t, slot, out, err);
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
      Slot *slot = next_slot(t, id, row.attempts);
      set_error(t, c->word, c->message);
      t->results[t->n - 1].outcome = ITEM_FAILED;
      n += keep_texts(t, slot, &t->results[t->n - 1], err) == RC_OK;
    }
    submit_got(&t->desk->rows);
    flush_if_full(t, err);
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

/* What becomes of requests without a result, by how the batch ended. Where the provider has answered more than came, each of them may
** be one of those, and billed. */
static int settle_rest(Settle *t, Err *err) {
  const BatchStatus *s = t->status;
  int was_asked = t->batch->cancel_at != LEDGER_NULL;
  Missing m = {.settle = t,
               .why = "the batch has ended, and there is no result of it",
               .may_be_billed = s->done > t->answers};
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
  char twice[120] = "", strange[120] = "", both[260];
  long long more = t->doubled - t->batch->settled;
  if (more > 0) {
    snprintf(twice, sizeof twice, "%lld results came more than once: the first of each counts",
             more);
    report_reason(t->report, twice, more);
  }
  if (t->unknown > 0) {
    snprintf(strange, sizeof strange, "%lld results bear no id of this batch: nobody got them",
             t->unknown);
    report_reason(t->report, strange, t->unknown);
  }
  if (twice[0] || strange[0]) {
    snprintf(both, sizeof both, "%s%s%s", twice, twice[0] && strange[0] ? "; " : "", strange);
    note_trouble(t, TROUBLE_NONE, both, err);
  }
}

/* 1 if results that are not there are rather not there yet: the batch ended just now (its row was read before), and is younger than
** results are kept. They are paid for: to look again costs nothing. */
static int may_appear(const BatchRow *b, const BatchForm *form) {
  enum { DAY_MS = 24 * 3600 * 1000 };
  long long now = now_ms();
  int is_old =
      form->results_days > 0 && now - b->created_at > form->results_days * (long long)DAY_MS;
  return !is_old && (b->ended_at == LEDGER_NULL || now - b->ended_at < APPEAR_MS);
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
  if (fault.trouble == TROUBLE_GONE && !may_appear(t->batch, r->form)) {
    return settle_gone(t->desk, t->batch, fault.message, t->report, err) == RC_OK ? 1 : -1;
  }
  /* What ends in the middle of a line twice, at the same place, has no more. */
  snprintf(why, sizeof why, "torn: the results end within a line, after %lld bytes", results.bytes);
  results.is_torn &= !results.is_broken_off;
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

static Settle *settle_new(Desk *d, const BatchRow *batch, const BatchStatus *status, Report *report,
                          Err *err) {
  Settle *t = calloc(1, sizeof *t);
  if (t) {
    *t = (Settle){.desk = d, .batch = batch, .status = status, .report = report};
    t->slots = calloc(CHUNK, sizeof *t->slots);
    t->results = calloc(CHUNK, sizeof *t->results);
    options_init(&t->no_options);
  }
  if (!t || !t->slots || !t->results) {
    err_nomem(err);
  }
  return t;
}

static void settle_free(Settle *t) {
  if (t) {
    drop_slots(t);
    config_model_free(&t->model);
    free(t->slots);
    free(t->results);
  }
  free(t);
}

int settle_batch(Desk *d, Remote *r, const BatchRow *batch, const BatchStatus *status,
                 Report *report, Err *err) {
  Settle *t = settle_new(d, batch, status, report, err);
  int done = -1;
  if (err->rc == RC_OK && desk_model(d, batch, &t->model, err) == RC_OK) {
    t->from = (BatchedFrom){&t->model, &r->access, batch->created_at};
    done = read_all(t, r, err);
  }
  if (done == 1) {
    note_unknown(t, err);
    note_difference(t, err);
    settle_rest(t, err);
  }
  settle_free(t);
  return err->rc == RC_OK ? done : -1;
}

int settle_gone(Desk *d, const BatchRow *batch, const char *why, Report *report, Err *err) {
  const BatchStatus none = {.trouble = TROUBLE_GONE};
  Settle *t = settle_new(d, batch, &none, report, err);
  if (err->rc == RC_OK) {
    Missing m = {.settle = t, .why = why, .may_be_billed = 1, .outcome = ITEM_EXPIRED};
    note_trouble(t, TROUBLE_GONE, why, err);
    settle_missing(t, &m, err);
  }
  settle_free(t);
  return err->rc;
}
