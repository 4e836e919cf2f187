-- Full-text and other virtual tables of an application, its configuration, and stores in every place.

--- fts5 over tables of the application's own, kept by triggers
CREATE TABLE docs(id INTEGER PRIMARY KEY, title TEXT, body TEXT);
CREATE VIRTUAL TABLE docs_ft USING fts5(title, body, content='docs', content_rowid='id');
CREATE TRIGGER docs_ai AFTER INSERT ON docs BEGIN INSERT INTO docs_ft(rowid, title, body) VALUES (new.id, new.title, new.body); END;
CREATE TRIGGER docs_ad AFTER DELETE ON docs BEGIN INSERT INTO docs_ft(docs_ft, rowid, title, body) VALUES ('delete', old.id, old.title, old.body); END;
INSERT INTO docs(title, body) VALUES ('one', llm_complete('write a document'));
INSERT INTO docs(title, body) VALUES ('two', 'about parcels');
SELECT title FROM docs_ft('parcels');
-- gives: two
DELETE FROM docs WHERE title = 'two';
SELECT count(*) FROM docs_ft('parcels');
-- gives: 0

--- fts5 with a column called embed: a module may read its arguments as it likes, so the error says to rename it
CREATE VIRTUAL TABLE ft USING fts5(body, embed);
INSERT INTO ft VALUES ('hello', 'world');
SELECT length(embed('x', 'evil'));
-- error: make it anew without that name

--- fts5 over archived answers
CREATE TABLE answers(q TEXT, a TEXT);
CREATE VIRTUAL TABLE answers_ft USING fts5(q, a, content=answers);
INSERT INTO answers SELECT 'x', llm_complete('x');
INSERT INTO answers_ft(answers_ft) VALUES ('rebuild');
SELECT count(*) FROM answers_ft('message');
-- gives: 1

--- fts5 over llm_texts in the file: the error says the cure; as TEMP it works
CREATE VIRTUAL TABLE ft USING fts5(text, content='llm_texts', content_rowid='rowid');
SELECT length(llm_complete('find me again')) > 5;
-- gives: 1
SELECT * FROM ft('find');
INSERT INTO ft(ft) VALUES ('rebuild');
-- error: SQL logic error|no such table
SELECT count(*) FROM llm_texts;
-- error: DROP table "main"."ft"
DROP table "main"."ft";
CREATE VIRTUAL TABLE temp.ft USING fts5(text, content='', content_rowid='rowid');
INSERT INTO ft(rowid, text) SELECT rowid, text FROM llm_texts;
SELECT count(*) FROM ft('again');
-- gives: 1

--- rtree, json_each and a recursive view
CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +note TEXT);
INSERT INTO r VALUES (1, 0, 1, 'llm_complete is no part of the schema');
CREATE VIEW n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n;
SELECT count(*) FROM r, n, json_each('[1,2]');
-- gives: 6
SELECT length(llm_complete(note)) > 5 FROM r;
-- gives: 1

--- a semantic_cache of the application, with a trigger that fills it
CREATE VIRTUAL TABLE faq USING semantic_cache(embedder='static', threshold=0.9);
CREATE TABLE answers(q TEXT, a TEXT);
CREATE TRIGGER tr AFTER INSERT ON answers BEGIN INSERT INTO faq(query, response) VALUES (new.q, new.a); END;
CREATE VIEW found AS SELECT response FROM faq WHERE query MATCH 'how can I reset my password';
INSERT INTO answers VALUES ('How do I reset my password?', 'Like this.');
SELECT response FROM found;
-- gives: Like this.
SELECT length(llm_complete('x')) > 5;
-- gives: 1

--- a semantic_cache whose embedder is a model of the application
CREATE VIRTUAL TABLE faq USING semantic_cache(embedder='evil');
INSERT INTO faq(query, response) VALUES ('How do I reset my password?', 'Like this.');
SELECT response FROM faq WHERE query MATCH 'How do I reset my password?';
-- gives: Like this.
SELECT count(*) FROM llm_calls WHERE kind = 'embed';
-- gives: 1

--- the tables of llm_init with rows of the user
-- models: none
SELECT llm_init();
UPDATE llm_models SET base_url = 'URL/v1';
INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('llama3.2', 'input', 0.3), ('*', 'factor', 0.5);
CREATE INDEX by_provider ON llm_models(provider);
CREATE VIEW mine AS SELECT name FROM llm_models WHERE key_env IS NULL;
CREATE TRIGGER tr AFTER UPDATE ON llm_models BEGIN SELECT 1; END;
SELECT llm_price('llama3.2', 'input') > 0;
-- gives: 1
SELECT length(llm_complete('x')) > 5;
-- gives: 1
SELECT llm_init();
-- gives: up to date

--- the store in main, and tables of one's own beside it
-- store: main
CREATE TABLE docs(id INTEGER PRIMARY KEY, call_id INTEGER);
SELECT length(llm_complete('x')) > 5;
-- gives: 1
INSERT INTO docs SELECT 1, id FROM llm_calls;
CREATE VIEW spent AS SELECT sum(cost_nusd) AS n, count(*) AS k FROM llm_calls;
SELECT k FROM spent;
-- gives: 1
SELECT length(llm_complete('x')) > 5;
-- gives: 1
SELECT count(*) FROM llm_calls JOIN docs ON call_id <> llm_calls.id;
-- gives: 1

--- the store in main in transactions and savepoints
-- store: main
BEGIN;
SELECT length(llm_complete('x')) > 5;
-- gives: 1
SAVEPOINT s;
CREATE TABLE t(x);
SELECT length(llm_complete('y')) > 5;
-- gives: 1
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM llm_calls WHERE kind = 'call';
-- gives: 1
SELECT length(llm_complete('z')) > 5;
-- gives: 1

--- the store opened as a database: its reports are there
-- store: beside
-- file: desk.db
-- models: none
SELECT llm_init();
UPDATE llm_models SET base_url = 'URL/v1';
SELECT length(llm_complete('x')) > 5;
-- gives: 1
ATTACH 'desk.db-llmcost' AS s;
SELECT calls FROM s.llm_cost_by_model;
-- gives: 1
SELECT count(*) FROM s.llm_texts;
-- gives: 1
SELECT length(llm_complete('y')) > 5;
-- gives: 1

--- an attached database of the application
CREATE TABLE docs(t TEXT);
ATTACH 'other.db' AS o;
CREATE TABLE o.docs(t TEXT, n INTEGER AS (llm_tokens(t)));
CREATE VIEW o.v AS SELECT t FROM docs;
INSERT INTO o.docs(t) SELECT llm_complete('x');
SELECT n > 1 FROM o.docs;
-- gives: 1
DETACH o;
ATTACH ':memory:' AS o;
CREATE TABLE o.docs(t TEXT);
SELECT length(llm_complete('y')) > 5;
-- gives: 1

--- a store that came along is refused until it is trusted
-- store: main
CREATE TABLE llm_calls(id INTEGER);
SELECT llm_complete('x');
-- error: SELECT llm_trust_store()
DROP TABLE llm_calls;
SELECT length(llm_complete('x')) > 5;
-- gives: 1

--- a table of the application called like an inner table of semantic_cache
CREATE TABLE faq_rows(x);
CREATE VIRTUAL TABLE cache USING semantic_cache;
INSERT INTO cache(query, response) VALUES ('a b c', 1);
SELECT length(llm_complete('x')) > 5;
-- gives: 1

--- schema changes between calls
CREATE TABLE a(x);
SELECT length(llm_complete('x')) > 5;
-- gives: 1
ALTER TABLE a ADD COLUMN y TEXT DEFAULT 'llm_chat';
ALTER TABLE a RENAME TO b;
CREATE INDEX i ON b(y);
ANALYZE;
SELECT length(llm_complete('y')) > 5;
-- gives: 1
VACUUM;
REINDEX;
DROP TABLE b;
SELECT length(llm_complete('z')) > 5;
-- gives: 1
PRAGMA integrity_check;
-- gives: ok
