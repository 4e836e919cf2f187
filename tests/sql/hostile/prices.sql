-- The same, where reading a price would run the attacker's expression.

CREATE VIEW llm_prices AS SELECT 'gpt-4o' AS model, 'input' AS kind, llm_complete('x') AS usd_per_million,
                                 NULL AS valid_from, NULL AS valid_to, 0 AS above_tokens;
