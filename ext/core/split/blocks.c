/*
** Blocks of a text. See blocks.h for the contract.
**
** Read line by line. Each kind that has a beginning of its own (`kinds[]`, in this order) looks whether it begins at a line and
** takes what is its; what none takes is a paragraph up to the next blank line or beginning, and is then looked at as a whole.
**
** Bracketed text is read as JSON at most value_work() bytes long: many lines of "{" would else be read for ever.
*/
#include "core/split/blocks.h"

#include "base/limits.h"
#include "base/text/json.h"
#include "core/route/signs.h"
#include "core/split/lines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  CODE_INDENT = 4, /* columns from which an indented line is code, as Markdown has it */
  FENCE = 3,       /* backticks or tildes that begin a block */
  MOST_LABEL = 100 /* bytes of a line that ends with a colon and is a heading */
};

typedef struct Reader {
  const char *text;
  size_t n, at;
  size_t work;        /* bytes that may still be read in search of values */
  size_t context;     /* ticks of the fence of ```context that is open; 0: none */
  int is_under_blank; /* a blank line, or none, is in front */
  Blocks *out;
  Err *err;
} Reader;

void blocks_free(Blocks *b) {
  free(b->at);
  *b = (Blocks){NULL, 0, 0};
}

int block_is_prose(BlockKind kind) {
  return kind == BLOCK_PARAGRAPH || kind == BLOCK_HEADING || kind == BLOCK_ITEM;
}

static int add(Reader *r, Block b) {
  Blocks *out = r->out;
  if (out->n == out->cap) {
    size_t cap = out->cap ? 2 * out->cap : 64;
    Block *grown = realloc(out->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(r->err);
    }
    out->at = grown;
    out->cap = cap;
  }
  if (b.body_n == 0) {
    b.body = b.from;
    b.body_n = b.n;
  }
  out->at[out->n++] = b;
  return RC_OK;
}

/* Adds the block and moves to the line behind it: `next`. Returns 1. */
static int take(Reader *r, Block b, size_t next) {
  add(r, b);
  r->at = next;
  return 1;
}

static Line line_here(const Reader *r, size_t at) {
  return line_at(r->text, r->n, at);
}

static size_t run_of(const char *text, size_t from, size_t end, char c) {
  size_t n = 0;
  while (from + n < end && text[from + n] == c) {
    n++;
  }
  return n;
}

/* --- code between fences --- */

static int info_is(const Reader *r, size_t from, size_t end, const char *word) {
  while (from < end && r->text[from] == ' ') {
    from++;
  }
  size_t n = strlen(word);
  return end - from >= n && strncasecmp(r->text + from, word, n) == 0 &&
         (end - from == n || r->text[from + n] == ' ');
}

/* The line that closes a fence; its `from` is n where none does. */
static Line closing_fence(const Reader *r, size_t at, char c, size_t ticks) {
  while (at < r->n) {
    Line l = line_here(r, at);
    size_t k = run_of(r->text, l.first, l.end, c);
    if (k >= ticks && l.first + k >= l.last) {
      return l;
    }
    at = l.next;
  }
  return (Line){r->n, r->n, r->n, r->n, r->n};
}

/* ("[1]" alone on a line is a mark.) */
static int is_json(const char *text, size_t n) {
  size_t ignored;
  int is_more = n > 0 && (memchr(text, '"', n) || memchr(text, '\n', n));
  return is_more && (*text == '{' || *text == '[') &&
         json_is_text(text, n, LIMIT_ANSWER_DEPTH, &ignored);
}

/* The visible part of [from, end), in *from and *n. */
static void trim(const char *text, size_t *from, size_t end, size_t *n) {
  while (*from < end && strchr(" \t\r\n", text[*from]) && text[*from]) {
    ++*from;
  }
  while (end > *from && strchr(" \t\r\n", text[end - 1]) && text[end - 1]) {
    end--;
  }
  *n = end - *from;
}

static int take_fence(Reader *r, const Line *l) {
  char c = l->first < l->end ? r->text[l->first] : 0;
  size_t ticks = c == '`' || c == '~' ? run_of(r->text, l->first, l->end, c) : 0;
  if (ticks < FENCE ||
      (c == '`' && memchr(r->text + l->first + ticks, '`', l->end - l->first - ticks))) {
    return 0;
  }
  Line close = closing_fence(r, l->next, c, ticks);
  if (close.from < r->n && !r->context && info_is(r, l->first + ticks, l->last, "context")) {
    r->context = ticks;
    take(r, (Block){.from = l->from, .n = l->last - l->from, .kind = BLOCK_TAG}, l->next);
    return 1; /* what is in it are blocks as elsewhere; its end is a tag again */
  }
  Block b = {.from = l->from, .n = close.end - l->from, .kind = BLOCK_CODE};
  b.body = l->next;
  trim(r->text, &b.body, close.from > l->next ? close.from : l->next, &b.body_n);
  if (close.from < r->n && b.body_n > 0 && is_json(r->text + b.body, b.body_n)) {
    b.kind = BLOCK_FENCED_JSON;
  } else {
    b.body_n = 0;
  }
  return take(r, b, close.next);
}

/* The end of a fence of ```context. */
static int take_context_end(Reader *r, const Line *l) {
  size_t ticks = run_of(r->text, l->first, l->end, '`');
  if (r->context == 0 || ticks < r->context || l->first + ticks != l->last) {
    return 0;
  }
  r->context = 0;
  return take(r, (Block){.from = l->from, .n = l->last - l->from, .kind = BLOCK_TAG}, l->next);
}

/* --- JSON --- */

/* Behind the JSON that begins at a line and ends with one; 0: none does. */
static size_t json_end(Reader *r, const Line *l) {
  char c = l->first < l->end ? r->text[l->first] : 0;
  size_t end = c == '{' || c == '[' ? bracket_end(r->text, l->first, r->n, &r->work) : 0;
  if (end == 0) {
    return 0;
  }
  Line last = line_here(r, end - 1);
  size_t rest = end;
  while (rest < last.end && (r->text[rest] == ' ' || r->text[rest] == '\t')) {
    rest++;
  }
  return rest == last.end && is_json(r->text + l->first, end - l->first) ? end : 0;
}

static int take_json(Reader *r, const Line *l) {
  size_t end = json_end(r, l);
  if (end == 0) {
    return 0;
  }
  Block b = {.from = l->from, .n = end - l->from, .kind = BLOCK_JSON};
  b.body = l->first;
  b.body_n = end - l->first;
  return take(r, b, line_here(r, end - 1).next);
}

/* --- other beginnings --- */

static int take_indented(Reader *r, const Line *l) {
  int in_list = r->out->n > 0 && r->out->at[r->out->n - 1].kind == BLOCK_ITEM;
  if (!r->is_under_blank || line_indent(r->text, l) < CODE_INDENT ||
      (in_list && !(signs_find(r->text + l->first, l->last - l->first) & SIGNS_CODE))) {
    return 0;
  }
  size_t end = l->end, next = l->next;
  for (size_t at = next; at < r->n;) {
    Line more = line_here(r, at);
    if (!line_is_blank(&more) && line_indent(r->text, &more) < CODE_INDENT) {
      break;
    }
    if (!line_is_blank(&more)) {
      end = more.end;
      next = more.next;
    }
    at = more.next;
  }
  return take(r, (Block){.from = l->from, .n = end - l->from, .kind = BLOCK_CODE}, next);
}

static int begins(const Reader *r, const Line *l, const char *what) {
  size_t n = strlen(what);
  return l->end - l->from >= n && memcmp(r->text + l->from, what, n) == 0;
}

/* "1c1", "3,4d2" */
static int is_change(const Reader *r, const Line *l) {
  size_t i = l->from, words = 0;
  for (; i < l->end && strchr("0123456789,acd", r->text[i]) && r->text[i]; i++) {
    words += r->text[i] >= 'a';
  }
  return i == l->end && words == 1 && r->text[l->from] <= '9' && r->text[l->end - 1] <= '9';
}

/* What the lines of a diff begin with, where one begins at a line: a hunk, git's head, a line out and one in, files in a context diff,
** a change of a normal one. NULL: none does. */
static const char *diff_at(const Reader *r, const Line *l) {
  if (l->end - l->from < 2 || !r->text[l->from] || !strchr("@d-*0123456789", r->text[l->from])) {
    return NULL;
  }
  if (begins(r, l, "@@ -") || begins(r, l, "diff --git")) {
    return " +-\\@di";
  }
  Line next = l->next < r->n ? line_here(r, l->next) : (Line){0, 0, 0, 0, 0};
  if (begins(r, l, "-") && begins(r, &next, "+")) {
    return " +-\\@";
  }
  if (begins(r, l, "*** ") && begins(r, &next, "--- ")) {
    return " +-*!\\";
  }
  return is_change(r, l) && (begins(r, &next, "< ") || begins(r, &next, "> ")) ? "<>-\\0123456789"
                                                                               : NULL;
}

/* Up to the line behind the last one of a diff. */
static int take_diff(Reader *r, const Line *l) {
  const char *lines = diff_at(r, l);
  if (!lines) {
    return 0;
  }
  size_t end = l->end, next = l->next;
  while (next < r->n && r->text[next] && strchr(lines, r->text[next])) {
    Line more = line_here(r, next);
    end = more.end;
    next = more.next;
  }
  return take(r, (Block){.from = l->from, .n = end - l->from, .kind = BLOCK_CODE}, next);
}

static int take_heading(Reader *r, const Line *l) {
  size_t k = run_of(r->text, l->first, l->end, '#');
  if (k >= 1 && k <= 6 && l->first + k < l->end && r->text[l->first + k] == ' ') {
    Block b = {.from = l->from, .n = l->last - l->from, .kind = BLOCK_HEADING, .level = (int)k};
    return take(r, b, l->next);
  }
  if (l->next >= r->n || line_is_blank(l)) {
    return 0;
  }
  Line under = line_here(r, l->next);
  char c = under.first < under.end ? r->text[under.first] : 0;
  k = c == '=' || c == '-' ? run_of(r->text, under.first, under.end, c) : 0;
  if (k < 3 || under.first + k != under.last || memchr(r->text + l->from, '|', l->end - l->from)) {
    return 0;
  }
  Block b = {
      .from = l->from, .n = under.last - l->from, .kind = BLOCK_HEADING, .level = c == '=' ? 1 : 2};
  return take(r, b, under.next);
}

/* --- */
static int is_rule(const char *text, const Line *l) {
  char c = l->first < l->end ? text[l->first] : 0;
  size_t k = c == '-' || c == '*' || c == '_' || c == '=' ? run_of(text, l->first, l->end, c) : 0;
  return k >= 3 && l->first + k == l->last;
}

static int take_rule(Reader *r, const Line *l) {
  return is_rule(r->text, l)
             ? take(r, (Block){.from = l->from, .n = l->last - l->from, .kind = BLOCK_RULE},
                    l->next)
             : 0;
}

/* A line that is one tag: <x …>, </x>. */
static int take_tag(Reader *r, const Line *l) {
  size_t n = l->last - l->first;
  const char *t = r->text + l->first;
  if (line_is_blank(l) || n < 3 || t[0] != '<' || t[n - 1] != '>' || memchr(t + 1, '<', n - 1) ||
      memchr(t, '>', n - 1)) {
    return 0;
  }
  int is_name = (t[1] >= 'a' && t[1] <= 'z') || (t[1] >= 'A' && t[1] <= 'Z') || t[1] == '/';
  return is_name
             ? take(r, (Block){.from = l->from, .n = l->last - l->from, .kind = BLOCK_TAG}, l->next)
             : 0;
}

static int has_bar(const Reader *r, const Line *l) {
  return memchr(r->text + l->from, '|', l->end - l->from) != NULL;
}

/* Lines that begin with a bar, or a line with one over a line of dashes and bars. */
static int take_table(Reader *r, const Line *l) {
  if (line_is_blank(l) || !has_bar(r, l) || l->next >= r->n) {
    return 0;
  }
  Line more = line_here(r, l->next);
  size_t k = more.first;
  while (k < more.last && strchr("|-: ", r->text[k]) && r->text[k]) {
    k++;
  }
  int is_rule = k == more.last && has_bar(r, &more);
  int bars = r->text[l->first] == '|' && more.first < more.end && r->text[more.first] == '|';
  if (!is_rule && !bars) {
    return 0;
  }
  size_t end = l->end, next = l->next;
  while (next < r->n && (more = line_here(r, next), has_bar(r, &more) && !line_is_blank(&more))) {
    end = more.end;
    next = more.next;
  }
  return take(r, (Block){.from = l->from, .n = end - l->from, .kind = BLOCK_TABLE}, next);
}

/* Bytes of the marker of a list's item with the blanks behind it; 0: none. */
static size_t marker_length(const char *text, const Line *l) {
  size_t i = l->first, digits = 0;
  if (line_is_blank(l)) {
    return 0;
  }
  if (strchr("-*+", text[i]) && text[i]) {
    i++;
  } else if (l->last - i > 3 && memcmp(text + i, "\xE2\x80\xA2", 3) == 0) {
    i += 3;
  } else {
    char open = text[i] == '(' || text[i] == '[' ? text[i] : 0;
    i += open != 0;
    while (i < l->last && text[i] >= '0' && text[i] <= '9' && digits < 4) {
      i++, digits++;
    }
    if (digits == 0 && i + 1 < l->last && (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'h') {
      i++, digits++;
    }
    char close = i < l->last ? text[i] : 0;
    if (digits == 0 || !(open == '[' ? close == ']'
                         : open      ? close == ')'
                                     : close == '.' || close == ')')) {
      return 0;
    }
    i++;
  }
  size_t blanks = i;
  while (i < l->last && (text[i] == ' ' || text[i] == '\t')) {
    i++;
  }
  return i > blanks && i < l->last ? i - l->first : 0;
}

/* 1 if something other than a paragraph's next line begins here. */
static int is_beginning(Reader *r, const Line *l) {
  char c = r->text[l->first];
  size_t k = run_of(r->text, l->first, l->end, c);
  return marker_length(r->text, l) > 0 || is_rule(r->text, l) ||
         ((c == '`' || c == '~') && k >= FENCE) ||
         (c == '#' && k <= 6 && l->first + k < l->end && r->text[l->first + k] == ' ') ||
         c == '<' || (c == '|' && l->last - l->first > 1 && r->text[l->last - 1] == '|');
}

/* "Rules:", "**Rules:**" */
static int ends_with_colon(const char *text, size_t from, size_t end) {
  while (end > from + 1 && (text[end - 1] == '*' || text[end - 1] == '_')) {
    end--;
  }
  return text[end - 1] == ':';
}

/* 1 if a line behind an item, no further in than it, leads in what comes then: "Guests:", a line without a stop in front of another item. */
static int leads_on(Reader *r, const Line *item, const Line *l) {
  if (!item || l->first - l->from > item->first - item->from || l->last - l->from > MOST_LABEL ||
      (r->text[l->first] >= 'a' && r->text[l->first] <= 'z')) {
    return 0;
  }
  if (ends_with_colon(r->text, l->from, l->last)) {
    return 1;
  }
  Line next = l->next < r->n ? line_here(r, l->next) : *l;
  return next.from > l->from && marker_length(r->text, &next) > 0 &&
         !strchr(".!?,;", r->text[l->last - 1]);
}

/* The lines of what begins with `first`, up to the next blank one or the next beginning (behind a colon JSON is one, unless indented), but
** for those that a value goes over: *end behind the last visible byte. `is_item`: the first one is an item's. */
static size_t paragraph_next(Reader *r, const Line *first, int is_item, size_t *end) {
  Line l = line_of_values(r->text, r->n, first->from, &r->work);
  for (*end = l.last; l.next < r->n; *end = l.last) {
    Line more = line_here(r, l.next);
    int is_led = r->text[*end - 1] == ':' && more.first == more.from;
    if (line_is_blank(&more) || is_beginning(r, &more) || (is_led && json_end(r, &more)) ||
        leads_on(r, is_item ? first : NULL, &more)) {
      break;
    }
    l = line_of_values(r->text, r->n, more.from, &r->work);
  }
  return l.next;
}

static int take_item(Reader *r, const Line *l) {
  size_t marker = marker_length(r->text, l);
  if (marker == 0) {
    return 0;
  }
  size_t end, next = paragraph_next(r, l, 1, &end);
  Block b = {.from = l->from, .n = end - l->from, .kind = BLOCK_ITEM};
  b.body = l->first + marker;
  b.body_n = end - b.body;
  if (lines_are_columns(r->text, b.from, end)) {
    b.kind = BLOCK_LINES;
    b.body_n = 0;
  }
  return take(r, b, next);
}

static BlockKind kind_of_lines(Reader *r, size_t from, size_t end, int lines) {
  if (lines < 2) {
    return memchr(r->text + from, '\t', end - from) ? BLOCK_LINES : BLOCK_PARAGRAPH;
  }
  if (lines_are_code(r->text, from, end) || value_end(r->text, from, end, &r->work) == end) {
    return BLOCK_CODE;
  }
  if (lines_are_columns(r->text, from, end)) {
    return BLOCK_TABLE;
  }
  if (!lines_are_records(r->text, from, end)) {
    return BLOCK_PARAGRAPH;
  }
  for (size_t i = from; i + 1 < end; i++) { /* nested ones: YAML */
    if (r->text[i] == '\n' && (r->text[i + 1] == ' ' || r->text[i + 1] == '-')) {
      return BLOCK_CODE;
    }
  }
  return BLOCK_LINES;
}

static void take_paragraph(Reader *r, const Line *l) {
  size_t end, next = paragraph_next(r, l, 0, &end);
  int lines = next > l->next ? 2 : 1;
  size_t from = l->from;
  Block b = {.from = from, .n = end - from, .kind = kind_of_lines(r, from, end, lines)};
  if (b.kind == BLOCK_CODE || b.kind == BLOCK_TABLE || b.kind == BLOCK_LINES) {
    Line last = line_here(r, end - 1);
    b.n = last.end - from;
  } else if (lines == 1 && ends_with_colon(r->text, from, end) && b.n <= MOST_LABEL) {
    b.kind = BLOCK_HEADING;
    b.level = LABEL_LEVEL;
  }
  take(r, b, next);
}

int blocks_find(const char *text, size_t n, Blocks *out, Err *err) {
  typedef int Takes(Reader *, const Line *);
  static Takes *const kinds[] = {take_context_end, take_fence, take_diff,    take_json,
                                 take_indented,    take_tag,   take_heading, take_table,
                                 take_rule,        take_item};
  Reader r = {text, n, 0, value_work(n), 0, 1, out, err};
  while (r.at < n && err->rc == RC_OK) {
    Line l = line_here(&r, r.at);
    if (line_is_blank(&l)) {
      r.at = l.next;
      r.is_under_blank = 1;
      continue;
    }
    int is_taken = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !is_taken; i++) {
      is_taken = kinds[i](&r, &l);
    }
    if (!is_taken) {
      take_paragraph(&r, &l);
    }
    r.is_under_blank = 0;
  }
  return err->rc;
}
