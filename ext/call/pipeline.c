/*
** The life of one request, each stage a function that can be read alone:
**
**   key → statement memo → exact cache → semantic cache → route → claim and ledger intent → call (attempt.c) → settle → answer
**
** Nothing is paid before the intent is durable, and nothing paid is returned before it is on disk.
*/
#include "call/call.h"

#include "trust/access.h"
#include "call/state/afford.h"
#include "money/counter.h"
#include "base/check.h"
#include "base/utf8.h"
#include "call/cascade.h"
#include "call/gate/gates.h"
#include "call/gate/said.h"
#include "call/limit.h"
#include "call/parked.h"
#include "call/attempt/attempt.h"
#include "call/attempt/tell.h"
#include "call/route/ready.h"
#include "call/route/route.h"
#include "call/state/texts.h"
#include "money/pricing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sorts by time: milliseconds since 1970 (11 hex digits), then 64 random bits. */
static void new_request_id(char out[REQUEST_ID_SIZE], long long ms) {
  static const char digits[] = "0123456789abcdef";
  unsigned long long random;
  sqlite3_randomness(sizeof random, &random);
  for (int i = 0; i < 11; i++) {
    out[i] = digits[(unsigned long long)ms >> (4 * (10 - i)) & 15];
  }
  for (int i = 0; i < 16; i++) {
    out[11 + i] = digits[random >> (4 * i) & 15];
  }
  out[27] = 0;
}

/* A request beside another has its name. */
static void make_request_id(Call *k) {
  if (k->request->beside && k->request->beside->request_id[0]) {
    snprintf(k->request_id, sizeof k->request_id, "%s", k->request->beside->request_id);
  } else {
    new_request_id(k->request_id, k->plan->started_ms);
  }
}

/* Tokens of the parts that make a conversation dear, as the model counts them. Where there is no
** memory for counting they stay NULL, and the call goes on. */
static int count_parts(Call *k, Err *err) {
  const Request *r = k->request;
  TokenRule rule;
  k->system_tokens = k->history_tokens = 0;
  if (!r->system && r->n_messages == 1) {
    return RC_OK;
  }
  if (counter_model_rule(k->conn, &k->model, &rule, err) != RC_OK) {
    return err->rc;
  }
  if (r->system) {
    k->system_tokens = tokens_count(&rule, r->system, strlen(r->system));
  }
  for (int i = 0; i + 1 < r->n_messages && k->history_tokens >= 0; i++) {
    long long tokens = tokens_count(&rule, r->messages[i].content, r->messages[i].n);
    k->history_tokens = tokens < 0 ? LEDGER_NULL : k->history_tokens + tokens;
  }
  return RC_OK;
}

static int take_text(Outcome *out, const char *text, size_t n, Err *err) {
  out->text = malloc(n + 1);
  if (!out->text) {
    return err_nomem(err);
  }
  memcpy(out->text, text, n);
  out->text[n] = 0;
  out->n = n;
  return RC_OK;
}

/* Starts the ledger row of a hit that saved `saved`. */
static void start_hit(Call *k, LedgerKind kind, long long saved, const char *prompt_hash,
                      Err *err) {
  make_request_id(k);
  texts_name(k, err);
  if (prompt_hash && k->conn->set.log_text == LOG_FULL) {
    /* the text that is kept is the first asker's */
    snprintf(k->prompt_hash, sizeof k->prompt_hash, "%s", prompt_hash);
  }
  call_start_row(k, 0, NULL);
  k->row.kind = kind;
  k->row.error = NULL;
  k->row.model_requested = k->request->model;
  k->row.cost_nusd = 0;
  k->row.saved_nusd = saved;
  k->row.latency_ms = now_ms() - k->plan->started_ms;
  k->has_row = 1;
}

static void note_hit(Outcome *out, LedgerKind kind, const char *model) {
  size_t n = model ? strnlen(model, sizeof out->model - 1) : 0;
  out->kind = kind;
  memcpy(out->model, n ? model : "", n);
  out->model[n] = 0;
}

/* Queues the ledger row of an exact hit. */
static int record_hit(Call *k, const Answer *a, Err *err) {
  start_hit(k, KIND_HIT_EXACT, a->cost_nusd, a->prompt_hash, err);
  k->row.provider = a->provider;
  k->row.model = a->model;
  k->row.tier = a->tier;
  return ledger_defer(k->store, &k->row, NULL, err);
}

/* Looks the key up in the exact cache. 1 found, 0 not, -1 error. */
static int from_cache(Call *k, int ledgered, Outcome *out, Err *err) {
  Answer a;
  sqlite3_stmt *held = NULL;
  int found = ledger_get_answer(k->store, &k->key, k->plan->started_ms, &a, &held, err);
  if (found == 1 && take_text(out, a.text, a.n, err) == RC_OK && ledgered) {
    record_hit(k, &a, err);
  }
  if (found == 1) {
    note_hit(out, KIND_HIT_EXACT, a.model);
  }
  ledger_answer_done(k->store, held);
  k->row.provider = k->row.model = k->row.tier = NULL; /* they were the answer's */
  return err->rc == RC_OK ? found : -1;
}

/* Looks for the answer to a question that means the same. 1 found, 0 not, -1 error. A cache that
** is damaged costs a call, not the answer. `held` goes to semantic_done. */
static int find_similar(Call *k, SemanticHit *hit, sqlite3_stmt **held, Err *err) {
  Err why = {0};
  int found = semantic_find(k->store, &k->question, hit, held, &why);
  if (found < 0 && why.rc != RC_ERROR && why.rc != SQLITE_CORRUPT) {
    *err = why; /* it could not look: what is there may be paid for already */
    return -1;
  }
  if (found < 0) {
    sqlite3_log(SQLITE_WARNING, "llmcost: %s", why.msg);
  }
  return found == 1;
}

/* The same, taken and recorded. */
static int from_semantic(Call *k, Outcome *out, Err *err) {
  SemanticHit hit;
  sqlite3_stmt *held = NULL;
  int found = find_similar(k, &hit, &held, err);
  if (found == 1 && take_text(out, hit.text, hit.n, err) == RC_OK) {
    start_hit(k, KIND_HIT_SEMANTIC, hit.cost_nusd, NULL, err);
    note_hit(out, KIND_HIT_SEMANTIC, hit.model);
    k->row.model = hit.model;
    k->row.provider = hit.provider[0] ? hit.provider : NULL;
    k->row.tier = hit.tier[0] ? hit.tier : NULL;
    k->row.similarity = hit.similarity;
    Served served = {hit.entry, k->request->n_messages == 1 ? k->question.text : NULL};
    k->row.model = out->model[0] ? out->model : NULL;
    semantic_done(k->store, held); /* (who reads can't write, on the caller's connection) */
    held = NULL;
    ledger_defer(k->store, &k->row, &served, err);
  }
  semantic_done(k->store, held);
  k->row.provider = k->row.model = k->row.tier = NULL; /* they were the entry's */
  return err->rc == RC_OK ? found : -1;
}

/* Who asks: of equal requests, what the ledger tells apart. */
static Hash asking_of(const Call *k) {
  const Options *o = k->request->options;
  const char *const parts[] = {o->tag, o->user, o->conversation};
  enum { N = sizeof parts / sizeof parts[0] };
  Hash h[1 + N] = {k->asked};
  for (int i = 0; i < N; i++) {
    if (parts[i]) {
      h[1 + i] = hash_bytes(parts[i], strlen(parts[i]), 1);
    }
  }
  return hash_bytes(h, sizeof h, 0);
}

/* The answer that the memo alone has. 1, or -1 and *err. */
static int from_memory(Call *k, const MemoAnswer *m, int ledgered, Outcome *out, Err *err) {
  const Answer a = {
      .provider = m->provider, .model = m->model, .tier = m->tier, .cost_nusd = m->cost_nusd};
  if (take_text(out, m->text, m->n, err) == RC_OK && ledgered) {
    record_hit(k, &a, err);
  }
  note_hit(out, KIND_HIT_EXACT, a.model);
  k->row.provider = k->row.model = k->row.tier = NULL; /* they are the memo's */
  return err->rc == RC_OK ? 1 : -1;
}

/* What this statement's execution already asked. 1 answered, 0 not, -1 error (the earlier failure, or a new one). Who
** had not asked it yet gets a row: a hit, or, of what had failed, that nothing was sent. */
static int from_memo(Call *k, Outcome *out, Err *err) {
  const MemoEntry *e = memo_find(k->memo, &k->asked);
  if (!e) {
    return 0;
  }
  Hash asking = asking_of(k);
  int is_first = memcmp(&asking, &e->asking, sizeof asking) == 0;
  const MemoEntry *same = memo_is_for_rows(k->memo) ? NULL
                          : is_first                ? e
                                                    : memo_find(k->memo, &asking);
  if (same) {
    out->call_id = same->call_id;
  }
  if (e->failure) {
    *err = *e->failure;
    if (!same) {
      make_request_id(k);
      call_refuse(k, "not asked again in this statement: ", err);
    }
    Err ignored = {0};
    if (e->answer) { /* the best that did not pass */
      take_text(out, e->answer->text, e->answer->n, &ignored);
    }
    return -1;
  }
  if (e->is_similar && !same) {
    return 0; /* by meaning it is found again, or not */
  }
  return e->answer ? from_memory(k, e->answer, !same, out, err) : from_cache(k, !same, out, err);
}

/* Makes the request durable; waits while another process asks the same. 1: its answer arrived,
** 0: ours to ask, -1 error. */
static int claim(Call *k, const Texts *t, Outcome *out, Err *err) {
  Err ignored = {0};
  int has_intents = k->store->mode->has_intents;
  if (!call_claim(k) && (has_intents ? ledger_take_lost(k->store, &k->key, &ignored)
                                     : ledger_was_lost(k->store, &k->key, &ignored))) {
    k->row.retry_reason = LEDGER_LOST; /* else ledger_begin looks */
  }
  long long waited = 0;
  for (;;) {
    LedgerBegin outcome;
    LedgerIntent intent = afford_intent(k);
    if (ledger_begin(k->store, &k->row, &intent, t->list, t->n, &outcome, err) != RC_OK) {
      return -1;
    }
    if (outcome == LEDGER_BEGUN) {
      k->has_claim = intent.key != NULL;
      k->claimed = k->key;
      k->was_lost = k->row.retry_reason && strcmp(k->row.retry_reason, LEDGER_LOST) == 0;
      return 0;
    }
    if (outcome == LEDGER_ANSWERED) {
      int found = from_cache(k, 1, out, err);
      if (found != 0) {
        return found;
      }
      call_start_row(k, k->row.attempt, NULL);
    } else if (outcome == LEDGER_HELD || outcome == LEDGER_OVER) {
      if (afford_wait(k, outcome, &waited, err) != RC_OK) {
        return -1;
      }
    } else if (monotonic_ms() >= k->deadline_ms) {
      err->retryable = 1;
      err_set(err, RC_ERROR, ERR_TIMEOUT, "another %s is asking the same and had no answer in time",
              has_intents ? "process" : "connection of this process");
      return -1;
    } else if (conn_sleep(k->conn, 10, err) != RC_OK) {
      return -1;
    }
  }
}

/* Who asks this again is told that its answer was lost: now, or before, if this time nothing was bought. */
static void note_lost(Call *k, int is_success) {
  Err ignored = {0};
  int has_intent = k->store->mode->has_intents && call_claim(k);
  int is_lost = k->row.kind == KIND_UNKNOWN && !has_intent;
  int is_still_lost = k->was_lost && !is_success && k->row.cost_nusd == 0;
  if (is_lost || is_still_lost) {
    ledger_note_lost(k->store, &k->key, &ignored);
  } else if (k->was_lost &&
             !k->store->mode->has_intents) { /* (before the call it was only looked at) */
    ledger_take_lost(k->store, &k->key, &ignored);
  }
}

/* Writes the last attempt's row and, where it may be kept, the answer. What can't be written is queued, or, where
** that would keep less than the provider was paid for, is to be parked: an error where it is a success. */
static int settle(Call *k, const Outcome *out, int is_success, int *parks, Err *err) {
  Answer a = call_answer(k);
  int keep = k->text && k->cacheable && k->plan->keeps;
  Err write = {0};
  Answer *answers = keep                    ? &a
                    : k->text && out->split ? out->split(out->split_arg, k->text, k->n, &write)
                                            : NULL;
  *parks = write.rc == RC_NOMEM;
  if (*parks) {
    return err_nomem(err);
  }
  write = (Err){0};
  unfit_write(k);
  const LedgerEnd end = call_end(k, answers, 0);
  if (ledger_settle(k->store, &k->row, &end, &write) == RC_OK) {
    note_lost(k, is_success);
    return RC_OK;
  }
  int is_told = is_success && k->store->mode->tells_failure;
  *parks = write.rc == RC_NOMEM || (is_told && !keep) ||
           ledger_queue(k->store, &k->row, &end, err) != RC_OK;
  if (write.rc == RC_NOMEM || err->rc != RC_OK) {
    return err_nomem(err);
  }
  return !is_told ? RC_OK
                  : err_set(err, write.rc, ERR_STORE,
                            "the answer was paid for but can't be stored (%.300s); it is kept in "
                            "memory: make "
                            "room and run the "
                            "statement again on this connection",
                            write.msg);
}

/* What the caller says of the answer; without memory nothing. */
static void note_judgement(Call *k, const Outcome *out) {
  Err ignored = {0};
  cJSON *said = out->judge && k->text ? out->judge(out->judge_arg, k->text, k->n, &ignored) : NULL;
  if (said) {
    said_add(k, "summary", said, &ignored);
  }
}

/* Settles the last attempt. 1 if it is to be parked: there was no way to do that, or no memory before it for
** dealing with what the provider answered. */
static int is_to_be_parked(Call *k, Outcome *out, Err *err) {
  Err write = {0};
  int parks = 0;
  if (!k->is_open) {
    return 0;
  }
  if (k->is_unpriced ||
      (err->rc == RC_NOMEM && k->response.result == NET_ANSWERED && k->response.http_status)) {
    return 1;
  }
  if (err->rc == RC_OK) {
    note_judgement(k, out);
  }
  settle(k, out, err->rc == RC_OK, &parks, &write);
  if (err->rc == RC_OK || write.rc == RC_NOMEM) {
    *err = write;
  }
  return parks;
}

/* The call itself, its request being durable: attempts, settlement, outcome. Takes the place. 1 if it was put
** there. */
static int call_and_settle(Call *k, Parked *place, Outcome *out, Err *err) {
  k->is_open = k->has_row = 1;
  cascade_run(k, err);
  int parks = is_to_be_parked(k, out, err);
  out->call_id = k->row.id;
  out->kind = k->row.kind;
  out->read_tokens = k->row.cached_input_tokens > 0 ? k->row.cached_input_tokens : 0;
  snprintf(out->model, sizeof out->model, "%s", k->row.model ? k->row.model : k->model.name);
  if (parks) {
    parked_put(place, k);
  } else {
    free(place);
  }
  if (err->rc == RC_OK || err->code == ERR_GATE) {
    out->text = k->text;
    out->n = k->n;
    out->reasoning = k->reasoning;
    out->logprobs = k->request->options->logprobs ? k->logprobs : NULL;
    k->text = k->reasoning = NULL;
    k->logprobs = out->logprobs ? NULL : k->logprobs;
  }
  return parks;
}

/* The first attempt, held and durable: 0. 1: its answer arrived meanwhile; -1 error. */
static int admit(Call *k, long long attempt, const Texts *texts, Outcome *out, Err *err) {
  int claimed = -1;
  if (afford_begin(k, err) == RC_OK) {
    call_start_row(k, attempt, NULL);
    claimed = claim(k, texts, out, err);
    if (claimed != 0) {
      afford_settle(k, 0, 0);
    }
  }
  return claimed;
}

/* The same; once more at the cheapest tier, where the limit in the way asks for that. */
static int admit_somewhere(Call *k, const Texts *texts, Outcome *out, Err *err) {
  long long attempt = k->attempts_made + 1;
  int claimed = admit(k, attempt, texts, out, err);
  if (claimed < 0 && err->code == ERR_BUDGET && k->over == BUDGET_ON_CHEAPEST) {
    Err why = {0};
    Moved moved = ready_cheapest(k, &why);
    if (moved == MOVED) {
      err_clear(err);
      claimed = admit(k, attempt, texts, out, err);
    } else if (moved == MOVE_FAILED) {
      *err = why;
    }
  }
  return claimed;
}

/* Whoever waits for its answer does so no longer: it is there by now, or will not be. */
static void release(Call *k) {
  if (k->has_claim) {
    ledger_release(k->store, &k->claimed);
    k->has_claim = 0;
  }
}

/* Everything from the route on: the request is not in the cache. */
static int ask(Call *k, Outcome *out, Err *err) {
  Texts texts = {0};
  int claimed = -1;
  if (node_may_change(&k->conn->node, err) != RC_OK) {
    return err->rc;
  }
  Parked *place = parked_reserve(k->conn, err);
  make_request_id(k);
  if (place && texts_name(k, err) == RC_OK && texts_list(k, &texts, err) == RC_OK &&
      route_choose(k, err) == RC_OK && ready_wait(k, err) == RC_OK &&
      count_parts(k, err) == RC_OK && call_turn(k, err) == RC_OK) {
    claimed = admit_somewhere(k, &texts, out, err);
  }
  if (claimed == 0) {
    k->texts = texts.list;
    k->n_texts = texts.n;
    call_and_settle(k, place, out, err);
    k->texts = NULL;
    k->n_texts = 0;
    release(k);
  } else {
    free(place);
  }
  if (claimed < 0) {
    call_refuse(k, "", err);
  }
  texts_done(&texts);
  return err->rc;
}

/* Goes on with the same request where memory ran out before. 1: done, whatever it came to; 0: it is to be asked
** (what waited was no answer). */
static int go_on(Call *k, Outcome *out, Err *err) {
  Parked *place = parked_any(k->conn) ? parked_reserve(k->conn, err) : NULL;
  if (!place || !parked_take(k)) {
    free(place);
    return err->rc != RC_OK;
  }
  Err failure = {0};
  int attempts = k->attempts_left;
  int was_answered = k->response.result == NET_ANSWERED && k->response.http_status / 100 == 2;
  k->attempts_left = was_answered ? attempts : 1;
  int is_parked = call_and_settle(k, place, out, &failure);
  if (was_answered || is_parked) {
    *err = failure;
    return 1;
  }
  access_free(&k->access);
  k->attempts_left = attempts;
  return 0;
}

static void start_call(Call *k, Conn *conn, const Request *request, Memo *memo, const Plan *plan) {
  memset(k, 0, sizeof *k);
  k->conn = conn;
  k->request = request;
  k->plan = plan;
  k->memo = plan->is_memoed ? memo : NULL;
  k->system_tokens = k->history_tokens = LEDGER_NULL;
  k->ask_beside = pipeline_run;
  k->wants_logprobs = request->options->logprobs;
  k->attempts_made = request->beside ? request->beside->attempts : 0;
  k->route = (Route){.drawn = -1, .served = -1, .kept = -1, .at = -1, .score = NAN};
  k->attempts_left = plan->attempts;
  k->deadline_ms = plan->deadline_ms;
}

int call_start_show(Call *k, Conn *conn, const Request *request, const Plan *plan, Err *err) {
  start_call(k, conn, request, NULL, plan);
  k->store = conn_store(conn, 0, err);
  return err->rc;
}

int call_start(Call *k, Conn *conn, const Request *request, Memo *memo, const Plan *plan,
               Err *err) {
  start_call(k, conn, request, memo, plan);
  k->store = conn_store(conn, 1, err);
  if (k->store) {
    call_name(k, request, err);
    k->asked = k->key;
  }
  return err->rc;
}

/* Remembers the outcome for the rest of the statement; the answer only where the cache does not
** have it. */
static void remember(Call *k, const Outcome *out, const Err *err) {
  const LedgerRow *row = &k->row;
  int is_hit = row->kind == KIND_HIT_EXACT || row->kind == KIND_HIT_SEMANTIC;
  int is_cached = k->plan->ttl_ms == OPTION_UNSET && !k->route.is_stopgap &&
                  (k->cacheable || row->kind == KIND_HIT_EXACT);
  const MemoAnswer answer = {.text = out->text,
                             .n = out->n,
                             .cost_nusd = is_hit ? row->saved_nusd : row->cost_nusd,
                             .provider = row->provider,
                             .model = row->model ? row->model : k->model.name,
                             .tier = row->tier};
  const MemoEntry e = {.key = k->asked,
                       .asking = asking_of(k),
                       .answer = out->text && !is_cached ? &answer : NULL,
                       .failure = err->rc == RC_OK ? NULL : err,
                       .call_id = out->call_id,
                       .is_similar = row->kind == KIND_HIT_SEMANTIC};
  if (k->memo && err->rc != RC_NOMEM && err->rc != RC_INTERRUPT) {
    memo_add(k->memo, &e);
  }
}

/* Writes the row now where the caller wants to see it. */
static void write_row_now(Call *k, Outcome *out, long long newest) {
  Err ignored;
  err_clear(&ignored);
  if (out->wants_row && k->has_row && !out->call_id && ledger_flush(k->store, &ignored) == RC_OK &&
      k->store->last_call_id != newest) {
    out->call_id = k->store->last_call_id;
  }
}

static const ConnSlot counting_slot = {.size = sizeof(Counting)};

/* The stages, in their order. */
static int run(Call *k, Outcome *out, Err *err) {
  Err later;
  err_clear(&later);
  ledger_flush_if_due(k->store, &later); /* what can't be written now stays queued */
  long long newest = k->store->last_call_id;
  conn_trim_if_due(k->conn);
  int found = from_memo(k, out, err), was_asked = found != 0;
  if (found == 0) {
    if (k->plan->keeps_similar && call_make_question(k, err) != RC_OK) {
      found = -1;
    }
    found = found == 0 ? go_on(k, out, err) : found;
    found = found == 0 && k->plan->reads ? from_cache(k, 1, out, err) : found;
    if (found == 0 && k->plan->reads_similar) {
      found = from_semantic(k, out, err);
    }
    if (found == 0) {
      ask(k, out, err);
    }
    CHECK(err->rc != RC_OK || out->text);
    CHECK(!k->is_open || k->row.id || !k->store->mode->has_intents); /* what was sent has its row */
  }
  if (!was_asked || k->has_row) {
    write_row_now(k, out, newest);
    remember(k, out, err);
  }
  if (k->trial) {
    ready_release(k);
  }
  out->attempts = k->attempts_made;
  out->cost_nusd = k->spent_nusd;
  if (k->gates && out->call_id) { /* not a row beside it */
    k->store->last_call_id = out->call_id;
  }
  return err->rc;
}

int gated_open(Conn *conn, const Request *request, Gated *gated, Err *err) {
  gated->request = request;
  if (gates_read(conn, request, &gated->gates, err) == RC_OK && gated->gates) {
    gated->with = *request;
    gated->with.gate = gated->gates->tree;
    gated->request = &gated->with;
  }
  if (request->options->by_tag && err->rc == RC_OK) {
    gated->with = *gated->request;
    gated->with.options = &gated->options;
    gated->options = *request->options;
    gated->request = &gated->with;
    limit_by_tag(conn, request->model, &gated->options, err);
  }
  return err->rc;
}

void gated_close(Gated *gated) {
  gates_free(gated->gates);
  gated->gates = NULL;
}

static void note_gates(Call *k, const Gated *gated) {
  k->gates = gated->gates;
  k->wants_logprobs |= gates_want_logprobs(gated->gates);
}

static int run_gated(Conn *conn, const Request *request, Memo *memo, Outcome *out, Err *err) {
  Call k;
  Plan plan;
  Gated gated;
  if (plan_make(conn, request, &plan, err) != RC_OK) {
    return err->rc;
  }
  if (gated_open(conn, request, &gated, err) == RC_OK &&
      call_start(&k, conn, gated.request, memo, &plan, err) == RC_OK) {
    note_gates(&k, &gated);
    run(&k, out, err);
    call_free(&k);
  }
  gated_close(&gated);
  return err->rc;
}

int pipeline_run(Conn *conn, const Request *request, Memo *memo, Outcome *out, Err *err) {
  out->kind = KIND_REFUSED; /* until it is more than that */
  const Counting *counting = conn_slot_if_any(conn, &counting_slot);
  return counting && counting->take ? counting->take(counting->arg, request, out, err)
                                    : run_gated(conn, request, memo, out, err);
}

void pipeline_tell(const Request *request, Err *err) {
  enum { TAG = 80 };
  char tag[TAG] = "";
  size_t n = strlen(err->msg);
  int is_paid = cascade_is_no_answer(err->code) && request->options->on_error == ON_ERROR_ERROR;
  if (request->options->tag) {
    utf8_copy(tag, sizeof tag, request->options->tag);
  }
  if (on_error_covers(err) && (tag[0] || is_paid)) {
    snprintf(err->msg + n, sizeof err->msg - n, " (%s%s%s%s%s)", tag[0] ? "tag '" : "", tag,
             tag[0] ? "'" : "", tag[0] && is_paid ? "; " : "",
             is_paid ? "on_error 'null' lets other rows go on" : "");
  }
}

/* 1 if the semantic cache has an answer to it, as it stands. */
static int is_similar_kept(Call *k, Err *err) {
  SemanticHit hit;
  sqlite3_stmt *held = NULL;
  int found = call_make_question(k, err) == RC_OK && find_similar(k, &hit, &held, err) == 1;
  semantic_done(k->store, held);
  return found;
}

const char *call_look(Call *k, Conn *conn, const Gated *gated, const Plan *plan, Err *err) {
  Outcome out = {0};
  const Request *request = gated->request;
  const char *found = "miss";
  start_call(k, conn, request, NULL, plan);
  k->ask_beside = NULL;
  note_gates(k, gated);
  k->store = conn_store(conn, 0, err);
  if (err->rc == RC_OK && call_name(k, request, err) == RC_OK && k->store && plan->reads) {
    int is_kept = from_cache(k, 0, &out, err);
    found = is_kept == 1                                                     ? CALL_LOOK_HIT
            : is_kept == 0 && plan->reads_similar && is_similar_kept(k, err) ? CALL_LOOK_SIMILAR
                                                                             : found;
  }
  free(out.text);
  return !plan->reads ? plan->name : found;
}

int call_count_with(Conn *conn, Counting with, Err *err) {
  Counting *counting = conn_slot(conn, &counting_slot, err);
  if (counting) {
    *counting = with;
  }
  return err->rc;
}

int call_is_counted(const Conn *conn) {
  const Counting *counting = conn_slot_if_any(conn, &counting_slot);
  return counting && counting->take;
}
