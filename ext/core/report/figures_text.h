/*
** Files of named statements: sql/report/figures.sql, which says how they are written, and markdown.sql.
*/
#ifndef LLMCOST_FIGURES_TEXT_H
#define LLMCOST_FIGURES_TEXT_H

#include "base/buf.h"
#include "base/error.h"

/* A statement of such a file; texts are of the file, not ended by NULs. */
typedef struct FigureText {
  const char *name, *title, *sql;
  size_t n_name, n_title, n_sql;
  int first; /* rows that are shown; 0: all */
  int most;  /* with more rows it is left out; 0: never */
} FigureText;

/* The next statement behind *at (at first the file's text): 1, or 0 at the end. */
int figure_text_next(const char **at, FigureText *figure);

/* What stands for a $name. */
typedef struct FigureWord {
  const char *name, *means;
  int has_names; /* 1: names in it are replaced, too; else it stands as it is */
} FigureWord;

/* Appends n bytes of SQL with each $name replaced: by one of `words` (which end with a NULL name), or by what the file `lets` it be.
** What can't be told of a name is left as it stands. */
void figure_text_expand(const char *sql, size_t n, const FigureWord *words, const char *lets,
                        Buf *out);

#endif
