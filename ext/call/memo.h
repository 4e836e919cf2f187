/*
** The statement memo: what one execution of one statement has already asked.
**
** SQLite may evaluate a function several times for one row. Within one execution of a statement the
** same request is paid once and ledgered once; the memo hands its outcome to the repeats.
**
** It hangs on the statement itself as auxiliary data, which SQLite frees when the execution ends.
** The slot has a negative number: such slots belong to the statement and not to one call site
** (SQLite's own JSON functions keep their parse cache this way), so an expression repeated
** elsewhere in the statement finds it too.
*/
#ifndef LLMCOST_MEMO_H
#define LLMCOST_MEMO_H

#include "base/error.h"
#include "base/hash.h"
#include "base/sqlite/sqlite_api.h"

typedef struct MemoEntry {
  Hash key;
  char *text; /* the answer, owned; NULL where the exact cache has it, or on failure */
  size_t n;
  long long call_id; /* 0: not known */
  Err *failure;      /* owned; NULL: it succeeded */
} MemoEntry;

typedef struct Memo Memo;

/* An empty memo; NULL without memory. Frees with memo_free (a void* for SQLite). */
Memo *memo_new(void);
void memo_free(void *memo);

/* The memo of the running statement, made when first asked for; NULL without memory. */
Memo *memo_of_statement(sqlite3_context *ctx);

/* The entry of a key, or NULL. Valid until the next memo_add. */
const MemoEntry *memo_find(const Memo *memo, const Hash *key);

/* Remembers an outcome; copies text (NULL allowed) and failure (NULL allowed). Past
** LIMIT_MEMO_ENTRIES, or without memory, it is not remembered: the exact cache still has the
** answer. */
void memo_add(Memo *memo, const Hash *key, const char *text, size_t n, long long call_id,
              const Err *failure);

/* Whether the guard has let this execution use the name of that number (below GUARD_MOST). */
int memo_is_allowed(const Memo *memo, int number);
void memo_allow(Memo *memo, int number);

#endif
