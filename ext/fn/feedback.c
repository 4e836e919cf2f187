/*
** llm_cache_feedback: whether an answer was right.
*/
#include "fn/fn.h"
#include "store/feedback.h"

/* llm_cache_feedback(call_id, ok): 1; an unknown call is an error. */
void fn_llm_cache_feedback(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  Conn *c = fn_conn(ctx);
  int ok = sqlite3_value_int(argv[1]);
  if (sqlite3_value_numeric_type(argv[0]) != SQLITE_INTEGER ||
      sqlite3_value_numeric_type(argv[1]) != SQLITE_INTEGER || ok < 0 || ok > 1) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "expected (id of a call in llm_calls, 0 or 1)");
  } else {
    Store *store = conn_store(c, 1, err);
    if (store) {
      feedback_record(store, sqlite3_value_int64(argv[0]), ok, now_ms(), err);
    }
  }
  if (err->rc == RC_OK) {
    sqlite3_result_int(ctx, 1);
  }
}
