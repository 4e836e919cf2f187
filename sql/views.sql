-- Reports that are plain SQL over the ledger. Sums add exact nano-dollars and convert once.
-- A view is made again in every store when this text changes; to add one: here, in store_sources
-- (ext/tables/store_table.c), in README's list.

-- The ledger, and what each row counts as: sent to a provider (it cost something, or may have); answered by a cache;
-- a question that no cache could answer; money we can't name. The kinds are those of ext/store/db/kinds.h.
CREATE VIEW IF NOT EXISTS main.llm_spend AS
SELECT *, is_call AND cost_nusd IS NULL AS is_unpriced
FROM (SELECT *, kind IN ('call', 'batch', 'embed', 'unknown') AS is_call,
             kind IN ('hit_exact', 'hit_semantic') AS is_hit,
             kind IN ('call', 'unknown') AND attempt = 1 AS is_miss
      FROM llm_calls);

CREATE VIEW IF NOT EXISTS main.llm_cost_hourly AS
SELECT strftime('%Y-%m-%d %H:00', ts / 1000, 'unixepoch') AS hour,
       sum(is_call) AS calls,
       sum(is_hit) AS hits,
       sum(error IS NOT NULL) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd) / 1e9 AS cost_usd,
       sum(saved_nusd) / 1e9 AS saved_usd,
       sum(is_unpriced) AS unpriced
FROM llm_spend GROUP BY 1;

CREATE VIEW IF NOT EXISTS main.llm_cost_daily AS
SELECT strftime('%Y-%m-%d', ts / 1000, 'unixepoch') AS day,
       sum(is_call) AS calls,
       sum(is_hit) AS hits,
       sum(error IS NOT NULL) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd) / 1e9 AS cost_usd,
       sum(saved_nusd) / 1e9 AS saved_usd,
       sum(is_unpriced) AS unpriced
FROM llm_spend GROUP BY 1;

CREATE VIEW IF NOT EXISTS main.llm_cost_by_model AS
SELECT coalesce(model, model_requested) AS model, provider,
       sum(is_call) AS calls,
       sum(is_hit) AS hits,
       sum(error IS NOT NULL) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd) / 1e9 AS cost_usd,
       sum(saved_nusd) / 1e9 AS saved_usd,
       sum(is_unpriced) AS unpriced
FROM llm_spend GROUP BY 1, 2;

CREATE VIEW IF NOT EXISTS main.llm_cost_by_tag AS
SELECT tag,
       sum(is_call) AS calls,
       sum(is_hit) AS hits,
       sum(error IS NOT NULL) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd) / 1e9 AS cost_usd,
       sum(saved_nusd) / 1e9 AS saved_usd,
       sum(is_unpriced) AS unpriced
FROM llm_spend GROUP BY 1;

CREATE VIEW IF NOT EXISTS main.llm_cost_by_user AS
SELECT user,
       sum(is_call) AS calls,
       sum(is_hit) AS hits,
       sum(error IS NOT NULL) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd) / 1e9 AS cost_usd,
       sum(saved_nusd) / 1e9 AS saved_usd,
       sum(is_unpriced) AS unpriced
FROM llm_spend GROUP BY 1;

-- Logical requests that took more than one attempt, and what the attempts before the last cost.
CREATE VIEW IF NOT EXISTS main.llm_retries AS
SELECT c.request_id, min(c.ts) AS ts, max(c.attempt) AS attempts,
       max(c.model_requested) AS model_requested,
       group_concat(c.retry_reason, ', ') AS reasons,
       sum(c.cost_nusd) / 1e9 AS cost_usd,
       sum(CASE WHEN c.error IS NOT NULL THEN c.cost_nusd END) / 1e9 AS wasted_usd,
       sum(c.latency_ms) AS latency_ms,
       max(CASE WHEN c.attempt = r.attempts THEN c.error END) AS error
FROM (SELECT request_id, max(attempt) AS attempts FROM llm_calls WHERE attempt > 1 GROUP BY 1) r
JOIN llm_calls c ON c.request_id = r.request_id AND c.attempt > 0
GROUP BY 1;

-- Money we can't name: paid or perhaps paid, and no price; a row for each reason why. Never counted as zero.
CREATE VIEW IF NOT EXISTS main.llm_unpriced AS
SELECT coalesce(model, model_requested) AS model, provider, kind,
       count(*) AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
       min(ts) AS first_ts, max(ts) AS last_ts,
       coalesce(error, CASE WHEN usage IS NULL THEN 'no usage was told' ELSE 'no price of this model is known' END) AS error
FROM llm_spend
WHERE is_unpriced
GROUP BY 1, 2, 3, 9;

-- What providers that state a cost say, beside what we compute.
CREATE VIEW IF NOT EXISTS main.llm_reported_costs AS
SELECT coalesce(model, model_requested) AS model, provider, count(*) AS calls,
       sum(cost_nusd) / 1e9 AS cost_usd,
       sum(CASE WHEN cost_nusd IS NOT NULL THEN cost_reported_nusd END) / 1e9 AS reported_usd,
       sum(cost_reported_nusd - cost_nusd) / 1e9 AS drift_usd,
       round(100.0 * sum(cost_reported_nusd - cost_nusd) / nullif(sum(CASE WHEN cost_reported_nusd IS NOT NULL
             THEN cost_nusd END), 0), 3) AS drift_percent,
       max(abs(cost_reported_nusd - cost_nusd)) / 1e9 AS largest_drift_usd,
       sum(cost_nusd IS NULL) AS unpriced, sum(CASE WHEN cost_nusd IS NULL THEN cost_reported_nusd END) / 1e9
       AS reported_only_usd
FROM llm_spend
WHERE cost_reported_nusd IS NOT NULL AND is_call
GROUP BY 1, 2;

-- The two caches in one row. near_misses: lookups whose nearest entry was more likely right than wrong, yet
-- not served, or was near and vetoed (of the newest 10,000 decisions); false_hits_reported: hits that llm_cache_feedback() called wrong.
CREATE VIEW IF NOT EXISTS main.llm_cache_stats AS
SELECT coalesce(sum(kind = 'hit_exact'), 0) AS hits_exact,
       coalesce(sum(kind = 'hit_semantic'), 0) AS hits_semantic,
       coalesce(sum(is_miss), 0) AS misses,
       (SELECT count(*) FROM llm_cache_decisions
        WHERE NOT served AND coalesce(chance, 1) >= 0.5) AS near_misses,
       (SELECT count(*) FROM llm_feedback f JOIN llm_spend c ON c.id = f.call_id
        WHERE NOT f.ok AND c.is_hit) AS false_hits_reported,
       (SELECT count(*) FROM llm_answers) AS entries_exact,
       (SELECT count(*) FROM llm_cache_rows) AS entries_semantic,
       (SELECT coalesce(sum(length(CAST(answer AS BLOB))), 0) FROM llm_answers)
       + (SELECT coalesce(sum(coalesce(length(embedding), 0) + coalesce(length(second), 0)
                              + length(CAST(query AS BLOB)) + length(CAST(response AS BLOB))), 0)
          FROM llm_cache_rows) AS bytes,
       coalesce(sum(saved_nusd), 0) / 1e9 AS saved_usd
FROM llm_spend;

-- What ended answers, in their providers' words, and what each is taken for. 'unknown': nobody knows the word, or there is
-- none; such an answer counts as complete if all else about it is sound.
CREATE VIEW IF NOT EXISTS main.llm_finish_reasons AS
SELECT provider, finish_reason, ended,
       count(*) AS calls,
       sum(error IS NOT NULL) AS errors,
       min(ts) AS first_ts,
       max(ts) AS last_ts
FROM llm_calls WHERE ended IS NOT NULL GROUP BY 1, 2, 3;
