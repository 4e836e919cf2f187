/*
** The bytes of an answer, as JSON: a whole body, or the pieces of a stream.
**
** Which of them comes is the server's choice, whatever was asked for: gateways stream unasked (server-sent events, or a JSON
** value a line), put comments in front while they wait, end with "[DONE]" or a NUL, wrap the answer in an array. Values are
** found by their brackets, so that no framing can hide one.
*/
#ifndef LLMCOST_BODY_H
#define LLMCOST_BODY_H

#include "base/text/json.h"

typedef struct Body {
  /* Owned. The answer; of a stream what its pieces say beside the text (model, usage, service, error), the last of each
  ** kind; usage objects are merged member by member, as they are cumulative. */
  cJSON *tree;
  cJSON *pieces; /* owned: an array of a stream's pieces; NULL where the body is whole */
  const cJSON *
      failed; /* borrowed: the first piece that is an error, before the answer is at its end; NULL: none */
  const cJSON *suspect;  /* the same: one that may be, if the stream does not go on to its end */
  int is_done;           /* the stream said that it was at its end */
  int has_gap;           /* a piece of it could not be read */
  int is_ended, is_paid; /* it has said how it ended; and what it used */
} Body;

/* Reads n bytes. ERR_BAD_JSON where there is no value in them, or only the beginning of one; the message says what was there
** (`type`: the content type, or ""), but nothing longer than 60 bytes of it. */
int body_read(const char *bytes, size_t n, const char *type, Body *body, Err *err);

/* 1 if in these bytes of a stream there is text or thought already: until then the model may be thinking without a word. NUL-terminated. */
int body_has_begun(const char *bytes, size_t n);

void body_free(Body *body);

#endif
