-- Calls, the cache, the ledger and the memo, as a user writes them.

SELECT 'a completion is text', typeof(llm_complete('What is your return policy?')) = 'text';
SELECT 'it is ledgered', count(*) = 1 AND min(kind = 'call' AND cost_nusd > 0 AND http_status = 200) FROM llm_calls;
SELECT 'the same again comes from the cache', llm_complete('What is your return policy?') LIKE '%return%';
SELECT 'and saves what it cost', h.saved_nusd = c.cost_nusd AND h.cost_nusd = 0
FROM llm_calls h, llm_calls c WHERE h.kind = 'hit_exact' AND c.kind = 'call';
SELECT 'blanks and Unicode forms do not matter', llm_complete('  What  is your return policy? ') = llm_complete('What is your return policy?');
SELECT 'and every hit leads to a text', count(*) = 0 FROM llm_calls c
WHERE kind = 'hit_exact' AND NOT EXISTS (SELECT 1 FROM llm_texts x WHERE x.hash = c.prompt_hash);
SELECT 'case matters', llm_complete('WHAT IS YOUR RETURN POLICY?') <> llm_complete('What is your return policy?');
SELECT 'NULL asks nothing', llm_complete(NULL) IS NULL AND llm_chat(NULL) IS NULL;
SELECT 'and leaves no row', count(*) = 2 FROM llm_calls WHERE kind = 'call';

SELECT 'last call is the newest row', llm_last_call() = (SELECT max(id) FROM llm_calls);

-- One row is not one call.
SELECT 'three evaluations are one call', a = b AND b = c
FROM (SELECT llm_complete('memo 1') AS a, llm_complete('memo 1') AS b, llm_complete('memo 1') AS c);
SELECT 'an alias used in WHERE and in the result', length(answer) > 0
FROM (SELECT llm_complete('memo 2') AS answer) WHERE answer LIKE '%memo%' AND answer IS NOT NULL;
SELECT 'neither left a hit', sum(kind = 'call') = 2 AND count(*) = 2
FROM llm_calls WHERE prompt_hash IN (SELECT hash FROM llm_texts WHERE text LIKE 'memo _');
CREATE TABLE t(q);
INSERT INTO t VALUES ('memo 3'), ('memo 3'), ('memo 4'), ('memo 3');
CREATE TABLE a(q, answer);
INSERT INTO a SELECT q, llm_complete(q) FROM t;
SELECT 'repeats within a statement are neither calls nor hits', count(*) = 2
FROM llm_calls WHERE prompt_hash IN (SELECT hash FROM llm_texts WHERE text IN ('memo 3', 'memo 4'));
INSERT INTO a SELECT q, llm_complete(q) FROM t;
SELECT 'the next execution has its own', sum(kind = 'hit_exact') = 2 AND sum(kind = 'call') = 2
FROM llm_calls WHERE prompt_hash IN (SELECT hash FROM llm_texts WHERE text IN ('memo 3', 'memo 4'));
SELECT 'cache off is a fresh sample each time', length(llm_complete('fresh', '{"cache":"off"}') || llm_complete('fresh', '{"cache":"off"}')) > 0;
SELECT 'two calls', count(*) = 2 FROM llm_calls WHERE prompt_hash IN (SELECT hash FROM llm_texts WHERE text = 'fresh');
SELECT 'refresh asks again, once a statement', length(llm_complete('memo 1', '{"cache":"refresh"}') || llm_complete('memo 1', '{"cache":"refresh"}')) > 0;
SELECT 'one more call', count(*) = 2 FROM llm_calls WHERE prompt_hash IN (SELECT hash FROM llm_texts WHERE text = 'memo 1');

-- What makes a request another one.
SELECT 'system, model and sampling are in the key', count(DISTINCT id) = 5
FROM (SELECT id FROM llm_call('key') UNION ALL
      SELECT id FROM llm_call('key', '{"system":"Be brief."}') UNION ALL
      SELECT id FROM llm_call('key', '{"temperature":0}') UNION ALL
      SELECT id FROM llm_call('key', '{"model":"gpt-4o"}') UNION ALL
      SELECT id FROM llm_call('key', '{"max_tokens":100}'));
SELECT 'all five were calls', count(*) = 5 FROM llm_calls WHERE kind = 'call'
AND prompt_hash IN (SELECT hash FROM llm_texts WHERE text = 'key');
SELECT 'tag and user are not', kind = 'hit_exact' AND tag = 'x' AND user = 'u' FROM llm_call('key', '{"tag":"x","user":"u"}');
SELECT 'a cut-off answer is not cached', finish_reason = 'length' AND output_tokens = 3 FROM llm_call('cut', '{"max_tokens":3}');
SELECT 'so it is asked again', kind = 'call' FROM llm_call('cut', '{"max_tokens":3}');
SELECT 'ttl', kind = 'call' FROM llm_call('soon gone', '{"ttl":"1ms"}');
SELECT 'a moment passes', count(*) > 0 FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n);
SELECT 'expired', kind = 'call' FROM llm_call('soon gone');

-- Chat.
SELECT 'chat', typeof(llm_chat('[{"role":"system","content":"Be kind."},{"role":"user","content":"hi"}]', '{"conversation":"c1"}')) = 'text';
SELECT 'a later turn', length(llm_chat(json_array(json_object('role', 'user', 'content', 'hi'),
  json_object('role', 'assistant', 'content', 'hello'), json_object('role', 'user', 'content', 'my order')), '{"conversation":"c1"}')) > 0;
SELECT 'turns are counted', max(turn) = 2 AND max(history_tokens) > 0 FROM llm_calls WHERE conversation = 'c1';
SELECT 'system prompts are kept once', count(*) = 1 FROM llm_texts WHERE text = 'Be kind.';

-- Structured output.
SELECT 'an answer under a schema is JSON', json_type(llm_complete('a number', '{"schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}'), '$.n') = 'integer';
SELECT 'at Anthropic too', json_type(llm_complete('a number', '{"model":"claude-haiku-4-5","schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}'), '$.n') = 'integer';

-- The dry run.
SELECT 'dry run says what would be sent', r ->> '$.body.messages[0].content' = 'dry' AND r ->> '$.model' = 'gpt-4o-mini'
  AND r ->> '$.cache' = 'miss' AND r ->> '$.input_cost_usd' > 0 AND r ->> '$.max_cost_usd' > 0
FROM (SELECT llm_complete('dry', '{"dry_run":true,"max_tokens":50}') AS r);
SELECT 'and sends nothing', count(*) = 0 FROM llm_texts WHERE text = 'dry';

-- llm_call joins like a table.
SELECT 'llm_call in a join', count(*) = 2 AND count(DISTINCT c.id) = 2 FROM (SELECT DISTINCT q FROM t) t, llm_call(t.q) c WHERE c.answer <> '';
SELECT 'llm_call with NULL has no row', count(*) = 0 FROM llm_call(NULL);

-- The ledger's tables push constraints down.
SELECT 'id', (SELECT kind FROM llm_calls WHERE id = 1) = 'call';
SELECT 'ranges, order and limit', (SELECT group_concat(id) FROM (SELECT id FROM llm_calls WHERE id > 1 AND id <= 5 ORDER BY id DESC LIMIT 2 OFFSET 1)) = '4,3';
SELECT 'a join with a table of yours', count(*) > 0 FROM t JOIN llm_texts x ON x.text = t.q JOIN llm_calls c ON c.prompt_hash = x.hash;
SELECT 'NULLs', (SELECT count(*) FROM llm_calls WHERE tag IS NULL) + (SELECT count(*) FROM llm_calls WHERE tag IS NOT NULL) = (SELECT count(*) FROM llm_calls);
SELECT 'views agree with the ledger', abs((SELECT sum(cost_usd) FROM llm_cost_daily) - (SELECT sum(cost_nusd) / 1e9 FROM llm_calls)) < 1e-12
  AND (SELECT sum(calls) FROM llm_cost_by_model) = (SELECT count(*) FROM llm_calls WHERE kind = 'call')
  AND (SELECT sum(hits) FROM llm_cost_hourly) = (SELECT count(*) FROM llm_calls WHERE kind = 'hit_exact')
  AND (SELECT count(*) FROM llm_cost_by_tag) = 2 AND (SELECT count(*) FROM llm_cost_by_user) = 2;

CREATE TEMP VIEW my_costs AS SELECT tag, sum(cost_nusd) AS nusd FROM llm_calls GROUP BY tag;
SELECT 'a view of yours over the ledger', (SELECT sum(nusd) FROM my_costs) = (SELECT sum(cost_nusd) FROM llm_calls);

-- Settings.
SELECT 'a setting is read back', llm_config('retries', 1) = 1 AND llm_config('retries') = 1;
SELECT 'log_text hash keeps the text out', llm_config('log_text', 'hash') = 'hash' AND length(llm_complete('a secret matter')) > 0;
SELECT 'only its hash is there', (SELECT count(*) FROM llm_texts WHERE text = 'a secret matter') = 0
  AND (SELECT prompt_hash IS NOT NULL FROM llm_calls ORDER BY id DESC LIMIT 1);
SELECT 'log_text none', llm_config('log_text', 'none') = 'none' AND length(llm_complete('another matter')) > 0;
SELECT 'not even that', prompt_hash IS NULL FROM llm_calls ORDER BY id DESC LIMIT 1;
