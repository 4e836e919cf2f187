/*
** See brevity.h for the contract.
*/
#include "core/lint/brevity.h"

#include "base/hash.h"
#include "core/split/terms.h"
#include "core/split/units.h"

#include <string.h>

/* Words in folded form, apart by one blank. */
static const char brief_words[] =
    " brief briefly brevity concise concisely succinct succinctly terse tersely kurz knapp kurze "
    "kurzen knappe bref breve brefs courte concis concise breves corto corta conciso concisa ";
static const char bounds[] = " most than under maximum max within limit exactly only hochstens "
                             "maximal unter nur maximum plus "
                             "moins maximo menos ";
static const char lengths[] = " word words sentence sentences line lines paragraph paragraphs "
                              "character characters token tokens "
                              "wort worte worter wortern satz satze satzen zeile zeilen zeichen "
                              "mot mots phrase phrases ligne "
                              "lignes palabra palabras frase frases linea lineas ";

static int is_in(const char *list, uint64_t key) {
  for (const char *w = list + 1; *w;) {
    size_t n = strcspn(w, " ");
    if (hash_short(w, n) == key) {
      return 1;
    }
    w += n + 1;
  }
  return 0;
}

static int is_brief(const char *text, const TextUnit *x) {
  int has_bound = 0, has_number = 0, has_length = 0;
  TermWalk w;
  Term t;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    if (is_in(brief_words, t.key)) {
      return !(x->flags & UNIT_QUESTION);
    }
    has_bound |= is_in(bounds, t.key);
    has_number |= (t.flags & TERM_NUMBER) != 0;
    has_length |= is_in(lengths, t.key);
  }
  return has_bound && has_number && has_length;
}

int brevity_is_asked(const char *text, size_t n, Err *err) {
  TextUnits u = {NULL, 0, 0, 0};
  int is = 0;
  if (units_find(text, n, &u, err) == RC_OK) {
    for (size_t i = 0; i < u.n && !is; i++) {
      is = u.at[i].flags & UNIT_SENTENCE && is_brief(text, &u.at[i]);
    }
  }
  units_free(&u);
  return is;
}
