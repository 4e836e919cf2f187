/*
** What came of one request of a batch: a line of its results, in any provider's form.
**
** OpenAI and its kin: {"custom_id", "response": {"status_code", "request_id", "body"}, "error": {"code", "message"}};
** Anthropic: {"custom_id", "result": {"type", "message" | "error"}}. An answer is handed on as its provider writes it outside of
** batches, so that what reads those reads it (Api.parse, provider_read_usage).
*/
#ifndef LLMCOST_BATCH_RESULT_H
#define LLMCOST_BATCH_RESULT_H

#include "wire/answer/body.h"
#include "wire/batch/line.h"
#include "wire/batch/split.h"

#define BATCH_OUTCOMES(X)                                                                          \
  X(RESULT_ANSWERED, "answered")     /* there is a body, and it is billed */                       \
  X(RESULT_REFUSED, "refused")       /* an error that the same request would meet again */         \
  X(RESULT_ERRORED, "errored")       /* an error that it may not meet again */                     \
  X(RESULT_EXPIRED, "expired")       /* the batch ended before its turn: not billed */             \
  X(RESULT_CANCELLED, "cancelled")   /* the same */                                                \
  X(RESULT_UNREADABLE, "unreadable") /* whether it was answered and billed can't be told */        \
  X(RESULT_TOO_LONG, "too_long")     /* the same: its line is longer than we keep */               \
  X(RESULT_TORN, "torn")             /* the results end within it: read them again */              \
  X(RESULT_FAULT, "fault")           /* no result, but an error that was sent in place of all */

typedef enum BatchOutcome {
#define NAME(id, word) id,
  BATCH_OUTCOMES(NAME)
#undef NAME
} BatchOutcome;

/* Its word. Static storage. */
const char *batch_outcome_word(BatchOutcome outcome);

/* Whether to send the request again. */
typedef enum BatchAgain {
  AGAIN_NO,
  AGAIN_YES, /* nothing is wrong with it (of one that was cancelled the caller decides) */
  AGAIN_PAID /* once somebody has paid: providers call it an invalid request, and only the sentence tells */
} BatchAgain;

typedef struct BatchResult {
  BatchOutcome outcome;
  BatchAgain again;
  char id[SPLIT_NAME]; /* the custom_id, cut; "" where there is none */
  int is_ours;         /* it is one that batch_id_write wrote: */
  BatchKey key;
  Body body;                       /* owned: of RESULT_ANSWERED */
  long status;                     /* HTTP's, as the line says it; 0: none */
  char word[64];                   /* the error's own word; "" */
  char message[LIMIT_ERROR_QUOTE]; /* a sentence; of RESULT_ANSWERED "", of all others never */
  char request_id[96];             /* what the provider calls the request; "" */
} BatchResult;

/* Reads a line. RC_OK whatever is in it; RC_NOMEM in *err, and nothing is owned. */
int batch_result_read(const SplitLine *line, BatchResult *result, Err *err);

/* Frees what it owns; safe on zeroed memory, and twice. */
void batch_result_free(BatchResult *result);

#endif
