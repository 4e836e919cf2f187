/*
** llm_estimate(sql [, options]): what a SELECT would cost (work/estimate/estimate.h): a row for the models that it asks, and
** one for each other model that the same requests could be sent to.
*/
#include "tables/kit/table.h"
#include "tables/tables.h"
#include "work/estimate/estimate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name, or several. */
static int take_models(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                       Err *err) {
  EstimateOptions *o = to;
  const cJSON *item = cJSON_IsArray(v->json) ? v->json->child : v->json;
  int fits = item != NULL;
  for (o->n_models = 0; item && fits; item = cJSON_IsArray(v->json) ? item->next : NULL) {
    const char *name = cJSON_GetStringValue(item);
    fits = name && name[0] && strlen(name) < LIMIT_MODEL_NAME && o->n_models < ESTIMATE_MODELS;
    if (fits) {
      snprintf(o->models[o->n_models++], LIMIT_MODEL_NAME, "%s", name);
    }
  }
  return fits ? RC_OK : spec_bad(table, s->name, "the names of 1 to 8 models", err);
}

static const Spec specs[] = {
    {"models", SPEC_OTHER, .take = take_models},
    {"output_tokens", SPEC_INTO(EstimateOptions, INTEGER, output_tokens), .min = 0,
     .max = 10000000},
};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, "models",
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

static int is_own(const char *name) {
  int found = 0;
  for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
    found |= strcmp(specs[i].name, name) == 0;
  }
  return found;
}

/* Moves what is llm_map's into an object of its own; NULL: there is nothing, or *err. */
static cJSON *take_map_options(cJSON *given, Err *err) {
  cJSON *map = NULL;
  for (cJSON *item = given->child, *next; item && err->rc == RC_OK; item = next) {
    next = item->next;
    if (is_own(item->string)) {
      continue;
    }
    map = map ? map : cJSON_CreateObject();
    if (!map) {
      err_nomem(err);
      break;
    }
    cJSON_DetachItemViaPointer(given, item);
    cJSON_AddItemToArray(map, item); /* (its name stays) */
  }
  return map;
}

static int read_options(sqlite3_value *v, EstimateOptions *o, Err *err) {
  size_t n = 0;
  const char *json = v ? arg_bytes(v, &n, err) : NULL;
  cJSON *given = json ? spec_parse(&options_table, json, n, err) : NULL;
  spec_init(&options_table, o);
  cJSON *map = given ? take_map_options(given, err) : NULL;
  if (given && err->rc == RC_OK) {
    spec_read(&options_table, 0, given, o, err);
  }
  cJSON_Delete(given);
  o->map = map ? json_print(map, err) : NULL;
  return err->rc;
}

typedef struct Cursor {
  TableCursor base;
  Estimate *result;
  int at;
} Cursor;

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  EstimateOptions *o = calloc(1, sizeof *o);
  const char *sql = o ? arg_text(q->args[0], "the SELECT", err) : (err_nomem(err), NULL);
  if (sql && read_options(q->args[1], o, err) == RC_OK) {
    c->at = 0;
    c->result = estimate_new(table_of(base)->conn, sql, o, err);
  }
  if (o) {
    cJSON_free(o->map);
  }
  free(o);
  return err->rc;
}

static int next(TableCursor *base, Err *err) {
  ((Cursor *)base)->at++;
  return err->rc;
}

static int is_done(const TableCursor *base) {
  const Cursor *c = (const Cursor *)base;
  return !c->result || c->at >= c->result->n_lines;
}

static void result_count(sqlite3_context *ctx, long long count) {
  if (count >= 0) {
    sqlite3_result_int64(ctx, count);
  }
}

static void result_dollars(sqlite3_context *ctx, long long nusd) {
  if (nusd >= 0) {
    sqlite3_result_double(ctx, (double)nusd / 1e9);
  }
}

enum {
  MODEL,
  WHAT,
  ROWS,
  CALLS,
  REQUESTS,
  HITS,
  SIMILAR,
  ERRORS,
  INPUT,
  INPUT_IS,
  OUTPUT,
  OUTPUT_FROM,
  INPUT_USD,
  COST,
  MOST,
  OUTPUT_LOW,
  OUTPUT_HIGH,
  BATCH,
  PREFIX,
  THOUGHT,
  THOUGHT_USD,
  COUNTED,
  SEEN_BY
};

static void result_word(sqlite3_context *ctx, const char *word) {
  sqlite3_result_text(ctx, word, -1, SQLITE_TRANSIENT);
}

static const char *how_counted(const Estimate *e) {
  int may_be_less = e->is_similar || e->is_limited;
  return e->varies || (e->decides && may_be_less) ? "about"
         : e->decides                             ? "at least"
         : may_be_less                            ? "at most"
                                                  : "exactly";
}

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  const Cursor *c = (const Cursor *)base;
  const Estimate *e = c->result;
  const EstimateLine *l = &e->lines[c->at];
  const long long counts[] = {[ROWS] = e->rows,
                              [CALLS] = e->calls,
                              [REQUESTS] = e->requests,
                              [HITS] = e->hits,
                              [SIMILAR] = e->similar,
                              [ERRORS] = e->errors,
                              [INPUT] = l->input,
                              [OUTPUT] = l->output,
                              [INPUT_USD] = l->input_nusd,
                              [COST] = l->cost_nusd,
                              [MOST] = l->most_nusd,
                              [OUTPUT_LOW] = l->output_low,
                              [OUTPUT_HIGH] = l->output_high,
                              [BATCH] = l->batch_nusd,
                              [PREFIX] = l->prefix_nusd,
                              [THOUGHT] = l->thought,
                              [THOUGHT_USD] = l->thought_nusd};
  const char *const words[] = {[MODEL] = l->model[0] ? l->model : NULL,
                               [WHAT] = l->is_instead ? "instead" : "asked",
                               [INPUT_IS] = l->is_exact ? "exact" : "estimated",
                               [OUTPUT_FROM] = e->output_from[0] ? e->output_from : NULL,
                               [COUNTED] = how_counted(e),
                               [SEEN_BY] = l->is_instead || !e->seen_by[0] ? NULL : e->seen_by};
  if (i == INPUT_USD || i == COST || i == MOST || i == BATCH || i == PREFIX || i == THOUGHT_USD) {
    result_dollars(ctx, counts[i]);
  } else if (i >= 0 && words[i]) {
    result_word(ctx, words[i]);
  } else if (i >= ROWS && i <= THOUGHT_USD) {
    result_count(ctx, counts[i]);
  }
}

static void clear(TableCursor *base) {
  Cursor *c = (Cursor *)base;
  free(c->result);
  c->result = NULL;
}

const TableKind estimate_table = {
    .is_guarded = 1,
    .columns =
        "model TEXT, what TEXT, \"rows\" INTEGER, calls INTEGER, requests INTEGER, hits INTEGER,"
        " semantic_hits INTEGER, errors INTEGER,"
        " input_tokens INTEGER, input_is TEXT, output_tokens INTEGER, output_from TEXT,"
        " input_usd REAL, cost_usd REAL, max_usd REAL, output_low INTEGER, output_high INTEGER,"
        " batch_usd REAL, prefix_usd REAL, reasoning_tokens INTEGER, reasoning_usd REAL, counted "
        "TEXT,"
        " seen_by TEXT",
    .args = {"sql", "options"},
    .n_required = 1,
    .usage = "the SELECT is missing: SELECT … FROM llm_estimate('SELECT llm_complete(question) "
             "FROM tickets')",
    .rows = 3,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
