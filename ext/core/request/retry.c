/*
** Retry rules. See retry.h for the contract.
*/
#include "core/request/retry.h"

#include "base/limits.h"

#include <stddef.h>
#include <string.h>

/* Errors that the same request meets again until somebody pays or raises a limit. */
static const char *const final_codes[] = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "billing_error",
    "billing_hard_limit_reached",
    "organization_usage_limit_exceeded",
};

static int is_final_code(const char *word) {
  for (size_t i = 0; word && i < sizeof final_codes / sizeof final_codes[0]; i++) {
    if (strcmp(word, final_codes[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

int retry_is_useful(long http_status, const char *type, const char *code,
                    const char *x_should_retry) {
  if (is_final_code(type) || is_final_code(code)) {
    return 0;
  }
  if (x_should_retry && strcmp(x_should_retry, "true") == 0) {
    return 1;
  }
  if (x_should_retry && strcmp(x_should_retry, "false") == 0) {
    return 0;
  }
  return http_status == 408 || http_status == 409 || http_status == 429 || http_status >= 500;
}

long long retry_delay_ms(int next, long long base_ms, long long asked_ms, unsigned random) {
  if (asked_ms >= 0) {
    return asked_ms;
  }
  long long delay = base_ms;
  for (int i = 2; i < next && delay < LIMIT_BACKOFF_MS; i++) {
    delay *= 2;
  }
  delay = delay > LIMIT_BACKOFF_MS ? LIMIT_BACKOFF_MS : delay;
  return delay - (long long)((double)delay * 0.25 * ((double)(random & 0xFFFF) / 65536.0));
}
