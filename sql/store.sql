-- The store: what happened. Created in '<database>-llmcost', or in main where the setting 'store' is 'main'.
-- Money is INTEGER nano-dollars; NULL is "unknown". Times are Unix milliseconds, UTC.

-- Settings of this store: 'schema_version'; 'seed', the secret that cache keys and the names of texts are
-- hashed with; 'id', random, which marks are made of; 'views', which views it has (ext/store/schema/views.h).
CREATE TABLE IF NOT EXISTS main.llm_meta(
  name TEXT PRIMARY KEY,
  value
) WITHOUT ROWID;

-- The installations that made or adopted this store: their public names, and what only they can make.
CREATE TABLE IF NOT EXISTS main.llm_marks(
  installation TEXT PRIMARY KEY,
  mark TEXT NOT NULL
) WITHOUT ROWID;

-- The ledger: a row per attempt sent to a provider, per cache hit and per refusal. Its table, llm_calls, is made
-- from LEDGER_COLUMNS (ext/store/db/row.h), before this text runs.
CREATE INDEX IF NOT EXISTS main.llm_calls_ts ON llm_calls(ts);
CREATE INDEX IF NOT EXISTS main.llm_calls_request ON llm_calls(request_id) WHERE attempt > 0;

-- Requests that are on their way: an open row of llm_calls, who waits for it, and until when at most.
CREATE TABLE IF NOT EXISTS main.llm_intents(
  call_id INTEGER PRIMARY KEY,
  key BLOB,                   -- no index: only what is on its way right now is here
  owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL
);

-- Requests whose answer was lost, and may have been billed, until they are asked again.
CREATE TABLE IF NOT EXISTS main.llm_lost(
  key BLOB PRIMARY KEY,
  call_id INTEGER
) WITHOUT ROWID;

-- The exact cache. key and key_rest are the two halves of the request's 128-bit key.
CREATE TABLE IF NOT EXISTS main.llm_answers(
  key INTEGER PRIMARY KEY,
  key_rest INTEGER NOT NULL,
  answer TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  call_id INTEGER,
  provider TEXT,
  model TEXT,
  tier TEXT,
  tag TEXT,
  cost_nusd INTEGER,
  prompt_hash TEXT            -- of the text first asked; others with the same normal form are hits
);

-- Prompts and system prompts, each text once, by its XXH3-128 keyed with the seed.
CREATE TABLE IF NOT EXISTS main.llm_texts(
  hash TEXT PRIMARY KEY,
  text TEXT NOT NULL
);
