/*
** What is to be done for a request, as its options and the settings say: decided once, when the call starts, and
** constant from then on. No stage looks at the mode of the cache again.
*/
#ifndef LLMCOST_PLAN_H
#define LLMCOST_PLAN_H

#include "conn/conn.h"
#include "core/volatile/volatile.h"
#include "core/request/request.h"

typedef struct Plan {
  int reads; /* looks for the exact text; another process that asks the same waits for this answer */
  int reads_similar; /* looks for a question that means the same */
  int keeps;         /* keeps the answer under the exact text */
  int keeps_similar; /* and under its meaning */
  int only_replaces; /* under its meaning only where there is one already */
  Volatile
      kind; /* what the question is, where its meaning could be looked for: NOW, and nothing is */
  char word[VOLATILE_WORD]; /* of it that says so; "" */
  int is_memoed;            /* one answer serves the whole execution of the statement */
  const char *name;         /* of what does not read, for dry_run */
  int attempts;             /* at most */
  int buys_lost;            /* what was lost, and may have been billed, is asked again */
  long long ttl_ms;         /* of its answer in the cache; OPTION_UNSET: for ever */
  long long started_ms;     /* of the day */
  long long deadline_ms;    /* monotonic */
} Plan;

/* The plan of a request that starts now. An error where the options ask for what can't be done. */
int plan_make(const Conn *conn, const Request *request, Plan *plan, Err *err);

/* What the question's kind did to the lookup by meaning, as JSON: {"skipped":"now","word":…} or {"within":"user","word":…}
** ("all" where no user was named: then anybody may get the answer); "" where it did nothing. */
enum { PLAN_NOTE = VOLATILE_WORD + 48 };
void plan_semantic(const Plan *plan, const Request *request, char out[PLAN_NOTE]);

#endif
