-- The store: what happened. Created in '<database>-llmcost', or in main where the setting 'store' is 'main'.
-- Money is INTEGER nano-dollars; NULL is "unknown". Times are Unix milliseconds, UTC.

-- Settings of this store: 'schema_version'; 'seed', the secret that cache keys and the names of texts are
-- hashed with; 'id', random, which marks are made of; 'views', which views it has (ext/store/schema/views.h);
-- 'began_bare', of one that seems to be a copy without its WAL (ext/store/schema/migrate.h).
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

CREATE INDEX IF NOT EXISTS main.llm_calls_tag ON llm_calls(tag, ts) WHERE tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS main.llm_calls_user ON llm_calls(user, ts) WHERE user IS NOT NULL;
CREATE INDEX IF NOT EXISTS main.llm_calls_conversation ON llm_calls(conversation, ts) WHERE conversation IS NOT NULL;
CREATE INDEX IF NOT EXISTS main.llm_calls_prompt ON llm_calls(prompt_hash) WHERE prompt_hash IS NOT NULL;
-- Money that nobody can name. (Of what kind, its view asks: a list of kinds here would be built for each row written.)
CREATE INDEX IF NOT EXISTS main.llm_calls_unpriced ON llm_calls(ts) WHERE cost_nusd IS NULL;

-- Requests that took more than one attempt; costs that a provider stated itself.
CREATE INDEX IF NOT EXISTS main.llm_calls_retries ON llm_calls(request_id) WHERE attempt > 1;
CREATE INDEX IF NOT EXISTS main.llm_calls_reported ON llm_calls(ts) WHERE cost_reported_nusd IS NOT NULL;

-- Sums of the ledger, kept with its rows. Their table, llm_sums, is made from SUM_MEASURES (ext/store/sums/sums.h).
-- What of them is to be believed, a row for each dimension. stopped: it has too many values; its sums hold only until
-- sealed_before, and from there on the ledger's rows do. Before sealed_before rows of the ledger were trimmed.
CREATE TABLE IF NOT EXISTS main.llm_sum_state(
  dimension INTEGER PRIMARY KEY,
  n_values INTEGER NOT NULL DEFAULT 0,
  stopped INTEGER NOT NULL DEFAULT 0,
  sealed_before INTEGER NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO main.llm_sum_state(dimension) VALUES (0), (1), (2), (3);

-- The values that a dimension has had.
CREATE TABLE IF NOT EXISTS main.llm_sum_values(
  dimension INTEGER NOT NULL,
  value NOT NULL,
  PRIMARY KEY(dimension, value)
) WITHOUT ROWID;

-- Imported sums of a period, as a provider or a gateway states them: never calls. provider, model, … NULL: all, or not
-- said. A row with an amount is money, one without is usage; precedence: of several sources of the same money (or
-- usage) the lowest counts.
CREATE TABLE IF NOT EXISTS main.llm_invoices(
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,       -- the format it came in
  from_ts INTEGER NOT NULL,
  to_ts INTEGER NOT NULL,     -- exclusive
  provider TEXT,
  model TEXT,
  model_plain TEXT,           -- one for its spellings (model_name_plain)
  service TEXT,
  geo TEXT,
  item TEXT,                  -- what of: a kind of tokens, or the seller's own words
  project TEXT,
  user TEXT,
  api_key TEXT,               -- its public id or name
  requests INTEGER,
  input_tokens INTEGER,       -- all of them, cached and written included
  cached_input_tokens INTEGER,
  cache_write_tokens INTEGER,
  cache_write_long_tokens INTEGER,
  output_tokens INTEGER,
  reasoning_tokens INTEGER,
  quantity REAL,              -- of what else is billed
  unit TEXT,
  amount_nusd INTEGER,        -- what is to be paid
  list_nusd INTEGER,          -- the same before discounts
  precedence INTEGER NOT NULL DEFAULT 0,
  belongs BLOB                -- what it sums up, by the hash that llm_import_keys notes once a call of it is known
);
CREATE INDEX IF NOT EXISTS main.llm_invoices_from ON llm_invoices(source, from_ts);
CREATE INDEX IF NOT EXISTS main.llm_invoices_belongs ON llm_invoices(belongs) WHERE belongs IS NOT NULL;

-- What was imported, by a hash of its format and its own identity: nothing is added twice, also when its row of the
-- ledger has gone. part, is_copy, rank: which of several copies says what (ext/core/logs/entry.h).
CREATE TABLE IF NOT EXISTS main.llm_import_keys(
  key BLOB PRIMARY KEY,
  call_id INTEGER,            -- NULL: a note, no row of the ledger
  part TEXT,
  is_copy INTEGER NOT NULL DEFAULT 0,
  rank INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Files that were imported, and how far they were understood.
CREATE TABLE IF NOT EXISTS main.llm_import_files(
  path TEXT PRIMARY KEY,
  format TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime INTEGER NOT NULL,     -- Unix nanoseconds
  inode INTEGER NOT NULL,
  offset INTEGER NOT NULL,    -- bytes understood
  line INTEGER NOT NULL,      -- records until there
  head BLOB,                  -- a hash of its first bytes
  tail BLOB,                  -- a hash of the last bytes before the offset
  state TEXT,                 -- of the format's reader
  imported_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Requests that are on their way: an open row of llm_calls, who waits for it, and until when at most.
CREATE TABLE IF NOT EXISTS main.llm_intents(
  call_id INTEGER PRIMARY KEY,
  key BLOB,                   -- no index: only what is on its way right now is here
  owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL
);

-- Rows of llm_calls that are final and not in llm_sums yet: they are added some at a time.
CREATE TABLE IF NOT EXISTS main.llm_uncounted(
  call_id INTEGER PRIMARY KEY,
  model TEXT                  -- by its plain name, as it will be in llm_sums
);

-- What own calls have cost by what limits of llm_budgets are for (ext/store/budget/spent.h). columns: a bit each, 1 tag, 2 user,
-- 4 model, 8 provider; those that are not in it are the empty BLOB. grain: 15 minutes, or a UTC day (1440).
CREATE TABLE IF NOT EXISTS main.llm_budget_sets(
  columns INTEGER PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS main.llm_budget_sums(
  columns INTEGER NOT NULL,
  tag NOT NULL,
  user NOT NULL,
  model NOT NULL,
  provider NOT NULL,
  grain INTEGER NOT NULL,
  start INTEGER NOT NULL,     -- Unix ms
  calls INTEGER NOT NULL,
  cost_nusd INTEGER NOT NULL,
  unknown_nusd INTEGER NOT NULL, -- the worst case of those whose cost nobody knows
  unpriced INTEGER NOT NULL,  -- how many these are
  PRIMARY KEY(columns, tag, user, model, provider, grain, start)
) WITHOUT ROWID;

-- Requests whose answer was lost, and may have been billed, until they are asked again.
CREATE TABLE IF NOT EXISTS main.llm_lost(
  key BLOB PRIMARY KEY,
  call_id INTEGER
) WITHOUT ROWID;

-- Whom it is no use to ask just now: a model at an address, or (model '') all of them under one key. It stands until
-- it is asked again and answers: behind until_ts one request tries (its lease), then two, then four.
CREATE TABLE IF NOT EXISTS main.llm_provider_state(
  provider TEXT NOT NULL,
  base_url TEXT NOT NULL,
  model TEXT NOT NULL,
  until_ts INTEGER NOT NULL,  -- 0: not paused
  noted_ts INTEGER NOT NULL,  -- when that was written: before it, by a clock that was set back, it says nothing
  since_ts INTEGER NOT NULL,  -- its first failure in a row
  failures INTEGER NOT NULL,  -- in a row
  is_told INTEGER NOT NULL,   -- the provider named that time; else it is a guess
  reason TEXT NOT NULL,
  trials INTEGER NOT NULL,    -- how many may be on their way at once once the pause is over
  PRIMARY KEY(provider, base_url, model)
) WITHOUT ROWID;

-- Those of them that are on their way.
CREATE TABLE IF NOT EXISTS main.llm_trials(
  id INTEGER PRIMARY KEY,
  provider TEXT NOT NULL,
  base_url TEXT NOT NULL,
  model TEXT NOT NULL,
  owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL
);

-- Runs of llm_map that last longer than a moment, written by who runs them about once a second; the newest stay.
CREATE TABLE IF NOT EXISTS main.llm_runs(
  id INTEGER PRIMARY KEY,
  owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  state TEXT NOT NULL,        -- running, resting, done, stopped, failed
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  "rows" INTEGER NOT NULL,    -- of its SELECT
  requests INTEGER NOT NULL,  -- different ones among them
  done INTEGER NOT NULL,      -- rows
  hits INTEGER NOT NULL,      -- of these, answered by a cache
  errors INTEGER NOT NULL,    -- of these, with an error
  calls INTEGER NOT NULL,     -- sent
  spent_nusd INTEGER NOT NULL,
  expected_nusd INTEGER,      -- of the whole run; NULL: not known
  waits_for TEXT,             -- NULL: nothing
  waits_until INTEGER         -- Unix ms
);

-- Queues of batches that this store has served: each database with a batch_submit has a random name there (batch_queue).
-- Where it was last seen tells a database that was moved from one that was copied. owner: who flushes it just now.
CREATE TABLE IF NOT EXISTS main.llm_queues(
  id TEXT PRIMARY KEY,
  path TEXT,                  -- NULL: in memory
  device INTEGER,
  inode INTEGER,
  owner TEXT,
  lease_until INTEGER
) WITHOUT ROWID;

-- Batches of requests at a provider. A batch is written with all its requests before anything is sent; what is sent later,
-- and what came of it, is written here first, and from here into batch_submit (ext/store/batches/batches.h).
CREATE TABLE IF NOT EXISTS main.llm_batches(
  id INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,        -- llm_queues.id
  state TEXT NOT NULL,        -- opening, begun, sent, ended, settled
  form TEXT NOT NULL,         -- of the batch API
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  base_url TEXT NOT NULL,
  key_env TEXT,               -- the NAME of an environment variable, never a key
  mark TEXT NOT NULL,         -- our own name of it, by which it is found at the provider
  wire_tag TEXT NOT NULL,     -- in the ids of its requests
  provider_id TEXT,           -- NULL: not created, or not known to be
  input_file TEXT,
  output_file TEXT,
  error_file TEXT,
  word TEXT,                  -- the provider's own for its state
  trouble TEXT,
  error TEXT,
  created_at INTEGER NOT NULL, -- Unix ms, as all of these: the intent, and the period that it is billed in
  sent_at INTEGER,
  expected_at INTEGER,        -- its end
  expires_at INTEGER,         -- its results
  looked_at INTEGER,
  cancel_at INTEGER,          -- asked for
  ended_at INTEGER,           -- at the provider
  settled_at INTEGER,         -- here: each request has an outcome
  items INTEGER NOT NULL DEFAULT 0,
  settled INTEGER NOT NULL DEFAULT 0,  -- of these, with an outcome
  answered INTEGER NOT NULL DEFAULT 0, -- of these, done
  untold INTEGER NOT NULL DEFAULT 0,   -- of these, not in batch_submit yet
  said_total INTEGER,         -- as the provider counts
  said_done INTEGER,
  said_failed INTEGER,
  held_nusd INTEGER NOT NULL DEFAULT 0, -- at its beginning
  cost_nusd INTEGER NOT NULL DEFAULT 0, -- of what is settled
  full_nusd INTEGER NOT NULL DEFAULT 0, -- what that would have cost at the standard price; where that is not known, its cost
  unpriced INTEGER NOT NULL DEFAULT 0,  -- settled ones whose cost nobody knows
  is_marked INTEGER NOT NULL DEFAULT 0, -- batch_submit has it
  files_deleted INTEGER NOT NULL DEFAULT 0,
  owner TEXT,                 -- who works on it, and until when at most
  lease_until INTEGER,
  requests INTEGER,           -- that were sent: items without those that another one's answer serves
  bytes INTEGER,              -- of them, as they are sent
  tokens INTEGER,             -- of them and their longest answers, as far as they are counted
  difference INTEGER          -- llm_calls.id: what the provider counted otherwise than the sum of the answers
);
CREATE INDEX IF NOT EXISTS main.llm_batches_open ON llm_batches(id) WHERE state <> 'settled' OR untold > 0;

-- What the requests of a batch have in common, once. What is held for those that are open stands at one of the groups that count
-- alike, with the same tag and user: each names that one.
CREATE TABLE IF NOT EXISTS main.llm_batch_groups(
  batch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  holder INTEGER NOT NULL,    -- its number
  tag TEXT,
  user TEXT,
  conversation TEXT,
  system_hash TEXT,
  held_nusd INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(batch, number)
) WITHOUT ROWID;
-- All that batches hold, which each admission adds up.
CREATE INDEX IF NOT EXISTS main.llm_batch_groups_held ON llm_batch_groups(batch) WHERE held_nusd > 0;

-- The requests of batches, until batch_submit has what came of them.
CREATE TABLE IF NOT EXISTS main.llm_batch_items(
  batch INTEGER NOT NULL,
  submit_id INTEGER NOT NULL, -- batch_submit.id
  attempt INTEGER NOT NULL,
  number INTEGER NOT NULL,    -- of llm_batch_groups
  key BLOB,                   -- of the exact cache; NULL: not to be kept there
  prompt_hash TEXT,
  held_nusd INTEGER,          -- NULL: nobody prices it
  outcome TEXT,               -- the status that batch_submit gets: done, failed, expired, cancelled, queued; NULL: open
  call_id INTEGER,            -- of llm_calls; NULL: nothing was billed
  cost_nusd INTEGER,
  error TEXT,
  is_told INTEGER NOT NULL DEFAULT 0, -- batch_submit has it
  line INTEGER,               -- of what was sent, from 1; NULL: it is not sent, another one's answer serves it
  PRIMARY KEY(batch, submit_id)
) WITHOUT ROWID;

-- Their answers, until then.
CREATE TABLE IF NOT EXISTS main.llm_batch_answers(
  call_id INTEGER PRIMARY KEY,
  answer TEXT NOT NULL
);

-- Scorers that were trained, by their name: what they learnt, and how good it was on rows they had not seen.
CREATE TABLE IF NOT EXISTS main.llm_scorers(
  name TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  trained_at INTEGER NOT NULL,
  report TEXT NOT NULL,       -- JSON
  weights BLOB NOT NULL
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
