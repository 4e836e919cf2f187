/*
** See diff.h for the contract.
*/
#include "core/audit/diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Line {
  const char *text;
  size_t n;
} Line;

typedef struct Lines {
  Line *at;
  size_t n;
} Lines;

/* Owned (free); NULL without memory. */
static Line *split(const char *text, size_t *n) {
  size_t feeds = 0;
  for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++) {
    feeds++;
  }
  Line *lines = malloc((feeds + 1) * sizeof *lines);
  *n = 0;
  while (lines && *text) {
    size_t length = strcspn(text, "\n");
    lines[(*n)++] = (Line){text, length};
    text += length + (text[length] == '\n');
  }
  return lines;
}

static int is_same(const Line *a, const Line *b) {
  return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

typedef struct Diff {
  Lines a, b;
  size_t front, back; /* lines that are the same */
  DiffLine *out;
  long long n;
} Diff;

static void put(Diff *d, char op, size_t i, size_t j) {
  const Line *l = op == '+' ? &d->b.at[j] : &d->a.at[i];
  d->out[d->n++] = (DiffLine){op, l->text, l->n, op == '+' ? 0 : (long long)i + 1,
                              op == '-' ? 0 : (long long)j + 1};
}

static void trim(Diff *d) {
  size_t most = d->a.n < d->b.n ? d->a.n : d->b.n;
  while (d->front < most && is_same(&d->a.at[d->front], &d->b.at[d->front])) {
    d->front++;
  }
  while (d->back < most - d->front &&
         is_same(&d->a.at[d->a.n - d->back - 1], &d->b.at[d->b.n - d->back - 1])) {
    d->back++;
  }
}

/* How long the longest common subsequence is of what begins at each pair of lines: (rows + 1) × (columns + 1), owned; NULL
** without memory. */
static uint16_t *measure(const Diff *d, size_t rows, size_t columns) {
  size_t width = columns + 1;
  uint16_t *table = calloc((rows + 1) * width, sizeof *table);
  for (size_t i = rows; table && i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      uint16_t down = table[(i + 1) * width + j], right = table[i * width + j + 1];
      uint16_t same = (uint16_t)(table[(i + 1) * width + j + 1] + 1);
      int is = is_same(&d->a.at[d->front + i], &d->b.at[d->front + j]);
      table[i * width + j] = is ? same : down > right ? down : right;
    }
  }
  return table;
}

/* The lines between. Returns 0 without memory. */
static int walk(Diff *d) {
  size_t rows = d->a.n - d->front - d->back, columns = d->b.n - d->front - d->back, i = 0, j = 0;
  int is_small =
      rows < UINT16_MAX && columns < UINT16_MAX && (rows + 1) * (columns + 1) <= DIFF_MOST_PAIRS;
  uint16_t *table = is_small && rows && columns ? measure(d, rows, columns) : NULL;
  if (is_small && rows && columns && !table) {
    return 0;
  }
  while (i < rows || j < columns) {
    size_t at = i * (columns + 1) + j;
    int is_inside = table && i < rows && j < columns;
    if (is_inside && is_same(&d->a.at[d->front + i], &d->b.at[d->front + j])) {
      put(d, ' ', d->front + i++, d->front + j++);
    } else if (i < rows && (!is_inside || table[at + columns + 1] >= table[at + 1])) {
      put(d, '-', d->front + i++, 0);
    } else {
      put(d, '+', 0, d->front + j++);
    }
  }
  free(table);
  return 1;
}

long long diff_lines(const char *first, const char *second, DiffLine **lines) {
  Diff d = {.n = 0};
  d.a.at = split(first, &d.a.n);
  d.b.at = split(second, &d.b.n);
  d.out = d.a.at && d.b.at ? malloc((d.a.n + d.b.n + 1) * sizeof *d.out) : NULL;
  int is_done = 0;
  if (d.out) {
    trim(&d);
    for (size_t i = 0; i < d.front; i++) {
      put(&d, ' ', i, i);
    }
    is_done = walk(&d);
    for (size_t i = d.back; i > 0 && is_done; i--) {
      put(&d, ' ', d.a.n - i, d.b.n - i);
    }
  }
  free(d.a.at);
  free(d.b.at);
  if (!is_done) {
    free(d.out);
    d.out = NULL;
  }
  *lines = d.out;
  return is_done ? d.n : -1;
}
