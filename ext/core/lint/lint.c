/*
** See lint.h for the contract.
*/
#include "core/lint/lint.h"

#include "core/ballast/filler.h"
#include "core/ballast/format_prose.h"
#include "core/ballast/cues.h"
#include "core/compress/repeats.h"
#include "core/lint/finding.h"
#include "core/split/terms.h"

#include <stdlib.h>
#include <string.h>

const char *lint_kind_name(LintKind kind) {
  static const char *const names[] = {
#define LINT_NAME_OF(id, name) name,
      LINT_KINDS(LINT_NAME_OF)
#undef LINT_NAME_OF
  };
  return names[kind];
}

/* --- what moves --- */

/* 1 if a value stands right behind a colon: "Time: 10:31" is nobody's turn. */
static int is_labelled(const char *text, const TextUnit *unit, size_t from) {
  while (from > unit->from && text[from - 1] == ' ') {
    from--;
  }
  return from > unit->from && text[from - 1] == ':';
}

/* 1 if a heading or label speaks of material: "Log:", "Text". */
static int speaks_of_material(const LintWork *w, const TextUnit *x) {
  TermWalk walk;
  Term t;
  terms_begin(&walk, w->text, x->from, x->from + x->n);
  while (terms_next(&walk, &t)) {
    if (cues_of(t.key) & (CUE_GIVEN | CUE_WORDING | CUE_INPUT)) {
      return 1;
    }
  }
  return 0;
}

/* 1 if what stands over a unit, or leads it in within its block, says that it is material; or if the text is. */
static int is_material(const LintWork *w, size_t unit) {
  enum { MOST = 8 };
  const TextUnit *at = w->u->at;
  size_t parent = at[unit].parent, before = unit;
  int is = w->places[unit] || w->task & TASK_ON_TEXT;
  for (int depth = 0; !is && parent != UNIT_NONE && depth < MOST; depth++) {
    is = speaks_of_material(w, &at[parent]);
    parent = at[parent].parent;
  }
  if (!is && unit > 0 && !(at[unit - 1].flags & UNIT_LABEL)) { /* a line without a stop: a title */
    const TextUnit *x = &at[unit - 1];
    is = !strchr(".!?", w->text[x->from + x->n - 1]) && speaks_of_material(w, x);
  }
  for (int n = 0; !is && before > 0 && at[before - 1].block == at[unit].block && n < MOST; n++) {
    before--;
    is = ballast_leads_in(w->text, &at[before]) && speaks_of_material(w, &at[before]);
  }
  return is;
}

/* A unit can be taken out where nothing hangs on it and it stands for itself: no heading, no item of a list, nothing
** long. */
static int can_move(const char *text, const TextUnits *u, const Moving *m) {
  enum { MOST = 300 };
  const TextUnit *unit = &u->at[m->unit], *next = m->unit + 1 < u->n ? unit + 1 : NULL;
  int is_text = unit->kind == BLOCK_PARAGRAPH || unit->kind == BLOCK_LINES;
  return is_text && unit->n <= MOST && !(unit->flags & (UNIT_LABEL | UNIT_REFERS)) &&
         (!(unit->flags & UNIT_TURN) || is_labelled(text, unit, m->from)) &&
         !(next && next->flags & UNIT_REFERS);
}

/* What moves most often of a unit counts for it: that of place i, up to that in front of `next`. */
static const Moving *most_often(const MovingList *m, size_t i, size_t next) {
  while (i + 1 < next && m->at[i].kind == MOVING_DAY) {
    i++;
  }
  return &m->at[i];
}

/* The places in the list where another unit begins; the rest move with it. */
static size_t next_unit(const MovingList *m, size_t i) {
  size_t next = i + 1;
  while (next < m->n && m->at[next].unit == m->at[i].unit) {
    next++;
  }
  return next;
}

static size_t unit_end(const LintWork *w, size_t i) {
  return w->u->at[i].from + w->u->at[i].n;
}

/* Without what moves the prompt is long enough to be kept. */
static int gains(const LintWork *w) {
  return w->options->floor < 0 || w->stable >= w->options->floor;
}

/* In front of which unit of the list, from place i on, something stands that moves as often. */
static size_t next_as_often(const MovingList *m, size_t i, MovingKind kind) {
  size_t next = next_unit(m, i);
  while (next < m->n && kind != MOVING_DAY &&
         most_often(m, next, next_unit(m, next))->kind == MOVING_DAY) {
    next = next_unit(m, next);
  }
  return next;
}

/* What stands before the first that moves is kept already, unless it is too short: then it is gained too. */
static long long gained_before(const LintWork *w) {
  const MovingList *m = w->moving;
  long long floor = w->options->floor;
  long long tokens =
      m->n && floor >= 0 && gains(w) ? lint_count(w, 0, w->u->at[m->at[0].unit].from) : 0;
  return tokens < floor ? tokens : 0;
}

/* Adds one that moves, with what it costs. */
static void add_one(LintWork *w, size_t i, long long tokens, int at_end) {
  const Moving *here = most_often(w->moving, i, next_unit(w->moving, i));
  LintFinding *f = lint_add(w, LINT_VOLATILE_PREFIX, here->from, here->n, tokens);
  if (!f) {
    return;
  }
  f->moving = here->kind;
  f->at_end = at_end;
  if (can_move(w->text, w->u, here) && !is_material(w, here->unit) &&
      moving_can_go(w->finder, w->text, w->u, w->moving, (size_t)(here - w->moving->at), w->err) &&
      lint_without_units(w, f, here->unit, here->unit + 1, 0) == RC_OK) {
    f->moved = w->u->at[here->unit].from;
    f->n_moved = w->u->at[here->unit].n;
  }
}

/* What ends the text and moves: a mark behind it is never read. One finding: what is in front of the first of these. */
static void add_at_end(LintWork *w, size_t i, int is_first) {
  const Moving *here = &w->moving->at[i];
  if (w->options->wants_marks && is_first) {
    size_t from = w->u->at[here->unit].from;
    long long tokens = lint_count(w, 0, from);
    add_one(w, i, w->options->floor < 0 || tokens >= w->options->floor ? tokens : 0, 1);
  }
}

static int look_at_moving(LintWork *w) {
  const MovingList *m = w->moving;
  size_t end = lint_stable_end(w);
  long long before = gained_before(w);
  int is_behind =
      0; /* what is behind one that moves at each request is paid each time, whatever moves daily */
  for (size_t i = 0; i < m->n && w->err->rc == RC_OK; i = next_unit(m, i)) {
    MovingKind kind = most_often(m, i, next_unit(m, i))->kind;
    size_t next = next_as_often(m, i, kind), from = unit_end(w, m->at[i].unit);
    size_t to = next < m->n ? w->u->at[m->at[next].unit].from : end;
    if (m->at[i].from >= end) {
      add_at_end(w, i, w->out->n == 0);
      return w->err->rc;
    }
    int counts = gains(w) && to > from && !(is_behind && kind == MOVING_DAY);
    long long tokens = counts ? lint_count(w, from, to - from) : 0;
    add_one(w, i, tokens + before, 0);
    before = 0;
    is_behind |= kind != MOVING_DAY;
  }
  return w->err->rc;
}

/* --- what is said twice --- */

static void add_repeats(LintWork *w, LintKind kind, CutReason reason, const unsigned char *gone) {
  int n = 0;
  for (size_t i = 0; i < w->u->n && n < LINT_MOST_FOUND && w->err->rc == RC_OK; i++) {
    if (gone[i] == reason) {
      n++;
      const TextUnit *unit = &w->u->at[i];
      lint_add(w, kind, unit->from, unit->n, lint_count(w, unit->from, unit->n));
    }
  }
}

static int look_at_repeats(LintWork *w) {
  if (w->task & TASK_ON_TEXT) {
    return RC_OK;
  }
  unsigned char *gone = malloc(w->u->n + 1);
  if (!gone) {
    return err_nomem(w->err);
  }
  memset(gone, CUT_KEPT, w->u->n + 1);
  if (repeats_find(w->text, w->u, REPEATS_TELL, gone, w->err) == RC_OK) {
    add_repeats(w, LINT_DUPLICATE, CUT_SAME, gone);
    add_repeats(w, LINT_NEAR_DUPLICATE, CUT_ALMOST_SAME, gone);
  }
  free(gone);
  return w->err->rc;
}

/* --- blanks --- */

enum {
  LEAST_PART = 100
}; /* what saves less of a text than one part in so many is not worth a word */

static int add_blanks(LintWork *w, LintKind kind, unsigned method) {
  const LintOptions *o = w->options;
  const CompressOptions with = {.methods = method, .count = o->count, .arg = o->arg};
  Compressed c;
  if (compress_text(w->text, w->n, &with, &c, w->err) != RC_OK) {
    return w->err->rc;
  }
  LintFinding *f = NULL;
  if ((c.tokens_before - c.tokens_after) * LEAST_PART >= c.tokens_before &&
      c.tokens_after < c.tokens_before) {
    f = lint_add(w, kind, 0, w->n, c.tokens_before - c.tokens_after);
  }
  if (f) {
    f->changed = c.text;
    f->n_changed = c.n;
    c.text = NULL;
  }
  compressed_free(&c);
  return w->err->rc;
}

/* --- ballast --- */

/* Those that repeat another, and all of them together. */
static int look_at_examples(LintWork *w) {
  const Examples *e = w->examples;
  long long tokens = 0, n = 0;
  for (size_t i = 0; i < e->n && w->err->rc == RC_OK; i++) {
    const Example *x = &e->at[i];
    long long of_one = lint_count(w, x->from, x->n);
    tokens += of_one;
    int repeats = x->repeats != EXAMPLE_NONE && !(w->task & TASK_ON_EXAMPLES);
    LintFinding *f = repeats && n++ < LINT_MOST_FOUND
                         ? lint_add(w, LINT_EXAMPLE_REPEATS, x->from, x->n, of_one)
                         : NULL;
    if (f) {
      f->other = e->at[x->repeats].from;
      f->n_other = e->at[x->repeats].n;
    }
  }
  if (e->n && (e->n >= LINT_FEW || tokens * 5 >= w->out->tokens)) {
    const Example *last = &e->at[e->n - 1];
    LintFinding *f =
        lint_add(w, LINT_FEW_SHOT, e->at[0].from, last->from + last->n - e->at[0].from, tokens);
    if (f) {
      f->examples = (long long)e->n;
    }
  }
  return w->err->rc;
}

/* Adds what a list holds; `may_change`: the text can do without it as it is. */
static int add_ballast(LintWork *w, LintKind kind, const BallastList *list, int may_change) {
  for (size_t i = 0; i < list->n && i < LINT_MOST_FOUND && w->err->rc == RC_OK; i++) {
    const Ballast *b = &list->at[i];
    int blank =
        b->is_phrase && w->text[b->from + b->n - 1] == ' '; /* it is the next word's token */
    long long tokens = lint_count(w, b->from, b->n - (size_t)blank);
    LintFinding *f = lint_add(w, kind, b->from, b->n, tokens);
    if (f && may_change && b->is_phrase) {
      lint_without_bytes(w, f, b->from, b->n);
    } else if (f && may_change) {
      lint_without_units(w, f, b->first, b->behind, 1);
    }
  }
  return w->err->rc;
}

static int look_at_ballast(LintWork *w) {
  BallastList format = {NULL, 0, 0}, filler = {NULL, 0, 0};
  const JsonFields *fields = w->options->fields;
  if (format_prose_find(w->text, w->u, w->places, fields, &format, w->err) == RC_OK &&
      add_ballast(w, LINT_FORMAT_PROSE, &format, fields != NULL) == RC_OK &&
      !(w->task & TASK_ON_TEXT) &&
      filler_find(w->text, w->u, w->places, &filler, w->err) == RC_OK) {
    add_ballast(w, LINT_FILLER, &filler, 1);
  }
  ballast_free(&format);
  ballast_free(&filler);
  return w->err->rc;
}

/* --- all of it --- */

static int look_at_floor(LintWork *w) {
  long long floor = w->options->floor, tokens = w->stable;
  if (tokens < floor && tokens >= floor / 2) {
    lint_add(w, LINT_BELOW_FLOOR, 0, w->n, floor - tokens);
  }
  return w->err->rc;
}

static int look_at_json_blanks(LintWork *w) {
  return add_blanks(w, LINT_PRETTY_JSON, COMPRESS_JSON);
}

static int look_at_blanks(LintWork *w) {
  return add_blanks(w, LINT_BLANKS, COMPRESS_SPACE);
}

/* In the order of the kinds. */
static int (*const looks[])(LintWork *) = {
    look_at_moving,   lint_order,      look_at_floor,       look_at_repeats, lint_contradictions,
    look_at_examples, look_at_ballast, look_at_json_blanks, look_at_blanks,  lint_length};

/* What several of them need. */
static int prepare(LintWork *w, TextUnits *u, MovingList *moving, Examples *examples,
                   unsigned char **places) {
  w->out->tokens = lint_count(w, 0, w->n);
  if (w->err->rc != RC_OK || units_find(w->text, w->n, u, w->err) != RC_OK ||
      moving_find(w->finder, w->text, u, moving, w->err) != RC_OK ||
      moving_add_seen(u, w->options->moves, w->options->n_moves, moving, w->err) != RC_OK ||
      examples_find(w->text, w->n, u, examples, w->err) != RC_OK ||
      examples_compare(w->text, examples, w->err) != RC_OK ||
      task_find(w->text, u, examples, &w->task, w->err) != RC_OK) {
    return w->err->rc;
  }
  moving->n = moving->n > LINT_MOST_MOVING ? LINT_MOST_MOVING : moving->n;
  w->stable = w->out->tokens;
  for (size_t i = 0; i < moving->n; i = next_unit(moving, i)) {
    const TextUnit *x = &u->at[moving->at[i].unit];
    w->stable -= lint_count(w, x->from, x->n);
  }
  *places = malloc(u->n + 1);
  return *places ? places_find(w->text, u, examples, *places, w->err) : err_nomem(w->err);
}

int lint_text(MovingFinder *finder, const char *text, size_t n, const LintOptions *o, Lint *out,
              Err *err) {
  TextUnits u = {NULL, 0, 0, 0};
  MovingList moving = {NULL, 0, 0};
  Examples examples = {NULL, 0, 0};
  unsigned char *places = NULL;
  LintWork w = {.text = text, .n = n, .options = o, .finder = finder, .out = out, .err = err};
  memset(out, 0, sizeof *out);
  prepare(&w, &u, &moving, &examples, &places);
  w.u = &u;
  w.moving = &moving;
  w.examples = &examples;
  w.places = places;
  for (size_t i = 0; i < sizeof looks / sizeof *looks && err->rc == RC_OK; i++) {
    looks[i](&w);
  }
  free(places);
  examples_free(&examples);
  moving_free(&moving);
  units_free(&u);
  if (err->rc != RC_OK) {
    lint_free(out);
  }
  return err->rc;
}

void lint_free(Lint *l) {
  for (size_t i = 0; i < l->n; i++) {
    free(l->at[i].changed);
  }
  free(l->at);
  memset(l, 0, sizeof *l);
}
