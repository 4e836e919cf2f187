/*
** llm_selfhost(options): a month at an API beside the same month on machines of one's own (work/economics/selfhost.h). A row for the API, for an
** open model that somebody serves, and for each way to host.
*/
#include "tables/audit/fields.h"
#include "tables/audit/traffic_specs.h"
#include "tables/tables.h"
#include "work/economics/selfhost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- options */

static const Spec hosting_specs[] = {
    {"name", SPEC_INTO(Hosting, CHARS, name)},
    {"usd_per_month", SPEC_INTO(Hosting, NUMBER, usd_per_month), .min = 0, .max = MOST_USD},
    {"gpus", SPEC_INTO(Hosting, INTEGER, gpus), .min = 1, .max = 10000, .initial = "1"},
    {"requests_per_month_each", SPEC_INTO(Hosting, NUMBER, requests_each), .min = 1,
     .max = MOST_REQUESTS},
    {"usd_per_request", SPEC_INTO(Hosting, NUMBER, usd_each), .min = 0, .max = MOST_USD},
    {"ops_usd_per_month", SPEC_INTO(Hosting, NUMBER, ops_usd), .min = 0, .max = MOST_USD},
};

static const SpecTable hosting_table = {"member of 'hosting'",
                                        ERR_BAD_OPTION,
                                        NULL,
                                        NULL,
                                        hosting_specs,
                                        sizeof hosting_specs / sizeof hosting_specs[0]};

static int take_way(const SpecTable *table, const cJSON *item, SelfhostAsk *ask, Err *err) {
  Hosting *way = &ask->hosting[ask->n_hosting];
  if (!cJSON_IsObject(item) || ask->n_hosting == SELFHOST_OPTIONS) {
    return spec_bad(
        table, "hosting",
        "1 to 16 objects such as "
        "{\"name\":\"A100\",\"usd_per_month\":2000,\"requests_per_month_each\":1000000}",
        err);
  }
  spec_init(&hosting_table, way);
  if (spec_read(&hosting_table, 0, item, way, err) == RC_OK && isnan(way->usd_per_month)) {
    spec_bad(table, "hosting", "'usd_per_month' in each: the dollars of one GPU or server a month",
             err);
  }
  ask->n_hosting++;
  if (!way->name[0]) {
    snprintf(way->name, sizeof way->name, "hosting %d", ask->n_hosting);
  }
  return err->rc;
}

/* One way, or several. */
static int take_hosting(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                        Err *err) {
  SelfhostAsk *ask = to;
  const cJSON *item = cJSON_IsArray(v->json) ? v->json->child : v->json;
  (void)s;
  ask->n_hosting = 0;
  do { /* (an empty array is an error too) */
    take_way(table, item, ask, err);
    item = item && cJSON_IsArray(v->json) ? item->next : NULL;
  } while (item && err->rc == RC_OK);
  return err->rc;
}

/* A name, or {"model":…,"provider":…}. */
static int take_serverless(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                           Err *err) {
  SelfhostAsk *ask = to;
  const char *model = v->text ? v->text : json_text(v->json, "model"),
             *provider = json_text(v->json, "provider");
  int fits = model && model[0] && strlen(model) < sizeof ask->serverless.model &&
             (!provider || strlen(provider) < sizeof ask->serverless.provider);
  if (!fits) {
    return spec_bad(table, s->name,
                    "an open model's name, or {\"model\":\"...\",\"provider\":\"...\"}", err);
  }
  snprintf(ask->serverless.model, sizeof ask->serverless.model, "%s", model);
  snprintf(ask->serverless.provider, sizeof ask->serverless.provider, "%s",
           provider ? provider : "");
  return RC_OK;
}

static const Spec specs[] = {
    TRAFFIC_SPECS(SelfhostAsk),
    {"usd_per_request", SPEC_INTO(SelfhostAsk, NUMBER, traffic.usd_each), .min = 0,
     .max = MOST_USD},
    {"hosting", SPEC_OTHER, .take = take_hosting},
    {"serverless", SPEC_OTHER, .take = take_serverless},
    {"utilisation", SPEC_INTO(SelfhostAsk, NUMBER, utilisation), .min = 0.001, .max = 1,
     .initial = "1", .what = "the share of an instance's capacity that is planned with,"},
    {"ops_usd_per_month", SPEC_INTO(SelfhostAsk, NUMBER, ops_usd), .min = 0, .max = MOST_USD},
};

static const SpecHint hints[] = {
    {"utilization", "utilisation"}, {"options", "hosting"}, {NULL, NULL}};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, "model",
                                        hints,    specs,          sizeof specs / sizeof specs[0]};

/* ---- rows */

typedef struct Cursor {
  FieldCursor base;
  Selfhost *result;
} Cursor;

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  SelfhostAsk *ask = calloc(1, sizeof *ask);
  if (!ask) {
    return err_nomem(err);
  }
  ask->traffic.usd_option = "usd_per_request";
  if (arg_spec(q->args[0], &options_table, ask, err) == RC_OK && !ask->n_hosting &&
      !ask->serverless.model[0]) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "nothing to compare the API with: give 'hosting', such as "
            "[{\"name\":\"A100\",\"usd_per_month\":2000}], or "
            "'serverless', the name of an open model");
  }
  c->result = err->rc == RC_OK ? selfhost_new(table_of(base)->conn, ask, err) : NULL;
  c->base.at = 0;
  c->base.n = c->result ? c->result->n : 0;
  free(ask);
  return err->rc;
}

/* X(id, column and type): the numbers of a row, and its words. */
#define NUMBERS(X)                                                                                 \
  X(REQUESTS, "requests_per_month REAL")                                                           \
  X(EACH, "usd_per_request REAL")                                                                  \
  X(INSTANCES, "instances INTEGER")                                                                \
  X(GPUS, "gpus INTEGER")                                                                          \
  X(UTILISATION, "utilisation REAL")                                                               \
  X(HOSTING, "hosting_usd REAL")                                                                   \
  X(REQUESTS_USD, "requests_usd REAL")                                                             \
  X(COST, "cost_usd REAL")                                                                         \
  X(OPS, "ops_usd REAL")                                                                           \
  X(TOTAL, "total_usd REAL")                                                                       \
  X(SAVED, "saved_usd REAL")                                                                       \
  X(SAVED_WITH_OPS, "saved_with_ops_usd REAL")                                                     \
  X(BREAK_EVEN, "break_even_requests REAL")                                                        \
  X(BREAK_EVEN_WITH_OPS, "break_even_with_ops REAL")
#define WORDS(X)                                                                                   \
  X(VERDICT, "verdict TEXT")                                                                       \
  X(WHY, "why TEXT")                                                                               \
  X(RULE, "rule TEXT")                                                                             \
  X(REQUESTS_FROM, "requests_from TEXT")                                                           \
  X(PRICE_FROM, "price_from TEXT")

#define AS_ID(id, text) id,
#define AS_COLUMN(id, text) ", " text
enum { OPTION, KIND, NUMBERS(AS_ID) WORDS(AS_ID) COLUMNS };

static void result_number(sqlite3_context *ctx, int i, double number) {
  if (isnan(number)) {
    return; /* not known, or there is none: NULL */
  }
  if (i == INSTANCES || i == GPUS) {
    sqlite3_result_int64(ctx, (sqlite3_int64)number);
  } else {
    sqlite3_result_double(ctx, number);
  }
}

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  static const char *const kinds[] = {
#define AS_WORD(id, word) word,
      SELFHOST_KINDS(AS_WORD)};
  const Cursor *c = (const Cursor *)base;
  const Selfhost *s = c->result;
  const SelfhostLine *l = &s->lines[c->base.at];
  const double numbers[COLUMNS] = {[REQUESTS] = s->traffic.requests,
                                   [EACH] = l->each / 1e9,
                                   [INSTANCES] = l->instances,
                                   [GPUS] = l->gpus,
                                   [UTILISATION] = l->utilisation,
                                   [HOSTING] = l->hosting / 1e9,
                                   [REQUESTS_USD] = l->requests / 1e9,
                                   [COST] = l->cost / 1e9,
                                   [OPS] = l->ops / 1e9,
                                   [TOTAL] = l->total / 1e9,
                                   [SAVED] = l->saved / 1e9,
                                   [SAVED_WITH_OPS] = l->saved_with_ops / 1e9,
                                   [BREAK_EVEN] = l->break_even,
                                   [BREAK_EVEN_WITH_OPS] = l->break_even_with_ops};
  const char *const words[COLUMNS] = {
      [OPTION] = l->name,
      [KIND] = kinds[l->kind],
      [VERDICT] = l->kind == SELFHOST_API ? NULL : economics_word(l->verdict),
      [WHY] = l->why,
      [RULE] = s->rule,
      [REQUESTS_FROM] = s->traffic.requests_from,
      [PRICE_FROM] = l->price_from};
  if (i >= REQUESTS && i <= BREAK_EVEN_WITH_OPS) {
    result_number(ctx, i, numbers[i]);
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

const TableKind selfhost_table = {
    .is_guarded = 1,
    .columns = "\"option\" TEXT, kind TEXT" NUMBERS(AS_COLUMN) WORDS(AS_COLUMN),
    .args = {"options"},
    .n_required = 1,
    .usage = "the options are missing: SELECT … FROM "
             "llm_selfhost('{\"model\":\"gpt-4o\",\"requests_per_month\":100000,"
             "\"input_tokens\":2000,\"output_tokens\":500,\"hosting\":[{\"name\":\"A100\",\"usd_"
             "per_month\":2000}]}')",
    .rows = 5,
    .cost = 1e5,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = column,
    .clear = clear,
};
