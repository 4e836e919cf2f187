/*
** See prefix.h for the contract.
*/
#include "work/audit/prefix.h"

#include "base/limits.h"
#include "core/price/catalogue.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FIVE_MINUTES = 300000, HOUR = 3600000 };
enum { NO_CACHE, FOR_5M, FOR_1H };

static const char *const owner_words[] = {
#define WORD(id, word) [PREFIX_##id] = word,
    PREFIX_OWNERS(WORD)
#undef WORD
};

const char *prefix_owner_word(PrefixOwner owner) {
  return owner_words[owner];
}

/* ---- who */

static int is_text(const char *a, const char *b) {
  return a && strcmp(a, b) == 0;
}

/* Failed over: another tier's model answered because the first could not be had. (An escalation is meant.) */
static int has_failed_over(const AuditRow *row) {
  return row->retry_reason && row->escalated_from == LEDGER_NULL && row->tier_drawn &&
         row->tier_served && strcmp(row->tier_drawn, row->tier_served) != 0;
}

/* Anthropic's models keep only what is marked, whoever sells them. */
static int needs_marks(const AuditRow *row) {
  const char *model = row->model ? row->model : row->model_requested;
  return is_text(row->provider, "anthropic") || (model && strcasestr(model, "claude"));
}

PrefixOwner prefix_owner(const AuditRow *row) {
  if (has_failed_over(row)) {
    return PREFIX_PROVIDER;
  }
  if (row->notes && strstr(row->notes, "\"prefix\":\"ours\"")) {
    return PREFIX_OURS;
  }
  return needs_marks(row) ? PREFIX_CALLER : PREFIX_PROVIDER;
}

/* ---- the lines */

/* When a prefix was last asked with, by (system prompt, model, provider). */
typedef struct Last {
  long long ts;
} Last;

typedef struct Reading {
  Conn *conn;
  Groups *lines, prefixes;
} Reading;

static void add_count(long long *sum, long long n) {
  *sum = sum_at_most(*sum, n > 0 ? n : 0);
}

/* The shortest prefix that is kept, in l->min_tokens: looked up for each day, since such facts have dates. */
static void look_up_minimum(PrefixLine *l, const Counted *c, Err *err) {
  enum { DAY = 86400000 };
  const AuditRow *row = c->row;
  if (l->min_day == 1 + row->ts / DAY) {
    return;
  }
  PricingAsk ask = {.model = l->model ? l->model : "", .provider = row->provider, .at_ms = row->ts};
  const PriceRef *ref = pricing_find(c->conn, &ask, err);
  l->min_day = 1 + row->ts / DAY;
  l->min_tokens = ref && ref->bare ? catalogue_cache_minimum(ref->seller.vendor, ref->bare, row->ts)
                                   : LEDGER_NULL;
}

/* As it is known, or as the ledger has seen: what was written was not too short. */
static void find_minimum(PrefixLine *l, const Counted *c, Err *err) {
  const AuditRow *row = c->row;
  long long read = row->cached_input_tokens > 0 ? row->cached_input_tokens : 0;
  if (row->cache_write_tokens > 0) {
    long long kept = sum_at_most(read, row->cache_write_tokens);
    l->least_written = l->least_written && l->least_written < kept ? l->least_written : kept;
  }
  look_up_minimum(l, c, err);
  if (l->least_written && l->min_tokens > l->least_written) {
    l->min_tokens = l->least_written;
  }
}

static void add_money(PrefixLine *l, const Counted *c, Err *err) {
  if (!c->has_read && !c->has_written) {
    return;
  }
  long long was = counted_nusd(c, 0, NULL, err);
  long long unread = counted_nusd(c, COUNTED_UNREAD, NULL, err);
  long long plain = counted_nusd(c, COUNTED_PLAIN, NULL, err);
  if (was == LEDGER_NULL || unread == LEDGER_NULL || plain == LEDGER_NULL) {
    l->unpriced++;
    return;
  }
  l->priced++;
  l->gained_nusd = sum_at_most(l->gained_nusd, unread - was);
  l->lost_nusd = sum_at_most(l->lost_nusd, unread - plain);
}

/* Adds what a prefix costs at each lifetime. */
static void try_lifetimes(struct PrefixTrial *t, const PriceSet *set, long long tokens,
                          long long gap, int is_kept) {
  static const long long lives[] = {-1, FIVE_MINUTES, HOUR};
  static const Unit writes[] = {UNIT_INPUT, UNIT_CACHE_WRITE, UNIT_CACHE_WRITE_1H};
  t->is_any = 1;
  for (int i = 0; i < 3; i++) {
    Unit unit = !is_kept ? UNIT_INPUT : gap <= lives[i] ? UNIT_CACHE_READ : writes[i];
    Cost cost = counted_unit(set, unit, tokens);
    t->is_unsold[i] |= i != NO_CACHE && !(set->priced & UNIT_BIT(writes[i]));
    t->is_unknown |= cost == COST_MOST;
    t->cost[i] += cost == COST_MOST ? 0 : cost;
  }
}

static void add_gap(Reading *r, PrefixLine *l, const Counted *c, Err *err) {
  const AuditRow *row = c->row;
  const char *const texts[] = {row->system_hash, row->model ? row->model : row->model_requested,
                               row->provider};
  const char *ignored[3];
  Last *last = row->system_hash ? groups_of(&r->prefixes, texts, 3, ignored, err) : NULL;
  if (!last) {
    return;
  }
  long long gap = r->prefixes.is_new ? LLONG_MAX : row->ts - last->ts;
  last->ts = row->ts;
  *(gap == LLONG_MAX      ? &l->first
    : gap <= FIVE_MINUTES ? &l->within_5m
    : gap <= HOUR         ? &l->within_1h
                          : &l->later) += 1;
  /* (Our own count beside the provider's; an imported one is whatever its file says.) */
  long long tokens =
      row->system_tokens < row->input_tokens ? row->system_tokens : row->input_tokens;
  const PriceSet *set = tokens > 0 ? counted_prices(c, err) : NULL;
  if (set) {
    try_lifetimes(&l->trial, set, tokens, gap, tokens >= l->min_tokens);
  }
}

static void add_miss(Reading *r, PrefixLine *l, const char *word, Err *err) {
  for (int i = 0; i < PREFIX_MISSES && word; i++) {
    if (!l->miss[i].word) {
      l->miss[i].word = groups_keep(r->lines, word, err);
    }
    if (l->miss[i].word && strcmp(l->miss[i].word, word) == 0) {
      l->miss[i].n++;
      return;
    }
  }
}

static void add_cost(PrefixLine *l, const AuditRow *row) {
  double cost = row->cost_nusd > 0 ? (double)row->cost_nusd : 0;
  l->cost_nusd += cost;
  if (cost > 0 && row->list_nusd > 0) {
    l->paid_nusd += cost;
    l->listed_nusd += (double)row->list_nusd;
  }
}

static void note_system(PrefixLine *l, const AuditRow *row) {
  if (row->system_hash && strcmp(l->system, row->system_hash) != 0) {
    memcpy(l->system_before, l->system, sizeof l->system);
    snprintf(l->system, sizeof l->system, "%s", row->system_hash);
  }
}

static void take_row(void *arg, const AuditRow *row, Err *err) {
  Reading *r = arg;
  const char *const texts[] = {row->tag, row->model ? row->model : row->model_requested,
                               row->provider, prefix_owner_word(prefix_owner(row)),
                               is_text(row->billed, "list") ? "list" : "paid"};
  const char *kept[5];
  Counted c;
  int is_prompt = row->kind != KIND_EMBED && !counted_is_note(row);
  PrefixLine *l = is_prompt ? groups_of(r->lines, texts, 5, kept, err) : NULL;
  if (!l || counted_read(r->conn, row, &c, err) != RC_OK) {
    return;
  }
  l->tag = kept[0];
  l->model = kept[1];
  l->provider = kept[2];
  l->owner = kept[3];
  l->billed = kept[4];
  l->calls++;
  add_count(&l->input_tokens, row->input_tokens);
  add_count(&l->cached_input_tokens, row->cached_input_tokens);
  add_count(&l->cache_write_tokens, row->cache_write_tokens);
  add_count(&l->cache_write_long_tokens, row->cache_write_long_tokens);
  find_minimum(l, &c, err);
  l->hits += c.has_read;
  l->eligible += c.has_read || c.has_written ||
                 (l->min_tokens != LEDGER_NULL && row->input_tokens >= l->min_tokens);
  add_money(l, &c, err);
  add_cost(l, row);
  add_gap(r, l, &c, err);
  add_miss(r, l, row->cache_miss, err);
  note_system(l, row);
  counted_free(&c);
}

/* ---- all of it */

static void finish(PrefixLine *l) {
  static const char *const words[] = {"none", "5m", "1h"};
  long long *const nusd[] = {&l->none_nusd, &l->five_minutes_nusd, &l->hour_nusd};
  const struct PrefixTrial *t = &l->trial;
  int best = NO_CACHE, is_known = t->is_any && !t->is_unknown;
  for (int i = 0; i < 3; i++) {
    *nusd[i] = is_known && !t->is_unsold[i] ? cost_nusd(t->cost[i]) : LEDGER_NULL;
    best = *nusd[i] != LEDGER_NULL && t->cost[i] < t->cost[best] ? i : best;
  }
  int is_choice = l->five_minutes_nusd != LEDGER_NULL || l->hour_nusd != LEDGER_NULL;
  l->best_ttl = is_known && is_choice ? words[best] : NULL;
  l->net_nusd = sum_at_most(l->gained_nusd, -l->lost_nusd);
  if (l->unpriced > 0 && l->priced == 0) {
    l->gained_nusd = l->lost_nusd = l->net_nusd = LLONG_MIN;
  }
  l->hit_percent = l->eligible > 0 ? 100.0 * (double)l->hits / (double)l->eligible : (double)NAN;
}

/* "system_changed 3, tools_changed 1" */
static void say_misses(Groups *lines, PrefixLine *l, Err *err) {
  char text[PREFIX_MISSES * 80] = "";
  size_t n = 0;
  for (int i = 0; i < PREFIX_MISSES && l->miss[i].word; i++) {
    n += (size_t)snprintf(text + n, sizeof text - n, "%s%.50s %lld", i ? ", " : "", l->miss[i].word,
                          l->miss[i].n);
  }
  l->misses = n > 0 ? groups_keep(lines, text, err) : NULL;
}

static int compare_lines(const void *a, const void *b) {
  const PrefixLine *x = a, *y = b;
  int by = groups_compare_texts(x->tag, y->tag);
  by = by ? by : groups_compare_texts(x->model, y->model);
  by = by ? by : groups_compare_texts(x->provider, y->provider);
  by = by ? by : groups_compare_texts(x->owner, y->owner);
  return by ? by : groups_compare_texts(x->billed, y->billed);
}

int prefix_read(Conn *conn, const AuditAsk *ask, Groups *lines, Err *err) {
  Store *store = pricing_refresh(conn, NULL, err) == RC_OK ? conn_store(conn, 0, err) : NULL;
  Reading r = {.conn = conn, .lines = lines};
  AuditAsk rows = *ask;
  rows.order = AUDIT_BY_TIME;
  groups_init(lines, sizeof(PrefixLine));
  groups_init(&r.prefixes, sizeof(Last));
  if (store && audit_each(store, &rows, take_row, &r, err) == RC_OK) {
    for (int i = 0; i < lines->n; i++) {
      finish((PrefixLine *)(void *)lines->records + i);
      say_misses(lines, (PrefixLine *)(void *)lines->records + i, err);
    }
    groups_sort(lines, compare_lines);
  }
  groups_free(&r.prefixes);
  return err->rc;
}
