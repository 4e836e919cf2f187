"""prompt_cache = auto: what is marked by itself, by when calls came; at times of day that are set (libfaketime), with a provider whose cache forgets."""
import glob
import json
import os
import subprocess
import sys
import unittest

from harness import ROOT, Standin, TempDir, clean_env

FAKETIME = sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))
SYSTEM = "You are the desk of a shop. " + " ".join(f"Parcels for town {i} leave at {i % 24}:15." for i in range(700))
MODEL = "claude-haiku-4-5"


def steps(pauses, options, system=SYSTEM):
    return [[pause, "llm_complete", f"question {i}", {"model": MODEL, "max_tokens": 20, "system": system, **(options(i) if callable(options) else options)}]
            for i, pause in enumerate(pauses)]


def talk(pauses, long_turn=None, **options):
    """A conversation that grows by two messages a turn; one of its turns brings thirty blocks of tools at once."""
    messages, made = [], []
    for i, pause in enumerate(pauses):
        messages = [*messages, {"role": "user", "content": f"turn {i}: " + f"and so on, word {i} by word. " * 60}]
        made.append([pause, "llm_chat", json.dumps(messages), {"model": MODEL, "max_tokens": 20, "system": SYSTEM, "conversation": "c", **options}])
        if i == long_turn:
            for k in range(15):
                call = {"id": f"t{k}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
                messages += [{"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": f"t{k}", "content": f"shelf {k} is full"}]
        messages = [*messages, {"role": "assistant", "content": f"answer {i}"}]
    return made


@unittest.skipUnless(FAKETIME, "needs the Debian package faketime")
class ByItself(unittest.TestCase):
    def run_steps(self, made):
        with Standin() as standin, TempDir() as tmp:
            clock, plan = os.path.join(tmp, "clock"), os.path.join(tmp, "plan")
            with open(clock, "w", encoding="utf-8") as f:
                f.write("+0")
            with open(plan, "w", encoding="utf-8") as f:
                json.dump(made, f)
            env = clean_env(LD_PRELOAD=FAKETIME[-1], FAKETIME_TIMESTAMP_FILE=clock, FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1")
            done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/live/later.py"), standin.url, plan, os.path.join(tmp, "desk.db")],
                                  env=env, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual(sum(c[3] for c in said["calls"]), said["bill"])
        self.assertEqual(len(said["calls"]), len(made))
        return said

    def beside_off(self, make):
        """The calls by itself, and what they cost beside those without marks."""
        mine, off = self.run_steps(make({})), self.run_steps(make({"prompt_cache": "off"}))
        self.assertFalse(any(c[1] or c[2] for c in off["calls"]))
        return mine, mine["bill"] / off["bill"]

    def test_a_call_a_minute(self):
        mine, share = self.beside_off(lambda o: steps([60] * 20, o))
        reads, writes = [c[1] for c in mine["calls"]], [c[2] for c in mine["calls"]]
        self.assertEqual([i for i, n in enumerate(writes) if n], [2])  # twice in time is more than luck
        self.assertEqual([i for i, n in enumerate(reads) if n], list(range(3, 20)))
        self.assertLess(share, 0.3)
        (gained, lost, net, hits, least), = mine["prefix"]
        self.assertEqual(hits, 17)
        self.assertTrue(gained > lost > 0 and abs(net - (gained - lost)) < 1e-9)

    def test_a_call_every_ten_minutes_is_kept_for_an_hour(self):
        mine, share = self.beside_off(lambda o: steps([600] * 20, o))
        writes = [i for i, c in enumerate(mine["calls"]) if c[2]]
        self.assertEqual(writes, [8])
        self.assertLess(share, 0.7)

    def test_a_call_every_two_hours_is_not_kept(self):
        mine, share = self.beside_off(lambda o: steps([7200] * 12, o))
        self.assertFalse(any(c[2] for c in mine["calls"]))
        self.assertEqual(share, 1)

    def test_what_changes_in_front_is_soon_left(self):
        """Tools stand before the system prompt: where they change nothing is ever read."""
        tool = lambda i: {"tools": [{"type": "function", "function": {"name": f"tool_{i}", "parameters": {"type": "object"}}}]}
        mine, share = self.beside_off(lambda o: steps([60] * 30, lambda i: {**tool(i), **o}))
        writes = [i for i, c in enumerate(mine["calls"]) if c[2]]
        self.assertLessEqual(len(writes), 2)
        self.assertLess(share, 1.02)

    def test_a_conversation(self):
        mine, share = self.beside_off(lambda o: talk([30] * 12, **o))
        reads = [c[1] for c in mine["calls"]]
        self.assertEqual(sorted(reads), reads)
        self.assertGreater(reads[-1], reads[4] + 100)
        self.assertLess(share, 0.5)

    def test_a_long_turn_and_a_pause(self):
        """Thirty blocks at once lie beyond what the provider looks back; a pause is longer than the prefix lives."""
        pauses = [30] * 14
        pauses[9] = 1200
        mine, share = self.beside_off(lambda o: talk(pauses, long_turn=5, **o))
        reads = [c[1] for c in mine["calls"]]
        self.assertEqual(reads[9], 0)
        self.assertTrue(all(reads[i] > reads[4] for i in range(6, 9)), reads)
        self.assertTrue(all(b > a for a, b in zip(reads[10:], reads[11:])), reads)
        self.assertLess(share, 0.6)

    def test_as_many_questions_as_the_others_had(self):
        """Documents are asked a few questions each, and talks have a few turns: what the last ones came to says which call is the last."""
        def documents(n, questions, o):
            return [made for d in range(n) for made in steps([20] * questions, o, system=f"Document {d}. {SYSTEM}")]

        def talks(n, turns, o):
            made = []
            for c in range(n):
                messages = []
                for t in range(turns):
                    messages = [*messages, {"role": "user", "content": (f"doc {c}: {SYSTEM}" if t == 0 else "") + f"question {t}"}]
                    made.append([20, "llm_chat", json.dumps(messages), {"model": MODEL, "max_tokens": 20, "system": "Be kind.", "conversation": f"c{c}", **o}])
                    messages = [*messages, {"role": "assistant", "content": f"answer {t}"}]
            return made

        for made, most in ((lambda o: documents(12, 3, o), 0.7), (lambda o: documents(12, 2, o), 0.85), (lambda o: talks(15, 2, o), 1), (lambda o: talks(12, 3, o), 0.9)):
            mine, share = self.beside_off(made)
            self.assertLessEqual(share, most)

    def test_a_conversation_that_ends_each_time(self):
        """Questions that nobody goes on with: only the system prompt is asked with again."""
        made = lambda o: [[40, "llm_chat", json.dumps([{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": f"more of {i}"}]),
                           {"model": MODEL, "max_tokens": 20, "system": SYSTEM, "conversation": f"c{i}", **o}] for i in range(20)]
        mine, share = self.beside_off(made)
        self.assertEqual(len([c for c in mine["calls"] if c[2]]), 1)
        self.assertLess(share, 0.3)


if __name__ == "__main__":
    unittest.main()
