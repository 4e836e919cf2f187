/*
** What bench/compress.py asks of compression. The records of stdin end in a NUL each:
**
**   bench_compress extract RATIO HOW   text, question, ...  -> each text with RATIO of its tokens, ended by a NUL
**       HOW: words (as it is shipped without an embedder), cosine (with the static embedder), bm25 (that alone)
**   bench_compress whole METHODS       text, ...            -> each text, compressed by these methods (bits) as a prompt
**   bench_compress tokens              text, ...            -> tokens of each (o200k), a line each
**   bench_compress speed METHODS RATIO text                 -> seconds, bytes before and after, tokens before and after
*/
#include "core/compress/compress.h"
#include "core/tokens/encoding.h"
#include "vec/embed/static_embedder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Asked {
  EncodingCache cache;
  float question[STATIC_DIM];
} Asked;

static long long count(void *arg, const char *text, size_t n) {
  return encoding_count(ENCODING_O200K, text, n, &((Asked *)arg)->cache);
}

static int cosine(void *arg, const char *text, size_t n, double *score, Err *err) {
  Asked *a = arg;
  float v[STATIC_DIM];
  double sum = 0;
  int rc = static_embed(text, n, v);
  for (int i = 0; i < STATIC_DIM && rc == VEC_OK; i++) {
    sum += (double)(v[i] * a->question[i]);
  }
  *score = sum;
  return rc == VEC_NOMEM ? err_nomem(err) : RC_OK;
}

static char *next_record(size_t *n) {
  static char *line;
  static size_t cap;
  ssize_t got = getdelim(&line, &cap, 0, stdin);
  *n = got > 0 ? (size_t)got - (line[got - 1] == 0) : 0;
  return got > 0 ? line : NULL;
}

static int die(const Err *err) {
  fprintf(stderr, "bench_compress: %s\n", err->msg);
  return 1;
}

/* BM25 alone: the same choice by plain scores. */
static int extract_plain(const char *text, size_t n, const ExtractOptions *e, Buf *out, Err *err) {
  TextUnits u = {NULL, 0, 0, 0};
  Cuts cuts = {NULL, 0, 0, 0};
  int fits;
  units_find(text, n, &u, err);
  unsigned char *gone = malloc(u.n + 1), *roles = malloc(u.n + 1);
  if (gone && roles && err->rc == RC_OK) {
    memset(gone, CUT_KEPT, u.n + 1);
    context_find(text, &u, CONTEXT_WHOLE, roles);
    extract_find(text, n, &u, roles, e, gone, &fits, err);
    cuts_of_units(text, n, &u, gone, &cuts, err);
    cuts_apply(&cuts, text, n, out);
  }
  cuts_free(&cuts);
  units_free(&u);
  free(gone);
  free(roles);
  return err->rc;
}

static int extract_all(Asked *a, double ratio, const char *how) {
  size_t n, n_query;
  Err err = {0};
  for (char *line; (line = next_record(&n));) {
    char *text = malloc(n + 1);
    memcpy(text, line, n + 1);
    char *query = next_record(&n_query);
    long long budget = (long long)(ratio * (double)count(a, text, n));
    Buf out;
    buf_init(&out, n + 1);
    memset(a->question, 0, sizeof a->question);
    static_embed(query, n_query, a->question);
    ExtractOptions e = {
        {query, n_query, strcmp(how, "cosine") == 0 ? cosine : NULL, a, strcmp(how, "bm25") == 0},
        budget > 0 ? budget : 1,
        count,
        a};
    if (extract_plain(text, n, &e, &out, &err) != RC_OK) {
      return die(&err);
    }
    fwrite(out.n ? out.data : "", 1, out.n, stdout);
    putchar(0);
    buf_free(&out);
    free(text);
  }
  return 0;
}

static int compress_all(Asked *a, unsigned methods) {
  size_t n;
  Err err = {0};
  for (char *line; (line = next_record(&n));) {
    Compressed c;
    CompressOptions o = {.methods = methods, .count = count, .arg = a};
    if (compress_text(line, n, &o, &c, &err) != RC_OK) {
      return die(&err);
    }
    fwrite(c.text, 1, c.n, stdout);
    putchar(0);
    compressed_free(&c);
  }
  return 0;
}

static int time_one(Asked *a, unsigned methods, double ratio) {
  size_t n;
  Err err = {0};
  char *text = next_record(&n);
  struct timespec from, to;
  Compressed c;
  long long budget = (long long)(ratio * (double)count(a, text, n));
  CompressOptions o = {.methods = methods,
                       .context = CONTEXT_WHOLE,
                       .query = "what does it cost",
                       .n_query = 17,
                       .budget = methods & COMPRESS_EXTRACT ? budget : 0,
                       .count = count,
                       .arg = a};
  clock_gettime(CLOCK_MONOTONIC, &from);
  if (compress_text(text, n, &o, &c, &err) != RC_OK) {
    return die(&err);
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%.4f %zu %zu %lld %lld\n",
         (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, n, c.n,
         c.tokens_before, c.tokens_after);
  compressed_free(&c);
  return 0;
}

int main(int argc, char **argv) {
  Asked *a = calloc(1, sizeof *a);
  if (!a) {
    return 1;
  }
  size_t n;
  int rc = 2;
  if (argc == 4 && strcmp(argv[1], "extract") == 0) {
    rc = extract_all(a, strtod(argv[2], NULL), argv[3]);
  } else if (argc == 3 && strcmp(argv[1], "whole") == 0) {
    rc = compress_all(a, (unsigned)strtoul(argv[2], NULL, 10));
  } else if (argc == 2 && strcmp(argv[1], "tokens") == 0) {
    for (char *line; (line = next_record(&n));) {
      printf("%lld\n", count(a, line, n));
    }
    rc = 0;
  } else if (argc == 4 && strcmp(argv[1], "speed") == 0) {
    rc = time_one(a, (unsigned)strtoul(argv[2], NULL, 10), strtod(argv[3], NULL));
  } else {
    fputs("usage: see the top of bench/compress.c\n", stderr);
  }
  free(a);
  return rc;
}
