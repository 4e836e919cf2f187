/*
** Price selection and cost arithmetic. See price.h for the contract and the units.
*/
#include "core/price/price.h"

#include "base/text/decimal.h"
#include "base/text/glob.h"
#include "core/names/model_name.h"
#include "core/names/suffix.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- finding */

static int is_of(const PriceModel *m, const PriceRef *ref) {
  const char *provider = ref->seller.vendor ? ref->seller.vendor->id : ref->seller.word;
  return !m->provider[0] || (provider && strcasecmp(m->provider, provider) == 0);
}

/* A name in the spelling with dashes. */
static void dash(char *name) {
  for (; *name; name++) {
    *name = *name == '.' ? '-' : *name;
  }
}

/* 1 if a single row's model is the family of the snapshot that was asked (never the other way round: one
** snapshot's price is not its family's), or either in the other spelling ("4.5" for "4-5"), or what is
** left of the name without what may be left out. */
static int is_same_model(const PriceModel *m, const PriceRef *ref) {
  char row[LIMIT_MODEL_NAME], asked[LIMIT_MODEL_NAME];
  size_t n = model_name_lower(m->name, row, sizeof row), base;
  snprintf(asked, sizeof asked, "%s", ref->bare);
  dash(row);
  dash(asked);
  if (n >= sizeof row || row[model_name_base(row)]) {
    return 0;
  }
  int same = model_name_match(asked, row) > 0;
  for (const Suffix *s; !same && (s = suffix_of(asked, strlen(asked), &base)) != NULL &&
                        (s->means == SUFFIX_SAME || s->means == SUFFIX_SERVICE);) {
    asked[base] = 0;
    same = model_name_match(asked, row) > 0;
  }
  return same;
}

/* How well a single row's model matches; 0: not at all. */
static int rank_of(const PriceModel *m, const PriceRef *ref, const char *asked) {
  int rank = 0;
  if (!is_of(m, ref)) {
    return 0;
  }
  if (strcmp(m->name, asked) == 0) {
    rank = 4;
  } else if (strcasecmp(m->name, ref->name) == 0 || strcasecmp(m->name, ref->bare) == 0 ||
             model_name_match(ref->name, m->name) == 2) {
    rank = 3;
  } else if (!m->names[0]) {
    rank = is_same_model(m, ref) ? 2 : 0;
  } else {
    rank = glob_any(m->names, ref->name) || glob_any(m->names, ref->bare);
  }
  return rank ? 2 * rank + (m->provider[0] != 0) : 0;
}

static void find_singles(PriceRef *ref, const char *asked) {
  for (int i = 0; i < ref->own->models.n; i++) {
    PriceSource s = {ref->own, &ref->own->models.at[i], 0};
    int at = ref->n_singles;
    s.rank = rank_of(s.model, ref, asked);
    while (at > 0 && ref->singles[at - 1].rank < s.rank) {
      at--;
    }
    if (s.rank == 0 || at == PRICE_SINGLES) {
      continue;
    }
    ref->n_singles += ref->n_singles < PRICE_SINGLES;
    memmove(&ref->singles[at + 1], &ref->singles[at], (size_t)(ref->n_singles - at - 1) * sizeof s);
    ref->singles[at] = s;
  }
}

/* Who sells a model of that name, as the first list tells that knows anybody. */
static void find_sellers(const PriceBook *const *books, int n, PriceRef *ref) {
  const PriceModel *models[PRICE_SELLERS];
  for (int i = 1; i < n && !ref->n_sellers; i++) {
    ref->n_sellers = book_sellers(books[i], ref->bare, models, PRICE_SELLERS);
    for (int k = 0; k < ref->n_sellers && k < PRICE_SELLERS; k++) {
      ref->sellers[k] = (PriceSource){books[i], models[k], 0};
    }
  }
}

int price_find(const PriceBook *const *books, int n, Seller seller, const char *name,
               PriceRef *ref) {
  const Vendor *told;
  *ref = (PriceRef){.seller = seller, .own = books[0]};
  int fits = model_name_lower(name, ref->name, sizeof ref->name) < sizeof ref->name;
  ref->bare = book_bare_name(ref->name, &told);
  for (int i = 1; i < n && !ref->next.model && fits; i++) {
    BookMatch match = book_find(books[i], seller, ref->name);
    PriceSource *source = ref->list.model ? &ref->next : &ref->list;
    ref->service = source == &ref->list && match.model ? match.service : ref->service;
    *source = (PriceSource){books[i], match.model, 0};
    ref->seller.vendor = ref->seller.vendor ? ref->seller.vendor : match.vendor;
  }
  if (fits) {
    find_singles(ref, name);
  }
  if (fits && !ref->list.model && !seller.word) {
    find_sellers(books, n, ref);
  }
  return ref->n_singles || ref->list.model;
}

void price_of_seller(const PriceRef *ref, int i, PriceRef *of) {
  const PriceSource *source = &ref->sellers[i];
  const char *id = source->model->provider;
  *of = (PriceRef){.own = ref->own, .list = *source, .seller = {vendor_by_word(id), id}};
  model_name_lower(source->model->name, of->name, sizeof of->name);
  of->bare = of->name;
}

/* ---- selecting rows */

static int same_service(const PriceTerms *t, const char *service) {
  return strcmp(t->service, service) == 0;
}

static int holds(const PriceTerms *t, const PriceWhen *when, const char *service) {
  return t->from_ms <= when->at_ms && when->at_ms < t->to_ms &&
         (!t->hours || calendar_holds(t->hours, when->at_ms)) &&
         (t->above_tokens == 0 || when->input_tokens > t->above_tokens) && same_service(t, service);
}

/* Later blocks of prices end earlier ones; of the same day, those of an hour go before those of the
** whole day. Negative, 0 or positive as a is older than, of the same block as, or newer than b. */
static int compare_blocks(const PriceTerms *a, const PriceTerms *b) {
  if (a->from_ms != b->from_ms) {
    return a->from_ms > b->from_ms ? 1 : -1;
  }
  return (a->hours != NULL) - (b->hours != NULL);
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

/* The newest block of a list's model that holds for a service, or NULL. */
static const PriceTerms *newest_block(const PriceModel *m, const PriceWhen *when,
                                      const char *service) {
  const PriceTerms *newest = NULL;
  for (int i = 0; i < m->n; i++) {
    const PriceTerms *t = &m->rows[i].terms;
    if (holds(t, when, service) && (!newest || compare_blocks(t, newest) > 0)) {
      newest = t;
    }
  }
  return newest;
}

/* Puts a model's rows of one service into the set, where `taken` has none yet, and the units into it. A
** list's rows count as blocks: one that leaves a unit out does not inherit it from an older one. */
static void take_rows(const PriceModel *m, int by_block, const PriceWhen *when, const char *service,
                      UnitSet *taken, PriceSet *set) {
  const PriceTerms *newest = m && by_block ? newest_block(m, when, service) : NULL;
  UnitSet mine = 0;
  for (int i = 0; m && i < m->n; i++) {
    const PriceRow *r = &m->rows[i];
    UnitSet bit = r->unit < UNIT_COUNT ? UNIT_BIT(r->unit) : 0;
    if (bit && !(*taken & bit) && holds(&r->terms, when, service) &&
        (!newest || compare_blocks(&r->terms, newest) == 0) &&
        (!(mine & bit) || is_better(r, set->row[r->unit]))) {
      mine |= bit;
      take_row(set, r);
    }
  }
  *taken |= mine;
}

/* Narrows the bounds inside which the set stays the same, to those of a model's rows. */
static void narrow(const PriceModel *m, const PriceWhen *when, PriceSet *set) {
  for (int i = 0; m && i < m->n; i++) {
    const PriceTerms *t = &m->rows[i].terms;
    const long long times[] = {t->from_ms, t->to_ms};
    for (int k = 0; k < 2; k++) {
      if (times[k] <= when->at_ms && times[k] > set->from_ms) {
        set->from_ms = times[k];
      } else if (times[k] > when->at_ms && times[k] < set->to_ms) {
        set->to_ms = times[k];
      }
    }
    if (t->hours) {
      calendar_narrow(t->hours, when->at_ms, &set->from_ms, &set->to_ms);
    }
    if (t->above_tokens < when->input_tokens && t->above_tokens > set->above) {
      set->above = t->above_tokens;
    } else if (t->above_tokens && t->above_tokens >= when->input_tokens &&
               t->above_tokens < set->up_to) {
      set->up_to = t->above_tokens;
    }
  }
}

/* The same for the rows that a book has for many models. */
static void narrow_shared(const PriceBook *book, const PriceRef *ref, const PriceWhen *when,
                          PriceSet *set) {
  for (int g = 0; book && g < book->shared.n; g++) {
    if (is_of(&book->shared.at[g], ref)) {
      narrow(&book->shared.at[g], when, set);
    }
  }
}

/* ---- factors */

/* How well the names of a shared row mean the model; 0: not at all. As rank_of: the name itself, another
** spelling, a GLOB; of each, one of this provider first. */
static int covers(const PriceModel *m, const PriceRef *ref) {
  char known[LIMIT_MODEL_NAME], own[LIMIT_MODEL_NAME];
  const PriceModel *model = ref->next.model ? ref->next.model : ref->list.model;
  int rank = 0;
  model_name_lower(m->name, own, sizeof own);
  model_name_lower(model ? model->name : "", known, sizeof known);
  if (!m->names[0]) {
    rank = strcmp(own, ref->name) == 0                              ? 4
           : strcmp(own, ref->bare) == 0 || strcmp(own, known) == 0 ? 3
           : is_same_model(m, ref)                                  ? 2
                                                                    : 0;
  } else if (glob_any(m->names, ref->name) || glob_any(m->names, ref->bare) ||
             (known[0] && glob_any(m->names, known))) {
    rank = strcmp(m->names, "*") != 0 ? 1 : 0;
    return 2 * rank + 1 + (m->provider[0] != 0);
  }
  return rank ? 2 * rank + 1 + (m->provider[0] != 0) : 0;
}

/* The shared row of a unit (UNIT_COUNT: a factor) and a service in a book that covers the model best, the
** newest of several; or NULL. */
static const PriceRow *find_shared(const PriceBook *book, const PriceRef *ref,
                                   const PriceWhen *when, const char *service, Unit unit) {
  const PriceRow *best = NULL;
  int best_rank = 0;
  for (int g = 0; book && g < book->shared.n; g++) {
    const PriceModel *m = &book->shared.at[g];
    int rank = is_of(m, ref) ? covers(m, ref) : 0;
    for (int i = 0; rank && i < m->n; i++) {
      const PriceRow *r = &m->rows[i];
      if (r->unit == unit && holds(&r->terms, when, service) &&
          (rank > best_rank || (rank == best_rank && r->terms.from_ms >= best->terms.from_ms))) {
        best = r;
        best_rank = rank;
      }
    }
  }
  return best;
}

/* The factor of a service, or NULL. Those of the single rows go before the lists'. */
static const PriceRow *factor_of(const PriceRef *ref, const PriceWhen *when, const char *service) {
  const PriceBook *const books[] = {ref->own, ref->list.book, ref->next.book};
  const PriceRow *row = NULL;
  for (int i = 0; i < 3 && !row; i++) {
    row = find_shared(books[i], ref, when, service, UNIT_COUNT);
  }
  return row;
}

static int is_token(Unit unit) {
  return unit_is_input(unit) || unit_is_output(unit);
}

/* The product of two factors, rounded half up to 1e-12; -1 where it is over BOOK_FACTOR_MOST. */
static long long product(long long a, long long b) {
  Cost p = ((Cost)(unsigned long long)a * (Cost)(unsigned long long)b + BOOK_FACTOR_ONE / 2) /
           BOOK_FACTOR_ONE;
  return p <= (Cost)BOOK_FACTOR_MOST ? (long long)p : -1;
}

static void multiply(PriceSet *set, const PriceRow *factor) {
  for (UnitSet left = factor ? set->priced : 0; left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (is_token(unit)) {
      set->factor[unit] = product(set->factor[unit], factor->pusd);
      if (set->factor[unit] < 0) { /* price_select finds it */
        set->missing = "its factors come to more than 1000 together";
        set->factor[unit] = BOOK_FACTOR_MOST;
      }
    }
  }
}

/* ---- the prices that hold */

/* Fees: what a list has for many models at once, or the next list for this one, where the rows so far
** have none. */
static void take_fees(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  PriceSet next = {0};
  UnitSet taken = 0;
  take_rows(ref->next.model, 1, when, "standard", &taken, &next);
  for (Unit unit = UNIT_REQUEST; unit < UNIT_COUNT; unit++) {
    const PriceRow *row = set->priced & UNIT_BIT(unit) ? NULL : next.row[unit];
    if (!row && !(set->priced & UNIT_BIT(unit))) {
      row = find_shared(ref->list.book, ref, when, "standard", unit);
      row = row ? row : find_shared(ref->next.book, ref, when, "standard", unit);
    }
    if (row) {
      take_row(set, row);
    }
  }
}

/* 1 if the model is another provider's, resold: only its standard prices are the seller's too. */
static int is_resold(const PriceSource *s, const PriceRef *ref) {
  return s->model && s->model->provider[0] && !is_of(s->model, ref);
}

/* The rows of a service: the single ones, and under them those of the first list that has any. */
static UnitSet take_service(const PriceRef *ref, const PriceWhen *when, const char *service,
                            PriceSet *set) {
  const PriceSource *const lists[] = {&ref->list, &ref->next};
  int standard = strcmp(service, "standard") == 0;
  UnitSet own = 0, listed;
  for (int i = 0; i < ref->n_singles; i++) {
    take_rows(ref->singles[i].model, 0, when, service, &own, set);
  }
  listed = own;
  for (int i = 0; i < (standard ? 1 : 2) && listed == own; i++) {
    if (standard || !is_resold(lists[i], ref)) {
      take_rows(lists[i]->model, 1, when, service, &listed, set);
    }
  }
  return listed;
}

static int unpriced(PriceSet *set, const char *why) {
  set->missing = why;
  set->priced = 0;
  return 0;
}

/* 1 if a unit that is no token is what a model sells, and not a fee beside it: a factor on the tokens says
** nothing of its price. */
static int is_sold(Unit unit) {
  return unit == UNIT_PAGE || unit == UNIT_ANNOTATED_PAGE || unit == UNIT_CHARACTER ||
         unit == UNIT_MESSAGE || unit == UNIT_RERANK || unit == UNIT_SECOND ||
         unit == UNIT_BILLED_IMAGE;
}

/* The rows of another service over the standard ones times its factor. */
static int apply_service(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  PriceSet own = {0};
  const PriceRow *factor = factor_of(ref, when, when->service);
  if (!take_service(ref, when, when->service, &own) && !factor) {
    return unpriced(set, "no price for this service");
  }
  for (UnitSet left = set->priced; left; left &= left - 1) {
    if (factor ? is_sold(UNIT_FIRST(left)) : is_token(UNIT_FIRST(left))) {
      set->priced &= ~(left & -left);
    }
  }
  multiply(set, factor);
  for (UnitSet left = own.priced; left; left &= left - 1) {
    take_row(set, own.row[UNIT_FIRST(left)]);
  }
  return 1;
}

/* Where inference was bound to a place that costs more. */
static int apply_geo(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  char service[USAGE_WORD + 8];
  snprintf(service, sizeof service, "geo:%.*s", USAGE_WORD, when->geo);
  const PriceRow *factor = factor_of(ref, when, service);
  multiply(set, factor);
  return factor ? 1 : unpriced(set, "no price for this inference_geo");
}

static void narrow_all(const PriceRef *ref, const PriceWhen *when, PriceSet *set) {
  narrow(ref->list.model, when, set);
  narrow(ref->next.model, when, set);
  for (int i = 0; i < ref->n_singles; i++) {
    narrow(ref->singles[i].model, when, set);
  }
  narrow_shared(ref->own, ref, when, set);
  narrow_shared(ref->list.book, ref, when, set);
  narrow_shared(ref->next.book, ref, when, set);
}

/* What has an unknown price has none. */
static void leave_unknown(PriceSet *set) {
  for (UnitSet left = set->priced; left; left &= left - 1) {
    if (set->pusd[UNIT_FIRST(left)] == BOOK_UNKNOWN) {
      set->unknown |= left & -left;
    }
  }
  set->priced &= ~set->unknown;
}

/* The service that a request is priced by: its own, or the one that the model's name tells; NULL where
** they are two. */
static const char *service_of(const PriceRef *ref, const PriceWhen *when) {
  if (!ref->service || strcmp(when->service, ref->service) == 0) {
    return when->service;
  }
  return strcmp(when->service, "standard") == 0 ? ref->service : NULL;
}

int price_select(const PriceRef *ref, const PriceWhen *asked, PriceSet *set) {
  PriceWhen when = *asked;
  const char *service = service_of(ref, asked);
  when.service = service ? service : asked->service;
  *set = (PriceSet){.from_ms = LLONG_MIN,
                    .to_ms = LLONG_MAX,
                    .above = -1,
                    .up_to = LLONG_MAX,
                    .service = when.service};
  int standard = strcmp(when.service, "standard") == 0;
  int known = take_service(ref, &when, "standard", set) != 0;
  if (known) {
    take_fees(ref, &when, set);
  }
  narrow_all(ref, &when, set);
  known =
      standard ? known || unpriced(set, "no price at this time") : apply_service(ref, &when, set);
  if (known) {
    multiply(set, find_shared(ref->own, ref, &when, "standard", UNIT_COUNT));
  }
  known = known && when.geo[0] ? apply_geo(ref, &when, set) : known;
  leave_unknown(set);
  known = known && service ? 1 : known && unpriced(set, "its name tells another service");
  return known && set->missing ? unpriced(set, set->missing) : known;
}

/* The innermost priced units that are or contain a unit. (Writes for an hour are dearer than those that a
** price of writes is for.) */
static UnitSet containers(const PriceSet *set, Unit unit) {
  UnitSet all = (UNIT_BIT(unit) | unit_above(unit)) & set->priced, innermost = all;
  if (unit == UNIT_CACHE_WRITE_1H && !(all & UNIT_BIT(unit)) && all & UNIT_BIT(UNIT_CACHE_WRITE)) {
    return 0;
  }
  for (UnitSet left = set->unknown & (UNIT_BIT(unit) | unit_above(unit)); left; left &= left - 1) {
    if (!((left & -left) & all) && !(unit_below(UNIT_FIRST(left)) & all)) {
      return 0;
    }
  }
  for (UnitSet left = all; left; left &= left - 1) {
    if (unit_below(UNIT_FIRST(left)) & all) {
      innermost &= ~(left & -left);
    }
  }
  return innermost;
}

int price_of_unit(const PriceSet *set, Unit unit, Cost *price) {
  UnitSet in = containers(set, unit);
  if (!in || in & (in - 1)) {
    return 0;
  }
  *price = (Cost)(unsigned long long)set->pusd[UNIT_FIRST(in)] *
           (Cost)(unsigned long long)set->factor[UNIT_FIRST(in)];
  return 1;
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
** were overlap in it. PRICED and *count, or BAD_USAGE. */
static PriceVerdict count_of(const Usage *u, Unit unit, long long *count, char *why) {
  *count = 0;
  if (u->has & UNIT_BIT(unit)) {
    *count = u->n[unit];
    return PRICED;
  }
  UnitSet inside = positive(u, unit_below(unit));
  if (inside) {
    snprintf(why, PRICE_WHY, "usage: %s tokens, but how many %s tokens there were is not told",
             unit_word(UNIT_FIRST(inside)), unit_word(unit));
    return BAD_USAGE;
  }
  UnitSet outside = positive(u, unit_above(unit));
  for (UnitSet a = outside; a; a &= a - 1) {
    for (UnitSet b = a & (a - 1); b; b &= b - 1) {
      if (unit_join(UNIT_FIRST(a), UNIT_FIRST(b)) == unit) {
        snprintf(why, PRICE_WHY, "usage: %s and %s tokens, but how many were both is not told",
                 unit_word(UNIT_FIRST(a)), unit_word(UNIT_FIRST(b)));
        return BAD_USAGE;
      }
    }
  }
  return PRICED;
}

static long long sum_of(const long long leaves[UNIT_COUNT], UnitSet units) {
  long long sum = 0;
  for (UnitSet left = units; left; left &= left - 1) {
    sum += leaves[UNIT_FIRST(left)];
  }
  return sum;
}

/* Fills the leaves of the priced units, the innermost first. PRICED or BAD_USAGE. */
static PriceVerdict split(const PriceSet *set, const Usage *u, long long leaves[UNIT_COUNT],
                          char *why) {
  const Unit *order = unit_inside_out();
  for (int i = 0; i < UNIT_COUNT; i++) {
    Unit unit = order[i];
    long long count;
    if (!(set->priced & UNIT_BIT(unit))) {
      continue;
    }
    if (count_of(u, unit, &count, why) == BAD_USAGE) {
      return BAD_USAGE;
    }
    long long inside = sum_of(leaves, unit_below(unit) & set->priced);
    if (inside > count) {
      snprintf(why, PRICE_WHY, "usage: more %s (%lld) than %s tokens (%lld)",
               unit == UNIT_INPUT ? "cached and written tokens" : "tokens inside it", inside,
               unit_word(unit), count);
      return BAD_USAGE;
    }
    leaves[unit] = count - inside;
  }
  return PRICED;
}

/* 1 if no token was counted that two prices claim: audio that was read from the cache, where audio and
** cached tokens have prices and both together have none. */
static int is_unambiguous(const PriceSet *set, const Usage *u, char *why) {
  UnitSet claimed = positive(u, set->priced);
  for (UnitSet a = claimed; a; a &= a - 1) {
    for (UnitSet b = a & (a - 1); b; b &= b - 1) {
      Unit both = unit_join(UNIT_FIRST(a), UNIT_FIRST(b));
      if (both < UNIT_COUNT && !(set->priced & UNIT_BIT(both)) && usage_get(u, both) != 0) {
        snprintf(why, PRICE_WHY, "no price for %s", unit_word(both));
        return 0;
      }
    }
  }
  return 1;
}

/* 1 if what was counted has a price: its own, one that contains it, or those inside it are all of it. */
static int is_covered(const PriceSet *set, const Usage *u, const long long leaves[UNIT_COUNT],
                      char *why) {
  for (UnitSet left = positive(u, ~set->priced); left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (!containers(set, unit) && sum_of(leaves, unit_below(unit) & set->priced) < u->n[unit]) {
      snprintf(why, PRICE_WHY, "no price for %s", unit_word(unit));
      return 0;
    }
  }
  return 1;
}

/* 1 if a part is told to be more than its whole, priced or not: one of the two counts is wrong, and who knows
** which. */
static int is_contradiction(const Usage *u, char *why) {
  static const struct {
    Unit a, b, whole; /* b: UNIT_COUNT where there is no second part */
  } rules[] = {{UNIT_REASONING, UNIT_COUNT, UNIT_OUTPUT},
               {UNIT_CACHE_WRITE_5M, UNIT_CACHE_WRITE_1H, UNIT_CACHE_WRITE}};
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    long long a = usage_get(u, rules[i].a), whole = usage_get(u, rules[i].whole),
              b = rules[i].b < UNIT_COUNT ? usage_get(u, rules[i].b) : 0;
    a = (a > 0 ? a : 0) + (b > 0 ? b : 0);
    if (whole != USAGE_UNKNOWN && a > whole) {
      snprintf(why, PRICE_WHY, "usage: more %s (%lld) than %s tokens (%lld)",
               i ? "written tokens by lifetime" : unit_word(rules[i].a), a,
               unit_word(rules[i].whole), whole);
      return 1;
    }
  }
  return 0;
}

static PriceVerdict leaves_of(const PriceSet *set, const Usage *u, long long leaves[UNIT_COUNT],
                              char *why) {
  UnitSet base = UNIT_BIT(UNIT_INPUT) | UNIT_BIT(UNIT_OUTPUT);
  UnitSet silent = base & set->priced & u->can & ~u->has;
  memset(leaves, 0, UNIT_COUNT * sizeof *leaves);
  if (u->other[0]) {
    snprintf(why, PRICE_WHY, "no price for %s", u->other);
    return NO_PRICE;
  }
  if (silent || !u->has) {
    snprintf(why, PRICE_WHY, "%s tokens were not reported",
             silent ? unit_word(UNIT_FIRST(silent)) : "input");
    return NO_PRICE;
  }
  if (is_contradiction(u, why)) {
    return BAD_USAGE;
  }
  if (!is_unambiguous(set, u, why)) {
    return NO_PRICE;
  }
  if (split(set, u, leaves, why) != PRICED) {
    return BAD_USAGE;
  }
  if (leaves[UNIT_GROUNDING] > 0 && set->pusd[UNIT_GROUNDING] > 0) {
    leaves[UNIT_WEB_SEARCH] = 0; /* where the grounded prompt is billed, its searches are in that */
  }
  if (leaves[UNIT_GROUNDING] > 0 && set->pusd[UNIT_GROUNDING] == 0 &&
      !(u->has & UNIT_BIT(UNIT_WEB_SEARCH))) {
    snprintf(why, PRICE_WHY, "how many searches there were is not told");
    return NO_PRICE;
  }
  if (set->priced & UNIT_BIT(UNIT_REQUEST) && !(u->has & UNIT_BIT(UNIT_REQUEST))) {
    leaves[UNIT_REQUEST] = 1;
  }
  return is_covered(set, u, leaves, why) ? PRICED : NO_PRICE;
}

Cost price_leaf(const PriceSet *set, Unit unit, long long count) {
  Cost price =
      (Cost)(unsigned long long)set->pusd[unit] * (Cost)(unsigned long long)set->factor[unit];
  Cost cost;
  return __builtin_mul_overflow(price, (Cost)(unsigned long long)count, &cost) ? COST_MOST : cost;
}

PriceVerdict cost_add(Cost *sum, Cost more, char why[PRICE_WHY]) {
  Cost both;
  if (more == COST_MOST || __builtin_add_overflow(*sum, more, &both) || both == COST_MOST) {
    snprintf(why, PRICE_WHY, "it comes to more than can be counted (340 million dollars)");
    return NO_PRICE;
  }
  *sum = both;
  return PRICED;
}

PriceVerdict price_cost(const PriceSet *set, const Usage *u, PriceSum *sum) {
  PriceVerdict verdict = leaves_of(set, u, sum->leaves, sum->why);
  sum->cost = 0;
  for (UnitSet left = set->priced; left && verdict == PRICED; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (cost_add(&sum->cost, price_leaf(set, unit, sum->leaves[unit]), sum->why) != PRICED) {
      verdict = BAD_USAGE; /* no request has so many */
      sum->cost = 0;
    }
  }
  return verdict;
}

long long cost_nusd(Cost cost) {
  static const Cost nano = (Cost)1000000000000ULL * 1000000000ULL; /* 1e21 */
  Cost nusd = cost / nano + (cost % nano >= nano / 2);
  return nusd <= LLONG_MAX ? (long long)nusd
                           : LLONG_MAX; /* an absurd count must not become a negative cost */
}

double cost_usd(Cost cost) {
  return decimal_double(cost, COST_SCALE);
}
