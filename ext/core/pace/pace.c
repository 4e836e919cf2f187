/*
** The pace of requests. See pace.h for the contract.
*/
#include "core/pace/pace.h"

#include <math.h>
#include <string.h>

/* Of what was answered: a little less than all. */
#define STEP_BACK 0.95

/* The steepness of the cube. At first: from STEP_BACK back to the rate of the refusal in a second, to twice that in three more. Each
** refusal at about the same rate doubles these times, to ten seconds and twenty-seven. */
#define STEEPEST 5e-2
#define FLATTEST 5e-5
#define FLATTER (1.0 / 8)
#define ABOUT 0.2
#define ROUND_TRIPS 2

/* How much of the largest company that went well is believed in after a refusal in less. */
#define PROVEN_STILL 0.8

/* What an overloaded server may refuse. */
#define SOME_REFUSED 0.25

/* The share of the newest in the mean latency. */
#define NEWEST 0.1

/* The least rate: a request in as long as the longest wait of our own. */
#define LEAST_RATE (1e3 / LIMIT_BACKOFF_MS)

/* After a time in which all was refused the rate begins at no less than this share of what it was, so that it is soon there again. */
#define LEAST_START (1.0 / 16)

enum {
  /* A timer's lateness, which is caught up with: at most so long. */
  LATE_MS = 50,
  FIRST_WAIT_MS = 250,  /* when all is refused; it doubles */
  MEASURE_ANSWERS = 10, /* to tell a rate by, beside a second and some round trips */
  /* A window that is known to be right is tried at every so many answers: 1 refusal in 64. */
  MOST_PATIENCE = 64
};

void pace_init(Pace *p, int most, long long now) {
  memset(p, 0, sizeof *p);
  p->most = most > 0 ? most : 1;
  p->window = p->most;
  p->patience = 1;
  p->steepness = STEEPEST;
  p->next_at = (double)now;
  p->began = p->left_at = now;
  p->slice = now / PACE_SLICE_MS;
  for (int i = 0; i < PACE_LIMITS; i++) {
    level_init(&p->levels[i]);
  }
}

long long pace_under_way(const Pace *p) {
  return p->sent - p->ended;
}

/* Seconds until it is as fast again as it was at the refusal. */
static double until_best(const Pace *p) {
  return cbrt((1 - p->from) / p->steepness) - p->age;
}

double pace_rate(const Pace *p) {
  double t = -until_best(p);
  double rate = p->best * (1 + p->steepness * t * t * t);
  return p->best > 0 ? fmax(rate, LEAST_RATE) : 0;
}

static double interval_ms(const Pace *p) {
  double rate = pace_rate(p);
  return rate > 0 ? 1e3 / rate : 0;
}

/* The slice of now. */
static PaceSlice *slice_at(Pace *p, long long now) {
  long long slice = now / PACE_SLICE_MS;
  for (long long i = p->slice + 1; i <= slice && i <= p->slice + PACE_SLICES; i++) {
    p->slices[i % PACE_SLICES] = (PaceSlice){0};
  }
  p->slice = slice > p->slice ? slice : p->slice;
  return &p->slices[p->slice % PACE_SLICES];
}

/* What was answered and refused lately: as long as tells a rate. `ms`: how long that is. */
static PaceSlice measure(Pace *p, long long now, double *ms) {
  PaceSlice all = {0};
  int n = 0, least = (int)fmax(1e3, ROUND_TRIPS * p->latency_ms) / PACE_SLICE_MS;
  slice_at(p, now);
  for (; n < PACE_SLICES && (n <= least || all.answered < MEASURE_ANSWERS); n++) {
    const PaceSlice *slice = &p->slices[(p->slice + PACE_SLICES - n) % PACE_SLICES];
    all.answered += slice->answered;
    all.refused += slice->refused;
  }
  long long since = (p->slice - n + 1) * PACE_SLICE_MS;
  *ms = fmax((double)(now - (since > p->began ? since : p->began)), 1e3);
  return all;
}

/* Answers a second. */
static double measure_rate(Pace *p, long long now) {
  double ms;
  PaceSlice lately = measure(p, now, &ms);
  return lately.answered * 1e3 / ms;
}

/* An overloaded server refuses some of all, whatever our pace: it is slowed down for when those are many. */
static int is_for_pace(Pace *p, const PaceAnswer *a, long long now) {
  double ms;
  PaceSlice lately = measure(p, now, &ms);
  double some = (lately.answered + lately.refused) * SOME_REFUSED;
  return !a->is_overloaded || lately.refused > some + 2 * sqrt(some);
}

static long long own_wait_ms(int trouble) {
  long long ms = FIRST_WAIT_MS;
  for (int i = 2; i < trouble && ms < LIMIT_BACKOFF_MS; i++) {
    ms *= 2;
  }
  return ms < LIMIT_BACKOFF_MS ? ms : LIMIT_BACKOFF_MS;
}

static void restart_rate(Pace *p, double best, double from, long long now) {
  p->best = best;
  p->from = from;
  p->age = 0;
  p->next_at = fmax(p->next_at, (double)now + interval_ms(p));
}

/* What a rate leads to is seen a round trip later. */
static double steepest(const Pace *p) {
  double seconds = fmax(p->latency_ms * ROUND_TRIPS / 1e3, 1);
  return STEEPEST / (seconds * seconds * seconds);
}

static void lower_rate(Pace *p, double answered, long long now) {
  int is_as_before = fabs(answered - p->best) <= ABOUT * p->best;
  p->steepness = is_as_before ? fmax(p->steepness * FLATTER, FLATTEST) : STEEPEST;
  p->steepness = fmin(p->steepness, steepest(p));
  restart_rate(p, answered, STEP_BACK, now);
}

/* As many were under way when it left, itself included. */
static double company(const PaceMark *m) {
  return (double)(m->number - m->ended);
}

static void narrow_window(Pace *p, const PaceMark *m) {
  double refused_at = company(m);
  if (p->trouble == 1 && refused_at >= floor(p->window)) { /* growing it led here */
    p->patience = fmin(p->patience * 2, MOST_PATIENCE);
  }
  if (refused_at <= p->proven) { /* what went well then does not now */
    p->proven = fmax(refused_at - 1, p->proven * PROVEN_STILL);
  }
  p->refused_at = refused_at;
  p->window = fmin(p->window, fmax(fmax(refused_at - 1, p->proven), 1));
}

static void widen_window(Pace *p, const PaceMark *m) {
  p->proven = fmax(p->proven, company(m));
  p->patience = company(m) >= p->refused_at ? 1 : p->patience; /* it was not for the company */
  p->window = fmin(p->window + 1 / p->patience, p->most);
}

static void note_refusal(Pace *p, const PaceAnswer *a, int is_told, long long now) {
  slice_at(p, now)->refused++;
  if (a->retry_after_ms >= 0) { /* each of a wave may name a later time */
    long long ms = a->retry_after_ms < PACE_LONGEST_MS ? a->retry_after_ms : PACE_LONGEST_MS;
    p->pause_until = now + ms > p->pause_until ? now + ms : p->pause_until;
  }
  if (a->mark.number <= p->event) {
    return;
  }
  double answered = measure_rate(p, now);
  int is_to_slow_down = !is_told && is_for_pace(p, a, now);
  p->event = p->sent;
  p->trouble++;
  if (!is_told && (is_to_slow_down || company(&a->mark) > p->proven)) {
    narrow_window(p, &a->mark);
  }
  if (is_to_slow_down && p->trouble == 1 && answered > 0) {
    lower_rate(p, fmax(answered, LEAST_RATE), now);
  }
  if (p->trouble > 1 || answered <= 0) {
    p->try_at = now + own_wait_ms(p->trouble);
  }
}

static void note_success(Pace *p, const PaceAnswer *a, long long now) {
  slice_at(p, now)->answered++;
  double latency_ms = (double)(now - a->mark.at);
  p->latency_ms += (latency_ms - p->latency_ms) * (p->latency_ms > 0 ? NEWEST : 1);
  widen_window(p, &a->mark);
  if (a->mark.number <= p->event && p->best > 0) { /* what the refusals overtook */
    p->best = fmax(p->best, measure_rate(p, now));
  }
  if (a->mark.number <= p->event || p->trouble == 0) {
    return;
  }
  if (p->trouble > 2 && p->best > 0) {
    restart_rate(p, p->best, fmax(STEP_BACK * pow(2, 2 - p->trouble), LEAST_START), now);
  }
  p->trouble = 0;
  p->try_at = 0;
}

/* Nothing is left for longer than is waited: then one request tries. */
static void try_late(Pace *p, long long now) {
  p->event = p->sent;
  p->trouble = p->trouble > 2 ? p->trouble : 2;
  p->try_at = now + PACE_LONGEST_MS;
}

/* What the answer says of limits. 1: it was refused for one of them that was not known when it left, and until when is known now. */
static int learn_levels(Pace *p, const PaceAnswer *a, long long now) {
  const PaceMark *m = &a->mark;
  const double unaccounted[PACE_LIMITS] = {(double)(p->sent - m->ended - 1),
                                           (double)(p->sent_tokens - m->ended_tokens - m->tokens)};
  int is_told = 0;
  for (int i = 0; i < PACE_LIMITS; i++) {
    const PaceLimit *said = &a->limits[i];
    long long needs = i == PACE_LIMIT_TOKENS ? m->tokens : 1;
    level_learn(&p->levels[i], said, unaccounted[i], now);
    if (a->is_refused && said->limit != 0 && said->remaining >= 0 && said->remaining < needs) {
      level_distrust(&p->levels[i], now);
      is_told |= m->is_blind && said->reset_ms > 0;
    }
    if (said->remaining >= 0 && said->remaining < needs && said->reset_ms > PACE_LONGEST_MS) {
      try_late(p, now);
    }
  }
  return is_told;
}

void pace_answered(Pace *p, const PaceAnswer *a, long long now) {
  const PaceMark *m = &a->mark;
  long long counted = a->is_refused ? 0 : a->tokens < 0 ? m->tokens : a->tokens;
  level_take(&p->levels[PACE_LIMIT_TOKENS], (double)(counted - m->tokens), now);
  int is_told = learn_levels(p, a, now);
  p->ended++;
  p->ended_tokens += m->tokens;
  if (a->is_refused) {
    note_refusal(p, a, is_told, now);
  } else if (!a->is_lost) {
    note_success(p, a, now);
  }
}

/* The rate grows as far as it is used: who sends a tenth of it learns nothing of the rest. */
static void grow_rate(Pace *p, long long now) {
  double used_ms = fmin((double)(now - p->left_at), 2 * interval_ms(p));
  p->age += used_ms / 1e3;
  p->left_at = now;
}

PaceMark pace_sent(Pace *p, long long tokens, long long now) {
  tokens = tokens > 0 ? tokens : 0;
  grow_rate(p, now);
  p->next_at = fmax(p->next_at, (double)(now - LATE_MS)) + interval_ms(p);
  if (p->trouble > 1 || p->try_at > 0) {
    p->try_at = now + own_wait_ms(p->trouble);
  }
  p->sent++;
  p->sent_tokens += tokens;
  int is_blind =
      p->levels[PACE_LIMIT_REQUESTS].limit <= 0 && p->levels[PACE_LIMIT_TOKENS].limit <= 0;
  level_take(&p->levels[PACE_LIMIT_REQUESTS], 1, now);
  level_take(&p->levels[PACE_LIMIT_TOKENS], (double)tokens, now);
  return (PaceMark){now, tokens, p->sent, p->sent_tokens, p->ended, p->ended_tokens, is_blind};
}

static long long answer(PaceWhy *why, PaceWhy reason, long long ms) {
  if (why) {
    *why = ms > 0 ? reason : PACE_FREE;
  }
  return ms < PACE_LONGEST_MS ? ms : PACE_LONGEST_MS;
}

void pace_allow(Pace *p, int most) {
  if (most > p->most) {
    p->window = p->window >= p->most ? most : p->window;
    p->most = most;
  }
}

long long pace_wait(const Pace *p, long long tokens, long long now, PaceWhy *why) {
  long long under_way = pace_under_way(p);
  long long pause = (p->pause_until > p->try_at ? p->pause_until : p->try_at) - now;
  if (pause > 0) {
    return answer(why, PACE_PAUSE, pause);
  }
  if (under_way >= p->most || (double)under_way >= floor(p->window)) {
    return answer(why, PACE_CONCURRENCY, PACE_LONGEST_MS);
  }
  int is_alone = under_way == 0;
  double rate_ms = p->best > 0 ? ceil(p->next_at - (double)now) : 0;
  long long by_rate = rate_ms > 0 ? (long long)fmin(rate_ms, PACE_LONGEST_MS) : 0;
  long long by_requests = level_wait(&p->levels[PACE_LIMIT_REQUESTS], 1, is_alone, now);
  long long by_tokens = level_wait(&p->levels[PACE_LIMIT_TOKENS], (double)tokens, is_alone, now);
  by_requests = by_requests > by_rate ? by_requests : by_rate;
  return by_tokens > by_requests ? answer(why, PACE_TOKENS, by_tokens)
                                 : answer(why, PACE_REQUESTS, by_requests);
}
