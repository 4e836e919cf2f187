/*
** The ledger: rows of llm_calls, intents that make a request durable before it leaves, and the
** queue of rows that wait to be written.
**
** A paid call: ledger_begin commits a row of kind 'unknown' and an intent; the request leaves;
** ledger_settle commits the final row, the cached answer and the end of the intent together. A
** process that dies in between leaves exactly what is true: an 'unknown' row. What can't be written (disk full,
** busy) waits in memory and goes with the next write.
**
** A cache hit costs nothing, so its row may wait: hits are queued and written together, before the next request
** of the connection (so that its ids are in the order of time), after 100 rows, by the first call a second later,
** and when the connection or the process ends. A process that is killed loses the rows of at most 100 hits.
*/
#ifndef LLMCOST_LEDGER_H
#define LLMCOST_LEDGER_H

#include "store/answers/answer.h"
#include "store/budget/reserve.h"
#include "store/db/row.h"
#include "store/db/store.h"
#include "store/sums/sums.h"

/* Where a hit of the semantic cache came from. */
typedef struct Served {
  long long entry; /* of llm_cache */
  const char *
      prompt; /* what was asked, to keep under the row's prompt_hash; NULL: not to be kept. Borrowed */
} Served;

typedef enum LedgerBegin {
  LEDGER_BEGUN,
  LEDGER_WAIT,     /* another living process is asking the same */
  LEDGER_ANSWERED, /* the answer has arrived in the cache meanwhile */
  LEDGER_HELD,     /* a limit has no room: what others hold is in the way */
  LEDGER_OVER      /* a limit has no room, for good */
} LedgerBegin;

/* What is written beside the row of a request that is to leave. Borrowed. */
typedef struct LedgerIntent {
  const Hash *key; /* NULL: nobody waits for its answer */
  long long now, lease_until;
  long long since;  /* when the statement began that asks */
  Reserve *reserve; /* NULL: no limit is asked. The row gets its worst case as held_nusd */
  /* Unless NULL: it fits; what its limits say is noted in the row. */
  int (*admitted)(void *arg, LedgerRow *row, Err *err);
  void *arg;
} LedgerIntent;

/* A text to keep once under its hash. Borrowed. */
typedef struct LedgerText {
  Hash hash;
  const char *text;
  size_t n;
} LedgerText;

/* How an attempt ended. Borrowed. */
typedef struct LedgerEnd {
  Answer *answers;         /* to be kept; NULL: none. Each gets its call_id */
  int more;                /* other attempts follow */
  const Hash *key;         /* that ledger_begin was given; NULL: none */
  const LedgerText *texts; /* the same: in main mode they are written with the row */
  int n_texts;
} LedgerEnd;

/* Makes the request durable: texts, row (kind 'unknown') and intent in one transaction. With *outcome LEDGER_BEGUN row->id is
** set, and row->retry_reason is 'lost' where the last answer to that key was; with others nothing was written. In main mode
** nothing is written, since that would lock others out until the answer is there: a row would follow the caller's transaction anyway;
** limits are asked, and nothing is held; connections of this process wait for each other (answers/flight.h), until ledger_release. */
int ledger_begin(Store *s, LedgerRow *row, const LedgerIntent *intent, const LedgerText *texts,
                 int n_texts, LedgerBegin *outcome, Err *err);

/* The next attempt of the same request: its row, and the intent moved to it from the row
** `previous`. *outcome is LEDGER_BEGUN, LEDGER_HELD or LEDGER_OVER. */
int ledger_begin_next(Store *s, long long previous, LedgerRow *row, const LedgerIntent *intent,
                      LedgerBegin *outcome, Err *err);

/* Ends an attempt: writes its final row and what `end` has; the intent stays only if more attempts follow. RC_OK means that it
** is on disk; after an error the caller has it queued, or keeps what it has (call/parked.h): it must not get lost. */
int ledger_settle(Store *s, LedgerRow *row, const LedgerEnd *end, Err *err);

/* Main mode: whoever waits for that key in this process does so no longer. Nothing where it was settled. */
void ledger_release(Store *s, const Hash *key);

/* Inside an open transaction: writes a row that is final and had no intent, which gets its id, and the answers if any. It is added
** to `sums`, which the caller writes in the same transaction. For many rows at once. RC_OK or *err. */
int ledger_put(Store *s, LedgerRow *row, Answer *answer, Sums *sums, Err *err);

/* Keeps texts by themselves, in one transaction. */
int ledger_keep_texts(Store *s, const LedgerText *texts, int n, Err *err);

#define LEDGER_LOST "lost" /* the retry_reason of who asks again what was lost */

/* Where no intent tells (in main mode, and where nobody waits): the answer to that key was lost, by the row that was
** settled last. And 1 if it was; from then on it is asked again. */
void ledger_note_lost(Store *s, const Hash *key, Err *err);
int ledger_take_lost(Store *s, const Hash *key, Err *err);
int ledger_was_lost(Store *s, const Hash *key, Err *err);

/* Queues what could not be settled: it waits in memory and goes with the next write, with all its answers and texts. Fails
** only without memory. */
int ledger_queue(Store *s, const LedgerRow *row, const LedgerEnd *end, Err *err);

/* On a node of a server, where a store in main has no connection of its own: what waits is written by the process's next connection to the same
** database that can, with its next call. */
void ledger_strand(Store *s);

/* Queues a row that may be written later (a hit, a refusal). `served` NULL: it is no hit of the semantic cache. */
int ledger_defer(Store *s, const LedgerRow *row, const Served *served, Err *err);

/* Writes all that waits. */
int ledger_flush(Store *s, Err *err);

/* Writes what waits if it is much or old. */
int ledger_flush_if_due(Store *s, Err *err);

/* Gives up what still waits (at close). */
void ledger_drop_pending(Store *s);

/* Inside an open transaction: marks the row of a request whose process is gone and ends its intent (a ReserveBuryFn). */
int ledger_bury(Store *s, long long call_id, Err *err);

/* Marks the requests of dead processes, at open. */
int ledger_recover(Store *s, long long now, Err *err);

/* A cached answer that is not expired: 1 and *answer (texts valid until ledger_answer_done), 0
** none, -1 error. Answers that wait to be written are found too. */
int ledger_get_answer(Store *s, const Hash *key, long long now, Answer *answer, sqlite3_stmt **held,
                      Err *err);
void ledger_answer_done(Store *s, sqlite3_stmt *held);

/* Keeps what was made of an answer, under a key of its own (not for the semantic cache). RC_OK or *err. */
int ledger_keep_answer(Store *s, const Answer *answer, Err *err);

#endif
