#!/bin/sh
# fuzz.sh run TARGET SECONDS   libFuzzer on build/fuzz/corpus/TARGET, seeded from tests/fuzz/corpus/TARGET
# fuzz.sh keep TARGET          of both what it takes to reach every edge, small, into tests/fuzz/corpus/TARGET
# Files named seed-* and find-* are written by hand, or are faults that were mended: they stay as they are.
set -e
what=$1 target=$2 seconds=$3
kept=tests/fuzz/corpus/$target work=build/fuzz/corpus/$target finds=build/fuzz/finds
most_files=60 most_bytes=150000
mkdir -p "$kept" "$work" "$finds" build/fuzz/log
limits="-timeout=10 -rss_limit_mb=2500 -malloc_limit_mb=1024"
export ASAN_OPTIONS="detect_stack_use_after_return=1"

if [ "$what" = run ]; then
  dict=build/fuzz/$target.dict
  cat tests/fuzz/json.dict "tests/fuzz/$target.dict" 2>/dev/null >"$dict" || true
  echo "fuzz $target, $seconds s"
  if ! "build/fuzz/bin/$target" $limits -max_len=4096 -len_control=20 -max_total_time="$seconds" -dict="$dict" \
    -artifact_prefix="$finds/$target-" -print_final_stats=1 "$work" "$kept" >"build/fuzz/log/$target" 2>&1; then
    tail -60 "build/fuzz/log/$target"
    exit 1
  fi
  grep -E '^#.*DONE|number_of_executed' "build/fuzz/log/$target"
  exit 0
fi

# Edges alone (not how often each is taken), in few files; the largest of these reach most.
new=build/fuzz/merged/$target
rm -rf "$new" && mkdir -p "$new"
"build/fuzz/bin/$target" $limits -set_cover_merge=1 -use_counters=0 "$new" "$kept" "$work" >"build/fuzz/log/$target-keep" 2>&1
find "$kept" -type f ! -name 'seed-*' ! -name 'find-*' -delete
files=$(find "$kept" -type f | wc -l) bytes=$(cat "$kept"/* 2>/dev/null | wc -c)
have=$(find "$kept" -type f -exec sha1sum {} +) # libFuzzer names a file by its sha1
for f in $(ls -S "$new"); do
  case $have in *$f*) continue ;; esac
  size=$(wc -c <"$new/$f")
  if [ $files -ge $most_files ] || [ $((bytes + size)) -gt $most_bytes ]; then continue; fi
  files=$((files + 1)) bytes=$((bytes + size))
  cp "$new/$f" "$kept/$(echo "$f" | cut -c1-12)"
done
echo "kept $target: $(ls "$kept" | wc -l) files, $(cat "$kept"/* | wc -c) bytes, of $(ls "$new" | wc -l)"
