/*
** See cascade.h for the contract.
*/
#include "call/cascade.h"

#include "base/utf8.h"
#include "call/attempt/attempt.h"
#include "call/attempt/tell.h"
#include "call/gate/gates.h"
#include "call/gate/said.h"
#include "call/gate/second.h"
#include "core/gate/agree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The best answer so far of those that did not pass. */
typedef struct Best {
  char *text, *reasoning, *logprobs; /* owned */
  size_t n;
  double score;
  long long call_id; /* of llm_calls; 0: not known yet */
  char why[280];
} Best;

static void best_free(Best *best) {
  free(best->text);
  free(best->reasoning);
  cJSON_free(best->logprobs);
}

/* Of equal ones the later: a better tier gave it. Takes the call's text. */
static void keep_better(Call *k, const GatesVerdict *v, Best *best) {
  if (best->text && v->score < best->score) {
    return;
  }
  best_free(best);
  *best = (Best){.text = k->text,
                 .reasoning = k->reasoning,
                 .logprobs = k->logprobs,
                 .n = k->n,
                 .score = v->score,
                 .call_id = k->row.id};
  k->text = k->reasoning = k->logprobs = NULL;
  snprintf(best->why, sizeof best->why, "%s: %s", v->name, v->why);
}

/* What a gate says may quote the answer: the ledger has it where it may have the answer. */
static void reject(Call *k, const GatesVerdict *v, Err *err) {
  int is_told = k->conn->set.log_text == LOG_FULL;
  snprintf(k->error, sizeof k->error, "gate: %s%s%s", v->name, is_told ? ": " : "",
           is_told ? v->why : "");
  k->row.error = k->error;
  k->cacheable = 0;
  unfit_take(k, k->text, k->n);
  err_set(err, RC_ERROR, ERR_GATE, "the answer did not pass gate %s: %s", v->name, v->why);
  err->http_status = (int)k->row.http_status;
}

/* Whether the answer that passed says the same as the best that did not: then that one was stopped for nothing. Into the row's
** `gate`. */
static int note_false_alarm(Call *k, const Best *best, Err *err) {
  double score = 0;
  const GateText before = {best->text, best->n}, now = {k->text, k->n};
  if (agree_compare(&before, &now, AGREE_AUTO, &score, NULL, err) != RC_OK) {
    return err->rc;
  }
  cJSON *item = cJSON_CreateObject();
  json_add(item, "call", cJSON_CreateNumber((double)best->call_id), err);
  json_add(item, "agrees", cJSON_CreateBool(score >= 0.5), err);
  return said_add(k, "rejected", item, err);
}

/* 1 if a failure is one of this cascade's: what was paid for is given all the same. */
static int is_end(const Err *err) {
  return err->rc == RC_ERROR && err->code != ERR_STORE && err->code != ERR_CONFIG;
}

/* Gives the best answer back, and says which it is. `failure`: why there is none that passes. */
static void give_best(Call *k, Best *best, Err *failure) {
  Err why = *failure;
  char where[96] = "", more[300] = "";
  free(k->text);
  free(k->reasoning);
  cJSON_free(k->logprobs);
  k->text = best->text;
  k->n = best->n;
  k->reasoning = best->reasoning;
  k->logprobs = best->logprobs;
  best->text = best->reasoning = best->logprobs = NULL;
  k->cacheable = 0;
  if (best->call_id) {
    snprintf(where, sizeof where, "; the best answer is that of call %lld (llm_calls.answer_hash)",
             best->call_id);
  }
  if (why.code != ERR_GATE) {
    snprintf(more, sizeof more, ", and the next tier could not be had: %.240s", why.msg);
  }
  err_clear(failure);
  failure->http_status = why.http_status;
  failure->retryable = why.retryable;
  err_set(failure, RC_ERROR, ERR_GATE, "%s (%s)%s%s",
          k->request->options->escalate ? "no answer passed its gates"
                                        : "the answer did not pass its gates",
          best->why, more, where);
}

/* The next tier: its attempts are as many as were left, one at least. */
static int climb(Call *k, Best *best, Err *err) {
  const Next next = {.moves = 1, .to = MOVE_UP, .escalates = 1};
  if (!k->request->options->escalate) {
    return err->rc;
  }
  k->attempts_left = k->attempts_left > 0 ? k->attempts_left : 1;
  free(k->rejected); /* another model is not told what this one got wrong */
  k->rejected = NULL;
  attempt_next(k, &next, err);
  best->call_id =
      best->call_id ? best->call_id : k->escalated_from; /* some stores name a row late */
  return err->rc;
}

int cascade_is_no_answer(ErrCode code) {
  return code == ERR_SCHEMA || code == ERR_LENGTH || code == ERR_NO_TEXT || code == ERR_REFUSAL ||
         code == ERR_CONTENT_FILTER || code == ERR_BAD_ANSWER;
}

/* Asks until there is an answer to judge: what is none passes no gate either. */
static int ask(Call *k, Best *best, Err *err) {
  attempt_all(k, err);
  while (err->rc == RC_ERROR && cascade_is_no_answer(err->code) && climb(k, best, err) == RC_OK) {
    attempt_all(k, err);
  }
  return err->rc;
}

static int judge(Call *k, Best *best, Err *err) {
  GatesVerdict v;
  if (gates_judge(k, &v, err) != RC_OK) { /* nobody knows whether it is fit to be kept */
    k->cacheable = 0;
    unfit_take(k, k->text, k->n);
    return err->rc;
  }
  if (v.passes) {
    return best->text ? note_false_alarm(k, best, err) : second_audit(k, err);
  }
  reject(k, &v, err);
  keep_better(k, &v, best);
  return err->rc;
}

int cascade_run(Call *k, Err *err) {
  Best best = {0};
  ask(k, &best, err);
  /* (a message that calls tools is no answer yet) */
  while (k->gates && err->rc == RC_OK && !k->calls_tools && judge(k, &best, err) != RC_OK &&
         err->code == ERR_GATE && climb(k, &best, err) == RC_OK) {
    ask(k, &best, err);
  }
  if (best.text && err->rc != RC_OK && is_end(err)) {
    give_best(k, &best, err);
  }
  best_free(&best);
  return err->rc == RC_OK ? call_wrap(k, err) : err->rc;
}
