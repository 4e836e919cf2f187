/*
** White space that means nothing, and what must not be touched.
*/
#include "unit.h"

#include "core/compress/lossless.h"

static void squeeze(const char *text, size_t n, unsigned methods, Buf *out) {
  Cuts cuts = {NULL, 0, 0, 0};
  Err err = {0};
  buf_clear(out);
  buf_puts(out, "");
  assert_int_equal(lossless_find(text, n, methods, &cuts, &err), RC_OK);
  assert_int_equal(cuts_apply(&cuts, text, n, out), RC_OK);
  cuts_free(&cuts);
}

static void check_squeezed(const char *text, const char *expected) {
  Buf once, twice;
  buf_init(&once, 1 << 20);
  buf_init(&twice, 1 << 20);
  squeeze(text, strlen(text), LOSSLESS_TEXT | LOSSLESS_JSON, &once);
  check(strcmp(once.data, expected) == 0, "%s\n gave %s", text, once.data);
  squeeze(once.data, once.n, LOSSLESS_TEXT | LOSSLESS_JSON, &twice);
  check(strcmp(once.data, twice.data) == 0, "%s\n again %s", text, twice.data);
  buf_free(&once);
  buf_free(&twice);
}

static void test_squeezed(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"  \n\nHello   world.  It  is. \n\n\n\n\nBye.\n\n", "Hello world. It is.\n\nBye."},
      {"One \ntwo", "One\ntwo"},
      {"One     \ntwo", "One  \ntwo"}, /* a line break of Markdown */
      {"A\r\n\r\n\r\n\r\nB \r\nC\r\n", "A\r\n\r\nB\r\nC"},
      {"- one  two three\n-   three   four five\n\n\n- five",
       "- one two three\n-   three four five\n\n- five"},
      {"#  Head   line here\n\n\nText", "#  Head line here\n\nText"},
      {"Use this:\n{\n  \"a\": 1\n}\nGo  on now.", "Use this:\n{\"a\":1}\nGo on now."},
      {"if  x:\n    [\"a\",  1]\nelse:\n    [\"b\"]",
       "if  x:\n    [\"a\",  1]\nelse:\n    [\"b\"]"},
      /* beside a straight mark they may be a string's */
      {"All  the “b  c” of  it  `e  f`  is here", "All the “b  c” of it  `e  f`  is here"},
      {"{\n  \"a\": 1.50,\n  \"b\" : [ 1, 2 ],\n  \"a\": \"x  y\\\"  z\"\n}",
       "{\"a\":1.50,\"b\":[1,2],\"a\":\"x  y\\\"  z\"}"},
      {"See:\n\n```json\n{\n  \"a\": 1e400\n}\n```\n\nDone.",
       "See:\n\n```json\n{\"a\":1e400}\n```\n\nDone."},
      {"  \n \t \n", ""},
      {"", ""},
      {"我  们  在  这里", "我 们 在 这里"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_squeezed(cases[i][0], cases[i][1]);
  }
}

/* White space that means something: none of these changes, alone or between prose that does. */
static void test_kept(void **state) {
  (void)state;
  static const char *const cases[] = {
      "def f(x):\n    if x  == 1:\n        return  2\n    return 3",
      "```\na   b\n\n\n\nc \n```",
      "~~~python\nx  =  1\n~~~",
      "    indented   code\n\n\n    more   code",
      "- do:\n\n      x  = f(1);\n\n- next",
      "all: a.o\n\tcc  -o all a.o",
      "name\tage\nBob\t  12\nEve\t   7",
      "Name      Age\nBob        12\nElisabeth   3",
      "Item           Price\nCoffee         $3.50\nTea            $2.00",
      "server:\n  port:  80\n  hosts:\n    - a\n    - b",
      "key: value\nother:  value\nthird: x",
      "| a   | b  |\n|-----|----|\n| 1   |  2 |",
      "Roses are red  \nViolets are blue",
      "@@ -1,3 +1,3 @@\n-a   b\n \n+a b",
      "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n Some   words of it\n-are  out of it\n+are out of it",
      "-the words   of it\n+the words of it",
      "1c1\n< the words   of it\n---\n> the words of  it",
      "*** a\n--- b\n***************\n*** 1 ****\n! the   words of it\n--- 1 ----\n! the words  of "
      "it",
      "a: |\n  x  y\nb: 2",
      "x = \"\"\"\n the words  of it\n\"\"\"",
      "x = '''\n the words  of it\n'''",
      "“Some words   of it\n\n\n\nand some   more of it”",
      "A=b  c",
      "What does re.sub(r'a  b', '') do to it?",
      "run s/a  b/c/g over all of it",
      "/a  b/",
      "# # . .  #\n. # .    .",
      "src\n├── a\n│   └── b.c\n└── c",
      "... --- ...   .-  -...",
      "Total      12.50 EUR",
      "127.0.0.1   localhost\n192.168.0.10  box",
      "Best wishes,\nBob\n-- \nBob Smith",
      "match /a  b+/ and `a  b` and \"a  b\" and 'a  b' here",
      "{\"a\": 1, \"b\"",
      "{ not json }",
      "    a poem\n  of steps\n      down",
      "x   = 1;",
      "a\xC2\xA0\xC2\xA0"
      "b",
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_squeezed(cases[i], cases[i]);
    Buf in, out;
    buf_init(&in, 10000);
    buf_init(&out, 10000);
    buf_printf(&in, "Some   prose  here.\n\n\n\n%s\n\n\n\nMore   prose here.\n", cases[i]);
    buf_printf(&out, "Some prose here.\n\n%s\n\nMore prose here.", cases[i]);
    check_squeezed(in.data, out.data);
    buf_free(&in);
    buf_free(&out);
  }
}

/* Where a prompt speaks of blanks, they are meant. */
static void test_meant(void **state) {
  (void)state;
  static const char *const cases[] = {
      "Write exactly:  Hello   World",
      "The regex is ^a  b$ and more.",
      "Match ^foo  bar and more.",
      "Use two spaces:  like  this",
      "Separate the fields with two spaces:\nname  age  city",
      "Copy verbatim:\n\nA  b   c",
      "Keep the white space as it is. A  b",
      "Print this line exactly as it is.\n\nHello   World",
      "Trennzeichen sind zwei Leerzeichen:\nname  alter  ort",
      "Count the characters: ab   cd",
      "Compute the md5 of: ab   cd   ef",
      "Zähle die Zeichen des Satzes: ab   cd",
      "Reply with:  OK   then stop",
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_squeezed(cases[i], cases[i]);
  }
}

/* JSON stays equal JSON: every value, digit, escape, name and their order. */
static void test_json(void **state) {
  (void)state;
  static const char *const cases[] = {
      "{\n \"big\": 9223372036854775808,\n \"tiny\": 0.10,\n \"huge\": 1e400,\n \"neg\": -0.0 }",
      "[\n  \"\\\\\", \"\\\"\", \"\\u0041 \\ud83d\\ude00\",  \"a\\\\\"  ]",
      "[ [ [ [ \"x\" ] ] ], {} , [ ], {\"\": \"  \"} ]",
      "{ \"a\": 1, \"a\": 2, \"b\": null, \"a\": true }",
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf out;
    buf_init(&out, 10000);
    squeeze(cases[i], strlen(cases[i]), LOSSLESS_JSON, &out);
    size_t k = 0;
    int in_string = 0;
    for (const char *p = cases[i]; *p;
         p++) { /* what is no blank outside of strings is there, in its order */
      if (in_string || !strchr(" \n\t\r", *p)) {
        check(k < out.n && out.data[k] == *p, "%s: %s", cases[i], out.data);
        k++;
      }
      if (*p == '"' && (p == cases[i] || p[-1] != '\\' || (p > cases[i] + 1 && p[-2] == '\\'))) {
        in_string = !in_string;
      }
    }
    assert_int_equal(k, out.n);
    cJSON *a = tree_of(cases[i]), *b = tree_of(out.data);
    char *x = cJSON_PrintUnformatted(a), *y = cJSON_PrintUnformatted(b);
    check(strcmp(x, y) == 0, "%s: %s", cases[i], out.data);
    cJSON_free(x);
    cJSON_free(y);
    cJSON_Delete(a);
    cJSON_Delete(b);
    buf_free(&out);
  }
}

static void test_methods(void **state) {
  (void)state;
  const char *text = "It is   so\n\n{\"x\":  \"y\"}";
  Buf out;
  buf_init(&out, 100);
  squeeze(text, strlen(text), LOSSLESS_TEXT, &out);
  assert_string_equal(out.data, "It is so\n\n{\"x\":  \"y\"}");
  squeeze(text, strlen(text), LOSSLESS_JSON, &out);
  assert_string_equal(out.data, "It is   so\n\n{\"x\":\"y\"}");
  squeeze("It  is so\0it  is.", 16, LOSSLESS_TEXT, &out);
  assert_int_equal(out.n, 15);
  assert_memory_equal(out.data, "It is so\0it  is.", 15);
  buf_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_squeezed), cmocka_unit_test(test_meant),   cmocka_unit_test(test_kept),
      cmocka_unit_test(test_json),     cmocka_unit_test(test_methods),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
