/*
** A page of the manual as blocks: the part of Markdown that our pages are written in.
**
**   # heading          1 to 6 '#'
**   | a | b |          a table: a header, a line of dashes, rows; '\|' is a bar in a cell
**   * item             also '- ' and '1. '; goes on until a blank line or the next block
**   ```                code, until the closing fence
**   <!-- … -->         nothing; behind a heading "also: quickstart, tutorial" are words that help finds it by
**
** and paragraphs. Any text is a page: what has no form is a paragraph. Spans borrow from the text.
*/
#ifndef LLMCOST_MANUAL_PAGE_H
#define LLMCOST_MANUAL_PAGE_H

#include "sql/sql_text.h"

#include <stddef.h>

typedef struct Span {
  const char *at;
  size_t n;
} Span;

typedef enum PageBlockKind {
  PAGE_HEADING,
  PAGE_ROW,
  PAGE_ITEM,
  PAGE_CODE,
  PAGE_TEXT
} PageBlockKind;

typedef struct PageBlock {
  PageBlockKind kind;
  int level; /* of a heading */
  Span text; /* without the marks of a heading, the fences of code */
  Span head; /* of a row: the header of its table */
} PageBlock;

/* What is left of a text. */
typedef struct PageBlocks {
  const char *at;
  Span head; /* the table we are in; n 0: none */
} PageBlocks;

void blocks_start(PageBlocks *b, const char *text);

/* The next one: 1, or 0 at the end. */
int blocks_next(PageBlocks *b, PageBlock *block);

/* The cell i (from 0) of a row, without blanks around it: 1, or 0 where it has fewer. */
int row_cell(Span row, int i, Span *cell);

/* The next text in backticks in *rest, which moves behind it: 1, or 0. */
int span_code(Span *rest, Span *code);

/* 1 if it is that text; in any case of ASCII letters. */
int span_same(Span a, const char *text, size_t n);

/* Without blanks at both ends. */
Span span_trim(Span s);

/* Every block of some pages (ended by a NULL name), with where it stands. */
typedef struct Walk {
  const ManualPage *page; /* of the block */
  PageBlocks blocks;
  PageBlock block;
  PageBlocks section; /* what stands behind the latest heading */
  Span heading;       /* the latest, the block itself where it is one */
  Span also;          /* other words for what it is about: a comment "also: …" right behind it */
  int level;          /* of it */
  int is_in_index;    /* under the index of the front page */
} Walk;

void walk_start(Walk *w, const ManualPage *pages);
int walk_next(Walk *w);

#endif
