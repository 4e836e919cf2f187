/*
** llm_drift: why spending changed (work/drift/drift.h).
**
**   SELECT text FROM llm_drift('last month')                        the month before, and that month
**   … llm_drift('2026-09', '2026-11')                               one period, and another
**   … llm_drift('2026-09-01', '2026-09-08', '2026-11-01', '2026-11-08')
**   … llm_drift('tag:v41', 'tag:v42')                               cost per request of two releases
**
** The last argument may be options, a JSON object, whatever comes before it. The first row is the answer in words; the others
** add up to the change.
*/
#include "base/clock.h"
#include "base/text/decimal.h"
#include "tables/audit/fields.h"
#include "tables/tables.h"
#include "work/drift/drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct DriftOptions {
  int by; /* the dimension; -1: none */
  int billed;
  char tag[LIMIT_MODEL_NAME], user[LIMIT_MODEL_NAME], model[LIMIT_MODEL_NAME],
      provider[LIMIT_MODEL_NAME];
  long long from, to;
} DriftOptions;

static int take_billed(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                       Err *err) {
  DriftOptions *o = to;
  const char *word = cJSON_GetStringValue(v->json);
  o->billed = word && strcmp(word, "paid") == 0   ? BILLED_PAID
              : word && strcmp(word, "list") == 0 ? BILLED_LIST
                                                  : BILLED_ANY;
  return o->billed != BILLED_ANY ? RC_OK : spec_bad(table, s->name, "'paid' or 'list'", err);
}

#define DIMENSION(id, word) #word,
static const Spec specs[] = {
    {"by", SPEC_INTO(DriftOptions, WORD, by),
     .words = (const char *const[]){BUDGET_COLUMNS(DIMENSION) NULL}},
    {"billed", SPEC_OTHER, .take = take_billed},
    {"tag", SPEC_INTO(DriftOptions, CHARS, tag)},
    {"user", SPEC_INTO(DriftOptions, CHARS, user)},
    {"model", SPEC_INTO(DriftOptions, CHARS, model)},
    {"provider", SPEC_INTO(DriftOptions, CHARS, provider)},
    {"from", SPEC_INTO(DriftOptions, TIME, from)},
    {"to", SPEC_INTO(DriftOptions, TIME, to)},
};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, NULL,
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

typedef struct Cursor {
  FieldCursor base;
  DriftAnswer *answer;
} Cursor;

/* ---- the question */

static const char usage[] = "expected a period ('last month', '2026-11'), two of them, two "
                            "releases ('tag:v41', 'tag:v42'), "
                            "or four times; then options";

/* 1 if a value is the options: a JSON object. */
static int is_options(sqlite3_value *v) {
  const char *text =
      sqlite3_value_type(v) == SQLITE_TEXT ? (const char *)sqlite3_value_text(v) : NULL;
  return text && text[strspn(text, " \t\r\n")] == '{';
}

/* How many arguments come before the options, which are in *options then. NULL at the end is nothing given, as elsewhere. */
static int count_given(const TableQuery *q, sqlite3_value **options, Err *err) {
  int n = 0;
  while (n < q->n && q->args[n]) {
    n++;
  }
  while (n > 0 && sqlite3_value_type(q->args[n - 1]) == SQLITE_NULL) {
    n--;
  }
  *options = n > 0 && (n == q->n || is_options(q->args[n - 1])) ? q->args[n - 1] : NULL;
  n -= *options != NULL;
  if (n != 1 && n != 2 && n != 4) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s", usage);
  }
  return n;
}

/* The text of an argument; NULL and *err, for SQL's NULL too. */
static const char *given_text(sqlite3_value *v, const char *what, Err *err) {
  const char *text = arg_text(v, what, err);
  if (!text && err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s is NULL: %s", what, usage);
  }
  return text;
}

static const char *text_at(const TableQuery *q, int i, Err *err) {
  return given_text(q->args[i], i == 0 ? "the first argument" : "the second argument", err);
}

/* 1 if it is a scope: "tag:v41". */
static int is_scope(const char *text) {
  for (int i = 0; i < BUDGET_N; i++) {
    size_t n = strlen(drift_dimension(i));
    if (strncmp(text, drift_dimension(i), n) == 0 && text[n] == ':') {
      return 1;
    }
  }
  return 0;
}

static void take_release(DriftSideAsk *side, const char *text, const DriftOptions *o, Err *err) {
  side->has_scope = 1;
  scope_parse(text, &side->scope, err);
  side->span.span = (PeriodSpan){o->from == SPEC_NO_TIME ? PERIOD_EVER : o->from,
                                 o->to == SPEC_NO_TIME ? PERIOD_NEVER : o->to};
  snprintf(side->span.label, sizeof side->span.label, "%.*s", (int)sizeof side->span.label - 1,
           text);
}

static void take_two(DriftAsk *ask, const TableQuery *q, const DriftOptions *o, const Zone *zone,
                     Err *err) {
  const char *text[2] = {text_at(q, 0, err), err->rc == RC_OK ? text_at(q, 1, err) : NULL};
  if (err->rc != RC_OK) {
    return;
  }
  if (is_scope(text[0]) != is_scope(text[1])) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "one of them is a period and the other is none: %s",
            usage);
    return;
  }
  ask->per_request = is_scope(text[0]);
  for (int i = 0; i < 2 && err->rc == RC_OK; i++) {
    ask->per_request ? take_release(&ask->side[i], text[i], o, err)
                     : (void)span_parse(text[i], zone, now_ms(), &ask->side[i].span, NULL, err);
  }
}

/* A time as options take it: text, or Unix milliseconds. */
static long long time_at(sqlite3_value *v, const Zone *zone, Err *err) {
  long long ms = 0;
  LocalSpan label;
  if (sqlite3_value_type(v) == SQLITE_INTEGER) {
    return sqlite3_value_int64(v);
  }
  const char *text = given_text(v, "a time", err);
  if (text && span_read_label(text, &label)) { /* by the clocks of the setting time_zone */
    return span_moment(zone, label.from);
  }
  if (text && !time_parse(text, &ms)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "'%.40s' is no time: expected '2026-11-04', '2026-11-04 09:00' or Unix milliseconds",
            text);
  }
  return ms;
}

static void take_four(DriftAsk *ask, const TableQuery *q, const Zone *zone, Err *err) {
  for (int i = 0; i < 2 && err->rc == RC_OK; i++) {
    long long from = time_at(q->args[2 * i], zone, err);
    long long to = err->rc == RC_OK ? time_at(q->args[2 * i + 1], zone, err) : 0;
    ask->side[i].span = span_between(zone, from, to);
    if (err->rc == RC_OK && to < from) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "a period ends before it begins");
    }
  }
}

/* What options narrow both sides to. */
static void narrow(DriftAsk *ask, const TableQuery *q, const DriftOptions *o, Err *err) {
  const char *const of[BUDGET_N] = {[BUDGET_TAG] = o->tag,
                                    [BUDGET_USER] = o->user,
                                    [BUDGET_MODEL] = o->model,
                                    [BUDGET_PROVIDER] = o->provider};
  for (int side = 0; side < 2; side++) {
    char text[BUDGET_SCOPE];
    const char *release = ask->side[side].has_scope ? text_at(q, side, err) : NULL;
    int n = release ? snprintf(text, sizeof text, "%s", release) : 0;
    for (int i = 0; i < BUDGET_N && n < (int)sizeof text; i++) {
      if (of[i][0]) {
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%s:%s", n ? " & " : "",
                      drift_dimension(i), of[i]);
      }
    }
    if (n >= (int)sizeof text && err->rc == RC_OK) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "a release and what it is narrowed to are too long");
    } else if (n > 0 && err->rc == RC_OK) {
      ask->side[side].has_scope = 1;
      scope_parse(text, &ask->side[side].scope, err);
    }
  }
}

static void read_ask(Conn *conn, const TableQuery *q, DriftAsk *ask, Err *err) {
  DriftOptions o = {0};
  sqlite3_value *options = NULL;
  int n = count_given(q, &options, err);
  const Zone zone = drift_zone(conn);
  if (err->rc != RC_OK || arg_spec(options, &options_table, &o, err) != RC_OK) {
    return;
  }
  *ask = (DriftAsk){.by = o.by, .billed = o.billed};
  if (n == 1) {
    const char *text = text_at(q, 0, err);
    if (text && is_scope(text)) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "one of two releases is missing: %s", usage);
    } else if (text) {
      span_parse(text, &zone, now_ms(), &ask->side[1].span, &ask->side[0].span, err);
    }
  } else if (n == 2) {
    take_two(ask, q, &o, &zone, err);
  } else {
    take_four(ask, q, &zone, err);
  }
  if (err->rc == RC_OK && !ask->per_request && (o.from != SPEC_NO_TIME || o.to != SPEC_NO_TIME)) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "from, to: these are for two releases; the arguments say "
            "the periods");
  }
  if (err->rc == RC_OK && ask->per_request && ask->by >= 0) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "by: costs of a request are not added up over values; ask for one at a time");
  }
  if (err->rc == RC_OK) {
    narrow(ask, q, &o, err);
  }
}

static void clear(TableCursor *base) {
  Cursor *c = (Cursor *)base;
  drift_free(c->answer);
  c->answer = NULL;
  c->base.n = 0;
}

#define DRIFT_COLUMNS(X)                                                                           \
  X(driver, "TEXT", TEXT, driver)                                                                  \
  X(detail, "TEXT", TEXT, detail)                                                                  \
  X(change_usd, "REAL", LOSS, nusd)                                                                \
  X(share, "REAL", REAL, share)                                                                    \
  X(before, "REAL", REAL, before)                                                                  \
  X(after, "REAL", REAL, after)                                                                    \
  X(percent, "REAL", REAL, percent)                                                                \
  X(unit, "TEXT", TEXT, unit)                                                                      \
  X(value, "TEXT", TEXT, value)                                                                    \
  X(basis, "TEXT", TEXT, basis)                                                                    \
  X(text, "TEXT", TEXT, text)                                                                      \
  X(change_nusd, "INTEGER", SIGNED, nusd)

static const char drift_columns[] = DRIFT_COLUMNS(FIELD_COLUMN);
static const Field drift_fields[] = {
#define FIELD(name, sql, type, member) FIELD_OF(DriftLine, type, member),
    DRIFT_COLUMNS(FIELD)
#undef FIELD
};

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  DriftAsk *ask = calloc(1, sizeof *ask);
  if (!ask) {
    return err_nomem(err);
  }
  read_ask(table_of(base)->conn, q, ask, err);
  c->answer = err->rc == RC_OK ? drift_new(table_of(base)->conn, ask, err) : NULL;
  if (c->answer) {
    c->base.records = (const char *)c->answer->lines;
    c->base.size = sizeof c->answer->lines[0];
    c->base.n = c->answer->n;
    c->base.at = 0;
    c->base.fields = drift_fields;
  }
  free(ask);
  return err->rc;
}

const TableKind drift_table = {
    .is_guarded = 1,
    .columns = FIELDS_DECLARED(drift_columns),
    .args = {"from1", "to1", "from2", "to2", "options"},
    .n_required = 1,
    .usage = usage,
    .rows = 30,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = fields_column,
    .clear = clear,
};
