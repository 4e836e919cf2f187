#!/bin/sh
# One call, beside bare libcurl and Redis, in one run. Usage: bench/call.sh [CACHED_ANSWERS [quick]]
set -eu
cd "$(dirname "$0")/.."
dir=build/bench
rm -rf "$dir" && mkdir -p "$dir"
unset LLMCOST_STORE LLMCOST_CA LLMCOST_ALLOW_HOSTS || true
build/standin > "$dir/standin.out" &
standin=$!
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$dir" > "$dir/redis.log" &
redis=$!
trap 'kill $standin $redis 2>/dev/null || true' EXIT
while ! [ -s "$dir/standin.out" ]; do sleep 0.05; done
while ! redis-cli -p "$port" ping > /dev/null 2>&1; do sleep 0.05; done
build/bench_call "$(sed 's/listening //' "$dir/standin.out")" "$port" "${1:-1000000}" "${2:-}"
rm -f "$dir"/call.db*
