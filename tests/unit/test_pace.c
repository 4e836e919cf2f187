/*
** The pace of requests, against servers that are simulated: what they let through, what they refuse, and how long anybody waits.
*/
#include "unit.h"

#include "core/pace/pace.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 64, ROWS = 64, PROCESSES = 2, PAST = 1 << 16, MINUTE = 60000, SECONDS = 700 };

typedef enum Model { FIXED_WINDOW, SLIDING_WINDOW, BUCKET, AT_ONCE } Model;

/* A provider that allows `allowed` requests (AT_ONCE: under way; or tokens) in `window_ms`, a bucket as many at once as it holds. */
typedef struct Server {
  Model model;
  double allowed, holds;
  long long window_ms, latency_ms, jitter_ms;
  long long phase_ms;   /* how far the first window has gone */
  long long refusal_ms; /* 0: a refusal takes as long as an answer */
  int tells_retry_after, tells_limits, counts_tokens;
  long long changes_at; /* then it allows: */
  double allowed_then;
  long long fails_at; /* then it refuses so many, whatever they are: */
  int failures;
  double fails;            /* the share that it refuses whatever the pace, as overloaded */
  double refuses;          /* and the share that a gateway before it does, as too much */
  int refuses_first;       /* each row once, that is */
  long long refuses_until; /* 0: always */
  long long names_ms;      /* when such a row may come again; 0: it does not say */
  /* its state */
  double used, level;
  long long window, at, n_past, first, past[PAST], failed_until;
  int under_way;
} Server;

typedef struct Flight {
  PaceAnswer answer;
  long long arrives;
  int is_there, is_admitted;
} Flight;

/* A process, and what it is to do: rows, each of the tokens of its turn, in order; those refused before. step_ms: how often it looks. */
typedef struct Process {
  Pace pace;
  Flight flights[MOST];
  const long long *tokens;
  int n_tokens, step_ms;
  long long rows, begun;
  long long again[ROWS],
      due[ROWS]; /* the tokens of those that were refused, and when they may come again */
  int n_again, n_flights;
} Process;

typedef struct Run {
  Server server;
  Process process[PROCESSES];
  int processes;
  long long answered, sent, refused, late, longest_wait, last_sent;
  long long by_second[SECONDS];
  long long taken[SECONDS], refusals[SECONDS]; /* by the server, in its seconds */
  int was_alone;                               /* the row that is larger than the limit */
  unsigned long long random;
} Run;

static Run run;

static double random_share(void) {
  run.random = run.random * 6364136223846793005ULL + 1442695040888963407ULL;
  return (double)(run.random >> 11) / 9007199254740992.0;
}

static int sliding_admits(Server *s, long long now) {
  while (s->first < s->n_past && s->past[s->first % PAST] <= now - s->window_ms) {
    s->first++;
  }
  if ((double)(s->n_past - s->first) + 1 > s->allowed) {
    return 0;
  }
  s->past[s->n_past++ % PAST] = now;
  return 1;
}

static int bucket_admits(Server *s, double amount, long long now) {
  s->level += s->allowed * (double)(now - s->at) / (double)s->window_ms;
  s->level = fmin(s->level, s->holds);
  s->at = now;
  if (s->level < fmin(amount, s->holds)) {
    return 0;
  }
  s->level -= amount;
  return 1;
}

static int window_admits(Server *s, double amount, long long now) {
  long long window = (now + s->phase_ms) / s->window_ms;
  if (window != s->window) {
    s->window = window;
    s->used = 0;
  }
  int is_admitted = s->used <= 0 || s->used + amount <= s->allowed;
  s->used += is_admitted ? amount : 0;
  return is_admitted;
}

static int admits(Server *s, double amount, long long now) {
  s->allowed = s->changes_at && now >= s->changes_at ? s->allowed_then : s->allowed;
  if (s->failures > 0 && now >= s->fails_at) {
    s->failures--;
    s->failed_until = now;
    return 0;
  }
  return s->model == AT_ONCE          ? s->under_way < (int)s->allowed
         : s->model == SLIDING_WINDOW ? sliding_admits(s, now)
         : s->model == BUCKET         ? bucket_admits(s, amount, now)
                                      : window_admits(s, amount, now);
}

static void tell_limits(const Server *s, PaceAnswer *a, long long now) {
  PaceLimit *l = &a->limits[s->counts_tokens ? PACE_LIMIT_TOKENS : PACE_LIMIT_REQUESTS];
  if (s->model == BUCKET) {
    double ms = (s->holds - s->level) * (double)s->window_ms / s->allowed;
    *l = (PaceLimit){(long long)s->allowed, (long long)fmax(s->level, 0), (long long)ms};
  } else {
    *l = (PaceLimit){(long long)s->allowed, (long long)fmax(s->allowed - s->used, 0),
                     s->window_ms - (now + s->phase_ms) % s->window_ms};
  }
}

/* Until one is there. */
static long long retry_after(const Server *s, long long now) {
  return s->model == BUCKET ? (long long)ceil((1 - s->level) * (double)s->window_ms / s->allowed)
                            : s->window_ms - (now + s->phase_ms) % s->window_ms;
}

static PaceAnswer answer_to(PaceMark mark) {
  return (PaceAnswer){
      .mark = mark, .retry_after_ms = -1, .tokens = -1, .limits = {{-1, -1, -1}, {-1, -1, -1}}};
}

static int is_again(const Process *p, long long now) {
  return p->n_again > 0 && p->due[0] <= now;
}

/* The tokens of the row whose turn it is; 0: there is none. A row that waits to come again keeps its place. */
static long long next_row(const Process *p, long long now) {
  int is_new = p->begun < p->rows && p->n_flights + p->n_again < MOST;
  return is_again(p, now) ? p->again[0] : is_new ? p->tokens[p->begun % p->n_tokens] : 0;
}

static void take_row(Process *p, long long now) {
  p->n_flights++;
  if (is_again(p, now)) {
    p->n_again--;
    memmove(p->again, p->again + 1, (size_t)p->n_again * sizeof p->again[0]);
    memmove(p->due, p->due + 1, (size_t)p->n_again * sizeof p->due[0]);
  } else {
    p->begun++;
  }
}

static void come_again(Process *p, const PaceAnswer *a, long long now) {
  p->due[p->n_again] = now + run.server.names_ms;
  p->again[p->n_again++] = a->mark.tokens;
}

/* Whatever the pace. */
static int gateway_refuses(const Server *s, int again, long long now) {
  if (s->refuses_until > 0 && now >= s->refuses_until) {
    return 0;
  }
  return s->refuses_first ? !again : s->refuses > 0 && random_share() < s->refuses;
}

static void leave(Process *p, Flight *f, long long tokens, long long now) {
  Server *s = &run.server;
  long long jitter = (long long)(random_share() * (double)s->jitter_ms);
  *f = (Flight){.is_there = 1, .answer = answer_to(pace_sent(&p->pace, tokens, now))};
  f->answer.is_overloaded = s->fails > 0 && random_share() < s->fails;
  int is_refused = f->answer.is_overloaded || gateway_refuses(s, is_again(p, now), now);
  f->is_admitted = !is_refused && admits(s, s->counts_tokens ? (double)tokens : 1, now);
  f->answer.is_refused = !f->is_admitted;
  (f->is_admitted ? run.taken : run.refusals)[(now + s->phase_ms) / 1000]++;
  s->under_way += f->is_admitted;
  if (s->tells_limits) {
    tell_limits(s, &f->answer, now);
  }
  if (!f->is_admitted && s->tells_retry_after) {
    f->answer.retry_after_ms = retry_after(s, now);
  }
  if (is_refused && s->names_ms) {
    f->answer.retry_after_ms = s->names_ms;
  }
  f->arrives =
      !f->is_admitted && s->refusal_ms ? now + s->refusal_ms : now + s->latency_ms + jitter;
  take_row(p, now);
  run.sent++;
  run.longest_wait =
      now - run.last_sent > run.longest_wait ? now - run.last_sent : run.longest_wait;
  run.last_sent = now;
}

static void arrive(Process *p, Flight *f, long long now) {
  f->is_there = 0;
  p->n_flights--;
  run.server.under_way -= f->is_admitted;
  pace_answered(&p->pace, &f->answer, now);
  if (f->answer.is_refused) {
    come_again(p, &f->answer, now);
    run.refused++;
    run.late += f->answer.mark.at >= 1000;
  } else {
    run.answered++;
    run.by_second[now / 1000]++;
  }
}

static void step(Process *p, long long now) {
  for (int i = 0; i < MOST; i++) {
    if (p->flights[i].is_there && p->flights[i].arrives <= now) {
      arrive(p, &p->flights[i], now);
    }
  }
  for (int i = 0; i < MOST && next_row(p, now); i++) {
    PaceWhy why;
    long long tokens = next_row(p, now);
    long long wait = p->flights[i].is_there ? -1 : pace_wait(&p->pace, tokens, now, &why);
    if (wait == 0) {
      run.was_alone |= (double)tokens > run.server.allowed && p->pace.sent == p->pace.ended;
      leave(p, &p->flights[i], tokens, now);
    }
    check(wait < 0 || (wait <= PACE_LONGEST_MS && (wait == 0) == (why == PACE_FREE)), "%lld", wait);
    if (wait > 0) {
      break;
    }
  }
}

static void begin(const Server *s, int processes, int step_ms) {
  static const long long hundred[] = {100};
  memset(&run, 0, sizeof run);
  run.server = *s;
  run.server.level = s->holds;
  run.processes = processes;
  for (int i = 0; i < processes; i++) {
    Process *p = &run.process[i];
    pace_init(&p->pace, MOST, 0);
    p->tokens = hundred;
    p->n_tokens = 1;
    p->rows = 1LL << 40;
    p->step_ms = step_ms;
  }
}

/* Until so many ms, or until all is answered. */
static long long go_on(long long now, long long until) {
  for (; now < until && run.answered < run.process[0].rows; now++) {
    for (int i = 0; i < run.processes; i++) {
      if (now % run.process[i].step_ms == 0) {
        step(&run.process[i], now);
      }
    }
  }
  return now;
}

static long long go(long long until) {
  return go_on(0, until);
}

static double mean_of_seconds(int from, int to) {
  double all = 0;
  for (int i = from; i < to; i++) {
    all += (double)run.by_second[i];
  }
  return all / (to - from);
}

typedef struct Used {
  const char *name;
  Server server;
  double least; /* percent of what is allowed in a minute */
  double late;  /* percent that may be refused after the first second */
  int processes, step_ms;
} Used;

/* Means of so many runs: chance decides much of a single one where it refuses. */
static void check_used_often(const Used *cases, size_t n, int seeds) {
  for (size_t i = 0; i < n; i++) {
    const Used *c = &cases[i];
    double used = 0, late = 0;
    for (int seed = 0; seed < seeds; seed++) {
      begin(&c->server, c->processes ? c->processes : 1, c->step_ms ? c->step_ms : 1);
      run.random = (unsigned long long)seed * 0x9E3779B97F4A7C15;
      go(MINUTE);
      used += 100 * (double)run.answered /
              (c->server.allowed * MINUTE / (double)c->server.window_ms) / seeds;
      late += 100 * (double)run.late / (double)run.sent / seeds;
    }
    print_message("%s: %.1f %% used, %lld refused (%.2f %% late), longest wait %lld ms\n", c->name,
                  used, run.refused, late, run.longest_wait);
    check(used >= c->least && late <= c->late, "%s: %.1f %% used, %.2f %% refused", c->name, used,
          late);
  }
}

static void check_used(const Used *cases, size_t n) {
  check_used_often(cases, n, 1);
}

#define A_SECOND(n) .allowed = n, .window_ms = 1000

static void test_a_hundred_a_second(void **state) {
  (void)state;
  static const Used cases[] = {
      {"window, 1 ms", {FIXED_WINDOW, A_SECOND(100), .latency_ms = 1}, 90, 2, 0, 0},
      {"window, 200 ms", {FIXED_WINDOW, A_SECOND(100), .latency_ms = 200}, 90, 2, 0, 0},
      {"window, 100 to 500 ms",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 100, .jitter_ms = 400},
       90,
       2,
       0,
       0},
      {"window, quick refusals",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 200, .refusal_ms = 1},
       90,
       2,
       0,
       0},
      {"window, slow refusals",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 20, .refusal_ms = 500},
       90,
       2,
       0,
       0},
      {"window, seen at every 40 ms",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 30},
       90,
       2,
       0,
       40},
      {"window, two processes", {FIXED_WINDOW, A_SECOND(100), .latency_ms = 200}, 90, 2, 2, 0},
      {"sliding, 1 ms", {SLIDING_WINDOW, A_SECOND(100), .latency_ms = 1}, 90, 2, 0, 0},
      {"sliding, 200 ms", {SLIDING_WINDOW, A_SECOND(100), .latency_ms = 200}, 90, 2, 0, 0},
      {"sliding, 1 to 400 ms",
       {SLIDING_WINDOW, A_SECOND(100), .latency_ms = 1, .jitter_ms = 400},
       90,
       2,
       0,
       0},
      {"bucket, 1 ms", {BUCKET, A_SECOND(100), .holds = 100, .latency_ms = 1}, 90, 2, 0, 0},
      {"bucket, 200 ms", {BUCKET, A_SECOND(100), .holds = 100, .latency_ms = 200}, 90, 2, 0, 0},
      {"bucket of ten",
       {BUCKET, A_SECOND(100), .holds = 10, .latency_ms = 1, .jitter_ms = 400},
       90,
       2,
       0,
       0},
      {"bucket of a thousand",
       {BUCKET, A_SECOND(100), .holds = 1000, .latency_ms = 200},
       90,
       2.5,
       0,
       0},
      {"bucket, two processes",
       {BUCKET, A_SECOND(100), .holds = 100, .latency_ms = 200},
       90,
       2,
       2,
       0},
  };
  check_used(cases, COUNT(cases));
}

typedef struct ShortRun {
  double used, late; /* percent */
} ShortRun;

/* Of the server's whole seconds but the first, and after that. */
static ShortRun short_run(const Server *s, int seed) {
  begin(s, 1, 1);
  run.random = (unsigned long long)seed * 0x9E3779B97F4A7C15;
  run.process[0].rows = 1500;
  go(SECONDS * 1000);
  long long last = (run.last_sent + s->phase_ms) / 1000, taken = 0, refused = 0, whole = 0;
  for (long long second = 1; second <= last; second++) {
    whole += second < last ? run.taken[second] : 0;
    taken += run.taken[second];
    refused += run.refusals[second];
  }
  return (ShortRun){(double)whole / (double)(last - 1) * 100 / s->allowed,
                    100 * (double)refused / (double)(taken + refused)};
}

/* 1,500 rows at a hundred a second, from any place in the first half of a window: what finding the rate may cost. */
static void test_a_short_run(void **state) {
  (void)state;
  enum { SEEDS = 20 };
  static const struct {
    const char *name;
    Server server;
  } cases[] = {
      {"window, told all", {FIXED_WINDOW, .tells_limits = 1, .tells_retry_after = 1}},
      {"window, told when", {FIXED_WINDOW, .tells_retry_after = 1}},
      {"window, told nothing", {FIXED_WINDOW}},
      {"bucket, told all", {BUCKET, .holds = 10, .tells_limits = 1, .tells_retry_after = 1}},
      {"bucket, told when", {BUCKET, .holds = 10, .tells_retry_after = 1}},
      {"bucket, told nothing", {BUCKET, .holds = 10}},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    ShortRun worst = {100, 0};
    for (int seed = 0; seed < SEEDS; seed++) {
      Server s = cases[i].server;
      s.allowed = 100;
      s.window_ms = 1000;
      s.latency_ms = 200;
      s.jitter_ms = 5;
      s.refusal_ms = 1;
      s.phase_ms = s.model == BUCKET ? 0 : seed * 500 / SEEDS;
      ShortRun r = short_run(&s, seed);
      worst = (ShortRun){fmin(worst.used, r.used), fmax(worst.late, r.late)};
    }
    print_message("%s: at least %.1f %% used, at most %.2f %% refused\n", cases[i].name, worst.used,
                  worst.late);
    check(worst.used >= 90 && worst.late < 2, "%s: %.1f %%, %.2f %%", cases[i].name, worst.used,
          worst.late);
  }
}

static void test_other_limits(void **state) {
  (void)state;
  static const Used cases[] = {
      {"a thousand a second", {FIXED_WINDOW, A_SECOND(1000), .latency_ms = 50}, 90, 2, 0, 0},
      {"ten a second", {FIXED_WINDOW, A_SECOND(10), .latency_ms = 200}, 90, 2, 0, 0},
      {"one a second", {FIXED_WINDOW, A_SECOND(1), .latency_ms = 200}, 80, 6, 0, 0},
      {"20 a second, of 2 s",
       {FIXED_WINDOW, A_SECOND(20), .latency_ms = 2000, .refusal_ms = 100},
       70,
       4,
       0,
       0},
      {"four at once",
       {AT_ONCE, .allowed = 4, .window_ms = 2000, .latency_ms = 2000, .refusal_ms = 1},
       70,
       12,
       0,
       0},
      {"twenty at once",
       {AT_ONCE, .allowed = 20, .window_ms = 200, .latency_ms = 200, .refusal_ms = 1},
       90,
       2,
       0,
       0},
      {"60 a minute, without a word",
       {FIXED_WINDOW, .allowed = 60, .window_ms = MINUTE, .latency_ms = 200},
       99,
       30,
       0,
       0},
  };
  check_used(cases, COUNT(cases));
}

/* An overloaded server refuses some of all. */
static void test_overloaded(void **state) {
  (void)state;
  static const Used cases[] = {
      {"1 %", {FIXED_WINDOW, A_SECOND(300), .latency_ms = 200, .fails = 0.01}, 95, 2, 0, 0},
      {"5 %", {FIXED_WINDOW, A_SECOND(300), .latency_ms = 200, .fails = 0.05}, 85, 7, 0, 0},
      {"10 %", {FIXED_WINDOW, A_SECOND(300), .latency_ms = 200, .fails = 0.1}, 75, 12, 0, 0},
      {"30 %", {FIXED_WINDOW, A_SECOND(300), .latency_ms = 200, .fails = 0.3}, 60, 35, 0, 0},
  };
  check_used(cases, COUNT(cases));
}

/* Refusals that slowing down does not lessen, 5,000 rows: in at most half as much again as without a pace. Where all of them take less than the
** second of a limit by the second, it takes some seconds to tell the one from the other. */
static void test_whatever_the_pace(void **state) {
  (void)state;
  enum { ALL = 5000, SEEDS = 5, TO_TELL_MS = 8000 };
  static const struct {
    const char *name;
    double share; /* 0: each row once */
    long long latency_ms, refusal_ms, names_ms;
    double most; /* 0: 1.5 */
  } cases[] = {
      {"each once, 1 ms", 0, 1, 0, 0, 0},
      {"each once, 1 ms, to come again in 40 ms", 0, 1, 0, 40, 0},
      {"each once, 200 ms", 0, 200, 0, 0, 0},
      {"each once, 200 ms, to come again in 40 ms", 0, 200, 0, 40, 0},
      {"each once, 200 ms, in 5 ms", 0, 200, 5, 0, 0},
      {"50 %, 1 ms", 0.5, 1, 0, 0, 0},
      {"50 %, 1 ms, to come again in 40 ms", 0.5, 1, 0, 40, 0},
      {"50 %, 200 ms", 0.5, 200, 0, 0, 0},
      {"50 %, 200 ms, to come again in 40 ms", 0.5, 200, 0, 40, 0},
      {"50 %, 200 ms, in 5 ms", 0.5, 200, 5, 0, 0},
      {"30 %, 1 ms", 0.3, 1, 0, 0, 0},
      {"30 %, 1 ms, to come again in 40 ms", 0.3, 1, 0, 40, 0},
      {"30 %, 200 ms", 0.3, 200, 0, 0, 0},
      {"30 %, 200 ms, to come again in 40 ms", 0.3, 200, 0, 40, 0},
      {"30 %, 200 ms, in 5 ms", 0.3, 200, 5, 0, 0},
      {"10 %, 200 ms", 0.1, 200, 0, 0, 3}, /* what is rarer is found later */
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Server s = {FIXED_WINDOW,
                A_SECOND(1e9),
                .latency_ms = cases[i].latency_ms,
                .refusal_ms = cases[i].refusal_ms,
                .names_ms = cases[i].names_ms,
                .refuses = cases[i].share,
                .refuses_first = cases[i].share <= 0};
    double again = s.refuses_first ? 1 : s.refuses / (1 - s.refuses);
    double refusal_ms = (double)(s.refusal_ms ? s.refusal_ms : s.latency_ms);
    double least = ALL * ((double)s.latency_ms + again * (refusal_ms + (double)s.names_ms)) / MOST;
    long long slowest = 0;
    for (unsigned long long seed = 0; seed < SEEDS; seed++) {
      begin(&s, 1, 1);
      run.random = seed * 0x9E3779B97F4A7C15;
      run.process[0].rows = ALL;
      long long ms = go(SECONDS * 1000);
      slowest = ms > slowest ? ms : slowest;
    }
    print_message("%s: %.1f s, %.2f times %.1f s\n", cases[i].name, (double)slowest / 1e3,
                  (double)slowest / least, least / 1e3);
    double most = (cases[i].most > 0 ? cases[i].most : 1.5) * least;
    check((double)slowest <= most + (s.latency_ms < 100 ? TO_TELL_MS : 0), "%s: %lld ms of %.0f",
          cases[i].name, slowest, least);
  }
}

static void test_a_limit_behind_a_gateway(void **state) {
  (void)state;
  static const Used cases[] = {
      {"window, 1 ms",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 1, .refuses = 0.3},
       70,
       45,
       0,
       0},
      {"window, 200 ms",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 200, .refuses = 0.3},
       70,
       45,
       0,
       0},
      {"window, to come again in 40 ms",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 200, .refuses = 0.3, .names_ms = 40},
       70,
       45,
       0,
       0},
      {"sliding, 200 ms",
       {SLIDING_WINDOW, A_SECOND(100), .latency_ms = 200, .refuses = 0.3},
       70,
       45,
       0,
       0},
      {"bucket, 1 ms",
       {BUCKET, A_SECOND(100), .holds = 100, .latency_ms = 1, .refuses = 0.3},
       70,
       45,
       0,
       0},
  };
  check_used_often(cases, COUNT(cases), 8);
}

/* What comes when 30 % have long been usual: all is refused for a while, or there is a limit, with the gateway or instead of it. */
static void test_what_is_not_usual(void **state) {
  (void)state;
  static const struct {
    const char *name;
    Server server;
    double least, refused; /* answered a second, and percent refused, from half a minute later on */
  } cases[] = {
      {"all is refused",
       {FIXED_WINDOW, A_SECOND(1e9), .latency_ms = 200, .refuses = 0.3, .fails_at = 50000,
        .failures = 134},
       170,
       35},
      {"a limit too",
       {FIXED_WINDOW, A_SECOND(1e9), .latency_ms = 200, .refuses = 0.3, .changes_at = 50000,
        .allowed_then = 100},
       70,
       45},
      {"a limit instead",
       {FIXED_WINDOW, A_SECOND(1e9), .latency_ms = 200, .refuses = 0.3, .changes_at = 50000,
        .allowed_then = 100, .refuses_until = 50000},
       90,
       3},
      {"a limit of just as much instead",
       {FIXED_WINDOW, A_SECOND(1e9), .latency_ms = 200, .refuses = 0.3, .changes_at = 50000,
        .allowed_then = 224, .refuses_until = 50000},
       200,
       3},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    begin(&cases[i].server, 1, 1);
    go(90000);
    long long sent = run.sent, refused = run.refused;
    go_on(90000, 150000);
    double again = mean_of_seconds(90, 150);
    double share = 100 * (double)(run.refused - refused) / (double)(run.sent - sent);
    print_message("%s: %.0f a second, then %.0f, %.1f %% refused, longest wait %lld ms\n",
                  cases[i].name, mean_of_seconds(20, 50), again, share, run.longest_wait);
    check(run.server.failures == 0, "%d left", run.server.failures);
    check(again >= cases[i].least && share <= cases[i].refused, "%s: %.1f, %.1f %%", cases[i].name,
          again, share);
  }
}

/* What is said need not be found. */
static void test_what_is_told(void **state) {
  (void)state;
  static const Used cases[] = {
      {"when to come again",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 1, .tells_retry_after = 1},
       95,
       2,
       0,
       0},
      {"a window's limits",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 200, .tells_limits = 1},
       99,
       0,
       0,
       0},
      {"to two processes",
       {FIXED_WINDOW, A_SECOND(100), .latency_ms = 20, .tells_limits = 1},
       95,
       5,
       2,
       0},
      {"a bucket's limits",
       {BUCKET, A_SECOND(100), .holds = 100, .latency_ms = 1, .jitter_ms = 400, .tells_limits = 1},
       99,
       2,
       0,
       0},
      {"60 a minute",
       {FIXED_WINDOW, .allowed = 60, .window_ms = MINUTE, .latency_ms = 200, .tells_limits = 1},
       99,
       0,
       0,
       0},
      {"60 a minute, a bucket",
       {BUCKET, .allowed = 60, .holds = 60, .window_ms = MINUTE, .latency_ms = 200,
        .tells_limits = 1},
       99,
       0,
       0,
       0},
      {"90,000 tokens a minute",
       {FIXED_WINDOW, .allowed = 90000, .window_ms = MINUTE, .latency_ms = 300, .tells_limits = 1,
        .counts_tokens = 1},
       1,
       0,
       0,
       0},
  };
  check_used(cases, COUNT(cases));
  check(run.answered == 900, "of 100 tokens each: %lld", run.answered);
}

/* Twenty refusals in a row that say nothing, then calm. */
static void test_trouble_and_calm(void **state) {
  (void)state;
  static const Server servers[] = {
      {FIXED_WINDOW, A_SECOND(100), .latency_ms = 1, .fails_at = 20000, .failures = 20},
      {FIXED_WINDOW, A_SECOND(100), .latency_ms = 200, .fails_at = 20000, .failures = 60},
      {FIXED_WINDOW, A_SECOND(100), .latency_ms = 1, .fails_at = 0, .failures = 20},
  };
  for (size_t i = 0; i < COUNT(servers); i++) {
    begin(&servers[i], 1, 1);
    go(600 * 1000);
    int calm = (int)(run.server.failed_until / 1000);
    double again = mean_of_seconds(calm + 60, calm + 70);
    print_message("calm at %d s, longest wait %lld ms, then %.0f a second\n", calm,
                  run.longest_wait, again);
    check(run.server.failures == 0, "%d left", run.server.failures);
    check(run.longest_wait <= LIMIT_BACKOFF_MS + 1000, "%lld ms", run.longest_wait);
    check(again >= 90, "%.1f a second again", again);
  }
}

static void test_limits_that_change(void **state) {
  (void)state;
  static const double then[] = {200, 50, 400, 10};
  for (size_t i = 0; i < COUNT(then); i++) {
    for (int latency = 1; latency <= 200; latency += 199) {
      Server s = {FIXED_WINDOW, A_SECOND(100), .latency_ms = latency, .changes_at = 2 * MINUTE,
                  .allowed_then = then[i]};
      begin(&s, 1, 1);
      go(4 * MINUTE);
      double before = mean_of_seconds(110, 120), after = mean_of_seconds(190, 240);
      print_message("%.0f, then %.0f: %.1f and %.1f a second\n", 100.0, then[i], before, after);
      check(before >= 90, "%.1f before", before);
      check(after >= 0.9 * fmin(then[i], MOST * 1e3 / latency), "%.1f of %.0f", after, then[i]);
    }
  }
}

/* 1,000 tokens a minute, one request of 5,000 and fifty of 100. */
static void test_larger_than_the_limit(void **state) {
  (void)state;
  static const Server servers[] = {
      {FIXED_WINDOW, .allowed = 1000, .window_ms = MINUTE, .latency_ms = 300, .tells_limits = 1,
       .counts_tokens = 1},
      {BUCKET, .allowed = 1000, .holds = 1000, .window_ms = MINUTE, .latency_ms = 300,
       .tells_limits = 1, .counts_tokens = 1},
      {FIXED_WINDOW, .allowed = 1000, .window_ms = MINUTE, .latency_ms = 300, .counts_tokens = 1},
  };
  static long long tokens[51];
  for (int big = 0; big <= 50; big += 25) {
    for (size_t i = 0; i < COUNT(servers); i++) {
      for (int row = 0; row < 51; row++) {
        tokens[row] = row == big ? 5000 : 100;
      }
      begin(&servers[i], 1, 1);
      run.process[0].rows = run.process[0].n_tokens = 51;
      run.process[0].tokens = tokens;
      long long ms = go(SECONDS * 1000);
      print_message("the large one as number %d of server %zu: %lld answered, %lld refused, in "
                    "%lld s, longest wait %lld ms\n",
                    big, i, run.answered, run.refused, ms / 1000, run.longest_wait);
      check(run.answered == 51, "%lld answered", run.answered);
      check(run.was_alone || i == 2, "it had company");
      check(run.longest_wait <= PACE_LONGEST_MS + 1000, "%lld ms", run.longest_wait);
    }
  }
}

/* Milliseconds until one may leave, and why not now. */
static long long wait_of(const Pace *p, long long now, PaceWhy expected) {
  PaceWhy why;
  long long ms = pace_wait(p, 100, now, &why);
  check(why == expected, "%d, expected %d", why, expected);
  return ms;
}

static void test_retry_after(void **state) {
  (void)state;
  Pace p;
  pace_init(&p, MOST, 0);
  PaceAnswer a = answer_to(pace_sent(&p, 100, 0)), b = answer_to(pace_sent(&p, 100, 0));
  a.is_refused = b.is_refused = 1;
  a.retry_after_ms = 2000;
  pace_answered(&p, &a, 10);
  assert_int_equal(wait_of(&p, 10, PACE_PAUSE), 2000);
  b.retry_after_ms = 3000; /* of the same wave */
  pace_answered(&p, &b, 20);
  assert_int_equal(wait_of(&p, 20, PACE_PAUSE), 3000);
  wait_of(&p, 3020, PACE_FREE);
  a = answer_to(pace_sent(&p, 100, 3020));
  a.is_refused = 1;
  a.retry_after_ms = 1000000000000;
  pace_answered(&p, &a, 3030);
  assert_int_equal(wait_of(&p, 3030, PACE_PAUSE), PACE_LONGEST_MS);
  wait_of(&p, 3030 + PACE_LONGEST_MS, PACE_FREE);
}

static void test_headers(void **state) {
  (void)state;
  for (int kind = 0; kind < PACE_LIMITS; kind++) {
    Pace p;
    pace_init(&p, MOST, 0);
    PaceAnswer a = answer_to(pace_sent(&p, 100, 0));
    a.limits[kind] = (PaceLimit){1000, 0, 500};
    pace_answered(&p, &a, 10);
    PaceWhy why = kind == PACE_LIMIT_TOKENS ? PACE_TOKENS : PACE_REQUESTS;
    assert_int_equal(wait_of(&p, 10, why), 500);
    assert_int_equal(wait_of(&p, 509, why), 1);
    wait_of(&p, 510, PACE_FREE);
    /* Nothing until tomorrow: one tries, after the longest wait. */
    a = answer_to(pace_sent(&p, 100, 510));
    a.limits[kind] = (PaceLimit){1000, 0, 86400000};
    pace_answered(&p, &a, 520);
    check(pace_wait(&p, 100, 520, NULL) == PACE_LONGEST_MS, "%lld", pace_wait(&p, 100, 520, NULL));
    wait_of(&p, 520 + PACE_LONGEST_MS, PACE_FREE);
    pace_sent(&p, 100, 520 + PACE_LONGEST_MS);
    check(pace_wait(&p, 100, 520 + PACE_LONGEST_MS, NULL) > 0, "a second one");
  }
}

/* Others of the account: the answers are the truth. And what they say that can't be. */
/* A limit of none is none, what was lost says nothing, and most is at least one. */
static void test_nothing_said(void **state) {
  (void)state;
  Pace p;
  pace_init(&p, 0, 0);
  PaceAnswer a = answer_to(pace_sent(&p, -5, 0));
  wait_of(&p, 0, PACE_CONCURRENCY);
  a.is_lost = 1;
  a.limits[PACE_LIMIT_TOKENS] = (PaceLimit){0, 0, 60000};
  pace_answered(&p, &a, 10);
  wait_of(&p, 10, PACE_FREE);
  check(pace_rate(&p) <= 0 && pace_under_way(&p) == 0, "%f", pace_rate(&p));
  /* Only what is left is said: when nothing is, it is waited a minute at most. */
  a = answer_to(pace_sent(&p, 100, 10));
  a.limits[PACE_LIMIT_REQUESTS] = (PaceLimit){-1, 0, -1};
  pace_answered(&p, &a, 20);
  check(pace_wait(&p, 100, 20 + PACE_LONGEST_MS, NULL) == 0, "%lld",
        pace_wait(&p, 100, 60020, NULL));
}

static void test_truth(void **state) {
  (void)state;
  Pace p;
  pace_init(&p, MOST, 0);
  PaceAnswer a = answer_to(pace_sent(&p, 100, 0));
  a.limits[PACE_LIMIT_TOKENS] = (PaceLimit){1000, 900, 60000};
  pace_answered(&p, &a, 10);
  for (int i = 0; i < 9; i++) {
    wait_of(&p, 10, PACE_FREE);
    a = answer_to(pace_sent(&p, 100, 10));
  }
  wait_of(&p, 10, PACE_TOKENS);
  /* What was taken for 100 counts 10; eight others may not be counted yet. */
  a.tokens = 10;
  a.limits[PACE_LIMIT_TOKENS].remaining = 890;
  pace_answered(&p, &a, 20);
  check(fabs(p.levels[PACE_LIMIT_TOKENS].level - 90) < 1, "%f", p.levels[PACE_LIMIT_TOKENS].level);
  /* Somebody else took the rest. */
  a = answer_to(pace_sent(&p, 10, 30));
  a.limits[PACE_LIMIT_TOKENS] = (PaceLimit){1000, 5, 30000};
  pace_answered(&p, &a, 40);
  assert_int_equal(wait_of(&p, 40, PACE_TOKENS), 30000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_hundred_a_second),
      cmocka_unit_test(test_a_short_run),
      cmocka_unit_test(test_other_limits),
      cmocka_unit_test(test_overloaded),
      cmocka_unit_test(test_whatever_the_pace),
      cmocka_unit_test(test_a_limit_behind_a_gateway),
      cmocka_unit_test(test_what_is_not_usual),
      cmocka_unit_test(test_what_is_told),
      cmocka_unit_test(test_trouble_and_calm),
      cmocka_unit_test(test_limits_that_change),
      cmocka_unit_test(test_larger_than_the_limit),
      cmocka_unit_test(test_retry_after),
      cmocka_unit_test(test_headers),
      cmocka_unit_test(test_truth),
      cmocka_unit_test(test_nothing_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
