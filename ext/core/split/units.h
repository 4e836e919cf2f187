/*
** What of a text may be left out as a whole: sentences of paragraphs and items, rows of tables and records, blocks of code and
** JSON; and what they hang on: headings, markers of items, lines that lead in a list. Between two units stand blanks and line ends
** alone, so a text without some of its units is made of the others and the gaps.
**
** A sentence ends behind . ! ? … 。 ！ ？ । ؟ and what closes there, where another one can begin: not behind an abbreviation, an initial
** or a number of an order, not within a mark (marks.h) or a parenthesis that is closed, and at a line's end only where the line was not wrapped.
**
** A unit hangs on its parent: it is not to be read without it ("needed above"): its heading; a title, a label or the head of a mail in front
** of it (UNIT_TITLE); the item that it is indented under; the first row of its record. A label (heading, marker, head of a table) is
** of no use without one of those that hang on it; nor is a title, but where nothing else says what goes (compress/extract.h) it stays.
*/
#ifndef LLMCOST_UNITS_H
#define LLMCOST_UNITS_H

#include "core/split/blocks.h"
#include "core/split/marks.h"
#include "core/words/tags.h"

#include <stdint.h>

enum {
  UNIT_LABEL = 1,    /* of use only with what hangs on it */
  UNIT_SENTENCE = 2, /* running text: a sentence of a paragraph or an item */
  UNIT_ITEM = 4,     /* within a list's item */
  UNIT_ROW = 8,      /* of a table or of records */
  UNIT_REFERS =
      16, /* begins with a word that means something said before: "This", "He", "However" */
  UNIT_QUESTION = 32,  /* ends with a question mark */
  UNIT_ORDER = 64,     /* holds a negation or a word that gives an order its force */
  UNIT_NUMBER = 128,   /* holds a number or a date */
  UNIT_TURN = 256,     /* begins with who speaks ("User: "): its place in the text is part of it */
  UNIT_TAG_OPEN = 512, /* a tag, */
  UNIT_TAG_CLOSE = 1024, /* and one that closes */
  UNIT_FIRST = 2048,     /* the first of its block */
  UNIT_TITLE =
      4096 /* running text that what follows is read under: "MEMBERS", "Rules:", "Date: Monday", an item with items under it */
};
#define UNIT_NONE ((size_t)-1)

typedef struct TextUnit {
  size_t from, n; /* bytes */
  size_t parent;  /* the unit it hangs on; UNIT_NONE */
  size_t block;   /* its block's place in the text */
  BlockKind kind;
  int level; /* of a heading: 1 to LABEL_LEVEL; else 0 */
  unsigned flags;
} TextUnit;

typedef struct TextUnits {
  TextUnit *at; /* owned */
  size_t n, cap;
  size_t n_blocks;
} TextUnits;

/* The units of n bytes, in order. Any bytes; linear time. Returns RC_OK, or *err without memory. */
int units_find(const char *text, size_t n, TextUnits *out, Err *err);
void units_free(TextUnits *u);

#endif
