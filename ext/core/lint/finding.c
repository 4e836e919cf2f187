/*
** See finding.h for the contract.
*/
#include "core/lint/finding.h"

#include <stdlib.h>
#include <string.h>

LintFinding *lint_add(LintWork *w, LintKind kind, size_t from, size_t n, long long tokens) {
  Lint *out = w->out;
  if (w->err->rc != RC_OK) {
    return NULL;
  }
  if (out->n == out->cap) {
    size_t cap = out->cap ? 2 * out->cap : 8;
    LintFinding *grown = realloc(out->at, cap * sizeof *grown);
    if (!grown) {
      err_nomem(w->err);
      return NULL;
    }
    out->at = grown;
    out->cap = cap;
  }
  LintFinding *f = &out->at[out->n++];
  *f = (LintFinding){.kind = kind, .from = from, .n = n, .tokens = tokens};
  return f;
}

long long lint_count(const LintWork *w, size_t from, size_t n) {
  long long tokens = n ? w->options->count(w->options->arg, w->text + from, n) : 0;
  if (tokens < 0) {
    err_nomem(w->err);
  }
  return tokens;
}

size_t lint_stable_end(const LintWork *w) {
  size_t last = w->moving->n;
  for (size_t i = w->u->n; i-- > 0;) {
    while (last > 0 && w->moving->at[last - 1].unit > i) {
      last--;
    }
    if (!last || w->moving->at[last - 1].unit != i) {
      return w->u->at[i].from + w->u->at[i].n;
    }
  }
  return 0;
}

/* Takes the text without its cuts. */
static int set_changed(LintWork *w, LintFinding *f, const Cuts *cuts) {
  Buf out;
  buf_init(&out, w->n + 1);
  cuts_apply(cuts, w->text, w->n, &out);
  if (!out.failed && out.n == 0) { /* that is all there is */
    buf_free(&out);
    return w->err->rc;
  }
  f->n_changed = out.n;
  f->changed = buf_take(&out);
  return f->changed ? RC_OK : err_nomem(w->err);
}

int lint_without_bytes(LintWork *w, LintFinding *f, size_t from, size_t n) {
  Cuts cuts = {NULL, 0, 0, 0};
  if (cuts_add(&cuts, from, n, CUT_SAME, w->err) == RC_OK) {
    set_changed(w, f, &cuts);
  }
  cuts_free(&cuts);
  return w->err->rc;
}

int lint_without_units(LintWork *w, LintFinding *f, size_t first, size_t behind, int labels) {
  unsigned char *gone = malloc(w->u->n + 1);
  Cuts cuts = {NULL, 0, 0, 0};
  if (!gone) {
    return err_nomem(w->err);
  }
  memset(gone, CUT_KEPT, w->u->n + 1);
  memset(gone + first, CUT_SAME, behind - first);
  if ((!labels || cuts_empty_labels(w->u, gone, NULL, w->err) == RC_OK) &&
      cuts_of_units(w->text, w->n, w->u, gone, &cuts, w->err) == RC_OK) {
    set_changed(w, f, &cuts);
  }
  cuts_free(&cuts);
  free(gone);
  return w->err->rc;
}
