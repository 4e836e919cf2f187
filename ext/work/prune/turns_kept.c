/*
** See turns_kept.h for the contract; core/history/prune.h says which turns stay, and why the cut goes in steps.
**
** What a user ordered once holds on: a user's message with a standing order (orders.h) stays wherever it stands, with the answer that
** ended its turn: an order that was done would be done again without it.
**
**   drop      the older turns go
**   extract   a quarter of the budget is for those that have most to do with the user's last words (turns_related.h)
**   summary   a fifth of it, 1,000 tokens at most, is for what a cheap model says of them (summary.h)
**
** With the latter two the user's first message stays as well, with the answer that ended its turn, where the budget takes them: the
** task is mostly there. The share is set aside whether it is used or not, so that the cut stands where it stood, and where there is no
** summary what is sent is as with `drop` but for these two.
**
** The summary is a message of the assistant's, at the first place where one may stand between two of the user's: roles go on
** alternating, as some providers ask for, and what the user did not say is not in his mouth. Where there is no such place (he was
** answered each time) a question of ours stands in front of it.
*/
#include "work/prune/turns_kept.h"

#include "base/buf.h"
#include "base/text/decimal.h"
#include "money/counter.h"
#include "money/pricing.h"
#include "work/prune/orders.h"
#include "work/prune/summary.h"
#include "work/prune/turns_read.h"
#include "work/prune/turns_related.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLDER(X)                                                                                   \
  X(OLDER_DROP, "drop")                                                                            \
  X(OLDER_EXTRACT, "extract")                                                                      \
  X(OLDER_SUMMARY, "summary")
enum { OLDER(SPEC_AS_ID) OLDER_N };

#define BY_PRICE "price" /* a value of `budget` */

enum { EXTRACT_SHARE = 4, SUMMARY_SHARE = 5, SUMMARY_MOST = 1000, SUMMARY_LEAST = 40 };

typedef enum Label { LABEL_TAG, LABEL_USER, LABEL_CONVERSATION, LABELS } Label;

typedef struct KeptOptions {
  const char *model, *summary_model, *tag, *user, *conversation;
  long long budget, keep, step;
  int by_price; /* instead of a budget */
  int older;
  const char *given; /* their text; borrowed */
  size_t n_given;
  char digits[LABELS][32]; /* of labels that were integers */
} KeptOptions;

enum { MOST_TOKENS = 100000000 };

static int take_budget(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                       Err *err) {
  KeptOptions *o = to;
  o->by_price = v->text && strcmp(v->text, BY_PRICE) == 0;
  if (!o->by_price && !decimal_is_whole(v->number, 1, MOST_TOKENS)) {
    return spec_bad(table, s->name, "an integer from 1 to 100000000, or '" BY_PRICE "'", err);
  }
  o->budget = o->by_price ? 0 : (long long)v->number;
  return RC_OK;
}

/* A text; or an integer, digit by digit as it was given. */
static int take_label(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  KeptOptions *o = to;
  char *digits = o->digits[(int)s->min];
  int is_integer = !isnan(v->number) &&
                   json_integer_text(o->given, o->n_given, s->name, digits, sizeof o->digits[0]);
  if (!is_integer && decimal_is_whole(v->number, -(double)LIMIT_COUNT, (double)LIMIT_COUNT)) {
    snprintf(digits, sizeof o->digits[0], "%lld", (long long)v->number);
    is_integer = 1;
  }
  if (!is_integer && !v->text) {
    return spec_bad(table, s->name, "text or an integer", err);
  }
  *(const char **)((char *)to + s->at) = is_integer ? digits : v->text;
  return RC_OK;
}

#define AS_LABEL(member, label)                                                                    \
  SPEC_OTHER, .at = offsetof(KeptOptions, member), .min = label, .take = take_label
#define INTO(type, member) SPEC_INTO(KeptOptions, type, member)
static const Spec specs[] = {
    {"budget", SPEC_OTHER, .take = take_budget},
    {"keep", INTO(INTEGER, keep), .min = 1, .max = 10000, .initial = "2"},
    {"step", INTO(INTEGER, step), .min = 1, .max = MOST_TOKENS},
    {"older", INTO(WORD, older), .words = SPEC_WORDS(OLDER), .initial = "drop"},
    {"model", INTO(TEXT, model)},
    {"summary_model", INTO(TEXT, summary_model)},
    {"tag", AS_LABEL(tag, LABEL_TAG)},
    {"user", AS_LABEL(user, LABEL_USER)},
    {"conversation", AS_LABEL(conversation, LABEL_CONVERSATION)},
};
static const SpecHint hints[] = {
    {"max_tokens", "budget"},
    {"last", "keep"},
    {"turns", "keep"},
    {"summarize", "it is \"older\":\"summary\" here"},
    {NULL, NULL},
};
static const SpecTable table = {"option", ERR_BAD_OPTION, "model",
                                hints,    specs,          sizeof specs / sizeof specs[0]};

/* A conversation that is being pruned. */
typedef struct Pruning {
  Conn *conn;
  const KeptAsk *ask;
  KeptOptions o;
  TokenRule rule;
  Turns turns;
  PruneMessage *plans; /* owned */
  unsigned char *kept; /* owned */
  size_t first[2]; /* pinned while there is room: the user's first message and its answer; n: not */
  Pruned cut;
  PrunePrices prices;
  PruneOptions with; /* what it was cut by */
  Summary summary;
  long long summary_tokens; /* of the message that says it; 0: there is none */
} Pruning;

/* ---- options */

static cJSON *read_options(const char *options, size_t n, KeptOptions *o, Err *err) {
  *o = (KeptOptions){.given = options, .n_given = n, .budget = SPEC_UNSET};
  spec_init(&table, o);
  cJSON *given = options ? spec_parse(&table, options, n, err) : NULL;
  if (given) {
    spec_read(&table, 0, given, o, err);
  }
  if (err->rc == RC_OK && o->budget == SPEC_UNSET) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION, "give the tokens that may be kept: {\"budget\":4000}");
  }
  if (err->rc == RC_OK && o->by_price && (o->older != OLDER_DROP || o->step != SPEC_UNSET)) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "'%s' is for a budget in tokens: by '" BY_PRICE
            "' older turns are dropped, all at once",
            o->older != OLDER_DROP ? "older" : "step");
  }
  return given;
}

int turns_check_options(const char *options, size_t n, Err *err) {
  KeptOptions o;
  cJSON_Delete(read_options(options, n, &o, err));
  return err->rc;
}

/* What its options don't say, those of the call do. ("auto" is nobody's price and nobody's tokenizer.) */
static void ask_call(KeptOptions *o, const Options *call) {
  int is_named = call->model && strcmp(call->model, "auto") != 0;
  o->model = o->model || !is_named ? o->model : call->model;
  o->tag = o->tag ? o->tag : call->tag;
  o->user = o->user ? o->user : call->user;
  o->conversation = o->conversation ? o->conversation : call->conversation;
}

/* ---- what is pinned */

static int is_asked(const Turn *t) {
  return t->plan.role == PRUNE_USER && t->plan.results == 0;
}

/* The answer that ends the turn of message i; n: there is none. */
static size_t answer_of(const Turns *t, size_t i) {
  size_t end = i + 1;
  while (end < t->n && !is_asked(&t->at[end])) {
    end++;
  }
  const Turn *last = &t->at[end - 1];
  return end > i + 1 && last->plan.role == PRUNE_ASSISTANT && !last->n_calls ? end - 1 : t->n;
}

/* An order that was done, without the answer that says so, would be done again; and roles alternate: the answer that ends a pinned
** message's turn stays too. Returns their tokens. */
static long long pin_one(Turns *t, size_t i, unsigned flag) {
  size_t answer = is_asked(&t->at[i]) ? answer_of(t, i) : t->n;
  t->at[i].plan.flags |= flag;
  if (answer < t->n) {
    t->at[answer].plan.flags |= flag;
  }
  return t->at[i].plan.tokens + (answer < t->n ? t->at[answer].plan.tokens : 0);
}

static long long unpin_one(Turns *t, size_t i) {
  long long tokens = pin_one(t, i, 0);
  size_t answer = is_asked(&t->at[i]) ? answer_of(t, i) : t->n;
  t->at[i].plan.flags &= ~(unsigned)PRUNE_PINNED;
  if (answer < t->n && t->at[answer].plan.role == PRUNE_ASSISTANT) {
    t->at[answer].plan.flags &= ~(unsigned)PRUNE_PINNED;
  }
  return tokens;
}

/* Orders stay. What may be one stays while all of these have half of the budget: where they have more, the oldest go until they have a
** quarter, so that what is in front of the cut seldom changes. */
static int pin_orders(Turns *t, long long budget, Err *err) {
  enum { PART = 2, LEFT = 4 };
  long long in_doubt = 0;
  size_t oldest = 0;
  for (size_t i = 0; i < t->n && err->rc == RC_OK; i++) {
    Turn *x = &t->at[i];
    x->force = x->plan.role == PRUNE_USER ? orders_force(x->m.content, x->m.n, err) : ORDER_NONE;
    in_doubt += x->force == ORDER_IN_DOUBT ? pin_one(t, i, PRUNE_PINNED) : 0;
    if (in_doubt > budget / PART) {
      for (; oldest < i && in_doubt > budget / LEFT; oldest++) {
        in_doubt -= t->at[oldest].force == ORDER_IN_DOUBT ? unpin_one(t, oldest) : 0;
      }
    }
  }
  for (size_t i = 0; i < t->n; i++) {
    t->at[i].force == ORDER_SURE ? pin_one(t, i, PRUNE_PINNED) : 0;
  }
  return err->rc;
}

/* The user's first message and its answer, as far as they are not pinned yet; n: not. */
static void find_first(const Turns *t, size_t first[2]) {
  size_t i = 0;
  while (i < t->n && !is_asked(&t->at[i])) {
    i++;
  }
  first[0] = i;
  first[1] = i < t->n ? answer_of(t, i) : t->n;
  for (int k = 0; k < 2; k++) {
    first[k] = first[k] < t->n && t->at[first[k]].plan.flags & PRUNE_PINNED ? t->n : first[k];
  }
}

static void pin_first(Pruning *p, int is_pinned) {
  for (int k = 0; k < 2; k++) {
    if (p->first[k] < p->turns.n) {
      unsigned *flags = &p->plans[p->first[k]].flags;
      *flags = is_pinned ? *flags | PRUNE_PINNED : *flags & ~(unsigned)PRUNE_PINNED;
    }
  }
}

static int pin(Pruning *p, Err *err) {
  Turns *t = &p->turns;
  if (pin_orders(t, p->o.by_price ? LLONG_MAX : p->o.budget, err) != RC_OK) {
    return err->rc;
  }
  p->first[0] = p->first[1] = t->n;
  p->plans = calloc(t->n, sizeof *p->plans);
  p->kept = calloc(t->n, 1);
  if (!p->plans || !p->kept) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < t->n; i++) {
    p->plans[i] = t->at[i].plan;
  }
  if (p->o.older != OLDER_DROP) {
    find_first(t, p->first);
    pin_first(p, 1);
  }
  return RC_OK;
}

/* ---- what becomes of the older turns */

static long long share_of(const KeptOptions *o) {
  long long fifth = o->budget / SUMMARY_SHARE;
  return o->older == OLDER_EXTRACT   ? o->budget / EXTRACT_SHARE
         : o->older == OLDER_SUMMARY ? (fifth < SUMMARY_MOST ? fifth : SUMMARY_MOST)
                                     : 0;
}

/* What a cut costs: 1, or 0 where nobody says what the model's input costs. Where it has no price of its own to be read for, nothing is
** cached. */
static int find_prices(const Pruning *p, PrunePrices *out, Err *err) {
  CachePrices prices = {.fresh = -1};
  Model model = {0};
  Err unknown = {0};
  const Config *config = p->o.model ? conn_config(p->conn, err) : NULL;
  if (config && config_model(config, p->o.model, &model, &unknown) == RC_OK &&
      pricing_refresh(p->conn, NULL, err) == RC_OK) {
    pricing_of_cache(p->conn, &model, &prices, err);
  }
  config_model_free(&model);
  if (unknown.rc == RC_NOMEM) {
    err_nomem(err);
  }
  int is_cached = prices.read >= 0 && prices.read < prices.fresh;
  *out = (PrunePrices){
      .read = (double)(is_cached ? prices.read : prices.fresh),
      .write = (double)(is_cached && prices.written > prices.fresh ? prices.written : prices.fresh),
      .floor = is_cached && prices.least > 0 ? prices.least : 0,
  };
  return prices.fresh > 0 && err->rc == RC_OK;
}

/* A call whose model nobody prices, or routing has not chosen yet, sends all. */
static int plan_by_price(Pruning *p, Err *err) {
  int is_known = find_prices(p, &p->prices, err);
  p->with = (PruneOptions){
      .budget = LLONG_MAX, .keep = (int)p->o.keep, .prices = is_known ? &p->prices : NULL};
  if (!is_known && !p->ask->call && err->rc == RC_OK) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "by '" BY_PRICE
                   "' it is pruned where a cut costs nothing: give the \"model\", one whose input "
                   "has a price (llm_price), or tokens: {\"budget\":4000}");
  }
  return err->rc == RC_OK ? prune_plan(p->plans, p->turns.n, &p->with, p->kept, &p->cut, err)
                          : err->rc;
}

/* Only sure orders stay pinned. */
static void unpin_doubt(Pruning *p) {
  Turns *t = &p->turns;
  for (size_t i = 0; i < t->n; i++) {
    t->at[i].force == ORDER_IN_DOUBT ? unpin_one(t, i) : 0;
  }
  for (size_t i = 0; i < t->n; i++) {
    t->at[i].force == ORDER_SURE ? pin_one(t, i, PRUNE_PINNED) : 0;
  }
  for (size_t i = 0; i < t->n; i++) {
    p->plans[i].flags = t->at[i].plan.flags;
  }
}

/* The plan. *room: what of the budget is set aside; 0 where nothing is to be done with it. */
static int plan(Pruning *p, long long *room, Err *err) {
  const KeptOptions *o = &p->o;
  long long share = share_of(o), budget = o->budget;
  Err tight = {0};
  *room = 0;
  if (o->by_price) {
    return plan_by_price(p, err);
  }
  p->with = (PruneOptions){budget, (int)o->keep, o->step == SPEC_UNSET ? 0 : o->step, NULL};
  prune_plan(p->plans, p->turns.n, &p->with, p->kept, &p->cut, err);
  if (err->code == ERR_LIMIT) { /* rather without the first turn than not at all */
    err_clear(err);
    pin_first(p, 0);
    prune_plan(p->plans, p->turns.n, &p->with, p->kept, &p->cut, err);
  }
  if (err->code == ERR_LIMIT) { /* and without what is in doubt */
    err_clear(err);
    unpin_doubt(p);
    prune_plan(p->plans, p->turns.n, &p->with, p->kept, &p->cut, err);
  }
  if (err->code == ERR_LIMIT && p->ask->call) {
    err_clear(err); /* a call does not fail for a saving */
    return RC_OK;
  }
  if (err->rc != RC_OK || p->cut.n_dropped == 0 || share == 0) {
    return err->rc;
  }
  p->with.budget = budget - share;
  if (p->with.budget >= 1 &&
      prune_plan(p->plans, p->turns.n, &p->with, p->kept, &p->cut, &tight) == RC_OK) {
    *room = share;
    return RC_OK;
  }
  p->with.budget = budget;
  return prune_plan(p->plans, p->turns.n, &p->with, p->kept, &p->cut, err);
}

static int extract(Pruning *p, Err *err) {
  size_t n = p->turns.n;
  PruneTurn *turns = calloc(p->cut.first + 1, sizeof *turns);
  if (!turns) {
    return err_nomem(err);
  }
  size_t count = prune_turns(p->plans, n, p->cut.first, turns);
  if (turns_relate(&p->turns, turns, count, err) == RC_OK) {
    prune_take_back(p->plans, n, turns, count, p->o.budget, p->kept, &p->cut);
  }
  free(turns);
  return err->rc;
}

/* ---- the summary */

static const char heading[] = "[Earlier messages of this conversation were left out here. Another "
                              "model summed them up:]\n";
static const char question[] =
    "[Earlier messages of this conversation were left out here. What did they come to?]";

/* Tokens of the messages of ours without the summary itself. */
static long long overhead(const Pruning *p) {
  long long both = tokens_count(&p->rule, heading, sizeof heading - 1);
  long long asked = tokens_count(&p->rule, question, sizeof question - 1);
  return both < 0 || asked < 0
             ? -1
             : both + asked + tokens_overhead(&p->rule, 2) - tokens_overhead(&p->rule, 0) + 2;
}

/* How often about the cut stays where it is: a step of tokens, a turn at a time. */
static double requests_of(const Pruning *p) {
  long long tokens = 0;
  size_t turns = 0;
  for (size_t i = 0; i < p->turns.n; i++) {
    const PruneMessage *m = &p->plans[i];
    tokens += m->role == PRUNE_SYSTEM ? 0 : m->tokens;
    turns += m->role == PRUNE_USER && m->results == 0;
  }
  double mean = turns > 0 ? (double)tokens / (double)turns : (double)tokens;
  double requests = mean > 0 ? (double)p->cut.step / mean : 1;
  return requests > 1 ? requests : 1;
}

/* Tokens in front of the cut that are left out. */
static long long dropped_before(const Pruning *p) {
  long long tokens = 0;
  for (size_t i = 0; i < p->cut.first; i++) {
    tokens += p->kept[i] ? 0 : p->plans[i].tokens;
  }
  return tokens;
}

static int summarise(Pruning *p, long long room, Err *err) {
  const KeptOptions *o = &p->o;
  long long around = overhead(p);
  const SummaryAsk ask = {.turns = &p->turns,
                          .kept = p->kept,
                          .cut = p->cut.first,
                          .dropped = dropped_before(p),
                          .room = room - around,
                          .requests = requests_of(p),
                          .rule = &p->rule,
                          .model = o->model,
                          .summary_model = o->summary_model,
                          .tag = o->tag,
                          .user = o->user,
                          .conversation = o->conversation,
                          .call = p->ask->call,
                          .sends = p->ask->sends,
                          .memo = p->ask->memo};
  p->summary.why = "no room";
  if (around < 0) {
    return err_nomem(err);
  }
  if (ask.dropped == 0) {
    p->summary.why = NULL; /* nothing is older than the cut: groups of the last turns went */
  } else if (ask.room >= SUMMARY_LEAST && summary_get(p->conn, &ask, &p->summary, err) == RC_OK &&
             p->summary.text) {
    long long tokens = tokens_count(&p->rule, p->summary.text, p->summary.n);
    p->summary_tokens = tokens < 0 ? err_nomem(err), 0 : tokens + around;
  }
  if (p->summary_tokens > room) { /* one that was made for a larger budget, of one sentence */
    free(p->summary.text);
    p->summary = (Summary){.why = "no room"};
    p->summary_tokens = 0;
  }
  return err->rc;
}

/* ---- what a cut costs */

/* Where the request before ended: in front of the assistant's last message; 0: this is the first. */
static size_t end_before(const Pruning *p) {
  size_t i = p->turns.n;
  while (i > 0 && p->plans[i - 1].role != PRUNE_ASSISTANT) {
    i--;
  }
  return i > 0 ? i - 1 : 0;
}

/* 1 if turns in front of the cut were taken back: others with each question. */
static int has_related(const Pruning *p) {
  int has = 0;
  for (size_t i = 0; i < p->cut.first && p->o.older == OLDER_EXTRACT; i++) {
    has |= p->kept[i] && p->plans[i].role != PRUNE_SYSTEM && !(p->plans[i].flags & PRUNE_PINNED);
  }
  return has;
}

/* Tokens of what both requests have, without those in front of the first message that only one of them has: a provider's cache reads
** up to there, if that is long enough to be kept. */
static long long not_read(const Pruning *p, const unsigned char *before, size_t n) {
  long long same = 0, rest = 0, whole = 0;
  int differs = 0, is_related = has_related(p);
  for (size_t i = 0; i < n; i++) {
    long long tokens = p->plans[i].tokens;
    differs |= before[i] != p->kept[i] || (is_related && p->plans[i].role != PRUNE_SYSTEM);
    same += p->kept[i] && !differs ? tokens : 0;
    rest += p->kept[i] && differs ? tokens : 0;
    whole += tokens;
  }
  return whole < p->prices.floor ? 0 : same < p->prices.floor ? same + rest : rest;
}

static long long read_anew(Pruning *p, Err *err) {
  size_t n = p->ask->call && p->cut.n_dropped > 0 ? end_before(p) : 0;
  unsigned char *before = n > 0 ? calloc(n, 1) : NULL;
  Pruned cut;
  Err tight = {0};
  long long anew = 0;
  if (n > 0 && !before) {
    err_nomem(err);
  } else if (n > 0 && (p->o.by_price || find_prices(p, &p->prices, err) || err->rc == RC_OK) &&
             prune_plan(p->plans, n, &p->with, before, &cut, &tight) == RC_OK) {
    anew = not_read(p, before, n);
  }
  free(before);
  return anew;
}

/* ---- what is left */

static void add_bytes(Buf *b, const char *text, size_t n) {
  buf_puts(b, b->n > 1 ? "," : "");
  buf_add(b, text, n);
}

static void add_ours(Buf *b, const char *role, const char *head, const char *text, Err *err) {
  Buf said;
  buf_init(&said, LIMIT_REQUEST_BYTES);
  buf_puts(&said, head);
  buf_puts(&said, text);
  cJSON *message = cJSON_CreateObject();
  json_add(message, "role", cJSON_CreateString(role), err);
  json_add(message, "content", said.failed ? NULL : cJSON_CreateString(said.data), err);
  char *json = json_print(message, err);
  if (json) {
    add_bytes(b, json, strlen(json));
  }
  cJSON_free(json);
  buf_free(&said);
}

/* The next kept message that is no instruction, from i on; n: none. */
static size_t next_kept(const Pruning *p, size_t i) {
  while (i < p->turns.n && (!p->kept[i] || p->plans[i].role == PRUNE_SYSTEM)) {
    i++;
  }
  return i;
}

/* In front of which message the summary stands: the first place between two of the user's, up to the cut; else at the cut. */
static size_t place_of(const Pruning *p, int *is_between) {
  size_t i = next_kept(p, 0);
  *is_between = 0;
  for (size_t next; i < p->cut.first && !*is_between; i = next) {
    next = next_kept(p, i + 1);
    *is_between = next <= p->cut.first && p->plans[i].role == PRUNE_USER && next < p->turns.n &&
                  p->plans[next].role == PRUNE_USER;
  }
  return i;
}

static char *join(const Pruning *p, size_t *n_out, Err *err) {
  Buf b;
  int is_between = 0;
  size_t place = p->summary.text ? place_of(p, &is_between) : p->turns.n;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  buf_puts(&b, "[");
  for (size_t i = 0; i < p->turns.n; i++) {
    const Turn *t = &p->turns.at[i];
    if (i == place && !is_between) {
      add_ours(&b, "user", question, "", err);
    }
    if (i == place) {
      add_ours(&b, "assistant", is_between ? heading : "", p->summary.text, err);
    }
    if (p->kept[i]) {
      add_bytes(&b, p->turns.text + t->from, t->n);
    }
  }
  buf_puts(&b, "]");
  *n_out = b.n;
  int failed = b.failed;
  char *out = buf_take(&b);
  if (!out) {
    failed == RC_TOOBIG ? err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the messages are over %zu bytes",
                                  LIMIT_REQUEST_BYTES)
                        : err_nomem(err);
  }
  if (err->rc != RC_OK) {
    free(out);
    out = NULL;
  }
  return out;
}

/* ---- all of it */

static int prune(Pruning *p, Kept *out, Err *err) {
  long long room = 0;
  if (counter_rule(p->conn, p->o.model, &p->rule, err) != RC_OK ||
      turns_read(p->ask->messages, p->ask->n, &p->rule, &p->turns, err) != RC_OK ||
      pin(p, err) != RC_OK || plan(p, &room, err) != RC_OK) {
    return err->rc;
  }
  if (p->o.older == OLDER_EXTRACT && room > 0) {
    extract(p, err);
  } else if (p->o.older == OLDER_SUMMARY && p->cut.n_dropped > 0) {
    summarise(p, room, err);
  }
  out->text = err->rc == RC_OK ? join(p, &out->n, err) : NULL;
  out->anew = err->rc == RC_OK ? read_anew(p, err) : 0;
  out->sent = p->cut.tokens_after + p->summary_tokens;
  out->left_out = p->cut.tokens_before - out->sent;
  out->no_summary = p->summary.why;
  for (size_t i = 0; i < p->turns.n; i++) {
    out->turns += p->plans[i].role == PRUNE_USER;
  }
  return err->rc;
}

int turns_kept(Conn *conn, const KeptAsk *ask, Kept *out, Err *err) {
  Pruning p = {.conn = conn, .ask = ask};
  *out = (Kept){.n = 0};
  cJSON *given = read_options(ask->options, ask->n_options, &p.o, err);
  if (err->rc == RC_OK) {
    if (ask->call) {
      ask_call(&p.o, ask->call);
    }
    prune(&p, out, err);
  }
  free(p.summary.text);
  free(p.plans);
  free(p.kept);
  turns_free(&p.turns);
  cJSON_Delete(given);
  return err->rc;
}
