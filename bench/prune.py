"""What pruning a conversation saves, in tokens and in dollars, where a provider reads a repeated prefix for less.

  off        every message is sent, each time
  each turn  the cut moves with every turn, as far as it has to ("step": 1): what a plain "last N tokens" does
  steps      llm_prune as it is
  extract, summary   the same with "older"
  price      "budget":"price", of a model with such prices

Conversations are made (tests/live/talks.py): 20 of 10 to 60 turns, with and without tools; a session of 40 turns of tools; an agent's
turn of 60 rounds. A request is made wherever the assistant speaks.

By arithmetic: a token that is read costs `read`, one that is written to a cache `write`, others 1. A prefix is read if an earlier
request of the conversation began with the same messages, from 1,024 tokens on. A summary costs its request at a tenth of the price,
and its words at four tenths. "worst" is the highest ratio to `off` of what was spent so far, at any length; "pays from" the request from
which on it never was above 1 again.

What is related: a fact is told early in a conversation of 40 turns, and asked for again in other words at its end; is its turn still there?

At the stand-in: the same requests through llm_chat with its option `prune`, and the bill by the stand-in's books; OpenAI caches by itself,
Anthropic by prompt_cache 5m.

Usage: bench/prune.py [quick]
"""
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/live"))
import harness  # noqa: E402
import talks  # noqa: E402
from replay import Answer, Replay, chat  # noqa: E402

QUICK = "quick" in sys.argv
FLOOR = 1024
OUTPUT = {"gpt-5-mini": 2000, "claude-sonnet-4-6": 15000}  # nano-dollars of a token of the answer, at the stand-in
RATES = {"read 1/2": (0.5, 1), "read 1/10": (0.1, 1), "read 1/10, write 1.25": (0.1, 1.25), "read 1/50": (0.02, 1), "no cache": (1, 1)}
PRICED = {"read 1/2": "gpt-4o", "read 1/10": "gpt-5-mini", "read 1/10, write 1.25": "claude-sonnet-4-6", "read 1/50": "deepseek-v4-flash", "no cache": "gpt-4"}
POLICIES = {"off": None, "each turn": {"step": 1}, "steps": {}, "extract": {"older": "extract"}, "summary": {"older": "summary", "summary_model": "small"}}
# (What no message says would be cut out of it: of cities each conversation speaks.)
SUMMARY = " ".join(f"The user asked about {city} and was told how things were in Porto and in Bergen." for city in (talks.CITIES * 2)[:12])


def conversations():
    many = talks.twenty()
    return {"20 conversations": many[::6] if QUICK else many,
            "40 turns of tools": [talks.talk(77, 40, tools=1.0, words=(40, 160))],
            "an agent's turn": [talks.agent(78, 20 if QUICK else 60, words=150)]}


def requests(messages):
    """What is sent each time the assistant speaks."""
    return [messages[:i] for i, m in enumerate(messages) if m["role"] == "assistant"]


class Bench:
    def __init__(self, db, replay, floor=FLOOR):
        self.db, self.replay, self.floor, self.known = db, replay, floor, {}

    def tokens(self, text):
        if text not in self.known:
            self.known[text] = harness.value(self.db, "SELECT llm_tokens(?)", text)
        return self.known[text]

    def prune(self, messages, budget, options):
        """What is left, and what its summary cost if one was asked for."""
        if options is None:
            return messages, 0
        before = self.replay.asked("small")
        asked = json.dumps({"budget": budget, **options})  # (a policy's own budget counts)
        kept = json.loads(harness.value(self.db, "SELECT llm_prune(?, ?)", json.dumps(messages), asked))
        paid = 0
        if self.replay.asked("small") > before:
            paid = self.tokens(self.replay.body("small")["messages"][0]["content"]) * 0.1 + self.tokens(SUMMARY) * 0.4
        return kept, paid

    def spend(self, messages, budget, options):
        """Of each request: tokens that are read, all of them, and what its summary cost; and how often the prefix became another."""
        seen, out, before, cuts = set(), [], [], 0
        for request in requests(messages):
            kept, paid = self.prune(request, budget, options)
            cuts += kept[:len(before)] != before
            before = kept
            at, read, total, names = (), 0, 0, []
            for m in kept:
                text = json.dumps(m)
                total += self.tokens(text)
                at = hash((at, text))
                names.append(at)
                if at in seen:
                    read = total
            seen.update(names)
            out.append((read if read >= self.floor else 0, total, paid))
        return out, cuts


def dollars(spent, read, write):
    return [r * read + (n - r) * (write if read < 1 else 1) + paid for r, n, paid in spent]


def running(costs):
    total, out = 0, []
    for c in costs:
        total += c
        out.append(total)
    return out


def compare(ours, off):
    """Total ratio, worst ratio at any length, and the request from which it never was above 1."""
    a, b = running(ours), running(off)
    ratios = [x / y for x, y in zip(a, b)]
    above = [i for i, r in enumerate(ratios) if r > 1.0000001]
    return ratios[-1], max(ratios), (above[-1] + 2 if above and above[-1] + 1 < len(ratios) else "never" if above else 1)


def arithmetic(db, replay):
    print("| conversations | budget | policy | tokens sent | cuts | " + " | ".join(RATES) + " |\n|---|---|---|---|---|" + "---|" * len(RATES))
    for name, many in conversations().items():
        for budget in ((4000,) if QUICK else (2000, 4000, 8000)):
            if name == "20 conversations" and budget == 8000:
                budget = 1000
            bench, off = Bench(db, replay), []
            for policy, options in POLICIES.items():
                both = [bench.spend(m, budget, options) for m in many]
                spent, cuts = [b[0] for b in both], sum(b[1] for b in both)
                off = off or spent
                tokens = sum(n for s in spent for _, n, _ in s) / sum(n for s in off for _, n, _ in s)
                cells = []
                for read, write in RATES.values():
                    each = [compare(dollars(s, read, write), dollars(o, read, write)) for s, o in zip(spent, off)]
                    total = sum(sum(dollars(s, read, write)) for s in spent) / sum(sum(dollars(o, read, write)) for o in off)
                    worst = max(e[1] for e in each)
                    cells.append(f"{total:.2f} ({worst:.2f}" + (f", {each[0][2]})" if len(many) == 1 else ")"))
                print(f"| {name} | {budget:,} | {policy} | {tokens:.1%} | {cuts} | " + " | ".join(cells) + " |")


def by_price(db, replay):
    print("\n| conversations | prices of | tokens sent | cuts | dollars (worst) |\n|---|---|---|---|---|")
    for name, many in conversations().items():
        for rate, model in PRICED.items():
            read, write = RATES[rate]
            bench = Bench(db, replay, harness.value(db, "SELECT coalesce(llm_cache_minimum(?), 0)", model))
            off = [bench.spend(m, 0, None)[0] for m in many]
            both = [bench.spend(m, 0, {"budget": "price", "model": model}) for m in many]
            spent, cuts = [b[0] for b in both], sum(b[1] for b in both)
            tokens = sum(n for s in spent for _, n, _ in s) / sum(n for s in off for _, n, _ in s)
            total = sum(sum(dollars(s, read, write)) for s in spent) / sum(sum(dollars(o, read, write)) for o in off)
            worst = max(compare(dollars(s, read, write), dollars(o, read, write))[1] for s, o in zip(spent, off))
            print(f"| {name} | {model}: {rate} | {tokens:.1%} | {cuts} | {total:.2f} ({worst:.2f}) |")


# What was asked and answered, and how it is asked for again.
FACTS = [
    ("Which port does the billing service use?", "It listens on 8443, behind the proxy.", "On what port can I reach billing?"),
    ("Who signs off the refunds?", "Marta Keller does, up to 500 euros.", "Whose signature do refunds need?"),
    ("Where are the backups?", "In the vault at Lugano, rotated each Sunday.", "Where did you say the backups are kept?"),
    ("What is the name of our cat food supplier?", "Felina Trading, from Utrecht.", "Who supplies the food for the cats?"),
    ("When does the lease end?", "On 30 June 2027, with a notice of six months.", "Until what day do we have the lease?"),
    ("How much is the deposit?", "Two months' rent, 2,400 euros.", "What was the amount of the deposit again?"),
    ("Which doctor treated the knee?", "Dr. Aminata Diallo, at the clinic in Lyon.", "Who was the physician for my knee?"),
    ("What did the plumber find?", "A cracked valve under the sink.", "What was broken, according to the plumber?"),
    ("Which database is slow?", "The replica in Frankfurt, since the index was dropped.", "Which of the databases had the performance problem?"),
    ("What is the wifi password of the cabin?", "It is moonlight-77.", "How do I log into the cabin's wifi?"),
    ("Who won the tender?", "Brightwater, with the lowest bid.", "Which company got the contract of the tender?"),
    ("How long is the warranty of the boiler?", "Ten years on the tank, two on the rest.", "For how many years is the boiler covered?"),
    ("What colour did we agree on for the kitchen?", "Sage green, matt.", "Remind me of the paint for the kitchen."),
    ("Which gate does the bus leave from?", "Gate 14, behind the station.", "Where do I get on the bus?"),
    ("What is the error in the payroll run?", "Overtime of March was counted twice.", "What went wrong with payroll?"),
    ("Whose birthday is on the ninth?", "Yusuf's, he turns forty.", "Who has a birthday on the 9th?"),
    ("Which seeds need frost?", "Lavender and primrose.", "What plants have to be frozen before sowing?"),
    ("What is the licence of that library?", "Apache 2.0, since version 3.", "May we use the library, under which licence is it?"),
    ("Where does the leak come from?", "From the gutter above the bay window.", "What is the source of the leak?"),
    ("How many seats has the hall?", "Three hundred and twelve, with the balcony.", "What is the capacity of the hall?"),
]


def related(db):
    print("\n| budget | facts | drop | extract |\n|---|---|---|---|")
    for budget in (1000, 2000):
        kept = {"drop": 0, "extract": 0}
        facts = FACTS[::4] if QUICK else FACTS
        for i, (asked, answer, again) in enumerate(facts):
            filler = talks.talk(400 + i, 40, system=False)
            messages = [*filler[:8 + i % 4 * 2], talks.user(asked), talks.assistant(answer), *filler[8 + i % 4 * 2:], talks.user(again)]
            for older in kept:
                left = harness.value(db, "SELECT llm_prune(?, ?)", json.dumps(messages), json.dumps({"budget": budget, "older": older}))
                kept[older] += talks.assistant(answer) in json.loads(left)
        print(f"| {budget:,} | {len(facts)} | {kept['drop']} | {kept['extract']} |")


def at_the_standin():
    print("\n| provider | policy | requests | input tokens | read from cache | bill of the input | against off |\n|---|---|---|---|---|---|---|")
    many = conversations()["20 conversations"] + conversations()["40 turns of tools"]
    for model, cache in (("gpt-5-mini", "auto"), ("claude-sonnet-4-6", "5m")):
        base = None
        for policy in ("off", "each turn", "steps", "price"):
            with harness.TempDir() as tmp, harness.Standin() as standin:
                standin.post("/standin/cache", {"readable_ms": 0, "floor": FLOOR})
                db = harness.open_desk(os.path.join(tmp, "p.db"), standin.url)
                for messages in many:
                    for request in requests(messages):
                        options = {"model": model, "max_tokens": 8, "prompt_cache": cache, "cache": "off"}
                        if policy != "off":
                            options["prune"] = {"budget": "price"} if policy == "price" else {"budget": 4000, **POLICIES[policy]}
                        harness.value(db, "SELECT llm_chat(?, ?)", json.dumps(request), json.dumps(options))
                db.close()
                events = [e for e in standin.journal() if e["billed"]]
                sums = [sum(e[k] for e in events) for k in ("input_tokens", "cached_tokens", "nusd", "output_tokens")]
                sums[2] -= sums[3] * OUTPUT[model]
            base = base or sums[2]
            print(f"| {model} | {policy} | {len(events):,} | {sums[0]:,} | {sums[1] / sums[0]:.0%} | ${sums[2] / 1e9:.3f} | {sums[2] / base:.2f} × |")


def main():
    with harness.TempDir() as tmp, Replay() as replay:
        db = harness.connect(os.path.join(tmp, "p.db"))
        harness.value(db, "SELECT llm_allow_host(?, 'K'), llm_secret('K', 'sk-bench-0123456789'), llm_init()", replay.host)
        db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                   " VALUES ('small', 'openai', 'openai', ?, 'K', 0, 0, '{\"stream\":false}')", (replay.url("small"),))
        replay.answers["small"] = [Answer(chat(SUMMARY))]
        arithmetic(db, replay)
        by_price(db, replay)
        related(db)
        db.close()
    at_the_standin()


if __name__ == "__main__":
    main()
