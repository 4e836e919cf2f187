/*
** Apparent effort: prompts whose sum was reckoned by hand from the rule, what must change nothing, and any bytes.
*/
#include "unit.h"

#include "core/route/effort.h"

#include "core/route/fold.h"
#include "core/route/signs.h"

#include <math.h>
#include <stdio.h>

static double sum_of(const char *text, size_t n, double *score) {
  EffortPart parts[EFFORT_PARTS];
  double x = 0, s = effort_score(text, n, parts);
  for (int i = 0; i < EFFORT_PARTS; i++) {
    check(isfinite(parts[i].n) && isfinite(parts[i].share) && parts[i].name[0], "part %d", i);
    x += parts[i].share;
  }
  check(isfinite(s) && s >= 0 && s <= 1, "%.40s: %g", text, s);
  check(s == effort_score(text, n, NULL), "%.40s: differs without parts", text);
  *score = s;
  return x;
}

static double x_of(const char *text) {
  double score;
  return sum_of(text, strlen(text), &score);
}

static void test_sums(void **state) {
  (void)state;
  static const struct {
    const char *prompt;
    double x;
  } cases[] = {
      {"", -3.55},
      {"x", -3.2589},
      {"Where is my parcel?", -3.1840},
      {"How do I cancel my order?", -3.0427},
      {"Design a queue that survives a crash, and justify why no message is lost.", 1.4774},
      {"Why does my script print 0x1f when x = 31?", 0.9771},
      {"ЧТО ТАКОЕ ДОКАЗАТЕЛЬСТВО?", -0.6178},
      {"Erkläre den Unterschied zwischen Leasing und Miete, ohne Fachwörter.", -0.2129},
      {"请解释为什么天空是蓝色的", -0.8727},
      {"Explique a diferença entre juros simples e compostos.", -1.6872},
      {"Summarise the letter below in 3 points. Keep it under 50 words; be kind.", -0.8127},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    double x = x_of(cases[i].prompt);
    check(fabs(x - cases[i].x) < 1e-3, "%s: %.4f, expected %.4f", cases[i].prompt, x, cases[i].x);
  }
  assert_string_equal(effort_version(), "effort-1");
}

/* The curve goes through both points of the table, and rises. */
static void test_curve(void **state) {
  (void)state;
  double low, high;
  double x0 = sum_of("Where is my parcel?", 19, &low);
  double x1 = sum_of("Prove it by induction, for every n.", 35, &high);
  double slope = (log(high / (1 - high)) - log(low / (1 - low))) / (x1 - x0);
  check(fabs(slope - 2 * log(7.0 / 3) / 1.65) < 1e-9, "%g", slope);
  check(fabs(log(low / (1 - low)) - (log(3.0 / 7) + slope * (x0 + 2.1))) < 1e-9, "%g", low);
}

static double n_of(const char *text, EffortFeature feature) {
  EffortPart parts[EFFORT_PARTS];
  effort_score(text, strlen(text), parts);
  return parts[feature].n;
}

static void test_counts(void **state) {
  (void)state;
  static const struct {
    const char *prompt;
    EffortFeature feature;
    double n;
  } cases[] = {
      {"prove, prove, proven proofs", EFFORT_PROOF, 2},
      {"improve the approval", EFFORT_PROOF, 0}, /* where words begin */
      {"show\nthat it holds", EFFORT_PROOF, 1},  /* over a line's end */
      {"show  that it holds", EFFORT_PROOF, 1},  /* and a doubled blank */
      {"BEGRÜNDE, warum", EFFORT_PROOF, 1},
      {"begru\xCC\x88nde es", EFFORT_PROOF, 1}, /* u and its dots apart */
      {"это ДОКАЗАТЬ", EFFORT_PROOF, 1},
      {"if iffy ifs", EFFORT_CONSTRAINT, 1}, /* whole words */
      {"if", EFFORT_CONSTRAINT, 1},
      {"must never at least under within unless", EFFORT_CONSTRAINT, 5},
      {"Translate: classify, sort, tag", EFFORT_EASY, 1}, /* in front of the colon */
      {"Say \"translate\"", EFFORT_EASY, 0},
      {"translate classify sort", EFFORT_EASY, 2},
      {"Translate what he designs and debugs", EFFORT_EASY, 0}, /* but not where it is hard */
      {"it doesn\xE2\x80\x99t work", EFFORT_WORK, 1},           /* a typographic apostrophe */
      {"请你写一封信", EFFORT_WORK, 1},                         /* within a run */
      {"refund", EFFORT_FAQ, 1},
      {"aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa refund", EFFORT_FAQ, 0},
      {"concept and conceive", EFFORT_DEEP, 1}, /* two spellings of one stem */
      {"one two, three-four don't", EFFORT_WORDS, 6},
      {"日本語です", EFFORT_WORDS, 2.5},
      {"हिन्दी में लिखो", EFFORT_WORDS, 3},
      {"1 2 2 3 1", EFFORT_NUMBERS, 3},
      {"1 2 3 4 5 6 7 8 9", EFFORT_NUMBERS, 6},
      {"what? 何？ ما؟ really??", EFFORT_QUESTIONS, 4},
      {"One. Two... Three! v1.2 e.g", EFFORT_SENTENCES, 3},
      {"a\n\n\nb\r\nc", EFFORT_SENTENCES, 2},
      {"A sentence.\nAnother.\n", EFFORT_SENTENCES, 2},
      {"一。二。", EFFORT_SENTENCES, 2},
      {"responsibility abcdefghi", EFFORT_LONG_WORDS, 1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    double n = n_of(cases[i].prompt, cases[i].feature);
    check(n == cases[i].n, "%s: %g, expected %g", cases[i].prompt, n, cases[i].n);
  }
}

static void test_signs(void **state) {
  (void)state;
  static const struct {
    const char *text;
    unsigned signs;
  } cases[] = {
      {"plain words, (in brackets) and a; semicolon", 0},
      {"```", SIGNS_CODE},
      {"def f", SIGNS_CODE},
      {"define a class", 0},
      {"first class", 0},
      {"class\n Foo", SIGNS_CODE},
      {"return.", 0},
      {"SELECT *", SIGNS_CODE},
      {"select it", 0},
      {"printf()", SIGNS_CODE},
      {"printf(x)", SIGNS_CODE},
      {"printf(x, y)", 0},
      {"x;\nnext", SIGNS_CODE},
      {"x; \t", SIGNS_CODE},
      {"a Traceback", SIGNS_CODE},
      {"RuntimeException", SIGNS_CODE},
      {"at 0x1f", SIGNS_CODE},
      {"at 10x1", 0},
      {"<b>", SIGNS_CODE},
      {"</table>", SIGNS_CODE},
      {"<3", 0},
      {"a=b", SIGNS_FORMULA},
      {"(x) => y", SIGNS_CODE | SIGNS_FORMULA},
      {"n^2", SIGNS_FORMULA},
      {"x ≤ y", SIGNS_FORMULA},
      {"a≥b", SIGNS_FORMULA},
      {"x – y", 0},
      {"\\frac12", SIGNS_FORMULA},
      {"\\fra", 0},
      {"in O(n log n)", SIGNS_FORMULA},
      {"FOO(a b)", 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    unsigned signs = signs_find(cases[i].text, strlen(cases[i].text));
    check(signs == cases[i].signs, "%s: %u", cases[i].text, signs);
  }
}

/* Case, blanks and the form of letters change nothing. */
static void test_same(void **state) {
  (void)state;
  static const char *const same[][2] = {
      {"Explain why the sky is blue.", "EXPLAIN WHY THE SKY IS BLUE."},
      {"Explain why the sky is blue.", "  explain  why the\tsky is blue.\r\n\n"},
      {"Explain why the sky is blue.", "\xEF\xBB\xBF"
                                       "Explain why\xC2\xA0the sky is blue."},
      {"Erkläre die Größe", "ERKLÄRE DIE GRÖßE"},
      {"Erkläre es", "Erkla\xCC\x88re es"},
      {"Почему небо голубое?", "ПОЧЕМУ НЕБО ГОЛУБОЕ?"},
      {"Ποιο είναι το σχέδιο;", "ΠΟΙΟ ΕΊΝΑΙ ΤΟ ΣΧΈΔΙΟ;"},
      {"zehn 10", "zehn \xEF\xBC\x91\xEF\xBC\x90"},
  };
  for (size_t i = 0; i < COUNT(same); i++) {
    double a = x_of(same[i][0]), b = x_of(same[i][1]);
    check(a == b, "%s: %g and %g", same[i][1], a, b);
  }
}

static void test_any_bytes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t n;
  } cases[] = {
      {"", 0},
      {" \n\t ", 4},
      {"\0\0\0", 3},
      {"prove\0this", 10},
      {"\xFF\xFE\x80\xC3", 4},
      {"\xE2\x80", 2},
      {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 8},
      {"\xCC\x88\xCC\x88", 4},
      {"((((((((;;;;;;;;<<<<", 20},
      {"\\", 1},
  };
  double score;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *copy = malloc(cases[i].n + 1); /* of its very length */
    memcpy(copy, cases[i].text, cases[i].n);
    copy = realloc(copy, cases[i].n ? cases[i].n : 1);
    sum_of(copy, cases[i].n, &score);
    free(copy);
  }
  unsigned seed = 1;
  for (int round = 0; round < 2000; round++) {
    char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++) {
      seed = seed * 1664525u + 1013904223u;
      bytes[i] = (char)(seed >> (round % 2 ? 24 : 26));
    }
    sum_of(bytes, seed % sizeof bytes, &score);
  }
}

/* A question behind a document counts; words in proportion. */
static void test_long(void **state) {
  (void)state;
  enum { N = 16 << 20 };
  char *text = malloc(N);
  EffortPart parts[EFFORT_PARTS];
  for (size_t i = 0; i < N; i++) {
    text[i] = "lorem "[i % 6];
  }
  effort_score(text, N, parts);
  check(fabs(parts[EFFORT_WORDS].n / (N / 6.0) - 1) < .01, "%g", parts[EFFORT_WORDS].n);
  check(parts[EFFORT_PROOF].n == 0, "%g", parts[EFFORT_PROOF].n);
  memcpy(text + N - 40, " Prove that it converges, by induction. ", 40);
  effort_score(text, N, parts);
  check(parts[EFFORT_PROOF].n == 2, "%g", parts[EFFORT_PROOF].n);
  for (size_t n = 7990; n < 8020; n++) { /* about the limit, cut within characters */
    for (size_t i = 0; i < n; i++) {
      text[i] = "\xE4\xBD\xA0"[i % 3];
    }
    double words = (double)n / 6;
    effort_score(text, n, parts);
    check(fabs(parts[EFFORT_WORDS].n - words) < 2, "%zu: %g", n, parts[EFFORT_WORDS].n);
  }
  free(text);
}

static void test_fold(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"  A\tb \r\n\r\n C ", "a b\nc"},
      {"É E\xCC\x81 x\xCC\x81", "é é x\xCC\x81"},
      {"don\xE2\x80\x99t co\xE2\x80\x91op", "don't co-op"},
      {"a\xE2\x80\x8B"
       "b\xC2\xAD"
       "c",
       "abc"},
      {"\xFF\x80x", "\xEF\xBF\xBD\xEF\xBF\xBDx"},
      {"\xEF\xBC\xA1\xEF\xBC\x91\xD9\xA3", "a13"},
      {"", ""},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf out;
    buf_init(&out, 1000);
    buf_puts(&out, "");
    assert_int_equal(fold_text(cases[i][0], strlen(cases[i][0]), &out), RC_OK);
    check(strcmp(out.data ? out.data : "", cases[i][1]) == 0, "%zu: '%s'", i, out.data);
    buf_free(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sums),      cmocka_unit_test(test_curve), cmocka_unit_test(test_counts),
      cmocka_unit_test(test_signs),     cmocka_unit_test(test_same),  cmocka_unit_test(test_fold),
      cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
