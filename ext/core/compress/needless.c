/*
** See needless.h for the contract.
*/
#include "core/compress/needless.h"

#include "core/ballast/filler.h"
#include "core/ballast/format_prose.h"
#include "core/ballast/places.h"

#include <stdlib.h>
#include <string.h>

/* One text, and what is known of it. */
typedef struct Work {
  const char *text;
  size_t n;
  const TextUnits *u;
  Examples examples;
  unsigned task;                /* what is asked of it */
  unsigned char *places, *gone; /* owned; of each unit */
  BallastList found;
} Work;

static int open_work(Work *w, const char *text, size_t n, const TextUnits *u, Err *err) {
  *w = (Work){.text = text, .n = n, .u = u};
  if (examples_find(text, n, u, &w->examples, err) != RC_OK ||
      task_find(text, u, &w->examples, &w->task, err) != RC_OK) {
    return err->rc;
  }
  w->places = malloc(u->n + 1);
  w->gone = malloc(u->n + 1);
  if (!w->places || !w->gone) {
    return err_nomem(err);
  }
  memset(w->gone, CUT_KEPT, u->n + 1);
  return places_find(text, u, &w->examples, w->places, err);
}

static void close_work(Work *w) {
  ballast_free(&w->found);
  free(w->gone);
  free(w->places);
  examples_free(&w->examples);
}

/* The units within an example go, if it is made of whole ones. */
static void drop_example(Work *w, const Example *e, size_t *unit) {
  size_t end = e->from + e->n, first;
  while (*unit < w->u->n && w->u->at[*unit].from < e->from) {
    (*unit)++;
  }
  for (first = *unit; *unit < w->u->n && w->u->at[*unit].from < end;) {
    (*unit)++;
  }
  const TextUnit *last = *unit > first ? &w->u->at[*unit - 1] : NULL;
  const TextUnit *before = first > 0 ? &w->u->at[first - 1] : NULL;
  if (last && last->from + last->n <= end && !(before && before->from + before->n > e->from)) {
    memset(w->gone + first, CUT_EXAMPLE, *unit - first);
  }
}

static int find_examples(Work *w, Err *err) {
  size_t unit = 0;
  if (examples_compare(w->text, &w->examples, err) == RC_OK) {
    for (size_t i = 0; i < w->examples.n; i++) {
      if (w->examples.at[i].repeats != EXAMPLE_NONE) {
        drop_example(w, &w->examples.at[i], &unit);
      }
    }
  }
  return err->rc;
}

static void drop_units(Work *w, CutReason kind) {
  for (size_t i = 0; i < w->found.n; i++) {
    const Ballast *b = &w->found.at[i];
    if (!b->is_phrase) {
      memset(w->gone + b->first, (int)kind, b->behind - b->first);
    }
  }
}

/* Those of the units, and those of phrases in units that stay, by place. */
static int join(const Work *w, CutReason kind, const Cuts *units, Cuts *out, Err *err) {
  size_t k = 0;
  for (size_t i = 0; i < w->found.n && err->rc == RC_OK; i++) {
    const Ballast *b = &w->found.at[i];
    if (!b->is_phrase || w->gone[b->first] != CUT_KEPT) {
      continue;
    }
    while (k < units->n && units->at[k].from < b->from) {
      cuts_add(out, units->at[k].from, units->at[k].n, units->at[k].reason, err);
      k++;
    }
    cuts_add(out, b->from, b->n, kind, err);
  }
  for (; k < units->n && err->rc == RC_OK; k++) {
    cuts_add(out, units->at[k].from, units->at[k].n, units->at[k].reason, err);
  }
  return err->rc;
}

static int find(Work *w, CutReason kind, const JsonFields *fields, Err *err) {
  unsigned is_data = w->task & (kind == CUT_EXAMPLE ? TASK_ON_EXAMPLES : TASK_ON_TEXT);
  if (kind != CUT_SCHEMA && is_data) {
    return RC_OK;
  }
  return kind == CUT_EXAMPLE  ? find_examples(w, err)
         : kind == CUT_FILLER ? filler_find(w->text, w->u, w->places, &w->found, err)
         : fields             ? format_prose_find(w->text, w->u, w->places, fields, &w->found, err)
                              : RC_OK;
}

int needless_find(const char *text, size_t n, const TextUnits *u, CutReason kind,
                  const JsonFields *fields, Cuts *out, Err *err) {
  Work w;
  Cuts units = {NULL, 0, 0, 0};
  if (open_work(&w, text, n, u, err) == RC_OK && find(&w, kind, fields, err) == RC_OK) {
    drop_units(&w, kind);
    if (cuts_empty_labels(u, w.gone, NULL, err) == RC_OK &&
        cuts_of_units(text, n, u, w.gone, &units, err) == RC_OK) {
      join(&w, kind, &units, out, err);
    }
  }
  cuts_free(&units);
  close_work(&w);
  return err->rc;
}
