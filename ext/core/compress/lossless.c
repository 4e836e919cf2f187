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
  LEAST_WORDS = 3, /* of a line whose blanks may be squeezed */
  SPEAKS = 1,      /* of blanks, or of a text that is to stay as it is */
  SPACE = 2,       /* the same behind a number, or "white" */
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
              "exactement exactamente characters character chars zeichen caracteres md5 sha1 "
              "sha256 hash checksum "
              "reverse tokenize tokenise distance morse"},
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

/* Quotations that may go over lines and blocks, bits. */
enum { OPEN_STRAIGHT = 1, OPEN_CURLY = 2, OPEN_ANGLE = 4, OPEN_TRIPLE = 8 };

static const struct {
  unsigned bit;
  const char *open, *close;
} quotations[] = {{OPEN_STRAIGHT, "\"", "\""},
                  {OPEN_CURLY, "\xE2\x80\x9C", "\xE2\x80\x9D"},
                  {OPEN_ANGLE, "\xC2\xAB", "\xC2\xBB"},
                  {OPEN_TRIPLE, "'''", "'''"}};

static int stands(const char *text, size_t at, size_t end, const char *mark) {
  size_t n = strlen(mark);
  return end - at >= n && memcmp(text + at, mark, n) == 0;
}

/* Which quotations are open at the end of [from, end), where these were at its beginning. */
static unsigned open_behind(const char *text, size_t from, size_t end, unsigned open) {
  for (size_t i = from; i < end; i++) {
    for (size_t q = 0; q < sizeof quotations / sizeof *quotations; q++) {
      unsigned bit = quotations[q].bit;
      if (stands(text, i, end, open & bit ? quotations[q].close : quotations[q].open)) {
        open ^= bit;
        i += strlen(quotations[q].open) - 1;
        break;
      }
    }
  }
  return open;
}

typedef enum Token { TOKEN_OTHER, TOKEN_NUMBER, TOKEN_WORD } Token;

/* What stands between two blanks, without the signs of prose at its ends. */
static Token token_of(const char *text, size_t from, size_t end) {
  size_t letters = 0, digits = 0;
  while (from < end && text[from] && strchr("(\"'*_", text[from])) {
    from++;
  }
  while (end > from && text[end - 1] && strchr(".,;:!?)\"'*_", text[end - 1])) {
    end--;
  }
  for (size_t i = from; i < end; i++) {
    unsigned char c = (unsigned char)text[i];
    int is_drawn =
        c == 0xE2 && i + 1 < end && (unsigned char)text[i + 1] != 0x80; /* lines, boxes */
    int is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    int is_digit = c >= '0' && c <= '9';
    if (is_drawn || !(is_letter || is_digit || c >= 0x80 || (c && strchr("'-.,", c)))) {
      return TOKEN_OTHER;
    }
    letters += is_letter || c >= 0x80;
    digits += (size_t)is_digit;
  }
  int is_word = letters > 1 || (letters == 1 && strchr("aAIyoeu", text[from]));
  return digits == 0 && is_word       ? TOKEN_WORD
         : digits > 0 && letters == 0 ? TOKEN_NUMBER
                                      : TOKEN_OTHER;
}

static size_t token_end(const char *text, size_t at, size_t end) {
  while (at < end && text[at] != ' ' && text[at] != '\t') {
    at++;
  }
  return at;
}

/* 1 if [from, end) of a line is running text: LEAST_WORDS words at least (one less where it ends as sentences do), and two of three tokens are. */
static int is_running(const char *text, size_t from, size_t end) {
  size_t words = 0, tokens = 0;
  char last = end > from && text[end - 1] ? text[end - 1] : ' ';
  while (from < end) {
    size_t stop = token_end(text, from, end);
    words += stop > from && token_of(text, from, stop) == TOKEN_WORD;
    tokens += stop > from;
    from = stop + 1;
  }
  size_t least = strchr(".!?", last) ? LEAST_WORDS - 1 : LEAST_WORDS;
  return words >= least && 3 * words >= 2 * tokens;
}

/* Runs of blanks within [from, end) of one line: those between two words or numbers. */
static void squeeze_runs(Squeeze *s, size_t from, size_t end) {
  const char *t = s->text;
  for (size_t i = from, token = from; i < end;) {
    size_t n = 0;
    while (i + n < end && t[i + n] == ' ') {
      n++;
    }
    if (n > 1 && !in_mark(s, i) && !is_layout(t[i - 1]) && !is_layout(t[i + n]) &&
        token_of(t, token, i) != TOKEN_OTHER &&
        token_of(t, i + n, token_end(t, i + n, end)) != TOKEN_OTHER) {
      cuts_add(s->out, i, n - 1, CUT_BLANKS, s->err);
    }
    i += n > 0 ? n : 1;
    token = n > 0 ? i : token;
  }
}

/* Blanks at a line's end: two of them, and another line below, are a line break. */
static void squeeze_tail(Squeeze *s, const Line *l) {
  size_t n = l->end - l->last;
  if (n > 0 && !is_layout(s->text[l->last - 1]) && s->text[l->last - 1] != '-' &&
      !in_mark(s, l->last) && !memchr(s->text + l->last, '\t', n)) {
    size_t stay = n > 1 ? 2 : 0;
    cuts_add(s->out, l->last + stay, n - stay, CUT_BLANKS, s->err);
  }
}

/* `open`: the quotations that are at the block's beginning. */
static void squeeze_prose(Squeeze *s, const Block *b, unsigned open) {
  size_t end = b->from + b->n;
  s->marks.n = s->mark = 0;
  marks_find(s->text, b->from, end, &s->marks, s->err);
  for (size_t at = b->from; at < end && s->err->rc == RC_OK;) {
    Line l = line_at(s->text, end, at);
    size_t from = at == b->from && b->body > l.first ? b->body : l.first;
    unsigned was = open;
    open = open_behind(s->text, l.from, l.end, was);
    if (!(was | open) && is_running(s->text, from, l.last) && !is_literal(s->text, &l) &&
        !(signs_find(s->text + l.from, l.end - l.from) & SIGNS_CODE)) {
      squeeze_runs(s, from, l.last);
    }
    if (l.next < end && !open) {
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

static void squeeze_block(Squeeze *s, const Block *b, unsigned open) {
  int is_json = b->kind == BLOCK_JSON || b->kind == BLOCK_FENCED_JSON;
  if (is_json && s->methods & LOSSLESS_JSON) {
    squeeze_json(s, b);
  } else if (block_is_prose(b->kind) && s->methods & LOSSLESS_TEXT) {
    squeeze_prose(s, b, open);
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
  unsigned open = 0; /* quotations that go over blocks */
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
      squeeze_block(&s, b, open);
    }
    end = b->from + b->n;
    open = open_behind(text, b->from, end, open);
  }
  if (methods & LOSSLESS_TEXT) {
    squeeze_gap(&s, end, n, 0);
  }
  blocks_free(&blocks);
  spans_free(&s.marks);
  return err->rc;
}
