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

    def test_tuned(self):
        right, false, missed = self.half("tuned")
        self.assertEqual(false, 0)
        self.assertLessEqual(missed, 1)

    def test_unseen(self):
        right, false, missed = self.half("unseen")


if __name__ == "__main__":
    main()
