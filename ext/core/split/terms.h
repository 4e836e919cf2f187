/*
** The words of a text as compression compares them: folded (case, accents, compatibility forms), each with a key, a stem
** and what it is. Where a sentence may be left out is decided from these alone, so all that changes a sentence's meaning and is
** no letter (a percent sign, a minus, a question mark) is a term too.
**
** Words are runs of letters, digits and marks; numbers keep what stands between their digits ("1,000.50", "2026-03-04",
** "10:30"), names keep the number behind their hyphen ("ORD-123"); "don't" is one word. Of scripts written without blanks each
** character is a word. Any bytes: what is not UTF-8 parts words. Needs no memory.
*/
#ifndef LLMCOST_TERMS_H
#define LLMCOST_TERMS_H

#include <stddef.h>
#include <stdint.h>

enum {
  TERM_STOP = 1,     /* grammar: says nothing alone (English and seven other languages) */
  TERM_NUMBER = 2,   /* holds a digit, or is the word of a number */
  TERM_CAPITAL = 4,  /* begins with a capital */
  TERM_NEGATION = 8, /* not, never, without, ... */
  TERM_ORDER =
      16, /* gives an order its force: must, always, only, until, ask, ... A negation does too */
  TERM_SIGN = 32,       /* no word: "%", "-" in front of a digit, "?" */
  TERM_DATE = 64,       /* a month, a weekday, "yesterday" */
  TERM_UNIT = 128,      /* kg, hours, euros */
  TERM_FORMAT = 256,    /* how an answer is to look: JSON, table, bullets */
  TERM_REFERS = 512,    /* means something that was said before: this, he, they, then */
  TERM_ALONE = 1024,    /* a character that is a word */
  TERM_CAPS = 2048,     /* two capitals or more, and nothing else: "US" */
  TERM_QUESTION = 4096, /* who, when, how */
  TERM_PRONOUN =
      16384, /* of those that refer: it, they, he; what they mean may stand in front of them in their own sentence */
  TERM_LINKS =
      8192 /* at a sentence's beginning, links it to the one before: so, but, also, its, such */
};

enum { TERM_FRONT = 5 };

typedef struct Term {
  size_t from, n; /* bytes of the text */
  uint64_t key;   /* equal for equal folded words */
  uint64_t stem;  /* equal for inflections of an English word; else the key */
  uint64_t
      front; /* equal for words whose first TERM_FRONT folded bytes are equal, and that have more; 0: none */
  unsigned flags;
} Term;

typedef struct TermWalk {
  const char *text; /* borrowed */
  size_t at, end;
} TermWalk;

/* Starts at the bytes [from, end) of a text. What stands before `from` is looked at for signs alone. */
void terms_begin(TermWalk *w, const char *text, size_t from, size_t end);

/* The next term: 1, or 0 at the end. */
int terms_next(TermWalk *w, Term *out);

#endif
