/*
** Which failures are worth another attempt, provider by provider, and when.
*/
#include "unit.h"

#include "core/request/retry.h"

static void test_which(void **state) {
  static const struct {
    const char *name;
    long status;
    const char *type, *code, *header;
    int useful;
  } cases[] = {
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
  for (size_t i = 0; i < COUNT(cases); i++) {
    int useful = retry_is_useful(cases[i].status, cases[i].type, cases[i].code, cases[i].header);
    check(useful == cases[i].useful, "%s", cases[i].name);
  }
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_which),
      cmocka_unit_test(test_when),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
