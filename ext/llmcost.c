/*
** Entry point and registration. What can spend, send, write or read the ledger is DIRECTONLY, and what is
** DIRECTONLY here passes the guard (trust/guard.h) before it runs, and is what a database file may not name: no
** function has to remember to ask. The tables below are the place to audit that.
*/
#include "llmcost.h"

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "fn/fn.h"
#include "tables/tables.h"
#include "call/call.h"
#include "call/state/memo.h"
#include "work/embedders.h"
#include "trust/guard.h"
#include "trust/node/node.h"

#include <string.h>

/* It spends, sends, writes or reads the ledger: the guard is asked before it runs. */
#define DIRECT (SQLITE_UTF8 | SQLITE_DIRECTONLY)
#define PURE (SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC)
/* Reads the price tables, or one ratio of the ledger. */
#define READS (SQLITE_UTF8 | SQLITE_INNOCUOUS)
#define JSON SQLITE_RESULT_SUBTYPE

/* Bits of our own, which SQLite does not see.
**
** It changes something, or sends: not while an estimate counts what a SELECT would do, and not on a replica. */
#define WRITES (1 << 30)
#define CHANGES (DIRECT | WRITES)
/* It names a host, a key, a file or a store, or adopts one: that is the operator's where others' SQL runs (server mode). What does
** so by one argument only asks fn_may_name there. */
#define NAMES (1 << 29)
#define OWN_BITS (WRITES | NAMES)

/* Arguments that make the result NULL where they are NULL. */
enum { NONE = 0, FIRST = 1, BOTH = 3 };

typedef struct Function {
  const char *name;
  int min, max; /* how many arguments */
  int flags;
  int nulls; /* a bit for each argument */
  FnRun run;
} Function;

/* A function as this connection has it: the user data SQLite keeps with it. */
typedef struct BoundFunction {
  Conn *conn;
  const Function *of;
  int guard_number; /* -1: the guard is not asked */
} BoundFunction;

/* name, fewest and most arguments, flags, what NULL means: fn_<name> is the function. */
#define FUNCTIONS(X)                                                                               \
  X(llm_complete, 1, 2, DIRECT | JSON, FIRST)                                                      \
  X(llm_chat, 1, 2, DIRECT | JSON, FIRST)                                                          \
  X(llm_last_call, 0, 0, DIRECT, NONE)                                                             \
  X(llm_route, 1, 2, DIRECT, FIRST)                                                                \
  X(llm_route_score, 1, 2, DIRECT, FIRST)                                                          \
  X(llm_route_explain, 1, 2, DIRECT | JSON, FIRST)                                                 \
  X(llm_route_calibrate, 0, 1, CHANGES | JSON, FIRST)                                              \
  X(llm_route_train, 1, 2, CHANGES | JSON, FIRST)                                                  \
  X(llm_config, 1, 2, DIRECT, NONE)                                                                \
  X(llm_secret, 2, 2, CHANGES | NAMES, NONE)                                                       \
  X(llm_allow_host, 1, 2, CHANGES | NAMES, NONE)                                                   \
  X(llm_trust_store, 0, 0, CHANGES | NAMES, NONE)                                                  \
  X(llm_init, 0, 0, CHANGES, NONE)                                                                 \
  X(llm_cache_feedback, 2, 2, CHANGES, BOTH)                                                       \
  X(llm_cache_forget, 1, 1, CHANGES, NONE)                                                         \
  X(llm_price, 2, 3, READS, BOTH)                                                                  \
  X(llm_cost, 2, 4, READS, NONE)                                                                   \
  X(llm_cost_explain, 2, 4, READS | JSON, NONE)                                                    \
  X(llm_model_name, 1, 1, PURE, FIRST)                                                             \
  X(llm_usd, 1, 1, PURE, FIRST)                                                                    \
  X(llm_cache_minimum, 1, 2, READS, FIRST)                                                         \
  X(llm_usage, 1, 2, PURE | JSON, FIRST)                                                           \
  X(llm_check, 0, 1, CHANGES | JSON, FIRST)                                                        \
  X(llm_call_explain, 1, 1, DIRECT | JSON, FIRST)                                                  \
  X(llm_prices_import, 1, 2, CHANGES | JSON, FIRST)                                                \
  X(llm_import, 1, 2, CHANGES | NAMES | JSON, FIRST)                                               \
  X(llm_mirror, 0, 0, CHANGES | JSON, NONE)                                                        \
  X(llm_report, 0, 1, DIRECT, NONE)                                                                \
  X(llm_batch_flush, 0, 1, CHANGES | JSON, NONE)                                                   \
  X(llm_batch_poll, 0, 1, CHANGES | JSON, NONE)                                                    \
  X(llm_batch_wait, 0, 1, CHANGES | JSON, NONE)                                                    \
  X(llm_batch_cancel, 1, 1, CHANGES | JSON, FIRST)                                                 \
  X(llm_tokens, 1, 1, PURE, FIRST)                                                                 \
  X(llm_tokens, 2, 2, READS, FIRST)                                                                \
  X(llm_chat_tokens, 1, 1, PURE, FIRST)                                                            \
  X(llm_chat_tokens, 2, 2, READS, FIRST)                                                           \
  X(llm_normalize, 1, 1, PURE, FIRST)                                                              \
  X(llm_compress, 1, 2, READS, FIRST)                                                              \
  X(llm_prune, 1, 2, DIRECT | JSON, FIRST)                                                         \
  X(llm_image, 1, 2, PURE | JSON, FIRST)                                                           \
  X(llm_help, 0, 1, PURE, FIRST)                                                                   \
  X(embed, 1, 1, PURE | JSON, FIRST)                                                               \
  X(embed, 2, 2, DIRECT | JSON, FIRST)                                                             \
  X(embed_cosine, 2, 2, PURE, BOTH)                                                                \
  X(llmcost_debug, 0, 0, DIRECT | JSON, NONE)

#define PROTOTYPE(name, min, max, flags, nulls)                                                    \
  void fn_##name(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
FUNCTIONS(PROTOTYPE)
#undef PROTOTYPE

static const Function functions[] = {
#define ROW(name, min, max, flags, nulls) {#name, min, max, flags, nulls, fn_##name},
    FUNCTIONS(ROW)
#undef ROW
};

/* Registered after everything else: a connection that has it has all of us. */
void fn_llmcost_version(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
static const Function last_function = {"llmcost_version", 0, 0, PURE, NONE, fn_llmcost_version};

/* What SQLite hands to a function of ours. */
static void free_bound(void *p) {
  BoundFunction *f = p;
  conn_unref(f->conn);
  sqlite3_free(f);
}

Conn *fn_conn(sqlite3_context *ctx) {
  return ((BoundFunction *)sqlite3_user_data(ctx))->conn;
}

/* What is DIRECTONLY passes the guard first, once per execution of a statement. */
static int ask_guard(sqlite3_context *ctx, const BoundFunction *f, Err *err) {
  Memo *memo = memo_of_statement(ctx);
  if (!memo) {
    return err_nomem(err);
  }
  if (!memo_is_allowed(memo, f->guard_number)) {
    int rc = f->of->run == fn_llm_trust_store /* what stands in for the ledger is its business */
                 ? guard_check_but_impostors(f->conn->guard, f->guard_number, err)
                 : guard_check(f->conn->guard, f->guard_number, err);
    if (rc == RC_OK) {
      memo_allow(memo, f->guard_number);
    }
  }
  return err->rc;
}

/* What this function may not do here, whoever asks. */
static int ask_place(const BoundFunction *f, Err *err) {
  const Node *node = &f->conn->node;
  if (f->of->flags & WRITES && call_is_counted(f->conn)) {
    err_set(err, RC_ERROR, ERR_UNAVAILABLE, "not while llm_estimate runs: it changes nothing");
  }
  if (err->rc == RC_OK && f->of->flags & NAMES) {
    node_may_name(node, "this function", err);
  }
  return err->rc == RC_OK && f->of->flags & WRITES ? node_may_change(node, err) : err->rc;
}

static int has_null(const Function *of, int argc, sqlite3_value **argv) {
  int found = 0;
  for (int i = 0; i < argc && of->nulls >> i; i++) {
    found |= of->nulls >> i & 1 && sqlite3_value_type(argv[i]) == SQLITE_NULL;
  }
  return found;
}

/* Every function of ours is entered here. */
static void enter(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  const BoundFunction *f = sqlite3_user_data(ctx);
  Err err;
  err_clear(&err);
  if (f->guard_number >= 0) {
    ask_guard(ctx, f, &err);
  }
  if (err.rc == RC_OK && f->of->flags & OWN_BITS) {
    ask_place(f, &err);
  }
  if (err.rc == RC_OK && !has_null(f->of, argc, argv)) {
    f->of->run(ctx, argc, argv, &err);
  }
  if (err.rc != RC_OK) {
    result_error(ctx, f->of->name, &err);
  }
}

/* 1 if some form of the function is for anybody. */
static int has_pure_form(const char *name) {
  int found = 0;
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    found |= strcmp(functions[i].name, name) == 0 && !(functions[i].flags & SQLITE_DIRECTONLY);
  }
  return found;
}

/* The number the guard knows a name by; -1 and an SQLite code where it can't. */
static int guard_name(Conn *conn, const char *name, int *number) {
  *number = guard_add(conn->guard, name, GUARD_FUNCTION);
  if (*number >= 0 && has_pure_form(name)) {
    guard_allow_plain_call(conn->guard, name);
  }
  return *number >= 0 ? SQLITE_OK : SQLITE_ERROR;
}

static int register_function(Conn *conn, const Function *of) {
  int number = -1;
  int rc = of->flags & SQLITE_DIRECTONLY ? guard_name(conn, of->name, &number) : SQLITE_OK;
  for (int n = of->min; n <= of->max && rc == SQLITE_OK; n++) {
    BoundFunction *f = sqlite3_malloc64(sizeof *f);
    if (!f) {
      return SQLITE_NOMEM;
    }
    *f = (BoundFunction){conn_ref(conn), of, number};
    rc = sqlite3_create_function_v2(conn->db, of->name, n, of->flags & ~OWN_BITS, f, enter, NULL,
                                    NULL, free_bound);
  }
  return rc;
}

static int register_functions(Conn *conn) {
  int rc = SQLITE_OK;
  for (size_t i = 0; i < sizeof functions / sizeof functions[0] && rc == SQLITE_OK; i++) {
    rc = register_function(conn, &functions[i]);
  }
  return rc;
}

static void free_host(void *p) {
  conn_unref(((CacheHost *)p)->ctx);
}

/* Those of the ledger stand in store_sources and cost_sources. */
static const struct {
  const char *name;
  const TableKind *kind;
} tables[] = {
    {"llm_call", &call_table},
    {"embed_batch", &embed_table},
    {"llm_compress_report", &compress_report_table},
    {"llm_lint", &lint_table},
    {"llm_catalogue", &catalogue_table},
    {"llm_reconcile", &reconcile_table},
    {"llm_drift", &drift_table},
    {"llm_advise", &advise_table},
    {"llm_savings", &savings_table},
    {"llm_prefix_cache", &prefix_cache_table},
    {"llm_conversations", &conversations_table},
    {"llm_system_prompts", &system_prompts_table},
    {"llm_system_diff", &system_diff_table},
    {"llm_stack", &stack_table},
    {"llm_selfhost", &selfhost_table},
    {"llm_finetune", &finetune_table},
    {"llm_estimate", &estimate_table},
    {"llm_functions", &functions_table},
    {"llm_map", &map_table},
    {"llm_progress", &progress_table},
    {"llm_holds", &holds_table},
    {"llm_budget_status", &budget_status_table},
};

static int register_tables(sqlite3 *db, Conn *conn) {
  int rc = sqlite3_create_module_v2(db, GUARD_MODULE_NAME, &guard_module, conn->guard, NULL);
  for (size_t i = 0; i < sizeof tables / sizeof tables[0] && rc == SQLITE_OK; i++) {
    rc = table_register(conn, tables[i].kind, tables[i].name, NULL);
  }
  for (const StoreSource *source = store_sources; source->name && rc == SQLITE_OK; source++) {
    rc = table_register(conn, &store_table, source->name, source);
  }
  for (const CostSource *source = cost_sources; source->name && rc == SQLITE_OK; source++) {
    rc = table_register(conn, source->kind, source->name, source);
  }
  if (rc == SQLITE_OK) {
    conn_ref(conn);
    rc = sqlite3_create_module_v2(db, "semantic_cache", cache_module(), &conn->cache, free_host);
  }
  return rc;
}

/* `reads`: by the entry point for replicas. */
static int register_all(sqlite3 *db, int reads) {
  Conn *conn = conn_new(db, embedders_find, reads);
  if (!conn) {
    return SQLITE_NOMEM;
  }
  int rc = register_functions(conn);
  if (rc == SQLITE_OK) {
    rc = register_tables(db, conn);
  }
  if (rc == SQLITE_OK) {
    rc = register_function(conn, &last_function);
  }
  conn_unref(conn);
  return rc;
}

/* Whether this connection has the extension already, the whole of it: replacing a function in use would fail, and
** lose what the first load was told. (Asked of the list, because a failed probe would leave its error on a
** connection that is just being opened.) */
static int is_loaded(sqlite3 *db, int *loaded) {
  sqlite3_stmt *stmt = NULL;
  *loaded = 0;
  int rc = sqlite3_prepare_v2(db, "PRAGMA function_list", -1, &stmt, NULL);
  while (rc == SQLITE_OK && !*loaded && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(stmt, 0);
    *loaded = name && strcmp(name, last_function.name) == 0;
    rc = name ? SQLITE_OK : SQLITE_NOMEM;
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int load(sqlite3 *db, char **message, int reads) {
  if (sqlite3_libversion_number() < 3038000) {
    if (message) {
      *message =
          sqlite3_mprintf("llmcost needs SQLite 3.38 or later; this is %s", sqlite3_libversion());
    }
    return SQLITE_ERROR;
  }
  int loaded;
  int rc = is_loaded(db, &loaded);
  if (rc == SQLITE_OK && !loaded) {
    rc = register_all(db, reads);
  }
  if (rc != SQLITE_OK && message) {
    *message = sqlite3_mprintf("llmcost: %s; it can be loaded again", sqlite3_errstr(rc));
  }
#ifndef SQLITE_CORE
  if (rc == SQLITE_OK) {
    rc = SQLITE_OK_LOAD_PERMANENTLY; /* libcurl's global state outlives the connection */
  }
#endif
  return rc;
}

int sqlite3_llmcost_init(sqlite3 *db, char **message, const struct sqlite3_api_routines *api) {
  SQLITE_EXTENSION_INIT2(api);
  (void)api;
  return load(db, message, 0);
}

int sqlite3_llmcostro_init(sqlite3 *db, char **message, const struct sqlite3_api_routines *api) {
  SQLITE_EXTENSION_INIT2(api);
  (void)api;
  return load(db, message, 1);
}
