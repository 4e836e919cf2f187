/*
** The token estimate: its stated rule, and that it is sane on any bytes.
*/
#include "unit.h"

#include "core/tokens.h"

static void test_the_rule(void **state) {
  static const struct {
    const char *name, *text;
    long long tokens;
  } cases[] = {
      {"empty", "", 0},
      {"a letter", "a", 1},
      {"six letters", "answer", 1},
      {"twelve letters", "abcdefghijkl", 2},
      {"eighteen letters", "abcdefghijklmnopqr", 3},
      {"words", "the quick brown fox", 4},
      {"one blank is none", " ", 0},
      {"two blanks", "  ", 1},
      {"indentation", "a\n    b", 4},
      {"three digits", "123", 1},
      {"four digits", "1234", 2},
      {"nine digits", "123456789", 3},
      {"digits and letters", "a1", 2},
      {"a mark", ".", 1},
      {"different marks", "(){}", 4},
      {"four of a mark", "====", 1},
      {"five of a mark", "=====", 2},
      {"a sentence", "Yes, it is.", 5},
      {"two letters of an alphabet", "\xD0\xB4\xD0\xB0", 1},
      {"six letters of an alphabet", "\xD0\xBC\xD0\xB0\xD1\x88\xD0\xB8\xD0\xBD\xD0\xB0", 3},
      {"ideographs", "\xE4\xB8\xAD\xE6\x96\x87", 2},
      {"kana", "\xE3\x81\x82\xE3\x81\x84\xE3\x81\x86", 3},
      {"emoji", "\xF0\x9F\x98\x80", 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long tokens = tokens_estimate(cases[i].text, strlen(cases[i].text));
    check(tokens == cases[i].tokens, "%s: %lld", cases[i].name, tokens);
  }
}

/* Appending a word or a line never makes a text cheaper, and a text costs no more than its
** bytes. */
static void test_longer_costs_no_less(void **state) {
  static const char *const pieces[] = {
      "word ", "42", ".", "\n", "  ", "\xC3\xA9", "\xE4\xB8\xAD", "Long", "\xF0\x9F\x98\x80"};
  char text[4096];
  size_t n = 0;
  long long before = 0;
  unsigned seed = 7;
  (void)state;
  for (int i = 0; i < 600; i++) {
    seed = seed * 1103515245u + 12345u;
    const char *piece = pieces[(seed >> 16) % COUNT(pieces)];
    memcpy(text + n, piece, strlen(piece));
    n += strlen(piece);
    long long tokens = tokens_estimate(text, n);
    check(tokens >= before && tokens <= (long long)n, "piece %d: %lld after %lld", i, tokens,
          before);
    before = tokens;
  }
}

/* Between two and eight bytes a token on English prose: the range of real tokenizers with room
** to spare. */
static void test_prose(void **state) {
  static const char prose[] =
      "Most cost blowups are not caused by one bad model choice. They come from the interaction "
      "between model pricing, prompt growth, retries, context inflation, and weak operational "
      "controls. A prototype that looks harmless at $200 per day can become a $2,000 per day "
      "production problem once usage grows, chats lengthen, and prompts absorb every edge case.";
  long long tokens = tokens_estimate(prose, sizeof prose - 1);
  (void)state;
  assert_in_range(tokens, (sizeof prose - 1) / 8, (sizeof prose - 1) / 2);
}

static void test_large_and_odd_inputs(void **state) {
  size_t n = 1 << 20;
  char *text = malloc(n);
  (void)state;
  memset(text, 'a', n);
  assert_in_range(tokens_estimate(text, n), n / 8, n);
  memset(text, ' ', n);
  assert_int_equal(tokens_estimate(text, n), 1);
  memset(text, 0xFF, n); /* not UTF-8 */
  assert_in_range(tokens_estimate(text, n), 1, n);
  memset(text, 0, n);
  assert_in_range(tokens_estimate(text, n), 1, n);
  free(text);
  for (size_t cut = 0; cut <= 4; cut++) {
    char *exact = malloc(cut + (cut == 0)); /* a character cut in two, nothing behind it */
    memcpy(exact, "\xF0\x9F\x98\x80", cut);
    assert_in_range(tokens_estimate(exact, cut), cut > 0, 4);
    free(exact);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_rule),
      cmocka_unit_test(test_longer_costs_no_less),
      cmocka_unit_test(test_prose),
      cmocka_unit_test(test_large_and_odd_inputs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
