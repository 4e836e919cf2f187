/*
** See learn.h for the contract.
*/
#include "vec/cache/match/learn.h"

#include "vec/cache/state/answer.h"
#include "vec/cache/match/pending.h"
#include "vec/policy/fixed.h"
#include "vec/policy/track.h"

#include <math.h>
#include <string.h>

/* --- labels */

int learn_add(CacheTable *t, int64_t ts, int64_t partition, int64_t entry, const Evidence *e,
              int ok, const char *source, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LABEL_ADD, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, ts);
  sqlite3_bind_int64(stmt, 2, partition);
  sqlite3_bind_int64(stmt, 3, entry);
  pending_bind_evidence(stmt, 4, e);
  sqlite3_bind_int(stmt, 8, ok);
  rows_bind_text(t, stmt, 9, source, strlen(source), err);
  rows_run(t, stmt, err);
  t->memory.has_wrong = t->memory.has_right = -1;
  stmt = err->rc == RC_OK && sqlite3_last_insert_rowid(t->db) % 256 == 0
             ? rows_stmt(t, LABEL_TRIM, err)
             : NULL;
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, partition);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

Policy *learn_policy(CacheTable *t, Partition *p, Err *err) {
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

/* --- records of answers */

/* One label of an entry and its answer. */
static int read_label(CacheTable *t, Partition *p, sqlite3_stmt *stmt, Err *err) {
  int64_t id = sqlite3_column_int64(stmt, 0), ok;
  double cosine;
  Hash key;
  if (!column_real(stmt, 2, -COSINE_MOST, COSINE_MOST, &cosine) ||
      !column_integer(stmt, 3, 0, 1, &ok)) {
    return rows_corrupt(t, "labels: row", id, err);
  }
  if (answer_key(sqlite3_column_value(stmt, 4), &key, err) == RC_OK &&
      track_learn(p->track, &key, sqlite3_column_int64(stmt, 1), cosine, (int)ok, err) == RC_OK) {
    p->track_seen = id;
  }
  return err->rc;
}

/* The records of a partition, having learned every label there is; NULL and *err. */
static Track *track_of(CacheTable *t, Partition *p, Err *err) {
  if (!p->track && !(p->track = track_new())) {
    err_nomem(err);
  }
  sqlite3_stmt *stmt = err->rc == RC_OK ? rows_stmt(t, LABELS_ANSWERED, err) : NULL;
  if (!stmt) {
    return NULL;
  }
  sqlite3_bind_int64(stmt, 1, p->id);
  sqlite3_bind_int64(stmt, 2, p->track_seen);
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    read_label(t, p, stmt, err);
  }
  return rows_reset(t, stmt, err) == RC_OK ? p->track : NULL;
}

int learn_doubts(CacheTable *t, Partition *p, const Hash *answer, Err *err) {
  const Track *r = track_of(t, p, err);
  return r && track_doubts(r, answer);
}

/* 1 if the entry is still there; 0 also with *err. */
static int is_there(CacheTable *t, int64_t entry, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROW_KEY, err);
  if (!stmt) {
    return 0;
  }
  sqlite3_bind_int64(stmt, 1, entry);
  int found = sqlite3_step(stmt) == SQLITE_ROW;
  return rows_reset(t, stmt, err) == RC_OK && found;
}

int learn_compared(CacheTable *t, int64_t partition, int64_t entry, const Evidence *e, int same,
                   int64_t now, Err *err) {
  return is_there(t, entry, err) ? learn_add(t, now, partition, entry, e, same, "lookup", err)
                                 : err->rc;
}

int learn_noted(CacheTable *t, int64_t partition, const Hash *answer, int64_t entry, Err *err) {
  Partition *p = memory_partition(t, partition, 0, err);
  return p && p->track ? track_note(p->track, answer, entry, err) : err->rc;
}

/* --- what callers said */

int learn_has_rights(CacheTable *t, Err *err) {
  sqlite3_stmt *stmt = t->memory.has_right < 0 ? rows_stmt(t, LABEL_ANY_RIGHT, err) : NULL;
  if (stmt) {
    int found = sqlite3_step(stmt) == SQLITE_ROW;
    t->memory.has_right = rows_reset(t, stmt, err) == RC_OK ? found : -1;
  }
  return t->memory.has_right == 1;
}

int learn_count(CacheTable *t, int64_t entry, double cosine, int *rights, int *wrongs, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LABEL_COUNT, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, entry);
  sqlite3_bind_double(stmt, 2, cosine);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    *rights = sqlite3_column_int(stmt, 0);
    *wrongs = sqlite3_column_int(stmt, 1);
  }
  return rows_reset(t, stmt, err);
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

/* Who says the opposite of the same match has changed his mind. */
static int correct(CacheTable *t, int64_t id, const Evidence *e, int ok, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LABEL_CORRECT, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, id);
  sqlite3_bind_int(stmt, 2, ok);
  sqlite3_bind_double(stmt, 3, e->similarity);
  return rows_run(t, stmt, err);
}

int learn_feedback(CacheTable *t, int64_t partition, int64_t id, double similarity, int ok,
                   int64_t now, Err *err) {
  Evidence e = {.similarity = similarity, .second = (double)NAN, .agree = 1};
  if (pending_flush(t, err) != RC_OK || last_evidence(t, id, &e, err) != RC_OK) {
    return err->rc;
  }
  e.similarity = isnan(e.similarity) ? 1 : e.similarity;
  return correct(t, id, &e, ok, err) == RC_OK
             ? learn_add(t, now, partition, id, &e, ok, "feedback", err)
             : err->rc;
}
