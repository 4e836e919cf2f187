/*
** See order.h and finding.h for the contract.
**
** Two texts are the same in another order where each unit of one stands in the other, as often, and their rows are not the same:
** where some are others, what changed is more than the order. Units are compared by hashes, a mark in the place of what moves: of JSON by one that no order changes
** (the members of objects, the elements of arrays), so that tools printed with other members in front are found.
*/
#include "core/lint/order.h"

#include "base/text/json.h"
#include "core/lint/finding.h"

#include <stdlib.h>
#include <string.h>

/* A unit of one of the texts. */
typedef struct Piece {
  uint64_t key;   /* whatever the order in it */
  uint64_t bytes; /* as it stands */
  size_t unit;
} Piece;

typedef struct Pieces {
  Piece *at; /* owned */
  size_t n;
} Pieces;

static uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t pair[2] = {a, b};
  return hash_short(pair, sizeof pair);
}

/* --- hashes --- */

static uint64_t hash_json(const cJSON *value) {
  uint64_t sum = (uint64_t)(value->type & 0xFF) * 0x9E3779B97F4A7C15u;
  const cJSON *member;
  if (cJSON_IsString(value) || cJSON_IsRaw(value)) {
    sum += hash_short(value->valuestring, strlen(value->valuestring));
  } else if (cJSON_IsNumber(value)) {
    sum += hash_short(&value->valuedouble, sizeof value->valuedouble);
  }
  cJSON_ArrayForEach(member, value) {
    uint64_t name = member->string ? hash_short(member->string, strlen(member->string)) : 0;
    sum += mix(name, hash_json(member)); /* a sum: whatever the order */
  }
  return mix(sum, 1);
}

/* Of a unit's bytes, a mark in the place of what moves. */
static uint64_t hash_unit(const char *text, const TextUnit *x, size_t unit,
                          const MovingList *moving, size_t *m) {
  size_t at = x->from, end = x->from + x->n;
  uint64_t h = 0;
  while (*m < moving->n && moving->at[*m].unit < unit) {
    ++*m;
  }
  for (; *m < moving->n && moving->at[*m].unit == unit; ++*m) {
    const Moving *here = &moving->at[*m];
    h = mix(mix(h, hash_short(text + at, here->from - at)), (uint64_t)here->kind + 1);
    at = here->from + here->n;
  }
  return mix(h, hash_short(text + at, end - at));
}

/* Of JSON whatever its order; of anything else `otherwise`. */
static uint64_t hash_loosely(const char *text, const TextUnit *x, uint64_t otherwise, Err *err) {
  if (x->kind != BLOCK_JSON && x->kind != BLOCK_FENCED_JSON) {
    return otherwise;
  }
  const char *t = text + x->from;
  size_t from = 0, to = x->n;
  while (from < to && t[from] != '{' && t[from] != '[') {
    from++;
  }
  while (to > from && t[to - 1] != '}' && t[to - 1] != ']') {
    to--;
  }
  Err why = {0};
  cJSON *doc = json_parse(t + from, to - from, "it", &why);
  if (!doc && why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  uint64_t h = doc ? hash_json(doc) : otherwise;
  cJSON_Delete(doc);
  return h;
}

static void put_hash(Hash *h, uint64_t a, uint64_t b) {
  memcpy(h->b, &a, sizeof a);
  memcpy(h->b + sizeof a, &b, sizeof b);
}

int order_hash(const char *text, const TextUnits *u, const MovingList *moving, Hash *sequence,
               Hash *set, Err *err) {
  uint64_t row = 0, sum = 0, sum_of_mixed = 0;
  size_t m = 0;
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    uint64_t bytes = hash_unit(text, &u->at[i], i, moving, &m);
    uint64_t loose = hash_loosely(text, &u->at[i], bytes, err);
    row = mix(row, bytes);
    sum += loose;
    sum_of_mixed += mix(loose, 7);
  }
  put_hash(sequence, row, mix(row, 7));
  put_hash(set, sum, sum_of_mixed);
  return err->rc;
}

/* --- two texts --- */

static int pieces_make(const char *text, const TextUnits *u, const MovingList *moving, Pieces *out,
                       Err *err) {
  size_t m = 0;
  out->at = malloc((u->n + 1) * sizeof *out->at);
  if (!out->at) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    const TextUnit *x = &u->at[i];
    uint64_t bytes = hash_unit(text, x, i, moving, &m);
    out->at[out->n++] = (Piece){hash_loosely(text, x, bytes, err), bytes, i};
  }
  return err->rc;
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* The keys in an order of their own. Owned; NULL and *err without memory. */
static uint64_t *sorted(const Pieces *p, Err *err) {
  uint64_t *out = malloc((p->n + 1) * sizeof *out);
  if (!out) {
    err_nomem(err);
    return NULL;
  }
  for (size_t i = 0; i < p->n; i++) {
    out[i] = p->at[i].key;
  }
  qsort(out, p->n, sizeof *out, by_value);
  return out;
}

/* 1 if both are made of the same pieces, each as often. */
static int are_the_same(const Pieces *a, const Pieces *b, Err *err) {
  uint64_t *x = a->n == b->n ? sorted(a, err) : NULL, *y = x ? sorted(b, err) : NULL;
  int same = y && memcmp(x, y, a->n * sizeof *x) == 0;
  free(x);
  free(y);
  return same;
}

/* The first unit of `a`, of the same pieces as `b`, that stands elsewhere there, or is another order in itself; of an item what is
** behind its marker. UNIT_NONE. */
static size_t first_moved(const TextUnits *u, const Pieces *a, const Pieces *b) {
  for (size_t i = 0; i < a->n; i++) {
    if (a->at[i].bytes != b->at[i].bytes) {
      const TextUnit *x = &u->at[a->at[i].unit];
      int is_marker = x->flags & UNIT_LABEL && x->flags & UNIT_ITEM;
      return a->at[i].unit + (is_marker && i + 1 < a->n ? 1 : 0);
    }
  }
  return UNIT_NONE;
}

/* --- a list in an order of its own --- */

typedef struct Item {
  const char *text;
  size_t from, n;
} Item;

static int by_bytes(const void *a, const void *b) {
  const Item *x = a, *y = b;
  int c = memcmp(x->text + x->from, y->text + y->from, x->n < y->n ? x->n : y->n);
  return c ? c : (x->n > y->n) - (x->n < y->n);
}

static int is_bullet(const char *text, const TextUnit *x) {
  return x->kind == BLOCK_ITEM && x->flags & UNIT_FIRST && x->n == 1 &&
         strchr("-*+", text[x->from]);
}

/* 1 if a line of [from, end) begins at the margin: behind the last item it may belong to none. */
static int has_line_at_margin(const char *text, size_t from, size_t end) {
  for (size_t i = from; i + 1 < end; i++) {
    if (text[i] == '\n' && text[i + 1] != ' ' && text[i + 1] != '\t') {
      return 1;
    }
  }
  return 0;
}

/* The items of the list that holds a unit, by whole blocks, in *items (owned); returns their number, 0 where it is
** no list of bullets, one of
** them means another ("This", "Then"), or has a line below that need not be its. */
static size_t list_of(const LintWork *w, size_t unit, Item **items) {
  const TextUnits *u = w->u;
  size_t first = unit, end = unit, n = 0;
  while (first > 0 && u->at[first - 1].kind == BLOCK_ITEM) {
    first--;
  }
  while (end < u->n && u->at[end].kind == BLOCK_ITEM) {
    end++;
  }
  *items = malloc((end - first + 1) * sizeof **items);
  if (!*items) {
    err_nomem(w->err);
    return 0;
  }
  for (size_t i = first; i < end; i++) {
    const TextUnit *x = &u->at[i];
    int begins = i == first || u->at[i - 1].block != x->block;
    if ((begins && !is_bullet(w->text, x)) || x->flags & UNIT_REFERS) {
      return 0;
    }
    n += (size_t)begins;
    (*items)[n - 1].text = w->text;
    (*items)[n - 1].from = begins ? x->from : (*items)[n - 1].from;
    (*items)[n - 1].n = x->from + x->n - (*items)[n - 1].from;
  }
  for (size_t i = 0; i < n; i++) {
    const Item *item = &(*items)[i];
    if (has_line_at_margin(w->text, item->from, item->from + item->n)) {
      return 0;
    }
  }
  return n;
}

/* Sets `changed` to the text with the items sorted by their bytes, the gaps between them where they are. */
static void put_sorted(LintWork *w, LintFinding *f, Item *items, size_t n) {
  Item *place = malloc(n * sizeof *place);
  Buf out;
  buf_init(&out, w->n + 1);
  if (!place) {
    err_nomem(w->err);
    return;
  }
  memcpy(place, items, n * sizeof *place);
  qsort(items, n, sizeof *items, by_bytes);
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    buf_add(&out, w->text + at, place[i].from - at);
    buf_add(&out, w->text + items[i].from, items[i].n);
    at = place[i].from + place[i].n;
  }
  buf_add(&out, w->text + at, w->n - at);
  f->n_changed = out.n;
  f->changed = buf_take(&out);
  if (!f->changed) {
    err_nomem(w->err);
  }
  free(place);
}

/* 1 if all that stands elsewhere is within bytes [from, to) of the text. */
static int moves_within(const LintWork *w, const Pieces *a, const Pieces *b, size_t from,
                        size_t to) {
  for (size_t i = 0; i < a->n; i++) {
    size_t at = w->u->at[a->at[i].unit].from;
    if (a->at[i].bytes != b->at[i].bytes && (at < from || at >= to)) {
      return 0;
    }
  }
  return 1;
}

static void add_canonical(LintWork *w, LintFinding *f, size_t unit, const Pieces *a,
                          const Pieces *b) {
  Item *items = NULL;
  size_t n = w->u->at[unit].kind == BLOCK_ITEM ? list_of(w, unit, &items) : 0;
  if (n > 1 && moves_within(w, a, b, items[0].from, items[n - 1].from + items[n - 1].n)) {
    put_sorted(w, f, items, n);
  }
  free(items);
}

/* --- the finding --- */

static void add_moved(LintWork *w, size_t unit, const Pieces *a, const Pieces *b) {
  const TextUnit *x = &w->u->at[unit];
  size_t end = lint_stable_end(w);
  int gains = w->options->floor < 0 || w->stable >= w->options->floor;
  long long tokens = gains && end > x->from ? lint_count(w, x->from, end - x->from) : 0;
  LintFinding *f = lint_add(w, LINT_UNSTABLE_ORDER, x->from, x->n, tokens);
  if (f) {
    add_canonical(w, f, unit, a, b);
  }
}

int lint_order(LintWork *w) {
  const LintOptions *o = w->options;
  TextUnits u = {NULL, 0, 0, 0};
  MovingList moving = {NULL, 0, 0};
  Pieces a = {NULL, 0}, b = {NULL, 0};
  if (!o->before || (o->n_before == w->n && memcmp(o->before, w->text, w->n) == 0)) {
    return RC_OK;
  }
  if (units_find(o->before, o->n_before, &u, w->err) == RC_OK &&
      moving_find(w->finder, o->before, &u, &moving, w->err) == RC_OK &&
      pieces_make(w->text, w->u, w->moving, &a, w->err) == RC_OK &&
      pieces_make(o->before, &u, &moving, &b, w->err) == RC_OK && are_the_same(&a, &b, w->err)) {
    size_t moved = first_moved(w->u, &a, &b);
    if (moved != UNIT_NONE) {
      add_moved(w, moved, &a, &b);
    }
  }
  free(a.at);
  free(b.at);
  moving_free(&moving);
  units_free(&u);
  return w->err->rc;
}
