"""What answers, events and programs' logs say was billed: counts, fees, stated costs; read, or an error, and never a number without them."""
import json
import os
import sqlite3
import unittest

from harness import TempDir, connect, error_of, value
from replay import USAGE, Answer, Replay, chat, chunk, sse


def otlp(**counts):
    return [{"key": f"gen_ai.usage.{k.replace('__', '.')}", "value": {"intValue": str(v)}} for k, v in counts.items()]


def grounded(model, **metadata):
    return {"candidates": [{"content": {"parts": [{"text": "x"}]}, "groundingMetadata": metadata}], "modelVersion": model,
            "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 100, "totalTokenCount": 200}}


def response(*items, **more):
    return {"object": "response", "output": [{"type": "reasoning"}, *items, {"type": "message"}],
            "usage": {"input_tokens": 10000, "output_tokens": 100, "total_tokens": 10100}, **more}


def web(action=None):
    return {"type": "web_search_call", **({"action": {"type": action}} if action else {})}


def blocks(*names, **usage):
    return {"type": "message", "content": [{"type": "server_tool_use", "name": name} for name in names],
            "usage": {"input_tokens": 1000, "output_tokens": 100, **usage}}


IMAGES = {"text_tokens": 34, "image_tokens": 323}


def counted(**more):
    return {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **more}


def codex(total, last, **more):
    def one(n):
        return n and {"input_tokens": n, "cached_input_tokens": n // 2, "output_tokens": 20, "reasoning_output_tokens": 5}
    return {"type": "event_msg", "payload": {"type": "token_count", "info": {
        "total_token_usage": one(total), "last_token_usage": one(last)}, **more}}


LIMITS = {"rate_limits": {"primary": {"used_percent": 3.0, "window_minutes": 300, "resets_in_seconds": 9}}}
V3 = {"inputTokens": {"total": 4557, "noCache": 6, "cacheRead": 3584, "cacheWrite": 967}, "outputTokens": {"total": 113}}
RAW = {"input_tokens": 6, "output_tokens": 113, "cache_creation_input_tokens": 967, "cache_read_input_tokens": 3584,
       "cache_creation": {"ephemeral_5m_input_tokens": 967, "ephemeral_1h_input_tokens": 0}, "service_tier": "standard"}

OPENCODE = {"cost": 0.01, "tokens": {"input": 8, "output": 2, "reasoning": 1, "cache": {"read": 100, "write": 7}}}
DETAILED = counted(prompt_tokens_details={"cached_tokens": 900})
MODELS = {"claude-opus-4-8": {"inputTokens": 3, "outputTokens": 9, "cacheReadInputTokens": 7, "cacheCreationInputTokens": 5, "webSearchRequests": 2, "costUSD": 0.1,
                              "contextWindow": 200000},
          "claude-haiku-4-5": {"inputTokens": 300000, "outputTokens": 9, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0, "costUSD": 0.023}}

# What is logged or sent, and what it says was billed (zeros left out).
SHAPES = [
    ("OpenTelemetry's attributes", {"gen_ai.usage.input_tokens": 130213, "gen_ai.usage.output_tokens": 40,
     "gen_ai.usage.cache_read.input_tokens": 128955, "gen_ai.usage.cache_creation.input_tokens": 1253},
     {"input": 130213, "cache_read": 128955, "cache_write": 1253, "output": 40}),
    ("its older names", {"gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": 4, "llm.usage.total_tokens": 14},
     {"input": 10, "output": 4}),
    ("among others", {"name": "chat", "attributes": {"gen_ai.system": "openai", "gen_ai.request.max_tokens": 99,
     "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 4, "gen_ai.usage.cache_write.input_tokens": 3}},
     {"input": 10, "cache_write": 3, "output": 4}),
    ("in objects", {"gen_ai": {"usage": {"input_tokens": 10, "output_tokens": 4, "reasoning": {"output_tokens": 2}}}},
     {"input": 10, "output": 4, "reasoning": 2}),
    ("as OTLP sends them", {"attributes": otlp(input_tokens=12, output_tokens=5, cache_read__input_tokens=7)},
     {"input": 12, "cache_read": 7, "output": 5}),
    ("in OTLP's envelope", {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": otlp(input_tokens=12, output_tokens=5)}]}]}]},
     {"input": 12, "output": 5}),
    ("a level deeper than a number", {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.input_tokens.cached": 4,
     "gen_ai.usage.output_tokens": 3}, {"input": 10, "cache_read": 4, "output": 3}),
    ("as texts", {"SpanAttributes": {"gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": "5"}}, {"input": 12, "output": 5}),
    ("OpenInference", {"attributes": {"llm.token_count.prompt": 100, "llm.token_count.completion": 20, "llm.token_count.total": 120,
     "llm.token_count.prompt_details.cache_read": 50, "llm.token_count.completion_details.reasoning": 5}},
     {"input": 100, "cache_read": 50, "output": 20, "reasoning": 5}),
    ("Codex: the turn", codex(9000, 3000, **LIMITS), {"input": 3000, "cache_read": 1500, "output": 20, "reasoning": 5}),
    ("Codex: the inner object", codex(9000, 3000)["payload"]["info"], {"input": 3000, "cache_read": 1500, "output": 20, "reasoning": 5}),
    ("Codex: a turn logged twice", [codex(9000, 3000), codex(9000, 3000)], {"input": 3000, "cache_read": 1500, "output": 20, "reasoning": 5}),
    ("opencode", {"input": 86, "output": 20, "reasoning": 5, "cache": {"read": 17817, "write": 0}},
     {"input": 17903, "cache_read": 17817, "output": 25, "reasoning": 5}),
    ("opencode: a message", {"role": "assistant", "modelID": "x", "cost": 0.1,
     "tokens": {"input": 8, "output": 2, "reasoning": 0, "cache": {"read": 0, "write": 7}}}, {"input": 15, "cache_write": 7, "output": 2}),
    ("gemini-cli", {"input": 20212, "output": 931, "cached": 16298, "thoughts": 100, "tool": 0, "total": 21243},
     {"input": 20212, "cache_read": 16298, "output": 1031, "reasoning": 100}),
    ("gemini-cli: a message", {"type": "gemini", "tokens": {"input": 20, "output": 9, "cached": 0, "thoughts": 1, "tool": 7, "total": 37}},
     {"input": 27, "input_tool": 7, "output": 10, "reasoning": 1}),
    ("AI SDK, third version", {**V3, "raw": RAW}, {"input": 4557, "cache_read": 3584, "cache_write": 967, "cache_write_5m": 967, "output": 113}),
    ("without the raw one", V3, {"input": 4557, "cache_read": 3584, "cache_write": 967, "output": 113}),
    ("the raw one tells more", {"usage": {**V3, "raw": {**RAW, "cache_creation": {"ephemeral_1h_input_tokens": 967}, "service_tier": "batch"}}},
     {"input": 4557, "cache_read": 3584, "cache_write": 967, "cache_write_1h": 967, "output": 113, "service": "batch"}),
    ("the raw one is of the last step", {**V3, "raw": {**RAW, "output_tokens": 9}}, {"input": 4557, "cache_read": 3584, "cache_write": 967, "output": 113}),
    ("AI SDK: all steps", {"usage": {"inputTokens": 5, "outputTokens": 1}, "totalUsage": {"inputTokens": 15, "outputTokens": 3}}, {"input": 15, "output": 3}),
    ("Moonshot's last chunk", {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "usage": counted(cached_tokens=64)}]},
     {"input": 1000, "cache_read": 64, "output": 100}),
    ("in its stream", [{"id": "a", "choices": [{"delta": {"content": "x"}}]}, {"id": "a", "choices": [{"delta": {}, "usage": counted()}]},
                       {"id": "a", "choices": []}], {"input": 1000, "output": 100}),
    ("Groq's last chunk", {"choices": [], "x_groq": {"id": "q", "usage": counted(queue_time=0.1, total_time=3)}}, {"input": 1000, "output": 100}),
    ("Bedrock's metrics", {"type": "message_stop", "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 10, "outputTokenCount": 5, "invocationLatency": 100, "firstByteLatency": 50, "cacheReadInputTokenCount": 3}},
     {"input": 13, "cache_read": 3, "output": 5}),
    ("beside the model's own", [{"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 10, "cache_read_input_tokens": 3, "output_tokens": 1}}},
     {"type": "message_delta", "usage": {"output_tokens": 5}},
     {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 10, "outputTokenCount": 5, "cacheReadInputTokenCount": 3}}],
     {"input": 13, "cache_read": 3, "output": 5}),
    ("Titan", {"inputTextTokenCount": 5, "results": [{"tokenCount": 7, "outputText": "x"}]}, {"input": 5, "output": 7}),
    ("Llama at Bedrock", {"generation": "x", "prompt_token_count": 3, "generation_token_count": 4}, {"input": 3, "output": 4}),
    ("Nova", {"usage": {"inputTokens": 22, "outputTokens": 13, "cacheReadInputTokenCount": 0, "cacheWriteInputTokenCount": 2492}},
     {"input": 2514, "cache_write": 2492, "output": 13}),
    ("Nova, by both names", {"usage": {"inputTokens": 22, "outputTokens": 13, "cacheWriteInputTokenCount": 2492, "cacheWriteInputTokens": 2492,
     "cacheReadInputTokens": 0, "totalTokens": 2527}}, {"input": 2514, "cache_write": 2492, "output": 13}),
    ("a line of Bedrock's batch", {"recordId": "r", "modelInput": {}, "modelOutput": {"usage": {"input_tokens": 3, "output_tokens": 4}}},
     {"input": 3, "output": 4, "service": "batch"}),
    ("Langfuse", {"input": 86, "input_cached_tokens": 17817, "output": 20, "total": 17923}, {"input": 17903, "cache_read": 17817, "output": 20}),
    ("Langfuse: an observation", {"id": "o", "usageDetails": {"input": 10, "output": 5, "cache_read_input_tokens": 1000,
     "input_cache_creation": 100, "output_reasoning_tokens": 3, "total": 1118}},
     {"input": 1110, "cache_read": 1000, "cache_write": 100, "output": 8, "reasoning": 3}),
    ("Langfuse: reasoning inside, as its total tells", {"input": 10, "output": 5, "output_reasoning_tokens": 3, "total": 15},
     {"input": 10, "output": 5, "reasoning": 3}),
    ("Claude Code", {"type": "assistant", "requestId": "r", "message": {"id": "m", "model": "claude-opus-4-8", "usage": {
     "input_tokens": 3, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 9}}},
     {"input": 15, "cache_read": 7, "cache_write": 5, "output": 9}),
    ("Gemini by Python", {"usage_metadata": {"prompt_token_count": 10, "candidates_token_count": 3, "thoughts_token_count": 4, "total_token_count": 17}},
     {"input": 10, "output": 7, "reasoning": 4}),
    ("Gemini live", {"usageMetadata": {"promptTokenCount": 10, "responseTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 15,
     "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}]}}, {"input": 10, "input_audio": 8, "output": 5, "reasoning": 2}),
    ("Gemini's interactions", {"usage": {"total_input_tokens": 10, "total_cached_tokens": 4, "total_output_tokens": 3, "total_thought_tokens": 2,
     "total_tool_use_tokens": 0, "total_tokens": 15}}, {"input": 10, "cache_read": 4, "output": 5, "reasoning": 2}),
    ("gemini-cli's event", {"attributes": {"event.name": "gemini_cli.api_response", "input_token_count": 100, "output_token_count": 10,
     "cached_content_token_count": 50, "thoughts_token_count": 5, "tool_token_count": 0, "total_token_count": 115}},
     {"input": 100, "cache_read": 50, "output": 15, "reasoning": 5}),
    ("Claude Code's event", {"attributes": {"input_tokens": 3, "output_tokens": 10, "cache_read_tokens": 500, "cache_creation_tokens": 20,
     "cost_usd": 0.1}}, {"input": 523, "cache_read": 500, "cache_write": 20, "output": 10}),
    ("LangChain's token_usage", {"llm_output": {"token_usage": counted()}}, {"input": 1000, "output": 100}),
    ("Bedrock's last event", {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 2}, "metrics": {"latencyMs": 5}}}, {"input": 5, "output": 2}),
    ("Cohere's last event", {"type": "message-end", "delta": {"usage": {"billed_units": {"input_tokens": 5, "output_tokens": 2},
     "tokens": {"input_tokens": 50, "output_tokens": 2}}}}, {"input": 5, "output": 2}),
    ("LiteLLM, by both names", counted(input_tokens=1000, output_tokens=100, cache_read_input_tokens=20, cache_creation_input_tokens=7,
     prompt_tokens_details={"cached_tokens": 20, "cache_creation_tokens": 7, "cache_creation_token_details": {"ephemeral_1h_input_tokens": 7}}),
     {"input": 1000, "cache_read": 20, "cache_write": 7, "cache_write_1h": 7, "output": 100}),
    ("Codex's event", {"attributes": {"event.name": "codex.sse_event", "input_token_count": 1000, "output_token_count": 20, "cached_token_count": 0,
     "reasoning_token_count": 5, "tool_token_count": 1020}}, {"input": 1000, "output": 20, "reasoning": 5}),
    ("its texts", {"attributes": {"input_token_count": "1000", "output_token_count": "20", "cached_token_count": "500", "tool_token_count": "1020"}},
     {"input": 1000, "cache_read": 500, "output": 20}),
    ("in OTLP", {"attributes": [{"key": k, "value": {"intValue": str(v)}} for k, v in (("input_token_count", 1000), ("output_token_count", 20),
     ("cached_token_count", 500), ("tool_token_count", 1020))]}, {"input": 1000, "cache_read": 500, "output": 20}),
    ("Claude Code's event in OTLP", {"attributes": [{"key": k, "value": {"stringValue": str(v)}} for k, v in (("input_tokens", 3), ("output_tokens", 10),
     ("cache_read_tokens", 500), ("cache_creation_tokens", 20))]}, {"input": 523, "cache_read": 500, "cache_write": 20, "output": 10}),
    ("attributes in pairs", {"attributes": [["gen_ai.usage.input_tokens", 100], ["gen_ai.usage.output_tokens", 5]]}, {"input": 100, "output": 5}),
    ("the level below first", {"gen_ai.usage.input_tokens.cached": 4, "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 3},
     {"input": 10, "cache_read": 4, "output": 3}),
    ("Langfuse: cached inside, as its total tells", {"input": 1000, "output": 20, "total": 1020, "cache_read_input_tokens": 900},
     {"input": 1000, "cache_read": 900, "output": 20}),
    ("Langfuse: both inside", {"usageDetails": {"input": 1000, "output": 20, "total": 1020, "input_cached_tokens": 900, "output_reasoning_tokens": 5}},
     {"input": 1000, "cache_read": 900, "output": 20, "reasoning": 5}),
    ("Langfuse: sound inside", {"input": 1000, "output": 20, "total": 1020, "input_audio_tokens": 300}, {"input": 1000, "input_audio": 300, "output": 20}),
    ("AI SDK: reasoning beside", {"usage": {"inputTokens": 100, "outputTokens": 20, "reasoningTokens": 500, "totalTokens": 620}},
     {"input": 100, "output": 520, "reasoning": 500}),
    ("AI SDK: a total of other things", {"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 1015, "cachedInputTokens": 7}},
     {"input": 10, "cache_read": 7, "output": 5}),
    ("AI SDK: inside", {"usage": {"inputTokens": 100, "outputTokens": 520, "outputTokenDetails": {"reasoningTokens": 500}, "totalTokens": 620}},
     {"input": 100, "output": 520, "reasoning": 500}),
    ("Bedrock: its total holds the cached ones", {"inputTokens": 1, "outputTokens": 10, "totalTokens": 7314, "cacheReadInputTokens": 6512,
     "cacheWriteInputTokens": 791}, {"input": 7304, "cache_read": 6512, "cache_write": 791, "output": 10}),
    ("Gemini's form, thoughts inside", {"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 5,
     "totalTokenCount": 120}}, {"input": 100, "output": 20, "reasoning": 5}),
    ("Gemini's own, with a tool's prompt", {"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 5,
     "toolUsePromptTokenCount": 7, "totalTokenCount": 132}}, {"input": 107, "input_tool": 7, "output": 25, "reasoning": 5}),
    ("Alibaba's written tokens", counted(prompt_tokens_details={"cached_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 500},
     "cache_creation_input_tokens": 500, "cache_type": "ephemeral"}), {"input": 1000, "cache_write": 500, "cache_write_5m": 500, "output": 100}),
    ("a zero, then the hits", counted(prompt_tokens_details={"cached_tokens": 0}, prompt_cache_hit_tokens=640), {"input": 1000, "cache_read": 640, "output": 100}),
    ("Zed", {"token_usage": {"input_tokens": 3, "output_tokens": 9, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 5}},
     {"input": 15, "cache_read": 7, "cache_write": 5, "output": 9}),
    ("gemini-cli's end", {"prompt": 24939, "candidates": 20, "total": 25113, "cached": 21263, "thoughts": 154, "tool": 0},
     {"input": 24939, "cache_read": 21263, "output": 174, "reasoning": 154}),
    ("gemini-cli's end, newer", {"input": 3676, "prompt": 24939, "candidates": 20, "total": 25113, "cached": 21263, "thoughts": 154, "tool": 0},
     {"input": 24939, "cache_read": 21263, "output": 174, "reasoning": 154}),
    ("gemini-cli's end, by model", {"stats": {"models": {"m": {"api": {"totalRequests": 1}, "tokens": {"prompt": 10, "candidates": 2, "cached": 0, "thoughts": 1}}}}},
     {"input": 10, "output": 3, "reasoning": 1, "parts": [{"input": 10, "cache_read": 0, "output": 3, "reasoning": 1, "model": "m"}]}),
    ("gemini-cli's stream", {"type": "result", "stats": {"total_tokens": 25113, "input_tokens": 24939, "output_tokens": 20, "cached": 21263, "input": 3676}},
     {"input": 24939, "cache_read": 21263, "output": 174}),
    ("Langfuse: zeros of no unit", {"usageDetails": {"input": 86, "output": 20, "input_cached_tokens": 17817, "output_accepted_prediction_tokens": 0}},
     {"input": 17903, "cache_read": 17817, "output": 20}),
    ("Langfuse: lifetimes", {"usageDetails": {"input": 3, "output": 9, "cache_creation_input_tokens": 5, "ephemeral_1h_input_tokens": 5, "total": 17}},
     {"input": 8, "cache_write": 5, "cache_write_1h": 5, "output": 9}),
    ("a line of OCR", {"custom_id": "1", "response": {"body": {"pages": [], "usage_info": {"pages_processed": 3, "doc_size_bytes": 5}}}}, {"page": 3, "service": "batch"}),
    ("of a rerank", {"custom_id": "1", "response": {"body": {"results": [], "meta": {"billed_units": {"search_units": 1}}}}}, {"rerank": 1, "service": "batch"}),
    ("of a picture", {"custom_id": "1", "response": {"body": {"created": 1, "data": [{"url": "x"}]}}}, {"image": 1, "service": "batch"}),
    ("of Moonshot", {"custom_id": "1", "response": {"body": {"choices": [{"usage": counted()}]}}}, {"input": 1000, "output": 100, "service": "batch"}),
    ("of xAI", {"custom_id": "1", "batch_result": {"response": {"chat_get_completion": {"usage": counted()}}}}, {"input": 1000, "output": 100, "service": "batch"}),
    ("of Titan", {"recordId": "r", "modelOutput": {"inputTextTokenCount": 5, "results": [{"tokenCount": 7}]}}, {"input": 5, "output": 7, "service": "batch"}),
    ("of Llama", {"recordId": "r", "modelOutput": {"prompt_token_count": 3, "generation_token_count": 4}}, {"input": 3, "output": 4, "service": "batch"}),
    ("pairs alone", [["gen_ai.usage.input_tokens", 100], ["gen_ai.usage.output_tokens", 5]], {"input": 100, "output": 5}),
    ("keys and values alone", otlp(input_tokens=12, output_tokens=5), {"input": 12, "output": 5}),
    ("AI SDK, fourth", {"usage": {"promptTokens": 100, "completionTokens": 20, "totalTokens": 120},
     "providerMetadata": {"openai": {"cachedPromptTokens": 50, "reasoningTokens": 5}}}, {"input": 100, "cache_read": 50, "output": 20, "reasoning": 5}),
    ("with what stands beside its input", {"usage": {"promptTokens": 100, "completionTokens": 20}, "providerMetadata": {"anthropic": {"cacheReadInputTokens": 5}}},
     {"input": 100, "output": 20, "other": "cacheInputTokens"}),
    ("Cohere's first stream", {"event_type": "stream-end", "response": {"meta": {"billed_units": {"input_tokens": 5, "output_tokens": 9}}}}, {"input": 5, "output": 9}),
    ("Claude Code's stream", {"type": "stream_event", "event": {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 9}}}},
     {"input": 3, "output": 9}),
    ("Codex: a message", {"id": "0", "msg": codex(9000, 3000)["payload"]}, {"input": 3000, "cache_read": 1500, "output": 20, "reasoning": 5}),
    ("Codex: for editors", {"params": {"tokenUsage": {"total": {"inputTokens": 9000, "outputTokens": 90}, "last": {
     "inputTokens": 3000, "cachedInputTokens": 1000, "outputTokens": 20, "reasoningOutputTokens": 5}}}},
     {"input": 3000, "cache_read": 1000, "output": 20, "reasoning": 5}),
    *[(f"opencode: {name}", event, {"input": 115, "cache_read": 100, "cache_write": 7, "output": 3, "reasoning": 1}) for name, event in (
        ("a part", {"type": "step_finish", "part": OPENCODE}), ("an update", {"properties": {"info": OPENCODE}}), ("older", {"metadata": {"assistant": OPENCODE}}))],
    ("pi", {"type": "message", "message": {"usage": {"input": 3, "output": 9, "cacheRead": 7, "cacheWrite": 5, "totalTokens": 24, "cost": {"total": 0.3}}}},
     {"input": 15, "cache_read": 7, "cache_write": 5, "output": 9}),
    (".NET", {"usage": {"inputTokenCount": 100, "outputTokenCount": 20, "totalTokenCount": 120, "cachedInputTokenCount": 50}},
     {"input": 100, "cache_read": 50, "output": 20}),
    (".NET, OpenAI's", {"Usage": {"InputTokenCount": 100, "OutputTokenCount": 20, "InputTokenDetails": {"CachedTokenCount": 50}}},
     {"input": 100, "cache_read": 50, "output": 20}),
    ("Spring", {"metadata": {"usage": {"promptTokens": 100, "completionTokens": 20, "nativeUsage": {"promptTokensDetails": {"cachedTokens": 50}}}}},
     {"input": 100, "cache_read": 50, "output": 20}),
    ("Spring, older", {"metadata": {"usage": {"promptTokens": 100, "generationTokens": 20}}}, {"input": 100, "output": 20}),
    ("langchain4j", {"tokenUsage": {"inputTokenCount": 100, "outputTokenCount": 20, "inputTokensDetails": {"cachedTokens": 50}}},
     {"input": 100, "cache_read": 50, "output": 20}),
    ("its counts itself", {"prompt_tokens": 10, "completion_tokens": 5, "stats": {"tokens_per_second": 9}}, {"input": 10, "output": 5}),
    ("LM Studio", {"stats": {"input_tokens": 10, "total_output_tokens": 5, "reasoning_output_tokens": 2, "tokens_per_second": 43.7}},
     {"input": 10, "output": 5, "reasoning": 2}),
    ("Continue", {"model": "x", "promptTokens": 100, "generatedTokens": 20}, {"input": 100, "output": 20}),
    ("autogen", {"models_usage": {"prompt_tokens": 100, "completion_tokens": 20}}, {"input": 100, "output": 20}),
    *[(f"LiteLLM's log, {kind}", {"request_id": "a", "call_type": "acompletion", "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
       "metadata": metadata}, {"input": 1000, "cache_read": 900, "output": 100}) for kind, metadata in (
           ("objects", {"usage_object": DETAILED}), ("a text", json.dumps({"usage_object": DETAILED})), ("a text in it", {"usage_object": json.dumps(DETAILED)}))],
    ("its metadata no JSON", {"prompt_tokens": 10, "completion_tokens": 1, "metadata": "{x"}, {"input": 10, "output": 1}),
    ("AI SDK: what Anthropic said itself", {"usage": {"inputTokens": 6, "outputTokens": 113, "totalTokens": 119, "cachedInputTokens": 3584},
     "providerMetadata": {"anthropic": {"usage": {**RAW, "cache_creation": {"ephemeral_1h_input_tokens": 967}}}}},
     {"input": 4557, "cache_read": 3584, "cache_write": 967, "cache_write_1h": 967, "output": 113}),
    ("of another step", {"usage": {"inputTokens": 9, "outputTokens": 7, "cachedInputTokens": 3}, "providerMetadata": {"anthropic": {"usage": RAW}}},
     {"input": 9, "cache_read": 3, "output": 7}),
    ("Claude Code's result, one model", {"type": "result", "usage": {"input_tokens": 3, "output_tokens": 9}, "modelUsage": {"m": {"inputTokens": 3, "outputTokens": 9}}},
     {"input": 3, "output": 9, "parts": [{"input": 3, "output": 9, "model": "m"}]}),
    ("models alone", {"modelUsage": {"m": {"inputTokens": 3, "outputTokens": 9}, "n": {"inputTokens": 4, "outputTokens": 0, "cacheReadInputTokens": 5}}},
     {"input": 12, "output": 9, "cache_read": 5, "parts": [{"input": 3, "output": 9, "model": "m"},
      {"input": 9, "cache_read": 5, "output": 0, "model": "n"}]}),
    ("Mistral's connectors", {"usage": {"prompt_tokens": 188, "completion_tokens": 55, "connector_tokens": 7355, "total_tokens": 7598}},
     {"input": 7543, "output": 55}),
]

def lines(name, *ids):
    return [{name: i, "usage": {"input_tokens": 1, "output_tokens": 2}} for i in ids]


def step(name):
    return {"type": "finish-step", "response": {"id": name}, "usage": {"inputTokens": 100, "outputTokens": 20}}


# Two requests in an array; and one that is told several times.
TWO_REQUESTS = [
    *[lines(name, "a", "b") for name in ("id", "responseId", "response_id", "requestId", "request_id", "spanId", "span_id", "custom_id")],
    [{"uuid": i, "requestId": i, "message": {"id": "m", "usage": {"input_tokens": 1, "output_tokens": 2}}} for i in "ab"],
    [{"recordId": i, "modelOutput": {"usage": {"input_tokens": 1, "output_tokens": 2}}} for i in "ab"],
    [{"traceId": "t", "spanId": i, "attributes": {"gen_ai.usage.input_tokens": 5}} for i in "ab"],
    [step("a"), step("b")], [{"type": "turn.completed", "usage": {"input_tokens": n, "cached_input_tokens": 0, "output_tokens": 1}} for n in (5, 6)],
    [{"done": True, "prompt_eval_count": 5, "eval_count": 6}] * 2,
]
ONE_REQUEST = [
    ([{"type": "assistant", "uuid": i, "requestId": "r", "message": {"id": "m", "usage": {"input_tokens": 3, "output_tokens": n}}} for i, n in (("a", 1), ("b", 9))],
     {"input": 3, "output": 9}),
    ([step("a"), step("b"), {"type": "finish", "totalUsage": {"inputTokens": 200, "outputTokens": 40}}], {"input": 200, "output": 40}),
    ([{"done": False}, {"done": True, "prompt_eval_count": 5, "eval_count": 6}], {"input": 5, "output": 6}),
    ([{"id": "x", "custom_id": "a", "response": {"request_id": "r", "body": {"id": "c", "usage": counted()}}}], {"input": 1000, "output": 100, "service": "batch"}),
]

TOKENS = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
THREE = {"input_tokens": 3000, "output_tokens": 20, "total_tokens": 3020}
CONVERSE = {"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}}
# What was sold and where: body, service, place.
SERVICES = [
    ({**TOKENS, "openai.response.service_tier": "flex"}, "flex", None), ({"attributes": {**TOKENS, "gen_ai.openai.response.service_tier": "priority"}}, "priority", None),
    ({"attributes": [{"key": k, "value": {"stringValue": str(v)}} for k, v in {**TOKENS, "openai.response.service_tier": "flex"}.items()]}, "flex", None),
    ({"gen_ai": {"usage": {"input_tokens": 5, "output_tokens": 5}, "openai": {"response": {"service_tier": "flex"}}}}, "flex", None),
    ({**TOKENS, "gen_ai.openai.request.service_tier": "flex"}, None, None),
    ({"usage_metadata": {**THREE, "input_token_details": {"flex": 3000, "flex_cache_read": 0}}}, "flex", None),
    ({"usage_metadata": {**THREE, "input_token_details": {"priority": 0, "priority_cache_read": 3000}}}, "priority", None),
    ({"usage_metadata": {**THREE, "input_token_details": {"flex": 0, "priority": 0}}}, None, None),
    ({"usage_metadata": THREE, "response_metadata": {"service_tier": "flex"}}, "flex", None),
    ({"id": "batch_1", "object": "batch", "usage": THREE}, "batch", None), ({"object": "response", "usage": THREE}, None, None),
    ({**CONVERSE, "performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": "default"}}, "optimized", None),
    ({**CONVERSE, "performanceConfig": {"latency": "standard"}, "serviceTier": {"type": "flex"}}, "flex", None),
    ([{"usage": {**RAW, "inference_geo": "us"}}, {"usage": {"output_tokens": 200, "inference_geo": "not_available"}}], None, "us"),
    ([{"service_tier": "flex", "usage": counted()}, {"service_tier": "auto"}], "flex", None),
    ([{"service_tier": "auto"}, {"service_tier": "flex", "usage": counted()}], "flex", None),
    ([{"service_tier": "flex", "usage": counted()}, {"service_tier": "default"}], None, None),
    ([{"usageMetadata": {"promptTokenCount": 5, "trafficType": t}} for t in ("ON_DEMAND_FLEX", "TRAFFIC_TYPE_UNSPECIFIED")], "flex", None),
]

# Zeros of other dialects beside the counts, as gateways send them.
ZEROS = [{"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 0, "output_tokens": 0, "input_tokens_details": None, "cache_read_input_tokens": 0,
          "cache_creation_input_tokens": 0}, {"inputTokens": 0, "outputTokens": 0, "cachedInputTokens": 0, "reasoningTokens": 0},
         {"input_tokens": 0, "output_tokens": 0, "prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 0},
         {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0}]

# Nothing of a known shape: the member that looks like a count is named.
UNKNOWN = [
    ({"tokens_in": 5, "tokens_out": 3}, "'tokens_in'"), ({"usage": {"total_tokens": 5}}, "'total_tokens'"),
    ({"meta": {"tokens": {"in": 3}}}, "'in'"), ({"stats": [{"n_tokens": 5}]}, "'n_tokens'"), ({"tokensIn": 1, "cacheReads": 2}, "'tokensIn'"),
    (codex(9000, None), "'input_tokens'"), ([codex(9000, 3000), codex(12000, 3000)], "two turns"),
    ({"generated_text": "x", "details": {"generated_tokens": 20}}, "'generated_tokens'"), ({"tokens_in": "100", "tokens_out": "20"}, "'tokens_in'"),
    ({"usageDetails": {"input": 86, "output": 20, "input_cached_tokens": 7, "output_accepted_prediction_tokens": 5}}, "'output_accepted_prediction_tokens' is no unit"),
    ({"stats": {"input_tokens": 10, "made_tokens": 5}}, "'input_tokens'"), ({"promptTokens": 10, "writtenTokens": 5}, "'promptTokens'"),
    ({"input": "3", "output": 300}, "'input' is not"), ({"usage": {"prompt_tokens": "100", "completion_tokens": "20"}}, "'prompt_tokens' is not"),
    ([{"msg": codex(9000, 3000)["payload"]}, {"msg": codex(12000, 3000)["payload"]}], "two turns"),
    ({"usage": {"input": 3, "output": 300, "total": 303, "unit": "CHARACTERS"}}, "'CHARACTERS'"),
    ({"unit": "MILLISECONDS", "usage": {"input": 3, "output": 300}}, "'MILLISECONDS'"), ({"usage": {"inputTokens": 3, "outputTokens": 3, "unit": "SECONDS"}}, "'SECONDS'"),
    ({"input": 10, "output": 2, "inptu_x": 3}, "'inptu_x' is no unit"), ({"usage": {"input": 10, "output": 2, "cachd": 3}}, "'cachd' is no unit"),
    ({"spans": [{"attributes": otlp(input_tokens=1)}, {"attributes": otlp(input_tokens=1)}]}, "2 spans"),
    ([{"responseId": "a", "usageMetadata": {"promptTokenCount": 1}}, {"responseId": "b"}], "two ids"),
]
NOTHING = [{}, {"candidates": [], "usageMetadata": {}}, {"choices": []}, {"max_tokens": 5, "usage": None}, {"tokens": 0}, {"thinking": {"budget_tokens": 5}}, [],
           codex(None, None, **LIMITS), {"choices": [{"logprobs": {"content": [{"token": "a", "token_id": 5}]}}]}]

# A stream's snapshots: what is less is no news.
STREAMS = [
    ("input in the delta", [{"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 0, "output_tokens": 0}}},
     {"type": "message_delta", "usage": {"input_tokens": 1200, "cache_read_input_tokens": 900, "output_tokens": 50}}], 2100, 50),
    ("a zero behind it", [{"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1200, "cache_read_input_tokens": 900, "output_tokens": 1}}},
     {"type": "message_delta", "usage": {"input_tokens": 0, "output_tokens": 50}}], 2100, 50),
    ("9, 9, 159", [{"usage": {"input_tokens": 25, "output_tokens": n}} for n in (9, 9, 159)], 25, 159),
    ("an empty sum at the end", [{"usage": counted()}, {"usage": counted(prompt_tokens=0, completion_tokens=0, total_tokens=0)}], 1000, 100),
    ("less at the end", [{"usage": {"input_tokens": 25, "output_tokens": n}} for n in (159, 9)], 25, 159),
    ("null", [{"usage": counted()}, {"usage": None}, {"usage": {"prompt_tokens": None, "completion_tokens": None}}], 1000, 100),
    ("Gemini", [{"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": n}} for n in (1, 5, 3)], 7, 5),
]

# Reasoning inside the output or beside it: provider, usage, output.
TOTALS = [
    ("x-ai", counted(total_tokens=1300, completion_tokens_details={"reasoning_tokens": 200}), 300),
    ("x-ai", counted(completion_tokens_details={"reasoning_tokens": 80}), 100),
    ("x-ai", {"prompt_tokens": 1000, "completion_tokens": 100, "completion_tokens_details": {"reasoning_tokens": 80}}, 180),  # no total
    ("x-ai", {"input_tokens": 500, "output_tokens": 500, "total_tokens": 1000, "output_tokens_details": {"reasoning_tokens": 200}}, 500),
    ("x-ai", counted(total_tokens=1350, completion_tokens_details={"reasoning_tokens": 200}), 350),
    (None, counted(total_tokens=1300, completion_tokens_details={"reasoning_tokens": 200}), 300),
    ("azure", counted(total_tokens=1300, completion_tokens_details={"reasoning_tokens": 200}), 300),  # sells Grok too
    ("azure", counted(completion_tokens_details={"reasoning_tokens": 80}), 100),
    ("mistral", counted(total_tokens=1375), 100),  # holds the audio
    ("perplexity", counted(reasoning_tokens=5000), 5100),  # its total holds no reasoning
    ("google", counted(total_tokens=1400), 400),
]

# What the answer says it costs.
REPORTED = [
    (counted(cost=0, is_byok=True, cost_details={"upstream_inference_cost": 0.0360795}), 0.0360795),
    (counted(cost=2.33e-05, is_byok=False, cost_details={"upstream_inference_cost": 2.33e-05}), 2.33e-05),
    (counted(cost=0, is_byok=True, cost_details={"upstream_inference_cost": 0.00197}), 0.00197),
    (counted(cost=0.0001, is_byok=True, cost_details={"upstream_inference_cost": 0.002}), 0.0021),
    (counted(cost=0, is_byok=True, cost_details={"upstream_inference_cost": None}), None),
    (counted(cost=0, is_byok=False), 0), (counted(cost=0.5), 0.5),
    ({"model": "Qwen/Qwen3.6-35B-A3B", "usage": counted(estimated_cost=8.775e-06), "service_tier": "priority"}, 8.775e-06),
    (counted(cost_in_usd_ticks=49100000), 0.00491), ({"usage": counted(), "cost_in_usd_ticks": 49100000}, 0.00491),
    ({"type": "response.completed", "response": {"usage": {"input_tokens": 1, "output_tokens": 1, "cost_in_usd_ticks": 20000000}}}, 0.002),
    ({"usage": counted(cost={"input_tokens_cost": 0.002, "request_cost": 0.005, "total_cost": 0.008})}, 0.008),
    ({"usage": counted(), "providerMetadata": {"gateway": {"cost": "0.0045405"}}}, 0.0045405),
    ({"usage": counted(), "providerMetadata": {"openrouter": {"usage": {"cost": 0.25}}}}, 0.25),
    ({"usage": counted(), "_hidden_params": {"response_cost": 0.002}}, 0.002),
    ({"data": {"is_byok": False, "total_cost": 0.0015, "native_tokens_prompt": 12, "native_tokens_completion": 2, "usage": 0.0015}}, 0.0015),
    ({"data": {"is_byok": True, "total_cost": 0.0001, "upstream_inference_cost": 0.002, "usage": 0.0001,
               "native_tokens_prompt": 12, "native_tokens_completion": 2}}, 0.0021),
    ({**counted(), "spend": 0.1, "metadata": {"usage_object": counted()}}, 0.1),
    ({"type": "result", "total_cost_usd": 0.123, "usage": {"input_tokens": 3, "output_tokens": 9}}, 0.123),
    (counted(cost=-1), None), (counted(cost=1e9), None), (counted(cost="1"), None), (counted(cost=True), None),
    (counted(estimated_cost=-0.1), None), (counted(cost_in_usd_ticks=1.5), None),
    ({"usage": counted(), "providerMetadata": {"gateway": {"cost": "dear"}}}, None),
]

TWO = {"webSearchQueries": ["a", "b", "a", ""], "groundingChunks": [{"web": {"uri": "u"}}]}
# What an answer shows beside its counts: model, options, answer, dollars or the word that has no price.
FEES = [
    ("gpt-5-mini", {}, response(web("search"), web("search"), web("open_page")), 0.0227),
    ("gpt-5-mini", {}, response(web("find_in_page"), web("open_page")), 0.0027),
    ("gpt-5-mini", {}, response(web()), 0.0127),
    ("gpt-5-mini", {}, response(web("search"), tool_usage={"web_search": {"num_requests": 1}, "image_gen": {"input_tokens": 0}}), 0.0127),
    ("gpt-5-mini", {}, response(tool_usage={"web_search": {"num_requests": 2}}), 0.0227),
    ("gpt-5-mini", {}, response(web("search"), tool_usage={"web_search": {"num_requests": 0}}), 0.0127),
    ("gpt-5-mini", {}, response({"type": "file_search_call"}), 0.0052),
    ("gpt-5-mini", {}, response(*[{"type": "code_interpreter_call", "container_id": c} for c in "aab"]), 0.0627),
    ("gpt-5-mini", {}, response({"type": "code_interpreter_call"}), 0.0327),
    ("gpt-5-mini", {}, response({"type": "code_interpreter_call"}, tools=[{"type": "code_interpreter", "container": {"memory_limit": "4g"}}]), "larger_container"),
    ("gpt-5-mini", {}, response({"type": "mcp_call"}, {"type": "function_call"}, {"type": "computer_call"}, {"type": "mcp_list_tools"}), 0.0027),
    ("gpt-5-mini", {}, response({"type": "image_generation_call"}), "image_generation_call"),
    ("gpt-5-mini", {}, response({"type": "dream_call"}), "dream_call"),
    ("gpt-4o", {}, response(web("search"), tools=[{"type": "web_search_preview_2025_03_11"}]), "web_search_preview"),
    ("gpt-5-search-api", {}, {"choices": [{"message": {"annotations": [{"type": "url_citation"}] * 3}}], "usage": counted()}, 0.01225),
    ("gpt-4o-search-preview", {}, {"choices": [{"message": {"annotations": [{"type": "url_citation"}]}}], "usage": counted()}, "web_search"),
    ("openai.gpt-5.5", {"provider": "bedrock"}, response(web("search"), web("open_page"), tool_usage={"web_search": {"num_requests": 1}}), 0.0703),
    ("gemini-2.5-flash", {}, grounded("gemini-2.5-flash", **TWO), 0.03528),
    ("gemini-3-flash-preview", {}, grounded("gemini-3-flash-preview", **TWO), 0.02835),
    ("gemini-3.5-flash", {}, grounded("gemini-3.5-flash", webSearchQueries=["a", "", "a"]), 0.01505),
    ("gemini-4-hydrogen", {}, grounded("gemini-4-hydrogen", **TWO), 0.0289),
    ("gemini-2.5-flash", {}, grounded("gemini-2.5-flash", groundingChunks=[{"maps": {"placeId": "p"}}] * 2), 0.02528),
    ("gemini-3.5-flash", {}, grounded("gemini-3.5-flash", groundingChunks=[{"maps": {"placeId": "p"}}]), "maps"),
    ("gemini-3.5-flash", {}, {"outputs": [{"type": "google_search_call", "arguments": {"queries": ["a", "b"]}}],
     "usage": {"total_input_tokens": 100, "total_output_tokens": 100, "total_tokens": 200}}, 0.02905),
    ("gemini-2.5-flash", {}, grounded("gemini-2.5-flash", searchEntryPoint={"renderedContent": ""}, webSearchQueries=[]), 0.00028),
    ("gemini-2.5-flash", {}, grounded("gemini-2.5-flash", retrievalQueries=["a"]), "retrievalQueries"),
    ("gemini-2.5-flash", {}, [grounded("gemini-2.5-flash", webSearchQueries=["a"]), grounded("gemini-2.5-flash")], 0.03528),
    ("gemini-3-flash-preview", {}, [grounded("gemini-3-flash-preview", webSearchQueries=[q]) for q in "aba"], 0.02835),
    ("claude-sonnet-4-6", {}, {"input_tokens": 1000, "output_tokens": 100, "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 9}}, 0.0245),
    ("claude-sonnet-4-6", {}, {"input_tokens": 1000, "output_tokens": 100, "server_tool_use": {"tool_search_requests": 3}}, 0.0045),
    ("claude-sonnet-4-6", {}, {"input_tokens": 1000, "output_tokens": 100, "server_tool_use": {"code_execution_requests": 1}}, "code_execution"),
    ("claude-sonnet-4-6", {}, {"input_tokens": 1000, "output_tokens": 100, "server_tool_use": {"telepathy_requests": 1}}, "telepathy_requests"),
    ("deepseek-flash", {}, {"input_tokens": 1000, "output_tokens": 100, "server_tool_use": {"web_fetch_requests": 1}}, "web_fetch_requests"),
    ("grok-4.3", {}, counted(num_sources_used=4), "num_sources_used"),
    ("grok-4.3", {}, counted(num_server_side_tools_used=6, server_side_tool_usage_details={
        "web_search_calls": 2, "x_search_calls": 1, "code_interpreter_calls": 1, "file_search_calls": 0, "mcp_calls": 2}), 0.0215),
    ("grok-4.3", {}, response(web("search"), {"type": "x_search_call"}), 0.02275),
    ("grok-4.3", {}, counted(server_side_tool_usage_details={"document_search_calls": 1}), "document_search_calls"),
    ("mistral-large-latest", {}, {"usage": counted(connectors={"web_search": 1})}, "web_search"),
    ("mistral-large-latest", {}, {"usage": counted(connectors={"image_generation": 1})}, "image_generation"),
    ("voxtral-small-latest", {}, counted(prompt_audio_seconds=600), "prompt_audio_seconds"),
    ("anthropic/claude-sonnet-4.5", {"provider": "openrouter"}, counted(server_tool_use={"web_search_requests": 1}), "web_search"),
    ("rerank-v3.5", {}, {"id": "r", "results": [], "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}}, 0.002),
    ("rerank-v3.5", {}, {"meta": {"billed_units": {"search_units": 3}}}, 0.006),
    ("command-a-03-2025", {}, {"meta": {"billed_units": {"classifications": 3}}}, "classifications"),
    ("whisper-1", {}, {"text": "x", "usage": {"type": "duration", "seconds": 27}}, 0.0027),
    ("gpt-4o", {}, {"text": "x", "usage": {"type": "duration", "seconds": 27}}, "second"),
    ("gpt-4o", {}, {"created": 1, "data": [{"url": "u"}, {"url": "v"}]}, "image"),
    ("gpt-image-1", {}, {"created": 1, "data": [{"b64_json": "x"}], "usage": {"input_tokens": 150, "output_tokens": 8000,
     "input_tokens_details": {"text_tokens": 150, "image_tokens": 0}}}, 0.32075),
    ("gpt-4o", {}, {"predictions": [{"bytesBase64Encoded": "x"}]}, "image"),
    ("gpt-4o", {}, {"id": "v", "object": "video", "seconds": "8"}, "second"),
    ("gpt-4o", {}, {"extra_info": {"usage_characters": 26}}, "character"),
    ("gpt-4o", {}, counted(agent_sessions=2), "agent_sessions"), ("gpt-4o", {}, counted(billedMinutes=1), "billedMinutes"),
    ("gpt-4o", {}, counted(tools={"scrape_requests": 1}), "scrape_requests"),
    ("gpt-4o", {}, counted(prompt_cache_read_tokens=64), "prompt_cache_read_tokens"),  # Helicone's: at a price of its own
    ("gpt-4o", {}, {"prompt_tokens": 1000, "completion_tokens": 100, "web_search_requests": 3}, "web_search_requests"),  # not at its place
    ("gpt-4o", {}, counted(seconds=30), "seconds"),
    ("gemini-2.5-flash", {}, counted(prompt_tokens_details={"web_search_requests": 2}), 0.03555),  # LiteLLM's
    ("claude-sonnet-4-6", {}, counted(prompt_tokens_details={"web_search_requests": 2}), 0.0245),
    ("gemini-3.5-flash", {}, {"usage": {"inputTokens": 100, "outputTokens": 10},
                              "providerMetadata": {"google": {"groundingMetadata": {"webSearchQueries": ["a"]}}}}, 0.01424),
    ("gpt-image-1.5", {}, {"created": 1, "usage": {"input_tokens": 357, "input_tokens_details": IMAGES, "output_tokens": 6543, "total_tokens": 6900}}, 0.21213),
    ("gpt-image-1.5", {}, {"type": "image_generation.completed", "usage": {"input_tokens": 357, "input_tokens_details": IMAGES, "output_tokens": 6543,
                                                                           "total_tokens": 6900}}, 0.21213),
    ("gpt-image-1.5", {}, {"created": 1, "usage": {"input_tokens": 357, "input_tokens_details": IMAGES, "output_tokens": 6543, "total_tokens": 6900,
                                                   "output_tokens_details": {"text_tokens": 335, "image_tokens": 6208}}}, 0.20476),
    ("qwen3-max", {"provider": "alibaba"}, counted(plugins={"search": {"count": 2, "strategy": "turbo"}}), "web_search"),
    ("qwen3-max", {"provider": "alibaba"}, counted(x_tools={"web_search": {"count": 2}}), "web_search"),
    ("qwen3-max", {"provider": "alibaba"}, counted(x_tools={"dream": {"count": 2}}), "x_tools"),
    ("claude-sonnet-4-6", {}, blocks("web_search", "web_search"), 0.0245),
    ("claude-sonnet-4-6", {}, blocks("web_search", "web_search", server_tool_use=None), 0.0245),
    ("claude-sonnet-4-6", {}, blocks("web_search", "web_search", server_tool_use={"web_search_requests": 1}), 0.0145),
    ("claude-sonnet-4-6", {}, blocks("web_fetch"), 0.0045), ("claude-sonnet-4-6", {}, blocks("bash_code_execution"), "code_execution"),
    ("openai/gpt-oss-120b", {"provider": "groq"}, {"choices": [{"message": {"executed_tools": [{"type": "search"}]}}], "usage": counted()}, "executed_tools"),
    ("openai/gpt-oss-120b", {"provider": "groq"}, {"choices": [{"message": {"executed_tools": []}}], "usage": counted()}, 0.00021),
    ("gpt-4o", {}, {"web_search": [{"title": "x"}] * 2, "usage": counted()}, 0.0135),
    ("kimi-k3", {}, {"choices": [{"message": {"tool_calls": [{"function": {"name": "$web_search"}}]}}], "usage": counted()}, "$web_search"),
    ("kimi-k3", {}, {"choices": [{"message": {"tool_calls": [{"function": {"name": "web_search"}}]}}], "usage": counted()}, 0.0045),
    ("mistral-large-latest", {}, {"outputs": [{"type": "tool.execution", "name": "web_search"}], "usage": counted()}, "web_search"),
    ("mistral-large-latest", {}, {"outputs": [{"type": "tool.execution", "name": "dream"}], "usage": counted()}, "tool.execution"),
    ("amazon.nova-pro-v1:0", {}, {"usage": {"inputTokens": 10, "outputTokens": 5, "serverToolUsage": {"nova_grounding": {"count": 2}}}}, "serverToolUsage"),
    ("amazon.nova-pro-v1:0", {}, {"usage": {"inputTokens": 10, "outputTokens": 5, "serverToolUsage": {}}}, 2.4e-05),
    ("gemini-2.5-flash", {}, grounded("gemini-2.5-flash", googleMapsWidgetContextToken="x"), 0.02528),
    ("sonar", {}, counted(tool_calls_details={"search_web": {"invocation": 2}}), "tool_calls_details"),
    *[("gpt-4o", {}, counted(**{name: 3}), name) for name in ("searchQueries", "imageCount", "pages_read", "web-searches", "websearches", "images2", "audioSeconds")],
    # No charges:
    *[("gpt-4o", {}, counted(**{name: 3}), 0.0035) for name in (
        "page_size", "pageSize", "minutes_left", "request_number", "callback_ms", "imagery", "call_number", "sessionNumber", "recall_score", "secondary",
        "requests", "successful_requests")],
    ("mistral-large-latest", {}, counted(prompt_audio_seconds={}), 0.00065), ("mistral-large-latest", {}, counted(prompt_audio_seconds=[]), 0.00065),
    ("gemini-2.5-flash", {}, {"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 100, "totalTokenCount": 200,
                                                "billablePromptUsage": {"textCount": 3, "imageCount": 1, "characterCount": 9}}}, 0.00028),
    ("gpt-4o", {}, counted(queue_time=0.1, prompt_time=1, completion_time=2, total_time=3, first_token_seconds_latency=1), 0.0035),
    ("gpt-4o", {}, counted(prompt_cache_hit_tokens=0, prompt_cache_miss_tokens=1000, num_search_queries=0, agent_sessions=0), 0.0035),
    ("gpt-4o", {}, counted(cost_details={"request_cost": 1}, prompt_tokens_details={"image_tokens": 5}, num_cached_tokens=64), 0.0035),
    ("gpt-5-nano", {"provider": "azure"}, counted(prompt_tokens=10000, completion_tokens=2000, total_tokens=12000), 0.0013),
    ("gpt-5-nano", {"provider": "azure", "routed": 10000}, counted(prompt_tokens=10000, completion_tokens=2000, total_tokens=12000), 0.0027),
    ("gpt-5-nano", {"provider": "azure", "routed": 0}, counted(prompt_tokens=10000, completion_tokens=2000, total_tokens=12000), 0.0013),
    ("gpt-5-nano", {"routed": 10000}, counted(prompt_tokens=10000, completion_tokens=2000, total_tokens=12000), "routed"),
]

# Whole cases: model, options, usage, dollars.
COSTS = [
    ("kimi-k2.5", {}, {"id": "a", "object": "chat.completion.chunk", "model": "kimi-k2.5", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop",
     "usage": {"prompt_tokens": 1200, "completion_tokens": 50, "total_tokens": 1250, "cached_tokens": 1024}}]}, 0.000358),
    ("claude-opus-4-7", {}, {**V3, "raw": RAW}, 0.01069075),
    ("claude-opus-4-6", {}, SHAPES[0][1], 0.07333375),
    ("gpt-5", {}, {"input": 86, "input_cached_tokens": 17817, "output": 20, "total": 17923}, 0.002534625),
    ("gemini-3-flash-preview", {}, {"input": 20212, "output": 931, "cached": 16298, "thoughts": 100, "tool": 0, "total": 21243}, 0.0058649),
    ("gpt-5", {}, {"input": 86, "output": 20, "reasoning": 5, "cache": {"read": 17817, "write": 0}}, 0.002584625),
    ("claude-sonnet-4-6", {}, STREAMS[0][1], 0.00462), ("claude-sonnet-4-6", {}, STREAMS[1][1], 0.00462),
    ("grok-4.20-0309", {}, {"prompt_tokens": 10120, "completion_tokens": 1499, "total_tokens": 14428, "prompt_tokens_details": {"cached_tokens": 128},
     "completion_tokens_details": {"reasoning_tokens": 2809}}, 0.0232856),
    ("grok-4-fast", {}, {"prompt_tokens": 2640, "completion_tokens": 182, "total_tokens": 3494, "prompt_tokens_details": {"text_tokens": 2640,
     "cached_tokens": 473}, "completion_tokens_details": {"reasoning_tokens": 672}}, 0.00088405),
    ("grok-4.3", {"provider": "x-ai"}, {"prompt_tokens": 500, "completion_tokens": 500, "total_tokens": 1000,
     "completion_tokens_details": {"reasoning_tokens": 200}}, 0.001875),
    ("claude-opus-4-8", {}, {"type": "result", "usage": {"input_tokens": 3, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 9,
     "server_tool_use": {"web_search_requests": 2}}, "modelUsage": MODELS}, 0.32031975),
    ("claude-opus-4-8", {}, {"modelUsage": MODELS}, 0.32031975),
    ("gpt-4o", {}, {"usage": {"input": 1000, "output": 100, "unit": "TOKENS"}}, 0.0035),
    ("grok-4.3", {}, {"prompt_tokens": 200000, "completion_tokens": 1000, "total_tokens": 201000, "prompt_tokens_details": {"cached_tokens": 100000}}, 0.295),
]


class Billed(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def usage(self, body, **options):
        text = value(self.db, "SELECT llm_usage(?, ?)", json.dumps(body), json.dumps(options))
        return {k: v for k, v in json.loads(text or "{}").items() if v or k == "reported_usd"}

    def cost(self, model, body, options):
        return value(self.db, "SELECT llm_cost(?, ?, ?)", model, json.dumps(body), json.dumps(options))

    def test_shapes(self):
        for name, body, want in SHAPES:
            with self.subTest(name):
                self.assertEqual(self.usage(body), want)

    def test_two_requests(self):
        for body in TWO_REQUESTS:
            with self.subTest(body=str(body)[:90]):
                self.assertRegex(error_of(self.db, "SELECT llm_usage(?)", json.dumps(body)), "two (ids|ends)")
        for body, want in ONE_REQUEST:
            with self.subTest(body=str(body)[:90]):
                self.assertEqual(self.usage(body), want)

    def test_services(self):
        for body, service, geo in SERVICES:
            with self.subTest(body=str(body)[:120]):
                got = self.usage(body)
                self.assertEqual((got.get("service"), got.get("geo")), (service, geo))
        self.assertIsNone(self.cost("anthropic.claude-sonnet-4-5-20250929-v1:0", {**CONVERSE, "performanceConfig": {"latency": "optimized"}}, {}))

    def test_zeros_of_other_dialects(self):
        want = {"input": 1000, "output": 100}
        for zeros in ZEROS:
            for body in (counted(**zeros), {"prompt_tokens": 1000, "completion_tokens": 100, **zeros}, {**zeros, **counted()}):
                with self.subTest(body=body):
                    self.assertEqual(self.usage(body), want)
                    self.assertEqual(self.usage({"usage": body}), want)
        none = {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0, "thoughtsTokenCount": 0, "cachedContentTokenCount": 0}
        self.assertEqual(self.usage({"usage": counted(), "usageMetadata": none}), want)
        self.assertEqual(self.usage({"usage": {"prompt_tokens": 0, "completion_tokens": 0}, "choices": [{"usage": counted()}]}), want)
        self.assertEqual(self.usage({"usage": {"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 1000, "output_tokens": 100}}), want)
        self.assertEqual(self.cost("gpt-4o", {"usage": {"prompt_tokens": 0, "completion_tokens": 0, **ZEROS[0]}}, {}), 0)
        self.assertEqual(self.usage({**ZEROS[1], "cache_creation_input_tokens": 70}), {"input": 70, "cache_write": 70})

    def test_what_is_read_is_kept(self):
        for name, body, want in SHAPES:
            with self.subTest(name):
                again = value(self.db, "SELECT llm_usage(llm_usage(?))", json.dumps(body))
                self.assertEqual({k: v for k, v in json.loads(again).items() if v}, want)

    def test_what_looks_like_tokens(self):
        for body, words in UNKNOWN:
            with self.subTest(body=str(body)[:60]):
                self.assertIn(words, error_of(self.db, "SELECT llm_usage(?)", json.dumps(body)))
                self.assertIn(words, error_of(self.db, "SELECT llm_cost('gpt-4o', ?)", json.dumps(body)))
        for body in NOTHING:
            with self.subTest(body=str(body)[:60]):
                self.assertIsNone(value(self.db, "SELECT llm_usage(?)", json.dumps(body)))

    def test_streams(self):
        for name, events, tokens_in, tokens_out in STREAMS:
            with self.subTest(name):
                usage = self.usage(events)
                self.assertEqual((usage["input"], usage["output"]), (tokens_in, tokens_out))

    def test_writes_of_twelve_hours(self):
        for long, short, want in ((500, 400, None), (0, 900, 0.0051)):
            body = {"object": "response", "usage": {
                "input_tokens": 1000, "output_tokens": 10, "total_tokens": 1010, "input_tokens_details": {
                    "cached_tokens": 0, "cache_write_tokens": 900, "cache_write_tokens_details": {"ttl_12h_tokens": long, "ttl_30m_tokens": short}}}}
            self.assertEqual(self.cost("gpt-5.6-sol", body, {"at": "2026-11-01"}), want)

    def test_how_much_was_searched(self):
        for model, size, fee in (("sonar", "low", .005), ("sonar", "medium", .008), ("sonar", "high", .012), ("sonar", None, .012), ("sonar-pro", "low", .006)):
            usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, **({"search_context_size": size} if size else {})}
            self.assertEqual(self.cost(model, {"usage": usage}, {}), fee)

    def test_totals(self):
        for provider, usage, output in TOTALS:
            with self.subTest(provider=provider, usage=usage):
                self.assertEqual(self.usage(usage, **({"provider": provider} if provider else {}))["output"], output)

    def test_reported(self):
        for body, usd in REPORTED:
            with self.subTest(body=str(body)[:100]):
                self.assertEqual(self.usage(body).get("reported_usd"), usd)

    def test_fees(self):
        for model, options, body, want in FEES:
            with self.subTest(model=model, body=str(body)[:150]):
                if isinstance(want, str):
                    self.assertIsNone(self.cost(model, body, options))
                    why = value(self.db, "SELECT llm_cost_explain(?, ?, ?) ->> 'unpriced'", model, json.dumps(body), json.dumps(options))
                    self.assertIn(f"no price for {want}", why)
                else:
                    self.assertAlmostEqual(self.cost(model, body, options), want, 12)

    def test_costs(self):
        for model, options, body, want in COSTS:
            with self.subTest(model=model, body=str(body)[:100]):
                self.assertAlmostEqual(self.cost(model, body, options), want, 12)

    def test_several_signs(self):
        body = response({"type": "image_generation_call"}, {"type": "dream_call"}, *[{"type": f"{c * 30}_call"} for c in "xyz"])
        self.assertEqual(self.usage(body)["other"], "image_generation_call, dream_call")  # (of a kind the first)
        many = counted(**{f"{c * 20}_requests": 1 for c in "abcd"})
        self.assertEqual(self.usage(many)["other"], f"{'a' * 20}_requests, {'b' * 20}_requests")
        self.assertEqual(self.usage(self.usage(many)), self.usage(many))

    def test_a_provider_that_nobody_knows(self):
        body = json.dumps({"model": "deepseek-chat", "usage": counted()})
        for word in ("deepinfra", "My Own", "x"):
            self.assertEqual(self.usage(json.loads(body), provider=word), {"input": 1000, "output": 100})
        self.assertIn("needs a known 'provider'", error_of(self.db, "SELECT llm_usage(?, '{\"provider\":\"x\",\"api\":\"chat\"}')", body))

    def test_prices_of_fees(self):
        for model, kind, options, want in (("gemini-2.5-pro", "grounding", {}, 35000), ("gemini-2.5-pro", "web_search", {}, 35000),
                                           ("gemini-3.5-flash", "web_search", {}, 14000), ("gemini-3.5-flash", "grounding", {}, 0),
                                           ("whisper-1", "second", {}, 100), ("gpt-5", "routed", {"provider": "azure"}, 0.14),
                                           ("gpt-5", "routed", {}, None)):
            self.assertEqual(value(self.db, "SELECT llm_price(?, ?, ?)", model, kind, json.dumps(options)), want)

    def test_more_names_than_any_answer_has(self):
        many = 100_000
        self.assertTrue(self.usage(counted(**{f"image_{i}": 1 for i in range(many)}))["other"].startswith("image_0, image_1, "))
        self.assertEqual(self.usage(counted(prompt_tokens_details={"cached_tokens": 5}, **{f"cach_{i}_id": 1 for i in range(many)}))["input"], 1000)
        tokens = otlp(input_tokens=12, output_tokens=5)
        text = [{"key": f"gen_ai.prompt.{i}.content", "value": {"stringValue": "x"}} for i in range(many)]
        self.assertEqual(self.usage({"attributes": text + tokens}), {"input": 12, "output": 5})
        self.assertEqual(self.usage({"gen_ai.usage.input_tokens": 5, "gen_ai.usage" + ".a" * many: 1}), {"input": 5})
        for body in ({"attributes": tokens + otlp(**{f"k{i}__a": 1 for i in range(many)})}, [{f"k{i}": 1 for i in range(many)}],
                     [{f"k{i}": 1, "usage": counted()} for i in range(many)]):
            self.assertIn("more than 512 ", error_of(self.db, "SELECT llm_usage(?)", json.dumps(body)))

    def test_hostile(self):
        """Whatever stands where a count is expected: a result or an error, and back through our own form."""
        odd = [None, True, -1, 1.5, 1e300, "", "x", [], {}, [[]], [None], {"a": 1}, [{"type": "web_search_call"}], "9" * 99]
        for _, body, _ in SHAPES:
            for at in places(body):
                for thing in odd:
                    changed = json.loads(json.dumps(body))
                    put(changed, at, thing)
                    try:
                        value(self.db, "SELECT llm_usage(llm_usage(?))", json.dumps(changed))
                    except sqlite3.Error as e:
                        self.assertRegex(str(e), "usage: ")


def places(tree, at=()):
    for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield (*at, key)
        yield from places(inner, (*at, key))


def put(tree, at, thing):
    for key in at[:-1]:
        tree = tree[key]
    tree[at[-1]] = thing


class InTheLedger(unittest.TestCase):
    """The same of answers that come over the wire."""

    def setUp(self):
        self.replay = Replay()
        self.replay.__enter__()
        self.tmp = TempDir()
        self.db = connect(os.path.join(self.tmp.name, "billed.db"))
        value(self.db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", self.replay.host)

    def tearDown(self):
        self.db.close()
        self.replay.__exit__()
        self.tmp.cleanup()

    def ask(self, name, answer, provider="openai"):
        answer = answer if isinstance(answer, Answer) else Answer(answer)
        self.replay.answers[name] = [answer]
        self.db.execute("INSERT OR REPLACE INTO llm_models(name, provider, api, base_url, key_env, supports) VALUES (?, ?, 'openai', ?, 'WIRE_KEY', ?)",
                        (name, provider, self.replay.url(name), json.dumps({"stream": answer.type == "text/event-stream"})))
        value(self.db, "SELECT llm_complete('a question', ?)", json.dumps({"model": name}))
        row = self.db.execute("SELECT cost_nusd, usage, error, cost_reported_nusd FROM llm_calls ORDER BY id DESC LIMIT 1").fetchone()
        return row[0], json.loads(row[1]), *row[2:]

    def test_the_model_router(self):
        usage = {"prompt_tokens": 10000, "completion_tokens": 2000, "total_tokens": 12000}
        answer = {**chat(usage=usage), "model": "gpt-5-nano-2025-08-07"}
        for name, provider, nano in (("model-router", "azure", 2_700_000), ("model-router-2", "azure", 2_700_000), ("Model-Router-EU", "azure", 2_700_000),
                                     ("gpt-5-nano", "azure", 1_300_000), ("my-model-router", "openai", 1_300_000)):
            with self.subTest(name=name):
                cost, billed, error, _ = self.ask(name, answer, provider)
                self.assertEqual((cost, error), (nano, None))
                self.assertEqual(billed.get("routed"), 10000 if nano > 2_000_000 else None)
                again = value(self.db, "SELECT llm_cost('gpt-5-nano', ?, ?)", json.dumps(billed), json.dumps({"provider": provider}))
                self.assertEqual(round(again * 1e9), nano)

    def test_a_charge_without_a_price_is_listed(self):
        cost, billed, error, _ = self.ask("gpt-4o", chat(usage={**USAGE, "scrape_requests": 2}))
        self.assertEqual((cost, billed["other"]), (None, "scrape_requests"))
        self.assertIn("no price for scrape_requests", error)
        self.assertEqual(value(self.db, "SELECT error FROM llm_unpriced"), error)

    def test_unknown_counts_are_listed(self):
        self.replay.answers["odd"] = [Answer(chat(usage={"tokens_in": 5, "tokens_out": 7}))]
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env) VALUES ('odd', 'openai', 'openai', ?, 'WIRE_KEY')",
                        (self.replay.url("odd"),))
        value(self.db, "SELECT llm_complete('a question', '{\"model\":\"odd\"}')")
        self.assertIn("'tokens_in' looks like a count of tokens", value(self.db, "SELECT error FROM llm_unpriced"))

    def test_a_callers_own_key(self):
        usage = {**USAGE, "cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.00197}}
        self.assertEqual(self.ask("byok", chat(usage=usage))[3], 1_970_000)

    def test_a_search_that_a_stream_shows(self):
        cited = chunk("fine", annotations=[{"type": "url_citation", "url_citation": {"url": "https://example.com"}}])
        for model, cost, other in (("gpt-4o-mini-search-preview-2025-03-11", None, "web_search_preview"), ("gpt-5", 100 * 1250 + 20 * 10000 + 10_000_000, None)):
            events = [{**e, "model": model} for e in (cited, chunk(finish="stop"), {"id": "c", "choices": [], "usage": USAGE})]
            got, billed, error, _ = self.ask(f"searching-{model}", Answer(sse(*events), type="text/event-stream"))
            self.assertEqual((got, billed.get("other")), (cost, other), error)

    def test_a_stream_that_forgets_what_it_sold(self):
        events = [{**chunk("fine"), "model": "gpt-5", "service_tier": "flex"}, {**chunk(finish="stop"), "model": "gpt-5", "service_tier": "auto"},
                  {"id": "c", "choices": [], "usage": USAGE}]
        cost, billed, _, _ = self.ask("flex", Answer(sse(*events), type="text/event-stream"))
        self.assertEqual((cost, billed["service"]), ((100 * 1250 + 20 * 10000) // 2, "flex"))

    def test_a_stream_that_ends_with_less(self):
        first = {"id": "c", "model": "gpt-4o-mini", "choices": [], "usage": USAGE}
        last = {**first, "usage": {"prompt_tokens": 100, "completion_tokens": 3, "total_tokens": 103}}
        _, billed, _, _ = self.ask("less", Answer(sse(chunk("fine"), chunk(finish="stop"), first, last), type="text/event-stream"))
        self.assertEqual((billed["input"], billed["output"]), (100, 20))


if __name__ == "__main__":
    unittest.main()
