/*
** Prices: exact decimals, times, resolution, and costs to the nano-dollar.
**
** The worked cases are numbers that other ledgers got wrong, recomputed by hand from the rates of
** that day; the comment of each names what goes wrong. Those of models the catalogue does not have
** bring their own rates.
*/
#include "unit.h"

#include "core/price.h"

#include <limits.h>

static const PriceList none = {NULL, 0};

static long long at(const char *text) {
  long long ms = 0;
  check(time_parse(text, &ms), "%s", text);
  return ms;
}

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
      {"-1", 1, -1},
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

static void test_kinds(void **state) {
  static const struct {
    const char *word;
    int kind;
  } cases[] = {
      {"input", PRICE_INPUT},
      {"output", PRICE_OUTPUT},
      {"cache_read", PRICE_CACHE_READ},
      {"cache_write", PRICE_CACHE_WRITE},
      {"cache_write_1h", PRICE_CACHE_WRITE_1H},
      {"", -1},
      {"Input", -1},
      {"cache", -1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(price_kind_parse(cases[i].word) == cases[i].kind, "'%s'", cases[i].word);
  }
}

/* US dollars per million tokens of one kind, in micro-dollars; -1 where there is none. */
static long long micro(PriceList overrides, const char *model, PriceKind kind, const char *when,
                       long long tokens) {
  PriceSet set;
  price_resolve(overrides, model, at(when), tokens, &set);
  return set.pusd[kind] == PRICE_UNKNOWN ? -1 : set.pusd[kind] / 1000000;
}

static void test_catalogue_prices_by_date_and_tier(void **state) {
  static const struct {
    const char *model;
    PriceKind kind;
    const char *when;
    long long tokens, micro;
  } cases[] = {
      {"gpt-4o", PRICE_INPUT, "2026-11-22", 1000, 2500000},
      {"gpt-4o", PRICE_OUTPUT, "2026-11-22", 1000, 10000000},
      {"gpt-4o", PRICE_CACHE_READ, "2026-11-22", 1000, 1250000},
      {"gpt-4o", PRICE_INPUT, "2026-11-22", 0, 2500000},
      {"gpt-4o", PRICE_INPUT, "2026-11-22", LIMIT_COUNT, 2500000},
      {"gpt-4o-2024-08-06", PRICE_INPUT, "2026-11-22", 1000, 2500000},
      {"gpt-4o-mini", PRICE_INPUT, "2026-11-22", 1000, 150000},
      {"gpt-4o-mini-2024-07-18", PRICE_INPUT, "2026-11-22", 1000, 150000},
      {"claude-sonnet-5", PRICE_INPUT, "2026-08-31T23:59:59Z", 1000, 2000000},
      {"claude-sonnet-5", PRICE_INPUT, "2026-09-01", 1000, 3000000},
      {"claude-sonnet-5", PRICE_CACHE_WRITE_1H, "2026-08-31", 1000, 4000000},
      {"claude-sonnet-5", PRICE_CACHE_WRITE_1H, "2026-09-01", 1000, 6000000},
      {"claude-sonnet-4-6", PRICE_INPUT, "2026-03-12", 200000, 3000000},
      {"claude-sonnet-4-6", PRICE_INPUT, "2026-03-12", 200001, 6000000},
      {"claude-sonnet-4-6", PRICE_OUTPUT, "2026-03-12", 200001, 22500000},
      {"claude-sonnet-4-6", PRICE_INPUT, "2026-03-13", 200001, 3000000},
      {"claude-sonnet-4-6", PRICE_OUTPUT, "2026-03-13", 1000000, 15000000},
      {"gpt-5.6-luna", PRICE_INPUT, "2026-07-29", 272000, 1000000},
      {"gpt-5.6-luna", PRICE_INPUT, "2026-07-29", 272001, 2000000},
      {"gpt-5.6-luna", PRICE_INPUT, "2026-07-30", 272000, 200000},
      {"gpt-5.6-luna", PRICE_INPUT, "2026-07-30", 272001, 400000},
      {"claude-haiku-4-5", PRICE_INPUT, "2026-11-22", 1000, 1000000},
      {"claude-haiku-4-5-20251001", PRICE_OUTPUT, "2026-11-22", 1000, 5000000},
      {"text-embedding-3-small", PRICE_OUTPUT, "2026-11-22", 1000, 0},
      {"gpt-4o", PRICE_CACHE_WRITE, "2026-11-22", 1000, 2500000},         /* falls back to input */
      {"gpt-4o", PRICE_CACHE_WRITE_1H, "2026-11-22", 1000, 2500000},      /* to writes, to input */
      {"gpt-5.6-sol", PRICE_CACHE_WRITE_1H, "2026-11-22", 1000, 6250000}, /* to writes */
      {"gpt-5.6-sol", PRICE_CACHE_WRITE_1H, "2026-11-22", 272001, 12500000},
      {"llama-3.3-70b-versatile", PRICE_CACHE_READ, "2026-11-22", 1000, 590000}, /* to input */
      {"gpt-4o-nonsense", PRICE_INPUT, "2026-11-22", 1000, -1},
      {"gpt-4", PRICE_INPUT, "2026-11-22", 1000, -1},
      {"", PRICE_INPUT, "2026-11-22", 1000, -1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long got = micro(none, cases[i].model, cases[i].kind, cases[i].when, cases[i].tokens);
    check(got == cases[i].micro, "%s, kind %d, %s, %lld tokens: %lld", cases[i].model,
          (int)cases[i].kind, cases[i].when, cases[i].tokens, got);
  }
}

static void test_overrides(void **state) {
  static const long long usd = 1000000000000;
  const PriceRow rows[] = {
      {"gpt-4o", PRICE_INPUT, 7 * usd, 0, LLONG_MAX, 0},
      {"gpt-5", PRICE_INPUT, 1 * usd, 0, LLONG_MAX, 0},
      {"gpt-5", PRICE_INPUT, 2 * usd, 0, LLONG_MAX, 90000},
      {"gpt-5", PRICE_INPUT, 9 * usd, 0, LLONG_MAX, 128000},
      {"gpt-5-mini", PRICE_INPUT, 4 * usd, 1000, 2000, 0},
      {"gpt-5-nano", PRICE_INPUT, 1 * usd, 1000, LLONG_MAX, 0},
      {"gpt-5-nano", PRICE_INPUT, 2 * usd, 2000, LLONG_MAX, 0},
      {"claude-sonnet-4-6", PRICE_INPUT, 5 * usd, 0, LLONG_MAX, 0},
      {"my-model", PRICE_INPUT, 3 * usd, 0, LLONG_MAX, 0},
      {"my-free-model", PRICE_INPUT, 0, 0, LLONG_MAX, 0},
      {"gpt-4.1-2025-04-14", PRICE_INPUT, 8 * usd, 0, LLONG_MAX, 0},
  };
  const PriceList list = {rows, (int)COUNT(rows)};
  static const struct {
    const char *model;
    PriceKind kind;
    const char *when; /* Unix ms */
    long long tokens, micro;
  } cases[] = {
      {"gpt-4o", PRICE_INPUT, "5000", 1, 7000000},
      {"gpt-4o", PRICE_OUTPUT, "5000", 1, 10000000}, /* row by row: the rest stays */
      {"gpt-4o", PRICE_CACHE_READ, "5000", 1, 1250000},
      {"gpt-4o", PRICE_CACHE_WRITE, "5000", 1, 7000000}, /* and falls back to the new price */
      {"gpt-4o-2024-08-06", PRICE_INPUT, "5000", 1, 7000000},
      {"gpt-4o-mini", PRICE_INPUT, "5000", 1, 150000},
      {"gpt-5", PRICE_INPUT, "5000", 90000, 1000000},
      {"gpt-5", PRICE_INPUT, "5000", 90001, 2000000},
      {"gpt-5", PRICE_INPUT, "5000", 128000, 2000000},
      {"gpt-5", PRICE_INPUT, "5000", 150000, 9000000}, /* the highest crossed */
      {"gpt-5-mini", PRICE_INPUT, "999", 1, 250000},
      {"gpt-5-mini", PRICE_INPUT, "1000", 1, 4000000},
      {"gpt-5-mini", PRICE_INPUT, "1999", 1, 4000000},
      {"gpt-5-mini", PRICE_INPUT, "2000", 1, 250000},
      {"gpt-5-nano", PRICE_INPUT, "1999", 1, 1000000},
      {"gpt-5-nano", PRICE_INPUT, "2000", 1, 2000000},             /* the latest start */
      {"claude-sonnet-4-6", PRICE_INPUT, "5000", 300000, 5000000}, /* before a catalogue tier */
      {"claude-sonnet-4-6", PRICE_OUTPUT, "5000", 300000, 22500000},
      {"my-model", PRICE_INPUT, "5000", 1, 3000000},
      {"my-model", PRICE_OUTPUT, "5000", 1, -1},
      {"my-model", PRICE_CACHE_READ, "5000", 1, 3000000},
      {"my-free-model", PRICE_INPUT, "5000", 1, 0},
      {"gpt-4.1", PRICE_INPUT, "5000", 1, 2000000}, /* one snapshot's price is not the model's */
      {"gpt-4.1-2025-04-14", PRICE_INPUT, "5000", 1, 8000000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long got = micro(list, cases[i].model, cases[i].kind, cases[i].when, cases[i].tokens);
    check(got == cases[i].micro, "%s, kind %d, at %s, %lld tokens: %lld", cases[i].model,
          (int)cases[i].kind, cases[i].when, cases[i].tokens, got);
  }
  PriceSet set;
  assert_int_equal(price_resolve(list, "my-model", 0, 1, &set), 1);
  assert_int_equal(price_resolve(list, "gpt-4o", 0, 1, &set), 1);
  assert_int_equal(price_resolve(none, "gpt-4o", 0, 1, &set), 1);
  assert_int_equal(price_resolve(none, "my-model", 0, 1, &set), 0);
}

/* Input that is all there was (cached and written included), as the ledger keeps it. */
typedef struct Tokens {
  long long input, cached, write_5m, write_1h, output;
} Tokens;

static Usage usage_of(Tokens t) {
  Usage u;
  usage_init(&u);
  u.input = t.input;
  u.cached = t.cached;
  u.write_5m = t.write_5m;
  u.write_1h = t.write_1h;
  u.output = t.output;
  return u;
}

static const struct {
  const char *name, *model, *when;
  Tokens t;
  long long nusd;
} worked_cases[] = {
    {"cached tokens are inside the prompt",
     "gpt-4o",
     "2026-11-22",
     {2006, 1920, 0, 0, 300},
     5615000},
    {"the same, mini", "gpt-4o-mini", "2026-11-22", {2006, 1920, 0, 0, 300}, 336900},
    {"the same, gpt-5-mini", "gpt-5-mini", "2026-11-22", {2746, 2208, 0, 0, 197}, 583700},
    {"cache writes", "claude-sonnet-4-6", "2026-11-22", {35270, 0, 19810, 0, 10370}, 276217500},
    {"1-hour writes only", "claude-opus-4-8", "2026-11-22", {344139, 0, 0, 344139, 0}, 3441390000},
    {"5-minute and 1-hour writes",
     "claude-opus-4-8",
     "2026-11-22",
     {1000000, 0, 600000, 400000, 0},
     7750000000},
    {"$3 model, 1-hour writes",
     "claude-sonnet-4-6",
     "2026-11-22",
     {1000000, 0, 0, 1000000, 0},
     6000000000},
    {"at a tier's threshold", "claude-sonnet-4-6", "2026-03-12", {200000, 0, 0, 0, 0}, 600000000},
    {"one above re-prices all",
     "claude-sonnet-4-6",
     "2026-03-12",
     {200001, 0, 0, 0, 0},
     1200006000},
    {"output follows the input's tier",
     "claude-sonnet-4-6",
     "2026-03-12",
     {300000, 0, 0, 0, 100000},
     4050000000},
    {"writes in a tier",
     "claude-sonnet-4-6",
     "2026-03-12",
     {300000, 0, 100000, 100000, 0},
     2550000000},
    {"a third of the request, below the tier",
     "claude-sonnet-4-6",
     "2026-03-12",
     {100000, 0, 0, 0, 0},
     300000000},
    {"the last day of a tier",
     "claude-sonnet-4-6",
     "2026-03-12",
     {300000, 0, 0, 0, 10000},
     2025000000},
    {"the first day without",
     "claude-sonnet-4-6",
     "2026-03-13",
     {300000, 0, 0, 0, 10000},
     1050000000},
    {"the last second of a price",
     "claude-sonnet-5",
     "2026-08-31T23:59:59Z",
     {1000000, 0, 0, 0, 1000000},
     12000000000},
    {"the first of the next",
     "claude-sonnet-5",
     "2026-09-01",
     {1000000, 0, 0, 0, 1000000},
     18000000000},
    {"tier, write and read",
     "gpt-5.6-luna",
     "2026-07-29",
     {272001, 50000, 100000, 0, 1000},
     513002000},
    {"at the threshold, a day later",
     "gpt-5.6-luna",
     "2026-07-30",
     {272000, 50000, 100000, 0, 1000},
     51600000},
    {"a written token is not input too",
     "gpt-5.6-sol",
     "2026-11-22",
     {12317, 0, 12314, 0, 5},
     77127500},
    {"Sonnet without its search fee",
     "claude-sonnet-4-6",
     "2026-11-22",
     {10809, 0, 0, 0, 644},
     42087000},
    {"Opus, standard", "claude-opus-4-8", "2026-11-22", {10000, 0, 0, 0, 1000}, 75000000},
    {"zeros are zero", "gpt-4o", "2026-11-22", {0, 0, 0, 0, 0}, 0},
    {"tier with a cheap cache",
     "gemini-2.5-pro",
     "2026-11-22",
     {262960, 257955, 0, 0, 1744},
     103161250},
    {"50,000 prompts of 1,235 tokens less",
     "gpt-4o",
     "2026-11-22",
     {61750000, 0, 0, 0, 0},
     154375000000},
    {"one token", "gpt-4o", "2026-11-22", {1, 0, 0, 0, 0}, 2500},
};

static void test_worked_cases(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(worked_cases); i++) {
    PriceSet set;
    Cost cost = 0;
    Usage u = usage_of(worked_cases[i].t);
    check(price_resolve(none, worked_cases[i].model, at(worked_cases[i].when), u.input, &set), "%s",
          worked_cases[i].name);
    check(price_cost(&set, &u, &cost) == 1, "%s", worked_cases[i].name);
    check(cost_nusd(cost) == worked_cases[i].nusd, "%s: %lld", worked_cases[i].name,
          cost_nusd(cost));
    check(cost_usd(cost) == (double)worked_cases[i].nusd / 1e9, "%s: %.17g", worked_cases[i].name,
          cost_usd(cost));
  }
}

/* Models that the catalogue does not have, by the rates of their day (USD per million). */
static void test_worked_cases_with_given_rates(void **state) {
  static const struct {
    const char *name, *input, *output, *read;
    Tokens t;
    long long nusd;
  } cases[] = {
      {"gemini-3-flash, cached", "0.5", "3", "0.05", {20212, 16298, 0, 0, 931}, 5564900},
      {"gemini-3-pro, thoughts are output", "2", "12", "0.2", {324, 0, 0, 0, 1364 + 495}, 22956000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    PriceRow rows[] = {
        {"m", PRICE_INPUT, 0, 0, LLONG_MAX, 0},
        {"m", PRICE_OUTPUT, 0, 0, LLONG_MAX, 0},
        {"m", PRICE_CACHE_READ, 0, 0, LLONG_MAX, 0},
    };
    PriceSet set;
    Cost cost = 0;
    Usage u = usage_of(cases[i].t);
    assert_true(decimal_parse_pico(cases[i].input, &rows[0].pusd));
    assert_true(decimal_parse_pico(cases[i].output, &rows[1].pusd));
    assert_true(decimal_parse_pico(cases[i].read, &rows[2].pusd));
    assert_true(price_resolve((PriceList){rows, COUNT(rows)}, "m", 0, u.input, &set));
    check(price_cost(&set, &u, &cost) == 1, "%s", cases[i].name);
    check(cost_nusd(cost) == cases[i].nusd, "%s: %lld", cases[i].name, cost_nusd(cost));
  }
}

/* What can't be priced is not zero. */
static void test_what_has_no_cost(void **state) {
  enum { X = USAGE_UNKNOWN };
  static const PriceSet all = {
      {1000000000000, 2000000000000, 3000000000000, 4000000000000, 5000000000000}};
  static const PriceSet input_only = {{1000000000000, X, X, X, X}};
  static const PriceSet output_only = {{X, 2000000000000, X, X, X}};
  static const struct {
    const char *name;
    const PriceSet *set;
    Tokens t;
    int priced;
    long long nusd;
  } cases[] = {
      {"each leaf once", &all, {10, 2, 3, 4, 5}, 1, 1000 + 6000 + 12000 + 20000 + 10000},
      {"unknown details count as none", &all, {10, X, X, X, 5}, 1, 20000},
      {"unknown input", &all, {X, 0, 0, 0, 5}, 0, 0},
      {"unknown output", &all, {10, 0, 0, 0, X}, 0, 0},
      {"nothing known", &all, {X, X, X, X, X}, 0, 0},
      {"read more than there was", &all, {1, 2, 0, 0, 0}, -1, 0},
      {"wrote more than there was", &all, {10, 0, 11, 0, 0}, -1, 0},
      {"read and wrote more together", &all, {10, 4, 4, 3, 0}, -1, 0},
      {"all read", &all, {10, 10, 0, 0, 0}, 1, 30000},
      {"no output price, no output", &input_only, {10, 0, 0, 0, 0}, 1, 10000},
      {"no output price, one token", &input_only, {10, 0, 0, 0, 1}, 0, 0},
      {"no input price, no input", &output_only, {0, 0, 0, 0, 1}, 1, 2000},
      {"no input price, one token", &output_only, {1, 0, 0, 0, 1}, 0, 0},
      {"no read price, one token", &input_only, {10, 1, 0, 0, 0}, 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Cost cost = 0;
    Usage u = usage_of(cases[i].t);
    int priced = price_cost(cases[i].set, &u, &cost);
    check(priced == cases[i].priced, "%s: %d", cases[i].name, priced);
    check(priced != 1 || cost_nusd(cost) == cases[i].nusd, "%s: %lld", cases[i].name,
          cost_nusd(cost));
  }
}

static void test_rounding(void **state) {
  static const struct {
    long long tokens, pusd, nusd;
  } cases[] = {
      {1, 0, 0},
      {1, 499999999, 0},
      {1, 500000000, 1},
      {1, 1499999999, 1},
      {1, 1500000000, 2},
      {3, 500000000, 2},      /* 1.5: rounded once, not per token */
      {10, 75000000000, 750}, /* ten tokens at $0.075 */
      {1, 75000000000, 75},
      {7, 2800000000, 20},    /* 19.6 */
      {1000000, 1, 0},        /* 0.001 */
      {499999999999, 1, 500}, /* 499.999999999 */
      {500000000000, 1, 500},
      {9007199254740991, 1000000000, 9007199254740991},
      {9007199254740991, 1000000001, 9007199263748190}, /* past 64 bits in between */
      {3000000000, 3000000000000000, 9000000000000000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    PriceSet set = {{cases[i].pusd, 0, 0, 0, 0}};
    Cost cost = 0;
    Usage u = usage_of((Tokens){cases[i].tokens, 0, 0, 0, 0});
    assert_int_equal(price_cost(&set, &u, &cost), 1);
    check(cost_nusd(cost) == cases[i].nusd, "%lld x %lld: %lld", cases[i].tokens, cases[i].pusd,
          cost_nusd(cost));
  }
}

/* Counts as large as the readers let through: never a negative cost. */
static void test_the_largest_counts(void **state) {
  PriceSet set = {{LLONG_MAX, LLONG_MAX, LLONG_MAX, LLONG_MAX, LLONG_MAX}};
  Cost cost = 0;
  Usage u = usage_of((Tokens){4 * LIMIT_COUNT, LIMIT_COUNT, LIMIT_COUNT, LIMIT_COUNT, LIMIT_COUNT});
  (void)state;
  assert_int_equal(price_cost(&set, &u, &cost), 1);
  assert_true(cost == (Cost)5 * LIMIT_COUNT * LLONG_MAX);
  assert_true(cost_nusd(cost) == LLONG_MAX);
  assert_true(cost_usd(cost) > 4e17);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_decimals),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_kinds),
      cmocka_unit_test(test_catalogue_prices_by_date_and_tier),
      cmocka_unit_test(test_overrides),
      cmocka_unit_test(test_worked_cases),
      cmocka_unit_test(test_worked_cases_with_given_rates),
      cmocka_unit_test(test_what_has_no_cost),
      cmocka_unit_test(test_rounding),
      cmocka_unit_test(test_the_largest_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
