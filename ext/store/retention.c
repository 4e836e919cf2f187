/*
** See retention.h for the contract.
*/
#include "store/retention.h"

#include "store/ledger.h"
#include "store/sums/rebuild.h"

#include <stdint.h>

enum { STEP_ROWS = 2000 };

/* The next rows that go, in the order of time: those behind (?2, ?3), before ?1. The newest id stays, so that none is given
** twice: keys of imports and feedback name them. */
#define CALLS "kind IN ('call', 'batch', 'embed', 'unknown')"
static const char next_sql[] =
    "SELECT ts, id FROM main.llm_calls WHERE ts >= ?2 AND ts < ?1 AND "
    "(ts > ?2 OR id > ?3) AND kind <> 'unknown'"
    " AND NOT (cost_nusd IS NULL AND " CALLS ") AND id < (SELECT max(id) FROM main.llm_calls)"
    " AND id NOT IN (SELECT call_id FROM main.llm_intents UNION ALL"
    " SELECT call_id FROM main.llm_uncounted)"
    " ORDER BY ts, id LIMIT ?4";

/* Texts that neither a call, nor an answer, nor another text names: a transcript names its long contents
** (request.h). */
static const char unnamed_sql[] =
    "SELECT hash, (SELECT max(rowid) FROM main.llm_texts), (SELECT max(id) FROM main.llm_calls),"
    " text LIKE '[{\"role\":%' FROM "
    "main.llm_texts WHERE hash NOT IN ("
    "SELECT prompt_hash FROM main.llm_calls WHERE prompt_hash IS NOT NULL"
    " UNION SELECT system_hash FROM main.llm_calls WHERE system_hash IS NOT NULL"
    " UNION SELECT answer_hash FROM main.llm_calls WHERE answer_hash IS NOT NULL"
    " UNION SELECT prompt_hash FROM main.llm_answers WHERE prompt_hash IS NOT NULL"
    " UNION SELECT prompt_hash FROM main.llm_batch_items WHERE prompt_hash IS NOT NULL"
    " UNION SELECT system_hash FROM main.llm_batch_groups WHERE system_hash IS NOT NULL"
    " UNION SELECT json_extract(j.value, '$.hash') FROM main.llm_texts t, json_each(CASE WHEN "
    "t.text LIKE '[{\"role\":%'"
    " AND json_valid(t.text) THEN t.text ELSE '[]' END) j WHERE json_extract(j.value, '$.hash') IS "
    "NOT NULL)";

/* It may have been named since: by rows behind ?3 (an answer has its call's names), or by texts behind ?2. */
static const char drop_text_sql[] =
    "DELETE FROM main.llm_texts WHERE hash = ?1"
    " AND NOT EXISTS (SELECT 1 FROM main.llm_calls WHERE id > coalesce(?3, 0)"
    " AND (prompt_hash = ?1 OR system_hash = ?1 OR answer_hash = ?1))"
    " AND NOT EXISTS (SELECT 1 FROM main.llm_texts t WHERE t.rowid > ?2 AND instr(t.text, ?1))";

typedef struct Row {
  long long ts, id;
} Row;

static sqlite3_stmt *prepare(Store *s, sqlite3 *db, const char *sql, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = err->rc == RC_OK ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_OK;
  if (rc != SQLITE_OK) {
    store_error(s, rc, "trim the ledger", err);
  }
  return stmt;
}

/* Runs a statement whose values are bound, for the next ones. */
static int run_again(Store *s, sqlite3_stmt *stmt, Err *err) {
  sqlite3_step(stmt);
  int rc = sqlite3_reset(stmt);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "trim the ledger", err);
}

/* ---- sealing */

static int drop_sums(Store *s, long long day, unsigned dimensions, Err *err) {
  sqlite3_stmt *stmt =
      prepare(s, s->db,
              "DELETE FROM main.llm_sums WHERE dimension = ?1 AND grain IN (15, 1440)"
              " AND start >= ?2 AND start < ?2 + 86400000",
              err);
  for (int i = 0; i < SUM_DIMENSIONS && stmt && err->rc == RC_OK; i++) {
    if (dimensions >> i & 1) {
      sqlite3_bind_int(stmt, 1, i);
      sqlite3_bind_int64(stmt, 2, day);
      run_again(s, stmt, err);
    }
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int set_sealed(Store *s, long long before, Err *err) {
  char sql[128];
  sqlite3_snprintf(sizeof sql, sql,
                   "UPDATE main.llm_sum_state SET sealed_before = max(sealed_before, %lld)",
                   before);
  return store_exec(s, sql, "trim the ledger", err);
}

/* Seals a day of which some dimensions have had no sums: those are made, with what is beyond the limit as one. */
static int seal_day(Store *s, long long day, unsigned stopped, Err *err) {
  Sums *sums = sums_new(err);
  if (sums && store_begin(s, err) == RC_OK) {
    if (rebuild_fold(s->db, day, sums, err) == RC_OK &&
        set_sealed(s, day + REBUILD_DAY_MS, err) == RC_OK &&
        drop_sums(s, day, stopped, err) == RC_OK) {
      sums_write_of(s, sums, stopped, err);
    }
    store_end(s, err->rc == RC_OK, err);
  }
  sums_free(sums);
  return err->rc;
}

static int seal_rest(Store *s, long long before, Err *err) {
  if (store_begin(s, err) == RC_OK) {
    set_sealed(s, before, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

static int seal(Store *s, const SumState *state, long long before, Err *err) {
  long long day = 0, from = state->sealed_before ? state->sealed_before : INT64_MIN;
  while (state->stopped && rebuild_next_day(s->db, from, &day, err) == 1 && day < before &&
         seal_day(s, day, state->stopped, err) == RC_OK) {
    from = day + REBUILD_DAY_MS;
  }
  return err->rc == RC_OK ? seal_rest(s, before, err) : err->rc;
}

/* ---- rows */

/* The next rows that go, at most STEP_ROWS, behind *last. How many; -1 and *err. */
static int find_rows(Store *s, long long before, const Row *last, Row *rows, Err *err) {
  sqlite3_stmt *stmt = prepare(s, s->db, next_sql, err);
  int n = 0;
  if (!stmt) {
    return -1;
  }
  sqlite3_bind_int64(stmt, 1, before);
  sqlite3_bind_int64(stmt, 2, last->ts);
  sqlite3_bind_int64(stmt, 3, last->id);
  sqlite3_bind_int(stmt, 4, STEP_ROWS);
  while (sqlite3_step(stmt) == SQLITE_ROW && n < STEP_ROWS) {
    rows[n++] = (Row){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1)};
  }
  int rc = sqlite3_finalize(stmt);
  return rc == SQLITE_OK ? n : (store_error(s, rc, "trim the ledger", err), -1);
}

static int drop_rows(Store *s, const Row *rows, int n, Err *err) {
  static const char *const texts[] = {"DELETE FROM main.llm_calls WHERE id = ?1",
                                      "DELETE FROM main.llm_served WHERE call_id = ?1"};
  for (int k = 0; k < 2; k++) {
    sqlite3_stmt *stmt = prepare(s, s->db, texts[k], err);
    for (int i = 0; i < n && stmt && err->rc == RC_OK; i++) {
      sqlite3_bind_int64(stmt, 1, rows[i].id);
      run_again(s, stmt, err);
    }
    sqlite3_finalize(stmt);
  }
  return err->rc;
}

/* How many went. */
static long long trim_rows(Store *s, long long before, Err *err) {
  Row rows[STEP_ROWS], last = {INT64_MIN, 0};
  long long gone = 0;
  int n = STEP_ROWS;
  while (n == STEP_ROWS && err->rc == RC_OK && store_begin(s, err) == RC_OK) {
    n = find_rows(s, before, &last, rows, err);
    if (n > 0 && drop_rows(s, rows, n, err) == RC_OK) {
      last = rows[n - 1];
    }
    if (store_end(s, err->rc == RC_OK, err) == RC_OK) {
      gone += n;
    }
  }
  return gone;
}

/* Batches that are settled and told. */
static int trim_batches(Store *s, long long before, Err *err) {
  sqlite3_stmt *stmt = prepare(s, s->db,
                               "DELETE FROM main.llm_batches WHERE state = 'settled'"
                               " AND untold = 0 AND created_at < ?1",
                               err);
  if (stmt && store_begin(s, err) == RC_OK) {
    sqlite3_bind_int64(stmt, 1, before);
    run_again(s, stmt, err);
    store_end(s, err->rc == RC_OK, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* ---- texts */

typedef char Name[HASH_HEX_SIZE];

/* What was there when names were looked for: the newest text and the newest call. */
typedef struct Newest {
  long long text, call;
} Newest;

static int drop_texts(Store *s, const Name *names, int n, const Newest *newest, Err *err) {
  if (n == 0 || store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_stmt *stmt = prepare(s, s->db, drop_text_sql, err);
  for (int i = 0; i < n && stmt && err->rc == RC_OK; i++) {
    sqlite3_bind_text(stmt, 1, names[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, newest->text);
    sqlite3_bind_int64(stmt, 3, newest->call);
    run_again(s, stmt, err);
  }
  sqlite3_finalize(stmt);
  return store_end(s, err->rc == RC_OK, err);
}

/* Found by a reader, which keeps nobody waiting; dropped some at a time. *more: what they named may be unnamed now. */
static int trim_texts(Store *s, sqlite3 *reader, int *more, Err *err) {
  Name names[STEP_ROWS / 4];
  sqlite3_stmt *stmt = prepare(s, reader ? reader : s->db, unnamed_sql, err);
  int n = 0, most = reader ? STEP_ROWS / 4 : 1, rc = SQLITE_ROW;
  Newest newest = {0, 0};
  while (stmt && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    newest = (Newest){sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2)};
    *more |= sqlite3_column_int(stmt, 3);
    sqlite3_snprintf((int)sizeof names[n], names[n], "%s",
                     (const char *)sqlite3_column_text(stmt, 0));
    if (++n == most) {
      drop_texts(s, names, n, &newest, err);
      n = 0;
    }
  }
  sqlite3_finalize(stmt);
  if (err->rc == RC_OK && stmt && rc != SQLITE_DONE) {
    store_error(s, rc, "look for texts that nothing names", err);
  }
  return err->rc == RC_OK ? drop_texts(s, names, n, &newest, err) : err->rc;
}

/* What goes must be in the sums. */
static int count_all(Store *s, Err *err) {
  if (store_begin(s, err) == RC_OK) {
    rebuild_uncounted(s, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

int retention_trim(Store *s, long long keep_ms, long long now, Err *err) {
  SumState state;
  long long before = rebuild_day_of(now - keep_ms), gone = 0;
  if (ledger_flush(s, err) == RC_OK && count_all(s, err) == RC_OK &&
      sums_state(s, &state, err) == RC_OK &&
      (before <= state.sealed_before || seal(s, &state, before, err) == RC_OK)) {
    gone = trim_rows(s, before, err); /* also what an interrupted one has left */
    trim_batches(s, before, err);
  }
  sqlite3 *reader = gone > 0 && err->rc == RC_OK ? store_reader_take(s, err) : NULL;
  for (int pass = 0, again = gone > 0; again && pass < 2 && err->rc == RC_OK; pass++) {
    again = 0;
    trim_texts(s, reader, &again, err);
  }
  store_reader_give(s, reader);
  return err->rc;
}
