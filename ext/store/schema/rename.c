/*
** See rename.h for the contract.
*/
#include "store/schema/rename.h"

#include "base/text/json.h"

#include <stdlib.h>
#include <string.h>

/* One table: how its rows are read, each time the first behind ?1, and written back. */
typedef struct Source {
  const char *next, *update;
  int n_names;        /* columns 1 … n_names are names */
  int has_transcript; /* the column behind them is a text that may refer to others */
} Source;

static const Source sources[] = {
    {"SELECT rowid, hash, text FROM main.llm_texts WHERE rowid > ?1 ORDER BY rowid LIMIT 1",
     "UPDATE main.llm_texts SET hash = ?2, text = ?3 WHERE rowid = ?1", 1, 1},
    {"SELECT id, prompt_hash, system_hash FROM main.llm_calls WHERE id > ?1"
     " AND (prompt_hash IS NOT NULL OR system_hash IS NOT NULL) ORDER BY id LIMIT 1",
     "UPDATE main.llm_calls SET prompt_hash = ?2, system_hash = ?3 WHERE id = ?1", 2, 0},
    {"SELECT key, prompt_hash FROM main.llm_answers WHERE key > ?1 AND prompt_hash IS NOT NULL"
     " ORDER BY key LIMIT 1",
     "UPDATE main.llm_answers SET prompt_hash = ?2 WHERE key = ?1", 1, 0},
};

/* The new name of an old one; what is none stays as it is. */
static void rename_one(const char *old, unsigned long long seed, char out[HASH_HEX_SIZE]) {
  Hash h;
  if (hash_parse(old, &h)) {
    h = hash_keyed(&h, seed);
    hash_hex(&h, out);
  } else {
    sqlite3_snprintf(HASH_HEX_SIZE, out, "%s", old);
  }
}

/* The name a message of a transcript has in the place of its text; NULL where it is no such message. */
static cJSON *reference_of(const cJSON *message) {
  cJSON *hash = cJSON_GetObjectItemCaseSensitive(message, "hash");
  Hash ignored;
  int is_one = cJSON_GetArraySize(message) == 2 && json_text(message, "role") &&
               cJSON_IsString(hash) && hash_parse(hash->valuestring, &ignored);
  return is_one ? hash : NULL;
}

/* 1 if every element is what request_transcript writes. */
static int is_transcript(const cJSON *tree) {
  int n = 0, fits = cJSON_IsArray(tree);
  for (const cJSON *m = fits ? tree->child : NULL; m && fits; m = m->next, n++) {
    fits = json_text(m, "role") && cJSON_GetArraySize(m) == 2 &&
           (json_text(m, "text") || reference_of(m));
  }
  return fits && n > 1;
}

/* The transcript with its references renamed, owned (cJSON_free); NULL where there is nothing to rename, or
** *err. */
static char *rename_references(const char *text, size_t n, unsigned long long seed, Err *err) {
  Err why = {0};
  char name[HASH_HEX_SIZE];
  int found = 0;
  if (text[0] != '[' || !memmem(text, n, "\"hash\"", 6)) {
    return NULL;
  }
  cJSON *tree = json_parse(text, n, "a transcript", &why);
  for (cJSON *m = tree && is_transcript(tree) ? tree->child : NULL; m; m = m->next) {
    cJSON *hash = reference_of(m);
    if (hash) {
      rename_one(hash->valuestring, seed, name);
      found = 1;
      if (!cJSON_SetValuestring(hash, name)) {
        err_nomem(err);
      }
    }
  }
  if (why.rc == RC_NOMEM) { /* (what is no JSON is a text like any other) */
    err_nomem(err);
  }
  if (!found) {
    cJSON_Delete(tree);
    return NULL;
  }
  return json_print(tree, err);
}

/* Binds the new name of column i. An SQLite code. */
static int bind_name(sqlite3_stmt *row, sqlite3_stmt *put, int i, unsigned long long seed) {
  char name[HASH_HEX_SIZE];
  if (sqlite3_column_type(row, i) == SQLITE_NULL) {
    return SQLITE_OK;
  }
  const char *old = (const char *)sqlite3_column_text(row, i);
  if (!old) {
    return SQLITE_NOMEM;
  }
  rename_one(old, seed, name);
  return sqlite3_bind_text(put, i + 1, name, -1, SQLITE_TRANSIENT);
}

/* Binds the transcript of column i, or what else it is. An SQLite code. */
static int bind_transcript(sqlite3_stmt *row, sqlite3_stmt *put, int i, unsigned long long seed) {
  Err err = {0};
  int is_null = sqlite3_column_type(row, i) == SQLITE_NULL;
  const char *text = is_null ? NULL : (const char *)sqlite3_column_text(row, i);
  if (!is_null && !text) {
    return SQLITE_NOMEM;
  }
  size_t n = (size_t)sqlite3_column_bytes(row, i);
  char *renamed = text ? rename_references(text, n, seed, &err) : NULL;
  int rc = err.rc != RC_OK ? err.rc
           : renamed       ? sqlite3_bind_text(put, i + 1, renamed, -1, SQLITE_TRANSIENT)
                           : sqlite3_bind_value(put, i + 1, sqlite3_column_value(row, i));
  cJSON_free(renamed);
  return rc;
}

/* Binds the new values of the row that `row` is at. An SQLite code: a value that is not bound would be lost. */
static int bind_renamed(const Source *source, sqlite3_stmt *row, sqlite3_stmt *put,
                        unsigned long long seed) {
  int rc = sqlite3_bind_value(put, 1, sqlite3_column_value(row, 0));
  for (int i = 1; i <= source->n_names && rc == SQLITE_OK; i++) {
    rc = bind_name(row, put, i, seed);
  }
  return rc == SQLITE_OK && source->has_transcript
             ? bind_transcript(row, put, source->n_names + 1, seed)
             : rc;
}

static int rename_source(Store *s, const Source *source, unsigned long long seed, Err *err) {
  sqlite3_stmt *row = NULL, *put = NULL;
  long long at = (long long)(~0ull >> 1) * -1 - 1; /* the least rowid */
  int rc = sqlite3_prepare_v2(s->db, source->next, -1, &row, NULL);
  rc = rc == SQLITE_OK ? sqlite3_prepare_v2(s->db, source->update, -1, &put, NULL) : rc;
  while (rc == SQLITE_OK) {
    sqlite3_bind_int64(row, 1, at);
    if ((rc = sqlite3_step(row)) != SQLITE_ROW) {
      break;
    }
    at = sqlite3_column_int64(row, 0);
    rc = bind_renamed(source, row, put, seed);
    sqlite3_reset(row);
    if (rc == SQLITE_OK) {
      sqlite3_step(put);
      rc = sqlite3_reset(put);
    }
    sqlite3_clear_bindings(put);
  }
  if (rc != SQLITE_OK && rc != SQLITE_DONE) {
    store_error(s, rc, "name its texts anew", err);
  }
  sqlite3_finalize(row);
  sqlite3_finalize(put);
  return err->rc;
}

int rename_texts(Store *s, Err *err) {
  long long seed = 0;
  if (store_ask(s, "SELECT value FROM main.llm_meta WHERE name = 'seed'", &seed, err) == 0) {
    err_set(err, RC_ERROR, ERR_STORE, "the store is damaged: it has no seed");
  }
  for (size_t i = 0; i < sizeof sources / sizeof sources[0] && err->rc == RC_OK; i++) {
    rename_source(s, &sources[i], (unsigned long long)seed, err);
  }
  return err->rc;
}
