"""One ledger over hundreds of answers, good and bad, whole and streamed: rows, money and requests are held against what was sent."""
import gzip
import json
import os
import threading
import unittest

from harness import TempDir, connect, value
from replay import CLAUDE, COST, MODEL, USAGE, USAGE_CHUNK, Answer, Replay, chat, chunk, claude, sse

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
ROWS = 208


def told(answer, cost=COST):
    """An answer that says what it used, worth `cost`; None: what it cost is not known."""
    answer.cost = cost
    return answer


def untold(answer):
    return told(answer, None)


def free(answer):
    return told(answer, 0)


def say(text, streams, finish="stop", usage=USAGE, **more):
    """The answer in this form; `more` of Answer's."""
    if not streams:
        return told(Answer(chat(text, finish, usage), **more))
    third = max(1, len(text or "") // 3)
    parts = [chunk(text[at:at + third]) for at in range(0, len(text or ""), third)]
    body = sse(chunk(role="assistant", content=""), *parts, chunk(finish=finish), *([USAGE_CHUNK] if usage else []))
    return told(Answer(body, type="text/event-stream", **more))


def fault(status, type, message="no", **more):
    return free(Answer({"error": {"message": message, "type": type}}, status=status, headers=[("retry-after-ms", "1")], **more))


def cut(text, streams):
    """The connection ends within the answer, in front of what it cost."""
    return untold(say(text, streams, cut=len(json.dumps(USAGE)) + 150))


def short(text, streams):
    """All that was announced came, and it is no whole answer."""
    body = json.dumps(chat(text))[:90] if not streams else sse(chunk(text), done=False)
    return untold(Answer(body, type="text/event-stream" if streams else "application/json"))


def tools(streams):
    call = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    if streams:
        return told(Answer(sse(chunk(tool_calls=[call]), chunk(finish="tool_calls"), USAGE_CHUNK), type="text/event-stream"))
    return told(Answer(chat(None, "tool_calls", message={"tool_calls": [call]})))


def inner_error(text, streams):
    """A generation that breaks off, and says so."""
    error = {"code": 502, "message": "Provider broke"}
    if streams:
        return untold(Answer(sse(chunk(text), {"error": error}, done=False), type="text/event-stream"))
    return told(Answer(chat(text, "error", choice={"error": error})))


def zipped(text, streams):
    a = say(text, streams)
    return told(Answer(gzip.compress(a.body), type=a.type, headers=[("Content-Encoding", "gzip")]))


# kind: (the answers to one question, in order; the last one again and again), what the row is to hold. t: a text, s: streamed
KINDS = {
    "whole": lambda t, s: ([say(t, s)], t),
    "slow": lambda t, s: ([say(t, s, wait=0.1)], t),
    "in bits": lambda t, s: ([say(t, s, chunked=True, pieces=40)], t),
    "closed": lambda t, s: ([say(t, s, close=True)], t),
    "without its last byte": lambda t, s: ([told(Answer(say(t, s).body + b" ", type=say(t, s).type, cut=1))], t),
    "zipped": lambda t, s: ([zipped(t, s)], t),
    "comments in front": lambda t, s: ([told(Answer(b": PROCESSING\n\n" * 3 + say(t, s).body, type=say(t, s).type))], t),
    "bad letters": lambda t, s: ([say(t + "\ud83d", s)], t + "\ufffd"),
    "thought first": lambda t, s: ([say(f"<think>hm</think>\n{t}", s)], t),
    "no usage": lambda t, s: ([untold(say(t, s, usage=None))], t),
    "no word for its end": lambda t, s: ([say(t, s, finish=None)], t),
    "cut": lambda t, s: ([cut(t, s)], None),
    "hung up": lambda t, s: ([untold(Answer(mute=True))], None),
    "short": lambda t, s: ([short(t, s)], None),
    "a gateway's time-out": lambda t, s: ([untold(Answer("<html></html>", status=504, type="text/html"))], None),
    "failed": lambda t, s: ([say(t, s, finish="error")], None),
    "failed, then well": lambda t, s: ([say("half", s, finish="error"), say(t, s)], t),
    "broke off": lambda t, s: ([inner_error("half", s)], None),
    # (of a stream that had begun nobody knows what it cost: that is not asked for again)
    "broke off, then well": lambda t, s: ([inner_error("half", s)] + [say(t, s)] * (not s), None if s else t),
    "filtered": lambda t, s: ([say("I ca", s, finish="content_filter")], None),
    "blank": lambda t, s: ([say(" \n", s)], None),
    "at length": lambda t, s: ([say("half a sen", s, finish="length")], None),
    "a tool": lambda t, s: ([tools(s)], None),
    "no choices": lambda t, s: ([told(Answer({"model": MODEL, "choices": [], "usage": USAGE}))], None),
    "429, then well": lambda t, s: ([fault(429, "rate_limit_error"), say(t, s)], t),
    "500, 503, then well": lambda t, s: ([fault(500, "server_error"), fault(503, "server_error"), say(t, s)], t),
    "500": lambda t, s: ([fault(500, "server_error")], None),
    "400": lambda t, s: ([fault(400, "invalid_request_error")], None),
    "500 that was billed": lambda t, s: ([told(Answer({"error": {"message": "no"}, "model": MODEL, "usage": USAGE}, status=500)), say(t, s)], t),
    "no money": lambda t, s: ([fault(429, "insufficient_quota")], None),
    "429, then cut": lambda t, s: ([fault(429, "rate_limit_error"), cut(t, s)], None),
    "JSON": lambda t, s: ([say('{"n":7}', s)], '{"n":7}'),
    "JSON in a fence": lambda t, s: ([say('Sure:\n```json\n{"n": 7}\n```\nok?', s)], '{"n":7}'),
    "wrong JSON, then well": lambda t, s: ([say('{"n":"x"}', s), say('{"n":8}', s)], '{"n":8}'),
    "wrong JSON, then cut": lambda t, s: ([say('{"n":"x"}', s), cut('{"n":8}', s)], None),
    "wrong JSON": lambda t, s: ([say('{"n":"x"}', s)], None),
    "half of a JSON": lambda t, s: ([say('{"n":1', s, finish="length")], None),
}
LOST = ("cut", "hung up", "short", "a gateway's time-out", "429, then cut")


class Ledger(unittest.TestCase):
    def setUp(self):
        self.expected = {}  # of each question
        self.replay = Replay()
        self.replay.__enter__()
        self.tmp = TempDir()
        self.path = os.path.join(self.tmp.name, "desk.db")
        self.db = self.open()
        value(self.db, "SELECT llm_init(), llm_config('backoff_ms', 1)")
        self.db.execute("CREATE TABLE questions(id INTEGER PRIMARY KEY, q TEXT, model TEXT, options TEXT, kind TEXT, answer TEXT)")

    def tearDown(self):
        self.db.close()
        self.replay.__exit__()
        self.tmp.cleanup()

    def open(self):
        db = connect(self.path, check_same_thread=False, timeout=30)
        value(db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789')", self.replay.host)
        return db

    def fill(self, rows, kinds=tuple(KINDS), **options):
        """That many more questions, each to a model of its own; half of them are streamed. The first one's id."""
        first = len(self.expected)
        for i in range(first, first + rows):
            kind, streams = kinds[i % len(kinds)], i // len(kinds) % 2
            text, name = f"the answer to question {i}, na\u00efve \U0001f600", f"m{i}"
            self.replay.answers[name], self.expected[i] = KINDS[kind](text, streams)
            how = {"model": name, "on_error": "null", **({"schema": SCHEMA} if "JSON" in kind else {}), **options}
            self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, supports) VALUES (?, 'openai', 'openai', ?, 'WIRE_KEY', ?)",
                            (name, self.replay.url(name), json.dumps({"stream": bool(streams)})))
            self.db.execute("INSERT INTO questions VALUES (?, ?, ?, ?, ?, NULL)", (i, f"question {i}", name, json.dumps(how), kind))
        return first

    def sent(self):
        """What the server sent: an Answer for each request, in the order of each model."""
        for name in list(self.replay.requests):
            answers = self.replay.answers[name]
            for n in range(self.replay.asked(name)):
                yield name, answers[min(n, len(answers) - 1)]

    def check_rows(self):
        """A row holds the whole answer that was sent for it, or nothing."""
        for i, kind, answer in self.db.execute("SELECT id, kind, answer FROM questions"):
            self.assertEqual(answer, self.expected[i], (i, kind))

    def check_ledger(self):
        """Every request has its row, and nothing else has; what was told is priced, what was not is NULL."""
        rows = self.db.execute("SELECT model_requested, cost_nusd FROM llm_calls WHERE kind IN ('call', 'unknown') ORDER BY id").fetchall()
        costs = {}
        for name, cost in rows:
            costs.setdefault(name, []).append(cost)
        wanted = {}
        for name, answer in self.sent():
            wanted.setdefault(name, []).append(answer.cost)
        kinds = dict(self.db.execute("SELECT model, kind FROM questions"))
        for name in kinds:
            self.assertEqual(costs.get(name, []), wanted.get(name, []), (name, kinds[name]))
        self.assertEqual(sum(c or 0 for c in sum(costs.values(), [])), sum(a.cost or 0 for _, a in self.sent()))
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind NOT IN ('call', 'unknown', 'hit_exact')"), 0)
        self.assertEqual(value(self.db, "SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls WHERE kind = 'hit_exact'"), 0)
        unknown = sum(a.cost is None for _, a in self.sent())
        self.assertEqual(value(self.db, "SELECT coalesce(sum(calls), 0) FROM llm_unpriced"), unknown)

    def asked(self):
        return sum(1 for _ in self.sent())

    def test_an_update(self):
        self.fill(ROWS)
        self.db.execute("UPDATE questions SET answer = llm_complete(q, options)")
        self.check_rows()
        self.check_ledger()
        for i, kind in self.db.execute("SELECT id, kind FROM questions").fetchall():
            n = self.replay.asked(f"m{i}")
            self.assertLessEqual(n, 3)
            if kind in LOST:  # nothing is bought again that may have been billed
                self.assertEqual(n, len(self.replay.answers[f"m{i}"]), kind)
        first = self.asked()
        self.assertGreater(value(self.db, "SELECT count(*) FROM questions WHERE answer IS NOT NULL"), ROWS // 3)

        # What is there is not asked for again.
        self.db.execute("UPDATE questions SET answer = llm_complete(q, options) WHERE answer IS NOT NULL")
        self.assertEqual(self.asked(), first)
        self.check_rows()
        # What is not there is asked for again, by the same rules.
        self.db.execute("UPDATE questions SET answer = llm_complete(q, options) WHERE answer IS NULL")
        self.assertGreater(self.asked(), first)
        self.check_rows()
        self.check_ledger()

    def test_two_connections_at_once(self):
        self.fill(2 * len(KINDS))
        results, faults = {}, []

        def work(part):
            db = self.open()
            try:
                for i, q, options in db.execute("SELECT id, q, options FROM questions WHERE id % 2 = ?", (part,)).fetchall():
                    results[i] = value(db, "SELECT llm_complete(?, ?)", q, options)
            except Exception as e:
                faults.append(repr(e))
            finally:
                db.close()
        threads = [threading.Thread(target=work, args=(part,)) for part in (0, 1)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(faults, [])
        self.assertEqual(results, self.expected)
        self.check_ledger()

    def test_retry_lost(self):
        """With retry_lost a lost answer is bought again, at most `retries` times."""
        kinds = ("cut", "hung up", "a gateway's time-out", "whole")
        for retries in (0, 1, 3):
            with self.subTest(retries=retries):
                first = self.fill(4 * len(kinds), kinds, retries=retries, retry_lost=True)
                for i in range(first, first + 3):  # one of each kind is well at last
                    self.replay.answers[f"m{i}"] = [self.replay.answers[f"m{i}"][0]] * retries + [say("at last", 0)]
                    self.expected[i] = "at last"
                self.db.execute("UPDATE questions SET answer = llm_complete(q, options) WHERE id >= ?", (first,))
                self.check_rows()
                self.check_ledger()
                for i, kind in self.db.execute("SELECT id, kind FROM questions WHERE id >= ?", (first,)).fetchall():
                    self.assertEqual(self.replay.asked(f"m{i}"), 1 if kind == "whole" else retries + 1, kind)
        reasons = self.db.execute("SELECT DISTINCT retry_reason FROM llm_calls WHERE attempt > 1 ORDER BY 1").fetchall()
        self.assertEqual(reasons, [("lost",), ("provider",)])  # (what a gateway says is no loss)

    # Every framing that is read, with its answer: "fine".
    FRAMINGS = {
        "body": json.dumps(chat()),
        "stream": sse(chunk("fi"), chunk("ne"), chunk(finish="stop"), USAGE_CHUNK),
        "pretty stream": "".join("data: " + json.dumps(c, indent=1).replace("\n", "\ndata: ") + "\n\n" for c in (chunk("fi"), chunk("ne", "stop"))),
        "lines": "".join(json.dumps({"message": {"content": t}, "done": False}) + "\n" for t in ("fi", "ne"))
                 + json.dumps({"message": {"content": ""}, "done": True, "done_reason": "stop", "model": MODEL}),
        "Anthropic's body": json.dumps(claude()),
        "Anthropic's stream": sse({"type": "message_start", "message": {"model": CLAUDE, "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}},
                                  {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                                  *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in ("fi", "ne")),
                                  {"type": "content_block_stop", "index": 0},
                                  {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
                                  {"type": "message_stop"}, done=False, names=True),
        "responses": json.dumps({"model": MODEL, "status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "fine"}]}]}),
        "responses' stream": sse(*({"type": "response.output_text.delta", "delta": t} for t in ("fi", "ne")),
                                 {"type": "response.completed", "response": {"model": MODEL, "status": "completed", "output": []}}, done=False, names=True),
    }

    def test_cut_at_any_byte(self):
        """Wherever an answer ends too early, in order or not, what is given is the whole answer or none."""
        for name, text in self.FRAMINGS.items():
            body, wanted = text.encode(), None
            self.db.execute("INSERT OR REPLACE INTO llm_models(name, provider, api, base_url, key_env, supports)"
                            " VALUES ('m', 'openai', 'openai', ?, 'WIRE_KEY', '{\"stream\":true}')", (self.replay.url("m"),))
            for how in ("closed", "cut"):
                self.replay.requests.clear()
                self.replay.answers["m"] = [Answer(body[:n], type="text/plain", close=True) if how == "closed" else
                                            Answer(body, type="text/plain", cut=len(body) - n) for n in range(1, len(body) + 1)]
                for n in range(1, len(body) + 1):
                    answer = value(self.db, "SELECT llm_complete('q', '{\"model\":\"m\",\"cache\":\"off\",\"retries\":0,\"on_error\":\"null\"}')")
                    self.assertIn(answer, (None, "fine"), (name, how, body[:n]))
                    self.assertTrue(answer or not wanted, (name, how, body[:n]))  # once it is whole it stays so
                    wanted = answer
                self.assertEqual((wanted, self.replay.asked("m")), ("fine", len(body)), (name, how))
                wanted = None


if __name__ == "__main__":
    unittest.main()
