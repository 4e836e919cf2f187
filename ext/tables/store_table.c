/*
** The store's tables and views under their bare names: read-only eponymous virtual tables.
**
** One module serves all; a query is handed to a reading connection of the store with its WHERE,
** ORDER BY, LIMIT and the columns it uses. Each cursor has a connection to itself while it is open,
** so each sees the newest rows when it starts. Where there is no store yet there are no rows, and
** none is made.
**
** The rowid is the row's own where there is one: SQLite's OR optimization tells rows apart by it.
** Views have none, so no WHERE is handed to them (which keeps that optimization away).
**
** DIRECTONLY: the ledger may hold other databases' prompts (LLMCOST_STORE), and a trigger in a
** stranger's file could copy them. Views over these tables belong into temp.
**
** What nobody reads is hidden: keys and file numbers of 64 bits, which some clients' numbers can't hold, and bytes. `time` is
** made here, of `ts`: as text, in the setting time_zone.
**
** Plan: idxStr is the SQL to run, its parameters in the order of xFilter's arguments. Constraints
** are pushed down but not omitted (SQLite checks them again), so that a difference in affinity
** can't change an answer; text comparisons only under BINARY collation, which the store uses.
*/
#include "base/sqlite/vtab.h"
#include "base/text/decimal.h"
#include "core/price/zone.h"
#include "store/db/sum_row.h"
#include "tables/kit/reading.h"
#include "tables/kit/table.h"
#include "tables/tables.h"

#include <string.h>
#include <time.h>

/* (sums that stand in others don't count beside them: store/past/past.h) */
static const char counting_invoices[] = "(SELECT * FROM main.llm_invoices WHERE precedence < 1000)";

/* (where no text is, the table has an empty BLOB, so that it is one key) */
static const char sums_of_texts[] =
#define TEXT(name) ", nullif(" #name ", x'') AS " #name
#define MEASURE(name, kind) ", " #name
    "(SELECT dimension, grain, start" TEXT(value) TEXT(provider) TEXT(service) TEXT(source)
        TEXT(billed) SUM_MEASURES(MEASURE) " FROM main.llm_sums)";
#undef TEXT
#undef MEASURE

/* What each gate did, and how often it was wrong: of the answers it let through, those that an audit's better model contradicts;
** of those it stopped, the ones that the answer given in the end agrees with, and what that one cost. (A view of the store can't
** read JSON: SQLite's functions for that are not for schemas that may be anybody's.) */
static const char gate_checks_columns[] =
    "\"gate\" TEXT, \"kind\" TEXT, \"answers\" INTEGER, \"failed\" INTEGER, \"audited\" INTEGER,"
    " \"missed\" INTEGER, \"false_alarms\" INTEGER, \"false_alarm_usd\" REAL";
static const char gate_checks[] =
    "("
    "SELECT name AS gate, kind, count(*) AS answers, sum(failed) AS failed, sum(audited) AS "
    "audited, sum(missed) AS missed,"
    " sum(false_alarm_nusd IS NOT NULL) AS false_alarms, sum(false_alarm_nusd) / 1e9 AS "
    "false_alarm_usd"
    " FROM (SELECT g.value ->> '$.gate' AS name, g.value ->> '$.kind' AS kind, NOT (g.value ->> "
    "'$.passes') AS failed,"
    " c.gate ->> '$.audit.agrees' IS NOT NULL AS audited, coalesce(c.gate ->> '$.audit.agrees' = "
    "0, 0) AS missed,"
    " CASE WHEN NOT (g.value ->> '$.passes') THEN"
    " (SELECT coalesce(n.cost_nusd, 0) FROM main.llm_calls n"
    " WHERE n.request_id = c.request_id AND n.attempt > c.attempt AND json_valid(n.gate)"
    " AND n.gate ->> '$.rejected.call' = c.id AND n.gate ->> '$.rejected.agrees') END AS "
    "false_alarm_nusd"
    " FROM main.llm_calls c, json_each(c.gate, '$.gates') g WHERE json_valid(c.gate))"
    " GROUP BY 1, 2"
    ")";

/* A batch as it stands: open_rows have no outcome yet. What was saved is what its answers would have cost one by one, less what they did.
** (Texts are empty where there are none: an update of a note can't make one NULL again.) */
static const char batches_columns[] =
    "\"id\" INTEGER, \"state\" TEXT, \"provider\" TEXT, \"model\" TEXT, \"rows\" INTEGER,"
    " \"requests\" INTEGER, \"open_rows\" INTEGER, \"answered\" INTEGER, \"age_s\" INTEGER,"
    " \"cost_nusd\" INTEGER, \"saved_nusd\" INTEGER, \"held_nusd\" INTEGER, \"unpriced\" INTEGER,"
    " \"expected_end\" TEXT, \"word\" TEXT, \"trouble\" TEXT, \"error\" TEXT, \"provider_id\" TEXT,"
    " \"form\" TEXT, \"endpoint\" TEXT, \"created_at\" INTEGER, \"sent_at\" INTEGER,"
    " \"looked_at\" INTEGER, \"cancel_at\" INTEGER, \"ended_at\" INTEGER, \"settled_at\" INTEGER,"
    " \"results_until\" INTEGER, \"said_total\" INTEGER, \"said_done\" INTEGER,"
    " \"said_failed\" INTEGER, \"bytes\" INTEGER, \"tokens\" INTEGER, \"difference\" INTEGER";
static const char batches[] =
    "(SELECT id, state, provider, model, items AS rows, requests, items - settled AS open_rows,"
    " answered, CAST((julianday('now') - 2440587.5) * 86400 - created_at / 1000.0 AS INTEGER) AS"
    " age_s, cost_nusd, full_nusd - cost_nusd AS saved_nusd, (SELECT coalesce(sum(g.held_nusd), 0)"
    " FROM main.llm_batch_groups g WHERE g.batch = b.id) AS held_nusd, unpriced,"
    " CASE WHEN ended_at IS NULL THEN datetime(expected_at / 1000, 'unixepoch') END AS"
    " expected_end, word, nullif(trouble, '') AS trouble, nullif(error, '') AS error, provider_id,"
    " form, endpoint, created_at, sent_at, looked_at, cancel_at, ended_at, settled_at,"
    " expires_at AS results_until, said_total, said_done, said_failed, bytes, tokens,"
    " nullif(difference, 0) AS difference FROM main.llm_batches b)";

const StoreSource store_sources[] = {
    {.name = "llm_calls", .rowid = "id", .has_time = 1},
    {.name = "llm_answers", .rowid = "key", .hidden = " key key_rest "},
    {.name = "llm_texts", .rowid = "rowid"},
    {.name = "llm_feedback", .rowid = "call_id"},
    {.name = "llm_cache", .rowid = "rowid"},
    {.name = "llm_cache_stats"},
    {.name = "llm_retries"},
    {.name = "llm_gate_checks", .from = gate_checks, .columns = gate_checks_columns},
    {.name = "llm_unpriced"},
    {.name = "llm_reported_costs"},
    {.name = "llm_finish_reasons"},
    {.name = "llm_spend", .rowid = "id", .has_time = 1},
    {.name = "llm_invoices", .rowid = "id", .from = counting_invoices, .hidden = " belongs "},
    {.name = "llm_provider_state"},
    {.name = "llm_batches", .from = batches, .columns = batches_columns},
    {.name = "llm_sums", .from = sums_of_texts},
    {.name = "llm_import_files", .hidden = " mtime inode head tail "},
    {NULL},
};

enum { MOST_COLUMNS = 64 };

typedef struct StoreTable {
  Table base;
  char *columns[MOST_COLUMNS]; /* names */
  int time;                    /* the number of that column; -1: it has none */
} StoreTable;

typedef struct StoreCursor {
  TableCursor base;
  Reading reading;
} StoreCursor;

static const StoreSource *source_of(const Table *t) {
  return t->of;
}

static void disconnect(Table *base) {
  StoreTable *t = (StoreTable *)base;
  for (int i = 0; i < base->n_columns; i++) {
    sqlite3_free(t->columns[i]);
  }
}

static const char *own_columns(const void *of) {
  return ((const StoreSource *)of)->columns;
}

/* Hides what is hidden, and puts `time` behind `ts`. (A view has it too, in UTC, at its end.) */
static char *declare(const void *of, const char *columns) {
  const StoreSource *source = of;
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (const char *p = columns; *p;) {
    size_t n = strcspn(p, ",");
    int length = (int)strcspn(p + 1, "\"");
    char word[80];
    sqlite3_snprintf(sizeof word, word, " %.*s ", length, p + 1);
    int is_time = source->has_time && strcmp(word, " time ") == 0;
    if (!is_time) {
      sqlite3_str_appendf(text, "%s%.*s%s", sqlite3_str_length(text) ? ", " : "", (int)n, p,
                          source->hidden && strstr(source->hidden, word) ? " HIDDEN" : "");
    }
    if (source->has_time && strcmp(word, " ts ") == 0) {
      sqlite3_str_appendf(text, ", \"time\" TEXT");
    }
    p += n + strspn(p + n, ", ");
  }
  return sqlite3_str_finish(text);
}

/* Reads the names of the columns: "a" INTEGER, "b" … */
static int connect(Table *base, const char *columns, Err *err) {
  StoreTable *t = (StoreTable *)base;
  const char *p = strchr(columns, '"');
  t->time = -1;
  for (int n = 0; p && n < MOST_COLUMNS && err->rc == RC_OK; n++) {
    const char *end = strchr(p + 1, '"');
    t->columns[n] = sqlite3_mprintf("%.*s", (int)(end - p - 1), p + 1);
    if (!t->columns[n]) {
      err_nomem(err);
    } else if (source_of(base)->has_time && strcmp(t->columns[n], "time") == 0) {
      t->time = n;
    }
    p = strchr(end + 1, '"');
  }
  return err->rc;
}

/* The rowid, then the columns; NULL stands for those that are not used. */
static void add_columns(StoreTable *t, sqlite3_str *sql, sqlite3_uint64 used) {
  sqlite3_str_appendf(sql, "%s", source_of(&t->base)->rowid ? source_of(&t->base)->rowid : "NULL");
  for (int i = 0; i < t->base.n_columns; i++) {
    sqlite3_uint64 bit = (sqlite3_uint64)1 << (i < 63 ? i : 63);
    sqlite3_str_appendf(sql, ", ");
    if (used & bit) {
      sqlite3_str_appendf(sql, "\"%w\"", i == t->time ? "ts" : t->columns[i]);
    } else {
      sqlite3_str_appendf(sql, "NULL");
    }
  }
}

static const char *column_name(StoreTable *t, int i) {
  return i < 0 ? source_of(&t->base)->rowid : i == t->time ? NULL : t->columns[i];
}

/* How a query is narrowed, by the best of its terms. */
typedef enum Narrowed { BY_TERMS, BY_INDEX, BY_ID } Narrowed;

/* What an equality on that column is found by. */
static Narrowed found_by(const char *column) {
  static const char *const indexed[] = {"tag", "user", "conversation", "prompt_hash", "hash"};
  for (size_t i = 0; i < sizeof indexed / sizeof indexed[0]; i++) {
    if (strcmp(column, indexed[i]) == 0) {
      return BY_INDEX;
    }
  }
  return strcmp(column, "id") == 0 ? BY_ID : BY_TERMS;
}

/* The ledger is taken for large, and an index for good: SQLite takes a table of the user's that it knows nothing of for a
** million rows, and should still ask the ledger for each of them. */
static void estimate(sqlite3_index_info *info, Narrowed by, int terms) {
  enum { LEDGER = 16000000, FOUND = 10 };
  info->estimatedRows = by == BY_ID      ? 1
                        : by == BY_INDEX ? FOUND
                                         : LEDGER >> (terms < 4 ? 2 * terms : 8);
  info->estimatedCost = by == BY_TERMS ? (double)info->estimatedRows * 10 + 100 : 20;
}

/* Adds the WHERE terms that can be pushed down. Returns 1 if every usable constraint was. */
static int add_where(StoreTable *t, sqlite3_index_info *info, sqlite3_str *sql, int *n_args) {
  int all = 1, terms = 0;
  Narrowed by = BY_TERMS;
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    int unary;
    if (c->op == SQLITE_INDEX_CONSTRAINT_LIMIT || c->op == SQLITE_INDEX_CONSTRAINT_OFFSET) {
      continue;
    }
    const char *op = vtab_operator(c->op, &unary);
    const char *name = column_name(t, c->iColumn);
    const char *collation = sqlite3_vtab_collation(info, i);
    if (!source_of(&t->base)->rowid || !c->usable || !op || !name ||
        (collation && sqlite3_stricmp(collation, "BINARY") != 0)) {
      all = 0;
      continue;
    }
    sqlite3_str_appendf(sql, " %s \"%w\" %s%s", terms++ ? "AND" : "WHERE", name, op,
                        unary ? "" : " ?");
    if (!unary) {
      info->aConstraintUsage[i].argvIndex = ++*n_args;
      info->aConstraintUsage[i].omit = c->op == SQLITE_INDEX_CONSTRAINT_MATCH;
    }
    Narrowed found = op[0] == '=' ? found_by(name) : BY_TERMS;
    by = found > by ? found : by;
  }
  estimate(info, by, terms);
  return all;
}

static void add_order(StoreTable *t, sqlite3_index_info *info, sqlite3_str *sql) {
  for (int i = 0; i < info->nOrderBy; i++) {
    if (!column_name(t, info->aOrderBy[i].iColumn)) {
      return;
    }
  }
  for (int i = 0; i < info->nOrderBy; i++) {
    sqlite3_str_appendf(sql, "%s \"%w\"%s", i ? "," : " ORDER BY",
                        column_name(t, info->aOrderBy[i].iColumn),
                        info->aOrderBy[i].desc ? " DESC" : "");
  }
  info->orderByConsumed = info->nOrderBy > 0;
}

/* Finds a usable constraint of that kind, -1 where there is none. */
static int find_constraint(const sqlite3_index_info *info, unsigned char op) {
  for (int i = 0; i < info->nConstraint; i++) {
    if (info->aConstraint[i].op == op && info->aConstraint[i].usable) {
      return i;
    }
  }
  return -1;
}

/* LIMIT and OFFSET count rows behind every other condition: only where all of them were pushed
** down. */
static void add_limit(sqlite3_index_info *info, sqlite3_str *sql, int *n_args) {
  int limit = find_constraint(info, SQLITE_INDEX_CONSTRAINT_LIMIT);
  int offset = find_constraint(info, SQLITE_INDEX_CONSTRAINT_OFFSET);
  if (limit < 0) {
    return;
  }
  sqlite3_str_appendf(sql, offset < 0 ? " LIMIT ?" : " LIMIT ? OFFSET ?");
  info->aConstraintUsage[limit].argvIndex = ++*n_args;
  info->aConstraintUsage[limit].omit = 1;
  if (offset >= 0) {
    info->aConstraintUsage[offset].argvIndex = ++*n_args;
    info->aConstraintUsage[offset].omit = 1;
  }
}

static int plan(Table *base, sqlite3_index_info *info) {
  StoreTable *t = (StoreTable *)base;
  sqlite3_str *sql = sqlite3_str_new(NULL);
  int n_args = 0;
  sqlite3_str_appendf(sql, "SELECT ");
  add_columns(t, sql, info->colUsed);
  if (source_of(&t->base)->from) {
    sqlite3_str_appendf(sql, " FROM %s", source_of(&t->base)->from);
  } else {
    sqlite3_str_appendf(sql, " FROM main.\"%w\"", source_of(&t->base)->name);
  }
  int all = add_where(t, info, sql, &n_args);
  add_order(t, info, sql);
  if (all && (info->nOrderBy == 0 || info->orderByConsumed)) {
    add_limit(info, sql, &n_args);
  }
  info->idxStr = sqlite3_str_finish(sql);
  info->needToFreeIdxStr = 1;
  return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

static void clear(TableCursor *base) {
  reading_clear(&((StoreCursor *)base)->reading);
}

static void close_cursor(TableCursor *base) {
  reading_close(&((StoreCursor *)base)->reading);
}

static int next(TableCursor *base, Err *err) {
  return reading_next(&((StoreCursor *)base)->reading, err);
}

/* (In main the real tables have these names, and come before this one: there is no reader of ours then.) */
static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Reading *r = &((StoreCursor *)base)->reading;
  sqlite3 *db = reading_connection(r, table_of(base)->conn, q->plan, err);
  if (!db || !r->reader || reading_prepare(r, db, q->plan, err) != RC_OK) {
    return err->rc;
  }
  int rc = SQLITE_OK;
  for (int i = 0; i < q->n && rc == SQLITE_OK; i++) {
    rc = sqlite3_bind_value(r->stmt, i + 1, q->args[i]);
  }
  return rc == SQLITE_OK ? reading_next(r, err) : reading_fail(rc, sqlite3_errstr(rc), err);
}

static int is_done(const TableCursor *base) {
  return ((const StoreCursor *)base)->reading.stmt == NULL;
}

/* As text: there, and with its seconds. Not of years that have no four digits. */
static void result_time(Conn *conn, sqlite3_context *ctx, sqlite3_value *ts) {
  const char *name = conn->set.time_zone;
  long long ms = sqlite3_value_int64(ts), ahead;
  Zone zone = {0};
  struct tm there;
  char text[80];
  if (sqlite3_value_type(ts) != SQLITE_INTEGER || ms < 0 || ms > TIME_LAST ||
      (name && !zone_parse(name, &zone))) {
    return;
  }
  ahead = ms / 1000 + zone_offset(&zone, ms);
  const time_t seconds = (time_t)ahead;
  if (gmtime_r(&seconds, &there) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &there)) {
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
  }
}

static void column(TableCursor *base, sqlite3_context *ctx, int column) {
  if (column >= 0 && column == ((StoreTable *)table_of(base))->time) {
    result_time(table_of(base)->conn, ctx,
                sqlite3_column_value(((StoreCursor *)base)->reading.stmt, column + 1));
    return;
  }
  sqlite3_result_value(ctx, sqlite3_column_value(((StoreCursor *)base)->reading.stmt, column + 1));
}

static sqlite3_int64 rowid(const TableCursor *base) {
  sqlite3_stmt *stmt = ((const StoreCursor *)base)->reading.stmt;
  int has_own = sqlite3_column_type(stmt, 0) != SQLITE_NULL;
  return has_own ? sqlite3_column_int64(stmt, 0) : base->row;
}

const TableKind store_table = {
    .is_guarded = 1,
    .table_size = sizeof(StoreTable),
    .cursor_size = sizeof(StoreCursor),
    .own_columns = own_columns,
    .declare = declare,
    .connect = connect,
    .disconnect = disconnect,
    .plan = plan,
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .rowid = rowid,
    .clear = clear,
    .close = close_cursor,
};
