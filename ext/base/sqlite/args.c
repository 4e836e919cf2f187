/*
** See args.h for the contract.
*/
#include "base/sqlite/args.h"

#include <string.h>

const char *arg_bytes(sqlite3_value *v, size_t *n, Err *err) {
  int type = sqlite3_value_type(v);
  const char *text = (const char *)sqlite3_value_text(v);
  *n = text ? (size_t)sqlite3_value_bytes(v) : 0;
  if (!text && type != SQLITE_NULL) {
    err_nomem(err);
  }
  return text;
}

const char *arg_text(sqlite3_value *v, const char *what, Err *err) {
  size_t n;
  const char *text = arg_bytes(v, &n, err);
  if (text && strlen(text) != n) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s holds a NUL", what);
    text = NULL;
  }
  return text;
}

const char *arg_name(sqlite3_value *v, const char *what, Err *err) {
  const char *text = arg_text(v, what, err);
  if (text && text[strspn(text, " \t\r\n")] == '{') {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s is given by its name alone, not in a JSON object",
            what);
    text = NULL;
  }
  return text;
}

int arg_spec(sqlite3_value *v, const SpecTable *table, void *to, Err *err) {
  size_t n = 0;
  const char *json = v ? arg_bytes(v, &n, err) : NULL;
  cJSON *tree = json ? spec_parse(table, json, n, err) : NULL;
  spec_init(table, to);
  if (tree) {
    spec_read(table, 0, tree, to, err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

void result_owned_text(sqlite3_context *ctx, char *text) {
  if (text) {
    sqlite3_result_text(ctx, text, -1, sqlite3_free);
  } else {
    sqlite3_result_error_nomem(ctx);
  }
}

void result_json(sqlite3_context *ctx, char *json) {
  if (json) {
    sqlite3_result_text(ctx, json, -1, SQLITE_TRANSIENT);
    sqlite3_result_subtype(ctx, 'J');
    cJSON_free(json);
  } else {
    sqlite3_result_error_nomem(ctx);
  }
}
