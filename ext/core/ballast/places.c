/*
** See places.h for the contract.
*/
#include "core/ballast/places.h"

#include "core/ballast/ballast.h"
#include "core/ballast/cues.h"
#include "core/split/context.h"
#include "core/split/terms.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 64, MOST_LABEL = 120, MOST_NAME = 40 };

typedef struct Walk {
  const char *text;
  const TextUnits *u;
  unsigned char open[MOST_DEPTH]; /* what each tag that is open says of what it holds */
  int depth;
  int given; /* tags of given things that were opened within sentences */
} Walk;

/* What the name of a tag says: orders are in tags of these words. */
static unsigned place_of_tag(const char *text, size_t from, size_t end) {
  TermWalk w;
  Term t;
  unsigned place = PLACE_WORDING;
  terms_begin(&w, text, from, end);
  while (terms_next(&w, &t) && t.from < from + MOST_NAME) {
    unsigned cues = cues_of(t.key);
    if (cues & CUE_GIVEN) {
      return PLACE_GIVEN | PLACE_WORDING;
    }
    place = cues & CUE_GENERAL ? 0 : place;
  }
  return place;
}

static void pass_tag(Walk *w, const TextUnit *x) {
  if (x->flags & UNIT_TAG_OPEN && w->depth < MOST_DEPTH) {
    unsigned around = w->depth > 0 ? w->open[w->depth - 1] & PLACE_GIVEN : 0;
    w->open[w->depth++] = (unsigned char)(around | place_of_tag(w->text, x->from, x->from + x->n));
  } else if (x->flags & UNIT_TAG_CLOSE && w->depth > 0) {
    w->depth--;
  }
}

/* Tags of given things within a sentence: <email>Hello … (and the rest of it is in other sentences). */
static void pass_inner_tags(Walk *w, const TextUnit *x) {
  size_t end = x->from + x->n;
  const char *at = w->text + x->from, *stop = w->text + end;
  while ((at = memchr(at, '<', (size_t)(stop - at))) != NULL) {
    size_t from = (size_t)(at - w->text) + 1, closes = from < end && w->text[from] == '/';
    size_t to = from + closes;
    while (to < end && to - from < MOST_NAME &&
           ((w->text[to] | 0x20) >= 'a' || w->text[to] == '_') &&
           ((w->text[to] | 0x20) <= 'z' || w->text[to] == '_')) {
      to++;
    }
    if (to > from + closes && to < end && w->text[to] == '>' &&
        place_of_tag(w->text, from + closes, to) & PLACE_GIVEN) {
      w->given += closes ? -(w->given > 0) : 1;
    }
    at = w->text + to;
  }
}

/* "User: ", "Text: ": not "Important: ". */
static int is_turn(const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  const char *colon = x->flags & UNIT_TURN ? memchr(text + x->from, ':', x->n) : NULL;
  if (colon) {
    terms_begin(&w, text, x->from, (size_t)(colon - text));
    while (terms_next(&w, &t)) {
      if (cues_of(t.key) & (CUE_DIALOGUE | CUE_INPUT | CUE_QUESTION)) {
        return 1;
      }
    }
  }
  return 0;
}

/* A heading or a label that speaks of texts; "Respond with:". */
static int is_wording(const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  size_t end = x->from + x->n, from = x->n > MOST_LABEL ? end - MOST_LABEL : x->from;
  int is_heading = x->kind == BLOCK_HEADING && x->level < LABEL_LEVEL, found = 0;
  terms_begin(&w, text, from, end);
  while (terms_next(&w, &t)) {
    found |= (cues_of(t.key) & CUE_WORDING) != 0;
  }
  while (end > x->from + 1 && text[end - 1] == '*') {
    end--;
  }
  const char *last = text + end;
  int ends_with =
      end > x->from + 5 && (memcmp(last - 5, "with:", 5) == 0 || memcmp(last - 4, "mit:", 4) == 0);
  return found || (!is_heading && ends_with);
}

/* Marks what hangs on a label of wording; labels come before what hangs on them. */
static unsigned place_of_parent(const TextUnits *u, const unsigned char *places,
                                const unsigned char *labels, size_t i) {
  size_t parent = u->at[i].parent;
  return parent == UNIT_NONE ? 0 : labels[parent] ? PLACE_WORDING : places[parent] & PLACE_WORDING;
}

int places_find(const char *text, const TextUnits *u, const Examples *e, unsigned char *places,
                Err *err) {
  Walk w = {.text = text, .u = u};
  unsigned char *roles = malloc(2 * (u->n + 1)), *labels = roles ? roles + u->n + 1 : NULL;
  if (!roles) {
    return err_nomem(err);
  }
  size_t turn =
      UNIT_NONE; /* the block that a turn stands in: what is behind it is said by the same */
  context_find(text, u, CONTEXT_MARKED, roles);
  for (size_t i = 0; i < u->n; i++) {
    const TextUnit *x = &u->at[i];
    unsigned place = place_of_parent(u, places, labels, i);
    pass_tag(&w, x);
    place |= w.depth > 0 ? w.open[w.depth - 1] : 0;
    int was_given = w.given;
    pass_inner_tags(&w, x);
    turn = is_turn(text, x) ? x->block : turn;
    int is_given = roles[i] == ROLE_CONTEXT || was_given || w.given || examples_hold(e, x->from) ||
                   turn == x->block;
    places[i] = (unsigned char)(place | (is_given ? PLACE_GIVEN | PLACE_WORDING : 0));
    labels[i] = (x->kind == BLOCK_HEADING || ballast_leads_in(text, x)) && is_wording(text, x);
  }
  free(roles);
  return err->rc;
}
