/*
** Units of a text. See units.h for the contract.
**
** Blocks come one after the other; what each hangs on is kept in a stack of headings by level. A paragraph's marks are found first,
** then its sentences: the scanner jumps from mark to mark, so that no end of a sentence is looked for within one.
*/
#include "core/split/units.h"

#include "core/split/lines.h"
#include "core/split/terms.h"
#include "core/words/guard_words.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
  WRAP_LEAST = 60, /* lines of that length to WRAP_MOST bytes may have been wrapped by an editor */
  WRAP_MOST = 130,
  MOST_SPEAKER = 30, /* bytes of who speaks */
  MOST_WORD = 24     /* bytes of an abbreviation that is looked up */
};

/* Words that a full stop behind them does not end a sentence with, folded, without their last stop. */
static const char ABBREVIATIONS[] =
    " mr mrs ms dr prof sr jr st vs etc e.g i.e eg ie cf no nos nr fig figs eq eqs inc ltd co corp "
    "approx dept est vol ed "
    "eds al pp p ch sec art abs jan feb mar apr jun jul aug sep sept oct nov dec gen gov sen rep "
    "rev hon capt col lt sgt mt ft "
    "ave blvd rd z.b d.h bzw usw u.a ca evtl ggf inkl max min tel str m mm mme mlle p.ex av env "
    "sig sra srta dra ud uds "
    "ee.uu sig.ra dott ecc pag cap exmo s.a u.s u.k u.n a.m p.m ph.d d.c b.c a.d mio mrd vgl sog "
    "dgl hr fr nachf geb ";

/* German months, behind an ordinal with its point; other languages write none. */
static const char MONTHS[] =
    " januar februar marz april mai juni juli august september oktober november dezember ";

typedef struct Reader {
  const char *text;
  TextUnits *out;
  TextSpans marks;
  size_t above[LABEL_LEVEL + 1]; /* the heading of each level that is open; UNIT_NONE */
  size_t block;
  BlockKind under; /* what the open label of level LABEL_LEVEL leads in */
  int is_led;      /* it leads something in already */
  Err *err;
} Reader;

void units_free(TextUnits *u) {
  free(u->at);
  *u = (TextUnits){NULL, 0, 0, 0};
}

static size_t add(Reader *r, TextUnit u) {
  TextUnits *out = r->out;
  if (out->n == out->cap && r->err->rc == RC_OK) {
    size_t cap = out->cap ? 2 * out->cap : 128;
    TextUnit *grown = realloc(out->at, cap * sizeof *grown);
    if (!grown) {
      err_nomem(r->err);
      return UNIT_NONE;
    }
    out->at = grown;
    out->cap = cap;
  }
  if (r->err->rc != RC_OK) {
    return UNIT_NONE;
  }
  out->at[out->n] = u;
  return out->n++;
}

/* --- what a unit's words say --- */

static unsigned flags_of_words(const char *text, size_t from, size_t end) {
  TermWalk w;
  Term t;
  unsigned flags = 0;
  int words = 0;
  terms_begin(&w, text, from, end);
  while (terms_next(&w, &t)) {
    flags |= t.flags & (TERM_ORDER | TERM_NEGATION) ? UNIT_ORDER : 0;
    flags |= t.flags & (TERM_NUMBER | TERM_DATE) ? UNIT_NUMBER : 0;
    flags |= words == 0 && t.flags & (TERM_REFERS | TERM_LINKS) ? UNIT_REFERS : 0;
    words += !(t.flags & TERM_SIGN);
  }
  while (end > from && strchr("\"')]*_ \n", text[end - 1]) && text[end - 1]) {
    end--;
  }
  int asks = end > from && (text[end - 1] == '?' ||
                            (end - from > 2 && memcmp(text + end - 3, "\xEF\xBC\x9F", 3) == 0) ||
                            (end - from > 1 && memcmp(text + end - 2, "\xD8\x9F", 2) == 0));
  return flags | (asks ? UNIT_QUESTION : 0);
}

/* "User: ", "Q: ", "**Agent:** ", "Input 3: " at the front. */
static int is_turn(const char *text, size_t from, size_t end) {
  while (from < end && strchr(" *_>#", text[from]) && text[from]) {
    from++;
  }
  size_t i = from, words = 1;
  while (i < end && i - from < MOST_SPEAKER && text[i] != ':' && text[i] != '\n') {
    words += text[i] == ' ';
    i++;
  }
  return i > from && i < end && text[i] == ':' && words < 4 &&
         (i + 1 == end || text[i + 1] == ' ' || text[i + 1] == '*' || text[i + 1] == '\n');
}

/* --- where sentences end --- */

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Bytes of what ends a sentence here: 0 where nothing does; *wide: it needs no blank behind it. */
static size_t terminator(const char *t, size_t n, int *wide) {
  static const char *const wides[] = {"\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F",
                                      "\xE0\xA5\xA4"};
  *wide = 0;
  if (*t == '.' || *t == '!' || *t == '?') {
    return 1;
  }
  for (size_t i = 0; i < sizeof wides / sizeof *wides; i++) {
    if (n >= 3 && memcmp(t, wides[i], 3) == 0) {
      *wide = 1;
      return 3;
    }
  }
  if (n >= 3 && memcmp(t, "\xE2\x80\xA6", 3) == 0) {
    return 3;
  }
  return n >= 2 && memcmp(t, "\xD8\x9F", 2) == 0 ? 2 : 0;
}

/* Bytes of closing signs. */
static size_t closers(const char *t, size_t n) {
  static const char *const wides[] = {"\xE2\x80\x9D", "\xE2\x80\x99", "\xE3\x80\x8D",
                                      "\xE3\x80\x8F", "\xEF\xBC\x89"};
  size_t at = 0;
  for (int found = 1; found && at < n;) {
    found = 0;
    if (t[at] && strchr("\"')]}*_", t[at])) {
      at++;
      found = 1;
    }
    for (size_t i = 0; i < sizeof wides / sizeof *wides && !found; i++) {
      if (n - at >= 3 && memcmp(t + at, wides[i], 3) == 0) {
        at += 3;
        found = 1;
      }
    }
    if (!found && n - at >= 2 && memcmp(t + at, "\xC2\xBB", 2) == 0) {
      at += 2;
      found = 1;
    }
  }
  return at;
}

static int is_in(const char *list, const char *word, size_t n) {
  char key[MOST_WORD + 3] = " ";
  for (size_t i = 0; i < n; i++) {
    key[i + 1] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + 0x20 : word[i]);
  }
  memcpy(key + n + 1, " ", 2);
  return strstr(list, key) != NULL;
}

static int is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* 1 if the letters at `from` are an English word of these classes: grammar, or an everyday one. */
static int is_english(const char *text, size_t from, size_t end, uint32_t classes) {
  char word[MOST_WORD];
  size_t n = 0;
  while (from + n < end && n < MOST_WORD && is_letter(text[from + n])) {
    word[n] = (char)(text[from + n] | 0x20);
    n++;
  }
  const GuardWord *g = n > 0 && n < MOST_WORD ? guard_word(word, n) : NULL;
  return g && g->classes & classes;
}

/* Whether the letter at `word`, with a point behind it, is an initial: "by J. Smith", "John F. Kennedy", and not the end of "compound B.
** When it" or "Plan B. The". */
static int is_initial(const char *text, size_t from, size_t word, size_t next, size_t end) {
  size_t before = word;
  while (before > from && is_blank(text[before - 1])) {
    before--;
  }
  size_t first = before;
  while (first > from && is_letter(text[first - 1])) {
    first--;
  }
  if (first == before || (text[word] >= 'a' && text[word] <= 'z')) {
    return 1;
  }
  int is_noun = text[first] >= 'a' && !is_english(text, first, before, WORD_STOP);
  return !is_english(text, next, end, is_noun ? WORD_STOP | WORD_COMMON : WORD_STOP);
}

/* Whether the point at `at` belongs to the word before it: an abbreviation, an initial, "3. März". */
static int is_abbreviation(const char *text, size_t from, size_t at, size_t next, size_t end) {
  size_t word = at;
  while (word > from && !is_blank(text[word - 1]) && at - word < MOST_WORD &&
         !strchr("(\"[", text[word - 1])) {
    word--;
  }
  size_t n = at - word;
  if (n == 0 || n >= MOST_WORD) {
    return 0;
  }
  if (n == 1 && is_letter(text[word])) {
    return is_initial(text, from, word, next, end);
  }
  if (n <= 2 && text[word] >= '0' && text[word] <= '9') {
    size_t k = next;
    while (k < end && !is_blank(text[k]) && k - next < MOST_WORD && text[k] != '.' &&
           text[k] != ',') {
      k++;
    }
    return k > next && (is_in(MONTHS, text + next, k - next) ||
                        (k - next == 5 && memcmp(text + next, "M\xC3\xA4rz", 5) == 0));
  }
  return memchr(text + word, 0, n) == NULL && is_in(ABBREVIATIONS, text + word, n);
}

static int is_lower(const char *t, size_t n) {
  utf8proc_int32_t c;
  if (utf8proc_iterate((const utf8proc_uint8_t *)t, (utf8proc_ssize_t)(n < 4 ? n : 4), &c) < 1) {
    return 0;
  }
  return c < 0x80 ? c >= 'a' && c <= 'z' : utf8proc_category(c) == UTF8PROC_CATEGORY_LL;
}

/* Behind the terminators that stand together here: "?!", "...". */
static size_t run_end(const char *text, size_t at, size_t end) {
  int wide;
  for (size_t n = 1; n > 0 && at < end; at += n) {
    n = terminator(text + at, end - at, &wide);
  }
  return at;
}

/* "… a classic.The show …": a sentence that ends without a blank behind it; not "http.Client". */
static int is_glued(const char *text, size_t from, size_t at, size_t next, size_t end) {
  int is_small = 1;
  for (size_t i = 1; i <= 3 && is_small; i++) {
    is_small = at >= from + i && text[at - i] >= 'a' && text[at - i] <= 'z';
  }
  return is_small && next == at + 1 && next < end && text[next] >= 'A' && text[next] <= 'Z' &&
         is_english(text, next, end, WORD_STOP);
}

/* "['One.', 'Two.']": the comma between two quotations. */
static int is_between_quotes(const char *text, size_t at, size_t end) {
  return end - at > 2 && text[at] == ',' && is_blank(text[at + 1]) &&
         (text[at + 2] == '\'' || text[at + 2] == '"');
}

/* Where the sentence ends if it does at the terminator `at`; else 0. */
static size_t sentence_end(const char *text, size_t from, size_t at, size_t end) {
  int wide;
  size_t stop = run_end(text, at, end);
  terminator(text + at, end - at, &wide);
  size_t closed = closers(text + stop, end - stop);
  stop += closed;
  stop +=
      closed > 0 && is_between_quotes(text, stop, end); /* the comma goes with what is before it */
  if (stop >= end || wide) {
    return stop;
  }
  size_t next = stop;
  while (next < end && is_blank(text[next])) {
    next++;
  }
  if (next == stop) {
    return is_glued(text, from, at, next, end) ? stop : 0;
  }
  if (is_lower(text + next, end - next) ||
      (text[at] == '.' && is_abbreviation(text, from, at, next, end))) {
    return 0;
  }
  return stop;
}

/* Whether a line that ends at `at` (a line end) of the block was not wrapped there. */
static int is_line_of_its_own(const char *text, size_t from, size_t at, size_t end) {
  size_t line = at, next = at + 1, last = at;
  while (line > from && text[line - 1] != '\n') {
    line--;
  }
  while (next < end && (text[next] == ' ' || text[next] == '\t' || text[next] == '>')) {
    next++;
  }
  while (last > line && is_blank(text[last - 1])) {
    last--;
  }
  if (next >= end || last == line || is_lower(text + next, end - next)) {
    return 0;
  }
  int is_break = at - last >= 2; /* two blanks: a line end that is meant */
  return is_break || last - line < WRAP_LEAST || last - line > WRAP_MOST ||
         strchr(".!?:;", text[last - 1]) != NULL;
}

/* Where the sentence ends if it does with a quotation that ends as a sentence ("... there." She left); else 0. */
static size_t quoted_end(const char *text, size_t from, const TextSpan *m, size_t end) {
  size_t behind = m->from + m->n, inner = behind - 1;
  int wide;
  while (inner > m->from && ((unsigned char)text[inner] & 0xC0) == 0x80) {
    inner--;
  }
  for (size_t back = 1; m->kind == SPAN_QUOTE && back <= 3 && inner > m->from + back; back++) {
    if (terminator(text + inner - back, back, &wide) == back && !wide) {
      size_t stop = sentence_end(text, from, inner - back, end);
      return stop >= behind ? stop : 0;
    }
  }
  return 0;
}

/* The end of the sentence that begins at `from`: behind its last visible byte. *mark is the first mark that may follow. */
static size_t next_end(Reader *r, size_t from, size_t end, size_t *mark) {
  int wide;
  for (size_t at = from; at < end;) {
    while (*mark < r->marks.n && r->marks.at[*mark].from + r->marks.at[*mark].n <= at) {
      ++*mark;
    }
    const TextSpan *m =
        *mark < r->marks.n && r->marks.at[*mark].from <= at ? &r->marks.at[*mark] : NULL;
    size_t n = m ? 0 : terminator(r->text + at, end - at, &wide);
    size_t stop = m       ? quoted_end(r->text, from, m, end)
                  : n > 0 ? sentence_end(r->text, from, at, end)
                          : 0;
    if (stop > 0) {
      return stop;
    }
    if (m && m->kind == SPAN_TAG && tags_is_container(r->text + m->from, m->n)) {
      return at > from ? at : m->from + m->n; /* a unit of its own */
    }
    if (!m && r->text[at] == '\n' && is_line_of_its_own(r->text, from, at, end)) {
      return at;
    }
    at = m ? m->from + m->n : n > 0 ? run_end(r->text, at, end) : at + 1;
  }
  return end;
}

/* --- blocks --- */

static size_t parent_of(const Reader *r) {
  for (int level = LABEL_LEVEL; level > 0; level--) {
    if (r->above[level] != UNIT_NONE) {
      return r->above[level];
    }
  }
  return UNIT_NONE;
}

/* Opens a heading: those of its level and below are closed. */
static void open_heading(Reader *r, size_t from, size_t n, int level) {
  for (int l = level; l <= LABEL_LEVEL; l++) {
    r->above[l] = UNIT_NONE;
  }
  TextUnit u = {from, n, parent_of(r), r->block, BLOCK_HEADING, level, UNIT_LABEL | UNIT_FIRST};
  r->above[level] = add(r, u);
  r->is_led = 0;
}

/* A line that led something in is behind us where something else follows. */
static void close_label(Reader *r, BlockKind kind) {
  if (r->above[LABEL_LEVEL] != UNIT_NONE && r->is_led && kind != r->under) {
    r->above[LABEL_LEVEL] = UNIT_NONE;
  }
  if (!r->is_led) {
    r->under = kind;
    r->is_led = 1;
  }
}

static size_t skip_blanks(const char *text, size_t at, size_t end) {
  while (at < end && is_blank(text[at])) {
    at++;
  }
  return at;
}

static void add_sentences(Reader *r, const Block *b, size_t from, size_t parent, unsigned flags) {
  size_t end = b->from + b->n, mark = 0;
  r->marks.n = 0;
  marks_find(r->text, from, end, &r->marks, r->err);
  while (from < end && r->err->rc == RC_OK) {
    size_t stop = next_end(r, from, end, &mark), last = stop;
    while (last > from + 1 && is_blank(r->text[last - 1])) {
      last--;
    }
    TextUnit u = {from, last - from, parent, r->block, b->kind, 0, flags | UNIT_SENTENCE};
    if (r->text[from] == '<' && tags_is_container(r->text + from, last - from)) {
      u.kind = BLOCK_TAG;
      u.flags = r->text[from + 1] == '/' ? UNIT_TAG_CLOSE : UNIT_TAG_OPEN;
      add(r, u);
      from = skip_blanks(r->text, stop, end);
      continue;
    }
    u.flags |= flags_of_words(r->text, from, last);
    u.flags |= is_turn(r->text, from, last) ? UNIT_TURN : 0;
    int leads_in = stop >= end && b->kind == BLOCK_PARAGRAPH && r->text[last - 1] == ':';
    add(r, u);
    if (leads_in && r->err->rc == RC_OK) {
      r->above[LABEL_LEVEL] = r->out->n - 1;
      r->is_led = 0;
    }
    flags &= ~(unsigned)UNIT_FIRST;
    from = skip_blanks(r->text, stop, end);
  }
}

static void add_item(Reader *r, const Block *b) {
  TextUnit marker = {b->from,
                     b->body - b->from,
                     parent_of(r),
                     r->block,
                     b->kind,
                     0,
                     UNIT_LABEL | UNIT_ITEM | UNIT_FIRST};
  while (marker.n > 1 && is_blank(r->text[marker.from + marker.n - 1])) {
    marker.n--;
  }
  size_t parent = add(r, marker);
  add_sentences(r, b, b->body, parent, UNIT_ITEM);
}

/* Rows; the first one (of a Markdown table: two) is the head of the others. */
static void add_rows(Reader *r, const Block *b) {
  size_t end = b->from + b->n, parent = parent_of(r);
  int is_table = b->kind == BLOCK_TABLE;
  for (size_t at = b->from; at < end && r->err->rc == RC_OK;) {
    Line l = line_at(r->text, end, at);
    size_t last = l.end, next = l.next;
    if (at == b->from && is_table && next < end) {
      Line rule = line_at(r->text, end, next);
      size_t k = rule.first;
      while (k < rule.end && r->text[k] && strchr("|-: =+", r->text[k])) {
        k++;
      }
      last = k == rule.end ? rule.end : last;
      next = k == rule.end ? rule.next : next;
    }
    TextUnit u = {at, last - at, parent, r->block, b->kind, 0, UNIT_ROW};
    u.flags |= at == b->from ? UNIT_FIRST : 0;
    u.flags |= is_table && at == b->from ? UNIT_LABEL : 0;
    u.flags |= flags_of_words(r->text, at, last);
    size_t made = last > at ? add(r, u) : parent;
    parent = at == b->from && is_table ? made : parent;
    at = next;
  }
}

static void add_tag(Reader *r, const Block *b) {
  const char *t = r->text + b->from;
  size_t i = 0;
  while (i < b->n && is_blank(t[i])) {
    i++;
  }
  int closes = i + 1 < b->n && ((t[i] == '<' && t[i + 1] == '/') ||
                                (t[i] == '`' && !memchr(t, 'c', b->n) && !memchr(t, 'C', b->n)));
  int is_alone = b->n > 1 && t[b->n - 2] == '/';
  TextUnit u = {b->from, b->n, parent_of(r), r->block, b->kind, 0, UNIT_FIRST};
  u.flags |= closes ? UNIT_TAG_CLOSE : is_alone ? 0 : UNIT_TAG_OPEN;
  add(r, u);
}

static void add_whole(Reader *r, const Block *b) {
  TextUnit u = {b->from, b->n, parent_of(r), r->block, b->kind, 0, UNIT_FIRST};
  u.flags |= flags_of_words(r->text, b->from, b->from + b->n);
  add(r, u);
}

static void add_block(Reader *r, const Block *b) {
  if (b->kind == BLOCK_HEADING) {
    open_heading(r, b->from, b->n, b->level);
    return;
  }
  close_label(r, b->kind);
  switch (b->kind) {
  case BLOCK_PARAGRAPH:
    add_sentences(r, b, b->from, parent_of(r), UNIT_FIRST);
    return;
  case BLOCK_ITEM:
    add_item(r, b);
    return;
  case BLOCK_TABLE:
  case BLOCK_LINES:
    add_rows(r, b);
    return;
  case BLOCK_TAG:
    add_tag(r, b);
    return;
  default:
    add_whole(r, b);
  }
}

int units_find(const char *text, size_t n, TextUnits *out, Err *err) {
  Blocks blocks = {NULL, 0, 0};
  Reader r = {.text = text, .out = out, .err = err};
  for (int level = 0; level <= LABEL_LEVEL; level++) {
    r.above[level] = UNIT_NONE;
  }
  blocks_find(text, n, &blocks, err);
  for (r.block = 0; r.block < blocks.n && err->rc == RC_OK; r.block++) {
    add_block(&r, &blocks.at[r.block]);
  }
  out->n_blocks = blocks.n;
  blocks_free(&blocks);
  spans_free(&r.marks);
  return err->rc;
}
