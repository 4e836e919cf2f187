/*
** batch.h: what the files of the batch APIs share.
**
**   batch.c  message_batch.c  mistral.c    paths and JSON of OpenAI and its kin, Anthropic, Mistral
**   job.c                                  a batch, whoever's it is: its life, its lines, its bill
**   result.c                               one line of results, and what can be wrong with it
**   plan.c                                 what is to happen to batches: the settings
**   files.c                                the files that some of them take and leave
*/
#ifndef STANDIN_BATCH_H
#define STANDIN_BATCH_H

#include "standin.h"

#include <time.h>

#define RULES_MAX 64     /* single lines that something is wrong with: tests name a handful */
#define JOB_ID_MAX 64    /* of batches and files */
#define ERRORS_SHOWN 100 /* of a bad file's lines */

/* ---- plan.c: what is to happen. See its head for what each setting means ---- */

enum job_state {
  JOB_VALIDATING,
  JOB_RUNNING,
  JOB_FINALIZING,
  JOB_COMPLETED,
  JOB_FAILED,
  JOB_EXPIRED,
  JOB_CANCELLING,
  JOB_CANCELLED,
  JOB_STATES
};

enum end { END_COMPLETED, END_FAILED, END_EXPIRED, END_EMPTY };

/* Flags of how a file of results is written. */
enum { FILE_CRLF = 1, FILE_BLANK = 2, FILE_NO_NEWLINE = 4, FILE_BOM = 8, FILE_LONE_CR = 16 };

/* What is wrong with a line of results. */
enum line_kind {
  LINE_CUT,
  LINE_NULL,
  LINE_ARRAY,
  LINE_NO_USAGE,
  LINE_NO_BODY,
  LINE_HUGE,
  LINE_SEPARATORS,
  LINE_CONTROLS,
  LINE_BLANK,
  LINE_DOUBLE,
  LINE_MISSING,
  LINE_UNKNOWN,
  LINE_FOREIGN,
  LINE_ERROR,
  LINE_NO_CREDIT,
  LINE_UNANSWERED,
  LINE_KINDS
};

enum gone { GONE_NOT, GONE_404, GONE_ERROR, GONE_ARCHIVED, GONE_UNLISTED };
enum large_body { LARGE_JSON, LARGE_EMPTY, LARGE_HTML };

struct plan {
  int64_t polls, ms, finished, progress;
  int64_t cancel_polls, cancel_ms, cancel_finished;
  int64_t errors, errors_every, errors_status, no_credit;
  int64_t finalizing, late_list, queue_max;
  int64_t usage_off, huge_bytes;
  int64_t late_file, upload_max, cut_at, cut_times, chunk, age_s;
  int64_t end, upload_body, gone, file; /* enums and flags, of the width of the others */
  char refuse[48];
  int64_t rules;
  struct rule {
    int64_t kind, index; /* -1 = every line */
  } rule[RULES_MAX];
};

void plan_now(struct plan *out);                        /* as it is set */
const char *plan_set(const cJSON *want);                /* NULL, or what is wrong */
void plan_of(const struct choice *c, struct plan *out); /* with a scenario's own settings */
void plan_reset(void);
int plan_line(const struct plan *p, enum line_kind kind, int64_t index); /* 1 = it has that */
int plan_gone(enum gone what);                                           /* 1 = it is set */
/* The scenario that strikes this request to a step; 1 when one does. Counts the step. */
int plan_strike(enum step step, struct choice *out);
int plan_late(const char *file);       /* 1 = creates of that file are still too early; counts */
int plan_too_large(struct request *r); /* 1 = refused, and r->reply is made */
void plan_deliver(struct request *r);  /* how a reply of results reaches the wire */
cJSON *plan_steps(void);               /* requests by step, owned */

/* ---- job.c ---- */

/* What batches remember of the request that made them. */
struct origin {
  char client_id[128];
  char key_tail[8];
  char scenario[NAME_MAX_LEN];
  enum fault fault;
};

struct job {
  char id[JOB_ID_MAX], input[JOB_ID_MAX], output[JOB_ID_MAX], error_file[JOB_ID_MAX];
  char endpoint[64], window[16], model[MODEL_MAX];
  enum form form;
  struct origin from;
  struct plan plan;
  enum job_state state;
  cJSON *metadata, *errors; /* owned; NULL = none */
  struct blob *lines;       /* the requests, a line each; shared with the file that they came in */
  size_t read;              /* where in it the next request begins */
  int64_t index;            /* its number, from 0: those before it are answered */
  int64_t total, completed, failed, undone;
  int64_t polls, created_ms,
      cancelled_ms;      /* polls since its state began, once it is cancelled or finalizing */
  int64_t cancelled_at;  /* lines that were answered then */
  int64_t lists;         /* that it could have been in */
  time_t at[JOB_STATES]; /* when each state began; 0 = never */
  struct usage use;
  int64_t nusd;
  char first_id[128]; /* of its requests */
  struct buf *part;   /* results, one entry a request */
  struct buf errors_out, results;
  struct job *next;
};

/* All of these but job_new and job_start with the lock held. */
void job_lock(void);
void job_unlock(void);
struct job *job_new(struct request *r, enum form form, const char *id_prefix);
void job_inline(struct job *b, cJSON *requests); /* moves the requests: they become its lines */
void job_complain(struct job *b, const char *code, int64_t line, const char *message);
void job_start(struct job *b); /* takes it into the list */
struct job *job_find(const char *id, enum form form, int *gone);
struct job *job_next(struct job *after, enum form form); /* newest first; NULL after the last */
void job_poll(struct job *b);
int job_cancel(struct job *b); /* 0 = it is over already */
int job_over(const struct job *b);
int job_listed(struct job *b); /* 0 = it is too new for this list; counts */
void job_delete(struct job *b);
void job_free(struct job *b);                        /* of one that was never started */
const struct job *job_other(const struct job *than); /* another one, older, or NULL */
int job_one_file(enum form form);                    /* errors stand among the results */
const char *line_next(const struct buf *b, size_t *at, size_t *n);
void job_tick(void); /* takes the lock; completes what is due by its age */
void job_reset(void);
cJSON *job_report(void); /* owned: what was made, and what is still there */
time_t job_time(const struct job *b, enum job_state state);
void job_reply_gone(struct request *r, const char *message); /* 404, or an error in a 200 */

/* ---- result.c ---- */

/* Appends request i's result. body (borrowed) is the answer of that status; NULL = the request had no turn. */
void result_write(const struct job *b, int64_t i, const char *id, int status, const cJSON *body,
                  struct buf *out);
/* How the whole is written, once its lines are. */
void result_frame(const struct job *b, struct buf *all);

/* ---- files.c ---- */

/* Bytes that nobody changes and several hold: a batch of 200 MB is not kept twice. */
struct blob {
  struct buf bytes;
  int holders;
};

struct blob *blob_new(struct buf *bytes); /* takes them */
void blob_release(struct blob *b);        /* NULL is fine */

void files_add(const char *purpose, const char *name, struct buf *bytes, char *id, size_t cap);
struct blob *files_share(const char *id); /* its bytes, to be given back; NULL = no such file */
void files_reset(void);
cJSON *files_report(void); /* owned */

#endif
