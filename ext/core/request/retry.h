/*
** Which failures are worth another attempt, and when.
*/
#ifndef LLMCOST_RETRY_H
#define LLMCOST_RETRY_H

/* 1 if a request that was answered with this HTTP status may succeed when sent again. Status
** alone does not decide: a provider's error type or code that means "no money, no quota" never
** is; then the header x-should-retry ("true", "false") has its say; then the status (408, 409,
** 429 and 5xx are). Unknown texts may be NULL or "". */
int retry_is_useful(long http_status, const char *type, const char *code,
                    const char *x_should_retry);

/* Milliseconds to wait before attempt `next` (2 for the first retry). A provider's own wish
** (`asked_ms` ≥ 0) is followed; otherwise base × 2^(next-2), at most LIMIT_BACKOFF_MS, less up
** to a quarter by `random`. */
long long retry_delay_ms(int next, long long base_ms, long long asked_ms, unsigned random);

#endif
