/*
** A batch as its provider shows it, whoever that is: as created, asked for, cancelled, or one of a list.
**
** The word for its state is not its outcome: one that "completed" may have no answer in it, and one that failed, expired or was
** cancelled may have answers that are paid for. What came of a request its results tell.
*/
#ifndef LLMCOST_BATCH_STATUS_H
#define LLMCOST_BATCH_STATUS_H

#include "wire/batch/trouble.h"

/* Those from BATCH_ENDED on are over: nothing more comes. */
#define BATCH_STATES(X)                                                                            \
  X(BATCH_UNKNOWN, "unknown")       /* a word that is not known: it may go on */                   \
  X(BATCH_VALIDATING, "validating") /* accepted, not begun: it may still be refused as a whole */  \
  X(BATCH_RUNNING, "running")                                                                      \
  X(BATCH_FINALIZING, "finalizing") /* all is done, and the results are not there yet */           \
  X(BATCH_CANCELLING, "cancelling") /* requests may still be answered, and billed */               \
  X(BATCH_ENDED, "ended")                                                                          \
  X(BATCH_FAILED, "failed")                                                                        \
  X(BATCH_EXPIRED, "expired")                                                                      \
  X(BATCH_CANCELLED, "cancelled")

typedef enum BatchState {
#define NAME(id, word) id,
  BATCH_STATES(NAME)
#undef NAME
} BatchState;

/* Its word, and 1 if it is over. */
const char *batch_state_word(BatchState state);
int batch_state_is_over(BatchState state);

/* The state that a provider's word means, in any case, with or without the name of an enumeration in front. */
BatchState batch_state_of(const char *word);

enum { BATCH_NAME = 128, BATCH_ERRORS = 1000 };

/* What is wrong with a line of the input. */
typedef struct BatchComplaint {
  long long line; /* from 1; 0: of the whole */
  BatchTrouble trouble;
  char word[64];
  char message[LIMIT_ERROR_QUOTE];
} BatchComplaint;

/* Numbers that are not known are -1, times 0, texts "". */
typedef struct BatchStatus {
  char id[BATCH_NAME];
  BatchState state;
  char word[40]; /* the provider's for it */
  int is_gone;   /* its results are no more */
  /* Requests: all; answered; not answered and not going to be. A provider that says 0 of all of them says nothing, nor does one of
  ** what is done as long as it counts at the end alone. */
  long long total, done, failed;
  char input_file[BATCH_NAME], output_file[BATCH_NAME], error_file[BATCH_NAME];
  int has_results; /* there is something to read: files, or by its own id. A file may be empty */
  long long created_ms, ends_ms, expires_ms; /* Unix ms: made, over since, runs out */
  /* All of it together, as the provider counts; a checksum, the results are the truth. Cost in nano-USD. */
  long long input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nusd;
  char mark[BATCH_NAME];  /* ours */
  BatchTrouble trouble;   /* what its errors come to: TROUBLE_INVALID where lines are named */
  BatchComplaint *errors; /* owned; at most BATCH_ERRORS */
  int n_errors;
  long long all_errors; /* how many the provider told */
} BatchStatus;

/* Reads n bytes. An error where no batch is in them ("bad_answer", "bad_json": batch_fault_read says what is instead), or memory. */
int batch_status_read(const BatchForm *form, const char *body, size_t n, BatchStatus *status,
                      Err *err);

/* Frees what it owns; safe on zeroed memory, and twice. */
void batch_status_free(BatchStatus *status);

/* The id of an uploaded file, from what the upload was answered with. */
int batch_file_read(const char *body, size_t n, char id[BATCH_NAME], Err *err);

/* One page of a list. */
typedef struct BatchList {
  BatchStatus *items; /* owned */
  int n;
  int unread;            /* elements that are no batch */
  char next[BATCH_NAME]; /* the cursor of the next page; "": this is the last */
} BatchList;

/* Reads a page that was asked for with `cursor` (NULL, "": the first). A page whose cursor does not move is the last. */
int batch_list_read(const BatchForm *form, const char *body, size_t n, const char *cursor,
                    BatchList *list, Err *err);
void batch_list_free(BatchList *list);

/* What is known of a batch whose id is not. */
typedef struct BatchSought {
  const char *mark;
  long long since_ms; /* the intent was written; clocks may differ by an hour */
  long long total;    /* its requests */
} BatchSought;

/* MATCH_YES: its mark is ours. MATCH_MAYBE: the provider keeps no marks, and it was made since then with as many requests; the
** ids in its results tell. MATCH_NO, also where it has another's mark, or none and the provider keeps them. */
typedef enum BatchMatch { MATCH_NO, MATCH_MAYBE, MATCH_YES } BatchMatch;
BatchMatch batch_match(const BatchForm *form, const BatchStatus *status, const BatchSought *sought);

#endif
