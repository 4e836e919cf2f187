/*
** See calibrate.h for the contract.
**
** The requests are those of the ledger that were asked (no hits, no second attempts, nothing that was imported). One that has
** no score of the scorer in use is scored now, from its text, where that was kept. What it would have cost at another tier is
** its own tokens at that tier's prices.
*/
#include "work/route/calibrate.h"

#include "core/route/effort.h"
#include "core/route/shares.h"
#include "money/pricing.h"
#include "store/host/tiers.h"
#include "store/ledger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TIERS = 32 };

typedef struct Sample {
  double score;
  long long input, output; /* tokens; -1: not known */
} Sample;

typedef struct Samples {
  Sample *at;
  int n, skipped;
} Samples;

static const char samples_sql[] =
    "SELECT c.route_score, c.route_version, x.text, c.input_tokens, c.output_tokens"
    " FROM main.llm_calls c LEFT JOIN main.llm_texts x ON x.hash = c.prompt_hash"
    " WHERE c.kind = 'call' AND c.attempt = 1 AND c.purpose IS NULL AND c.source IS NULL"
    " ORDER BY c.ts DESC, c.id DESC LIMIT ?1";

/* The score of a row; NAN: nobody can say. */
static double score_of(sqlite3_stmt *stmt, int is_heuristic) {
  const char *version = (const char *)sqlite3_column_text(stmt, 1);
  const char *text = (const char *)sqlite3_column_text(stmt, 2);
  int is_ours = version && (is_heuristic ? strcmp(version, effort_version()) == 0
                                         : strcmp(version, "option") != 0 &&
                                               strncmp(version, "effort", 6) != 0);
  return is_ours                ? sqlite3_column_double(stmt, 0)
         : is_heuristic && text ? effort_score(text, (size_t)sqlite3_column_bytes(stmt, 2), NULL)
                                : (double)NAN;
}

static long long tokens_of(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, i) : -1;
}

static int read_rows(Conn *conn, sqlite3_stmt *stmt, Samples *s, Err *err) {
  int rc;
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    Sample one = {score_of(stmt, conn->set.scorer == SCORER_HEURISTIC), tokens_of(stmt, 3),
                  tokens_of(stmt, 4)};
    if (isnan(one.score)) {
      s->skipped++;
    } else {
      s->at[s->n++] = one;
    }
  }
  return rc == SQLITE_DONE ? RC_OK : store_error(conn->store, rc, "read the ledger", err);
}

static int by_score(const void *a, const void *b) {
  double x = ((const Sample *)a)->score, y = ((const Sample *)b)->score;
  return (x > y) - (x < y);
}

/* The latest requests, by their scores. */
static int read_samples(Conn *conn, long long last, Samples *s, Err *err) {
  sqlite3_stmt *stmt = NULL;
  Store *store = conn_store(conn, 0, err);
  if (!store || ledger_flush(store, err) != RC_OK) {
    return err->rc;
  }
  sqlite3 *reader = store_reader_take(store, err), *db = reader ? reader : store->db;
  s->at = err->rc == RC_OK ? calloc((size_t)last, sizeof *s->at) : NULL;
  if (err->rc == RC_OK && !s->at) {
    err_nomem(err);
  }
  int rc = err->rc == RC_OK ? sqlite3_prepare_v2(db, samples_sql, -1, &stmt, NULL) : SQLITE_OK;
  if (rc != SQLITE_OK) {
    store_error(store, rc, "read the ledger", err);
  } else if (err->rc == RC_OK) {
    sqlite3_bind_int64(stmt, 1, last);
    read_rows(conn, stmt, s, err);
  }
  sqlite3_finalize(stmt);
  store_reader_give(store, reader);
  if (s->at) {
    qsort(s->at, (size_t)s->n, sizeof *s->at, by_score);
  }
  return err->rc;
}

/* What is worked on: the samples as the tiers see them. */
typedef struct Work {
  Conn *conn;
  const Config *config;
  int tiers;
  Samples samples;
  double *sorted; /* their scores */
  double *costs;  /* tiers × samples: dollars; NAN: not known */
  double was[MOST_TIERS], now[MOST_TIERS];
} Work;

static double cost_of(Work *w, const Model *model, const Sample *s, Err *err) {
  long long nusd = s->input < 0 || s->output < 0
                       ? -1
                       : pricing_of_tokens(w->conn, model, s->input, s->output, err);
  return nusd < 0 ? (double)NAN : (double)nusd / 1e9;
}

/* What each request costs at each tier. */
static int price_all(Work *w, Err *err) {
  for (int t = 0; t < w->tiers && err->rc == RC_OK; t++) {
    Model model = {0};
    Err why = {0};
    int known = config_model(w->config, w->config->tiers[t].model, &model, &why) == RC_OK;
    for (int i = 0; i < w->samples.n && err->rc == RC_OK; i++) {
      w->costs[t * w->samples.n + i] =
          known ? cost_of(w, &model, &w->samples.at[i], err) : (double)NAN;
    }
    config_model_free(&model);
  }
  return err->rc;
}

/* Dollars a call under thresholds: of the requests whose costs are known. NAN: none is. */
static double cost_under(const Work *w, const double *thresholds) {
  double sum = 0;
  int n = 0;
  for (int i = 0; i < w->samples.n; i++) {
    int t = 0;
    while (t + 1 < w->tiers && !(w->sorted[i] < thresholds[t])) {
      t++;
    }
    double cost = w->costs[t * w->samples.n + i];
    sum += isnan(cost) ? 0 : cost;
    n += !isnan(cost);
  }
  return n ? sum / n : (double)NAN;
}

/* The shares that are wished for. */
static int read_shares(const Work *w, const cJSON *given, double *shares, Err *err) {
  static const double note[] = {0.72, 0.20,
                                0.08}; /* a support desk's, by the project's cost note */
  int n = given ? cJSON_GetArraySize(given) : 3;
  double sum = 0;
  if (n != w->tiers) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'shares': llm_tiers has %d tiers: give a share for each, such as"
                   " [0.72, 0.2, 0.08]",
                   w->tiers);
  }
  for (int i = 0; i < n; i++) {
    const cJSON *item = given ? cJSON_GetArrayItem(given, i) : NULL;
    shares[i] = given ? cJSON_IsNumber(item) ? item->valuedouble : -1 : note[i];
    sum += shares[i] < 0 ? (double)NAN : shares[i];
  }
  return fabs(sum - 1) < 1e-6 ? RC_OK
                              : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                                        "option 'shares': expected numbers that add up to 1");
}

/* The largest part of the requests that may go beyond the first tier at that many dollars a call: halves the range. */
static int fit_cost(Work *w, const double *like, double usd, Err *err) {
  double low = 0, high = 1, shares[MOST_TIERS];
  enum { HALVINGS = 20 };
  for (int i = 0; i < HALVINGS; i++) {
    double rest = i == 0 ? 0 : (low + high) / 2;
    shares_mix(like, w->tiers, rest, shares);
    shares_thresholds(w->sorted, w->samples.n, shares, w->tiers, w->now);
    double cost = cost_under(w, w->now);
    if (isnan(cost)) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                     "option 'usd_per_call': nobody prices these calls at the models of llm_tiers");
    }
    if (i == 0 && cost > usd) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                     "option 'usd_per_call': %g is less than the first tier alone costs (%.6g)",
                     usd, cost);
    }
    *(cost <= usd ? &low : &high) = rest;
  }
  shares_mix(like, w->tiers, low, shares);
  shares_thresholds(w->sorted, w->samples.n, shares, w->tiers, w->now);
  return RC_OK;
}

static cJSON *number(double value, double digits) {
  return isnan(value) ? cJSON_CreateNull() : cJSON_CreateNumber(round(value * digits) / digits);
}

static char *report(const Work *w, const CalibrateOptions *o, Err *err) {
  double was[MOST_TIERS], now[MOST_TIERS];
  cJSON *tree = cJSON_CreateObject();
  shares_under(w->sorted, w->samples.n, w->was, w->tiers, was);
  shares_under(w->sorted, w->samples.n, w->now, w->tiers, now);
  json_add(tree, "rows", cJSON_CreateNumber(w->samples.n), err);
  json_add(tree, "rows_without_score", cJSON_CreateNumber(w->samples.skipped), err);
  cJSON *list = json_add(tree, "tiers", cJSON_CreateArray(), err);
  for (int i = 0; i < w->tiers; i++) {
    cJSON *item = json_add(list, NULL, cJSON_CreateObject(), err);
    json_add(item, "tier", cJSON_CreateString(w->config->tiers[i].name), err);
    json_add(item, "model", cJSON_CreateString(w->config->tiers[i].model), err);
    json_add(item, "max_score_old", number(w->was[i], 1e6), err);
    json_add(item, "max_score_new", number(w->now[i], 1e6), err);
    json_add(item, "share_old", number(was[i], 1e4), err);
    json_add(item, "share_new", number(now[i], 1e4), err);
  }
  json_add(tree, "usd_per_call_old", number(cost_under(w, w->was), 1e9), err);
  json_add(tree, "usd_per_call_new", number(cost_under(w, w->now), 1e9), err);
  json_add(tree, "dry_run", cJSON_CreateBool(o->dry_run), err);
  return json_print(tree, err);
}

static int find_thresholds(Work *w, const CalibrateOptions *o, Err *err) {
  double shares[MOST_TIERS];
  if (price_all(w, err) != RC_OK || read_shares(w, o->shares, shares, err) != RC_OK) {
    return err->rc;
  }
  if (!isnan(o->usd_per_call)) {
    return fit_cost(w, shares, o->usd_per_call, err);
  }
  shares_thresholds(w->sorted, w->samples.n, shares, w->tiers, w->now);
  return RC_OK;
}

static int prepare(Work *w, Err *err) {
  int n = w->samples.n;
  if (n < CALIBRATE_LEAST) {
    return err_set(err, RC_ERROR, ERR_UNAVAILABLE,
                   "%d requests with a score of the setting scorer in the ledger: %d are needed"
                   " (%d more were given a score, or have no text that is kept)",
                   n, CALIBRATE_LEAST, w->samples.skipped);
  }
  w->sorted = malloc((size_t)n * sizeof *w->sorted);
  w->costs = malloc((size_t)n * (size_t)w->tiers * sizeof *w->costs);
  if (!w->sorted || !w->costs) {
    return err_nomem(err);
  }
  for (int i = 0; i < n; i++) {
    w->sorted[i] = w->samples.at[i].score;
  }
  for (int i = 0; i < w->tiers; i++) {
    w->was[i] = w->config->tiers[i].max_score;
  }
  return RC_OK;
}

char *calibrate_run(Conn *conn, const CalibrateOptions *o, Err *err) {
  Work w = {.conn = conn};
  char *text = NULL;
  long long last = o->last == SPEC_UNSET ? CALIBRATE_LAST : o->last;
  if (pricing_refresh(conn, NULL, err) == RC_OK &&
      read_samples(conn, last, &w.samples, err) == RC_OK) {
    w.config = conn->config;
    w.tiers = w.config->n_tiers < MOST_TIERS ? w.config->n_tiers : MOST_TIERS;
  }
  if (err->rc == RC_OK && w.tiers == 0) {
    err_set(err, RC_ERROR, ERR_NO_TIER, "llm_tiers is empty");
  }
  if (err->rc == RC_OK && prepare(&w, err) == RC_OK && find_thresholds(&w, o, err) == RC_OK) {
    text = report(&w, o, err);
  }
  if (text && !o->dry_run && tiers_write(conn->db, w.config, w.now, err) != RC_OK) {
    cJSON_free(text);
    text = NULL;
  }
  free(w.samples.at);
  free(w.sorted);
  free(w.costs);
  return text;
}
