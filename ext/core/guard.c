/*
** The guard. See guard.h for the contract.
*/
#include "guard.h"

#include "guard_tokens.h"

#include <stdlib.h>
#include <string.h>

typedef struct Texts {
  GuardText a, b;
} Texts;

/* ---- which tokens have a counterpart */

enum { BUCKETS = 1024, NONE = 0xFFFF, LEFT_MAX = 32 };

typedef struct Chains {
  uint16_t head[BUCKETS], next[GUARD_TOKENS];
} Chains;

static void chain_tokens(Chains *c, const GuardText *t) {
  memset(c->head, 0xFF, sizeof c->head);
  for (size_t i = t->n_tokens; i-- > 0;) {
    uint16_t *head = &c->head[t->tokens[i].key & (BUCKETS - 1)];
    if (t->tokens[i].kind != TOKEN_GONE) {
      c->next[i] = *head;
      *head = (uint16_t)i;
    }
  }
}

static void link_tokens(GuardText *a, size_t i, GuardText *b, size_t k) {
  a->tokens[i].match = (uint16_t)(k + 1);
  b->tokens[k].match = (uint16_t)(i + 1);
}

/* How well two equal tokens fit: their neighbours that are equal too. */
static int fit(const GuardText *a, size_t i, const GuardText *b, size_t k) {
  int before = i > 0 && k > 0 && a->tokens[i - 1].key == b->tokens[k - 1].key;
  int after = i + 1 < a->n_tokens && k + 1 < b->n_tokens &&
              a->tokens[i + 1].key == b->tokens[k + 1].key;
  return 1 + before + after;
}

/* Links tokens of equal keys, each to the one among the first eight that fits best. */
static void match_equal(GuardText *a, GuardText *b) {
  Chains c;
  chain_tokens(&c, b);
  for (size_t i = 0; i < a->n_tokens; i++) {
    Token *token = &a->tokens[i];
    size_t best = NONE;
    int best_fit = 0, tried = 0;
    size_t k = token->kind == TOKEN_GONE ? NONE : c.head[token->key & (BUCKETS - 1)];
    for (; k != NONE && tried < 8; k = c.next[k]) {
      if (b->tokens[k].key == token->key && !b->tokens[k].match) {
        int f = fit(a, i, b, k);
        tried++;
        best = f > best_fit ? k : best;
        best_fit = f > best_fit ? f : best_fit;
      }
    }
    if (best != NONE) {
      link_tokens(a, i, b, best);
    }
  }
}

static void mark_extra(GuardText *a, const GuardText *b) {
  Chains c;
  chain_tokens(&c, b);
  for (size_t i = 0; i < a->n_tokens; i++) {
    Token *token = &a->tokens[i];
    size_t k = token->match ? NONE : c.head[token->key & (BUCKETS - 1)];
    while (k != NONE && b->tokens[k].key != token->key) {
      k = c.next[k];
    }
    if (k != NONE && token->kind != TOKEN_GONE) {
      token->flags |= TOKEN_EXTRA;
    }
  }
}

static int has_class(const Token *token, unsigned classes) {
  return token->word && (token->word->classes & classes);
}

static int is_left(const Token *token) {
  return token->match == 0 && !(token->flags & TOKEN_EXTRA) && token->kind != TOKEN_GONE;
}

/* A word that carries meaning. */
static int is_content(const Token *token) {
  return (token->kind == TOKEN_WORD || token->kind == TOKEN_CODE) &&
         !has_class(token, WORD_STOP | WORD_NEGATION);
}

/* Whether two words are one letter inserted, dropped, changed or swapped with the next apart;
** `gentle`: only doubled or swapped. */
static int one_typo(const char *p, size_t n, const char *q, size_t m, int gentle) {
  size_t i = 0;
  if (n > m) {
    return one_typo(q, m, p, n, gentle);
  }
  if (m - n > 1 || n < 4 || p[0] != q[0]) {
    return 0;
  }
  while (i < n && p[i] == q[i]) {
    i++;
  }
  if (m == n + 1) {
    return memcmp(p + i, q + i + 1, n - i) == 0 && (!gentle || (i > 0 && q[i] == q[i - 1]));
  }
  if (i + 1 < n && p[i] == q[i + 1] && p[i + 1] == q[i]) {
    return memcmp(p + i + 2, q + i + 2, n - i - 2) == 0;
  }
  return i < n && !gentle && memcmp(p + i + 1, q + i + 1, n - i - 1) == 0;
}

static const char *const ENDINGS[] = {"",     "e",    "s",    "y",    "er",   "or",   "ers",
                                      "ion",  "ions", "ation", "ment", "al",   "ally", "ic",
                                      "ical", "ive",  "able", "ible", "ness", "ence", "ance",
                                      "ency", "ancy", "ly",   "ist",  "ism",  "ing",  "ed",
                                      "es",   "ies",  "ied",  "ous",  "ful",  "ian",  "n"};

static int is_ending(const char *p, size_t n) {
  for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
    if (strlen(ENDINGS[i]) == n && memcmp(ENDINGS[i], p, n) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Whether the words differ only in their endings: "diplomat", "diplomatic". */
static int same_root(const char *p, size_t n, const char *q, size_t m) {
  size_t i = 0;
  while (i < n && i < m && p[i] == q[i]) {
    i++;
  }
  for (size_t root = i; root >= 5 && root + 2 >= i; root--) {
    if (is_ending(p + root, n - root) && is_ending(q + root, m - root)) {
      return 1;
    }
  }
  return 0;
}

static int alike(const GuardText *a, const Token *x, const GuardText *b, const Token *y) {
  const char *p = a->bytes + x->at, *q = b->bytes + y->at;
  int ordinary = has_class(x, WORD_COMMON) != has_class(y, WORD_COMMON);
  int gentle = ordinary ? x->n < 5 : x->n < 8;
  return one_typo(p, x->n, q, y->n, gentle) || same_root(p, x->n, q, y->n);
}

/* Whether the token at i of b and the next make the word x. */
static int is_compound(const GuardText *a, const Token *x, const GuardText *b, size_t i) {
  if (i + 1 >= b->n_tokens) {
    return 0;
  }
  const Token *y = &b->tokens[i], *z = y + 1;
  return y->n + z->n == x->n && memcmp(a->bytes + x->at, b->bytes + y->at, y->n) == 0 &&
         memcmp(a->bytes + x->at + y->n, b->bytes + z->at, z->n) == 0;
}

static void match_compound(GuardText *a, GuardText *b, size_t i) {
  Token *x = &a->tokens[i];
  for (size_t k = 0; k + 1 < b->n_tokens && x->n > 3; k++) {
    if (is_compound(a, x, b, k)) {
      x->flags |= TOKEN_EXTRA;
      b->tokens[k].flags |= TOKEN_EXTRA;
      b->tokens[k + 1].flags |= TOKEN_EXTRA;
      return;
    }
  }
}

/* The first LEFT_MAX content words of t without counterpart; returns how many there are. */
static size_t left_words(const GuardText *t, uint16_t left[LEFT_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens && n < LEFT_MAX; i++) {
    if (is_left(&t->tokens[i]) && is_content(&t->tokens[i])) {
      left[n++] = (uint16_t)i;
    }
  }
  return n;
}

/* Links what is left where it is a typo, another ending or a compound. */
static void match_alike(GuardText *a, GuardText *b) {
  uint16_t left_a[LEFT_MAX], left_b[LEFT_MAX];
  size_t n = left_words(a, left_a), m = left_words(b, left_b);
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < m && is_left(&a->tokens[left_a[i]]); k++) {
      if (a->tokens[left_a[i]].kind == TOKEN_WORD && b->tokens[left_b[k]].kind == TOKEN_WORD &&
          is_left(&b->tokens[left_b[k]]) &&
          alike(a, &a->tokens[left_a[i]], b, &b->tokens[left_b[k]])) {
        link_tokens(a, left_a[i], b, left_b[k]);
      }
    }
  }
  for (size_t i = 0; i < n; i++) {
    if (is_left(&a->tokens[left_a[i]])) {
      match_compound(a, b, left_a[i]);
    }
  }
  for (size_t k = 0; k < m; k++) {
    if (is_left(&b->tokens[left_b[k]])) {
      match_compound(b, a, left_b[k]);
    }
  }
}

static void match_texts(Texts *p) {
  match_equal(&p->a, &p->b);
  mark_extra(&p->a, &p->b);
  mark_extra(&p->b, &p->a);
  match_alike(&p->a, &p->b);
}

/* ---- rules: each returns whether it speaks against the pair */

/* Tokens of the kind without counterpart; repetitions count if asked for. */
static size_t count_left(const GuardText *t, TokenKind kind, int repeated) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    const Token *x = &t->tokens[i];
    n += x->kind == kind && x->match == 0 && (repeated || !(x->flags & TOKEN_EXTRA));
  }
  return n;
}

static int long_differs(const Texts *p) {
  const GuardText *a = &p->a, *b = &p->b;
  size_t common = 0, left_a = a->n - a->read, left_b = b->n - b->read;
  size_t need = left_a > left_b ? left_a : left_b;
  if (need > a->n || need > b->n) {
    return 1;
  }
  while (common < need && a->text[a->n - 1 - common] == b->text[b->n - 1 - common]) {
    common++;
  }
  return common < need;
}

static int url_differs(const Texts *p) {
  return count_left(&p->a, TOKEN_ADDRESS, 0) || count_left(&p->b, TOKEN_ADDRESS, 0);
}

/* Whether the tokens of a quote stand in a row in t. */
static int holds_words(const GuardText *q, const Quote *quote, const GuardText *t) {
  size_t n = (size_t)(quote->end - quote->first);
  for (size_t i = 0; i + n <= t->n_tokens; i++) {
    size_t k = 0;
    while (k < n && q->tokens[quote->first + k].key == t->tokens[i + k].key) {
      k++;
    }
    if (k == n) {
      return 1;
    }
  }
  return 0;
}

static int quote_is_new(const GuardText *a, const GuardText *b) {
  for (size_t i = 0; i < a->n_quotes; i++) {
    size_t k = 0;
    while (k < b->n_quotes && b->quotes[k].key != a->quotes[i].key) {
      k++;
    }
    if (k == b->n_quotes && !holds_words(a, &a->quotes[i], b)) {
      return 1;
    }
  }
  return 0;
}

static int quote_differs(const Texts *p) {
  return p->a.n_quotes && p->b.n_quotes &&
         (quote_is_new(&p->a, &p->b) || quote_is_new(&p->b, &p->a));
}

static int date_differs(const Texts *p) {
  return count_left(&p->a, TOKEN_DATE, 0) || count_left(&p->b, TOKEN_DATE, 0) ||
         count_left(&p->a, TOKEN_YEAR, 0) || count_left(&p->b, TOKEN_YEAR, 0);
}

/* Numbers left: those that surely are ones, and all. */
static void numbers_left(const GuardText *t, size_t *sure, size_t *all) {
  *sure = *all = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    const Token *x = &t->tokens[i];
    if ((x->kind == TOKEN_NUMBER && !x->match) || (x->kind == TOKEN_OPERATOR && !x->match)) {
      ++*all;
      *sure += !(x->flags & TOKEN_WEAK);
    }
  }
}

/* The digits of all numbers in a row, at most max. */
static size_t all_digits(const GuardText *t, char *out, size_t max) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    const Token *x = &t->tokens[i];
    for (size_t k = 0; k < x->n && (x->kind == TOKEN_NUMBER || x->kind == TOKEN_YEAR); k++) {
      char c = t->bytes[x->at + k];
      if (c >= '0' && c <= '9' && n < max) {
        out[n++] = c;
      }
    }
  }
  return n;
}

/* Whether the texts hold the same long row of digits, grouped otherwise: a telephone number. */
static int same_digits(const Texts *p) {
  char a[64], b[64];
  size_t n = all_digits(&p->a, a, sizeof a), m = all_digits(&p->b, b, sizeof b);
  return n == m && n >= 7 && n < sizeof a && memcmp(a, b, n) == 0;
}

static int number_differs(const Texts *p) {
  size_t sure_a, all_a, sure_b, all_b;
  numbers_left(&p->a, &sure_a, &all_a);
  numbers_left(&p->b, &sure_b, &all_b);
  return (sure_a || sure_b || (all_a && all_b)) && !same_digits(p);
}

static int unit_differs(const Texts *p) {
  return count_left(&p->a, TOKEN_UNIT, 0) && count_left(&p->b, TOKEN_UNIT, 0);
}

/* Whether capitals mean names here: not in a text of capitals or titles. */
static int capitals_matter(const GuardText *t) {
  size_t words = 0, capitals = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    words += t->tokens[i].kind == TOKEN_WORD;
    capitals += t->tokens[i].kind == TOKEN_WORD && (t->tokens[i].flags & TOKEN_CAPITAL);
  }
  return capitals * 5 < words * 3;
}

static size_t names_left(const GuardText *t) {
  size_t n = 0;
  int matter = capitals_matter(t);
  for (size_t i = 0; i < t->n_tokens; i++) {
    const Token *x = &t->tokens[i];
    n += is_left(x) && x->kind == TOKEN_WORD && !has_class(x, WORD_STOP | WORD_VAGUE) &&
         ((x->flags & TOKEN_MIXED) || (matter && (x->flags & TOKEN_CAPITAL) &&
                                       !(x->flags & TOKEN_INITIAL)));
  }
  return n;
}

static int identifier_differs(const Texts *p) {
  return count_left(&p->a, TOKEN_CODE, 0) || count_left(&p->b, TOKEN_CODE, 0) ||
         (names_left(&p->a) && names_left(&p->b));
}

static int token_is(const GuardText *t, const Token *x, const char *text) {
  return x->kind == TOKEN_WORD && x->n == strlen(text) && memcmp(t->bytes + x->at, text, x->n) == 0;
}

/* "or not", "whether or not", "No. 5": no negation. */
static int is_idle_negation(const GuardText *t, size_t i) {
  const Token *x = &t->tokens[i];
  if (token_is(t, x, "non")) {
    return !is_left(x);
  }
  if (token_is(t, x, "not") && i > 0) {
    return token_is(t, x - 1, "or") ||
           (i > 1 && token_is(t, x - 1, "why") && token_is(t, x - 2, "or"));
  }
  return token_is(t, x, "no") && (x->flags & TOKEN_ABBREVIATED);
}

static size_t negations(const GuardText *t) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    n += t->tokens[i].kind == TOKEN_WORD && has_class(&t->tokens[i], WORD_NEGATION) &&
         !is_idle_negation(t, i);
  }
  return n;
}

static int negation_differs(const Texts *p) {
  return (negations(&p->a) + negations(&p->b)) % 2 == 1;
}

enum { PAIRS_MAX = 256 };

static void sides_of(const GuardText *t, uint8_t sides[PAIRS_MAX], uint8_t left[PAIRS_MAX]) {
  memset(sides, 0, PAIRS_MAX);
  memset(left, 0, PAIRS_MAX);
  for (size_t i = 0; i < t->n_tokens; i++) {
    const GuardWord *w = t->tokens[i].kind != TOKEN_GONE ? t->tokens[i].word : NULL;
    for (size_t k = 0; w && k < WORD_PAIRS; k++) {
      sides[w->pair[k]] |= w->side[k];
      if (is_left(&t->tokens[i])) {
        left[w->pair[k]] |= w->side[k];
      }
    }
  }
}

/* Whether x is the other with a prefix that turns its meaning. */
static int is_reversal(const GuardText *a, const Token *x, const GuardText *b, const Token *y) {
  static const char *const prefixes[] = {"un", "in", "im", "il", "ir", "dis", "non", "de", "mis"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    size_t m = strlen(prefixes[i]);
    if (x->n == y->n + m && y->n >= 4 && memcmp(a->bytes + x->at, prefixes[i], m) == 0 &&
        memcmp(a->bytes + x->at + m, b->bytes + y->at, y->n) == 0) {
      return 1;
    }
  }
  return 0;
}

static int prefix_differs(const GuardText *a, const GuardText *b) {
  uint16_t left_a[LEFT_MAX], left_b[LEFT_MAX];
  size_t n = left_words(a, left_a), m = left_words(b, left_b);
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < m; k++) {
      if (is_reversal(a, &a->tokens[left_a[i]], b, &b->tokens[left_b[k]])) {
        return 1;
      }
    }
  }
  return 0;
}

static int polarity_differs(const Texts *p) {
  uint8_t a[PAIRS_MAX], b[PAIRS_MAX], left_a[PAIRS_MAX], left_b[PAIRS_MAX];
  sides_of(&p->a, a, left_a);
  sides_of(&p->b, b, left_b);
  for (size_t i = 1; i < PAIRS_MAX; i++) {
    if (a[i] && b[i] && !(a[i] & b[i])) {
      return 1;
    }
  }
  return prefix_differs(&p->a, &p->b) || prefix_differs(&p->b, &p->a);
}

/* Words between which the order matters. */
static int is_relation(const GuardText *t, const Token *x) {
  static const char *const words[] = {"to", "into", "than", "over", "by"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (token_is(t, x, words[i])) {
      return 1;
    }
  }
  return 0;
}

/* The nearest token that carries meaning, from i in steps of `step`, within four; n_tokens if none. */
static size_t nearest(const GuardText *t, size_t i, size_t step) {
  for (int hops = 0; hops < 4; hops++) {
    i += step; /* (size_t)-1 steps back and wraps at the start */
    if (i >= t->n_tokens) {
      break;
    }
    const Token *x = &t->tokens[i];
    if (x->kind != TOKEN_GONE && x->kind != TOKEN_OPERATOR && !has_class(x, WORD_STOP)) {
      return i;
    }
  }
  return t->n_tokens;
}

/* Whether a "x to y" is "y to x" in b. */
static int is_reversed(const GuardText *a, const GuardText *b) {
  for (size_t i = 1; i + 1 < a->n_tokens; i++) {
    if (!is_relation(a, &a->tokens[i])) {
      continue;
    }
    size_t x = nearest(a, i, (size_t)-1), y = nearest(a, i, 1);
    if (x >= a->n_tokens || y >= a->n_tokens || !a->tokens[x].match || !a->tokens[y].match) {
      continue;
    }
    size_t to_x = a->tokens[x].match - 1u, to_y = a->tokens[y].match - 1u;
    if (to_y < to_x && to_x - to_y < 6) {
      for (size_t k = to_y + 1; k < to_x; k++) {
        if (is_relation(b, &b->tokens[k])) {
          return 1;
        }
      }
    }
  }
  return 0;
}

/* The word behind the first "from" or "to" of t; n_tokens if none. */
static size_t behind(const GuardText *t, const char *word) {
  for (size_t i = 0; i < t->n_tokens; i++) {
    if (token_is(t, &t->tokens[i], word)) {
      return nearest(t, i, 1);
    }
  }
  return t->n_tokens;
}

static int from_is_to(const GuardText *a, const GuardText *b) {
  size_t from = behind(a, "from"), to = behind(b, "to");
  return from < a->n_tokens && to < b->n_tokens && a->tokens[from].match == to + 1;
}

static int direction_differs(const Texts *p) {
  return is_reversed(&p->a, &p->b) || from_is_to(&p->a, &p->b) || from_is_to(&p->b, &p->a);
}

static size_t content_left(const GuardText *t) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    n += is_left(&t->tokens[i]) && t->tokens[i].kind == TOKEN_WORD && is_content(&t->tokens[i]) &&
         !has_class(&t->tokens[i], WORD_VAGUE);
  }
  return n;
}

/* Whether three content words of a stand in b in reverse. */
static int order_differs(const Texts *p) {
  const GuardText *a = &p->a;
  if (content_left(a) || content_left(&p->b)) {
    return 0;
  }
  uint16_t seq[64];
  size_t n = 0, longest = 0;
  uint8_t run[64];
  for (size_t i = 0; i < a->n_tokens && n < 64; i++) {
    if (a->tokens[i].match && is_content(&a->tokens[i])) {
      seq[n++] = a->tokens[i].match;
    }
  }
  for (size_t i = 0; i < n; i++) {
    run[i] = 1;
    for (size_t k = 0; k < i; k++) {
      if (seq[k] > seq[i] && run[k] >= run[i]) {
        run[i] = (uint8_t)(run[k] + 1);
      }
    }
    longest = run[i] > longest ? run[i] : longest;
  }
  return longest >= 3;
}

static int content_differs(const Texts *p) { return content_left(&p->a) && content_left(&p->b); }

static const struct {
  const char *word;
  int (*differs)(const Texts *);
} RULES[] = {
    {"long", long_differs},         {"url", url_differs},
    {"quote", quote_differs},       {"date", date_differs},
    {"number", number_differs},     {"unit", unit_differs},
    {"identifier", identifier_differs}, {"negation", negation_differs},
    {"polarity", polarity_differs}, {"direction", direction_differs},
    {"order", order_differs},       {"content", content_differs},
};

const char *guard_veto(const char *asked, size_t n_asked, const char *known, size_t n_known) {
  const char *word = NULL;
  if (n_asked == n_known && (n_asked == 0 || memcmp(asked, known, n_asked) == 0)) {
    return NULL;
  }
  Texts *p = malloc(sizeof *p);
  if (!p) {
    return "long";
  }
  guard_tokenize(&p->a, asked, n_asked);
  guard_tokenize(&p->b, known, n_known);
  match_texts(p);
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES && !word; i++) {
    word = RULES[i].differs(p) ? RULES[i].word : NULL;
  }
  free(p);
  return word;
}
