/*
** See budgets.h for the contract.
*/
#include "money/budget/budgets.h"

#include "base/text/decimal.h"
#include "base/utf8.h"
#include "money/budget/day_cap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const action_words[BUDGET_N_ACTIONS] = {
#define WORD(id, word) word,
    BUDGET_ACTIONS(WORD)
#undef WORD
};

const char *budget_action_word(BudgetAction action) {
  return action_words[action];
}

const char *budget_usd(long long nusd, char out[BUDGET_USD]) {
  out[0] = '$';
  decimal_format(nusd < 0 ? 0 : (unsigned __int128)nusd, 9, out + 1, BUDGET_USD - 1);
  return out;
}

/* ---- the list of a connection */

typedef struct Known {
  unsigned serial;  /* of the configuration it was read from */
  BudgetList *list; /* NULL: none was read */
} Known;

void budgets_list_unref(BudgetList *list) {
  if (!list || --list->refs > 0) {
    return;
  }
  for (int i = 0; i < list->n; i++) {
    free((char *)list->at[i].scope_text);
    free((char *)list->at[i].period_text);
  }
  free(list);
}

static void free_known(void *slot) {
  budgets_list_unref(((Known *)slot)->list);
}

static const ConnSlot slot_type = {sizeof(Known), NULL, NULL, free_known};

/* Names and numbers beside scope and period. The table's own checks say the same (sql/config.sql); it may have been made
** without them. */
static int read_rest(const BudgetRow *row, BudgetLimit *limit, Err *err) {
  int action = 0;
  while (action < BUDGET_N_ACTIONS && strcmp(row->action, action_words[action]) != 0) {
    action++;
  }
  limit->allows_unpriced = strcmp(row->unpriced, "allow") == 0;
  if (action == BUDGET_N_ACTIONS) {
    return err_set(err, RC_ERROR, ERR_CONFIG,
                   "llm_budgets: the action '%.40s' is none of error, cheapest, warn", row->action);
  }
  if (!limit->allows_unpriced && strcmp(row->unpriced, "refuse") != 0) {
    return err_set(err, RC_ERROR, ERR_CONFIG, "llm_budgets: unpriced is '%.40s': refuse, or allow",
                   row->unpriced);
  }
  if (!(row->limit_usd >= 0 && row->limit_usd <= 9e9)) {
    return err_set(err, RC_ERROR, ERR_CONFIG,
                   "llm_budgets: limit_usd of '%.80s' is no number of dollars from 0 to 9e9",
                   row->scope);
  }
  limit->action = (BudgetAction)action;
  limit->limit_nusd = llround(row->limit_usd * 1e9);
  return RC_OK;
}

static int read_limit(const BudgetRow *row, BudgetList *list, Err *err) {
  BudgetLimit *limit = &list->at[list->n++];
  *limit = (BudgetLimit){.scope_text = strdup(row->scope), .period_text = strdup(row->period)};
  if (!limit->scope_text || !limit->period_text) {
    return err_nomem(err);
  }
  return scope_parse(row->scope, &limit->scope, err) == RC_OK &&
                 period_parse(row->period, &limit->period, err) == RC_OK
             ? read_rest(row, limit, err)
             : err->rc;
}

static BudgetList *list_new(const Config *config, Err *err) {
  BudgetList *list = calloc(1, sizeof *list + (size_t)config->n_budgets * sizeof list->at[0]);
  if (!list) {
    err_nomem(err);
    return NULL;
  }
  list->refs = 1;
  for (int i = 0; i < config->n_budgets && err->rc == RC_OK; i++) {
    read_limit(&config->budgets[i], list, err);
  }
  if (err->rc != RC_OK) {
    budgets_list_unref(list);
    return NULL;
  }
  return list;
}

/* The list as the configuration has it by now; read once. */
static BudgetList *list_of(Conn *conn, const Config *config, Err *err) {
  Known *known = conn_slot(conn, &slot_type, err);
  if (!known) {
    return NULL;
  }
  if (!known->list || known->serial != config->serial) {
    budgets_list_unref(known->list);
    known->list = list_new(config, err);
    known->serial = config->serial;
  }
  if (known->list) {
    known->list->refs++;
  }
  return known->list;
}

/* (UTC where none is set; one that is set was checked.) */
static int zone_of(const Conn *conn, Zone *zone, Err *err) {
  const char *name = conn->set.time_zone;
  *zone = (Zone){0, NULL};
  return !name || zone_parse(name, zone)
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_CONFIG, "the time zone '%.60s' can't be read", name);
}

/* As `config` has it. */
static BudgetList *list_in_zone(Conn *conn, const Config *config, Zone *zone, Err *err) {
  return config && zone_of(conn, zone, err) == RC_OK ? list_of(conn, config, err) : NULL;
}

BudgetList *budgets_list(Conn *conn, Zone *zone, Err *err) {
  return list_in_zone(conn, conn_config(conn, err), zone, err);
}

/* ---- one attempt */

static int take_limits(Budgets *b, const BudgetValues *values, Err *err) {
  const BudgetList *list = b->list;
  b->limits = calloc((size_t)list->n + 1, sizeof *b->limits);
  b->rows = calloc((size_t)list->n + 1, sizeof *b->rows);
  if (!b->limits || !b->rows) {
    return err_nomem(err);
  }
  b->reserve = (Reserve){.limits = b->limits, .n = 0};
  for (int i = 0; i < list->n; i++) {
    const BudgetLimit *limit = &list->at[i];
    if (scope_matches(&limit->scope, values)) {
      b->rows[b->reserve.n] = i;
      b->limits[b->reserve.n++] = (ReserveLimit){.set = limit->scope.set,
                                                 .values = *values,
                                                 .limit_nusd = limit->limit_nusd,
                                                 .warns = limit->action == BUDGET_ON_WARN};
    }
  }
  return RC_OK;
}

static const BudgetLimit *row_of(const Budgets *b, int i) {
  return &b->list->at[b->rows[i]];
}

/* What goes on although nobody prices it holds nothing. */
static int take_unpriced(Budgets *b, const Model *model, Err *err) {
  for (int i = 0; i < b->reserve.n; i++) {
    const BudgetLimit *limit = row_of(b, i);
    if (!limit->allows_unpriced && limit->action != BUDGET_ON_WARN) {
      return err_set(err, RC_ERROR, ERR_BUDGET,
                     "llm_budgets: '%.80s' per %s refuses model '%.80s', which nobody prices"
                     " (unpriced): add it to llm_prices (0 where it costs nothing), or set unpriced"
                     " to 'allow'; nothing was sent",
                     limit->scope_text, limit->period_text, model->name);
    }
  }
  return RC_OK;
}

/* In server mode the cap is the operator's, and who sends SQL is not he: prices and a zone that tables and settings name don't count. */
static int counts_by_catalogue(const Conn *conn, Err *err) {
  DayCap cap;
  return node_is_locked(&conn->node) && day_cap_is_set(&cap, err);
}

static Zone zone_of_cap(const Budgets *b) {
  return b->by_catalogue ? (Zone){0, NULL} : b->zone;
}

long long budgets_worst(Conn *conn, const WorstAsk *ask, long long *input, Err *err) {
  long long most = worst_case(conn, ask, input, err);
  if (most >= 0 && counts_by_catalogue(conn, err)) {
    WorstAsk listed = *ask;
    listed.list = "catalogue";
    long long by_list = worst_case(conn, &listed, input, err);
    most = by_list < 0 || by_list > most ? by_list : most;
  }
  return err->rc == RC_OK ? most : WORST_UNPRICED;
}

static int cap_refuse(const Budgets *b, const DayCap *cap, int waited, Err *err) {
  char limit[BUDGET_USD], spent[BUDGET_USD], held[BUDGET_USD], call[BUDGET_USD], until[PERIOD_TEXT];
  const Zone zone = zone_of_cap(b);
  period_when(&zone, cap->day.to, until);
  return err_set(err, RC_ERROR, ERR_BUDGET,
                 "LLMCOST_BUDGET_USD_DAY: %s spent today by this process and %s held, of %s; %s"
                 " may cost %s: nothing was sent%s; until %s",
                 budget_usd(cap->spent_nusd, spent), budget_usd(cap->held_nusd, held),
                 budget_usd(cap->limit_nusd, limit), b->is_batch ? "these requests" : "this call",
                 budget_usd(b->worst_nusd, call), waited ? ", and its time is over" : "", until);
}

enum { FIRST_WAIT_MS = 5, LONGEST_WAIT_MS = 100 };

static int take_cap(Conn *conn, Budgets *b, DayCap *cap, const Model *model, long long deadline_ms,
                    Err *err) {
  DayCapOutcome outcome;
  long long wait = FIRST_WAIT_MS;
  const Zone zone = zone_of_cap(b);
  if (b->worst_nusd < 0) {
    return err_set(
        err, RC_ERROR, ERR_BUDGET,
        "LLMCOST_BUDGET_USD_DAY is set, and nobody prices model '%.80s' (unpriced)" ERR_CURE(
            ": add it to llm_prices (0 where it costs nothing)") "; nothing was sent",
        model->name);
  }
  while ((outcome = day_cap_take(cap, &zone, now_ms(), b->worst_nusd)) == DAY_CAP_WAITS) {
    if (monotonic_ms() >= deadline_ms) {
      return cap_refuse(b, cap, 1, err);
    }
    if (conn_sleep(conn, wait, err) != RC_OK) {
      return err->rc;
    }
    wait = wait * 2 < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS;
  }
  if (outcome == DAY_CAP_REFUSED) {
    return cap_refuse(b, cap, 0, err);
  }
  b->capped_nusd = b->worst_nusd;
  b->began = now_ms();
  return RC_OK;
}

/* The limits that requests of a model and options meet. 1; 0 where there is none; -1 and *err. */
static int start(Conn *conn, const Model *model, const Options *options, DayCap *cap, Budgets *b,
                 Err *err) {
  *b = (Budgets){.worst_nusd = 0};
  int is_capped = day_cap_is_set(cap, err);
  const Config *config = conn->config; /* as the route has read it just before */
  config = config || err->rc != RC_OK ? config : conn_config(conn, err);
  if (err->rc != RC_OK || (!is_capped && config->n_budgets == 0)) {
    return err->rc == RC_OK ? 0 : -1;
  }
  b->list = list_in_zone(conn, config, &b->zone, err);
  if (!b->list) {
    return -1;
  }
  b->by_catalogue = is_capped && node_is_locked(&conn->node);
  BudgetValues values =
      scope_values(options->tag, options->user, model->name, model->provider, &b->names);
  return take_limits(b, &values, err) == RC_OK ? b->reserve.n > 0 || is_capped : -1;
}

/* With their worst case known. */
static int go_on(Conn *conn, const Model *model, DayCap *cap, long long deadline_ms, Budgets *b,
                 Err *err) {
  if (err->rc == RC_OK && b->worst_nusd < 0) {
    take_unpriced(b, model, err);
  }
  if (err->rc == RC_OK && cap->limit_nusd >= 0) {
    take_cap(conn, b, cap, model, deadline_ms, err);
  }
  b->reserve.most_nusd = b->worst_nusd;
  if (err->rc != RC_OK) {
    budgets_settle(b, 0, 0);
  }
  return err->rc;
}

int budgets_begin(Conn *conn, const WorstAsk *ask, const Options *options, long long deadline_ms,
                  Budgets *b, Err *err) {
  DayCap cap = {.limit_nusd = -1};
  if (start(conn, ask->model, options, &cap, b, err) > 0) {
    b->output = ask->is_embedding ? 0 : ask->output;
    b->worst_nusd = budgets_worst(conn, ask, &b->input, err);
  }
  return go_on(conn, ask->model, &cap, deadline_ms, b, err);
}

int budgets_begin_batch(Conn *conn, const Model *model, const Options *options, long long nusd,
                        Budgets *b, Err *err) {
  DayCap cap = {.limit_nusd = -1};
  if (start(conn, model, options, &cap, b, err) > 0) {
    b->worst_nusd = nusd;
    b->is_batch = 1;
  }
  return go_on(conn, model, &cap, 0, b, err);
}

int budgets_has_any(Conn *conn, Err *err) {
  DayCap cap;
  const Config *config = conn_config_kept(conn, err);
  return config && (config->n_budgets > 0 || day_cap_is_set(&cap, err));
}

Reserve *budgets_reserve(Budgets *b) {
  if (b->reserve.n == 0) {
    return NULL;
  }
  b->reserve.now = now_ms();
  for (int i = 0; i < b->reserve.n; i++) {
    b->limits[i].span = period_at(&row_of(b, i)->period, &b->zone, b->reserve.now);
  }
  return &b->reserve;
}

void budgets_settle(Budgets *b, long long cost_nusd, int was_sent) {
  if (b->capped_nusd > 0 || b->began) {
    long long billed = cost_nusd < b->catalogue_nusd ? b->catalogue_nusd : cost_nusd;
    int is_known = cost_nusd != LEDGER_NULL && b->catalogue_nusd >= 0;
    long long known = is_known ? billed : b->capped_nusd;
    day_cap_settle(b->capped_nusd, b->began, was_sent ? known : 0);
  }
  free(b->limits);
  free(b->rows);
  budgets_list_unref(b->list);
  *b = (Budgets){.worst_nusd = 0};
}

/* ---- in words */

/* When enough of what rolls is no longer in it. */
typedef struct Leaving {
  long long over_nusd, start; /* what is too much; the quarter with which it leaves */
  int found;
} Leaving;

static int take_quarter(void *arg, long long start, const Spent *spent) {
  Leaving *l = arg;
  l->over_nusd -= sum_at_most(spent->nusd, spent->unknown_nusd);
  l->start = start;
  l->found = l->over_nusd <= 0;
  return !l->found;
}

/* Until when, as the end of a sentence. */
static void tell_until(const Budgets *b, Store *store, char *out, size_t size) {
  const ReserveLimit *l = &b->limits[b->reserve.at];
  const BudgetLimit *row = row_of(b, b->reserve.at);
  char when[PERIOD_TEXT];
  Err ignored = {0};
  Leaving leaving = {
      .over_nusd = sum_at_most(sum_at_most(l->spent.nusd, l->spent.unknown_nusd), b->worst_nusd) -
                   l->limit_nusd};
  if (b->worst_nusd > l->limit_nusd) {
    snprintf(out, size, "%s more than the limit",
             b->is_batch ? "together they are" : "this call alone is");
  } else if (l->span.to != PERIOD_NEVER) {
    period_when(&b->zone, l->span.to, when);
    snprintf(out, size, "until %s", when);
  } else if (!period_rolls(&row->period)) {
    snprintf(out, size, "until limit_usd is raised");
  } else if (spent_quarters(store->db, l->set, &l->values, l->span, take_quarter, &leaving,
                            &ignored) == RC_OK &&
             leaving.found) {
    period_when(&b->zone, period_leaves(&row->period, leaving.start), when);
    snprintf(out, size, "until %s, if nothing more is spent", when);
  } else {
    snprintf(out, size, "until what was spent is older");
  }
}

/* "'tag:*' (tag:support) per day". */
static void tell_limit(const Budgets *b, int i, char *out, size_t size) {
  const BudgetLimit *row = row_of(b, i);
  char value[120] = "";
  if (row->scope.globs) {
    scope_describe(b->limits[i].set, &b->limits[i].values, value, sizeof value);
  }
  char scope[120];
  utf8_copy(scope, sizeof scope, row->scope_text);
  snprintf(out, size, "'%s'%s%s%s per %s", scope, value[0] ? " (" : "", value, value[0] ? ")" : "",
           row->period_text);
}

/* "this call may cost $0.01 (16384 tokens of answer: max_tokens makes it less)". */
static void tell_call(const Budgets *b, char *out, size_t size) {
  char call[BUDGET_USD], tokens[80] = "";
  if (b->output > 0) {
    snprintf(tokens, sizeof tokens, " (%lld tokens of answer: max_tokens makes it less)",
             b->output);
  }
  snprintf(out, size, "%s may cost %s%s", b->is_batch ? "these requests" : "this call",
           budget_usd(b->worst_nusd, call), tokens);
}

int budgets_refuse(Budgets *b, Store *store, int waited, BudgetAction *action, Err *err) {
  const ReserveLimit *l = &b->limits[b->reserve.at];
  char limit[BUDGET_USD], spent[BUDGET_USD], unknown[BUDGET_USD], held[BUDGET_USD], name[320],
      until[160], lost[160] = "", may[160] = "nobody prices its model";
  tell_limit(b, b->reserve.at, name, sizeof name);
  tell_until(b, store, until, sizeof until);
  if (l->spent.unknown_nusd > 0) {
    snprintf(lost, sizeof lost,
             " and %s unknown (may have been billed: answers that were lost, at their worst case)",
             budget_usd(l->spent.unknown_nusd, unknown));
  }
  *action = row_of(b, b->reserve.at)->action;
  err->retryable = waited;
  if (b->worst_nusd >= 0) {
    tell_call(b, may, sizeof may);
  }
  return err_set(err, RC_ERROR, ERR_BUDGET,
                 "llm_budgets: %s: %s spent%s, %s held, of %s; %s: nothing was sent%s; %s", name,
                 budget_usd(l->spent.nusd, spent), lost, budget_usd(l->held_nusd, held),
                 budget_usd(l->limit_nusd, limit), may,
                 waited ? ", and what others hold was not settled in time" : "", until);
}

static cJSON *add_warning(cJSON *list, const Budgets *b, int i, Err *err) {
  char name[320], text[480], limit[BUDGET_USD], spent[BUDGET_USD], held[BUDGET_USD];
  const ReserveLimit *l = &b->limits[i];
  tell_limit(b, i, name, sizeof name);
  snprintf(text, sizeof text, "budget %s: %s spent, %s held, of %s", name,
           budget_usd(sum_at_most(l->spent.nusd, l->spent.unknown_nusd), spent),
           budget_usd(l->held_nusd, held), budget_usd(l->limit_nusd, limit));
  list = list ? list : cJSON_CreateArray();
  if (!json_add(list, NULL, cJSON_CreateString(text), err)) {
    cJSON_Delete(list);
    return NULL;
  }
  return list;
}

cJSON *budgets_warnings(const Budgets *b, Err *err) {
  cJSON *list = NULL;
  for (int i = 0; i < b->reserve.n && err->rc == RC_OK; i++) {
    if (b->limits[i].warns && reserve_is_over(&b->limits[i], b->worst_nusd, 1)) {
      list = add_warning(list, b, i, err);
    }
  }
  return list;
}
