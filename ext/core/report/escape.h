/*
** Texts of the ledger, which may be anything, where something else would be made of them.
*/
#ifndef LLMCOST_ESCAPE_H
#define LLMCOST_ESCAPE_H

#include "base/buf.h"

/* Appends n bytes as a JSON string; what is no UTF-8 is U+FFFD. */
void escape_json(const char *text, size_t n, Buf *out);

/* Appends n bytes as they are read, for a line or a cell of GitHub's Markdown: what Markdown or HTML would take for its own is escaped,
** what would break a line is a blank, marks that turn its direction are dropped. Behind `most` bytes it is cut: "…". */
void escape_markdown(const char *text, size_t n, size_t most, Buf *out);

#endif
