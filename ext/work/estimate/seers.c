/*
** See seers.h for the contract.
*/
#include "work/estimate/seers.h"

#include "base/utf8.h"
#include "call/gate/gates.h"
#include "call/gate/second.h"
#include "call/route/ready.h"
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

/* What a model may cost at most for this request. */
static long long most_of(const Seeing *s, const Model *model, Err *err) {
  const Options *o = s->k->request->options;
  const Api *api = provider_api(model->api);
  int is_exact;
  long long output = api ? provider_most_output(api, s->k->request, model) : o->max_tokens;
  long long input =
      weigh_for(s->k->conn, model, s->weight.texts,
                s->k->request->n_messages + (s->k->request->system != NULL), &is_exact, err);
  return err->rc != RC_OK || input < 0 || output <= 0
             ? -1
             : pricing_of_tokens(s->k->conn, model, input, output, err);
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
    seer->most_nusd = most_of(s, &model, err);
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
    add(&s, k->route.tiers[0].model, "score", err);
  }
  add_tiers(&s, err);
  add_gates(&s, err);
  return s.n;
}

static int is_why(const Seer *seer, const char *why) {
  return strcmp(seer->why, why) == 0;
}

long long seers_most(const Seer *list, int n) {
  long long sum = 0, answer = 0, answers = 1;
  for (int i = 0; i < n; i++) {
    answers += is_why(&list[i], "escalation");
  }
  for (int i = 0; i < n; i++) {
    int is_of_each = is_why(&list[i], "agree") || is_why(&list[i], "verifier");
    int is_answer = is_why(&list[i], "answer") || is_why(&list[i], "instead");
    if (list[i].most_nusd < 0) {
      return -1;
    }
    answer = is_answer && list[i].most_nusd > answer ? list[i].most_nusd : answer;
    sum += is_answer ? 0 : list[i].most_nusd * (is_of_each ? answers : 1);
  }
  return sum + answer;
}
