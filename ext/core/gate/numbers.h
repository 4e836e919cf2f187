/*
** Numbers as people write them: 1,000 and 1.000 and 1 000 and 1'000 and 1000; 2.50 and 2,5; 45 %; "three".
*/
#ifndef LLMCOST_NUMBERS_H
#define LLMCOST_NUMBERS_H

#include <stddef.h>

typedef struct Number {
  size_t begin, end; /* bytes of the text, without sign and percent */
  double value;      /* 0 or more */
  double other;      /* the other reading: 1.000 is 1 or 1000; NAN: there is none */
  int is_percent;    /* a percent sign stands behind it */
  int is_plain;      /* 0: parts that are no number: 1.2.3, 2026-03-04 is three, each plain */
} Number;

/* 1 if a number begins at byte i: a digit, or a point that stands for "0." (.50). */
int number_begins(const char *text, size_t n, size_t i);

/* Reads the number that begins at byte i. Returns what is behind it. */
size_t number_read(const char *text, size_t n, size_t i, Number *number);

/* The next number at or behind *at, which it moves behind it: 0 at the end. */
int number_next(const char *text, size_t n, size_t *at, Number *number);

/* Bytes of a blank that may part thousands or stand before a percent sign (also no-break and thin ones); 0: none. */
size_t number_blank(const char *text, size_t n, size_t i);

/* The value of a word that is a number, or of a month's name (its place in the year), n bytes of folded text in one of six
** languages; -1: none. */
int number_word(const char *word, size_t n);

#endif
