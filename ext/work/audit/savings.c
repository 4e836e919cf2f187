/*
** See savings.h for the contract.
**
** The newest rows come first: so an answer that did not pass is known by the row that was asked in its place.
*/
#include "work/audit/savings.h"

#include "base/limits.h"
#include "core/audit/span.h"
#include "core/names/model_name.h"
#include "work/audit/forms.h"
#include "work/audit/prefix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is said of a saving, whatever it comes to. */
static const struct Word {
  const char *saving, *who, *baseline;
} words[] = {
#define WORD(id, saving, who, baseline) [SAVING_##id] = {saving, who, baseline},
    SAVINGS(WORD)
#undef WORD
};

typedef struct SavingSum {
  long long calls, nusd, unpriced;
} SavingSum;

/* A combination of values, at paid or at list prices. */
typedef struct Split {
  const char *of[SAVING_DIMENSION_COUNT];
  int is_listed;
  SavingSum sums[SAVING_COUNT];
} Split;

typedef struct Reading {
  Conn *conn;
  const SavingsAsk *ask;
  Groups *splits;
  Forms forms;       /* prompts that were asked in several */
  Groups superseded; /* ids of answers that did not pass: another was asked in their place */
} Reading;

static void add(SavingSum *l, long long nusd) {
  l->calls++;
  l->nusd = sum_at_most(l->nusd, nusd);
}

/* Nobody says what it comes to. */
static void add_unknown(SavingSum *l) {
  l->calls++;
  l->unpriced++;
}

/* (What a store may hold and no call can cost is not believed: differences of such numbers are none.) */
static int is_money(long long nusd) {
  return nusd != LEDGER_NULL && nusd >= -LIMIT_COUNT && nusd <= LIMIT_COUNT;
}

/* ---- hits */

static void take_hit(SavingSum *lines, const AuditRow *row) {
  SavingSum *l = &lines[row->kind == KIND_HIT_EXACT ? SAVING_EXACT : SAVING_SEMANTIC];
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
static long long known(long long nusd, long long otherwise, SavingSum *l) {
  l->unpriced += nusd == LEDGER_NULL;
  return nusd == LEDGER_NULL ? otherwise : nusd;
}

/* ---- what was not sent */

/* Tokens of history that a call was spared, and those that it had read anew since the cut moved: as we counted them, scaled by what was
** billed for what we counted of all it sent. */
typedef struct NotSent {
  long long tokens, anew;
} NotSent;

static long long scaled(const AuditRow *row, long long tokens, long long sent) {
  double n = (double)tokens * (double)row->input_tokens / (double)sent;
  return n < (double)LIMIT_TOKENS ? llround(n) : 0;
}

static NotSent not_sent(const AuditRow *row, Err *err) {
  Err bad = {0};
  long long left_out = 0, sent = 0, anew = 0;
  cJSON *notes = row->notes && strstr(row->notes, "\"pruned\":")
                     ? json_parse(row->notes, strlen(row->notes), "notes", &bad)
                     : NULL;
  int is_known =
      json_count(notes, "pruned", &left_out) == 1 && json_count(notes, "sent", &sent) == 1;
  anew = json_count(notes, "anew", &anew) == 1 ? anew : 0;
  cJSON_Delete(notes);
  if (bad.rc == RC_NOMEM) {
    err_nomem(err);
  }
  is_known =
      is_known && sent > 0 && row->input_tokens > 0 && left_out <= LIMIT_TOKENS && anew <= sent;
  return is_known ? (NotSent){scaled(row, left_out, sent), scaled(row, anew, sent)}
                  : (NotSent){0, 0};
}

/* What was left out had been read from the provider's cache, and so had what the cut made it read anew: fresh, or written. */
static void take_pruned(SavingSum *lines, const Counted *c, Steps *s, Err *err) {
  const NotSent n = not_sent(c->row, err);
  const PriceSet *set = n.tokens > 0 ? counted_prices(c, err) : NULL;
  long long read = usage_get(&c->usage, UNIT_CACHE_READ);
  long long fresh = c->row->input_tokens - (read > 0 ? read : 0);
  long long anew = n.anew < fresh ? n.anew : fresh;
  Cost spared = set ? counted_unit(set, UNIT_CACHE_READ, n.tokens + anew) : COST_MOST;
  Cost lost =
      set ? counted_unit(set, c->has_written ? UNIT_CACHE_WRITE : UNIT_INPUT, anew) : COST_MOST;
  if (n.tokens > 0 && spared != COST_MOST && lost != COST_MOST) {
    long long nusd = cost_nusd(spared) - cost_nusd(lost);
    s->baseline += nusd;
    add(&lines[SAVING_PRUNING], nusd);
  } else if (n.tokens > 0) {
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
static void price_steps(Reading *r, SavingSum *lines, const Counted *c, Steps *s, Err *err) {
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
static void price_form(SavingSum *lines, SavingId id, const Counted *c, Unit unit, double tokens,
                       Steps *s, Err *err) {
  long long own = usage_get(&c->usage, unit);
  if (isnan(tokens) || own == USAGE_UNKNOWN || c->n_parts > 0) {
    return;
  }
  Counted other = *c;
  usage_resize(&other.usage, unit, llround(tokens));
  long long with = counted_nusd(&other, COUNTED_PLAIN, NULL, err);
  long long was = counted_nusd(c, COUNTED_PLAIN, NULL, err);
  if (with == LEDGER_NULL || was == LEDGER_NULL) {
    add_unknown(&lines[id]);
  } else {
    add(&lines[id], with - was);
    s->baseline = sum_at_most(s->baseline, with - was);
  }
}

static void price_forms(Reading *r, SavingSum *lines, const Counted *c, Steps *s, Err *err) {
  const AuditRow *row = c->row;
  if (row->purpose || is_superseded(r, row)) {
    return;
  }
  FormTokens t = forms_of(&r->forms, row, err);
  if (row->error) { /* what a schema refused is there because of it */
    if (err_is_text_of(row->error, ERR_SCHEMA) && !isnan(t.output_in_prose)) {
      add(&lines[SAVING_STRUCTURED], -s->baseline);
      s->baseline = 0;
    }
    return;
  }
  price_form(lines, SAVING_STRUCTURED, c, UNIT_OUTPUT, t.output_in_prose, s, err);
  price_form(lines, SAVING_BREVITY, c, UNIT_OUTPUT, t.output_at_length, s, err);
  price_form(lines, SAVING_ZERO_SHOT, c, UNIT_INPUT, t.input_with_examples, s, err);
}

static void take_call(Reading *r, SavingSum *lines, const AuditRow *row, Err *err) {
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

/* ---- splits */

/* The split of these values, made where there is none. Borrowed until another is made; NULL and *err. */
static Split *split_of(Reading *r, const char *const of[SAVING_DIMENSION_COUNT], int is_listed,
                       Err *err) {
  const char *texts[SAVING_DIMENSION_COUNT + 1], *kept[SAVING_DIMENSION_COUNT + 1];
  for (int i = 0; i < SAVING_DIMENSION_COUNT; i++) {
    texts[i] = of[i];
  }
  texts[SAVING_DIMENSION_COUNT] = is_listed ? "list" : "paid";
  Split *split = groups_of(r->splits, texts, SAVING_DIMENSION_COUNT + 1, kept, err);
  if (split && r->splits->n > LIMIT_SAVING_SPLITS) {
    err_set(
        err, RC_ERROR, ERR_LIMIT,
        "more than %d combinations of what 'by' names: leave out one of them, or ask for a part "
        "of the ledger ('from', 'to', 'tag')",
        LIMIT_SAVING_SPLITS);
    return NULL;
  }
  if (split) {
    memcpy(split->of, kept, sizeof split->of);
    split->is_listed = is_listed;
  }
  return split;
}

static Split *split_of_row(Reading *r, const AuditRow *row, Err *err) {
  char day[SPAN_DATE] = "", plain[LIMIT_MODEL_NAME];
  const char *of[SAVING_DIMENSION_COUNT] = {NULL};
  const char *model = row->model ? row->model : row->model_requested;
  if (r->ask->by & 1u << SAVING_DAY) {
    span_date(&r->ask->zone, row->ts, day);
    of[SAVING_DAY] = day[0] ? day : NULL;
  }
  if (r->ask->by & 1u << SAVING_TAG) {
    of[SAVING_TAG] = row->tag;
  }
  if (r->ask->by & 1u << SAVING_MODEL && model) {
    model_name_plain(model, plain, sizeof plain);
    of[SAVING_MODEL] = plain;
  }
  return split_of(r, of, row->billed && strcmp(row->billed, "list") == 0, err);
}

static int compare_splits(const void *a, const void *b) {
  const Split *x = a, *y = b;
  int order = 0;
  for (int i = 0; i < SAVING_DIMENSION_COUNT && !order; i++) {
    order = groups_compare_texts(x->of[i], y->of[i]);
  }
  return order ? order : x->is_listed - y->is_listed;
}

static void take_row(void *arg, const AuditRow *row, Err *err) {
  Reading *r = arg;
  Split *split = counted_is_note(row) ? NULL : split_of_row(r, row, err);
  if (!split) {
    return;
  }
  if (row->kind == KIND_HIT_EXACT || row->kind == KIND_HIT_SEMANTIC) {
    take_hit(split->sums, row);
  } else {
    take_call(r, split->sums, row, err);
  }
}

/* ---- lines */

static SavingLine line_of(const Split *split, int id) {
  const struct Word *w = &words[id];
  const SavingSum *sum = &split->sums[id];
  long long whole = split->sums[SAVING_BASELINE].nusd;
  SavingLine l = {.saving = w->saving,
                  .who = w->who,
                  .baseline = w->baseline,
                  .billed = split->is_listed ? "list" : "paid",
                  .calls = sum->calls,
                  .nusd = sum->nusd,
                  .share = whole ? (double)sum->nusd / (double)whole : (double)NAN,
                  .unpriced = sum->unpriced};
  memcpy(l.of, split->of, sizeof l.of);
  return l;
}

/* Of a split of many only what is about a row. */
static int is_line(const Split *split, int id, unsigned by) {
  return !by || split->sums[id].calls > 0 || split->sums[id].unpriced > 0;
}

static void write_lines(Savings *savings, unsigned by, Err *err) {
  const Split *splits = (const Split *)(const void *)savings->splits.records;
  int most = savings->splits.n * SAVING_COUNT, n = 0;
  for (int i = 0; i < most; i++) {
    n += is_line(&splits[i / SAVING_COUNT], i % SAVING_COUNT, by);
  }
  savings->lines = n > 0 ? malloc((size_t)n * sizeof *savings->lines) : NULL;
  if (n > 0 && !savings->lines) {
    err_nomem(err);
    return;
  }
  for (int i = 0; i < most; i++) {
    if (is_line(&splits[i / SAVING_COUNT], i % SAVING_COUNT, by)) {
      savings->lines[savings->n++] = line_of(&splits[i / SAVING_COUNT], i % SAVING_COUNT);
    }
  }
}

int savings_read(Conn *conn, const SavingsAsk *ask, Savings *savings, Err *err) {
  static const char *const everything[SAVING_DIMENSION_COUNT] = {NULL};
  Store *store = pricing_refresh(conn, NULL, err) == RC_OK ? conn_store(conn, 0, err) : NULL;
  Reading r = {.conn = conn, .ask = ask, .splits = &savings->splits};
  AuditAsk rows = ask->rows;
  rows.order = AUDIT_NEWEST_FIRST;
  rows.also = AUDIT_HITS | AUDIT_UNKNOWN;
  *savings = (Savings){.n = 0};
  groups_init(&savings->splits, sizeof(Split));
  groups_init(&r.superseded, 1);
  if (!ask->by) {
    split_of(&r, everything, 0, err);
  }
  if (store && err->rc == RC_OK && forms_read(store, &ask->rows, &r.forms, err) == RC_OK) {
    audit_each(store, &rows, take_row, &r, err);
  }
  forms_free(&r.forms);
  groups_free(&r.superseded);
  if (err->rc == RC_OK) {
    groups_sort(&savings->splits, compare_splits);
    write_lines(savings, ask->by, err);
  }
  return err->rc;
}

void savings_free(Savings *savings) {
  groups_free(&savings->splits);
  free(savings->lines);
  *savings = (Savings){.n = 0};
}
