/*
** llm_finetune(options): when what it costs to tune a model has come back (work/economics/finetune.h). A row a candidate.
*/
#include "tables/audit/fields.h"
#include "tables/audit/traffic_specs.h"
#include "tables/tables.h"
#include "work/economics/finetune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest that a tuned model is counted on: by then its base has been retired often enough. */
#define WITHIN_MONTHS "12"

/* ---- options */

/* The two numbers, at least 0, of an object's members or of an array of two; 1, or 0 where it is neither. */
static int read_pair(const cJSON *json, const char *first, const char *second, double pair[2]) {
  const cJSON *items[2] = {cJSON_GetObjectItemCaseSensitive(json, first),
                           cJSON_GetObjectItemCaseSensitive(json, second)};
  if (cJSON_IsArray(json)) {
    items[0] = cJSON_GetArrayItem(json, 0);
    items[1] = cJSON_GetArrayItem(json, 1);
  }
  int fits = cJSON_GetArraySize(json) == 2;
  for (int i = 0; i < 2 && fits; i++) {
    fits =
        cJSON_IsNumber(items[i]) && items[i]->valuedouble >= 0 && items[i]->valuedouble <= MOST_USD;
    pair[i] = fits ? items[i]->valuedouble : (double)NAN;
  }
  return fits;
}

static int take_price(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  Candidate *c = (Candidate *)(void *)((char *)to + s->at);
  double pair[2];
  if (!read_pair(v->json, "input", "output", pair)) {
    return spec_bad(table, s->name, "dollars per million tokens, {\"input\":0.3,\"output\":1.2}",
                    err);
  }
  c->input_price = pair[0];
  c->output_price = pair[1];
  return RC_OK;
}

/* A number, or [low, high]. */
static int take_setup(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  Candidate *c = (Candidate *)(void *)((char *)to + s->at);
  double pair[2] = {v->number, v->number};
  int is_one = v->number >= 0 && v->number <= MOST_USD;
  if (!is_one &&
      (!cJSON_IsArray(v->json) || !read_pair(v->json, "", "", pair) || pair[0] > pair[1])) {
    return spec_bad(table, s->name, "dollars from 0, or [low, high]", err);
  }
  c->setup_low = pair[0];
  c->setup_high = pair[1];
  return RC_OK;
}

/* Of a struct S whose Candidate begins at `at`: what can be said of each, and for all. */
#define CANDIDATE_SPECS(S, at_candidate, c)                                                        \
  {"tuned_price", SPEC_OTHER, .at = at_candidate, .take = take_price},                             \
      {"tuned_input_tokens", SPEC_INTO(S, NUMBER, c input_tokens), .min = 0,                       \
       .max = (double)LIMIT_TOKENS},                                                               \
      {"setup_usd", SPEC_OTHER, .at = at_candidate, .take = take_setup}, {                         \
    "usd_per_1k_tuned", SPEC_INTO(S, NUMBER, c usd_per_1k), .min = 0, .max = MOST_USD              \
  }

static const Spec candidate_specs[] = {
    {"name", SPEC_INTO(Candidate, CHARS, name)},
    {"model", SPEC_INTO(Candidate, CHARS, model)},
    {"provider", SPEC_INTO(Candidate, CHARS, provider)},
    CANDIDATE_SPECS(Candidate, 0, ),
};

static const SpecTable candidate_table = {"member of 'to'",
                                          ERR_BAD_OPTION,
                                          NULL,
                                          NULL,
                                          candidate_specs,
                                          sizeof candidate_specs / sizeof candidate_specs[0]};

/* Nothing said. (What SPEC_OTHER reads stays as it is: it is set here.) */
static void init_candidate(Candidate *c) {
  spec_init(&candidate_table, c);
  c->input_price = c->output_price = c->setup_low = c->setup_high = (double)NAN;
}

static int take_candidate(const SpecTable *table, const cJSON *item, FinetuneAsk *ask, Err *err) {
  const char *name = cJSON_GetStringValue(item);
  Candidate *c = &ask->to[ask->n_to];
  int fits = ask->n_to < FINETUNE_CANDIDATES &&
             (name ? name[0] && strlen(name) < sizeof c->model : cJSON_IsObject(item));
  if (!fits) {
    return spec_bad(table, "to",
                    "1 to 16 models: names, or objects such as "
                    "{\"model\":\"gpt-4o-mini\",\"setup_usd\":[50,200]}",
                    err);
  }
  init_candidate(c);
  ask->n_to++;
  if (name) {
    snprintf(c->model, sizeof c->model, "%s", name);
    return RC_OK;
  }
  return spec_read(&candidate_table, 0, item, c, err);
}

/* One, or several. */
static int take_to(const SpecTable *table, const Spec *s, const SpecValue *v, void *to, Err *err) {
  FinetuneAsk *ask = to;
  const cJSON *item = cJSON_IsArray(v->json) ? v->json->child : v->json;
  (void)s;
  ask->n_to = 0;
  do { /* (an empty array is an error too) */
    take_candidate(table, item, ask, err);
    item = item && cJSON_IsArray(v->json) ? item->next : NULL;
  } while (item && err->rc == RC_OK);
  return err->rc;
}

static int take_stable(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                       Err *err) {
  int is_number = v->number == 0 || v->number == 1;
  if (!is_number && !cJSON_IsBool(v->json)) {
    return spec_bad(table, s->name, "true or false", err);
  }
  ((FinetuneAsk *)to)->stable = cJSON_IsTrue(v->json) || v->number == 1;
  return RC_OK;
}

static const Spec specs[] = {
    TRAFFIC_SPECS(FinetuneAsk),
    {"usd_per_1k_now", SPEC_INTO(FinetuneAsk, NUMBER, usd_per_1k_now), .min = 0, .max = MOST_USD},
    {"to", SPEC_OTHER, .take = take_to},
    CANDIDATE_SPECS(FinetuneAsk, offsetof(FinetuneAsk, all), all.),
    {"examples", SPEC_INTO(FinetuneAsk, INTEGER, examples), .min = 0, .max = (double)LIMIT_COUNT},
    {"stable", SPEC_OTHER, .take = take_stable},
    {"within_months", SPEC_INTO(FinetuneAsk, NUMBER, within), .min = 0, .max = 120,
     .initial = WITHIN_MONTHS},
};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, "to",
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

/* ---- rows */

typedef struct Cursor {
  FieldCursor base;
  Finetune *result;
} Cursor;

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  FinetuneAsk *ask = calloc(1, sizeof *ask);
  if (!ask) {
    return err_nomem(err);
  }
  ask->traffic.usd_option = "usd_per_1k_now";
  ask->stable = -1;
  init_candidate(&ask->all);
  c->result = arg_spec(q->args[0], &options_table, ask, err) == RC_OK
                  ? finetune_new(table_of(base)->conn, ask, err)
                  : NULL;
  c->base.at = 0;
  c->base.n = c->result ? c->result->n : 0;
  free(ask);
  return err->rc;
}

/* X(id, column and type): the numbers of a row, and its words behind them. */
#define NUMBERS(X)                                                                                 \
  X(REQUESTS, "requests_per_month REAL")                                                           \
  X(NOW_1K, "usd_per_1k_now REAL")                                                                 \
  X(TUNED_1K, "usd_per_1k_tuned REAL")                                                             \
  X(SAVED_1K, "saved_per_1k_usd REAL")                                                             \
  X(SAVED_MONTH, "saved_per_month_usd REAL")                                                       \
  X(SETUP_LOW, "setup_low_usd REAL")                                                               \
  X(SETUP_HIGH, "setup_high_usd REAL")                                                             \
  X(CALLS_LOW, "calls_low REAL")                                                                   \
  X(CALLS_HIGH, "calls_high REAL")                                                                 \
  X(MONTHS_LOW, "months_low REAL")                                                                 \
  X(MONTHS_HIGH, "months_high REAL")
#define WORDS(X)                                                                                   \
  X(VERDICT, "verdict TEXT")                                                                       \
  X(WHY, "why TEXT")                                                                               \
  X(REQUESTS_FROM, "requests_from TEXT")                                                           \
  X(NOW_FROM, "now_from TEXT")                                                                     \
  X(TUNED_FROM, "tuned_from TEXT")

#define AS_ID(id, text) id,
#define AS_COLUMN(id, text) ", " text
enum { CANDIDATE, NOW, NUMBERS(AS_ID) WORDS(AS_ID) COLUMNS };

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  const Cursor *c = (const Cursor *)base;
  const Traffic *t = &c->result->traffic;
  const FinetuneLine *l = &c->result->lines[c->base.at];
  const double numbers[COLUMNS] = {
      [REQUESTS] = t->requests,         [NOW_1K] = t->nusd_each / 1e6,
      [TUNED_1K] = l->each / 1e6,       [SAVED_1K] = l->saved_each / 1e6,
      [SAVED_MONTH] = l->saved / 1e9,   [SETUP_LOW] = l->setup[0] / 1e9,
      [SETUP_HIGH] = l->setup[1] / 1e9, [CALLS_LOW] = l->calls[0],
      [CALLS_HIGH] = l->calls[1],       [MONTHS_LOW] = l->months[0],
      [MONTHS_HIGH] = l->months[1]};
  const char *const words[COLUMNS] = {[CANDIDATE] = l->name,
                                      [NOW] = t->model[0] ? t->model : NULL,
                                      [VERDICT] = economics_word(l->verdict),
                                      [WHY] = l->why,
                                      [REQUESTS_FROM] = t->requests_from,
                                      [NOW_FROM] = t->price_from,
                                      [TUNED_FROM] = l->price_from};
  if (i >= REQUESTS && i <= MONTHS_HIGH) {
    if (!isnan(numbers[i])) { /* never is NULL */
      sqlite3_result_double(ctx, numbers[i]);
    }
  } else if (i >= 0 && i < COLUMNS) {
    sqlite3_result_text(ctx, words[i], -1, SQLITE_TRANSIENT); /* NULL gives NULL */
  }
}

static void clear(TableCursor *base) {
  Cursor *c = (Cursor *)base;
  free(c->result);
  c->result = NULL;
  c->base.n = 0;
}

const TableKind finetune_table = {
    .is_guarded = 1,
    .columns = "candidate TEXT, now TEXT" NUMBERS(AS_COLUMN) WORDS(AS_COLUMN),
    .args = {"options"},
    .n_required = 1,
    .usage = "the options are missing: SELECT … FROM "
             "llm_finetune('{\"model\":\"gpt-4o\",\"to\":\"gpt-4o-mini\",\"setup_usd\":[50,200],"
             "\"examples\":800,\"stable\":true}')",
    .rows = 3,
    .cost = 1e5,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = column,
    .clear = clear,
};
