/*
** See prompts.h for the contract.
*/
#include "work/audit/prompts.h"

#include "base/limits.h"
#include "base/hash.h"

#include <math.h>
#include <string.h>

static const long long day_ms = 86400000, week_ms = 7LL * 86400000;

typedef struct Reading {
  Conn *conn;
  Groups *all;
} Reading;

static const char *billed_of(const AuditRow *row) {
  return row->billed && strcmp(row->billed, "list") == 0 ? "list" : "paid";
}

static int is_hit(const AuditRow *row) {
  return row->kind == KIND_HIT_EXACT || row->kind == KIND_HIT_SEMANTIC;
}

/* ---- conversations */

/* A row begins a turn, unless it is another attempt or stands beside one. */
static int begins_turn(const AuditRow *row) {
  return !row->purpose && row->attempt <= 1;
}

static void sum_input(struct ConversationSums *s, double x, double y, double sign) {
  s->n += sign;
  s->x += sign * x;
  s->y += sign * y;
  s->xx += sign * x * x;
  s->xy += sign * x * y;
}

/* The input of its latest attempt is the turn's. */
static void take_input(Conversation *c, const AuditRow *row) {
  struct ConversationSums *s = &c->sums;
  unsigned long long request = hash_short(row->request_id, strlen(row->request_id));
  if (begins_turn(row)) {
    c->turns++;
    s->request = request;
    s->last_input = LEDGER_NULL;
  }
  if (row->input_tokens < 0 || row->purpose || s->request != request) {
    return;
  }
  if (s->last_input != LEDGER_NULL) {
    sum_input(s, (double)c->turns, (double)s->last_input, -1);
  }
  int is_first = s->n < 0.5;
  sum_input(s, (double)c->turns, (double)row->input_tokens, 1);
  s->last_input = c->last_input_tokens = row->input_tokens;
  c->first_input_tokens = is_first ? row->input_tokens : c->first_input_tokens;
}

/* What the input of a row cost: its part of what the row did. LEDGER_NULL where nobody says, or *err. */
static long long input_nusd(Conn *conn, const AuditRow *row, Err *err) {
  Counted counted;
  BillingLines lines = {.count = {0}};
  Cost input = 0, all = 0;
  if (counted_read(conn, row, &counted, err) != RC_OK) {
    return LEDGER_NULL;
  }
  long long now = counted_nusd(&counted, 0, &lines, err);
  counted_free(&counted);
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    all += lines.cost[unit];
    input += unit_is_input(unit) ? lines.cost[unit] : 0;
  }
  return now == LEDGER_NULL || all == 0
             ? (now == 0 && row->cost_nusd == 0 ? 0 : LEDGER_NULL)
             : llround((double)row->cost_nusd * ((double)input / (double)all));
}

static void take_cost(Reading *r, Conversation *c, const AuditRow *row, Err *err) {
  int is_counted = !row->purpose && row->input_tokens > 0 && c->first_input_tokens >= 0 &&
                   row->input_tokens > c->first_input_tokens;
  long long beyond = is_counted ? row->input_tokens - c->first_input_tokens : 0;
  if (row->cost_nusd == LEDGER_NULL) {
    c->unpriced++;
    return;
  }
  c->sums.costed++;
  c->cost_nusd = sum_at_most(c->cost_nusd, row->cost_nusd);
  long long input = is_counted ? input_nusd(r->conn, row, err) : 0;
  if (input == LEDGER_NULL) {
    c->unpriced++;
  } else {
    c->sums.inflated++;
    c->inflated_nusd = sum_at_most(
        c->inflated_nusd,
        is_counted ? llround((double)input * ((double)beyond / (double)row->input_tokens)) : 0);
  }
}

static void take_turn(void *arg, const AuditRow *row, Err *err) {
  Reading *r = arg;
  const char *const texts[] = {row->conversation, row->user, billed_of(row)};
  const char *kept[3];
  Conversation *c = row->conversation ? groups_of(r->all, texts, 3, kept, err) : NULL;
  if (!c) {
    return;
  }
  if (r->all->is_new) {
    *c = (Conversation){.conversation = kept[0],
                        .user = kept[1],
                        .billed = kept[2],
                        .first_ts = row->ts,
                        .first_input_tokens = LEDGER_NULL,
                        .last_input_tokens = LEDGER_NULL};
    c->tag = groups_keep(r->all, row->tag, err);
  }
  c->last_ts = row->ts;
  c->hits += is_hit(row);
  c->calls += !is_hit(row);
  take_input(c, row);
  if (!is_hit(row)) {
    take_cost(r, c, row, err);
  }
}

static void finish_conversation(Conversation *c) {
  const struct ConversationSums *s = &c->sums;
  double spread = s->n * s->xx - s->x * s->x;
  c->mean_input_tokens = s->n > 0 ? s->y / s->n : (double)NAN;
  c->slope = s->n > 1 && spread > 0 ? (s->n * s->xy - s->x * s->y) / spread : (double)NAN;
  c->cost_nusd = s->costed || !c->calls ? c->cost_nusd : LEDGER_NULL;
  c->inflated_nusd = s->inflated || !c->calls ? c->inflated_nusd : LEDGER_NULL;
  c->growth_percent = c->cost_nusd > 0 && c->inflated_nusd != LEDGER_NULL
                          ? 100.0 * (double)c->inflated_nusd / (double)c->cost_nusd
                          : (double)NAN;
}

static int compare_conversations(const void *a, const void *b) {
  const Conversation *x = a, *y = b;
  int by = (x->first_ts > y->first_ts) - (x->first_ts < y->first_ts);
  by = by ? by : groups_compare_texts(x->conversation, y->conversation);
  return by ? by : groups_compare_texts(x->billed, y->billed);
}

/* Hands the rows to `take` by time. 1 if there were any to hand. */
static int read_rows(Reading *r, const AuditAsk *ask, int also, size_t size, AuditFn take,
                     Err *err) {
  Store *store = pricing_refresh(r->conn, NULL, err) == RC_OK ? conn_store(r->conn, 0, err) : NULL;
  AuditAsk rows = *ask;
  rows.order = AUDIT_BY_TIME;
  rows.also = also;
  groups_init(r->all, size);
  return store && audit_each(store, &rows, take, r, err) == RC_OK;
}

int conversations_read(Conn *conn, const AuditAsk *ask, Groups *all, Err *err) {
  Reading r = {conn, all};
  if (read_rows(&r, ask, AUDIT_HITS | AUDIT_UNKNOWN, sizeof(Conversation), take_turn, err)) {
    for (int i = 0; i < all->n; i++) {
      finish_conversation((Conversation *)(void *)all->records + i);
    }
    groups_sort(all, compare_conversations);
  }
  return err->rc;
}

/* ---- system prompts */

static void add_tokens(Reading *r, SystemPrompt *p, const AuditRow *row, Err *err) {
  Counted counted;
  long long tokens = row->system_tokens;
  if (tokens < 0 || counted_read(r->conn, row, &counted, err) != RC_OK) {
    p->unpriced += tokens < 0;
    return;
  }
  tokens = row->input_tokens >= 0 && row->input_tokens < tokens ? row->input_tokens : tokens;
  const PriceSet *set = row->cost_nusd != LEDGER_NULL ? counted_prices(&counted, err) : NULL;
  Cost cost = set ? counted_front(&counted, set, tokens) : COST_MOST;
  p->unpriced += cost == COST_MOST;
  p->priced += cost != COST_MOST;
  p->cost += cost == COST_MOST ? 0 : cost;
  counted_free(&counted);
}

static void take_prompt(void *arg, const AuditRow *row, Err *err) {
  Reading *r = arg;
  const char *const texts[] = {row->tag, row->system_hash};
  const char *kept[2];
  SystemPrompt *p = row->system_hash ? groups_of(r->all, texts, 2, kept, err) : NULL;
  if (!p) {
    return;
  }
  if (r->all->is_new) {
    *p = (SystemPrompt){
        .tag = kept[0], .system_hash = kept[1], .first_ts = row->ts, .tokens = LEDGER_NULL};
  }
  p->last_ts = row->ts;
  p->calls++;
  p->tokens = row->system_tokens >= 0 ? row->system_tokens : p->tokens;
  add_tokens(r, p, row, err);
}

static int compare_prompts(const void *a, const void *b) {
  const SystemPrompt *x = a, *y = b;
  int by = groups_compare_texts(x->tag, y->tag);
  by = by ? by : (x->first_ts > y->first_ts) - (x->first_ts < y->first_ts);
  return by ? by : groups_compare_texts(x->system_hash, y->system_hash);
}

static void finish_prompt(SystemPrompt *p) {
  double days = (double)(p->last_ts - p->first_ts) / (double)day_ms;
  p->cost_nusd = p->priced ? cost_nusd(p->cost) : LEDGER_NULL;
  p->usd_per_day = p->priced ? (double)p->cost_nusd / 1e9 / (days > 1 ? days : 1) : (double)NAN;
}

/* 1 if there were new versions in most of the last weeks of a tag, counted back from its last call. */
static int changes_weekly(const SystemPrompt *at, int n, long long first, long long last) {
  enum { FEWEST_WEEKS = 2, MOST_WEEKS = 4 };
  int changed[MOST_WEEKS] = {0}, n_changed = 0;
  long long weeks = (last - first + week_ms - 1) / week_ms;
  weeks = weeks > MOST_WEEKS ? MOST_WEEKS : weeks;
  for (int i = 1; i < n; i++) {
    long long week = (last - at[i].first_ts) / week_ms;
    if (week < weeks && !changed[week]) {
      changed[week] = 1;
      n_changed++;
    }
  }
  return weeks >= FEWEST_WEEKS && 2 * n_changed > weeks;
}

/* The n versions of one tag. */
static void finish_tag(SystemPrompt *at, int n) {
  long long first = at[0].first_ts, last = at[0].last_ts;
  for (int i = 0; i < n; i++) {
    last = at[i].last_ts > last ? at[i].last_ts : last;
  }
  double weeks = (double)(last - first) / (double)week_ms;
  int is_volatile = changes_weekly(at, n, first, last);
  for (int i = 0; i < n; i++) {
    SystemPrompt *p = &at[i];
    int is_known = i > 0 && p->tokens != LEDGER_NULL && p[-1].tokens != LEDGER_NULL;
    p->version = i + 1;
    p->before = i > 0 ? p[-1].system_hash : NULL;
    p->grown_by = is_known ? p->tokens - p[-1].tokens : LLONG_MIN;
    p->changes_per_week = (n - 1) / (weeks > 1 ? weeks : 1);
    p->is_volatile = is_volatile;
    finish_prompt(p);
  }
}

int system_prompts_read(Conn *conn, const AuditAsk *ask, Groups *all, Err *err) {
  Reading r = {conn, all};
  AuditAsk rows = *ask;
  rows.is_paid = 1;
  if (read_rows(&r, &rows, 0, sizeof(SystemPrompt), take_prompt, err)) {
    SystemPrompt *at = (SystemPrompt *)(void *)all->records;
    groups_sort(all, compare_prompts);
    for (int from = 0, to = 0; from < all->n; from = to) {
      while (to < all->n && groups_compare_texts(at[from].tag, at[to].tag) == 0) {
        to++;
      }
      finish_tag(&at[from], to - from);
    }
  }
  return err->rc;
}

/* ---- where two texts part */

static int is_inside(char c) {
  return ((unsigned char)c & 0xC0) == 0x80;
}

size_t prompts_first_change(const char *before, const char *text) {
  size_t n = 0;
  while (before[n] && before[n] == text[n]) {
    n++;
  }
  while (n > 0 && (is_inside(before[n]) || is_inside(text[n]))) {
    n--;
  }
  return n;
}

char *prompts_around(const char *text, size_t at) {
  enum { CHARACTERS = 30 };
  size_t from = at, to = at;
  for (int i = 0; i < CHARACTERS && from > 0; i++) {
    do {
      from--;
    } while (from > 0 && is_inside(text[from]));
  }
  for (int i = 0; i < CHARACTERS && text[to]; i++) {
    do {
      to++;
    } while (is_inside(text[to]));
  }
  return sqlite3_mprintf("%.*s", (int)(to - from), text + from);
}
