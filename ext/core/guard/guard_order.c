/*
** Words that have changed places, and what each belongs to. See guard_rules.h for the contract.
**
** An embedding that sums over words is the same for "two pairs, one came" and "one pair, two
** came". Without grammar, what a word belongs to is found beside it:
**
**   a word: to the one before it; behind a preposition to that, and to the word before that;
**   a number, "each", "all": to the word behind it, at the end of a clause to the one before it;
**   a negation, "if": to its clause, as "but" and the like part them.
**
** It is another question where two words each belong to what the other belonged to. A clause that
** moves as a whole is none: it takes along what its words belong to. Where no such two are found,
** two runs of words may still have changed places round what stays between them, if no word is new
** and neither "and", "or" nor "between" ties them.
**
** Of more than BONDS_MAX shared words it looks at the first, of more than ITEMS_MAX at none: texts
** with so many are "long", which is asked before.
** Most pairs keep the order of what they share: that is looked at first, and ends it.
*/
#include "core/guard/guard_rules.h"

#include <string.h>

/* ---- what is looked at */

static int is_count(const Token *x) {
  return x->kind == TOKEN_NUMBER || has_class(x, WORD_COUNTS);
}

/* What can belong to something, or something to it: a word that is no grammar, a number, a unit. */
static int is_part(const Token *x) {
  return x->kind != TOKEN_GONE && x->kind != TOKEN_OPERATOR && !has_class(x, WORD_NEGATION) &&
         (is_count(x) || !(x->flags & TOKEN_STOP));
}

/* Whether what the texts share stands in the same order in both. */
static int keeps_order(const GuardText *a) {
  size_t last = 0;
  for (size_t i = 0; i < a->n_tokens; i++) {
    const Token *x = &a->tokens[i];
    if (x->match && (is_part(x) || has_class(x, WORD_NEGATION))) {
      if (x->match < last) {
        return 0;
      }
      last = x->match;
    }
  }
  return 1;
}

/* ---- who belongs to whom */

/* What one word belongs to: keys, 0 where there is none. */
typedef struct Bond {
  uint32_t near, far; /* the preposition or word beside it; the word before that preposition */
  uint32_t classes;   /* of the first of them */
} Bond;

enum { BONDS_MAX = 48 };

typedef struct Bonds {
  size_t n, at[BONDS_MAX]; /* tokens of a with counterparts */
  uint32_t key[BONDS_MAX];
  Bond a[BONDS_MAX], b[BONDS_MAX];
} Bonds;

static int is_idle(const Token *x) {
  return x->kind == TOKEN_GONE || has_class(x, WORD_ARTICLE) || is_count(x);
}

/* The token before i that it may belong to, articles and numbers skipped; n_tokens: none. */
static size_t before(const GuardText *t, size_t i) {
  while (i-- > 0) {
    const Token *x = &t->tokens[i];
    if (!is_idle(x)) {
      return is_part(x) || has_class(x, WORD_GOVERNS) ? i : t->n_tokens;
    }
  }
  return t->n_tokens;
}

/* The key of token i of t; of a counterpart in `of` (if it is not NULL) that one's. */
static uint32_t key_in(const GuardText *t, size_t i, const GuardText *of) {
  if (i >= t->n_tokens) {
    return 0;
  }
  const Token *x = &t->tokens[i];
  return of && x->match ? of->tokens[x->match - 1].key : x->key;
}

/* The word that a number counts: behind it, also behind "of" ("two of my pairs"), else before it. */
static size_t counted(const GuardText *t, size_t i) {
  size_t k = texts_beside(t, i, 1);
  if (k < t->n_tokens && texts_token_is(t, &t->tokens[k], "of")) {
    k = texts_beside(t, k, 1);
  }
  return k < t->n_tokens && is_part(&t->tokens[k]) && !is_count(&t->tokens[k]) ? k : before(t, i);
}

static Bond bond_of(const GuardText *t, size_t i, const GuardText *of) {
  if (is_count(&t->tokens[i])) {
    return (Bond){key_in(t, counted(t, i), of), 0, 0};
  }
  size_t near = before(t, i), far = near;
  while (far < t->n_tokens && has_class(&t->tokens[far], WORD_GOVERNS)) {
    far = before(t, far);
  }
  int known = near < t->n_tokens && t->tokens[near].word;
  return (Bond){key_in(t, near, of), far != near ? key_in(t, far, of) : 0,
                known ? t->tokens[near].word->classes : 0};
}

static void find_bonds(const GuardText *a, const GuardText *b, Bonds *s) {
  s->n = 0;
  for (size_t i = 0; i < a->n_tokens && s->n < BONDS_MAX; i++) {
    const Token *x = &a->tokens[i];
    if (x->match && is_part(x) && x->kind != TOKEN_UNIT && is_part(&b->tokens[x->match - 1])) {
      s->at[s->n] = i;
      s->key[s->n] = x->key;
      s->a[s->n] = bond_of(a, i, NULL);
      s->b[s->n++] = bond_of(b, x->match - 1u, a);
    }
  }
}

static int exchanged(uint32_t x_in_a, uint32_t x_in_b, uint32_t y_in_a, uint32_t y_in_b) {
  return x_in_a && x_in_b && x_in_a != x_in_b && x_in_a == y_in_b && x_in_b == y_in_a;
}

/* "To" before a verb governs nothing; for a preposition another may stand. */
static int is_infinitive(const Bond *x, const Bond *y) {
  return ((x->classes ^ y->classes) & WORD_GOVERNS) && ((x->classes | y->classes) & WORD_TO);
}

/* Two words, or two numbers, that belong each to what the other belonged to. */
static int bonds_differ(Texts *p) {
  Bonds s;
  find_bonds(&p->a, &p->b, &s);
  for (size_t i = 0; i < s.n; i++) {
    int counts = is_count(&p->a.tokens[s.at[i]]);
    for (size_t k = i + 1; k < s.n; k++) {
      if (s.key[i] == s.key[k] || counts != is_count(&p->a.tokens[s.at[k]])) {
        continue;
      }
      int near = exchanged(s.a[i].near, s.b[i].near, s.a[k].near, s.b[k].near) &&
                 !is_infinitive(&s.a[i], &s.b[i]);
      if (near || exchanged(s.a[i].far, s.b[i].far, s.a[k].far, s.b[k].far)) {
        return texts_object_to_order(p, s.at[i], s.at[k]);
      }
    }
  }
  return 0;
}

/* ---- clauses: negated ones, and those that are under a condition */

static int is_negation(const GuardText *t, size_t i) {
  static const char *const words[] = {"not",    "never", "no",     "dont", "cant",
                                      "cannot", "isnt",  "doesnt", "wont"};
  return i < t->n_tokens && has_class(&t->tokens[i], WORD_NEGATION) && IS_ONE_OF(t, i, words);
}

static int is_grammar(const GuardText *t, size_t i) {
  return i < t->n_tokens && (t->tokens[i].flags & TOKEN_STOP);
}

static int is_condition(const GuardText *t, size_t i) {
  static const char *const words[] = {"if",     "when",  "because", "unless",
                                      "before", "after", "since",   "until"};
  return is_grammar(t, i) && IS_ONE_OF(t, i, words);
}

/* Whether a comma or the like stands between token i and the one before it. */
static int follows_comma(const GuardText *t, size_t i) {
  const Token *x = &t->tokens[i], *w = x - 1;
  for (size_t at = (size_t)w->from + w->raw; at < x->from; at++) {
    if (t->text[at] == ',' || t->text[at] == ';' || t->text[at] == '.') {
      return 1;
    }
  }
  return 0;
}

/* Whether a clause starts at token i, behind one that started at `first`: at a sentence, "but" and
** "if"; at a comma behind a condition; at a comma or "and" where a negation or a person comes next. */
static int starts_clause(const GuardText *t, size_t first, size_t i) {
  static const char *const links[] = {"but", "while", "whereas", "though", "although"};
  static const char *const ands[] = {"and", "or"};
  int grammar = is_grammar(t, i);
  if (i == first || (t->tokens[i].flags & TOKEN_INITIAL) ||
      (grammar && (IS_ONE_OF(t, i, links) || is_condition(t, i)))) {
    return i > first;
  }
  int joins = grammar && IS_ONE_OF(t, i, ands), comma = follows_comma(t, i);
  if (comma && is_condition(t, first)) {
    return 1;
  }
  size_t k = i + (size_t)joins;
  int person = k < t->n_tokens && t->tokens[k].word && t->tokens[k].word->person;
  return (joins || comma) && (person || is_negation(t, k) || is_negation(t, k + 1));
}

typedef int Marker(const GuardText *t, size_t i);

/* Says of each token whether its clause has a marker. Returns whether some have and some have not. */
static int mark_clauses(const GuardText *t, Marker *is_marker, uint8_t marked[GUARD_TOKENS]) {
  int some = 0, all = 1;
  for (size_t first = 0, end; first < t->n_tokens; first = end) {
    uint8_t has = 0;
    for (end = first; end < t->n_tokens && !starts_clause(t, first, end); end++) {
      has |= (uint8_t)is_marker(t, end);
    }
    memset(marked + first, has, end - first);
    some |= has;
    all &= has;
  }
  return some && !all;
}

/* One word is in a marked clause there and not here, another here and not there. */
static int clauses_differ(Texts *p, Marker *is_marker) {
  uint8_t a[GUARD_TOKENS], b[GUARD_TOKENS];
  size_t lost = p->a.n_tokens, gained = p->a.n_tokens;
  if (!mark_clauses(&p->a, is_marker, a) || !mark_clauses(&p->b, is_marker, b)) {
    return 0;
  }
  for (size_t i = 0; i < p->a.n_tokens; i++) {
    const Token *x = &p->a.tokens[i];
    if (x->match && is_part(x) && !is_marker(&p->a, i) && a[i] != b[x->match - 1]) {
      *(a[i] ? &lost : &gained) = i;
    }
  }
  size_t first = lost < gained ? lost : gained, last = lost < gained ? gained : lost;
  return last < p->a.n_tokens && p->a.tokens[first].key != p->a.tokens[last].key &&
         texts_object_to_order(p, first, last);
}

/* ---- runs of words round what stays */

/* Whether the text looks at two beside each other, whichever is named first. */
static int is_mutual(const GuardText *t) {
  static const char *const words[] = {"between", "vs",      "versus",     "v",
                                      "differ",  "compare", "compatible", "difference"};
  static const char *const likeness[] = {"different", "same", "similar"};
  static const char *const links[] = {"from", "than", "as", "to"};
  for (size_t i = 0; i < t->n_tokens; i++) {
    if (IS_ONE_OF(t, i, words) || (IS_ONE_OF(t, i, likeness) && IS_ONE_OF(t, i + 1, links))) {
      return 1;
    }
  }
  return 0;
}

/* "and", "or", a comma: between token i and the one before it. */
static int is_tied_back(const GuardText *t, size_t i) {
  static const char *const ties[] = {"and", "or", "nor", "with"};
  size_t k = texts_beside(t, i, (size_t)-1);
  return (k < t->n_tokens && IS_ONE_OF(t, k, ties)) || (i > 0 && follows_comma(t, i));
}

static int is_tied_ahead(const GuardText *t, size_t i) {
  static const char *const ties[] = {"and", "or", "nor", "with"};
  return i + 1 < t->n_tokens && (IS_ONE_OF(t, i + 1, ties) || follows_comma(t, i + 1));
}

/* A run of words of one text: its first and last token. */
typedef struct Run {
  size_t first, last;
} Run;

/* Whether "and" or the like ties the run y to the run x before it, directly or in a list, or before
** the same words as it ("Google Maps and Apple Maps"). */
static int are_tied(const GuardText *t, Run x, Run y) {
  size_t ahead = x.last + 1, behind = y.last + 1;
  if (!is_tied_back(t, y.first)) {
    return 0;
  }
  while (ahead < y.first && behind < t->n_tokens && t->tokens[ahead].key == t->tokens[behind].key) {
    ahead++;
    behind++;
  }
  return ahead > 0 && is_tied_ahead(t, ahead - 1);
}

enum { ITEMS_MAX = 64 };

/* The words that both texts tell something with: tokens of a, and of b, each in its order. */
typedef struct Items {
  size_t n, a[ITEMS_MAX], b[ITEMS_MAX];
} Items;

static int is_item(const Token *x, const Token *y) {
  int number = x->kind == TOKEN_NUMBER && y->kind == TOKEN_NUMBER;
  return number || (is_solid(x) && is_solid(y));
}

static void find_items(const GuardText *a, const GuardText *b, Items *s) {
  size_t n = 0, m = 0;
  for (size_t i = 0; i < a->n_tokens && n < ITEMS_MAX; i++) {
    if (a->tokens[i].match && is_item(&a->tokens[i], &b->tokens[a->tokens[i].match - 1])) {
      s->a[n++] = i;
    }
  }
  for (size_t k = 0; k < b->n_tokens && m < n; k++) {
    if (b->tokens[k].match && is_item(&b->tokens[k], &a->tokens[b->tokens[k].match - 1])) {
      s->b[m++] = k;
    }
  }
  s->n = n < ITEMS_MAX && m == n ? n : 0;
}

/* Whether items `from` to `end` of a are items `to` and on of b. */
static int is_moved_to(const GuardText *a, const Items *s, size_t from, size_t end, size_t to) {
  for (size_t i = from; i < end; i++) {
    if (a->tokens[s->a[i]].match != s->b[to + i - from] + 1) {
      return 0;
    }
  }
  return 1;
}

/* The place in `list` (n long) of the token; n: none. */
static size_t place_of(const size_t *list, size_t n, size_t token) {
  size_t i = 0;
  while (i < n && list[i] != token) {
    i++;
  }
  return i;
}

/* Two runs that have changed places, in both texts: x is before y in a, y before x in b. */
typedef struct Swap {
  Run x_a, y_a, x_b, y_b;
} Swap;

/* Whether a's items are P X M Y S and b's P Y M X S, X and Y short. */
static int find_swap(const GuardText *a, const GuardText *b, const Items *s, Swap *w) {
  enum { LONGEST = 3 };
  size_t lo = 0, end = s->n;
  while (lo < end && is_moved_to(a, s, lo, lo + 1, lo)) {
    lo++;
  }
  while (end > lo && is_moved_to(a, s, end - 1, end, end - 1)) {
    end--;
  }
  if (lo == end) {
    return 0;
  }
  size_t x = place_of(s->b, s->n, a->tokens[s->a[lo]].match - 1u);
  size_t y = place_of(s->a, s->n, b->tokens[s->b[lo]].match - 1u);
  if (x >= end || y >= end || end - x > LONGEST || end - y > LONGEST || lo + end - x > y) {
    return 0;
  }
  size_t n = end - x, m = end - y;
  *w = (Swap){{s->a[lo], s->a[lo + n - 1]},
              {s->a[y], s->a[end - 1]},
              {s->b[x], s->b[end - 1]},
              {s->b[lo], s->b[lo + m - 1]}};
  return is_moved_to(a, s, lo, lo + n, x) && is_moved_to(a, s, y, end, lo) &&
         is_moved_to(a, s, lo + n, y, lo + m);
}

/* Whether what stands on side `step` of i and of k is the same, articles aside; the ends of both
** texts are. */
static int same_neighbour(const GuardText *a, size_t i, const GuardText *b, size_t k, size_t step) {
  size_t x = texts_beside(a, i, step), y = texts_beside(b, k, step);
  return x < a->n_tokens && y < b->n_tokens ? a->tokens[x].key == b->tokens[y].key
                                            : x >= a->n_tokens && y >= b->n_tokens;
}

static int same_slot(const GuardText *a, Run x, const GuardText *b, Run y) {
  return same_neighbour(a, x.first, b, y.first, (size_t)-1) &&
         same_neighbour(a, x.last, b, y.last, 1);
}

/* Whether a preposition is left over: "the fee for transfers" is "the transfer fee", "x is shown by
** y" is "y shows x". */
static int is_recast(const GuardText *t) {
  for (size_t i = 0; i < t->n_tokens; i++) {
    if (is_left(&t->tokens[i]) &&
        (has_class(&t->tokens[i], WORD_PREPOSITION) || texts_token_is(t, &t->tokens[i], "by"))) {
      return 1;
    }
  }
  return 0;
}

/* The preposition that alone stands between x and y, and not before x too ("in May in Rome"); n_tokens:
** none. */
static size_t linking(const GuardText *t, Run x, Run y) {
  size_t k = texts_beside(t, y.first, (size_t)-1), before_x = texts_beside(t, x.first, (size_t)-1);
  if (k >= t->n_tokens || k != texts_beside(t, x.last, 1) ||
      !has_class(&t->tokens[k], WORD_GOVERNS) ||
      (before_x < t->n_tokens && t->tokens[before_x].key == t->tokens[k].key)) {
    return t->n_tokens;
  }
  return k;
}

/* Whether a word or a preposition stays between the runs. */
static int stays_between(const GuardText *a, const GuardText *b, const Swap *w) {
  for (size_t i = w->x_a.last + 1; i < w->y_a.first; i++) {
    size_t k = a->tokens[i].match;
    if (k > w->y_b.last + 1 && k < w->x_b.first + 1 &&
        (is_content(&a->tokens[i]) || has_class(&a->tokens[i], WORD_RELATION))) {
      return 1;
    }
  }
  size_t i = linking(a, w->x_a, w->y_a), k = linking(b, w->y_b, w->x_b);
  return i < a->n_tokens && k < b->n_tokens && a->tokens[i].key == b->tokens[k].key;
}

/* Whether only one of the runs is in a negated clause: where clauses_differ found nothing, it took
** its clause along. */
static int is_negated_alone(const GuardText *t, Run x, Run y) {
  uint8_t negated[GUARD_TOKENS];
  return mark_clauses(t, is_negation, negated) && negated[x.first] != negated[y.first];
}

/* Two runs that have changed places round what stays, at least one into the other's very slot; all
** others stay, and none is new. */
static int runs_swap(Texts *p) {
  const GuardText *a = &p->a, *b = &p->b;
  Items items;
  Swap w;
  if (texts_count_new(a) || texts_count_new(b) || is_recast(a) || is_recast(b)) {
    return 0;
  }
  find_items(a, b, &items);
  return find_swap(a, b, &items, &w) && stays_between(a, b, &w) &&
         a->tokens[w.x_a.first].key != a->tokens[w.y_a.first].key &&
         (same_slot(a, w.x_a, b, w.y_b) || same_slot(a, w.y_a, b, w.x_b)) &&
         !are_tied(a, w.x_a, w.y_a) && !are_tied(b, w.y_b, w.x_b) &&
         !(is_negated_alone(a, w.x_a, w.y_a) && is_negated_alone(b, w.y_b, w.x_b)) &&
         texts_object_to_order(p, w.x_a.first, w.y_a.first);
}

int order_differs(Texts *p) {
  if (keeps_order(&p->a) || is_mutual(&p->a) || is_mutual(&p->b)) {
    return 0;
  }
  return bonds_differ(p) || clauses_differ(p, is_negation) || clauses_differ(p, is_condition) ||
         runs_swap(p);
}
