/*
** PageBlocks of the manual as text for a terminal: lines of SHOW_WIDTH characters where they can be broken, no marks of
** Markdown but backticks; a row of a table is its first cell, and under it the others.
*/
#ifndef LLMCOST_MANUAL_SHOW_H
#define LLMCOST_MANUAL_SHOW_H

#include "core/manual/page.h"

#include "base/buf.h"

enum { SHOW_WIDTH = 79 };

/* Appends a block with a line end. Whether it failed, `out` says. */
void show_block(const PageBlock *block, Buf *out);

/* Appends a text of one paragraph: its first line goes behind what stands in the line already (`column` characters), the
** others begin with `indent` blanks. */
void show_text(Span text, size_t column, size_t indent, Buf *out);

/* Appends it in one line, without marks. */
void show_plain(Span text, Buf *out);

#endif
