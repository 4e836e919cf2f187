/*
** See weigh.h for the contract.
*/
#include "work/estimate/weigh.h"

#include "base/utf8.h"
#include "money/counter.h"
#include "money/pricing.h"

#include "wire/model/prefix.h"
#include "wire/model/takes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The texts of a request, counted once more only where its model has another encoding than the plain one. */
static long long count_texts(const TokenRule *rule, long long input, const Request *r) {
  TokenRule plain;
  int n = r->n_messages + (r->system != NULL);
  tokens_rule(NULL, &plain);
  plain.cache = rule->cache;
  int is_plain = rule->is_exact && rule->encoding == plain.encoding;
  long long all = is_plain ? input : tokens_request(&plain, r);
  return all < 0 ? all : all - tokens_overhead(is_plain ? rule : &plain, n);
}

/* What others begin with too; 0: nobody. */
static long long count_prefix(const TokenRule *rule, const Request *r) {
  const Message *last = &r->messages[r->n_messages - 1];
  if (r->sharers < 2) {
    return 0;
  }
  long long system = r->system ? tokens_count(rule, r->system, strlen(r->system)) : 0;
  long long shared = tokens_count(rule, last->content, prefix_shared(r));
  return system < 0 || shared < 0 ? -1 : system + shared;
}

void weigh_reasoning(const Options *o, char *out, size_t size) {
  const char *word = cJSON_GetStringValue(o->reasoning);
  out[0] = 0;
  if (word) {
    utf8_copy(out, size, word);
  } else if (o->reasoning) {
    snprintf(out, size, "%.0f", o->reasoning->valuedouble);
  }
}

static long long thought_of(const Call *k) {
  const Options *o = k->request->options;
  long long budget = takes_budget(o, &k->model), most = o->max_tokens;
  budget = most != OPTION_UNSET && budget > most ? most : budget;
  int is_none = cJSON_IsString(o->reasoning) && strcmp(o->reasoning->valuestring, "none") == 0;
  return is_none ? 0 : budget > 0 ? budget : -1;
}

int weigh_request(Call *k, Weight *w, Err *err) {
  TokenRule rule;
  *w = (Weight){0};
  if (counter_model_rule(k->conn, &k->model, &rule, err) != RC_OK) {
    return err->rc;
  }
  w->input = tokens_request(&rule, k->request);
  w->texts = w->input < 0 ? -1 : count_texts(&rule, w->input, k->request);
  w->is_exact = tokens_is_exact(&rule, k->request);
  w->output = provider_most_output(k->api, k->request, &k->model);
  w->thought = thought_of(k);
  w->prefix = count_prefix(&rule, k->request);
  return w->texts < 0 || w->prefix < 0 ? err_nomem(err) : RC_OK;
}

long long weigh_for(Conn *conn, const Model *model, long long texts, int n_messages, int *is_exact,
                    Err *err) {
  TokenRule rule, plain;
  tokens_rule(NULL, &plain);
  if (counter_model_rule(conn, model, &rule, err) != RC_OK) {
    return -1;
  }
  *is_exact = rule.is_exact && rule.encoding == plain.encoding;
  return llround((double)texts * rule.factor) + tokens_overhead(&rule, n_messages);
}
