/*
** See economics.h for the contract.
*/
#include "work/economics/economics.h"

#include "base/clock.h"
#include "money/pricing.h"
#include "store/audit/audit.h"
#include "store/audit/volumes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int economics_need(double number, const char *option, const char *else_do, Err *err) {
  return isnan(number)
             ? err_set(err, RC_ERROR, ERR_BAD_OPTION, "option '%s' is missing: %s", option, else_do)
             : err->rc;
}

/* ---- prices */

/* A list that nobody has is a slip of the pen. */
static int check_list(const Config *config, const char *list, Err *err) {
  int found = !list[0] || strcmp(list, "catalogue") == 0;
  for (int b = 1; b < config->n_books && !found; b++) {
    found = strcmp(list, config->books[b].list) == 0;
  }
  return found ? RC_OK
               : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                         "option 'list': no price list '%s' ('catalogue', or one in llm_prices)",
                         list);
}

static int price_whole(Conn *conn, const PriceOf *of, double input, double output, double *nusd,
                       Err *err) {
  const PricingAsk ask = {.model = of->model,
                          .provider = of->provider[0] ? of->provider : NULL,
                          .list = of->list[0] ? of->list : NULL,
                          .at_ms = now_ms()};
  PricingAnswer answer;
  Usage u;
  usage_init(&u);
  usage_set(&u, UNIT_INPUT, (long long)input);
  usage_set(&u, UNIT_OUTPUT, (long long)output);
  PriceVerdict verdict = pricing_answer(conn, &ask, &u, &answer, err);
  if (verdict == PRICED) {
    *nusd = cost_usd(answer.sum.cost) * 1e9;
  } else if (verdict == NO_MODEL) {
    pricing_unknown(answer.ref, of->hint, err);
  } else {
    err_set(err, RC_ERROR, ERR_UNKNOWN_MODEL, "no price for model '%.80s': %s%s", of->model,
            answer.sum.why, of->hint);
  }
  return err->rc;
}

int economics_price(Conn *conn, const PriceOf *of, double input, double output, double *nusd,
                    Err *err) {
  double i = floor(input), o = floor(output), at, more_input, more_output;
  if (pricing_refresh(conn, NULL, err) != RC_OK ||
      check_list(conn->config, of->list, err) != RC_OK ||
      price_whole(conn, of, i, o, &at, err) != RC_OK) {
    return err->rc;
  }
  more_input = more_output = at;
  if ((input > i && price_whole(conn, of, i + 1, o, &more_input, err) != RC_OK) ||
      (output > o && price_whole(conn, of, i, o + 1, &more_output, err) != RC_OK)) {
    return err->rc;
  }
  *nusd = at + (input - i) * (more_input - at) + (output - o) * (more_output - at);
  return RC_OK;
}

/* ---- a month */

static const long long week_ms = 7 * 86400000LL;

/* 1 if what was said leaves something to the ledger. */
static int asks_ledger(const TrafficAsk *ask) {
  int has_tokens = !isnan(ask->input_tokens) && !isnan(ask->output_tokens);
  return isnan(ask->requests) || (isnan(ask->usd_each) && !(ask->model[0] && has_tokens));
}

static int read_volume(Conn *conn, const TrafficAsk *ask, long long now, Volume *v, Err *err) {
  const VolumeAsk of = {ask->model[0] ? ask->model : NULL, ask->tag[0] ? ask->tag : NULL, now};
  Store *store = asks_ledger(ask) ? conn_store(conn, 0, err) : NULL;
  *v = (Volume){.first = 0};
  return store && err->rc == RC_OK ? volumes_read(store, &of, v, err) : err->rc;
}

/* When the month ends that the ledger is asked for: now; or with its newest call, where that is older than a week: an export of
** last year's. */
static int find_end(Conn *conn, const TrafficAsk *ask, long long *end, Err *err) {
  Store *store = asks_ledger(ask) ? conn_store(conn, 0, err) : NULL;
  AuditEnds ends = {0};
  *end = now_ms();
  if (store && err->rc == RC_OK && audit_ends(store, *end, &ends, err) == RC_OK && ends.last > 0) {
    *end = ends.last < *end - week_ms ? ends.last : *end;
  }
  return err->rc;
}

/* "the ledger has no such calls of the last 30 days" */
static void say_none(const TrafficAsk *ask, const char *do_instead, char *out, size_t size) {
  snprintf(out, size,
           "the ledger has no calls%s%.80s%s%.80s of the last %d days to take it from; %s",
           ask->model[0] ? " of " : "", ask->model, ask->tag[0] ? " with tag " : "", ask->tag,
           VOLUME_DAYS, do_instead);
}

static int count_requests(const TrafficAsk *ask, const Volume *v, long long now, Traffic *t,
                          Err *err) {
  char none[ECONOMICS_WHY], since[32];
  double days = (double)(now - v->first) / 86400e3;
  t->requests = !isnan(ask->requests) ? ask->requests
                : v->calls > 0        ? (double)v->calls
                                      : (double)NAN;
  if (!isnan(ask->requests)) {
    snprintf(t->requests_from, sizeof t->requests_from, "as given");
  } else if (days < VOLUME_DAYS) {
    clock_text(v->first, since, sizeof since);
    snprintf(t->requests_from, sizeof t->requests_from,
             "%lld calls in the ledger since %.10s: %.1f of %d days, not scaled up", v->calls,
             since, days, VOLUME_DAYS);
  } else {
    int is_past = now < now_ms() - week_ms;
    clock_text(now, since, sizeof since);
    snprintf(t->requests_from, sizeof t->requests_from,
             "%lld calls in the ledger in the %s%d days%s%.10s", v->calls, is_past ? "" : "last ",
             VOLUME_DAYS, is_past ? " up to " : "", is_past ? since : "");
  }
  say_none(ask, "say how many", none, sizeof none);
  return economics_need(t->requests, "requests_per_month", none, err);
}

/* What was said, else the mean of the ledger, else NAN. */
static double mean(double said, long long sum, long long n) {
  return !isnan(said) ? said : n > 0 ? (double)sum / (double)n : (double)NAN;
}

/* By price; what was said and what the ledger says of the tokens is in *t. */
static int price_traffic(Conn *conn, const TrafficAsk *ask, const char *provider, Traffic *t,
                         Err *err) {
  char none[ECONOMICS_WHY];
  const PriceOf of = {t->model, provider, ask->list, ""};
  say_none(ask, "say the mean of a request", none, sizeof none);
  if (economics_need(t->input_tokens, "input_tokens", none, err) != RC_OK ||
      economics_need(t->output_tokens, "output_tokens", none, err) != RC_OK) {
    return err->rc;
  }
  snprintf(t->price_from, sizeof t->price_from, "price of %.10g input and %.10g output tokens%s%s",
           t->input_tokens, t->output_tokens, ask->list[0] ? ", list " : "", ask->list);
  return economics_price(conn, &of, t->input_tokens, t->output_tokens, &t->nusd_each, err);
}

static int find_price(Conn *conn, const TrafficAsk *ask, const Volume *v, Traffic *t, Err *err) {
  int is_plain =
      isnan(ask->input_tokens) && isnan(ask->output_tokens) && !ask->list[0] && !ask->provider[0];
  char none[ECONOMICS_WHY], say[100];
  if (!isnan(ask->usd_each)) {
    t->nusd_each = ask->usd_each * 1e9;
    snprintf(t->price_from, sizeof t->price_from, "as given");
    return RC_OK;
  }
  if (!t->model[0]) {
    snprintf(say, sizeof say, "name it, or give '%s'", ask->usd_option);
    say_none(ask, say, none, sizeof none);
    return economics_need((double)NAN, "model", none, err);
  }
  if (is_plain && v->priced > 0) {
    t->nusd_each = (double)v->cost_nusd / (double)v->priced;
    snprintf(t->price_from, sizeof t->price_from, "mean of %lld priced calls in the ledger",
             v->priced);
    return RC_OK;
  }
  return price_traffic(conn, ask, ask->provider[0] || ask->model[0] ? ask->provider : v->provider,
                       t, err);
}

int economics_traffic(Conn *conn, const TrafficAsk *ask, Traffic *t, Err *err) {
  Volume v;
  long long now;
  if (find_end(conn, ask, &now, err) != RC_OK || read_volume(conn, ask, now, &v, err) != RC_OK) {
    return err->rc;
  }
  snprintf(t->model, sizeof t->model, "%s", ask->model[0] ? ask->model : v.model);
  t->input_tokens = mean(ask->input_tokens, v.input_tokens, v.measured);
  t->output_tokens = mean(ask->output_tokens, v.output_tokens, v.measured);
  return count_requests(ask, &v, now, t, err) == RC_OK ? find_price(conn, ask, &v, t, err)
                                                       : err->rc;
}
