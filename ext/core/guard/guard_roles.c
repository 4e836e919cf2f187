/*
** Who does it, to whom, whose it is; and what is said of what may, must or was done, of "only" and
** of "and". See guard_rules.h for the contract.
**
** No grammar: each rule looks at words that stand side by side. English, where it looks at word
** order; possessives of other languages are opposites (guard_lists.c).
*/
#include "core/guard/guard_rules.h"

#include <string.h>

/* ---- persons */

enum { PERSONS_MAX = 16, ME = 1, YOU, HIM, HER, US = 6 };

static int person_of(const Token *x) {
  int person = x->kind == TOKEN_WORD && x->word ? x->word->person : 0;
  return person == US && x->n == 2 && (x->flags & TOKEN_CAPS) ? 0 : person; /* the country */
}

static const char *const MODALS[] = {"can", "could", "would", "will"};
static const char *const FAVOURS[] = {"tell",    "help", "explain",   "show",    "give",
                                      "suggest", "let",  "recommend", "provide", "please"};

/* "Do you know", "could you (please) tell me": how many tokens from i on say nothing but that; 0: none. */
static size_t favour(const GuardText *t, size_t i) {
  size_t k = i + 1;
  if (k + 1 < t->n_tokens && texts_token_is(t, &t->tokens[i], "do") &&
      texts_token_is(t, &t->tokens[k], "you") && texts_token_is(t, &t->tokens[k + 1], "know")) {
    return 3;
  }
  if (!IS_ONE_OF(t, i, MODALS) || k >= t->n_tokens || person_of(&t->tokens[k]) != YOU ||
      !IS_ONE_OF(t, k + 1, FAVOURS)) {
    return 0;
  }
  k += 2 + (size_t)texts_token_is(t, &t->tokens[k + 1], "please");
  return k < t->n_tokens && person_of(&t->tokens[k]) == ME ? k + 1 - i : k - i;
}

/* The persons of t in their order, at most PERSONS_MAX. */
static size_t persons(const GuardText *t, uint8_t list[PERSONS_MAX], uint16_t at[PERSONS_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens && n < PERSONS_MAX; i++) {
    size_t idle = favour(t, i);
    if (idle) {
      i += idle - 1;
    } else if (person_of(&t->tokens[i]) &&
               !(i > 0 && texts_token_is(t, &t->tokens[i - 1], "thank"))) {
      at[n] = (uint16_t)i;
      list[n++] = (uint8_t)person_of(&t->tokens[i]);
    }
  }
  return n;
}

/* The key of the word behind token i in its sentence; 0: none. */
static uint32_t key_behind(const GuardText *t, size_t i) {
  int ends = i + 1 >= t->n_tokens || (t->tokens[i + 1].flags & TOKEN_INITIAL);
  return ends ? 0 : t->tokens[i + 1].key;
}

/* Whether each of the n persons of a stands before the same word in b: whole clauses have moved. */
static int same_doers(const GuardText *a, const uint16_t *at_a, const GuardText *b,
                      const uint16_t *at_b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    while (k < n && !(person_of(&b->tokens[at_b[k]]) == person_of(&a->tokens[at_a[i]]) &&
                      key_behind(b, at_b[k]) == key_behind(a, at_a[i]))) {
      k++;
    }
    if (k == n) {
      return 0;
    }
  }
  return 1;
}

/* The same persons in another order ("I owe you"), all else the same. */
static int persons_swap(Texts *p) {
  uint8_t a[PERSONS_MAX], b[PERSONS_MAX];
  uint16_t at_a[PERSONS_MAX], at_b[PERSONS_MAX];
  size_t n = persons(&p->a, a, at_a), sum[8] = {0}, first = PERSONS_MAX;
  enum { CLAUSES = 20 }; /* in longer texts whole clauses move */
  if (p->a.n_tokens > CLAUSES || p->b.n_tokens > CLAUSES || n < 2 || persons(&p->b, b, at_b) != n ||
      texts_count_new(&p->a) || texts_count_new(&p->b)) {
    return 0;
  }
  for (size_t i = n; i-- > 0;) {
    sum[a[i]]++;
    sum[b[i]]--;
    first = a[i] != b[i] ? i : first;
  }
  for (size_t i = 0; i < COUNT_OF(sum); i++) {
    if (sum[i]) {
      return 0;
    }
  }
  return first < n && !same_doers(&p->a, at_a, &p->b, at_b, n) &&
         texts_object(p, at_a[first], at_b[first]);
}

static const char *const POSSESSIVES[] = {"my", "your", "his", "her", "their", "our"};

/* "What is my …", "are your …": a question that isn't after how anybody does something. */
static int asks_of_someone(const GuardText *t) {
  static const char *const be[] = {"is", "are", "was", "were", "where", "when"};
  return IS_ONE_OF(t, 0, be) || (IS_ONE_OF(t, 1, be) && !texts_token_is(t, t->tokens, "how"));
}

/* Another person's, before the same word. */
static int owner_differs(Texts *p) {
  const GuardText *a = &p->a, *b = &p->b;
  int asks = asks_of_someone(a) && asks_of_someone(b);
  for (size_t i = 0; i + 1 < a->n_tokens; i++) {
    size_t k = a->tokens[i + 1].match;
    if (k < 2 || !IS_ONE_OF(a, i, POSSESSIVES) || !IS_ONE_OF(b, k - 2, POSSESSIVES)) {
      continue;
    }
    int u = person_of(&a->tokens[i]), v = person_of(&b->tokens[k - 2]);
    int third = (u == ME) != (v == ME) && u != YOU && v != YOU && u != US && v != US;
    int ours = (u == US || v == US) && u != YOU && v != YOU;
    if (u != v && !ours && (asks || third)) {
      return texts_object(p, i, k - 2);
    }
  }
  return 0;
}

/* Where "am I" or "I am" stands ("are you" for the other person); n_tokens: nowhere. */
static size_t being(const GuardText *t, int person, const char *verb) {
  for (size_t i = 0; i + 1 < t->n_tokens; i++) {
    const Token *x = &t->tokens[i];
    if ((person_of(x) == person && texts_token_is(t, x + 1, verb)) ||
        (person_of(x + 1) == person && texts_token_is(t, x, verb))) {
      return i;
    }
  }
  return t->n_tokens;
}

static int being_differs(Texts *p) {
  for (int swap = 0; swap < 2; swap++) {
    const GuardText *a = swap ? &p->b : &p->a, *b = swap ? &p->a : &p->b;
    size_t i = being(a, ME, "am"), k = being(b, YOU, "are");
    if (i < a->n_tokens && k < b->n_tokens && being(a, YOU, "are") >= a->n_tokens &&
        being(b, ME, "am") >= b->n_tokens) {
      return texts_object(p, swap ? k : i, swap ? i : k);
    }
  }
  return 0;
}

/* The first word for this person, if none of the text's is for the other; n_tokens: none. */
static size_t find_person(const GuardText *t, int person, int other) {
  size_t found = t->n_tokens;
  for (size_t i = t->n_tokens; i-- > 0;) {
    int who = person_of(&t->tokens[i]);
    found = who == person ? i : found;
    if (who == other) {
      return t->n_tokens;
    }
  }
  return found;
}

/* Of him there, of her here. */
static int sex_differs(Texts *p) {
  for (int i = 0; i < 2; i++) {
    size_t x = find_person(&p->a, HIM + i, HER - i), y = find_person(&p->b, HER - i, HIM + i);
    if (x < p->a.n_tokens && y < p->b.n_tokens) {
      return texts_object(p, x, y);
    }
  }
  return 0;
}

/* ---- subjects */

static const char *const AUXILIARIES[] = {"do",     "does", "did",   "can", "could",
                                          "should", "will", "would", "may", "must"};
static const char *const DO[] = {"do", "does", "did"};

/* The token behind the first auxiliary, its articles skipped; n_tokens if there is none. */
static size_t subject_of(const GuardText *t, size_t *auxiliary) {
  for (size_t i = 0; i + 1 < t->n_tokens && i < 4; i++) {
    if (IS_ONE_OF(t, i, AUXILIARIES) && !favour(t, i)) {
      *auxiliary = i;
      return texts_beside(t, i, 1);
    }
  }
  return t->n_tokens;
}

static int is_noun(const Token *x) {
  return x->kind == TOKEN_WORD && is_content(x) && !has_class(x, WORD_VAGUE);
}

/* "Can I …" there, "can my boss …" here: somebody else does it. (Without the "my" it may be what it
** is done with: "does metformin help me".) */
static int subject_is_new(const GuardText *a, size_t s, const GuardText *b, size_t u) {
  int me = person_of(&a->tokens[s]) == ME || person_of(&a->tokens[s]) == YOU;
  const Token *y = &b->tokens[u];
  static const char *const passive[] = {"be", "been", "have", "need", "get", "still", "not"};
  if (!me || IS_ONE_OF(b, u + 1, passive) || !is_noun(y) || texts_count_new(a) || u == 0 ||
      !IS_ONE_OF(b, u - 1, POSSESSIVES)) {
    return 0;
  }
  return is_left(y) ? texts_count_new(b) == 1 : y->match != 0 && texts_count_new(b) == 0;
}

static int subject_differs(Texts *p) {
  size_t aux_a, aux_b, s = subject_of(&p->a, &aux_a), u = subject_of(&p->b, &aux_b);
  if (s >= p->a.n_tokens || u >= p->b.n_tokens) {
    return 0;
  }
  return (subject_is_new(&p->a, s, &p->b, u) || subject_is_new(&p->b, u, &p->a, s)) &&
         texts_object(p, s, u);
}

/* "Who owns x" there, "what does x own" here; "who can call me", "who can I call": a asks for who does
** it, b for what it is done to. */
static int asks_for_object(const GuardText *a, const GuardText *b) {
  static const char *const asked[] = {"who", "whom", "what", "which"};
  size_t auxiliary, s = subject_of(b, &auxiliary), verb = 1 + (size_t)IS_ONE_OF(a, 1, MODALS);
  if (!IS_ONE_OF(a, 0, asked) || a->n_tokens < verb + 2 || !a->tokens[verb].match ||
      (a->tokens[verb].flags & TOKEN_STOP) || s >= b->n_tokens || auxiliary != 1 ||
      !(IS_ONE_OF(b, 1, DO) || (verb > 1 && IS_ONE_OF(b, 1, MODALS))) || !IS_ONE_OF(b, 0, asked)) {
    return 0;
  }
  size_t done = a->tokens[verb].match - 1u, object = b->tokens[s].match;
  int me = person_of(&b->tokens[s]) && person_of(&b->tokens[s]) == person_of(&a->tokens[verb + 1]);
  return (me || object > verb + 1) && done > s && texts_count_new(a) == 0 &&
         texts_count_new(b) == 0;
}

/* ---- owners by an apostrophe */

enum { NOT_OWNER, ONE_OWNER, OWNERS };

/* "the dog's", "the dogs'". */
static int ownership(const GuardText *t, const Token *x) {
  size_t end = x->from + x->raw;
  const char *p = t->text + x->from;
  if (x->kind != TOKEN_WORD || x->raw < 3 || (p[x->raw - 1] | 0x20) != 's') {
    return NOT_OWNER;
  }
  if (p[x->raw - 2] == '\'' || p[x->raw - 2] == '\x99') { /* the last byte of a curly one */
    return ONE_OWNER;
  }
  int closes = end + 1 < t->n && t->text[end] == '\'' && t->text[end + 1] == ' ';
  return closes && memchr(t->text, '\'', x->from) == NULL ? OWNERS : NOT_OWNER;
}

static int owners_differ(Texts *p) {
  size_t gained = 0, lost = 0, at = 0;
  for (size_t i = 0; i < p->a.n_tokens; i++) {
    const Token *x = &p->a.tokens[i];
    if (!x->match || !is_solid(x)) {
      continue;
    }
    int u = ownership(&p->a, x), v = ownership(&p->b, &p->b.tokens[x->match - 1]);
    if (u && v && u != v) {
      return texts_object(p, i, x->match - 1u);
    }
    at = u && !v ? i : at;
    lost += u == ONE_OWNER && !v;
    gained += v == ONE_OWNER && !u;
  }
  return lost && gained && !texts_count_new(&p->a) && !texts_count_new(&p->b) &&
         texts_object(p, at, p->a.tokens[at].match - 1u);
}

int roles_person(Texts *p) {
  if (p->a.foreign) {
    return 0;
  }
  int asks = asks_for_object(&p->a, &p->b) || asks_for_object(&p->b, &p->a);
  return (asks && texts_object(p, 0, 0)) || persons_swap(p) || being_differs(p) ||
         owner_differs(p) || sex_differs(p) || subject_differs(p) || owners_differ(p);
}

/* ---- "only", "all … not", and what was done against what may be done */

/* "only", but "the only", "not only", "just only". */
static int says_only(const GuardText *t, size_t i) {
  static const char *const idle[] = {"the", "not", "just"};
  return has_class(&t->tokens[i], WORD_ONLY) && t->tokens[i].kind == TOKEN_WORD &&
         !(i > 0 && IS_ONE_OF(t, i - 1, idle));
}

static size_t find_only(const GuardText *t) {
  size_t i = 0;
  while (i < t->n_tokens && !says_only(t, i)) {
    i++;
  }
  return i;
}

static int only_differs(Texts *p) {
  size_t i = find_only(&p->a), k = find_only(&p->b);
  int in_a = i < p->a.n_tokens, in_b = k < p->b.n_tokens;
  if (in_a != in_b) {
    return texts_object(p, i, k);
  }
  if (!in_a || texts_count_new(&p->a) || texts_count_new(&p->b)) {
    return 0;
  }
  size_t x = texts_beside(&p->a, i, 1), y = texts_beside(&p->b, k, 1);
  int last_a = x >= p->a.n_tokens, last_b = y >= p->b.n_tokens;
  int moved = !last_a && !last_b && p->a.tokens[x].kind == TOKEN_WORD && p->a.tokens[x].match &&
              p->b.tokens[y].match && p->a.tokens[x].key != p->b.tokens[y].key;
  return moved && texts_object(p, x, y);
}

/* Where "not all" stands; n_tokens: nowhere. */
static size_t not_all(const GuardText *t) {
  static const char *const all[] = {"all", "every", "each", "everyone", "everybody", "both"};
  for (size_t i = 0; i + 1 < t->n_tokens; i++) {
    int whole = (t->text[t->tokens[i].from] | 0x20) == 'n'; /* not the end of "can't" */
    if (texts_token_is(t, &t->tokens[i], "not") && whole && IS_ONE_OF(t, i + 1, all)) {
      return i;
    }
  }
  return t->n_tokens;
}

static int scope_differs(Texts *p) {
  size_t i = not_all(&p->a), k = not_all(&p->b);
  int in_a = i < p->a.n_tokens, in_b = k < p->b.n_tokens;
  return in_a != in_b && texts_object(p, i, k);
}

static int tense_differs(Texts *p) {
  static const char *const done[] = {"did", "has", "have", "had"};
  static const char *const may[] = {"can", "could", "may", "must", "should", "will", "shall"};
  int before = (IS_ONE_OF(&p->a, 0, done) && IS_ONE_OF(&p->b, 0, may)) ||
               (IS_ONE_OF(&p->b, 0, done) && IS_ONE_OF(&p->a, 0, may));
  return before && texts_object(p, 0, 0);
}

/* Whether x and y stand directly beside token k of t, one on each side. */
static int stand_beside(const GuardText *t, size_t k, size_t x, size_t y) {
  size_t before = texts_beside(t, k, (size_t)-1), after = texts_beside(t, k, 1);
  return (before == x && after == y) || (before == y && after == x);
}

/* "x and y" in a, "x or y" in b. */
static size_t and_for_or(const GuardText *a, const GuardText *b, size_t *at) {
  static const char *const between[] = {"between"};
  for (size_t i = 1; i + 1 < a->n_tokens; i++) {
    size_t x = texts_beside(a, i, (size_t)-1), y = texts_beside(a, i, 1);
    if (IS_ONE_OF(a, i, between)) {
      break;
    }
    if (!texts_token_is(a, &a->tokens[i], "and") || x >= a->n_tokens || y >= a->n_tokens ||
        !is_solid(&a->tokens[x]) || !is_solid(&a->tokens[y])) {
      continue;
    }
    for (size_t k = 1; k + 1 < b->n_tokens; k++) {
      if (texts_token_is(b, &b->tokens[k], "or") &&
          stand_beside(b, k, a->tokens[x].match - 1u, a->tokens[y].match - 1u)) {
        *at = k;
        return i;
      }
    }
  }
  return a->n_tokens;
}

/* All of two, or one of them, in a question for yes or no that is else the same. */
static int ties_differ(Texts *p) {
  size_t at = 0, n = p->a.n_tokens;
  if (n != p->b.n_tokens || n < 3 || has_class(p->a.tokens, WORD_QUESTION) ||
      p->a.tokens->key != p->b.tokens->key || texts_count_new(&p->a) || texts_count_new(&p->b)) {
    return 0;
  }
  size_t i = and_for_or(&p->a, &p->b, &at);
  if (i < n) {
    return texts_object(p, i, at);
  }
  i = and_for_or(&p->b, &p->a, &at);
  return i < n && texts_object(p, at, i);
}

/* Where "have to" or "need to" stands behind "do I"; n_tokens: nowhere. */
static size_t find_duty(const GuardText *t) {
  static const char *const have[] = {"have", "need"};
  for (size_t i = 2; i + 1 < t->n_tokens && i < 5 && IS_ONE_OF(t, 0, DO); i++) {
    if (IS_ONE_OF(t, i, have) && texts_token_is(t, &t->tokens[i + 1], "to")) {
      return i;
    }
  }
  return t->n_tokens;
}

/* What must be done against what may be: "do I have to", "can I". */
static int duty_differs(Texts *p) {
  static const char *const may[] = {"can", "could", "may", "might"};
  size_t i = find_duty(&p->a), k = find_duty(&p->b);
  return (i < p->a.n_tokens && IS_ONE_OF(&p->b, 0, may) && texts_object(p, i, 0)) ||
         (k < p->b.n_tokens && IS_ONE_OF(&p->a, 0, may) && texts_object(p, 0, k));
}

/* A separable verb's end: "schalte … ein", "schalte … aus". */
static int particle_differs(Texts *p) {
  static const char *const ends[] = {"ein", "aus", "an", "ab", "auf", "zu"};
  size_t i = p->a.n_tokens - 1, k = p->b.n_tokens - 1;
  return p->a.foreign && p->a.n_tokens && p->b.n_tokens && IS_ONE_OF(&p->a, i, ends) &&
         IS_ONE_OF(&p->b, k, ends) && p->a.tokens[i].key != p->b.tokens[k].key &&
         texts_object(p, i, k);
}

int roles_polarity(Texts *p) {
  return only_differs(p) || scope_differs(p) || tense_differs(p) || duty_differs(p) ||
         ties_differ(p) || particle_differs(p);
}
