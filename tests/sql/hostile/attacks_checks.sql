-- CHECK constraints, which SQLite 3.40 evaluates whatever a function's flags are, and what else is evaluated while
-- somebody writes, looks or checks. The format is described in tests/live/hostile.py.

--- a column's CHECK that asks
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
INSERT INTO notes VALUES ('my private note');
REPLACE INTO notes VALUES ('my private note');
INSERT INTO notes VALUES ('my private note') ON CONFLICT DO UPDATE SET t = 'x';
INSERT OR IGNORE INTO notes SELECT 'my private note';
INSERT OR FAIL INTO notes VALUES ('my private note') RETURNING t;

--- a table's CHECK, named, in capitals
CREATE TABLE notes(t TEXT, CONSTRAINT "looks fine" CHECK (LLM_Complete(t, '{"cache":"off"}') IS NOT NULL));
-- victim
INSERT INTO notes VALUES ('my private note');

--- every other function that is the application's own
CREATE TABLE a(t CHECK (llm_chat('[{"role":"user","content":"' || t || '"}]') <> ''));
CREATE TABLE b(t CHECK (llm_allow_host('HOST', 'OPENAI_API_KEY') IS NOT NULL));
CREATE TABLE c(t CHECK (llm_secret('OPENAI_API_KEY', t) IS NOT NULL));
CREATE TABLE d(t CHECK (llm_config('proxy', 'URL') IS NOT NULL));
CREATE TABLE e(t CHECK (llm_trust_store() IS NOT NULL));
CREATE TABLE f(t CHECK (llm_init() IS NOT NULL));
CREATE TABLE g(t CHECK (llm_cache_feedback(1, 0) IS NOT NULL));
CREATE TABLE h(t CHECK (llm_prices_import('{"gpt-4o":{}}') IS NOT NULL));
CREATE TABLE i(t CHECK (llm_last_call() IS NOT 5));
CREATE TABLE j(t CHECK (llmcost_debug() IS NOT NULL));
CREATE TABLE k(t CHECK (llm_config('ttl') IS NULL));
-- says: a database file must not spend, send or read the ledger|unsafe use of llm_chat()
-- victim
INSERT INTO a VALUES ('private');
INSERT INTO b VALUES ('private');
INSERT INTO c VALUES ('private');
INSERT INTO d VALUES ('private');
INSERT INTO e VALUES ('private');
INSERT INTO f VALUES ('private');
INSERT INTO g VALUES ('private');
INSERT INTO h VALUES ('private');
INSERT INTO i VALUES ('private');
INSERT INTO j VALUES ('private');
INSERT INTO k VALUES ('private');

--- embed with a model, beside the harmless embed
CREATE TABLE notes(t TEXT, body TEXT, v BLOB AS (embed(body)), CHECK (length(embed(t, 'evil')) > 0));
-- victim
INSERT INTO notes VALUES ('my private note', 'body');

--- embed with a model whose arguments stand in parentheses, comments and lines
CREATE TABLE notes(t TEXT CHECK (length(embed /* (t) */ (
  (t), -- )
  'evil')) > 0));
-- victim
INSERT INTO notes VALUES ('my private note');

--- a plain embed in front of the other
CREATE TABLE notes(t TEXT CHECK (embed(t) <> '' AND embed
(t,'evil') <> ''));
-- victim
INSERT INTO notes VALUES ('my private note');

--- embed behind a blank that is none elsewhere: VT
CREATE TABLE notes(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE notes(t TEXT CHECK (length(embed ' || char(11) || '(t, ''evil'')) > 0))' WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('my private note');

--- embed behind a byte order mark, which SQLite takes for a blank
CREATE TABLE notes(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE notes(t TEXT CHECK (length(embed ' || char(65279) || '(t, ''evil'')) > 0))' WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('my private note');

--- names in every kind of quotes
CREATE TABLE a(t CHECK ("llm_complete"(t) <> ''));
CREATE TABLE b(t CHECK ([LLM_COMPLETE](t) <> ''));
CREATE TABLE c(t CHECK (`llm_complete`(t) <> ''));
CREATE TABLE d(t CHECK (lLm_CoMpLeTe /* ( */ -- '
 (t) <> ''));
-- victim
INSERT INTO a VALUES ('private');
INSERT INTO b VALUES ('private');
INSERT INTO c VALUES ('private');
INSERT INTO d VALUES ('private');

--- a comment that begins in a string
CREATE TABLE notes(a DEFAULT '/*', t TEXT CHECK (llm_complete(t) <> ''), b DEFAULT '*/');
-- victim
INSERT INTO notes(t) VALUES ('my private note');

--- a line comment that begins in a name
CREATE TABLE notes("--" INTEGER, [/*] INTEGER, `-- ` INTEGER, t TEXT CHECK (llm_complete(t) <> ''));
-- victim
INSERT INTO notes(t) VALUES ('my private note');

--- a string that begins in a comment
CREATE TABLE notes(a /* ' */, t TEXT CHECK (llm_complete(t) <> ''), b /* ' */);
-- victim
INSERT INTO notes(t) VALUES ('my private note');

--- a string that begins in a line comment, and quotes in quotes
CREATE TABLE notes(a DEFAULT 'it''s "', b -- "
, t TEXT CHECK (llm_complete(t) <> ''), "c""/*" INTEGER DEFAULT 'x''');
-- victim
INSERT INTO notes(t) VALUES ('my private note');

--- brackets that do not double, and a slash with a star at the end of a comment
CREATE TABLE notes([a"] INTEGER, t TEXT CHECK (llm_complete(t) <> ''), [b"] /*/ ' */);
-- victim
INSERT INTO notes(t) VALUES ('my private note');

--- a string that begins in a variable: $x(')
CREATE TABLE notes(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE notes(a DEFAULT ($x('')), t TEXT CHECK (llm_complete(t) <> 0), b DEFAULT ($y('')))' WHERE name = 'notes';
-- victim
INSERT INTO notes(t) VALUES ('my private note');

--- a comment that begins in a variable, with each of its signs
CREATE TABLE notes(t TEXT);
CREATE TABLE more(t TEXT);
CREATE TABLE most(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE notes(a DEFAULT (:x(/*)), t TEXT CHECK (llm_complete(t) <> 0))' WHERE name = 'notes';
UPDATE sqlite_schema SET sql = 'CREATE TABLE more(a DEFAULT (@x(--)), t TEXT CHECK (llm_complete(t) <> 0))' WHERE name = 'more';
UPDATE sqlite_schema SET sql = 'CREATE TABLE most(a DEFAULT ($x::y(")), t TEXT CHECK (llm_complete(t) <> 0), b DEFAULT ($y(")))' WHERE name = 'most';
-- victim
INSERT INTO notes(t) VALUES ('my private note');
INSERT INTO more(t) VALUES ('my private note');
INSERT INTO most(t) VALUES ('my private note');

--- a trigger that hides a call between two variables
CREATE TABLE notes(t TEXT);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN SELECT 1; END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TEMP TRIGGER tr AFTER INSERT ON notes BEGIN SELECT $x(''), llm_complete(new.t), $y(''); END' WHERE name = 'tr';
-- victim
INSERT INTO notes(t) VALUES ('my private note');

--- it is only the sum that is evaluated: CASE, COALESCE, IN, BETWEEN, windows of names
CREATE TABLE notes(t TEXT CHECK (CASE WHEN t IS NULL THEN 1 ELSE coalesce(t, '') IN ('', coalesce(llm_complete(t), ''), t) END),
  u INTEGER CHECK (u BETWEEN length(llm_complete('x')) AND 9 OR 1), UNIQUE (t) ON CONFLICT REPLACE);
-- victim
INSERT INTO notes VALUES ('my private note', 1);

--- looking after the file: integrity_check and its kin
CREATE TABLE notes(t TEXT);
INSERT INTO notes VALUES ('a row to find');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''''))' WHERE name = 'notes';
-- victim
PRAGMA integrity_check;
PRAGMA quick_check;
PRAGMA quick_check(notes);
SELECT * FROM pragma_integrity_check;
SELECT * FROM pragma_quick_check('notes');
PRAGMA foreign_key_check;
PRAGMA optimize;
ANALYZE;
REINDEX;
VACUUM;

--- changing the file: UPDATE, CREATE INDEX, ALTER TABLE, CREATE TABLE AS, UPSERT
CREATE TABLE notes(id INTEGER PRIMARY KEY, t TEXT UNIQUE);
INSERT INTO notes VALUES (1, 'a row to find');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE notes(id INTEGER PRIMARY KEY, t TEXT UNIQUE, CHECK (llm_complete(t) <> ''''))' WHERE name = 'notes';
-- victim
UPDATE notes SET t = 'private' WHERE id = 1;
UPDATE notes SET id = 2;
INSERT INTO notes VALUES (1, 'x') ON CONFLICT(id) DO UPDATE SET t = 'private';
CREATE INDEX i ON notes(t);
ALTER TABLE notes ADD COLUMN x INTEGER CHECK (x IS NULL);
ALTER TABLE notes RENAME COLUMN t TO words;
ALTER TABLE notes RENAME TO diary;
CREATE TABLE copy AS SELECT * FROM diary;
ALTER TABLE diary DROP COLUMN x;
UPDATE diary SET words = 'private' RETURNING words;

--- whatever the victim's pragmas are
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
PRAGMA trusted_schema = ON;
PRAGMA case_sensitive_like = ON;
INSERT INTO notes VALUES ('private');
PRAGMA trusted_schema = OFF;
PRAGMA case_sensitive_like = OFF;
PRAGMA encoding = 'UTF-16';
PRAGMA recursive_triggers = ON;
PRAGMA count_changes = ON;
PRAGMA full_column_names = ON;
PRAGMA short_column_names = OFF;
PRAGMA empty_result_callbacks = ON;
PRAGMA reverse_unordered_selects = ON;
PRAGMA legacy_alter_table = ON;
PRAGMA cell_size_check = ON;
INSERT INTO notes VALUES ('private');
PRAGMA writable_schema = ON;
INSERT INTO notes VALUES ('private');
PRAGMA query_only = ON;
INSERT INTO notes VALUES ('private');

--- DEFAULT, generated columns and indexes
CREATE TABLE a(t, u TEXT);
CREATE TABLE b(t, u TEXT);
CREATE TABLE c(t, u TEXT);
CREATE TABLE d(t, u TEXT);
CREATE INDEX di ON d(u);
INSERT INTO d VALUES ('private', 'x');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE a(t, u TEXT DEFAULT (llm_complete(''x'')))' WHERE name = 'a';
UPDATE sqlite_schema SET sql = 'CREATE TABLE b(t, u TEXT AS (llm_complete(t)) STORED)' WHERE name = 'b';
UPDATE sqlite_schema SET sql = 'CREATE TABLE c(t, u TEXT AS (llm_complete(t)))' WHERE name = 'c';
UPDATE sqlite_schema SET sql = 'CREATE INDEX di ON d(llm_complete(t)) WHERE llm_complete(u) IS NOT 7' WHERE name = 'di';
-- victim
INSERT INTO a(t) VALUES ('private');
INSERT INTO b(t) VALUES ('private');
INSERT INTO c(t) VALUES ('private');
SELECT * FROM c;
INSERT INTO d(t) VALUES ('private');
SELECT * FROM d;
REINDEX;
DELETE FROM d;

--- tables of SQLite's own: sqlite_sequence and sqlite_stat1
CREATE TABLE notes(id INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT);
INSERT INTO notes(t) VALUES ('a row');
CREATE INDEX i ON notes(t);
ANALYZE;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE sqlite_sequence(name, seq CHECK (llm_complete(name) <> ''''))' WHERE name = 'sqlite_sequence';
UPDATE sqlite_schema SET sql = 'CREATE TABLE sqlite_stat1(tbl, idx, stat CHECK (llm_complete(idx) <> ''''))' WHERE name = 'sqlite_stat1';
-- victim
INSERT INTO notes(t) VALUES ('private');
ANALYZE;
DELETE FROM sqlite_stat1;
UPDATE sqlite_sequence SET seq = 4;

--- WITHOUT ROWID, STRICT and a foreign key that writes
CREATE TABLE a(t TEXT PRIMARY KEY CHECK (llm_complete(t) <> '')) WITHOUT ROWID;
CREATE TABLE b(t TEXT CHECK (llm_complete(t) <> '')) STRICT;
CREATE TABLE parent(id INTEGER PRIMARY KEY);
CREATE TABLE child(id REFERENCES parent ON DELETE SET NULL ON UPDATE CASCADE, t, CHECK (llm_complete(t) <> '' OR id = 1));
PRAGMA ignore_check_constraints = ON;
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 'private');
-- victim
PRAGMA foreign_keys = ON;
INSERT INTO a VALUES ('private');
INSERT INTO b VALUES ('private');
DELETE FROM parent;
UPDATE parent SET id = 2;

--- a trigger of the file that writes into a CHECK
CREATE TABLE quiet(t);
CREATE TABLE loud(t CHECK (llm_complete(t) <> ''));
CREATE TRIGGER tr BEFORE INSERT ON quiet BEGIN INSERT INTO loud VALUES (new.t); END;
CREATE VIEW door AS SELECT 1 AS t;
CREATE TRIGGER tr2 INSTEAD OF UPDATE ON door BEGIN REPLACE INTO loud VALUES (new.t); END;
-- victim
INSERT INTO quiet VALUES ('private');
UPDATE door SET t = 'private';
