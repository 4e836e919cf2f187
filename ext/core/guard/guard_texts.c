/*
** Two texts beside each other. See guard_texts.h for the contract.
*/
#include "core/guard/guard_texts.h"

#include <string.h>

enum { BUCKETS = 1024, NONE = 0xFFFF };

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
  int after =
      i + 1 < a->n_tokens && k + 1 < b->n_tokens && a->tokens[i + 1].key == b->tokens[k + 1].key;
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

static const char *const ENDINGS[] = {
    "",     "e",   "s",    "y",   "er",   "or",   "ers",  "ion",  "ions", "ation", "ment", "al",
    "ally", "ic",  "ical", "ive", "able", "ible", "ness", "ence", "ance", "ency",  "ancy", "ly",
    "ist",  "ism", "ing",  "ed",  "es",   "ies",  "ied",  "ous",  "ful",  "ian",   "n"};

static int is_ending(const char *p, size_t n) {
  for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
    if (strlen(ENDINGS[i]) == n && memcmp(ENDINGS[i], p, n) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Writes the word as American English spells it, roughly: both spellings become one. Returns its
** length. */
static size_t respell(const char *p, size_t n, char *out) {
  size_t m = 0;
  for (size_t i = 0; i < n; i++) {
    char c = p[i], next = i + 1 < n ? p[i + 1] : 0;
    int our = c == 'o' && next == 'u' && i > 0 && i + 2 < n && p[i + 2] == 'r';
    int diphthong = (c == 'a' || c == 'o') && next == 'e' && i + 2 < n;
    int doubled = c == 'l' && next == 'l';
    int ise = c == 's' && i > 1 && (p[i - 1] == 'i' || p[i - 1] == 'y');
    int ogue = i + 2 == n && c == 'u' && next == 'e' && p[i - 1] == 'g';
    if (ogue) {
      break;
    }
    if (!diphthong && !doubled) {
      out[m++] = (char)(ise ? 'z' : c);
    }
    i += (size_t)our;
  }
  if (m > 3 && out[m - 1] == 'e' && out[m - 2] == 'r') {
    out[m - 2] = 'e';
    out[m - 1] = 'r';
  }
  return m;
}

/* "tumour" and "tumor", "haemoglobin" and "hemoglobin". */
static int same_spelling(const char *p, size_t n, const char *q, size_t m) {
  enum { LONGEST = 32 };
  char u[LONGEST], v[LONGEST];
  if (n < 5 || m < 5 || n > LONGEST || m > LONGEST || *p != *q || n > m + 3 || m > n + 3) {
    return 0;
  }
  size_t x = respell(p, n, u), y = respell(q, m, v);
  return x == y && memcmp(u, v, x) == 0;
}

/* "sue" and "sued": too short for a stem. */
static int is_past(const char *p, size_t n, const char *q, size_t m) {
  return m == n + 1 && n > 2 && p[n - 1] == 'e' && q[n] == 'd' && memcmp(p, q, n) == 0;
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

/* Whether two words of any language differ only in their endings: at least four bytes (two letters
** of most other scripts' six) are the same, and more than what follows. */
static int same_front(const char *p, size_t n, const char *q, size_t m) {
  size_t i = 0, longer = n > m ? n : m;
  while (i < n && i < m && p[i] == q[i]) {
    i++;
  }
  int wide = i > 0 && (p[0] & 0x80);
  return i >= (wide ? 6u : 4u) && longer - i <= (wide ? 9u : 3u) && 3 * i >= 2 * (longer - i);
}

static int alike(const GuardText *a, const Token *x, const GuardText *b, const Token *y) {
  const char *p = a->bytes + x->at, *q = b->bytes + y->at;
  if (a->foreign && !((x->flags | y->flags) & TOKEN_CAPITAL) && same_front(p, x->n, q, y->n)) {
    return 1;
  }
  int ordinary = has_class(x, WORD_COMMON) != has_class(y, WORD_COMMON);
  int gentle = ordinary ? x->n < 5 : x->n < 8;
  return is_past(p, x->n, q, y->n) || is_past(q, y->n, p, x->n) ||
         same_spelling(p, x->n, q, y->n) || one_typo(p, x->n, q, y->n, gentle) ||
         same_root(p, x->n, q, y->n);
}

static int has_digit(const char *p, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (p[i] >= '0' && p[i] <= '9') {
      return 1;
    }
  }
  return 0;
}

/* The length of the front of p (n bytes) that is q (m bytes), signs inside p ignored; 0: none. */
static size_t front(const char *p, size_t n, const char *q, size_t m) {
  size_t i = 0, k = 0;
  while (i < n && k < m && (p[i] == q[k] || p[i] == '.' || p[i] == '_')) {
    k += p[i] == q[k];
    i++;
  }
  return k == m ? i : 0;
}

/* "the rapist" is no "therapist", "now here" not "nowhere". */
static int is_another_split(const Token *x, const Token *y) {
  return has_class(y, WORD_ARTICLE) ||
         (has_class(x, WORD_NEGATION | WORD_STOP | WORD_COMMON) &&
          has_class(y, WORD_STOP | WORD_VAGUE) && !has_class(y, WORD_PREPOSITION));
}

/* Whether the token at i of b makes the word x: together with the next, or, where x is a name with
** an ending ("bootstrap.js"), alone. */
static int is_compound(const GuardText *a, const Token *x, const GuardText *b, size_t i) {
  const char *p = a->bytes + x->at;
  const Token *y = &b->tokens[i];
  size_t at = front(p, x->n, b->bytes + y->at, y->n);
  if (!at || y->n == 0 || is_another_split(x, y)) {
    return 0;
  }
  if (x->kind == TOKEN_CODE && y->n > 3 && p[at] == '.' && !has_digit(p + at, x->n - at)) {
    return 1;
  }
  return i + 1 < b->n_tokens && y[1].n > 0 &&
         front(p + at, x->n - at, b->bytes + y[1].at, y[1].n) == x->n - at;
}

static void match_compound(GuardText *a, GuardText *b, size_t i) {
  Token *x = &a->tokens[i];
  for (size_t k = 0; k < b->n_tokens && x->n > 3; k++) {
    if (is_compound(a, x, b, k)) {
      x->flags |= TOKEN_EXTRA;
      b->tokens[k].flags |= TOKEN_EXTRA;
      b->tokens[k + (k + 1 < b->n_tokens)].flags |= TOKEN_EXTRA;
      return;
    }
  }
}

size_t texts_left_words(const GuardText *t, uint16_t left[LEFT_MAX]) {
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
  size_t n = texts_left_words(a, left_a), m = texts_left_words(b, left_b);
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

void texts_match(Texts *p) {
  match_equal(&p->a, &p->b);
  mark_extra(&p->a, &p->b);
  mark_extra(&p->b, &p->a);
  match_alike(&p->a, &p->b);
}

int texts_capitals_matter(const GuardText *t) {
  size_t words = 0, capitals = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    words += t->tokens[i].kind == TOKEN_WORD;
    capitals += t->tokens[i].kind == TOKEN_WORD && (t->tokens[i].flags & TOKEN_CAPITAL);
  }
  return capitals * 5 < words * 3;
}

int texts_is_name(const Token *x, int matter) {
  if (x->kind != TOKEN_WORD) {
    return 0;
  }
  if (matter && x->n == 1 && (x->flags & TOKEN_CAPITAL) && !(x->flags & TOKEN_INITIAL)) {
    return !x->word || x->word->text[0] != 'i';
  }
  return !(x->flags & TOKEN_STOP) && !has_class(x, WORD_VAGUE | WORD_NEGATION) &&
         ((x->flags & TOKEN_MIXED) ||
          (matter && (x->flags & TOKEN_CAPITAL) && !(x->flags & TOKEN_INITIAL)));
}

size_t texts_beside(const GuardText *t, size_t i, size_t step) {
  for (int hops = 0; hops < 4; hops++) {
    i += step; /* (size_t)-1 steps back and wraps at the start */
    if (i >= t->n_tokens) {
      break;
    }
    if (t->tokens[i].kind != TOKEN_GONE && !has_class(&t->tokens[i], WORD_ARTICLE)) {
      return i;
    }
  }
  return t->n_tokens;
}

int texts_is_one_of(const GuardText *t, size_t i, const char *const *words, size_t n) {
  for (size_t k = 0; i < t->n_tokens && k < n; k++) {
    if (texts_token_is(t, &t->tokens[i], words[k])) {
      return 1;
    }
  }
  return 0;
}

static Span span_of(const GuardText *t, size_t i) {
  return i < t->n_tokens ? (Span){t->tokens[i].from, t->tokens[i].raw} : (Span){0, 0};
}

int texts_object(Texts *p, size_t i, size_t k) {
  p->said_a = (Said){{span_of(&p->a, i), {0, 0}}};
  p->said_b = (Said){{span_of(&p->b, k), {0, 0}}};
  return 1;
}

int texts_object_to_order(Texts *p, size_t i, size_t k) {
  size_t to_i = p->a.tokens[i].match - 1u, to_k = p->a.tokens[k].match - 1u;
  texts_object(p, k, to_i);
  Span last_a = p->said_a.part[0], last_b = p->said_b.part[0];
  texts_object(p, i, to_k);
  p->said_a.part[1] = last_a;
  p->said_b.part[1] = last_b;
  return 1;
}

size_t texts_count_new(const GuardText *t) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    n += is_left(&t->tokens[i]) && is_content(&t->tokens[i]) &&
         !has_class(&t->tokens[i], WORD_VAGUE);
  }
  return n;
}
