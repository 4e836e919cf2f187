/*
** What an answer comes to. See billing.h for the contract.
*/
#include "money/billing.h"

#include <stdio.h>

static PriceVerdict price_one(Conn *conn, const Billed *b, PricingAsk ask, const Usage *u,
                              PricingAnswer *answer, Err *err) {
  int is_named = ask.model[0] != 0;
  PriceVerdict verdict = is_named ? pricing_answer(conn, &ask, u, answer, err) : NO_MODEL;
  if (verdict == NO_MODEL) {
    ask.model = b->requested;
    ask.found.entry = NULL; /* of the other name */
    ask.list = is_named ? "" : NULL;
    verdict = pricing_answer(conn, &ask, u, answer, err);
  }
  return verdict;
}

/* All of it at list prices or at one's own. */
static PriceVerdict price_all(Conn *conn, const Billed *b, int is_listed, Cost *total,
                              char why[PRICE_WHY], Err *err) {
  PricingAsk main = {
      .model = b->model, .provider = b->provider, .at_ms = b->at_ms, .is_listed = is_listed};
  PricingAnswer answer = {.sum.why = ""};
  PriceVerdict verdict = PRICED;
  *total = 0;
  for (int i = 0; (i == 0 || i < b->n_parts) && verdict == PRICED; i++) {
    const Usage *u = b->n_parts ? &b->parts[i].usage : b->usage;
    PricingAsk ask = b->n_parts ? pricing_ask_of_part(conn, &main, &b->parts[i], err) : main;
    verdict = price_one(conn, b, ask, u, &answer, err);
    verdict = verdict == PRICED ? cost_add(total, answer.sum.cost, answer.sum.why) : verdict;
  }
  snprintf(why, PRICE_WHY, "%s", verdict == PRICED ? "" : answer.sum.why);
  return verdict;
}

PriceVerdict billing_price(Conn *conn, const Billed *b, Billing *billing, Err *err) {
  Cost cost, list;
  char why[PRICE_WHY];
  PriceVerdict verdict = price_all(conn, b, 0, &cost, billing->why, err);
  billing->nusd = verdict == PRICED ? cost_nusd(cost) : BILLING_UNKNOWN;
  billing->list_nusd = billing->nusd;
  if (pricing_has_own(conn) && verdict != FAILED) {
    PriceVerdict listed = price_all(conn, b, 1, &list, why, err);
    verdict = listed == FAILED ? FAILED : verdict;
    billing->list_nusd = listed == PRICED ? cost_nusd(list) : BILLING_UNKNOWN;
  }
  return verdict;
}
