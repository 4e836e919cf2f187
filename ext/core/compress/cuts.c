/*
** Cuts. See cuts.h for the contract.
*/
#include "core/compress/cuts.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[CUT_N_REASONS] = {
#define NAME(id, name) name,
    CUT_REASONS(NAME)
#undef NAME
};

const char *cut_reason_name(CutReason reason) {
  CHECK(reason < CUT_N_REASONS);
  return names[reason];
}

int cuts_add(Cuts *c, size_t from, size_t n, CutReason reason, Err *err) {
  CHECK(c->n == 0 || c->at[c->n - 1].from + c->at[c->n - 1].n <= from);
  if (n == 0 || err->rc != RC_OK) {
    return err->rc;
  }
  if (c->n == c->cap) {
    size_t cap = c->cap ? 2 * c->cap : 64;
    Cut *grown = realloc(c->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(err);
    }
    c->at = grown;
    c->cap = cap;
  }
  c->at[c->n++] = (Cut){from, n, reason};
  c->bytes += n;
  return RC_OK;
}

void cuts_free(Cuts *c) {
  free(c->at);
  *c = (Cuts){NULL, 0, 0, 0};
}

int cuts_apply(const Cuts *c, const char *text, size_t n, Buf *out) {
  size_t at = 0;
  buf_reserve(out, n - c->bytes);
  for (size_t i = 0; i < c->n && !out->failed; i++) {
    buf_add(out, text + at, c->at[i].from - at);
    at = c->at[i].from + c->at[i].n;
  }
  buf_add(out, text + at, n - at);
  return out->failed;
}

/* --- units --- */

typedef struct Gap {
  size_t from, n, line_ends;
} Gap;

static Gap gap_between(const char *text, size_t from, size_t end) {
  Gap g = {from, end - from, 0};
  for (size_t i = from; i < end; i++) {
    g.line_ends += text[i] == '\n';
  }
  return g;
}

static size_t end_of(const TextUnits *u, size_t i) {
  return u->at[i].from + u->at[i].n;
}

/* Of the gaps around the units [first, behind), which are gone, the one that stays. */
static Gap gap_to_keep(const char *text, size_t n, const TextUnits *u, size_t first,
                       size_t behind) {
  Gap best = {0, 0, 0};
  for (size_t i = first; i <= behind; i++) {
    Gap g = gap_between(text, i > 0 ? end_of(u, i - 1) : 0, i < u->n ? u->at[i].from : n);
    int is_better = g.line_ends > 0 ? g.line_ends >= best.line_ends : best.n == 0;
    best = i == first || is_better ? g : best;
  }
  if (first > 0 && u->at[first - 1].flags & UNIT_LABEL && u->at[first - 1].flags & UNIT_ITEM) {
    best = gap_between(text, end_of(u, first - 1), u->at[first].from); /* behind a marker its own */
  }
  if (first == 0 || behind == u->n) { /* none at the text's ends */
    best.n = 0;
  }
  return best;
}

/* Cuts [from, end) but for the gap that stays. */
static void cut_around(size_t from, size_t end, const Gap *stays, CutReason reason, Cuts *out,
                       Err *err) {
  if (stays->n > 0 && stays->from >= from && stays->from + stays->n <= end) {
    cuts_add(out, from, stays->from - from, reason, err);
    from = stays->from + stays->n;
  }
  cuts_add(out, from, end - from, reason, err);
}

int cuts_of_units(const char *text, size_t n, const TextUnits *u, const unsigned char *gone,
                  Cuts *out, Err *err) {
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    if (gone[i] == CUT_KEPT) {
      continue;
    }
    size_t first = i, at = first > 0 ? end_of(u, first - 1) : 0;
    while (i < u->n && gone[i] != CUT_KEPT) {
      i++;
    }
    Gap stays = gap_to_keep(text, n, u, first, i);
    for (size_t k = first; k < i; k++) {
      cut_around(at, end_of(u, k), &stays, (CutReason)gone[k], out, err);
      at = end_of(u, k);
    }
    cut_around(at, i < u->n ? u->at[i].from : n, &stays, (CutReason)gone[i - 1], out, err);
  }
  return err->rc;
}

/* Labels from the last one on: what hangs on each is behind it. */
static void empty_headings(const TextUnits *u, unsigned char *gone, const unsigned char *may,
                           unsigned char *has) {
  /* has: 1 something hung on it, 2 something still does */
  for (size_t i = u->n; i-- > 0;) {
    const TextUnit *x = &u->at[i];
    int is_label = x->flags & UNIT_LABEL || (may && x->flags & UNIT_TITLE);
    if (is_label && has[i] == 1 && (!may || may[i])) {
      gone[i] = CUT_NOTHING_LEFT;
    }
    if (x->parent != UNIT_NONE) {
      CHECK(x->parent < i);
      has[x->parent] |= gone[i] == CUT_KEPT ? 3 : 1;
    }
  }
}

/* Pairs of tags; the deepest that are looked at. */
enum { MOST_TAGS = 64 };

static void empty_tags(const TextUnits *u, unsigned char *gone, const unsigned char *may) {
  struct {
    size_t unit;
    int had, has;
  } open[MOST_TAGS];
  int depth = 0;
  for (size_t i = 0; i < u->n; i++) {
    unsigned flags = u->at[i].flags;
    if (flags & UNIT_TAG_OPEN && depth < MOST_TAGS) {
      open[depth].unit = i;
      open[depth].had = open[depth].has = 0;
      depth++;
    } else if (flags & UNIT_TAG_CLOSE && depth > 0) {
      depth--;
      size_t first = open[depth].unit;
      int is_empty = open[depth].had && !open[depth].has && (!may || (may[first] && may[i]));
      if (is_empty) {
        gone[first] = gone[i] = CUT_NOTHING_LEFT;
      }
      if (depth > 0) {
        open[depth - 1].had = 1;
        open[depth - 1].has |= !is_empty;
      }
    } else if (depth > 0) {
      open[depth - 1].had = 1;
      open[depth - 1].has |= gone[i] == CUT_KEPT;
    }
  }
}

int cuts_empty_labels(const TextUnits *u, unsigned char *gone, const unsigned char *may, Err *err) {
  unsigned char *has = calloc(u->n + 1, 1);
  if (!has) {
    return err_nomem(err);
  }
  empty_headings(u, gone, may, has);
  free(has);
  empty_tags(u, gone, may);
  return err->rc;
}

/* --- places in the text that it was at first --- */

int origins_whole(Origins *p, size_t n, Err *err) {
  p->at = malloc(sizeof *p->at);
  if (!p->at) {
    return err_nomem(err);
  }
  p->at[0] = (Origin){0, 0, n};
  p->n = 1;
  return err->rc;
}

int origins_cut(Origins *p, const Cuts *c, Err *err) {
  Origin *made = malloc((p->n + c->n + 1) * sizeof *made);
  if (!made || err->rc != RC_OK) {
    free(made);
    return err_nomem(err);
  }
  size_t n = 0, out = 0, k = 0;
  for (size_t i = 0; i < p->n; i++) {
    size_t at = p->at[i].at, end = at + p->at[i].n;
    while (at < end) {
      while (k < c->n && c->at[k].from + c->at[k].n <= at) {
        k++;
      }
      size_t from = k < c->n && c->at[k].from < end ? c->at[k].from : end;
      if (from > at) {
        made[n++] = (Origin){out, p->at[i].from + (at - p->at[i].at), from - at};
        out += from - at;
      }
      at = from < end ? c->at[k].from + c->at[k].n : end;
      at = at > end ? end : at;
    }
  }
  free(p->at);
  p->at = made;
  p->n = n;
  return RC_OK;
}

size_t origins_find(const Origins *p, size_t at) {
  size_t low = 0, high = p->n;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    p->at[middle].at <= at ? (low = middle) : (high = middle);
  }
  return p->n > 0 ? p->at[low].from + (at - p->at[low].at) : at;
}

void origins_free(Origins *p) {
  free(p->at);
  *p = (Origins){NULL, 0};
}
