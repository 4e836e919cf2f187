/*
** Questions of this process that are on their way, where the store lies in the caller's database (mode_main) and no intent says so:
** of several connections that ask the same of one database one asks, the others wait, and have its answer from here. (What
** the first one writes they may see only when its caller commits.)
**
** An answer stays for some seconds, of the newest some hundred, for those who can't see it in the database: whose statement, or
** transaction, began before it came, and everybody while the transaction that wrote it may not have ended. Whoever comes later
** looks there; where it is not (somebody deleted it), it is asked again.
**
** Threading: the list is locked; connections of all threads share it.
*/
#ifndef LLMCOST_FLIGHT_H
#define LLMCOST_FLIGHT_H

#include "store/answers/answer.h"

typedef enum FlightState {
  FLIGHT_NONE,    /* nobody asks it */
  FLIGHT_ASKED,   /* another connection does */
  FLIGHT_ANSWERED /* its answer is here */
} FlightState;

/* Who asks, of which database (its path), what; times in Unix ms. */
typedef struct FlightAsk {
  const void *owner;
  const char *file;
  const Hash *key;
  long long now;
  long long since; /* it sees the database as it was then; 0: nobody knows */
  int is_alone;    /* no transaction of the owner's is open: what it wrote before can be seen */
} FlightAsk;

/* Who else has that question on its way. With FLIGHT_NONE it is the owner's from now on, until flight_land or flight_drop; without
** memory it is nobody's. With FLIGHT_ANSWERED *answer is a copy in one block (free). */
FlightState flight_claim(const FlightAsk *ask, Answer **answer);

/* What the owner asked is answered: by `answer` (copied), or, NULL, by nothing that others may have. Nothing where it is not its own. */
void flight_land(const FlightAsk *ask, const Answer *answer);

/* Everything of this owner is over; what was answered stays. */
void flight_drop(const void *owner);

/* Answers of that database are given up: they are not to be served any more. */
void flight_forget(const char *file);

/* A copy of an answer with its texts behind, in one block (free); `question` and `next` NULL. NULL without memory. */
Answer *answer_copy(const Answer *from);

/* After a fork, in the child: nothing of the parent's is under way here. */
void flight_leave(void);

#endif
