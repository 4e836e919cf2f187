/*
** Batches in the store and batch_submit in the user's database: settled once, told from the store alone, whoever is killed between
** the two files. (Linked with all of the extension and with SQLite itself.)
**
** BATCHES_N=50000: how many requests the last test takes; with more than the usual it prints how fast that was.
*/
#define SQLITE_CORE /* this file calls SQLite itself */
#include "unit.h"

#include "base/clock.h"
#include "conn/conn.h"
#include "llmcost.h"
#include "store/batches/batches.h"
#include "store/batches/queues.h"
#include "store/host/queue.h"
#include "store/db/mode.h"
#include "store/open.h"
#include "work/embedders.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], desk[128], store_path[160];

static void must(const Err *err, const char *what) {
  check(err->rc == RC_OK, "%s: %s", what, err->msg);
}

static void run(sqlite3 *db, const char *sql) {
  char *message = NULL;
  int rc = sqlite3_exec(db, sql, NULL, NULL, &message);
  check(rc == SQLITE_OK, "%s: %s", sql, message);
}

static long long number(sqlite3 *db, const char *sql) {
  sqlite3_stmt *stmt = NULL;
  check(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s: %s", sql,
        sqlite3_errmsg(db));
  check(sqlite3_step(stmt) == SQLITE_ROW, "%s: no row", sql);
  long long value = sqlite3_column_int64(stmt, 0);
  sqlite3_finalize(stmt);
  return value;
}

/* A user's database and its store, as one process has them. */
typedef struct Desk {
  sqlite3 *db;
  Conn *conn;
  Store *s;
  char queue[QUEUE_ID];
} Desk;

static void open_desk(Desk *d) {
  Err err = {0};
  QueueSeen seen;
  check(sqlite3_open(desk, &d->db) == SQLITE_OK, "open");
  sqlite3_busy_timeout(d->db, 10000);
  run(d->db, "PRAGMA journal_mode = wal");
  queue_make(d->db, &err);
  must(&err, "make");
  check(queue_look(d->db, d->queue, &err) == 1, "look: %s", err.msg);
  d->conn = conn_new(d->db, embedders_find, 0);
  d->s = store_open(d->db, &mode_file, store_path, STORE_NAMED, &d->conn->host, &err);
  must(&err, "open the store");
  queues_see(d->s, d->queue, desk, &seen, &err);
  must(&err, "see");
}

static void close_desk(Desk *d) {
  store_close(d->s);
  conn_unref(d->conn);
  sqlite3_close(d->db);
}

static void new_desk(Desk *d) {
  char command[256];
  snprintf(command, sizeof command, "rm -f '%s'*", desk);
  check(system(command) == 0, "%s", command);
  open_desk(d);
}

static int new_folder(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/llmcost-batches-XXXXXX");
  check(mkdtemp(folder), "mkdtemp");
  snprintf(desk, sizeof desk, "%s/desk.db", folder);
  snprintf(store_path, sizeof store_path, "%s-llmcost", desk);
  setenv("XDG_STATE_HOME", folder, 1);
  /* What is linked in calls SQLite as a loaded extension does. */
  sqlite3 *db = NULL;
  sqlite3_auto_extension((void (*)(void))sqlite3_llmcost_init);
  check(sqlite3_open(":memory:", &db) == SQLITE_OK, "open");
  sqlite3_close(db);
  sqlite3_reset_auto_extension();
  return 0;
}

static int end_folder(void **state) {
  char command[128];
  (void)state;
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  return system(command);
}

/* ---- a batch's life, in steps at each of which the process may be killed */

enum { COST = 700, FULL = 1400, HELD = 1000, CHUNK = 3 };

static int steps_left = -1; /* until it is killed; negative: never */

static void step(void) {
  if (steps_left >= 0 && steps_left-- == 0) {
    _exit(9);
  }
}

static const long long started = 1796000000000LL;

static long long open_batch(Desk *d, long long now, Err *err) {
  BatchNew b = {.queue = d->queue,
                .form = "openai",
                .provider = "openai",
                .model = "gpt-4o-mini",
                .endpoint = "/v1/chat/completions",
                .base_url = "http://127.0.0.1/v1",
                .key_env = "OPENAI_API_KEY",
                .mark = "llmcost-1",
                .wire_tag = "abc",
                .now = now,
                .lease_ms = 60000};
  return batches_open(d->s, &b, err);
}

static const BatchGroup nightly = {0, 0, "nightly", "ann", NULL, NULL, NULL};

/* Requests 1 … n of attempt 1, written and sealed; a step between all. */
static long long begin_batch(Desk *d, int n) {
  Err err = {0};
  Hash key = {{0}};
  long long batch = open_batch(d, started, &err);
  step();
  batches_hold(d->s, batch, &nightly, 1, &err);
  step();
  for (int i = 1; i <= n; i++) {
    key.b[0] = (unsigned char)i;
    key.b[9] = (unsigned char)(i >> 8);
    BatchItem item = {i, 1, 0, &key, "00ff", HELD, i};
    batches_add(d->s, batch, &item, 1, &err);
    step();
  }
  batches_seal(d->s, batch, &(BatchSize){1, LEDGER_NULL, LEDGER_NULL}, &err);
  must(&err, "begin");
  step();
  return batch;
}

/* What came of request i. Every fifth is to be asked again and cost nothing; its row says why. */
static void result_of(int i, LedgerRow *row, Answer *answer, ItemResult *r) {
  static const char text[] = "Paris";
  int is_done = i % 5 != 0;
  row_init(row);
  row->kind = KIND_BATCH;
  row->model = "gpt-4o-mini-2024-07-18";
  row->input_tokens = 10;
  row->cost_nusd = is_done ? COST : 0;
  row->error = is_done ? NULL : "busy";
  *answer = (Answer){.text = text,
                     .n = sizeof text - 1,
                     .created_at = started,
                     .expires_at = LEDGER_NULL,
                     .provider = "openai",
                     .model = "gpt-4o-mini",
                     .cost_nusd = COST};
  *r = (ItemResult){.submit_id = i,
                    .attempt = 1,
                    .outcome = is_done ? ITEM_DONE : ITEM_AGAIN,
                    .row = row,
                    .answer = is_done ? answer : NULL,
                    .text = is_done ? text : NULL,
                    .n = is_done ? sizeof text - 1 : 0,
                    .error = is_done ? NULL : "busy",
                    .full_nusd = is_done ? FULL : 0};
}

/* Settles from … to, a chunk at a time. How many were new. */
static int settle(Desk *d, long long batch, int from, int to) {
  int n_new = 0;
  for (int at = from; at <= to; at += CHUNK) {
    Err err = {0};
    LedgerRow rows[CHUNK];
    Answer answers[CHUNK];
    ItemResult results[CHUNK];
    int n = 0;
    for (; n < CHUNK && at + n <= to; n++) {
      result_of(at + n, &rows[n], &answers[n], &results[n]);
    }
    batches_settle(d->s, batch, results, n, started + 9, &err);
    must(&err, "settle");
    for (int i = 0; i < n; i++) {
      n_new += results[i].was == ITEM_NOW;
      check(results[i].was != ITEM_UNKNOWN, "item %d", at + i);
    }
    step();
  }
  return n_new;
}

/* Brings batch_submit to 'sending' from the store. */
static int mark_row(void *arg, const ItemRow *item, Err *err) {
  char sql[200];
  (void)err;
  snprintf(
      sql, sizeof sql,
      "UPDATE batch_submit SET status = 'sending', attempts = %lld, batch_id = 1 WHERE id = %lld"
      " AND status = 'queued' AND attempts < %lld",
      item->attempt, item->submit_id, item->attempt);
  run(arg, sql);
  return 0;
}

typedef struct Telling {
  sqlite3 *db;
  long long ids[100];
  int n;
} Telling;

/* Into batch_submit, by the store's words alone; what it has already stays. */
static int tell_row(void *arg, const ItemRow *item, Err *err) {
  Telling *t = arg;
  (void)err;
  char *sql = sqlite3_mprintf(
      "UPDATE batch_submit SET status = %Q, answer = %Q, error = %Q, cost_usd = %lld / 1e9,"
      " attempts = %lld, finished_at = coalesce(finished_at, 0) + 1, batch_id = CASE %Q"
      " WHEN 'queued' THEN NULL ELSE batch_id END WHERE id = %lld"
      " AND status IN ('sending', 'submitted')",
      item->outcome, item->answer, item->error, item->cost_nusd, item->attempt, item->outcome,
      item->submit_id);
  run(t->db, sql);
  sqlite3_free(sql);
  t->ids[t->n++] = item->submit_id;
  return 0;
}

static void tell(Desk *d, long long batch) {
  Err err = {0};
  ItemWalk walk = {.batch = batch, .which = ITEMS_UNTOLD, .most = 4};
  do {
    Telling t = {.db = d->db};
    run(d->db, "BEGIN IMMEDIATE");
    batches_items(d->s, &walk, tell_row, &t, &err);
    must(&err, "items");
    step();
    run(d->db, "COMMIT");
    step(); /* batch_submit has it, and the store does not know */
    batches_told(d->s, batch, t.ids, t.n, &err);
    must(&err, "told");
    step();
  } while (walk.n == walk.most);
}

typedef struct Found {
  long long id, is_marked, ended_at;
  char state[16], owner[200];
} Found;

static int find(void *arg, const BatchRow *row, Err *err) {
  Found *f = arg;
  (void)err;
  f->id = row->id;
  f->is_marked = row->is_marked;
  f->ended_at = row->ended_at;
  snprintf(f->state, sizeof f->state, "%s", row->state);
  snprintf(f->owner, sizeof f->owner, "%s", row->owner ? row->owner : "");
  return RC_OK;
}

static void mark(Desk *d, long long batch) {
  Err err = {0};
  ItemWalk walk = {.batch = batch, .which = ITEMS_OPEN, .most = 1000};
  run(d->db, "BEGIN IMMEDIATE");
  batches_items(d->s, &walk, mark_row, d->db, &err);
  step();
  run(d->db, "COMMIT");
  step();
  BatchNote note;
  batches_note_init(&note);
  note.is_marked = 1;
  batches_note(d->s, batch, &note, &err);
  must(&err, "mark");
  step();
}

/* Whoever comes: goes on from what the store says, to the end. */
static void go_on(Desk *d, int n) {
  Err err = {0};
  Found f = {0};
  batches_each(d->s->db, BATCHES_OPEN, d->queue, find, &f, &err);
  if (f.id && strcmp(f.state, "opening") == 0) {
    batches_drop(d->s, f.id, &err);
    must(&err, "drop");
    f.id = 0;
  }
  if (!f.id && number(d->s->db, "SELECT count(*) FROM llm_batches") == 0) {
    f.id = begin_batch(d, n);
  }
  if (!f.id) {
    return; /* all of it is over */
  }
  if (!f.is_marked) {
    mark(d, f.id);
  }
  check(batches_take(d->s, f.id, now_ms(), 1000, &err) == 1, "take: %s", err.msg);
  BatchNote note;
  batches_note_init(&note);
  note.provider_id = "batch_1";
  note.sent_at = started + 1;
  batches_note(d->s, f.id, &note, &err);
  step();
  note.ended_at = started + 2;
  batches_note(d->s, f.id, &note, &err);
  must(&err, "note");
  step();
  if (number(d->s->db, "SELECT state <> 'settled' FROM llm_batches")) {
    settle(d, f.id, 1, n);
  }
  tell(d, f.id);
}

enum { KILLED_N = 10 };

static void check_end(Desk *d, int killed_at) {
  static const struct {
    const char *sql;
    long long value;
  } store[] =
      {
          {"SELECT count(*) FROM llm_batches WHERE state = 'settled' AND untold = 0 AND items = 10",
           1},
          {"SELECT count(*) FROM llm_batch_items", 0},
          {"SELECT count(*) FROM llm_batch_groups", 0},
          {"SELECT count(*) FROM llm_batch_answers", 0},
          {"SELECT count(*) FROM llm_intents", 0},
          {"SELECT count(*) FROM llm_calls WHERE kind = 'batch' AND tag = 'nightly' AND user = "
           "'ann'"
           " AND ts = 1796000000000 AND prompt_hash = '00ff' AND service = 'batch' AND attempt = 1",
           KILLED_N},
          {"SELECT sum(cost_nusd) FROM llm_calls", 8 * COST},
          {"SELECT count(DISTINCT request_id) FROM llm_calls", KILLED_N},
          {"SELECT cost_nusd FROM llm_batches", 8 * COST},
          {"SELECT full_nusd FROM llm_batches", 8 * FULL},
          {"SELECT count(*) FROM llm_answers", 8},
      },
    table[] = {
        {"SELECT count(*) FROM batch_submit WHERE status = 'done' AND answer = 'Paris' AND "
         "attempts = 1"
         " AND finished_at = 1 AND cost_usd = 7e-7",
         8},
        {"SELECT count(*) FROM batch_submit WHERE status = 'queued' AND error = 'busy' AND "
         "attempts = 1",
         2},
    };
  for (size_t i = 0; i < COUNT(store); i++) {
    long long is = number(d->s->db, store[i].sql);
    check(is == store[i].value, "killed at %d: %s: %lld", killed_at, store[i].sql, is);
  }
  for (size_t i = 0; i < COUNT(table); i++) {
    long long is = number(d->db, table[i].sql);
    check(is == table[i].value, "killed at %d: %s: %lld", killed_at, table[i].sql, is);
  }
}

/* One process, killed at its k-th step, without a chance to clean up; then another. 0 once k is past the end. */
static int live_until(int k) {
  Desk d;
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    steps_left = k;
    open_desk(&d);
    go_on(&d, KILLED_N);
    _exit(0);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  check(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0), "%d: %d", k,
        status);
  return WEXITSTATUS(status) == 9;
}

static void test_killed_anywhere(void **state) {
  int k = 0, was_killed = 1;
  (void)state;
  for (; was_killed; k++) {
    Desk d;
    new_desk(&d);
    run(d.db, "INSERT INTO batch_submit(prompt) VALUES ('a'),('b'),('c'),('d'),('e'),('f'),('g'),"
              "('h'),('i'),('j')");
    close_desk(&d);
    was_killed = live_until(k);
    live_until(k / 2); /* and another that comes to heal it */
    open_desk(&d);
    go_on(&d, KILLED_N);
    check_end(&d, k);
    close_desk(&d);
  }
  check(k > 25, "only %d steps", k);
}

/* ---- */

static void test_settled_once(void **state) {
  Desk d;
  Err err = {0};
  LedgerRow row;
  Answer answer;
  ItemResult r[3];
  (void)state;
  new_desk(&d);
  long long batch = begin_batch(&d, 6);
  assert_int_equal(settle(&d, batch, 1, 3), 3);
  assert_int_equal(settle(&d, batch, 1, 4), 1);
  result_of(99, &row, &answer, &r[0]);
  result_of(6, &row, &answer, &r[1]);
  r[1].attempt = 2;
  result_of(2, &row, &answer, &r[2]);
  batches_settle(d.s, batch, r, 3, started, &err);
  must(&err, "settle");
  assert_int_equal(r[0].was, ITEM_UNKNOWN);
  assert_int_equal(r[1].was, ITEM_UNKNOWN);
  assert_int_equal(r[2].was, ITEM_BEFORE);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_calls"), 4);
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups"), 2 * HELD);
  assert_int_equal(
      number(d.s->db, "SELECT settled * 100 + untold * 10 + answered FROM llm_batches"), 444);
  /* the provider says that it is over: the rest was never begun */
  assert_int_equal(batches_rest(d.s, batch, ITEM_EXPIRED, "the batch expired", started + 5, &err),
                   2);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_batches WHERE state = 'begun'"), 1);
  BatchNote note;
  batches_note_init(&note);
  note.ended_at = started + 6;
  batches_note(d.s, batch, &note, &err);
  must(&err, "end");
  assert_int_equal(number(d.s->db, "SELECT settled_at FROM llm_batches WHERE state = 'settled'"),
                   started + 6);
  assert_int_equal(number(d.s->db, "SELECT sum(held_nusd) FROM llm_batch_groups"), 0);
  assert_int_equal(settle(&d, batch, 5, 6), 0);
  assert_int_equal(batches_rest(d.s, batch, ITEM_FAILED, "no", started + 7, &err), 0);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_calls"), 4);
  close_desk(&d);
}

static void test_leases(void **state) {
  Desk a, b;
  Err err = {0};
  long long now = now_ms();
  (void)state;
  new_desk(&a);
  open_desk(&b);
  long long batch = begin_batch(&a, 1);
  assert_int_equal(batches_take(b.s, batch, started, 1000, &err), 0); /* who began it has it */
  assert_int_equal(batches_take(b.s, batch, started + 60001, 1000, &err), 1);
  assert_int_equal(batches_take(a.s, batch, started + 60002, 1000, &err), 0);
  assert_int_equal(batches_leave(a.s, batch, &err), RC_OK); /* not a's: nothing happens */
  assert_int_equal(batches_take(a.s, batch, started + 60002, 1000, &err), 0);
  assert_int_equal(batches_leave(b.s, batch, &err), RC_OK);
  assert_int_equal(batches_take(a.s, batch, started + 60002, 1000, &err), 1);
  assert_int_equal(batches_leave(a.s, batch, &err), RC_OK);
  assert_int_equal(batches_take(a.s, 77, now, 1000, &err), 0);
  assert_int_equal(queues_take(a.s, a.queue, now, 1000, &err), 1);
  assert_int_equal(queues_take(b.s, b.queue, now, 1000, &err), 0);
  assert_int_equal(queues_leave(a.s, a.queue, &err), RC_OK);
  pid_t pid = fork();
  if (pid == 0) {
    Desk c;
    open_desk(&c);
    int is_taken = queues_take(c.s, c.queue, now, 1000000, &err) == 1;
    _exit(is_taken ? 0 : 1); /* and dies with it */
  }
  int status;
  waitpid(pid, &status, 0);
  assert_int_equal(status, 0);
  assert_int_equal(queues_take(b.s, b.queue, now, 1000, &err), 1);
  must(&err, "leases");
  close_desk(&a);
  close_desk(&b);
}

static void test_held(void **state) {
  Desk d;
  Err err = {0};
  (void)state;
  new_desk(&d);
  BudgetValues none = {.text = {NULL}};
  ReserveLimit limit = {
      .set = 0, .values = none, .span = {0, started + 100}, .limit_nusd = 5 * HELD};
  Reserve r = {.limits = &limit, .n = 1, .now = started, .most_nusd = 6 * HELD};
  BatchGroup asked = nightly;
  asked.reserve = &r;
  long long batch = open_batch(&d, started, &err);
  batches_hold(d.s, batch, &asked, 1, &err);
  must(&err, "hold");
  assert_int_equal(r.outcome, RESERVE_REFUSED);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_batch_groups"), 0);
  r.most_nusd = 4 * HELD;
  batches_hold(d.s, batch, &asked, 1, &err);
  assert_int_equal(r.outcome, RESERVE_FITS);
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups"), 4 * HELD);
  for (int i = 1; i <= 3; i++) { /* three hold less than was allowed for */
    BatchItem item = {i, 1, 0, NULL, NULL, HELD, i};
    batches_add(d.s, batch, &item, 1, &err);
  }
  batches_seal(d.s, batch, &(BatchSize){1, LEDGER_NULL, LEDGER_NULL}, &err);
  must(&err, "seal");
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups"), 3 * HELD);
  /* a call that does not fit beside it is not kept waiting for a day */
  r.most_nusd = 2 * HELD + 1;
  reserve_ask(d.s, &r, ledger_bury, &err);
  assert_int_equal(r.outcome, RESERVE_REFUSED);
  assert_int_equal(limit.booked_nusd, 3 * HELD);
  settle(&d, batch, 1, 3);
  reserve_ask(d.s, &r, ledger_bury, &err);
  assert_int_equal(r.outcome, RESERVE_FITS);
  assert_int_equal(limit.spent.nusd, 3 * COST);
  assert_int_equal(limit.booked_nusd, 0);
  /* one that was never sealed holds nothing once it was taken back */
  batch = open_batch(&d, started, &err);
  batches_hold(d.s, batch, &asked, 1, &err);
  assert_int_equal(batches_drop(d.s, batch, &err), RC_OK);
  assert_int_equal(number(d.s->db, "SELECT sum(held_nusd) FROM llm_batch_groups"), 0);
  batches_seal(d.s, batch, &(BatchSize){1, LEDGER_NULL, LEDGER_NULL}, &err);
  check_error(&err, "store", "took it back", "seal");
  close_desk(&d);
}

/* Requests of different conversations count alike: one group holds for all of them. */
static void test_holder(void **state) {
  Desk d;
  Err err = {0};
  Hash key = {{1}};
  (void)state;
  new_desk(&d);
  const BatchGroup groups[] = {
      nightly, {1, 0, "nightly", "ann", "c-1", "aa", NULL}, {2, 2, NULL, NULL, "c-2", NULL, NULL}};
  const BatchItem items[] = {{1, 1, 0, &key, NULL, HELD, 1},
                             {2, 1, 1, NULL, NULL, HELD, 2},
                             {3, 1, 2, NULL, NULL, HELD, 3}};
  long long batch = open_batch(&d, started, &err);
  batches_hold(d.s, batch, groups, 3, &err);
  batches_add(d.s, batch, items, 3, &err);
  batches_seal(d.s, batch, &(BatchSize){1, LEDGER_NULL, LEDGER_NULL}, &err);
  must(&err, "seal");
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups WHERE number = 0"),
                   2 * HELD);
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups WHERE number = 1"), 0);
  assert_int_equal(settle(&d, batch, 2, 3), 2);
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups WHERE number = 0"),
                   HELD);
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups WHERE number = 2"), 0);
  assert_int_equal(
      number(d.s->db, "SELECT count(*) FROM llm_calls WHERE conversation = 'c-1' AND user = 'ann'"
                      " AND system_hash = 'aa' AND prompt_hash IS NULL"),
      1);
  assert_int_equal(
      number(d.s->db, "SELECT count(*) FROM llm_calls WHERE conversation = 'c-2' AND user IS NULL"),
      1);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_answers"), 0); /* they have no key */
  close_desk(&d);
}

/* Opening marks what dead processes left: nothing of a batch is that, a month later. */
static void test_lives_for_days(void **state) {
  Desk d;
  Err err = {0};
  (void)state;
  new_desk(&d);
  pid_t pid = fork();
  if (pid == 0) {
    Desk c;
    open_desk(&c);
    begin_batch(&c, 4);
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  ledger_recover(d.s, started + 30LL * 86400000, &err);
  must(&err, "recover");
  assert_int_equal(number(d.s->db, "SELECT held_nusd FROM llm_batch_groups"), 4 * HELD);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_batch_items WHERE outcome IS NULL"),
                   4);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_lost"), 0);
  Found f = {0};
  batches_each(d.s->db, BATCHES_UNSENT, NULL, find, &f, &err);
  assert_int_equal(f.id, 1);
  assert_int_equal(settle(&d, 1, 1, 4), 4);
  close_desk(&d);
}

static void test_two_pollers(void **state) {
  enum { N = 300, POLLERS = 2 };
  Desk d;
  pid_t pids[POLLERS];
  int n_new = 0, status;
  (void)state;
  new_desk(&d);
  begin_batch(&d, N);
  close_desk(&d);
  for (int i = 0; i < POLLERS; i++) {
    pids[i] = fork();
    if (pids[i] == 0) {
      open_desk(&d);
      int n = settle(&d, 1, 1, N);
      close_desk(&d);
      _exit(n * 100 / N);
    }
  }
  for (int i = 0; i < POLLERS; i++) {
    waitpid(pids[i], &status, 0);
    assert_true(WIFEXITED(status));
    n_new += WEXITSTATUS(status);
  }
  assert_in_range(n_new, 99, 100);
  open_desk(&d);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_calls"), N);
  assert_int_equal(number(d.s->db, "SELECT sum(cost_nusd) FROM llm_calls"), N / 5 * 4 * COST);
  assert_int_equal(number(d.s->db, "SELECT cost_nusd FROM llm_batches"), N / 5 * 4 * COST);
  close_desk(&d);
}

/* ---- the table */

static void test_table(void **state) {
  static const struct {
    const char *sql, *says; /* NULL: it is done */
  } cases[] = {
      {"INSERT INTO batch_submit(prompt) VALUES ('a') RETURNING id", NULL},
      {"INSERT INTO batch_submit(prompt, deadline) VALUES ('b', '2026-12-01 08:00'), ('c', "
       "'2026-12-01'),"
       " ('d', 1796000000000)",
       NULL},
      {"INSERT INTO batch_submit(prompt, deadline) VALUES ('b', 1796000000)", "not seconds"},
      {"INSERT INTO batch_submit(prompt, deadline) VALUES ('b', 'tomorrow')", "2026-12-01 08:00"},
      {"INSERT INTO batch_submit(prompt, deadline) VALUES ('b', 'now')", "2026-12-01 08:00"},
      {"INSERT INTO batch_submit(prompt, options) VALUES ('b', '[1]')", "a JSON object"},
      {"INSERT INTO batch_submit(prompt, options) VALUES ('b', '{')", "a JSON object"},
      {"INSERT INTO batch_submit(prompt) VALUES (NULL)", "NOT NULL"},
      {"INSERT INTO batch_submit(prompt) VALUES ('')", "JSON array of messages"},
      {"INSERT INTO batch_submit(prompt) VALUES (x'00')", "JSON array of messages"},
      {"INSERT INTO batch_submit(prompt, priority) VALUES ('a', 'high')", "whole number"},
      {"INSERT INTO batch_submit(prompt, status) VALUES ('a', 'done')", "status queued"},
      {"INSERT INTO batch_submit(id, prompt) VALUES (0, 'a')", "1 or more"},
      {"UPDATE batch_submit SET prompt = 'b', priority = 3 WHERE id = 1", NULL},
      {"UPDATE batch_submit SET status = 'submitted' WHERE id = 1", "no such step"},
      {"UPDATE batch_submit SET status = NULL WHERE id = 1", "no such step"},
      {"UPDATE batch_submit SET status = 'sending' WHERE id IN (1, 2)", NULL},
      {"UPDATE batch_submit SET prompt = 'c' WHERE id = 1", "under way"},
      {"UPDATE batch_submit SET rowid = 500 WHERE id = 1", "under way"},
      {"UPDATE batch_submit SET prompt = prompt, priority = 9 WHERE id = 1", NULL},
      {"DELETE FROM batch_submit WHERE id = 1", "under way"},
      {"DELETE FROM batch_submit", "under way"},
      {"REPLACE INTO batch_submit(id, prompt) VALUES (1, 'x')", "under way"},
      {"UPDATE OR REPLACE batch_submit SET id = 1 WHERE id = 3", "under way"},
      {"INSERT INTO batch_submit(id, prompt) VALUES (3, 'x') ON CONFLICT(id) DO UPDATE SET prompt ="
       " excluded.prompt",
       NULL},
      {"INSERT INTO batch_submit(id, prompt) VALUES (1, 'x') ON CONFLICT(id) DO NOTHING",
       "under way"},
      {"UPDATE batch_submit SET status = 'submitted' WHERE id = 1", NULL},
      {"UPDATE batch_submit SET status = 'sending' WHERE id = 1", "no such step"},
      {"UPDATE batch_submit SET status = 'done', answer = 'so' WHERE id = 1", NULL},
      {"UPDATE batch_submit SET status = 'failed' WHERE id = 1", "no such step"},
      {"UPDATE batch_submit SET status = 'queued' WHERE id = 1", NULL},
      {"DELETE FROM batch_submit WHERE id = 1", NULL},
  };
  sqlite3 *db;
  Err err = {0};
  (void)state;
  sqlite3_open(":memory:", &db);
  queue_make(db, &err);
  queue_make(db, &err);
  must(&err, "make");
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *message = NULL;
    int rc = sqlite3_exec(db, cases[i].sql, NULL, NULL, &message);
    check((rc != SQLITE_OK) == (cases[i].says != NULL), "%s: %s", cases[i].sql, message);
    check(!cases[i].says || strstr(message, cases[i].says), "%s: %s", cases[i].sql, message);
    sqlite3_free(message);
  }
  long long age = now_ms() - number(db, "SELECT max(created_at) FROM batch_submit");
  assert_in_range(age + 5000, 4990, 65000);
  sqlite3_close(db);
}

static void test_foreign(void **state) {
  static const struct {
    const char *sql, *says; /* NULL: that is fine */
  } cases[] = {
      {"SELECT 1", NULL},
      {"CREATE TEMP TRIGGER mine AFTER UPDATE ON main.batch_submit BEGIN SELECT 1; END", NULL},
      {"CREATE TABLE tickets(id, x); CREATE TRIGGER mine AFTER INSERT ON tickets BEGIN INSERT INTO"
       " batch_submit(prompt) SELECT new.x FROM batch_submit JOIN tickets ON batch_submit.id = 1; "
       "END",
       NULL},
      {"CREATE INDEX mine ON batch_submit(tag)", NULL},
      {"CREATE TRIGGER theirs AFTER UPDATE ON batch_submit BEGIN SELECT 1; END",
       "trigger 'theirs'"},
      {"CREATE TRIGGER theirs AFTER UPDATE OF \"status\" ON \"BATCH_submit\" BEGIN SELECT 1; END",
       "trigger 'theirs'"},
      {"CREATE TRIGGER theirs AFTER UPDATE ON main . [batch_submit] BEGIN SELECT 1; END",
       "trigger 'theirs'"},
      {"ALTER TABLE batch_submit ADD COLUMN note; ALTER TABLE batch_submit ADD COLUMN more",
       "columns note more"},
      {"ALTER TABLE batch_submit ADD COLUMN gen AS (id + 1)", "columns gen"},
      {"DROP TRIGGER batch_submit_delete", "lacks batch_submit_delete"},
      {"DROP TRIGGER batch_submit_delete; CREATE TRIGGER batch_submit_delete BEFORE DELETE ON "
       "batch_submit"
       " BEGIN SELECT 1; END",
       "trigger 'batch_submit_delete'"},
      {"DROP INDEX batch_submit_queued", "lacks batch_submit_queued"},
      {"DROP TABLE batch_queue", "lacks batch_queue"},
      {"UPDATE batch_queue SET id = 'x'", "no name"},
      {"DROP TABLE batch_submit; CREATE VIEW batch_submit AS SELECT 1 AS id",
       "the view 'batch_submit'"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    sqlite3 *db;
    Err err = {0};
    char id[QUEUE_ID];
    sqlite3_open(":memory:", &db);
    assert_int_equal(queue_look(db, id, &err), 0);
    queue_make(db, &err);
    must(&err, "make");
    run(db, cases[i].sql);
    int is = queue_look(db, id, &err);
    check(is == (cases[i].says ? -1 : 1), "%s: %d %s", cases[i].sql, is, err.msg);
    if (cases[i].says) {
      check_error(&err, "config", cases[i].says, cases[i].sql);
    } else {
      char again[QUEUE_ID];
      assert_int_equal(strlen(id), 32);
      assert_int_equal(queue_rename(db, again, &err), RC_OK);
      assert_string_not_equal(id, again);
    }
    sqlite3_close(db);
  }
}

static void copy_file(const char *from, const char *to, int is_move) {
  char command[400];
  snprintf(command, sizeof command, "%s '%s' '%s'", is_move ? "mv" : "cp", from, to);
  check(system(command) == 0, "%s", command);
}

static void test_copies(void **state) {
  Desk d;
  Err err = {0};
  QueueSeen seen;
  char other[200], third[200];
  (void)state;
  new_desk(&d);
  snprintf(other, sizeof other, "%s-other", desk);
  snprintf(third, sizeof third, "%s-third", desk);
  queues_see(d.s, d.queue, desk, &seen, &err);
  assert_int_equal(seen, QUEUE_KNOWN);
  queues_see(d.s, "0123456789abcdef0123456789abcdef", other, &seen, &err);
  assert_int_equal(seen, QUEUE_NEW);
  copy_file(desk, other, 0);
  queues_see(d.s, d.queue, other, &seen, &err);
  assert_int_equal(seen, QUEUE_COPY);
  copy_file(desk, third, 1);
  queues_see(d.s, d.queue, third, &seen, &err); /* it was moved */
  assert_int_equal(seen, QUEUE_KNOWN);
  queues_see(d.s, d.queue, other, &seen, &err); /* the copy still is one */
  assert_int_equal(seen, QUEUE_COPY);
  queues_see(d.s, d.queue, "", &seen, &err);
  assert_int_equal(seen, QUEUE_COPY);
  must(&err, "see");
  close_desk(&d);
}

/* ---- many */

enum { AT_ONCE = 1000 };

static void begin_many(Desk *d, long long batch, int n) {
  Err err = {0};
  static BatchItem items[AT_ONCE];
  static Hash keys[AT_ONCE];
  char hash[HASH_HEX_SIZE] = "0123456789abcdef0123456789abcdef";
  for (int at = 0; at < n; at += AT_ONCE) {
    for (int i = 0; i < AT_ONCE; i++) {
      unsigned long long mixed = (unsigned long long)(at + i + 1) * 0x9E3779B97F4A7C15ULL;
      memcpy(keys[i].b, &mixed, sizeof mixed);
      items[i] = (BatchItem){at + i + 1, 1, 0, &keys[i], hash, HELD, at + i + 1};
    }
    batches_add(d->s, batch, items, AT_ONCE, &err);
  }
  batches_seal(d->s, batch, &(BatchSize){1, LEDGER_NULL, LEDGER_NULL}, &err);
  must(&err, "begin many");
}

static void settle_many(Desk *d, long long batch, int n) {
  static LedgerRow rows[AT_ONCE];
  static Answer answers[AT_ONCE];
  static ItemResult results[AT_ONCE];
  for (int at = 0; at < n; at += AT_ONCE) {
    Err err = {0};
    for (int i = 0; i < AT_ONCE; i++) {
      result_of(at + i + 1, &rows[i], &answers[i], &results[i]);
    }
    batches_settle(d->s, batch, results, AT_ONCE, started, &err);
    must(&err, "settle many");
  }
}

static int take_id(void *arg, const ItemRow *item, Err *err) {
  long long **to = arg;
  (void)err;
  *(*to)++ = item->submit_id;
  return RC_OK;
}

static void tell_many(Desk *d, long long batch) {
  static long long ids[AT_ONCE];
  Err err = {0};
  ItemWalk walk = {.batch = batch, .which = ITEMS_UNTOLD, .most = AT_ONCE};
  do {
    long long *to = ids;
    batches_items(d->s, &walk, take_id, &to, &err);
    batches_told(d->s, batch, ids, walk.n, &err);
    must(&err, "tell many");
  } while (walk.n == walk.most);
}

static void test_many(void **state) {
  enum { USUAL = 2000 };
  const char *asked = getenv("BATCHES_N");
  int n = asked ? (int)strtol(asked, NULL, 10) : USUAL;
  Desk d;
  Err err = {0};
  (void)state;
  new_desk(&d);
  long long batch = open_batch(&d, started, &err);
  batches_hold(d.s, batch, &nightly, 1, &err);
  long long t0 = monotonic_ms();
  begin_many(&d, batch, n);
  long long t1 = monotonic_ms();
  settle_many(&d, batch, n);
  long long t2 = monotonic_ms();
  tell_many(&d, batch);
  long long t3 = monotonic_ms();
  if (n > USUAL) {
    printf("%d requests: begun %lld/s, settled %lld/s, told %lld/s\n", n,
           n * 1000LL / (t1 - t0 + 1), n * 1000LL / (t2 - t1 + 1), n * 1000LL / (t3 - t2 + 1));
  }
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_calls"), n);
  assert_int_equal(
      number(d.s->db, "SELECT sum(cost_nusd) FROM llm_sums WHERE dimension = 0 AND grain = 15"),
      n / 5 * 4LL * COST);
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_batch_answers"), 0);
  BatchNote note;
  batches_note_init(&note);
  note.ended_at = started;
  batches_note(d.s, batch, &note, &err);
  must(&err, "end");
  assert_int_equal(number(d.s->db, "SELECT count(*) FROM llm_batch_items"), 0);
  close_desk(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),       cmocka_unit_test(test_foreign),
      cmocka_unit_test(test_copies),      cmocka_unit_test(test_settled_once),
      cmocka_unit_test(test_leases),      cmocka_unit_test(test_held),
      cmocka_unit_test(test_holder),      cmocka_unit_test(test_lives_for_days),
      cmocka_unit_test(test_two_pollers), cmocka_unit_test(test_killed_anywhere),
      cmocka_unit_test(test_many),
  };
  return cmocka_run_group_tests(tests, new_folder, end_folder);
}
