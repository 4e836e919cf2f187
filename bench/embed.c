/*
** Microseconds of processor time per text of the local embedders. Usage: bench_embed TEXTS MODEL
**
** TEXTS has one text per line, all of one length. Prints "static USEC" and "minilm USEC": the best of
** the passes over all texts, after one to warm up.
*/
#include "vec/embed/minilm.h"
#include "vec/embed/static_embedder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 10000, PASSES = 3 };

static char *texts[MOST];
static int n_texts;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void read_texts(const char *path) {
  char line[4096];
  FILE *f = fopen(path, "r");
  if (!f) {
    perror(path);
    exit(1);
  }
  while (n_texts < MOST && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    texts[n_texts++] = strdup(line);
  }
  fclose(f);
}

/* One pass; the model may be NULL: the static embedder. */
static double pass_us(MiniLm *model) {
  float v[MINILM_DIM];
  double start = now_us();
  for (int i = 0; i < n_texts; i++) {
    size_t n = strlen(texts[i]);
    if ((model ? minilm_embed(model, texts[i], n, v) : static_embed(texts[i], n, v)) != VEC_OK) {
      fprintf(stderr, "bench_embed: no vector of '%s'\n", texts[i]);
      exit(1);
    }
  }
  return (now_us() - start) / n_texts;
}

static void report(const char *name, MiniLm *model) {
  double best = 0;
  for (int i = 0; i <= PASSES; i++) {
    double us = pass_us(model);
    best = i == 1 || (i > 1 && us < best) ? us : best;
  }
  printf("%s %.3f\n", name, best);
}

int main(int argc, char **argv) {
  char why[256];
  MiniLm *model;
  if (argc != 3) {
    fprintf(stderr, "usage: bench_embed TEXTS MODEL\n");
    return 1;
  }
  read_texts(argv[1]);
  report("static", NULL);
  if (minilm_open(argv[2], &model, why, sizeof why) != VEC_OK) {
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  report("minilm", model);
  minilm_close(model);
  return 0;
}
