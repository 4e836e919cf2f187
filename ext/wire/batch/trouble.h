/*
** What an answer about a batch means for what is done next, where it is not the batch.
**
** Providers say "come back with less", "not yet", "never" and "gone" by the same statuses, and in sentences. Words and statuses are
** looked at first; sentences, which may change any day, only to choose the milder of two mistakes: to wait, or to ask again.
*/
#ifndef LLMCOST_BATCH_TROUBLE_H
#define LLMCOST_BATCH_TROUBLE_H

#include "wire/batch/form.h"

#define BATCH_TROUBLES(X)                                                                          \
  X(TROUBLE_NONE, "")                                                                              \
  X(TROUBLE_LATER, "later") /* rate, overload, a box on the way: the same again, later */          \
  X(TROUBLE_QUEUE_FULL,                                                                            \
    "queue_full") /* too much is waiting: come back with less, or when others are done */          \
  X(TROUBLE_NOT_YET,                                                                               \
    "not_yet") /* the file or the results come in a moment: wait, and ask the same again */        \
  X(TROUBLE_NO_CREDIT, "no_credit") /* the same again once somebody has paid */                    \
  X(TROUBLE_KEY, "key")             /* the key is missing, wrong, or may not do this */            \
  X(TROUBLE_TOO_LARGE,                                                                             \
    "too_large")                /* too many bytes or requests at once: halves of it may pass */    \
  X(TROUBLE_INVALID, "invalid") /* requests in it are not valid: its lines tell which */           \
  X(TROUBLE_GONE, "gone") /* there is no such batch, file or result any more: ask no further */    \
  X(TROUBLE_REFUSED, "refused") /* anything else, which would be refused again */

typedef enum BatchTrouble {
#define NAME(id, word) id,
  BATCH_TROUBLES(NAME)
#undef NAME
} BatchTrouble;

/* Its word; "" for none. Static storage. */
const char *batch_trouble_word(BatchTrouble trouble);

/* An HTTP answer to one step. */
typedef struct BatchAnswer {
  BatchStep step;
  long status;
  const char *content_type; /* or "" */
  const char *body;
  size_t n;
} BatchAnswer;

typedef struct BatchFault {
  BatchTrouble trouble;
  long status; /* as the error says it inside, else HTTP's; 0 of an error in a 200 that says none */
  char word[64];                   /* the provider's own; "" */
  char message[LIMIT_ERROR_QUOTE]; /* a sentence, never empty where there is trouble */
  long long retry_after_ms;        /* as the body says; -1: it does not */
  int may_be_done; /* what was asked for may have been done all the same: after a create or an upload nothing is sent again before
                   ** the list was looked at */
} BatchFault;

/* Reads an answer as trouble: TROUBLE_NONE where it is none. An error object with status 200 is trouble; results with status 200
** never are (their lines tell). What is gone may, of something that was made a moment ago, be not there yet: its age tells, which the
** caller knows. RC_OK, or RC_NOMEM in *err. */
int batch_fault_read(const BatchAnswer *answer, BatchFault *fault, Err *err);

/* What a word and a sentence of a batch's own errors mean; TROUBLE_REFUSED where they say nothing that is known. */
BatchTrouble batch_trouble_of(const char *word, const char *sentence);

/* An error as the end of a call of ours: *err with its message, code and status. Returns err->rc. */
int batch_fault_set(const BatchForm *form, const BatchFault *fault, Err *err);

#endif
