/*
** See look.h for the contract.
*/
#include "work/estimate/look.h"

#include "base/utf8.h"
#include "money/counter.h"
#include "money/pricing.h"
#include "work/estimate/seers.h"
#include "work/estimate/weigh.h"

#include <math.h>

/* Dollars; null where that is not known. */
static void add_dollars(cJSON *tree, const char *name, Call *k, long long input, long long output,
                        Err *err) {
  long long nusd =
      err->rc == RC_OK && output >= 0
          ? pricing_of_service(k->conn, &k->model, options_service(k->request->options), input,
                               output, err)
          : -1;
  json_add(tree, name, nusd < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)nusd / 1e9), err);
}

/* What goes into thought, and what that costs as a part of the answer: as many tokens as it may have, or as answers had lately that
** were asked for the same. */
static void add_thought(cJSON *tree, Call *k, const Weight *w, Err *err) {
  Typical typical = {.reasoning = -1};
  char asked[32];
  weigh_reasoning(k->request->options, asked, sizeof asked);
  const TypicalAsk ask = {.model = k->model.name, .reasoning = asked[0] ? asked : NULL};
  if (w->thought < 0) {
    counter_typical_output(k->conn, &ask, &typical, err);
  }
  long long tokens = w->thought >= 0          ? w->thought
                     : typical.reasoning >= 0 ? llround(typical.reasoning)
                                              : -1;
  const char *are = w->thought >= 0 ? "at most" : tokens >= 0 ? "as lately" : "not known";
  cJSON *thought = json_add(tree, "reasoning", cJSON_CreateObject(), err);
  json_add(thought, "asked", asked[0] ? cJSON_CreateString(asked) : cJSON_CreateNull(), err);
  json_add(thought, "tokens", tokens < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)tokens),
           err);
  json_add(thought, "tokens_are", cJSON_CreateString(are), err);
  add_dollars(thought, "cost_usd", k, 0, tokens, err);
}

/* Tokens and prices: the input, and the most that max_tokens allows. */
static void add_estimates(cJSON *tree, Call *k, Err *err) {
  Weight w;
  if (weigh_request(k, &w, err) != RC_OK || pricing_refresh(k->conn, NULL, err) != RC_OK) {
    return;
  }
  json_add(tree, "input_tokens", cJSON_CreateNumber((double)w.input), err);
  json_add(tree, "input_tokens_are", cJSON_CreateString(w.is_exact ? "exact" : "estimated"), err);
  add_dollars(tree, "input_cost_usd", k, w.input, 0, err);
  add_dollars(tree, "max_cost_usd", k, w.input, k->request->options->max_tokens, err);
  add_thought(tree, k, &w, err);
}

/* Who would see it, and what all of that may come to. */
static void add_seers(cJSON *tree, Call *k, Err *err) {
  Seer list[MOST_SEERS];
  int n = seers_of(k, list, err);
  long long most = seers_most(list, n);
  cJSON *seen = json_add(tree, "seen_by", cJSON_CreateArray(), err);
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    cJSON *item = json_add(seen, NULL, cJSON_CreateObject(), err);
    json_add(item, "model", cJSON_CreateString(list[i].model), err);
    json_add(item, "provider", cJSON_CreateString(list[i].provider), err);
    json_add(item, "why", cJSON_CreateString(list[i].why), err);
    json_add(item, "max_cost_usd",
             list[i].most_nusd < 0 ? cJSON_CreateNull()
                                   : cJSON_CreateNumber((double)list[i].most_nusd / 1e9),
             err);
  }
  json_add(tree, "worst_case_usd",
           most < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)most / 1e9), err);
}

/* The names of the headers that the model's row adds. What they say may be a secret. */
static void add_headers(cJSON *tree, const Call *k, Err *err) {
  const Headers *headers = &k->access.headers;
  cJSON *names = headers->n ? json_add(tree, "headers", cJSON_CreateArray(), err) : NULL;
  for (int i = 0; i < headers->n && err->rc == RC_OK; i++) {
    char name[96];
    size_t n = headers->list[i].n_name;
    utf8_copy(name, n < sizeof name ? n + 1 : sizeof name, headers->list[i].line);
    json_add(names, NULL, cJSON_CreateString(name), err);
  }
}

/* What would be sent, where, and what it comes to. */
static char *describe(Call *k, const char *cache, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(k->model.name), err);
  json_add(tree, "provider", cJSON_CreateString(k->model.provider), err);
  if (k->tier[0]) {
    json_add(tree, "tier", cJSON_CreateString(k->tier), err);
  }
  json_add(tree, "url", cJSON_CreateString(k->url), err);
  json_add(tree, "cache", cJSON_CreateString(cache), err);
  char semantic[PLAN_NOTE];
  plan_semantic(k->plan, k->request, semantic);
  if (semantic[0]) {
    json_add(tree, "semantic", cJSON_CreateRaw(semantic), err);
  }
  add_estimates(tree, k, err);
  add_seers(tree, k, err);
  add_headers(tree, k, err);
  if (k->request->options->service) {
    json_add(tree, "service", cJSON_CreateString(k->request->options->service), err);
  }
  json_add(tree, "body", cJSON_CreateRaw(k->body.data), err);
  return json_print(tree, err);
}

char *look_json(Conn *conn, const Request *request, Err *err) {
  Call k;
  Plan plan;
  Gated gated;
  char *json = NULL;
  if (plan_make(conn, request, &plan, err) != RC_OK) {
    return NULL;
  }
  if (gated_open(conn, request, &gated, err) == RC_OK) {
    const char *cache = call_look(&k, conn, &gated, &plan, err);
    if (err->rc == RC_OK && route_choose_for_show(&k, err) == RC_OK) {
      json = describe(&k, cache, err);
    }
    call_free(&k);
  }
  gated_close(&gated);
  return json;
}
