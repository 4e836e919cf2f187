-- llm_call_explain(?1): one row of the ledger, as JSON; ext/fn/check.c puts its price behind it. What is in no row (the mode of
-- the cache, options beside these, how near the nearest entry was) is said to be so.
SELECT json_object(
  'id', c.id, 'ts', c.ts, 'time', datetime(c.ts / 1000, 'unixepoch'), 'kind', c.kind,
  'request_id', c.request_id, 'attempt', c.attempt,
  'asked', json_object(
    'model', c.model_requested,
    'why', CASE WHEN c.source IS NOT NULL THEN 'imported'
                WHEN c.tier = 'only key' THEN 'auto: no tier of llm_tiers has a key; this is the one provider whose key is set'
                WHEN c.purpose IS NOT NULL THEN 'beside another call: ' || c.purpose
                WHEN c.kind IN ('hit_exact', 'hit_semantic') AND c.model_requested = 'auto' AND c.tier IS NOT NULL THEN 'auto: answered before, by that tier'
                WHEN c.escalated_from IS NOT NULL THEN 'the answer of call ' || c.escalated_from || ' did not pass its gates'
                WHEN json_valid(c.notes) AND c.notes ->> '$.kept' IS NOT NULL THEN 'auto: ' || (c.notes ->> '$.kept')
                WHEN c.tier_served <> c.tier_drawn THEN 'auto: the tier that was drawn could not take it: see notes'
                WHEN c.route_score IS NOT NULL THEN 'auto: the tier that its score asks for'
                WHEN c.kind IN ('hit_exact', 'hit_semantic') THEN 'named'
                WHEN c.tier IS NOT NULL THEN 'auto: the first tier of llm_tiers whose model has a key'
                ELSE 'named' END,
    'tier', c.tier, 'tier_drawn', c.tier_drawn, 'score', c.route_score, 'scorer', c.route_version,
    'notes', json(CASE WHEN json_valid(c.notes) THEN c.notes END), 'provider', c.provider, 'answered_by', c.model, 'service', c.service, 'geo', c.geo,
    'tag', c.tag, 'user', c.user, 'conversation', c.conversation, 'turn', c.turn,
    'prompt_hash', c.prompt_hash, 'system_hash', c.system_hash),
  'cache', CASE WHEN c.kind IN ('hit_exact', 'hit_semantic') THEN json_object(
    'hit', CASE c.kind WHEN 'hit_exact' THEN 'exact' ELSE 'semantic' END,
    'answer_of', CASE WHEN c.kind = 'hit_semantic'
                      THEN (SELECT min(a.call_id) FROM main.llm_served s JOIN main.llm_served a ON a.entry = s.entry
                            JOIN main.llm_calls k ON k.id = a.call_id AND k.kind = 'call' WHERE s.call_id = c.id)
                      WHEN b.same = 1 THEN b.newest END,
    'similarity', c.similarity, 'saved_nusd', c.saved_nusd)
  ELSE json_object('hit', NULL, 'why_not', CASE
    WHEN c.source IS NOT NULL THEN 'imported: the program that asked did not look here'
    WHEN c.kind = 'refused' THEN 'nothing was sent: see error'
    WHEN c.retry_reason = 'lost' THEN 'the answer to this request was lost before'
    WHEN c.attempt > 1 THEN 'attempt 1 of this request was not answered: see attempts'
    WHEN c.prompt_hash IS NULL THEN 'not kept (llm_config(''log_text'', ''none''))'
    WHEN b.n = 0 THEN 'nothing was stored: this text had not been asked before'
    WHEN b.answered = 0 THEN 'nothing was stored: this text was asked before, not answered'
    WHEN b.same_system = 0 THEN 'nothing was stored under this text and system prompt'
    WHEN b.same = 0 THEN 'nothing was stored under this text and model'
    ELSE 'not kept. This text was answered before: cache ''off'' or ''refresh'', other options, or'
         || ' the answer had expired or was deleted' END,
    'semantic', json(CASE WHEN json_valid(c.notes) THEN c.notes -> '$.semantic' END), 'nearest', 'not kept') END,
  'attempts', (SELECT json_group_array(json_object(
      'id', a.id, 'attempt', a.attempt, 'ts', a.ts, 'kind', a.kind, 'http_status', a.http_status, 'error', a.error,
      'retry_reason', a.retry_reason, 'finish_reason', a.finish_reason, 'ended', a.ended, 'latency_ms', a.latency_ms,
      'cost_nusd', a.cost_nusd, 'answer_hash', a.answer_hash))
    FROM (SELECT * FROM main.llm_calls WHERE request_id = c.request_id AND attempt > 0 ORDER BY attempt, id LIMIT 100) a),
  'gate', json(CASE WHEN json_valid(c.gate) THEN c.gate END),
  'error', c.error, 'cost_nusd', c.cost_nusd, 'list_nusd', c.list_nusd, 'cost_reported_nusd', c.cost_reported_nusd,
  'source', c.source, 'billed', coalesce(c.billed, 'paid'),
  'usage', json(CASE WHEN json_valid(c.usage) THEN c.usage END))
FROM main.llm_calls c,
  -- rows that asked the same text before
  (SELECT count(*) AS n,
          coalesce(sum(is_answered), 0) AS answered,
          coalesce(sum(is_answered AND is_system), 0) AS same_system,
          coalesce(sum(is_answered AND is_system AND is_model), 0) AS same,
          max(CASE WHEN is_answered AND is_system AND is_model THEN id END) AS newest
   FROM (SELECT p.id, p.kind IN ('call', 'embed', 'batch') AND p.error IS NULL AS is_answered,
                p.system_hash IS q.system_hash AS is_system,
                p.model_requested IS q.model_requested OR q.model_requested = 'auto' OR p.model IS q.model AS is_model
         FROM main.llm_calls q JOIN main.llm_calls p ON p.prompt_hash = q.prompt_hash AND p.id < q.id
              AND p.request_id <> q.request_id
         WHERE q.id = ?1)) b
WHERE c.id = ?1;
