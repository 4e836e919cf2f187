/*
** See second.h for the contract.
*/
#include "call/gate/second.h"

#include "call/state/target.h"
#include "call/gate/said.h"
#include "call/state/beside.h"
#include "core/gate/agree.h"
#include "core/gate/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which model */

/* The names of the tiers' models, in their order: this call's, or the configuration's. NULL behind the last. */
static const char *tier_model(const Call *k, int i) {
  const Config *config = k->conn->config;
  if (i < 0) {
    return NULL;
  }
  if (k->route.n) {
    return i < k->route.n ? k->route.tiers[i].model : NULL;
  }
  return config && i < config->n_tiers ? config->tiers[i].model : NULL;
}

static int is_other(const Call *k, const char *model) {
  return model && k->model.name && strcmp(model, k->model.name) != 0;
}

/* A tier beside the one that answered: the nearest, of two the cheaper one. */
static const char *other_tier(const Call *k, int at_hand) {
  int served = k->route.served > 0 ? k->route.served : 0;
  for (int d = 0; d == 0 || tier_model(k, served - d) || tier_model(k, served + d); d++) {
    const char *both[] = {tier_model(k, served - d), tier_model(k, served + d)};
    for (int i = 0; i < 2; i++) {
      if (is_other(k, both[i]) && (!at_hand || target_can_take(k, both[i], 1))) {
        return both[i];
      }
    }
  }
  return NULL;
}

/* The cheapest tier. */
static const char *first_tier(const Call *k) {
  int i = 0;
  while (tier_model(k, i) && !target_can_take(k, tier_model(k, i), 0)) {
    i++;
  }
  return tier_model(k, i) ? tier_model(k, i) : tier_model(k, 0);
}

const char *second_model(const Call *k, const Gate *gate) {
  /* (a model that is asked again says the same) */
  int is_own = gate->kind == GATE_AGREE && gate->model && !is_other(k, gate->model);
  if (gate->model && !is_own) {
    return gate->model;
  }
  if (gate->kind == GATE_VERIFIER) {
    return first_tier(k);
  }
  const char *other = other_tier(k, 1);
  return other ? other : other_tier(k, 0); /* what it says of its key is to be told */
}

/* The tier above the one that answered. */
const char *second_auditor(const Call *k) {
  int i = k->route.served + 1;
  while (k->route.served >= 0 && i < k->route.n &&
         (k->route.tiers[i].is_out || !target_can_take(k, k->route.tiers[i].model, 1))) {
    i++;
  }
  return k->route.served >= 0 ? tier_model(k, i) : NULL;
}

/* ---- gates */

static void cannot(GateVerdict *v, const char *model, const Err *why) {
  *v = (GateVerdict){0};
  snprintf(v->why, sizeof v->why, "%.60s could not be asked: %.100s", model, why->msg);
}

static int judge_other(const Gate *gate, const GateCase *c, const Outcome *out, GateVerdict *v,
                       Err *err) {
  const GateText other = {out->text, out->n};
  if (gate->kind == GATE_AGREE) {
    return agree_check(gate, &c->answer, &other, v, err);
  }
  judge_check_reply(gate, out->text, out->n, v);
  return RC_OK;
}

/* What the verifier is asked. */
static int write_question(const Gate *gate, const GateCase *c, Buf *b, Err *err) {
  buf_init(b, LIMIT_REQUEST_BYTES);
  int rc = judge_ask(gate, c, b);
  return rc == RC_OK      ? RC_OK
         : rc == RC_NOMEM ? err_nomem(err)
                          : err_set(err, rc, ERR_TOO_BIG, "prompt and answer are too long");
}

int second_check(Call *k, const Gate *gate, const GateCase *c, GateVerdict *v, Err *err) {
  Buf question = {0};
  Outcome out = {0};
  Err why = {0};
  int is_ours = gate->kind == GATE_VERIFIER, asked = 0;
  char name[LIMIT_MODEL_NAME] = "";
  const char *model = second_model(k, gate);
  buf_init(&question, LIMIT_REQUEST_BYTES);
  snprintf(name, sizeof name, "%s", model ? model : ""); /* (the configuration may be read anew) */
  const BesideAsk what = {.purpose = gate_word(gate->kind),
                          .model = model ? name : NULL,
                          .prompt = is_ours ? &question : NULL};
  if (!what.model) {
    err_set(&why, RC_ERROR, ERR_NO_TIER, "llm_tiers has no other model: name one in the gate");
  } else if (!is_ours || write_question(gate, c, &question, &why) == RC_OK) {
    asked = beside_ask(k, &what, &out, &why, err);
  }
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  if (asked == 1) {
    judge_other(gate, c, &out, v, err);
  } else {
    cannot(v, what.model ? what.model : "a second model", &why);
  }
  beside_free(&out);
  buf_free(&question);
  return err->rc;
}

/* ---- audit */

static int is_drawn(double share) {
  unsigned random;
  sqlite3_randomness(sizeof random, &random);
  return random < share * 4294967296.0;
}

/* Puts what it said behind what the gates said. */
static int note_audit(Call *k, const char *model, double score, const char *by, Err *err) {
  cJSON *item = cJSON_CreateObject();
  json_add(item, "model", cJSON_CreateString(model), err);
  json_add(item, "agrees", cJSON_CreateBool(score >= 0.5), err);
  json_add(item, "score", cJSON_CreateNumber(score), err);
  json_add(item, "by", cJSON_CreateString(by), err);
  return said_add(k, "audit", item, err);
}

int second_audit(Call *k, Err *err) {
  double share =
      isnan(k->request->options->audit) ? k->conn->set.audit : k->request->options->audit;
  const char *by = "", *model = share > 0 && k->gates && is_drawn(share) ? second_auditor(k) : NULL;
  const BesideAsk what = {.purpose = "audit", .model = model};
  Outcome out = {0};
  Err why = {0};
  double score = 0;
  if (model && beside_ask(k, &what, &out, &why, err) == 1) {
    const GateText ours = {k->text, k->n}, theirs = {out.text, out.n};
    if (agree_compare(&ours, &theirs, AGREE_AUTO, &score, &by, err) == RC_OK) {
      note_audit(k, model, score, by, err);
    }
  }
  beside_free(&out);
  return err->rc;
}
