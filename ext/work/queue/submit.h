/*
** The rows of batch_submit in the caller's database: read as requests, and moved on from one status to the next.
**
** All of it runs on the caller's own connection, outside of a transaction of theirs: what belongs together is written in one of
** its own (submit_begin).
*/
#ifndef LLMCOST_SUBMIT_H
#define LLMCOST_SUBMIT_H

#include "base/error.h"
#include "base/sqlite/savepoint.h"

#include <stddef.h>

#define SUBMIT_NULL (-1LL)

/* Attempts of one row, at most. */
enum { SUBMIT_MOST_ATTEMPTS = 3 };

/* A row. Texts are borrowed until the next is read; NULL where there is none. */
typedef struct SubmitRow {
  long long id, priority, attempts, batch_id; /* batch_id: SUBMIT_NULL without one */
  long long deadline_ms;                      /* Unix ms; SUBMIT_NULL: it can wait */
  const char *prompt, *system, *model, *options, *tag, *user, *conversation;
  size_t n_prompt, n_options;
} SubmitRow;

typedef enum SubmitSql {
  SUBMIT_NEXT,
  SUBMIT_GET,
  SUBMIT_CHANGE,
  SUBMIT_SENT,
  SUBMIT_LEFT,
  SUBMIT_BATCHES,
  SUBMIT_LOCK,
  SUBMIT_SQLS
} SubmitSql;

/* Its statements, each prepared when first needed. Zeroed with `db` set. */
typedef struct Submits {
  sqlite3 *db;
  sqlite3_stmt *stmt[SUBMIT_SQLS];
  Savepoint savepoint; /* of submit_begin */
} Submits;

void submits_close(Submits *s);

/* Where a walk over what is queued is: the last row that was given. submit_from_start at first. */
typedef struct SubmitPlace {
  long long priority, id;
} SubmitPlace;
SubmitPlace submit_from_start(void);

/* The next row of what is queued, most urgent first; nothing may be written before submit_rest, behind which the next one goes on
** at *place. 1, 0 at the end, -1 and *err. */
int submit_next(Submits *s, SubmitPlace *place, SubmitRow *row, Err *err);
void submit_rest(Submits *s);

/* One row by its id: 1, 0 where it is not there, -1 and *err. Until submit_got. */
int submit_get(Submits *s, long long id, SubmitRow *row, Err *err);
void submit_got(Submits *s);

/* A hash of all that a row asks: another one where it was changed. */
unsigned long long submit_asks(const SubmitRow *row);

/* A transaction of ours. */
int submit_begin(Submits *s, Err *err);
int submit_end(Submits *s, int ok, Err *err);

/* What becomes of one row, if it is in one of the states `from` and of that batch. Texts are borrowed. */
typedef struct SubmitChange {
  long long id;
  const char *from; /* SUBMIT_QUEUED, SUBMIT_UNDER_WAY */
  long long
      of_batch; /* its batch so far; SUBMIT_NULL: none. (Of what is queued it says nothing: by hand again, it names its last.) */
  const char *status; /* from now on */
  long long attempts; /* SUBMIT_NULL: as they are */
  long long batch_id; /* SUBMIT_NULL: none */
  const char *answer; /* n bytes; NULL: none */
  size_t n;
  int is_vector;       /* the answer is a BLOB */
  const char *error;   /* NULL: none */
  long long cost_nusd; /* SUBMIT_NULL: not known */
  long long finished_at;
} SubmitChange;

#define SUBMIT_QUEUED "queued"
#define SUBMIT_UNDER_WAY "sending submitted"

/* The answer of a request that embeds, n bytes as the caches keep it, as the BLOB that embed() gives: owned (free). NULL where it
** is none, or *err. */
char *submit_vector(const char *answer, size_t n, size_t *size, Err *err);

/* How many it changed, 0 or 1; -1 and *err. */
int submit_change(Submits *s, const SubmitChange *change, Err *err);

/* A row that says nothing: to be filled. */
void submit_change_init(SubmitChange *change, long long id);

/* What is 'sending' of a batch is 'submitted'. */
int submit_sent(Submits *s, long long batch, Err *err);

/* What is 'sending' without a batch is queued again: who was at it is gone. `was_unsent`: it was marked, and certainly not asked; then that
** was no attempt. How many; -1 and *err. */
long long submit_left(Submits *s, int was_unsent, Err *err);

/* The batches that rows are under way in, each with how many. Nothing may be written meanwhile. RC_OK or *err. */
int submit_batches(Submits *s, int (*take)(void *arg, long long batch, long long rows, Err *err),
                   void *arg, Err *err);

#endif
