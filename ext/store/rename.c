/*
** See rename.h for the contract.
*/
#include "store/rename.h"

#include "core/json.h"

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

/* The transcript with its references renamed, owned (cJSON_free); NULL where there is nothing to rename. */
static char *rename_references(const char *text, size_t n, unsigned long long seed) {
  Err ignored = {0};
  char name[HASH_HEX_SIZE];
  int found = 0;
  if (text[0] != '[' || !memmem(text, n, "\"hash\"", 6)) {
    return NULL;
  }
  cJSON *tree = json_parse(text, n, "a transcript", &ignored);
  for (cJSON *m = tree && is_transcript(tree) ? tree->child : NULL; m; m = m->next) {
    cJSON *hash = reference_of(m);
    if (hash) {
      rename_one(hash->valuestring, seed, name);
      found |= cJSON_SetValuestring(hash, name) != NULL;
    }
  }
  char *renamed = found ? cJSON_PrintUnformatted(tree) : NULL;
  cJSON_Delete(tree);
  return renamed;
}

/* Binds the new values of the row that `row` is at. */
static void bind_renamed(const Source *source, sqlite3_stmt *row, sqlite3_stmt *put,
                         unsigned long long seed) {
  char name[HASH_HEX_SIZE];
  sqlite3_bind_value(put, 1, sqlite3_column_value(row, 0));
  for (int i = 1; i <= source->n_names; i++) {
    const char *old = (const char *)sqlite3_column_text(row, i);
    if (old) {
      rename_one(old, seed, name);
      sqlite3_bind_text(put, i + 1, name, -1, SQLITE_TRANSIENT);
    }
  }
  if (source->has_transcript) {
    int at = source->n_names + 1;
    const char *text = (const char *)sqlite3_column_text(row, at);
    char *renamed =
        text ? rename_references(text, (size_t)sqlite3_column_bytes(row, at), seed) : NULL;
    if (renamed) {
      sqlite3_bind_text(put, at + 1, renamed, -1, SQLITE_TRANSIENT);
    } else {
      sqlite3_bind_value(put, at + 1, sqlite3_column_value(row, at));
    }
    cJSON_free(renamed);
  }
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
    bind_renamed(source, row, put, seed);
    sqlite3_reset(row);
    sqlite3_step(put);
    rc = sqlite3_reset(put);
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
  store_ask(s, "SELECT value FROM main.llm_meta WHERE name = 'seed'", &seed, err);
  for (size_t i = 0; i < sizeof sources / sizeof sources[0] && err->rc == RC_OK; i++) {
    rename_source(s, &sources[i], (unsigned long long)seed, err);
  }
  return err->rc;
}
