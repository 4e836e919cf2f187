/*
** The index of the manual. See entry.h for the contract.
*/
#include "core/manual/entry.h"

#include <string.h>

/* `name(arguments)` in backticks, or `name`: the next of a cell. */
static int read_name(Entry *e) {
  Span code;
  while (span_code(&e->rest, &code)) {
    const char *open = memchr(code.at, '(', code.n);
    e->name = (Span){code.at, open ? (size_t)(open - code.at) : code.n};
    e->arguments = (Span){NULL, 0};
    if (open && code.at[code.n - 1] == ')') {
      e->arguments = (Span){open + 1, (size_t)(code.at + code.n - 1 - (open + 1))};
    }
    if (e->name.n > 0) {
      return 1;
    }
  }
  return 0;
}

/* 1 if a block is a row of the index, and the kind of what it names. */
static int is_listed(const Walk *w, Span *kind) {
  static const char setting[] = "setting", option[] = "option of a call";
  if (w->block.kind != PAGE_ROW) {
    return 0;
  }
  *kind = w->heading;
  return w->is_in_index ||
         (row_cell(w->block.head, 0, kind) && (span_same(*kind, setting, sizeof setting - 1) ||
                                               span_same(*kind, option, sizeof option - 1)));
}

int entry_next(Walk *w, Entry *e) {
  if (e->rest.at && read_name(e)) {
    return 1;
  }
  while (walk_next(w)) {
    if (is_listed(w, &e->kind) && row_cell(w->block.text, 0, &e->rest) &&
        row_cell(w->block.text, 1, &e->line) && read_name(e)) {
      e->page = w->page;
      return 1;
    }
  }
  return 0;
}

/* The kind without what stands behind it, in the singular. */
static size_t kind_length(Span kind) {
  const char *blank = kind.n > 0 ? memmem(kind.at, kind.n, " of ", 4) : NULL;
  size_t n = blank ? (size_t)(blank - kind.at) : kind.n;
  return n > 0 && kind.at[n - 1] == 's' ? n - 1 : n;
}

void entry_put_kind(const Entry *e, Buf *out) {
  size_t n = kind_length(e->kind);
  for (size_t i = 0; i < n; i++) {
    char c = e->kind.at[i];
    c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    buf_add(out, &c, 1);
  }
}

int names_it(Span text, const char *name, size_t n) {
  Span code;
  while (span_code(&text, &code)) {
    if (span_same(code, name, n) ||
        (code.n > n && code.at[n] == '(' && span_same((Span){code.at, n}, name, n))) {
      return 1;
    }
  }
  return 0;
}

static int is_page(const Entry *e) {
  return span_same(e->kind, "Pages", strlen("Pages"));
}

const ManualPage *entry_page(const ManualPage *pages, const Entry *e) {
  const ManualPage *by_row = NULL;
  if (strcmp(e->page->name, MANUAL_FRONT) != 0) {
    return e->page;
  }
  for (const ManualPage *page = pages; page->name && is_page(e); page++) {
    if (span_same(e->name, page->name, strlen(page->name))) {
      return page;
    }
  }
  Walk w;
  Span cell;
  for (walk_start(&w, pages); walk_next(&w);) {
    if (w.is_in_index || strcmp(w.page->name, MANUAL_FRONT) == 0) {
      continue;
    }
    if (w.block.kind == PAGE_HEADING && names_it(w.block.text, e->name.at, e->name.n)) {
      return w.page;
    }
    if (!by_row && w.block.kind == PAGE_ROW && row_cell(w.block.text, 0, &cell) &&
        names_it(cell, e->name.at, e->name.n)) {
      by_row = w.page;
    }
  }
  return by_row;
}
