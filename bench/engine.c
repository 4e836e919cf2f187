/*
** The vector engine beside fp32 brute force: CPU time per search, build, memory.
**
**   engine [clustered|isotropic] [n] [dim] [threshold] [queries]
**   (defaults: clustered 100000 384 0.95 200)
**
** Vectors stand in a float array behind the VecSource. Hits are perturbed entries (cosine 0.951 …
** 0.995), misses are new questions whose best match is below 0.93 (any below the threshold, where
** that is lower). Both methods answer the same queries in turns in one process; times are the
** thread's CPU time of each search. Every answer is compared.
*/
#include "data.h"

#include "vec/engine/kernels/cosine.h"
#include "vec/engine/index.h"
#include "vec/engine/kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7, BATCH = 512 };

typedef struct Queries {
  size_t n;
  float *vectors;
  float *best;          /* by brute force */
  double *fast, *brute; /* samples of seconds */
  size_t n_fast, n_brute;
  VecWork work; /* sums */
  size_t found, wrong;
} Queries;

static Data *data;
static VecIndex *vectors_index;

static double cpu_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int lend(void *ctx, int64_t id, const void **vector) {
  (void)ctx;
  *vector = data->vectors + (size_t)id * (size_t)data->dim;
  return VEC_OK;
}
static const VecSource source = {lend, NULL};

/* The best cosine of all, 512 rows at a time. */
static float brute(const float *query) {
  float dots[BATCH], best = -2;
  size_t dim = (size_t)data->dim;
  for (size_t i = 0; i < data->n; i += BATCH) {
    size_t n = data->n - i < BATCH ? data->n - i : BATCH;
    kernels_now()->project(data->vectors + i * dim, n, query, dim, dots);
    for (size_t j = 0; j < n; j++) {
      best = dots[j] > best ? dots[j] : best;
    }
  }
  return best;
}

static void make_queries(Queries *q, size_t n, int hits, double threshold) {
  size_t dim = (size_t)data->dim;
  q->vectors = malloc(n * dim * sizeof *q->vectors);
  q->best = malloc(n * sizeof *q->best);
  q->fast = malloc(n * ROUNDS * sizeof *q->fast);
  q->brute = malloc(n * ROUNDS * sizeof *q->brute);
  for (size_t tries = 0; q->n < n && tries < 20 * n; tries++) {
    float *v = q->vectors + q->n * dim;
    if (hits) {
      double c = 0.951 + 0.044 * (double)(data_random(data) >> 11) * 0x1p-53;
      data_near(data, data_random(data) % data->n, c, v);
    } else {
      data_novel(data, v);
    }
    float best = brute(v);
    if (hits || (best < 0.93f && (double)best < threshold)) {
      q->best[q->n++] = best;
    }
  }
}

static void run_fast(Queries *q, double threshold) {
  for (size_t i = 0; i < q->n; i++) {
    VecHit hit;
    VecWork w;
    int n = 0;
    const float *v = q->vectors + i * (size_t)data->dim;
    double t = cpu_time();
    vec_index_best(vectors_index, v, threshold, 0, &source, &hit, &n, &w);
    q->fast[q->n_fast++] = cpu_time() - t;
    q->work.boxes += w.boxes;
    q->work.leaves += w.leaves;
    q->work.coded += w.coded;
    q->work.int8 += w.int8;
    q->work.lent += w.lent;
    q->found += n > 0;
    q->wrong += n > 0 ? fabs(hit.cosine - (double)q->best[i]) > 2e-6
                      : (double)q->best[i] > threshold + 2e-6;
  }
}

static void run_brute(Queries *q, size_t most) {
  for (size_t i = 0; i < q->n && i < most; i++) {
    double t = cpu_time();
    float best = brute(q->vectors + i * (size_t)data->dim);
    q->brute[q->n_brute++] = cpu_time() - t + (best > 2);
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(double *v, size_t n, double at) {
  qsort(v, n, sizeof *v, by_size);
  return n ? v[(size_t)((double)(n - 1) * at)] * 1e6 : 0;
}

static void report(const char *name, Queries *q) {
  double times = q->n_fast ? (double)q->n_fast : 1;
  double p50 = quantile(q->fast, q->n_fast, 0.5), peer = quantile(q->brute, q->n_brute, 0.5);
  printf("%-5s p50 %8.1f us  p99 %8.1f us  min %8.1f | brute p50 %9.1f us  %7.1fx | found %zu of "
         "%zu, wrong %zu | boxes %.0f leaves %.0f int8 %.1f lent %.2f\n",
         name, p50, quantile(q->fast, q->n_fast, 0.99), q->n_fast ? q->fast[0] * 1e6 : 0, peer,
         peer / p50, q->found, q->n_fast, q->wrong, (double)q->work.boxes / times,
         (double)q->work.leaves / times, (double)q->work.int8 / times,
         (double)q->work.lent / times);
}

static void build(void) {
  double t = cpu_time();
  vec_index_new(data->dim, &vectors_index);
  for (size_t i = 0; i < data->n; i++) {
    vec_index_put(vectors_index, (int64_t)i, data->vectors + i * (size_t)data->dim, VEC_NEVER);
  }
  double put = cpu_time() - t;
  t = cpu_time();
  vec_index_settle(vectors_index, &source);
  double settle = cpu_time() - t, n = (double)data->n;
  printf("build %.2f us/vector (put %.2f, settle %.2f), %.0f bytes/vector, %s\n",
         (put + settle) / n * 1e6, put / n * 1e6, settle / n * 1e6,
         (double)vec_index_bytes(vectors_index) / n, vec_index_strategy(vectors_index));
}

int main(int argc, char **argv) {
  int isotropic = argc > 1 && strcmp(argv[1], "isotropic") == 0;
  size_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
  int dim = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 384;
  double threshold = argc > 4 ? strtod(argv[4], NULL) : 0.95;
  size_t n_queries = argc > 5 ? strtoull(argv[5], NULL, 10) : 200;
  Queries hits = {0}, misses = {0};
  data = data_make(isotropic ? DATA_ISOTROPIC : DATA_CLUSTERED, dim, n, 7);
  if (!data || dim % KERNEL_FLOATS != 0) {
    fprintf(stderr, "engine: no memory, or a dimension that 32 does not divide\n");
    return 1;
  }
  printf("%s %zu x %d, threshold %.3f, %s\n", isotropic ? "isotropic" : "clustered", n, dim,
         threshold, vec_cpu_name(vec_cpu()));
  build();
  make_queries(&hits, n_queries, 1, threshold);
  make_queries(&misses, n_queries, 0, threshold);
  for (int round = 0; round < ROUNDS; round++) {
    size_t most = n > 200000 ? 3 : n_queries;
    run_fast(&hits, threshold);
    run_brute(&hits, most);
    run_fast(&misses, threshold);
    run_brute(&misses, most);
  }
  report("hit", &hits);
  report("miss", &misses);
  vec_index_free(vectors_index);
  data_free(data);
  return 0;
}
