/*
** Synthetic embeddings. See data.h for what they look like.
**
** Normal deviates are sums of four uniform ones; the turn is two rounds of random signs and
** Walsh-Hadamard transforms over the two ends of the vector, which is orthogonal and costs
** n log n.
*/
#include "data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0.25  /* cosine of unrelated vectors */
#define TOPIC 0.45 /* a topic's share of the rest */

struct World {
  DataKind kind;
  size_t intents, topics;
  uint64_t state;
  float *mean, *topic, *intent; /* dim; topics * dim; intents * dim: unit vectors */
  float *spread;                /* intents: length of a paraphrase's deviation */
  double *weight;               /* intents: cumulative popularity */
  float *tight, *middle, *wide; /* dim: spectra of topics, intents, paraphrases */
  signed char *signs;           /* 2 * dim */
  float *scratch;               /* dim */
};
typedef struct World World;

static uint64_t next(World *w) {
  w->state += 0x9E3779B97F4A7C15u;
  uint64_t x = w->state;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static double uniform(World *w) {
  return (double)(next(w) >> 11) * 0x1p-53;
}

static float normal(World *w) {
  uint64_t x = next(w);
  int sum = (int)(x & 65535) + (int)(x >> 16 & 65535) + (int)(x >> 32 & 65535) + (int)(x >> 48);
  return ((float)sum - 131070.0f) * (1.0f / 37837.0f);
}

static void make_unit(float *v, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)v[i] * (double)v[i];
  }
  double inverse = 1 / sqrt(sum);
  for (size_t i = 0; i < n; i++) {
    v[i] = (float)(v[i] * inverse);
  }
}

static void hadamard(float *v, size_t n) {
  float scale = (float)(1 / sqrt((double)n));
  for (size_t half = 1; half < n; half *= 2) {
    for (size_t i = 0; i < n; i += 2 * half) {
      for (size_t j = i; j < i + half; j++) {
        float a = v[j], b = v[j + half];
        v[j] = a + b;
        v[j + half] = a - b;
      }
    }
  }
  for (size_t i = 0; i < n; i++) {
    v[i] *= scale;
  }
}

static void turn(const World *w, float *v, size_t n) {
  size_t power = 1;
  while (power * 2 <= n) {
    power *= 2;
  }
  for (size_t round = 0; round < 2; round++) {
    for (size_t i = 0; i < n; i++) {
      v[i] *= (float)w->signs[round * n + i];
    }
    hadamard(v, power);
    hadamard(v + n - power, power);
  }
}

/* A power law over the coordinates, of length 1. */
static void set_spectrum(float *s, size_t n, double power) {
  for (size_t i = 0; i < n; i++) {
    s[i] = (float)pow((double)i + 4, -power);
  }
  make_unit(s, n);
}

static void random_direction(World *w, const float *spectrum, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    out[i] = normal(w) * spectrum[i];
  }
}

static void make_intent(World *w, size_t n, float *out) {
  size_t t = next(w) % w->topics;
  random_direction(w, w->middle, out, n);
  make_unit(out, n);
  float mean = (float)sqrt(BASE), topic = (float)sqrt((1 - BASE) * TOPIC);
  float own = (float)sqrt((1 - BASE) * (1 - TOPIC));
  for (size_t i = 0; i < n; i++) {
    out[i] = mean * w->mean[i] + topic * w->topic[t * n + i] + own * out[i];
  }
  make_unit(out, n);
}

static void paraphrase(World *w, const float *intent, float spread, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    out[i] = intent[i] + spread * normal(w) * w->wide[i];
  }
  turn(w, out, n);
  make_unit(out, n);
}

static size_t pick_intent(World *w) {
  double at = uniform(w) * w->weight[w->intents - 1];
  size_t low = 0, high = w->intents - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (w->weight[middle] < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static void world_free(World *w) {
  if (w) {
    free(w->mean);
    free(w->topic);
    free(w->intent);
    free(w->spread);
    free(w->weight);
    free(w->tight);
    free(w->middle);
    free(w->wide);
    free(w->signs);
    free(w->scratch);
    free(w);
  }
}

static int world_alloc(World *w, size_t dim) {
  w->mean = calloc(dim, sizeof *w->mean);
  w->topic = calloc(w->topics * dim, sizeof *w->topic);
  w->intent = calloc(w->intents * dim, sizeof *w->intent);
  w->spread = calloc(w->intents, sizeof *w->spread);
  w->weight = calloc(w->intents, sizeof *w->weight);
  w->tight = calloc(dim, sizeof *w->tight);
  w->middle = calloc(dim, sizeof *w->middle);
  w->wide = calloc(dim, sizeof *w->wide);
  w->signs = calloc(2 * dim, 1);
  w->scratch = calloc(dim, sizeof *w->scratch);
  return w->mean && w->topic && w->intent && w->spread && w->weight && w->tight && w->middle &&
         w->wide && w->signs && w->scratch;
}

static World *world_make(DataKind kind, size_t dim, size_t n, uint64_t seed) {
  World *w = calloc(1, sizeof *w);
  if (!w) {
    return NULL;
  }
  w->kind = kind;
  w->state = seed;
  w->intents = n / 25 < 50 ? 50 : n / 25 > 20000 ? 20000 : n / 25;
  w->topics = w->intents / 40 < 10 ? 10 : w->intents / 40;
  if (!world_alloc(w, dim)) {
    world_free(w);
    return NULL;
  }
  set_spectrum(w->tight, dim, 0.75);
  set_spectrum(w->middle, dim, 0.55);
  set_spectrum(w->wide, dim, 0.35);
  for (size_t i = 0; i < 2 * dim; i++) {
    w->signs[i] = next(w) & 1 ? 1 : -1;
  }
  for (size_t i = 0; i < dim; i++) {
    w->mean[i] = normal(w);
  }
  make_unit(w->mean, dim);
  for (size_t t = 0; t < w->topics; t++) {
    random_direction(w, w->tight, w->topic + t * dim, dim);
    make_unit(w->topic + t * dim, dim);
  }
  double sum = 0;
  for (size_t k = 0; k < w->intents; k++) {
    make_intent(w, dim, w->intent + k * dim);
    w->spread[k] = (float)sqrt(1 / (0.80 + 0.17 * uniform(w)) - 1);
    sum += pow((double)k + 10, -0.7);
    w->weight[k] = sum;
  }
  return w;
}

static void make_isotropic(World *w, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    out[i] = normal(w);
  }
  make_unit(out, n);
}

Data *data_make(DataKind kind, int dim, size_t n, uint64_t seed) {
  size_t d = (size_t)dim;
  Data *data = calloc(1, sizeof *data);
  World *w = world_make(kind, d, n, seed);
  float *vectors = aligned_alloc(64, (n * d * sizeof *vectors + 63) / 64 * 64);
  uint32_t *intents = calloc(n ? n : 1, sizeof *intents);
  if (!data || !w || !vectors || !intents) {
    free(data);
    free(vectors);
    free(intents);
    world_free(w);
    return NULL;
  }
  *data = (Data){dim, n, vectors, intents, w};
  for (size_t i = 0; i < n; i++) {
    if (kind == DATA_ISOTROPIC) {
      make_isotropic(w, d, vectors + i * d);
    } else {
      size_t k = pick_intent(w);
      intents[i] = (uint32_t)k;
      paraphrase(w, w->intent + k * d, w->spread[k], d, vectors + i * d);
    }
  }
  return data;
}

void data_free(Data *data) {
  if (data) {
    free(data->vectors);
    free(data->intents);
    world_free(data->world);
    free(data);
  }
}

void data_near(Data *data, size_t i, double cosine, float *out) {
  World *w = data->world;
  size_t n = (size_t)data->dim;
  const float *x = data->vectors + i * n;
  double along = 0, off2 = 0;
  for (size_t j = 0; j < n; j++) {
    w->scratch[j] = normal(w) * (w->kind == DATA_CLUSTERED ? w->wide[j] : 1);
  }
  turn(w, w->scratch, n);
  for (size_t j = 0; j < n; j++) {
    along += (double)w->scratch[j] * (double)x[j];
  }
  for (size_t j = 0; j < n; j++) {
    w->scratch[j] -= (float)(along * x[j]);
    off2 += (double)w->scratch[j] * (double)w->scratch[j];
  }
  double sine = off2 > 0 ? sqrt(1 - cosine * cosine) / sqrt(off2) : 0;
  for (size_t j = 0; j < n; j++) {
    out[j] = (float)(cosine * x[j] + sine * w->scratch[j]);
  }
  make_unit(out, n);
}

void data_novel(Data *data, float *out) {
  World *w = data->world;
  size_t n = (size_t)data->dim;
  if (w->kind == DATA_ISOTROPIC) {
    make_isotropic(w, n, out);
  } else if (next(w) & 1) {
    paraphrase(w, w->intent + pick_intent(w) * n, (float)(0.4 + 0.5 * uniform(w)), n, out);
  } else {
    make_intent(w, n, w->scratch);
    paraphrase(w, w->scratch, 0.3f, n, out);
  }
}

uint64_t data_random(Data *data) {
  return next(data->world);
}
