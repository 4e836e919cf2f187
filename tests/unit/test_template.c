/*
** Prompts with the names of columns, and rows as JSON.
*/
#include "unit.h"

#include "core/prompt/fields.h"
#include "core/prompt/template.h"

#include <math.h>
#include <stdio.h>

enum { MOST_COLUMNS = 6 };

typedef struct Rendering {
  const char *template, *names[MOST_COLUMNS], *values[MOST_COLUMNS], *expected;
} Rendering;

static int count(const char *const *names) {
  int n = 0;
  while (n < MOST_COLUMNS && names[n]) {
    n++;
  }
  return n;
}

static void check_rendering(const Rendering *c) {
  Err err = {0};
  Buf out;
  TemplateValue values[MOST_COLUMNS] = {{NULL, 0}};
  buf_init(&out, 10000);
  int n = count(c->names);
  Template *t = template_parse(c->template, strlen(c->template), c->names, n, &err);
  check(t, "%s: %s", c->template, err.msg);
  for (int i = 0; i < n; i++) {
    values[i] = (TemplateValue){c->values[i], c->values[i] ? strlen(c->values[i]) : 0};
  }
  for (int twice = 0; twice < 2; twice++) {
    buf_clear(&out);
    assert_int_equal(template_render(t, values, &out), RC_OK);
    check(strcmp(out.data ? out.data : "", c->expected) == 0, "%s: '%s'", c->template, out.data);
  }
  buf_free(&out);
  template_free(t);
}

static void test_renderings(void **state) {
  (void)state;
  static const Rendering cases[] = {
      {"Classify {title}: {body}", {"title", "body"}, {"A", "B"}, "Classify A: B"},
      /* Its own JSON, and values that look like names or braces. */
      {"Return {{\"n\":\"{title}\"}} for {title}",
       {"title", "body", "x"},
       {"a {body} {{x}} } {", "B", "X"},
       "Return {\"n\":\"a {body} {{x}} } {\"} for a {body} {{x}} } {"},
      {"{a}{b}{a}", {"a", "b"}, {"{b}", "{a}"}, "{b}{a}{b}"},
      {"{{{a}}}", {"a"}, {"1"}, "{1}"},
      {"{{a}} {{{{}}}}", {"a"}, {"1"}, "{a} {{}}"},
      {"{first name} {\"quoted\"} {it's} { x }",
       {"first name", "\"quoted\"", "it's", " x "},
       {"1", "2", "3", "4"},
       "1 2 3 4"},
      {"{TITLE} {Title}", {"title"}, {"x"}, "x x"},
      {"{ID} {id}", {"id", "ID"}, {"small", "large"}, "large small"},
      {"{größe}", {"größe"}, {"7"}, "7"},
      {"{count(*)} {a\nb} {a:b} {0}",
       {"count(*)", "a\nb", "a:b", "0"},
       {"1", "2", "3", "4"},
       "1 2 3 4"},
      {"{a}{b}", {"a", "b"}, {NULL, ""}, ""},
      {"no column", {"a"}, {"x"}, "no column"},
      {"", {"a"}, {"x"}, ""},
      {"$1 %s \\n {a}", {"a"}, {"%d\\0"}, "$1 %s \\n %d\\0"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_rendering(&cases[i]);
  }
}

static void test_errors(void **state) {
  (void)state;
  static const struct {
    const char *template, *names[MOST_COLUMNS], *say;
  } cases[] = {
      {"{titel}",
       {"title", "body"},
       "there is no column 'titel'; the columns are: {title} {body}; write {{ and }} for a brace"},
      {"{\"n\": \"{title}\"}", {"title"}, "a brace stands alone at '{\"n\": \"'"},
      {"{\"n\": 1}", {"title"}, "there is no column '\"n\": 1'"},
      {"a } b", {"title"}, "a brace stands alone at '} b'"},
      {"a {title", {"title"}, "a brace stands alone at '{title'"},
      {"a {", {"title"}, "a brace stands alone at '{'"},
      {"{{{title}}", {"title"}, "a brace stands alone at '}'"},
      {"{}", {"title"}, "there is no name in '{}'"},
      {"{ title }", {"title"}, "there is no column ' title '"},
      {"{Id}", {"id", "ID"}, "more than one column has the name 'Id'"},
      {"{id}", {"id", "id"}, "more than one column has the name 'id'"},
      {"{GRÖSSE}", {"grösse"}, "there is no column 'GRÖSSE'"},
      {"{x}", {NULL}, "there is no column 'x'"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    const char *text = cases[i].template;
    Template *t = template_parse(text, strlen(text), cases[i].names, count(cases[i].names), &err);
    check(!t, "%s", text);
    check_error(&err, "bad_option", cases[i].say, text);
    check_error(&err, "bad_option", "write {{ and }} for a brace", text);
  }
}

/* Two thousand columns, names of any length, templates of any bytes. */
static void test_bounds(void **state) {
  (void)state;
  enum { MANY = 2000 };
  static char names[MANY][30], large[100000];
  static const char *list[MANY];
  Err err = {0};
  for (int i = 0; i < MANY; i++) {
    snprintf(names[i], sizeof names[i], "column_ö_%d", i);
    list[i] = names[i];
  }
  memset(large, 'n', sizeof large);
  large[0] = '{';
  large[sizeof large - 1] = '}';
  assert_null(template_parse(large, sizeof large, list, MANY, &err));
  check_error(&err, "bad_option", "{column_ö_0} {column_ö_1}", "a long name");
  check_error(&err, "bad_option", " more; write {{ and }} for a brace", "a long name");
  err = (Err){0};
  assert_null(template_parse("{a\0b}", 5, list, MANY, &err));
  check_error(&err, "bad_option", "there is no column", "a NUL");
  err = (Err){0};
  assert_null(template_parse("{\xff}", 3, list, MANY, &err));
  check_error(&err, "bad_option", "there is no column", "no UTF-8");
  err = (Err){0};
  Template *t = template_parse("a\0{column_ö_1999}", strlen("a.{column_ö_1999}"), list, MANY, &err);
  assert_non_null(t);
  assert_true(template_uses(t, 1999) && !template_uses(t, 0) && !template_uses(t, -1));
  static TemplateValue values[MANY];
  values[1999] = (TemplateValue){"\0{", 2};
  Buf out;
  buf_init(&out, 4);
  assert_int_equal(template_render(t, values, &out), RC_OK);
  assert_memory_equal(out.data, "a\0\0{", 4);
  assert_int_equal(template_render(t, values, &out), RC_TOOBIG);
  buf_free(&out);
  template_free(t);
}

static const char *const names[] = {"product", "größe \"x\"", "n", "price", "none"};

static void test_fields(void **state) {
  (void)state;
  const Field row[] = {{.type = FIELD_TEXT, .text = "a\"b\\c\n\t\x01/\x7f é\0z", .n = 15},
                       {.type = FIELD_TEXT, .text = "", .n = 0},
                       {.type = FIELD_INTEGER, .integer = 9007199254740993},
                       {.type = FIELD_REAL, .real = 2},
                       {.type = FIELD_NULL}};
  const int order[] = {4, 0, 3, 2, 1};
  Err err = {0};
  Buf out;
  buf_init(&out, 1000);
  assert_int_equal(fields_check(names, 5, &err), RC_OK);
  assert_int_equal(fields_render(names, row, NULL, 5, &out, &err), RC_OK);
  assert_string_equal(
      out.data, "{\"product\":\"a\\\"b\\\\c\\n\\t\\u0001/\x7f é\\u0000z\",\"größe \\\"x\\\"\":\"\","
                "\"n\":9007199254740993,\"price\":2.0,\"none\":null}");
  cJSON_Delete(tree_of(out.data));
  buf_clear(&out);
  assert_int_equal(fields_render(names, row, order, 5, &out, &err), RC_OK);
  assert_true(strncmp(out.data, "{\"none\":null,\"product\":", 23) == 0);
  buf_clear(&out);
  assert_int_equal(fields_render(names, row, order, 0, &out, &err), RC_OK);
  assert_string_equal(out.data, "{}");
  buf_free(&out);
}

static void test_reals(void **state) {
  (void)state;
  static const double reals[] = {0,
                                 -0.0,
                                 0.1,
                                 1.0 / 3,
                                 1e21,
                                 1.5e300,
                                 5e-324,
                                 123456789012345680.0,
                                 9223372036854775808.0,
                                 -9223372036854775808.0,
                                 18446744073709551616.0,
                                 1e15,
                                 INFINITY,
                                 -INFINITY};
  static const char *const one[] = {"r"};
  for (size_t i = 0; i < COUNT(reals); i++) {
    const Field row = {.type = FIELD_REAL, .real = reals[i]};
    Err err = {0};
    Buf out;
    buf_init(&out, 100);
    assert_int_equal(fields_render(one, &row, NULL, 1, &out, &err), RC_OK);
    check(strtod(out.data + 5, NULL) == reals[i] && strpbrk(out.data + 5, ".e"), "%s", out.data);
    cJSON_Delete(tree_of(out.data));
    buf_free(&out);
  }
}

static void test_bad_fields(void **state) {
  (void)state;
  static const struct {
    Field field;
    size_t max;
    const char *code, *say;
  } cases[] = {
      {{.type = FIELD_BLOB, .text = "abc", .n = 3},
       100,
       "bad_prompt",
       "column 'product' holds a blob"},
      {{.type = FIELD_TEXT, .text = "ab\xff", .n = 3},
       100,
       "bad_utf8",
       "column 'product' is not valid UTF-8 (byte 2)"},
      {{.type = FIELD_TEXT, .text = "0123456789", .n = 10}, 20, "too_big", "over 20 bytes"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    Buf out;
    buf_init(&out, cases[i].max);
    fields_render(names, &cases[i].field, NULL, 1, &out, &err);
    check_error(&err, cases[i].code, cases[i].say, cases[i].say);
    assert_int_equal(out.n, 0);
    buf_free(&out);
  }
  Err err = {0};
  static const char *const twice[] = {"a", "b", "a"}, *const broken[] = {"a", "\xc3"};
  fields_check(twice, 3, &err);
  check_error(&err, "bad_option", "columns 1 and 3 are both named 'a'", "twice");
  err = (Err){0};
  fields_check(broken, 2, &err);
  check_error(&err, "bad_option", "the name of column 2", "broken");
}

static void test_order(void **state) {
  (void)state;
  static const double repeated[] = {5, 0, 70, 5, 1e18, 0};
  int order[6];
  fields_order(repeated, 6, order);
  assert_memory_equal(order, ((int[]){4, 2, 0, 3, 1, 5}), sizeof order);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_renderings), cmocka_unit_test(test_errors),
      cmocka_unit_test(test_bounds),     cmocka_unit_test(test_fields),
      cmocka_unit_test(test_reals),      cmocka_unit_test(test_bad_fields),
      cmocka_unit_test(test_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
