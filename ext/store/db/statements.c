/*
** See statements.h for the contract.
*/
#include "store/db/statements.h"

#include "store/db/row.h"
#include "store/db/sum_row.h"

static const char *const sql_texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT one",
    [SQL_SAVEPOINT_KEEP] = "RELEASE one",
    [SQL_SAVEPOINT_UNDO] = "ROLLBACK TO one",
/* The id is ?1, the columns follow: see row_bind. */
#define PARAMETER(name, type, constraint, when) ",?"
    [SQL_INSERT_CALL] = "INSERT INTO main.llm_calls VALUES (?1" LEDGER_COLUMNS(PARAMETER) ")",
#define HIT_NAME(name) "," #name
#define HIT_COLUMN(name, type, constraint, when) ROW_HIT_##when(HIT_NAME, name)
#define HIT_MARK(name) ",?"
#define HIT_PARAMETER(name, type, constraint, when) ROW_HIT_##when(HIT_MARK, name)
#define ONE_ROW "(NULL" LEDGER_COLUMNS(HIT_PARAMETER) ")"
#define TWO_ROWS ONE_ROW "," ONE_ROW
    [SQL_INSERT_HITS] = "INSERT INTO main.llm_calls(id" LEDGER_COLUMNS(
        HIT_COLUMN) ") VALUES " TWO_ROWS "," TWO_ROWS "," TWO_ROWS "," TWO_ROWS,
#define SET_FIXED(name) ""
#define SET_HIT(name) ""
#define SET_STATE(name) #name "=?2"
#define SET_SETTLED(name) "," #name "=?"
#define SET_HIT_SETTLED(name) "," #name "=?"
#define SET(name, type, constraint, when) SET_##when(name)
    [SQL_UPDATE_CALL] = "UPDATE main.llm_calls SET " LEDGER_COLUMNS(SET) " WHERE id=?1",
    [SQL_PUT_TEXT] = "INSERT OR IGNORE INTO main.llm_texts(hash, text) VALUES (?1, ?2)",
    [SQL_GET_ANSWER] = "SELECT key_rest, answer, expires_at, call_id, provider, model, tier, "
                       "cost_nusd, prompt_hash"
                       " FROM main.llm_answers WHERE key = ?1",
    [SQL_PUT_ANSWER] =
        "INSERT OR REPLACE INTO main.llm_answers(key, key_rest, answer, created_at, expires_at,"
        " call_id, provider, model, tier, tag, cost_nusd, prompt_hash)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [SQL_GET_INTENT] = "SELECT call_id, owner, lease_until FROM main.llm_intents WHERE key = ?1",
    [SQL_GET_INTENT_OWNER] = "SELECT owner FROM main.llm_intents WHERE call_id = ?1",
    [SQL_PUT_INTENT] = "INSERT OR REPLACE INTO main.llm_intents(call_id, key, owner, lease_until)"
                       " VALUES (?1, ?2, ?3, ?4)",
    [SQL_DROP_INTENT] = "DELETE FROM main.llm_intents WHERE call_id = ?1",
    [SQL_MARK_DEAD] = "UPDATE main.llm_calls SET error = ?2 WHERE id = ?1 AND kind = 'unknown'",
    [SQL_NOTE_LOST] =
        "INSERT OR REPLACE INTO main.llm_lost SELECT key, call_id FROM main.llm_intents"
        " WHERE call_id = ?1 AND key IS NOT NULL",
    [SQL_PUT_LOST] = "INSERT OR REPLACE INTO main.llm_lost VALUES (?1, ?2)",
    [SQL_TAKE_LOST] = "DELETE FROM main.llm_lost WHERE key = ?1",
    [SQL_WAS_LOST] = "SELECT 1 FROM main.llm_lost WHERE key = ?1",
#define FIND_SIMILAR                                                                               \
  "SELECT rowid, response, similarity, model, tag, cost_nusd FROM main.llm_cache"                  \
  " WHERE query MATCH ?1 AND system_prompt IS ?2 AND scope IS ?3 AND user IS ?5"
    [SQL_FIND_SIMILAR] = FIND_SIMILAR,
    [SQL_FIND_ABOVE] = FIND_SIMILAR " AND threshold = ?4",
    [SQL_FIND_ADAPTIVE] = FIND_SIMILAR " AND max_false_hits = ?4",
    [SQL_PUT_SIMILAR] =
        "INSERT INTO main.llm_cache(query, system_prompt, scope, response, model, tag, cost_nusd,"
        " created_at, expires_at, max_false_hits, user)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [SQL_PUT_SERVED] = "INSERT OR REPLACE INTO main.llm_served(call_id, entry) VALUES (?1, ?2)",
    [SQL_HAS_CALL] = "SELECT kind = 'hit_exact' AND prompt_hash IS NULL FROM main.llm_calls"
                     " WHERE id = ?1",
    [SQL_PUT_FEEDBACK] =
        "INSERT OR REPLACE INTO main.llm_feedback(call_id, ok, ts) VALUES (?1, ?2, ?3)",
    [SQL_TEACH_SIMILAR] =
        "INSERT INTO main.llm_cache(llm_cache, rowid, similarity)"
        " SELECT CASE ?2 WHEN 0 THEN 'wrong' ELSE 'right' END, v.entry, c.similarity"
        " FROM main.llm_served v JOIN main.llm_calls c ON c.id = v.call_id"
        " WHERE v.call_id = ?1 AND c.kind = 'hit_semantic'"
        " AND v.entry IN (SELECT id FROM main.llm_cache_rows)"
        " AND NOT EXISTS (SELECT 1 FROM main.llm_feedback f WHERE f.call_id = ?1 AND f.ok = ?2)",
/* The answer a call paid for, or a hit was served from: same text, system prompt and model. */
#define ANSWERED_BY                                                                                \
  "(SELECT ?1 UNION SELECT o.id FROM main.llm_calls h JOIN main.llm_calls o"                       \
  " ON o.prompt_hash = h.prompt_hash AND o.system_hash IS h.system_hash AND o.model IS h.model"    \
  " WHERE h.id = ?1 AND h.kind = 'hit_exact')"
    [SQL_FORGET_ANSWER] = "DELETE FROM main.llm_answers WHERE call_id IN " ANSWERED_BY,
    [SQL_FORGET_SIMILAR] =
        "DELETE FROM main.llm_cache WHERE rowid IN (SELECT v.entry FROM main.llm_served v"
        " JOIN main.llm_calls c ON c.id = v.call_id AND c.kind = 'call'"
        " WHERE v.call_id IN " ANSWERED_BY ")",
    [SQL_ORIGIN] = "SELECT c.provider, c.tier FROM main.llm_served v JOIN main.llm_calls c"
                   " ON c.id = v.call_id AND c.kind = 'call' WHERE v.entry = ?1"
                   " ORDER BY v.call_id DESC LIMIT 1",
/* The measures, then the key. What is not said (NULL) adds nothing. (Of two values for n the last counts.) */
#define ADD_COUNT(name) ", " #name " = " #name " + ?"
#define ADD_SUM(name) ", " #name " = coalesce(coalesce(" #name ", 0) + ?, " #name ")"
#define ADD(name, kind) ADD_##kind(name)
#define WHERE_SUM                                                                                  \
  " WHERE dimension = ? AND grain = ? AND start = ? AND value = ? AND provider = ? AND service = " \
  "?"                                                                                              \
  " AND source = ? AND billed = ?"
    [SQL_ADD_SUM] = "UPDATE main.llm_sums SET n = n" SUM_MEASURES(ADD) WHERE_SUM,
#define SUM_PARAMETER(name, kind) ",?"
    [SQL_PUT_SUM] =
        "INSERT INTO main.llm_sums VALUES (?,?,?,?,?,?,?,?" SUM_MEASURES(SUM_PARAMETER) ")",
    [SQL_DROP_SUM] = "DELETE FROM main.llm_sums" WHERE_SUM " AND n <= 0",
    [SQL_GET_SUM_STATE] = "SELECT dimension, stopped, sealed_before FROM main.llm_sum_state",
    [SQL_HAS_SUM_VALUE] = "SELECT 1 FROM main.llm_sum_values WHERE dimension = ?1 AND value = ?2",
    [SQL_PUT_SUM_VALUE] = "INSERT OR IGNORE INTO main.llm_sum_values VALUES (?1, ?2)",
    [SQL_COUNT_SUM_VALUE] = "UPDATE main.llm_sum_state SET n_values = n_values + 1,"
                            " stopped = stopped OR n_values >= ?2 WHERE dimension = ?1",
    [SQL_PUT_UNCOUNTED] = "INSERT OR REPLACE INTO main.llm_uncounted VALUES (?1, ?2)",
    [SQL_GET_CALL_MODEL] =
        "SELECT coalesce(model, model_requested) FROM main.llm_calls WHERE id = ?1",
    [SQL_GET_UNCOUNTED] = "SELECT " ROW_COLUMNS " FROM main.llm_calls"
                          " WHERE id IN (SELECT call_id FROM main.llm_uncounted)",
    [SQL_DROP_UNCOUNTED] = "DELETE FROM main.llm_uncounted",
    [SQL_GET_CALL] = "SELECT " ROW_COLUMNS " FROM main.llm_calls WHERE id = ?1",
#define ANSWERED_BY_A_TIER                                                                         \
  " AND kind = 'call' AND error IS NULL AND purpose IS NULL AND tier_served IS NOT NULL"           \
  " ORDER BY ts DESC, id DESC LIMIT 1"
    [SQL_LAST_OF_CONVERSATION] =
        "SELECT model_requested FROM main.llm_calls WHERE conversation = ?1" ANSWERED_BY_A_TIER,
    [SQL_LAST_OF_PROMPT] =
        "SELECT model_requested FROM main.llm_calls WHERE prompt_hash = ?1" ANSWERED_BY_A_TIER,
    /* ?1 since when, ?2 the model, ?3 the hash of the system prompt, ?4 how many rows are looked at */
    [SQL_LAST_ARRIVALS] =
        "SELECT ts, conversation, system_hash, coalesce(cached_input_tokens, 0),"
        " coalesce(cache_write_tokens, 0), instr(coalesce(notes, ''), '\"prefix\":\"ours\"') > 0,"
        " coalesce(latency_ms, 0), coalesce(cache_write_long_tokens, 0) > 0"
        " FROM (SELECT * FROM main.llm_calls WHERE ts > ?1 ORDER BY ts DESC LIMIT ?3)"
        " WHERE kind = 'call' AND model_requested = ?2",
    /* ?1 the tag, ?2 how many, ?3 the model */
    [SQL_LAST_LENGTHS] = "SELECT output_tokens, coalesce(ended, '') = 'cut_off' FROM "
                         "main.llm_calls WHERE tag = ?1 AND kind = 'call'"
                         " AND output_tokens > 0 AND purpose IS NULL AND model_requested = ?3"
                         " ORDER BY ts DESC LIMIT ?2",
#define HEALTH_KEY " WHERE provider = ?1 AND base_url = ?2 AND model = ?3"
    [SQL_GET_HEALTH] =
        "SELECT model, until_ts, reason, is_told, noted_ts FROM main.llm_provider_state"
        " WHERE provider = ?1 AND base_url = ?2 AND model IN ('', ?3)",
    /* The third failure in a row pauses, the fourth twice as long … (health.h has the numbers.) */
    [SQL_PUT_HEALTH] =
        "INSERT INTO main.llm_provider_state VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?7, ?6,"
        " CASE ?4 WHEN 0 THEN 64 ELSE 1 END)"
        " ON CONFLICT DO UPDATE SET failures = failures + (?8 >= noted_ts), reason = ?6, noted_ts "
        "= ?5,"
        " is_told = CASE WHEN ?4 >= until_ts THEN ?7 ELSE is_told END,"
        " until_ts = max(until_ts, ?4, CASE WHEN ?4 = 0 AND failures >= 2 AND ?8 >= noted_ts"
        "   THEN ?5 + min(60000, 1000 << min(failures - 2, 6)) ELSE 0 END),"
        " trials = CASE WHEN ?4 > 0 OR failures >= 2 THEN 1 ELSE trials END",
    [SQL_DROP_HEALTH] = "DELETE FROM main.llm_provider_state" HEALTH_KEY " AND trials >= 32",
    [SQL_GROW_HEALTH] =
        "UPDATE main.llm_provider_state SET trials = 2 * trials, failures = 0" HEALTH_KEY,
    [SQL_GET_TRIALS] = "SELECT id, owner, lease_until FROM main.llm_trials" HEALTH_KEY,
    [SQL_PUT_TRIAL] =
        "INSERT INTO main.llm_trials(provider, base_url, model, owner, lease_until)"
        " SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM main.llm_trials" HEALTH_KEY ")"
        " < coalesce((SELECT trials FROM main.llm_provider_state" HEALTH_KEY "), 64)",
    [SQL_DROP_TRIAL] = "DELETE FROM main.llm_trials WHERE id = ?1",
    [SQL_PUT_RUN] =
        "INSERT OR REPLACE INTO main.llm_runs VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
        " ?12, ?13, ?14, ?15, ?16)",
    [SQL_DROP_RUNS] = "DELETE FROM main.llm_runs WHERE id <= ?1 - 100",
    [SQL_GET_BUDGET_SETS] = "SELECT columns FROM main.llm_budget_sets",
#define PUT_BUDGET_SUM                                                                             \
  " INTO main.llm_budget_sums(columns, tag, user, model, provider, grain, start, calls,"           \
  " cost_nusd, unknown_nusd, unpriced) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    [SQL_ADD_BUDGET_SUM] = "INSERT" PUT_BUDGET_SUM
                           " ON CONFLICT DO UPDATE SET calls = calls + ?8, cost_nusd = cost_nusd "
                           "+ ?9, unknown_nusd = unknown_nusd + ?10, unpriced = unpriced + ?11",
    [SQL_PUT_BUDGET_SUM] = "INSERT OR REPLACE" PUT_BUDGET_SUM,
    [SQL_GET_BUDGET_SUM] = "SELECT start, cost_nusd, unknown_nusd, unpriced FROM "
                           "main.llm_budget_sums WHERE columns = ?1 AND tag = ?2 AND user = ?3"
                           " AND model = ?4 AND provider = ?5 AND grain = ?6 AND start >= ?7"
                           " AND start < ?8 ORDER BY start",
    [SQL_GET_HELD] =
        "SELECT c.id, c.ts, c.tag, c.user, coalesce(c.model_requested, c.model),"
        " c.provider, c.cost_nusd, c.held_nusd, i.owner, i.lease_until"
        " FROM main.llm_intents i CROSS JOIN main.llm_calls c ON c.id = i.call_id"
        " WHERE c.cost_nusd IS NOT NULL OR c.held_nusd IS NOT NULL"
        " UNION ALL SELECT NULL, b.created_at, g.tag, g.user, b.model, b.provider,"
        " NULL, g.held_nusd, 'batch ' || b.id, 9223372036854775807 FROM main.llm_batch_groups g"
        " CROSS JOIN main.llm_batches b ON b.id = g.batch WHERE g.held_nusd > 0",
    [SQL_GET_QUEUE] = "SELECT path, device, inode FROM main.llm_queues WHERE id = ?1",
    [SQL_PUT_QUEUE] = "INSERT INTO main.llm_queues(id, path, device, inode) VALUES (?1, ?2, ?3, ?4)"
                      " ON CONFLICT DO UPDATE SET path = ?2, device = ?3, inode = ?4",
    [SQL_GET_QUEUE_LEASE] = "SELECT owner, lease_until FROM main.llm_queues WHERE id = ?1",
    [SQL_PUT_QUEUE_LEASE] = "UPDATE main.llm_queues SET owner = ?2, lease_until = ?3 WHERE id = ?1",
    [SQL_PUT_BATCH] =
        "INSERT INTO main.llm_batches(queue, state, form, provider, model, endpoint, base_url,"
        " key_env, mark, wire_tag, created_at, owner, lease_until)"
        " VALUES (?1, 'opening', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [SQL_GET_BATCH] = "SELECT state, queue, provider, model, created_at FROM main.llm_batches"
                      " WHERE id = ?1",
    [SQL_GET_BATCH_LEASE] = "SELECT owner, lease_until FROM main.llm_batches WHERE id = ?1",
    [SQL_PUT_BATCH_LEASE] =
        "UPDATE main.llm_batches SET owner = ?2, lease_until = ?3 WHERE id = ?1",
    [SQL_SEAL_BATCH] =
        "UPDATE main.llm_batches SET state = 'begun', items = (SELECT count(*) FROM"
        " main.llm_batch_items WHERE batch = ?1), held_nusd = (SELECT coalesce(sum(held_nusd), 0)"
        " FROM main.llm_batch_items WHERE batch = ?1), requests = ?2, bytes = ?3, tokens = ?4"
        " WHERE id = ?1 AND state = 'opening'",
    /* What is held is what the requests hold, however much was asked for. */
    [SQL_SEAL_GROUPS] =
        "UPDATE main.llm_batch_groups SET held_nusd = t.held FROM (SELECT g.holder,"
        " coalesce(sum(i.held_nusd), 0) AS held FROM main.llm_batch_items i"
        " JOIN main.llm_batch_groups g ON g.batch = ?1 AND g.number = i.number WHERE i.batch = ?1"
        " GROUP BY g.holder) t WHERE batch = ?1 AND llm_batch_groups.number = t.holder",
    [SQL_DROP_BATCH] = "DELETE FROM main.llm_batches WHERE id = ?1 AND state = 'opening'",
    [SQL_DROP_BATCH_GROUPS] = "DELETE FROM main.llm_batch_groups WHERE batch = ?1",
    [SQL_DROP_BATCH_ITEMS] = "DELETE FROM main.llm_batch_items WHERE batch = ?1",
    /* The state follows from what is known, and never goes back. */
    [SQL_NOTE_BATCH] =
        "UPDATE main.llm_batches SET provider_id = coalesce(provider_id, ?2),"
        " input_file = coalesce(?3, input_file), output_file = coalesce(?4, output_file),"
        " error_file = coalesce(?5, error_file), word = coalesce(?6, word),"
        " trouble = coalesce(?7, trouble), error = coalesce(?8, error),"
        " sent_at = coalesce(sent_at, ?9), expected_at = coalesce(?10, expected_at),"
        " expires_at = coalesce(?11, expires_at), looked_at = coalesce(?12, looked_at),"
        " cancel_at = coalesce(cancel_at, ?13), ended_at = coalesce(ended_at, ?14),"
        " said_total = coalesce(?15, said_total), said_done = coalesce(?16, said_done),"
        " said_failed = coalesce(?17, said_failed), is_marked = coalesce(?18, is_marked),"
        " files_deleted = coalesce(?19, files_deleted), requests = coalesce(?20, requests),"
        " state = CASE WHEN state IN ('opening', 'settled', 'ended') THEN state"
        " WHEN ?14 IS NOT NULL THEN 'ended' WHEN ?2 IS NOT NULL THEN 'sent' ELSE state END"
        " WHERE id = ?1",
    [SQL_PUT_BATCH_GROUP] =
        "INSERT INTO main.llm_batch_groups(batch, number, holder, tag, user, conversation,"
        " system_hash, held_nusd) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT DO UPDATE SET held_nusd = held_nusd + ?8",
    [SQL_GET_BATCH_GROUP] =
        "SELECT tag, user, conversation, system_hash, holder FROM main.llm_batch_groups"
        " WHERE batch = ?1 AND number = ?2",
    [SQL_FREE_BATCH_GROUP] = "UPDATE main.llm_batch_groups SET held_nusd = max(0, held_nusd - ?3)"
                             " WHERE batch = ?1 AND number = ?2",
    [SQL_PUT_BATCH_ITEM] =
        "INSERT INTO main.llm_batch_items(batch, submit_id, attempt, number, key, prompt_hash,"
        " held_nusd, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SQL_GET_ITEM_OF_LINE] =
        "SELECT submit_id FROM main.llm_batch_items WHERE batch = ?1 AND line = ?2",
    [SQL_GET_BATCH_ITEM] = "SELECT attempt, number, key, prompt_hash, held_nusd, outcome, is_told"
                           " FROM main.llm_batch_items WHERE batch = ?1 AND submit_id = ?2",
    [SQL_SETTLE_BATCH_ITEM] =
        "UPDATE main.llm_batch_items SET outcome = ?3, call_id = ?4, cost_nusd = ?5, error = ?6"
        " WHERE batch = ?1 AND submit_id = ?2 AND outcome IS NULL",
    [SQL_SETTLE_BATCH_REST] = "UPDATE main.llm_batch_items SET outcome = ?2, error = ?3"
                              " WHERE batch = ?1 AND outcome IS NULL",
    [SQL_EMPTY_BATCH_GROUPS] = "UPDATE main.llm_batch_groups SET held_nusd = 0 WHERE batch = ?1",
    [SQL_COUNT_BATCH] =
        "UPDATE main.llm_batches SET settled = settled + ?2, answered = answered + ?3,"
        " untold = untold + ?2, cost_nusd = cost_nusd + ?4, full_nusd = full_nusd + ?5,"
        " unpriced = unpriced + ?6 WHERE id = ?1",
    [SQL_END_BATCH] =
        "UPDATE main.llm_batches SET state = 'settled', settled_at = ?2, owner = NULL,"
        " lease_until = NULL WHERE id = ?1 AND state = 'ended' AND settled = items",
    [SQL_IS_BATCH_OVER] = "SELECT 1 FROM main.llm_batches WHERE id = ?1 AND state = 'settled'"
                          " AND untold = 0",
    [SQL_PUT_BATCH_ANSWER] = "INSERT INTO main.llm_batch_answers(call_id, answer) VALUES (?1, ?2)",
    /* (?2: ids as a JSON array) */
    [SQL_DROP_BATCH_ANSWERS] =
        "DELETE FROM main.llm_batch_answers WHERE call_id IN (SELECT call_id FROM"
        " main.llm_batch_items WHERE batch = ?1 AND submit_id IN (SELECT value FROM json_each(?2))"
        " AND is_told)",
    [SQL_TELL_BATCH_ITEMS] =
        "UPDATE main.llm_batch_items SET is_told = 1 WHERE batch = ?1 AND submit_id IN"
        " (SELECT value FROM json_each(?2)) AND outcome IS NOT NULL AND NOT is_told",
    [SQL_PUT_DIFFERENCE] =
        "UPDATE main.llm_batches SET difference = ?2 WHERE id = ?1 AND difference IS NULL",
    [SQL_NOTE_DIFFERENCE] = "UPDATE main.llm_batches SET difference = ?2 WHERE id = ?1",
    [SQL_COUNT_TOLD] = "UPDATE main.llm_batches SET untold = untold - ?2 WHERE id = ?1",
};

const char *statement_text(StoreSql id) {
  return sql_texts[id];
}
