/*
** What an answer comes to. See billing.h for the contract.
*/
#include "money/billing.h"

#include "core/names/model_name.h"
#include "core/names/suffix.h"

#include <stdio.h>
#include <string.h>

/* 1 if the name that was asked is the one that answered with more to it: a place or a path before it, suffixes that
** the table knows behind it. Answers leave out what a seller's name tells of the price ("global.", ":free"). *is_sellers: a
** suffix says whose variant it is. */
static int says_more(const char *asked, const char *answered, int *is_sellers) {
  char lower[LIMIT_MODEL_NAME];
  size_t n_answered = strlen(answered), n = model_name_lower(asked, lower, sizeof lower), base;
  const char *at = n < sizeof lower && n_answered ? strcasestr(lower, answered) : NULL;
  if (!at || n == n_answered || (at > lower && !strchr("./", at[-1]))) {
    return 0;
  }
  while (n > (size_t)(at - lower) + n_answered) {
    const Suffix *s = suffix_of(lower, n, &base);
    if (!s || base < (size_t)(at - lower) + n_answered) {
      return 0;
    }
    *is_sellers |= s->means == SUFFIX_SELLER;
    n = base;
  }
  return 1;
}

static PriceVerdict price_one(Conn *conn, const Billed *b, PricingAsk ask, const Usage *u,
                              PricingAnswer *answer, Err *err) {
  int is_named = ask.model[0] != 0, is_sellers = 0;
  PriceVerdict verdict = NO_MODEL;
  if (is_named && says_more(b->requested, ask.model, &is_sellers)) {
    PricingAsk asked = ask;
    asked.model = b->requested;
    asked.found.entry = NULL;
    verdict = pricing_answer(conn, &asked, u, answer, err);
    if (verdict != NO_MODEL || is_sellers) {
      return verdict;
    }
  }
  verdict = is_named ? pricing_answer(conn, &ask, u, answer, err) : NO_MODEL;
  if (verdict == NO_MODEL) {
    ask.model = b->requested;
    ask.found.entry = NULL; /* of the other name */
    ask.list = ask.list || !is_named ? ask.list : "";
    verdict = pricing_answer(conn, &ask, u, answer, err);
  }
  return verdict;
}

static void add_lines(BillingLines *lines, const PricingAnswer *answer) {
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    if (answer->sum.leaves[unit] > 0) {
      lines->count[unit] += answer->sum.leaves[unit];
      lines->cost[unit] += price_leaf(answer->set, unit, answer->sum.leaves[unit]);
    }
  }
}

typedef enum Prices { PRICES_ALL, PRICES_LISTED, PRICES_OF_CATALOGUE } Prices;

/* All of it, by some of the prices. */
static PriceVerdict price_all(Conn *conn, const Billed *b, Prices by, Cost *total, Billing *out,
                              Err *err) {
  PricingAsk main = {.model = b->model,
                     .provider = b->provider,
                     .at_ms = b->at_ms,
                     .list = by == PRICES_OF_CATALOGUE ? "catalogue" : NULL,
                     .is_listed = by == PRICES_LISTED};
  PricingAnswer answer = {.sum.why = ""};
  PriceVerdict verdict = PRICED;
  *total = 0;
  for (int i = 0; (i == 0 || i < b->n_parts) && verdict == PRICED; i++) {
    const Usage *u = b->n_parts ? &b->parts[i].usage : b->usage;
    PricingAsk ask = b->n_parts ? pricing_ask_of_part(conn, &main, &b->parts[i], err) : main;
    verdict = price_one(conn, b, ask, u, &answer, err);
    if (verdict == PRICED && b->lines && by == PRICES_ALL) {
      add_lines(b->lines, &answer);
    }
    verdict = verdict == PRICED ? cost_add(total, answer.sum.cost, answer.sum.why) : verdict;
  }
  snprintf(out->why, PRICE_WHY, "%s", verdict == PRICED ? "" : answer.sum.why);
  snprintf(out->service, USAGE_WORD, "%s", answer.set ? answer.set->service : "");
  return verdict;
}

PriceVerdict billing_price(Conn *conn, const Billed *b, Billing *billing, Err *err) {
  Cost cost, list;
  Billing by_list = {.why = ""};
  PriceVerdict verdict = price_all(conn, b, PRICES_ALL, &cost, billing, err);
  billing->nusd = verdict == PRICED ? cost_nusd(cost) : BILLING_UNKNOWN;
  billing->list_nusd = billing->nusd;
  if (pricing_has_own(conn) && verdict != FAILED) {
    PriceVerdict listed = price_all(conn, b, PRICES_LISTED, &list, &by_list, err);
    verdict = listed == FAILED ? FAILED : verdict;
    billing->list_nusd = listed == PRICED ? cost_nusd(list) : BILLING_UNKNOWN;
  }
  return verdict;
}

long long billing_by_catalogue(Conn *conn, const Billed *b, Err *err) {
  Cost cost;
  Billing ignored = {.why = ""};
  int is_priced = price_all(conn, b, PRICES_OF_CATALOGUE, &cost, &ignored, err) == PRICED;
  return is_priced && err->rc == RC_OK ? cost_nusd(cost) : BILLING_UNKNOWN;
}

long long billing_count(const Usage *u, Unit unit) {
  long long count = usage_get(u, unit);
  return count == USAGE_UNKNOWN ? LEDGER_NULL : count;
}

void billing_counts(const Usage *u, LedgerRow *row) {
  row->input_tokens = billing_count(u, UNIT_INPUT);
  row->cached_input_tokens = billing_count(u, UNIT_CACHE_READ);
  row->cache_write_tokens = billing_count(u, UNIT_CACHE_WRITE);
  row->cache_write_long_tokens = billing_count(u, UNIT_CACHE_WRITE_1H);
  row->output_tokens = billing_count(u, UNIT_OUTPUT);
  row->reasoning_tokens = billing_count(u, UNIT_REASONING);
}
