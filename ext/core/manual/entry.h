/*
** What there is: the rows of the tables under "## Index" of the front page, where names, arguments and a line of each
** stand once. A "### Functions" over a table makes its rows of the kind 'function'.
*/
#ifndef LLMCOST_MANUAL_ENTRY_H
#define LLMCOST_MANUAL_ENTRY_H

#include "core/manual/page.h"

#include "base/buf.h"

typedef struct Entry {
  Span name, line, kind; /* kind: the heading, "Functions" */
  Span arguments;        /* between its brackets; at NULL: it takes none */
} Entry;

/* The next entry of a walk: 1, or 0 at the end. */
int entry_next(Walk *w, Entry *e);

/* Appends the kind's word: "table function". */
void entry_put_kind(const Entry *e, Buf *out);

/* The page that explains it: that with a heading that names it, else with a row; NULL: none. */
const ManualPage *entry_page(const ManualPage *pages, const Entry *e);

/* 1 if a text has that name in backticks, alone or with arguments. */
int names_it(Span text, const char *name, size_t n);

#endif
