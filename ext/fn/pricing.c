/*
** Price resolution over the user's tables. See pricing.h for the contract.
*/
#include "fn/pricing.h"

int pricing_resolve(Conn *conn, const char *model, long long at_ms, long long input_tokens,
                    PriceSet *set, Err *err) {
  const Config *config = conn_config(conn, err);
  return config ? price_resolve(config->overrides, model, at_ms, input_tokens, set) : -1;
}

int pricing_cost(Conn *conn, const char *model, long long at_ms, const Usage *u, Cost *cost,
                 Err *err) {
  PriceSet set;
  long long input = u->input == USAGE_UNKNOWN ? 0 : u->input;
  int known = pricing_resolve(conn, model, at_ms, input, &set, err);
  int priced = known == 1 ? price_cost(&set, u, cost) : known;
  if (known == 1 && priced < 0) {
    err_set(err, RC_ERROR, "bad_usage",
            "usage: more cached and written tokens (%lld) than input tokens (%lld)",
            (u->cached > 0 ? u->cached : 0) + (u->write_5m > 0 ? u->write_5m : 0) +
                (u->write_1h > 0 ? u->write_1h : 0),
            u->input);
  }
  return priced;
}
