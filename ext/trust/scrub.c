/*
** See scrub.h for the contract. The text is read in several ways (views); in each it is searched for pieces
** of the secret. Texts are short (LIMIT_ERROR_TEXT), so nothing here is clever.
*/
#include "trust/scrub.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is looked for, in a form in which it can be compared. */
typedef struct Secret {
  char *folded; /* owned */
  size_t n, window;
  int only_alnum; /* else every byte counts */
} Secret;

static char fold(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (unsigned char)c >= 0x80;
}

/* Folds n bytes into out; returns how many are left. */
static size_t fold_bytes(const char *from, size_t n, int only_alnum, char *out) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    if (!only_alnum || is_alnum(from[i])) {
      out[kept++] = fold(from[i]);
    }
  }
  return kept;
}

/* The hash of a window that moves over a text (Rabin and Karp, 1987). */
typedef struct Roll {
  uint64_t value, first_weight;
  size_t window;
} Roll;

#define ROLL_BASE 1099511628211ull

static void roll_start(Roll *r, const char *at, size_t window) {
  *r = (Roll){.first_weight = 1, .window = window};
  for (size_t i = 0; i < window; i++) {
    r->value = r->value * ROLL_BASE + (unsigned char)at[i];
    r->first_weight *= i ? ROLL_BASE : 1;
  }
}

/* From the window at `at` to the next. */
static void roll_on(Roll *r, const char *at) {
  r->value -= r->first_weight * (unsigned char)at[0];
  r->value = r->value * ROLL_BASE + (unsigned char)at[r->window];
}

/* 1 if a window of the secret, which may be long, stands in the n folded bytes, which are few: the windows
** of these are noted in a small set, so that the secret is gone over once. */
static int shares_window(const char *folded, size_t n, const Secret *s) {
  uint64_t noted[64] = {0};
  Roll r;
  roll_start(&r, folded, s->window);
  for (size_t i = 0; i + s->window <= n; i++) {
    noted[r.value >> 58] |= 1ull << (r.value >> 52 & 63);
    if (i + s->window < n) {
      roll_on(&r, folded + i);
    }
  }
  roll_start(&r, s->folded, s->window);
  for (size_t i = 0; i + s->window <= s->n; i++) {
    if ((noted[r.value >> 58] >> (r.value >> 52 & 63) & 1) &&
        memmem(folded, n, s->folded + i, s->window)) {
      return 1;
    }
    if (i + s->window < s->n) {
      roll_on(&r, s->folded + i);
    }
  }
  return 0;
}

/* 1 if n bytes, as they are, hold a piece of the secret. */
static int holds(const char *bytes, size_t n, const Secret *s) {
  char room[4 * LIMIT_ERROR_TEXT];
  char *folded = n <= sizeof room ? room : malloc(n);
  int found = folded == NULL; /* what can't be searched is not repeated */
  size_t kept = folded ? fold_bytes(bytes, n, s->only_alnum, folded) : 0;
  if (!found && kept >= s->window) {
    found = shares_window(folded, kept, s);
  }
  if (folded != room) {
    free(folded);
  }
  return found;
}

/* --- the views */

static int hex_digit(char c) {
  char f = fold(c);
  return f >= '0' && f <= '9' ? f - '0' : f >= 'a' && f <= 'f' ? f - 'a' + 10 : -1;
}

static int base64_digit(char c) {
  return c >= 'A' && c <= 'Z'   ? c - 'A'
         : c >= 'a' && c <= 'z' ? c - 'a' + 26
         : c >= '0' && c <= '9' ? c - '0' + 52
         : c == '+' || c == '-' ? 62
         : c == '/' || c == '_' ? 63
                                : -1;
}

/* What may stand inside a run of digits without ending it: lines are broken, bytes are parted. */
static int is_filler(char c) {
  return c == '\n' || c == '\r' || c == '\t' || c == ' ' || c == '\\' || c == ':';
}

/* The digits from `from` on, without what parts them, up to what is neither; *to: where that stands. */
static size_t take_run(const char *text, size_t n, size_t from, int (*digit)(char), char *run,
                       size_t *to) {
  size_t kept = 0, at = from;
  for (; at < n && (digit(text[at]) >= 0 || is_filler(text[at])); at++) {
    if (digit(text[at]) >= 0) {
      run[kept++] = text[at];
    }
  }
  *to = at;
  return kept;
}

/* n digits of `bits` bits each, decoded from the place where a byte may begin. */
static size_t decode(const char *run, size_t n, int (*digit)(char), int bits, char *out) {
  unsigned held = 0;
  int n_held = 0;
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    held = (held << bits | (unsigned)digit(run[i])) & 0xffff;
    n_held += bits;
    if (n_held >= 8) {
      n_held -= 8;
      out[kept++] = (char)(held >> n_held & 0xff);
    }
  }
  return kept;
}

/* Each run of digits, from each of the places where a byte may begin. */
static int holds_digits(const char *text, size_t n, int (*digit)(char), int bits, char *room,
                        const Secret *s) {
  int found = 0, phases = bits == 4 ? 2 : 4;
  char *run = malloc(n);
  for (size_t from = 0, to; run && from < n && !found; from = to + 1) {
    size_t length = take_run(text, n, from, digit, run, &to);
    if (length * (size_t)bits / 8 < s->window) {
      continue; /* too few bytes to be a piece */
    }
    for (size_t phase = 0; phase < (size_t)phases && phase < length && !found; phase++) {
      found = holds(room, decode(run + phase, length - phase, digit, bits, room), s);
    }
  }
  found |= run == NULL;
  free(run);
  return found;
}

static int holds_escaped(const char *text, size_t n, char *room, const Secret *s) {
  size_t out = 0;
  for (size_t i = 0; i < n; i++) {
    int is_escape =
        text[i] == '%' && i + 2 < n && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    room[out++] = text[i];
    if (is_escape) {
      room[out - 1] = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
    }
    i += is_escape ? 2 : 0;
  }
  return holds(room, out, s);
}

/* The number of `least` to `most` hexadecimal digits, or of decimal ones, at the front; returns how many there are, or 0. */
static size_t take_digits(const char *at, size_t n, unsigned base, size_t least, size_t most,
                          unsigned *number) {
  size_t kept = 0;
  *number = 0;
  for (int d; kept < n && kept < most && (d = hex_digit(at[kept])) >= 0 && (unsigned)d < base;) {
    *number = *number * base + (unsigned)d;
    kept++;
  }
  return kept >= least ? kept : 0;
}

/* The signs behind a number, if they are these; else none. */
static size_t skip(const char *text, size_t n, size_t at, const char *signs) {
  size_t length = strlen(signs);
  return at + length <= n && strncasecmp(text + at, signs, length) == 0 ? length : 0;
}

/* A character as JSON, JavaScript and Python write it: "\u79d8", "%u79d8", "\u{79d8}", "\U000079d8". Its length, or 0. */
static size_t take_unicode(const char *at, size_t n, unsigned *c) {
  if (n < 3 || (at[0] != '\\' && at[0] != '%') || fold(at[1]) != 'u') {
    return 0;
  }
  size_t digits = at[2] == '{' ? take_digits(at + 3, n - 3, 16, 1, 8, c) : 0;
  if (digits) {
    return 3 + digits + skip(at, n, 3 + digits, "}");
  }
  if (at[1] == 'U' && skip(at, n, 2, "000")) {
    digits = take_digits(at + 2, n - 2, 16, 8, 8, c);
  }
  digits = digits ? digits : take_digits(at + 2, n - 2, 16, 4, 4, c);
  return digits ? 2 + digits : 0;
}

/* A character as HTML and XML do: "&#31192;", "&#x79d8;", the "&" as "&amp;" too. Its length, or 0. */
static size_t take_entity(const char *at, size_t n, unsigned *c) {
  enum { LONGEST = 9 };
  size_t begin = skip(at, n, 0, "&amp;#");
  begin = begin ? begin : skip(at, n, 0, "&#");
  if (!begin) {
    return 0;
  }
  size_t x = skip(at, n, begin, "x");
  begin += x;
  size_t digits = take_digits(at + begin, n - begin, x ? 16 : 10, 1, LONGEST - x, c);
  return digits ? begin + digits + skip(at, n, begin + digits, ";") : 0;
}

/* The character of either kind at the front, of two halves of a pair (UTF-16) too. Its length, or 0. */
static size_t take_character(const char *at, size_t n, unsigned *c) {
  unsigned low = 0;
  size_t length = take_unicode(at, n, c);
  length = length ? length : take_entity(at, n, c);
  if (length && *c >= 0xD800 && *c < 0xDC00) {
    size_t more = take_unicode(at + length, n - length, &low);
    more = more ? more : take_entity(at + length, n - length, &low);
    if (more && low >= 0xDC00 && low < 0xE000) {
      *c = 0x10000 + ((*c - 0xD800) << 10) + (low - 0xDC00);
      length += more;
    }
  }
  return length;
}

/* Every form is at least as long as its character. Of an escape that was escaped again the signs in front go too. */
static int holds_characters(const char *text, size_t n, char *room, const Secret *s) {
  size_t out = 0, signs = 0;
  for (size_t i = 0, length; i < n; i += length) {
    unsigned c = 0;
    int is_byte = text[i] == '\\' && i + 3 < n && fold(text[i + 1]) == 'x' &&
                  hex_digit(text[i + 2]) >= 0 && hex_digit(text[i + 3]) >= 0;
    length = is_byte ? 4 : take_character(text + i, n - i, &c);
    out -= length ? signs : 0;
    signs = !length && text[i] == '\\' ? signs + 1 : 0;
    if (is_byte) {
      room[out++] = (char)(hex_digit(text[i + 2]) << 4 | hex_digit(text[i + 3]));
    } else if (length) {
      out += utf8_encode(c <= 0x10FFFF ? c : 0xFFFD, room + out);
    } else {
      room[out++] = text[i];
      length = 1;
    }
  }
  return holds(room, out, s);
}

static int holds_in_any_form(const char *text, const Secret *s) {
  size_t n = strlen(text);
  if (s->window == 0 || n == 0) {
    return 0;
  }
  char *room = malloc(n);
  int may_escape = memchr(text, '%', n) != NULL;
  int has_signs = may_escape || memchr(text, '\\', n) || memchr(text, '&', n);
  int found = !room || holds(text, n, s) || (may_escape && holds_escaped(text, n, room, s)) ||
              (has_signs && holds_characters(text, n, room, s)) ||
              holds_digits(text, n, hex_digit, 4, room, s) ||
              holds_digits(text, n, base64_digit, 6, room, s);
  free(room);
  return found;
}

/* --- the secrets */

/* Makes it comparable; 0 without memory. */
static int prepare(Secret *s, const char *bytes, size_t n, size_t window) {
  s->folded = malloc(n + 1);
  s->n = s->folded ? fold_bytes(bytes, n, s->only_alnum, s->folded) : 0;
  s->window = s->n < window ? s->n : window;
  return s->folded != NULL;
}

/* The key's own base64 with its letters folded, from each of the three places where a group may begin:
** what was made small or large after it was encoded. */
static int holds_folded_base64(const char *text, const char *key) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  enum { ENOUGH = 10 }; /* digits that eight bytes fill */
  size_t n = strlen(key);
  char *encoded = malloc(2 * n + 4);
  int found = encoded == NULL;
  for (size_t phase = 0; phase < 3 && phase < n && !found; phase++) {
    size_t out = 0;
    unsigned held = 0;
    int n_held = 0;
    for (size_t i = phase; i < n; i++) {
      held = (held << 8 | (unsigned char)key[i]) & 0xffff;
      for (n_held += 8; n_held >= 6; n_held -= 6) {
        encoded[out++] = digits[held >> (n_held - 6) & 63];
      }
    }
    Secret s = {0};
    found = out >= ENOUGH && (!prepare(&s, encoded, out, ENOUGH) || holds(text, strlen(text), &s));
    free(s.folded);
  }
  free(encoded);
  return found;
}

int scrub_holds_key(const char *text, const char *key) {
  Secret s = {0};
  if (!text || !key || !key[0]) {
    return 0;
  }
  int found = !prepare(&s, key, strlen(key), SCRUB_KEY_BYTES) || holds_in_any_form(text, &s) ||
              holds_folded_base64(text, key);
  free(s.folded);
  return found;
}

int scrub_holds_prompt(const char *text, const char *prompt, size_t n) {
  Secret s = {.only_alnum = 1};
  if (!text || !prompt || strlen(text) < SCRUB_LEAST_CHARS) {
    return 0; /* (no form of a piece is shorter than the piece) */
  }
  int found = !prepare(&s, prompt, n, SCRUB_PROMPT_CHARS) ||
              (s.window >= SCRUB_LEAST_CHARS && holds_in_any_form(text, &s));
  free(s.folded);
  return found;
}

/* --- masks */

static int is_key_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.' || c == '*';
}

static int begins_as_key(const char *word, size_t n) {
  static const char *const starts[] = {"sk-",  "sk_",   "gsk_",   "xai-",  "hf_",  "AIza",
                                       "AKIA", "r8_",   "nvapi-", "pplx-", "csk-", "tgp_",
                                       "fw_",  "ya29.", "eyJ",    "ghp_"};
  for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
    size_t length = strlen(starts[i]);
    if (n >= length + 4 && strncmp(word, starts[i], length) == 0) {
      return 1;
    }
  }
  return 0;
}

/* What was masked by somebody else shows the ends of a key. */
static int is_half_masked(const char *word, size_t n) {
  return memmem(word, n, "**", 2) != NULL ||
         (n > 4 && memmem(word, n, "...", 3) && word[n - 1] != '.');
}

/* Long, of letters and digits in a mess, and no number, date, address or name of a model: these have signs in between. */
static int is_mixed(const char *word, size_t n) {
  size_t run = 0, digits = 0, letters = 0;
  for (size_t i = 0; i < n; i++) {
    int is_digit = word[i] >= '0' && word[i] <= '9';
    int is_sign = !is_digit && !is_alnum(word[i]);
    run = is_sign ? 0 : run + 1;
    digits = is_sign ? 0 : digits + (size_t)is_digit;
    letters = is_sign ? 0 : letters + (size_t)!is_digit;
    if (run >= 24 && digits >= 3 && letters >= 3) {
      return 1;
    }
  }
  return 0;
}

/* 1 if the word holds a piece of the key, or is one of its ends. */
static int is_piece(const char *word, size_t n, const char *key) {
  size_t length = key ? strlen(key) : 0;
  int found = 0;
  if (n >= 4 && n < length) {
    found =
        strncasecmp(word, key + length - n, n) == 0 || (n >= 6 && strncasecmp(word, key, n) == 0);
  }
  Secret s = {0};
  if (!found && length && n >= 4) {
    found = !prepare(&s, key, length, SCRUB_KEY_BYTES) || holds(word, n, &s);
    free(s.folded);
  }
  return found;
}

/* Behind "Bearer" (and "Authorization:") a key stands. */
static int is_behind_bearer(const char *text, size_t at) {
  static const char word[] = "bearer";
  while (at && (text[at - 1] == ' ' || text[at - 1] == ':')) {
    at--;
  }
  return at >= sizeof word - 1 &&
         strncasecmp(text + at - (sizeof word - 1), word, sizeof word - 1) == 0;
}

void scrub_mask(char *text, const char *key) {
  size_t n = strlen(text), out = 0;
  for (size_t i = 0, length; i < n; i += length) {
    length = 0;
    while (i + length < n && is_key_char(text[i + length])) {
      length++;
    }
    while (length && text[i + length - 1] == '.') {
      length--; /* the sentence's */
    }
    int is_key =
        length >= 4 && (begins_as_key(text + i, length) || is_half_masked(text + i, length) ||
                        is_mixed(text + i, length) || is_piece(text + i, length, key) ||
                        (length >= 8 && is_behind_bearer(text, i)));
    length += length == 0;
    memmove(text + out, is_key ? "***" : text + i, is_key ? 3 : length);
    out += is_key ? 3 : length;
  }
  text[out] = 0;
}
