/*
** Templates. See template.h for the contract.
**
** A template is a list of pieces, each of which is a part of the text or a column. A doubled brace ends a piece behind its first
** half: so pieces are borrowed from one copy of the text.
*/
#include "core/prompt/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_PIECE = -1, LISTED_BYTES = 400, NAMED_BYTES = 60 };

typedef struct Piece {
  const char *text;
  size_t n;
  int column; /* TEXT_PIECE: it is text */
} Piece;

struct Template {
  char *text;
  Piece *pieces;
  size_t n_pieces;
};

typedef struct Reading {
  Template *t;
  const char *const *names;
  int n_names;
  Err *err;
} Reading;

/* The columns, as many as are read by somebody. */
static void list_names(const Reading *r, char *out, size_t size) {
  size_t used = 0;
  int i = 0;
  out[0] = 0;
  for (; i < r->n_names && used + strlen(r->names[i]) + 4 < size; i++) {
    used += (size_t)snprintf(out + used, size - used, "%s{%s}", i ? " " : "", r->names[i]);
  }
  if (i < r->n_names) {
    snprintf(out + used, size - used, "%sand %d more", i ? " " : "", r->n_names - i);
  }
}

static int bad(const Reading *r, const char *what, const char *at, size_t n) {
  char columns[LISTED_BYTES];
  list_names(r, columns, sizeof columns - 20);
  int shown = n < NAMED_BYTES ? (int)n : NAMED_BYTES;
  return err_set(r->err, RC_ERROR, ERR_BAD_OPTION,
                 "option 'prompt': %s '%.*s'%s; the columns are: %s; write {{ and }} for a brace",
                 what, shown, at, n > NAMED_BYTES ? "…" : "", columns);
}

static void add_piece(Template *t, const char *text, size_t n, int column) {
  if (n > 0 || column != TEXT_PIECE) {
    t->pieces[t->n_pieces++] = (Piece){text, n, column};
  }
}

/* The column of that name; -1 and *err. */
static int find_column(const Reading *r, const char *name, size_t n) {
  for (int is_exact = 1; is_exact >= 0; is_exact--) {
    int found = -1, count = 0;
    for (int i = 0; i < r->n_names; i++) {
      const char *here = r->names[i];
      int is_it = strlen(here) == n &&
                  (is_exact ? memcmp(here, name, n) == 0 : strncasecmp(here, name, n) == 0);
      found = is_it && found < 0 ? i : found;
      count += is_it;
    }
    if (count > 1) {
      bad(r, "more than one column has the name", name, n);
      return -1;
    }
    if (count == 1) {
      return found;
    }
  }
  bad(r, "there is no column", name, n);
  return -1;
}

/* The piece at a brace, of `left` bytes up to the end; returns where the next one begins, NULL and *err. */
static const char *read_brace(const Reading *r, const char *at, size_t left) {
  size_t n = 1;
  if (left > 1 && at[1] == *at) {
    add_piece(r->t, at, 1, TEXT_PIECE);
    return at + 2;
  }
  while (n < left && at[n] != '{' && at[n] != '}') {
    n++;
  }
  if (*at == '}' || n == left || at[n] == '{') {
    bad(r, "a brace stands alone at", at, n);
    return NULL;
  }
  if (n == 1) {
    bad(r, "there is no name in", at, 2);
    return NULL;
  }
  int column = find_column(r, at + 1, n - 1);
  add_piece(r->t, NULL, 0, column);
  return column < 0 ? NULL : at + n + 1;
}

static void read_pieces(const Reading *r, size_t n) {
  const char *at = r->t->text, *end = at + n;
  while (at && at < end) {
    const char *brace = at;
    while (brace < end && *brace != '{' && *brace != '}') {
      brace++;
    }
    add_piece(r->t, at, (size_t)(brace - at), TEXT_PIECE);
    at = brace < end ? read_brace(r, brace, (size_t)(end - brace)) : end;
  }
}

Template *template_parse(const char *text, size_t n, const char *const *names, int n_names,
                         Err *err) {
  size_t most = 1; /* a brace, and the text behind it */
  for (size_t i = 0; i < n; i++) {
    most += text[i] == '{' || text[i] == '}' ? 2 : 0;
  }
  Template *t = calloc(1, sizeof *t);
  if (t) {
    t->text = malloc(n + 1);
    t->pieces = calloc(most, sizeof *t->pieces);
  }
  if (!t || !t->text || !t->pieces) {
    err_nomem(err);
  } else {
    memcpy(t->text, text, n);
    t->text[n] = 0;
    const Reading r = {t, names, n_names, err};
    read_pieces(&r, n);
  }
  if (err->rc != RC_OK) {
    template_free(t);
    return NULL;
  }
  return t;
}

void template_free(Template *t) {
  if (t) {
    free(t->text);
    free(t->pieces);
    free(t);
  }
}

int template_uses(const Template *t, int column) {
  for (size_t i = 0; i < t->n_pieces; i++) {
    if (t->pieces[i].column == column) {
      return column != TEXT_PIECE;
    }
  }
  return 0;
}

int template_render(const Template *t, const TemplateValue *values, Buf *out) {
  for (size_t i = 0; i < t->n_pieces && !out->failed; i++) {
    const Piece *p = &t->pieces[i];
    const TemplateValue v =
        p->column == TEXT_PIECE ? (TemplateValue){p->text, p->n} : values[p->column];
    if (v.text) {
      buf_add(out, v.text, v.n);
    }
  }
  return out->failed;
}
