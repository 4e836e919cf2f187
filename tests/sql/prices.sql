-- Prices and tokens need no call.

SELECT 'cached input inside the count (gpt-4o)', llm_cost('gpt-4o', 2006, 300, '{"cached":1920}') = 0.005615;
SELECT 'the same from OpenAI''s usage', llm_cost('gpt-4o-mini', '{"prompt_tokens":2006,"completion_tokens":300,"prompt_tokens_details":{"cached_tokens":1920}}') = 0.0003369;
SELECT 'Anthropic''s counts stand beside each other', llm_cost('claude-haiku-4-5', '{"input_tokens":21,"output_tokens":393,"cache_creation_input_tokens":1000,"cache_read_input_tokens":2000}')
  = (21 * 1.0 + 393 * 5.0 + 1000 * 1.25 + 2000 * 0.1) / 1e6;
SELECT 'a dated snapshot has its model''s price', llm_price('gpt-4o-2024-08-06', 'input') = 2.5;
SELECT 'prices have dates', llm_price('claude-sonnet-4-6', 'output', '{"at":"2026-03-12","input":200001}') = 22.5 AND llm_price('gpt-5.6-luna', 'output', '2026-07-29') = 6 AND llm_price('gpt-5.6-luna', 'output', '2026-07-30') = 1.2;
SELECT 'the tier is chosen per request, strictly above', llm_cost('gpt-5.6-luna', 272001, 1000, '{"cache_write":100000,"cached":50000,"at":"2026-07-29"}') = 0.513002;
SELECT 'at the threshold the lower one holds', llm_cost('gpt-5.6-luna', 272000, 1000, '{"cache_write":100000,"cached":50000,"at":"2026-07-30"}') = 0.0516;
SELECT 'reads without a price of their own cost input', llm_price('llama-3.3-70b-versatile', 'cache_read') = llm_price('llama-3.3-70b-versatile', 'input');
SELECT 'an unknown model can be NULL', llm_cost('no-such-model', 1, 1, '{"unknown":"null"}') IS NULL;
SELECT 'an unknown count is an unknown cost', llm_cost('gpt-4o', NULL, 1) IS NULL AND llm_cost(NULL, 1, 1) IS NULL;
SELECT 'zero is zero', llm_cost('gpt-4o', 0, 0) = 0.0;
SELECT 'a missing usage is NULL, not 0', llm_cost('gpt-4o', '{}') IS NULL;

INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o', 'input', 2.0), ('my-own', 'input', 0.3), ('my-own', 'output', 0.3);
SELECT 'a row in llm_prices overrides', llm_price('gpt-4o', 'input') = 2 AND llm_price('gpt-4o', 'output') = 10;
SELECT 'and adds', llm_cost('my-own', 1000000, 1000000) = 0.6;
INSERT INTO llm_prices(model, kind, usd_per_million, valid_from) VALUES ('gpt-4o', 'input', 1.5, '2026-06-01');
SELECT 'with dates', llm_price('gpt-4o', 'input', '2026-05-31') = 2 AND llm_price('gpt-4o', 'input', '2026-06-01') = 1.5;

SELECT 'tokens are counted', llm_tokens('') = 0 AND llm_tokens('Hello world') = 2 AND llm_tokens(NULL) IS NULL;
SELECT 'the model decides how', llm_tokens('naïve', 'gpt-4o') = 3 AND llm_tokens('नमस्ते') = 4 AND llm_tokens('नमस्ते', 'gpt-4') = 6
  AND llm_tokens('नमस्ते', 'text-davinci-003') = 12 AND llm_tokens('नमस्ते', 'r50k_base') = 12;
SELECT 'no model is o200k_base', llm_tokens('नमस्ते', NULL) = llm_tokens('नमस्ते', 'o200k_base');
SELECT 'a vendor''s prefix and a date do not matter', llm_tokens('नमस्ते', 'openai/GPT-4-0613') = 6;
SELECT 'what looks special is text', llm_tokens('<|endoftext|>') = 7;
SELECT 'a model of llm_models may name its encoding', json_extract(supports, '$.tokens') = 'o200k_base'
FROM llm_models WHERE name = 'gpt-4o';
SELECT 'or be an estimate', json_extract(supports, '$.tokens') = 'estimate' FROM llm_models WHERE name = 'claude-haiku-4-5';
SELECT 'Claude is estimated above', llm_tokens('Six words that are all known', 'claude-haiku-4-5') = 7;
SELECT 'numbers and blobs count as their text', llm_tokens(12345) = 2 AND llm_tokens(x'6869') = 1;
SELECT 'a chat costs what OpenAI documents', llm_chat_tokens('[{"role":"user","content":"Hello"}]') = 8
  AND llm_chat_tokens('[{"role":"system","content":"You are a helpful assistant"},{"role":"user","name":"bob","content":"Hello"}]', 'gpt-4') = 19
  AND llm_chat_tokens(NULL, 'gpt-4') IS NULL;
SELECT 'normal form', llm_normalize('  caf' || char(101, 769) || char(160) || ' x  ') = 'caf' || char(233) || ' x';
SELECT 'cosine', abs(embed_cosine(x'0000803f00000000', x'0000803f0000803f') - 0.70710678) < 1e-6;
