/*
** Results cut into lines, as they come: in pieces of any size, with the memory of the longest line.
**
** A line ends at LF and nowhere else; blanks at its ends (a CR among them) are no part of it, nor is a byte order mark in front of
** the first; blank lines are passed over. Of results that are elements of an array in a JSON object, each element is a line, and what
** stands around the array is kept.
*/
#ifndef LLMCOST_BATCH_SPLIT_H
#define LLMCOST_BATCH_SPLIT_H

#include "base/buf.h"
#include "base/error.h"

enum { SPLIT_NAME = 72 };

typedef struct SplitLine {
  const char
      *at; /* borrowed until the next is asked for; not NUL-terminated; "" where it is too long */
  size_t n;
  long long number; /* from 1, blank lines not counted */
  int is_whole;     /* 0: the bytes ended before its end did */
  int is_too_long;  /* it was passed over; n is what it had */
  char id
      [SPLIT_NAME]; /* of one that is too long: its custom_id, where it was found and fits; else "" */
} SplitLine;

/* Where in an object of JSON the bytes are: its members' names, and the value of one. */
typedef struct SplitScan {
  long long depth;
  int in_string, is_escaped;
  int is_value;          /* behind a colon */
  int is_caught;         /* the string is at the outermost level: kept in `text` */
  char name[SPLIT_NAME]; /* the last member of the outermost level */
  char text[SPLIT_NAME];
  size_t n; /* of `text`; SPLIT_NAME: it did not fit */
  char id[SPLIT_NAME];
} SplitScan;

typedef struct Split {
  const char *names; /* of arrays; NULL: lines */
  size_t most;
  const char *in; /* what was fed and is not looked at yet: borrowed */
  size_t n_in;
  Buf line, around;
  int is_over;   /* nothing more is fed */
  int is_inside; /* of an element; of the array */
  int is_in_array, is_scalar;
  int is_skipping; /* the line is too long */
  size_t skipped;  /* its bytes */
  int is_handed;   /* the caller has the line */
  long long number;
  SplitScan scan;  /* of the object around elements */
  SplitScan inner; /* of a line that is too long */
} Split;

/* `names`: as BatchForm's results_names. `most`: the longest line, in bytes. */
void batch_split_init(Split *s, const char *names, size_t most);
void batch_split_free(Split *s);

/* Gives it the next n bytes, which stay where they are until batch_split_next has returned 0. */
void batch_split_feed(Split *s, const char *bytes, size_t n);

/* Says that nothing more comes. */
void batch_split_end(Split *s);

/* The next line: 1; 0 where more must be fed, or all is read; and with *err (memory alone). */
int batch_split_next(Split *s, SplitLine *line, Err *err);

/* Of elements: the object around them, without them: JSON once all is read. NULL where it was larger than a line may be. Borrowed. */
const char *batch_split_around(const Split *s, size_t *n);

#endif
