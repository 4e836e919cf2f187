-- The built-in semantic cache: a question and its answer, a partition per system prompt and scope (model or
-- route, parameters, schema, the conversation so far, and the user where that is asked for).
CREATE VIRTUAL TABLE IF NOT EXISTS main.llm_cache USING semantic_cache(embedder='static', max_entries=1000000);

-- Which entry a semantic hit was served from, and which one holds the answer of a call.
CREATE TABLE IF NOT EXISTS main.llm_served(
  call_id INTEGER PRIMARY KEY,
  entry INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS main.llm_served_entry ON llm_served(entry);

-- What llm_cache_feedback() was told.
CREATE TABLE IF NOT EXISTS main.llm_feedback(
  call_id INTEGER PRIMARY KEY,
  ts INTEGER NOT NULL,
  ok INTEGER NOT NULL
);
