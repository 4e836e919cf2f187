#!/bin/sh
# The semantic_cache table beside sqlite-vec, hnswlib and brute force, in one process; Markdown out.
# Usage: bench/vector.sh [N | iN | pN ...]   (iN: isotropic data; pN: the default policy; default 10000 100000 1000000
# i100000 p10000 p100000 p1000000)
# Needs npm, and for 1,000,000 about 8 GB of memory and 6 GB of disk. hnswlib's index of a million takes ten
# minutes to build and is kept in build/bench-vector; HNSW=0 leaves hnswlib out. DIR and SO name another
# folder to work in and another llmcost.so to measure, BEFORE one to measure beside it; ROUNDS: turns of each method, fewer
# to see that it works.
set -eu
cd "$(dirname "$0")/.."
dir=${DIR:-build/bench-vector}
mkdir -p "$dir"
make -s llmcost.so build/bench_vector
npm=$(/usr/bin/python3 tests/live/harness.py)
cp "${SO:-llmcost.so}" "$dir/llmcost.so" # a make meanwhile doesn't touch what is measured

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$cpu, $(nproc) cores; SQLite $(sqlite3 --version | cut -d' ' -f1); $(date +%F)"
echo
ours=$(realpath "$dir/llmcost.so")
vec0=$npm/sqlite-vec-linux-x64/vec0.so
if [ -n "${BEFORE:-}" ]; then
  cp "$BEFORE" "$dir/before.so"
  BEFORE=$(realpath "$dir/before.so")
  export BEFORE
fi
for n in ${*:-10000 100000 1000000 i100000 p10000 p100000 p1000000}; do
  case $n in i*) kind=isotropic ;; p*) kind=policy ;; *) kind=clustered ;; esac
  build/bench_vector "$ours" "$vec0" "$dir" $kind "${n#[ip]}" ${ROUNDS:-}
done
