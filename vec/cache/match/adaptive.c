/*
** The decision with max_false_hits: see policies.h, and vec/policy/policy.h for what decides.
*/
#include "vec/cache/match/policies.h"

#include "base/utf8.h"
#include "core/guard/guard.h"
#include "vec/cache/state/answer.h"
#include "vec/cache/match/learn.h"
#include "vec/cache/match/pending.h"
#include "vec/engine/kernels/cosine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEIGHBOURS = 8 };

/* An answer as it is compared: in meaning where it is text, else by its bytes. */
typedef struct Answer {
  enum { NO_ANSWER, TEXT_ANSWER, BYTES_ANSWER } kind;
  char *bytes;
  size_t n;
  Hash key; /* answer.h */
} Answer;

/* A neighbour with the cosine it is ranked by and its answer, owned. */
typedef struct Neighbour {
  int64_t id;
  double cosine, second;
  Answer answer;  /* its bytes owned */
  int is_refused; /* not to be served, but what it answers counts */
} Neighbour;

static double rank_of(const Neighbour *x) {
  return isnan(x->second) ? x->cosine : x->second;
}

static int by_rank(const void *a, const void *b) {
  double x = rank_of(a), y = rank_of(b);
  return (x < y) - (x > y);
}

/* A copy of an answer, owned (free its bytes). What is no text of ordinary length is bytes. */
static int copy_answer(sqlite3_value *v, Answer *a, Err *err) {
  size_t bad_at;
  const char *bytes = value_bytes(v, &a->n, err);
  a->bytes = bytes ? malloc(a->n + 1) : NULL;
  if (!a->bytes) {
    return err_nomem(err);
  }
  memcpy(a->bytes, bytes, a->n);
  a->bytes[a->n] = 0;
  int is_text = sqlite3_value_type(v) != SQLITE_BLOB && a->n <= LIMIT_RESPONSE_BYTES &&
                utf8_is_valid(a->bytes, a->n, &bad_at);
  a->kind = value_is_null(v) ? NO_ANSWER : is_text ? TEXT_ANSWER : BYTES_ANSWER;
  return answer_key(v, &a->key, err);
}

/* Reads a neighbour's answer and confirming cosine, and whether guard or feedback refuse it. 1 found,
** 0 gone, -1 error. */
static int read_neighbour(Search *s, Neighbour *x, char why[WHY_SIZE], Err *err) {
  Entry e;
  const VecHit hit = {x->id, x->cosine};
  x->is_refused = search_allows(s, &hit, why, err) != ALLOWED;
  x->second = err->rc == RC_OK ? search_second(s, x->id, err) : (double)NAN;
  int found = err->rc == RC_OK ? search_read(s->table, x->id, &e, err) : 0;
  if (found == 1) {
    copy_answer(sqlite3_column_value(e.stmt, 2), &x->answer, err);
    sqlite3_reset(e.stmt);
  }
  return err->rc == RC_OK ? found : -1;
}

/* Puts the first that is not refused in front of the others. 0 where all are. */
static int put_candidate_first(Neighbour *list, int n) {
  int at = 0;
  while (at < n && list[at].is_refused) {
    at++;
  }
  if (at == n) {
    return 0;
  }
  Neighbour candidate = list[at];
  memmove(list + 1, list, sizeof *list * (size_t)at);
  list[0] = candidate;
  return 1;
}

static void free_neighbours(Neighbour *list, int n) {
  for (int i = 0; i < n; i++) {
    free(list[i].answer.bytes);
  }
}

/* The nearest entries above the floor: first the one that may be served, then the others, best
** first. None where there is no such one. */
static int neighbours(Search *s, Neighbour list[NEIGHBOURS], int *n, Err *err) {
  VecHit hits[NEIGHBOURS];
  char why[WHY_SIZE] = "";
  int found = 0;
  *n = 0;
  search_nearest(s, s->table->embedder.floor, NEIGHBOURS, hits, &found, err);
  for (int i = 0; i < found && err->rc == RC_OK; i++) {
    list[*n] = (Neighbour){.id = hits[i].id, .cosine = hits[i].cosine};
    *n += read_neighbour(s, &list[*n], i ? NULL : why, err) == 1;
  }
  if (err->rc != RC_OK) {
    free_neighbours(list, *n);
    *n = 0;
    return err->rc;
  }
  qsort(list, (size_t)*n, sizeof *list, by_rank);
  if (*n > 0 && !put_candidate_first(list, *n)) {
    free_neighbours(list, *n);
    *n = 0;
    search_near(s, &hits[0], why, err);
  }
  return err->rc;
}

/* 1 if two texts mean the same, 0 if not, -1 where that can't be told. */
static int same_meaning(const CacheTable *t, const Answer *a, const Answer *b, Err *err) {
  float *u = malloc(sizeof(float) * 2 * (size_t)t->embedder.dim),
        *v = u ? u + t->embedder.dim : NULL;
  double cosine = 0;
  int rc = !u ? err_nomem(err) : t->embedder.run(t->embedder.ctx, a->bytes, a->n, u, err);
  rc = rc == RC_OK ? t->embedder.run(t->embedder.ctx, b->bytes, b->n, v, err) : rc;
  if (rc == RC_OK) {
    cosine_f32(u, v, (size_t)t->embedder.dim, &cosine);
  }
  free(u);
  if (rc != RC_OK || (cosine >= t->embedder.floor && cosine < t->embedder.threshold)) {
    return -1;
  }
  int same = cosine >= t->embedder.threshold && !guard_veto(a->bytes, a->n, b->bytes, b->n, err);
  return err->rc == RC_OK ? same : -1;
}

/* 1 if two answers say the same, 0 if not, -1 where that can't be told. Short answers (labels,
** numbers, JSON) and bytes are the same or not; of longer texts it takes closeness in meaning and no
** veto. */
static int same_answer(const CacheTable *t, const Answer *a, const Answer *b, Err *err) {
  enum { SHORT = 64 };
  if (a->kind != b->kind) {
    return 0;
  }
  int same = memcmp(&a->key, &b->key, sizeof a->key) == 0;
  int is_short = (a->n <= SHORT || b->n <= SHORT || a->bytes[0] == '{' || a->bytes[0] == '[');
  if (same || is_short || a->kind != TEXT_ANSWER || t->embedder.run == NULL) {
    return same;
  }
  return same_meaning(t, a, b, err);
}

/* What there is to know about serving the first neighbour. */
static int gather(Search *s, const Neighbour *list, int n, Evidence *e, Err *err) {
  double other = n == NEIGHBOURS ? rank_of(&list[n - 1]) : s->table->embedder.floor;
  int has_other = 0;
  e->similarity = list[0].cosine;
  e->second = list[0].second;
  e->agree = 1;
  for (int i = 1; i < n && err->rc == RC_OK; i++) {
    int same = same_answer(s->table, &list[0].answer, &list[i].answer, err);
    e->agree += same == 1;
    if (same == 0 && !has_other) {
      has_other = 1;
      other = rank_of(&list[i]);
    }
  }
  double own = rank_of(&list[0]);
  e->margin = own > other ? own - other : 0;
  return err->rc;
}

/* The share of what is served that may be wrong; NAN: the threshold is fixed. */
double adaptive_bound(const Search *s) {
  return !isnan(s->q->max_false_hits) ? s->q->max_false_hits : s->table->set.max_false_hits;
}

static uint64_t question_hash(const Search *s) {
  Hash h = s->q->text ? hash_bytes(s->q->text, s->q->n, 0)
                      : hash_bytes(s->vector, 4 * (size_t)s->table->embedder.dim, 0);
  uint64_t value;
  memcpy(&value, h.b, sizeof value);
  return value;
}

int adaptive_match(Search *s, Match *m, int *n, Err *err) {
  CacheTable *t = s->table;
  Neighbour list[NEIGHBOURS];
  int found = 0;
  Policy *policy = learn_policy(t, s->partition, err);
  if (policy && neighbours(s, list, &found, err) == RC_OK && found > 0) {
    Decision d = {.ts = s->q->now, .partition = s->partition->id, .entry = list[0].id};
    if (gather(s, list, found, &d.evidence, err) == RC_OK) {
      policy_decide(policy, adaptive_bound(s), question_hash(s), &d);
      pending_decision(t, &d, err);
    }
    if (d.served && err->rc == RC_OK) {
      m[(*n)++] = (Match){.id = list[0].id, .similarity = list[0].cosine, .policy = "adaptive"};
    }
  }
  free_neighbours(list, found);
  return err->rc;
}

int adaptive_show(Search *s, Match *m, int *n, Err *err) {
  MatchQuery every = *s->q;
  const MatchQuery *asked = s->q;
  int first = *n;
  every.threshold = -1;
  s->q = &every;
  threshold_several(s, m, n, err);
  s->q = asked;
  for (int i = first; i < *n && err->rc == RC_OK; i++) {
    m[i].policy = "adaptive";
    if (asked->explains && !m[i].why) {
      search_why(&m[i], "max_false_hits: a lookup decides, and notes its chance", err);
    }
  }
  return err->rc;
}

/* Compares the new answer with its first neighbour's. */
int adaptive_compare(Search *s, sqlite3_value *response, Err *err) {
  CacheTable *t = s->table;
  Neighbour list[NEIGHBOURS];
  Answer answer = {0};
  Evidence e;
  int n = 0;
  if (!value_is_null(response) && copy_answer(response, &answer, err) == RC_OK &&
      neighbours(s, list, &n, err) == RC_OK && n > 0 && gather(s, list, n, &e, err) == RC_OK) {
    int same = same_answer(t, &answer, &list[0].answer, err);
    if (same >= 0 && err->rc == RC_OK) {
      learn_add(t, s->q->now, s->partition->id, list[0].id, &e, same, "comparison", err);
    }
  }
  free_neighbours(list, n);
  free(answer.bytes);
  return err->rc;
}
