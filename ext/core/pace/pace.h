/*
** How fast requests may leave for one provider, address and model: how many may be under way, and when the next may leave.
**
** Three things hold a request back. What the provider's answers say is left (level.h), of requests and of tokens. A pause: it said when
** to come again, or refuses all. And a rate and a window that are found by trying, as most limits are not said: until the first
** refusal there are none but the user's own number.
**
** The rate, in requests a second. At a refusal it becomes a little less than what was really answered in the last seconds, and then grows
** along a cube (Ha, Rhee, Xu: CUBIC, 2008; RFC 9438): fast at first, flat where the last refusal was, then ever faster, so that a limit is neither
** run into often nor missed for long when it has grown. Where most of the first wave was refused, little is known: then the rate
** doubles in a round trip until it is refused again. It grows only as far as it is used. The window, in requests under way, serves
** providers who limit those: at a refusal it becomes what is still under way, and grows by one per answer, or ever more answers where growing it by
** one led to a refusal.
**
** One wave is one event: of the requests that had left when a refusal arrived, no other refusal counts. When, of those that leave after that,
** more are refused than chance explains, one request at a time tries, after waits that double up to LIMIT_BACKOFF_MS. After no more than about a
** second of that, as a limit by the second needs, the rate is what it was.
**
** Slowing down has to pay. A limit answers what is sent a little below it, so it can't lead far below what it has answered. A gateway that
** refuses every other request, or each once, can: only half of what is sent is answered, then half of that, down to nothing. So when a series of
** slow-downs has led clearly below what was answered in it, the next one is put to trial (trial.h). If it is in vain, speed is what it was before
** the series, and such a share of refusals is usual (usual.h) and means nothing for a while. What goes beyond it is a limit, which is met at that speed.
** This can't be told before a limit by the second could have been: it takes some seconds, or some round trips. A refusal that says when
** to come again holds back all the others only until it is known to be usual: then it is for its own request alone.
**
** Pure: without a clock; `now` is in monotonic milliseconds and never less than before.
*/
#ifndef LLMCOST_PACE_H
#define LLMCOST_PACE_H

#include "core/pace/level.h"
#include "core/pace/trial.h"
#include "core/pace/usual.h"

enum {
  PACE_LIMIT_REQUESTS = 0,
  PACE_LIMIT_TOKENS,
  PACE_LIMITS,
  /* The answers of the last seconds are counted in slices. */
  PACE_SLICES = 64,
  PACE_SLICE_MS = 125
};

typedef enum PaceWhy {
  PACE_FREE,
  PACE_CONCURRENCY, /* as many as may are under way: until one ends */
  PACE_REQUESTS,    /* the rate, or what is left of the provider's limit of requests */
  PACE_TOKENS, /* what is left of its limit of tokens; a request beyond all of it: also until nothing else is under way */
  PACE_PAUSE   /* the provider asked for it, or refuses all */
} PaceWhy;

/* What a request that left keeps for its answer. */
typedef struct PaceMark {
  long long at, tokens;
  long long number, sent_tokens; /* of all that left so far, itself included */
  long long ended, ended_tokens; /* of those, what had ended then */
  int is_blind;                  /* no limit was known */
} PaceMark;

typedef struct PaceAnswer {
  PaceMark mark;
  int is_refused;           /* too much, come again: 429; and overloaded, 503, 529 */
  int is_overloaded;        /* of these the latter: it may refuse whoever comes */
  int is_lost;              /* there is no answer, or it says nothing of the pace */
  long long retry_after_ms; /* -1: it does not say */
  long long tokens;         /* that were counted, as far as known; -1: as estimated */
  PaceLimit limits[PACE_LIMITS];
} PaceAnswer;

typedef struct PaceSlice {
  int answered, refused;
} PaceSlice;

/* What a slow-down changes. */
typedef struct PaceSpeed {
  double best, steepness, rate; /* rate: what it was, a second */
  double window, patience, proven;
} PaceSpeed;

/* Slow-downs without calm between them: what the first of them changed, and what followed. */
typedef struct PaceSeries {
  PaceSpeed before;
  long long began;
  long long from;   /* requests that had left then */
  TrialShare share; /* of those that left later: of the last hundred or so */
  double answered;  /* the most, a second */
} PaceSeries;

typedef enum PaceTrouble { PACE_CALM, PACE_SOME_REFUSED, PACE_ALL_REFUSED } PaceTrouble;

typedef struct Pace {
  int most;
  /* The rate, a second, is best × (1 + share of it that is missing or gained at `age`); best 0: there is none. */
  double best, from; /* from: where it began to grow, as a share of best */
  double age;        /* seconds of growth */
  double steepness;  /* 0: best × from, doubling at `age` */
  double ceiling;    /* no answer that was overtaken by a refusal raises `best` beyond it */
  double latency_ms;
  double next_at;           /* when the rate lets the next leave */
  long long began, left_at; /* left_at: when the last left */
  double window, patience;  /* patience: answers until the window grows by one */
  double proven,
      refused_at; /* the most that were under way when one left that was answered; when the last left that was refused */
  PaceTrouble trouble; /* since the last answer to a request that left after the event */
  long long event;     /* requests that had left at the last refusal that counted */
  double share;        /* that was refused just before */
  long long refused;   /* of those that left since */
  long long pause_until, try_at;
  long long wait_ms;    /* between requests that try one at a time; 0: they don't */
  long long stopped_at; /* when they began */
  long long tried_at;   /* when one of them was answered */
  PaceSeries series;
  Trial trial;
  Usual usual;
  long long sent, sent_tokens, ended, ended_tokens;
  long long slice; /* number of the newest slice */
  PaceSlice slices[PACE_SLICES];
  Level levels[PACE_LIMITS];
} Pace;

void pace_init(Pace *p, int most, long long now);

/* Another user allows more at once: what nothing but the number of before held back may grow at once. */
void pace_allow(Pace *p, int most);

/* Milliseconds until a request of so many tokens (estimated, as the provider counts them) may leave, at most PACE_LONGEST_MS; 0: now. `why` may be
** NULL. Where it waits for others to end it is the longest time: to be asked again at each end. A request that is larger than the limit leaves
** when nothing else is under way, so who lets others pass it lets it wait for all of them. */
long long pace_wait(const Pace *p, long long tokens, long long now, PaceWhy *why);

/* It leaves. The mark belongs into its answer; each that left must end by pace_answered, whatever became of it. */
PaceMark pace_sent(Pace *p, long long tokens, long long now);
void pace_answered(Pace *p, const PaceAnswer *answer, long long now);

/* Requests a second; 0: no limit has been met. And how many are under way. */
double pace_rate(const Pace *p);
long long pace_under_way(const Pace *p);

#endif
