/*
** Sums in the cells of a side: what is left of calls that were trimmed (llm_sums), and invoices. See sides.h.
**
** A sum of many calls says what they cost together and how many tokens of each kind they had. What each kind cost is then in
** proportion to its list price on that day; where nobody lists one, the tokens are blended. An invoice that bills kinds apart
** says it itself.
*/
#include "work/drift/sides_internal.h"

#include "base/sqlite/columns.h"
#include "money/pricing.h"
#include "store/db/sum_row.h"
#include "store/past/invoices.h"
#include "store/sums/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of one model. Texts are borrowed. */
typedef struct SumLine {
  const char *model, *provider, *service;
  long long at_ms;
  double tokens[LINE_GROUPS];
  double nusd[LINE_GROUPS]; /* where the kinds are billed apart */
  double paid, listed;      /* all of it */
} SumLine;

static const Unit unit_of_group[] = {[LINE_PLAIN] = UNIT_INPUT,
                                     [LINE_READ] = UNIT_CACHE_READ,
                                     [LINE_WRITTEN] = UNIT_CACHE_WRITE,
                                     [LINE_OUT] = UNIT_OUTPUT,
                                     [LINE_REASONED] = UNIT_REASONING};

/* What its tokens would cost by a service; `plain`: nothing cached. In nano-dollars by group. 1, or 0 where nobody says. */
static int weigh(Conn *conn, const SumLine *l, const char *service, double nusd[LINE_GROUPS],
                 double plain[LINE_GROUPS]) {
  Err ignored = {0};
  PricingAnswer answer;
  PricingAsk ask = {
      .model = l->model, .provider = l->provider, .at_ms = l->at_ms, .service = service};
  if (!l->model || pricing_prices(conn, &ask, &answer, &ignored) != PRICED || !answer.set ||
      answer.set->missing) {
    return 0;
  }
  Cost input = 0;
  int is_priced = price_of_unit(answer.set, UNIT_INPUT, &input);
  for (int g = 0; g < LINE_FEES; g++) {
    Cost price = 0;
    int has = price_of_unit(answer.set, unit_of_group[g], &price);
    is_priced &= has || l->tokens[g] == 0;
    nusd[g] = l->tokens[g] * (double)price;
    plain[g] = l->tokens[g] * (double)(g <= LINE_WRITTEN ? input : price);
  }
  return is_priced;
}

static double total_of(const double groups[LINE_GROUPS]) {
  double sum = 0;
  for (int g = 0; g < LINE_FEES; g++) {
    sum += groups[g];
  }
  return sum;
}

static double input_of(const double groups[LINE_GROUPS]) {
  return groups[LINE_PLAIN] + groups[LINE_READ] + groups[LINE_WRITTEN];
}

static void add_step(DriftCell *cells, DriftStep step, const double nusd[LINE_GROUPS],
                     double scale) {
  cells[KIND_OF_INPUT].nusd[step] += input_of(nusd) * scale;
  cells[KIND_OF_OUTPUT].nusd[step] += nusd[LINE_OUT] * scale;
  cells[KIND_OF_REASONING].nusd[step] += nusd[LINE_REASONED] * scale;
}

static void add_tokens(DriftCell *cells, const SumLine *l) {
  cells[KIND_OF_INPUT].tokens += input_of(l->tokens);
  cells[KIND_OF_OUTPUT].tokens += l->tokens[LINE_OUT];
  cells[KIND_OF_REASONING].tokens += l->tokens[LINE_REASONED];
}

static void add_whole(DriftCell *c, double tokens, double listed, double paid) {
  c->tokens += tokens;
  for (int i = 0; i < DRIFT_STEPS; i++) {
    c->nusd[i] += i == STEP_PAID ? paid : listed;
  }
}

/* Kinds that were billed apart: of a plain price that the bill itself shows. */
static void add_billed_apart(DriftCell *cells, const SumLine *l) {
  double plain[LINE_GROUPS], rate = l->paid != 0 ? l->listed / l->paid : 1;
  memcpy(plain, l->nusd, sizeof plain);
  if (l->tokens[LINE_PLAIN] > 0 && l->nusd[LINE_PLAIN] > 0) {
    double price = l->nusd[LINE_PLAIN] / l->tokens[LINE_PLAIN];
    plain[LINE_READ] = price * l->tokens[LINE_READ];
    plain[LINE_WRITTEN] = price * l->tokens[LINE_WRITTEN];
  }
  add_tokens(cells, l);
  add_step(cells, STEP_PLAIN, plain, rate);
  add_step(cells, STEP_PREFIX, l->nusd, rate);
  add_step(cells, STEP_LISTED, l->nusd, rate);
  add_step(cells, STEP_PAID, l->nusd, 1);
  if (l->nusd[LINE_FEES] != 0) {
    add_whole(&cells[KIND_OF_FEES], 1, l->nusd[LINE_FEES] * rate, l->nusd[LINE_FEES]);
  }
}

/* (What reasoning there was is part of the output.) */
static void add_line(Sides *s, Group *g, int side, const SumLine *l, Err *err) {
  double as_was[LINE_GROUPS] = {0}, standard[LINE_GROUPS] = {0}, plain[LINE_GROUPS] = {0},
         of_service[LINE_GROUPS] = {0};
  DriftCell *cells = sides_cells(s, g, side, l->model, err);
  double tokens = total_of(l->tokens);
  if (!cells) {
    return;
  }
  g->side[side].nusd = sides_sum(g->side[side].nusd, llround(l->paid));
  g->side[side].input += input_of(l->tokens);
  if (l->paid == 0) {
    add_tokens(cells, l);
    return;
  }
  if (total_of(l->nusd) != 0) {
    add_billed_apart(cells, l);
  } else if (tokens <= 0) {
    add_whole(&cells[KIND_OF_FEES], 1, l->listed, l->paid);
  } else if (l->paid < 0 || !weigh(s->conn, l, l->service, as_was, of_service) ||
             total_of(as_was) <= 0) {
    add_whole(&cells[KIND_OF_BLEND], tokens, l->listed, l->paid);
  } else {
    double all = total_of(as_was);
    int has_standard = weigh(s->conn, l, NULL, standard, plain) && total_of(standard) > 0;
    add_tokens(cells, l);
    add_step(cells, STEP_PLAIN, has_standard ? plain : of_service, l->listed / all);
    add_step(cells, STEP_PREFIX, has_standard ? standard : as_was, l->listed / all);
    add_step(cells, STEP_LISTED, as_was, l->listed / all);
    add_step(cells, STEP_PAID, as_was, l->paid / all);
  }
}

/* ---- what was trimmed */

enum { AT_START, AT_VALUE, AT_PROVIDER, AT_SERVICE, AT_BILLED, AT_MEASURES };

#define MEASURE(name, kind) ", " #name
static const char trimmed_sql[] =
    "SELECT start, nullif(value, x''), nullif(provider, x''), nullif(service, x''),"
    " nullif(billed, x'')" SUM_MEASURES(
        MEASURE) " FROM main.llm_sums"
                 " WHERE dimension = ?1 AND grain = 15 AND start >= ?2 AND start < ?3";

/* The dimension whose sums answer what is asked; -1: none does. */
static int dimension_of(const Sides *s, const SideAsk *ask) {
  static const int of[] = {[BUDGET_TAG] = SUM_TAG,
                           [BUDGET_USER] = SUM_USER,
                           [BUDGET_MODEL] = SUM_MODEL,
                           [BUDGET_PROVIDER] = SUM_MODEL};
  int dimension = SUM_MODEL, is_set = s->by >= 0;
  dimension = is_set ? of[s->by] : dimension;
  for (int i = 0; i < BUDGET_N && ask->scope; i++) {
    if (ask->scope->set >> i & 1) {
      if (is_set && of[i] != dimension) {
        return -1;
      }
      dimension = of[i];
      is_set = 1;
    }
  }
  return dimension;
}

static double number(sqlite3_stmt *stmt, int measure) {
  return sqlite3_column_double(stmt, AT_MEASURES + measure); /* (NULL is 0) */
}

static const char *text(sqlite3_stmt *stmt, int at) {
  return (const char *)sqlite3_column_text(stmt, at);
}

static void count_sum(Group *g, int side, sqlite3_stmt *stmt) {
  DriftSide *to = &g->side[side];
  double hits = number(stmt, SUM_hits_exact) + number(stmt, SUM_hits_semantic);
  double calls = number(stmt, SUM_calls) - number(stmt, SUM_unpriced);
  to->requests += hits + calls;
  to->hits += hits;
  to->attempts[0] += calls;
  g->unpriced[side] += (long long)number(stmt, SUM_unpriced);
}

static void take_sum(Sides *s, int side, const SideAsk *ask, int dimension, sqlite3_stmt *stmt,
                     Err *err) {
  const char *value = text(stmt, AT_VALUE), *provider = text(stmt, AT_PROVIDER);
  const char *billed = text(stmt, AT_BILLED);
  BudgetValues values = {{0}};
  values.text[BUDGET_TAG] = dimension == SUM_TAG ? value : NULL;
  values.text[BUDGET_USER] = dimension == SUM_USER ? value : NULL;
  values.text[BUDGET_MODEL] = dimension == SUM_MODEL ? value : NULL;
  values.text[BUDGET_PROVIDER] = provider;
  if (ask->scope && !scope_matches(ask->scope, &values)) {
    return;
  }
  const char *of = s->by < 0 ? NULL : values.text[s->by];
  Group *g = sides_group(s, of, billed && strcmp(billed, "list") == 0, BASIS_CALLS, err);
  if (!g || sides_weigh(s, of, side, number(stmt, SUM_cost_nusd), err) != RC_OK) {
    return;
  }
  double cached = number(stmt, SUM_cached_input_tokens);
  double written = number(stmt, SUM_cache_write_tokens);
  SumLine l = {.model = values.text[BUDGET_MODEL],
               .provider = provider,
               .service = text(stmt, AT_SERVICE),
               .at_ms = sqlite3_column_int64(stmt, AT_START),
               .paid = number(stmt, SUM_cost_nusd),
               .listed = number(stmt, SUM_list_nusd)};
  l.listed = l.listed > 0 ? l.listed : l.paid;
  l.tokens[LINE_PLAIN] = fmax(number(stmt, SUM_input_tokens) - cached - written, 0);
  l.tokens[LINE_READ] = cached;
  l.tokens[LINE_WRITTEN] = written;
  l.tokens[LINE_REASONED] = number(stmt, SUM_reasoning_tokens);
  l.tokens[LINE_OUT] = fmax(number(stmt, SUM_output_tokens) - l.tokens[LINE_REASONED], 0);
  count_sum(g, side, stmt);
  add_line(s, g, side, &l, err);
}

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the sums: %s", sqlite3_errmsg(db));
}

static void take_sums(Sides *s, int side, sqlite3 *db, const SideAsk *ask, long long until,
                      Err *err) {
  int dimension = dimension_of(s, ask), rc;
  sqlite3_stmt *stmt = NULL;
  rc = sqlite3_prepare_v2(db, trimmed_sql, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int(stmt, 1, dimension);
    sqlite3_bind_int64(stmt, 2, ask->span.from);
    sqlite3_bind_int64(stmt, 3, until);
  }
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    rc = columns_have_texts(stmt) ? SQLITE_OK : SQLITE_NOMEM;
    if (rc == SQLITE_OK) {
      take_sum(s, side, ask, dimension, stmt, err);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(db, rc, err);
  }
  sqlite3_finalize(stmt);
}

int sides_add_trimmed(Sides *s, int side, Store *store, const SideAsk *ask, long long *from,
                      Err *err) {
  SumState state = {0};
  if (sums_state(store, &state, err) != RC_OK || state.sealed_before == 0 ||
      state.sealed_before <= ask->span.from) {
    return err->rc; /* (0: nothing was trimmed, however long ago the period begins) */
  }
  long long until = state.sealed_before < ask->span.to ? state.sealed_before : ask->span.to;
  if (dimension_of(s, ask) < 0) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "calls of that time were trimmed (keep_calls): what is left of them is known by "
                   "model, by tag or by user, not by two of these at once");
  }
  sqlite3 *reader = store_reader_take(store, err);
  if (err->rc == RC_OK) {
    take_sums(s, side, reader ? reader : store->db, ask, until, err);
  }
  store_reader_give(store, reader);
  *from = until;
  return err->rc;
}

/* ---- invoices */

enum { MOST_BILLS = 100000 };

/* What an invoice says of a model: of all sums of the period. */
typedef struct Bill {
  char *provider, *model, *user;
  SumLine line;
  double said[LINE_GROUPS]; /* quantities of kinds that are billed apart */
  double apart;             /* of line.paid */
  double requests;
  int seller; /* the first bill of this provider, which has these two of all of them */
  int has_costs, has_requests;
} Bill;

typedef struct Bills {
  Bill *at;
  int n, cap;
  HashMap places, sellers;
} Bills;

static char *kept(const char *text, Err *err) {
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy) {
    err_nomem(err);
  }
  return copy;
}

/* Of texts of which each may be NULL. */
static Hash hash_of(const char *const texts[3]) {
  unsigned char key[3 * (sizeof(Hash) + 1)] = {0};
  for (int i = 0; i < 3; i++) {
    unsigned char *to = key + (size_t)i * (sizeof(Hash) + 1);
    if (texts[i]) {
      const Hash of = hash_bytes(texts[i], strlen(texts[i]), 0);
      memcpy(to, of.b, sizeof of.b);
      to[sizeof of.b] = 1;
    }
  }
  return hash_bytes(key, sizeof key, 0);
}

static int grow_bills(Bills *b, Err *err) {
  int cap = b->cap ? 2 * b->cap : 16;
  Bill *more = cap <= MOST_BILLS ? realloc(b->at, (size_t)cap * sizeof *more) : NULL;
  if (!more) {
    return err_nomem(err);
  }
  b->at = more;
  b->cap = cap;
  return RC_OK;
}

/* The place of a name in a table of them: `next` where it is new. */
static int place_of(HashMap *m, const Hash *key, int next, Err *err) {
  long long at = hash_map_get(m, key);
  if (at == HASH_MAP_NONE) {
    hash_map_put(m, key, next, err);
    at = next;
  }
  return (int)at;
}

static Bill *bill_of(Bills *b, const PastSum *sum, Err *err) {
  const Hash key = hash_of((const char *const[]){sum->provider, sum->model_plain, sum->user});
  const Hash seller = hash_of((const char *const[]){sum->provider, NULL, NULL});
  if (b->n == b->cap && grow_bills(b, err) != RC_OK) {
    return NULL;
  }
  int at = place_of(&b->places, &key, b->n, err);
  if (at == b->n && err->rc == RC_OK) {
    b->at[b->n++] = (Bill){.provider = kept(sum->provider, err),
                           .model = kept(sum->model_plain, err),
                           .user = kept(sum->user, err),
                           .line.at_ms = sum->from,
                           .seller = place_of(&b->sellers, &seller, at, err)};
  }
  return err->rc == RC_OK ? &b->at[at] : NULL;
}

static double or_zero(long long count) {
  return count == LEDGER_NULL ? 0 : (double)count;
}

static void add_money(Bill *bill, const PastSum *sum) {
  Unit unit = sum->item ? unit_parse(sum->item) : UNIT_COUNT;
  double nusd = (double)sum->amount_nusd;
  bill->line.paid += nusd;
  bill->line.listed += sum->list_nusd == LEDGER_NULL ? nusd : (double)sum->list_nusd;
  if (sum->item) {
    LineGroup group = unit == UNIT_COUNT ? LINE_FEES : line_group(unit);
    bill->line.nusd[group] += nusd;
    bill->said[group] += unit == UNIT_COUNT || isnan(sum->quantity) ? 0 : sum->quantity;
    bill->apart += nusd;
  }
}

static void add_usage(Bill *bill, const PastSum *sum) {
  double cached = or_zero(sum->cached_input_tokens), written = or_zero(sum->cache_write_tokens);
  double *t = bill->line.tokens, reasoned = or_zero(sum->reasoning_tokens);
  t[LINE_PLAIN] += fmax(or_zero(sum->input_tokens) - cached - written, 0);
  t[LINE_READ] += cached;
  t[LINE_WRITTEN] += written;
  t[LINE_REASONED] += reasoned;
  t[LINE_OUT] += fmax(or_zero(sum->output_tokens) - reasoned, 0);
  bill->requests += or_zero(sum->requests);
}

static void take_invoice(void *arg, const PastSum *sum, Err *err) {
  Bills *bills = arg;
  Bill *bill = bill_of(bills, sum, err);
  if (bill) {
    Bill *seller = &bills->at[bill->seller];
    seller->has_costs |= sum->amount_nusd != LEDGER_NULL;
    seller->has_requests |= or_zero(sum->requests) > 0;
    if (sum->amount_nusd != LEDGER_NULL) {
      add_money(bill, sum);
    }
    add_usage(bill, sum);
  }
}

/* What kinds are billed apart, where all of it is; with their own quantities where they say them. */
static void end_bill(Bill *bill) {
  if (bill->apart != bill->line.paid) {
    memset(bill->line.nusd, 0, sizeof bill->line.nusd);
    return;
  }
  for (int g = 0; g < LINE_FEES; g++) {
    bill->line.tokens[g] = bill->said[g] > 0 ? bill->said[g] : bill->line.tokens[g];
  }
}

static void add_bill(Sides *s, int side, const SideAsk *ask, const Bills *bills, Bill *bill,
                     Err *err) {
  BudgetNames names;
  BudgetValues values = scope_values(NULL, bill->user, bill->model, bill->provider, &names);
  if (ask->scope && !scope_matches(ask->scope, &values)) {
    return;
  }
  const char *of = s->by < 0 ? NULL : values.text[s->by];
  const Bill *seller = &bills->at[bill->seller];
  Group *g = sides_group(s, of, 0, BASIS_INVOICE, err);
  sides_weigh(s, of, side, bill->line.paid, err);
  if (g && !seller->has_costs) {
    g->unpriced_tokens[side] += total_of(bill->line.tokens);
  } else if (g) {
    end_bill(bill);
    bill->line.model = bill->model;
    bill->line.provider = bill->provider;
    g->side[side].requests += bill->requests;
    g->side[side].attempts[0] += bill->requests;
    g->side[side].says |= DRIFT_NO_USERS | DRIFT_NO_PARTS;
    g->uncounted[side] += seller->has_requests ? 0 : fabs(bill->line.paid);
    add_line(s, g, side, &bill->line, err);
  }
}

/* Requests count only where nearly all money has some. */
static void end_side(Sides *s, int side) {
  const double some = 0.1;
  for (int i = 0; i < s->n_groups; i++) {
    Group *g = &s->groups[i];
    DriftSide *to = &g->side[side];
    if (g->basis == BASIS_INVOICE && to->nusd != 0 &&
        (to->requests <= 0 || g->uncounted[side] > some * fabs((double)to->nusd))) {
      to->says |= DRIFT_NO_REQUESTS;
    }
  }
}

int sides_add_invoices(Sides *s, int side, Store *store, const SideAsk *ask, Err *err) {
  Bills bills = {0};
  const InvoiceAsk invoices = {.from = ask->span.from, .to = ask->span.to, .counts = 1};
  invoices_each(store, &invoices, take_invoice, &bills, err);
  for (int i = 0; i < bills.n; i++) {
    if (err->rc == RC_OK) {
      add_bill(s, side, ask, &bills, &bills.at[i], err);
    }
    free(bills.at[i].provider);
    free(bills.at[i].model);
    free(bills.at[i].user);
  }
  free(bills.at);
  hash_map_free(&bills.places);
  hash_map_free(&bills.sellers);
  end_side(s, side);
  return err->rc;
}
