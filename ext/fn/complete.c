/*
** llm_complete, llm_chat, llm_last_call: arguments in, the pipeline, result out.
*/
#include "base/sqlite/args.h"
#include "call/call.h"
#include "work/estimate/look.h"
#include "fn/fn.h"

#include <stdlib.h>
#include <string.h>

void arg_options_free(Options *o) {
  options_free(o);
  free(o);
}

static void free_options(void *o) {
  arg_options_free(o);
}

Options *arg_options(sqlite3_context *ctx, int argc, sqlite3_value **argv, int at, int *owned,
                     Err *err) {
  *owned = 0;
  Options *o = at < argc ? sqlite3_get_auxdata(ctx, at) : NULL;
  if (o) {
    return o;
  }
  o = malloc(sizeof *o);
  if (!o) {
    err_nomem(err);
    return NULL;
  }
  *owned = 1;
  options_init(o);
  if (at < argc && sqlite3_value_type(argv[at]) != SQLITE_NULL) {
    const char *json = (const char *)sqlite3_value_text(argv[at]);
    json ? options_parse(json, (size_t)sqlite3_value_bytes(argv[at]), o, err) : err_nomem(err);
  }
  if (err->rc != RC_OK) {
    arg_options_free(o);
    return NULL;
  }
  return o;
}

/* Gives parsed options to the statement: for a constant argument they are found again at the
** next row. */
static void keep_options(sqlite3_context *ctx, int argc, int at, Options *o) {
  if (at < argc) {
    sqlite3_set_auxdata(ctx, at, o, free_options);
  } else {
    arg_options_free(o);
  }
}

static void add_failure(cJSON *tree, const Err *failure, Err *err) {
  const char *code = failure->provider_code[0] ? failure->provider_code : err_word(failure->code);
  cJSON *e = json_add(tree, "error", cJSON_CreateObject(), err);
  json_add(e, "code", cJSON_CreateString(code), err);
  json_add(e, "http_status",
           failure->http_status ? cJSON_CreateNumber(failure->http_status) : cJSON_CreateNull(),
           err);
  json_add(e, "message", cJSON_CreateString(failure->msg), err);
  json_add(e, "retryable", cJSON_CreateBool(failure->retryable), err);
}

/* {"value": …, "error": null | {code, http_status, message, retryable}}. (Both, where no answer passed its gates: the best.) */
static void result_outcome(sqlite3_context *ctx, const char *text, const Err *failure) {
  cJSON *tree = cJSON_CreateObject();
  Err err = {0};
  if (failure->rc == RC_OK) {
    json_add(tree, "value", cJSON_CreateString(text), &err);
    json_add(tree, "error", cJSON_CreateNull(), &err);
  } else {
    json_add(tree, "value", text ? cJSON_CreateString(text) : cJSON_CreateNull(), &err);
    add_failure(tree, failure, &err);
  }
  result_json(ctx, json_print(tree, &err));
}

/* The answer, or what on_error makes of a failure that it covers; one that it does not is *err. */
static void give_outcome(sqlite3_context *ctx, const Request *r, Outcome *out, const Err *failure,
                         Err *err) {
  int on_error = r->options->on_error;
  if (failure->rc != RC_OK && (on_error == ON_ERROR_ERROR || !on_error_covers(failure))) {
    *err = *failure;
    pipeline_tell(r, err);
  } else if (on_error == ON_ERROR_JSON) {
    result_outcome(ctx, out->text, failure);
  } else if (failure->rc == RC_OK) {
    sqlite3_result_text64(ctx, out->text, out->n, free, SQLITE_UTF8);
    if (r->options->returns == RETURNS_MESSAGE) {
      sqlite3_result_subtype(ctx, 'J');
    }
    out->text = NULL;
  }
  free(out->text);
  free(out->reasoning);
  cJSON_free(out->logprobs);
}

static void run(sqlite3_context *ctx, const Request *r, Err *err) {
  Outcome out = {0};
  Err failure;
  Memo *memo = memo_of_statement(ctx);
  err_clear(&failure);
  memo ? pipeline_run(fn_conn(ctx), r, memo, &out, &failure) : err_nomem(&failure);
  give_outcome(ctx, r, &out, &failure, err);
}

static void run_dry(sqlite3_context *ctx, const Request *r, Err *err) {
  char *json = look_json(fn_conn(ctx), r, err);
  if (json) {
    sqlite3_result_text(ctx, json, -1, free);
    sqlite3_result_subtype(ctx, 'J');
  }
}

typedef int (*MakeRequest)(const char *, size_t, const Options *, Request *, Err *);

static void complete(sqlite3_context *ctx, int argc, sqlite3_value **argv, MakeRequest make,
                     Err *err) {
  Request r = {0};
  int owned = 0;
  size_t n;
  Options *o = arg_options(ctx, argc, argv, 1, &owned, err);
  const char *text = o ? arg_bytes(argv[0], &n, err) : NULL;
  if (text && make(text, n, o, &r, err) == RC_OK) {
    o->dry_run ? run_dry(ctx, &r, err) : run(ctx, &r, err);
  }
  request_free(&r);
  if (owned && o) {
    keep_options(ctx, argc, 1, o);
  }
}

void fn_llm_complete(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  complete(ctx, argc, argv, request_from_prompt, err);
}

void fn_llm_chat(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  complete(ctx, argc, argv, request_from_messages, err);
}

void fn_llm_last_call(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  (void)argv;
  Store *store = conn_open_store(fn_conn(ctx));
  if (store && ledger_flush(store, err) == RC_OK && store->last_call_id) {
    sqlite3_result_int64(ctx, store->last_call_id);
  }
}
