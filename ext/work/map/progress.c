/*
** See progress.h for the contract.
*/
#include "work/map/progress.h"

#include "core/pace/bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_AFTER_MS = 200, BAR_EVERY_MS = 200, NOTE_EVERY_MS = 1000, NARROW = 79 };

void progress_start(Progress *p) {
  *p = (Progress){.started = monotonic_ms()};
  p->noted = p->started;
  p->row.started_at = now_ms();
}

/* What all of it will cost, if the rest is as what is done: -1 while that says nothing. */
static long long expected(const MapState *s) {
  return s->done == 0 ? -1 : (long long)((double)s->spent_nusd / (double)s->done * (double)s->rows);
}

static int is_wanted(const Conn *conn) {
  return conn->set.progress == PROGRESS_ON ||
         (conn->set.progress == PROGRESS_AUTO && isatty(STDERR_FILENO));
}

static int width_of_terminal(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : NARROW;
}

static void write_all(const char *text, size_t n) {
  ssize_t done = write(STDERR_FILENO, text, n);
  (void)done; /* a terminal that is gone is no reason to stop */
}

/* What is left of a wait; -1: nobody knows. */
static long long left_of(ProgressWait wait, long long now) {
  return wait.until == PROGRESS_UNKNOWN ? -1 : wait.until > now ? wait.until - now : 0;
}

/* Over what stands there; `end`: what follows it. */
static void show(Progress *p, const MapState *s, ProgressWait wait, const char *end) {
  char line[BAR_BYTES + 16] = "\r", text[BAR_BYTES];
  long long now = monotonic_ms();
  const Bar bar = {.done = s->done,
                   .total = s->rows,
                   .hits = s->hits,
                   .errors = s->errors,
                   .elapsed_ms = now - p->started,
                   .spent_nusd = s->spent_nusd,
                   .expected_nusd = expected(s),
                   .why = wait.why,
                   .wait_ms = left_of(wait, now) > 0 ? left_of(wait, now) : 0};
  bar_line(&bar, width_of_terminal(), text);
  int n = snprintf(line, sizeof line, "\r%s\033[K%s", text, end);
  write_all(line, n > 0 ? (size_t)n : 0);
  p->is_bar = 1;
}

/* The words of llm_progress. */
static const char *word_of(PaceWhy why) {
  static const char *const words[] = {[PACE_FREE] = NULL,
                                      [PACE_CONCURRENCY] = "answers",
                                      [PACE_REQUESTS] = "requests",
                                      [PACE_TOKENS] = "tokens",
                                      [PACE_PAUSE] = "pause"};
  return words[why];
}

static void note(Progress *p, Conn *conn, const MapState *s, ProgressWait wait, const char *state) {
  Err ignored = {0};
  Store *store = conn_open_store(conn);
  RunRow *r = &p->row;
  r->state = state;
  r->updated_at = now_ms();
  r->rows = s->rows;
  r->requests = s->distinct;
  r->done = s->done;
  r->hits = s->hits;
  r->errors = s->errors;
  r->calls = s->calls;
  r->spent_nusd = s->spent_nusd;
  r->expected_nusd = expected(s);
  r->waits_for = word_of(wait.why);
  long long left = left_of(wait, monotonic_ms());
  r->waits_until = left >= 0 ? r->updated_at + left : -1;
  if (store) {
    runs_put(store, r, &ignored);
  }
}

void progress_look(Progress *p, Conn *conn, const MapState *state, ProgressWait wait) {
  long long now = monotonic_ms();
  if (now - p->started >= BAR_AFTER_MS && now - p->shown >= BAR_EVERY_MS && is_wanted(conn)) {
    p->shown = now;
    show(p, state, wait, "");
  }
  if (now - p->noted >= NOTE_EVERY_MS) {
    p->noted = now;
    note(p, conn, state, wait, "running");
  }
}

void progress_end(Progress *p, Conn *conn, const MapState *state, const char *word) {
  const ProgressWait none = {PACE_FREE, 0};
  if (p->is_bar && is_wanted(conn)) {
    show(p, state, none, "\n");
    p->is_bar = 0;
  }
  if (p->row.id > 0) {
    note(p, conn, state, none, word);
  }
}
