/*
** The text of a row of sqlite_schema.
**
** Holds: words lie in the text, one after the other; the normal form is not longer and is a fixed point;
** what is called a plain name is one; and where SQLite takes the text, it makes what we say it makes, of the
** name that we say, and the same of the normal form.
*/
#include "fuzz.h"

#include "base/sqlite/ddl.h"

#include <sqlite3.h>

static void check_words(const char *text, size_t n) {
  Ddl d;
  const char *word, *last = text;
  size_t length;
  char shown[64];
  ddl_start(&d, text, n);
  require(ddl_kind_name(d.kind)[0]);
  require(d.n_name == 0 || (d.name >= text && d.name + d.n_name <= text + n));
  int is_plain = ddl_show_name(d.name, d.n_name, shown, sizeof shown);
  require(strlen(shown) < sizeof shown && is_utf8(shown));
  require(!is_plain || (strlen(shown) == d.n_name && memcmp(shown, d.name, d.n_name) == 0));
  require(!is_plain || !strpbrk(shown, "\"'`[];\n"));
  while (ddl_next_word(&d, &word, &length)) {
    require(length > 0 && word >= last && word + length <= text + n);
    last = word + length;
    ddl_is_string(&d);
    ddl_is_plain_call(&d);
    require(ddl_is_name(word, length, "llm_complete") == 0 || length == 12);
  }
}

/* What a statement makes, read from the schema. */
typedef struct Made {
  char type[16], name[128], sql[1024];
} Made;

static int give_up(void *unused) {
  (void)unused;
  return 1;
}

/* Runs one statement that begins as DDL in an empty database. 1, or 0 where SQLite does not take it or
** makes several objects of it. */
static int make(const char *text, size_t n, Made *made) {
  static sqlite3 *db;
  sqlite3_stmt *stmt = NULL;
  const char *rest = NULL;
  int objects = 0;
  require(db || sqlite3_open(":memory:", &db) == SQLITE_OK);
  sqlite3_progress_handler(db, 100000, give_up, NULL);
  sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
  int fine = sqlite3_prepare_v2(db, text, (int)n, &stmt, &rest) == SQLITE_OK && stmt &&
             rest == text + n && sqlite3_step(stmt) == SQLITE_DONE;
  sqlite3_finalize(stmt);
  sqlite3_prepare_v2(db,
                     "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL UNION ALL"
                     " SELECT type, name, sql FROM sqlite_temp_schema WHERE sql IS NOT NULL",
                     -1, &stmt, NULL);
  while (fine && sqlite3_step(stmt) == SQLITE_ROW) {
    fine = sqlite3_column_bytes(stmt, 1) < 128 && sqlite3_column_bytes(stmt, 2) < 1024;
    snprintf(made->type, sizeof made->type, "%s", (const char *)sqlite3_column_text(stmt, 0));
    snprintf(made->name, sizeof made->name, "%s", (const char *)sqlite3_column_text(stmt, 1));
    snprintf(made->sql, sizeof made->sql, "%s", (const char *)sqlite3_column_text(stmt, 2));
    objects++;
  }
  sqlite3_finalize(stmt);
  sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  return fine && objects == 1;
}

static void check_as_sqlite(const char *text, size_t n) {
  Made made, again;
  Ddl d;
  char form[1024];
  ddl_start(&d, text, n);
  if (d.kind == DDL_OTHER || n >= sizeof form || memchr(text, 0, n) || !make(text, n, &made)) {
    return;
  }
  ddl_start(&d, made.sql, strlen(made.sql));
  require(strcmp(ddl_kind_name(d.kind), made.type) == 0);
  require(strpbrk(made.name, "\"'`") || ddl_is_name(d.name, d.n_name, made.name));
  ddl_normalize(made.sql, strlen(made.sql), form);
  require(make(form, strlen(form), &again));
  require(strcmp(made.type, again.type) == 0 && sqlite3_stricmp(made.name, again.name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size ? size : 1), *once = malloc(size + 1);
  require(text && once);
  if (size > 0) {
    memcpy(text, data, size);
  }
  check_words(text, size);
  check_as_sqlite(text, size);
  ddl_normalize(text, size, once);
  size_t n = strlen(once);
  char *twice = malloc(n + 1);
  require(twice && n <= size);
  ddl_normalize(once, n, twice);
  require(strcmp(once, twice) == 0);
  free(text);
  free(once);
  free(twice);
  return 0;
}
