/*
** Price selection and cost arithmetic. See price.h for the contract and the units.
*/
#include "price.h"

#include "decimal.h"
#include "glob.h"
#include "model_name.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DAY = 86400 };

/* ---- finding */

int price_find(const PriceBook *const *books, int n, const Vendor *vendor, const char *name,
               PriceRef *ref) {
  *ref = (PriceRef){.vendor = vendor, .own.book = books[0]};
  int fits = model_name_lower(name, ref->name, sizeof ref->name) < sizeof ref->name;
  for (int i = 1; i < n && !ref->next.model && fits; i++) {
    BookMatch match = book_find(books[i], vendor, ref->name);
    PriceSource *source = ref->list.model ? &ref->next : &ref->list;
    *source = (PriceSource){books[i], match.model};
    ref->vendor = ref->vendor ? ref->vendor : match.vendor;
    ref->miss = source == &ref->list ? match : ref->miss;
  }
  ref->own.model = book_find_single(books[0], ref->vendor, name);
  return ref->own.model || ref->list.model;
}

/* ---- selecting rows */

static int same_service(const PriceTerms *t, const char *service) {
  return strcmp(t->service, service) == 0;
}

static int in_hours(const PriceTerms *t, long long at_ms) {
  int second = (int)(((at_ms / 1000) % DAY + DAY) % DAY);
  return t->hours_from == t->hours_to ||
         (t->hours_from < t->hours_to ? second >= t->hours_from && second < t->hours_to
                                      : second >= t->hours_from || second < t->hours_to);
}

static int holds(const PriceTerms *t, const PriceWhen *when, const char *service) {
  return t->from_ms <= when->at_ms && when->at_ms < t->to_ms && in_hours(t, when->at_ms) &&
         (t->above_tokens == 0 || when->input_tokens > t->above_tokens) && same_service(t, service);
}

static int has_hours(const PriceTerms *t) {
  return t->hours_from != t->hours_to;
}

/* Later blocks of prices end earlier ones, and those of an hour go before those of the whole day.
** Negative, 0 or positive as a is older than, of the same block as, or newer than b. */
static int compare_blocks(const PriceTerms *a, const PriceTerms *b) {
  if (has_hours(a) != has_hours(b)) {
    return has_hours(a) - has_hours(b);
  }
  return (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
}

/* 1 if row a says more than b about the same request: a higher tier, then a newer block. */
static int is_better(const PriceRow *a, const PriceRow *b) {
  if (a->terms.above_tokens != b->terms.above_tokens) {
    return a->terms.above_tokens > b->terms.above_tokens;
  }
  return compare_blocks(&a->terms, &b->terms) >= 0;
}

static void take_row(PriceSet *set, const PriceRow *row) {
  set->priced |= UNIT_BIT(row->unit);
  set->row[row->unit] = row;
  set->pusd[row->unit] = row->pusd;
  set->factor[row->unit] = BOOK_FACTOR_ONE;
}

/* Puts a model's rows of one service into the set. A list's rows count as blocks: one that leaves a
** unit out does not inherit it from an older one. Returns how many there are. */
static int take_rows(const PriceSource *source, const PriceWhen *when, const char *service,
                     PriceSet *set) {
  const PriceModel *m = source->model;
  const PriceTerms *newest = NULL;
  const PriceRow *best[UNIT_COUNT] = {0};
  int taken = 0, by_block = m && source->book->list[0];
  for (int i = 0; by_block && i < m->n; i++) {
    const PriceTerms *t = &m->rows[i].terms;
    if (holds(t, when, service) && (!newest || compare_blocks(t, newest) > 0)) {
      newest = t;
    }
  }
  for (int i = 0; m && i < m->n; i++) {
    const PriceRow *r = &m->rows[i];
    if (holds(&r->terms, when, service) && (!newest || compare_blocks(&r->terms, newest) == 0) &&
        (!best[r->unit] || is_better(r, best[r->unit]))) {
      best[r->unit] = r;
      take_row(set, r);
      taken++;
    }
  }
  return taken;
}

/* Narrows the bounds inside which the set stays the same, to those of a model's rows. */
static void narrow(const PriceModel *m, const PriceWhen *when, PriceSet *set) {
  long long midnight =
      when->at_ms - ((when->at_ms % (DAY * 1000LL)) + DAY * 1000LL) % (DAY * 1000LL);
  for (int i = 0; m && i < m->n; i++) {
    const PriceTerms *t = &m->rows[i].terms;
    const long long times[] = {t->from_ms,
                               t->to_ms,
                               midnight + t->hours_from * 1000LL,
                               midnight + t->hours_to * 1000LL,
                               midnight,
                               midnight + DAY * 1000LL};
    for (int k = 0; k < (has_hours(t) ? 6 : 2); k++) {
      if (times[k] <= when->at_ms && times[k] > set->from_ms) {
        set->from_ms = times[k];
      } else if (times[k] > when->at_ms && times[k] < set->to_ms) {
        set->to_ms = times[k];
      }
    }
    if (t->above_tokens < when->input_tokens && t->above_tokens > set->above) {
      set->above = t->above_tokens;
    } else if (t->above_tokens && t->above_tokens >= when->input_tokens &&
               t->above_tokens < set->up_to) {
      set->up_to = t->above_tokens;
    }
  }
}

/* ---- factors */

static int is_of(const PriceModel *m, const PriceRef *ref) {
  return !m->provider[0] || (ref->vendor && strcmp(m->provider, ref->vendor->id) == 0);
}

static int covers(const PriceModel *m, const PriceRef *ref) {
  const char *names = m->names[0] ? m->names : m->name;
  char known[LIMIT_MODEL_NAME];
  const PriceModel *model = ref->next.model ? ref->next.model : ref->list.model;
  model_name_lower(model ? model->name : "", known, sizeof known);
  return glob_any(names, ref->name) || (known[0] && glob_any(names, known));
}

/* The newest shared row of a unit (UNIT_COUNT: a factor) and a service in a book that covers the
** model. *sold: there is one for other models of this provider. */
static const PriceRow *find_shared(const PriceBook *book, const PriceRef *ref,
                                   const PriceWhen *when, const char *service, Unit unit,
                                   int *sold) {
  const PriceRow *best = NULL;
  for (int g = 0; book && g < book->shared.n; g++) {
    const PriceModel *m = &book->shared.at[g];
    for (int i = 0; is_of(m, ref) && i < m->n; i++) {
      const PriceRow *r = &m->rows[i];
      if (r->unit != unit || !same_service(&r->terms, service)) {
        continue;
      }
      *sold = 1;
      if (holds(&r->terms, when, service) && covers(m, ref) &&
          (!best || r->terms.from_ms >= best->terms.from_ms)) {
        best = r;
      }
    }
  }
  return best;
}

/* The millionths of a factor; 0: none. */
static long long find_factor(const PriceBook *book, const PriceRef *ref, const PriceWhen *when,
                             const char *service, int *sold) {
  const PriceRow *row = find_shared(book, ref, when, service, UNIT_COUNT, sold);
  return row ? row->pusd : 0;
}

/* A factor of the single rows goes before the lists'. */
static long long factor_of(const PriceRef *ref, const PriceWhen *when, const char *service,
                           int *sold) {
  const PriceBook *const books[] = {ref->own.book, ref->list.book, ref->next.book};
  long long factor = 0;
  for (int i = 0; i < 3 && !factor; i++) {
    factor = find_factor(books[i], ref, when, service, sold);
  }
  return factor;
}

static int is_token(Unit unit) {
  return unit_is_input(unit) || unit_is_output(unit);
}

static void multiply(PriceSet *set, UnitSet units, long long factor) {
  for (UnitSet left = units; left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (is_token(unit)) {
      set->factor[unit] = set->factor[unit] * factor / BOOK_FACTOR_ONE;
    }
  }
}

/* ---- the prices that hold */

/* Fees: what a list has for many models at once, or the next list for this one, where the rows so far
** have none. */
static void take_fees(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  PriceSet next = {0};
  int sold = 0;
  take_rows(&ref->next, when, "standard", &next);
  for (Unit unit = UNIT_REQUEST; unit < UNIT_COUNT; unit++) {
    const PriceRow *row = set->priced & UNIT_BIT(unit) ? NULL : next.row[unit];
    if (!row && !(set->priced & UNIT_BIT(unit))) {
      row = find_shared(ref->list.book, ref, when, "standard", unit, &sold);
      row = row ? row : find_shared(ref->next.book, ref, when, "standard", unit, &sold);
    }
    if (row) {
      take_row(set, row);
    }
  }
}

/* The rows of a service: of the first list that has any, and the single ones over them. */
static int take_service(const PriceRef *ref, const PriceWhen *when, const char *service,
                        PriceSet *set) {
  int taken = take_rows(&ref->list, when, service, set);
  if (!taken && strcmp(service, "standard") != 0) {
    taken = take_rows(&ref->next, when, service, set);
  }
  return taken + take_rows(&ref->own, when, service, set);
}

static int unpriced(PriceSet *set, const char *why) {
  set->missing = why;
  set->priced = 0;
  return 0;
}

/* The rows of another service over the standard ones times its factor. */
static int apply_service(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  PriceSet own = {0};
  int sold = 0;
  long long factor = factor_of(ref, when, when->service, &sold);
  int taken = take_service(ref, when, when->service, &own);
  if (!taken && !factor) {
    return unpriced(set, "no price for this service");
  }
  for (UnitSet left = set->priced; left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (!factor && is_token(unit)) {
      set->priced &= ~UNIT_BIT(unit);
    }
  }
  multiply(set, set->priced, factor);
  for (UnitSet left = own.priced; left; left &= left - 1) {
    take_row(set, own.row[UNIT_FIRST(left)]);
  }
  return 1;
}

/* Where inference was bound to a place that costs more. */
static int apply_geo(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  char service[USAGE_WORD + 8];
  int sold = 0;
  snprintf(service, sizeof service, "geo:%.*s", USAGE_WORD, when->geo);
  long long factor = factor_of(ref, when, service, &sold);
  if (factor) {
    multiply(set, set->priced, factor);
  }
  return factor || sold ? 1 : unpriced(set, "no price for this inference_geo");
}

int price_select(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  *set = (PriceSet){.from_ms = LLONG_MIN, .to_ms = LLONG_MAX, .above = -1, .up_to = LLONG_MAX};
  int sold = 0, known = take_service(ref, when, "standard", set) > 0;
  if (known) {
    take_fees(ref, when, set);
  }
  narrow(ref->list.model, when, set);
  narrow(ref->next.model, when, set);
  narrow(ref->own.model, when, set);
  if (known || strcmp(when->service, "standard") != 0) {
    known = strcmp(when->service, "standard") == 0 || apply_service(ref, when, set);
  }
  long long discount = known ? find_factor(ref->own.book, ref, when, "standard", &sold) : 0;
  if (discount) {
    multiply(set, set->priced, discount);
  }
  return known && when->geo[0] ? apply_geo(ref, when, set) : known;
}

int price_of_unit(const PriceSet *set, Unit unit, Cost *price) {
  const Unit *order = unit_inside_out();
  UnitSet can = (UNIT_BIT(unit) | unit_above(unit)) & set->priced;
  for (int i = 0; i < UNIT_COUNT; i++) {
    if (can & UNIT_BIT(order[i])) {
      *price = (Cost)(unsigned long long)set->pusd[order[i]] *
               (Cost)(unsigned long long)set->factor[order[i]];
      return 1;
    }
  }
  return 0;
}

/* ---- leaves */

static UnitSet positive(const Usage *u, UnitSet among) {
  UnitSet found = 0;
  for (UnitSet left = u->has & among; left; left &= left - 1) {
    if (u->n[UNIT_FIRST(left)] > 0) {
      found |= left & -left;
    }
  }
  return found;
}

/* A unit that was not reported is none of what was, unless something inside it was, or two units that
** were overlap in it. Returns 1 and *count, or -1. */
static int count_of(const Usage *u, Unit unit, long long *count, char *why, size_t size) {
  *count = 0;
  if (u->has & UNIT_BIT(unit)) {
    *count = u->n[unit];
    return 1;
  }
  UnitSet inside = positive(u, unit_below(unit));
  if (inside) {
    snprintf(why, size, "usage: %s tokens, but how many %s tokens there were is not told",
             unit_word(UNIT_FIRST(inside)), unit_word(unit));
    return -1;
  }
  UnitSet outside = positive(u, unit_above(unit));
  for (UnitSet a = outside; a; a &= a - 1) {
    for (UnitSet b = a & (a - 1); b; b &= b - 1) {
      if (unit_join(UNIT_FIRST(a), UNIT_FIRST(b)) == unit) {
        snprintf(why, size, "usage: %s and %s tokens, but how many were both is not told",
                 unit_word(UNIT_FIRST(a)), unit_word(UNIT_FIRST(b)));
        return -1;
      }
    }
  }
  return 1;
}

static long long sum_of(const long long leaves[UNIT_COUNT], UnitSet units) {
  long long sum = 0;
  for (UnitSet left = units; left; left &= left - 1) {
    sum += leaves[UNIT_FIRST(left)];
  }
  return sum;
}

/* Fills the leaves of the priced units, the innermost first. Returns 1, or -1. */
static int split(const PriceSet *set, const Usage *u, long long leaves[UNIT_COUNT], char *why,
                 size_t size) {
  const Unit *order = unit_inside_out();
  for (int i = 0; i < UNIT_COUNT; i++) {
    Unit unit = order[i];
    long long count;
    if (!(set->priced & UNIT_BIT(unit))) {
      continue;
    }
    if (count_of(u, unit, &count, why, size) < 0) {
      return -1;
    }
    long long inside = sum_of(leaves, unit_below(unit) & set->priced);
    if (inside > count) {
      snprintf(why, size, "usage: more %s (%lld) than %s tokens (%lld)",
               unit == UNIT_INPUT ? "cached and written tokens" : "tokens inside it", inside,
               unit_word(unit), count);
      return -1;
    }
    leaves[unit] = count - inside;
  }
  return 1;
}

/* 1 if what was counted has a price: its own, one that contains it, or those inside it are all of it. */
static int is_covered(const PriceSet *set, const Usage *u, const long long leaves[UNIT_COUNT],
                      char *why, size_t size) {
  for (UnitSet left = positive(u, ~set->priced); left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (!(unit_above(unit) & set->priced) &&
        sum_of(leaves, unit_below(unit) & set->priced) < u->n[unit]) {
      snprintf(why, size, "no price for %s", unit_word(unit));
      return 0;
    }
  }
  return 1;
}

int price_leaves(const PriceSet *set, const Usage *u, long long leaves[UNIT_COUNT], char *why,
                 size_t size) {
  UnitSet base = UNIT_BIT(UNIT_INPUT) | UNIT_BIT(UNIT_OUTPUT);
  UnitSet silent = base & set->priced & u->can & ~u->has;
  memset(leaves, 0, UNIT_COUNT * sizeof *leaves);
  if (silent || !u->has) {
    snprintf(why, size, "%s tokens were not reported",
             silent ? unit_word(UNIT_FIRST(silent)) : "input");
    return 0;
  }
  int rc = split(set, u, leaves, why, size);
  if (rc == 1 && set->priced & UNIT_BIT(UNIT_REQUEST) && !(u->has & UNIT_BIT(UNIT_REQUEST))) {
    leaves[UNIT_REQUEST] = 1;
  }
  return rc == 1 ? is_covered(set, u, leaves, why, size) : rc;
}

Cost price_leaf(const PriceSet *set, Unit unit, long long count) {
  Cost price =
      (Cost)(unsigned long long)set->pusd[unit] * (Cost)(unsigned long long)set->factor[unit];
  Cost cost;
  return __builtin_mul_overflow(price, (Cost)(unsigned long long)count, &cost) ? ~(Cost)0 : cost;
}

int price_cost(const PriceSet *set, const Usage *u, Cost *cost, char *why, size_t size) {
  long long leaves[UNIT_COUNT];
  int priced = price_leaves(set, u, leaves, why, size);
  *cost = 0;
  for (UnitSet left = set->priced; priced == 1 && left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (__builtin_add_overflow(*cost, price_leaf(set, unit, leaves[unit]), cost)) {
      *cost = ~(Cost)0;
    }
  }
  return priced;
}

long long cost_nusd(Cost cost) {
  Cost nusd = cost / 1000000000000000ULL + (cost % 1000000000000000ULL >= 500000000000000ULL);
  return nusd <= LLONG_MAX ? (long long)nusd
                           : LLONG_MAX; /* an absurd count must not become a negative cost */
}

double cost_usd(Cost cost) {
  return decimal_double(cost, COST_SCALE);
}
