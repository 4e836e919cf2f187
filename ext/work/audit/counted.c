/*
** See counted.h for the contract.
*/
#include "work/audit/counted.h"

#include "money/reread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static UnitSet token_units(void) {
  UnitSet set = 0;
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    set |= unit_is_input(unit) || unit_is_output(unit) ? UNIT_BIT(unit) : 0;
  }
  return set;
}

int counted_is_note(const AuditRow *row) {
  return row->purpose && strcmp(row->purpose, "difference") == 0;
}

static int counts_any(const Usage *u, UnitSet units) {
  int any = 0;
  for (UnitSet left = u->has & units; left; left &= left - 1) {
    any |= u->n[UNIT_FIRST(left)] > 0;
  }
  return any;
}

static void look_at(Counted *c, const Usage *u) {
  c->has_read |= counts_any(u, unit_family(UNIT_CACHE_READ));
  c->has_written |= counts_any(u, unit_family(UNIT_CACHE_WRITE));
}

int counted_read(Conn *conn, const AuditRow *row, Counted *c, Err *err) {
  Err bad = {0};
  *c = (Counted){.conn = conn, .row = row, .tokens = token_units()};
  if (err->rc != RC_OK) {
    return err->rc;
  }
  reread_usage(row, &c->usage, &c->parts, &c->n_parts, &bad);
  c->has_usage = bad.rc == RC_OK && (c->usage.has || c->usage.other[0]);
  look_at(c, &c->usage);
  for (int i = 0; i < c->n_parts; i++) {
    look_at(c, &c->parts[i].usage);
  }
  if (bad.rc != RC_OK && bad.rc != RC_ERROR) {
    *err = bad;
  }
  return err->rc;
}

int counted_has(const Counted *c, UnitSet units) {
  int any = counts_any(&c->usage, units);
  for (int i = 0; i < c->n_parts; i++) {
    any |= counts_any(&c->parts[i].usage, units);
  }
  return any;
}

void counted_free(Counted *c) {
  free(c->parts);
  c->parts = NULL;
}

/* A usage under other terms. */
static Usage under(const Counted *c, const Usage *was, unsigned terms) {
  Usage u = *was;
  UnitSet gone = (terms & COUNTED_UNREAD ? unit_family(UNIT_CACHE_READ) : 0) |
                 (terms & COUNTED_UNWRITTEN ? unit_family(UNIT_CACHE_WRITE) : 0) |
                 (terms & COUNTED_TOKENS ? ~c->tokens : 0);
  u.has &= ~gone;
  u.can &= ~gone;
  if (terms & COUNTED_STANDARD) {
    snprintf(u.service, sizeof u.service, "standard");
  }
  return u;
}

/* The parts under those terms: owned (free), NULL where there are none, or *err. */
static UsagePart *parts_under(const Counted *c, unsigned terms, Err *err) {
  UsagePart *parts = c->n_parts > 0 ? malloc((size_t)c->n_parts * sizeof *parts) : NULL;
  for (int i = 0; parts && i < c->n_parts; i++) {
    parts[i] = c->parts[i];
    parts[i].usage = under(c, &c->parts[i].usage, terms);
  }
  if (!parts && c->n_parts > 0) {
    err_nomem(err);
  }
  return parts;
}

long long counted_nusd(const Counted *c, unsigned terms, BillingLines *lines, Err *err) {
  UsagePart *parts = c->has_usage ? parts_under(c, terms, err) : NULL;
  if (!c->has_usage || err->rc != RC_OK) {
    return LEDGER_NULL;
  }
  const Usage u = under(c, &c->usage, terms);
  const Billed billed = {.model = c->row->model ? c->row->model : "",
                         .requested = c->row->model_requested ? c->row->model_requested : "",
                         .provider = c->row->provider,
                         .at_ms = c->row->ts,
                         .usage = &u,
                         .parts = parts,
                         .n_parts = c->n_parts,
                         .lines = lines};
  Billing billing = {.why = ""};
  PriceVerdict verdict = billing_price(c->conn, &billed, &billing, err);
  free(parts);
  return verdict == PRICED ? billing.nusd : LEDGER_NULL;
}

/* What is no token of it, where it was; LEDGER_NULL. */
static long long fees_of(const Counted *c, Err *err) {
  const unsigned plain = COUNTED_PLAIN | COUNTED_STANDARD;
  if (!(c->usage.has & ~c->tokens)) {
    return 0;
  }
  long long all = counted_nusd(c, plain, NULL, err);
  long long tokens = counted_nusd(c, plain | COUNTED_TOKENS, NULL, err);
  return all == LEDGER_NULL || tokens == LEDGER_NULL ? LEDGER_NULL : all - tokens;
}

long long counted_elsewhere(const Counted *c, const char *model, Err *err) {
  const PricingAsk ask = {.model = model, .at_ms = c->row->ts};
  Cost total = 0;
  PriceVerdict verdict = c->has_usage ? PRICED : NO_PRICE;
  for (int i = 0; (i == 0 || i < c->n_parts) && verdict == PRICED; i++) {
    PricingAnswer answer;
    Usage u = under(c, c->n_parts ? &c->parts[i].usage : &c->usage,
                    COUNTED_PLAIN | COUNTED_STANDARD | COUNTED_TOKENS);
    u.geo[0] = 0; /* a place of the provider's that it was at */
    verdict = pricing_answer(c->conn, &ask, &u, &answer, err);
    verdict = verdict == PRICED ? cost_add(&total, answer.sum.cost, answer.sum.why) : verdict;
  }
  long long fees = verdict == PRICED ? fees_of(c, err) : LEDGER_NULL;
  return fees == LEDGER_NULL ? LEDGER_NULL : cost_nusd(total) + fees;
}

const PriceSet *counted_prices(const Counted *c, Err *err) {
  const AuditRow *row = c->row;
  const char *model = row->model ? row->model : row->model_requested;
  const PricingAsk ask = {.model = model ? model : "",
                          .provider = row->provider,
                          .at_ms = row->ts,
                          .service = c->usage.service,
                          .geo = c->usage.geo,
                          .input_tokens = row->input_tokens > 0 ? row->input_tokens : 0};
  PricingAnswer answer;
  return pricing_prices(c->conn, &ask, &answer, err) == PRICED ? answer.set : NULL;
}

Cost counted_unit(const PriceSet *set, Unit unit, long long tokens) {
  Unit priced = set->priced & UNIT_BIT(unit) ? unit : UNIT_INPUT;
  int is_known = !(set->unknown & UNIT_BIT(unit)) && (set->priced & UNIT_BIT(priced));
  return is_known ? price_leaf(set, priced, tokens) : COST_MOST;
}

static long long at_least_0(long long n) {
  return n > 0 ? n : 0;
}

static Cost plus(Cost a, Cost b) {
  return a == COST_MOST || b == COST_MOST ? COST_MOST : a + b;
}

Cost counted_front(const Counted *c, const PriceSet *set, long long tokens) {
  const long long read = at_least_0(c->row->cached_input_tokens);
  const long long kept_long = at_least_0(c->row->cache_write_long_tokens);
  const struct {
    Unit unit;
    long long tokens;
  } order[] = {{UNIT_CACHE_READ, read},
               {UNIT_CACHE_WRITE_1H, kept_long},
               {UNIT_CACHE_WRITE, at_least_0(at_least_0(c->row->cache_write_tokens) - kept_long)},
               {UNIT_INPUT, LLONG_MAX}};
  Cost cost = 0;
  for (int i = 0; i < 4; i++) {
    long long n = tokens < order[i].tokens ? tokens : order[i].tokens;
    cost = n > 0 ? plus(cost, counted_unit(set, order[i].unit, n)) : cost;
    tokens -= n;
  }
  return cost;
}
