/*
** OpenAI embeddings (POST /embeddings), as every server that speaks it answers: base64 was asked
** for, numbers are taken too; the vectors come in any order, each with its index.
**
** The reply's text is the vectors in the order of the texts, float32 little-endian one behind the
** other, in base64: an answer like any other, so that caching, retries and the ledger need not know
** what it is.
*/
#include "wire/provider.h"

#include "base/text/base64.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int openai_embed_build(const Request *request, const Model *model, Buf *body, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  cJSON *input = json_add(tree, "input", cJSON_CreateArray(), err);
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  json_add(tree, "encoding_format", cJSON_CreateString("base64"), err);
  for (int i = 0; i < request->n_messages && err->rc == RC_OK; i++) {
    json_add(input, NULL, cJSON_CreateString(request->messages[i].content), err);
  }
  return wire_finish(tree, body, err);
}

/* One vector, owned (free); its length in *dim. NULL where it is none, or *err. */
static float *read_vector(const cJSON *item, size_t *dim, Err *err) {
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(item, "embedding");
  unsigned char *bytes = NULL;
  size_t n = 0, at = 0;
  if (cJSON_IsString(v)) {
    if (base64_decode(v->valuestring, strlen(v->valuestring), &bytes, &n) < 0) {
      err_nomem(err);
    }
    *dim = n / sizeof(float);
    return (float *)(void *)bytes;
  }
  if (!cJSON_IsArray(v)) {
    return NULL;
  }
  *dim = (size_t)cJSON_GetArraySize(v);
  float *out = malloc(sizeof *out * (*dim + 1));
  if (!out) {
    err_nomem(err);
  }
  for (const cJSON *x = v->child; out && x; x = x->next) {
    out[at++] = cJSON_IsNumber(x) ? (float)x->valuedouble : NAN;
  }
  return out;
}

/* The vectors of an answer, as they come in. */
typedef struct Vectors {
  int n;
  size_t dim; /* the first decides it for all */
  float *all; /* owned; NULL before the first */
  char *seen; /* owned */
} Vectors;

/* Puts one item of "data" in its place. 1 if it is right, 0 if not, or *err. */
static int place_vector(Vectors *v, const cJSON *item, Err *err) {
  const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
  int at = cJSON_IsNumber(index) ? index->valueint : -1;
  size_t length = 0;
  float *one = read_vector(item, &length, err);
  if (one && length > 0 && !v->all) {
    v->dim = length;
    v->all = malloc(sizeof *v->all * length * (size_t)v->n);
    v->all ? 0 : err_nomem(err);
  }
  int ok = one && v->all && length == v->dim && at >= 0 && at < v->n && !v->seen[at];
  if (ok) {
    memcpy(v->all + v->dim * (size_t)at, one, sizeof(float) * v->dim);
    v->seen[at] = 1;
  }
  free(one);
  return ok;
}

static int read_vectors(const cJSON *data, Reply *reply, Err *err) {
  Vectors v = {.n = cJSON_GetArraySize(data)};
  int ok = v.n > 0;
  v.seen = calloc((size_t)v.n + 1, 1);
  for (const cJSON *item = v.seen && data ? data->child : NULL; item && ok; item = item->next) {
    ok = place_vector(&v, item, err);
  }
  if (ok && v.all) {
    reply->text = base64_encode(v.all, sizeof *v.all * v.dim * (size_t)v.n);
  }
  if (!v.seen || (ok && !reply->text)) {
    err_nomem(err);
  } else if (!ok) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "the answer's data is no list of vectors of one length");
  }
  free(v.all);
  free(v.seen);
  return err->rc;
}

int openai_embed_parse(const cJSON *answer, Reply *reply, Err *err) {
  reply->finish = FINISH_STOP;
  return read_vectors(cJSON_GetObjectItemCaseSensitive(answer, "data"), reply, err);
}
