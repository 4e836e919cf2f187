-- A period of the ledger priced again: under today's prices, those of a year before, as if it were a batch, on another model,
-- and by a plain join with a catalogue that was kept.
--
--   sqlite3 desk.db -cmd '.load ./llmcost' < examples/reprice.sql
--
-- Sums leave out what has no price: each query says how many calls that is.

WITH repriced AS (
  SELECT model, cost_nusd / 1e9 AS paid,
         llm_cost(model, usage, json_object('provider', provider, 'unknown', 'null')) AS today,
         llm_cost(model, usage, json_object('provider', provider, 'unknown', 'null', 'at', ts - 365 * 86400000)) AS a_year_ago,
         llm_cost(model, usage, json_object('provider', provider, 'unknown', 'null', 'service', 'batch')) AS in_a_batch
  FROM llm_calls
  WHERE kind IN ('call', 'embed') AND usage IS NOT NULL AND ts >= unixepoch('now', '-30 days') * 1000
)
SELECT model, count(*) AS calls, sum(paid) AS paid, sum(today) AS today, sum(a_year_ago) AS a_year_ago,
       sum(in_a_batch) AS in_a_batch, count(*) - count(today) AS without_price
FROM repriced
GROUP BY model;

-- The same tokens on another model (its tokenizer may count differently).
SELECT sum(paid) AS paid, sum(on_mini) AS on_mini, count(*) - count(on_mini) AS without_price
FROM (SELECT cost_nusd / 1e9 AS paid, llm_cost('gpt-4o-mini', usage, '{"unknown":"null"}') AS on_mini
      FROM llm_calls
      WHERE kind = 'call' AND usage IS NOT NULL);

-- A catalogue that was kept as a table (here the first time this runs): pricing under it is a join. Each leaf of a request (llm_usage names them)
-- meets the row of its model, unit, time and threshold. For requests whose units are plain input, cached input and output:
CREATE TABLE IF NOT EXISTS prices_kept AS
SELECT * FROM llm_catalogue WHERE list = 'catalogue' AND service = 'standard' AND hours IS NULL AND usd_per_million IS NOT NULL;
WITH leaves(id, provider, model, ts, input_tokens, kind, tokens) AS (
  SELECT id, provider, model, ts, input_tokens, 'input', input_tokens - coalesce(cached_input_tokens, 0)
  FROM llm_calls WHERE kind = 'call'
  UNION ALL
  SELECT id, provider, model, ts, input_tokens, 'cache_read', cached_input_tokens
  FROM llm_calls WHERE kind = 'call' AND cached_input_tokens > 0
  UNION ALL
  SELECT id, provider, model, ts, input_tokens, 'output', output_tokens
  FROM llm_calls WHERE kind = 'call'
)
SELECT l.model, count(DISTINCT l.id) AS calls, sum(l.tokens * p.usd_per_million) / 1e6 AS as_kept,
       count(DISTINCT iif(p.rowid IS NULL, l.id, NULL)) AS without_price
FROM leaves l
LEFT JOIN prices_kept p
 ON p.rowid = (SELECT q.rowid FROM prices_kept q
               WHERE q.provider = l.provider AND q.kind = l.kind
                 AND (l.model = q.model OR l.model GLOB q.model || '-20[0-9][0-9]*')
                 AND (q.above_tokens = 0 OR l.input_tokens > q.above_tokens)
                 AND l.ts >= coalesce(q.valid_from, 0) AND l.ts < coalesce(q.valid_to, 9e18)
               ORDER BY length(q.model) DESC, q.above_tokens DESC LIMIT 1)
GROUP BY l.model;
