-- Gates, a kind at a time: an answer that passes, one that fails, hostile input, a limit.
-- A prompt tells the stand-in what to answer: "@say: …"; what gpt-4o alone answers: a line "@gpt-4o: …".

CREATE TEMP TABLE cases(name, gate, prompt, why, model DEFAULT 'gpt-4o-mini', more DEFAULT '{}'); -- why: part of the verdict; NULL: passes

INSERT INTO cases(name, gate, prompt, why) VALUES
('json: passes', '{"kind":"json"}', '@say: {"a":[1,2]}', NULL),
('json: so does what stands in a fence', '{"kind":"json"}', '@say: ```json {"a":1} ```', NULL),
('json: fails', '{"kind":"json"}', '@say: {"a":', 'not valid JSON'),
('json: fails where it is prose', '{"kind":"json"}', '@say: yes', 'not valid JSON'),
('json: a nest of 100,000', '{"kind":"json"}', '@say: ' || replace(hex(zeroblob(50000)), '00', '[['), 'json: '),
('json: a megabyte of quotes', '{"kind":"json"}', '@say: ' || replace(hex(zeroblob(500000)), '00', '"\'), 'json: '),

('schema: passes', '{"kind":"schema","schema":{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}}', '@say: {"n":1}', NULL),
('schema: fails', '{"kind":"schema","schema":{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}}', '@say: {"n":"1"}', 'schema: '),
('schema: fails where a member is missing', '{"kind":"schema","schema":{"type":"object","required":["n"]}}', '@say: {}', 'schema: '),
('schema: a nest of 100,000', '{"kind":"schema","schema":{"type":"array"}}', '@say: ' || replace(hex(zeroblob(50000)), '00', '[['), 'schema: '),
('schema: a pattern that never ends', '{"kind":"schema","schema":{"type":"string","pattern":"^(a+)+$"}}', '@say: "' || replace(hex(zeroblob(50)), '0', 'a') || '!"', 'schema: '),

('regex: passes', '{"kind":"regex","pattern":"^\\d+$"}', '@say: 42', NULL),
('regex: fails', '{"kind":"regex","pattern":"^\\d+$"}', '@say: forty', 'regex: '),
('regex: with "not" it must not be there', '{"kind":"regex","pattern":"SORRY","flags":"i","not":true}', '@say: I am sorry', 'regex: '),
('regex: and is not', '{"kind":"regex","pattern":"SORRY","flags":"i","not":true}', '@say: I am glad', NULL),
('regex: a pattern that never ends fails', '{"kind":"regex","pattern":"^(a+)+$"}', '@say: ' || replace(hex(zeroblob(50)), '0', 'a') || '!', 'regex: '),
('regex: and does not pass by "not"', '{"kind":"regex","pattern":"^(a+)+$","not":true}', '@say: ' || replace(hex(zeroblob(50)), '0', 'a') || '!', 'regex: '),
('regex: a megabyte', '{"kind":"regex","pattern":"b$"}', '@say: ' || replace(hex(zeroblob(1000000)), '00', 'a') || 'b', NULL),

('length: passes', '{"kind":"length","min":2,"max":3,"unit":"words"}', '@say: two words', NULL),
('length: fails below', '{"kind":"length","min":2,"unit":"words"}', '@say: one', 'length: '),
('length: fails above', '{"kind":"length","max":4}', '@say: five!', 'length: '),
('length: characters are not bytes', '{"kind":"length","max":4}', '@say: äöü€', NULL),
('length: bytes are', '{"kind":"length","max":4,"unit":"bytes"}', '@say: äöü€', 'length: '),
('length: sentences', '{"kind":"length","max":1,"unit":"sentences"}', '@say: One. Two.', 'length: '),
('length: a megabyte', '{"kind":"length","max":1000,"unit":"sentences"}', '@say: ' || replace(hex(zeroblob(500000)), '00', '. '), NULL),

('contains: passes', '{"kind":"contains","all":["order","ship"],"any":["soon","today"],"none":["sorry"]}', '@say: Your ORDER ships today.', NULL),
('contains: fails where one is missing', '{"kind":"contains","all":["order","ship"]}', '@say: Your order is lost.', 'ship'),
('contains: fails where none is there', '{"kind":"contains","any":["soon","today"]}', '@say: Never.', 'contains: '),
('contains: fails where one is that should not', '{"kind":"contains","none":["sorry"]}', '@say: Sorry.', 'sorry'),
('contains: with "case" ORDER is not order', '{"kind":"contains","all":["order"],"case":true}', '@say: ORDER', 'order'),
('contains: a megabyte', '{"kind":"contains","all":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"]}', '@say: ' || replace(hex(zeroblob(1000000)), '00', 'a'), 'contains: '),

('refusal: passes', '{"kind":"refusal"}', '@say: Your order ships today.', NULL),
('refusal: fails', '{"kind":"refusal"}', '@say: I''m sorry, but I can''t help with that.', 'refusal: '),
('refusal: fails in German', '{"kind":"refusal"}', '@say: Es tut mir leid, dabei kann ich nicht helfen.', 'refusal: '),
('refusal: a megabyte', '{"kind":"refusal"}', '@say: ' || replace(hex(zeroblob(300000)), '00', 'I can '), NULL),

('hedge: passes', '{"kind":"hedge"}', '@say: It is 12.', NULL),
('hedge: fails', '{"kind":"hedge"}', '@say: I''m not sure, but it might be 12.', 'hedge: '),
('hedge: with "max" some are allowed', '{"kind":"hedge","max":5}', '@say: I''m not sure, but it might be 12.', NULL),
('hedge: a megabyte', '{"kind":"hedge"}', '@say: ' || replace(hex(zeroblob(80000)), '00', 'I''m not sure '), 'hedge: '),

('grounded: passes', '{"kind":"grounded"}', 'They paid 120 and 30.' || char(10) || '@say: It was 120, then 30.', NULL),
('grounded: fails', '{"kind":"grounded"}', 'Can I send it back?', '30'),
('grounded: quotes alone', '{"kind":"grounded","numbers":false}', 'Can I send it back?', NULL),
('grounded: a megabyte of numbers', '{"kind":"grounded"}', '@say: ' || replace(hex(zeroblob(200000)), '00', '12.5 '), NULL),

('arithmetic: passes', '{"kind":"arithmetic"}', '@say: 12 + 30 = 42, and 3 × 14 = 42.', NULL),
('arithmetic: fails', '{"kind":"arithmetic"}', '@say: 12 + 30 = 43', 'arithmetic: '),
('arithmetic: where nothing is added, nothing is wrong', '{"kind":"arithmetic"}', '@say: It is 43.', NULL),
('arithmetic: a megabyte of signs', '{"kind":"arithmetic"}', '@say: ' || replace(hex(zeroblob(300000)), '00', '1+(') || '=2', NULL),
('arithmetic: numbers beyond all measure', '{"kind":"arithmetic"}', '@say: ' || replace(hex(zeroblob(500)), '0', '9') || ' * 9e999 / 0 = 1', NULL),

('logprob: passes', '{"kind":"logprob","min_mean":-0.5,"min_token":-0.9}', '@say: a bc def', NULL),
('logprob: fails by the mean', '{"kind":"logprob","min_mean":-0.5}', '@say: internationalization', 'mean log probability'),
('logprob: fails by a token', '{"kind":"logprob","min_token":-0.1}', '@say: a bc def', 'a token''s log probability'),

('agree: passes', '{"kind":"agree","model":"gpt-4o"}', '@gpt-4o: It is 12.' || char(10) || '@say: So 12', NULL),
('agree: fails', '{"kind":"agree","model":"gpt-4o"}', '@gpt-4o: It is 13.' || char(10) || '@say: So 12', 'agree: '),
('agree: as JSON, the order does not matter', '{"kind":"agree","model":"gpt-4o","compare":"json"}', '@gpt-4o: {"a":1,"b":2}' || char(10) || '@say: {"b":2,"a":1}', NULL),
('agree: nests of 100,000', '{"kind":"agree","model":"gpt-4o","compare":"json"}', '@say: ' || replace(hex(zeroblob(50000)), '00', '[['), 'agree: '),

('verifier: passes', '{"kind":"verifier","model":"gpt-4o"}', '@gpt-4o: {"score": 0.9}' || char(10) || '@say: 12', NULL),
('verifier: fails', '{"kind":"verifier","model":"gpt-4o"}', '@gpt-4o: {"score": 0.1}' || char(10) || '@say: 12', 'the verifier gives 0.10'),
('verifier: "min" says how much is enough', '{"kind":"verifier","model":"gpt-4o","min":0.95}', '@gpt-4o: {"score": 0.9}' || char(10) || '@say: 12', 'at least 0.95'),
('verifier: a reply that is no score', '{"kind":"verifier","model":"gpt-4o"}', '@gpt-4o: hm' || char(10) || '@say: 12', 'is no score'),
('verifier: no score is above 1', '{"kind":"verifier","model":"gpt-4o"}', '@gpt-4o: {"score": 11000}' || char(10) || '@say: 12', 'verifier: '),

('sql: passes', '{"kind":"sql","expr":"length(:answer) < 4 AND :prompt LIKE ''%12''"}', '@say: 12', NULL),
('sql: fails', '{"kind":"sql","expr":":answer > ''2''"}', '@say: 12', 'not true'),
('sql: NULL is not true', '{"kind":"sql","expr":"NULL"}', '@say: 12', 'not true'),
('sql: what never ends is stopped', '{"kind":"sql","expr":"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)"}', '@say: 12', 'sql: '),
('sql: what asks for all memory is stopped', '{"kind":"sql","expr":"(WITH RECURSIVE n(s) AS (SELECT :answer UNION ALL SELECT s || s FROM n) SELECT max(length(s)) FROM n)"}', '@say: 12', 'sql: '),

('several: all pass', '[{"kind":"length","max":5},{"kind":"regex","pattern":"1"},{"kind":"hedge"}]', '@say: 12', NULL),
('several: the first that fails is named', '[{"kind":"length","max":5},{"kind":"regex","pattern":"x"},{"kind":"json"},{"kind":"contains","all":["y"]}]', '@say: 12', '(regex: '),
('sixteen are the most', '[' || (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16) SELECT group_concat('{"kind":"hedge"}') FROM n) || ']', '@say: 12', NULL);

INSERT INTO cases VALUES
('schema: without its own that of the call', '{"kind":"schema"}', '@say: {"n":1}', NULL, 'gpt-4o-mini', '{"schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}'),
('grounded: the system text counts', '{"kind":"grounded"}', 'Can I send it back?', NULL, 'gpt-4o-mini', '{"system":"Returns: 30 days.","stop":[" (ref"]}');

-- A NUL, and what is no UTF-8, in the middle of an answer: each gate says one thing or the other.
INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)
  SELECT name || s.column1, provider, api, base_url, key_env, context_window, max_output, supports
FROM llm_models, (VALUES ('@nul'), ('@bad-utf8')) s WHERE name = 'gpt-4o-mini';
INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o-mini@*', 'input', 0.15), ('gpt-4o-mini@*', 'output', 0.6);
INSERT INTO cases(name, gate, prompt, why, model)
SELECT k.column1 || ': ' || s.column2, k.column2, '@say: I''m not sure that 1 + 1 = 2', nullif(k.column3, ''), 'gpt-4o-mini@' || s.column1
FROM (VALUES ('json', '{"kind":"json"}', 'json: '), ('schema', '{"kind":"schema","schema":{"type":"object"}}', 'schema: '),
             ('regex', '{"kind":"regex","pattern":"2$"}', ''), ('length', '{"kind":"length","min":20}', ''),
             ('contains', '{"kind":"contains","all":["= 2"]}', ''), ('refusal', '{"kind":"refusal"}', ''),
             ('hedge', '{"kind":"hedge"}', 'hedge: '), ('grounded', '{"kind":"grounded"}', ''), ('arithmetic', '{"kind":"arithmetic"}', ''),
             ('logprob', '{"kind":"logprob","min_mean":-9}', ''), ('agree', '{"kind":"agree","model":"gpt-4o"}', ''),
             ('verifier', '{"kind":"verifier","model":"gpt-4o"}', 'verifier: '), ('sql', '{"kind":"sql","expr":":answer LIKE ''%= 2''"}', '')) k,
     (VALUES ('nul', 'a NUL'), ('bad-utf8', 'what is no UTF-8')) s;

CREATE TEMP TABLE got AS
SELECT name, why, llm_complete(prompt, json_patch(json_object('gate', json(gate), 'model', model, 'on_error', 'json'), more)) AS said FROM cases;
SELECT name, CASE WHEN why IS NULL THEN said ->> '$.error' IS NULL AND said ->> '$.value' IS NOT NULL
                  ELSE said ->> '$.error.code' = 'gate' AND instr(said ->> '$.error.message', why) > 0 AND said ->> '$.value' IS NOT NULL END
FROM got;

-- What is wrong with a gate is said before anything is sent.
CREATE TEMP TABLE before AS SELECT count(*) AS n FROM llm_calls;

-- error: 'json: an unknown member' unknown member of gate json 'strict'
SELECT llm_complete('x', '{"gate":{"kind":"json","strict":true}}');
-- error: 'schema: not an object' a JSON Schema, an object
SELECT llm_complete('x', '{"gate":{"kind":"schema","schema":[1]}}');
-- error: 'schema: a nest of 30,000' nested 30003 deep
SELECT llm_complete('x', '{"gate":{"kind":"schema","schema":' || replace(hex(zeroblob(30000)), '00', '{"not":') || '{}' || replace(hex(zeroblob(30000)), '00', '}') || '}}');
-- error: 'regex: no pattern' gate 'regex': expected
SELECT llm_complete('x', '{"gate":{"kind":"regex"}}');
-- error: 'regex: a pattern that is none' gate 'regex': missing closing parenthesis
SELECT llm_complete('x', '{"gate":{"kind":"regex","pattern":"("}}');
-- error: 'regex: a flag that is none' gate 'regex':
SELECT llm_complete('x', '{"gate":{"kind":"regex","pattern":"a","flags":"q"}}');
-- error: 'regex: a nest of 100,000' gate 'regex':
SELECT llm_complete('x', json_object('gate', json_object('kind', 'regex', 'pattern', replace(hex(zeroblob(50000)), '0', '(') || replace(hex(zeroblob(50000)), '0', ')'))));
-- error: 'regex: code in a pattern' gate 'regex':
SELECT llm_complete('x', '{"gate":{"kind":"regex","pattern":"(?C1)\\C"}}');
-- error: 'length: neither min nor max' expected 'min', 'max' or both
SELECT llm_complete('x', '{"gate":{"kind":"length"}}');
-- error: 'length: min above max' expected 'min' to be at most 'max'
SELECT llm_complete('x', '{"gate":{"kind":"length","min":3,"max":2}}');
-- error: 'length: a unit that is none' unit
SELECT llm_complete('x', '{"gate":{"kind":"length","min":3,"unit":"lines"}}');
-- error: 'length: more than there can be' max
SELECT llm_complete('x', '{"gate":{"kind":"length","max":1e12}}');
-- error: 'contains: no list' expected 'all', 'any' or 'none'
SELECT llm_complete('x', '{"gate":{"kind":"contains"}}');
-- error: 'contains: an empty text' a list of 1 to 100 texts that are not empty
SELECT llm_complete('x', '{"gate":{"kind":"contains","all":[""]}}');
-- error: 'contains: 101 texts' a list of 1 to 100 texts that are not empty
SELECT llm_complete('x', json_object('gate', json_object('kind', 'contains', 'all', (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 101) SELECT json_group_array('t' || i) FROM n))));
-- error: 'refusal: has no members' unknown member of gate refusal
SELECT llm_complete('x', '{"gate":{"kind":"refusal","max":1}}');
-- error: 'hedge: fewer than none' max
SELECT llm_complete('x', '{"gate":{"kind":"hedge","max":-1}}');
-- error: 'grounded: words that are no number' words
SELECT llm_complete('x', '{"gate":{"kind":"grounded","words":"many"}}');
-- error: 'arithmetic: has no members' unknown member of gate arithmetic
SELECT llm_complete('x', '{"gate":{"kind":"arithmetic","digits":2}}');
-- error: 'logprob: no limit' expected 'min_mean' or 'min_token'
SELECT llm_complete('x', '{"gate":{"kind":"logprob"}}');
-- error: 'logprob: a logarithm above 0' min_mean
SELECT llm_complete('x', '{"gate":{"kind":"logprob","min_mean":0.5}}');
-- error: 'logprob: a provider that tells none' the Anthropic API has none
SELECT llm_complete('x', '{"model":"claude-haiku-4-5","gate":{"kind":"logprob","min_mean":-5}}');
-- error: 'agree: a comparison that is none' compare
SELECT llm_complete('x', '{"gate":{"kind":"agree","compare":"vibes"}}');
-- error: 'agree: more than all' min
SELECT llm_complete('x', '{"gate":{"kind":"agree","min":2}}');
-- error: 'verifier: an unknown member' unknown member of gate verifier
SELECT llm_complete('x', '{"gate":{"kind":"verifier","ask":"?"}}');
-- error: 'sql: no expression' expected 'expr'
SELECT llm_complete('x', '{"gate":{"kind":"sql"}}');
-- error: 'sql: no syntax' gate 'sql':
SELECT llm_complete('x', '{"gate":{"kind":"sql","expr":"length("}}');
-- error: 'sql: a table' gate 'sql':
SELECT llm_complete('x', '{"gate":{"kind":"sql","expr":"(SELECT count(*) FROM llm_calls)"}}');
-- error: 'sql: two statements' gate 'sql':
SELECT llm_complete('x', '{"gate":{"kind":"sql","expr":"1; DROP TABLE t"}}');
-- error: 'sql: a file' gate 'sql':
SELECT llm_complete('x', '{"gate":{"kind":"sql","expr":"load_extension(''x'')"}}');
-- error: 'sql: a nest of 100,000' gate 'sql':
SELECT llm_complete('x', json_object('gate', json_object('kind', 'sql', 'expr', replace(hex(zeroblob(50000)), '0', '(') || '1' || replace(hex(zeroblob(50000)), '0', ')'))));
-- error: 'a kind that is none' unknown kind of gate 'taste' (valid: json, schema, regex
SELECT llm_complete('x', '{"gate":{"kind":"taste"}}');
-- error: 'no kind' an object needs a 'kind'
SELECT llm_complete('x', '{"gate":{"max":3}}');
-- error: 'a name that is none' no gate 'polite' in llm_gates
SELECT llm_complete('x', '{"gate":"polite"}');
-- error: 'a number' gate
SELECT llm_complete('x', '{"gate":7}');
-- error: 'seventeen' at most 16 gates
SELECT llm_complete('x', json_object('gate', (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 17) SELECT json_group_array(json('{"kind":"hedge"}')) FROM n)));
INSERT INTO llm_gates VALUES ('polite', 'regex', '{"pattern":"please"}'), ('broken', 'regex', '{"pattern":'), ('theirs', 'sql', '{"expr":"1"}');
-- error: 'a row that is an SQL expression' not taken from a table
SELECT llm_complete('x', '{"gate":"theirs"}');
-- error: 'a row whose spec is no JSON' gate 'broken':
SELECT llm_complete('x', '{"gate":"broken"}');

SELECT 'and nothing was sent', count(*) = (SELECT n FROM before) FROM llm_calls;
SELECT 'a row acts where it is named', llm_complete('@say: hm', '{"gate":"polite","on_error":"json"}') ->> '$.error.message' LIKE '%(polite: %';
SELECT 'and nowhere else', llm_complete('@say: hm') = 'hm';
SELECT 'what did not pass is paid and not kept', cost_nusd > 0 AND error LIKE 'gate: polite%' AND gate ->> '$.gates[0].kind' = 'regex'
  AND NOT EXISTS (SELECT 1 FROM llm_answers a WHERE a.call_id = c.id)
FROM llm_calls c WHERE error LIKE 'gate: polite%';
