/*
** See policies.h for the contract. A veto is a reason to ask the next nearest here: the caller's threshold says that it is near
** enough.
*/
#include "vec/cache/match/policies.h"

#include "vec/cache/match/pending.h"

#include <math.h>
#include <stdlib.h>

#define NEAR_MISS 0.05 /* so far below the threshold is still worth a line in the log */

static Match match_of(const VecHit *hit) {
  return (Match){.id = hit->id, .similarity = hit->cosine, .policy = "threshold"};
}

int threshold_match(Search *s, Match *m, int *n, Err *err) {
  double threshold = search_threshold(s);
  for (int round = 0; round < MOST_VETOES; round++) {
    VecHit hit;
    char why[WHY_SIZE];
    int found = 0;
    if (search_nearest(s, threshold, 1, &hit, &found, err) != RC_OK || !found) {
      const Missed unknown = {.partition = s->partition->id, .threshold = threshold};
      pending_miss(s->table, s->q, &unknown);
      return err->rc;
    }
    Allowed allowed = search_allows(s, &hit, why, err);
    if (allowed == ALLOWED) {
      m[(*n)++] = match_of(&hit);
    }
    if (allowed == ALLOWED || err->rc != RC_OK || search_near(s, &hit, why, err) != RC_OK) {
      return err->rc;
    }
    search_skip(s, hit.id);
  }
  return RC_OK;
}

/* One of several: 1 if it goes into the result. */
static int take(Search *s, const VecHit *hit, Match *m, Err *err) {
  char why[WHY_SIZE] = "";
  double threshold = search_threshold(s);
  int wants = s->q->verify || s->q->explains;
  Allowed allowed = wants ? search_allows(s, hit, why, err) : ALLOWED;
  if (allowed == ALLOWED && hit->cosine < threshold) {
    allowed = ALLOWED_NOT;
    sqlite3_snprintf(sizeof why, why, "cosine: %.4f, needs %.4f", hit->cosine, threshold);
  }
  *m = match_of(hit);
  if (allowed == ALLOWED || !s->q->verify) {
    return allowed == ALLOWED || !s->q->explains || search_why(m, why, err) == RC_OK;
  }
  if (err->rc == RC_OK) {
    search_near(s, hit, why, err);
  }
  return 0;
}

int threshold_several(Search *s, Match *m, int *n, Err *err) {
  int k = s->q->k, left = k - *n, found = 0;
  int want = s->q->verify ? left + MOST_VETOES : left;
  VecHit *hits = malloc(sizeof *hits * (size_t)want);
  if (!hits) {
    return err_nomem(err);
  }
  search_nearest(s, s->q->verify ? search_threshold(s) : -1, want, hits, &found, err);
  for (int i = 0; i < found && *n < k && err->rc == RC_OK; i++) {
    *n += take(s, &hits[i], &m[*n], err);
  }
  free(hits);
  return err->rc;
}

int threshold_learn(Search *s, Err *err) {
  char why[WHY_SIZE];
  VecHit hit;
  int found = 0;
  double threshold = search_threshold(s);
  if (search_nearest(s, threshold - NEAR_MISS, 1, &hit, &found, err) != RC_OK || !found ||
      hit.cosine >= threshold) {
    return err->rc; /* a veto has its line already */
  }
  sqlite3_snprintf(sizeof why, why, "cosine: %.4f, needs %.4f", hit.cosine, threshold);
  return search_near(s, &hit, why, err);
}
