-- Why did the bill double? From last month's exports to the answer: logs of calls, invoices, usage reports, whatever llm_import reads,
-- in one folder. No key needed, nothing sent.
--
--   sqlite3 costs.db -cmd '.load ./llmcost' -cmd '.mode box --wrap 80 --wordwrap on' < examples/why_did_it_double.sql
--
-- It reads the folder exports; another one with -cmd '.parameter set :exports ~/Downloads/usage'. Run it again with more exports
-- whenever you like: nothing counts twice.

SELECT report ->> '$.calls' AS new_calls, report ->> '$.sums' AS new_sums, report ->> '$.not_read' AS files_not_read,
       report ->> '$.skipped[0].reason' AS first_reason
FROM (SELECT llm_import(coalesce(:exports, 'exports')) AS report);

-- The newest month that is over (else this one), and the one before it of those that anything is known of.
CREATE TEMP TABLE asked AS
  SELECT coalesce(lag(month) OVER (ORDER BY month), strftime('%Y-%m', month || '-01', '-1 month')) AS before, month AS after,
         json_object('from', month || '-01', 'to', date(month || '-01', '+1 month')) AS that_month
  FROM (SELECT DISTINCT month FROM llm_cost_monthly) ORDER BY month >= strftime('%Y-%m', 'now'), month DESC LIMIT 1;

-- Why: in words; what it is made of (the rows add up to the change); and which models moved.
SELECT d.text AS answer FROM asked a, llm_drift(a.before, a.after) d WHERE driver = 'answer';
SELECT d.driver, d.detail, round(d.change_usd, 4) AS change_usd, round(100 * d.share) AS percent, d.before, d.after, d.unit, d.basis
FROM asked a, llm_drift(a.before, a.after) d WHERE d.driver <> 'answer' AND d.change_nusd IS NOT 0
ORDER BY abs(d.change_nusd) DESC;
SELECT coalesce(d.value, '(none)') AS model, round(sum(d.change_nusd) / 1e9, 4) AS change_usd FROM asked a, llm_drift(a.before, a.after, '{"by":"model"}') d
WHERE d.change_nusd IS NOT NULL GROUP BY 1 ORDER BY abs(sum(d.change_nusd)) DESC LIMIT 10;

-- More of that month, where single calls are known: what attempts cost that gave no answer, what long conversations carry along, which
-- system prompts grew, what prefix caches gained, what was saved in all.
SELECT r.reasons, count(*) AS requests, round(sum(r.wasted_usd), 4) AS wasted_usd FROM asked a JOIN llm_retries r
ON strftime('%Y-%m', r.ts / 1000, 'unixepoch') = a.after GROUP BY 1 ORDER BY 3 DESC LIMIT 5;
SELECT c.conversation, c.turns, round(c.growth_percent, 1) AS growth_percent, c.cost_usd, c.inflated_usd FROM asked a, llm_conversations(a.that_month) c
ORDER BY c.inflated_usd DESC LIMIT 5;
SELECT p.tag, p.version, p.calls, p.tokens, p.grown_by, p.cost_usd FROM asked a, llm_system_prompts(a.that_month) p ORDER BY p.cost_usd DESC LIMIT 5;
SELECT p.model, p.who, p.billed, p.calls, p.hit_percent, p.net_usd FROM asked a, llm_prefix_cache(a.that_month) p ORDER BY abs(p.net_usd) DESC LIMIT 5;
SELECT s.saving, s.who, s.billed, s.usd, round(100 * s.share, 1) AS percent FROM asked a, llm_savings(a.that_month) s WHERE s.usd <> 0;
