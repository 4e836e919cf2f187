/*
** See allowance.h for the contract.
*/
#include "money/allowance.h"

#include "money/pricing.h"
#include "store/db/row.h"

#include <math.h>
#include <stdio.h>

static const ConnSlot slot_type = {.size = sizeof(Allowance)};

/* "$0.012": without the zeros at its end. */
static const char *dollars(long long nusd, char out[40]) {
  int n = snprintf(out, 40, "$%lld.%09lld", nusd / 1000000000, nusd % 1000000000);
  while (n > 0 && out[n - 1] == '0') {
    out[--n] = 0;
  }
  out[n - (n > 0 && out[n - 1] == '.')] = 0;
  return out;
}

/* What a message calls them. */
typedef struct Naming {
  const char *calls, *usd, *again;
} Naming;

static const Naming of_settings = {"llm_config('max_calls', %lld)", "llm_config('max_usd', %s)",
                                   "set it again, or higher, and run the statement again"};
static const Naming of_statement = {"option 'max_calls' (%lld)", "option 'max_usd' (%s)",
                                    "run the statement again, with more, for the rest"};

static int too_many(const Naming *name, const Allowance *a, Err *err) {
  char which[80];
  snprintf(which, sizeof which, name->calls, a->max_calls);
  return err_set(err, RC_ERROR, ERR_LIMIT,
                 "%s: %lld request%s sent, and nothing more; what was paid is kept: %s", which,
                 a->calls, a->calls == 1 ? " has been" : "s have been", name->again);
}

static long long limit_nusd(const Allowance *a) {
  return llround(a->max_usd * 1e9);
}

static int too_dear(const Naming *name, const Allowance *a, const AllowanceAsk *ask, long long most,
                    Err *err) {
  char call[40], spent[40], limit[40], which[80], why[80] = "";
  if (!ask->is_embedding && a->spent_nusd + a->held_nusd < limit_nusd(a)) {
    snprintf(why, sizeof why, " (%lld tokens of answer: max_tokens makes it less)", ask->output);
  }
  snprintf(which, sizeof which, name->usd, dollars(limit_nusd(a), limit) + 1);
  return err_set(
      err, RC_ERROR, ERR_LIMIT,
      "%s: %s spent, and this call may cost %s%s: nothing was sent; what was paid is kept: %s",
      which, dollars(a->spent_nusd + a->held_nusd, spent), dollars(most, call), why, name->again);
}

/* The worst case in nano-dollars; -1 and *err where it can't be told. */
static long long at_most(Conn *conn, const AllowanceAsk *ask, Err *err) {
  if (pricing_refresh(conn, NULL, err) != RC_OK) {
    return -1;
  }
  long long most = pricing_of_service(conn, ask->model, ask->service, ask->input,
                                      ask->is_embedding ? 0 : ask->output, err);
  if (most >= 0 && ask->writes != UNIT_INPUT) {
    long long written =
        pricing_of_input(conn, ask->model, ask->input, ask->writes, ask->output, err);
    most = written > most ? written : most;
  }
  if (most < 0 && err->rc == RC_OK && ask->is_own) { /* priced by its input alone, perhaps */
    most = pricing_of_tokens(conn, ask->model, ask->input, 0, err);
  }
  if (most < 0 && err->rc == RC_OK && !ask->is_own) {
    err_set(err, RC_ERROR, ERR_LIMIT,
            "llm_config('max_usd') is set, and nobody prices model '%.80s': add it to llm_prices "
            "(0 where it costs"
            " nothing)",
            ask->model->name);
  }
  return err->rc != RC_OK ? -1 : most < 0 ? 0 : most;
}

/* 1 if there is room now; 0: there will be, perhaps, when others have ended; or *err. */
static int has_room(const Naming *name, const Allowance *a, const AllowanceAsk *ask, long long most,
                    Err *err) {
  if (a->max_calls != SPEC_UNSET && a->calls >= a->max_calls) {
    too_many(name, a, err);
  }
  int is_priced = err->rc == RC_OK && !isnan(a->max_usd);
  if (!is_priced || a->spent_nusd + a->held_nusd + most <= limit_nusd(a)) {
    return err->rc == RC_OK;
  }
  if (a != ask->beside || a->held_nusd == 0 || a->spent_nusd + most > limit_nusd(a)) {
    too_dear(name, a, ask, most, err);
  }
  return 0;
}

static void take(Allowance *a, long long most) {
  a->calls++;
  a->held_nusd += most;
}

/* The connection's, with its limits as they are set. NULL: it has none, or *err. */
static Allowance *of_connection(Conn *conn, Err *err) {
  if (isnan(conn->set.max_usd) && conn->set.max_calls == SPEC_UNSET) {
    return NULL;
  }
  Allowance *a = conn_slot(conn, &slot_type, err);
  if (a) {
    a->max_usd = conn->set.max_usd;
    a->max_calls = conn->set.max_calls;
  }
  return a;
}

int allowance_take(Conn *conn, const AllowanceAsk *ask, AllowanceHold *held, Err *err) {
  enum { STEP_MS = 20 };
  Allowance *a = of_connection(conn, err), *beside = ask->beside;
  int is_priced = (a && !isnan(a->max_usd)) || (beside && !isnan(beside->max_usd));
  long long most = err->rc == RC_OK && is_priced ? at_most(conn, ask, err) : 0;
  *held = (AllowanceHold){0};
  while (err->rc == RC_OK && beside && !has_room(&of_statement, beside, ask, most, err)) {
    if (err->rc == RC_OK) {
      conn_sleep(conn, STEP_MS, err);
    }
  }
  if (err->rc != RC_OK || (a && !has_room(&of_settings, a, ask, most, err))) {
    return err->rc;
  }
  if (a) {
    take(a, most);
  }
  if (beside) {
    take(beside, most);
  }
  *held = (AllowanceHold){most, a != NULL, beside != NULL};
  return err->rc;
}

int allowance_take_batch(Conn *conn, long long calls, long long nusd, Err *err) {
  Allowance *a = of_connection(conn, err);
  char spent[40], limit[40], most[40];
  if (!a) {
    return err->rc;
  }
  if (a->max_calls != SPEC_UNSET && a->calls + calls > a->max_calls) {
    return err_set(err, RC_ERROR, ERR_LIMIT,
                   "llm_config('max_calls', %lld): %lld sent, and this batch has %lld requests: "
                   "nothing of it was sent",
                   a->max_calls, a->calls, calls);
  }
  if (!isnan(a->max_usd) && (nusd < 0 || a->spent_nusd + a->held_nusd + nusd > limit_nusd(a))) {
    return err_set(err, RC_ERROR, ERR_LIMIT,
                   "llm_config('max_usd', %s): %s spent, and this batch may cost %s: nothing of it "
                   "was sent (max_tokens in its options makes that less)",
                   dollars(limit_nusd(a), limit) + 1, dollars(a->spent_nusd + a->held_nusd, spent),
                   nusd < 0 ? "what nobody says" : dollars(nusd, most));
  }
  a->calls += calls;
  a->spent_nusd += nusd > 0 ? nusd : 0;
  return RC_OK;
}

void allowance_give_batch(Conn *conn, long long calls, long long nusd) {
  Allowance *a = conn_slot_if_any(conn, &slot_type);
  if (a) {
    a->calls -= calls < a->calls ? calls : a->calls;
    a->spent_nusd -= nusd <= 0 ? 0 : nusd < a->spent_nusd ? nusd : a->spent_nusd;
  }
}

static void settle(Allowance *a, long long held, long long cost_nusd, int was_sent) {
  a->calls -= !was_sent && a->calls > 0;
  a->held_nusd -= held;
  a->spent_nusd += cost_nusd == LEDGER_NULL ? held : cost_nusd;
}

void allowance_settle(Conn *conn, Allowance *beside, AllowanceHold *held, long long cost_nusd,
                      int was_sent) {
  if (held->of_connection) {
    settle(conn_slot_if_any(conn, &slot_type), held->nusd, cost_nusd, was_sent);
  }
  if (held->of_statement) {
    settle(beside, held->nusd, cost_nusd, was_sent);
  }
  *held = (AllowanceHold){0};
}

void allowance_restart_usd(Conn *conn) {
  Allowance *a = conn_slot_if_any(conn, &slot_type);
  if (a) {
    a->spent_nusd = 0;
  }
}

void allowance_restart_calls(Conn *conn) {
  Allowance *a = conn_slot_if_any(conn, &slot_type);
  if (a) {
    a->calls = 0;
  }
}
