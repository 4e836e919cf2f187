/*
** What an answer costs: its usage and its price, into the ledger's row. See judge.h for the contract.
*/
#include "call/judge.h"

#include "call/tell.h"
#include "money/pricing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A count for a column that is NULL where nothing was reported. */
static long long column_of(const Usage *u, Unit unit) {
  long long count = usage_get(u, unit);
  return count == USAGE_UNKNOWN ? LEDGER_NULL : count;
}

/* The cost of one usage, under the name the answer gives. Where nobody prices that, under the
** name that was requested: of a private server's models the user prices that one in llm_prices. */
static PriceVerdict price_one(Call *k, PricingAsk ask, const Usage *u, PricingAnswer *answer,
                              Err *err) {
  int is_named = ask.model[0] != 0;
  PriceVerdict verdict = is_named ? pricing_answer(k->conn, &ask, u, answer, err) : NO_MODEL;
  if (verdict == NO_MODEL) {
    ask.model = k->model.name;
    ask.found.entry = NULL; /* of the other name */
    ask.list = is_named ? "" : NULL;
    verdict = pricing_answer(k->conn, &ask, u, answer, err);
  }
  return verdict;
}

static PricingAsk ask_of(const Call *k, const Reply *reply) {
  return (PricingAsk){.model = reply->model, .provider = k->model.provider, .at_ms = k->row.ts};
}

/* All parts of an answer that was billed in several: their costs and their tokens add up. */
static PriceVerdict price_parts(Call *k, Reply *reply, PricingAnswer *answer, Err *err) {
  PricingAsk main = ask_of(k, reply);
  PriceVerdict verdict = PRICED;
  Cost total = 0;
  reply->usage.has = 0;
  for (int i = 0; i < reply->n_parts; i++) {
    const UsagePart *part = &reply->parts[i];
    for (UnitSet left = part->usage.has; left; left &= left - 1) {
      Unit unit = UNIT_FIRST(left);
      long long sum = usage_get(&reply->usage, unit);
      usage_set(&reply->usage, unit, (sum == USAGE_UNKNOWN ? 0 : sum) + part->usage.n[unit]);
    }
    if (verdict == PRICED) {
      PricingAsk ask = pricing_ask_of_part(k->conn, &main, part, err);
      verdict = price_one(k, ask, &part->usage, answer, err);
    }
    if (verdict == PRICED) {
      verdict = cost_add(&total, answer->sum.cost, answer->sum.why);
    }
  }
  answer->sum.cost = total;
  return verdict;
}

static int fill_usage(Call *k, const Reply *reply, Err *err) {
  const Usage *u = &reply->usage;
  LedgerRow *row = &k->row;
  cJSON *tree = !u->has && !u->other[0] ? NULL
                : reply->n_parts        ? usage_parts_json(u, reply->parts, reply->n_parts)
                                        : usage_json(u);
  tell_scrub_usage(k, tree);
  cJSON_free(k->usage);
  k->usage = tree ? cJSON_PrintUnformatted(tree) : NULL;
  cJSON_Delete(tree);
  row->usage = k->usage;
  row->input_tokens = column_of(u, UNIT_INPUT);
  row->cached_input_tokens = column_of(u, UNIT_CACHE_READ);
  row->cache_write_tokens = column_of(u, UNIT_CACHE_WRITE);
  row->output_tokens = column_of(u, UNIT_OUTPUT);
  row->reasoning_tokens = column_of(u, UNIT_REASONING);
  row->cost_reported_nusd = u->reported_nusd;
  return (u->has || u->other[0]) && !k->usage ? err_nomem(err) : RC_OK;
}

/* Puts usage and cost of a success into the row. A model that is known but can't be priced says why; an
** unknown one is NULL, and listed in llm_unpriced. Fails where that can't be known: no memory, or prices that can't
** be read just now. */
int bill_reply(Call *k, Reply *reply, Err *failure) {
  LedgerRow *row = &k->row;
  PricingAnswer answer = {.sum.why = ""};
  char *why = answer.sum.why;
  Err err = {0};
  PriceVerdict verdict = NO_PRICE;
  usage_note_asked(&reply->usage, vendor_by_word(k->model.provider), k->model.name);
  if (pricing_refresh(k->conn, NULL, &err) == RC_OK) {
    verdict = reply->n_parts ? price_parts(k, reply, &answer, &err)
                             : price_one(k, ask_of(k, reply), &reply->usage, &answer, &err);
  }
  if (fill_usage(k, reply, failure) != RC_OK) {
    return failure->rc;
  }
  if (err.rc != RC_OK && err.rc != RC_ERROR) { /* there may be a price: it could not be read */
    k->is_unpriced = 1;
    *failure = err;
    return failure->rc;
  }
  row->cost_nusd =
      verdict == PRICED && !reply->usage_error[0] ? cost_nusd(answer.sum.cost) : LEDGER_NULL;
  tell_scrub(k, reply->usage_error, sizeof reply->usage_error);
  tell_scrub(k, why, PRICE_WHY);
  tell_scrub(k, err.msg, sizeof err.msg);
  const char *reason = reply->usage_error[0] ? reply->usage_error : err.rc ? err.msg : why;
  int is_wrong = verdict == BAD_USAGE || verdict == FAILED || reply->usage_error[0];
  if (reason[0] && (is_wrong || reply->usage.has || reply->usage.other[0])) {
    snprintf(k->error, sizeof k->error, "unpriced: %.300s", reason);
    row->error = k->error;
  }
  return RC_OK;
}

int bill_partial(Call *k, const Reply *reply, Err *err) {
  cJSON *tree = usage_json(&reply->usage);
  json_add(tree, "pieces", cJSON_CreateNumber(reply->pieces), err);
  tell_scrub_usage(k, tree);
  cJSON_free(k->usage);
  k->usage = json_print(tree, err);
  k->row.usage = k->usage;
  return err->rc;
}
