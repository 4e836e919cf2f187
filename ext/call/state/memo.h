/*
** The statement memo: what one execution of one statement has already asked.
**
** SQLite may evaluate a function several times for one row. Within one execution of a statement the
** same request is paid once; the memo hands its outcome to the repeats. One that asks for the same tag, user and
** conversation is silent, be it the same row evaluated again; the first of each other is a hit with a row of its own.
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

/* An answer, what it cost and whose it is. */
typedef struct MemoAnswer {
  const char *text;
  size_t n;
  long long cost_nusd;
  const char *provider, *model, *tier;
} MemoAnswer;

/* Of a request; or of who asked for it then, with nothing but call_id. */
typedef struct MemoEntry {
  Hash key;
  Hash asking;              /* of a request: who was the first */
  const MemoAnswer *answer; /* NULL where the exact cache has it, or on failure */
  const Err *failure;       /* NULL: it succeeded */
  long long call_id;        /* 0: not known */
  int is_similar;           /* answered by the semantic cache */
} MemoEntry;

typedef struct Memo Memo;

/* An empty memo; NULL without memory. Frees with memo_free (a void* for SQLite). */
Memo *memo_new(void);
void memo_free(void *memo);

/* One for rows of a table that ask the same (work/map): each that finds something there has a ledger row of its own. It remembers
** what the exact cache does not have, a failure or an answer; once somebody waits for it, or would not look there, all. NULL without
** memory. */
Memo *memo_for_rows(void);
void memo_want(Memo *memo);
int memo_is_for_rows(const Memo *memo);
int memo_is_empty(const Memo *memo);

/* The memo of the running statement, made when first asked for; NULL without memory. */
Memo *memo_of_statement(sqlite3_context *ctx);

/* When it was made, in Unix ms: when its statement first asked something. */
long long memo_since(const Memo *memo);

/* The entry of a key, or NULL. Valid until the next memo_add. */
const MemoEntry *memo_find(const Memo *memo, const Hash *key);

/* Remembers an outcome, copied; where the request is known already, only who asked. Past LIMIT_MEMO_ENTRIES, or without
** memory, it is not remembered: the exact cache still has the answer. */
void memo_add(Memo *memo, const MemoEntry *e);

/* Whether the guard has let this execution use the name of that number (below GUARD_MOST). */
int memo_is_allowed(const Memo *memo, int number);
void memo_allow(Memo *memo, int number);

/* Whether it was seen in this execution that rows of llm_models add nothing to requests. */
int memo_adds_nothing(const Memo *memo);
void memo_note_nothing(Memo *memo);

#endif
