/*
** The guard and the compiled-in embedder over pairs of texts: what bench/guard.py counts.
**
** Usage: bench_guard < PAIRS            "text TAB text" lines
**        bench_guard explain < PAIRS    the same, with \n, \t and \\ written as two characters: the rule and its words
**        bench_guard all < LABELLED     "number TAB text" lines, of which every pair from cosine 0.88 on counts
**
** Prints a line per pair: the cosine, a bit per rule that objects, whether the numbers are the same, and the
** microseconds of guard_veto; then the names of the rules. It includes guard.c, to ask each rule alone.
*/
#include "core/guard/guard.c"
#include "vec/embed/static_embedder.h"
#include <stdio.h>
#include <time.h>

static double cosine(const float *a, const float *b) {
  float sum = 0;
  for (int i = 0; i < STATIC_DIM; i++) {
    sum += a[i] * b[i];
  }
  return (double)sum;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void judge(const char *a, const char *b, double cos, int same) {
  static Texts p;
  unsigned bits = 0;
  Err err = {0};
  double start = now();
  const char *word = guard_veto(a, strlen(a), b, strlen(b), &err);
  double us = now() - start;
  read_texts(&p, a, strlen(a), b, strlen(b));
  for (size_t i = 0; i < COUNT_OF(RULES) && strcmp(a, b) != 0; i++) {
    bits |= (unsigned)(RULES[i].differs(&p) != 0) << i;
  }
  if (err.rc || (word != NULL) != (bits != 0)) {
    abort();
  }
  printf("%.4f %u %d %.2f\n", cos, bits, same, us);
}

static char *line; /* the next line of the input, without its end; NULL at the end */
static int read_line(void) {
  static size_t size;
  ssize_t n = getline(&line, &size, stdin);
  if (n > 0 && line[n - 1] == '\n') {
    line[n - 1] = 0;
  }
  return n > 0;
}

static void judge_pairs(void) {
  float u[STATIC_DIM], v[STATIC_DIM];
  while (read_line()) {
    char *b = strchr(line, '\t');
    *b++ = 0;
    int bad = static_embed(line, strlen(line), u) | static_embed(b, strlen(b), v);
    judge(line, b, bad ? 0 : cosine(u, v), 0);
  }
}

static void judge_all(void) {
  enum { MAX = 20000 };
  static float v[MAX][STATIC_DIM];
  static char *text[MAX];
  static int label[MAX];
  size_t n = 0;
  while (n < MAX && read_line()) {
    label[n] = (int)strtol(line, NULL, 10);
    text[n] = strdup(strchr(line, '\t') + 1);
    n += static_embed(text[n], strlen(text[n]), v[n]) == VEC_OK;
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < i; k++) {
      double c = cosine(v[i], v[k]);
      if (c >= 0.88) {
        judge(text[i], text[k], c, label[i] == label[k]);
      }
    }
  }
}

/* What is written as "\\n", "\\t" and "\\\\", as it is. */
static void unescape(char *s) {
  char *to = s;
  for (; *s; s++) {
    if (*s == '\\' && s[1]) {
      s++;
      *to++ = (char)(*s == 'n' ? '\n' : *s == 't' ? '\t' : *s);
    } else {
      *to++ = *s;
    }
  }
  *to = 0;
}

static void explain_pairs(void) {
  while (read_line()) {
    char *b = strchr(line, '\t');
    Buf words;
    Err err = {0};
    *b++ = 0;
    unescape(line);
    unescape(b);
    buf_init(&words, 200);
    const char *word = guard_explain(line, strlen(line), b, strlen(b), &words, &err);
    printf("%s\t%s\n", word ? word : "-", words.n ? words.data : "");
    buf_free(&words);
  }
}

/* A line per pair: whether a rule before "content" objects, and what the score is made of. */
static void show_features(void) {
  static Texts p;
  while (read_line()) {
    char *b = strchr(line, '\t');
    int f[CONTENT_FEATURES_MAX], vetoed = 0;
    *b++ = 0;
    read_texts(&p, line, strlen(line), b, strlen(b));
    for (size_t i = 0; i + 1 < COUNT_OF(RULES) && strcmp(line, b) != 0; i++) {
      vetoed |= RULES[i].differs(&p);
    }
    size_t n = content_features(&p, f);
    printf("%d", vetoed);
    for (size_t i = 0; i < n; i++) {
      printf(" %d", f[i]);
    }
    putchar('\n');
  }
}

int main(int argc, char **argv) {
  Err ignored = {0};
  guard_veto("a", 1, "b", 1, &ignored);
  if (argc > 1 && strcmp(argv[1], "explain") == 0) {
    explain_pairs();
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "features") == 0) {
    show_features();
    return 0;
  }
  if (argc > 1) {
    judge_all();
  } else {
    judge_pairs();
  }
  for (size_t i = 0; i < COUNT_OF(RULES); i++) {
    printf("rule %s\n", RULES[i].word);
  }
  return 0;
}
