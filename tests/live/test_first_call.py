"""The first call, with whatever key is set: which model it asks, and what it says where it can't."""
import json
import os
import unittest

from harness import Desk, KEYS, SO, Standin, TempDir, clean_env, connect, error_of, shell, value


def asked(db, options, prompt="Hello"):
    """(model, provider, url) that a call would be sent to."""
    dry = json.loads(value(db, "SELECT llm_complete(?, ?)", prompt, json.dumps({"dry_run": 1, **options})))
    return dry["model"], dry["provider"], dry["url"]


class WhateverKeyIsSet(unittest.TestCase):
    """Nothing here can be sent: the names of hosts are not resolved where tests run, or the key is refused."""

    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()
        cls.tmp = TempDir()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()
        cls.tmp.cleanup()

    def ask(self, name, sql, **keys):
        """What the shell says of a first call in a new database whose models are at the stand-in."""
        pairs = ",".join([self.standin.host] + [f"{self.standin.host}={key}" for key in keys])
        sql = (f".load {SO}\n.output /dev/null\nSELECT llm_init();\nUPDATE llm_models SET base_url = '{self.standin.url}/v1'"
               f" WHERE key_env IN ({','.join(repr(key) for key in keys) or 'NULL'});\n"
               f".output stdout\n{sql}")
        return shell(os.path.join(self.tmp.name, name + ".db"), sql, env=clean_env(LLMCOST_ALLOW_HOSTS=pairs, **keys))

    LEDGER = "SELECT llm_complete('Hello') IS NOT NULL;\nSELECT provider, model_requested, tier FROM llm_calls;\n"

    def test_the_only_provider_is_asked(self):
        cases = {"MISTRAL_API_KEY": "mistral|mistral-small-2603|only key", "GEMINI_API_KEY": "google|gemini-2.5-flash-lite|only key",
                 "DEEPSEEK_API_KEY": "deepseek|deepseek-v4-flash|only key", "OPENAI_API_KEY": "openai|gpt-4o-mini|simple",
                 "ANTHROPIC_API_KEY": "anthropic|claude-haiku-4-5|medium"}
        for key, row in cases.items():
            out = self.ask(key, self.LEDGER, **{key: "sk-only-this-one"})
            self.assertEqual((out.stdout, out.stderr), (f"1\n{row}\n", ""), key)

    def test_another_name_of_the_key(self):
        out = self.ask("google", "UPDATE llm_models SET base_url = 'https://generativelanguage.googleapis.com/v1beta/openai'"
                       " WHERE provider = 'google';\n" + self.LEDGER.replace("llm_complete('Hello')",
                       "llm_complete('Hello', '{\"on_error\":\"json\",\"retries\":0}')"), GOOGLE_API_KEY="sk-only-this-one")
        self.assertEqual(out.stdout, "1\ngoogle|gemini-2.5-flash-lite|only key\n", out.stderr)

    def test_several_are_named(self):
        out = self.ask("several", self.LEDGER, MISTRAL_API_KEY="sk-mistral", GROQ_API_KEY="sk-groq")
        self.assertIn("set are MISTRAL_API_KEY, GROQ_API_KEY: name a model, such as"
                      " {\"model\":\"mistral/mistral-small-2603\"}", out.stderr)

    def test_tiers_of_your_own_are_not_left(self):
        out = self.ask("tiers", "UPDATE llm_tiers SET model = 'gpt-4.1' WHERE name = 'complex';\n" + self.LEDGER,
                       MISTRAL_API_KEY="sk-mistral")
        self.assertIn("set is MISTRAL_API_KEY", out.stderr)

    def test_no_key_at_all(self):
        out = self.ask("none", self.LEDGER)
        for part in ("no provider's key is set: set OPENAI_API_KEY", "llm_secret(", '{"model":"ollama/llama3.2"}'):
            self.assertIn(part, out.stderr)

    def test_a_proxy_that_is_not_used_is_named(self):
        for name, says in (("HTTPS_PROXY", True), ("https_proxy", True), ("ALL_PROXY", True), ("NO_PROXY", False)):
            env = clean_env(OPENAI_API_KEY="sk-proxied", **{name: "http://127.0.0.1:9"})
            out = shell(":memory:", f".load {SO}\nSELECT llm_complete('Hi', '{{\"retries\":0,\"timeout_ms\":3000}}');", env=env)
            self.assertEqual(f"({name} is set, but not used: SELECT llm_config('proxy'" in out.stderr, says, out.stderr)


class AnyModel(Desk):
    def test_who_is_asked(self):
        here = self.standin.url + "/v1/chat/completions"
        cases = {"o3": ("o3", "openai", here), "openai/o3": ("o3", "openai", here), "OpenAI/o3": ("o3", "openai", here),
                 "openai/gpt-4o": ("gpt-4o", "openai", here),
                 "openai/gpt-4o-2024-08-06": ("gpt-4o-2024-08-06", "openai", here),
                 "models/gemini-2.5-pro": ("gemini-2.5-pro", "google", here),
                 "gemini/gemini-3-pro-preview": ("gemini-3-pro-preview", "google", here),
                 "groq/meta-llama/llama-4-maverick-17b-128e-instruct": ("meta-llama/llama-4-maverick-17b-128e-instruct", "groq", here),
                 "openrouter/anthropic/claude-opus-4-8": ("anthropic/claude-opus-4-8", "openrouter", here),
                 "ollama/qwen3:8b": ("qwen3:8b", "ollama", here),
                 "ollama/embedded-assistant": ("embedded-assistant", "ollama", here),
                 "ollama/gpt-4o": ("gpt-4o", "ollama", here),  # not OpenAI's
                 "qwen-max": ("qwen-max", "alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions"),
                 "chatgpt/gpt-4o": ("gpt-4o", "openai", here), "claude/claude-99": ("claude-99", "anthropic", self.standin.url + "/v1/messages"),
                 "xai/grok-9": ("grok-9", "x-ai", "https://api.x.ai/v1/chat/completions"),
                 "together_ai/Qwen/Qwen3-8B": ("Qwen/Qwen3-8B", "together", "https://api.together.xyz/v1/chat/completions"),
                 "vllm/my-model": ("my-model", "vllm", "http://127.0.0.1:8000/v1/chat/completions")}
        for model, expected in cases.items():
            self.assertEqual(asked(self.db, {"model": model}), expected, model)

    def test_a_provider_of_your_own(self):
        self.db.execute("INSERT INTO llm_models(name, provider, base_url) VALUES ('base', 'my-box', ?)", (self.standin.url + "/v1",))
        self.assertEqual(asked(self.db, {"model": "my-box/tuned"})[:2], ("tuned", "my-box"))
        self.db.execute("INSERT INTO llm_models(name, provider, base_url) VALUES ('openai/o3', 'my-box', 'https://my.example/v1')")
        self.assertEqual(asked(self.db, {"model": "openai/o3"}), ("openai/o3", "my-box", "https://my.example/v1/chat/completions"))

    def test_what_can_t_be_called_says_what_can(self):
        before = self.standin.bill()["calls"]
        for model, says in {"qwen3:8b": "'ollama/qwen3:8b', 'openrouter/qwen3:8b'",
                            "azure/gpt-4o": "where 'azure' is asked is not known: add a row with your base_url",
                            "vertex_ai/gemini-2.5-pro": "where 'vertex_ai' is asked is not known",
                            "openai/": "behind 'openai/' stands the name", "openai//gpt-4o": "behind 'openai/' stands the name",
                            "gpt-oss-20b": "name who is to be asked: '", "mixtral-8x7b-32768": "'groq/mixtral-8x7b-32768'",
                            "glm-4.6": "'zai/glm-4.6'", "gpt-99": "name who is to be asked: 'openai/gpt-99'",
                            "gpt-4o ": "a name has no blanks", "https://evil.example/v1": "an address stands in llm_models",
                            "gpt-4p": "(nearest: gpt-4o, ",
                            "text-embedding-3-small": "makes embeddings, not answers: embed(text, 'text-embedding-3-small')",
                            "openai/text-embedding-ada-002": "makes embeddings, not answers",
                            "ollama/nomic-embed-text": "makes embeddings, not answers",
                            "ollama/mxbai-embed-large:latest": "makes embeddings, not answers",
                            "mistral-embed": "makes embeddings, not answers"}.items():
            for extra in ({}, {"dry_run": 1}):
                self.assertIn(says, error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": model, **extra})))
        self.assertEqual(self.standin.bill()["calls"], before)

    def test_it_is_sent_and_priced(self):
        self.assertIsNotNone(value(self.db, "SELECT llm_complete('Hello', '{\"model\":\"openai/o3\"}')"))
        row = self.db.execute("SELECT kind, provider, model_requested, cost_nusd > 0 FROM llm_calls").fetchone()
        self.assertEqual(row, ("call", "openai", "o3", 1))


class OptionsAsSqlHasThem(Desk):
    def test_integers_are_labels(self):
        self.db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, customer INTEGER, q TEXT)")
        self.db.execute("INSERT INTO t VALUES (7, 41, 'first'), (8, 42, 'second')")
        self.db.execute("SELECT llm_complete(q, json_object('tag', id, 'user', customer, 'conversation', id)) FROM t").fetchall()
        self.assertEqual(self.db.execute("SELECT tag, user, conversation FROM llm_calls ORDER BY ts, id").fetchall(),
                         [("7", "41", "7"), ("8", "42", "8")])
        for wrong in (1.5, True, [1], {"a": 1}):
            self.assertIn("text or an integer", error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"user": wrong})))

    def test_an_id_of_64_bits_keeps_its_digits(self):
        for key in (9007199254740993, 2**63 - 1, -2**63, 0, -1):
            self.db.execute("SELECT llm_complete('x' || ?1, json_object('user', ?1))", (key,)).fetchall()
            self.assertEqual(value(self.db, "SELECT user FROM llm_calls WHERE id = llm_last_call()"), str(key))

    def test_a_schema_as_text(self):
        before = self.standin.bill()["calls"]
        schema = '{"type":"object","properties":{"age":{"type":"integer"}},"required":["age"]}'
        for given in (f"'{schema}'", f"json('{schema}')"):
            self.assertEqual(value(self.db, f"SELECT json_valid(llm_complete('Extract', json_object('schema', {given})))"), 1)
        self.assertEqual(self.standin.bill()["calls"], before + 1)  # the same request

    def test_one_thing_in_the_place_of_another(self):
        for sql, says in {"SELECT llm_complete('hi', 'gpt-4o-mini')": "did you mean '{\"model\":\"gpt-4o-mini\"}'?",
                          "SELECT llm_cost('gpt-4o', 1, 2, 'batch')": "did you mean '{\"service\":\"batch\"}'?",
                          "SELECT llm_chat('Where is my order?')": "a single text is for llm_complete(prompt)",
                          "SELECT llm_tokens('x', '{\"model\":\"gpt-4o\"}')": "the model is given by its name alone",
                          "SELECT llm_cost('{\"model\":\"gpt-4o\"}', 1, 2)": "the model is given by its name alone",
                          "SELECT llm_price('{\"model\":\"gpt-4o\"}', 'input')": "the model is given by its name alone",
                          "SELECT embed('x', '{\"model\":\"m\"}')": "the embedder is given by its name alone",
                          "SELECT * FROM embed_batch('[\"x\"]', '{\"model\":\"m\"}')": "the model is given by its name alone",
                          "SELECT llm_config('timeout', 5)": "unknown setting 'timeout': it is called 'timeout_ms' here, in milliseconds",
                          "SELECT llm_config('proxi')": "did you mean 'proxy'?"}.items():
            self.assertIn(says, error_of(self.db, sql), sql)

    def test_nothing_is_listed_that_is_refused(self):
        said = error_of(self.db, "SELECT llm_complete('x', '{\"\":1}')")
        names = said[said.index("(valid: ") + 8:said.rindex(")")].split(", ")
        values = {"model": "gpt-4o", "max_tokens": 5, "temperature": 1, "top_p": 1, "seed": 1, "stop": "x", "cache": "off",
                  "schema": {"type": "object"}, "ttl": 5, "timeout_ms": 1000, "retries": 1, "retry_lost": 1, "on_error": "null",
                  "gate": {"kind": "json"}, "escalate": 1, "audit": 0.1, "score": 0.5, "scorer": "heuristic", "logprobs": 1,
                  "prompt_cache": "1h", "reasoning": "none", "service": "standard", "extra": {"user": "u"}, "tools": [{"name": "f"}], "tool_choice": "auto",
                  "returns": "message", "prune": False}
        for name in names:
            options = {"dry_run": 1, "model": "auto" if name == "escalate" else "gpt-4o", name: values.get(name, "x" if name != "dry_run" else 1)}
            if name == "threshold":
                options.update(threshold=0.9, cache="semantic")
            if name == "tool_choice":
                options.update(tools=[{"name": "f"}])
            self.assertTrue(value(self.db, "SELECT llm_complete('x', ?)", json.dumps(options)), name)


if __name__ == "__main__":
    unittest.main()
