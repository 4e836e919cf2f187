-- A night's work at half price, for cron and the plain shell: what is due soon is asked now, the rest goes by batch, and what came
-- back since the last time goes to where it belongs.
--
--   */15 * * * *  sqlite3 desk.db -cmd '.load ./llmcost' < examples/nightly.sql >> nightly.log 2>&1
--
-- Run it as often as you like, also twice at once: nothing is queued, sent or paid twice. It is made for tables
--   tickets(id INTEGER PRIMARY KEY, question TEXT, due INTEGER)     due: Unix seconds, or NULL: it can wait
--   answers(ticket INTEGER PRIMARY KEY, answer TEXT)
-- and makes them, empty, where they are missing.
.bail on
.timeout 10000
SELECT llm_init() IS NOT NULL AS ready;
CREATE TABLE IF NOT EXISTS tickets(id INTEGER PRIMARY KEY, question TEXT, due INTEGER);
CREATE TABLE IF NOT EXISTS answers(ticket INTEGER PRIMARY KEY, answer TEXT);

-- Queued once: tickets without an answer that are not in the queue. (One transaction: all of them, or none.)
INSERT INTO batch_submit(custom_id, prompt, system, model, options, tag, deadline)
  SELECT t.id, t.question, 'You are the support desk. Answer in two sentences.', 'gpt-4o-mini', '{"max_tokens":200}', 'nightly',
         t.due * 1000
  FROM tickets t
  WHERE t.question > '' AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.ticket = t.id)
    AND t.id NOT IN (SELECT CAST(custom_id AS INTEGER) FROM batch_submit WHERE tag = 'nightly');

-- What came since the last time; what is queued goes out: a ticket due within a day is asked now, at the full price.
.mode line
SELECT value ->> '$.answered' AS answered, value ->> '$.failed' AS failed, value ->> '$.again' AS queued_again,
       value ->> '$.saved_usd' AS saved_usd, value ->> '$.errors' AS errors
FROM (SELECT llm_batch_poll() AS value);
.bail off
SELECT value ->> '$.hits' AS known, value ->> '$.now' AS asked_now, value ->> '$.submitted' AS sent_by_batch,
       value ->> '$.refused' AS not_sent, value ->> '$.errors' AS errors
FROM (SELECT llm_batch_flush() AS value);   -- (an error while another one flushes: what it leaves is for the next time)
.bail on

-- Answers to where they belong; rows that are done leave the queue.
BEGIN IMMEDIATE;
INSERT OR IGNORE INTO answers SELECT CAST(custom_id AS INTEGER), answer FROM batch_submit
  WHERE tag = 'nightly' AND status = 'done';
DELETE FROM batch_submit WHERE tag = 'nightly' AND status = 'done';
COMMIT;

-- What is under way, what it has cost, and what could not be answered.
.mode box
SELECT state, provider, model, "rows", open_rows, age_s / 60 AS minutes, cost_nusd / 1e9 AS usd, saved_nusd / 1e9 AS saved_usd, expected_end, error
FROM llm_batches ORDER BY id DESC LIMIT 5;
SELECT custom_id, status, attempts, error FROM batch_submit WHERE tag = 'nightly' AND (status IN ('failed', 'expired') OR error IS NOT NULL) LIMIT 10;
