/*
** See examples.h for the contract.
**
** Lines are read for marks: labels, tags, headings. What stands between two marks is an example where they say so.
** Where nothing behind the last one of a series says where it ends, it has no more lines, and no more blank ones
** between, than the longest before it.
*/
#include "core/ballast/examples.h"

#include "base/hash.h"
#include "core/ballast/cues.h"
#include "core/guard/guard.h"
#include "core/split/terms.h"

#include <stdlib.h>
#include <string.h>

enum {
  MOST_LABEL = 48,  /* bytes of a label */
  LABEL_WORDS = 3,  /* and words, numbers aside */
  MOST_CUE = 400,   /* bytes in which examples are announced */
  MOST_TERMS = 128, /* of an example that are compared */
  LONG_OUTPUT = 12  /* words from which on outputs need not be the same word for word */
};

typedef enum MarkKind {
  MARK_INPUT,
  MARK_OUTPUT,
  MARK_EXAMPLE, /* the head of one */
  MARK_LEAD,    /* the same without a number, in front of pairs */
  MARK_OPEN,    /* <example> */
  MARK_CLOSE,
  MARK_HEADING
} MarkKind;

typedef struct Mark {
  MarkKind kind;
  unsigned cues;    /* of the words of the label */
  int is_counted;   /* "Example 2" */
  size_t from, end; /* the line */
  size_t value;     /* behind the label */
} Mark;

typedef struct Marks {
  Mark *at;
  size_t n, cap;
} Marks;

typedef struct Reader {
  const char *text;
  size_t n;
  const TextUnits *u;
  Marks marks;
  int no_close; /* nothing closes a tag from here on */
  Examples *out;
  Err *err;
} Reader;

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t line_end(const char *text, size_t n, size_t at) {
  const char *feed = memchr(text + at, '\n', n - at);
  return feed ? (size_t)(feed - text) : n;
}

/* Behind the last visible byte before `end`; `from` where there is none. */
static size_t trimmed(const char *text, size_t from, size_t end) {
  while (end > from && is_blank(text[end - 1])) {
    end--;
  }
  return end;
}

static int add_example(Reader *r, const Example *e) {
  Examples *out = r->out;
  if (out->n == out->cap) {
    size_t cap = out->cap ? 2 * out->cap : 16;
    Example *grown = realloc(out->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(r->err);
    }
    out->at = grown;
    out->cap = cap;
  }
  out->at[out->n++] = *e;
  return RC_OK;
}

static int add_mark(Reader *r, const Mark *m) {
  Marks *out = &r->marks;
  if (out->n == out->cap) {
    size_t cap = out->cap ? 2 * out->cap : 64;
    Mark *grown = realloc(out->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(r->err);
    }
    out->at = grown;
    out->cap = cap;
  }
  Mark *last = out->n ? &out->at[out->n - 1] : NULL;
  if (m->kind == MARK_INPUT && last && last->kind == MARK_EXAMPLE && !last->is_counted) {
    last->kind = MARK_LEAD;
  }
  out->at[out->n++] = *m;
  return RC_OK;
}

/* --- labels --- */

/* Over what Markdown puts in front of a label. */
static size_t skip_signs(const char *text, size_t at, size_t end) {
  while (at < end && text[at] && strchr(" \t#*_>-", text[at])) {
    at++;
  }
  return at;
}

/* What the words in [from, to) make of a mark: 1, or 0 where they are no label. */
static int read_words(const char *text, size_t from, size_t to, Mark *m) {
  TermWalk w;
  Term t;
  int words = 0, is_plural = 0;
  unsigned last = 0;
  terms_begin(&w, text, from, to);
  while (terms_next(&w, &t)) {
    unsigned cues = cues_of(t.key);
    int is_letter = t.n == 1 && words == 1 && m->cues & CUE_EXAMPLE;
    if (t.flags & TERM_NUMBER || is_letter) {
      m->is_counted = 1;
      continue;
    }
    is_plural |= cues & CUE_EXAMPLE && (text[t.from + t.n - 1] | 0x20) == 's';
    m->cues |= cues;
    last = cues;
    words++;
  }
  if (words == 0 || words > LABEL_WORDS) {
    return 0;
  }
  int is_pair = (last & (CUE_INPUT | CUE_OUTPUT)) != 0;
  m->kind = last & CUE_INPUT ? MARK_INPUT : last & CUE_OUTPUT ? MARK_OUTPUT : MARK_EXAMPLE;
  m->cues = is_pair ? last | (m->cues & CUE_EXAMPLE) : m->cues;
  return is_pair || (words == 1 && last & CUE_EXAMPLE && (m->is_counted || !is_plural));
}

/* "<example id=1>", "</example>", "<input>" at the front of a line. */
static int read_tag(const char *text, size_t at, size_t end, Mark *m) {
  int closes = at + 1 < end && text[at + 1] == '/';
  size_t name = at + 1 + (size_t)closes, to = name;
  while (to < end && text[to] != '>' && !is_blank(text[to])) {
    to++;
  }
  const char *shut = memchr(text + at, '>', end - at);
  if (!shut || !read_words(text, name, to, m)) {
    return 0;
  }
  m->value = (size_t)(shut - text) + 1;
  if (m->kind == MARK_EXAMPLE) {
    m->kind = closes ? MARK_CLOSE : MARK_OPEN;
  }
  return !closes || m->kind == MARK_CLOSE;
}

/* The mark that the line [from, end) begins with: 1, or 0. */
static int read_line(const char *text, size_t from, size_t end, int is_heading, Mark *m) {
  *m = (Mark){.kind = MARK_HEADING, .from = from, .end = end};
  size_t at = skip_signs(text, from, end), most = end - at > MOST_LABEL ? at + MOST_LABEL : end;
  if (at < end && text[at] == '<') {
    return read_tag(text, at, end, m);
  }
  const char *colon = memchr(text + at, ':', most - at);
  size_t to = colon ? (size_t)(colon - text) : end;
  int is_line = colon || is_heading; /* of others "Example 2" alone is a label */
  if (to - at <= MOST_LABEL && read_words(text, at, to, m) &&
      (is_line || (m->kind == MARK_EXAMPLE && m->is_counted))) {
    m->value = colon ? to + 1 : end;
    while (m->value < end && (text[m->value] == '*' || text[m->value] == '_')) {
      m->value++;
    }
    return 1;
  }
  *m = (Mark){.kind = MARK_HEADING, .from = from, .end = end, .value = end};
  return is_heading && text[skip_signs(text, from, end)] && text[from] == '#';
}

/* Code that only looks so ("question: {{question}}") is read: without a fence, and not indented. */
static int is_opaque(const char *text, const TextUnit *x) {
  int is_plain = text[x->from] && !strchr("`~ \t", text[x->from]);
  return (x->kind == BLOCK_CODE && !is_plain) || x->kind == BLOCK_JSON ||
         x->kind == BLOCK_FENCED_JSON || x->kind == BLOCK_TABLE;
}

static int find_marks(Reader *r) {
  size_t unit = 0;
  for (size_t at = 0; at < r->n && r->err->rc == RC_OK;) {
    size_t end = line_end(r->text, r->n, at);
    while (unit + 1 < r->u->n && r->u->at[unit + 1].from < end) {
      unit++;
    }
    const TextUnit *x = r->u->n ? &r->u->at[unit] : NULL;
    int is_here = x && x->from < end && x->from + x->n > at;
    Mark m;
    if (is_here && !(is_opaque(r->text, x) && x->from <= at) &&
        read_line(r->text, at, end, x->kind == BLOCK_HEADING, &m)) {
      add_mark(r, &m);
    }
    at = end + 1;
  }
  return r->err->rc;
}

/* --- what stands between marks --- */

/* A place to be filled in: {{x}}, <category>, [answer], "...". */
static int is_place(const char *text, size_t from, size_t end) {
  if (end - from >= 3 &&
      (memcmp(text + from, "...", 3) == 0 || memcmp(text + from, "\xE2\x80\xA6", 3) == 0)) {
    return 1;
  }
  char first = text[from], last = text[end - 1];
  int is_closed = (first == '{' && last == '}') || (first == '<' && last == '>') ||
                  (first == '[' && last == ']');
  return is_closed && !memchr(text + from, '"', end - from) &&
         !memchr(text + from, ',', end - from) && !memchr(text + from, '\n', end - from);
}

/* What a label is followed by, up to `end`: 1 with its bytes, 0 where that is nothing, or a place. A tag that closes
** it is not part of it. */
static int value_of(const Reader *r, const Mark *m, size_t end, size_t *from, size_t *n) {
  size_t at = m->value, to;
  while (at < end && is_blank(r->text[at])) {
    at++;
  }
  to = trimmed(r->text, at, end);
  if (at < to && r->text[skip_signs(r->text, m->from, m->end)] == '<') {
    const char *close = memmem(r->text + at, to - at, "</", 2);
    to = close ? trimmed(r->text, at, (size_t)(close - r->text)) : to;
  }
  *from = at;
  *n = to > at ? to - at : 0;
  return to > at && !is_place(r->text, at, trimmed(r->text, at, line_end(r->text, to, at)));
}

/* Fills in input and output from the marks [first, behind), of which the example ends at `end`: 1 if it has both. */
static int take_pair(const Reader *r, size_t first, size_t behind, size_t end, Example *e) {
  size_t in = first, out;
  while (in < behind && r->marks.at[in].kind != MARK_INPUT) {
    in++;
  }
  for (out = in; out < behind && r->marks.at[out].kind != MARK_OUTPUT;) {
    out++;
  }
  if (out >= behind ||
      !value_of(r, &r->marks.at[in], r->marks.at[out].from, &e->input, &e->n_input) ||
      !value_of(r, &r->marks.at[out], end, &e->output, &e->n_output)) {
    e->input = first > 0 ? r->marks.at[first - 1].value : e->from;
    e->input = e->input < end && e->input >= e->from ? e->input : e->from;
    e->output = e->from;
    e->n_input = end > e->input ? end - e->input : 0;
    e->n_output = 0;
    return 0;
  }
  return 1;
}

/* Lines that are not blank, and runs of blank ones between them. */
typedef struct Height {
  size_t lines, gaps;
} Height;

static Height height_of(const char *text, size_t from, size_t end) {
  Height h = {0, 0};
  int was_blank = 0;
  for (size_t at = from; at < end;) {
    size_t to = line_end(text, end, at);
    int blank = trimmed(text, at, to) == at;
    h.gaps += !blank && was_blank && h.lines > 0;
    h.lines += !blank;
    was_blank = blank;
    at = to + 1;
  }
  return h;
}

/* The end of an example that may go up to `end`: with no more lines and gaps than `most`; `least` is in it in any
** case. */
static size_t cut_to(const char *text, size_t from, size_t least, size_t end, Height most) {
  Height h = {0, 0};
  size_t last = from;
  int was_blank = 0;
  for (size_t at = from; at < end;) {
    size_t to = line_end(text, end, at);
    int blank = trimmed(text, at, to) == at;
    h.gaps += !blank && was_blank && h.lines > 0;
    h.lines += !blank;
    if (!blank && at > least && (h.gaps > most.gaps || h.lines > most.lines)) {
      break;
    }
    last = blank ? last : trimmed(text, at, to);
    was_blank = blank;
    at = to + 1;
  }
  return last;
}

/* --- series --- */

/* The last bytes of a unit are looked at. */
static int has_cue(const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  size_t end = x->from + x->n;
  terms_begin(&w, text, x->n > MOST_CUE ? end - MOST_CUE : x->from, end);
  while (terms_next(&w, &t)) {
    if (cues_of(t.key) & CUE_EXAMPLE) {
      return 1;
    }
  }
  return 0;
}

/* 1 if the line in front of a place, or the heading above it, says that examples follow. */
static int is_announced(const Reader *r, size_t at) {
  size_t i = 0, high = r->u->n; /* the first unit from there on */
  while (i < high) {
    size_t middle = i + (high - i) / 2;
    if (r->u->at[middle].from < at) {
      i = middle + 1;
    } else {
      high = middle;
    }
  }
  if (i == 0) {
    return 0;
  }
  const TextUnit *x = &r->u->at[i - 1];
  if (has_cue(r->text, x)) {
    return 1;
  }
  for (size_t p = i < r->u->n ? r->u->at[i].parent : x->parent, depth = 0;
       p != UNIT_NONE && depth < 8; depth++) {
    const TextUnit *up = &r->u->at[p];
    if (up->from < at && has_cue(r->text, up)) {
      return 1;
    }
    p = up->parent;
  }
  return 0;
}

/* 1 if the last mark asks for an output that is not there yet. */
static int ends_open(const Reader *r) {
  size_t from, n;
  const Mark *last = r->marks.n ? &r->marks.at[r->marks.n - 1] : NULL;
  return last && last->kind == MARK_OUTPUT && !value_of(r, last, r->n, &from, &n);
}

/* Where a mark ends what is before it: an example of pairs by the next input, one that is headed by the next head. */
static int is_border(const Mark *m, MarkKind of) {
  return m->kind >= MARK_EXAMPLE || (of == MARK_INPUT && m->kind == MARK_INPUT);
}

/* The next mark from `i` on that ends an example of that kind; n where none does. An input without an output in
** front of it is part of it. */
static size_t next_border(const Reader *r, size_t i, MarkKind of) {
  int has_output = of != MARK_INPUT;
  for (; i < r->marks.n; i++) {
    const Mark *m = &r->marks.at[i];
    if (is_border(m, of) && (m->kind != MARK_INPUT || has_output)) {
      return i;
    }
    has_output |= m->kind == MARK_OUTPUT;
  }
  return i;
}

static void higher(Height *h, Height other) {
  h->lines = other.lines > h->lines ? other.lines : h->lines;
  h->gaps = other.gaps > h->gaps ? other.gaps : h->gaps;
}

/* A series of one kind: what was added of it, and whether it may stay. */
typedef struct Series {
  MarkKind kind;
  size_t first;   /* its first in the list */
  int has_pair;   /* one has an input and an output */
  int is_counted; /* and one a number */
  unsigned weak;  /* CUE_DIALOGUE, CUE_QUESTION: of all its labels */
  Height most;
} Series;

/* Whether a series is one of examples; else what was added is taken back. */
static void settle(Reader *r, const Series *s, int announced) {
  size_t n = r->out->n - s->first;
  int is_pairs = s->kind == MARK_INPUT, stays;
  if (is_pairs) {
    stays = s->weak & CUE_DIALOGUE   ? announced
            : s->weak & CUE_QUESTION ? announced || ends_open(r)
                                     : announced || n >= 2;
  } else {
    stays = s->has_pair || (s->is_counted && n >= 2);
  }
  r->out->n = stays ? r->out->n : s->first;
}

/* A case of a function, of numbers, with "x = …" or "f(x)": it says what the task is, and no other text says so. */
static int is_case(const char *text, const Example *e, int has_pair) {
  TermWalk w;
  Term t;
  size_t words = 0, numbers = 0;
  size_t from = has_pair ? e->input : e->from;
  terms_begin(&w, text, from, from + (has_pair ? e->n_input : e->n));
  while (terms_next(&w, &t)) {
    size_t next = t.from + t.n;
    int calls = has_pair && next < from + e->n_input && text[next] == '(';
    if (calls || (t.flags & TERM_SIGN && text[t.from] == '=')) {
      return 1;
    }
    words += !(t.flags & TERM_SIGN);
    numbers += t.flags & TERM_NUMBER ? 1 : 0;
  }
  return has_pair && words > 0 && 2 * numbers > words;
}

/* Adds the example that begins at mark i and ends at mark `border`. 0 where it is none. */
static int take_one(Reader *r, Series *s, size_t i, size_t border) {
  const Mark *m = &r->marks.at[i], *b = border < r->marks.n ? &r->marks.at[border] : NULL;
  int is_last = !b || b->kind != s->kind;
  size_t end = trimmed(r->text, m->from, b ? b->from : r->n), least = m->from;
  Example e = {.from = m->from, .repeats = EXAMPLE_NONE};
  for (size_t k = i; k < border; k++) {
    least = r->marks.at[k].kind == MARK_OUTPUT ? r->marks.at[k].from : least;
  }
  if (is_last) {
    const Height one = {(size_t)-1, 0};
    end = cut_to(r->text, m->from, least, end, r->out->n > s->first ? s->most : one);
  }
  int has_pair = take_pair(r, m->kind == MARK_EXAMPLE ? i + 1 : i, border, end, &e);
  e.n = end - e.from;
  if ((s->kind == MARK_INPUT && !has_pair) || is_case(r->text, &e, has_pair)) {
    return 0;
  }
  for (size_t k = i; k < border; k++) {
    unsigned weak = r->marks.at[k].cues & (CUE_DIALOGUE | CUE_QUESTION);
    s->weak &= r->marks.at[k].kind <= MARK_OUTPUT ? weak : s->weak;
  }
  s->has_pair |= has_pair;
  s->is_counted |= m->is_counted;
  higher(&s->most, height_of(r->text, e.from, end));
  return end > e.from && add_example(r, &e) == RC_OK;
}

/* "user:" in front of "question:": the role of a message that examples stand in. */
static int is_role(const Reader *r, size_t i) {
  const Mark *m = &r->marks.at[i], *next = i + 1 < r->marks.n ? m + 1 : NULL;
  return m->kind == MARK_INPUT && m->cues & CUE_DIALOGUE && next && next->kind == MARK_INPUT &&
         !(next->cues & CUE_DIALOGUE);
}

/* Adds the series that begins at mark i; returns the mark behind it. */
static size_t take_series(Reader *r, size_t i) {
  Series s = {.kind = r->marks.at[i].kind, .first = r->out->n, .weak = CUE_DIALOGUE | CUE_QUESTION};
  size_t first = r->marks.at[i].from;
  while (i < r->marks.n && r->marks.at[i].kind == s.kind && r->err->rc == RC_OK) {
    if (is_role(r, i)) {
      i++;
      continue;
    }
    size_t border = next_border(r, i + 1, s.kind);
    take_one(r, &s, i, border);
    i = border;
  }
  if (r->err->rc == RC_OK) {
    settle(r, &s, is_announced(r, first) || r->marks.at[i ? i - 1 : 0].cues & CUE_EXAMPLE);
  }
  return i;
}

/* <example> … </example>, the tag at mark i; returns the mark behind it. */
static size_t take_tagged(Reader *r, size_t i) {
  const char *open = r->text + r->marks.at[i].value;
  const char *shut = r->no_close ? NULL : memmem(open, r->n - r->marks.at[i].value, "</example", 9);
  const char *behind = shut ? memchr(shut, '>', (size_t)(r->text + r->n - shut)) : NULL;
  r->no_close |= !behind;
  size_t close = i + 1, end = behind ? (size_t)(behind - r->text) + 1 : 0;
  while (close < r->marks.n && r->marks.at[close].from < end) {
    close++;
  }
  Example e = {
      .from = r->marks.at[i].from, .n = end - r->marks.at[i].from, .repeats = EXAMPLE_NONE};
  if (end) {
    take_pair(r, i + 1, close, (size_t)(shut - r->text), &e);
    add_example(r, &e);
  }
  return close;
}

/* --- JSON --- */

/* Behind the value that begins at `at`; strings are passed over. */
static size_t value_end(const char *text, size_t at, size_t end) {
  int depth = 0, in_string = 0;
  for (; at < end; at++) {
    char c = text[at];
    if (in_string) {
      at += c == '\\';
      in_string = c != '"';
    } else if (c == '"') {
      in_string = 1;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return end;
}

/* The names and values of an object that say what is put in and what comes out: 1 if both are there. */
static int read_members(const char *text, Example *e) {
  size_t at = e->from + 1, end = e->from + e->n - 1;
  while (at < end) {
    const char *open = memchr(text + at, '"', end - at),
               *colon = open ? memchr(open, ':', (size_t)(text + end - open)) : NULL;
    Mark m = {.cues = 0};
    if (!colon) {
      break;
    }
    size_t value = (size_t)(colon - text) + 1, to = value;
    int in_string = 0, depth = 0;
    for (; to < end && (in_string || depth > 0 || text[to] != ','); to++) {
      in_string ^= text[to] == '"' && text[to - 1] != '\\';
      depth += !in_string && strchr("{[", text[to]) && text[to]   ? 1
               : !in_string && strchr("}]", text[to]) && text[to] ? -1
                                                                  : 0;
    }
    int is_known = read_words(text, (size_t)(open - text), (size_t)(colon - text), &m);
    if (is_known && m.kind == MARK_INPUT && !e->n_input) {
      e->input = value;
      e->n_input = to - value;
    } else if (is_known && m.kind == MARK_OUTPUT && !e->n_output) {
      e->output = value;
      e->n_output = to - value;
    }
    at = to + 1;
  }
  return e->n_input && e->n_output;
}

/* The objects of an array that examples are announced in front of. */
static void take_array(Reader *r, const TextUnit *x) {
  size_t end = x->from + x->n, first = r->out->n;
  const char *open = memchr(r->text + x->from, '[', x->n);
  size_t at = open ? (size_t)(open - r->text) + 1 : end;
  if (!open || memchr(r->text + x->from, '{', (size_t)(open - r->text) - x->from) ||
      !is_announced(r, x->from)) {
    return;
  }
  while (at < end && r->err->rc == RC_OK) {
    const char *object = memchr(r->text + at, '{', end - at);
    if (!object) {
      break;
    }
    Example e = {.from = (size_t)(object - r->text), .repeats = EXAMPLE_NONE};
    at = value_end(r->text, e.from, end);
    e.n = at - e.from;
    if (!read_members(r->text, &e)) {
      break;
    }
    add_example(r, &e);
  }
  r->out->n = r->out->n - first < 2 ? first : r->out->n;
}

/* --- arrows --- */

/* Reads "It broke -> bad": 1, and the example of that line. */
static int read_arrow(const char *text, size_t from, size_t end, Example *e) {
  static const char *const arrows[] = {"->", "=>", "\xE2\x86\x92", "\xE2\x87\x92"};
  size_t at = skip_signs(text, from, end), last = trimmed(text, at, end);
  const char *arrow = NULL;
  size_t n = 0;
  for (size_t i = 0; i < sizeof arrows / sizeof *arrows && !arrow; i++) {
    n = strlen(arrows[i]);
    arrow = memmem(text + at, last - at, arrows[i], n);
  }
  size_t to = arrow ? (size_t)(arrow - text) : 0, out = to + n;
  while (arrow && out < last && (is_blank(text[out]) || text[out] == '>')) {
    out++;
  }
  size_t stop = arrow ? trimmed(text, at, to) : 0;
  *e = (Example){
      from,        last - from, at, stop > at ? stop - at : 0, out, last > out ? last - out : 0,
      EXAMPLE_NONE};
  return arrow && e->n_input && e->n_output && !is_place(text, out, last);
}

/* Reads {"input":"It broke","output":"bad"}: 1, and the example of that line. */
static int read_json_line(const char *text, size_t from, size_t end, Example *e) {
  size_t last = trimmed(text, from, end);
  while (from < last && is_blank(text[from])) {
    from++;
  }
  last -= last > from && text[last - 1] == ',';
  *e = (Example){.from = from, .n = last - from, .repeats = EXAMPLE_NONE};
  return last > from + 1 && text[from] == '{' && text[last - 1] == '}' &&
         value_end(text, from, last) == last && read_members(text, e);
}

/* What makes an example of a line; in_code: lines of code and JSON, too. */
typedef struct LineForm {
  int (*read)(const char *text, size_t from, size_t end, Example *e);
  int in_code;
} LineForm;

/* Of the lines since `first` in the list, which are one series in front of which `from` stands, keeps those that were
** announced. */
static size_t settle_lines(Reader *r, size_t first, size_t from) {
  size_t n = r->out->n - first;
  r->out->n = n >= 2 && is_announced(r, from) ? r->out->n : first;
  return r->out->n;
}

/* Lines that are an example each, behind a word that says that examples follow. */
static void take_lines(Reader *r, const LineForm *form) {
  size_t unit = 0, first = r->out->n, from = 0;
  for (size_t at = 0; at < r->n && r->u->n && r->err->rc == RC_OK;) {
    size_t end = line_end(r->text, r->n, at);
    while (unit + 1 < r->u->n && r->u->at[unit + 1].from < end) {
      unit++;
    }
    Example e;
    int is_code = is_opaque(r->text, &r->u->at[unit]);
    if ((form->in_code || !is_code) && form->read(r->text, at, end, &e) &&
        !is_case(r->text, &e, 1)) {
      from = r->out->n > first ? from : is_code ? r->u->at[unit].from : e.from;
      add_example(r, &e);
    } else if (trimmed(r->text, at, end) > at) {
      first = settle_lines(r, first, from);
    }
    at = end + 1;
  }
  if (r->err->rc == RC_OK) {
    settle_lines(r, first, from);
  }
}

/* --- tables --- */

/* A cell of a row "| a | b |", from 0 on: 1 with its bytes; 0: there is none. */
static int cell_of(const char *text, const TextUnit *row, size_t column, size_t *from, size_t *n) {
  size_t at = row->from, end = trimmed(text, row->from, row->from + row->n);
  at += at < end && text[at] == '|';
  for (; column > 0; column--) {
    const char *bar = memchr(text + at, '|', end - at);
    if (!bar) {
      return 0;
    }
    at = (size_t)(bar - text) + 1;
  }
  const char *bar = memchr(text + at, '|', end - at);
  while (at < end && is_blank(text[at])) {
    at++;
  }
  *from = at;
  end = bar ? (size_t)(bar - text) : end;
  *n = at < end ? trimmed(text, at, end) - at : 0;
  return 1;
}

/* The columns that a head names as input and output: 1 if there are both. */
static int columns_of(const char *text, const TextUnit *head, size_t *in, size_t *out) {
  size_t from, n;
  *in = *out = EXAMPLE_NONE;
  for (size_t k = 0; cell_of(text, head, k, &from, &n); k++) {
    Mark m = {.cues = 0};
    if (read_words(text, from, from + n, &m)) {
      *in = m.kind == MARK_INPUT && *in == EXAMPLE_NONE ? k : *in;
      *out = m.kind == MARK_OUTPUT && *out == EXAMPLE_NONE ? k : *out;
    }
  }
  return *in != EXAMPLE_NONE && *out != EXAMPLE_NONE;
}

/* The rows of the table with the head `unit` that examples are announced in front of. */
static void take_table(Reader *r, size_t unit) {
  const TextUnit *head = &r->u->at[unit];
  size_t in, out, first = r->out->n;
  if (!columns_of(r->text, head, &in, &out) || !is_announced(r, head->from)) {
    return;
  }
  for (size_t i = unit + 1; i < r->u->n && r->u->at[i].block == head->block; i++) {
    const TextUnit *x = &r->u->at[i];
    Example e = {.from = x->from, .n = x->n, .repeats = EXAMPLE_NONE};
    if (cell_of(r->text, x, in, &e.input, &e.n_input) && e.n_input &&
        cell_of(r->text, x, out, &e.output, &e.n_output) && e.n_output &&
        strspn(r->text + x->from, "|-: ") < x->n && !is_case(r->text, &e, 1)) {
      add_example(r, &e);
    }
  }
  r->out->n = r->out->n - first < 2 ? first : r->out->n;
}

static int by_place(const void *a, const void *b) {
  const Example *x = a, *y = b;
  return (x->from > y->from) - (x->from < y->from);
}

/* In order, and none over another: of two the first stays. */
static void put_in_order(Examples *e) {
  size_t n = 0;
  if (e->n) {
    qsort(e->at, e->n, sizeof *e->at, by_place);
  }
  for (size_t i = 0; i < e->n; i++) {
    if (e->at[i].n && (n == 0 || e->at[n - 1].from + e->at[n - 1].n <= e->at[i].from)) {
      e->at[n++] = e->at[i];
    }
  }
  e->n = n;
}

int examples_find(const char *text, size_t n, const TextUnits *u, Examples *out, Err *err) {
  Reader r = {.text = text, .n = n, .u = u, .out = out, .err = err};
  find_marks(&r);
  for (size_t i = 0; i < r.marks.n && err->rc == RC_OK;) {
    MarkKind kind = r.marks.at[i].kind;
    i = kind == MARK_OPEN                            ? take_tagged(&r, i)
        : kind == MARK_EXAMPLE || kind == MARK_INPUT ? take_series(&r, i)
                                                     : i + 1;
  }
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    if (u->at[i].kind == BLOCK_JSON || u->at[i].kind == BLOCK_FENCED_JSON) {
      take_array(&r, &u->at[i]);
    } else if (u->at[i].kind == BLOCK_TABLE && u->at[i].flags & UNIT_LABEL) {
      take_table(&r, i);
    }
  }
  take_lines(&r, &(const LineForm){read_arrow, 0});
  take_lines(&r, &(const LineForm){read_json_line, 1});
  put_in_order(out);
  free(r.marks.at);
  return err->rc;
}

int examples_hold(const Examples *e, size_t at) {
  size_t low = 0, high = e->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (e->at[middle].from <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && at < e->at[low - 1].from + e->at[low - 1].n;
}

void examples_free(Examples *e) {
  free(e->at);
  *e = (Examples){NULL, 0, 0};
}

/* --- which are alike --- */

typedef struct Words {
  uint64_t stems[MOST_TERMS]; /* sorted, each once */
  size_t n, n_all;
  uint64_t order;   /* of all words, in their order */
  uint64_t numbers; /* the same of the numbers; 0: there are none */
} Words;

static uint64_t mix(uint64_t a, uint64_t b) {
  const uint64_t pair[2] = {a, b};
  return hash_short(pair, sizeof pair);
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* levels: any number is like another, where words are more than numbers. */
static void words_of(const char *text, size_t from, size_t n, int levels, Words *out) {
  TermWalk w;
  Term t;
  size_t distinct = 0, numbers = 0;
  unsigned char is_number[MOST_TERMS] = {0};
  *out = (Words){.n = 0};
  terms_begin(&w, text, from, from + n);
  while (terms_next(&w, &t)) {
    out->order = mix(out->order, t.key);
    out->n_all++;
    if (t.flags & TERM_NUMBER) {
      out->numbers = mix(out->numbers, t.key) | 1;
    }
    if (out->n < MOST_TERMS && (!(t.flags & TERM_STOP) || t.flags & TERM_NEGATION) &&
        !(t.flags & TERM_SIGN)) {
      out->stems[out->n++] = t.stem;
      numbers += t.flags & TERM_NUMBER ? 1 : 0;
      is_number[out->n - 1] = (t.flags & TERM_NUMBER) != 0;
    }
  }
  for (size_t i = 0; i < out->n && levels && 3 * numbers <= out->n; i++) {
    out->stems[i] = is_number[i] ? 1 : out->stems[i];
  }
  qsort(out->stems, out->n, sizeof *out->stems, by_value);
  for (size_t i = 0; i < out->n; i++) {
    if (i == 0 || out->stems[i] != out->stems[distinct - 1]) {
      out->stems[distinct++] = out->stems[i];
    }
  }
  out->n = distinct;
}

static double jaccard(const Words *a, const Words *b) {
  size_t both = 0;
  for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
    uint64_t x = a->stems[i], y = b->stems[k];
    both += x == y;
    i += x <= y;
    k += y <= x;
  }
  return a->n + b->n > both ? (double)both / (double)(a->n + b->n - both) : a->order == b->order;
}

/* An example as it is compared. */
typedef struct Compared {
  Words input, output; /* where they are not told apart, `input` is all of it */
  int is_whole;
} Compared;

static void compared_of(const char *text, const Example *e, Compared *out) {
  out->is_whole = e->n_output == 0;
  words_of(text, e->input, e->n_input, 1, &out->input);
  words_of(text, e->output, e->n_output, 0, &out->output);
}

/* What comes out with a number may be computed from those put in. */
static int has_same_numbers(const Compared *a, const Compared *b) {
  const Words *x = &a->output, *y = &b->output;
  return x->numbers == y->numbers &&
         ((!x->numbers && !a->is_whole) || a->input.numbers == b->input.numbers);
}

static double likeness(const Compared *a, const Compared *b) {
  const Words *x = &a->output, *y = &b->output;
  int is_long = x->n_all >= LONG_OUTPUT && y->n_all >= LONG_OUTPUT;
  int is_same = has_same_numbers(a, b) &&
                (x->order == y->order || (is_long && jaccard(x, y) >= EXAMPLES_NEAR_WHOLE));
  return is_same && a->is_whole == b->is_whole ? jaccard(&a->input, &b->input) : 0;
}

double examples_likeness(const char *text, const Example *a, const Example *b) {
  Compared x, y;
  compared_of(text, a, &x);
  compared_of(text, b, &y);
  return likeness(&x, &y);
}

/* What must be the same in two, whatever else is alike. */
typedef struct Critical {
  uint64_t terms;      /* numbers, dates, negations, orders, signs, in their order */
  uint64_t signs;      /* brackets, slashes and the like: of a smiley */
  uint64_t sum, order; /* of all words: the same ones in another order say another thing */
} Critical;

static Critical critical_of(const char *text, size_t from, size_t n) {
  const unsigned critical =
      TERM_NUMBER | TERM_NEGATION | TERM_ORDER | TERM_DATE | TERM_UNIT | TERM_CAPS | TERM_SIGN;
  TermWalk w;
  Term t;
  Critical c = {0, 0, 0, 0};
  terms_begin(&w, text, from, from + n);
  while (terms_next(&w, &t)) {
    c.terms = t.flags & critical ? mix(c.terms, t.key) : c.terms;
    c.sum += t.key;
    c.order = mix(c.order, t.key);
  }
  for (size_t i = from; i < from + n; i++) {
    c.signs = text[i] && strchr("()[]{}/\\*@", text[i]) ? mix(c.signs, (uint64_t)text[i]) : c.signs;
  }
  return c;
}

static int is_critically_same(const char *text, size_t a, size_t n, size_t b, size_t m, Err *err) {
  if (n == m && memcmp(text + a, text + b, n) == 0) {
    return 1;
  }
  Critical x = critical_of(text, a, n), y = critical_of(text, b, m);
  return x.terms == y.terms && x.signs == y.signs && (x.sum != y.sum || x.order == y.order) &&
         guard_veto(text + a, n, text + b, m, err) == NULL && err->rc == RC_OK;
}

static int shows_the_same(const char *text, const Example *a, const Example *b, Err *err) {
  return is_critically_same(text, a->input, a->n_input, b->input, b->n_input, err) &&
         is_critically_same(text, a->output, a->n_output, b->output, b->n_output, err);
}

int examples_compare(const char *text, Examples *e, Err *err) {
  size_t n = e->n < EXAMPLES_MOST_COMPARED ? e->n : EXAMPLES_MOST_COMPARED;
  Compared *c = malloc((n + 1) * sizeof *c);
  if (!c) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < n; i++) {
    compared_of(text, &e->at[i], &c[i]);
    for (size_t k = 0; k < i && e->at[i].repeats == EXAMPLE_NONE && err->rc == RC_OK; k++) {
      double least = c[i].is_whole ? EXAMPLES_NEAR_WHOLE : EXAMPLES_NEAR;
      if (e->at[k].repeats == EXAMPLE_NONE && likeness(&c[i], &c[k]) >= least &&
          shows_the_same(text, &e->at[i], &e->at[k], err)) {
        e->at[i].repeats = k;
      }
    }
  }
  free(c);
  return err->rc;
}
