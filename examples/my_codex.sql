-- What Codex has used on this machine, at list price: from its own logs, no key needed, nothing sent.
--
--   sqlite3 -box usage.db -cmd '.load ./llmcost' < examples/my_codex.sql
--
-- Run it again whenever you like: only what is new is read, and what was read stays when its logs are gone.

SELECT llm_import('~/.codex') ->> '$.calls' AS new_calls;

-- What did I use, and what would it cost at list price? (With a subscription you pay none of it.)
SELECT count(*) AS calls, count(DISTINCT conversation) AS sessions, sum(input_tokens) AS input, sum(output_tokens) AS output,
       round(sum(cost_nusd) / 1e9, 2) AS list_usd, sum(cost_nusd IS NULL) AS unpriced
FROM llm_calls WHERE source = 'codex';

-- On what?
SELECT model, count(*) AS calls, round(sum(cost_nusd) / 1e9, 2) AS list_usd
FROM llm_calls WHERE source = 'codex' GROUP BY 1 ORDER BY 3 DESC;

-- By day, the last fortnight; and by project (the last part of its folder).
SELECT date(ts / 1000, 'unixepoch', 'localtime') AS day, count(*) AS calls, round(sum(cost_nusd) / 1e9, 2) AS list_usd
FROM llm_calls WHERE source = 'codex' GROUP BY 1 ORDER BY 1 DESC LIMIT 14;
SELECT tag AS project, count(*) AS calls, round(sum(cost_nusd) / 1e9, 2) AS list_usd
FROM llm_calls WHERE source = 'codex' GROUP BY 1 ORDER BY 3 DESC LIMIT 20;

-- What did the prompt cache save? The same calls with every token of input at its full price.
SELECT round(sum(cost) , 2) AS list_usd, round(sum(plain), 2) AS without_cache, round(1 - sum(cost) / sum(plain), 3) AS saved
FROM (SELECT cost_nusd / 1e9 AS cost,
             llm_cost(model, input_tokens, output_tokens, json_object('provider', provider, 'unknown', 'null', 'at', ts)) AS plain
      FROM llm_calls WHERE source = 'codex' AND cost_nusd IS NOT NULL);
