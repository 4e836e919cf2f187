/*
** See allowance.h for the contract.
*/
#include "money/allowance.h"

#include "money/pricing.h"
#include "store/db/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What hangs on the connection. */
typedef struct Allowance {
  long long calls, spent_nusd, held_nusd; /* since the setting was set */
} Allowance;

static const ConnSlot slot_type = {.size = sizeof(Allowance)};

/* "$0.012" */
static const char *dollars(long long nusd, char out[40]) {
  snprintf(out, 40, "$%.9g", (double)nusd / 1e9);
  return out;
}

static int too_many(const Conn *conn, const Allowance *a, Err *err) {
  return err_set(err, RC_ERROR, ERR_LIMIT,
                 "llm_config('max_calls', %lld): %lld requests have been sent: nothing more was; "
                 "what was paid is"
                 " kept: set it again and run the statement again",
                 conn->set.max_calls, a->calls);
}

static int too_dear(const Conn *conn, const Allowance *a, const AllowanceAsk *ask, long long most,
                    Err *err) {
  char call[40], spent[40], limit[40];
  long long limit_nusd = llround(conn->set.max_usd * 1e9);
  int is_long = !ask->is_embedding && a->spent_nusd + a->held_nusd < limit_nusd;
  char why[80] = "";
  if (is_long) {
    snprintf(why, sizeof why, " (%lld tokens of answer: max_tokens makes it less)", ask->output);
  }
  return err_set(err, RC_ERROR, ERR_LIMIT,
                 "llm_config('max_usd', %.9g): %s are spent, and this call may cost %s%s: nothing "
                 "was sent; what"
                 " was paid is kept: raise %s and run the statement again",
                 conn->set.max_usd, dollars(a->spent_nusd + a->held_nusd, spent),
                 dollars(most, call), why, dollars(limit_nusd, limit));
}

/* 1 if nobody is paid by the token: a server of one's own. */
static int is_own_server(const Model *model) {
  const Vendor *vendor = vendor_by_word(model->provider);
  return vendor && strcmp(vendor->id, "self-hosted") == 0;
}

static int not_bounded(const Model *model, const char *what, const char *cure, Err *err) {
  return err_set(err, RC_ERROR, ERR_LIMIT, "llm_config('max_usd') is set, and %s model '%.80s'%s",
                 what, model->name, cure);
}

/* The worst case in nano-dollars; -1 and *err where it can't be told. */
static long long at_most(Conn *conn, const AllowanceAsk *ask, Err *err) {
  long long output = ask->is_embedding ? 0 : ask->output;
  if (pricing_refresh(conn, NULL, err) != RC_OK) {
    return -1;
  }
  long long most = pricing_of_tokens(conn, ask->model, ask->input, output, err);
  if (most < 0 && err->rc == RC_OK && is_own_server(ask->model)) {
    return 0;
  }
  if (most < 0 && err->rc == RC_OK) {
    not_bounded(ask->model, "nobody prices", ": add it to llm_prices (0 where it costs nothing)",
                err);
  } else if (most > 0 && !output && !ask->is_embedding) {
    not_bounded(ask->model, "nobody says how long an answer may be of",
                ": give max_tokens, or max_output in llm_models", err);
  }
  return err->rc == RC_OK ? most : -1;
}

int allowance_take(Conn *conn, const AllowanceAsk *ask, long long *held, Err *err) {
  int is_priced = !isnan(conn->set.max_usd), is_counted = conn->set.max_calls != SPEC_UNSET;
  *held = 0;
  if (!is_priced && !is_counted) {
    return RC_OK;
  }
  Allowance *a = conn_slot(conn, &slot_type, err);
  if (!a) {
    return err->rc;
  }
  if (is_counted && a->calls >= conn->set.max_calls) {
    return too_many(conn, a, err);
  }
  long long most = is_priced ? at_most(conn, ask, err) : 0;
  if (err->rc == RC_OK && is_priced &&
      a->spent_nusd + a->held_nusd + most > llround(conn->set.max_usd * 1e9)) {
    too_dear(conn, a, ask, most, err);
  }
  if (err->rc == RC_OK) {
    a->calls++;
    a->held_nusd += most;
    *held = most;
  }
  return err->rc;
}

void allowance_settle(Conn *conn, long long held, long long cost_nusd, int was_sent) {
  Allowance *a = conn_slot_if_any(conn, &slot_type);
  if (a) {
    a->calls -= !was_sent && a->calls > 0;
    a->held_nusd -= held;
    a->spent_nusd += cost_nusd == LEDGER_NULL ? held : cost_nusd;
  }
}

void allowance_restart(Conn *conn) {
  Allowance *a = conn_slot_if_any(conn, &slot_type);
  if (a) {
    *a = (Allowance){.held_nusd = a->held_nusd};
  }
}
