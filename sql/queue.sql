-- What waits for a batch: a table of your own database that llm_init() makes. A row is a request, and later its answer.
--
-- Legal steps of status (an INSERT has 'queued', and nothing else):
--
--   queued      sending, done (a cache had it), failed, expired (its deadline), cancelled
--   sending     submitted, done, failed, expired, cancelled, queued
--   submitted   done, failed, expired, cancelled, queued (to be sent again; without its batch, as a flush does it: else it would be paid twice)
--   done, failed, expired, cancelled      queued, by hand
--
-- 'sending' and 'submitted' are under way: their answers are found by id and belong to what was asked, so that nothing of
-- the request may change, and the row may not go, until they are over. SQLite runs no DELETE trigger for the row that
-- OR REPLACE takes away, so that INSERT and UPDATE look for one under their id. (Checks are as cheap as they can be: a million
-- rows are inserted at more than 200,000 a second.)
CREATE TABLE IF NOT EXISTS main.batch_submit(
  id INTEGER PRIMARY KEY
    CONSTRAINT "id is 1 or more" CHECK (id > 0),
  custom_id TEXT              -- yours: need not be unique
    CONSTRAINT "custom_id is a text" CHECK (typeof(custom_id) <> 'blob'),
  prompt TEXT NOT NULL        -- or a JSON array of messages
    CONSTRAINT "prompt is a text, or a JSON array of messages" CHECK (typeof(prompt) = 'text' AND prompt <> ''),
  system TEXT
    CONSTRAINT "system is a text" CHECK (typeof(system) <> 'blob'),
  model TEXT                  -- NULL: the connection's
    CONSTRAINT "model is a text" CHECK (typeof(model) <> 'blob'),
  options TEXT
    CONSTRAINT "options is a JSON object, as of llm_complete" CHECK (options IS NULL OR (json_valid(options) AND json_type(options) = 'object')),
  tag TEXT
    CONSTRAINT "tag is a text" CHECK (typeof(tag) <> 'blob'),
  user TEXT
    CONSTRAINT "user is a text" CHECK (typeof(user) <> 'blob'),
  conversation TEXT
    CONSTRAINT "conversation is a text" CHECK (typeof(conversation) <> 'blob'),
  priority INTEGER NOT NULL DEFAULT 0 -- higher ones first
    CONSTRAINT "priority is a whole number" CHECK (typeof(priority) = 'integer'),
  deadline NUMERIC
    CONSTRAINT "deadline is Unix milliseconds (not seconds), or a date such as '2026-12-01' or '2026-12-01 08:00'"
    CHECK (deadline IS NULL OR (typeof(deadline) = 'integer' AND deadline BETWEEN 100000000000 AND 9999999999999)
           OR (typeof(deadline) = 'text' AND deadline GLOB '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*' AND julianday(deadline) IS NOT NULL)),
  attempts INTEGER NOT NULL DEFAULT 0 -- begun; raised before a request leaves
    CONSTRAINT "attempts is a whole number, 0 or more" CHECK (typeof(attempts) = 'integer' AND attempts >= 0),
  status TEXT NOT NULL DEFAULT 'queued'
    CONSTRAINT "status is queued, sending, submitted, done, failed, expired or cancelled"
    CHECK (status IN ('queued', 'sending', 'submitted', 'done', 'failed', 'expired', 'cancelled')),
  answer TEXT,
  error TEXT,
  cost_usd REAL,
  batch_id INTEGER,           -- llm_batches.id
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)), -- Unix ms
  finished_at INTEGER
);

-- What is to be sent, in its order; and what is under way, by batch. Of a million rows that are done neither has any.
CREATE INDEX IF NOT EXISTS main.batch_submit_queued ON batch_submit(priority DESC) WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS main.batch_submit_under_way ON batch_submit(batch_id) WHERE status IN ('sending', 'submitted');

CREATE TRIGGER IF NOT EXISTS main.batch_submit_insert BEFORE INSERT ON batch_submit
WHEN new.status IS NOT 'queued' OR (new.id > 0 AND EXISTS (SELECT 1 FROM batch_submit WHERE id = new.id AND status IN ('sending', 'submitted')))
BEGIN
  SELECT CASE WHEN new.status IS NOT 'queued'
    THEN RAISE(ABORT, 'batch_submit: a new row has the status queued')
    ELSE RAISE(ABORT, 'batch_submit: the row with this id is under way (sending or submitted): it can''t be replaced; SELECT llm_batch_cancel() first, or wait') END;
END;

CREATE TRIGGER IF NOT EXISTS main.batch_submit_change BEFORE UPDATE ON batch_submit
WHEN (old.status IN ('sending', 'submitted')
      AND (old.id IS NOT new.id OR old.custom_id IS NOT new.custom_id OR old.prompt IS NOT new.prompt OR old.system IS NOT new.system
           OR old.model IS NOT new.model OR old.options IS NOT new.options OR old.tag IS NOT new.tag OR old.user IS NOT new.user
           OR old.conversation IS NOT new.conversation OR old.deadline IS NOT new.deadline
           OR (new.status IN ('sending', 'submitted') AND old.batch_id IS NOT new.batch_id)))
  OR (old.id IS NOT new.id AND EXISTS (SELECT 1 FROM batch_submit WHERE id = new.id AND status IN ('sending', 'submitted')))
BEGIN
  SELECT RAISE(ABORT, 'batch_submit: the row is under way (sending or submitted): its request can''t be changed; SELECT llm_batch_cancel() first, or wait');
END;

CREATE TRIGGER IF NOT EXISTS main.batch_submit_step BEFORE UPDATE OF status ON batch_submit
WHEN (new.status = 'queued' AND old.status IN ('sending', 'submitted') AND new.batch_id IS NOT NULL)
  OR new.status IS NOT old.status AND NOT coalesce(
  instr(CASE old.status WHEN 'queued' THEN ' sending done failed expired cancelled '
                        WHEN 'sending' THEN ' submitted done failed expired cancelled queued '
                        WHEN 'submitted' THEN ' done failed expired cancelled queued '
                        ELSE ' queued ' END, ' ' || new.status || ' '), 0)
BEGIN
  SELECT RAISE(ABORT, 'batch_submit: no such step of status: queued rows are sent, answered or cancelled; sending and submitted ones are under way, and end (SELECT llm_batch_cancel() first, or wait); those that ended can be queued again');
END;

CREATE TRIGGER IF NOT EXISTS main.batch_submit_delete BEFORE DELETE ON batch_submit
WHEN old.status IN ('sending', 'submitted')
BEGIN
  SELECT RAISE(ABORT, 'batch_submit: the row is under way (sending or submitted): it can''t be deleted; SELECT llm_batch_cancel() first, or wait');
END;

-- The name of this queue in the store, which may serve other databases too: random, one row.
CREATE TABLE IF NOT EXISTS main.batch_queue(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL
);
INSERT OR IGNORE INTO main.batch_queue VALUES (1, lower(hex(randomblob(16))));
