/*
** See parked.h for the contract.
*/
#include "call/parked.h"

#include "call/attempt/attempt.h"
#include "store/db/inflight.h"

#include <stdlib.h>
#include <string.h>

/* What hangs on the connection. */
typedef struct ParkedList {
  Parked *first;
} ParkedList;

static void settle_all(Conn *c, void *slot);
static void drop_all(void *slot);
static const ConnSlot slot_type = {sizeof(ParkedList), settle_all, drop_all, NULL};

Parked *parked_reserve(Conn *c, Err *err) {
  Parked *place = conn_slot(c, &slot_type, err) ? calloc(1, sizeof *place) : NULL;
  if (!place) {
    err_nomem(err);
  }
  return place;
}

int parked_any(const Conn *c) {
  const ParkedList *list = conn_slot_if_any(c, &slot_type);
  return list && list->first;
}

void parked_put(Parked *place, Call *k) {
  ParkedList *list = conn_slot_if_any(k->conn, &slot_type); /* made by parked_reserve */
  inflight_stick(k->store, k->row.id);
  free(k->text); /* it is made of the answer's bytes again */
  free(k->reasoning);
  free(k->rejected);
  call_drop_unfit(k);
  cJSON_free(k->usage);
  cJSON_free(k->logprobs);
  cJSON_free(k->gate_said);
  k->logprobs = k->gate_said = NULL;
  buf_free(&k->body);
  k->text = k->reasoning = k->rejected = k->usage = NULL;
  place->call = *k;
  place->call.request = NULL;
  place->call.memo = NULL;
  place->call.gates = NULL;
  place->call.plan = NULL;
  place->call.texts = NULL;
  place->call.n_texts = 0;
  place->call.budget_notes[0] = place->call.budget_notes[1] = NULL; /* they stay the call's */
  place->next = list->first;
  list->first = place;
  memset(&k->model, 0, sizeof k->model);
  memset(&k->route, 0, sizeof k->route);
  memset(&k->response, 0, sizeof k->response);
  memset(&k->access, 0, sizeof k->access);
}

/* What of a call is of its request, not of this asking. */
static void go_on(Call *k, const Call *was) {
  LedgerRow row = was->row;
  k->route = was->route;
  for (int i = k->route.served + 1; k->route.served >= 0 && i < k->route.n; i++) {
    k->route.tiers[i].is_out = 0; /* looked at where memory was short */
  }
  k->model = was->model;
  k->api = was->api;
  k->access = was->access;
  k->response = was->response;
  k->escalated_from = was->escalated_from;
  k->system_tokens = was->system_tokens;
  k->history_tokens = was->history_tokens;
  memcpy(k->url, was->url, sizeof k->url);
  memcpy(k->tier, was->tier, sizeof k->tier);
  memcpy(k->request_id, was->request_id, sizeof k->request_id);
  memcpy(k->system_hash, was->system_hash, sizeof k->system_hash);
  memcpy(k->prompt_hash, was->prompt_hash, sizeof k->prompt_hash);
  call_start_row(k, row.attempt, was->retry_reason[0] ? was->retry_reason : NULL);
  k->row.id = row.id;
  k->row.ts = row.ts;
  k->has_answer = 1;
}

int parked_take(Call *k) {
  ParkedList *list = conn_slot_if_any(k->conn, &slot_type);
  for (Parked **at = &list->first, *p; (p = *at) != NULL; at = &p->next) {
    if (p->call.store == k->store && memcmp(p->call.key.b, k->key.b, sizeof k->key.b) == 0) {
      *at = p->next;
      go_on(k, &p->call);
      free(p);
      return 1;
    }
  }
  return 0;
}

/* What it cost; whose question it was, nobody can say any more. */
static void settle_one(Parked *p) {
  Options options;
  options_init(&options);
  Request none = {.options = &options};
  const Plan once = {.attempts = 1};
  Call k = {.conn = p->call.conn, .store = p->call.store, .request = &none, .plan = &once};
  Err ignored = {0};
  go_on(&k, &p->call);
  k.attempts_left = once.attempts;
  attempt_all(&k, &ignored);
  ignored = (Err){0};
  int can_write = k.store->mode->owns_connection && store_revive(k.store, &ignored) == RC_OK;
  const LedgerEnd end = {.answers = NULL};
  if (!can_write || ledger_settle(k.store, &k.row, &end, &ignored) != RC_OK) {
    ignored = (Err){0};
    ledger_queue(k.store, &k.row, &end, &ignored);
  }
  call_free(&k);
  options_free(&options);
}

static void settle_all(Conn *c, void *slot) {
  ParkedList *list = slot;
  (void)c;
  for (Parked *p = list->first, *next; p; p = next) {
    next = p->next;
    settle_one(p);
    free(p);
  }
  list->first = NULL;
}

/* They are the parent's. */
static void drop_all(void *slot) {
  ParkedList *list = slot;
  for (Parked *p = list->first, *next; p; p = next) {
    next = p->next;
    call_free(&p->call);
    free(p);
  }
  list->first = NULL;
}
