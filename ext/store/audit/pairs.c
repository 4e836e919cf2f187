/*
** See pairs.h for the contract.
*/
#include "store/audit/pairs.h"

#include "base/sqlite/columns.h"
#include "store/ledger.h"

/* ?1 from when and ?2 to when, ?3 the tag or NULL: of the calls that are asked for. (Which prompts were asked more than once is read from
** their index alone.) */
static const char pairs_sql[] =
    "WITH again AS MATERIALIZED (SELECT prompt_hash FROM main.llm_calls WHERE prompt_hash IS NOT "
    "NULL"
    " GROUP BY prompt_hash HAVING count(*) > 1),"
    " ways AS MATERIALIZED (SELECT c.prompt_hash AS p, coalesce(model, model_requested) AS m,"
    " system_hash AS s, instr(coalesce(notes, ''), '\"schema\":true') > 0 AS j,"
    " count(*) FILTER (WHERE error IS NULL) AS n,"
    " total(input_tokens) FILTER (WHERE error IS NULL) AS i,"
    " total(output_tokens) FILTER (WHERE error IS NULL) AS o,"
    " max(ts >= ?1 AND ts < ?2 AND (?3 IS NULL OR tag IS ?3)) AS w"
    " FROM again CROSS JOIN main.llm_calls c ON c.prompt_hash = again.prompt_hash"
    " WHERE kind IN ('call', 'batch') AND purpose IS NULL"
    " AND (error IS NOT NULL OR (input_tokens IS NOT NULL AND output_tokens IS NOT NULL))"
    " GROUP BY 1, 2, 3, 4)"
    " SELECT p, m, s, x.text, j, n, i, o FROM ways LEFT JOIN main.llm_texts x ON x.hash = s"
    " WHERE (p, m) IN (SELECT p, m FROM ways GROUP BY 1, 2 HAVING count(*) > 1 AND max(w))";

static const char *text_of(sqlite3_stmt *stmt, int i) {
  return (const char *)sqlite3_column_text(stmt, i);
}

static Pair read_pair(sqlite3_stmt *stmt) {
  Pair p = {.prompt_hash = text_of(stmt, 0),
            .model = text_of(stmt, 1),
            .system_hash = text_of(stmt, 2),
            .system = text_of(stmt, 3),
            .has_schema = sqlite3_column_int(stmt, 4),
            .answers = sqlite3_column_double(stmt, 5),
            .input = sqlite3_column_double(stmt, 6),
            .output = sqlite3_column_double(stmt, 7)};
  p.n_system = p.system ? (size_t)sqlite3_column_bytes(stmt, 3) : 0;
  return p;
}

static int read_from(sqlite3 *db, const AuditAsk *ask, PairFn take, void *arg, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, pairs_sql, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, ask->from);
    sqlite3_bind_int64(stmt, 2, ask->to);
    rc = sqlite3_bind_text(stmt, 3, ask->tag, -1, SQLITE_STATIC);
  }
  while (rc == SQLITE_OK && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    if (!columns_have_texts(stmt)) {
      rc = SQLITE_NOMEM;
      break;
    }
    const Pair pair = read_pair(stmt);
    take(arg, &pair, err);
  }
  int done = sqlite3_finalize(stmt);
  rc = rc == SQLITE_OK ? done : rc;
  if (rc != SQLITE_OK && err->rc == RC_OK) {
    rc == SQLITE_NOMEM
        ? err_nomem(err)
        : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                  "cannot read the ledger: %s", sqlite3_errmsg(db));
  }
  return err->rc;
}

int pairs_each(Store *s, const AuditAsk *ask, PairFn take, void *arg, Err *err) {
  sqlite3 *reader = ledger_flush(s, err) == RC_OK ? store_reader_take(s, err) : NULL;
  if (err->rc == RC_OK) {
    read_from(reader ? reader : s->db, ask, take, arg, err);
  }
  store_reader_give(s, reader);
  return err->rc;
}
