/*
** Are the shadow objects what they must be?
**
** A file from a stranger may hold, under the name of a shadow table, a view that reads the cache
** itself, a virtual table, a generated column, a trigger that writes to the cache again. So before
** the shadow tables are used each is looked at: an ordinary table of the kind we make, in our own
** schema, with exactly our columns and no trigger of that schema.
**
** What counts is what SQLite has parsed, not what the rows of sqlite_schema say, whose type, case,
** storage class and names are the stranger's to choose. So it is SQLite that is asked: for columns
** PRAGMA table_xinfo (the statement: a table could take the function's name), for the rest EXPLAIN. A
** virtual table shows by its VOpen, a column that is the rowid by Rowid, a trigger by a Program
** whose first line is "-- TRIGGER name" (a foreign key's has no such line). TEMP triggers are the
** user's own and stay.
**
** All this is done once per state of the schema (schema_watch.h). What is still there to run us from
** inside ourselves, such as a TEMP trigger, ends in an error (see enter() in table.c).
*/
#include "base/sqlite/columns.h"
#include "vec/cache/state/table.h"

#include <string.h>

/* A statement with the shadow table between two texts; NULL with *rc on error. */
static sqlite3_stmt *prepare(CacheTable *t, const ShadowTable *s, const char *before,
                             const char *after, int *rc) {
  sqlite3_stmt *stmt = NULL;
  char *sql = sqlite3_mprintf("%s\"%w\".\"%w_%s\"%s", before, t->schema, t->name, s->name, after);
  *rc = sql ? sqlite3_prepare_v2(t->db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  return stmt;
}

static int refuse(CacheTable *t, const ShadowTable *s, const char *what, Err *err) {
  return err_set(err, RC_ERROR, ERR_CACHE,
                 "the shadow table '%.60s_%s' %s: DROP TABLE \"%.60s\", or restore it", t->name,
                 s->name, what, t->name);
}

/* --- the kind */

/* 1 if the table is there and has the column (NULL: any), 0 if not; *err where that can't be told. */
static int is_known(CacheTable *t, const ShadowTable *s, const char *column, Err *err) {
  int known = 0;
  char *name = sqlite3_mprintf("%s_%s", t->name, s->name);
  int rc = name ? column_look(t->db, t->schema, name, column, &known) : SQLITE_NOMEM;
  if (rc != SQLITE_OK) {
    rows_error(t, rc, err);
  }
  sqlite3_free(name);
  return known;
}

/* How often EXPLAIN of a statement that reads everything has an opcode. */
static int count_opcode(CacheTable *t, const ShadowTable *s, const char *opcode, Err *err) {
  int rc, n = 0;
  sqlite3_stmt *stmt = prepare(t, s, "EXPLAIN SELECT * FROM ", "", &rc);
  while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *op = (const char *)sqlite3_column_text(stmt, 1);
    n += op && strcmp(op, opcode) == 0;
  }
  rc = stmt ? sqlite3_finalize(stmt) : rc;
  return rc == SQLITE_OK ? n : (rows_error(t, rc, err), -1);
}

/* 1 if nothing has the name of a table that older versions did not make: it comes with the next write, which adds the
** last column of x_rows as well. */
static int is_to_come(CacheTable *t, const ShadowTable *s, Err *err) {
  if (s->later != LATER_ALL || t->lacks[SHADOW_ROWS] == 0 || is_known(t, s, NULL, err) ||
      err->rc != RC_OK) {
    return 0;
  }
  int rc;
  sqlite3_stmt *stmt = prepare(t, s, "SELECT 1 FROM ", "", &rc);
  sqlite3_finalize(stmt);
  if (rc != SQLITE_OK && rc != SQLITE_ERROR) {
    rows_error(t, rc, err);
  }
  return rc == SQLITE_ERROR;
}

static int check_kind(CacheTable *t, const ShadowTable *s, Err *err) {
  if (!is_known(t, s, NULL, err)) {
    return refuse(t, s, "is missing or a view", err);
  }
  if (count_opcode(t, s, "VOpen", err) > 0) {
    return refuse(t, s, "is a virtual table", err);
  }
  int has_rowid = is_known(t, s, "rowid", err);
  int is_numbered = err->rc == RC_OK && count_opcode(t, s, "Rowid", err) > 0;
  if (err->rc == RC_OK &&
      (has_rowid != (s->key != SHADOW_BY_NAME) || is_numbered != (s->key == SHADOW_BY_NUMBER))) {
    return refuse(t, s, "has another key", err);
  }
  return err->rc;
}

/* --- the columns */

/* The next name of a list of columns, its length in *n; NULL at the end. */
static const char *next_name(const char *at, size_t *n) {
  *n = at ? strspn(at, "abcdefghijklmnopqrstuvwxyz_") : 0;
  return at;
}

static const char *after_comma(const char *at) {
  const char *comma = strstr(at, ",");
  return comma ? comma + 1 + strspn(comma + 1, " ") : NULL;
}

static int has_name(const ShadowTable *s, const char *name) {
  size_t n;
  for (const char *at = next_name(s->columns, &n); at; at = next_name(after_comma(at), &n)) {
    if (strlen(name) == n && sqlite3_strnicmp(at, name, (int)n) == 0) {
      return 1;
    }
  }
  return 0;
}

int shadow_count_columns(const ShadowTable *s) {
  int count = 0;
  for (const char *at = s->columns; at; at = after_comma(at)) {
    count++;
  }
  return count;
}

const char *shadow_column(const ShadowTable *s, int at, int *n) {
  const char *column = s->columns;
  while (column && at-- > 0) {
    column = after_comma(column);
  }
  const char *end = column ? strstr(column, ", ") : NULL;
  *n = end ? (int)(end - column) : column ? (int)strlen(column) : 0;
  return column;
}

/* Notes that the last n columns are lacking: 1 if a table of an older version may. */
static int may_lack(CacheTable *t, const ShadowTable *s, int n) {
  int is_fine = n >= 0 && n <= (s->later == LATER_ALL ? 0 : s->later);
  t->lacks[s - shadow_tables] = (unsigned char)(is_fine ? n : 0);
  return is_fine;
}

/* The columns by name alone, where an authorizer does not let us have the PRAGMA. */
static int check_names(CacheTable *t, const ShadowTable *s, Err *err) {
  char name[64];
  size_t n;
  int n_lacking = 0, fine = 1;
  for (const char *at = next_name(s->columns, &n); at; at = next_name(after_comma(at), &n)) {
    sqlite3_snprintf(sizeof name, name, "%.*s", (int)n, at);
    int is_there = is_known(t, s, name, err);
    fine = fine && !(is_there && n_lacking);
    n_lacking += !is_there;
  }
  return fine && may_lack(t, s, n_lacking) ? err->rc : refuse(t, s, "has other columns", err);
}

/* The columns by name, none of them hidden or generated. */
static int check_columns(CacheTable *t, const ShadowTable *s, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int fine = 1, n = 0;
  char *sql = sqlite3_mprintf("PRAGMA \"%w\".table_xinfo(\"%w_%s\")", t->schema, t->name, s->name);
  int rc = sql ? sqlite3_prepare_v2(t->db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  for (; stmt && sqlite3_step(stmt) == SQLITE_ROW; n++) {
    const char *name = (const char *)sqlite3_column_text(stmt, 1);
    fine = fine && name && has_name(s, name) && sqlite3_column_int(stmt, 6) == 0;
  }
  rc = stmt ? sqlite3_finalize(stmt) : rc;
  if (rc == SQLITE_AUTH) {
    return check_names(t, s, err);
  }
  if (rc != SQLITE_OK) {
    return rows_error(t, rc, err);
  }
  fine = fine && may_lack(t, s, shadow_count_columns(s) - n);
  return fine ? RC_OK : refuse(t, s, "has other columns", err);
}

/* --- triggers */

static int refuse_trigger(CacheTable *t, const ShadowTable *s, const char *name, Err *err) {
  return err_set(err, RC_ERROR, ERR_CACHE,
                 "trigger '%.60s' on the shadow table '%.60s_%s' is not ours: DROP TRIGGER"
                 " \"%.60s\".\"%.60s\"",
                 name, t->name, s->name, t->schema, name);
}

/* How many TEMP triggers the shadow table has (of this name, if one is given). */
static int count_temp(CacheTable *t, const ShadowTable *s, const char *name, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *sql = sqlite3_mprintf("SELECT count(*) FROM temp.sqlite_schema WHERE type = 'trigger' AND"
                              " tbl_name = '%q_%s' COLLATE NOCASE AND (?1 IS NULL OR"
                              " name = ?1 COLLATE NOCASE)",
                              t->name, s->name);
  int rc = sql ? sqlite3_prepare_v2(t->db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  if (stmt && name) {
    rows_bind_text(t, stmt, 1, name, strlen(name), err);
  }
  int n = stmt && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0)
                                                                       : 0;
  rc = stmt ? sqlite3_finalize(stmt) : rc;
  return rc == SQLITE_OK ? n : (rows_error(t, rc, err), 0);
}

/* Names the trigger whose body can't even be prepared; otherwise SQLite's own error. */
static int name_broken(CacheTable *t, const ShadowTable *s, int rc, Err *err) {
  Err broken = {0};
  rows_error(t, rc, &broken);
  char *name = sqlite3_mprintf("%s_%s", t->name, s->name);
  sqlite3_stmt *stmt = rows_prepare(t, "SELECT name, type, tbl_name FROM @.sqlite_schema", &broken);
  while (name && stmt && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *type = (const char *)sqlite3_column_text(stmt, 1);
    const char *table = (const char *)sqlite3_column_text(stmt, 2);
    if (type && table && sqlite3_stricmp(type, "trigger") == 0 &&
        sqlite3_stricmp(table, name) == 0) {
      const char *trigger = (const char *)sqlite3_column_text(stmt, 0);
      refuse_trigger(t, s, trigger ? trigger : "", err);
    }
  }
  sqlite3_finalize(stmt);
  sqlite3_free(name);
  if (err->rc == RC_OK) {
    *err = broken;
  }
  return err->rc;
}

/* One program that a write would call, by the first line of its own: a trigger that is not TEMP is
** refused. */
static int check_program(CacheTable *t, const ShadowTable *s, const char *title, int n_so_far,
                         Err *err) {
  static const char word[] = "-- TRIGGER ";
  if (!title || strncmp(title, word, sizeof word - 1) != 0) {
    return RC_OK;
  }
  const char *name = title + sizeof word - 1;
  int is_temp = sqlite3_stricmp(t->schema, "temp") != 0 && count_temp(t, s, name, err) > 0 &&
                n_so_far <= count_temp(t, s, NULL, err);
  return err->rc == RC_OK && !is_temp ? refuse_trigger(t, s, name, err) : err->rc;
}

/* Looks at the programs a write calls itself: as many as the main program, which comes first, has
** Program opcodes; they come next, in that order. (A write that may not be prepared here can't be
** made either.) */
static int check_write(CacheTable *t, const ShadowTable *s, const char *verb, const char *rest,
                       Err *err) {
  int rc, calls = 0, program = -1;
  sqlite3_stmt *stmt = prepare(t, s, verb, rest, &rc);
  if (!stmt) {
    return rc == SQLITE_AUTH ? RC_OK : name_broken(t, s, rc, err);
  }
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *op = (const char *)sqlite3_column_text(stmt, 1);
    program += sqlite3_column_int(stmt, 0) == 0;
    calls += program == 0 && op && strcmp(op, "Program") == 0;
    if (program > 0 && program <= calls && sqlite3_column_int(stmt, 0) == 0) {
      check_program(t, s, (const char *)sqlite3_column_text(stmt, 5), program, err);
    }
  }
  rc = sqlite3_finalize(stmt);
  return rc == SQLITE_OK || err->rc != RC_OK ? err->rc : rows_error(t, rc, err);
}

/* " SET a = a, b = b, …": a trigger on any column shows. Owned (sqlite3_free). */
static char *set_all(CacheTable *t, const ShadowTable *s) {
  sqlite3_str *sql = sqlite3_str_new(t->db);
  const char *word = " SET", *at = s->columns;
  size_t n;
  for (int i = shadow_count_columns(s) - t->lacks[s - shadow_tables]; i > 0; i--) {
    at = next_name(at, &n);
    sqlite3_str_appendf(sql, "%s \"%.*s\" = \"%.*s\"", word, (int)n, at, (int)n, at);
    word = ",";
    at = after_comma(at);
  }
  return sqlite3_str_finish(sql);
}

static int check_triggers(CacheTable *t, const ShadowTable *s, Err *err) {
  char *set = set_all(t, s);
  if (!set) {
    return err_nomem(err);
  }
  if (check_write(t, s, "EXPLAIN INSERT INTO ", " DEFAULT VALUES", err) == RC_OK &&
      check_write(t, s, "EXPLAIN DELETE FROM ", "", err) == RC_OK) {
    check_write(t, s, "EXPLAIN UPDATE ", set, err);
  }
  sqlite3_free(set);
  return err->rc;
}

/* --- once per state of the schema */

static int check_all(CacheTable *t, Err *err) {
  memset(t->lacks, 0, sizeof t->lacks);
  for (int i = 0; i < N_SHADOW_TABLES && err->rc == RC_OK; i++) {
    const ShadowTable *s = &shadow_tables[i];
    if (is_to_come(t, s, err)) {
      t->lacks[i] = LATER_ALL;
    } else if (check_kind(t, s, err) == RC_OK && check_columns(t, s, err) == RC_OK) {
      check_triggers(t, s, err);
    }
  }
  return err->rc;
}

static int open_watch(CacheTable *t) {
  char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\".sqlite_schema WHERE 0", t->schema);
  int rc = sql ? schema_watch_open(&t->watch, t->db, sql) : SQLITE_NOMEM;
  sqlite3_free(sql);
  return rc;
}

int shadow_check(CacheTable *t, Err *err) {
  int changed = 1;
  int rc = t->watch.stmt ? schema_watch_look(&t->watch, &changed) : open_watch(t);
  if (rc == SQLITE_AUTH) { /* an authorizer that hides the schema: look every time */
    schema_watch_close(&t->watch);
    rc = SQLITE_OK;
    changed = 1;
  }
  if (rc != SQLITE_OK || changed) {
    t->is_sound = 0;
  }
  if (rc != SQLITE_OK) {
    return rows_error(t, rc, err);
  }
  if (!t->is_sound) {
    t->is_sound = check_all(t, err) == RC_OK;
  }
  return err->rc;
}

int shadow_is_ours(CacheTable *t, Err *err) {
  char seed[SEED_TEXT];
  int found = t->seed[0] ? rows_meta(t, "seed", seed, sizeof seed, err) : 0;
  return err->rc == RC_OK && (!t->seed[0] || (found == 1 && strcmp(seed, t->seed) == 0));
}
