/*
** See turns.h for the contract.
*/
#include "call/route/turns.h"

#include "call/route/tiers.h"
#include "call/state/texts.h"
#include "money/pricing.h"

#include <stdio.h>
#include <string.h>

enum { BYTES_A_TOKEN = 4, USUAL_OUTPUT = 500 };

/* Runs the statement for the turn before, with what names it: its tier, -1 where there is none. */
static int find_tier(Call *k, StoreSql id, const char *name, Err *err) {
  sqlite3_stmt *stmt = store_stmt(k->store, id, err);
  int i = -1, rc = stmt ? sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) : SQLITE_OK;
  if (!stmt) {
    return -1;
  }
  if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *model = (const char *)sqlite3_column_text(stmt, 0);
    i = model ? tiers_of_model(&k->route, model) : -1;
  }
  rc = store_done(k->store, stmt);
  if (rc != SQLITE_OK) {
    store_error(k->store, rc, "look for the turn before", err);
  }
  return i;
}

/* The turn before, by the messages that these begin with: all but the last answer and the last question. */
static int find_by_history(Call *k, Err *err) {
  Request before = *k->request;
  Hash h;
  char name[HASH_HEX_SIZE];
  before.n_messages -= 2;
  if (before.n_messages < 1 || k->conn->set.log_text == LOG_NONE ||
      texts_name_prompt(&before, k->store->seed, &h, err) != RC_OK) {
    return -1;
  }
  hash_hex(&h, name);
  return find_tier(k, SQL_LAST_OF_PROMPT, name, err);
}

/* What this turn comes to at a tier's model, in nano-dollars; `reads`: its cache has the turns before. -1: nobody says. */
static long long price_of(Call *k, int tier, int reads, Err *err) {
  const Request *r = k->request;
  Model model = {0};
  long long before = r->system ? (long long)strlen(r->system) : 0, nusd = -1;
  for (int i = 0; i + 1 < r->n_messages; i++) {
    before += (long long)r->messages[i].n;
  }
  long long all = before + (long long)r->messages[r->n_messages - 1].n;
  const Config *config = conn_config_kept(k->conn, err);
  if (config && config_model(config, k->route.tiers[tier].model, &model, err) == RC_OK) {
    nusd = pricing_of_turn(k->conn, &model, all / BYTES_A_TOKEN, reads ? before / BYTES_A_TOKEN : 0,
                           USUAL_OUTPUT, err);
    config_model_free(&model);
  }
  return nusd;
}

/* 1 if the change pays. */
static int is_worth_it(Call *k, int kept, Err *err) {
  const Route *route = &k->route;
  if (tiers_compare_price(k, kept, route->drawn, err) > 0) {
    return route->score >= route->tiers[kept].max_score + TURNS_MARGIN;
  }
  long long stay = price_of(k, kept, 1, err), change = price_of(k, route->drawn, 0, err);
  return stay >= 0 && change >= 0 && change < stay;
}

int turns_keep(Call *k, Err *err) {
  const char *conversation = k->request->options->conversation;
  int kept = !k->store      ? -1
             : conversation ? find_tier(k, SQL_LAST_OF_CONVERSATION, conversation, err)
                            : find_by_history(k, err);
  return kept < 0 || kept == k->route.drawn || err->rc != RC_OK || is_worth_it(k, kept, err) ? -1
                                                                                             : kept;
}
