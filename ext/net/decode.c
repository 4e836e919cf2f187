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

enum { STEP = 16384, MOST_UNNAMED = 3 };

static int is_gzip(const Buf *body) {
  return body->n > 3 && memcmp(body->data, "\x1F\x8B\x08", 3) == 0;
}

/* zlib's windows. */
enum { ANY_HEADER = 15 + 32, NO_HEADER = -15 };

/* Runs zlib over all of `from`; further members follow each other. Of bytes that end early, or have something else behind
** them, it gives what there is unless they must be whole. */
static int run_zlib(const Buf *from, Buf *to, int window, int must_be_whole) {
  z_stream z = {.next_in = (unsigned char *)from->data, .avail_in = (unsigned)from->n};
  unsigned char out[STEP];
  int members = 0;
  int rc = inflateInit2(&z, window);
  if (rc != Z_OK) {
    return rc == Z_MEM_ERROR ? RC_NOMEM : RC_ERROR;
  }
  do {
    z.next_out = out;
    z.avail_out = sizeof out;
    rc = inflate(&z, Z_NO_FLUSH);
    buf_add(to, out, sizeof out - z.avail_out);
    members += rc == Z_STREAM_END;
    if (rc == Z_STREAM_END && z.avail_in > 0) {
      rc = inflateReset(&z);
    }
  } while (rc == Z_OK && !to->failed);
  inflateEnd(&z);
  int may_be = !must_be_whole && (is_gzip(from) || rc == Z_BUF_ERROR || members > 0);
  int is_sound = to->n > 0 && (may_be || rc == Z_STREAM_END);
  return rc == Z_MEM_ERROR ? RC_NOMEM : to->failed ? to->failed : is_sound ? RC_OK : RC_ERROR;
}

/* With a header, which gzip and zlib have; without one, as some call deflate. */
static int undo_zlib(const Buf *from, Buf *to) {
  int rc = run_zlib(from, to, ANY_HEADER, 0);
  if (rc == RC_ERROR) {
    buf_clear(to);
    rc = run_zlib(from, to, NO_HEADER, 1);
  }
  return rc;
}

/* What bytes say of themselves: their check sums are right. */
static int undo_whole_zlib(const Buf *from, Buf *to) {
  return run_zlib(from, to, ANY_HEADER, 1);
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

typedef int Undo(const Buf *from, Buf *to);

static const struct {
  const char *name; /* without "x-" and "application/" */
  Undo *undo;
} codings[] = {
    {"gzip", undo_zlib}, {"gz", undo_zlib},   {"deflate", undo_zlib},
    {"zlib", undo_zlib}, {"br", undo_brotli}, {"brotli", undo_brotli},
};

/* Puts what a coding gives in the place of the body. RC_ERROR where the bytes are not what it makes. */
static int replace(Buf *body, Undo *undo) {
  Buf plain;
  buf_init(&plain, body->max);
  int rc = undo(body, &plain);
  if (rc == RC_OK) {
    buf_free(body);
    *body = plain;
  } else {
    buf_free(&plain);
  }
  return rc;
}

/* (RFC 1950: a window of 32 KiB, and both bytes are a multiple of 31.) */
static int is_zlib(const Buf *body) {
  const unsigned char *p = (const unsigned char *)body->data;
  return body->n > 2 && p[0] == 0x78 && (p[0] << 8 | p[1]) % 31 == 0 && !(p[1] & 0x20);
}

/* What a coding is called by n bytes: without quotes, parameters and what stands in front; NULL where it is none of ours. */
static Undo *coding_of(const char *name, size_t n) {
  static const char *const before[] = {"\"", "'", "application/", "x-"};
  for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
    size_t length = strlen(before[i]);
    int is = n > length && strncasecmp(name, before[i], length) == 0;
    name += is ? length : 0;
    n -= is ? length : 0;
  }
  size_t length = 0;
  while (length < n && !strchr(";\"'", name[length])) {
    length++;
  }
  for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
    if (strlen(codings[i].name) == length && strncasecmp(codings[i].name, name, length) == 0) {
      return codings[i].undo;
    }
  }
  return NULL;
}

/* Undoes a coding that was named. gzip under another name is known by its sum. */
static int undo_named(Buf *body, Undo *undo) {
  int rc = is_gzip(body) ? replace(body, undo_whole_zlib) : RC_ERROR;
  rc = rc == RC_ERROR ? replace(body, undo) : rc;
  return rc == RC_ERROR ? RC_OK : rc;
}

/* Undoes what nobody named, or named once and did several times. */
static int undo_unnamed(Buf *body) {
  int rc = RC_OK;
  for (int i = 0; i < MOST_UNNAMED && rc == RC_OK && (is_gzip(body) || is_zlib(body)); i++) {
    rc = replace(body, is_gzip(body) ? undo_zlib : undo_whole_zlib);
  }
  return rc == RC_ERROR ? RC_OK : rc;
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
    Undo *undo = coding_of(list + start, end - start);
    rc = undo ? undo_named(body, undo) : RC_OK;
    end = start > 0 ? start - 1 : 0;
  }
  return rc == RC_OK ? undo_unnamed(body) : rc;
}
