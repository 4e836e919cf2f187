/*
** The score of what is left over. See guard_rules.h for the contract.
**
** A linear score over counts: above zero the texts ask for different things. The weights are a
** logistic regression (ridge penalty 3; pairs from cosine 0.88 on count twice) over the 4,958 pairs
** of questions of Quora's duplicates that bench/guard.py tunes on whose cosine is at least 0.80 and
** to which no other rule objects; the cut is where five-fold cross-validation refuses half as many
** duplicates as the rule of yes and no did before. RARE_FOR_RARE is set by hand: of "oral" and
** "nasal" one can't serve for the other, whatever people call a duplicate. What the held-out half
** says of it stands in bench/guard.py's output.
*/
#include "core/guard/guard_rules.h"

#include <string.h>

/* What is counted, and hundredths of its weight. "Rare" is what stands in no list of everyday words:
** outside English nearly everything. */
#define FEATURES(F)                                                                                \
  F(NAMES_ONE, 42)      /* one text has a name that the other lacks */                             \
  F(NAME_ONLY, 27)      /* and nothing else is new */                                              \
  F(RARE_BOTH, 45)      /* words that are no everyday English on both sides */                     \
  F(SWAP_SLOT, 23)      /* one word for one word, in the same place */                             \
  F(ADD_RARE, 61)       /* one such word more, and nothing else */                                 \
  F(ADD_MORE, -42)      /* several words more on one side, none on the other */                    \
  F(NARROW_RARE, 36)    /* such a word behind a preposition ("in pune") */                         \
  F(BETWEEN_RARE, 31)   /* such a word between two that stay */                                    \
  F(CAPITAL_LEFT, 19)   /* words with a capital inside a sentence, each (three at most) */         \
  F(COMMON_ONE, 35)     /* an everyday word on one side only */                                    \
  F(LAST_LEFT, 44)      /* texts that end with a new word */                                       \
  F(WHY_OTHER, 157)     /* one asks why, the other what, where, when or who */                     \
  F(HOW_OTHER, 26)      /* how, and what, where, when or who */                                    \
  F(W_OTHER, 120)       /* where, when or who, and something else */                               \
  F(HOW_WHETHER, 41)    /* how, and a question for yes or no */                                    \
  F(WHY_WHETHER, 100)   /* why, and a question for yes or no */                                    \
  F(WHAT_WHETHER, 62)   /* what, and a question for yes or no */                                   \
  F(FEW, 52)            /* fewer than two telling words are the same */                            \
  F(PREP_CHANGE, -41)   /* other prepositions on both sides */                                     \
  F(ALL_SAME, -36)      /* no telling word is left over */                                         \
  F(RARE_FOR_RARE, 150) /* a rare word for a rare word, in the same place */

enum { BIAS = -147 };

#define F_NAME(name, weight) F_##name,
#define F_WEIGHT(name, weight) weight,
enum Feature { FEATURES(F_NAME) N_FEATURES };
static const int WEIGHTS[N_FEATURES] = {FEATURES(F_WEIGHT)};

/* Whether a name that stays is beside token i: then i only completes it ("Donald Trump"). */
static int completes_name(const GuardText *t, size_t i) {
  return (i > 0 && t->tokens[i - 1].match && texts_is_name(&t->tokens[i - 1], 1)) ||
         (i + 1 < t->n_tokens && t->tokens[i + 1].match && texts_is_name(&t->tokens[i + 1], 1));
}

/* What one text has left, by how much a word tells. */
typedef struct Left {
  size_t rare, common, names, capitals, kept, prepositions;
  size_t last, narrow, between; /* rare ones behind a preposition, between words that stay */
  size_t slot_rare, slot_common;
} Left;

static int is_word_left(const Token *x) {
  return is_left(x) && x->kind == TOKEN_WORD && is_content(x);
}

static int stays(const Token *x) {
  return x->match && is_content(x);
}

/* Whether the word stands where the other text has another one: what stands around it, and around
** other new words beside it, is the same. */
static int fills_slot(const GuardText *a, size_t i, const GuardText *b) {
  enum { LONGEST = 4 };
  size_t first = i, end = i + 1;
  while (first > 0 && is_left(&a->tokens[first - 1]) && i - first < LONGEST) {
    first--;
  }
  while (end < a->n_tokens && is_left(&a->tokens[end]) && end - i < LONGEST) {
    end++;
  }
  size_t before = first > 0 ? a->tokens[first - 1].match : 0;
  size_t after = end < a->n_tokens ? a->tokens[end].match : b->n_tokens + 1;
  if ((first > 0 && !before) || !after || after < before + 2 || after > before + 1 + LONGEST) {
    return 0;
  }
  for (size_t k = before; k + 1 < after; k++) {
    if (!is_left(&b->tokens[k])) {
      return 0;
    }
  }
  return 1;
}

static void count_left_word(const GuardText *a, size_t i, const GuardText *b, Left *l) {
  const Token *x = &a->tokens[i];
  if (has_class(x, WORD_VAGUE)) {
    l->capitals += (x->flags & TOKEN_CAPITAL) && !(x->flags & TOKEN_INITIAL);
    return;
  }
  size_t rare = !has_class(x, WORD_COMMON), slot = (size_t)fills_slot(a, i, b);
  size_t between = i > 0 && i + 1 < a->n_tokens && stays(x - 1) && stays(x + 1);
  l->rare += rare;
  l->common += !rare;
  l->capitals += (x->flags & TOKEN_CAPITAL) && !(x->flags & TOKEN_INITIAL);
  l->last |= i + 1 == a->n_tokens;
  l->narrow += rare && i > 0 && has_class(x - 1, WORD_PREPOSITION);
  l->between += rare & between;
  l->slot_rare += rare & slot;
  l->slot_common += (1 - rare) & slot;
}

static Left left_of(const GuardText *a, const GuardText *b) {
  Left l = {0};
  int matter = texts_capitals_matter(a);
  for (size_t i = 0; i < a->n_tokens; i++) {
    const Token *x = &a->tokens[i];
    if (is_word_left(x)) {
      count_left_word(a, i, b, &l);
    }
    l.kept += (size_t)is_solid(x);
    l.prepositions += (size_t)(is_left(x) && has_class(x, WORD_PREPOSITION));
    l.names += (size_t)(is_left(x) && texts_is_name(x, matter) && !completes_name(a, i));
  }
  return l;
}

/* ---- how it asks */

enum { ASK_WHAT = 1, ASK_HOW = 4, ASK_WHY = 8, ASK_OTHERS = 16 + 32 + 64, ASK_WHETHER = 128 };

/* The question words of t, a bit each; ASK_WHETHER where it has none and starts with a verb. */
static unsigned asks(const GuardText *t, int left) {
  static const char *const words[] = {"what", "which", "how", "why", "where", "when", "who"};
  static const char *const verbs[] = {"is",    "are",    "do",   "does",  "did", "can",
                                      "could", "should", "will", "would", "has", "have",
                                      "was",   "were",   "may",  "am"};
  unsigned frames = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    int question = has_class(&t->tokens[i], WORD_QUESTION) && (!left || is_left(&t->tokens[i]));
    for (size_t k = 0; question && k < COUNT_OF(words); k++) {
      frames |= texts_token_is(t, &t->tokens[i], words[k]) ? 1u << k : 0u;
    }
  }
  for (size_t k = 0; !left && frames == 0 && t->n_tokens > 0 && k < COUNT_OF(verbs); k++) {
    frames = texts_token_is(t, t->tokens, verbs[k]) ? ASK_WHETHER : frames;
  }
  return frames;
}

static int either(unsigned a, unsigned b, unsigned x, unsigned y) {
  return (a == x && (b & y)) || (b == x && (a & y));
}

static void ask_features(const Texts *p, int *f) {
  unsigned a = asks(&p->a, 1), b = asks(&p->b, 1), all_a = asks(&p->a, 0), all_b = asks(&p->b, 0);
  f[F_WHY_OTHER] = either(a, b, ASK_WHY, ASK_WHAT | 2 | ASK_OTHERS) && !((a | b) & ASK_HOW);
  f[F_HOW_OTHER] = either(a, b, ASK_HOW, ASK_WHAT | 2 | ASK_OTHERS);
  f[F_W_OTHER] = a && b && (a & ASK_OTHERS) != (b & ASK_OTHERS);
  f[F_HOW_WHETHER] = either(all_a, all_b, ASK_WHETHER, ASK_HOW);
  f[F_WHY_WHETHER] = either(all_a, all_b, ASK_WHETHER, ASK_WHY);
  f[F_WHAT_WHETHER] = either(all_a, all_b, ASK_WHETHER, ASK_WHAT | 2 | ASK_OTHERS);
}

size_t content_features(const Texts *p, int f[CONTENT_FEATURES_MAX]) {
  Left a = left_of(&p->a, &p->b), b = left_of(&p->b, &p->a);
  size_t told_a = a.rare + a.common, told_b = b.rare + b.common, left = told_a + told_b;
  int adds = left > 0 && (told_a == 0 || told_b == 0), swaps = told_a == 1 && told_b == 1;
  f[F_NAMES_ONE] = (a.names > 0) != (b.names > 0);
  f[F_NAME_ONLY] = f[F_NAMES_ONE] && adds;
  f[F_RARE_BOTH] = a.rare && b.rare;
  f[F_SWAP_SLOT] = swaps && (a.slot_rare || a.slot_common);
  f[F_ADD_RARE] = adds && left == 1 && a.rare + b.rare == 1;
  f[F_ADD_MORE] = adds && left > 1;
  f[F_NARROW_RARE] = a.narrow || b.narrow;
  f[F_BETWEEN_RARE] = a.between || b.between;
  f[F_CAPITAL_LEFT] = a.capitals + b.capitals < 3 ? (int)(a.capitals + b.capitals) : 3;
  f[F_COMMON_ONE] = (a.common > 0) != (b.common > 0);
  f[F_LAST_LEFT] = (int)(a.last + b.last);
  f[F_FEW] = (a.kept < b.kept ? a.kept : b.kept) < 2;
  f[F_PREP_CHANGE] = a.prepositions && b.prepositions;
  f[F_ALL_SAME] = left == 0;
  f[F_RARE_FOR_RARE] = a.slot_rare && b.slot_rare;
  ask_features(p, f);
  return N_FEATURES;
}

/* The first telling word of t that is left over, a rare one before others; n_tokens: none. */
static size_t first_left(const GuardText *t) {
  size_t found = t->n_tokens;
  for (size_t i = t->n_tokens; i-- > 0;) {
    const Token *x = &t->tokens[i];
    int rare = !has_class(x, WORD_COMMON);
    if (is_word_left(x) && !has_class(x, WORD_VAGUE) &&
        (rare || found >= t->n_tokens || has_class(&t->tokens[found], WORD_COMMON))) {
      found = i;
    }
  }
  return found;
}

static size_t first_question(const GuardText *t) {
  size_t i = 0;
  while (i < t->n_tokens && !(has_class(&t->tokens[i], WORD_QUESTION) && is_left(&t->tokens[i]))) {
    i++;
  }
  return i;
}

int content_differs(Texts *p) {
  int f[CONTENT_FEATURES_MAX], score = BIAS;
  content_features(p, f);
  for (size_t i = 0; i < N_FEATURES; i++) {
    score += WEIGHTS[i] * f[i];
  }
  if (score <= 0) {
    return 0;
  }
  size_t i = first_left(&p->a), k = first_left(&p->b);
  if (i >= p->a.n_tokens && k >= p->b.n_tokens) {
    i = first_question(&p->a);
    k = first_question(&p->b);
  }
  return texts_object(p, i, k);
}
