/*
** See advise.h for the contract.
*/
#include "work/advice/advise.h"

#include "base/text/json.h"
#include "core/audit/advice.h"
#include "core/audit/economics.h"
#include "money/pricing.h"
#include "work/advice/seen.h"
#include "work/audit/prefix.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MONTH_DAYS = 30,
  HOST_USD = 4000,
  WEEKS_OF_MONTH = 4 /* less than a week was seen */,
  TUNE_EXAMPLES = 500
};

#define NORMAL 1.96 /* standard deviations that 95 of 100 are within */

static const long long day_ms = 86400000;
static const char open_model[] = "openrouter/meta-llama/llama-4-maverick";

/* The work of one answer. */
typedef struct Work {
  Conn *conn;
  const AdviseAsk *ask;
  Seen seen;
  Groups *lines;
  double per_month; /* what is seen, times that, is a month */
  const char *billed;
} Work;

/* ---- a line */

/* What is said of a thing that could be done. */
typedef struct Finding {
  Advice advice;
  const SeenPair *pair; /* NULL: all of it */
  double nusd;          /* saved in what was seen */
  double low, high;
  double calls;
  const char *confidence;
} Finding;

/* As sqlite3_mprintf: %Q is an SQL string. */
static const char *words(Work *w, Err *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = sqlite3_vmprintf(format, args);
  va_end(args);
  const char *kept = text ? groups_keep(w->lines, text, err) : (err_nomem(err), NULL);
  sqlite3_free(text);
  return kept;
}

/* The control character at the front of a text, with the bytes that it takes; 0: there is none. */
static int control_at(const char *text, int *n) {
  const unsigned char *c = (const unsigned char *)text;
  *n = c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0 ? 2 : 1;
  return *n == 2 ? c[1] : (c[0] && c[0] < 0x20) || c[0] == 0x7F ? c[0] : 0;
}

/* A text as SQL. Control characters are spelt: a statement is made to be pasted, and a terminal would take them for keys. */
static const char *literal(Work *w, const char *text, Err *err) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  int has_control = 0;
  sqlite3_str_appendchar(out, 1, '\'');
  for (int n; *text; text += n) {
    int control = control_at(text, &n);
    has_control |= control;
    if (control) {
      sqlite3_str_appendf(out, "'||char(%d)||'", control);
    } else {
      sqlite3_str_appendchar(out, *text == '\'' ? 2 : 1, *text);
    }
  }
  sqlite3_str_appendchar(out, 1, '\'');
  char *sql = sqlite3_str_finish(out);
  const char *kept = sql ? words(w, err, has_control ? "(%s)" : "%s", sql) : (err_nomem(err), NULL);
  sqlite3_free(sql);
  return kept;
}

/* 95 of 100 times a month's sum is inside, if calls come as they came. */
static void set_interval(Finding *f, const SeenSum *s) {
  f->nusd = s->nusd;
  f->low = s->nusd - NORMAL * sqrt(s->squares);
  f->high = s->nusd + NORMAL * sqrt(s->squares);
}

static long long monthly(const Work *w, double nusd) {
  double most = 9e18, month = nusd * w->per_month;
  return month >= most ? LLONG_MAX : month <= -most ? -LLONG_MAX : llround(month);
}

/* "20 to 40 %", "50 %"; NULL where it is measured. */
static const char *expected(Work *w, const AdviceRule *rule, Err *err) {
  double least = 100 * rule->least, most = 100 * rule->most;
  return most <= 0       ? NULL
         : least == most ? words(w, err, "%.0f %%", most)
                         : words(w, err, "%.0f to %.0f %%", least, most);
}

/* A new line; NULL where it would save nothing, or *err. `what`, `why` and `how` are for the caller. */
static AdviseLine *add_line(Work *w, const Finding *f, Err *err) {
  char key[32];
  int n = snprintf(key, sizeof key, "%d", w->lines->n);
  int is_worth = f->nusd > 0 || f->advice == ADVICE_NONE;
  AdviseLine *l = is_worth ? groups_of_bytes(w->lines, key, (size_t)n, err) : NULL;
  const AdviceRule rule = advice_rule(f->advice);
  if (!l) {
    return NULL;
  }
  double all = w->seen.cost.nusd;
  *l = (AdviseLine){.advice = rule.word,
                    .effort = rule.effort,
                    .impact = rule.impact,
                    .step = rule.step,
                    .expected = expected(w, &rule, err),
                    .when = rule.when,
                    .confidence =
                        w->per_month > WEEKS_OF_MONTH && f->confidence[0] ? "low" : f->confidence,
                    .billed = w->billed,
                    .calls = llround(f->calls),
                    .nusd_per_month = monthly(w, f->nusd),
                    .low_nusd = monthly(w, f->low),
                    .high_nusd = monthly(w, f->high),
                    .share = all > 0 ? f->nusd / all : (double)NAN,
                    .weighted = f->nusd * rule.weight};
  const char *tag = f->pair ? f->pair->tag : NULL;
  if (f->pair && f->pair->model) {
    l->subject = tag ? words(w, err, "tag %s, %s", tag, f->pair->model)
                     : words(w, err, "%s", f->pair->model);
  } else if (f->pair) {
    l->subject = tag ? words(w, err, "tag %s", tag) : "calls without a tag";
  }
  return l;
}

/* "tag = 'x' AND coalesce(model, …" of a pair's calls, for statements. */
static const char *where(Work *w, const SeenPair *p, Err *err) {
  if (!p->model) {
    return p->tag ? words(w, err, "tag = %s", literal(w, p->tag, err)) : "tag IS NULL";
  }
  const SeenPair tag = {.tag = p->tag};
  return words(w, err, "%s AND coalesce(model, model_requested) = %s", where(w, &tag, err),
               literal(w, p->name ? p->name : p->model, err));
}

/* Options with a tag, and what follows it in the object, as an SQL string. */
static const char *option_tag(Work *w, const char *tag, const char *rest, Err *err) {
  cJSON *name = cJSON_CreateString(tag ? tag : "");
  char *quoted = name ? cJSON_PrintUnformatted(name) : NULL;
  char *json = quoted ? sqlite3_mprintf("{%s%s%s%s}", tag ? "\"tag\":" : "", tag ? quoted : "",
                                        tag && rest[0] ? "," : "", rest)
                      : NULL;
  const char *text = json ? literal(w, json, err) : (err_nomem(err), NULL);
  sqlite3_free(json);
  cJSON_free(quoted);
  cJSON_Delete(name);
  return text;
}

/* ---- leaks */

static void find_retries(Work *w, const SeenPair *p, Err *err) {
  Finding f = {
      .advice = ADVICE_RETRIES, .pair = p, .calls = p->retries.calls, .confidence = "high"};
  set_interval(&f, &p->retries);
  AdviseLine *l = p->retries.nusd * 20 >= p->cost.nusd ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what = words(w, err,
                    "%.0f of %lld calls repeat an attempt of the same request: see what fails (a "
                    "schema that the model can't keep, a limit, a timeout), and mend that",
                    p->retries.calls, p->calls);
    l->why = words(w, err,
                   "SELECT retry_reason, count(*), sum(cost_nusd) / 1e9 FROM llm_calls WHERE %s "
                   "AND attempt > 1 AND request_id IN (SELECT request_id FROM llm_calls WHERE "
                   "cost_nusd > 0 GROUP BY 1 HAVING count(*) > 1) GROUP BY 1 ORDER BY 3 DESC",
                   where(w, p, err));
    l->how = "SELECT llm_config('retries', 1)";
  }
}

static void find_prefix(Work *w, const SeenPair *p, Err *err) {
  const double often = 0.2; /* versions a call: it changes with what it is asked */
  Finding f = {.advice = ADVICE_PREFIX, .pair = p, .calls = p->prefix.calls, .confidence = "high"};
  set_interval(&f, &p->prefix);
  f.low = fmax(f.low - (p->prefix.nusd - p->prefix_near.nusd), 0);
  int changes = (double)p->versions > often * (double)p->calls;
  AdviseLine *l = changes && f.nusd * 50 >= p->cost.nusd ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what =
        words(w, err,
              "its system prompt has %lld versions in %lld calls, so the provider's cache never "
              "reads it: put what changes (a date, a name, an id) behind what does not",
              p->versions, p->calls);
    l->why = words(
        w, err, "SELECT version, first_ts, tokens, calls, system_hash FROM llm_system_prompts(%s)",
        option_tag(w, p->tag, "", err));
    l->how =
        words(w, err,
              "SELECT * FROM llm_system_diff((SELECT system_hash FROM llm_calls WHERE %s ORDER "
              "BY id DESC LIMIT 1), (SELECT system_hash FROM llm_calls WHERE %s ORDER BY id DESC "
              "LIMIT 1 OFFSET 1))",
              where(w, p, err), where(w, p, err));
  }
}

/* What a mark would have saved: of a line's prefixes at list prices, that part which is paid of these, and no more than all of it. */
static double saved_by_mark(const PrefixLine *line, long long best) {
  double rate = line->listed_nusd > 0 ? line->paid_nusd / line->listed_nusd : 1;
  return fmin(rate * (double)(line->none_nusd - best), line->cost_nusd);
}

/* Prefixes that are the same again and again, where the provider keeps only what is marked; what a lifetime would have come to is
** tried on the times at which calls came. */
static void find_mark(Work *w, const PrefixLine *line, Err *err) {
  const SeenPair about = {.tag = line->tag, .model = line->model, .name = line->model};
  long long five = line->five_minutes_nusd, hour = line->hour_nusd;
  long long best = five != LEDGER_NULL && (hour == LEDGER_NULL || five <= hour) ? five : hour;
  if (best == LEDGER_NULL || line->none_nusd == LEDGER_NULL || line->hits * 10 > line->eligible ||
      line->calls < w->ask->min_calls || strcmp(line->billed, w->billed) != 0) {
    return;
  }
  double saved = saved_by_mark(line, best);
  Finding f = {.advice = ADVICE_MARK_PREFIX,
               .pair = &about,
               .nusd = saved,
               .low = saved * 0.8, /* (calls will come at other times) */
               .high = saved,
               .calls = (double)line->calls,
               .confidence = "high"};
  AdviseLine *l = saved * 50 > line->cost_nusd ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what =
        "its system prompt is the same again and again, and is paid in full each time: mark it for "
        "the provider's cache";
    l->why = words(w, err,
                   "SELECT calls, within_5m, within_1h, no_cache_usd, ttl_5m_usd, ttl_1h_usd FROM "
                   "llm_prefix_cache(%s)",
                   option_tag(w, line->tag, "", err));
    l->how = words(w, err,
                   "SELECT llm_complete(question, json_object('model', %s, 'prompt_cache', '%s')) "
                   "FROM questions",
                   literal(w, line->model ? line->model : "auto", err), best == five ? "5m" : "1h");
  }
}

static void find_marks(Work *w, const AuditAsk *rows, Err *err) {
  Groups lines;
  if (prefix_read(w->conn, rows, &lines, err) == RC_OK) {
    for (int i = 0; i < lines.n && err->rc == RC_OK; i++) {
      find_mark(w, (const PrefixLine *)(const void *)lines.records + i, err);
    }
  }
  groups_free(&lines);
}

static void find_compress(Work *w, const SeenPair *p, Err *err) {
  enum { LONG = 1000 };
  const AdviceRule rule = advice_rule(ADVICE_COMPRESS);
  double mean = p->sampled > 0 ? p->system_tokens / p->sampled : 0;
  Finding f = {.advice = ADVICE_COMPRESS,
               .pair = p,
               .calls = (double)p->calls,
               .nusd = p->system_cost.nusd * (rule.least + rule.most) / 2,
               .low = p->system_cost.nusd * rule.least,
               .high = p->system_cost.nusd * rule.most,
               .confidence = "medium"};
  AdviseLine *l = mean >= LONG ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what =
        words(w, err,
              "its system prompt has %.0f tokens: 20 to 40 %% of such prompts are repeated rules, "
              "stale examples and format that a schema could ask for",
              mean);
    l->why =
        words(w, err, "SELECT version, tokens, grown_by, usd_per_day FROM llm_system_prompts(%s)",
              option_tag(w, p->tag, "", err));
    l->how = words(
        w, err,
        "SELECT kind, tokens, usd_day, found, suggestion, changed FROM llm_lint((SELECT text FROM "
        "llm_texts WHERE hash = (SELECT system_hash FROM llm_calls WHERE %s ORDER BY id DESC "
        "LIMIT 1)))",
        where(w, p, err));
  }
}

/* The median output, by bins; and what is beyond twice that, in tokens. */
static double median_output(const SeenPair *p, double *beyond) {
  double half = 0, all = 0, median = 0;
  for (int i = 0; i < SEEN_BINS; i++) {
    all += p->outputs[i];
  }
  for (int i = 0; i < SEEN_BINS && half * 2 < all; i++) {
    half += p->outputs[i];
    median = seen_bin_tokens(i);
  }
  *beyond = 0;
  for (int i = 0; i < SEEN_BINS; i++) {
    double over = seen_bin_tokens(i) - 2 * median;
    *beyond += over > 0 ? over * p->outputs[i] : 0;
  }
  return median;
}

static void find_length(Work *w, const SeenPair *p, Err *err) {
  const double sentence =
      16; /* tokens: where half is a word, others do other work, and a limit would cut it */
  const AdviceRule rule = advice_rule(ADVICE_LENGTH);
  double beyond, median = median_output(p, &beyond);
  double price = p->output_tokens > 0 ? p->output_cost.nusd / p->output_tokens : 0;
  Finding f = {.advice = ADVICE_LENGTH,
               .pair = p,
               .calls = (double)p->calls,
               .nusd = beyond * price,
               .low = beyond * price / 2,
               .high = fmax(beyond * price, p->output_cost.nusd * rule.most),
               .confidence = "low"};
  int is_tailed =
      median >= sentence && f.nusd >= rule.least / 2 * p->output_cost.nusd && p->cut == 0;
  AdviseLine *l = is_tailed ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what =
        words(w, err,
              "half of its answers have at most %.0f tokens, and some many times that; no limit "
              "ever ended one",
              median);
    l->why =
        words(w, err,
              "SELECT output_tokens, cost_nusd / 1e9, id FROM llm_calls WHERE %s ORDER BY 1 DESC "
              "LIMIT 20",
              where(w, p, err));
    l->how = words(w, err, "SELECT llm_complete(question, '{\"max_tokens\":%.0f}') FROM questions",
                   2 * median);
  }
}

/* ---- models, caches, batches */

static void find_route(Work *w, const SeenPair *p, Err *err) {
  const double worth = 0.3; /* of what these calls cost */
  Finding f = {.advice = ADVICE_ROUTE, .pair = p, .calls = p->simple_calls};
  set_interval(&f, &p->simple);
  f.confidence = p->read_calls * 2 >= p->sampled ? "medium" : "low";
  double of = p->sampled > 0 ? p->cost.nusd * p->simple_calls / p->sampled : 0;
  if (f.nusd <= 0 || f.nusd < worth * of || f.low <= 0) {
    return;
  }
  AdviseLine *l = add_line(w, &f, err);
  if (l) {
    l->what =
        words(w, err,
              "%.0f of %lld calls look easy%s, and %s would do them for less: let them be routed, "
              "with a gate or an audit to see that answers stay good",
              p->simple_calls, p->calls,
              p->read_calls * 2 >= p->sampled ? "" : " by their shape (nobody kept their text)",
              w->seen.simple_model);
    l->why =
        words(w, err,
              "SELECT id, input_tokens, output_tokens, cost_nusd / 1e9 FROM llm_calls WHERE %s "
              "ORDER BY output_tokens LIMIT 20",
              where(w, p, err));
    l->how = words(w, err,
                   "SELECT llm_complete(question, json_object('model', "
                   "iif(llm_route_score(question) < %!.15g, %s, %s))) FROM questions",
                   w->seen.simple_max, literal(w, w->seen.simple_model, err),
                   literal(w, p->name ? p->name : p->model, err));
  }
}

static void find_successor(Work *w, const SeenPair *p, Err *err) {
  Finding f = {.advice = ADVICE_SUCCESSOR,
               .pair = p,
               .calls = p->successor_saves.calls,
               .confidence = "high"};
  set_interval(&f, &p->successor_saves);
  AdviseLine *l = p->successor && f.low > 0 ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what = words(
        w, err, "its maker replaced it by %s, which is better by its maker's word and cheaper%s",
        p->successor, p->embeddings ? ": embed all of it anew, the two can't be compared" : "");
    l->why = words(w, err, "SELECT llm_price(%s, 'input'), llm_price(%Q, 'input')",
                   literal(w, p->model, err), p->successor);
    l->how = words(w, err,
                   p->embeddings
                       ? "SELECT embed(question, %Q) FROM questions"
                       : "SELECT llm_complete(question, json_object('model', %Q)) FROM questions",
                   p->successor);
  }
}

/* By how many standard errors one share of good answers is larger than another (of two proportions, unpooled). */
static double z_of(const SeenPair *better, const SeenPair *worse) {
  double n = better->alike.calls, m = worse->alike.calls;
  double p = better->alike_good / n, q = worse->alike_good / m;
  double variance = p * (1 - p) / n + q * (1 - q) / m;
  return variance > 0 ? (p - q) / sqrt(variance) : p > q ? INFINITY : 0;
}

/* What a mean call of a pair would save at another pair's model, cold; at most 0 where nobody says, or nothing. */
static double saved_each(Work *w, const SeenPair *p, const SeenPair *other, Err *err) {
  const Model model = {.name = other->name, .provider = other->provider};
  double calls = p->alike.calls;
  long long there = pricing_of_tokens(w->conn, &model, llround(p->alike_input / calls),
                                      llround(p->alike_output / calls), err);
  return there < 0 ? 0 : p->alike.nusd / calls - (double)there;
}

static int has_enough(const Work *w, const SeenPair *p) {
  return p->alike.calls >= w->ask->min_calls;
}

/* Of the models that do the same work, the one that saves most of those whose answers fail significantly less often (schemas, gates,
** refusals: what is an error and was paid). */
static const SeenPair *better_of(Work *w, const SeenPair *p, const SeenPair *const *peers, int n,
                                 double *saved, Err *err) {
  const SeenPair *best = NULL;
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    int is_peer = peers[i] != p && has_enough(w, peers[i]) && peers[i]->name;
    double each = is_peer && z_of(peers[i], p) > NORMAL ? saved_each(w, p, peers[i], err) : 0;
    if (each > *saved) {
      *saved = each;
      best = peers[i];
    }
  }
  return best;
}

/* A model that costs more than another of the same tag, and fails more often. */
static void find_dominated(Work *w, const SeenPair *p, const SeenPair *const *peers, int n_peers,
                           Err *err) {
  double saved = 0, n = p->alike.calls;
  const SeenPair *better = has_enough(w, p) ? better_of(w, p, peers, n_peers, &saved, err) : NULL;
  const SeenPair tag = {.tag = p->tag};
  Finding f = {.advice = ADVICE_SUCCESSOR,
               .pair = p,
               .calls = n,
               .nusd = saved * n,
               .low = saved * (n - NORMAL * sqrt(n)),
               .high = saved * (n + NORMAL * sqrt(n)),
               .confidence = "medium"};
  AdviseLine *l = better && err->rc == RC_OK ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what =
        words(w, err,
              "it costs more than %s for the same work, and %.0f %% of its paid answers failed "
              "there, of that one's %.0f %%",
              better->model, 100 - 100 * p->alike_good / n,
              100 - 100 * better->alike_good / better->alike.calls);
    l->why = words(w, err,
                   "SELECT coalesce(model, model_requested), count(*), avg(error IS NOT NULL), "
                   "avg(cost_nusd) / 1e9 FROM llm_calls WHERE %s AND cost_nusd > 0 AND (attempt <= "
                   "1 AND kind = 'call' OR kind = 'batch') AND coalesce(purpose, tier_drawn, "
                   "escalated_from) IS NULL GROUP BY 1",
                   where(w, &tag, err));
    l->how = words(w, err, "SELECT llm_complete(question, json_object('model', %s)) FROM questions",
                   literal(w, better->name, err));
  }
}

static int compare_tags(const void *a, const void *b) {
  const SeenPair *const *x = a, *const *y = b;
  int by = groups_compare_texts((*x)->tag, (*y)->tag);
  return by ? by : groups_compare_texts((*x)->model, (*y)->model);
}

/* Models of the same tag beside each other. */
static void compare_models(Work *w, Err *err) {
  const SeenPair *pairs = (const SeenPair *)(const void *)w->seen.pairs.records;
  int n = w->seen.pairs.n;
  const SeenPair **sorted = malloc((size_t)(n > 0 ? n : 1) * sizeof *sorted);
  if (!sorted) {
    err_nomem(err);
    return;
  }
  for (int i = 0; i < n; i++) {
    sorted[i] = &pairs[i];
  }
  qsort(sorted, (size_t)n, sizeof *sorted, compare_tags);
  for (int from = 0, to; from < n; from = to) {
    for (to = from; to < n && groups_compare_texts(sorted[to]->tag, sorted[from]->tag) == 0; to++) {
    }
    for (int i = from; i < to && err->rc == RC_OK; i++) {
      find_dominated(w, sorted[i], sorted + from, to - from, err);
    }
  }
  free(sorted);
}

static void find_cache(Work *w, const SeenPair *p, Err *err) {
  const AdviceRule rule = advice_rule(ADVICE_CACHE);
  Finding f = {.advice = ADVICE_CACHE, .pair = p, .calls = p->repeats.calls, .confidence = "high"};
  set_interval(&f, &p->repeats);
  f.high = fmax(f.high, rule.most * p->cost.nusd); /* the same question in other words */
  AdviseLine *l = f.nusd * 20 >= p->cost.nusd ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what =
        words(w, err,
              "%.0f of %lld calls ask, word for word, what was asked before; others may in other "
              "words",
              p->repeats.calls, p->calls);
    l->why = words(
        w, err,
        "SELECT prompt_hash, count(*), sum(cost_nusd) / 1e9 FROM llm_calls WHERE %s AND kind "
        "IN ('call', 'batch', 'embed') GROUP BY 1 HAVING count(*) > 1 ORDER BY 3 DESC LIMIT 20",
        where(w, p, err));
    l->how = "SELECT llm_config('cache', 'exact')";
  }
}

/* The tag of a pair. */
static const SeenTag *tag_of(const Work *w, const SeenPair *p) {
  return (const SeenTag *)(const void *)w->seen.tags.records + p->tag_at;
}

/* 1 if a tag's calls come in runs: in few quarters of an hour, and many in each. */
static int comes_in_runs(const SeenTag *t) {
  const long long quarter = 900000, few = 10, many = 10;
  long long span = (t->last_ts - t->first_ts) / quarter + 1;
  return span >= 4 * 24 && t->quarters * few <= span && t->calls >= many * t->quarters;
}

static void find_batch(Work *w, const SeenPair *p, Err *err) {
  const SeenTag *t = tag_of(w, p);
  AdviceWait wait = advice_may_wait(p->tag);
  int in_runs = comes_in_runs(t);
  if (wait == WAIT_NEVER || t->conversing > 0 || (wait != WAIT_PROBABLY && !in_runs)) {
    return;
  }
  Finding f = {.advice = ADVICE_BATCH,
               .pair = p,
               .calls = p->batch.calls,
               .confidence = in_runs && wait == WAIT_PROBABLY ? "high" : "medium"};
  set_interval(&f, &p->batch);
  AdviseLine *l = f.low > 0 ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what = words(w, err, "nobody seems to wait for it (%s%s%s): a batch costs half as a rule",
                    in_runs ? "its calls come in runs" : "",
                    in_runs && wait == WAIT_PROBABLY ? ", and " : "",
                    wait == WAIT_PROBABLY ? "its tag's name says so" : "");
    l->why = words(
        w, err,
        "SELECT strftime('%%H', time), count(*), sum(cost_nusd) / 1e9 FROM llm_calls WHERE %s "
        "GROUP BY 1",
        where(w, p, err));
    l->how = words(
        w, err,
        "INSERT INTO batch_submit(prompt, model, tag) SELECT question, %s, %s FROM questions",
        literal(w, p->name ? p->name : p->model, err), literal(w, p->tag ? p->tag : "batch", err));
  }
}

/* ---- a model of one's own */

static void find_tune(Work *w, const SeenPair *p, Err *err) {
  const double setup_usd = 200, weeks_4 = 28;
  const AdviceRule rule = advice_rule(ADVICE_TUNE);
  const SeenTag *t = tag_of(w, p);
  double kept = (double)(t->last_ts - (t->versions > 1 ? t->last_version_ts : t->first_ts));
  Finding f = {.advice = ADVICE_TUNE,
               .pair = p,
               .calls = (double)p->calls,
               .nusd = p->cost.nusd * (rule.least + rule.most) / 2,
               .low = p->cost.nusd * rule.least,
               .high = p->cost.nusd * rule.most,
               .confidence = "low"};
  int is_narrow = p->tag && p->versions == 1 && p->good >= TUNE_EXAMPLES &&
                  kept >= (weeks_4 - 2) * (double)day_ms;
  int is_dear = p->small.nusd * 2 >= p->cost.nusd; /* a small one costs half at most */
  int pays = (double)monthly(w, f.low) >= setup_usd * 1e9 && is_dear;
  AdviseLine *l = is_narrow && pays ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what = words(
        w, err,
        "one task (its system prompt did not change for weeks), %lld answers to learn from, and "
        "enough traffic: a small model could have learnt it",
        p->good);
    const char *rest = words(w, err,
                             "\"to\":\"gpt-4o-mini\",\"setup_usd\":[50,200],\"examples\":%lld,"
                             "\"stable\":true",
                             p->good);
    l->why = rest
                 ? words(w, err, "SELECT * FROM llm_finetune(%s)", option_tag(w, p->tag, rest, err))
                 : NULL;
    l->how = l->why;
  }
}

static void find_hosting(Work *w, Err *err) {
  const AdviceRule rule = advice_rule(ADVICE_HOST);
  const SeenPair *pairs = (const SeenPair *)(const void *)w->seen.pairs.records;
  double all = w->seen.cost.nusd;
  SeenSum open = {0};
  if ((double)monthly(w, all) / 1e9 < ECONOMICS_OPS_DOMINATE_USD) {
    return;
  }
  for (int i = 0; i < w->seen.pairs.n; i++) {
    open.nusd += pairs[i].open_model.nusd > 0 ? pairs[i].open_model.nusd : 0;
    open.squares += pairs[i].open_model.squares;
    open.calls += pairs[i].open_model.calls;
  }
  Finding f = {.advice = ADVICE_SERVERLESS, .calls = open.calls, .confidence = "low"};
  set_interval(&f, &open);
  AdviseLine *l = f.nusd > 0 ? add_line(w, &f, err) : NULL;
  if (l) {
    l->what = words(w, err,
                    "%s, served by others, at the tokens of your calls: try it on a share of "
                    "them before you rent machines",
                    open_model);
    l->why = words(w, err, "SELECT * FROM llm_selfhost('{\"serverless\":\"%s\"}')", open_model);
    l->how = words(w, err, "SELECT llm_complete(question, '{\"model\":\"%s\"}') FROM questions",
                   open_model);
  }
  const double fixed = HOST_USD * 1e9 / w->per_month; /* of what was seen */
  Finding host = {.advice = ADVICE_HOST,
                  .nusd = all * (rule.least + rule.most) / 2 - fixed,
                  .low = all * rule.least - fixed,
                  .high = all * rule.most - fixed,
                  .calls = (double)w->seen.calls,
                  .confidence = "low"};
  l = err->rc == RC_OK && host.nusd > 0 ? add_line(w, &host, err) : NULL;
  if (l) {
    l->what =
        "at that volume machines of your own can pay, if somebody runs them: the range is that of "
        "published comparisons, less $2,000 a month of rent and as much of work";
    l->why = l->how =
        words(w, err,
              "SELECT * FROM llm_selfhost('{\"serverless\":\"%s\",\"hosting\":"
              "{\"name\":\"A100\",\"usd_per_month\":2000,\"requests_per_month_each\":4000000},"
              "\"ops_usd_per_month\":2000}')",
              open_model);
  }
}

/* ---- all of it */

typedef void (*Rule)(Work *w, const SeenPair *p, Err *err);

static void follow(Work *w, const Rule *rules, const Groups *groups, Err *err) {
  const SeenPair *pairs = (const SeenPair *)(const void *)groups->records;
  for (int i = 0; i < groups->n; i++) {
    for (int r = 0; rules[r] && pairs[i].calls >= w->ask->min_calls && err->rc == RC_OK; r++) {
      rules[r](w, &pairs[i], err);
    }
  }
}

static void find_all(Work *w, Err *err) {
  static const Rule of_tags[] = {find_retries, find_prefix, find_compress,
                                 find_length,  find_cache,  NULL};
  static const Rule of_models[] = {find_successor, find_route, find_batch, find_tune, NULL};
  follow(w, of_tags, &w->seen.wholes, err);
  follow(w, of_models, &w->seen.pairs, err);
  if (err->rc == RC_OK) {
    compare_models(w, err);
  }
  if (err->rc == RC_OK) {
    find_hosting(w, err);
  }
}

static int compare_lines(const void *a, const void *b) {
  const AdviseLine *x = a, *y = b;
  int by = (x->weighted < y->weighted) - (x->weighted > y->weighted);
  by = by ? by : strcmp(x->advice, y->advice);
  return by ? by : groups_compare_texts(x->subject, y->subject);
}

/* Where nothing is to be said, that. */
static void say_nothing(Work *w, Err *err) {
  const Finding none = {.advice = ADVICE_NONE, .calls = (double)w->seen.calls, .confidence = ""};
  AdviseLine *l = add_line(w, &none, err);
  if (!l) {
    return;
  }
  l->nusd_per_month = l->low_nusd = l->high_nusd = LLONG_MIN;
  l->share = (double)NAN;
  l->step = LEDGER_NULL;
  l->effort = l->impact = l->confidence = l->when = NULL;
  l->what =
      w->seen.calls < w->ask->min_calls
          ? words(w, err, "%lld calls that cost something: advice needs %d at least (min_calls)",
                  w->seen.calls, w->ask->min_calls)
          : words(w, err,
                  "nothing was found that would save more than a few percent, in %lld calls",
                  w->seen.calls);
}

static void rank_lines(Groups *lines) {
  groups_sort(lines, compare_lines);
  AdviseLine *all = (AdviseLine *)(void *)lines->records;
  for (int i = 0; i < lines->n; i++) {
    all[i].rank = i + 1;
  }
}

/* What was paid, or where nothing was what is at list prices. */
static int read_seen(Work *w, Store *store, AuditAsk rows, Err *err) {
  rows.order = AUDIT_BY_TIME;
  rows.is_paid = 1;
  w->billed = "paid";
  if (seen_read(&w->seen, store, &rows, err) == RC_OK && w->seen.calls == 0) {
    seen_free(&w->seen);
    rows.is_paid = 0;
    seen_read(&w->seen, store, &rows, err);
    w->billed = w->seen.calls > 0 ? "list" : "paid";
  }
  return err->rc;
}

/* The time that is looked at: up to the newest call, and the thirty days before it. A month is thirty days: what is seen is a
** part of one, or several; of one in which nothing happened until its last day it is the whole, if the ledger is older. */
static int find_month(Work *w, Store *store, AuditAsk *rows, Err *err) {
  AuditEnds ends;
  if (audit_ends(store, rows->to, &ends, err) == RC_OK) {
    long long until = rows->to == LLONG_MAX ? ends.last : rows->to;
    rows->from = rows->from == LLONG_MIN ? ends.last - MONTH_DAYS * day_ms : rows->from;
    long long since =
        w->ask->from == LLONG_MIN && ends.first > rows->from ? ends.first : rows->from;
    w->per_month = MONTH_DAYS / fmax((double)(until - since) / (double)day_ms, 1);
  }
  return err->rc;
}

/* (As pricing_refresh read it: reading it again would free the prices that are borrowed from it.) */
static void use_tiers(Work *w, Err *err) {
  const Config *config = w->conn->config;
  w->seen.open_model = open_model;
  if (err->rc == RC_OK && config->n_tiers > 0) {
    w->seen.simple_model = words(w, err, "%s", config->tiers[0].model);
    w->seen.simple_max = config->tiers[0].max_score;
  }
}

int advise_read(Conn *conn, const AdviseAsk *ask, Groups *lines, Err *err) {
  Work w = {.conn = conn, .ask = ask, .lines = lines, .seen = {.conn = conn}, .billed = "paid"};
  Store *store = pricing_refresh(conn, NULL, err) == RC_OK ? conn_store(conn, 0, err) : NULL;
  AuditAsk rows = AUDIT_ALL;
  groups_init(lines, sizeof(AdviseLine));
  use_tiers(&w, err);
  rows.tag = ask->tag;
  rows.from = ask->from;
  rows.to = ask->to;
  if (store && err->rc == RC_OK && find_month(&w, store, &rows, err) == RC_OK &&
      read_seen(&w, store, rows, err) == RC_OK) {
    find_all(&w, err);
    find_marks(&w, &rows, err);
  }
  if (err->rc == RC_OK && lines->n == 0) {
    say_nothing(&w, err);
  }
  seen_free(&w.seen);
  if (err->rc == RC_OK) {
    rank_lines(lines);
  }
  return err->rc;
}
