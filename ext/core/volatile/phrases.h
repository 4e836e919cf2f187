/*
** Phrases: patterns of words with gaps (sql/volatile.tsv), and where they stand in a text.
**
** A pattern is elements apart by blanks: `a|b` one of these words, `(a|b)` the same or nothing, `<name>` one of the words
** of that class, `%` a number, `*` up to three words of any kind, `**` up to twelve, `^` in front: only where a clause
** begins, `$` at the end: only where the sentence ends. `_` stands for a blank inside an element, `~` at a word's end for
** any ending. Chinese and Japanese characters are a word each.
**
** Words are compared as Unicode folds them for compatibility (NFKC) and case, without accents: people leave them out.
**
** Needs no memory of the heap, so that it can't fail; the list is read at the first use, in any thread.
*/
#ifndef LLMCOST_PHRASES_H
#define LLMCOST_PHRASES_H

#include <stddef.h>
#include <stdint.h>

/* The kinds of patterns, as the list calls them. */
#define PHRASE_KINDS(X)                                                                            \
  X(PHRASE_NOW, "now")           /* the answer depends on when it is asked */                      \
  X(PHRASE_PERSONAL, "personal") /* or on who asks */                                              \
  X(PHRASE_ALONE, "alone")       /* the whole text: says nothing without what was said before */   \
  X(PHRASE_GENERAL, "general")   /* what follows in its sentence is neither */                     \
  X(PHRASE_TIMELESS, "timeless") /* ... is not of now */                                           \
  X(PHRASE_ANYONE, "anyone")     /* ... is nobody's own */                                         \
  X(PHRASE_ABOUT, "about")       /* a task over a text: what that says is not asked */             \
  X(PHRASE_OPENER, "opener")     /* a clause begins behind it */

typedef enum PhraseKind {
#define PHRASE_ID(id, name) id,
  PHRASE_KINDS(PHRASE_ID)
#undef PHRASE_ID
      PHRASE_N_KINDS
} PhraseKind;

enum {
  PHRASE_WORDS = 1024,  /* of a text: more than FRONT and BACK of volatile.c hold */
  PHRASE_BYTES = 8192,  /* of these, folded */
  PHRASE_MOST_HITS = 16 /* at one place: further ones are not told */
};

enum {
  WORD_SENTENCE = 1, /* a sentence begins with it */
  WORD_CLAUSE = 2,   /* or a clause */
  WORD_NUMBER = 4,   /* digits alone */
  WORD_QUOTE = 8     /* stands for something quoted, and is no word */
};

typedef struct PhraseWord {
  uint16_t at, n; /* in `bytes` */
  uint8_t flags;
} PhraseWord;

typedef struct PhraseText {
  int n_words;
  size_t n_bytes;
  unsigned next; /* flags of the next word */
  PhraseWord words[PHRASE_WORDS + 1];
  char bytes[PHRASE_BYTES];
} PhraseText;

typedef struct PhraseHit {
  PhraseKind kind;
  const char *pattern; /* as it stands in the list; static */
  int end;             /* the word behind it */
} PhraseHit;

void phrases_begin(PhraseText *t);

/* Adds the words of n bytes (any bytes: what is not UTF-8 separates words), as far as there is room. */
void phrases_read(PhraseText *t, const char *text, size_t n);

/* The patterns that stand at word `at` of a sentence that ends before word `end`; their number. */
int phrases_match(const PhraseText *t, int at, int end, PhraseHit hits[PHRASE_MOST_HITS]);

#endif
