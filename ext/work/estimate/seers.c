/*
** See seers.h for the contract.
*/
#include "work/estimate/seers.h"

#include "base/utf8.h"
#include "call/gate/gates.h"
#include "call/gate/second.h"
#include "call/route/ready.h"
#include "call/score/score.h"
#include "money/pricing.h"
#include "work/estimate/weigh.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The list as it grows. */
typedef struct Seeing {
  Call *k;
  Weight weight;
  Seer *list;
  int n;
} Seeing;

/* Tokens, at most (one a byte), of what stands around the prompt in a question of ours (judge_ask, score). */
enum { QUESTION_TOKENS = 700 };

static int is_why(const char *why, const char *word) {
  return strcmp(why, word) == 0;
}

static long long most_output(const Request *r, const Model *model) {
  const Api *api = provider_api(model->api);
  return api ? provider_most_output(api, r, model) : r->options->max_tokens;
}

/* What a question of ours has beyond the prompt: its words, and the answer that is judged; -1: nobody knows how long that is. */
static long long more_input(const Seeing *s, const char *why) {
  int is_verifier = is_why(why, "verifier");
  long long answer = is_verifier ? most_output(s->k->request, &s->k->model) : 0;
  return is_verifier && answer <= 0 ? -1 : QUESTION_TOKENS + answer;
}

/* What a model may cost at most for this request, or for a question of ours about it: `max_tokens` is not of those. */
static long long most_of(const Seeing *s, const Model *model, const char *why, Err *err) {
  Options o = *s->k->request->options;
  Request r = *s->k->request;
  int is_ours = is_why(why, "verifier") || is_why(why, "score"), is_exact;
  o.max_tokens = is_ours ? OPTION_UNSET : o.max_tokens;
  r.options = &o;
  long long output = most_output(&r, model), more = is_ours ? more_input(s, why) : 0;
  long long input =
      weigh_for(s->k->conn, model, s->weight.texts,
                s->k->request->n_messages + (s->k->request->system != NULL), &is_exact, err);
  return err->rc != RC_OK || input < 0 || output <= 0 || more < 0
             ? -1
             : pricing_of_service(s->k->conn, model, is_ours ? NULL : options_service(&o),
                                  input + more, output, err);
}

static int add(Seeing *s, const char *name, const char *why, Err *err) {
  Model model = {0};
  Err unknown = {0};
  if (!name || s->n == MOST_SEERS) {
    return err->rc;
  }
  Seer *seer = &s->list[s->n++];
  *seer = (Seer){.why = why, .most_nusd = -1};
  utf8_copy(seer->model, sizeof seer->model, name);
  if (config_model(s->k->conn->config, name, &model, &unknown) == RC_OK) {
    utf8_copy(seer->provider, sizeof seer->provider, model.provider);
    seer->most_nusd = most_of(s, &model, why, err);
    config_model_free(&model);
  }
  return unknown.rc == RC_NOMEM ? err_nomem(err) : err->rc;
}

/* Other tiers: those it climbs to, or that stand in. */
static void add_tiers(Seeing *s, Err *err) {
  const Route *route = &s->k->route;
  MoveTo reach = ready_reach(s->k);
  int moves = s->k->conn->set.fallback != FALLBACK_OFF || reach == MOVE_UP;
  for (int i = 0; i < route->n && moves && err->rc == RC_OK; i++) {
    int is_above = i > route->served;
    int may = i != route->served && !route->tiers[i].is_out &&
              (reach == MOVE_UP ? is_above : reach == MOVE_ANY || !is_above);
    if (may) {
      add(s, route->tiers[i].model, reach == MOVE_UP ? "escalation" : "instead", err);
    }
  }
}

static void add_gates(Seeing *s, Err *err) {
  const Gates *gates = s->k->gates;
  for (int i = 0; gates && i < gates->n && err->rc == RC_OK; i++) {
    const Gate *gate = &gates->list[i].gate;
    if (gate_need(gate->kind) == GATE_MODEL) {
      add(s, second_model(s->k, gate), gate_word(gate->kind), err);
    }
  }
  double audit =
      isnan(s->k->request->options->audit) ? s->k->conn->set.audit : s->k->request->options->audit;
  if (gates && audit > 0) {
    add(s, second_auditor(s->k), "audit", err);
  }
}

int seers_of(Call *k, Seer list[MOST_SEERS], Err *err) {
  Seeing s = {.k = k, .list = list};
  const Options *o = k->request->options;
  int scorer = o->scorer >= 0 ? o->scorer : k->conn->set.scorer;
  if (weigh_request(k, &s.weight, err) != RC_OK || pricing_refresh(k->conn, NULL, err) != RC_OK) {
    return 0;
  }
  add(&s, k->model.name, "answer", err);
  if (scorer == SCORER_VERIFIER && k->route.n && isnan(o->score)) {
    add(&s, score_model(k->conn, k->conn->config), "score", err);
  }
  add_tiers(&s, err);
  add_gates(&s, err);
  return s.n;
}

long long seers_most(const Seer *list, int n) {
  long long sum = 0, answer = 0, answers = 1;
  for (int i = 0; i < n; i++) {
    answers += is_why(list[i].why, "escalation");
  }
  for (int i = 0; i < n; i++) {
    int is_of_each = is_why(list[i].why, "agree") || is_why(list[i].why, "verifier");
    int is_answer = is_why(list[i].why, "answer") || is_why(list[i].why, "instead");
    if (list[i].most_nusd < 0) {
      return -1;
    }
    answer = is_answer && list[i].most_nusd > answer ? list[i].most_nusd : answer;
    sum += is_answer ? 0 : list[i].most_nusd * (is_of_each ? answers : 1);
  }
  return sum + answer;
}
