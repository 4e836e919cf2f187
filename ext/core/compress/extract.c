/*
** The sentences that answer. See extract.h for the contract.
**
** Tokens are counted of each unit with the gap before it, and their sum is near what the tokenizer makes of the whole. What was chosen is counted as a
** whole then; where that is over the budget, it is chosen again with so much less room.
*/
#include "core/compress/extract.h"

#include "core/split/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MOST_CHOICES = 8,
  MOST_PARENTS = 32, /* headings, items within each other, lines in front of a mail */
  MOST_TOGETHER = 4,
  MOST_RESTRICTION = 120, /* bytes of a sentence that restricts the one before it; */
  MOST_FORBIDDING = 80,   /* of one that forbids something of what that speaks of, */
  MOST_SUBJECT = 4,       /* first words, which say of what it speaks */
  MOST_SHORT = 40,        /* of one that speaks of something else */
  MOST_WORD = 20
};

typedef struct Ranked {
  double score;
  size_t unit;
} Ranked;

typedef struct Choice {
  const char *text;
  size_t n;
  const TextUnits *u;
  const unsigned char *roles;
  const ExtractOptions *options;
  unsigned char *gone;    /* of the caller */
  unsigned char *dropped; /* as it would be now */
  unsigned char *may;     /* 1: it may go */
  double *scores;
  unsigned char *leads; /* 1: something hangs on it */
  long long *tokens;    /* of each unit that may go */
  Ranked *order;        /* those of them that are no labels, by score */
  size_t n_order;
  long long room;
  Err *err;
} Choice;

static long long count(const Choice *c, const char *text, size_t n) {
  long long tokens = c->options->count(c->options->arg, text, n);
  if (tokens < 0) {
    err_nomem(c->err);
  }
  return tokens;
}

/* What a unit costs with the labels it hangs on that are not there yet. */
static long long price(const Choice *c, size_t unit) {
  long long sum = c->tokens[unit];
  size_t parent = c->u->at[unit].parent;
  for (int i = 0; parent != UNIT_NONE && i < MOST_PARENTS; i++) {
    sum += c->dropped[parent] != CUT_KEPT && c->may[parent] ? c->tokens[parent] : 0;
    parent = c->u->at[parent].parent;
  }
  return sum;
}

static void take(Choice *c, size_t unit) {
  c->room -= price(c, unit);
  for (int i = 0; unit != UNIT_NONE && i < MOST_PARENTS; i++) {
    c->dropped[unit] = c->may[unit] ? CUT_KEPT : c->dropped[unit];
    unit = c->u->at[unit].parent;
  }
}

/* 1 if unit i answers the question in front of it: "Ann: Is Oslo a hub?", "Bob: Yes." */
static int answers(const Choice *c, size_t i) {
  const TextUnit *x = &c->u->at[i], *asks = i > 0 ? &c->u->at[i - 1] : NULL;
  const unsigned not = UNIT_LABEL | UNIT_QUESTION | UNIT_TAG_OPEN | UNIT_TAG_CLOSE;
  return asks && asks->flags & UNIT_QUESTION && asks->flags & (UNIT_SENTENCE | UNIT_ROW) &&
         !(x->flags & not ) && c->may[i - 1] && c->may[i];
}

/* 1 if a term's word is one of a list. */
static int is_listed(const char *words, const char *text, const Term *t) {
  char word[MOST_WORD + 3];
  if (t->n > MOST_WORD) {
    return 0;
  }
  snprintf(word, sizeof word, " %.*s ", (int)t->n, text + t->from);
  word[1] = (char)(word[1] | 0x20);
  return strstr(words, word) != NULL;
}

/* 1 if a word of a sentence's that is no grammar is one of another's. */
static int shares_word(const char *text, const TextUnit *x, uint64_t stem) {
  TermWalk w;
  Term t;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    if (t.stem == stem) {
      return 1;
    }
  }
  return 0;
}

/* 1 for what has no subject of its own: "Except for swimwear.", "Not on Sundays.", "Never swimwear.", "The same is not true of swimwear." */
static int has_no_subject(const Choice *c, const TextUnit *x) {
  static const char takes_out[] =
      " except unless excluding sauf salvo excepto tranne ausser ausgenommen ";
  static const char narrows[] = " only not never nor nur nicht nie seulement solo solamente ";
  TermWalk w;
  Term first, second, third;
  terms_begin(&w, c->text, x->from, x->from + x->n);
  int n = terms_next(&w, &first) ? 1 + terms_next(&w, &second) : 0;
  int is_two = n == 2 && !terms_next(&w, &third);
  return n == 2 && x->n <= MOST_RESTRICTION &&
         (is_listed(takes_out, c->text, &first) ||
          (is_listed(narrows, c->text, &first) && (is_two || second.flags & TERM_STOP)) ||
          (is_listed(" the ", c->text, &first) && is_listed(" same ", c->text, &second)));
}

/* 1 if unit i goes on with the sentence before it: "This does not hold for …", "However, …", "Not on Sundays." */
static int goes_on(const Choice *c, size_t i) {
  const TextUnit *x = &c->u->at[i];
  return i > 0 && c->u->at[i - 1].flags & UNIT_SENTENCE && c->u->at[i - 1].block == x->block &&
         (x->flags & UNIT_REFERS || has_no_subject(c, x));
}

/* Words that allow, or with a negation forbid. */
static int has_leave(const Choice *c, const TextUnit *x) {
  static const char words[] = " can can't cannot may kann konnen darf durfen peut peuvent puede "
                              "pueden puo possono pode podem ";
  TermWalk w;
  Term t;
  terms_begin(&w, c->text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    if (is_listed(words, c->text, &t)) {
      return 1;
    }
  }
  return 0;
}

/* 1 if unit i takes something out of the sentence before it: "Exception: swimwear.", "Swimwear is excluded from that.", "Only with the
** receipt."; or forbids, and is short or speaks of the same: "Never swimwear.", "Worn items are not taken back." */
static int restricts(const Choice *c, size_t i) {
  static const char words[] =
      " exception exceptions except excluded exclude excludes excluding exempt exempted though "
      "however unless conditions restrictions subject provided valid apply applies ausnahme "
      "ausnahmen ausgenommen "
      "ausgeschlossen jedoch allerdings sauf exceptions exclu exclus exclue exclues hormis "
      "excepcion "
      "excepciones excepto excluido excluidos salvo eccezione eccezioni escluso esclusi tranne ";
  static const char first_words[] = " if wenn falls sofern si se but aber mais pero ma other save ";
  const TextUnit *x = &c->u->at[i], *rule = x - 1;
  TermWalk w;
  Term t;
  if (!(x->flags & UNIT_SENTENCE) || x->n > MOST_RESTRICTION || rule->block != x->block) {
    return 0;
  }
  int forbids = x->flags & UNIT_ORDER && x->n <= MOST_FORBIDDING;
  int is_short = x->n <= MOST_SHORT,
      is_near = is_short && (has_no_subject(c, x) || (has_leave(c, x) && has_leave(c, rule)));
  terms_begin(&w, c->text, x->from, x->from + x->n);
  for (int k = 0; terms_next(&w, &t); k++) {
    if (is_listed(words, c->text, &t) ||
        (k == 0 && is_short && is_listed(first_words, c->text, &t))) {
      return 1;
    }
    int is_subject = forbids && k < MOST_SUBJECT && !(t.flags & (TERM_STOP | TERM_SIGN));
    is_near |= is_subject && shares_word(c->text, rule, t.stem);
  }
  return forbids && is_near;
}

/* A sentence with those before it that it needs, and those that go on with it and forbid or restrict: a rule is not taken without its
** exception. All of them, or none where they don't fit. */
static void take_together(Choice *c, size_t unit) {
  size_t first = unit, end = unit + 1;
  long long sum = 0;
  while (unit - first < MOST_TOGETHER && (goes_on(c, first) || answers(c, first))) {
    first--;
  }
  while (end - unit < MOST_TOGETHER && end < c->u->n &&
         ((goes_on(c, end) && c->u->at[end].flags & UNIT_ORDER) || restricts(c, end) ||
          answers(c, end))) {
    end++;
  }
  for (size_t i = first; i < end; i++) {
    sum += c->may[i] && c->dropped[i] != CUT_KEPT ? price(c, i) : 0;
  }
  int fits = sum <= c->room;
  for (size_t i = first; i < end && fits; i++) {
    if (c->may[i] && c->dropped[i] != CUT_KEPT) {
      take(c, i);
    }
  }
}

static void choose(Choice *c) {
  memcpy(c->dropped, c->gone, c->u->n);
  for (size_t i = 0; i < c->u->n; i++) {
    int is_tag = (c->u->at[i].flags & (UNIT_TAG_OPEN | UNIT_TAG_CLOSE)) != 0;
    c->dropped[i] = c->may[i] && !is_tag ? CUT_OFF_TOPIC : c->dropped[i];
  }
  for (size_t i = 0; i < c->n_order; i++) {
    if (c->dropped[c->order[i].unit] != CUT_KEPT) {
      take_together(c, c->order[i].unit);
    }
  }
  cuts_empty_labels(c->u, c->dropped, c->may, c->err);
}

/* Tokens of the text that is left. */
static long long tokens_left(Choice *c) {
  Cuts cuts = {NULL, 0, 0, 0};
  Buf out;
  long long tokens = 0;
  buf_init(&out, c->n + 1);
  if (cuts_of_units(c->text, c->n, c->u, c->dropped, &cuts, c->err) == RC_OK) {
    if (cuts_apply(&cuts, c->text, c->n, &out) == RC_OK) {
      tokens = count(c, out.n ? out.data : "", out.n);
    } else {
      err_nomem(c->err);
    }
  }
  cuts_free(&cuts);
  buf_free(&out);
  return tokens;
}

static int by_score(const void *a, const void *b) {
  const Ranked *x = a, *y = b;
  return x->score != y->score ? (x->score < y->score ? 1 : -1)
                              : (x->unit > y->unit) - (x->unit < y->unit);
}

/* Which units may go, what they cost, and their order. Returns tokens of those together. */
static long long weigh(Choice *c) {
  const unsigned tags = UNIT_TAG_OPEN | UNIT_TAG_CLOSE;
  long long sum = 0;
  for (size_t i = 0; i < c->u->n; i++) {
    size_t parent = c->u->at[i].parent;
    if (parent != UNIT_NONE) {
      c->leads[parent] = 1;
    }
  }
  for (size_t i = 0; i < c->u->n && c->err->rc == RC_OK; i++) {
    const TextUnit *x = &c->u->at[i];
    c->may[i] = c->roles[i] == ROLE_CONTEXT && c->gone[i] == CUT_KEPT;
    if (c->may[i] && !(x->flags & tags)) {
      size_t from =
          i > 0 ? c->u->at[i - 1].from + c->u->at[i - 1].n : x->from; /* with the gap before it */
      c->tokens[i] = count(c, c->text + from, x->from + x->n - from);
      sum += c->tokens[i];
      if (!(x->flags & UNIT_LABEL) && !(x->flags & UNIT_TITLE && c->leads[i])) {
        c->order[c->n_order++] = (Ranked){c->scores[i], i};
      }
    }
  }
  qsort(c->order, c->n_order, sizeof *c->order, by_score);
  return sum;
}

static int is_anything_left(const Choice *c, const unsigned char *dropped) {
  for (size_t i = 0; i < c->u->n; i++) {
    if (dropped[i] == CUT_KEPT) {
      return 1;
    }
  }
  return 0;
}

/* The best of all stays, with what it hangs on. */
static void keep_best(const Choice *c, unsigned char *dropped) {
  size_t unit = c->n_order ? c->order[0].unit : UNIT_NONE;
  for (int i = 0; unit != UNIT_NONE && i < MOST_PARENTS; i++) {
    dropped[unit] = CUT_KEPT;
    unit = c->u->at[unit].parent;
  }
}

/* Chooses, and again with the room that the whole shows there is, too much or too little. The best choice that fits goes to `gone`. */
static void choose_until_it_fits(Choice *c, long long room) {
  long long best = -1;
  unsigned char *chosen = malloc(c->u->n + 1);
  if (!chosen) {
    err_nomem(c->err);
    return;
  }
  for (int i = 0; i < MOST_CHOICES && c->err->rc == RC_OK; i++) {
    c->room = room;
    choose(c);
    long long left = tokens_left(c), free_ = c->options->budget - left;
    if (free_ >= 0 && left > best && c->err->rc == RC_OK) {
      best = left;
      memcpy(chosen, c->dropped, c->u->n);
    }
    if (free_ >= 0 && free_ * 50 <= c->options->budget) {
      break;
    }
    room += free_;
  }
  if (best < 0) { /* nothing of the context: what is fixed fits */
    c->room = -1;
    choose(c);
    memcpy(chosen, c->dropped, c->u->n);
  }
  if (!is_anything_left(
          c, chosen)) { /* (a budget below the best sentence is no order to say nothing) */
    keep_best(c, chosen);
  }
  memcpy(c->gone, chosen, c->u->n);
  free(chosen);
}

static void extract(Choice *c, int *fits) {
  long long whole = count(c, c->text, c->n);
  if (whole <= c->options->budget || c->err->rc != RC_OK) {
    return;
  }
  if (score_units(c->text, c->u, c->roles, &c->options->question, c->scores, c->err) != RC_OK) {
    return;
  }
  long long sum = weigh(c);
  memcpy(c->dropped, c->gone, c->u->n);
  for (size_t i = 0; i < c->u->n; i++) {
    c->dropped[i] = c->may[i] ? CUT_OFF_TOPIC : c->dropped[i];
  }
  *fits = c->n_order > 0 && tokens_left(c) <= c->options->budget;
  if (*fits && c->err->rc == RC_OK) {
    choose_until_it_fits(c, c->options->budget - (whole > sum ? whole - sum : 0));
  }
}

int extract_find(const char *text, size_t n, const TextUnits *u, const unsigned char *roles,
                 const ExtractOptions *options, unsigned char *gone, int *fits, Err *err) {
  Choice c = {
      .text = text, .n = n, .u = u, .roles = roles, .options = options, .gone = gone, .err = err};
  *fits = 1;
  c.dropped = malloc(u->n + 1);
  c.may = calloc(u->n + 1, 1);
  c.leads = calloc(u->n + 1, 1);
  c.scores = calloc(u->n + 1, sizeof *c.scores);
  c.tokens = calloc(u->n + 1, sizeof *c.tokens);
  c.order = calloc(u->n + 1, sizeof *c.order);
  if (c.dropped && c.may && c.leads && c.scores && c.tokens && c.order) {
    extract(&c, fits);
  } else {
    err_nomem(err);
  }
  free(c.dropped);
  free(c.may);
  free(c.leads);
  free(c.scores);
  free(c.tokens);
  free(c.order);
  return err->rc;
}
