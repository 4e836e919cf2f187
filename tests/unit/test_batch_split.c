/*
** Results cut into lines (A05, A06): at LF alone, the same rows whatever pieces they come in, and no more memory than a line may have.
*/
#include "unit.h"

#include "base/buf.h"
#include "wire/batch/split.h"

#include <stdio.h>

/* What is read of n bytes that come in pieces of a size: a row a line, "number,whole,too long,bytes,id|text". Owned. */
static char *rows_of(const char *names, size_t most, const char *bytes, size_t n, size_t piece,
                     char **around) {
  Split s;
  SplitLine line;
  Buf out;
  Err err = {0};
  buf_init(&out, 1 << 20);
  batch_split_init(&s, names, most);
  for (size_t at = 0; at <= n; at += piece) {
    size_t length = n - at < piece ? n - at : piece;
    char *copy =
        malloc(length + 1); /* of its very length, so that the sanitizer sees a read beyond it */
    assert_non_null(copy);
    memcpy(copy, bytes + at, length);
    batch_split_feed(&s, copy, length);
    if (n - at <= piece) {
      batch_split_end(&s);
    }
    while (batch_split_next(&s, &line, &err)) {
      buf_printf(&out, "%lld,%d,%d,%zu,%s|", line.number, line.is_whole, line.is_too_long, line.n,
                 line.id);
      buf_add(&out, line.at, line.is_too_long ? 0 : line.n);
      buf_puts(&out, "\n");
    }
    assert_int_equal(batch_split_next(&s, &line, &err), 0);
    free(copy);
  }
  size_t n_around;
  const char *left = batch_split_around(&s, &n_around);
  if (around) {
    *around = left ? strndup(left, n_around) : NULL;
  }
  assert_int_equal(err.rc, RC_OK);
  batch_split_free(&s);
  return buf_take(&out);
}

static void check_rows(const char *name, const char *names, size_t most, const char *bytes,
                       size_t n, const char *expected) {
  static const size_t pieces[] = {1, 2, 3, 5, 64, 65536};
  for (size_t i = 0; i < COUNT(pieces); i++) {
    char *rows = rows_of(names, most, bytes, n, pieces[i], NULL);
    check(strcmp(rows, expected) == 0, "%s, in pieces of %zu:\n%s", name, pieces[i], rows);
    free(rows);
  }
}

#define CHECK_LINES(name, bytes, expected)                                                         \
  check_rows(name, NULL, 1000, bytes, sizeof bytes - 1, expected)

static void test_lines(void **state) {
  (void)state;
  CHECK_LINES("nothing", "", "");
  CHECK_LINES("blank lines", "\n\r\n \n\t\r\n", "");
  CHECK_LINES("two", "{}\n[]\n", "1,1,0,2,|{}\n2,1,0,2,|[]\n");
  CHECK_LINES("CRLF", "{}\r\n[]\r\n\r\n", "1,1,0,2,|{}\n2,1,0,2,|[]\n");
  CHECK_LINES("a last line without its end", "{}\n[]", "1,1,0,2,|{}\n2,0,0,2,|[]\n");
  CHECK_LINES("blanks after the last", "{}\n  ", "1,1,0,2,|{}\n");
  CHECK_LINES("lone CR inside", "{\"a\":\"x\ry\"}\n", "1,1,0,11,|{\"a\":\"x\ry\"}\n");
  CHECK_LINES("CR in front", "\r{}\n", "1,1,0,2,|{}\n");
  CHECK_LINES("a byte order mark", "\xEF\xBB\xBF{}\n{}\n", "1,1,0,2,|{}\n2,1,0,2,|{}\n");
  CHECK_LINES("one before a blank line", "\xEF\xBB\xBF\r\n{}\n", "1,1,0,2,|{}\n");
  CHECK_LINES("one later is no mark", "{}\n\xEF\xBB\xBF{}\n",
              "1,1,0,2,|{}\n2,1,0,5,|\xEF\xBB\xBF{}\n");
  CHECK_LINES("half of one", "\xEF\xBB\n", "1,1,0,2,|\xEF\xBB\n");
  CHECK_LINES("others' line ends", "\"\xE2\x80\xA8\xE2\x80\xA9\xC2\x85\x0B\x0C\"\n{}\n",
              "1,1,0,12,|\"\xE2\x80\xA8\xE2\x80\xA9\xC2\x85\x0B\x0C\"\n2,1,0,2,|{}\n");
  CHECK_LINES("four bytes", "\"\xF0\x9F\x98\x80\"\n\"\xF0\x9F\x98\x80\"",
              "1,1,0,6,|\"\xF0\x9F\x98\x80\"\n2,0,0,6,|\"\xF0\x9F\x98\x80\"\n");
  CHECK_LINES("NULs at its end", "{}\0\0\n{}\n", "1,1,0,2,|{}\n2,1,0,2,|{}\n");
}

#define LONG "x: 60 bytes of an answer that nobody expected to be so long.."

static void test_lines_that_are_too_long(void **state) {
  (void)state;
  static const struct {
    const char *name, *bytes, *rows;
  } cases[] = {
      {"just fits", "0123456789012345678901234567890123456789\n{}\n",
       "1,1,0,%zu,|0123456789012345678901234567890123456789\n2,1,0,2,|{}\n"},
      {"one more", "01234567890123456789012345678901234567890\n{}\n", "1,1,1,%zu,|\n2,1,0,2,|{}\n"},
      {"id in front", "{\"custom_id\":\"r7-1\",\"result\":\"" LONG "\"}\n{}\n",
       "1,1,1,%zu,r7-1|\n2,1,0,2,|{}\n"},
      {"id behind",
       "{\"id\":\"q\",\"response\":{\"custom_id\":\"no\",\"body\":\"" LONG
       "\"} , \"custom_id\" : \"r7-1\"}\n[]\n",
       "1,1,1,%zu,r7-1|\n2,1,0,2,|[]\n"},
      {"id in a text", "{\"a\":\"\\\"custom_id\\\":\\\"no\\\"\",\"b\":\"" LONG "\"}\n",
       "1,1,1,%zu,|\n"},
      {"a text that ends in a backslash",
       "{\"a\":\"\\\\\",\"custom_id\":\"r7-1\",\"b\":\"" LONG "\"}\n", "1,1,1,%zu,r7-1|\n"},
      {"id of its own escapes", "{\"custom_id\":\"\\u0072\",\"b\":\"" LONG "\"}\n",
       "1,1,1,%zu,|\n"},
      {"id that is no text", "{\"custom_id\":[\"no\"],\"b\":\"" LONG "\"}\n", "1,1,1,%zu,|\n"},
      {"an id beyond all size", "{\"custom_id\":\"" LONG LONG "\"}\n", "1,1,1,%zu,|\n"},
      {"torn", "{\"custom_id\":\"r7-1\",\"b\":\"" LONG, "1,0,1,%zu,r7-1|\n"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char expected[400];
    snprintf(expected, sizeof expected, cases[i].rows, strcspn(cases[i].bytes, "\n"));
    check_rows(cases[i].name, NULL, 40, cases[i].bytes, strlen(cases[i].bytes), expected);
  }
}

/* A05: one of 30 MiB among others takes no memory. */
static void test_one_of_30_mebibytes(void **state) {
  (void)state;
  enum { PIECE = 1 << 16, PIECES = 480 };
  static char piece[PIECE];
  static const char front[] = "{\"custom_id\":\"a\"}\n{\"custom_id\":\"r2-1\",\"x\":\"",
                    behind[] = "\"}\n{\"custom_id\":\"b\"}\n";
  Split s;
  SplitLine line;
  Err err = {0};
  long long lines = 0;
  memset(piece, 'y', sizeof piece);
  batch_split_init(&s, NULL, 1 << 20);
  for (int i = 0; i <= PIECES + 1; i++) {
    batch_split_feed(&s,
                     i == 0        ? front
                     : i <= PIECES ? piece
                                   : behind,
                     i == 0        ? sizeof front - 1
                     : i <= PIECES ? PIECE
                                   : sizeof behind - 1);
    while (batch_split_next(&s, &line, &err)) {
      lines++;
      check(line.is_too_long == (lines == 2), "line %lld", lines);
      check(lines != 2 || (line.n > (30u << 20) - PIECE && strcmp(line.id, "r2-1") == 0),
            "%zu, '%s'", line.n, line.id);
    }
    check(s.line.cap <= 2u << 20, "%zu", s.line.cap);
  }
  batch_split_end(&s);
  assert_int_equal(batch_split_next(&s, &line, &err), 0);
  assert_int_equal(lines, 3);
  batch_split_free(&s);
}

static void test_elements(void **state) {
  (void)state;
  static const struct {
    const char *name, *bytes, *rows, *around;
  } cases[] = {
      {"nothing", "", "", ""},
      {"none", "{\"results\":[]}", "", "{\"results\":[]}"},
      {"null", "{\"results\":null,\"id\":\"b\"}", "", "{\"results\":null,\"id\":\"b\"}"},
      {"two",
       "{\"id\":\"b\",\"results\":[{\"a\":[1,{}]}, {\"b\":\"]},{\"}\n],\"next_cursor\":\"c\"}",
       "1,1,0,12,|{\"a\":[1,{}]}\n2,1,0,12,|{\"b\":\"]},{\"}\n",
       "{\"id\":\"b\",\"results\":[],\"next_cursor\":\"c\"}"},
      {"the other name", "{\"data\":[{}]}", "1,1,0,2,|{}\n", "{\"data\":[]}"},
      {"line feeds within", "{\"data\":[{\n\"a\":1\r\n}]}", "1,1,0,10,|{\n\"a\":1\r\n}\n",
       "{\"data\":[]}"},
      {"scalars", "{\"data\":[1,null,\"x,]\",-2.5 ,[3]]}",
       "1,1,0,1,|1\n2,1,0,4,|null\n3,1,0,5,|\"x,]\"\n4,1,0,4,|-2.5\n5,1,0,3,|[3]\n",
       "{\"data\":[]}"},
      {"of an inner object", "{\"errors\":{\"data\":[{\"a\":1}]},\"other\":[{}],\"data\":[{}]}",
       "1,1,0,2,|{}\n", "{\"errors\":{\"data\":[{\"a\":1}]},\"other\":[{}],\"data\":[]}"},
      {"names in values", "{\"x\":\"data\",\"y\":[{}],\"data\":[[]]}", "1,1,0,2,|[]\n",
       "{\"x\":\"data\",\"y\":[{}],\"data\":[]}"},
      {"torn", "{\"data\":[{},{\"a\":", "1,1,0,2,|{}\n2,0,0,5,|{\"a\":\n", "{\"data\":["},
      {"torn within a number", "{\"data\":[12", "1,0,0,2,|12\n", "{\"data\":["},
      {"a bracket of another kind", "{\"data\":[}]", "", "{\"data\":[}]"},
      {"an array alone", "[{},{}]", "", "[{},{}]"},
      {"an error", "{\"error\":{\"message\":\"m\"}}", "", "{\"error\":{\"message\":\"m\"}}"},
      {"too long", "{\"data\":[{\"custom_id\":\"r7-1\",\"b\":\"" LONG "\"},{}]}",
       "1,1,1,88,r7-1|\n2,1,0,2,|{}\n", "{\"data\":[]}"},
  };
  static const size_t pieces[] = {1, 2, 3, 64, 65536};
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (size_t k = 0; k < COUNT(pieces); k++) {
      char *around, *rows = rows_of("results data", 60, cases[i].bytes, strlen(cases[i].bytes),
                                    pieces[k], &around);
      check(strcmp(rows, cases[i].rows) == 0, "%s, in pieces of %zu:\n%s", cases[i].name, pieces[k],
            rows);
      check(around && strcmp(around, cases[i].around) == 0, "%s, in pieces of %zu: %s",
            cases[i].name, pieces[k], around);
      free(rows);
      free(around);
    }
  }
}

/* What is around may be larger than all it is worth: then it is not kept, and the elements still come. */
static void test_too_much_around(void **state) {
  (void)state;
  static const char bytes[] = "{\"x\":\"" LONG "\",\"data\":[{}]}";
  char *around, *rows = rows_of("data", 40, bytes, sizeof bytes - 1, 7, &around);
  assert_string_equal(rows, "1,1,0,2,|{}\n");
  assert_null(around);
  free(rows);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_lines_that_are_too_long),
      cmocka_unit_test(test_one_of_30_mebibytes),
      cmocka_unit_test(test_elements),
      cmocka_unit_test(test_too_much_around),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
