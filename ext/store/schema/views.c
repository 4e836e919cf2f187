/*
** See views.h for the contract.
*/
#include "store/schema/views.h"

#include "sql/sql_text.h"
#include "store/schema/model.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* How each view begins in our text. */
static const char opening[] = "CREATE VIEW IF NOT EXISTS main.";

static pthread_once_t note_once = PTHREAD_ONCE_INIT;
static char
    note_text[4096]; /* "HASH name name …"; what is cut off is dropped by the hash all the same */

static const char *const texts[] = {sql_views_sql, sql_cost_views_sql};
enum { N_TEXTS = sizeof texts / sizeof texts[0] };

static void make_note(void) {
  Hash h[N_TEXTS];
  size_t n = HASH_HEX_SIZE - 1;
  for (int i = 0; i < N_TEXTS; i++) {
    h[i] = hash_bytes(texts[i], strlen(texts[i]), 0);
  }
  Hash all = hash_bytes(h, sizeof h, 0);
  hash_hex(&all, note_text);
  for (int i = 0; i < N_TEXTS; i++) {
    for (const char *at = texts[i]; (at = strstr(at, opening)) != NULL;) {
      at += sizeof opening - 1;
      int length = (int)strcspn(at, " \n(");
      if (n + (size_t)length + 2 <= sizeof note_text) {
        n += (size_t)snprintf(note_text + n, sizeof note_text - n, " %.*s", length, at);
      }
    }
  }
}

const char *views_of_costs(const char *name, size_t n, size_t *length) {
  for (const char *at = sql_cost_views_sql; (at = strstr(at, opening)) != NULL;) {
    at += sizeof opening - 1;
    if (strcspn(at, " \n") == n && sqlite3_strnicmp(at, name, (int)n) == 0) {
      at += n + strlen(" AS ");
      *length = strcspn(at, ";");
      return at;
    }
  }
  return NULL;
}

const char *views_note(void) {
  pthread_once(&note_once, make_note);
  return note_text;
}

int views_names(const char *note, const char *name, size_t n) {
  const char *at = note ? strchr(note, ' ') : NULL;
  while (at) {
    size_t length = strcspn(at + 1, " ");
    if (length == n && sqlite3_strnicmp(at + 1, name, (int)n) == 0) {
      return 1;
    }
    at = at[1 + length] ? at + 1 + length : NULL;
  }
  return 0;
}

int views_read_note(sqlite3 *db, const char *schema, char **note) {
  sqlite3_stmt *stmt = NULL;
  char *sql = sqlite3_mprintf("SELECT value FROM \"%w\".llm_meta WHERE name = 'views'", schema);
  int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  *note = NULL;
  if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW &&
      sqlite3_column_type(stmt, 0) == SQLITE_TEXT) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    *note = text ? sqlite3_mprintf("%s", text) : NULL;
    rc = *note ? rc : SQLITE_NOMEM;
  }
  sqlite3_finalize(stmt);
  sqlite3_free(sql);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static char *read_note(Store *s, Err *err) {
  char *note;
  int rc = views_read_note(s->db, "main", &note);
  if (rc != SQLITE_OK) {
    store_error(s, rc, "read its settings", err);
  }
  return note;
}

int views_are_ours(Store *s, Err *err) {
  char *note = read_note(s, err);
  int are_ours = note && strcmp(note, views_note()) == 0;
  sqlite3_free(note);
  return err->rc == RC_OK ? are_ours : -1;
}

/* The statements that drop the store's views, as far as they are of the note or called like ours. Owned
** (sqlite3_free). An SQLite code. */
static int write_drops(sqlite3 *db, const char *note, char **drops) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *text = sqlite3_str_new(db);
  int rc = sqlite3_prepare_v2(
      db, "SELECT name FROM main.sqlite_schema NOT INDEXED WHERE type = 'view'", -1, &stmt, NULL);
  while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(stmt, 0);
    size_t n = (size_t)sqlite3_column_bytes(stmt, 0);
    rc = name ? SQLITE_OK : SQLITE_NOMEM;
    int may_be_ours = name && sqlite3_strnicmp(name, "llm_", 4) == 0; /* whatever the note says */
    if (may_be_ours && (views_names(note, name, n) || views_names(views_note(), name, n))) {
      sqlite3_str_appendf(text, "DROP VIEW IF EXISTS main.\"%w\";", name);
    }
  }
  sqlite3_finalize(stmt);
  rc = rc == SQLITE_DONE ? sqlite3_str_errcode(text) : rc;
  *drops = sqlite3_str_finish(text);
  return rc;
}

int views_drop(Store *s, Err *err) {
  char *drops = NULL, *note = read_note(s, err);
  int rc = err->rc == RC_OK ? write_drops(s->db, note, &drops) : SQLITE_OK;
  rc = rc == SQLITE_OK && drops ? sqlite3_exec(s->db, drops, NULL, NULL, NULL) : rc;
  sqlite3_free(drops);
  sqlite3_free(note);
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "drop its views", err);
}

int views_make(Store *s, Err *err) {
  int rc = err->rc == RC_OK ? model_make_views(s->db, !s->mode->shares_file) : SQLITE_OK;
  char *sql =
      sqlite3_mprintf("INSERT OR REPLACE INTO main.llm_meta VALUES ('views', %Q)", views_note());
  if (rc != SQLITE_OK) {
    store_error(s, rc, "create the views", err);
  }
  sql ? store_exec(s, sql, "write the settings", err) : err_nomem(err);
  sqlite3_free(sql);
  return err->rc;
}
