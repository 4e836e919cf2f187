/*
** Principal directions by subspace iteration, and codes whose distance bounds the true one.
**
** The bound. Let u and v be unit vectors, m the mean, P the rows of the basis with |P| <= 1 as an
** operator, and G = I - P'P, which is then positive semidefinite. A vector's point is
**
**   z(u) = (P(u - m), s(u)),   s(u) = sqrt(|u - m|^2 - |P(u - m)|^2) = |G^(1/2) (u - m)|
**
** |P(u - v)|^2 + (s(u) - s(v))^2 <= |P(u - v)|^2 + |G^(1/2) (u - v)|^2 = |u - v|^2, so z never
** lengthens a distance. P need not be orthonormal for that, only |P| <= 1: learned rows are made
** orthonormal in double, scaled by 1 - SHRINK and rounded to float; basis_is_sound then checks in
** double that the Frobenius norm of PP' - (1 - SHRINK)^2 I is at most SHRINK, hence
** |P|^2 <= 1 - 2 SHRINK + SHRINK^2 + SHRINK < 1, and PP' differs from I by less than 1e-6.
**
** Coordinates are divided by the step and clamped to 0 … 255 around a centre. Clamping projects on
** a convex set, which never lengthens a distance either. Rounding to a byte moves the clamped point
** by a distance that is computed here and kept, rounded up, as the code's error; so is the error of
** computing the point (below). With e(u), e(v) those errors in steps, and a(u) the code of u,
**
**   |a(u) - a(v)| <= |u - v| / step + e(u) + e(v)
**
** and likewise over the head alone, with the head's errors: leaving out coordinates shortens. The
** integer kernels compute |a(u) - a(v)|^2 or less: a difference that wraps, or is cut to 127, is
** smaller than the true one. Where their 16 bits saturate the sum is at least 65,535, over every
** limit but KERNEL_ALL, which lets all pass. A box of codes is a convex set that holds its rows'
** codes, so its distance is a lower bound of theirs.
**
** The error of a point. `unit` is within BASIS_UNIT_ERROR (which covers the rounding of its floats,
** and lengths taken for 1) of the vector meant. A float dot product of n terms in sums no longer
** than L = n/16 + 8 is off by at most g |row| |unit|, g = 1.01 * L * 2^-24, in any order of
** summation (Higham, 3.1; with g < 0.01 up to 16,384 dimensions). So the head is off by
**
**   d = 1.01 * sqrt(rank) * g + BASIS_UNIT_ERROR
**
** With n2 = |unit - m|^2, in double, and h the computed head, s^2 = n2 - |h|^2 is off by at most
**
**   D = 2 (|h| + d) d + d^2 + 4.1 * BASIS_UNIT_ERROR + 1e-9
**
** (|u - m| <= 2 gives the third term), and so s, which is s' computed, by at most
** max(s' - sqrt(s'^2 - D), sqrt(s'^2 + D) - s'), the first being the larger unless s' < sqrt(D).
** Coordinates are doubles from there on; their relative error of 1e-15 is inside the 1e-6 that
** every error is enlarged by.
**
** The search adds the error of the cosine itself, see search.c. Doubles must not be contracted or
** reassociated for none of this: the margins are far wider.
*/
#include "vec/engine/basis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK 2.5e-7    /* see above */
#define CLIP 2.0         /* the codes reach so many standard deviations of the first direction */
#define LEAST_STEP 0.004 /* sums of 16 bits then reach a distance of 1, a cosine of 0.5 */

enum { ROUNDS = 5, SWEEPS = 12 };

Basis *basis_new(int dim) {
  size_t width = basis_width(dim), rank = dim < BASIS_RANK ? (size_t)dim : BASIS_RANK;
  Basis *basis = calloc(1, sizeof *basis + (rank + 1) * width * sizeof(float));
  if (basis) {
    basis->dim = dim;
    basis->rank = (int)rank;
    basis->width = width;
    basis->mean = (float *)(void *)(basis + 1);
    basis->rows = basis->mean + width;
  }
  return basis;
}

/* --- coding */

static double square(double x) {
  return x * x;
}

/* How far the computed head can be from the true one. */
static double head_slack(const Basis *basis) {
  double longest = (double)basis->width / 16 + 8;
  return 1.01 * sqrt(basis->rank) * (1.01 * longest * 0x1p-24) + BASIS_UNIT_ERROR;
}

/* The residual coordinate, and how far it can be from the true one. */
static double residual(double n2, double head2, double slack, double *error) {
  double h = sqrt(head2), s2 = n2 > head2 ? n2 - head2 : 0, s = sqrt(s2);
  double off = 2 * (h + slack) * slack + slack * slack + 4.1 * BASIS_UNIT_ERROR + 1e-9;
  double up = sqrt(s2 + off) - s, down = s - sqrt(s2 > off ? s2 - off : 0);
  *error = up > down ? up : down;
  return s;
}

/* Rounds one coordinate; returns the square of what rounding moved it by, in steps. */
static double round_to(double z, double centre, double step, uint8_t *at) {
  double t = (z - centre) / step + 127.5;
  t = t > 0 ? t < 255 ? t : 255 : 0;
  *at = (uint8_t)(t + 0.5);
  return square(t - *at);
}

static uint16_t error_units(double steps) {
  double units = ceil(steps * (1 + 1e-6) * BASIS_ERROR_UNIT);
  return (uint16_t)(units < BASIS_ERROR_MOST ? units : BASIS_ERROR_MOST);
}

void basis_code(const Basis *basis, const float *unit, const VecKernels *kernels, Code *code) {
  float dots[BASIS_RANK];
  double slack = head_slack(basis), head2 = 0, off = 0, moved = 0, moved_head = 0, s;
  int last = BASIS_CODED - 1;
  kernels->project(basis->rows, (size_t)basis->rank, unit, basis->width, dots);
  memset(code->at, 0, sizeof code->at);
  for (int j = 0; j < basis->rank; j++) {
    double z = (double)dots[j] - basis->offset[j];
    head2 += z * z;
    moved += round_to(z, 0, basis->step, &code->at[j]);
    moved_head = j < BASIS_HEAD ? moved : moved_head;
  }
  s = residual(kernels->apart(unit, basis->mean, basis->width), head2, slack, &off);
  moved += round_to(s, basis->centre, basis->step, &code->at[last]);
  code->head_error = error_units(sqrt(moved_head) + slack / basis->step);
  code->error = error_units(sqrt(moved) + (slack + off) / basis->step);
}

/* --- soundness */

static double dot_rows(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)a[i] * (double)b[i];
  }
  return sum;
}

static int all_finite(const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) {
      return 0;
    }
  }
  return 1;
}

int basis_is_sound(Basis *basis) {
  size_t width = basis->width;
  double off = 0, shrunk = square(1 - SHRINK);
  if (!all_finite(basis->mean, width * (size_t)(basis->rank + 1)) || !isfinite(basis->centre) ||
      !(basis->step >= LEAST_STEP && basis->step <= 1) ||
      !(dot_rows(basis->mean, basis->mean, width) <= 1 + 1e-6)) {
    return 0;
  }
  for (int i = 0; i < basis->rank; i++) {
    const float *row = basis->rows + (size_t)i * width;
    basis->offset[i] = dot_rows(row, basis->mean, width);
    for (int j = 0; j <= i; j++) {
      double d = dot_rows(row, basis->rows + (size_t)j * width, width);
      off += i == j ? square(d - shrunk) : 2 * square(d);
    }
  }
  return sqrt(off) <= SHRINK;
}

/* --- learning */

typedef struct Learner {
  Basis *basis;
  const VecKernels *kernels;
  const float *sample; /* n_sample rows of width floats, centred; n_sample is a multiple of 4 */
  size_t n_sample;
  double *rows; /* rank * width */
  float *sums;  /* rank * width */
  double *gram; /* rank * rank */
  double *turn; /* rank * rank */
} Learner;

static uint64_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

static void fill_random(double *row, size_t n, size_t width, uint64_t *state) {
  for (size_t i = 0; i < width; i++) {
    row[i] = i < n ? (double)next_random(state) / 0x1p31 - 0.5 : 0;
  }
}

/* Takes the directions of the first `done` rows out of `row`; returns the length left. */
static double make_orthogonal(const double *rows, size_t done, double *row, size_t width) {
  double left = 0;
  for (size_t b = 0; b < 2 * done; b++) {
    const double *other = rows + b % done * width;
    double d = 0;
    for (size_t i = 0; i < width; i++) {
      d += row[i] * other[i];
    }
    for (size_t i = 0; i < width; i++) {
      row[i] -= d * other[i];
    }
  }
  for (size_t i = 0; i < width; i++) {
    left += row[i] * row[i];
  }
  return sqrt(left);
}

/* Gram-Schmidt, twice over; a row that depends on those before is replaced by a random one. */
static void make_orthonormal(Learner *l) {
  size_t width = l->basis->width, rank = (size_t)l->basis->rank;
  uint64_t state = 7;
  for (size_t j = 0; j < rank; j++) {
    double *row = l->rows + j * width, before = make_orthogonal(l->rows, 0, row, width);
    double length = make_orthogonal(l->rows, j, row, width);
    for (int tries = 0; tries < 8 && !(length > 1e-7 * before && length > 1e-30); tries++) {
      fill_random(row, (size_t)l->basis->dim, width, &state);
      before = 1;
      length = make_orthogonal(l->rows, j, row, width);
    }
    for (size_t i = 0; i < width; i++) {
      row[i] /= length;
    }
  }
}

/* gram = the sample's covariance within the rows (times n_sample), its lower half. */
static void find_gram(Learner *l) {
  size_t rank = (size_t)l->basis->rank;
  float at[BASIS_RANK];
  memset(l->gram, 0, rank * rank * sizeof *l->gram);
  for (size_t i = 0; i < l->n_sample; i++) {
    l->kernels->project(l->basis->rows, rank, l->sample + i * l->basis->width, l->basis->width, at);
    for (size_t a = 0; a < rank; a++) {
      for (size_t b = 0; b <= a; b++) {
        l->gram[a * rank + b] += (double)at[a] * (double)at[b];
      }
    }
  }
}

static void round_rows(Learner *l, double scale) {
  size_t n = (size_t)l->basis->rank * l->basis->width;
  for (size_t i = 0; i < n; i++) {
    l->basis->rows[i] = (float)(l->rows[i] * scale);
  }
}

/* sums = the rows times the sample's covariance (times n_sample). */
static void pass_over(Learner *l) {
  size_t width = l->basis->width, rank = (size_t)l->basis->rank;
  float at[4][BASIS_RANK], c[4];
  memset(l->sums, 0, rank * width * sizeof *l->sums);
  for (size_t i = 0; i < l->n_sample; i += 4) {
    const float *x = l->sample + i * width;
    for (size_t r = 0; r < 4; r++) {
      l->kernels->project(l->basis->rows, rank, x + r * width, width, at[r]);
    }
    for (size_t j = 0; j < rank; j++) {
      for (size_t r = 0; r < 4; r++) {
        c[r] = at[r][j];
      }
      l->kernels->add4(l->sums + j * width, x, c, width);
    }
  }
}

/* One Jacobi rotation of the symmetric matrix `gram`, and of the turn that goes with it. */
static void rotate(double *gram, double *turn, size_t n, size_t p, size_t q) {
  double apq = gram[p * n + q];
  if (fabs(apq) < 1e-30) {
    return;
  }
  double theta = (gram[q * n + q] - gram[p * n + p]) / (2 * apq);
  double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
  double c = 1 / sqrt(t * t + 1), s = t * c;
  for (size_t i = 0; i < n; i++) {
    double x = gram[i * n + p], y = gram[i * n + q];
    gram[i * n + p] = c * x - s * y;
    gram[i * n + q] = s * x + c * y;
  }
  for (size_t i = 0; i < n; i++) {
    double x = gram[p * n + i], y = gram[q * n + i];
    gram[p * n + i] = c * x - s * y;
    gram[q * n + i] = s * x + c * y;
    x = turn[p * n + i], y = turn[q * n + i];
    turn[p * n + i] = c * x - s * y;
    turn[q * n + i] = s * x + c * y;
  }
}

/* turn's rows become the eigenvectors of gram, whose diagonal becomes the eigenvalues. */
static void diagonalise(Learner *l) {
  size_t n = (size_t)l->basis->rank;
  for (size_t a = 0; a < n; a++) {
    for (size_t b = 0; b < n; b++) {
      l->gram[a * n + b] = b > a ? l->gram[b * n + a] : l->gram[a * n + b];
      l->turn[a * n + b] = a == b;
    }
  }
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    for (size_t p = 0; p + 1 < n; p++) {
      for (size_t q = p + 1; q < n; q++) {
        rotate(l->gram, l->turn, n, p, q);
      }
    }
  }
}

/* Turns the rows to the principal directions, the widest first. */
static void turn_rows(Learner *l) {
  size_t n = (size_t)l->basis->rank, width = l->basis->width;
  unsigned char used[BASIS_RANK] = {0};
  diagonalise(l);
  memset(l->sums, 0, n * width * sizeof *l->sums);
  for (size_t j = 0; j < n; j++) {
    size_t widest = n;
    for (size_t a = 0; a < n; a++) {
      if (!used[a] && (widest == n || l->gram[a * n + a] > l->gram[widest * n + widest])) {
        widest = a;
      }
    }
    used[widest] = 1;
    for (size_t b = 0; b < n; b++) {
      double c = l->turn[widest * n + b];
      for (size_t i = 0; i < width; i++) {
        l->sums[j * width + i] += (float)(c * l->rows[b * width + i]);
      }
    }
  }
  for (size_t i = 0; i < n * width; i++) {
    l->rows[i] = (double)l->sums[i];
  }
  make_orthonormal(l);
}

static void find_directions(Learner *l) {
  size_t n = (size_t)l->basis->rank, width = l->basis->width;
  uint64_t state = 99;
  for (size_t j = 0; j < n; j++) {
    fill_random(l->rows + j * width, (size_t)l->basis->dim, width, &state);
  }
  make_orthonormal(l);
  for (int round = 0; round < ROUNDS; round++) {
    round_rows(l, 1);
    pass_over(l);
    for (size_t i = 0; i < n * width; i++) {
      l->rows[i] = (double)l->sums[i];
    }
    make_orthonormal(l);
  }
  round_rows(l, 1);
  find_gram(l);
  turn_rows(l);
  round_rows(l, 1 - SHRINK);
}

/* The step from the spread along the first direction, the centre from the residuals. */
static void find_range(Learner *l) {
  Basis *basis = l->basis;
  float at[BASIS_RANK];
  double first2 = 0, sum = 0, n = (double)l->n_sample;
  for (size_t i = 0; i < l->n_sample; i++) {
    const float *x = l->sample + i * basis->width;
    double left = dot_rows(x, x, basis->width);
    l->kernels->project(basis->rows, (size_t)basis->rank, x, basis->width, at);
    for (int j = 0; j < basis->rank; j++) {
      left -= square((double)at[j]);
    }
    first2 += square((double)at[0]) / n;
    sum += sqrt(left > 0 ? left : 0) / n;
  }
  double step = CLIP * sqrt(first2) / 127.5;
  basis->step = step > LEAST_STEP ? step : LEAST_STEP;
  basis->centre = sum;
}

static void centre_sample(Basis *basis, float *sample, size_t n, double *sums) {
  size_t width = basis->width;
  memset(sums, 0, width * sizeof *sums);
  for (size_t r = 0; r < n; r++) {
    for (size_t i = 0; i < width; i++) {
      sums[i] += (double)sample[r * width + i];
    }
  }
  for (size_t i = 0; i < width; i++) {
    basis->mean[i] = (float)(sums[i] / (double)n);
  }
  for (size_t r = 0; r < n; r++) {
    for (size_t i = 0; i < width; i++) {
      sample[r * width + i] -= basis->mean[i];
    }
  }
}

int basis_learn(Basis *basis, float *sample, size_t n, const VecKernels *kernels) {
  size_t rank = (size_t)basis->rank, cells = rank * basis->width;
  Learner l = {basis, kernels, sample, n / 4 * 4, NULL, NULL, NULL, NULL};
  l.rows = malloc(cells * sizeof *l.rows);
  l.sums = malloc(cells * sizeof *l.sums);
  l.gram = malloc(rank * rank * sizeof *l.gram);
  l.turn = malloc(rank * rank * sizeof *l.turn);
  int rc = VEC_NOMEM;
  if (l.rows && l.sums && l.gram && l.turn) {
    rc = VEC_ERROR;
    if (l.n_sample > 0) {
      centre_sample(basis, sample, n, l.rows);
      find_directions(&l);
      find_range(&l);
      rc = basis_is_sound(basis) ? VEC_OK : VEC_ERROR;
    }
  }
  free(l.rows);
  free(l.sums);
  free(l.gram);
  free(l.turn);
  return rc;
}
