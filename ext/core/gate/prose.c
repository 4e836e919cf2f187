/*
** Prose. See prose.h for the contract.
*/
#include "core/gate/prose.h"

#include "base/utf8.h"
#include "core/route/fold.h"

#include <string.h>

/* ---- quotations */

typedef struct Marks {
  const char *open, *close, *other; /* `other` closes too, or NULL */
} Marks;

/* German marks first: “ closes what „ opened. */
static const Marks MARKS[] = {
    {"\xE2\x80\x9E", "\xE2\x80\x9C", "\xE2\x80\x9D"}, /* „ “ ” */
    {"\xE2\x80\x9C", "\xE2\x80\x9D", NULL},           /* “ ” */
    {"\xE2\x80\x9A", "\xE2\x80\x98", "\xE2\x80\x99"}, /* ‚ ‘ ’ */
    {"\xE2\x80\x98", "\xE2\x80\x99", NULL},           /* ‘ ’ */
    {"\xC2\xAB", "\xC2\xBB", NULL},                   /* « » */
    {"\xC2\xBB", "\xC2\xAB", NULL},                   /* » « */
    {"\xE2\x80\xB9", "\xE2\x80\xBA", NULL},           /* ‹ › */
    {"\xE3\x80\x8C", "\xE3\x80\x8D", NULL},           /* 「 」 */
    {"\xE3\x80\x8E", "\xE3\x80\x8F", NULL},           /* 『 』 */
    {"\"", "\"", NULL},
    {"'", "'", NULL},
    {"`", "`", NULL},
};

static int begins(const char *p, const char *end, const char *word) {
  size_t n = strlen(word);
  return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

static int is_ascii_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_word_byte(char c) {
  return is_ascii_word(c) || (c & 0x80);
}

/* A closing mark that is an apostrophe stands within a word. */
static int closes(const Marks *m, const char *p, const char *end) {
  const char *mark = begins(p, end, m->close)               ? m->close
                     : m->other && begins(p, end, m->other) ? m->other
                                                            : NULL;
  int may_be_apostrophe = mark && (*mark == '\'' || strcmp(mark, "\xE2\x80\x99") == 0);
  return mark && !(may_be_apostrophe && p + strlen(mark) < end && is_word_byte(p[strlen(mark)]));
}

size_t prose_quotation(const char *p, const char *end, char before, GateText *inner) {
  static const char firsts[] = "\xE2\xC2\xE3\"'`";
  const Marks *m = MARKS, *behind = MARKS + sizeof MARKS / sizeof *MARKS;
  if (!*p || !strchr(firsts, *p)) {
    return 0;
  }
  while (m < behind && !begins(p, end, m->open)) {
    m++;
  }
  if (m == behind || (*p == '\'' && is_word_byte(before)) || (*p == '"' && is_ascii_word(before))) {
    return 0;
  }
  const char *text = p + strlen(m->open);
  const char *stop = end - text > PROSE_QUOTATION ? text + PROSE_QUOTATION : end;
  for (const char *q = text; q < stop && !(*q == '\n' && q + 1 < stop && q[1] == '\n'); q++) {
    if (q > text && closes(m, q, end)) {
      *inner = (GateText){text, (size_t)(q - text)};
      return (size_t)(q - p) + strlen(begins(q, end, m->close) ? m->close : m->other);
    }
    if (begins(q, end, m->open) && !(*q == '\'' && is_word_byte(q[-1]))) {
      return 0; /* opened twice; and no mark is looked for past the next one */
    }
  }
  return 0;
}

/* ---- what is not prose */

static const char *line_end(const char *p, const char *end) {
  const char *newline = memchr(p, '\n', (size_t)(end - p));
  return newline ? newline : end;
}

static const char *past_blanks(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t')) {
    p++;
  }
  return p;
}

static int is_fence(const char *line, const char *end) {
  return begins(line, end, "```") || begins(line, end, "~~~");
}

/* Behind the fenced block that begins with the line at p, or p. */
static const char *past_fence(const char *p, const char *end) {
  const char *mark = past_blanks(p, end);
  if (!is_fence(mark, end)) {
    return p;
  }
  for (p = line_end(mark, end); p < end; p = line_end(p, end)) {
    const char *line = past_blanks(++p, end);
    if (begins(line, end, *mark == '`' ? "```" : "~~~")) {
      return line_end(line, end);
    }
  }
  return end;
}

static const char *past_quoted_line(const char *p, const char *end) {
  const char *line = past_blanks(p, end);
  return line < end && *line == '>' ? line_end(line, end) : p;
}

/* Copies what is prose; where something was left out stands U+FFFC, which is in no word. */
static void strip(const char *p, const char *end, Buf *out) {
  static const char left_out[] = " \xEF\xBF\xBC ";
  int at_line = 1;
  char before = 0;
  while (p < end && !out->failed) {
    const char *q = at_line ? past_quoted_line(past_fence(p, end), end) : p;
    GateText inner;
    q += q == p ? prose_quotation(p, end, before, &inner) : 0;
    if (q > p) {
      buf_puts(out, left_out);
      before = ' ';
      p = q;
      at_line = 0;
      continue;
    }
    size_t n = 1; /* up to what may begin a quotation */
    while (p + n < end && p[n] != '\n' && p[n - 1] != '\n' && (p[n] & 0x80) == 0 && p[n] != '"' &&
           p[n] != '\'' && p[n] != '`') {
      n++;
    }
    buf_add(out, p, n);
    before = p[n - 1];
    at_line = before == '\n';
    p += n;
  }
}

GateText prose_trimmed(GateText t) {
  while (t.n > 0 && (unsigned char)t.text[0] <= ' ') {
    t.text++;
    t.n--;
  }
  while (t.n > 0 && (unsigned char)t.text[t.n - 1] <= ' ') {
    t.n--;
  }
  return t;
}

int prose_of(const GateText *text, Buf *out) {
  GateText t = prose_trimmed(*text), inner;
  Buf stripped;
  buf_init(&stripped, t.n * 6 + 64);
  if (t.n > 0 && *t.text != '`' && prose_quotation(t.text, t.text + t.n, 0, &inner) == t.n) {
    t = inner;
  }
  strip(t.text, t.text + t.n, &stripped);
  Fold f;
  fold_begin(&f, stripped.data ? stripped.data : "", stripped.n);
  for (FoldChar c = fold_next(&f); c.c >= 0 && !stripped.failed && !out->failed;
       c = fold_next(&f)) {
    char bytes[4];
    if (c.c != '*' && c.c != '#') {
      buf_add(out, bytes, utf8_encode((unsigned)c.c, bytes));
    }
  }
  int rc = stripped.failed ? stripped.failed : out->failed;
  buf_free(&stripped);
  return rc;
}

/* ---- sentences */

/* The bytes of what ends a sentence at byte i, with what closes it; 0: nothing does. */
static size_t sentence_end(const char *text, size_t n, size_t i) {
  char c = text[i];
  if (c == '\n') {
    return 1;
  }
  if (c == '\xE3' || c == '\xEF') {
    const char *p = text + i, *end = text + n;
    int is_wide = begins(p, end, "\xE3\x80\x82") || begins(p, end, "\xEF\xBC\x81") ||
                  begins(p, end, "\xEF\xBC\x9F");
    return is_wide ? 3 : 0;
  }
  int is_mark = c == '.' || c == '!' || c == '?';
  return is_mark && (i + 1 == n || text[i + 1] == ' ' || text[i + 1] == '\n') ? 1 : 0;
}

static int is_blank_sentence(const GateText *s) {
  for (size_t i = 0; i < s->n; i++) {
    if ((unsigned char)s->text[i] > ' ' && !strchr(".!?-", s->text[i])) {
      return 0;
    }
  }
  return 1;
}

int prose_sentence(const char *text, size_t n, size_t *at, GateText *sentence) {
  while (*at < n) {
    size_t begin = *at, i = begin, ends = 0;
    while (i < n && !(ends = sentence_end(text, n, i))) {
      i++;
    }
    *at = i + ends;
    *sentence = prose_trimmed((GateText){text + begin, *at - begin});
    if (!is_blank_sentence(sentence)) {
      return 1;
    }
  }
  return 0;
}

int prose_last(const char *text, size_t n, GateText *sentence) {
  GateText t = prose_trimmed((GateText){text, n});
  while (t.n > 0) {
    size_t i = t.n - 1; /* its own closing mark is passed over */
    while (i > 0 && !sentence_end(t.text, t.n, i - 1)) {
      i--;
    }
    size_t begin = i;
    while (begin < t.n && (t.text[begin] & 0xC0) == 0x80) {
      begin++; /* within the mark of the sentence before */
    }
    *sentence = prose_trimmed((GateText){t.text + begin, t.n - begin});
    if (!is_blank_sentence(sentence)) {
      return 1;
    }
    t.n = begin > i ? i - 1 : i;
  }
  return 0;
}

/* ---- phrases */

static int is_inside_word(const char *text, size_t n, size_t i) {
  Fold f;
  if (i >= n || !(text[i] & 0x80)) {
    return i < n && (fold_kind(text[i]) & FOLD_IN_WORD) != 0;
  }
  fold_begin(&f, text + i, n - i < 4 ? n - i : 4);
  return (fold_next(&f).kind & FOLD_IN_WORD) != 0;
}

static int is_behind_word(const char *text, size_t i) {
  size_t at = i;
  while (at > 0 && i - at < 4) {
    at--;
    if ((text[at] & 0xC0) != 0x80) {
      break;
    }
  }
  return at < i && is_inside_word(text, i, at);
}

/* The first place of one phrase of n bytes. */
static long find_one(const GateText *t, size_t from, const char *phrase, size_t n) {
  int goes_on = phrase[n - 1] == '~', is_cjk = (unsigned char)phrase[0] >= 0xE3;
  n -= (size_t)goes_on;
  for (size_t i = from; i + n <= t->n; i++) {
    const char *p = memmem(t->text + i, t->n - i, phrase, n);
    if (!p) {
      return -1;
    }
    i = (size_t)(p - t->text);
    if (is_cjk ||
        (!is_behind_word(t->text, i) && (goes_on || !is_inside_word(t->text, t->n, i + n)))) {
      return (long)i;
    }
  }
  return -1;
}

long prose_find(const GateText *text, size_t from, const char *phrases, size_t *end) {
  long first = -1;
  while (*phrases) {
    size_t n = strcspn(phrases, "|");
    long at = n > 0 && from <= text->n ? find_one(text, from, phrases, n) : -1;
    if (at >= 0 && (first < 0 || at < first)) {
      first = at;
      *end = (size_t)at + n - (phrases[n - 1] == '~');
    }
    phrases += n + (phrases[n] == '|');
  }
  return first;
}

long long prose_count(const GateText *text, const char *phrases) {
  long long count = 0;
  while (*phrases) {
    size_t n = strcspn(phrases, "|");
    long at = n > 0 ? find_one(text, 0, phrases, n) : -1;
    while (at >= 0) {
      count++;
      at = find_one(text, (size_t)at + 1, phrases, n);
    }
    phrases += n + (phrases[n] == '|');
  }
  return count;
}
