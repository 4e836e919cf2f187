/*
** llm_advise: what to do next, a row each, with its dollars a month.
**
** Each row's dollars are what it would save alone of the bill as it is: rows are alternatives as often as they add up
** (llm_stack says what steps come to one after the other). What is not expected to save anything is not told.
*/
#ifndef LLMCOST_ADVISE_H
#define LLMCOST_ADVISE_H

#include "conn/conn.h"
#include "base/tables/groups.h"

enum { ADVISE_MOST_TAG = 1024 };

typedef struct AdviseAsk {
  long long from, to; /* Unix ms; LLONG_MIN: the 30 days before the newest call */
  const char *tag;    /* NULL: all */
  int min_calls;      /* of a tag and model: below that nothing is said of it */
} AdviseAsk;

/* A row. Texts are borrowed from the result; LLONG_MIN and NAN: nobody says. */
typedef struct AdviseLine {
  long long rank;
  const char *advice, *subject, *what;
  long long nusd_per_month, low_nusd, high_nusd;
  double share; /* of the month's spending */
  const char *effort, *impact, *expected,
      *confidence; /* expected: "20 to 40 %"; NULL: what is measured */
  long long step;
  long long calls;
  const char *when, *why, *how, *billed;
  double weighted;
} AdviseLine;

/* All rows in *lines (groups_free). RC_OK or *err. */
int advise_read(Conn *conn, const AdviseAsk *ask, Groups *lines, Err *err);

#endif
