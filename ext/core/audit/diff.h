/*
** Two texts, line by line: what is in both, what only in the first, what only in the second.
**
** What they begin and end with is the same; between, the longest common subsequence of lines is found by the table of all
** pairs of lines. Where that table would be too large (some two thousand lines that differ on each side) all of it counts as
** gone and as new, which is right, and longer than need be.
*/
#ifndef LLMCOST_DIFF_H
#define LLMCOST_DIFF_H

#include <stddef.h>

/* Pairs of lines that are compared: 8 MB of numbers, some 10 ms. */
#define DIFF_MOST_PAIRS ((size_t)4 << 20)

typedef struct DiffLine {
  char op;                 /* ' ', '-', '+' */
  const char *text;        /* borrowed, without its line feed */
  size_t n;                /* bytes */
  long long first, second; /* its number in each, from 1; 0: it is not in it */
} DiffLine;

/* How many lines, and they themselves (owned, free); -1 without memory. Gone ones stand before new ones. An empty text has no
** lines; a last line without a line feed is one. */
long long diff_lines(const char *first, const char *second, DiffLine **lines);

#endif
