/*
** Two texts beside each other: which token of one has a counterpart in the other, and what the
** rules ask of that.
*/
#ifndef LLMCOST_GUARD_TEXTS_H
#define LLMCOST_GUARD_TEXTS_H

#include "core/guard/guard_tokens.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes of a text; n is 0 where there is nothing to show. */
typedef struct Span {
  size_t from, n;
} Span;

/* What a rule objected to in one text: one place, or two, of which the first leads to the second. */
typedef struct Said {
  Span part[2];
} Said;

typedef struct Texts {
  GuardText a, b;
  Said said_a, said_b; /* set by the rule that objects */
} Texts;

enum { LEFT_MAX = 32 }; /* words left over that are compared one by one: their square is bounded */

/* Links the tokens of both texts to their counterparts: an equal key (the same stem, number, unit,
** date, or a word that may stand for it), a typo, the same root with another ending, or a compound
** written in two words. */
void texts_match(Texts *p);

/* The first LEFT_MAX content words of t without counterpart; returns how many there are. */
size_t texts_left_words(const GuardText *t, uint16_t left[LEFT_MAX]);

/* How many telling words of t have no counterpart. */
size_t texts_count_new(const GuardText *t);

/* The token beside i in steps of `step` (1, or (size_t)-1), behind articles and the like; n_tokens
** if there is none. */
size_t texts_beside(const GuardText *t, size_t i, size_t step);

/* Whether capitals mean names in this text: not in one of capitals or titles. */
int texts_capitals_matter(const GuardText *t);

/* Whether x is a name: a capital inside a sentence where capitals matter; one letter alone
** ("vitamin E") but "I". */
int texts_is_name(const Token *x, int capitals_matter);

/* Whether token i of t is one of n folded words; 0 where there is no such token. */
int texts_is_one_of(const GuardText *t, size_t i, const char *const *words, size_t n);
#define IS_ONE_OF(t, i, list) texts_is_one_of(t, i, list, COUNT_OF(list))

/* Keeps what a rule objected to: tokens of a and of b (n_tokens or more: none there). Returns 1. */
int texts_object(Texts *p, size_t i, size_t k);

/* Keeps that tokens i and k of a, which have counterparts, stand the other way round in b.
** Returns 1. */
int texts_object_to_order(Texts *p, size_t i, size_t k);

static inline int has_class(const Token *token, uint32_t classes) {
  return token->word && (token->word->classes & classes) != 0;
}

static inline int is_left(const Token *token) {
  return token->match == 0 && !(token->flags & TOKEN_EXTRA) && token->kind != TOKEN_GONE;
}

/* A word that carries meaning. */
static inline int is_content(const Token *token) {
  return (token->kind == TOKEN_WORD || token->kind == TOKEN_CODE) && !(token->flags & TOKEN_STOP) &&
         !has_class(token, WORD_NEGATION);
}

/* A word that has its counterpart and tells something. */
static inline int is_solid(const Token *x) {
  return x->match && x->kind != TOKEN_GONE && !(x->flags & TOKEN_STOP) &&
         !has_class(x, WORD_NEGATION | WORD_VAGUE);
}

/* Whether token x of t is the word `text`, folded. */
static inline int texts_token_is(const GuardText *t, const Token *x, const char *text) {
  const char *p = t->bytes + x->at;
  return x->kind == TOKEN_WORD && x->n > 0 && *p == *text && x->n == strlen(text) &&
         memcmp(p, text, x->n) == 0;
}

#endif
