/*
** See ready.h for the contract.
*/
#include "call/route/ready.h"

#include "base/clock.h"
#include "call/route/tiers.h"
#include "store/health/health.h"

#include <stdio.h>
#include <string.h>

enum { STEP_MS = 50 }; /* between two looks at who tries */

static HealthKey key_of(const Call *k, int is_account) {
  return (HealthKey){k->model.provider, k->model.base_url, is_account ? "" : k->model.name};
}

MoveTo ready_reach(const Call *k) {
  return k->request->options->escalate          ? MOVE_UP
         : k->conn->set.fallback == FALLBACK_UP ? MOVE_ANY
                                                : MOVE_DOWN;
}

/* The next tier that this call may go to; -1: none, or *err. */
static int next_tier(Call *k, MoveTo to, Err *err) {
  static const int steps[][2] = {[MOVE_DOWN] = {-1, 1}, [MOVE_ANY] = {1, -1}, [MOVE_UP] = {1, 0}};
  Route *route = &k->route;
  for (int pass = 0; pass < 2 && steps[to][pass]; pass++) {
    int step = steps[to][pass];
    for (int i = route->served + step; i >= 0 && i < route->n && err->rc == RC_OK; i += step) {
      int fits = !route->tiers[i].is_out;
      if (fits && (to != MOVE_DOWN || tiers_compare_price(k, route->drawn, i, err) <= 0)) {
        return i;
      }
    }
  }
  return -1;
}

/* Back to where it was. */
static Moved stay(Call *k, int was, Err *err) {
  k->route.tiers[was].is_out = 0;
  return k->route.at == was || tiers_take(k, was, err) == RC_OK ? STAYED : MOVE_FAILED;
}

Moved ready_move(Call *k, MoveTo to, const char *why, Err *err) {
  Route *route = &k->route;
  int was = route->served;
  if (was < 0) {
    return STAYED;
  }
  tiers_put_out(route, was, why);
  for (int i; (i = next_tier(k, to, err)) >= 0 && err->rc == RC_OK;) {
    Err unfit = {0};
    if (tiers_take(k, i, &unfit) == RC_OK) {
      return tiers_note(k, err) == RC_OK ? MOVED : MOVE_FAILED;
    }
    if (!tiers_is_unfit(&unfit)) {
      *err = unfit;
      return MOVE_FAILED;
    }
    tiers_put_out(route, i, unfit.msg);
  }
  return err->rc == RC_OK ? stay(k, was, err) : MOVE_FAILED;
}

Moved ready_leave(Call *k, MoveTo to, const char *why, Err *err) {
  Moved moved =
      k->conn->set.fallback == FALLBACK_OFF && to != MOVE_UP ? STAYED : ready_move(k, to, why, err);
  if (moved == MOVED) {
    k->route.is_stopgap = 1;
    moved = call_rename(k, err) == RC_OK ? MOVED : MOVE_FAILED;
  }
  return moved;
}

Moved ready_cheapest(Call *k, Err *err) {
  static const char why[] = "a budget asks for the cheapest tier";
  Route *route = &k->route;
  int was = route->served;
  for (int i = 0; i < route->n && was >= 0 && err->rc == RC_OK; i++) {
    Err unfit = {0};
    if (i == was || route->tiers[i].is_out || tiers_compare_price(k, i, was, err) <= 0) {
      continue;
    }
    if (tiers_take(k, i, &unfit) == RC_OK) {
      tiers_put_out(route, was, why);
      route->is_stopgap = 1;
      return tiers_note(k, err) == RC_OK && call_rename(k, err) == RC_OK ? MOVED : MOVE_FAILED;
    }
    tiers_put_out(route, i, unfit.msg);
  }
  return was < 0 ? STAYED : stay(k, was, err);
}

/* "until 14:05:09 UTC (rate limit reached)" */
static void tell_pause(const Health *h, char *out, size_t size) {
  char time[32];
  clock_text(h->until, time, sizeof time);
  snprintf(out, size, "paused until %s UTC (%s)", time, h->reason);
}

int ready_tell_pause(Store *s, const Model *model, char *out, size_t size, Err *err) {
  Health h;
  long long now = now_ms();
  out[0] = 0;
  if (health_look(s, &(HealthKey){model->provider, model->base_url, model->name}, &h, err) ==
          RC_OK &&
      h.is_there && h.until > now && now >= h.noted) {
    tell_pause(&h, out, size);
  }
  return err->rc;
}

/* So short a pause is waited for before another tier than its own is asked, unless that is a better one. */
enum { PATIENCE_MS = 10000 };

/* Goes elsewhere, or waits for the end of the pause. A time that nobody named is no reason to wait: 1 where it is to be
** asked all the same. */
static int leave_or_wait(Call *k, const Health *h, long long now, Err *err) {
  char why[HEALTH_REASON + 64];
  long long left = k->deadline_ms - monotonic_ms(), wait = h->until - now;
  MoveTo reach = ready_reach(k);
  int can_wait = h->is_told && wait < left;
  tell_pause(h, why, sizeof why);
  int is_worth_it = can_wait && wait <= PATIENCE_MS && reach == MOVE_DOWN;
  if (!is_worth_it && ready_leave(k, reach, why, err) != STAYED) {
    return 0;
  }
  if (can_wait) {
    conn_sleep(k->conn, wait, err);
  } else if (h->is_told) {
    err->retryable = 1;
    err_set(err, RC_ERROR, ERR_PAUSED, "%s: model '%.80s' is %s: nothing was sent",
            k->model.provider, k->model.name, why);
  }
  return err->rc == RC_OK && !h->is_told;
}

/* Takes the place of one who may try, or waits a little. 1: it has one. */
static int try_it(Call *k, const Health *h, long long now, Err *err) {
  const HealthKey key = key_of(k, h->is_account);
  if (health_try(k->store, &key, now, call_lease(k), &k->trial, err) != RC_OK || k->trial) {
    return err->rc == RC_OK;
  }
  if (monotonic_ms() >= k->deadline_ms) {
    err->retryable = 1;
    err_set(err, RC_ERROR, ERR_PAUSED,
            "%s: another request tries model '%.80s' after a pause (%s), and had no answer in time",
            k->model.provider, k->model.name, h->reason);
  } else {
    conn_sleep(k->conn, STEP_MS, err);
  }
  return 0;
}

int ready_wait(Call *k, Err *err) {
  while (err->rc == RC_OK) {
    Health h;
    long long now = now_ms();
    const HealthKey key = key_of(k, 0);
    if (health_look(k->store, &key, &h, err) != RC_OK) {
      return err->rc;
    }
    k->has_health = h.is_there;
    k->is_account = h.is_account;
    if (!h.is_there || h.until == 0) {
      return RC_OK;
    }
    int is_paused = h.until > now && now >= h.noted;
    if (is_paused ? leave_or_wait(k, &h, now, err) : try_it(k, &h, now, err)) {
      return RC_OK;
    }
  }
  return err->rc;
}

void ready_release(Call *k) {
  Err ignored = {0};
  health_end(k->store, k->trial, &ignored);
  k->trial = 0;
}

/* Where requests run side by side, how fast they may leave is found beside them: a rate limit of seconds is no state of the
** provider. */
static int is_of_pace(const Call *k, const Trouble *t) {
  return k->conn->side && k->row.http_status == 429 && !t->is_account && t->pause_ms <= PATIENCE_MS;
}

void ready_note(Call *k, const Trouble *t) {
  Err ignored = {0};
  long long now = now_ms();
  const HealthKey key = key_of(k, t->is_trouble ? t->is_account : k->is_account);
  if (t->is_trouble && !is_of_pace(k, t)) {
    long long pause = t->pause_ms > 0 ? t->pause_ms : t->is_account ? HEALTH_ACCOUNT_MS : -1;
    const HealthFailure f = {.until = pause > 0 ? now + pause : 0,
                             .now = now,
                             .sent_at = k->row.ts,
                             .is_told = t->pause_ms > 0,
                             .reason = t->reason};
    health_fail(k->store, &key, &f, &ignored);
  } else if (k->has_health && !t->is_trouble) {
    health_answer(k->store, &key, &ignored);
  }
  if (k->trial) {
    ready_release(k);
  }
}
