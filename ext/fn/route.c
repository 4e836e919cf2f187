/*
** llm_route, llm_route_score, llm_route_explain: where a request would go, and why. Nothing is sent (but where a model is
** the scorer).
*/
#include "base/sqlite/args.h"
#include "call/call.h"
#include "call/route/explain.h"
#include "call/route/route.h"
#include "call/route/score.h"
#include "fn/fn.h"

#include <stdlib.h>

typedef void (*Give)(sqlite3_context *ctx, Call *k, Err *err);

/* Looks at the request as a call would, and gives what is asked of it. */
static void show(sqlite3_context *ctx, int argc, sqlite3_value **argv, Give give, Err *err) {
  Call k;
  Request r = {0};
  Plan plan;
  size_t n;
  int owned = 0;
  Options *o = arg_options(ctx, argc, argv, 1, &owned, err);
  const char *text = o ? arg_bytes(argv[0], &n, err) : NULL;
  if (text && request_for_show(text, n, o, &r, err) == RC_OK &&
      plan_make(fn_conn(ctx), &r, &plan, err) == RC_OK) {
    call_start_show(&k, fn_conn(ctx), &r, &plan);
    give(ctx, &k, err);
    call_free(&k);
  }
  request_free(&r);
  if (owned && o) {
    arg_options_free(o);
  }
}

static void give_model(sqlite3_context *ctx, Call *k, Err *err) {
  if (route_choose_for_show(k, err) == RC_OK) {
    sqlite3_result_text(ctx, k->model.name, -1, SQLITE_TRANSIENT);
  }
}

void fn_llm_route(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  show(ctx, argc, argv, give_model, err);
}

static void give_score(sqlite3_context *ctx, Call *k, Err *err) {
  Score s;
  if (score_request(k, k->request, &s, err) == RC_OK) {
    sqlite3_result_double(ctx, s.value);
  }
  score_free(&s);
}

void fn_llm_route_score(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  show(ctx, argc, argv, give_score, err);
}

static void give_reasons(sqlite3_context *ctx, Call *k, Err *err) {
  result_json(ctx, route_explain(k, err));
}

void fn_llm_route_explain(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  show(ctx, argc, argv, give_reasons, err);
}
