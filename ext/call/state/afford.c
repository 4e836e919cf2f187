/*
** See afford.h for the contract.
*/
#include "call/state/afford.h"

#include "money/counter.h"

#include "money/allowance.h"
#include "trust/hosts.h"

#include <stdlib.h>
#include <string.h>

/* 1 for "ollama", "vllm", "local" and their kin. */
static int is_own_word(const char *provider) {
  const Vendor *vendor = vendor_by_word(provider);
  return vendor && strcmp(vendor->id, "self-hosted") == 0;
}

/* 1 if the model runs on this machine. */
static int is_here(const Call *k) {
  Url url;
  Err ignored = {0};
  return url_parse(k->model.base_url, &url, &ignored) == RC_OK && url.is_loopback;
}

/* What marks may make of its input. */
static Unit writes_of(const Call *k) {
  int is_hour = k->how.is_long && k->how.form && k->how.form->keeps_an_hour;
  return !k->how.marks ? UNIT_INPUT : is_hour ? UNIT_CACHE_WRITE_1H : UNIT_CACHE_WRITE;
}

/* Tokens that go in, at most: no token of a text is shorter than a byte; what an image counts is known by a rule. */
static long long most_input(Call *k, Err *err) {
  enum { MOST_OFF = 3 };
  size_t media = request_media_bytes(k->request);
  TokenRule rule;
  if (!media || media > k->body.n || counter_model_rule(k->conn, &k->model, &rule, err) != RC_OK) {
    return (long long)k->body.n;
  }
  return (long long)(k->body.n - media) + MOST_OFF * tokens_media(&rule, k->request);
}

static int take_allowance(Call *k, long long output, Err *err) {
  long long input = most_input(k, err);
  const AllowanceAsk ask = {.model = &k->model,
                            .input = input,
                            .output = output,
                            .service = options_service(k->request->options),
                            .is_embedding = k->api->embeds,
                            .writes = writes_of(k),
                            .beside = k->request->allowance,
                            .is_own = is_here(k) &&
                                      (!k->model.key_env[0] || is_own_word(k->model.provider))};
  return allowance_take(k->conn, &ask, &k->held, err);
}

int afford_begin(Call *k, Err *err) {
  long long output = provider_most_output(k->api, k->request, &k->model);
  output = output > 0 ? output : ALLOWANCE_LONGEST;
  if (take_allowance(k, output, err) != RC_OK) {
    return err->rc;
  }
  const WorstAsk ask = {.model = &k->model,
                        .request = k->request,
                        .body = k->body.n,
                        .has_more = request_has_more(k->request) || k->rejected,
                        .service = options_service(k->request->options),
                        .geo = json_text(k->request->options->extra, "inference_geo"),
                        .output = output,
                        .is_embedding = k->api->embeds,
                        .is_own = is_own_word(k->model.provider) && is_here(k),
                        .writes = writes_of(k)};
  if (budgets_begin(k->conn, &ask, k->request->options, k->deadline_ms, &k->budgets, err) !=
      RC_OK) {
    afford_settle(k, 0, 0);
  }
  return err->rc;
}

/* What limits that only warn have to say goes into the row's notes. */
static int note_warnings(void *arg, LedgerRow *row, Err *err) {
  Call *k = arg;
  cJSON *list = budgets_warnings(&k->budgets, err);
  if (!list) {
    return err->rc;
  }
  Err ignored = {0};
  cJSON *notes = row->notes ? json_parse(row->notes, strlen(row->notes), "", &ignored) : NULL;
  notes = notes ? notes : cJSON_CreateObject();
  json_add(notes, "budget", list, err);
  char *text = json_print(notes, err);
  if (text) {
    char **kept = &k->budget_notes[row->attempt & 1];
    cJSON_free(*kept);
    *kept = text;
    row->notes = text;
  }
  return err->rc;
}

LedgerIntent afford_intent(Call *k) {
  return (LedgerIntent){.key = call_claim(k),
                        .now = now_ms(),
                        .lease_until = call_lease(k),
                        .since = k->memo ? memo_since(k->memo) : k->plan->started_ms,
                        .reserve = budgets_reserve(&k->budgets),
                        .admitted = note_warnings,
                        .arg = k};
}

int afford_wait(Call *k, LedgerBegin outcome, long long *waited, Err *err) {
  enum { FIRST_MS = 5, LONGEST_MS = 100 };
  long long left = k->deadline_ms - monotonic_ms();
  if (outcome == LEDGER_OVER || left <= 0) {
    return budgets_refuse(&k->budgets, k->store, outcome == LEDGER_HELD, &k->over, err);
  }
  unsigned char random;
  sqlite3_randomness(sizeof random, &random);
  long long wait = *waited < FIRST_MS ? FIRST_MS : *waited < LONGEST_MS ? *waited : LONGEST_MS;
  *waited += wait;
  wait = wait / 2 + wait * random / 255; /* (many that wait do not ask at once) */
  return conn_sleep(k->conn, wait < left ? wait : left, err);
}

void afford_settle(Call *k, long long cost_nusd, int was_sent) {
  call_spend(k, was_sent ? cost_nusd : 0);
  allowance_settle(k->conn, k->request->allowance, &k->held, cost_nusd, was_sent);
  budgets_settle(&k->budgets, cost_nusd, was_sent);
}
