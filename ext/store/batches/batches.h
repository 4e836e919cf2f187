/*
** Batches in the store: what was sent to a provider's batch API, for which rows of which batch_submit, and what came of it.
**
** Two files have no common transaction. Of a batch the store is written first, and batch_submit after it and from it alone, so
** that whoever comes next can do again what a killed process left:
**
**   opening   batches_open, batches_hold, batches_add: its requests are written, some at a time. Nothing was sent, and batch_submit
**             says 'queued'. If its owner is gone: batches_drop.
**   begun     batches_seal: the intent is complete, its attempts counted. From here on it may have been sent. batch_submit is brought
**             to 'sending' from the items (is_marked says that it was). Without a provider_id and with an owner that is gone: it is
**             looked for at the provider by its mark; found: batches_note; certainly not there: batches_rest, 'queued'.
**   sent      its id at the provider is noted.
**   ended     the provider says that nothing more comes; results are read.
**   settled   each item has an outcome. Items stay until batch_submit has been told of each; then they go.
**
** Results are settled a chunk at a time, each in one transaction with the ledger's rows, the answers and what was held. An item is
** settled once, by its key (batch, submit_id) and its attempt: who comes later with the same changes nothing and is told so.
**
** Money. The intents of a batch are no rows of llm_intents: those are on their way for seconds, are searched by every call, and die with
** their process or an hour after their lease. An item that is open holds its worst case in its group (llm_batch_groups), which
** admission counts as booked (budget/reserve.h), for as long as it is open, whoever lives; so nothing of it can be taken for lost. Its
** row in llm_calls is written when it is settled, with the time of the intent: its bill belongs to the period that held it.
**
** Who works on a batch has its lease, so that two do not read the same results at once. What is right does not depend on it.
**
** In main mode all this stands in the caller's database, and works the same outside of a transaction.
*/
#ifndef LLMCOST_BATCHES_H
#define LLMCOST_BATCHES_H

#include "store/budget/reserve.h"
#include "store/db/store.h"
#include "store/ledger.h"

/* A new batch. Texts are borrowed. */
typedef struct BatchNew {
  const char *queue; /* its name in llm_queues */
  const char *form, *provider, *model, *endpoint, *base_url;
  const char *key_env;         /* NULL: none is needed */
  const char *mark, *wire_tag; /* ours */
  long long now;               /* of its intent, and of all that is billed for it */
  long long lease_ms;          /* the caller owns it for so long */
} BatchNew;

/* What requests of a batch have in common. Texts are borrowed; NULL: none. */
typedef struct BatchGroup {
  int number; /* the caller's own, from 0 on */
  int holder; /* of the group that holds for it: one with the same tag and user, such as itself */
  const char *tag, *user, *conversation, *system_hash;
  Reserve *
      reserve; /* of a holder: what is to be held, most_nusd, and its limits; NULL: nothing is asked */
} BatchGroup;

typedef struct BatchItem {
  long long submit_id, attempt; /* attempt: this one counted */
  int group;
  const Hash *key;         /* NULL: the answer is not for the exact cache */
  const char *prompt_hash; /* NULL: none */
  long long held_nusd;     /* worst case; LEDGER_NULL: nobody prices it */
  long long line; /* of what is sent, from 1; LEDGER_NULL: another one's answer serves it */
} BatchItem;

/* Writes a batch without requests. 0 and *err on failure. */
long long batches_open(Store *s, const BatchNew *batch, Err *err);

/* Adds groups, in one transaction and their order: each asks its limits for reserve->most_nusd, beside what those before it hold. One
** that was not allowed (reserve->outcome) was not added, and holds nothing. A group may ask again for more. RC_OK or *err. */
int batches_hold(Store *s, long long batch, const BatchGroup *groups, int n, Err *err);

/* Adds requests of groups that are there. All or none. */
int batches_add(Store *s, long long batch, const BatchItem *items, int n, Err *err);

/* How large it is: LEDGER_NULL of what is not known. */
typedef struct BatchSize {
  long long requests; /* that are sent: items without those that another one's answer serves */
  long long bytes, tokens;
} BatchSize;

/* All are there: from now on it may be sent. Groups hold what their requests do, no more. */
int batches_seal(Store *s, long long batch, const BatchSize *size, Err *err);

/* Takes back one that is 'opening'; others stay. RC_OK or *err. */
int batches_drop(Store *s, long long batch, Err *err);

/* What was heard of a batch. NULL, and LEDGER_NULL: nothing new. Texts are borrowed. */
typedef struct BatchNote {
  const char *provider_id; /* the first one stays */
  const char *input_file, *output_file, *error_file;
  const char *word, *trouble, *error;
  long long sent_at, expected_at, expires_at, looked_at, cancel_at, ended_at;
  long long said_total, said_done, said_failed;
  long long is_marked, files_deleted, requests;
} BatchNote;

/* One that says nothing. */
void batches_note_init(BatchNote *note);

/* Writes it. With provider_id the batch is 'sent', with ended_at 'ended' (and 'settled', where no item is open). */
int batches_note(Store *s, long long batch, const BatchNote *note, Err *err);

/* What becomes of a row of batch_submit. */
#define BATCH_ITEM_OUTCOMES(X)                                                                     \
  X(ITEM_DONE, "done")                                                                             \
  X(ITEM_FAILED, "failed")                                                                         \
  X(ITEM_EXPIRED, "expired")                                                                       \
  X(ITEM_CANCELLED, "cancelled")                                                                   \
  X(ITEM_AGAIN, "queued") /* it is to be sent again */

typedef enum ItemOutcome {
  ITEM_OPEN, /* none yet */
#define ITEM_ID(id, word) id,
  BATCH_ITEM_OUTCOMES(ITEM_ID)
#undef ITEM_ID
} ItemOutcome;

/* Its word, which is batch_submit's status. NULL of ITEM_OPEN. */
const char *item_outcome_word(ItemOutcome outcome);

typedef enum ItemSettled {
  ITEM_UNKNOWN, /* no such row or attempt in this batch */
  ITEM_BEFORE,  /* it was settled by somebody else: nothing was changed */
  ITEM_NOW
} ItemSettled;

/* What came of one request. Texts are borrowed. */
typedef struct ItemResult {
  long long submit_id, attempt;
  ItemOutcome outcome;
  LedgerRow *
      row; /* what settling knows: kind (KIND_BATCH, or KIND_UNKNOWN where it may have been billed), tokens, cost, error …;
                  ** who it was for and when is filled in. Of a hit (KIND_HIT_…), what it
                  ** saved. NULL: nothing was billed */
  Answer *
      answer; /* for the caches; its key and call are filled in. NULL, or an item without a key: not kept */
  const char *text; /* what batch_submit gets, n bytes; NULL: none, or there is no row */
  size_t n;
  const char *error;   /* for batch_submit; NULL: none */
  long long full_nusd; /* at the standard price; LEDGER_NULL: not known */
  ItemSettled was;     /* out */
} ItemResult;

/* Settles a chunk in one transaction. RC_OK means that it is on disk and `was` is told of each; else nothing was written. */
int batches_settle(Store *s, long long batch, ItemResult *results, int n, long long now, Err *err);

/* Gives all that are open an outcome, without rows in the ledger: nothing of it was or will be billed. How many; -1 and *err. */
long long batches_rest(Store *s, long long batch, ItemOutcome outcome, const char *error,
                       long long now, Err *err);

/* Writes what the provider counts otherwise than its answers do in sum, as a row of the ledger: once for each batch. */
int batches_differ(Store *s, long long batch, LedgerRow *row, Err *err);

/* An item. Texts are borrowed for the time of the call that gets it. */
typedef struct ItemRow {
  long long submit_id, attempt, cost_nusd, held_nusd, line;
  const char *outcome; /* its word; NULL: open */
  const char *answer, *error;
  size_t n_answer;
  const unsigned char *key; /* sizeof(Hash) bytes; NULL: none */
  int is_told;
} ItemRow;

typedef enum ItemChoice { ITEMS_ALL, ITEMS_OPEN, ITEMS_UNTOLD } ItemChoice;

/* Where a walk over items is. */
typedef struct ItemWalk {
  long long batch;
  ItemChoice which;
  long long after; /* submit_id: 0 at first; that of the last one given */
  int most;        /* how many to give */
  int n;           /* given; less than `most`: these were the last */
} ItemWalk;

/* Gives the next items, by submit_id, with their answers where they are untold. Does not write. RC_OK or *err. */
int batches_items(Store *s, ItemWalk *walk, int (*take)(void *arg, const ItemRow *item, Err *err),
                  void *arg, Err *err);

/* The request of a line: its submit_id; 0 where there is none; -1 and *err. */
long long batches_at_line(Store *s, long long batch, long long line, Err *err);

/* One item: 1; 0 where it is not there (any more); -1 and *err. *is_told, *is_open as it stands. */
int batches_find(Store *s, long long batch, long long submit_id, int *is_open, int *is_told,
                 Err *err);

/* batch_submit has these, committed. Items of a batch that is settled go with the last of them. */
int batches_told(Store *s, long long batch, const long long *submit_ids, int n, Err *err);

/* A batch as it stands. Texts are borrowed for the time of the call that gets it; NULL, and LEDGER_NULL: not known. */
#define BATCH_TEXTS(X)                                                                             \
  X(queue)                                                                                         \
  X(state)                                                                                         \
  X(form)                                                                                          \
  X(provider)                                                                                      \
  X(model)                                                                                         \
  X(endpoint)                                                                                      \
  X(base_url)                                                                                      \
  X(key_env)                                                                                       \
  X(mark)                                                                                          \
  X(wire_tag)                                                                                      \
  X(provider_id)                                                                                   \
  X(input_file)                                                                                    \
  X(output_file)                                                                                   \
  X(error_file)                                                                                    \
  X(word)                                                                                          \
  X(trouble)                                                                                       \
  X(error)                                                                                         \
  X(owner)
#define BATCH_NUMBERS(X)                                                                           \
  X(id)                                                                                            \
  X(created_at)                                                                                    \
  X(sent_at)                                                                                       \
  X(expected_at)                                                                                   \
  X(expires_at)                                                                                    \
  X(looked_at)                                                                                     \
  X(cancel_at)                                                                                     \
  X(ended_at)                                                                                      \
  X(settled_at)                                                                                    \
  X(items)                                                                                         \
  X(settled)                                                                                       \
  X(answered)                                                                                      \
  X(untold)                                                                                        \
  X(said_total)                                                                                    \
  X(said_done)                                                                                     \
  X(said_failed)                                                                                   \
  X(held_nusd)                                                                                     \
  X(cost_nusd)                                                                                     \
  X(full_nusd)                                                                                     \
  X(unpriced)                                                                                      \
  X(is_marked)                                                                                     \
  X(files_deleted)                                                                                 \
  X(lease_until)                                                                                   \
  X(requests)                                                                                      \
  X(bytes)                                                                                         \
  X(tokens)                                                                                        \
  X(difference)

typedef struct BatchRow {
#define BATCH_TEXT(name) const char *name;
#define BATCH_NUMBER(name) long long name;
  BATCH_TEXTS(BATCH_TEXT)
  BATCH_NUMBERS(BATCH_NUMBER)
#undef BATCH_TEXT
#undef BATCH_NUMBER
} BatchRow;

typedef enum BatchChoice {
  BATCHES_ALL,
  BATCHES_OPEN,   /* not settled, or batch_submit is not told of all yet */
  BATCHES_UNSENT, /* of these, those without an id at the provider: for recovery */
} BatchChoice;

/* Gives batches by id. `db`: the store's own connection, or a reader's; `queue` NULL: of all. RC_OK or *err. */
int batches_each(sqlite3 *db, BatchChoice which, const char *queue,
                 int (*take)(void *arg, const BatchRow *batch, Err *err), void *arg, Err *err);

/* Takes a batch for so long, or takes it for longer: 1; 0 where another has it who lives and whose lease runs; -1 and *err. An owner is a
** connection: two of one process are two. */
int batches_take(Store *s, long long batch, long long now, long long lease_ms, Err *err);

/* Gives it back, where it is the caller's. */
int batches_leave(Store *s, long long batch, Err *err);

#endif
