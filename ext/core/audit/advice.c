/*
** See advice.h for the contract, sql/successors.tsv for the table of successors.
*/
#include "core/audit/advice.h"

#include "base/tables/tsv.h"
#include "sql/sql_text.h"

#include <ctype.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

static const struct {
  const char *word;
  double weight;
} efforts[] = {
#define EFFORT(id, word, weight) {word, weight},
    ADVICE_EFFORTS(EFFORT)
#undef EFFORT
};

AdviceRule advice_rule(Advice advice) {
  static const struct {
    const char *word, *impact, *when;
    int step;
    AdviceEffort effort;
    double least, most;
  } rules[ADVICE_COUNT] = {
#define RULE(id, word, step, effort, impact, least, most, when)                                    \
  {word, impact, when, step, effort, least, most},
      ADVICES(RULE)
#undef RULE
  };
  return (AdviceRule){.word = rules[advice].word,
                      .effort = efforts[rules[advice].effort].word,
                      .impact = rules[advice].impact,
                      .when = rules[advice].when,
                      .step = rules[advice].step,
                      .weight = efforts[rules[advice].effort].weight,
                      .least = rules[advice].least,
                      .most = rules[advice].most};
}

/* ---- who waits */

static int holds_one(const char *text, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (strstr(text, words[i])) {
      return 1;
    }
  }
  return 0;
}

AdviceWait advice_may_wait(const char *tag) {
  static const char *const never[] = {"chat",      "moderat",   "stream",  "live",   "realtime",
                                      "real-time", "real_time", "support", "assist", "agent",
                                      "copilot",   "complet",   "search",  "voice",  "interactive"};
  static const char *const probably[] = {"batch",   "backfill", "nightly", "cron",     "job",
                                         "offline", "summar",   "eval",    "embed",    "enrich",
                                         "report",  "digest",   "etl",     "pipeline", "bulk",
                                         "generat", "classif",  "extract", "label",    "translat",
                                         "index",   "import",   "weekly",  "daily",    "monthly"};
  char lower[128];
  size_t n = 0;
  for (; tag && tag[n] && n + 1 < sizeof lower; n++) {
    lower[n] = (char)tolower((unsigned char)tag[n]);
  }
  lower[n] = 0;
  return holds_one(lower, never, sizeof never / sizeof never[0])            ? WAIT_NEVER
         : holds_one(lower, probably, sizeof probably / sizeof probably[0]) ? WAIT_PROBABLY
                                                                            : WAIT_UNKNOWN;
}

/* ---- successors */

enum { MOST_SUCCESSORS = 128 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct { const char *model, *by; } successors[MOST_SUCCESSORS];
static int n_successors;

static void load(void) {
  static char text[8192];
  char *at = tsv_copy(sql_successors_tsv, text, sizeof text), *f[2];
  while (*at && n_successors < MOST_SUCCESSORS) {
    if (tsv_row(&at, f, 2) == 2) {
      successors[n_successors].model = f[0];
      successors[n_successors++].by = f[1];
    }
  }
}

const char *advice_successor(const char *plain_model) {
  pthread_once(&once, load);
  for (int i = 0; i < n_successors; i++) {
    if (strcmp(successors[i].model, plain_model) == 0) {
      return successors[i].by;
    }
  }
  return NULL;
}
