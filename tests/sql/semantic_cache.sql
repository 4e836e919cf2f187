-- The semantic cache as a table of your own, as the manual shows it.

CREATE VIRTUAL TABLE faq USING semantic_cache(embedder='static', threshold=0.92, ttl='7d', max_entries=1000000, confirm='off');
INSERT INTO faq(system_prompt, query, response, tag) VALUES
  ('You are a clerk.', 'What is your return policy?', 'Within 30 days.', 'v1'),
  ('You are a clerk.', 'How do I reset my password?', 'With the link on the login page.', 'v1'),
  (NULL, 'How do I reset my password?', 'Ask support.', 'v2');

SELECT 'the same text is an exact match', match_kind = 'exact' AND similarity = 1.0 AND response = 'Within 30 days.'
FROM faq WHERE query MATCH 'What is your return policy?' AND system_prompt = 'You are a clerk.';
SELECT 'so is the same text in another form', match_kind = 'exact'
FROM faq WHERE query MATCH '  What is  your return policy? ' AND system_prompt = 'You are a clerk.';
SELECT 'a paraphrase is a semantic one', match_kind = 'semantic' AND similarity > 0.92 AND response LIKE 'With the link%'
FROM faq WHERE query MATCH 'how can I reset my password' AND system_prompt = 'You are a clerk.';
SELECT 'no system prompt is a partition too', response = 'Ask support.'
FROM faq WHERE query MATCH 'how can I reset my password';
SELECT 'IS NULL says the same', response = 'Ask support.'
FROM faq WHERE query MATCH 'how can I reset my password' AND system_prompt IS NULL;
SELECT '= NULL is never true', count(*) = 0
FROM faq WHERE query MATCH 'how can I reset my password' AND system_prompt = NULL;
SELECT 'nor is another prompt', count(*) = 0
FROM faq WHERE query MATCH 'How do I reset my password?' AND system_prompt = 'You are a pirate.';
SELECT 'something else is no match', count(*) = 0 FROM faq WHERE query MATCH 'How tall is Mont Blanc?';
SELECT 'verify 0 gives the nearest all the same', count(*) = 1 AND max(similarity) < 0.92
FROM faq WHERE query MATCH 'How tall is Mont Blanc?' AND verify = 0;
SELECT 'the threshold can be the query''s', count(*) = 0
FROM faq WHERE query MATCH 'how can I reset my password' AND threshold = 0.999;
SELECT 'a condition on tag or model is part of the search', count(*) = 0
FROM faq WHERE query MATCH 'How do I reset my password?' AND tag = 'v1';
SELECT 'k gives several, best first', count(*) = 2 AND max(similarity) = 1.0
FROM faq WHERE query MATCH 'How do I reset my password?' AND system_prompt = 'You are a clerk.' AND k = 5 AND verify = 0;
SELECT 'so does LIMIT, from SQLite 3.41 on', count(*) = iif(sqlite_version() < '3.41', 1, 2) FROM (SELECT * FROM faq
WHERE query MATCH 'How do I reset my password?' AND system_prompt = 'You are a clerk.' AND verify = 0 LIMIT 5);
SELECT 'NULL matches nothing', count(*) = 0 FROM faq WHERE query MATCH NULL;
SELECT 'a vector can be asked too', response = 'Ask support.'
FROM faq WHERE query MATCH embed('how can I reset my password');
SELECT 'and is the vector of the text', max(embedding = embed(query)) FROM faq;

-- It is a table.
SELECT 'it lists its rows', count(*) = 3 AND count(DISTINCT system_prompt) = 1 FROM faq;
SELECT 'with their expiry', min(expires_at - created_at) = 7 * 86400000 FROM faq;
SELECT 'hits are counted with the next write', sum(hits) = 0 FROM faq;
UPDATE faq SET response = 'Within 14 days.' WHERE query = 'What is your return policy?';
SELECT 'now', sum(hits) >= 5 AND max(last_hit_at) > 0 FROM faq;
SELECT 'UPDATE', response = 'Within 14 days.'
FROM faq WHERE query MATCH 'What is your return policy?' AND system_prompt = 'You are a clerk.';
UPDATE faq SET query = 'What do you charge for shipping?' WHERE query = 'What is your return policy?';
SELECT 'a new query has a new vector', max(embedding = embed(query)) AND count(*) = 3 FROM faq;
INSERT INTO faq(query, response) VALUES ('How do I reset my password?', 'Call us.');
SELECT 'the same question again replaces the answer', count(*) = 1 AND max(response) = 'Call us.'
FROM faq WHERE query = 'How do I reset my password?' AND system_prompt IS NULL;
INSERT INTO faq(query, response, model) VALUES ('How do I reset my password?', 'Bonjour.', 'mistral-small');
SELECT 'unless another model gave it', count(*) = 2 FROM faq WHERE query = 'How do I reset my password?' AND system_prompt IS NULL;
SELECT 'which can be asked for', response = 'Bonjour.'
FROM faq WHERE query MATCH 'How do I reset my password?' AND model = 'mistral-small';
DELETE FROM faq WHERE tag = 'v1';
SELECT 'DELETE by tag', count(*) = 2 FROM faq;
INSERT INTO faq(query, response) SELECT 'Question number ' || value, value FROM json_each('[1,2,3,4,5]');
SELECT 'import by INSERT … SELECT', count(*) = 7 FROM faq;
SELECT 'a join looks up row by row', count(*) = 5 AND min(f.response = j.value)
FROM json_each('[1,2,3,4,5]') j JOIN faq f ON f.query MATCH 'Question number ' || j.value;
SELECT 'an entry of words nobody knows has exact hits', count(*) = 0 FROM faq WHERE query MATCH '☃☃☃';
INSERT INTO faq(query, response) VALUES ('☃☃☃', 'snow');
SELECT 'like this one', response = 'snow' AND match_kind = 'exact' AND embedding IS NULL FROM faq WHERE query MATCH '☃☃☃';

-- The plan names the strategy.
CREATE TEMP TABLE plan AS SELECT 1 AS x;
SELECT 'scope keeps answers apart too', count(*) = 0 FROM faq WHERE query MATCH '☃☃☃' AND scope = 'ann';
INSERT INTO faq(query, response, scope) VALUES ('☃☃☃', 'neige', 'ann');
SELECT 'each its own', group_concat(response) = 'neige' FROM faq WHERE query MATCH '☃☃☃' AND scope = 'ann';

-- A copy keeps the scope; settings change in place.
SELECT 'columns in their order', group_concat(name) = 'system_prompt,query,response,model,tag,cost_nusd,created_at,expires_at,hits,last_hit_at,scope'
FROM pragma_table_info('faq');
CREATE VIRTUAL TABLE other USING semantic_cache(confirm='off');
INSERT INTO other SELECT * FROM faq;
SELECT 'a copy keeps users apart', group_concat(response) = 'neige' FROM other WHERE query MATCH '☃☃☃' AND scope = 'ann';
INSERT INTO other(other) VALUES ('threshold=1');
SELECT 'a threshold set in place', count(*) = 0 FROM other WHERE query MATCH 'how can I reset my password';
INSERT INTO other(other) VALUES ('threshold=default');
SELECT 'and taken back', count(*) = 1 FROM other WHERE query MATCH 'how can I reset my password';
DROP TABLE other;

-- What SQLite's own tools do with it.
ALTER TABLE faq RENAME TO questions;
SELECT 'renamed', response = 'snow' FROM questions WHERE query MATCH '☃☃☃';
INSERT INTO questions(questions) VALUES ('integrity-check');
INSERT INTO questions(questions) VALUES ('flush');
INSERT INTO questions(questions) VALUES ('rebuild');
SELECT 'rebuilt', response = 'snow' FROM questions WHERE query MATCH '☃☃☃';
INSERT INTO questions(questions, rowid, similarity) SELECT 'wrong', rowid, 0.97 FROM questions WHERE query = 'Question number 3';
SELECT 'what was reported wrong is not served to so distant a question', count(*) = 0
FROM questions WHERE query MATCH 'question number 3 please' AND threshold = 0.8 AND response = 3;
DROP TABLE questions;
SELECT 'dropped with all its shadow tables', count(*) = 0 FROM sqlite_schema WHERE name LIKE 'questions%' OR name LIKE 'faq%';

-- embed
SELECT 'embed is a unit vector of 256 float32', length(embed('hello')) = 1024 AND abs(embed_cosine(embed('hello'), embed('hello')) - 1) < 1e-6;
SELECT 'near for what means the same', embed_cosine(embed('reset my password'), embed('I forgot my password')) > 0.7
  AND embed_cosine(embed('reset my password'), embed('the weather in Oslo')) < 0.3;
SELECT 'accents, quotes and blanks do not matter', embed('café “x” y') = embed('cafe "x" y');
SELECT 'NULL gives NULL', embed(NULL) IS NULL;
