/*
** What was read and is not written yet; and what came of an import so far.
**
** Calls and files are written by a thread of its own while the next ones are read (batch_may_write_behind): it has the
** store's writing connection, and the importing thread all else, the caller's connection with its mutex first of all. The
** transaction is begun by the importing thread, so that an interrupt ends a wait for others; behind that nothing waits.
*/
#ifndef LLMCOST_IMPORT_BATCH_H
#define LLMCOST_IMPORT_BATCH_H

#include "work/import_entry.h"

#include <pthread.h>
#include <stdatomic.h>

/* Few pages that hold keys are written twice by a transaction of so many; it takes a fraction of a second. Where another
** thread writes, it begins with fewer (FEW_CALLS at the most) when it has nothing to do. */
enum {
  LEAST_CALLS = 1000,
  FEW_CALLS = 4000,
  BATCH_CALLS = 12000,
  BATCH_PLACES = 32768,
  BATCH_FILES = 1000,
  BATCH_MS = 1000
};

/* What is told of an import. */
typedef struct Report {
  long long files, unchanged, added, updated, copies, without_id, sums, replaced, dropped, unpriced;
  long long cost_nusd, reported_nusd; /* of what was added, less what it replaced */
  long long skipped, torn, unfinished;
  cJSON *formats, *skipped_list, *lines, *kept, *shrunk; /* NULL without memory */
} Report;

void report_init(Report *r);
void report_free(Report *r);

/* A file of this format; one that was not read; a line that was not understood. */
void report_format(Report *r, const char *format, Err *err);
void report_skipped(Report *r, const char *path, const char *why, Err *err);
void report_line(Report *r, const char *path, long long line, const char *why, Err *err);

/* Owned (cJSON_free); NULL and *err. */
char *report_json(Report *r, Err *err);

/* Calls and files of a transaction. */
typedef struct Pile {
  Texts texts; /* of the calls */
  PastCall *calls;
  int n_calls;
  PastFile *files; /* their states are owned; path and format outlive the batch */
  int n_files;
} Pile;

/* What a transaction did, until it is committed. */
typedef struct Done {
  long long added, updated, copies, unpriced, cost_nusd, reported_nusd;
  long long sums, replaced, dropped;
} Done;

typedef struct Batch {
  Store *store;
  Past *past;
  int replace_smaller;
  Report *report;
  long long since; /* monotonic; 0: it is empty */
  Pile pile;       /* what is read */
  int *places;     /* of a table of its calls by key: which call, from 1; 0: none */
  Texts
      sum_texts; /* of the sums of the file that is being read: they are written when it has ended */
  PastSum *sums;
  int n_sums, cap_sums;
  int is_file_whole;
  /* The other thread: */
  int may_write_behind, is_writing;
  atomic_int is_written; /* what it was given */
  pthread_t writer;
  Pile behind; /* what it writes */
  Done done;
  Err failed;
  StoreHost host; /* the store's, while it writes */
} Batch;

int batch_init(Batch *b, Store *store, Report *report, int replace_smaller, Err *err);
void batch_free(Batch *b);

/* From now on calls are written while others are read, where the store and SQLite allow it. */
void batch_may_write_behind(Batch *b);

/* A place for a call, and for a sum (NULL and *err). There is one more for a call while it is fewer than BATCH_CALLS. */
PastCall *batch_call(Batch *b);

/* One of the same identity that is in the batch; NULL. And the call of batch_call becomes one of them. */
PastCall *batch_same(const Batch *b, const PastCall *call);
void batch_keep_call(Batch *b);

PastSum *batch_sum(Batch *b, Err *err);

/* Gives the sums of a file up that could not be read to its end. */
void batch_drop_sums(Batch *b);

/* How far a file was understood; takes the state. `is_whole`: to its end, so its sums are complete. */
int batch_file(Batch *b, PastFile *file, int is_whole, Err *err);

/* 1 if it is time to write. */
int batch_is_due(const Batch *b);

/* Writes it, in one transaction, and empties it; or begins to, once what was begun before is written. batch_finish does not
** return before all is. */
int batch_write(Batch *b, Err *err);
int batch_finish(Batch *b, Err *err);

#endif
