/*
** Capitals and accents that make another word. See guard_rules.h for the contract.
**
** A capital counts where it is no habit: in a flag or an escape ("-R", "\D"), a letter that stands
** alone ("n", "N"), a unit ("mW", "MW"), code in backticks, a word that is another one with a
** capital (lists in guard_words.c: "turkey", "who", "co", "int"), or an emphasis that moves to
** another word. It is a habit at the start of a sentence, in "i", in a text in capitals or in Title
** Case; and where the other writer's whole text has no capital, not even at its start.
**
** An accent counts where both words have one and they differ, where the writer of the bare word
** sets accents elsewhere, where the texts talk about the word ("what does papa mean", quotes), and
** in a list of words that are others with it (ano). Else to leave accents out is a habit of typing,
** as it is above a capital.
*/
#include "core/guard/guard_rules.h"

#include <string.h>
#include <utf8proc.h>

uint32_t marks_character(const char *text, size_t n, size_t i, size_t *len) {
  utf8proc_int32_t c = 0;
  *len = 1;
  if (i >= n) {
    return 0;
  }
  if (!(text[i] & 0x80)) {
    return (unsigned char)text[i];
  }
  size_t left = n - i;
  utf8proc_ssize_t read = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                           (utf8proc_ssize_t)(left < 4 ? left : 4), &c);
  if (read < 1) {
    return 0;
  }
  *len = (size_t)read;
  return (uint32_t)c;
}

static int is_upper(uint32_t c) {
  return c < 0x80 ? c >= 'A' && c <= 'Z'
                  : utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_LU;
}

static uint32_t lower(uint32_t c) {
  return c < 0x80 ? c | (c >= 'A' && c <= 'Z' ? 0x20u : 0u)
                  : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

/* ---- how a text uses capitals */

typedef struct Habit {
  int no_capitals; /* not a single one */
  int capital_start;
  int shouts; /* nothing but capitals, or Title Case */
} Habit;

static Habit habit_of(const GuardText *t) {
  size_t inner = 0, titled = 0, capitals = 0, words = 0;
  Habit h = {1, 0, 0};
  for (size_t i = 0; i < t->n_tokens; i++) {
    const Token *x = &t->tokens[i];
    if (x->kind == TOKEN_GONE || x->raw == 0) {
      continue;
    }
    h.no_capitals &= !(x->flags & (TOKEN_CAPITAL | TOKEN_MIXED));
    h.capital_start |= i == 0 && (x->flags & TOKEN_CAPITAL);
    if (x->kind == TOKEN_WORD && x->n > 1) {
      words++;
      capitals += (x->flags & TOKEN_CAPS) != 0;
      inner += !(x->flags & TOKEN_INITIAL) && x->n > 3;
      titled += !(x->flags & TOKEN_INITIAL) && x->n > 3 && (x->flags & TOKEN_CAPITAL);
    }
  }
  h.shouts =
      (words > 1 && capitals * 5 >= words * 4) || (inner > 1 && titled == inner && words > 3);
  return h;
}

/* ---- where two words differ in case */

typedef struct CaseDiff {
  size_t letters;     /* compared */
  int first, others;  /* whether the first, and a later letter differs */
  size_t capitals[2]; /* of the first text's word, and of the second's */
  int first_capital[2];
} CaseDiff;

/* Compares the words' characters up to where they are no longer the same letters. */
static CaseDiff compare_case(const GuardText *a, const Token *x, const GuardText *b,
                             const Token *y) {
  CaseDiff d = {0};
  size_t i = 0, k = 0, n, m;
  if (x->raw == y->raw && memcmp(a->text + x->from, b->text + y->from, x->raw) == 0) {
    return d;
  }
  while (i < x->raw && k < y->raw) {
    uint32_t c = marks_character(a->text, a->n, x->from + i, &n);
    uint32_t e = marks_character(b->text, b->n, y->from + k, &m);
    if (lower(c) != lower(e)) {
      break;
    }
    int is_first = d.letters == 0;
    d.first |= is_first && c != e;
    d.others |= !is_first && c != e;
    d.capitals[0] += (size_t)is_upper(c);
    d.capitals[1] += (size_t)is_upper(e);
    d.first_capital[0] |= is_first && is_upper(c);
    d.first_capital[1] |= is_first && is_upper(e);
    d.letters += lower(c) != c || lower(e) != e || (c | 0x20) - 'a' < 26;
    i += n;
    k += m;
  }
  return d;
}

static char byte_before(const GuardText *t, size_t at, size_t back) {
  return at >= back ? t->text[at - back] : ' ';
}

static int is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}

/* Behind "\" or "%", or a flag of a command: "-r", "--Rf". */
static int is_marked(const GuardText *t, const Token *x) {
  char c = byte_before(t, x->from, 1), d = byte_before(t, x->from, 2);
  return c == '\\' || c == '%' || (c == '-' && (is_blank(d) || d == '-'));
}

static int is_number_token(const Token *x) {
  return x->kind == TOKEN_NUMBER || x->kind == TOKEN_YEAR;
}

/* A unit's letters from byte `at` of both: whether "m" and "M" are two prefixes of one base, or "b"
** and "B" bits and bytes. Where the whole unit is written otherwise ("MB", "mb"), it is a habit. */
static int unit_case_differs(const char *p, const char *q, size_t n) {
  size_t last = n - 1;
  if (n == 1) {
    return (*p | 0x20) == 'm';
  }
  int same_rest = memcmp(p + 1, q + 1, last) == 0;
  if ((*p | 0x20) == 'm' && *p != *q) {
    return n == 2 && same_rest && !strchr("bBhH", p[1]);
  }
  for (size_t i = 1; i < n; i++) {
    if (p[i] != q[i] && (p[i] | 0x20) == 'b' && *p == *q && *p < 'a') {
      return 1;
    }
  }
  return 0;
}

/* Whether token i stands behind a number, as a unit does; *skip: its digits, where it has some. */
static int behind_number(const GuardText *t, size_t i, size_t *skip) {
  const Token *x = &t->tokens[i];
  *skip = 0;
  while (x->kind == TOKEN_CODE && *skip < x->raw && t->text[x->from + *skip] >= '0' &&
         t->text[x->from + *skip] <= '9') {
    ++*skip;
  }
  return *skip > 0 || (i > 0 && is_number_token(x - 1));
}

/* One letter that stands alone: a variable, unless it is "I", a label, or part of "x-ray". */
static int letter_counts(const GuardText *a, size_t i, const GuardText *b, size_t k) {
  const Token *x = &a->tokens[i], *y = &b->tokens[k];
  char after = x->from + 1 < a->n ? a->text[x->from + 1] : ' ';
  int language = strchr("cCrR", a->text[x->from]) != NULL;
  int behind_in = i > 0 && texts_token_is(a, x - 1, "in");
  int label = (i > 0 && has_class(x - 1, WORD_LABEL) && (language || !behind_in)) ||
              (language && i + 1 < a->n_tokens && has_class(x + 1, WORD_LABEL));
  return (a->text[x->from] | 0x20) != 'i' && !((x->flags | y->flags) & TOKEN_INITIAL) && !label &&
         after != '-' && after != '\'';
}

/* Whether a word of the lists means another thing as the other text writes it. */
static int word_counts(const Token *x, const Token *y, const CaseDiff *d) {
  int initial = (x->flags | y->flags) & TOKEN_INITIAL;
  if (has_class(x, WORD_CASED)) {
    return (d->first && !initial) || (d->others && d->letters == 3);
  }
  if (has_class(x, WORD_CAPS)) {
    return (d->capitals[0] == d->letters) != (d->capitals[1] == d->letters) &&
           (d->letters > 1 || !initial);
  }
  return has_class(x, WORD_ELEMENT) && d->letters == 2 && d->first_capital[0] &&
         d->first_capital[1] && d->others;
}

static int is_behind_a(const GuardText *t, size_t i) {
  const Token *x = i > 0 ? &t->tokens[i - 1] : NULL;
  return x && (texts_token_is(t, x, "a") || texts_token_is(t, x, "an"));
}

/* "An apple" there, "Apple" here: a thing and a name. */
static int is_name_of_thing(const Texts *p, size_t i, size_t k, const CaseDiff *d) {
  int initial = (p->a.tokens[i].flags | p->b.tokens[k].flags) & TOKEN_INITIAL;
  int thing = is_behind_a(&p->a, i), other = is_behind_a(&p->b, k);
  return has_class(&p->a.tokens[i], WORD_THING) && d->first && !initial && thing != other &&
         d->first_capital[thing ? 1 : 0];
}

/* Code in backticks, a name with an underscore, a function that is called. */
static int is_code_here(const GuardText *t, size_t i) {
  const Token *x = &t->tokens[i];
  size_t end = x->from + x->raw;
  return byte_before(t, x->from, 1) == '`' || (end < t->n && t->text[end] == '(') ||
         (x->kind == TOKEN_CODE && memchr(t->text + x->from, '_', x->raw) != NULL);
}

typedef struct Writers {
  Habit a, b;
  int alone; /* a single word differs, and both start alike */
} Writers;

static int is_habit(const Writers *w) {
  return !w->alone &&
         ((w->a.no_capitals && w->b.capital_start) || (w->b.no_capitals && w->a.capital_start));
}

static int case_counts(const Texts *p, size_t i, size_t k, const CaseDiff *d, const Writers *w) {
  const GuardText *a = &p->a, *b = &p->b;
  const Token *x = &a->tokens[i], *y = &b->tokens[k];
  size_t skip, skip_b;
  if (is_number_token(x) && !has_class(x, WORD_CASED)) {
    return 0; /* "7k", "5TH"; but "double" is a type too */
  }
  if (is_marked(a, x) && is_marked(b, y)) {
    return 1;
  }
  if (w->a.shouts || w->b.shouts) {
    return 0;
  }
  if (behind_number(a, i, &skip) && behind_number(b, k, &skip_b)) {
    size_t n = x->raw - skip;
    const char *p0 = a->text + x->from + skip, *q0 = b->text + y->from + skip_b;
    return skip == skip_b && x->raw == y->raw && n > 0 && n <= 4 && unit_case_differs(p0, q0, n);
  }
  if (is_habit(w)) {
    return 0;
  }
  if (x->n == 1 || (d->letters == 1 && x->raw == y->raw && x->kind == TOKEN_WORD)) {
    return letter_counts(a, i, b, k);
  }
  return word_counts(x, y, d) || is_name_of_thing(p, i, k, d) ||
         (is_code_here(a, i) && is_code_here(b, k));
}

/* Whether one text shouts a word that the other doesn't, and the other way round. */
static int emphasis_moves(Texts *p, const Writers *w) {
  size_t at[2] = {0, 0};
  int seen[2] = {0, 0};
  for (size_t i = 0; i < p->a.n_tokens && !w->a.shouts && !w->b.shouts; i++) {
    const Token *x = &p->a.tokens[i];
    const Token *y = x->match ? &p->b.tokens[x->match - 1] : NULL;
    if (y && x->kind == TOKEN_WORD && (x->flags ^ y->flags) & TOKEN_CAPS) {
      int side = (y->flags & TOKEN_CAPS) != 0;
      seen[side] = 1;
      at[side] = side ? x->match - 1u : i;
    }
  }
  return seen[0] && seen[1] && texts_object(p, at[0], at[1]);
}

static size_t count_case_diffs(const Texts *p) {
  size_t n = 0;
  for (size_t i = 0; i < p->a.n_tokens && n < 2; i++) {
    const Token *x = &p->a.tokens[i];
    if (x->match && x->kind != TOKEN_GONE) {
      CaseDiff d = compare_case(&p->a, x, &p->b, &p->b.tokens[x->match - 1]);
      n += d.first || d.others;
    }
  }
  return n;
}

int marks_case(Texts *p) {
  Writers w = {habit_of(&p->a), habit_of(&p->b), 0};
  w.alone = w.a.capital_start == w.b.capital_start && count_case_diffs(p) == 1;
  for (size_t i = 0; i < p->a.n_tokens; i++) {
    const Token *x = &p->a.tokens[i];
    if (!x->match || x->kind == TOKEN_GONE || x->kind == TOKEN_ADDRESS) {
      continue;
    }
    size_t k = x->match - 1u;
    CaseDiff d = compare_case(&p->a, x, &p->b, &p->b.tokens[k]);
    if ((d.first || d.others) && case_counts(p, i, k, &d, &w)) {
      return texts_object(p, i, k);
    }
  }
  return emphasis_moves(p, &w);
}

/* ---- accents */

typedef struct Accents {
  size_t n;        /* how many */
  uint32_t hash;   /* of where they stand and which they are */
  int above_upper; /* all stand above capitals */
} Accents;

static int is_ascii(const char *p, size_t n) {
  unsigned char high = 0;
  for (size_t i = 0; i < n; i++) {
    high |= (unsigned char)p[i];
  }
  return high < 0x80;
}

static Accents accents_of(const GuardText *t, const Token *x) {
  Accents f = {0, 0, 1};
  if (is_ascii(t->text + x->from, x->raw)) {
    return f;
  }
  size_t len, base = 0;
  uint32_t above = 0;
  for (size_t i = 0; i < x->raw; i += len) {
    utf8proc_int32_t out[8];
    int boundary = 0;
    uint32_t c = marks_character(t->text, t->n, x->from + i, &len);
    utf8proc_ssize_t n = c < 0x80 ? 0
                                  : utf8proc_decompose_char((utf8proc_int32_t)c, out, 8,
                                                            UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t k = 0; k < n && k < 8; k++) {
      if (out[k] >= 0x300 && out[k] <= 0x36F) {
        f.n++;
        f.hash = (f.hash ^ (uint32_t)out[k] ^ (uint32_t)(base + (n > 1)) << 12) * 16777619u;
        f.above_upper &= is_upper(n > 1 ? (uint32_t)out[0] : above);
      }
    }
    if (c == 0xDF) { /* sharp s: "Masse" is not written with it, and folds to the same */
      f.n++;
      f.hash = (f.hash ^ c) * 16777619u;
      f.above_upper = 0;
    }
    base += !(n == 1 && out[0] >= 0x300 && out[0] <= 0x36F);
    above = c;
  }
  return f;
}

static size_t count_accents(const GuardText *t) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    n += t->tokens[i].kind == TOKEN_WORD ? accents_of(t, &t->tokens[i]).n : 0;
  }
  return n;
}

static int talks_of_words(const GuardText *t) {
  for (size_t i = 0; i < t->n_tokens; i++) {
    if (has_class(&t->tokens[i], WORD_MEANING)) {
      return 1;
    }
  }
  return t->n_quotes > 0;
}

int marks_accent(Texts *p) {
  size_t in_a = count_accents(&p->a), in_b = count_accents(&p->b);
  if (in_a + in_b == 0) {
    return 0;
  }
  for (size_t i = 0; i < p->a.n_tokens; i++) {
    const Token *x = &p->a.tokens[i];
    const Token *y = x->match ? &p->b.tokens[x->match - 1] : NULL;
    if (!y || x->kind != TOKEN_WORD || x->n != y->n ||
        memcmp(p->a.bytes + x->at, p->b.bytes + y->at, x->n) != 0) {
      continue;
    }
    Accents f = accents_of(&p->a, x), g = accents_of(&p->b, y);
    if (f.hash == g.hash || (f.n ? f : g).above_upper) {
      continue;
    }
    size_t others = f.n ? in_b - g.n : in_a - f.n;
    int about = has_class(x, WORD_ACCENTED) || (talks_of_words(&p->a) && talks_of_words(&p->b));
    if ((f.n && g.n) || others || about) {
      return texts_object(p, i, x->match - 1u);
    }
  }
  return 0;
}
