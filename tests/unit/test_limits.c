/*
** What header lines say of a provider's limits, in the words of each.
*/
#include "unit.h"

#include "net/limits.h"

#include <stdio.h>
#include <time.h>

enum { MOST_LINES = 12, REQUESTS = NET_LIMIT_REQUESTS, TOKENS = NET_LIMIT_TOKENS };

static NetWaits waits_of(const char *const *lines) {
  NetWaits w;
  limits_forget(&w);
  for (; *lines; lines++) {
    char line[400];
    int n = snprintf(line, sizeof line, "%s\r\n", *lines);
    limits_take(&w, line, (size_t)n);
  }
  return w;
}

static void check_limit(const char *name, NetLimit l, NetLimit expected) {
  check(l.limit == expected.limit && l.remaining == expected.remaining &&
            l.reset_ms == expected.reset_ms,
        "%s: %lld %lld %lld, expected %lld %lld %lld", name, l.limit, l.remaining, l.reset_ms,
        expected.limit, expected.remaining, expected.reset_ms);
}

static const struct {
  const char *name, *lines[MOST_LINES];
  NetLimit requests, tokens;
} providers[] = {
    {"nothing", {"content-type: application/json"}, {-1, -1, -1}, {-1, -1, -1}},
    {"OpenAI",
     {"x-ratelimit-limit-requests: 60", "x-ratelimit-limit-tokens: 150000",
      "x-ratelimit-remaining-requests: 59", "x-ratelimit-remaining-tokens: 149984",
      "x-ratelimit-reset-requests: 1s", "x-ratelimit-reset-tokens: 6m0s"},
     {60, 59, 1000},
     {150000, 149984, 360000}},
    {"Groq, in other letters",
     {"X-RateLimit-Limit-Requests: 14400", "X-RateLimit-Remaining-Requests: 14370",
      "X-RateLimit-Reset-Requests: 2m59.56s", "X-RateLimit-Reset-Tokens: 7.66s"},
     {14400, 14370, 179560},
     {-1, -1, 7660}},
    {"Anthropic: the scarcest kind of tokens",
     {"anthropic-ratelimit-requests-limit: 50", "anthropic-ratelimit-requests-remaining: 49",
      "anthropic-ratelimit-tokens-limit: 90000", "anthropic-ratelimit-tokens-remaining: 89000",
      "anthropic-ratelimit-input-tokens-limit: 80000",
      "anthropic-ratelimit-input-tokens-remaining: 79000",
      "anthropic-ratelimit-output-tokens-limit: 10000",
      "anthropic-ratelimit-output-tokens-remaining: 1000"},
     {50, 49, -1},
     {10000, 1000, -1}},
    {"Anthropic, the other way round: no order of lines counts",
     {"anthropic-ratelimit-output-tokens-remaining: 9000",
      "anthropic-ratelimit-input-tokens-remaining: 0",
      "anthropic-ratelimit-output-tokens-limit: 10000",
      "anthropic-ratelimit-input-tokens-limit: 80000"},
     {-1, -1, -1},
     {80000, 0, -1}},
    {"Mistral",
     {"ratelimitbysize-limit: 500000", "ratelimitbysize-remaining: 499000",
      "ratelimitbysize-reset: 12", "ratelimitbysize-query-cost: 32000",
      "x-ratelimitbysize-remaining-month: 9", "x-ratelimitbysize-limit-month: 1000000000"},
     {-1, -1, -1},
     {1000000000, 9, 31 * 86400000LL}},
    {"Mistral, newer: the window is in the name",
     {"x-ratelimit-limit-req-minute: 5", "x-ratelimit-remaining-req-minute: 4",
      "x-ratelimit-limit-tokens-minute: 10000", "x-ratelimit-remaining-tokens-minute: 9000",
      "x-ratelimit-tokens-query-cost: 50"},
     {5, 4, 60000},
     {10000, 9000, 60000}},
    {"Cerebras: two windows of one kind",
     {"x-ratelimit-limit-requests-day: 14400", "x-ratelimit-remaining-requests-day: 14399",
      "x-ratelimit-reset-requests-day: 43200", "x-ratelimit-limit-requests-minute: 30",
      "x-ratelimit-remaining-requests-minute: 0", "x-ratelimit-reset-requests-minute: 12.5",
      "x-ratelimit-remaining-tokens-minute: 59000"},
     {30, 0, 12500},
     {-1, 59000, 60000}},
    {"Fireworks",
     {"x-ratelimit-limit-tokens-prompt: 100", "x-ratelimit-remaining-tokens-prompt: 90",
      "x-ratelimit-limit-tokens-generated: 100", "x-ratelimit-remaining-tokens-generated: 80",
      "x-ratelimit-over-limit: no"},
     {-1, -1, -1},
     {100, 80, -1}},
    {"Together",
     {"x-ratelimit-limit: 10", "x-ratelimit-remaining: 9", "x-ratelimit-reset: 1",
      "x-tokenlimit-limit: 180000", "x-tokenlimit-remaining: 0"},
     {10, 9, 1000},
     {180000, 0, -1}},
    {"the draft, three headers",
     {"RateLimit-Limit: 100, 100;w=60", "RateLimit-Remaining: 7", "RateLimit-Reset: 50"},
     {100, 7, 50000},
     {-1, -1, -1}},
    {"the draft, one header before its 8th version",
     {"ratelimit: limit=100, remaining=50, reset=30", "ratelimit-policy: 200;w=60"},
     {100, 50, 30000},
     {-1, -1, -1}},
    {"the draft since, and its policy",
     {"ratelimit-policy: \"a, b;r=3\";q=60;w=60", "ratelimit: \"a, b;r=3\";r=5;t=20"},
     {60, 5, 20000},
     {-1, -1, -1}},
    {"two limits in one: the one with less left; whose policy which is is not said",
     {"ratelimit-policy: \"u\";q=3;w=30, \"i\";q=10;w=10",
      "ratelimit: \"u\";r=2;t=10, \"i\";r=0;t=1"},
     {-1, 0, 1000},
     {-1, -1, -1}},
    {"less left first", {"ratelimit: \"u\";r=0;t=10, \"i\";r=9;t=1"}, {-1, 0, 10000}, {-1, -1, -1}},
    {"without a limit, nothing left is scarcer",
     {"x-ratelimit-remaining-requests-day: 0", "x-ratelimit-limit-requests: 10",
      "x-ratelimit-remaining-requests: 1"},
     {-1, 0, 86400000},
     {-1, -1, -1}},
    {"no numbers",
     {"x-ratelimit-limit: unlimited", "x-ratelimit-remaining: -1", "x-ratelimit-reset: soon",
      "x-ratelimit-limit-tokens: 5k", "x-ratelimit-remaining-tokens: inf"},
     {-1, -1, -1},
     {-1, -1, -1}},
    {"huge ones",
     {"x-ratelimit-limit: 1e300", "x-ratelimit-remaining: 99999999999999999999999"},
     {9007199254740991, 9007199254740991, -1},
     {-1, -1, -1}},
    {"other headers with like names",
     {"x-ratelimits-limit: 1", "ratelimitx: 1", "x-ratelimit-limit-images: 4",
      "anthropic-ratelimit-unified-reset: 1", "anthropic-priority-input-tokens-limit: 1",
      "x-ratelimit-limit", "x-ratelimit--limit: 1", "x-ratelimit-limit-: 1", ":", ""},
     {-1, -1, -1},
     {-1, -1, -1}},
};

static void test_providers(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(providers); i++) {
    NetWaits w = waits_of(providers[i].lines);
    check_limit(providers[i].name, w.limits[REQUESTS], providers[i].requests);
    check_limit(providers[i].name, w.limits[TOKENS], providers[i].tokens);
  }
}

static void test_waits(void **state) {
  (void)state;
  static const struct {
    const char *lines[MOST_LINES];
    long long retry_after_ms, reset_ms;
  } cases[] = {
      {{"retry-after: 3"}, 3000, -1},
      {{"Retry-After: 0.5", "retry-after-ms: 700"}, 700, -1},
      {{"retry-after-ms: 700", "retry-after: 3"}, 700, -1},
      {{"x-ms-retry-after-ms: 40", "x-ratelimit-reset: 2"}, 40, 2000},
      {{"retry-after: never", "retry-after-ms: soon"}, -1, -1},
      {{"x-ratelimit-reset-requests: 0.7s", "x-ratelimit-reset-tokens: 6m0s"}, -1, 700},
      {{"x-ratelimit-reset-after: 1.5", "x-ratelimit-reset: 1d2h"}, -1, 1500},
      {{"ratelimit: \"default\";q=100;r=0; t=1"}, -1, 1000},
      {{"ratelimit: t=1, limit=5"}, -1, 1000},
      {{"ratelimit: limit=100, remaining=0, Reset=900"}, -1, 900000},
      {{"ratelimit: limit=100, remaining=0"}, -1, -1},
      /* The length of a window that its name has is no word of when it begins anew. */
      {{"x-ratelimit-remaining-tokens-minute: 0"}, -1, -1},
      {{"retry-after: 99999999999"}, 1000000000000, -1},
      {{"x-ratelimit-reset: 1e999", "x-ratelimit-reset-tokens: inf"}, -1, 1000000000000},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    NetWaits w = waits_of(cases[i].lines);
    check(w.retry_after_ms == cases[i].retry_after_ms && w.reset_ms == cases[i].reset_ms,
          "%s: %lld %lld", cases[i].lines[0], w.retry_after_ms, w.reset_ms);
  }
}

/* A time of day is a wait from now on (the clock may tick in between). */
static void check_about(const char *line, long long ms) {
  NetWaits w = waits_of((const char *[]){line, NULL});
  check(w.reset_ms >= ms - 2000 && w.reset_ms <= ms, "%s: %lld", line, w.reset_ms);
}

static void test_times_of_day(void **state) {
  (void)state;
  char line[100], at[40];
  time_t then = time(NULL) + 20;
  struct tm day;
  strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", gmtime_r(&then, &day));
  snprintf(line, sizeof line, "anthropic-ratelimit-tokens-reset: %sZ", at);
  check_about(line, 20000);
  snprintf(line, sizeof line, "ratelimit: \"a\";r=1;t=\"%s-00:00\"", at);
  check_about(line, 20000);
  snprintf(line, sizeof line, "x-ratelimit-reset: %lld", (long long)then);
  check_about(line, 20000);
  snprintf(line, sizeof line, "x-ratelimit-reset: %lld000", (long long)then);
  check_about(line, 20000);
}

/* Of each response its own; and a line is as long as it is said to be. */
static void test_bounds(void **state) {
  (void)state;
  NetWaits w;
  limits_forget(&w);
  limits_take(&w, "x-ratelimit-remaining: 12345", 25);
  check(w.limits[REQUESTS].remaining == 12, "%lld", w.limits[REQUESTS].remaining);
  limits_take(&w, "retry-after: 5", 14);
  limits_forget(&w);
  check(w.retry_after_ms == -1 && w.limits[REQUESTS].remaining == -1, "not forgotten");
  limits_take(&w, "", 0);
  char *line = malloc(100000);
  assert_non_null(line);
  memset(line, 'x', 100000);
  limits_take(&w, line, 100000);
  memcpy(line, "x-ratelimit-reset:", 18);
  memset(line + 18, '"', 100000 - 18);
  limits_take(&w, line, 100000);
  check(w.reset_ms == -1, "%lld", w.reset_ms);
  free(line);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_providers),
      cmocka_unit_test(test_waits),
      cmocka_unit_test(test_times_of_day),
      cmocka_unit_test(test_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
