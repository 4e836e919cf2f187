/*
** The check. See directonly.h for why it is there.
**
** The text of a table is what SQLite parses, and a function's name can't be written in it any other
** way, so a search for the names finds every such constraint. It may find too much (a comment): the
** error says where.
*/
#include "fn/directonly.h"

#include "fn/memo.h"

#include <string.h>

static const char *const guarded[] = {"llm_complete", "llm_chat",         "llm_last_call",
                                      "llm_config",   "llm_secret",       "llm_allow_host",
                                      "llm_init",     "llmcost_debug",    "llm_cache_feedback",
                                      "embed",        "llm_prices_import"};

static int is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (unsigned char)c >= 0x80;
}

/* 1 if the text holds the name as a word. */
static int holds_word(const char *sql, const char *name) {
  size_t n = strlen(name);
  for (const char *at = strcasestr(sql, name); at; at = strcasestr(at + 1, name)) {
    if ((at == sql || !is_word(at[-1])) && !is_word(at[n])) {
      return 1;
    }
  }
  return 0;
}

int directonly_names_function(const char *sql) {
  int found = 0;
  for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
    found |= holds_word(sql, guarded[i]);
  }
  return found && strcasestr(sql, "check") != NULL;
}

/* Skips blanks and comments in front of a statement. */
static const char *skip_blanks(const char *sql) {
  for (;;) {
    const char *end = NULL;
    sql += strspn(sql, " \t\r\n\f;");
    if (strncmp(sql, "--", 2) == 0) {
      end = strchr(sql, '\n');
      end = end ? end + 1 : NULL;
    } else if (strncmp(sql, "/*", 2) == 0) {
      end = strstr(sql + 2, "*/");
      end = end ? end + 2 : NULL;
    } else {
      return sql;
    }
    if (!end) {
      return "";
    }
    sql = end;
  }
}

/* 1 if a running statement writes, or is no plain query (PRAGMA integrity_check is "read-only"). */
static int may_check_constraints(sqlite3 *db) {
  static const char *const queries[] = {"select", "with", "values"};
  for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s; s = sqlite3_next_stmt(db, s)) {
    const char *sql = sqlite3_sql(s);
    int is_query = 0;
    if (!sqlite3_stmt_busy(s)) {
      continue;
    }
    for (int i = 0; sql && i < 3; i++) {
      is_query |= sqlite3_strnicmp(skip_blanks(sql), queries[i], (int)strlen(queries[i])) == 0;
    }
    if (!is_query || !sqlite3_stmt_readonly(s)) {
      return 1;
    }
  }
  return 0;
}

static int search_schema(sqlite3 *db, const char *schema, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *sql =
      sqlite3_mprintf("SELECT name, sql FROM \"%w\".sqlite_schema WHERE type = 'table' AND (sql"
                      " LIKE '%%llm%%' OR sql LIKE '%%embed%%')",
                      schema);
  int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *create = (const char *)sqlite3_column_text(stmt, 1);
    if (create && directonly_names_function(create)) {
      err_set(
          err, RC_ERROR, "hostile_schema",
          "table '%.60s' of '%.40s' names such a function beside a CHECK: nothing was done, since a"
          " database file must not spend or send; drop that constraint",
          (const char *)sqlite3_column_text(stmt, 0), schema);
    }
    rc = SQLITE_OK;
  }
  sqlite3_finalize(stmt);
  sqlite3_free(sql);
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    err_set(err, rc & 0xff, "config", "cannot read the schema of '%.40s': %s", schema,
            sqlite3_errstr(rc));
  }
  return err->rc;
}

/* Every database of the connection but temp, which no file can bring along. */
static int search_all(sqlite3 *db, Err *err) {
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(db, "PRAGMA database_list", -1, &stmt, NULL) != SQLITE_OK) {
    return err_set(err, RC_ERROR, "config", "cannot list the databases: %s", sqlite3_errmsg(db));
  }
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *schema = (const char *)sqlite3_column_text(stmt, 1);
    if (schema && strcmp(schema, "temp") != 0) {
      search_schema(db, schema, err);
    }
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

int directonly_check(sqlite3_context *ctx, Err *err) {
  sqlite3 *db = sqlite3_context_db_handle(ctx);
  Memo *memo = memo_of_statement(ctx);
  if (memo && memo_guarded(memo)) {
    return RC_OK;
  }
  if (may_check_constraints(db) && search_all(db, err) != RC_OK) {
    return err->rc;
  }
  if (memo) {
    memo_set_guarded(memo);
  }
  return RC_OK;
}
