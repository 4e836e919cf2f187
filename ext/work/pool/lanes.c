/*
** See lanes.h for the contract.
*/
#include "work/pool/lanes.h"

#include <stdlib.h>
#include <string.h>

static Hash name_of(const ConnTurn *turn) {
  const char *const parts[] = {turn->provider, turn->base_url, turn->model};
  enum { N = sizeof parts / sizeof parts[0] };
  Hash h[N];
  for (int i = 0; i < N; i++) {
    h[i] = hash_bytes(parts[i], strlen(parts[i]), 0);
  }
  return hash_bytes(h, sizeof h, 0);
}

/* A free place, or that of the lane that rested longest. */
static Lane *place(Lanes *lanes) {
  Lane *oldest = NULL;
  if (lanes->n < LANES_MOST) {
    return &lanes->list[lanes->n++];
  }
  for (Lane *l = lanes->list; l < lanes->list + lanes->n; l++) {
    if (pace_under_way(&l->pace) == 0 && (!oldest || l->used < oldest->used)) {
      oldest = l;
    }
  }
  return oldest ? oldest : lanes->list; /* (all in use: two models share one) */
}

Lane *lanes_find(Lanes *lanes, const ConnTurn *turn, int most, long long now, Err *err) {
  if (!lanes->list) {
    lanes->list = calloc(LANES_MOST, sizeof *lanes->list);
  }
  if (!lanes->list) {
    err_nomem(err);
    return NULL;
  }
  Hash name = name_of(turn);
  for (Lane *l = lanes->list; l < lanes->list + lanes->n; l++) {
    if (memcmp(&l->name, &name, sizeof name) == 0) {
      l->used = now;
      pace_allow(&l->pace, most);
      return l;
    }
  }
  Lane *l = place(lanes);
  if (pace_under_way(&l->pace) == 0) {
    *l = (Lane){.name = name, .used = now};
    pace_init(&l->pace, most, now);
  }
  return l;
}

void lanes_unblock(Lanes *lanes) {
  for (int i = 0; i < lanes->n; i++) {
    lanes->list[i].is_blocked = 0;
  }
}

/* What providers say where they are overloaded. */
static int is_overloaded(long status) {
  return status == 503 || status == 529;
}

PaceMark lane_enter(Lane *lane, long long tokens, long long now) {
  return pace_sent(&lane->pace, tokens, now);
}

void lane_leave(Lane *lane, const PaceMark *mark, const NetResponse *r, long long now) {
  int is_answered = r && r->result == NET_ANSWERED;
  long status = is_answered ? r->http_status : 0;
  PaceAnswer a = {.mark = *mark,
                  .is_refused = status == 429 || is_overloaded(status),
                  .is_overloaded = is_overloaded(status),
                  .is_lost = !is_answered,
                  .retry_after_ms = is_answered ? r->waits.retry_after_ms : -1,
                  .tokens = -1};
  for (int i = 0; i < PACE_LIMITS; i++) {
    const NetLimit *said = is_answered ? &r->waits.limits[i] : NULL;
    a.limits[i] =
        said ? (PaceLimit){said->limit, said->remaining, said->reset_ms} : (PaceLimit){-1, -1, -1};
  }
  pace_answered(&lane->pace, &a, now);
}

void lanes_free(Lanes *lanes) {
  free(lanes->list);
}
