/*
** Protected spans. See spans.h for the contract.
*/
#include "core/split/spans.h"

#include "core/split/blocks.h"
#include "core/split/terms.h"

/* What a word is protected as; SPAN_N_KINDS: it is not. */
static SpanKind kind_of_term(const Term *t) {
  static const struct {
    unsigned flag;
    SpanKind kind;
  } table[] = {{TERM_DATE, SPAN_DATE},
               {TERM_NUMBER, SPAN_NUMBER},
               {TERM_NEGATION, SPAN_NEGATION},
               {TERM_ORDER, SPAN_ORDER},
               {TERM_FORMAT, SPAN_FORMAT}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (t->flags & table[i].flag) {
      return table[i].kind;
    }
  }
  return SPAN_N_KINDS;
}

/* The words of [from, end), between marks. */
static void add_words(const char *text, size_t from, size_t end, TextSpans *out, Err *err) {
  TermWalk w;
  Term t;
  terms_begin(&w, text, from, end);
  while (terms_next(&w, &t)) {
    SpanKind kind = kind_of_term(&t);
    if (kind != SPAN_N_KINDS) {
      spans_add(out, t.from, t.n, kind, err);
    }
  }
}

static void add_prose(const char *text, const Block *b, TextSpans *out, Err *err) {
  TextSpans marks = {NULL, 0, 0};
  size_t at = b->from, end = b->from + b->n;
  marks_find(text, at, end, &marks, err);
  for (size_t i = 0; i < marks.n && err->rc == RC_OK; i++) {
    const TextSpan *m = &marks.at[i];
    add_words(text, at, m->from, out, err);
    spans_add(out, m->from, m->n, m->kind, err);
    at = m->from + m->n;
  }
  add_words(text, at, end, out, err);
  spans_free(&marks);
}

int spans_find(const char *text, size_t n, TextSpans *out, Err *err) {
  static const SpanKind kinds[] = {
      [BLOCK_PARAGRAPH] = SPAN_N_KINDS, [BLOCK_HEADING] = SPAN_N_KINDS,
      [BLOCK_ITEM] = SPAN_N_KINDS,      [BLOCK_TABLE] = SPAN_TABLE,
      [BLOCK_LINES] = SPAN_TABLE,       [BLOCK_CODE] = SPAN_CODE,
      [BLOCK_JSON] = SPAN_JSON,         [BLOCK_FENCED_JSON] = SPAN_JSON,
      [BLOCK_TAG] = SPAN_TAG,           [BLOCK_RULE] = SPAN_CODE};
  Blocks blocks = {NULL, 0, 0};
  blocks_find(text, n, &blocks, err);
  for (size_t i = 0; i < blocks.n && err->rc == RC_OK; i++) {
    const Block *b = &blocks.at[i];
    if (kinds[b->kind] == SPAN_N_KINDS) {
      add_prose(text, b, out, err);
    } else {
      spans_add(out, b->from, b->n, kinds[b->kind], err);
    }
  }
  blocks_free(&blocks);
  return err->rc;
}
