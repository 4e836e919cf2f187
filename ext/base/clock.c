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
