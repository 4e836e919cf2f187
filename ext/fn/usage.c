/*
** llm_usage: what a provider's answer says it will bill, in our own words.
*/
#include "fn/fn.h"

#include "core/book.h"
#include "core/model_name.h"
#include "core/usage.h"
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

static cJSON *read_body(sqlite3_value *v, const Vendor *vendor, const char *api, Err *err) {
  const char *json = (const char *)sqlite3_value_text(v);
  cJSON *body = json_parse(json ? json : "", (size_t)sqlite3_value_bytes(v), "the usage", err);
  cJSON *tree = NULL;
  UsagePart *parts = NULL;
  int n = 0;
  Usage u;
  vendor = vendor || !body ? vendor : vendor_of_answer(body);
  if (body && usage_read_all(body, vendor, api[0] ? api : NULL, &u, &parts, &n, err) == RC_OK &&
      u.has) {
    tree = n ? usage_parts_json(&u, parts, n) : usage_json(&u);
    if (u.reported_nusd != USAGE_UNKNOWN) {
      cJSON_AddNumberToObject(tree, "reported_usd", (double)u.reported_nusd / 1e9);
    }
  }
  free(parts);
  cJSON_Delete(body);
  return tree;
}

/* llm_usage(body [, options]): options are provider and api. */
void fn_llm_usage(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Err err = {0};
  const Vendor *vendor = NULL;
  char api[32] = "";
  cJSON *tree = NULL;
  const char *json = argc > 1 ? (const char *)sqlite3_value_text(argv[1]) : NULL;
  if (sqlite3_value_type(argv[0]) == SQLITE_NULL) {
    return;
  }
  if (!json || usage_options_read(json, (size_t)sqlite3_value_bytes(argv[1]), &vendor, api,
                                  sizeof api, &err) == RC_OK) {
    tree = read_body(argv[0], vendor, api, &err);
  }
  char *text = tree && err.rc == RC_OK ? cJSON_PrintUnformatted(tree) : NULL;
  if (err.rc != RC_OK) {
    result_error(ctx, "llm_usage", &err);
  } else if (text) {
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
    sqlite3_result_subtype(ctx, 'J');
  }
  cJSON_free(text);
  cJSON_Delete(tree);
}
