/*
** See search.h for the contract.
*/
#include "vec/cache/match/pending.h"
#include "vec/cache/match/search.h"

#include "base/check.h"
#include "core/guard/guard.h"
#include "vec/engine/kernels/cosine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void search_skip(Search *s, int64_t id) {
  if (s->rows.n_skip < MOST_VETOES + 1) {
    s->skip[s->rows.n_skip++] = id;
    s->rows.skip = s->skip;
  }
}

int search_nearest(Search *s, double lowest, int k, VecHit *hits, int *n, Err *err) {
  VecSource source = {row_source_vector, &s->rows};
  int64_t now = s->now;
  int rc = k == 1
               ? vec_index_best(s->partition->index, s->vector, lowest, now, &source, hits, n, NULL)
               : vec_index_nearest(s->partition->index, s->vector, lowest, k, now, &source, hits, n,
                                   NULL);
  row_source_end(&s->rows);
  if (rc != VEC_OK && err->rc == RC_OK) {
    rc == VEC_NOMEM ? err_nomem(err) : rows_corrupt(s->table, "the index, code", rc, err);
  }
  return err->rc;
}

int search_read(CacheTable *t, int64_t id, Entry *e, Err *err) {
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

double search_second(Search *s, int64_t id, Err *err) {
  CacheTable *t = s->table;
  Entry e;
  double cosine = (double)NAN;
  if (!s->q->text || !second_embedder(t, err) || search_read(t, id, &e, err) != 1) {
    return cosine;
  }
  t->asked_second = t->asked_second ? t->asked_second : malloc(second_bytes(t));
  if (!t->asked_second) {
    err_nomem(err);
  } else if (!s->has_asked_second) {
    s->has_asked_second =
        t->second.run(t->second.ctx, s->q->text, s->q->n, t->asked_second, err) == RC_OK;
  }
  const float *known =
      s->has_asked_second && e.query
          ? second_of(t, id, e.query, e.n_query, sqlite3_column_blob(e.stmt, ENTRY_SECOND),
                      (size_t)sqlite3_column_bytes(e.stmt, ENTRY_SECOND), err)
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

/* Whether the guard lets this entry's answer serve the question, and why not. */
static Allowed guard_allows(Search *s, const Entry *e, char why[WHY_SIZE], Err *err) {
  Buf words;
  if (!s->table->set.guard || !s->q->text || !e->query) {
    return 1;
  }
  buf_init(&words, WHY_SIZE);
  const char *rule = guard_explain(s->q->text, s->q->n, e->query, e->n_query, &words, err);
  if (rule) {
    snprintf(why, WHY_SIZE, words.n ? "guard: %s: %.*s" : "guard: %s", rule, (int)words.n,
             words.data);
  }
  buf_free(&words);
  if (err->rc != RC_OK) {
    return ALLOWED_ERROR;
  }
  return !rule ? ALLOWED : strcmp(rule, "content") == 0 ? ALLOWED_IF_TAUGHT : ALLOWED_NOT;
}

static int has_expired(const Search *s, const Entry *e) {
  return !s->q->verify && sqlite3_column_type(e->stmt, ENTRY_EXPIRES) != SQLITE_NULL &&
         sqlite3_column_int64(e->stmt, ENTRY_EXPIRES) <= s->q->now;
}

/* 1 where nothing of the row is asked: it was lent for this very search, which finds nothing that has expired by its
** time, and the guard looks at texts. */
static int needs_no_row(const Search *s) {
  return s->q->verify && (!s->table->set.guard || !s->q->text);
}

Allowed search_allows(Search *s, const VecHit *hit, char why[WHY_SIZE], Err *err) {
  Entry e;
  char unwanted[WHY_SIZE];
  why = why ? why : unwanted;
  int wrong = was_wrong(s->table, hit->id, hit->cosine, err);
  if (!wrong && needs_no_row(s)) {
    return ALLOWED;
  }
  int found = wrong < 0 ? -1 : search_read(s->table, hit->id, &e, err);
  if (found != 1) {
    return found < 0 ? ALLOWED_ERROR : ALLOWED_NOT;
  }
  Allowed allowed = ALLOWED_NOT;
  if (has_expired(s, &e)) {
    snprintf(why, WHY_SIZE, "ttl: it has expired");
  } else if (wrong) {
    snprintf(why, WHY_SIZE, "feedback: reported wrong for a question as near");
  } else {
    allowed = guard_allows(s, &e, why, err);
  }
  sqlite3_reset(e.stmt);
  return allowed;
}

int search_condition(Search *s, int64_t id, char why[WHY_SIZE], Err *err) {
  enum { SHOWN = 40 };
  Entry e;
  why[0] = 0;
  if (search_read(s->table, id, &e, err) != 1) {
    return err->rc;
  }
  const Condition *c =
      condition_broken(s->q->conditions, s->q->n_conditions, e.stmt, ENTRY_TAG, ENTRY_MODEL);
  if (c) {
    int is_tag = c->column == C_TAG;
    const char *has = (const char *)sqlite3_column_text(e.stmt, is_tag ? ENTRY_TAG : ENTRY_MODEL);
    sqlite3_snprintf(WHY_SIZE, why, "%s: it has %.*Q", is_tag ? "tag" : "model", SHOWN, has);
  }
  sqlite3_reset(e.stmt);
  return err->rc;
}

double search_threshold(const Search *s) {
  const CacheTable *t = s->table;
  return !isnan(s->q->threshold)    ? s->q->threshold
         : !isnan(t->set.threshold) ? t->set.threshold
                                    : t->embedder.threshold;
}

int search_has_threshold(const Search *s) {
  return !isnan(s->q->threshold) || !isnan(s->table->set.threshold);
}

int search_why(Match *m, const char *why, Err *err) {
  m->why = *why ? sqlite3_mprintf("%s", why) : NULL;
  return m->why || !*why ? RC_OK : err_nomem(err);
}

int search_near_miss(Search *s, int64_t id, const Evidence *evidence, const char *why, Err *err) {
  Decision d = {.ts = s->q->now,
                .partition = s->partition->id,
                .entry = id,
                .evidence = *evidence,
                .chance = (double)NAN,
                .needed = (double)NAN,
                .draw = (double)NAN};
  if (s->has_near_miss++) {
    return RC_OK;
  }
  snprintf(d.why, sizeof d.why, "%s", why);
  return pending_decision(s->table, &d, err);
}

int search_near(Search *s, const VecHit *hit, const char *why, Err *err) {
  Evidence e = {
      .similarity = hit->cosine, .second = (double)NAN, .margin = (double)NAN, .agree = 1};
  return search_near_miss(s, hit->id, &e, why, err);
}
