/*
** See savings.h for the contract.
**
** The newest rows come first: so an answer that did not pass is known by the row that was asked in its place.
*/
#include "work/audit/savings.h"

#include "base/limits.h"
#include "work/audit/forms.h"
#include "work/audit/prefix.h"

#include <math.h>
#include <string.h>

static const SavingLine fresh[] = {
#define LINE(id, word, who_, baseline_)                                                            \
  [SAVING_##id] = {.saving = word, .who = who_, .baseline = baseline_},
    SAVINGS(LINE)
#undef LINE
};

typedef struct Reading {
  Conn *conn;
  SavingLine *lines; /* of what was paid; behind them, at list prices */
  int has_listed;
  Forms forms;       /* prompts that were asked in several */
  Groups superseded; /* ids of answers that did not pass: another was asked in their place */
} Reading;

static void add(SavingLine *l, long long nusd) {
  l->calls++;
  l->nusd = sum_at_most(l->nusd, nusd);
}

/* Nobody says what it comes to. */
static void add_unknown(SavingLine *l) {
  l->calls++;
  l->unpriced++;
}

/* (What a store may hold and no call can cost is not believed: differences of such numbers are none.) */
static int is_money(long long nusd) {
  return nusd != LEDGER_NULL && nusd >= -LIMIT_COUNT && nusd <= LIMIT_COUNT;
}

/* ---- hits */

static void take_hit(SavingLine *lines, const AuditRow *row) {
  SavingLine *l = &lines[row->kind == KIND_HIT_EXACT ? SAVING_EXACT : SAVING_SEMANTIC];
  if (!is_money(row->saved_nusd)) {
    add_unknown(l);
    add_unknown(&lines[SAVING_BASELINE]);
  } else {
    add(l, row->saved_nusd);
    add(&lines[SAVING_BASELINE], row->saved_nusd);
  }
}

/* ---- calls: what they come to, step by step */

/* One call under each terms, in nano-dollars. */
typedef struct Steps {
  long long baseline, named, sold, cached, spent;
} Steps;

static int is_routed(const AuditRow *row) {
  return row->tier && strcmp(row->tier, TIER_ONLY_KEY) != 0;
}

static int is_superseded(Reading *r, const AuditRow *row) {
  return r->superseded.n > 0 && groups_has(&r->superseded, &row->id, sizeof row->id);
}

/* What its tokens come to at the dearest model of the tiers; LEDGER_NULL where none has a price. */
static long long dearest(const Counted *c, Err *err) {
  const Config *config = c->conn->config;
  long long most = LEDGER_NULL;
  for (int i = 0; i < config->n_tiers && err->rc == RC_OK; i++) {
    long long nusd = counted_elsewhere(c, config->tiers[i].model, err);
    most = nusd > most ? nusd : most;
  }
  return most;
}

static int is_standard(const Counted *c) {
  int is = !c->has_usage || strcmp(c->usage.service, "standard") == 0;
  for (int i = 0; i < c->n_parts && is; i++) {
    is = strcmp(c->parts[i].usage.service, "standard") == 0;
  }
  return is;
}

/* The known one of two. */
static long long known(long long nusd, long long otherwise, SavingLine *l) {
  l->unpriced += nusd == LEDGER_NULL;
  return nusd == LEDGER_NULL ? otherwise : nusd;
}

/* ---- what was not sent */

/* Tokens of history that a call was spared: as we counted them, scaled by what was billed for what we counted of the rest. */
static long long not_sent(const AuditRow *row, Err *err) {
  Err bad = {0};
  long long left_out = 0, sent = 0;
  cJSON *notes = row->notes && strstr(row->notes, "\"pruned\":")
                     ? json_parse(row->notes, strlen(row->notes), "notes", &bad)
                     : NULL;
  int is_known =
      json_count(notes, "pruned", &left_out) == 1 && json_count(notes, "sent", &sent) == 1;
  cJSON_Delete(notes);
  if (bad.rc == RC_NOMEM) {
    err_nomem(err);
  }
  is_known = is_known && sent > 0 && row->input_tokens > 0 && left_out <= LIMIT_TOKENS;
  double tokens = is_known ? (double)left_out * (double)row->input_tokens / (double)sent : 0;
  return tokens < (double)LIMIT_TOKENS ? llround(tokens) : 0;
}

static void take_pruned(SavingLine *lines, const Counted *c, Steps *s, Err *err) {
  long long tokens = not_sent(c->row, err);
  const PriceSet *set = tokens > 0 ? counted_prices(c, err) : NULL;
  Cost cost = set ? counted_unit(set, UNIT_CACHE_READ, tokens) : COST_MOST;
  if (tokens > 0 && cost != COST_MOST) {
    s->baseline += cost_nusd(cost);
    add(&lines[SAVING_PRUNING], cost_nusd(cost));
  } else if (tokens > 0) {
    add_unknown(&lines[SAVING_PRUNING]);
  }
}

/* What a call that is only there beside others counts against. */
static SavingId beside_line(const AuditRow *row) {
  return row->purpose && strcmp(row->purpose, "summary") == 0 ? SAVING_PRUNING : SAVING_ROUTING;
}

static SavingId service_line(const Counted *c) {
  return strcmp(c->usage.service, "batch") == 0 ? SAVING_BATCH : SAVING_SERVICE;
}

static SavingId prefix_line(const AuditRow *row) {
  return (SavingId)(SAVING_PREFIX_OURS + (int)prefix_owner(row));
}

/* From the cost back to the baseline. Where a step can't be priced nothing is saved by it. */
static void price_steps(Reading *r, SavingLine *lines, const Counted *c, Steps *s, Err *err) {
  const AuditRow *row = c->row;
  int is_beside = row->purpose || is_superseded(r, row), is_cached = c->has_read || c->has_written;
  s->spent = row->cost_nusd;
  s->cached = known(counted_nusd(c, 0, NULL, err), s->spent, &lines[SAVING_PRICES]);
  s->sold = s->cached;
  if (is_cached) {
    s->sold = known(counted_nusd(c, COUNTED_PLAIN, NULL, err), s->cached, &lines[prefix_line(row)]);
  }
  s->named = s->sold;
  if (!is_standard(c)) {
    s->named = known(counted_nusd(c, COUNTED_PLAIN | COUNTED_STANDARD, NULL, err), s->sold,
                     &lines[service_line(c)]);
  }
  s->baseline = is_beside ? 0 : s->named;
  if (is_routed(row) && !is_beside) {
    s->baseline = known(dearest(c, err), s->named, &lines[SAVING_ROUTING]);
  }
  if (is_routed(row) || is_beside) {
    add(&lines[is_beside ? beside_line(row) : SAVING_ROUTING], s->baseline - s->named);
  }
  if (!is_standard(c)) {
    add(&lines[service_line(c)], s->named - s->sold);
  }
  if (is_cached) {
    add(&lines[prefix_line(row)], s->sold - s->cached);
  }
  take_pruned(lines, c, s, err);
}

/* ---- forms: what it would have come to with the tokens of another one */

/* What it costs more with so many tokens of a unit than it had; added to the line and the baseline. */
static void price_form(SavingLine *lines, SavingId id, const Counted *c, Unit unit, double tokens,
                       Steps *s, Err *err) {
  long long own = usage_get(&c->usage, unit);
  if (isnan(tokens) || own == USAGE_UNKNOWN || c->n_parts > 0) {
    return;
  }
  Counted other = *c;
  usage_set(&other.usage, unit, llround(tokens));
  long long with = counted_nusd(&other, 0, NULL, err), was = counted_nusd(c, 0, NULL, err);
  if (with == LEDGER_NULL || was == LEDGER_NULL) {
    add_unknown(&lines[id]);
  } else {
    add(&lines[id], with - was);
    s->baseline = sum_at_most(s->baseline, with - was);
  }
}

static void price_forms(Reading *r, SavingLine *lines, const Counted *c, Steps *s, Err *err) {
  const AuditRow *row = c->row;
  if (row->purpose || is_superseded(r, row)) {
    return;
  }
  FormTokens t = forms_of(&r->forms, row, err);
  if (row->error) { /* what a schema refused is there because of it */
    if (!isnan(t.output_in_prose)) {
      add(&lines[SAVING_STRUCTURED], -s->baseline);
      s->baseline = 0;
    }
    return;
  }
  price_form(lines, SAVING_STRUCTURED, c, UNIT_OUTPUT, t.output_in_prose, s, err);
  price_form(lines, SAVING_BREVITY, c, UNIT_OUTPUT, t.output_at_length, s, err);
  price_form(lines, SAVING_ZERO_SHOT, c, UNIT_INPUT, t.input_with_examples, s, err);
}

static void take_call(Reading *r, SavingLine *lines, const AuditRow *row, Err *err) {
  Counted c;
  Steps s;
  if (row->escalated_from != LEDGER_NULL) {
    groups_of_bytes(&r->superseded, &row->escalated_from, sizeof row->escalated_from, err);
  }
  if (!is_money(row->cost_nusd)) {
    add_unknown(&lines[SAVING_SPEND]);
    add_unknown(&lines[SAVING_BASELINE]);
    return;
  }
  if (counted_read(r->conn, row, &c, err) == RC_OK) {
    price_steps(r, lines, &c, &s, err);
    price_forms(r, lines, &c, &s, err);
    if (s.cached != s.spent) {
      add(&lines[SAVING_PRICES], s.cached - s.spent);
    }
    add(&lines[SAVING_BASELINE], s.baseline);
    add(&lines[SAVING_SPEND], s.spent);
    counted_free(&c);
  }
}

static void take_row(void *arg, const AuditRow *row, Err *err) {
  Reading *r = arg;
  int is_listed = row->billed && strcmp(row->billed, "list") == 0;
  if (counted_is_note(row)) {
    return;
  }
  SavingLine *lines = r->lines + (is_listed ? SAVING_COUNT : 0);
  r->has_listed |= is_listed;
  if (row->kind == KIND_HIT_EXACT || row->kind == KIND_HIT_SEMANTIC) {
    take_hit(lines, row);
  } else {
    take_call(r, lines, row, err);
  }
}

int savings_read(Conn *conn, const AuditAsk *ask, Savings *savings, Err *err) {
  Store *store = pricing_refresh(conn, NULL, err) == RC_OK ? conn_store(conn, 0, err) : NULL;
  Reading r = {.conn = conn, .lines = savings->lines};
  AuditAsk rows = *ask;
  rows.order = AUDIT_NEWEST_FIRST;
  rows.also = AUDIT_HITS | AUDIT_UNKNOWN;
  for (int i = 0; i < 2 * SAVING_COUNT; i++) {
    savings->lines[i] = fresh[i % SAVING_COUNT];
    savings->lines[i].billed = i < SAVING_COUNT ? "paid" : "list";
  }
  groups_init(&r.superseded, 1);
  if (store && err->rc == RC_OK && forms_read(store, ask, &r.forms, err) == RC_OK) {
    audit_each(store, &rows, take_row, &r, err);
  }
  forms_free(&r.forms);
  groups_free(&r.superseded);
  savings->n = r.has_listed ? 2 * SAVING_COUNT : SAVING_COUNT;
  for (int i = 0; i < savings->n; i++) {
    long long whole = savings->lines[i - i % SAVING_COUNT + SAVING_BASELINE].nusd;
    double nusd = (double)savings->lines[i].nusd;
    savings->lines[i].share = whole ? nusd / (double)whole : (double)NAN;
  }
  return err->rc;
}
