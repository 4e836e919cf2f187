/*
** See compare.h for the contract.
*/
#include "store/sums/compare.h"

#include "base/sqlite/columns.h"

#include <stdint.h>

#define MEASURE(name, kind) ", " #name
#define MONTH_SQL                                                                                  \
  "SELECT " SUM_KEY SUM_MEASURES(MEASURE) " FROM main.llm_sums WHERE dimension IN (0, 1, 2, 3)"    \
                                          " AND grain = 43200 AND start = ?1"
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
  Store *store;
  int repairs;
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

/* Those of one day or month: each kept one beside its rebuilt one, and taken out of these; what is left was not kept. */
static int compare_kept(Comparing *c, sqlite3 *db, const char *sql, long long start, Sums *sums,
                        Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, start);
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

/* What was rebuilt and is not kept. Months are compared with their days. */
static int compare_rest(Comparing *c, Sums *sums, int are_months, Err *err) {
  for (int i = 0; i < sums_length(sums) && err->rc == RC_OK; i++) {
    const SumRow *row = sums_at(sums, i);
    int is_asked = (row->key.grain == SUM_MONTH) == are_months;
    if (is_asked && row->value[SUM_n] > 0 &&
        !(c->result->state.stopped >> row->key.dimension & 1) && !sums_is_taken(sums, i)) {
      hold(c, NULL, row, err);
    }
  }
  return err->rc;
}

static int compare_day(Comparing *c, sqlite3 *db, long long day, Err *err) {
  Sums *sums = sums_new(err);
  if (sums && rebuild_fold(db, day, sums, err) == RC_OK &&
      compare_kept(c, db, KEPT_SQL, day, sums, err) == RC_OK) {
    compare_rest(c, sums, 0, err);
    c->result->days++;
  }
  sums_free(sums);
  return err->rc;
}

/* What the days of a month come to. */
static int add_days(sqlite3 *db, long long month, Sums *sums, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, REBUILD_MONTH_SQL, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, month);
    sqlite3_bind_int64(stmt, 2, sums_next_month(month));
  }
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    SumRow row;
    rc = columns_have_texts(stmt) ? SQLITE_OK : SQLITE_NOMEM;
    if (rc == SQLITE_OK) {
      read_kept(stmt, &row);
      sums_add(sums, &row, err);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(db, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int compare_month(Comparing *c, sqlite3 *db, long long month, Err *err) {
  Sums *sums = sums_new(err);
  if (sums && add_days(db, month, sums, err) == RC_OK &&
      compare_kept(c, db, MONTH_SQL, month, sums, err) == RC_OK) {
    compare_rest(c, sums, 1, err);
  }
  sums_free(sums);
  return err->rc;
}

typedef int (*CompareFn)(Comparing *c, sqlite3 *db, long long start, Err *err);

/* A day or a month in one state of the store; inside a statement that writes it is that one's anyway. */
static int compare_at_once(Comparing *c, sqlite3 *db, CompareFn compare, long long start,
                           Err *err) {
  Err ignored = {0};
  int is_open = sqlite3_exec(db, "SAVEPOINT llm_check", NULL, NULL, NULL) == SQLITE_OK;
  compare(c, db, start, err);
  if (is_open && sqlite3_exec(db, "RELEASE llm_check", NULL, NULL, NULL) != SQLITE_OK) {
    fail(db, sqlite3_errcode(db), err->rc == RC_OK ? err : &ignored);
  }
  return err->rc;
}

static int repair(Store *s, CompareFn compared, long long start, Err *err) {
  if (store_begin(s, err) == RC_OK) {
    compared == compare_day ? rebuild_day(s, start, err) : rebuild_month(s, start, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

/* Compares, and repairs if that is asked for and it differs. */
static int check(Comparing *c, sqlite3 *db, CompareFn compare, long long start, Err *err) {
  long long before = c->result->differs;
  return compare_at_once(c, db, compare, start, err) == RC_OK && c->repairs &&
                 c->result->differs > before
             ? repair(c->store, compare, start, err)
             : err->rc;
}

/* Months whose days are sealed are compared, too: a month is what its days come to. */
static int check_months(Comparing *c, sqlite3 *db, Err *err) {
  long long day = 0, from = INT64_MIN;
  while (err->rc == RC_OK && rebuild_next_day(db, from, &day, err) == 1) {
    check(c, db, compare_month, sums_month(day), err);
    from = sums_next_month(sums_month(day));
  }
  return err->rc;
}

int compare_sums(Store *s, sqlite3 *reader, int repairs, DifferenceFn take, void *arg,
                 Compared *compared, Err *err) {
  sqlite3 *db = reader ? reader : s->db;
  Comparing c = {s, repairs, compared, take, arg};
  long long day = 0, from;
  *compared = (Compared){0};
  if (sums_state(s, &compared->state, err) != RC_OK) {
    return err->rc;
  }
  from = compared->state.sealed_before ? compared->state.sealed_before : INT64_MIN;
  while (err->rc == RC_OK && rebuild_next_day(db, from, &day, err) == 1) {
    check(&c, db, compare_day, day, err);
    from = day + REBUILD_DAY_MS;
  }
  if (err->rc == RC_OK) {
    check_months(&c, db, err);
  }
  return repairs && err->rc == RC_OK ? sums_state(s, &compared->state, err) : err->rc;
}
