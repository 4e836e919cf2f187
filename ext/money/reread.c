/*
** See reread.h for the contract.
*/
#include "money/reread.h"

#include "base/limits.h"
#include "store/db/row.h"

#include <stdlib.h>
#include <string.h>

static void take_count(Usage *u, Unit unit, long long count) {
  if (count >= 0 && count <= LIMIT_TOKENS) { /* (the table may hold anything) */
    usage_set(u, unit, count);
  }
}

/* The columns, where a row has no usage object (or one from before there was that column). */
static void read_columns(const AuditRow *row, Usage *u) {
  usage_init(u);
  take_count(u, UNIT_INPUT, row->input_tokens);
  take_count(u, UNIT_CACHE_READ, row->cached_input_tokens);
  take_count(u, UNIT_CACHE_WRITE, row->cache_write_tokens);
  take_count(u, UNIT_CACHE_WRITE_1H, row->cache_write_long_tokens);
  take_count(u, UNIT_OUTPUT, row->output_tokens);
  take_count(u, UNIT_REASONING, row->reasoning_tokens);
  usage_set_service(u, row->service ? row->service : "");
  usage_set_geo(u, row->geo ? row->geo : "");
}

int reread_usage(const AuditRow *row, Usage *u, UsagePart **parts, int *n, Err *err) {
  cJSON *tree =
      row->usage ? json_parse(row->usage, strlen(row->usage), "a row's usage", err) : NULL;
  if (tree) {
    usage_read_all(tree, NULL, NULL, u, parts, n, err);
  } else if (err->rc == RC_OK) {
    read_columns(row, u);
  }
  u->can = row->kind == KIND_EMBED ? u->can & ~UNIT_BIT(UNIT_OUTPUT) : u->can;
  cJSON_Delete(tree);
  return err->rc;
}

PriceVerdict reread_price(Conn *conn, const AuditRow *row, BillingLines *lines, Billing *now,
                          int *has_usage, Err *err) {
  UsagePart *parts = NULL;
  int n = 0;
  Usage u = {0};
  PriceVerdict verdict = NO_PRICE;
  *now = (Billing){.nusd = BILLING_UNKNOWN, .why = ""};
  reread_usage(row, &u, &parts, &n, err);
  *has_usage = err->rc == RC_OK && (u.has || u.other[0]);
  if (*has_usage) {
    const Billed billed = {.model = row->model ? row->model : "",
                           .requested = row->model_requested ? row->model_requested : "",
                           .provider = row->provider,
                           .at_ms = row->ts,
                           .usage = &u,
                           .parts = parts,
                           .n_parts = n,
                           .lines = lines};
    verdict = billing_price(conn, &billed, now, err);
  }
  free(parts);
  return verdict;
}
