/*
** A provider's batch API, asked over HTTP: one step at a time, each waits for its answer (beside others, where several requests of
** the connection run side by side) and ends at an interrupt. It keeps nothing: no store, no SQL, no money.
**
** A step has two kinds of ends. What is ours is *err: memory, an interrupt, a key or a host that may not be used, a local file, who
** takes the results; the step returns it. What is the provider's or the network's is *fault, with RC_OK: TROUBLE_NONE where the step
** was done. Its sentence says the host and never the key; batch_fault_set (wire/batch) makes it an error.
**
** What never left is TROUBLE_LATER. What left and was not answered is TROUBLE_LATER too, and where it makes or ends something
** (upload, create, cancel) fault->may_be_done is 1. That is so with *err as well: of a create that was interrupted on its way
** may_be_done is 1, and nothing is sent again before remote_find has looked. Where nothing left it is 0.
**
** A POST is never repeated, but for one case: see remote_create. A GET and a DELETE are, after TROUBLE_LATER, as often and with such
** pauses as the connection's settings say (retries, backoff_ms), or with the provider's own as long as it is short.
**
** base_url is the model's: slashes and an endpoint's path at the end of its path are left out, and its query (an api-version, as
** Azure's older addresses want one) goes behind each path that is asked for, in front of that one's own. Other paths than the form's
** are never asked for, whatever an answer says.
*/
#ifndef LLMCOST_REMOTE_H
#define LLMCOST_REMOTE_H

#include "conn/conn.h"
#include "trust/access.h"
#include "wire/batch/create.h"
#include "wire/batch/result.h"
#include "wire/batch/status.h"
#include "wire/batch/trouble.h"
#include "wire/provider.h"
#include "work/remote/spool.h"

enum {
  /* How long "no such file" right behind an upload is waited out. Reports are of seconds (bespokelabs curator, issue 116). */
  REMOTE_NOT_YET_MS = 20000,
  /* Pages of a list that are looked at: at 100 each, ten thousand batches or files. */
  REMOTE_PAGES = 100,
  /* Pages of results: OpenRouter takes 5,000 requests, and does not say how few stand in a page. */
  REMOTE_RESULT_PAGES = 5000,
  /* Files of one mark that are told: each is an upload whose answer was lost. */
  REMOTE_FILES = 16
};

typedef struct Remote {
  Conn *conn; /* borrowed */
  const BatchForm *form;
  const Api *api;
  char base_url[1024]; /* without a slash at the end of its path; with its query */
  char host[LIMIT_HOST + 16];
  Access access;        /* its key and the headers of its row; owned */
  long long not_yet_ms; /* REMOTE_NOT_YET_MS; tests wait for less */
  char request_id[96];  /* what the provider calls the last request, for its support; "" */
} Remote;

/* For the batches of a model, which is not needed afterwards. Nothing is sent. *err: it has no batch API ("bad_api"), its host is not
** allowed, its key is missing, its base_url is too long. */
int remote_open(Remote *r, Conn *conn, const Model *model, Err *err);

/* Wipes the secrets; safe on zeroed memory, and twice. */
void remote_close(Remote *r);

/* How long a step that sends or gets so many bytes takes at most, in ms. */
long long remote_longest_ms(const Remote *r, long long bytes);

/* Uploads the lines as a file that is named by the mark. Of forms that take files alone. */
int remote_upload(Remote *r, Spool *lines, const char *mark, char file_id[BATCH_NAME],
                  BatchFault *fault, Err *err);

/* Creates the batch: of the file that `create` names, or of inline lines (NULL: the form takes a file). *status is
** batch_status_free's in every case. TROUBLE_NOT_YET of a file, a refusal by which nothing was made, is waited out for r->not_yet_ms,
** with growing pauses; what is returned then is the last. */
int remote_create(Remote *r, const BatchCreate *create, Spool *lines, BatchStatus *status,
                  BatchFault *fault, Err *err);

/* How it is. TROUBLE_GONE where the provider knows no such batch (any more). *status is batch_status_free's in every case. */
int remote_get(Remote *r, const char *id, BatchStatus *status, BatchFault *fault, Err *err);

/* Who knows of a batch already: 1 if it is somebody's. `is_taken` NULL: nobody's is. */
typedef struct RemoteTaken {
  int (*is_taken)(void *arg, const char *id);
  void *arg;
} RemoteTaken;

/* Looks for a batch whose id is not known, through the provider's list: MATCH_YES, or of those that may be it the one that was made
** nearest to sought->since_ms and that nobody has (MATCH_MAYBE: the ids in its results tell), or MATCH_NO. A list whose newest come
** first is left where batches are an hour older than since_ms. Without trouble all of the list was looked at that can hold it; a list that goes on
** behind REMOTE_PAGES is TROUBLE_LATER. *found is batch_status_free's in every case. */
int remote_find(Remote *r, const BatchSought *sought, const RemoteTaken *taken, BatchStatus *found,
                BatchMatch *match, BatchFault *fault, Err *err);

/* Files that bear the mark's name: of uploads whose answers were lost, and of the one that was not. */
typedef struct RemoteFiles {
  char id[REMOTE_FILES][BATCH_NAME];
  int n;
  long long all; /* there are so many */
} RemoteFiles;

/* Of forms that take files alone. (Asked for are batch files, 100 a page; a provider that doesn't page sends all at once.) */
int remote_find_files(Remote *r, const char *mark, RemoteFiles *files, BatchFault *fault, Err *err);

/* Asks for its end; requests may still be answered, and billed. One that is refused since the batch is over already is no trouble:
** *status shows it. *status is batch_status_free's in every case. Forms without the step: *err ("bad_api"). */
int remote_cancel(Remote *r, const char *id, BatchStatus *status, BatchFault *fault, Err *err);

/* Deletes a file; a batch with its results. What is gone already is no trouble. Forms without the step: *err ("bad_api"). */
int remote_delete_file(Remote *r, const char *file_id, BatchFault *fault, Err *err);
int remote_delete(Remote *r, const char *id, BatchFault *fault, Err *err);

/* Who takes results, one after the other, in any order and as the provider sends them: ids may be doubled, missing, or another's. It
** runs within the transfer: it neither sends nor sleeps (nothing that asks conn_post, conn_sleep or conn_turn), and may keep the
** body (and zero it), as the result is freed behind it. RC_OK, or *err: the transfer ends. */
typedef struct RemoteTake {
  int (*take)(void *arg, BatchResult *result, Err *err);
  void *arg;
} RemoteTake;

typedef struct RemoteResults {
  long long lines;      /* that were handed on */
  long long unreadable; /* of these: RESULT_UNREADABLE and RESULT_TOO_LONG */
  long long bytes;      /* without content coding */
  int pages;            /* that were read: 1 where a form has none */
  /* They end within a line, or the transfer broke off: the fault is TROUBLE_LATER, and they are read again, all of them. The line
  ** that is cut is not handed on. */
  int is_torn;
  int is_broken_off; /* of these two, the transfer: there may be more of it */
  /* 1 if neither length nor end was said: what was cut off between two lines looks whole. The batch's own counts tell. */
  int is_open_ended;
} RemoteResults;

/* Reads the results of a file, or of a batch (form->results_by_batch), line by line in the memory of the longest, which is
** LIMIT_RESPONSE_BYTES; a longer one is RESULT_TOO_LONG. Repeated only as long as no line was handed on. RESULT_TORN and RESULT_FAULT
** are never handed on: an error in the place of results is the fault. Not there yet: TROUBLE_NOT_YET; no more: TROUBLE_GONE. */
int remote_results(Remote *r, const char *id, const RemoteTake *take, RemoteResults *out,
                   BatchFault *fault, Err *err);

#endif
