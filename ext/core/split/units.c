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

#define SPAN_ASIDE SPAN_N_KINDS /* what stands in parentheses: of no kind that is protected */

enum {
  WRAP_LEAST = 60, /* lines of that length to WRAP_MOST bytes may have been wrapped by an editor */
  WRAP_MOST = 130,
  MOST_SPEAKER = 30,       /* bytes of who speaks */
  MOST_WORD = 24,          /* bytes of an abbreviation that is looked up */
  MOST_TITLE = 60,         /* bytes of a line without a stop that is a title */
  MOST_ASIDE = 400,        /* visible bytes of a parenthesis */
  MOST_ASIDES = 16,        /* open ones */
  MOST_OPEN = 8,           /* items within each other; deeper ones are read under the eighth */
  NESTED = 2,              /* columns that an item under another one stands further in */
  TITLE = LABEL_LEVEL,     /* where the open title stands among the headings, */
  LABEL = LABEL_LEVEL + 1, /* and the open label */
  LEVELS
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

/* First words of lines that stand in front of a mail or an article, and say whose and when it is. */
static const char HEADERS[] =
    " from to cc bcc date sent received subject re author by title von an datum gesendet betreff "
    "de "
    "para fecha asunto objet oggetto data autor auteur autore titel titre titulo titolo ";

/* An item in whose list others may be. */
typedef struct OpenItem {
  size_t indent;
  size_t marker; /* unit */
  size_t last;   /* of its own units */
  int is_over;   /* others are under it */
} OpenItem;

typedef struct Reader {
  const char *text;
  size_t n;
  TextUnits *out;
  TextSpans marks;
  const Block *next;    /* the block behind this one; NULL: none */
  size_t above[LEVELS]; /* the heading of each level that is open; UNIT_NONE */
  OpenItem items[MOST_OPEN];
  int n_items;
  size_t block;
  size_t work;     /* bytes that may still be read in search of values */
  BlockKind under; /* what the open label leads in */
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

/* Whether letters that a point follows are short for a word: some without a vowel ("Bzgl. Ihrer", but not "the PDF. Then" or "80 mm Hg. The"), or a few
** that are no English word in front of a number ("Abb. 3"). */
static int is_short_for(const char *text, size_t from, size_t at, size_t next, size_t end) {
  enum { MOST_SHORT = 5 };
  int has_vowel = 0;
  for (size_t i = from; i < at; i++) {
    if (!is_letter(text[i]) || (i > from && text[i] < 'a')) {
      return 0;
    }
    has_vowel |= strchr("aeiouy", text[i] | 0x20) != NULL;
  }
  int is_number = next < end && text[next] >= '0' && text[next] <= '9' &&
                  !is_english(text, from, at, WORD_STOP | WORD_COMMON);
  return at - from <= MOST_SHORT &&
         (is_number || (!has_vowel && !is_english(text, next, end, WORD_STOP)));
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
  return memchr(text + word, 0, n) == NULL &&
         (is_in(ABBREVIATIONS, text + word, n) || is_short_for(text, word, at, next, end));
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
  int may = m->kind == SPAN_QUOTE || m->kind == SPAN_ASIDE;
  for (size_t back = 1; may && back <= 3 && inner > m->from + back; back++) {
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

/* --- what stands in parentheses --- */

static const struct {
  const char *open, *close;
} pairs[] = {{"(", ")"},
             {"[", "]"},
             {"\xEF\xBC\x88", "\xEF\xBC\x89"},  /* （ ） */
             {"\xEF\xBC\xBB", "\xEF\xBC\xBD"},  /* ［ ］ */
             {"\xE3\x80\x90", "\xE3\x80\x91"},  /* 【 】 */
             {"\xE3\x80\x94", "\xE3\x80\x95"},  /* 〔 〕 */
             {"\xE3\x80\x88", "\xE3\x80\x89"},  /* 〈 〉 */
             {"\xE3\x80\x8A", "\xE3\x80\x8B"}}; /* 《 》 */

typedef struct Opened {
  size_t pair, at;
} Opened;

/* Those that are open; of more than MOST_ASIDES the first ones are forgotten. */
typedef struct Asides {
  Opened at[MOST_ASIDES];
  size_t n;
} Asides;

/* 1 if [from, end) has at most MOST_ASIDE visible bytes. */
static int is_short(const char *text, size_t from, size_t end) {
  int visible = 0;
  for (; from < end && visible <= MOST_ASIDE; from++) {
    visible += !is_blank(text[from]);
  }
  return visible <= MOST_ASIDE;
}

static int stands(const char *text, size_t at, size_t end, const char *what) {
  size_t n = strlen(what);
  return end - at >= n && memcmp(text + at, what, n) == 0;
}

static void open_aside(Asides *open, size_t pair, size_t at) {
  if (open->n == MOST_ASIDES) {
    memmove(open->at, open->at + 1, --open->n * sizeof *open->at);
  }
  open->at[open->n++] = (Opened){pair, at};
}

/* What [at, end) closes is found, in place of those within it. */
static void close_aside(Reader *r, Asides *open, size_t pair, size_t at, size_t end,
                        TextSpans *found) {
  size_t k = open->n;
  while (k > 0 && open->at[k - 1].pair != pair) {
    k--;
  }
  if (k == 0) {
    return;
  }
  size_t from = open->at[k - 1].at;
  open->n = k - 1;
  if (is_short(r->text, from, at)) {
    while (found->n > 0 && found->at[found->n - 1].from > from) {
      found->n--;
    }
    spans_add(found, from, end - from, SPAN_ASIDE, r->err);
  }
}

/* Reads what stands at `at`. Returns bytes read. */
static size_t read_aside(Reader *r, size_t at, size_t end, Asides *open, TextSpans *found) {
  const char *t = r->text;
  if (!t[at] || !strchr("()[]\xE3\xEF", t[at])) {
    return 1;
  }
  for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
    if (stands(t, at, end, pairs[p].open)) {
      open_aside(open, p, at);
      return strlen(pairs[p].open);
    }
    if (stands(t, at, end, pairs[p].close)) {
      size_t n = strlen(pairs[p].close);
      close_aside(r, open, p, at, at + n, found);
      return n;
    }
  }
  return 1;
}

/* The marks of [from, end), and the parentheses, each with the marks within it as one. */
static void find_marks(Reader *r, size_t from, size_t end) {
  TextSpans found = {NULL, 0, 0}, all = {NULL, 0, 0};
  Asides open = {.n = 0};
  r->marks.n = 0;
  marks_find(r->text, from, end, &r->marks, r->err);
  for (size_t at = from, m = 0; at < end && r->err->rc == RC_OK;) {
    const TextSpan *mark = m < r->marks.n && r->marks.at[m].from == at ? &r->marks.at[m++] : NULL;
    if (mark && mark->kind == SPAN_TAG && tags_is_container(r->text + mark->from, mark->n)) {
      open.n = 0;
    }
    at += mark ? mark->n : read_aside(r, at, end, &open, &found);
  }
  for (size_t m = 0, a = 0; (m < r->marks.n || a < found.n) && r->err->rc == RC_OK;) {
    const TextSpan *mark = m < r->marks.n ? &r->marks.at[m] : NULL;
    const TextSpan *aside = a < found.n ? &found.at[a] : NULL;
    int is_mark = mark && (!aside || mark->from < aside->from);
    const TextSpan *next = is_mark ? mark : aside;
    spans_add(&all, next->from, next->n, next->kind, r->err);
    m += (size_t)is_mark;
    a += (size_t)!is_mark;
    while (!is_mark && m < r->marks.n && r->marks.at[m].from < next->from + next->n) {
      m++;
    }
  }
  spans_free(&found);
  spans_free(&r->marks);
  r->marks = all;
}

/* --- blocks --- */

static int slot_of(int level) {
  return level == LABEL_LEVEL ? LABEL : level;
}

static void close_from(Reader *r, int slot) {
  for (; slot < LEVELS; slot++) {
    r->above[slot] = UNIT_NONE;
  }
}

static size_t parent_of(const Reader *r) {
  for (int slot = LABEL; slot > 0; slot--) {
    if (r->above[slot] != UNIT_NONE) {
      return r->above[slot];
    }
  }
  return UNIT_NONE;
}

/* Opens a heading: those of its level and below are closed. */
static void open_heading(Reader *r, size_t from, size_t n, int level) {
  close_from(r, slot_of(level));
  TextUnit u = {from, n, parent_of(r), r->block, BLOCK_HEADING, level, UNIT_LABEL | UNIT_FIRST};
  r->above[slot_of(level)] = add(r, u);
  r->is_led = 0;
}

/* A line that led something in is behind us where something else follows. */
static void close_label(Reader *r, BlockKind kind) {
  if (r->above[LABEL] != UNIT_NONE && r->is_led && kind != r->under) {
    r->above[LABEL] = UNIT_NONE;
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

/* --- lines that others are read under --- */

/* Behind the visible text of [from, end), without what sets it off. */
static size_t bare_end(const char *text, size_t from, size_t end) {
  while (end > from + 1 && text[end - 1] && strchr(" \t*_#=", text[end - 1])) {
    end--;
  }
  return end;
}

/* 1 if it ends as sentences and their parts do. */
static int has_stop(const char *text, size_t from, size_t end) {
  int wide;
  end = bare_end(text, from, end);
  while (end > from + 1 && text[end - 1] && strchr("\"')]", text[end - 1])) {
    end--;
  }
  for (size_t n = 1; n <= 3 && n <= end - from; n++) {
    if (terminator(text + end - n, n, &wide) == n) {
      return 1;
    }
  }
  return strchr(",;:", text[end - 1]) != NULL;
}

/* "From: Ann", "**Date:** Monday" */
static int is_header(const char *text, size_t from, size_t end) {
  from = skip_blanks(text, from, end);
  while (from < end && strchr("*_", text[from])) {
    from++;
  }
  size_t i = from;
  while (i < end && is_letter(text[i])) {
    i++;
  }
  return i > from && i - from < MOST_WORD && i < end && text[i] == ':' &&
         is_in(HEADERS, text + from, i - from);
}

/* --- items within items --- */

/* The items that a block stands under by its indentation stay open. Returns what it hangs on. */
static size_t enter_block(Reader *r, const Block *b) {
  Line l = line_at(r->text, r->n, b->from);
  size_t indent = line_indent(r->text, &l);
  while (r->n_items > 0 && indent < r->items[r->n_items - 1].indent + NESTED) {
    r->n_items--;
  }
  if (r->n_items == 0) {
    return parent_of(r);
  }
  OpenItem *up = &r->items[r->n_items - 1];
  TextUnit *u = r->out->at;
  for (size_t i = up->marker + 2; !up->is_over && i <= up->last; i++) {
    u[i].parent = i - 1; /* all that it says stays with what is under it */
  }
  size_t end = u[up->last].from + u[up->last].n;
  if (!has_stop(r->text, u[up->last].from, end) || r->text[end - 1] == ':') {
    u[up->last].flags |= up->last > up->marker ? UNIT_TITLE : 0;
  }
  up->is_over = 1;
  return up->last;
}

static void open_item(Reader *r, const Block *b, size_t marker) {
  Line l = line_at(r->text, r->n, b->from);
  if (r->n_items < MOST_OPEN && r->err->rc == RC_OK) {
    r->items[r->n_items++] = (OpenItem){line_indent(r->text, &l), marker, r->out->n - 1, 0};
  }
}

/* What a sentence [from, last) of a block is to those behind it. */
typedef enum Leads { LEADS_NONE, LEADS_LABEL, LEADS_TITLE, LEADS_HEADER } Leads;

/* Whether a title stands at the front of a block: of a line of its own, or of a block that others come behind. */
static int is_before_block(const Reader *r, const Block *b, size_t last) {
  int is_over = r->next && r->next->kind != BLOCK_TAG && r->next->kind != BLOCK_RULE &&
                r->next->kind != BLOCK_HEADING;
  return is_over && b->kind == BLOCK_PARAGRAPH &&
         skip_blanks(r->text, last, b->from + b->n) == b->from + b->n &&
         !is_lower(r->text + r->next->body, r->next->body_n);
}

/* Whether the line behind `last` ends as a sentence does, or is an item's further one. */
static int is_before_text(const Reader *r, const Block *b, size_t last) {
  size_t end = b->from + b->n, next = skip_blanks(r->text, last, end);
  Line l = line_at(r->text, end, next < end ? next : end - 1);
  return next < end && (b->kind == BLOCK_ITEM || has_stop(r->text, l.from, l.last));
}

static Leads leads(const Reader *r, const Block *b, size_t from, size_t last) {
  size_t end = b->from + b->n, line = from, bare = bare_end(r->text, from, last);
  while (line > b->body && is_blank(r->text[line - 1]) && r->text[line - 1] != '\n') {
    line--;
  }
  int is_last = last == end || memchr(r->text + last, '\n', skip_blanks(r->text, last, end) - last);
  int is_line = (line == b->body || r->text[line - 1] == '\n') && is_last &&
                !memchr(r->text + from, '\n', last - from);
  if (is_last && r->text[bare - 1] == ':' && (is_line || last == end)) {
    return LEADS_LABEL;
  }
  if (is_line && is_header(r->text, from, last)) {
    return LEADS_HEADER;
  }
  int is_short = last - from <= MOST_TITLE && !has_stop(r->text, from, last) &&
                 (b->kind == BLOCK_ITEM || !memmem(r->text + from, last - from, ": ", 2));
  return is_line && is_short && (is_before_text(r, b, last) || is_before_block(r, b, last))
             ? LEADS_TITLE
             : LEADS_NONE;
}

/* What is said behind unit i is read under it. */
static void open_title(Reader *r, Leads how, size_t i) {
  static const int slots[] = {[LEADS_LABEL] = LABEL, [LEADS_TITLE] = TITLE, [LEADS_HEADER] = TITLE};
  if (i != UNIT_NONE) {
    close_from(r, slots[how]);
    r->out->at[i].flags |= UNIT_TITLE;
    r->above[slots[how]] = i;
    r->is_led = 0;
  }
}

/* A line in front of a mail hangs on the one before it, and no other title does. */
static void close_title(Reader *r, Leads how, size_t from) {
  size_t up = r->above[TITLE];
  int goes_on = up != UNIT_NONE && how == LEADS_HEADER && up + 1 == r->out->n &&
                is_header(r->text, r->out->at[up].from, from);
  if (how > LEADS_LABEL && !goes_on) {
    close_from(r, TITLE);
  }
}

/* --- sentences --- */

/* A tag within running text. 1 if it was one. */
static int add_inner_tag(Reader *r, TextUnit *u) {
  if (r->text[u->from] != '<' || !tags_is_container(r->text + u->from, u->n)) {
    return 0;
  }
  u->kind = BLOCK_TAG;
  u->flags = r->text[u->from + 1] == '/' ? UNIT_TAG_CLOSE : UNIT_TAG_OPEN;
  add(r, *u);
  return 1;
}

/* The sentences of a block from `from` on. An item's hang on its marker, or on the title that it begins with. */
static void add_sentences(Reader *r, const Block *b, size_t from, size_t marker, unsigned flags) {
  size_t end = b->from + b->n, mark = 0, under = marker;
  find_marks(r, from, end);
  while (from < end && r->err->rc == RC_OK) {
    size_t stop = next_end(r, from, end, &mark), last = stop;
    while (last > from + 1 && is_blank(r->text[last - 1])) {
      last--;
    }
    int is_item = b->kind == BLOCK_ITEM;
    TextUnit u = {from, last - from, under, r->block, b->kind, 0, flags | UNIT_SENTENCE};
    Leads how = leads(r, b, from, last);
    from = skip_blanks(r->text, stop, end);
    if (add_inner_tag(r, &u)) {
      continue;
    }
    if (!is_item) {
      close_title(r, how, last);
      u.parent = r->n_items > 0 ? marker : parent_of(r);
    }
    u.flags |=
        flags_of_words(r->text, u.from, last) | (is_turn(r->text, u.from, last) ? UNIT_TURN : 0);
    size_t made = add(r, u);
    if (how != LEADS_NONE && !is_item) {
      open_title(r, how, made);
    } else if (how != LEADS_NONE && from < end) {
      r->out->at[made].flags |= UNIT_TITLE;
      under = made;
    }
    flags &= ~(unsigned)UNIT_FIRST;
  }
}

static void add_item(Reader *r, const Block *b, size_t parent) {
  TextUnit marker = {b->from,
                     b->body - b->from,
                     parent,
                     r->block,
                     b->kind,
                     0,
                     UNIT_LABEL | UNIT_ITEM | UNIT_FIRST};
  while (marker.n > 1 && is_blank(r->text[marker.from + marker.n - 1])) {
    marker.n--;
  }
  size_t made = add(r, marker);
  add_sentences(r, b, b->body, made, UNIT_ITEM);
  open_item(r, b, made);
}

/* The head of a Markdown table goes over its rule: the line behind both. */
static Line head_of(const Reader *r, const Line *first, size_t end) {
  Line rule = line_at(r->text, end, first->next);
  size_t k = rule.first;
  while (k < rule.end && r->text[k] && strchr("|-: =+", r->text[k])) {
    k++;
  }
  return k == rule.end ? rule : *first;
}

/* Rows of a table; the first one (of a Markdown table: two lines) is the head of the others. */
static void add_rows(Reader *r, const Block *b, size_t parent) {
  size_t end = b->from + b->n;
  unsigned first = UNIT_FIRST | UNIT_LABEL;
  for (size_t at = b->from; at < end && r->err->rc == RC_OK; first = 0) {
    Line l = line_of_values(r->text, end, at, &r->work);
    Line last = first && l.next < end ? head_of(r, &l, end) : l;
    TextUnit u = {at, last.end - at, parent, r->block, b->kind, 0, UNIT_ROW | first};
    u.flags |= flags_of_words(r->text, at, last.end);
    size_t made = u.n > 0 ? add(r, u) : parent;
    parent = first ? made : parent;
    at = last.next;
  }
}

/* Of a record: its key, which others may have, too. */
typedef struct Key {
  size_t from, n;
  size_t row; /* unit */
} Key;

/* What row l of records is read under: a line that leads in, or the first one of its record, up to where its key comes again. */
static size_t parent_of_row(const Reader *r, const Line *l, Key *key, size_t parent) {
  size_t from = l->first, n = line_key(r->text, l, &from);
  int is_same = n > 0 && n == key->n && memcmp(r->text + from, r->text + key->from, n) == 0;
  if (key->row == UNIT_NONE || is_same) {
    *key = (Key){from, n, n > 0 ? r->out->n : UNIT_NONE};
    return r->n_items > 0 ? parent : parent_of(r);
  }
  return key->row;
}

/* Rows of records. */
static void add_records(Reader *r, const Block *b, size_t parent) {
  size_t end = b->from + b->n;
  unsigned first = UNIT_FIRST;
  Key key = {0, 0, UNIT_NONE};
  for (size_t at = b->from; at < end && r->err->rc == RC_OK; first = 0) {
    Line l = line_of_values(r->text, end, at, &r->work);
    Leads how = line_is_blank(&l) || r->n_items > 0 ? LEADS_NONE : leads(r, b, l.first, l.last);
    if (how != LEADS_NONE) {
      close_title(r, how, l.last);
      key.row = UNIT_NONE;
    }
    size_t up = how != LEADS_NONE ? parent_of(r) : parent_of_row(r, &l, &key, parent);
    TextUnit u = {at, l.end - at, up, r->block, b->kind, 0, UNIT_ROW | first};
    u.flags |= flags_of_words(r->text, at, l.end);
    size_t made = u.n > 0 ? add(r, u) : UNIT_NONE;
    key.row = u.flags & UNIT_QUESTION ? UNIT_NONE : key.row; /* who asks is no record */
    if (how != LEADS_NONE) {
      open_title(r, how, made);
    }
    at = l.next;
  }
}

static void add_tag(Reader *r, const Block *b, size_t parent) {
  const char *t = r->text + b->from;
  size_t i = 0;
  while (i < b->n && is_blank(t[i])) {
    i++;
  }
  int closes = i + 1 < b->n && ((t[i] == '<' && t[i + 1] == '/') ||
                                (t[i] == '`' && !memchr(t, 'c', b->n) && !memchr(t, 'C', b->n)));
  int is_alone = b->n > 1 && t[b->n - 2] == '/';
  TextUnit u = {b->from, b->n, parent, r->block, b->kind, 0, UNIT_FIRST};
  u.flags |= closes ? UNIT_TAG_CLOSE : is_alone ? 0 : UNIT_TAG_OPEN;
  add(r, u);
}

static void add_whole(Reader *r, const Block *b, size_t parent) {
  TextUnit u = {b->from, b->n, parent, r->block, b->kind, 0, UNIT_FIRST};
  u.flags |= flags_of_words(r->text, b->from, b->from + b->n);
  add(r, u);
}

static void add_parts(Reader *r, const Block *b, size_t parent) {
  switch (b->kind) {
  case BLOCK_PARAGRAPH:
    add_sentences(r, b, b->from, parent, UNIT_FIRST);
    return;
  case BLOCK_ITEM:
    add_item(r, b, parent);
    return;
  case BLOCK_TABLE:
    add_rows(r, b, parent);
    return;
  case BLOCK_LINES:
    add_records(r, b, parent);
    return;
  case BLOCK_TAG:
    add_tag(r, b, parent);
    return;
  default:
    add_whole(r, b, parent);
  }
}

static void add_block(Reader *r, const Block *b) {
  size_t first = r->out->n;
  if (b->kind == BLOCK_HEADING) {
    r->n_items = 0;
    open_heading(r, b->from, b->n, b->level);
    return;
  }
  close_label(r, b->kind);
  if (b->kind == BLOCK_TAG || b->kind == BLOCK_RULE) {
    close_from(r, TITLE);
  }
  add_parts(r, b, enter_block(r, b));
  size_t label = r->above[LABEL];
  if (label != UNIT_NONE && label >= first && label + 1 < r->out->n) {
    r->above[LABEL] = UNIT_NONE; /* what it leads in stands behind it in its block */
  }
}

int units_find(const char *text, size_t n, TextUnits *out, Err *err) {
  Blocks blocks = {NULL, 0, 0};
  Reader r = {.text = text, .n = n, .out = out, .work = value_work(n), .err = err};
  close_from(&r, 0);
  blocks_find(text, n, &blocks, err);
  for (r.block = 0; r.block < blocks.n && err->rc == RC_OK; r.block++) {
    r.next = r.block + 1 < blocks.n ? &blocks.at[r.block + 1] : NULL;
    add_block(&r, &blocks.at[r.block]);
  }
  out->n_blocks = blocks.n;
  blocks_free(&blocks);
  spans_free(&r.marks);
  return err->rc;
}
