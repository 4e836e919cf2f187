/*
** The normal form of texts. See text.h for the contract.
**
** A text is read once, a character at a time. What folds goes into a segment, to which NFC (utf8proc's) is applied when it
** ends; what is kept goes past it. Blanks are folded before NFC, because a dropped zero-width character can bring a letter
** and its accent together. Pure ASCII, the common case, has no segments: NFC leaves it as it is.
**
** Where a quotation ends is looked for within its line. A mark whose closing one is not there is looked for once in a line
** (`no_close`), so that any text takes linear time.
**
** Folding can make new marks: a zero-width character goes from between backticks, NFC makes one of U+1FEF. So a text that is
** not all ASCII is folded again until nothing changes; each time it gets shorter or simpler.
*/
#include "base/text/text.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
  CODE_COLUMNS =
      4,          /* a line that is indented so far is code, as Markdown has it; a tab is as many */
  FENCE = 3,      /* backticks that begin a block */
  MOST_TICKS = 8, /* of inline code: each number of them is looked for once in a line */
  MOST_FLAGS = 6, /* letters behind a regular expression */
  MOST_ROUNDS = 8
};

typedef enum Mark {
  DOUBLE,
  SINGLE,
  SLASH,
  CURLY,
  LOW,
  ANGLE,
  TICK,
  MARKS = TICK + MOST_TICKS
} Mark;

static const struct {
  const char *open, *close, *or_close;
} marks[TICK] = {
    [DOUBLE] = {"\"", "\"", "\""},
    [SINGLE] = {"'", "'", "'"},
    [SLASH] = {"/", "/", "/"},
    [CURLY] = {"\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x9D"},
    [LOW] = {"\xE2\x80\x9E", "\xE2\x80\x9C", "\xE2\x80\x9D"},
    [ANGLE] = {"\xC2\xAB", "\xC2\xBB", "\xC2\xBB"},
};

typedef struct Fold {
  const char *text;
  size_t n, at;
  int keeps;              /* what is quoted and code */
  Buf *out, *to;          /* to: the segment, or out itself where all is ASCII */
  size_t line;            /* where the line begins in the text */
  size_t blanks;          /* characters of pending blanks */
  size_t newlines;        /* pending line ends */
  int line_started;       /* the current line has a visible character */
  int text_started;       /* so has the text */
  size_t no_close[MARKS]; /* up to there in the text nothing closes such a mark */
} Fold;

/* Blanks other than space and tab: NBSP, Ogham space, en quad … hair space, narrow NBSP, medium
** mathematical space, ideographic space. */
static int is_unicode_blank(utf8proc_int32_t c) {
  return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

/* Zero-width space and no-break space. (The joiners U+200C and U+200D carry meaning and stay.) */
static int is_invisible(utf8proc_int32_t c) {
  return c == 0x200B || c == 0xFEFF || c == 0x2060;
}

static int is_line_end(char c) {
  return c == '\n' || c == '\r';
}

static int is_blank(char c) {
  return c == ' ' || c == '\t';
}

static int is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c & 0x80;
}

/* NFC of the segment, behind what is there already. */
static void end_segment(Fold *f) {
  Buf *s = f->to;
  if (s == f->out || s->failed || s->n == 0) {
    return;
  }
  utf8proc_uint8_t *nfc = NULL;
  utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s->data, (utf8proc_ssize_t)s->n, &nfc,
                                    UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  if (n < 0) {
    buf_fail(f->out, n == UTF8PROC_ERROR_NOMEM ? RC_NOMEM : RC_TOOBIG); /* (it is valid UTF-8) */
  } else {
    buf_add(f->out, nfc, (size_t)n);
  }
  free(nfc);
  buf_clear(s);
}

/* Appends bytes as they stand, but for CR. */
static void keep(Fold *f, size_t from, size_t end) {
  end_segment(f);
  while (from < end) {
    size_t n = 0;
    while (from + n < end && f->text[from + n] != '\r') {
      n++;
    }
    buf_add(f->out, f->text + from, n);
    from += n;
    if (from < end) {
      buf_add(f->out, "\n", 1);
      from += from + 1 < end && f->text[from + 1] == '\n' ? 2 : 1;
    }
  }
}

/* What the line begins with: as it stands, or counted. (Spaces alone need no segment of their own.) */
static void put_indent(Fold *f) {
  size_t i = f->line;
  while (i < f->at && f->text[i] == ' ') {
    i++;
  }
  if (f->keeps && i < f->at) {
    keep(f, f->line, f->at);
    return;
  }
  for (size_t k = 0; k < f->blanks; k++) {
    buf_add(f->to, " ", 1);
  }
}

/* Writes what is pending in front of a visible character. */
static void fold_pending(Fold *f) {
  for (size_t i = 0; f->text_started && i < f->newlines; i++) {
    buf_add(f->to, "\n", 1);
  }
  if (f->text_started && f->blanks && f->line_started) {
    buf_add(f->to, " ", 1);
  } else if (f->text_started && f->blanks) {
    put_indent(f);
  }
  f->newlines = f->blanks = 0;
  f->line_started = f->text_started = 1;
}

static void fold_line_end(Fold *f) {
  f->at += f->text[f->at] == '\r' && f->at + 1 < f->n && f->text[f->at + 1] == '\n' ? 2 : 1;
  f->line = f->at;
  f->newlines++;
  f->blanks = 0;
  f->line_started = 0;
}

/* Copies so many bytes that are visible. */
static void fold_visible(Fold *f, size_t n) {
  fold_pending(f);
  buf_add(f->to, f->text + f->at, n);
  f->at += n;
}

static void fold_char(Fold *f) {
  utf8proc_int32_t c;
  const char *p = f->text + f->at;
  utf8proc_ssize_t n =
      utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)(f->n - f->at), &c);
  size_t length = n < 1 ? 1 : (size_t)n;
  if (c == '\t') {
    f->blanks += f->line_started ? 1 : CODE_COLUMNS;
  } else if (c == ' ' || is_unicode_blank(c)) {
    f->blanks++;
  } else if (!is_invisible(c)) {
    fold_visible(f, length);
    return;
  }
  f->at += length;
}

/* --- what is kept --- */

static size_t line_end(const Fold *f, size_t at) {
  while (at < f->n && !is_line_end(f->text[at])) {
    at++;
  }
  return at;
}

static size_t run_of_ticks(const Fold *f, size_t at) {
  size_t i = at;
  while (i < f->n && f->text[i] == '`') {
    i++;
  }
  return i - at;
}

/* From the end of a line over the end of it. */
static size_t next_line(const Fold *f, size_t at) {
  at += at < f->n && f->text[at] == '\r' && at + 1 < f->n && f->text[at + 1] == '\n';
  return at < f->n ? at + 1 : at;
}

/* Where a block ends whose fence of `ticks` stands in the line at `at`: behind its last fence, or the text's last character
** that is no blank. */
static size_t fenced_until(const Fold *f, size_t at, size_t ticks) {
  size_t solid = line_end(f, at);
  for (at = next_line(f, solid); at < f->n; at = next_line(f, line_end(f, at))) {
    size_t i = at, end = line_end(f, at);
    while (i < end && is_blank(f->text[i])) {
      i++;
    }
    solid = i < end ? end : solid;
    size_t run = run_of_ticks(f, i);
    for (i += run; i < end && is_blank(f->text[i]); i++) {
    }
    if (run >= ticks && i == end) {
      break;
    }
  }
  while (solid > 0 && is_blank(f->text[solid - 1])) {
    solid--;
  }
  return solid;
}

/* Where the code ends that the line at its first visible character begins; f->at: it begins none. */
static size_t code_until(const Fold *f) {
  size_t ticks = run_of_ticks(f, f->at), end = line_end(f, f->at);
  if (ticks >= FENCE && !memchr(f->text + f->at + ticks, '`', end - f->at - ticks)) {
    return fenced_until(f, f->at, ticks);
  }
  if (!f->text_started || f->blanks < CODE_COLUMNS) {
    return f->at;
  }
  while (end > f->at && is_blank(f->text[end - 1])) {
    end--;
  }
  return end;
}

static int begins(const Fold *f, size_t at, const char *what) {
  size_t n = strlen(what);
  return f->n - at >= n && memcmp(f->text + at, what, n) == 0;
}

/* An apostrophe, or a slash between words, has a letter before it. */
static int may_open(const Fold *f, Mark mark) {
  char before = f->at > 0 ? f->text[f->at - 1] : ' ';
  char after = f->at + 1 < f->n ? f->text[f->at + 1] : '\n';
  int is_free = is_blank(before) || is_line_end(before) || strchr("([{<=,:;|~", before);
  return (mark != SINGLE && mark != SLASH) ||
         (is_free && (mark == SINGLE || !(is_blank(after) || after == '/' || after == '*')));
}

/* 1 if the mark at `at`, which closes such a thing, does so there. */
static int may_close(const Fold *f, Mark mark, size_t at) {
  size_t behind = at + 1, most = at + 1 + MOST_FLAGS;
  while (mark == SLASH && behind < f->n && behind < most && f->text[behind] >= 'a' &&
         f->text[behind] <= 'z') {
    behind++;
  }
  int is_end = behind >= f->n || (!is_word(f->text[behind]) && f->text[behind] != '/');
  return (mark != SINGLE && mark != SLASH) ||
         (is_end && (mark == SINGLE || f->text[at - 1] != '\\'));
}

/* Where a quotation ends; f->at: it doesn't in this line. */
static size_t quoted_until(Fold *f, Mark mark) {
  size_t i = f->at + strlen(marks[mark].open);
  if (f->no_close[mark] > f->at || !may_open(f, mark)) {
    return f->at;
  }
  for (; i < f->n && !is_line_end(f->text[i]); i++) {
    const char *close = begins(f, i, marks[mark].close)      ? marks[mark].close
                        : begins(f, i, marks[mark].or_close) ? marks[mark].or_close
                                                             : NULL;
    if (close && may_close(f, mark, i)) {
      return i + strlen(close);
    }
  }
  f->no_close[mark] = i;
  return f->at;
}

/* The same of inline code: as many backticks close it as opened it. */
static size_t ticked_until(Fold *f, size_t ticks) {
  size_t i = f->at + ticks;
  if (ticks > MOST_TICKS || f->no_close[TICK + ticks - 1] > f->at) {
    return f->at;
  }
  while (i < f->n && !is_line_end(f->text[i])) {
    size_t run = run_of_ticks(f, i);
    if (run == ticks) {
      return i + run;
    }
    i += run ? run : 1;
  }
  f->no_close[TICK + ticks - 1] = i;
  return f->at;
}

/* Bytes of the mark at the place that could open something, and where that ends (*until; the place itself: it doesn't).
** 0: there is no mark. */
static size_t find_mark(Fold *f, size_t *until) {
  size_t ticks = run_of_ticks(f, f->at);
  if (ticks) {
    *until = ticked_until(f, ticks);
    return ticks;
  }
  for (int i = 0; i < TICK; i++) {
    if (begins(f, f->at, marks[i].open)) {
      *until = quoted_until(f, (Mark)i);
      return strlen(marks[i].open);
    }
  }
  return 0;
}

/* Keeps what begins at a visible character, if anything does. */
static int keep_what_begins(Fold *f) {
  size_t until = f->line_started ? f->at : code_until(f);
  size_t mark = until == f->at ? find_mark(f, &until) : 0;
  if (until > f->at) {
    fold_pending(f);
    keep(f, f->at, until);
    f->at = until;
    return 1;
  }
  if (mark) {
    fold_visible(f, mark);
  }
  return mark != 0;
}

/* --- the text --- */

/* What ASCII is: PLAIN is visible, and opens nothing. */
enum { OTHER, PLAIN, OPENS };
static const unsigned char KINDS[256] = {
    ['!'] = PLAIN,         ['"'] = OPENS,         ['#' ... '&'] = PLAIN,
    ['\''] = OPENS,        ['(' ... '.'] = PLAIN, ['/'] = OPENS,
    ['0' ... '_'] = PLAIN, ['`'] = OPENS,         ['a' ... '~'] = PLAIN,
};

/* Bytes at the front that are nothing else: what most text is, copied in one go. */
static size_t plain_prefix(const Fold *f) {
  size_t i = f->at;
  while (i < f->n && KINDS[(unsigned char)f->text[i]] == PLAIN) {
    i++;
  }
  return i - f->at;
}

static int may_open_wide(char c) {
  return c == '\xE2' || c == '\xC2';
}

static void fold_next(Fold *f) {
  char c = f->text[f->at];
  int kind = KINDS[(unsigned char)c];
  int may_begin = kind == OPENS || may_open_wide(c) || (kind == PLAIN && !f->line_started);
  if (f->keeps && may_begin && keep_what_begins(f)) {
    return;
  }
  size_t plain = kind == OPENS ? 1 : plain_prefix(f);
  if (plain) {
    fold_visible(f, plain);
  } else if (is_line_end(c)) {
    fold_line_end(f);
  } else {
    fold_char(f);
  }
}

static int fold(const char *text, size_t n, int keeps, Buf *out) {
  Buf segment;
  buf_init(&segment, n * 4); /* a tab can become four blanks */
  int is_ascii = utf8_ascii_prefix(text, n) == n;
  Fold f = {.text = text, .n = n, .keeps = keeps, .out = out, .to = is_ascii ? out : &segment};
  buf_add(out, "", 0);
  while (f.at < n && !out->failed && !f.to->failed) {
    fold_next(&f);
  }
  end_segment(&f);
  if (segment.failed) {
    buf_fail(out, segment.failed);
  }
  buf_free(&segment);
  return out->failed;
}

int text_normalize_plain(const char *text, size_t n, Buf *out) {
  return fold(text, n, 0, out);
}

/* Appends the form of a text that is not all ASCII: folded until nothing changes any more. */
static int fold_wide(const char *text, size_t n, Buf *out) {
  Buf now, next;
  buf_init(&now, out->max * 2);
  buf_init(&next, out->max * 2);
  int rc = fold(text, n, 1, &now);
  for (int i = 0, is_same = now.n == n && memcmp(now.data, text, n) == 0;
       rc == RC_OK && !is_same && i < MOST_ROUNDS; i++) {
    buf_clear(&next);
    rc = fold(now.data, now.n, 1, &next);
    is_same = rc == RC_OK && next.n == now.n && memcmp(next.data, now.data, now.n) == 0;
    Buf swap = now;
    now = next;
    next = swap;
  }
  rc = rc == RC_OK ? buf_add(out, now.data, now.n) : buf_fail(out, rc);
  buf_free(&now);
  buf_free(&next);
  return rc;
}

int text_normalize(const char *text, size_t n, Buf *out) {
  return utf8_ascii_prefix(text, n) == n ? fold(text, n, 1, out) : fold_wide(text, n, out);
}
