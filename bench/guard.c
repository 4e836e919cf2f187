/*
** The guard and the compiled-in embedder over pairs of texts: what bench/guard.py counts.
**
** Usage: bench_guard < PAIRS            "text TAB text" lines
**        bench_guard explain < PAIRS    the same, with \n, \t and \\ written as two characters: the rule and its words
**        bench_guard features < PAIRS   what the score of "content" is made of
**        bench_guard all < LABELLED     "number TAB text" lines, of which every pair from cosine 0.88 on counts
**
** Prints a line per pair: the cosine, a bit per rule that objects, whether the numbers are the same, and the
** microseconds of guard_veto, and whether the rule that "content" replaced would object; then the names of the rules. It includes guard.c, to ask each rule alone.
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

/* ---- the rule that the score of guard_content.c replaced: a peer, measured beside it */

static size_t new_names(const GuardText *t) {
  size_t n = 0;
  int matter = texts_capitals_matter(t);
  for (size_t i = 0; i < t->n_tokens; i++) {
    int completes =
        (i > 0 && t->tokens[i - 1].match && texts_is_name(&t->tokens[i - 1], 1)) ||
        (i + 1 < t->n_tokens && t->tokens[i + 1].match && texts_is_name(&t->tokens[i + 1], 1));
    n += is_left(&t->tokens[i]) && texts_is_name(&t->tokens[i], matter) && !completes;
  }
  return n;
}

static int is_rare(const Token *x) {
  return is_left(x) && x->kind == TOKEN_WORD && is_content(x) &&
         !has_class(x, WORD_VAGUE | WORD_COMMON);
}

static int stays(const Token *x) {
  return x->match && is_content(x);
}

static size_t rare_left(const GuardText *t, int *narrows) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    const Token *x = &t->tokens[i];
    n += (size_t)is_rare(x);
    *narrows |= i > 0 && is_rare(x) &&
                (has_class(x - 1, WORD_PREPOSITION) ||
                 (stays(x - 1) && i + 1 < t->n_tokens && stays(x + 1)));
  }
  return n;
}

static unsigned frames_of(const GuardText *t) {
  static const char *const words[] = {"what", "which", "how", "why", "where", "when", "who"};
  unsigned frames = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    for (size_t k = 0; is_left(&t->tokens[i]) && k < COUNT_OF(words); k++) {
      frames |= texts_token_is(t, &t->tokens[i], words[k]) ? 1u << k : 0u;
    }
  }
  return frames;
}

static int yes_or_no(const Texts *p) {
  enum { HOW = 4, WHY = 8 };
  int narrows = 0;
  size_t n = rare_left(&p->a, &narrows), m = rare_left(&p->b, &narrows);
  unsigned a = frames_of(&p->a), b = frames_of(&p->b);
  int frame = (a == WHY && b && !(b & (HOW | WHY))) || (b == WHY && a && !(a & (HOW | WHY)));
  return new_names(&p->a) || new_names(&p->b) || (n && m) || frame || narrows;
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
  printf("%.4f %u %d %.2f %d\n", cos, bits, same, us, strcmp(a, b) != 0 && yes_or_no(&p));
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
