/*
** The registry of billed units: words, containment, overlaps.
*/
#include "unit.h"

#include "core/usage/unit.h"

static void test_words(void **state) {
  (void)state;
  for (Unit u = 0; u < UNIT_COUNT; u++) {
    check(unit_parse(unit_word(u)) == u, "%s", unit_word(u));
    check(unit_is_input(u) + unit_is_output(u) <= 1, "%s", unit_word(u));
  }
  assert_int_equal(unit_parse("tokens"), UNIT_COUNT);
  assert_int_equal(unit_parse("Input"), UNIT_COUNT);
  assert_int_equal(unit_parse(""), UNIT_COUNT);
  assert_string_equal(unit_word(UNIT_CACHE_READ_AUDIO), "cache_read_audio");
  assert_true(unit_is_input(UNIT_CACHE_WRITE_1H) && unit_is_output(UNIT_REASONING));
  assert_true(!unit_is_input(UNIT_WEB_SEARCH) && !unit_is_output(UNIT_WEB_SEARCH));
}

static void test_containment(void **state) {
  static const struct {
    Unit outer, inner;
    int contains;
  } cases[] = {
      {UNIT_INPUT, UNIT_CACHE_READ, 1},
      {UNIT_INPUT, UNIT_CACHE_WRITE_1H_AUDIO, 1},
      {UNIT_CACHE_WRITE, UNIT_CACHE_WRITE_5M, 1},
      {UNIT_CACHE_WRITE, UNIT_CACHE_READ, 0},
      {UNIT_INPUT_AUDIO, UNIT_CACHE_READ_AUDIO, 1},
      {UNIT_INPUT_AUDIO, UNIT_CACHE_READ, 0},
      {UNIT_INPUT, UNIT_OUTPUT, 0},
      {UNIT_OUTPUT, UNIT_REASONING_TEXT, 1},
      {UNIT_CACHE_READ, UNIT_INPUT, 0},
      {UNIT_PAGE, UNIT_ANNOTATED_PAGE, 1},
      {UNIT_REQUEST, UNIT_WEB_SEARCH, 0},
      {UNIT_WEB_SEARCH, UNIT_GROUNDING, 0},
      {UNIT_INPUT, UNIT_ROUTED, 0},
      {UNIT_INPUT, UNIT_INPUT, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    int below = (unit_below(cases[i].outer) & UNIT_BIT(cases[i].inner)) != 0;
    int above = (unit_above(cases[i].inner) & UNIT_BIT(cases[i].outer)) != 0;
    check(below == cases[i].contains && above == below, "%s, %s", unit_word(cases[i].outer),
          unit_word(cases[i].inner));
  }
}

static void test_joins(void **state) {
  (void)state;
  assert_int_equal(unit_join(UNIT_INPUT_AUDIO, UNIT_CACHE_READ), UNIT_CACHE_READ_AUDIO);
  assert_int_equal(unit_join(UNIT_CACHE_READ, UNIT_INPUT_AUDIO), UNIT_CACHE_READ_AUDIO);
  assert_int_equal(unit_join(UNIT_CACHE_WRITE_AUDIO, UNIT_CACHE_WRITE_1H),
                   UNIT_CACHE_WRITE_1H_AUDIO);
  assert_int_equal(unit_join(UNIT_CACHE_READ, UNIT_CACHE_WRITE), UNIT_COUNT);
  assert_int_equal(unit_join(UNIT_INPUT_AUDIO, UNIT_INPUT_IMAGE), UNIT_COUNT);
  assert_int_equal(unit_join(UNIT_INPUT, UNIT_CACHE_READ), UNIT_COUNT); /* one contains the other */
  assert_int_equal(unit_join(UNIT_INPUT_AUDIO, UNIT_REASONING), UNIT_COUNT);
  assert_int_equal(unit_join(UNIT_REQUEST, UNIT_WEB_SEARCH), UNIT_COUNT);
}

/* Every unit once, and none after one that contains it. */
static void test_order(void **state) {
  const Unit *order = unit_inside_out();
  UnitSet seen = 0;
  (void)state;
  for (int i = 0; i < UNIT_COUNT; i++) {
    check(!(seen & UNIT_BIT(order[i])), "%s twice", unit_word(order[i]));
    check(!(seen & unit_above(order[i])), "%s too late", unit_word(order[i]));
    seen |= UNIT_BIT(order[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_words),
      cmocka_unit_test(test_containment),
      cmocka_unit_test(test_joins),
      cmocka_unit_test(test_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
