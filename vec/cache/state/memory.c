/*
** The partitions of a semantic_cache in memory, kept equal to what this connection can see.
**
** Each connection has its own index of each partition it has asked about, loaded when first asked.
** Before every use memory_sync compares the newest line of the log with the one it applied last: the
** same number and stamp mean nothing has changed; if the line it applied is still there, it looks
** again at every entry named after it; if not (the log was trimmed, the file was replaced), it
** forgets everything and loads again.
**
** "Looking again" (reconcile) reads the row as it is now and puts it into the index, or removes it.
** It can be done any number of times, so rollback is simple: entries touched by the transaction are
** looked at again, and the log is applied again from where it stood when the transaction began.
** Until then the index may know entries that are gone; every match is checked against its row.
**
** A partition of SNAPSHOT_FROM entries or more is saved at commit when a quarter of it has changed,
** so that opening reads segments instead of rows. A snapshot names a line of the log; it is used if
** that line is still there and its checksums are right, and what the log says after it is applied.
*/
#include "vec/cache/state/table.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
  SNAPSHOT_FROM = 8192,
  SEGMENT_BYTES = 512 << 10, /* as written: small enough to stay in the processor's cache */
  MOST_SEGMENT_BYTES = 8 << 20,
  LOG_KEPT = 65536,
  TRIM_EVERY = 16384,
  MOST_PARTITIONS = 262144 /* in memory; a conversation is one, so they come without end */
};

static void partition_free(Partition *p) {
  if (p) {
    vec_index_free(p->index);
    policy_free(p->policy);
    track_free(p->track);
    free(p);
  }
}

void memory_drop(CacheTable *t) {
  CacheMemory *m = &t->memory;
  for (size_t i = 0; i < m->cap; i++) {
    partition_free(m->slots[i]);
  }
  free(m->slots);
  m->slots = NULL;
  m->n = m->cap = 0;
}

void memory_free(CacheTable *t) {
  memory_drop(t);
  free(t->memory.touched);
  t->memory.touched = NULL;
  t->memory.n_touched = t->memory.touched_cap = 0;
}

/* The slot of an id: its partition's, or the free one where it would go. */
static Partition **find_slot(const CacheMemory *m, int64_t id) {
  size_t i = (size_t)((uint64_t)id * 0x9e3779b97f4a7c15ull >> 20) & (m->cap - 1);
  while (m->slots[i] && m->slots[i]->id != id) {
    i = (i + 1) & (m->cap - 1);
  }
  return &m->slots[i];
}

static int grow(CacheMemory *m, Err *err) {
  CacheMemory bigger = {.cap = m->cap ? m->cap * 2 : 16};
  if (m->cap && m->n * 2 < m->cap) {
    return RC_OK;
  }
  bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
  if (!bigger.slots) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < m->cap; i++) {
    if (m->slots[i]) {
      *find_slot(&bigger, m->slots[i]->id) = m->slots[i];
    }
  }
  free(m->slots);
  m->slots = bigger.slots;
  m->cap = bigger.cap;
  return RC_OK;
}

/* Forgets the partitions that are quickly loaded again. */
static int forget_small(CacheMemory *m, Err *err) {
  CacheMemory kept = {.cap = m->cap};
  kept.slots = calloc(kept.cap, sizeof *kept.slots);
  if (!kept.slots) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < m->cap; i++) {
    Partition *p = m->slots[i];
    if (p && vec_index_count(p->index) >= SNAPSHOT_FROM) {
      *find_slot(&kept, p->id) = p;
      kept.n++;
    } else {
      partition_free(p);
    }
  }
  free(m->slots);
  m->slots = kept.slots;
  m->n = kept.n;
  return RC_OK;
}

Partition *memory_add(CacheTable *t, int64_t id, Err *err) {
  CacheMemory *m = &t->memory;
  if (m->n >= MOST_PARTITIONS && forget_small(m, err) != RC_OK) {
    return NULL;
  }
  Partition *p = grow(m, err) == RC_OK ? calloc(1, sizeof *p) : NULL;
  if (!p || vec_index_new(t->embedder.dim, &p->index) != VEC_OK) {
    free(p);
    err_nomem(err);
    return NULL;
  }
  p->id = id;
  Partition **slot = find_slot(m, id);
  partition_free(*slot);
  m->n += *slot == NULL;
  *slot = p;
  return p;
}

static int engine_error(CacheTable *t, int rc, Err *err) {
  return err->rc != RC_OK ? err->rc
         : rc == VEC_NOMEM
             ? err_nomem(err)
             : err_set(err, rc, ERR_CACHE, "the index of '%.60s' failed (%d)", t->name, rc);
}

/* Puts a vector as a shadow table has it into an index. */
static int put_stored(CacheTable *t, Partition *p, int64_t id, const void *vector,
                      int64_t expires_at, Err *err) {
  int rc = vec_index_put(p->index, id, vector, expires_at);
  return rc == VEC_OK      ? RC_OK
         : rc == VEC_ERROR ? rows_bad_vector(t, id, err)
                           : engine_error(t, rc, err);
}

static int64_t expiry_of(sqlite3_stmt *stmt, int column) {
  return sqlite3_column_type(stmt, column) == SQLITE_NULL ? VEC_NEVER
                                                          : sqlite3_column_int64(stmt, column);
}

static int is_skipped(const RowSource *s, int64_t id) {
  int i = 0;
  while (i < s->n_skip && s->skip[i] != id) {
    i++;
  }
  return i < s->n_skip;
}

/* By its row, which alone knows its tag and model, and may have the vector itself. */
static int vector_of_row(RowSource *s, int64_t id, const void **vector) {
  *vector = NULL;
  s->stmt = s->stmt ? s->stmt : rows_stmt(s->table, ROW_VECTOR, s->err);
  if (!s->stmt) {
    return s->err->rc;
  }
  sqlite3_reset(s->stmt);
  sqlite3_bind_int64(s->stmt, 1, id);
  int rc = sqlite3_step(s->stmt);
  if (rc != SQLITE_ROW) {
    return rc == SQLITE_DONE ? VEC_OK : rows_error(s->table, rc, s->err);
  }
  if (sqlite3_column_int64(s->stmt, 1) != s->partition ||
      condition_broken(s->conditions, s->n_conditions, s->stmt, 3, 4)) {
    return VEC_OK;
  }
  s->expires_at = expiry_of(s->stmt, 2);
  return pieces_lend(s->table, s->stmt, 0, id, vector, s->err);
}

int row_source_vector(void *ctx, int64_t id, const void **vector) {
  RowSource *s = ctx;
  *vector = NULL;
  if (is_skipped(s, id)) {
    return VEC_OK;
  }
  if (s->n_conditions > 0) {
    return vector_of_row(s, id, vector);
  }
  if (pieces_find(s->table, id, vector, s->err) != RC_OK || !*vector) {
    return s->err->rc == RC_OK ? vector_of_row(s, id, vector) : s->err->rc;
  }
  s->expires_at = s->table->pieces.expires_at;
  *vector = s->table->pieces.partition == s->partition ? *vector : NULL;
  return VEC_OK;
}

void row_source_end(RowSource *s) {
  pieces_end(s->table);
  if (s->stmt) {
    sqlite3_reset(s->stmt);
  }
}

/* Puts the entry into the index as its row is now, or removes it. */
static int reconcile(CacheTable *t, Partition *p, int64_t id, Err *err) {
  RowSource source = {.table = t, .partition = p->id, .err = err};
  const void *vector = NULL;
  int rc = row_source_vector(&source, id, &vector);
  if (rc == VEC_OK) {
    rc = vector ? put_stored(t, p, id, vector, source.expires_at, err)
                : vec_index_remove(p->index, id);
  }
  row_source_end(&source);
  p->changes++;
  return rc == VEC_OK ? RC_OK : engine_error(t, rc, err);
}

/* The newest line of the log; number 0 where it is empty. */
static int log_last(CacheTable *t, int64_t *seq, int64_t *stamp, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LOG_LAST, err);
  *seq = *stamp = 0;
  if (!stmt) {
    return err->rc;
  }
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    *stamp = sqlite3_column_int64(stmt, 1);
    if (!column_integer(stmt, 0, 1, LOG_MOST, seq)) {
      rows_bad_log(t, sqlite3_column_int64(stmt, 0), err);
    }
  }
  return rows_reset(t, stmt, err);
}

/* 1 if the log still has this line, 0 if not, -1 error. */
static int log_has(CacheTable *t, int64_t seq, int64_t stamp, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LOG_STAMP, err);
  if (!stmt) {
    return -1;
  }
  sqlite3_bind_int64(stmt, 1, seq);
  int has = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int64(stmt, 0) == stamp;
  return rows_reset(t, stmt, err) == RC_OK ? has : -1;
}

/* Looks again at every entry the log names after `seq`. */
static int apply_log(CacheTable *t, int64_t seq, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LOG_AFTER, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, seq);
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    Partition *p = memory_partition(t, sqlite3_column_int64(stmt, 0), 0, err);
    if (p) {
      reconcile(t, p, sqlite3_column_int64(stmt, 1), err);
    }
  }
  return rows_reset(t, stmt, err);
}

void memory_forget_policies(CacheTable *t) {
  CacheMemory *m = &t->memory;
  for (size_t i = 0; i < m->cap; i++) {
    if (m->slots[i]) {
      policy_free(m->slots[i]->policy);
      track_free(m->slots[i]->track);
      m->slots[i]->track = NULL;
      m->slots[i]->track_seen = 0;
      m->slots[i]->policy = NULL;
      m->slots[i]->policy_seen = 0;
    }
  }
}

/* What the policies learned may have been taken back, and snapshots that were written. */
static void forget_unsure(CacheTable *t) {
  CacheMemory *m = &t->memory;
  memory_forget_policies(t);
  for (size_t i = 0; i < m->cap; i++) {
    if (m->slots[i]) {
      m->slots[i]->has_snapshot &= !m->wrote_snapshot;
    }
  }
}

/* After a rollback: the transaction's own entries, then the log from where it began. */
static int undo(CacheTable *t, Err *err) {
  CacheMemory *m = &t->memory;
  rows_forget_recent(t);
  forget_unsure(t);
  m->wrote_snapshot = 0;
  for (size_t i = 0; i < m->n_touched && err->rc == RC_OK; i++) {
    Partition *p = memory_partition(t, m->touched[i].partition, 0, err);
    if (p) {
      reconcile(t, p, m->touched[i].id, err);
    }
  }
  if (err->rc == RC_OK) {
    m->was_rolled_back = 0;
    m->seq = m->base_seq;
    m->stamp = m->base_stamp;
  }
  return err->rc;
}

/* 1 if no other connection has written to the file since the log was last looked at. (SQLite's own
** counter, renewed when a read transaction starts, as one has before any use of the table. A commit
** of ours moves it too: then the log is looked at once more.) */
static int file_is_unchanged(CacheTable *t) {
  CacheMemory *m = &t->memory;
  unsigned version = 0;
  int known =
      sqlite3_file_control(t->db, t->schema, SQLITE_FCNTL_DATA_VERSION, &version) == SQLITE_OK;
  int same = known && m->has_version && version == m->version;
  m->version = version;
  m->has_version = known;
  return same;
}

int memory_sync(CacheTable *t, Err *err) {
  CacheMemory *m = &t->memory;
  int64_t seq, stamp;
  int unchanged = file_is_unchanged(t);
  if (unchanged && !m->was_rolled_back) {
    return RC_OK;
  }
  m->has_wrong = m->has_right = -1;
  if ((m->was_rolled_back && undo(t, err) != RC_OK) || log_last(t, &seq, &stamp, err) != RC_OK) {
    return err->rc;
  }
  if (seq == m->seq && stamp == m->stamp) {
    return RC_OK;
  }
  t->has_settings = 0;
  rows_forget_recent(t);
  if (m->n > 0) {
    int has = m->seq == 0 ? 0 : log_has(t, m->seq, m->stamp, err);
    if (has == 1) {
      apply_log(t, m->seq, err);
    } else if (has == 0) {
      memory_drop(t);
    }
  }
  if (err->rc == RC_OK) {
    m->seq = seq;
    m->stamp = stamp;
  } else {
    m->has_version = 0;
  }
  return err->rc;
}

/* --- snapshots */

/* A snapshot as a stream of segments, being read or written. */
typedef struct Stream {
  CacheTable *table;
  int64_t partition, seq, stamp, segment;
  unsigned char *data;       /* writing: owned */
  const unsigned char *read; /* reading: lent by `stmt` */
  sqlite3_stmt *stmt;
  size_t n, at;
  Err *err;
} Stream;

/* Ends the loan of the segment that was read. */
static int end_loan(Stream *s) {
  s->n = s->at = 0;
  sqlite3_stmt *stmt = s->stmt;
  s->stmt = NULL;
  return stmt ? rows_reset(s->table, stmt, s->err) : s->err->rc;
}

/* 1 if the segment that `stmt` stands on is whole, and of the same snapshot as the first. */
static int takes_segment(Stream *s, sqlite3_stmt *stmt) {
  int64_t seq = sqlite3_column_int64(stmt, 0), stamp = sqlite3_column_int64(stmt, 1);
  s->read = sqlite3_column_blob(stmt, 3);
  size_t n = (size_t)sqlite3_column_bytes(stmt, 3);
  if (s->segment == 1) {
    s->seq = seq;
    s->stamp = stamp;
  }
  if (!s->read || n > MOST_SEGMENT_BYTES || seq != s->seq || stamp != s->stamp) {
    return 0;
  }
  Hash h = hash_bytes(s->read, n, (unsigned long long)s->segment);
  const void *sum = sqlite3_column_blob(stmt, 2);
  s->n = n;
  return sum && sqlite3_column_bytes(stmt, 2) == sizeof h.b && memcmp(sum, h.b, sizeof h.b) == 0;
}

/* Reads the next segment. A wrong checksum ends the stream: the snapshot is thrown away. */
static int next_segment(Stream *s) {
  if (end_loan(s) != RC_OK || !(s->stmt = rows_stmt(s->table, SNAPSHOT_GET, s->err))) {
    return s->err->rc;
  }
  sqlite3_bind_int64(s->stmt, 1, s->partition);
  sqlite3_bind_int64(s->stmt, 2, s->segment++);
  if (sqlite3_step(s->stmt) == SQLITE_ROW && takes_segment(s, s->stmt)) {
    return VEC_OK;
  }
  return end_loan(s) == RC_OK ? VEC_CORRUPT : s->err->rc;
}

static int pull(void *ctx, void *data, size_t n) {
  Stream *s = ctx;
  unsigned char *out = data;
  while (n > 0) {
    if (s->at == s->n) {
      int rc = next_segment(s);
      if (rc != VEC_OK) {
        return rc;
      }
    }
    size_t take = n < s->n - s->at ? n : s->n - s->at;
    memcpy(out, s->read + s->at, take);
    s->at += take;
    out += take;
    n -= take;
  }
  return VEC_OK;
}

/* Writes what has gathered as one segment. */
static int end_segment(Stream *s) {
  sqlite3_stmt *stmt = rows_stmt(s->table, SNAPSHOT_PUT, s->err);
  if (!stmt) {
    return s->err->rc;
  }
  Hash h = hash_bytes(s->data, s->n, (unsigned long long)s->segment + 1);
  sqlite3_bind_int64(stmt, 1, s->partition);
  sqlite3_bind_int64(stmt, 2, s->segment++);
  sqlite3_bind_int64(stmt, 3, s->seq);
  sqlite3_bind_int64(stmt, 4, s->stamp);
  sqlite3_bind_blob(stmt, 5, h.b, sizeof h.b, SQLITE_STATIC);
  sqlite3_bind_blob64(stmt, 6, s->data, s->n, SQLITE_STATIC);
  s->n = 0;
  return rows_run(s->table, stmt, s->err);
}

static int sink(void *ctx, const void *data, size_t n) {
  Stream *s = ctx;
  const unsigned char *in = data;
  while (n > 0) {
    size_t take = n < SEGMENT_BYTES - s->n ? n : SEGMENT_BYTES - s->n;
    memcpy(s->data + s->n, in, take);
    s->n += take;
    in += take;
    n -= take;
    if (s->n == SEGMENT_BYTES && end_segment(s) != RC_OK) {
      return s->err->rc;
    }
  }
  return VEC_OK;
}

static int drop_snapshot(CacheTable *t, int64_t partition, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, SNAPSHOT_DROP, err);
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, partition);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

static int write_snapshot(CacheTable *t, Partition *p, Err *err) {
  Stream s = {.table = t,
              .partition = p->id,
              .seq = t->memory.seq,
              .stamp = t->memory.stamp,
              .data = malloc(SEGMENT_BYTES),
              .err = err};
  int rc = s.data ? drop_snapshot(t, p->id, err) : err_nomem(err);
  if (rc == RC_OK) {
    rc = vec_index_write(p->index, sink, &s);
  }
  if (rc == RC_OK && s.n > 0) {
    rc = end_segment(&s);
  }
  free(s.data);
  p->has_snapshot = rc == RC_OK;
  p->changes = 0;
  t->memory.wrote_snapshot = 1;
  return rc == RC_OK ? RC_OK : engine_error(t, rc, err);
}

/* Looks again at what the log says of this partition after its snapshot. */
static int apply_log_of(CacheTable *t, Partition *p, int64_t seq, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LOG_AFTER_OF, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, p->id);
  sqlite3_bind_int64(stmt, 2, seq);
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    reconcile(t, p, sqlite3_column_int64(stmt, 0), err);
  }
  return rows_reset(t, stmt, err);
}

/* Reads the snapshot. 1: the partition is loaded; 0: there is none that can be used; -1 error. */
static int read_snapshot(CacheTable *t, Partition *p, Err *err) {
  Stream s = {.table = t, .partition = p->id, .err = err};
  VecIndex *index = NULL;
  int rc = next_segment(&s);
  int fresh = rc == VEC_OK ? log_has(t, s.seq, s.stamp, err) : 0;
  if (fresh == 1) {
    rc = vec_index_read(pull, &s, &index);
  }
  end_loan(&s);
  if (err->rc != RC_OK || fresh < 0) {
    vec_index_free(index);
    return -1;
  }
  if (fresh == 0 || rc != VEC_OK || vec_index_dim(index) != t->embedder.dim) {
    vec_index_free(index);
    return rc == VEC_NOMEM ? (err_nomem(err), -1) : 0;
  }
  vec_index_free(p->index);
  p->index = index;
  p->has_snapshot = 1;
  p->changes = 0;
  return apply_log_of(t, p, s.seq, err) == RC_OK ? 1 : -1;
}

/* --- loading */

/* One row of a partition being loaded. */
static int load_row(CacheTable *t, Partition *p, sqlite3_stmt *stmt, Err *err) {
  int64_t id = sqlite3_column_int64(stmt, 0);
  const void *vector;
  int rc = pieces_lend(t, stmt, 1, id, &vector, err);
  return rc == RC_OK && vector ? put_stored(t, p, id, vector, expiry_of(stmt, 2), err) : rc;
}

/* Rows that have their vectors: by the index over partitions, or all in order where the partition is most of the table. */
static int load_rows(CacheTable *t, Partition *p, int64_t n, Err *err) {
  enum { MANY = 4096 };
  sqlite3_stmt *stmt = rows_stmt(t, n > MANY ? ROWS_ALL : ROWS_OF_PARTITION, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, p->id);
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    load_row(t, p, stmt, err);
  }
  pieces_end(t);
  return rows_reset(t, stmt, err);
}

/* Vectors in pieces: the ids are in the index over partitions, and the rows need not be read. In the order of their ids
** where there are many: then pieces come one behind the other. */
static int load_pieces(CacheTable *t, Partition *p, int64_t n, Err *err) {
  enum { MANY = 64 };
  RowSource source = {.table = t, .partition = p->id, .err = err};
  sqlite3_stmt *stmt = rows_stmt(t, n > MANY ? PIECES_IN_ORDER : PIECES_OF_PARTITION, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, p->id);
  sqlite3_bind_int(stmt, 2, t->pieces.n - 1);
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    int64_t id;
    const void *vector;
    if (pieces_gather(t, stmt, &id, &vector, err) == RC_OK && vector) {
      put_stored(t, p, id, vector, t->pieces.expires_at, err);
    } else if (err->rc == RC_OK && vector_of_row(&source, id, &vector) == VEC_OK && vector) {
      put_stored(t, p, id, vector, source.expires_at, err);
    }
  }
  row_source_end(&source);
  return rows_reset(t, stmt, err);
}

static int load_vectors(CacheTable *t, Partition *p, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROWS_COUNT, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, p->id);
  int64_t n = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
  if (rows_reset(t, stmt, err) != RC_OK) {
    return err->rc;
  }
  return pieces_are_used(t, err) ? load_pieces(t, p, n, err) : load_rows(t, p, n, err);
}

static int settle(CacheTable *t, Partition *p, Err *err) {
  RowSource rows = {.table = t, .partition = p->id, .err = err};
  VecSource source = {row_source_vector, &rows};
  int rc = vec_index_settle(p->index, &source);
  row_source_end(&rows);
  return rc == VEC_OK ? RC_OK : engine_error(t, rc, err);
}

static void forget(CacheTable *t, Partition *p) {
  CacheMemory *m = &t->memory;
  Partition **slot = find_slot(m, p->id);
  partition_free(p);
  *slot = NULL;
  m->n--;
  /* Those behind it in the same run move up. */
  for (size_t i = (size_t)(slot - m->slots), j = (i + 1) & (m->cap - 1); m->slots[j];
       j = (j + 1) & (m->cap - 1)) {
    Partition *next = m->slots[j];
    m->slots[j] = NULL;
    *find_slot(m, next->id) = next;
  }
}

static Partition *load(CacheTable *t, int64_t id, Err *err) {
  Partition *p = memory_add(t, id, err);
  if (!p) {
    return NULL;
  }
  int read = read_snapshot(t, p, err);
  if (read == 0) {
    load_vectors(t, p, err);
  }
  if (err->rc == RC_OK) {
    settle(t, p, err);
  }
  if (err->rc != RC_OK) {
    forget(t, p);
    return NULL;
  }
  return p;
}

Partition *memory_partition(CacheTable *t, int64_t id, int may_load, Err *err) {
  CacheMemory *m = &t->memory;
  Partition *p = m->cap ? *find_slot(m, id) : NULL;
  return p || !may_load ? p : load(t, id, err);
}

/* --- writes and transactions */

static int touch(CacheMemory *m, int64_t partition, int64_t id, Err *err) {
  if (m->n_touched == m->touched_cap) {
    size_t cap = m->touched_cap ? m->touched_cap * 2 : 64;
    Touched *more = realloc(m->touched, cap * sizeof *more);
    if (!more) {
      return err_nomem(err);
    }
    m->touched = more;
    m->touched_cap = cap;
  }
  m->touched[m->n_touched++] = (Touched){partition, id};
  return RC_OK;
}

int memory_changed(CacheTable *t, int64_t partition, int64_t id, const void *vector,
                   int64_t expires_at, Err *err) {
  CacheMemory *m = &t->memory;
  int64_t seq, stamp;
  if (touch(m, partition, id, err) != RC_OK ||
      rows_log(t, partition, id, &seq, &stamp, err) != RC_OK) {
    return err->rc;
  }
  t->writes++;
  Partition *p = memory_partition(t, partition, 0, err);
  int rc = VEC_OK;
  if (p) {
    rc = vector ? vec_index_put(p->index, id, vector, expires_at) : vec_index_remove(p->index, id);
    p->changes++;
    p->is_dirty = 1;
  }
  if (rc != VEC_OK) {
    return engine_error(t, rc, err);
  }
  m->seq = seq;
  m->stamp = stamp;
  return RC_OK;
}

int memory_noted(CacheTable *t, Err *err) {
  int64_t seq, stamp;
  if (rows_log(t, 0, 0, &seq, &stamp, err) == RC_OK) {
    t->writes++;
    t->memory.seq = seq;
    t->memory.stamp = stamp;
  }
  return err->rc;
}

void memory_begin(CacheTable *t) {
  CacheMemory *m = &t->memory;
  if (!m->was_rolled_back) {
    m->base_seq = m->seq;
    m->base_stamp = m->stamp;
    m->n_touched = 0;
  }
}

/* Writes a snapshot where one is due; drops it where the partition has become small. */
static int renew_snapshot(CacheTable *t, Partition *p, Err *err) {
  int64_t n = vec_index_count(p->index);
  if (n >= SNAPSHOT_FROM && (!p->has_snapshot || p->changes > n / 4)) {
    return write_snapshot(t, p, err);
  }
  if (n < SNAPSHOT_FROM / 2 && p->has_snapshot) {
    p->has_snapshot = 0;
    t->memory.wrote_snapshot = 1;
    return drop_snapshot(t, p->id, err);
  }
  return RC_OK;
}

/* A snapshot that is far behind would keep the log from getting shorter: it goes. */
static int trim_log(CacheTable *t, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, SNAPSHOT_DROP_OLD, err);
  if (stmt && rows_run(t, stmt, err) == RC_OK) {
    stmt = rows_stmt(t, LOG_TRIM, err);
  }
  if (stmt && err->rc == RC_OK && t->memory.seq > LOG_KEPT) {
    sqlite3_bind_int64(stmt, 1, t->memory.seq - LOG_KEPT);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

int memory_before_commit(CacheTable *t, Err *err) {
  CacheMemory *m = &t->memory;
  if (m->was_rolled_back && memory_sync(t, err) != RC_OK) {
    return err->rc;
  }
  for (size_t i = 0; i < m->n_touched && err->rc == RC_OK; i++) {
    Partition *p = memory_partition(t, m->touched[i].partition, 0, err);
    if (p && p->is_dirty) {
      p->is_dirty = 0;
      if (settle(t, p, err) == RC_OK) {
        renew_snapshot(t, p, err);
      }
    }
  }
  int is_due = m->seq / TRIM_EVERY != m->base_seq / TRIM_EVERY;
  return err->rc == RC_OK && is_due ? trim_log(t, err) : err->rc;
}

int memory_snapshot(CacheTable *t, Err *err) {
  CacheMemory *m = &t->memory;
  for (size_t i = 0; i < m->cap && err->rc == RC_OK; i++) {
    Partition *p = m->slots[i];
    if (p && vec_index_count(p->index) >= SNAPSHOT_FROM && (p->changes > 0 || !p->has_snapshot)) {
      settle(t, p, err);
      write_snapshot(t, p, err);
    }
  }
  return err->rc;
}

void memory_committed(CacheTable *t) {
  t->memory.wrote_snapshot = 0;
  memory_begin(t);
}

void memory_rolled_back(CacheTable *t) {
  t->memory.was_rolled_back = 1;
  t->has_settings = 0;
  t->memory.has_version = 0;
}
