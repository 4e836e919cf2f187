/*
** The progress of a run as one line for a terminal:
**
**   420 of 1,000 rows (42 %), 12 rows/s, 48 s left, 3 errors, 210 cached, $0.12 of about $0.30, waiting for tokens 34 s
**
** ASCII, so that a byte is a column; what matters least is left out first where it is too narrow. What is not known is not said: no number
** stands for it.
*/
#ifndef LLMCOST_BAR_H
#define LLMCOST_BAR_H

#include "core/pace/pace.h"

#include <stddef.h>

typedef struct Bar {
  long long done, total;  /* rows; total -1: not known yet */
  long long hits, errors; /* of those done */
  long long elapsed_ms;
  long long spent_nusd, expected_nusd; /* of the whole run; expected -1: not known */
  PaceWhy why;                         /* what the next request waits for */
  long long wait_ms; /* how long all of the wait is or will be; shown from two seconds on */
} Bar;

enum { BAR_BYTES = 200 }; /* the longest line, with its NUL */

/* Rows a second; NAN: not known (nothing is done, or no time has passed). */
double bar_rate(const Bar *bar);

/* Milliseconds until all is done, at that rate; -1: not known. */
long long bar_left_ms(const Bar *bar);

/* Writes the line, of at most `width` columns and without a line's end; returns its length. */
size_t bar_line(const Bar *bar, int width, char out[BAR_BYTES]);

#endif
