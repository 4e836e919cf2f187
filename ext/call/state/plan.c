/*
** See plan.h for the contract.
*/
#include "call/state/plan.h"

#include "base/check.h"
#include "core/schema/schema.h"

#include <stdio.h>
#include <string.h>

static int check_available(const Conn *conn, const Options *o, int mode, Err *err) {
  if (mode == CACHE_SEMANTIC && conn->set.log_text != LOG_FULL) {
    return err_set(err, RC_ERROR, ERR_UNAVAILABLE,
                   "cache 'semantic' compares questions and so keeps them: it needs"
                   " llm_config('log_text', 'full')");
  }
  return o->schema ? schema_check(o->schema, err) : RC_OK;
}

/* 1 if what is asked is a question whose like may have the same answer: not what a tool said, and not where the answer may be a
** call with arguments of its own. */
static int has_question(const Request *r) {
  return !r->options->tools && r->options->returns == RETURNS_TEXT && r->n_messages > 0 &&
         strcmp(r->messages[r->n_messages - 1].role, "tool") != 0;
}

/* What the cache does in a mode. Questions are compared as texts, so they must be kept, and be texts. */
static Plan plan_of_mode(const Conn *conn, const Request *request, int mode) {
  static const Plan plans[] = {
      [CACHE_EXACT] = {.reads = 1, .keeps = 1, .is_memoed = 1},
      [CACHE_SEMANTIC] =
          {.reads = 1, .reads_similar = 1, .keeps = 1, .keeps_similar = 1, .is_memoed = 1},
      [CACHE_OFF] = {.name = "off"},
      [CACHE_REFRESH] = {.keeps = 1, .keeps_similar = 1, .is_memoed = 1, .name = "refresh"},
  };
  Plan plan = plans[mode];
  if (conn->set.log_text != LOG_FULL || request->wants_vectors || !has_question(request)) {
    plan.reads_similar = plan.keeps_similar = 0;
  }
  plan.only_replaces = mode == CACHE_REFRESH && conn->set.cache != CACHE_SEMANTIC;
  return plan;
}

/* What the user said last: a turn of the assistant may stand behind it, for it to go on with. */
static const Message *last_asked(const Request *r) {
  int i = r->n_messages - 1;
  while (i > 0 && strcmp(r->messages[i].role, "user") != 0) {
    i--;
  }
  return &r->messages[i];
}

/* An answer of the moment is not given to, or kept for, who asks something like it later. */
static void heed_volatile(const Conn *conn, const Request *request, Plan *plan) {
  if (plan->keeps_similar && conn->set.heeds_volatile) {
    const Message *asked = last_asked(request);
    plan->kind = volatile_kind(asked->content, asked->n, plan->word);
  }
  if (plan->kind == VOLATILE_NOW) {
    plan->reads_similar = plan->keeps_similar = 0;
  }
}

int plan_make(const Conn *conn, const Request *request, Plan *plan, Err *err) {
  const Options *o = request->options;
  int mode = o->cache >= 0 ? o->cache : conn->set.cache;
  if (check_available(conn, o, mode, err) != RC_OK) {
    return err->rc;
  }
  *plan = plan_of_mode(conn, request, mode);
  heed_volatile(conn, request, plan);
  plan->attempts = 1 + (int)(o->retries != OPTION_UNSET ? o->retries : conn->set.retries);
  plan->buys_lost = o->retry_lost;
  plan->ttl_ms = request->wants_vectors      ? OPTION_UNSET /* a vector does not go stale */
                 : o->ttl_ms != OPTION_UNSET ? o->ttl_ms
                                             : conn->set.ttl_ms;
  CHECK(plan->reads || plan->name);           /* a dry run names what does not read */
  CHECK(!plan->reads_similar || plan->reads); /* who looks for meaning looks for the text first */
  CHECK(!plan->keeps_similar || plan->keeps); /* and who keeps it under its meaning keeps it */
  plan->started_ms = now_ms();
  plan->deadline_ms =
      monotonic_ms() + (o->timeout_ms != OPTION_UNSET ? o->timeout_ms : conn->set.timeout_ms);
  return RC_OK;
}

void plan_semantic(const Plan *plan, const Request *request, char out[PLAN_NOTE]) {
  const char *what = plan->kind == VOLATILE_NOW       ? "\"skipped\":\"now\""
                     : request->options->user != NULL ? "\"within\":\"user\""
                                                      : "\"within\":\"all\"";
  out[0] = 0;
  if (plan->kind != VOLATILE_NO && !plan->only_replaces) {
    snprintf(out, PLAN_NOTE, "{%s,\"word\":\"%s\"}", what,
             plan->word); /* the word holds letters and digits */
  }
}
