/*
** The call stage: attempts at one request. One budget of attempts covers every reason to try again.
*/
#include "call/attempt/attempt.h"

#include "call/attempt/judge.h"
#include "call/attempt/tell.h"
#include "call/route/ready.h"
#include "call/state/target.h"
#include "call/route/tiers.h"
#include "conn/learned.h"
#include "call/state/afford.h"
#include "money/pricing.h"
#include "wire/answer/failure.h"
#include "core/request/retry.h"
#include "trust/node/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int post(Call *k, NetResponse *response, Err *err) {
  HeaderLines lines;
  char client_id[64];
  const Settings *set = &k->conn->set;
  snprintf(client_id, sizeof client_id, "X-Client-Request-Id: %s-%lld", k->request_id,
           k->row.attempt);
  headers_begin(&lines);
  headers_add(&lines, "Content-Type: application/json");
  headers_add(&lines, client_id);
  headers_add_model(&lines, &k->access.headers, k->access.key, k->api->auth, k->api->fixed_header);
  long long left = k->deadline_ms - monotonic_ms();
  NetRequest request = {.url = k->url,
                        .headers = lines.at,
                        .body = k->body.data,
                        .n = k->body.n,
                        .connect_ms = (long)set->connect_timeout_ms,
                        .idle_ms = (long)set->idle_timeout_ms,
                        .has_begun = k->how.streams ? body_has_begun : NULL,
                        .is_done = reply_is_done,
                        .total_ms = (long)(left > 1 ? left : 1),
                        .proxy = set->proxy,
                        .ca_file = env_get("LLMCOST_CA"),
                        .interrupted = conn_interrupted,
                        .interrupt_arg = k->conn};
  int rc = conn_post(k->conn, &request, response, err);
  headers_wipe(&lines);
  if (rc != RC_OK || response->result == NET_NO_MEMORY) {
    conn_drop_net(k->conn); /* what libcurl could not finish making, it might go on with */
  }
  return rc;
}

/* What of the form in which the answer was asked for an error answer refuses: REFUSES_… Such answers are not billed. */
static unsigned refusal_of(const Call *k) {
  const NetResponse *r = &k->response;
  Failure f;
  int is_asked = k->how.streams || k->how.base64;
  if (!is_asked || r->result != NET_ANSWERED || r->body.n == 0 || r->body.n > LIMIT_ANSWER_ROOM ||
      (r->http_status / 100 == 2 && !judge_is_refusal(r))) {
    return 0;
  }
  if (failure_read(r->content_type, r->body.data, r->body.n, &f) != RC_OK) {
    return 0;
  }
  StreamRefusal of_stream = failure_refuses_stream(&f, r->http_status);
  if (k->how.base64) {
    return r->http_status / 100 == 4 && failure_refuses_base64(&f) ? REFUSES_BASE64 : 0;
  }
  return of_stream == NO_STREAM                                 ? REFUSES_STREAM
         : of_stream == NO_STREAM_OPTIONS && k->how.wants_usage ? REFUSES_STREAM_OPTIONS
                                                                : 0;
}

/* Sends; in another form where that is refused, again. Nothing of what it is asked in is billed before. What is refused is
** remembered where the other form is answered. */
static int send_request(Call *k, Err *err) {
  unsigned refused;
  net_response_free(&k->response);
  for (;;) {
    Err why = {0}; /* what can't be decoded just now is judged later */
    if (post(k, &k->response, err) != RC_OK || net_decode(&k->response, &why) != RC_OK ||
        (refused = refusal_of(k)) == 0 || (k->refused & refused)) {
      break;
    }
    k->refused |= refused;
    if (target_prepare(k, err) != RC_OK || call_turn(k, err) != RC_OK) {
      break;
    }
    net_response_free(&k->response);
  }
  if (k->refused && k->response.http_status / 100 == 2) {
    learned_add(k->conn, k->model.name, k->refused);
  }
  return err->rc;
}

/* The answer of an attempt: from the provider, or the one that waited for memory. */
static int get_answer(Call *k, Err *err) {
  if (k->has_answer) {
    int was_sent = k->response.result != NET_ANSWERED || k->response.http_status;
    k->has_answer = 0;
    return was_sent ? RC_OK : err_nomem(err);
  }
  return send_request(k, err);
}

/* What the provider calls this request: its support asks for it. */
static void note_request_id(Call *k) {
  snprintf(k->provider_request_id, sizeof k->provider_request_id, "%s", k->response.request_id);
  tell_scrub_code(k, k->provider_request_id);
  k->row.provider_request_id = k->provider_request_id[0] ? k->provider_request_id : NULL;
}

/* Sends once and fills the row and the outcome. */
static int send_and_judge(Call *k, Verdict *v, Err *err) {
  const NetResponse *response = &k->response;
  if (get_answer(k, err) != RC_OK) {
    judge_note(k, judge_kind(k), 0, err); /* nothing was sent */
    return err->rc;
  }
  k->row.latency_ms = response->elapsed_ms;
  k->row.http_status = response->http_status ? response->http_status : LEDGER_NULL;
  k->row.error = NULL;
  note_request_id(k);
  if (net_decode(&k->response, err) != RC_OK) {
    judge_note(k, KIND_UNKNOWN, LEDGER_NULL, err);
  } else if (response->http_status / 100 <= 2) { /* none, too: nothing came */
    judge_answer(k, response, v, err);
  } else {
    judge_failure(k, response, v, err);
  }
  tell_withhold_key(k, err);
  return err->rc;
}

/* With the prices of just before: an interrupt that comes with the answer lets nothing be read any more. (Where the answer
** is here already, those that can be read.) */
static void attempt_once(Call *k, Verdict *v, Err *err) {
  *v = (Verdict){.delay_ms = -1, .named_ms = -1};
  if (!k->has_answer && pricing_refresh(k->conn, NULL, err) != RC_OK) {
    judge_note(k, judge_kind(k), 0, err); /* nothing was sent */
    return;
  }
  int is_pinned = !k->has_answer;
  if (is_pinned) {
    conn_pin(k->conn);
  }
  send_and_judge(k, v, err);
  if (is_pinned) {
    conn_unpin(k->conn);
  }
}

/* Makes the attempt of k->row durable, once limits have room for it. */
static int begin_next(Call *k, long long previous, Err *err) {
  LedgerBegin outcome = LEDGER_HELD;
  long long waited = 0;
  do {
    LedgerIntent intent = afford_intent(k);
    ledger_begin_next(k->store, previous, &k->row, &intent, &outcome, err);
  } while (err->rc == RC_OK && outcome != LEDGER_BEGUN &&
           afford_wait(k, outcome, &waited, err) == RC_OK);
  return err->rc;
}

/* Goes where the next attempt is to go, after its wait. An error where there is nowhere to go. */
static int go(Call *k, const Next *next, const Err *failure, Err *err) {
  char why[160];
  /* (what its gates said stands in its row) */
  snprintf(why, sizeof why, "attempt %lld: %.120s", k->row.attempt,
           failure->code == ERR_GATE ? "its answer did not pass its gates" : failure->msg);
  Moved moved = !next->moves      ? STAYED
                : next->escalates ? ready_move(k, MOVE_UP, why, err)
                                  : ready_leave(k, next->to, why, err);
  if (moved == STAYED && !next->waits) {
    *err = *failure;
  }
  if (err->rc == RC_OK && moved == STAYED) {
    conn_sleep(k->conn, next->delay_ms, err);
  }
  return err->rc == RC_OK ? ready_wait(k, err) : err->rc;
}

/* Makes the next attempt durable. On failure k->row is the failed attempt again. */
static int begin(Call *k, const char *reason, Err *err) {
  LedgerRow failed = k->row;
  /* with what was rejected; and where the answer waited for memory, its request was given up */
  if ((k->rejected || !k->body.data) && target_prepare(k, err) != RC_OK) {
    return err->rc;
  }
  if (call_turn(k, err) != RC_OK || afford_begin(k, err) != RC_OK) {
    return err->rc;
  }
  call_start_row(k, k->attempts_made + 1, reason);
  if (begin_next(k, failed.id, err) != RC_OK) {
    k->row = failed;
    afford_settle(k, 0, 0);
  }
  return err->rc;
}

/* Goes on and makes the next attempt durable. Where memory runs out on the way, the call is where its last answer came from:
** that is what waits for memory, under the key it was asked by. */
static int move_on(Call *k, const Next *next, const char *reason, const Err *failure, Err *err) {
  const Hash key = k->key;
  int was = k->route.served, is_stopgap = k->route.is_stopgap;
  if (go(k, next, failure, err) != RC_OK || begin(k, reason, err) != RC_OK) {
    if (err->rc == RC_NOMEM) {
      tiers_return(k, was);
      k->route.is_stopgap = is_stopgap;
      k->key = key;
    }
  }
  return err->rc;
}

/* The next attempt is refused: a row of its own, and the call's stays that of the attempt before. */
static void note_refused(Call *k, const Err *why) {
  const LedgerRow row = k->row;
  const int has_row = k->has_row, is_recorded = k->is_recorded;
  char error[sizeof k->error], hash[sizeof k->answer_hash];
  memcpy(error, k->error, sizeof error);
  memcpy(hash, k->answer_hash, sizeof hash);
  call_refuse(k, "", why);
  memcpy(k->error, error, sizeof error);
  memcpy(k->answer_hash, hash, sizeof hash);
  k->row = row;
  k->has_row = has_row;
  k->is_recorded = is_recorded;
}

/* If there is no next attempt after all, this one stays open: settling it once more ends the intent. */
int attempt_next(Call *k, const Next *next, Err *failure) {
  Err err = {0}, memory = {0};
  char reason[sizeof k->retry_reason];
  snprintf(reason, sizeof reason, "%s",
           failure->provider_code[0] ? failure->provider_code : err_word(failure->code));
  unfit_write(k);
  const LedgerEnd end = call_end(k, NULL, 1);
  int is_queued = ledger_settle(k->store, &k->row, &end, &err) != RC_OK && err.rc != RC_NOMEM &&
                  ledger_queue(k->store, &k->row, &end, &memory) == RC_OK;
  k->is_open = !is_queued;
  k->escalated_from = next->escalates ? k->row.id : k->escalated_from;
  if (!k->store->mode->tells_failure && is_queued) {
    err = (Err){0}; /* there, a queued row is no reason to stop */
  }
  if (err.rc == RC_OK && move_on(k, next, reason, failure, &err) == RC_OK) {
    k->is_open = 1;
    net_response_free(&k->response); /* it is of the row before: nothing was sent for this one */
    k->response = (NetResponse){.result = NET_NOT_SENT};
  } else if (err.code == ERR_BUDGET) {
    note_refused(k, &err);
  }
  *failure = err;
  return err.rc;
}

/* What was learnt of the provider, for whoever asks next. */
static void note_health(Call *k, const Verdict *v, const Err *err) {
  const Trouble t = {.is_trouble = err->rc != RC_OK && v->is_trouble,
                     .is_account = v->is_account,
                     .pause_ms = v->named_ms,
                     .reason = err->provider_code[0] ? err->provider_code : err_word(err->code)};
  ready_note(k, &t);
}

/* Where the next attempt goes. 0: there is none. Up at once, where that is allowed: it costs money, and no quality. Down
** with the last attempt, or where its own model can't be had in time. */
static int plan_next(const Call *k, const Verdict *v, Next *next) {
  unsigned random;
  sqlite3_randomness(sizeof random, &random);
  *next = (Next){.to = ready_reach(k)};
  next->delay_ms =
      retry_delay_ms((int)k->row.attempt + 1, k->conn->set.backoff_ms, v->delay_ms, random);
  next->waits = v->retry && next->delay_ms <= LIMIT_RETRY_AFTER_MS &&
                monotonic_ms() + next->delay_ms < k->deadline_ms;
  next->moves = v->is_trouble && k->route.served >= 0 &&
                (next->to != MOVE_DOWN || !next->waits || k->attempts_left == 1);
  return k->attempts_left > 0 && (next->waits || next->moves);
}

/* Behind the last failure: what became of the other tiers. */
static void tell_passed_over(const Call *k, Err *err) {
  for (int i = 0; i < k->route.n && err->rc == RC_ERROR; i++) {
    const TierChoice *t = &k->route.tiers[i];
    size_t n = strlen(err->msg);
    if (t->is_out && i != k->route.served) {
      snprintf(err->msg + n, sizeof err->msg - n, "; tier '%.40s': %.120s", t->name, t->why);
    }
  }
}

int attempt_all(Call *k, Err *err) {
  for (;;) {
    Verdict v;
    Next next;
    attempt_once(k, &v, err);
    k->attempts_left--;
    afford_settle(k, k->row.cost_nusd,
                  k->response.result != NET_NOT_SENT && k->response.result != NET_STOPPED);
    note_health(k, &v, err);
    if (err->rc == RC_OK || !plan_next(k, &v, &next) || attempt_next(k, &next, err) != RC_OK) {
      tell_passed_over(k, err);
      return err->rc;
    }
  }
}
