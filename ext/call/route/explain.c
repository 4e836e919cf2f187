/*
** See explain.h for the contract.
*/
#include "call/route/explain.h"

#include "call/route/ready.h"
#include "call/score/score.h"
#include "call/route/tiers.h"
#include "base/utf8.h"
#include "store/health/health.h"

#include <math.h>
#include <stdio.h>

/* How much of the text that was read is shown. */
enum { SHOWN = 120 };

/* Four digits: more say nothing. */
static cJSON *rounded(double value) {
  return isnan(value) ? cJSON_CreateNull() : cJSON_CreateNumber(round(value * 1e4) / 1e4);
}

static void add_text(cJSON *tree, const char *name, const char *text, Err *err) {
  json_add(tree, name, text && text[0] ? cJSON_CreateString(text) : cJSON_CreateNull(), err);
}

static void add_score(cJSON *tree, Call *k, Err *err) {
  Score s;
  char shown[SHOWN] = "";
  if (score_request(k, k->request, &s, err) == RC_OK) {
    json_add(tree, "score", rounded(s.value), err);
    add_text(tree, "scorer", s.version, err);
    add_text(tree, "read", s.of, err);
    utf8_copy(shown, sizeof shown, s.text ? s.text : "");
    add_text(tree, "text", shown, err);
    cJSON *list = json_add(tree, "features", cJSON_CreateArray(), err);
    for (int i = 0; i < s.n_parts && err->rc == RC_OK; i++) {
      if (s.parts[i].share != 0) {
        cJSON *item = json_add(list, NULL, cJSON_CreateObject(), err);
        add_text(item, "feature", s.parts[i].name, err);
        json_add(item, "n", rounded(s.parts[i].n), err);
        json_add(item, "share", rounded(s.parts[i].share), err);
      }
    }
  }
  score_free(&s);
}

/* Why the i-th tier does not serve. */
static void add_why_not(cJSON *item, Call *k, int i, Err *err) {
  TierChoice *t = &k->route.tiers[i];
  int served = k->route.served;
  char why[sizeof t->why];
  Err unfit = {0};
  if (!t->is_out && tiers_take(k, i, &unfit) != RC_OK && unfit.rc == RC_NOMEM) {
    err_nomem(err);
  }
  k->route.served = served;
  if (t->is_out || unfit.rc) {
    add_text(item, "why_not", t->is_out ? t->why : unfit.msg, err);
  } else if (k->route.kept >= 0) {
    add_text(item, "why_not", "the conversation keeps the model of the turn before", err);
  } else if (i < k->route.drawn) {
    snprintf(why, sizeof why, "the score is not below its max_score %g", t->max_score);
    add_text(item, "why_not", why, err);
  } else {
    add_text(item, "why_not", "a tier before it takes this score", err);
  }
}

/* Until when nothing is sent there, and why. */
static void add_pause(cJSON *item, Call *k, const char *name, Err *err) {
  Model model = {0};
  Err unknown = {0};
  char why[HEALTH_REASON + 64] = "";
  if (k->store && config_model(k->conn->config, name, &model, &unknown) == RC_OK) {
    ready_tell_pause(k->store, &model, why, sizeof why, err);
    config_model_free(&model);
  }
  add_text(item, "paused", why, err);
}

static void add_tiers(cJSON *tree, Call *k, Err *err) {
  const Route *route = &k->route;
  cJSON *list = json_add(tree, "tiers", cJSON_CreateArray(), err);
  for (int i = 0; i < route->n && err->rc == RC_OK; i++) {
    cJSON *item = json_add(list, NULL, cJSON_CreateObject(), err);
    add_text(item, "tier", route->tiers[i].name, err);
    add_text(item, "model", route->tiers[i].model, err);
    json_add(item, "max_score", rounded(route->tiers[i].max_score), err);
    add_pause(item, k, route->tiers[i].model, err);
    if (i == route->served) {
      json_add(item, "why_not", cJSON_CreateNull(), err);
    } else {
      add_why_not(item, k, i, err);
    }
  }
}

char *route_explain(Call *k, Err *err) {
  if (route_choose_for_show(k, err) != RC_OK) {
    return NULL;
  }
  const Route *route = &k->route;
  cJSON *tree = cJSON_CreateObject();
  add_text(tree, "model", k->model.name, err);
  add_text(tree, "provider", k->model.provider, err);
  add_text(tree, "tier_drawn", route->drawn >= 0 ? route->tiers[route->drawn].name : NULL, err);
  add_text(tree, "tier_served", k->tier, err);
  add_text(tree, "tier_kept", route->kept >= 0 ? route->tiers[route->kept].name : NULL, err);
  add_score(tree, k, err);
  add_tiers(tree, k, err);
  return json_print(tree, err);
}
