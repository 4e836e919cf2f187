/*
** Prices: selection, leaves, and costs to the nano-dollar.
**
** The worked cases are numbers that other ledgers got wrong, recomputed by hand from the rates of
** that day; the comment of each names what goes wrong. Those of models the catalogue does not have
** bring their own rates.
*/
#include "unit.h"

#include "core/price/catalogue.h"
#include "base/text/decimal.h"
#include "core/price/price.h"

#include <limits.h>
#include <stdlib.h>

enum { X = USAGE_UNKNOWN };

#define MICRO ((Cost)1000000000000000000) /* a micro-dollar per million, of price_of_unit */

/* A date, or a small number of ms. */
static long long at(const char *text) {
  long long ms = strchr(text, '-') ? 0 : atoll(text);
  check(ms || time_parse(text, &ms), "%s", text);
  return ms;
}

/* A row of a test's book, valid always where from and to are 0. */
typedef struct Row {
  const char *model;
  Unit unit;
  long long micro; /* micro-dollars per million, or of a factor, millionths: both in 1e-6 */
  long long from_ms, to_ms, above_tokens;
  const char *service; /* NULL: standard */
} Row;

static void fill(PriceBook *book, const char *list, const Row *rows, size_t n) {
  assert_true(book_init(book, list));
  for (size_t i = 0; i < n; i++) {
    PriceRow row = {.unit = rows[i].unit, .pusd = rows[i].micro * 1000000};
    row.terms = (PriceTerms){.service = rows[i].service ? rows[i].service : "standard",
                             .from_ms = rows[i].from_ms,
                             .to_ms = rows[i].to_ms ? rows[i].to_ms : LLONG_MAX,
                             .above_tokens = rows[i].above_tokens,
                             .source = "",
                             .checked = ""};
    assert_true(
        book_add(book, "", rows[i].model, strchr(rows[i].model, '*') ? rows[i].model : "", &row));
  }
}

/* The prices of a model under single rows and the catalogue. Returns as price_find. */
static int select_prices(const PriceBook *own, const char *model, PriceWhen when, PriceRef *ref,
                         PriceSet *set) {
  PriceBook none;
  assert_true(book_init(&none, ""));
  const PriceBook *books[] = {own ? own : &none, catalogue_prices()};
  int known = price_find(books, 2, (Seller){0}, model, ref);
  *set = (PriceSet){0};
  if (known) {
    price_select(ref, &when, set);
  }
  book_free(&none);
  return known;
}

/* US dollars per million of one unit, or of the one that contains it, in micro-dollars; -1: none. */
static long long micro(const PriceBook *own, const char *model, Unit unit, const char *when,
                       long long tokens) {
  PriceRef ref;
  PriceSet set;
  Cost price;
  select_prices(own, model, (PriceWhen){at(when), tokens, "standard", ""}, &ref, &set);
  return price_of_unit(&set, unit, &price) ? (long long)(price / MICRO) : -1;
}

static void test_catalogue_prices_by_date_and_tier(void **state) {
  static const struct {
    const char *model;
    Unit kind;
    const char *when;
    long long tokens, micro;
  } cases[] = {
      {"gpt-4o", UNIT_INPUT, "2026-11-22", 1000, 2500000},
      {"gpt-4o", UNIT_OUTPUT, "2026-11-22", 1000, 10000000},
      {"gpt-4o", UNIT_CACHE_READ, "2026-11-22", 1000, 1250000},
      {"gpt-4o", UNIT_INPUT, "2026-11-22", 0, 2500000},
      {"gpt-4o", UNIT_INPUT, "2026-11-22", LIMIT_COUNT, 2500000},
      {"gpt-4o-2024-08-06", UNIT_INPUT, "2026-11-22", 1000, 2500000},
      {"gpt-4o-mini", UNIT_INPUT, "2026-11-22", 1000, 150000},
      {"gpt-4o-mini-2024-07-18", UNIT_INPUT, "2026-11-22", 1000, 150000},
      {"claude-sonnet-5", UNIT_INPUT, "2026-08-31T23:59:59Z", 1000, 2000000},
      {"claude-sonnet-5", UNIT_INPUT, "2026-09-01", 1000, 2000000}, /* the rise was cancelled */
      {"claude-sonnet-5", UNIT_CACHE_WRITE_1H, "2026-08-31", 1000, 4000000},
      {"claude-sonnet-5-5", UNIT_CACHE_READ, "2026-10-06", 1000, 200000},
      {"claude-sonnet-5-5", UNIT_CACHE_READ, "2026-10-07", 1000, 100000},
      {"claude-sonnet-4-6", UNIT_INPUT, "2026-03-12", 200000, 3000000},
      {"claude-sonnet-4-6", UNIT_INPUT, "2026-03-12", 200001, 6000000},
      {"claude-sonnet-4-6", UNIT_OUTPUT, "2026-03-12", 200001, 22500000},
      {"claude-sonnet-4-6", UNIT_INPUT, "2026-03-13", 200001, 3000000},
      {"claude-sonnet-4-6", UNIT_OUTPUT, "2026-03-13", 1000000, 15000000},
      {"gpt-5.6-luna", UNIT_INPUT, "2026-07-29", 272000, 1000000},
      {"gpt-5.6-luna", UNIT_INPUT, "2026-07-29", 272001, 2000000},
      {"gpt-5.6-luna", UNIT_INPUT, "2026-07-30", 272000, 200000},
      {"gpt-5.6-luna", UNIT_INPUT, "2026-07-30", 272001, 400000},
      {"claude-haiku-4-5", UNIT_INPUT, "2026-11-22", 1000, 1000000},
      {"claude-haiku-4-5-20251001", UNIT_OUTPUT, "2026-11-22", 1000, 5000000},
      {"text-embedding-3-small", UNIT_INPUT, "2026-11-22", 1000, 20000},
      {"text-embedding-3-small", UNIT_OUTPUT, "2026-11-22", 1000, -1},
      {"gpt-4o", UNIT_CACHE_WRITE, "2026-11-22", 1000, 2500000},         /* falls back to input */
      {"gpt-4o", UNIT_CACHE_WRITE_1H, "2026-11-22", 1000, 2500000},      /* to input */
      {"gpt-5.6-sol", UNIT_CACHE_WRITE_5M, "2026-08-20", 1000, 6250000}, /* to writes */
      {"gpt-5.6-sol", UNIT_CACHE_WRITE_5M, "2026-08-21", 1000, 5000000},
      {"gpt-5.6-sol", UNIT_CACHE_WRITE_5M, "2026-08-20", 272001, 12500000},
      {"gpt-5.6-sol", UNIT_CACHE_WRITE_1H, "2026-08-20", 1000,
       -1}, /* those of an hour are dearer */
      {"llama-3.3-70b-versatile", UNIT_CACHE_READ, "2026-11-22", 1000, 590000}, /* to input */
      {"gpt-4o-nonsense", UNIT_INPUT, "2026-11-22", 1000, -1},
      {"gpt-4", UNIT_INPUT, "2026-11-22", 1000, 30000000},
      {"gpt-4o-2024-05-13", UNIT_INPUT, "2026-11-22", 1000, 5000000},
      {"ft:gpt-4o-mini:acme::a1b2", UNIT_INPUT, "2026-11-22", 1000, 300000},
      {"ft:gpt-4o-mini-2024-07-18:acme::a1b2", UNIT_OUTPUT, "2026-11-22", 1000, 1200000},
      {"ft:gpt-4.1:acme::a1b2", UNIT_CACHE_READ, "2026-11-22", 1000, 750000},
      {"openai/gpt-4o", UNIT_INPUT, "2026-11-22", 1000, 2500000},
      {"models/gemini-2.5-pro", UNIT_INPUT, "2026-11-22", 200001, 2500000},
      {"GPT-4o-Mini", UNIT_INPUT, "2026-11-22", 1000, 150000},
      {"us.anthropic.claude-sonnet-4-5-20250929-v1:0", UNIT_INPUT, "2026-11-22", 1000, 3300000},
      {"anthropic/claude-haiku-4-5-20251001", UNIT_INPUT, "2026-11-22", 1000, 1000000},
      {"claude-haiku-4-5-latest", UNIT_INPUT, "2026-11-22", 1000, 1000000},
      {"sonar-pro", UNIT_REQUEST, "2026-11-22", 1000, 14000000000},
      {"deepseek-reasoner", UNIT_INPUT, "2025-06-01T00:29:59Z", 1000, 135000},
      {"deepseek-reasoner", UNIT_INPUT, "2025-06-01T00:30:00Z", 1000, 550000},
      {"deepseek-reasoner", UNIT_INPUT, "2025-06-01T16:30:00Z", 1000, 135000},
      {"deepseek-reasoner", UNIT_INPUT, "2025-09-05T15:59:59Z", 1000, 550000},
      {"deepseek-reasoner", UNIT_INPUT, "2025-09-05T16:00:00Z", 1000,
       560000}, /* no more discount */
      {"deepseek-reasoner", UNIT_INPUT, "2025-09-06T00:00:00Z", 1000, 560000},
      {"deepseek-reasoner", UNIT_INPUT, "2026-06-01T12:00:00Z", 1000, 140000},
      {"grok-4.3", UNIT_INPUT, "2026-11-22", 199999, 1250000}, /* from 200,000, not above it */
      {"grok-4.3", UNIT_INPUT, "2026-11-22", 200000, 2500000},
      {"", UNIT_INPUT, "2026-11-22", 1000, -1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long got = micro(NULL, cases[i].model, cases[i].kind, cases[i].when, cases[i].tokens);
    check(got == cases[i].micro, "%s, kind %d, %s, %lld tokens: %lld", cases[i].model,
          (int)cases[i].kind, cases[i].when, cases[i].tokens, got);
  }
}

static void test_overrides(void **state) {
  static const Row rows[] = {
      {"gpt-4o", UNIT_INPUT, 7000000, 0, 0, 0, NULL},
      {"gpt-5", UNIT_INPUT, 1000000, 0, 0, 0, NULL},
      {"gpt-5", UNIT_INPUT, 2000000, 0, 0, 90000, NULL},
      {"gpt-5", UNIT_INPUT, 9000000, 0, 0, 128000, NULL},
      {"gpt-5-mini", UNIT_INPUT, 4000000, 1000, 2000, 0, NULL},
      {"gpt-5-nano", UNIT_INPUT, 1000000, 1000, 0, 0, NULL},
      {"gpt-5-nano", UNIT_INPUT, 2000000, 2000, 0, 0, NULL},
      {"claude-sonnet-4-6", UNIT_INPUT, 5000000, 0, 0, 0, NULL},
      {"my-model", UNIT_INPUT, 3000000, 0, 0, 0, NULL},
      {"my-free-model", UNIT_INPUT, 0, 0, 0, 0, NULL},
      {"gpt-4.1-2025-04-14", UNIT_INPUT, 8000000, 0, 0, 0, NULL},
  };
  PriceBook own;
  fill(&own, "", rows, COUNT(rows));
  static const struct {
    const char *model;
    Unit kind;
    const char *when; /* Unix ms */
    long long tokens, micro;
  } cases[] = {
      {"gpt-4o", UNIT_INPUT, "5000", 1, 7000000},
      {"gpt-4o", UNIT_OUTPUT, "5000", 1, 10000000}, /* row by row: the rest stays */
      {"gpt-4o", UNIT_CACHE_READ, "5000", 1, 1250000},
      {"gpt-4o", UNIT_CACHE_WRITE, "5000", 1, 7000000}, /* and falls back to the new price */
      {"gpt-4o-2024-08-06", UNIT_INPUT, "5000", 1, 7000000},
      {"gpt-4o-mini", UNIT_INPUT, "5000", 1, 150000},
      {"gpt-5", UNIT_INPUT, "5000", 90000, 1000000},
      {"gpt-5", UNIT_INPUT, "5000", 90001, 2000000},
      {"gpt-5", UNIT_INPUT, "5000", 128000, 2000000},
      {"gpt-5", UNIT_INPUT, "5000", 150000, 9000000}, /* the highest crossed */
      {"gpt-5-mini", UNIT_INPUT, "999", 1, 250000},
      {"gpt-5-mini", UNIT_INPUT, "1000", 1, 4000000},
      {"gpt-5-mini", UNIT_INPUT, "1999", 1, 4000000},
      {"gpt-5-mini", UNIT_INPUT, "2000", 1, 250000},
      {"gpt-5-nano", UNIT_INPUT, "1999", 1, 1000000},
      {"gpt-5-nano", UNIT_INPUT, "2000", 1, 2000000},             /* the latest start */
      {"claude-sonnet-4-6", UNIT_INPUT, "5000", 300000, 5000000}, /* before a catalogue tier */
      {"claude-sonnet-4-6", UNIT_OUTPUT, "5000", 300000, 22500000},
      {"my-model", UNIT_INPUT, "5000", 1, 3000000},
      {"my-model", UNIT_OUTPUT, "5000", 1, -1},
      {"my-model", UNIT_CACHE_READ, "5000", 1, 3000000},
      {"my-free-model", UNIT_INPUT, "5000", 1, 0},
      {"gpt-4.1", UNIT_INPUT, "5000", 1, 2000000}, /* one snapshot's price is not the model's */
      {"gpt-4.1-2025-04-14", UNIT_INPUT, "5000", 1, 8000000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long got = micro(&own, cases[i].model, cases[i].kind, cases[i].when, cases[i].tokens);
    check(got == cases[i].micro, "%s, kind %d, at %s, %lld tokens: %lld", cases[i].model,
          (int)cases[i].kind, cases[i].when, cases[i].tokens, got);
  }
  PriceRef ref;
  PriceSet set;
  PriceWhen when = {0, 1, "standard", ""};
  assert_int_equal(select_prices(&own, "my-model", when, &ref, &set), 1);
  assert_int_equal(select_prices(&own, "gpt-4o", when, &ref, &set), 1);
  assert_int_equal(select_prices(NULL, "gpt-4o", when, &ref, &set), 1);
  assert_int_equal(select_prices(NULL, "my-model", when, &ref, &set), 0);
  book_free(&own);
}

/* Input that is all there was (cached and written included), as the ledger keeps it. */
typedef struct Tokens {
  long long input, cached, write_5m, write_1h, output;
} Tokens;

static Usage usage_of(Tokens t) {
  const struct {
    Unit unit;
    long long count;
  } counts[] = {{UNIT_INPUT, t.input},
                {UNIT_CACHE_READ, t.cached},
                {UNIT_CACHE_WRITE, t.write_5m == X ? X : t.write_5m + t.write_1h},
                {UNIT_CACHE_WRITE_1H, t.write_1h},
                {UNIT_OUTPUT, t.output}};
  Usage u;
  usage_init(&u);
  for (size_t i = 0; i < COUNT(counts); i++) {
    if (counts[i].count != X) {
      usage_set(&u, counts[i].unit, counts[i].count);
    }
  }
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
    {"Sonnet 5, before the day its price did not rise",
     "claude-sonnet-5",
     "2026-08-31T23:59:59Z",
     {1000000, 0, 0, 0, 1000000},
     12000000000},
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
     "2026-07-29",
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
    PriceRef ref;
    PriceSet set;
    PriceSum sum = {.why = ""};
    Usage u = usage_of(worked_cases[i].t);
    PriceWhen when = {at(worked_cases[i].when), worked_cases[i].t.input, "standard", ""};
    check(select_prices(NULL, worked_cases[i].model, when, &ref, &set), "%s", worked_cases[i].name);
    check(price_cost(&set, &u, &sum) == PRICED, "%s: %s", worked_cases[i].name, sum.why);
    check(cost_nusd(sum.cost) == worked_cases[i].nusd, "%s: %lld", worked_cases[i].name,
          cost_nusd(sum.cost));
    check(cost_usd(sum.cost) == (double)worked_cases[i].nusd / 1e9, "%s: %.17g",
          worked_cases[i].name, cost_usd(sum.cost));
  }
}

/* Services: rows of their own, factors, residency, a discount, and how they stack. */
static void test_services(void **state) {
  static const Row rows[] = {
      {"m", UNIT_INPUT, 1000000, 0, 0, 0, NULL},
      {"m", UNIT_OUTPUT, 4000000, 0, 0, 0, NULL},
      {"m", UNIT_REQUEST, 8000000, 0, 0, 0, NULL},
      {"m", UNIT_OUTPUT, 3000000, 0, 0, 0, "priority"},
      {"m", UNIT_COUNT, 500000, 0, 0, 0, "batch"},
      {"m", UNIT_COUNT, 1100000, 0, 0, 0, "geo:us"},
      {"other", UNIT_COUNT, 900000, 0, 0, 0, "geo:eu"},
      {"dear", UNIT_INPUT, 1000000, 0, 0, 0, NULL},
      {"dear", UNIT_COUNT, 800000, 0, 0, 0, NULL},
  };
  static const struct {
    const char *model, *service, *geo;
    Unit unit;
    long long micro; /* -1: unpriced */
  } cases[] = {
      {"m", "standard", "", UNIT_INPUT, 1000000},
      {"m", "batch", "", UNIT_INPUT, 500000},
      {"m", "batch", "", UNIT_OUTPUT, 2000000},
      {"m", "batch", "", UNIT_REQUEST, 8000000}, /* a fee is no token */
      {"m", "batch", "us", UNIT_INPUT, 550000},
      {"m", "standard", "us", UNIT_OUTPUT, 4400000},
      {"m", "standard", "eu", UNIT_OUTPUT, -1}, /* others cost more there: does this one? */
      {"m", "standard", "mars", UNIT_OUTPUT, -1},
      {"m", "priority", "", UNIT_OUTPUT, 3000000},
      {"m", "priority", "", UNIT_INPUT, -1}, /* no factor, no row: not the standard price */
      {"m", "flex", "", UNIT_INPUT, -1},
      {"dear", "standard", "", UNIT_INPUT, 800000}, /* a negotiated discount */
      {"claude-opus-4-8", "standard", "", UNIT_INPUT, 5000000},
      {"claude-opus-4-8", "fast", "", UNIT_OUTPUT, 50000000},
      {"claude-opus-4-8", "fast", "us", UNIT_CACHE_READ, 1100000},
      {"claude-opus-4-8", "batch", "", UNIT_CACHE_WRITE, 3125000},
      {"claude-opus-4-5", "fast", "", UNIT_INPUT, -1},
      {"claude-opus-4-5", "standard", "us", UNIT_INPUT, -1},
      {"gpt-4o", "priority", "", UNIT_INPUT, 4250000},
      {"gpt-4o", "scale", "", UNIT_INPUT, -1},
      {"gpt-5", "flex", "", UNIT_CACHE_READ, 62500},
      {"voyage-3", "batch", "", UNIT_INPUT, 40200},
      {"gemini-3.5-flash-lite", "batch", "", UNIT_CACHE_READ, 20000}, /* not half of 0.03 */
  };
  PriceBook own;
  (void)state;
  fill(&own, "", rows, COUNT(rows));
  for (size_t i = 0; i < COUNT(cases); i++) {
    PriceRef ref;
    PriceSet set;
    Cost price;
    PriceWhen when = {at("2026-11-22"), 1000, cases[i].service, cases[i].geo};
    check(select_prices(&own, cases[i].model, when, &ref, &set), "%s", cases[i].model);
    int priced = !set.missing && price_of_unit(&set, cases[i].unit, &price);
    long long got = priced ? (long long)(price / MICRO) : -1;
    check(got == cases[i].micro, "%s, %s, '%s', %s: %lld", cases[i].model, cases[i].service,
          cases[i].geo, unit_word(cases[i].unit), got);
  }
  book_free(&own);
}

/* A set says for which requests it stays the same: inside its bounds any other selection is equal. */
static void test_bounds(void **state) {
  static const char *const models[] = {"gpt-5.6-luna", "claude-sonnet-4-6", "deepseek-reasoner",
                                       "deepseek-v4-flash", "gemini-2.5-pro"};
  static const Row rows[] = {
      {"gpt-5.6-luna", UNIT_COUNT, 900000, 1780010000000, 1780020000000, 0, NULL},
      {"g*", UNIT_COUNT, 800000, 1780030000000, 0, 100000, NULL},
      {"*", UNIT_COUNT, 500000, 1780025000000, 1780040000000, 0, "scale"},
  };
  static const char *const services[] = {"standard", "batch", "scale"};
  unsigned x = 12345;
  PriceBook own;
  (void)state;
  fill(&own, "", rows, COUNT(rows));
  for (int i = 0; i < 3000; i++) {
    PriceRef ref;
    PriceSet a, b;
    PriceWhen first, second;
    x = x * 1103515245u + 12345u;
    const char *model = models[x % COUNT(models)];
    const char *service = services[(x >> 9) % COUNT(services)];
    long long most = i & 1 ? 90 : 1; /* half of them near the factors' days */
    first = (PriceWhen){1780000000000LL + (long long)(x >> 3) % (most * 50000000),
                        (x >> 5) % 400000, service, ""};
    x = x * 1103515245u + 12345u;
    second =
        (PriceWhen){first.at_ms + (long long)(x >> 8) - (1 << 23), (x >> 5) % 400000, service, ""};
    select_prices(&own, model, first, &ref, &a);
    select_prices(&own, model, second, &ref, &b);
    if (a.from_ms <= second.at_ms && second.at_ms < a.to_ms && a.above < second.input_tokens &&
        second.input_tokens <= a.up_to) {
      check(a.priced == b.priced && memcmp(a.pusd, b.pusd, sizeof a.pusd) == 0 &&
                memcmp(a.factor, b.factor, sizeof a.factor) == 0,
            "%s (%s) at %lld, %lld", model, service, first.at_ms, second.at_ms);
    }
  }
  book_free(&own);
}

/* A list's later block of prices does not inherit what it leaves out. */
static void test_blocks(void **state) {
  static const Row rows[] = {
      {"m", UNIT_INPUT, 1000000, 0, 0, 0, NULL},
      {"m", UNIT_CACHE_READ, 100000, 0, 0, 0, NULL},
      {"m", UNIT_INPUT, 2000000, 5000, 0, 0, NULL},
  };
  PriceBook list, none;
  (void)state;
  fill(&list, "a list", rows, COUNT(rows));
  assert_true(book_init(&none, ""));
  const PriceBook *books[] = {&none, &list};
  PriceRef ref;
  PriceSet set;
  Cost price;
  assert_true(price_find(books, 2, (Seller){0}, "m", &ref));
  price_select(&ref, &(PriceWhen){4999, 1, "standard", ""}, &set);
  assert_true(price_of_unit(&set, UNIT_CACHE_READ, &price) && price == (Cost)100000 * MICRO);
  price_select(&ref, &(PriceWhen){5000, 1, "standard", ""}, &set);
  assert_true(price_of_unit(&set, UNIT_CACHE_READ, &price) && price == (Cost)2000000 * MICRO);
  book_free(&list);
  book_free(&none);
}

/* What can't be priced is not zero. */
static void test_what_has_no_cost(void **state) {
  static const Row all_rows[] = {
      {"all", UNIT_INPUT, 1000000, 0, 0, 0, NULL},
      {"all", UNIT_OUTPUT, 2000000, 0, 0, 0, NULL},
      {"all", UNIT_CACHE_READ, 3000000, 0, 0, 0, NULL},
      {"all", UNIT_CACHE_WRITE, 4000000, 0, 0, 0, NULL},
      {"all", UNIT_CACHE_WRITE_1H, 5000000, 0, 0, 0, NULL},
      {"in", UNIT_INPUT, 1000000, 0, 0, 0, NULL},
      {"out", UNIT_OUTPUT, 2000000, 0, 0, 0, NULL},
      {"read", UNIT_CACHE_READ, 3000000, 0, 0, 0, NULL},
      {"read", UNIT_OUTPUT, 1000000, 0, 0, 0, NULL},
  };
  static const struct {
    const char *name, *model;
    Tokens t;
    PriceVerdict verdict;
    long long nusd;
  } cases[] = {
      {"each leaf once", "all", {15, 2, 3, 4, 5}, PRICED, 6000 + 6000 + 12000 + 20000 + 10000},
      {"unknown details count as none", "all", {10, X, X, X, 5}, PRICED, 20000},
      {"unknown input", "all", {X, 0, 0, 0, 5}, NO_PRICE, 0},
      {"unknown output", "all", {10, 0, 0, 0, X}, NO_PRICE, 0},
      {"nothing known", "all", {X, X, X, X, X}, NO_PRICE, 0},
      {"read more than there was", "all", {1, 2, 0, 0, 0}, BAD_USAGE, 0},
      {"wrote more than there was", "all", {10, 0, 11, 0, 0}, BAD_USAGE, 0},
      {"read and wrote more together", "all", {10, 4, 4, 3, 0}, BAD_USAGE, 0},
      {"all read", "all", {10, 10, 0, 0, 0}, PRICED, 30000},
      {"no output price, no output", "in", {10, 0, 0, 0, 0}, PRICED, 10000},
      {"no output price, one token", "in", {10, 0, 0, 0, 1}, NO_PRICE, 0},
      {"no input price, no input", "out", {0, 0, 0, 0, 1}, PRICED, 2000},
      {"no input price, one token", "out", {1, 0, 0, 0, 1}, NO_PRICE, 0},
      {"reads without a price are input", "in", {10, 1, 0, 0, 0}, PRICED, 10000},
      {"more input than what has a price", "read", {10, 9, 0, 0, 0}, NO_PRICE, 0},
      {"all input is what has a price", "read", {10, 10, 0, 0, 0}, PRICED, 30000},
  };
  PriceBook own;
  (void)state;
  fill(&own, "", all_rows, COUNT(all_rows));
  for (size_t i = 0; i < COUNT(cases); i++) {
    PriceRef ref;
    PriceSet set;
    PriceSum sum = {.why = ""};
    Usage u = usage_of(cases[i].t);
    select_prices(&own, cases[i].model, (PriceWhen){1, 0, "standard", ""}, &ref, &set);
    PriceVerdict verdict = price_cost(&set, &u, &sum);
    check(verdict == cases[i].verdict, "%s: %d, %s", cases[i].name, (int)verdict, sum.why);
    check(verdict == PRICED || (sum.why[0] && !sum.cost), "%s", cases[i].name);
    check(verdict != PRICED || cost_nusd(sum.cost) == cases[i].nusd, "%s: %lld", cases[i].name,
          cost_nusd(sum.cost));
  }
  book_free(&own);
}

static PriceSet set_of(long long pusd) {
  PriceSet set = {.priced = UNIT_BIT(UNIT_INPUT)};
  set.pusd[UNIT_INPUT] = pusd;
  set.factor[UNIT_INPUT] = BOOK_FACTOR_ONE;
  return set;
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
    PriceSet set = set_of(cases[i].pusd);
    PriceSum sum;
    Usage u = usage_of((Tokens){cases[i].tokens, 0, 0, 0, 0});
    assert_int_equal(price_cost(&set, &u, &sum), PRICED);
    check(cost_nusd(sum.cost) == cases[i].nusd, "%lld x %lld: %lld", cases[i].tokens, cases[i].pusd,
          cost_nusd(sum.cost));
  }
}

/* Counts and prices past all bounds: no cost rather than a wrong one. */
static void test_the_largest_counts(void **state) {
  PriceSet set = set_of(LLONG_MAX);
  PriceSum sum;
  Usage u = usage_of((Tokens){4 * LIMIT_COUNT, 0, 0, 0, 0});
  (void)state;
  set.factor[UNIT_INPUT] = 1000 * BOOK_FACTOR_ONE;
  assert_int_equal(price_cost(&set, &u, &sum), BAD_USAGE);
  assert_non_null(strstr(sum.why, "340 million"));
  Cost both = 1;
  char why[PRICE_WHY] = "";
  assert_true(cost_add(&both, 2, why) == PRICED && both == 3);
  assert_int_equal(cost_add(&both, COST_MOST - 3, why), NO_PRICE); /* saturated: not known */
  assert_string_equal(why, "it comes to more than can be counted (340 million dollars)");
  assert_int_equal(cost_add(&both, COST_MOST, why), NO_PRICE);
  set = set_of(30000000000000); /* $30 per million: 10 million million tokens still have a cost */
  u = usage_of((Tokens){10000000000000, 0, 0, 0, 0});
  assert_int_equal(price_cost(&set, &u, &sum), PRICED);
  assert_true(cost_nusd(sum.cost) == 300000000LL * 1000000000);
  assert_true(cost_usd(sum.cost) == 3e8);
}

/* Modalities: a token is audio, or read from the cache, or both, and priced once. */
static void test_overlaps(void **state) {
  static const Row rows[] = {
      {"m", UNIT_INPUT, 1000000, 0, 0, 0, NULL},
      {"m", UNIT_INPUT_AUDIO, 10000000, 0, 0, 0, NULL},
      {"m", UNIT_CACHE_READ, 100000, 0, 0, 0, NULL},
      {"m", UNIT_CACHE_READ_AUDIO, 2000000, 0, 0, 0, NULL},
  };
  PriceBook own;
  PriceRef ref;
  PriceSet set;
  PriceSum sum;
  Usage u;
  (void)state;
  fill(&own, "", rows, COUNT(rows));
  select_prices(&own, "m", (PriceWhen){1, 0, "standard", ""}, &ref, &set);
  usage_init(&u);
  usage_set(&u, UNIT_INPUT, 100);
  usage_set(&u, UNIT_INPUT_AUDIO, 40);
  usage_set(&u, UNIT_CACHE_READ, 30);
  assert_int_equal(price_cost(&set, &u, &sum), BAD_USAGE);
  assert_non_null(strstr(sum.why, "both"));
  usage_set(&u, UNIT_CACHE_READ_AUDIO, 10);
  assert_int_equal(price_cost(&set, &u, &sum), PRICED);
  /* 40 plain, 30 audio, 20 read, 10 audio read */
  assert_int_equal(cost_nusd(sum.cost), 40 * 1000 + 30 * 10000 + 20 * 100 + 10 * 2000);
  book_free(&own);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_catalogue_prices_by_date_and_tier),
      cmocka_unit_test(test_overrides),
      cmocka_unit_test(test_worked_cases),
      cmocka_unit_test(test_services),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_overlaps),
      cmocka_unit_test(test_what_has_no_cost),
      cmocka_unit_test(test_rounding),
      cmocka_unit_test(test_the_largest_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
