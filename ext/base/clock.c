/*
** See clock.h for the contract.
*/
#include "base/clock.h"

#include <time.h>

static long long read_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

long long now_ms(void) {
  return read_ms(CLOCK_REALTIME);
}

long long monotonic_ms(void) {
  return read_ms(CLOCK_MONOTONIC);
}

void clock_text(long long ms, char *out, size_t size) {
  time_t seconds = (time_t)(ms / 1000);
  struct tm day;
  out[0] = 0;
  if (gmtime_r(&seconds, &day)) {
    strftime(out, size, "%Y-%m-%d %H:%M:%S", &day);
  }
}
