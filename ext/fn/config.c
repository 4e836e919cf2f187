/*
** Settings and set-up: llm_config, llm_secret, llm_allow_host, llm_init, llmcost_version,
** llmcost_debug.
*/
#include "fn/fn.h"
#include "llmcost.h"

#include "core/price/catalogue.h"
#include "base/sqlite/args.h"
#include "trust/access.h"
#include "work/embedders.h"
#include "store/config.h"
#include "vec/engine/kernels/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum SettingType { S_TEXT, S_NUMBER, S_DURATION, S_SHARE, S_WORD } SettingType;

/* Every setting of llm_config. */
static const struct Setting {
  const char *name;
  SettingType type;
  size_t at;
  long long min, max;
  const char *const *words; /* S_WORD */
} settings[] = {
#define AT(member) offsetof(Settings, member)
    {"store", S_TEXT, AT(store), 0, 0, NULL},
    {"proxy", S_TEXT, AT(proxy), 0, 0, NULL},
    {"minilm", S_TEXT, AT(minilm), 0, 0, NULL},
    {"log_text", S_WORD, AT(log_text), 0, 0, (const char *const[]){"full", "hash", "none", NULL}},
    {"cache", S_WORD, AT(cache), 0, 0,
     (const char *const[]){"exact", "semantic", "off", "refresh", NULL}},
    {"cache_scope", S_WORD, AT(scope), 0, 0, (const char *const[]){"shared", "user", NULL}},
    {"max_false_hits", S_SHARE, AT(max_false_hits), 0, 0, NULL},
    {"ttl", S_DURATION, AT(ttl_ms), 1, LIMIT_COUNT, NULL},
    {"timeout_ms", S_NUMBER, AT(timeout_ms), 1, 3600000, NULL},
    {"connect_timeout_ms", S_NUMBER, AT(connect_timeout_ms), 1, 3600000, NULL},
    {"idle_timeout_ms", S_NUMBER, AT(idle_timeout_ms), 0, 3600000, NULL},
    {"retries", S_NUMBER, AT(retries), 0, LIMIT_ATTEMPTS - 1, NULL},
    {"backoff_ms", S_NUMBER, AT(backoff_ms), 0, LIMIT_BACKOFF_MS, NULL},
};
enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

static const struct Setting *find_setting(const char *name) {
  for (int i = 0; i < N_SETTINGS; i++) {
    if (strcmp(settings[i].name, name) == 0) {
      return &settings[i];
    }
  }
  return NULL;
}

static int unknown_setting(const char *name, Err *err) {
  sqlite3_str *s = sqlite3_str_new(NULL);
  for (int i = 0; i < N_SETTINGS; i++) {
    sqlite3_str_appendf(s, "%s%s", i ? ", " : "", settings[i].name);
  }
  char *list = sqlite3_str_finish(s);
  if (!list) {
    return err_nomem(err);
  }
  err_set(err, RC_ERROR, "bad_option", "unknown setting '%.40s' (valid: %s)", name, list);
  sqlite3_free(list);
  return err->rc;
}

static int set_text(Conn *c, const struct Setting *s, sqlite3_value *v, Err *err) {
  const char *value = arg_text(v, "the value", err);
  if (err->rc != RC_OK) {
    return err->rc;
  }
  if (s->at == AT(store) && c->store) {
    return err_set(err, RC_ERROR, "bad_option",
                   "the store of this connection is in use already: set it before the first call");
  }
  char **at = (char **)((char *)&c->set + s->at);
  char *copy = value && value[0] ? sqlite3_mprintf("%s", value) : NULL;
  if (value && value[0] && !copy) {
    return err_nomem(err);
  }
  sqlite3_free(*at);
  *at = copy;
  return RC_OK;
}

static int set_word(Conn *c, const struct Setting *s, sqlite3_value *v, Err *err) {
  char list[128] = "";
  const char *value = arg_text(v, "the value", err);
  int n = 0;
  for (int i = 0; s->words[i]; i++) {
    if (value && strcmp(s->words[i], value) == 0) {
      *(int *)((char *)&c->set + s->at) = i;
      return RC_OK;
    }
    sqlite3_snprintf((int)sizeof list - n, list + n, "%s'%s'", i ? ", " : "", s->words[i]);
    n += (int)strlen(list + n);
  }
  return err_set(err, RC_ERROR, "bad_option", "setting '%s': expected one of %s", s->name, list);
}

/* Numbers and durations; SQL NULL takes a duration back to "none". */
static int set_number(Conn *c, const struct Setting *s, sqlite3_value *v, Err *err) {
  long long *at = (long long *)((char *)&c->set + s->at);
  int is_duration = s->type == S_DURATION;
  if (is_duration && sqlite3_value_type(v) == SQLITE_NULL) {
    *at = OPTION_UNSET;
    return RC_OK;
  }
  const char *text = arg_text(v, "the value", err);
  int is_number = sqlite3_value_numeric_type(v) == SQLITE_INTEGER;
  long long value = is_duration ? (text ? duration_parse(text) : -1) : sqlite3_value_int64(v);
  if ((!is_duration && !is_number) || value < s->min || value > s->max) {
    return is_duration
               ? err_set(err, RC_ERROR, "bad_option",
                         "setting '%s': expected seconds, or a duration such as '15m', '7d'",
                         s->name)
               : err_set(err, RC_ERROR, "bad_option",
                         "setting '%s': expected an integer from %lld to %lld", s->name, s->min,
                         s->max);
  }
  *at = value;
  return RC_OK;
}

/* A share of all; SQL NULL takes it back to "none". */
static int set_share(Conn *c, const struct Setting *s, sqlite3_value *v, Err *err) {
  double *at = (double *)(void *)((char *)&c->set + s->at);
  int type = sqlite3_value_numeric_type(v);
  double value = type == SQLITE_NULL ? (double)NAN : sqlite3_value_double(v);
  if (type == SQLITE_TEXT || type == SQLITE_BLOB || value <= 0 || value >= 1) {
    return err_set(err, RC_ERROR, "bad_option",
                   "setting '%s': expected a share above 0 and below 1, or NULL", s->name);
  }
  *at = value;
  return RC_OK;
}

static void result_setting(sqlite3_context *ctx, Conn *c, const struct Setting *s) {
  const char *base = (const char *)&c->set + s->at;
  if (s->at == AT(store)) {
    Err err = {0};
    char *path = conn_store_path(c, &err);
    if (path) {
      sqlite3_result_text(ctx, path, -1, sqlite3_free);
    } else {
      result_error(ctx, "llm_config", &err);
    }
  } else if (s->type == S_TEXT) {
    sqlite3_result_text(ctx, *(char *const *)base, -1, SQLITE_TRANSIENT);
  } else if (s->type == S_SHARE) {
    double share = *(const double *)(const void *)base;
    if (!isnan(share)) {
      sqlite3_result_double(ctx, share);
    }
  } else if (s->type == S_WORD) {
    sqlite3_result_text(ctx, s->words[*(const int *)base], -1, SQLITE_STATIC);
  } else if (s->type == S_DURATION) {
    long long ms = *(const long long *)base;
    if (ms != OPTION_UNSET) {
      result_owned_text(ctx, sqlite3_mprintf("%lldms", ms));
    }
  } else {
    sqlite3_result_int64(ctx, *(const long long *)base);
  }
}

void fn_llm_config(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = fn_conn(ctx);
  Err err = {0};
  const char *name = arg_text(argv[0], "the setting's name", &err);
  const struct Setting *s = name ? find_setting(name) : NULL;
  if (!s) {
    unknown_setting(name ? name : "NULL", &err);
  } else if (argc == 2 && s->type == S_TEXT) {
    set_text(c, s, argv[1], &err);
  } else if (argc == 2 && s->type == S_SHARE) {
    set_share(c, s, argv[1], &err);
  } else if (argc == 2 && s->type == S_WORD) {
    set_word(c, s, argv[1], &err);
  } else if (argc == 2) {
    set_number(c, s, argv[1], &err);
  }
  if (err.rc == RC_OK) {
    result_setting(ctx, c, s);
  } else {
    result_error(ctx, "llm_config", &err);
  }
}

/* Gives the name back, never the value. */
void fn_llm_secret(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  Err err = {0};
  int are_texts =
      sqlite3_value_type(argv[0]) == SQLITE_TEXT && sqlite3_value_type(argv[1]) == SQLITE_TEXT;
  size_t n = 0;
  const char *name = are_texts ? arg_text(argv[0], "the name", &err) : NULL;
  const char *value = are_texts ? arg_bytes(argv[1], &n, &err) : NULL;
  if (name && value) {
    access_set_secret(name, value, n, &err);
  } else {
    err_set(&err, RC_ERROR, "bad_argument", "expected a name and a value, both TEXT");
  }
  if (err.rc == RC_OK) {
    sqlite3_result_value(ctx, argv[0]);
  } else {
    result_error(ctx, "llm_secret", &err);
  }
}

/* A text without a NUL; "" for what is no text, or *err. */
static const char *plain_text(sqlite3_value *v, const char *what, Err *err) {
  const char *text = sqlite3_value_type(v) == SQLITE_TEXT ? arg_text(v, what, err) : NULL;
  return text ? text : "";
}

/* llm_allow_host(host [, key_name]) gives the host back. */
void fn_llm_allow_host(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Err err = {0};
  int has_key = argc == 2 && sqlite3_value_type(argv[1]) != SQLITE_NULL;
  const char *key = has_key ? plain_text(argv[1], "the key's name", &err) : NULL;
  const char *host = plain_text(argv[0], "the host", &err);
  if (err.rc == RC_OK && access_allow_host(host, key, &err) == RC_OK) {
    sqlite3_result_value(ctx, argv[0]);
  } else {
    result_error(ctx, "llm_allow_host", &err);
  }
}

void fn_llm_init(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  (void)argv;
  Conn *c = fn_conn(ctx);
  Err err = {0};
  char *report = NULL;
  if (config_init(c->db, &report, &err) == RC_OK) {
    result_owned_text(ctx, report);
  } else {
    result_error(ctx, "llm_init", &err);
  }
}

/* llm_trust_store() gives the place of the store that is trusted from now on. */
void fn_llm_trust_store(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  (void)argv;
  Conn *c = fn_conn(ctx);
  Err err = {0};
  int in_main;
  if (conn_trust_store(c, &in_main, &err) == RC_OK) {
    char *path = in_main ? sqlite3_mprintf("main") : conn_store_path(c, &err);
    result_owned_text(ctx, path);
  } else {
    result_error(ctx, "llm_trust_store", &err);
  }
}

void fn_llmcost_version(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  (void)argv;
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

void fn_llmcost_debug(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  (void)argv;
  Conn *c = fn_conn(ctx);
  Err err = {0};
  char *path = conn_store_path(c, &err);
  cJSON *tree = cJSON_CreateObject();
  const char *date = catalogue_date();
  json_add(tree, "version", cJSON_CreateString(LLMCOST_VERSION), &err);
  json_add(tree, "sqlite_built_against", cJSON_CreateString(SQLITE_VERSION), &err);
  json_add(tree, "sqlite_running", cJSON_CreateString(sqlite3_libversion()), &err);
  json_add(tree, "curl", cJSON_CreateString(net_version()), &err);
  json_add(tree, "cjson", cJSON_CreateString(cJSON_Version()), &err);
  json_add(tree, "cpu_simd", cJSON_CreateString(vec_cpu_name(vec_cpu())), &err);
  add_embedders(tree, c, &err);
  json_add(tree, "store", path ? cJSON_CreateString(path) : NULL, &err);
  json_add(tree, "store_open", cJSON_CreateBool(c->store != NULL), &err);
  json_add(tree, "prices_checked", date ? cJSON_CreateString(date) : NULL, &err);
  json_add(tree, "price_rows", cJSON_CreateNumber(catalogue_rows()), &err);
  sqlite3_free(path);
  char *json = json_print(tree, &err);
  if (json) {
    result_json(ctx, json);
  } else {
    result_error(ctx, "llmcost_debug", &err);
  }
}
