/*
** See allowance.h for the contract.
*/
#include "money/allowance.h"

#include "money/pricing.h"
#include "store/db/row.h"

#include <math.h>
#include <stdio.h>

/* What hangs on the connection. */
typedef struct Allowance {
  long long calls, spent_nusd, held_nusd; /* since the setting was set */
} Allowance;

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

static int too_many(const Conn *conn, const Allowance *a, Err *err) {
  return err_set(
      err, RC_ERROR, ERR_LIMIT,
      "llm_config('max_calls', %lld): %lld request%s sent, and nothing more; what was paid is"
      " kept: set it again and run the statement again",
      conn->set.max_calls, a->calls, a->calls == 1 ? " has been" : "s have been");
}

static int too_dear(const Conn *conn, const Allowance *a, const AllowanceAsk *ask, long long most,
                    Err *err) {
  char call[40], spent[40], limit[40], why[80] = "";
  long long limit_nusd = llround(conn->set.max_usd * 1e9);
  if (!ask->is_embedding && a->spent_nusd + a->held_nusd < limit_nusd) {
    snprintf(why, sizeof why, " (%lld tokens of answer: max_tokens makes it less)", ask->output);
  }
  return err_set(
      err, RC_ERROR, ERR_LIMIT,
      "llm_config('max_usd', %s): %s spent, and this call may cost %s%s: nothing was sent;"
      " what was paid is kept: set it again, or higher, and run the statement again",
      dollars(limit_nusd, limit) + 1, dollars(a->spent_nusd + a->held_nusd, spent),
      dollars(most, call), why);
}

/* The worst case in nano-dollars; -1 and *err where it can't be told. */
static long long at_most(Conn *conn, const AllowanceAsk *ask, Err *err) {
  if (pricing_refresh(conn, NULL, err) != RC_OK) {
    return -1;
  }
  long long most =
      pricing_of_tokens(conn, ask->model, ask->input, ask->is_embedding ? 0 : ask->output, err);
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
