/*
** Tokens for the guard: what of a text can tell it from a paraphrase.
*/
#ifndef LLMCOST_GUARD_TOKENS_H
#define LLMCOST_GUARD_TOKENS_H

#include "core/words/guard_words.h"

#include <stddef.h>
#include <stdint.h>

enum { GUARD_TOKENS = 1000, GUARD_BYTES = 8000, GUARD_QUOTES = 32 };

typedef enum TokenKind {
  TOKEN_GONE, /* merged into the one before */
  TOKEN_WORD,
  TOKEN_NUMBER,   /* digits or number words */
  TOKEN_YEAR,     /* 1900 to 2099 in four digits */
  TOKEN_CODE,     /* letters with digits, underscores or inner dots; "c++" */
  TOKEN_ADDRESS,  /* URL, e-mail */
  TOKEN_UNIT,     /* a unit or currency at a number */
  TOKEN_DATE,     /* month, weekday, "today", "last week" */
  TOKEN_OPERATOR, /* "+", "=", "<" between operands */
} TokenKind;

enum {
  TOKEN_CAPITAL = 1,      /* its first letter is a capital */
  TOKEN_CAPS = 2,         /* more than one letter, all capitals */
  TOKEN_INITIAL = 4,      /* the first of its sentence */
  TOKEN_MIXED = 8,        /* a capital after a small letter */
  TOKEN_WEAK = 16,        /* a number that may be none: "one", "second" */
  TOKEN_GLUED = 32,       /* no blank between it and the token before */
  TOKEN_ABBREVIATED = 64, /* a point and a word follow */
  TOKEN_EXTRA = 128,      /* unmatched only as a repetition */
  TOKEN_STOP = 256        /* grammar in the language of the pair */
};

typedef struct Token {
  const GuardWord *word; /* NULL: not a word we know */
  uint32_t key;          /* equal keys, equal meaning */
  uint16_t at, n;        /* its folded text in `bytes` */
  uint16_t match;        /* 1 + its counterpart in the other text; 0: none */
  uint16_t raw;          /* bytes of the text it was read from, at `from`; endings included */
  uint32_t from;
  uint16_t flags;
  uint8_t kind;
} Token;

typedef struct Quote {
  uint32_t key;
  uint16_t first, end; /* its tokens */
} Quote;

typedef struct GuardText {
  const char *text;
  size_t n;    /* bytes */
  size_t read; /* of them made into tokens */
  size_t n_tokens, n_bytes, n_quotes;
  size_t n_english, n_foreign; /* words of English, and of other languages; some are both */
  int foreign;                 /* as guard_settle was told */
  Token tokens[GUARD_TOKENS];
  Quote quotes[GUARD_QUOTES];
  char bytes[GUARD_BYTES];
} GuardText;

/* Fills t with the tokens of n bytes (any bytes: what is not UTF-8 separates words), which it
** borrows. What is beyond the limits stays unread. */
void guard_tokenize(GuardText *t, const char *text, size_t n);

/* Makes the tokens those of an English text, or of another language: what is grammar, a number or a
** date there. For two texts that are compared it is the same: foreign where they have more foreign
** words than English ones together. */
void guard_settle(GuardText *t, int foreign);

#endif
