/*
** llm_call(prompt [, options]): a request as a table of one row, the answer and every column of its
** ledger row; hidden, what the model thought.
**
** The cursor keeps the memo of what this execution asked, since a table has no statement slot of its own.
*/
#include "call/call.h"
#include "work/estimate/look.h"
#include "tables/kit/table.h"
#include "tables/tables.h"

#include <stdlib.h>

typedef struct CallCursor {
  TableCursor base;
  Memo *memo;             /* NULL until needed */
  sqlite3_value **ledger; /* the columns of the ledger row; NULL: past the end, or a dry run */
  int n;
  char *answer, *reasoning, *logprobs;
} CallCursor;

static void clear(TableCursor *base) {
  CallCursor *c = (CallCursor *)base;
  for (int i = 0; c->ledger && i < c->n; i++) {
    sqlite3_value_free(c->ledger[i]);
  }
  free(c->ledger);
  free(c->answer);
  free(c->reasoning);
  cJSON_free(c->logprobs);
  c->ledger = NULL;
  c->answer = c->reasoning = c->logprobs = NULL;
}

static void close_cursor(TableCursor *base) {
  memo_free(((CallCursor *)base)->memo);
}

/* Copies the ledger row of the call just made, from the connection that wrote it. */
static int load_row(CallCursor *c, long long call_id, Err *err) {
  const Table *t = table_of(&c->base);
  sqlite3 *db = t->conn->store->db;
  sqlite3_stmt *stmt = NULL;
  c->n = t->n_columns - 1;
  c->ledger = calloc((size_t)c->n, sizeof *c->ledger);
  if (!c->ledger) {
    return err_nomem(err);
  }
  int rc = sqlite3_prepare_v2(db, "SELECT * FROM main.llm_calls WHERE id = ?1", -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, call_id);
    rc = sqlite3_step(stmt);
  }
  for (int i = 0; rc == SQLITE_ROW && i < c->n; i++) {
    c->ledger[i] = sqlite3_value_dup(sqlite3_column_value(stmt, i));
    if (!c->ledger[i]) {
      err_nomem(err);
    }
  }
  if (rc != SQLITE_ROW) {
    conn_interrupted(t->conn) /* in main it could not be written yet */
        ? err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted")
        : rc == SQLITE_NOMEM
              ? err_nomem(err)
              : err_set(err, RC_ERROR, ERR_STORE, "the ledger row of the call can't be read back");
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* Errors that on_error covers give a row whose answer is NULL (the row says what went wrong). */
static int run(CallCursor *c, const Request *r, Err *err) {
  Conn *conn = table_of(&c->base)->conn;
  Outcome out = {.wants_row = 1};
  if (r->options->dry_run) {
    c->answer = look_json(conn, r, err);
    return err->rc;
  }
  pipeline_run(conn, r, c->memo, &out, err);
  c->answer = out.text;
  c->reasoning = out.reasoning;
  c->logprobs = out.logprobs;
  if (err->rc != RC_OK && r->options->on_error != ON_ERROR_ERROR && on_error_covers(err) &&
      out.call_id) {
    *err = (Err){0};
  }
  if (err->rc != RC_OK) {
    pipeline_tell(r, err);
  }
  NodeRole role = node_role(&conn->node);
  int waits =
      role == NODE_PRIMARY && !out.call_id; /* it is written when this statement has ended */
  int has_row = !call_is_counted(conn) && role != NODE_REPLICA && !waits;
  return err->rc == RC_OK && has_row ? load_row(c, out.call_id, err) : err->rc;
}

/* The options of the second argument. */
static int read_options(const TableQuery *q, Options *o, Err *err) {
  size_t n;
  const char *json = q->args[1] ? arg_bytes(q->args[1], &n, err) : NULL;
  options_init(o);
  return json ? options_parse(json, n, o, err) : err->rc;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  CallCursor *c = (CallCursor *)base;
  Options o;
  Request r = {0};
  size_t n;
  const char *prompt = arg_bytes(q->args[0], &n, err);
  if (!prompt) {
    return err->rc; /* NULL asks nothing */
  }
  c->memo = c->memo ? c->memo : memo_new();
  if (!c->memo) {
    return err_nomem(err);
  }
  if (read_options(q, &o, err) == RC_OK && request_from_prompt(prompt, n, &o, &r, err) == RC_OK) {
    run(c, &r, err);
  }
  request_free(&r);
  options_free(&o);
  return err->rc;
}

static int next(TableCursor *base, Err *err) {
  clear(base);
  return err->rc;
}

static int is_done(const TableCursor *base) {
  const CallCursor *c = (const CallCursor *)base;
  return c->ledger == NULL && c->answer == NULL;
}

static void column(TableCursor *base, sqlite3_context *ctx, int column) {
  const CallCursor *c = (CallCursor *)base;
  if (column <= 0) {
    const char *texts[] = {c->answer, c->reasoning, c->logprobs};
    sqlite3_result_text(ctx, texts[-column], -1, SQLITE_TRANSIENT);
  } else if (c->ledger) {
    sqlite3_result_value(ctx, c->ledger[column - 1]);
  }
}

static sqlite3_int64 rowid(const TableCursor *base) {
  const CallCursor *c = (const CallCursor *)base;
  return c->ledger ? sqlite3_value_int64(c->ledger[0]) : 1;
}

const TableKind call_table = {
    .is_guarded = 1,
    .columns = "answer TEXT",
    .ledger = "llm_calls",
    .args = {"prompt", "options"},
    .hidden = "reasoning TEXT HIDDEN, logprobs TEXT",
    .n_required = 1,
    .usage = "the prompt is missing: SELECT … FROM llm_call('…')",
    .rows = 1,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(CallCursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .rowid = rowid,
    .clear = clear,
    .close = close_cursor,
};
