-- What you decide: ordinary tables of your own database, made by llm_init().

CREATE TABLE IF NOT EXISTS main.llm_models(
  name TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  api TEXT NOT NULL DEFAULT 'openai',
  base_url TEXT NOT NULL,
  key_env TEXT,               -- the NAME of an environment variable, never a key
  context_window INTEGER,
  max_output INTEGER,
  supports TEXT,              -- JSON
  extra TEXT,                 -- JSON, merged into the body of each request
  auth TEXT,                  -- how the key is sent: bearer, x-api-key, api-key, none; NULL: as the API has it
  headers TEXT                -- JSON: {"Name": "value"} or {"Name": {"env": "VARIABLE"}}
);

CREATE TABLE IF NOT EXISTS main.llm_prices(
  model TEXT NOT NULL,        -- a name, or a GLOB
  kind TEXT NOT NULL,         -- a unit: input, output, cache_read, …; or factor: times all token prices
  usd_per_million REAL NOT NULL,
  valid_from TEXT,            -- 'YYYY-MM-DD' or Unix milliseconds; NULL: always
  valid_to TEXT,
  above_tokens INTEGER NOT NULL DEFAULT 0,
  provider TEXT,              -- NULL: of any
  service TEXT,               -- NULL: standard; batch, flex, priority, fast, or geo:us
  hours TEXT,                 -- a calendar: 'Mon-Fri 09:00-12:00 +08:00 except 2026-10-01'; NULL: always
  names TEXT,                 -- GLOBs that mean this model, separated by blanks; NULL: its name
  list TEXT,                  -- the price list a row was imported with; NULL: a single row
  source TEXT,
  checked TEXT
);

CREATE TABLE IF NOT EXISTS main.llm_tiers(
  name TEXT PRIMARY KEY,
  max_score REAL NOT NULL,
  model TEXT NOT NULL,
  rank INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS main.llm_gates(
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,         -- json, schema, regex, length, …
  spec TEXT                   -- JSON; NULL: as the kind has it
);

CREATE TABLE IF NOT EXISTS main.llm_budgets(
  scope TEXT NOT NULL         -- '*', 'tag:x', 'user:*', 'tag:x & user:*', …
    CONSTRAINT "scope is * (every call), tag:x, user:x, model:x, provider:x, or several joined by ' & '"
    CHECK (scope = '*' OR scope GLOB 'tag:*' OR scope GLOB 'user:*' OR scope GLOB 'model:*' OR scope GLOB 'provider:*'),
  period TEXT NOT NULL
    CONSTRAINT "period is hour, day, week, month (of the calendar), 24h, 7d, 30d (rolling), total, or total since YYYY-MM-DD"
    CHECK (period IN ('hour', 'day', 'week', 'month', '24h', '7d', '30d', 'total')
           OR (period GLOB 'total since [12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]'
               AND date(substr(period, 13)) = substr(period, 13))),
  limit_usd REAL NOT NULL
    CONSTRAINT "limit_usd is a number of dollars, 0 or more"
    CHECK (typeof(limit_usd) IN ('real', 'integer') AND limit_usd BETWEEN 0 AND 9e9),
  action TEXT NOT NULL DEFAULT 'error'
    CONSTRAINT "action is error, cheapest or warn" CHECK (action IN ('error', 'cheapest', 'warn')),
  unpriced TEXT NOT NULL DEFAULT 'refuse'
    CONSTRAINT "unpriced is refuse or allow" CHECK (unpriced IN ('refuse', 'allow')),
  PRIMARY KEY(scope, period, action)
);

CREATE TABLE IF NOT EXISTS main.llm_route_examples(
  prompt TEXT NOT NULL,
  label REAL NOT NULL         -- 0 easy … 1 hard
    CONSTRAINT "label is a number from 0 to 1"
    CHECK (typeof(label) IN ('real', 'integer') AND label BETWEEN 0 AND 1)
);
