/*
** See target.h for the contract.
*/
#include "call/state/target.h"

#include "conn/learned.h"
#include "money/counter.h"
#include "money/pricing.h"
#include "trust/access.h"
#include "trust/hosts.h"
#include "wire/model/dialect.h"

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

int target_api(Call *k, Err *err) {
  k->api =
      k->request->wants_vectors ? embedding_api(&k->model, err) : answering_api(&k->model, err);
  return err->rc;
}

int target_access(Call *k, Err *err) {
  access_free(&k->access);
  k->refused = 0;
  if (target_api(k, err) == RC_OK && access_check(&k->model, &k->access, err) == RC_OK) {
    check_supports(&k->model, err);
  }
  return err->rc;
}

int target_take(Call *k, const char *name, Err *err) {
  config_model_free(&k->model);
  const Config *config = conn_config_kept(k->conn, err);
  return config && config_model(config, name, &k->model, err) == RC_OK ? target_access(k, err)
                                                                       : err->rc;
}

int target_can_ask(Conn *conn, const char *name) {
  Model model = {0};
  Err ignored = {0};
  Access access = {.key = NULL};
  const Config *config = conn_config_kept(conn, &ignored);
  int can = config && config_model(config, name, &model, &ignored) == RC_OK &&
            access_check(&model, &access, &ignored) == RC_OK;
  access_free(&access);
  config_model_free(&model);
  return can;
}

/* (No token is shorter than a byte: most requests fit at a glance.) */
int target_check_window(const Call *k, const Model *model, long long most, Err *err) {
  long long window = model->context_window, bytes = (long long)k->body.n;
  long long output = most == OPTION_UNSET ? 0 : most;
  TokenRule rule;
  if (model->max_output && output > model->max_output) {
    return err_set(err, RC_ERROR, ERR_NO_TIER, "max_tokens %lld: its answers have at most %lld",
                   output, model->max_output);
  }
  if (!window || bytes + output <= window ||
      counter_model_rule(k->conn, model, &rule, err) != RC_OK) {
    return err->rc;
  }
  long long input = tokens_request(&rule, k->request);
  if (input < 0) {
    return err_nomem(err);
  }
  return input + output <= window ? RC_OK
                                  : err_set(err, RC_ERROR, ERR_NO_TIER,
                                            "%lld tokens, max_tokens included: its window has %lld",
                                            input + output, window);
}

int target_can_take(const Call *k, const char *name, int answers) {
  long long most = answers ? k->request->options->max_tokens : OPTION_UNSET;
  Model model = {0};
  Err why = {0};
  const Config *config = conn_config_kept(k->conn, &why);
  int can = target_can_ask(k->conn, name) && config &&
            config_model(config, name, &model, &why) == RC_OK &&
            target_check_window(k, &model, most, &why) == RC_OK;
  config_model_free(&model);
  return can;
}

/* 1 if the answer may call tools, a schema's among them: these are not put together from pieces. */
static int may_call_tools(const Call *k, Err *err) {
  const Options *o = k->request->options;
  int is_anthropic = strcmp(k->api->name, "anthropic") == 0;
  int is_forced = o->schema && !wire_supports(&k->model, "json_schema", 1, err) &&
                  wire_supports(&k->model, "tools", is_anthropic, err);
  return o->tools || o->returns == RETURNS_MESSAGE || is_forced;
}

int target_prepare(Call *k, Err *err) {
  const char *const ends[2] = {k->api->path, ""}; /* some give it with the URL */
  if (!url_join(k->model.base_url, ends, k->api->path, k->url, sizeof k->url)) {
    return err_set(err, RC_ERROR, ERR_BAD_URL, "base_url of model '%.80s' is too long",
                   k->model.name);
  }
  const Dialect *dialect = dialect_of(&k->model);
  unsigned refusals = k->refused | learned_refusals(k->conn, k->model.name);
  k->how.streams = !k->api->embeds && !may_call_tools(k, err) && !(refusals & REFUSES_STREAM) &&
                   dialect_streams(dialect, &k->model, err);
  k->how.wants_usage = dialect->wants_usage && !(refusals & REFUSES_STREAM_OPTIONS);
  k->how.base64 = k->api->embeds && !(refusals & REFUSES_BASE64) &&
                  wire_supports(&k->model, "base64", dialect->takes_base64, err);
  k->how.logprobs = !k->api->embeds && k->wants_logprobs;
  target_mark(k, err);
  k->how.rejected = k->rejected;
  k->how.why = k->rejected_why;
  buf_free(&k->body);
  buf_init(&k->body, LIMIT_REQUEST_BYTES);
  return err->rc == RC_OK ? k->api->build(k->request, &k->model, &k->how, &k->body, err) : err->rc;
}
