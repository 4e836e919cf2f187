"""A day of desks at the stand-in, whose prompt cache forgets as Anthropic's does: what marks cost and save, by when calls come.

`python3 bench/marks.py [quick]`: dollars of a day without marks, with marks always (5m, 1h), and by themselves (auto), as shares of the day without.
Arrivals are made: exponential gaps with a fixed seed; the time of day is set (libfaketime), so the ledger's times are those."""
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests/live"))
import test_prompt_cache_by_itself as by_itself  # noqa: E402

QUICK = "quick" in sys.argv[1:]
DAY = 40000  # seconds that a desk is open


def gaps(mean, seed):
    rnd, at, made = random.Random(seed), 0, []
    while True:
        gap = int(rnd.expovariate(1 / mean)) + 1
        at += gap
        if at > DAY or len(made) == (30 if QUICK else 300):
            return made
        made.append(gap)


def questions(mean, seed):
    return lambda wish: by_itself.steps(gaps(mean, seed), {"prompt_cache": wish})


def changing(mean, seed):
    tool = lambda i: {"tools": [{"type": "function", "function": {"name": f"tool_{i}", "parameters": {"type": "object"}}}]}
    return lambda wish: by_itself.steps(gaps(mean, seed), lambda i: {**tool(i), "prompt_cache": wish})


def talks(mean, seed):
    """Conversations of one to nine turns, one behind the other; within one a turn comes after 40 seconds on the average."""
    def make(wish):
        rnd, made = random.Random(seed), []
        for c, gap in enumerate(gaps(mean, seed)[: 4 if QUICK else 40]):
            messages = []
            for turn in range(rnd.randint(1, 9)):
                messages = [*messages, {"role": "user", "content": f"talk {c}, turn {turn}: " + "and so on, word by word. " * 60}]
                pause = gap if turn == 0 else int(rnd.expovariate(1 / 40)) + 1
                made.append([pause, "llm_chat", json.dumps(messages),
                             {"model": by_itself.MODEL, "max_tokens": 20, "system": by_itself.SYSTEM, "conversation": f"c{c}", "prompt_cache": wish}])
                messages = [*messages, {"role": "assistant", "content": f"answer {turn}"}]
        return made
    return make


DESKS = [("a call every 2 minutes", questions(120, 1)), ("every 6 minutes", questions(360, 2)), ("every 20 minutes", questions(1200, 3)), ("every 90 minutes", questions(5400, 4)),
         ("every 2 minutes, tools change", changing(120, 5)), ("conversations, every 5 minutes", talks(300, 6)), ("conversations, every 30 minutes", talks(1800, 7))]


def main():
    if not by_itself.FAKETIME:
        sys.exit("skipped: needs the Debian package faketime")
    run = by_itself.ByItself("test_a_call_a_minute").run_steps
    print("%-34s %6s %9s %7s %7s %7s %7s" % ("", "calls", "off $", "off", "5m", "1h", "auto"))
    for name, make in DESKS:
        bills = {wish: run(make(wish))["bill"] for wish in ("off", "5m", "1h", "auto")}
        print("%-34s %6d %9.4f" % (name, len(make("off")), bills["off"] / 1e9) + "".join(" %6.3f " % (b / bills["off"]) for b in bills.values()))


main()
