-- Reports that are plain SQL over the ledger. Sums add exact nano-dollars and convert once.
-- A view is made again in every store when this text changes; to add one: here, in store_sources
-- (ext/tables/store_table.c), in README's index.

-- The ledger, and what each row counts as: sent to a provider (it cost something, or may have); answered by a cache;
-- a question that no cache could answer; money we can't name. The kinds are those of ext/store/db/kinds.h.
CREATE VIEW IF NOT EXISTS main.llm_spend AS
SELECT *, is_call AND cost_nusd IS NULL AS is_unpriced
FROM (SELECT *, datetime(ts / 1000, 'unixepoch') AS time, kind IN ('call', 'batch', 'embed', 'unknown') AS is_call,
             kind IN ('hit_exact', 'hit_semantic') AS is_hit,
             kind IN ('call', 'unknown') AND attempt = 1 AS is_miss
      FROM llm_calls);

-- A row of the ledger as it counts in llm_sums: what sums.c says, in SQL, for the measures that views read. (A model by
-- its plain name there, and in llm_uncounted.)
CREATE VIEW IF NOT EXISTS main.llm_row_sums AS
SELECT id, ts, coalesce(model, model_requested) AS model, provider, tag, user, source,
       coalesce(billed, 'paid') AS billed, is_call AS calls, kind = 'hit_exact' AS hits_exact,
       kind = 'hit_semantic' AS hits_semantic, is_miss AS misses, error IS NOT NULL AS errors,
       is_unpriced AS unpriced, input_tokens, cached_input_tokens, output_tokens, cost_nusd, saved_nusd
FROM llm_spend;

-- What is not in llm_sums yet.
CREATE VIEW IF NOT EXISTS main.llm_unsummed AS
SELECT call_id, NULL AS model FROM llm_intents UNION ALL SELECT call_id, model FROM llm_uncounted;

CREATE VIEW IF NOT EXISTS main.llm_grains AS SELECT 15 AS grain UNION ALL SELECT 1440 UNION ALL SELECT 43200;

-- What the ledger comes to, by dimension (0 all, 1 models, 2 tags, 3 users), in grains of 15 minutes, a day (1440) or a month (43200): the sums
-- that are kept; beside them what is not summed yet, and of a dimension that is stopped the ledger's rows themselves, in their
-- own order unless a period is asked for (and the days of what was trimmed, for its months too).
CREATE VIEW IF NOT EXISTS main.llm_summed AS
SELECT s.dimension, s.grain, s.start, nullif(value, x'') AS value, nullif(provider, x'') AS provider,
       nullif(source, x'') AS source, coalesce(nullif(billed, x''), 'paid') AS billed, 'sums' AS basis,
       calls, hits_exact, hits_semantic, misses, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_sum_state t CROSS JOIN llm_sums s
     ON s.dimension = t.dimension AND (NOT t.stopped OR (s.start < t.sealed_before AND s.grain < 43200))
UNION ALL
SELECT s.dimension, 43200, s.start, nullif(value, x'') AS value, nullif(provider, x'') AS provider,
       nullif(source, x'') AS source, coalesce(nullif(billed, x''), 'paid') AS billed, 'sums' AS basis,
       calls, hits_exact, hits_semantic, misses, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_sum_state t CROSS JOIN llm_sums s
     ON s.dimension = t.dimension AND s.grain = 1440 AND t.stopped AND s.start < t.sealed_before
UNION ALL
SELECT t.dimension, g.grain, c.ts, CASE t.dimension WHEN 1 THEN coalesce(i.model, c.model) WHEN 2 THEN tag WHEN 3 THEN user END,
       CASE t.dimension WHEN 1 THEN provider END, source, billed, 'sums',
       calls, hits_exact, hits_semantic, misses, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_sum_state t CROSS JOIN llm_grains g CROSS JOIN llm_unsummed i CROSS JOIN llm_row_sums c ON c.id = i.call_id
WHERE NOT t.stopped
UNION ALL
SELECT t.dimension, g.grain, c.ts, CASE t.dimension WHEN 1 THEN model WHEN 2 THEN tag WHEN 3 THEN user END,
       CASE t.dimension WHEN 1 THEN provider END, source, billed, 'detail',
       calls, hits_exact, hits_semantic, misses, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_sum_state t CROSS JOIN llm_grains g CROSS JOIN llm_row_sums c ON +c.ts >= t.sealed_before
WHERE t.stopped;

-- Imported sums (llm_invoices) of a period in which no paid calls of that provider are known that used anything: of several
-- sources of the same money (or usage) the one that goes before; of sums within sums (precedence from 1000 on: past.h) those that
-- count. What an agent says of its trace counts beside other calls, but not beside its provider's own report. Their days are
-- UTC days.
CREATE VIEW IF NOT EXISTS main.llm_invoiced AS
WITH reports AS MATERIALIZED (SELECT source, provider, max(to_ts - from_ts) AS longest FROM llm_invoices
                              WHERE precedence < 1000 AND belongs IS NULL GROUP BY 1, 2)
SELECT d.dimension, from_ts AS start, to_ts, CASE d.dimension WHEN 1 THEN model_plain WHEN 3 THEN user END AS value,
       CASE d.dimension WHEN 1 THEN provider END AS provider, source, 'paid' AS billed, 'invoice' AS basis,
       coalesce(requests, 0) AS calls, 0 AS hits_exact, 0 AS hits_semantic, 0 AS errors, 0 AS unpriced, input_tokens,
       cached_input_tokens, output_tokens, amount_nusd AS cost_nusd, NULL AS saved_nusd, i.id AS invoice
FROM llm_sum_state d CROSS JOIN llm_invoices i
WHERE i.precedence < 1000
  AND NOT EXISTS (SELECT 1 FROM reports r CROSS JOIN llm_invoices b
                       ON b.source = r.source AND b.from_ts > i.from_ts - r.longest AND b.from_ts < i.to_ts
                  WHERE r.provider IS i.provider AND r.source <> i.source AND b.provider IS i.provider
                  AND b.to_ts > i.from_ts AND b.precedence < 1000 AND b.belongs IS NULL
                  AND (i.belongs IS NOT NULL OR ((b.amount_nusd IS NULL) = (i.amount_nusd IS NULL)
                       AND (b.precedence, b.source) < (i.precedence, i.source))))
  AND (i.belongs IS NOT NULL
       OR (NOT EXISTS (SELECT 1 FROM llm_sums s WHERE s.dimension = 1 AND s.grain = 1440 AND s.calls > 0
                       AND s.start > i.from_ts - 86400000 AND s.start < i.to_ts AND s.provider IS i.provider
                       AND s.billed <> 'list' AND (s.cost_nusd > 0 OR s.input_tokens > 0 OR s.output_tokens > 0))
           AND NOT EXISTS (SELECT 1 FROM llm_unsummed u CROSS JOIN llm_row_sums c ON c.id = u.call_id
                           WHERE c.calls AND c.ts - c.ts % 86400000 > i.from_ts - 86400000 AND c.ts < i.to_ts
                           AND c.provider IS i.provider AND c.billed <> 'list'
                           AND (c.cost_nusd > 0 OR c.input_tokens > 0 OR c.output_tokens > 0))));

-- Logical requests that took more than one attempt, and what the attempts before the last cost. (Logs of others don't say of each
-- why it was not good enough: there it is that another followed.)
CREATE VIEW IF NOT EXISTS main.llm_retries AS
SELECT c.request_id, min(c.ts) AS ts, max(c.attempt) AS attempts,
       max(c.model_requested) AS model_requested,
       group_concat(c.retry_reason, ', ') AS reasons,
       sum(c.cost_nusd) / 1e9 AS cost_usd,
       sum(CASE WHEN c.error IS NOT NULL OR (c.source IS NOT NULL AND c.attempt < r.attempts) THEN c.cost_nusd END) / 1e9
       AS wasted_usd,
       sum(c.latency_ms) AS latency_ms,
       max(CASE WHEN c.attempt = r.attempts THEN c.error END) AS error,
       sum(c.is_call) AS calls,
       (SELECT '{' || group_concat('"' || replace(replace(reason, '\', '\\'), '"', '\"') || '":' || usd, ',') || '}'
        FROM (SELECT coalesce(d.purpose, substr(d.error, 1, instr(d.error || ':', ':') - 1)) AS reason,
                     coalesce(sum(d.cost_nusd) / 1e9, 'null') AS usd
              FROM llm_calls d WHERE d.request_id = c.request_id AND d.attempt > 0
                                     AND (d.purpose IS NOT NULL OR d.error IS NOT NULL)
              GROUP BY 1)) AS discarded_usd,
       sum(c.is_unpriced) AS unpriced
FROM (SELECT request_id, max(attempt) AS attempts FROM llm_calls WHERE attempt > 1 GROUP BY 1) r
JOIN llm_spend c ON c.request_id = r.request_id AND c.attempt > 0
GROUP BY 1;

-- Money we can't name: paid or perhaps paid, and no price; a row for each reason why. Never counted as zero.
CREATE VIEW IF NOT EXISTS main.llm_unpriced AS
SELECT coalesce(model, model_requested) AS model, provider, kind,
       count(*) AS calls, CAST(sum(input_tokens + 0.0) AS INTEGER) AS input_tokens,
       CAST(sum(output_tokens + 0.0) AS INTEGER) AS output_tokens,
       min(ts) AS first_ts, max(ts) AS last_ts,
       coalesce(error, CASE WHEN usage IS NULL THEN 'no usage was told' ELSE 'no price of this model is known' END) AS error,
       source
FROM llm_spend
WHERE is_unpriced
GROUP BY 1, 2, 3, 9, source;

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
       AS reported_only_usd,
       source, coalesce(billed, 'paid') AS billed
FROM llm_spend
WHERE cost_reported_nusd IS NOT NULL AND is_call
GROUP BY 1, 2, source, coalesce(billed, 'paid');

-- The two caches in one row, own calls only. near_misses: lookups whose nearest entry was more likely right than wrong, yet
-- not served, or was near and vetoed (of the newest 10,000 decisions); false_hits_reported: hits that llm_cache_feedback() called wrong.
CREATE VIEW IF NOT EXISTS main.llm_cache_stats AS
SELECT coalesce(sum(hits_exact), 0) AS hits_exact,
       coalesce(sum(hits_semantic), 0) AS hits_semantic,
       coalesce(sum(misses), 0) AS misses,
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
       coalesce(sum(saved_nusd), 0) / 1e9 AS saved_usd,
       (SELECT value FROM llm_cache_meta WHERE name = 'policy') AS policy
FROM llm_summed WHERE dimension = 0 AND grain = 43200 AND source IS NULL;

-- What ended answers, in their providers' words, and what each is taken for. 'unknown': nobody knows the word, or there is
-- none; such an answer counts as complete if all else about it is sound.
CREATE VIEW IF NOT EXISTS main.llm_finish_reasons AS
SELECT provider, finish_reason, ended,
       count(*) AS calls,
       sum(error IS NOT NULL) AS errors,
       min(ts) AS first_ts,
       max(ts) AS last_ts
FROM llm_calls WHERE ended IS NOT NULL GROUP BY 1, 2, 3;
