/*
** A semantic_cache whose shadow tables a stranger wrote: rows, partitions, log, snapshots, labels,
** decisions, settings.
**
** The first byte chooses the table: adaptive, with a fixed threshold, or of an embedder that sends. Then comes
** a list of steps of one byte and its arguments. A step changes a shadow table through a
** connection of its own (any value of any type in any column of any row; a snapshot may be signed again),
** or uses the table through another: looks up, reads, writes, gives a command, begins or takes back a
** transaction, or opens the file anew.
**
** Holds: every statement ends well or with an error that is UTF-8 and none of misuse, and a similarity is
** a cosine. The embedders are toys of four dimensions.
*/
#define SQLITE_CORE 1 /* this file is the application: no API table for it */
#include "fuzz.h"

#include "vec/cache/cache.h"
#include "vec/cache/match/match.h"
#include "vec/engine/index_internal.h"

#include <math.h>
#include <sqlite3.h>

enum { DIM = 4, STEPS_MOST = 48, COLUMNS_MOST = 16 };

const sqlite3_api_routines *sqlite3_api; /* of the table's own files */

typedef struct Connections {
  sqlite3 *writer, *user; /* who changes shadow tables; who uses the table */
} Connections;

/* --- the host */

static int embed(void *ctx, const char *text, size_t n, float *out, Err *err) {
  double norm = 0, at[DIM] = {0};
  const uint32_t *factor = ctx;
  (void)err;
  for (size_t i = 0; i < n; i++) {
    at[((unsigned char)text[i] * *factor >> 3) % DIM] += 1;
  }
  for (int i = 0; i < DIM; i++) {
    norm += at[i] * at[i];
  }
  for (int i = 0; i < DIM; i++) {
    out[i] = (float)(norm > 0 ? at[i] / sqrt(norm) : 0);
  }
  return norm > 0 ? RC_OK : VEC_EMPTY;
}

static int find_embedder(void *ctx, const char *name, Embedder *e, Err *err) {
  static uint32_t factors[] = {2654435761u, 40503u};
  int is_second = strcmp(name, "minilm") == 0;
  (void)ctx;
  if (!is_second && strcmp(name, "static") != 0 && strcmp(name, "sender") != 0) {
    return err_set(err, RC_ERROR, ERR_NO_MODEL, "no embedder '%.40s'", name);
  }
  *e = (Embedder){.dim = DIM, .threshold = 0.95, .even = 0.8, .floor = 0.6};
  snprintf(e->name, sizeof e->name, "%s", name);
  snprintf(e->version, sizeof e->version, "toy");
  e->run = embed;
  e->ctx = &factors[is_second];
  return RC_OK;
}

static int make_mark(void *ctx, const char *id, int create, char out[CACHE_MARK_SIZE], Err *err) {
  (void)ctx;
  (void)err;
  snprintf(out, CACHE_MARK_SIZE, "%s", create || strstr(id, "static") ? "fake-mark" : "");
  return RC_OK;
}

static CacheHost host = {NULL, find_embedder, make_mark, 0};

static int start(sqlite3 *db, char **message, const sqlite3_api_routines *api) {
  (void)message;
  sqlite3_api = api;
  return sqlite3_create_module_v2(db, "semantic_cache", cache_module(), &host, NULL);
}

/* --- the table as it is before the first step */

enum { TABLES = 3 };
static sqlite3 *made[TABLES];

static void run_plain(sqlite3 *db, const char *sql) {
  char *message = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
    fprintf(stderr, "%s: %s\n", sql, message);
    abort();
  }
}

static int sink(void *ctx, const void *data, size_t n) {
  return buf_add(ctx, data, n);
}

/* A snapshot of partition 1: nobody writes one of so few entries, but it can be read. */
static void add_snapshot(sqlite3 *db) {
  VecIndex *index = NULL;
  sqlite3_stmt *stmt = NULL;
  Buf stream;
  buf_init(&stream, 1 << 20);
  require(vec_index_new(DIM, &index) == VEC_OK);
  sqlite3_prepare_v2(
      db, "SELECT r.id, c.embedding FROM c_rows r JOIN c ON c.rowid = r.id WHERE r.partition = 1",
      -1, &stmt, NULL);
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    vec_index_put(index, sqlite3_column_int64(stmt, 0), sqlite3_column_blob(stmt, 1), VEC_NEVER);
  }
  sqlite3_finalize(stmt);
  require(vec_index_write(index, sink, &stream) == VEC_OK);
  Hash sum = hash_bytes(stream.data, stream.n, 1);
  sqlite3_prepare_v2(db,
                     "INSERT INTO c_snapshots SELECT 1, 0, seq, stamp, ?1, ?2 FROM c_log"
                     " ORDER BY seq DESC LIMIT 1",
                     -1, &stmt, NULL);
  sqlite3_bind_blob(stmt, 1, sum.b, sizeof sum.b, SQLITE_STATIC);
  sqlite3_bind_blob(stmt, 2, stream.data, (int)stream.n, SQLITE_STATIC);
  require(sqlite3_step(stmt) == SQLITE_DONE);
  sqlite3_finalize(stmt);
  vec_index_free(index);
  buf_free(&stream);
}

#define LONG_ANSWER "a long answer, which is compared by what it means and not letter by letter, "

static sqlite3 *make_file(unsigned which) {
  static const char *const arguments[TABLES] = {
      "embedder='static', max_false_hits=0.2, seed=7, max_entries=8, ttl='3650d'",
      "embedder='static', threshold=0.9", "embedder='sender', max_entries=9, confirm='off'"};
  sqlite3 *db = NULL;
  require(sqlite3_open(":memory:", &db) == SQLITE_OK);
  char *sql = sqlite3_mprintf("CREATE VIRTUAL TABLE c USING semantic_cache(%s)", arguments[which]);
  run_plain(db, sql);
  sqlite3_free(sql);
  run_plain(db, "INSERT INTO c(c) VALUES ('trust');"
                "INSERT INTO c(query, response, tag) VALUES ('how are you', '" LONG_ANSWER "1',"
                " 'v1'), ('how are they', '" LONG_ANSWER "one', 'v1'), ('who are you', 'me', 'v2'),"
                " ('1 2 3', 4, NULL);"
                "INSERT INTO c(system_prompt, scope, query, response) VALUES ('p', 'ann', 'hello',"
                " 1.5), ('p', 'ann', 'hallo', x'00ff'), ('p', NULL, 'hello', 'x');"
                "SELECT * FROM c WHERE query MATCH 'how are yuo';"
                "SELECT * FROM c WHERE query MATCH 'how are you?';"
                "INSERT INTO c(c, rowid) VALUES ('right', 1), ('wrong', 2), ('right', 3);"
                "INSERT INTO c(c) VALUES ('ttl=9000d');");
  add_snapshot(db);
  return db;
}

static void make_files(void) {
  sqlite3_auto_extension((void (*)(void))start);
  for (unsigned i = 0; i < TABLES; i++) {
    made[i] = make_file(i);
  }
}

/* --- values from the input */

static void bind_bytes(sqlite3_stmt *stmt, int i, Input *in, int is_text) {
  size_t n = take_byte(in);
  n = n < in->n ? n : in->n;
  if (is_text) {
    sqlite3_bind_text(stmt, i, n ? (const char *)in->at : "", (int)n, SQLITE_TRANSIENT);
  } else {
    sqlite3_bind_blob(stmt, i, n ? (const void *)in->at : "", (int)n, SQLITE_TRANSIENT);
  }
  in->at += n;
  in->n -= n;
}

static void bind_value(sqlite3_stmt *stmt, int i, Input *in) {
  static const int64_t numbers[] = {INT64_MIN, INT64_MAX, LOG_MOST, LOG_MOST + 1, INT32_MAX, -1, 0};
  static const double reals[] = {1e300, -1e300, 0.5, -0.25, 1.0000001, 1e-320, 0.0};
  unsigned char raw[8] = {0};
  int64_t number;
  double real;
  switch (take_byte(in) % 9) {
  case 0:
    sqlite3_bind_null(stmt, i);
    return;
  case 1:
    sqlite3_bind_int64(stmt, i, take_byte(in));
    return;
  case 2:
    sqlite3_bind_int64(stmt, i, numbers[take_byte(in) % 7]);
    return;
  case 3:
    sqlite3_bind_double(stmt, i, reals[take_byte(in) % 7]);
    return;
  case 4:
  case 5:
    bind_bytes(stmt, i, in, 1);
    return;
  case 6:
    bind_bytes(stmt, i, in, 0);
    return;
  default:
    for (size_t k = 0; k < sizeof raw; k++) {
      raw[k] = (unsigned char)take_byte(in);
    }
    memcpy(&number, raw, sizeof number);
    memcpy(&real, raw, sizeof real);
    take_byte(in) % 2 ? sqlite3_bind_int64(stmt, i, number) : sqlite3_bind_double(stmt, i, real);
  }
}

/* --- steps */

/* A statement from a format, its n values from the input, run to its end. */
static void run(sqlite3 *db, char *sql, int n, Input *in) {
  sqlite3_stmt *stmt = NULL;
  require(sql);
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  sqlite3_free(sql);
  for (int i = 1; i <= n; i++) {
    bind_value(stmt, i, in);
  }
  while (stmt && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
      sqlite3_column_text(stmt, i);
      if (strcmp(sqlite3_column_name(stmt, i), "similarity") == 0) {
        require(fabs(sqlite3_column_double(stmt, i)) < 1.00001);
      }
    }
  }
  require(rc != SQLITE_MISUSE && rc != SQLITE_INTERNAL && rc != SQLITE_NOMEM);
  require(is_utf8(sqlite3_errmsg(db)));
  sqlite3_finalize(stmt);
}

/* The columns of a shadow table, as its declaration lists them; how many. */
static int column_names(const ShadowTable *s, char names[COLUMNS_MOST][32]) {
  int n = 0;
  for (const char *at = s->columns; at && n < COLUMNS_MOST; n++) {
    snprintf(names[n], sizeof names[n], "%.*s", (int)strspn(at, "abcdefghijklmnopqrstuvwxyz_"), at);
    at = strstr(at, ", ");
    at = at ? at + 2 : NULL;
  }
  return n;
}

static void change_shadow(sqlite3 *db, Input *in) {
  char names[COLUMNS_MOST][32];
  unsigned what = take_byte(in);
  const ShadowTable *s = &shadow_tables[what % N_SHADOW_TABLES];
  int n = column_names(s, names);
  const char *key = s->key == SHADOW_BY_NAME ? "name" : "rowid";
  int row = (int)(take_byte(in) % 32), column = (int)(take_byte(in) % (unsigned)n);
  switch (what / N_SHADOW_TABLES % 4) {
  case 0:
  case 1:
    run(db,
        sqlite3_mprintf("UPDATE c_%s SET %s = ?1 WHERE %s = (SELECT %s FROM c_%s LIMIT 1 OFFSET"
                        " %d)",
                        s->name, names[column], key, key, s->name, row),
        1, in);
    return;
  case 2: {
    char *values = sqlite3_mprintf("?1");
    for (int i = 2; values && i <= n; i++) {
      values = sqlite3_mprintf("%z, ?%d", values, i);
    }
    run(db, sqlite3_mprintf("INSERT OR REPLACE INTO c_%s VALUES (%z)", s->name, values), n, in);
    return;
  }
  default:
    run(db,
        sqlite3_mprintf("DELETE FROM c_%s WHERE %s = (SELECT %s FROM c_%s LIMIT 1 OFFSET %d)",
                        s->name, key, key, s->name, row),
        0, in);
  }
}

/* Changes one byte of a snapshot, and signs it again. */
static void change_snapshot(sqlite3 *db, Input *in) {
  sqlite3_stmt *stmt = NULL;
  size_t at = take_byte(in) << 8, n;
  at |= take_byte(in);
  sqlite3_prepare_v2(db, "SELECT data, segment, rowid FROM c_snapshots LIMIT 1", -1, &stmt, NULL);
  if (sqlite3_step(stmt) == SQLITE_ROW &&
      (n = (size_t)sqlite3_column_bytes(stmt, 0)) > sizeof(uint64_t)) {
    char *data = fuzz_copy(sqlite3_column_blob(stmt, 0), n);
    int64_t segment = sqlite3_column_int64(stmt, 1), rowid = sqlite3_column_int64(stmt, 2);
    sqlite3_finalize(stmt);
    data[at % (n - sizeof(uint64_t))] = (char)take_byte(in);
    uint64_t sum = stream_checksum(data, n - sizeof sum);
    memcpy(data + n - sizeof sum, &sum, sizeof sum);
    Hash h = hash_bytes(data, n, (unsigned long long)segment + 1);
    sqlite3_prepare_v2(db, "UPDATE c_snapshots SET data = ?1, checksum = ?2 WHERE rowid = ?3", -1,
                       &stmt, NULL);
    sqlite3_bind_blob(stmt, 1, data, (int)n, SQLITE_TRANSIENT);
    sqlite3_bind_blob(stmt, 2, h.b, sizeof h.b, SQLITE_TRANSIENT);
    sqlite3_bind_int64(stmt, 3, rowid);
    sqlite3_step(stmt);
    free(data);
  }
  sqlite3_finalize(stmt);
}

static const struct {
  const char *sql;
  int n; /* values from the input */
} uses[] = {
    {"SELECT * FROM c WHERE query MATCH 'how are yuo'", 0},
    {"SELECT *, similarity FROM c WHERE query MATCH 'who are you' AND k = 5 AND verify = 0", 0},
    {"SELECT *, similarity FROM c WHERE query MATCH 'hello' AND system_prompt = 'p' AND scope ="
     " 'ann'",
     0},
    {"SELECT *, similarity FROM c WHERE query MATCH ?1 AND tag = 'v1' AND verify = 0", 1},
    {"SELECT *, similarity FROM c WHERE query MATCH ?1 AND threshold = 0.1 AND max_false = 0.5", 1},
    {"SELECT *, similarity FROM c WHERE query MATCH ?1 AND k = ?2 AND system_prompt IS ?3", 3},
    {"SELECT * FROM c", 0},
    {"SELECT * FROM c WHERE query = 'hello'", 0},
    {"INSERT INTO c(query, response, tag) VALUES (?1, 'z', 'v1')", 1},
    {"INSERT INTO c(system_prompt, scope, query, response) VALUES ('p', 'ann', 'hello', ?1)", 1},
    {"INSERT INTO c(query, response) VALUES ('how are you', 'well')", 0},
    {"INSERT INTO c(rowid, embedding, response, expires_at) VALUES (?1, ?2, 'z', ?3)", 3},
    {"UPDATE c SET query = 'how is she', response = ?1 WHERE rowid < 3", 1},
    {"UPDATE c SET tag = ?1 WHERE tag = 'v1'", 1},
    {"DELETE FROM c WHERE rowid = ?1", 1},
    {"DELETE FROM c WHERE scope = 'ann'", 0},
    {"INSERT INTO c(c) VALUES ('rebuild')", 0},
    {"INSERT INTO c(c) VALUES ('flush')", 0},
    {"INSERT INTO c(c) VALUES ('integrity-check')", 0},
    {"INSERT INTO c(c, rowid) VALUES ('right', ?1)", 1},
    {"INSERT INTO c(c, rowid, similarity) VALUES ('wrong', ?1, ?2)", 2},
    {"INSERT INTO c(c) VALUES (?1)", 1},
    {"PRAGMA integrity_check", 0},
    {"BEGIN", 0},
    {"COMMIT", 0},
    {"ROLLBACK", 0},
    {"SAVEPOINT s", 0},
    {"ROLLBACK TO s", 0},
    {"ALTER TABLE c RENAME TO d", 0},
    {"ALTER TABLE d RENAME TO c", 0},
    {"INSERT OR REPLACE INTO c(rowid, query, response) VALUES (?1, 'how are we', 'fine')", 1},
    {"INSERT INTO c(c) VALUES ('trust')", 0},
};
enum { N_USES = sizeof uses / sizeof uses[0] };

static sqlite3 *open_file(void) {
  sqlite3 *db = NULL;
  require(sqlite3_open_v2("file:/fuzz?vfs=memdb", &db,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
                          NULL) == SQLITE_OK);
  return db;
}

static void step(Connections *c, Input *in) {
  unsigned what = take_byte(in);
  if (what < 100) {
    change_shadow(c->writer, in);
  } else if (what < 110) {
    change_snapshot(c->writer, in);
  } else if (what < 120) {
    require(sqlite3_close(c->user) == SQLITE_OK);
    c->user = open_file();
  } else {
    unsigned use = what % N_USES;
    run(c->user, sqlite3_mprintf("%s", uses[use].sql), uses[use].n, in);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  if (!made[0]) {
    make_files();
  }
  sqlite3 *of = made[take_byte(&in) % TABLES];
  Connections c = {open_file(), NULL};
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 7, NULL);
  sqlite3_backup *copy = sqlite3_backup_init(c.writer, "main", of, "main");
  require(copy && sqlite3_backup_step(copy, -1) == SQLITE_DONE);
  sqlite3_backup_finish(copy);
  c.user = open_file();
  for (int steps = 0; in.n > 0 && steps < STEPS_MOST; steps++) {
    step(&c, &in);
  }
  require(sqlite3_close(c.user) == SQLITE_OK && sqlite3_close(c.writer) == SQLITE_OK);
  require(host.nested == 0);
  return 0;
}
