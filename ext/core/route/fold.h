/*
** Text as scorers and gates compare it, a character at a time: lower case (of every script that has one), canonical
** compositions made ("e" and an accent are "é"), every run of blanks one blank and every run of line breaks one line
** break, none at either end, typographic apostrophes and hyphens plain, zero-width characters gone. Any bytes: what is
** not UTF-8 is U+FFFD, a control character a blank.
**
** So that case, blanks and the way a keyboard composes letters change nothing that is counted.
*/
#ifndef LLMCOST_FOLD_H
#define LLMCOST_FOLD_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* What a character is. */
enum {
  FOLD_LETTER = 1,
  FOLD_DIGIT = 2,
  FOLD_JOINS = 4, /* is no letter, but parts no words: '_' */
  FOLD_MARK = 8,  /* belongs to the letter before it: accents, vowel signs */
  FOLD_CJK = 16,  /* a letter, and a word of its own: Chinese, Japanese, Korean */
  FOLD_UPPER = 32 /* was upper case */
};
#define FOLD_IN_WORD (FOLD_LETTER | FOLD_DIGIT | FOLD_JOINS | FOLD_MARK)

typedef struct Fold {
  const unsigned char *at, *end;
  int has_begun;
} Fold;

typedef struct FoldChar {
  int32_t c;     /* -1 behind the last one */
  unsigned kind; /* FOLD_… */
} FoldChar;

/* Begins a text of n bytes (borrowed), which may hold NULs. */
void fold_begin(Fold *f, const char *text, size_t n);

/* The next character. */
FoldChar fold_next(Fold *f);

/* The next `most` characters at most, in two arrays; returns their number. A fifth of the time. */
int fold_read(Fold *f, int32_t *chars, uint8_t *kinds, int most);

/* Appends the folded text as UTF-8. Returns RC_OK, RC_NOMEM or RC_TOOBIG. */
int fold_text(const char *text, size_t n, Buf *out);

/* Writes as much of the folded text as fits into `size` bytes with its NUL, cut between characters; returns its bytes. */
size_t fold_copy(const char *text, size_t n, char *out, size_t size);

/* What a character (of folded text) is. */
unsigned fold_kind(int32_t c);

#endif
