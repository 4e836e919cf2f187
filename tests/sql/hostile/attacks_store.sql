-- Stores that lie beside a file, and files that bring a store's tables along. See tests/live/hostile.py.

--- a store with an answer to the victim's question
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: was not made by this installation|attempt to write|not as llmcost makes it
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
-- victim
SELECT llm_complete('Is this contract safe to sign?');
SELECT * FROM llm_calls;
SELECT * FROM llm_answers;
SELECT llm_tokens('x', 'claude');

--- a store with marks of its maker and invented ones
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: was not made by this installation
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
INSERT INTO llm_marks VALUES ('', ''), ('0', ''), (hex(zeroblob(16)), hex(zeroblob(32)));
UPDATE llm_meta SET value = '' WHERE name = 'id';
-- victim
SELECT llm_complete('Is this contract safe to sign?');
SELECT * FROM llm_calls;

--- a store without an id
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: was not made by this installation
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
DELETE FROM llm_meta WHERE name = 'id';
-- victim
SELECT llm_complete('Is this contract safe to sign?');

--- a store whose sqlite_master has an index that says it is empty
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
CREATE TABLE d(type text, name text, tbl_name text, rootpage int, sql text);
CREATE INDEX i ON d(rootpage);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET tbl_name = 'sqlite_master', sql = 'CREATE INDEX i ON sqlite_master(rootpage)' WHERE name = 'i';
-- victim
SELECT llm_complete('Is this contract safe to sign?');

--- a store with a trigger
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: is not as llmcost makes it
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
CREATE TRIGGER tr AFTER INSERT ON llm_calls BEGIN UPDATE llm_answers SET answer = 'PLANTED'; END;
-- victim
SELECT llm_complete('Is this contract safe to sign?');
SELECT llm_complete('another');

--- a store with an endless trigger, hidden by an index on sqlite_master
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- unsaid: PLANTED
-- store
CREATE TABLE d(type text, name text, tbl_name text, rootpage int, sql text);
CREATE INDEX i ON d(sql) WHERE sql IS NOT NULL;
CREATE TRIGGER tr AFTER INSERT ON llm_calls BEGIN UPDATE llm_answers SET answer = 'PLANTED'; END;
UPDATE llm_answers SET answer = 'PLANTED';
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET tbl_name = 'sqlite_master', sql = 'CREATE INDEX i ON sqlite_master(sql) WHERE sql IS NOT NULL' WHERE name = 'i';
-- victim
SELECT llm_complete('Is this contract safe to sign?');

--- a store where a view stands for a table
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: is not as llmcost makes it
-- unsaid: PLANTED
-- store
DROP TABLE llm_answers;
CREATE VIEW llm_answers AS SELECT 'x' AS key, 'x' AS key_rest, 'PLANTED' AS answer;
-- victim
SELECT llm_complete('Is this contract safe to sign?');
SELECT * FROM llm_answers;

--- a store with a generated column and an index over an expression
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: is not as llmcost makes it
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
ALTER TABLE llm_texts ADD COLUMN g AS ('x');
CREATE INDEX gi ON llm_calls(abs(id));
-- victim
SELECT llm_complete('Is this contract safe to sign?');

--- a store that says an older version made it
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: was not made by this installation
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
DROP TABLE llm_marks;
UPDATE llm_meta SET value = 3 WHERE name = 'schema_version';
PRAGMA user_version = 3;
-- victim
SELECT llm_complete('Is this contract safe to sign?');
SELECT * FROM llm_answers;

--- a store that says version 1, 0, nothing, or a million
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
UPDATE llm_meta SET value = -1 WHERE name = 'schema_version';
PRAGMA user_version = 1000000;
-- victim
SELECT llm_complete('Is this contract safe to sign?');

--- a store that is another program's
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- says: is another program's database
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = 'PLANTED';
PRAGMA application_id = 0;
-- victim
SELECT llm_complete('Is this contract safe to sign?');

--- an answer that is a BLOB, one that is nothing, one that ends never
-- store: beside
SELECT llm_complete('Is this contract safe to sign?');
-- unsaid: PLANTED
-- store
UPDATE llm_answers SET answer = x'00ff', expires_at = 9e999, cost_nusd = 'PLANTED', key_rest = zeroblob(3);
-- victim
SELECT llm_complete('Is this contract safe to sign?');
SELECT * FROM llm_answers;

--- the tables of a store in the file itself, with LLMCOST_STORE=main
-- store: main
CREATE TABLE llm_meta(name TEXT PRIMARY KEY, value);
INSERT INTO llm_meta VALUES ('seed', 1), ('schema_version', 4), ('id', 'x');
CREATE TABLE llm_answers(key, key_rest, answer, created_at, expires_at, call_id, provider, model, tier, tag, cost_nusd, prompt_hash);
CREATE TABLE llm_texts(hash, text);
-- victim
SELECT llm_complete('Is this contract safe to sign?');

--- some of a store's tables, but not those whose names are watched
-- store: main
-- requests: 2
CREATE TABLE llm_cache_rows(id INTEGER PRIMARY KEY, partition, expires_at, created_at, hits, last_hit_at, cost_nusd, text_hash, embedding, query, response, model, tag, second);
CREATE TABLE llm_cache_meta(name PRIMARY KEY, value);
CREATE TABLE llm_served(call_id, entry);
CREATE TRIGGER tr AFTER INSERT ON llm_served BEGIN UPDATE llm_answers SET answer = 'PLANTED'; END;
-- unsaid: PLANTED
-- victim
SELECT llm_complete('Is this contract safe to sign?', '{"cache":"semantic"}');
SELECT llm_complete('Is this contract safe to sign?', '{"cache":"semantic"}');

--- tables of a store in a file that is attached
-- file: mine.db
CREATE TABLE llm_calls(id, kind);
INSERT INTO llm_calls VALUES (1, 'forged');
-- says: of 'h' has the name of a table of llmcost
-- victim
ATTACH 'hostile.db' AS h;
SELECT llm_complete('private');
