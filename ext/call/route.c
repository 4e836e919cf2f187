/*
** The route stage: which model, under which address and key, and the body it is sent.
**
** A plain router: with "auto", the first tier by rank whose model has a key.
*/
#include "call/call.h"

#include "conn/learned.h"
#include "wire/dialect.h"

#include "trust/access.h"
#include "money/pricing.h"

#include <stdio.h>
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

/* Looks up one model and its access. A model that is known but can't be called stays in
** k->model, for the ledger. */
static int take_model(Call *k, const Config *config, const char *name, Err *err) {
  config_model_free(&k->model);
  if (config_model(config, name, &k->model, err) == RC_OK &&
      access_check(&k->model, &k->secret, err) == RC_OK) {
    check_supports(&k->model, err);
    k->api = k->request->wants_vectors ? embedding_api(&k->model, err) : provider_api(k->model.api);
    if (!k->api) {
      err_set(err, RC_ERROR, ERR_BAD_API, "model '%.80s': api '%.40s' in llm_models (valid: %s)",
              name, k->model.api, PROVIDER_APIS);
    }
  }
  return err->rc;
}

static int take_first_tier(Call *k, const Config *config, Err *err) {
  Err first = {0};
  for (int i = 0; i < config->n_tiers; i++) {
    Err why = {0};
    if (take_model(k, config, config->tiers[i].model, &why) == RC_OK) {
      snprintf(k->tier, sizeof k->tier, "%s", config->tiers[i].name);
      return RC_OK;
    }
    if (why.code != ERR_NO_KEY) { /* a tier that is wrong must not quietly become a dearer one */
      return err_set(err, why.rc, why.code, "tier '%.40s' of llm_tiers: %.500s",
                     config->tiers[i].name, why.msg);
    }
    first = i == 0 ? why : first;
  }
  if (config->n_tiers == 0) {
    return err_set(err, RC_ERROR, ERR_NO_TIER, "llm_tiers is empty: give a model, or add a tier");
  }
  config_model_free(&k->model);
  return err_set(err, first.rc, first.code,
                 "no tier of llm_tiers can be used; the first one: %.400s", first.msg);
}

int route_choose(Call *k, Err *err) {
  const char *asked = k->request->model;
  /* Prices that can't be read: before anything is sent. */
  if (pricing_refresh(k->conn, NULL, err) != RC_OK) {
    return err->rc;
  }
  const Config *config = k->conn->config;
  return strcmp(asked, "auto") == 0 ? take_first_tier(k, config, err)
                                    : take_model(k, config, asked, err);
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
  k->how.rejected = k->rejected;
  k->how.why = k->rejected_why;
  buf_free(&k->body);
  buf_init(&k->body, LIMIT_REQUEST_BYTES);
  return err->rc == RC_OK ? k->api->build(k->request, &k->model, &k->how, &k->body, err) : err->rc;
}
