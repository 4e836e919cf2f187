/*
** The default policy: see agreement.h and vec/policy/fixed.h.
**
** Nearest only: a veto is a miss, no reason to ask the next. What is dear comes last: the two nearest first; then guard and
** feedback on the nearest; then, unless the second's answer leaves too little room for any outcome, all neighbours in
** reach and what they answer. Where MiniLM confirms, the neighbours found by 'static' are ranked by MiniLM's cosines.
**
** A miss is remembered until its question is inserted: whether the nearest entry's answer would have been right is then known,
** and becomes a label. Track of answers (vec/policy/track.h) are made of labels when first needed.
*/
#include "vec/cache/match/agreement.h"

#include "vec/cache/match/answer.h"
#include "vec/cache/match/learn.h"
#include "vec/cache/match/pending.h"
#include "vec/engine/kernels/cosine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MISSES = 256 };
#define TAUGHT_FLOOR 0.3 /* how far feedback reaches */

/* A question that was looked up and not found. */
struct Missed {
  int64_t partition, entry;
  Hash question, answer; /* answer: the nearest entry's */
  Evidence evidence;
};

typedef struct Near {
  int64_t id;
  double cosine, second, rank; /* rank: by the cosine that counts */
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
  if (found == 1) {
    answer_key(sqlite3_column_value(e.stmt, ENTRY_RESPONSE), &near->answer, err);
    sqlite3_reset(e.stmt);
  }
  return err->rc == RC_OK ? found : -1;
}

/* The answers of all; what is gone drops out. */
static int read_answers(CacheTable *t, Nears *x, Err *err) {
  int n = 0;
  for (int i = 0; i < x->n && err->rc == RC_OK; i++) {
    if (read_answer(t, &x->list[i], err) == 1) {
      x->list[n++] = x->list[i];
    }
  }
  x->n = n;
  return err->rc;
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
  if (s->rows.stmt) {
    sqlite3_reset(s->rows.stmt);
  }
  return near->vector;
}

/* 1 if one of the entries that have voted is a variant of this one's text. */
static int is_variant(Search *s, Nears *x, const int *voted, int votes, int at, Err *err) {
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

/* How many of the others considered give the same answer as the one at `i`. */
static int supporters(const Nears *x, int n, int i) {
  int count = 0;
  for (int k = 0; k < n; k++) {
    count += same_answer(&x->list[i], &x->list[k]);
  }
  return count;
}

/* What is known of serving the one at `at`, as if it were the nearest. */
static int weigh(Search *s, Nears *x, int at, FixedEvidence *e, Err *err) {
  int voted[FIXED_NEIGHBOURS] = {at}, most = 0, n = 0;
  const Near *own = &x->list[at];
  while (n < x->n && n < FIXED_NEIGHBOURS && own->rank - x->list[n].rank <= FIXED_REACH) {
    n++;
  }
  *e = (FixedEvidence){.cosine = own->rank, .margin = FIXED_MARGIN_MOST, .votes = 1};
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    int is_same = same_answer(own, &x->list[i]), count = supporters(x, n, i);
    e->repeats |= count > 1;
    if (!is_same) {
      e->margin = fmin(e->margin, own->rank - x->list[i].rank);
      most = count > most ? count : most;
    } else if (i != at && !is_variant(s, x, voted, e->votes, i, err)) {
      voted[e->votes++] = i;
    }
  }
  e->contested = most > e->votes;
  if (vec_index_count(s->partition->index) < FIXED_NEIGHBOURS) {
    e->margin = fmin(e->margin, 0);
  }
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
  snprintf(v->why, sizeof v->why, "%s", why);
}

/* Says by how much a score fell short, in the terms it is made of. */
static void explain(const FixedRule *rule, Verdict *v) {
  const FixedEvidence *e = &v->evidence;
  double agreement = fixed_agreement(rule, e), closeness = fixed_closeness(rule, e);
  if (e->repeats) {
    snprintf(v->why, sizeof v->why,
             "agreement: cosine %.2f, margin %.2f, %d of its answer: %.2f, needs %.2f", e->cosine,
             e->margin, e->votes, agreement, rule->needs_agreement);
  } else {
    double room = closeness - (20 * e->cosine - rule->offset);
    snprintf(v->why, sizeof v->why, "cosine: %.2f with margin %.2f, needs %.2f", e->cosine,
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
      snprintf(v->why + n, sizeof v->why - n,
               " (MiniLM confirmed here, its weights are not at hand)");
    }
  }
  int doubts = v->served ? learn_doubts(s->table, s->partition, &near->answer, err) : 0;
  if (doubts) {
    refuse(v, "agreement: this answer was wrong for most neighbours of its entries");
  }
  if (!v->served && is_taught(s, near, err)) {
    v->policy = "feedback";
    v->served = 1;
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

static void remember(Search *s, const Near *near, const FixedEvidence *e) {
  CacheTable *t = s->table;
  if (!s->q->text || s->q->n_conditions) {
    return; /* what was left out is nothing to learn from */
  }
  t->missed = t->missed ? t->missed : calloc(MISSES, sizeof *t->missed);
  if (t->missed) { /* without memory nothing is learned */
    t->missed[t->n_missed++ % MISSES] =
        (struct Missed){.partition = s->partition->id,
                        .entry = near->id,
                        .question = hash_bytes(s->q->text, s->q->n, 0),
                        .answer = near->answer,
                        .evidence = evidence_of(near, e)};
  }
}

/* A miss: kept for the log where it was near, and for the question's INSERT. */
static int miss(Search *s, const FixedRule *rule, const Near *near, const FixedEvidence *e,
                const char *why, Err *err) {
  Evidence evidence = evidence_of(near, e);
  remember(s, near, e);
  return fixed_is_possible(rule, near->rank, FIXED_MARGIN_MOST, 1)
             ? search_near_miss(s, near->id, &evidence, why, err)
             : err->rc;
}

/* The lowest cosine of an entry that is looked at. */
static double floor_of(CacheTable *t, const FixedRule *rule, Err *err) {
  const double nearest_static = 0.66; /* below it few are right, and the search is long */
  if (learn_has_rights(t, err)) {
    return TAUGHT_FLOOR;
  }
  return rule == &fixed_rule_static ? nearest_static : t->embedder.floor;
}

/* 1 where the two nearest alone show that the nearest won't be served. */
static int is_hopeless(const FixedRule *rule, const Nears *x) {
  double room = x->n > 1 && !same_answer(&x->list[0], &x->list[1])
                    ? x->list[0].rank - x->list[1].rank
                    : FIXED_MARGIN_MOST;
  int most = room < FIXED_MARGIN_MOST ? FIXED_NEIGHBOURS - 1 : FIXED_NEIGHBOURS;
  return !fixed_is_possible(rule, x->list[0].rank, room, most);
}

/* Finds the neighbours that decide, best first, with their answers. None: nothing is near enough. *is_whole 0: only the two
** nearest, which show that the nearest won't be served. */
static int gather(Search *s, const FixedRule *rule, Nears *x, int *is_whole, Err *err) {
  int confirms = rule == &fixed_rule_confirmed;
  double lowest = floor_of(s->table, rule, err);
  *is_whole = confirms;
  if (find_nears(s, lowest, confirms ? FIXED_NEIGHBOURS : 2, confirms, x, err) != RC_OK ||
      read_answers(s->table, x, err) != RC_OK || x->n == 0 || confirms) {
    return err->rc;
  }
  if (is_hopeless(rule, x) && !learn_has_rights(s->table, err)) {
    return err->rc;
  }
  double nearest = x->list[0].cosine;
  *is_whole = 1;
  nears_free(x);
  return find_nears(s, nearest - FIXED_REACH, FIXED_NEIGHBOURS, 0, x, err) == RC_OK
             ? read_answers(s->table, x, err)
             : err->rc;
}

static int decide(Search *s, const FixedRule *rule, Nears *x, int is_whole, Match *m, int *n,
                  Err *err) {
  const FixedEvidence nothing = {0};
  Verdict v = {0};
  const VecHit nearest = {x->list[0].id, x->list[0].cosine};
  int allowed = search_allows(s, &nearest, v.why, err);
  if (allowed != 1) {
    return allowed == 0 ? miss(s, rule, &x->list[0], &nothing, v.why, err) : err->rc;
  }
  if (!is_whole) {
    return miss(s, rule, &x->list[0], &nothing,
                "agreement: the second nearest gives another answer", err);
  }
  if (judge(s, rule, x, 0, &v, err) != RC_OK) {
    return err->rc;
  }
  if (!v.served) {
    return miss(s, rule, &x->list[0], &v.evidence, v.why, err);
  }
  m[(*n)++] = (Match){.id = x->list[0].id, .similarity = x->list[0].cosine, .policy = v.policy};
  return RC_OK;
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
  if (search_allows(s, &hit, v->why, err) == 1) {
    judge(s, rule, x, at, v, err);
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
  return s->q->verify ? v.served : match_why(m, v.why, err) == RC_OK;
}

int agreement_several(Search *s, const FixedRule *rule, Match *m, int *n, Err *err) {
  int left = s->q->k - *n, want = left < FIXED_NEIGHBOURS ? FIXED_NEIGHBOURS : left;
  int judges = s->q->verify || s->q->explains;
  double lowest = s->q->verify ? floor_of(s->table, rule, err) - FIXED_REACH : -1;
  Nears x = {0};
  if (find_nears(s, lowest, want, judges && rule == &fixed_rule_confirmed, &x, err) == RC_OK &&
      judges) {
    read_answers(s->table, &x, err);
  }
  for (int i = 0; i < x.n && *n < s->q->k && err->rc == RC_OK; i++) {
    *n += take(s, rule, &x, i, &m[*n], err);
  }
  nears_free(&x);
  return err->rc;
}

/* --- learning */

/* The miss of this question, or NULL; it is forgotten. */
static int take_missed(CacheTable *t, int64_t partition, const char *text, size_t n,
                       struct Missed *missed) {
  Hash question = hash_bytes(text, n, 0);
  for (size_t i = 0; t->missed && i < MISSES; i++) {
    struct Missed *x = &t->missed[i];
    if (x->partition == partition && memcmp(&x->question, &question, sizeof question) == 0) {
      *missed = *x;
      *x = (struct Missed){0};
      return 1;
    }
  }
  return 0;
}

int agreement_learn(CacheTable *t, int64_t partition, int64_t id, sqlite3_value *query,
                    sqlite3_value *response, int64_t now, Err *err) {
  struct Missed missed;
  Hash answer;
  size_t n;
  const char *text = t->missed && !value_is_null(query) ? value_bytes(query, &n, err) : NULL;
  if (!text || !take_missed(t, partition, text, n, &missed) ||
      answer_key(response, &answer, err) != RC_OK) {
    return err->rc;
  }
  int same = memcmp(&answer, &missed.answer, sizeof answer) == 0;
  return learn_compared(t, partition, &missed.answer, missed.entry, &missed.evidence, same, now,
                        err) == RC_OK
             ? learn_noted(t, partition, &answer, id, err)
             : err->rc;
}

void agreement_free(CacheTable *t) {
  free(t->missed);
  t->missed = NULL;
}
