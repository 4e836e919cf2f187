-- What llm_report shows: each figure is a statement that a user can copy. Read by work/report/figures.c.
--
--   -- let $name          what stands for it, up to the next line that begins with "--"
--   -- figure NAME: what it is, in words
--   -- first N            LIMIT N: only so many of its rows are shown, and that there are more is said
--   -- most N             with more rows than that the figure is left out
--   SELECT …;
--
-- Besides what is named here, these are replaced:
--   $from, $to, $before_from, $before_to     Unix ms: the period, and the one it is compared with
--   $from_hour, $to_hour, $before_hour, $before_end, $month_hour     the same as labels, by the clocks of time_zone
--   $month_from, $month_to, $now             the month that now is in
--   $spans      both periods, as llm_drift takes them
--   $batches    the table llm_batches, also where one of that name is in the database itself
--   $range_drifts     llm_drift of each month and week in the period, with first_day and last_day
--   $values     how many models, tags and users are named. The others are together: 0, which no text equals
--   $only_tag, $only_model     what the report is asked for: it has a name, be it dear or not; NULL
--   $texts      1: prompts may be shown, else 0
-- Money is in nano-dollars. (Added as REAL, exact up to 2^53: a sum beyond 64 bits would be an error instead of a report.)
-- `billed` is 'paid' or 'list': these are never added up.

-- let $measures
sum(calls) AS calls, sum(hits) AS hits, sum(errors) AS errors, sum(unpriced) AS unpriced,
       CAST(sum(input_tokens + 0.0) AS INTEGER) AS input_tokens,
       CAST(sum(cached_input_tokens + 0.0) AS INTEGER) AS cached_input_tokens,
       CAST(sum(output_tokens + 0.0) AS INTEGER) AS output_tokens,
       CAST(round(sum(cost_usd) * 1e9) AS INTEGER) AS cost_nusd, CAST(round(sum(saved_usd) * 1e9) AS INTEGER) AS saved_nusd
-- let $row_measures
sum(is_call) AS calls, sum(is_hit) AS hits, sum(error IS NOT NULL) AS errors, sum(is_unpriced) AS unpriced,
       CAST(sum(input_tokens + 0.0) AS INTEGER) AS input_tokens,
       CAST(sum(cached_input_tokens + 0.0) AS INTEGER) AS cached_input_tokens,
       CAST(sum(output_tokens + 0.0) AS INTEGER) AS output_tokens,
       CAST(sum(cost_nusd + 0.0) AS INTEGER) AS cost_nusd, CAST(sum(saved_nusd + 0.0) AS INTEGER) AS saved_nusd,
       sum(kind = 'hit_semantic') AS hits_semantic, sum(is_miss) AS misses, sum(kind = 'refused') AS refused, sum(kind = 'unknown') AS unknown
-- let $named_model
CASE WHEN model IS NULL OR model = $only_model OR model IN (SELECT model FROM llm_cost_by_model
         WHERE hour >= $from_hour AND hour < $to_hour AND model IS NOT NULL
         GROUP BY 1 ORDER BY sum(cost_usd) DESC NULLS LAST, sum(calls) DESC, 1 LIMIT $values) THEN model ELSE 0 END
-- let $named_tag
CASE WHEN tag IS NULL OR tag = $only_tag OR tag IN (SELECT tag FROM llm_cost_by_tag
         WHERE hour >= $from_hour AND hour < $to_hour AND tag IS NOT NULL
         GROUP BY 1 ORDER BY sum(cost_usd) DESC NULLS LAST, sum(calls) DESC, 1 LIMIT $values) THEN tag ELSE 0 END
-- let $named_user
CASE WHEN user IS NULL OR user IN (SELECT user FROM llm_cost_by_user
         WHERE hour >= $from_hour AND hour < $to_hour AND user IS NOT NULL
         GROUP BY 1 ORDER BY sum(cost_usd) DESC NULLS LAST, sum(calls) DESC, 1 LIMIT $values) THEN user ELSE 0 END
-- let $has_list
(SELECT 1 FROM llm_cost_by_model WHERE hour >= $before_hour AND hour < $to_hour AND billed = 'list' LIMIT 1)
-- let $told
(SELECT coalesce(max(billed), 'paid') FROM llm_cost_by_model WHERE hour >= $before_hour AND hour < $to_hour AND cost_usd <> 0)
-- let $rows
(SELECT substr(time, 1, 10) AS day, coalesce(billed, 'paid') AS billed, llm_model_name(coalesce(model, model_requested)) AS model,
        tag, user, kind, is_call, is_hit, is_miss, is_unpriced, error, purpose, prompt_hash,
        input_tokens, cached_input_tokens, output_tokens, cost_nusd, saved_nusd
 FROM llm_spend WHERE ts >= $from AND ts < $to)
-- let $rows_before
(SELECT coalesce(billed, 'paid') AS billed, llm_model_name(coalesce(model, model_requested)) AS model,
        tag, kind, is_call, is_hit, is_miss, is_unpriced, error,
        input_tokens, cached_input_tokens, output_tokens, cost_nusd, saved_nusd
 FROM llm_spend WHERE ts >= $before_from AND ts < $before_to)

-- figure days: Spending by day
SELECT day, billed, $measures, sum(basis = 'invoice') AS invoiced
FROM llm_cost_daily WHERE hour >= $before_hour AND hour < $to_hour GROUP BY 1, 2 ORDER BY 1, 2;

-- figure day_models: Spending by day and model
SELECT day, billed, $named_model AS model,
       $measures
FROM llm_cost_daily_by_model WHERE hour >= $from_hour AND hour < $to_hour GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- figure day_tags: Spending by day and tag
SELECT day, billed, $named_tag AS tag,
       $measures
FROM llm_cost_daily_by_tag WHERE hour >= $from_hour AND hour < $to_hour GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- figure day_users: Spending by day and user
SELECT day, billed, $named_user AS user,
       $measures
FROM llm_cost_daily_by_user WHERE hour >= $from_hour AND hour < $to_hour GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- figure cells: Spending by day, model and tag, of calls that are kept one by one
-- most 4500
SELECT day, billed, $named_model AS model,
       $named_tag AS tag,
       $row_measures
FROM $rows GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- figure user_cells: Spending by day, model, tag and user, of calls that are kept one by one
-- most 3000
SELECT day, billed, $named_model AS model,
       $named_tag AS tag,
       $named_user AS user,
       $row_measures
FROM $rows GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;

-- figure before: The period before, as far into it as this one is
SELECT billed, $measures
FROM llm_cost_by_model WHERE hour >= $before_hour AND hour < $before_end GROUP BY 1 ORDER BY 1;

-- figure before_models: The period before, by model
SELECT billed, $named_model AS model,
       $measures
FROM llm_cost_by_model WHERE hour >= $before_hour AND hour < $before_end GROUP BY 1, 2 ORDER BY 1, 2;

-- figure before_tags: The period before, by tag
SELECT billed, $named_tag AS tag,
       $measures
FROM llm_cost_by_tag WHERE hour >= $before_hour AND hour < $before_end GROUP BY 1, 2 ORDER BY 1, 2;

-- figure before_cells: The period before, by model and tag, of calls that are kept one by one
SELECT billed, $named_model AS model,
       $named_tag AS tag,
       $row_measures
FROM $rows_before GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- figure drift: Why spending changed
SELECT 'paid' AS billed, driver, detail, change_nusd, share, before, after, unit, basis, text
FROM llm_drift($spans, '{"billed":"paid"}')
UNION ALL
SELECT 'list', driver, detail, change_nusd, share, before, after, unit, basis, text
FROM $has_list CROSS JOIN llm_drift($spans, '{"billed":"list"}');

-- figure drift_tags: Why spending changed, by tag
SELECT billed, tag, driver, detail, change_nusd, before, after, unit, text
FROM (SELECT 'paid' AS billed, *, value AS tag
      FROM llm_drift($spans, '{"by":"tag","billed":"paid"}')
      UNION ALL
      SELECT 'list', d.*, value
      FROM $has_list CROSS JOIN llm_drift($spans, '{"by":"tag","billed":"list"}') d)
WHERE driver <> 'answer' AND $named_tag IS NOT 0;

-- figure drift_models: Why spending changed, by model
SELECT billed, model, driver, detail, change_nusd, before, after, unit, text
FROM (SELECT 'paid' AS billed, *, value AS model
      FROM llm_drift($spans, '{"by":"model","billed":"paid"}')
      UNION ALL
      SELECT 'list', d.*, value
      FROM $has_list CROSS JOIN llm_drift($spans, '{"by":"model","billed":"list"}') d)
WHERE driver <> 'answer' AND $named_model IS NOT 0;

-- figure drift_ranges: Why spending changed, by month and week of the period
SELECT first_day, last_day, $told AS billed, driver, detail, change_nusd, share, before, after, unit, text
FROM ($range_drifts);

-- figure month: This month so far, and what it comes to if it goes on so
SELECT billed, CAST(round(sum(cost_usd) * 1e9) AS INTEGER) AS spent_nusd,
       CASE WHEN ($now - $month_from) * 100 >= $month_to - $month_from
       THEN CAST(round(sum(cost_usd) * 1e9 * ($month_to - $month_from) / ($now - $month_from)) AS INTEGER) END AS projected_nusd
FROM llm_cost_daily WHERE hour >= $month_hour GROUP BY 1 ORDER BY 1;

-- figure budgets: Limits
-- first 100
SELECT scope, value, period, action, CAST(round(limit_usd * 1e9) AS INTEGER) AS limit_nusd, spent_nusd, unknown_nusd, held_nusd,
       share, CAST(round(projected_usd * 1e9) AS INTEGER) AS projected_nusd, basis, until_time, unpriced
FROM llm_budget_status ORDER BY share DESC NULLS LAST, 1, 2, 3;

-- figure unpriced: Calls without a price
-- most 3000
SELECT day, billed, $named_model AS model, $named_tag AS tag, provider, kind, why, count(*) AS calls,
       CAST(sum(input_tokens + 0.0) AS INTEGER) AS input_tokens, CAST(sum(output_tokens + 0.0) AS INTEGER) AS output_tokens
FROM (SELECT substr(time, 1, 10) AS day, coalesce(billed, 'paid') AS billed,
        llm_model_name(coalesce(model, model_requested)) AS model, tag, provider, kind, input_tokens, output_tokens,
        coalesce(substr(error, 1, instr(error || ':', ':') - 1),
                 CASE WHEN usage IS NULL THEN 'no usage was told' ELSE 'no price of this model is known' END) AS why
      FROM llm_spend WHERE ts >= $from AND ts < $to AND is_unpriced)
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7;

-- figure savings: What was saved
SELECT saving, who, billed, calls, nusd, share, unpriced, baseline FROM llm_savings('{"from":$from,"to":$to}');

-- figure day_savings: What was saved, by day
-- most 6000
SELECT day, saving, who, billed, calls, nusd, unpriced
FROM llm_savings('{"from":$from,"to":$to,"by":["day"]}') WHERE calls > 0;

-- figure cell_savings: What was saved, by tag and model
-- most 3000
SELECT saving, who, billed, tag, model, calls, nusd, unpriced
FROM llm_savings('{"from":$from,"to":$to,"by":["tag","model"]}') WHERE calls > 0;

-- figure cache: The caches as they are
SELECT near_misses, false_hits_reported, entries_exact, entries_semantic FROM llm_cache_stats;

-- figure prefix: What providers' prompt caches read
-- first 200
SELECT tag, llm_model_name(model) AS model, provider, who, billed, calls, eligible, hits, input_tokens, cached_input_tokens,
       net_nusd, first, within_5m, within_1h, later, misses, unpriced, first_change
FROM llm_prefix_cache('{"from":$from,"to":$to}') ORDER BY input_tokens DESC, 1, 2, 3, 4;

-- figure discarded: Paid for, and no answer
-- most 3000
SELECT day, billed, $named_model AS model,
       $named_tag AS tag,
       reason, count(*) AS calls, CAST(sum(cost_nusd + 0.0) AS INTEGER) AS cost_nusd,
       sum(is_unpriced) AS unpriced
FROM (SELECT substr(time, 1, 10) AS day, coalesce(billed, 'paid') AS billed,
        llm_model_name(coalesce(model, model_requested)) AS model, tag, cost_nusd, is_unpriced,
        coalesce(purpose, substr(error, 1, instr(error || ':', ':') - 1), again, 'asked again') AS reason
      FROM llm_spend c LEFT JOIN (SELECT request_id, max(attempt) AS last, max(retry_reason) AS again
                                 FROM llm_calls WHERE attempt > 1 GROUP BY 1) r
           ON r.request_id = c.request_id
      WHERE ts >= $from AND ts < $to AND is_call
            AND (error IS NOT NULL OR purpose IS NOT NULL OR (source IS NOT NULL AND attempt < last)))
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;

-- figure conversations: Conversations that grew most, at most 20 of a tag
-- first 300
SELECT conversation, tag, user, billed, turns, first_ts, last_ts, first_input_tokens, last_input_tokens, slope, cost_nusd,
       inflated_nusd, unpriced
FROM (SELECT *, row_number() OVER (PARTITION BY tag, billed ORDER BY inflated_nusd DESC NULLS LAST,
                                   cost_nusd DESC NULLS LAST, conversation, user) AS place
      FROM llm_conversations('{"from":$from,"to":$to}') WHERE turns > 1)
WHERE place <= 20 ORDER BY inflated_nusd DESC NULLS LAST, cost_nusd DESC NULLS LAST, 1, 3

-- figure prompts: System prompts over time, at most the 20 dearest of a tag
-- first 300
SELECT tag, version, system_hash, first_ts, last_ts, calls, tokens, grown_by, CAST(round(cost_usd * 1e9) AS INTEGER) AS cost_nusd,
       unpriced, changes_per_week, is_volatile, first_change, CASE WHEN $texts THEN substr(text, 1, 4000) END AS text
FROM (SELECT *, row_number() OVER (PARTITION BY tag ORDER BY cost_usd DESC NULLS LAST, version) AS place
      FROM llm_system_prompts('{"from":$from,"to":$to}'))
WHERE place <= 20 ORDER BY cost_usd DESC NULLS LAST, 1, 2

-- figure dearest: Dearest prompts, at most 20 of a model and tag
-- first 300
SELECT prompt_hash, billed, model, tag, calls, hits, input_tokens, output_tokens, cost_nusd, unpriced,
       CASE WHEN $texts THEN (SELECT substr(text, 1, 4000) FROM llm_texts WHERE hash = prompt_hash) END AS text
FROM (SELECT *, row_number() OVER (PARTITION BY billed, model, tag ORDER BY cost_nusd DESC NULLS LAST, calls DESC, prompt_hash) AS place
      FROM (SELECT prompt_hash, billed, $named_model AS model, $named_tag AS tag, sum(is_call) AS calls, sum(is_hit) AS hits,
              CAST(sum(input_tokens + 0.0) AS INTEGER) AS input_tokens, CAST(sum(output_tokens + 0.0) AS INTEGER) AS output_tokens,
              CAST(sum(cost_nusd + 0.0) AS INTEGER) AS cost_nusd, sum(is_unpriced) AS unpriced
            FROM $rows WHERE prompt_hash IS NOT NULL GROUP BY 1, 2, 3, 4))
WHERE place <= 20 ORDER BY cost_nusd DESC NULLS LAST, 5 DESC, 1, 2, 3, 4

-- figure batches: Batches
-- first 100
SELECT id, state, provider, llm_model_name(model) AS model, rows, answered, open_rows, cost_nusd, saved_nusd, held_nusd, unpriced,
       created_at, ended_at, unixepoch(expected_end) * 1000 AS expected_end, word, trouble, error
FROM $batches WHERE created_at >= $from AND created_at < $to ORDER BY id DESC;

-- figure advice: What to do next
-- first 50
SELECT rank, advice, subject, usd_per_month, low_usd, high_usd, share, step, effort, confidence, calls, what, when_to, why, how,
       billed
FROM llm_advise('{"from":$from,"to":$to}') ORDER BY rank
