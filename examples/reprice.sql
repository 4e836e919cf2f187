-- A period of the ledger priced again: under another day's prices, as if it were a batch, on another model, and by a plain
-- join with a catalogue that was kept.
--
--   sqlite3 desk.db -cmd '.load ./llmcost' < examples/reprice.sql

-- What was paid, what it would cost at today's prices, at those of a year ago, and in a batch.
SELECT model, count(*) AS calls, sum(cost_nusd) / 1e9 AS paid,
       sum(llm_cost(model, usage, json_object('provider', provider))) AS today,
       sum(llm_cost(model, usage, json_object('provider', provider, 'at', ts - 365 * 86400000))) AS a_year_ago,
       sum(llm_cost(model, usage, json_object('provider', provider, 'service', 'batch'))) AS in_a_batch
FROM llm_calls
WHERE kind IN ('call', 'embed') AND usage IS NOT NULL AND ts >= unixepoch('now', '-30 days') * 1000
GROUP BY model;

-- The same tokens on another model (its tokenizer may count differently).
SELECT sum(cost_nusd) / 1e9 AS paid, sum(llm_cost('gpt-4o-mini', usage)) AS on_mini
FROM llm_calls
WHERE kind = 'call' AND usage IS NOT NULL;

-- A catalogue that was kept yesterday, as a table: pricing under it is a join. Each leaf of a request (llm_usage names them)
-- meets the row of its model, unit, time and threshold. For requests whose units are plain input, cached input and output:
CREATE TABLE IF NOT EXISTS prices_yesterday AS SELECT * FROM llm_catalogue;
WITH leaves(id, model, ts, input_tokens, kind, tokens) AS (
  SELECT id, model, ts, input_tokens, 'input', input_tokens - coalesce(cached_input_tokens, 0) FROM llm_calls WHERE kind = 'call'
  UNION ALL
  SELECT id, model, ts, input_tokens, 'cache_read', cached_input_tokens FROM llm_calls WHERE kind = 'call' AND cached_input_tokens > 0
  UNION ALL
  SELECT id, model, ts, input_tokens, 'output', output_tokens FROM llm_calls WHERE kind = 'call'
)
SELECT l.model, count(DISTINCT l.id) AS calls, sum(l.tokens * p.usd_per_million) / 1e6 AS yesterday
FROM leaves l
JOIN prices_yesterday p ON p.kind = l.kind AND p.service = 'standard' AND p.list = 'catalogue' AND p.hours IS NULL
 AND p.rowid = (SELECT q.rowid FROM prices_yesterday q
                WHERE q.list = 'catalogue' AND q.kind = l.kind AND q.service = 'standard' AND q.hours IS NULL
                  AND (l.model = q.model OR l.model GLOB q.model || '-20[0-9][0-9]*') AND l.input_tokens > q.above_tokens
                  AND l.ts >= coalesce(q.valid_from, 0) AND l.ts < coalesce(q.valid_to, 9e18)
                  AND q.provider IN ('openai', 'anthropic', 'google', 'mistral')
                ORDER BY q.above_tokens DESC LIMIT 1)
GROUP BY l.model;
