/*
** See state.h for the contract.
*/
#include "call/state/state.h"

#include "base/buf.h"
#include "trust/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_drop_unfit(Call *k) {
  free(k->unfit);
  k->unfit = NULL;
  k->n_unfit = 0;
  k->answer_hash[0] = 0;
}

/* What of a conversation was not sent. */
static void note_pruned(const Request *r, Buf *b) {
  if (r->pruned.left_out > 0) {
    buf_printf(b, ",\"pruned\":%lld,\"sent\":%lld", r->pruned.left_out, r->pruned.sent);
    buf_printf(b, r->pruned.anew > 0 ? ",\"anew\":%lld" : "", r->pruned.anew);
    buf_printf(b, r->pruned.no_summary ? ",\"no_summary\":\"%s\"" : "%s",
               r->pruned.no_summary ? r->pruned.no_summary : "");
  }
}

/* What was decided on the way to this attempt: by the route; what was asked for beside the usual; that its prefix is marked, for
** whoever asks later what the mark was worth; and what was not looked for by meaning. Without memory all but the first are left
** out. */
static const char *notes_of(Call *k, const TierChoice *served, long long attempt) {
  const char *notes = served ? served->notes : NULL;
  char semantic[PLAN_NOTE];
  Err ignored = {0};
  Buf b;
  char *asked = attempt < 1 ? NULL : request_asked(k->request, &ignored);
  plan_semantic(k->plan, k->request, semantic);
  buf_init(&b, LIMIT_REQUEST_BYTES);
  buf_puts(&b, k->how.marks ? ",\"prefix\":\"ours\"" : "");
  note_pruned(k->request, &b);
  buf_printf(&b, semantic[0] ? ",\"semantic\":%s" : "%s", semantic);
  buf_printf(&b, asked && asked[0] ? ",\"asked\":{%s}" : "%s", asked && asked[0] ? asked : "");
  free(asked);
  if (attempt >= 1 && b.n > 0 && !b.failed) {
    b.data[0] = '{';
    buf_printf(&b, "%s%s", notes ? "," : "}", notes ? notes + 1 : "");
    char **kept = &k->budget_notes[attempt & 1];
    char *text = b.failed ? NULL : cJSON_malloc(b.n + 1);
    if (text) {
      memcpy(text, b.data, b.n + 1);
      cJSON_free(*kept);
      notes = *kept = text;
    }
  }
  buf_free(&b);
  return notes;
}

void call_start_row(Call *k, long long attempt, const char *retry_reason) {
  const Options *o = k->request->options;
  LedgerRow *row = &k->row;
  row_init(row);
  row->request_id = k->request_id;
  row->attempt = attempt;
  row->purpose = k->request->beside ? k->request->beside->purpose : NULL;
  row->escalated_from = k->escalated_from ? k->escalated_from : LEDGER_NULL;
  k->attempts_made = attempt > k->attempts_made ? attempt : k->attempts_made;
  k->is_recorded = 0;
  row->ts = now_ms();
  row->kind = KIND_UNKNOWN;
  row->error = "in flight";
  row->provider = k->model.provider;
  row->model_requested = k->model.name ? k->model.name : k->request->model;
  const Route *route = &k->route;
  const TierChoice *served = route->served >= 0 ? &route->tiers[route->served] : NULL;
  row->tier = served ? served->name : k->tier[0] ? k->tier : NULL;
  row->tier_served = row->tier;
  row->tier_drawn = route->drawn >= 0 ? route->tiers[route->drawn].name : NULL;
  row->route_score = k->route.score;
  row->route_version = k->route.version[0] ? k->route.version : NULL;
  row->notes = notes_of(k, served, attempt);
  row->tag = o->tag;
  row->user = o->user;
  row->conversation = o->conversation;
  row->turn = k->request->turn;
  row->system_tokens = k->system_tokens;
  row->history_tokens = k->history_tokens;
  row->system_hash = k->system_hash[0] ? k->system_hash : NULL;
  row->prompt_hash = k->prompt_hash[0] ? k->prompt_hash : NULL;
  call_drop_unfit(k);
  if (retry_reason) {
    snprintf(k->retry_reason, sizeof k->retry_reason, "%s", retry_reason);
    row->retry_reason = k->retry_reason;
  }
}

void call_spend(Call *k, long long cost_nusd) {
  int is_known = k->spent_nusd != LEDGER_NULL && cost_nusd != LEDGER_NULL;
  k->spent_nusd = is_known ? k->spent_nusd + cost_nusd : LEDGER_NULL;
}

int call_turn(Call *k, Err *err) {
  enum { BYTES_A_TOKEN = 4 };
  long long waited, most = k->request->options->max_tokens;
  const ConnTurn turn = {.provider = k->model.provider,
                         .base_url = k->model.base_url,
                         .model = k->model.name,
                         .tokens = (long long)k->body.n / BYTES_A_TOKEN + (most > 0 ? most : 0)};
  conn_turn(k->conn, &turn, &waited, err);
  k->deadline_ms += waited;
  return err->rc;
}

long long call_lease(const Call *k) {
  long long left = k->deadline_ms - monotonic_ms();
  return now_ms() + (left > 0 ? left : 0) + 5000;
}

const Hash *call_claim(const Call *k) {
  return k->plan->reads ? &k->key : NULL;
}

int on_error_covers(const Err *err) {
  return err->http_status != 0 || err_is_covered(err->code);
}

void call_refuse(Call *k, const char *how, const Err *err) {
  Err ignored = {0};
  int is_end =
      err->code == ERR_LIMIT && k->request->allowance; /* of a statement: of each of its rows */
  if (!on_error_covers(err) || is_end) {
    return;
  }
  call_start_row(k, 0, NULL);
  k->row.kind = KIND_REFUSED;
  snprintf(k->error, sizeof k->error, "%s: %s%.700s", err_word(err->code), how, err->msg);
  k->row.error = k->error;
  k->row.cost_nusd = 0;
  k->has_row = ledger_defer(k->store, &k->row, NULL, &ignored) == RC_OK;
}

const char *call_owner(const Call *k) {
  return k->conn->set.scope == SCOPE_USER ? k->request->options->user : NULL;
}

int call_make_question(Call *k, Err *err) {
  const Request *r = k->request;
  const Message *last = &r->messages[r->n_messages - 1];

  Hash scope;
  const char *owner = k->plan->kind == VOLATILE_PERSONAL ? r->options->user : call_owner(k);
  const KeyBeside beside = {owner, k->row_extras};
  if (request_scope(r, &beside, k->store->seed, &scope, err) != RC_OK) {
    return err->rc;
  }
  k->question = (Question){.system = r->system,
                           .text = last->content,
                           .n = last->n,
                           .user = r->options->user,
                           .threshold = r->options->threshold,
                           .max_false_hits = k->conn->set.max_false_hits,
                           .only_replaces = k->plan->only_replaces};
  hash_hex(&scope, k->question.scope);
  return RC_OK;
}

Answer call_answer(const Call *k) {
  long long ttl = k->plan->ttl_ms, now = now_ms();
  return (Answer){.key = k->key,
                  .text = k->text,
                  .n = k->n,
                  .created_at = now,
                  .expires_at = ttl == OPTION_UNSET ? LEDGER_NULL : now + ttl,
                  .provider = k->model.provider,
                  .model = k->row.model ? k->row.model : k->model.name,
                  .tier = k->row.tier,
                  .tag = k->row.tag,
                  .prompt_hash = k->row.prompt_hash,
                  .cost_nusd = k->row.cost_nusd,
                  .question = k->plan->keeps_similar && !k->route.is_stopgap ? &k->question : NULL};
}

LedgerEnd call_end(const Call *k, Answer *answers, int more) {
  return (LedgerEnd){.answers = answers,
                     .more = more,
                     .key = k->has_claim ? &k->claimed : NULL,
                     .texts = k->texts,
                     .n_texts = k->n_texts};
}

int call_rename(Call *k, Err *err) {
  Request named = *k->request;
  snprintf(named.model, sizeof named.model, "%s", k->model.name);
  return call_name(k, &named, err);
}

int call_wrap(Call *k, Err *err) {
  char *copy = k->message && k->text ? strdup(k->message) : NULL;
  if (k->message && k->text && !copy) {
    return err_nomem(err);
  }
  if (copy) {
    free(k->text);
    k->text = copy;
    k->n = strlen(copy);
  }
  cJSON_free(k->message);
  k->message = NULL;
  return RC_OK;
}

int call_name(Call *k, const Request *as, Err *err) {
  int is_seen = k->memo && memo_adds_nothing(k->memo);
  const Config *config = is_seen ? NULL : conn_config_glance(k->conn, err);
  free(k->row_extras);
  k->row_extras = config ? config_row_extras(config, as->model, err) : NULL;
  if (k->memo && config && !config_adds(config)) {
    memo_note_nothing(k->memo);
  }
  const KeyBeside beside = {call_owner(k), k->row_extras};
  return err->rc == RC_OK ? request_key(as, &beside, k->store ? k->store->seed : 0, &k->key, err)
                          : err->rc;
}

static void free_route(Route *route) {
  for (int i = 0; i < route->n; i++) {
    config_model_free(&route->tiers[i].left);
    free(route->tiers[i].notes);
  }
  free(route->tiers);
}

void call_free(Call *k) {
  free_route(&k->route);
  net_response_free(&k->response);
  config_model_free(&k->model);
  access_free(&k->access);
  buf_free(&k->body);
  cJSON_free(k->usage);
  cJSON_free(k->logprobs);
  cJSON_free(k->gate_said);
  free(k->text);
  free(k->reasoning);
  free(k->rejected);
  free(k->row_extras);
  cJSON_free(k->message);
  call_drop_unfit(k);
  if (k->budgets.list || k->budgets.began) {
    budgets_settle(&k->budgets, 0, 0);
  }
  cJSON_free(k->budget_notes[0]);
  cJSON_free(k->budget_notes[1]);
}
