#!/bin/sh
# Instructions per statement, counted by valgrind's callgrind (repeatable, whatever else the machine does): an exact
# hit, a hit in a statement of many rows, one inside an INSERT, llm_cost, a semantic lookup, a whole call to the stand-in, and
# one under three limits.
#   sh bench/instructions.sh [OTHER.so]      beside another build, with the ratio; KINDS: only these
# Needs build/standin (make test builds it).
set -eu
cd "$(dirname "$0")/.."
sh tests/deps.sh valgrind
work=$(mktemp -d)
./build/standin > "$work/standin" & standin=$!
trap 'kill $standin; rm -rf "$work"' EXIT
until [ -s "$work/standin" ]; do sleep 0.1; done
url=$(awk '{print $2}' "$work/standin")
host=${url#*//}
export LLMCOST_ALLOW_HOSTS="$host,$host=OPENAI_API_KEY" OPENAI_API_KEY=sk-bench-instructions XDG_STATE_HOME="$work"

statements() { # kind, how many
  case $1 in
  hit) yes "SELECT llm_complete('the question');" | head -n "$2" ;;
  row) echo "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
             SELECT count(llm_complete('the question ' || (i % 2))) FROM n;" ;;
  insert) yes "INSERT INTO t VALUES (llm_complete('the question'));" | head -n "$2" ;;
  cost) yes "SELECT llm_cost('gpt-4o-mini', 1000, 200);" | head -n "$2" ;;
  lookup) yes "SELECT response FROM faq WHERE query MATCH 'What is your return policy?';" | head -n "$2" ;;
  call | limits) seq "$2" | sed "s/.*/SELECT llm_complete('question number &', '{\"model\":\"gpt-4o-mini\"}');/" ;;
  esac
}

total() { # library, kind, how many
  rm -f "$work"/desk.db*
  printf '%s\n' ".load $1" "SELECT llm_init();" "UPDATE llm_models SET base_url = '$url/v1';" "CREATE TABLE t(a);" \
    "CREATE VIRTUAL TABLE faq USING semantic_cache(confirm='off');" \
    "INSERT INTO faq(query, response) VALUES ('What is your return policy?', 'Within 30 days.');" \
    "$([ $2 != limits ] || echo "INSERT INTO llm_budgets(scope, period, limit_usd) SELECT value, 'day', 1e6
     FROM json_each('[\"*\", \"model:gpt-4o-mini\", \"provider:* & model:gpt*\"]');")" \
    "SELECT llm_complete('the question');" | sqlite3 -batch "$work/desk.db" > /dev/null
  { echo ".load $1"; statements "$2" "$3"; } > "$work/run.sql"
  valgrind --tool=callgrind --callgrind-out-file=/dev/null sqlite3 -batch "$work/desk.db" ".read $work/run.sql" 2>&1 > /dev/null |
    sed -n 's/.*Collected : //p'
}

per_statement() { # library, kind
  few=$(total "$1" "$2" 50)
  many=$(total "$1" "$2" 550)
  echo $(((many - few) / 500))
}

for kind in ${KINDS:-hit row insert cost lookup call limits}; do
  ours=$(per_statement ./llmcost.so $kind)
  if [ $# -gt 0 ]; then
    theirs=$(per_statement "$1" $kind)
    awk -v k=$kind -v a="$ours" -v b="$theirs" 'BEGIN { printf "%-7s %8d  %8d  %.3f x\n", k, a, b, a / b }'
  else
    printf '%-7s %8d\n' $kind "$ours"
  fi
done
