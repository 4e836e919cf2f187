/*
** llm_complete, llm_chat, llm_last_call: arguments in, the pipeline, result out.
*/
#include "base/sqlite/args.h"
#include "call/call.h"
#include "work/estimate/look.h"
#include "fn/fn.h"
#include "work/prune/turns_kept.h"

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

/* What a conversation is pruned by: its own option, or the setting where it is named; NULL: by nothing. *made is owned (cJSON_free). */
static const char *prune_options(const Conn *conn, const Options *o, char **made, Err *err) {
  *made = cJSON_IsObject(o->prune) ? cJSON_PrintUnformatted(o->prune) : NULL;
  if (cJSON_IsObject(o->prune) && !*made) {
    err_nomem(err);
  }
  return o->prune ? *made : o->conversation ? conn->set.prune : NULL;
}

/* Prunes the messages, where that is asked for: into *kept (free its text). What can't be read as messages is left to whoever makes
** the request of them: he says what is wrong. */
static int prune(sqlite3_context *ctx, const Options *o, const char *text, size_t n, Kept *kept,
                 Err *err) {
  char *made = NULL;
  Err why = {0};
  const char *options = prune_options(fn_conn(ctx), o, &made, err);
  if (options) {
    const KeptAsk ask = {.messages = text,
                         .n = n,
                         .options = options,
                         .n_options = strlen(options),
                         .call = o,
                         .sends = !o->dry_run,
                         .memo = memo_of_statement(ctx)};
    turns_kept(fn_conn(ctx), &ask, kept, &why);
  }
  cJSON_free(made);
  if (why.code == ERR_BAD_OPTION) {
    err_set(err, why.rc, why.code, "%s 'prune': %s", o->prune ? "option" : "setting", why.msg);
  } else if (why.rc == RC_NOMEM || why.rc == RC_INTERRUPT) {
    *err = why;
  }
  return err->rc;
}

static int chat_request(sqlite3_context *ctx, const char *text, size_t n, const Options *o,
                        Kept *kept, Request *r, Err *err) {
  if (prune(ctx, o, text, n, kept, err) != RC_OK ||
      request_from_messages(kept->text ? kept->text : text, kept->text ? kept->n : n, o, r, err) !=
          RC_OK) {
    return err->rc;
  }
  if (kept->text) {
    r->turn = kept->turns;
    r->pruned.left_out = kept->left_out;
    r->pruned.sent = kept->sent;
    r->pruned.anew = kept->anew;
    r->pruned.no_summary = kept->no_summary;
  }
  return RC_OK;
}

static void complete(sqlite3_context *ctx, int argc, sqlite3_value **argv, int is_chat, Err *err) {
  Request r = {0};
  Kept kept = {.text = NULL};
  int owned = 0;
  size_t n;
  Options *o = arg_options(ctx, argc, argv, 1, &owned, err);
  const char *text = o ? arg_bytes(argv[0], &n, err) : NULL;
  if (text && (is_chat ? chat_request(ctx, text, n, o, &kept, &r, err)
                       : request_from_prompt(text, n, o, &r, err)) == RC_OK) {
    o->dry_run ? run_dry(ctx, &r, err) : run(ctx, &r, err);
  }
  request_free(&r);
  free(kept.text);
  if (owned && o) {
    keep_options(ctx, argc, 1, o);
  }
}

void fn_llm_complete(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  complete(ctx, argc, argv, 0, err);
}

void fn_llm_chat(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  complete(ctx, argc, argv, 1, err);
}

void fn_llm_last_call(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  (void)argv;
  Store *store = conn_open_store(fn_conn(ctx));
  if (store && ledger_flush(store, err) == RC_OK && store->last_call_id) {
    sqlite3_result_int64(ctx, store->last_call_id);
  }
}
