/*
** A schema's number and, behind it, a model's answer.
**
** Holds: what is found is JSON to SQLite and to our own strict reader, no object in it has two members of one name, it
** satisfies the schema as it is read again, and a search in it finds just it; what is not found says why.
*/
#include "fuzz.h"

#include "core/schema/answer_json.h"
#include "core/schema/schema.h"

#include <sqlite3.h>

static const char *const schemas[] = {
    "{}",
    "{\"type\":\"object\"}",
    "{\"type\":\"array\"}",
    "{\"type\":[\"integer\",\"null\"]}",
    "{\"type\":\"string\"}",
    "{\"type\":\"boolean\"}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"],"
    "\"additionalProperties\":false}",
    "{\"type\":\"array\",\"items\":{\"type\":\"number\",\"minimum\":1}}",
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"a\"]}}",
    "{\"type\":\"string\",\"enum\":[\"yes\",\"no\",\"Yes\"]}",
    "{\"type\":\"object\",\"properties\":{\"t\":{\"type\":\"string\"}},\"required\":[\"t\"]}",
    "{\"type\":\"object\",\"properties\":{\"first_name\":{}},\"required\":[\"first_name\"]}",
    "{\"type\":\"object\",\"required\":[\"a\",\"b\"]}",
    "{\"type\":\"object\",\"minProperties\":2,\"additionalProperties\":{\"type\":\"boolean\"}}",
    "{\"anyOf\":[{\"const\":\"on\"},{\"type\":\"object\",\"required\":[\"a\"]}]}",
    "{\"type\":\"array\",\"minItems\":2}",
};

static void check_sqlite(const char *json, size_t n) {
  static sqlite3_stmt *statement;
  if (!statement) {
    sqlite3 *db;
    require(sqlite3_open(":memory:", &db) == SQLITE_OK);
    require(sqlite3_prepare_v2(
                db,
                "SELECT json_valid(?1), json(?1) IS NOT NULL, (SELECT count(*) FROM json_tree(?1))",
                -1, &statement, NULL) == SQLITE_OK);
  }
  sqlite3_bind_text(statement, 1, json, (int)n, SQLITE_STATIC);
  require(sqlite3_step(statement) == SQLITE_ROW);
  require(sqlite3_column_int(statement, 0) == 1 && sqlite3_column_int(statement, 1) == 1);
  require(sqlite3_column_int(statement, 2) > 0);
  sqlite3_reset(statement);
}

static void check_names(const cJSON *tree) {
  const cJSON *item, *other;
  cJSON_ArrayForEach(item, tree) {
    check_names(item);
    for (other = item->next; other && cJSON_IsObject(tree); other = other->next) {
      require(strcmp(item->string, other->string) != 0);
    }
  }
}

static void check_found(const cJSON *schema, const char *json, size_t n) {
  Err err = {0};
  char *again = NULL;
  size_t again_n = 0;
  require(strlen(json) == n && is_utf8(json));
  check_sqlite(json, n);
  cJSON *tree = fuzz_json(json, n);
  require(tree && schema_validate(schema, tree, &err) == RC_OK);
  check_names(tree);
  require(answer_json(json, n, schema, &again, &again_n, &err) == RC_OK);
  int is_wrapped = strncmp(json, "{\"value\":", 9) == 0; /* and may be unwrapped once more */
  require(is_wrapped || (again_n == n && memcmp(json, again, n) == 0));
  free(again);
  cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n, json_n = 0;
  const char *schema_text = schemas[take_byte(&in) % (sizeof schemas / sizeof schemas[0])];
  char *text = take_rest(&in, &n), *json = NULL;
  cJSON *schema = fuzz_json(schema_text, strlen(schema_text));
  Err err = {0};
  if (answer_json(text, n, schema, &json, &json_n, &err) == RC_OK) {
    check_found(schema, json, json_n);
  } else {
    require(err.code == ERR_SCHEMA && !json);
  }
  check_err(&err);
  free(json);
  free(text);
  cJSON_Delete(schema);
  return 0;
}
