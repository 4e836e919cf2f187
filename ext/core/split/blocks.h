/*
** A text's blocks: headings, paragraphs, items of lists, tables, code, JSON, tags, as Markdown has them and as people write them
** without it. Every byte is in one block or between two: there stand blanks and line ends alone.
**
** A block begins where its first line does (its indentation is its own) and ends behind its last visible byte, but code and
** tables, in which blanks have a meaning, end where their last line does. When in doubt it is code: what is code is left alone.
*/
#ifndef LLMCOST_BLOCKS_H
#define LLMCOST_BLOCKS_H

#include "base/error.h"

#include <stddef.h>

typedef enum BlockKind {
  BLOCK_PARAGRAPH,
  BLOCK_HEADING, /* # …, underlined, or a line of its own that ends with a colon (in bold, too) */
  BLOCK_ITEM, /* of a list: "- ", "* ", "1. ", "1) ", "(a) ", "B. ", "[1] ", with its further lines */
  BLOCK_TABLE, /* | … |, columns parted by tabs or by blanks */
  BLOCK_LINES, /* of records: key: value, one a line */
  BLOCK_CODE,  /* fenced (with its fences), indented, or recognised by its signs; a diff; YAML */
  BLOCK_JSON,  /* one value, alone on its lines */
  BLOCK_FENCED_JSON, /* fenced, what is between the fences (body) being one value */
  BLOCK_TAG,         /* a line that is a tag alone: <document id="1">; a fence of ```context */
  BLOCK_RULE         /* --- */
} BlockKind;

enum { LABEL_LEVEL = 7 }; /* of a line that ends with a colon: under those of Markdown, 1 to 6 */

typedef struct Block {
  size_t from, n;
  size_t body,
      body_n; /* of an item: what is behind its marker; of fenced JSON: the value; else the block */
  BlockKind kind;
  int level; /* of a heading */
} Block;

typedef struct Blocks {
  Block *at; /* owned */
  size_t n, cap;
} Blocks;

/* The blocks of n bytes, in order. Any bytes; linear time. Returns RC_OK, or *err without memory. */
int blocks_find(const char *text, size_t n, Blocks *out, Err *err);
void blocks_free(Blocks *b);

/* 1 if blanks within blocks of that kind may be squeezed (outside of marks, marks.h). */
int block_is_prose(BlockKind kind);

#endif
