/*
** What an answer says in its own voice: the text without code (fences, `spans`), quotations (of every kind of mark that
** pairs) and lines that are quoted by mail's '>'; folded (core/route/fold.h), without the stars and hashes of Markdown;
** as sentences, and phrases sought in them.
*/
#ifndef LLMCOST_PROSE_H
#define LLMCOST_PROSE_H

#include "base/buf.h"
#include "core/gate/gate.h"

/* A quotation longer than this is none: a mark without its partner doesn't hide the rest of a text. */
enum { PROSE_QUOTATION = 2000 };

/* Appends the prose of a text. A text that is one quotation from end to end is what stands in it. Where something was
** taken out stands a mark that is in no word. Returns RC_OK, RC_NOMEM or RC_TOOBIG. */
int prose_of(const GateText *text, Buf *out);

/* The bytes of a quotation that begins at p, marks included, and *inner its text; 0 where none does. `before` is the byte in
** front of it, 0 at the text's begin. */
size_t prose_quotation(const char *p, const char *end, char before, GateText *inner);

/* The next sentence of folded text: moves *at (n bytes in all) behind it; 0 at the end. Ends at . ! ? before a blank, at the
** full stops of Chinese and Japanese, and at line breaks; its closing mark belongs to it. */
int prose_sentence(const char *text, size_t n, size_t *at, GateText *sentence);

/* A text without blanks at its ends. */
GateText prose_trimmed(GateText t);

/* The last sentence. */
int prose_last(const char *text, size_t n, GateText *sentence);

/* Where one of the phrases ("i can't|i cannot|entschuldig~": from word to word; with ~ the last word may go on; Chinese and
** Japanese ones stand anywhere) stands first at or behind byte `from` of folded text, and *end behind it; -1: nowhere. */
long prose_find(const GateText *text, size_t from, const char *phrases, size_t *end);

/* How many of its places hold one. */
long long prose_count(const GateText *text, const char *phrases);

#endif
