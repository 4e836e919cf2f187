/*
** OpenAI embeddings (POST /embeddings), as every server that speaks it answers: base64 was asked
** for, numbers are taken too; the vectors come in any order, each with its index.
**
** The reply's text is the vectors in the order of the texts, float32 little-endian one behind the
** other, in base64: an answer like any other, so that caching, retries and the ledger need not know
** what it is.
*/
#include "net/provider.h"

#include "core/base64.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int openai_embed_build(const Request *request, const Model *model, Buf *body, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  cJSON *input = cJSON_AddArrayToObject(tree, "input");
  int ok = input && cJSON_AddStringToObject(tree, "model", model->name) &&
           cJSON_AddStringToObject(tree, "encoding_format", "base64");
  for (int i = 0; ok && i < request->n_messages; i++) {
    ok = cJSON_AddItemToArray(input, cJSON_CreateString(request->messages[i].content));
  }
  if (!ok) {
    cJSON_Delete(tree);
    tree = NULL;
  }
  return wire_finish(tree, body, err);
}

/* One vector, owned (free); its length in *dim. NULL where it is none. */
static float *read_vector(const cJSON *item, size_t *dim) {
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(item, "embedding");
  unsigned char *bytes = NULL;
  size_t n = 0;
  if (cJSON_IsString(v) && base64_decode(v->valuestring, strlen(v->valuestring), &bytes, &n)) {
    *dim = n / sizeof(float);
    return (float *)(void *)bytes;
  }
  if (!cJSON_IsArray(v)) {
    return NULL;
  }
  *dim = (size_t)cJSON_GetArraySize(v);
  float *out = malloc(sizeof *out * (*dim + 1));
  size_t at = 0;
  for (const cJSON *x = v->child; out && x; x = x->next) {
    out[at++] = cJSON_IsNumber(x) ? (float)x->valuedouble : NAN;
  }
  return out;
}

/* Puts one item of "data" in its place; the first decides the length of all. 1 if it is right. */
static int place_vector(const cJSON *item, int n, size_t *dim, float **all, char *seen) {
  const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
  int at = cJSON_IsNumber(index) ? index->valueint : -1;
  size_t length = 0;
  float *v = read_vector(item, &length);
  if (v && length > 0 && !*all) {
    *dim = length;
    *all = malloc(sizeof **all * length * (size_t)n);
  }
  int ok = v && *all && length == *dim && at >= 0 && at < n && !seen[at];
  if (ok) {
    memcpy(*all + *dim * (size_t)at, v, sizeof(float) * *dim);
    seen[at] = 1;
  }
  free(v);
  return ok;
}

static int read_vectors(const cJSON *data, Reply *reply, Err *err) {
  int n = cJSON_GetArraySize(data), ok = n > 0;
  float *all = NULL;
  size_t dim = 0;
  char *seen = calloc((size_t)n + 1, 1);
  for (const cJSON *item = seen && data ? data->child : NULL; item && ok; item = item->next) {
    ok = place_vector(item, n, &dim, &all, seen);
  }
  if (ok && all) {
    reply->text = base64_encode(all, sizeof *all * dim * (size_t)n);
  }
  free(all);
  free(seen);
  return reply->text ? RC_OK
                     : err_set(err, RC_ERROR, "bad_answer",
                               "the answer's data is no list of vectors of one length");
}

int openai_embed_parse(const cJSON *answer, Reply *reply, Err *err) {
  reply->finish_reason = "stop";
  return read_vectors(cJSON_GetObjectItemCaseSensitive(answer, "data"), reply, err);
}
