/*
** Lines, and what a few of them together are: columns, records, code. Within the room.
*/
#ifndef LLMCOST_LINES_H
#define LLMCOST_LINES_H

#include <stddef.h>

typedef struct Line {
  size_t from, end; /* without its line end */
  size_t next;      /* where the next one begins */
  size_t first;     /* its first visible byte; end: it is blank */
  size_t last;      /* behind its last visible byte; from: it is blank */
} Line;

/* The line that begins at `at`, below n. */
Line line_at(const char *text, size_t n, size_t at);

static inline int line_is_blank(const Line *l) {
  return l->first == l->end;
}

/* Its indentation in columns (a tab goes to the next multiple of four). */
size_t line_indent(const char *text, const Line *l);

/* What lines [from, end) of one paragraph are, two at least: 1 for columns (parted by tabs, or by runs of
** blanks that begin, end, or have the word behind them end, in one column of two lines beside each other); for records (key: value); for code. */
int lines_are_columns(const char *text, size_t from, size_t end);
int lines_are_records(const char *text, size_t from, size_t end);
int lines_are_code(const char *text, size_t from, size_t end);

#endif
