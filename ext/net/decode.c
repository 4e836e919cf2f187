/*
** See decode.h for the contract. zlib and brotli do the work.
*/
#include "net/decode.h"

#include "base/error.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { STEP = 16384 };

/* Runs zlib over all of `from`; further members follow each other. Of bytes that end early it gives what there is where
** a header said what they are. */
static int run_zlib(const Buf *from, Buf *to, int window) {
  z_stream z = {.next_in = (unsigned char *)from->data, .avail_in = (unsigned)from->n};
  unsigned char out[STEP];
  int rc = inflateInit2(&z, window);
  if (rc != Z_OK) {
    return rc == Z_MEM_ERROR ? RC_NOMEM : RC_ERROR;
  }
  do {
    z.next_out = out;
    z.avail_out = sizeof out;
    rc = inflate(&z, Z_NO_FLUSH);
    buf_add(to, out, sizeof out - z.avail_out);
    if (rc == Z_STREAM_END && z.avail_in > 0) {
      rc = inflateReset(&z);
    }
  } while (rc == Z_OK && !to->failed);
  inflateEnd(&z);
  int is_sound = to->n > 0 && (window > 0 || rc == Z_STREAM_END);
  return rc == Z_MEM_ERROR ? RC_NOMEM : to->failed ? to->failed : is_sound ? RC_OK : RC_ERROR;
}

/* With a header, which gzip and zlib have; without one, as some call deflate. */
static int undo_zlib(const Buf *from, Buf *to) {
  enum { ANY_HEADER = 15 + 32, NO_HEADER = -15 };
  int rc = run_zlib(from, to, ANY_HEADER);
  if (rc == RC_ERROR) {
    buf_clear(to);
    rc = run_zlib(from, to, NO_HEADER);
  }
  return rc;
}

static int undo_brotli(const Buf *from, Buf *to) {
  BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
  BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  const unsigned char *in = (const unsigned char *)from->data;
  size_t n = from->n;
  if (!state) {
    return RC_NOMEM;
  }
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && !to->failed) {
    unsigned char out[STEP], *at = out;
    size_t room = sizeof out;
    result = BrotliDecoderDecompressStream(state, &n, &in, &room, &at, NULL);
    buf_add(to, out, sizeof out - room);
  }
  BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);
  int is_nomem = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                 code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
  BrotliDecoderDestroyInstance(state);
  return is_nomem ? RC_NOMEM : to->failed ? to->failed : to->n > 0 ? RC_OK : RC_ERROR;
}

static const struct {
  const char *name;
  int (*undo)(const Buf *from, Buf *to);
} codings[] = {
    {"gzip", undo_zlib},
    {"x-gzip", undo_zlib},
    {"deflate", undo_zlib},
    {"br", undo_brotli},
};

/* Undoes the one of that name of n bytes. */
static int undo(Buf *body, const char *name, size_t n) {
  for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
    if (strlen(codings[i].name) == n && strncasecmp(codings[i].name, name, n) == 0) {
      Buf plain;
      buf_init(&plain, body->max);
      int rc = codings[i].undo(body, &plain);
      if (rc == RC_OK) {
        buf_free(body);
        *body = plain;
      } else {
        buf_free(&plain);
      }
      return rc == RC_ERROR ? RC_OK : rc;
    }
  }
  return RC_OK;
}

int decode_body(Buf *body, const char *list) {
  static const char between[] = ", \t";
  size_t end = strlen(list);
  int rc = RC_OK;
  while (end > 0 && rc == RC_OK && body->n > 0) {
    size_t start = end;
    while (start > 0 && !strchr(between, list[start - 1])) {
      start--;
    }
    rc = undo(body, list + start, end - start);
    end = start > 0 ? start - 1 : 0;
  }
  return rc;
}
