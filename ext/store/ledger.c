/*
** Ledger rows, intents, cached answers and the write queue. See ledger.h for the contract.
*/
#include "store/ledger.h"

#include "base/sqlite/columns.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "core/names/model_name.h"
#include "store/answers/flight.h"
#include "store/db/inflight.h"
#include "store/budget/spent.h"
#include "store/db/owner.h"
#include "store/semantic.h"
#include "store/sums/rebuild.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row, and perhaps answers, that wait to be written: one block of memory with the texts
** behind. */
typedef struct Pending {
  struct Pending *next;
  LedgerRow row;
  Served served; /* entry 0: none */
  LedgerText *texts;
  int n_texts;
  int n_answers;
  Answer answers[]; /* a list, too */
} Pending;

/* Binding a text can want memory (in main mode, where the user's database is in UTF-16): `finish` asks. The text
** is borrowed until then. */
static void bind_text(Store *s, sqlite3_stmt *stmt, int at, const char *text) {
  int rc = sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC); /* NULL binds SQL NULL */
  s->bind_rc = s->bind_rc ? s->bind_rc : rc;
}

static void bind_bytes(Store *s, sqlite3_stmt *stmt, int at, const char *text, size_t n) {
  int rc = sqlite3_bind_text64(stmt, at, text, n, SQLITE_STATIC, SQLITE_UTF8);
  s->bind_rc = s->bind_rc ? s->bind_rc : rc;
}

static void bind_int(sqlite3_stmt *stmt, int at, long long value) {
  if (value == LEDGER_NULL) {
    sqlite3_bind_null(stmt, at);
  } else {
    sqlite3_bind_int64(stmt, at, value);
  }
}

/* Runs a bound statement to its end and gives it back. */
static int finish(Store *s, sqlite3_stmt *stmt, const char *doing, Err *err) {
  int rc = s->bind_rc;
  s->bind_rc = SQLITE_OK;
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
    rc = store_done(s, stmt);
  } else {
    store_done(s, stmt);
  }
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, doing, err);
}

static int write_row(Store *s, StoreSql id, const LedgerRow *row, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, id, err);
  if (!stmt) {
    return err->rc;
  }
  s->bind_rc = row_bind(stmt, 0, row, id == SQL_UPDATE_CALL);
  return finish(s, stmt, "write a ledger row", err);
}

/* Notes which entry of the semantic cache a hit came from, and what was asked. */
static int put_served(Store *s, const LedgerRow *row, const Served *served, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_TEXT, err);
  if (stmt && served->prompt) {
    bind_text(s, stmt, 1, row->prompt_hash);
    bind_text(s, stmt, 2, served->prompt);
    finish(s, stmt, "keep a text", err);
  }
  stmt = err->rc == RC_OK ? store_stmt(s, SQL_PUT_SERVED, err) : NULL;
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, row->id);
  sqlite3_bind_int64(stmt, 2, served->entry);
  return finish(s, stmt, "note a semantic hit", err);
}

/* Writes one row: a new one where its id is 0, and gives it its id; else the row of that id,
** which is made again if a rollback took it. *existed: it was there. */
static int put_row(Store *s, LedgerRow *row, int *existed, Err *err) {
  int exists =
      row->id && write_row(s, SQL_UPDATE_CALL, row, err) == RC_OK && sqlite3_changes(s->db) == 1;
  *existed = exists;
  if (!exists && err->rc == RC_OK && write_row(s, SQL_INSERT_CALL, row, err) == RC_OK) {
    row->id = sqlite3_last_insert_rowid(s->db);
  }
  s->last_call_id = err->rc == RC_OK ? row->id : s->last_call_id;
  return err->rc;
}

/* The two halves of a key as SQLite integers. */
static long long key_half(const Hash *key, int half) {
  unsigned long long value = 0;
  for (int i = 0; i < 8; i++) {
    value = value << 8 | key->b[8 * half + i];
  }
  return (long long)value;
}

static int put_answer(Store *s, const Answer *a, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_ANSWER, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, key_half(&a->key, 0));
  sqlite3_bind_int64(stmt, 2, key_half(&a->key, 1));
  bind_bytes(s, stmt, 3, a->text, a->n);
  bind_int(stmt, 4, a->created_at);
  bind_int(stmt, 5, a->expires_at);
  bind_int(stmt, 6, a->call_id);
  bind_text(s, stmt, 7, a->provider);
  bind_text(s, stmt, 8, a->model);
  bind_text(s, stmt, 9, a->tier);
  bind_text(s, stmt, 10, a->tag);
  bind_int(stmt, 11, a->cost_nusd);
  bind_text(s, stmt, 12, a->prompt_hash);
  return finish(s, stmt, "keep an answer", err);
}

/* The semantic cache is a convenience: where it can't take an answer, the exact one still has it; unless its
** failure took the whole transaction back, which SQLite does where memory or the disk is out. */
static int put_similar(Store *s, const Answer *a, Err *err) {
  Err why = {0};
  if (!a->question || semantic_put(s, a->question, a, &why) == RC_OK) {
    return RC_OK;
  }
  if (!s->mode->follows_caller && sqlite3_get_autocommit(s->db)) {
    *err = why;
  } else {
    sqlite3_log(SQLITE_WARNING, "llmcost: %s", why.msg);
  }
  return err->rc;
}

static int put_intent(Store *s, long long call_id, const Hash *key, long long lease_until,
                      Err *err) {
  char owner[OWNER_SIZE];
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_INTENT, err);
  if (!stmt) {
    return err->rc;
  }
  owner_self(s->place, owner);
  sqlite3_bind_int64(stmt, 1, call_id);
  if (key) {
    sqlite3_bind_blob(stmt, 2, key->b, sizeof key->b, SQLITE_STATIC);
  }
  bind_text(s, stmt, 3, owner);
  sqlite3_bind_int64(stmt, 4, lease_until);
  return finish(s, stmt, "write an intent", err);
}

static int drop_intent(Store *s, long long call_id, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_DROP_INTENT, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, call_id);
  return finish(s, stmt, "end an intent", err);
}

/* Adding a row to eight sums costs more than writing it: rows are added some at a time. Until then they are listed, and
** who reads sums adds them. */
enum { COUNTED_AT_ONCE = 64 };

/* `model`: of the row, as it names it. */
static int list_uncounted(Store *s, long long call_id, const char *model, Err *err) {
  char plain[LIMIT_MODEL_NAME] = "";
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_UNCOUNTED, err);
  if (!stmt) {
    return err->rc;
  }
  if (model) {
    model_name_plain(model, plain, sizeof plain);
    s->bind_rc = sqlite3_bind_text(stmt, 2, plain, -1, SQLITE_STATIC);
  }
  sqlite3_bind_int64(stmt, 1, call_id);
  if (finish(s, stmt, "list a row", err) != RC_OK || ++s->n_uncounted < COUNTED_AT_ONCE) {
    return err->rc;
  }
  s->n_uncounted = 0;
  return rebuild_uncounted(s, err);
}

/* The same for a row that was written before. */
static int list_ended(Store *s, long long call_id, Err *err) {
  char model[LIMIT_MODEL_NAME] = "";
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_CALL_MODEL, err);
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, call_id);
    const char *text =
        sqlite3_step(stmt) == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    snprintf(model, sizeof model, "%s", text ? text : "");
    finish(s, stmt, "read a row", err);
  }
  return err->rc == RC_OK ? list_uncounted(s, call_id, model[0] ? model : NULL, err) : err->rc;
}

/* Ends the intent of a request whose row has been settled before, or never will be: the row is final. */
static int end_intent(Store *s, long long call_id, Err *err) {
  return drop_intent(s, call_id, err) == RC_OK && sqlite3_changes(s->db) == 1 &&
                 spent_add_call(s, call_id, err) == RC_OK
             ? list_ended(s, call_id, err)
             : err->rc;
}

/* Notes under its key that this call's answer was lost: who asks again is told. */
static int note_lost(Store *s, long long call_id, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_NOTE_LOST, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, call_id);
  return finish(s, stmt, "note a lost answer", err);
}

int ledger_was_lost(Store *s, const Hash *key, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_WAS_LOST, err);
  int was = 0;
  if (stmt) {
    sqlite3_bind_blob(stmt, 1, key->b, sizeof key->b, SQLITE_STATIC);
    was = sqlite3_step(stmt) == SQLITE_ROW;
    finish(s, stmt, "look for a lost answer", err);
  }
  return was;
}

int ledger_take_lost(Store *s, const Hash *key, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_TAKE_LOST, err);
  if (!stmt) {
    return 0;
  }
  sqlite3_bind_blob(stmt, 1, key->b, sizeof key->b, SQLITE_STATIC);
  return finish(s, stmt, "look for a lost answer", err) == RC_OK && sqlite3_changes(s->db) > 0;
}

void ledger_note_lost(Store *s, const Hash *key, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_LOST, err);
  if (stmt) {
    sqlite3_bind_blob(stmt, 1, key->b, sizeof key->b, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, s->last_call_id);
    finish(s, stmt, "note a lost answer", err);
  }
}

/* 1 if this file is a copy of the one in which that call's process noted it. */
static int was_copied(Store *s, long long call_id, Err *err) {
  int is_it = 0;
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_INTENT_OWNER, err);
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, call_id);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
      const char *owner = (const char *)sqlite3_column_text(stmt, 0);
      is_it = owner ? owner_is_elsewhere(owner, s->place) : (err_nomem(err), 0);
    }
    finish(s, stmt, "read an intent", err);
  }
  return is_it;
}

int ledger_bury(Store *s, long long call_id, Err *err) {
  int is_copied = was_copied(s, call_id, err);
  sqlite3_stmt *stmt = err->rc == RC_OK ? store_stmt(s, SQL_MARK_DEAD, err) : NULL;
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, call_id);
  bind_text(s, stmt, 2,
            is_copied ? "the file was copied before the answer came: the original has it"
                      : "the process ended before the answer was stored");
  finish(s, stmt, "mark a lost request", err);
  return err->rc == RC_OK && note_lost(s, call_id, err) == RC_OK ? end_intent(s, call_id, err)
                                                                 : err->rc;
}

/* 1 if the row of this call waits here to be written: its request has ended, only its intent has not. */
static int is_pending(const Store *s, long long call_id) {
  const Pending *p = s->n_unsettled ? s->pending : NULL;
  while (p && p->row.id != call_id) {
    p = p->next;
  }
  return p != NULL;
}

/* 1 if nobody will end this intent any more, here. */
static int is_abandoned(const Store *s, const char *owner, long long lease_until, long long now) {
  return !owner || owner_has_left(owner, s->place, lease_until, now);
}

static const char *file_of(Store *s) {
  return s->place[0] ? s->place : sqlite3_db_filename(s->db, "main");
}

/* Whether an intent that is not abandoned keeps others waiting: 1, or 0 where nobody will end it. An error
** where its answer is here and can't be stored: waiting would not help, and asking would pay twice. */
static int is_waited_for(Store *s, long long call_id, const char *owner, Err *err) {
  InflightState state = owner_is_self(owner) ? inflight_find(file_of(s), call_id) : INFLIGHT_ASKING;
  if (state == INFLIGHT_STUCK) {
    err->retryable = 1;
    err_set(err, RC_ERROR, ERR_STORE,
            "another connection of this process has paid for this answer and could not store it; it"
            " tries again with its next call: make room, then ask it there, or later here");
  }
  return state == INFLIGHT_ASKING;
}

/* Looks for another's intent for the same key. 1: a living one; 0: none left; -1: error. */
static int is_claimed(Store *s, const Hash *key, long long now, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_INTENT, err);
  if (!stmt) {
    return -1;
  }
  long long dead_call = 0;
  int claimed = 0;
  sqlite3_bind_blob(stmt, 1, key->b, sizeof key->b, SQLITE_STATIC);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    const char *owner = (const char *)sqlite3_column_text(stmt, 1);
    long long call_id = sqlite3_column_int64(stmt, 0);
    if (!owner && sqlite3_column_type(stmt, 1) != SQLITE_NULL) {
      err_nomem(err);
    } else if (is_abandoned(s, owner, sqlite3_column_int64(stmt, 2), now)) {
      dead_call = call_id;
    } else if (!is_pending(s, call_id)) {
      claimed = is_waited_for(s, call_id, owner, err);
      dead_call = claimed || err->rc != RC_OK ? 0 : call_id;
    }
  }
  int rc = store_done(s, stmt);
  if (rc != SQLITE_OK) {
    store_error(s, rc, "read an intent", err);
  } else if (dead_call) {
    ledger_bury(s, dead_call, err);
  }
  return err->rc == RC_OK ? claimed : -1;
}

/* 1 if the key has a live answer by now. */
static int is_answered(Store *s, const Hash *key, long long now, Err *err) {
  Answer ignored;
  sqlite3_stmt *held = NULL;
  int found = ledger_get_answer(s, key, now, &ignored, &held, err);
  ledger_answer_done(s, held);
  return found == 1;
}

static int put_text(Store *s, const LedgerText *t, Err *err) {
  char hex[HASH_HEX_SIZE];
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_TEXT, err);
  if (!stmt) {
    return err->rc;
  }
  hash_hex(&t->hash, hex);
  bind_text(s, stmt, 1, hex);
  bind_bytes(s, stmt, 2, t->text, t->n);
  return finish(s, stmt, "keep a text", err);
}

static int put_texts(Store *s, const LedgerText *texts, int n, Err *err) {
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    put_text(s, &texts[i], err);
  }
  return err->rc;
}

int ledger_keep_texts(Store *s, const LedgerText *texts, int n, Err *err) {
  if (store_begin(s, err) == RC_OK) {
    put_texts(s, texts, n, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

/* Writes the row of a request that is to leave, and its intent. */
static int open_row(Store *s, LedgerRow *row, const Hash *key, long long lease_until, Err *err) {
  int ignored;
  if (put_row(s, row, &ignored, err) != RC_OK ||
      put_intent(s, row->id, key, lease_until, err) != RC_OK) {
    return err->rc;
  }
  return inflight_add(s, file_of(s), row->id) ? RC_OK : err_nomem(err);
}

/* What was not committed was not opened. */
static int close_failed_row(Store *s, LedgerRow *row, const Err *err) {
  if (err->rc != RC_OK) {
    if (row->id) {
      inflight_end(s, row->id);
    }
    row->id = 0;
  }
  return err->rc;
}

/* Copies a text behind the block; returns its new place. */
static const char *keep(char **at, const char *text, size_t n) {
  char *to = *at;
  memcpy(to, text, n);
  to[n] = 0;
  *at += n + 1;
  return to;
}

/* Copies an answer, as the next of this block. */
static void keep_answer(char **at, Pending *p, const Answer *from) {
  Answer *a = &p->answers[p->n_answers++];
  *a = *from;
  a->text = keep(at, from->text, from->n);
  a->next = from->next ? a + 1 : NULL;
  a->question = NULL; /* what had to wait is found by its exact text only */
  row_keep_text(&a->provider, at);
  row_keep_text(&a->model, at);
  row_keep_text(&a->tier, at);
  row_keep_text(&a->tag, at);
  row_keep_text(&a->prompt_hash, at);
}

/* Copies the texts, behind the answers. */
static void keep_texts(char **at, Pending *p, const LedgerEnd *end) {
  p->n_texts = end->n_texts;
  for (int i = 0; i < end->n_texts; i++) {
    p->texts[i] = end->texts[i];
    p->texts[i].text = keep(at, end->texts[i].text, end->texts[i].n);
  }
}

static size_t texts_size(const LedgerRow *row, const Served *served, const LedgerEnd *end) {
  size_t size = row_texts_size(row);
  size += served ? row_text_size(served->prompt) : 0;
  for (int i = 0; i < end->n_texts; i++) {
    size += sizeof end->texts[i] + end->texts[i].n + 1;
  }
  for (const Answer *a = end->answers; a; a = a->next) {
    size += a->n + 1 + row_text_size(a->provider) + row_text_size(a->model) +
            row_text_size(a->tier) + row_text_size(a->tag) + row_text_size(a->prompt_hash);
  }
  return size;
}

/* The counts are those of the list, and its end is its end. */
static int is_queue_sound(const Store *s) {
  int n = 0, unsettled = 0;
  struct Pending *const *end = &s->pending;
  for (; *end; end = &(*end)->next) {
    n++;
    unsettled += (*end)->n_answers > 0 || (*end)->row.id != 0;
  }
  return n == s->n_pending && unsettled == s->n_unsettled && end == s->pending_end;
}

/* Behind the others. */
static void append(Store *s, Pending *p) {
  p->next = NULL;
  s->pending_since = s->pending ? s->pending_since : monotonic_ms();
  *s->pending_end = p;
  s->pending_end = &p->next;
  s->n_pending++;
  s->n_unsettled += p->n_answers > 0 || p->row.id != 0;
  CHECK(is_queue_sound(s));
}

/* On a node whichever connection can writes what waits. */
static void strand_on_node(Store *s) {
  if (s->pending && s->mode->follows_caller && node_role(s->host.node) != NODE_ALONE) {
    ledger_strand(s);
  }
}

/* Copies a row, with what it was served from, its answers and its texts if there are any, to be written later. */
static int enqueue(Store *s, const LedgerRow *row, const Served *served, const LedgerEnd *end,
                   Err *err) {
  const Answer *a = end->answers;
  size_t n = 0;
  for (const Answer *one = a; one; one = one->next) {
    n++;
  }
  Pending *p = malloc(sizeof *p + n * sizeof *a + texts_size(row, served, end));
  if (!p) {
    return err_nomem(err);
  }
  p->texts = (LedgerText *)(p->answers + n);
  char *at = (char *)(p->texts + end->n_texts);
  p->row = *row;
  p->served = served ? *served : (Served){0};
  p->n_answers = 0;
  row_keep_texts(&p->row, &at);
  row_keep_text(&p->served.prompt, &at);
  for (const Answer *one = a; one; one = one->next) {
    keep_answer(&at, p, one);
  }
  keep_texts(&at, p, end);
  append(s, p);
  strand_on_node(s);
  return RC_OK;
}

/* What waits, while it is written: who writes at the same time, in the same transaction, finds it gone. */
typedef struct Taken {
  Pending *first;
  int n, n_unsettled;
} Taken;

/* 1 if what is written now is committed by itself. In a transaction of the caller's, who may take it back, what waits from before
** must not be written: it goes on waiting. */
static int commits_alone(const Store *s) {
  return !s->mode->follows_caller || !s->mode->commits_alone || s->mode->commits_alone(s);
}

static Taken take_pending(Store *s) {
  const Taken taken = {s->pending, s->n_pending, s->n_unsettled};
  s->pending = NULL;
  s->pending_end = &s->pending;
  s->n_pending = s->n_unsettled = 0;
  return taken;
}

/* Back in front of what came since. */
static void give_back(Store *s, Taken *taken) {
  Pending **end = &taken->first;
  while (*end) {
    end = &(*end)->next;
  }
  if (taken->first) {
    s->pending_end = s->pending ? s->pending_end : end;
    *end = s->pending;
    s->pending = taken->first;
    s->n_pending += taken->n;
    s->n_unsettled += taken->n_unsettled;
  }
  CHECK(is_queue_sound(s));
}

static void drop_taken(Store *s, const Taken *taken) {
  for (Pending *p = taken->first, *next; p; p = next) {
    next = p->next;
    if (p->row.id) {
      inflight_end(s, p->row.id);
    }
    free(p);
  }
}

/* It is on disk, or it waits again. */
static void end_taken(Store *s, Taken *taken, int is_written) {
  is_written ? drop_taken(s, taken) : give_back(s, taken);
}

void ledger_drop_pending(Store *s) {
  const Taken taken = take_pending(s);
  drop_taken(s, &taken);
}

/* --- what connections have left behind (ledger_strand) */

typedef struct Stranded {
  struct Stranded *next;
  Pending *first;
  char file[];
} Stranded;

static pthread_mutex_t stranded_lock = PTHREAD_MUTEX_INITIALIZER;
static Stranded *_Atomic stranded;

void ledger_strand(Store *s) {
  const char *file = s->host.node->file;
  Stranded *left = s->pending && file[0] ? malloc(sizeof *left + strlen(file) + 1) : NULL;
  if (left) {
    const Taken taken = take_pending(s);
    left->first = taken.first;
    memcpy(left->file, file, strlen(file) + 1);
    pthread_mutex_lock(&stranded_lock);
    left->next = stranded;
    stranded = left;
    pthread_mutex_unlock(&stranded_lock);
  }
}

static Stranded *take_stranded(const char *file) {
  Stranded *found = NULL, *left = NULL;
  pthread_mutex_lock(&stranded_lock);
  for (Stranded *at = stranded, *next; at; at = next) {
    next = at->next;
    Stranded **to = strcmp(at->file, file) == 0 ? &found : &left;
    at->next = *to;
    *to = at;
  }
  stranded = left;
  pthread_mutex_unlock(&stranded_lock);
  return found;
}

/* They wait here from now on, in front of what is written next. */
static void adopt_stranded(Store *s) {
  if (!stranded || s->mode->has_intents || !s->mode->follows_caller) {
    return;
  }
  for (Stranded *left = take_stranded(s->host.node->file), *next; left; left = next) {
    next = left->next;
    for (Pending *p = left->first, *then; p; p = then) {
      then = p->next;
      append(s, p);
    }
    free(left);
  }
}

/* Adds a row to the sums, now or with others. One that may be in them already, as it was before, has its whole day
** summed anew. */
static int count_settled(Store *s, const LedgerRow *row, int may_be_counted, Sums *sums, Err *err) {
  if (!may_be_counted) {
    if (spent_add(s, row, err) != RC_OK) {
      return err->rc;
    }
    return sums ? sums_fold(sums, row, 1, err)
                : list_uncounted(s, row->id, row->model ? row->model : row->model_requested, err);
  }
  if (spent_refresh(s, row, err) == RC_OK && sums) {
    sums_write(s, sums, err);
  }
  return err->rc == RC_OK ? rebuild_day(s, rebuild_day_of(row->ts), err) : err->rc;
}

/* `sums`: of rows that are written together; NULL: this one alone. */
static int put_settled(Store *s, LedgerRow *row, const LedgerEnd *end, Sums *sums, Err *err) {
  int has_intent = s->mode->has_intents && row->id != 0, ends_intent = has_intent && !end->more;
  int existed, may_be_counted;
  put_row(s, row, &existed, err);
  may_be_counted = existed && !has_intent;
  if (!s->mode->has_intents && err->rc == RC_OK) { /* else ledger_begin wrote them */
    put_texts(s, end->texts, end->n_texts, err);
  }
  for (Answer *a = end->answers; a && err->rc == RC_OK; a = a->next) {
    a->call_id = row->id;
    if (put_answer(s, a, err) == RC_OK) {
      put_similar(s, a, err);
    }
  }
  if (ends_intent && row->kind == KIND_UNKNOWN && err->rc == RC_OK) {
    note_lost(s, row->id, err);
  }
  if (ends_intent && err->rc == RC_OK) {
    drop_intent(s, row->id, err);
    may_be_counted = existed && sqlite3_changes(s->db) == 0; /* another took it for dead */
  }
  return err->rc == RC_OK && (ends_intent || !has_intent)
             ? count_settled(s, row, may_be_counted, sums, err)
             : err->rc;
}

static const LedgerEnd plain_end = {.answers = NULL};

int ledger_put(Store *s, LedgerRow *row, Answer *answer, Sums *sums, Err *err) {
  const LedgerEnd end = {.answers = answer};
  CHECK(row->id == 0);
  return put_settled(s, row, &end, sums, err);
}

static int is_plain_hit(const Pending *p) {
  int is_hit = p->row.kind == KIND_HIT_EXACT || p->row.kind == KIND_HIT_SEMANTIC;
  return is_hit && !p->row.id && !p->n_answers && !p->served.entry;
}

/* 1 if from that row on as many as are written at once are new hits with nothing to them. */
static int are_plain(const Pending *p) {
  int n = 0;
  while (p && n < HITS_AT_ONCE && is_plain_hit(p)) {
    p = p->next;
    n++;
  }
  return n == HITS_AT_ONCE;
}

/* Writes these, and adds them to the sums. The last of them; NULL and *err. */
static Pending *put_plain(Store *s, Pending *p, Sums *sums, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_INSERT_HITS, err);
  Pending *last = NULL;
  for (int i = 0; i < HITS_AT_ONCE && stmt && err->rc == RC_OK; i++, p = p->next) {
    int rc = row_bind_hit(stmt, i * ROW_HIT_PARAMETERS, &p->row);
    s->bind_rc = s->bind_rc ? s->bind_rc : rc;
    sums_fold(sums, &p->row, 1, err);
    spent_add(s, &p->row, err);
    last = p;
  }
  if (!stmt || finish(s, stmt, "write ledger rows", err) != RC_OK) {
    return NULL;
  }
  s->last_call_id = sqlite3_last_insert_rowid(s->db);
  return last;
}

/* Writes what was taken inside the open transaction; it is kept until the commit. */
static int put_pending(Store *s, const Taken *taken, Err *err) {
  Sums *sums = taken->n > 1 ? sums_new(err) : NULL;
  for (Pending *p = taken->first; p && err->rc == RC_OK; p = p->next) {
    if (sums && are_plain(p)) {
      p = put_plain(s, p, sums, err);
      if (!p) {
        break;
      }
      continue;
    }
    LedgerRow row = p->row; /* its new id counts only once committed */
    const LedgerEnd end = {
        .answers = p->n_answers ? p->answers : NULL, .texts = p->texts, .n_texts = p->n_texts};
    put_settled(s, &row, &end, sums, err);
    if (p->served.entry && err->rc == RC_OK) {
      put_served(s, &row, &p->served, err);
    }
  }
  if (sums && err->rc == RC_OK) {
    sums_write(s, sums, err);
  }
  sums_free(sums);
  return err->rc;
}

/* Asks the limits, in the open transaction. 1: the attempt may begin; 0: *outcome says why not, or *err. */
static int is_admitted(Store *s, LedgerRow *row, const LedgerIntent *intent, LedgerBegin *outcome,
                       Err *err) {
  Reserve *r = intent->reserve;
  if (err->rc != RC_OK || *outcome != LEDGER_BEGUN) {
    return 0;
  }
  if (!r) {
    return 1;
  }
  if (reserve_ask(s, r, ledger_bury, err) == RC_OK && r->outcome != RESERVE_FITS) {
    *outcome = r->outcome == RESERVE_WAITS ? LEDGER_HELD : LEDGER_OVER;
    return 0;
  }
  row->ts = r->now; /* of the period in which it was admitted */
  row->held_nusd = r->most_nusd;
  return err->rc == RC_OK &&
         (!intent->admitted || intent->admitted(intent->arg, row, err) == RC_OK);
}

/* Main mode: how this connection asks what others of the process do. */
static FlightAsk flight_of(const Store *s, const Hash *key, long long since) {
  int is_alone = s->db && sqlite3_get_autocommit(s->db);
  return (FlightAsk){.owner = s,
                     .file = s->host.node->file,
                     .key = key,
                     .now = now_ms(),
                     .since = is_alone ? since : 0,
                     .is_alone = is_alone};
}

/* What another connection was answered, for who asks now. */
static void take_landed(Store *s, Answer *answer) {
  free(s->landed);
  s->landed = answer;
}

/* The question is this connection's to ask: LEDGER_BEGUN; or not. (A database in memory has no others.) */
static LedgerBegin claim_flight(Store *s, const LedgerIntent *intent) {
  Answer *answer = NULL;
  if (!intent->key || !s->host.node->file[0]) {
    return LEDGER_BEGUN;
  }
  FlightAsk ask = flight_of(s, intent->key, intent->since);
  FlightState state = flight_claim(&ask, &answer);
  take_landed(s, answer);
  return state == FLIGHT_ASKED      ? LEDGER_WAIT
         : state == FLIGHT_ANSWERED ? LEDGER_ANSWERED
                                    : LEDGER_BEGUN;
}

void ledger_release(Store *s, const Hash *key) {
  if (!s->mode->has_intents) {
    FlightAsk ask = flight_of(s, key, 0);
    flight_land(&ask, NULL);
  }
}

/* Others that wait have the answer, be it written or not: it was paid for. (One that is kept under another key is another model's.) */
static void land(Store *s, const LedgerEnd *end) {
  if (s->mode->has_intents || !end->key || end->more) {
    return;
  }
  const Answer *a = end->answers;
  FlightAsk ask = flight_of(s, end->key, 0);
  flight_land(&ask, a && memcmp(a->key.b, end->key->b, sizeof a->key.b) == 0 ? a : NULL);
}

/* 1 if writing now keeps nobody waiting until the answer is there. */
static int may_write_ahead(const Store *s) {
  return !s->mode->may_write_ahead || s->mode->may_write_ahead(s);
}

/* Asks the limits: in main mode nothing but what is spent already is known. */
static int admit_in_main(Store *s, LedgerRow *row, const LedgerIntent *intent, LedgerBegin *outcome,
                         Err *err) {
  Err ignored = {0};
  if (intent->reserve) {
    if (may_write_ahead(s)) {
      ledger_flush(s, &ignored);
    }
    if (store_begin(s, err) == RC_OK) {
      is_admitted(s, row, intent, outcome, err);
      store_end(s, err->rc == RC_OK, err);
    }
  }
  return err->rc;
}

static int begin_in_main(Store *s, LedgerRow *row, const LedgerIntent *intent, LedgerBegin *outcome,
                         Err *err) {
  Err ignored = {0};
  *outcome = claim_flight(s, intent);
  if (*outcome != LEDGER_BEGUN) {
    return err->rc;
  }
  if (admit_in_main(s, row, intent, outcome, err) != RC_OK || *outcome != LEDGER_BEGUN) {
    if (intent->key) {
      ledger_release(s, intent->key);
    }
  } else if (intent->key && ledger_was_lost(s, intent->key, &ignored)) {
    row->retry_reason = LEDGER_LOST;
  }
  return err->rc;
}

int ledger_begin(Store *s, LedgerRow *row, const LedgerIntent *intent, const LedgerText *texts,
                 int n_texts, LedgerBegin *outcome, Err *err) {
  const Hash *key = intent->key;
  *outcome = LEDGER_BEGUN;
  if (!s->mode->has_intents) {
    return begin_in_main(s, row, intent, outcome, err);
  }
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  Taken taken = take_pending(s);
  put_pending(s, &taken, err);
  if (err->rc == RC_OK && key && is_claimed(s, key, intent->now, err) == 1) {
    *outcome = LEDGER_WAIT;
  } else if (key && err->rc == RC_OK && is_answered(s, key, intent->now, err)) {
    *outcome = LEDGER_ANSWERED;
  }
  if (is_admitted(s, row, intent, outcome, err) && put_texts(s, texts, n_texts, err) == RC_OK) {
    row->retry_reason = key && ledger_take_lost(s, key, err) ? LEDGER_LOST : row->retry_reason;
    open_row(s, row, key, intent->lease_until, err);
  }
  store_end(s, err->rc == RC_OK, err);
  end_taken(s, &taken, err->rc == RC_OK);
  return close_failed_row(s, row, err);
}

int ledger_begin_next(Store *s, long long previous, LedgerRow *row, const LedgerIntent *intent,
                      LedgerBegin *outcome, Err *err) {
  *outcome = LEDGER_BEGUN;
  if (!s->mode->has_intents) {
    return admit_in_main(s, row, intent, outcome, err);
  }
  if (store_begin(s, err) == RC_OK) {
    if (is_admitted(s, row, intent, outcome, err) && end_intent(s, previous, err) == RC_OK) {
      open_row(s, row, intent->key, intent->lease_until, err);
    }
    store_end(s, err->rc == RC_OK, err);
  }
  if (err->rc == RC_OK && *outcome == LEDGER_BEGUN) {
    inflight_end(s, previous);
  }
  return close_failed_row(s, row, err);
}

int ledger_flush(Store *s, Err *err) {
  CHECK(is_queue_sound(s));
  if (s->db && !commits_alone(s)) {
    return RC_OK;
  }
  adopt_stranded(s);
  if (!s->pending) {
    return RC_OK;
  }
  if (!s->db) {
    return err_set(err, RC_ERROR, ERR_STORE, "the connection is closing");
  }
  int only_hits = s->n_unsettled == 0 && s->mode->rows_wait && !s->group;
  if (only_hits) {
    sqlite3_exec(s->db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
  }
  if (store_begin(s, err) == RC_OK) {
    Taken taken = take_pending(s);
    put_pending(s, &taken, err);
    store_end(s, err->rc == RC_OK, err);
    end_taken(s, &taken, err->rc == RC_OK);
  }
  strand_on_node(s);
  if (only_hits) {
    sqlite3_exec(s->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
  }
  return err->rc;
}

int ledger_flush_if_due(Store *s, Err *err) {
  take_landed(s, NULL);
  if (s->group || !commits_alone(s)) {
    return RC_OK; /* who leads it looks; it goes with what is written next */
  }
  adopt_stranded(s);
  int due = s->n_unsettled > 0 || s->n_pending >= LIMIT_PENDING_HITS ||
            (s->pending && monotonic_ms() - s->pending_since >= LIMIT_PENDING_MS);
  return due ? ledger_flush(s, err) : RC_OK;
}

/* Writes a row at once. Where that fails and nothing takes it back, *row has the id of what is there. */
static int put_now(Store *s, LedgerRow *row, const Served *served, Err *err) {
  LedgerRow copy = *row;
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  if (put_settled(s, &copy, &plain_end, NULL, err) == RC_OK && served) {
    put_served(s, &copy, served, err);
  }
  if (store_end(s, err->rc == RC_OK, err) != RC_OK && !s->mode->takes_back(s)) {
    row->id = copy.id;
  }
  return err->rc;
}

int ledger_defer(Store *s, const LedgerRow *row, const Served *served, Err *err) {
  if (node_role(s->host.node) == NODE_REPLICA) {
    return RC_OK; /* its hits leave no row */
  }
  LedgerRow copy = *row;
  Err busy = {0};
  int is_written = !s->mode->rows_wait && put_now(s, &copy, served, &busy) == RC_OK;
  return is_written ? RC_OK : enqueue(s, &copy, served, &plain_end, err);
}

/* One try at writing all that waits and this row. *written is the row as it went. */
static int settle_once(Store *s, const LedgerRow *row, const LedgerEnd *end, LedgerRow *written,
                       Err *err) {
  int is_alone = commits_alone(s);
  *written = *row; /* a new id counts only once committed */
  s->n_settling++;
  if (store_begin(s, err) == RC_OK) {
    Taken taken = is_alone ? take_pending(s) : (Taken){NULL, 0, 0};
    if (put_pending(s, &taken, err) == RC_OK) {
      put_settled(s, written, end, NULL, err);
    }
    store_end(s, err->rc == RC_OK, err);
    end_taken(s, &taken, err->rc == RC_OK);
  }
  s->n_settling--;
  return err->rc;
}

int ledger_settle(Store *s, LedgerRow *row, const LedgerEnd *end, Err *err) {
  enum { BETWEEN_TRIES_MS = 25 };
  LedgerRow copy;
  settle_once(s, row, end, &copy, err);
  for (int i = 1; i < s->mode->settle_tries && err->rc == RC_BUSY && !s->is_stale; i++) {
    sqlite3_sleep(BETWEEN_TRIES_MS);
    *err = (Err){0};
    settle_once(s, row, end, &copy, err);
  }
  land(s, end);
  if (err->rc == RC_OK) {
    row->id = copy.id;
    if (!end->more) {
      inflight_end(s, row->id);
    }
    return RC_OK;
  }
  inflight_stick(s, row->id);
  if (!s->mode->takes_back(s)) {
    row->id = copy.id; /* nothing rolled it back: write the same row again later */
  }
  return err->rc;
}

int ledger_queue(Store *s, const LedgerRow *row, const LedgerEnd *end, Err *err) {
  return enqueue(s, row, NULL, end, err);
}

enum { RECOVER_STEP = 256 };

/* Finds up to RECOVER_STEP requests of dead processes. */
static int find_dead(Store *s, long long now, long long *dead, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int n = 0;
  int rc = sqlite3_prepare_v2(s->db, "SELECT call_id, owner, lease_until FROM main.llm_intents", -1,
                              &stmt, NULL);
  while (rc == SQLITE_OK && n < RECOVER_STEP && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *owner = (const char *)sqlite3_column_text(stmt, 1);
    rc = owner || sqlite3_column_type(stmt, 1) == SQLITE_NULL ? SQLITE_OK : SQLITE_NOMEM;
    if (rc == SQLITE_OK && is_abandoned(s, owner, sqlite3_column_int64(stmt, 2), now)) {
      dead[n++] = sqlite3_column_int64(stmt, 0);
    }
  }
  sqlite3_finalize(stmt);
  if (rc != SQLITE_OK && rc != SQLITE_DONE) {
    store_error(s, rc, "read the intents", err);
  }
  return err->rc == RC_OK ? n : 0;
}

/* How many rows wait to be added to the sums: the next one may be enough. */
static int look_for_uncounted(Store *s, Err *err) {
  long long n = 0;
  store_ask(s, "SELECT count(*) FROM main.llm_uncounted", &n, err);
  s->n_uncounted = n < COUNTED_AT_ONCE ? (int)n : COUNTED_AT_ONCE;
  return err->rc;
}

int ledger_recover(Store *s, long long now, Err *err) {
  long long dead[RECOVER_STEP];
  int n = s->mode->has_intents ? find_dead(s, now, dead, err) : 0;
  while (n > 0 && store_begin(s, err) == RC_OK) {
    for (int i = 0; i < n && err->rc == RC_OK; i++) {
      ledger_bury(s, dead[i], err);
    }
    store_end(s, err->rc == RC_OK, err);
    n = n == RECOVER_STEP && err->rc == RC_OK ? find_dead(s, now, dead, err) : 0;
  }
  return err->rc == RC_OK ? look_for_uncounted(s, err) : err->rc;
}

/* An answer that waits to be written, here or by the connection that has just been answered. */
static int get_pending_answer(Store *s, const Hash *key, Answer *answer) {
  if (s->landed && memcmp(s->landed->key.b, key->b, sizeof key->b) == 0) {
    *answer = *s->landed;
    return 1;
  }
  for (Pending *p = s->n_unsettled ? s->pending : NULL; p; p = p->next) {
    for (int i = 0; i < p->n_answers; i++) {
      if (memcmp(p->answers[i].key.b, key->b, sizeof key->b) == 0) {
        *answer = p->answers[i];
        return 1;
      }
    }
  }
  return 0;
}

static const char *column_text(sqlite3_stmt *stmt, int i) {
  return (const char *)sqlite3_column_text(stmt, i);
}

/* A number as we write them: whole and not negative; anything else is not known. */
static long long column_int(sqlite3_stmt *stmt, int i) {
  long long value =
      sqlite3_column_type(stmt, i) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, i) : LEDGER_NULL;
  return value < 0 ? LEDGER_NULL : value;
}

/* 1 if the answer a row holds may be served: a text, for this very key, that has not expired. */
static int is_live(sqlite3_stmt *stmt, const Hash *key, long long now) {
  int expires = sqlite3_column_type(stmt, 2);
  return sqlite3_column_int64(stmt, 0) == key_half(key, 1) &&
         sqlite3_column_type(stmt, 1) == SQLITE_TEXT &&
         (expires == SQLITE_NULL ||
          (expires == SQLITE_INTEGER && sqlite3_column_int64(stmt, 2) > now));
}

/* On the caller's connection nothing of ours is left reading: who reads can't write there (mode_main.c). 1, or -1 and *err. */
static int let_go(Store *s, Answer *a, sqlite3_stmt **held, Err *err) {
  take_landed(s, answer_copy(a));
  store_done(s, *held);
  *held = NULL;
  if (!s->landed) {
    err_nomem(err);
    return -1;
  }
  *a = *s->landed;
  return 1;
}

int ledger_get_answer(Store *s, const Hash *key, long long now, Answer *a, sqlite3_stmt **held,
                      Err *err) {
  *held = NULL;
  if (get_pending_answer(s, key, a)) {
    return 1;
  }
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_ANSWER, err);
  if (!stmt) {
    return -1;
  }
  sqlite3_bind_int64(stmt, 1, key_half(key, 0));
  int rc = sqlite3_step(stmt);
  memset(a, 0, sizeof *a);
  int is_there = rc == SQLITE_ROW && is_live(stmt, key, now);
  if (is_there && !columns_have_texts(stmt)) {
    store_done(s, stmt);
    err_nomem(err);
    return -1;
  }
  if (!is_there) {
    rc = store_done(s, stmt);
    return rc == SQLITE_OK ? 0 : (store_error(s, rc, "look up an answer", err), -1);
  }
  a->key = *key;
  a->expires_at = column_int(stmt, 2);
  a->text = column_text(stmt, 1);
  a->n = (size_t)sqlite3_column_bytes(stmt, 1);
  a->call_id = column_int(stmt, 3);
  a->provider = column_text(stmt, 4);
  a->model = column_text(stmt, 5);
  a->tier = column_text(stmt, 6);
  a->cost_nusd = column_int(stmt, 7);
  a->prompt_hash = column_text(stmt, 8);
  *held = stmt;
  return s->mode->owns_connection ? 1 : let_go(s, a, held, err);
}

int ledger_keep_answer(Store *s, const Answer *a, Err *err) {
  return put_answer(s, a, err);
}

void ledger_answer_done(Store *s, sqlite3_stmt *held) {
  if (held) {
    store_done(s, held);
  }
}
