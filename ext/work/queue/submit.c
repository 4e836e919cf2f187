/*
** See submit.h for the contract.
*/
#include "work/queue/submit.h"

#include "base/hash.h"
#include "base/sqlite/columns.h"
#include "base/base64.h"
#include "store/host/host.h"
#include "vec/engine/kernels/vector.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A date is one in UTC, as SQLite's own functions read it. */
#define COLUMNS                                                                                    \
  "SELECT id, priority, attempts, batch_id, CASE typeof(deadline) WHEN 'integer' THEN deadline "   \
  "WHEN 'text'"                                                                                    \
  " THEN CAST((julianday(deadline) - 2440587.5) * 86400000 + 0.5 AS INTEGER) END, prompt, system," \
  " model, options, tag, user, conversation FROM main.batch_submit"

static const char *const texts[SUBMIT_SQLS] = {
    [SUBMIT_NEXT] = COLUMNS " WHERE status = 'queued' AND (priority < ?1 OR (priority = ?1 AND"
                            " id > ?2)) ORDER BY priority DESC, id",
    [SUBMIT_GET] = COLUMNS " WHERE id = ?1",
    [SUBMIT_CHANGE] =
        "UPDATE main.batch_submit SET status = ?4, attempts = coalesce(?5, attempts),"
        " batch_id = ?6, answer = ?7, error = ?8, cost_usd = ?9, finished_at = ?10"
        " WHERE id = ?1 AND instr(?2, status) > 0 AND (status = 'queued' OR batch_id IS ?3)",
    [SUBMIT_SENT] = "UPDATE main.batch_submit SET status = 'submitted' WHERE batch_id = ?1 AND"
                    " status IN ('sending', 'submitted') AND status = 'sending'",
    [SUBMIT_LEFT] = "UPDATE main.batch_submit SET status = 'queued', attempts = max(0, attempts -"
                    " ?1) WHERE batch_id IS NULL AND status IN ('sending', 'submitted')",
    [SUBMIT_BATCHES] = "SELECT batch_id, count(*) FROM main.batch_submit WHERE status IN"
                       " ('sending', 'submitted') AND batch_id IS NOT NULL GROUP BY batch_id",
    [SUBMIT_LOCK] = "UPDATE main.batch_queue SET id = id WHERE 0",
};

void submits_close(Submits *s) {
  for (int i = 0; i < SUBMIT_SQLS; i++) {
    sqlite3_finalize(s->stmt[i]);
    s->stmt[i] = NULL;
  }
}

static sqlite3_stmt *statement(Submits *s, SubmitSql id, Err *err) {
  if (err->rc == RC_OK && !s->stmt[id] &&
      sqlite3_prepare_v3(s->db, texts[id], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[id], NULL) !=
          SQLITE_OK) {
    host_error(s->db, "use batch_submit", err);
  }
  return err->rc == RC_OK ? s->stmt[id] : NULL;
}

static void bind_number(sqlite3_stmt *stmt, int at, long long value) {
  value == SUBMIT_NULL ? sqlite3_bind_null(stmt, at) : sqlite3_bind_int64(stmt, at, value);
}

static long long number_at(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_NULL ? SUBMIT_NULL : sqlite3_column_int64(stmt, i);
}

static const char *text_at(sqlite3_stmt *stmt, int i) {
  return (const char *)sqlite3_column_text(stmt, i);
}

static void read_row(sqlite3_stmt *stmt, SubmitRow *row) {
  *row = (SubmitRow){.id = sqlite3_column_int64(stmt, 0),
                     .priority = sqlite3_column_int64(stmt, 1),
                     .attempts = sqlite3_column_int64(stmt, 2),
                     .batch_id = number_at(stmt, 3),
                     .deadline_ms = number_at(stmt, 4),
                     .prompt = text_at(stmt, 5),
                     .system = text_at(stmt, 6),
                     .model = text_at(stmt, 7),
                     .options = text_at(stmt, 8),
                     .tag = text_at(stmt, 9),
                     .user = text_at(stmt, 10),
                     .conversation = text_at(stmt, 11)};
  row->n_prompt = (size_t)sqlite3_column_bytes(stmt, 5);
  row->n_options = (size_t)sqlite3_column_bytes(stmt, 8);
}

/* 1 a row, 0 none, -1. */
static int step(Submits *s, sqlite3_stmt *stmt, SubmitRow *row, Err *err) {
  int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
  if (rc == SQLITE_ROW && columns_have_texts(stmt)) {
    read_row(stmt, row);
    return 1;
  }
  if (rc == SQLITE_ROW) {
    err_nomem(err);
  } else if (stmt && rc != SQLITE_DONE) {
    host_error(s->db, "read batch_submit", err);
  }
  return err->rc == RC_OK ? 0 : -1;
}

SubmitPlace submit_from_start(void) {
  return (SubmitPlace){LLONG_MAX, 0}; /* before the first id of the greatest priority */
}

int submit_next(Submits *s, SubmitPlace *place, SubmitRow *row, Err *err) {
  sqlite3_stmt *stmt = statement(s, SUBMIT_NEXT, err);
  if (stmt && !sqlite3_stmt_busy(stmt)) {
    sqlite3_bind_int64(stmt, 1, place->priority);
    sqlite3_bind_int64(stmt, 2, place->id);
  }
  int found = step(s, stmt, row, err);
  if (found == 1) {
    *place = (SubmitPlace){row->priority, row->id};
  }
  return found;
}

void submit_rest(Submits *s) {
  sqlite3_reset(s->stmt[SUBMIT_NEXT]);
}

int submit_get(Submits *s, long long id, SubmitRow *row, Err *err) {
  sqlite3_stmt *stmt = statement(s, SUBMIT_GET, err);
  if (stmt) {
    sqlite3_reset(stmt);
    sqlite3_bind_int64(stmt, 1, id);
  }
  return step(s, stmt, row, err);
}

void submit_got(Submits *s) {
  sqlite3_reset(s->stmt[SUBMIT_GET]);
}

unsigned long long submit_asks(const SubmitRow *row) {
  const char *const texts_of[] = {row->prompt, row->system, row->model,       row->options,
                                  row->tag,    row->user,   row->conversation};
  enum { N = sizeof texts_of / sizeof texts_of[0] };
  unsigned long long h[N];
  for (int i = 0; i < N; i++) {
    h[i] = texts_of[i] ? 1 + hash_short(texts_of[i], strlen(texts_of[i])) : 0;
  }
  return hash_short(h, sizeof h);
}

/* With the lock at once (the UPDATE changes nothing): what is read inside can be written. Its end is prepared before it begins, so that
** neither an interrupt nor want of memory leaves it open. */
int submit_begin(Submits *s, Err *err) {
  sqlite3_stmt *lock = statement(s, SUBMIT_LOCK, err);
  if (!lock) {
    return err->rc;
  }
  int rc = savepoint_begin(s->db, &s->savepoint);
  if (rc == SQLITE_OK) {
    sqlite3_step(lock);
    rc = sqlite3_reset(lock);
  }
  if (rc != SQLITE_OK) {
    host_error(s->db, "write batch_submit", err);
    savepoint_end(&s->savepoint, 0);
  }
  return err->rc;
}

int submit_end(Submits *s, int ok, Err *err) {
  if (savepoint_end(&s->savepoint, ok) != SQLITE_OK) {
    host_error(s->db, "write batch_submit", err);
  }
  return err->rc;
}

char *submit_vector(const char *answer, size_t n, size_t *size, Err *err) {
  unsigned char *bytes = NULL;
  int decoded = base64_decode(answer, n, &bytes, size);
  size_t dim = *size / sizeof(float);
  float *vector = decoded == 1 && dim > 0 && *size % sizeof(float) == 0 ? malloc(*size) : NULL;
  if (decoded < 0 || (decoded == 1 && dim > 0 && !vector)) {
    err_nomem(err);
  }
  if (vector && vector_unit(bytes, dim, vector) != VECTOR_FINE) {
    free(vector);
    vector = NULL;
  }
  free(bytes);
  return (char *)vector;
}

void submit_change_init(SubmitChange *change, long long id) {
  *change = (SubmitChange){.id = id,
                           .from = SUBMIT_QUEUED,
                           .of_batch = SUBMIT_NULL,
                           .status = SUBMIT_QUEUED,
                           .attempts = SUBMIT_NULL,
                           .batch_id = SUBMIT_NULL,
                           .cost_nusd = SUBMIT_NULL,
                           .finished_at = SUBMIT_NULL};
}

/* Runs a statement that changes rows: how many. */
static long long change_rows(Submits *s, sqlite3_stmt *stmt, Err *err) {
  int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
  long long n = sqlite3_changes(s->db);
  if (stmt && rc != SQLITE_DONE) {
    host_error(s->db, "write batch_submit", err);
  }
  sqlite3_reset(stmt);
  return err->rc == RC_OK ? n : -1;
}

int submit_change(Submits *s, const SubmitChange *c, Err *err) {
  sqlite3_stmt *stmt = statement(s, SUBMIT_CHANGE, err);
  if (!stmt) {
    return -1;
  }
  sqlite3_bind_int64(stmt, 1, c->id);
  sqlite3_bind_text(stmt, 2, c->from, -1, SQLITE_STATIC);
  bind_number(stmt, 3, c->of_batch);
  sqlite3_bind_text(stmt, 4, c->status, -1, SQLITE_STATIC);
  bind_number(stmt, 5, c->attempts);
  bind_number(stmt, 6, c->batch_id);
  c->is_vector ? sqlite3_bind_blob64(stmt, 7, c->answer, c->n, SQLITE_STATIC)
               : sqlite3_bind_text64(stmt, 7, c->answer, c->n, SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text(stmt, 8, c->error, -1, SQLITE_STATIC);
  c->cost_nusd == SUBMIT_NULL ? sqlite3_bind_null(stmt, 9)
                              : sqlite3_bind_double(stmt, 9, (double)c->cost_nusd / 1e9);
  bind_number(stmt, 10, c->finished_at);
  return (int)change_rows(s, stmt, err);
}

int submit_sent(Submits *s, long long batch, Err *err) {
  sqlite3_stmt *stmt = statement(s, SUBMIT_SENT, err);
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, batch);
    change_rows(s, stmt, err);
  }
  return err->rc;
}

long long submit_left(Submits *s, int was_unsent, Err *err) {
  sqlite3_stmt *stmt = statement(s, SUBMIT_LEFT, err);
  if (stmt) {
    sqlite3_bind_int(stmt, 1, was_unsent);
  }
  return change_rows(s, stmt, err);
}

int submit_batches(Submits *s, int (*take)(void *arg, long long batch, long long rows, Err *err),
                   void *arg, Err *err) {
  sqlite3_stmt *stmt = statement(s, SUBMIT_BATCHES, err);
  while (stmt && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    take(arg, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), err);
  }
  if (sqlite3_reset(stmt) != SQLITE_OK && err->rc == RC_OK) {
    host_error(s->db, "read batch_submit", err);
  }
  return err->rc;
}
