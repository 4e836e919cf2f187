/*
** Where what a request begins with is marked: target_mark (target.h).
**
** Asked for ("5m", "1h"), all that the next request may begin with is marked. By itself ("auto") only what is likely to cost less:
** where others are known to begin alike (llm_map, a queue), by their number; else by the ledger, by how often such a beginning was
** asked with again before it was forgotten (core/price/keeping.h, store/audit/arrivals.h). What is asked once a day, and a
** prefix in front of which something changes, is so not marked, or soon not marked any more.
*/
#include "call/state/target.h"

#include "base/clock.h"
#include "core/price/keeping.h"
#include "money/counter.h"
#include "money/pricing.h"
#include "store/audit/arrivals.h"

#include <string.h>

enum { MOST_MARKS = 4, PRICED_TOKENS = 1000000 };

/* ---- tokens */

static long long count(const TokenRule *rule, const char *text, size_t n, Err *err) {
  long long tokens = n > 0 ? tokens_count(rule, text, n) : 0;
  if (tokens < 0) {
    err_nomem(err);
  }
  return tokens;
}

/* Of what others begin with. */
static long long system_tokens(const Call *k, const TokenRule *rule, Err *err) {
  const Request *r = k->request;
  return r->system ? count(rule, r->system, strlen(r->system), err) : 0;
}

static long long shared_tokens(const Call *k, const TokenRule *rule, Err *err) {
  const Request *r = k->request;
  return count(rule, r->messages[r->n_messages - 1].content, prefix_shared(r), err);
}

static long long history_tokens(const Call *k, const TokenRule *rule, Err *err) {
  const Request *r = k->request;
  long long sum = 0;
  for (int i = 0; i < r->n_messages && err->rc == RC_OK; i++) {
    sum += count(rule, r->messages[i].content, r->messages[i].n, err);
  }
  return sum;
}

/* ---- where others are known to begin alike */

static unsigned marks_of_sharers(Call *k, unsigned places, const TokenRule *rule, Err *err) {
  long long tokens = system_tokens(k, rule, err) + shared_tokens(k, rule, err);
  int pays = err->rc == RC_OK && tokens > 0 &&
             pricing_prefix_pays(k->conn, &k->model, tokens, k->request->sharers, err);
  return pays ? places & ~(unsigned)PREFIX_HISTORY : 0;
}

/* ---- by the ledger */

static KeepPrices prices_of(Call *k, Err *err) {
  static const Unit kinds[] = {UNIT_INPUT, UNIT_CACHE_READ, UNIT_CACHE_WRITE, UNIT_CACHE_WRITE_1H};
  long long nusd[4];
  for (int i = 0; i < 4; i++) {
    nusd[i] = pricing_of_input(k->conn, &k->model, PRICED_TOKENS, kinds[i], 0, err);
  }
  return (KeepPrices){(double)nusd[0],
                      (double)nusd[1],
                      {(double)nusd[2], k->how.form->keeps_an_hour ? (double)nusd[3] : -1}};
}

/* The least prefix that is kept: as is known, or as the ledger has seen. */
static long long least_prefix(Call *k, const Arrivals *seen, Err *err) {
  long long known = pricing_least_prefix(k->conn, &k->model, err);
  return seen->least >= 0 && seen->least < known ? seen->least : known;
}

static unsigned choose(Call *k, unsigned places, const TokenRule *rule, const Arrivals *seen,
                       Err *err) {
  long long least = least_prefix(k, seen, err), system = system_tokens(k, rule, err);
  long long history = places & PREFIX_HISTORY ? history_tokens(k, rule, err) : 0;
  const KeepPlace at[] = {
      {PREFIX_SYSTEM, (double)system, seen->system},
      {PREFIX_HISTORY, (double)history, seen->history},
  };
  KeepLife life = KEEP_5M;
  int from = places & PREFIX_SYSTEM && system >= least ? 0 : 1;
  int to = places & PREFIX_HISTORY && system + history >= least ? 2 : 1;
  if (err->rc != RC_OK || from >= to) {
    return 0;
  }
  const KeepPrices prices = prices_of(k, err);
  unsigned marks = keeping_choose(&prices, at + from, to - from, &life);
  k->how.is_long = life == KEEP_1H;
  return err->rc == RC_OK ? marks : 0;
}

static unsigned marks_of_arrivals(Call *k, unsigned places, const TokenRule *rule, Err *err) {
  Arrivals seen;
  const ArrivalsAsk ask = {.model = k->model.name,
                           .system_hash = k->system_hash[0] ? k->system_hash : NULL,
                           .conversation = k->request->options->conversation,
                           .now_ms = now_ms()};
  int is_known =
      k->store && !k->is_batch && (ask.system_hash || (ask.conversation && !k->request->system));
  if (!is_known || arrivals_read(k->store, &ask, &seen, err) != RC_OK) {
    return 0;
  }
  return choose(k, places, rule, &seen, err);
}

static unsigned likely_marks(Call *k, unsigned places, Err *err) {
  TokenRule rule;
  if (pricing_refresh(k->conn, NULL, err) != RC_OK ||
      counter_model_rule(k->conn, &k->model, &rule, err) != RC_OK) {
    return 0;
  }
  return k->request->sharers >= 2 ? marks_of_sharers(k, places, &rule, err)
                                  : marks_of_arrivals(k, places, &rule, err);
}

/* ---- all of it */

void target_mark(Call *k, Err *err) {
  const Request *r = k->request;
  int wish = r->options->prompt_cache, is_auto = wish == PROMPT_CACHE_AUTO;
  Marks own = message_form_marks(r);
  k->how.form = NULL;
  k->how.marks = 0;
  k->how.is_long = wish == PROMPT_CACHE_1H && !own.front; /* (no long mark behind a short one) */
  if (k->api->embeds || wish == PROMPT_CACHE_OFF) {
    return;
  }
  unsigned places = prefix_places(r);
  if (own.front + own.messages > 0) { /* the caller's stay, and providers take four */
    int fits = own.front + own.messages < MOST_MARKS && (k->how.is_long || !own.has_long);
    places &= fits && !is_auto ? PREFIX_SYSTEM : 0; /* (no long mark behind a short one) */
  }
  const PrefixForm *form = places ? prefix_form(&k->model, err) : NULL;
  if (form) {
    k->how.form = form;
    k->how.marks = is_auto ? likely_marks(k, places, err) : places;
    k->how.form = k->how.marks ? form : NULL;
  }
}
