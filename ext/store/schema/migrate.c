/*
** See migrate.h for the contract.
*/
#include "store/schema/migrate.h"

#include "base/clock.h"
#include "base/sqlite/columns.h"
#include "store/db/row.h"
#include "store/schema/genuine.h"
#include "store/schema/model.h"
#include "store/schema/rename.h"
#include "store/schema/views.h"
#include "store/sums/rebuild.h"
#include "trust/mark.h"

#include <errno.h>
#include <unistd.h>

/* 1, or 0; also 0 where that can't be told (*err). */
static int has_column(Store *s, const char *table, const char *column, Err *err) {
  int is_there;
  int rc = column_look(s->db, "main", table, column, &is_there);
  if (rc != SQLITE_OK) {
    store_error(s, rc, "read its schema", err);
  }
  return is_there;
}

/* Adds a column to a table that is there without it. */
static int add_column(Store *s, const char *table, const char *column, const char *sql, Err *err) {
  int is_there = has_column(s, table, "call_id", err);
  return is_there && !has_column(s, table, column, err) && err->rc == RC_OK
             ? store_exec(s, sql, "add a column", err)
             : err->rc;
}

/* Adds what llm_calls lacks of LEDGER_COLUMNS. */
static int add_columns(Store *s, Err *err) {
#define ADD(name, type, constraint, when)                                                          \
  {#name, "ALTER TABLE main.llm_calls ADD COLUMN " #name " " ROW_TYPE_##type " " constraint},
  static const struct { const char *name, *sql; } columns[] = {LEDGER_COLUMNS(ADD)};
#undef ADD
  int is_there = has_column(s, "llm_calls", "id", err);
  for (size_t i = 0; i < sizeof columns / sizeof columns[0] && is_there && err->rc == RC_OK; i++) {
    if (!has_column(s, "llm_calls", columns[i].name, err)) {
      store_exec(s, columns[i].sql, "add a column", err);
    }
  }
  return err->rc;
}

static int add_columns_of_9(Store *s, Err *err) {
  return add_columns(s, err) == RC_OK
             ? add_column(s, "llm_uncounted", "model",
                          "ALTER TABLE main.llm_uncounted ADD COLUMN model TEXT", err)
             : err->rc;
}

static int add_columns_of_13(Store *s, Err *err) {
  static const struct {
    const char *table, *column;
  } columns[] = {{"llm_batches", "requests"},
                 {"llm_batches", "bytes"},
                 {"llm_batches", "tokens"},
                 {"llm_batches", "difference"},
                 {"llm_batch_items", "line"}};
  add_columns(s, err);
  for (size_t i = 0; i < sizeof columns / sizeof columns[0] && err->rc == RC_OK; i++) {
    const char *table = columns[i].table, *column = columns[i].column;
    char sql[120];
    sqlite3_snprintf(sizeof sql, sql, "ALTER TABLE main.%s ADD COLUMN %s INTEGER", table, column);
    if (has_column(s, table, "held_nusd", err) && !has_column(s, table, column, err)) {
      store_exec(s, sql, "add a column", err);
    }
  }
  return err->rc;
}

/* What the tables of the semantic cache lack: it adds that itself when it is written to. (They are shadow tables: nobody else
** may alter them.) */
static int add_columns_of_15(Store *s, Err *err) {
  int is_old = has_column(s, "llm_cache_rows", "partition", err) &&
               !has_column(s, "llm_cache_rows", "asker", err);
  return is_old && err->rc == RC_OK
             ? store_exec(s, "INSERT INTO main.llm_cache(llm_cache) VALUES ('flush')",
                          "add a column", err)
             : err->rc;
}

/* What each version of a store brought, from the second on. What CREATE … IF NOT EXISTS makes, and views, need nothing
** here but the number. A new version is a line at the end:
**
**   2  the semantic cache and what it needs
**   3  llm_calls.usage
**   4  marks (genuine.h); texts named with the store's seed
**   5  a note of its views (views.h)
**   6  llm_calls.ended and .provider_request_id; llm_lost
**   7  llm_calls.service, .geo, .cache_write_long_tokens and .list_nusd
**   8  sums (sums.h), imports and invoices; llm_calls.source and .billed
**   9  llm_calls.answer_hash; llm_uncounted.model
**  10  how a call was routed, judged and held (llm_calls.gate to .held_nusd); llm_provider_state, llm_scorers
**  11  runs of llm_map
**  12  batches (batches.h)
**  13  llm_calls.batch_id; llm_batches.requests, .bytes, .tokens and .difference; llm_batch_items.line
**  14  llm_calls.cache_miss
**  15  llm_cache_decisions.why, llm_cache_rows.asker
*/
static const struct Migration {
  int to;
  const char *sql;                /* in main; NULL: none */
  int (*run)(Store *s, Err *err); /* behind it; NULL: nothing */
} migrations[] = {
    {2, NULL, NULL},         {3, NULL, add_columns},
    {4, NULL, rename_texts}, {5, NULL, NULL},
    {6, NULL, add_columns},  {7, NULL, add_columns},
    {8, NULL, add_columns},  {9, NULL, add_columns_of_9},
    {10, NULL, add_columns}, {11, NULL, NULL},
    {12, NULL, NULL},        {13, NULL, add_columns_of_13},
    {14, NULL, add_columns}, {15, NULL, add_columns_of_15},
};
enum { FIRST_SUMMED = 8 }; /* older ones have their sums built once all tables are there */
enum { N_MIGRATIONS = sizeof migrations / sizeof migrations[0] };
#define NEWEST (migrations[N_MIGRATIONS - 1].to)

int migrate_newest(void) {
  return NEWEST;
}

int migrate_check_version(const Store *s, long long version, Err *err) {
  return version <= NEWEST
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_STORE,
                       "the store '%s' was made by a newer llmcost (version %lld, ours %d)",
                       store_name(s), version, NEWEST);
}

int store_version(Store *s, long long *version, Err *err) {
  *version = 0;
  if (store_has_schema_now(s->db, err) != 1) {
    return err->rc;
  }
  int found =
      store_ask(s, "SELECT value FROM main.llm_meta WHERE name = 'schema_version'", version, err);
  if (found == 0 || (found == 1 && *version < 1)) {
    return err_set(err, RC_ERROR, ERR_STORE, "the store '%s' is damaged: it has no version",
                   store_name(s));
  }
  return err->rc == RC_OK ? migrate_check_version(s, *version, err) : err->rc;
}

/* 1 if the database is nothing but a store (it may also be opened as somebody's main). */
static int is_a_file(Store *s, Err *err) {
  long long application = 0;
  return !s->mode->shares_file ||
         (store_ask(s, "PRAGMA main.application_id", &application, err) == 1 &&
          application == STORE_APPLICATION_ID);
}

/* Seed and id, where there are none yet. */
static int write_identity(Store *s, Err *err) {
  unsigned long long random[3];
  char sql[256];
  sqlite3_randomness(sizeof random, random);
  sqlite3_snprintf(sizeof sql, sql,
                   "INSERT OR IGNORE INTO main.llm_meta VALUES ('seed', %lld);"
                   "INSERT OR IGNORE INTO main.llm_meta VALUES ('id', '%016llx%016llx');",
                   (long long)random[0], random[1], random[2]);
  return store_exec(s, sql, "write the settings", err);
}

static int write_version(Store *s, Err *err) {
  char sql[128];
  sqlite3_snprintf(sizeof sql, sql,
                   "INSERT OR REPLACE INTO main.llm_meta VALUES ('schema_version', %d)", NEWEST);
  store_exec(s, sql, "write the settings", err);
  if (is_a_file(s, err)) {
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA main.application_id=%d; PRAGMA main.user_version=%d",
                     STORE_APPLICATION_ID, NEWEST);
    store_exec(s, sql, "write the settings", err);
  }
  return err->rc;
}

/* Marks it for this installation, where that is to be. */
static int mark(Store *s, Err *err) {
  Err why = {0};
  if (err->rc != RC_OK || genuine_mark(s->db, "main", &why) == RC_OK) {
    return err->rc;
  }
  if (s->trust == STORE_NAMED && why.code && why.rc == RC_ERROR) {
    return RC_OK; /* a machine that keeps no state: it is trusted each time it is named */
  }
  *err = why;
  return err->rc;
}

static int run_migrations(Store *s, long long from, Err *err) {
  for (int i = 0; i < N_MIGRATIONS && err->rc == RC_OK; i++) {
    const struct Migration *m = &migrations[i];
    if (m->to > from && m->sql) {
      store_exec(s, m->sql, "bring it up to date", err);
    }
    if (m->to > from && m->run && err->rc == RC_OK) {
      m->run(s, err);
    }
  }
  return err->rc;
}

static int make_tables(Store *s, Err *err) {
  int rc = model_make_tables(s->db);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "create the tables", err);
}

/* From that version (0: there is none yet) to ours. */
static int make_newest(Store *s, long long from, Err *err) {
  if (from > 0 && write_identity(s, err) == RC_OK) {
    run_migrations(s, from, err);
  }
  if (err->rc == RC_OK && make_tables(s, err) == RC_OK && from > 0 && from < FIRST_SUMMED) {
    rebuild_all(s, err);
  }
  return err->rc == RC_OK && write_identity(s, err) == RC_OK ? write_version(s, err) : err->rc;
}

/* 1 if it is marked, 0 if it is to be marked, -1 error. One that was there before and that nobody named or
** adopted must have its mark. */
static int has_mark(Store *s, int was_there, Err *err) {
  if (s->trust == STORE_COPIED) {
    return 1;
  }
  int is_marked = genuine_is_marked(s->db, "main", err);
  if (is_marked < 0 && s->trust == STORE_NAMED && err->rc == RC_ERROR) {
    *err = (Err){0}; /* a machine that keeps no state */
    return 1;
  }
  if (is_marked == 0 && was_there && s->trust == STORE_MARKED) {
    err_set(err, RC_ERROR, ERR_STORE,
            "the store '%s' has lost its mark" ERR_CURE(": SELECT llm_trust_store()"),
            store_name(s));
  }
  return err->rc == RC_OK ? is_marked : -1;
}

/* Tables and views as this build makes them; what was there is compared. */
static int make_ours(Store *s, long long from, Err *err) {
  if (from > 0) {
    views_drop(s, err);
  }
  if (from != NEWEST && err->rc == RC_OK) {
    make_newest(s, from, err);
  }
  return views_make(s, err) == RC_OK && from > 0 ? genuine_check_store(s, GENUINE_OURS, err)
                                                 : err->rc;
}

/* 1 if tables and views are ours, 0 if not, -1 error. *version is that of the tables. */
static int is_ours(Store *s, long long *version, Err *err) {
  if (store_version(s, version, err) != RC_OK) {
    return -1;
  }
  return *version == NEWEST ? views_are_ours(s, err) : 0;
}

/* What was in it before is not here. */
static int note_bare(Store *s, Err *err) {
  char sql[96];
  sqlite3_snprintf(sizeof sql, sql,
                   "INSERT OR REPLACE INTO main.llm_meta VALUES ('" MIGRATE_BARE "', %lld)",
                   now_ms());
  sqlite3_log(SQLITE_WARNING, "llmcost: the store '%s' " MIGRATE_BARE_TEXT, store_name(s));
  return store_exec(s, sql, "write the settings", err);
}

/* Whatever is missing; another process may have done it meanwhile. */
static int bring_up(Store *s, Err *err) {
  long long version;
  if (is_ours(s, &version, err) == 0 && make_ours(s, version, err) == RC_OK && version == 0 &&
      s->is_bare) {
    note_bare(s, err);
  }
  return err->rc == RC_OK && has_mark(s, version > 0, err) == 0 ? mark(s, err) : err->rc;
}

/* 1 if nothing is to be done. */
static int is_up(Store *s, Err *err) {
  long long version;
  return is_ours(s, &version, err) == 1 && has_mark(s, 1, err) == 1;
}

static int bring_up_once(Store *s, Err *err) {
  if (store_begin(s, err) == RC_OK) {
    s->is_doubtful = s->mode->follows_caller;
    bring_up(s, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

/* In main, of several connections that make the tables at once one does; the others, who have read that there are none, are told "busy" at
** once, whatever their timeout. A statement that reads tables would not see them. */
static int may_try_again(const Store *s, const Err *err) {
  return err->rc == RC_BUSY && s->mode->follows_caller && !s->has_snapshot &&
         sqlite3_get_autocommit(s->db) && !s->host.interrupted(s->host.arg);
}

int migrate_run(Store *s, Err *err) {
  enum { TRIES = 40, BETWEEN_MS = 25 };
  if (is_up(s, err) || err->rc != RC_OK) {
    return err->rc;
  }
  if (node_role(s->host.node) == NODE_REPLICA) {
    return err_set(err, RC_ERROR, ERR_REPLICA,
                   "the store in this replica's copy is %s: nothing was written; call "
                   "llm_complete() with this version on"
                   " the primary once",
                   store_has_schema(s->db, err) == 1 ? "another version's" : "not there yet");
  }
  bring_up_once(s, err);
  for (int i = 1; i < TRIES && may_try_again(s, err); i++) {
    sqlite3_sleep(BETWEEN_MS);
    *err = (Err){0};
    if (is_up(s, err)) {
      return err->rc;
    }
    if (err->rc == RC_OK) {
      bring_up_once(s, err);
    }
  }
  if (err->rc == RC_BUSY && s->is_stale) {
    *err = (Err){.retryable = 1};
    err_set(err, RC_BUSY, ERR_STORE,
            "the store 'main' is being made by another connection: nothing was sent; run the "
            "statement again");
  }
  return err->rc;
}

int migrate_began_bare(Store *s, long long *ms, Err *err) {
  *ms = 0;
  store_ask(s, "SELECT value FROM main.llm_meta WHERE name = '" MIGRATE_BARE "'", ms, err);
  return err->rc;
}

int migrate_can_mark(Store *s, Err *err) {
  Mark ignored;
  int is_new = s->path && access(s->path, F_OK) != 0 &&
               errno == ENOENT; /* else the opening says what it is */
  return !is_new || s->trust != STORE_MARKED ||
         mark_make(MARK_STORE, "", 1, &ignored, err) == RC_OK;
}
