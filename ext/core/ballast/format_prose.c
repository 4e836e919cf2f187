/*
** See format_prose.h for the contract.
**
** First each unit alone: what it can be (Form). Then what it is beside others: a sentence without the word JSON needs
** one with it near by, what leads in needs all that it leads in, and that needs what leads it in.
*/
#include "core/ballast/format_prose.h"

#include "core/ballast/cues.h"
#include "core/ballast/places.h"
#include "core/split/terms.h"

#include <stdlib.h>
#include <string.h>

enum {
  FEW_WORDS = 3,   /* of a value that JSON shows the form by */
  NEAR = 3,        /* units between a sentence and the one about JSON that it needs */
  MOST_VALUES = 64 /* names and values of a sentence */
};

typedef enum Form {
  FORM_NONE,
  FORM_FOLLOWS, /* of JSON only beside a sentence that is */
  FORM_PART,    /* of what a label leads in: a name and its type; JSON that shows types */
  FORM_JSON
} Form;

/* What stands in a unit. */
typedef struct Said {
  unsigned cues;                     /* of all its words */
  int json_at, negation_at, name_at; /* the places of the first of each among its words; -1: none */
  int has_braces;
  int is_json; /* it is a block of it */
  int n_names;
  uint64_t values[MOST_VALUES]; /* names and values */
  size_t n_values;
  uint64_t name; /* the last one */
} Said;

typedef struct Reader {
  const char *text;
  const TextUnits *u;
  const unsigned char *places;
  const JsonFields *fields;
  unsigned char *forms;
  Err *err;
} Reader;

/* --- a unit alone --- */

/* Where quotation marks and backticks stand: whether a term is within, and whether another one is within the same. */
typedef struct Quotes {
  size_t at;
  int tick, mark; /* open */
  int words;      /* in the one that is open */
} Quotes;

static int pass_to(Quotes *q, const char *text, size_t to) {
  for (; q->at < to; q->at++) {
    char c = text[q->at];
    if (c == '`' || c == '"') {
      *(c == '`' ? &q->tick : &q->mark) ^= 1;
      q->words = 0;
    } else if (c == '|' || c == '/' || c == ',') {
      q->words = 0;
    }
  }
  return (q->tick || q->mark) ? ++q->words : 0;
}

/* 1 if a colon stands behind the quotation mark that closes a term: it is a name of JSON. */
static int is_member(const char *text, const Term *t, size_t end) {
  size_t at = t->from + t->n;
  while (at < end && (text[at] == '"' || text[at] == '`' || text[at] == ' ')) {
    at++;
  }
  return at < end && text[at] == ':';
}

static const unsigned known = CUE_JSON | CUE_ANSWERS | CUE_SHAPE | CUE_TYPE | CUE_WRAPPING |
                              CUE_EXCEPT | CUE_FORCE | CUE_FIELDS | CUE_OPTIONAL;

static int take_value(Said *s, const Term *t) {
  if (s->n_values == MOST_VALUES) {
    return 0;
  }
  s->values[s->n_values++] = t->key;
  return 1;
}

static int take_name(Said *s, const Term *t, int place) {
  s->name_at = s->name_at < 0 ? place : s->name_at;
  s->n_names++;
  s->name = t->key;
  return take_value(s, t);
}

/* A name of the schema that must be there, or a value: 1; 0: it is neither. */
static int take_known(const Reader *r, Said *s, const Term *t, int place) {
  unsigned is = json_fields_word(r->fields, t->key);
  if (!(is & (FIELD_NAME | FIELD_VALUE)) || (is & FIELD_OPTIONAL && !(s->cues & CUE_OPTIONAL))) {
    return 0;
  }
  return is & FIELD_NAME ? take_name(s, t, place) : take_value(s, t);
}

/* 1 if the type that a word names is that of the last name; without one that of the answer, which is one. */
static int is_its_type(const Reader *r, const Said *s, const Term *t) {
  const char *type = r->text + t->from;
  if (!r->fields) {
    return 1;
  }
  return s->n_names ? json_fields_have_type(r->fields, s->name, type, t->n)
                    : (type[t->n - 1] | 0x20) != 's' && json_fields_are_type(r->fields, type, t->n);
}

/* Takes a word in: 0 where it says more than JSON's shape. quoted: how many stand in its quotation, it with them; 0:
** it stands in none. */
static int take(const Reader *r, Said *s, const Term *t, int place, int quoted, size_t end) {
  unsigned cues = cues_of(t->key);
  if (t->flags & TERM_SIGN) {
    return strchr("|<>=~", r->text[t->from]) != NULL;
  }
  if (r->fields && (quoted || !(cues & known || t->flags & TERM_STOP)) &&
      take_known(r, s, t, place)) {
    return 1;
  }
  if (cues & CUE_TYPE && quoted < 2) {
    s->cues |= CUE_TYPE;
    return is_its_type(r, s, t);
  }
  if (quoted) {
    int is_value = s->has_braces && !is_member(r->text, t, end);
    if (is_value && s->is_json && !r->fields) {
      return quoted <= FEW_WORDS;
    }
    return !r->fields && quoted < 2 && !is_value && !(t->flags & TERM_NUMBER) &&
           take_name(s, t, place);
  }
  s->cues |= cues;
  s->json_at = s->json_at < 0 && cues & CUE_JSON ? place : s->json_at;
  s->negation_at = s->negation_at < 0 && t->flags & TERM_NEGATION ? place : s->negation_at;
  if (cues & CUE_CONDITION || t->flags & (TERM_DATE | TERM_UNIT)) {
    return 0;
  }
  int is_digit = r->text[t->from] >= '0' && r->text[t->from] <= '9';
  return !is_digit && (t->flags & (TERM_STOP | TERM_NEGATION) || cues & known);
}

static int is_json(BlockKind kind) {
  return kind == BLOCK_JSON || kind == BLOCK_FENCED_JSON;
}

/* What of a unit is read: of JSON in a fence what is between its lines. */
static void within_fence(const char *text, const TextUnit *x, size_t *from, size_t *end) {
  *from = x->from;
  *end = x->from + x->n;
  if (x->kind == BLOCK_FENCED_JSON) {
    const char *first = memchr(text + *from, '\n', x->n), *last = memrchr(text + *from, '\n', x->n);
    *from = first ? (size_t)(first - text) : *end;
    *end = last && last > first ? (size_t)(last - text) : *end;
  }
}

/* "The data must be …", "It outputs …": of something else than the answer. */
static int is_of_another(const char *text, size_t from, size_t end) {
  TermWalk w;
  Term t;
  int refers = 0, is_other = 0;
  terms_begin(&w, text, from, end);
  for (int place = 0; !is_other && terms_next(&w, &t); place++) {
    unsigned cues = cues_of(t.key);
    if (place > 0 && refers && cues & CUE_THIRD) {
      return 1;
    }
    refers |= place == 0 && t.flags & TERM_REFERS;
    is_other = cues & CUE_OTHERS ? 1 : 0;
    if (!(t.flags & (TERM_STOP | TERM_SIGN))) {
      break;
    }
  }
  return is_other;
}

/* Reads a unit: 1 if all of its words are known. */
static int read_unit(const Reader *r, const TextUnit *x, Said *s) {
  TermWalk w;
  Term t;
  size_t from, end;
  within_fence(r->text, x, &from, &end);
  Quotes q = {.at = from};
  *s = (Said){.json_at = -1, .negation_at = -1, .name_at = -1, .is_json = is_json(x->kind)};
  if (x->flags & UNIT_SENTENCE && is_of_another(r->text, from, end)) {
    return 0;
  }
  s->has_braces = memchr(r->text + from, '{', end - from) != NULL;
  terms_begin(&w, r->text, from, end);
  for (int place = 0; terms_next(&w, &t); place++) {
    int quoted = pass_to(&q, r->text, t.from);
    if (!take(r, s, &t, place, quoted, end)) {
      return 0;
    }
  }
  return !r->fields || json_fields_list_all(r->fields, s->values, s->n_values);
}

/* Names are of fields where the sentence says so, or shows their types. */
static int names_are_fields(const Said *s) {
  int says = (s->cues & (CUE_FIELDS | CUE_TYPE)) || s->has_braces;
  return !s->n_names || (says && s->negation_at < 0 && (s->json_at < 0 || s->json_at < s->name_at));
}

static Form form_of_sentence(const Said *s) {
  int forbids = s->negation_at >= 0;
  int wraps = (s->cues & CUE_WRAPPING) != 0;
  if (!names_are_fields(s) || (wraps && !forbids && !(s->cues & CUE_FORCE))) {
    return FORM_NONE;
  }
  if (s->json_at >= 0) {
    int is_forbidden = forbids && s->negation_at < s->json_at && !(s->cues & CUE_EXCEPT);
    int is_around = forbids && wraps && (!is_forbidden || s->cues & CUE_WRAPS);
    return s->cues & (CUE_ANSWERS | CUE_FORCE) && !is_forbidden ? FORM_JSON
           : is_around                                          ? FORM_FOLLOWS
                                                                : FORM_NONE;
  }
  if (forbids) {
    return wraps ? FORM_FOLLOWS : FORM_NONE;
  }
  return s->n_names && s->cues & CUE_FIELDS ? FORM_FOLLOWS : FORM_NONE;
}

static int leads_in(const Reader *r, size_t i) {
  return ballast_leads_in(r->text, &r->u->at[i]);
}

static Form form_of(const Reader *r, size_t i);

/* Of a unit that ends with a colon. */
static Form form_of_lead(const Reader *r, size_t i, const Said *s) {
  int speaks =
      s->cues & (CUE_FIELDS | CUE_SHAPE | CUE_ANSWERS) && s->negation_at < 0 && !s->n_names;
  int shows = speaks && s->cues & CUE_ANSWERS && i + 1 < r->u->n && is_json(r->u->at[i + 1].kind) &&
              form_of(r, i + 1) == FORM_PART;
  return shows || (s->json_at >= 0 && speaks)     ? FORM_JSON
         : s->json_at >= 0 && s->negation_at >= 0 ? form_of_sentence(s)
         : speaks                                 ? FORM_FOLLOWS
                                                  : FORM_NONE;
}

static Form form_of(const Reader *r, size_t i) {
  const TextUnit *x = &r->u->at[i];
  int is_label = x->kind == BLOCK_HEADING && x->level == LABEL_LEVEL;
  Said s;
  if (r->places[i] & PLACE_GIVEN || x->flags & UNIT_QUESTION ||
      !(x->flags & UNIT_SENTENCE || is_label || is_json(x->kind) || x->kind == BLOCK_LINES) ||
      !read_unit(r, x, &s)) {
    return FORM_NONE;
  }
  if (is_json(x->kind)) {
    return s.n_names ? FORM_PART : FORM_NONE;
  }
  if (leads_in(r, i)) {
    return form_of_lead(r, i, &s);
  }
  int is_part = x->parent != UNIT_NONE && s.n_names && s.negation_at < 0 && s.json_at < 0 &&
                s.cues & CUE_TYPE;
  Form form = form_of_sentence(&s);
  return form == FORM_NONE && is_part ? FORM_PART : form;
}

/* --- a unit beside others --- */

static int has_json_near(const Reader *r, size_t i) {
  size_t from = i > NEAR ? i - NEAR : 0;
  for (size_t k = from; k <= i + NEAR && k < r->u->n; k++) {
    if (r->forms[k] == FORM_JSON) {
      return 1;
    }
  }
  return 0;
}

static int hangs_on(const TextUnits *u, size_t i, size_t label) {
  for (int depth = 0; i != UNIT_NONE && i > label && depth < 8; depth++) {
    i = u->at[i].parent;
  }
  return i == label;
}

/* Behind the units that hang on one. */
static size_t led_end(const TextUnits *u, size_t i) {
  size_t k = i + 1;
  while (k < u->n && hangs_on(u, k, i)) {
    k++;
  }
  return k;
}

static int is_marker(const TextUnit *x) {
  return x->flags & UNIT_LABEL && x->flags & UNIT_ITEM;
}

/* 1 if all that a unit leads in is of JSON's shape, and there is something. */
static int leads_all(const Reader *r, size_t i, size_t end) {
  for (size_t k = i + 1; k < end; k++) {
    if (r->forms[k] == FORM_NONE && !is_marker(&r->u->at[k])) {
      return 0;
    }
  }
  return end > i + 1;
}

/* Adds what a unit leads in, and it. Returns the unit behind it. */
static size_t add_led(Reader *r, size_t i, BallastList *out) {
  size_t end = led_end(r->u, i);
  const TextUnit *x = &r->u->at[i], *last = &r->u->at[end - 1];
  if (!leads_all(r, i, end)) {
    return i + 1;
  }
  const Ballast b = {x->from, last->from + last->n - x->from, i, end, 0};
  ballast_add(out, &b, r->err);
  return end;
}

int format_prose_find(const char *text, const TextUnits *u, const unsigned char *places,
                      const JsonFields *fields, BallastList *out, Err *err) {
  Reader r = {.text = text, .u = u, .places = places, .fields = fields, .err = err};
  r.forms = malloc(u->n + 1);
  if (!r.forms) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < u->n; i++) {
    r.forms[i] = (unsigned char)form_of(&r, i);
  }
  for (size_t i = 0; i < u->n && err->rc == RC_OK;) {
    Form form = (Form)r.forms[i];
    if ((form != FORM_FOLLOWS && form != FORM_JSON) ||
        (form == FORM_FOLLOWS && !has_json_near(&r, i))) {
      i++;
    } else if (leads_in(&r, i)) {
      i = add_led(&r, i, out);
    } else {
      const Ballast b = ballast_of_unit(u, i);
      ballast_add(out, &b, err);
      i++;
    }
  }
  free(r.forms);
  return err->rc;
}
