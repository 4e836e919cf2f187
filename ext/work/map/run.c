/*
** See run.h for the contract.
*/
#include "work/map/run.h"

#include "base/check.h"
#include "base/sqlite/select.h"
#include "call/call.h"
#include "work/map/columns.h"
#include "work/map/order.h"
#include "work/pool/pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  BUCKETS = 1024, /* of rows on their way, by their hash */
  MOST_BEHIND =
      1 << 16,  /* rows that wait for an equal one: of more, the rest of the table waits too */
  AT_ONCE = 64, /* rows that end before the pool is asked again: hits */
  STEP_MS = 200,
  NO_GROUP = -1
};

/* What came of the first of equal rows, for those that waited for it. */
typedef struct Heard {
  Memo *memo; /* owned */
  int users;
} Heard;

/* A row on its way. */
typedef struct MapJob {
  struct MapJob *next; /* among the idle, or in its bucket */
  MapRun *run;
  long long row, hash;
  int group; /* of the order; NO_GROUP: it goes for itself */
  MapAsk ask;
  Outcome out;
  Err err;
  int is_unfit;      /* the row makes no request */
  Heard *heard;      /* one of its users */
  int is_led;        /* in its bucket: equal rows wait for it */
  long long *behind; /* they; owned */
  int n_behind, cap;
} MapJob;

/* Rows that are to be asked before the next of the table. */
typedef struct MapQueue {
  struct MapWaiting {
    long long row;
    Heard *heard; /* NULL: nothing */
  } * rows;       /* owned */
  size_t first, n, cap;
} MapQueue;

struct MapRun {
  Conn *conn;
  MapOptions options;
  MapColumns columns;
  Spill *spill;
  Pool *pool;
  PoolOwner owner;
  Allowance allowance;
  MapState state;
  Order order;
  long long allowed;                 /* rows of the table that may be asked; MAP_ALL */
  long long begun;                   /* that have been */
  unsigned char *is_begun, *is_done; /* a bit for each row */
  MapQueue again;
  int n_behind;
  int is_limited; /* by `allowance` */
  int merges;     /* equal rows are asked once */
  int n_keys;     /* lookups of single keys so far */
  long long last_key;
  MapJob *idle, *buckets[BUCKETS];
  Progress progress;
  Err failure; /* that ends the statement */
};

static int get_bit(const unsigned char *bits, long long row) {
  return bits[row >> 3] >> (row & 7) & 1;
}

static void set_bit(unsigned char *bits, long long row) {
  bits[row >> 3] = (unsigned char)(bits[row >> 3] | 1 << (row & 7));
}

static void heard_leave(Heard *heard) {
  if (heard && --heard->users == 0) {
    memo_free(heard->memo);
    free(heard);
  }
}

static Heard *heard_new(Err *err) {
  Heard *heard = calloc(1, sizeof *heard);
  if (heard) {
    heard->users = 1;
    heard->memo = memo_for_rows();
  }
  if (!heard || !heard->memo) {
    free(heard);
    err_nomem(err);
    return NULL;
  }
  return heard;
}

/* 1 if there is something: who has it asks nobody, so nobody waits for it. */
static int has_heard(const Heard *heard) {
  return heard && !memo_is_empty(heard->memo);
}

/* `heard` gets another user. */
static int queue_add(MapQueue *q, long long row, Heard *heard, Err *err) {
  if (q->first > 0 && q->first == q->n) {
    q->first = q->n = 0;
  }
  if (q->n == q->cap) {
    size_t cap = q->cap ? 2 * q->cap : 64;
    struct MapWaiting *more = realloc(q->rows, cap * sizeof *more);
    if (!more) {
      return err_nomem(err);
    }
    q->rows = more;
    q->cap = cap;
  }
  if (heard) {
    heard->users++;
  }
  q->rows[q->n++] = (struct MapWaiting){row, heard};
  return RC_OK;
}

/* ---- reading the SELECT */

static int load_error(MapRun *run, int rc, Err *err) {
  sqlite3 *db = run->conn->db;
  rc &= 0xff;
  return rc == SQLITE_NOMEM ? err_nomem(err)
         : rc == SQLITE_INTERRUPT
             ? err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted")
             : err_set(err, rc, ERR_BAD_ARGUMENT, "the SELECT: %s", sqlite3_errmsg(db));
}

static int load_rows(MapRun *run, sqlite3_stmt *stmt, Err *err) {
  int rc = SQLITE_ROW;
  while (err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    long long hash = map_columns_hash(&run->columns, stmt, 0);
    run->state.rows = spill_add(run->spill, stmt, hash, err);
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    load_error(run, rc, err);
  }
  return err->rc;
}

static int load(MapRun *run, const char *sql, Err *err) {
  sqlite3_stmt *stmt = select_prepare(run->conn->db, sql, err);
  if (!stmt) {
    return err->rc;
  }
  if (map_columns_read(&run->columns, stmt, &run->options, err) == RC_OK) {
    run->spill = spill_new(run->columns.n, err);
  }
  if (run->spill && load_rows(run, stmt, err) == RC_OK) {
    run->state.distinct = spill_distinct(run->spill, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* ---- one row */

static const char *kind_name(LedgerKind kind) {
#define KIND_WORD(id, word, is_call, is_hit, is_miss) word,
  static const char *const words[] = {NULL, LEDGER_KINDS(KIND_WORD)};
#undef KIND_WORD
  return words[kind];
}

static int is_hit(LedgerKind kind) {
  return kind == KIND_HIT_EXACT || kind == KIND_HIT_SEMANTIC;
}

/* 1 if an error is not this row's alone: the call as such, the store, memory, or an interrupt. */
static int ends_all(const MapRun *run, const MapJob *job) {
  int is_of_row = job->err.code == ERR_LIMIT
                      ? run->is_limited /* or the connection's limit */
                      : on_error_covers(&job->err) || job->is_unfit || job->ask.has_own;
  return job->err.rc != RC_OK &&
         (run->options.stops || job->err.rc == RC_NOMEM || job->err.rc == RC_INTERRUPT ||
          job->err.code == ERR_STORE || !is_of_row);
}

static void count(MapState *s, const MapJob *job) {
  const Outcome *out = &job->out;
  s->done++;
  s->hits += job->err.rc == RC_OK && is_hit(out->kind);
  s->errors += job->err.rc != RC_OK;
  s->calls += out->attempts;
  s->spent_nusd += out->cost_nusd > 0 ? out->cost_nusd : 0;
}

/* Keeps what became of a row. */
static int keep(MapRun *run, MapJob *job, Err *err) {
  const Outcome *out = &job->out;
  const char *kind = kind_name(out->kind);
  SpillResult r = {.row = job->row,
                   .answer = out->text,
                   .n = out->n,
                   .error = job->err.rc == RC_OK ? NULL : job->err.msg,
                   .model = out->model[0] ? out->model : NULL,
                   .kind = kind,
                   .cost_nusd = kind ? out->cost_nusd : -1,
                   .call_id = out->call_id > 0 ? out->call_id : -1,
                   .is_retryable = job->err.rc != RC_OK && job->err.retryable};
  if (spill_put(run->spill, &r, err) == RC_OK) {
    set_bit(run->is_done, job->row);
    count(&run->state, job);
    run->owner.untaken += out->attempts > 0;
  }
  return err->rc;
}

static MapJob **bucket_of(MapRun *run, long long hash) {
  return &run->buckets[(unsigned long long)hash % BUCKETS];
}

static MapJob *leader_of(MapRun *run, long long hash) {
  MapJob *job = *bucket_of(run, hash);
  while (job && job->hash != hash) {
    job = job->next;
  }
  return job;
}

/* What one alone has heard goes at once to all that ask the same, also to those whose turn has not come. */
static void tell_equals(MapRun *run, const MapJob *job, Err *err) {
  long long row = 0;
  while ((run->allowed == MAP_ALL || run->begun < run->allowed) &&
         (row = spill_find_equal(run->spill, job->hash, row, err)) > 0) {
    if (!get_bit(run->is_begun, row) && queue_add(&run->again, row, job->heard, err) == RC_OK) {
      run->begun++;
      set_bit(run->is_begun, row);
    }
  }
}

/* Those behind it go on, each for itself: what it came to is in the cache, or in the memo. */
static void let_go(MapRun *run, MapJob *job, Err *err) {
  MapJob **at = bucket_of(run, job->hash);
  while (*at != job) {
    at = &(*at)->next;
  }
  *at = job->next;
  for (int i = 0; i < job->n_behind; i++) {
    queue_add(&run->again, job->behind[i], job->heard, err);
  }
  run->n_behind -= job->n_behind;
  job->n_behind = 0;
  job->is_led = 0;
  if (run->state.distinct < run->state.rows && has_heard(job->heard)) {
    tell_equals(run, job, err);
  }
}

static void end_job(MapJob *job) {
  MapRun *run = job->run;
  Err err = {0};
  if (run->owner.is_stopping && job->err.rc == RC_INTERRUPT) {
    queue_add(&run->again, job->row, NULL, &err); /* it was not sent: should anybody ask again */
  } else if (ends_all(run, job)) {
    err = job->err;
  } else {
    keep(run, job, &err);
  }
  if (job->is_led) {
    let_go(run, job, &err);
  }
  if (err.rc != RC_OK && run->failure.rc == RC_OK) {
    run->failure = err;
  }
  if (job->group != NO_GROUP) {
    int is_told = job->err.rc == RC_OK && job->out.kind == KIND_CALL;
    order_end(&run->order, job->group, is_told ? job->out.read_tokens : -1);
  }
  free(job->out.text);
  free(job->out.reasoning);
  cJSON_free(job->out.logprobs);
  map_ask_done(&job->ask);
  if (job->heard && (job->heard->users > 1 || has_heard(job->heard))) {
    heard_leave(job->heard);
    job->heard = NULL;
  }
  job->next = run->idle;
  run->idle = job;
}

/* On a fiber. */
static void ask(void *arg) {
  MapJob *job = arg;
  pipeline_run(job->run->conn, &job->ask.request, job->heard->memo, &job->out, &job->err);
  end_job(job);
}

static MapJob *take_job(MapRun *run, Err *err) {
  MapJob *job = run->idle;
  if (job) {
    run->idle = job->next;
    const MapJob kept = {.run = run, .heard = job->heard, .behind = job->behind, .cap = job->cap};
    *job = kept;
    return job;
  }
  job = calloc(1, sizeof *job);
  if (!job) {
    err_nomem(err);
    return NULL;
  }
  job->run = run;
  return job;
}

/* What those before it have heard; NULL: nothing, a new one. */
static int hear(MapJob *job, Heard *heard, Err *err) {
  if (heard) {
    heard_leave(job->heard);
    job->heard = heard;
    heard->users++;
  }
  job->heard = job->heard ? job->heard : heard_new(err);
  return err->rc;
}

/* Puts a row behind the one that asks the same. */
static int put_behind(MapRun *run, MapJob *leader, long long row, Err *err) {
  if (leader->n_behind == leader->cap) {
    int cap = leader->cap ? 2 * leader->cap : 8;
    long long *more = realloc(leader->behind, (size_t)cap * sizeof *more);
    if (!more) {
      return err_nomem(err);
    }
    leader->behind = more;
    leader->cap = cap;
  }
  leader->behind[leader->n_behind++] = row;
  memo_want(leader->heard->memo);
  run->n_behind++;
  return RC_OK;
}

/* Starts what a row asks: a fiber, unless there is nothing to ask. */
static int start(MapRun *run, MapJob *job, Err *err) {
  if (job->err.rc != RC_OK || job->ask.is_null) {
    end_job(job);
    return RC_OK;
  }
  if (run->merges && !has_heard(job->heard)) {
    MapJob **at = bucket_of(run, job->hash);
    job->next = *at;
    *at = job;
    job->is_led = 1;
  }
  if (pool_start(run->pool, &run->owner, ask, job, err) != RC_OK) {
    job->err = *err;
    end_job(job);
  }
  return err->rc;
}

static int cache_mode(const MapRun *run, const Options *o) {
  return o->cache >= 0 ? o->cache : run->conn->set.cache;
}

/* What it shares with others, and how many they are. */
static void share(MapRun *run, MapJob *job) {
  const OrderGroup *g = job->group != NO_GROUP ? &run->order.groups[job->group] : NULL;
  if (g && g->pays) {
    job->ask.request.shared = g->shared;
    job->ask.request.sharers = g->sharers;
  }
}

/* A row that is to be asked next. */
typedef struct NextRow {
  long long row;
  int group;
  Heard *heard; /* a user of it, or NULL */
} NextRow;

static int begin_row(MapRun *run, const NextRow *next, Err *err) {
  sqlite3_stmt *stmt = spill_read(run->spill, next->row, err);
  if (!stmt) {
    return err->rc;
  }
  long long hash = sqlite3_column_int64(stmt, 0);
  MapJob *leader = run->merges && !has_heard(next->heard) ? leader_of(run, hash) : NULL;
  MapJob *job = leader ? NULL : take_job(run, err);
  if (job && hear(job, next->heard, &job->err) == RC_OK) {
    job->is_unfit = map_columns_ask(&run->columns, stmt, 1, &job->ask, &job->err) != RC_OK;
    job->ask.request.allowance = run->is_limited ? &run->allowance : NULL;
    const Options *o = job->ask.request.options; /* NULL: it asks nothing */
    if (o && cache_mode(run, o) == CACHE_REFRESH) {
      memo_want(job->heard->memo); /* its equals would not look into the cache */
    }
  }
  spill_read_done(stmt);
  if (leader && next->group != NO_GROUP) {
    order_end(&run->order, next->group, -1);
  }
  if (!job) {
    return leader ? put_behind(run, leader, next->row, err) : err->rc;
  }
  job->row = next->row;
  job->hash = hash;
  job->group = next->group;
  share(run, job);
  return start(run, job, err);
}

/* ---- many */

/* The next row of the table that was not begun yet; 0: none, or none may go just now. */
static long long take_in_order(MapRun *run, int *group, Err *err) {
  for (;;) {
    long long position = order_take(&run->order, group);
    long long row =
        position > 0 && run->order.is_sorted ? spill_place(run->spill, position, err) : position;
    if (row <= 0 || !get_bit(run->is_begun, row)) {
      return row;
    }
    order_end(&run->order, *group, -1);
  }
}

/* The next row to ask. 0: none. */
static int take_row(MapRun *run, NextRow *next, Err *err) {
  MapQueue *q = &run->again;
  *next = (NextRow){.group = NO_GROUP};
  if (q->first < q->n) {
    next->heard = q->rows[q->first].heard;
    next->row = q->rows[q->first++].row;
    return 1;
  }
  if (run->n_behind >= MOST_BEHIND || (run->allowed != MAP_ALL && run->begun >= run->allowed)) {
    return 0;
  }
  next->row = take_in_order(run, &next->group, err);
  if (next->row <= 0) {
    return 0;
  }
  run->begun++;
  set_bit(run->is_begun, next->row);
  return 1;
}

/* Begins rows while there is room. */
static int feed(void *arg, Err *err) {
  MapRun *run = arg;
  long long until = run->state.done + AT_ONCE;
  NextRow next;
  while (err->rc == RC_OK && run->failure.rc == RC_OK && run->state.done < until &&
         pool_has_room(run->pool, &run->owner) && take_row(run, &next, err)) {
    begin_row(run, &next, err);
    heard_leave(next.heard);
  }
  return err->rc;
}

/* Rows of hits are written together: of many a second more at once than of single calls, as each writing has its own cost. */
static void flush_hits(MapRun *run) {
  enum { AT_LEAST = 2048 };
  Err later = {0}; /* what can't be written now stays queued */
  Store *s = conn_open_store(run->conn);
  int is_late = s && s->pending && monotonic_ms() - s->pending_since >= LIMIT_PENDING_MS;
  if (s && (is_late || s->n_pending >= AT_LEAST || s->n_unsettled > 0)) {
    ledger_flush(s, &later);
  }
}

static void look(MapRun *run) {
  const ProgressWait wait = {run->owner.waits_for, run->owner.waits_until};
  progress_look(&run->progress, run->conn, &run->state, wait);
  if (run->state.done == run->state.rows) {
    progress_end(&run->progress, run->conn, &run->state, "done");
  }
}

/* Goes on until something has ended. 1: it may have; 0: there is nothing left to do; -1: *err. */
static int go_on(MapRun *run, Err *err) {
  const PoolFeed more = {feed, run};
  long long done = run->state.done;
  run->owner.is_stopping = 0;
  run->owner.untaken = 0; /* who asks has had all that was there */
  if (conn_config(run->conn, err) && run->failure.rc == RC_OK) {
    conn_pin(run->conn);
    pool_step(run->pool, &run->owner, &more, STEP_MS, err);
    conn_unpin(run->conn);
    flush_hits(run);
    look(run);
  }
  if (err->rc == RC_OK && run->failure.rc != RC_OK) {
    map_run_rest(run);
    *err = run->failure;
  }
  int is_left = run->owner.live > 0 || run->again.first < run->again.n;
  return err->rc != RC_OK ? -1 : run->state.done > done || is_left;
}

/* ---- a run */

static int make_bits(MapRun *run, Err *err) {
  size_t bytes = (size_t)run->state.rows / 8 + 1;
  run->is_begun = calloc(1, bytes);
  run->is_done = calloc(1, bytes);
  return run->is_begun && run->is_done ? RC_OK : err_nomem(err);
}

MapRun *map_run_new(Conn *conn, const char *sql, const char *options, size_t n, Err *err) {
  MapRun *run = calloc(1, sizeof *run);
  if (!run) {
    err_nomem(err);
    return NULL;
  }
  run->conn = conn;
  progress_start(&run->progress);
  run->pool = pool_of(conn, err);
  if (map_options_parse(options, n, &run->options, err) == RC_OK && load(run, sql, err) == RC_OK &&
      make_bits(run, err) == RC_OK && (call_is_counted(conn) || conn_store(conn, 1, err)) &&
      err->rc == RC_OK) {
    order_make(&run->order, conn, run->spill, &run->columns, run->state.rows, err);
  }
  run->owner.most = (int)run->options.concurrency;
  run->allowance =
      (Allowance){.max_usd = run->options.max_usd, .max_calls = run->options.max_calls};
  run->is_limited = !isnan(run->options.max_usd) || run->options.max_calls != SPEC_UNSET;
  run->merges = cache_mode(run, &run->options.call) != CACHE_OFF;
  if (err->rc != RC_OK) {
    map_run_free(run);
    run = NULL;
  }
  return run;
}

void map_run_rest(MapRun *run) {
  if (run->owner.live > 0) {
    pool_drain(run->pool, &run->owner);
  }
  if (run->state.done < run->state.rows) {
    progress_end(&run->progress, run->conn, &run->state,
                 run->failure.rc != RC_OK ? "failed" : "stopped");
  }
}

void map_run_free(MapRun *run) {
  map_run_rest(run);
  for (MapJob *job = run->idle, *next; job; job = next) {
    next = job->next;
    heard_leave(job->heard);
    free(job->behind);
    free(job);
  }
  for (size_t i = run->again.first; i < run->again.n; i++) {
    heard_leave(run->again.rows[i].heard);
  }
  spill_free(run->spill);
  order_free(&run->order);
  map_columns_free(&run->columns);
  map_options_free(&run->options);
  free(run->again.rows);
  free(run->is_begun);
  free(run->is_done);
  free(run);
}

MapState map_run_state(const MapRun *run) {
  return run->state;
}

/* ---- scans */

/* The number of what a scan is to stand on next; 0: there is none, -1: *err. */
static long long next_number(MapScan *scan, Err *err) {
  MapRun *run = scan->run;
  if (scan->key) {
    return spill_find_key(run->spill, scan->key, scan->at, err);
  }
  return scan->at < run->state.rows ? scan->at + 1 : 0;
}

/* A row that is asked for by its key goes before the others. From the second key on the whole table is asked: it is a join. */
static int want(MapScan *scan, long long row, Err *err) {
  MapRun *run = scan->run;
  if (row != run->last_key) {
    run->last_key = row;
    run->allowed = ++run->n_keys > 1 ? MAP_ALL : run->allowed;
  }
  if (!get_bit(run->is_begun, row)) {
    set_bit(run->is_begun, row);
    queue_add(&run->again, row, NULL, err);
  }
  return err->rc;
}

/* 1 if the result of that number is there. */
static int is_there(const MapScan *scan, long long number, int of_row) {
  const MapRun *run = scan->run;
  return of_row ? get_bit(run->is_done, number) : run->state.done >= number;
}

int map_scan_next(MapScan *scan, Err *err) {
  MapRun *run = scan->run;
  int of_row = scan->key != NULL || run->options.is_ordered, goes_on = 1;
  long long number = next_number(scan, err);
  if (number > 0 && scan->key && !is_there(scan, number, 1)) {
    want(scan, number, err);
  }
  while (err->rc == RC_OK && number > 0 && !is_there(scan, number, of_row) && goes_on) {
    goes_on = go_on(run, err) > 0;
  }
  scan->is_done = number <= 0 || err->rc != RC_OK || !is_there(scan, number, of_row);
  if (!scan->is_done) {
    scan->at = number;
    spill_result(run->spill, of_row, number, &scan->result, err);
  }
  return err->rc;
}

int map_scan_start(MapScan *scan, MapRun *run, sqlite3_value *key, long long limit, Err *err) {
  scan->run = run;
  scan->key = key ? sqlite3_value_dup(key) : NULL;
  if (key && !scan->key) {
    return err_nomem(err);
  }
  if (run->order.is_sorted && run->options.is_ordered) {
    limit =
        MAP_ALL; /* which rows are the first to be given is not which are the first to be asked */
  }
  if (!key && run->allowed != MAP_ALL) {
    run->allowed = limit == MAP_ALL || limit > run->allowed ? limit : run->allowed;
  }
  return map_scan_next(scan, err);
}

void map_scan_done(MapScan *scan) {
  sqlite3_finalize(scan->result);
  sqlite3_value_free(scan->key);
  *scan = (MapScan){.is_done = 1};
}
