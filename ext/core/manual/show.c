/*
** The manual for a terminal. See show.h for the contract.
*/
#include "core/manual/show.h"

#include <string.h>

static void put_blanks(Buf *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    buf_add(out, " ", 1);
  }
}

/* Bytes of a link's address behind its text, from the ']' on: "](…)"; 0 where it is none. */
static size_t link_end(const char *p, const char *end) {
  const char *close =
      p + 1 < end && p[0] == ']' && p[1] == '(' ? memchr(p, ')', (size_t)(end - p)) : NULL;
  return close ? (size_t)(close + 1 - p) : 0;
}

/* 1 if the '[' at p begins a link. */
static int begins_link(const char *p, const char *end) {
  const char *close = memchr(p, ']', (size_t)(end - p));
  return close && link_end(close, end) > 0;
}

void show_plain(Span text, Buf *out) {
  const char *end = text.at + text.n;
  int is_code = 0, is_link = 0;
  for (const char *p = text.at; p < end; p++) {
    size_t skip = 0;
    if (*p == '`') {
      is_code = !is_code;
    } else if (!is_code && p + 1 < end && p[0] == '*' && p[1] == '*') {
      skip = 2;
    } else if (!is_code && *p == '[' && begins_link(p, end)) {
      is_link = 1;
      skip = 1;
    } else if (is_link && *p == ']' && link_end(p, end)) {
      is_link = 0;
      skip = link_end(p, end);
    }
    if (*p == '\\' && p + 1 < end && p[1] == '|') {
      continue; /* the bar of a cell */
    }
    if (skip > 0) {
      p += skip - 1;
    } else {
      buf_add(out, *p == '\n' ? " " : p, 1);
    }
  }
}

/* Characters of UTF-8. */
static size_t width_of(const char *text, size_t n) {
  size_t width = 0;
  for (size_t i = 0; i < n; i++) {
    width += ((unsigned char)text[i] & 0xC0) != 0x80;
  }
  return width;
}

void show_text(Span text, size_t column, size_t indent, Buf *out) {
  Buf plain;
  buf_init(&plain, text.n + 1);
  show_plain(text, &plain);
  const char *at = plain.data;
  int is_first = 1;
  while (at && *(at += strspn(at, " "))) {
    size_t n = strcspn(at, " "), width = width_of(at, n);
    if (!is_first && column + 1 + width > SHOW_WIDTH) {
      buf_add(out, "\n", 1);
      put_blanks(out, indent);
      column = indent;
    } else if (!is_first) {
      buf_add(out, " ", 1);
      column++;
    }
    buf_add(out, at, n);
    column += width;
    at += n;
    is_first = 0;
  }
  buf_add(out, "\n", 1);
  if (plain.failed) {
    buf_fail(out, plain.failed);
  }
  buf_free(&plain);
}

static void show_code(Span text, Buf *out) {
  for (size_t i = 0; i < text.n;) {
    const char *line = text.at + i, *end = memchr(line, '\n', text.n - i);
    size_t n = end ? (size_t)(end - line) : text.n - i;
    put_blanks(out, n > 0 ? 4 : 0);
    buf_add(out, line, n);
    buf_add(out, "\n", 1);
    i += n + 1;
  }
}

/* The first cell; under it each other, with its column's name where there are several. */
static void show_row(const PageBlock *block, Buf *out) {
  Span cell, name;
  int has_many = row_cell(block->text, 2, &cell);
  if (!row_cell(block->text, 0, &cell)) {
    return;
  }
  put_blanks(out, 2);
  show_text(cell, 2, 4, out);
  for (int i = 1; row_cell(block->text, i, &cell); i++) {
    if (cell.n == 0) {
      continue;
    }
    put_blanks(out, 6);
    size_t column = 6;
    if (has_many && row_cell(block->head, i, &name) && name.n > 0) {
      size_t before = out->n;
      show_plain(name, out);
      buf_add(out, ": ", 2);
      column += out->n > before ? width_of(out->data + before, out->n - before) : 0;
    }
    show_text(cell, column, 8, out);
  }
}

void show_block(const PageBlock *block, Buf *out) {
  switch (block->kind) {
  case PAGE_HEADING:
    for (int i = 0; i < block->level; i++) {
      buf_add(out, "#", 1);
    }
    buf_add(out, " ", 1);
    show_plain(block->text, out);
    buf_add(out, "\n", 1);
    break;
  case PAGE_ROW:
    show_row(block, out);
    break;
  case PAGE_CODE:
    show_code(block->text, out);
    break;
  case PAGE_ITEM:
    show_text(block->text, 0, 2, out);
    break;
  default:
    show_text(block->text, 0, 0, out);
  }
}
