-- Security classes, read back from SQLite: flag 0x80000 is DIRECTONLY, 0x200000 INNOCUOUS, 0x800 DETERMINISTIC.

SELECT 'what spends, sends or writes is DIRECTONLY', min(flags & 0x80000 <> 0) AND count(*) = 22
FROM pragma_function_list
WHERE name IN ('llm_complete', 'llm_chat', 'llm_last_call', 'llm_config', 'llm_secret', 'llm_allow_host', 'llm_init',
               'llmcost_debug', 'llm_cache_feedback', 'llm_prices_import', 'llm_import', 'llm_trust_store', 'llm_check', 'llm_prune');
SELECT 'embed spends only when it names a model', sum(flags & 0x80000 <> 0) = 1 AND sum(flags & 0x200000 <> 0) = 1
FROM pragma_function_list WHERE name = 'embed';

SELECT 'nothing that is DIRECTONLY is INNOCUOUS', count(*) = 0
FROM pragma_function_list
WHERE (name LIKE 'llm%' OR name LIKE 'embed%') AND flags & 0x80000 AND flags & 0x200000;

SELECT 'every function of ours is one or the other', count(*) = 0
FROM pragma_function_list
WHERE (name LIKE 'llm%' OR name LIKE 'embed%') AND NOT flags & 0x80000 AND NOT flags & 0x200000;

SELECT 'pure functions are DETERMINISTIC', min(flags & 0x800 <> 0)
FROM pragma_function_list
WHERE name IN ('llm_normalize', 'llm_usage', 'llm_help', 'embed_cosine', 'llmcost_version')
   OR (name IN ('embed', 'llm_tokens', 'llm_chat_tokens') AND narg = 1);
SELECT 'token counts are INNOCUOUS, and with a model, which the ledger may have taught, not DETERMINISTIC',
       count(*) = 4 AND min(flags & 0x200000 <> 0) AND min((flags & 0x800 <> 0) = (narg = 1))
FROM pragma_function_list WHERE name IN ('llm_tokens', 'llm_chat_tokens');

SELECT 'what reads tables or calls is not DETERMINISTIC', max(flags & 0x800) = 0
FROM pragma_function_list
WHERE name IN ('llm_complete', 'llm_chat', 'llm_cost', 'llm_cost_explain', 'llm_price', 'llm_cache_minimum');
