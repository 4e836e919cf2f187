/*
** See shares.h for the contract.
*/
#include "core/route/shares.h"

#include <math.h>

/* How many of them are below x. */
static int below(const double *sorted, int n, double x) {
  int low = 0, high = n;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (sorted[middle] < x) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Between two neighbours, with as few digits as part them. */
static double between(double a, double b) {
  double x = (a + b) / 2;
  for (double digits = 100; digits <= 1e6; digits *= 10) {
    double rounded = round(x * digits) / digits;
    if (rounded > a && rounded <= b) {
      return rounded;
    }
  }
  return b;
}

/* The threshold that has `wanted` scores below it, or the nearest that equal scores allow. */
static double cut(const double *sorted, int n, int wanted) {
  if (wanted <= 0) {
    return 0;
  }
  if (wanted >= n) {
    return 1;
  }
  double at = sorted[wanted];
  int first = below(sorted, n, at), last = first;
  while (last < n && sorted[last] == at) {
    last++;
  }
  int take_all = last - wanted < wanted - first; /* those that equal it go below too */
  int k = take_all ? last : first;
  return k <= 0 ? 0 : k >= n ? 1 : between(sorted[k - 1], sorted[k]);
}

void shares_thresholds(const double *sorted, int n, const double *shares, int tiers,
                       double *thresholds) {
  double sum = 0;
  for (int i = 0; i < tiers; i++) {
    sum += shares[i];
    thresholds[i] = i + 1 == tiers ? 1 : cut(sorted, n, (int)lround(sum * n));
    if (i > 0 && thresholds[i] < thresholds[i - 1]) {
      thresholds[i] = thresholds[i - 1];
    }
  }
}

void shares_under(const double *sorted, int n, const double *thresholds, int tiers,
                  double *shares) {
  int before = 0;
  for (int i = 0; i < tiers; i++) {
    int upto = i + 1 == tiers ? n : below(sorted, n, thresholds[i]);
    upto = upto > before ? upto : before;
    shares[i] = (double)(upto - before) / n;
    before = upto;
  }
}

void shares_mix(const double *like, int tiers, double rest, double *shares) {
  double others = 0;
  for (int i = 1; i < tiers; i++) {
    others += like[i];
  }
  shares[0] = tiers > 1 ? 1 - rest : 1;
  for (int i = 1; i < tiers; i++) {
    shares[i] = others > 0 ? rest * like[i] / others : rest / (tiers - 1);
  }
}
