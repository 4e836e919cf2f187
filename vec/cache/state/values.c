/*
** SQL values as the table reads and compares them, and numbers of the shadow tables.
**
** sqlite3_value_text() of a BLOB makes a TEXT of it for everyone who looks at it afterwards, and
** gives NULL for an empty one, as it does without memory. So bytes are taken by value_bytes() alone.
**
** Values compare as in a TEXT column: a number is its text, bytes and length decide, a BLOB is never
** a text.
**
** Shadow tables may come from a stranger, so no number of theirs is believed before its range is
** checked.
*/
#include "vec/cache/state/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *value_bytes(sqlite3_value *v, size_t *n, Err *err) {
  int type = sqlite3_value_type(v);
  const char *bytes = type == SQLITE_BLOB ? sqlite3_value_blob(v) : sqlite3_value_text(v);
  *n = type == SQLITE_NULL ? 0 : (size_t)sqlite3_value_bytes(v);
  if (!bytes && type != SQLITE_NULL && (type != SQLITE_BLOB || *n > 0)) {
    err_nomem(err);
    return NULL;
  }
  return bytes ? bytes : "";
}

int value_is_null(sqlite3_value *v) {
  return !v || sqlite3_value_type(v) == SQLITE_NULL;
}

int value_is_same(sqlite3_value *a, sqlite3_value *b) {
  size_t n, m;
  if (value_is_null(a) || value_is_null(b)) {
    return value_is_null(a) && value_is_null(b);
  }
  if ((sqlite3_value_type(a) == SQLITE_BLOB) != (sqlite3_value_type(b) == SQLITE_BLOB)) {
    return 0;
  }
  Err ignored = {0};
  const char *x = value_bytes(a, &n, &ignored), *y = value_bytes(b, &m, &ignored);
  return x && y && n == m && memcmp(x, y, n) == 0;
}

static int is_in(sqlite3_value *list, sqlite3_value *got) {
  sqlite3_value *one = NULL;
  int found = 0;
  for (int rc = sqlite3_vtab_in_first(list, &one); rc == SQLITE_OK && one && !found;
       rc = sqlite3_vtab_in_next(list, &one)) {
    found = !value_is_null(one) && !value_is_null(got) && value_is_same(one, got);
  }
  return found;
}

static int passes(const Condition *c, sqlite3_value *got) {
  int has_both = !value_is_null(c->value) && !value_is_null(got);
  switch (c->op) {
  case CONDITION_EQUAL:
    return has_both && value_is_same(c->value, got);
  case CONDITION_OTHER:
    return has_both && !value_is_same(c->value, got);
  case CONDITION_IS:
    return value_is_same(c->value, got);
  case CONDITION_IS_NOT:
    return !value_is_same(c->value, got);
  case CONDITION_IN:
    return is_in(c->value, got);
  case CONDITION_IS_NULL:
    return value_is_null(got);
  default:
    return !value_is_null(got);
  }
}

const Condition *condition_broken(const Condition *list, int n, sqlite3_stmt *stmt, int tag,
                                  int model) {
  for (int i = 0; i < n; i++) {
    if (!passes(&list[i], sqlite3_column_value(stmt, list[i].column == C_TAG ? tag : model))) {
      return &list[i];
    }
  }
  return NULL;
}

int column_real(sqlite3_stmt *stmt, int column, double lowest, double highest, double *value) {
  int type = sqlite3_column_type(stmt, column);
  if (type != SQLITE_FLOAT && type != SQLITE_INTEGER) {
    return 0;
  }
  *value = sqlite3_column_double(stmt, column);
  return *value >= lowest && *value <= highest; /* false for NaN */
}

int column_integer(sqlite3_stmt *stmt, int column, int64_t lowest, int64_t highest,
                   int64_t *value) {
  if (sqlite3_column_type(stmt, column) != SQLITE_INTEGER) {
    return 0;
  }
  *value = sqlite3_column_int64(stmt, column);
  return *value >= lowest && *value <= highest;
}

int text_integer(const char *text, int64_t lowest, int64_t highest, int64_t *value) {
  char *end = NULL;
  errno = 0;
  *value = strtoll(text, &end, 10);
  int is_whole =
      end != text && *end == 0 && errno == 0 && strspn(text, "-0123456789") == strlen(text);
  return is_whole && *value >= lowest && *value <= highest;
}

int column_evidence(sqlite3_stmt *stmt, int column, Evidence *e) {
  int64_t agree;
  int has_second = sqlite3_column_type(stmt, column + 1) != SQLITE_NULL;
  int has_margin = sqlite3_column_type(stmt, column + 2) != SQLITE_NULL;
  e->second = (double)NAN;
  e->margin = 0;
  int fine =
      column_real(stmt, column, -COSINE_MOST, COSINE_MOST, &e->similarity) &&
      (!has_second || column_real(stmt, column + 1, -COSINE_MOST, COSINE_MOST, &e->second)) &&
      (!has_margin || column_real(stmt, column + 2, 0, 2 * COSINE_MOST, &e->margin)) &&
      column_integer(stmt, column + 3, 1, INT32_MAX, &agree);
  e->agree = fine ? (int)agree : 1;
  return fine;
}
