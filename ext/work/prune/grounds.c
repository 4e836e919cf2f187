/*
** See grounds.h for the contract.
**
** A set of hashes: of each word of the source as it is, its stem and its beginning, of each number its digits, of each address the
** whole. What is asked for is looked up in the same forms. A number of one digit is not asked for: who sums up counts ("3 files").
**
** Needs no language: what it takes for granted is that a summary has its numbers, names and addresses from somewhere.
*/
#include "work/prune/grounds.h"

#include "base/hash.h"
#include "core/gate/numbers.h"
#include "core/split/terms.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_DIGITS = 64, MOST_ADDRESS = 400 };
enum { AS_WORD = 1, AS_STEM, AS_FRONT, AS_NUMBER, AS_PART, AS_ADDRESS };

/* ---- the set */

static uint64_t key_of(uint64_t hash, int as) {
  uint64_t key = (hash ^ (uint64_t)as * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;
  return key ? key : 1;
}

static size_t slot_of(const Grounds *g, uint64_t key) {
  size_t at = (size_t)(key >> 20) & (g->cap - 1);
  while (g->slots[at] && g->slots[at] != key) {
    at = (at + 1) & (g->cap - 1);
  }
  return at;
}

static int grow(Grounds *g, Err *err) {
  Grounds more = {.cap = g->cap ? 2 * g->cap : 1024};
  more.slots = calloc(more.cap, sizeof *more.slots);
  if (!more.slots) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < g->cap; i++) {
    if (g->slots[i]) {
      more.slots[slot_of(&more, g->slots[i])] = g->slots[i];
    }
  }
  more.n = g->n;
  free(g->slots);
  *g = more;
  return RC_OK;
}

static void enter(Grounds *g, uint64_t hash, int as, Err *err) {
  if (err->rc != RC_OK || (2 * g->n >= g->cap && grow(g, err) != RC_OK)) {
    return;
  }
  size_t at = slot_of(g, key_of(hash, as));
  g->n += !g->slots[at];
  g->slots[at] = key_of(hash, as);
}

static int has(const Grounds *g, uint64_t hash, int as) {
  return g->cap && g->slots[slot_of(g, key_of(hash, as))] != 0;
}

/* ---- numbers */

/* A run of digits as any other way of writing it has it: without zeros in front, and those behind a point. */
static uint64_t hash_digits(const char *p, size_t n, int is_fraction) {
  while (n > 1 && *p == '0') {
    p++;
    n--;
  }
  while (is_fraction && n > 1 && p[n - 1] == '0') {
    n--;
  }
  return hash_short(p, n);
}

/* The next run of digits of a term; 0: none. *is_fraction: one or two digits behind a point. */
static size_t next_run(const char *p, size_t n, size_t *at, int *is_fraction) {
  while (*at < n && !isdigit((unsigned char)p[*at])) {
    ++*at;
  }
  size_t from = *at;
  while (*at < n && isdigit((unsigned char)p[*at])) {
    ++*at;
  }
  *is_fraction = from > 0 && (p[from - 1] == '.' || p[from - 1] == ',') && *at - from <= 2;
  return *at - from;
}

/* All letters and digits of a term. */
static uint64_t hash_whole(const char *p, size_t n) {
  char whole[MOST_DIGITS];
  size_t k = 0;
  for (size_t i = 0; i < n && k < MOST_DIGITS; i++) {
    unsigned char c = (unsigned char)p[i];
    if (isalnum(c) || c >= 0x80) {
      whole[k++] = (char)tolower(c);
    }
  }
  return hash_short(whole, k);
}

static void enter_number(Grounds *g, const char *p, size_t n, Err *err) {
  int is_fraction;
  enter(g, hash_whole(p, n), AS_NUMBER, err);
  for (size_t at = 0, k; (k = next_run(p, n, &at, &is_fraction)) > 0;) {
    enter(g, hash_digits(p + at - k, k, is_fraction), AS_PART, err);
    enter(g, hash_digits(p + at - k, k, 0), AS_PART, err);
  }
}

static int has_number(const Grounds *g, const char *p, size_t n) {
  int is_fraction, is_there = 1;
  for (size_t at = 0, k; (k = next_run(p, n, &at, &is_fraction)) > 0;) {
    is_there &= (k == 1 && n == 1) || has(g, hash_digits(p + at - k, k, is_fraction), AS_PART);
  }
  return is_there || has(g, hash_whole(p, n), AS_NUMBER);
}

/* "three", "March". */
static void enter_number_word(Grounds *g, const char *p, size_t n, Err *err) {
  char word[MOST_DIGITS], digits[24];
  for (size_t i = 0; i < n && n < sizeof word; i++) {
    word[i] = (char)tolower((unsigned char)p[i]);
  }
  int value = n < sizeof word ? number_word(word, n) : -1;
  if (value >= 0) {
    size_t k = sizeof digits;
    do {
      digits[--k] = (char)('0' + value % 10);
      value /= 10;
    } while (value > 0);
    enter(g, hash_short(digits + k, sizeof digits - k), AS_PART, err);
  }
}

/* ---- addresses */

static int is_limit(char c) {
  return (unsigned char)c <= ' ' || strchr("\"'`<>()[]{},;|*", c) != NULL;
}

/* The next piece between blanks, quotes and brackets, without a sentence's end: its bytes, 0 at the end. */
static size_t next_piece(const char *text, size_t n, size_t *at, size_t *from) {
  while (*at < n && is_limit(text[*at])) {
    ++*at;
  }
  *from = *at;
  while (*at < n && !is_limit(text[*at])) {
    ++*at;
  }
  size_t end = *at;
  while (end > *from && strchr(".:!?/", text[end - 1])) {
    end--;
  }
  return *at > *from ? end - *from : 0;
}

/* 1 for an e-mail's or a page's address. */
static int is_address(const char *p, size_t n) {
  const char *sign = memchr(p, '@', n);
  return (sign && sign > p && sign + 1 < p + n) || memmem(p, n, "://", 3) ||
         (n > 4 && strncasecmp(p, "www.", 4) == 0);
}

static uint64_t hash_address(const char *p, size_t n) {
  char lower[MOST_ADDRESS];
  n = n < sizeof lower ? n : sizeof lower;
  for (size_t i = 0; i < n; i++) {
    lower[i] = (char)tolower((unsigned char)p[i]);
  }
  return hash_short(lower, n);
}

/* 1 for a point within a host's or a file's name: letters before and behind it, two or more. */
static int is_dotted(const char *p, size_t n) {
  int is = 0;
  for (size_t i = 2; i + 2 < n; i++) {
    is |= p[i] == '.' && isalpha((unsigned char)p[i - 1]) && isalpha((unsigned char)p[i - 2]) &&
          isalpha((unsigned char)p[i + 1]) && isalpha((unsigned char)p[i + 2]);
  }
  return is;
}

static int has_words(const Grounds *g, const char *text, size_t from, size_t n) {
  TermWalk w;
  Term t;
  int is_there = 1;
  terms_begin(&w, text, from, from + n);
  while (terms_next(&w, &t)) {
    is_there &= (t.flags & (TERM_SIGN | TERM_NUMBER)) != 0 || has(g, t.key, AS_WORD);
  }
  return is_there;
}

static int has_addresses(const Grounds *g, const char *text, size_t n) {
  int is_there = 1;
  for (size_t at = 0, from; is_there && at < n;) {
    size_t k = next_piece(text, n, &at, &from);
    if (k > 0 && is_address(text + from, k)) {
      is_there = has(g, hash_address(text + from, k), AS_ADDRESS);
    } else if (k > 0 && is_dotted(text + from, k)) {
      is_there = has_words(g, text, from, k);
    }
  }
  return is_there;
}

/* ---- reading */

static void enter_word(Grounds *g, const char *text, const Term *t, Err *err) {
  enter(g, t->key, AS_WORD, err);
  enter(g, t->stem, AS_STEM, err);
  if (t->front) {
    enter(g, t->front, AS_FRONT, err);
  }
  if (t->flags & TERM_NUMBER) {
    enter_number(g, text + t->from, t->n, err);
  }
  if (t->flags & (TERM_NUMBER | TERM_DATE)) {
    enter_number_word(g, text + t->from, t->n, err);
  }
}

int grounds_read(const char *source, size_t n, Grounds *g, Err *err) {
  TermWalk w;
  Term t;
  *g = (Grounds){.n = 0};
  terms_begin(&w, source, 0, n);
  while (err->rc == RC_OK && terms_next(&w, &t)) {
    enter_word(g, source, &t, err);
  }
  for (size_t at = 0, from; err->rc == RC_OK && at < n;) {
    size_t k = next_piece(source, n, &at, &from);
    if (k > 0 && is_address(source + from, k)) {
      enter(g, hash_address(source + from, k), AS_ADDRESS, err);
    }
  }
  return err->rc;
}

void grounds_free(Grounds *g) {
  free(g->slots);
  *g = (Grounds){.n = 0};
}

/* ---- what is asked for */

static int is_in(const Grounds *g, const Term *t) {
  return has(g, t->key, AS_WORD) || has(g, t->stem, AS_STEM) ||
         (t->front && has(g, t->front, AS_FRONT));
}

static int has_digit(const char *p, size_t n) {
  int is = 0;
  for (size_t i = 0; i < n; i++) {
    is |= isdigit((unsigned char)p[i]) != 0;
  }
  return is;
}

int grounds_has_facts(const Grounds *g, const char *text, size_t n, int names) {
  TermWalk w;
  Term t;
  int is_there = has_addresses(g, text, n), is_first = 1;
  terms_begin(&w, text, 0, n);
  while (is_there && terms_next(&w, &t)) {
    if (has_digit(text + t.from, t.n)) {
      is_there = has_number(g, text + t.from, t.n);
    } else if (names && !is_first && t.flags & TERM_CAPITAL && !(t.flags & TERM_STOP)) {
      is_there = is_in(g, &t);
    }
    is_first = t.flags & TERM_SIGN ? is_first : 0;
  }
  return is_there;
}

/* A word that only says who told whom. */
static int is_telling(const char *p, size_t n) {
  static const char *const words[] = {
      "user",      "users",     "assistant", "customer", "client",  "asked",    "asks",
      "said",      "told",      "reported",  "reports",  "wrote",   "answered", "replied",
      "explained", "mentioned", "wanted",    "named",    "noted",   "given",    "gave",
      "found",     "decided",   "done",      "stated",   "kunde",   "kundin",   "nutzer",
      "fragte",    "sagte",     "client",    "cliente",  "usuario", "demandé",  "preguntó",
      "open",      "still",     "unclear",   "clear",    "whether", "yet",      "later",
      "also"};
  int is = 0;
  for (size_t i = 0; i < sizeof words / sizeof words[0] && !is; i++) {
    is = strlen(words[i]) == n && strncasecmp(words[i], p, n) == 0;
  }
  return is;
}

void grounds_count(const Grounds *g, const char *text, size_t n, int *n_words, int *n_found) {
  TermWalk w;
  Term t;
  *n_words = *n_found = 0;
  terms_begin(&w, text, 0, n);
  while (terms_next(&w, &t)) {
    unsigned grammar = TERM_STOP | TERM_SIGN | TERM_NUMBER | TERM_NEGATION | TERM_REFERS;
    if (!(t.flags & grammar) && !is_telling(text + t.from, t.n)) {
      ++*n_words;
      *n_found += is_in(g, &t);
    }
  }
}

/* (German: told by its grammar. How many capitals there are tells a list of names as well.) */
int grounds_has_capital_nouns(const char *text, size_t n) {
  static const char *const words[] = {"der",   "das",    "dem",   "den",   "des", "und", "ein",
                                      "eine",  "einen",  "einem", "einer", "ist", "mit", "von",
                                      "wurde", "wurden", "nicht", "im",    "auf", "zu",  "nach"};
  TermWalk w;
  Term t;
  int all = 0, german = 0;
  terms_begin(&w, text, 0, n);
  while (terms_next(&w, &t)) {
    all += !(t.flags & (TERM_SIGN | TERM_NUMBER));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
      german += strlen(words[i]) == t.n && strncasecmp(words[i], text + t.from, t.n) == 0;
    }
  }
  return 8 * german > all;
}
