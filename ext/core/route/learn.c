/*
** Learning from labelled prompts. See learn.h for the contract.
**
** A neighbour weighs as the square of its cosine. The line is fitted by Newton's method to the cross-entropy with a small
** ridge on its slope. In a fold's training rows a row is not its own neighbour, nor are the fold's; each row's list of
** neighbours is made once, long enough that enough of them stay without a fold.
*/
#include "core/route/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE = 3, /* times k: neighbours in a list */ ROUNDS = 50 };
static const double RIDGE = 1.0, LEAST_WEIGHT = 1e-6, CLOSEST = 1e-6;

typedef struct Near {
  float cosine;
  int row;
} Near;

static float cosine_of(const float *a, const float *b, int dim) {
  float sum[8] = {0};
  int d = 0;
  for (; d + 8 <= dim; d += 8) {
    for (int i = 0; i < 8; i++) {
      sum[i] += a[d + i] * b[d + i];
    }
  }
  for (; d < dim; d++) {
    sum[0] += a[d] * b[d];
  }
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* Puts a row into a list of the nearest, of which *n are there: by cosine, then by row. */
static void keep(Near *list, int *n, int most, Near one) {
  if (*n == most && !(one.cosine > list[most - 1].cosine)) {
    return;
  }
  int i = *n < most ? (*n)++ : most - 1;
  while (i > 0 && one.cosine > list[i - 1].cosine) {
    list[i] = list[i - 1];
    i--;
  }
  list[i] = one;
}

static double weight_of(float cosine) {
  return cosine > 0 ? fmax((double)cosine * (double)cosine, LEAST_WEIGHT) : LEAST_WEIGHT;
}

/* What the first k of a list say that are not of a fold (-1: of any). */
static double mean_of(const LearnExamples *x, const Near *list, int n, int k, int fold) {
  double sum = 0, weights = 0;
  for (int i = 0, taken = 0; i < n && taken < k; i++) {
    if (fold < 0 || list[i].row % LEARN_FOLDS != fold) {
      double w = weight_of(list[i].cosine);
      sum += w * x->labels[list[i].row];
      weights += w;
      taken++;
    }
  }
  return weights > 0 ? sum / weights : (double)NAN;
}

static double clamp(double p) {
  return fmin(fmax(p, CLOSEST), 1 - CLOSEST);
}

static double sigmoid(double z) {
  return 1 / (1 + exp(-z));
}

/* ---- the line */

typedef struct Line {
  double intercept, slope;
} Line;

/* Fits it to the rows that are not of a fold; features that are NAN are left out. */
static Line fit(const double *f, const double *labels, int n, int fold) {
  Line l = {0, 1};
  for (int round = 0; round < ROUNDS; round++) {
    double g0 = 0, g1 = RIDGE * l.slope, h00 = 1e-9, h01 = 0, h11 = RIDGE;
    for (int i = 0; i < n; i++) {
      if ((fold >= 0 && i % LEARN_FOLDS == fold) || isnan(f[i])) {
        continue;
      }
      double p = sigmoid(l.intercept + l.slope * f[i]), w = fmax(p * (1 - p), 1e-9);
      g0 += p - labels[i];
      g1 += (p - labels[i]) * f[i];
      h00 += w;
      h01 += w * f[i];
      h11 += w * f[i] * f[i];
    }
    double det = h00 * h11 - h01 * h01;
    double d0 = (h11 * g0 - h01 * g1) / det, d1 = (h00 * g1 - h01 * g0) / det;
    if (!isfinite(d0) || !isfinite(d1)) {
      break;
    }
    l.intercept -= fmin(fmax(d0, -4), 4);
    l.slope -= fmin(fmax(d1, -4), 4);
    if (fabs(d0) + fabs(d1) < 1e-10) {
      break;
    }
  }
  return l;
}

/* ---- how good it is */

typedef struct Ranked {
  double score;
  int is_hard;
} Ranked;

static int by_score(const void *a, const void *b) {
  double x = ((const Ranked *)a)->score, y = ((const Ranked *)b)->score;
  return (x > y) - (x < y);
}

double learn_auc(const double *scores, const double *labels, int n) {
  Ranked *r = malloc(sizeof *r * (size_t)(n > 0 ? n : 1));
  double ranks = 0, hard = 0;
  if (!r) {
    return -1;
  }
  for (int i = 0; i < n; i++) {
    r[i] = (Ranked){scores[i], labels[i] >= .5};
    hard += r[i].is_hard;
  }
  qsort(r, (size_t)n, sizeof *r, by_score);
  for (int i = 0, j; i < n; i = j) {
    for (j = i; j < n && r[j].score <= r[i].score; j++) {
    }
    for (int k = i; k < j; k++) {
      ranks += r[k].is_hard ? (i + j + 1) / 2.0 : 0;
    }
  }
  free(r);
  double pairs = hard * (n - hard);
  return pairs > 0 ? (ranks - hard * (hard + 1) / 2) / pairs : (double)NAN;
}

static void add_quality(LearnQuality *q, double p, double label, int n) {
  p = clamp(p);
  q->log_loss -= (label * log(p) + (1 - label) * log1p(-p)) / n;
  q->brier += (p - label) * (p - label) / n;
}

/* ---- training */

typedef struct Training {
  const LearnExamples *x;
  int k, most;      /* neighbours that count, and in a list */
  Near *lists;      /* n lists */
  int *counts;      /* how long they are */
  double *features; /* of the rows, for one fold */
  double *scores;   /* out of fold */
} Training;

static int check_examples(const LearnExamples *x, Err *err) {
  double least = INFINITY, most = -INFINITY;
  if (x->n < LEARN_LEAST) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%d labelled examples, at least %d are needed",
                   x->n, LEARN_LEAST);
  }
  if (x->n > LEARN_MOST) {
    return err_set(err, RC_TOOBIG, ERR_BAD_ARGUMENT, "%d labelled examples (at most %d)", x->n,
                   LEARN_MOST);
  }
  for (int i = 0; i < x->n; i++) {
    if (!(x->labels[i] >= 0 && x->labels[i] <= 1)) {
      return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "label %d: expected a number from 0 to 1",
                     i + 1);
    }
    least = fmin(least, x->labels[i]);
    most = fmax(most, x->labels[i]);
  }
  return most - least > 1e-9
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                       "all %d examples have the same label: there is nothing to tell apart", x->n);
}

static void find_neighbours(Training *t) {
  const LearnExamples *x = t->x;
  for (int i = 0; i < x->n; i++) {
    for (int j = 0; j < i; j++) {
      float c = cosine_of(x->vectors + (size_t)i * (size_t)x->dim,
                          x->vectors + (size_t)j * (size_t)x->dim, x->dim);
      keep(t->lists + (size_t)i * (size_t)t->most, &t->counts[i], t->most, (Near){c, j});
      keep(t->lists + (size_t)j * (size_t)t->most, &t->counts[j], t->most, (Near){c, i});
    }
  }
}

static Line train_fold(Training *t, int fold) {
  for (int i = 0; i < t->x->n; i++) {
    t->features[i] =
        mean_of(t->x, t->lists + (size_t)i * (size_t)t->most, t->counts[i], t->k, fold);
  }
  return fit(t->features, t->x->labels, t->x->n, fold);
}

static double apply(Line l, double feature, double base) {
  return isnan(feature) ? base : sigmoid(l.intercept + l.slope * feature);
}

static void judge(Training *t, Learned *out) {
  int n = t->x->n;
  double base = out->base_rate;
  for (int fold = 0; fold < LEARN_FOLDS; fold++) {
    Line l = train_fold(t, fold);
    for (int i = fold; i < n; i += LEARN_FOLDS) {
      t->scores[i] = apply(l, t->features[i], base);
      add_quality(&out->here, t->scores[i], t->x->labels[i], n);
      add_quality(&out->base, base, t->x->labels[i], n);
    }
  }
  out->base.auc = .5;
  out->here.auc = learn_auc(t->scores, t->x->labels, n);
}

static int has_room(Training *t) {
  size_t n = (size_t)t->x->n;
  t->lists = calloc(n * (size_t)t->most, sizeof *t->lists);
  t->counts = calloc(n, sizeof *t->counts);
  t->features = calloc(n, sizeof *t->features);
  t->scores = calloc(n, sizeof *t->scores);
  return t->lists && t->counts && t->features && t->scores;
}

static void give_back(Training *t) {
  free(t->lists);
  free(t->counts);
  free(t->features);
  free(t->scores);
}

int learn_train(const LearnExamples *x, int k, Learned *out, double *unseen, Err *err) {
  *out = (Learned){.k = k < 1 ? LEARN_K : k > LEARN_MOST_K ? LEARN_MOST_K : k};
  if (check_examples(x, err) != RC_OK) {
    return err->rc;
  }
  Training t = {.x = x, .k = out->k, .most = out->k * SPARE};
  if (has_room(&t)) {
    for (int i = 0; i < x->n; i++) {
      out->base_rate += x->labels[i] / x->n;
    }
    find_neighbours(&t);
    judge(&t, out);
    Line l = train_fold(&t, -1);
    out->intercept = l.intercept;
    out->slope = l.slope;
    if (unseen) {
      memcpy(unseen, t.scores, (size_t)x->n * sizeof *unseen);
    }
  }
  if (!(t.lists && t.counts && t.features && t.scores) || out->here.auc < 0) {
    err_nomem(err);
  }
  give_back(&t);
  return err->rc;
}

double learn_score(const LearnExamples *x, const Learned *l, const float *vector, double *near) {
  Near list[LEARN_MOST_K];
  int n = 0, k = l->k < LEARN_MOST_K ? l->k : LEARN_MOST_K;
  for (int i = 0; i < x->n; i++) {
    float c = cosine_of(vector, x->vectors + (size_t)i * (size_t)x->dim, x->dim);
    keep(list, &n, k, (Near){c, i});
  }
  double feature = mean_of(x, list, n, k, -1);
  if (near) {
    *near = feature;
  }
  return isnan(feature) ? feature : sigmoid(l->intercept + l->slope * feature);
}
