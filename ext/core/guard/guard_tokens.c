/*
** Tokens for the guard. See guard_tokens.h for the contract.
**
** The text is read once, character by character, with one character of lookahead. Each is folded on
** the way: compatibility forms and case by utf8proc (so fullwidth digits are digits), then accents
** (U+0300 to U+036F) fall away, so that NFC, NFD and what is typed without accents are one. A
** token's folded text goes to the text's own `bytes`; nothing is allocated.
**
** A word is a run of letters, marks and digits; of scripts written without blanks each character is
** one. "n't" becomes a token of its own, other English endings behind an apostrophe go. Letters and
** digits in one run are a code, unless they are a number with its unit ("5km") or ordinal ("5th").
** Runs of number words are folded into their value afterwards ("two hundred" is 200).
**
** Numbers: 1,000 is 1000; 2.50 is 2.5; 1,5 is 1.5; 1.000 is itself, since it is 1000 to some.
*/
#include "core/guard/guard_tokens.h"

#include <string.h>
#include <utf8proc.h>

typedef enum Class { C_OTHER, C_SPACE, C_LETTER, C_DIGIT, C_SIGN, C_OPERATOR, C_QUOTE } Class;

enum { FOLDED = 32 }; /* bytes one character folds into at most; longer ones are cut */

typedef struct Glyph {
  uint32_t c;
  uint8_t len, n; /* bytes read, bytes folded */
  uint8_t class;
  uint8_t upper;
  uint8_t alone;  /* a word by itself */
  uint8_t vulgar; /* a fraction in one character */
  char folded[FOLDED];
} Glyph;

static const uint32_t ZEROS[] = {0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6,  0xB66,  0xBE6,
                                 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0x1040, 0x17E0, 0x1810};

/* The classes of ASCII, a row per 32 characters. */
enum {
  O = C_OTHER,
  S = C_SPACE,
  L = C_LETTER,
  D = C_DIGIT,
  U = C_SIGN,
  P = C_OPERATOR,
  Q = C_QUOTE
};
// clang-format off
static const uint8_t ASCII[128] = {
    O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    S, O, Q, O, U, U, O, Q, O, O, P, P, O, O, O, O, D, D, D, D, D, D, D, D, D, D, O, O, P, P, P, O,
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, O, O, O, P, O,
    Q, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, O, P, O, P, O,
};
// clang-format on

static uint8_t class_of_ascii(char c) {
  return ASCII[(unsigned char)c & 0x7F];
}

/* Scripts written without blanks: Thai to Myanmar, Khmer, kana, Han. */
static int stands_alone(uint32_t c) {
  return (c >= 0xE00 && c <= 0xEFF) || (c >= 0x1000 && c <= 0x109F) ||
         (c >= 0x1780 && c <= 0x17FF) || (c >= 0x3040 && c <= 0x30FF) ||
         (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

static int is_quote(uint32_t c) {
  return (c >= 0x2018 && c <= 0x201F) || c == 0xAB || c == 0xBB || c == 0x2039 || c == 0x203A ||
         (c >= 0x300C && c <= 0x300F) || c == 0xFF02 || c == 0xFF07;
}

static uint8_t class_of(uint32_t c) {
  if (is_quote(c)) {
    return C_QUOTE;
  }
  switch (utf8proc_category((utf8proc_int32_t)c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_CF: /* invisible: folds into nothing */
    return C_LETTER;
  case UTF8PROC_CATEGORY_ND:
    return C_DIGIT;
  case UTF8PROC_CATEGORY_ZS:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP:
    return C_SPACE;
  case UTF8PROC_CATEGORY_SC:
    return C_SIGN;
  case UTF8PROC_CATEGORY_SM:
    return C_OPERATOR;
  default:
    return C_OTHER;
  }
}

/* Fills g->folded with the folded form of g->c. */
static void fold(Glyph *g) {
  utf8proc_int32_t out[18];
  int boundary = 0;
  if (utf8proc_category((utf8proc_int32_t)g->c) == UTF8PROC_CATEGORY_CF) {
    return;
  }
  for (size_t i = 0; i < sizeof ZEROS / sizeof *ZEROS; i++) {
    if (g->c >= ZEROS[i] && g->c < ZEROS[i] + 10) {
      g->folded[g->n++] = (char)('0' + (g->c - ZEROS[i]));
      return;
    }
  }
  utf8proc_ssize_t n =
      utf8proc_decompose_char((utf8proc_int32_t)g->c, out, 18,
                              UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD, &boundary);
  for (utf8proc_ssize_t i = 0; i < n && i < 18 && g->n <= FOLDED - 4; i++) {
    if (out[i] < 0x300 || out[i] > 0x36F) {
      g->n = (uint8_t)(g->n + utf8proc_encode_char(out[i], (utf8proc_uint8_t *)g->folded + g->n));
    }
  }
}

/* Whether g folds into two numbers around U+2044 (E2 81 84): makes that a "/". */
static int make_fraction(Glyph *g) {
  size_t i = 0;
  while (i + 3 < g->n && memcmp(g->folded + i, "\xE2\x81\x84", 3) != 0) {
    i++;
  }
  if (i == 0 || i + 3 >= g->n) {
    return 0;
  }
  g->folded[i] = '/';
  memmove(g->folded + i + 1, g->folded + i + 3, g->n - i - 3u);
  g->n = (uint8_t)(g->n - 2);
  return 1;
}

/* Reads the character at byte i of the text, which is behind no end. */
static void glyph_wide(const GuardText *t, size_t i, Glyph *g) {
  utf8proc_int32_t c;
  size_t left = t->n - i;
  utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)t->text + i,
                                          (utf8proc_ssize_t)(left < 4 ? left : 4), &c);
  if (len < 1) {
    g->len = 1;
    return;
  }
  g->c = (uint32_t)c;
  g->len = (uint8_t)len;
  g->class = class_of(g->c);
  g->upper = utf8proc_category(c) == UTF8PROC_CATEGORY_LU;
  g->alone = g->class == C_LETTER && stands_alone(g->c);
  fold(g);
  g->vulgar = g->class == C_OTHER && make_fraction(g);
  if (g->n == 1 && g->class != C_QUOTE) { /* a fullwidth form */
    g->class = class_of_ascii(g->folded[0]);
    g->c = (unsigned char)g->folded[0];
  }
  if (g->c == 0xB2 || g->c == 0xB3 || g->c == 0xB0 || g->c == 0xD7 || g->c == 0xF7) {
    g->class = g->c == 0xB0 ? C_SIGN : C_OPERATOR; /* squared, cubed, degree, times, divided by */
  }
}

/* The character at byte i; of class C_SPACE and no length at the end. */
static void glyph_at(const GuardText *t, size_t i, Glyph *g) {
  g->c = 0;
  g->len = g->n = g->upper = g->alone = g->vulgar = 0;
  g->class = C_OTHER;
  if (i >= t->n) {
    g->class = C_SPACE;
    return;
  }
  char c = t->text[i];
  if (c & 0x80) {
    glyph_wide(t, i, g);
    return;
  }
  g->c = (unsigned char)c;
  g->len = g->n = 1;
  g->class = class_of_ascii(c);
  g->upper = c >= 'A' && c <= 'Z';
  g->folded[0] = (char)(g->upper ? c + ('a' - 'A') : c);
}

static uint32_t hash_bytes(const char *p, size_t n, uint32_t seed) {
  uint32_t h = 2166136261u ^ seed * 0x9E3779B1u;
  for (size_t i = 0; i < n; i++) {
    h = (h ^ (unsigned char)p[i]) * 16777619u;
  }
  return h ^ h >> 15;
}

enum {
  KEY_NUMBER = 1,
  KEY_TEXT,
  KEY_UNIT,
  KEY_DATE,
  KEY_GROUP,
  KEY_QUOTE,
  KEY_FOREIGN,
  KEY_FAR_DAY,
  KEY_OTHER /* a word whose stem is another word */
};

static uint32_t key_of_value(double value) {
  return hash_bytes((char *)&value, sizeof value, 1);
}

typedef struct Scan {
  GuardText *t;
  size_t i;      /* byte in the text */
  size_t start;  /* where the token that is being read starts */
  int initial;   /* a sentence starts here */
  int glued;     /* nothing between here and the last token */
  uint32_t open; /* the quote character that is open, 0: none */
  size_t quote_token, quote_byte;
  size_t tested; /* no address starts before here */
} Scan;

static void append(GuardText *t, const Glyph *g) {
  if (t->n_bytes + g->n <= GUARD_BYTES) {
    memcpy(t->bytes + t->n_bytes, g->folded, g->n);
    t->n_bytes += g->n;
  }
}

/* Makes a token of the folded text from byte `at` on. */
static Token *add_token(Scan *s, TokenKind kind, size_t at, unsigned flags) {
  GuardText *t = s->t;
  Token *token = &t->tokens[t->n_tokens < GUARD_TOKENS ? t->n_tokens++ : GUARD_TOKENS - 1];
  *token = (Token){.at = (uint16_t)at,
                   .n = (uint16_t)(t->n_bytes - at),
                   .kind = (uint8_t)kind,
                   .from = (uint32_t)s->start,
                   .raw = (uint16_t)(s->i - s->start < UINT16_MAX ? s->i - s->start : UINT16_MAX)};
  token->key = hash_bytes(t->bytes + at, token->n, KEY_TEXT);
  token->flags =
      (uint16_t)(flags | (s->initial ? TOKEN_INITIAL : 0) | (s->glued ? TOKEN_GLUED : 0));
  s->initial = 0;
  s->glued = 1;
  return token;
}

/* The word that "weirdest" or "darker" compares, if listed. */
static const GuardWord *compared_word(const char *text, size_t n) {
  size_t cut = !memcmp(text + n - 3, "est", 3) ? 3 : !memcmp(text + n - 2, "er", 2) ? 2 : 0;
  const GuardWord *w = cut ? guard_word(text, n - cut) : NULL;
  return w || !cut ? w : guard_word(text, n - cut + 1);
}

/* Looks the word up, itself or its stem, and sets its key. */
static void name_word(const GuardText *t, Token *token) {
  const char *text = t->bytes + token->at;
  size_t stem = guard_stem(text, token->n);
  token->word = guard_word(text, token->n);
  if (!token->word && stem < token->n) {
    token->word = guard_word(text, stem);
    if (token->word && token->word->date && stem + 1 != token->n) {
      token->word = NULL; /* "fried" is no "fri" */
    }
  }
  int other = token->word && token->word->n < token->n && token->word->n <= 3 &&
              (token->word->classes & WORD_NEGATION);
  if (other) {
    token->word = NULL; /* "notes" are no "not" */
  }
  if (!token->word && token->n > 5) {
    token->word = compared_word(text, token->n);
  }
  token->key = hash_bytes(text, stem, other ? KEY_OTHER : KEY_TEXT);
  if (token->word && token->word->group) {
    token->key =
        hash_bytes((const char *)&token->word->group, sizeof token->word->group, KEY_GROUP);
  }
  if (token->word && token->word->unit && token->n > 1) {
    token->key = hash_bytes((const char *)&token->word->unit, 1, KEY_UNIT);
  }
  if (token->word && (token->word->classes & WORD_NUMBER)) {
    token->key = key_of_value(token->word->number);
  }
}

static void add_listed(Scan *s, const char *text) {
  size_t at = s->t->n_bytes, n = strlen(text);
  if (at + n <= GUARD_BYTES) {
    memcpy(s->t->bytes + at, text, n);
    s->t->n_bytes += n;
    name_word(s->t, add_token(s, TOKEN_WORD, at, 0));
  }
}

/* ---- words */

typedef struct Run {
  size_t letters, digits, capitals;
  int mixed, joined; /* a capital after a small letter; an underscore or inner dot */
  int small_before;
} Run;

static void count(Run *r, const Glyph *g) {
  r->letters += g->class == C_LETTER;
  r->digits += g->class == C_DIGIT;
  r->capitals += g->upper;
  r->mixed |= g->upper && r->small_before;
  r->small_before = g->class == C_LETTER && !g->upper;
}

static int in_word(const Glyph *g) {
  return (g->class == C_LETTER || g->class == C_DIGIT) && !g->alone && g->n > 0;
}

/* The ASCII part of a run: what most words are, letter by letter. */
static void read_plain(Scan *s, Run *r) {
  GuardText *t = s->t;
  while (s->i < t->n && t->n_bytes < GUARD_BYTES - 64) {
    char c = t->text[s->i];
    uint8_t class = (c & 0x80) ? C_OTHER : class_of_ascii(c);
    int upper = c >= 'A' && c <= 'Z';
    if (class != C_LETTER && class != C_DIGIT) {
      return;
    }
    r->letters += class == C_LETTER;
    r->digits += class == C_DIGIT;
    r->capitals += (size_t)upper;
    r->mixed |= upper && r->small_before;
    r->small_before = class == C_LETTER && !upper;
    t->bytes[t->n_bytes++] = (char)(upper ? c + ('a' - 'A') : c);
    s->i++;
  }
}

/* Appends the run of letters, digits, underscores and inner dots that starts here. */
static void read_run(Scan *s, Run *r) {
  Glyph g, next;
  size_t start = s->t->n_bytes;
  for (;;) {
    read_plain(s, r);
    glyph_at(s->t, s->i, &g);
    if (g.class == C_LETTER && g.n == 0) { /* an accent */
      s->i += g.len;
      continue;
    }
    if ((g.c == '_' || g.c == '.') && s->t->n_bytes > start) {
      glyph_at(s->t, s->i + 1, &next);
      if (!in_word(&next) || (g.c == '.' && next.upper && r->letters > 2 && !r->digits)) {
        return; /* the end of a sentence whose blank was forgotten */
      }
      r->joined = 1;
    } else if (!in_word(&g)) {
      return;
    }
    if (s->t->n_bytes + g.n > GUARD_BYTES - 64) {
      return;
    }
    count(r, &g);
    append(s->t, &g);
    s->i += g.len;
  }
}

/* "u.s.a" becomes "usa": an abbreviation is no file name. Returns whether it was one. */
static int close_abbreviation(GuardText *t, size_t at) {
  char *p = t->bytes + at;
  size_t n = t->n_bytes - at;
  for (size_t i = 0; i < n; i++) {
    if ((p[i] == '.') != (i % 2 == 1)) {
      return 0;
    }
  }
  for (size_t i = 0; i < (n + 1) / 2; i++) {
    p[i] = p[2 * i];
  }
  t->n_bytes = at + (n + 1) / 2;
  return 1;
}

static int is_apostrophe(uint32_t c) {
  return c == '\'' || c == 0x2019 || c == 0x2BC || c == 0xFF07 || c == 0x60 || c == 0xB4;
}

/* Reads an ending behind an apostrophe: drops English ones; the rest is a word of its own. Returns
** whether it was "n't". */
static int skip_ending(Scan *s, size_t at) {
  static const char *const endings[] = {"s", "re", "ve", "ll", "d", "m", "t"};
  Glyph g;
  size_t i, n = 0;
  char tail[4] = {0};
  glyph_at(s->t, s->i, &g);
  if (!is_apostrophe(g.c)) {
    return 0;
  }
  for (i = s->i + g.len; glyph_at(s->t, i, &g), in_word(&g) && n < 3; i += g.len) {
    tail[n++] = g.n == 1 ? g.folded[0] : '?';
  }
  if (in_word(&g)) {
    return 0;
  }
  for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
    if (strcmp(tail, endings[k]) == 0) {
      s->i = i;
      return strcmp(tail, "t") == 0 && s->t->n_bytes > at + 1 &&
             s->t->bytes[s->t->n_bytes - 1] == 'n';
    }
  }
  return 0;
}

/* Undoes what "n't" did to the word before it. */
static void restore_verb(GuardText *t, size_t at) {
  static const char *const verbs[][2] = {{"ca", "can"}, {"wo", "will"}, {"sha", "shall"}};
  t->n_bytes--;
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    size_t n = strlen(verbs[i][0]), m = strlen(verbs[i][1]);
    if (t->n_bytes - at == n && memcmp(t->bytes + at, verbs[i][0], n) == 0) {
      memcpy(t->bytes + at, verbs[i][1], m);
      t->n_bytes = at + m;
    }
  }
}

/* "c++", "c#", "f#": signs behind one or two letters belong to the name. */
static int take_signs(Scan *s, const Run *r) {
  Glyph g;
  size_t start = s->i;
  glyph_at(s->t, s->i, &g);
  if (r->letters > 2 || r->digits || r->joined || (g.c != '+' && g.c != '#')) {
    return 0;
  }
  for (; (g.c == '+' || g.c == '#') && s->i - start < 3; glyph_at(s->t, s->i, &g)) {
    append(s->t, &g);
    s->i += g.len;
  }
  return 1;
}

/* Appends the longest listed word that starts here in a script without blanks, else a character. */
static void read_alone(Scan *s, const Glyph *first) {
  enum { LONGEST = 4 };
  GuardText *t = s->t;
  size_t at = t->n_bytes, end = s->i + first->len, bytes;
  Glyph g = *first;
  append(t, first);
  bytes = t->n_bytes;
  for (size_t n = 1, i = end; n < LONGEST; n++) {
    glyph_at(t, i, &g);
    if (!g.alone || g.n == 0) {
      break;
    }
    append(t, &g);
    i += g.len;
    if (guard_word(t->bytes + at, t->n_bytes - at)) {
      bytes = t->n_bytes;
      end = i;
    }
  }
  t->n_bytes = bytes;
  s->i = end;
}

static void scan_word(Scan *s) {
  GuardText *t = s->t;
  size_t at = t->n_bytes;
  Run r = {0};
  Glyph first;
  glyph_at(t, s->i, &first);
  if (first.alone) {
    read_alone(s, &first);
  } else {
    read_run(s, &r);
  }
  if (t->n_bytes == at) { /* nothing but accents */
    return;
  }
  if (r.joined && close_abbreviation(t, at)) {
    r.joined = 0;
  }
  int not = skip_ending(s, at);
  if (not ) {
    restore_verb(t, at);
  }
  int code = r.joined || r.digits > 0 || take_signs(s, &r);
  unsigned flags = (first.upper ? TOKEN_CAPITAL : 0u) | (r.mixed ? TOKEN_MIXED : 0u) |
                   (r.capitals > 1 && r.capitals == r.letters ? TOKEN_CAPS : 0u);
  Token *token = add_token(s, code ? TOKEN_CODE : TOKEN_WORD, at, flags);
  if (!code) {
    name_word(t, token);
  }
  if (s->i + 1 < t->n && t->text[s->i] == '.') {
    token->flags |= TOKEN_ABBREVIATED;
  }
  if (not ) {
    add_listed(s, "not");
  }
}

/* ---- numbers */

/* The value of digits with at most one point, and no commas. */
static double value_of(const char *p, size_t n) {
  double value = 0, scale = 1;
  int fraction = 0;
  for (size_t i = 0; i < n; i++) {
    if (p[i] == '.') {
      fraction = 1;
    } else {
      value = value * 10 + (p[i] - '0');
      scale = fraction ? scale * 10 : scale;
    }
  }
  return value / scale;
}

/* How many digits follow byte i (at most 4). */
static size_t digits_at(const GuardText *t, size_t i) {
  Glyph g;
  size_t n = 0;
  for (; n < 4; n++, i += g.len) {
    glyph_at(t, i, &g);
    if (g.class != C_DIGIT) {
      break;
    }
  }
  return n;
}

/* Appends the digits here without separators of thousands, a decimal comma as a point. Returns the
** number of points. */
static size_t read_digits(Scan *s) {
  Glyph g;
  GuardText *t = s->t;
  size_t points = 0, at = t->n_bytes;
  for (;;) {
    glyph_at(t, s->i, &g);
    if (g.c == ',' || g.c == '.') {
      size_t after = digits_at(t, s->i + g.len);
      if (after == 0) {
        break;
      }
      if (g.c == ',' && after != 3 && points) {
        break;
      }
      if (g.c == '.' || (after != 3 && t->n_bytes - at > 0)) {
        g.folded[0] = '.';
        append(t, &g);
        points++;
      }
    } else if (g.class != C_DIGIT || t->n_bytes > GUARD_BYTES - 64) {
      break;
    } else {
      append(t, &g);
    }
    s->i += g.len;
  }
  return points;
}

static int is_ordinal(const char *p, size_t n) {
  return (n == 2 && (!memcmp(p, "st", 2) || !memcmp(p, "nd", 2) || !memcmp(p, "rd", 2) ||
                     !memcmp(p, "th", 2))) ||
         (n == 1 && *p == 's');
}

/* Sets the number's key from its n characters and its factor. */
static void value_number(const GuardText *t, Token *token, size_t n, size_t points, double factor) {
  const char *p = t->bytes + token->at;
  const char *point = memchr(p, '.', n);
  size_t fraction = point ? n - (size_t)(point - p) - 1 : 0;
  if (points > 1 || n > 16 || (fraction == 3 && p[n - 1] == '0')) {
    token->key = hash_bytes(p, n, KEY_NUMBER);
    return;
  }
  double value = value_of(p, n) * factor;
  token->key = key_of_value(value);
  if (n == 4 && !points && factor == 1 && value >= 1900 && value < 2100) {
    token->kind = TOKEN_YEAR;
  }
}

static void add_unit(Token *token, const GuardWord *unit) {
  token->word = unit;
  token->kind = TOKEN_UNIT;
  token->key = hash_bytes((const char *)&unit->unit, 1, KEY_UNIT);
}

/* A number, and what is written onto it: an ordinal's ending, "k", a unit; else it is a code. */
static void scan_number(Scan *s) {
  GuardText *t = s->t;
  size_t at = t->n_bytes;
  size_t points = read_digits(s), middle = t->n_bytes, unit_from = s->i;
  Run r = {0};
  read_run(s, &r);
  size_t n = t->n_bytes - middle;
  const char *suffix = t->bytes + middle;
  const GuardWord *word = n ? guard_word(suffix, n) : NULL;
  double factor = n == 1 && *suffix == 'k' ? 1e3 : 1;
  if (n == 0 || factor > 1 || is_ordinal(suffix, n)) {
    t->n_bytes = middle;
    value_number(t, add_token(s, TOKEN_NUMBER, at, 0), middle - at, points, factor);
  } else if (word && word->unit && !r.joined) {
    t->n_bytes = middle;
    value_number(t, add_token(s, TOKEN_NUMBER, at, 0), middle - at, points, 1);
    t->n_bytes = middle + n;
    s->start = unit_from;
    add_unit(add_token(s, TOKEN_UNIT, middle, 0), word);
  } else {
    add_token(s, TOKEN_CODE, at, 0);
  }
  skip_ending(s, at);
}

/* ---- addresses */

/* Bytes up to a blank or what can't be in an address. */
static size_t chunk_at(const GuardText *t, size_t i) {
  size_t n = 0;
  for (; i + n < t->n && n < 2048; n++) {
    char c = t->text[i + n];
    if ((unsigned char)c <= ' ' || c == '<' || c == '>' || c == '"' || c == '`') {
      break;
    }
  }
  return n;
}

/* Without the punctuation at its end. */
static size_t trimmed(const char *p, size_t n) {
  while (n && strchr(".,;:!?)]'*", p[n - 1])) {
    n--;
  }
  return n;
}

static int is_address(const char *p, size_t n) {
  const char *at = memchr(p, '@', n), *colon = memchr(p, ':', n);
  if (at && at > p && memchr(at, '.', n - (size_t)(at - p))) {
    return 1;
  }
  if (colon && n - (size_t)(colon - p) > 3 && colon[1] == '/' && colon[2] == '/') {
    return 1;
  }
  return n > 4 && (!memcmp(p, "www.", 4) || !memcmp(p, "WWW.", 4));
}

/* Length of what says nothing at an address's front: the scheme, "www.". */
static size_t address_front(const char *p, size_t n) {
  static const char *const fronts[] = {"http://", "https://", "mailto:", "www."};
  size_t at = 0;
  for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
    size_t m = strlen(fronts[i]);
    at += n - at > m && memcmp(p + at, fronts[i], m) == 0 ? m : 0;
  }
  return at;
}

/* At the start of a chunk: makes an address of it if it is one. The host's case is folded with the
** path's; "http", "www." and a slash at the end say nothing. */
static int scan_address(Scan *s) {
  GuardText *t = s->t;
  const char *p = t->text + s->i;
  size_t at = t->n_bytes, n = chunk_at(t, s->i);
  s->tested = s->i + n;
  n = trimmed(p, n);
  if (n < 5 || at + n > GUARD_BYTES - 64 || !is_address(p, n)) {
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    t->bytes[at + i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + ('a' - 'A') : p[i]);
  }
  t->n_bytes = at + n - (p[n - 1] == '/');
  s->i += n;
  add_token(s, TOKEN_ADDRESS, at + address_front(t->bytes + at, n), 0);
  return 1;
}

/* ---- quotes */

/* What closes a quote that c opens; 0 where c opens none. Curly ones also close themselves. */
static uint32_t closing(uint32_t c) {
  static const uint32_t pairs[][2] = {
      {'"', '"'},       {'`', '`'},       {'\'', '\''},     {0x201C, 0x201D}, {0x201E, 0x201C},
      {0x2018, 0x2019}, {0x201A, 0x2018}, {0xAB, 0xBB},     {0xBB, 0xAB},     {0x2039, 0x203A},
      {0x300C, 0x300D}, {0x300E, 0x300F}, {0xFF02, 0xFF02}, {0x201D, 0x201D},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    if (pairs[i][0] == c) {
      return pairs[i][1];
    }
  }
  return 0;
}

static void close_quote(Scan *s) {
  GuardText *t = s->t;
  if (t->n_quotes < GUARD_QUOTES && t->n_tokens > s->quote_token) {
    uint32_t key = KEY_QUOTE;
    for (size_t i = s->quote_byte; i < s->i;) {
      Glyph g;
      glyph_at(t, i, &g);
      if (g.class != C_SPACE && !(g.c && strchr(".,!?;:", (int)(g.c & 0x7F)) && g.c < 0x80)) {
        key = hash_bytes(g.folded, g.n, key);
      }
      i += g.len;
    }
    t->quotes[t->n_quotes++] =
        (Quote){.key = key, .first = (uint16_t)s->quote_token, .end = (uint16_t)t->n_tokens};
  }
  s->open = 0;
}

/* Opens or closes a quote. A lone apostrophe opens one only before, and closes one only behind a
** word. */
static void scan_quote(Scan *s, const Glyph *g) {
  Glyph next;
  glyph_at(s->t, s->i + g->len, &next);
  int at_end = next.class != C_LETTER && next.class != C_DIGIT;
  if (s->open && (g->c == s->open || (s->open == 0x201C && g->c == 0x201D))) {
    if (s->t->n_tokens > s->quote_token && (g->c != '\'' || at_end)) {
      close_quote(s);
    }
  } else if (!s->open && closing(g->c) && !(g->c == '\'' && (s->glued || at_end))) {
    s->open = closing(g->c);
    s->quote_token = s->t->n_tokens;
    s->quote_byte = s->i + g->len;
  }
  s->i += g->len;
  s->glued = 0;
}

/* ---- the rest */

static void scan_sign(Scan *s, const Glyph *g, TokenKind kind) {
  size_t at = s->t->n_bytes;
  append(s->t, g);
  s->i += g->len;
  Token *token = add_token(s, kind, at, 0);
  const GuardWord *word = guard_word(s->t->bytes + at, token->n);
  if (kind == TOKEN_UNIT && word && word->unit) {
    add_unit(token, word);
  }
}

static int may_start_address(const Glyph *g) {
  return (g->class == C_LETTER || g->class == C_DIGIT) && g->len == 1;
}

/* Whether the point that g is starts a number (".5"); appends the zero that is left out. */
static int starts_fraction(Scan *s, const Glyph *g) {
  Glyph next;
  if (g->c != '.' || s->glued) {
    return 0;
  }
  glyph_at(s->t, s->i + 1, &next);
  if (next.class == C_DIGIT) {
    s->t->bytes[s->t->n_bytes++] = '0';
  }
  return next.class == C_DIGIT;
}

/* One half in one character: a number as "1/2" is. */
static void scan_vulgar(Scan *s, const Glyph *g) {
  size_t at = s->t->n_bytes;
  append(s->t, g);
  s->i += g->len;
  add_token(s, TOKEN_NUMBER, at, 0)->key =
      hash_bytes(s->t->bytes + at, s->t->n_bytes - at, KEY_NUMBER);
}

static void scan_glyph(Scan *s) {
  Glyph g;
  s->start = s->i;
  glyph_at(s->t, s->i, &g);
  if (!s->glued && s->i >= s->tested && may_start_address(&g) && scan_address(s)) {
    return;
  }
  if (g.class == C_LETTER) {
    scan_word(s);
  } else if (g.class == C_DIGIT || starts_fraction(s, &g)) {
    scan_number(s);
  } else if (g.vulgar) {
    scan_vulgar(s, &g);
  } else if (g.class == C_QUOTE) {
    scan_quote(s, &g);
  } else if (g.class == C_SIGN) {
    scan_sign(s, &g, TOKEN_UNIT);
  } else if (g.class == C_OPERATOR) {
    scan_sign(s, &g, TOKEN_OPERATOR);
  } else {
    s->initial |= g.c == '.' || g.c == '!' || g.c == '?' || g.c == '\n' || g.c == ':';
    s->glued &= g.class != C_SPACE;
    s->i += g.len ? g.len : 1;
  }
}

/* ---- what takes more than one token */

typedef struct Sum {
  double total, part; /* the part is still to be multiplied */
} Sum;

/* Takes a number word into the sum; `first`: it starts one. Returns whether it belongs. */
static int add_number(Sum *s, const GuardWord *w, int first) {
  if (w->classes & WORD_SCALE) {
    s->part = (s->part > 0 ? s->part : 1) * w->number;
    s->total += w->number > 100 ? s->part : 0;
    s->part = w->number > 100 ? 0 : s->part;
    return 1;
  }
  if (first || (s->part >= 20 && w->number < 10) || (s->part >= 100 && w->number < 100) ||
      (s->total > 0 && s->part == 0 && w->number < 1000)) {
    s->part += w->number;
    return 1;
  }
  return 0;
}

/* Whether the token is digits that mean their value; *value is it. */
static int is_plain_number(const GuardText *t, const Token *token, double *value) {
  if (token->kind != TOKEN_NUMBER || token->n > 16) {
    return 0;
  }
  double v = value_of(t->bytes + token->at, token->n);
  *value = key_of_value(v) == token->key ? v : 0;
  return key_of_value(v) == token->key;
}

static const GuardWord *number_word(const GuardText *t, size_t i) {
  const Token *x = i < t->n_tokens ? &t->tokens[i] : NULL;
  int is_one = x && x->kind == TOKEN_WORD && x->word && (x->word->classes & WORD_NUMBER);
  return is_one ? x->word : NULL;
}

/* Whether token i is the "and" of "two hundred and five". */
static int is_hundred_and(const GuardText *t, size_t i) {
  const GuardWord *before = number_word(t, i - 1), *after = number_word(t, i + 1);
  return t->tokens[i].n == 3 && memcmp(t->bytes + t->tokens[i].at, "and", 3) == 0 && before &&
         (before->classes & WORD_SCALE) && after && !(after->classes & WORD_SCALE);
}

/* Folds runs of number words and scales into their first token: "twenty-five", "2 million". */
static void merge_numbers(GuardText *t) {
  for (size_t i = 0; i < t->n_tokens; i++) {
    Token *first = &t->tokens[i];
    Sum sum = {0, 0};
    size_t digits = (size_t)is_plain_number(t, first, &sum.part), k = i + digits;
    for (; k < t->n_tokens; k++) {
      size_t at = k + (size_t)(k > i + digits && is_hundred_and(t, k));
      const GuardWord *w = number_word(t, at);
      if (!w || !add_number(&sum, w, k == i)) {
        break;
      }
      k = at;
    }
    if (k == i + digits) {
      continue;
    }
    for (size_t j = i + 1; j < k; j++) {
      t->tokens[j].kind = TOKEN_GONE;
    }
    first->kind = TOKEN_NUMBER;
    first->key = key_of_value(sum.total + sum.part);
    i = k - 1;
  }
}

static int is_number(const Token *token) {
  return token->kind == TOKEN_NUMBER || token->kind == TOKEN_YEAR;
}

/* "one-way", "e-mail": one listed word, if without the hyphen it is one. */
static void merge_hyphens(GuardText *t) {
  for (size_t i = 0; i + 1 < t->n_tokens; i++) {
    Token *x = &t->tokens[i], *y = x + 1;
    size_t end = x->from + x->raw;
    if (x->kind != TOKEN_WORD || y->kind != TOKEN_WORD || y->from != end + 1 ||
        t->text[end] != '-' || x->at + x->n != y->at) {
      continue;
    }
    if (guard_word(t->bytes + x->at, (size_t)x->n + y->n)) {
      x->n = (uint16_t)(x->n + y->n);
      x->raw = (uint16_t)(x->raw + 1 + y->raw);
      y->kind = TOKEN_GONE;
      name_word(t, x);
    }
  }
}

/* Whether only the sign stands between token i and the next, both short numbers, and no third one
** is joined to them (as in a date). */
static int joins(const GuardText *t, size_t i, char sign) {
  const Token *x = &t->tokens[i], *y = x + 1;
  if (i + 1 >= t->n_tokens || x->kind != TOKEN_NUMBER || y->kind != TOKEN_NUMBER || x->n > 3 ||
      y->n > 3) {
    return 0;
  }
  size_t end = x->from + x->raw, after = y->from + y->raw;
  int alone = (x->from == 0 || t->text[x->from - 1] != sign) &&
              (after + 1 >= t->n || t->text[after] != sign);
  return end + 1 == y->from && t->text[end] == sign && alone;
}

/* Makes one number of "1/2" and of "1:2" ("7:00" is 7). */
static void merge_ratios(GuardText *t) {
  for (size_t i = 0; i + 1 < t->n_tokens; i++) {
    Token *x = &t->tokens[i], *y = x + 1;
    int fraction = joins(t, i, '/');
    if (!fraction && !joins(t, i, ':')) {
      continue;
    }
    char text[8];
    size_t n = x->n, m = y->n;
    int full = !fraction && m == 2 && memcmp(t->bytes + y->at, "00", 2) == 0;
    memcpy(text, t->bytes + x->at, n);
    text[n] = fraction ? '/' : ':';
    memcpy(text + n + 1, t->bytes + y->at, m);
    x->key = full ? x->key : hash_bytes(text, n + 1 + m, KEY_NUMBER);
    x->raw = (uint16_t)(y->from + y->raw - x->from);
    y->kind = TOKEN_GONE;
  }
}

/* Units are units only behind a number, currencies also before one. */
static void attach_units(GuardText *t) {
  const Token *before = NULL;
  for (size_t i = 0; i < t->n_tokens; i++) {
    Token *token = &t->tokens[i];
    if (token->kind == TOKEN_GONE) {
      continue;
    }
    if (token->kind == TOKEN_WORD && token->word && token->word->unit) {
      int degrees =
          before && before->kind == TOKEN_UNIT && before->word == guard_word("\xC2\xB0", 2);
      int follows = before && (is_number(before) || degrees);
      int leads = (token->word->classes & WORD_CURRENCY) && i + 1 < t->n_tokens &&
                  is_number(&t->tokens[i + 1]);
      if (follows || leads) {
        add_unit(token, token->word);
      }
    }
    before = token;
  }
}

static int text_is(const GuardText *t, const Token *token, const char *text) {
  return token->n == strlen(text) && memcmp(t->bytes + token->at, text, token->n) == 0;
}

/* "Sun", "Mar" and the like behind "the" are none: a date stands behind "on", "in" or a comma. */
static int is_short_day(const GuardText *t, size_t i) {
  return t->tokens[i].n <= 3 && i > 0 && text_is(t, &t->tokens[i - 1], "the");
}

static int is_date_word(const GuardText *t, size_t i) {
  const Token *token = &t->tokens[i];
  int by_number = (i > 0 && is_number(&t->tokens[i - 1])) ||
                  (i + 1 < t->n_tokens && is_number(&t->tokens[i + 1]));
  if (!token->word || !token->word->date || token->kind != TOKEN_WORD) {
    return 0;
  }
  return !(token->word->classes & WORD_NAMELIKE) || by_number ||
         (!is_short_day(t, i) && (token->flags & TOKEN_CAPITAL) &&
          !(token->flags & (TOKEN_INITIAL | TOKEN_CAPS)));
}

/* Whether a number is below 100 and a whole one. */
static int is_small(const GuardText *t, const Token *token) {
  return (token->word && token->word->number < 100) ||
         (token->n <= 2 && !memchr(t->bytes + token->at, '.', token->n));
}

/* Numbers that may be none: one, ordinal or not; the length of a list ("10 best", "five examples");
** "second", "double", "once". */
static void weaken_numbers(GuardText *t) {
  for (size_t i = 0; i < t->n_tokens; i++) {
    Token *token = &t->tokens[i];
    const GuardWord *before = i > 0 ? t->tokens[i - 1].word : NULL;
    const GuardWord *after = i + 1 < t->n_tokens ? t->tokens[i + 1].word : NULL;
    int listed =
        (before && (before->classes & WORD_LISTS)) || (after && (after->classes & WORD_LISTS));
    if (token->kind == TOKEN_NUMBER &&
        (token->key == key_of_value(1) || (listed && is_small(t, token)) ||
         text_is(t, token, "second") || text_is(t, token, "double"))) {
      token->flags |= TOKEN_WEAK;
    }
  }
}

/* "the day after tomorrow", "the day before yesterday": a date of their own. */
static int is_far_day(const GuardText *t, size_t i) {
  const Token *x = &t->tokens[i];
  return i > 1 && text_is(t, x - 2, "day") &&
         ((text_is(t, x, "tomorrow") && text_is(t, x - 1, "after")) ||
          (text_is(t, x, "yesterday") && text_is(t, x - 1, "before")));
}

/* "last week", "next year" */
static int is_shift(const GuardText *t, size_t i) {
  const Token *token = &t->tokens[i];
  return i + 1 < t->n_tokens && token->kind == TOKEN_WORD && t->tokens[i + 1].word &&
         ((t->tokens[i + 1].word->classes & WORD_PERIOD) || t->tokens[i + 1].word->date) &&
         (text_is(t, token, "last") || text_is(t, token, "next"));
}

static void mark_dates(GuardText *t) {
  for (size_t i = 0; i < t->n_tokens; i++) {
    if (is_date_word(t, i)) {
      t->tokens[i].kind = TOKEN_DATE;
      t->tokens[i].key = hash_bytes((const char *)&t->tokens[i].word->date, 1,
                                    is_far_day(t, i) ? KEY_FAR_DAY : KEY_DATE);
    } else if (is_shift(t, i)) {
      t->tokens[i].kind = TOKEN_DATE;
    }
  }
}

/* Operators are such only beside a number or a code; elsewhere they are decoration. */
static void drop_decoration(GuardText *t) {
  for (size_t i = 0; i < t->n_tokens; i++) {
    Token *token = &t->tokens[i];
    int before = i > 0 && t->tokens[i - 1].kind != TOKEN_OPERATOR &&
                 (is_number(&t->tokens[i - 1]) || t->tokens[i - 1].n == 1);
    int after = i + 1 < t->n_tokens && (is_number(&t->tokens[i + 1]) || t->tokens[i + 1].n == 1 ||
                                        t->tokens[i + 1].kind == TOKEN_CODE);
    if (token->kind == TOKEN_OPERATOR && !(before && after)) {
      token->kind = TOKEN_GONE;
    }
  }
}

static int is_foreign(const GuardWord *w) {
  int listed = (w->classes & WORD_FOREIGN) || w->foreign_number || w->foreign_date;
  for (size_t k = 0; k < WORD_PAIRS && !listed; k++) {
    listed = w->pair[k] >= guard_foreign_pair;
  }
  return listed || w->foreign_group;
}

static void count_languages(GuardText *t) {
  t->n_english = t->n_foreign = 0;
  for (size_t i = 0; i < t->n_tokens; i++) {
    const GuardWord *w = t->tokens[i].word;
    if (w && t->tokens[i].kind != TOKEN_GONE) {
      t->n_english += (w->classes & (WORD_STOP | WORD_COMMON)) != 0;
      t->n_foreign += (size_t)is_foreign(w);
    }
  }
}

void guard_tokenize(GuardText *t, const char *text, size_t n) {
  Scan s = {.t = t, .initial = 1};
  t->text = text;
  t->n = n;
  t->n_tokens = t->n_bytes = t->n_quotes = 0;
  while (s.i < n && t->n_tokens + 4 < GUARD_TOKENS && t->n_bytes + 96 < GUARD_BYTES) {
    scan_glyph(&s);
  }
  t->read = s.i < n ? s.i : n;
  drop_decoration(t);
  merge_hyphens(t);
  merge_ratios(t);
  merge_numbers(t);
  mark_dates(t);
  attach_units(t);
  weaken_numbers(t);
  count_languages(t);
}

/* What a word is where the text is not English. */
static void settle_foreign(Token *token) {
  const GuardWord *w = token->word;
  if (w->foreign_number) {
    token->kind = TOKEN_NUMBER;
    token->key = key_of_value(w->foreign_number - 1);
    token->flags |= w->foreign_number == 2 ? TOKEN_WEAK : 0u;
  } else if (w->foreign_date) {
    token->kind = TOKEN_DATE;
    token->key = hash_bytes((const char *)&w->foreign_date, 1, KEY_DATE);
  } else if (w->foreign_group) {
    token->key = hash_bytes((const char *)&w->foreign_group, sizeof w->foreign_group, KEY_FOREIGN);
  }
}

void guard_settle(GuardText *t, int foreign) {
  t->foreign = foreign;
  for (size_t i = 0; i < t->n_tokens; i++) {
    Token *token = &t->tokens[i];
    if (!token->word || token->kind != TOKEN_WORD) {
      continue;
    }
    int other = foreign || (t->bytes[token->at] & 0x80) != 0; /* no Latin letter: not English */
    uint32_t stop = WORD_STOP | (other ? WORD_FOREIGN : 0u);
    token->flags |= token->word->classes & stop ? TOKEN_STOP : 0u;
    if (other) {
      settle_foreign(token);
    }
  }
}
