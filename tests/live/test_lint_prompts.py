"""llm_lint on prompts with known faults (tests/data/prompts): which of them it finds, and what it takes for one."""
import hashlib
import os
import pathlib
import unittest

from harness import connect, main

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "prompts"


def read(name):
    """[(name, expected {(kind, found)}, text)]: a prompt begins with "@@ name", what is to be found in it stands on lines "@ kind<tab>found<tab>why"."""
    out = []
    for part in (DATA / f"{name}.txt").read_text().split("@@ ")[1:]:
        lines = part.split("\n")
        expected = [tuple(line[2:].split("\t")[:2]) for line in lines[1:] if line.startswith("@ ")]
        text = "\n".join(line for line in lines[1:] if not line.startswith("@ ")).strip("\n")
        out.append((lines[0], expected, text))
    return out


def fits(expected, kind, found):
    return kind == expected[0] and (expected[1] == "*" or (found or "").startswith(expected[1]))


def compare(db, prompts):
    """({kind: [right, false, missed]}, [what is wrong])"""
    counts, wrong = {}, []
    for name, expected, text in prompts:
        left = list(expected)
        for kind, found in db.execute("SELECT kind, found FROM llm_lint(?)", (text,)):
            hit = next((e for e in left if fits(e, kind, found)), None)
            counts.setdefault(kind, [0, 0, 0])[0 if hit else 1] += 1
            if hit:
                left.remove(hit)
            else:
                wrong.append(f"{name}: false {kind}: {found}")
        for kind, found in left:
            counts.setdefault(kind, [0, 0, 0])[2] += 1
            wrong.append(f"{name}: missed {kind}: {found}")
    return counts, wrong


def figures(counts):
    right, false, missed = (sum(c[i] for c in counts.values()) for i in range(3))
    lines = [f"      {kind:16} {c[0]:3} right {c[1]:3} false {c[2]:3} missed" for kind, c in sorted(counts.items())]
    lines.append(f"      in all: precision {right}/{right + false}, recall {right}/{right + missed}")
    return right, false, missed, "\n".join(lines)


class Prompts(unittest.TestCase):
    def half(self, name):
        db = connect(":memory:")
        counts, wrong = compare(db, read(name))
        right, false, missed, text = figures(counts)
        print(f"      {name}:\n{text}\n" + "\n".join(f"      {w}" for w in wrong))
        db.close()
        return right, false, missed

    def test_public(self):
        """Prompts of a public repository: their texts are not kept here. A folder with the files by name: LLMCOST_PUBLIC_PROMPTS."""
        folder, seen = os.environ.get("LLMCOST_PUBLIC_PROMPTS"), {}
        for line in (DATA / "public.tsv").read_text().split("\n"):
            if line and not line.startswith("#"):
                _, _, path, _, sha256, kind, start, length, _ = line.split("\t")
                found = seen.setdefault((os.path.basename(path), sha256), [])
                found += [(kind, int(start), int(length))] if kind != "-" else []
        self.assertEqual(len(seen), 10)
        for (name, sha256), expected in seen.items():
            with self.subTest(name):
                path = pathlib.Path(folder or "/nonexistent") / name
                if not path.exists():
                    self.skipTest(f"the text of {name} is not at hand (LLMCOST_PUBLIC_PROMPTS)")
                data = path.read_bytes()
                self.assertEqual(hashlib.sha256(data).hexdigest(), sha256)
                db = connect(":memory:")
                self.assertEqual(db.execute("SELECT kind, start, length FROM llm_lint(?)", (data.decode(),)).fetchall(), expected)
                db.close()

    def test_tuned(self):
        _, false, missed = self.half("tuned")
        self.assertEqual(false, 0)
        self.assertLessEqual(missed, 1)

    def test_unseen(self):
        _, false, missed = self.half("unseen")
        self.assertEqual(false, 0)
        self.assertLessEqual(missed, 1)


if __name__ == "__main__":
    main()
