/*
** White space that means nothing. See lossless.h for the contract.
*/
#include "core/compress/lossless.h"

#include "core/route/signs.h"
#include "core/split/blocks.h"
#include "core/split/lines.h"
#include "core/split/marks.h"
#include "core/split/terms.h"
#include "core/words/word_table.h"

#include <pthread.h>
#include <string.h>

enum {
  SLOTS = 512,
  SPEAKS = 1, /* of blanks, or of a text that is to stay as it is */
  SPACE = 2,  /* the same behind a number, or "white" */
  SIZES = 4,
  EXACTLY = 8, /* of what stands beside it */
  AS = 16,     /* "as is", "as it is" */
  IS = 32
};

static const WordRow rows[] = {
    {SPEAKS, "layout formatting grep password passphrase spaces whitespace whitespaces blanks "
             "spacing spaced indent indentation "
             "regex regexp regexes regexps pattern patterns verbatim literally unchanged monospace "
             "monospaced leerzeichen leerschlage einruckung "
             "einrucken wortlich unverandert espaces espacement indentation espacios sangria "
             "literalmente textualmente"},
    {SPACE, "space blank leerzeichen espace espacio"},
    {SIZES, "white single double a one zero ein eine un une"},
    {EXACTLY, "exactly exact precisely literal copy print reproduce repeat type output genau exakt "
              "exactement exactamente"},
    {AS, "as"},
    {IS, "is it"},
};

static WordEntry table[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void) {
  word_table_make(rows, sizeof rows / sizeof *rows, table, SLOTS);
}

/* SPEAKS and EXACTLY, as far as a text does. */
static unsigned read_words(const char *text, size_t from, size_t end) {
  TermWalk w;
  Term t;
  unsigned found = 0, last = 0;
  int was_number = 0;
  pthread_once(&once, make);
  terms_begin(&w, text, from, end);
  while (terms_next(&w, &t)) {
    unsigned is = word_table_find(table, SLOTS, t.key)->classes;
    int sizes = last & SIZES || was_number;
    found |= is & SPACE && sizes ? SPEAKS : is & (SPEAKS | EXACTLY);
    found |= is & IS && last & AS ? EXACTLY : 0;
    was_number = (t.flags & TERM_NUMBER) != 0;
    last = is;
  }
  return found;
}

typedef struct Squeeze {
  const char *text;
  unsigned methods;
  TextSpans marks; /* of the block */
  size_t mark;     /* the first one that may follow */
  Cuts *out;
  Err *err;
} Squeeze;

/* Between two blocks, or at an end of the text, [from, end): `most` line ends stay. */
static void squeeze_gap(Squeeze *s, size_t from, size_t end, int most) {
  const char *t = s->text;
  size_t cut = from;
  for (size_t i = from; i < end; i++) {
    if (t[i] != '\n' || most == 0) {
      continue;
    }
    size_t line_end = i > cut && t[i - 1] == '\r' ? i - 1 : i;
    cuts_add(s->out, cut, line_end - cut, CUT_BLANKS, s->err);
    cut = i + 1;
    most--;
  }
  cuts_add(s->out, cut, end - cut, CUT_BLANKS, s->err);
}

static int in_mark(Squeeze *s, size_t at) {
  while (s->mark < s->marks.n && s->marks.at[s->mark].from + s->marks.at[s->mark].n <= at) {
    s->mark++;
  }
  return s->mark < s->marks.n && s->marks.at[s->mark].from <= at;
}

/* Signs beside which blanks may be laid out on purpose, or be what a string begins or ends with. */
static int is_layout(char c) {
  return c != 0 && strchr("|=<>{}\\#;~^_*+/\"'`", c) != NULL;
}

/* 1 if what stands in a text shows that its blanks are its own: an element that keeps them, a document of a shell; words that
** speak of them. */
static int keeps_blanks(const char *text, size_t n) {
  static const char *const signs[] = {"<pre", "<PRE", "<textarea", "<<", "\\\""};
  int keeps = 0;
  for (size_t i = 0; i < sizeof signs / sizeof signs[0] && !keeps; i++) {
    keeps = memmem(text, n, signs[i], strlen(signs[i])) != NULL;
  }
  return keeps || read_words(text, 0, n) & SPEAKS;
}

/* 1 if a line is a pattern, or says behind a colon and blanks what is meant with its blanks. */
static int is_literal(const char *text, const Line *l) {
  size_t n = l->last - l->first;
  return memchr(text + l->first, '^', n) || memchr(text + l->first, '\\', n) ||
         memmem(text + l->first, n, ":  ", 3);
}

/* 1 if a straight quotation mark is open at the end of [from, end), as it was at `open`. */
static int is_open(const char *text, size_t from, size_t end, int open) {
  for (size_t i = from; i < end; i++) {
    open ^= text[i] == '"';
  }
  return open;
}

/* Runs of blanks within [from, end) of one line. */
static void squeeze_runs(Squeeze *s, size_t from, size_t end) {
  const char *t = s->text;
  for (size_t i = from; i < end;) {
    size_t n = 0;
    while (i + n < end && t[i + n] == ' ') {
      n++;
    }
    if (n > 1 && !in_mark(s, i) && !is_layout(t[i - 1]) && !is_layout(t[i + n])) {
      cuts_add(s->out, i, n - 1, CUT_BLANKS, s->err);
    }
    i += n > 0 ? n : 1;
  }
}

/* Blanks at a line's end: two of them, and another line below, are a line break. */
static void squeeze_tail(Squeeze *s, const Line *l) {
  size_t n = l->end - l->last;
  if (n > 0 && !in_mark(s, l->last) && !memchr(s->text + l->last, '\t', n)) {
    size_t stay = n > 1 ? 2 : 0;
    cuts_add(s->out, l->last + stay, n - stay, CUT_BLANKS, s->err);
  }
}

static void squeeze_prose(Squeeze *s, const Block *b) {
  size_t end = b->from + b->n;
  s->marks.n = s->mark = 0;
  marks_find(s->text, b->from, end, &s->marks, s->err);
  for (size_t at = b->from; at < end && s->err->rc == RC_OK;) {
    Line l = line_at(s->text, end, at);
    size_t from = at == b->from && b->body > l.first ? b->body : l.first;
    if (!(signs_find(s->text + l.from, l.end - l.from) & SIGNS_CODE) && !is_literal(s->text, &l)) {
      squeeze_runs(s, from + 1, l.last);
    }
    if (l.next < end) {
      squeeze_tail(s, &l);
    }
    at = l.next;
  }
}

/* Blanks between the values of JSON. */
static void squeeze_json(Squeeze *s, const Block *b) {
  const char *t = s->text;
  int in_string = 0;
  for (size_t i = b->body, end = b->body + b->body_n; i < end; i++) {
    if (in_string) {
      in_string = t[i] != '"';
      i += t[i] == '\\';
      continue;
    }
    in_string = t[i] == '"';
    size_t n = 0;
    while (i + n < end &&
           (t[i + n] == ' ' || t[i + n] == '\t' || t[i + n] == '\n' || t[i + n] == '\r')) {
      n++;
    }
    cuts_add(s->out, i, n, CUT_JSON_BLANKS, s->err);
    i += n > 0 ? n - 1 : 0;
  }
}

static void squeeze_block(Squeeze *s, const Block *b) {
  int is_json = b->kind == BLOCK_JSON || b->kind == BLOCK_FENCED_JSON;
  if (is_json && s->methods & LOSSLESS_JSON) {
    squeeze_json(s, b);
  } else if (block_is_prose(b->kind) && s->methods & LOSSLESS_TEXT) {
    squeeze_prose(s, b);
  }
}

/* 1 if a block, or the one in front of it, says that it is to be as it stands. */
static int is_exact(const char *text, const Blocks *blocks, size_t i) {
  for (size_t k = i > 0 ? i - 1 : 0; k <= i; k++) {
    const Block *b = &blocks->at[k];
    if (block_is_prose(b->kind) && read_words(text, b->from, b->from + b->n) & EXACTLY) {
      return 1;
    }
  }
  return 0;
}

static int is_verbatim(BlockKind kind) {
  return kind == BLOCK_CODE || kind == BLOCK_TABLE || kind == BLOCK_LINES;
}

int lossless_find(const char *text, size_t n, unsigned methods, Cuts *out, Err *err) {
  Squeeze s = {.text = text, .methods = methods, .out = out, .err = err};
  Blocks blocks = {NULL, 0, 0};
  size_t end = 0;
  int open = 0; /* a quotation that goes over blocks */
  methods &= keeps_blanks(text, n) ? ~(unsigned)LOSSLESS_TEXT : ~0U;
  s.methods = methods;
  blocks_find(text, n, &blocks, err);
  for (size_t i = 0; i < blocks.n && err->rc == RC_OK; i++) {
    const Block *b = &blocks.at[i];
    int is_kept = open || (i > 0 && is_verbatim(b->kind) && is_verbatim(blocks.at[i - 1].kind));
    if (methods & LOSSLESS_TEXT && !is_kept) {
      squeeze_gap(&s, end, b->from, i > 0 ? 2 : 0);
    }
    if (!block_is_prose(b->kind) || !is_exact(text, &blocks, i)) {
      squeeze_block(&s, b);
    }
    end = b->from + b->n;
    open = is_open(text, b->from, end, open);
  }
  if (methods & LOSSLESS_TEXT) {
    squeeze_gap(&s, end, n, 0);
  }
  blocks_free(&blocks);
  spans_free(&s.marks);
  return err->rc;
}
