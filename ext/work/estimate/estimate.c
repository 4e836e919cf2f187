/*
** See estimate.h for the contract. A request that is to be sent is kept as its token counts: prices are by request, since
** some go by its size, so sums could not be priced.
*/
#include "work/estimate/estimate.h"

#include "base/sqlite/select.h"
#include "money/counter.h"
#include "money/pricing.h"
#include "trust/access.h"
#include "work/estimate/depends.h"
#include "work/estimate/look.h"
#include "work/estimate/weigh.h"
#include "work/estimate/seers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A model that is asked, under one system prompt and with one tag: how long its answers are. */
typedef struct Target {
  Model model; /* owned texts */
  char system_hash[HASH_HEX_SIZE];
  Hash tag;           /* zeros: any */
  char reasoning[32]; /* as it was asked for */
  Typical typical;
} Target;

/* A request that would be sent. */
typedef struct Asked {
  int target;
  Weight weight;
  int n_messages;
  long long max_tokens; /* the option; OPTION_UNSET */
  int has_schema;       /* how that is billed, no provider says */
  long long most_nusd;  /* that all who may see it cost at most; -1: not known */
  int sharers;          /* so many begin with weight.prefix */
  char service[36];     /* "": the standard one */
} Asked;

/* A request in tokens: of its texts in o200k_base, and of its answer. */
typedef struct Mean {
  long long texts, output;
} Mean;

typedef struct Run {
  Conn *conn;
  const EstimateOptions *options;
  Estimate *result;
  Memo *seen;
  Target *targets;
  int n_targets;
  Asked *asked;
  size_t n, cap;
  int busy;        /* statements that run while the SELECT does, where nothing in it runs others */
  int from_tables; /* llm_call was asked */
  int is_nested; /* a call was made by a statement within: what becomes of its answer is not known */
} Run;

/* How many statements of a connection are running. */
static int busy_statements(sqlite3 *db) {
  int n = 0;
  for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s; s = sqlite3_next_stmt(db, s)) {
    n += sqlite3_stmt_busy(s) != 0;
  }
  return n;
}

/* ---- counting */

/* So many are told apart: where each row has a system prompt or a tag of its own, the answers under any say how long one is. */
enum { MOST_TARGETS = 64 };

/* How long its answers were: those with this tag, else those of the model under that system prompt. */
static int look_back(const Run *run, Target *t, const char *system, const char *tag, Err *err) {
  TypicalAsk ask = {t->model.name, system[0] ? system : NULL, tag,
                    t->reasoning[0] ? t->reasoning : NULL};
  if (counter_typical_output(run->conn, &ask, &t->typical, err) == RC_OK && t->typical.n == 0 &&
      tag) {
    ask.tag = NULL;
    counter_typical_output(run->conn, &ask, &t->typical, err);
  }
  return err->rc;
}

/* The target of a call, made where it is new; -1 and *err. */
static int find_target(Run *run, const Call *k, Err *err) {
  char hash[HASH_HEX_SIZE] = "";
  const Request *r = k->request;
  if (r->system && k->store && run->n_targets < MOST_TARGETS) {
    Hash h = hash_text(r->system, strlen(r->system), k->store->seed);
    hash_hex(&h, hash);
  }
  const char *tag = run->n_targets < MOST_TARGETS ? r->options->tag : NULL;
  char reasoning[sizeof((Target *)0)->reasoning];
  weigh_reasoning(r->options, reasoning, sizeof reasoning);
  Hash tag_hash = tag ? hash_bytes(tag, strlen(tag), 0) : (Hash){{0}};
  for (int i = 0; i < run->n_targets; i++) {
    const Target *t = &run->targets[i];
    if (strcmp(t->model.name, k->model.name) == 0 &&
        strcmp(t->model.provider, k->model.provider) == 0 && strcmp(t->system_hash, hash) == 0 &&
        strcmp(t->reasoning, reasoning) == 0 && memcmp(&t->tag, &tag_hash, sizeof tag_hash) == 0) {
      return i;
    }
  }
  Target *more = realloc(run->targets, (size_t)(run->n_targets + 1) * sizeof *more);
  if (!more) {
    err_nomem(err);
    return -1;
  }
  run->targets = more;
  Target *t = &more[run->n_targets];
  *t = (Target){.tag = tag_hash};
  memcpy(t->system_hash, hash, sizeof hash);
  memcpy(t->reasoning, reasoning, sizeof reasoning);
  if (config_model_copy(&k->model, &t->model, err) != RC_OK) {
    config_model_free(&t->model);
    return -1;
  }
  run->n_targets++;
  if (run->options->output_tokens == SPEC_UNSET) {
    look_back(run, t, hash, tag, err);
  }
  return err->rc == RC_OK ? run->n_targets - 1 : -1;
}

static int keep(Run *run, const Asked *a, Err *err) {
  if (run->n >= LIMIT_MEMO_ENTRIES) {
    return err_set(err, RC_TOOBIG, ERR_UNAVAILABLE,
                   "more than %u different requests: estimate a part of them", LIMIT_MEMO_ENTRIES);
  }
  if (run->n == run->cap) {
    size_t cap = run->cap ? 2 * run->cap : 256;
    Asked *more = realloc(run->asked, cap * sizeof *more);
    if (!more) {
      return err_nomem(err);
    }
    run->asked = more;
    run->cap = cap;
  }
  run->asked[run->n++] = *a;
  return RC_OK;
}

/* Notes who would see it; what that adds to the most it can cost. */
static int note_seers(Run *run, Call *k, Asked *a, Err *err) {
  Seer list[MOST_SEERS];
  Estimate *e = run->result;
  int n = seers_of(k, list, err);
  long long most = seers_most(list, n);
  a->most_nusd = most;
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    char one[LIMIT_MODEL_NAME + 400];
    size_t used = strlen(e->seen_by);
    snprintf(one, sizeof one, "%.250s at %.60s (%.20s)", list[i].model, list[i].provider,
             list[i].why);
    int is_there = strstr(e->seen_by, one) != NULL,
        fits = used + strlen(one) + 3 < sizeof e->seen_by;
    if (!is_there && fits) {
      snprintf(e->seen_by + used, sizeof e->seen_by - used, "%s%s", used ? ", " : "", one);
    }
  }
  return err->rc;
}

/* A request that is not the repeat of another. */
static int count_request(Run *run, Call *k, const char *cache, Err *err) {
  const Request *r = k->request;
  Asked a = {.n_messages = r->n_messages + (r->system != NULL),
             .max_tokens = r->options->max_tokens,
             .has_schema = r->options->schema != NULL,
             .sharers = r->sharers};
  const char *service = options_service(r->options);
  snprintf(a.service, sizeof a.service, "%s", service ? service : "");
  int is_hit = strcmp(cache, CALL_LOOK_HIT) == 0,
      is_similar = strcmp(cache, CALL_LOOK_SIMILAR) == 0;
  run->result->hits += is_hit;
  run->result->similar += is_similar;
  if (is_hit || is_similar) {
    run->result->requests++;
    return RC_OK;
  }
  if (route_choose_for_show(k, err) == RC_OK && note_seers(run, k, &a, err) == RC_OK &&
      weigh_request(k, &a.weight, err) == RC_OK && (a.target = find_target(run, k, err)) >= 0) {
    run->result->requests++;
    keep(run, &a, err);
  }
  return err->rc;
}

/* The prompt stands in for the answer; where that is to be JSON, as a JSON string. */
static int give_back(const Request *r, Outcome *out, Err *err) {
  const Message *last = &r->messages[r->n_messages - 1];
  cJSON *string = r->options->schema ? cJSON_CreateString(last->content) : NULL;
  char *json = string ? cJSON_PrintUnformatted(string) : NULL;
  const char *text = r->options->schema ? json : last->content;
  cJSON_Delete(string);
  out->text = text ? strdup(text) : NULL;
  out->n = out->text ? strlen(out->text) : 0;
  cJSON_free(json);
  return out->text ? RC_OK : err_nomem(err);
}

/* A request as it would go, unless the statement asked the same before. */
static int look_at(Run *run, const Request *r, const Plan *plan, Err *err) {
  Call k;
  Gated gated;
  if (gated_open(run->conn, r, &gated, err) == RC_OK) {
    const char *cache = call_look(&k, run->conn, &gated, plan, err);
    if (err->rc == RC_OK && !(plan->is_memoed && memo_find(run->seen, &k.key))) {
      count_request(run, &k, cache, err);
      if (plan->is_memoed) {
        memo_add(run->seen, &(MemoEntry){.key = k.key});
      }
    }
    call_free(&k);
  }
  gated_close(&gated);
  return err->rc;
}

static int take(void *arg, const Request *r, Outcome *out, Err *err) {
  Run *run = arg;
  Plan plan;
  if (r->wants_vectors) {
    return err_set(
        err, RC_ERROR, ERR_UNAVAILABLE,
        "llm_estimate counts answers; what embeddings of a provider cost it does not tell");
  }
  if (plan_make(run->conn, r, &plan, err) != RC_OK) {
    return err->rc;
  }
  run->result->calls++;
  run->from_tables |= out->wants_row;
  run->result->is_similar |= plan.reads_similar;
  run->result->is_limited |= r->allowance != NULL;
  run->is_nested |= busy_statements(run->conn->db) > run->busy;
  return look_at(run, r, &plan, err) == RC_OK ? give_back(r, out, err) : err->rc;
}

/* ---- the statement */

static int sql_error(const Run *run, Err *err) {
  sqlite3 *db = run->conn->db;
  int rc = sqlite3_errcode(db) & 0xff;
  if (rc == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  if (rc == SQLITE_INTERRUPT) {
    return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  return err_set(
      err, RC_ERROR, ERR_BAD_ARGUMENT, "the SELECT: %s%s", sqlite3_errmsg(db),
      strcmp(sqlite3_errmsg(db), "malformed JSON") == 0
          ? " (each call gives its prompt back in place of an answer: a schema makes that JSON)"
          : "");
}

/* The words of a failure of llm_map, which come with its name. */
static int map_error(const Run *run, Err *err) {
  static const char name[] = "llm_map: ";
  const char *said = sqlite3_errmsg(run->conn->db);
  int rc = sqlite3_errcode(run->conn->db) & 0xff;
  said += strncmp(said, name, sizeof name - 1) == 0 ? sizeof name - 1 : 0;
  return rc == SQLITE_NOMEM       ? err_nomem(err)
         : rc == SQLITE_INTERRUPT ? err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted")
                                  : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s", said);
}

/* Counts what llm_map would ask for the rows of the SELECT. */
static int run_map(Run *run, const char *sql, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(run->conn->db, "SELECT count(*), count(error) FROM llm_map(?1, ?2)",
                              -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_text(stmt, 1, sql, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, run->options->map, -1, SQLITE_STATIC);
    run->busy = 1 + busy_statements(run->conn->db);
    rc = sqlite3_step(stmt);
  }
  if (rc == SQLITE_ROW) {
    run->result->rows = sqlite3_column_int64(stmt, 0);
    run->result->errors = sqlite3_column_int64(stmt, 1);
  } else {
    map_error(run, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* Options of llm_map for a SELECT that makes its calls itself. */
static int refuse_map_options(const Run *run, Err *err) {
  Err ignored = {0};
  const char *given = run->options->map;
  cJSON *tree = json_parse(given, strlen(given), "", &ignored);
  err_set(err, RC_ERROR, ERR_BAD_OPTION,
          "option '%.80s': this SELECT makes its calls itself, and their options stand in them; "
          "here are 'models' to"
          " compare with, and 'output_tokens'",
          tree && tree->child ? tree->child->string : "");
  cJSON_Delete(tree);
  return err->rc;
}

static int run_select(Run *run, const char *sql, Err *err) {
  sqlite3_stmt *stmt = select_prepare(run->conn->db, sql, err);
  int rc = SQLITE_ROW;
  run->busy = 1 + busy_statements(run->conn->db);
  while (err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    run->result->rows++;
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    sql_error(run, err);
  }
  int is_table = err->rc == RC_OK && run->result->calls == 0 && run->result->rows > 0 &&
                 (run->options->map || sqlite3_column_count(stmt) > 1);
  sqlite3_finalize(stmt);
  if (is_table) {
    return run_map(run, sql, err);
  }
  if (err->rc == RC_OK && run->options->map && run->result->calls > 0) {
    return refuse_map_options(run, err);
  }
  if (err->rc == RC_OK && run->result->calls > 0) {
    int *varies = &run->result->varies;
    int decides = answers_decide(run->conn->db, sql, run->from_tables, varies, err);
    run->result->decides = run->is_nested || decides == 1;
  }
  return err->rc;
}

/* ---- what it comes to */

/* The tokens expected of an answer; -1: not known. */
static long long expected(const Run *run, const Asked *a) {
  const Target *t = &run->targets[a->target];
  long long tokens = run->options->output_tokens != SPEC_UNSET ? run->options->output_tokens
                     : t->typical.n > 0                        ? llround(t->typical.mean)
                                                               : -1;
  return a->max_tokens != OPTION_UNSET && tokens > a->max_tokens ? a->max_tokens : tokens;
}

/* How far all answers together may be from what is expected of them, 19 times of 20: the length of each varies, and their mean is known from
** a sample only. (Standard deviation s, sample n, m answers: 1.96 s sqrt(m + m²/n).) */
static double spread_of(const Run *run) {
  double variance = 0;
  for (int i = 0; i < run->n_targets; i++) {
    const Typical *t = &run->targets[i].typical;
    double m = 0;
    for (size_t k = 0; k < run->n; k++) {
      m += run->asked[k].target == i;
    }
    variance += t->n > 1 ? t->variance * (m + m * m / t->n) : 0;
  }
  return 1.96 * sqrt(variance);
}

/* The tokens of all answers lie between these two. -1: nobody knows. */
static void bound_output(const Run *run, EstimateLine *line) {
  int is_known = line->output >= 0 && run->n > 0;
  for (int i = 0; i < run->n_targets && run->options->output_tokens == SPEC_UNSET; i++) {
    is_known &= run->targets[i].typical.n > 1;
  }
  double spread = run->options->output_tokens == SPEC_UNSET ? spread_of(run) : 0;
  line->output_low = is_known ? llround(fmax((double)line->output - spread, 0)) : -1;
  line->output_high = is_known ? llround((double)line->output + spread) : -1;
}

/* Adds to a sum that is known, or makes it unknown. */
static void add(long long *sum, long long more) {
  *sum = *sum < 0 || more < 0 ? -1 : *sum + more;
}

/* With what it begins with kept by the provider: written by one of those that share it, read by the others. */
static long long price_shared(const Run *run, const Asked *a, const Model *model, long long input,
                              long long output, Err *err) {
  const PrefixAsk ask = {.tokens = a->weight.prefix, .sharers = a->sharers};
  return pricing_of_shared(run->conn, model, input, &ask, output, err);
}

/* Of the answer's tokens, those that go into thought: as many as answers had that were asked for as much, but not more than it may;
** -1: not known. */
static long long thought_of(const Run *run, const Asked *a) {
  const Typical *t = &run->targets[a->target].typical;
  long long most = a->weight.thought,
            lately = t->n > 0 && t->reasoning >= 0 ? llround(t->reasoning) : -1;
  return most < 0 || (lately >= 0 && lately < most) ? lately : most;
}

/* In a service; -1: not known, or not how many tokens. */
static long long price_of(const Run *run, const Model *model, const char *service, long long input,
                          long long output, Err *err) {
  return output < 0 ? -1 : pricing_of_service(run->conn, model, service, input, output, err);
}

/* Adds one request to a line, at a model. */
static int add_request(const Run *run, EstimateLine *line, const Asked *a, const Model *model,
                       Err *err) {
  long long most = a->weight.output, input = a->weight.input, output = expected(run, a);
  int is_exact = a->weight.is_exact;
  if (line->is_instead) {
    input = weigh_for(run->conn, model, a->weight.texts, a->n_messages, &is_exact, err);
    most = a->max_tokens != OPTION_UNSET ? a->max_tokens
           : model->max_output           ? model->max_output
                                         : model->context_window;
  }
  const char *service = a->service[0] ? a->service : NULL;
  long long thought = thought_of(run, a);
  line->is_exact &= is_exact && !a->has_schema && a->weight.is_exact;
  line->input += input;
  add(&line->output, output);
  add(&line->thought, thought);
  add(&line->thought_nusd, price_of(run, model, service, 0, thought, err));
  add(&line->input_nusd, price_of(run, model, service, input, 0, err));
  add(&line->cost_nusd, price_of(run, model, service, input, output, err));
  add(&line->batch_nusd, output < 0 ? -1 : pricing_of_batch(run->conn, model, input, output, err));
  add(&line->prefix_nusd, output < 0 ? -1 : price_shared(run, a, model, input, output, err));
  add(&line->most_nusd, !line->is_instead ? a->most_nusd
                        : most <= 0       ? -1
                                          : price_of(run, model, service, input, most, err));
  return err->rc;
}

/* A line of all requests: each at its own model, or all at another. */
static int make_line(const Run *run, EstimateLine *line, const Model *instead, Err *err) {
  *line = (EstimateLine){.is_instead = instead != NULL, .is_exact = 1};
  for (size_t i = 0; i < run->n && err->rc == RC_OK; i++) {
    const Asked *a = &run->asked[i];
    add_request(run, line, a, instead ? instead : &run->targets[a->target].model, err);
  }
  bound_output(run, line);
  if (instead) {
    snprintf(line->model, sizeof line->model, "%s", instead->name);
  }
  return err->rc;
}

/* "gpt-4o, claude-haiku-4-5": each name once. */
static void name_targets(const Run *run, char *out, size_t size) {
  size_t n = 0;
  for (int i = 0; i < run->n_targets && n < size; i++) {
    int is_new = 1;
    for (int k = 0; k < i && is_new; k++) {
      is_new = strcmp(run->targets[k].model.name, run->targets[i].model.name) != 0;
    }
    n += is_new ? (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "",
                                   run->targets[i].model.name)
                : 0;
  }
}

/* Where the length of answers comes from. */
static void tell_output(const Run *run, char *out, size_t size) {
  int answers = 0;
  if (run->n == 0) {
    return; /* nothing is to be sent */
  }
  for (int i = 0; i < run->n_targets; i++) {
    if (run->targets[i].typical.n == 0 && run->options->output_tokens == SPEC_UNSET) {
      snprintf(out, size, "not known: no answer of %.60s yet%s; give {\"output_tokens\":N}",
               run->targets[i].model.name,
               run->targets[i].system_hash[0] ? " under this system prompt" : "");
      return;
    }
    answers += run->targets[i].typical.n;
  }
  if (run->options->output_tokens != SPEC_UNSET) {
    snprintf(out, size, "as given");
  } else {
    snprintf(out, size, "%d answers of yours", answers);
  }
}

/* ---- other models */

static int is_asked(const Run *run, const Model *model) {
  int found = 0;
  for (int i = 0; i < run->n_targets && !found; i++) {
    found = strcmp(run->targets[i].model.name, model->name) == 0;
  }
  return found;
}

/* The request of the middle size: good enough to choose by. */
static Mean mean_of(const Run *run) {
  double texts = 0, output = 0, n = (double)run->n;
  int is_known = 1;
  for (size_t i = 0; i < run->n; i++) {
    long long tokens = expected(run, &run->asked[i]);
    texts += (double)run->asked[i].weight.texts;
    output += (double)tokens;
    is_known &= tokens >= 0;
  }
  return (Mean){llround(texts / n), is_known ? llround(output / n) : 0};
}

/* What it would cost at a model; -1: not known. */
static long long price_of_mean(const Run *run, const Mean *mean, const Model *model, Err *err) {
  int is_exact;
  long long input = weigh_for(run->conn, model, mean->texts, 2, &is_exact, err);
  return err->rc == RC_OK ? pricing_of_tokens(run->conn, model, input, mean->output, err) : -1;
}

/* 1 if a model answers and its key is at hand (or need not be). */
static int is_open(const Model *model, int needs_key, Err *err) {
  Access access = {.key = NULL};
  Err ignored = {0};
  int answers = provider_api(model->api) && !wire_supports(model, "embeddings", 0, err);
  int has_key = answers && needs_key && access_check(model, &access, &ignored) == RC_OK;
  access_free(&access);
  return answers && (has_key || !needs_key);
}

/* 1 if a line is of that model already, or it is asked. */
static int is_shown(const Run *run, const Model *model) {
  int found = is_asked(run, model);
  for (int i = 1; i < run->result->n_lines && !found; i++) {
    found = strcmp(run->result->lines[i].model, model->name) == 0;
  }
  return found;
}

/* Puts the cheapest model of a seller (NULL: of all) that is cheaper than what is asked behind the lines. */
static int offer_cheapest(Run *run, const Mean *mean, int needs_key, const char *seller, Err *err) {
  const Config *config = run->conn->config;
  const Model *best = NULL;
  long long least = price_of_mean(run, mean, &run->targets[0].model, err);
  for (int i = 0; i < config->n_models && err->rc == RC_OK; i++) {
    const Model *m = &config->models[i];
    if (!is_shown(run, m) && (!seller || strcmp(m->provider, seller) == 0) &&
        is_open(m, needs_key, err)) {
      long long price = price_of_mean(run, mean, m, err);
      best = price >= 0 && price < least ? m : best;
      least = best == m ? price : least;
    }
  }
  return best && err->rc == RC_OK
             ? make_line(run, &run->result->lines[run->result->n_lines++], best, err)
             : err->rc;
}

/* Two cheaper ones: the cheapest of the same seller, and the cheapest of those that can be asked. */
static int offer_cheaper(Run *run, const Config *config, Err *err) {
  int needs_key = 0;
  for (int i = 0; i < config->n_models && !needs_key; i++) {
    needs_key = config->models[i].key_env[0] && is_open(&config->models[i], 1, err);
  }
  if (run->n > 0) {
    const Mean mean = mean_of(run);
    offer_cheapest(run, &mean, needs_key, run->targets[0].model.provider, err);
    offer_cheapest(run, &mean, needs_key, NULL, err);
  }
  return err->rc;
}

static int offer_named(Run *run, const Config *config, Err *err) {
  for (int i = 0; i < run->options->n_models && err->rc == RC_OK; i++) {
    Model model;
    if (config_model(config, run->options->models[i], &model, err) == RC_OK &&
        !is_open(&model, 0, err) && err->rc == RC_OK) {
      err_set(err, RC_ERROR, ERR_BAD_OPTION,
              "option 'models': '%.80s' makes embeddings, not answers", model.name);
    }
    if (err->rc == RC_OK) {
      make_line(run, &run->result->lines[run->result->n_lines++], &model, err);
    }
    config_model_free(&model);
  }
  return err->rc;
}

static int make_lines(Run *run, Err *err) {
  Estimate *e = run->result;
  const Config *config = NULL;
  if (pricing_refresh(run->conn, NULL, err) != RC_OK ||
      make_line(run, &e->lines[0], NULL, err) != RC_OK) {
    return err->rc;
  }
  e->n_lines = 1;
  name_targets(run, e->lines[0].model, sizeof e->lines[0].model);
  tell_output(run, e->output_from, sizeof e->output_from);
  config = run->conn->config;
  return run->options->n_models ? offer_named(run, config, err) : offer_cheaper(run, config, err);
}

static void free_run(Run *run) {
  for (int i = 0; i < run->n_targets; i++) {
    config_model_free(&run->targets[i].model);
  }
  free(run->targets);
  free(run->asked);
  memo_free(run->seen);
}

Estimate *estimate_new(Conn *conn, const char *sql, const EstimateOptions *options, Err *err) {
  Run run = {
      .conn = conn, .options = options, .result = calloc(1, sizeof(Estimate)), .seen = memo_new()};
  Err ignored = {0};
  if (call_is_counted(conn)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "an estimate can't be estimated");
  } else if (!run.result || !run.seen) {
    err_nomem(err);
  } else if (call_count_with(conn, (Counting){take, &run}, err) == RC_OK) {
    run_select(&run, sql, err);
    call_count_with(conn, (Counting){NULL, NULL}, &ignored);
  }
  if (err->rc == RC_OK) {
    make_lines(&run, err);
  }
  free_run(&run);
  if (err->rc != RC_OK) {
    free(run.result);
    run.result = NULL;
  }
  return run.result;
}
