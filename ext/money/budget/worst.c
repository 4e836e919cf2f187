/*
** See worst.h for the contract.
*/
#include "money/budget/worst.h"

#include "money/counter.h"
#include "money/pricing.h"

#include <math.h>
#include <string.h>

enum { MOST_OFF = 3 }; /* how many times an estimate may be exceeded */

static size_t texts_of(const Request *r) {
  size_t n = (r->system ? strlen(r->system) : 0) + request_media_bytes(r);
  for (int i = 0; i < r->n_messages; i++) {
    n += r->messages[i].n;
  }
  return n;
}

/* Tokens that go in, at most; -1 and *err. */
static long long input_of(Conn *conn, const WorstAsk *ask, Err *err) {
  TokenRule rule;
  size_t texts = texts_of(ask->request);
  size_t media = request_media_bytes(ask->request);
  long long bytes = (long long)(ask->body > media ? ask->body - media : ask->body);
  long long more = ask->has_more && ask->body > texts ? (long long)(ask->body - texts) : 0;
  if (counter_model_rule(conn, ask->model, &rule, err) != RC_OK) {
    return -1;
  }
  long long counted = tokens_request(&rule, ask->request);
  if (counted < 0) {
    err_nomem(err);
    return -1;
  }
  bytes += media ? MOST_OFF * tokens_media(&rule, ask->request) : 0;
  counted -= ask->is_embedding ? tokens_overhead(&rule, ask->request->n_messages) : 0;
  if (rule.is_exact) {
    return counted + more;
  }
  long long most = MOST_OFF * counted + more;
  return most < bytes ? most : bytes;
}

/* 1 where prompts are written to a cache, and billed so, without being asked to. (Anthropic's interface wants marks.) */
static int writes_unasked(const Model *model) {
  return strcmp(model->api, "anthropic") != 0;
}

/* At one way of billing the input; WORST_UNPRICED, or *err. */
static long long price(Conn *conn, const WorstAsk *ask, long long input, Unit also, Err *err) {
  PricingAsk at = {.model = ask->model->name,
                   .provider = ask->model->provider,
                   .at_ms = now_ms(),
                   .list = ask->list,
                   .service = ask->service,
                   .geo = ask->geo};
  PricingAnswer answer;
  Usage u;
  usage_init(&u);
  usage_set_service(&u, ask->service ? ask->service : "");
  usage_set_geo(&u, ask->geo ? ask->geo : "");
  usage_set_whole(&u, also, input);
  usage_set(&u, UNIT_OUTPUT, ask->is_embedding ? 0 : ask->output);
  return pricing_answer(conn, &at, &u, &answer, err) == PRICED ? cost_nusd(answer.sum.cost)
                                                               : WORST_UNPRICED;
}

/* A service that is never dearer than the standard one costs no more than that, where nobody says its price. */
static long long price_or_standard(Conn *conn, const WorstAsk *ask, long long input, Unit also,
                                   Err *err) {
  long long nusd = price(conn, ask, input, also, err);
  WorstAsk standard = *ask;
  standard.service = NULL;
  return nusd < 0 && ask->service && strcmp(ask->service, "flex") == 0
             ? price(conn, &standard, input, also, err)
             : nusd;
}

long long worst_case(Conn *conn, const WorstAsk *ask, long long *input, Err *err) {
  *input = input_of(conn, ask, err);
  if (err->rc != RC_OK || pricing_refresh(conn, NULL, err) != RC_OK) {
    return WORST_UNPRICED;
  }
  long long most = price_or_standard(conn, ask, *input, UNIT_INPUT, err);
  Unit writes =
      ask->writes == UNIT_INPUT && writes_unasked(ask->model) ? UNIT_CACHE_WRITE : ask->writes;
  if (most >= 0 && writes != UNIT_INPUT && !ask->is_embedding) {
    long long written = price_or_standard(conn, ask, *input, writes, err);
    most = written > most ? written : most;
  }
  most = most < 0 && ask->is_own ? 0 : most;
  return err->rc == RC_OK ? most : WORST_UNPRICED;
}
