-- What it cost: by time, and by what it was for. Read from llm_summed; which rows of it, a condition on a period or a
-- time zone decides: each view selects from one of the four names below, and ext/tables/cost_table.c puts others of
-- that name before it. basis: 'sums' (kept beside the ledger), 'detail' (the ledger's rows: a dimension with too many
-- values), 'invoice' (imported sums, where no calls are known). Money of different `billed` is never added up. (Money is added
-- as REAL, exact up to $9,007,199: a sum of integers beyond what 64 bits hold would be an error instead of a report.)

-- Sums by value; of any time.
CREATE VIEW IF NOT EXISTS main.llm_values AS
SELECT dimension, value, provider, source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_summed WHERE grain = 43200
UNION ALL
SELECT dimension, value, provider, source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_invoiced;

-- Sums by time; `local` is the time of day there, in seconds.
CREATE VIEW IF NOT EXISTS main.llm_days AS
SELECT start / 1000 AS local, 'UTC' AS zone, source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_summed WHERE dimension = 0 AND grain = 1440
UNION ALL
SELECT start / 1000, 'UTC', source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_invoiced WHERE dimension = 0;

CREATE VIEW IF NOT EXISTS main.llm_hours AS
SELECT start / 1000 AS local, 'UTC' AS zone, source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_summed WHERE dimension = 0 AND grain = 15
UNION ALL
SELECT start / 1000, 'UTC', source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_invoiced WHERE dimension = 0 AND to_ts - start <= 3600000;

-- Sums by day and value.
CREATE VIEW IF NOT EXISTS main.llm_day_values AS
SELECT dimension, value, provider, start / 1000 AS local, 'UTC' AS zone, source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_summed WHERE grain = 1440
UNION ALL
SELECT dimension, value, provider, start / 1000, 'UTC', source, billed, basis,
       calls, hits_exact, hits_semantic, errors, unpriced, input_tokens, cached_input_tokens, output_tokens,
       cost_nusd, saved_nusd
FROM llm_invoiced;

CREATE VIEW IF NOT EXISTS main.llm_cost_hourly AS
SELECT strftime('%Y-%m-%d %H:00', local, 'unixepoch') AS hour,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis, zone
FROM llm_hours GROUP BY 1, source, billed, basis, zone;

CREATE VIEW IF NOT EXISTS main.llm_cost_daily AS
SELECT strftime('%Y-%m-%d', local, 'unixepoch') AS day,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis, zone
FROM llm_days GROUP BY 1, source, billed, basis, zone;

-- ISO 8601: a week begins on Monday and belongs to the year of its Thursday.
CREATE VIEW IF NOT EXISTS main.llm_cost_weekly AS
SELECT strftime('%Y-W', local + 259200 - (local + 259200) % 604800, 'unixepoch')
       || printf('%02d', (strftime('%j', local + 259200 - (local + 259200) % 604800, 'unixepoch') + 6) / 7) AS week,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis, zone
FROM llm_days GROUP BY 1, source, billed, basis, zone;

CREATE VIEW IF NOT EXISTS main.llm_cost_monthly AS
SELECT strftime('%Y-%m', local, 'unixepoch') AS month,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis, zone
FROM llm_days GROUP BY 1, source, billed, basis, zone;

CREATE VIEW IF NOT EXISTS main.llm_cost_by_model AS
SELECT value AS model, provider,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis
FROM llm_values WHERE dimension = 1 GROUP BY value, provider, source, billed, basis;

CREATE VIEW IF NOT EXISTS main.llm_cost_by_tag AS
SELECT value AS tag,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis
FROM llm_values WHERE dimension = 2 GROUP BY value, source, billed, basis;

CREATE VIEW IF NOT EXISTS main.llm_cost_by_user AS
SELECT value AS user,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis
FROM llm_values WHERE dimension = 3 GROUP BY value, source, billed, basis;

CREATE VIEW IF NOT EXISTS main.llm_cost_daily_by_model AS
SELECT strftime('%Y-%m-%d', local, 'unixepoch') AS day, value AS model, provider,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis, zone
FROM llm_day_values WHERE dimension = 1 GROUP BY 1, value, provider, source, billed, basis, zone;

CREATE VIEW IF NOT EXISTS main.llm_cost_daily_by_tag AS
SELECT strftime('%Y-%m-%d', local, 'unixepoch') AS day, value AS tag,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis, zone
FROM llm_day_values WHERE dimension = 2 GROUP BY 1, value, source, billed, basis, zone;

CREATE VIEW IF NOT EXISTS main.llm_cost_daily_by_user AS
SELECT strftime('%Y-%m-%d', local, 'unixepoch') AS day, value AS user,
       sum(calls) AS calls,
       sum(hits_exact + hits_semantic) AS hits,
       sum(errors) AS errors,
       sum(input_tokens) AS input_tokens,
       sum(cached_input_tokens) AS cached_input_tokens,
       sum(output_tokens) AS output_tokens,
       sum(cost_nusd + 0.0) / 1e9 AS cost_usd,
       sum(saved_nusd + 0.0) / 1e9 AS saved_usd,
       sum(unpriced) AS unpriced,
       source, billed, basis, zone
FROM llm_day_values WHERE dimension = 3 GROUP BY 1, value, source, billed, basis, zone;
