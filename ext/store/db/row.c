/*
** See row.h for the contract.
**
** One table describes the columns; binding and copying a row are loops over it.
*/
#include "store/db/row.h"

#include <math.h>
#include <string.h>

typedef enum ColumnType { COLUMN_INT, COLUMN_TEXT, COLUMN_REAL, COLUMN_KIND } ColumnType;
enum { IS_FIXED = 0, IS_STATE = 1, IS_SETTLED = 1 };

static const struct Column {
  ColumnType type;
  int is_settled;
  size_t at;
} columns[] = {
#define COLUMN(name, type, constraint, when) {COLUMN_##type, IS_##when, offsetof(LedgerRow, name)},
    LEDGER_COLUMNS(COLUMN)
#undef COLUMN
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static long long int_at(const LedgerRow *row, int i) {
  return *(const long long *)(const void *)((const char *)row + columns[i].at);
}

static double real_at(const LedgerRow *row, int i) {
  return *(const double *)(const void *)((const char *)row + columns[i].at);
}

/* NULL for none. */
static const char *kind_at(const LedgerRow *row, int i) {
#define WORD(id, word, is_call, is_hit, is_miss) [KIND_##id] = word,
  static const char *const words[] = {LEDGER_KINDS(WORD)};
#undef WORD
  return words[*(const LedgerKind *)(const void *)((const char *)row + columns[i].at)];
}

static const char *text_at(const LedgerRow *row, int i) {
  return *(const char *const *)(const void *)((const char *)row + columns[i].at);
}

void row_init(LedgerRow *row) {
#define NULL_INT LEDGER_NULL
#define NULL_TEXT NULL
#define NULL_REAL ((double)NAN)
#define NULL_KIND KIND_NONE
#define CLEAR(name, type, constraint, when) row->name = NULL_##type;
  LEDGER_COLUMNS(CLEAR)
#undef CLEAR
  row->id = 0;
  row->attempt = 1;
}

/* What is not bound is NULL. */
static int bind_column(sqlite3_stmt *stmt, int at, const LedgerRow *row, int i) {
  switch (columns[i].type) {
  case COLUMN_TEXT:
    return text_at(row, i) ? sqlite3_bind_text(stmt, at, text_at(row, i), -1, SQLITE_STATIC)
                           : SQLITE_OK;
  case COLUMN_INT:
    return int_at(row, i) != LEDGER_NULL ? sqlite3_bind_int64(stmt, at, int_at(row, i)) : SQLITE_OK;
  case COLUMN_KIND:
    return sqlite3_bind_text(stmt, at, kind_at(row, i), -1, SQLITE_STATIC);
  case COLUMN_REAL:
    return isnan(real_at(row, i)) ? SQLITE_OK : sqlite3_bind_double(stmt, at, real_at(row, i));
  }
  return SQLITE_OK;
}

int row_bind(sqlite3_stmt *stmt, const LedgerRow *row, int only_settled) {
  int rc = row->id ? sqlite3_bind_int64(stmt, 1, row->id) : SQLITE_OK;
  for (int i = 0, at = 1; i < N_COLUMNS && rc == SQLITE_OK; i++) {
    if (columns[i].is_settled || !only_settled) {
      rc = bind_column(stmt, ++at, row, i);
    }
  }
  return rc;
}

size_t row_text_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

size_t row_texts_size(const LedgerRow *row) {
  size_t size = 0;
  for (int i = 0; i < N_COLUMNS; i++) {
    size += columns[i].type == COLUMN_TEXT ? row_text_size(text_at(row, i)) : 0;
  }
  return size;
}

void row_keep_text(const char **text, char **at) {
  size_t n = row_text_size(*text);
  if (n > 0) {
    *text = memcpy(*at, *text, n);
    *at += n;
  }
}

void row_keep_texts(LedgerRow *row, char **at) {
  for (int i = 0; i < N_COLUMNS; i++) {
    if (columns[i].type == COLUMN_TEXT) {
      row_keep_text((const char **)(void *)((char *)row + columns[i].at), at);
    }
  }
}
