/*
** The route stage: which model, under which address and key, and the body it is sent.
**
** With "auto", the tier that the request's score asks for (score.h), or the nearest one that can take the request: that
** has a key, a window it fits into, and the options it has. Where none has a key, and the tiers are those that nobody has
** changed, the one provider whose key is set.
*/
#include "call/route/route.h"

#include "call/route/score.h"
#include "call/route/tiers.h"
#include "call/route/turns.h"
#include "conn/learned.h"
#include "wire/dialect.h"

#include "trust/access.h"
#include "money/pricing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_supports(const Model *model, Err *err) {
  Err why = {0};
  cJSON *tree =
      model->supports[0] ? json_parse(model->supports, strlen(model->supports), "", &why) : NULL;
  int ok = !model->supports[0] || cJSON_IsObject(tree);
  cJSON_Delete(tree);
  if (why.rc == RC_NOMEM) {
    return err_nomem(err);
  }
  return ok ? RC_OK
            : err_set(err, RC_ERROR, ERR_CONFIG,
                      "model '%.80s': supports in llm_models is no JSON object", model->name);
}

/* How the model embeds; NULL and an error where it does not. */
static const Api *embedding_api(const Model *model, Err *err) {
  const Api *api =
      wire_supports(model, "embeddings", 0, err) ? provider_embedding_api(model->api) : NULL;
  if (!api) {
    err_set(err, RC_ERROR, ERR_EMBEDDER,
            "model '%.80s' is no embedding model: its row in llm_models needs api 'openai' and"
            " {\"embeddings\":true} in supports",
            model->name);
  }
  return api;
}

/* How the model answers; NULL and an error where it does not. */
static const Api *answering_api(const Model *model, Err *err) {
  const Api *api = provider_api(model->api);
  if (!api) {
    err_set(err, RC_ERROR, ERR_BAD_API, "model '%.80s': api '%.40s' in llm_models (valid: %s)",
            model->name, model->api, PROVIDER_APIS);
  } else if (wire_supports(model, "embeddings", 0, err)) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "model '%.80s' makes embeddings, not answers: embed(text, '%.80s')", model->name,
            model->name);
  }
  return err->rc == RC_OK ? api : NULL;
}

static const Api *api_of(const Call *k, Err *err) {
  return k->request->wants_vectors ? embedding_api(&k->model, err) : answering_api(&k->model, err);
}

int route_take_access(Call *k, Err *err) {
  access_wipe(k->secret);
  k->secret = NULL;
  k->refused = 0;
  if ((k->api = api_of(k, err)) != NULL && access_check(&k->model, &k->secret, err) == RC_OK) {
    check_supports(&k->model, err);
  }
  return err->rc;
}

int route_take_model(Call *k, const char *name, Err *err) {
  config_model_free(&k->model);
  return config_model(k->conn->config, name, &k->model, err) == RC_OK ? route_take_access(k, err)
                                                                      : err->rc;
}

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
    char *key = NULL;
    Err ignored = {0};
    if (all[i].key_env[0] && access_check(&model, &key, &ignored) == RC_OK) {
      found++;
      *first = *first || !all[i].automatic[0] ? *first : &all[i];
      used += used < size ? (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
                                             all[i].key_env)
                          : 0;
    }
    access_wipe(key);
  }
  return found;
}

int route_note_skipped(Call *k, Err *err) {
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
    return route_take_model(k, name, err) == RC_OK ? route_prepare(k, err) : err->rc;
  }
  config_model_free(&k->model);
  if (n == 0) {
    int says_more = why->code != ERR_NO_KEY || !has_usual_tiers(config);
    return err_set(
        err, why->rc, why->code,
        "no provider's key is set: set OPENAI_API_KEY, ANTHROPIC_API_KEY or another in the"
        " environment, or SELECT llm_secret('OPENAI_API_KEY', …); a local server needs none:"
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
      return route_note_skipped(k, err);
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
  return route_take_model(k, asked, err) == RC_OK ? route_prepare(k, err) : err->rc;
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
  if (config_model(config, name, &k->model, err) == RC_OK && (k->api = api_of(k, err)) != NULL) {
    route_prepare(k, err);
  }
  return err->rc;
}

int route_prepare(Call *k, Err *err) {
  size_t n = strlen(k->model.base_url);
  while (n > 0 && k->model.base_url[n - 1] == '/') {
    n--;
  }
  size_t path = strlen(k->api->path); /* some give it with the URL */
  int has_path = n > path && memcmp(k->model.base_url + n - path, k->api->path, path) == 0;
  int len = snprintf(k->url, sizeof k->url, "%.*s%s", (int)n, k->model.base_url,
                     has_path ? "" : k->api->path);
  if (len < 0 || len >= (int)sizeof k->url) {
    return err_set(err, RC_ERROR, ERR_BAD_URL, "base_url of model '%.80s' is too long",
                   k->model.name);
  }
  const Dialect *dialect = dialect_of(&k->model);
  unsigned refusals = k->refused | learned_refusals(k->conn, k->model.name);
  k->how.streams =
      !k->api->embeds && !(refusals & REFUSES_STREAM) && dialect_streams(dialect, &k->model, err);
  k->how.wants_usage = dialect->wants_usage && !(refusals & REFUSES_STREAM_OPTIONS);
  k->how.base64 = k->api->embeds && !(refusals & REFUSES_BASE64) &&
                  wire_supports(&k->model, "base64", dialect->takes_base64, err);
  k->how.logprobs = !k->api->embeds && k->wants_logprobs;
  k->how.rejected = k->rejected;
  k->how.why = k->rejected_why;
  buf_free(&k->body);
  buf_init(&k->body, LIMIT_REQUEST_BYTES);
  return err->rc == RC_OK ? k->api->build(k->request, &k->model, &k->how, &k->body, err) : err->rc;
}
