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

/* Where of the first wave more was refused than that, what was answered says little of the limit: the rate is sought, and doubles in a round
** trip, or in these seconds, until the next refusal. */
#define MOST_REFUSED 0.5
#define LEAST_DOUBLING 0.25

/* How much of the largest company that went well is believed in after a refusal in less. */
#define PROVEN_STILL 0.8

/* What an overloaded server may refuse. */
#define SOME_REFUSED 0.25

/* Of what was answered: a series of slow-downs that has led below that is to pay, and so far goes the one that is put to trial. */
#define CLEARLY_LESS 0.7

/* Where fewer were refused since a series began, it has ended: the next refusal is another's. */
#define CALM_SHARE 0.01

/* Who refuses more than that, whatever the pace, is as good as not there: that is nothing to get used to. */
#define MOST_USUAL 0.8

/* The share of the newest in the mean latency. */
#define NEWEST 0.1

/* The least rate: a request in as long as the longest wait of our own. */
#define LEAST_RATE (1e3 / LIMIT_BACKOFF_MS)

/* After a time in which all was refused the rate begins at no less than this share of what it was, so that it is soon there again. */
#define LEAST_START (1.0 / 16)

enum {
  /* A timer's lateness, which is caught up with: at most so long. */
  LATE_MS = 50,
  FIRST_WAIT_MS = 125, /* when all is refused; each later one is as long as all before it */
  /* A limit by the second ends a shorter wait: after a longer one the rate begins lower. */
  BY_SECOND_MS = 800,
  SERIES_MS = 30000,    /* no series is longer */
  SERIES_SHARE = 128,   /* of so many requests, which then count half */
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
  p->series.began = now - SERIES_MS;
  p->tried_at = now - SERIES_MS;
  for (int i = 0; i < PACE_LIMITS; i++) {
    level_init(&p->levels[i]);
  }
}

long long pace_under_way(const Pace *p) {
  return p->sent - p->ended;
}

/* It doubles, until the second refusal. */
static int is_sought(const Pace *p) {
  return p->steepness <= 0;
}

/* Seconds until it is as fast again as it was at the refusal. */
static double until_best(const Pace *p) {
  return cbrt((1 - p->from) / p->steepness) - p->age;
}

double pace_rate(const Pace *p) {
  double t = is_sought(p) ? 0 : -until_best(p);
  double doubling = fmax(p->latency_ms / 1e3, LEAST_DOUBLING);
  double rate =
      p->best * (is_sought(p) ? p->from * exp2(p->age / doubling) : 1 + p->steepness * t * t * t);
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

/* Answers a second. Where one at a time tried meanwhile that says little. */
static double measure_rate(Pace *p, long long now) {
  double ms;
  PaceSlice lately = measure(p, now, &ms);
  int is_little = (double)(now - p->tried_at) < ms;
  return fmax(lately.answered * 1e3 / ms, is_little ? pace_rate(p) / 2 : 0);
}

static TrialShare measure_share(Pace *p, long long now) {
  double ms;
  PaceSlice lately = measure(p, now, &ms);
  return (TrialShare){lately.refused, lately.refused + lately.answered};
}

/* An overloaded server refuses some of all, whatever our pace: it is slowed down for when those are many. */
static int is_for_pace(Pace *p, const PaceAnswer *a, long long now) {
  TrialShare lately = measure_share(p, now);
  double some = lately.all * SOME_REFUSED;
  return !a->is_overloaded || lately.refused > some + 2 * sqrt(some);
}

/* One at a time tries. */
static void wait_longer(Pace *p, long long now) {
  p->stopped_at = p->wait_ms > 0 ? p->stopped_at : now;
  long long stood = now - p->stopped_at;
  long long ms = stood > FIRST_WAIT_MS ? stood : FIRST_WAIT_MS;
  p->wait_ms = ms < LIMIT_BACKOFF_MS ? ms : LIMIT_BACKOFF_MS;
  p->try_at = now + p->wait_ms;
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
  int is_as_before = fabs(answered - p->best) <= ABOUT * p->best && !is_sought(p);
  TrialShare lately = measure_share(p, now);
  int is_first = p->best <= 0;
  p->ceiling = is_first ? HUGE_VAL : STEP_BACK * pace_rate(p);
  p->steepness = is_as_before ? fmax(p->steepness * FLATTER, FLATTEST) : STEEPEST;
  p->steepness = fmin(p->steepness, steepest(p));
  p->steepness = is_first && trial_share(&lately) > MOST_REFUSED ? 0 : p->steepness;
  restart_rate(p, answered, STEP_BACK, now);
}

/* As many were under way when it left, itself included. */
static double company(const PaceMark *m) {
  return (double)(m->number - m->ended);
}

static void narrow_window(Pace *p, const PaceMark *m) {
  double refused_at = company(m);
  if (refused_at >= floor(p->window)) { /* growing it led here */
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

/* ---- whether slowing down pays */

static void begin_series(Pace *p, double answered, long long now) {
  p->series = (PaceSeries){
      .before = {p->best, p->steepness, pace_rate(p), p->window, p->patience, p->proven},
      .began = now,
      .from = p->sent,
      .answered = answered};
}

static int is_new_series(const Pace *p, long long now) {
  const PaceSeries *s = &p->series;
  double rate = pace_rate(p);
  int is_fast = p->best <= 0 || (s->before.rate > 0 && rate >= s->before.rate);
  return is_fast || now - s->began >= SERIES_MS || trial_share(&s->share) < CALM_SHARE;
}

/* What is usual is to be tried anew: it is too old, or exceeded. That was by a limit, and of what reaches it some is refused before. */
static void begin_again(Pace *p, double answered, long long now) {
  PaceSpeed *before = &p->series.before;
  double usual = fmin(trial_share(&p->usual.share), MOST_USUAL);
  begin_series(p, answered, now);
  if (p->usual.is_exceeded && answered > 0) {
    before->best = before->rate = answered / (1 - usual);
  }
  trial_begin(&p->trial, usual, p->sent);
}

/* Each slow-down, before it. 1: it is put to trial. */
static int begin_trial(Pace *p, double answered, long long now) {
  PaceSeries *s = &p->series;
  if (p->usual.share.all > 0) {
    begin_again(p, answered, now);
    return 1;
  }
  if (is_new_series(p, now)) {
    begin_series(p, answered, now);
  }
  s->answered = fmax(s->answered, answered);
  int is_far = p->best > 0 && pace_rate(p) <= CLEARLY_LESS * s->answered;
  if (is_far) {
    trial_begin(&p->trial, trial_share(&s->share), p->sent);
  }
  return is_far;
}

/* As before the series. */
static void speed_up(Pace *p, long long now) {
  const PaceSpeed *before = &p->series.before;
  p->window = before->window;
  p->patience = before->patience;
  p->proven = before->proven;
  p->best = before->best;
  p->steepness = before->steepness;
  p->trouble = PACE_CALM;
  p->try_at = p->wait_ms = 0;
  p->event = p->sent;
  if (p->best > 0) {
    lower_rate(p, before->rate, now);
  }
}

static void end_trial(Pace *p, long long now) {
  Trial *t = &p->trial;
  if (t->state == TRIAL_PAYS) { /* the limit is found */
    usual_forget(&p->usual);
    p->series.answered = measure_rate(p, now);
    p->series.share = (TrialShare){0};
    p->series.from = p->sent;
  } else if (trial_share(&t->whole) <= MOST_USUAL) {
    usual_learn(&p->usual, t, pace_rate(p), p->sent, now);
    speed_up(p, now);
  }
  t->state = TRIAL_NONE;
}

/* Counts it for whatever share it belongs to. */
static void count_end(Pace *p, const PaceAnswer *a, long long now) {
  TrialEnd end = {a->mark.number, p->sent, a->is_refused, a->is_lost};
  TrialShare *series = &p->series.share;
  if (!a->is_lost) {
    PaceSlice *slice = slice_at(p, now);
    slice->answered += !a->is_refused;
    slice->refused += a->is_refused;
  }
  if (!a->is_lost && a->mark.number > p->series.from) {
    double worth = series->all < SERIES_SHARE ? 1 : 0.5;
    series->refused = worth * series->refused + a->is_refused;
    series->all = worth * series->all + 1;
  }
  if (usual_covers(&p->usual, now)) {
    usual_ended(&p->usual, &end, pace_under_way(p), now);
  }
  trial_ended(&p->trial, &end);
}

/* ---- answers */

/* The first refusal of requests that left after the last event. */
static void note_event(Pace *p, const PaceAnswer *a, int is_told, long long now) {
  int is_tried = p->trial.state != TRIAL_NONE;
  int is_to_slow_down = !is_told && !is_tried && is_for_pace(p, a, now);
  double answered = measure_rate(p, now);
  TrialShare lately = measure_share(p, now);
  p->event = p->sent;
  p->trouble = PACE_SOME_REFUSED;
  p->share = trial_share(&lately);
  p->refused = 0;
  int is_on_trial = is_to_slow_down && begin_trial(p, answered, now);
  if (!is_told && !is_tried && (is_to_slow_down || company(&a->mark) > p->proven)) {
    narrow_window(p, &a->mark);
  }
  if (is_to_slow_down && answered > 0) {
    lower_rate(p, fmax(answered, LEAST_RATE), now);
    p->from = is_on_trial ? CLEARLY_LESS : p->from;
  }
  if (answered <= 0) {
    wait_longer(p, now);
  }
}

/* Another, before any answer to one that left after it. */
static void note_more(Pace *p, const PaceAnswer *a, int is_told, long long now) {
  double answered = measure_rate(p, now);
  TrialShare since = {(double)++p->refused, (double)(p->sent - p->event)};
  if (p->best <= 0 && answered > 0 && !is_told && is_for_pace(p, a, now)) { /* it was not known */
    lower_rate(p, fmax(answered, LEAST_RATE), now);
  }
  if (p->wait_ms > 0 || trial_is_more(&since, p->share)) {
    p->event = p->sent;
    p->trouble = PACE_ALL_REFUSED;
    p->refused = 0;
    wait_longer(p, now);
  }
}

static void note_refusal(Pace *p, const PaceAnswer *a, int is_told, long long now) {
  if (usual_covers(&p->usual, now)) {
    return;
  }
  if (a->retry_after_ms >= 0) { /* each of a wave may name a later time */
    long long ms = a->retry_after_ms < PACE_LONGEST_MS ? a->retry_after_ms : PACE_LONGEST_MS;
    p->pause_until = now + ms > p->pause_until ? now + ms : p->pause_until;
  }
  if (a->mark.number > p->event && p->trouble == PACE_CALM) {
    note_event(p, a, is_told, now);
  } else if (a->mark.number > p->event) {
    note_more(p, a, is_told, now);
  }
}

/* It was overtaken by the refusals. */
static void note_overtaken(Pace *p, long long now) {
  double answered = measure_rate(p, now);
  p->best = p->best > 0 ? fmax(p->best, fmin(answered, p->ceiling)) : 0;
  p->series.answered = fmax(p->series.answered, answered);
  if (p->trouble != PACE_ALL_REFUSED) { /* it seemed so, as nothing had been answered */
    p->wait_ms = 0;
  }
}

static void note_success(Pace *p, const PaceAnswer *a, long long now) {
  double latency_ms = (double)(now - a->mark.at);
  p->latency_ms += (latency_ms - p->latency_ms) * (p->latency_ms > 0 ? NEWEST : 1);
  widen_window(p, &a->mark);
  if (a->mark.number <= p->event) {
    note_overtaken(p, now);
    return;
  }
  if (p->wait_ms > BY_SECOND_MS && p->best > 0) {
    double part = (double)BY_SECOND_MS / (double)p->wait_ms;
    restart_rate(p, p->best, fmax(STEP_BACK * part, LEAST_START), now);
  }
  if (p->trouble != PACE_CALM) {
    p->tried_at = p->wait_ms > 0 ? now : p->tried_at;
    p->trouble = PACE_CALM;
    p->try_at = p->wait_ms = 0;
  }
}

/* Nothing is left for longer than is waited: then one request tries. */
static void try_late(Pace *p, long long now) {
  p->event = p->sent;
  p->trouble = PACE_ALL_REFUSED;
  p->refused = 0;
  p->stopped_at = p->wait_ms > 0 ? p->stopped_at : now;
  p->wait_ms = p->wait_ms > 0 ? p->wait_ms : FIRST_WAIT_MS;
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
  count_end(p, a, now);
  if (a->is_refused) {
    note_refusal(p, a, is_told, now);
  } else if (!a->is_lost) {
    note_success(p, a, now);
  }
  if (p->trial.state >= TRIAL_PAYS) {
    end_trial(p, now);
  }
}

/* The rate grows as far as it is used: who sends a tenth of it learns nothing of the rest. Not on trial, which is for one speed. */
static void grow_rate(Pace *p, long long now) {
  double used_ms = fmin((double)(now - p->left_at), 2 * interval_ms(p));
  p->age += p->trial.state == TRIAL_NONE ? used_ms / 1e3 : 0;
  p->left_at = now;
}

PaceMark pace_sent(Pace *p, long long tokens, long long now) {
  tokens = tokens > 0 ? tokens : 0;
  grow_rate(p, now);
  p->next_at = fmax(p->next_at, (double)(now - LATE_MS)) + interval_ms(p);
  if (p->wait_ms > 0) {
    p->try_at = now + p->wait_ms;
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
