/*
** llm_savings([options]): what was saved, each against its baseline (work/audit/savings.h); llm_prefix_cache([options]): what
** providers' prefix caches gave and took (work/audit/prefix.h). Both are of the ledger as it is when they are asked.
*/
#include "tables/audit/fields.h"
#include "tables/audit/texts.h"
#include "tables/tables.h"
#include "work/audit/prefix.h"
#include "work/audit/savings.h"
#include "work/drift/drift.h"

/* ---- llm_savings */

typedef struct SavingsOptions {
  PartOptions part;
  unsigned by;
} SavingsOptions;

static const Spec specs[] = {
    PART_SPECS(SavingsOptions, part),
    {"by", SPEC_INTO(SavingsOptions, SET, by), .words = SPEC_WORDS(SAVING_DIMENSIONS)},
};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, NULL,
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

typedef struct SavingsCursor {
  FieldCursor base;
  Savings savings;
} SavingsCursor;

#define SAVINGS_COLUMNS(X)                                                                         \
  X(saving, "TEXT", TEXT, saving)                                                                  \
  X(who, "TEXT", TEXT, who)                                                                        \
  X(billed, "TEXT", TEXT, billed)                                                                  \
  X(calls, "INTEGER", INTEGER, calls)                                                              \
  X(usd, "REAL", LOSS, nusd)                                                                       \
  X(share, "REAL", REAL, share)                                                                    \
  X(unpriced, "INTEGER", INTEGER, unpriced)                                                        \
  X(baseline, "TEXT", TEXT, baseline)                                                              \
  X(nusd, "INTEGER", SIGNED, nusd)                                                                 \
  X(day, "TEXT", TEXT, of[SAVING_DAY])                                                             \
  X(tag, "TEXT", TEXT, of[SAVING_TAG])                                                             \
  X(model, "TEXT", TEXT, of[SAVING_MODEL])

static const char savings_columns[] = SAVINGS_COLUMNS(FIELD_COLUMN);
static const Field savings_fields[] = {
#define FIELD(name, sql, type, member) FIELD_OF(SavingLine, type, member),
    SAVINGS_COLUMNS(FIELD)
#undef FIELD
};

static int query_savings(TableCursor *base, const TableQuery *q, Err *err) {
  SavingsCursor *c = (SavingsCursor *)base;
  Conn *conn = table_of(base)->conn;
  SavingsOptions o;
  c->base.n = c->base.at = 0;
  if (arg_spec(q->args[0], &options_table, &o, err) != RC_OK) {
    return err->rc;
  }
  const SavingsAsk ask = {.rows = fields_part(&o.part), .by = o.by, .zone = drift_zone(conn)};
  if (savings_read(conn, &ask, &c->savings, err) == RC_OK) {
    c->base.records = (const char *)c->savings.lines;
    c->base.size = sizeof c->savings.lines[0];
    c->base.n = c->savings.n;
    c->base.fields = savings_fields;
  }
  return err->rc;
}

static void clear_savings(TableCursor *base) {
  savings_free(&((SavingsCursor *)base)->savings);
}

const TableKind savings_table = {
    .is_guarded = 1,
    .columns = FIELDS_DECLARED(savings_columns),
    .args = {"options"},
    .rows = SAVING_COUNT,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(SavingsCursor),
    .query = query_savings,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = fields_column,
    .clear = clear_savings,
};

/* ---- llm_prefix_cache */

typedef struct PrefixCursor {
  FieldCursor base;
  Groups lines;
  Reading texts;
} PrefixCursor;

#define PREFIX_COLUMNS(X)                                                                          \
  X(tag, "TEXT", TEXT, tag)                                                                        \
  X(model, "TEXT", TEXT, model)                                                                    \
  X(provider, "TEXT", TEXT, provider)                                                              \
  X(who, "TEXT", TEXT, owner)                                                                      \
  X(billed, "TEXT", TEXT, billed)                                                                  \
  X(calls, "INTEGER", INTEGER, calls)                                                              \
  X(eligible, "INTEGER", INTEGER, eligible)                                                        \
  X(hits, "INTEGER", INTEGER, hits)                                                                \
  X(hit_percent, "REAL", REAL, hit_percent)                                                        \
  X(min_tokens, "INTEGER", INTEGER, min_tokens)                                                    \
  X(input_tokens, "INTEGER", INTEGER, input_tokens)                                                \
  X(cached_input_tokens, "INTEGER", INTEGER, cached_input_tokens)                                  \
  X(cache_write_tokens, "INTEGER", INTEGER, cache_write_tokens)                                    \
  X(cache_write_long_tokens, "INTEGER", INTEGER, cache_write_long_tokens)                          \
  X(gained_usd, "REAL", LOSS, gained_nusd)                                                         \
  X(lost_usd, "REAL", LOSS, lost_nusd)                                                             \
  X(net_usd, "REAL", LOSS, net_nusd)                                                               \
  X(unpriced, "INTEGER", INTEGER, unpriced)                                                        \
  X(first, "INTEGER", INTEGER, first)                                                              \
  X(within_5m, "INTEGER", INTEGER, within_5m)                                                      \
  X(within_1h, "INTEGER", INTEGER, within_1h)                                                      \
  X(later, "INTEGER", INTEGER, later)                                                              \
  X(no_cache_usd, "REAL", USD, none_nusd)                                                          \
  X(ttl_5m_usd, "REAL", USD, five_minutes_nusd)                                                    \
  X(ttl_1h_usd, "REAL", USD, hour_nusd)                                                            \
  X(best_ttl, "TEXT", TEXT, best_ttl)                                                              \
  X(net_nusd, "INTEGER", SIGNED, net_nusd)                                                         \
  X(misses, "TEXT", TEXT, misses)

enum {
#define COUNT_ONE(name, sql, type, member) +1
  FIRST_CHANGE = 0 PREFIX_COLUMNS(COUNT_ONE)
#undef COUNT_ONE
};

static const char prefix_columns[] = PREFIX_COLUMNS(FIELD_COLUMN) ", \"first_change\" INTEGER,"
                                                                  " \"first_change_text\" TEXT";
static const Field prefix_fields[] = {
#define FIELD(name, sql, type, member) FIELD_OF(PrefixLine, type, member),
    PREFIX_COLUMNS(FIELD)
#undef FIELD
};

static int query_prefix(TableCursor *base, const TableQuery *q, Err *err) {
  PrefixCursor *c = (PrefixCursor *)base;
  PartOptions part;
  AuditAsk ask;
  c->base.n = c->base.at = 0;
  if (fields_ask(q, &part, &ask, err) == RC_OK &&
      prefix_read(table_of(base)->conn, &ask, &c->lines, err) == RC_OK) {
    c->base.records = c->lines.records;
    c->base.size = sizeof(PrefixLine);
    c->base.n = c->lines.n;
    c->base.fields = prefix_fields;
  }
  return err->rc;
}

static void clear_prefix(TableCursor *base) {
  groups_free(&((PrefixCursor *)base)->lines);
}

/* (The last columns are read from the texts of its two latest system prompts.) */
static void prefix_column(TableCursor *base, sqlite3_context *ctx, int i) {
  PrefixCursor *c = (PrefixCursor *)base;
  const PrefixLine *l = (const PrefixLine *)(const void *)c->base.records + c->base.at;
  Err err = {0};
  if (i < FIRST_CHANGE) {
    fields_column(base, ctx, i);
  } else if (l->system_before[0]) {
    texts_result_change(&c->texts, table_of(base)->conn, l->system_before, l->system,
                        i == FIRST_CHANGE ? CHANGE_AT : CHANGE_AROUND, ctx, &err);
  }
  if (err.rc != RC_OK) {
    sqlite3_result_error(ctx, err.msg, -1);
  }
}

static void close_prefix(TableCursor *base) {
  reading_close(&((PrefixCursor *)base)->texts);
}

const TableKind prefix_cache_table = {
    .is_guarded = 1,
    .columns = FIELDS_DECLARED(prefix_columns),
    .args = {"options"},
    .rows = 100,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(PrefixCursor),
    .query = query_prefix,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = prefix_column,
    .clear = clear_prefix,
    .close = close_prefix,
};
