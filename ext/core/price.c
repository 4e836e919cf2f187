/*
** Price lookup and cost arithmetic. See price.h for the contract and the units.
**
** Leaf decomposition (the rule that ends double counting): a usage is split into disjoint leaves,
** every token in exactly one, and each leaf has exactly one price. A tier is chosen on the
** request's whole input, cached tokens included, strictly above its threshold.
*/
#include "price.h"

#include "catalogue.h"
#include "model_name.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_words[PRICE_KINDS] = {"input", "output", "cache_read", "cache_write",
                                                    "cache_write_1h"};

int price_kind_parse(const char *word) {
  for (int i = 0; i < PRICE_KINDS; i++) {
    if (strcmp(word, kind_words[i]) == 0) {
      return i;
    }
  }
  return -1;
}

/* 1 if row a says more than row b about the same request: a higher tier, then a later start. */
static int is_better(const PriceRow *a, const PriceRow *b) {
  if (!b || a->above_tokens != b->above_tokens) {
    return !b || a->above_tokens > b->above_tokens;
  }
  return a->from_ms >= b->from_ms;
}

/* Match of each row's model with the one asked for; rows of one model share the pointer and
** stand together. */
static int row_match(const PriceList *list, int i, const char *model, int previous) {
  return i > 0 && list->rows[i].model == list->rows[i - 1].model
             ? previous
             : model_name_match(model, list->rows[i].model);
}

static int best_match(const PriceList *list, const char *model) {
  int best = 0, match = 0;
  for (int i = 0; i < list->n && best < 3; i++) {
    match = row_match(list, i, model, match);
    best = match > best ? match : best;
  }
  return best;
}

/* Fills the kinds of *set that this list prices. Returns the best name match (0: unknown model). */
static int resolve_list(PriceList list, const char *model, long long at_ms, long long input_tokens,
                        PriceSet *set) {
  const PriceRow *best[PRICE_KINDS] = {0};
  int wanted = best_match(&list, model), match = 0;
  for (int i = 0; wanted && i < list.n; i++) {
    const PriceRow *r = &list.rows[i];
    match = row_match(&list, i, model, match);
    if (match == wanted && r->from_ms <= at_ms && at_ms < r->to_ms &&
        (r->above_tokens == 0 || input_tokens > r->above_tokens) && is_better(r, best[r->kind])) {
      best[r->kind] = r;
    }
  }
  for (int k = 0; k < PRICE_KINDS; k++) {
    if (best[k]) {
      set->pusd[k] = best[k]->pusd;
    }
  }
  return wanted;
}

static void fall_back(PriceSet *set, PriceKind kind, PriceKind ancestor) {
  if (set->pusd[kind] == PRICE_UNKNOWN) {
    set->pusd[kind] = set->pusd[ancestor];
  }
}

int price_resolve(PriceList overrides, const char *model, long long at_ms, long long input_tokens,
                  PriceSet *set) {
  for (int k = 0; k < PRICE_KINDS; k++) {
    set->pusd[k] = PRICE_UNKNOWN;
  }
  int known = resolve_list(catalogue_prices(), model, at_ms, input_tokens, set);
  known |= resolve_list(overrides, model, at_ms, input_tokens, set);
  fall_back(set, PRICE_CACHE_READ, PRICE_INPUT);
  fall_back(set, PRICE_CACHE_WRITE, PRICE_INPUT);
  fall_back(set, PRICE_CACHE_WRITE_1H, PRICE_CACHE_WRITE);
  return known != 0;
}

/* Adds tokens × price. Returns 0 where tokens are there and their price is not. */
static int add_leaf(Cost *cost, long long tokens, long long pusd) {
  if (tokens > 0 && pusd == PRICE_UNKNOWN) {
    return 0;
  }
  if (tokens > 0) {
    *cost += (Cost)(unsigned long long)tokens * (Cost)(unsigned long long)pusd;
  }
  return 1;
}

static long long or_zero(long long count) {
  return count == USAGE_UNKNOWN ? 0 : count;
}

int price_cost(const PriceSet *set, const Usage *u, Cost *cost) {
  *cost = 0;
  if (u->input == USAGE_UNKNOWN || u->output == USAGE_UNKNOWN) {
    return 0;
  }
  long long read = or_zero(u->cached), write = or_zero(u->write_5m),
            write_1h = or_zero(u->write_1h);
  long long uncached = u->input - read - write - write_1h;
  if (uncached < 0) {
    return -1;
  }
  return add_leaf(cost, uncached, set->pusd[PRICE_INPUT]) &&
         add_leaf(cost, read, set->pusd[PRICE_CACHE_READ]) &&
         add_leaf(cost, write, set->pusd[PRICE_CACHE_WRITE]) &&
         add_leaf(cost, write_1h, set->pusd[PRICE_CACHE_WRITE_1H]) &&
         add_leaf(cost, u->output, set->pusd[PRICE_OUTPUT]);
}

long long cost_nusd(Cost cost) {
  Cost nusd = (cost + 500000000u) / 1000000000u;
  return nusd <= LLONG_MAX ? (long long)nusd
                           : LLONG_MAX; /* an absurd count must not become a negative cost */
}

double cost_usd(Cost cost) {
  return (double)((long double)cost / 1e18L);
}

int decimal_parse_pico(const char *text, long long *value) {
  static const Cost enough =
      (Cost)1000000000000000000 * 1000000000000000000; /* later digits decide nothing */
  const char *p = text;
  Cost v = 0;
  long shift = 12;
  int digits = 0, seen_point = 0;
  for (; (*p >= '0' && *p <= '9') || (*p == '.' && !seen_point); p++) {
    if (*p == '.') {
      seen_point = 1;
    } else if (v < enough) {
      v = v * 10 + (unsigned)(*p - '0');
      shift -= seen_point;
      digits = 1;
    } else {
      shift += !seen_point;
    }
  }
  if (digits && (*p == 'e' || *p == 'E')) {
    char *end;
    int sign = p[1] == '+' || p[1] == '-';
    long exponent = strtol(p + 1, &end, 10);
    if (p[1 + sign] < '0' || p[1 + sign] > '9' || exponent < -60 || exponent > 60) {
      return 0;
    }
    shift += exponent;
    p = end;
  }
  if (!digits || *p) {
    return 0;
  }
  for (; shift > 0 && v && v <= LLONG_MAX; shift--) {
    v *= 10;
  }
  for (; shift < 0 && v; shift++) {
    v = shift == -1 ? (v + 5) / 10 : v / 10;
  }
  *value = v <= LLONG_MAX ? (long long)v : 0;
  return v <= LLONG_MAX;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar (Hinnant's civil-from-days
** algorithm, http://howardhinnant.github.io/date_algorithms.html). */
static long long days_from_civil(long long y, int m, int d) {
  y -= m <= 2;
  long long era = (y >= 0 ? y : y - 399) / 400;
  long long yoe = y - era * 400;
  long long doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int time_parse(const char *text, long long *ms) {
  char *end;
  long long value = strtoll(text, &end, 10);
  if (end != text && *end == 0) {
    *ms = value;
    return 1;
  }
  int y, mo, d, h = 0, mi = 0, s = 0, used = 0;
  if (sscanf(text, "%4d-%2d-%2d%n", &y, &mo, &d, &used) != 3 || mo < 1 || mo > 12 || d < 1 ||
      d > 31) {
    return 0;
  }
  const char *p = text + used;
  if (*p == 'T' || *p == ' ') {
    used = 0;
    if (sscanf(p + 1, "%2d:%2d%n", &h, &mi, &used) != 2 || used == 0) {
      return 0;
    }
    p += 1 + used;
    if (*p == ':' && sscanf(p, ":%2d%n", &s, &used) == 1) {
      p += used;
    }
    p += *p == 'Z';
  }
  if (*p || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60) {
    return 0;
  }
  *ms = ((days_from_civil(y, mo, d) * 24 + h) * 60 + mi) * 60000LL + s * 1000LL;
  return 1;
}
