/*
** See words.h for the contract.
*/
#include "core/audit/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts a comma between each three digits of a number's whole part. */
static void group_digits(const char *plain, char out[WORDS_NUMBER]) {
  size_t whole = strcspn(plain, "."), n = 0;
  for (size_t i = 0; plain[i] && n + 2 < WORDS_NUMBER; i++) {
    int is_between = i > 0 && i < whole && (whole - i) % 3 == 0;
    if (is_between) {
      out[n++] = ',';
    }
    out[n++] = plain[i];
  }
  out[n] = 0;
}

static void add_sign(int is_minus, int signs, const char *unsign, char out[WORDS_NUMBER]) {
  snprintf(out, WORDS_NUMBER, "%s%.40s", is_minus ? "\xE2\x88\x92" : signs ? "+" : "", unsign);
}

/* The decimals that show two digits of something below one. */
static int decimals_of(double x, int least, int most) {
  int n = least;
  for (double at = x; at > 0 && n < most && at * pow(10, n) < 9.95; n++) {
  }
  return n;
}

void words_money(long long nusd, int signs, char out[WORDS_NUMBER]) {
  enum { CENTS = 2, NANO = 9 };
  double usd = fabs((double)nusd / 1e9);
  char plain[WORDS_NUMBER], grouped[WORDS_NUMBER], money[WORDS_NUMBER];
  snprintf(plain, sizeof plain, "%.*f", usd < 0.1 ? decimals_of(usd, CENTS, NANO) : CENTS, usd);
  group_digits(plain, grouped);
  snprintf(money, sizeof money, "$%.40s", grouped);
  add_sign(nusd < 0, signs && nusd != 0, money, out);
}

void words_number(double x, char out[WORDS_NUMBER]) {
  enum { MOST = 6 };
  double size = fabs(x);
  char plain[WORDS_NUMBER], grouped[WORDS_NUMBER];
  if (isnan(x)) {
    snprintf(out, WORDS_NUMBER, "\xE2\x80\x93");
    return;
  }
  int is_whole = size >= 1000 || fabs(size - round(size)) < 1e-9;
  int decimals = is_whole ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : decimals_of(size, 2, MOST);
  snprintf(plain, sizeof plain, "%.*f", decimals, size < 1e30 ? size : 1e30);
  group_digits(plain, grouped);
  add_sign(x < 0, 0, grouped, out);
}

void words_percent(double share, int signs, char out[WORDS_NUMBER]) {
  double percent = fabs(share) * 100;
  char plain[WORDS_NUMBER], grouped[WORDS_NUMBER], text[WORDS_NUMBER];
  snprintf(plain, sizeof plain, "%.*f", percent >= 9.95 || percent < 0.05 ? 0 : 1,
           percent < 1e30 ? percent : 1e30);
  group_digits(plain, grouped);
  snprintf(text, sizeof text, "%.40s %%", grouped);
  int is_nothing = percent < 0.05;
  add_sign(share < 0 && !is_nothing, signs && !is_nothing, text, out);
}
