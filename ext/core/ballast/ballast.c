/*
** See ballast.h for the contract.
*/
#include "core/ballast/ballast.h"

#include "base/check.h"

#include <stdlib.h>

Ballast ballast_of_unit(const TextUnits *u, size_t i) {
  const TextUnit *x = &u->at[i];
  int ends_block = i + 1 == u->n || u->at[i + 1].block != x->block;
  int is_item = x->flags & UNIT_ITEM && ends_block && i > 0 && x->parent == i - 1 &&
                u->at[i - 1].flags & UNIT_LABEL;
  size_t first = is_item ? i - 1 : i, from = u->at[first].from;
  return (Ballast){from, x->from + x->n - from, first, i + 1, 0};
}

int ballast_leads_in(const char *text, const TextUnit *x) {
  size_t end = x->from + x->n;
  while (end > x->from + 1 && (text[end - 1] == '*' || text[end - 1] == '_')) {
    end--;
  }
  return text[end - 1] == ':';
}

int ballast_add(BallastList *list, const Ballast *b, Err *err) {
  CHECK(list->n == 0 || list->at[list->n - 1].from + list->at[list->n - 1].n <= b->from);
  if (list->n == list->cap && err->rc == RC_OK) {
    size_t cap = list->cap ? 2 * list->cap : 8;
    Ballast *grown = realloc(list->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(err);
    }
    list->at = grown;
    list->cap = cap;
  }
  if (err->rc == RC_OK) {
    list->at[list->n++] = *b;
  }
  return err->rc;
}

void ballast_free(BallastList *list) {
  free(list->at);
  *list = (BallastList){NULL, 0, 0};
}
