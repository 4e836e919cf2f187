/*
** The adaptive policy.
**
** Model. P(right) = sigmoid(w · x + b), x = (1, similarity, margin, log agree, …) centred and scaled,
** w one vector per partition with a Gaussian prior, b one number per entry with a Gaussian prior of
** its own. w is fitted by Newton's method to the partition's newest labels, b to those of its entry
** with w held; chance is the mean of the sigmoid over the Laplace approximation of w's posterior,
** sigmoid(mu / sqrt(1 + pi s^2 / 8)) (MacKay 1992, "The evidence framework applied to
** classification networks"). Per-entry thresholds (vCache, Schroeder et al. 2025) starve on the
** few labels one entry gets; here an entry starts from what its partition has learned.
**
** Bound. Served are matches with chance >= needed. Of matches served, the expected share of wrong
** ones is the mean of 1 - chance over them, so `needed` is the lowest value for which that mean, over
** the chances of recent decisions (a decaying histogram), is within the bound; before there are
** MIN_SEEN of them, and never above, it is 1 - bound. POLICY_EXPLORE of what would be served is not,
** so that errors above `needed` are found.
**
** The margin to the nearest entry with another answer is what carries: on banking77 questions the
** similarity alone keeps 5 % of what is served wrong at 15 to 20 % of hits, with margin and
** agreement at 45 % (bench/RESULTS.md).
**
** The prior was set on banking77 and CLINC150 tuning rows, rounded, and is wide.
*/
#include "vec/policy/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS = 5, KEPT = 2000, BINS = 100, MIN_SEEN = 50, STEPS = 8, FEW = 50, REFIT_EVERY = 10 };
#define FADE 0.999
#define ENTRY_SD 1.0

typedef struct Label {
  double x[TERMS];
  int64_t entry;
  int ok;
} Label;

struct Policy {
  double centre, second_centre;
  uint64_t seed;
  double prior[TERMS], precision[TERMS]; /* of w */
  double w[TERMS];
  double covariance[TERMS][TERMS];
  Label *labels; /* a ring of the newest KEPT */
  int n_labels, cap, next, unfitted;
  uint64_t learned;
  double seen[BINS + 1], wrong[BINS + 1]; /* decisions, and their expected errors, by chance */
};

static double sigmoid(double z) {
  return 1 / (1 + exp(-z));
}

static double dot(const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < TERMS; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

Policy *policy_new(double centre, double second_centre, uint64_t seed) {
  static const double alone[TERMS] = {0, 0.35, 0.35, 1, 0};
  static const double confirmed[TERMS] = {0, 0.35, 0.45, 0.8, 0.1};
  static const double sd[TERMS] = {1.5, 0.5, 0.5, 1, 0.3};
  Policy *p = calloc(1, sizeof *p);
  if (!p) {
    return NULL;
  }
  p->centre = centre;
  p->second_centre = second_centre;
  p->seed = seed;
  memcpy(p->prior, isnan(second_centre) ? alone : confirmed, sizeof p->prior);
  memcpy(p->w, p->prior, sizeof p->w);
  for (int i = 0; i < TERMS; i++) {
    p->precision[i] = 1 / (sd[i] * sd[i]);
    p->covariance[i][i] = sd[i] * sd[i];
  }
  return p;
}

void policy_free(Policy *p) {
  if (p) {
    free(p->labels);
    free(p);
  }
}

/* A term that no evidence can leave, however odd: cosines give at most 20. NaN says nothing: 0. */
static double bounded(double x) {
  const double most = 50;
  return isnan(x) ? 0 : fmax(-most, fmin(most, x));
}

static void terms(const Policy *p, const Evidence *e, double x[TERMS]) {
  int confirmed = !isnan(e->second) && !isnan(p->second_centre);
  x[0] = 1;
  x[1] = bounded(10 * (confirmed ? e->second - p->second_centre : e->similarity - p->centre));
  x[2] = bounded(10 * e->margin);
  x[3] = log(e->agree > 1 ? e->agree : 1);
  x[4] = confirmed ? bounded(10 * (e->similarity - p->centre)) : 0;
}

/* Inverts a symmetric positive definite matrix (Gauss-Jordan; the diagonal carries the pivots). */
static void invert(double a[TERMS][TERMS], double out[TERMS][TERMS]) {
  memset(out, 0, sizeof(double) * TERMS * TERMS);
  for (int i = 0; i < TERMS; i++) {
    out[i][i] = 1;
  }
  for (int i = 0; i < TERMS; i++) {
    double pivot = a[i][i];
    for (int j = 0; j < TERMS; j++) {
      a[i][j] /= pivot;
      out[i][j] /= pivot;
    }
    for (int k = 0; k < TERMS; k++) {
      double f = a[k][i];
      for (int j = 0; j < TERMS && k != i; j++) {
        a[k][j] -= f * a[i][j];
        out[k][j] -= f * out[i][j];
      }
    }
  }
}

/* Gradient and Hessian of the negative log posterior at w. */
static void slope(const Policy *p, double g[TERMS], double h[TERMS][TERMS]) {
  memset(h, 0, sizeof(double) * TERMS * TERMS);
  for (int i = 0; i < TERMS; i++) {
    g[i] = p->precision[i] * (p->w[i] - p->prior[i]);
    h[i][i] = p->precision[i];
  }
  for (int n = 0; n < p->n_labels; n++) {
    const double *x = p->labels[n].x;
    double q = sigmoid(dot(p->w, x)), weight = q * (1 - q);
    for (int i = 0; i < TERMS; i++) {
      g[i] += (q - p->labels[n].ok) * x[i];
      for (int j = 0; j < TERMS; j++) {
        h[i][j] += weight * x[i] * x[j];
      }
    }
  }
}

/* Newton's method with a bounded step: the posterior is log-concave, so it has one maximum. */
static void fit(Policy *p) {
  double g[TERMS], h[TERMS][TERMS], largest = 1;
  for (int step = 0; step < STEPS && largest > 1e-4; step++) {
    double move[TERMS];
    slope(p, g, h);
    invert(h, p->covariance);
    largest = 0;
    for (int i = 0; i < TERMS; i++) {
      move[i] = dot(p->covariance[i], g);
      largest = fmax(largest, fabs(move[i]));
    }
    double scale = largest > 2 ? 2 / largest : 1;
    for (int i = 0; i < TERMS; i++) {
      p->w[i] -= scale * move[i];
    }
  }
  p->unfitted = 0;
}

int policy_learn(Policy *p, const Evidence *evidence, int64_t entry, int ok) {
  enum { NOMEM = 7 };
  if (p->n_labels == p->cap && p->cap < KEPT) {
    int cap = p->cap ? p->cap * 2 < KEPT ? p->cap * 2 : KEPT : 64;
    Label *more = realloc(p->labels, sizeof *more * (size_t)cap);
    if (!more) {
      return NOMEM;
    }
    p->labels = more;
    p->cap = cap;
  }
  Label *l = &p->labels[p->next];
  terms(p, evidence, l->x);
  l->entry = entry;
  l->ok = ok != 0;
  p->n_labels += p->n_labels < p->cap;
  p->next = (p->next + 1) % KEPT;
  p->learned++;
  if (++p->unfitted >= (p->learned < FEW ? 1 : REFIT_EVERY)) {
    fit(p);
  }
  return 0;
}

/* How much better or worse than its partition this entry has done. */
static double entry_offset(const Policy *p, int64_t entry) {
  double b = 0;
  for (int step = 0; step < STEPS; step++) {
    double g = b / (ENTRY_SD * ENTRY_SD), h = 1 / (ENTRY_SD * ENTRY_SD);
    for (int n = 0; n < p->n_labels; n++) {
      if (p->labels[n].entry == entry) {
        double q = sigmoid(dot(p->w, p->labels[n].x) + b);
        g += q - p->labels[n].ok;
        h += q * (1 - q);
      }
    }
    b -= g / h;
  }
  return b;
}

static double chance_of(const Policy *p, const Evidence *e, int64_t entry) {
  double x[TERMS], variance = 0;
  terms(p, e, x);
  for (int i = 0; i < TERMS; i++) {
    variance += x[i] * dot(p->covariance[i], x);
  }
  double mu = dot(p->w, x) + entry_offset(p, entry);
  return sigmoid(mu / sqrt(1 + 3.14159265358979 * variance / 8));
}

/* Notes a chance, and gives the lowest one from which the expected share of errors is in bounds. */
static double needed_after(Policy *p, double chance, double bound) {
  double seen = 0, wrong = 0, all = 0, most = 1 - bound, needed = most;
  int bin = chance > 0 ? (int)(fmin(chance, 1) * BINS) : 0; /* NaN: 0 */
  for (int i = 0; i <= BINS; i++) {
    p->seen[i] *= FADE;
    p->wrong[i] *= FADE;
  }
  p->seen[bin] += 1;
  p->wrong[bin] += chance > 0 ? 1 - fmin(chance, 1) : 1;
  for (int i = BINS; i >= 0; i--) {
    all += p->seen[i];
    seen += p->seen[i];
    wrong += p->wrong[i];
    if (seen > 0 && wrong <= bound * seen) {
      needed = fmin(most, (double)i / BINS);
    }
  }
  return all >= MIN_SEEN ? needed : most;
}

/* A number in [0, 1) from the seed, the question and what was learned (splitmix64, Steele 2014). */
static double draw_of(const Policy *p, uint64_t question) {
  uint64_t z = p->seed ^ question * 0x9e3779b97f4a7c15ull ^ p->learned * 0xd1b54a32d192ed03ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

void policy_decide(Policy *p, double bound, uint64_t question, Decision *d) {
  d->chance = chance_of(p, &d->evidence, d->entry);
  d->needed = needed_after(p, d->chance, bound);
  d->draw = draw_of(p, question);
  d->served = d->chance >= d->needed && d->draw >= POLICY_EXPLORE;
}
