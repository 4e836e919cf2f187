/*
** One lookup in one partition: exact on the text, exact on its normal form, then semantic.
**
** Semantic: the index proposes the nearest entries, and one of three policies says whether the nearest is served: the share of
** wrong answers that was asked for (adaptive.c), a threshold that somebody chose (threshold.c), or, where nobody chose
** anything, what the neighbours answer (agreement.c). Guard and feedback can only say no. Nothing here can name a
** partition other than the one it was given.
*/
#include "vec/cache/match/match.h"

#include "base/text/text.h"
#include "vec/cache/match/policies.h"
#include "vec/cache/match/pending.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    if (!is_live || !text || condition_broken(q->conditions, q->n_conditions, stmt, 4, 3)) {
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

/* --- the semantic lookup */

static Search search_of(CacheTable *t, const MatchQuery *q, Err *err) {
  return (Search){.table = t,
                  .q = q,
                  .vector = t->vector,
                  .now = q->verify ? q->now : INT64_MIN,
                  .rows = {.table = t,
                           .partition = q->partition,
                           .conditions = q->conditions,
                           .n_conditions = q->n_conditions,
                           .err = err}};
}

static int by_similarity(const void *a, const void *b) {
  const Match *x = a, *y = b;
  return (x->similarity < y->similarity) - (x->similarity > y->similarity);
}

/* The semantic part, by the policy that is in force. */
static int match_by_policy(Search *s, Match *matches, int *n, Err *err) {
  const MatchQuery *q = s->q;
  int is_one = q->verify && q->k == 1;
  if (!isnan(adaptive_bound(s)) && isnan(q->threshold)) { /* one at most, whatever k */
    return q->verify ? adaptive_match(s, matches, n, err) : adaptive_show(s, matches, n, err);
  }
  const FixedRule *rule = search_has_threshold(s) ? NULL : agreement_rule(s->table, err);
  if (err->rc != RC_OK) {
    return err->rc;
  }
  if (rule) {
    return is_one ? agreement_match(s, rule, matches, n, err)
                  : agreement_several(s, rule, matches, n, err);
  }
  return is_one ? threshold_match(s, matches, n, err) : threshold_several(s, matches, n, err);
}

/* Nothing was found among the entries that meet the conditions on tag and model. What would have been served without them is
** kept for the log; with verify 0 the others are shown, and which condition they don't meet. */
static int look_beyond_conditions(Search *s, Match *matches, int *n, Err *err) {
  char why[WHY_SIZE];
  int first = *n;
  s->rows.n_conditions = 0;
  if (match_by_policy(s, matches, n, err) != RC_OK) {
    return err->rc;
  }
  for (int i = first; i < *n && err->rc == RC_OK; i++) {
    sqlite3_free(matches[i].why);
    matches[i].why = NULL;
    if (search_condition(s, matches[i].id, why, err) == RC_OK) {
      const VecHit hit = {matches[i].id, matches[i].similarity};
      s->q->verify ? search_near(s, &hit, why, err) : search_why(&matches[i], why, err);
    }
  }
  *n = s->q->verify ? first : *n;
  return err->rc;
}

static int semantic_match(CacheTable *t, const MatchQuery *q, Match *matches, int *n, Err *err) {
  Search s = search_of(t, q, err);
  int first = *n;
  s.partition = memory_partition(t, q->partition, 1, err);
  if (!s.partition) {
    return err->rc;
  }
  if (*n > 0) {
    search_skip(&s, matches[0].id);
  }
  match_by_policy(&s, matches, n, err);
  if (err->rc == RC_OK && *n == 0 && q->n_conditions) {
    look_beyond_conditions(&s, matches, n, err);
  }
  qsort(matches + first, (size_t)(*n - first), sizeof *matches, by_similarity);
  return err->rc;
}

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
    matches[(*n)++] = (Match){.id = id, .similarity = 1, .is_exact = 1, .policy = "exact"};
  }
  if (*n < q->k) {
    int rc = q->text ? question_vector(t, q, err) : RC_OK;
    if (rc != RC_OK) {
      return rc == VEC_EMPTY ? RC_OK : err->rc;
    }
    semantic_match(t, q, matches, n, err);
  }
  return err->rc == RC_OK && *n > 0 && q->verify ? pending_hit(t, matches[0].id, q->now, err)
                                                 : err->rc;
}

/* --- what an INSERT teaches */

/* What is learned from a question that was looked up, and not found. */
static int learn_from_miss(Search *s, MatchQuery *q, int64_t id, sqlite3_value *response,
                           Err *err) {
  CacheTable *t = s->table;
  Missed missed;
  if (!s->q->text || !pending_take_miss(t, s->q->partition, s->q->text, s->q->n, &missed)) {
    return err->rc;
  }
  if (missed.entry) {
    return agreement_learn(t, &missed, id, response, s->q->now, err);
  }
  s->partition = memory_partition(t, s->q->partition, 1, err);
  q->threshold = missed.threshold;
  search_skip(s, id);
  return s->partition ? threshold_learn(s, err) : err->rc;
}

/* With max_false_hits every entry is compared; else that of a question which was looked up and not found. */
int match_learn(CacheTable *t, int64_t partition, int64_t id, sqlite3_value *query,
                sqlite3_value *response, double max_false_hits, int64_t now, Err *err) {
  MatchQuery q = {.partition = partition,
                  .verify = 1,
                  .now = now,
                  .threshold = (double)NAN,
                  .max_false_hits = max_false_hits};
  Search s = search_of(t, &q, err);
  int is_adaptive = !isnan(adaptive_bound(&s));
  if (!is_adaptive && !t->missed) {
    return RC_OK;
  }
  if (!value_is_null(query) && !(q.text = value_bytes(query, &q.n, err))) {
    return err->rc;
  }
  if (!is_adaptive) {
    return learn_from_miss(&s, &q, id, response, err);
  }
  s.has_near_miss = 1; /* the lookup has said so */
  s.partition = memory_partition(t, partition, 1, err);
  if (s.partition) {
    search_skip(&s, id);
    adaptive_compare(&s, response, err);
  }
  return err->rc;
}

/* --- what decides */

static const char *policy_name(CacheTable *t, Err *err) {
  const FixedRule *rule = agreement_rule(t, err);
  return !isnan(t->set.max_false_hits)              ? "max_false_hits"
         : !isnan(t->set.threshold) || rule == NULL ? "threshold"
                                                    : rule->name;
}

int match_note_policy(CacheTable *t, Err *err) {
  char known[SETTING_VALUE];
  if (!t->embedder.dim || rows_settings(t, err) != RC_OK) {
    return err->rc;
  }
  const char *name = policy_name(t, err);
  if (err->rc != RC_OK || name == t->policy) {
    return err->rc;
  }
  int found = rows_meta(t, "policy", known, sizeof known, err);
  if (found >= 0 && (found == 0 || strcmp(known, name) != 0)) {
    rows_set_meta(t, "policy", name, err);
    t->second.dim ? rows_set_meta(t, "confirmed", t->second.version, err) : RC_OK;
  }
  t->policy = err->rc == RC_OK ? name : t->policy;
  return err->rc;
}

void match_free(CacheTable *t) {
  second_forget(t);
  free(t->missed);
  free(t->hits);
  free(t->decisions);
}
