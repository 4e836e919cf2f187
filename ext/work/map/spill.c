/*
** See spill.h for the contract.
*/
#include "work/map/spill.h"

#include "base/text/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPILL_KIB "16384" /* of its pages that stay in memory: 10^5 rows of some words each */

struct Spill {
  sqlite3 *db;
  int n_columns, has_keys, has_hashes, has_rows; /* indexes that are made when first needed */
  sqlite3_stmt *add, *read, *put, *find, *equal, *place;
};

static int fail(Spill *s, int rc, Err *err) {
  return (rc & 0xff) == SQLITE_NOMEM ? err_nomem(err)
                                     : err_set(err, rc & 0xff, ERR_STORE,
                                               "the rows of the SELECT can't be kept: %s "
                                               "(SQLITE_TMPDIR can name a folder with room)",
                                               s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
}

static int run(Spill *s, const char *sql, Err *err) {
  int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? RC_OK : fail(s, rc, err);
}

static int prepare(Spill *s, const char *sql, sqlite3_stmt **out, Err *err) {
  int rc =
      *out ? SQLITE_OK : sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
  return rc == SQLITE_OK ? RC_OK : fail(s, rc, err);
}

/* "INSERT INTO rows VALUES(?1,?2,…)", or the table; NULL and *err. */
static char *with_columns(const char *begin, const char *column, int n, Err *err) {
  sqlite3_str *sql = sqlite3_str_new(NULL);
  sqlite3_str_appendall(sql, begin);
  for (int i = 0; i < n; i++) {
    sqlite3_str_appendf(sql, column, i);
  }
  sqlite3_str_appendall(sql, ")");
  char *text = sqlite3_str_finish(sql);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

static int make_tables(Spill *s, Err *err) {
  char *rows = with_columns("CREATE TABLE rows(id INTEGER PRIMARY KEY, h INTEGER", ", c%d",
                            s->n_columns, err);
  char *add = with_columns("INSERT INTO rows VALUES(NULL, ?", ", ?", s->n_columns, err);
  if (rows && add &&
      run(s,
          "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
          "PRAGMA cache_size=-" SPILL_KIB "; BEGIN",
          err) == RC_OK &&
      run(s, rows, err) == RC_OK) {
    run(s,
        "CREATE TABLE done(seq INTEGER PRIMARY KEY, row INTEGER, answer, error, model, cost, kind,"
        " call, retryable)",
        err);
    prepare(s, add, &s->add, err);
  }
  sqlite3_free(rows);
  sqlite3_free(add);
  return err->rc;
}

Spill *spill_new(int n_columns, Err *err) {
  Spill *s = calloc(1, sizeof *s);
  if (!s) {
    err_nomem(err);
    return NULL;
  }
  s->n_columns = n_columns;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int rc = sqlite3_open_v2("", &s->db, flags, NULL);
  if (rc != SQLITE_OK) {
    fail(s, rc, err);
  }
  if (err->rc != RC_OK || make_tables(s, err) != RC_OK) {
    spill_free(s);
    s = NULL;
  }
  return s;
}

void spill_free(Spill *s) {
  if (s) {
    sqlite3_finalize(s->add);
    sqlite3_finalize(s->read);
    sqlite3_finalize(s->put);
    sqlite3_finalize(s->find);
    sqlite3_finalize(s->equal);
    sqlite3_finalize(s->place);
    sqlite3_close_v2(s->db); /* (a cursor may have a statement still) */
    free(s);
  }
}

/* Runs one to its end. */
static int finish(Spill *s, sqlite3_stmt *stmt, Err *err) {
  sqlite3_step(stmt);
  int rc = sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  return rc == SQLITE_OK ? RC_OK : fail(s, rc, err);
}

long long spill_add(Spill *s, sqlite3_stmt *from, long long hash, Err *err) {
  int rc = sqlite3_bind_int64(s->add, 1, hash);
  for (int i = 0; i < s->n_columns && rc == SQLITE_OK; i++) {
    rc = sqlite3_bind_value(s->add, i + 2, sqlite3_column_value(from, i));
  }
  if (rc != SQLITE_OK) {
    sqlite3_clear_bindings(s->add);
    fail(s, rc, err);
    return -1;
  }
  return finish(s, s->add, err) == RC_OK ? sqlite3_last_insert_rowid(s->db) : -1;
}

long long spill_distinct(Spill *s, Err *err) {
  sqlite3_stmt *stmt = NULL;
  long long n = -1;
  if (prepare(s, "SELECT count(DISTINCT h) FROM rows", &stmt, err) == RC_OK) {
    int rc = sqlite3_step(stmt);
    n = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    rc = sqlite3_finalize(stmt);
    if (rc != SQLITE_OK) {
      fail(s, rc, err);
      n = -1;
    }
  }
  return n;
}

/* Makes an index once. */
static int need_index(Spill *s, int *has, const char *sql, Err *err) {
  if (!*has && run(s, sql, err) == RC_OK) {
    *has = 1;
  }
  return err->rc;
}

long long spill_find_equal(Spill *s, long long hash, long long after, Err *err) {
  if (need_index(s, &s->has_hashes, "CREATE INDEX rows_hash ON rows(h)", err) != RC_OK ||
      prepare(s, "SELECT min(id) FROM rows WHERE h = ?1 AND id > ?2", &s->equal, err) != RC_OK) {
    return -1;
  }
  sqlite3_bind_int64(s->equal, 1, hash);
  sqlite3_bind_int64(s->equal, 2, after);
  int rc = sqlite3_step(s->equal);
  long long row = rc == SQLITE_ROW ? sqlite3_column_int64(s->equal, 0) : -1;
  rc = sqlite3_reset(s->equal);
  if (row < 0) {
    fail(s, rc, err);
  }
  return row;
}

double spill_repeated(Spill *s, int column, Err *err) {
  sqlite3_stmt *stmt = NULL;
  double sum = 0;
  char *sql = sqlite3_mprintf("SELECT total((n - 1) * bytes) FROM (SELECT count(*) AS n,"
                              " length(CAST(c%d AS BLOB)) AS bytes FROM rows GROUP BY c%d)",
                              column, column);
  if (!sql) {
    err_nomem(err);
  } else if (prepare(s, sql, &stmt, err) == RC_OK) {
    int rc = sqlite3_step(stmt);
    sum = rc == SQLITE_ROW ? sqlite3_column_double(stmt, 0) : 0;
    rc = sqlite3_finalize(stmt);
    rc == SQLITE_OK ? RC_OK : fail(s, rc, err);
  }
  sqlite3_free(sql);
  return sum;
}

int spill_sort(Spill *s, const int *columns, int n, Err *err) {
  sqlite3_str *sql = sqlite3_str_new(NULL);
  sqlite3_str_appendall(sql, "CREATE TABLE places(position INTEGER PRIMARY KEY, row INTEGER);"
                             "INSERT INTO places(row) SELECT id FROM rows ORDER BY ");
  for (int i = 0; i < n; i++) {
    sqlite3_str_appendf(sql, "c%d, ", columns[i]);
  }
  sqlite3_str_appendall(sql, "id");
  char *text = sqlite3_str_finish(sql);
  text ? run(s, text, err) : err_nomem(err);
  sqlite3_free(text);
  return err->rc;
}

long long spill_place(Spill *s, long long position, Err *err) {
  if (prepare(s, "SELECT row FROM places WHERE position = ?1", &s->place, err) != RC_OK) {
    return -1;
  }
  sqlite3_bind_int64(s->place, 1, position);
  int rc = sqlite3_step(s->place);
  long long row = rc == SQLITE_ROW ? sqlite3_column_int64(s->place, 0) : -1;
  rc = sqlite3_reset(s->place);
  if (row < 0) {
    fail(s, rc != SQLITE_OK ? rc : SQLITE_CORRUPT, err);
  }
  return row;
}

sqlite3_stmt *spill_read(Spill *s, long long row, Err *err) {
  if (!s->read) {
    char *sql = with_columns("SELECT h", ", c%d", s->n_columns, err);
    char *full =
        sql ? sqlite3_mprintf("%.*s FROM rows WHERE id = ?1", (int)strlen(sql) - 1, sql) : NULL;
    sqlite3_free(sql);
    full ? prepare(s, full, &s->read, err) : err_nomem(err);
    sqlite3_free(full);
  }
  if (err->rc != RC_OK) {
    return NULL;
  }
  sqlite3_bind_int64(s->read, 1, row);
  int rc = sqlite3_step(s->read);
  if (rc != SQLITE_ROW) {
    sqlite3_reset(s->read);
    fail(s, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc, err);
    return NULL;
  }
  return s->read;
}

void spill_read_done(sqlite3_stmt *stmt) {
  sqlite3_reset(stmt);
}

/* A column with a type makes the other side of a comparison a number, or a text, where it is the other: what SQLite then compares is
** among these, and it compares again. */
#define KEY_IS(value) "SELECT min(id) AS i FROM rows WHERE c0 = " value " AND id > ?2"

/* (Each by the index: as one condition SQLite reads all rows.) */
static const char find_key[] = "SELECT min(i) FROM (" KEY_IS("?1") " UNION ALL " KEY_IS(
    "CAST(?1 AS TEXT)") " UNION ALL " KEY_IS("CAST(?1 AS NUMERIC)") " AND typeof(?1) = 'text')";

long long spill_find_key(Spill *s, sqlite3_value *key, long long after, Err *err) {
  if (need_index(s, &s->has_keys, "CREATE INDEX rows_key ON rows(c0)", err) != RC_OK ||
      prepare(s, find_key, &s->find, err) != RC_OK) {
    return -1;
  }
  int rc = sqlite3_bind_value(s->find, 1, key);
  sqlite3_bind_int64(s->find, 2, after);
  long long row = rc == SQLITE_OK && (rc = sqlite3_step(s->find)) == SQLITE_ROW
                      ? sqlite3_column_int64(s->find, 0)
                      : 0;
  int ended = sqlite3_reset(s->find);
  sqlite3_clear_bindings(s->find);
  rc = ended != SQLITE_OK || (rc != SQLITE_ROW && rc != SQLITE_DONE) ? (ended ? ended : rc)
                                                                     : SQLITE_OK;
  return rc == SQLITE_OK ? row : (fail(s, rc, err), -1);
}

static void bind_count(sqlite3_stmt *stmt, int at, long long n) {
  if (n >= 0) {
    sqlite3_bind_int64(stmt, at, n);
  }
}

int spill_put(Spill *s, const SpillResult *r, Err *err) {
  if (prepare(s, "INSERT INTO done VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", &s->put, err) !=
      RC_OK) {
    return err->rc;
  }
  sqlite3_bind_int64(s->put, 1, r->row);
  sqlite3_bind_text64(s->put, 2, r->answer, r->n, SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text(s->put, 3, r->error, -1, SQLITE_STATIC);
  sqlite3_bind_text(s->put, 4, r->model, -1, SQLITE_STATIC);
  bind_count(s->put, 5, r->cost_nusd);
  sqlite3_bind_text(s->put, 6, r->kind, -1, SQLITE_STATIC);
  bind_count(s->put, 7, r->call_id);
  sqlite3_bind_int(s->put, 8, r->is_retryable);
  return finish(s, s->put, err);
}

#define RESULT                                                                                     \
  "SELECT r.c0, d.answer, d.error, d.model, d.cost, d.kind, d.call, d.retryable FROM done AS d"    \
  " CROSS JOIN rows AS r ON r.id = d.row WHERE "

int spill_result(Spill *s, int of_row, long long number, sqlite3_stmt **out, Err *err) {
  if (of_row) {
    need_index(s, &s->has_rows, "CREATE UNIQUE INDEX done_row ON done(row)", err);
  }
  if (err->rc != RC_OK ||
      prepare(s, of_row ? RESULT "d.row = ?1" : RESULT "d.seq = ?1", out, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_reset(*out);
  sqlite3_bind_int64(*out, 1, number);
  int rc = sqlite3_step(*out);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    fail(s, rc, err);
  }
  return rc;
}
