/*
** Exact decimals, times and durations. See decimal.h for the contract.
*/
#include "base/text/decimal.h"

#include "base/limits.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 Wide;

int decimal_parse(const char *text, int scale, long long *value) {
  static const Wide enough =
      (Wide)1000000000000000000 * 1000000000000000000; /* later digits decide nothing */
  const char *p = text;
  Wide v = 0;
  long shift = scale;
  int digits = 0, seen_point = 0;
  for (; (*p >= '0' && *p <= '9') || (*p == '.' && !seen_point); p++) {
    if (*p == '.') {
      seen_point = 1;
    } else if (v < enough) {
      v = v * 10 + (unsigned)(*p - '0');
      shift -= seen_point;
      digits = 1;
    } else {
      shift += !seen_point;
    }
  }
  if (digits && (*p == 'e' || *p == 'E')) {
    char *end;
    int sign = p[1] == '+' || p[1] == '-';
    long exponent = strtol(p + 1, &end, 10);
    if (p[1 + sign] < '0' || p[1 + sign] > '9' || exponent < -60 || exponent > 60) {
      return 0;
    }
    shift += exponent;
    p = end;
  }
  if (!digits || *p) {
    return 0;
  }
  for (; shift > 0 && v && v <= LLONG_MAX; shift--) {
    v *= 10;
  }
  for (; shift < 0 && v; shift++) {
    v = shift == -1 ? (v + 5) / 10 : v / 10;
  }
  *value = v <= LLONG_MAX ? (long long)v : 0;
  return v <= LLONG_MAX;
}

int decimal_parse_pico(const char *text, long long *value) {
  return decimal_parse(text, 12, value);
}

int decimal_is_whole(double d, double min, double max) {
  return d >= min && d <= max && d == floor(d);
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar (Hinnant's civil-from-days
** algorithm, http://howardhinnant.github.io/date_algorithms.html). */
static long long days_from_civil(long long y, int m, int d) {
  y -= m <= 2;
  long long era = (y >= 0 ? y : y - 399) / 400;
  long long yoe = y - era * 400;
  long long doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_of_month(int y, int m) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
  return days[m - 1] + (m == 2 && leap);
}

int time_of_date(int year, int month, int day, long long *ms) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > days_of_month(year, month)) {
    return 0;
  }
  *ms = days_from_civil(year, month, day) * 86400000LL;
  return 1;
}

/* 'HH:MM[:SS[.fraction]][Z]' behind a date; the fraction below milliseconds is dropped. */
static int parse_clock(const char *p, long long *ms) {
  int h, mi, s = 0, used = 0;
  if (sscanf(p, "%2d:%2d%n", &h, &mi, &used) != 2 || used == 0) {
    return 0;
  }
  p += used;
  long long fraction = 0;
  if (*p == ':' && sscanf(p, ":%2d%n", &s, &used) == 1) {
    p += used;
    if (*p == '.') {
      for (int unit = 100; *++p >= '0' && *p <= '9'; unit /= 10) {
        fraction += (*p - '0') * unit;
      }
    }
  }
  p += *p == 'Z';
  *ms = ((h * 60LL + mi) * 60 + s) * 1000 + fraction;
  return !*p && h >= 0 && h <= 23 && mi >= 0 && mi <= 59 && s >= 0 && s <= 60;
}

int time_parse(const char *text, long long *ms) {
  char *end;
  long long value = strtoll(text, &end, 10), clock = 0;
  int y, mo, d, used = 0;
  if (end != text && (*end == 0 || strcmp(end, ".0") == 0)) { /* (a REAL is written like that) */
    *ms = value;
    return value == 0 || (value >= TIME_FIRST_MS && value <= TIME_LAST);
  } else if (sscanf(text, "%4d-%2d-%2d%n", &y, &mo, &d, &used) != 3 ||
             !time_of_date(y, mo, d, ms)) {
    return 0;
  } else if ((text[used] == 'T' || text[used] == ' ') ? !parse_clock(text + used + 1, &clock)
                                                      : text[used] != 0) {
    return 0;
  } else {
    *ms += clock;
  }
  return *ms >= TIME_FIRST;
}

int time_parse_hours(const char *text, int *from, int *to) {
  int h1, m1, h2, m2, used = 0;
  if (sscanf(text, "%2d:%2d-%2d:%2d%n", &h1, &m1, &h2, &m2, &used) != 4 || text[used] || h1 < 0 ||
      h1 > 23 || h2 < 0 || h2 > 24 || (h2 == 24 && m2) || m1 < 0 || m1 > 59 || m2 < 0 || m2 > 59) {
    return 0;
  }
  *from = (h1 * 60 + m1) * 60;
  *to = (h2 * 60 + m2) * 60;
  return 1;
}

/* Takes zeros off the end of value / 10^scale; what is left is the same number. */
static Wide strip_zeros(Wide value, int *scale) {
  *scale = value ? *scale : 0;
  while (*scale >= 6 && value > ULLONG_MAX && value % 1000000 == 0) {
    value /= 1000000;
    *scale -= 6;
  }
  if (value > ULLONG_MAX) {
    return value;
  }
  unsigned long long v = (unsigned long long)value;
  while (*scale >= 4 && v % 10000 == 0) {
    v /= 10000;
    *scale -= 4;
  }
  while (*scale && v % 10 == 0) {
    v /= 10;
    --*scale;
  }
  return v;
}

char *decimal_put(char *to, long long value) {
  char digits[24], *at = digits + sizeof digits;
  unsigned long long left =
      value < 0 ? 0ull - (unsigned long long)value : (unsigned long long)value;
  do {
    *--at = (char)('0' + left % 10);
  } while ((left /= 10) > 0);
  if (value < 0) {
    *--at = '-';
  }
  size_t n = (size_t)(digits + sizeof digits - at);
  memcpy(to, at, n);
  return to + n;
}

void decimal_format(Wide value, int scale, char *text, size_t size) {
  char digits[64];
  size_t at = sizeof digits - 1;
  digits[at] = 0;
  value = strip_zeros(value, &scale);
  for (int i = 0; value || i <= scale; i++) {
    if (i == scale && i) {
      digits[--at] = '.';
    }
    digits[--at] = (char)('0' + (int)(value % 10));
    value /= 10;
  }
  for (size_t last = sizeof digits - 2; strchr(digits + at, '.') && digits[last + 1] == 0; last--) {
    if (digits[last] != '0' && digits[last] != '.') {
      break;
    }
    digits[last] = 0;
  }
  snprintf(text, size, "%s", digits + at);
}

/* Both the whole number and the power of ten are exact doubles up to 2^53 and 10^22, so their
** quotient is rounded once (Clinger 1990); beyond that, strtod rounds. */
double decimal_double(Wide value, int scale) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  value = strip_zeros(value, &scale);
  if (scale <= 22 && value <= (1ULL << 53)) {
    return (double)(unsigned long long)value / powers[scale];
  }
  char text[64];
  decimal_format(value, scale, text, sizeof text);
  return strtod(text, NULL);
}

long long duration_parse(const char *text) {
  static const struct {
    const char *unit;
    double ms;
  } units[] = {{"", 1e3},    {"ms", 1},     {"s", 1e3},    {"m", 6e4},
               {"h", 3.6e6}, {"d", 8.64e7}, {"w", 6.048e8}};
  char *end = NULL;
  double value = strtod(text, &end);
  if (end == text || !(value >= 0)) {
    return -1;
  }
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(end, units[i].unit) == 0 && value * units[i].ms <= (double)LIMIT_COUNT) {
      return (long long)(value * units[i].ms);
    }
  }
  return -1;
}
