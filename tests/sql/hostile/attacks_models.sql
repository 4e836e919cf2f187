-- What llm_models may say: where to, and with which key. Here the victim asks himself. See tests/live/hostile.py.

--- the attacker's address with a key
-- allowed: nothing
-- says: which is not allowed: nothing was sent
CREATE TABLE x(a);
-- victim
SELECT llm_complete('private');
SELECT llm_complete('private', '{"model":"claude"}');
SELECT embed('private', 'evil');
SELECT * FROM llm_call('private');
SELECT * FROM embed_batch('["private"]', 'evil');

--- an allowed host and a key that was not allowed with it
-- allowed: HOST
-- says: is not a key of host
CREATE TABLE x(a);
-- victim
SELECT llm_complete('private');
SELECT llm_complete('private', '{"model":"claude"}');
SELECT embed('private', 'evil');

--- another variable of the environment
-- says: AWS_SECRET_ACCESS_KEY is not a key of host
UPDATE llm_models SET key_env = 'AWS_SECRET_ACCESS_KEY';
-- victim
SELECT llm_complete('private');

--- other spellings of a variable
INSERT INTO llm_models SELECT 'a', provider, api, base_url, 'openai_api_key', 1, 1, '{}' FROM llm_models LIMIT 1;
INSERT INTO llm_models SELECT 'b', provider, api, base_url, ' OPENAI_API_KEY', 1, 1, '{}' FROM llm_models LIMIT 1;
INSERT INTO llm_models SELECT 'c', provider, api, base_url, 'OPENAI_API_KEY=', 1, 1, '{}' FROM llm_models LIMIT 1;
INSERT INTO llm_models SELECT 'd', provider, api, base_url, 'LLMCOST_ALLOW_HOSTS', 1, 1, '{}' FROM llm_models LIMIT 1;
INSERT INTO llm_models SELECT 'e', provider, api, base_url, 'AWS_SECRET_ACCESS_KEY' || char(0) || 'OPENAI_API_KEY', 1, 1, '{}' FROM llm_models LIMIT 1;
INSERT INTO llm_models SELECT 'f', provider, api, base_url, x'4157535f5345435245545f4143434553535f4b4559', 1, 1, '{}' FROM llm_models LIMIT 1;
INSERT INTO llm_models SELECT 'g', provider, api, base_url, 'PATH', 1, 1, '{}' FROM llm_models LIMIT 1;
INSERT INTO llm_models SELECT 'h', provider, api, base_url, 'OPENAI_API_KEY,AWS_SECRET_ACCESS_KEY', 1, 1, '{}' FROM llm_models LIMIT 1;
-- victim
SELECT llm_complete('x', '{"model":"a"}');
SELECT llm_complete('x', '{"model":"b"}');
SELECT llm_complete('x', '{"model":"c"}');
SELECT llm_complete('x', '{"model":"d"}');
SELECT llm_complete('x', '{"model":"e"}');
SELECT llm_complete('x', '{"model":"f"}');
SELECT llm_complete('x', '{"model":"g"}');
SELECT llm_complete('x', '{"model":"h"}');

--- a key in a header of the row's own
-- allowed: HOST
-- says: OPENAI_API_KEY is not a key of host
ALTER TABLE llm_models ADD COLUMN auth TEXT;
ALTER TABLE llm_models ADD COLUMN headers TEXT;
UPDATE llm_models SET auth = 'none', headers = '{"X":{"env":"OPENAI_API_KEY"}}';
-- victim
SELECT llm_complete('private');
SELECT embed('private', 'evil');
SELECT llm_complete('private', '{"model":"claude"}');

--- another variable of the environment in a header
-- says: AWS_SECRET_ACCESS_KEY is not a key of host
ALTER TABLE llm_models ADD COLUMN auth TEXT;
ALTER TABLE llm_models ADD COLUMN headers TEXT;
UPDATE llm_models SET headers = '{"X":{"env":"AWS_SECRET_ACCESS_KEY"}}';
INSERT INTO llm_models(name, provider, api, base_url, auth, headers)
  SELECT 'm' || key, 'x', 'openai', 'URL/v1', 'none', value FROM json_each(json_array(
    '{"X":{"env":"HOME"}}', '{"X":{"env":"PATH"}}', '{"X":{"env":" OPENAI_API_KEY"}}', '{"X":{"env":"OPENAI_API_KEY=x"}}',
    '{"X":{"env":"openai_api_key"}}', '{"X":{"env":["OPENAI_API_KEY"]}}', '{"X":{"env":"OPENAI_API_KEY\u0000"}}',
    '{"X":{"env":"ANTHROPIC_API_KEY","env":"AWS_SECRET_ACCESS_KEY"}}', '{"X":{"env":""}}'));
-- victim
SELECT llm_complete('private');
SELECT llm_complete('x', '{"model":"m0"}');
SELECT llm_complete('x', '{"model":"m1"}');
SELECT llm_complete('x', '{"model":"m2"}');
SELECT llm_complete('x', '{"model":"m3"}');
SELECT llm_complete('x', '{"model":"m4"}');
SELECT llm_complete('x', '{"model":"m5"}');
SELECT llm_complete('x', '{"model":"m6"}');
SELECT llm_complete('x', '{"model":"m7"}');
SELECT llm_complete('x', '{"model":"m8"}');

--- headers that are more than one, or another's
-- says: holds a line break
ALTER TABLE llm_models ADD COLUMN auth TEXT;
ALTER TABLE llm_models ADD COLUMN headers TEXT;
UPDATE llm_models SET headers = '{"X":"1\r\nHost: api.openai.com\r\n\r\nGET / HTTP/1.1"}';
INSERT INTO llm_models(name, provider, api, base_url, key_env, headers)
  SELECT 'm' || key, 'x', 'openai', 'URL/v1', 'OPENAI_API_KEY', value FROM json_each(json_array(
    '{"X: 1\r\nHost":"api.openai.com"}', '{"Host":"api.openai.com"}', '{"hOST":"api.openai.com"}', '{"Content-Length":"0"}',
    '{"Transfer-Encoding":"chunked"}', '{"Authorization":"Bearer x"}', '{"Proxy-Authorization":"x"}', '{"":"x"}', '[]', '{'));
INSERT INTO llm_models(name, provider, api, base_url, key_env, headers)
  SELECT 'long', 'x', 'openai', 'URL/v1', 'OPENAI_API_KEY', json_object('X', hex(zeroblob(2000000)));
INSERT INTO llm_models(name, provider, api, base_url, key_env, headers)
  SELECT 'deep', 'x', 'openai', 'URL/v1', 'OPENAI_API_KEY', replace(hex(zeroblob(50000)), '00', '{"a":');
-- victim
SELECT llm_complete('private');
SELECT llm_complete('x', '{"model":"m0"}');
SELECT llm_complete('x', '{"model":"m1"}');
SELECT llm_complete('x', '{"model":"m2"}');
SELECT llm_complete('x', '{"model":"m3"}');
SELECT llm_complete('x', '{"model":"m4"}');
SELECT llm_complete('x', '{"model":"m5"}');
SELECT llm_complete('x', '{"model":"m6"}');
SELECT llm_complete('x', '{"model":"m7"}');
SELECT llm_complete('x', '{"model":"m8"}');
SELECT llm_complete('x', '{"model":"m9"}');
SELECT llm_complete('x', '{"model":"long"}');
SELECT llm_complete('x', '{"model":"deep"}');

--- a built-in host with another provider's key
-- says: ANTHROPIC_API_KEY is not a key of host 'api.openai.com'
UPDATE llm_models SET base_url = 'https://api.openai.com/v1', key_env = 'ANTHROPIC_API_KEY';
-- victim
SELECT llm_complete('private');

--- addresses that look like another
-- allowed: nothing
DELETE FROM llm_models;
INSERT INTO llm_models SELECT 'm' || key, 'openai', 'openai', value, 'OPENAI_API_KEY', 1, 1, '{"embeddings":true}' FROM json_each(json_array(
  'https://api.openai.com@HOST/v1', 'URL/v1#api.openai.com', 'http://api.openai.com@HOST', 'http://HOST\@api.openai.com/v1',
  'HTTP://HOST/v1', 'http:HOST/v1', 'http:///HOST/v1', '//HOST/v1', ' URL/v1', 'http://[::1]:1/v1', 'http://[::ffff:127.0.0.1]:1/v1',
  'http://localhost:1/v1', 'http://127.1:1/v1', 'http://0x7f000001:1/v1', 'http://2130706433:1/v1', 'http://0177.0.0.1:1/v1',
  'https://api.openai.com.evil.example/v1', 'https://api.openai.com./v1', 'https://api.openai.com%2f@HOST/v1',
  'https://api.openai.com' || char(13, 10) || 'Host: HOST', 'file:///etc/passwd', 'gopher://HOST/v1', 'https://аpi.openai.com/v1', ''));
-- victim
SELECT llm_complete('x', '{"model":"m0"}');
SELECT llm_complete('x', '{"model":"m1"}');
SELECT llm_complete('x', '{"model":"m2"}');
SELECT llm_complete('x', '{"model":"m3"}');
SELECT llm_complete('x', '{"model":"m4"}');
SELECT llm_complete('x', '{"model":"m5"}');
SELECT llm_complete('x', '{"model":"m6"}');
SELECT llm_complete('x', '{"model":"m7"}');
SELECT llm_complete('x', '{"model":"m8"}');
SELECT llm_complete('x', '{"model":"m9"}');
SELECT llm_complete('x', '{"model":"m10"}');
SELECT llm_complete('x', '{"model":"m11"}');
SELECT llm_complete('x', '{"model":"m12"}');
SELECT llm_complete('x', '{"model":"m13"}');
SELECT llm_complete('x', '{"model":"m14"}');
SELECT llm_complete('x', '{"model":"m15"}');
SELECT llm_complete('x', '{"model":"m16"}');
SELECT llm_complete('x', '{"model":"m17"}');
SELECT llm_complete('x', '{"model":"m18"}');
SELECT llm_complete('x', '{"model":"m19"}');
SELECT llm_complete('x', '{"model":"m20"}');
SELECT llm_complete('x', '{"model":"m21"}');
SELECT llm_complete('x', '{"model":"m22"}');
SELECT llm_complete('x', '{"model":"m23"}');

--- names and providers with line breaks and formats
-- allowed: nothing
UPDATE llm_models SET name = '%n%s' || char(13, 10) || 'X-Evil: 1', provider = '%s%n', api = 'openai' WHERE name = 'claude';
UPDATE llm_tiers SET model = '%n%s' || char(13, 10) || 'X-Evil: 1';
-- victim
SELECT llm_complete('private');
SELECT llm_complete('private', '{"on_error":"json"}');

--- prices that are a program
CREATE VIEW llm_prices AS SELECT 'gpt-4o' AS model, 'input' AS kind, llm_complete('x') AS usd_per_million, NULL AS valid_from, NULL AS valid_to, 0 AS above_tokens;
-- victim
SELECT llm_cost('gpt-4o', 1, 1);
SELECT llm_price('gpt-4o', 'input');
SELECT llm_complete('private');

--- a million tiers and no end of models
-- allowed: nothing
INSERT INTO llm_tiers WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT 'x' || i, -9e999, 'nobody' || i, -i FROM n;
INSERT INTO llm_models SELECT model, name, rank, max_score, NULL, 9e999, -9e999, zeroblob(9) FROM llm_tiers WHERE rank < 0;
-- victim
SELECT llm_complete('private');
SELECT llm_complete('private', '{"model":"nobody7"}');

--- an embedding model that says its vectors have no end
-- allowed: nothing
UPDATE llm_models SET supports = '{"embeddings":true,"dimensions":999999999999}' WHERE name = 'evil';
INSERT INTO llm_models SELECT 'deep', provider, api, base_url, key_env, 1, 1, replace(hex(zeroblob(50000)), '00', '[') FROM llm_models WHERE name = 'evil';
-- victim
SELECT embed('private', 'evil');
SELECT embed('private', 'deep');
SELECT llm_tokens('private', 'deep');
CREATE VIRTUAL TABLE c USING semantic_cache(embedder='evil');
CREATE VIRTUAL TABLE d USING semantic_cache(embedder='deep');
