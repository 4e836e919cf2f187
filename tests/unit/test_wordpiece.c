/* The BERT tokenizer on a small vocabulary; tests/live/test_embedders.py compares whole files. */
#include "unit.h"

#include "vec/embed/wordpiece.h"

#include <stdio.h>

/* One piece per entry, its length before it. */
static const char *const pieces[] = {
    "cafe", "the", "##s", "un", "##aff", "##able", "!",  "-",      "\u201c",  "\u4e2d",
    "i",    "a",   "##a", "20", "##26",  "naive",  "ss", "\u03c3", "##\u03c3"};
enum { CAFE, THE, S, UN, AFF, ABLE, BANG, DASH, QUOTE, MIDDLE, I, A, A_MORE, N20, N26, NAIVE };

static unsigned char table[256];
static size_t table_size;
static Vocabulary vocabulary;

static int build(void **state) {
  size_t used;
  (void)state;
  for (size_t i = 0; i < COUNT(pieces); i++) {
    size_t n = strlen(pieces[i]);
    table[table_size++] = (unsigned char)n;
    memcpy(table + table_size, pieces[i], n);
    table_size += n;
  }
  int rc = vocabulary_build(&vocabulary, table, table_size, COUNT(pieces), &used);
  return rc != VEC_OK || used != table_size;
}

static int release(void **state) {
  (void)state;
  vocabulary_free(&vocabulary);
  return 0;
}

/* The ids of a text, words apart by blanks, an unknown word as ?. */
static const char *ids_of(const char *text, size_t n) {
  static char out[4096];
  uint32_t ids[WORDPIECE_MAX_CHARS];
  Wordpiece w;
  size_t at = 0;
  int k;
  /* A copy without a terminator, so that the sanitizer sees a read too far. */
  char *copy = malloc(n + (n == 0));
  memcpy(copy, text, n);
  out[0] = 0;
  wordpiece_start(&w, &vocabulary, copy, n);
  while ((k = wordpiece_next(&w, ids)) != WORDPIECE_END && at < sizeof out - 64) {
    at += (size_t)snprintf(out + at, sizeof out - at, "%s%s", at ? " " : "", k == 0 ? "?" : "");
    for (int i = 0; i < k; i++) {
      at += (size_t)snprintf(out + at, sizeof out - at, "%s%u", i ? "," : "", ids[i]);
    }
  }
  free(copy);
  return out;
}

static void test_texts(void **state) {
  static const struct {
    const char *text, *ids;
  } cases[] = {
      {"", ""},
      {" \t\r\n ", ""},
      {"cafe", "0"},
      {"CAFE The", "0 1"},
      {"caf\u00e9", "0"},              /* composed */
      {"cafe\u0301", "0"},             /* decomposed */
      {"\u0301cafe", "0"},             /* a mark without a letter */
      {"cafes", "0,2"},                /* two pieces */
      {"unaffable", "3,4,5"},          /* greedy */
      {"unknown", "?"},                /* a rest that no piece starts */
      {"the!!the", "1 6 6 1"},         /* punctuation stands alone */
      {"un-aff", "3 7 ?"},             /* ##aff doesn't start a word */
      {"\u201cthe\u201c", "8 1 8"},    /* curly quotes are punctuation */
      {"\u201dthe\u2019s", "? 1 ? ?"}, /* those not in the vocabulary are unknown words */
      {"the\u00a0cafe\u2003the", "1 0 1"},
      {"the\u2028cafe", "1 0"},
      {"th\u200be", "1"}, /* zero width: category Cf, dropped */
      {"th\x01"
       "e\x7f",
       "1"},
      {"th\ufffd"
       "e",
       "1"},
      {"\u4e2d\u4e2d", "9 9"}, /* ideographs stand alone */
      {"\u0130", "10"},        /* capital I with a dot */
      {"2026", "13,14"},
      {"na\u00efve", "15"},
      {"\u03a3\u03a3", "17,18"}, /* no final sigma: each character by itself */
      {"\u226f", "?"},           /* decomposes to > and a mark */
      {"th\xff"
       "e \xc3",
       "1"}, /* bytes that aren't UTF-8 */
      {"\xf0\x9f", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *ids = ids_of(cases[i].text, strlen(cases[i].text));
    check(strcmp(ids, cases[i].ids) == 0, "'%s': %s, not %s", cases[i].text, ids, cases[i].ids);
  }
}

static void test_long_words(void **state) {
  static char text[1 << 20];
  (void)state;
  memset(text, 'a', sizeof text);
  assert_int_equal(strlen(ids_of(text, 100)), 2 + 99 * 3); /* 11,12,12 … */
  assert_string_equal(ids_of(text, 101), "?");
  assert_string_equal(ids_of(text, sizeof text), "?");
  /* A hundred characters of two bytes each. */
  for (size_t i = 0; i < 200; i += 2) {
    memcpy(text + i, "\u03c3", 2);
  }
  assert_string_equal(ids_of(text, 202), "?");
  assert_int_equal(strncmp(ids_of(text, 200), "17,18,18", 8), 0);
  /* A letter with a million marks is the letter. */
  text[0] = 'a';
  for (size_t i = 1; i + 1 < sizeof text; i += 2) {
    memcpy(text + i, "\u0301", 2);
  }
  assert_string_equal(ids_of(text, sizeof text - 1), "11");
}

static void test_damaged_tables(void **state) {
  Vocabulary v;
  size_t used;
  static const unsigned char empty[] = {1, 'a', 0}, beyond[] = {1, 'a', 2, 'b'};
  (void)state;
  assert_int_equal(vocabulary_build(&v, empty, sizeof empty, 2, &used), VEC_CORRUPT);
  assert_int_equal(vocabulary_build(&v, beyond, sizeof beyond, 2, &used), VEC_CORRUPT);
  assert_int_equal(vocabulary_build(&v, beyond, sizeof beyond, 0, &used), VEC_CORRUPT);
  assert_int_equal(vocabulary_build(&v, beyond, sizeof beyond, 1000000, &used), VEC_CORRUPT);
  for (size_t n = 0; n < table_size; n++) {
    assert_int_equal(vocabulary_build(&v, table, n, COUNT(pieces), &used), VEC_CORRUPT);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_long_words),
      cmocka_unit_test(test_damaged_tables),
  };
  return cmocka_run_group_tests(tests, build, release);
}
