#!/bin/sh
# Token counts: the same ids as npm tiktoken and js-tiktoken on many texts, then megabytes per second beside them and
# gpt-tokenizer on the same texts, turn by turn, medians of the rounds; then time per byte of long pieces.
# Usage: bench/tokens.sh [ROUNDS [TEXTS [quick]]]      needs npm; quick: few texts, no text for every code point, to see
# that it works
set -eu
cd "$(dirname "$0")/.."
dir=build/bench
mkdir -p "$dir"
make -s build/token_lines build/bench_tokens
modules=$(/usr/bin/python3 tests/live/harness.py)
case ${3:-} in
quick) points= checked="o200k_base p50k_base" measured=o200k_base prose=200 code=10 megabytes=1 ;;
*) points=points checked="o200k_base cl100k_base p50k_base r50k_base" measured="o200k_base cl100k_base" prose=40000 code=1000 megabytes=16 ;;
esac
for n in "${2:-120000}" $points; do
  /usr/bin/python3 tests/live/token_texts.py "$n" "$dir/tokens.texts"
  for encoding in $checked; do
    build/token_lines $encoding < "$dir/tokens.texts" > "$dir/tokens.ids"
    node tests/live/token_check.js "$modules" "$dir/tokens.texts" $encoding "$dir/tokens.ids" ext/core/tokens/ranks/classes.bin
  done
done
/usr/bin/python3 - "$dir" $prose $code <<'PY'
import glob, os, random, struct, sys
sys.path.insert(0, "tests/live")
import token_texts
def write(name, texts):
    with open(f"{sys.argv[1]}/tokens.{name}", "wb") as f:
        for text in texts:
            data = text.encode()
            f.write(struct.pack("<I", len(data)) + data)
    print(f"{name}: {len(texts)} texts, {sum(len(t.encode()) for t in texts) / 1e6:.2f} MB")
texts = token_texts.shared_texts(os.path.join(os.path.dirname(os.getcwd()), "shared"))
texts = sorted(set(texts))
random.Random(7).shuffle(texts)
write("prose", (texts or token_texts.code_lines())[:int(sys.argv[2])])
paths = [p for pattern in ("ext/*/*.[ch]", "ext/*/*/*.[ch]", "vec/*/*.[ch]", "tests/*/*.[ch]", "tests/*/*.py") for p in sorted(glob.glob(pattern))]
random.Random(8).shuffle(paths)
write("code", [open(p).read() for p in paths[:int(sys.argv[3])]])
PY
round=0
: > "$dir/tokens.out"
while [ $round -lt "${1:-3}" ]; do
  for texts in prose code; do
    for encoding in $measured; do
      build/bench_tokens $encoding "$dir/tokens.$texts" > "$dir/tokens.one"
      node bench/tokens.js "$modules" $encoding "$dir/tokens.$texts" >> "$dir/tokens.one"
      sed "s/^/$texts $encoding /" "$dir/tokens.one" >> "$dir/tokens.out"
    done
  done
  round=$((round + 1))
done
/usr/bin/python3 - "$dir/tokens.out" <<'PY'
import collections, statistics, sys
speed, tokens, first = collections.defaultdict(list), collections.defaultdict(set), collections.defaultdict(list)
for line in open(sys.argv[1]):
    texts, encoding, name, *values = line.split()
    if name == "first_use_ms":
        first[encoding].append(float(values[0]))
        continue
    for kind, value in zip(("fresh", "again"), values):
        speed[texts, encoding, kind, name].append(float(value))
    tokens[texts, encoding].add(values[2])
peers = ("js-tiktoken", "gpt-tokenizer", "tiktoken")
print("MB/s, medians; in brackets how many times that llmcost is. fresh: texts not counted before; again: the same ones")
for texts, encoding in sorted(tokens):
    for kind in ("fresh", "again"):
        m = {name: statistics.median(speed[texts, encoding, kind, name]) for name in ("llmcost", *peers)}
        print(f"{texts:6} {encoding:12} {kind} llmcost {m['llmcost']:7.1f}  " +
              "  ".join(f"{p} {m[p]:6.2f} ({m['llmcost'] / m[p]:5.1f} x)" for p in peers))
    print("       tokens of all four:", *tokens[texts, encoding])
print("first use, ms:", {e: statistics.median(v) for e, v in first.items()})
PY
for encoding in $measured; do
  echo "$encoding"
  build/bench_tokens $encoding linear $megabytes
done
