/*
** How prompts change over time (work/audit/prompts.h): llm_conversations([options]), llm_system_prompts([options]) and
** llm_system_diff(hash1, hash2), two system prompts line by line (core/audit/diff.h).
**
** Texts are not held in memory: a version's is read from llm_texts when its row is looked at.
*/
#include "core/audit/diff.h"
#include "money/counter.h"
#include "tables/audit/fields.h"
#include "tables/audit/texts.h"
#include "tables/kit/reading.h"
#include "tables/tables.h"
#include "work/audit/prompts.h"

#include <stdlib.h>
#include <string.h>

/* ---- llm_conversations */

typedef struct ReportCursor {
  FieldCursor base;
  Groups all;
  Reading texts;
} ReportCursor;

typedef int (*ReportFn)(Conn *conn, const AuditAsk *ask, Groups *all, Err *err);

static int query_report(TableCursor *base, const TableQuery *q, ReportFn read, const Field *fields,
                        Err *err) {
  ReportCursor *c = (ReportCursor *)base;
  PartOptions part;
  AuditAsk ask;
  c->base.n = c->base.at = 0;
  if (fields_ask(q, &part, &ask, err) == RC_OK &&
      read(table_of(base)->conn, &ask, &c->all, err) == RC_OK) {
    c->base.records = c->all.records;
    c->base.size = c->all.size;
    c->base.n = c->all.n;
    c->base.fields = fields;
  }
  return err->rc;
}

static void clear_report(TableCursor *base) {
  ReportCursor *c = (ReportCursor *)base;
  groups_free(&c->all);
  c->base.n = 0;
  reading_clear(&c->texts);
}

#define CONVERSATION_COLUMNS(X)                                                                    \
  X(conversation, "TEXT", TEXT, conversation)                                                      \
  X(tag, "TEXT", TEXT, tag)                                                                        \
  X(user, "TEXT", TEXT, user)                                                                      \
  X(billed, "TEXT", TEXT, billed)                                                                  \
  X(turns, "INTEGER", INTEGER, turns)                                                              \
  X(calls, "INTEGER", INTEGER, calls)                                                              \
  X(hits, "INTEGER", INTEGER, hits)                                                                \
  X(first_ts, "INTEGER", SIGNED, first_ts)                                                         \
  X(last_ts, "INTEGER", SIGNED, last_ts)                                                           \
  X(first_input_tokens, "INTEGER", INTEGER, first_input_tokens)                                    \
  X(last_input_tokens, "INTEGER", INTEGER, last_input_tokens)                                      \
  X(mean_input_tokens, "REAL", REAL, mean_input_tokens)                                            \
  X(slope, "REAL", REAL, slope)                                                                    \
  X(cost_usd, "REAL", USD, cost_nusd)                                                              \
  X(inflated_usd, "REAL", USD, inflated_nusd)                                                      \
  X(growth_percent, "REAL", REAL, growth_percent)                                                  \
  X(unpriced, "INTEGER", INTEGER, unpriced)                                                        \
  X(cost_nusd, "INTEGER", INTEGER, cost_nusd)                                                      \
  X(inflated_nusd, "INTEGER", INTEGER, inflated_nusd)

static const char conversation_columns[] = CONVERSATION_COLUMNS(FIELD_COLUMN);
static const Field conversation_fields[] = {
#define FIELD(name, sql, type, member) FIELD_OF(Conversation, type, member),
    CONVERSATION_COLUMNS(FIELD)
#undef FIELD
};

static int query_conversations(TableCursor *base, const TableQuery *q, Err *err) {
  return query_report(base, q, conversations_read, conversation_fields, err);
}

const TableKind conversations_table = {
    .is_guarded = 1,
    .columns = FIELDS_DECLARED(conversation_columns),
    .args = {"options"},
    .rows = 10000,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(ReportCursor),
    .query = query_conversations,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = fields_column,
    .clear = clear_report,
};

/* ---- llm_system_prompts */

#define PROMPT_COLUMNS(X)                                                                          \
  X(tag, "TEXT", TEXT, tag)                                                                        \
  X(version, "INTEGER", INTEGER, version)                                                          \
  X(system_hash, "TEXT", TEXT, system_hash)                                                        \
  X(first_ts, "INTEGER", SIGNED, first_ts)                                                         \
  X(last_ts, "INTEGER", SIGNED, last_ts)                                                           \
  X(calls, "INTEGER", INTEGER, calls)                                                              \
  X(tokens, "INTEGER", INTEGER, tokens)                                                            \
  X(grown_by, "INTEGER", SIGNED, grown_by)                                                         \
  X(cost_usd, "REAL", USD, cost_nusd)                                                              \
  X(usd_per_day, "REAL", REAL, usd_per_day)                                                        \
  X(unpriced, "INTEGER", INTEGER, unpriced)                                                        \
  X(changes_per_week, "REAL", REAL, changes_per_week)                                              \
  X(is_volatile, "INTEGER", INTEGER, is_volatile)

enum {
#define COUNT_ONE(name, sql, type, member) +1
  FIRST_CHANGE = 0 PROMPT_COLUMNS(COUNT_ONE),
#undef COUNT_ONE
  CHANGE_TEXT,
  TEXT
};

static const char prompt_columns[] =
    PROMPT_COLUMNS(FIELD_COLUMN) ", \"first_change\" INTEGER, \"first_change_text\" TEXT,"
                                 " \"text\" TEXT";
static const Field prompt_fields[] = {
#define FIELD(name, sql, type, member) FIELD_OF(SystemPrompt, type, member),
    PROMPT_COLUMNS(FIELD)
#undef FIELD
};

static int query_prompts(TableCursor *base, const TableQuery *q, Err *err) {
  return query_report(base, q, system_prompts_read, prompt_fields, err);
}

static void prompt_column(TableCursor *base, sqlite3_context *ctx, int i) {
  ReportCursor *c = (ReportCursor *)base;
  const SystemPrompt *p = (const SystemPrompt *)(const void *)c->base.records + c->base.at;
  Err err = {0};
  if (i < FIRST_CHANGE) {
    fields_column(base, ctx, i);
  } else if (i == TEXT) {
    sqlite3_result_text(ctx, texts_read(&c->texts, table_of(base)->conn, p->system_hash, &err), -1,
                        SQLITE_TRANSIENT);
  } else if (p->before) {
    texts_result_change(&c->texts, table_of(base)->conn, p->before, p->system_hash,
                        i == FIRST_CHANGE ? CHANGE_AT : CHANGE_AROUND, ctx, &err);
  }
  if (err.rc != RC_OK) {
    sqlite3_result_error(ctx, err.msg, -1);
  }
}

static void close_report(TableCursor *base) {
  reading_close(&((ReportCursor *)base)->texts);
}

const TableKind system_prompts_table = {
    .is_guarded = 1,
    .columns = FIELDS_DECLARED(prompt_columns),
    .args = {"options"},
    .rows = 100,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(ReportCursor),
    .query = query_prompts,
    .next = fields_next,
    .is_done = fields_is_done,
    .column = prompt_column,
    .clear = clear_report,
    .close = close_report,
};

/* ---- llm_system_diff */

typedef struct DiffCursor {
  TableCursor base;
  char *texts[2]; /* owned (sqlite3_free) */
  DiffLine *lines;
  long long n, at;
  TokenRule rule;
} DiffCursor;

static int query_diff(TableCursor *base, const TableQuery *q, Err *err) {
  DiffCursor *c = (DiffCursor *)base;
  Reading r = {.reader = NULL};
  c->n = c->at = 0;
  for (int i = 0; i < 2 && err->rc == RC_OK; i++) {
    const char *hash = arg_name(q->args[i], "a text's name", err);
    c->texts[i] = hash ? texts_copy(&r, table_of(base)->conn, hash, err) : NULL;
    if (hash && !c->texts[i] && err->rc == RC_OK) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
              "no text of the name '%.80s' is kept: see system_hash of llm_system_prompts "
              "(texts are kept while the setting log_text is 'full')",
              hash);
    }
  }
  reading_close(&r);
  if (c->texts[0] && c->texts[1] &&
      counter_rule(table_of(base)->conn, NULL, &c->rule, err) == RC_OK) {
    c->n = diff_lines(c->texts[0], c->texts[1], &c->lines);
    if (c->n < 0) {
      c->n = 0;
      err_nomem(err);
    }
  }
  return err->rc;
}

static int next_line(TableCursor *base, Err *err) {
  ((DiffCursor *)base)->at++;
  return err->rc;
}

static int is_last_line(const TableCursor *base) {
  const DiffCursor *c = (const DiffCursor *)base;
  return c->at >= c->n;
}

enum { OP, LINE, TOKENS, FIRST, SECOND };

static void diff_column(TableCursor *base, sqlite3_context *ctx, int i) {
  const DiffCursor *c = (const DiffCursor *)base;
  const DiffLine *l = &c->lines[c->at];
  long long tokens = i == TOKENS ? tokens_count(&c->rule, l->text, l->n) : 0;
  if (i == OP) {
    sqlite3_result_text(ctx, &l->op, 1, SQLITE_TRANSIENT);
  } else if (i == LINE) {
    sqlite3_result_text(ctx, l->text, (int)l->n, SQLITE_TRANSIENT);
  } else if (tokens < 0) {
    sqlite3_result_error_nomem(ctx);
  } else if (i == TOKENS) {
    sqlite3_result_int64(ctx, tokens);
  } else if ((i == FIRST && l->first) || (i == SECOND && l->second)) {
    sqlite3_result_int64(ctx, i == FIRST ? l->first : l->second);
  }
}

static void clear_diff(TableCursor *base) {
  DiffCursor *c = (DiffCursor *)base;
  for (int i = 0; i < 2; i++) {
    sqlite3_free(c->texts[i]);
    c->texts[i] = NULL;
  }
  free(c->lines);
  c->lines = NULL;
  c->n = 0;
}

const TableKind system_diff_table = {
    .is_guarded = 1,
    .columns =
        "\"op\" TEXT, \"line\" TEXT, \"tokens\" INTEGER, \"line1\" INTEGER, \"line2\" INTEGER",
    .args = {"hash1", "hash2"},
    .n_required = 2,
    .usage = "expected two names of system prompts, as llm_system_prompts has them in system_hash:"
             " llm_system_diff('…', '…')",
    .rows = 100,
    .cost = 1e4,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(DiffCursor),
    .query = query_diff,
    .next = next_line,
    .is_done = is_last_line,
    .column = diff_column,
    .clear = clear_diff,
};
