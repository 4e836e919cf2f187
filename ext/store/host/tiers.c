/*
** See tiers.h for the contract.
*/
#include "store/host/tiers.h"

#include "store/host/host.h"

static int write_one(sqlite3 *host, sqlite3_stmt *stmt, const Tier *tier, double max_score,
                     Err *err) {
  int rc = sqlite3_bind_text(stmt, 2, tier->name, -1, SQLITE_STATIC);
  sqlite3_bind_double(stmt, 1, max_score);
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
    rc = sqlite3_reset(stmt);
  }
  return rc == SQLITE_OK ? RC_OK : host_error(host, "write llm_tiers", err);
}

int tiers_write(sqlite3 *host, const Config *config, const double *max_scores, Err *err) {
  static const char sql[] = "UPDATE main.llm_tiers SET max_score = ?1 WHERE name = ?2";
  sqlite3_stmt *stmt = NULL;
  Savepoint savepoint;
  if (!config->has_tier_table) {
    return err_set(err, RC_ERROR, ERR_CONFIG,
                   "there is no table llm_tiers yet: SELECT llm_init() makes it");
  }
  if (savepoint_begin(host, &savepoint) != SQLITE_OK) {
    return host_error(host, "write llm_tiers (in a SELECT of its own)", err);
  }
  if (sqlite3_prepare_v2(host, sql, -1, &stmt, NULL) != SQLITE_OK) {
    host_error(host, "write llm_tiers", err);
  }
  for (int i = 0; i < config->n_tiers && err->rc == RC_OK; i++) {
    write_one(host, stmt, &config->tiers[i], max_scores[i], err);
  }
  sqlite3_finalize(stmt);
  return host_end(host, &savepoint, err);
}
