-- Files of applications that mention what we watch, and go on working, or are told what to do. Behind a statement
-- stands what it gives. See tests/live/hostile.py.

--- a comment in a table that names llm_complete
CREATE TABLE notes(t TEXT /* filled by llm_complete(question) */, a -- llm_chat('…')
);
INSERT INTO notes(t) SELECT llm_complete('a question of mine');
SELECT count(*) FROM notes;
-- gives: 1

--- comments in a view, an index and a trigger that name llm_complete
CREATE TABLE notes(id INTEGER PRIMARY KEY, t TEXT, a TEXT);
CREATE VIEW v AS SELECT /* made with llm_complete */ t FROM notes;
CREATE INDEX i ON notes(t) /* not llm_complete(t) */ WHERE t IS NOT NULL;
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN UPDATE notes SET a = 'new' -- llm_complete comes later
WHERE id = new.id; END;
INSERT INTO notes(t) VALUES ('x');
UPDATE notes SET a = llm_complete('y');
SELECT length(a) > 5 FROM notes;
-- gives: 1
SELECT t FROM v;
-- gives: x

--- a column that CREATE TABLE AS called "llm_complete('x')"
CREATE TABLE a AS SELECT llm_complete('x');
INSERT INTO a SELECT llm_complete('y');
SELECT count(*) FROM a;
-- gives: 2
SELECT name FROM pragma_table_info('a');
-- gives: llm_complete('x')

--- a default that holds the name of a function in a string
CREATE TABLE jobs(id INTEGER PRIMARY KEY, how TEXT DEFAULT 'run llm_complete(prompt) first', CHECK (how <> 'never llm_chat'));
INSERT INTO jobs(how) VALUES ('x');
INSERT INTO jobs(id) VALUES (7);
SELECT length(llm_complete('x')) > 5;
-- gives: 1
SELECT how FROM jobs WHERE id = 7;
-- gives: run llm_complete(prompt) first

--- a column called embed
CREATE TABLE docs(body TEXT, embed BLOB, CHECK (embed IS NULL OR length(embed) > 0));
INSERT INTO docs(body) VALUES ('x');
UPDATE docs SET embed = embed(body, 'evil');
SELECT length(embed) FROM docs;
-- gives: 256
CREATE INDEX i ON docs(embed);
SELECT length(embed('y', 'evil'));
-- gives: 256

--- generated columns and indexes with functions that are for everybody
CREATE TABLE docs(body TEXT, v BLOB AS (embed(body)) STORED, n INTEGER AS (llm_tokens(body)), k TEXT AS (llm_normalize(body)));
CREATE INDEX i ON docs(llm_tokens(body));
CREATE INDEX j ON docs(llm_normalize(body)) WHERE llm_tokens(body) > 1;
INSERT INTO docs(body) VALUES ('Hello   world');
SELECT n FROM docs;
-- gives: 3
SELECT k FROM docs;
-- gives: Hello world
SELECT length(v) FROM docs;
-- gives: 1024
SELECT length(embed(body, 'evil')) FROM docs;
-- gives: 256
SELECT length(llm_complete('x')) > 5;
-- gives: 1

--- a CHECK with functions that are for everybody
CREATE TABLE prompts(t TEXT CHECK (llm_tokens(t) < 100), v BLOB CHECK (embed_cosine(v, embed(t)) > 0.9));
INSERT INTO prompts VALUES ('Hello world', embed('Hello world'));
INSERT INTO prompts VALUES ('Hello world', embed('something else'));
-- error: CHECK constraint failed
SELECT length(llm_complete(t)) > 5 FROM prompts;
-- gives: 1

--- views and triggers of the application with prices and tokens
CREATE TABLE jobs(id INTEGER PRIMARY KEY, model TEXT, t TEXT, cost REAL);
CREATE VIEW priced AS SELECT id, llm_cost(model, llm_tokens(t, model), 0) AS usd, llm_price(model, 'input') AS price FROM jobs;
CREATE TRIGGER tr AFTER INSERT ON jobs BEGIN UPDATE jobs SET cost = llm_cost(new.model, 1000, 0) WHERE id = new.id; END;
INSERT INTO jobs(model, t) VALUES ('gpt-4o', 'Hello world');
SELECT cost > 0 FROM jobs;
-- gives: 1
SELECT usd > 0 AND price > 0 FROM priced;
-- gives: 1
SELECT length(llm_complete(t)) > 5 FROM jobs;
-- gives: 1

--- a table called my_llm_calls, one called llm_calls_archive, one called llm_call_log
CREATE TABLE my_llm_calls(id INTEGER);
CREATE TABLE llm_calls_archive AS SELECT * FROM llm_calls;
CREATE TABLE "llm_call log"(x);
SELECT length(llm_complete('x')) > 5;
-- gives: 1
INSERT INTO llm_calls_archive SELECT * FROM llm_calls;
SELECT count(*) FROM llm_calls_archive WHERE kind = 'call';
-- gives: 3
CREATE VIEW v AS SELECT kind FROM llm_calls_archive;
SELECT kind FROM v LIMIT 1;
-- gives: call

--- a foreign key and comments that mention llm_calls
CREATE TABLE feedback(call_id INTEGER /* llm_calls.id */, stars INTEGER CHECK (stars < 6));
CREATE TABLE runs(call_id INTEGER REFERENCES llm_calls(id));
SELECT length(llm_complete('x')) > 5;
-- gives: 1
INSERT INTO feedback VALUES (llm_last_call(), 5);
SELECT count(*) FROM feedback JOIN llm_calls ON id = call_id;
-- gives: 1

--- a view in the file over llm_calls: calls go on, the view is refused
CREATE VIEW spent AS SELECT sum(cost_nusd) AS n FROM llm_calls;
SELECT length(llm_complete('x')) > 5;
-- gives: 1
SELECT * FROM spent;
-- error: unsafe use of virtual table "llm_calls"
CREATE TEMP VIEW spent_now AS SELECT count(*) AS n FROM llm_calls WHERE kind = 'call';
SELECT n FROM spent_now;
-- gives: 2

--- TEMP views, TEMP triggers and TEMP tables that call and read
CREATE TABLE tickets(id INTEGER PRIMARY KEY, q TEXT, a TEXT);
CREATE TEMP TRIGGER tr AFTER INSERT ON tickets BEGIN UPDATE tickets SET a = llm_complete(new.q) WHERE id = new.id; END;
CREATE TEMP VIEW v AS SELECT id, llm_complete(q) AS a FROM tickets;
CREATE TEMP TABLE t(x TEXT CHECK (llm_tokens(x) > 0));
INSERT INTO tickets(q) VALUES ('where is it?');
SELECT length(a) > 5 FROM tickets;
-- gives: 1
SELECT length(a) > 5 FROM v;
-- gives: 1
SELECT kind FROM llm_calls ORDER BY id DESC LIMIT 1;
-- gives: hit_exact

--- a view in the file that names llm_complete: the error says the cure, and the cure cures
CREATE TABLE tickets(id INTEGER PRIMARY KEY, q TEXT);
INSERT INTO tickets VALUES (1, 'x');
CREATE VIEW answered AS SELECT id, llm_complete(q) AS a FROM tickets;
SELECT llm_complete('x');
-- error: make it anew as TEMP, or DROP view "main"."answered"
SELECT * FROM answered;
-- error: unsafe use of
DROP view "main"."answered";
CREATE TEMP VIEW answered AS SELECT id, llm_complete(q) AS a FROM tickets;
SELECT length(a) > 5 FROM answered;
-- gives: 1

--- a trigger in the file that calls: the error says the cure
CREATE TABLE tickets(id INTEGER PRIMARY KEY, q TEXT, a TEXT);
CREATE TRIGGER ask AFTER INSERT ON tickets BEGIN UPDATE tickets SET a = llm_complete(new.q) WHERE id = new.id; END;
SELECT llm_complete('x');
-- error: make it anew as TEMP, or DROP trigger "main"."ask"
DROP trigger "main"."ask";
SELECT length(llm_complete('x')) > 5;
-- gives: 1

--- what names one function is no obstacle for another
CREATE VIEW setup AS SELECT llm_config('ttl');
SELECT length(llm_complete('x')) > 5;
-- gives: 1
SELECT llm_config('ttl');
-- error: names llm_config
SELECT count(*) FROM llm_calls WHERE kind = 'call';
-- gives: 2

--- a table called like a table of ours: the error says what to do, and that helps
CREATE TABLE llm_feedback(call_id, ok);
SELECT llm_complete('x');
-- error: rename or drop it
ALTER TABLE llm_feedback RENAME TO my_feedback;
SELECT length(llm_complete('x')) > 5;
-- gives: 1
