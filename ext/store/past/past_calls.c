/*
** Calls: which of several copies counts, and for what. See past.h for the contract.
*/
#include "store/past/past_internal.h"

#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

/* What is known of a key. */
typedef struct Known {
  Hash key;
  long long call_id;
  char *part; /* owned */
  int is_copy;
  long long rank;
} Known;

/* ---- keys */

/* 1 and *known; 0; -1 and *err. */
static int get_key(Past *p, const Hash *key, Known *known, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_GET_KEY, err);
  if (!stmt) {
    return -1;
  }
  int rc = past_bind_hash(stmt, 1, key), found = 0;
  rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
  if (rc == SQLITE_ROW) {
    const char *part = (const char *)sqlite3_column_text(stmt, 1);
    found = 1;
    *known = (Known){.key = *key,
                     .call_id = sqlite3_column_int64(stmt, 0),
                     .part = part ? strdup(part) : NULL,
                     .is_copy = sqlite3_column_int(stmt, 2),
                     .rank = sqlite3_column_int64(stmt, 3)};
    rc = known->part || sqlite3_column_type(stmt, 1) == SQLITE_NULL ? SQLITE_OK : SQLITE_NOMEM;
  }
  if (past_done(p, stmt, rc == SQLITE_DONE ? SQLITE_OK : rc, err) != RC_OK) {
    return -1;
  }
  return found;
}

/* The key of a call that counts by itself. */
static Known key_of(const PastCall *call, const Hash *key, long long id) {
  return (Known){.key = *key,
                 .call_id = id,
                 .part = (char *)call->part,
                 .is_copy = call->is_copy,
                 .rank = call->rank};
}

static int bind_key(sqlite3_stmt *stmt, const Known *k) {
  int rc = past_bind_hash(stmt, 1, &k->key);
  sqlite3_bind_int64(stmt, 2, k->call_id);
  rc = rc == SQLITE_OK ? past_bind_text(stmt, 3, k->part) : rc;
  sqlite3_bind_int(stmt, 4, k->is_copy);
  sqlite3_bind_int64(stmt, 5, k->rank);
  return rc;
}

static int put_key(Past *p, const Known *k, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_PUT_KEY, err);
  return stmt ? past_run(p, stmt, bind_key(stmt, k), err) : err->rc;
}

/* The id that the next row gets, where it was not said yet in this transaction; 0 where SQLite is to find one. */
static int know_next_id(Past *p, Err *err) {
  if (!p->knows_next_id) {
    long long last = 0;
    int found = store_ask(p->store, "SELECT ifnull(max(id), 0) FROM main.llm_calls", &last, err);
    p->next_id = found == 1 && last >= 0 && last < LIMIT_COUNT ? last + 1 : 0;
    p->knows_next_id = 1;
  }
  return err->rc;
}

/* Writes the key of a call that is not known: 1 and the id that its row has to get; 0 where it is known (most that are
** written are not: this saves looking), -1 and *err. */
static int take_key(Past *p, const PastCall *call, long long *id, Err *err) {
  sqlite3_stmt *stmt =
      know_next_id(p, err) == RC_OK && p->next_id > 0 ? past_stmt(p, PAST_TAKE_KEY, err) : NULL;
  if (!stmt) {
    return err->rc == RC_OK ? 0 : -1;
  }
  *id = p->next_id;
  const Known key = key_of(call, &call->key, p->next_id);
  *id = p->next_id;
  return past_run(p, stmt, bind_key(stmt, &key), err) != RC_OK ? -1
                                                               : sqlite3_changes(p->store->db) == 1;
}

/* Finds what this call is a copy of, or the key it gets: entry.h says when `part` belongs to the identity. */
static int find(Past *p, const PastCall *call, Known *known, Err *err) {
  int found = get_key(p, &call->key, known, err);
  int differs = found == 1 && call->part && known->part && strcmp(call->part, known->part) != 0;
  if (!differs) {
    known->key = call->key;
    return found;
  }
  Known own = {.call_id = 0};
  int has_own = get_key(p, &call->part_key, &own, err);
  if (has_own == 0 && (call->is_copy || known->is_copy)) {
    return 1;
  }
  free(known->part);
  *known = own;
  known->key = call->part_key;
  return has_own;
}

/* ---- rows of the ledger */

/* The row of an id, its texts in *texts (owned): 1; 0 where it was trimmed; -1 and *err. */
static int get_row(Past *p, long long id, LedgerRow *row, char **texts, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_GET_CALL, err);
  if (!stmt) {
    return -1;
  }
  sqlite3_bind_int64(stmt, 1, id);
  int rc = sqlite3_step(stmt), found = rc == SQLITE_ROW;
  rc = found ? row_read(stmt, row) : rc;
  if (found && rc == SQLITE_OK) {
    char *to = *texts = malloc(row_texts_size(row) + 1);
    rc = to ? SQLITE_OK : SQLITE_NOMEM;
    if (to) {
      row_keep_texts(row, &to);
    }
  }
  past_done(p, stmt, rc == SQLITE_DONE ? SQLITE_OK : rc, err);
  return err->rc == RC_OK ? found : -1;
}

/* Writes it, new or in the place of what it was, and counts it. */
static int put_row(Past *p, PastSql sql, LedgerRow *row, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, sql, err);
  if (stmt && past_run(p, stmt, row_bind(stmt, 0, row, 0), err) == RC_OK) {
    row->id = row->id ? row->id : sqlite3_last_insert_rowid(p->store->db);
    sums_fold(p->sums, row, 1, err);
  }
  return err->rc;
}

/* ---- which counts */

/* Below 0 where `a` goes before `b`; what is not said comes last. */
static int by_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) : (a == NULL) - (b == NULL);
}

static int by_number(long long a, long long b) {
  return (a < b) - (a > b); /* the larger goes before */
}

/* 1 if what `a` says goes before what `row` does: copies of the same rank are told apart by what they say, so that files
** may come in any order. */
static int says_more(const LedgerRow *a, const LedgerRow *row) {
  const int order[] = {by_text(a->conversation, row->conversation),
                       by_number(a->output_tokens, row->output_tokens),
                       by_number(a->input_tokens, row->input_tokens),
                       by_number(a->cost_reported_nusd, row->cost_reported_nusd),
                       by_text(a->finish_reason, row->finish_reason),
                       by_text(a->tag, row->tag),
                       by_text(a->provider_request_id, row->provider_request_id),
                       by_text(a->usage, row->usage)};
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
    if (order[i] != 0) {
      return order[i] < 0;
    }
  }
  return 0;
}

/* 1 if this copy counts instead of the known one. */
static int goes_before(const PastCall *call, const Known *known, const LedgerRow *row) {
  return call->is_copy != known->is_copy ? known->is_copy
         : call->rank != known->rank     ? call->rank > known->rank
                                         : says_more(&call->row, row);
}

int past_are_same(const PastCall *a, const PastCall *b) {
  return memcmp(a->key.b, b->key.b, sizeof a->key.b) == 0 && a->is_copy == b->is_copy &&
         by_text(a->part, b->part) == 0 && a->has_group == b->has_group &&
         memcmp(a->group.b, b->group.b, sizeof a->group.b) == 0;
}

void past_merge(PastCall *into, const PastCall *call) {
  long long ts = into->row.ts < call->row.ts ? into->row.ts : call->row.ts;
  if (call->rank > into->rank || (call->rank == into->rank && says_more(&call->row, &into->row))) {
    *into = *call;
  }
  into->row.ts = ts;
}

static long long or_zero(long long nusd) {
  return nusd == LEDGER_NULL ? 0 : nusd;
}

/* A call with counts, or of which nobody knows what it cost. */
static int is_unpriced(const LedgerRow *row) {
  return row->cost_nusd == LEDGER_NULL && row->kind != KIND_HIT_EXACT &&
         (row->input_tokens != LEDGER_NULL || row->output_tokens != LEDGER_NULL || !row->error);
}

static void count_effect(PastEffect *e, const LedgerRow *row, int sign) {
  e->cost_nusd += sign * or_zero(row->cost_nusd);
  e->reported_nusd += sign * or_zero(row->cost_reported_nusd);
  e->unpriced += sign * is_unpriced(row);
}

/* ---- one call */

/* (One that has a name shares it with other attempts.) */
static void name_row(LedgerRow *row, const Hash *key, char name[8 + HASH_HEX_SIZE]) {
  memcpy(name, "import:", 7);
  hash_hex(key, name + 7);
  row->request_id = row->request_id ? row->request_id : name;
}

/* `id` is what take_key said; 0: its key is to be written too. */
static int add_call(Past *p, const PastCall *call, const Hash *key, long long id,
                    PastEffect *effect, Err *err) {
  char name[8 + HASH_HEX_SIZE];
  LedgerRow row = call->row;
  row.id = id;
  name_row(&row, key, name);
  if (put_row(p, PAST_ADD_CALL, &row, err) == RC_OK) {
    const Known known = key_of(call, key, row.id);
    p->next_id = p->next_id > 0 ? row.id + 1 : 0;
    effect->outcome = PAST_ADDED;
    count_effect(effect, &row, 1);
    if (id == 0) {
      put_key(p, &known, err);
    }
  }
  return err->rc;
}

/* Takes the old row out of the sums, and puts the new one in its place. */
static int rewrite(Past *p, const LedgerRow *old, LedgerRow *row, PastEffect *effect, Err *err) {
  effect->outcome = PAST_UPDATED;
  count_effect(effect, old, -1);
  count_effect(effect, row, 1);
  return sums_fold(p->sums, old, -1, err) == RC_OK ? put_row(p, PAST_PUT_CALL, row, err) : err->rc;
}

/* The key says what the copy that counts is. */
static int update_key(Past *p, const PastCall *call, const Known *known, int is_better, Err *err) {
  int was_only_copy = known->is_copy && !call->is_copy, are_alike = known->is_copy == call->is_copy;
  Known now = *known;
  now.rank = is_better ? call->rank : known->rank;
  now.is_copy = known->is_copy && call->is_copy;
  now.part = was_only_copy || (are_alike && !known->part) ? (char *)call->part : known->part;
  int is_same = now.rank == known->rank && now.is_copy == known->is_copy && now.part == known->part;
  return is_same ? err->rc : put_key(p, &now, err);
}

static int merge(Past *p, const PastCall *call, const Known *known, PastEffect *effect, Err *err) {
  char name[8 + HASH_HEX_SIZE], *texts_of_old = NULL;
  LedgerRow old, row;
  int found = get_row(p, known->call_id, &old, &texts_of_old, err);
  int is_better = found == 1 && goes_before(call, known, &old);
  if (found == 1) {
    row = is_better ? call->row : old;
    row.id = old.id;
    row.ts = call->row.ts < old.ts ? call->row.ts : old.ts;
    name_row(&row, &known->key, name);
    if (is_better || row.ts != old.ts) {
      rewrite(p, &old, &row, effect, err);
    }
  } else if (found == 0) { /* it was trimmed: nothing is left to be said of it */
    is_better = call->is_copy == known->is_copy ? call->rank > known->rank : known->is_copy;
  }
  if (err->rc == RC_OK) {
    update_key(p, call, known, is_better, err);
  }
  free(texts_of_old);
  return err->rc;
}

/* That a call of this group is known: what sums it up counts no more. */
static int note_group(Past *p, const Hash *group, int *dropped, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_NOTE_GROUP, err);
  if (!stmt || past_run(p, stmt, past_bind_hash(stmt, 1, group), err) != RC_OK ||
      sqlite3_changes(p->store->db) == 0) {
    return err->rc;
  }
  stmt = past_stmt(p, PAST_DROP_GROUP, err);
  if (stmt && past_run(p, stmt, past_bind_hash(stmt, 1, group), err) == RC_OK) {
    *dropped = sqlite3_changes(p->store->db);
  }
  return err->rc;
}

/* 1 if an export of a ledger brings back a row that is here: one that was made here, or read from a log of others. */
static int is_ours(Past *p, const LedgerRow *row, Err *err) {
  sqlite3_stmt *stmt = row->request_id ? past_stmt(p, PAST_IS_OURS, err) : NULL;
  if (!stmt) {
    return 0;
  }
  sqlite3_bind_int64(stmt, 1, row->ts);
  int rc = past_bind_text(stmt, 2, row->request_id);
  sqlite3_bind_int64(stmt, 3, row->attempt);
  rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
  int found = rc == SQLITE_ROW;
  return past_done(p, stmt, found || rc == SQLITE_DONE ? SQLITE_OK : rc, err) == RC_OK && found;
}

int past_put_call(Past *p, const PastCall *call, PastEffect *effect, Err *err) {
  Known known = {.call_id = 0};
  *effect = (PastEffect){.outcome = PAST_KNOWN};
  if (is_ours(p, &call->row, err) || err->rc != RC_OK) {
    return err->rc;
  }
  long long id = 0;
  int is_new = take_key(p, call, &id, err), found = is_new == 0 ? find(p, call, &known, err) : -1;
  if (is_new == 1) {
    add_call(p, call, &call->key, id, effect, err);
  } else if (found == 1) {
    merge(p, call, &known, effect, err);
  } else if (found == 0) {
    add_call(p, call, &known.key, 0, effect, err);
  }
  free(known.part);
  if (call->has_group && err->rc == RC_OK) {
    note_group(p, &call->group, &effect->dropped, err);
  }
  return err->rc;
}
