/*
** JSON Schema: each keyword, nesting, $ref, what is refused, strictness, and where an error says it
** is.
*/
#include "unit.h"

#include "core/request/schema.h"

static const struct {
  const char *schema;
  const char *good[6], *bad[6];
} keyword_cases[] = {
    {"{}", {"1", "null", "[]", "{\"a\":1}"}, {NULL}},
    {"{\"type\":\"string\"}", {"\"\"", "\"a\""}, {"1", "null", "[]", "{}", "true"}},
    {"{\"type\":\"number\"}", {"1", "1.5", "-1e9"}, {"\"1\"", "null", "true", "[]", "{}"}},
    {"{\"type\":\"integer\"}", {"1", "1.0", "-5", "1e3"}, {"1.5", "\"1\"", "true", "null"}},
    {"{\"type\":\"boolean\"}", {"true", "false"}, {"0", "1", "\"true\"", "null"}},
    {"{\"type\":\"null\"}", {"null"}, {"0", "false", "\"\"", "{}"}},
    {"{\"type\":\"object\"}", {"{}", "{\"a\":1}"}, {"[]", "null", "\"{}\""}},
    {"{\"type\":\"array\"}", {"[]", "[1]"}, {"{}", "null", "\"[]\""}},
    {"{\"type\":[\"string\",\"null\"]}", {"\"a\"", "null"}, {"1", "[]"}},
    {"{\"enum\":[\"a\",1,null,[1],{\"b\":2}]}",
     {"\"a\"", "1.0", "null", "[1]", "{\"b\":2}"},
     {"\"A\"", "2", "false", "[]", "{}", "\"\""}},
    {"{\"enum\":[]}", {NULL}, {"1"}},
    {"{\"const\":\"a\"}", {"\"a\""}, {"\"b\"", "1", "null"}},
    {"{\"const\":null}", {"null"}, {"0", "false", "\"null\""}},
    {"{\"const\":{\"a\":1,\"b\":2}}",
     {"{\"b\":2,\"a\":1}"},
     {"{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":3}"}},
    {"{\"const\":false}", {"false"}, {"0", "null", "true"}},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}",
     {"{}", "{\"a\":\"x\"}", "{\"b\":1}", "5"},
     {"{\"a\":1}", "{\"a\":null}"}},
    {"{\"required\":[\"a\",\"b\"]}",
     {"{\"a\":1,\"b\":null}", "[]"},
     {"{}", "{\"a\":1}", "{\"A\":1,\"b\":1}"}},
    {"{\"additionalProperties\":false}", {"{}", "[1]"}, {"{\"a\":1}"}},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}",
     {"{}", "{\"a\":1}"},
     {"{\"b\":1}", "{\"a\":1,\"b\":1}", "{\"A\":1}"}},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"integer\"}}",
     {"{\"a\":\"x\"}", "{\"b\":1}"},
     {"{\"b\":\"x\"}"}},
    {"{\"additionalProperties\":true}", {"{\"a\":1}"}, {NULL}},
    {"{\"items\":{\"type\":\"integer\"}}", {"[]", "[1,2]", "{}"}, {"[\"a\"]", "[1,null]"}},
    {"{\"items\":false}", {"[]"}, {"[1]"}},
    {"{\"minItems\":2}", {"[1,2]", "[1,2,3]", "\"a\""}, {"[]", "[1]"}},
    {"{\"maxItems\":1}", {"[]", "[1]", "{}"}, {"[1,2]"}},
    {"{\"minLength\":2}", {"\"ab\"", "\"\\u00e9\\u00e9\"", "1"}, {"\"\"", "\"\\u00e9\""}},
    {"{\"maxLength\":1}", {"\"\"", "\"\\ud83d\\ude00\"", "[]"}, {"\"ab\""}},
    {"{\"pattern\":\"^[a-z]+$\"}",
     {"\"abc\"", "1", "null"},
     {"\"\"", "\"aB\"", "\"abc\\n\"", "\"a b\""}},
    {"{\"pattern\":\"b\"}", {"\"abc\""}, {"\"acd\""}},
    {"{\"pattern\":\"^.$\"}", {"\"\\u00e9\"", "\"\\ud83d\\ude00\""}, {"\"ab\""}},
    {"{\"pattern\":\"\"}", {"\"\""}, {NULL}},
    {"{\"minimum\":2}", {"2", "2.5", "\"1\""}, {"1", "1.999", "-3"}},
    {"{\"maximum\":2}", {"2", "-5", "null"}, {"2.001", "3"}},
    {"{\"exclusiveMinimum\":2}", {"2.001"}, {"2", "1"}},
    {"{\"exclusiveMaximum\":2}", {"1.999"}, {"2", "3"}},
    {"{\"multipleOf\":2}", {"0", "4", "-6", "2e10", "\"3\""}, {"1", "2.5", "20000000001"}},
    {"{\"multipleOf\":0.01}", {"19.99", "0.07", "1.1", "0"}, {"0.075", "19.995"}},
    {"{\"multipleOf\":0.0001}", {"0.0075"}, {"0.00751"}},
    {"{\"multipleOf\":0.1}", {"0.3", "1000000.7"}, {"0.35"}},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", {"\"a\"", "5", "null"}, {"4"}},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\",\"minimum\":5}]}",
     {"1", "5.5"},
     {"5", "4.5", "\"a\""}},
    {"{\"allOf\":[{\"type\":\"integer\"},{\"minimum\":5}]}", {"5"}, {"4", "5.5", "\"a\""}},
    {"{\"not\":{\"type\":\"null\"}}", {"1", "\"\""}, {"null"}},
    {"{\"not\":{}}", {NULL}, {"1"}},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"string\"}}}", {"\"a\""}, {"1"}},
    {"{\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{\"$ref\":\"#/definitions/b\"},"
     "\"b\":{\"type\":\"string\"}}}",
     {"\"a\""},
     {"1"}},
    {"{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":"
     "false}",
     {"{}", "{\"next\":{\"next\":{}}}"},
     {"{\"next\":{\"next\":1}}", "{\"next\":{\"x\":1}}"}},
    {"{\"$ref\":\"#/$defs/a\",\"minLength\":2,\"$defs\":{\"a\":{\"type\":\"string\"}}}",
     {"\"ab\""},
     {"\"a\"", "12"}},
    {"{\"title\":\"t\",\"description\":\"d\",\"default\":5,\"examples\":[\"x\"],\"format\":"
     "\"email\","
     "\"$schema\":\"s\",\"$id\":\"i\",\"$comment\":\"c\",\"deprecated\":true,\"readOnly\":true,"
     "\"writeOnly\":true}",
     {"1", "\"no mail\""},
     {NULL}},
    {"{\"type\":\"object\",\"required\":[\"items\"],\"properties\":{\"items\":{\"type\":"
     "\"array\","
     "\"minItems\":1,\"items\":{\"type\":\"object\",\"required\":[\"sku\",\"price\"],"
     "\"properties\":{"
     "\"sku\":{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}\\\\d+$\"},\"price\":{\"type\":"
     "\"number\","
     "\"exclusiveMinimum\":0}}}}}}",
     {"{\"items\":[{\"sku\":\"AB1\",\"price\":0.5}]}"},
     {"{\"items\":[]}", "{\"items\":[{\"sku\":\"AB1\"}]}",
      "{\"items\":[{\"sku\":\"ab1\",\"price\":1}]}", "{\"items\":[{\"sku\":\"AB1\",\"price\":0}]}",
      "{\"items\":[{\"sku\":\"AB1\",\"price\":1},1]}"}},
};

static void test_keywords(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(keyword_cases); i++) {
    Err checked = {0};
    cJSON *schema = tree_of(keyword_cases[i].schema);
    check(schema_check(schema, &checked) == RC_OK, "%s: %s", keyword_cases[i].schema, checked.msg);
    for (int k = 0; k < 12; k++) {
      int good = k < 6;
      const char *json = good ? keyword_cases[i].good[k] : keyword_cases[i].bad[k - 6];
      if (json) {
        Err err = {0};
        cJSON *value = tree_of(json);
        check((schema_validate(schema, value, &err) == RC_OK) == good, "%s and %s: %s",
              keyword_cases[i].schema, json, err.msg);
        if (!good) {
          check_error(&err, "schema", "at /", json);
        }
        cJSON_Delete(value);
      }
    }
    cJSON_Delete(schema);
  }
}

static void test_where_the_error_is(void **state) {
  static const char schema_text[] =
      "{\"type\":\"object\",\"required\":[\"items\"],\"additionalProperties\":false,\"properties\":"
      "{"
      "\"n\":{\"minimum\":1,\"multipleOf\":2},\"any\":{\"anyOf\":[{\"type\":\"string\"}]},"
      "\"not\":{\"not\":{\"type\":\"string\"}},\"e\":{\"enum\":[1]},\"c\":{\"const\":1},"
      "\"l\":{\"maxLength\":1},\"t\":{\"type\":[\"string\",\"null\"]},\"x\":false,"
      "\"items\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"object\",\"properties\":{"
      "\"price\":{\"type\":\"number\"},\"tags\":{\"items\":{\"type\":\"string\"}}},"
      "\"required\":[\"price\"]}}}}";
  static const struct {
    const char *value, *message;
  } cases[] = {
      {"[]", "at /: expected object"},
      {"{}", "at /: 'items' is missing"},
      {"{\"items\":[],\"y\":1}", "at /: 'y' is not allowed"},
      {"{\"items\":{}}", "at /items: expected array"},
      {"{\"items\":[1]}", "at /items/0: expected object"},
      {"{\"items\":[{\"price\":\"5\"}]}", "at /items/0/price: expected number"},
      {"{\"items\":[{\"price\":5},{}]}", "at /items/1: 'price' is missing"},
      {"{\"items\":[{\"price\":5,\"tags\":[\"a\",2]}]}", "at /items/0/tags/1: expected string"},
      {"{\"items\":[{\"price\":1},{\"price\":1},{\"price\":1}]}", "at /items: against maxItems"},
      {"{\"items\":[],\"n\":0}", "at /n: against minimum"},
      {"{\"items\":[],\"n\":3}", "at /n: against multipleOf"},
      {"{\"items\":[],\"any\":1}", "at /any: against anyOf"},
      {"{\"items\":[],\"not\":\"\"}", "at /not: against not"},
      {"{\"items\":[],\"e\":2}", "at /e: not one of the values allowed"},
      {"{\"items\":[],\"c\":2}", "at /c: not the constant required"},
      {"{\"items\":[],\"l\":\"ab\"}", "at /l: against maxLength"},
      {"{\"items\":[],\"t\":1}", "at /t: not one of the types allowed"},
      {"{\"items\":[],\"x\":1}", "at /x: nothing is allowed here"},
  };
  (void)state;
  cJSON *schema = tree_of(schema_text);
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *value = tree_of(cases[i].value);
    schema_validate(schema, value, &err);
    cJSON_Delete(value);
    check(strcmp(err.msg, cases[i].message) == 0, "%s: '%s'", cases[i].value, err.msg);
  }
  cJSON_Delete(schema);
}

static void test_schemas_refused(void **state) {
  static const struct {
    const char *schema, *says;
  } cases[] = {
      {"{\"patternProperties\":{}}", "keyword 'patternProperties'"},
      {"{\"uniqueItems\":true}", "keyword 'uniqueItems'"},
      {"{\"if\":{}}", "keyword 'if'"},
      {"{\"Type\":\"string\"}", "keyword 'Type'"},
      {"{\"\":1}", "keyword ''"},
      {"{\"prefixItems\":[]}", "keyword 'prefixItems'"},
      {"{\"properties\":{\"a\":{\"minProperties\":1}}}", "keyword 'minProperties'"},
      {"{\"items\":{\"items\":{\"contains\":{}}}}", "keyword 'contains'"},
      {"{\"anyOf\":[{},{\"x\":1}]}", "keyword 'x'"},
      {"{\"oneOf\":[{\"x\":1}]}", "keyword 'x'"},
      {"{\"allOf\":[{\"x\":1}]}", "keyword 'x'"},
      {"{\"not\":{\"x\":1}}", "keyword 'x'"},
      {"{\"additionalProperties\":{\"x\":1}}", "keyword 'x'"},
      {"{\"$defs\":{\"a\":{\"x\":1}}}", "keyword 'x'"},
      {"{\"definitions\":{\"a\":{\"x\":1}}}", "keyword 'x'"},
      {"{\"pattern\":\"(\"}", "'pattern'"},
      {"{\"pattern\":5}", "'pattern'"},
      {"{\"items\":[{}]}", "must be an object"},
      {"{\"items\":\"string\"}", "must be an object"},
      {"{\"properties\":{\"a\":\"string\"}}", "must be an object"},
      {"{\"anyOf\":[1]}", "must be an object"},
      {"[]", "must be an object"},
      {"\"string\"", "must be an object"},
      {"null", "must be an object"},
      {"{\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
       "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9x\xC3\xA9\xC3\xA9\":1}",
       "keyword '\xC3\xA9"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *schema = tree_of(cases[i].schema);
    schema_check(schema, &err);
    check_error(&err, "bad_option", cases[i].says, cases[i].schema);
    check_error(&err, "bad_option", "option 'schema'", cases[i].schema);
    cJSON_Delete(schema);
  }
}

/* What is a value inside a schema is not a schema. */
static void test_schemas_taken(void **state) {
  static const char *const cases[] = {
      "{}",
      "true",
      "false",
      "{\"const\":{\"x\":1}}",
      "{\"enum\":[{\"x\":1}]}",
      "{\"default\":{\"x\":1}}",
      "{\"examples\":[{\"x\":1}]}",
      "{\"properties\":{\"x\":{}}}",
      "{\"properties\":{\"pattern\":{\"type\":\"string\"}}}",
      "{\"$defs\":{\"x\":{}}}",
      "{\"items\":true}",
      "{\"additionalProperties\":false}",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *schema = tree_of(cases[i]);
    check(schema_check(schema, &err) == RC_OK, "%s: %s", cases[i], err.msg);
    cJSON_Delete(schema);
  }
}

static void test_recursion_ends(void **state) {
  static const struct {
    const char *schema, *says;
  } cases[] = {
      {"{\"$ref\":\"#\"}", "too deep"},
      {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/"
       "$defs/a\"}}}",
       "too deep"},
      {"{\"allOf\":[{\"$ref\":\"#\"}]}", "allOf"},
      {"{\"$ref\":\"#/properties\"}", "nowhere"},
      {"{\"$ref\":\"#a\"}", "nowhere"},
      {"{\"$ref\":\"other.json\"}", "nowhere"},
      {"{\"$ref\":\"https://example.com/schema\"}", "nowhere"},
      {"{\"$ref\":\"\"}", "nowhere"},
      {"{\"$ref\":5}", "nowhere"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *schema = tree_of(cases[i].schema), *value = tree_of("{}");
    schema_validate(schema, value, &err);
    check_error(&err, "schema", cases[i].says, cases[i].schema);
    cJSON_Delete(schema);
    cJSON_Delete(value);
  }
}

/* A value as deep as JSON may be, against a schema that recurses with it. */
static void test_the_deepest_value(void **state) {
  char json[LIMIT_JSON_DEPTH * 2 + 1] = "";
  Err err = {0};
  (void)state;
  for (int i = 0; i < LIMIT_JSON_DEPTH; i++) {
    json[i] = '[';
    json[2 * LIMIT_JSON_DEPTH - 1 - i] = ']';
  }
  cJSON *schema =
      tree_of("{\"$defs\":{\"l\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/l\"}}},"
              "\"$ref\":\"#/$defs/l\"}");
  cJSON *value = tree_of(json);
  check(schema_validate(schema, value, &err) == RC_OK, "%s", err.msg);
  cJSON_Delete(schema);
  cJSON_Delete(value);
}

static void test_strict(void **state) {
  static const struct {
    const char *schema;
    int strict;
  } cases[] = {
      {"{\"type\":\"string\"}", 1},
      {"{}", 1},
      {"{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"],"
       "\"additionalProperties\":false}",
       1},
      {"{\"type\":\"object\",\"properties\":{},\"required\":[],\"additionalProperties\":false}", 1},
      {"{\"type\":\"object\",\"additionalProperties\":false}", 1},
      {"{\"type\":\"object\"}", 0},
      {"{\"type\":[\"object\",\"null\"]}", 0},
      {"{\"type\":[\"string\",\"null\"]}", 1},
      {"{\"additionalProperties\":{\"type\":\"string\"}}", 0},
      {"{\"required\":[\"a\"]}", 0},
      {"{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"]}", 0},
      {"{\"properties\":{\"a\":{}},\"required\":[\"a\"],\"additionalProperties\":true}", 0},
      {"{\"properties\":{\"a\":{}},\"required\":[\"a\"],\"additionalProperties\":{}}", 0},
      {"{\"properties\":{\"a\":{},\"b\":{}},\"required\":[\"a\"],\"additionalProperties\":false}",
       0},
      {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", 0},
      {"{\"properties\":{\"a\":{},\"b\":{}},\"required\":[\"a\",\"a\"],\"additionalProperties\":"
       "false}",
       0},
      {"{\"properties\":{\"a\":{}},\"required\":[\"b\"],\"additionalProperties\":false}", 0},
      {"{\"properties\":{\"a\":{\"type\":\"object\"}},\"required\":[\"a\"],"
       "\"additionalProperties\":false}",
       0},
      {"{\"items\":{\"properties\":{\"a\":{}}}}", 0},
      {"{\"items\":{\"properties\":{\"a\":{}},\"required\":[\"a\"],\"additionalProperties\":false}"
       "}",
       1},
      {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\"}]}", 0},
      {"{\"$defs\":{\"a\":{\"properties\":{\"b\":{}}}},\"$ref\":\"#/$defs/a\"}", 0},
      {"{\"properties\":{\"type\":{}},\"required\":[\"type\"],\"additionalProperties\":false}", 1},
      {"{\"const\":{\"properties\":{\"a\":{}}}}", 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    cJSON *schema = tree_of(cases[i].schema);
    int strict = schema_is_strict(schema);
    cJSON_Delete(schema);
    check(strict == cases[i].strict, "%s", cases[i].schema);
  }
}

/* What could never be satisfied, or would be checked as something else, is refused beforehand. */
static void test_meaningless_keywords_are_refused(void **state) {
  (void)state;
  static const char *const schemas[] = {
      "{\"type\": \"integr\"}",
      "{\"type\": 5}",
      "{\"type\": []}",
      "{\"minimum\": \"5\"}",
      "{\"required\": \"a\"}",
      "{\"enum\": {}}",
      "{\"$ref\": \"#/$defs/none\"}",
      "{\"$ref\": \"https://example.com/schema\"}",
      "{\"properties\": {\"a\": {\"items\": {\"pattern\": 1}}}}",
  };
  for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
    Err err = {0};
    cJSON *schema = tree_of(schemas[i]);
    schema_check(schema, &err);
    check(err.rc == RC_ERROR && err.code == ERR_BAD_OPTION, "%s", schemas[i]);
    cJSON_Delete(schema);
  }
}

/* A $ref that branches into itself would take 2^128 steps. */
static void test_branching_refs_end(void **state) {
  (void)state;
  Err err = {0};
  cJSON *schema = tree_of("{\"anyOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}");
  cJSON *negated = tree_of("{\"not\": {\"anyOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}}");
  cJSON *value = tree_of("1");
  assert_int_equal(schema_validate(schema, value, &err), RC_ERROR);
  err = (Err){0};
  assert_int_equal(schema_validate(negated, value, &err), RC_ERROR);
  cJSON_Delete(schema);
  cJSON_Delete(negated);
  cJSON_Delete(value);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_meaningless_keywords_are_refused),
      cmocka_unit_test(test_branching_refs_end),
      cmocka_unit_test(test_keywords),
      cmocka_unit_test(test_where_the_error_is),
      cmocka_unit_test(test_schemas_refused),
      cmocka_unit_test(test_schemas_taken),
      cmocka_unit_test(test_recursion_ends),
      cmocka_unit_test(test_the_deepest_value),
      cmocka_unit_test(test_strict),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
