/*
** Speed of the exact token counts. Usage: tokens ENCODING RECORDS      texts as token_texts.py writes them
**                                          tokens ENCODING linear [MB] time per byte at 1, 4 and 16 MB, or up to MB
** Prints what the first count took; then "llmcost FRESH AGAIN TOKENS": MB/s over the second half of the
** texts, when only the first half was counted before, and the best of four passes more; or a line per kind
** of text.
*/
#include "core/tokens/encoding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static EncodingCache cache; /* as a connection has one */

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Counts the records from `at` on; seconds, and what they hold. */
static double pass(Encoding e, const char *data, size_t at, size_t size, size_t *bytes,
                   long long *tokens) {
  double start = seconds();
  *tokens = 0;
  *bytes = 0;
  while (at < size) {
    unsigned n;
    memcpy(&n, data + at, sizeof n);
    *tokens += encoding_count(e, data + at + sizeof n, n, &cache);
    *bytes += n;
    at += sizeof n + n;
  }
  return seconds() - start;
}

/* Where the second half of the records begins. */
static size_t half(const char *data, size_t size) {
  size_t records = 0, at = 0;
  for (int round = 0; round < 2; round++) {
    size_t most = round ? records / 2 : SIZE_MAX, n = 0;
    for (at = 0; at < size && n < most; n++) {
      unsigned length;
      memcpy(&length, data + at, sizeof length);
      at += sizeof length + length;
    }
    records = n;
  }
  return at;
}

static int speed(Encoding e, const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END) != 0) {
    return 1;
  }
  size_t size = (size_t)ftell(f), bytes;
  char *data = malloc(size + 1);
  rewind(f);
  if (!data || fread(data, 1, size, f) != size) {
    return 1;
  }
  fclose(f);
  long long tokens;
  size_t second = half(data, size);
  for (int i = 0; i < 3; i++) {
    pass(e, data, 0, second, &bytes, &tokens);
  }
  double fresh = pass(e, data, second, size, &bytes, &tokens), best = fresh;
  for (int i = 0; i < 4; i++) {
    double took = pass(e, data, second, size, &bytes, &tokens);
    best = took < best ? took : best;
  }
  printf("llmcost %.2f %.2f %lld\n", (double)bytes / 1e6 / fresh, (double)bytes / 1e6 / best,
         tokens);
  free(data);
  return 0;
}

static void fill(char *text, size_t n, const char *piece) {
  size_t length = strlen(piece);
  unsigned long long random = 88172645463325252ULL;
  for (size_t i = 0; i < n; i++) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    text[i] = length ? piece[i % length] : (char)('a' + random % 26);
  }
}

static int linear(Encoding e, size_t most) {
  static const char *const kinds[][2] = {{"one letter", "a"},
                                         {"blanks", " "},
                                         {"newlines", "\n"},
                                         {"digits", "7"},
                                         {"'ab'", "ab"},
                                         {"random letters", ""},
                                         {"emoji", "\U0001f600"},
                                         {"not UTF-8", "\xff"},
                                         {"capitals", "ABCDEFGHIJ"},
                                         {"ideographs", "\u4e2d\u6587"},
                                         {"marks", "=-"},
                                         {"one letter, accented", "\u00e9"}};
  printf("ns per byte at 1, 4 and 16 MB\n");
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    printf("%-22s", kinds[k][0]);
    for (size_t mb = 1; mb <= most; mb *= 4) {
      size_t n = mb << 20;
      char *text = malloc(n);
      if (!text) {
        return 1;
      }
      fill(text, n, kinds[k][1]);
      double start = seconds();
      long long tokens = encoding_count(e, text, n, &cache);
      printf(" %10.2f", (seconds() - start) * 1e9 / (double)n);
      fflush(stdout);
      free(text);
      if (tokens < 0) {
        return 1;
      }
    }
    printf("\n");
  }
  return 0;
}

int main(int argc, char **argv) {
  int e = argc == 3 || argc == 4 ? encoding_parse(argv[1]) : -1;
  if (e < 0) {
    fputs("usage: tokens ENCODING RECORDS|linear [MB]\n", stderr);
    return 2;
  }
  double start = seconds();
  encoding_count((Encoding)e, "a", 1, &cache);
  printf("first_use_ms %.1f\n", (seconds() - start) * 1e3);
  size_t most = argc == 4 ? strtoull(argv[3], NULL, 10) : 16;
  return strcmp(argv[2], "linear") == 0 ? linear((Encoding)e, most) : speed((Encoding)e, argv[2]);
}
