/*
** Exact decimals and times from text, and back.
*/
#include "unit.h"

#include "base/text/decimal.h"

#include <limits.h>
#include <stdio.h>

typedef unsigned __int128 Wide;

static void test_decimals(void **state) {
  static const struct {
    const char *text;
    int ok;
    long long pico;
  } cases[] = {
      {"0", 1, 0},
      {"0.0", 1, 0},
      {"1", 1, 1000000000000},
      {"0.15", 1, 150000000000},
      {".5", 1, 500000000000},
      {"2.", 1, 2000000000000},
      {"2.50", 1, 2500000000000},
      {"007.5", 1, 7500000000000},
      {"0.000000000001", 1, 1},
      {"2.5e-1", 1, 250000000000},
      {"2.5E1", 1, 25000000000000},
      {"1e+3", 1, 1000000000000000},
      {"1e-12", 1, 1},
      {"0e5", 1, 0},
      {"0.0000000000000000000000000000001e31", 1, 1000000000000},
      {"0.0000000000005", 1, 1},
      {"0.00000000000049", 1, 0},
      {"0.0000000000014", 1, 1},
      {"0.0000000000015", 1, 2},
      {"5e-13", 1, 1},
      {"4e-13", 1, 0},
      {"1e-30", 1, 0},
      {"0.083333333333333333", 1, 83333333333},
      {"0.18000000000000002", 1, 180000000000},
      {"0.1234567890124999999999", 1, 123456789012},
      {"0.12345678901249999999999999999999999999999999999999", 1, 123456789012},
      {"0.1234567890125000000000", 1, 123456789013},
      {"123456.123456789012", 1, 123456123456789012},
      {"1234567.123456789012", 1, 1234567123456789012},
      {"0.1234567890123456785e6", 1, 123456789012345679},
      {"9223372.036854775807", 1, LLONG_MAX},
      {"9223372.0368547758074", 1, LLONG_MAX},
      {"9223372.0368547758075", 0, 0},
      {"9223372.036854775808", 0, 0},
      {"10000000", 0, 0},
      {"1e7", 0, 0},
      {"99999999999999999999999999999999999999999999", 0, 0},
      {"1e60", 0, 0},
      {"1e999999999999999999999", 0, 0},
      {"", 0, 0},
      {".", 0, 0},
      {"-", 0, 0},
      {"-1", 0, 0},
      {"-0", 0, 0},
      {"+1", 0, 0},
      {" 1", 0, 0},
      {"1 ", 0, 0},
      {"1.2.3", 0, 0},
      {"1,5", 0, 0},
      {"1e", 0, 0},
      {"1e+", 0, 0},
      {"1e 5", 0, 0},
      {"1e5.0", 0, 0},
      {"e5", 0, 0},
      {"0x10", 0, 0},
      {"nan", 0, 0},
      {"inf", 0, 0},
      {"$1", 0, 0},
      {"1\xC2\xA0", 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long pico = 0;
    int ok = decimal_parse_pico(cases[i].text, &pico);
    check(ok == cases[i].ok, "'%s': %d", cases[i].text, ok);
    check(!ok || pico == cases[i].pico, "'%s': %lld", cases[i].text, pico);
  }
}

static void test_times(void **state) {
  static const struct {
    const char *text;
    int ok;
    long long ms;
  } cases[] = {
      {"1970-01-01", 1, 0},
      {"2026-03-13", 1, 1773360000000},
      {"2026-09-01", 1, 1788220800000},
      {"2026-09-01T00:00", 1, 1788220800000},
      {"2026-09-01 00:00:00", 1, 1788220800000},
      {"2026-09-01T00:00:00Z", 1, 1788220800000},
      {"2026-08-31T23:59:59Z", 1, 1788220799000},
      {"2024-02-29", 1, 1709164800000},
      {"2000-03-01", 1, 951868800000},
      {"1969-12-31", 1, -86400000},
      {"0", 1, 0},
      {"1788220800000", 1, 1788220800000},
      {"1788220800000.0", 1, 1788220800000},
      {"1788220800000.5", 0, 0},
      {"1788220800", 0, 0}, /* seconds */
      {"2026", 0, 0},
      {"-1", 0, 0},
      {"0000-01-01", 0, 0},
      {"", 0, 0},
      {"-", 0, 0},
      {"today", 0, 0},
      {"2026-09", 0, 0},
      {"2026-13-01", 0, 0},
      {"2026-00-01", 0, 0},
      {"2026-01-00", 0, 0},
      {"2026-01-32", 0, 0},
      {"2026-09-01x", 0, 0},
      {"2026-09-01T", 0, 0},
      {"2026-09-01T10", 0, 0},
      {"2026-09-01T24:00", 0, 0},
      {"2026-09-01T10:60", 0, 0},
      {"2026-09-01T10:00:61", 0, 0},
      {"2026-09-01T10:00:", 0, 0},
      {"2026-09-01T10:00+02:00", 0, 0},
      {"2026/09/01", 0, 0},
      {"1788220800000ms", 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long ms = 0;
    int ok = time_parse(cases[i].text, &ms);
    check(ok == cases[i].ok, "'%s': %d", cases[i].text, ok);
    check(!ok || ms == cases[i].ms, "'%s': %lld", cases[i].text, ms);
  }
}

static void test_hours(void **state) {
  static const struct {
    const char *text;
    int ok, from, to;
  } cases[] = {
      {"00:30-16:30", 1, 1800, 59400},
      {"16:30-00:30", 1, 59400, 1800},
      {"00:00-24:00", 1, 0, 86400},
      {"1:00-2:00", 1, 3600, 7200},
      {"25:00-26:00", 0, 0, 0},
      {"00:60-01:00", 0, 0, 0},
      {"00:30", 0, 0, 0},
      {"00:30-16:30Z", 0, 0, 0},
      {"", 0, 0, 0},
      {"-1:00-02:00", 0, 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    int from = -1, to = -1;
    int ok = time_parse_hours(cases[i].text, &from, &to);
    check(ok == cases[i].ok, "'%s': %d", cases[i].text, ok);
    check(!ok || (from == cases[i].from && to == cases[i].to), "'%s': %d %d", cases[i].text, from,
          to);
  }
}

static void test_format_and_double(void **state) {
  static const struct {
    unsigned long long high, low; /* value = high * 10^18 + low */
    int scale;
    const char *text;
  } cases[] = {
      {0, 0, 24, "0"},
      {0, 1, 0, "1"},
      {0, 10, 0, "10"},
      {0, 100, 1, "10"},
      {0, 5, 1, "0.5"},
      {0, 5, 3, "0.005"},
      {0, 1, 24, "0.000000000000000000000001"},
      {5615, 0, 24, "0.005615"},
      {60900, 0, 24, "0.0609"},
      {1000000, 0, 24, "1"},
      {1234567, 1, 24, "1.234567000000000000000001"},
      {7750000, 0, 24, "7.75"},
      {1, 500000000000000000, 18, "1.5"},
      {123456789012345678, 123456789012345678, 18, "123456789012345678.123456789012345678"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char text[64];
    Wide value = (Wide)cases[i].high * 1000000000000000000ULL + cases[i].low;
    decimal_format(value, cases[i].scale, text, sizeof text);
    check(strcmp(text, cases[i].text) == 0, "'%s' is '%s'", cases[i].text, text);
    double d = decimal_double(value, cases[i].scale);
    check(d == strtod(cases[i].text, NULL), "%s: %.17g", cases[i].text, d);
  }
}

/* The double is the nearest one, whatever the digits: what strtod makes of the exact text. */
static void test_doubles_are_rounded_once(void **state) {
  unsigned long long x = 88172645463325252ULL;
  (void)state;
  for (int i = 0; i < 20000; i++) {
    char text[64];
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    Wide value = (Wide)x * (i % 3 ? 1000000 : 1 + x % 1000);
    int scale = i % 25;
    decimal_format(value, scale, text, sizeof text);
    check(decimal_double(value, scale) == strtod(text, NULL), "%s", text);
  }
}

static void test_put(void **state) {
  (void)state;
  static const long long values[] = {0, 7, 10, -1, 1234567890, LLONG_MAX, LLONG_MIN};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    char expected[24], text[24];
    snprintf(expected, sizeof expected, "%lld", values[i]);
    *decimal_put(text, values[i]) = 0;
    assert_string_equal(text, expected);
  }
}

static void test_durations(void **state) {
  static const struct {
    const char *text;
    long long ms;
  } cases[] = {
      {"5", 5000},     {"0", 0},           {"0s", 0},         {"250ms", 250},    {"90s", 90000},
      {"15m", 900000}, {"36h", 129600000}, {"7d", 604800000}, {"1.5h", 5400000}, {"2w", 1209600000},
      {"0.5", 500},    {"", -1},           {"s", -1},         {"-1s", -1},       {"-5", -1},
      {"5 s", -1},     {"5s ", -1},        {"5S", -1},        {"5y", -1},        {"1h30m", -1},
      {"nan", -1},     {"inf", -1},        {"infs", -1},      {"1e300w", -1},    {"day", -1},
      {"5,5s", -1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long ms = duration_parse(cases[i].text);
    check(ms == cases[i].ms, "'%s': %lld", cases[i].text, ms);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_decimals),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_hours),
      cmocka_unit_test(test_format_and_double),
      cmocka_unit_test(test_doubles_are_rounded_once),
      cmocka_unit_test(test_put),
      cmocka_unit_test(test_durations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
