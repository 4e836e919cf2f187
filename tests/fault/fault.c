/*
** Faults at every allocation and every operation on files, over what users do: loading, prices, a call, hits,
** embedding, inserts, imports, llm_init.
**
**   fault URL FOLDER [-s SHARE] [-v] [-o N] [scenario ...]
**
** URL is the stand-in provider's, FOLDER an empty folder for databases. Each scenario is run once to count its
** operations, then, in a process of its own each time, with the n-th of them failing, and with all from the n-th
** on failing: for every n, or about SHARE cases of each kind. -o runs just one n. After the fault has passed:
**
**   the statement said "out of memory" (or, for files, gave some error), or its right result;
**   no lock is left on the database or the store, and nothing of ours was made in the user's database;
**   the same statement, on the same connection, gives the right result;
**   the provider was paid once, unless the answer was lost on its way, which the ledger then lists as unknown;
**   the ledger's sum is the bill, no intent is left, and no memory, once the connection is closed.
**
** Prints a line for each failure and one of figures for each scenario; exit code 1 if anything failed.
*/
#include "inject.h"

#include <arpa/inet.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROMPT "'What is the answer to question 7?'"
#define OPTIONS ", '{\"model\":\"gpt-4o-mini\"}'"
#define CALL "SELECT llm_complete(" PROMPT OPTIONS ")"
#define ASKED "INSERT INTO t SELECT llm_complete(" PROMPT OPTIONS ")"

/* What a user does. `check` gives 1 where the result is right, after `sql` has succeeded. */
typedef struct Scenario {
  const char *name, *setup; /* the database, made once */
  const char *ready; /* run before the fault strikes, so that it strikes later; NULL: nothing */
  const char *sql, *check;
  int pays;     /* how many calls `sql` pays for */
  int loads;    /* the fault strikes while the extension is loaded, too */
  int is_batch; /* what was begun is taken up again, a while later */
  int reads;    /* loaded as on a replica */
} Scenario;

#define TABLE "CREATE TABLE t(x)"
#define CACHE                                                                                      \
  "CREATE VIRTUAL TABLE c USING semantic_cache(embedder='static');"                                \
  "INSERT INTO c(query, response) VALUES ('how do I reset my password', 'so'),"                    \
  " ('where is my parcel', 'there')"
/* The store is open, the prices are read, the tables of tokens are made. */
#define OPEN "SELECT llm_complete('first', '{\"model\":\"gpt-4o-mini\"}')"
#define IS_OPEN                                                                                    \
  "SELECT count(*) FROM llm_calls; SELECT llm_complete('first', '{\"model\":\"gpt-4o-mini\"}')"
#define TWO_PROMPTS                                                                                \
  "SELECT llm_complete('first', '{\"model\":\"gpt-4o-mini\",\"system\":\"ab\","                    \
  "\"conversation\":\"c\"}');"                                                                     \
  "SELECT llm_complete('first', '{\"model\":\"gpt-4o-mini\",\"system\":\"abc\","                   \
  "\"conversation\":\"c\"}')"
#define ONE "SELECT count(*) = 1 AND length(min(x)) > 3 FROM t"
#define PUT "INSERT INTO t SELECT "
#define SEMANTIC "'{\"model\":\"gpt-4o-mini\",\"cache\":\"semantic\"}')"

#define LIMITS                                                                                     \
  ";INSERT INTO llm_budgets(scope, period, limit_usd, action) VALUES ('*', 'day', 1, 'error'),"    \
  " ('*', '30d', 0.5, 'warn'), ('model:gpt-4o-mini & provider:*', 'total', 2, 'cheapest')"
#define WAIT "SELECT llm_batch_wait('{\"timeout\":0.3,\"every\":0.01}')"
#define BUDGETS_AGREE                                                                              \
  "(SELECT max(spent_nusd) FROM llm_budget_status) = (SELECT sum(cost_nusd) FROM llm_calls)"       \
  " AND llm_check() ->> '$.sums.budgets' = 0"

static const Scenario scenarios[] = {
    {.name = "load",
     .setup = TABLE,
     .sql = "SELECT llm_cost('gpt-4o-mini', 1000, 10)",
     .check = "SELECT llmcost_version() LIKE '0.%'",
     .loads = 1},
    {.name = "cost",
     .setup = TABLE,
     .sql = PUT
     "llm_cost('gpt-4o-mini', '{\"input\":1000,\"output\":9}', '{\"provider\":\"openai\"}')",
     .check = "SELECT abs(x - 0.0001554) < 1e-9 FROM t"},
    {.name = "tokens",
     .setup = TABLE,
     .sql = PUT "llm_tokens('hello world, how are you?', 'gpt-4o')",
     .check = "SELECT x = 7 FROM t"},
    {.name = "call",
     .setup = TABLE,
     .sql = ASKED,
     .check = "SELECT count(*) = 1 AND min(x) IS (" CALL ") AND length(min(x)) > 3 FROM t",
     .pays = 1},
    {.name = "chat",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "llm_chat('[{\"role\":\"system\",\"content\":\"Be kind.\"},{\"role\":\"user\","
                "\"content\":\"Hello there, friend\"}]', "
                "'{\"model\":\"claude-haiku-4-5\",\"max_tokens\":50,\"tag\":\"a\"}')",
     .check = ONE,
     .pays = 1},
    {.name = "schema",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT
     "llm_complete('Is this urgent? The house burns.', '{\"model\":\"gpt-4o-mini\",\"schema\":"
     "{\"type\":\"object\",\"properties\":{\"urgent\":{\"type\":\"boolean\"}},"
     "\"required\":[\"urgent\"],\"additionalProperties\":false}}')",
     .check = "SELECT count(*) = 1 AND json_type(min(x), '$.urgent') IN ('true', 'false') FROM t",
     .pays = 1},
    {.name = "retry",
     .setup = TABLE
     ";" OPEN "; UPDATE llm_models SET base_url = replace(base_url, '/v1', '/s/server-error/v1')",
     .ready = IS_OPEN "; SELECT llm_config('retries', 1), llm_config('backoff_ms', 1)",
     .sql = ASKED,
     .check = ONE,
     .pays = 1},
    {.name =
         "prune", /* with a summary; where that can't be had the older turns are just left out */
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "llm_prune((WITH RECURSIVE m(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM m WHERE n "
                "< 121) SELECT json_group_array(json_object('role', iif(n % 2, 'user', "
                "'assistant'), 'content', 'message number ' || n || ' is about parcels')) FROM m), "
                "'{\"budget\":1000,\"older\":\"summary\",\"summary_model\":\"gpt-4o-mini\"}')",
     .check = "SELECT count(*) = 1 AND json_valid(min(x)) AND min(x) LIKE '%number 1 is%number 121 "
              "is%' AND json_array_length(min(x)) < 100 FROM t",
     .pays = 1},
    {.name = "headers", /* one of them with what another variable holds */
     .setup = TABLE ";" OPEN "; UPDATE llm_models SET auth = 'bearer',"
                    " headers = '{\"X-Title\":\"a\",\"X-Key\":{\"env\":\"ANTHROPIC_API_KEY\"}}'"
                    "; " OPEN,
     .ready = IS_OPEN,
     .sql = ASKED,
     .check = ONE,
     .pays = 1},
    {.name = "turned", /* tools, an image, and what else a call may be asked for */
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT
     "llm_chat(json_array(json_object('role', 'user', 'content', json_array(json_object('type', "
     "'text', 'text', 'What is this?'), llm_image(x'89504E470D0A1A0A'))), json_object('role', "
     "'assistant', 'tool_calls', json('[{\"id\":\"c\",\"function\":{\"name\":\"look\","
     "\"arguments\":\"{}\"}}]')), json_object('role', 'tool', 'tool_call_id', 'c', 'content', "
     "'a')), "
     "'{\"model\":\"gpt-4o-mini\",\"returns\":\"message\",\"extra\":{\"metadata\":{\"a\":\"b\"}},"
     "\"tools\":[{\"name\":\"look\",\"parameters\":{\"type\":\"object\"}}],\"service\":"
     "\"standard\"}')",
     .check = "SELECT count(*) = 1 AND min(x ->> '$.content') = 'a' FROM t",
     .pays = 1},
    {.name = "stream",
     .setup = TABLE
     ";" OPEN "; UPDATE llm_models SET supports = json_set(supports, '$.stream', json('true'))",
     .ready = IS_OPEN,
     .sql = PUT "answer || coalesce(reasoning, '') FROM llm_call(" PROMPT OPTIONS ")",
     .check = ONE,
     .pays = 1},
    {.name = "told", /* the first answer does not satisfy the schema */
     .setup = TABLE
     ";" OPEN "; UPDATE llm_models SET base_url = replace(base_url, '/v1', '/s/wrong-schema/v1')",
     .ready = IS_OPEN "; SELECT llm_config('retries', 1), llm_config('backoff_ms', 1)",
     .sql = PUT
     "llm_complete('Is this urgent? The house burns.', '{\"model\":\"gpt-4o-mini\",\"schema\":"
     "{\"type\":\"object\",\"properties\":{\"urgent\":{\"type\":\"boolean\"}},"
     "\"required\":[\"urgent\"],\"additionalProperties\":false}}')",
     .check = "SELECT count(*) = 1 AND json_type(min(x), '$.urgent') IN ('true', 'false') FROM t",
     .pays = 2},
    {.name = "off",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = "SELECT llm_complete(" PROMPT ", '{\"model\":\"gpt-4o-mini\",\"cache\":\"off\"}')",
     .check = "SELECT count(*) = 2 FROM llm_calls WHERE kind = 'call' AND cost_nusd > 0",
     .pays = 1},
    {.name = "table",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "answer FROM llm_call(" PROMPT OPTIONS ")",
     .check = ONE,
     .pays = 1},
    {.name = "hit", .setup = TABLE ";" OPEN ";" CALL, .ready = IS_OPEN, .sql = ASKED, .check = ONE},
    {.name = "learn", /* an answer that goes into the semantic cache too */
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "llm_complete('How do I reset my password?', " SEMANTIC,
     .check = ONE,
     .pays = 1},
    {.name = "semantic",
     .setup = TABLE ";SELECT llm_complete('How do I reset my password?', " SEMANTIC ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "llm_complete('how do i reset my password', " SEMANTIC,
     .check = ONE},
    {.name = "feedback",
     .setup = TABLE ";SELECT llm_complete('How do I reset my password?', " SEMANTIC ";" OPEN,
     .ready = IS_OPEN,
     .sql = "SELECT llm_cache_feedback(1, 0)",
     .check = "SELECT count(*) = 1 FROM llm_feedback"},
    {.name = "embed",
     .setup = TABLE,
     .sql = PUT "embed('where is my parcel')",
     .check = "SELECT count(*) = 1 AND embed_cosine(min(x), embed('where is my parcel')) > 0.999 "
              "FROM t"},
    {.name = "remote",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "embed('where is my parcel', 'text-embedding-3-small')",
     .check = "SELECT count(*) = 1 AND length(min(x)) > 99 FROM t",
     .pays = 1},
    {.name = "batch",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT
     "embedding FROM embed_batch('[\"one parcel\",\"two parcels\"]', 'text-embedding-3-small')",
     .check = "SELECT count(*) = 2 AND length(min(x)) > 99 FROM t",
     .pays = 1},
    {.name = "insert",
     .setup = TABLE ";" CACHE,
     .sql = "INSERT INTO c(query, response) VALUES ('cancel my order', 'done')",
     .check = "SELECT count(*) = 1 FROM c WHERE query MATCH 'cancel my order'"},
    {.name = "match",
     .setup = TABLE ";" CACHE,
     .sql = PUT "response FROM c WHERE query MATCH 'where is my parcel'",
     .check = "SELECT count(*) = 1 AND min(x) = 'there' FROM t"},
    {.name = "neighbours", /* they agree; what is asked anyway teaches; why not */
     .setup =
         TABLE ";CREATE VIRTUAL TABLE c USING semantic_cache(embedder='static', confirm='off');"
               "INSERT INTO c(query, response, user) VALUES"
               " ('How can I return something?', '{\"a\":1,\"b\":[true]}', 'u'),"
               " ('How can I send an item back to you?', '{\"b\":[true],\"a\":1.0}', 'v'),"
               " ('I want to return an item I bought', '{\"a\":1, \"b\":[true]}', 'w'),"
               " ('Which way do I return goods?', '{\"a\":1,\"b\":[true]}', NULL),"
               " ('Where is your shop?', 'x', NULL), ('Do you ship to Norway?', 'y', NULL), ('Can "
               "I pay by card?', 'z', NULL),"
               " ('Do you sell 2 sofas?', 'no', NULL), ('When do you open?', 'at nine', NULL), "
               "('The app is slow on my phone', 'Wait.', NULL)",
     .sql =
         PUT "policy FROM c WHERE query MATCH 'To return an item, what do I do?';" PUT
             "why FROM c WHERE query MATCH 'Do you sell 3 sofas?' AND verify = 0;"
             "INSERT INTO c(query, response) SELECT 'Do you sell 3 sofas?', 'no' WHERE NOT EXISTS"
             " (SELECT 1 FROM c WHERE query MATCH 'Do you sell 3 sofas?');"
             "INSERT INTO c(query, response) SELECT 'Why would the app be slow on a phone?', "
             "'Update.' WHERE NOT"
             " EXISTS (SELECT 1 FROM c WHERE query MATCH 'Why would the app be slow on a phone?')",
     .check = "SELECT min(x) = 'agreement' AND max(x) LIKE 'guard: number%'"
              " AND (SELECT count(*) >= 1 FROM c_labels) AND"
              " (SELECT count(*) >= 1 FROM c_decisions WHERE why LIKE 'guard: number%') FROM t"},
    {.name = "forget", /* out of both caches, or out of none */
     .setup = TABLE ";SELECT llm_complete('q', "
                    "'{\"model\":\"gpt-4o-mini\",\"cache\":\"semantic\",\"tag\":\"v1\"}')",
     .ready = "SELECT count(*) FROM llm_calls",
     .sql = "SELECT llm_cache_forget('{\"tag\":\"v1\"}')",
     .check = "SELECT (SELECT count(*) = 0 FROM llm_answers) AND"
              " (SELECT count(*) = 0 FROM llm_cache)"},
    {.name = "import",
     .setup = TABLE,
     .sql = "SELECT "
            "llm_prices_import('{\"m1\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":"
            "1e-06,"
            "\"output_cost_per_token\":2e-06}}')",
     .check =
         "SELECT count(*) = 2 AND max(model) LIKE '%m1' FROM llm_prices WHERE model LIKE '%m1'"},
    {.name = "init",
     .setup = "DROP TABLE llm_models; DROP TABLE llm_tiers; DROP TABLE llm_prices;" TABLE,
     .sql = "SELECT llm_init()",
     .check = "SELECT count(*) > 20 FROM llm_models"},
    {.name = "ledger",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "cost_nusd FROM llm_calls WHERE kind = 'call' ORDER BY id",
     .check = "SELECT count(*) = 1 AND min(x) > 0 FROM t"},
    {.name = "check", /* and prices by hours of a place */
     .setup = TABLE
     ";" OPEN ";INSERT INTO llm_prices(model, kind, usd_per_million, hours) VALUES"
     "('gpt-4o-mini', 'input', 0.15, 'Mon-Sun 00:00-24:00 America/New_York also 2026-10-01')",
     .ready = IS_OPEN,
     .sql = PUT "llm_check()",
     .check = "SELECT x ->> 'rows' = 1 AND x ->> 'same' = 1 FROM t"},
    {.name = "past",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "llm_import('tests/data/imports', '{\"again\":true}')",
     .check = "SELECT count(*) = count(DISTINCT request_id) AND (count(*) = 20 OR max(x ->> "
              "'not_read') > 1) FROM llm_calls JOIN (SELECT max(x) AS x FROM t) WHERE source IS "
              "NOT NULL"},
    {.name = "trim", /* rows of 2026-11-04: those of known cost go, their sums stay */
     .setup = TABLE ";" OPEN ";SELECT llm_import('tests/data/imports')",
     .ready = IS_OPEN,
     .sql = PUT "llm_config('keep_calls', '1d')",
     .check = "SELECT (SELECT count(*) FROM llm_calls WHERE source IS NOT NULL) < 8"
              " AND (SELECT sum(calls) FROM llm_cost_monthly WHERE basis = 'sums') = 19"
              " AND llm_check() ->> '$.sums.differs' = 0"},
    {.name = "estimate",
     .setup = TABLE ";" OPEN ";CREATE TABLE q(t); INSERT INTO q VALUES ('first'), ('second?')",
     .ready = IS_OPEN,
     .sql =
         PUT "requests || ' ' || hits || ' ' || counted FROM llm_estimate('SELECT llm_complete(t,"
             " ''{\"model\":\"gpt-4o-mini\"}'') FROM q', '{\"output_tokens\":9}')",
     .check = "SELECT count(*) > 0 AND min(x) = '2 1 exactly' AND max(x) = min(x) FROM t"},
    {.name = "economics", /* of the one call that is there */
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT
     "(SELECT group_concat(verdict || (break_even_requests > 0)) FROM "
     "llm_selfhost('{\"serverless\":\"groq/"
     "llama-3.1-8b-instant\",\"hosting\":{\"usd_per_month\":9}}'))"
     " || (SELECT count(*) FROM llm_finetune('{\"setup_usd\":[1,2],\"to\":\"gpt-4o-mini\"}'))"
     " || (SELECT group_concat(after_usd) FROM llm_stack(100, '[{\"saves\":0.5,\"share\":0.4}]'))",
     .check = "SELECT count(*) = 1 AND min(x) = 'yes0,no11100.0,80.0' FROM t"},
    {.name = "reports", /* of two calls that are there, under two system prompts */
     .setup = TABLE ";" TWO_PROMPTS,
     .ready = "SELECT count(*) FROM llm_calls;" TWO_PROMPTS,
     .sql = PUT
     "(SELECT sum(CASE saving WHEN 'baseline' THEN -nusd ELSE nusd END) FROM llm_savings)"
     " || (SELECT sum(nusd * (saving = 'spend')) > 0 AND 0 = sum(CASE saving WHEN 'baseline' THEN "
     "-nusd ELSE nusd END) FROM llm_savings('{\"by\":[\"day\",\"tag\",\"model\"]}'))"
     " || (SELECT sum(calls) FROM llm_prefix_cache) || (SELECT max(turns) FROM llm_conversations)"
     " || (SELECT sum(length(text)) || max(first_change) FROM llm_system_prompts) || (SELECT "
     "group_concat(op, '') FROM (SELECT max(system_hash) AS"
     " a, min(system_hash) AS b FROM llm_system_prompts), llm_system_diff(a, b))",
     .check = "SELECT count(*) = 1 AND min(x) = '012452-+' FROM t"},
    {.name = "questions", /* of the same calls */
     .setup = TABLE ";" TWO_PROMPTS,
     .ready = "SELECT count(*) FROM llm_calls;" TWO_PROMPTS,
     .sql = PUT "(SELECT sum(change_nusd) = max(after) * 1e9 - max(before) * 1e9 FROM (SELECT "
                "change_nusd, iif(driver = "
                "'answer', before, 0) AS before, iif(driver = 'answer', after, 0) AS after FROM "
                "llm_drift('last 7 days')))"
                " || (SELECT count(*) > 1 FROM llm_drift('last 7 days', '{\"by\":\"model\"}'))"
                " || (SELECT group_concat(advice) FROM llm_advise('{\"min_calls\":2}'))",
     .check = "SELECT count(*) = 1 AND min(x) IN ('11none') FROM t"},
    {.name = "report", /* of the same calls, as page and as Markdown */
     .setup = TABLE ";" TWO_PROMPTS,
     .ready = "SELECT count(*) FROM llm_calls;" TWO_PROMPTS,
     .sql =
         PUT "(SELECT (length(page) > 300000) || (instr(text, '| Calls | 2 |') > 0) FROM (SELECT "
             "llm_report() AS page, llm_report('{\"format\":\"markdown\"}') AS text))",
     .check = "SELECT count(*) = 1 AND min(x) = '11' FROM t"},
    {.name = "mirror", /* of the same calls */
     .setup = TABLE ";" TWO_PROMPTS,
     .ready = "SELECT count(*) FROM llm_calls;" TWO_PROMPTS,
     .sql = "SELECT llm_mirror()",
     .check =
         "SELECT (SELECT group_concat(id || kind) FROM llm_mirror_calls) = (SELECT group_concat(id"
         " || kind) FROM llm_calls) AND (SELECT count(*) FROM llm_mirror_state) = 4 AND (SELECT"
         " count(*) FROM llm_mirror_rollups) > 0 AND llm_mirror() ->> '$.calls' = 0"},
    {.name = "mirrored", /* read on a replica */
     .setup = TABLE ";" TWO_PROMPTS "; SELECT llm_mirror()",
     .sql = PUT "(SELECT group_concat(id || kind) FROM llm_calls) || (SELECT sum(calls) FROM"
                " llm_cost_by_model) || (SELECT count(*) > 0 FROM llm_savings)",
     .check = "SELECT count(*) = 1 AND min(x) = '1call,2call21' FROM t",
     .reads = 1},
    {.name = "explain",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "llm_call_explain(1)",
     .check = "SELECT count(*) = 1 AND min(x) ->> '$.attempts[0].http_status' = 200 FROM t"},
    {.name = "limit",
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN "; SELECT llm_config('max_usd', 1), llm_config('max_calls', 9)",
     .sql = ASKED,
     .check = ONE,
     .pays = 1},
    {.name = "budget",
     .setup = TABLE ";" OPEN LIMITS,
     .ready = IS_OPEN,
     .sql = ASKED,
     .check = "SELECT (" ONE ") AND " BUDGETS_AGREE,
     .pays = 1},
    {.name = "budget-first", /* the sums are made with it */
     .setup = TABLE LIMITS,
     .sql = ASKED,
     .check = "SELECT (" ONE ") AND " BUDGETS_AGREE,
     .pays = 1},
    {.name = "budget-status",
     .setup = TABLE ";" OPEN LIMITS,
     .ready = IS_OPEN,
     .sql = PUT "count(*) || ' ' || min(share < 1) || ' ' || (SELECT count(*) FROM llm_holds)"
                " FROM llm_budget_status",
     .check = "SELECT count(*) = 1 AND min(x) = '3 1 0' FROM t"},
    {.name = "repeat", /* for others: hits with rows of their own */
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql =
         PUT "llm_complete(" PROMPT ", json_object('model', 'openai/gpt-4o-mini', 'user', value))"
             " FROM json_each('[1,2,1]')",
     .check =
         "SELECT count(*) = 3 AND min(x) = max(x) AND (SELECT count(*) FROM llm_calls WHERE user IN"
         " ('1', '2')) >= 2 FROM t",
     .pays = 1},
    {.name = "route",
     .setup = TABLE ";" OPEN ";INSERT INTO llm_route_examples(prompt, label) VALUES ('hello', 0)",
     .ready = IS_OPEN,
     .sql = PUT "llm_complete('What is the answer to question 7, and why?', '{\"max_tokens\":50}')",
     .check = "SELECT (" ONE ") AND (SELECT count(*) FROM llm_calls WHERE route_score IS NOT NULL)",
     .pays = 1},
    {.name =
         "cascade", /* the first answer does not pass: it is paid for each time it is asked for */
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN "; SELECT llm_config('retries', 1)",
     .sql = PUT "llm_complete('@claude-haiku-4-5: {\"a\":1}' || char(10) || '@say: no',"
                "'{\"gate\":[{\"kind\":\"json\"},{\"kind\":\"sql\",\"expr\":\":answer > 0\"}],"
                "\"escalate\":true}')",
     .check = "SELECT count(*) = 1 AND min(x) = '{\"a\":1}' FROM t",
     .pays = 3},
    {.name = "agree", /* another model is asked, and the next tier beside what passes */
     .setup = TABLE ";" OPEN,
     .ready = IS_OPEN,
     .sql =
         PUT "llm_complete('@say: 12', '{\"gate\":{\"kind\":\"agree\"},\"audit\":1,\"score\":0}')",
     .check = "SELECT count(*) = 1 AND min(x) = '12' FROM t",
     .pays = 3},
    {.name = "map", /* three rows side by side, two of which ask the same */
     .setup = TABLE "; CREATE TABLE p(id INTEGER PRIMARY KEY, q);"
                    "INSERT INTO p(q) VALUES ('one'), ('two'), ('one');" OPEN,
     .ready = IS_OPEN,
     .sql = PUT "(SELECT group_concat(length(answer) > 3) FROM llm_map('SELECT id, q FROM p',"
                "'{\"model\":\"gpt-4o-mini\",\"max_tokens\":50,\"on_error\":\"error\"}'))",
     .check = "SELECT count(*) = 1 AND min(x) = '1,1,1' FROM t",
     .pays = 2},
    {.name =
         "queue", /* by files and in one request; one that can't wait, one that is known, two that ask the same */
     .setup = TABLE ";" OPEN "; INSERT INTO batch_submit(prompt, model, deadline)"
                    " VALUES ('one', 'gpt-4o-mini', NULL), ('two', 'gpt-4o-mini', NULL),"
                    " ('one', 'gpt-4o-mini', NULL), ('three', 'claude-haiku-4-5', NULL),"
                    " ('four', 'gpt-4o-mini', unixepoch() * 1000 + 7200000),"
                    " ('first', 'gpt-4o-mini', NULL)",
     .ready = IS_OPEN,
     .sql = "SELECT llm_batch_flush(); " WAIT "; SELECT llm_batch_flush(); " WAIT,
     .check = "SELECT count(*) = 6 AND min(status) = 'done' AND max(status) = 'done'"
              " AND min(length(answer)) > 3 AND max(attempts) <= 3 AND sum(batch_id > 0) >= 3"
              " AND (SELECT count(*) FROM llm_holds) = 0"
              " AND (SELECT count(*) FROM llm_batches WHERE state <> 'settled' OR open_rows) = 0"
              " FROM batch_submit",
     .pays = 4,
     .is_batch = 1},
    {.name = "help",
     .setup = TABLE,
     .sql = PUT "llm_help('429') || (SELECT count(*) FROM llm_functions())",
     .check = "SELECT count(*) = 1 AND min(x) LIKE '%requests at once%' FROM t"},
};
enum { N_SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

/* A kind of fault, and how it shows. */
static const struct Strike {
  const char *name;
  Fault fault;
  int code;
} strikes[] = {
    {"memory", FAULT_MEMORY, ENOMEM}, {"open", FAULT_OPEN, EMFILE},   {"read", FAULT_READ, EIO},
    {"write", FAULT_WRITE, ENOSPC},   {"write-io", FAULT_WRITE, EIO}, {"sync", FAULT_SYNC, EIO},
    {"map", FAULT_MAP, ENOMEM},
};
enum { N_STRIKES = sizeof strikes / sizeof strikes[0] };

/* What one case came to, told by its process to the one that counts. */
typedef struct Verdict {
  long seen, failed;
  long
      leaked; /* blocks of memory that the second of two equal runs left behind; -1: not looked for */
  long had;   /* paid calls in the ledger before */
  int lost;   /* requests whose answer never reached us whole */
  int rc;     /* of the statement under the fault */
  char said[200], wrong[400];
} Verdict;

static const char *url, *folder;
static int port, shows;
static int reads; /* this process is a replica's */

/* --- the stand-in's bill */

/* Asks the stand-in; its answer, cut to size. */
static void ask_standin(const char *ask, char *answer, size_t size) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  size_t n = 0;
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, ask, strlen(ask), 0) > 0) {
    for (ssize_t got; (got = recv(fd, answer + n, size - 1 - n, 0)) > 0;) {
      n += (size_t)got;
    }
  }
  close(fd);
  answer[n] = 0;
}

static void reset_bill(void) {
  char answer[1000];
  ask_standin("POST /standin/reset HTTP/1.0\r\nContent-Length: 0\r\n\r\n", answer, sizeof answer);
}

static void get_bill(long long *nusd, long *calls) {
  char answer[4096];
  ask_standin("GET /standin/bill HTTP/1.0\r\n\r\n", answer, sizeof answer);
  const char *total = strstr(answer, "\"total_nusd\":"), *count = strstr(answer, "\"calls\":");
  *nusd = total ? strtoll(total + 13, NULL, 10) : -1;
  *calls = count ? strtol(count + 8, NULL, 10) : -1;
}

/* --- one case */

static void say(Verdict *v, const char *what, const char *detail) {
  if (!v->wrong[0]) {
    snprintf(v->wrong, sizeof v->wrong, "%s: %s", what, detail ? detail : "");
  }
}

static int run(sqlite3 *db, const char *sql, char *said, size_t size) {
  char *message = NULL;
  int rc = sqlite3_exec(db, sql, NULL, NULL, &message);
  snprintf(said, size, "%s", rc == SQLITE_OK ? "" : message ? message : sqlite3_errstr(rc));
  sqlite3_free(message);
  return rc & 0xff;
}

static int number(sqlite3 *db, const char *sql, long long *value) {
  sqlite3_stmt *stmt = NULL;
  int ok =
      sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
  *value = ok ? sqlite3_column_int64(stmt, 0) : -1;
  sqlite3_finalize(stmt);
  return ok;
}

static int load(sqlite3 *db, char *said, size_t size) {
  char *message = NULL;
  sqlite3_enable_load_extension(db, 1);
  const char *entry = reads ? "sqlite3_llmcostro_init" : NULL;
  int rc = sqlite3_load_extension(db, "./llmcost.so", entry, &message);
  snprintf(said, size, "%s", message ? message : "");
  sqlite3_free(message);
  return rc & 0xff;
}

static int configure(sqlite3 *db, char *said, size_t size) {
  char sql[600];
  if (reads) { /* it names no host and no key */
    said[0] = 0;
    return SQLITE_OK;
  }
  snprintf(
      sql, sizeof sql,
      "SELECT llm_allow_host('127.0.0.1:%d', 'OPENAI_API_KEY'), llm_allow_host('127.0.0.1:%d', "
      "'ANTHROPIC_API_KEY'), llm_secret('OPENAI_API_KEY', 'sk-fault-1'), "
      "llm_secret('ANTHROPIC_API_KEY', "
      "'sk-fault-2'), llm_config('retries', 0), llm_config('timeout_ms', 3000)",
      port, port);
  return run(db, sql, said, size);
}

static sqlite3 *open_desk(const char *path, Verdict *v) {
  sqlite3 *db = NULL;
  char said[200];
  if (sqlite3_open(path, &db) != SQLITE_OK || load(db, said, sizeof said) != SQLITE_OK ||
      configure(db, said, sizeof said) != SQLITE_OK) {
    say(v, "the desk does not open", said);
  }
  return db;
}

static void check_lock(const char *path, const char *suffix, Verdict *v) {
  char file[600], said[200];
  sqlite3 *db = NULL;
  snprintf(file, sizeof file, "%s%s", path, suffix);
  if (access(file, F_OK) == 0) {
    sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL);
    if (run(db, "BEGIN IMMEDIATE; ROLLBACK", said, sizeof said) == SQLITE_BUSY) {
      say(v, "a lock is left", file);
    }
    sqlite3_close(db);
  }
}

static void show_ledger(sqlite3 *db) {
  sqlite3_stmt *stmt = NULL;
  if (shows &&
      sqlite3_prepare_v2(db, "SELECT id, kind, cost_nusd, coalesce(error, '') FROM llm_calls", -1,
                         &stmt, NULL) == SQLITE_OK) {
    while (sqlite3_step(stmt) == SQLITE_ROW) {
      printf("     %s %s %s %s\n", sqlite3_column_text(stmt, 0), sqlite3_column_text(stmt, 1),
             sqlite3_column_text(stmt, 2), sqlite3_column_text(stmt, 3));
    }
    fflush(stdout);
  }
  sqlite3_finalize(stmt);
}

static void check_ledger(const Scenario *s, const char *path, long long nusd, long calls,
                         Verdict *v) {
  sqlite3 *db = open_desk(path, v);
  long long billed, sum = 0, unknown = 0, known = 0, intents = 0, mine = 0;
  long count;
  char said[200];
  run(db, "SELECT llm_complete('q', '{\"dry_run\":true,\"model\":\"gpt-4o-mini\"}')", said,
      sizeof said); /* opens the store */
  number(db, "SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls WHERE source IS NULL", &sum);
  number(db, "SELECT count(*) FROM llm_calls WHERE kind = 'unknown'", &unknown);
  number(db,
         "SELECT count(*) FROM llm_calls WHERE kind IN ('call', 'embed', 'batch') AND cost_nusd > "
         "0 AND "
         "source IS NULL",
         &known);
  number(
      db,
      "SELECT count(*) FROM sqlite_schema WHERE name IN ('llm_calls', 'llm_meta', 'llm_answers')",
      &mine);
  get_bill(&billed, &count);
  v->lost = (int)unknown;
  count -= calls;
  snprintf(said, sizeof said, "%ld paid, %lld known, %lld unknown; bill %lld, ledger %lld", count,
           known, unknown, billed - nusd, sum);
  if (count - v->had > s->pays + unknown) {
    say(v, "paid twice", said);
    show_ledger(db);
  }
  if (count > known + unknown || count < known || (unknown == 0 && billed - nusd != sum)) {
    say(v, "the ledger is not the bill", said);
    show_ledger(db);
  }
  if (mine) {
    say(v, "tables of ours in the user's database", "");
  }
  sqlite3_close(db);
  char file[600];
  snprintf(file, sizeof file, "%s-llmcost", path);
  if (access(file, F_OK) == 0 &&
      sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
    if (number(db, "SELECT count(*) FROM llm_intents", &intents) && intents) {
      say(v, "an intent is left", "");
    }
    sqlite3_close(db);
  }
}

/* 1 if the loading failed before or after it was in our hands: in SQLite, or in the dynamic linker (SQLite then
** looks for the name with ".so" behind it, and says that there is none). */
static int is_sqlites(const char *said) {
  return !said[0] || strstr(said, "error during initialization") ||
         strstr(said, "llmcost.so.so: cannot open shared object file");
}

/* 1 for what libcurl and its resolver make of missing memory: a host that can't be found, a wait. */
static int is_curls(const char *said) {
  return strstr(said, "resolve host") || strstr(said, "no answer in time") ||
         strstr(said, "cannot reach");
}

/* The statement with the fault, then without. */
static void strike(sqlite3 *db, const Scenario *s, const struct Strike *of, long n, int forever,
                   Verdict *v) {
  char said[200];
  inject_start(of->fault, n, forever, of->code);
  v->rc = s->loads ? load(db, v->said, sizeof v->said) : SQLITE_OK;
  if (v->rc == SQLITE_OK) {
    v->rc = run(db, s->sql, v->said, sizeof v->said);
  }
  v->seen = inject_stop();
  v->failed = inject_failed();
  if (of->fault == FAULT_MEMORY && v->rc != SQLITE_OK && v->rc != SQLITE_NOMEM &&
      !strstr(v->said, "out of memory") && !is_curls(v->said) &&
      !(s->loads && v->rc == SQLITE_ERROR && is_sqlites(v->said))) {
    say(v, "not told as out of memory", v->said);
  }
  if (s->loads && v->rc != SQLITE_OK && load(db, said, sizeof said) != SQLITE_OK) {
    say(v, "can't be loaded again", said);
  }
}

/* A while later, as far as the store can tell: what is not at the provider now was not created. */
static void pass_time(const char *path, Verdict *v) {
  sqlite3 *store = NULL;
  char file[500], said[200];
  snprintf(file, sizeof file, "%s-llmcost", path);
  if (sqlite3_open_v2(file, &store, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
      run(store,
          "UPDATE llm_batches SET looked_at = coalesce(looked_at, created_at) - 60000 WHERE state ="
          " 'begun' AND provider_id IS NULL",
          said, sizeof said) != SQLITE_OK) {
    say(v, "time does not pass", sqlite3_errmsg(store));
  }
  sqlite3_close(store);
}

/* After a page of the user's own database could not be read, SQLite calls that connection's database malformed
** until it is opened anew: then so do we. */
static sqlite3 *check_again(sqlite3 *db, const Scenario *s, const struct Strike *of,
                            const char *path, Verdict *v) {
  char said[200];
  long long right = 0;
  int rc = SQLITE_OK;
  if (s->is_batch) {
    pass_time(path, v);
  }
  if (v->rc != SQLITE_OK || s->is_batch) {
    rc = run(db, s->sql, said, sizeof said);
  }
  if (rc == SQLITE_CORRUPT && of->fault == FAULT_READ) {
    sqlite3_close(db);
    db = open_desk(path, v);
    rc = run(db, s->sql, said, sizeof said);
  }
  if (rc != SQLITE_OK) {
    say(v, "fails again", said);
  }
  if (!number(db, s->check, &right) || right != 1) {
    say(v, "a wrong result", sqlite3_errmsg(db));
  }
  return db;
}

static sqlite3 *begin(const char *path, const Scenario *s, Verdict *v) {
  sqlite3 *db = NULL;
  char said[200];
  if (s->loads) {
    sqlite3_open(path, &db);
    return db;
  }
  db = open_desk(path, v);
  if (s->ready && run(db, s->ready, said, sizeof said) != SQLITE_OK) {
    say(v, "not ready", said);
  }
  return db;
}

static void copy_file(const char *from, const char *to) {
  char bytes[1 << 16];
  int in = open(from, O_RDONLY), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  for (ssize_t n; out >= 0 && (n = read(in, bytes, sizeof bytes)) > 0;) {
    if (write(out, bytes, (size_t)n) != n) {
      fprintf(stderr, "fault: can't copy to %s\n", to);
    }
  }
  close(in);
  close(out);
}

/* A copy of the scenario's database and its store, in the place of the last one. */
static void copy_desk(const Scenario *s, char *path, size_t size) {
  static const char *const suffixes[] = {"",         "-journal",     "-wal",        "-shm",
                                         "-llmcost", "-llmcost-wal", "-llmcost-shm"};
  snprintf(path, size, "%s/%s-case", folder, s->name);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    char from[500], to[500];
    snprintf(from, sizeof from, "%s/%s.db%s", folder, s->name, suffixes[i]);
    snprintf(to, sizeof to, "%s%s", path, suffixes[i]);
    unlink(to);
    copy_file(from, to);
  }
}

/* All of it, without a fault. */
static void go_through(const Scenario *s, const char *path) {
  static const struct Strike none = {"none", FAULT_MAP, 0};
  Verdict ignored = {0};
  sqlite3 *db = begin(path, s, &ignored);
  strike(db, s, &none, 0, 0, &ignored);
  db = check_again(db, s, &none, path, &ignored);
  sqlite3_close(db);
}

static void run_case(const Scenario *s, const struct Strike *of, long n, int forever, int warm,
                     Verdict *v) {
  char path[400];
  long long nusd, old;
  long calls, live = 0;
  copy_desk(s, path, sizeof path);
  reads = s->reads;
  v->leaked = -1;
  if (warm) { /* what is made once is there already: what remains is a leak */
    go_through(s, path);
    go_through(s, path); /* what opening a store that is there reads once, too */
    copy_desk(s, path, sizeof path);
  }
  reset_bill();
  get_bill(&nusd, &calls);
  old = 0;
  live = inject_live();
  sqlite3 *db = begin(path, s, v);
  strike(db, s, of, n, forever, v);
  check_lock(path, "", v);
  check_lock(path, "-llmcost", v);
  if (s->loads) {
    char said[200];
    configure(db, said, sizeof said);
  }
  db = check_again(db, s, of, path, v);
  if (sqlite3_close(db) != SQLITE_OK) {
    say(v, "the connection does not close", "");
  }
  v->leaked = warm ? inject_live() - live : -1;
  sqlite3 *ledger = NULL;
  char file[500];
  snprintf(file, sizeof file, "%s/%s.db-llmcost", folder, s->name);
  if (access(file, F_OK) == 0 &&
      sqlite3_open_v2(file, &ledger, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
    long long known = 0;
    number(ledger, "SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls WHERE source IS NULL", &old);
    number(
        ledger,
        "SELECT count(*) FROM llm_calls WHERE kind IN ('call', 'embed', 'batch') AND cost_nusd > 0"
        " AND source IS NULL",
        &known);
    calls -= v->had = (long)known;
    sqlite3_close(ledger);
  }
  check_ledger(s, path, nusd - old, calls, v);
}

static void on_crash(int signal_number) {
  void *frames[32];
  backtrace_symbols_fd(frames, backtrace(frames, 32), 2);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

/* Runs a case in a process of its own. */
static Verdict isolate(const Scenario *s, const struct Strike *of, long n, int forever, int warm) {
  Verdict v = {0};
  int pipes[2], status = 0;
  if (pipe(pipes) != 0) {
    exit(2);
  }
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    alarm(shows ? 5 : 30);
    if (shows) {
      signal(SIGSEGV, on_crash);
      signal(SIGABRT, on_crash);
      signal(SIGALRM, on_crash);
    }
    run_case(s, of, n, forever, warm, &v);
    if (write(pipes[1], &v, sizeof v) != sizeof v) {
      _exit(2);
    }
    _exit(0);
  }
  close(pipes[1]);
  if (read(pipes[0], &v, sizeof v) != sizeof v) {
    snprintf(v.wrong, sizeof v.wrong, "died");
  }
  close(pipes[0]);
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    snprintf(v.wrong, sizeof v.wrong, "died of signal %d%s", WTERMSIG(status),
             WTERMSIG(status) == SIGALRM ? " (hung)" : "");
  }
  return v;
}

/* --- all cases */

static int make_desk(const Scenario *s) {
  char path[400], sql[400], said[200];
  Verdict v = {0};
  snprintf(path, sizeof path, "%s/%s.db", folder, s->name);
  sqlite3 *db = open_desk(path, &v);
  snprintf(sql, sizeof sql, "SELECT llm_init(); UPDATE llm_models SET base_url = '%s/v1'", url);
  int ok = !v.wrong[0] && run(db, sql, said, sizeof said) == SQLITE_OK &&
           run(db, s->setup, said, sizeof said) == SQLITE_OK;
  if (!ok) {
    printf("FAIL %s: setup: %s %s\n", s->name, v.wrong, said);
  }
  sqlite3_close(db);
  return ok;
}

static int isolated_setup(const Scenario *s) {
  int status = 0;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int ok = make_desk(s);
    fflush(stdout);
    _exit(!ok);
  }
  waitpid(child, &status, 0);
  return status == 0;
}

static long share = 0, only = 0;

/* All n of one scenario and kind, or a share of them; how many failed. */
static int sweep(const Scenario *s, const struct Strike *of) {
  Verdict count = only && shows ? (Verdict){.seen = only} : isolate(s, of, 0, 0, 0);
  int wrong = count.wrong[0] != 0, lost = 0, cases = 0;
  long usual = of->fault == FAULT_MEMORY ? isolate(s, of, 0, 0, 1).leaked : 0;
  if (wrong) {
    printf("FAIL %s %s without a fault: %s\n", s->name, of->name, count.wrong);
    return 1;
  }
  long step = share && count.seen > share ? count.seen / share : 1;
  for (int forever = 0; forever < 2; forever++) {
    long first =
        only ? only
             : 1 + (step > 1 ? (long)(strlen(s->name) * 7919 + (size_t)forever * 31) % step : 0);
    for (long n = first; n <= (only ? only : count.seen); n += step) {
      int warm =
          of->fault == FAULT_MEMORY && n % 3 == 0; /* the others begin with nothing made yet */
      Verdict v = isolate(s, of, n, forever, warm);
      cases++;
      if (v.leaked > usual && !v.wrong[0]) {
        snprintf(v.wrong, sizeof v.wrong, "%ld blocks of memory are left", v.leaked - usual);
      }
      lost += v.lost;
      wrong += v.wrong[0] != 0;
      if (v.wrong[0] || shows) {
        printf("%s %s %s %ld%s of %ld: %s [rc %d: %s]\n", v.wrong[0] ? "FAIL" : "    ", s->name,
               of->name, n, forever ? "+" : "", count.seen, v.wrong, v.rc, v.said);
      }
    }
  }
  printf("%-8s %-8s %6ld operations, %5d cases, %3d failed, %d answers lost on their way\n",
         s->name, of->name, count.seen, cases, wrong, lost);
  return wrong;
}

int main(int argc, char **argv) {
  int option, wrong = 0;
  const char *kind = "";
  while ((option = getopt(argc, argv, "s:o:k:v")) > 0) {
    share = option == 's' ? strtol(optarg, NULL, 10) : share;
    only = option == 'o' ? strtol(optarg, NULL, 10) : only;
    kind = option == 'k' ? optarg : kind;
    shows |= option == 'v';
  }
  url = argv[optind++];
  folder = argv[optind++];
  port = (int)strtol(strrchr(url, ':') + 1, NULL, 10);
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* so that every allocation can fail */
  for (int i = 0; i < N_SCENARIOS; i++) {
    int wanted = optind == argc;
    for (int k = optind; k < argc; k++) {
      wanted |= strcmp(argv[k], scenarios[i].name) == 0;
    }
    if (wanted && !isolated_setup(&scenarios[i])) {
      wrong++;
      continue;
    }
    for (int k = 0; k < N_STRIKES && wanted; k++) {
      if (!kind[0] || strcmp(kind, strikes[k].name) == 0) {
        wrong += sweep(&scenarios[i], &strikes[k]);
      }
    }
  }
  return wrong != 0;
}
