/*
** Which failures are worth another attempt, provider by provider, and when.
*/
#include "unit.h"

#include "core/request/retry.h"

typedef struct Which {
  const char *name;
  long status;
  const char *type, *code, *header;
  int useful;
} Which;

static void check_which(const Which *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int useful = retry_is_useful(&(RetryCase){.status = cases[i].status,
                                              .type = cases[i].type,
                                              .code = cases[i].code,
                                              .x_should_retry = cases[i].header});
    check(useful == cases[i].useful, "%s", cases[i].name);
  }
}

static void test_which(void **state) {
  static const Which cases[] = {
      {"OpenAI timeout", 408, NULL, NULL, NULL, 1},
      {"OpenAI conflict", 409, NULL, NULL, NULL, 1},
      {"OpenAI rate limit", 429, "requests", "rate_limit_exceeded", NULL, 1},
      {"OpenAI slow down", 429, "tokens", "slow_down", NULL, 1},
      {"OpenAI 500", 500, "server_error", NULL, NULL, 1},
      {"OpenAI 503", 503, "", "", "", 1},
      {"OpenAI no quota, type", 429, "insufficient_quota", NULL, NULL, 0},
      {"OpenAI no quota, code", 429, "tokens", "insufficient_quota", NULL, 0},
      {"OpenAI no credit", 429, NULL, "credit_balance_exhausted", NULL, 0},
      {"OpenAI organization's spend", 429, NULL, "organization_spend_limit_exceeded", NULL, 0},
      {"OpenAI project's spend", 429, NULL, "project_spend_limit_exceeded", NULL, 0},
      {"OpenAI organization's usage", 429, NULL, "organization_usage_limit_exceeded", NULL, 0},
      {"OpenAI bad request", 400, "invalid_request_error", NULL, NULL, 0},
      {"OpenAI bad key", 401, "invalid_request_error", "invalid_api_key", NULL, 0},
      {"Anthropic timeout", 408, "timeout_error", NULL, NULL, 1},
      {"Anthropic conflict", 409, "conflict_error", NULL, NULL, 1},
      {"Anthropic rate limit", 429, "rate_limit_error", NULL, NULL, 1},
      {"Anthropic ramp limit means wait", 429, "rate_limit_error", "ramp_limit_exceeded", NULL, 1},
      {"Anthropic 500", 500, "api_error", NULL, NULL, 1},
      {"Anthropic overloaded", 529, "overloaded_error", NULL, NULL, 1},
      {"Anthropic enforced spend", 429, "rate_limit_error", "enforced_spend_limit_reached", NULL,
       0},
      {"Anthropic contract spend", 429, "rate_limit_error", "contract_spend_limit_reached", NULL,
       0},
      {"Anthropic billing", 402, "billing_error", NULL, NULL, 0},
      {"Anthropic bad request", 400, "invalid_request_error", NULL, NULL, 0},
      {"Anthropic bad key", 401, "authentication_error", NULL, NULL, 0},
      {"Anthropic forbidden", 403, "permission_error", NULL, NULL, 0},
      {"Anthropic not found", 404, "not_found_error", NULL, NULL, 0},
      {"Anthropic too large", 413, "request_too_large", NULL, NULL, 0},
      {"Anthropic unprocessable", 422, "invalid_request_error", NULL, NULL, 0},
      {"Gemini 429", 429, "RESOURCE_EXHAUSTED", "429", NULL, 1},
      {"Gemini 408", 408, NULL, "408", NULL, 1},
      {"Gemini 500", 500, "INTERNAL", "500", NULL, 1},
      {"Gemini 502", 502, NULL, "502", NULL, 1},
      {"Gemini 503", 503, "UNAVAILABLE", "503", NULL, 1},
      {"Gemini 504", 504, "DEADLINE_EXCEEDED", "504", NULL, 1},
      {"Gemini 402", 402, NULL, "402", NULL, 0},
      {"OpenRouter 408", 408, NULL, "408", NULL, 1},
      {"OpenRouter 429", 429, NULL, "429", NULL, 1},
      {"OpenRouter 502", 502, NULL, "502", NULL, 1},
      {"OpenRouter 503", 503, NULL, "503", NULL, 1},
      {"OpenRouter no credits", 402, NULL, "402", NULL, 0},
      {"Mistral 429", 429, NULL, NULL, NULL, 1},
      {"Mistral 500", 500, NULL, NULL, NULL, 1},
      {"Mistral 502", 502, NULL, NULL, NULL, 1},
      {"Mistral 503", 503, NULL, NULL, NULL, 1},
      {"Mistral 504", 504, NULL, NULL, NULL, 1},
      {"Mistral unprocessable", 422, NULL, NULL, NULL, 0},
      {"the header says no", 429, "rate_limit_error", NULL, "false", 0},
      {"the header says no to 500", 500, NULL, NULL, "false", 0},
      {"the header says yes to 400", 400, NULL, NULL, "true", 1},
      {"no quota beats the header", 429, "insufficient_quota", NULL, "true", 0},
      {"no quota beats status 500", 500, NULL, "insufficient_quota", NULL, 0},
      {"a header of something else", 429, NULL, NULL, "maybe", 1},
      {"a header of something else, 400", 400, NULL, NULL, "maybe", 0},
      {"wording is not matched", 429, "insufficient_quota_soon", NULL, NULL, 1},
      {"success", 200, NULL, NULL, NULL, 0},
      {"redirection", 302, NULL, NULL, NULL, 0},
      {"no answer", 0, NULL, NULL, NULL, 0},
  };
  (void)state;
  check_which(cases, COUNT(cases));
}

/* Words that mean it under any status, and those that mean never. */
static void test_which_by_words(void **state) {
  static const Which cases[] = {
      {"Moonshot, no quota", 429, "exceeded_current_quota_error", NULL, NULL, 0},
      {"Moonshot, busy", 429, "engine_overloaded_error", NULL, NULL, 1},
      {"Z.ai, no balance", 429, NULL, "1113", NULL, 0},
      {"Z.ai, no balance, as Anthropic", 429, "rate_limit_error", "1113", NULL, 0},
      {"Z.ai, no balance, as a type", 429, "1113", NULL, NULL, 0},
      {"Z.ai, too fast", 429, NULL, "1302", NULL, 1},
      {"Z.ai, too fast, in a success", 200, NULL, "1302", NULL, 1},
      {"LiteLLM's budget", 400, "budget_exceeded", "400", NULL, 0},
      {"LiteLLM's budget, 429", 429, "budget_exceeded", "429", NULL, 0},
      {"MiniMax, no balance", 429, "insufficient_balance_error", "429", NULL, 0},
      {"overloaded in a success", 200, "overloaded_error", NULL, NULL, 1},
      {"rate limit in a success", 200, "rate_limit_error", "", NULL, 1},
      {"server error in a success", 200, "server_error", NULL, NULL, 1},
      {"API error in a success", 200, NULL, "api_error", NULL, 1},
      {"429 as a text in a success", 200, NULL, "429", NULL, 1},
      {"503 as a type in a success", 200, "503", NULL, NULL, 1},
      {"400 as a text in a success", 200, NULL, "400", NULL, 0},
      {"a number of somebody's own", 200, NULL, "1001", NULL, 0},
      {"Gemini's words in a success", 200, "UNAVAILABLE", NULL, NULL, 1},
      {"overloaded as a 400", 400, "overloaded", NULL, NULL, 1},
      {"Groq's JSON", 400, "invalid_request_error", "json_validate_failed", NULL, 1},
      {"AWS", 400, "ThrottlingException", NULL, NULL, 1},
      {"camel case", 400, "RateLimitError", NULL, NULL, 1},
      {"a wrong key whatever the type", 401, "api_error", NULL, NULL, 0},
      {"no money whatever the type", 402, "rate_limit_error", NULL, NULL, 0},
      {"too long for the model", 500, "exceed_context_size_error", NULL, NULL, 0},
  };
  (void)state;
  check_which(cases, COUNT(cases));
}

/* What only the name of a quota, or a sentence, tells. */
static void test_which_by_what_it_says(void **state) {
  static const struct {
    RetryCase c;
    int useful;
  } cases[] = {
      {{429, "RESOURCE_EXHAUSTED", "", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "", ""},
       0},
      {{429, "RESOURCE_EXHAUSTED", "", "generate_requests_per_day", "", ""}, 0},
      {{429, "RESOURCE_EXHAUSTED", "", "GenerateRequestsPerMinutePerProject", "", ""}, 1},
      {{429, "RESOURCE_EXHAUSTED", "", "", "You exceeded your current quota", ""}, 1},
      {{500, "api_error", "", "", "insufficient balance (1008)", ""}, 0},
      {{429, "", "", "", "Insufficient balance or no resource package. Please recharge.", ""}, 0},
      {{429, "", "", "", "\xE4\xBD\x99\xE9\xA2\x9D\xE4\xB8\x8D\xE8\xB6\xB3", ""}, 0},
      {{400, "None", "400", "", "Budget has been exceeded! Current cost: 26, Max budget: 1", ""},
       0},
      {{429, "", "", "", "Your team has used all available credits", "true"}, 0},
      {{429, "tokens", "rate_limit_exceeded", "", "Request too large for gpt-4o", ""}, 0},
      {{429, "tokens", "rate_limit_exceeded", "", "Rate limit reached for gpt-4o", ""}, 1},
      {{200, "", "", "", "Loading model", ""}, 1},
      {{200, "", "", "", "Model x is currently loading", ""}, 1},
      {{503, "unavailable_error", "", "", "Loading model", ""}, 1},
      {{404, "", "", "", "Model x is loading", ""}, 0},
      {{400, "", "", "", "the prompt says model is loading", ""}, 0},
      {{400, "invalid_request_error", "", "", "cold start phrase is not allowed", ""}, 0},
      {{422, "", "", "", "Loading model", ""}, 0},
      {{400, "", "model_not_ready", "", "Model x is loading", ""}, 1},
      {{400, "ModelLoadingError", "", "", "wait", ""}, 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(retry_is_useful(&cases[i].c) == cases[i].useful, "case %zu: %s", i, cases[i].c.sentence);
  }
}

static void test_words_mean_a_status(void **state) {
  static const struct {
    const char *word;
    long status;
  } cases[] = {{"overloaded_error", 529},
               {"rate_limit_error", 429},
               {"rate_limit_exceeded", 429},
               {"RESOURCE_EXHAUSTED", 429},
               {"RateLimitError", 429},
               {"server_error", 500},
               {"internal_server_error", 500},
               {"api_error", 500},
               {"timeout_error", 504},
               {"UNAVAILABLE", 503},
               {"invalid_request_error", 400},
               {"authentication_error", 401},
               {"insufficient_quota", 429},
               {"rate_limit_errors", 0},
               {"server", 0},
               {"", 0},
               {NULL, 0}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(retry_status_of(cases[i].word) == cases[i].status, "%s: %ld", cases[i].word,
          retry_status_of(cases[i].word));
  }
}

static void test_times(void **state) {
  static const struct {
    const char *text;
    long long ms;
  } times[] = {{"3.2s", 3200},      {"0s", 0},
               {"40ms", 40},        {"6m0s", 360000},
               {"20", 20000},       {"0.5", 500},
               {"1h2m3s", 3723000}, {" 7 s", 7000},
               {"1m30s", 90000},    {"", -1},
               {"soon", -1},        {"-3s", -1},
               {"5 apples", -1},    {"99999999999999d", 32000000000}},
    sentences[] = {
        {"Rate limit reached. Please try again in 40ms. Visit https://x", 40},
        {"Please try again in 1.5s.", 1500},
        {"Please try again in 6m0s.", 360000},
        {"on tokens per minute (TPM): Limit 6000. Please try again in 7.66s. Need more?", 7660},
        {"Please retry after 2 seconds.", 2000},
        {"Please Retry in 36.211512187s.", 36211},
        {"wait 1 minute", 60000},
        {"Please try again in a few seconds", -1},
        {"Please try again later", -1},
        {"try again in 5", -1},
        {"", -1},
    };
  (void)state;
  for (size_t i = 0; i < COUNT(times); i++) {
    check(retry_read_time(times[i].text) == times[i].ms, "%s: %lld", times[i].text,
          retry_read_time(times[i].text));
  }
  for (size_t i = 0; i < COUNT(sentences); i++) {
    check(retry_read_sentence(sentences[i].text) == sentences[i].ms, "%s: %lld", sentences[i].text,
          retry_read_sentence(sentences[i].text));
  }
}

/* Ten attempts outlast a minute of loading. */
static void test_loading(void **state) {
  long long all = 0;
  (void)state;
  for (int next = 2; next <= LIMIT_ATTEMPTS; next++) {
    long long ms = retry_loading_ms(next);
    check(ms >= 2000 && ms <= LIMIT_BACKOFF_MS, "attempt %d: %lld", next, ms);
    all += ms;
  }
  check(all >= 60000, "%lld", all);
}

static void test_when(void **state) {
  static const struct {
    int next;
    long long base, asked;
    unsigned random;
    long long min, max;
  } cases[] = {
      {2, 500, -1, 0, 500, 500},
      {3, 500, -1, 0, 1000, 1000},
      {4, 500, -1, 0, 2000, 2000},
      {6, 500, -1, 0, 8000, 8000},
      {7, 500, -1, 0, LIMIT_BACKOFF_MS, LIMIT_BACKOFF_MS},
      {LIMIT_ATTEMPTS, 500, -1, 0, LIMIT_BACKOFF_MS, LIMIT_BACKOFF_MS},
      {1000000, 500, -1, 0, LIMIT_BACKOFF_MS, LIMIT_BACKOFF_MS},
      {2, 1000, -1, 0xFFFF, 750, 751},
      {2, 1000, -1, 0x8000, 875, 875},
      {2, 1000, -1, 0xFFFFFFFF, 750, 751},
      {7, 500, -1, 0xFFFF, LIMIT_BACKOFF_MS * 3 / 4, LIMIT_BACKOFF_MS * 3 / 4 + 1},
      {2, 1000000, -1, 0, LIMIT_BACKOFF_MS, LIMIT_BACKOFF_MS},
      {2, 0, -1, 0xFFFF, 0, 0},
      {9, 0, -1, 0xFFFF, 0, 0},
      {2, 500, 0, 0xFFFF, 0, 0},
      {2, 500, 1, 0xFFFF, 1, 1},
      {5, 500, 30000, 0xFFFF, 30000, 30000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long ms = retry_delay_ms(cases[i].next, cases[i].base, cases[i].asked, cases[i].random);
    check(ms >= cases[i].min && ms <= cases[i].max, "case %zu: %lld", i, ms);
  }
}

/* What is waited for longer than anything else. */
static void test_what_is_loading(void **state) {
  static const struct {
    RetryCase c;
    int is;
  } cases[] = {
      {{503, "", "", "", "Loading model", ""}, 1},
      {{0, "", "", "", "Model x is loading", ""}, 1},
      {{200, NULL, NULL, "", "Model x is loading", ""}, 1},
      {{429, "", "", "", "cold start", ""}, 1},
      {{400, "", "", "", "cold start phrase is not allowed", ""}, 0},
      {{422, "", "", "", "Model x is loading", ""}, 0},
      {{400, "", "model_is_loading", "", NULL, ""}, 1},
      {{400, "modelNotReady", "", "", "", ""}, 1},
      {{503, "overloaded_error", "", "", "", ""}, 0},
      {{503, NULL, NULL, NULL, NULL, NULL}, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(retry_is_loading(&cases[i].c) == cases[i].is, "case %zu", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_which),
      cmocka_unit_test(test_which_by_words),
      cmocka_unit_test(test_which_by_what_it_says),
      cmocka_unit_test(test_what_is_loading),
      cmocka_unit_test(test_words_mean_a_status),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_loading),
      cmocka_unit_test(test_when),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
