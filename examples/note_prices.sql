-- The round numbers of a well-known cost table as a price list 'note', which goes before the catalogue, to follow its arithmetic.
-- Two of them are not the market's: Claude Haiku 4.5 costs 1 / 5 (0.80 / 4 was Haiku 3.5), and Mistral Large 3 0.50 / 1.50
-- (2 / 6 was its predecessor). Llama is self-hosted there, so its price is an estimate of your own: of the provider
-- 'self-hosted', which ollama, vllm and their kin are too.
--
--   sqlite3 desk.db -cmd '.load ./llmcost' < examples/note_prices.sql
SELECT llm_init();
SELECT llm_prices_import('examples/note_prices.json', '{"list":"note"}');

-- By the note, and by the market.
SELECT llm_cost('claude-haiku-4-5', 1000000, 1000000, '{"list":"note"}'),
       llm_cost('claude-haiku-4-5', 1000000, 1000000, '{"list":"catalogue"}');

-- Where they differ from the catalogue, per million tokens.
SELECT p.model, p.kind, p.usd_per_million AS note,
       llm_price(p.model, p.kind, '{"list":"catalogue"}') AS market
FROM llm_prices p
WHERE p.list = 'note' AND p.provider <> 'self-hosted'
  AND p.usd_per_million <> llm_price(p.model, p.kind, '{"list":"catalogue"}');

-- Back to the market:  DELETE FROM llm_prices WHERE list = 'note';
