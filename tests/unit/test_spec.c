/*
** Options as data (base/text/spec.h): every type from JSON and from text, what a message says, what
** is not given.
*/
#include "unit.h"

#include "base/text/spec.h"

#include <math.h>

#define COLOURS(X) X(RED, "red") X(GREEN, "green") X(BLUE, "blue")
typedef enum Colour { COLOURS(SPEC_AS_ID) } Colour;

enum { MAKE = 1, CHANGE = 2 };

typedef struct Things {
  const char *text;
  char *owned;
  char chars[8];
  long long count, ttl, at;
  int dim;
  double cosine, share;
  int on, colour, has_shade;
  unsigned colours;
  const cJSON *object;
} Things;

static int is_shade(const char *name) {
  return strncmp(name, "shade_", 6) == 0;
}

static int take_shade(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  Things *t = to;
  (void)s;
  t->has_shade += v->number > 0;
  return v->number > 0 ? RC_OK : spec_bad(table, v->name, "a shade", err);
}

#define INTO(type, member) SPEC_INTO(Things, type, member)

static const Spec specs[] = {
    {"text", INTO(TEXT, text), .of = MAKE},
    {"owned", INTO(OWNED, owned), .of = MAKE, .null_is_none = 1},
    {"chars", INTO(CHARS, chars), .of = MAKE, .initial = "static"},
    {"count", INTO(INTEGER, count), .of = MAKE | CHANGE, .min = 1, .max = 10},
    {"dim", INTO(INTEGER, dim), .of = MAKE, .min = 1, .max = (double)LIMIT_COUNT, .initial = "0"},
    {"cosine", INTO(NUMBER, cosine), .of = MAKE, .min = -1, .max = 1, .what = "a cosine"},
    {"share", INTO(SHARE, share), .of = MAKE, .null_is_none = 1},
    {"on", INTO(SWITCH, on), .of = MAKE, .initial = "on"},
    {"colour", INTO(WORD, colour), .of = MAKE, .words = SPEC_WORDS(COLOURS), .initial = "green"},
    {"colours", INTO(SET, colours), .of = MAKE, .words = SPEC_WORDS(COLOURS)},
    {"ttl", INTO(DURATION, ttl), .of = MAKE | CHANGE, .initial = "15m"},
    {"at", INTO(TIME, at), .of = MAKE},
    {"object", INTO(OBJECT, object), .of = MAKE},
    {"shade_1 and the others", SPEC_OTHER, .of = MAKE, .means = is_shade, .take = take_shade},
};
static const SpecTable table = {"option", ERR_BAD_OPTION, "on", NULL, specs, COUNT(specs)};

static int read(const char *json, unsigned of, Things *t, Err *err) {
  cJSON *tree = tree_of(json);
  spec_read(&table, of, tree, t, err);
  t->text = NULL; /* it belonged to the tree */
  t->object = NULL;
  cJSON_Delete(tree);
  return err->rc;
}

static Things nothing(void) {
  Things t = {0};
  spec_init(&table, &t);
  return t;
}

static void check_nothing(const Things *t, const char *name) {
  check(!t->text && !t->owned && !t->object && !t->has_shade, "%s", name);
  check(strcmp(t->chars, "static") == 0 && t->dim == 0 && t->on == 1, "%s", name);
  check(t->count == SPEC_UNSET && t->at == SPEC_NO_TIME && t->ttl == 900000, "%s", name);
  check(isnan(t->cosine) && isnan(t->share) && t->colour == GREEN, "%s", name);
  check(t->colours == 0, "%s", name);
}

static void test_what_nobody_gave(void **state) {
  static const char *const cases[] = {"{}", "{\"text\":null,\"count\":null,\"colour\":null}"};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Things t = nothing();
    Err err = {0};
    check(read(cases[i], 0, &t, &err) == RC_OK, "%s", err.msg);
    check_nothing(&t, cases[i]);
  }
}

static void test_every_type_from_json(void **state) {
  cJSON *tree =
      tree_of("{\"text\":\"\",\"owned\":\"mine\",\"chars\":\"seven..\",\"count\":10,"
              "\"dim\":16384,\"cosine\":-1,\"share\":0.5,\"on\":false,\"colour\":\"blue\","
              "\"colours\":[\"red\",\"blue\",\"red\"],"
              "\"ttl\":0.5,\"at\":\"1970-01-02\",\"object\":{},\"shade_7\":1}");
  Things t = nothing();
  Err err = {0};
  (void)state;
  check(spec_read(&table, 0, tree, &t, &err) == RC_OK, "%s", err.msg);
  assert_string_equal(t.text, "");
  assert_string_equal(t.owned, "mine");
  assert_string_equal(t.chars, "seven..");
  assert_true(t.count == 10 && t.dim == 16384 && t.cosine == -1 && t.share == 0.5);
  assert_true(t.on == 0 && t.colour == BLUE && t.ttl == 500 && t.at == 86400000);
  assert_true(t.colours == (1u << RED | 1u << BLUE));
  assert_true(cJSON_IsObject(t.object) && t.has_shade == 1);
  spec_free(&table, &t);
  assert_null(t.owned);
  cJSON_Delete(tree);
}

static void test_every_type_from_text(void **state) {
  static const char *const cases[][2] = {
      {"text", "a"},   {"owned", "b"},    {"chars", "c"},          {"count", "3"},
      {"dim", "256"},  {"share", ".1"},   {"on", "off"},           {"cosine", "-0.25"},
      {"ttl", "1.5h"}, {"colour", "red"}, {"at", "1751328000000"}, {"colours", "blue"}};
  Things t = nothing();
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    const Spec *s = spec_find(&table, 0, cases[i][0], strlen(cases[i][0]), &err);
    SpecValue v = spec_value_text(cases[i][0], cases[i][1]);
    check(s && spec_set(&table, s, &v, &t, &err) == RC_OK, "%s: %s", cases[i][0], err.msg);
  }
  assert_string_equal(t.text, "a");
  assert_string_equal(t.owned, "b");
  assert_string_equal(t.chars, "c");
  assert_true(t.count == 3 && t.dim == 256 && t.cosine == -0.25 && t.share == 0.1);
  assert_true(t.on == 0 && t.colour == RED && t.ttl == 5400000 && t.at == 1751328000000);
  assert_true(t.colours == 1u << BLUE);
  spec_free(&table, &t);
}

static void test_what_is_refused_stays_out(void **state) {
  static const char *const cases[][2] = {
      {"{\"text\":1}", "option 'text': expected text"},
      {"{\"owned\":[]}", "option 'owned': expected text, or NULL"},
      {"{\"chars\":\"\"}", "option 'chars': expected a word"},
      {"{\"chars\":\"eight...\"}", "option 'chars': expected a word"},
      {"{\"count\":0}", "option 'count': expected an integer from 1 to 10"},
      {"{\"count\":11}", "from 1 to 10"},
      {"{\"count\":1.5}", "from 1 to 10"},
      {"{\"count\":\"1\"}", "from 1 to 10"},
      {"{\"count\":1e300}", "from 1 to 10"},
      {"{\"dim\":0}", "option 'dim': expected an integer from 1"},
      {"{\"dim\":1e16}", "expected an integer from 1"},
      {"{\"cosine\":1.01}", "option 'cosine': expected a cosine from -1 to 1"},
      {"{\"cosine\":true}", "'cosine'"},
      {"{\"share\":0}",
       "option 'share': expected a share above 0 and below 1, such as 0.01, or NULL"},
      {"{\"share\":1}", "'share'"},
      {"{\"on\":2}", "option 'on': expected true or false"},
      {"{\"on\":\"on\"}", "expected true or false"},
      {"{\"colour\":\"Red\"}", "option 'colour': expected 'red', 'green' or 'blue'"},
      {"{\"colour\":0}", "'red', 'green' or 'blue'"},
      {"{\"colours\":[]}", "'colours': expected 'red', 'green' or 'blue', or an array of these"},
      {"{\"colours\":[\"red\",\"Red\"]}", "'colours'"},
      {"{\"colours\":[[\"red\"]]}", "'colours'"},
      {"{\"colours\":{\"red\":1}}", "'colours'"},
      {"{\"colours\":\"\"}", "'colours'"},
      {"{\"ttl\":0}", "option 'ttl': expected seconds above 0, or a duration such as '90s'"},
      {"{\"ttl\":\"-1s\"}", "'ttl'"},
      {"{\"ttl\":1e13}", "'ttl'"},
      {"{\"at\":1751328000}", "(not seconds)"},
      {"{\"at\":\"yesterday\"}", "option 'at': expected 'YYYY-MM-DD"},
      {"{\"at\":true}", "'at'"},
      {"{\"at\":1e300}", "'at'"},
      {"{\"object\":[]}", "option 'object': expected an object"},
      {"{\"shade_2\":0}", "option 'shade_2': expected a shade"},
      {"{\"shade\":1}", "unknown option 'shade': did you mean 'share'? (valid: text, owned, chars, "
                        "count, dim, cosine, share,"
                        " on, colour, colours, ttl, at, object, shade_1 and the others)"},
      {"{\"tex\":1}", "unknown option 'tex'"},
      {"{\"textt\":null}", "unknown option 'textt'"},
      {"{\"\":1}", "unknown option ''"},
      {"[]", "the options must be one JSON object, such as '{\"on\":\"...\"}'"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Things t = nothing();
    Err err = {0};
    read(cases[i][0], 0, &t, &err);
    check_error(&err, "bad_option", cases[i][1], cases[i][0]);
    check_nothing(&t, cases[i][0]);
  }
}

static void test_texts_that_are_no_numbers(void **state) {
  static const char *const cases[][2] = {
      {"count", ""},  {"count", "3 "}, {"count", "nan"}, {"count", "inf"}, {"cosine", "nan"},
      {"share", "x"}, {"on", "true"},  {"dim", "1e99"},  {"ttl", "1h30m"}, {"at", ""}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Things t = nothing();
    Err err = {0};
    const Spec *s = spec_find(&table, 0, cases[i][0], strlen(cases[i][0]), &err);
    SpecValue v = spec_value_text(cases[i][0], cases[i][1]);
    spec_set(&table, s, &v, &t, &err);
    check_error(&err, "bad_option", cases[i][0], cases[i][1]);
    check_nothing(&t, cases[i][1]);
  }
}

static void test_each_function_knows_its_own(void **state) {
  Things t = nothing();
  Err err = {0}, other = {0};
  (void)state;
  assert_int_equal(read("{\"count\":2,\"ttl\":\"1s\"}", CHANGE, &t, &err), RC_OK);
  assert_true(t.count == 2 && t.ttl == 1000);
  read("{\"dim\":2}", CHANGE, &t, &other);
  check_error(&other, "bad_option", "unknown option 'dim' (valid: count, ttl)", "dim");
}

static void test_back_to_nothing(void **state) {
  SpecValue none = {.name = "x", .number = (double)NAN, .is_null = 1};
  Things t = nothing();
  Err err = {0}, refused = {0};
  (void)state;
  assert_int_equal(read("{\"owned\":\"mine\",\"share\":0.5,\"ttl\":9,\"dim\":4}", 0, &t, &err),
                   RC_OK);
  const Spec *owned = spec_find(&table, 0, "owned", 5, &err);
  const Spec *share = spec_find(&table, 0, "share=", 5, &err);
  const Spec *dim = spec_find(&table, 0, "dim", 3, &err);
  assert_int_equal(spec_set(&table, owned, &none, &t, &err), RC_OK);
  assert_int_equal(spec_set(&table, share, &none, &t, &err), RC_OK);
  assert_true(!t.owned && isnan(t.share));
  spec_set(&table, dim, &none, &t, &refused);
  check_error(&refused, "bad_option", "an integer from 1", "NULL where it is none");
  spec_reset(dim, &t);
  spec_reset(spec_find(&table, 0, "ttl", 3, &err), &t);
  check_nothing(&t, "reset");
  SpecValue empty = spec_value_text("owned", "");
  assert_int_equal(spec_set(&table, owned, &empty, &t, &err), RC_OK);
  assert_null(t.owned);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_nobody_gave),
      cmocka_unit_test(test_every_type_from_json),
      cmocka_unit_test(test_every_type_from_text),
      cmocka_unit_test(test_what_is_refused_stays_out),
      cmocka_unit_test(test_texts_that_are_no_numbers),
      cmocka_unit_test(test_each_function_knows_its_own),
      cmocka_unit_test(test_back_to_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
