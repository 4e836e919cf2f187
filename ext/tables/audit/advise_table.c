/*
** llm_advise([options]): what to do next (work/advice/advise.h), best first.
*/
#include "base/clock.h"
#include "tables/audit/fields.h"
#include "tables/tables.h"
#include "work/advice/advise.h"
#include "work/drift/drift.h"

#include <limits.h>
#include <stdio.h>

typedef struct AdviseOptions {
  long long from, to, min_calls;
  char tag[ADVISE_MOST_TAG], period[64];
} AdviseOptions;

static const Spec specs[] = {
    {"period", SPEC_INTO(AdviseOptions, CHARS, period)},
    {"from", SPEC_INTO(AdviseOptions, TIME, from)},
    {"to", SPEC_INTO(AdviseOptions, TIME, to)},
    {"tag", SPEC_INTO(AdviseOptions, CHARS, tag)},
    {"min_calls", SPEC_INTO(AdviseOptions, INTEGER, min_calls), .min = 2, .max = 1000000,
     .initial = "50"},
};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, NULL,
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

typedef struct AdviseCursor {
  FieldCursor base;
  Groups lines;
} AdviseCursor;

#define ADVISE_COLUMNS(X)                                                                          \
  X(rank, "INTEGER", INTEGER, rank)                                                                \
  X(advice, "TEXT", TEXT, advice)                                                                  \
  X(subject, "TEXT", TEXT, subject)                                                                \
  X(usd_per_month, "REAL", LOSS, nusd_per_month)                                                   \
  X(low_usd, "REAL", LOSS, low_nusd)                                                               \
  X(high_usd, "REAL", LOSS, high_nusd)                                                             \
  X(share, "REAL", REAL, share)                                                                    \
  X(step, "INTEGER", INTEGER, step)                                                                \
  X(effort, "TEXT", TEXT, effort)                                                                  \
  X(impact, "TEXT", TEXT, impact)                                                                  \
  X(expected, "TEXT", TEXT, expected)                                                              \
  X(confidence, "TEXT", TEXT, confidence)                                                          \
  X(calls, "INTEGER", INTEGER, calls)                                                              \
  X(what, "TEXT", TEXT, what)                                                                      \
  X(when_to, "TEXT", TEXT, when)                                                                   \
  X(why, "TEXT", TEXT, why)                                                                        \
  X(how, "TEXT", TEXT, how)                                                                        \
  X(billed, "TEXT", TEXT, billed)

static const char advise_columns[] = ADVISE_COLUMNS(FIELD_COLUMN);
static const Field advise_fields[] = {
#define FIELD(name, sql, type, member) FIELD_OF(AdviseLine, type, member),
    ADVISE_COLUMNS(FIELD)
#undef FIELD
};

static int read_ask(Conn *conn, const AdviseOptions *o, AdviseAsk *ask, Err *err) {
  *ask = (AdviseAsk){.from = o->from == SPEC_NO_TIME ? LLONG_MIN : o->from,
                     .to = o->to == SPEC_NO_TIME ? LLONG_MAX : o->to,
                     .tag = o->tag[0] ? o->tag : NULL,
                     .min_calls = (int)o->min_calls};
  if (o->period[0] && (o->from != SPEC_NO_TIME || o->to != SPEC_NO_TIME)) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "give either 'period', or 'from' and 'to'");
  }
  if (o->period[0]) {
    NamedSpan is;
    const Zone zone = drift_zone(conn);
    if (span_parse(o->period, &zone, now_ms(), &is, NULL, err) == RC_OK) {
      ask->from = is.span.from;
      ask->to = is.span.to;
    }
  }
  return err->rc;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  AdviseCursor *c = (AdviseCursor *)base;
  Conn *conn = table_of(base)->conn;
  AdviseOptions o;
  AdviseAsk ask;
  c->base.n = c->base.at = 0;
  if (arg_spec(q->args[0], &options_table, &o, err) == RC_OK &&
      read_ask(conn, &o, &ask, err) == RC_OK && advise_read(conn, &ask, &c->lines, err) == RC_OK) {
    c->base.records = c->lines.records;
    c->base.size = sizeof(AdviseLine);
    c->base.n = c->lines.n;
    c->base.fields = advise_fields;
  }
  return err->rc;
}

static void clear(TableCursor *base) {
  groups_free(&((AdviseCursor *)base)->lines);
}

const TableKind advise_table = {
    .is_guarded = 1,
    .columns = FIELDS_DECLARED(advise_columns),
    .args = {"options"},
    .rows = 20,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(AdviseCursor),
    .query = query,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = fields_column,
    .clear = clear,
};
