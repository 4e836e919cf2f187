/*
** Marks in running text. See marks.h for the contract.
**
** A table says for each first byte who looks whether a mark begins there. A run of letters and digits is looked at as a whole (a
** chunk), so that an address is not cut at its points.
*/
#include "core/split/marks.h"

#include "base/check.h"
#include "core/split/lines.h"

#include <stdlib.h>
#include <string.h>

enum {
  MOST_TAG = 300,         /* bytes of a tag: longer ones are prose with a "<" */
  MOST_PLACEHOLDER = 100, /* of a placeholder */
  MOST_REGEX = 200,       /* of a regular expression */
  MOST_TICKS = 8,         /* backticks around inline code */
  MOST_QUOTE =
      240 /* visible bytes of a quotation: a longer one is text, or its marks don't belong together */
};

static const char *const names[SPAN_N_KINDS] = {
#define NAME(id, name) name,
    SPAN_KINDS(NAME)
#undef NAME
};

const char *span_kind_name(SpanKind kind) {
  CHECK(kind < SPAN_N_KINDS);
  return names[kind];
}

int spans_add(TextSpans *list, size_t from, size_t n, SpanKind kind, Err *err) {
  if (list->n == list->cap && err->rc == RC_OK) {
    size_t cap = list->cap ? 2 * list->cap : 64;
    TextSpan *grown = realloc(list->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(err);
    }
    list->at = grown;
    list->cap = cap;
  }
  if (err->rc == RC_OK) {
    list->at[list->n++] = (TextSpan){from, n, kind};
  }
  return err->rc;
}

void spans_free(TextSpans *list) {
  free(list->at);
  *list = (TextSpans){NULL, 0, 0};
}

typedef enum Quote { DOUBLE, SINGLE, CURLY, CURLY_SINGLE, LOW, ANGLE, CORNER, WHITE, QUOTES } Quote;

static const struct {
  const char *open, *close, *or_close;
} quotes[QUOTES] = {
    [DOUBLE] = {"\"", "\"", "\""},
    [SINGLE] = {"'", "'", "'"},
    [CURLY] = {"\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x9D"},
    [CURLY_SINGLE] = {"\xE2\x80\x98", "\xE2\x80\x99", "\xE2\x80\x99"},
    [LOW] = {"\xE2\x80\x9E", "\xE2\x80\x9C", "\xE2\x80\x9D"},
    [ANGLE] = {"\xC2\xAB", "\xC2\xBB", "\xC2\xBB"},
    [CORNER] = {"\xE3\x80\x8C", "\xE3\x80\x8D", "\xE3\x80\x8D"},
    [WHITE] = {"\xE3\x80\x8E", "\xE3\x80\x8F", "\xE3\x80\x8F"},
};

typedef struct Scan {
  const char *text;
  size_t from, at, end;
  size_t no_quote[QUOTES];         /* up to there nothing closes such a quotation */
  size_t too_far[QUOTES];          /* what opens one before there is too far from what closes it */
  size_t work;                     /* bytes that may still be read in search of values */
  size_t no_ticks[MOST_TICKS + 1]; /* nor so many backticks */
} Scan;

static int is_word(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c >= 0x80;
}

static int is_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}

static int is_blank(unsigned char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte at a place, a blank outside of the block. */
static unsigned char at(const Scan *s, size_t i) {
  return i >= s->from && i < s->end ? (unsigned char)s->text[i] : ' ';
}

static unsigned char before(const Scan *s, size_t i) {
  return i > s->from ? (unsigned char)s->text[i - 1] : ' ';
}

static int stands(const Scan *s, size_t i, const char *mark) {
  size_t n = strlen(mark);
  return i + n <= s->end && memcmp(s->text + i, mark, n) == 0;
}

/* An apostrophe in a word closes nothing: behind a plain mark stands no letter, in front of it no blank. */
static int closes(const Scan *s, Quote q, size_t i) {
  const char *mark = stands(s, i, quotes[q].close)      ? quotes[q].close
                     : stands(s, i, quotes[q].or_close) ? quotes[q].or_close
                                                        : NULL;
  if (!mark) {
    return 0;
  }
  int plain = q == DOUBLE || q == SINGLE || q == CURLY_SINGLE;
  return !plain || (!is_blank(before(s, i)) && !is_word(at(s, i + strlen(mark))));
}

/* The length of a quotation that begins here; 0: none. */
static size_t quote_length(Scan *s, Quote q) {
  size_t open = strlen(quotes[q].open), i = s->at + open;
  int plain = q == DOUBLE || q == SINGLE;
  if (!stands(s, s->at, quotes[q].open) || is_blank(at(s, i)) ||
      (plain && is_word(before(s, s->at)))) {
    return 0;
  }
  i = i > s->no_quote[q] ? i : s->no_quote[q];
  while (i < s->end && !closes(s, q, i)) {
    i++;
  }
  s->no_quote[q] = i;
  if (i == s->end || s->at < s->too_far[q]) {
    return 0;
  }
  size_t first = i; /* from there on it is near enough */
  for (int visible = 0; first > s->at && visible < MOST_QUOTE; first--) {
    visible += !is_blank((unsigned char)s->text[first - 1]);
  }
  s->too_far[q] = first;
  return first == s->at ? i + strlen(quotes[q].close) - s->at : 0;
}

static size_t quotation(Scan *s, SpanKind *kind) {
  *kind = SPAN_QUOTE;
  for (Quote q = 0; q < QUOTES; q++) {
    size_t n = quote_length(s, q);
    if (n > 0) {
      return n;
    }
  }
  return 0;
}

static size_t run_of(const Scan *s, size_t i, char c) {
  size_t n = 0;
  while (i + n < s->end && s->text[i + n] == c) {
    n++;
  }
  return n;
}

static size_t inline_code(Scan *s, SpanKind *kind) {
  *kind = SPAN_INLINE_CODE;
  size_t ticks = run_of(s, s->at, '`'), i = s->at + ticks;
  if (ticks > MOST_TICKS) {
    return 0;
  }
  i = i > s->no_ticks[ticks] ? i : s->no_ticks[ticks];
  while (i < s->end) {
    size_t n = run_of(s, i, '`');
    if (n == ticks) {
      s->no_ticks[ticks] = i;
      return i + n - s->at;
    }
    i += n > 0 ? n : 1;
  }
  s->no_ticks[ticks] = i;
  return 0;
}

/* The length up to a closing byte within the line and `most` bytes, none of `not_in` between; 0: none. */
static size_t closed_by(const Scan *s, char close, const char *not_in, size_t most) {
  for (size_t i = s->at + 1; i < s->end && i - s->at < most; i++) {
    if (s->text[i] == close) {
      return i + 1 - s->at;
    }
    if (s->text[i] == '\n' || s->text[i] == 0 || strchr(not_in, s->text[i])) {
      return 0;
    }
  }
  return 0;
}

static size_t tag(Scan *s, SpanKind *kind) {
  *kind = SPAN_TAG;
  unsigned char next = at(s, s->at + 1);
  if (!is_letter(next) && next != '/' && next != '!' && next != '?') {
    return 0;
  }
  return closed_by(s, '>', "<", MOST_TAG);
}

/* JSON, or what is written like it. */
static size_t value(Scan *s, SpanKind *kind) {
  size_t end = value_end(s->text, s->at, s->end, &s->work);
  *kind = SPAN_JSON;
  return end > 0 ? end - s->at : 0;
}

static size_t braces(Scan *s, SpanKind *kind) {
  *kind = SPAN_PLACEHOLDER;
  size_t i = s->at;
  if (at(s, i + 1) == '{' || at(s, i + 1) == '%') {
    size_t n = closed_by(s, '}', "", MOST_PLACEHOLDER);
    return n > 0 && at(s, i + n) == '}' ? n + 1 : n;
  }
  size_t name = is_letter(at(s, i + 1)) || at(s, i + 1) == '_'
                    ? closed_by(s, '}', "{\"',;()", MOST_PLACEHOLDER)
                    : 0;
  return name > 0 ? name : value(s, kind);
}

static size_t name_length(const Scan *s, size_t i) {
  size_t n = 0;
  while (is_letter(at(s, i + n)) || is_digit(at(s, i + n)) || at(s, i + n) == '_') {
    n++;
  }
  return n;
}

static size_t dollar(Scan *s, SpanKind *kind) {
  *kind = SPAN_PLACEHOLDER;
  if (at(s, s->at + 1) == '{') {
    return closed_by(s, '}', "\n", MOST_PLACEHOLDER);
  }
  size_t n = is_digit(at(s, s->at + 1)) ? 0 : name_length(s, s->at + 1);
  return n > 0 ? n + 1 : 0;
}

static size_t percent(Scan *s, SpanKind *kind) {
  *kind = SPAN_PLACEHOLDER;
  unsigned char next = at(s, s->at + 1);
  if (is_word(before(s, s->at))) {
    return 0;
  }
  if (next == '(') {
    size_t n = closed_by(s, ')', " ", MOST_PLACEHOLDER);
    return n > 0 && is_letter(at(s, s->at + n)) ? n + 1 : 0;
  }
  int is_format = next && strchr("sdifugxr", next) != NULL;
  return is_format && !is_word(at(s, s->at + 2)) ? 2 : 0;
}

static size_t regex(Scan *s, SpanKind *kind) {
  *kind = SPAN_REGEX;
  unsigned char next = at(s, s->at + 1), last = before(s, s->at);
  if ((!is_blank(last) && last != '(') || is_blank(next) || next == '/' || next == '*') {
    return 0;
  }
  size_t n = closed_by(s, '/', "", MOST_REGEX), i = s->at + 1;
  int has_sign = 0;
  for (; n > 0 && i + 1 < s->at + n; i++) {
    has_sign |= s->text[i] && strchr("\\^$*+?[](){}|", s->text[i]) != NULL;
  }
  if (!has_sign) {
    return 0;
  }
  while (is_letter(at(s, s->at + n))) {
    n++;
  }
  return is_word(at(s, s->at + n)) ? 0 : n;
}

static int in_chunk(unsigned char c) {
  return is_letter(c) || is_digit(c) || (c && strchr("._%+-@:/#?&=~,", c));
}

static SpanKind kind_of_chunk(const char *t, size_t n) {
  size_t letters = 0, digits = 0, sign_at = n, point = 0;
  for (size_t i = 0; i < n; i++) {
    letters += (size_t)is_letter((unsigned char)t[i]);
    digits += (size_t)is_digit((unsigned char)t[i]);
    if (t[i] == '@' && i > 0) {
      sign_at = i;
    }
    point |= t[i] == '.' && i > sign_at;
    if (t[i] == ':' && i + 2 < n && t[i + 1] == '/' && t[i + 2] == '/') {
      return SPAN_URL;
    }
  }
  if ((n > 4 && memcmp(t, "www.", 4) == 0) || (n > 7 && memcmp(t, "mailto:", 7) == 0)) {
    return SPAN_URL;
  }
  if (sign_at < n && point) {
    return SPAN_EMAIL;
  }
  return digits == 0 ? SPAN_N_KINDS : letters > 0 ? SPAN_ID : SPAN_NUMBER;
}

/* Moves over the run of letters and digits here; its length where it is protected, else 0. */
static size_t chunk(Scan *s, SpanKind *kind) {
  size_t n = 0;
  while (in_chunk(at(s, s->at + n)) && s->at + n < s->end) {
    n++;
  }
  while (n > 0 && s->text[s->at + n - 1] && strchr(".,:?-", s->text[s->at + n - 1])) {
    n--;
  }
  *kind = n > 0 ? kind_of_chunk(s->text + s->at, n) : SPAN_N_KINDS;
  if (*kind == SPAN_URL) {
    while (s->at + n < s->end && (unsigned char)s->text[s->at + n] > ' ' &&
           (unsigned char)s->text[s->at + n] < 0x7F && !strchr("<>\"`)]}',", s->text[s->at + n])) {
      n++;
    }
    while (s->text[s->at + n - 1] && strchr(".,:;!?", s->text[s->at + n - 1])) {
      n--;
    }
  }
  if (*kind == SPAN_N_KINDS) {
    s->at += n > 1 ? n - 1 : 0; /* the caller moves by one */
    return 0;
  }
  return n;
}

typedef size_t Looks(Scan *, SpanKind *);

static Looks *const looks[256] = {
    ['"'] = quotation,     ['\''] = quotation,    [0xE2] = quotation,    [0xC2] = quotation,
    [0xE3] = quotation,    ['`'] = inline_code,   ['<'] = tag,           ['{'] = braces,
    ['['] = value,         ['$'] = dollar,        ['%'] = percent,       ['/'] = regex,
    ['0' ... '9'] = chunk, ['a' ... 'z'] = chunk, ['A' ... 'Z'] = chunk,
};

int marks_find(const char *text, size_t from, size_t end, TextSpans *out, Err *err) {
  from += from == 0 ? order_mark(text, end) : 0;
  Scan s = {.text = text, .from = from, .at = from, .end = end, .work = value_work(end - from)};
  while (s.at < s.end && err->rc == RC_OK) {
    SpanKind kind = SPAN_N_KINDS;
    unsigned char c = (unsigned char)text[s.at];
    size_t n = looks[c] ? looks[c](&s, &kind) : 0;
    if (n > 0) {
      spans_add(out, s.at, n, kind, err);
    } else if (looks[c] == inline_code) {
      n = run_of(&s, s.at, '`');
    }
    s.at += n > 0 ? n : 1;
  }
  return err->rc;
}
