#!/usr/bin/python3
"""Logs of Claude Code and of Codex as lie on people's disks, made from a seed: of any size, with all that makes their sums
hard, and with the true sums. All that they say is invented. Usage: logs.py FOLDER [MILLIONS OF BYTES] [SEED]

Claude Code (two thirds of the bytes): an answer has one to three lines whose output grows; tools' results are said twice in
a line; sessions are resumed and forked (lines before it once more, under another session), subagents have files of their
own with own calls, with their caller's answers once more under another request, and their steps shown in the session;
synthetic answers, summaries, snapshots; the last line of a file may be torn. Codex: totals that grow, shown again
milliseconds later or without any info; forks and subagents whose first second repeats their parent's events; contexts
compacted; big payloads. `grow` makes the same folder larger, as its programs would: torn lines are ended first.

FOLDER/hard holds what ccusage is known to count otherwise: forks without last_token_usage, totals that go down.
"""
import base64
import json
import os
import random
import sys
from datetime import datetime, timedelta, timezone

CLAUDE_MODELS = ("claude-sonnet-4-5-20250929", "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001")
CODEX_MODELS = ("gpt-5.1-codex", "gpt-5-codex", "gpt-5.1-codex-mini")
KINDS = ("input", "cached", "written", "written_1h", "output", "reasoning")  # input holds the others
START = datetime(2026, 2, 2, 7, tzinfo=timezone.utc)


class Truth(dict):
    """Calls, and tokens by kind, of each model."""

    def add(self, model, **tokens):
        sums = self.setdefault(model, dict.fromkeys(("calls", *KINDS), 0))
        sums["calls"] += 1
        for kind, n in tokens.items():
            sums[kind] += n

    def total(self):
        return {kind: sum(sums[kind] for sums in self.values()) for kind in ("calls", *KINDS)}


class Filler:
    """Text as it stands in JSON: of programs and their output; and base64."""

    def __init__(self, rng):
        words = ("return", "if", "state", "buffer", "index", "self", "const", "await", "error", "len", "data", "row", "None",
                 "name", "größe", "path", "→", "value", "request", "0x1f", "==", "+=", "(", ")", "{", "}", "[0]", "->", "//")
        lines = []
        for _ in range(24_000):
            line = rng.choice(("", "    ", "        ", "\t\t")) + " ".join(rng.choices(words, k=rng.randrange(2, 14)))
            if rng.random() < 0.3:
                line += ' "' + rng.choice(words) + '\\n",'
            if rng.random() < 0.02:
                line += ' {"type":"assistant","usage":{"output_tokens":5}}'
            lines.append(line + "\n")
        self.rng = rng
        self.starts, at, out = [], 0, []
        for line in lines:
            self.starts.append(at)
            out.append(json.dumps(line, ensure_ascii=False)[1:-1])
            at += len(out[-1])
        self.code = "".join(out)
        self.sealed = base64.b64encode(rng.randbytes(1 << 20)).decode()

    def text(self, n):
        """About n characters; whole lines."""
        first = self.rng.randrange(len(self.starts) // 2)
        last = min(first + max(1, n * len(self.starts) // len(self.code)), len(self.starts) - 1)
        return self.code[self.starts[first]:self.starts[last]]

    def seal(self, n):
        at = self.rng.randrange(len(self.sealed) - n)
        return self.sealed[at:at + n]

    def size(self, usual, most):
        """Sizes: most are small, few are large."""
        return int(min(self.rng.lognormvariate(0, 1.1) * usual, most))


class Maker:
    def __init__(self, folder, seed):
        self.rng = random.Random(seed)
        self.fill = Filler(self.rng)
        self.folder = folder
        self.written = 0
        self.now = START

    def uuid(self):
        x = f"{self.rng.getrandbits(128):032x}"
        return f"{x[:8]}-{x[8:12]}-{x[12:16]}-{x[16:20]}-{x[20:]}"

    def id(self, prefix):
        return f"{prefix}{self.rng.getrandbits(120):030x}"

    def write(self, path, lines, mode="w"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode, encoding="utf-8") as f:
            f.write("".join(lines))
            self.written += f.tell() if mode == "w" else 0

    def begin(self, after=None):
        """Sessions begin one after the other, some hours apart; one that goes on from another when that has ended."""
        self.now = max(self.now, after or self.now) + timedelta(minutes=self.rng.randrange(5, 240))
        return self.now


def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03d}Z"


# ---- Claude Code

class Claude:
    """A session, or a subagent of one."""

    def __init__(self, maker, project, caller=None, after=None):
        m = self.m = maker
        self.id = caller.id if caller else m.uuid()
        self.agent = m.id("a")[:8] if caller else None
        self.project = project
        self.time = caller.time if caller else m.begin(after)
        self.model = m.rng.choices(CLAUDE_MODELS, (6, 3, 2))[0]
        self.context = m.rng.randrange(9_000, 22_000)
        self.parent = None
        self.lines = []
        self.answers = []  # (line, message id) of last lines: what others may repeat
        self.torn = ""

    def line(self, kind, rest, sidechain=None):
        m = self.m
        uuid = m.uuid()
        self.time += timedelta(milliseconds=m.rng.randrange(200, 9000))
        head = f'"{self.parent}"' if self.parent else "null"
        agent = f'"agentId":"{self.agent}",' if self.agent else ""
        side = "true" if self.agent or sidechain else "false"
        self.parent = uuid
        self.lines.append(f'{{"parentUuid":{head},"isSidechain":{side},{agent}"userType":"external","cwd":"/home/u/{self.project}",'
                          f'"sessionId":"{self.id}","version":"2.1.87","gitBranch":"main",{rest},"type":"{kind}",'
                          f'"uuid":"{uuid}","timestamp":"{stamp(self.time)}"}}\n')
        return self.lines[-1]

    def user(self, n):
        self.line("user", f'"message":{{"role":"user","content":"{self.m.fill.text(n)}"}}')

    def result(self, tool):
        """What a tool said: of a file read twice, of an edit with the whole file before it."""
        fill, file = self.m.fill, f'"filePath":"/home/u/{self.project}/a.c"'
        text = fill.text(fill.size(1600, 60_000))
        more = (f'{{{file},"oldString":"{text}","newString":"{text}","originalFile":"{fill.text(fill.size(6000, 90_000))}",'
                '"userModified":false,"replaceAll":false}' if self.m.rng.random() < 0.25 else
                f'{{"type":"text","file":{{{file},"content":"{text}","numLines":80,"startLine":1,"totalLines":80}}}}')
        self.line("user", f'"message":{{"role":"user","content":[{{"tool_use_id":"{tool}","type":"tool_result","content":"{text}"}}]}},'
                          f'"toolUseResult":{more}')
        self.context += len(text) // 4

    def block(self, last, tool):
        fill, rng = self.m.fill, self.m.rng
        if last:
            return f'{{"type":"tool_use","id":"{tool}","name":"Edit","input":{{"file_path":"/home/u/{self.project}/a.c","new_string":"{fill.text(fill.size(500, 9000))}"}}}}'
        if rng.random() < 0.3:
            return f'{{"type":"thinking","thinking":"{fill.text(fill.size(300, 2000))}","signature":"{fill.seal(600)}"}}'
        return f'{{"type":"text","text":"{fill.text(fill.size(260, 3000))}"}}'

    def call(self, truth):
        m = self.m
        message, request, tool = m.id("msg_01"), m.id("req_011"), m.id("toolu_01")
        read = self.context - self.context % 97 if self.lines else 0
        write = m.rng.randrange(200, 6000)
        hour = write if m.rng.random() < 0.1 else 0
        plain, output = m.rng.randrange(1, 12), m.fill.size(300, 16_000) + 3
        n = m.rng.choices((1, 2, 3), (4, 5, 2))[0]
        for i in range(n):
            so_far = output if i == n - 1 else 1 + output * i // 9
            stop = '"tool_use"' if i == n - 1 else "null"
            line = self.line("assistant", f'"message":{{"model":"{self.model}","id":"{message}","type":"message","role":"assistant","content":['
                             f'{self.block(i == n - 1, tool)}],"stop_reason":{stop},"stop_sequence":null,"usage":{{"input_tokens":{plain},'
                             f'"cache_creation_input_tokens":{write},"cache_read_input_tokens":{read},"cache_creation":'
                             f'{{"ephemeral_5m_input_tokens":{write - hour},"ephemeral_1h_input_tokens":{hour}}},"output_tokens":{so_far},'
                             f'"server_tool_use":{{"web_search_requests":0,"web_fetch_requests":0}},"service_tier":"standard","speed":"standard"}}}},'
                             f'"requestId":"{request}"')
        truth.add(self.model, input=plain + write + read, cached=read, written=write, written_1h=hour, output=output)
        self.answers.append((line, message, request))
        self.context += write + output
        self.result(tool)
        if self.context > 165_000:
            self.compact()

    def compact(self):
        self.context = self.m.rng.randrange(20_000, 40_000)
        self.user(6000)

    def odd(self):
        """Lines that are no calls."""
        m = self.m
        kind = m.rng.randrange(4)
        if kind == 0:
            self.lines.append(f'{{"type":"summary","summary":"{m.fill.text(80)}","leafUuid":"{m.uuid()}"}}\n')
        elif kind == 1:
            self.lines.append(f'{{"type":"file-history-snapshot","messageId":"{m.uuid()}","snapshot":{{"trackedFileBackups":{{}},'
                              f'"timestamp":"{stamp(self.time)}"}},"isSnapshotUpdate":false}}\n')
        elif kind == 2:
            self.line("assistant", f'"message":{{"id":"{m.uuid()}","container":null,"model":"<synthetic>","role":"assistant",'
                      '"stop_reason":"stop_sequence","type":"message","usage":{"input_tokens":0,"output_tokens":0,'
                      '"cache_creation_input_tokens":0,"cache_read_input_tokens":0},"content":[{"type":"text","text":"API Error: 529"}]},'
                      '"isApiErrorMessage":true')
        else:
            self.line("system", '"subtype":"turn_duration","durationMs":81234')

    def turns(self, size, truth):
        """Goes on until it is so large."""
        m, have = self.m, sum(map(len, self.lines))
        while have < size:
            before = len(self.lines)
            self.user(m.fill.size(200, 4000))
            for _ in range(m.rng.randrange(2, 14)):
                self.call(truth)
            if m.rng.random() < 0.5:
                self.odd()
            have += sum(map(len, self.lines[before:]))

    def tear(self, truth):
        """The last line is not complete: what it says is not known yet. `torn` is its rest, `owed` what it is then."""
        self.owed = Truth()
        before = len(self.lines)
        self.call(self.owed)
        line = self.lines[before]
        del self.lines[before:]
        self.answers.pop()
        output = json.loads(line)["message"]["usage"]["output_tokens"]
        for sums in self.owed.values():
            sums["output"] = output
        cut = self.m.rng.randrange(20, len(line) - 2)
        self.torn = line[cut:]
        self.lines.append(line[:cut])

    def path(self):
        folder = os.path.join(self.m.folder, "claude", "projects", "-home-u-" + self.project)
        return os.path.join(folder, self.id, "subagents", f"agent-{self.agent}.jsonl") if self.agent else os.path.join(folder, self.id + ".jsonl")


def claude_agent(session, truth):
    """A subagent: the answers of its caller stand in it too, under other requests; its own are shown in the session."""
    m = session.m
    agent = Claude(m, session.project, session)
    for line, _, request in session.answers[-m.rng.randrange(1, 4):] if m.rng.random() < 0.4 else ():
        line = line.replace(request, m.id("req_011")).replace('"isSidechain":false,', f'"isSidechain":true,"agentId":"{agent.agent}",')
        agent.lines.append(line)
    agent.turns(m.fill.size(90_000, 700_000), truth)
    for line, _, _ in agent.answers[:3]:
        shown = json.loads(line)
        shown = {k: shown[k] for k in ("message", "requestId", "type", "uuid", "timestamp")}
        session.line("progress", '"data":{"type":"agent_progress","agentId":"%s","message":%s}' % (
            agent.agent, json.dumps(shown, ensure_ascii=False, separators=(",", ":"))))
    m.write(agent.path(), agent.lines)


def claude_copy(session, truth):
    """Resumed, or forked in the middle: a session of its own that begins with the lines of another."""
    m = session.m
    child = Claude(m, session.project, after=session.time)
    whole = session.lines[:-1] if session.torn else session.lines
    lines = whole if m.rng.random() < 0.6 else whole[:m.rng.randrange(len(whole))]
    child.lines = [line.replace(session.id, child.id) for line in lines[-m.rng.randrange(20, 400):]]
    child.model, child.context = session.model, session.context
    child.turns(sum(map(len, child.lines)) + m.fill.size(150_000, 2_000_000), truth)
    return child


def claude_logs(m, size, truth):
    """Returns the sessions that a later import finds grown."""
    projects = [f"{a}{b}" for a in ("web", "api", "infra", "notes", "ml") for b in ("", "2", "3", "4")]
    growing, last = [], m.written + size
    usual = max(30_000, min(size // 60, 700_000))
    while m.written < last:
        session = Claude(m, m.rng.choice(projects))
        session.turns(m.fill.size(usual, 12_000_000), truth)
        for _ in range(m.rng.choice((0, 0, 1, 3))):
            claude_agent(session, truth)
        family = [session]
        if m.rng.random() < 0.25:
            family.append(claude_copy(m.rng.choice(family), truth))
            if m.rng.random() < 0.3:
                family.append(claude_copy(family[-1], truth))
        for s in family:
            if m.rng.random() < 0.08:
                s.tear(truth)
            m.write(s.path(), s.lines)
        if m.rng.random() < 0.06 or not growing or session.torn:
            session.lines = session.lines[:1]
            growing.append(session)
    return growing


# ---- Codex

COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")


class Codex:
    def __init__(self, maker, parent=None, subagent=False):
        m = self.m = maker
        self.id = m.uuid()
        self.time = self.birth = m.begin(parent.time if parent else None)
        self.model = parent.model if parent else m.rng.choices(CODEX_MODELS, (6, 2, 2))[0]
        self.project = parent.project if parent else m.rng.choice(("web", "api", "infra", "ml"))
        self.totals = dict.fromkeys(COUNTS, 0)
        self.context = m.rng.randrange(8_000, 16_000)
        self.lines = []
        self.has_last = True
        more = ""
        if parent:
            self.totals, self.context, self.has_last = dict(parent.totals), parent.context, parent.has_last
            more = (f',"source":{{"subagent":{{"thread_spawn":{{"parent_thread_id":"{parent.id}","depth":1}}}}}}' if subagent
                    else f',"forked_from_id":"{parent.id}","source":"cli"')
        self.line("session_meta", f'{{"id":"{self.id}","timestamp":"{stamp(self.birth)}","cwd":"/home/u/{self.project}",'
                  f'"originator":"codex_cli_rs","cli_version":"0.120.0"{more},"base_instructions":{{"text":"{m.fill.text(9000)}"}}}}', 0)
        if parent:
            at = f'{{"timestamp":"{stamp(self.birth)}'
            self.lines += [at + line[len(at):] for line in parent.lines]
            self.time += timedelta(seconds=3)

    def line(self, kind, payload, wait=None):
        self.time += timedelta(milliseconds=self.m.rng.randrange(50, 6000) if wait is None else wait)
        self.lines.append(f'{{"timestamp":"{stamp(self.time)}","type":"{kind}","payload":{payload}}}\n')

    def count(self, last, wait=None):
        own = f'"last_token_usage":{json.dumps(last, separators=(",", ":"))},' if self.has_last else ""
        self.line("event_msg", f'{{"type":"token_count","info":{{"total_token_usage":{json.dumps(self.totals, separators=(",", ":"))},{own}'
                  '"model_context_window":272000},"rate_limits":{"primary":{"used_percent":12.5,"window_minutes":300,"resets_at":1772000000},'
                  '"secondary":{"used_percent":31.0,"window_minutes":10080,"resets_at":1772500000},"credits":null,"plan_type":"pro"}}', wait)

    def call(self, truth):
        m, fill = self.m, self.m.fill
        output = fill.size(220, 12_000) + 5
        reasoning = output * m.rng.randrange(0, 9) // 10
        cached = self.context * 9 // 10 // 128 * 128
        used = {"input_tokens": self.context, "cached_input_tokens": cached, "output_tokens": output,
                "reasoning_output_tokens": reasoning, "total_tokens": self.context + output}
        for kind in COUNTS:
            self.totals[kind] += used[kind]
        self.line("response_item", f'{{"type":"reasoning","summary":[{{"type":"summary_text","text":"{fill.text(120)}"}}],"content":null,'
                  f'"encrypted_content":"{fill.seal(fill.size(1200, 9000))}"}}')
        self.line("event_msg", f'{{"type":"agent_reasoning","text":"{fill.text(120)}"}}', 1)
        call = m.id("call_")[:29]
        self.line("response_item", f'{{"type":"function_call","name":"shell","arguments":"{{\\"command\\":[\\"sed\\",\\"-n\\",\\"1,200p\\"]}}","call_id":"{call}"}}', 2)
        self.count(used)
        if m.rng.random() < 0.3:
            self.count(used, 12)
        text = fill.text(fill.size(2200, 40_000))
        self.line("response_item", f'{{"type":"function_call_output","call_id":"{call}","output":"{text}"}}')
        truth.add(self.model, input=used["input_tokens"], cached=cached, output=output, reasoning=reasoning)
        self.context += output + len(text) // 4
        if self.context > 220_000:
            self.context = m.rng.randrange(15_000, 40_000)
            self.line("compacted", f'{{"message":"{fill.text(3000)}","replacement_history":[]}}')

    def turns(self, size, truth):
        m, have = self.m, sum(map(len, self.lines))
        while have < size:
            before = len(self.lines)
            self.line("turn_context", f'{{"cwd":"/home/u/{self.project}","approval_policy":"on-request","model":"{self.model}","effort":"high","summary":"auto"}}')
            self.line("event_msg", '{"type":"token_count","info":null,"rate_limits":null}')
            self.line("response_item", f'{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{m.fill.text(m.fill.size(200, 4000))}"}}]}}')
            for _ in range(m.rng.randrange(2, 14)):
                self.call(truth)
            self.line("event_msg", f'{{"type":"agent_message","message":"{m.fill.text(400)}"}}')
            have += sum(map(len, self.lines[before:]))

    def path(self, root="codex"):
        t = self.birth
        return os.path.join(self.m.folder, root, "sessions", f"{t:%Y/%m/%d}", f"rollout-{t:%Y-%m-%dT%H-%M-%S}-{self.id}.jsonl")


def codex_logs(m, size, truth):
    growing, last = [], m.written + size
    usual = max(30_000, min(size // 40, 600_000))
    while m.written < last:
        session = Codex(m)
        session.turns(m.fill.size(usual, 12_000_000), truth)
        family = [session]
        if m.rng.random() < 0.3 and len(session.lines) < 3000:
            child = Codex(m, session, m.rng.random() < 0.6)
            child.turns(sum(map(len, child.lines)) + m.fill.size(120_000, 1_000_000), truth)
            family.append(child)
        for s in family:
            m.write(s.path(), s.lines)
        if m.rng.random() < 0.06 or not growing:
            growing.append(family[-1])
        for s in family:
            s.lines = []
    return growing


def hard_logs(m, truth):
    for i in range(6):
        session = Codex(m)
        session.has_last = i % 2 == 1
        session.turns(60_000, truth)
        if i % 2 == 0:  # forked, without what each call used
            child = Codex(m, session, i % 4 == 0)
            child.turns(sum(map(len, child.lines)) + 40_000, truth)
            m.write(child.path("hard"), child.lines)
        else:  # begun anew: by totals alone
            session.has_last = False
            session.totals = dict.fromkeys(COUNTS, 0)
            session.context = 5_000
            session.turns(sum(map(len, session.lines)) + 40_000, truth)
        m.write(session.path("hard"), session.lines)


# ---- both

class Logs:
    """Writes FOLDER/claude, FOLDER/codex and FOLDER/hard. `truth` is by "claude", "codex" and "hard"."""

    def __init__(self, folder, size, seed=1):
        self.m = Maker(folder, seed)
        self.truth = {"claude": Truth(), "codex": Truth(), "hard": Truth()}
        self.size = size
        self.growing = (claude_logs(self.m, size * 2 // 3, self.truth["claude"]),
                        codex_logs(self.m, size // 3, self.truth["codex"]))
        hard_logs(self.m, self.truth["hard"])

    def grow(self, share):
        """Appends; returns how many bytes."""
        self.m.now += timedelta(days=1)
        added = 0
        for name, sessions in zip(("claude", "codex"), self.growing):
            truth = self.truth[name]
            want = self.size * share * (2 / 3 if name == "claude" else 1 / 3) / len(sessions)
            for s in sessions:
                rest = []
                if getattr(s, "torn", ""):
                    rest = [s.torn]
                    for model, sums in s.owed.items():
                        truth.add(model, **{k: n for k, n in sums.items() if k != "calls"})
                    s.torn = ""
                s.time = s.time + timedelta(hours=9)
                s.lines = [""]  # (its first line is elsewhere)
                s.turns(want, truth)
                lines = rest + s.lines
                added += sum(len(line.encode()) for line in lines)
                self.m.write(s.path(), lines, "a")
        return added


if __name__ == "__main__":
    made = Logs(sys.argv[1], int(float(sys.argv[2] if len(sys.argv) > 2 else 1000) * 1e6), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print(json.dumps({name: truth.total() for name, truth in made.truth.items()}, indent=1))
