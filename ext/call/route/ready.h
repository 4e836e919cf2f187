/*
** Whether a model can be asked just now, and where a request goes that can't have its own.
**
** A provider that is paused (store/health) is waited for, within the call's time, or left for another tier; it is not asked.
** A call never moves to a dearer tier than the one that was drawn, unless llm_config('fallback', 'up') allows it, or it
** climbs anyhow (escalate). What another tier answers in its stead is a stopgap: it is kept under that model's own name.
*/
#ifndef LLMCOST_READY_H
#define LLMCOST_READY_H

#include "call/state/state.h"

/* Waits for the call's model, or moves the call, until it may be sent. Behind a pause it may be the one that tries: its
** place is given back by ready_note. An error (ERR_PAUSED) where nobody can be asked in time. */
int ready_wait(Call *k, Err *err);

/* "paused until 2026-11-28 14:05:09 UTC (why)", or "": of a model and its account. RC_OK or *err. */
int ready_tell_pause(Store *s, const Model *model, char *out, size_t size, Err *err);

/* What came of an attempt: `pause_ms` the provider's wish (-1: none), is_account: of all its models. */
typedef struct Trouble {
  int is_trouble; /* the provider can't, just now; else it answered */
  int is_account;
  long long pause_ms;
  const char *reason;
} Trouble;
void ready_note(Call *k, const Trouble *t);

/* Gives the place back where nothing was sent after all. */
void ready_release(Call *k);

/* Which tiers a call may move to: those that are not dearer than the one that was drawn, below first; any, above first;
** only those above the one it is at. */
typedef enum MoveTo { MOVE_DOWN, MOVE_ANY, MOVE_UP } MoveTo;

/* How far this call may go where its own tier can't be had. */
MoveTo ready_reach(const Call *k);

/* Moves the call there from its own tier (route.served), which is put out for that reason: MOVED; where there is none that
** can take it, STAYED; FAILED and *err. The row of the attempt before is to be settled first. */
typedef enum Moved { MOVE_FAILED = -1, STAYED, MOVED } Moved;
Moved ready_move(Call *k, MoveTo to, const char *why, Err *err);

/* The same in an emergency: what comes is a stopgap. */
Moved ready_leave(Call *k, MoveTo to, const char *why, Err *err);

/* The cheapest tier that can take the request, if it is cheaper than the call's own: as a stopgap. */
Moved ready_cheapest(Call *k, Err *err);

#endif
