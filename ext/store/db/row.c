/*
** See row.h for the contract.
**
** What is done with a row is done with each column by its type: BIND_INT, SIZE_TEXT, …, in the order of the list.
*/
#include "store/db/row.h"

#include <math.h>
#include <string.h>

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
static int bind_int(sqlite3_stmt *stmt, int at, long long value) {
  return value == LEDGER_NULL ? SQLITE_OK : sqlite3_bind_int64(stmt, at, value);
}

static int bind_text(sqlite3_stmt *stmt, int at, const char *text) {
  return text ? sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC) : SQLITE_OK;
}

static int bind_real(sqlite3_stmt *stmt, int at, double value) {
  return isnan(value) ? SQLITE_OK : sqlite3_bind_double(stmt, at, value);
}

static const char *const words[] = {
#define WORD(id, word, is_call, is_hit, is_miss) [KIND_##id] = word,
    LEDGER_KINDS(WORD)
#undef WORD
};

static int bind_kind(sqlite3_stmt *stmt, int at, LedgerKind kind) {
  return bind_text(stmt, at, words[kind]);
}

int row_bind(sqlite3_stmt *stmt, int at, const LedgerRow *row, int only_settled) {
  enum { IS_FIXED = 0, IS_HIT = 0, IS_STATE = 1, IS_SETTLED = 1, IS_HIT_SETTLED = 1 };
  at++;
  int rc = row->id ? sqlite3_bind_int64(stmt, at, row->id) : SQLITE_OK;
#define BIND_INT bind_int
#define BIND_TEXT bind_text
#define BIND_REAL bind_real
#define BIND_KIND bind_kind
#define BIND(name, type, constraint, when)                                                         \
  if (rc == SQLITE_OK && (IS_##when || !only_settled)) {                                           \
    rc = BIND_##type(stmt, ++at, row->name);                                                       \
  }
  LEDGER_COLUMNS(BIND)
#undef BIND
  return rc;
}

int row_bind_hit(sqlite3_stmt *stmt, int at, const LedgerRow *row) {
  enum { OF_FIXED = 0, OF_SETTLED = 0, OF_HIT = 1, OF_STATE = 1, OF_HIT_SETTLED = 1 };
  int rc = SQLITE_OK;
#define BIND(name, type, constraint, when)                                                         \
  if (rc == SQLITE_OK && OF_##when) {                                                              \
    rc = BIND_##type(stmt, ++at, row->name);                                                       \
  }
  LEDGER_COLUMNS(BIND)
#undef BIND
  return rc;
}

/* Each clears *all where a text has no memory. */
static long long read_int(sqlite3_stmt *stmt, int at, int *all) {
  (void)all;
  return sqlite3_column_type(stmt, at) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, at)
                                                         : LEDGER_NULL;
}

static const char *read_text(sqlite3_stmt *stmt, int at, int *all) {
  int type = sqlite3_column_type(stmt, at); /* (before it is read as a text) */
  const char *text = type == SQLITE_NULL ? NULL : (const char *)sqlite3_column_text(stmt, at);
  *all &= text || type != SQLITE_TEXT;
  return text;
}

static double read_real(sqlite3_stmt *stmt, int at, int *all) {
  (void)all;
  return sqlite3_column_type(stmt, at) == SQLITE_NULL ? (double)NAN
                                                      : sqlite3_column_double(stmt, at);
}

static LedgerKind read_kind(sqlite3_stmt *stmt, int at, int *all) {
  const char *word = read_text(stmt, at, all);
  size_t kind = word ? sizeof words / sizeof words[0] - 1 : KIND_NONE;
  while (kind > KIND_NONE && strcmp(words[kind], word) != 0) {
    kind--;
  }
  return (LedgerKind)kind;
}

int row_read(sqlite3_stmt *stmt, LedgerRow *row) {
  int at = 0, all = 1;
  row->id = sqlite3_column_int64(stmt, 0);
#define READ_INT read_int
#define READ_TEXT read_text
#define READ_REAL read_real
#define READ_KIND read_kind
#define READ(name, type, constraint, when) row->name = READ_##type(stmt, ++at, &all);
  LEDGER_COLUMNS(READ)
#undef READ
  return all ? SQLITE_OK : SQLITE_NOMEM;
}

size_t row_text_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

size_t row_texts_size(const LedgerRow *row) {
  size_t size = 0;
#define SIZE_INT(value)
#define SIZE_TEXT(value) size += row_text_size(value);
#define SIZE_REAL(value)
#define SIZE_KIND(value)
#define SIZE(name, type, constraint, when) SIZE_##type(row->name)
  LEDGER_COLUMNS(SIZE)
#undef SIZE
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
#define KEEP_INT(value)
#define KEEP_TEXT(value) row_keep_text(&value, at);
#define KEEP_REAL(value)
#define KEEP_KIND(value)
#define KEEP(name, type, constraint, when) KEEP_##type(row->name)
  LEDGER_COLUMNS(KEEP)
#undef KEEP
}
