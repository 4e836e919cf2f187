/*
** See linted.h for the contract.
**
** What a finding costs a day, with T tokens of the text and t of the finding:
**
**   what moves    calls a day × (price of T − price of T where the provider's cache keeps it) × t / T; of a date one
**   call a day,
**                 for the cache is cold once a day and no more
**   another order the same; where the ledger has the prompt, times the share of its texts that came in another order
**   than the one
**                 before them
**   below the floor               nothing: to make a prompt longer is no advice
**   no limit of length            nobody knows: how long answers would be with one is not in any ledger
**   all else                      calls a day × price of t as fresh input
*/
#include "work/prompts/linted.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "core/price/catalogue.h"
#include "money/counter.h"
#include "money/pricing.h"
#include "store/audit/arrivals.h"
#include "work/prompts/answers_schema.h"
#include "work/prompts/sent_prompts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct LintCall {
  const char *model;
  double calls_day;
  const cJSON *schema;
  const char *before;
} LintCall;

#define INTO(type, member) SPEC_INTO(LintCall, type, member)
static const Spec specs[] = {
    {"model", INTO(TEXT, model)},
    {"calls_day", INTO(NUMBER, calls_day), .max = 1e12},
    {"schema", SPEC_OTHER, .at = offsetof(LintCall, schema), .take = answers_schema_take},
    {"before", INTO(TEXT, before)},
};
static const SpecHint hints[] = {
    {"calls", "calls_day"}, {"json_schema", "schema"}, {"last", "before"}, {NULL, NULL}};
static const SpecTable table = {"option", ERR_BAD_OPTION, "model",
                                hints,    specs,          sizeof specs / sizeof specs[0]};

/* One prompt, as it is looked through. */
typedef struct Work {
  Conn *conn;
  MovingFinder *finder;
  Model model; /* borrows; no name: none is known */
  TokenRule rule;
  long long floor;
  int wants_marks;
  JsonFields *fields; /* owned: of the option `schema` */
} Work;

/* One prompt: its text, what it came in another order as, and what the ledger knows of it. */
typedef struct Prompt {
  const char *text, *before; /* before: NULL where that is not known */
  size_t n, n_before;
  const SentPrompt *sent; /* NULL: the ledger has none */
} Prompt;

static long long count_tokens(void *arg, const char *text, size_t n) {
  return tokens_count(&((Work *)arg)->rule, text, n);
}

/* A prefix that was written was not too short, whatever the catalogue says. */
static void learn_floor(Work *w, Err *err) {
  const ArrivalsAsk ask = {.model = w->model.name, .now_ms = now_ms()};
  Store *store = conn_store(w->conn, 0, err);
  Arrivals seen;
  if (store && arrivals_read(store, &ask, &seen, err) == RC_OK && seen.least >= 0 &&
      seen.least < w->floor) {
    w->floor = seen.least;
  }
}

/* Whose tokens, and the least prefix that is kept; of a model that nobody knows, or none, -1. */
static int measure(Work *w, Err *err) {
  PricingAsk ask = {.model = w->model.name, .provider = w->model.provider, .at_ms = now_ms()};
  w->floor = -1;
  w->wants_marks = 0;
  if (counter_rule(w->conn, w->model.name, &w->rule, err) != RC_OK || !w->model.name) {
    return err->rc;
  }
  const PriceRef *ref = pricing_find(w->conn, &ask, err);
  /* Anthropic's models keep only what is marked, whoever sells them. */
  w->wants_marks = strcasestr(w->model.name, "claude") != NULL;
  if (ref && ref->bare) {
    w->floor = catalogue_cache_minimum(ref->seller.vendor, ref->bare, ask.at_ms);
    learn_floor(w, err);
  }
  return err->rc;
}

static double usd(long long nusd) {
  return nusd < 0 ? (double)NAN : (double)nusd / 1e9;
}

/* One call a day reads nothing that another wrote. */
static double usd_of_moving(const Work *w, const Lint *lint, const LintFinding *f, double calls,
                            Err *err) {
  const PrefixAsk ask = {.tokens = lint->tokens,
                         .sharers = calls < 2     ? 2
                                    : calls > 1e9 ? 1000000000
                                                  : (int)calls};
  double fresh = usd(pricing_of_tokens(w->conn, &w->model, lint->tokens, 0, err));
  double kept = usd(pricing_of_shared(w->conn, &w->model, lint->tokens, &ask, 0, err));
  double of_one = (fresh - kept) * (double)f->tokens / (double)lint->tokens;
  int is_daily = f->kind == LINT_VOLATILE_PREFIX && f->moving == MOVING_DAY;
  double gain = of_one * (is_daily ? fmin(1, calls) : calls);
  return calls < 2 && !isnan(gain) ? 0 : gain;
}

/* What a finding costs a day; NAN: nobody says. */
static double usd_day(const Work *w, const Lint *lint, const LintFinding *f, double calls,
                      Err *err) {
  if (f->kind == LINT_NO_LENGTH_LIMIT) {
    return (double)NAN;
  }
  if (f->tokens == 0 || f->kind == LINT_BELOW_FLOOR) {
    return 0;
  }
  if (!w->model.name || isnan(calls)) {
    return (double)NAN;
  }
  return f->kind == LINT_VOLATILE_PREFIX || f->kind == LINT_UNSTABLE_ORDER
             ? usd_of_moving(w, lint, f, calls, err)
             : calls * usd(pricing_of_tokens(w->conn, &w->model, f->tokens, 0, err));
}

/* The share of the calls that came with another text, or in another order, than the one before them; 1 where the ledger has none. */
static double share_moved(const LintFinding *f, const SentPrompt *sent) {
  long long moves = f->kind == LINT_UNSTABLE_ORDER ? (sent ? sent->orders : 0)
                    : f->kind == LINT_VOLATILE_PREFIX && f->moving == MOVING_SEEN
                        ? (sent ? sent->texts - 1 : 0)
                        : 0;
  return moves > 0 && sent->calls > 1 ? fmin(1, (double)moves / (double)(sent->calls - 1)) : 1;
}

static int look(Work *w, const Prompt *p, Linted *out, Err *err) {
  const SentPrompt *sent = p->sent;
  const LintOptions o = {.floor = w->floor,
                         .count = count_tokens,
                         .arg = w,
                         .wants_marks = w->wants_marks,
                         .fields = w->fields,
                         .before = p->before,
                         .n_before = p->n_before,
                         .moves = sent ? sent->moves : NULL,
                         .n_moves = sent ? sent->n_moves : 0,
                         .answers = sent ? sent->answers : 0,
                         .long_answers = sent ? sent->long_answers : 0,
                         .answer_tokens = sent ? sent->answer_tokens : 0};
  out->text = malloc(p->n + 1);
  if (!out->text) {
    return err_nomem(err);
  }
  memcpy(out->text, p->text, p->n);
  out->text[p->n] = 0;
  out->n = p->n;
  if (lint_text(w->finder, out->text, p->n, &o, &out->lint, err) != RC_OK) {
    return err->rc;
  }
  out->usd_day = calloc(out->lint.n + 1, sizeof *out->usd_day);
  if (!out->usd_day) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < out->lint.n && err->rc == RC_OK; i++) {
    const LintFinding *f = &out->lint.at[i];
    out->usd_day[i] = usd_day(w, &out->lint, f, share_moved(f, sent) * out->calls_day, err);
  }
  return err->rc;
}

static char *copy_of(const char *text, Err *err) {
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy) {
    err_nomem(err);
  }
  return copy;
}

/* Looks through one prompt: the ledger says how often it is sent and to whom, unless the options do. */
static int add(Work *w, const Prompt *p, const LintCall *call, double days, LintedList *out,
               Err *err) {
  const SentPrompt *sent = p->sent;
  Linted *one = &out->at[out->n++];
  memset(one, 0, sizeof *one);
  w->model = (Model){.name = call->model ? call->model
                             : sent      ? sent->model
                                         : NULL,
                     .provider = !call->model && sent ? sent->provider : NULL};
  one->calls = sent ? sent->calls : -1;
  one->calls_day = call->calls_day >= 0 ? call->calls_day
                   : sent               ? (double)sent->calls / days
                                        : (double)NAN;
  one->system_hash = copy_of(sent ? sent->hash : NULL, err);
  one->model = copy_of(w->model.name, err);
  if (err->rc == RC_OK && measure(w, err) == RC_OK) {
    look(w, p, one, err);
  }
  return err->rc;
}

/* A text as it is sent to the model that it is sent to most; to one that the options name, all its calls. */
static int add_text(Work *w, const char *text, size_t n, const LintCall *call,
                    const SentPrompts *all, LintedList *out, Err *err) {
  SentPrompt sum = {.calls = 0};
  Hash key;
  if (sent_prompts_key(w->finder, text, n, &key, err) != RC_OK) {
    return err->rc;
  }
  for (size_t i = 0; i < all->n; i++) {
    const SentPrompt *p = &all->at[i];
    if (sent_prompt_is(p, &key) && (call->model || !sum.calls)) {
      long long calls = sum.calls + p->calls;
      sum = sum.calls ? sum : *p;
      sum.calls = calls;
    }
  }
  const Prompt p = {.text = text,
                    .n = n,
                    .before = call->before,
                    .n_before = call->before ? strlen(call->before) : 0,
                    .sent = sum.calls ? &sum : NULL};
  return add(w, &p, call, all->days, out, err);
}

static int add_sent(Work *w, const LintCall *call, const SentPrompts *all, LintedList *out,
                    Err *err) {
  for (size_t i = 0; i < all->n && i < LINTED_MOST && err->rc == RC_OK; i++) {
    const SentPrompt *sent = &all->at[i];
    Prompt p = {.sent = sent};
    char *text = sent_prompts_text(w->conn, sent->hash, &p.n, err);
    char *before =
        text && sent->before ? sent_prompts_text(w->conn, sent->before, &p.n_before, err) : NULL;
    p.text = text;
    p.before = before;
    if (text && err->rc == RC_OK) {
      add(w, &p, call, all->days, out, err);
    }
    free(text);
    free(before);
  }
  return err->rc;
}

static int read_options(const char *options, size_t n, LintCall *call, cJSON **doc, Err *err) {
  spec_init(&table, call);
  *doc = options ? spec_parse(&table, options, n, err) : NULL;
  if (*doc) {
    spec_read(&table, 0, *doc, call, err);
  }
  return err->rc;
}

static int read_all(Work *w, const char *text, size_t n, const LintCall *call, LintedList *out,
                    Err *err) {
  SentPrompts all = {.days = 1};
  int is_told = text && !isnan(call->calls_day); /* then the ledger need not be read */
  if (pricing_refresh(w->conn, NULL, err) != RC_OK ||
      (!is_told && sent_prompts_read(w->conn, w->finder, &all, err) != RC_OK)) {
    return err->rc;
  }
  out->at = calloc(text ? 1 : all.n + 1, sizeof *out->at);
  if (!out->at) {
    err_nomem(err);
  } else if (text) {
    add_text(w, text, n, call, &all, out, err);
  } else {
    add_sent(w, call, &all, out, err);
  }
  sent_prompts_free(&all);
  return err->rc;
}

int linted_read(Conn *conn, const char *text, size_t n, const char *options, size_t n_options,
                LintedList *out, Err *err) {
  Work w = {.conn = conn};
  LintCall call = {.schema = NULL};
  cJSON *doc = NULL;
  size_t bad_at;
  memset(out, 0, sizeof *out);
  if (read_options(options, n_options, &call, &doc, err) == RC_OK && text &&
      !utf8_is_valid(text, n, &bad_at)) {
    err_set(err, RC_ERROR, ERR_BAD_UTF8, "the text is not valid UTF-8 (byte %zu)", bad_at);
  }
  w.fields = err->rc == RC_OK ? answers_schema_fields(call.schema, err) : NULL;
  w.finder = err->rc == RC_OK ? moving_open(err) : NULL;
  if (w.finder) {
    read_all(&w, text, n, &call, out, err);
  }
  moving_close(w.finder);
  json_fields_free(w.fields);
  cJSON_Delete(doc);
  if (err->rc != RC_OK) {
    linted_free(out);
  }
  return err->rc;
}

void linted_free(LintedList *list) {
  for (size_t i = 0; i < list->n; i++) {
    Linted *one = &list->at[i];
    lint_free(&one->lint);
    free(one->text);
    free(one->usd_day);
    free(one->system_hash);
    free(one->model);
  }
  free(list->at);
  memset(list, 0, sizeof *list);
}
