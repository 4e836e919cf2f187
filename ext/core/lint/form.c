/*
** See form.h for the contract.
*/
#include "core/lint/form.h"

#include "base/buf.h"
#include "core/ballast/format_prose.h"
#include "core/ballast/places.h"
#include "core/compress/cuts.h"
#include "core/lint/brevity.h"

#include <stdlib.h>
#include <string.h>

/* A text, and what is known of it. */
typedef struct Reader {
  const char *text;
  TextUnits units;
  Examples examples;
  unsigned char *places, *gone; /* of each unit; owned */
} Reader;

static int open_reader(Reader *r, const char *text, size_t n, Err *err) {
  *r = (Reader){.text = text};
  if (units_find(text, n, &r->units, err) != RC_OK ||
      examples_find(text, n, &r->units, &r->examples, err) != RC_OK) {
    return err->rc;
  }
  r->places = malloc(r->units.n + 1);
  r->gone = malloc(r->units.n + 1);
  return r->places && r->gone ? places_find(text, &r->units, &r->examples, r->places, err)
                              : err_nomem(err);
}

static void close_reader(Reader *r) {
  free(r->gone);
  free(r->places);
  examples_free(&r->examples);
  units_free(&r->units);
}

/* ---- what a form adds */

static void mark_brief(Reader *r) {
  for (size_t i = 0; i < r->units.n; i++) {
    if (!(r->places[i] & PLACE_GIVEN) && brevity_is_asked(r->text, &r->units.at[i])) {
      r->gone[i] = CUT_NOTHING_LEFT;
    }
  }
}

/* The examples, and a line right in front of one that leads in what follows ("For example:"). */
static void mark_examples(Reader *r) {
  for (size_t i = r->units.n; i-- > 0;) {
    const TextUnit *x = &r->units.at[i];
    const int leads_in = i + 1 < r->units.n && r->gone[i + 1] != CUT_KEPT &&
                         x->flags & UNIT_SENTENCE && ballast_leads_in(r->text, x);
    if (leads_in || examples_hold(&r->examples, x->from)) {
      r->gone[i] = CUT_EXAMPLE;
    }
  }
}

static int mark_format(Reader *r, Err *err) {
  BallastList found = {NULL, 0, 0};
  format_prose_find(r->text, &r->units, r->places, NULL, &found, err);
  for (size_t i = 0; i < found.n; i++) {
    memset(r->gone + found.at[i].first, CUT_SCHEMA, found.at[i].behind - found.at[i].first);
  }
  ballast_free(&found);
  return err->rc;
}

static int mark(Reader *r, enum PromptForm form, Err *err) {
  memset(r->gone, CUT_KEPT, r->units.n + 1);
  if (form == FORM_FORMAT) {
    return mark_format(r, err);
  }
  (form == FORM_BRIEF ? mark_brief : mark_examples)(r);
  return err->rc;
}

/* ---- the rest */

static int is_marker(const TextUnit *x) {
  return x->flags & UNIT_LABEL && x->flags & UNIT_ITEM;
}

static int name_rest(Reader *r, size_t n, FormOfText *form, Err *err) {
  Buf b;
  buf_init(&b, 2 * n + 1);
  form->is_there = 0;
  cuts_empty_labels(&r->units, r->gone, NULL, err);
  for (size_t i = 0; i < r->units.n; i++) {
    const TextUnit *x = &r->units.at[i];
    form->is_there |= r->gone[i] != CUT_KEPT;
    if (r->gone[i] == CUT_KEPT && !is_marker(x)) {
      buf_add(&b, r->text + x->from, x->n);
      buf_puts(&b, "\n");
    }
  }
  if (b.failed) {
    err_nomem(err);
  } else {
    const Hash h = hash_bytes(b.data ? b.data : "", b.n, 0);
    hash_hex(&h, form->rest);
  }
  buf_free(&b);
  return err->rc;
}

int form_find(const char *text, size_t n, FormOfText forms[FORM_COUNT], Err *err) {
  Reader r;
  if (open_reader(&r, text, n, err) == RC_OK) {
    for (int i = 0; i < FORM_COUNT && mark(&r, (enum PromptForm)i, err) == RC_OK; i++) {
      name_rest(&r, n, &forms[i], err);
    }
  }
  close_reader(&r);
  return err->rc;
}
