/*
** One request to a provider's batch API and what its answer means: how all steps of remote.h ask.
*/
#ifndef LLMCOST_REMOTE_INTERNAL_H
#define LLMCOST_REMOTE_INTERNAL_H

#include "work/remote/remote.h"

/* What is asked. Borrows. */
typedef struct Question {
  BatchStep step;
  const char *id, *cursor; /* as batch_form_path takes them */
  const char *path;        /* asked with GET in place of the step's; NULL: the step's */
  const char *type;        /* of the body; NULL: there is none */
  const Buf *body;
  const NetUpload *upload; /* in place of it; NULL: none */
  const NetSink *sink;     /* takes the answer; NULL: the response keeps it */
  long long bytes;         /* that move at most: they get time */
  const Err *why; /* why who makes the body or takes the answer gave up; NULL: nobody can */
  /* Before it is asked again: 1 if it may be. NULL: it may. */
  int (*may_repeat)(void *arg);
  void *arg;
} Question;

/* Asks once. *response is the caller's (net_response_free), and its body the answer's where there is no trouble. Returns and sets
** *fault as the steps of remote.h do. */
int ask_once(Remote *r, const Question *q, NetResponse *response, BatchFault *fault, Err *err);

/* The same, of a GET or a DELETE as often as settings and provider allow. */
int ask_often(Remote *r, const Question *q, NetResponse *response, BatchFault *fault, Err *err);

/* What can't be used of an answer that is no error: whether the step was done nobody knows. `why`: a sentence. */
void ask_distrust(const Remote *r, const Question *q, const char *why, BatchFault *fault);

/* The batch in an answer: into *status, or it is trouble. *err: memory. */
int ask_read_status(Remote *r, const Question *q, const NetResponse *response, BatchStatus *status,
                    BatchFault *fault, Err *err);

/* Scrubs what a batch says of its errors. 1; 0 where its ids or its words hold the key: then it is not used. */
int ask_clean_status(const Remote *r, BatchStatus *status);

/* Takes the key, and what may be one, out of a text that comes from outside. */
void ask_scrub(const Remote *r, char *text, size_t size);

#endif
