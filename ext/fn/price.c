/*
** llm_price, llm_cost, llm_tokens, llm_normalize: what needs no call.
*/
#include "fn/fn.h"

#include "core/model_name.h"
#include "core/text.h"
#include "fn/pricing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options of llm_cost. */
typedef struct CostOptions {
  long long at_ms;
  long long cached, write_5m, write_1h, reasoning; /* USAGE_UNKNOWN: not given */
  int unknown_is_null;
} CostOptions;

/* The priced model names nearest to one that is unknown. */
static int unknown_model(const char *model, const char *hint, Err *err) {
  PriceList list = catalogue_prices();
  const char *best[2] = {"", ""};
  int distance[2] = {1000, 1000};
  for (int i = 0; i < list.n; i++) {
    int d = model_name_distance(model, list.rows[i].model, 1000);
    if (d < distance[0]) {
      best[1] = best[0];
      distance[1] = distance[0];
      best[0] = list.rows[i].model;
      distance[0] = d;
    } else if (d < distance[1] && strcmp(best[0], list.rows[i].model) != 0) {
      best[1] = list.rows[i].model;
      distance[1] = d;
    }
  }
  return err_set(err, RC_ERROR, "unknown_model",
                 "no price for model '%.80s' (nearest: %s, %s); add it to llm_prices%s", model,
                 best[0], best[1], hint);
}

static int cost_option(const cJSON *item, CostOptions *o, Err *err) {
  static const struct {
    const char *name;
    size_t at;
  } counts[] = {{"cached", offsetof(CostOptions, cached)},
                {"cache_write", offsetof(CostOptions, write_5m)},
                {"cache_write_1h", offsetof(CostOptions, write_1h)},
                {"reasoning", offsetof(CostOptions, reasoning)}};
  const char *key = item->string;
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    if (strcmp(key, counts[i].name) == 0) {
      return cJSON_IsNumber(item) && item->valuedouble >= 0 &&
                     item->valuedouble <= (double)LIMIT_TOKENS
                 ? (*(long long *)((char *)o + counts[i].at) = (long long)item->valuedouble, RC_OK)
                 : err_set(err, RC_ERROR, "bad_option", "option '%s': expected a token count", key);
    }
  }
  if (strcmp(key, "unknown") == 0) {
    const char *word = cJSON_GetStringValue(item);
    o->unknown_is_null = word && strcmp(word, "null") == 0;
    return o->unknown_is_null || (word && strcmp(word, "error") == 0)
               ? RC_OK
               : err_set(err, RC_ERROR, "bad_option",
                         "option 'unknown': expected 'null' or 'error'");
  }
  if (strcmp(key, "at") == 0) {
    char number[32];
    snprintf(number, sizeof number, "%.0f", cJSON_IsNumber(item) ? item->valuedouble : 0.0);
    const char *text = cJSON_IsNumber(item) ? number : cJSON_GetStringValue(item);
    return text && time_parse(text, &o->at_ms)
               ? RC_OK
               : err_set(err, RC_ERROR, "bad_option",
                         "option 'at': expected 'YYYY-MM-DD[THH:MM:SSZ]' or Unix ms");
  }
  return err_set(
      err, RC_ERROR, "bad_option",
      "unknown option '%.40s' (valid: cached, cache_write, cache_write_1h, reasoning, at, unknown)",
      key);
}

static int parse_cost_options(sqlite3_value *v, CostOptions *o, Err *err) {
  *o = (CostOptions){now_ms(), USAGE_UNKNOWN, USAGE_UNKNOWN, USAGE_UNKNOWN, USAGE_UNKNOWN, 0};
  if (!v || sqlite3_value_type(v) == SQLITE_NULL) {
    return RC_OK;
  }
  const char *json = (const char *)sqlite3_value_text(v);
  cJSON *tree = json_parse(json ? json : "", (size_t)sqlite3_value_bytes(v), "the options", err);
  if (tree && !cJSON_IsObject(tree)) {
    err_set(err, RC_ERROR, "bad_option", "the options must be one JSON object");
  }
  const cJSON *item;
  cJSON_ArrayForEach(item, (err->rc == RC_OK ? tree : NULL)) {
    cost_option(item, o, err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

static int read_usage_json(sqlite3_value *v, Usage *u, Err *err) {
  const char *json = (const char *)sqlite3_value_text(v);
  cJSON *tree = json_parse(json ? json : "", (size_t)sqlite3_value_bytes(v), "the usage", err);
  if (tree && !cJSON_IsObject(tree)) {
    err_set(err, RC_ERROR, "bad_usage", "expected a provider's usage object");
  } else if (tree) {
    usage_from_any(tree, u, err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

static int read_count_arg(sqlite3_value *v, const char *what, long long *count, Err *err) {
  if (sqlite3_value_numeric_type(v) != SQLITE_INTEGER || sqlite3_value_int64(v) < 0 ||
      sqlite3_value_int64(v) > LIMIT_TOKENS) {
    return err_set(err, RC_ERROR, "bad_argument", "%s: expected a token count", what);
  }
  *count = sqlite3_value_int64(v);
  return RC_OK;
}

/* 1 if the second argument is a usage object and not a count. */
static int is_usage_object(int argc, sqlite3_value **argv) {
  const char *text = (const char *)sqlite3_value_text(argv[1]);
  return sqlite3_value_numeric_type(argv[1]) == SQLITE_TEXT &&
         (argc == 2 || (text && text[strspn(text, " \t\r\n")] == '{'));
}

/* llm_cost(model, input, output [, options]) and llm_cost(model, usage [, options]): the second
** argument tells. */
static int read_cost_args(int argc, sqlite3_value **argv, CostOptions *o, Usage *u, Err *err) {
  int is_usage = is_usage_object(argc, argv);
  int at = is_usage ? 2 : 3;
  usage_init(u);
  if (!is_usage && argc < 3) {
    return err_set(
        err, RC_ERROR, "bad_argument",
        "expected (model, input_tokens, output_tokens [, options]) or (model, usage [, options])");
  }
  if (argc > at + 1) {
    return err_set(err, RC_ERROR, "bad_argument", "too many arguments behind a usage object");
  }
  if (parse_cost_options(argc > at ? argv[at] : NULL, o, err) != RC_OK) {
    return err->rc;
  }
  if (is_usage) {
    return read_usage_json(argv[1], u, err);
  }
  read_count_arg(argv[1], "input_tokens", &u->input, err);
  read_count_arg(argv[2], "output_tokens", &u->output, err);
  u->cached = o->cached;
  u->write_5m = o->write_5m;
  u->write_1h = o->write_1h;
  u->reasoning = o->reasoning;
  return err->rc;
}

/* 1 if the model, the usage or a count is NULL. (Options behind a usage object may be.) */
static int has_null(int argc, sqlite3_value **argv) {
  int n = is_usage_object(argc, argv) ? 2 : argc < 3 ? argc : 3;
  int found = 0;
  for (int i = 0; i < n; i++) {
    found |= sqlite3_value_type(argv[i]) == SQLITE_NULL;
  }
  return found;
}

void fn_llm_cost(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = sqlite3_user_data(ctx);
  Err err = {0};
  CostOptions o;
  Usage u;
  Cost cost;
  PriceSet set;
  if (has_null(argc, argv)) {
    return; /* an unknown count has an unknown cost */
  }
  const char *model = (const char *)sqlite3_value_text(argv[0]);
  int priced = -1;
  if (model && read_cost_args(argc, argv, &o, &u, &err) == RC_OK) {
    priced = pricing_cost(c, model, o.at_ms, &u, &cost, &err);
  }
  if (priced == 0 && !o.unknown_is_null && pricing_resolve(c, model, o.at_ms, 0, &set, &err) == 0) {
    unknown_model(model, ", or give {\"unknown\":\"null\"}", &err);
  }
  if (err.rc != RC_OK) {
    result_error(ctx, "llm_cost", &err);
  } else if (priced == 1) {
    sqlite3_result_double(ctx, cost_usd(cost));
  }
}

void fn_llm_price(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = sqlite3_user_data(ctx);
  Err err = {0};
  PriceSet set;
  const char *model = (const char *)sqlite3_value_text(argv[0]);
  const char *word = (const char *)sqlite3_value_text(argv[1]);
  const char *at = argc > 2 ? (const char *)sqlite3_value_text(argv[2]) : NULL;
  long long at_ms = now_ms();
  if (!model || !word) {
    return;
  }
  int kind = price_kind_parse(word);
  if (kind < 0) {
    err_set(&err, RC_ERROR, "bad_argument", "kind '%.40s' (valid: %s)", word, PRICE_KIND_WORDS);
  } else if (at && !time_parse(at, &at_ms)) {
    err_set(&err, RC_ERROR, "bad_argument",
            "at '%.40s' (expected 'YYYY-MM-DD[THH:MM:SSZ]' or Unix ms)", at);
  } else if (pricing_resolve(c, model, at_ms, 0, &set, &err) == 0) {
    unknown_model(model, "", &err);
  }
  if (err.rc != RC_OK) {
    result_error(ctx, "llm_price", &err);
  } else if (set.pusd[kind] != PRICE_UNKNOWN) {
    sqlite3_result_double(ctx, (double)((long double)set.pusd[kind] / 1e12L));
  }
}

void fn_llm_normalize(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  const char *text = (const char *)sqlite3_value_text(argv[0]);
  size_t n = (size_t)sqlite3_value_bytes(argv[0]), bad_at = 0;
  Err err = {0};
  Buf b;
  if (!text) {
    return;
  }
  buf_init(&b, LIMIT_REQUEST_BYTES * 4);
  if (!text_is_utf8(text, n, &bad_at)) {
    err_set(&err, RC_ERROR, "bad_utf8", "not valid UTF-8 (byte %zu)", bad_at);
  } else if (text_normalize(text, n, &b) != RC_OK) {
    err_nomem(&err);
  }
  if (err.rc == RC_OK) {
    n = b.n;
    sqlite3_result_text64(ctx, buf_take(&b), n, free, SQLITE_UTF8);
  } else {
    result_error(ctx, "llm_normalize", &err);
  }
  buf_free(&b);
}
