/*
** llm_batch_flush, llm_batch_poll, llm_batch_wait, llm_batch_cancel: JSON.
*/
#include "base/sqlite/args.h"
#include "fn/fn.h"
#include "work/batch/batch.h"

typedef char *(*BatchRun)(Conn *conn, const char *options, size_t n, Err *err);

static void run(sqlite3_context *ctx, int argc, sqlite3_value **argv, BatchRun what, Err *err) {
  size_t n = 0;
  const char *json =
      argc > 0 && sqlite3_value_type(argv[0]) != SQLITE_NULL ? arg_bytes(argv[0], &n, err) : NULL;
  char *text = err->rc == RC_OK ? what(fn_conn(ctx), json, n, err) : NULL;
  if (text) {
    result_json(ctx, text);
  }
}

void fn_llm_batch_flush(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  run(ctx, argc, argv, batch_flush, err);
}

void fn_llm_batch_poll(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  run(ctx, argc, argv, batch_poll, err);
}

void fn_llm_batch_wait(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  run(ctx, argc, argv, batch_wait, err);
}

void fn_llm_batch_cancel(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  if (sqlite3_value_type(argv[0]) != SQLITE_INTEGER) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "expected the id of a batch (llm_batches.id)");
    return;
  }
  char *text = batch_cancel(fn_conn(ctx), sqlite3_value_int64(argv[0]), err);
  if (text) {
    result_json(ctx, text);
  }
}
