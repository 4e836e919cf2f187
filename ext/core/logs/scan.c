/*
** JSON without a tree. See scan.h for the contract.
*/
#include "core/logs/scan.h"

#include "base/text/json.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

int span_is(Span key, const char *name) {
  size_t n = strlen(name);
  return key.n == n && memcmp(key.at, name, n) == 0;
}

static const char *skip_blanks(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
    p++;
  }
  return p;
}

/* Behind the string whose opening quote stands in front of p; NULL where it does not end. Quotes are looked for at memchr's
** speed: one ends the string unless an odd number of backslashes stands before it. */
static const char *string_end(const char *p, const char *end) {
  const char *start = p, *near = end - p > 24 ? p + 24 : end;
  while (p < near && *p != '"' && *p != '\\') { /* (most are keys: shorter than a call) */
    p++;
  }
  if (p < near && *p == '"') {
    return p + 1;
  }
  while ((p = memchr(p, '"', (size_t)(end - p)))) {
    const char *slash = p;
    while (slash > start && slash[-1] == '\\') {
      slash--;
    }
    p++;
    if (((p - 1 - slash) & 1) == 0) {
      return p;
    }
    start = p;
  }
  return NULL;
}

static const char *digits_end(const char *p, const char *end) {
  while (p < end && *p >= '0' && *p <= '9') {
    p++;
  }
  return p;
}

static const char *number_end(const char *p, const char *end) {
  const char *digits = p += p < end && *p == '-';
  p = digits_end(p, end);
  if (p == digits) {
    return NULL;
  }
  if (p < end && *p == '.') {
    digits = p + 1;
    p = digits_end(digits, end);
  }
  if (p > digits && p < end && (*p == 'e' || *p == 'E')) {
    p += 1 + (p + 1 < end && (p[1] == '+' || p[1] == '-'));
    digits = p;
    p = digits_end(p, end);
  }
  return p > digits ? p : NULL;
}

/* A word or a number. (Python writes NaN and Infinity.) */
static const char *scalar_end(const char *p, const char *end) {
  static const char *const words[] = {"null", "true", "false", "NaN", "Infinity", "-Infinity"};
  for (size_t i = 0; (*p < '0' || *p > '9') && i < sizeof words / sizeof words[0]; i++) {
    size_t n = strlen(words[i]);
    if (*p == words[i][0] && (size_t)(end - p) >= n && memcmp(p, words[i], n) == 0) {
      return p + n;
    }
  }
  return number_end(p, end);
}

/* Behind a key and its ':', and blanks; NULL where there are none. */
static const char *key_end(const char *p, const char *end) {
  p = skip_blanks(p, end);
  if (p == end || *p != '"' || !(p = string_end(p + 1, end))) {
    return NULL;
  }
  p = skip_blanks(p, end);
  return p < end && *p == ':' ? p + 1 : NULL;
}

/* What is open around a place in a value: a bit for each, 1 for objects. */
typedef struct Open {
  uint64_t is_object[SCAN_DEPTH / 64];
  int depth;
} Open;

static int is_in_object(const Open *open) {
  int at = open->depth - 1;
  return (int)(open->is_object[at / 64] >> (at % 64) & 1);
}

static int open_one(Open *open, int is_object) {
  uint64_t bit = (uint64_t)1 << (open->depth % 64), *word = &open->is_object[open->depth / 64];
  *word = is_object ? *word | bit : *word & ~bit;
  return ++open->depth < SCAN_DEPTH;
}

/* Behind an opening bracket: in front of the first value in it, or, of an empty one, behind it. */
static const char *bracket_end(const char *p, const char *end, Open *open) {
  int is_object = *p == '{';
  p = skip_blanks(p + 1, end);
  if (p < end && *p == (is_object ? '}' : ']')) {
    return p + 1;
  }
  return !open_one(open, is_object) ? NULL : is_object ? key_end(p, end) : p;
}

/* Behind a value: in front of the next one of what is open; or, with nothing open, behind it all. */
static const char *next_value(const char *p, const char *end, Open *open) {
  while (open->depth > 0) {
    int is_object = is_in_object(open);
    p = skip_blanks(p, end);
    if (p == end) {
      return NULL;
    } else if (*p == ',') {
      return is_object ? key_end(p + 1, end) : p + 1;
    } else if (*p != (is_object ? '}' : ']')) {
      return NULL;
    }
    open->depth--;
    p++;
  }
  return p;
}

/* Behind the value at p; NULL where there is none. */
static const char *value_end(const char *p, const char *end) {
  Open open;
  open.depth = 0;
  do {
    int depth = open.depth;
    p = skip_blanks(p, end);
    if (p == end) {
      return NULL;
    } else if (*p == '{' || *p == '[') {
      p = bracket_end(p, end, &open);
      if (!p || open.depth > depth) {
        continue;
      }
    } else {
      p = *p == '"' ? string_end(p + 1, end) : scalar_end(p, end);
    }
    p = p ? next_value(p, end, &open) : NULL;
  } while (p && open.depth > 0);
  return p;
}

/* ---- reading */

Scan scan_of(Span text) {
  const char *at = text.n ? text.at : "";
  return (Scan){at, at + text.n, NULL, 0};
}

static int go_bad(Scan *s, const char *at) {
  s->bad = s->bad ? s->bad : at;
  s->at = NULL;
  return 0;
}

static int enter(Scan *s, char bracket) {
  if (!s->at) {
    return 0;
  }
  s->at = skip_blanks(s->at, s->end);
  if (s->at == s->end || *s->at != bracket) {
    return 0;
  }
  s->at++;
  s->fresh = 1;
  return 1;
}

int scan_object(Scan *s) {
  return enter(s, '{');
}

int scan_array(Scan *s) {
  return enter(s, '[');
}

/* 1 in front of what is next behind the ','; 0 behind the closing bracket. */
static int next_one(Scan *s, char bracket) {
  if (!s->at) {
    return 0;
  }
  const char *p = skip_blanks(s->at, s->end);
  if (p < s->end && *p == bracket) {
    s->at = p + 1;
    s->fresh = 0;
    return 0;
  }
  if (!s->fresh && (p == s->end || *p != ',')) {
    return go_bad(s, p);
  }
  s->at = skip_blanks(p + !s->fresh, s->end);
  return 1;
}

int scan_member(Scan *s, Span *key) {
  if (!next_one(s, '}')) {
    return 0;
  }
  const char *start = s->at + 1, *behind = key_end(s->at, s->end);
  if (!behind) {
    return go_bad(s, s->at);
  }
  const char *quote = behind - 1;
  while (*quote != '"') {
    quote--;
  }
  *key = (Span){start, (size_t)(quote - start)};
  s->at = behind;
  return 1;
}

int scan_element(Scan *s) {
  return next_one(s, ']');
}

Span scan_take(Scan *s) {
  if (!s->at) {
    return (Span){0};
  }
  const char *start = skip_blanks(s->at, s->end), *behind = value_end(start, s->end);
  if (!behind) {
    go_bad(s, start);
    return (Span){0};
  }
  s->at = behind;
  s->fresh = 0;
  return (Span){start, (size_t)(behind - start)};
}

int scan_is_done(Scan *s) {
  if (s->at && (s->at = skip_blanks(s->at, s->end)) != s->end) {
    go_bad(s, s->at);
  }
  return s->at != NULL;
}

static const Pick *pick_of(const Pick *picks, Span key) {
  while (picks->name && (key.n != picks->n || memcmp(key.at, picks->name, key.n) != 0)) {
    picks++;
  }
  return picks->name ? picks : NULL;
}

/* (Recurses as deep as the lists do, not as the text does.) */
void scan_pick(Scan *s, const Pick *picks, Span *out) {
  Span key;
  if (!scan_object(s)) {
    scan_take(s);
    return;
  }
  while (scan_member(s, &key)) {
    const Pick *pick = pick_of(picks, key);
    if (pick && pick->inside) {
      scan_pick(s, pick->inside, out);
      continue;
    }
    Span value = scan_take(s);
    if (pick) {
      out[pick->to] = value;
    }
  }
}

Span scan_find(Span object, const char *path) {
  const char *dot = strchr(path, '.');
  size_t n = dot ? (size_t)(dot - path) : strlen(path);
  Span found = {0}, key;
  Scan s = scan_of(object);
  if (!scan_object(&s)) {
    return found;
  }
  while (scan_member(&s, &key)) {
    Span value = scan_take(&s);
    if (key.n == n && memcmp(key.at, path, n) == 0) {
      found = value;
    }
  }
  return dot ? scan_find(found, dot + 1) : found;
}

/* ---- strings */

/* The character of the escape at a backslash, n bytes before the end; *used: its bytes. (One that is none is '?': it has no room
** for more.) */
static unsigned read_escape(const char *p, size_t n, size_t *used) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  size_t length = json_escape_length(p, n);
  if (length == 0) {
    int is_half = json_is_half_pair(p, n);
    *used = is_half ? 6 : n < 2 ? n : 2;
    return is_half ? 0xFFFD : '?';
  }
  *used = length;
  if (length == 2) {
    return (unsigned char)to[strchr(from, p[1]) - from];
  }
  unsigned high = (unsigned)json_hex(p + 2, p + n, 4);
  if (length == 12) {
    unsigned low = (unsigned)json_hex(p + 8, p + n, 4);
    return 0x10000u + ((high & 0x3FFu) << 10) + (low & 0x3FFu);
  }
  return high == 0 ? 0xFFFD : high;
}

size_t scan_unescape(Span string, char *out) {
  if (string.n < 2 || string.at[0] != '"') {
    return 0;
  }
  const char *p = string.at + 1, *end = string.at + string.n - 1;
  char *to = out;
  while (p < end) {
    const char *slash = memchr(p, '\\', (size_t)(end - p));
    size_t plain = (size_t)((slash ? slash : end) - p), used;
    memcpy(to, p, plain);
    to += plain;
    p += plain;
    if (slash) {
      char character[4];
      size_t n = utf8_encode(read_escape(p, (size_t)(end - p), &used), character);
      memcpy(to, character, n);
      to += n;
      p += used;
    }
  }
  return (size_t)(to - out);
}
