-- What you decide: ordinary tables of your own database, made by llm_init().

CREATE TABLE IF NOT EXISTS main.llm_models(
  name TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  api TEXT NOT NULL DEFAULT 'openai',
  base_url TEXT NOT NULL,
  key_env TEXT,               -- the NAME of an environment variable, never a key
  context_window INTEGER,
  max_output INTEGER,
  supports TEXT               -- JSON
);

CREATE TABLE IF NOT EXISTS main.llm_prices(
  model TEXT NOT NULL,
  kind TEXT NOT NULL,         -- input, output, cache_read, cache_write, cache_write_1h
  usd_per_million REAL NOT NULL,
  valid_from TEXT,            -- 'YYYY-MM-DD' or Unix milliseconds; NULL: always
  valid_to TEXT,
  above_tokens INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS main.llm_tiers(
  name TEXT PRIMARY KEY,
  max_score REAL NOT NULL,
  model TEXT NOT NULL,
  rank INTEGER NOT NULL
);
