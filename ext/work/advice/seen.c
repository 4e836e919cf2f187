/*
** See seen.h for the contract.
*/
#include "work/advice/seen.h"

#include "base/hash.h"
#include "core/audit/advice.h"
#include "core/names/model_name.h"
#include "core/route/effort.h"
#include "money/pricing.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
  EASY_OUTPUT = 300,
  EASY_INPUT = 2000, /* tokens, of what is neither system prompt nor history */
  QUARTER_MS = 900000,
  HOUR_MS = 3600000,
  MOST_QUESTIONS = 4000000
};

void seen_add(SeenSum *s, double weight, double nusd) {
  s->nusd += weight * nusd;
  s->squares += weight * nusd * (weight * nusd);
  s->calls += weight;
}

double seen_bin_tokens(int bin) {
  return exp2((bin + 0.5) / 8) - 1;
}

static int bin_of(long long tokens) {
  int bin = (int)(8 * log2((double)tokens + 1));
  return bin < 0 ? 0 : bin < SEEN_BINS ? bin : SEEN_BINS - 1;
}

/* ---- texts */

static int fail(sqlite3_stmt *stmt, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the prompts: %s", sqlite3_errmsg(sqlite3_db_handle(stmt)));
}

/* The score of a prompt whose text is kept; NAN where it is not, or *err. */
static double text_score(Seen *s, const char *hash, Err *err) {
  double score = (double)NAN;
  if (!hash) {
    return score;
  }
  sqlite3_bind_text(s->text, 1, hash, -1, SQLITE_STATIC);
  int rc = sqlite3_step(s->text);
  const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s->text, 0) : NULL;
  if (text) {
    score = effort_score(text, (size_t)sqlite3_column_bytes(s->text, 0), NULL);
  } else if (rc != SQLITE_DONE) {
    fail(s->text, rc == SQLITE_ROW ? SQLITE_NOMEM : rc, err);
  }
  sqlite3_reset(s->text);
  return score;
}

static long long known(long long count) {
  return count > 0 ? count : 0;
}

/* 1 if a call is easy; *was_read: by its text. */
static int is_easy(Seen *s, const AuditRow *row, int *was_read, Err *err) {
  double score = isnan(row->route_score) ? text_score(s, row->prompt_hash, err) : row->route_score;
  double own = (double)known(row->input_tokens) - (double)known(row->system_tokens) -
               (double)known(row->history_tokens);
  *was_read = !isnan(score);
  return *was_read ? score < s->simple_max
                   : own <= EASY_INPUT && known(row->output_tokens) <= EASY_OUTPUT &&
                         known(row->reasoning_tokens) == 0;
}

/* ---- what a call would have cost elsewhere */

/* Saved at another model, its prefix cold there: it may be below 0. NAN where nobody says. */
static double saved_at(const Counted *c, const char *model, Err *err) {
  long long there = model ? counted_elsewhere(c, model, err) : LEDGER_NULL;
  return there == LEDGER_NULL ? (double)NAN : (double)(c->row->cost_nusd - there);
}

static double saved_as_batch(const Counted *c, long long now, Err *err) {
  Counted batch = *c;
  if (strcmp(c->usage.service, "standard") != 0 || c->n_parts > 0) {
    return (double)NAN;
  }
  usage_set_service(&batch.usage, "batch");
  long long there = counted_nusd(&batch, 0, NULL, err);
  return there == LEDGER_NULL || now == LEDGER_NULL ? (double)NAN : (double)(now - there);
}

static double nano(Cost cost) {
  return cost == COST_MOST ? 0 : cost_usd(cost) * 1e9;
}

/* What its system prompt cost, and what of that reading it from the provider's cache would have saved. */
static void see_system(SeenPair *p, const Counted *c, double weight, double paid, Err *err) {
  const AuditRow *row = c->row;
  long long tokens = known(row->system_tokens);
  tokens = tokens < known(row->input_tokens) ? tokens : known(row->input_tokens);
  const PriceSet *set = tokens > 0 ? counted_prices(c, err) : NULL;
  if (!set) {
    return;
  }
  Cost cost = counted_front(c, set, tokens), read = counted_unit(set, UNIT_CACHE_READ, tokens);
  p->system_tokens += weight * (double)tokens;
  seen_add(&p->system_cost, weight, paid * nano(cost));
  PricingAsk ask = {.model = row->model ? row->model : row->model_requested,
                    .provider = row->provider,
                    .at_ms = row->ts};
  Model model = {.name = ask.model, .provider = row->provider};
  if (cost != COST_MOST && read < cost &&
      pricing_prefix_pays(c->conn, &model, tokens, 2, err)) { /* long enough to be kept */
    seen_add(&p->prefix, weight, paid * nano(cost - read));
    seen_add(&p->prefix_near, row->ts - p->last_ts <= HOUR_MS ? weight : 0,
             paid * nano(cost - read));
  }
}

static void see_output(SeenPair *p, const BillingLines *lines, const AuditRow *row, double weight,
                       double paid) {
  double cost = 0;
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    cost += unit_is_output(unit) ? nano(lines->cost[unit]) : 0;
  }
  seen_add(&p->output_cost, weight, paid * cost);
  p->input_tokens += weight * (double)known(row->input_tokens);
  p->output_tokens += weight * (double)known(row->output_tokens);
  if (row->kind != KIND_EMBED) { /* (that has no answer whose length could be limited) */
    p->outputs[bin_of(known(row->output_tokens))] += weight;
  }
}

/* 1 if a model for text could have answered: no embedding, nothing heard, filmed or drawn. */
static int is_text(const Counted *c) {
  const UnitSet others = UNIT_BIT(UNIT_INPUT_AUDIO) | UNIT_BIT(UNIT_INPUT_VIDEO) |
                         UNIT_BIT(UNIT_CACHE_READ_AUDIO) | UNIT_BIT(UNIT_CACHE_READ_VIDEO) |
                         UNIT_BIT(UNIT_OUTPUT_AUDIO) | UNIT_BIT(UNIT_OUTPUT_IMAGE) |
                         UNIT_BIT(UNIT_OUTPUT_VIDEO);
  return c->row->kind != KIND_EMBED && !counted_has(c, others);
}

static void see_text_models(Seen *s, SeenPair *p, const Counted *c, double weight, Err *err) {
  int was_read = 0, is_routed = c->row->tier_drawn != NULL;
  double saved = is_routed ? (double)NAN : saved_at(c, s->simple_model, err);
  if (!isnan(saved)) {
    seen_add(&p->small, weight, saved);
  }
  if (!isnan(saved) && is_easy(s, c->row, &was_read, err)) {
    seen_add(&p->simple, weight, saved);
    p->simple_calls += weight;
  }
  p->read_calls += was_read ? weight : 0;
  saved = saved_at(c, s->open_model, err);
  if (!isnan(saved)) {
    seen_add(&p->open_model, weight, saved);
  }
}

/* (It does what the first one does: answers, or embeddings.) */
static void see_successor(SeenPair *p, const Counted *c, double weight, Err *err) {
  double saved = saved_at(c, p->successor, err);
  if (!isnan(saved)) {
    seen_add(&p->successor_saves, weight, saved);
  }
}

static void see_elsewhere(Seen *s, SeenPair *p, const AuditRow *row, double weight, Err *err) {
  Err bad = {0}; /* of a row that can't be read */
  Counted c;
  BillingLines lines = {.count = {0}};
  if (counted_read(s->conn, row, &c, &bad) == RC_OK) {
    long long now = counted_nusd(&c, 0, &lines, &bad);
    double batch = saved_as_batch(&c, now, &bad);
    /* Where the ledger states another cost (a contract, a subscription), parts of it are parts of that. */
    double paid = now > 0 ? (double)row->cost_nusd / (double)now : 1;
    p->sampled += weight;
    p->sampled_nusd += weight * (double)row->cost_nusd;
    if (!isnan(batch)) {
      seen_add(&p->batch, weight, paid * batch);
    }
    see_successor(p, &c, weight, &bad);
    if (is_text(&c)) {
      see_text_models(s, p, &c, weight, &bad);
    }
    see_system(p, &c, weight, paid, &bad);
    see_output(p, &lines, row, weight, paid);
    counted_free(&c);
  }
  if (bad.rc != RC_OK && bad.rc != RC_ERROR) {
    *err = bad;
  }
}

/* ---- one row */

static int is_new(HashMap *seen, const char *const *texts, int n, Err *err) {
  char key[1024];
  size_t used = 0;
  for (int i = 0; i < n; i++) {
    int put = snprintf(key + used, sizeof key - used, "%.200s%c", texts[i] ? texts[i] : "", 1);
    used += (size_t)put;
  }
  Hash hash = hash_bytes(key, used, 0);
  int is_known = hash_map_get(seen, &hash) != HASH_MAP_NONE;
  if (!is_known && seen->n < MOST_QUESTIONS) {
    hash_map_put(seen, &hash, 0, err);
  }
  return !is_known;
}

static SeenPair *pair_of(Seen *s, const AuditRow *row, Err *err) {
  const char *name = row->model ? row->model : row->model_requested;
  char plain[LIMIT_MODEL_NAME] = "";
  const char *const texts[] = {row->tag, plain};
  const char *kept[2];
  model_name_plain(name ? name : "", plain, sizeof plain);
  SeenPair *p = groups_of(&s->pairs, texts, 2, kept, err);
  if (p && s->pairs.is_new) {
    p->tag = kept[0];
    p->model = kept[1];
    p->successor = advice_successor(kept[1]);
    p->provider = groups_keep(&s->pairs, row->provider, err);
    p->name = groups_keep(&s->pairs, name, err);
  }
  return err->rc == RC_OK ? p : NULL;
}

static SeenTag *tag_of(Seen *s, const AuditRow *row, Err *err) {
  const char *const texts[] = {row->tag};
  const char *kept[1];
  SeenTag *t = groups_of(&s->tags, texts, 1, kept, err);
  if (t && s->tags.is_new) {
    t->tag = kept[0];
    t->first_ts = row->ts;
    t->last_quarter = -1;
  }
  return t;
}

static void see_time(Seen *s, SeenPair *p, const AuditRow *row, Err *err) {
  const char *const system[] = {row->tag, row->system_hash};
  SeenTag *t = tag_of(s, row, err);
  if (!t) {
    return;
  }
  t->calls++;
  t->last_ts = row->ts;
  p->tag_at = (int)(t - (SeenTag *)(void *)s->tags.records);
  t->quarters += t->last_quarter != row->ts / QUARTER_MS;
  t->last_quarter = row->ts / QUARTER_MS;
  t->conversing += row->conversation != NULL || row->turn > 1;
  if (row->system_hash && is_new(&s->systems, system, 2, err)) {
    t->versions++;
    t->last_version_ts = row->ts;
    p->versions++;
  }
}

/* An attempt after others that cost nothing (they were refused, or cut) is the first that is paid: no waste. */
static void see_waste(Seen *s, SeenPair *p, const AuditRow *row, Err *err) {
  char history[24];
  snprintf(history, sizeof history, "%lld", row->history_tokens);
  const char *const question[] = {row->prompt_hash, row->system_hash, p->model, history};
  int is_again = !row->purpose && !is_new(&s->requests, &row->request_id, 1, err);
  if (is_again && row->attempt > 1 && row->escalated_from == LEDGER_NULL) {
    seen_add(&p->retries, 1, (double)row->cost_nusd);
  } else if (row->prompt_hash && !row->error && !row->purpose &&
             !is_new(&s->questions, question, 4, err)) {
    seen_add(&p->repeats, 1, (double)row->cost_nusd);
  }
}

/* 1 if a call says how a model does the work of its tag: an answer's first attempt at a model that was named. What was escalated,
** tried again, or sent where its score told is other work: the harder part, or the easier one. */
static int is_alike(const AuditRow *row) {
  int is_answer = row->kind == KIND_BATCH || (row->kind == KIND_CALL && row->attempt <= 1);
  return is_answer && row->tag && row->tag[0] && !row->purpose && !row->tier_drawn &&
         row->escalated_from == LEDGER_NULL;
}

static void see_alike(SeenPair *p, const AuditRow *row) {
  if (is_alike(row)) {
    seen_add(&p->alike, 1, (double)row->cost_nusd);
    p->alike_good += !row->error;
    p->alike_input += (double)known(row->input_tokens);
    p->alike_output += (double)known(row->output_tokens);
  }
}

static void take_row(void *arg, const AuditRow *row, Err *err) {
  Seen *s = arg;
  SeenPair *p = row->cost_nusd > 0 ? pair_of(s, row, err) : NULL;
  if (!p) {
    return;
  }
  s->calls++;
  seen_add(&s->cost, 1, (double)row->cost_nusd);
  p->calls++;
  p->conversing += row->conversation != NULL || row->turn > 1;
  p->good += !row->error;
  p->embeddings += row->kind == KIND_EMBED;
  p->cut += row->ended && strcmp(row->ended, "cut_off") == 0;
  seen_add(&p->cost, 1, (double)row->cost_nusd);
  see_alike(p, row);
  see_time(s, p, row, err);
  see_waste(s, p, row, err);
  int is_sampled = p->calls <= SEEN_FULL ||
                   hash_short(&p->calls, sizeof p->calls) % SEEN_STRIDE == 0; /* see seen.h */
  if (is_sampled && err->rc == RC_OK) {
    see_elsewhere(s, p, row, p->calls <= SEEN_FULL ? 1 : SEEN_STRIDE, err);
  }
  p->last_ts = row->ts;
}

/* ---- from the sample to all calls */

/* The sums that are over the sample. */
static const size_t sampled_sums[] = {
    offsetof(SeenPair, simple),      offsetof(SeenPair, successor_saves),
    offsetof(SeenPair, batch),       offsetof(SeenPair, prefix),
    offsetof(SeenPair, system_cost), offsetof(SeenPair, output_cost),
    offsetof(SeenPair, open_model),  offsetof(SeenPair, small),
    offsetof(SeenPair, prefix_near)};

enum { SAMPLED_SUMS = sizeof sampled_sums / sizeof sampled_sums[0] };

static SeenSum *sum_at(SeenPair *p, int i) {
  return (SeenSum *)(void *)((char *)p + sampled_sums[i]);
}

static void scale_sample(SeenPair *p) {
  if (p->sampled <= 0 || p->sampled_nusd <= 0) {
    return;
  }
  double calls = (double)p->calls / p->sampled, nusd = p->cost.nusd / p->sampled_nusd;
  for (int i = 0; i < SAMPLED_SUMS; i++) {
    SeenSum *sum = sum_at(p, i);
    sum->nusd *= nusd;
    sum->squares *= nusd * nusd;
    sum->calls *= calls;
  }
  p->simple_calls *= calls;
  p->read_calls *= calls;
  p->system_tokens *= calls;
  p->sampled *= calls;
}

/* ---- what a tag's models come to together */

static void add_sum(SeenSum *to, const SeenSum *from) {
  to->nusd += from->nusd;
  to->squares += from->squares;
  to->calls += from->calls;
}

static void add_pair(SeenPair *to, SeenPair *from) {
  for (int i = 0; i < SAMPLED_SUMS; i++) {
    add_sum(sum_at(to, i), sum_at(from, i));
  }
  add_sum(&to->cost, &from->cost);
  add_sum(&to->repeats, &from->repeats);
  add_sum(&to->retries, &from->retries);
  to->calls += from->calls;
  to->conversing += from->conversing;
  to->simple_calls += from->simple_calls;
  to->read_calls += from->read_calls;
  to->sampled += from->sampled;
  to->input_tokens += from->input_tokens;
  to->output_tokens += from->output_tokens;
  to->system_tokens += from->system_tokens;
  to->cut += from->cut;
  to->good += from->good;
  for (int i = 0; i < SEEN_BINS; i++) {
    to->outputs[i] += from->outputs[i];
  }
}

static void add_wholes(Seen *s, Err *err) {
  SeenPair *pairs = (SeenPair *)(void *)s->pairs.records;
  const SeenTag *tags = (const SeenTag *)(const void *)s->tags.records;
  for (int i = 0; i < s->pairs.n && err->rc == RC_OK; i++) {
    const char *const texts[] = {pairs[i].tag};
    const char *kept[1];
    SeenPair *whole = groups_of(&s->wholes, texts, 1, kept, err);
    scale_sample(&pairs[i]);
    if (whole) {
      whole->tag = kept[0];
      add_pair(whole, &pairs[i]);
    }
  }
  SeenPair *wholes = (SeenPair *)(void *)s->wholes.records;
  for (int i = 0; i < s->wholes.n; i++) { /* (both are in the order in which tags came) */
    wholes[i].versions = tags[i].versions;
  }
}

int seen_read(Seen *s, Store *store, const AuditAsk *ask, Err *err) {
  groups_init(&s->pairs, sizeof(SeenPair));
  groups_init(&s->tags, sizeof(SeenTag));
  groups_init(&s->wholes, sizeof(SeenPair));
  s->reader = store_reader_take(store, err);
  sqlite3 *db = s->reader ? s->reader : store->db;
  if (err->rc == RC_OK) {
    int rc = sqlite3_prepare_v2(db, "SELECT text FROM main.llm_texts WHERE hash = ?1", -1, &s->text,
                                NULL);
    if (rc == SQLITE_NOMEM) {
      err_nomem(err);
    } else if (rc != SQLITE_OK) {
      err_set(err, rc & 0xff, ERR_STORE, "cannot read the prompts: %s", sqlite3_errmsg(db));
    }
  }
  if (err->rc == RC_OK && audit_each(store, ask, take_row, s, err) == RC_OK) {
    add_wholes(s, err);
  }
  sqlite3_finalize(s->text);
  s->text = NULL;
  store_reader_give(store, s->reader);
  s->reader = NULL;
  return err->rc;
}

void seen_free(Seen *s) {
  groups_free(&s->pairs);
  groups_free(&s->tags);
  groups_free(&s->wholes);
  hash_map_free(&s->questions);
  hash_map_free(&s->systems);
  hash_map_free(&s->requests);
}
