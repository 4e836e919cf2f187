/*
** What a run of llm_map shows of itself while it lasts: a bar on a terminal, and a row of the store for llm_progress().
**
** The bar goes to standard error where that is a terminal (setting `progress`: 'auto'), always ('on') or never ('off'): one line that is
** written over, from the second tenth of a second on, and a last one that stays. Nothing depends on either: what can't be written is not.
*/
#ifndef LLMCOST_PROGRESS_H
#define LLMCOST_PROGRESS_H

#include "conn/conn.h"
#include "core/pace/pace.h"
#include "store/runs/runs.h"

#include <limits.h>

/* How far it is. */
typedef struct MapState {
  long long rows, distinct, done, hits, errors, calls, spent_nusd;
} MapState;

typedef struct Progress {
  RunRow row;
  long long started, shown, noted; /* monotonic ms */
  int is_bar;                      /* one stands on the terminal */
} Progress;

#define PROGRESS_UNKNOWN LLONG_MAX

/* What a run waits for, and until when (monotonic ms; PROGRESS_UNKNOWN: until something else ends). */
typedef struct ProgressWait {
  PaceWhy why;
  long long until;
} ProgressWait;

void progress_start(Progress *p);

/* Shows and notes how far it is, if it is time to. */
void progress_look(Progress *p, Conn *conn, const MapState *state, ProgressWait wait);

/* The same whether it is time or not, with the state that is over: "done", "stopped", "failed", or "resting". */
void progress_end(Progress *p, Conn *conn, const MapState *state, const char *word);

#endif
