/*
** The requests of a batch: added, settled once, told. See batches.h for the contract.
*/
#include "store/batches/batches_internal.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/sqlite/columns.h"
#include "store/batches/bind.h"

#include <stdio.h>
#include <string.h>

const char *item_outcome_word(ItemOutcome outcome) {
  static const char *const words[] = {NULL,
#define ITEM_WORD(id, word) word,
                                      BATCH_ITEM_OUTCOMES(ITEM_WORD)
#undef ITEM_WORD
  };
  return words[outcome];
}

static int add(Store *s, long long batch, const BatchItem *item, Err *err) {
  Bound b = bind_start(s, SQL_PUT_BATCH_ITEM, err);
  bind_number(&b, 1, batch);
  bind_number(&b, 2, item->submit_id);
  bind_number(&b, 3, item->attempt);
  bind_number(&b, 4, item->group);
  if (b.stmt && item->key) {
    b.rc = sqlite3_bind_blob(b.stmt, 5, item->key->b, sizeof item->key->b, SQLITE_STATIC);
  }
  bind_words(&b, 6, item->prompt_hash);
  bind_number(&b, 7, item->held_nusd);
  bind_number(&b, 8, item->line);
  bind_run(&b, "add a request to a batch", err);
  return err->rc;
}

/* The batch as its items need it. */
typedef struct Head {
  int is_there, is_opening, is_settled;
  long long id, created_at;
  char queue[40], provider[LIMIT_MODEL_NAME], model[LIMIT_MODEL_NAME];
} Head;

static void copy_text(sqlite3_stmt *stmt, int i, char *out, size_t size, Err *err) {
  const char *text = (const char *)sqlite3_column_text(stmt, i);
  if (!text) {
    err_nomem(err);
  }
  snprintf(out, size, "%s", text ? text : "");
}

static int read_head(Store *s, long long batch, Head *head, Err *err) {
  char state[16] = "";
  *head = (Head){.id = batch};
  Bound b = bind_start(s, SQL_GET_BATCH, err);
  bind_number(&b, 1, batch);
  if (bind_step(&b, err)) {
    head->is_there = 1;
    copy_text(b.stmt, 0, state, sizeof state, err);
    copy_text(b.stmt, 1, head->queue, sizeof head->queue, err);
    copy_text(b.stmt, 2, head->provider, sizeof head->provider, err);
    copy_text(b.stmt, 3, head->model, sizeof head->model, err);
    head->created_at = sqlite3_column_int64(b.stmt, 4);
  }
  head->is_opening = strcmp(state, "opening") == 0;
  head->is_settled = strcmp(state, "settled") == 0;
  return bind_end(&b, "read a batch", err);
}

int batches_add(Store *s, long long batch, const BatchItem *items, int n, Err *err) {
  Head head;
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  if (read_head(s, batch, &head, err) == RC_OK && !head.is_opening) {
    err_set(err, RC_ERROR, ERR_STORE, "batch %lld takes no more requests: another took it back",
            batch);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    add(s, batch, &items[i], err);
  }
  return store_end(s, err->rc == RC_OK, err);
}

/* ---- settling */

/* An item that is to be settled. */
typedef struct Item {
  int is_there, is_open, is_told, has_key;
  long long attempt, number, held_nusd;
  Hash key;
  char prompt_hash[HASH_HEX_SIZE];
} Item;

static int read_item(Store *s, long long batch, long long submit_id, Item *item, Err *err) {
  *item = (Item){.is_there = 0};
  Bound b = bind_start(s, SQL_GET_BATCH_ITEM, err);
  bind_number(&b, 1, batch);
  bind_number(&b, 2, submit_id);
  if (bind_step(&b, err)) {
    const void *key = sqlite3_column_blob(b.stmt, 2);
    item->is_there = 1;
    item->attempt = sqlite3_column_int64(b.stmt, 0);
    item->number = sqlite3_column_int64(b.stmt, 1);
    item->has_key = key && sqlite3_column_bytes(b.stmt, 2) == (int)sizeof item->key.b;
    if (item->has_key) {
      memcpy(item->key.b, key, sizeof item->key.b);
    }
    if (sqlite3_column_type(b.stmt, 3) != SQLITE_NULL) {
      copy_text(b.stmt, 3, item->prompt_hash, sizeof item->prompt_hash, err);
    }
    item->held_nusd = sqlite3_column_type(b.stmt, 4) == SQLITE_NULL
                          ? LEDGER_NULL
                          : sqlite3_column_int64(b.stmt, 4);
    item->is_open = sqlite3_column_type(b.stmt, 5) == SQLITE_NULL;
    item->is_told = sqlite3_column_int(b.stmt, 6);
  }
  return bind_end(&b, "read a request of a batch", err);
}

/* One chunk being settled. The group that was used last stays read (its texts are `group`'s row), since most requests have the
** same; what it holds less is written when another comes. */
typedef struct Settling {
  Store *s;
  Head head;
  Sums *sums;
  Bound group; /* stmt NULL: none is read */
  long long number, holder, freed;
  long long settled, answered, cost_nusd, full_nusd, unpriced;
} Settling;

static void leave_group(Settling *t, Err *err) {
  if (!t->group.stmt) {
    return;
  }
  bind_end(&t->group, "read a group of a batch", err);
  Bound b = bind_start(t->s, SQL_FREE_BATCH_GROUP, err);
  bind_number(&b, 1, t->head.id);
  bind_number(&b, 2, t->holder);
  bind_number(&b, 3, t->freed);
  bind_run(&b, "free what a batch held", err);
  t->freed = 0;
}

static int enter_group(Settling *t, long long number, Err *err) {
  if (t->group.stmt && t->number == number) {
    return err->rc;
  }
  leave_group(t, err);
  t->number = number;
  t->group = bind_start(t->s, SQL_GET_BATCH_GROUP, err);
  bind_number(&t->group, 1, t->head.id);
  bind_number(&t->group, 2, number);
  if (err->rc != RC_OK) {
    return err->rc;
  }
  if (!bind_step(&t->group, err)) {
    bind_end(&t->group, "read a group of a batch", err);
    return err->rc != RC_OK ? err->rc
                            : err_set(err, RC_ERROR, ERR_STORE,
                                      "the store '%s' is damaged: batch %lld has no group %lld",
                                      store_name(t->s), t->head.id, number);
  }
  t->holder = sqlite3_column_int64(t->group.stmt, 4);
  return columns_have_texts(t->group.stmt) ? RC_OK : err_nomem(err);
}

/* Writes the ledger's row: whose request it was, and when, stands in the store. */
static int put_row(Settling *t, const ItemResult *r, const Item *item, Err *err) {
  char request_id[64];
  LedgerRow row = *r->row;
  const char *group[4];
  for (int i = 0; i < 4; i++) {
    group[i] = (const char *)sqlite3_column_text(t->group.stmt, i);
  }
  snprintf(request_id, sizeof request_id, "%.16s-%lld", t->head.queue, r->submit_id);
  int is_hit = row.kind == KIND_HIT_EXACT || row.kind == KIND_HIT_SEMANTIC;
  row.id = 0;
  row.batch_id = t->head.id;
  row.request_id = request_id;
  row.attempt = item->attempt;
  row.ts = t->head.created_at;
  row.kind = row.kind == KIND_NONE ? KIND_BATCH : row.kind;
  row.provider = is_hit ? row.provider : t->head.provider;
  row.model_requested = t->head.model;
  row.tag = group[0];
  row.user = group[1];
  row.conversation = group[2];
  row.system_hash = group[3];
  row.prompt_hash = item->prompt_hash[0] ? item->prompt_hash : NULL;
  row.held_nusd = is_hit ? LEDGER_NULL : item->held_nusd;
  row.service = is_hit || row.service ? row.service : "batch";
  Answer *answer = item->has_key ? r->answer : NULL;
  if (answer) {
    answer->key = item->key;
    answer->tag = row.tag;
    answer->prompt_hash = row.prompt_hash;
  }
  if (ledger_put(t->s, &row, answer, t->sums, err) == RC_OK) {
    r->row->id = row.id;
  }
  return err->rc;
}

/* The row of a difference, in the open transaction; nothing where there is one. */
static int put_difference(Settling *t, LedgerRow *row, Err *err) {
  char request_id[64];
  snprintf(request_id, sizeof request_id, "%.16s-batch-%lld", t->head.queue, t->head.id);
  Bound b = bind_start(t->s, SQL_PUT_DIFFERENCE, err);
  bind_number(&b, 1, t->head.id);
  bind_number(&b, 2, 0);
  if (bind_run(&b, "note a difference", err) != 1) {
    return err->rc;
  }
  row->request_id = request_id;
  row->ts = t->head.created_at;
  row->batch_id = t->head.id;
  row->provider = t->head.provider;
  row->model_requested = row->model = t->head.model;
  row->service = "batch";
  if (ledger_put(t->s, row, NULL, t->sums, err) == RC_OK &&
      sums_write(t->s, t->sums, err) == RC_OK) {
    b = bind_start(t->s, SQL_NOTE_DIFFERENCE, err);
    bind_number(&b, 1, t->head.id);
    bind_number(&b, 2, row->id);
    bind_run(&b, "note a difference", err);
  }
  return err->rc;
}

int batches_differ(Store *s, long long batch, LedgerRow *row, Err *err) {
  long long last_call_id = s->last_call_id;
  Settling t = {.s = s, .head = {.id = batch}, .sums = sums_new(err)};
  if (!t.sums) {
    return err->rc;
  }
  if (store_begin(s, err) == RC_OK) {
    if (read_head(s, batch, &t.head, err) == RC_OK && t.head.is_there) {
      put_difference(&t, row, err);
    }
    store_end(s, err->rc == RC_OK, err);
  }
  s->last_call_id = last_call_id;
  sums_free(t.sums);
  return err->rc;
}

static int put_answer(Settling *t, const ItemResult *r, Err *err) {
  Bound b = bind_start(t->s, SQL_PUT_BATCH_ANSWER, err);
  bind_number(&b, 1, r->row->id);
  if (b.stmt) {
    b.rc = b.rc ? b.rc : sqlite3_bind_text64(b.stmt, 2, r->text, r->n, SQLITE_STATIC, SQLITE_UTF8);
  }
  bind_run(&b, "keep an answer", err);
  return err->rc;
}

static int put_outcome(Settling *t, const ItemResult *r, Err *err) {
  Bound b = bind_start(t->s, SQL_SETTLE_BATCH_ITEM, err);
  bind_number(&b, 1, t->head.id);
  bind_number(&b, 2, r->submit_id);
  bind_words(&b, 3, item_outcome_word(r->outcome));
  bind_number(&b, 4, r->row ? r->row->id : LEDGER_NULL);
  bind_number(&b, 5, r->row ? r->row->cost_nusd : LEDGER_NULL);
  bind_words(&b, 6, r->error);
  bind_run(&b, "settle a request of a batch", err);
  return err->rc;
}

static void count(Settling *t, const ItemResult *r, const Item *item) {
  long long cost = r->row ? r->row->cost_nusd : 0;
  int is_compared = cost != LEDGER_NULL && r->full_nusd != LEDGER_NULL;
  t->settled++;
  t->answered += r->outcome == ITEM_DONE;
  t->cost_nusd += cost == LEDGER_NULL ? 0 : cost;
  t->unpriced += cost == LEDGER_NULL;
  /* (Where one of the two prices is not known nothing is known to be saved.) */
  t->full_nusd += is_compared ? r->full_nusd : cost == LEDGER_NULL ? 0 : cost;
  t->freed += item->held_nusd == LEDGER_NULL ? 0 : item->held_nusd;
}

static int settle_one(Settling *t, ItemResult *r, Err *err) {
  Item item;
  r->was = t->head.is_settled ? ITEM_BEFORE : ITEM_UNKNOWN;
  if (t->head.is_settled || read_item(t->s, t->head.id, r->submit_id, &item, err) != RC_OK ||
      !item.is_there || item.attempt != r->attempt) {
    return err->rc;
  }
  r->was = item.is_open ? ITEM_NOW : ITEM_BEFORE;
  if (!item.is_open || enter_group(t, item.number, err) != RC_OK) {
    return err->rc;
  }
  if (r->row) {
    put_row(t, r, &item, err);
  }
  if (r->row && r->text && err->rc == RC_OK) {
    put_answer(t, r, err);
  }
  if (err->rc == RC_OK && put_outcome(t, r, err) == RC_OK) {
    count(t, r, &item);
  }
  return err->rc;
}

static int put_counts(Settling *t, Err *err) {
  const long long counts[] = {t->settled, t->answered, t->cost_nusd, t->full_nusd, t->unpriced};
  Bound b = bind_start(t->s, SQL_COUNT_BATCH, err);
  bind_number(&b, 1, t->head.id);
  for (int i = 0; i < (int)(sizeof counts / sizeof counts[0]); i++) {
    bind_number(&b, 2 + i, counts[i]);
  }
  bind_run(&b, "count what a batch settled", err);
  return err->rc;
}

static int settle_all(Settling *t, ItemResult *results, int n, long long now, Err *err) {
  if (read_head(t->s, t->head.id, &t->head, err) != RC_OK) {
    return err->rc;
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    settle_one(t, &results[i], err);
  }
  leave_group(t, err);
  if (err->rc == RC_OK && t->settled > 0 && sums_write(t->s, t->sums, err) == RC_OK &&
      put_counts(t, err) == RC_OK) {
    batches_end_if_over(t->s, t->head.id, now, err);
  }
  return err->rc;
}

/* (No interrupt may take paid answers back; and what a batch brings is not the connection's last call.) */
int batches_settle(Store *s, long long batch, ItemResult *results, int n, long long now, Err *err) {
  long long last_call_id = s->last_call_id;
  Settling t = {.s = s, .head = {.id = batch}, .sums = sums_new(err)};
  if (!t.sums) {
    return err->rc;
  }
  s->n_settling++;
  if (store_begin(s, err) == RC_OK) {
    settle_all(&t, results, n, now, err);
    store_end(s, err->rc == RC_OK, err);
  }
  s->n_settling--;
  s->last_call_id = last_call_id;
  sums_free(t.sums);
  return err->rc;
}

static long long settle_rest(Store *s, long long batch, ItemOutcome outcome, const char *error,
                             Err *err) {
  Settling t = {.s = s, .head = {.id = batch}};
  Bound b = bind_start(s, SQL_SETTLE_BATCH_REST, err);
  bind_number(&b, 1, batch);
  bind_words(&b, 2, item_outcome_word(outcome));
  bind_words(&b, 3, error);
  t.settled = bind_run(&b, "settle the rest of a batch", err);
  t.answered = outcome == ITEM_DONE ? t.settled : 0;
  b = bind_start(s, SQL_EMPTY_BATCH_GROUPS, err);
  bind_number(&b, 1, batch);
  bind_run(&b, "free what a batch held", err);
  return err->rc == RC_OK && put_counts(&t, err) == RC_OK ? t.settled : 0;
}

long long batches_rest(Store *s, long long batch, ItemOutcome outcome, const char *error,
                       long long now, Err *err) {
  Head head;
  long long n = 0;
  if (store_begin(s, err) != RC_OK) {
    return -1;
  }
  if (read_head(s, batch, &head, err) == RC_OK && !head.is_settled && !head.is_opening) {
    n = settle_rest(s, batch, outcome, error, err);
    batches_end_if_over(s, batch, now, err);
  }
  return store_end(s, err->rc == RC_OK, err) == RC_OK ? n : -1;
}

/* ---- telling */

static const char walk_sql[] =
    "SELECT i.submit_id, i.attempt, i.cost_nusd, i.held_nusd, i.outcome, i.error, i.key,"
    " i.is_told, a.answer, i.line FROM main.llm_batch_items i LEFT JOIN main.llm_batch_answers a"
    " ON a.call_id = i.call_id WHERE i.batch = ?1 AND i.submit_id > ?2%s ORDER BY i.submit_id"
    " LIMIT ?3";

static const char *const choices[] = {[ITEMS_ALL] = "",
                                      [ITEMS_OPEN] = " AND i.outcome IS NULL",
                                      [ITEMS_UNTOLD] =
                                          " AND i.outcome IS NOT NULL AND NOT i.is_told"};

static long long number_at(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_NULL ? LEDGER_NULL : sqlite3_column_int64(stmt, i);
}

static void read_row(sqlite3_stmt *stmt, ItemRow *row) {
  row->submit_id = sqlite3_column_int64(stmt, 0);
  row->attempt = sqlite3_column_int64(stmt, 1);
  row->cost_nusd = number_at(stmt, 2);
  row->held_nusd = number_at(stmt, 3);
  row->outcome = (const char *)sqlite3_column_text(stmt, 4);
  row->error = (const char *)sqlite3_column_text(stmt, 5);
  row->key =
      sqlite3_column_bytes(stmt, 6) == (int)sizeof(Hash) ? sqlite3_column_blob(stmt, 6) : NULL;
  row->is_told = sqlite3_column_int(stmt, 7);
  row->answer = (const char *)sqlite3_column_text(stmt, 8);
  row->n_answer = (size_t)sqlite3_column_bytes(stmt, 8);
  row->line = number_at(stmt, 9);
}

int batches_items(Store *s, ItemWalk *walk, int (*take)(void *arg, const ItemRow *item, Err *err),
                  void *arg, Err *err) {
  sqlite3_stmt *stmt = NULL;
  ItemRow row;
  char sql[sizeof walk_sql + 64];
  sqlite3_snprintf(sizeof sql, sql, walk_sql, choices[walk->which]);
  int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
  sqlite3_bind_int64(stmt, 1, walk->batch);
  sqlite3_bind_int64(stmt, 2, walk->after);
  sqlite3_bind_int(stmt, 3, walk->most);
  walk->n = 0;
  while (rc == SQLITE_OK && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    if (!columns_have_texts(stmt)) {
      err_nomem(err);
      break;
    }
    read_row(stmt, &row);
    walk->n++;
    walk->after = row.submit_id;
    take(arg, &row, err);
  }
  int end = sqlite3_finalize(stmt);
  rc = rc == SQLITE_OK ? end : rc;
  return rc == SQLITE_OK || err->rc != RC_OK ? err->rc
                                             : store_error(s, rc, "read what a batch brought", err);
}

long long batches_at_line(Store *s, long long batch, long long line, Err *err) {
  long long id = 0;
  Bound b = bind_start(s, SQL_GET_ITEM_OF_LINE, err);
  bind_number(&b, 1, batch);
  bind_number(&b, 2, line);
  if (bind_step(&b, err)) {
    id = sqlite3_column_int64(b.stmt, 0);
  }
  return bind_end(&b, "find a request of a batch", err) == RC_OK ? id : -1;
}

int batches_find(Store *s, long long batch, long long submit_id, int *is_open, int *is_told,
                 Err *err) {
  Item item;
  if (read_item(s, batch, submit_id, &item, err) != RC_OK) {
    return -1;
  }
  *is_open = item.is_open;
  *is_told = item.is_told;
  return item.is_there;
}

/* Runs a statement on those ids: how many rows it changed. */
static int on_ids(Store *s, StoreSql id, long long batch, const Buf *ids, const char *doing,
                  Err *err) {
  Bound b = bind_start(s, id, err);
  bind_number(&b, 1, batch);
  bind_words(&b, 2, ids->data);
  return bind_run(&b, doing, err);
}

static int list_ids(const long long *submit_ids, int n, Buf *out, Err *err) {
  enum { DIGITS = 22 };
  buf_init(out, (size_t)n * DIGITS + DIGITS);
  buf_puts(out, "[");
  for (int i = 0; i < n; i++) {
    buf_printf(out, "%s%lld", i ? "," : "", submit_ids[i]);
  }
  return buf_puts(out, "]") == RC_OK ? RC_OK : err_nomem(err);
}

int batches_told(Store *s, long long batch, const long long *submit_ids, int n, Err *err) {
  static const char doing[] = "note what was told";
  Buf ids;
  if (list_ids(submit_ids, n, &ids, err) == RC_OK && store_begin(s, err) == RC_OK) {
    int told = on_ids(s, SQL_TELL_BATCH_ITEMS, batch, &ids, doing, err);
    on_ids(s, SQL_DROP_BATCH_ANSWERS, batch, &ids, doing, err);
    Bound b = bind_start(s, SQL_COUNT_TOLD, err);
    bind_number(&b, 1, batch);
    bind_number(&b, 2, told);
    bind_run(&b, doing, err);
    if (err->rc == RC_OK && told > 0) {
      batches_end_if_over(s, batch, LEDGER_NULL, err);
    }
    store_end(s, err->rc == RC_OK, err);
  }
  buf_free(&ids);
  return err->rc;
}
