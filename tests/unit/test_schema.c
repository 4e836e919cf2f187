/*
** JSON Schema: each keyword, nesting, $ref, what is refused, which types, and where an error says it
** is.
*/
#include "unit.h"

#include "core/schema/schema.h"

#include <stdio.h>

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
    /* nullable */
    {"{\"type\":\"string\",\"nullable\":true}", {"\"a\"", "null"}, {"1"}},
    {"{\"type\":\"string\",\"nullable\":false}", {"\"a\""}, {"null"}},
    {"{\"enum\":[\"a\"],\"nullable\":true}", {"\"a\"", "null"}, {"\"b\""}},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\",\"nullable\":true}}}",
     {"{}", "null"},
     {"1"}},
    /* objects */
    {"{\"patternProperties\":{\"^n\":{\"type\":\"number\"},\"s$\":{\"type\":\"integer\"}}}",
     {"{}", "{\"n\":1.5,\"x\":\"\"}", "{\"ns\":1}", "[]"},
     {"{\"n\":\"\"}", "{\"ns\":1.5}", "{\"xs\":1.5}"}},
    {"{\"properties\":{\"a\":{}},\"patternProperties\":{\"^n\":{}},\"additionalProperties\":false}",
     {"{\"a\":1,\"n1\":2}"},
     {"{\"b\":1}", "{\"an\":1}"}},
    {"{\"patternProperties\":{\"^n\":{}},\"additionalProperties\":{\"type\":\"string\"}}",
     {"{\"n\":1,\"b\":\"\"}"},
     {"{\"b\":1}"}},
    {"{\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}", {"{\"a\":1}", "{}", "[]"}, {"{\"A\":1}"}},
    {"{\"propertyNames\":{\"enum\":[\"a\",\"b\"]}}", {"{\"a\":1,\"b\":1}"}, {"{\"c\":1}"}},
    {"{\"propertyNames\":false}", {"{}"}, {"{\"c\":1}"}},
    {"{\"minProperties\":1,\"maxProperties\":2}",
     {"{\"a\":1}", "{\"a\":1,\"b\":1}", "[]", "1"},
     {"{}", "{\"a\":1,\"b\":1,\"c\":1}"}},
    {"{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}",
     {"{}", "{\"b\":1}", "{\"a\":1,\"b\":1,\"c\":1}", "[]"},
     {"{\"a\":1}", "{\"a\":1,\"b\":1}"}},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"],\"maxProperties\":2},\"z\":false}}",
     {"{}", "{\"b\":1}", "{\"a\":1,\"b\":1}"},
     {"{\"a\":1}", "{\"a\":1,\"b\":1,\"c\":1}", "{\"z\":1}"}},
    /* arrays */
    {"{\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"number\"}]}",
     {"[]", "[\"a\"]", "[\"a\",1]", "[\"a\",1,null]", "{}"},
     {"[1]", "[\"a\",\"b\"]"}},
    {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"number\"}}",
     {"[\"a\"]", "[\"a\",1,2]"},
     {"[\"a\",\"b\"]", "[1]", "[\"a\",1,\"b\"]"}},
    {"{\"prefixItems\":[{}],\"items\":false}", {"[]", "[1]"}, {"[1,2]"}},
    {"{\"items\":[{\"type\":\"string\"},{\"type\":\"number\"}],\"additionalItems\":false}",
     {"[]", "[\"a\",1]"},
     {"[1]", "[\"a\",1,2]"}},
    {"{\"items\":[{\"type\":\"string\"}],\"additionalItems\":{\"type\":\"number\"}}",
     {"[\"a\",1]"},
     {"[\"a\",\"b\"]"}},
    {"{\"items\":{\"type\":\"string\"},\"additionalItems\":false}", {"[\"a\",\"b\"]"}, {"[1]"}},
    {"{\"uniqueItems\":true}",
     {"[]", "[1]", "[1,\"1\",null,false,true,[],{}]", "[[1,2],[2,1]]",
      "[{\"a\":1},{\"a\":2},{\"b\":1}]", "{}"},
     {"[1,2,1]", "[1,1.0]", "[\"a\",\"b\",\"a\"]", "[{\"a\":1,\"b\":[2]},{\"b\":[2],\"a\":1}]",
      "[[1],[1]]", "[0,-0]"}},
    {"{\"uniqueItems\":false}", {"[1,1]"}, {NULL}},
    {"{\"contains\":{\"const\":1}}", {"[0,1]", "{}"}, {"[]", "[0]"}},
    {"{\"contains\":{\"const\":1},\"minContains\":2,\"maxContains\":3}",
     {"[1,1]", "[1,0,1,1]"},
     {"[1]", "[1,1,1,1]"}},
    {"{\"contains\":{\"const\":1},\"minContains\":0}", {"[]", "[0]"}, {NULL}},
    {"{\"minContains\":2}", {"[]"}, {NULL}},
    /* conditions */
    {"{\"if\":{\"minimum\":10},\"then\":{\"multipleOf\":10},\"else\":{\"multipleOf\":2}}",
     {"20", "4", "\"a\""},
     {"11", "3"}},
    {"{\"if\":{\"properties\":{\"t\":{\"const\":\"x\"}},\"required\":[\"t\"]},\"then\":{"
     "\"required\":"
     "[\"x\"]}}",
     {"{}", "{\"t\":\"y\"}", "{\"t\":\"x\",\"x\":1}"},
     {"{\"t\":\"x\"}"}},
    {"{\"then\":false,\"else\":false}", {"1"}, {NULL}},
    {"{\"if\":true,\"else\":false}", {"1"}, {NULL}},
    /* draft 4's flags */
    {"{\"minimum\":2,\"exclusiveMinimum\":true}", {"2.1"}, {"2", "1"}},
    {"{\"minimum\":2,\"exclusiveMinimum\":false}", {"2"}, {"1"}},
    {"{\"maximum\":2,\"exclusiveMaximum\":true}", {"1.9"}, {"2", "3"}},
    /* references */
    {"{\"$ref\":\"#/$defs/A%20B\",\"$defs\":{\"A B\":{\"type\":\"string\"}}}", {"\"a\""}, {"1"}},
    {"{\"$ref\":\"#/$defs/a~1b~0c%25\",\"$defs\":{\"a/b~c%\":{\"type\":\"string\"}}}",
     {"\"a\""},
     {"1"}},
    {"{\"$ref\":\"#/$defs/%7E01\",\"$defs\":{\"~1\":{\"type\":\"string\"}}}", {"\"a\""}, {"1"}},
    {"{\"$ref\":\"#/$defs/List%5BInt%5D\",\"$defs\":{\"List[Int]\":{\"type\":\"string\"}}}",
     {"\"a\""},
     {"1"}},
    {"{\"$ref\":\"#/$defs/\xC3\xA9\",\"$defs\":{\"\xC3\xA9\":{\"type\":\"string\"}}}",
     {"\"a\""},
     {"1"}},
    {"{\"$ref\":\"#/$defs/%C3%A9\",\"$defs\":{\"\xC3\xA9\":{\"type\":\"string\"}}}",
     {"\"a\""},
     {"1"}},
    {"{\"$ref\":\"#/$defs/100%\",\"$defs\":{\"100%\":{\"type\":\"string\"}}}", {"\"a\""}, {"1"}},
    {"{\"$ref\":\"#/$defs/\",\"$defs\":{\"\":{\"type\":\"string\"}}}", {"\"a\""}, {"1"}},
    {"{\"properties\":{\"a\":{\"$ref\":\"#/anyOf/1\"}},\"anyOf\":[{},{\"type\":\"string\"}]}",
     {"{\"a\":\"x\"}"},
     {"{\"a\":1}"}},
    {"{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"$ref\":\"#/properties/a\"}}}",
     {"{\"b\":\"x\"}"},
     {"{\"b\":1}"}},
    /* patterns as ECMA 262 has them */
    {"{\"pattern\":\"^\\\\u00e9$\"}", {"\"\\u00e9\""}, {"\"u00e9\""}},
    {"{\"pattern\":\"^(?!\\\\.)[\\\\w.]+$\"}", {"\"a.b\""}, {"\".a\""}},
    {"{\"pattern\":\"^(?:[])?$\"}", {"\"\""}, {"\"a\""}},
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
      "\"either\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"properties\":{\"m\":{"
      "\"type\":"
      "\"integer\"}}}]},\"both\":{\"allOf\":[{\"type\":\"string\"},{\"pattern\":\"^a\"}]},"
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
      {"{\"items\":[{\"price\":1},{\"price\":1},{\"price\":1}]}", "at /items: against maxItems 2"},
      {"{\"items\":[],\"n\":0}", "at /n: against minimum 1"},
      {"{\"items\":[],\"n\":3}", "at /n: against multipleOf 2"},
      {"{\"items\":[],\"any\":1}", "at /any: against anyOf"},
      {"{\"items\":[],\"either\":{\"m\":\"1\"}}", "at /either/m: expected integer"},
      {"{\"items\":[],\"either\":1}", "at /either: against oneOf"},
      {"{\"items\":[],\"both\":\"b\"}", "at /both: against pattern ^a"},
      {"{\"items\":[],\"not\":\"\"}", "at /not: against not"},
      {"{\"items\":[],\"e\":2}", "at /e: not one of the [1]"},
      {"{\"items\":[],\"c\":2}", "at /c: not the constant required"},
      {"{\"items\":[],\"l\":\"ab\"}", "at /l: against maxLength 1"},
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
      {"{\"unevaluatedProperties\":false}",
       "keyword 'unevaluatedProperties' is not supported (type, enum, const, properties, "},
      {"{\"$dynamicRef\":\"#a\"}", "keyword '$dynamicRef'"},
      {"{\"dependencies\":{}}", "keyword 'dependencies'"},
      {"{\"Type\":\"string\"}", "keyword 'Type'"},
      {"{\"\":1}", "keyword ''"},
      {"{\"properties\":{\"a\":{\"X\":1}}}", "keyword 'X'"},
      {"{\"items\":{\"items\":{\"X\":{}}}}", "keyword 'X'"},
      {"{\"items\":[{\"X\":1}]}", "keyword 'X'"},
      {"{\"prefixItems\":[{\"X\":1}]}", "keyword 'X'"},
      {"{\"patternProperties\":{\"a\":{\"X\":1}}}", "keyword 'X'"},
      {"{\"dependentSchemas\":{\"a\":{\"X\":1}}}", "keyword 'X'"},
      {"{\"propertyNames\":{\"X\":1}}", "keyword 'X'"},
      {"{\"contains\":{\"X\":1}}", "keyword 'X'"},
      {"{\"if\":{\"X\":1}}", "keyword 'X'"},
      {"{\"then\":{\"X\":1}}", "keyword 'X'"},
      {"{\"else\":{\"X\":1}}", "keyword 'X'"},
      {"{\"additionalItems\":{\"X\":1}}", "keyword 'X'"},
      {"{\"patternProperties\":{\"(\":{}}}", "'patternProperties' is no regular expression"},
      {"{\"dependentRequired\":{\"a\":\"b\"}}", "keyword 'dependentRequired'"},
      {"{\"required\":[1]}", "keyword 'required'"},
      {"{\"uniqueItems\":1}", "keyword 'uniqueItems'"},
      {"{\"multipleOf\":0}", "keyword 'multipleOf' must be above 0"},
      {"{\"exclusiveMinimum\":\"1\"}", "keyword 'exclusiveMinimum'"},
      {"{\"$ref\":\"#/$defs\",\"$defs\":{\"a\":{}}}", "leads nowhere"},
      {"{\"$ref\":\"#/default\",\"default\":{\"X\":1}}", "leads nowhere"},
      {"{\"$ref\":\"#/anyOf\",\"anyOf\":[{}]}", "leads nowhere"},
      {"{\"$ref\":\"#/anyOf/2\",\"anyOf\":[{},{}]}", "leads nowhere"},
      {"{\"$ref\":\"#/anyOf/x\",\"anyOf\":[{},{}]}", "leads nowhere"},
      {"{\"anyOf\":[{},{\"x\":1}]}", "keyword 'x'"},
      {"{\"oneOf\":[{\"x\":1}]}", "keyword 'x'"},
      {"{\"allOf\":[{\"x\":1}]}", "keyword 'x'"},
      {"{\"not\":{\"x\":1}}", "keyword 'x'"},
      {"{\"additionalProperties\":{\"x\":1}}", "keyword 'x'"},
      {"{\"$defs\":{\"a\":{\"x\":1}}}", "keyword 'x'"},
      {"{\"definitions\":{\"a\":{\"x\":1}}}", "keyword 'x'"},
      {"{\"pattern\":\"(\"}", "'pattern'"},
      {"{\"pattern\":5}", "'pattern'"},
      {"{\"items\":[1]}", "must be an object"},
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
      "{\"items\":[{}]}",
      "{\"if\":true,\"contains\":{},\"discriminator\":{\"propertyName\":\"t\"},"
      "\"propertyOrdering\":[\"a\"],"
      "\"id\":\"i\",\"$anchor\":\"a\",\"example\":1,\"contentEncoding\":\"base64\","
      "\"contentMediaType\":\"m\","
      "\"x-order\":{\"x\":1},\"xml\":{},\"externalDocs\":{},\"contentSchema\":{\"x\":1}}",
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
      {"{\"$ref\":\"#\"}", "too long"},
      {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/"
       "$defs/a\"}}}",
       "too long"},
      {"{\"allOf\":[{\"$ref\":\"#\"}]}", "too long"},
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

static void test_types(void **state) {
  static const struct {
    const char *schema;
    unsigned types;
  } cases[] = {
      {"{}", TYPE_ANY},
      {"true", TYPE_ANY},
      {"false", 0},
      {"{\"type\":\"integer\"}", TYPE_NUMBER},
      {"{\"type\":[\"object\",\"null\"]}", TYPE_OBJECT | TYPE_NULL},
      {"{\"enum\":[\"a\",1,null,[],{}]}", TYPE_ANY & ~(unsigned)TYPE_BOOLEAN},
      {"{\"const\":true}", TYPE_BOOLEAN},
      {"{\"anyOf\":[{\"type\":\"string\"},{\"const\":5}]}", TYPE_STRING | TYPE_NUMBER},
      {"{\"allOf\":[{\"type\":[\"string\",\"array\"]},{\"type\":\"string\"}]}", TYPE_STRING},
      {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\"}}}", TYPE_OBJECT},
      {"{\"$ref\":\"#\"}", TYPE_ANY},
      {"{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", TYPE_ANY},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    cJSON *schema = tree_of(cases[i].schema);
    unsigned types = schema_types(schema, schema);
    cJSON_Delete(schema);
    check(types == cases[i].types, "%s: %u", cases[i].schema, types);
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

/* Values that would be compared with each other, or searched, without end. */
static void test_large_values_end(void **state) {
  enum { N = 100000 };
  static const char *const schemas[] = {
      "{\"uniqueItems\":true}",
      "{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"number\"},\"required\":["
      "\"z\"]}",
      "{\"patternProperties\":{\"^a\":false,\"^b\":false},\"additionalProperties\":false}",
      "{\"contains\":{\"const\":-1}}",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(schemas); i++) {
    Err err = {0};
    cJSON *schema = tree_of(schemas[i]),
          *value = i % 3 == 0 ? cJSON_CreateArray() : cJSON_CreateObject();
    for (int k = 0; k < N; k++) {
      char name[16];
      snprintf(name, sizeof name, "%d", k);
      json_add(value, i % 3 == 0 ? NULL : name, cJSON_CreateNumber(k), &err);
    }
    check((schema_validate(schema, value, &err) == RC_OK) == (i == 0), "%s: %s", schemas[i],
          err.msg);
    cJSON_Delete(schema);
    cJSON_Delete(value);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_meaningless_keywords_are_refused),
      cmocka_unit_test(test_branching_refs_end),
      cmocka_unit_test(test_large_values_end),
      cmocka_unit_test(test_keywords),
      cmocka_unit_test(test_where_the_error_is),
      cmocka_unit_test(test_schemas_refused),
      cmocka_unit_test(test_schemas_taken),
      cmocka_unit_test(test_recursion_ends),
      cmocka_unit_test(test_the_deepest_value),
      cmocka_unit_test(test_types),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
