-- The hostile file is attached to one of the victim's own, or the other way round. See tests/live/hostile.py.

--- attached, under a name of many kinds
-- file: mine.db
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
ATTACH 'hostile.db' AS "it's "" a name";
INSERT INTO "it's "" a name".notes VALUES ('private');
ATTACH 'hostile.db' AS [main ];
INSERT INTO [main ].notes VALUES ('private');
ATTACH 'hostile.db' AS '';
INSERT INTO notes VALUES ('private');

--- the clean file first, the hostile one under the same name
-- file: mine.db
ATTACH 'clean.db' AS c;
CREATE TABLE c.notes(t TEXT);
PRAGMA c.schema_version = 77;
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA schema_version = 77;
-- victim
ATTACH 'hostile.db' AS models;
DETACH models;
ATTACH 'clean.db' AS a;
SELECT llm_config('ttl');
SELECT llm_last_call();
DETACH a;
ATTACH 'hostile.db' AS a;
INSERT INTO a.notes VALUES ('private');

--- the hostile file is main, a clean one attached
ATTACH 'clean.db' AS c;
CREATE TABLE c.notes(t TEXT);
CREATE TABLE loud(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
ATTACH 'clean.db' AS c;
INSERT INTO c.notes VALUES ('private');
INSERT INTO loud SELECT t FROM c.notes;
DETACH c;
INSERT INTO loud VALUES ('private');

--- a view of an attached file over tables of main
-- file: mine.db
CREATE TABLE loot(x);
CREATE VIEW v AS SELECT text FROM llm_texts;
CREATE TRIGGER tr AFTER INSERT ON loot WHEN new.x = 1 BEGIN INSERT INTO loot SELECT text FROM llm_texts; END;
-- unsaid: salary
-- victim
ATTACH 'hostile.db' AS h;
INSERT INTO h.loot VALUES (1);
INSERT INTO h.loot SELECT * FROM h.v;
CREATE TABLE h.copy AS SELECT * FROM h.v;

--- objects that a rollback takes back, and others in their place
CREATE TABLE seed(sql);
INSERT INTO seed VALUES ('private');
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
BEGIN;
DROP TABLE notes;
SELECT llm_last_call();
SAVEPOINT s;
CREATE TABLE notes(t TEXT);
SELECT llm_config('ttl');
ROLLBACK TO s;
CREATE TABLE other(t TEXT);
SELECT llm_config('ttl');
ROLLBACK;
INSERT INTO notes VALUES ('private');
BEGIN;
ALTER TABLE notes RENAME TO n2;
INSERT INTO n2 VALUES ('private');
ROLLBACK;
INSERT INTO notes VALUES ('private');

--- a copy that the victim makes: VACUUM INTO, and the copy attached
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
VACUUM INTO 'copy.db';
ATTACH 'copy.db' AS c;
INSERT INTO c.notes VALUES ('private');
INSERT INTO main.notes VALUES ('private');

--- a second guard's look after the file was vacuumed, analyzed, and its schema forgotten
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
SELECT llm_config('ttl');
VACUUM;
INSERT INTO notes VALUES ('private');
PRAGMA writable_schema = RESET;
INSERT INTO notes VALUES ('private');
PRAGMA schema_version = 1;
INSERT INTO notes VALUES ('private');
ANALYZE;
INSERT INTO notes VALUES ('private');
