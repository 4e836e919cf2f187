/*
** The route stage: which model, under which address and key, and the body it is sent.
**
** A plain router for now: with "auto", the first tier whose model can be called.
*/
#include "fn/call.h"

#include "core/schema.h"
#include "fn/access.h"
#include "store/config.h"

#include <stdio.h>
#include <string.h>

/* Looks up one model and its access. On failure nothing is held. */
static int take_model(Call *k, const char *name, Err *err) {
  if (config_model(k->conn->db, name, &k->model, err) == RC_OK && access_check(&k->model, &k->secret, err) == RC_OK) {
    k->api = provider_api(k->model.api);
    if (!k->api) {
      err_set(err, RC_ERROR, "bad_api", "model '%.80s': api '%.40s' in llm_models (valid: %s)", name, k->model.api,
              PROVIDER_APIS);
    }
  }
  if (err->rc != RC_OK && err->code && strcmp(err->code, "host_not_allowed") != 0 && strcmp(err->code, "no_key") != 0) {
    config_model_free(&k->model);
  }
  return err->rc;
}

static int take_first_tier(Call *k, Err *err) {
  Tier *tiers = NULL;
  int n = 0, chosen = -1;
  Err first = {0};
  if (config_tiers(k->conn->db, &tiers, &n, err) != RC_OK) {
    return err->rc;
  }
  for (int i = 0; i < n && chosen < 0; i++) {
    Err why = {0};
    config_model_free(&k->model);
    if (take_model(k, tiers[i].model, &why) == RC_OK) {
      chosen = i;
      snprintf(k->tier, sizeof k->tier, "%s", tiers[i].name);
    } else if (first.rc == RC_OK) {
      first = why;
    }
  }
  config_tiers_free(tiers, n);
  if (chosen < 0 && n == 0) {
    return err_set(err, RC_ERROR, "no_tier", "llm_tiers is empty: give a model, or add a tier");
  }
  if (chosen < 0) {
    config_model_free(&k->model);
    return err_set(err, first.rc, first.code, "no tier of llm_tiers can be used; the first one: %.400s", first.msg);
  }
  return RC_OK;
}

int route_choose(Call *k, Err *err) {
  const char *asked = k->request->model;
  return strcmp(asked, "auto") == 0 ? take_first_tier(k, err) : take_model(k, asked, err);
}

int route_prepare(Call *k, Err *err) {
  size_t n = strlen(k->model.base_url);
  while (n > 0 && k->model.base_url[n - 1] == '/') {
    n--;
  }
  int len = snprintf(k->url, sizeof k->url, "%.*s%s", (int)n, k->model.base_url, k->api->path);
  if (len < 0 || len >= (int)sizeof k->url) {
    return err_set(err, RC_ERROR, "bad_url", "base_url of model '%.80s' is too long", k->model.name);
  }
  buf_init(&k->body, LIMIT_REQUEST_BYTES);
  return k->api->build(k->request, &k->model, &k->body, err);
}
