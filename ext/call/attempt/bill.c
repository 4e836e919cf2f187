/*
** What an answer costs: its usage and its price, into the ledger's row. See judge.h for the contract.
*/
#include "call/attempt/judge.h"

#include "call/attempt/tell.h"
#include "money/billing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tokens of an answer that was billed in several parts add up. */
static void add_parts(Reply *reply) {
  reply->usage.has = reply->n_parts ? 0 : reply->usage.has;
  for (int i = 0; i < reply->n_parts; i++) {
    const Usage *part = &reply->parts[i].usage;
    for (UnitSet left = part->has; left; left &= left - 1) {
      Unit unit = UNIT_FIRST(left);
      long long sum = usage_get(&reply->usage, unit);
      usage_set(&reply->usage, unit, (sum == USAGE_UNKNOWN ? 0 : sum) + part->n[unit]);
    }
  }
}

/* What decides its price beside the counts, as the usage that is kept tells it: words that repeat a secret
** are not in it any more. */
static void fill_sold(Call *k, const Usage *u, const char *by_name, const cJSON *kept) {
  const char *geo = json_text(kept, "geo"), *service = json_text(kept, "service");
  int is_standard = strcmp(u->service, "standard") == 0;
  service = service ? service : !is_standard ? "" : by_name[0] ? by_name : "standard";
  snprintf(k->service, sizeof k->service, "%s", service);
  snprintf(k->geo, sizeof k->geo, "%s", geo ? geo : "");
  k->row.service = k->service[0] ? k->service : NULL;
  k->row.geo = k->geo[0] ? k->geo : NULL;
}

static int fill_usage(Call *k, const Reply *reply, const Billing *billing, Err *err) {
  const Usage *u = &reply->usage;
  LedgerRow *row = &k->row;
  cJSON *tree = !u->has && !u->other[0] ? NULL
                : reply->n_parts        ? usage_parts_json(u, reply->parts, reply->n_parts)
                                        : usage_json(u);
  tell_scrub_usage(k, tree);
  fill_sold(k, u, billing->service, tree);
  cJSON_free(k->usage);
  k->usage = tree ? cJSON_PrintUnformatted(tree) : NULL;
  cJSON_Delete(tree);
  row->usage = k->usage;
  billing_counts(u, row);
  row->cost_reported_nusd = u->reported_nusd;
  return (u->has || u->other[0]) && !k->usage ? err_nomem(err) : RC_OK;
}

/* Writes that were asked for an hour, in an answer that does not tell lifetimes apart. */
static void note_lifetime(const Call *k, Reply *reply) {
  if (!k->how.marks || !k->how.is_long || !k->how.form->keeps_an_hour) {
    return;
  }
  usage_note_hour(&reply->usage);
  for (int i = 0; i < reply->n_parts; i++) {
    usage_note_hour(&reply->parts[i].usage);
  }
}

/* What a batch brings is sold at the price of batches, whatever its usage calls the service. */
static void note_service(Reply *reply, const char *service) {
  snprintf(reply->usage.service, sizeof reply->usage.service, "%s", service);
  for (int i = 0; i < reply->n_parts; i++) {
    snprintf(reply->parts[i].usage.service, sizeof reply->parts[i].usage.service, "%s", service);
  }
}

/* Prices an answer; of a batch also as if it were none. */
static PriceVerdict price_reply(Call *k, Reply *reply, const Billed *billed, Billing *billing,
                                Err *err) {
  if (k->is_batch) {
    Err why = {0};
    note_service(reply, "standard");
    int is_priced = billing_price(k->conn, billed, billing, &why) == PRICED;
    k->full_nusd = is_priced ? billing->nusd : LEDGER_NULL;
    note_service(reply, "batch");
  }
  return billing_price(k->conn, billed, billing, err);
}

/* Puts usage and cost of a success into the row. A model that is known but can't be priced says why; an
** unknown one is NULL, and listed in llm_unpriced. Fails where that can't be known: no memory, or prices that can't
** be read just now. */
int bill_reply(Call *k, Reply *reply, Err *failure) {
  LedgerRow *row = &k->row;
  Billing billing = {.nusd = BILLING_UNKNOWN, .list_nusd = BILLING_UNKNOWN};
  char *why = billing.why;
  Err err = {0};
  PriceVerdict verdict = NO_PRICE;
  const Billed billed = {.model = reply->model,
                         .requested = k->model.name,
                         .provider = k->model.provider,
                         .at_ms = row->ts,
                         .usage = &reply->usage,
                         .parts = reply->parts,
                         .n_parts = reply->n_parts};
  usage_note_asked(reply->n_parts ? &reply->parts[reply->n_parts - 1].usage : &reply->usage,
                   vendor_by_word(k->model.provider), k->model.name);
  note_lifetime(k, reply);
  if (pricing_refresh(k->conn, NULL, &err) == RC_OK) {
    verdict = price_reply(k, reply, &billed, &billing, &err);
    if (k->budgets.by_catalogue) {
      Err ignored = {0};
      k->budgets.catalogue_nusd = billing_by_catalogue(k->conn, &billed, &ignored);
    }
  }
  add_parts(reply);
  if (fill_usage(k, reply, &billing, failure) != RC_OK) {
    return failure->rc;
  }
  if (err.rc != RC_OK && err.rc != RC_ERROR) { /* there may be a price: it could not be read */
    k->is_unpriced = 1;
    *failure = err;
    return failure->rc;
  }
  row->cost_nusd = reply->usage_error[0] ? LEDGER_NULL : billing.nusd;
  row->list_nusd = reply->usage_error[0] ? LEDGER_NULL : billing.list_nusd;
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
