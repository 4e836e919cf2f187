/*
** See beside.h for the contract.
*/
#include "call/state/beside.h"

#include "base/clock.h"
#include "money/pricing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What it costs is known: it is on disk before another request leaves. */
static void record(Call *k) {
  Err ignored = {0};
  if (k->is_open && !k->is_recorded) {
    const LedgerEnd end = call_end(k, NULL, 1);
    k->is_recorded = ledger_settle(k->store, &k->row, &end, &ignored) == RC_OK;
  }
}

/* The options of the other request: those that make the answer, and who asks; or, of a question of ours, only the latter. */
static Options options_for(const Call *k, int is_ours) {
  Options o = *k->request->options;
  long long left = k->deadline_ms - monotonic_ms();
  o.model = NULL;
  o.gate = NULL;
  o.escalate = o.dry_run = o.logprobs = 0;
  o.audit = o.score = (double)NAN;
  o.on_error = ON_ERROR_ERROR;
  o.timeout_ms = left > 1 ? left : 1;
  o.retries = k->attempts_left > 0 ? k->attempts_left : 0;
  if (is_ours) {
    o.system = NULL;
    o.schema = o.stop = NULL;
    o.temperature = o.top_p = (double)NAN;
    o.max_tokens = OPTION_UNSET;
    o.by_tag = 0;
    o.has_seed = 0;
  }
  return o;
}

/* Both draw on one budget of attempts: what the other one repeated is not repeated here. */
static void count_attempts(Call *k, const Outcome *out) {
  long long made = out->attempts - k->attempts_made;
  if (made > 0) {
    k->attempts_made = out->attempts;
    k->attempts_left -= (int)(made - 1);
  }
}

int beside_ask(Call *k, const BesideAsk *what, Outcome *out, Err *why, Err *err) {
  if (!k->ask_beside) {
    err_set(why, RC_ERROR, ERR_UNAVAILABLE, "nothing is sent");
    return 0;
  }
  Options o = options_for(k, what->prompt != NULL);
  Request r = *k->request;
  const Beside beside = {
      .purpose = what->purpose, .request_id = k->request_id, .attempts = k->attempts_made};
  record(k);
  if (what->prompt) {
    request_from_prompt(what->prompt->data, what->prompt->n, &o, &r, why);
  }
  r.options = &o;
  r.gate = NULL;
  r.beside = &beside;
  snprintf(r.model, sizeof r.model, "%s", what->model);
  if (why->rc == RC_OK) {
    k->ask_beside(k->conn, &r, NULL, out, why);
    count_attempts(k, out);
    call_spend(k, out->cost_nusd);
  }
  if (why->rc == RC_INTERRUPT || why->rc == RC_NOMEM) {
    *err = *why;
  } else {
    pricing_refresh(k->conn, NULL,
                    err); /* what could not be read there, this call can't go on without */
  }
  return err->rc != RC_OK ? -1 : why->rc == RC_OK;
}

void beside_free(Outcome *out) {
  free(out->text);
  free(out->reasoning);
  cJSON_free(out->logprobs);
}
