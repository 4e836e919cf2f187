/*
** Writing the copy. See mirror.h.
**
** A row of the ledger is written twice at most: when it is begun (kind 'unknown') and when it is settled. So calls are copied in the
** order of their ids from the last one on, and those that were open or unknown are looked at again. What changes older rows
** is known by its traces: an import, by the time of the newest; trimming, by sealed_before. Then all is compared.
**
** Sums are compared, once no call is left, for the months since the copying before and those of the calls that were copied; invoices
** and the state of the sums are few, and compared whole.
*/
#include "store/mirror/mirror.h"

#include "base/clock.h"
#include "base/sqlite/columns.h"
#include "base/sqlite/savepoint.h"
#include "store/sums/sums.h"

#include <limits.h>
#include <string.h>

enum { MOST_MS = 2000, MOST_COLUMNS = 96, LOOK_EVERY = 256, MUCH = 50176 };

typedef struct Column {
  char *name, *type; /* owned (sqlite3_free) */
  const char *from;  /* what it is in the store; NULL: the column of that name */
} Column;

/* A table on its way: its columns, and what runs over its rows. */
typedef struct Work {
  const MirrorTable *table;
  Column columns[MOST_COLUMNS];
  int n;
  sqlite3_stmt *write; /* in the copy: a row, where it differs */
  long long written;
} Work;

typedef struct Copying {
  sqlite3 *from, *to;
  long long until;           /* monotonic: when it ends with what it has */
  long long since;           /* Unix ms: of the copying before; 0: there was none */
  int is_whole;              /* older rows are compared too */
  int is_new[MIRROR_TABLES]; /* was made just now: it is empty */
  long long first_ts;        /* of the calls that were copied */
  MirrorReport *report;
} Copying;

static int fail(sqlite3 *db, const char *doing, Err *err) {
  int rc = sqlite3_errcode(db) & 0xff;
  return rc == SQLITE_NOMEM       ? err_nomem(err)
         : rc == SQLITE_INTERRUPT ? err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted")
                                  : err_set(err, rc ? rc : RC_ERROR, ERR_STORE, "cannot %s: %s",
                                            doing, sqlite3_errmsg(db));
}

/* Runs statements that write. A server's turn is kept for who was told "busy": it is taken then. */
static int write(sqlite3 *db, const char *sql, Err *err) {
  enum { TRIES = 8, BETWEEN_MS = 5 };
  int rc = err->rc == RC_OK ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_OK;
  for (int i = 1; i < TRIES && (rc & 0xff) == SQLITE_BUSY; i++) {
    sqlite3_sleep(BETWEEN_MS);
    rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
  }
  return rc == SQLITE_OK ? err->rc : fail(db, "write the copy of the ledger", err);
}

/* The same of a text that was made for this, which is freed. */
static int run(sqlite3 *db, char *sql, Err *err) {
  sql ? write(db, sql, err) : err_nomem(err);
  sqlite3_free(sql);
  return err->rc;
}

/* The same for one statement that gives rows. NULL and *err. */
static sqlite3_stmt *prepare(sqlite3 *db, char *sql, Err *err) {
  sqlite3_stmt *stmt = NULL;
  if (!sql) {
    err_nomem(err);
  } else if (err->rc == RC_OK && sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
    fail(db, "read the copy of the ledger", err);
  }
  sqlite3_free(sql);
  return stmt;
}

/* To the next row: 1, 0 behind the last one, also where there was an error. */
static int step(sqlite3_stmt *stmt, Err *err) {
  int rc = err->rc == RC_OK && stmt ? sqlite3_step(stmt) : SQLITE_DONE;
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    fail(sqlite3_db_handle(stmt), "copy the ledger", err);
  }
  return rc == SQLITE_ROW;
}

/* One number; `none` where there is no row, or it is NULL. */
static long long ask(sqlite3 *db, const char *sql, long long none, Err *err) {
  sqlite3_stmt *stmt = prepare(db, sqlite3_mprintf("%s", sql), err);
  int is_known = step(stmt, err) && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
  long long value = is_known ? sqlite3_column_int64(stmt, 0) : none;
  sqlite3_finalize(stmt);
  return value;
}

/* --- columns, and lists of them */

/* What a column of llm_calls is in the copy; NULL: itself. What may quote a prompt or an answer is left out. */
static const char *reduced(const char *column) {
  static const struct {
    const char *column, *from;
  } list[] = {
      {"error", "substr(error, 1, instr(error || ':', ':') - 1)"},
      {"gate", "NULL"},
      {"notes", "CASE WHEN json_valid(notes) THEN nullif(json_patch('{}', json_object('pruned', "
                "notes -> '$.pruned', 'sent', notes -> '$.sent', 'anew', notes -> '$.anew',"
                " 'asked', notes -> '$.asked')), '{}') END"},
  };
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    if (strcmp(column, list[i].column) == 0) {
      return list[i].from;
    }
  }
  return NULL;
}

static void add_column(Work *w, const char *name, const char *type, const char *from, Err *err) {
  if (w->n == MOST_COLUMNS || !name || !type) {
    err_nomem(err);
    return;
  }
  Column *c = &w->columns[w->n++];
  *c = (Column){sqlite3_mprintf("%s", name), sqlite3_mprintf("%s", type), from};
  if (!c->name || !c->type) {
    err_nomem(err);
  }
}

static int read_columns(Copying *c, Work *w, Err *err) {
  const MirrorTable *t = w->table;
  sqlite3_stmt *stmt = prepare(
      c->from, sqlite3_mprintf("SELECT name, type FROM pragma_table_info(%Q)", t->store), err);
  while (step(stmt, err)) {
    const char *name = (const char *)sqlite3_column_text(stmt, 0);
    add_column(w, name, (const char *)sqlite3_column_text(stmt, 1), name ? reduced(name) : NULL,
               err);
  }
  sqlite3_finalize(stmt);
  for (size_t i = 0; i < sizeof t->more / sizeof t->more[0] && t->more[i].name; i++) {
    add_column(w, t->more[i].name, "INTEGER", t->more[i].from, err);
  }
  return err->rc;
}

static void free_work(Work *w) {
  for (int i = 0; i < w->n; i++) {
    sqlite3_free(w->columns[i].name);
    sqlite3_free(w->columns[i].type);
  }
  sqlite3_finalize(w->write);
}

typedef enum ListOf { NAMES, TYPED, SOURCES, PARAMETERS, NEW_VALUES, ASSIGNMENTS } ListOf;

static void list(const Work *w, ListOf of, sqlite3_str *out) {
  for (int i = 0; i < w->n; i++) {
    const Column *c = &w->columns[i];
    sqlite3_str_appendf(out, "%s", i ? ", " : "");
    switch (of) {
    case NAMES:
      sqlite3_str_appendf(out, "\"%w\"", c->name);
      break;
    case TYPED:
      sqlite3_str_appendf(out, "\"%w\" %s", c->name, c->type);
      break;
    case SOURCES:
      c->from ? sqlite3_str_appendf(out, "%s", c->from)
              : sqlite3_str_appendf(out, "\"%w\"", c->name);
      break;
    case PARAMETERS:
      sqlite3_str_appendf(out, "?");
      break;
    case NEW_VALUES:
      sqlite3_str_appendf(out, "excluded.\"%w\"", c->name);
      break;
    case ASSIGNMENTS:
      sqlite3_str_appendf(out, "\"%w\" = excluded.\"%w\"", c->name, c->name);
    }
  }
}

/* --- the copy's tables */

/* What it is to be made by. Owned; NULL without memory. */
static char *declaration(const Work *w) {
  sqlite3_str *sql = sqlite3_str_new(NULL);
  sqlite3_str_appendf(sql, "CREATE TABLE %s(", w->table->name);
  list(w, TYPED, sql);
  sqlite3_str_appendf(sql, ", PRIMARY KEY(%s))", w->table->key);
  return sqlite3_str_finish(sql);
}

/* 1 if it is there just so; 0 if there is none, or another version's; -1 and *err, also where the name is somebody else's. */
static int is_made(Copying *c, const Work *w, const char *sql, Err *err) {
  sqlite3_stmt *stmt = prepare(
      c->to,
      sqlite3_mprintf(
          "SELECT type = 'table' AND sql = %Q, type = 'table' AND EXISTS (SELECT 1 FROM"
          " pragma_table_info(%Q, 'main') c WHERE c.name = %Q) FROM main.sqlite_schema NOT INDEXED"
          " WHERE name = %Q COLLATE NOCASE",
          sql, w->table->name, w->table->known_by, w->table->name),
      err);
  int is_there = step(stmt, err), is_same = is_there && sqlite3_column_int(stmt, 0);
  if (is_there && !sqlite3_column_int(stmt, 1)) {
    err_set(err, RC_ERROR, ERR_STORE, "main has something else called %s: rename or drop it",
            w->table->name);
  }
  sqlite3_finalize(stmt);
  return err->rc == RC_OK ? is_same : -1;
}

/* Makes it, anew where another version did. *is_new: it is empty. */
static int make_table(Copying *c, const Work *w, int *is_new, Err *err) {
  char *sql = declaration(w);
  int made = sql ? is_made(c, w, sql, err) : (err_nomem(err), -1);
  *is_new = made == 0;
  if (made == 0) {
    run(c->to,
        sqlite3_mprintf("DROP TABLE IF EXISTS main.%s; CREATE TABLE main.%s", w->table->name,
                        sql + strlen("CREATE TABLE ")),
        err);
  }
  if (w->table->indexes && made >= 0) {
    write(c->to, w->table->indexes, err);
  }
  sqlite3_free(sql);
  return err->rc;
}

/* Writes a row where there is none of its key, or another one. */
static int prepare_write(Copying *c, Work *w, Err *err) {
  sqlite3_str *sql = sqlite3_str_new(NULL);
  sqlite3_str_appendf(sql, "INSERT INTO main.%s AS m(", w->table->name);
  list(w, NAMES, sql);
  sqlite3_str_appendf(sql, ") VALUES (");
  list(w, PARAMETERS, sql);
  sqlite3_str_appendf(sql, ") ON CONFLICT(%s) DO UPDATE SET ", w->table->key);
  list(w, ASSIGNMENTS, sql);
  sqlite3_str_appendf(sql, " WHERE (");
  list(w, NAMES, sql);
  sqlite3_str_appendf(sql, ") IS NOT (");
  list(w, NEW_VALUES, sql);
  sqlite3_str_appendf(sql, ")");
  w->write = prepare(c->to, sqlite3_str_finish(sql), err);
  return err->rc;
}

/* The columns of a table of the copy, and what writes its rows. */
static int begin_table(Copying *c, Work *w, int which, Err *err) {
  *w = (Work){.table = &mirror_tables[which]};
  return read_columns(c, w, err) == RC_OK ? prepare_write(c, w, err) : err->rc;
}

/* --- rows */

/* The rows of the store's table behind a WHERE and an ORDER BY. */
static sqlite3_stmt *rows(Copying *c, const Work *w, const char *where, Err *err) {
  sqlite3_str *sql = sqlite3_str_new(NULL);
  sqlite3_str_appendf(sql, "SELECT ");
  list(w, SOURCES, sql);
  sqlite3_str_appendf(sql, " FROM main.%s t%s", w->table->store, where);
  return prepare(c->from, sqlite3_str_finish(sql), err);
}

static int write_row(Copying *c, Work *w, sqlite3_stmt *row, Err *err) {
  int rc = SQLITE_OK;
  for (int i = 0; i < w->n && rc == SQLITE_OK; i++) {
    rc = sqlite3_bind_value(w->write, i + 1, sqlite3_column_value(row, i));
  }
  if (rc == SQLITE_OK) {
    sqlite3_step(w->write);
    rc = sqlite3_reset(w->write);
    w->written += rc == SQLITE_OK && sqlite3_changes(c->to) > 0;
  }
  return rc == SQLITE_OK      ? RC_OK
         : rc == SQLITE_NOMEM ? err_nomem(err)
                              : fail(c->to, "copy the ledger", err);
}

/* Compares all that a statement gives. *is_cut: once much was written the time was over; what is equal by then is passed quickly
** the next time. */
static int write_rows(Copying *c, Work *w, sqlite3_stmt *stmt, int *is_cut, Err *err) {
  *is_cut = 0;
  while (!*is_cut && step(stmt, err)) {
    write_row(c, w, stmt, err);
    *is_cut = w->written >= MUCH && w->written % LOOK_EVERY == 0 && monotonic_ms() >= c->until;
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* Takes those away that the store has no more. */
static int drop_gone(Copying *c, Work *w, Err *err) {
  const char *key = w->table->key;
  int n = 1;
  for (const char *p = key; *p; p++) {
    n += *p == ',';
  }
  sqlite3_str *look = sqlite3_str_new(NULL);
  sqlite3_str_appendf(look, "SELECT 1 FROM main.%s WHERE (%s) = (", w->table->store, key);
  for (int i = 0; i < n; i++) {
    sqlite3_str_appendf(look, "%s", i ? ", ?" : "?");
  }
  sqlite3_str_appendf(look, ")");
  sqlite3_stmt *there = prepare(c->from, sqlite3_str_finish(look), err);
  sqlite3_stmt *drop =
      prepare(c->to, sqlite3_mprintf("DELETE FROM main.%s WHERE rowid = ?1", w->table->name), err);
  sqlite3_stmt *all =
      prepare(c->to, sqlite3_mprintf("SELECT rowid, %s FROM main.%s", key, w->table->name), err);
  while (step(all, err)) {
    for (int i = 0; i < n; i++) {
      sqlite3_bind_value(there, i + 1, sqlite3_column_value(all, i + 1));
    }
    int is_there = step(there, err);
    sqlite3_reset(there);
    if (!is_there && err->rc == RC_OK) {
      sqlite3_bind_int64(drop, 1, sqlite3_column_int64(all, 0));
      step(drop, err);
      sqlite3_reset(drop);
      c->report->removed++;
    }
  }
  sqlite3_finalize(all);
  sqlite3_finalize(there);
  sqlite3_finalize(drop);
  return err->rc;
}

/* --- calls */

static void note_time(Copying *c, const Work *w, sqlite3_stmt *row) {
  for (int i = 0; i < w->n; i++) {
    if (strcmp(w->columns[i].name, "ts") == 0) {
      long long ts = sqlite3_column_int64(row, i);
      c->first_ts = ts < c->first_ts ? ts : c->first_ts;
      return;
    }
  }
}

/* Where comparing is to go on: in a row of the state that goes when the state itself is copied, at the end. */
#define PLACE "main.llm_mirror_state WHERE dimension = -1"

static int note_place(Copying *c, long long id, Err *err) {
  return run(c->to,
             sqlite3_mprintf("INSERT OR REPLACE INTO main.llm_mirror_state(dimension, n_values, "
                             "stopped, sealed_before)"
                             " VALUES (-1, %lld, 0, 0)",
                             id),
             err);
}

/* Those from an id on, until the time is over. */
static int copy_from(Copying *c, Work *w, long long first, Err *err) {
  char where[80];
  sqlite3_snprintf(sizeof where, where, " WHERE id >= %lld ORDER BY id", first);
  sqlite3_stmt *stmt = rows(c, w, where, err);
  long long last = first - 1;
  for (int n = 1; step(stmt, err); n++) {
    last = sqlite3_column_int64(stmt, 0);
    note_time(c, w, stmt);
    write_row(c, w, stmt, err);
    if (n % LOOK_EVERY == 0 && monotonic_ms() >= c->until) {
      break;
    }
  }
  sqlite3_finalize(stmt);
  sqlite3_snprintf(sizeof where, where, "SELECT count(*) FROM main.llm_calls WHERE id > %lld",
                   last);
  c->report->left = ask(c->from, where, 0, err);
  return c->is_whole && c->report->left > 0 ? note_place(c, last + 1, err) : err->rc;
}

/* Those that were not settled when they were copied. */
static int copy_again(Copying *c, Work *w, Err *err) {
  sqlite3_stmt *was = prepare(
      c->to,
      sqlite3_mprintf("SELECT id FROM main." MIRROR_CALLS " WHERE is_open OR kind = 'unknown'"),
      err);
  sqlite3_stmt *row = rows(c, w, " WHERE id = ?1", err);
  while (step(was, err)) {
    sqlite3_bind_int64(row, 1, sqlite3_column_int64(was, 0));
    if (step(row, err)) {
      long long written = w->written;
      write_row(c, w, row, err);
      if (w->written > written) {
        note_time(c, w, row);
      }
    }
    sqlite3_reset(row);
  }
  sqlite3_finalize(was);
  sqlite3_finalize(row);
  return err->rc;
}

/* 1 if older rows may have changed since: something was imported, or trimmed. */
static int has_older_changes(Copying *c, Err *err) {
  static const char imported[] = "SELECT max(imported_at) FROM main.%s";
  static const char trimmed[] = "SELECT max(sealed_before) FROM main.%s";
  char sql[100];
  long long of_store[2], of_copy[2];
  sqlite3_snprintf(sizeof sql, sql, imported, "llm_import_files");
  of_store[0] = ask(c->from, sql, 0, err);
  sqlite3_snprintf(sizeof sql, sql, imported, mirror_tables[MIRROR_OF_STATE].name);
  of_copy[0] = ask(c->to, sql, 0, err);
  sqlite3_snprintf(sizeof sql, sql, trimmed, "llm_sum_state");
  of_store[1] = ask(c->from, sql, 0, err);
  sqlite3_snprintf(sizeof sql, sql, trimmed, mirror_tables[MIRROR_OF_STATE].name);
  of_copy[1] = ask(c->to, sql, 0, err);
  return of_store[0] != of_copy[0] || of_store[1] != of_copy[1];
}

static int copy_calls(Copying *c, Err *err) {
  Work w;
  if (begin_table(c, &w, MIRROR_OF_CALLS, err) == RC_OK) {
    c->since = c->is_new[MIRROR_OF_CALLS]
                   ? 0
                   : ask(c->to, "SELECT min(mirrored_at) FROM main.llm_mirror_state", 0, err);
    c->is_whole = c->since && has_older_changes(c, err);
    long long first = c->is_whole
                          ? ask(c->to, "SELECT n_values FROM " PLACE, 1, err)
                          : 1 + ask(c->to, "SELECT max(id) FROM main." MIRROR_CALLS, 0, err);
    copy_from(c, &w, first, err);
    if (c->report->left == 0) {
      c->is_whole ? drop_gone(c, &w, err) : copy_again(c, &w, err);
    }
  }
  c->report->calls = w.written;
  c->report->total = ask(c->to, "SELECT count(*) FROM main." MIRROR_CALLS, 0, err);
  free_work(&w);
  return err->rc;
}

/* --- the others */

static int copy_whole(Copying *c, int which, long long *written, Err *err) {
  Work w;
  int is_cut = 0;
  c->until = LLONG_MAX; /* they are few */
  if (begin_table(c, &w, which, err) == RC_OK &&
      write_rows(c, &w, rows(c, &w, "", err), &is_cut, err) == RC_OK && !c->is_new[which]) {
    drop_gone(c, &w, err);
  }
  *written = w.written;
  free_work(&w);
  return err->rc;
}

static int copy_sums(Copying *c, Err *err) {
  Work w;
  int is_cut = 0, is_new = c->is_new[MIRROR_OF_SUMS];
  char where[120] = "";
  if (begin_table(c, &w, MIRROR_OF_SUMS, err) == RC_OK) {
    int is_whole = c->is_whole || is_new || !c->since;
    if (!is_whole) {
      sqlite3_snprintf(
          sizeof where, where,
          " WHERE dimension IN (0, 1, 2, 3) AND grain IN (15, 1440, 43200) AND start >= %lld",
          sums_month(c->first_ts < c->since ? c->first_ts : c->since));
    }
    write_rows(c, &w, rows(c, &w, where, err), &is_cut, err);
    c->report->left += is_cut;
    if (is_whole && !is_new && !is_cut) {
      drop_gone(c, &w, err);
    }
  }
  c->report->rollups = w.written;
  free_work(&w);
  return err->rc;
}

/* --- all of it */

/* Those that are not there, or another version's: each in a transaction of its own, unless the caller has begun one. (Whatever fails behind
** a table that was made in the same transaction, memory say, could not be taken back: see savepoint.h.) */
static int make_tables(Copying *c, Err *err) {
  for (int i = 0; i < MIRROR_TABLES && err->rc == RC_OK; i++) {
    Work w = {.table = &mirror_tables[i]};
    if (read_columns(c, &w, err) == RC_OK) {
      make_table(c, &w, &c->is_new[i], err);
    }
    free_work(&w);
  }
  return err->rc;
}

static int copy_all(Copying *c, Err *err) {
  long long ignored = 0;
  if (copy_calls(c, err) == RC_OK && c->report->left == 0 && copy_sums(c, err) == RC_OK &&
      c->report->left == 0 &&
      copy_whole(c, MIRROR_OF_INVOICES, &c->report->invoices, err) == RC_OK) {
    copy_whole(c, MIRROR_OF_STATE, &ignored, err);
  }
  return err->rc;
}

/* The lock, before anything is read: what was read first would be older than what others commit while one waits for it, and could not
** be written behind. */
static int copy_in_savepoint(Copying *c, Err *err) {
  Savepoint savepoint = {0};
  int rc = savepoint_begin(c->to, &savepoint);
  if (rc == SQLITE_OK ||
      (rc & 0xff) == SQLITE_BUSY) { /* (a statement of the caller's that writes stands for it) */
    if (write(c->to, "DELETE FROM main.llm_mirror_state WHERE 0", err) == RC_OK) {
      copy_all(c, err);
    }
    rc = savepoint_end(&savepoint, err->rc == RC_OK);
  }
  return rc == SQLITE_OK ? err->rc : fail(c->to, "write the copy of the ledger", err);
}

int mirror_copy(Store *s, sqlite3 *db, MirrorReport *report, Err *err) {
  *report = (MirrorReport){0};
  int is_on_server = node_role(s->host.node) != NODE_ALONE;
  if (is_on_server && sqlite3_txn_state(db, "main") == SQLITE_TXN_READ) {
    return err_set(err, RC_ERROR, ERR_STORE,
                   "this statement, or transaction, has read before: run it by itself, or behind "
                   "BEGIN IMMEDIATE");
  }
  if (store_snapshot_begin(s, err) != RC_OK) {
    return err->rc;
  }
  sqlite3 *reader = store_reader_take(s, err);
  Copying c = {.from = reader,
               .to = db,
               .until = monotonic_ms() + MOST_MS,
               .first_ts = LLONG_MAX,
               .report = report};
  if (reader && make_tables(&c, err) == RC_OK) {
    copy_in_savepoint(&c, err);
  }
  store_reader_give(s, reader);
  store_snapshot_end(s);
  return err->rc;
}
