/*
** See day_cap.h for the contract.
*/
#include "money/budget/day_cap.h"

#include "base/text/decimal.h"
#include "base/utf8.h"
#include "trust/node/env.h"

#include <pthread.h>
#include <unistd.h>

enum { QUARTERS = 128 }; /* the longest day of the calendar has a hundred */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  pid_t pid;
  long long held;
  struct {
    long long start, nusd;
  } quarter[QUARTERS];
} counted;

int day_cap_is_set(DayCap *cap, Err *err) {
  const char *text = env_get("LLMCOST_BUDGET_USD_DAY");
  *cap = (DayCap){.limit_nusd = -1};
  if (!text) {
    return 0;
  }
  if (!decimal_parse(text, 9, &cap->limit_nusd)) {
    char shown[40];
    utf8_copy(shown, sizeof shown, text);
    cap->limit_nusd = -1;
    err_set(err, RC_ERROR, ERR_CONFIG,
            "LLMCOST_BUDGET_USD_DAY is '%s': a number of dollars a day, such as 5 or 0.50", shown);
  }
  return cap->limit_nusd >= 0;
}

static void forget_the_parents(void) {
  if (counted.pid != getpid()) {
    counted.pid = getpid();
    counted.held = 0;
    for (int i = 0; i < QUARTERS; i++) {
      counted.quarter[i].start = counted.quarter[i].nusd = 0;
    }
  }
}

DayCapOutcome day_cap_take(DayCap *cap, const Zone *zone, long long now, long long nusd) {
  const Period day = {.kind = PERIOD_DAY};
  cap->day = period_at(&day, zone, now);
  cap->spent_nusd = 0;
  pthread_mutex_lock(&lock);
  forget_the_parents();
  for (int i = 0; i < QUARTERS; i++) {
    int is_in = counted.quarter[i].start >= cap->day.from && counted.quarter[i].start < cap->day.to;
    cap->spent_nusd = sum_at_most(cap->spent_nusd, is_in ? counted.quarter[i].nusd : 0);
  }
  cap->held_nusd = counted.held;
  long long without = sum_at_most(cap->spent_nusd, nusd), with = sum_at_most(without, counted.held);
  DayCapOutcome outcome = nusd == 0                   ? DAY_CAP_FITS
                          : without > cap->limit_nusd ? DAY_CAP_REFUSED
                          : with > cap->limit_nusd    ? DAY_CAP_WAITS
                                                      : DAY_CAP_FITS;
  counted.held += outcome == DAY_CAP_FITS ? nusd : 0;
  pthread_mutex_unlock(&lock);
  return outcome;
}

void day_cap_settle(long long held, long long began, long long nusd) {
  long long start = began - began % PERIOD_QUARTER_MS;
  int i = (int)(start / PERIOD_QUARTER_MS % QUARTERS);
  pthread_mutex_lock(&lock);
  forget_the_parents();
  counted.held -= held < counted.held ? held : counted.held;
  if (counted.quarter[i].start != start) {
    counted.quarter[i].start = start;
    counted.quarter[i].nusd = 0;
  }
  counted.quarter[i].nusd = sum_at_most(counted.quarter[i].nusd, nusd);
  pthread_mutex_unlock(&lock);
}

void day_cap_give(long long began, long long nusd) {
  long long start = began - began % PERIOD_QUARTER_MS;
  int i = (int)(start / PERIOD_QUARTER_MS % QUARTERS);
  pthread_mutex_lock(&lock);
  forget_the_parents();
  if (counted.quarter[i].start == start) {
    counted.quarter[i].nusd -= nusd < counted.quarter[i].nusd ? nusd : counted.quarter[i].nusd;
  }
  pthread_mutex_unlock(&lock);
}
