/*
** The shadow tables of a semantic_cache, and every statement on them.
**
**   x_rows        an entry: texts, numbers, its vector (unit length float32) or in how many pieces that is (neither:
**                 exact hits only), once it was needed the vector of the confirming embedder, and the hash of who asked
**                 (NULL: nobody said)
**   x_pieces      vectors that are in pieces (pieces.c)
**   x_partitions  system prompt and scope, interned; found by the hash of both, compared in full
**   x_log         a line per change: its number, a random stamp, the entry. Two connections whose
**                 newest line is the same (number and stamp) have seen the same changes
**   x_snapshots   the index of a large partition as it was at one line of the log, in segments, each
**                 with a checksum
**   x_labels      whether an answer that was served, or would have been, was right
**   x_decisions   what was decided about near matches, on what grounds, and what stood in the way
**   x_meta        embedder, its version and dimension, policy seed, number of entries, and what was
**                 set by command ('set:threshold': its value as text)
**
** Numbers of partitions and labels are never used again, so that nobody takes a new one for an old.
** Rows are never changed in place where the vector changes: every write has its line in the log.
*/
#include "vec/cache/state/table.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "base/text/text.h"

#include <stdlib.h>
#include <string.h>

/* Columns are parted by ", ", which stands nowhere else in them; a name is a column's first word. */
const ShadowTable shadow_tables[N_SHADOW_TABLES] = {
    {"rows",
     "id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, expires_at INTEGER,"
     " created_at INTEGER NOT NULL, hits INTEGER NOT NULL DEFAULT 0, last_hit_at INTEGER,"
     " cost_nusd INTEGER, text_hash INTEGER, embedding BLOB, query TEXT, response, model TEXT,"
     " tag TEXT, second BLOB, asker INTEGER, pieces INTEGER",
     ")", SHADOW_BY_NUMBER, 2},
    {"pieces",
     "part INTEGER PRIMARY KEY, data BLOB NOT NULL, partition INTEGER, expires_at INTEGER", ")",
     SHADOW_BY_NUMBER, LATER_ALL},
    {"partitions",
     "id INTEGER PRIMARY KEY AUTOINCREMENT, hash INTEGER NOT NULL, system_prompt TEXT, scope TEXT",
     ")", SHADOW_BY_NUMBER, 0},
    {"log",
     "seq INTEGER PRIMARY KEY, stamp INTEGER NOT NULL, partition INTEGER NOT NULL,"
     " entry INTEGER NOT NULL",
     ")", SHADOW_BY_NUMBER, 0},
    {"snapshots",
     "partition INTEGER NOT NULL, segment INTEGER NOT NULL, seq INTEGER NOT NULL,"
     " stamp INTEGER NOT NULL, checksum BLOB NOT NULL, data BLOB NOT NULL",
     ", PRIMARY KEY(partition, segment))", SHADOW_BY_ROWID, 0},
    {"labels",
     "id INTEGER PRIMARY KEY AUTOINCREMENT, ts INTEGER NOT NULL, partition INTEGER NOT NULL,"
     " entry INTEGER NOT NULL, similarity REAL NOT NULL, second REAL, margin REAL, agree INTEGER,"
     " ok INTEGER NOT NULL, source TEXT NOT NULL",
     ")", SHADOW_BY_NUMBER, 0},
    {"decisions",
     "id INTEGER PRIMARY KEY, ts INTEGER NOT NULL, partition INTEGER NOT NULL,"
     " entry INTEGER NOT NULL, similarity REAL NOT NULL, second REAL, margin REAL, agree INTEGER,"
     " chance REAL, needed REAL, draw REAL, served INTEGER NOT NULL, why TEXT",
     ")", SHADOW_BY_NUMBER, 1},
    {"meta", "name TEXT PRIMARY KEY, value", ") WITHOUT ROWID", SHADOW_BY_NAME, 0},
};

/* Indexes. Their names are random: they stay when the table is renamed, and must not be in the way
** of a new one of the old name. */
static const char *const index_sql[] = {
    "~rows(partition, text_hash)",
    "~rows(tag) WHERE tag IS NOT NULL",
    "~rows(expires_at) WHERE expires_at IS NOT NULL",
    "~partitions(hash)",
    "~log(partition, seq)",
    "~labels(partition)",
    "~labels(entry)",
};
enum { N_INDEXES = sizeof index_sql / sizeof index_sql[0] };

/* As pieces.c reads them. (x_rows has columns of the same names.) */
#define PIECE_COLUMNS "part, data, @pieces.partition, @pieces.expires_at"

static const char *const sql_texts[CACHE_SQL_COUNT] = {
    [ROW_INSERT] = "INSERT INTO @rows(id, partition, expires_at, created_at, hits, last_hit_at,"
                   " cost_nusd, text_hash, embedding, query, response, model, tag, asker, pieces)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [ROW_DELETE] = "DELETE FROM @rows WHERE id = ?1",
    [ROW_GET] =
        "SELECT partition, query, response, second, expires_at, model, tag, $asker FROM @rows"
        " WHERE id = ?1",
    [ROW_VECTOR] =
        "SELECT " ROW_HAS_VECTOR ", partition, expires_at, tag, model FROM @rows WHERE id = ?1",
    [ROW_BY_TEXT] = "SELECT id, query, expires_at, model, tag FROM @rows"
                    " WHERE partition = ?1 AND text_hash = ?2 ORDER BY id DESC",
    [ROW_KEY] = "SELECT partition FROM @rows WHERE id = ?1",
    [ROW_TEXT_VECTOR] =
        "SELECT query, " ROW_HAS_VECTOR ", response, created_at, expires_at, last_hit_at, $asker"
        " FROM @rows WHERE id = ?1",
    [ROW_TOUCH] = "UPDATE @rows SET hits = hits + ?2, last_hit_at = ?3 WHERE id = ?1",
    [ROW_EXPIRED] = "SELECT id, partition FROM @rows WHERE expires_at <= ?1 LIMIT 1000",
    [ROW_VALUES] = "SELECT id, partition, hits, coalesce(last_hit_at, created_at), cost_nusd,"
                   " coalesce(length(embedding), ($pieces IS NOT NULL) * ?1)"
                   " + coalesce(length(CAST(query AS BLOB)), 0)"
                   " + coalesce(length(CAST(response AS BLOB)), 0), expires_at FROM @rows",
    [ROW_SET_SECOND] = "UPDATE @rows SET second = ?2 WHERE id = ?1",
    [ROW_SET_VECTOR] = "UPDATE @rows SET embedding = ?2, pieces = NULL WHERE id = ?1",
    [PIECES_FROM] = "SELECT " PIECE_COLUMNS " FROM @pieces WHERE part >= ?1 ORDER BY part",
    [PIECE_PUT] = "INSERT OR REPLACE INTO @pieces(part, data, partition, expires_at)"
                  " VALUES (?1, ?2, ?3, ?4)",
    [PIECES_DROP] = "DELETE FROM @pieces WHERE part BETWEEN ?1 AND ?2",
    [ROWS_OF_PARTITION] =
        "SELECT id, " ROW_HAS_VECTOR ", expires_at FROM @rows WHERE partition = ?1",
    [ROWS_ALL] =
        "SELECT id, " ROW_HAS_VECTOR ", expires_at FROM @rows NOT INDEXED WHERE partition = ?1",
    [PIECES_OF_PARTITION] = "SELECT " PIECE_COLUMNS ", r.id FROM @rows r LEFT JOIN @pieces ON part"
                            " BETWEEN r.id * 64 AND r.id * 64 + ?2 WHERE r.partition = ?1",
    [PIECES_IN_ORDER] =
        "SELECT " PIECE_COLUMNS ", r.id FROM (SELECT id FROM @rows WHERE partition = ?1 ORDER BY id"
        " LIMIT -1) r LEFT JOIN @pieces ON part BETWEEN r.id * 64 AND r.id * 64 + ?2",
    [ROWS_COUNT] = "SELECT count(*) FROM @rows WHERE partition = ?1",
    [PARTITION_FIND] = "SELECT id FROM @partitions WHERE hash = ?1 AND system_prompt IS ?2"
                       " AND scope IS ?3",
    [PARTITION_ADD] = "INSERT INTO @partitions(hash, system_prompt, scope) VALUES (?1, ?2, ?3)",
    [PARTITION_DROP] = "DELETE FROM @partitions WHERE id = ?1 AND NOT EXISTS"
                       " (SELECT 1 FROM @rows WHERE partition = ?1)",
    [LOG_LAST] = "SELECT seq, stamp FROM @log ORDER BY seq DESC LIMIT 1",
    [LOG_STAMP] = "SELECT stamp FROM @log WHERE seq = ?1",
    [LOG_AFTER] = "SELECT partition, entry FROM @log WHERE seq > ?1",
    [LOG_AFTER_OF] = "SELECT entry FROM @log WHERE partition = ?1 AND seq > ?2",
    [LOG_ADD] = "INSERT INTO @log(stamp, partition, entry) VALUES (?1, ?2, ?3)",
    [SNAPSHOT_DROP_OLD] =
        "DELETE FROM @snapshots WHERE partition IN (SELECT s.partition FROM @snapshots s WHERE"
        " s.segment = 0 AND (SELECT count(*) FROM @log l WHERE l.partition = s.partition"
        " AND l.seq > s.seq) > 262144)",
    [LOG_TRIM] = "DELETE FROM @log AS l WHERE seq < ?1 AND seq NOT IN (SELECT seq FROM @snapshots)"
                 " AND NOT EXISTS (SELECT 1 FROM @snapshots s WHERE s.partition = l.partition"
                 " AND s.segment = 0 AND s.seq < l.seq)",
    [SNAPSHOT_GET] = "SELECT seq, stamp, checksum, data FROM @snapshots"
                     " WHERE partition = ?1 AND segment = ?2",
    [SNAPSHOT_PUT] = "INSERT INTO @snapshots(partition, segment, seq, stamp, checksum, data)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [SNAPSHOT_DROP] = "DELETE FROM @snapshots WHERE partition = ?1",
    [META_GET] = "SELECT value FROM @meta WHERE name = ?1",
    [META_PUT] = "INSERT OR REPLACE INTO @meta(name, value) VALUES (?1, ?2)",
    [META_SETTINGS] = "SELECT name, value FROM @meta WHERE name = 'seed' OR"
                      " (name > 'set:' AND name < 'set;')",
    [META_ADD] = "UPDATE @meta SET value = value + ?2 WHERE name = ?1",
    [LABEL_ADD] = "INSERT INTO @labels(ts, partition, entry, similarity, second, margin, agree, ok,"
                  " source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [LABEL_DROP] = "DELETE FROM @labels WHERE entry = ?1",
    [LABEL_TRIM] = "DELETE FROM @labels WHERE partition = ?1 AND source <> 'feedback' AND id <="
                   " (SELECT id FROM @labels WHERE partition = ?1 AND source <> 'feedback'"
                   " ORDER BY id DESC LIMIT 1 OFFSET 2000)",
    [LABEL_CORRECT] = "DELETE FROM @labels WHERE entry = ?1 AND ok <> ?2 AND source = 'feedback'"
                      " AND abs(similarity - ?3) < 1e-9",
    [LABEL_ANY_WRONG] = "SELECT 1 FROM @labels WHERE ok = 0 AND source = 'feedback' LIMIT 1",
    [LABEL_ANY_RIGHT] = "SELECT 1 FROM @labels WHERE ok = 1 AND source = 'feedback' LIMIT 1",
    [LABEL_COUNT] = "SELECT coalesce(sum(ok AND similarity BETWEEN ?2 - 0.03 AND ?2 + 1e-6), 0), "
                    "coalesce(sum(NOT ok), 0)"
                    " FROM @labels WHERE entry = ?1 AND source = 'feedback'",
    [LABELS_ANSWERED] =
        "SELECT l.id, l.entry, l.similarity, l.ok, r.response FROM @labels l JOIN @rows r"
        " ON r.id = l.entry WHERE l.partition = ?1 AND l.id > ?2 AND l.source <> 'feedback' ORDER "
        "BY l.id",
    [LABEL_WORST] = "SELECT max(similarity) FROM @labels WHERE entry = ?1 AND ok = 0"
                    " AND source = 'feedback'",
    [LABELS_OF] =
        "SELECT * FROM (SELECT id, entry, similarity, second, margin, agree, ok FROM @labels"
        " WHERE partition = ?1 AND id > ?2 AND source <> 'lookup' ORDER BY id DESC LIMIT 2000) "
        "ORDER BY id",
    [DECISION_ADD] =
        "INSERT INTO @decisions(ts, partition, entry, similarity, second, margin, agree,"
        " chance, needed, draw, served, why)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [DECISION_LAST] = "SELECT similarity, second, margin, agree FROM @decisions"
                      " WHERE entry = ?1 AND served ORDER BY id DESC LIMIT 1",
    [DECISION_TRIM] = "DELETE FROM @decisions WHERE id <= (SELECT max(id) FROM @decisions) - 10000",
};

/* 1 if the column of an entry, its name of n bytes at `name`, is one that the table lacks. */
static int lacks_column(const CacheTable *t, const char *name, int n) {
  const ShadowTable *s = &shadow_tables[SHADOW_ROWS];
  int size;
  for (int i = shadow_count_columns(s) - t->lacks[SHADOW_ROWS]; i < shadow_count_columns(s); i++) {
    const char *column = shadow_column(s, i, &size);
    if (strncmp(column, name, (size_t)n) == 0 && column[n] == ' ') {
      return 1;
    }
  }
  return 0;
}

/* Replaces @x by "schema"."table_x", ~x by "table_x" (an index names its table bare), a bare @ by "schema", and $x by the
** column x of an entry, which a table of an older version lacks until it is written to: NULL then. */
static char *expand(CacheTable *t, const char *sql) {
  static const char word[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
  sqlite3_str *out = sqlite3_str_new(t->db);
  for (const char *p = sql; *p;) {
    size_t plain = strcspn(p, "@~$");
    sqlite3_str_append(out, p, (int)plain);
    p += plain;
    if (*p) {
      int n = (int)strspn(p + 1, word);
      if (*p == '@') {
        sqlite3_str_appendf(out, "\"%w\"%s", t->schema, n ? "." : "");
      }
      if (*p == '$') {
        int is_missing = lacks_column(t, p + 1, n);
        sqlite3_str_appendf(out, "%.*s", is_missing ? 4 : n, is_missing ? "NULL" : p + 1);
      } else if (n) {
        sqlite3_str_appendf(out, "\"%w_%.*s\"", t->name, n, p + 1);
      }
      p += 1 + n;
    }
  }
  return sqlite3_str_finish(out);
}

int rows_error(CacheTable *t, int rc, Err *err) {
  int code = rc & 0xff;
  if (code == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  return err_set(err, code, ERR_CACHE, "%s", sqlite3_errmsg(t->db));
}

int rows_corrupt(CacheTable *t, const char *what, int64_t id, Err *err) {
  return err_set(err, SQLITE_CORRUPT, ERR_CACHE,
                 "the shadow tables of '%.60s' are damaged: %s %lld", t->name, what, (long long)id);
}

int rows_bad_vector(CacheTable *t, int64_t id, Err *err) {
  return err_set(err, SQLITE_CORRUPT, ERR_CACHE,
                 "the shadow tables of '%.60s' are damaged: the vector of row %lld is no vector of"
                 " %d float32 with a direction; DELETE the row, or INSERT INTO \"%.60s\"(\"%.60s\")"
                 " VALUES('rebuild') if it has a query",
                 t->name, (long long)id, t->embedder.dim ? t->embedder.dim : t->pieces.dim, t->name,
                 t->name);
}

int rows_bad_log(CacheTable *t, int64_t seq, Err *err) {
  return err_set(
      err, SQLITE_CORRUPT, ERR_CACHE,
      "the shadow tables of '%.60s' are damaged: the log ends with line %lld; INSERT INTO"
      " \"%.60s\"(\"%.60s\") VALUES('rebuild') starts it anew",
      t->name, (long long)seq, t->name, t->name);
}

sqlite3_stmt *rows_prepare(CacheTable *t, const char *sql, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *text = expand(t, sql);
  int rc = text ? sqlite3_prepare_v3(t->db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL)
                : SQLITE_NOMEM;
  sqlite3_free(text);
  if (rc != SQLITE_OK) {
    rows_error(t, rc, err);
  }
  return stmt;
}

sqlite3_stmt *rows_stmt(CacheTable *t, CacheSql id, Err *err) {
  if (!t->stmt[id]) {
    t->stmt[id] = rows_prepare(t, sql_texts[id], err);
  }
  return t->stmt[id];
}

int rows_reset(CacheTable *t, sqlite3_stmt *stmt, Err *err) {
  int rc = sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  return rc == SQLITE_OK ? err->rc : rows_error(t, rc, err);
}

int rows_run(CacheTable *t, sqlite3_stmt *stmt, Err *err) {
  if (err->rc == RC_OK) {
    sqlite3_step(stmt);
  }
  return rows_reset(t, stmt, err);
}

int rows_bind_text(CacheTable *t, sqlite3_stmt *stmt, int at, const char *text, size_t n,
                   Err *err) {
  int rc = sqlite3_bind_text64(stmt, at, text, n, SQLITE_STATIC, SQLITE_UTF8);
  return rc == SQLITE_OK ? err->rc : rows_error(t, rc, err);
}

int rows_bind_value(CacheTable *t, sqlite3_stmt *stmt, int at, const sqlite3_value *v, Err *err) {
  int rc = sqlite3_bind_value(stmt, at, v);
  return rc == SQLITE_OK ? err->rc : rows_error(t, rc, err);
}

void rows_finalize(CacheTable *t) {
  pieces_end(t);
  for (int i = 0; i < CACHE_SQL_COUNT; i++) {
    sqlite3_finalize(t->stmt[i]);
    t->stmt[i] = NULL;
  }
  sqlite3_finalize(t->idle_match);
  t->idle_match = NULL;
}

static int exec(CacheTable *t, const char *sql, Err *err) {
  char *text = expand(t, sql);
  int rc = text ? sqlite3_exec(t->db, text, NULL, NULL, NULL) : SQLITE_NOMEM;
  sqlite3_free(text);
  return rc == SQLITE_OK ? RC_OK : rows_error(t, rc, err);
}

/* The same with a text that it frees; NULL: no memory. */
static int exec_owned(CacheTable *t, char *sql, Err *err) {
  sql ? exec(t, sql, err) : err_nomem(err);
  sqlite3_free(sql);
  return err->rc;
}

static int create_index(CacheTable *t, const char *on, Err *err) {
  unsigned long long name;
  sqlite3_randomness(sizeof name, &name);
  return exec_owned(t, sqlite3_mprintf("CREATE INDEX @i%llx ON %s", name, on), err);
}

static int create_table(CacheTable *t, const ShadowTable *s, Err *err) {
  return exec_owned(t, sqlite3_mprintf("CREATE TABLE @%s(%s%s", s->name, s->columns, s->tail), err);
}

int rows_create(CacheTable *t, Err *err) {
  for (int i = 0; i < N_SHADOW_TABLES && err->rc == RC_OK; i++) {
    create_table(t, &shadow_tables[i], err);
  }
  for (int i = 0; i < N_INDEXES && err->rc == RC_OK; i++) {
    create_index(t, index_sql[i], err);
  }
  return err->rc;
}

static int lacks_some(const CacheTable *t) {
  int n = 0;
  for (int i = 0; i < N_SHADOW_TABLES; i++) {
    n += t->lacks[i];
  }
  return n > 0;
}

static int add_columns(CacheTable *t, const ShadowTable *s, int n_lacking, Err *err) {
  int n;
  int count = shadow_count_columns(s);
  for (int i = count - n_lacking; i < count && err->rc == RC_OK; i++) {
    const char *column = shadow_column(s, i, &n);
    exec_owned(t, sqlite3_mprintf("ALTER TABLE @%s ADD COLUMN %.*s", s->name, n, column), err);
  }
  return err->rc;
}

/* (SQLite parses the schema again then: the next shadow_check looks at all tables anew.) Whole tables come before the
** columns of x_rows, which say that they are there. */
int rows_extend(CacheTable *t, Err *err) {
  if (!lacks_some(t)) {
    return err->rc;
  }
  rows_finalize(t); /* they were made without */
  for (int i = N_SHADOW_TABLES - 1; i >= 0 && err->rc == RC_OK; i--) {
    const ShadowTable *s = &shadow_tables[i];
    t->lacks[i] == LATER_ALL ? create_table(t, s, err) : add_columns(t, s, t->lacks[i], err);
  }
  if (err->rc == RC_OK) {
    memset(t->lacks, 0, sizeof t->lacks);
  }
  return err->rc;
}

int rows_lacks_pieces(const CacheTable *t) {
  return t->lacks[SHADOW_PIECES] != 0;
}

int rows_drop(CacheTable *t, Err *err) {
  rows_finalize(t);
  for (int i = 0; i < N_SHADOW_TABLES && err->rc == RC_OK; i++) {
    const char *name = shadow_tables[i].name;
    Err why = {0}, ignored = {0};
    /* A stranger's view in its place goes too. */
    if (exec_owned(t, sqlite3_mprintf("DROP TABLE IF EXISTS @%s", name), &why) != RC_OK &&
        exec_owned(t, sqlite3_mprintf("DROP VIEW IF EXISTS @%s", name), &ignored) != RC_OK) {
      *err = why;
    }
  }
  return err->rc;
}

int rows_rename(CacheTable *t, const char *name, Err *err) {
  rows_finalize(t);
  for (int i = 0; i < N_SHADOW_TABLES && err->rc == RC_OK; i++) {
    if (t->lacks[i] == LATER_ALL) {
      continue;
    }
    char *sql = sqlite3_mprintf("ALTER TABLE \"%w\".\"%w_%s\" RENAME TO \"%w_%s\"", t->schema,
                                t->name, shadow_tables[i].name, name, shadow_tables[i].name);
    int rc = sql ? sqlite3_exec(t->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    if (rc != SQLITE_OK) {
      rows_error(t, rc, err);
    }
  }
  return err->rc;
}

int rows_is_shadow_name(const char *suffix) {
  for (int i = 0; i < N_SHADOW_TABLES; i++) {
    if (sqlite3_stricmp(suffix, shadow_tables[i].name) == 0) {
      return 1;
    }
  }
  return 0;
}

int rows_meta(CacheTable *t, const char *name, char *value, size_t size, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, META_GET, err);
  if (!stmt) {
    return -1;
  }
  rows_bind_text(t, stmt, 1, name, strlen(name), err);
  int found = err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW;
  const char *text = found ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
  sqlite3_snprintf((int)size, value, "%s", text ? text : "");
  return rows_reset(t, stmt, err) == RC_OK ? found : -1;
}

int rows_set_meta(CacheTable *t, const char *name, const char *value, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, META_PUT, err);
  if (!stmt) {
    return err->rc;
  }
  rows_bind_text(t, stmt, 1, name, strlen(name), err);
  rows_bind_text(t, stmt, 2, value, strlen(value), err);
  return rows_run(t, stmt, err);
}

/* One row of x_meta: the seed, or a setting as a command stored it. */
static int read_setting(CacheTable *t, sqlite3_stmt *stmt, CacheSettings *set, Err *err) {
  const char *name = (const char *)sqlite3_column_text(stmt, 0);
  const char *value = (const char *)sqlite3_column_text(stmt, 1);
  Err why = {0};
  if ((!name && sqlite3_column_type(stmt, 0) != SQLITE_NULL) ||
      (!value && sqlite3_column_type(stmt, 1) != SQLITE_NULL)) {
    return err_nomem(err);
  }
  if (!name || !value || strcmp(name, "seed") == 0) {
    sqlite3_snprintf(sizeof t->seed, t->seed, "%s", name && value ? value : "");
    return RC_OK;
  }
  if (cache_settings_apply(name + strlen(STORED_SETTING), value, set, &why) == RC_OK) {
    return RC_OK;
  }
  if (why.rc == RC_NOMEM) {
    return err_nomem(err);
  }
  return err_set(err, SQLITE_CORRUPT, ERR_CACHE,
                 "the shadow tables of '%.60s' are damaged: a stored setting: %.200s; DELETE FROM"
                 " \"%.60s_meta\" WHERE name = '%.30s' takes it back",
                 t->name, why.msg, t->name, name);
}

static int read_settings(CacheTable *t, Err *err) {
  CacheSettings set = t->made;
  sqlite3_stmt *stmt = rows_stmt(t, META_SETTINGS, err);
  if (!stmt) {
    return err->rc;
  }
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    read_setting(t, stmt, &set, err);
  }
  if (rows_reset(t, stmt, err) == RC_OK) {
    if (set.confirm != t->set.confirm) {
      second_forget(t);
      memory_forget_policies(t);
    }
    t->set = set;
    t->has_settings = 1;
  }
  return err->rc;
}

int rows_settings(CacheTable *t, Err *err) {
  return t->has_settings ? RC_OK : read_settings(t, err);
}

/* The first 64 bits of a hash as SQLite's integer. */
static int64_t short_hash(const void *data, size_t n, unsigned long long seed) {
  Hash h = hash_bytes(data, n, seed);
  int64_t value;
  memcpy(&value, h.b, sizeof value);
  return value;
}

static int64_t value_hash(sqlite3_value *v, int64_t seed, Err *err) {
  size_t n;
  if (value_is_null(v)) {
    return short_hash("", 0, (unsigned long long)seed + 1);
  }
  const char *bytes = value_bytes(v, &n, err);
  return bytes ? short_hash(bytes, n, (unsigned long long)seed) : 0;
}

int64_t rows_partition_hash(sqlite3_value *prompt, sqlite3_value *scope, Err *err) {
  return value_hash(scope, value_hash(prompt, 0, err), err);
}

int64_t rows_asker(sqlite3_value *user, Err *err) {
  return value_is_null(user) ? 0 : value_hash(user, 1, err);
}

/* (A key that is NULL where it was not given, but not where it could not be copied: that is everybody's.) */
static int bind_key(CacheTable *t, sqlite3_stmt *stmt, int64_t hash, sqlite3_value *prompt,
                    sqlite3_value *scope, Err *err) {
  sqlite3_bind_int64(stmt, 1, hash);
  if (prompt) {
    rows_bind_value(t, stmt, 2, prompt, err);
  }
  if (scope) {
    rows_bind_value(t, stmt, 3, scope, err);
  }
  return err->rc;
}

/* --- partitions that are known
**
** Finding one by a statement reads pages of an index and of the partitions: with many of them, most of what a lookup reads.
** So those found are remembered, with their texts, which are compared in full as the statement does: a hash can be
** made to collide. Whatever may add or drop a partition forgets all (rows_forget_recent). */

enum { MOST_KNOWN = 65536, MOST_KNOWN_BYTES = 16 << 20 };

static size_t text_bytes(sqlite3_value *v) {
  return v ? (size_t)sqlite3_value_bytes(v) : 0;
}

static void known_free(KnownPartition *k) {
  sqlite3_value_free(k->prompt);
  sqlite3_value_free(k->scope);
}

void rows_forget_recent(CacheTable *t) {
  KnownPartitions *known = &t->known;
  for (size_t i = 0; known->n > 0 && i < known->cap; i++) {
    known_free(&known->slots[i]);
  }
  free(known->slots);
  *known = (KnownPartitions){0};
}

/* The slot of these texts, or the free one where they would go. */
static KnownPartition *known_slot(const KnownPartitions *known, int64_t hash, sqlite3_value *prompt,
                                  sqlite3_value *scope) {
  size_t mask = known->cap - 1, i = (size_t)hash & mask;
  while (known->slots[i].id &&
         (known->slots[i].hash != hash || !value_is_same(prompt, known->slots[i].prompt) ||
          !value_is_same(scope, known->slots[i].scope))) {
    i = (i + 1) & mask;
  }
  return &known->slots[i];
}

/* Room for one more: 1, or 0 without memory. */
static int known_reserve(KnownPartitions *known) {
  KnownPartitions bigger = {
      .n = known->n, .cap = known->cap ? known->cap * 2 : 4, .bytes = known->bytes};
  if (known->cap && 2 * (known->n + 1) <= known->cap) {
    return 1;
  }
  bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
  for (size_t i = 0; bigger.slots && i < known->cap; i++) {
    const KnownPartition *k = &known->slots[i];
    if (k->id) {
      *known_slot(&bigger, k->hash, k->prompt, k->scope) = *k;
    }
  }
  if (bigger.slots) {
    free(known->slots);
    *known = bigger;
  }
  return bigger.slots != NULL;
}

/* (What can't be kept is found by the statement again.) */
static void remember(CacheTable *t, int64_t hash, sqlite3_value *prompt, sqlite3_value *scope,
                     int64_t id) {
  KnownPartitions *known = &t->known;
  KnownPartition k = {.hash = hash,
                      .id = id,
                      .prompt = value_is_null(prompt) ? NULL : sqlite3_value_dup(prompt),
                      .scope = value_is_null(scope) ? NULL : sqlite3_value_dup(scope)};
  int has_both = (value_is_null(prompt) || k.prompt) && (value_is_null(scope) || k.scope);
  size_t bytes = text_bytes(k.prompt) + text_bytes(k.scope);
  if (known->n >= MOST_KNOWN || known->bytes + bytes > MOST_KNOWN_BYTES) {
    rows_forget_recent(t);
  }
  if (!has_both || bytes > MOST_KNOWN_BYTES || !known_reserve(known)) {
    known_free(&k);
    return;
  }
  *known_slot(known, hash, k.prompt, k.scope) = k;
  known->n++;
  known->bytes += bytes;
}

int rows_partition(CacheTable *t, sqlite3_value *prompt, sqlite3_value *scope, int create,
                   int64_t *id, Err *err) {
  int64_t hash = rows_partition_hash(prompt, scope, err);
  *id = err->rc == RC_OK && t->known.n > 0 ? known_slot(&t->known, hash, prompt, scope)->id : 0;
  sqlite3_stmt *stmt = err->rc == RC_OK && !*id ? rows_stmt(t, PARTITION_FIND, err) : NULL;
  if (!stmt) {
    return err->rc;
  }
  if (bind_key(t, stmt, hash, prompt, scope, err) == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    *id = sqlite3_column_int64(stmt, 0);
    remember(t, hash, prompt, scope, *id);
  }
  if (rows_reset(t, stmt, err) != RC_OK || *id || !create) {
    return err->rc;
  }
  stmt = rows_stmt(t, PARTITION_ADD, err);
  if (stmt) {
    bind_key(t, stmt, hash, prompt, scope, err);
    *id = rows_run(t, stmt, err) == RC_OK ? sqlite3_last_insert_rowid(t->db) : 0;
  }
  return err->rc;
}

int rows_log(CacheTable *t, int64_t partition, int64_t id, int64_t *seq, int64_t *stamp, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, LOG_ADD, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_randomness(sizeof *stamp, stamp);
  sqlite3_bind_int64(stmt, 1, *stamp);
  sqlite3_bind_int64(stmt, 2, partition);
  sqlite3_bind_int64(stmt, 3, id);
  rows_run(t, stmt, err);
  *seq = sqlite3_last_insert_rowid(t->db);
  return err->rc == RC_OK && (*seq < 1 || *seq > LOG_MOST) ? rows_bad_log(t, *seq, err) : err->rc;
}

int rows_text_hash(CacheTable *t, const char *text, size_t n, int64_t *hash, Err *err) {
  size_t bad_at = 0;
  if (!utf8_is_valid(text, n, &bad_at)) {
    return err_set(err, RC_ERROR, ERR_BAD_UTF8, "the text is not valid UTF-8 (byte %zu)", bad_at);
  }
  buf_clear(&t->text);
  int rc = text_normalize_plain(text, n, &t->text);
  if (rc == RC_OK) {
    *hash = short_hash(t->text.data ? t->text.data : "", t->text.n, 0);
    buf_clear(&t->text);
    rc = text_normalize(text, n, &t->text);
  }
  return rc == RC_OK      ? RC_OK
         : rc == RC_NOMEM ? err_nomem(err)
                          : err_set(err, RC_TOOBIG, ERR_TOO_BIG, "a text of %zu bytes", n);
}
