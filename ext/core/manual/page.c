/*
** PageBlocks of Markdown. See page.h for the contract.
*/
#include "core/manual/page.h"

#include <string.h>

static Span line_at(const char *at) {
  return (Span){at, strcspn(at, "\n")};
}

static const char *after_line(const char *at) {
  at += strcspn(at, "\n");
  return at + (*at == '\n');
}

static int is_blank_line(const char *at) {
  at += strspn(at, " \t\r");
  return *at == '\n' || *at == 0;
}

/* Bytes of what begins an item of a list; 0: nothing does. */
static size_t item_mark(const char *at) {
  if ((at[0] == '*' || at[0] == '-') && at[1] == ' ') {
    return 2;
  }
  size_t n = strspn(at, "0123456789");
  return n > 0 && n < 4 && at[n] == '.' && at[n + 1] == ' ' ? n + 2 : 0;
}

/* The '#' of a heading; 0: it is none. */
static int heading_level(const char *at) {
  size_t n = strspn(at, "#");
  return n >= 1 && n <= 6 && at[n] == ' ' ? (int)n : 0;
}

static int is_fence(const char *at) {
  return strncmp(at, "```", 3) == 0;
}

static int is_comment(const char *at) {
  return strncmp(at, "<!--", 4) == 0;
}

/* 1 if a paragraph or an item ends in front of this line. */
static int begins_block(const char *at) {
  return is_blank_line(at) || item_mark(at) || heading_level(at) || is_fence(at) ||
         is_comment(at) || *at == '|';
}

Span span_trim(Span s) {
  while (s.n > 0 && strchr(" \t\r\n", s.at[0])) {
    s.at++;
    s.n--;
  }
  while (s.n > 0 && strchr(" \t\r\n", s.at[s.n - 1])) {
    s.n--;
  }
  return s;
}

void blocks_start(PageBlocks *b, const char *text) {
  *b = (PageBlocks){text, {text, 0}};
}

static void take_heading(PageBlocks *b, PageBlock *block) {
  Span line = line_at(b->at);
  block->kind = PAGE_HEADING;
  block->level = heading_level(b->at);
  block->text = span_trim((Span){line.at + (size_t)block->level, line.n - (size_t)block->level});
  b->at = after_line(b->at);
}

static void take_code(PageBlocks *b, PageBlock *block) {
  const char *from = after_line(b->at), *to = from;
  while (*to && !is_fence(to)) {
    to = after_line(to);
  }
  block->kind = PAGE_CODE;
  block->text = (Span){from, (size_t)(to - from)};
  b->at = after_line(to);
}

static void take_lines(PageBlocks *b, PageBlock *block) {
  const char *from = b->at;
  block->kind = item_mark(from) ? PAGE_ITEM : PAGE_TEXT;
  do {
    b->at = after_line(b->at);
  } while (*b->at && !begins_block(b->at));
  block->text = span_trim((Span){from, (size_t)(b->at - from)});
}

/* A line of a table: 1 where it is a row, 0 where it was the header. */
static int take_table(PageBlocks *b, PageBlock *block) {
  Span line = line_at(b->at);
  b->at = after_line(b->at);
  if (b->head.n == 0 && b->at[0] == '|' && strchr("-:", b->at[1]) && b->at[1]) {
    b->head = line;
    b->at = after_line(b->at);
    return 0;
  }
  block->kind = PAGE_ROW;
  block->text = line;
  block->head = b->head;
  return 1;
}

static void skip_comment(PageBlocks *b) {
  const char *end = strstr(b->at, "-->");
  b->at = end ? after_line(end) : b->at + strlen(b->at);
}

int blocks_next(PageBlocks *b, PageBlock *block) {
  *block = (PageBlock){PAGE_TEXT, 0, {b->at, 0}, {b->at, 0}};
  while (*b->at) {
    if (*b->at == '|') {
      if (take_table(b, block)) {
        return 1;
      }
      continue;
    }
    b->head.n = 0;
    if (is_blank_line(b->at)) {
      b->at = after_line(b->at);
    } else if (is_comment(b->at)) {
      skip_comment(b);
    } else {
      heading_level(b->at) ? take_heading(b, block)
      : is_fence(b->at)    ? take_code(b, block)
                           : take_lines(b, block);
      return 1;
    }
  }
  return 0;
}

int row_cell(Span row, int i, Span *cell) {
  const char *at = row.at, *end = row.at + row.n;
  for (int k = -1; at < end; k++) {
    const char *from = at;
    while (at < end && !(*at == '|' && (at == row.at || at[-1] != '\\'))) {
      at++;
    }
    if (k == i && at < end) {
      *cell = span_trim((Span){from, (size_t)(at - from)});
      return 1;
    }
    at++;
  }
  return 0;
}

int span_code(Span *rest, Span *code) {
  const char *end = rest->at + rest->n;
  const char *from = memchr(rest->at, '`', rest->n);
  const char *to = from ? memchr(from + 1, '`', (size_t)(end - from - 1)) : NULL;
  if (!to) {
    return 0;
  }
  *code = (Span){from + 1, (size_t)(to - from - 1)};
  *rest = (Span){to + 1, (size_t)(end - to - 1)};
  return 1;
}

static int lower(int c) {
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

int span_same(Span a, const char *text, size_t n) {
  size_t i = 0;
  while (i < a.n && i < n && lower(a.at[i]) == lower(text[i])) {
    i++;
  }
  return i == a.n && i == n;
}

void walk_start(Walk *w, const ManualPage *pages) {
  *w = (Walk){.page = pages};
  blocks_start(&w->blocks, pages->name ? pages->text : "");
}

static Span also_of(const char *at) {
  static const char mark[] = "<!-- also:";
  at += strspn(at, " \r\n");
  const char *from = at + sizeof mark - 1;
  const char *end = strncmp(at, mark, sizeof mark - 1) == 0 ? strstr(from, "-->") : NULL;
  return end ? (Span){from, (size_t)(end - from)} : (Span){at, 0};
}

static void note_heading(Walk *w) {
  w->heading = w->block.text;
  w->also = also_of(w->blocks.at);
  w->section = w->blocks;
  w->level = w->block.level;
  if (w->level <= 2) {
    w->is_in_index =
        strcmp(w->page->name, MANUAL_FRONT) == 0 && span_same(w->heading, "Index", strlen("Index"));
  }
}

int walk_next(Walk *w) {
  while (w->page->name) {
    if (blocks_next(&w->blocks, &w->block)) {
      if (w->block.kind == PAGE_HEADING) {
        note_heading(w);
      }
      return 1;
    }
    w->page++;
    w->heading.n = w->also.n = 0;
    w->level = w->is_in_index = 0;
    blocks_start(&w->blocks, w->page->name ? w->page->text : "");
  }
  return 0;
}
