/*
** The table of APIs, and what the API files share. See provider.h for the contract.
*/
#include "wire/provider.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Api apis[] = {
    {"openai", "/chat/completions", openai_build, openai_parse, "Authorization: Bearer %s", NULL,
     0},
    {"anthropic", "/messages", anthropic_build, anthropic_parse, "x-api-key: %s",
     "anthropic-version: 2023-06-01", 0},
};

static const Api openai_embeddings = {"openai",
                                      "/embeddings",
                                      openai_embed_build,
                                      openai_embed_parse,
                                      "Authorization: Bearer %s",
                                      NULL,
                                      1};

const Api *provider_api(const char *name) {
  for (size_t i = 0; i < sizeof apis / sizeof apis[0]; i++) {
    if (strcmp(apis[i].name, name) == 0) {
      return &apis[i];
    }
  }
  return NULL;
}

const Api *provider_embedding_api(const char *name) {
  return strcmp(name, openai_embeddings.name) == 0 ? &openai_embeddings : NULL;
}

int provider_read_usage(const cJSON *answer, const char *provider, Reply *reply) {
  const Vendor *vendor = vendor_by_word(provider);
  const char *model = usage_model(answer, vendor, NULL);
  Err err = {0};
  utf8_copy(reply->model, sizeof reply->model, model ? model : "");
  usage_read_all(answer, vendor, NULL, &reply->usage, &reply->parts, &reply->n_parts, &err);
  if (err.rc != RC_OK) {
    utf8_copy(reply->usage_error, sizeof reply->usage_error, err.msg);
    usage_init(&reply->usage);
  }
  return err.rc == RC_NOMEM ? RC_NOMEM : RC_OK;
}

void reply_free(Reply *reply) {
  free(reply->text);
  free(reply->parts);
  reply->text = NULL;
  reply->parts = NULL;
}

int wire_finish(cJSON *tree, Buf *body, Err *err) {
  char *text = json_print(tree, err);
  if (!text) {
    return err->rc;
  }
  int rc = buf_puts(body, text);
  cJSON_free(text);
  return rc == RC_TOOBIG
             ? err_set(err, rc, ERR_TOO_BIG, "the request is over %zu bytes", LIMIT_REQUEST_BYTES)
         : rc == RC_OK ? RC_OK
                       : err_nomem(err);
}

static void add_message(cJSON *array, const char *role, const char *content, Err *err) {
  cJSON *item = json_add(array, NULL, cJSON_CreateObject(), err);
  json_add(item, "role", cJSON_CreateString(role), err);
  json_add(item, "content", cJSON_CreateString(content), err);
}

void wire_add_messages(cJSON *tree, const Request *request, const char *system, Err *err) {
  cJSON *array = json_add(tree, "messages", cJSON_CreateArray(), err);
  if (system) {
    add_message(array, "system", system, err);
  }
  for (int i = 0; i < request->n_messages && err->rc == RC_OK; i++) {
    add_message(array, request->messages[i].role, request->messages[i].content, err);
  }
}

int wire_supports(const Model *model, const char *name, int otherwise, Err *err) {
  Err why = {0};
  cJSON *tree = model->supports[0]
                    ? json_parse(model->supports, strlen(model->supports), "supports", &why)
                    : NULL;
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, name);
  int value = cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
  cJSON_Delete(tree);
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  return value;
}
