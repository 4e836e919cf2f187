/*
** UTF-8 checking, the normal form of texts, and the names of texts.
*/
#include "unit.h"

#include "base/text/text.h"
#include "base/utf8.h"

#include "base/hash.h"

static void test_utf8(void **state) {
  static const struct {
    const char *name, *bytes;
    int bad_at; /* -1: well-formed */
  } cases[] = {
      {"empty", "", -1},
      {"ASCII", "plain text\t\r\n\x7F", -1},
      {"two bytes, lowest and highest", "\xC2\x80\xDF\xBF", -1},
      {"three bytes, lowest and highest", "\xE0\xA0\x80\xEF\xBF\xBF", -1},
      {"four bytes, lowest and highest", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", -1},
      {"around the surrogates", "\xED\x9F\xBF\xEE\x80\x80", -1},
      {"after eight of ASCII", "12345678\xC3\xA9", -1},
      {"bare continuation", "a\x80", 1},
      {"overlong NUL", "\xC0\x80", 0},
      {"overlong slash", "ab\xC0\xAF", 2},
      {"overlong two bytes", "\xC1\xBF", 0},
      {"overlong three bytes", "\xE0\x9F\xBF", 0},
      {"overlong four bytes", "\xF0\x8F\xBF\xBF", 0},
      {"lowest surrogate", "\xED\xA0\x80", 0},
      {"highest surrogate", "\xED\xBF\xBF", 0},
      {"surrogate pair (CESU-8)", "\xED\xA0\xBD\xED\xB8\x80", 0},
      {"above U+10FFFF", "\xF4\x90\x80\x80", 0},
      {"lead F5", "\xF5\x80\x80\x80", 0},
      {"five bytes", "\xF8\x88\x80\x80\x80", 0},
      {"FE", "\xFE", 0},
      {"FF", "\xFF", 0},
      {"two bytes, one there", "a\xC3", 1},
      {"three bytes, one there", "a\xE2", 1},
      {"three bytes, two there", "a\xE2\x82", 1},
      {"four bytes, three there", "a\xF0\x9F\x98", 1},
      {"continuation missing in two", "\xC3(", 0},
      {"continuation missing in three", "\xE2\x82(", 0},
      {"continuation missing in four", "\xF0\x9F\x98(", 0},
      {"bad after good", "\xC3\xA9\xE2\x82\xAC\xFF", 5},
      {"bad in the second word of eight", "12345678abc\xFF", 11},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t n = strlen(cases[i].bytes), bad_at = 999;
    char *exact = malloc(n + (n == 0)); /* no byte behind the text: reading on is caught */
    memcpy(exact, cases[i].bytes, n);
    int ok = utf8_is_valid(exact, n, &bad_at);
    free(exact);
    check(ok == (cases[i].bad_at < 0), "%s", cases[i].name);
    check(ok || bad_at == (size_t)cases[i].bad_at, "%s: at %zu", cases[i].name, bad_at);
  }
}

/* The normal form of the text. Owned by the caller. */
static char *normal(const char *text) {
  Buf b;
  buf_init(&b, 1 << 20);
  check(text_normalize(text, strlen(text), &b) == RC_OK, "%s", text);
  return buf_take(&b);
}

static void test_copies_end_between_characters(void **state) {
  static const struct {
    const char *text, *copy; /* of 8 bytes */
  } cases[] = {
      {"", ""},
      {"1234567", "1234567"},
      {"12345678", "1234567"},
      {"123456\xC3\xA9", "123456"},
      {"12345\xC3\xA9", "12345\xC3\xA9"},
      {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char copy[8];
    utf8_copy(copy, sizeof copy, cases[i].text);
    check(strcmp(copy, cases[i].copy) == 0, "%s: '%s'", cases[i].text, copy);
  }
}

static void test_normal_form(void **state) {
  static const struct {
    const char *name, *text, *normal;
  } cases[] = {
      {"empty", "", ""},
      {"only blanks", " \t \n \r\n ", ""},
      {"only invisible", "\xEF\xBB\xBF\xE2\x80\x8B", ""},
      {"plain", "What is it?", "What is it?"},
      {"case and punctuation stay", "WHAT is it?!", "WHAT is it?!"},
      {"composes",
       "caf"
       "e\xCC\x81",
       "caf\xC3\xA9"},
      {"composed stays", "caf\xC3\xA9", "caf\xC3\xA9"},
      {"no compatibility folding", "\xEF\xAC\x81 \xC2\xB2", "\xEF\xAC\x81 \xC2\xB2"},
      {"marks in canonical order", "a\xCC\x81\xCC\xA3", "\xE1\xBA\xA1\xCC\x81"},
      {"Hangul", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"},
      {"Angstrom sign", "\xE2\x84\xAB", "\xC3\x85"},
      {"runs of blanks", "a  b \t c", "a b c"},
      {"no-break space",
       "a\xC2\xA0"
       "b",
       "a b"},
      {"en, em, thin, hair, narrow, mathematical, ideographic space",
       "a\xE2\x80\x82"
       "b\xE2\x80\x83"
       "c\xE2\x80\x89"
       "d\xE2\x80\x8A"
       "e\xE2\x80\xAF"
       "f\xE2\x81\x9F"
       "g\xE3\x80\x80h",
       "a b c d e f g h"},
      {"zero width space, word joiner",
       "a\xE2\x80\x8B"
       "b\xE2\x81\xA0"
       "c",
       "abc"},
      {"byte-order mark", "\xEF\xBB\xBFtext", "text"},
      {"joiners mean something", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
       "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"},
      {"zero width between letter and accent", "e\xE2\x80\x8B\xCC\x81", "\xC3\xA9"},
      {"zero width between accents", "a\xCC\x81\xEF\xBB\xBF\xCC\xA3", "\xE1\xBA\xA1\xCC\x81"},
      {"zero width between blanks", "a \xE2\x80\x8B b", "a b"},
      {"CR LF", "a\r\nb", "a\nb"},
      {"CR", "a\rb", "a\nb"},
      {"CR CR LF", "a\r\r\nb", "a\n\nb"},
      {"CR at the end", "a\r", "a"},
      {"blanks at line ends", "a  \nb\t\nc ", "a\nb\nc"},
      {"blank lines inside stay", "a\n\n\nb", "a\n\n\nb"},
      {"blank lines inside lose their blanks", "a\n  \nb", "a\n\nb"},
      {"blank lines at both ends", "\n\r\n a\n\n", "a"},
      {"indentation is kept", "if x:\n  y\n    z", "if x:\n  y\n    z"},
      {"blanks behind the indentation", "a\n  b   c", "a\n  b c"},
      {"blanks at the very start", "   a\n b", "a\n b"},
      {"indentation of no-break spaces",
       "a\n\xC2\xA0\xC2\xA0"
       "b",
       "a\n\xC2\xA0\xC2\xA0"
       "b"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *text = normal(cases[i].text);
    char *again = normal(text);
    check(strcmp(text, cases[i].normal) == 0, "%s: '%s'", cases[i].name, text);
    check(strcmp(again, text) == 0, "%s, again: '%s'", cases[i].name, again);
    free(text);
    free(again);
  }
}

/* What a text may be about keeps its bytes; the plain form folds it too. */
static void test_what_is_kept(void **state) {
  static const struct {
    const char *name, *text, *normal; /* normal NULL: the text itself */
  } cases[] = {
      {"a quotation", "a  b \"c  d\"  e", "a b \"c  d\" e"},
      {"single quotes", "split  on ' \t ' or ','", "split on ' \t ' or ','"},
      {"apostrophes are none", "don't  use  the dogs'  bowl", "don't use the dogs' bowl"},
      {"curly quotes",
       "\xE2\x80\x9C"
       "a  b\xE2\x80\x9D  c",
       "\xE2\x80\x9C"
       "a  b\xE2\x80\x9D c"},
      {"low quotes",
       "\xE2\x80\x9E"
       "a  b\xE2\x80\x9C  c",
       "\xE2\x80\x9E"
       "a  b\xE2\x80\x9C c"},
      {"angle quotes",
       "\xC2\xAB"
       "a\xC2\xA0 b\xC2\xBB  c",
       "\xC2\xAB"
       "a\xC2\xA0 b\xC2\xBB c"},
      {"a quotation of one line", "\"a  b\nc\"  d", "\"a b\nc\" d"},
      {"decomposed in quotes alone", "cafe\xCC\x81 \"cafe\xCC\x81\"",
       "caf\xC3\xA9 \"cafe\xCC\x81\""},
      {"zero width in quotes",
       "a\xE2\x80\x8B"
       "b 'a\xE2\x80\x8B"
       "b'",
       "ab 'a\xE2\x80\x8B"
       "b'"},
      {"a regular expression", "match  /a  b/i in  x", "match /a  b/i in x"},
      {"one with a slash in it", "use  /a\\/  b/ now", "use /a\\/  b/ now"},
      {"paths and fractions are none", "1/2  or  a /usr/b  c/d", "1/2 or a /usr/b c/d"},
      {"inline code", "run  `a  b`  now", "run `a  b` now"},
      {"more backticks", "``a ` b  c``  d", "``a ` b  c`` d"},
      {"a backtick alone", "a ` b  c", "a ` b c"},
      {"a fenced block", "see\n```c\nint  x; \n\n\tf( );\n```\nand  so",
       "see\n```c\nint  x; \n\n\tf( );\n```\nand so"},
      {"one that stays open", "```\na  b \n\n", "```\na  b"},
      {"one with line ends of Windows", "```\r\na  b\r\n```\r\nc", "```\na  b\n```\nc"},
      {"a line of code", "all:\n\tgcc  -o a\nb  c", "all:\n\tgcc  -o a\nb c"},
      {"a tab is not four blanks", "all:\n\tgcc", NULL},
      {"four blanks are not a tab", "all:\n    gcc", NULL},
      {"indented by two", "a\n  b  c", "a\n  b c"},
      {"the first line's is dropped", "\ta  b\n\tc  d", "a b\n\tc  d"},
      {"no blanks at its end", "a\n    b  c  \n", "a\n    b  c"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *expected = cases[i].normal ? cases[i].normal : cases[i].text;
    Buf of_text, of_normal;
    buf_init(&of_text, 1 << 10);
    buf_init(&of_normal, 1 << 10);
    char *text = normal(cases[i].text), *again = normal(text);
    check(strcmp(text, expected) == 0, "%s: '%s'", cases[i].name, text);
    check(strcmp(again, text) == 0, "%s, again: '%s'", cases[i].name, again);
    text_normalize_plain(cases[i].text, strlen(cases[i].text), &of_text);
    text_normalize_plain(text, strlen(text), &of_normal);
    check(strcmp(of_text.data, of_normal.data) == 0, "%s, plain: '%s'", cases[i].name,
          of_text.data);
    buf_free(&of_text);
    buf_free(&of_normal);
    free(text);
    free(again);
  }
}

/* A mark that nothing closes is looked for once: a second of it would be long. */
static void test_many_marks(void **state) {
  enum { N = 1 << 21 };
  static const char *const parts[] = {"'a ",   "\xE2\x80\x9C", " /b",
                                      "``` x", "\xC2\xAB",     "` `` ```` "};
  (void)state;
  for (size_t k = 0; k < COUNT(parts); k++) {
    size_t n = strlen(parts[k]), most = N / n * n;
    char *text = malloc(N);
    Buf b;
    for (size_t i = 0; i < most; i++) {
      text[i] = parts[k][i % n];
    }
    buf_init(&b, 8 * N);
    check(text_normalize(text, most, &b) == RC_OK && b.n > 0, "%s", parts[k]);
    buf_free(&b);
    free(text);
  }
}

/* Texts that must not become one. */
static void test_normal_form_keeps_apart(void **state) {
  static const struct {
    const char *a, *b;
  } cases[] = {
      {"yes", "Yes"},           {"a.", "a"},         {"a\nb", "a b"},       {"a\n b", "a\n  b"},
      {"a\n\nb", "a\nb"},       {"ab", "a b"},       {"e", "\xC3\xA9"},     {"1,5", "1.5"},
      {"\xC2\xB5", "\xCE\xBC"}, {"x\xC2\xB2", "x2"}, {"\xE2\x80\x93", "-"}, {"\"a\"", "'a'"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *a = normal(cases[i].a), *b = normal(cases[i].b);
    check(strcmp(a, b) != 0, "case %zu: '%s'", i, a);
    free(a);
    free(b);
  }
}

/* Random texts from characters that the folding treats specially: twice is once. */
static void test_normal_form_is_idempotent(void **state) {
  static const char *const pieces[] = {
      "a",
      "e",
      " ",
      "  ",
      "\t",
      "\n",
      "\r",
      "\r\n",
      "\xC2\xA0",
      "\xCC\x81",
      "\xCC\xA3",
      "\xE2\x80\x8B",
      "\xC3\xA9",
      "\xC3\x85",
      "\xE2\x80\x80",
      "\xE2\x80\x83",
      "\xEF\xBB\xBF",
      "\xE1\x84\x92",
      ".",
      "Z",
      "\xE1\x85\xA1",
      "\xE1\x86\xAB",
      "\xE2\x81\xA0",
      "\xE2\x80\x8D",
      "\xCD\x84",
      "\xE3\x80\x80",
      "\xEF\xAC\x81",
      "\xF0\x9F\x98\x80",
  };
  unsigned long long seed = 20261122;
  (void)state;
  for (int round = 0; round < 20000; round++) {
    char text[256] = "";
    size_t n = 0;
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    int count = (int)(seed >> 60) + 1;
    for (int i = 0; i < count; i++) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      const char *piece = pieces[(seed >> 33) % COUNT(pieces)];
      memcpy(text + n, piece, strlen(piece) + 1);
      n += strlen(piece);
    }
    char *once = normal(text), *twice = normal(once);
    check(strcmp(once, twice) == 0, "round %d: '%s' then '%s'", round, once, twice);
    free(once);
    free(twice);
  }
}

static void test_normal_form_obeys_the_maximum(void **state) {
  Buf b;
  (void)state;
  buf_init(&b, 3);
  assert_int_equal(text_normalize("abc  ", 5, &b), RC_OK);
  buf_free(&b);
  assert_int_equal(text_normalize("abcd", 4, &b), RC_TOOBIG);
  buf_free(&b);
  assert_int_equal(text_normalize("ab\xC3\xA9", 4, &b), RC_TOOBIG);
  buf_free(&b);
}

/* The reference values are xxhsum's (xxhsum -H128). */
static void test_hash(void **state) {
  char hex[HASH_HEX_SIZE];
  (void)state;
  Hash empty = hash_bytes("", 0, 0);
  hash_hex(&empty, hex);
  assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
  Hash a = hash_bytes("a", 1, 0), other = hash_bytes("a", 1, 1);
  hash_hex(&a, hex);
  assert_string_equal(hex, "a96faf705af16834e6c632b61e964e1f");
  assert_memory_not_equal(a.b, other.b, sizeof a.b);
  Hash known = {
      {0x00, 0x01, 0x0A, 0x10, 0x7F, 0x80, 0x99, 0xAB, 0xCD, 0xEF, 0xF0, 0xFF, 1, 2, 3, 4}};
  hash_hex(&known, hex);
  assert_string_equal(hex, "00010a107f8099abcdeff0ff01020304");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_utf8),
      cmocka_unit_test(test_copies_end_between_characters),
      cmocka_unit_test(test_normal_form),
      cmocka_unit_test(test_what_is_kept),
      cmocka_unit_test(test_many_marks),
      cmocka_unit_test(test_normal_form_keeps_apart),
      cmocka_unit_test(test_normal_form_is_idempotent),
      cmocka_unit_test(test_normal_form_obeys_the_maximum),
      cmocka_unit_test(test_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
