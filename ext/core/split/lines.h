/*
** Lines, and what a few of them together are: columns, records, code. Within the room.
*/
#ifndef LLMCOST_LINES_H
#define LLMCOST_LINES_H

#include <stddef.h>
#include <string.h>

typedef struct Line {
  size_t from, end; /* without its line end */
  size_t next;      /* where the next one begins */
  size_t first;     /* its first visible byte; end: it is blank */
  size_t last;      /* behind its last visible byte; from: it is blank */
} Line;

/* Bytes of the mark that a text may begin with to say that it is UTF-8: no part of what it says. */
static inline size_t order_mark(const char *text, size_t n) {
  return n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* The line that begins at `at`, below n. */
Line line_at(const char *text, size_t n, size_t at);

static inline int line_is_blank(const Line *l) {
  return l->first == l->end;
}

/* Its indentation in columns (a tab goes to the next multiple of four). */
size_t line_indent(const char *text, const Line *l);

/* Behind the bracket that closes the "{" or "[" at `at`; 0: none does before `end`. *work is the number of bytes that may still be read. */
size_t bracket_end(const char *text, size_t at, size_t end, size_t *work);

/* Behind the bracketed value that begins at `at`, a "{" or "[" with a quoted name or string in it, balanced before `end`: JSON and its
** like (comments, commas too many, single quotes around names; a list of strings in these is text). 0: none does. */
size_t value_end(const char *text, size_t at, size_t end, size_t *work);

/* What may be read in search of the values of n bytes: many lines of "{" would else be read for ever. */
static inline size_t value_work(size_t n) {
  return 8 * n + 65536;
}

/* The line that begins at `at`, up to the end of the one in which the last value ends that begins in it. */
Line line_of_values(const char *text, size_t n, size_t at, size_t *work);

/* Of a record ("key: value", or "key:" alone; behind "- " too) the length of its key, which begins at *from; 0: the line is none. */
size_t line_key(const char *text, const Line *l, size_t *from);

/* What lines [from, end) of one paragraph are, two at least: 1 for columns (parted by tabs, or by runs of
** blanks that begin, end, or have the word behind them end, in one column of two lines beside each other); for records (key: value); for code. */
int lines_are_columns(const char *text, size_t from, size_t end);
int lines_are_records(const char *text, size_t from, size_t end);
int lines_are_code(const char *text, size_t from, size_t end);

#endif
