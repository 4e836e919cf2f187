/*
** What one llm_complete costs, beside bare libcurl and beside Redis, in one run.
**
**   wall    50 ms provider latency: llm_complete against curl_easy_perform on a kept connection, taking turns
**   cpu     0 ms latency: CPU per call of both, and of each part of ours, the parts driven alone
**   hit     exact hits among 1,000,000 cached answers, against a Redis GET of the same key over loopback
**
** Usage: bench_call STANDIN_URL REDIS_PORT [CACHED_ANSWERS [quick]]. Started by bench/call.sh. Prints one
** table; quick: of few calls, to see that it works.
*/
#include "call/call.h"
#include "call/route/route.h"
#include "llmcost.h"

#include "base/hash.h"
#include "money/pricing.h"
#include "store/ledger.h"
#include "work/embedders.h"

#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WALL_CALLS = 60 };

static int wall_calls = MOST_WALL_CALLS, cpu_calls = 3000, hits = 200000;

static const char *base;

static void die(const char *what, const char *why) {
  fprintf(stderr, "bench_call: %s: %s\n", what, why ? why : "");
  exit(1);
}

static double wall_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* User and system time of this thread, which does all the work on our side. */
static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, compare);
  return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void exec(sqlite3 *db, const char *sql) {
  char *message = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
    die(sql, message);
  }
}

static sqlite3 *open_desk(const char *path) {
  sqlite3 *db;
  char *message = NULL;
  if (sqlite3_open(path, &db) != SQLITE_OK ||
      sqlite3_llmcost_init(db, &message, NULL) != SQLITE_OK) {
    die("open", message);
  }
  char *sql = sqlite3_mprintf("SELECT llm_init(); UPDATE llm_models SET base_url = '%q/v1';"
                              "SELECT llm_allow_host('%q', 'OPENAI_API_KEY'); SELECT "
                              "llm_secret('OPENAI_API_KEY', 'sk-bench')",
                              base, strstr(base, "//") + 2);
  exec(db, sql);
  sqlite3_free(sql);
  return db;
}

static void ask(sqlite3_stmt *stmt, const char *prompt) {
  sqlite3_bind_text(stmt, 1, prompt, -1, SQLITE_STATIC);
  if (sqlite3_step(stmt) != SQLITE_ROW || sqlite3_column_bytes(stmt, 0) == 0) {
    die("llm_complete", sqlite3_errmsg(sqlite3_db_handle(stmt)));
  }
  sqlite3_reset(stmt);
}

/* ---- the peer: bare libcurl */

static size_t swallow(char *data, size_t size, size_t n, void *arg) {
  (void)data;
  *(size_t *)arg += size * n;
  return size * n;
}

typedef struct Bare {
  CURL *easy;
  struct curl_slist *headers;
  size_t received;
} Bare;

static void bare_open(Bare *b) {
  char url[256];
  snprintf(url, sizeof url, "%s/v1/chat/completions", base);
  b->easy = curl_easy_init();
  b->headers = curl_slist_append(NULL, "Content-Type: application/json");
  b->headers = curl_slist_append(b->headers, "Authorization: Bearer sk-bench");
  curl_easy_setopt(b->easy, CURLOPT_URL, url);
  curl_easy_setopt(b->easy, CURLOPT_HTTPHEADER, b->headers);
  curl_easy_setopt(b->easy, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(b->easy, CURLOPT_WRITEDATA, &b->received);
}

static void bare_ask(Bare *b, const char *prompt) {
  char body[512];
  snprintf(body, sizeof body,
           "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}",
           prompt);
  curl_easy_setopt(b->easy, CURLOPT_POSTFIELDS, body);
  if (curl_easy_perform(b->easy) != CURLE_OK || b->received == 0) {
    die("curl_easy_perform", "failed");
  }
  b->received = 0;
}

static void set_latency(int ms) {
  char body[32], url[256];
  CURL *easy = curl_easy_init();
  size_t n = 0;
  snprintf(body, sizeof body, "{\"ms\":%d}", ms);
  snprintf(url, sizeof url, "%s/standin/latency", base);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &n);
  curl_easy_perform(easy);
  curl_easy_cleanup(easy);
}

/* ---- wall */

static void bench_wall(sqlite3_stmt *stmt, Bare *bare) {
  double ours[MOST_WALL_CALLS], theirs[MOST_WALL_CALLS], ratio[MOST_WALL_CALLS];
  char prompt[64];
  set_latency(50);
  for (int i = 0; i < wall_calls; i++) {
    snprintf(prompt, sizeof prompt, "wall question %d", i);
    double t0 = wall_now();
    ask(stmt, prompt);
    double t1 = wall_now();
    bare_ask(bare, prompt);
    double t2 = wall_now();
    ours[i] = (t1 - t0) * 1e3;
    theirs[i] = (t2 - t1) * 1e3;
    ratio[i] = ours[i] / theirs[i];
  }
  set_latency(0);
  printf("wall per call, 50 ms latency   llm_complete %.2f ms, bare curl %.2f ms, ratio %.3f (aim "
         "<= 1.05)\n",
         median(ours, wall_calls), median(theirs, wall_calls), median(ratio, wall_calls));
}

/* ---- cpu, whole and by part */

/* A stage of the pipeline, driven alone. */
typedef struct Parts {
  Conn *conn;
  Store *store;
  Options options;
  char answer[2048]; /* a real answer, for the parser */
  size_t answer_n;
} Parts;

static double per_call_us(double seconds, int n) {
  return seconds / n * 1e6;
}

static double part_build(Parts *p) {
  double t0 = cpu_now();
  for (int i = 0; i < cpu_calls; i++) {
    Call k;
    Plan plan;
    Request r = {0};
    Err err = {0};
    if (request_from_prompt("part question", 13, &p->options, &r, &err) ||
        plan_make(p->conn, &r, &plan, &err) || call_start(&k, p->conn, &r, NULL, &plan, &err) ||
        route_choose(&k, &err)) {
      die("build", err.msg);
    }
    call_free(&k);
    request_free(&r);
  }
  return per_call_us(cpu_now() - t0, cpu_calls);
}

static int never(void *unused) {
  (void)unused;
  return 0;
}

static double part_transfer(Parts *p) {
  static const char body[] = "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\","
                             "\"content\":\"part question\"}]}";
  char url[256];
  const char *headers[] = {"Content-Type: application/json", "Authorization: Bearer sk-bench",
                           NULL};
  Err err = {0};
  snprintf(url, sizeof url, "%s/v1/chat/completions", base);
  NetRequest q = {.url = url,
                  .headers = headers,
                  .body = body,
                  .n = sizeof body - 1,
                  .connect_ms = 1000,
                  .idle_ms = 10000,
                  .total_ms = 10000,
                  .interrupted = never};
  Net *net = net_open(&err);
  double t0 = cpu_now();
  for (int i = 0; i < cpu_calls; i++) {
    NetResponse response;
    if (net_post(net, &q, &response, &err) != RC_OK || response.result != NET_ANSWERED) {
      die("transfer", response.why);
    }
    p->answer_n = response.body.n < sizeof p->answer ? response.body.n : sizeof p->answer;
    memcpy(p->answer, response.body.data, p->answer_n);
    net_response_free(&response);
  }
  double us = per_call_us(cpu_now() - t0, cpu_calls);
  net_close(net);
  return us;
}

static double part_parse(Parts *p) {
  double t0 = cpu_now();
  for (int i = 0; i < cpu_calls; i++) {
    Err err = {0};
    Reply reply = {0};
    PricingAnswer priced;
    Body body;
    int ok = body_read(p->answer, p->answer_n, "", &body, &err) == RC_OK &&
             provider_api("openai")->parse(&body, &reply, &err) == RC_OK;
    if (ok) {
      provider_read_usage(body.tree, "openai", &reply);
    }
    PricingAsk ask = {.model = reply.model, .provider = "openai", .at_ms = 1795384400000};
    if (!ok || pricing_refresh(p->conn, NULL, &err) != RC_OK ||
        pricing_answer(p->conn, &ask, &reply.usage, &priced, &err) != PRICED) {
      die("parse", err.msg);
    }
    reply_free(&reply);
    body_free(&body);
  }
  return per_call_us(cpu_now() - t0, cpu_calls);
}

static double part_store(Parts *p) {
  double t0 = cpu_now();
  for (int i = 0; i < cpu_calls; i++) {
    Err err = {0};
    LedgerBegin outcome;
    LedgerRow row;
    char prompt[64], id[32];
    int n = snprintf(prompt, sizeof prompt, "stored question %d", i);
    snprintf(id, sizeof id, "1a2053fdb%07d", i);
    Hash hash = hash_bytes(prompt, (size_t)n, 0);
    Hash key = hash_bytes(prompt, (size_t)n, p->store->seed);
    LedgerText text = {hash, prompt, (size_t)n};
    row_init(&row);
    row.request_id = id;
    row.ts = now_ms();
    row.kind = KIND_UNKNOWN;
    row.model_requested = "gpt-4o-mini";
    Answer a = {.key = key,
                .text = p->answer,
                .n = 120,
                .created_at = row.ts,
                .expires_at = LEDGER_NULL,
                .cost_nusd = 1};
    const LedgerIntent intent = {.key = &key, .now = row.ts, .lease_until = row.ts + 60000};
    if (ledger_begin(p->store, &row, &intent, &text, 1, &outcome, &err) != RC_OK) {
      die("store", err.msg);
    }
    row.kind = KIND_CALL;
    row.cost_nusd = 1;
    const LedgerEnd end = {.answers = &a};
    if (ledger_settle(p->store, &row, &end, &err) != RC_OK) {
      die("store", err.msg);
    }
  }
  return per_call_us(cpu_now() - t0, cpu_calls);
}

static void bench_cpu(sqlite3 *db, sqlite3_stmt *stmt, Bare *bare, Parts *p) {
  char prompt[64];
  ask(stmt, "warm up");
  bare_ask(bare, "warm up");
  double t0 = cpu_now(), w0 = wall_now();
  for (int i = 0; i < cpu_calls; i++) {
    snprintf(prompt, sizeof prompt, "cpu question %d", i);
    ask(stmt, prompt);
  }
  double ours = per_call_us(cpu_now() - t0, cpu_calls),
         ours_wall = per_call_us(wall_now() - w0, cpu_calls);
  t0 = cpu_now();
  w0 = wall_now();
  for (int i = 0; i < cpu_calls; i++) {
    snprintf(prompt, sizeof prompt, "cpu question %d", i);
    bare_ask(bare, prompt);
  }
  double theirs = per_call_us(cpu_now() - t0, cpu_calls),
         theirs_wall = per_call_us(wall_now() - w0, cpu_calls);
  (void)db;
  printf("CPU per call, 0 ms latency     llm_complete %.0f us, bare curl %.0f us, ratio %.2f (wall "
         "%.0f and %.0f us)\n",
         ours, theirs, ours / theirs, ours_wall, theirs_wall);
  double build = part_build(p), transfer = part_transfer(p), parse = part_parse(p),
         store = part_store(p);
  printf("  by part, each driven alone   build %.0f us, transfer %.0f us, parse %.0f us, store "
         "%.0f us (two durable commits)\n",
         build, transfer, parse, store);
}

/* ---- hits */

static void make_prompt(char *out, size_t size, long i) {
  snprintf(out, size, "Question number %ld: how do I return the item of order %ld?", i,
           i * 7919 % 1000003);
}

static void make_answer(char *out, size_t size, long i) {
  snprintf(out, size,
           "Answer %ld: you can return an unused item within 30 days of delivery. Open Orders, "
           "choose the "
           "item and print the prepaid label. (ref %08lx)",
           i, i * 2654435761 % 4294967296);
}

static void prompt_key(Parts *p, long i, Hash *key) {
  char prompt[128];
  Request r = {0};
  Err err = {0};
  make_prompt(prompt, sizeof prompt, i);
  if (request_from_prompt(prompt, strlen(prompt), &p->options, &r, &err) ||
      request_key(&r, &(KeyBeside){NULL, NULL}, p->store->seed, key, &err)) {
    die("key", err.msg);
  }
  request_free(&r);
}

static void fill_store(Parts *p, long n) {
  Err err = {0};
  sqlite3_stmt *stmt = store_stmt(p->store, SQL_PUT_ANSWER, &err);
  exec(p->store->db, "PRAGMA synchronous=OFF; BEGIN");
  for (long i = 0; i < n; i++) {
    Hash key;
    char answer[256];
    unsigned long long half[2] = {0, 0};
    prompt_key(p, i, &key);
    make_answer(answer, sizeof answer, i);
    for (int b = 0; b < 16; b++) {
      half[b / 8] = half[b / 8] << 8 | key.b[b];
    }
    sqlite3_bind_int64(stmt, 1, (long long)half[0]);
    sqlite3_bind_int64(stmt, 2, (long long)half[1]);
    sqlite3_bind_text(stmt, 3, answer, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 4, 1795384400000);
    sqlite3_bind_text(stmt, 7, "openai", -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 8, "gpt-4o-mini-2024-07-18", -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 11, 18150);
    if (sqlite3_step(stmt) != SQLITE_DONE) {
      die("fill", sqlite3_errmsg(p->store->db));
    }
    sqlite3_reset(stmt);
  }
  store_done(p->store, stmt);
  exec(p->store->db, "COMMIT; PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)");
}

static void redis_set_all(redisContext *redis, Parts *p, long n) {
  for (long i = 0; i < n; i++) {
    Hash key;
    char answer[256];
    prompt_key(p, i, &key);
    make_answer(answer, sizeof answer, i);
    redisAppendCommand(redis, "SET %b %s", key.b, sizeof key.b, answer);
    if (i % 1000 == 999 || i == n - 1) {
      void *reply;
      for (long k = i - i % 1000; k <= i; k++) {
        if (redisGetReply(redis, &reply) != REDIS_OK) {
          die("redis", redis->errstr);
        }
        freeReplyObject(reply);
      }
    }
  }
}

static void bench_hits(sqlite3_stmt *stmt, Parts *p, redisContext *redis, long n) {
  enum { ROUNDS = 5 };
  double ours[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];
  unsigned long long random = 88172645463325252ULL;
  fill_store(p, n);
  redis_set_all(redis, p, n);
  for (int round = 0; round < ROUNDS; round++) {
    char prompt[128];
    double t0 = wall_now();
    for (int i = 0; i < hits / ROUNDS; i++) {
      random ^= random << 13, random ^= random >> 7, random ^= random << 17;
      make_prompt(prompt, sizeof prompt, (long)(random % (unsigned long long)n));
      ask(stmt, prompt);
    }
    double t1 = wall_now();
    for (int i = 0; i < hits / ROUNDS; i++) {
      Hash key;
      random ^= random << 13, random ^= random >> 7, random ^= random << 17;
      prompt_key(p, (long)(random % (unsigned long long)n), &key);
      redisReply *reply = redisCommand(redis, "GET %b", key.b, sizeof key.b);
      if (!reply || reply->type != REDIS_REPLY_STRING) {
        die("redis GET", redis->errstr);
      }
      freeReplyObject(reply);
    }
    double t2 = wall_now();
    ours[round] = per_call_us(t1 - t0, hits / ROUNDS);
    theirs[round] = per_call_us(t2 - t1, hits / ROUNDS);
    ratio[round] = theirs[round] / ours[round];
  }
  printf("exact hit among %ld answers    llm_complete %.1f us with its ledger row (aim <= 20), "
         "Redis GET %.1f us, "
         "%.1f x faster (aim >= 3)\n",
         n, median(ours, ROUNDS), median(theirs, ROUNDS), median(ratio, ROUNDS));
}

int main(int argc, char **argv) {
  if (argc < 3) {
    die("usage", "bench_call STANDIN_URL REDIS_PORT [CACHED_ANSWERS [quick]]");
  }
  base = argv[1];
  long n = argc > 3 ? strtol(argv[3], NULL, 10) : 1000000;
  if (argc > 4 && strcmp(argv[4], "quick") == 0) {
    wall_calls = 3;
    cpu_calls = 100;
    hits = 2000;
  }
  Bare bare = {0};
  Err err = {0};
  sqlite3_stmt *stmt;
  sqlite3 *db = open_desk("build/bench/call.db");
  if (sqlite3_prepare_v2(db, "SELECT llm_complete(?1)", -1, &stmt, NULL) != SQLITE_OK) {
    die("prepare", sqlite3_errmsg(db));
  }
  bare_open(&bare);
  bench_wall(stmt, &bare);
  Parts parts = {.conn = conn_new(db, embedders_find, 0)};
  options_init(&parts.options);
  parts.store = conn_store(parts.conn, 1, &err);
  if (!parts.store) {
    die("store", err.msg);
  }
  bench_cpu(db, stmt, &bare, &parts);
  redisContext *redis = redisConnect("127.0.0.1", (int)strtol(argv[2], NULL, 10));
  if (!redis || redis->err) {
    die("redis", redis ? redis->errstr : "no memory");
  }
  bench_hits(stmt, &parts, redis, n);
  redisFree(redis);
  sqlite3_finalize(stmt);
  conn_unref(parts.conn);
  sqlite3_close(db);
  curl_slist_free_all(bare.headers);
  curl_easy_cleanup(bare.easy);
  return 0;
}
