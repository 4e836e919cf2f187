/*
** Sums of a period: buckets that are replaced as a whole. See past.h for the contract.
*/
#include "store/past/past_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(long long a, long long b) {
  return (a > b) - (a < b);
}

int past_sum_compare(const PastSum *a, const PastSum *b) {
  int by = compare(a->from, b->from);
  by = by ? by : compare(a->to, b->to);
  by = by ? by : compare(a->has_group, b->has_group);
  return by || !a->has_group ? by : memcmp(a->group.b, b->group.b, sizeof a->group.b);
}

/* Binds what a bucket is found by. */
static int bind_bucket(sqlite3_stmt *stmt, const PastSum *sum) {
  int rc = past_bind_text(stmt, 1, sum->source);
  sqlite3_bind_int64(stmt, 2, sum->from);
  sqlite3_bind_int64(stmt, 3, sum->to);
  return rc == SQLITE_OK && sum->has_group ? past_bind_hash(stmt, 4, &sum->group) : rc;
}

static int bind_real(sqlite3_stmt *stmt, int at, double value) {
  return isnan(value) ? SQLITE_OK : sqlite3_bind_double(stmt, at, value);
}

static int put_sum(Past *p, const PastSum *sum, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_PUT_SUM, err);
  if (!stmt) {
    return err->rc;
  }
  int rc = bind_bucket(stmt, sum), at = 5;
  sqlite3_bind_int(stmt, at, sum->precedence);
#define BIND_TEXT past_bind_text
#define BIND_INT past_bind_int
#define BIND_REAL bind_real
#define BIND(name, type)                                                                           \
  if (rc == SQLITE_OK) {                                                                           \
    rc = BIND_##type(stmt, ++at, sum->name);                                                       \
  }
  PAST_SUM_COLUMNS(BIND)
#undef BIND
  return past_run(p, stmt, rc, err);
}

/* What is known of a bucket. */
static int get_total(Past *p, const PastSum *sum, PastTotal *total, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_TOTAL, err);
  if (!stmt) {
    return err->rc;
  }
  int rc = bind_bucket(stmt, sum);
  if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    *total = (PastTotal){.rows = sqlite3_column_int64(stmt, 0),
                         .amounts = sqlite3_column_int64(stmt, 1),
                         .nusd = sqlite3_column_double(stmt, 2),
                         .tokens = sqlite3_column_double(stmt, 3)};
  }
  return past_done(p, stmt, rc, err);
}

static double or_zero(long long n) {
  return n == LEDGER_NULL ? 0 : (double)n;
}

static PastTotal total_of(const PastSum *sums, int n) {
  PastTotal total = {.rows = n};
  for (int i = 0; i < n; i++) {
    total.amounts += sums[i].amount_nusd != LEDGER_NULL;
    total.nusd += or_zero(sums[i].amount_nusd);
    total.tokens += or_zero(sums[i].input_tokens) + or_zero(sums[i].output_tokens);
  }
  return total;
}

static double size_of(const PastTotal *t, int by_money) {
  return by_money ? t->nusd : t->tokens;
}

static double most(long long a, long long b) {
  return (double)(a > b ? a : b);
}

/* Below 0 where it got smaller. Of the same sum in fewer rows (pulled without its dimensions) the rows say more. (Each row is
** rounded to a nano-dollar: so much may two pulls of one sum differ.) */
static int compare_totals(const PastTotal *before, const PastTotal *now, int *is_smaller) {
  int by_money = before->amounts > 0 || now->amounts > 0;
  double old = size_of(before, by_money), new = size_of(now, by_money);
  double slack = by_money ? most(before->rows, now->rows) : 0;
  *is_smaller = new < old - slack;
  return *is_smaller || (new <= old + slack && now->rows < before->rows) ? -1 : 0;
}

static int drop_bucket(Past *p, const PastSum *sum, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_DROP_BUCKET, err);
  return stmt ? past_run(p, stmt, bind_bucket(stmt, sum), err) : err->rc;
}

/* 1 if a call of the group is known, 0, -1 and *err. */
static int has_calls(Past *p, const Hash *group, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_GET_KEY, err);
  int rc = stmt ? past_bind_hash(stmt, 1, group) : SQLITE_OK;
  int found = stmt && rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
  return stmt && past_done(p, stmt, rc, err) == RC_OK ? found : -1;
}

int past_put_bucket(Past *p, const PastSum *sums, int n, int replace_smaller,
                    PastBucketEffect *effect, Err *err) {
  *effect = (PastBucketEffect){.outcome = PAST_BUCKET_DROPPED, .now = total_of(sums, n)};
  if (sums[0].has_group && has_calls(p, &sums[0].group, err) != 0) {
    return err->rc;
  }
  if (get_total(p, &sums[0], &effect->before, err) != RC_OK) {
    return err->rc;
  }
  effect->outcome = effect->before.rows > 0 ? PAST_BUCKET_REPLACED : PAST_BUCKET_NEW;
  if (compare_totals(&effect->before, &effect->now, &effect->is_smaller) < 0 &&
      !(effect->is_smaller && replace_smaller)) {
    effect->outcome = PAST_BUCKET_KEPT;
    return RC_OK;
  }
  if (effect->outcome == PAST_BUCKET_REPLACED) {
    drop_bucket(p, &sums[0], err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    put_sum(p, &sums[i], err);
  }
  return err->rc;
}

/* ---- sums within sums: the hours of a day that was imported too, the agents of a workflow */

/* A bucket among others of its source and group. */
typedef struct Nested {
  long long from, to;
  int is_under;      /* noted: it does not count */
  PastTotal own, in; /* what it says; what those within it come to */
  int parent;        /* -1: none */
  int is_whole;      /* it counts rather than those within it */
} Nested;

/* Those that the statement finds, each before those within it. */
static int read_nested(Past *p, sqlite3_stmt *stmt, int rc, Nested **list, int *n, Err *err) {
  int cap = 0;
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    if (*n == cap) {
      cap = cap ? 2 * cap : 64;
      Nested *more = realloc(*list, (size_t)cap * sizeof *more);
      if (!more) {
        rc = SQLITE_NOMEM;
        break;
      }
      *list = more;
    }
    (*list)[(*n)++] = (Nested){.from = sqlite3_column_int64(stmt, 0),
                               .to = sqlite3_column_int64(stmt, 1),
                               .is_under = sqlite3_column_int(stmt, 2),
                               .own = {.rows = sqlite3_column_int64(stmt, 3),
                                       .amounts = sqlite3_column_int64(stmt, 4),
                                       .nusd = sqlite3_column_double(stmt, 5),
                                       .tokens = sqlite3_column_double(stmt, 6)},
                               .parent = -1};
  }
  return past_done(p, stmt, rc, err);
}

static void add_total(PastTotal *to, const PastTotal *total) {
  to->rows += total->rows;
  to->amounts += total->amounts;
  to->nusd += total->nusd;
  to->tokens += total->tokens;
}

/* 1 if a sum is more than those within it come to: they are not all of it. */
static int is_more(const Nested *b) {
  int by_money = (b->own.amounts > 0 && b->in.amounts > 0) || b->own.tokens + b->in.tokens == 0;
  double slack = by_money ? most(b->own.rows, b->in.rows) : 0;
  return b->in.rows == 0 || size_of(&b->own, by_money) > size_of(&b->in, by_money) + slack;
}

static void find_parents(Nested *list, int n) {
  for (int i = 1; i < n; i++) {
    int at = i - 1;
    while (at >= 0 && list[at].to < list[i].to) {
      at = list[at].parent;
    }
    list[i].parent = at;
  }
}

/* Which of them count: a sum, or what is within it, whatever is more. */
static int mark_nested(Past *p, const PastSum *sum, Nested *list, int n, Err *err) {
  find_parents(list, n);
  for (int i = n - 1; i >= 0; i--) {
    list[i].is_whole = is_more(&list[i]);
    if (list[i].parent >= 0) {
      add_total(&list[list[i].parent].in, list[i].is_whole ? &list[i].own : &list[i].in);
    }
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    int in_whole = list[i].parent >= 0 && list[list[i].parent].is_whole;
    int is_under = in_whole || !list[i].is_whole;
    list[i].is_whole |= in_whole; /* so that those within it know */
    if (is_under != list[i].is_under) {
      PastSum bucket = *sum;
      bucket.from = list[i].from;
      bucket.to = list[i].to;
      sqlite3_stmt *stmt = past_stmt(p, PAST_MARK_BUCKET, err);
      int rc = stmt ? bind_bucket(stmt, &bucket) : SQLITE_OK;
      if (stmt) {
        sqlite3_bind_int(stmt, 5, is_under ? PAST_UNDER : -PAST_UNDER);
        past_run(p, stmt, rc, err);
      }
    }
  }
  return err->rc;
}

/* What overlaps a period: it is widened to that. */
static int widen(Past *p, PastSum *sum, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_WIDEN, err);
  if (!stmt) {
    return err->rc;
  }
  int rc = bind_bucket(stmt, sum);
  if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW &&
      sqlite3_column_type(stmt, 0) == SQLITE_INTEGER) {
    sum->from = sqlite3_column_int64(stmt, 0);
    sum->to = sqlite3_column_int64(stmt, 1);
  }
  return past_done(p, stmt, rc, err);
}

int past_settle_nested(Past *p, const PastSum *period, Err *err) {
  PastSum all = *period;
  Nested *list = NULL;
  int n = 0;
  if (!all.has_group && widen(p, &all, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_stmt *stmt = past_stmt(p, all.has_group ? PAST_GROUP_NESTED : PAST_NESTED, err);
  if (stmt && read_nested(p, stmt, bind_bucket(stmt, &all), &list, &n, err) == RC_OK) {
    mark_nested(p, &all, list, n, err);
  }
  free(list);
  return err->rc;
}
