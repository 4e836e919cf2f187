/*
** llm_price, llm_cost, llm_cost_explain, llm_cache_minimum: prices and what they come to.
*/
#include "fn/fn.h"

#include "core/price/catalogue.h"
#include "base/text/decimal.h"
#include "base/sqlite/args.h"
#include "fn/cost_args.h"
#include "store/host/prices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- llm_cost */

/* The cost of one usage. What is wrong with it is an error; so is a model that nobody prices, if the caller
** did not want NULL. */
static PriceVerdict cost_of_one(Conn *c, const CostArgs *args, const PricingAsk *ask,
                                const Usage *u, Cost *cost, Err *err) {
  PricingAnswer answer;
  PriceVerdict verdict = pricing_answer(c, ask, u, &answer, err);
  *cost = answer.sum.cost;
  if (verdict == NO_MODEL && !args->unknown_is_null) {
    pricing_unknown(answer.ref, ", or give {\"unknown\":\"null\"}", err);
  } else if (verdict == BAD_USAGE) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "%s", answer.sum.why);
  }
  return verdict;
}

/* The cost of what was billed, in all its parts. */
static PriceVerdict cost_of(Conn *c, CostArgs *args, Cost *cost, Err *err) {
  char why[PRICE_WHY]; /* ignored: a sum that can't be counted is NULL */
  PriceVerdict verdict = PRICED;
  Cost one;
  if (!args->n_parts) {
    return cost_of_one(c, args, &args->ask, &args->usage, cost, err);
  }
  for (int i = 0; i < args->n_parts && verdict == PRICED; i++) {
    PricingAsk ask = pricing_ask_of_part(c, &args->ask, &args->parts[i], err);
    verdict = cost_of_one(c, args, &ask, &args->parts[i].usage, &one, err);
    verdict = verdict == PRICED ? cost_add(cost, one, why) : verdict;
  }
  return verdict;
}

/* 1 for what is wrong with what was given: nothing that could not be looked at. */
static int is_theirs(const Err *err) {
  return err->rc == RC_ERROR || err->rc == RC_TOOBIG;
}

/* A usage that can't be read is found again by its model. (The usage itself is not quoted.) */
static void name_model(const CostArgs *args, Err *err) {
  char msg[sizeof err->msg];
  if (err->code == ERR_BAD_USAGE && args->ask.model) {
    snprintf(msg, sizeof msg, "%s", err->msg);
    snprintf(err->msg, sizeof err->msg, "%.300s (model '%.80s')", msg, args->ask.model);
  }
}

void fn_llm_cost(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  CostArgs args;
  Cost cost = 0;
  PriceVerdict verdict = NO_PRICE;
  if (cost_args_read(ctx, argc, argv, &args, err) == RC_OK && !args.is_null) {
    verdict = cost_of(c, &args, &cost, err);
  }
  if (is_theirs(err) && args.error_is_null) {
    *err = (Err){0};
  } else if (err->rc != RC_OK) {
    name_model(&args, err);
  } else if (verdict == PRICED) {
    sqlite3_result_double(ctx, cost_usd(cost));
  }
  cost_args_free(&args);
}

/* ---- llm_cost_explain */

static void add_decimal(cJSON *tree, const char *name, Cost value, int scale, Err *err) {
  char text[64];
  decimal_format(value, scale, text, sizeof text);
  json_add(tree, name, cJSON_CreateRaw(text), err);
}

static void add_text(cJSON *tree, const char *name, const char *text, Err *err) {
  json_add(tree, name, text && text[0] ? cJSON_CreateString(text) : cJSON_CreateNull(), err);
}

static void add_line(cJSON *lines, const PriceSet *set, Unit unit, long long count, Err *err) {
  cJSON *line = json_add(lines, NULL, cJSON_CreateObject(), err);
  json_add(line, "unit", cJSON_CreateString(unit_word(unit)), err);
  json_add(line, "count", cJSON_CreateNumber((double)count), err);
  add_decimal(line, "usd_per_million", (Cost)(unsigned long long)set->pusd[unit], 12, err);
  add_decimal(line, "factor", (Cost)(unsigned long long)set->factor[unit], 12, err);
  add_decimal(line, "usd", price_leaf(set, unit, count), COST_SCALE, err);
  add_text(line, "source", set->row[unit]->terms.source, err);
  add_text(line, "checked", set->row[unit]->terms.checked, err);
}

/* The leaves, each with its price, and their sums by direction. (All of them together can be counted.) */
static void add_lines(cJSON *tree, const PriceSet *set, const long long leaves[UNIT_COUNT],
                      Err *err) {
  cJSON *lines = json_add(tree, "lines", cJSON_CreateArray(), err);
  Cost input = 0, output = 0, total = 0;
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    if (leaves[unit] > 0) {
      Cost cost = price_leaf(set, unit, leaves[unit]);
      input += unit_is_input(unit) ? cost : 0;
      output += unit_is_output(unit) ? cost : 0;
      total += cost;
      add_line(lines, set, unit, leaves[unit], err);
    }
  }
  add_decimal(tree, "input_usd", input, COST_SCALE, err);
  add_decimal(tree, "output_usd", output, COST_SCALE, err);
  add_decimal(tree, "total_usd", total, COST_SCALE, err);
}

static cJSON *unpriced(const char *model, const char *why, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model ? model : ""), err);
  json_add(tree, "unpriced", cJSON_CreateString(why), err);
  return tree;
}

/* What was asked and which prices hold. */
static void add_found(cJSON *tree, const PricingAsk *ask, const Usage *u, const PricingAnswer *a,
                      Err *err) {
  const PriceRef *ref = a->ref;
  const PriceSource *source = ref->list.model ? &ref->list : &ref->singles[0];
  json_add(tree, "model", cJSON_CreateString(ask->model), err);
  add_text(tree, "provider", ref->seller.vendor ? ref->seller.vendor->id : NULL, err);
  add_text(tree, "priced_as", source->model->name, err);
  add_text(tree, "list", source->book->list[0] ? source->book->list : "llm_prices", err);
  json_add(tree, "at", cJSON_CreateNumber((double)ask->at_ms), err);
  json_add(tree, "service", cJSON_CreateString(a->set->service), err);
  add_text(tree, "geo", u->geo, err);
}

/* One request, or one part of it; several are an array. */
static cJSON *explain(Conn *c, const CostArgs *args, const PricingAsk *ask, const Usage *u,
                      Err *err) {
  PricingAnswer a;
  PriceVerdict verdict = pricing_answer(c, ask, u, &a, err);
  if (verdict == NO_MODEL && args->unknown_is_null) {
    return unpriced(ask->model,
                    a.ref->n_sellers ? "its price depends on who sells it" : "unknown model", err);
  }
  if (verdict == NO_MODEL) {
    pricing_unknown(a.ref, "", err);
  } else if (verdict == BAD_USAGE) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "%s", a.sum.why);
  }
  if (verdict != PRICED && verdict != NO_PRICE) {
    return NULL;
  }
  const char *why = a.set->missing ? a.set->missing : a.sum.why;
  cJSON *tree = cJSON_CreateObject();
  add_found(tree, ask, u, &a, err);
  add_text(tree, "unpriced", verdict == PRICED ? NULL : why, err);
  if (verdict == PRICED) {
    add_lines(tree, a.set, a.sum.leaves, err);
  }
  return tree;
}

cJSON *cost_explain(Conn *c, CostArgs *args, Err *err) {
  if (!args->n_parts) {
    return explain(c, args, &args->ask, &args->usage, err);
  }
  cJSON *list = cJSON_CreateArray();
  for (int i = 0; i < args->n_parts && err->rc == RC_OK; i++) {
    PricingAsk ask = pricing_ask_of_part(c, &args->ask, &args->parts[i], err);
    json_add(list, NULL, explain(c, args, &ask, &args->parts[i].usage, err), err);
  }
  return list;
}

void fn_llm_cost_explain(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  CostArgs args;
  cJSON *tree = NULL;
  int there = cost_args_read(ctx, argc, argv, &args, err) == RC_OK && !args.is_null;
  if (there) {
    tree = cost_explain(c, &args, err);
  }
  if (is_theirs(err) && args.error_is_null) {
    Err none = {0};
    cJSON_Delete(tree);
    tree = unpriced(args.ask.model, err->msg, &none);
    *err = none;
    there = 1;
  }
  char *text = there || err->rc != RC_OK ? json_print(tree, err) : NULL;
  if (err->rc != RC_OK) {
    name_model(&args, err);
  } else if (there) {
    result_json(ctx, text);
  }
  cost_args_free(&args);
}

/* ---- llm_price */

/* The argument behind a model's name: a time, or the options object. */
static int read_price_when(Conn *c, sqlite3_value *v, PriceOptions *o, Err *err) {
  size_t n = 0;
  const char *text = v ? arg_bytes(v, &n, err) : NULL;
  o->ask.at_ms = now_ms();
  o->ask.service = o->usage.service;
  o->ask.geo = o->usage.geo;
  usage_init(&o->usage);
  if (json_begins(text)) {
    return price_options_read(c, text, n, o, err);
  }
  if (text && (strlen(text) != n || !time_parse(text, &o->ask.at_ms))) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "at '%.40s' (expected 'YYYY-MM-DD[THH:MM:SSZ]', Unix ms, not seconds, or an options "
            "object)",
            text);
  }
  return err->rc;
}

/* The prices that hold; the set is NULL where there are none, or *err. */
static const PriceSet *find_prices(Conn *c, const PriceOptions *o, Err *err) {
  PricingAnswer answer;
  switch (pricing_prices(c, &o->ask, &answer, err)) {
  case PRICED:
    return answer.set;
  case NO_MODEL:
    if (!o->unknown_is_null) {
      pricing_unknown(answer.ref, "", err);
    }
    return NULL;
  default:
    return NULL;
  }
}

void fn_llm_price(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  const PriceSet *set = NULL;
  PriceOptions o = {.ask.model = arg_name(argv[0], "the model", err)};
  Cost price;
  const char *word = arg_text(argv[1], "the kind", err);
  Unit unit = word ? unit_parse(word) : UNIT_COUNT;
  if (unit == UNIT_COUNT || err->rc != RC_OK) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "kind '%.40s' (valid: %s)", word ? word : "",
            PRICE_KIND_WORDS);
  } else if (pricing_refresh(c, ctx, err) == RC_OK &&
             read_price_when(c, argc > 2 ? argv[2] : NULL, &o, err) == RC_OK) {
    set = find_prices(c, &o, err);
  }
  if (err->rc == RC_OK && set && price_of_unit(set, unit, &price)) {
    sqlite3_result_double(ctx, decimal_double(price, UNIT_PRICE_SCALE));
  }
  free(o.owned);
}

/* ---- llm_cache_minimum */

void fn_llm_cache_minimum(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  const PriceRef *ref = NULL;
  PriceOptions o = {.ask.model = arg_name(argv[0], "the model", err)};
  long long tokens = -1;
  if (err->rc == RC_OK && pricing_refresh(c, ctx, err) == RC_OK &&
      read_price_when(c, argc > 1 ? argv[1] : NULL, &o, err) == RC_OK) {
    ref = pricing_find(c, &o.ask, err);
  }
  if (ref && ref->bare) {
    tokens = catalogue_cache_minimum(ref->seller.vendor, ref->bare, o.ask.at_ms);
  }
  if (err->rc == RC_OK && tokens >= 0) {
    sqlite3_result_int64(ctx, tokens);
  }
  free(o.owned);
}
