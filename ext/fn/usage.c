/*
** llm_usage: what a provider's answer says it will bill, in our own words.
*/
#include "fn/fn.h"

#include "core/price/book.h"
#include "core/names/model_name.h"
#include "core/usage/usage.h"
#include "base/sqlite/args.h"
#include "fn/cost_args.h"

#include <stdlib.h>

/* Who sells the model that an answer names, as far as the name tells. */
static const Vendor *vendor_of_answer(const cJSON *body) {
  char name[LIMIT_MODEL_NAME];
  const Vendor *vendor;
  const char *model = usage_model(body, NULL, NULL);
  model_name_lower(model ? model : "", name, sizeof name);
  const char *bare = book_bare_name(name, &vendor);
  return vendor ? vendor : vendor_of_model(bare);
}

/* The usage in our own words; NULL where the body holds none, or *err. */
static cJSON *read_body(sqlite3_value *v, const UsageOptions *o, Err *err) {
  size_t size;
  const char *json = arg_bytes(v, &size, err);
  cJSON *body = json ? json_parse(json, size, "the usage", err) : NULL;
  cJSON *tree = NULL;
  UsagePart *parts = NULL;
  int n = 0;
  Usage u;
  const Vendor *vendor = o->is_named || !body ? o->vendor : vendor_of_answer(body);
  if (body &&
      usage_read_all(body, vendor, o->api[0] ? o->api : NULL, &u, &parts, &n, err) == RC_OK &&
      (u.has || u.other[0] || u.reported_nusd != USAGE_UNKNOWN)) {
    tree = usage_parts_json(&u, parts, n);
    if (!tree) {
      err_nomem(err);
    } else if (u.reported_nusd != USAGE_UNKNOWN) {
      json_add(tree, "reported_usd", cJSON_CreateNumber((double)u.reported_nusd / 1e9), err);
    }
  }
  free(parts);
  cJSON_Delete(body);
  return tree;
}

/* llm_usage(body [, options]): options are provider and api. */
void fn_llm_usage(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  UsageOptions options = {0};
  cJSON *tree = NULL;
  size_t n = 0;
  const char *json = argc > 1 ? arg_bytes(argv[1], &n, err) : NULL;
  if (err->rc == RC_OK && (!json || usage_options_read(json, n, &options, err) == RC_OK)) {
    tree = read_body(argv[0], &options, err);
  }
  int there = tree != NULL;
  char *text = there ? json_print(tree, err) : NULL;
  if (err->rc == RC_OK && there) {
    result_json(ctx, text);
  }
}
