/*
** See reserve.h for the contract.
*/
#include "store/budget/reserve.h"

#include "base/sqlite/columns.h"
#include "store/db/owner.h"

int reserve_is_over(const ReserveLimit *limit, long long nusd, int held) {
  long long sum = sum_at_most(limit->spent.nusd, limit->spent.unknown_nusd);
  sum = sum_at_most(sum, held ? limit->held_nusd : limit->booked_nusd);
  long long least = nusd == LEDGER_NULL ? 1 : nusd;
  return least > 0 && sum_at_most(sum, least) > limit->limit_nusd;
}

void reserve_count(ReserveLimit *limit, const HeldRow *row) {
  if (row->ts < limit->span.from || row->ts >= limit->span.to ||
      !scope_same(limit->set, &row->values, &limit->values)) {
    return;
  }
  long long held = row->held_nusd == LEDGER_NULL ? 0 : row->held_nusd;
  if (row->cost_nusd != LEDGER_NULL) {
    limit->spent.nusd = sum_at_most(limit->spent.nusd, row->cost_nusd);
  } else if (row->is_gone) {
    limit->spent.unknown_nusd = sum_at_most(limit->spent.unknown_nusd, held);
    limit->spent.unpriced++;
  } else {
    limit->held_nusd = sum_at_most(limit->held_nusd, held);
    limit->booked_nusd = sum_at_most(limit->booked_nusd, row->id == LEDGER_NULL ? held : 0);
  }
}

/* ---- what is on its way */

static const char *text_at(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_NULL ? NULL
                                                     : (const char *)sqlite3_column_text(stmt, i);
}

static long long number_at(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_NULL ? LEDGER_NULL : sqlite3_column_int64(stmt, i);
}

static int has_left(const HeldRow *row, const char *place, long long now) {
  return owner_has_left(row->owner ? row->owner : "", place, row->lease_until, now);
}

/* `place`: of the store, where owners are looked up; else NULL. */
static void read_row(sqlite3_stmt *stmt, long long now, const char *place, HeldRow *row) {
  row->id = number_at(stmt, 0);
  row->ts = sqlite3_column_int64(stmt, 1);
  row->tag = text_at(stmt, 2);
  row->user = text_at(stmt, 3);
  row->model = text_at(stmt, 4);
  row->values = scope_values(row->tag, row->user, row->model, text_at(stmt, 5), &row->names);
  row->cost_nusd = number_at(stmt, 6);
  row->held_nusd = number_at(stmt, 7);
  row->owner = text_at(stmt, 8);
  row->lease_until = sqlite3_column_int64(stmt, 9);
  row->is_gone = row->lease_until < now || (place && has_left(row, place, now));
}

static int step_each(sqlite3_stmt *stmt, long long now, const char *place,
                     int (*take)(void *arg, const HeldRow *row, Err *err), void *arg, Err *err) {
  HeldRow row;
  while (err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    if (!columns_have_texts(stmt)) {
      return err_nomem(err);
    }
    read_row(stmt, now, place, &row);
    take(arg, &row, err);
  }
  return err->rc;
}

int reserve_each(sqlite3 *db, long long now, int looks,
                 int (*take)(void *arg, const HeldRow *row, Err *err), void *arg, Err *err) {
  char place[OWNER_PLACE_SIZE];
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, statement_text(SQL_GET_HELD), -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    owner_place(looks ? sqlite3_db_filename(db, "main") : NULL, place);
    step_each(stmt, now, looks ? place : NULL, take, arg, err);
    rc = sqlite3_finalize(stmt);
  }
  return rc == SQLITE_OK || err->rc != RC_OK
             ? err->rc
             : err_set(err, rc & 0xff, ERR_STORE, "cannot read what is held: %s",
                       sqlite3_errmsg(db));
}

/* ---- asking */

static int count_one(void *arg, const HeldRow *row, Err *err) {
  Reserve *r = arg;
  for (int i = 0; i < r->n; i++) {
    reserve_count(&r->limits[i], row);
  }
  return err->rc;
}

static int count_held(Store *s, Reserve *r, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_HELD, err);
  if (!stmt) {
    return err->rc;
  }
  step_each(stmt, r->now, NULL, count_one, r, err);
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "read what is held", err);
}

/* The sums of all sets are there. */
static int keep_all(Store *s, const Reserve *r, Err *err) {
  unsigned kept = 0;
  spent_kept(s, &kept, err);
  for (int i = 0; i < r->n && err->rc == RC_OK; i++) {
    if (!(kept >> r->limits[i].set & 1)) {
      spent_keep(s, r->limits[i].set, err);
    }
  }
  return err->rc;
}

static int look(Store *s, Reserve *r, Err *err) {
  keep_all(s, r, err);
  for (int i = 0; i < r->n && err->rc == RC_OK; i++) {
    ReserveLimit *l = &r->limits[i];
    l->held_nusd = l->booked_nusd = 0;
    spent_ask(s, l->set, &l->values, l->span, &l->spent, err);
  }
  return err->rc == RC_OK ? count_held(s, r, err) : err->rc;
}

static void decide(Reserve *r) {
  r->outcome = RESERVE_FITS;
  for (int i = 0; i < r->n && r->outcome != RESERVE_REFUSED; i++) {
    const ReserveLimit *l = &r->limits[i];
    ReserveOutcome o = reserve_is_over(l, r->most_nusd, 0)   ? RESERVE_REFUSED
                       : reserve_is_over(l, r->most_nusd, 1) ? RESERVE_WAITS
                                                             : RESERVE_FITS;
    if (!l->warns && o > r->outcome) {
      r->outcome = o;
      r->at = i;
    }
  }
}

enum { MOST_GONE = 64 };

typedef struct Gone {
  long long id[MOST_GONE], now;
  const char *place;
  int n;
} Gone;

static int note_gone(void *arg, const HeldRow *row, Err *err) {
  Gone *gone = arg;
  if (gone->n < MOST_GONE && has_left(row, gone->place, gone->now)) {
    gone->id[gone->n++] = row->id;
  }
  return err->rc;
}

/* Ends what the dead left. (A living process's row stays: it may come back and say what it came to.) How many; -1 and *err. */
static int bury_dead(Store *s, const Reserve *r, ReserveBuryFn bury, Err *err) {
  Gone gone = {.now = r->now, .place = s->place};
  reserve_each(s->db, r->now, 0, note_gone, &gone, err);
  for (int i = 0; i < gone.n && err->rc == RC_OK; i++) {
    bury(s, gone.id[i], err);
  }
  return err->rc == RC_OK ? gone.n : -1;
}

int reserve_ask(Store *s, Reserve *r, ReserveBuryFn bury, Err *err) {
  if (look(s, r, err) != RC_OK) {
    return err->rc;
  }
  decide(r);
  if (r->outcome == RESERVE_WAITS && bury_dead(s, r, bury, err) > 0 && look(s, r, err) == RC_OK) {
    decide(r);
  }
  return err->rc;
}
