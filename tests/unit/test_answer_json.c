/*
** The JSON in a model's answer: where it is found, what is no answer, how it is written again, what is said where
** there is none; and that no text takes long.
*/
#include "unit.h"

#include <stdio.h>

#include "core/schema/answer_json.h"

#define OBJECT "{\"type\":\"object\"}"
#define ONE                                                                                        \
  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"],"       \
  "\"additionalProperties\":false}"
#define LIST "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}"
#define TEXT                                                                                       \
  "{\"type\":\"object\",\"properties\":{\"t\":{\"type\":\"string\"}},\"required\":[\"t\"]}"
#define TRIANGLE(slash) "\xE2\x97\x81" slash "think\xE2\x96\xB7"

typedef struct Case {
  const char *schema, *text, *json; /* json: NULL where none is to be found */
} Case;

static void run(const Case *c) {
  Err err = {0};
  char *json = NULL;
  size_t n = 0;
  cJSON *schema = tree_of(c->schema);
  answer_json(c->text, strlen(c->text), schema, &json, &n, &err);
  cJSON_Delete(schema);
  if (c->json) {
    check(json && strcmp(json, c->json) == 0 && n == strlen(json), "%s: '%s' %s", c->text,
          json ? json : "none", err.msg);
  } else {
    check(!json && err.rc == RC_ERROR && err.code == ERR_SCHEMA && err.msg[0], "%s: '%s'", c->text,
          json ? json : "none");
  }
  free(json);
}

static void test_where_it_is_found(void **state) {
  static const Case cases[] = {
      {ONE, "{\"a\":1}", "{\"a\":1}"},
      {ONE, " \n{ \"a\" : 1 }\n ", "{\"a\":1}"},
      {ONE, "\xEF\xBB\xBF{\"a\":1}", "{\"a\":1}"},
      /* fences */
      {ONE, "```json\n{\"a\":1}\n```", "{\"a\":1}"},
      {ONE, "\n```json\n{\"a\":1}\n```\n", "{\"a\":1}"},
      {ONE, "```\n{\"a\":1}\n```", "{\"a\":1}"},
      {ONE, "```JSON5 \r\n{\"a\":1}\r\n```", "{\"a\":1}"},
      {ONE, "```json {\"a\":1}```", "{\"a\":1}"},
      {ONE, "```{\"a\":1}```", "{\"a\":1}"},
      {ONE, "````json\n{\"a\":1}\n````", "{\"a\":1}"},
      {ONE, "~~~json\n{\"a\":1}\n~~~", "{\"a\":1}"},
      {ONE, "```json\n{\"a\":1}", "{\"a\":1}"},
      {ONE, "Here you are:\n\n```json\n{\"a\":1}\n```\nAnything else?", "{\"a\":1}"},
      {OBJECT, "The set {} is empty.\n```json\n{\"a\":1}\n```", "{\"a\":1}"},
      {ONE, "```sh\nls {a,b}\n```\n```json\n{\"a\":1}\n```", "{\"a\":1}"},
      {ONE, "```json\n// the result\n{\"a\":1}\n```", "{\"a\":1}"},
      {TEXT, "{\"t\":\"```json\\n{}\\n```\"}", "{\"t\":\"```json\\n{}\\n```\"}"},
      {TEXT, "```json\n{\"t\":\"```js\\nx\\n```\"}\n```", "{\"t\":\"```js\\nx\\n```\"}"},
      {OBJECT, "See: {\"t\":\"```{}```\"} ok", "{\"t\":\"```{}```\"}"},
      /* prose */
      {ONE, "Sure! {\"a\":1}", "{\"a\":1}"},
      {ONE, "{\"a\":1} is it [1], as {b} says", "{\"a\":1}"},
      {ONE, "As [1] and [2, p. 5] say, f(x) = {x | x > 1}: {\"a\":1}.", "{\"a\":1}"},
      {ONE, "[Note: the answer is {\"a\":1}]", "{\"a\":1}"},
      {ONE, "Use { to open. {\"a\":1}", "{\"a\":1}"},
      {ONE, "\"quoted { \" {\"a\":1}", "{\"a\":1}"},
      {ONE, "{\"b\":1} or rather {\"a\":1}", "{\"a\":1}"},
      {ONE, "{\"a\":1}\n{\"a\":1}", "{\"a\":1}"},
      {TEXT, "x {\"t\":\"}]{[\\\"\"} y", "{\"t\":\"}]{[\\\"\"}"},
      {LIST, "First {a}: [1,2] then [1, 2]", "[1,2]"},
      {ONE, "{\"a\":1, oops\n{\"a\":1}", "{\"a\":1}"},
      /* thinking */
      {ONE, "<think>{\"a\":7}</think>{\"a\":1}", "{\"a\":1}"},
      {ONE, "\n<think>\nhm, [1\n</think>\n\n```json\n{\"a\":1}\n```", "{\"a\":1}"},
      {ONE, "it may be {\"a\":7}\n</think>\n{\"a\":1}", "{\"a\":1}"},
      {ONE, "Well.\n<thinking>{\"a\":7}</thinking> {\"a\":1}", "{\"a\":1}"},
      {ONE, "[THINK]{\"a\":7}[/THINK]{\"a\":1}", "{\"a\":1}"},
      {ONE, TRIANGLE("") "{\"a\":7}" TRIANGLE("/") "{\"a\":1}", "{\"a\":1}"},
      {ONE, "<think>x</think><think>{\"a\":7}</think>{\"a\":1}", "{\"a\":1}"},
      {ONE, "<think>so it is\n{\"a\":1}", "{\"a\":1}"},
      {ONE, "<think>so it is\n```json\n{\"a\":1}\n```", "{\"a\":1}"},
      {TEXT, "So: {\"t\":\"ends with </think>\"} ok", "{\"t\":\"ends with </think>\"}"},
      {TEXT, "So: {\"t\":\"<think>\"} ok", "{\"t\":\"<think>\"}"},
      {ONE, "<|channel|>final<|message|>{\"a\":1}", "{\"a\":1}"},
      {ONE,
       "<|channel|>analysis<|message|>{\"a\":7}?<|end|><|start|>assistant<|channel|>final"
       "<|message|>{\"a\":1}<|return|>",
       "{\"a\":1}"},
      {ONE,
       "<|START_THINKING|>maybe {\"a\":5}<|END_THINKING|><|START_RESPONSE|>{\"a\":1}"
       "<|END_RESPONSE|>",
       "{\"a\":1}"},
      {ONE,
       "<|begin_of_thought|>{\"a\":5}<|end_of_thought|><|begin_of_solution|>{\"a\":1}"
       "<|end_of_solution|>",
       "{\"a\":1}"},
      {ONE, "<THINK>{\"a\":5}</THINK>{\"a\":1}", "{\"a\":1}"},
      {ONE, "<think >{\"a\":5}</think>{\"a\":1}", "{\"a\":1}"},
      {ONE, "<think>{\"a\":5}</thinking>{\"a\":1}", "{\"a\":1}"},
      {ONE, "<analysis>{\"a\":5}</analysis>{\"a\":1}", "{\"a\":1}"},
      {ONE, "<|channel>thought\n{\"a\":5}<channel|>{\"a\":1}<turn|>", "{\"a\":1}"},
      {ONE, "<unused94>thought\n{\"a\":5}<unused95>{\"a\":1}", "{\"a\":1}"},
      {ONE, "Well. <reflection>{\"a\":5}</reflection> {\"a\":1}", "{\"a\":1}"},
      {ONE, "<|channel|>final <|constrain|>json<|message|>{\"a\":1}", "{\"a\":1}"},
      {ONE, "<think>{\"a\":5}</think>\n<think>{\"a\":6}</think>{\"a\":1}<|im_end|>", "{\"a\":1}"},
      {ONE, "analysisMaybe {\"a\":7}.assistantfinal{\"a\":1}", "{\"a\":1}"},
      /* wrapped */
      {LIST, "{\"value\":[1,2]}", "[1,2]"},
      {LIST, "Here: {\"value\":[1,2]}", "[1,2]"},
      {"{\"type\":\"string\"}", "{\"value\":\"x\"}", "\"x\""},
      {OBJECT, "{\"value\":{\"a\":1}}", "{\"value\":{\"a\":1}}"},
      {ONE, "```json\n{\"value\":{\"a\":1}}\n```", "{\"a\":1}"},
      {"{}", "{\"value\":5}", "5"}, /* sent wrapped, and satisfied by the wrapping too */
      {"{\"type\":[\"object\",\"null\"]}", "{\"value\":null}", "null"},
      {"{\"type\":[\"object\",\"null\"]}", "{\"value\":7}", "{\"value\":7}"},
      {"{\"type\":[\"object\",\"null\"]}", "{\"a\":7}", "{\"a\":7}"},
      /* roots that are no containers */
      {"{\"type\":\"integer\"}", "42", "42"},
      {"{\"type\":\"integer\"}", "<think>6 or 7</think>\n42", "42"},
      {"{\"type\":\"integer\"}", "```\n42\n```", "42"},
      {"{\"type\":\"integer\"}", "```json 42```", "42"},
      {"{\"type\":\"integer\"}", "The answer is 42.", "42"},
      {"{\"type\":\"integer\"}", "**42**", "42"},
      {"{\"type\":\"integer\"}", "On 2024-11-28, v1.2: 42, yes 42", "42"},
      {"{\"enum\":[\"good\",\"bad\"]}", "I say \"good\", not \"great\".", "\"good\""},
      {"{\"type\":\"boolean\"}", "Answer: true", "true"},
      {"{\"type\":\"boolean\"}", "`false`", "false"},
      {"true", "x [1] y", "[1]"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    run(&cases[i]);
  }
}

static void test_what_is_no_answer(void **state) {
  static const Case cases[] = {
      {ONE, "", NULL},
      {ONE, "I can't.", NULL},
      {ONE, "{\"a\":\"1\"}", NULL},
      {ONE, "[{\"a\":1},{\"a\":2}]", NULL}, /* one of several */
      {ONE, "{\"a\":1}{\"a\":2}", NULL},
      {ONE, "{\"a\":1}\n{\"a\":2}", NULL},
      {ONE, "A draft: {\"a\":1}. Wait, correction: {\"a\":2}", NULL},
      {ONE, "```json\n{\"a\":1}\n```\nor\n```json\n{\"a\":2}\n```", NULL},
      {LIST, "As [1] says: [1,2]", NULL},
      {LIST, "[1] [3]", NULL},
      {ONE, "{\"a\":1}, {\"a\":", NULL},           /* cut off in the second */
      {ONE, "[{\"a\":1},{\"a\":2},{\"a\":", NULL}, /* the same, cut off */
      {OBJECT, "{\"x\":{\"y\":1},\"z\":[2", NULL}, /* a part */
      {OBJECT, "{\"x\":{\"y\":1},\"z\":oops}", NULL},
      {OBJECT, "{\"x\":{\"y\":1},\"z\":oops,\"w\":{\"v\":1}}", NULL},
      {OBJECT, "[{\"x\":1}", NULL},
      {ONE, "<think>{\"a\":7}</think>", NULL}, /* only thought */
      {ONE, "<think>{\"a\":7} or", NULL},
      {ONE, "maybe {\"a\":7}</think>I can't", NULL},
      {ONE, "x <think>{\"a\":7}</think>", NULL},
      {LIST, "{\"value\":[1],\"b\":2}", NULL},
      {"{\"type\":\"integer\"}", "3 or 4", NULL},
      {"{\"type\":\"integer\"}", "On 2024-11-28, v1.2, 1,000 a4 $5", NULL},
      {"{\"type\":\"boolean\"}", "It is not true.", NULL},
      {"{\"type\":\"integer\"}", "\"42\"", NULL},
      {ONE, "{a:1}", NULL},
      {ONE, "{\"a\":1,,}", NULL},
      {LIST, "[,]", NULL},
      {LIST, "[1 2]", NULL},
      {LIST, "[0x1]", NULL},
      {LIST, "[-]", NULL},
      {LIST, "[.]", NULL},
      {LIST, "[1e]", NULL},
      {LIST, "[nul]", NULL},
      {LIST, "[NaN]", NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    run(&cases[i]);
  }
}

#define RECORDS                                                                                    \
  "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":"            \
  "\"integer\"}},"                                                                                 \
  "\"required\":[\"a\"]}}"
#define NAMES                                                                                      \
  "{\"type\":\"object\",\"properties\":{\"first_name\":{\"type\":\"string\"}},\"required\":["      \
  "\"first_name\"],"                                                                               \
  "\"additionalProperties\":false}"
#define YES_NO "{\"type\":\"string\",\"enum\":[\"yes\",\"no\"]}"

/* Something else around it. */
static void test_what_holds_it(void **state) {
  static const Case cases[] = {
      {ONE, "\"{\\\"a\\\":1}\"", "{\"a\":1}"},
      {ONE, "```json\n\"{\\\"a\\\":1}\"\n```", "{\"a\":1}"},
      {ONE, "\"{\\\"a\\\": 12345678901234567890123}\"", "{\"a\":12345678901234567890123}"},
      {ONE, "\"{'a': 1}\"", "{\"a\":1}"},
      {LIST, "\"[1,2]\"", "[1,2]"},
      {ONE, "[{\"a\":1}]", "{\"a\":1}"},
      {ONE, "Here: [{\"a\":1}].", "{\"a\":1}"},
      {ONE, "{\"name\":\"answer\",\"arguments\":{\"a\":1}}", "{\"a\":1}"},
      {ONE, "{\"arguments\":\"{\\\"a\\\":1}\"}", "{\"a\":1}"},
      {ONE, "{\"name\":\"answer\",\"parameters\":{\"a\":1}}", "{\"a\":1}"},
      {ONE, "<tool_call>\n{\"name\":\"answer\",\"arguments\":{\"a\":1}}\n</tool_call>",
       "{\"a\":1}"},
      {ONE,
       "{\"tool_calls\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
       "\"{\\\"a\\\":1}\"}}]}",
       "{\"a\":1}"},
      {ONE, "[{\"name\":\"f\",\"parameters\":{\"a\":1}}]", "{\"a\":1}"},
      {ONE, "{\"result\":{\"a\":1}}", "{\"a\":1}"},
      {LIST, "{\"answer\":[1]}", "[1]"},
      {ONE, "{\"input\":[{\"a\":1},{\"a\":2}]}", NULL},
      {ONE, "{\"arguments\":{\"a\":1},\"b\":2}", NULL},
      {ONE, "{\"arguments\":{\"a\":1},\"input\":{\"a\":2}}", NULL},
      {ONE, "{\"arguments\":{\"a\":\"1\"}}", NULL},
      {ONE, "\"{\\\"a\\\":1\"", NULL},
      {"{\"type\":\"string\"}", "\"{\\\"a\\\":1}\"", "\"{\\\"a\\\":1}\""},
      {"{\"type\":\"integer\"}", "\"42\"", NULL},
      {"{\"type\":\"integer\"}", "[42]", "42"},
      {LIST, "[[1,2]]", NULL},
      /* a stricter one goes first */
      {OBJECT, "{\"arguments\":{\"a\":1}}", "{\"arguments\":{\"a\":1}}"},
      {ONE, "[{\"a\":1}] or {\"a\":2}", "{\"a\":2}"},
      /* lines */
      {RECORDS, "{\"a\":1}\n{\"a\":2}", "[{\"a\":1},{\"a\":2}]"},
      {RECORDS, "```jsonl\n{\"a\":1}\r\n{\"a\":2}\n```", "[{\"a\":1},{\"a\":2}]"},
      {RECORDS, "<think>x</think>\n{\"a\":1},\n\n{\"a\":2}\n", "[{\"a\":1},{\"a\":2}]"},
      {RECORDS, "{'a':1}\n{'a':2}", "[{\"a\":1},{\"a\":2}]"},
      {RECORDS, "{\"a\":1}", "[{\"a\":1}]"},
      {RECORDS, "{\"a\":1}\n{\"a\":", NULL},
      {RECORDS, "{\"a\":1} {\"a\":2}", NULL},
      {RECORDS, "{\"a\":1}\n{\"b\":2}", NULL},
      {RECORDS, "{\"a\":1}\nand\n{\"a\":2}", NULL},
      /* bare words */
      {YES_NO, "yes", "\"yes\""},
      {YES_NO, "**Yes.**", "\"yes\""},
      {YES_NO, "'no'\n", "\"no\""},
      {YES_NO, "<think>yes</think>\nno", "\"no\""},
      {YES_NO, "yes and no", NULL},
      {YES_NO, "maybe", NULL},
      {YES_NO, "", NULL},
      {"{\"enum\":[\"Yes\",\"yes\"]}", "yes!", "\"yes\""},
      {"{\"enum\":[\"Yes\",\"yes\"]}", "YES", NULL},
      {"{\"enum\":[\"C\",\"C++\"]}", "C++", "\"C++\""},
      {"{\"enum\":[\"C\",\"D\"]}", "C++", "\"C\""},
      {"{\"$ref\":\"#/$defs/w\",\"$defs\":{\"w\":" YES_NO "}}", "no", "\"no\""},
      {"{\"anyOf\":[{\"const\":\"on\"},{\"const\":\"off\"}]}", "off", "\"off\""},
      {"{\"enum\":[\"yes\"],\"maxLength\":1}", "yes", NULL},
      {"{\"type\":\"string\"}", "yes", NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    run(&cases[i]);
  }
}

/* JavaScript's and Python's habits, where nothing else is found. */
static void test_loose(void **state) {
  static const Case cases[] = {
      {ONE, "{'a': 1}", "{\"a\":1}"},
      {OBJECT, "{'a': True, 'b': False, 'c': None, \"d\": \"it's\"}",
       "{\"a\":true,\"b\":false,\"c\":null,\"d\":\"it's\"}"},
      {OBJECT, "{'a': 'it\\'s \"so\"'}", "{\"a\":\"it's \\\"so\\\"\"}"},
      {OBJECT, "So: {'x': {}, 'y': [1, {'z': 2}]} ok?", "{\"x\":{},\"y\":[1,{\"z\":2}]}"},
      {LIST, "{'a': [1]} then [2]", "[2]"},
      {ONE,
       "{\xE2\x80\x9C"
       "a\xE2\x80\x9D: 1}",
       "{\"a\":1}"},
      {TEXT, "{\xE2\x80\x9Et\xE2\x80\x9C: \xE2\x80\x98x \xE2\x80\xA6 \"y\"\xE2\x80\x99}",
       "{\"t\":\"x \xE2\x80\xA6 \\\"y\\\"\"}"},
      {ONE, "{\"a\": 1 // one\n}", "{\"a\":1}"},
      {ONE, "{ // first\n /* then */ \"a\": /**/ 1, /* last */ }", "{\"a\":1}"},
      {ONE, "// the answer\n{\"a\": 1} // done", "{\"a\":1}"},
      {TEXT, "{\"t\": \"http://x /* y */\" /* z */}", "{\"t\":\"http://x /* y */\"}"},
      {ONE, "{\"a\": 1 /* one }", NULL},
      {NAMES, "{\"first\\_name\": \"x\"}", "{\"first_name\":\"x\"}"},
      {TEXT, "{\"t\": \"\\d+ \\' \\x41\\u12 C:\\Users\"}",
       "{\"t\":\"\\\\d+ ' A\\\\u12 C:\\\\Users\"}"},
      {TEXT, "{\"t\": \"\\\xC3\xA9 \\\n\"}", "{\"t\":\"\xC3\xA9 \\n\"}"},
      {"{\"type\":\"boolean\"}", "True", "true"},
      {ONE, "```python\n{'a': 1}\n```", "{\"a\":1}"},
      {ONE, "{'name': 'answer', 'arguments': {'a': 1}}", "{\"a\":1}"},
      {ONE, "{'a': 'b'}", NULL},
      {ONE, "{'a': 1", NULL},
      {ONE, "{'a: 1}", NULL},
      {ONE, "{'a': 7} or {\"a\": 1}", "{\"a\":1}"}, /* the stricter one */
      {OBJECT, "{'x': {\"y\":1}, 'z': oops", NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    run(&cases[i]);
  }
}

static void test_how_it_is_written(void **state) {
  static const Case cases[] = {
      {"{}", "{\"t\":\"a\nb\tc\x01\x7F\"}", "{\"t\":\"a\\nb\\tc\\u0001\x7F\"}"},
      {"{}", "[\f1,\v2\x01]", "[1,2]"},
      {"{}", "[1.e5,01,-007,.5,-.5,+1,1.,0.0,-0,1E+5,1e-05]",
       "[1.0e5,1,-7,0.5,-0.5,1,1.0,0.0,-0,1e5,1e-05]"},
      {"{}", "[12345678901234567890123,0.1000000000000000055511151231257827]",
       "[12345678901234567890123,0.1000000000000000055511151231257827]"},
      {"{}", "[NaN,-Infinity,Infinity]", "[null,null,null]"},
      {"{}", "[\"\\ud83d\",\"\\ude00\",\"\\ud83d\\ude00\",\"\\ud83dx\",\"\\ud83d\\u0041\"]",
       "[\"\xEF\xBF\xBD\",\"\xEF\xBF\xBD\",\"\xF0\x9F\x98\x80\",\"\xEF\xBF\xBDx\",\"\xEF\xBF\xBD"
       "A\"]"},
      {"{}", "[\"\\u0000\\u00e9\\u20AC\\/\\\"\\\\\\b\"]",
       "[\"\xEF\xBF\xBD\xC3\xA9\xE2\x82\xAC/\\\"\\\\\\b\"]"},
      {"{}", "[\"\xFF\xC3\"]", "[\"\xEF\xBF\xBD\xEF\xBF\xBD\"]"},
      {"{}", "{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2,\"a\":3}"},
      {"{}", "{\"a\":1,\"\\u0061\":{\"x\":1,\"x\":2}}", "{\"a\":{\"x\":2}}"},
      {"{}", "[1,{\"a\":1,},]", "[1,{\"a\":1}]"},
      {"{}", "\"x\"", "\"x\""},
      {"{}", "[\"\",{\"\":[]},true,false,null]", "[\"\",{\"\":[]},true,false,null]"},
      {"{}",
       "{\"a\":\xC2\xA0"
       "1}",
       "{\"a\":1}"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    run(&cases[i]);
  }
}

/* A NUL byte: in a string it is U+FFFD, elsewhere a blank. */
static void test_nul_bytes(void **state) {
  static const char text[] = "{\"a\0b\":\0 1}\0\0";
  Err err = {0};
  char *json = NULL;
  size_t n = 0;
  cJSON *schema = tree_of("{}");
  (void)state;
  answer_json(text, sizeof text - 1, schema, &json, &n, &err);
  assert_string_equal(json, "{\"a\xEF\xBF\xBD"
                            "b\":1}");
  free(json);
  cJSON_Delete(schema);
}

static void test_what_is_said(void **state) {
  static const struct {
    const char *schema, *text, *says;
  } cases[] = {
      {ONE, "{\"a\":\"1\"}", "at /a: expected integer"},
      {ONE, "Here [1] it is: {\"a\":\"1\"}", "at /a: expected integer"},
      {ONE, "{\"value\":{\"a\":\"1\"}}", "at /a: expected integer"},
      {ONE, "[1] {\"a\":", "at /: expected object"},
      {ONE, "", "it is empty"},
      {ONE, "I can't.", "not valid JSON"},
      {ONE, "{\"a\":1", "not valid JSON: expected ',' or '}' at byte 7, where it ends"},
      {ONE, "{\"a\" 1}", "not valid JSON: expected ':' at byte 6"},
      {ONE, "Sure: {a:1}", "not valid JSON: expected a name in double quotes at byte 8"},
      {TEXT, "{\"t\":\"abc", "expected the end of a string at byte 10, where it ends"},
      {"{\"type\":\"integer\"}", "3 or 4", "several values"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    char *json = NULL;
    size_t n = 0;
    cJSON *schema = tree_of(cases[i].schema);
    answer_json(cases[i].text, strlen(cases[i].text), schema, &json, &n, &err);
    cJSON_Delete(schema);
    check_error(&err, "schema", cases[i].says, cases[i].text);
  }
}

/* A MiB of what would make a naive search start anew at every byte. */
static void test_hostile_texts_end(void **state) {
  static const char *const parts[] = {
      "[",
      "{\"a\":",
      "[1,",
      "```",
      "```json\n{",
      "[\"",
      "{}",
      "<think>",
      "</think>",
      "<think>{",
      "[[1],",
      "1 ",
      "\"a\" ",
      "a",
      "{\"a\":[",
      "`",
      "[THINK",
      "\"",
      "[{\"a\":1},",
      "<|message|>[",
      "\xE2\x97\x81think",
      "{\"value\":",
      "true\n",
      "[1]",
      "<think>x</thinking>",
      "{'a':",
      "['a',",
      "[/*",
      "[//",
      "\"{\\\"a\\\":",
      "[{\"arguments\":",
      "{\"a\":1}\n",
      "{'a':1}\n",
      "yes",
      "'",
      "\xE2\x80\x9C",
      "[\\",
  };
  const size_t n = (size_t)1 << 20;
  static const char *const schemas[] = {OBJECT, "{\"type\":\"integer\",\"minimum\":5}"};
  char *text = malloc(n + 1);
  (void)state;
  for (size_t i = 0; i < COUNT(parts) * 2; i++) {
    const char *part = parts[i / 2];
    size_t m = strlen(part);
    for (size_t at = 0; at < n; at += m) {
      memcpy(text + at, part, n - at < m ? n - at : m);
    }
    text[n] = 0;
    Err err = {0};
    char *json = NULL;
    size_t json_n = 0;
    cJSON *schema = tree_of(schemas[i % 2]);
    answer_json(text, n, schema, &json, &json_n, &err);
    check(json || err.rc == RC_ERROR, "%s: %s", part, err.msg);
    cJSON_Delete(schema);
    free(json);
  }
  free(text);
}

/* As deep as may be, and one deeper. */
static void test_depth(void **state) {
  (void)state;
  for (int depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
    char text[2 * LIMIT_JSON_DEPTH + 3] = "";
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    run(&(Case){"{\"type\":\"array\"}", text, depth > LIMIT_JSON_DEPTH ? NULL : text});
  }
}

/* An object of many members of one name, and of many names: not quadratic. */
static void test_many_members(void **state) {
  enum { N = 200000 };
  char *text = malloc(N * 16 + 3), *json = NULL;
  size_t at = 0, n = 0;
  Err err = {0};
  cJSON *schema = tree_of(OBJECT);
  (void)state;
  text[at++] = '{';
  for (int i = 0; i < N; i++) {
    at += (size_t)snprintf(text + at, 17, "%s\"%d\":%d", i ? "," : "", i % (N / 2), i);
  }
  text[at++] = '}';
  text[at] = 0;
  answer_json(text, at, schema, &json, &n, &err);
  check(json && strncmp(json, "{\"0\":100000,", 12) == 0, "%s", err.msg);
  free(text);
  free(json);
  cJSON_Delete(schema);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_where_it_is_found),
      cmocka_unit_test(test_what_is_no_answer),
      cmocka_unit_test(test_what_holds_it),
      cmocka_unit_test(test_loose),
      cmocka_unit_test(test_how_it_is_written),
      cmocka_unit_test(test_nul_bytes),
      cmocka_unit_test(test_what_is_said),
      cmocka_unit_test(test_hostile_texts_end),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_many_members),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
