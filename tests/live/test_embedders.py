"""The embedders beside other people's programs: Python's Unicode tables, ONNX Runtime on the same weights.

Each reference here is written from the rules, not from our code. build/embed_lines gives the C side.
"""
import array
import json
import math
import os
import random
import struct
import subprocess
import unicodedata
import unittest

from harness import ROOT, SHARED, TempDir, npm_package

EMBED_LINES = os.path.join(ROOT, "build/embed_lines")
TABLE = os.path.join(ROOT, "vec/embed/recipe/static256_4.bin")
MODEL = os.path.join(ROOT, "minilm.bin")
ONNX_DIR = os.path.join(ROOT, "build/npm-minilm/package/models/Xenova/all-MiniLM-L6-v2")


# --- BERT's tokenizer, from its rules

def is_punctuation(c):
    return 33 <= ord(c) <= 47 or 58 <= ord(c) <= 64 or 91 <= ord(c) <= 96 or 123 <= ord(c) <= 126 or \
        unicodedata.category(c).startswith("P")


IDEOGRAPHS = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
              (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]


def basic_words(text):
    """Clean, split ideographs off, strip accents, lower-case, split at blanks and punctuation."""
    out = []
    for c in text:
        if c in "\t\n\r" or unicodedata.category(c).startswith("Z"):
            out.append(" ")
        elif unicodedata.category(c).startswith("C") or c == "\ufffd":
            continue
        elif any(a <= ord(c) <= b for a, b in IDEOGRAPHS):
            out.append(f" {c} ")
        else:
            out.append(c)
    text = "".join(c for c in unicodedata.normalize("NFD", "".join(out)) if unicodedata.category(c) != "Mn")
    text = "".join(c.lower() for c in text)
    return "".join(f" {c} " if is_punctuation(c) else c for c in text).split(" ")


def word_ids(word, vocabulary):
    """The ids of a word's pieces, longest first; [-1] for an unknown word."""
    ids, at = [], 0
    if len(word) > 100:
        return [-1]
    while at < len(word):
        for end in range(len(word), at, -1):
            found = vocabulary.get(("##" if at else "") + word[at:end])
            if found is not None:
                break
        else:
            return [-1]
        ids.append(found)
        at = end
    return ids


def reference_ids(text, vocabulary, cache={}):
    out = []
    for word in basic_words(text):
        if word:
            key = (id(vocabulary), word)
            if key not in cache:
                cache[key] = word_ids(word, vocabulary)
            out += cache[key]
    return out


# --- texts

def nasty_texts():
    """Unicode at its edges, and random mixtures of it."""
    texts = ["", " ", "caf\u00e9 cafe\u0301 CAFE\u0301", "\u201cquoted\u201d \u2018it\u2019s\u2019 \u2014 dash\u2026",
             "no\u00a0break\u2003em\u2028line\u2029paragraph\u3000wide", "zero\u200bwidth\ufeffmark\u00adhyphen",
             "\u4e2d\u6587\u5b57 mixed\u4e2dtext \U00020000\U0002a700 \uf900\ufa0e", "\uac00\ub098\ub2e4 \ud55c\uad6d\uc5b4",
             "\u0130stanbul \u1e9e \u01c5 \u03a3\u0391\u03a3 \u03c2", "\u226f \u037e \u1fef \u2126 \u212a \u212b",
             "a" * 100, "a" * 101, "a" * 100000, "\u00e9" * 100, "\u00e9" * 101, "e" + "\u0301" * 5000,
             "$100 ^ ~ ` | < = > + \u20ac5 \u00a71 \u00b6", "a\x00b\x07c\x7fd\x85e\u0600f", "\U0001f600 emoji \U0001f468\u200d\U0001f469",
             "\ufffd\ufffdword", "[CLS] [SEP] [unused1] ##s", "\u0e01\u0e33 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u0928\u092e\u0938\u094d\u0924\u0947"]
    r = random.Random(5)
    pools = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0x10FF), (0x1E00, 0x22FF),
             (0x2E80, 0x33FF), (0x4E00, 0x4EFF), (0xAC00, 0xACFF), (0xF900, 0xFFFD), (0x1D100, 0x1D1FF), (0x1F300, 0x1F6FF)]
    for _ in range(2000):
        a, b = r.choice(pools)
        words = ["".join(chr(r.randint(*(r.choice(pools) if r.random() < 0.2 else (a, b)))) for _ in range(r.randint(1, 6)))
                 for _ in range(r.randint(1, 8))]
        texts.append(" ".join(words))
    return texts


def every_character():
    """Each character between letters; unassigned ones differ between Unicode versions."""
    return ["".join(f"a{chr(c)}b {chr(c)}" for c in range(start, start + 64)
                    if not 0xD800 <= c <= 0xDFFF and unicodedata.category(chr(c)) != "Cn")
            for start in range(0, 0x30000, 64)]


def shared_texts():
    """Lines of the shared data: questions, code, mathematics; None where it is not here."""
    texts = []
    for name in ("data/qqp/tune_pairs.jsonl", "data/routing/mmlu_tune.jsonl", "data/routing/gsm8k_tune.jsonl",
                 "data/banking77/train.csv"):
        path = os.path.join(SHARED, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                texts += f.read().split("\n")[:4000]
    return texts or None


def some_texts(n):
    """n texts of all lengths, from the shared data or made up."""
    r = random.Random(11)
    texts = []
    path = os.path.join(SHARED, "data/qqp/tune_pairs.jsonl")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                row = json.loads(line)
                texts += [x for x in (row.values() if isinstance(row, dict) else row) if isinstance(x, str) and len(x) > 8]
    words = "how do I reset the password of my account when paying for an order that never came today".split()
    while len(texts) < n:
        texts.append(" ".join(r.choice(words) for _ in range(r.randint(1, 40))))
    texts = r.sample(texts, n)
    return [" ".join(texts[:i]) for i in range(1, 21)] + texts[20:]


# --- the C side

def run_lines(mode, texts, *args):
    data = b"".join(struct.pack("<I", len(t)) + t for t in (t.encode() for t in texts))
    return subprocess.run([EMBED_LINES, mode, *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def c_ids(texts, pieces):
    with TempDir() as tmp:
        path = os.path.join(tmp, "vocabulary")
        with open(path, "wb") as f:
            f.write(struct.pack("<I", len(pieces)) + b"".join(bytes([len(p)]) + p for p in (p.encode() for p in pieces)))
        out = array.array("i", run_lines("ids", texts, path))
    at, result = 0, []
    for _ in texts:
        result.append(list(out[at + 1:at + 1 + out[at]]))
        at += 1 + out[at]
    return result


def c_vectors(mode, texts, dim, *args):
    """(code, vector) of each text."""
    out, size = run_lines(mode, texts, *args), 4 + 4 * dim
    return [(struct.unpack_from("<i", out, i * size)[0], struct.unpack_from(f"<{dim}f", out, i * size + 4))
            for i in range(len(texts))]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


# --- the static table

class Table:
    def __init__(self):
        with open(TABLE, "rb") as f:
            self.bytes = f.read()
        self.n, self.dim, bits, vocabulary_bytes = struct.unpack_from("<4I", self.bytes, 8)
        assert self.bytes[:8] == b"LCEMB001" and bits == 4
        self.pieces, at = [], 24
        for _ in range(self.n):
            self.pieces.append(self.bytes[at + 1:at + 1 + self.bytes[at]].decode())
            at += 1 + self.bytes[at]
        assert at == 24 + vocabulary_bytes
        self.scales, self.rows = at, at + 4 * self.n
        self.ids = {p: i for i, p in enumerate(self.pieces)}

    def embed(self, text):
        total = [0.0] * self.dim
        for c, straight in (("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"')):
            text = text.replace(c, straight)
        for i in reference_ids(text, self.ids):
            if i >= 0:
                scale, = struct.unpack_from("<f", self.bytes, self.scales + 4 * i)
                row = self.bytes[self.rows + self.dim // 2 * i:self.rows + self.dim // 2 * (i + 1)]
                for d, byte in enumerate(row):
                    total[2 * d] += scale * ((byte & 15) - 8)
                    total[2 * d + 1] += scale * ((byte >> 4) - 8)
        norm = math.sqrt(dot(total, total))
        return [x / norm for x in total] if norm else None


@unittest.skipUnless(os.path.exists(EMBED_LINES), "build/embed_lines is not built")
class Tokenizer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pieces = Table().pieces
        cls.vocabulary = {p: i for i, p in enumerate(cls.pieces)}

    def compare(self, texts):
        wrong = [(t[:80], got[:12], want[:12]) for t, got, want in
                 ((t, got, reference_ids(t, self.vocabulary)) for t, got in zip(texts, c_ids(texts, self.pieces)))
                 if got != want]
        self.assertEqual(wrong[:3], [], f"{len(wrong)} of {len(texts)} texts")

    def test_nasty_unicode(self):
        self.compare(nasty_texts())

    def test_every_character(self):
        self.compare(every_character())

    def test_thousands_of_texts(self):
        texts = shared_texts()
        if not texts:
            self.skipTest("../shared/data is not here")
        self.compare(texts)


@unittest.skipUnless(os.path.exists(EMBED_LINES), "build/embed_lines is not built")
class Static(unittest.TestCase):
    def test_vectors(self):
        table, texts = Table(), some_texts(300) + nasty_texts()[:60]
        for text, (code, vector) in zip(texts, c_vectors("static", texts, 256)):
            want = table.embed(text)
            if want is None:
                self.assertEqual(code, 100, repr(text[:60]))
            else:
                self.assertEqual(code, 0, repr(text[:60]))
                self.assertLess(max(abs(x - y) for x, y in zip(vector, want)), 2e-6, repr(text[:60]))

    def test_same_text(self):
        pairs = [("caf\u00e9 na\u00efve r\u00e9sum\u00e9", "cafe\u0301 nai\u0308ve re\u0301sume\u0301"),
                 ("return policy", "return\u00a0policy"), ("return policy", "RETURN \u2003 Policy"),
                 ("don't \"do\" it", "don\u2019t \u201cdo\u201d it")]
        vectors = c_vectors("static", [t for p in pairs for t in p], 256)
        for i, pair in enumerate(pairs):
            self.assertEqual(vectors[2 * i], vectors[2 * i + 1], repr(pair))


# --- MiniLM

ORT_SCRIPT = """
const ort = require(process.argv[2]), fs = require('fs');
(async () => {
  const all = JSON.parse(fs.readFileSync(process.argv[4]));
  const options = {intraOpNumThreads: 1, interOpNumThreads: 1};
  const session = await ort.InferenceSession.create(process.argv[3], options);
  const out = new Float32Array(all.length * 384);
  for (let t = 0; t < all.length; t++) {
    const n = all[t].length, tensor = a => new ort.Tensor('int64', a, [1, n]);
    const r = await session.run({input_ids: tensor(BigInt64Array.from(all[t].map(BigInt))),
      attention_mask: tensor(new BigInt64Array(n).fill(1n)), token_type_ids: tensor(new BigInt64Array(n))});
    const h = r.last_hidden_state.data;
    for (let i = 0; i < n * 384; i++) out[t * 384 + i % 384] += h[i];
  }
  fs.writeFileSync(process.argv[5], Buffer.from(out.buffer));
})();
"""


@unittest.skipUnless(os.path.exists(EMBED_LINES), "build/embed_lines is not built")
class MiniLm(unittest.TestCase):
    def onnx_vectors(self, texts):
        """ONNX Runtime's vectors by its default options, tokens by our own reference."""
        onnx = os.path.join(ONNX_DIR, "onnx/model_quantized.onnx")
        if not os.path.exists(MODEL) or not os.path.exists(onnx):
            self.skipTest("minilm.bin is not here (make minilm)")
        runtime = npm_package("onnxruntime-node")
        if not runtime:
            self.skipTest("npm onnxruntime-node can't be installed here")
        with open(os.path.join(ONNX_DIR, "tokenizer.json"), encoding="utf-8") as f:
            vocabulary = json.load(f)["model"]["vocab"]
        special = [vocabulary[x] for x in ("[CLS]", "[SEP]", "[UNK]")]
        ids = [[special[0]] + [special[2] if i < 0 else i for i in reference_ids(t, vocabulary)[:254]] + [special[1]]
               for t in texts]
        with TempDir() as tmp:
            files = [os.path.join(tmp, x) for x in ("run.js", "ids.json", "out.f32")]
            with open(files[0], "w") as f:
                f.write(ORT_SCRIPT)
            with open(files[1], "w") as f:
                json.dump(ids, f)
            subprocess.run(["node", files[0], runtime, onnx, files[1], files[2]], check=True)
            out = array.array("f")
            with open(files[2], "rb") as f:
                out.frombytes(f.read())
        return [out[384 * i:384 * (i + 1)] for i in range(len(texts))]

    def test_cosine_with_onnx_runtime(self):
        texts = some_texts(1000)
        cosines = []
        for theirs, (code, ours) in zip(self.onnx_vectors(texts), c_vectors("minilm", texts, 384, MODEL)):
            self.assertEqual(code, 0)
            self.assertAlmostEqual(dot(ours, ours), 1, places=5)
            cosines.append(dot(ours, theirs) / math.sqrt(dot(theirs, theirs)))
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
            avx512 = " avx512f" in f.read()
        # Where ONNX Runtime takes AVX-512 code, it rounds otherwise, and quantization amplifies that
        # (vec/embed/minilm.c): two of its own builds are then no closer to each other.
        self.assertGreaterEqual(min(cosines), 0.98 if avx512 else 0.999)
        self.assertGreaterEqual(sum(cosines) / len(cosines), 0.999)


if __name__ == "__main__":
    unittest.main()
