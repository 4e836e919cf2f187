/*
** See compiled.h for the contract.
*/
#include "trust/compiled.h"

#include "trust/watched.h"

#include <stdlib.h>
#include <string.h>

/* Root pages, as the program lists them. */
typedef struct Roots {
  unsigned *pages;
  size_t n, cap;
} Roots;

static int add_root(Roots *r, unsigned page, Err *err) {
  if (r->n == r->cap) {
    size_t cap = r->cap ? 2 * r->cap : 64;
    unsigned *more = realloc(r->pages, cap * sizeof *more);
    if (!more) {
      return err_nomem(err);
    }
    r->pages = more;
    r->cap = cap;
  }
  r->pages[r->n++] = page;
  return RC_OK;
}

/* "[1,2,7]" */
static int read_roots(Roots *r, const char *list, Err *err) {
  for (const char *p = list; *p && err->rc == RC_OK;) {
    char *end;
    unsigned long page = strtoul(p, &end, 10);
    if (end == p) {
      p++;
    } else {
      add_root(r, (unsigned)page, err);
      p = end;
    }
  }
  return err->rc;
}

/* "name(2)" */
static void read_call(const char *text, CompiledCall call, void *arg) {
  const char *open = strrchr(text, '(');
  if (open) {
    call(arg, text, (size_t)(open - text), (int)strtol(open + 1, NULL, 10));
  }
}

/* An error that must be told; any other leaves things unknown. */
static int is_fatal(int rc, Err *err) {
  int code = rc & 0xff;
  if (code == SQLITE_NOMEM) {
    err_nomem(err);
  } else if (code == SQLITE_INTERRUPT) {
    err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  return err->rc != RC_OK;
}

/* What a look at another moment may find. */
static int is_transient(int rc) {
  int code = rc & 0xff;
  return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_IOERR ||
         code == SQLITE_CANTOPEN || code == SQLITE_PROTOCOL;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *before, const char *schema, const char *after,
                             int *rc, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *sql = sqlite3_mprintf("%s\"%w\"%s", before, schema, after);
  *rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  is_fatal(*rc, err);
  sqlite3_free(sql);
  return stmt;
}

/* The text of a column; NULL where it is NULL, or *err. */
static const char *column_text(sqlite3_stmt *stmt, int i, Err *err) {
  int is_null = sqlite3_column_type(stmt, i) == SQLITE_NULL;
  const char *text = is_null ? NULL : (const char *)sqlite3_column_text(stmt, i);
  if (!is_null && !text) {
    err_nomem(err);
  }
  return text;
}

/* *later: 1 where it could not be read now. */
static int read_program(sqlite3 *db, const char *schema, CompiledCall call, void *arg, Roots *roots,
                        int *later, Err *err) {
  int rc;
  sqlite3_stmt *stmt = prepare(db, "EXPLAIN PRAGMA ", schema, ".integrity_check", &rc, err);
  while (stmt && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *op = column_text(stmt, 1, err);
    const char *p4 = column_text(stmt, 5, err);
    if (op && p4 && (strcmp(op, "Function") == 0 || strcmp(op, "PureFunc") == 0)) {
      read_call(p4, call, arg);
    } else if (op && p4 && strcmp(op, "IntegrityCk") == 0) {
      read_roots(roots, p4, err);
    }
  }
  int end = sqlite3_finalize(stmt);
  is_fatal(end, err);
  *later = is_transient(rc) || is_transient(end);
  return err->rc;
}

/* 1 if one of the roots is among the pages of sqlite_schema. (By the module's name in temp, where no file
** has a table that could take it.) -1: not now. */
static int find_alias(sqlite3 *db, const char *schema, const Roots *roots, Err *err) {
  static const char sql[] =
      "SELECT pageno FROM temp.dbstat WHERE name = 'sqlite_schema' AND schema = ?1";
  sqlite3_stmt *stmt = NULL;
  int found = 0;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 1, schema, -1, SQLITE_STATIC) : rc;
  is_fatal(rc, err);
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    sqlite3_int64 page = sqlite3_column_int64(stmt, 0);
    for (size_t i = 0; i < roots->n && page > 1; i++) {
      found |= roots->pages[i] == page;
    }
  }
  int end = sqlite3_finalize(stmt);
  is_fatal(end, err);
  return !found && (is_transient(rc) || is_transient(end)) ? -1 : found;
}

int compiled_look(sqlite3 *db, const char *schema, CompiledCall call, void *arg, int *is_aliased,
                  Err *err) {
  Roots roots = {0};
  *is_aliased = 0;
  int may_ask =
      !watched_is_bytes(db, schema); /* SQLite 3.40 crashes: a module's table outlives the schema */
  int later = 0;
  if (read_program(db, schema, call, arg, &roots, &later, err) == RC_OK && roots.n > 0 && may_ask) {
    *is_aliased = find_alias(db, schema, &roots, err);
  }
  *is_aliased = later && *is_aliased == 0 ? -1 : *is_aliased;
  free(roots.pages);
  return err->rc;
}
