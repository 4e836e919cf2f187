#!/bin/sh
# The semantic_cache table beside sqlite-vec, hnswlib and brute force, in one process; Markdown out.
# Usage: bench/vector.sh [N | iN ...]    (iN: isotropic data; default 10000 100000 1000000 i100000)
# Needs npm, and for 1,000,000 about 8 GB of memory and 6 GB of disk. hnswlib's index of a million takes ten
# minutes to build and is kept in build/bench-vector; HNSW=0 leaves hnswlib out. DIR and SO name another
# folder to work in and another llmcost.so to measure.
set -eu
cd "$(dirname "$0")/.."
dir=${DIR:-build/bench-vector}
npm=build/npm-bench
mkdir -p "$dir" "$npm"
sh tests/deps.sh build-essential sqlite3 libsqlite3-dev libhnswlib-dev
[ -n "${SO:-}" ] || make -s llmcost.so
[ -f "$npm/node_modules/sqlite-vec-linux-x64/vec0.so" ] ||
  npm install --silent --no-audit --no-fund --no-package-lock --prefix "$npm" sqlite-vec-linux-x64@0.1.9
cp "${SO:-llmcost.so}" "$dir/llmcost.so" # a make meanwhile doesn't touch what is measured

# The engine as it is shipped, the peers and the generator at their best.
objects=
for f in vec/engine/*.c vec/engine/kernels/*.c; do
  object="$dir/$(basename "$f" .c).o"
  cc -O2 -g -std=c11 -D_GNU_SOURCE -ffp-contract=off -Iext -I. -c "$f" -o "$object"
  objects="$objects $object"
done
cc -O3 -march=native -std=c11 -D_GNU_SOURCE -c bench/data.c -o "$dir/data.o"
g++ -O3 -march=native -std=c++17 -Wall -Wextra -I. -o "$dir/vector" bench/vector.cc \
  "$dir/data.o" $objects -lsqlite3 -lm

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$cpu, $(nproc) cores; SQLite $(sqlite3 --version | cut -d' ' -f1); $(date +%F)"
echo
ours=$(realpath "$dir/llmcost.so")
vec0=$(realpath "$npm/node_modules/sqlite-vec-linux-x64/vec0.so")
for n in ${*:-10000 100000 1000000 i100000}; do
  case $n in i*) kind=isotropic ;; *) kind=clustered ;; esac
  "$dir/vector" "$ours" "$vec0" "$dir" $kind "${n#i}"
done
