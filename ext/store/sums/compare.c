/*
** See compare.h for the contract.
*/
#include "store/sums/compare.h"

#include "base/sqlite/columns.h"

#include <stdint.h>

#define MEASURE(name, kind) ", " #name
#define KEPT_SQL                                                                                   \
  "SELECT " SUM_KEY SUM_MEASURES(                                                                  \
      MEASURE) " FROM main.llm_sums WHERE dimension IN (0, 1, 2, 3)"                               \
               " AND grain IN (15, 1440) AND start >= ?1 AND start < ?1 + 86400000"

static const char *const measures[] = {
#define NAME(name, kind) #name,
    SUM_MEASURES(NAME)
#undef NAME
};

typedef struct Comparing {
  Compared *result;
  DifferenceFn take;
  void *arg;
} Comparing;

const char *sum_dimension_name(int dimension) {
  static const char *const names[] = {"all", "model", "tag", "user"};
  return names[dimension];
}

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the sums: %s", sqlite3_errmsg(db));
}

/* A row of llm_sums. Texts are borrowed from the statement. */
static void read_kept(sqlite3_stmt *stmt, SumRow *row) {
  *row = (SumRow){.key = {.dimension = sqlite3_column_int(stmt, 0),
                          .grain = sqlite3_column_int(stmt, 1),
                          .start = sqlite3_column_int64(stmt, 2)}};
  for (int i = 0; i < SUM_TEXTS; i++) {
    int is_text = sqlite3_column_type(stmt, 3 + i) == SQLITE_TEXT;
    row->key.text[i] = is_text ? (const char *)sqlite3_column_text(stmt, 3 + i) : NULL;
  }
  for (int i = 0; i < SUM_COUNT; i++) {
    row->value[i] = sqlite3_column_int64(stmt, 3 + SUM_TEXTS + i);
  }
}

/* The measures of two sums of one key; one of them NULL: nothing. */
static void hold(Comparing *c, const SumRow *kept, const SumRow *rebuilt, Err *err) {
  const SumKey *key = kept ? &kept->key : &rebuilt->key;
  for (int i = 0; i < SUM_COUNT && err->rc == RC_OK; i++) {
    SumDifference d = {key, measures[i], kept ? kept->value[i] : 0,
                       rebuilt ? rebuilt->value[i] : 0};
    if (d.kept != d.rebuilt) {
      c->result->differs++;
      c->take(c->arg, &d, err);
    }
  }
}

/* Those of one day: each kept one beside its rebuilt one, and taken out of these; what is left was not kept. */
static int compare_kept(Comparing *c, sqlite3 *db, long long day, Sums *sums, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, KEPT_SQL, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, day);
  }
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    SumRow kept;
    rc = columns_have_texts(stmt) ? SQLITE_OK : SQLITE_NOMEM;
    if (rc == SQLITE_OK) {
      read_kept(stmt, &kept);
      if (!(c->result->state.stopped >> kept.key.dimension & 1)) {
        hold(c, &kept, sums_take(sums, &kept.key), err);
      }
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(db, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int compare_day(Comparing *c, sqlite3 *db, long long day, Err *err) {
  Sums *sums = sums_new(err);
  if (sums && rebuild_fold(db, day, sums, err) == RC_OK &&
      compare_kept(c, db, day, sums, err) == RC_OK) {
    for (int i = 0; i < sums_length(sums) && err->rc == RC_OK; i++) {
      const SumRow *row = sums_at(sums, i);
      int is_left = row->value[SUM_n] > 0 && !(c->result->state.stopped >> row->key.dimension & 1);
      if (is_left && !sums_is_taken(sums, i)) {
        hold(c, NULL, row, err);
      }
    }
    c->result->days++;
  }
  sums_free(sums);
  return err->rc;
}

/* A day in one state of the store; inside a statement that writes it is that one's anyway. */
static int compare_at_once(Comparing *c, sqlite3 *db, long long day, Err *err) {
  Err ignored = {0};
  int is_open = sqlite3_exec(db, "SAVEPOINT llm_check", NULL, NULL, NULL) == SQLITE_OK;
  compare_day(c, db, day, err);
  if (is_open && sqlite3_exec(db, "RELEASE llm_check", NULL, NULL, NULL) != SQLITE_OK) {
    fail(db, sqlite3_errcode(db), err->rc == RC_OK ? err : &ignored);
  }
  return err->rc;
}

static int repair_day(Store *s, long long day, Err *err) {
  if (store_begin(s, err) == RC_OK) {
    rebuild_day(s, day, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

int compare_sums(Store *s, sqlite3 *reader, int repair, DifferenceFn take, void *arg,
                 Compared *compared, Err *err) {
  sqlite3 *db = reader ? reader : s->db;
  Comparing c = {compared, take, arg};
  long long day = 0, from;
  *compared = (Compared){0};
  if (sums_state(s, &compared->state, err) != RC_OK) {
    return err->rc;
  }
  from = compared->state.sealed_before ? compared->state.sealed_before : INT64_MIN;
  while (rebuild_next_day(db, from, &day, err) == 1) {
    long long before = compared->differs;
    if (compare_at_once(&c, db, day, err) == RC_OK && repair && compared->differs > before) {
      repair_day(s, day, err);
    }
    if (err->rc != RC_OK) {
      break;
    }
    from = day + REBUILD_DAY_MS;
  }
  return repair && err->rc == RC_OK ? sums_state(s, &compared->state, err) : err->rc;
}
