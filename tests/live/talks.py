"""Conversations for the tests of pruning, in OpenAI's form and in Anthropic's: support, code, research, writing; with tools, images, thoughts."""
import json
import random

TOPICS = {
    "parcel": ("Where is parcel {n}?", "Parcel {n} left the depot in {city} on day {d} and is expected within {d} days. The carrier is {name}.", "track"),
    "invoice": ("Can you explain invoice {n}?", "Invoice {n} lists {d} items, ordered by {name} from {city}. Shipping was charged once.", "invoice_lookup"),
    "code": ("The test case_{n} fails in module {name}.", "The loop in {name} runs {d} times too often; case_{n} expects the sum without the header line.", "run_tests"),
    "recipe": ("How do I cook dish {n} for {d} people?", "For {d} people take {n} grams of flour, knead it for {d} minutes and bake it as they do in {city}.", "search"),
    "travel": ("What can I see in {city} in {d} days?", "In {city} visit the old harbour, the museum of {name} and tower {n}; {d} days are plenty.", "search"),
    "data": ("Load table t{n} and tell me about {name}.", "Table t{n} has {d} columns; {name} is skewed towards {city}, with {n} empty rows.", "query"),
}
CITIES = ["Bergen", "Porto", "Kraków", "Ljubljana", "Tromsø", "Gdańsk", "Nîmes", "Siena"]
NAMES = ["Aurora", "Hansen", "Okafor", "Lindqvist", "Moreau", "Tanaka", "ledger_sums", "parse_line"]


def user(text):
    return {"role": "user", "content": text}


def assistant(text, *calls):
    return {"role": "assistant", "content": text,
            **({"tool_calls": [{"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for i, n, a in calls]} if calls else {})}


def result(call, text):
    return {"role": "tool", "tool_call_id": call, "content": text}


def talk(seed, turns, tools=0.0, most_calls=4, system=True, words=(8, 60)):
    """One conversation: `turns` of the user's, each about a topic; a share `tools` of them with rounds of calls in parallel."""
    rnd = random.Random(seed)
    topics = rnd.sample(sorted(TOPICS), 3)
    messages = [{"role": "system", "content": f"You are a helper of team {seed}. Be exact and kind."}] if system else []
    for turn in range(turns):
        ask, tell, tool = TOPICS[rnd.choice(topics)]
        of = {"n": rnd.randrange(100, 9999), "d": rnd.randrange(2, 30), "city": rnd.choice(CITIES), "name": rnd.choice(NAMES)}
        messages.append(user(ask.format(**of)))
        if rnd.random() < tools:
            for rounds in range(rnd.randrange(1, 3)):
                calls = [(f"call_{seed}_{turn}_{rounds}_{i}", tool, {"id": of["n"], "part": i}) for i in range(rnd.randrange(1, most_calls + 1))]
                messages.append(assistant(None, *calls))
                messages += [result(i, json.dumps({"part": a["part"], "log": " ".join(rnd.choice(NAMES + CITIES) for _ in range(rnd.randrange(*words)))})) for i, _, a in calls]
        messages.append(assistant(tell.format(**of) + " " + " ".join(rnd.choice(CITIES) for _ in range(rnd.randrange(*words))) + "."))
    return messages


def agent(seed, groups, words=80):
    """A single turn with many calls, as an agent's: still at work."""
    rnd = random.Random(seed)
    messages = [{"role": "system", "content": "You mend programs."}, user("Make the tests pass.")]
    for i in range(groups):
        calls = [(f"c{seed}_{i}_{k}", "shell", {"command": f"grep -n word{k} file{i}.c"}) for k in range(rnd.randrange(1, 4))]
        messages.append(assistant(f"Looking at file {i}." if i % 3 == 0 else None, *calls))
        messages += [result(c, " ".join(rnd.choice(NAMES) for _ in range(words))) for c, _, _ in calls]
    return messages


def twenty():
    """20 of them, 10 to 60 turns, with and without tools."""
    return [talk(i, turns=10 + i * 50 // 19, tools=(0, 0.3, 0.7)[i % 3], system=i % 4 != 3) for i in range(20)]


def claude_form(messages, thoughts=True):
    """(system, messages) as Anthropic has them: blocks, results of one round in one message of the user's, signed thoughts in front of calls."""
    system, out = [m["content"] for m in messages if m["role"] == "system"], []
    for m in messages:
        if m["role"] == "tool":
            block = {"type": "tool_result", "tool_use_id": m["tool_call_id"], "content": m["content"]}
            if out[-1]["role"] == "user" and isinstance(out[-1]["content"], list):
                out[-1]["content"].append(block)
            else:
                out.append({"role": "user", "content": [block]})
        elif m["role"] == "assistant" and m.get("tool_calls"):
            blocks = [{"type": "thinking", "thinking": f"Which part? {len(out)}", "signature": f"sig+/{len(out)}=="}] if thoughts else []
            if thoughts and len(out) % 5 == 0:
                blocks.append({"type": "redacted_thinking", "data": f"ENC{len(out)}=="})
            blocks += [{"type": "text", "text": m["content"]}] if m["content"] else []
            blocks += [{"type": "tool_use", "id": c["id"], "name": c["function"]["name"], "input": json.loads(c["function"]["arguments"])} for c in m["tool_calls"]]
            out.append({"role": "assistant", "content": blocks})
        elif m["role"] != "system":
            out.append({"role": m["role"], "content": m["content"]})
    return "\n".join(system), out


def ids_of(messages):
    """Ids of calls and of results, in either form, as they stand."""
    calls, results = [], []
    for m in messages:
        calls += [c["id"] for c in m.get("tool_calls") or []]
        results += [m["tool_call_id"]] if m["role"] == "tool" else []
        for b in m["content"] if isinstance(m["content"], list) else []:
            calls += [b["id"]] if b["type"] == "tool_use" else []
            results += [b["tool_use_id"]] if b["type"] == "tool_result" else []
    return calls, results
