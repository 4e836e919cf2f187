#!/bin/sh
# The whole idea in under a minute: a support desk's questions answered from SQL by a local stand-in provider (no key,
# no network, no money), killed in the middle, run again, rolled back, routed, held to a limit, and priced. Started by
# `make demo`.
# Usage: demo.sh [TICKETS]      only so many of them; DIR: another folder to work in
set -eu
cd "$(dirname "$0")/.."
dir=${DIR:-build/demo}
tickets=${1:-600}
rm -rf "$dir" && mkdir -p "$dir"
db=$dir/desk.db

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '%s\n' "$1" | sed 's/^/  sqlite> /'; }

build/standin --port 0 --latency-ms 12 > "$dir/standin.out" &
standin=$!
trap 'kill $standin 2>/dev/null || true' EXIT
while ! [ -s "$dir/standin.out" ]; do sleep 0.05; done
url=$(sed 's/listening //' "$dir/standin.out")

export OPENAI_API_KEY=demo-key ANTHROPIC_API_KEY=demo-key LLMCOST_ALLOW_HOSTS="${url#*//}=OPENAI_API_KEY,${url#*//}=ANTHROPIC_API_KEY"
unset LLMCOST_STORE LLMCOST_CA

sql() { sqlite3 -batch -cmd '.load ./llmcost' -cmd '.mode box --wrap 78' -cmd '.nullvalue -' "$db"; }
billed() { /usr/bin/python3 -c "
import json, urllib.request
print(json.load(urllib.request.urlopen('$url/standin/bill'))['calls'])"; }
bill() { /usr/bin/python3 -c "
import json, urllib.request
b = json.load(urllib.request.urlopen('$url/standin/bill'))
print('  The provider has billed %d calls, \$%.9f.' % (b['calls'], b['total_nusd'] / 1e9))"; }

say "1. A table of customer questions, imported with the shell"
sqlite3 -batch "$db" ".import --csv examples/support_desk.csv tickets" \
  "DELETE FROM tickets WHERE rowid > $tickets" "CREATE TABLE answers(ticket INTEGER PRIMARY KEY, answer TEXT)"
echo "SELECT llm_init(); UPDATE llm_models SET base_url = '$url/v1';" | sqlite3 -batch -cmd '.load ./llmcost' "$db" > /dev/null
echo "SELECT plan, count(*) AS tickets, count(DISTINCT question) AS questions, count(DISTINCT customer_id) AS customers
      FROM tickets GROUP BY plan ORDER BY tickets DESC;" | sql

say "2. What will it cost? Its calls are counted, not made; the same for two cheaper models"
estimate="SELECT model, \"rows\", requests, input_tokens, cost_usd FROM llm_estimate('
  SELECT llm_complete(question, json_object(
    ''system'', ''You are the support desk of Harbor & Pine. Answer in two sentences.'',
    ''model'', CASE plan WHEN ''enterprise'' THEN ''gpt-4o'' WHEN ''business'' THEN ''claude-haiku-4-5'' ELSE ''auto'' END))
  FROM tickets', '{\"output_tokens\":30}');"
show "$estimate"
echo "$estimate" | sql

say "3. Answered by one statement … and killed with kill -9 in the middle"
answer="INSERT OR IGNORE INTO answers
  SELECT id, llm_complete(question, json_object(
    'system', 'You are the support desk of Harbor & Pine. Answer in two sentences.',
    'model', CASE plan WHEN 'enterprise' THEN 'gpt-4o' WHEN 'business' THEN 'claude-haiku-4-5' ELSE 'auto' END,
    'tag', 'ticket ' || id, 'user', customer_id)) FROM tickets;"
show "$answer"
sqlite3 -batch -cmd '.load ./llmcost' "$db" "$answer" &
victim=$!
while [ "$(billed)" -lt $((tickets / 4)) ] && kill -0 $victim 2> /dev/null; do sleep 0.05; done
kill -9 $victim 2> /dev/null || true
wait $victim 2> /dev/null || true
echo "SELECT count(*) AS answers_in_your_table FROM answers;
      SELECT kind, count(*) AS ledger_rows, sum(cost_nusd) / 1e9 AS usd FROM llm_calls GROUP BY kind;" | sql
bill
echo "  Your INSERT is gone, as a killed transaction is. What was paid for is not. (A row of kind 'unknown' is"
echo "  the one request that was on its way: nobody can know from here whether it was billed.)"

say "4. The same statement again: what was paid is not paid again"
echo "$answer" | sql
echo "SELECT (SELECT count(*) FROM answers) AS answers_in_your_table,
             sum(kind = 'call') AS calls_paid, sum(kind = 'hit_exact') AS from_the_cache,
             sum(cost_nusd) / 1e9 AS paid_usd, sum(saved_nusd) / 1e9 AS saved_usd FROM llm_calls;" | sql
bill

say "5. A transaction that is rolled back: the ledger still has it"
rollback="BEGIN;
INSERT INTO answers SELECT 10000, llm_complete('A question inside a transaction that will not last');
ROLLBACK;
SELECT (SELECT count(*) FROM answers WHERE ticket = 10000) AS in_your_table, model, cost_nusd / 1e9 AS paid_usd
FROM llm_calls WHERE id = llm_last_call();"
show "$rollback"
echo "$rollback" | sql

say "6. Which model a question went to: 'auto' scores it, and takes a tier of llm_tiers"
by_tier="SELECT tier_served, model, count(*) AS calls, round(avg(route_score), 2) AS score, sum(cost_nusd) / 1e9 AS usd
FROM llm_calls WHERE kind = 'call' AND tier_served IS NOT NULL GROUP BY tier_served ORDER BY score;"
show "$by_tier"
echo "$by_tier" | sql

say "7. An answer that does not pass its gate: the next tier is asked (lines with @ tell the stand-in what to answer)"
cascade="SELECT llm_complete('Three invoices of \$12.50 and one of \$7: what is owed, as JSON?
@gpt-4o-mini: They owe \$44.50.
@claude-haiku-4-5: {\"owed_usd\":44.50}', '{\"gate\":{\"kind\":\"json\"},\"escalate\":true}') AS answer;
SELECT tier_served, model, cost_nusd / 1e9 AS usd, coalesce(error, 'passed') AS gate FROM llm_calls
WHERE request_id = (SELECT request_id FROM llm_calls WHERE id = llm_last_call()) ORDER BY attempt;"
show "$cascade"
echo "$cascade" | sql

say "8. A limit is a limit: what would pass it is refused, and not sent"
budget="INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('tag:nightly', 'day', 0.0004);
SELECT length(llm_complete('Sum up the first week', '{\"tag\":\"nightly\",\"model\":\"gpt-4o\",\"max_tokens\":30}')) AS first;
SELECT length(llm_complete('Sum up the second week', '{\"tag\":\"nightly\",\"model\":\"gpt-4o\",\"max_tokens\":30}')) AS second;
SELECT scope, period, limit_usd, spent_usd, round(share, 2) AS share, until_time FROM llm_budget_status;"
show "$budget"
echo "$budget" | sql 2>&1 || true

say "9. Who costs what: the ledger is a table"
by_model="SELECT model, calls, hits, input_tokens, output_tokens, cost_usd, saved_usd FROM llm_cost_by_model ORDER BY cost_usd DESC;"
show "$by_model"
echo "$by_model" | sql
by_plan="SELECT t.plan, count(*) AS calls, sum(c.cost_nusd) / 1e9 AS usd, sum(c.cost_nusd) / 1e6 / count(*) AS usd_per_1000
FROM llm_calls c JOIN tickets t ON c.tag = 'ticket ' || t.id
WHERE c.kind = 'call' GROUP BY t.plan ORDER BY usd DESC;"
show "$by_plan"
echo "$by_plan" | sql

say "10. The same questions by batch, from a table: half the bill (a database of its own, whose cache is empty)"
db=$dir/night.db
sqlite3 -batch "$db" ".import --csv examples/support_desk.csv tickets" "DELETE FROM tickets WHERE rowid > $tickets"
echo "SELECT llm_init(); UPDATE llm_models SET base_url = '$url/v1';" | sqlite3 -batch -cmd '.load ./llmcost' "$db" > /dev/null
queue="INSERT INTO batch_submit(custom_id, prompt, system, model, tag)
  SELECT id, question, 'You are the support desk of Harbor & Pine. Answer in two sentences.',
         CASE plan WHEN 'enterprise' THEN 'gpt-4o' WHEN 'business' THEN 'claude-haiku-4-5' ELSE 'auto' END, 'ticket ' || id
  FROM tickets;
SELECT llm_batch_flush() ->> '\$.submitted' AS sent;
SELECT llm_batch_wait('{\"every\":0.2}') ->> '\$.answered' AS answered;
SELECT provider, model, \"rows\", requests, cost_nusd / 1e9 AS usd, saved_nusd / 1e9 AS saved_usd FROM llm_batches;"
show "$queue"
echo "$queue" | sql
batch_nusd=$(echo "SELECT sum(cost_nusd) FROM llm_calls;" | sqlite3 -batch -cmd '.load ./llmcost' "$db")
full_nusd=$(echo "SELECT sum(cost_nusd + saved_nusd) FROM llm_batches;" | sqlite3 -batch -cmd '.load ./llmcost' "$db")
live_nusd=$(echo "SELECT sum(cost_nusd) FROM llm_calls WHERE kind = 'call' AND tag GLOB 'ticket *';" |
  sqlite3 -batch -cmd '.load ./llmcost' "$dir/desk.db")
awk "BEGIN { printf \"  By batch: \$%.9f, which is %.3f of the same answers at the full price; steps 3 and 4 paid \$%.9f for them.\\n\", \\
  $batch_nusd / 1e9, $batch_nusd / $full_nusd, $live_nusd / 1e9 }"
db=$dir/desk.db

say "11. And an answer"
echo "SELECT t.question, a.answer FROM tickets t JOIN answers a ON a.ticket = t.id
      WHERE length(t.question) BETWEEN 25 AND 60 ORDER BY t.id LIMIT 3;" | sql

say "12. Where it went, as one page to look at"
page="SELECT llm_report('{\"to\":\"$dir/report.html\"}');"
show "$page"
echo "$page" | sqlite3 -batch -cmd '.load ./llmcost' "$db" | sed 's/^/  /'
printf '\n  The database is %s, its ledger %s-llmcost. Look around:\n  sqlite3 -cmd ".load ./llmcost" %s\n' "$db" "$db" "$db"
