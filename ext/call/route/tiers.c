/*
** See tiers.h for the contract.
*/
#include "call/route/tiers.h"

#include "call/state/target.h"
#include "money/pricing.h"
#include "base/utf8.h"
#include "trust/access.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More tiers than anybody has: each is looked at for each request. */
enum { MOST_TIERS = 32 };

/* What an answer is taken to have where two models are compared, and nobody says how long it may be. */
enum { USUAL_OUTPUT = 500, BYTES_A_TOKEN = 4 };

int tiers_copy(Route *route, const Config *config, Err *err) {
  int n = config->n_tiers < MOST_TIERS ? config->n_tiers : MOST_TIERS;
  for (int i = 0; i < route->n; i++) {
    config_model_free(&route->tiers[i].left);
    free(route->tiers[i].notes);
  }
  free(route->tiers);
  *route = (Route){.drawn = -1, .served = -1, .kept = -1, .at = -1, .score = NAN};
  route->tiers = calloc((size_t)(n ? n : 1), sizeof *route->tiers);
  if (!route->tiers) {
    return err_nomem(err);
  }
  for (int i = 0; i < n; i++) {
    TierChoice *t = &route->tiers[route->n++];
    utf8_copy(t->name, sizeof t->name, config->tiers[i].name);
    utf8_copy(t->model, sizeof t->model, config->tiers[i].model);
    t->max_score = config->tiers[i].max_score;
  }
  return n ? RC_OK
           : err_set(err, RC_ERROR, ERR_NO_TIER, "llm_tiers is empty: give a model, or add a tier");
}

int tiers_of_score(const Route *route, double score) {
  int i = 0;
  while (i + 1 < route->n && !(score < route->tiers[i].max_score)) {
    i++;
  }
  return i;
}

int tiers_nearest(const Route *route, int from) {
  for (int d = 0; d < route->n; d++) {
    int below = from - d, above = from + d;
    if (below >= 0 && !route->tiers[below].is_out) {
      return below;
    }
    if (above < route->n && !route->tiers[above].is_out) {
      return above;
    }
  }
  return -1;
}

/* What the request comes to there, about; -1: nobody says, or *err. */
static long long price_of(Call *k, int i, Err *err) {
  Model model = {0};
  Err why = {0};
  long long most = k->request->options->max_tokens, nusd = -1, bytes = 0;
  for (int m = 0; m < k->request->n_messages; m++) {
    bytes += (long long)k->request->messages[m].n;
  }
  const Config *config = conn_config_kept(k->conn, err);
  if (config && config_model(config, k->route.tiers[i].model, &model, &why) == RC_OK) {
    nusd =
        pricing_of_tokens(k->conn, &model, bytes / BYTES_A_TOKEN + 1,
                          most != OPTION_UNSET && most < USUAL_OUTPUT ? most : USUAL_OUTPUT, err);
    config_model_free(&model);
  }
  return why.rc == RC_NOMEM ? (err_nomem(err), -1) : nusd;
}

int tiers_compare_price(Call *k, int a, int b, Err *err) {
  long long of_a = price_of(k, a, err), of_b = price_of(k, b, err);
  if (of_a < 0 || of_b < 0) {
    return b - a;
  }
  return of_b > of_a ? 1 : of_b < of_a ? -1 : 0;
}

void tiers_put_out(Route *route, int i, const char *why) {
  for (int j = 0; j < route->n; j++) {
    TierChoice *t = &route->tiers[j];
    if (j == i || (!t->is_out && strcmp(t->model, route->tiers[i].model) == 0)) {
      t->is_out = 1;
      utf8_copy(t->why, sizeof t->why, why);
    }
  }
}

int tiers_is_unfit(const Err *why) {
  return why->rc == RC_ERROR && (why->code == ERR_NO_KEY || why->code == ERR_BAD_OPTION ||
                                 why->code == ERR_NO_TIER || why->code == ERR_SCHEMA);
}

/* Makes the model of a tier the call's; that of the tier it was at stays there. */
static int take_model(Call *k, int i, Err *err) {
  Route *route = &k->route;
  TierChoice *t = &route->tiers[i];
  if (route->at >= 0) {
    route->tiers[route->at].left = k->model;
    memset(&k->model, 0, sizeof k->model);
  }
  route->at = i;
  if (!t->left.name) {
    return target_take(k, t->model, err);
  }
  config_model_free(&k->model);
  k->model = t->left;
  memset(&t->left, 0, sizeof t->left);
  return target_access(k, err);
}

int tiers_take(Call *k, int i, Err *err) {
  TierChoice *t = &k->route.tiers[i];
  if (take_model(k, i, err) != RC_OK || target_prepare(k, err) != RC_OK ||
      target_check_window(k, &k->model, k->request->options->max_tokens, err) != RC_OK) {
    return err->rc;
  }
  k->route.served = i;
  snprintf(k->tier, sizeof k->tier, "%s", t->name);
  return RC_OK;
}

void tiers_return(Call *k, int was) {
  Route *route = &k->route;
  Err ignored = {0};
  if (was >= 0 && route->at != was) {
    route->tiers[route->at].left = k->model;
    k->model = route->tiers[was].left;
    memset(&route->tiers[was].left, 0, sizeof route->tiers[was].left);
    route->at = was;
    k->api = provider_api(k->model.api);
    access_free(&k->access);
    access_check(&k->model, &k->access, &ignored);
  }
  if (was >= 0) {
    route->served = was;
    route->tiers[was].is_out = 0;
    snprintf(k->tier, sizeof k->tier, "%s", route->tiers[was].name);
  }
}

int tiers_of_model(const Route *route, const char *model) {
  int i = route->n - 1;
  while (i >= 0 && strcmp(route->tiers[i].model, model) != 0) {
    i--;
  }
  return i;
}

int tiers_note(Call *k, Err *err) {
  Route *route = &k->route;
  cJSON *tree = NULL, *list = NULL;
  for (int i = 0; i < route->n && err->rc == RC_OK; i++) {
    if (!route->tiers[i].is_out) {
      continue;
    }
    tree = tree ? tree : cJSON_CreateObject();
    list = list ? list : json_add(tree, "skipped", cJSON_CreateArray(), err);
    cJSON *item = json_add(list, NULL, cJSON_CreateObject(), err);
    json_add(item, "tier", cJSON_CreateString(route->tiers[i].name), err);
    json_add(item, "model", cJSON_CreateString(route->tiers[i].model), err);
    json_add(item, "why", cJSON_CreateString(route->tiers[i].why), err);
  }
  if (route->kept >= 0 && route->kept == route->served) {
    tree = tree ? tree : cJSON_CreateObject();
    json_add(tree, "kept", cJSON_CreateString("the model of the turn before"), err);
  }
  TierChoice *served = &route->tiers[route->served];
  free(served->notes);
  served->notes = tree ? json_print(tree, err) : NULL;
  return err->rc;
}
