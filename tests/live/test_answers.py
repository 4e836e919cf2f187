"""Every answer is judged for what it is: bytes in, row out. Kinds of fault that public reports show, each in many spellings."""
import base64
import gzip
import json
import os
import sqlite3
import subprocess
import threading
import time
import unittest
import zlib

from harness import TempDir, connect, error_of, value
from replay import CLAUDE, COST, MODEL, USAGE, USAGE_CHUNK, Answer, Replay, chat, chunk, claude, sse

CLAUDE_COST = 100 * 1000 + 20 * 5000
LONE = '{"choices":[{"message":{"content":"a%s"},"finish_reason":"stop"}],"model":"' + MODEL + '","usage":' + json.dumps(USAGE) + "}"


def raw(text):
    return Answer(text, type="application/json")


def stream(*events, **more):
    return Answer(sse(*events, **more), type="text/event-stream")


def other(content, finish=None):
    """A piece of a second choice, which nobody asked for."""
    return {**chunk(), "choices": [{"index": 1, "delta": {"content": content}, "finish_reason": finish}]}


# kind of fault: [(what is sent, the answer or None, a piece of the error or None, ended, is it cached, cost or None)]
GOOD = ("fine", None, "complete", True, COST)
UNKNOWN = ("fine", None, "unknown", True, COST)


def says(content, answer, **more):
    return (chat(content, **more), answer, None, "complete", True, COST)


CASES = {
    "the end of an answer: complete": [
        *((chat(finish=w), *GOOD) for w in ("stop", "STOP", "end_turn", "stop_sequence", "eos", "eos_token", "COMPLETE", "finished",
                                                "ALTERNATIVE_STATUS_FINAL", "eosFound", "stopStringFound", "FinishReason.STOP")),
        *((chat(finish=w), *UNKNOWN) for w in ("", None, "null", "unspecified", "whatever_comes")),
        (chat(choice={"finish_reason": None, "native_finish_reason": "STOP"}), *GOOD),
        ({k: v for k, v in chat().items()}, *GOOD),
    ],
    "the end of an answer: cut off": [
        *((chat("half a sen", finish=w), None, "was cut off", "cut_off", False, COST)
          for w in ("length", "max_tokens", "MAX_TOKENS", "model_length", "maxTokens", "max_output_tokens", "context_length", "max_output",
                    "maximum_tokens", "maxPredictedTokensReached", "contextLengthReached", "not_finished", "ALTERNATIVE_STATUS_TRUNCATED_FINAL",
                    "FinishReason.MAX_TOKENS", "tokens_limit", "limit_reached", "output_truncated", "context", "some_other_limit")),
        *((chat(text, finish="length"), None, "all 20 tokens went into reasoning", "cut_off", False, COST)
          for text in ("", "\n\n", None)),
    ],
    "the end of an answer: filtered": [
        *((chat("I ca", finish=w), None, "refused to answer", "filtered", False, COST)
          for w in ("content_filter", "content_filter: SAFETY", "SAFETY", "recitation", "PROHIBITED_CONTENT", "sensitive",
                    "refusal", "guardrail_intervened", "blacklist", "ALTERNATIVE_STATUS_CONTENT_FILTER", "content_policy_violation", "flagged",
                    "unsafe", "guardrail", "jailbreak", "copyright", "blocked_by_somebody")),
        (chat(None, message={"refusal": "I can't help with that."}), None, "I can't help with that.", "filtered", False, COST),
        (chat([{"type": "refusal", "refusal": "I can't help with that."}]), None, "I can't help with that.", "filtered", False, COST),
    ],
    "the end of an answer: failed": [
        *((chat("Refund den", finish=w), None, "the generation failed", "failed", False, COST)
          for w in ("network_error", "abort", "repetition", "malformed_function_call", "insufficient_system_resource", "ERROR",
                    "user_cancel", "userStopped", "modelUnloaded", "exception", "upstream_error", "preempted", "oom", "rate_limited", "OTHER",
                    "some_other_error")),
        (chat("Refund den", finish="error", choice={"error": {"code": 400, "message": "Provider broke"}}), None,
         "Provider broke", None, False, COST),
        (stream(chunk("Refund den"), {"error": {"message": "Provider broke", "code": 400}}, done=False), None, "Provider broke",
         None, False, None),
        (chat(None, finish=None, error={"message": "Provider timed out", "code": 400}), None, "Provider timed out", None, False, COST),
        (chat("Refund den", error={"message": "Provider broke", "code": 400}), None, "Provider broke", None, False, COST),
        (chat("Refund den", choice={"error": "Provider broke"}), None, "Provider broke", None, False, COST),
        (chat("Refund den", message={"error": {"message": "Provider broke"}}), None, "Provider broke", None, False, COST),
        (stream(chunk("Refund den", "length"), chunk(finish="stop"), USAGE_CHUNK), None, "was cut off", "cut_off", False, COST),
        (stream(chunk("Refund den", "content_filter"), chunk(finish="stop"), USAGE_CHUNK), None, "refused", "filtered", False, COST),
    ],
    "an error in the middle of a stream": [
        (Answer(sse(chunk("Refund den"), done=False) + event + "data: [DONE]\n\n", type="text/event-stream"), None, says, None, False, None)
        for event, says in (
            ('event:error\ndata:{"code":"InternalError","message":"boom"}\n\n', "boom"), ("event: error\ndata: upstream broke\n\n", "upstream broke"),
            ("data: [ERROR] upstream failed\n\n", "upstream failed"), ('data: {"error":true,"message":"boom"}\n\n', "boom"),
            ('data: {"code":500,"message":"boom"}\n\n', "boom"), ('data: {"detail":"boom"}\n\n', "boom"),
            ('data: {"object":"error","message":"boom","code":400}\n\n' + sse(USAGE_CHUNK, done=False), "boom"),
            ('data: {"id":"c","choices":[],"x_groq":{"error":"over capacity"}}\n\n', "200 with an error"),
            ('data: {"choices":[{"delta":{},"finish_reason":"error","error":{"message":"boom"}}]}\n\n', "boom"),
            ('data: {"error":{"message":"stream error: stream ID 5; INTERNAL_ERROR; received from peer"}}\n\n', "stream ID 5"),
            ('data: {"choices":[{"delta":{"content":"x"} oops}]}\n\n', "a piece of the stream can't be read"))],
    "what only looks like an error in a stream": [
        (Answer(sse(chunk("fi"), done=False) + event + sse(chunk("ne", "stop"), USAGE_CHUNK), type="text/event-stream"), *GOOD)
        for event in ("data: ping\n\n", "data: heartbeat\n\n", "data: OK\n\n", "data: null\n\n", "data: 1\n\n", "data: [PING]\n\n", "event: ping\ndata: now\n\n",
                      "data: {ping}\n\n", 'data: {"type":"ping"}\n\n', 'data: {"code":0,"msg":"ok"}\n\n', 'data: {"object":"warning","message":"deprecated"}\n\n',
                      'data: {"type":"status","message":"Searching the web"}\n\n', 'data: {"id":"s","message":"session started"}\n\n',
                      'data: {"choices":[],"error":{"message":"","type":"","code":null}}\n\n', 'data: {"choices":[],"prompt_filter_results":[{}]}\n\n')
    ] + [(Answer(sse(chunk("fine"), chunk("", "stop"), USAGE_CHUNK, done=False) + end, type="text/event-stream"), *GOOD)
         for end in ("data: DONE\n\n", "data: [END]\n\n", "event: done\ndata: stream finished\n\n", 'data: {"error":{"message":"logging failed"}}\n\n', "data: {x\n\n")],
    "what only looks like an error in an answer": [
        (chat(error=e), *GOOD) for e in ({"message": "", "type": "", "param": "", "code": None}, {"code": 0, "message": ""}, {"code": 0, "message": "success"},
                                         None, "", {}, {"code": 200, "message": "OK"}, "null")] + [(chat(choice={"error": {"code": 0, "message": "success"}}), *GOOD)],
    "an end that is none": [
        *((stream(chunk("Refund den", w), chunk(" yes", w), done=False), None, "the stream ended before", None, False, None)
          for w in ("null", "none", "FINISH_REASON_UNSPECIFIED", "stop")),
        (stream({"choices": [], "prompt_filter_results": []}, done=False), None, "the stream ended before", None, False, None),
        (stream({"choices": [{"message": {"content": "Refund den"}, "finish_reason": None}]}, done=False), None, "the stream ended before", None, False, None),
        (stream({"type": "ping"}, done=False), None, "the stream ended before", None, False, None),
        (stream(chunk(reasoning_content="hm"), chunk(reasoning_content="hm"), {"error": {"message": "Overloaded", "code": 529}}, done=False), None,
         "it may have been billed", None, False, None),
        (chat("Refund", usage=None, error={"message": "Timed out", "code": 504}), None, "it may have been billed", None, False, None),
    ],
    "a choice that is there twice": [
        (chat("fine", choice={"delta": {"role": "assistant", "content": ""}}), *GOOD),
        (chat("fine", choice={"delta": {}}), *GOOD),
        (chat("fine", choice={"delta": {"content": "fine"}}), *GOOD),
        (stream({"choices": [{"message": {"content": "fi"}}]}, {"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]},
                {"model": MODEL, **USAGE_CHUNK}), *GOOD),
        (stream({"choices": [{"message": {"content": "fi"}}]}, {"choices": [{"message": {"content": "ne"}, "finish_reason": "stop"}]},
                {"model": MODEL, **USAGE_CHUNK}), *GOOD),
        (stream(chunk("", role="assistant"), {"model": MODEL, "usage": USAGE, "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}), *GOOD),
        ({"model": MODEL, "usage": USAGE, "choices": [{"message": {"content": ""}, "finish_reason": "stop"}, {"message": {"content": "fine"}, "finish_reason": "stop"}]}, *GOOD),
    ],
    "usage in other places": [
        ({"model": MODEL, "choices": [{"message": {"content": "fine"}, "finish_reason": "stop", "usage": USAGE}]}, *GOOD),
        (stream(chunk("fine"), {"model": MODEL, "choices": [{"delta": {}, "finish_reason": "stop", "usage": USAGE}]}), *GOOD),
        (stream(chunk("fine", "stop", USAGE), {"model": MODEL, "choices": [], "usage": {k: 0 for k in USAGE}}), *GOOD),
        (stream(chunk("fine", "stop"), {"model": MODEL, "choices": [], "x_groq": {"usage": USAGE}}), *GOOD),
        (stream(chunk("fine", None, USAGE), chunk("", "stop", USAGE)), *GOOD),
    ],
    "an error that comes as a success": [
        ({"error": {"message": "No such luck", "type": "invalid_request_error"}}, None, "No such luck", None, False, None),
        ({"object": "error", "message": "No such luck", "code": 400}, None, "No such luck", None, False, None),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "No such luck"}}, None, "No such luck", None, False, None),
        ({"error": "No such luck"}, None, "No such luck", None, False, None),
        ({"status": "failed", "output": [], "error": {"code": "invalid_prompt", "message": "No such luck"}, "model": MODEL,
          "usage": USAGE}, None, "No such luck", None, False, COST),
    ],
    "an answer that says nothing": [
        *((chat(text), None, "holds no text", "complete", False, COST)
          for text in ("", " ", "\n\n", "\u200b", "<|im_end|>", "\ufeff", None, "</s>", "\u00a0\n", "\u115f", "\u2062", "\u2063", "\u206a", "\ufe0f",
                       "\ufff9", "\u1160", "\u3164", "\u034f", "<EOS_TOKEN>", "<|im_start|>assistant", "<turn|>", "[DONE]",
                       "<start_of_turn>model")),
        *((chat(text), None, "holds no text", "complete", False, COST) for text in ("</think>", "<think>\n\n</think>", "<think></think>\u2063")),
        (chat("", message={"reasoning": "hm"}), None, "holds no text but what the model thought", "complete", False, COST),
        (chat("<think>hm</think>\n"), None, "holds no text but what the model thought", "complete", False, COST),
        (chat(None, finish="tool_calls", message={"tool_calls": [{"id": "t", "function": {"name": "f"}}]}), None, "asks for a tool",
         "cut_off", False, COST),
    ],
    "usage of an answer whose text can't be used": [
        ({"model": MODEL, "choices": [{"finish_reason": "length", "index": 0}], "usage": USAGE}, None, "all 20 tokens", "cut_off", False, COST),
        ({"model": MODEL, "choices": [], "usage": USAGE}, None, "holds no text", "unknown", False, COST),
        ({"model": MODEL, "choices": None, "usage": USAGE}, None, "holds no text", "unknown", False, COST),
        ({"model": MODEL, "choices": {}, "usage": USAGE}, None, "holds no text", "unknown", False, COST),
        ({"model": MODEL, "usage": USAGE}, None, "the answer has no", None, False, COST),
        ({"model": MODEL, "choices": [{"message": None, "finish_reason": "stop"}], "usage": USAGE}, None, "holds no text", "complete", False, COST),
    ],
    "content in other shapes": [
        says([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "42"}], "42"),
        says([{"type": "text", "text": "4"}, {"type": "text", "text": "2"}], "42"),
        says(["4", "2"], "42"),
        says({"type": "text", "text": "42"}, "42"),
        says(42, "42"),
        says(None, "42", message={"text": "42"}),
        says(None, "42", message={"audio": {"transcript": "42"}}),
        (chat(choice={"message": "fine"}), *GOOD),
        says({"answer": 42}, '{"answer":42}'),
        says([{"type": "reasoning", "summary": [{"text": "hm"}]}, {"type": "output_text", "text": "42"}], "42"),
    ],
    "thinking in the answer": [
        says("<think>hm</think>\n\nHello", "Hello"),
        says("\n<think>\nhm\n</think>Hello", "Hello"),
        says("hm\n</think>\n\nHello", "Hello"),
        says("[THINK]hm[/THINK]Hello", "Hello"),
        says("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hello", "Hello"),
        *(says(text, "Hello") for text in (
            "<THINK>hm</THINK>Hello", "<think >hm</think>Hello", "<thoughts>hm</thoughts>Hello", "<reflection>hm</reflection>Hello",
            "<scratchpad>hm</scratchpad>Hello", "<analysis>hm</analysis>Hello", "<|think|>hm<|/think|>Hello",
            "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>",
            "<|begin_of_thought|>hm<|end_of_thought|>\n\n<|begin_of_solution|>\nHello\n<|end_of_solution|>",
            "<|channel>thought\nhm<channel|>Hello<turn|>", "<unused94>thought\nhm<unused95>Hello",
            "<|start|>assistant<|channel|>final<|message|>Hello<|return|>", "analysisWe say hello.assistantfinalHello",
            "<think>a</think>\n<think>b</think>\n\nHello", "<think>a</think>\n\n</think>Hello", "<think>hm</thinking>Hello",
            "hm</think>\n\nHello", "hm.\n\n</think>Hello", "</think>\n\nHello", "\u200b\ufeff<think>hm</think>Hello",
            "<|im_start|>assistant\n<think>hm</think>Hello<|im_end|>", "Hello<|return|>", "Hello<|eot_id|>", "Hello</s>", "Hello<|end|>\n")),
        *(says(text, text) for text in ("The tag </think> closes a thought.", "<s>gone</s>", "`</think>` closes a thought.",
                                        "analysis is hard", "<b>bold</b>")),
        says("Hello", "Hello", message={"reasoning_content": "hm"}),
        says("Hello", "Hello", message={"reasoning": "hm", "reasoning_details": [{"text": "hm"}]}),
        (chat("<think>hm, and on and on", finish="length"), None, "was cut off", "cut_off", False, COST),
    ],
    "a refusal that is none": [
        says("fine", "fine", message={"refusal": ""}),
        says("fine", "fine", message={"refusal": None}),
        says("fine", "fine", message={"refusal": " "}),
        says("fine", "fine", message={"refusal": [], "tool_calls": []}),
        says("fine", "fine", message={"refusal": "null"}),
        says("fine", "fine", message={"function_call": {}}),
        says("fine", "fine", message={"function_call": {"name": "", "arguments": ""}}),
        says("fine", "fine", message={"tool_calls": [{}]}),
        says([{"type": "text", "text": "fine"}, {"type": "refusal", "refusal": ""}], "fine"),
    ],
    "codings that are none": [
        *((Answer(chat(), headers=[("Content-Encoding", e)]), *GOOD)
          for e in ("utf-8", "UTF-8", "binary", "aws-chunked", "json", "none", "identity", "zstd")),
        (Answer(gzip.compress(json.dumps(chat()).encode()), headers=[("Content-Encoding", "gzip")]), *GOOD),
        (Answer(gzip.compress(json.dumps(chat()).encode()), headers=[("Content-Encoding", "utf-8, gzip")]), *GOOD),
        (Answer(zlib.compress(json.dumps(chat()).encode()), headers=[("Content-Encoding", "deflate")]), *GOOD),
        (Answer(zlib.compress(json.dumps(chat()).encode())[2:-4], headers=[("Content-Encoding", "deflate")]), *GOOD),
        (Answer(chat(), headers=[("Content-Encoding", "gzip")]), *GOOD),
        (Answer(gzip.compress(json.dumps(chat()).encode()), headers=[("Content-Encoding", "x-gzip")], chunked=True, pieces=40), *GOOD),
    ],
    "codings that are called otherwise, or not at all": [
        *((Answer(gzip.compress(json.dumps(chat()).encode()), headers=[("Content-Encoding", e)] if e else []), *GOOD)
          for e in ("gzip;charset=utf-8", '"gzip"', "application/gzip", "identity", "utf-8", "br", None)),
        *((Answer(zlib.compress(json.dumps(chat()).encode()), headers=[("Content-Encoding", e)] if e else []), *GOOD)
          for e in ("x-deflate", "gzip", None)),
        (Answer(gzip.compress(gzip.compress(json.dumps(chat()).encode())), headers=[("Content-Encoding", "gzip")]), *GOOD),
    ],
    "framing": [
        (Answer(json.dumps(chat()) + "  ", cut=1), *GOOD),
        (Answer(json.dumps(chat()) + "\n\n\n", cut=2), *GOOD),
        (Answer(chat(), chunked=True, hang=False, close=True, rst=True), *GOOD),
        (Answer(json.dumps(chat()) + " ", chunked=True, cut=1), *GOOD),
        (Answer(chat(), close=True), *GOOD),
        (Answer(sse(chunk("fine"), chunk(finish="stop"), USAGE_CHUNK) + " ", type="text/event-stream", cut=1), *GOOD),
        (Answer(sse(chunk("fine"), chunk(finish="stop"), USAGE_CHUNK), type="text/event-stream", chunked=True, pieces=50), *GOOD),
    ],
    "letters": [
        (raw(LONE % r"\ud83d"), "a\ufffd", None, "complete", True, COST),
        (raw(LONE % r"\udc00b"), "a\ufffdb", None, "complete", True, COST),
        (raw((LONE % "X").encode().replace(b"X", b"\xe2\x82")), "a\ufffd", None, "complete", True, COST),
        (raw((LONE % "X").encode().replace(b"X", b"\xff")), "a\ufffd", None, "complete", True, COST),
        (raw((LONE % "").replace('"choices"', '"logprobs":[NaN,-Infinity,Infinity],"choices"')), "a", None, "complete", True, COST),
        (raw((LONE % "").replace('"choices"', r'"x":"\ud83d","choices"')), "a", None, "complete", True, COST),
        (raw((LONE % "").replace('"message":', '"message":{"content":""},"message":')), "a", None, "complete", True, COST),
        (raw((LONE % "").replace('"model"', '"usage":null,"model"')), "a", None, "complete", True, COST),
        (raw(LONE % r"\u0000"), "a\ufffd", None, "complete", True, COST),
        (raw((LONE % "X").encode().replace(b"X", b"\xed\xa0\xbd\xed\xb8\x80")), "a\U0001f600", None, "complete", True, COST),
        *((raw(LONE % escape), "a" + is_, None, "complete", True, COST)
          for escape, is_ in ((r"\d", "\\d"), (r"\'", "'"), (r"\_", "_"), (r"\x27", "'"), (r"C:\Users", "C:\\Users"))),
        (raw((LONE % "").replace('"choices"', '"debug":' + "[" * 200 + "]" * 200 + ',"choices"')), "a", None, "complete", True, COST),
    ],
    "characters in two pieces": [
        (Answer(sse(chunk("X"), chunk("Y", "stop"), USAGE_CHUNK).encode().replace(b"X", x).replace(b"Y", y), type="text/event-stream"),
         text, None, "complete", True, COST)
        for x, y, text in ((b"a\\ud83d", b"\\ude00b", "a\U0001f600b"), (b"a\xe2", b"\x82\xac", "a\u20ac"), (b"\xf0\x9f", b"\x98\x80", "\U0001f600"),
                           (b"a\\ud83d", b"b", "a\ufffdb"), (b"a\xe2", b"b", "a\ufffdb"), (b"a", b"\\ude00", "a\ufffd"))],
    "a stream, or comments, unasked": [
        (stream(chunk("fi"), chunk("ne"), chunk(finish="stop"), USAGE_CHUNK), *GOOD),
        (Answer(sse(chunk("fi"), chunk("ne", "stop"), USAGE_CHUNK), type="application/json"), *GOOD),
        (stream(chunk("fi"), other("ot"), chunk("ne"), other("her"), chunk(finish="stop"), other("!", "length"), USAGE_CHUNK), *GOOD),
        (Answer(sse(chunk("fine"), chunk(finish="stop"), USAGE_CHUNK) + sse(chunk("more")), type="text/event-stream"), *GOOD),
        (Answer(": OPENROUTER PROCESSING\n\n" * 3 + json.dumps(chat())), *GOOD),
        (Answer(json.dumps(chat()) + "\n\ndata: [DONE]\n\n"), *GOOD),
        (Answer("data: " + json.dumps(chat()) + "\n\n"), *GOOD),
        (Answer(json.dumps([chat()])), *GOOD),
        (Answer(json.dumps(chat()).encode() + b"\0"), *GOOD),
        (Answer("\ufeff\n\n" + json.dumps(chat())), *GOOD),
        (Answer(json.dumps(chat()).encode("utf-16")), *GOOD),
        (Answer(json.dumps(chat("caf\u00e9"), ensure_ascii=False).encode("latin-1"), type="application/json; charset=ISO-8859-1"),
         "caf\u00e9", None, "complete", True, COST),
        *((Answer(json.dumps(chat("\u20ac\u201c\u0178\u00e9" * 50), ensure_ascii=False).encode("cp1252"), type=f"application/json; charset={c}"),
           "\u20ac\u201c\u0178\u00e9" * 50, None, "complete", True, COST) for c in ("windows-1252", "ISO-8859-1")),
        (Answer(")]}'\n" + json.dumps(chat())), *GOOD),
        (Answer("Warning: something in index.php\n" + json.dumps(chat())), *GOOD),
        (Answer("ok\n\n" + sse(chunk("fine", "stop"), USAGE_CHUNK)), *GOOD),
        (Answer("1f4\r\n" + sse(chunk("fine", "stop"), USAGE_CHUNK)), *GOOD),
        (Answer("\n".join(json.dumps(c) for c in (chunk("fi"), chunk("ne", "stop"), USAGE_CHUNK))), *GOOD),
        (Answer('{"model":"%s","message":{"role":"assistant","content":"fine"},"done":true,"done_reason":"stop",'
                '"prompt_eval_count":100,"eval_count":20}' % MODEL), *GOOD),
        (Answer({"model": MODEL, "status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "fine"}]}],
                 "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}}), *GOOD),
    ],
    "what is no answer": [
        (Answer("<!doctype html><title>My chats</title>", type="text/html"), None, "text/html, 38 bytes", None, False, None),
        (Answer("OK", type="text/plain"), None, "text/plain, 2 bytes: \"OK\"", None, False, None),
        (Answer(""), None, "0 bytes", None, False, None),
        (Answer("{}"), None, "the answer has no", None, False, None),
        (Answer("[]"), None, "2 bytes: \"[]\"", None, False, None),
        (Answer("null"), None, "not valid JSON but application/json, 4 bytes", None, False, None),
        (Answer(json.dumps(chat())[:60]), None, "ends after 60 bytes", None, False, None),
    ],
    "a stream that breaks off": [
        (stream(chunk("fi"), chunk("ne"), done=False), None, "the stream ended before the answer did", None, False, None),
        (stream(chunk("fi"), other("ne")), None, "the stream ended before the answer did", None, False, None),
        (Answer(sse(chunk("fi"), chunk("ne"), done=False) + "data: {\"choi", type="text/event-stream"), None, "the answer was lost", None, False, None),
        (Answer(sse(chunk("fi"), chunk("ne"), done=False), type="text/event-stream", cut=3), None, "the answer was lost", None, False, None),
        (Answer(sse(chunk("fi"), chunk("ne"), done=False), type="text/event-stream", chunked=True, rst=True), None,
         "the stream ended before", None, False, None),
        (Answer("\n".join(json.dumps({"message": {"content": c}, "done": False}) for c in "ab")), None, "the stream ended before", None, False, None),
        (stream({"type": "message_start", "message": {"model": CLAUDE, "usage": {"input_tokens": 100, "output_tokens": 1}}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "fi"}}, done=False, names=True),
         None, "the stream ended before", None, False, None),
    ],
}

ANTHROPIC = {
    "complete": [(claude(stop=w), "fine", None, "complete", True, CLAUDE_COST) for w in ("end_turn", "stop_sequence", "stop", "compaction")]
    + [(claude(stop=None), "fine", None, "unknown", True, CLAUDE_COST)],
    "cut off": [(claude("half", stop=w), None, "was cut off", "cut_off", False, CLAUDE_COST)
                for w in ("max_tokens", "model_context_window_exceeded", "pause_turn", "length")]
    + [(claude([{"type": "thinking", "thinking": "hm"}], "max_tokens"), None, "all 20 tokens went into reasoning", "cut_off", False, CLAUDE_COST)],
    "filtered": [(claude([], "refusal", stop_details={"explanation": "It would do harm."}), None, "It would do harm.", "filtered", False, CLAUDE_COST),
                 (claude("I ca", "refusal"), None, "refused to answer", "filtered", False, CLAUDE_COST)],
    "streamed": [(stream({"type": "message_start", "message": claude([], None)},
                         {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                         {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "fine"}},
                         {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}},
                         {"type": "message_stop"}, done=False, names=True), "fine", None, "complete", True, CLAUDE_COST)],
}


def as_answer(sent):
    return sent if isinstance(sent, Answer) else Answer(sent)


class Desk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.replay = Replay()
        cls.replay.__enter__()
        cls.tmp = TempDir()

    @classmethod
    def tearDownClass(cls):
        cls.replay.__exit__()
        cls.tmp.cleanup()

    def setUp(self):
        Desk.count = getattr(Desk, "count", 0) + 1
        self.db = connect(os.path.join(self.tmp.name, f"answers{Desk.count}.db"))
        value(self.db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", self.replay.host)
        value(self.db, "SELECT llm_config('backoff_ms', 5)")

    def tearDown(self):
        self.db.close()

    def serve(self, name, *answers, api="openai", provider=None, supports="{}"):
        """A model of that name whose answers these are."""
        self.replay.answers[name] = [a if callable(a) else as_answer(a) for a in answers]
        self.replay.requests.pop(name, None)
        self.db.execute("INSERT OR REPLACE INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                        " VALUES (?, ?, ?, ?, 'WIRE_KEY', 0, 0, ?)",
                        (name, provider or api, api, self.replay.url(name), supports))
        return name

    def ask(self, name, prompt="a question", **options):
        return value(self.db, "SELECT llm_complete(?, ?)", prompt, json.dumps({"model": name, **options}))

    def row(self, columns):
        self.db.execute("SELECT count(*) FROM llm_calls").fetchall()
        return self.db.execute(f"SELECT {columns} FROM llm_calls ORDER BY id DESC LIMIT 1").fetchone()


class Kinds(Desk):
    def check(self, name, case, api):
        sent, answer, error, ended, is_cached, cost = case
        self.serve(name, sent, api=api)
        result = json.loads(self.ask(name, on_error="json", retries=0))
        message = (result["error"] or {}).get("message", "")
        self.assertEqual(result["value"], answer, message)
        self.assertIn(error or "", message)
        self.assertEqual(bool(error), bool(message), message)
        self.assertEqual(self.replay.asked(name), 1)
        self.assertEqual(self.row("ended, cost_nusd"), (ended, cost))
        self.ask(name, on_error="json", retries=0)
        self.assertEqual(self.replay.asked(name), 1 if is_cached else 2, "requests after it was asked twice")

    def test_openai(self):
        for kind, cases in CASES.items():
            self.assertGreaterEqual(len(cases), 5, kind)
            for i, case in enumerate(cases):
                with self.subTest(kind=kind, i=i):
                    self.check(f"{''.join(c for c in kind if c.isalpha())}{i}", case, "openai")

    def test_why_a_cache_missed(self):
        """A provider that says why its prefix cache did not read has its word in the ledger, whole or streamed."""
        missed = {"diagnostics": {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 9}}}
        start = {"type": "message_start", "message": {**claude([], None), **missed}}
        rest = [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "fine"}},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}}, {"type": "message_stop"}]
        openai = {"prompt_cache_diagnostics": {"type": "cache_miss", "reason": "input_changed"}}
        hit = {"prompt_cache_diagnostics": {"type": "cache_hit"}}
        for i, (body, api, word) in enumerate(((claude(**missed), "anthropic", "tools_changed"), (sse(start, *rest, done=False, names=True), "anthropic", "tools_changed"),
                                               (claude(diagnostics=None), "anthropic", None), (claude(diagnostics=[1]), "anthropic", None),
                                               (chat(**openai), "openai", "input_changed"), (chat(**hit), "openai", None), (chat(), "openai", None),
                                               (chat(prompt_cache_diagnostics={"type": "unavailable"}), "openai", "unavailable"))):
            self.serve(f"miss{i}", body, api=api)
            value(self.db, "SELECT llm_complete('why', json_object('model', ?, 'cache', 'off'))", f"miss{i}")
            with self.subTest(i):
                self.assertEqual(value(self.db, "SELECT cache_miss FROM llm_calls ORDER BY id DESC LIMIT 1"), word)

    def test_anthropic(self):
        for kind, cases in ANTHROPIC.items():
            for i, case in enumerate(cases):
                with self.subTest(kind=kind, i=i):
                    self.check(f"a{''.join(c for c in kind if c.isalpha())}{i}", case, "anthropic")


class Silence(Desk):
    """Silence is not loss; what is lost is not bought again unasked."""

    def test_a_slow_answer_is_waited_for_and_bought_once(self):
        value(self.db, "SELECT llm_config('idle_timeout_ms', 200)")
        for name, answer in (("late", Answer(chat(), wait=0.9)), ("blanks", Answer("\n" * 8 + json.dumps(chat()), pieces=2, gap=0)),
                             ("kept", Answer("   \n" + json.dumps(chat()), wait=0.3)),
                             ("chunked", Answer(chat(), wait=0.7, chunked=True)), ("closed", Answer(chat(), wait=0.7, close=True))):
            self.serve(name, answer)
            self.assertEqual(self.ask(name, timeout_ms=20000), "fine", name)
            self.assertEqual(self.replay.asked(name), 1, name)
            self.assertEqual(self.row("kind, cost_nusd"), ("call", COST))

    def test_silence_within_an_answer_ends_it(self):
        value(self.db, "SELECT llm_config('idle_timeout_ms', 200)")
        self.serve("half", Answer(json.dumps(chat()) + " " * 9, cut=20, hang=True))
        self.assertIn("no byte arrived", error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"half\"}')"))
        self.assertEqual((self.replay.asked("half"), self.row("kind, cost_nusd")), (1, ("unknown", None)))

    def test_lost_is_asked_again_by_the_next_statement_only(self):
        for store in ("file", "main"):
            db = self.db if store == "file" else connect(":memory:")
            if store == "main":
                value(db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", self.replay.host)
            self.serve("gone", Answer(chat(), cut=40), Answer(chat(), cut=40), chat())
            if store == "main":
                db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env) VALUES ('gone', 'openai', 'openai', ?, 'WIRE_KEY')",
                           (self.replay.url("gone"),))
            ask = "SELECT llm_complete(?, '{\"model\":\"gone\"}')"
            rows = "SELECT kind, attempt, retry_reason FROM llm_calls ORDER BY id"
            self.assertIn("was lost (it may have been billed)", error_of(db, ask, "q"))
            self.assertEqual(self.replay.asked("gone"), 1)
            self.assertIn("was lost", error_of(db, ask, "q"))
            self.assertEqual(value(db, ask, "q"), "fine")
            self.assertEqual(value(db, ask, "another"), "fine")
            self.assertEqual(db.execute(rows).fetchall(),
                             [("unknown", 1, None), ("unknown", 1, "lost"), ("call", 1, "lost"), ("call", 1, None)], store)
            db.close() if store == "main" else None

    def test_a_server_that_hangs_up_without_saying_so_loses_nothing(self):
        self.serve("silent", Answer(chat(), close="silently"))
        asked = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT count(llm_complete('q' || i, ?)) FROM n"
        self.assertEqual(value(self.db, asked, json.dumps({"model": "silent", "on_error": "null"})), 2000)
        self.assertEqual(self.replay.asked("silent"), 2000)
        self.assertEqual(self.db.execute("SELECT kind, count(*), max(attempt) FROM llm_calls GROUP BY 1").fetchall(), [("call", 2000, 1)])

    def test_lost_is_said_until_it_is_bought(self):
        def reasons():
            return [r[0] for r in self.db.execute("SELECT coalesce(retry_reason, '-') FROM llm_calls ORDER BY id")]
        gone, bad = Answer(chat(), cut=40), Answer({"error": {"message": "no"}}, status=400)
        self.serve("l1", gone, bad, chat(), chat())
        for mode in ("exact", "exact", "exact", "refresh"):
            self.ask("l1", "q", cache=mode, on_error="null")
        self.assertEqual(reasons(), ["-", "lost", "lost", "-"])
        self.db.close()
        self.setUp()
        self.serve("l2", gone, gone, chat(), chat())
        for mode in ("exact", "refresh", "off", "off"):
            self.ask("l2", "q", cache=mode, on_error="null")
        self.assertEqual(reasons(), ["-", "lost", "lost", "-"])

    def test_who_waited_for_an_answer_that_was_lost_asks_himself(self):
        self.serve("two", Answer(chat(), cut=40, wait=0.6), chat())
        path = value(self.db, "SELECT file FROM pragma_database_list WHERE name = 'main'")
        got = []

        def ask_there():
            db = connect(path)
            value(db, "SELECT llm_allow_host(?, 'WIRE_KEY')", self.replay.host)
            got.append(value(db, "SELECT llm_complete('q', '{\"model\":\"two\",\"on_error\":\"null\"}')"))
            db.close()
        first = threading.Thread(target=ask_there)
        first.start()
        while not self.replay.asked("two"):
            time.sleep(0.01)
        self.assertEqual(self.ask("two", "q"), "fine")
        first.join()
        self.assertEqual((got, self.replay.asked("two")), ([None], 2))
        self.assertEqual(self.db.execute("SELECT kind, retry_reason FROM llm_calls ORDER BY id").fetchall(), [("unknown", None), ("call", "lost")])

    def test_what_a_killed_process_asked_was_lost(self):
        self.serve("killed", Answer(chat(), wait=30), chat())
        path = value(self.db, "SELECT file FROM pragma_database_list WHERE name = 'main'")
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from harness import connect, value; db = connect(sys.argv[2]);"
                "value(db, \"SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789')\", sys.argv[3]);"
                "value(db, \"SELECT llm_complete('q', '{\\\"model\\\":\\\"killed\\\"}')\")")
        p = subprocess.Popen(["/usr/bin/python3", "-c", code, os.path.dirname(os.path.abspath(__file__)), path, self.replay.host])
        while not self.replay.asked("killed"):
            time.sleep(0.01)
        p.kill()
        p.wait()
        self.assertEqual(self.ask("killed", "q"), "fine")
        self.assertEqual(self.db.execute("SELECT kind, cost_nusd, retry_reason FROM llm_calls ORDER BY id").fetchall(),
                         [("unknown", None, None), ("call", COST, "lost")])

    def test_retry_lost_buys_again(self):
        for given in (True, 1):
            self.serve("again", Answer(chat(), cut=40), Answer(chat(), cut=40), chat())
            self.assertEqual(self.ask("again", f"q{given}", retry_lost=given), "fine")
            self.assertEqual(self.replay.asked("again"), 3)
        self.assertEqual(self.db.execute("SELECT kind, attempt, retry_reason FROM llm_calls ORDER BY id LIMIT 3").fetchall(),
                         [("unknown", 1, None), ("unknown", 2, "lost"), ("call", 3, "lost")])
        for wrong in ("yes", 2, []):
            self.assertIn("option 'retry_lost': expected true or false",
                          error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"retry_lost": wrong})))

    def test_an_error_that_ends_early_is_an_error(self):
        for status in (429, 400):
            error = {"error": {"message": "too much of it", "code": "rate_limit_exceeded" if status == 429 else "bad"}}
            self.serve(f"e{status}", Answer(json.dumps(error) + " " * 90, status=status, cut=90), chat())
            result = json.loads(self.ask(f"e{status}", on_error="json"))
            self.assertEqual(result["value"], "fine" if status == 429 else None, result)
            self.assertEqual(self.db.execute("SELECT kind, cost_nusd, http_status FROM llm_calls ORDER BY id DESC LIMIT 1 OFFSET ?",
                                             (int(status == 429),)).fetchone(), ("call", 0, status))

    def test_gateways_time_outs_are_unknown(self):
        pages = {504: "<html><title>504 Gateway Time-out</title></html>", 524: "<!DOCTYPE html><title>524: A timeout occurred</title>",
                 502: "Bad Gateway", 520: "error code: 520", 408: "", 499: "", 522: "<html></html>"}
        for status, page in pages.items():
            self.serve(f"g{status}", Answer(page, status=status, type="text/html"))
            self.assertIn("it may have been billed", error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": f"g{status}"})))
            self.assertEqual((self.replay.asked(f"g{status}"), self.row("kind, cost_nusd, http_status")), (1, ("unknown", None, status)))
        self.serve("own", Answer({"error": {"message": "slow", "type": "timeout_error"}}, status=504), chat())
        self.assertEqual(self.ask("own"), "fine")


STREAMS = '{"stream":true}'


class Streams(Desk):
    """Answers that are streamed inside."""

    def test_an_answer_in_pieces(self):
        self.serve("s", stream(chunk(role="assistant", content=""), chunk("fi"), chunk("ne"), chunk(finish="stop"), USAGE_CHUNK), supports=STREAMS)
        self.assertEqual(self.ask("s"), "fine")
        self.assertEqual(self.row("kind, cost_nusd, ended, finish_reason, input_tokens"), ("call", COST, "complete", "stop", 100))
        body = self.replay.body("s")
        self.assertEqual((body["stream"], body["stream_options"]), (True, {"include_usage": True}))
        self.serve("m", stream(chunk("fine", "stop", USAGE)), provider="mistral", supports=STREAMS)
        self.assertEqual(self.ask("m", seed=7), "fine")
        self.assertEqual({k: v for k, v in self.replay.body("m").items() if k in ("stream", "stream_options", "seed", "random_seed")},
                         {"stream": True, "random_seed": 7})
        self.serve("w", chat(), supports=STREAMS)  # a whole one is as good
        self.assertEqual(self.ask("w"), "fine")
        self.serve("u", chat())  # unknown hosts are not asked for streams
        self.ask("u")
        self.assertNotIn("stream", self.replay.body("u"))

    def refuse(self, name, status, message, good, calls, **error):
        def answer(body):
            bad = ("stream_options" in body and "stream_options" in message) or ("stream" in body and "stream_options" not in message)
            if bad:
                return Answer({"error": {"message": message, "type": "invalid_request_error", **error}}, status=status)
            return stream(chunk("fine", "stop"), USAGE_CHUNK) if body.get("stream") else Answer(chat())
        self.serve(name, answer, supports=STREAMS)
        self.assertEqual(self.ask(name, "one"), "fine")
        self.assertEqual(self.replay.asked(name), 2)
        self.assertEqual(self.ask(name, "two"), "fine")
        self.assertEqual(self.replay.asked(name), calls)
        self.assertEqual("stream" in self.replay.body(name), good)
        self.assertNotIn("stream_options", self.replay.body(name))

    def test_a_refusal_of_streams_is_remembered(self):
        self.refuse("r1", 400, "Unrecognized request argument supplied: stream_options", True, 3)
        self.refuse("r2", 422, "body.stream_options: Extra inputs are not permitted", True, 3)
        self.refuse("r3", 400, "Your organization must be verified to stream this model.", False, 3, param="stream", code="unsupported_value")
        self.refuse("r4", 400, "'stream' does not support true with this model", False, 3)
        self.refuse("r5", 501, "Streaming is not supported here", False, 3)
        self.refuse("r6", 200, "stream is not supported", False, 3)
        self.refuse("r7", 401, "Your organization must be verified to stream this model", False, 3, param="stream")
        self.assertEqual(value(self.db, "SELECT group_concat(DISTINCT kind || attempt || cost_nusd) FROM llm_calls"), f"call1{COST}")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 14)

    def test_what_only_sounds_like_a_refusal_of_streams(self):
        for i, (status, text, kind, cost) in enumerate((
                (504, "upstream request timeout", "unknown", None), (502, "upstream prematurely closed connection", "unknown", None),
                (404, {"error": {"message": "The model `streamlm-7b` does not exist"}}, "call", 0), (400, {"error": {"message": "streaming is required"}}, "call", 0),
                (400, {"error": {"message": "flagged: 'live stream of a crime'"}}, "call", 0), (400, {"error": {"message": "bad request upstream"}}, "call", 0), (500, {"error": {"message": "no healthy upstream"}}, "call", 0))):
            self.serve(f"up{i}", Answer(text, status=status, type="text/plain" if isinstance(text, str) else "application/json"), supports=STREAMS)
            error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": f"up{i}", "retries": 0}))
            self.assertEqual((self.replay.asked(f"up{i}"), self.row("kind, cost_nusd")), (1, (kind, cost)), text)

    def test_thinking_without_a_word_is_no_silence(self):
        value(self.db, "SELECT llm_config('idle_timeout_ms', 200)")
        body = sse(chunk("", role="assistant"), done=False) + ": ping\n\n" * 20 + sse(chunk("fine", "stop"), USAGE_CHUNK)
        self.serve("mind", Answer(body, type="text/event-stream", wait=0.5), supports=STREAMS)
        self.assertEqual(self.ask("mind"), "fine")
        head = sse(chunk("", role="assistant"), done=False)
        self.serve("role", Answer(head + " " * len(head) + sse(chunk("fine", "stop"), USAGE_CHUNK), type="text/event-stream", pieces=3, gap=0.6), supports=STREAMS)
        self.assertEqual(self.ask("role"), "fine")

    def test_an_error_behind_a_part_of_the_answer_is_not_bought_again(self):
        start = {"type": "message_start", "message": {"model": CLAUDE, "usage": {"input_tokens": 100, "output_tokens": 1}}}
        text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "fi"}}
        broke = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        self.serve("over", stream(start, text, broke, done=False, names=True), api="anthropic", supports=STREAMS)
        self.assertIn("Overloaded", error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"over\"}')"))
        kind, cost, usage = self.row("kind, cost_nusd, usage")
        self.assertEqual((kind, cost, json.loads(usage)["pieces"], self.replay.asked("over")), ("unknown", None, 1, 1))
        self.serve("first", stream(broke, done=False, names=True), stream(start, text, {"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                   "usage": {"output_tokens": 20}}, {"type": "message_stop"}, done=False, names=True), api="anthropic", supports=STREAMS)
        self.assertEqual(self.ask("first"), "fi")  # nothing had come: tried again

    def test_silence_in_a_stream_is_a_loss_whose_pieces_are_known(self):
        value(self.db, "SELECT llm_config('idle_timeout_ms', 200)")
        start = {"type": "message_start", "message": {"model": CLAUDE, "usage": {"input_tokens": 100, "cache_read_input_tokens": 30, "output_tokens": 1}}}
        text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "fi"}}
        body = sse(start, text, text, done=False, names=True)
        self.serve("quiet", Answer(body, type="text/event-stream", close=True, hang=True), api="anthropic", supports=STREAMS)
        self.assertIn("no byte arrived", error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"quiet\"}')"))
        kind, cost, usage = self.row("kind, cost_nusd, usage")
        usage = json.loads(usage)
        self.assertEqual((kind, cost, usage["input"], usage["cache_read"], usage["pieces"]), ("unknown", None, 130, 30, 2))
        self.assertEqual(self.replay.asked("quiet"), 1)
        self.assertEqual(value(self.db, "SELECT sum(calls) FROM llm_unpriced"), 1)

    def test_a_pause_behind_the_first_piece_is_no_end(self):
        for i, first in enumerate(({"choices": [], "prompt_filter_results": []}, {"type": "ping"}, {"id": "x", "model": MODEL}, {}, {"choices": [], "usage": USAGE},
                                   chunk("fi", None, USAGE), {"object": "chat.completion.chunk"}, chunk("fi", "stop", {"prompt_tokens": 9, "completion_tokens": 1}))):
            begin = sse(first, done=False)
            rest = sse(chunk("ne" if '"fi"' in begin else "fine", "stop"), USAGE_CHUNK)
            for supports in (STREAMS, "{}"):
                name = f"p{i}{len(supports)}"
                pad = ":" + " " * (len(rest) - len(begin) - 3) + "\n\n" if len(rest) > len(begin) + 3 else ""
                self.serve(name, Answer(begin + pad + rest, type="text/event-stream", pieces=2, gap=0.8), supports=supports)
                self.assertEqual(self.ask(name), "fine", first)
                self.assertEqual(self.row("kind, cost_nusd"), ("call", COST))

    def test_a_server_that_does_not_hang_up(self):
        body = sse(chunk("fine", "stop"), USAGE_CHUNK)
        self.serve("open", Answer(body, type="text/event-stream", close=True, hang=True), supports=STREAMS)
        began = time.time()
        self.assertEqual(self.ask("open"), "fine")
        self.assertLess(time.time() - began, 5)

    def test_interrupt_in_a_stream(self):
        body = sse(*[chunk("x")] * 200, done=False)
        self.serve("slow", Answer(body, type="text/event-stream", close=True, pieces=100, gap=0.1), supports=STREAMS)
        threading.Timer(0.5, self.db.interrupt).start()
        began = time.time()
        self.assertIn("interrupt", error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"slow\"}')"))
        self.assertLess(time.time() - began, 2)
        kind, cost, usage = self.row("kind, cost_nusd, usage")
        self.assertEqual((kind, cost), ("unknown", None))
        self.assertGreater(json.loads(usage)["pieces"], 1)

    def test_schemas_and_refusals_in_pieces(self):
        schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
        self.serve("json", stream(chunk('{"a'), chunk('":'), chunk("1}"), chunk(finish="stop"), USAGE_CHUNK), supports=STREAMS)
        self.assertEqual(self.ask("json", schema=schema), '{"a":1}')
        self.serve("no", stream(chunk(refusal="I can't "), chunk(refusal="do that."), chunk(finish="stop"), USAGE_CHUNK), supports=STREAMS)
        self.assertIn("refused to answer (finish_reason 'stop'): I can't do that.",
                      error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"no\"}')"))
        self.assertEqual(self.row("ended, cost_nusd"), ("filtered", COST))


class Asking(Desk):
    """What is sent, and what of the answer is kept beside its text."""

    def test_headers(self):
        self.serve("h", Answer(chat(), headers=[("x-request-id", "req_123-abc")]))
        self.ask("h")
        self.assertRegex(self.replay.requests["h"][0][0]["user-agent"], r"^llmcost/\d+\.\d+\.\d+$")
        self.assertEqual(self.row("provider_request_id"), ("req_123-abc",))
        self.serve("i", Answer({"error": {"message": "no"}}, status=400, headers=[("request-id", "req_9")]))
        error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"i\"}')")
        self.assertEqual(self.row("provider_request_id"), ("req_9",))

    def test_reasoning_is_a_hidden_column(self):
        for name, sent in (("field", chat("b", message={"reasoning_content": "a"})), ("mark", chat("<think>a</think>b")),
                           ("parts", chat([{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "b"}]))):
            self.serve(name, sent)
            row = "SELECT answer, reasoning FROM llm_call('q', ?)"
            options = json.dumps({"model": name})
            self.assertEqual(self.db.execute(row, (options,)).fetchall(), [("b", "a")], name)
            self.assertEqual(self.db.execute(row, (options,)).fetchall(), [("b", None)], name)  # a hit
        names = [d[0] for d in self.db.execute("SELECT * FROM llm_call('q', ?)", (json.dumps({"model": "field"}),)).description]
        self.assertNotIn("reasoning", names)

    def test_a_second_attempt_tells_the_model_what_was_wrong(self):
        schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
        for api, make in (("openai", chat), ("anthropic", claude)):
            self.serve(f"told-{api}", make('{"a":"x"}'), make('Sure: {"a":1}'), api=api)
            self.assertEqual(self.ask(f"told-{api}", schema=schema), '{"a":1}')
            first, second = self.replay.body(f"told-{api}", 0), self.replay.body(f"told-{api}", 1)
            self.assertEqual(second["messages"][:-2], first["messages"])
            self.assertEqual(second["messages"][-2], {"role": "assistant", "content": '{"a":"x"}'})
            self.assertIn("/a: expected integer", second["messages"][-1]["content"])
            self.assertEqual({k: v for k, v in second.items() if k != "messages"}, {k: v for k, v in first.items() if k != "messages"})

    def test_max_tokens_of_the_caller_takes_the_part_that_fits(self):
        self.serve("fits", chat("half a sen", finish="length"))
        self.assertEqual(self.ask("fits", max_tokens=20), "half a sen")
        self.assertEqual(self.row("ended, finish_reason"), ("cut_off", "length"))
        self.ask("fits", max_tokens=20)
        self.assertEqual(self.replay.asked("fits"), 2)
        self.serve("wordless", chat("half a sen", finish=None))  # no word, and as many tokens as there may be
        self.ask("wordless", max_tokens=20)
        self.assertEqual(self.row("ended, finish_reason"), ("cut_off", None))

    def test_options_have_the_names_of_their_provider(self):
        for provider, options, sent in (("mistral", {"seed": 7}, {"random_seed": 7}), ("openai", {"max_tokens": 5}, {"max_completion_tokens": 5}),
                                        ("azure", {"max_tokens": 5}, {"max_completion_tokens": 5}), ("vllm", {"max_tokens": 5}, {"max_tokens": 5}),
                                        ("groq", {"seed": 7}, {"seed": 7}), ("vllm", {"stop": list("abcde")}, {"stop": list("abcde")})):
            name = f"names-{provider}"
            self.serve(name, chat(), provider=provider)
            self.ask(name, **options)
            body = self.replay.body(name)
            self.assertEqual({k: v for k, v in body.items() if k not in ("model", "messages")}, sent)
        for name, api, options, error in (
                ("names-openai", "openai", {"stop": list("abcde")}, "'stop': openai takes at most 4 strings"),
                ("claude-opus-4-8", "anthropic", {"temperature": 0.5}, "'temperature': claude-opus-4-8 takes no sampling parameters"),
                ("claude-opus-4-7-x", "anthropic", {"top_p": 0.5}, "'top_p': claude-opus-4-7-x takes no sampling parameters"),
                ("claude-haiku-4-5", "anthropic", {"temperature": 0.5, "top_p": 0.5}, "'top_p': claude-haiku-4-5 takes temperature or top_p, not both"),
                ("claude-haiku-4-5", "anthropic", {"stop": [" ", "x"]}, "'stop': the Anthropic API takes no string of nothing but blanks")):
            self.serve(name, chat(), api=api)
            self.assertIn(error, error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": name, **options})))
            self.assertEqual(self.replay.asked(name), 0)
        for name, supports in (("claude-opus-4-20250514", "{}"), ("claude-opus-4-8", '{"sampling":true}'), ("claude-3-5-haiku", "{}")):
            self.serve(name, claude(), api="anthropic", supports=supports)
            self.ask(name, temperature=0.5, top_p=0.5)

    def test_numbers_of_a_schema_are_sent_with_all_their_digits(self):
        schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 9007199254740991}}, "required": ["a"], "additionalProperties": False}
        for name, api, answer in (("digits", "openai", chat('{"a":1}')), ("claude-haiku-4-5", "anthropic", claude('{"a":1}'))):
            self.serve(name, answer, api=api)
            self.assertEqual(self.ask(name, schema=schema), '{"a":1}')
            self.assertIn(b"9007199254740991", self.replay.requests[name][-1][1])

    def test_the_json_of_a_schema_is_found(self):
        one = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
        name = {"type": "object", "properties": {"first_name": {"type": "string"}}, "required": ["first_name"], "additionalProperties": False}
        for i, (schema, text, wanted) in enumerate((
                (one, '<|START_THINKING|>maybe {"a":5}<|END_THINKING|><|START_RESPONSE|>{"a":1}<|END_RESPONSE|>', '{"a":1}'),
                (one, '<|begin_of_thought|>{"a":5}<|end_of_thought|>{"a":1}', '{"a":1}'),
                (one, '<|channel|>final <|constrain|>json<|message|>{"a":1}', '{"a":1}'),
                (one, '<think>so it is\n{"a":1}', '{"a":1}'),
                (one, json.dumps('{"a":1}'), '{"a":1}'), (one, '[{"a":1}]', '{"a":1}'),
                (one, '{"name":"answer","arguments":{"a":1}}', '{"a":1}'), (one, json.dumps({"arguments": '{"a":1}'}), '{"a":1}'),
                (one, '{"parameters":{"a":1}}', '{"a":1}'), (one, '{"a": 1 // one\n}', '{"a":1}'), (one, "{'a': 1}", '{"a":1}'),
                (one, "{\u201ca\u201d: 1}", '{"a":1}'), (name, r'{"first\_name": "it\'s \d"}', r'{"first_name":"it' + "'" + r's \\d"}'),
                ({"type": "object"}, "{'a': True, 'b': None}", '{"a":true,"b":null}'),
                ({"type": "array", "items": one}, '{"a":1}\n{"a":2}', '[{"a":1},{"a":2}]'),
                ({"type": "string", "enum": ["yes", "no"]}, "yes", '"yes"'))):
            self.serve(f"found{i}", chat(text))
            self.assertEqual(self.ask(f"found{i}", schema=schema), wanted, text)
            self.assertEqual(self.replay.asked(f"found{i}"), 1)

    def test_a_base_url_with_the_path_at_its_end(self):
        self.serve("path", chat())
        self.db.execute("UPDATE llm_models SET base_url = base_url || '/chat/completions/' WHERE name = 'path'")
        self.assertEqual(self.ask("path"), "fine")

    def test_reasoning_above_the_output_is_no_price(self):
        self.serve("above", chat(usage={"prompt_tokens": 9, "completion_tokens": 100, "completion_tokens_details": {"reasoning_tokens": 300}}))
        self.assertEqual(self.ask("above"), "fine")
        self.assertEqual(self.row("cost_nusd, error"), (None, "unpriced: usage: more reasoning (300) than output tokens (100)"))

    def test_words_that_nobody_knows_are_listed(self):
        self.serve("odd", chat(finish="whatever_comes"))
        self.ask("odd")
        self.assertEqual(self.db.execute("SELECT provider, finish_reason, ended, calls FROM llm_finish_reasons WHERE ended = 'unknown'").fetchall(),
                         [("openai", "whatever_comes", "unknown", 1)])


class Words(Desk):
    """What errors say: when to come again, whose fault it is, what the request is called."""

    def test_waits(self):
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        bad = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
        cases = [([("anthropic-ratelimit-tokens-reset", soon)], bad), ([("x-ratelimit-reset", str(int(time.time() * 1000) + 3900))], bad),
                 ([("x-ratelimit-reset-requests", "0.7s"), ("x-ratelimit-reset-tokens", "6m0s")], bad), ([("x-ms-retry-after-ms", "700")], bad),
                 ([("ratelimit", '"default";r=0;t=1')], bad), ([], {"error": {**bad["error"], "retryAfterSeconds": 0.7}}),
                 ([], {"error": {"message": "m", "code": 429, "details": [{"retryDelay": "0.7s"}]}}),
                 ([], {"error": {"message": "Rate limited. Please try again in 0.7s.", "code": 429}})]
        for i, (headers, body) in enumerate(cases):
            with self.subTest(headers=headers, body=body):
                self.serve(f"w{i}", Answer(body, status=429, headers=headers), chat())
                began = time.time()
                self.assertEqual(self.ask(f"w{i}"), "fine")
                self.assertGreater(time.time() - began, 0.4)
                self.assertLess(time.time() - began, 4)

    def test_times_of_any_size(self):
        bad = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}

        def at(seconds, offset, end, form="%Y-%m-%dT%H:%M:%S"):
            hours, minutes = int(offset[1:3]), int(offset[-2:])
            return lambda: time.strftime(form, time.gmtime(time.time() + seconds + int(offset[0] + "1") * (hours * 3600 + minutes * 60))) + end
        cases = (  # header, value, requests (one: it gives up), the least and the most seconds between them
            ("x-ratelimit-reset", "-2147483648-1-1T1:1:1", 2, 0, 0.9), ("x-ratelimit-reset", "2147483647-01-01T00:00:00Z", 2, 0, 0.9),
            ("x-ratelimit-reset", "2026-13-01T00:00:00Z", 2, 0, 0.9), ("x-ratelimit-reset", "2026-01-01T25:00:00Z", 2, 0, 0.9),
            ("x-ratelimit-reset", "9999-12-31T23:59:60Z", 1, 0, 0), ("x-ratelimit-reset", "1970-01-01T00:00:00Z", 2, 0, 0.9),
            ("x-ratelimit-reset", "100000000000000h", 1, 0, 0), ("x-ratelimit-reset", "1e999", 1, 0, 0), ("x-ratelimit-reset", "9" * 50 + "d", 1, 0, 0),
            ("x-ratelimit-reset", "inf", 2, 0, 0.9), ("x-ratelimit-reset", "nan", 2, 0, 0.9), ("x-ratelimit-reset", "-5", 2, 0, 0.9),
            ("x-ratelimit-reset", "soon", 2, 0, 0.9),
            ("x-ratelimit-reset", at(3, "+02:00", "+02:00"), 2, 1, 3.9), ("x-ratelimit-reset", at(3, "-05:30", "-05:30"), 2, 1, 3.9),
            ("x-ratelimit-reset", at(2, "+02:00", ".75+0200"), 2, 1, 3.9), ("x-ratelimit-reset", at(2, "+00:00", ".5Z"), 2, 1, 3.9),
            ("x-ratelimit-reset", at(3, "+00:00", "Z", "%Y-%m-%d %H:%M:%S"), 2, 1, 3.9), ("x-ratelimit-reset", at(90, "+02:00", "+02:00"), 1, 0, 0),
            ("x-ratelimit-reset", lambda: str(int((time.time() + 2) * 1e6)), 2, 0.9, 3.9), ("ratelimit", "limit=100, remaining=0, reset=1", 2, 0.9, 1.9),
            ("ratelimit", "limit=100, remaining=0, Reset=900", 1, 0, 0), ("ratelimit", "limit=100, remaining=0", 2, 0, 0.9),
            ("ratelimit", '"default";q=100;r=0; t=1', 2, 0.9, 1.9), ("ratelimit", '"' + "a" * 90 + '";q=100;r=0;t=900', 1, 0, 0),
            ("ratelimit", 't=1, limit=5', 2, 0.9, 1.9), ("retry-after", "99999999999", 1, 0, 0), ("retry-after", "9" * 99, 1, 0, 0),
            ("retry-after", "-1", 2, 0, 0.9), ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT", 1, 0, 0), ("retry-after-ms", "9e99", 1, 0, 0),
            ("retry-after-ms", "-9e99", 2, 0, 0.9), ("retry-after-ms", "inf", 2, 0, 0.9))
        for i, (header, text, asked, least, most) in enumerate(cases):
            with self.subTest(header=header, text=text):
                text = text() if callable(text) else text
                self.serve(f"t{i}", Answer(bad, status=429, headers=[(header, text)]), chat())
                began = time.time()
                self.assertEqual(self.ask(f"t{i}", on_error="null"), "fine" if asked == 2 else None)
                self.assertEqual(self.replay.asked(f"t{i}"), asked)
                if asked == 2:
                    self.assertGreaterEqual(time.time() - began, least)
                    # the clock that a time of day is taken from has whole seconds, and the machine may be busy
                    self.assertLess(time.time() - began, most + 3)

    def test_headers_of_answers_in_between(self):
        early = (b"HTTP/1.1 103 Early Hints\r\nRetry-After: 900\r\nx-request-id: early\r\nContent-Encoding: gzip\r\nx-should-retry: false\r\n"
                 b"Content-Type: text/html\r\n\r\n")
        bad = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
        for i, before in enumerate((early, early * 2, early.replace(b"103", b"100"), b"HTTP/1.1 100 Continue\r\n\r\n" + early)):
            self.serve(f"b{i}", Answer(bad, status=429, before=before), Answer(chat(), before=before, headers=[("x-request-id", "own")]))
            self.assertEqual(self.ask(f"b{i}"), "fine")
            self.assertEqual((self.replay.asked(f"b{i}"), self.row("provider_request_id")), (2, ("own",)))
        self.serve("bare", Answer(chat(), before=early))
        self.ask("bare")
        self.assertEqual(self.row("provider_request_id"), (None,))

    def test_a_sentence_about_loading_is_no_loading(self):
        for i, (status, error, asked) in enumerate((
                (400, {"message": "the prompt says model is loading"}, 1), (400, {"message": "cold start phrase is not allowed"}, 1),
                (422, {"message": "the model is warming up is what it says"}, 1), (503, {"message": "no", "code": 400}, 2),
                (429, {"message": "Model x is loading", "code": "rate_limit_exceeded"}, 2), (400, {"message": "no", "code": "model_not_ready"}, 2))):
            self.serve(f"l{i}", Answer({"error": error}, status=status), chat())
            self.ask(f"l{i}", on_error="null")
            self.assertEqual(self.replay.asked(f"l{i}"), asked, error)

    def test_no_prompt_in_the_word_for_the_end(self):
        prompt = "\u79d8\u5bc6\u306e\u8a08\u753b\u306b\u3064\u3044\u3066\u8aac\u660e\u3059\u308b"
        escaped = "".join(f"\\u{ord(c):04x}" for c in prompt)
        entities = "".join(f"&#{ord(c)};" for c in prompt)
        for i, word in enumerate((f"stop{prompt}", prompt + "stop", f"stop: {prompt}", f"FinishReason.{prompt}.STOP", escaped, entities, f"stop {prompt[:6]}")):
            self.serve(f"w{i}", chat(finish=word))
            self.ask(f"w{i}", prompt)
            self.assertIn(self.row("finish_reason"), ((None,), ("",)), word)
        self.serve("fine", chat(finish="FinishReason.STOP"))
        self.ask("fine", "finish reason stop")
        self.assertEqual(self.row("finish_reason"), ("FinishReason.STOP",))
        for i, said in enumerate((escaped, entities, "".join(f"&#x{ord(c):x};" for c in prompt), "".join(f"%u{ord(c):04x}" for c in prompt))):
            for body in ({"error": {"message": f"bad: {said}"}}, f"what? {said}", '{"odd": "' + said):
                self.serve(f"e{i}", Answer(body, status=400))
                told = error_of(self.db, "SELECT llm_complete(?, ?)", prompt, json.dumps({"model": f"e{i}"}))
                self.assertNotIn(said[:24], told)
                self.assertNotIn(said[:24], self.row("error")[0])

    def test_quotas_that_do_not_come_back_are_not_waited_for(self):
        for i, (message, code, asked) in enumerate((
                ("You have used up your daily free allocation of neurons", 4006, 1), ("Tokens per day limit exceeded", "token_quota_exceeded", 1),
                ("Monthly quota exceeded", "quota_exceeded", 1), ("m", "1304", 1), ("m", "SetLimitExceeded", 1),
                ("Quota exceeded for metric x, limit: 0", 429, 1), ("Rate limit reached on tokens per day (TPD)", "rate_limit_exceeded", 1),
                ("Rate limit reached on requests per day (RPD). Please try again in 0.1s", "rate_limit_exceeded", 2),
                ("Rate limit reached on tokens per minute (TPM)", "rate_limit_exceeded", 2), ("Slow down", None, 2))):
            self.serve(f"q{i}", Answer({"error": {"message": message, "code": code}}, status=429), chat())
            self.ask(f"q{i}", on_error="null")
            self.assertEqual(self.replay.asked(f"q{i}"), asked, message)

    def test_the_key_is_blamed_only_where_it_is_wrong(self):
        for i, (status, message, code, is_key) in enumerate((
                (401, "Incorrect API key provided: sk-abcdefghijklmnop1234", "invalid_api_key", True), (401, "", None, True),
                (400, "ExceededBudget: over budget", "auth_error", False), (401, "key not allowed to access model", "auth_error", False),
                (401, "Your account is not active", None, False), (403, "This organization has been disabled.", "permission_error", False),
                (403, "Your input was flagged by moderation", None, False), (401, "token not yet valid (iat)", "authentication_error", False))):
            self.serve(f"k{i}", Answer({"error": {"message": message, "code": code}}, status=status))
            told = error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": f"k{i}"}))
            self.assertEqual("check the key" in told, is_key, told)
            self.assertNotIn("sk-abcdef", told)

    def test_sentences(self):
        for i, (status, body, says) in enumerate((
                (500, {"fault": {"faultstring": "Execution failed"}}, "Execution failed"), (400, {"error": {"innererror": {"message": "too long"}}}, "too long"),
                (200, {"message": "Endpoint request timed out"}, "Endpoint request timed out"), (200, {"errorMessage": "boom"}, "boom"),
                (200, {"hello": "world"}, "18 bytes"))):
            self.serve(f"s{i}", Answer(body, status=status))
            self.assertIn(says, error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": f"s{i}", "retries": 0})))

    def test_names_of_requests(self):
        for i, header in enumerate(("apim-request-id", "x-ms-request-id", "x-amzn-RequestId", "cf-ray", "x-generation-id")):
            self.serve(f"n{i}", Answer(chat(), headers=[(header, f"id-{i}")]))
            self.ask(f"n{i}")
            self.assertEqual(self.row("provider_request_id"), (f"id-{i}",))


class Vectors(Desk):
    """Embeddings are checked before they are kept."""

    @staticmethod
    def data(*vectors, index=True, **more):
        return {"model": "text-embedding-3-small", "data": [{"embedding": v, **({"index": i} if index else {})} for i, v in enumerate(vectors)],
                "usage": {"prompt_tokens": 3, "total_tokens": 3}, **more}

    def test_a_bad_vector_is_an_error_and_not_kept(self):
        bad = ([1, None, 3], [1, 1e39, 3], ["1", "2", "3"], [[1, 2, 3]], [0, 0, 0], [], None, "", {"a": 1}, [1, True, 3])
        for i, vector in enumerate(bad):
            name = f"bad{i}"
            self.serve(name, self.data(vector), self.data([1, 2, 2]), supports='{"embeddings":true}')
            ask = f"SELECT hex(embed('a text', '{name}'))"
            self.assertIn("vector 0 of the answer", error_of(self.db, ask), vector)
            self.assertEqual(self.row("kind, error LIKE 'bad_answer%', cost_nusd"), ("embed", 1, 60))
            self.assertEqual(len(value(self.db, ask)), 24)
            self.assertEqual(self.replay.asked(name), 2)

    def test_the_dimension_is_what_the_model_says(self):
        self.serve("dim", self.data([1, 2, 3, 4]), self.data([1, 2, 3]), supports='{"embeddings":true,"dimensions":3}')
        self.assertIn("have 4 elements; llm_models.supports says 3", error_of(self.db, "SELECT embed('a text', 'dim')"))
        self.assertEqual(len(value(self.db, "SELECT embed('a text', 'dim')")), 12)

    def test_as_many_vectors_as_texts(self):
        for name, vectors, texts in (("two", [[3, 4], [1, 0]], ["a"]), ("three", [[3, 4]] * 3, ["a", "b"]), ("less", [[3, 4]] * 2, ["a", "b", "c"])):
            self.serve(name, self.data(*vectors), supports='{"embeddings":true}')
            ask = "SELECT count(*) FROM embed_batch(?, ?)" if len(texts) > 1 else "SELECT embed(json_extract(?, '$[0]'), ?)"
            self.assertIn(f"{len(vectors)} vectors for {len(texts)} texts", error_of(self.db, ask, json.dumps(texts), name))
        self.serve("odd", self.data(base64.b64encode(b"\0\0\x80?x").decode()), supports='{"embeddings":true}')
        self.assertIn("vector 0 of the answer", error_of(self.db, "SELECT embed('a', 'odd')"))

    def test_what_an_older_version_kept_and_is_no_vector_is_asked_for_anew(self):
        self.serve("old", self.data([3, 4]), supports='{"embeddings":true}')
        self.assertEqual(len(value(self.db, "SELECT embed('a text', 'old')")), 8)
        path = value(self.db, "SELECT file FROM pragma_database_list WHERE name = 'main'") + "-llmcost"
        for bad in (base64.b64encode(b"\0\0\xc0\x7f" * 2).decode(), base64.b64encode(b"\0" * 8).decode(), "?"):
            store = sqlite3.connect(path)
            with store:
                store.execute("UPDATE llm_answers SET answer = ?", (bad,))
            store.close()
            before = self.replay.asked("old")
            self.assertEqual(len(value(self.db, "SELECT embed('a text', 'old')")), 8)
            self.assertEqual(value(self.db, "SELECT count(*) FROM embed_batch('[\"a text\",\"a text\"]', 'old')"), 2)
            self.assertEqual(self.replay.asked("old"), before + 1)

    def test_a_refusal_of_base64_is_remembered(self):
        def answer(body):
            return Answer({"error": {"message": "encoding_format: only 'float' is supported"}}, status=400) if "encoding_format" in body else as_answer(self.data([3, 4]))
        self.serve("no64", answer, supports='{"embeddings":true}')
        value(self.db, "SELECT length(embed('a', 'no64')), length(embed('b', 'no64'))")
        self.assertEqual(self.replay.asked("no64"), 3)

    def test_without_index_the_order_counts(self):
        self.serve("plain", self.data([3, 4], index=False), supports='{"embeddings":true}')
        self.assertEqual(len(value(self.db, "SELECT embed('a text', 'plain')")), 8)
        for name, body in (("ollama", {"model": "m", "embeddings": [[3, 4]], "prompt_eval_count": 3}),
                           ("gemini", {"embeddings": [{"values": [3, 4]}]}), ("one", {"embedding": [3, 4]}), ("google", {"embedding": {"values": [3, 4]}}),
                           ("tei", [[3, 4]]), ("cloudflare", {"success": True, "result": {"shape": [1, 2], "data": [[3, 4]]}}), ("cohere", {"embeddings": {"float": [[3, 4]]}})):
            self.serve(name, body, supports='{"embeddings":true}')
            self.assertEqual(len(value(self.db, f"SELECT embed('a text', '{name}')")), 8, name)

    def test_the_format_is_asked_for_where_it_is_known(self):
        for provider, supports, wanted in (("openai", '{"embeddings":true}', "base64"), ("vllm", '{"embeddings":true}', None),
                                           ("vllm", '{"embeddings":true,"base64":true}', "base64"),
                                           ("openai", '{"embeddings":true,"base64":false}', None)):
            name = f"f-{provider}-{len(supports)}"
            self.serve(name, self.data([3, 4]), provider=provider, supports=supports)
            value(self.db, f"SELECT embed('a text', '{name}')")
            self.assertEqual(self.replay.body(name).get("encoding_format"), wanted, name)


if __name__ == "__main__":
    unittest.main()
