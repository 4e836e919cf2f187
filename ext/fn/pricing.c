/*
** Price resolution over the user's tables. See pricing.h for the contract.
*/
#include "fn/pricing.h"

#include "store/config.h"

int pricing_resolve(sqlite3 *db, const char *model, long long at_ms, long long input_tokens, PriceSet *set, Err *err) {
  PriceList overrides;
  if (config_prices(db, model, &overrides, err) != RC_OK) {
    return -1;
  }
  int known = price_resolve(overrides, model, at_ms, input_tokens, set);
  config_prices_free(&overrides);
  return known;
}

int pricing_cost(sqlite3 *db, const char *model, long long at_ms, const Usage *u, Cost *cost, Err *err) {
  PriceSet set;
  long long input = u->input == USAGE_UNKNOWN ? 0 : u->input;
  int known = pricing_resolve(db, model, at_ms, input, &set, err);
  int priced = known == 1 ? price_cost(&set, u, cost) : known;
  if (known == 1 && priced < 0) {
    err_set(err, RC_ERROR, "bad_usage", "usage: more cached and written tokens (%lld) than input tokens (%lld)",
            (u->cached > 0 ? u->cached : 0) + (u->write_5m > 0 ? u->write_5m : 0) + (u->write_1h > 0 ? u->write_1h : 0),
            u->input);
  }
  return priced;
}
