/*
** See import_batch.h for the contract.
*/
#include "work/import_batch.h"

#include "base/limits.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Keys come in no order, so that a transaction touches pages all over: they are to find room in memory, and to be brought
** from the WAL into the file when several transactions have changed them. Of a connection of ours only. */
static void make_room(Store *s, int is_import) {
  if (s->mode->owns_connection && s->db) {
    sqlite3_exec(s->db,
                 is_import ? "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=16000"
                           : "PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=1000",
                 NULL, NULL, NULL);
  }
}

static int make_pile(Pile *p) {
  p->calls = calloc(BATCH_CALLS, sizeof *p->calls);
  p->files = calloc(BATCH_FILES, sizeof *p->files);
  return p->calls && p->files;
}

static void empty_pile(Pile *p) {
  texts_free(&p->texts);
  for (int i = 0; i < p->n_files; i++) {
    free((char *)p->files[i].state);
  }
  p->n_calls = p->n_files = 0;
}

static void free_pile(Pile *p) {
  empty_pile(p);
  free(p->calls);
  free(p->files);
}

int batch_init(Batch *b, Store *store, Report *report, int replace_smaller, Err *err) {
  *b = (Batch){.store = store, .report = report, .replace_smaller = replace_smaller};
  b->places = calloc(BATCH_PLACES, sizeof *b->places);
  if (!make_pile(&b->pile) || !b->places) {
    return err_nomem(err);
  }
  b->past = past_new(store, err);
  make_room(store, 1);
  return err->rc;
}

/* What is read begins anew. */
static void begin_pile(Batch *b) {
  memset(b->places, 0, BATCH_PLACES * sizeof *b->places);
  b->since = 0;
}

static void forget_sums(Batch *b) {
  texts_free(&b->sum_texts);
  b->n_sums = 0;
  b->is_file_whole = 0;
}

/* Where SQLite was built, or configured, for one thread, every mutex is the same one, which is none. */
static int has_mutexes(void) {
  sqlite3_mutex *a = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST),
                *b = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
  int has = a && b && a != b;
  sqlite3_mutex_free(a);
  sqlite3_mutex_free(b);
  return has;
}

void batch_may_write_behind(Batch *b) {
  b->may_write_behind = b->store->mode->owns_connection && has_mutexes() && make_pile(&b->behind);
}

static int join_writer(Batch *b, Err *err);

void batch_free(Batch *b) {
  Err ignored = {0};
  join_writer(b, &ignored);
  free_pile(&b->pile);
  free_pile(&b->behind);
  forget_sums(b);
  past_free(b->past);
  make_room(b->store, 0);
  free(b->places);
  free(b->sums);
}

static void start_clock(Batch *b) {
  b->since = b->since ? b->since : monotonic_ms();
}

PastCall *batch_call(Batch *b) {
  start_clock(b);
  return &b->pile.calls[b->pile.n_calls];
}

/* Where a key stands in the table, or would: the first of its kind, those behind it follow. */
static unsigned place_of(const Hash *key) {
  unsigned at;
  memcpy(&at, key->b, sizeof at);
  return at % BATCH_PLACES;
}

PastCall *batch_same(const Batch *b, const PastCall *call) {
  for (unsigned at = place_of(&call->key); b->places[at]; at = (at + 1) % BATCH_PLACES) {
    PastCall *other = &b->pile.calls[b->places[at] - 1];
    if (past_are_same(other, call)) {
      return other;
    }
  }
  return NULL;
}

void batch_keep_call(Batch *b) {
  unsigned at = place_of(&b->pile.calls[b->pile.n_calls].key);
  while (b->places[at]) {
    at = (at + 1) % BATCH_PLACES;
  }
  b->places[at] = ++b->pile.n_calls;
}

void batch_drop_sums(Batch *b) {
  forget_sums(b);
}

PastSum *batch_sum(Batch *b, Err *err) {
  start_clock(b);
  b->is_file_whole = 0;
  if (b->n_sums == b->cap_sums) {
    int cap = b->cap_sums ? b->cap_sums * 2 : 256;
    if (b->cap_sums >= LIMIT_IMPORT_SUMS) {
      err_set(err, RC_TOOBIG, ERR_TOO_BIG, "more than %d sums in one file", LIMIT_IMPORT_SUMS);
      return NULL;
    }
    PastSum *sums = realloc(b->sums, (size_t)cap * sizeof *sums);
    if (!sums) {
      err_nomem(err);
      return NULL;
    }
    b->sums = sums;
    b->cap_sums = cap;
  }
  return &b->sums[b->n_sums];
}

int batch_file(Batch *b, PastFile *file, int is_whole, Err *err) {
  start_clock(b);
  if (b->pile.n_files == BATCH_FILES && batch_write(b, err) != RC_OK) {
    free((char *)file->state);
    return err->rc;
  }
  b->pile.files[b->pile.n_files++] = *file;
  b->is_file_whole = is_whole;
  return RC_OK;
}

/* 1 if the other thread has nothing to do and there is enough for it: more where much was written, since every transaction
** changes pages all over. */
static int may_begin(const Batch *b) {
  long long share = b->report->added / 4, enough = share < LEAST_CALLS ? LEAST_CALLS
                                                   : share > FEW_CALLS ? FEW_CALLS
                                                                       : share;
  return b->may_write_behind && b->pile.n_calls >= enough &&
         (!b->is_writing || atomic_load_explicit(&b->is_written, memory_order_relaxed));
}

int batch_is_due(const Batch *b) {
  return b->pile.n_calls >= BATCH_CALLS - 1 || may_begin(b) || b->pile.n_files >= BATCH_FILES ||
         (b->is_file_whole && b->n_sums > 0) || (b->since && monotonic_ms() - b->since >= BATCH_MS);
}

/* ---- writing */

static void put_calls(Past *past, const Pile *pile, Done *done, Err *err) {
  for (int i = 0; i < pile->n_calls && err->rc == RC_OK; i++) {
    PastEffect effect;
    past_put_call(past, &pile->calls[i], &effect, err);
    done->added += effect.outcome == PAST_ADDED;
    done->updated += effect.outcome == PAST_UPDATED;
    done->copies += effect.outcome != PAST_ADDED;
    done->unpriced += effect.unpriced;
    done->dropped += effect.dropped;
    done->cost_nusd = sum_at_most(done->cost_nusd, effect.cost_nusd);
    done->reported_nusd = sum_at_most(done->reported_nusd, effect.reported_nusd);
  }
}

/* A bucket that got smaller is told of, whatever became of it. */
static void tell_bucket(Batch *b, const PastSum *sum, const PastBucketEffect *e, Err *err) {
  cJSON *list = e->outcome == PAST_BUCKET_KEPT ? b->report->kept : b->report->shrunk;
  int by_money = e->before.amounts > 0 || e->now.amounts > 0;
  if (!e->is_smaller || cJSON_GetArraySize(list) >= LIMIT_IMPORT_TOLD_FILES) {
    return;
  }
  cJSON *item = json_add(list, NULL, cJSON_CreateObject(), err);
  json_add(item, "source", cJSON_CreateString(sum->source), err);
  json_add(item, "from", cJSON_CreateNumber((double)sum->from), err);
  json_add(item, "to", cJSON_CreateNumber((double)sum->to), err);
  json_add(item, "of", cJSON_CreateString(by_money ? "usd" : "tokens"), err);
  json_add(item, "old", cJSON_CreateNumber(by_money ? e->before.nusd / 1e9 : e->before.tokens),
           err);
  json_add(item, "new", cJSON_CreateNumber(by_money ? e->now.nusd / 1e9 : e->now.tokens), err);
}

/* Of sums that stand in sums it is settled which count: once for all that have no group, else for each. (A bucket comes before the
** next of its group or period.) */
static void settle_nested(Batch *b, int n, Err *err) {
  PastSum period = {.has_group = -1};
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    const PastSum *sum = &b->sums[i];
    if (sum->has_group) {
      past_settle_nested(b->past, sum, err);
    } else if (period.has_group < 0) {
      period = *sum;
    } else {
      period.to = sum->to > period.to ? sum->to : period.to;
    }
  }
  if (period.has_group >= 0 && err->rc == RC_OK) {
    past_settle_nested(b->past, &period, err);
  }
}

/* ---- agents in workflows, as a file tells it */

static double tokens_of(const PastSum *sum) {
  return (sum->input_tokens == LEDGER_NULL ? 0 : (double)sum->input_tokens) +
         (sum->output_tokens == LEDGER_NULL ? 0 : (double)sum->output_tokens);
}

/* By what they are; those that are nothing to others come last. */
static int compare_selves(const void *a, const void *b) {
  const PastSum *x = a, *y = b;
  return x->has_self != y->has_self ? y->has_self - x->has_self
                                    : memcmp(x->self.b, y->self.b, sizeof x->self.b);
}

/* A parent counts, unless those in it come to more: then they do. What does not loses its source. */
static void choose_of_parents(PastSum *sums, int n) {
  for (int i = 0; i < n; i++) {
    sums[i].in = 0;
  }
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < n; i++) {
      PastSum ask = {.has_self = 1, .self = sums[i].parent};
      PastSum *parent =
          sums[i].has_self ? bsearch(&ask, sums, (size_t)n, sizeof *sums, compare_selves) : NULL;
      if (!parent || parent == &sums[i]) {
        continue;
      } else if (pass == 0) {
        parent->in += tokens_of(&sums[i]);
      } else {
        *(tokens_of(parent) >= parent->in ? &sums[i].source : &parent->source) = NULL;
      }
    }
  }
}

/* ---- */

static int compare_sums(const void *a, const void *b) {
  const PastSum *x = a, *y = b;
  int by_bucket = past_sum_compare(x, y);
  return by_bucket ? by_bucket : memcmp(x->record.b, y->record.b, sizeof x->record.b);
}

/* Of each record one (pages that were joined may have it twice), in the order of their buckets. How many. */
static int take_once(PastSum *sums, int n) {
  int kept = 0;
  qsort(sums, (size_t)n, sizeof *sums, compare_sums);
  for (int i = 0; i < n; i++) {
    if (sums[i].source && (kept == 0 || compare_sums(&sums[kept - 1], &sums[i]) != 0)) {
      sums[kept++] = sums[i];
    }
  }
  return kept;
}

/* The sums in the order of their buckets, none of them twice. How many are to be written. */
static int sort_sums(Batch *b) {
  int n = b->is_file_whole ? b->n_sums : 0;
  if (n > 0) {
    n = take_once(b->sums, n);
    qsort(b->sums, (size_t)n, sizeof *b->sums, compare_selves);
    choose_of_parents(b->sums, n);
    n = b->n_sums = take_once(b->sums, n);
  }
  return n;
}

static void put_buckets(Batch *b, Done *done, Err *err) {
  int n = sort_sums(b), end;
  for (int i = 0; i < n && err->rc == RC_OK; i = end) {
    PastBucketEffect effect;
    end = i + 1;
    while (end < n && past_sum_compare(&b->sums[i], &b->sums[end]) == 0) {
      end++;
    }
    if (past_put_bucket(b->past, &b->sums[i], end - i, b->replace_smaller, &effect, err) == RC_OK) {
      int is_put = effect.outcome == PAST_BUCKET_NEW || effect.outcome == PAST_BUCKET_REPLACED;
      done->sums += is_put ? end - i : 0;
      done->replaced += effect.outcome == PAST_BUCKET_REPLACED;
      done->dropped += effect.outcome == PAST_BUCKET_DROPPED;
      tell_bucket(b, &b->sums[i], &effect, err);
    }
  }
  settle_nested(b, n, err);
}

static void put_files(Past *past, const Pile *pile, Err *err) {
  long long now = now_ms();
  for (int i = 0; i < pile->n_files && err->rc == RC_OK; i++) {
    past_put_file(past, &pile->files[i], now, err);
  }
}

static int write_once(Batch *b, Done *done, Err *err) {
  *done = (Done){0};
  b->store->n_settling = 1; /* what was read is written, though an interrupt came */
  if (past_begin(b->past, err) == RC_OK) {
    put_calls(b->past, &b->pile, done, err);
    put_buckets(b, done, err);
    put_files(b->past, &b->pile, err);
    past_end(b->past, err->rc == RC_OK, err);
  }
  b->store->n_settling = 0;
  return err->rc;
}

static void add_done(Report *r, const Done *d) {
  r->added += d->added;
  r->updated += d->updated;
  r->copies += d->copies;
  r->unpriced += d->unpriced;
  r->cost_nusd = sum_at_most(r->cost_nusd, d->cost_nusd);
  r->reported_nusd = sum_at_most(r->reported_nusd, d->reported_nusd);
  r->sums += d->sums;
  r->replaced += d->replaced;
  r->dropped += d->dropped;
}

/* ---- the other thread */

static int never(void *arg) {
  (void)arg;
  return 0;
}

/* Of a transaction that has begun. */
static void *write_behind(void *arg) {
  Batch *b = arg;
  put_calls(b->past, &b->behind, &b->done, &b->failed);
  put_files(b->past, &b->behind, &b->failed);
  past_end(b->past, b->failed.rc == RC_OK, &b->failed);
  atomic_store_explicit(&b->is_written, 1, memory_order_relaxed); /* (joining it orders the rest) */
  return NULL;
}

/* Signals are for the application's own threads. */
static int start_thread(Batch *b) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&b->writer, NULL, write_behind, b);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed == 0;
}

/* What was begun is written: the store is this thread's again. */
static int end_writing(Batch *b, Err *err) {
  b->store->host = b->host;
  b->store->n_settling = 0;
  b->is_writing = 0;
  if (b->failed.rc == RC_OK) {
    add_done(b->report, &b->done);
  } else if (err->rc == RC_OK) {
    *err = b->failed;
  }
  empty_pile(&b->behind);
  return err->rc;
}

static int join_writer(Batch *b, Err *err) {
  if (b->is_writing) {
    pthread_join(b->writer, NULL);
    end_writing(b, err);
  }
  return err->rc;
}

/* Begins to write. What asks whether the user wants to stop asks the caller's connection, whose mutex the importing thread
** holds: nothing asks meanwhile. */
static int begin_writing(Batch *b, Err *err) {
  b->store->n_settling = 1;
  if (past_begin(b->past, err) != RC_OK) {
    b->store->n_settling = 0;
    return err->rc;
  }
  Pile empty = b->behind;
  b->behind = b->pile;
  b->pile = empty;
  begin_pile(b);
  b->done = (Done){0};
  b->failed = (Err){0};
  atomic_store_explicit(&b->is_written, 0, memory_order_relaxed);
  b->host = b->store->host;
  b->store->host.interrupted = never;
  b->is_writing = start_thread(b);
  if (!b->is_writing) {
    write_behind(b);
    end_writing(b, err);
  }
  return err->rc;
}

/* ---- when */

static int write_now(Batch *b, Err *err) {
  enum {
    TRIES = 40,
    BETWEEN_TRIES_MS = 25
  }; /* in the caller's own database nobody else waits for us */
  Done done;
  int tries = b->store->mode->follows_caller ? TRIES : 1;
  write_once(b, &done, err);
  for (int i = 1; i < tries && err->rc == RC_BUSY && b->store->db; i++) {
    sqlite3_sleep(BETWEEN_TRIES_MS);
    *err = (Err){0};
    write_once(b, &done, err);
  }
  if (err->rc == RC_OK) {
    add_done(b->report, &done);
    if (b->is_file_whole) {
      forget_sums(b);
    }
    empty_pile(&b->pile);
    begin_pile(b);
  }
  return err->rc;
}

int batch_write(Batch *b, Err *err) {
  if (join_writer(b, err) != RC_OK ||
      (b->pile.n_calls == 0 && b->pile.n_files == 0 && b->n_sums == 0)) {
    return err->rc;
  }
  return b->may_write_behind && b->n_sums == 0 ? begin_writing(b, err) : write_now(b, err);
}

int batch_finish(Batch *b, Err *err) {
  b->may_write_behind = 0;
  return batch_write(b, err);
}
