/*
** Settings and set-up: llm_config, llm_secret, llm_allow_host, llm_init, llmcost_version,
** llmcost_debug.
*/
#include "fn/fn.h"
#include "llmcost.h"

#include "core/price/catalogue.h"
#include "core/price/zone.h"
#include "base/clock.h"
#include "base/sqlite/args.h"
#include "call/call.h"
#include "money/allowance.h"
#include "trust/access.h"
#include "work/embedders.h"
#include "work/prune/turns_kept.h"
#include "base/sqlite/columns.h"
#include "store/db/mode.h"
#include "store/host/host.h"
#include "store/host/queue.h"
#include "store/host/config.h"
#include "store/schema/migrate.h"
#include "vec/engine/kernels/vec.h"
#include "vec/policy/fixed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An SQL value; a text that is a number is one, too. */
static SpecValue value_of(const char *name, sqlite3_value *v, Err *err) {
  int type = sqlite3_value_numeric_type(v);
  int is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
  return (SpecValue){.name = name,
                     .text = arg_text(v, "the value", err),
                     .number = is_number ? sqlite3_value_double(v) : (double)NAN,
                     .is_null = type == SQLITE_NULL};
}

/* A zone that this system has, or NULL for UTC. */
static int check_zone(const SpecValue *value, Err *err) {
  Zone ignored;
  return value->is_null || (value->text && zone_parse(value->text, &ignored))
             ? err->rc
             : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                       "setting 'time_zone': expected an offset such as '+05:30' or the name of a "
                       "zone of this system,"
                       " such as 'Asia/Kolkata'; NULL is UTC");
}

static int set_setting(Conn *c, const Spec *s, sqlite3_value *v, Err *err) {
  const SpecValue value = value_of(s->name, v, err);
  if (err->rc == RC_OK && call_is_counted(c)) {
    err_set(err, RC_ERROR, ERR_UNAVAILABLE, "not while llm_estimate runs: it changes nothing");
  }
  if (err->rc == RC_OK && s->is_operators) {
    char what[40];
    sqlite3_snprintf(sizeof what, what, "setting '%s'", s->name);
    node_may_name(&c->node, what, err);
  }
  if (err->rc == RC_OK && s->at == offsetof(Settings, store) && c->store) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "the store of this connection is in use already: set it before the first call");
  }
  if (err->rc == RC_OK && s->at == offsetof(Settings, time_zone)) {
    check_zone(&value, err);
  }
  if (err->rc == RC_OK && s->at == offsetof(Settings, prune) && value.text && value.text[0]) {
    turns_check_options(value.text, strlen(value.text), err);
  }
  return err->rc == RC_OK ? spec_set(&settings_table, s, &value, &c->set, err) : err->rc;
}

/* Of the store, where it is or would be. */
static void result_store(sqlite3_context *ctx, Conn *c, Err *err) {
  char *path = conn_store_path(c, err);
  if (path) {
    sqlite3_result_text(ctx, path, -1, sqlite3_free);
  }
}

/* What is set; NULL where nothing is. */
static void result_setting(sqlite3_context *ctx, const Settings *set, const Spec *s) {
  const void *at = (const char *)set + s->at;
  switch (s->type) {
  case SPEC_OWNED:
    sqlite3_result_text(ctx, *(char *const *)at, -1, SQLITE_TRANSIENT);
    break;
  case SPEC_WORD:
    sqlite3_result_text(ctx, s->words[*(const int *)at], -1, SQLITE_STATIC);
    break;
  case SPEC_SHARE:
  case SPEC_NUMBER:
    if (!isnan(*(const double *)at)) {
      sqlite3_result_double(ctx, *(const double *)at);
    }
    break;
  case SPEC_DURATION:
    if (*(const long long *)at != SPEC_UNSET) {
      result_owned_text(ctx, sqlite3_mprintf("%lldms", *(const long long *)at));
    }
    break;
  default:
    if (s->null_is_none && *(const long long *)at == SPEC_UNSET) {
      break;
    }
    sqlite3_result_int64(ctx, s->size == sizeof(int) ? *(const int *)at : *(const long long *)at);
  }
}

void fn_llm_config(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  const char *name = arg_text(argv[0], "the setting's name", err);
  name = name ? name : "NULL";
  const Spec *s = spec_find(&settings_table, 0, name, strlen(name), err);
  if (s && argc == 2) {
    set_setting(c, s, argv[1], err);
  }
  if (s && argc == 2 && s->at == offsetof(Settings, keep_ms) && err->rc == RC_OK) {
    conn_trim(c, err);
  }
  if (s && argc == 2 && err->rc == RC_OK && s->at == offsetof(Settings, max_usd)) {
    allowance_restart_usd(c);
  }
  if (s && argc == 2 && err->rc == RC_OK && s->at == offsetof(Settings, max_calls)) {
    allowance_restart_calls(c);
  }
  if (err->rc == RC_OK && s->at == offsetof(Settings, store)) {
    result_store(ctx, c, err);
  } else if (err->rc == RC_OK) {
    result_setting(ctx, &c->set, s);
  }
}

/* Gives the name back, never the value. */
void fn_llm_secret(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  int are_texts =
      sqlite3_value_type(argv[0]) == SQLITE_TEXT && sqlite3_value_type(argv[1]) == SQLITE_TEXT;
  size_t n = 0;
  const char *name = are_texts ? arg_text(argv[0], "the name", err) : NULL;
  const char *value = are_texts ? arg_bytes(argv[1], &n, err) : NULL;
  if (name && value) {
    access_set_secret(name, value, n, err);
  } else {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "expected a name and a value, both TEXT");
  }
  if (err->rc == RC_OK) {
    sqlite3_result_value(ctx, argv[0]);
  }
}

/* A text without a NUL; "" for what is no text, or *err. */
static const char *plain_text(sqlite3_value *v, const char *what, Err *err) {
  const char *text = sqlite3_value_type(v) == SQLITE_TEXT ? arg_text(v, what, err) : NULL;
  return text ? text : "";
}

/* llm_allow_host(host [, key_name]) gives the host back. */
void fn_llm_allow_host(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  int has_key = argc == 2 && sqlite3_value_type(argv[1]) != SQLITE_NULL;
  const char *key = has_key ? plain_text(argv[1], "the key's name", err) : NULL;
  const char *host = plain_text(argv[0], "the host", err);
  if (err->rc == RC_OK && access_allow_host(host, key, err) == RC_OK) {
    sqlite3_result_value(ctx, argv[0]);
  }
}

/* What was made, of the tables of the configuration and of the queue: "created a, b", or "up to date". */
static char *init_report(char *of_config, int has_queue) {
  int is_new = strncmp(of_config, "created ", 8) == 0;
  char *text = has_queue ? of_config
               : is_new  ? sqlite3_mprintf("%s, batch_submit", of_config)
               : strcmp(of_config, "up to date") == 0
                   ? sqlite3_mprintf("created batch_submit")
                   : sqlite3_mprintf("%s; created batch_submit", of_config);
  if (text != of_config) {
    sqlite3_free(of_config);
  }
  return text;
}

/* On a primary, a store that is in main is made now: several first calls at once would each want to. */
static void make_store_in_main(Conn *c) {
  Err ignored = {0};
  char *path = conn_store_path(c, &ignored);
  if (path && strcmp(path, mode_main.name) == 0) {
    conn_store(c, 1, &ignored);
  }
  sqlite3_free(path);
}

void fn_llm_init(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  (void)argv;
  Conn *c = fn_conn(ctx);
  char *report = NULL;
  int has_queue = 0;
  if (config_init(c->db, &report, err) != RC_OK) {
    return;
  }
  if (column_look(c->db, "main", "batch_submit", NULL, &has_queue) != SQLITE_OK) {
    host_error(c->db, "look for batch_submit", err);
  }
  if (err->rc == RC_OK && node_role(&c->node) == NODE_PRIMARY) {
    make_store_in_main(c);
  }
  if (err->rc == RC_OK && queue_make(c->db, err) == RC_OK) {
    result_owned_text(ctx, init_report(report, has_queue));
  } else {
    sqlite3_free(report);
  }
}

/* llm_trust_store() gives the place of the store that is trusted from now on. */
void fn_llm_trust_store(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  (void)argv;
  Conn *c = fn_conn(ctx);
  int in_main;
  if (conn_trust_store(c, &in_main, err) == RC_OK) {
    char *path = in_main ? sqlite3_mprintf("main") : conn_store_path(c, err);
    result_owned_text(ctx, path);
  }
}

void fn_llmcost_version(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  (void)argv;
  (void)err;
  sqlite3_result_text(ctx, LLMCOST_VERSION, -1, SQLITE_STATIC);
}

/* The embedders at hand and their versions; null: no weights, or none that can be used. */
static void add_embedders(cJSON *tree, Conn *c, Err *err) {
  static const char *const names[] = {"static", "minilm"};
  cJSON *list = json_add(tree, "embedders", cJSON_CreateObject(), err);
  for (int i = 0; i < 2; i++) {
    Embedder e;
    Err why = {0};
    if (embedders_find(c, names[i], &e, &why) == RC_OK) {
      json_add(list, names[i], cJSON_CreateString(e.version), err);
    } else if (why.rc == RC_ERROR) {
      json_add(list, names[i], cJSON_CreateNull(), err);
    } else {
      err_set(err, why.rc, why.code, "%s", why.msg);
    }
  }
}

/* What decides which answers the semantic cache serves. */
static void add_policy(cJSON *tree, Conn *c, Err *err) {
  Embedder e;
  Err why = {0};
  int has_minilm = embedders_find(c, "minilm", &e, &why) == RC_OK;
  const char *name = !isnan(c->set.max_false_hits) ? "max_false_hits"
                     : has_minilm                  ? fixed_rule_confirmed.name
                                                   : fixed_rule_static.name;
  json_add(tree, "semantic_policy", cJSON_CreateString(name), err);
}

/* Null where nothing is to be said, or the store can't be opened (who calls hears why). */
static void add_store_warning(cJSON *tree, Conn *c, Err *err) {
  Err why = {0};
  long long began = 0;
  char date[32], text[600];
  Store *s = conn_store(c, 0, &why);
  if (s && migrate_began_bare(s, &began, &why) == RC_OK && began > 0) {
    clock_text(began, date, sizeof date);
    snprintf(text, sizeof text, "on %s UTC it " MIGRATE_BARE_TEXT, date);
  }
  if (why.rc == RC_NOMEM || why.rc == RC_INTERRUPT) {
    err_set(err, why.rc, why.code, "%s", why.msg);
  }
  json_add(tree, "store_warning", began > 0 ? cJSON_CreateString(text) : cJSON_CreateNull(), err);
}

void fn_llmcost_debug(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  (void)argv;
  Conn *c = fn_conn(ctx);
  Err why = {0};
  char *path = conn_store_path(c, &why);
  cJSON *tree = cJSON_CreateObject();
  const char *date = catalogue_date();
  json_add(tree, "version", cJSON_CreateString(LLMCOST_VERSION), err);
  json_add(tree, "sqlite_built_against", cJSON_CreateString(SQLITE_VERSION), err);
  json_add(tree, "sqlite_running", cJSON_CreateString(sqlite3_libversion()), err);
  json_add(tree, "curl", cJSON_CreateString(net_version()), err);
  json_add(tree, "cjson", cJSON_CreateString(cJSON_Version()), err);
  json_add(tree, "cpu_simd", cJSON_CreateString(vec_cpu_name(vec_cpu())), err);
  add_embedders(tree, c, err);
  add_policy(tree, c, err);
  json_add(tree, "node", cJSON_CreateString(node_role_name(node_role(&c->node))), err);
  json_add(tree, "server_mode", cJSON_CreateBool(node_is_locked(&c->node)), err);
  if (path) {
    json_add(tree, "store", cJSON_CreateString(path), err);
  } else { /* nobody has said yet where it is to be */
    json_add(tree, "store", cJSON_CreateNull(), err);
    json_add(tree, "store_error", cJSON_CreateString(why.msg), err);
  }
  json_add(tree, "store_open", cJSON_CreateBool(c->store != NULL), err);
  add_store_warning(tree, c, err);
  json_add(tree, "prices_checked", date ? cJSON_CreateString(date) : NULL, err);
  json_add(tree, "price_rows", cJSON_CreateNumber(catalogue_rows()), err);
  sqlite3_free(path);
  char *json = json_print(tree, err);
  if (json) {
    result_json(ctx, json);
  }
}
