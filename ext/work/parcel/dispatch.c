/*
** See dispatch.h for the contract.
*/
#include "work/parcel/dispatch.h"

#include "call/call.h"
#include "money/allowance.h"
#include "money/budget/budgets.h"
#include "money/pricing.h"

#include <stdlib.h>
#include <string.h>

enum {
  KEY_ELSEWHERE = 0, /* and 1 + where it stands */
  BYTES_A_TOKEN = 4,
  LINE_MORE =
      400, /* bytes of a line beside its request: ids, marks, escapes are more than that rarely */
  HOUR_MS = 3600000,
  USUAL_WINDOW =
      24 /* hours: what is due later is not asked now because its model has no batch API */
};

static int make_room(void **list, int n, int *cap, size_t size, Err *err) {
  if (n < *cap) {
    return RC_OK;
  }
  int more = *cap ? 2 * *cap : 64;
  void *bigger = realloc(*list, (size_t)more * size);
  if (!bigger) {
    return err_nomem(err);
  }
  *list = bigger;
  *cap = more;
  return RC_OK;
}

void dispatch_init(Dispatch *d, Desk *desk) {
  *d = (Dispatch){.desk = desk, .place = submit_from_start()};
}

void dispatch_clear(Dispatch *d) {
  for (int i = 0; i < d->n_parts; i++) {
    d->parts[i].n = 0;
  }
  for (int i = 0; i < d->n_others; i++) {
    free(d->others[i].error);
  }
  for (int i = 0; i < d->n_groups; i++) {
    free(d->groups[i].tag);
    free(d->groups[i].user);
    free(d->groups[i].conversation);
  }
  d->n_others = d->n_groups = d->n_same = 0;
  hash_map_free(&d->group_of);
  hash_map_free(&d->holder_of);
  for (size_t i = 0; i < d->key_of.cap; i++) { /* who was sent is elsewhere from now on */
    HashMapSlot *slot = &d->key_of.slots[i];
    slot->value = slot->value == HASH_MAP_NONE ? HASH_MAP_NONE : KEY_ELSEWHERE;
  }
}

void dispatch_free(Dispatch *d) {
  dispatch_clear(d);
  for (int i = 0; i < d->n_parts; i++) {
    config_model_free(&d->parts[i].model);
    free(d->parts[i].rows);
  }
  hash_map_free(&d->key_of);
  free(d->parts);
  free(d->groups);
  free(d->others);
  free(d->same);
}

/* ---- what is under way already */

static int take_key(void *arg, const ItemRow *item, Err *err) {
  Dispatch *d = arg;
  Hash key;
  if (item->key) {
    memcpy(key.b, item->key, sizeof key.b);
    if (hash_map_get(&d->key_of, &key) == HASH_MAP_NONE) {
      hash_map_put(&d->key_of, &key, KEY_ELSEWHERE, err);
    }
  }
  return err->rc;
}

static int read_keys(Dispatch *d, Err *err) {
  DeskBatches batches;
  desk_batches(d->desk, BATCHES_OPEN, &batches, err);
  for (int i = 0; i < batches.n && err->rc == RC_OK; i++) {
    ItemWalk walk = {.batch = batches.list[i].row.id, .which = ITEMS_OPEN, .most = DESK_CHUNK};
    do {
      batches_items(d->desk->store, &walk, take_key, d, err);
    } while (err->rc == RC_OK && walk.n == walk.most);
  }
  desk_batches_free(&batches);
  return err->rc;
}

/* ---- groups */

static Hash hash_of_texts(const char *const *texts, int n) {
  Hash h[5];
  for (int i = 0; i < n; i++) {
    h[i] = texts[i] ? hash_bytes(texts[i], strlen(texts[i]), 1) : (Hash){{0}};
  }
  return hash_bytes(h, (size_t)n * sizeof h[0], 0);
}

static char *keep(const char *text, Err *err) {
  char *kept = text ? strdup(text) : NULL;
  if (text && !kept) {
    err_nomem(err);
  }
  return kept;
}

/* The group of a request, by its number. */
static int group_of(Dispatch *d, const Call *k, Err *err) {
  const Options *o = k->request->options;
  const char *const texts[] = {o->tag, o->user, o->conversation, k->system_hash};
  const Hash name = hash_of_texts(texts, 4), holder = hash_of_texts(texts, 2);
  long long at = hash_map_get(&d->group_of, &name);
  if (at != HASH_MAP_NONE || make_room((void **)&d->groups, d->n_groups, &d->cap_groups,
                                       sizeof *d->groups, err) != RC_OK) {
    return (int)at;
  }
  int n = d->n_groups++;
  DispatchGroup *g = &d->groups[n];
  *g = (DispatchGroup){.tag = keep(o->tag, err),
                       .user = keep(o->user, err),
                       .holder = n,
                       .conversation = keep(o->conversation, err)};
  memcpy(g->system_hash, k->system_hash, sizeof g->system_hash);
  long long first = hash_map_get(&d->holder_of, &holder);
  if (first == HASH_MAP_NONE) {
    hash_map_put(&d->holder_of, &holder, n, err);
  } else {
    g->holder = (int)first;
  }
  hash_map_put(&d->group_of, &name, n, err);
  return n;
}

/* ---- parts */

static int is_asked_alike(const Model *a, const Model *b) {
  return strcmp(a->base_url, b->base_url) == 0 && strcmp(a->provider, b->provider) == 0 &&
         strcmp(a->key_env, b->key_env) == 0 && strcmp(a->auth, b->auth) == 0 &&
         strcmp(a->headers, b->headers) == 0;
}

static int is_same_part(const DispatchPart *p, const Model *m, BatchEndpoint endpoint, int hours) {
  return p->endpoint == endpoint && p->hours == hours && strcmp(p->model.name, m->name) == 0 &&
         is_asked_alike(&p->model, m);
}

static DispatchPart *part_of(Dispatch *d, const Model *m, const BatchForm *form,
                             BatchEndpoint endpoint, int hours, Err *err) {
  for (int i = 0; i < d->n_parts; i++) {
    if (is_same_part(&d->parts[i], m, endpoint, hours)) {
      return &d->parts[i];
    }
  }
  DispatchPart *more = realloc(d->parts, (size_t)(d->n_parts + 1) * sizeof *more);
  if (!more) {
    err_nomem(err);
    return NULL;
  }
  d->parts = more;
  DispatchPart *p = &more[d->n_parts];
  *p = (DispatchPart){.form = form, .endpoint = endpoint, .hours = hours};
  if (config_model_copy(m, &p->model, err) != RC_OK) {
    return NULL;
  }
  d->n_parts++;
  return p;
}

/* ---- one row */

static int add_other(Dispatch *d, long long id, DispatchWay way, const Err *why, Err *err) {
  if (make_room((void **)&d->others, d->n_others, &d->cap_others, sizeof *d->others, err) !=
      RC_OK) {
    return err->rc;
  }
  d->others[d->n_others++] =
      (DispatchOther){.id = id,
                      .way = way,
                      .embeds = d->desk->asker.embeds && d->desk->asker.request.wants_vectors,
                      .error = why ? keep(why->msg, err) : NULL};
  return err->rc;
}

/* What a request begins with, for the order in which they are sent: 1 KiB is about what the shortest prefix has that providers
** keep, 4 KiB what more of them ask for. */
static void note_beginning(const Call *k, DispatchRow *row) {
  static const size_t lengths[2] = {4096, 1024};
  const Message *m = &k->request->messages[0];
  for (int i = 0; i < 2; i++) {
    size_t n = m->n < lengths[i] ? m->n : lengths[i];
    row->begins[i] = hash_short(m->content ? m->content : "", n);
  }
}

/* What it may come to at most. Where there are limits, as exactly as for a call; else a token a byte. */
static long long worst_of(const Dispatch *d, Call *k, Err *err) {
  long long output = provider_most_output(k->api, k->request, &k->model), input;
  output = output > 0 ? output : ALLOWANCE_LONGEST;
  output = k->api->embeds ? 0 : output;
  if (!d->has_limits) {
    return pricing_of_batch(k->conn, &k->model, (long long)k->body.n, output, err);
  }
  const WorstAsk ask = {.model = &k->model,
                        .request = k->request,
                        .body = k->body.n,
                        .has_more = request_has_more(k->request),
                        .output = output,
                        .is_embedding = k->api->embeds,
                        .writes = k->how.marks ? UNIT_CACHE_WRITE : UNIT_INPUT,
                        .service = "batch"};
  return budgets_worst(k->conn, &ask, &input, err);
}

static void fill(const Dispatch *d, const SubmitRow *from, Batched *b, DispatchRow *row, Err *err) {
  Call *k = &b->call;
  *row = (DispatchRow){.id = from->id,
                       .attempts = from->attempts,
                       .held_nusd = worst_of(d, k, err),
                       .asks = submit_asks(from),
                       .key = k->key,
                       .has_key = b->plan.keeps,
                       .size = (int)k->body.n + LINE_MORE,
                       .tokens = (int)(k->body.n / BYTES_A_TOKEN),
                       .next_same = -1};
  row->has_prompt = hash_parse(k->prompt_hash, &row->prompt);
  row->held_nusd = row->held_nusd < 0 ? LEDGER_NULL : row->held_nusd;
  note_beginning(k, row);
}

/* Behind the row that asks the same. */
static int add_same(Dispatch *d, long long at, DispatchRow *row, Err *err) {
  DispatchPart *p = &d->parts[at / DISPATCH_MOST];
  DispatchRow *first = &p->rows[at % DISPATCH_MOST];
  if (make_room((void **)&d->same, d->n_same, &d->cap_same, sizeof *d->same, err) == RC_OK) {
    row->next_same = first->next_same;
    row->held_nusd = 0;
    first->next_same = d->n_same;
    d->same[d->n_same++] = *row;
  }
  return err->rc;
}

static int add_to_part(Dispatch *d, DispatchPart *p, const DispatchRow *row, int reads, Err *err) {
  if (make_room((void **)&p->rows, p->n, &p->cap, sizeof *p->rows, err) != RC_OK) {
    return err->rc;
  }
  p->rows[p->n] = *row;
  long long at = (p - d->parts) * (long long)DISPATCH_MOST + p->n++;
  return reads ? hash_map_put(&d->key_of, &row->key, 1 + at, err) : RC_OK;
}

/* Into a batch, or at once where its deadline is nearer than that. */
static int add_to_batch(Dispatch *d, const SubmitRow *from, Batched *b, Err *err) {
  Call *k = &b->call;
  Err none = {0};
  DispatchRow row;
  long long left = from->deadline_ms == SUBMIT_NULL ? 0 : from->deadline_ms - now_ms();
  int has_deadline = from->deadline_ms != SUBMIT_NULL;
  const BatchForm *form = batch_form_of(&k->model, &none);
  BatchEndpoint endpoint = k->api->embeds ? BATCH_EMBEDDINGS : BATCH_CHAT;
  int window = form ? form->window_least : USUAL_WINDOW;
  if (has_deadline && left < window * (long long)HOUR_MS) {
    return add_other(d, from->id, WAY_NOW, NULL, err);
  }
  if (form && !form->endpoints[endpoint]) {
    err_set(&none, RC_ERROR, ERR_BAD_API, "%s takes no embeddings by batch: embed() does them now",
            form->name);
  }
  if (none.rc != RC_OK) {
    return none.rc == RC_NOMEM ? err_nomem(err) : add_other(d, from->id, WAY_REFUSED, &none, err);
  }
  int hours = batch_form_window(form, has_deadline ? left / HOUR_MS : 0);
  fill(d, from, b, &row, err);
  row.group = group_of(d, k, err);
  long long at = b->plan.reads ? hash_map_get(&d->key_of, &k->key) : HASH_MAP_NONE;
  if (err->rc != RC_OK || at == KEY_ELSEWHERE) {
    d->waiting += err->rc == RC_OK;
    return err->rc;
  }
  if (at != HASH_MAP_NONE) {
    return add_same(d, at - 1, &row, err);
  }
  DispatchPart *p = part_of(d, &k->model, form, endpoint, hours, err);
  return p ? add_to_part(d, p, &row, b->plan.reads, err) : err->rc;
}

/* A row looked at; and, unless the cache has its answer, what is sent for it. batched_free afterwards. NULL and *err. */
static const char *look_up(Desk *desk, const SubmitRow *row, Batched *b, Err *err) {
  const Request *request = asker_read(&desk->asker, row, err);
  memset(b, 0, sizeof *b);
  const char *found = request ? batched_look(b, desk->conn, request, err) : NULL;
  int is_hit =
      found && (strcmp(found, CALL_LOOK_HIT) == 0 || strcmp(found, CALL_LOOK_SIMILAR) == 0);
  return err->rc == RC_OK && (is_hit || batched_target(b, err) == RC_OK) ? found : NULL;
}

/* What the row itself has wrong can't be mended by waiting; what the configuration, a key or a limit has, can. */
static int is_of_row(const Err *why) {
  static const ErrCode codes[] = {ERR_BAD_MESSAGES, ERR_BAD_OPTION, ERR_BAD_PROMPT, ERR_BAD_UTF8,
                                  ERR_BAD_JSON,     ERR_TOO_BIG,    ERR_SCHEMA,     ERR_NO_TIER};
  int found = 0;
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    found |= why->code == codes[i];
  }
  return found;
}

static int look_at(Dispatch *d, const SubmitRow *row, Err *err) {
  Batched b;
  Err why = {0};
  if (row->attempts >= SUBMIT_MOST_ATTEMPTS) {
    err_set(&why, RC_ERROR, ERR_FAILED,
            "%lld attempts, and no answer: UPDATE batch_submit SET attempts = 0 allows more",
            row->attempts);
    return add_other(d, row->id, WAY_FAILED, &why, err);
  }
  if (row->deadline_ms != SUBMIT_NULL && row->deadline_ms <= now_ms()) {
    err_set(&why, RC_ERROR, ERR_TIMEOUT, "its deadline was over before it was sent");
    return add_other(d, row->id, WAY_EXPIRED, &why, err);
  }
  const char *found = look_up(d->desk, row, &b, &why);
  if (!found && (why.rc == RC_NOMEM || why.rc == RC_INTERRUPT || why.code == ERR_STORE)) {
    *err = why;
  } else if (!found) {
    add_other(d, row->id, is_of_row(&why) ? WAY_FAILED : WAY_REFUSED, &why, err);
  } else if (strcmp(found, CALL_LOOK_HIT) == 0 || strcmp(found, CALL_LOOK_SIMILAR) == 0) {
    add_other(d, row->id, WAY_HIT, NULL, err);
  } else {
    add_to_batch(d, row, &b, err);
  }
  batched_free(&b);
  return err->rc;
}

int dispatch_next(Dispatch *d, Err *err) {
  SubmitRow row;
  int found = 1, n = 0;
  if (!d->key_of.cap) {
    d->has_limits = budgets_has_any(d->desk->conn, err) || d->desk->conn->set.max_usd >= 0;
    read_keys(d, err);
  }
  while (err->rc == RC_OK && n < DISPATCH_MOST &&
         (found = submit_next(&d->desk->rows, &d->place, &row, err)) == 1) {
    look_at(d, &row, err);
    n++;
    if (n % 256 == 0 && conn_interrupted(d->desk->conn)) {
      err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
    }
  }
  submit_rest(&d->desk->rows);
  d->looked += n;
  d->is_over = found == 0;
  return err->rc;
}
