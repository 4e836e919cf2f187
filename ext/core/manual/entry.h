/*
** What there is, where names, arguments and a line of each stand once: the rows of the tables under "## Index" of the front
** page (a "### Functions" over a table makes its rows of the kind 'function'), and on every page those of tables whose
** first column is called "setting" or "option of a call". A row may have several names.
*/
#ifndef LLMCOST_MANUAL_ENTRY_H
#define LLMCOST_MANUAL_ENTRY_H

#include "core/manual/page.h"

#include "base/buf.h"

typedef struct Entry {
  Span name, line, kind;  /* kind: the heading, "Functions"; the column's name */
  Span arguments;         /* between its brackets; at NULL: it takes none */
  Span rest;              /* of its cell: more names */
  const ManualPage *page; /* on which it is listed */
} Entry;

/* The next entry of a walk, behind *e (at first zeroed): 1, or 0 at the end. */
int entry_next(Walk *w, Entry *e);

/* Appends the kind's word: "table function". */
void entry_put_kind(const Entry *e, Buf *out);

/* The page that explains it: where it is listed, unless that is the front page; that with a heading that names it, else with a row; NULL: none. */
const ManualPage *entry_page(const ManualPage *pages, const Entry *e);

/* 1 if a text has that name in backticks, alone or with arguments. */
int names_it(Span text, const char *name, size_t n);

#endif
