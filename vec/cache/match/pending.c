/*
** What lookups leave to be written: a SELECT can't write, so it waits in memory for the next write through this connection.
*/
#include "vec/cache/match/pending.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WAITING = 65536, MISSES = 256 };

int pending_hit(CacheTable *t, int64_t id, int64_t now, Err *err) {
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

int pending_decision(CacheTable *t, const Decision *d, Err *err) {
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

void pending_miss(CacheTable *t, const MatchQuery *q, const Missed *missed) {
  if (!q->text || q->n_conditions) {
    return;
  }
  t->missed = t->missed ? t->missed : calloc(MISSES, sizeof *t->missed);
  if (t->missed) { /* without memory nothing is learned */
    Missed *m = &t->missed[t->n_missed++ % MISSES];
    *m = *missed;
    m->question = hash_bytes(q->text, q->n, 0);
  }
}

int pending_take_miss(CacheTable *t, int64_t partition, const char *text, size_t n,
                      Missed *missed) {
  Hash question = hash_bytes(text, n, 0);
  for (size_t i = 0; t->missed && i < MISSES; i++) {
    Missed *m = &t->missed[i];
    if (m->partition == partition && memcmp(&m->question, &question, sizeof question) == 0) {
      *missed = *m;
      *m = (Missed){0};
      return 1;
    }
  }
  return 0;
}

void pending_forget_misses(CacheTable *t, int64_t entry) {
  for (size_t i = 0; t->missed && i < MISSES; i++) {
    if (!entry || t->missed[i].entry == entry) {
      t->missed[i] = (Missed){0};
    }
  }
}

void pending_bind_evidence(sqlite3_stmt *stmt, int at, const Evidence *e) {
  sqlite3_bind_double(stmt, at, e->similarity);
  if (!isnan(e->second)) {
    sqlite3_bind_double(stmt, at + 1, e->second);
  }
  if (!isnan(e->margin)) {
    sqlite3_bind_double(stmt, at + 2, e->margin);
  }
  sqlite3_bind_int(stmt, at + 3, e->agree);
}

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
  pending_bind_evidence(stmt, 4, &d->evidence);
  sqlite3_bind_double(stmt, 8, d->chance);
  sqlite3_bind_double(stmt, 9, d->needed);
  sqlite3_bind_double(stmt, 10, d->draw);
  sqlite3_bind_int(stmt, 11, d->served);
  if (d->why[0]) {
    rows_bind_text(t, stmt, 12, d->why, strlen(d->why), err);
  }
  return rows_run(t, stmt, err);
}

int pending_flush(CacheTable *t, Err *err) {
  if (flush_hits(t, err) != RC_OK || second_flush(t, err) != RC_OK ||
      (t->n_decisions > 0 && rows_extend(t, err) != RC_OK)) {
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
