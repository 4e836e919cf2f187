/*
** llm_call(prompt [, options]): a request as a table of one row, the answer and every column of its
** ledger row.
**
** Columns: answer, then those of llm_calls, then the hidden arguments prompt and options. Eponymous
** only. The cursor keeps the memo of what this execution asked, since a table has no statement slot
** of its own.
*/
#include "call/call.h"
#include "fn/fn.h"
#include "store/schema/model.h"
#include "trust/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct CallTable {
  sqlite3_vtab base;
  Conn *conn;
  int n_columns; /* of llm_calls */
} CallTable;

typedef struct CallCursor {
  sqlite3_vtab_cursor base;
  Memo *memo;
  sqlite3_value **row; /* the columns of the ledger row; NULL: past the end */
  int n_columns;
  char *answer;
  sqlite3_value *args[2];
} CallCursor;

static int set_error(sqlite3_vtab *table, const Err *err) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("llm_call: %s", err->msg);
  return err->rc;
}

static int call_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                        sqlite3_vtab **table, char **message) {
  (void)argc;
  (void)argv;
  Err err = {0};
  char *columns = store_declaration(&((Conn *)aux)->host, "llm_calls", &err);
  CallTable *t = columns ? sqlite3_malloc64(sizeof *t) : NULL;
  if (!t) {
    *message = err.rc ? sqlite3_mprintf("llm_call: %s", err.msg) : NULL;
    sqlite3_free(columns);
    return err.rc ? err.rc : SQLITE_NOMEM;
  }
  memset(t, 0, sizeof *t);
  t->conn = aux;
  for (const char *p = columns; *p; p++) {
    t->n_columns += *p == ',';
  }
  t->n_columns++;
  char *list = strchr(columns, '(') + 1;
  list[strlen(list) - 1] = 0;
  char *decl =
      sqlite3_mprintf("CREATE TABLE x(answer TEXT, %s, prompt HIDDEN, options HIDDEN)", list);
  int rc = decl ? sqlite3_declare_vtab(db, decl) : SQLITE_NOMEM;
  sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  sqlite3_free(decl);
  sqlite3_free(columns);
  *table = &t->base;
  if (rc != SQLITE_OK) {
    sqlite3_free(t);
    *table = NULL;
  }
  return rc;
}

static int call_disconnect(sqlite3_vtab *table) {
  sqlite3_free(table);
  return SQLITE_OK;
}

/* Both arguments must come as equalities; the prompt is required. */
static int call_best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
  CallTable *t = (CallTable *)table;
  int at[2] = {-1, -1};
  for (int i = 0; i < info->nConstraint; i++) {
    int arg = info->aConstraint[i].iColumn - (t->n_columns + 1);
    if (arg < 0 || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) {
      continue;
    }
    if (!info->aConstraint[i].usable) {
      return SQLITE_CONSTRAINT;
    }
    at[arg] = i;
  }
  if (at[0] < 0) {
    sqlite3_free(table->zErrMsg);
    table->zErrMsg =
        sqlite3_mprintf("llm_call: the prompt is missing: SELECT … FROM llm_call('…')");
    return SQLITE_ERROR;
  }
  for (int arg = 0, n = 0; arg < 2; arg++) {
    if (at[arg] >= 0) {
      info->aConstraintUsage[at[arg]].argvIndex = ++n;
      info->aConstraintUsage[at[arg]].omit = 1;
      info->idxNum |= 1 << arg;
    }
  }
  info->estimatedCost = 1e6;
  info->estimatedRows = 1;
  info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
  return SQLITE_OK;
}

static int call_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor) {
  (void)table;
  CallCursor *c = sqlite3_malloc64(sizeof *c);
  if (!c) {
    return SQLITE_NOMEM;
  }
  memset(c, 0, sizeof *c);
  c->memo = memo_new();
  if (!c->memo) {
    sqlite3_free(c);
    return SQLITE_NOMEM;
  }
  *cursor = &c->base;
  return SQLITE_OK;
}

static void clear_row(CallCursor *c) {
  for (int i = 0; c->row && i < c->n_columns; i++) {
    sqlite3_value_free(c->row[i]);
  }
  free(c->row);
  free(c->answer);
  sqlite3_value_free(c->args[0]);
  sqlite3_value_free(c->args[1]);
  c->row = NULL;
  c->answer = NULL;
  c->args[0] = c->args[1] = NULL;
}

static int call_close(sqlite3_vtab_cursor *cursor) {
  CallCursor *c = (CallCursor *)cursor;
  clear_row(c);
  memo_free(c->memo);
  sqlite3_free(c);
  return SQLITE_OK;
}

/* Copies the ledger row of the call just made, from the connection that wrote it. */
static int load_row(CallTable *t, CallCursor *c, long long call_id, Err *err) {
  sqlite3 *db = t->conn->store->db;
  sqlite3_stmt *stmt = NULL;
  c->n_columns = t->n_columns;
  c->row = calloc((size_t)t->n_columns, sizeof *c->row);
  if (!c->row) {
    return err_nomem(err);
  }
  int rc = sqlite3_prepare_v2(db, "SELECT * FROM main.llm_calls WHERE id = ?1", -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, call_id);
    rc = sqlite3_step(stmt);
  }
  for (int i = 0; rc == SQLITE_ROW && i < t->n_columns; i++) {
    c->row[i] = sqlite3_value_dup(sqlite3_column_value(stmt, i));
    if (!c->row[i]) {
      err_nomem(err);
    }
  }
  if (rc != SQLITE_ROW) {
    rc == SQLITE_NOMEM
        ? err_nomem(err)
        : err_set(err, RC_ERROR, "store", "the ledger row of the call can't be read back");
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* Errors that on_error covers give a row whose answer is NULL (the row says what went wrong). */
static int run(CallTable *t, CallCursor *c, const Request *r, Err *err) {
  Outcome out = {.wants_row = 1};
  if (r->options->dry_run) {
    c->answer = pipeline_dry_run(t->conn, r, err);
    return err->rc;
  }
  pipeline_run(t->conn, r, c->memo, &out, err);
  c->answer = out.text;
  if (err->rc != RC_OK && r->options->on_error != ON_ERROR_ERROR && on_error_covers(err) &&
      out.call_id) {
    *err = (Err){0};
  }
  return err->rc == RC_OK ? load_row(t, c, out.call_id, err) : err->rc;
}

static int call_filter(sqlite3_vtab_cursor *cursor, int idx, const char *name, int argc,
                       sqlite3_value **argv) {
  (void)name;
  CallCursor *c = (CallCursor *)cursor;
  CallTable *t = (CallTable *)cursor->pVtab;
  Err err = {0};
  Options o;
  Request r = {0};
  clear_row(c);
  options_init(&o);
  if (guard_check_name(t->conn->guard, "llm_call", &err) != RC_OK) {
    return set_error(cursor->pVtab, &err);
  }
  const char *prompt = (const char *)sqlite3_value_text(argv[0]);
  if (sqlite3_value_type(argv[0]) == SQLITE_NULL) {
    return SQLITE_OK; /* NULL asks nothing */
  }
  c->args[0] = sqlite3_value_dup(argv[0]);
  if ((idx & 2) && argc > 1 && sqlite3_value_type(argv[1]) != SQLITE_NULL) {
    c->args[1] = sqlite3_value_dup(argv[1]);
    const char *json = (const char *)sqlite3_value_text(argv[1]);
    json && c->args[1] ? options_parse(json, (size_t)sqlite3_value_bytes(argv[1]), &o, &err)
                       : err_nomem(&err);
  }
  if (!prompt || !c->args[0]) {
    err_nomem(&err);
  }
  if (err.rc == RC_OK &&
      request_from_prompt(prompt, (size_t)sqlite3_value_bytes(argv[0]), &o, &r, &err) == RC_OK) {
    run(t, c, &r, &err);
  }
  request_free(&r);
  options_free(&o);
  return err.rc == RC_OK ? SQLITE_OK : set_error(cursor->pVtab, &err);
}

static int call_next(sqlite3_vtab_cursor *cursor) {
  clear_row((CallCursor *)cursor);
  return SQLITE_OK;
}

static int call_eof(sqlite3_vtab_cursor *cursor) {
  CallCursor *c = (CallCursor *)cursor;
  return c->row == NULL && c->answer == NULL;
}

static int call_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int i) {
  CallCursor *c = (CallCursor *)cursor;
  int n = ((CallTable *)cursor->pVtab)->n_columns;
  if (i == 0) {
    sqlite3_result_text(ctx, c->answer, -1, SQLITE_TRANSIENT);
  } else if (i <= n && c->row) {
    sqlite3_result_value(ctx, c->row[i - 1]);
  } else if (i > n && c->args[i - n - 1]) {
    sqlite3_result_value(ctx, c->args[i - n - 1]);
  }
  return SQLITE_OK;
}

static int call_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
  CallCursor *c = (CallCursor *)cursor;
  *rowid = c->row ? sqlite3_value_int64(c->row[0]) : 1;
  return SQLITE_OK;
}

const sqlite3_module call_table_module = {
    .xConnect = call_connect,
    .xBestIndex = call_best_index,
    .xDisconnect = call_disconnect,
    .xOpen = call_open,
    .xClose = call_close,
    .xFilter = call_filter,
    .xNext = call_next,
    .xEof = call_eof,
    .xColumn = call_column,
    .xRowid = call_rowid,
};
