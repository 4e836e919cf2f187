/*
** Batches themselves: their beginning, what is noted of them, and how they are found. See batches.h for the contract.
*/
#include "store/batches/batches_internal.h"

#include "base/sqlite/columns.h"
#include "store/batches/bind.h"
#include "store/batches/lease.h"

#include <string.h>

static int run_on(Store *s, StoreSql id, long long batch, const char *doing, Err *err) {
  Bound b = bind_start(s, id, err);
  bind_number(&b, 1, batch);
  return bind_run(&b, doing, err);
}

long long batches_open(Store *s, const BatchNew *batch, Err *err) {
  const char *owner = lease_self(s);
  long long id = 0;
  const char *const texts[] = {batch->queue,   batch->form,     batch->provider,
                               batch->model,   batch->endpoint, batch->base_url,
                               batch->key_env, batch->mark,     batch->wire_tag};
  if (store_begin(s, err) != RC_OK) {
    return 0;
  }
  Bound b = bind_start(s, SQL_PUT_BATCH, err);
  for (int i = 0; i < (int)(sizeof texts / sizeof texts[0]); i++) {
    bind_words(&b, i + 1, texts[i]);
  }
  bind_number(&b, 10, batch->now);
  bind_words(&b, 11, owner);
  bind_number(&b, 12, batch->now + batch->lease_ms);
  if (bind_run(&b, "begin a batch", err) == 1) {
    id = sqlite3_last_insert_rowid(s->db);
  }
  return store_end(s, err->rc == RC_OK, err) == RC_OK ? id : 0;
}

static int put_group(Store *s, long long batch, const BatchGroup *group, Err *err) {
  const Reserve *r = group->reserve;
  const char *const texts[] = {group->tag, group->user, group->conversation, group->system_hash};
  Bound b = bind_start(s, SQL_PUT_BATCH_GROUP, err);
  bind_number(&b, 1, batch);
  bind_number(&b, 2, group->number);
  bind_number(&b, 3, group->holder);
  for (int i = 0; i < (int)(sizeof texts / sizeof texts[0]); i++) {
    bind_words(&b, 4 + i, texts[i]);
  }
  bind_number(&b, 8, r && r->most_nusd != LEDGER_NULL ? r->most_nusd : 0);
  bind_run(&b, "hold money for a batch", err);
  return err->rc;
}

int batches_hold(Store *s, long long batch, const BatchGroup *groups, int n, Err *err) {
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    Reserve *r = groups[i].reserve;
    if (!r || (reserve_ask(s, r, ledger_bury, err) == RC_OK && r->outcome == RESERVE_FITS)) {
      put_group(s, batch, &groups[i], err);
    }
  }
  return store_end(s, err->rc == RC_OK, err);
}

int batches_seal(Store *s, long long batch, const BatchSize *size, Err *err) {
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  Bound b = bind_start(s, SQL_SEAL_BATCH, err);
  bind_number(&b, 1, batch);
  bind_number(&b, 2, size->requests);
  bind_number(&b, 3, size->bytes);
  bind_number(&b, 4, size->tokens);
  int n = bind_run(&b, "seal a batch", err);
  if (n == 1) {
    run_on(s, SQL_EMPTY_BATCH_GROUPS, batch, "seal a batch", err);
    run_on(s, SQL_SEAL_GROUPS, batch, "seal a batch", err);
  } else if (n == 0) {
    err_set(err, RC_ERROR, ERR_STORE, "batch %lld is not there to be sent: another took it back",
            batch);
  }
  return store_end(s, err->rc == RC_OK, err);
}

int batches_drop(Store *s, long long batch, Err *err) {
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  if (run_on(s, SQL_DROP_BATCH, batch, "take a batch back", err) == 1) {
    run_on(s, SQL_DROP_BATCH_ITEMS, batch, "take a batch back", err);
    run_on(s, SQL_DROP_BATCH_GROUPS, batch, "take a batch back", err);
  }
  return store_end(s, err->rc == RC_OK, err);
}

/* ---- notes */

void batches_note_init(BatchNote *note) {
  *note = (BatchNote){.sent_at = LEDGER_NULL,
                      .expected_at = LEDGER_NULL,
                      .expires_at = LEDGER_NULL,
                      .looked_at = LEDGER_NULL,
                      .cancel_at = LEDGER_NULL,
                      .ended_at = LEDGER_NULL,
                      .said_total = LEDGER_NULL,
                      .said_done = LEDGER_NULL,
                      .said_failed = LEDGER_NULL,
                      .is_marked = LEDGER_NULL,
                      .files_deleted = LEDGER_NULL,
                      .requests = LEDGER_NULL};
}

static void put_note(Store *s, long long batch, const BatchNote *n, Err *err) {
  const char *const texts[] = {n->provider_id, n->input_file, n->output_file, n->error_file,
                               n->word,        n->trouble,    n->error};
  const long long numbers[] = {n->sent_at,     n->expected_at, n->expires_at,    n->looked_at,
                               n->cancel_at,   n->ended_at,    n->said_total,    n->said_done,
                               n->said_failed, n->is_marked,   n->files_deleted, n->requests};
  enum { FIRST_TEXT = 2, FIRST_NUMBER = FIRST_TEXT + sizeof texts / sizeof texts[0] };
  Bound b = bind_start(s, SQL_NOTE_BATCH, err);
  bind_number(&b, 1, batch);
  for (int i = 0; i < FIRST_NUMBER - FIRST_TEXT; i++) {
    bind_words(&b, FIRST_TEXT + i, texts[i]);
  }
  for (int i = 0; i < (int)(sizeof numbers / sizeof numbers[0]); i++) {
    bind_number(&b, FIRST_NUMBER + i, numbers[i]);
  }
  bind_run(&b, "note what became of a batch", err);
}

int batches_note(Store *s, long long batch, const BatchNote *note, Err *err) {
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  put_note(s, batch, note, err);
  if (note->ended_at != LEDGER_NULL) {
    batches_end_if_over(s, batch, note->ended_at, err);
  }
  return store_end(s, err->rc == RC_OK, err);
}

int batches_end_if_over(Store *s, long long batch, long long now, Err *err) {
  int is_over = 0;
  Bound b = bind_start(s, SQL_END_BATCH, err);
  bind_number(&b, 1, batch);
  bind_number(&b, 2, now);
  bind_run(&b, "end a batch", err);
  b = bind_start(s, SQL_IS_BATCH_OVER, err);
  bind_number(&b, 1, batch);
  is_over = bind_step(&b, err);
  bind_end(&b, "end a batch", err);
  if (is_over && err->rc == RC_OK) {
    run_on(s, SQL_DROP_BATCH_ITEMS, batch, "end a batch", err);
    run_on(s, SQL_DROP_BATCH_GROUPS, batch, "end a batch", err);
  }
  return err->rc;
}

/* ---- finding them */

#define TEXT_COLUMN(name) #name ", "
#define NUMBER_COLUMN(name) ", " #name
static const char each_sql[] = "SELECT " BATCH_TEXTS(TEXT_COLUMN) "NULL" BATCH_NUMBERS(
    NUMBER_COLUMN) " FROM main.llm_batches WHERE (?1 IS NULL OR queue = ?1)";

static const char *const choices[] = {
    [BATCHES_ALL] = "",
    [BATCHES_OPEN] = " AND (state <> 'settled' OR untold > 0)",
    [BATCHES_UNSENT] = " AND (state <> 'settled' OR untold > 0) AND state IN ('opening', 'begun')",
};

static const char *text_at(sqlite3_stmt *stmt, int i) {
  return (const char *)sqlite3_column_text(stmt, i);
}

static long long number_at(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_NULL ? LEDGER_NULL : sqlite3_column_int64(stmt, i);
}

static void read_batch(sqlite3_stmt *stmt, BatchRow *row) {
  int i = 0;
#define READ_TEXT(name) row->name = text_at(stmt, i++);
#define READ_NUMBER(name) row->name = number_at(stmt, i++);
  BATCH_TEXTS(READ_TEXT)
  i++;
  BATCH_NUMBERS(READ_NUMBER)
#undef READ_TEXT
#undef READ_NUMBER
}

int batches_each(sqlite3 *db, BatchChoice which, const char *queue,
                 int (*take)(void *arg, const BatchRow *batch, Err *err), void *arg, Err *err) {
  sqlite3_stmt *stmt = NULL;
  BatchRow row;
  char *sql = sqlite3_mprintf("%s%s ORDER BY id", each_sql, choices[which]);
  int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 1, queue, -1, SQLITE_STATIC) : rc;
  while (rc == SQLITE_OK && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    if (!columns_have_texts(stmt)) {
      err_nomem(err);
      break;
    }
    read_batch(stmt, &row);
    take(arg, &row, err);
  }
  int end = sqlite3_finalize(stmt);
  rc = rc == SQLITE_OK ? end : rc;
  sqlite3_free(sql);
  return rc == SQLITE_OK || err->rc != RC_OK ? err->rc
         : (rc & 0xff) == SQLITE_NOMEM       ? err_nomem(err)
                                             : err_set(err, rc & 0xff, ERR_STORE,
                                                       "cannot read the batches: %s", sqlite3_errmsg(db));
}

/* ---- whose they are */

static Lease lease_of(long long batch) {
  return (Lease){SQL_GET_BATCH_LEASE, SQL_PUT_BATCH_LEASE, NULL, batch};
}

int batches_take(Store *s, long long batch, long long now, long long lease_ms, Err *err) {
  const Lease lease = lease_of(batch);
  return lease_take(s, &lease, now, lease_ms, err);
}

int batches_leave(Store *s, long long batch, Err *err) {
  const Lease lease = lease_of(batch);
  return lease_leave(s, &lease, err);
}
