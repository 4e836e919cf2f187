/*
** See unpack.h for the contract. zlib does the work.
*/
#include "net/unpack.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

/* Bytes by which gzip is known; those that come out of zlib at once; zlib's window for gzip alone. */
enum { MAGIC = 3, STEP = 65536, GZIP_WINDOW = 15 + 16 };

/* What the bytes are. */
typedef enum Form {
  UNSEEN, /* fewer than MAGIC came */
  PLAIN,
  GZIP,
  BETWEEN, /* a member of gzip has ended */
  BEHIND   /* something else follows it */
} Form;

struct Unpack {
  Form form;
  char head[MAGIC]; /* the first bytes, while they are UNSEEN */
  size_t n_head;
  int is_open; /* zlib is */
  z_stream z;
  unsigned char out[STEP];
};

Unpack *unpack_open(void) {
  return calloc(1, sizeof(Unpack));
}

void unpack_close(Unpack *u) {
  if (u && u->is_open) {
    inflateEnd(&u->z);
  }
  free(u);
}

int unpack_is_foreign(const char *codings) {
  static const char *const names[] = {"deflate", "zlib", "br", "brotli", "zstd", "compress"};
  static const char between[] = "\"';, \t";
  int found = 0;
  for (const char *at = codings; *at;) {
    size_t n = strcspn(at, between);
    const char *name = n > 2 && strncasecmp(at, "x-", 2) == 0 ? at + 2 : at;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
      size_t length = n - (size_t)(name - at);
      found |= strlen(names[i]) == length && strncasecmp(name, names[i], length) == 0;
    }
    at += n;
    at += strspn(at, between);
  }
  return found;
}

/* Begins the first member, or the next. */
static int begin_member(Unpack *u) {
  int rc = u->is_open ? inflateReset(&u->z) : inflateInit2(&u->z, GZIP_WINDOW);
  u->is_open |= rc == Z_OK;
  u->form = GZIP;
  return rc == Z_OK ? RC_OK : RC_NOMEM;
}

/* Hands on what comes of some bytes of a member; *data moves behind those that are read. */
static int inflate_some(Unpack *u, const char **data, size_t *n, UnpackTake *take, void *arg) {
  u->z.next_in = (unsigned char *)*data;
  u->z.avail_in = *n < STEP ? (unsigned)*n : STEP;
  unsigned given = u->z.avail_in;
  int rc = Z_OK;
  do {
    u->z.next_out = u->out;
    u->z.avail_out = STEP;
    rc = inflate(&u->z, Z_NO_FLUSH);
    size_t made = STEP - u->z.avail_out;
    int taken = made > 0 ? take(arg, (const char *)u->out, made) : RC_OK;
    if (taken != RC_OK) {
      return taken;
    }
  } while (rc == Z_OK && u->z.avail_out == 0);
  *data += given - u->z.avail_in;
  *n -= given - u->z.avail_in;
  u->form = rc == Z_STREAM_END ? BETWEEN : GZIP;
  return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? RC_OK
         : rc == Z_MEM_ERROR                                   ? RC_NOMEM
                                                               : RC_MISMATCH;
}

/* The bytes, as what they are by now. */
static int go_on(Unpack *u, const char *data, size_t n, UnpackTake *take, void *arg) {
  int rc = RC_OK;
  if (u->form == PLAIN) {
    return n > 0 ? take(arg, data, n) : RC_OK;
  }
  while (n > 0 && rc == RC_OK && u->form != BEHIND) {
    if (u->form == BETWEEN && *data != '\x1F') {
      u->form = BEHIND;
    } else if (u->form == BETWEEN) {
      rc = begin_member(u);
    } else {
      rc = inflate_some(u, &data, &n, take, arg);
    }
  }
  return rc;
}

/* It is known by its first bytes. */
static int begin(Unpack *u, UnpackTake *take, void *arg) {
  int is_gzip = u->n_head == MAGIC && memcmp(u->head, "\x1F\x8B\x08", MAGIC) == 0;
  int rc = is_gzip ? begin_member(u) : RC_OK;
  u->form = is_gzip ? GZIP : PLAIN;
  return rc == RC_OK ? go_on(u, u->head, u->n_head, take, arg) : rc;
}

int unpack_feed(Unpack *u, const char *data, size_t n, UnpackTake *take, void *arg) {
  while (u->form == UNSEEN && u->n_head < MAGIC && n > 0) {
    u->head[u->n_head++] = *data++;
    n--;
  }
  if (u->form == UNSEEN && u->n_head < MAGIC) {
    return RC_OK;
  }
  int rc = u->form == UNSEEN ? begin(u, take, arg) : RC_OK;
  return rc == RC_OK ? go_on(u, data, n, take, arg) : rc;
}

int unpack_end(Unpack *u, UnpackTake *take, void *arg) {
  if (u->form == UNSEEN) {
    return begin(u, take, arg);
  }
  return u->form == GZIP ? RC_MISMATCH : RC_OK;
}
