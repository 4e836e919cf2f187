/*
** See parcel.h for the contract.
*/
#include "work/parcel/parcel.h"

#include "money/allowance.h"
#include "money/budget/budgets.h"
#include "money/budget/day_cap.h"
#include "work/desk/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- how many */

/* What is known of a model's batches at its provider. */
typedef struct Room {
  const DispatchPart *part;
  long long open_tokens; /* under way */
  int open;              /* batches */
  long long most_tokens; /* that waited too much once, halved; 0: not known */
  long long most_bytes;  /* that were too many at once, halved */
  long long now;
} Room;

enum { REMEMBERED_MS = 24 * 3600 * 1000 };

/* The latest trouble counts: what was too much then is halved, for a day. */
static void look_at_batch(Room *r, const BatchRow *b) {
  int is_same = strcmp(b->provider, r->part->model.provider) == 0 &&
                strcmp(b->base_url, r->part->model.base_url) == 0;
  int is_new = r->now - b->created_at < REMEMBERED_MS;
  const char *trouble = b->trouble ? b->trouble : "";
  if (is_same && is_new && strcmp(trouble, batch_trouble_word(TROUBLE_TOO_LARGE)) == 0 &&
      b->bytes > 1) {
    r->most_bytes = b->bytes / 2;
  }
  if (!is_same || strcmp(b->model, r->part->model.name) != 0) {
    return;
  }
  if (is_new && strcmp(trouble, batch_trouble_word(TROUBLE_QUEUE_FULL)) == 0 && b->tokens > 1) {
    r->most_tokens = b->tokens / 2;
  }
  if (strcmp(b->state, "begun") == 0 || strcmp(b->state, "sent") == 0) {
    r->open++;
    r->open_tokens += b->tokens > 0 ? b->tokens : 0;
  }
}

static Room room_of(Dispatch *d, const DispatchPart *part) {
  Room r = {.part = part, .now = now_ms()};
  DeskBatches batches;
  Err ignored = {0}; /* it is a guess: the provider says so again */
  desk_batches(d->desk, BATCHES_ALL, &batches, &ignored);
  for (int i = 0; i < batches.n; i++) {
    look_at_batch(&r, &batches.list[i].row);
  }
  desk_batches_free(&batches);
  return r;
}

/* The smaller of two, where 0 and less are no limit. */
static long long smaller(long long a, long long b) {
  return a <= 0 ? b : b <= 0 ? a : a < b ? a : b;
}

int parcel_cut(Dispatch *d, DispatchPart *part, DispatchRow *rows, int n,
               const ParcelLimits *limits, Report *report) {
  const Room room = room_of(d, part);
  const BatchForm *form = part->form;
  long long requests = smaller(form->most_requests, limits->requests);
  long long bytes =
      smaller(smaller(form->most_bytes, limits->bytes), smaller(part->most_bytes, room.most_bytes));
  long long tokens = smaller(limits->tokens, room.most_tokens), used = 0, weight = 0;
  int taken = 0;
  requests = part->endpoint == BATCH_EMBEDDINGS ? smaller(requests, form->most_inputs) : requests;
  if (tokens > 0 && room.open > 0 && room.open_tokens + rows[0].tokens > tokens) {
    report->waiting += n;
    report_reason(report,
                  "as many tokens wait at the provider as it takes at once: sent when a batch of "
                  "this model has ended",
                  n);
    return 0;
  }
  weight = room.open_tokens;
  while (taken < n && (requests <= 0 || taken < requests)) {
    const DispatchRow *row = &rows[taken];
    if (taken > 0 && ((bytes > 0 && used + row->size > bytes) ||
                      (tokens > 0 && weight + row->tokens > tokens))) {
      break;
    }
    used += row->size;
    weight += row->tokens;
    taken++;
  }
  return taken;
}

/* ---- holding */

static const DispatchGroup *group_at(const Parcel *p, int i) {
  return &p->dispatch->groups[i];
}

static BatchGroup group_for_store(const Parcel *p, int i, Reserve *reserve) {
  const DispatchGroup *g = group_at(p, i);
  return (BatchGroup){.number = i,
                      .holder = g->holder,
                      .tag = g->tag,
                      .user = g->user,
                      .conversation = g->conversation,
                      .system_hash = g->system_hash[0] ? g->system_hash : NULL,
                      .reserve = reserve};
}

/* Holds so much for all who share a holder: 1; 0 and *why; -1 and *err. */
static int hold(Parcel *p, int holder, long long nusd, Err *why, Err *err) {
  Desk *desk = p->dispatch->desk;
  const DispatchGroup *g = group_at(p, holder);
  Options who;
  Budgets budgets;
  BudgetAction ignored;
  int fits = 0;
  options_init(&who);
  who.tag = g->tag;
  who.user = g->user;
  if (budgets_begin_batch(desk->conn, &p->part->model, &who, nusd, &budgets, why) != RC_OK) {
    return why->code == ERR_BUDGET ? 0 : (*err = *why, -1);
  }
  Reserve *reserve = budgets_reserve(&budgets);
  const BatchGroup group = group_for_store(p, holder, reserve);
  if (batches_hold(desk->store, p->batch, &group, 1, err) == RC_OK) {
    fits = !reserve || reserve->outcome == RESERVE_FITS;
  }
  if (err->rc == RC_OK && !fits) {
    budgets_refuse(&budgets, desk->store, 0, &ignored, why);
  }
  if (err->rc == RC_OK && fits && budgets.capped_nusd > 0) {
    p->capped_nusd += budgets.capped_nusd;
    p->capped_at = budgets.began;
  }
  budgets_settle(&budgets, LEDGER_NULL, fits); /* (of the day's cap: as if it were spent) */
  return err->rc == RC_OK ? fits : -1;
}

/* What the next `count` rows of a holder from `from` on come to; LEDGER_NULL where nobody prices one. *end: behind them. */
static long long sum_of(const Parcel *p, int holder, int from, int count, int *end) {
  long long sum = 0;
  int i = from;
  for (; i < p->n && count > 0; i++) {
    const DispatchRow *row = &p->rows[i];
    if (group_at(p, row->group)->holder == holder) {
      int is_known = sum != LEDGER_NULL && row->held_nusd != LEDGER_NULL;
      sum = is_known ? sum + row->held_nusd : LEDGER_NULL;
      count--;
    }
  }
  *end = i;
  return sum;
}

/* As many rows of a holder as its limits have room for, the first ones: the place behind the last; -1 and *err. */
static int hold_for(Parcel *p, int holder, int rows, Err *why, Err *err) {
  int end, from = 0;
  int fits = hold(p, holder, sum_of(p, holder, 0, rows, &end), why, err);
  if (fits != 0) {
    return fits > 0 ? p->n : -1;
  }
  int step = 1;
  while (2 * step < rows) { /* powers of two: their sum is any number below rows */
    step *= 2;
  }
  for (; step > 0 && err->rc == RC_OK; step /= 2) {
    Err ignored = {0};
    long long sum = sum_of(p, holder, from, step, &end);
    if (hold(p, holder, sum, &ignored, err) == 1) {
      from = end;
    }
  }
  return err->rc == RC_OK ? from : -1;
}

enum { EVERYBODY = -1 };

/* Takes those out whose limits have no room: from `from` on, of this holder or of everybody. They stay queued, and say why. */
static int refuse(Parcel *p, int holder, int from, const char *why, Err *err) {
  Submits *rows = &p->dispatch->desk->rows;
  int kept = from;
  for (int i = from; i < p->n; i++) {
    if (holder != EVERYBODY && group_at(p, p->rows[i].group)->holder != holder) {
      p->rows[kept++] = p->rows[i];
      continue;
    }
    SubmitChange c;
    submit_change_init(&c, p->rows[i].id);
    c.error = why;
    submit_change(rows, &c, err);
  }
  p->report->refused += p->n - kept;
  report_reason(p->report, why, p->n - kept);
  p->n = kept;
  return err->rc;
}

static int refuse_together(Parcel *p, int holder, int from, const char *why, Err *err) {
  Submits *table = &p->dispatch->desk->rows;
  if (submit_begin(table, err) == RC_OK) {
    refuse(p, holder, from, why, err);
    submit_end(table, err->rc == RC_OK, err);
  }
  return err->rc;
}

/* One holder's rows: as many as fit stay. */
static int hold_or_refuse(Parcel *p, int holder, int rows, Err *err) {
  Err why = {0};
  int from = hold_for(p, holder, rows, &why, err);
  return err->rc == RC_OK && from < p->n ? refuse_together(p, holder, from, why.msg, err) : err->rc;
}

/* Each row's group, and those of the rows that it answers too. */
static void note_groups(const Parcel *p, unsigned char *is_used, int *rows_of) {
  for (int i = 0; i < p->n; i++) {
    const DispatchRow *row = &p->rows[i];
    rows_of[group_at(p, row->group)->holder]++;
    for (; row; row = row->next_same >= 0 ? &p->dispatch->same[row->next_same] : NULL) {
      is_used[row->group] = 1;
      is_used[group_at(p, row->group)->holder] = 1;
    }
  }
}

static int put_groups(Parcel *p, const unsigned char *is_used, Err *err) {
  BatchGroup chunk[DESK_CHUNK];
  Store *store = p->dispatch->desk->store;
  int n = 0, all = p->dispatch->n_groups;
  for (int i = 0; i < all && err->rc == RC_OK; i++) {
    if (is_used[i]) {
      chunk[n++] = group_for_store(p, i, NULL);
    }
    if (n == DESK_CHUNK || (i + 1 == all && n > 0)) {
      batches_hold(store, p->batch, chunk, n, err);
      n = 0;
    }
  }
  return err->rc;
}

/* The groups of all rows, and what they hold. */
static int hold_all(Parcel *p, Err *err) {
  int n = p->dispatch->n_groups;
  unsigned char *is_used = calloc((size_t)n + 1, 1);
  int *rows_of = calloc((size_t)n + 1, sizeof *rows_of);
  if (!is_used || !rows_of) {
    err_nomem(err);
  } else {
    note_groups(p, is_used, rows_of);
    for (int i = 0; i < n && p->dispatch->has_limits && err->rc == RC_OK; i++) {
      if (rows_of[i] > 0) {
        hold_or_refuse(p, i, rows_of[i], err);
      }
    }
    put_groups(p, is_used, err);
  }
  free(is_used);
  free(rows_of);
  return err->rc;
}

/* What the connection itself may still spend. 1; 0: no row is left. */
static int ask_allowance(Parcel *p, Err *err) {
  long long sum = 0;
  Err why = {0};
  for (int i = 0; i < p->n; i++) {
    sum = sum < 0 || p->rows[i].held_nusd < 0 ? -1 : sum + p->rows[i].held_nusd;
  }
  if (allowance_take_batch(p->dispatch->desk->conn, p->n, sum, &why) == RC_OK) {
    p->allowed_calls = p->n;
    p->allowed_nusd = sum;
    return 1;
  }
  if (why.code != ERR_LIMIT) {
    *err = why;
  } else {
    refuse_together(p, EVERYBODY, 0, why.msg, err);
  }
  return 0;
}

/* ---- writing it */

/* Those that begin alike stand together: by system prompt, then by the longer and the shorter beginning. */
typedef struct Sorted {
  const char *system;
  DispatchRow row;
} Sorted;

static int compare(const void *a, const void *b) {
  const Sorted *x = a, *y = b;
  int order = strcmp(x->system, y->system);
  for (int i = 1; i >= 0 && !order; i--) {
    order = (x->row.begins[i] > y->row.begins[i]) - (x->row.begins[i] < y->row.begins[i]);
  }
  return order ? order : (x->row.id > y->row.id) - (x->row.id < y->row.id);
}

static int sort_rows(Parcel *p, Err *err) {
  Sorted *list = malloc((size_t)p->n * sizeof *list + 1);
  if (!list) {
    return err_nomem(err);
  }
  for (int i = 0; i < p->n; i++) {
    list[i] = (Sorted){group_at(p, p->rows[i].group)->system_hash, p->rows[i]};
  }
  qsort(list, (size_t)p->n, sizeof *list, compare);
  for (int i = 0; i < p->n; i++) {
    p->rows[i] = list[i].row;
  }
  free(list);
  return RC_OK;
}

/* Requests that are being added. */
typedef struct Adding {
  BatchItem items[DESK_CHUNK];
  char prompts[DESK_CHUNK][HASH_HEX_SIZE];
  int n;
} Adding;

static int add_flush(Parcel *p, Adding *a, Err *err) {
  int n = a->n;
  a->n = 0;
  return n > 0 ? batches_add(p->dispatch->desk->store, p->batch, a->items, n, err) : err->rc;
}

/* `line` LEDGER_NULL: another one's answer serves it, so that it is no attempt. */
static int add_item(Parcel *p, Adding *a, const DispatchRow *row, long long line, Err *err) {
  if (row->has_prompt) {
    hash_hex(&row->prompt, a->prompts[a->n]);
  }
  a->items[a->n] = (BatchItem){.submit_id = row->id,
                               .attempt = row->attempts + (line != LEDGER_NULL),
                               .group = row->group,
                               .key = row->has_key ? &row->key : NULL,
                               .prompt_hash = row->has_prompt ? a->prompts[a->n] : NULL,
                               .held_nusd = row->held_nusd,
                               .line = line};
  a->n++;
  return a->n == DESK_CHUNK ? add_flush(p, a, err) : err->rc;
}

static int add_items(Parcel *p, Err *err) {
  Adding *a = malloc(sizeof *a);
  if (!a) {
    return err_nomem(err);
  }
  a->n = 0;
  p->size = (BatchSize){.requests = p->n};
  for (int i = 0; i < p->n && err->rc == RC_OK; i++) {
    const DispatchRow *row = &p->rows[i];
    p->size.bytes += row->size;
    p->size.tokens += row->tokens;
    add_item(p, a, row, i + 1, err);
    for (int at = row->next_same; at >= 0 && err->rc == RC_OK;) {
      add_item(p, a, &p->dispatch->same[at], LEDGER_NULL, err);
      at = p->dispatch->same[at].next_same;
    }
  }
  add_flush(p, a, err);
  free(a);
  return err->rc;
}

static int open_batch(Parcel *p, Err *err) {
  static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
  unsigned char random[BATCH_TAG - 1];
  const Model *m = &p->part->model;
  sqlite3_randomness(sizeof random, random);
  for (int i = 0; i < BATCH_TAG - 1; i++) {
    p->tag[i] = digits[random[i] & 31];
  }
  p->tag[BATCH_TAG - 1] = 0;
  snprintf(p->mark, sizeof p->mark, "llmcost-%s", p->tag);
  const BatchNew batch = {.queue = p->dispatch->desk->queue,
                          .form = p->part->form->name,
                          .provider = m->provider,
                          .model = m->name,
                          .endpoint = p->part->form->endpoints[p->part->endpoint],
                          .base_url = m->base_url,
                          .key_env = m->key_env[0] ? m->key_env : NULL,
                          .mark = p->mark,
                          .wire_tag = p->tag,
                          .now = now_ms(),
                          .lease_ms = DESK_LEASE_MS};
  p->batch = batches_open(p->dispatch->desk->store, &batch, err);
  return err->rc;
}

/* ---- lines */

enum { KEPT_BYTES = 4 << 20 };

/* Texts of requests, to be kept with those of the ledger: written together. */
typedef struct Kept {
  LedgerText list[DESK_CHUNK]; /* `text` is a place in `bytes` only when they are written */
  size_t at[DESK_CHUNK];
  Buf bytes;
  int n;
} Kept;

static int kept_flush(Store *store, Kept *k, Err *err) {
  for (int i = 0; i < k->n; i++) {
    k->list[i].text = k->bytes.data + k->at[i];
  }
  if (k->n > 0 && err->rc == RC_OK) {
    ledger_keep_texts(store, k->list, k->n, err);
  }
  k->n = 0;
  buf_clear(&k->bytes);
  return err->rc;
}

typedef struct Lines {
  Parcel *parcel;
  Buf line;
  long long n; /* lines in the spool */
  Kept kept;
  ItemResult left[DESK_CHUNK]; /* rows without one: changed or deleted before they were marked */
  int n_left;
} Lines;

static int leave_out(Lines *l, const DispatchRow *row, int is_gone, Err *err) {
  Parcel *p = l->parcel;
  l->left[l->n_left++] = (ItemResult){.submit_id = row->id,
                                      .attempt = row->attempts + 1,
                                      .outcome = is_gone ? ITEM_CANCELLED : ITEM_AGAIN,
                                      .full_nusd = LEDGER_NULL};
  if (l->n_left == DESK_CHUNK) {
    l->n_left = 0;
    batches_settle(p->dispatch->desk->store, p->batch, l->left, DESK_CHUNK, now_ms(), err);
  }
  return err->rc;
}

/* (A system prompt comes with each of its rows.) */
static int keep_text(void *arg, const LedgerText *text, Err *err) {
  Lines *l = arg;
  Kept *k = &l->kept;
  Store *store = l->parcel->dispatch->desk->store;
  for (int i = k->n - 1; i >= 0 && i >= k->n - 4; i--) {
    if (memcmp(&k->list[i].hash, &text->hash, sizeof text->hash) == 0) {
      return RC_OK;
    }
  }
  if (k->n == DESK_CHUNK || (k->n > 0 && k->bytes.n + text->n > KEPT_BYTES)) {
    kept_flush(store, k, err);
  }
  k->at[k->n] = k->bytes.n;
  k->list[k->n] = *text;
  if (err->rc == RC_OK && buf_add(&k->bytes, text->text, text->n) != RC_OK) {
    buf_clear(&k->bytes);
    return err_nomem(err);
  }
  k->n++;
  return err->rc;
}

static int add_line(Lines *l, const DispatchRow *row, Batched *b, Err *err) {
  Parcel *p = l->parcel;
  char id[BATCH_ID];
  batch_id_write(row->id, row->attempts + 1, p->tag, id);
  const BatchLine line = {.id = id,
                          .endpoint = p->part->endpoint,
                          .body = b->call.body.data,
                          .n = b->call.body.n,
                          .is_first = l->n == 0};
  buf_clear(&l->line);
  if (batch_line_add(p->part->form, &line, &l->line, err) == RC_OK &&
      spool_add(&p->spool, l->line.data, l->line.n, err) == RC_OK) {
    l->n++;
    batched_texts(b, keep_text, l, err);
  }
  return err->rc;
}

/* 1 if the cache has the answer by now: it needs no line, and is found when the batch has ended. */
static int is_known(Parcel *p, const DispatchRow *row, const Batched *b, Err *err) {
  Answer ignored;
  sqlite3_stmt *held = NULL;
  Store *store = p->dispatch->desk->store;
  int found =
      b->plan.reads && ledger_get_answer(store, &row->key, now_ms(), &ignored, &held, err) == 1;
  ledger_answer_done(store, held);
  return found;
}

/* 1 if a request goes where its batch does still: llm_models and llm_tiers may have been changed since. */
static int is_of_part(const DispatchPart *part, const Model *model) {
  return strcmp(model->name, part->model.name) == 0 &&
         strcmp(model->base_url, part->model.base_url) == 0;
}

static int make_line(Lines *l, const DispatchRow *row, int sharers, Err *err) {
  Parcel *p = l->parcel;
  Desk *desk = p->dispatch->desk;
  SubmitRow now;
  Batched b = {.plan = {.reads = 0}};
  int found = submit_get(&desk->rows, row->id, &now, err);
  int is_ours = found == 1 && now.batch_id == p->batch && now.attempts == row->attempts + 1;
  if (err->rc == RC_OK && (!is_ours || submit_asks(&now) != row->asks)) {
    leave_out(l, row, !is_ours, err);
  } else if (err->rc == RC_OK && asker_read(&desk->asker, &now, err)) {
    desk->asker.request.sharers = sharers;
    if (batched_begin(&b, desk->conn, &desk->asker.request, err) == RC_OK &&
        !is_known(p, row, &b, err) && batched_target(&b, err) == RC_OK) {
      is_of_part(p->part, &b.call.model) ? add_line(l, row, &b, err) : leave_out(l, row, 0, err);
    }
    batched_free(&b);
  }
  submit_got(&desk->rows);
  return err->rc;
}

/* How many rows from i on have its system prompt. */
static int sharers_at(const Parcel *p, int i) {
  const char *system = group_at(p, p->rows[i].group)->system_hash;
  int n = 0;
  while (system[0] && i + n < p->n &&
         strcmp(group_at(p, p->rows[i + n].group)->system_hash, system) == 0) {
    n++;
  }
  return n;
}

static int make_lines(Parcel *p, Err *err) {
  Lines *l = calloc(1, sizeof *l);
  BatchNote note;
  int sharers = 0, until = 0;
  if (!l) {
    return err_nomem(err);
  }
  l->parcel = p;
  buf_init(&l->line, LIMIT_REQUEST_BYTES * 2);
  buf_init(&l->kept.bytes, LIMIT_REQUEST_BYTES * 2);
  spool_open(&p->spool, err);
  for (int i = 0; i < p->n && err->rc == RC_OK; i++) {
    if (i >= until) {
      sharers = sharers_at(p, i);
      until = i + (sharers > 0 ? sharers : 1);
    }
    make_line(l, &p->rows[i], sharers, err);
    if (i % 256 == 0 && conn_interrupted(p->dispatch->desk->conn)) {
      err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
    }
  }
  kept_flush(p->dispatch->desk->store, &l->kept, err);
  if (l->n_left > 0 && err->rc == RC_OK) {
    batches_settle(p->dispatch->desk->store, p->batch, l->left, l->n_left, now_ms(), err);
  }
  batches_note_init(&note);
  note.requests = p->size.requests = l->n;
  if (err->rc == RC_OK) {
    batches_note(p->dispatch->desk->store, p->batch, &note, err);
  }
  buf_free(&l->line);
  buf_free(&l->kept.bytes);
  free(l);
  return err->rc;
}

/* ---- all of it */

int parcel_make(Parcel *p, Err *err) {
  Store *store = p->dispatch->desk->store;
  p->batch = 0;
  if (!ask_allowance(p, err) || open_batch(p, err) != RC_OK) {
    return err->rc == RC_OK ? 0 : -1;
  }
  if (hold_all(p, err) == RC_OK && p->n == 0) {
    batches_drop(store, p->batch, err);
    p->batch = 0;
    return err->rc == RC_OK ? 0 : -1;
  }
  if (err->rc == RC_OK && sort_rows(p, err) == RC_OK && add_items(p, err) == RC_OK) {
    batches_seal(store, p->batch, &p->size, err);
  }
  if (err->rc != RC_OK) {
    Err ignored = {0};
    batches_drop(store, p->batch, &ignored); /* (if it was sealed after all it stays) */
    return -1;
  }
  if (tell_begun(p->dispatch->desk, p->batch, err) != RC_OK || make_lines(p, err) != RC_OK) {
    Err ignored = {0};
    parcel_return(p, ITEM_AGAIN, TROUBLE_LATER, err->msg, &ignored);
    return -1;
  }
  if (p->size.requests == 0) {
    parcel_return(p, ITEM_AGAIN, TROUBLE_LATER, "nothing of it was left to be sent", err);
    return err->rc == RC_OK ? 0 : -1;
  }
  return 1;
}

void parcel_close(Parcel *p) {
  if (!p->is_sent) {
    allowance_give_batch(p->dispatch->desk->conn, p->allowed_calls, p->allowed_nusd);
    day_cap_give(p->capped_at, p->capped_nusd);
  }
  spool_close(&p->spool);
}

int parcel_return(Parcel *p, ItemOutcome outcome, BatchTrouble trouble, const char *why, Err *err) {
  Desk *desk = p->dispatch->desk;
  DeskBatch batch = {.texts = NULL};
  BatchNote note;
  long long now = now_ms();
  batches_note_init(&note);
  note.trouble = batch_trouble_word(trouble);
  note.error = why;
  note.ended_at = now;
  if (batches_note(desk->store, p->batch, &note, err) == RC_OK &&
      batches_rest(desk->store, p->batch, outcome, why, now, err) >= 0 &&
      desk_batch(desk, p->batch, &batch, err) == 1) {
    tell_outcomes(desk, &batch.row, err);
    desk_batch_free(&batch);
  }
  return err->rc;
}
