/*
** See lint.h for the contract.
*/
#include "core/lint/lint.h"

#include "core/compress/repeats.h"

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

/* The finding that was added; NULL and *err without memory. */
static LintFinding *add(Lint *out, LintKind kind, size_t from, size_t n, long long tokens,
                        Err *err) {
  if (out->n == out->cap) {
    size_t cap = out->cap ? 2 * out->cap : 8;
    LintFinding *grown = realloc(out->at, cap * sizeof *grown);
    if (!grown) {
      err_nomem(err);
      return NULL;
    }
    out->at = grown;
    out->cap = cap;
  }
  LintFinding *f = &out->at[out->n++];
  *f = (LintFinding){.kind = kind, .from = from, .n = n, .tokens = tokens};
  return f;
}

static long long count(const LintOptions *o, const char *text, size_t n, Err *err) {
  long long tokens = n ? o->count(o->arg, text, n) : 0;
  if (tokens < 0) {
    err_nomem(err);
  }
  return tokens;
}

/* --- what moves --- */

/* The text without a unit, and the unit. */
static int take_out(const char *text, size_t n, const TextUnits *u, size_t i, LintFinding *f,
                    Err *err) {
  unsigned char *gone = malloc(u->n);
  Cuts cuts = {NULL, 0, 0, 0};
  Buf out;
  buf_init(&out, n + 1);
  if (!gone) {
    return err_nomem(err);
  }
  memset(gone, CUT_KEPT, u->n);
  gone[i] = CUT_SAME;
  if (cuts_of_units(text, n, u, gone, &cuts, err) == RC_OK) {
    cuts_apply(&cuts, text, n, &out);
    f->n_changed = out.n;
    f->changed = buf_take(&out);
    f->moved = u->at[i].from;
    f->n_moved = u->at[i].n;
  }
  buf_free(&out);
  cuts_free(&cuts);
  free(gone);
  return f->changed || err->rc != RC_OK ? err->rc : err_nomem(err);
}

/* 1 if a value stands right behind a colon: "Time: 10:31" is nobody's turn. */
static int is_labelled(const char *text, const TextUnit *unit, size_t from) {
  while (from > unit->from && text[from - 1] == ' ') {
    from--;
  }
  return from > unit->from && text[from - 1] == ':';
}

/* A unit can be taken out where nothing hangs on it and it stands for itself: no heading, no item of a list, nothing long. */
static int can_move(const char *text, const TextUnits *u, const Moving *m) {
  enum { MOST = 300 };
  const TextUnit *unit = &u->at[m->unit], *next = m->unit + 1 < u->n ? unit + 1 : NULL;
  int is_text = unit->kind == BLOCK_PARAGRAPH || unit->kind == BLOCK_LINES;
  return is_text && unit->n <= MOST && !(unit->flags & (UNIT_LABEL | UNIT_REFERS)) &&
         (!(unit->flags & UNIT_TURN) || is_labelled(text, unit, m->from)) &&
         !(next && next->flags & UNIT_REFERS);
}

/* The place behind which nothing is stable any more: the end of the last unit without anything that moves. */
static size_t stable_end(const TextUnits *u, const MovingList *m) {
  size_t last = m->n;
  for (size_t i = u->n; i-- > 0;) {
    while (last > 0 && m->at[last - 1].unit > i) {
      last--;
    }
    if (!last || m->at[last - 1].unit != i) {
      return u->at[i].from + u->at[i].n;
    }
  }
  return 0;
}

/* The places in the list where another unit begins; the rest move with it. */
static size_t next_unit(const MovingList *m, size_t i) {
  size_t next = i + 1;
  while (next < m->n && m->at[next].unit == m->at[i].unit) {
    next++;
  }
  return next;
}

/* What stands before the first that moves is kept already, unless it is too short: then it is gained too. */
static long long gained_before(const char *text, const TextUnits *u, const MovingList *m,
                               const LintOptions *o, Err *err) {
  long long tokens = m->n && o->floor >= 0 ? count(o, text, u->at[m->at[0].unit].from, err) : 0;
  return tokens < o->floor ? tokens : 0;
}

static int add_moving(MovingFinder *finder, const char *text, size_t n, const TextUnits *u,
                      const MovingList *m, const LintOptions *o, Lint *out, Err *err) {
  size_t end = stable_end(u, m);
  int gains = o->floor < 0 || out->tokens >= o->floor;
  long long before = gains ? gained_before(text, u, m, o, err) : 0;
  for (size_t i = 0; i < m->n && err->rc == RC_OK; i = next_unit(m, i)) {
    const Moving *here = &m->at[i];
    size_t next = next_unit(m, i), from = u->at[here->unit].from + u->at[here->unit].n;
    size_t to = next < m->n ? u->at[m->at[next].unit].from : end;
    if (here->from >= end) {
      return RC_OK;
    }
    long long tokens = gains && to > from ? count(o, text + from, to - from, err) : 0;
    LintFinding *f = add(out, LINT_VOLATILE_PREFIX, here->from, here->n, tokens + before, err);
    before = 0;
    if (f) {
      f->moving = here->kind;
    }
    if (f && can_move(text, u, here) && moving_can_go(finder, text, u, here, err)) {
      take_out(text, n, u, here->unit, f, err);
    }
  }
  return err->rc;
}

/* --- what is said twice --- */

static int add_repeats(const char *text, const TextUnits *u, LintKind kind, CutReason reason,
                       const unsigned char *gone, const LintOptions *o, Lint *out, Err *err) {
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    if (gone[i] == reason) {
      const TextUnit *unit = &u->at[i];
      add(out, kind, unit->from, unit->n, count(o, text + unit->from, unit->n, err), err);
    }
  }
  return err->rc;
}

/* --- blanks --- */

enum {
  LEAST_PART = 100
}; /* what saves less of a text than one part in so many is not worth a word */

static int add_blanks(const char *text, size_t n, LintKind kind, unsigned method,
                      const LintOptions *o, Lint *out, Err *err) {
  const CompressOptions with = {.methods = method, .count = o->count, .arg = o->arg};
  Compressed c;
  if (compress_text(text, n, &with, &c, err) != RC_OK) {
    return err->rc;
  }
  LintFinding *f = NULL;
  if ((c.tokens_before - c.tokens_after) * LEAST_PART >= c.tokens_before &&
      c.tokens_after < c.tokens_before) {
    f = add(out, kind, 0, n, c.tokens_before - c.tokens_after, err);
  }
  if (f) {
    f->changed = c.text;
    f->n_changed = c.n;
    c.text = NULL;
  }
  compressed_free(&c);
  return err->rc;
}

static int look_at_repeats(const char *text, const TextUnits *u, const LintOptions *o, Lint *out,
                           Err *err) {
  unsigned char *gone = malloc(u->n + 1);
  if (!gone) {
    return err_nomem(err);
  }
  memset(gone, CUT_KEPT, u->n + 1);
  if (repeats_find(text, u, gone, err) == RC_OK) {
    add_repeats(text, u, LINT_DUPLICATE, CUT_SAME, gone, o, out, err);
    add_repeats(text, u, LINT_NEAR_DUPLICATE, CUT_ALMOST_SAME, gone, o, out, err);
  }
  free(gone);
  return err->rc;
}

static int look_at_moving(MovingFinder *finder, const char *text, size_t n, const TextUnits *u,
                          const LintOptions *o, Lint *out, Err *err) {
  MovingList moving = {NULL, 0, 0};
  if (moving_find(finder, text, u, &moving, err) == RC_OK) {
    moving.n = moving.n > LINT_MOST_MOVING ? LINT_MOST_MOVING : moving.n;
    add_moving(finder, text, n, u, &moving, o, out, err);
  }
  moving_free(&moving);
  return err->rc;
}

int lint_text(MovingFinder *finder, const char *text, size_t n, const LintOptions *o, Lint *out,
              Err *err) {
  TextUnits u = {NULL, 0, 0, 0};
  memset(out, 0, sizeof *out);
  out->tokens = count(o, text, n, err);
  if (err->rc == RC_OK && units_find(text, n, &u, err) == RC_OK) {
    look_at_moving(finder, text, n, &u, o, out, err);
    if (err->rc == RC_OK && out->tokens < o->floor && out->tokens >= o->floor / 2) {
      add(out, LINT_BELOW_FLOOR, 0, n, o->floor - out->tokens, err);
    }
    if (err->rc == RC_OK && look_at_repeats(text, &u, o, out, err) == RC_OK &&
        add_blanks(text, n, LINT_PRETTY_JSON, COMPRESS_JSON, o, out, err) == RC_OK) {
      add_blanks(text, n, LINT_BLANKS, COMPRESS_SPACE, o, out, err);
    }
  }
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
