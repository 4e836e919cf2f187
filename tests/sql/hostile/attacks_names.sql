-- Tables that take the names of ours, and views and triggers that read ours. See tests/live/hostile.py.

--- a table called llm_calls with forged rows
CREATE TABLE llm_calls(id INTEGER PRIMARY KEY, kind TEXT, cost_nusd INTEGER);
INSERT INTO llm_calls VALUES (1, 'forged', 5);
-- says: has the name of a table of llmcost and is not the one of this installation
-- victim
SELECT llm_complete('private');
SELECT llm_config('ttl');

--- the same in capitals, quoted, behind IF NOT EXISTS
CREATE TABLE t(id);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET name = 'LLM_Texts', tbl_name = 'LLM_Texts', sql = 'CREATE TABLE/**/IF/**/NOT--
EXISTS[LLM_Texts](id)' WHERE name = 't';
-- says: has the name of a table of llmcost
-- victim
SELECT llm_complete('private');

--- the same behind a VT
CREATE TABLE t(id, kind);
INSERT INTO t VALUES (1, 'forged');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET name = 'llm_calls', tbl_name = 'llm_calls', sql = 'CREATE TABLE ' || char(11) || 'llm_calls(id, kind)' WHERE name = 't';
-- says: has the name of a table of llmcost
-- victim
SELECT llm_complete('private');

--- the same behind a byte order mark
CREATE TABLE t(id, kind);
INSERT INTO t VALUES (1, 'forged');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET name = 'llm_calls', tbl_name = 'llm_calls', sql = 'CREATE TABLE ' || char(65279) || 'llm_calls(id, kind)' WHERE name = 't';
-- says: has the name of a table of llmcost
-- victim
SELECT llm_complete('private');

--- a view called llm_cost_daily, and a virtual table called llm_cache
CREATE VIEW llm_cost_daily AS SELECT 'forged' AS day;
CREATE VIRTUAL TABLE llm_cache USING fts5(query, response);
-- says: has the name of a table of llmcost
-- victim
SELECT llm_complete('private');
SELECT llm_last_call();

--- a table called llm_call, another called embed_batch
CREATE TABLE llm_call(answer, prompt);
CREATE VIEW embed_batch AS SELECT 'forged' AS text;
-- says: has the name of a table of llmcost
-- victim
SELECT llm_complete('private');

--- a table in the place of llm_models that is a view, and reads the ledger
-- models: none
CREATE VIEW llm_models AS SELECT (SELECT text FROM llm_texts) AS name, 'openai' AS provider, 'openai' AS api, 'URL/v1' AS base_url, 'OPENAI_API_KEY' AS key_env, 1 AS context_window, 1 AS max_output, '{}' AS supports;
-- says: is a view
-- victim
SELECT llm_complete('private');

--- llm_models with generated columns
-- models: none
CREATE TABLE llm_models(name TEXT, provider TEXT, api TEXT, base_url TEXT AS ('URL/v1'), key_env TEXT AS ('OPENAI_API_KEY'), context_window, max_output, supports);
INSERT INTO llm_models(name, provider, api) VALUES ('gpt-4o-mini', 'openai', 'openai');
-- says: generated columns
-- victim
SELECT llm_complete('private');

--- views over our tables, in every place of a SELECT
CREATE VIEW a AS SELECT * FROM llm_texts;
CREATE VIEW b AS WITH x AS (SELECT text FROM llm_texts) SELECT * FROM x;
CREATE VIEW c AS SELECT (SELECT text FROM llm_texts LIMIT 1);
CREATE VIEW d AS SELECT 1 WHERE 'x' NOT IN llm_answers;
CREATE VIEW e AS SELECT value FROM json_each((SELECT json_group_array(text) FROM llm_texts));
CREATE VIEW f AS SELECT 1 ORDER BY (SELECT text FROM llm_texts LIMIT 1);
CREATE VIEW g AS SELECT 1 LIMIT (SELECT count(*) FROM llm_texts);
CREATE VIEW h AS SELECT max(text) OVER w FROM (SELECT 1 AS text) WINDOW w AS (PARTITION BY (SELECT text FROM llm_texts LIMIT 1));
CREATE VIEW i AS SELECT 1 FROM (SELECT 1) JOIN (SELECT 2) ON EXISTS (SELECT 1 FROM llm_texts);
CREATE VIEW j AS SELECT * FROM (VALUES (1)) UNION ALL SELECT text FROM llm_texts;
CREATE VIEW k AS SELECT group_concat((SELECT text FROM llm_texts LIMIT 1)) FILTER (WHERE (SELECT 1 FROM llm_calls)) FROM (SELECT 1);
CREATE VIEW l AS SELECT answer FROM llm_call((SELECT text FROM llm_texts LIMIT 1));
CREATE VIEW m AS WITH RECURSIVE x(a) AS (SELECT 1 UNION SELECT text FROM llm_texts) SELECT * FROM x;
CREATE VIEW n AS SELECT 1 AS one GROUP BY 1 HAVING (SELECT count(*) FROM llm_calls) > 0;
CREATE VIEW o AS SELECT 'a' IN (SELECT answer FROM llm_call('spend')), 'b' IN llm_texts;
CREATE VIEW p AS SELECT row_number() OVER (ORDER BY (SELECT text FROM llm_texts) ROWS BETWEEN (SELECT count(*) FROM llm_calls) PRECEDING AND CURRENT ROW);
-- unsaid: salary
-- victim
SELECT * FROM a;
SELECT * FROM b;
SELECT * FROM c;
SELECT * FROM d;
SELECT * FROM e;
SELECT * FROM f;
SELECT * FROM g;
SELECT * FROM h;
SELECT * FROM i;
SELECT * FROM j;
SELECT * FROM k;
SELECT * FROM l;
SELECT * FROM m;
SELECT * FROM n;
SELECT * FROM o;
SELECT * FROM p;
CREATE TABLE copy AS SELECT * FROM a;
PRAGMA trusted_schema = ON;
CREATE TABLE copy2 AS SELECT * FROM a;
CREATE TABLE copy3 AS SELECT * FROM b;

--- triggers over our tables, in every part of a trigger
CREATE TABLE notes(id INTEGER PRIMARY KEY, t UNIQUE);
CREATE TABLE loot(x UNIQUE);
CREATE TABLE a(t);
CREATE TABLE b(t);
CREATE TABLE c(t);
CREATE TABLE d(t);
CREATE TABLE e(t);
CREATE VIEW f AS SELECT 1 AS t;
CREATE TRIGGER ta AFTER INSERT ON a BEGIN INSERT INTO loot SELECT text FROM llm_texts; END;
CREATE TRIGGER tb BEFORE INSERT ON b WHEN (SELECT count(*) FROM llm_calls) BEGIN SELECT 1; END;
CREATE TRIGGER tc AFTER INSERT ON c BEGIN UPDATE notes SET t = l.text FROM llm_texts l; END;
CREATE TRIGGER td AFTER INSERT ON d BEGIN INSERT INTO loot VALUES (1) ON CONFLICT DO UPDATE SET x = (SELECT text FROM llm_texts) WHERE (SELECT 1 FROM llm_calls); END;
CREATE TRIGGER te AFTER INSERT ON e BEGIN DELETE FROM notes WHERE t IN (SELECT text FROM llm_texts); SELECT llm_complete(new.t); END;
CREATE TRIGGER tf INSTEAD OF INSERT ON f BEGIN INSERT INTO loot SELECT answer FROM llm_answers; SELECT raise(ABORT, 'x') FROM llm_call(new.t); END;
INSERT INTO notes VALUES (1, 'x');
INSERT INTO loot VALUES (1);
-- victim
INSERT INTO a VALUES ('private');
INSERT INTO b VALUES ('private');
INSERT INTO c VALUES ('private');
INSERT INTO d VALUES ('private');
INSERT INTO e VALUES ('private');
INSERT INTO f VALUES ('private');
PRAGMA trusted_schema = ON;
INSERT INTO a VALUES ('private');
INSERT INTO c VALUES ('private');
INSERT INTO d VALUES ('private');
INSERT INTO f VALUES ('private');

--- TEMP objects that a file brings along
CREATE VIEW v AS SELECT 1;
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN SELECT 1; END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TEMP VIEW v AS SELECT * FROM llm_texts' WHERE name = 'v';
UPDATE sqlite_schema SET sql = 'CREATE TEMPORARY TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO loot SELECT text FROM llm_texts; END' WHERE name = 'tr';
-- unsaid: salary
-- victim
SELECT * FROM v;
INSERT INTO notes VALUES ('private');
CREATE TABLE copy AS SELECT * FROM v;
SELECT * FROM loot;

--- TEMP objects whose names of ours stand between variables
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN SELECT 1; END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TEMP TRIGGER tr AFTER INSERT ON notes WHEN $x('') IS NULL BEGIN INSERT INTO loot SELECT text FROM llm_texts; SELECT $y(''); END' WHERE name = 'tr';
-- victim
INSERT INTO notes VALUES ('private');
SELECT * FROM loot;

--- tables that are called like a function and like the store's inner ones
CREATE TABLE llm_init(x);
CREATE TABLE llm_marks(installation, mark);
CREATE TABLE llm_intents(call_id, key, owner, lease_until);
CREATE VIEW llm_served AS SELECT 1 AS call_id, llm_complete('x') AS entry;
-- victim
SELECT llm_complete('private');
SELECT * FROM llm_served;
