/*
** OpenAI embeddings (POST /embeddings), as every server that speaks it answers: base64 is asked for where the provider is
** known to have it, or "base64": true stands in llm_models.supports; numbers are taken too. The vectors come in any order,
** each with its index, or without one in the order of the texts. One that has no direction is no answer.
**
** The reply's text is the vectors in the order of the texts, float32 little-endian one behind the
** other, in base64: an answer like any other, so that caching, retries and the ledger need not know
** what it is.
*/
#include "wire/model/dialect.h"
#include "wire/provider.h"

#include "base/base64.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int openai_embed_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                       Err *err) {
  cJSON *tree = cJSON_CreateObject();
  cJSON *input = json_add(tree, "input", cJSON_CreateArray(), err);
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  if (how->base64) {
    json_add(tree, "encoding_format", cJSON_CreateString("base64"), err);
  }
  for (int i = 0; i < request->n_messages && err->rc == RC_OK; i++) {
    json_add(input, NULL, cJSON_CreateString(request->messages[i].content), err);
  }
  return wire_finish(tree, body, err);
}

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The numbers of one vector into a new array. */
static float *read_numbers(const cJSON *list, size_t *dim, Err *err) {
  size_t at = 0;
  *dim = (size_t)cJSON_GetArraySize(list);
  float *out = malloc(sizeof *out * (*dim + 1));
  if (!out) {
    err_nomem(err);
  }
  for (const cJSON *x = list->child; out && x; x = x->next) {
    out[at++] = cJSON_IsNumber(x) ? (float)x->valuedouble : NAN;
  }
  return out;
}

/* One vector, owned (free); its length in *dim. NULL where it is none, or *err. It is an item's `embedding`, or the
** item itself; Gemini's own has `values` inside. */
static float *read_vector(const cJSON *item, size_t *dim, Err *err) {
  const cJSON *v = cJSON_IsArray(item) ? item : member(item, "embedding");
  const cJSON *values = member(cJSON_IsObject(v) ? v : item, "values");
  unsigned char *bytes = NULL;
  size_t n = 0;
  v = values ? values : v;
  if (cJSON_IsString(v)) {
    if (base64_decode(v->valuestring, strlen(v->valuestring), &bytes, &n) < 0) {
      err_nomem(err);
    }
    *dim = n % sizeof(float) == 0 ? n / sizeof(float) : 0;
    return (float *)(void *)bytes;
  }
  return cJSON_IsArray(v) ? read_numbers(v, dim, err) : NULL;
}

/* The vectors of an answer, as they come in. */
typedef struct Vectors {
  int n;
  size_t dim; /* the first decides it for all */
  float *all; /* owned; NULL before the first */
  char *seen; /* owned */
} Vectors;

/* What is wrong with one vector, or NULL: a direction can't be had of it. */
static const char *fault_of(const float *v, size_t dim) {
  int is_zero = 1;
  for (size_t i = 0; i < dim; i++) {
    if (!isfinite(v[i])) {
      return "has an element that is no finite number";
    }
    is_zero &= v[i] == 0;
  }
  return dim == 0 ? "is empty" : is_zero ? "is zero" : NULL;
}

/* Puts the vector into its place: the item's index, or, where the items have none, the order they come in. */
static int place_vector(Vectors *v, const cJSON *item, int order, Err *err) {
  const cJSON *index = member(item, "index");
  int at = cJSON_IsNumber(index) ? index->valueint : order;
  size_t length = 0;
  float *one = read_vector(item, &length, err);
  const char *fault = one ? fault_of(one, length) : "is no list of numbers";
  if (!fault && !v->all) {
    v->dim = length;
    v->all = malloc(sizeof *v->all * length * (size_t)v->n);
    v->all ? 0 : err_nomem(err);
  }
  if (!fault) {
    fault = length != v->dim                      ? "has another length than those before it"
            : at < 0 || at >= v->n || v->seen[at] ? "has an index that can't be"
                                                  : NULL;
  }
  if (fault && err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "vector %d of the answer %s", order, fault);
  }
  if (err->rc == RC_OK) {
    memcpy(v->all + v->dim * (size_t)at, one, sizeof(float) * v->dim);
    v->seen[at] = 1;
  }
  free(one);
  return err->rc;
}

static int read_vectors(const cJSON *list, Reply *reply, Err *err) {
  Vectors v = {.n = cJSON_GetArraySize(list)};
  int order = 0;
  v.seen = calloc((size_t)v.n + 1, 1);
  if (!v.seen) {
    err_nomem(err);
  } else if (v.n == 0) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "the answer's data is no list of vectors");
  }
  for (const cJSON *item = list ? list->child : NULL; item && err->rc == RC_OK; item = item->next) {
    place_vector(&v, item, order++, err);
  }
  if (err->rc == RC_OK) {
    reply->dim = (int)v.dim;
    reply->n_vectors = v.n;
    reply->text = base64_encode(v.all, sizeof *v.all * v.dim * (size_t)v.n);
    reply->text ? 0 : err_nomem(err);
  }
  free(v.all);
  free(v.seen);
  return err->rc;
}

/* OpenAI's `data`; Ollama's and Gemini's own `embeddings`; Cohere's has them by their type; Cloudflare's is wrapped. */
static const cJSON *list_of(const cJSON *answer) {
  const cJSON *list = member(answer, "data");
  list = cJSON_IsArray(list) ? list : member(answer, "embeddings");
  list = list ? list : member(member(answer, "result"), "data");
  return cJSON_IsObject(list) ? member(list, "float") : list;
}

int openai_embed_parse(const Body *answer, Reply *reply, Err *err) {
  const cJSON *list = answer->pieces ? answer->pieces : list_of(answer->tree);
  cJSON *one = NULL;
  reply->finish = FINISH_COMPLETE;
  if (!list && (cJSON_IsArray(answer->tree) || member(answer->tree, "embedding"))) {
    one = cJSON_CreateArray(); /* the vector of the one text, by itself */
    cJSON_AddItemReferenceToArray(one, answer->tree);
  }
  read_vectors(list ? list : one, reply, err);
  cJSON_Delete(one);
  return err->rc;
}
