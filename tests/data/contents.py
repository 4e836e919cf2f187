"""What the fixtures hold: the questions the stores were asked, in their order, and the rows of the semantic_cache
tables. make.py writes them into files with an older build; tests/live/test_fixtures.py looks for them with today's.
"""
import json
import struct

CLERK = "You are a clerk of a web shop. Answer in one sentence."
# Longer than a transcript keeps in itself: stored once, and named by its hash in both conversations.
LONG = ("On Monday I ordered two pairs of running shoes, a rain jacket and a head torch. On Wednesday the shoes came, "
        "one pair in the wrong size and the other with a torn sole; the jacket is still on its way, and the torch was "
        "never in the parcel although the delivery note lists it. I have photographs of the shoes and of the note.")
EMBEDDER = "text-embedding-3-small"
DIMENSIONS = 64  # of EMBEDDER in llm_models, to keep the files small


class Ask:
    """One request. `fault`: the stand-in's scenario while it runs; `log_text`: the setting while it runs."""

    def __init__(self, name, what, fault=None, log_text="full", chat=False, **options):
        self.name, self.what, self.fault, self.log_text = name, what, fault, log_text
        self.function = "llm_chat" if chat else "llm_complete"
        self.options = {"on_error": "null", **options}

    def run(self, db):
        text = json.dumps(self.what) if self.function == "llm_chat" else self.what
        return db.execute(f"SELECT {self.function}(?, ?)", (text, json.dumps(self.options))).fetchone()[0]


def turns(*texts):
    """A conversation: the user begins, the assistant answers, …"""
    return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


# Answered, and served again for nothing whoever asks the same way.
ANSWERED = [
    Ask("policy", "What is your return policy?", model="gpt-4o-mini", system=CLERK, tag="policy", user="ann",
        max_tokens=60),
    Ask("shipping", "How long does shipping take?", tag="shipping", user="bob"),
    Ask("order", "Where is my order?", model="claude-haiku-4-5", system=CLERK, tag="orders", user="ann"),
    Ask("size", "Größe 42 – 在庫はありますか?", model="gpt-4o-mini", tag="shipping"),
    Ask("kept", "Which day is it in Oslo?", model="gpt-4o-mini", ttl=3_000_000_000),
    Ask("unkept", "A question whose text is not kept", model="gpt-4o-mini", log_text="hash"),
    Ask("torn", [{"role": "system", "content": CLERK}] + turns(LONG, "I am sorry to hear that.",
                                                                "Can I return the shoes?"),
        chat=True, model="gpt-4o-mini", conversation="c-1", user="ann"),
    Ask("refund", turns(LONG, "Please send us the photographs.", "Here they are. When is my money back?"),
        chat=True, model="claude-haiku-4-5", conversation="c-2", user="bob"),
]
# Asked after those: a hit, and what went wrong.
OTHERS = [
    ANSWERED[0],
    Ask("refused", "Who are you?", model="gpt-5o"),
    Ask("failed", "A question that is refused", fault="bad-request", model="gpt-4o-mini", tag="faults"),
    Ask("retried", "A question that is asked twice", fault="rate-limit", model="gpt-4o-mini", tag="faults"),
    Ask("garbled", "A question whose answer can't be read", fault="bad-json", model="gpt-4o-mini", tag="faults"),
]
# From version 2 on: two questions and what means the same. The second pair's hit was reported to be wrong.
SIMILAR = [
    Ask("password", "How do I reset my password?", cache="semantic", model="gpt-4o-mini", tag="account"),
    Ask("password again", "how can I reset my password", cache="semantic", model="gpt-4o-mini", tag="account"),
    Ask("shoes", "How do I return my shoes?", cache="semantic", threshold=0.93, model="gpt-4o-mini", tag="account"),
    Ask("shoes again", "how can I return my shoes", cache="semantic", threshold=0.93, model="gpt-4o-mini", tag="account"),
]
EMBEDDED = "the red parcel at the door"
# Asked by a process that was killed before the answer came (files only: in main mode there is no row before it).
KILLED = "A question whose asker was killed"


# --- semantic_cache tables: {table: (arguments, rows)}; a row is a dict of columns

FUTURE, PAST = 4_102_444_800_000, 1_577_836_800_000  # 2100-01-01, 2020-01-01
FILLER = "and then please tell me what I have to do "


def vector(i):
    """The i-th of eight directions, a little off."""
    return struct.pack("<8f", *(1.0 if j == i else 0.125 if j == (i + 1) % 8 else 0.0 for j in range(8)))


def entry(query, response, **more):
    return {"query": query, "response": response, **more}


TABLES = {
    "faq": ("embedder='static', threshold=0.92, confirm='off'", [
        entry("What is your return policy?", "Within 30 days.", system_prompt="You are a clerk.", tag="v1",
              model="gpt-4o-mini", cost_nusd=1200),
        entry("How do I reset my password?", "With the link on the login page.", system_prompt="You are a clerk.",
              tag="v1", model="gpt-4o-mini", cost_nusd=900),
        entry("How do I reset my password?", "Mit dem Link.", system_prompt="You are a clerk.", tag="v1",
              model="mistral-small-2603", cost_nusd=800),
        entry("What is your return policy?", "Arr, thirty days.", system_prompt="You are a pirate.", tag="v2"),
        entry("How many warehouses do you have?", 7, tag="v2"),
        entry("How heavy is a parcel on average?", 1.25),
        entry("What does your logo look like?", b"\x00\xff\x10logo", tag="v2"),
        entry("Where do I live?", "In Oslo.", scope="ann"),
        entry("Where do I live?", "In Bergen.", scope="bob"),
        entry("☃☃☃", "snow"),
        entry("I want to return my shoes " + FILLER * 4, "Send them back."),
    ]),
    # Made under another name, and renamed.
    "points": ("embedder='none', dim=8, threshold=0.9",
               [{"embedding": vector(i), "response": f"direction {i}", "system_prompt": "odd" if i % 2 else None}
                for i in range(8)]),
    "learned": ("embedder='static', max_false_hits=0.05, seed=7, confirm='off'",
                [entry(f"Which documents do I need for a loan of kind {k}?", f"Form {k}.") for k in
                 ("mortgage", "car", "student", "business")]),
    "kept": ("embedder='static', ttl='7d', max_entries=4, confirm='off'", [
        entry("What is the capital of Norway?", "Oslo.", expires_at=FUTURE, cost_nusd=5000),
        entry("What is the capital of Italy?", "Rome.", expires_at=FUTURE, cost_nusd=4000),
        entry("What is the capital of the GDR?", "East Berlin.", created_at=PAST - 1000, expires_at=PAST,
              cost_nusd=9000)]),
}
# In 'learned': (index of the entry, cosine, word), as reported.
LABELS = [(0, 0.97, "right"), (1, 0.96, "right"), (2, 0.95, "wrong")]
LOOKUPS = ["Which documents do I need for a loan of kind mortgage", "Which documents do I need for a loan of kind car"]
