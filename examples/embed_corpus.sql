-- A corpus embedded by batch, at half price, and searched by meaning.
--
--   sqlite3 corpus.db -cmd '.load ./llmcost' < examples/embed_corpus.sql
--
-- It is made for a table documents(id INTEGER PRIMARY KEY, body TEXT), and makes one with three rows where it is missing. Run it again:
-- only new documents are sent. For sqlite-vec see the end.
.bail on
SELECT llm_init() IS NOT NULL AS ready;
CREATE TABLE IF NOT EXISTS documents(id INTEGER PRIMARY KEY, body TEXT);
INSERT INTO documents(body) SELECT value FROM json_each('["Parcels are sent within two days.","Returns are free for thirty days.",
  "Invoices can be paid by card."]') WHERE NOT EXISTS (SELECT 1 FROM documents);

INSERT INTO batch_submit(custom_id, prompt, model, tag)
  SELECT id, body, 'text-embedding-3-small', 'corpus' FROM documents
  WHERE body > '' AND id NOT IN (SELECT CAST(custom_id AS INTEGER) FROM batch_submit WHERE tag = 'corpus');
SELECT llm_batch_flush() ->> '$.submitted' AS sent;
SELECT llm_batch_wait() ->> '$.answered' AS embedded;

-- The answers are the vectors that embed() gives. So does embed() itself now, for nothing: they are in the cache.
CREATE TABLE IF NOT EXISTS vectors(document INTEGER PRIMARY KEY, vector BLOB);
INSERT OR IGNORE INTO vectors SELECT CAST(custom_id AS INTEGER), answer FROM batch_submit WHERE tag = 'corpus' AND status = 'done';

-- The three documents nearest to a question.
SELECT d.body, round(embed_cosine(v.vector, q.vector), 3) AS cosine
FROM (SELECT embed('How do I send something back?', 'text-embedding-3-small') AS vector) q, vectors v JOIN documents d ON d.id = v.document
ORDER BY cosine DESC LIMIT 3;

-- What it cost, beside the full price.
SELECT model, requests, cost_nusd / 1e9 AS usd, (cost_nusd + saved_nusd) / 1e9 AS full_usd FROM llm_batches WHERE form = 'openai' ORDER BY id DESC LIMIT 1;

-- A semantic_cache of the same vectors (a question is the text, its answer the document), which then embeds nothing again:
CREATE VIRTUAL TABLE IF NOT EXISTS corpus USING semantic_cache(embedder='text-embedding-3-small');
INSERT INTO corpus(query, response) SELECT body, id FROM documents WHERE id NOT IN (SELECT CAST(response AS INTEGER) FROM corpus);

-- With sqlite-vec (.load ./vec0):
--   CREATE VIRTUAL TABLE vec USING vec0(document INTEGER PRIMARY KEY, vector FLOAT[1536]);
--   INSERT INTO vec SELECT document, vector FROM vectors;
