/*
** What the fuzz targets share. A target is one file fuzz_<name>.c with one function that reads one input
** and checks what must hold of every input. Two programs are made of it: with clang's libFuzzer (`make
** fuzz`), and with driver.c (`make test`).
**
** Several texts in one input are parted by a NUL. A text is a copy of its very length, so that the
** sanitizer sees a read beyond its end.
*/
#ifndef LLMCOST_FUZZ_H
#define LLMCOST_FUZZ_H

#include "base/text/json.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, with the condition, unless it holds. */
#define require(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

static inline _Noreturn void fuzz_fail(const char *condition, const char *file, int line) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
  abort();
}

/* What is left of an input. */
typedef struct Input {
  const uint8_t *at;
  size_t n;
} Input;

/* The next byte; 0 at the end. */
static inline unsigned take_byte(Input *in) {
  if (in->n == 0) {
    return 0;
  }
  in->n--;
  return *in->at++;
}

/* A copy of n bytes with a NUL behind them, which is not to be read by what takes a length. Owned. */
static inline char *fuzz_copy(const void *bytes, size_t n) {
  char *copy = malloc(n + 1);
  if (!copy) {
    abort();
  }
  if (n > 0) {
    memcpy(copy, bytes, n);
  }
  copy[n] = 0;
  return copy;
}

/* The next text, up to a NUL or the end. Owned. */
static inline char *take_text(Input *in, size_t *n) {
  const uint8_t *nul = in->n > 0 ? memchr(in->at, 0, in->n) : NULL;
  *n = nul ? (size_t)(nul - in->at) : in->n;
  char *text = fuzz_copy(in->at, *n);
  size_t used = *n + (nul != NULL);
  in->at += used;
  in->n -= used;
  return text;
}

/* All that is left. Owned. */
static inline char *take_rest(Input *in, size_t *n) {
  char *text = fuzz_copy(in->at, *n = in->n);
  in->n = 0;
  return text;
}

static inline int is_utf8(const char *text) {
  size_t bad_at;
  return utf8_is_valid(text, strlen(text), &bad_at);
}

/* What every error promises: a code and a message that is UTF-8. */
static inline void check_err(const Err *err) {
  require(err->rc == RC_OK || (err->code != ERR_NONE && err->msg[0] && is_utf8(err->msg)));
}

/* The tree of a text, or NULL where it is none. */
static inline cJSON *fuzz_json(const char *text, size_t n) {
  Err err = {0};
  cJSON *tree = json_parse(text, n, "the input", &err);
  require((tree != NULL) == (err.rc == RC_OK));
  check_err(&err);
  return tree;
}

#endif
