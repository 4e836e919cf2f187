/*
** embed.c: POST /v1/embeddings.
**
** A vector is the sum of one pseudo-random vector per token of the lower-case text (so texts that
** share words are near each other) and a small one of the whole text (so that no two texts are
** equal), made unit length. Everything comes from hashes: the same text gives the same vector for
** ever. The default has 64 dimensions, whatever the model; "dimensions" asks for another number.
*/
#include "standin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIM_DEFAULT 64
#define WHOLE_WEIGHT 0.1f

/* Refuses an embeddings request that OpenAI would refuse. */
int embed_check(struct request *r) {
  cJSON *error = NULL;
  int status = check_embeddings(r->json, &error);
  if (status) {
    reply_json(&r->reply, status, error);
  }
  return status;
}

/* Adds the pseudo-random vector of a hash: components in [-w, w). */
static void add_hash(float *v, int64_t dim, uint64_t h, float w) {
  for (int64_t i = 0; i < dim; i++) {
    h ^= h << 13; /* xorshift64 (Marsaglia 2003) */
    h ^= h >> 7;
    h ^= h << 17;
    v[i] += w * ((float)(h >> 40) / 8388608.0f - 1.0f);
  }
}

/* Scales to length 1. */
static void make_unit(float *v, int64_t dim) {
  double sum = 0;
  for (int64_t i = 0; i < dim; i++) {
    sum += (double)v[i] * v[i];
  }
  float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
  for (int64_t i = 0; i < dim; i++) {
    v[i] *= scale;
  }
}

/* The vector of a text. Returns its tokens. */
static int64_t embed_text(const char *text, float *v, int64_t dim) {
  size_t n = strlen(text), len;
  char *low = dup_n(text, n);
  for (size_t i = 0; i < n; i++) {
    low[i] = low[i] >= 'A' && low[i] <= 'Z' ? (char)(low[i] | 0x20) : low[i];
  }
  const char *at = low, *end = low + n, *token;
  int64_t tokens = 0;
  memset(v, 0, (size_t)dim * sizeof *v);
  for (; (token = token_next(&at, end, &len)); tokens++) {
    add_hash(v, dim, hash_bytes(token, len, 3) | 1, 1.0f);
  }
  add_hash(v, dim, hash_bytes(text, n, 4) | 1, WHOLE_WEIGHT * sqrtf((float)tokens));
  make_unit(v, dim);
  free(low);
  return tokens;
}

/* Base64 of n bytes, appended. */
static void add_base64(struct buf *b, const unsigned char *p, size_t n) {
  static const char aDigit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < n; i += 3) {
    uint32_t w = (uint32_t)p[i] << 16;
    w |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
    w |= i + 2 < n ? p[i + 2] : 0;
    char four[4] = {aDigit[w >> 18], aDigit[w >> 12 & 63], aDigit[w >> 6 & 63], aDigit[w & 63]};
    if (i + 2 >= n) {
      four[3] = '=';
    }
    if (i + 1 >= n) {
      four[2] = '=';
    }
    buf_add(b, four, 4);
  }
}

/* A vector as its JSON value: a list of numbers, or base64 of little-endian floats. */
static void vector_text(const float *v, int64_t dim, int base64, struct buf *b) {
  if (base64) {
    buf_str(b, "\"");
    add_base64(b, (const unsigned char *)v, (size_t)dim * sizeof *v);
    buf_str(b, "\"");
    return;
  }
  for (int64_t i = 0; i < dim; i++) {
    buf_printf(b, "%s%.8g", i ? "," : "[", (double)v[i]);
  }
  buf_str(b, "]");
}

/* One row of the answer for one input. Returns its tokens. */
static int64_t add_row(cJSON *data, const cJSON *input, int64_t dim, int base64, float *v) {
  struct buf text = {0};
  if (cJSON_IsString(input)) {
    buf_str(&text, input->valuestring);
  } else {
    buf_json(&text, input);
  }
  int64_t tokens = embed_text(text.p, v, dim);
  if (cJSON_IsArray(input)) {
    tokens = cJSON_GetArraySize(input);
  }
  buf_free(&text);
  cJSON *row = cJSON_CreateObject();
  cJSON_AddStringToObject(row, "object", "embedding");
  cJSON_AddNumberToObject(row, "index", cJSON_GetArraySize(data));
  vector_text(v, dim, base64, &text);
  cJSON_AddRawToObject(row, "embedding", text.p);
  cJSON_AddItemToArray(data, row);
  buf_free(&text);
  return tokens;
}

/* The usage, as the scenario wants it. */
static void add_usage(cJSON *j, const struct outcome *o, enum fault fault) {
  if (fault == FT_NO_USAGE) {
    return;
  }
  cJSON *u = cJSON_AddObjectToObject(j, "usage");
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)o->use.fresh);
  if (fault == FT_STRING_USAGE) {
    cJSON_AddStringToObject(u, "prompt_tokens", text);
    cJSON_AddStringToObject(u, "total_tokens", text);
  } else {
    cJSON_AddNumberToObject(u, "prompt_tokens", (double)o->use.fresh);
    cJSON_AddNumberToObject(u, "total_tokens", (double)o->use.fresh);
  }
}

/* Answers one embeddings request body: its status, its body, and in *o what was produced. */
int embed_answer(const cJSON *req, enum fault fault, int batch, struct outcome *o, cJSON **body) {
  int status = check_embeddings(req, body);
  if (status) {
    return status;
  }
  const char *model = json_text(req, "model"), *form = json_text(req, "encoding_format");
  const cJSON *in = json_get(req, "input"), *one;
  int64_t dim = json_int(req, "dimensions", json_int(req, "output_dimension", DIM_DEFAULT));
  dim = dim < 1 || dim > 4096 ? DIM_DEFAULT : dim;
  int base64 = form && strcmp(form, "base64") == 0;
  float *v = need(malloc((size_t)dim * sizeof *v));
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "object", "list");
  cJSON *data = cJSON_AddArrayToObject(j, "data");
  copy_name(o->model, sizeof o->model, model);
  model_answered(model, o->answered, sizeof o->answered);
  if (!cJSON_IsArray(in) || cJSON_IsNumber(in->child)) {
    o->use.fresh = add_row(data, in, dim, base64, v);
  } else {
    cJSON_ArrayForEach(one, in) {
      o->use.fresh += add_row(data, one, dim, base64, v);
    }
  }
  const cJSON *first = cJSON_IsArray(in) ? in->child : in;
  if (cJSON_IsString(first)) {
    buf_str(&o->prompt.user, first->valuestring);
  }
  if (fault == FT_ZERO_USAGE) {
    o->use.fresh = 0;
  }
  o->nusd = price_of(o->model, &o->use, batch);
  cJSON_AddStringToObject(j, "model", o->answered);
  add_usage(j, o, fault);
  free(v);
  *body = j;
  return 200;
}

/* Answers an embeddings request. */
void embed_run(struct request *r) {
  cJSON *body = NULL;
  r->reply.outcome = need(calloc(1, sizeof *r->reply.outcome));
  int status = embed_answer(r->json, r->fault, 0, r->reply.outcome, &body);
  r->reply.billed = status == 200;
  reply_json(&r->reply, status, body);
}
