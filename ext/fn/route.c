/*
** llm_route, llm_route_score, llm_route_explain: where a request would go, and why. Nothing is sent (but where a model is
** the scorer). llm_route_calibrate: thresholds from the ledger. llm_route_train: a scorer of one's own.
*/
#include "base/sqlite/args.h"
#include "call/call.h"
#include "call/route/explain.h"
#include "call/route/route.h"
#include "call/score/score.h"
#include "core/route/learn.h"
#include "fn/fn.h"
#include "work/route/calibrate.h"
#include "work/route/train.h"

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
    if (call_start_show(&k, fn_conn(ctx), &r, &plan, err) == RC_OK) {
      give(ctx, &k, err);
    }
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
  char *text = route_explain(k, err);
  if (text) {
    result_json(ctx, text);
  }
}

void fn_llm_route_explain(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  show(ctx, argc, argv, give_reasons, err);
}

static int take_shares(const SpecTable *table, const Spec *spec, const SpecValue *v, void *to,
                       Err *err) {
  CalibrateOptions *o = to;
  if (!cJSON_IsArray(v->json)) {
    return spec_bad(table, spec->name, "an array of numbers that add up to 1", err);
  }
  o->shares = v->json;
  return RC_OK;
}

static const Spec calibrate_specs[] = {
    {"shares", SPEC_OTHER, .take = take_shares},
    {"usd_per_call", SPEC_INTO(CalibrateOptions, NUMBER, usd_per_call), .min = 0, .max = 1e6},
    {"last", SPEC_INTO(CalibrateOptions, INTEGER, last), .min = 1, .max = 1000000},
    {"dry_run", SPEC_INTO(CalibrateOptions, SWITCH, dry_run), .initial = "off"},
};

static const SpecTable calibrate_table = {
    "option", ERR_BAD_OPTION,  NULL,
    NULL,     calibrate_specs, sizeof calibrate_specs / sizeof calibrate_specs[0]};

/* llm_route_calibrate([options]): JSON. */
void fn_llm_route_calibrate(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  CalibrateOptions o;
  size_t n = 0;
  const char *json = argc > 0 ? arg_bytes(argv[0], &n, err) : NULL;
  cJSON *given = json ? spec_parse(&calibrate_table, json, n, err) : NULL;
  spec_init(&calibrate_table, &o);
  o.shares = NULL;
  if (given) {
    spec_read(&calibrate_table, 0, given, &o, err); /* (the shares are borrowed from it) */
  }
  char *text = err->rc == RC_OK ? calibrate_run(fn_conn(ctx), &o, err) : NULL;
  cJSON_Delete(given);
  if (text) {
    result_json(ctx, text);
  }
}

static const Spec train_specs[] = {
    {"k", SPEC_INTO(TrainOptions, INTEGER, k), .min = 1, .max = LEARN_MOST_K},
};

static const SpecTable train_table = {
    "option", ERR_BAD_OPTION, NULL, NULL, train_specs, sizeof train_specs / sizeof train_specs[0]};

/* llm_route_train(what [, options]): JSON. */
void fn_llm_route_train(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  TrainOptions o;
  const char *what = arg_text(argv[0], "what is to be trained", err);
  spec_init(&train_table, &o);
  if (argc > 1) {
    arg_spec(argv[1], &train_table, &o, err);
  }
  char *text = what && err->rc == RC_OK ? train_run(fn_conn(ctx), what, &o, err) : NULL;
  if (text) {
    result_json(ctx, text);
  }
}
