-- The round numbers of a well-known cost table as overrides of the catalogue, to follow its arithmetic. Two of them are not
-- the market's: Claude Haiku 4.5 costs 1 / 5 (0.80 / 4 was Haiku 3.5), and Mistral Large 3 0.50 / 1.50 (2 / 6 was its
-- predecessor). Llama is self-hosted there, so its price is an estimate of your own.
--
--   sqlite3 desk.db -cmd '.load ./llmcost' < examples/note_prices.sql
SELECT llm_init();
DELETE FROM llm_prices WHERE source = 'note';
INSERT INTO llm_prices(model, kind, usd_per_million, source) VALUES
  ('gpt-4o', 'input', 2.50, 'note'),             ('gpt-4o', 'output', 10.00, 'note'),
  ('gpt-4o-mini', 'input', 0.15, 'note'),        ('gpt-4o-mini', 'output', 0.60, 'note'),
  ('claude-sonnet-4-6', 'input', 3.00, 'note'),  ('claude-sonnet-4-6', 'output', 15.00, 'note'),
  ('claude-haiku-4-5', 'input', 0.80, 'note'),   ('claude-haiku-4-5', 'output', 4.00, 'note'),
  ('mistral-large-2512', 'input', 2.00, 'note'), ('mistral-large-2512', 'output', 6.00, 'note'),
  ('llama-4-maverick', 'input', 0.30, 'note'),   ('llama-4-maverick', 'output', 0.30, 'note');

-- Where they differ from the catalogue, per million tokens.
SELECT p.model, p.kind, p.usd_per_million AS note,
       llm_price(p.model, p.kind, '{"list":"catalogue"}') AS market
FROM llm_prices p
WHERE p.source = 'note' AND p.model <> 'llama-4-maverick'
  AND p.usd_per_million <> llm_price(p.model, p.kind, '{"list":"catalogue"}');

-- Back to the market:  DELETE FROM llm_prices WHERE source = 'note';
