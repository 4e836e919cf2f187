/*
** llm_check: what the ledger says it cost, computed again from each row's own columns; and the sums that are kept beside
** it, from its rows. llm_call_explain: one row of it, in words. llm_cache_feedback: whether its answer was right.
** llm_cache_forget: answers that are not to be given again.
*/
#include "fn/cost_args.h"
#include "fn/fn.h"

#include "base/limits.h"
#include "base/sqlite/args.h"
#include "base/text/decimal.h"
#include "base/utf8.h"
#include "money/billing.h"
#include "money/reread.h"
#include "store/feedback.h"
#include "store/forget.h"
#include "store/audit/audit.h"
#include "store/budget/spent.h"
#include "store/db/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct CheckOptions {
  long long limit; /* of rows that are shown */
  int repair;      /* sums that differ are made anew */
} CheckOptions;

static const Spec specs[] = {
    {"limit", SPEC_INTO(CheckOptions, INTEGER, limit), .max = 100000, .initial = "20"},
    {"repair", SPEC_INTO(CheckOptions, SWITCH, repair), .initial = "off"},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, NULL,
                                NULL,     specs,          sizeof specs / sizeof specs[0]};

/* What a row's cost is now, beside what it says. */
typedef enum Finding { SAME, DIFFERS, PRICED_NOW, UNPRICED_NOW, NO_USAGE, N_FINDINGS } Finding;

static const char *const words[] = {"same", "differs", "priced_now", "unpriced_now", "no_usage"};

typedef struct Check {
  Conn *conn;
  long long limit, rows, found[N_FINDINGS], before, now;
  cJSON *list; /* of the rows that are not the same */
  cJSON *sums; /* of the sums that differ */
} Check;

/* ---- comparing */

static void add_money(cJSON *tree, const char *name, long long nusd, Err *err) {
  json_add(tree, name, nusd == LEDGER_NULL ? cJSON_CreateNull() : cJSON_CreateNumber((double)nusd),
           err);
}

/* A text of the table, which may hold any bytes. */
static void add_text(cJSON *tree, const char *name, const char *text, Err *err) {
  size_t bad_at;
  int is_text = utf8_is_valid(text, strlen(text), &bad_at);
  json_add(tree, name, is_text ? cJSON_CreateString(text) : cJSON_CreateNull(), err);
}

static void show(Check *c, const AuditRow *row, Finding finding, const Billing *now, Err *err) {
  if (cJSON_GetArraySize(c->list) >= c->limit) {
    return;
  }
  const char *model = row->model ? row->model : row->model_requested;
  cJSON *tree = json_add(c->list, NULL, cJSON_CreateObject(), err);
  json_add(tree, "id", cJSON_CreateNumber((double)row->id), err);
  json_add(tree, "finding", cJSON_CreateString(words[finding]), err);
  add_text(tree, "model", model ? model : "", err);
  add_money(tree, "cost_nusd", row->cost_nusd, err);
  add_money(tree, "now_nusd", now->nusd, err);
  if (now->why[0]) {
    add_text(tree, "why", now->why, err);
  }
}

static Finding compare(long long before, long long now) {
  return before == now            ? SAME
         : before == LEDGER_NULL  ? PRICED_NOW
         : now == BILLING_UNKNOWN ? UNPRICED_NOW
                                  : DIFFERS;
}

/* One row. What is wrong with its usage is a finding, not an error. */
static void check_row(void *arg, const AuditRow *row, Err *err) {
  Check *c = arg;
  Err bad = {0};
  int has_usage;
  Billing now;
  reread_price(c->conn, row, NULL, &now, &has_usage, &bad);
  Finding finding = has_usage ? compare(row->cost_nusd, now.nusd) : NO_USAGE;
  if (bad.rc != RC_OK && bad.rc != RC_ERROR) {
    *err = bad;
    return;
  }
  c->rows++;
  c->found[finding]++;
  if (finding == SAME || finding == DIFFERS) {
    c->before = sum_at_most(c->before, row->cost_nusd == LEDGER_NULL ? 0 : row->cost_nusd);
    c->now = sum_at_most(c->now, now.nusd == BILLING_UNKNOWN ? 0 : now.nusd);
  }
  if (finding != SAME && finding != NO_USAGE) {
    show(c, row, finding, &now, err);
  }
}

/* ---- sums */

static void show_sum(void *arg, const SumDifference *d, Err *err) {
  static const char *const names[] = {"value", "provider", "service", "source", "billed"};
  Check *c = arg;
  if (cJSON_GetArraySize(c->sums) >= c->limit) {
    return;
  }
  cJSON *tree = json_add(c->sums, NULL, cJSON_CreateObject(), err);
  json_add(tree, "dimension", cJSON_CreateString(sum_dimension_name(d->key->dimension)), err);
  json_add(tree, "minutes", cJSON_CreateNumber(d->key->grain), err);
  json_add(tree, "start", cJSON_CreateNumber((double)d->key->start), err);
  for (int i = 0; i < SUM_TEXTS; i++) {
    if (d->key->text[i]) {
      add_text(tree, names[i], d->key->text[i], err);
    }
  }
  json_add(tree, "measure", cJSON_CreateString(d->measure), err);
  json_add(tree, "kept", cJSON_CreateNumber((double)d->kept), err);
  json_add(tree, "rebuilt", cJSON_CreateNumber((double)d->rebuilt), err);
}

/* `budgets`: of the sums that limits are asked by, how many quarters and days differ. */
static void report_sums(Check *c, const Compared *r, long long budgets, int repair, cJSON *tree,
                        Err *err) {
  long long differs = r->differs + budgets;
  cJSON *sums = json_add(tree, "sums", cJSON_CreateObject(), err);
  json_add(sums, "days", cJSON_CreateNumber((double)r->days), err);
  json_add(sums, "differs", cJSON_CreateNumber((double)differs), err);
  json_add(sums, "budgets", cJSON_CreateNumber((double)budgets), err);
  json_add(sums, "repaired", cJSON_CreateBool(repair && differs > 0), err);
  json_add(sums, "sealed_before",
           r->state.sealed_before ? cJSON_CreateNumber((double)r->state.sealed_before)
                                  : cJSON_CreateNull(),
           err);
  cJSON *stopped = json_add(sums, "stopped", cJSON_CreateArray(), err);
  for (int i = 0; i < SUM_DIMENSIONS; i++) {
    if (r->state.stopped >> i & 1) {
      json_add(stopped, NULL, cJSON_CreateString(sum_dimension_name(i)), err);
    }
  }
  json_add(sums, "list", c->sums, err);
  c->sums = NULL;
}

static cJSON *report(Check *c, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "rows", cJSON_CreateNumber((double)c->rows), err);
  for (int i = 0; i < N_FINDINGS; i++) {
    json_add(tree, words[i], cJSON_CreateNumber((double)c->found[i]), err);
  }
  json_add(tree, "cost_nusd", cJSON_CreateNumber((double)c->before), err);
  json_add(tree, "now_nusd", cJSON_CreateNumber((double)c->now), err);
  json_add(tree, "list", c->list, err);
  c->list = NULL;
  return tree;
}

/* Sums that differ are given up: the limits that ask next have them made again. */
static long long check_budgets(Store *s, int repair, Err *err) {
  long long differs = err->rc == RC_OK ? spent_differs(s->db, err) : 0;
  if (repair && differs > 0 && store_begin(s, err) == RC_OK) {
    spent_drop(s, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return differs;
}

/* ---- the function */

/* llm_check([options]): JSON. */
void fn_llm_check(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  CheckOptions o;
  Check c = {.conn = fn_conn(ctx)};
  if (arg_spec(argc ? argv[0] : NULL, &table, &o, err) != RC_OK ||
      pricing_refresh(c.conn, ctx, err) != RC_OK) {
    return;
  }
  Store *store = conn_store(c.conn, 0, err);
  Compared compared = {0};
  long long budgets = 0;
  c.limit = o.limit;
  c.list = cJSON_CreateArray();
  c.sums = cJSON_CreateArray();
  if (store && c.list && c.sums && audit_each(store, &AUDIT_ALL, check_row, &c, err) == RC_OK) {
    audit_sums(store, o.repair, show_sum, &c, &compared, err);
    budgets = check_budgets(store, o.repair, err);
  }
  cJSON *tree = err->rc == RC_OK ? report(&c, err) : NULL;
  if (tree) {
    report_sums(&c, &compared, budgets, o.repair, tree, err);
  }
  cJSON_Delete(c.list);
  cJSON_Delete(c.sums);
  char *text = tree ? json_print(tree, err) : NULL;
  if (text) {
    result_json(ctx, text);
  }
}

/* ---- llm_call_explain */

typedef struct Explained {
  Conn *conn;
  cJSON *price; /* owned; NULL: there is nothing to be priced */
  long long now;
} Explained;

/* The price of a name, line by line; {"unpriced": why} where it has none. */
static cJSON *explain_price(Conn *c, const AuditRow *row, const char *model, Err *err) {
  CostArgs args = {.ask = {.model = model, .provider = row->provider, .at_ms = row->ts},
                   .unknown_is_null = 1};
  Err why = {0};
  cJSON *tree = NULL;
  if (reread_usage(row, &args.usage, &args.parts, &args.n_parts, &why) == RC_OK &&
      (args.usage.has || args.usage.other[0])) {
    tree = cost_explain(c, &args, &why);
  }
  free(args.parts);
  if (why.rc != RC_OK) {
    cJSON_Delete(tree);
    tree = cJSON_CreateObject();
    json_add(tree, "unpriced", cJSON_CreateString(why.msg), err);
  }
  if (why.rc != RC_OK && why.rc != RC_ERROR) {
    *err = why;
  }
  return tree;
}

static int is_unpriced(const cJSON *price) {
  return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(price, "unpriced"));
}

/* By the name that answered, as it was paid; where nobody prices that, by the one that was asked for. */
static void explain_row(void *arg, const AuditRow *row, Err *err) {
  Explained *e = arg;
  const char *names[] = {row->model, row->model_requested};
  Billing now;
  int has_usage;
  Err ignored = {0};
  for (int i = 0; i < 2 && err->rc == RC_OK; i++) {
    cJSON *more = names[i] && (!e->price || is_unpriced(e->price))
                      ? explain_price(e->conn, row, names[i], err)
                      : NULL;
    int is_better = more && (!e->price || !is_unpriced(more));
    cJSON_Delete(is_better ? e->price : more);
    e->price = is_better ? more : e->price;
  }
  reread_price(e->conn, row, NULL, &now, &has_usage, &ignored);
  e->now = has_usage && ignored.rc == RC_OK ? now.nusd : LEDGER_NULL;
}

/* llm_call_explain(id): JSON. */
void fn_llm_call_explain(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Explained e = {.conn = fn_conn(ctx), .now = LEDGER_NULL};
  long long id = sqlite3_value_int64(argv[0]);
  (void)argc;
  if (sqlite3_value_numeric_type(argv[0]) != SQLITE_INTEGER) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "expected the id of a row of llm_calls");
  }
  Store *store = err->rc == RC_OK && pricing_refresh(e.conn, ctx, err) == RC_OK
                     ? conn_store(e.conn, 0, err)
                     : NULL;
  char *json = store ? audit_explain(store, id, explain_row, &e, err) : NULL;
  if (!json && err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "llm_calls has no row %lld", id);
  }
  char *price = e.price ? json_print(e.price, err) : NULL; /* (frees it) */
  char now[24] = "null";
  if (e.now != LEDGER_NULL) {
    sqlite3_snprintf(sizeof now, now, "%lld", e.now);
  }
  if (err->rc == RC_OK) {
    result_owned_text(ctx, sqlite3_mprintf("%s,\"now_nusd\":%s,\"price\":%s}", json, now,
                                           price ? price : "null"));
    sqlite3_result_subtype(ctx, 'J');
  }
  cJSON_free(price);
  sqlite3_free(json);
}

/* llm_cache_feedback(call_id, ok): 1; an unknown call is an error. */
void fn_llm_cache_feedback(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  Conn *c = fn_conn(ctx);
  int ok = sqlite3_value_int(argv[1]);
  if (sqlite3_value_numeric_type(argv[0]) != SQLITE_INTEGER ||
      sqlite3_value_numeric_type(argv[1]) != SQLITE_INTEGER || ok < 0 || ok > 1) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "expected (id of a call in llm_calls, 0 or 1)");
  } else {
    Store *store = conn_store(c, 1, err);
    if (store) {
      feedback_record(store, sqlite3_value_int64(argv[0]), ok, now_ms(), err);
    }
  }
  if (err->rc == RC_OK) {
    sqlite3_result_int(ctx, 1);
  }
}

typedef struct ForgetOptions {
  ForgetAsk ask;
  int is_all;
} ForgetOptions;

/* How old, or made before when. A number alone could be seconds or milliseconds, so it is a time or nothing. */
static int take_older_than(const SpecTable *of, const Spec *spec, const SpecValue *v, void *to,
                           Err *err) {
  static const double least = 1e11; /* Unix ms of 1973 */
  ForgetOptions *o = to;
  int is_number = v->text && v->text[strspn(v->text, "0123456789")] == 0;
  long long ms = v->text && !is_number ? duration_parse(v->text) : -1, time = 0;
  char number[32];
  snprintf(number, sizeof number, "%.0f", v->number >= least && v->number < 1e15 ? v->number : 0.0);
  int is_time = time_parse(v->text ? v->text : number, &time) && (double)time >= least;
  o->ask.before = ms > 0 ? now_ms() - ms : is_time ? time : o->ask.before;
  return ms > 0 || is_time ? RC_OK
                           : spec_bad(of, spec->name,
                                      "a duration such as '30d', a date such as '2026-01-31', or "
                                      "Unix milliseconds",
                                      err);
}

#define FORGET(type, member) SPEC_INTO(ForgetOptions, type, member)
static const Spec forget_specs[] = {
    {"tag", FORGET(TEXT, ask.tag)},
    {"model", FORGET(TEXT, ask.model)},
    {"user", FORGET(TEXT, ask.user)},
    {"question", FORGET(TEXT, ask.question)},
    {"older_than", SPEC_OTHER, .take = take_older_than},
    {"all", FORGET(SWITCH, is_all), .initial = "off"},
};

static const SpecTable forget_table = {"option",     ERR_BAD_OPTION,
                                       NULL,         NULL,
                                       forget_specs, sizeof forget_specs / sizeof forget_specs[0]};

/* A NULL that slipped in must not make it more than was meant: what stands there counts. */
static int read_forget(const cJSON *given, ForgetOptions *o, Err *err) {
  spec_init(&forget_table, o);
  o->ask.before = LEDGER_NULL;
  for (const cJSON *item = given->child; item && err->rc == RC_OK; item = item->next) {
    if (cJSON_IsNull(item)) {
      spec_bad(&forget_table, item->string, "a value, for null would forget what has any", err);
    }
  }
  if (err->rc != RC_OK || spec_read(&forget_table, 0, given, o, err) != RC_OK) {
    return err->rc;
  }
  const ForgetAsk *a = &o->ask;
  int is_some = a->tag || a->model || a->user || a->question || a->before != LEDGER_NULL;
  return o->is_all != is_some
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                       is_some ? "option 'all' forgets every answer: give it alone"
                               : "nothing says what to forget: give tag, model, user, "
                                 "question or older_than, or {\"all\": true}");
}

/* llm_cache_forget(options): how many answers. Where there is no store there are none. */
void fn_llm_cache_forget(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  size_t n = 0;
  long long forgotten = 0;
  ForgetOptions o;
  int is_null = sqlite3_value_type(argv[0]) == SQLITE_NULL;
  const char *json = is_null ? "{}" : arg_bytes(argv[0], &n, err);
  cJSON *given = json ? spec_parse(&forget_table, json, is_null ? 2 : n, err) : NULL;
  if (given && read_forget(given, &o, err) == RC_OK) {
    Store *store = conn_store(fn_conn(ctx), 0, err);
    if (store) {
      forget_answers(store, &o.ask, &forgotten, err);
    }
  }
  cJSON_Delete(given);
  if (err->rc == RC_OK) {
    sqlite3_result_int64(ctx, forgotten);
  }
}
