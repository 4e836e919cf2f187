"""Every answer is judged for what it is: bytes in, row out. Kinds of fault that public reports show, each in many spellings."""
import gzip
import json
import os
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


# kind of fault: [(what is sent, the answer or None, a piece of the error or None, ended, is it cached, cost or None)]
GOOD = ("fine", None, "complete", True, COST)
UNKNOWN = ("fine", None, "unknown", True, COST)


def says(content, answer, **more):
    return (chat(content, **more), answer, None, "complete", True, COST)


CASES = {
    "the end of an answer: complete": [
        *((chat(finish=w), *GOOD) for w in ("stop", "STOP", "end_turn", "stop_sequence", "eos", "eos_token", "COMPLETE", "finished")),
        *((chat(finish=w), *UNKNOWN) for w in ("", None, "null", "unspecified", "whatever_comes")),
        (chat(choice={"finish_reason": None, "native_finish_reason": "STOP"}), *GOOD),
        ({k: v for k, v in chat().items()}, *GOOD),
    ],
    "the end of an answer: cut off": [
        *((chat("half a sen", finish=w), None, "was cut off", "cut_off", False, COST)
          for w in ("length", "max_tokens", "MAX_TOKENS", "model_length", "maxTokens", "max_output_tokens", "context_length")),
        *((chat(text, finish="length"), None, "all 20 tokens went into reasoning", "cut_off", False, COST)
          for text in ("", "\n\n", None)),
    ],
    "the end of an answer: filtered": [
        *((chat("I ca", finish=w), None, "refused to answer", "filtered", False, COST)
          for w in ("content_filter", "content_filter: SAFETY", "SAFETY", "recitation", "PROHIBITED_CONTENT", "sensitive",
                    "refusal", "guardrail_intervened")),
        (chat(None, message={"refusal": "I can't help with that."}), None, "I can't help with that.", "filtered", False, COST),
        (chat([{"type": "refusal", "refusal": "I can't help with that."}]), None, "I can't help with that.", "filtered", False, COST),
    ],
    "the end of an answer: failed": [
        *((chat("Refund den", finish=w), None, "the generation failed", "failed", False, COST)
          for w in ("network_error", "abort", "repetition", "malformed_function_call", "insufficient_system_resource", "ERROR")),
        (chat("Refund den", finish="error", choice={"error": {"code": 400, "message": "Provider broke"}}), None,
         "Provider broke", None, False, COST),
        (stream(chunk("Refund den"), {"error": {"message": "Provider broke", "code": 400}}, done=False), None, "Provider broke",
         None, False, None),
        (chat(None, finish=None, error={"message": "Provider timed out", "code": 400}), None, "Provider timed out", None, False, COST),
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
          for text in ("", " ", "\n\n", "\u200b", "<|im_end|>", "\ufeff", None, "</s>", "\u00a0\n")),
        (chat("", message={"reasoning": "hm"}), None, "holds no text but what the model thought", "complete", False, COST),
        (chat("<think>hm</think>\n"), None, "holds no text but what the model thought", "complete", False, COST),
        (chat(None, finish="tool_calls", message={"tool_calls": [{"id": "t", "type": "function"}]}), None, "asks for a tool",
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
        says({"answer": 42}, '{"answer":42}'),
        says([{"type": "reasoning", "summary": [{"text": "hm"}]}, {"type": "output_text", "text": "42"}], "42"),
    ],
    "thinking in the answer": [
        says("<think>hm</think>\n\nHello", "Hello"),
        says("\n<think>\nhm\n</think>Hello", "Hello"),
        says("hm\n</think>\n\nHello", "Hello"),
        says("[THINK]hm[/THINK]Hello", "Hello"),
        says("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hello", "Hello"),
        says("Hello", "Hello", message={"reasoning_content": "hm"}),
        says("Hello", "Hello", message={"reasoning": "hm", "reasoning_details": [{"text": "hm"}]}),
        (chat("<think>hm, and on and on", finish="length"), None, "was cut off", "cut_off", False, COST),
    ],
    "a refusal that is none": [
        says("fine", "fine", message={"refusal": ""}),
        says("fine", "fine", message={"refusal": None}),
        says("fine", "fine", message={"refusal": " "}),
        says("fine", "fine", message={"refusal": [], "tool_calls": []}),
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
    ],
    "a stream, or comments, unasked": [
        (stream(chunk("fi"), chunk("ne"), chunk(finish="stop"), USAGE_CHUNK), *GOOD),
        (Answer(sse(chunk("fi"), chunk("ne", "stop"), USAGE_CHUNK), type="application/json"), *GOOD),
        (Answer(": OPENROUTER PROCESSING\n\n" * 3 + json.dumps(chat())), *GOOD),
        (Answer(json.dumps(chat()) + "\n\ndata: [DONE]\n\n"), *GOOD),
        (Answer("data: " + json.dumps(chat()) + "\n\n"), *GOOD),
        (Answer(json.dumps([chat()])), *GOOD),
        (Answer(json.dumps(chat()).encode() + b"\0"), *GOOD),
        (Answer("\ufeff\n\n" + json.dumps(chat())), *GOOD),
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
        (Answer("[]"), None, "the answer has no", None, False, None),
        (Answer("null"), None, "not valid JSON but application/json, 4 bytes", None, False, None),
        (Answer(json.dumps(chat())[:60]), None, "ends after 60 bytes", None, False, None),
    ],
    "a stream that breaks off": [
        (stream(chunk("fi"), chunk("ne"), done=False), None, "the stream ended before the answer did", None, False, None),
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
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.replay.__exit__()
        cls.tmp.cleanup()

    def setUp(self):
        Desk.count += 1
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

    def test_anthropic(self):
        for kind, cases in ANTHROPIC.items():
            for i, case in enumerate(cases):
                with self.subTest(kind=kind, i=i):
                    self.check(f"a{''.join(c for c in kind if c.isalpha())}{i}", case, "anthropic")


if __name__ == "__main__":
    unittest.main()
