/*
** A request as one line of a batch; and the ids that go with it.
**
** On the wire stands an id of ours, never the caller's: of rowid and attempt, so that an answer to an earlier attempt is
** told from one to this, and of a tag of the store or the batch, so that another's are.
**
** A line holds no byte that anybody takes for an end of line: line feeds and other control characters (C0, DEL, C1: U+0085
** among them), U+2028 and U+2029 are written as escapes, and blanks between values are left out.
*/
#ifndef LLMCOST_BATCH_LINE_H
#define LLMCOST_BATCH_LINE_H

#include "wire/batch/form.h"

enum {
  BATCH_ID = 65,  /* with its NUL; Anthropic takes 64 letters, the least of all */
  BATCH_TAG = 17, /* with its NUL */
};

/* What an id of ours says. */
typedef struct BatchKey {
  long long rowid, attempt;
  char tag[BATCH_TAG]; /* "" without one */
} BatchKey;

/* Writes "r<rowid>-<attempt>" or "r<rowid>-<attempt>-<tag>". `attempt` is not negative; `tag`, "" or NULL without, has ASCII letters
** and digits alone and is cut to its size. */
void batch_id_write(long long rowid, long long attempt, const char *tag, char out[BATCH_ID]);

/* Reads it: 1; 0 for every text that batch_id_write never wrote. */
int batch_id_read(const char *id, BatchKey *key);

/* A request that is to become a line. Borrows. */
typedef struct BatchLine {
  const char *id; /* batch_id_write's */
  BatchEndpoint endpoint;
  const char *body; /* as our request builder makes it: an object in JSON, n bytes */
  size_t n;
  int is_first; /* of its batch: inline forms put a comma in front of the others */
} BatchLine;

/* Appends it; a file's line ends with LF. Of the body `stream` and `stream_options` are left out, which no batch takes, and the model
** where the form names it at the job. Members are compared by name as our builder writes them, without escapes. Errors: the form
** does not take the endpoint; the body is no JSON object or no UTF-8; it does not fit into out->max ("too_big"). */
int batch_line_add(const BatchForm *form, const BatchLine *line, Buf *out, Err *err);

/* The bytes that batch_line_add would append, exactly, without memory for them. */
int batch_line_size(const BatchForm *form, const BatchLine *line, size_t *size, Err *err);

#endif
