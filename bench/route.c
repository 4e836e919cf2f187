/*
** What bench/route.py asks of the scorers and gates. The records of stdin end in a NUL each:
**
**   bench_route effort     prompts                     -> "x score" a line
**   bench_route agree      answer, other answer, ...   -> "score how" a line
**   bench_route sums       answers                     -> "1|0 score" a line: gate `arithmetic`
**   bench_route examples   label, prompt, ...          -> "auc log_loss brier, and the base rate's", then scores out of fold
**   bench_route apgr [N]   records "weak strong score score ..." -> a line for each score: APGR, its interval, the difference
**                          to the first score, its interval (N resamples of the rows, 1,000; percentiles 2.5 and 97.5)
**
** APGR as RouteLLM's evaluate.py has it: rows by falling score, the strong model for the first 0, 10, ... 100 % of them; the area
** under accuracy over that share, from 0 (the weak model alone) to 1 (a straight line is .5). Ties are broken by a hash.
*/
#include "core/gate/agree.h"
#include "core/gate/gate.h"
#include "core/route/effort.h"
#include "core/route/learn.h"
#include "vec/embed/static_embedder.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Records {
  char **at;
  size_t *n;
  int count;
} Records;

static Records read_records(void) {
  Records r = {0};
  char *line = NULL;
  size_t cap = 0;
  ssize_t n;
  while ((n = getdelim(&line, &cap, 0, stdin)) > 0) {
    if (r.count % 1024 == 0) {
      r.at = realloc(r.at, ((size_t)r.count + 1024) * sizeof *r.at);
      r.n = realloc(r.n, ((size_t)r.count + 1024) * sizeof *r.n);
    }
    r.n[r.count] = (size_t)n - (line[n - 1] == 0);
    r.at[r.count++] = line;
    line = NULL;
    cap = 0;
  }
  free(line);
  return r;
}

static GateText text(const Records *r, int i) {
  return (GateText){r->at[i], r->n[i]};
}

static void print_effort(const Records *r) {
  for (int i = 0; i < r->count; i++) {
    EffortPart parts[EFFORT_PARTS];
    double x = 0, score = effort_score(r->at[i], r->n[i], parts);
    for (int k = 0; k < EFFORT_PARTS; k++) {
      x += parts[k].share;
    }
    printf("%.6f %.6f\n", x, score);
  }
}

static void print_agreement(const Records *r) {
  for (int i = 0; i + 1 < r->count; i += 2) {
    GateText a = text(r, i), b = text(r, i + 1);
    double score = 0;
    const char *how = "";
    Err err = {0};
    agree_compare(&a, &b, AGREE_AUTO, &score, &how, &err);
    printf("%.4f %s\n", score, how);
  }
}

static void print_sums(const Records *r) {
  Gate gate;
  Err err = {0};
  gate_parse(GATE_ARITHMETIC, NULL, &gate, &err);
  for (int i = 0; i < r->count; i++) {
    GateCase c = {{"", 0}, {"", 0}, text(r, i), NULL};
    GateVerdict v;
    gate_check(&gate, &c, &v, &err);
    printf("%d %.4f %s\n", v.passes, v.score, v.why);
  }
  gate_free(&gate);
}

static int print_examples(const Records *r) {
  int n = r->count / 2;
  float *vectors = calloc((size_t)n * STATIC_DIM, sizeof *vectors);
  double *labels = calloc((size_t)n, sizeof *labels), *unseen = calloc((size_t)n, sizeof *unseen);
  Learned l;
  Err err = {0};
  for (int i = 0; i < n; i++) {
    labels[i] = strtod(r->at[2 * i], NULL);
    static_embed(r->at[2 * i + 1], r->n[2 * i + 1], vectors + (size_t)i * STATIC_DIM);
  }
  LearnExamples x = {vectors, labels, n, STATIC_DIM};
  if (learn_train(&x, 0, &l, unseen, &err) != RC_OK) {
    fprintf(stderr, "%s\n", err.msg);
  } else {
    printf("%.4f %.4f %.4f %.4f %.4f %.4f\n", l.here.auc, l.here.log_loss, l.here.brier, l.base.auc,
           l.base.log_loss, l.base.brier);
    for (int i = 0; i < n; i++) {
      printf("%.6f\n", unseen[i]);
    }
  }
  free(vectors);
  free(labels);
  free(unseen);
  return err.rc;
}

/* ---- APGR */

typedef struct Row {
  double score;
  uint64_t tie;
  int row;
} Row;

enum { MOST_SCORES = 16 };

typedef struct Data {
  int n, scores;
  double *weak, *strong;
  Row *order[MOST_SCORES];
} Data;

static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static int by_score(const void *a, const void *b) {
  const Row *x = a, *y = b;
  return x->score != y->score ? (x->score < y->score) - (x->score > y->score)
                              : (x->tie > y->tie) - (x->tie < y->tie);
}

/* Of rows that each count so many times. */
static double apgr(const Data *d, int score, const int *times) {
  double points[11], gain = 0;
  int seen = 0, next = 0;
  for (int i = 0; i <= d->n; i++) {
    while (next <= 10 && (i == d->n || seen >= next * d->n / 10)) {
      points[next++] = gain;
    }
    if (i < d->n) {
      int row = d->order[score][i].row;
      seen += times[row];
      gain += times[row] * (d->strong[row] - d->weak[row]);
    }
  }
  double area = 0;
  for (int k = 0; k < 10; k++) {
    area += (points[k] + points[k + 1]) / 20;
  }
  return gain > 0 || gain < 0 ? area / gain : (double)NAN;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_interval(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, by_value);
  printf(" %.4f %.4f", values[(int)(n * .025)], values[(int)(n * .975)]);
}

static void load(const Records *r, Data *d) {
  d->n = r->count;
  d->weak = calloc((size_t)d->n, sizeof(double));
  d->strong = calloc((size_t)d->n, sizeof(double));
  for (int i = 0; i < d->n; i++) {
    char *p = r->at[i];
    d->weak[i] = strtod(p, &p);
    d->strong[i] = strtod(p, &p);
    int k = 0;
    for (; *p && k < MOST_SCORES; k++) {
      d->order[k] = i ? d->order[k] : calloc((size_t)d->n, sizeof(Row));
      d->order[k][i] = (Row){strtod(p, &p), mix((uint64_t)i), i};
    }
    d->scores = k;
  }
  for (int k = 0; k < d->scores; k++) {
    qsort(d->order[k], (size_t)d->n, sizeof(Row), by_score);
  }
}

static void print_apgr(const Records *r, int resamples) {
  Data d = {0};
  load(r, &d);
  int *times = calloc((size_t)d.n, sizeof *times);
  double *values = calloc((size_t)(2 * MOST_SCORES * resamples), sizeof *values),
         whole[MOST_SCORES];
  for (int i = 0; i < d.n; i++) {
    times[i] = 1;
  }
  for (int k = 0; k < d.scores; k++) {
    whole[k] = apgr(&d, k, times);
  }
  for (int s = 0; s < resamples; s++) {
    memset(times, 0, (size_t)d.n * sizeof *times);
    for (int i = 0; i < d.n; i++) {
      times[mix((uint64_t)s * 1000003u + (uint64_t)i + 77) % (uint64_t)d.n]++;
    }
    double first = apgr(&d, 0, times);
    for (int k = 0; k < d.scores; k++) {
      double value = apgr(&d, k, times);
      values[k * resamples + s] = value;
      values[(MOST_SCORES + k) * resamples + s] = value - first;
    }
  }
  for (int k = 0; k < d.scores; k++) {
    printf("%.4f", whole[k]);
    print_interval(values + k * resamples, resamples);
    printf(" %.4f", whole[k] - whole[0]);
    print_interval(values + (MOST_SCORES + k) * resamples, resamples);
    printf("\n");
    free(d.order[k]);
  }
  free(times);
  free(values);
  free(d.weak);
  free(d.strong);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  Records r = read_records();
  int rc = 0;
  if (strcmp(what, "effort") == 0) {
    print_effort(&r);
  } else if (strcmp(what, "agree") == 0) {
    print_agreement(&r);
  } else if (strcmp(what, "sums") == 0) {
    print_sums(&r);
  } else if (strcmp(what, "examples") == 0) {
    rc = print_examples(&r);
  } else if (strcmp(what, "apgr") == 0) {
    print_apgr(&r, argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1000);
  } else {
    fprintf(stderr, "usage: bench_route effort|agree|sums|examples|apgr < records\n");
    rc = 2;
  }
  for (int i = 0; i < r.count; i++) {
    free(r.at[i]);
  }
  free(r.at);
  free(r.n);
  return rc;
}
