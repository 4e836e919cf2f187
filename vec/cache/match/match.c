/*
** One lookup in one partition: exact on the text, exact on its normal form, then semantic.
**
** Semantic: the index proposes the nearest entry; the guard may veto it (then the next nearest is
** asked); where a confirming embedder is there, what lies below embedder.sure needs its consent too. With
** max_false_hits the threshold is not a number but a decision (policy.h). Nothing here can
** name a partition other than the one it was given.
*/
#include "vec/cache/match/match.h"

#include "core/guard/guard.h"
#include "base/utf8.h"
#include "base/text/text.h"
#include "vec/engine/kernels/cosine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VETOES = 8, NEIGHBOURS = 8, MOST_WAITING = 65536 };

int match_embedder(CacheTable *t, int any_version, Err *err) {
  char known[LIMIT_MODEL_NAME], dim[16];
  Embedder e;
  if (trust_check(t, err) != RC_OK || t->embedder.dim) {
    return err->rc;
  }
  if (strcmp(t->set.embedder, "none") == 0) {
    embedder_none(&e, t->set.dim);
  } else if (t->host->embedder(t->host->ctx, t->set.embedder, &e, err) != RC_OK) {
    return err->rc;
  }
  int found = any_version ? 0 : rows_meta(t, "embedder_version", known, sizeof known, err);
  if (found == 1 && strcmp(known, e.version) != 0) {
    return err_set(err, RC_ERROR, ERR_EMBEDDER,
                   "'%.60s' was made with embedder version '%.60s', this llmcost has '%.60s': their"
                   " vectors can't be compared; INSERT INTO \"%.60s\"(\"%.60s\") VALUES('rebuild')"
                   " embeds every query again",
                   t->name, known, e.version, t->name, t->name);
  }
  int64_t known_dim;
  found = found == 1 ? rows_meta(t, "dim", dim, sizeof dim, err) : found;
  if (found == 1 && !text_integer(dim, e.dim, e.dim, &known_dim)) {
    err_set(err, RC_ERROR, ERR_EMBEDDER, "'%.60s' has vectors of length %.15s, its embedder %d",
            t->name, dim, e.dim);
  }
  t->vector = err->rc == RC_OK ? malloc(sizeof(float) * (size_t)e.dim) : NULL;
  if (err->rc == RC_OK && !t->vector) {
    err_nomem(err);
  }
  if (err->rc == RC_OK) {
    t->embedder = e;
  }
  return err->rc;
}

int match_embed(CacheTable *t, const char *text, size_t n, Err *err) {
  if (!t->embedder.run) {
    return err_set(err, RC_ERROR, ERR_EMBEDDER,
                   "'%.60s' has embedder='none': give a vector of %d float32, not text", t->name,
                   t->embedder.dim);
  }
  return t->embedder.run(t->embedder.ctx, text, n, t->vector, err);
}

/* --- reading entries */

/* A row's texts, borrowed from its statement until the next read. */
typedef struct Entry {
  sqlite3_stmt *stmt;
  const char *query;
  size_t n_query;
} Entry;

/* 1 found, 0 gone, -1 error. */
static int read_entry(CacheTable *t, int64_t id, Entry *e, Err *err) {
  e->stmt = rows_stmt(t, ROW_GET, err);
  if (!e->stmt) {
    return -1;
  }
  sqlite3_reset(e->stmt);
  sqlite3_bind_int64(e->stmt, 1, id);
  int rc = sqlite3_step(e->stmt);
  if (rc != SQLITE_ROW) {
    rows_reset(t, e->stmt, err);
    return err->rc == RC_OK ? 0 : -1;
  }
  int is_null = sqlite3_column_type(e->stmt, 1) == SQLITE_NULL;
  e->query = (const char *)sqlite3_column_text(e->stmt, 1);
  e->n_query = (size_t)sqlite3_column_bytes(e->stmt, 1);
  if (!e->query && !is_null) { /* not a text that isn't there: the guard would let it pass */
    err_nomem(err);
    rows_reset(t, e->stmt, err);
    return -1;
  }
  return 1;
}

int match_same_text(CacheTable *t, const MatchQuery *q, const char *text, size_t n, Err *err) {
  const Buf *asked = &t->text;
  if (n == q->n && memcmp(text, q->text, n) == 0) {
    return 2;
  }
  Buf other;
  buf_init(&other, LIMIT_REQUEST_BYTES * 4);
  int rc = text_normalize(text, n, &other);
  int same = rc == RC_OK && other.n == asked->n &&
             (other.n == 0 || memcmp(other.data, asked->data, other.n) == 0);
  buf_free(&other);
  if (rc == RC_NOMEM) {
    err_nomem(err);
  }
  return same;
}

/* The entry with this text, or with its normal form; the newest first. *id 0: none. */
static int find_exact(CacheTable *t, const MatchQuery *q, int64_t *id, Err *err) {
  int64_t hash;
  sqlite3_stmt *stmt = NULL;
  *id = 0;
  if (rows_text_hash(t, q->text, q->n, &hash, err) == RC_OK) {
    stmt = rows_stmt(t, ROW_BY_TEXT, err);
  }
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, q->partition);
  sqlite3_bind_int64(stmt, 2, hash);
  for (int best = 0; best != 2 && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW;) {
    int is_live =
        sqlite3_column_type(stmt, 2) == SQLITE_NULL || sqlite3_column_int64(stmt, 2) > q->now;
    const char *text = (const char *)sqlite3_column_text(stmt, 1);
    if (!is_live || !text || !value_passes(q->model, stmt, 3) || !value_passes(q->tag, stmt, 4)) {
      continue;
    }
    int same = match_same_text(t, q, text, (size_t)sqlite3_column_bytes(stmt, 1), err);
    if (same > best) {
      best = same;
      *id = sqlite3_column_int64(stmt, 0);
    }
  }
  return rows_reset(t, stmt, err);
}

/* --- the semantic search */

/* A search under way: the question, and the entries it will not hear of again. */
typedef struct Search {
  CacheTable *table;
  const MatchQuery *q;
  Partition *partition;
  const void *vector;
  RowSource rows;
  int64_t skip[MOST_VETOES + 1];
  int has_asked_second, has_near_miss;
} Search;

static void search_skip(Search *s, int64_t id) {
  if (s->rows.n_skip < MOST_VETOES + 1) {
    s->skip[s->rows.n_skip++] = id;
    s->rows.skip = s->skip;
  }
}

/* Up to k entries with cosine >= lowest, best first. */
static int nearest(Search *s, double lowest, int k, VecHit *hits, int *n, Err *err) {
  VecSource source = {row_source_vector, &s->rows};
  int rc = k == 1 ? vec_index_best(s->partition->index, s->vector, lowest, s->q->now, &source, hits,
                                   n, NULL)
                  : vec_index_nearest(s->partition->index, s->vector, lowest, k, s->q->now, &source,
                                      hits, n, NULL);
  if (s->rows.stmt) {
    sqlite3_reset(s->rows.stmt);
  }
  if (rc != VEC_OK && err->rc == RC_OK) {
    rc == VEC_NOMEM ? err_nomem(err) : rows_corrupt(s->table, "the index, code", rc, err);
  }
  return err->rc;
}

/* 1 if the guard lets this entry's answer serve the question; -1 error. */
static int guard_allows(Search *s, int64_t id, Err *err) {
  Entry e;
  if (!s->table->set.guard || !s->q->text) {
    return 1;
  }
  int found = read_entry(s->table, id, &e, err);
  int allows =
      found == 1 && (!e.query || !guard_veto(s->q->text, s->q->n, e.query, e.n_query, err));
  if (found == 1) {
    sqlite3_reset(e.stmt);
  }
  return found < 0 || err->rc != RC_OK ? -1 : allows;
}

/* The cosine of the question and an entry by the confirming embedder; NAN where there is none. */
static double second_cosine(Search *s, int64_t id, Err *err) {
  CacheTable *t = s->table;
  Entry e;
  double cosine = (double)NAN;
  if (!s->q->text || !second_embedder(t, err) || read_entry(t, id, &e, err) != 1) {
    return cosine;
  }
  t->asked_second = t->asked_second ? t->asked_second : malloc(second_bytes(t));
  if (!t->asked_second) {
    err_nomem(err);
  } else if (!s->has_asked_second) {
    s->has_asked_second =
        t->second.run(t->second.ctx, s->q->text, s->q->n, t->asked_second, err) == RC_OK;
  }
  const float *known = s->has_asked_second && e.query
                           ? second_of(t, id, e.query, e.n_query, sqlite3_column_blob(e.stmt, 3),
                                       (size_t)sqlite3_column_bytes(e.stmt, 3), err)
                           : NULL;
  if (known) {
    cosine_f32(t->asked_second, known, (size_t)t->second.dim, &cosine);
  }
  sqlite3_reset(e.stmt);
  return cosine;
}

/* 1 if anything was ever found wrong here (looked at once until something changes). */
static int has_wrong_labels(CacheTable *t, Err *err) {
  sqlite3_stmt *stmt = t->memory.has_wrong < 0 ? rows_stmt(t, LABEL_ANY_WRONG, err) : NULL;
  if (stmt) {
    int found = sqlite3_step(stmt) == SQLITE_ROW;
    t->memory.has_wrong = rows_reset(t, stmt, err) == RC_OK ? found : -1;
  }
  return t->memory.has_wrong != 0;
}

/* 1 if somebody reported this entry wrong for a question at least this close; -1 error. */
static int was_wrong(CacheTable *t, int64_t id, double cosine, Err *err) {
  if (!has_wrong_labels(t, err)) {
    return 0;
  }
  sqlite3_stmt *stmt = rows_stmt(t, LABEL_WORST, err);
  if (!stmt) {
    return -1;
  }
  sqlite3_bind_int64(stmt, 1, id);
  double worst = 0;
  int found = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
  if (found && !column_real(stmt, 0, -COSINE_MOST, COSINE_MOST, &worst)) {
    rows_corrupt(t, "labels of entry", id, err);
  }
  return rows_reset(t, stmt, err) == RC_OK && err->rc == RC_OK ? found && cosine <= worst : -1;
}

/* The cosine from which a match is a hit, and whether somebody chose it. */
static double threshold_of(const Search *s, int *is_given) {
  const CacheTable *t = s->table;
  *is_given = !isnan(s->q->threshold) || !isnan(t->set.threshold);
  return !isnan(s->q->threshold)    ? s->q->threshold
         : !isnan(t->set.threshold) ? t->set.threshold
                                    : t->embedder.threshold;
}

/* 1 if neither guard nor feedback nor the confirming embedder is against it; -1 error. */
static int is_allowed(Search *s, const VecHit *hit, double threshold, int confirms, Err *err) {
  int allowed = guard_allows(s, hit->id, err);
  if (allowed == 1 && was_wrong(s->table, hit->id, hit->cosine, err)) {
    allowed = 0;
  }
  if (allowed == 1 && confirms && hit->cosine < s->table->embedder.sure) {
    double second = second_cosine(s, hit->id, err);
    allowed = isnan(second) ? hit->cosine >= threshold : second >= s->table->second.threshold;
  }
  return err->rc == RC_OK ? allowed : -1;
}

/* Keeps a decision for the log. */
static int log_decision(CacheTable *t, const Decision *d, Err *err) {
  if (t->n_decisions == t->decisions_cap) {
    size_t cap = t->decisions_cap ? t->decisions_cap * 2 : 64;
    Decision *more = cap > MOST_WAITING ? NULL : realloc(t->decisions, cap * sizeof *more);
    if (!more) {
      return cap > MOST_WAITING ? RC_OK : err_nomem(err); /* the log is a sample then */
    }
    t->decisions = more;
    t->decisions_cap = cap;
  }
  t->decisions[t->n_decisions++] = *d;
  return RC_OK;
}

/* Keeps the first entry of a lookup that was near enough by the usual threshold, and was refused. */
static int log_near_miss(Search *s, const VecHit *hit, Err *err) {
  Decision d = {.ts = s->q->now,
                .partition = s->partition->id,
                .entry = hit->id,
                .evidence = {.similarity = hit->cosine,
                             .second = (double)NAN,
                             .margin = (double)NAN,
                             .agree = 1},
                .chance = (double)NAN,
                .needed = (double)NAN,
                .draw = (double)NAN};
  int is_near = hit->cosine >= s->table->embedder.threshold && !s->has_near_miss++;
  return is_near ? log_decision(s->table, &d, err) : RC_OK;
}

/* The nearest entry above the threshold that nothing is against. One at a time: the second is
** rarely needed. */
static int fixed_match(Search *s, Match *m, int *n, Err *err) {
  int is_given;
  double threshold = threshold_of(s, &is_given);
  for (int round = 0; round < MOST_VETOES; round++) {
    VecHit hit;
    int found = 0;
    if (nearest(s, threshold, 1, &hit, &found, err) != RC_OK || !found) {
      return err->rc;
    }
    int allowed = is_allowed(s, &hit, threshold, 0, err);
    if (allowed == 1) {
      m[(*n)++] = (Match){hit.id, hit.cosine, 0};
    }
    if (allowed != 0 || log_near_miss(s, &hit, err) != RC_OK) {
      return err->rc;
    }
    search_skip(s, hit.id);
  }
  return RC_OK;
}

/* Matches out of the nearest, in one search; with verify 0 the nearest themselves. Where there is a
** confirming embedder and nobody chose a threshold, it is asked about everything above the floor. */
static int several(Search *s, int k, Match *m, int *n, Err *err) {
  int is_given, left = k - *n, found = 0;
  double threshold = threshold_of(s, &is_given), lowest = threshold;
  int confirms = s->q->verify && s->q->text && second_embedder(s->table, err) != NULL;
  int want = s->q->verify ? left + MOST_VETOES : left;
  VecHit *hits = malloc(sizeof *hits * (size_t)want);
  if (!hits) {
    return err_nomem(err);
  }
  if (!s->q->verify) {
    lowest = -1;
  } else if (confirms && !is_given) {
    lowest = s->table->embedder.floor;
  }
  nearest(s, lowest, want, hits, &found, err);
  for (int i = 0; i < found && *n < k && err->rc == RC_OK; i++) {
    if (!s->q->verify || is_allowed(s, &hits[i], threshold, confirms, err) == 1) {
      m[(*n)++] = (Match){hits[i].id, hits[i].cosine, 0};
    } else if (err->rc == RC_OK) {
      log_near_miss(s, &hits[i], err);
    }
  }
  free(hits);
  return err->rc;
}

/* --- the adaptive decision */

/* An answer as it is compared: in meaning where it is text, else by its bytes. */
typedef struct Answer {
  enum { NO_ANSWER, TEXT_ANSWER, BYTES_ANSWER } kind;
  char *bytes;
  size_t n;
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
  return RC_OK;
}

/* Reads a neighbour's answer and confirming cosine, and whether guard or feedback refuse it. 1 found,
** 0 gone, -1 error. */
static int read_neighbour(Search *s, Neighbour *x, Err *err) {
  Entry e;
  int allowed = guard_allows(s, x->id, err);
  x->is_refused = allowed != 1 || was_wrong(s->table, x->id, x->cosine, err);
  x->second = err->rc == RC_OK ? second_cosine(s, x->id, err) : (double)NAN;
  int found = err->rc == RC_OK ? read_entry(s->table, x->id, &e, err) : 0;
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
  int found = 0;
  *n = 0;
  nearest(s, s->table->embedder.floor, NEIGHBOURS, hits, &found, err);
  for (int i = 0; i < found && err->rc == RC_OK; i++) {
    list[*n] = (Neighbour){.id = hits[i].id, .cosine = hits[i].cosine};
    *n += read_neighbour(s, &list[*n], err) == 1;
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
    log_near_miss(s, &hits[0], err);
  }
  return err->rc;
}

/* 1 if two texts have the same normal form. */
static int same_form(const Answer *a, const Answer *b, Err *err) {
  Buf x, y;
  buf_init(&x, LIMIT_RESPONSE_BYTES * 4);
  buf_init(&y, LIMIT_RESPONSE_BYTES * 4);
  int rc = text_normalize(a->bytes, a->n, &x);
  rc = rc == RC_OK ? text_normalize(b->bytes, b->n, &y) : rc;
  int same = rc == RC_OK && x.n == y.n && (x.n == 0 || memcmp(x.data, y.data, x.n) == 0);
  buf_free(&x);
  buf_free(&y);
  if (rc == RC_NOMEM) {
    err_nomem(err);
  }
  return same;
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
  if (a->kind != TEXT_ANSWER || (a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0)) {
    return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
  }
  int same = same_form(a, b, err);
  int is_short = (a->n <= SHORT || b->n <= SHORT || a->bytes[0] == '{' || a->bytes[0] == '[');
  if (same || is_short || err->rc != RC_OK || t->embedder.run == NULL) {
    return err->rc != RC_OK ? -1 : same;
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

/* The policy of a partition, having learned every label there is. */
static Policy *policy_of(CacheTable *t, Partition *p, Err *err) {
  const Embedder *second = second_embedder(t, err);
  int64_t seed;
  if (err->rc != RC_OK) {
    return NULL;
  }
  if (!p->policy && !text_integer(t->seed, 0, INT64_MAX, &seed)) {
    rows_corrupt(t, "meta: the seed is no number from 0 to", INT64_MAX, err);
  } else if (!p->policy) {
    p->policy = policy_new(t->embedder.even, second ? second->even : (double)NAN,
                           (uint64_t)seed ^ (uint64_t)p->id);
    p->policy ? 0 : err_nomem(err);
  }
  sqlite3_stmt *stmt = p->policy ? rows_stmt(t, LABELS_OF, err) : NULL;
  if (!stmt) {
    return NULL;
  }
  sqlite3_bind_int64(stmt, 1, p->id);
  sqlite3_bind_int64(stmt, 2, p->policy_seen);
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    Evidence e;
    int64_t ok, id = sqlite3_column_int64(stmt, 0);
    if (!column_evidence(stmt, 2, &e) || !column_integer(stmt, 6, 0, 1, &ok)) {
      rows_corrupt(t, "labels: row", id, err);
    } else if (policy_learn(p->policy, &e, sqlite3_column_int64(stmt, 1), (int)ok)) {
      err_nomem(err);
    }
    p->policy_seen = err->rc == RC_OK ? id : p->policy_seen;
  }
  return rows_reset(t, stmt, err) == RC_OK ? p->policy : NULL;
}

/* The share of what is served that may be wrong; NAN: the threshold is fixed. */
static double bound_of(const Search *s) {
  return !isnan(s->q->max_false_hits) ? s->q->max_false_hits : s->table->set.max_false_hits;
}

static uint64_t question_hash(const Search *s) {
  Hash h = s->q->text ? hash_bytes(s->q->text, s->q->n, 0)
                      : hash_bytes(s->vector, 4 * (size_t)s->table->embedder.dim, 0);
  uint64_t value;
  memcpy(&value, h.b, sizeof value);
  return value;
}

static int adaptive_match(Search *s, Match *m, int *n, Err *err) {
  CacheTable *t = s->table;
  Neighbour list[NEIGHBOURS];
  int found = 0;
  Policy *policy = policy_of(t, s->partition, err);
  if (policy && neighbours(s, list, &found, err) == RC_OK && found > 0) {
    Decision d = {.ts = s->q->now, .partition = s->partition->id, .entry = list[0].id};
    if (gather(s, list, found, &d.evidence, err) == RC_OK) {
      policy_decide(policy, bound_of(s), question_hash(s), &d);
      log_decision(t, &d, err);
    }
    if (d.served && err->rc == RC_OK) {
      m[(*n)++] = (Match){list[0].id, list[0].cosine, 0};
    }
  }
  free_neighbours(list, found);
  return err->rc;
}

static void bind_evidence(sqlite3_stmt *stmt, int at, const Evidence *e) {
  sqlite3_bind_double(stmt, at, e->similarity);
  if (!isnan(e->second)) {
    sqlite3_bind_double(stmt, at + 1, e->second);
  }
  sqlite3_bind_double(stmt, at + 2, e->margin);
  sqlite3_bind_int(stmt, at + 3, e->agree);
}

static int add_label(CacheTable *t, int64_t ts, int64_t partition, int64_t entry, const Evidence *e,
                     int ok, const char *source, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LABEL_ADD, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, ts);
  sqlite3_bind_int64(stmt, 2, partition);
  sqlite3_bind_int64(stmt, 3, entry);
  bind_evidence(stmt, 4, e);
  sqlite3_bind_int(stmt, 8, ok);
  rows_bind_text(t, stmt, 9, source, strlen(source), err);
  rows_run(t, stmt, err);
  t->memory.has_wrong = -1;
  stmt = err->rc == RC_OK && sqlite3_last_insert_rowid(t->db) % 256 == 0
             ? rows_stmt(t, LABEL_TRIM, err)
             : NULL;
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, partition);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

/* Compares the new answer with its first neighbour's. */
static int compare(Search *s, sqlite3_value *response, Err *err) {
  CacheTable *t = s->table;
  Neighbour list[NEIGHBOURS];
  Answer answer = {0};
  Evidence e;
  int n = 0;
  if (!value_is_null(response) && copy_answer(response, &answer, err) == RC_OK &&
      neighbours(s, list, &n, err) == RC_OK && n > 0 && gather(s, list, n, &e, err) == RC_OK) {
    int same = same_answer(t, &answer, &list[0].answer, err);
    if (same >= 0 && err->rc == RC_OK) {
      add_label(t, s->q->now, s->partition->id, list[0].id, &e, same, "comparison", err);
    }
  }
  free_neighbours(list, n);
  free(answer.bytes);
  return err->rc;
}

int match_learn(CacheTable *t, int64_t partition, int64_t id, sqlite3_value *query,
                sqlite3_value *response, double max_false_hits, int64_t now, Err *err) {
  if (isnan(t->set.max_false_hits) && isnan(max_false_hits)) {
    return RC_OK;
  }
  MatchQuery q = {.partition = partition, .verify = 1, .now = now};
  if (!value_is_null(query) && !(q.text = value_bytes(query, &q.n, err))) {
    return err->rc;
  }
  Search s = {.table = t,
              .has_near_miss = 1, /* the lookup has said so */
              .q = &q,
              .vector = t->vector,
              .rows = {.table = t, .partition = partition, .err = err}};
  s.partition = memory_partition(t, partition, 1, err);
  if (s.partition) {
    search_skip(&s, id);
    compare(&s, response, err);
  }
  return err->rc;
}

/* The evidence on which the entry was last served; where that is not known, what is given. */
static int last_evidence(CacheTable *t, int64_t id, Evidence *e, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, DECISION_LAST, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, id);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    Evidence last;
    if (!column_evidence(stmt, 0, &last)) {
      rows_corrupt(t, "decisions on entry", id, err);
    } else if (isnan(e->similarity) || fabs(last.similarity - e->similarity) < 1e-9) {
      *e = last;
    }
  }
  return rows_reset(t, stmt, err);
}

int match_feedback(CacheTable *t, int64_t partition, int64_t id, double similarity, int ok,
                   int64_t now, Err *err) {
  Evidence e = {.similarity = similarity, .second = (double)NAN, .agree = 1};
  if (match_flush(t, err) != RC_OK || last_evidence(t, id, &e, err) != RC_OK) {
    return err->rc;
  }
  e.similarity = isnan(e.similarity) ? 1 : e.similarity;
  return add_label(t, now, partition, id, &e, ok, "feedback", err);
}

/* --- the lookup */

/* The question's vector, in t->vector. VEC_EMPTY: a text without one. */
static int question_vector(CacheTable *t, const MatchQuery *q, Err *err) {
  size_t want = 4 * (size_t)t->embedder.dim;
  if (q->text) {
    return match_embed(t, q->text, q->n, err);
  }
  if (q->vector_bytes != want) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "MATCH: expected text or %d float32 (%zu bytes), received %zu bytes",
                   t->embedder.dim, want, q->vector_bytes);
  }
  VectorFault fault = vector_unit(q->vector, (size_t)t->embedder.dim, t->vector);
  return fault == VECTOR_FINE ? RC_OK
                              : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                                        "MATCH: expected a vector with a direction, "
                                        "received %s",
                                        fault == VECTOR_ZERO ? "all zeros" : "NaN or infinity");
}

/* Notes a hit, to be counted with the next write. */
static int count_hit(CacheTable *t, int64_t id, int64_t now, Err *err) {
  for (size_t i = t->n_hits; i > 0 && i + 8 > t->n_hits; i--) {
    if (t->hits[i - 1].id == id) {
      t->hits[i - 1].n++;
      t->hits[i - 1].last_at = now;
      return RC_OK;
    }
  }
  if (t->n_hits == t->hits_cap) {
    size_t cap = t->hits_cap ? t->hits_cap * 2 : 64;
    PendingHit *more = cap > MOST_WAITING ? NULL : realloc(t->hits, cap * sizeof *more);
    if (!more) {
      return cap > MOST_WAITING ? RC_OK : err_nomem(err);
    }
    t->hits = more;
    t->hits_cap = cap;
  }
  t->hits[t->n_hits++] = (PendingHit){id, 1, now};
  return RC_OK;
}

static int semantic_match(CacheTable *t, const MatchQuery *q, Match *matches, int *n, Err *err) {
  Search s = {
      .table = t,
      .q = q,
      .vector = t->vector,
      .rows = {
          .table = t, .partition = q->partition, .tag = q->tag, .model = q->model, .err = err}};
  s.partition = memory_partition(t, q->partition, 1, err);
  if (!s.partition) {
    return err->rc;
  }
  if (*n > 0) {
    search_skip(&s, matches[0].id);
  }
  if (q->verify && !isnan(bound_of(&s)) && isnan(q->threshold)) {
    return adaptive_match(&s, matches, n, err); /* one at most, whatever k */
  }
  int in_one = !q->verify || q->k > 1 || (q->text && second_embedder(t, err));
  return in_one ? several(&s, q->k, matches, n, err) : fixed_match(&s, matches, n, err);
}

int match_run(CacheTable *t, const MatchQuery *q, Match *matches, int *n, Err *err) {
  int64_t id = 0;
  *n = 0;
  if ((!q->text || !t->embedder.run) && question_vector(t, q, err) != RC_OK) {
    return err->rc;
  }
  if (!q->partition || (q->text && find_exact(t, q, &id, err) != RC_OK)) {
    return err->rc;
  }
  if (id) {
    matches[(*n)++] = (Match){id, 1, 1};
  }
  if (*n < q->k) {
    int rc = q->text ? question_vector(t, q, err) : RC_OK;
    if (rc != RC_OK) {
      return rc == VEC_EMPTY ? RC_OK : err->rc;
    }
    semantic_match(t, q, matches, n, err);
  }
  return err->rc == RC_OK && *n > 0 && q->verify ? count_hit(t, matches[0].id, q->now, err)
                                                 : err->rc;
}

/* --- what lookups leave to be written */

static int flush_hits(CacheTable *t, Err *err) {
  for (size_t i = 0; i < t->n_hits && err->rc == RC_OK; i++) {
    sqlite3_stmt *stmt = rows_stmt(t, ROW_TOUCH, err);
    if (stmt) {
      sqlite3_bind_int64(stmt, 1, t->hits[i].id);
      sqlite3_bind_int64(stmt, 2, t->hits[i].n);
      sqlite3_bind_int64(stmt, 3, t->hits[i].last_at);
      rows_run(t, stmt, err);
    }
  }
  t->n_hits = err->rc == RC_OK ? 0 : t->n_hits;
  return err->rc;
}

static int flush_decision(CacheTable *t, const Decision *d, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, DECISION_ADD, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, d->ts);
  sqlite3_bind_int64(stmt, 2, d->partition);
  sqlite3_bind_int64(stmt, 3, d->entry);
  bind_evidence(stmt, 4, &d->evidence);
  sqlite3_bind_double(stmt, 8, d->chance);
  sqlite3_bind_double(stmt, 9, d->needed);
  sqlite3_bind_double(stmt, 10, d->draw);
  sqlite3_bind_int(stmt, 11, d->served);
  return rows_run(t, stmt, err);
}

int match_flush(CacheTable *t, Err *err) {
  if (flush_hits(t, err) != RC_OK || second_flush(t, err) != RC_OK) {
    return err->rc;
  }
  for (size_t i = 0; i < t->n_decisions && err->rc == RC_OK; i++) {
    flush_decision(t, &t->decisions[i], err);
  }
  if (t->n_decisions > 0 && err->rc == RC_OK) {
    sqlite3_stmt *stmt = rows_stmt(t, DECISION_TRIM, err);
    t->n_decisions = 0;
    return stmt ? rows_run(t, stmt, err) : err->rc;
  }
  return err->rc;
}

void match_free(CacheTable *t) {
  second_forget(t);
  free(t->hits);
  free(t->decisions);
}
