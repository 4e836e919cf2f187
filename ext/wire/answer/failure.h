/*
** What went wrong, as somebody at the other end says it: a provider, a gateway in front of it, a web server.
**
** An error may be wrapped in errors of others, as JSON inside a text too; the innermost sentence is the one that says
** something. Of words ("overloaded_error", "RESOURCE_EXHAUSTED") the innermost counts as well; a number counts where
** there is no word.
*/
#ifndef LLMCOST_FAILURE_H
#define LLMCOST_FAILURE_H

#include "base/text/json.h"

typedef struct Failure {
  char type[64], code[64]; /* as it calls itself; "" */
  char reason[64];         /* Google's, beside them */
  char quota[128];         /* the name of the quota that is used up */
  char message[LIMIT_ERROR_QUOTE];
  char sample[100];     /* where there is no sentence: how the body begins */
  char generation[100]; /* how the answer begins that was thrown away, where that is the error */
  long status;          /* an HTTP status that is said inside; 0: none */
  long long retry_after_ms; /* -1: it does not say */
  int is_loading;           /* the model is being loaded */
  int is_html;
  int is_shaped; /* an object that only a provider writes: an error {…}, or called one */
} Failure;

/* Reads the body of an error, whatever it is; what can't be read stays "". RC_OK, or RC_NOMEM where memory is why. */
int failure_read(const char *content_type, const char *body, size_t n, Failure *f);

/* Whether a body of HTTP 200 is an error after all: an error where no text is, or of the choice itself; a response that
** "failed". Its status in *status, 0 if none is said nor meant. */
int failure_in_answer(const cJSON *answer, long *status);

/* The same for one piece of a stream; and whether it is one where the stream does not go on to its end: it says something
** that is no answer. */
int failure_in_piece(const cJSON *piece);
int failure_may_be_piece(const cJSON *piece);

/* What of asking for a stream an error refuses: nothing, the answer in pieces, or being asked for its usage. */
typedef enum StreamRefusal { TAKES_STREAM, NO_STREAM, NO_STREAM_OPTIONS } StreamRefusal;
StreamRefusal failure_refuses_stream(const Failure *f, long status);

/* 1 if it refuses vectors in base64. */
int failure_refuses_base64(const Failure *f);

/* Its own word where it has one; else its number, unless that repeats the status; else "". */
const char *failure_word(const Failure *f, long status);

/* 1 if it says that the key is missing or wrong, and not something else that is forbidden. */
int failure_is_of_key(const Failure *f, long status);

/* 1 if whoever answered with this status knows nothing of the bill: a box on the way that lost its patience or its
** connection, behind which the provider may have gone on. A provider that says so itself does not bill. */
int failure_may_be_billed(long status, const Failure *f);

/* "text/html, 1,234 bytes: 'how it begins'": for bodies that are not what was asked for; of `sample` the first 60
** bytes are shown. */
void failure_describe(const char *content_type, size_t total, const char *sample, size_t n,
                      char *out, size_t size);

#endif
