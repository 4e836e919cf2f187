/*
** The default policy: see policies.h and vec/policy/fixed.h.
**
** Nearest only: a veto is a miss, no reason to ask the next. What is dear comes last: the two nearest first; then guard and
** feedback on the nearest; then, unless the second's answer leaves too little room for any outcome, all neighbours in
** reach and what they answer. Where MiniLM confirms, the neighbours found by 'static' are ranked by MiniLM's cosines.
**
** A miss is remembered until its question is inserted: whether the nearest entry's answer would have been right is then known,
** and becomes a label. (Where the guard said no, it says nothing about the answer.) What is known of answers (vec/policy/track.h) is made of labels when first needed.
*/
#include "vec/cache/match/policies.h"

#include "vec/cache/state/answer.h"
#include "vec/cache/match/learn.h"
#include "vec/cache/match/pending.h"
#include "vec/engine/kernels/cosine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAUGHT_FLOOR 0.4 /* how far feedback reaches */
#define TAUGHT "feedback"

typedef struct Near {
  int64_t id;
  double cosine, second, rank; /* rank: by the cosine that counts */
  int64_t asker;               /* who it was answered for; 0: nobody said */
  Hash answer;
  float *vector; /* of dim floats, once needed; borrowed from the list's block */
} Near;

/* The nearest entries, best first. */
typedef struct Nears {
  Near *list;
  float *block; /* vectors of the first FIXED_NEIGHBOURS */
  int n;
  int has_seconds;
} Nears;

static void nears_free(Nears *x) {
  free(x->list);
  free(x->block);
  *x = (Nears){0};
}

const FixedRule *agreement_rule(CacheTable *t, Err *err) {
  if (strcmp(t->embedder.name, "minilm") == 0) {
    return &fixed_rule_minilm;
  }
  if (strcmp(t->embedder.name, "static") != 0) {
    return NULL;
  }
  return second_embedder(t, err) ? &fixed_rule_confirmed : &fixed_rule_static;
}

/* 1 if MiniLM confirmed here before, and is not to be had now. */
static int has_lost_second(CacheTable *t, Err *err) {
  char known[SETTING_VALUE];
  if (!t->lost_second && t->set.confirm && !second_embedder(t, err)) {
    t->lost_second = rows_meta(t, "confirmed", known, sizeof known, err) == 1 ? 1 : -1;
  }
  return t->lost_second == 1 && !t->second.dim;
}

static int by_rank(const void *a, const void *b) {
  const Near *x = a, *y = b;
  return (x->rank < y->rank) - (x->rank > y->rank);
}

/* Finds up to k neighbours with cosine >= lowest; confirmed ones are ranked by the confirming cosine. */
static int find_nears(Search *s, double lowest, int k, int confirms, Nears *x, Err *err) {
  VecHit *hits = malloc(sizeof *hits * (size_t)k);
  x->list = calloc((size_t)k, sizeof *x->list);
  if (!hits || !x->list) {
    free(hits);
    return err_nomem(err);
  }
  search_nearest(s, lowest, k, hits, &x->n, err);
  for (int i = 0; i < x->n && err->rc == RC_OK; i++) {
    Near *near = &x->list[i];
    *near = (Near){.id = hits[i].id, .cosine = hits[i].cosine, .second = (double)NAN};
    near->second = confirms ? search_second(s, near->id, err) : (double)NAN;
    x->has_seconds |= !isnan(near->second);
    near->rank = isnan(near->second) ? near->cosine : near->second;
  }
  free(hits);
  x->n = err->rc == RC_OK ? x->n : 0;
  if (x->has_seconds) {
    qsort(x->list, (size_t)x->n, sizeof *x->list, by_rank);
  }
  return err->rc;
}

/* Reads what a neighbour answers. 1, 0 it is gone, -1 error. */
static int read_answer(CacheTable *t, Near *near, Err *err) {
  Entry e;
  int found = search_read(t, near->id, &e, err);
  if (found == 1 && sqlite3_column_type(e.stmt, ENTRY_RESPONSE) == SQLITE_NULL) {
    near->answer = hash_bytes(&near->id, sizeof near->id, 0); /* not known: like no other */
    sqlite3_reset(e.stmt);
  } else if (found == 1) {
    answer_key(sqlite3_column_value(e.stmt, ENTRY_RESPONSE), &near->answer, err);
    near->asker = sqlite3_column_int64(e.stmt, ENTRY_ASKER);
    sqlite3_reset(e.stmt);
  }
  return err->rc == RC_OK ? found : -1;
}

/* The answers of those from `first` up to, not including, `end`; what is gone drops out. */
static int read_some(CacheTable *t, Nears *x, int first, int end, Err *err) {
  int n = first;
  for (int i = first; i < x->n && err->rc == RC_OK; i++) {
    if (i >= end || read_answer(t, &x->list[i], err) == 1) {
      x->list[n++] = x->list[i];
    }
  }
  x->n = n;
  return err->rc;
}

static int read_answers(CacheTable *t, Nears *x, Err *err) {
  return read_some(t, x, 0, x->n, err);
}

static int same_answer(const Near *a, const Near *b) {
  return memcmp(&a->answer, &b->answer, sizeof a->answer) == 0;
}

/* --- votes */

/* A neighbour's own vector, kept in the list's block; NULL where there is none to be had. */
static const float *vector_of(Search *s, Nears *x, int at, Err *err) {
  size_t dim = (size_t)s->table->embedder.dim;
  const void *vector = NULL;
  Near *near = &x->list[at];
  if (near->vector || at >= FIXED_NEIGHBOURS) {
    return near->vector;
  }
  x->block = x->block ? x->block : malloc(sizeof(float) * dim * FIXED_NEIGHBOURS);
  if (!x->block) {
    err_nomem(err);
    return NULL;
  }
  int rc = row_source_vector(&s->rows, near->id, &vector);
  if (rc == VEC_OK && vector) {
    near->vector = x->block + dim * (size_t)at;
    memcpy(near->vector, vector, sizeof(float) * dim);
  }
  row_source_end(&s->rows);
  return near->vector;
}

/* 1 if one of the entries that have voted is a variant of this one's text, or of the same other user: nobody votes twice in
** what somebody else is told. */
static int has_voted(Search *s, Nears *x, const int *voted, int votes, int at, Err *err) {
  int64_t asker = x->list[at].asker;
  for (int i = 0; asker && asker != s->q->asker && i < votes; i++) {
    if (x->list[voted[i]].asker == asker) {
      return 1;
    }
  }
  const float *own = vector_of(s, x, at, err);
  for (int i = 0; own && i < votes && err->rc == RC_OK; i++) {
    const float *other = vector_of(s, x, voted[i], err);
    double cosine = 0;
    if (other && cosine_f32(own, other, (size_t)s->table->embedder.dim, &cosine) &&
        cosine >= FIXED_SAME_TEXT) {
      return 1;
    }
  }
  return 0;
}

/* Votes among the first n for the answer of the one at `at`, which votes itself; variants of one text are one. */
static int votes_for(Search *s, Nears *x, int n, int at, Err *err) {
  int voted[FIXED_NEIGHBOURS + 1] = {at}, votes = 1;
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    if (i != at && same_answer(&x->list[at], &x->list[i]) &&
        !has_voted(s, x, voted, votes, i, err)) {
      voted[votes++] = i;
    }
  }
  return votes;
}

/* Room that nobody looked into is none: beyond the farthest of eight there may be another answer (they may be variants of one
** text, entered to crowd it out); and of few entries, none can be expected to be near. */
static void bound_margin(Search *s, const Nears *x, int at, FixedEvidence *e) {
  double own = x->list[at].rank;
  int is_few = vec_index_count(s->partition->index) < FIXED_NEIGHBOURS ||
               (s->q->n_conditions && x->n < FIXED_NEIGHBOURS);
  if (x->n >= FIXED_NEIGHBOURS) {
    e->margin = fmin(e->margin, fmax(own - x->list[FIXED_NEIGHBOURS - 1].rank, 0));
  } else if (is_few) {
    e->margin = fmin(e->margin, 0);
  }
}

/* What is known of serving the one at `at`, as if it were the nearest. */
static int weigh(Search *s, Nears *x, int at, FixedEvidence *e, Err *err) {
  int n = 0;
  const Near *own = &x->list[at];
  while (n < x->n && n < FIXED_NEIGHBOURS && own->rank - x->list[n].rank <= FIXED_REACH) {
    n++;
  }
  *e = (FixedEvidence){.cosine = own->rank, .margin = FIXED_MARGIN_MOST};
  e->votes = votes_for(s, x, n, at, err);
  e->repeats = e->votes > 1;
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    if (!same_answer(own, &x->list[i])) {
      int votes = votes_for(s, x, n, i, err);
      e->margin = fmin(e->margin, own->rank - x->list[i].rank);
      e->contested |= votes > e->votes;
      e->repeats |= votes > 1;
    }
  }
  bound_margin(s, x, at, e);
  return err->rc;
}

/* --- the verdict on one entry */

typedef struct Verdict {
  int served;
  const char *policy; /* what decided, in static storage */
  char why[WHY_SIZE]; /* what stood in the way */
  FixedEvidence evidence;
} Verdict;

static void refuse(Verdict *v, const char *why) {
  v->served = 0;
  sqlite3_snprintf(sizeof v->why, v->why, "%s", why);
}

/* Says by how much a score fell short, in the terms it is made of. */
static void explain(const FixedRule *rule, Verdict *v) {
  const FixedEvidence *e = &v->evidence;
  double agreement = fixed_agreement(rule, e), closeness = fixed_closeness(rule, e);
  if (e->repeats) {
    sqlite3_snprintf(sizeof v->why, v->why,
                     "agreement: cosine %.2f, margin %.2f, %d of its answer: %.2f, needs %.2f",
                     e->cosine, e->margin, e->votes, agreement, rule->needs_agreement);
  } else {
    double room = closeness - (20 * e->cosine - rule->offset);
    sqlite3_snprintf(sizeof v->why, v->why, "cosine: %.2f with margin %.2f, needs %.2f", e->cosine,
                     e->margin, (fixed_needs_closeness(rule, e) + rule->offset - room) / 20);
  }
}

/* 1 if those who judged this entry's answers found it right for questions as far as this one. */
static int is_taught(Search *s, const Near *near, Err *err) {
  enum { RIGHTS = 3 };
  int rights = 0, wrongs = 0;
  return learn_has_rights(s->table, err) &&
         learn_count(s->table, near->id, near->cosine, &rights, &wrongs, err) == RC_OK &&
         rights >= RIGHTS && rights > RIGHTS * wrongs;
}

/* The verdict by what the neighbours answer. */
static int judge(Search *s, const FixedRule *rule, Nears *x, int at, Verdict *v, Err *err) {
  Near *near = &x->list[at];
  *v = (Verdict){.policy = rule->name};
  if (weigh(s, x, at, &v->evidence, err) != RC_OK) {
    return err->rc;
  }
  switch (fixed_judge(rule, &v->evidence)) {
  case FIXED_CONTESTED:
    refuse(v, "agreement: more neighbours give another answer");
    break;
  case FIXED_AGREED:
    v->policy = v->evidence.votes > 1 ? rule->name : rule->name_close;
    v->served = 1;
    break;
  case FIXED_CLOSE:
    v->policy = rule->name_close;
    v->served = 1;
    break;
  default:
    explain(rule, v);
    if (has_lost_second(s->table, err)) {
      size_t n = strlen(v->why);
      sqlite3_snprintf((int)(sizeof v->why - n), v->why + n,
                       " (MiniLM confirmed here, its weights are not at hand)");
    }
  }
  int doubts = v->served ? learn_doubts(s->table, s->partition, &near->answer, err) : 0;
  if (doubts) {
    refuse(v, "agreement: this answer was wrong for most neighbours of its entries");
  }
  if (!v->served && is_taught(s, near, err)) {
    v->policy = TAUGHT;
    v->served = 1;
    v->why[0] = 0;
  }
  return err->rc;
}

static Evidence evidence_of(const Near *near, const FixedEvidence *e) {
  return (Evidence){.similarity = near->cosine,
                    .second = near->second,
                    .margin = e->votes ? e->margin : (double)NAN,
                    .agree = e->votes ? e->votes : 1};
}

/* --- the nearest */

/* For the question's INSERT. */
static void remember(Search *s, const Near *near, const FixedEvidence *e) {
  const Missed m = {.partition = s->partition->id,
                    .entry = near->id,
                    .answer = near->answer,
                    .evidence = evidence_of(near, e)};
  pending_miss(s->table, s->q, &m);
}

/* A miss: kept for the log where it was near. */
static int miss(Search *s, const FixedRule *rule, const Near *near, const FixedEvidence *e,
                const char *why, Err *err) {
  Evidence evidence = evidence_of(near, e);
  return fixed_is_possible(rule, near->rank, FIXED_MARGIN_MOST, 1)
             ? search_near_miss(s, near->id, &evidence, why, err)
             : err->rc;
}

/* The lowest cosine of an entry that is looked at. */
/* Among many entries the nearest is near, if any is right, and the search for others long. */
static double floor_of(const Search *s, const FixedRule *rule, Err *err) {
  enum { MANY = 32768 };
  const double nearest_static = 0.66, nearest_of_many = 0.75;
  if (learn_has_rights(s->table, err)) {
    return TAUGHT_FLOOR;
  }
  if (rule != &fixed_rule_static) {
    return s->table->embedder.floor;
  }
  return vec_index_count(s->partition->index) < MANY ? nearest_static : nearest_of_many;
}

/* 1 where the two nearest alone show that the nearest won't be served. */
static int is_hopeless(const FixedRule *rule, const Nears *x) {
  double room = x->n > 1 && !same_answer(&x->list[0], &x->list[1])
                    ? x->list[0].rank - x->list[1].rank
                    : FIXED_MARGIN_MOST;
  int most = room < FIXED_MARGIN_MOST ? FIXED_NEIGHBOURS - 1 : FIXED_NEIGHBOURS;
  return !fixed_is_possible(rule, x->list[0].rank, room, most);
}

/* 1 if a search down to `lowest` has found all neighbours in reach of the nearest; those beyond it are left out. */
static int has_all(Nears *x, double lowest) {
  double reach = x->list[0].cosine - FIXED_REACH;
  int is_whole = x->n == FIXED_NEIGHBOURS || lowest <= reach;
  while (x->list[x->n - 1].cosine < reach) {
    x->n--;
  }
  return is_whole;
}

/* Votes of the strongest other answer among those found. */
static int strongest_other(Search *s, Nears *x, Err *err) {
  int most = 0;
  for (int i = 1; i < x->n && err->rc == RC_OK; i++) {
    int votes = same_answer(&x->list[0], &x->list[i]) ? 0 : votes_for(s, x, x->n, i, err);
    most = votes > most ? votes : most;
  }
  return most;
}

/* 1 where fewer than eight were found down to `lowest`, and those below it, whatever they are, change nothing. If the nearest is
** served even if the next one below gives another answer and all that are missing do, it is; if it is not even if
** they agree with it, it is not. */
static int is_settled(Search *s, const FixedRule *rule, Nears *x, double lowest, Err *err) {
  FixedEvidence worst, best;
  int missing = FIXED_NEIGHBOURS - x->n;
  if (weigh(s, x, 0, &best, err) != RC_OK) {
    return 0;
  }
  worst = best;
  worst.margin = fmin(best.margin, x->list[0].rank - lowest);
  worst.repeats = 1;
  worst.contested = strongest_other(s, x, err) + missing > best.votes;
  best.votes += missing;
  best.contested = 0;
  FixedVerdict at_worst = fixed_judge(rule, &worst), at_best = fixed_judge(rule, &best);
  return err->rc == RC_OK &&
         (at_worst == FIXED_AGREED || at_worst == FIXED_CLOSE || at_best == FIXED_NO);
}

/* Finds the neighbours that decide, best first, with their answers. None: nothing is near enough. *is_whole 0: only the two
** nearest, which show that the nearest won't be served. (One search most often: of the eight, where they all are near.) */
static int gather(Search *s, const FixedRule *rule, Nears *x, int *is_whole, Err *err) {
  enum { PAIR = 2 };
  int confirms = rule == &fixed_rule_confirmed;
  double lowest = floor_of(s, rule, err);
  *is_whole = confirms;
  if (find_nears(s, lowest, FIXED_NEIGHBOURS, confirms, x, err) != RC_OK ||
      read_some(s->table, x, 0, confirms ? x->n : PAIR, err) != RC_OK || x->n == 0 || confirms) {
    return err->rc;
  }
  if (is_hopeless(rule, x) && !learn_has_rights(s->table, err)) {
    x->n = x->n < PAIR ? x->n : PAIR;
    return err->rc;
  }
  *is_whole = 1;
  if (has_all(x, lowest)) {
    return read_some(s->table, x, PAIR, x->n, err);
  }
  if (read_some(s->table, x, PAIR, x->n, err) != RC_OK || is_settled(s, rule, x, lowest, err) ||
      err->rc != RC_OK) {
    return err->rc;
  }
  double nearest = x->list[0].cosine;
  nears_free(x);
  return find_nears(s, nearest - FIXED_REACH, FIXED_NEIGHBOURS, 0, x, err) == RC_OK
             ? read_answers(s->table, x, err)
             : err->rc;
}

static int serve(const Near *near, const char *policy, Match *m, int *n) {
  m[(*n)++] = (Match){.id = near->id, .similarity = near->cosine, .policy = policy};
  return RC_OK;
}

static int decide(Search *s, const FixedRule *rule, Nears *x, int is_whole, Match *m, int *n,
                  Err *err) {
  const FixedEvidence nothing = {0};
  Verdict v = {0};
  const VecHit nearest = {x->list[0].id, x->list[0].cosine};
  Allowed allowed = search_allows(s, &nearest, v.why, err);
  if (allowed == ALLOWED_IF_TAUGHT && is_taught(s, &x->list[0], err)) {
    return serve(&x->list[0], TAUGHT, m, n);
  }
  if (allowed != ALLOWED) {
    return err->rc == RC_OK ? miss(s, rule, &x->list[0], &nothing, v.why, err) : err->rc;
  }
  if (!is_whole) {
    remember(s, &x->list[0], &nothing);
    return miss(s, rule, &x->list[0], &nothing,
                "agreement: the second nearest gives another answer", err);
  }
  if (judge(s, rule, x, 0, &v, err) != RC_OK) {
    return err->rc;
  }
  if (!v.served) {
    remember(s, &x->list[0], &v.evidence);
    return miss(s, rule, &x->list[0], &v.evidence, v.why, err);
  }
  return serve(&x->list[0], v.policy, m, n);
}

int agreement_match(Search *s, const FixedRule *rule, Match *m, int *n, Err *err) {
  Nears x = {0};
  int is_whole = 0;
  if (gather(s, rule, &x, &is_whole, err) == RC_OK && x.n > 0) {
    decide(s, rule, &x, is_whole, m, n, err);
  }
  nears_free(&x);
  return err->rc;
}

/* --- several */

/* 1 if there are fewer than k that are nearer by the cosine that is shown. */
static int is_among(const Nears *x, int at, int k) {
  int nearer = 0;
  for (int i = 0; i < x->n; i++) {
    nearer += x->list[i].cosine > x->list[at].cosine;
  }
  return nearer < k;
}

/* What would be done with the one at `at`. */
static int judge_one(Search *s, const FixedRule *rule, Nears *x, int at, Verdict *v, Err *err) {
  const VecHit hit = {x->list[at].id, x->list[at].cosine};
  *v = (Verdict){.policy = rule->name};
  Allowed allowed = search_allows(s, &hit, v->why, err);
  if (allowed == ALLOWED) {
    judge(s, rule, x, at, v, err);
  } else if (allowed == ALLOWED_IF_TAUGHT && is_taught(s, &x->list[at], err)) {
    *v = (Verdict){.served = 1, .policy = TAUGHT};
  }
  if (v->served && at > 0 && !s->q->verify) {
    refuse(v, "another entry is nearer");
  }
  return err->rc;
}

/* The result's row of the one at `at`: 1, or 0 where there is none. */
static int take(Search *s, const FixedRule *rule, Nears *x, int at, Match *m, Err *err) {
  Verdict v = {.policy = rule->name};
  if (!s->q->verify && !is_among(x, at, s->q->k)) {
    return 0;
  }
  if ((s->q->verify || s->q->explains) && judge_one(s, rule, x, at, &v, err) != RC_OK) {
    return 0;
  }
  *m = (Match){.id = x->list[at].id, .similarity = x->list[at].cosine, .policy = v.policy};
  return s->q->verify ? v.served : search_why(m, v.why, err) == RC_OK;
}

int agreement_several(Search *s, const FixedRule *rule, Match *m, int *n, Err *err) {
  int left = s->q->k - *n, want = left < FIXED_NEIGHBOURS ? FIXED_NEIGHBOURS : left;
  int judges = s->q->verify || s->q->explains;
  double lowest = s->q->verify ? floor_of(s, rule, err) - FIXED_REACH : -1;
  Nears x = {0};
  if (find_nears(s, lowest, want, judges && rule == &fixed_rule_confirmed, &x, err) == RC_OK &&
      judges) {
    read_answers(s->table, &x, err);
  }
  for (int i = 0, taken = 1; i < x.n && taken && *n < s->q->k && err->rc == RC_OK; i++) {
    int is_served = take(s, rule, &x, i, &m[*n], err);
    *n += is_served;
    taken =
        i > 0 || is_served || !s->q->verify; /* the nearest only: after a veto there is nothing */
  }
  nears_free(&x);
  return err->rc;
}

/* --- learning */

int agreement_learn(CacheTable *t, const Missed *missed, int64_t id, sqlite3_value *response,
                    int64_t now, Err *err) {
  Hash answer;
  if (answer_key(response, &answer, err) != RC_OK) {
    return err->rc;
  }
  int same = memcmp(&answer, &missed->answer, sizeof answer) == 0;
  return learn_compared(t, missed->partition, missed->entry, &missed->evidence, same, now, err) ==
                 RC_OK
             ? learn_noted(t, missed->partition, &answer, id, err)
             : err->rc;
}
