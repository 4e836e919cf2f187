/*
** The index of the manual. See entry.h for the contract.
*/
#include "core/manual/entry.h"

#include <string.h>

/* `name(arguments)` in backticks, or `name`. */
static int read_name(Span cell, Entry *e) {
  Span code;
  if (!span_code(&cell, &code)) {
    return 0;
  }
  const char *open = memchr(code.at, '(', code.n);
  e->name = (Span){code.at, open ? (size_t)(open - code.at) : code.n};
  e->arguments = (Span){NULL, 0};
  if (open && code.at[code.n - 1] == ')') {
    e->arguments = (Span){open + 1, (size_t)(code.at + code.n - 1 - (open + 1))};
  }
  return e->name.n > 0;
}

int entry_next(Walk *w, Entry *e) {
  Span cell;
  while (walk_next(w)) {
    if (w->is_in_index && w->block.kind == BLOCK_ROW && row_cell(w->block.text, 0, &cell) &&
        read_name(cell, e) && row_cell(w->block.text, 1, &e->line)) {
      e->kind = w->heading;
      return 1;
    }
  }
  return 0;
}

void entry_put_kind(const Entry *e, Buf *out) {
  size_t n = e->kind.n > 0 && e->kind.at[e->kind.n - 1] == 's' ? e->kind.n - 1 : e->kind.n;
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

const ManualPage *entry_page(const ManualPage *pages, const Entry *e) {
  const ManualPage *by_row = NULL;
  Walk w;
  Span cell;
  for (walk_start(&w, pages); walk_next(&w);) {
    if (w.is_in_index || strcmp(w.page->name, MANUAL_FRONT) == 0) {
      continue;
    }
    if (w.block.kind == BLOCK_HEADING && names_it(w.block.text, e->name.at, e->name.n)) {
      return w.page;
    }
    if (!by_row && w.block.kind == BLOCK_ROW && row_cell(w.block.text, 0, &cell) &&
        names_it(cell, e->name.at, e->name.n)) {
      by_row = w.page;
    }
  }
  return by_row;
}
