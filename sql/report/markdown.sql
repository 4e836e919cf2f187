-- What llm_report shows as Markdown: statements over the figures (figures.sql, written likewise), run in their database. Each is a
-- table under its heading, or a paragraph without one, where it has rows; what it is named after is the figure whose SQL is behind it.
--
-- A name that ends in ":" is a column of numbers. Functions: usd(nusd), usd_signed(nusd), percent(share), percent_signed(share),
-- number(x), text(x) (escaped, cut), line(x) (cut later), moment(ms). NULL is unknown: "–". $from_day: the first day; $now and $before: the periods' names.

-- let $words
(CASE WHEN billed = 'list' AND EXISTS (SELECT 1 FROM days d WHERE d.billed = 'paid') THEN ' (list prices)' ELSE '' END)
-- let $sums
sum(calls) AS calls, sum(hits) AS hits, sum(errors) AS errors, sum(unpriced) AS unpriced, sum(cost_nusd) AS cost, sum(saved_nusd) AS saved,
  sum(input_tokens) AS input, sum(cached_input_tokens) AS cached, sum(output_tokens) AS output
-- let $both
(SELECT k.billed, n.*, b.calls AS b_calls, b.hits AS b_hits, b.errors AS b_errors, b.unpriced AS b_unpriced, b.cost_nusd AS b_cost,
   b.saved_nusd AS b_saved, b.input_tokens AS b_input, b.cached_input_tokens AS b_cached, b.output_tokens AS b_output
 FROM (SELECT DISTINCT billed FROM days) k
   LEFT JOIN (SELECT billed AS n_billed, $sums FROM days WHERE day >= $from_day GROUP BY billed) n ON n_billed = k.billed
   LEFT JOIN before b ON b.billed = k.billed)

-- let $told
coalesce((SELECT max(billed) FROM days WHERE cost_nusd <> 0), (SELECT max(billed) FROM days), 'paid')
-- let $is_told
billed = $told

-- let $whole
(SELECT billed, $sums FROM days WHERE day >= $from_day GROUP BY billed) d
-- let $minus
d.calls - coalesce(p.calls, 0), d.hits - coalesce(p.hits, 0), d.errors - coalesce(p.errors, 0), d.unpriced - coalesce(p.unpriced, 0),
  d.cost - coalesce(p.cost, 0), d.saved - coalesce(p.saved, 0), d.input - coalesce(p.input, 0), d.cached - coalesce(p.cached, 0),
  d.output - coalesce(p.output, 0)
-- let $differs
p.billed = d.billed WHERE d.cost IS NOT p.cost OR d.calls IS NOT p.calls

-- figure answer:
SELECT line(text) FROM drift WHERE driver = 'answer' AND $is_told;

-- figure days: Spending
SELECT what || $words AS what, now AS $now, before AS $before, change AS "Change:" FROM (
  SELECT 1 AS n, billed, 'Spent' AS what, usd(cost) AS now, usd(b_cost) AS before, usd_signed(cost - b_cost)
    || CASE WHEN b_cost > 0 THEN ', ' || percent_signed((cost - b_cost) * 1.0 / b_cost) ELSE '' END AS change FROM $both
  UNION ALL SELECT 2, billed, 'Calls', number(calls), number(b_calls), percent_signed((calls - b_calls) * 1.0 / nullif(b_calls, 0)) FROM $both
  UNION ALL SELECT 3, billed, 'Answered by caches', number(hits) || coalesce(', ' || percent(hits * 1.0 / nullif(hits + calls, 0)), ''),
    number(b_hits) || coalesce(', ' || percent(b_hits * 1.0 / nullif(b_hits + b_calls, 0)), ''), '' FROM $both
  UNION ALL SELECT 4, billed, 'Saved by them', usd(saved), usd(b_saved), usd_signed(saved - b_saved) FROM $both WHERE saved > 0 OR b_saved > 0
  UNION ALL SELECT 5, billed, 'Input tokens', number(input), number(b_input), percent_signed((input - b_input) * 1.0 / nullif(b_input, 0)) FROM $both
  UNION ALL SELECT 6, billed, 'of them read from providers'' caches', percent(cached * 1.0 / nullif(input, 0)),
    percent(b_cached * 1.0 / nullif(b_input, 0)), '' FROM $both
  UNION ALL SELECT 7, billed, 'Output tokens', number(output), number(b_output), percent_signed((output - b_output) * 1.0 / nullif(b_output, 0)) FROM $both
  UNION ALL SELECT 8, billed, 'Errors', number(errors), number(b_errors), '' FROM $both
  UNION ALL SELECT 9, billed, 'Without a price', number(unpriced), number(b_unpriced), '' FROM $both
) ORDER BY billed DESC, n;

-- figure month: This month
SELECT CASE billed WHEN 'list' THEN 'At list prices' ELSE 'Paid' END AS billed, usd(spent_nusd) AS "So far:",
  usd(projected_nusd) AS "If it goes on so:" FROM month;

-- figure budgets: Limits
SELECT text(value) AS scope, text(period) AS period, usd(limit_nusd) AS "Limit:", usd(spent_nusd + unknown_nusd) AS "Spent:",
  percent(share) || CASE WHEN share > 1 THEN ', over' ELSE '' END AS "Share:", usd(projected_nusd) AS "Projected:",
  coalesce(text(until_time), CASE WHEN period GLOB 'total*' THEN 'never' ELSE 'it rolls' END) AS until FROM budgets;

-- figure day_models: By model
SELECT name || $words AS model, number(calls) AS "Calls:", percent(hits * 1.0 / nullif(hits + calls, 0)) AS "From caches:",
  number(input) AS "Input tokens:", percent(cached * 1.0 / nullif(input, 0)) AS "Cached:", number(output) AS "Output tokens:", usd(cost) AS "Spent:",
  percent(cost * 1.0 / nullif(sum(cost) OVER (PARTITION BY billed, is_total), 0)) AS "Share:"
FROM (SELECT billed, 0 AS is_total, $name_model AS name, typeof(model) = 'integer' AS is_rest, $sums FROM day_models GROUP BY billed, model
      UNION ALL SELECT d.billed, 0, '_not told apart_', 2, $minus
        FROM $whole LEFT JOIN (SELECT billed, $sums FROM day_models GROUP BY billed) p ON $differs
      UNION ALL SELECT billed, 1, 'All', 0, $sums FROM days WHERE day >= $from_day GROUP BY billed)
ORDER BY billed DESC, is_total, is_rest, cost DESC;
-- let $name_model
CASE WHEN model IS NULL THEN '_none_' WHEN typeof(model) = 'integer' THEN '_others_' WHEN trim(model) = '' THEN '_blank_' ELSE text(model) END
-- let $name_tag
CASE WHEN tag IS NULL THEN '_none_' WHEN typeof(tag) = 'integer' THEN '_others_' WHEN trim(tag) = '' THEN '_blank_' ELSE text(tag) END
-- let $name_user
CASE WHEN user IS NULL THEN '_none_' WHEN typeof(user) = 'integer' THEN '_others_' WHEN trim(user) = '' THEN '_blank_' ELSE text(user) END

-- figure day_tags: By tag
SELECT name || $words AS tag, number(calls) AS "Calls:", percent(hits * 1.0 / nullif(hits + calls, 0)) AS "From caches:", usd(cost) AS "Spent:",
  percent(cost * 1.0 / nullif(sum(cost) OVER (PARTITION BY billed, is_total), 0)) AS "Share:"
FROM (SELECT billed, 0 AS is_total, $name_tag AS name, typeof(tag) = 'integer' AS is_rest, $sums FROM day_tags GROUP BY billed, tag
      UNION ALL SELECT d.billed, 0, '_not told apart_', 2, $minus
        FROM $whole LEFT JOIN (SELECT billed, $sums FROM day_tags GROUP BY billed) p ON $differs
      UNION ALL SELECT billed, 1, 'All', 0, $sums FROM days WHERE day >= $from_day GROUP BY billed)
WHERE EXISTS (SELECT 1 FROM day_tags WHERE tag IS NOT NULL) ORDER BY billed DESC, is_total, is_rest, cost DESC;

-- figure day_users: By user
SELECT name || $words AS user, number(calls) AS "Calls:", percent(hits * 1.0 / nullif(hits + calls, 0)) AS "From caches:", usd(cost) AS "Spent:",
  percent(cost * 1.0 / nullif(sum(cost) OVER (PARTITION BY billed, is_total), 0)) AS "Share:"
FROM (SELECT billed, 0 AS is_total, $name_user AS name, typeof(user) = 'integer' AS is_rest, $sums FROM day_users GROUP BY billed, user
      UNION ALL SELECT d.billed, 0, '_not told apart_', 2, $minus
        FROM $whole LEFT JOIN (SELECT billed, $sums FROM day_users GROUP BY billed) p ON $differs
      UNION ALL SELECT billed, 1, 'All', 0, $sums FROM days WHERE day >= $from_day GROUP BY billed)
WHERE EXISTS (SELECT 1 FROM day_users WHERE user IS NOT NULL) ORDER BY billed DESC, is_total, is_rest, cost DESC;

-- figure drift: Why it changed
SELECT text(driver) || coalesce(': ' || text(detail), '') AS driver, number(before) AS "Before:", number(after) AS "Now:", text(unit) AS unit,
  usd_signed(change_nusd) AS "Change:", percent_signed(share) AS "Of the change:" FROM drift WHERE driver <> 'answer' AND change_nusd IS NOT 0 AND $is_told;

-- figure savings: What was saved
SELECT text(saving) || coalesce(' (' || text(who) || ')', '') || $words AS saving, number(calls) AS "Calls:",
  usd(nusd) AS "Dollars:", percent(share) AS "Of the baseline:",
  number(unpriced) AS "Not known:", line(baseline) AS against FROM savings
WHERE (calls > 0 OR saving IN ('baseline', 'spend')) AND EXISTS (SELECT 1 FROM savings WHERE calls > 0 AND saving NOT IN ('baseline', 'spend'));

-- figure discarded: Paid for, and no answer (10 rows at most)
SELECT coalesce(text(reason), '–') || $words AS reason, number(sum(calls)) AS "Calls:", usd(sum(cost_nusd)) AS "Dollars:",
  number(sum(unpriced)) AS "Without a price:"
FROM discarded GROUP BY billed, reason ORDER BY billed DESC, sum(cost_nusd) DESC LIMIT 10;

-- figure prefix: What providers' caches read (10 rows at most)
SELECT $name_tag || $words AS tag, text(model) AS model, text(who) AS "kept by", number(calls) AS "Calls:",
  percent(cached_input_tokens * 1.0 / nullif(input_tokens, 0)) AS "Of the input:", usd_signed(net_nusd) AS "Net:",
  coalesce(text(misses), '') AS misses FROM prefix WHERE input_tokens > 0 LIMIT 10;

-- figure conversations: Conversations that grew (10 rows at most)
SELECT text(conversation) || $words AS conversation, $name_tag AS tag, $name_user AS user, number(turns) AS "Turns:", number(first_input_tokens) AS "First turn, tokens:",
  number(last_input_tokens) AS "Last turn, tokens:", usd(cost_nusd) AS "Dollars:", usd(inflated_nusd) AS "By growth:"
FROM conversations WHERE inflated_nusd > 0 LIMIT 10;

-- figure prompts: System prompts (10 rows at most)
SELECT $name_tag AS tag, version AS "Version:", moment(first_ts) AS first, number(calls) AS "Calls:", number(tokens) AS "Tokens:",
  number(grown_by) AS "Grown by:", usd(cost_nusd) AS "Dollars:" FROM prompts WHERE tokens > 0 LIMIT 10;

-- figure dearest: Dearest prompts (10 rows at most)
SELECT substr(prompt_hash, 1, 12) || $words AS prompt, $name_model AS model, $name_tag AS tag, number(calls) AS "Calls:", number(hits) AS "From caches:",
  usd(cost_nusd) AS "Dollars:", coalesce(text(text), '') AS text FROM dearest LIMIT 10;

-- figure batches: Batches (10 rows at most)
SELECT id AS "Batch:", text(state) AS state, text(model) AS model, number(rows) AS "Rows:", number(answered) AS "Answered:", usd(cost_nusd) AS "Dollars:",
  usd(saved_nusd) AS "Saved:" FROM batches LIMIT 10;

-- figure unpriced: Calls without a price
SELECT $name_model AS model, text(kind) AS kind, number(sum(calls)) AS "Calls:", number(sum(input_tokens)) AS "Input tokens:",
  number(sum(output_tokens)) AS "Output tokens:", line(why) AS why FROM unpriced GROUP BY billed, model, kind, why ORDER BY sum(calls) DESC;

-- figure advice: What to do next
SELECT rank AS "No.:", text(advice) AS advice, text(subject) AS subject, usd(round(usd_per_month * 1e9)) AS "Dollars a month:",
  usd(round(low_usd * 1e9)) || ' to ' || usd(round(high_usd * 1e9)) AS "Between:", text(effort) AS effort, text(confidence) AS confidence,
  line(what) AS what FROM advice WHERE advice <> 'none';
