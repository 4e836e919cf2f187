/*
** The schema that is sent: what is strict at OpenAI, how a root is wrapped, what Anthropic is sent, and what can only be
** said in words.
*/
#include "unit.h"

#include "base/buf.h"
#include "core/schema/schema.h"
#include "core/schema/schema_form.h"

#include <stdio.h>

#define CLOSED(properties, required)                                                               \
  "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required                   \
  "],\"additionalProperties\":false}"
#define WRAPPED(value)                                                                             \
  "{\"type\":\"object\",\"properties\":{\"value\":" value                                          \
  "},\"required\":[\"value\"],\"additionalProperties\":false}"
#define STRING "{\"type\":\"string\"}"
#define A(schema) CLOSED("\"a\":" schema, "\"a\"")

static SentSchema form_of(const char *json, SchemaForm form) {
  Err err = {0};
  SentSchema sent;
  cJSON *schema = tree_of(json);
  check(schema_check(schema, &err) == RC_OK, "%s: %s", json, err.msg);
  check(schema_form(schema, form, &sent, &err) == RC_OK, "%s: %s", json, err.msg);
  cJSON_Delete(schema);
  return sent;
}

static void test_strict(void **state) {
  static const struct {
    const char *schema;
    int strict;
  } cases[] = {
      {A("{\"type\":\"integer\"}"), 1},
      {A("{\"type\":[\"string\",\"null\"]}"), 1},
      {A("{\"type\":\"integer\",\"minimum\":1,\"maximum\":5,\"multipleOf\":2}"), 1},
      {A("{\"type\":\"string\",\"pattern\":\"^a+$\",\"format\":\"email\"}"), 1},
      {A("{\"type\":\"array\",\"items\":" STRING ",\"minItems\":1,\"maxItems\":3}"), 1},
      {A("{\"type\":\"string\",\"enum\":[\"x\",\"y\"],\"title\":\"t\",\"description\":\"d\"}"), 1},
      {A("{\"type\":\"string\",\"const\":\"x\"}"), 1},
      {A("{\"anyOf\":[" STRING ",{\"type\":\"null\"}]}"), 1},
      {A("{\"anyOf\":[" A(STRING) ",{\"type\":\"null\"}]}"), 1},
      {A("{\"$ref\":\"#\"}"), 1},
      {"{\"$defs\":{\"d\":" A(
           STRING) "},\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":"
                   "\"#/$defs/d\"}},\"required\":[\"a\"],\"additionalProperties\":false}",
       1},
      {"{\"$schema\":\"http://json-schema.org/draft-07/"
       "schema#\",\"type\":\"object\",\"properties\":"
       "{},\"required\":[],\"additionalProperties\":false}",
       1},
      {CLOSED("\"type\":" STRING, "\"type\""), 1},
      {CLOSED("\"properties\":" STRING, "\"properties\""), 1},
      /* roots that are wrapped */
      {STRING, 1},
      {"{\"type\":\"array\",\"items\":" A(STRING) "}", 1},
      {"{\"type\":\"string\",\"enum\":[\"x\"]}", 1},
      {"{\"anyOf\":[" A(STRING) "," A("{\"type\":\"integer\"}") "]}", 1},
      {"{\"$ref\":\"#/$defs/d\",\"$defs\":{\"d\":" A(STRING) "}}", 1},
      {"{}", 0},
      {"true", 0},
      {"{\"enum\":[\"x\"]}", 0},
      /* objects that are open, or leave something to choice */
      {"{\"type\":\"object\"}", 0},
      {"{\"type\":\"object\",\"additionalProperties\":false}", 0},
      {"{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}", 0},
      {"{\"type\":\"object\",\"properties\":{\"a\":" STRING "},\"required\":[\"a\"]}", 0},
      {"{\"type\":\"object\",\"properties\":{\"a\":" STRING
       "},\"required\":[\"a\"],\"additionalProperties\":{}}",
       0},
      {CLOSED("\"a\":" STRING ",\"b\":" STRING, "\"a\""), 0},
      {CLOSED("\"a\":" STRING ",\"b\":" STRING, "\"a\",\"a\""), 0},
      {CLOSED("\"a\":" STRING, "\"b\""), 0},
      {CLOSED("\"a\":" STRING, "\"a\",\"b\""), 0},
      {A("{\"type\":\"object\"}"), 0},
      {A("{\"properties\":{\"b\":" STRING "}}"), 0},
      {A("{\"type\":[\"object\",\"null\"]}"), 0},
      {A("{\"type\":\"array\",\"items\":{\"type\":\"object\"}}"), 0},
      {A("{\"anyOf\":[{\"type\":\"object\"}]}"), 0},
      {"{\"$defs\":{\"d\":{\"type\":\"object\"}},\"type\":\"object\",\"properties\":{},"
       "\"required\":"
       "[],\"additionalProperties\":false}",
       0},
      /* keywords and forms that are not in it */
      {A("{}"), 0},
      {A("true"), 0},
      {A("{\"description\":\"d\"}"), 0},
      {A("{\"enum\":[\"x\"]}"), 0},
      {A("{\"type\":\"array\"}"), 0},
      {A("{\"type\":\"array\",\"items\":true}"), 0},
      {A("{\"type\":\"string\",\"default\":\"x\"}"), 0},
      {A("{\"type\":\"string\",\"minLength\":1}"), 0},
      {A("{\"type\":\"string\",\"format\":\"uri\"}"), 0},
      {A("{\"type\":\"string\",\"pattern\":\"^(?!a)\"}"), 0},
      {A("{\"type\":\"string\",\"examples\":[\"x\"]}"), 0},
      {A("{\"oneOf\":[" STRING "]}"), 0},
      {A("{\"allOf\":[" STRING "]}"), 0},
      {A("{\"type\":\"string\",\"not\":{\"const\":\"x\"}}"), 0},
      {A("{\"anyOf\":[]}"), 0},
      {A("{\"type\":\"string\",\"enum\":[]}"), 0},
      {A("{\"type\":\"object\",\"const\":{}}"), 0},
      {"{\"$defs\":{\"d\":" STRING
       "},\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
       "d\",\"description\":\"x\"}},\"required\":[\"a\"],\"additionalProperties\":false}",
       0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    SentSchema sent = form_of(cases[i].schema, FORM_OPENAI);
    cJSON_Delete(sent.schema);
    check(sent.is_strict == cases[i].strict, "%s", cases[i].schema);
  }
}

/* n times: the format, with %d the number. */
static char *repeated(const char *before, const char *format, int n, const char *after) {
  Buf b;
  buf_init(&b, 1 << 22);
  buf_puts(&b, before);
  for (int i = 0; i < n; i++) {
    const char *hole = strchr(format, '%');
    buf_puts(&b, i ? "," : "");
    buf_add(&b, format, hole ? (size_t)(hole - format) : strlen(format));
    if (hole) {
      buf_printf(&b, "%d", i);
      buf_puts(&b, hole + 1);
    }
  }
  buf_puts(&b, after);
  return buf_take(&b);
}

/* Their sizes: values, long values, depth. */
static void test_strict_limits(void **state) {
  (void)state;
  for (int over = 0; over <= 1; over++) {
    char deep[2000] = STRING, next[4000];
    for (int i = 0; i < 10 + over; i++) {
      snprintf(next, sizeof next, A("%s"), deep);
      utf8_copy(deep, sizeof deep, next);
    }
    char *texts[] = {
        repeated("{\"type\":\"object\",\"required\":[\"a\"],\"additionalProperties\":false,"
                 "\"properties\":{\"a\":{\"type\":\"integer\",\"enum\":[",
                 "%", 1000 + over, "]}}}"),
        repeated("{\"type\":\"object\",\"required\":[\"a\"],\"additionalProperties\":false,"
                 "\"properties\":{\"a\":{\"type\":\"string\",\"enum\":[",
                 over ? "\"%0123456789012345678901234567890123456789012345678901234567890\""
                      : "\"%\"",
                 251, "]}}}"),
        strdup(deep),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
      SentSchema sent = form_of(texts[i], FORM_OPENAI);
      cJSON_Delete(sent.schema);
      check(sent.is_strict == !over, "%zu %.200s", i, texts[i]);
      free(texts[i]);
    }
  }
}

/* `sent` NULL: in words. */
static void check_forms(SchemaForm form, const char *const (*cases)[2], size_t n) {
  for (size_t i = 0; i < n; i++) {
    SentSchema sent = form_of(cases[i][0], form);
    char *text = sent.schema ? cJSON_PrintUnformatted(sent.schema) : NULL;
    check(cases[i][1] ? text && strcmp(text, cases[i][1]) == 0 : !text, "%s is sent as %s",
          cases[i][0], text ? text : "words");
    cJSON_free(text);
    cJSON_Delete(sent.schema);
  }
}

/* All digits, wherever a number stands. */
static void test_numbers(void **state) {
  static const char *const openai[][2] = {
#define SAME(schema) {A(schema), A(schema)}
      SAME("{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":9007199254740991}"),
      SAME("{\"type\":\"integer\",\"enum\":[1234567890123456,0,-1,2147483648]}"),
      SAME("{\"type\":\"integer\",\"const\":1000000000000000000,\"default\":1000000000000001}"),
      SAME("{\"type\":\"integer\",\"maximum\":9223372036854775807}"),
      SAME("{\"type\":\"integer\",\"minimum\":-9223372036854775808}"),
      SAME("{\"type\":\"integer\",\"maximum\":18446744073709551615}"),
      SAME("{\"type\":\"integer\",\"multipleOf\":100000000000000000000}"),
      SAME("{\"type\":\"number\",\"minimum\":0.1,\"maximum\":0.30000000000000004}"),
      SAME("{\"type\":\"number\",\"minimum\":-1.7976931348623157e+308,\"maximum\":1e-07}"),
      {A("{\"type\":\"number\",\"const\":{\"a\":[1e3,2.50]}}"),
       A("{\"type\":\"number\",\"const\":{\"a\":[1000,2.5]}}")},
  };
  static const char *const anthropic[][2] = {
      {A("{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":9007199254740991}"),
       A("{\"type\":\"integer\",\"description\":\"minimum -9007199254740991; maximum "
         "9007199254740991\"}")},
      SAME("{\"type\":\"integer\",\"enum\":[9007199254740991]}"),
  };
  Err err = {0};
  cJSON *schema = tree_of(openai[0][0]);
  char *words = schema_in_words(NULL, schema, &err);
  (void)state;
  check(strstr(words, "\"maximum\":9007199254740991}"), "%s", words);
  free(words);
  cJSON_Delete(schema);
  check_forms(FORM_OPENAI, openai, COUNT(openai));
  check_forms(FORM_ANTHROPIC, anthropic, COUNT(anthropic));
}

static void test_roots(void **state) {
  static const char *const cases[][2] = {
      {A(STRING), A(STRING)},
      {"{\"type\":\"object\"}", "{\"type\":\"object\"}"},
      {"{\"properties\":{\"a\":{}}}", "{\"properties\":{\"a\":{}},\"type\":\"object\"}"},
      {"{\"type\":\"array\"}", WRAPPED("{\"type\":\"array\"}")},
      {"true", WRAPPED("{}")},
      {"{}", WRAPPED("{}")},
      {"{\"type\":[\"object\",\"null\"]}", WRAPPED("{\"type\":[\"object\",\"null\"]}")},
      {"{\"type\":\"object\",\"anyOf\":[{}]}", WRAPPED("{\"type\":\"object\",\"anyOf\":[{}]}")},
      {"{\"$defs\":{\"d\":{\"items\":{\"$ref\":\"#\"}}},\"items\":{\"$ref\":\"#/$defs/"
       "d\"},\"anyOf\":[{"
       "\"$ref\":\"#/items\"}],\"const\":{\"$ref\":\"#\"}}",
       "{\"type\":\"object\",\"properties\":{\"value\":{\"items\":{\"$ref\":\"#/$defs/"
       "d\"},\"anyOf\":[{"
       "\"$ref\":\"#/properties/value/"
       "items\"}],\"const\":{\"$ref\":\"#\"}}},\"required\":[\"value\"],"
       "\"additionalProperties\":false,\"$defs\":{\"d\":{\"items\":{\"$ref\":\"#/properties/"
       "value\"}}}}"},
  };
  (void)state;
  check_forms(FORM_OPENAI, cases, COUNT(cases));
}

/* What only older drafts have is no schema to the providers. */
static void test_older_drafts(void **state) {
  static const char *const cases[][2] = {
      {A("{\"type\":\"integer\",\"minimum\":0,\"exclusiveMinimum\":true,\"maximum\":9,"
         "\"exclusiveMaximum\":false}"),
       A("{\"type\":\"integer\",\"maximum\":9,\"exclusiveMinimum\":0}")},
      {A("{\"type\":\"integer\",\"exclusiveMaximum\":true}"), A("{\"type\":\"integer\"}")},
      {A("{\"type\":\"integer\",\"minimum\":0,\"exclusiveMinimum\":1}"),
       A("{\"type\":\"integer\",\"minimum\":0,\"exclusiveMinimum\":1}")},
      {"{\"type\":\"array\",\"items\":[" STRING "],\"additionalItems\":false}",
       WRAPPED("{\"type\":\"array\",\"prefixItems\":[" STRING "],\"items\":false}")},
      {A("{\"type\":\"array\",\"items\":[{\"items\":[" STRING "]}]}"),
       A("{\"type\":\"array\",\"prefixItems\":[{\"prefixItems\":[" STRING "]}]}")},
      {A("{\"const\":{\"items\":[1],\"exclusiveMinimum\":true}}"),
       A("{\"const\":{\"items\":[1],\"exclusiveMinimum\":true}}")},
  };
  static const char *const reduced[][2] = {
      {A("{\"type\":\"integer\",\"minimum\":0,\"exclusiveMinimum\":true}"),
       A("{\"type\":\"integer\",\"description\":\"more than 0\"}")},
      {"{\"type\":\"array\",\"items\":[" STRING "]}", NULL},
  };
  (void)state;
  check_forms(FORM_OPENAI, cases, COUNT(cases));
  check_forms(FORM_ANTHROPIC, reduced, COUNT(reduced));
}

static void test_reduced(void **state) {
  static const char *const cases[][2] = {
      {A(STRING), A(STRING)},
      {A("{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}"),
       A("{\"type\":\"integer\",\"description\":\"minimum 1; maximum 5\"}")},
      {A("{\"type\":\"array\",\"items\":" STRING ",\"minItems\":1,\"maxItems\":5}"),
       A("{\"type\":\"array\",\"items\":" STRING
         ",\"minItems\":1,\"description\":\"at most 5 items\"}")},
      {A("{\"type\":\"array\",\"items\":" STRING
         ",\"minItems\":2,\"uniqueItems\":true,\"description\":\"tags\"}"),
       A("{\"type\":\"array\",\"items\":" STRING
         ",\"description\":\"tags\\n\\nat least 2 items; no two items alike: true\"}")},
      {A("{\"type\":\"string\",\"minLength\":2,\"pattern\":\"^a\",\"format\":\"email\",\"default\":"
         "\"ab\"}"),
       A("{\"type\":\"string\",\"format\":\"email\",\"description\":\"at least 2 characters; "
         "matches the "
         "regular expression ^a; default ab\"}")},
      {A("{\"type\":\"string\",\"format\":\"phone\"}"),
       A("{\"type\":\"string\",\"description\":\"format phone\"}")},
      {"{\"type\":\"object\",\"properties\":{\"a\":" STRING "}}",
       "{\"type\":\"object\",\"properties\":{\"a\":" STRING "},\"additionalProperties\":false}"},
      {A("{\"oneOf\":[" STRING ",{\"type\":\"null\"}],\"discriminator\":{}}"),
       A("{\"anyOf\":[" STRING ",{\"type\":\"null\"}]}")},
      {A("{\"type\":\"string\",\"allOf\":[{\"pattern\":\"^a\"},{\"pattern\":\"z$\"}],\"x-a\":1}"),
       A("{\"type\":\"string\",\"description\":\"all of "
         "[{\\\"pattern\\\":\\\"^a\\\"},{\\\"pattern\\\":"
         "\\\"z$\\\"}]\"}")},
      {A("{\"type\":\"string\",\"nullable\":true}"), A("{\"type\":[\"string\",\"null\"]}")},
      {A("{\"type\":\"string\",\"nullable\":true,\"enum\":[\"x\"]}"),
       A("{\"type\":[\"string\",\"null\"],\"enum\":[\"x\",null]}")},
      {A("{\"anyOf\":[" STRING "],\"nullable\":true}"),
       A("{\"anyOf\":[" STRING ",{\"type\":\"null\"}]}")},
      {"{\"$schema\":\"s\",\"type\":\"array\",\"items\":" STRING "}",
       WRAPPED("{\"type\":\"array\",\"items\":" STRING "}")},
      {"{\"enum\":[\"x\",1,null]}", WRAPPED("{\"enum\":[\"x\",1,null]}")},
      {"{\"type\":\"object\",\"title\":\"T\",\"properties\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/"
       "d\"}],"
       "\"description\":\"x\"}},\"$defs\":{\"d\":{\"type\":\"object\",\"properties\":{\"b\":" STRING
       "}}}}",
       "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
       "d\"}},\"additionalProperties\":false,"
       "\"title\":\"T\",\"$defs\":{\"d\":{\"type\":\"object\",\"properties\":{\"b\":" STRING
       "},\"additionalProperties\":false}}}"},
  };
  (void)state;
  check_forms(FORM_ANTHROPIC, cases, COUNT(cases));
}

static void test_in_words(void **state) {
  static const char *const cases[][2] = {
      {"{}", NULL},
      {"true", NULL},
      {"{\"type\":\"object\"}", NULL}, /* closed it would be {} */
      {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}", NULL},
      {"{\"type\":\"object\",\"properties\":{\"a\":" STRING "},\"additionalProperties\":true}",
       NULL},
      {"{\"type\":\"object\",\"properties\":{\"a\":" STRING "},\"required\":[\"b\"]}", NULL},
      {A("{\"type\":\"object\"}"), NULL},
      {A("{}"), NULL},
      {A("{\"type\":\"array\"}"), NULL},
      {A("{\"type\":\"array\",\"items\":{}}"), NULL},
      {A("{\"minLength\":1}"), NULL},
      {A("{\"enum\":[[1]]}"), NULL},
      {A("{\"const\":{}}"), NULL},
      {A("{\"allOf\":[" A(STRING) ",{\"type\":\"object\",\"properties\":{\"b\":" STRING "}}]}"),
       NULL},
      {A("{\"type\":\"object\",\"properties\":{\"b\":" STRING
         "},\"anyOf\":[{\"required\":[\"b\"]}]}"),
       NULL},
      {A("{\"$ref\":\"#\"}"), NULL},
      {"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
       "d\",\"properties\":{\"c\":" STRING
       "}}},\"$defs\":{\"d\":{\"type\":\"object\",\"properties\":{\"b\":" STRING "}}}}",
       NULL},
      {"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/properties/b\"},\"b\":" STRING
       "}}",
       NULL},
  };
  (void)state;
  check_forms(FORM_ANTHROPIC, cases, COUNT(cases));
}

/* 24 optional members, 16 unions; one more of either can't be sent. */
static void test_anthropic_limits(void **state) {
  (void)state;
  for (int over = 0; over <= 1; over++) {
    char *texts[] = {
        repeated("{\"type\":\"object\",\"properties\":{", "\"a%\":{\"type\":\"string\"}", 24 + over,
                 "}}"),
        repeated("{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":"
                 "\"array\",\"items\":"
                 "{\"anyOf\":[",
                 "{\"type\":[\"string\",\"null\"]}", 15 + over, "]}}}}"),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
      SentSchema sent = form_of(texts[i], FORM_ANTHROPIC);
      check((sent.schema == NULL) == over, "%zu: %d", i, over);
      cJSON_Delete(sent.schema);
      free(texts[i]);
    }
  }
}

static void test_of_objects(void **state) {
  (void)state;
  static const char *const yes[] = {
      "{\"type\":\"object\"}", "{\"anyOf\":[{\"type\":\"object\"},{\"const\":{}}]}",
      "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\"}}}"};
  static const char *const no[] = {"{}", "true", "{\"type\":\"array\"}",
                                   "{\"type\":[\"object\",\"null\"]}", "{\"enum\":[1]}"};
  for (size_t i = 0; i < COUNT(yes) + COUNT(no); i++) {
    cJSON *schema = tree_of(i < COUNT(yes) ? yes[i] : no[i - COUNT(yes)]);
    int is = schema_is_of_objects(schema);
    cJSON_Delete(schema);
    check(is == (i < COUNT(yes)), "%zu", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strict),     cmocka_unit_test(test_strict_limits),
      cmocka_unit_test(test_roots),      cmocka_unit_test(test_reduced),
      cmocka_unit_test(test_in_words),   cmocka_unit_test(test_anthropic_limits),
      cmocka_unit_test(test_of_objects), cmocka_unit_test(test_older_drafts),
      cmocka_unit_test(test_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
