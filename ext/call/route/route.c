/*
** The route stage: which model, under which address and key, and the body it is sent.
**
** With "auto", the tier that the request's score asks for (score.h), or the nearest one that can take the request: that
** has a key, a window it fits into, and the options it has. Where none has a key, and the tiers are those that nobody has
** changed, the one provider whose key is set.
*/
#include "call/route/route.h"

#include "call/score/score.h"
#include "call/state/target.h"
#include "call/route/tiers.h"
#include "call/route/turns.h"
#include "conn/learned.h"
#include "wire/model/dialect.h"

#include "trust/access.h"
#include "money/pricing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 if the tiers are those of the catalogue. */
static int has_usual_tiers(const Config *config) {
  int n, same;
  const Tier *usual = catalogue_tiers(&n);
  same = config->n_tiers == n;
  for (int i = 0; i < n && same; i++) {
    same = strcmp(config->tiers[i].model, usual[i].model) == 0;
  }
  return same;
}

/* The keys that are at hand, as a list for a message; *first: the endpoint of the first that answers. Their number. */
static int keys_at_hand(const Endpoint **first, char *list, size_t size) {
  int n, found = 0;
  size_t used = 0;
  const Endpoint *all = catalogue_endpoints(&n);
  *first = NULL;
  list[0] = 0;
  for (int i = 0; i < n; i++) {
    Model model = {.name = "", .base_url = all[i].base_url, .key_env = all[i].key_env};
    Access access = {.key = NULL};
    Err ignored = {0};
    if (all[i].key_env[0] && access_check(&model, &access, &ignored) == RC_OK) {
      found++;
      *first = *first || !all[i].automatic[0] ? *first : &all[i];
      used += used < size ? (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
                                             all[i].key_env)
                          : 0;
    }
    access_free(&access);
  }
  return found;
}

/* No tier has a key: the provider that has one, or what there is to do. `why`: of the first tier. */
static int take_only_provider(Call *k, const Config *config, const Err *why, Err *err) {
  const Endpoint *first;
  char list[400], name[LIMIT_MODEL_NAME] = "ollama/llama3.2";
  int n = keys_at_hand(&first, list, sizeof list);
  if (first) {
    snprintf(name, sizeof name, "%s/%s", first->provider, first->automatic);
  }
  if (first && n == 1 && has_usual_tiers(config)) {
    snprintf(k->tier, sizeof k->tier, "%s", TIER_ONLY_KEY);
    k->route.at = -1;
    return target_take(k, name, err) == RC_OK ? target_prepare(k, err) : err->rc;
  }
  config_model_free(&k->model);
  if (n == 0) {
    int says_more = why->code != ERR_NO_KEY || !has_usual_tiers(config);
    return err_set(
        err, why->rc, why->code,
        "no provider's key is set: set OPENAI_API_KEY, ANTHROPIC_API_KEY or another in the"
        " environment" ERR_CURE(
            ", or SELECT llm_secret('OPENAI_API_KEY', …)") "; a local server needs none:"
                                                           " {\"model\":\"%s\"}%s%.300s%s",
        name, says_more ? ". (The first tier of llm_tiers: " : "", says_more ? why->msg : "",
        says_more ? ")" : "");
  }
  return err_set(err, why->rc, why->code,
                 "no tier of llm_tiers can be used (the first one: %.300s); set %s %.300s: name a"
                 " model, such as {\"model\":\"%s\"}, or change llm_tiers",
                 why->msg, n == 1 ? "is" : "are", list, name);
}

/* Whoever named no tier that can be had: the provider whose key is set, or what stood in the way of each. */
static int take_no_tier(Call *k, const Err *first, int only_keys, Err *err) {
  if (only_keys) {
    return take_only_provider(k, k->conn->config, first, err);
  }
  char list[600] = "";
  size_t used = 0;
  for (int i = 0; i < k->route.n && used < sizeof list; i++) {
    const TierChoice *t = &k->route.tiers[i];
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s (%s): %s", i ? "; " : "",
                             t->name, t->model, t->why);
  }
  return err_set(err, first->rc, ERR_NO_TIER, "no tier of llm_tiers can take this request: %s",
                 list);
}

/* The tier that was drawn, or the nearest that can take the request. One that is wrong must not quietly become another. */
static int take_nearest_tier(Call *k, int from, Err *err) {
  Err first = {0};
  int only_keys = 1;
  for (int i; (i = tiers_nearest(&k->route, from)) >= 0;) {
    Err why = {0};
    if (tiers_take(k, i, &why) == RC_OK) {
      return tiers_note(k, err);
    }
    if (!tiers_is_unfit(&why)) {
      return err_set(err, why.rc, why.code, "tier '%.40s' of llm_tiers: %.500s",
                     k->route.tiers[i].name, why.msg);
    }
    tiers_put_out(&k->route, i, why.msg);
    only_keys &= why.code == ERR_NO_KEY;
    first = first.rc ? first : why;
  }
  return take_no_tier(k, &first, only_keys, err);
}

/* Which tier "auto" means for this request: the cheapest where answers are judged, that of the turn before where going on
** there is cheaper, else that of its score. */
static int draw(Call *k, Err *err) {
  Score s;
  Route *route = &k->route;
  if (k->conn->set.route == ROUTE_FIRST) {
    route->drawn = 0;
    return RC_OK;
  }
  if (score_request(k, k->request, &s, err) == RC_OK) {
    route->score = s.value;
    snprintf(route->version, sizeof route->version, "%s", s.version);
    route->drawn = k->request->options->escalate ? 0 : tiers_of_score(route, s.value);
  }
  score_free(&s);
  return err->rc;
}

/* (A model that scores is asked by a request of its own, which may read the configuration anew.) */
static int take_tier(Call *k, Err *err) {
  if (tiers_copy(&k->route, k->conn->config, err) != RC_OK || draw(k, err) != RC_OK) {
    return err->rc;
  }
  int by_score = k->conn->set.route == ROUTE_SCORE && !k->request->options->escalate;
  k->route.kept = by_score ? turns_keep(k, err) : -1;
  int from = k->route.kept >= 0 ? k->route.kept : k->route.drawn;
  return err->rc == RC_OK ? take_nearest_tier(k, from, err) : err->rc;
}

/* A cascade that begins at a model which was named. */
static int take_tier_of(Call *k, const Config *config, const char *name, Err *err) {
  if (tiers_copy(&k->route, config, err) != RC_OK) {
    return err->rc;
  }
  int i = tiers_of_model(&k->route, name);
  if (i < 0) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'escalate' climbs the tiers of llm_tiers, and model '%.80s' is in none:"
                   " add it, or leave the model out",
                   name);
  }
  k->route.drawn = i;
  return tiers_take(k, i, err);
}

int route_choose(Call *k, Err *err) {
  const char *asked = k->request->model;
  /* Prices that can't be read: before anything is sent. */
  if (pricing_refresh(k->conn, NULL, err) != RC_OK) {
    return err->rc;
  }
  if (strcmp(asked, "auto") == 0) {
    return take_tier(k, err);
  }
  if (k->request->options->escalate && !k->request->beside) {
    return take_tier_of(k, k->conn->config, asked, err);
  }
  return target_take(k, asked, err) == RC_OK ? target_prepare(k, err) : err->rc;
}

int route_choose_for_show(Call *k, Err *err) {
  Err why = {0};
  if (route_choose(k, &why) == RC_OK) {
    return RC_OK;
  }
  if (why.code != ERR_NO_KEY && why.code != ERR_HOST_NOT_ALLOWED) {
    *err = why;
    return err->rc;
  }
  const Config *config = conn_config(k->conn, err);
  const char *name = k->request->model;
  if (!config) {
    return err->rc;
  }
  if (strcmp(name, "auto") == 0) {
    k->route.served = k->route.drawn;
    name = k->route.tiers[k->route.drawn].model;
    snprintf(k->tier, sizeof k->tier, "%s", k->route.tiers[k->route.drawn].name);
  }
  config_model_free(&k->model);
  if (config_model(config, name, &k->model, err) == RC_OK && target_api(k, err) == RC_OK) {
    target_prepare(k, err);
  }
  return err->rc;
}
