/*
** Signs of code and formulas. See signs.h for the contract.
*/
#include "core/route/signs.h"

#include <stdint.h>
#include <string.h>

typedef struct Scan {
  const char *text;
  size_t n;
} Scan;

/* What a byte may be part of. Bytes over 0x7F are letters of other scripts, mostly. */
enum {
  WORD = 1,
  MARK = 2,    /* begins a sign that is no word */
  KEYWORD = 4, /* begins a keyword */
  INSIDE = 8   /* begins a sign that may stand within a word */
};
static const uint8_t CLASSES[256] = {
    ['0'] = WORD | KEYWORD, ['1' ... '9'] = WORD,
    ['a' ... 'b'] = WORD,   ['c' ... 'd'] = WORD | KEYWORD,
    ['e'] = WORD,           ['f'] = WORD | KEYWORD,
    ['g' ... 'h'] = WORD,   ['i'] = WORD | KEYWORD,
    ['j' ... 'q'] = WORD,   ['r'] = WORD | KEYWORD,
    ['s' ... 'u'] = WORD,   ['v'] = WORD | KEYWORD,
    ['w' ... 'z'] = WORD,   ['A' ... 'D'] = WORD,
    ['E'] = WORD | INSIDE,  ['F' ... 'R'] = WORD,
    ['S'] = WORD | KEYWORD, ['T'] = WORD | INSIDE,
    ['U' ... 'V'] = WORD,   ['W'] = WORD | KEYWORD,
    ['X' ... 'Z'] = WORD,   ['_'] = WORD,
    [0x80 ... 0xE1] = WORD, [0xE2] = WORD | INSIDE,
    [0xE3 ... 0xFF] = WORD, ['`'] = MARK,
    ['{'] = MARK,           ['}'] = MARK,
    [';'] = MARK,           ['='] = MARK,
    ['('] = MARK,           ['<'] = MARK,
    ['^'] = MARK,           ['\\'] = MARK,
};

static int char_at(const Scan *s, size_t i) {
  return i < s->n ? (unsigned char)s->text[i] : -1;
}

static int is_word(int c) {
  return c >= 0 && (CLASSES[c] & WORD);
}

static int is_blank(int c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static int has(const Scan *s, size_t i, const char *word) {
  size_t n = strlen(word);
  return s->n - i >= n && memcmp(s->text + i, word, n) == 0;
}

static int has_any(const Scan *s, size_t i, const char *const *words) {
  while (*words && !has(s, i, *words)) {
    words++;
  }
  return *words != NULL;
}

static int ends_line(const Scan *s, size_t i) {
  while (is_blank(char_at(s, i)) && s->text[i] != '\n') {
    i++;
  }
  return i >= s->n || s->text[i] == '\n';
}

static size_t word_end(const Scan *s, size_t i) {
  while (is_word(char_at(s, i))) {
    i++;
  }
  return i;
}

static unsigned sign_of_parenthesis(const Scan *s, size_t i) {
  int before = i > 0 ? char_at(s, i - 1) : -1;
  int is_call = is_word(before) && char_at(s, word_end(s, i + 1)) == ')';
  int is_order = before == 'O' && !(i > 1 && is_word(char_at(s, i - 2)));
  return (is_call ? SIGNS_CODE : 0u) | (is_order ? SIGNS_FORMULA : 0u);
}

static int is_tag(const Scan *s, size_t i) {
  size_t begin = i + 1 + (char_at(s, i + 1) == '/'), end = word_end(s, begin);
  return end > begin && char_at(s, end) == '>';
}

static unsigned sign_of_mark(const Scan *s, size_t i) {
  static const char *const commands[] = {"\\frac", "\\sum", "\\int", "\\sqrt", "\\begin", NULL};
  switch (s->text[i]) {
  case '`':
    return has(s, i, "```") ? SIGNS_CODE : 0;
  case '=':
    return SIGNS_FORMULA | (char_at(s, i + 1) == '>' ? SIGNS_CODE : 0u);
  case '^':
    return SIGNS_FORMULA;
  case '(':
    return sign_of_parenthesis(s, i);
  case '<':
    return is_tag(s, i) ? SIGNS_CODE : 0;
  case '\\':
    return has_any(s, i, commands) ? SIGNS_FORMULA : 0;
  default:
    return ends_line(s, i + 1) ? SIGNS_CODE : 0;
  }
}

/* A keyword of code with what follows one. */
static int is_statement(const Scan *s, size_t i, size_t end) {
  static const char keywords[][9] = {"def",  "class",  "return", "SELECT", "WHERE",
                                     "void", "import", "int",    "const",  "function"};
  size_t k = 0, n = sizeof keywords / sizeof *keywords, length = end - i;
  if (length < 3 || length > 8) {
    return 0;
  }
  while (k < n && !(keywords[k][0] == s->text[i] && !keywords[k][length] &&
                    memcmp(keywords[k], s->text + i, length) == 0)) {
    k++;
  }
  while (k < n && is_blank(char_at(s, end))) {
    end++;
  }
  int next = char_at(s, end);
  return k < n && (is_word(next) || next == '(' || next == '*');
}

static int is_hexadecimal(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static int is_constant(const Scan *s, size_t i, size_t end) {
  return end - i > 2 && has(s, i, "0x") && is_hexadecimal(char_at(s, i + 2));
}

/* What may stand anywhere in the word from byte i to `end`. */
static unsigned signs_inside(const Scan *s, size_t i, size_t end) {
  static const char *const symbols[] = {"≤", "≥", "∑", "∫", "√", "∈", "∀", "∃", NULL};
  static const char *const errors[] = {"Traceback", "Exception", NULL};
  unsigned found = 0;
  for (; i < end; i++) {
    if (CLASSES[(unsigned char)s->text[i]] & INSIDE) {
      found |= has_any(s, i, symbols) ? SIGNS_FORMULA : has_any(s, i, errors) ? SIGNS_CODE : 0u;
    }
  }
  return found;
}

/* The signs of the word at *i, and passes it. */
static unsigned signs_of_word(const Scan *s, size_t *i) {
  size_t begin = *i, end = begin;
  unsigned first = CLASSES[(unsigned char)s->text[begin]], classes = 0, found = 0;
  while (end < s->n && (CLASSES[(unsigned char)s->text[end]] & WORD)) {
    classes |= CLASSES[(unsigned char)s->text[end++]];
  }
  if (first & KEYWORD) {
    found = is_statement(s, begin, end) || is_constant(s, begin, end) ? SIGNS_CODE : 0;
  }
  *i = end;
  return found | (classes & INSIDE ? signs_inside(s, begin, end) : 0u);
}

unsigned signs_find(const char *text, size_t n) {
  Scan s = {text, n};
  unsigned found = 0;
  size_t i = 0;
  while (i < n && found != (SIGNS_CODE | SIGNS_FORMULA)) {
    unsigned class = CLASSES[(unsigned char)text[i]];
    if (class & WORD) {
      found |= signs_of_word(&s, &i);
    } else {
      found |= class & MARK ? sign_of_mark(&s, i) : 0;
      i++;
    }
  }
  return found;
}
