/*
** Two texts line by line.
*/
#include "unit.h"

#include "core/audit/diff.h"

#include <stdio.h>

/* The lines with their marks, in one text. */
static void shown(const char *first, const char *second, char *out, size_t size) {
  DiffLine *lines = NULL;
  long long n = diff_lines(first, second, &lines);
  size_t at = 0;
  check(n >= 0, "%s", first);
  out[0] = 0;
  for (long long i = 0; i < n; i++) {
    at += (size_t)snprintf(out + at, size - at, "%c%.*s|", lines[i].op, (int)lines[i].n,
                           lines[i].text);
  }
  free(lines);
}

static void test_lines(void **state) {
  (void)state;
  static const struct {
    const char *first, *second, *shown;
  } cases[] = {
      {"", "", ""},
      {"a", "a", " a|"},
      {"a\n", "a", " a|"},
      {"", "a\nb\n", "+a|+b|"},
      {"a\nb", "", "-a|-b|"},
      {"a\nb\nc", "a\nx\nc", " a|-b|+x| c|"},
      {"a\nb\nc\nd", "b\nd\ne", "-a| b|-c| d|+e|"},
      {"a\n\nb", "a\nb", " a|-| b|"},
      {"a\na\na", "a\na", " a| a|-a|"},
      {"x\na\nb\ny", "z\na\nb\nw", "-x|+z| a| b|-y|+w|"},
      {"\xC3\xA4\nb", "\xC3\xB6\nb", "-\xC3\xA4|+\xC3\xB6| b|"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char out[200];
    shown(cases[i].first, cases[i].second, out, sizeof out);
    check(strcmp(out, cases[i].shown) == 0, "case %zu: '%s', expected '%s'", i, out,
          cases[i].shown);
  }
}

static void test_numbers(void **state) {
  (void)state;
  DiffLine *lines = NULL;
  assert_int_equal(diff_lines("a\nb\nc", "a\nx\nc", &lines), 4);
  static const long long numbers[4][2] = {{1, 1}, {2, 0}, {0, 2}, {3, 3}};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(lines[i].first, numbers[i][0]);
    assert_int_equal(lines[i].second, numbers[i][1]);
  }
  free(lines);
}

/* Whatever is compared: the lines of each text are all there, in their order, and the numbers say which. */
static void check_sound(const char *first, const char *second) {
  DiffLine *lines = NULL;
  long long n = diff_lines(first, second, &lines), at[2] = {0, 0};
  for (long long i = 0; i < n; i++) {
    const DiffLine *l = &lines[i];
    const long long numbers[] = {l->first, l->second};
    check((l->op == ' ') == (l->first && l->second), "%s | %s", first, second);
    for (int k = 0; k < 2; k++) {
      check(numbers[k] == 0 || numbers[k] == ++at[k], "%s | %s", first, second);
      const char *text = k ? second : first;
      for (long long skip = 1; skip < numbers[k]; skip++) {
        text = strchr(text, '\n') + 1;
      }
      check(numbers[k] == 0 || strncmp(text, l->text, l->n) == 0, "%s | %s", first, second);
    }
  }
  free(lines);
}

static void test_any(void **state) {
  (void)state;
  unsigned seed = 7;
  for (int round = 0; round < 3000; round++) {
    char texts[2][64];
    for (int k = 0; k < 2; k++) {
      size_t n = 0;
      for (unsigned lines = (seed = seed * 1103515245u + 12345u) >> 16 & 15; lines > 0; lines--) {
        seed = seed * 1103515245u + 12345u;
        texts[k][n++] = (char)('a' + (seed >> 16) % 3);
        texts[k][n++] = '\n';
      }
      texts[k][n] = 0;
    }
    check_sound(texts[0], texts[1]);
  }
}

/* More pairs than are compared: all gone, all new, between what is the same. */
static void test_large(void **state) {
  (void)state;
  enum { LINES = 5000, WIDTH = 8 };
  char *texts[2];
  for (int k = 0; k < 2; k++) {
    texts[k] = malloc((size_t)LINES * WIDTH + 1);
    assert_non_null(texts[k]);
    for (int i = 0; i < LINES; i++) {
      int is_edge = i == 0 || i == LINES - 1;
      snprintf(texts[k] + (size_t)i * WIDTH, WIDTH + 1, "%c%06u\n",
               is_edge ? 's'
               : k     ? 'b'
                       : 'a',
               (unsigned)i % 1000000);
    }
  }
  DiffLine *lines = NULL;
  assert_int_equal(diff_lines(texts[0], texts[1], &lines), 2 * LINES - 2);
  assert_int_equal(lines[0].op, ' ');
  assert_int_equal(lines[1].op, '-');
  assert_int_equal(lines[2 * LINES - 4].op, '+');
  assert_int_equal(lines[2 * LINES - 3].op, ' ');
  free(lines);
  free(texts[0]);
  free(texts[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_any),
      cmocka_unit_test(test_large),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
