/*
** llm_stack(baseline, steps): what savings that follow each other come to (core/audit/economics.h). A row for the baseline, then one a step.
** It reads nothing: anybody may ask.
*/
#include "core/audit/economics.h"
#include "tables/kit/table.h"
#include "tables/tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* More steps than anybody has ways to save; a row of the table each. */
enum { MOST_STEPS = 100, STEP_NAME = 100 };

/* Dollars; in nano-dollars a number of 64 bits. */
#define MOST_USD 9e9

typedef struct Step {
  char name[STEP_NAME];
  double saves, keeps, share; /* NAN: not given */
  double factor, kept;        /* of the step; of the baseline after it */
  long long before, after;    /* nano-dollars */
} Step;

typedef struct Cursor {
  TableCursor base;
  Step steps[MOST_STEPS + 1]; /* the baseline first */
  int n, at;
  int is_unknown; /* the baseline is NULL */
} Cursor;

static const Spec specs[] = {
    {"name", SPEC_INTO(Step, CHARS, name)},
    {"saves", SPEC_INTO(Step, NUMBER, saves), .min = -1000, .max = 1,
     .what = "the share that is saved, 0.3 for 30 % (below 0: it costs more),"},
    {"keeps", SPEC_INTO(Step, NUMBER, keeps), .min = 0, .max = 1001,
     .what = "the share that is left, 0.7 for 30 % less,"},
    {"share", SPEC_INTO(Step, NUMBER, share), .min = 0, .max = 1,
     .what = "the share of the traffic that it is about,", .initial = "1"},
};

static const SpecTable step_table = {
    "member of a step", ERR_BAD_ARGUMENT, NULL, NULL, specs, sizeof specs / sizeof specs[0]};

/* ---- reading */

static int read_step(const cJSON *item, int i, Step *s, Err *err) {
  spec_init(&step_table, s);
  if (cJSON_IsNumber(item)) {
    SpecValue v = spec_value_json(item);
    v.name = "saves";
    spec_set(&step_table, &specs[1], &v, s, err);
  } else if (cJSON_IsObject(item)) {
    spec_read(&step_table, 0, item, s, err);
  } else {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "step %d: expected an object such as {\"name\":\"cache\",\"saves\":0.4}, or the share "
            "that is saved",
            i);
  }
  if (err->rc == RC_OK && isnan(s->saves) == isnan(s->keeps)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "step %d: give either 'saves' or 'keeps'%s", i,
            isnan(s->saves) ? "" : ", not both");
  }
  if (err->rc == RC_OK && !s->name[0]) {
    snprintf(s->name, sizeof s->name, "step %d", i);
  }
  s->factor = economics_factor(isnan(s->saves) ? 1 - s->keeps : s->saves, s->share);
  return err->rc;
}

static int read_steps(Cursor *c, const char *json, size_t n, Err *err) {
  cJSON *tree = json_parse(json, n, "the steps", err);
  if (tree && (!cJSON_IsArray(tree) || cJSON_GetArraySize(tree) > MOST_STEPS)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "the steps must be a JSON array of at most %d, such as "
            "'[{\"name\":\"cache\",\"saves\":0.4}]'",
            MOST_STEPS);
  }
  for (const cJSON *item = tree ? tree->child : NULL; item && err->rc == RC_OK; item = item->next) {
    read_step(item, c->n, &c->steps[c->n], err);
    c->n++;
  }
  cJSON_Delete(tree);
  return err->rc;
}

/* Dollars; NULL is unknown, and so is all money then. */
static int read_baseline(Cursor *c, sqlite3_value *v, Err *err) {
  int type = sqlite3_value_numeric_type(v);
  double usd = sqlite3_value_double(v);
  c->is_unknown = type == SQLITE_NULL;
  if (!c->is_unknown &&
      ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) || !(usd >= 0 && usd <= MOST_USD))) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "the baseline must be dollars from 0 to %.0f, or NULL", MOST_USD);
  }
  c->steps[0] = (Step){.name = "baseline", .factor = 1, .kept = 1};
  c->steps[0].before = c->steps[0].after = llround(usd * 1e9);
  c->n = 1;
  return RC_OK;
}

static int apply(Cursor *c, Err *err) {
  for (int i = 1; i < c->n && err->rc == RC_OK; i++) {
    Step *s = &c->steps[i];
    s->before = s[-1].after;
    s->kept = economics_both(s[-1].kept, s->factor);
    if (!economics_apply(s->before, s->factor, &s->after)) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "step %d ('%.80s') makes it more than %.0f dollars",
              i, s->name, MOST_USD);
    }
  }
  return err->rc;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  size_t n = 0;
  const char *json = arg_bytes(q->args[1], &n, err);
  c->at = 0;
  if (json && read_baseline(c, q->args[0], err) == RC_OK && read_steps(c, json, n, err) == RC_OK) {
    apply(c, err);
  }
  return err->rc;
}

/* ---- rows */

static int next(TableCursor *base, Err *err) {
  ((Cursor *)base)->at++;
  return err->rc;
}

static int is_done(const TableCursor *base) {
  const Cursor *c = (const Cursor *)base;
  return c->at >= c->n;
}

enum { STEP, NAME, FACTOR, BEFORE, AFTER, SAVED, TOTAL_SAVED };

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  const Cursor *c = (const Cursor *)base;
  const Step *s = &c->steps[c->at];
  const long long money[] = {
      [BEFORE] = s->before, [AFTER] = s->after, [SAVED] = s->before - s->after};
  switch (i) {
  case STEP:
    sqlite3_result_int(ctx, c->at);
    break;
  case NAME:
    sqlite3_result_text(ctx, s->name, -1, SQLITE_TRANSIENT);
    break;
  case FACTOR:
    sqlite3_result_double(ctx, s->factor);
    break;
  case BEFORE:
  case AFTER:
  case SAVED:
    if (!c->is_unknown) {
      sqlite3_result_double(ctx, (double)money[i] / 1e9);
    }
    break;
  case TOTAL_SAVED:
    if (c->is_unknown || c->steps[0].before > 0) { /* a share of nothing is no number */
      sqlite3_result_double(ctx, economics_factor(s->kept, 1));
    }
    break;
  default:
    break;
  }
}

static void clear(TableCursor *base) {
  ((Cursor *)base)->n = 0;
}

const TableKind stack_table = {
    .columns =
        "step INTEGER, name TEXT, factor REAL, before_usd REAL, after_usd REAL, saved_usd REAL,"
        " total_saved_share REAL",
    .args = {"baseline", "steps"},
    .n_required = 2,
    .usage = "the baseline in dollars or the steps are missing: SELECT … FROM llm_stack(10000, "
             "'[{\"name\":\"routing\",\"saves\":0.7}]')",
    .rows = 5,
    .cost = 10,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
