/*
** Lanes: what is known of each model's limits at its seller, and who is to be sent next.
*/
#ifndef LLMCOST_LANES_H
#define LLMCOST_LANES_H

#include "conn/conn.h"
#include "core/pace/pace.h"

/* Models of one connection whose limits are remembered; of more, the one that rested longest is forgotten. */
enum { LANES_MOST = 64 };

typedef struct Lane {
  Hash name;
  Pace pace;
  int is_blocked; /* in this round: who asked first waits */
  long long used; /* monotonic ms */
} Lane;

typedef struct Lanes {
  Lane *list; /* owned; LANES_MOST */
  int n;
} Lanes;

/* The lane of a turn; `most`: of who asks. NULL and *err without memory. */
Lane *lanes_find(Lanes *lanes, const ConnTurn *turn, int most, long long now, Err *err);

/* A new round: nobody is blocked. */
void lanes_unblock(Lanes *lanes);

/* A request takes its place in it; it is to be left whatever comes of it. */
PaceMark lane_enter(Lane *lane, long long tokens, long long now);

/* With what its answer says; NULL: nothing was sent. */
void lane_leave(Lane *lane, const PaceMark *mark, const NetResponse *response, long long now);

void lanes_free(Lanes *lanes);

#endif
