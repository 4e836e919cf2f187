/*
** See bytes.h for the contract. zlib does the unpacking.
*/
#include "work/files/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct Unpack {
  z_stream z;
  int is_open;
  int is_whole; /* the last member has ended */
  unsigned char in[1 << 16];
};

enum { GZIP_ONLY = 15 + 16 };

static int io_error(const char *why, Err *err) {
  return err_set(err, RC_ERROR, ERR_IO, "%s", why);
}

static const char *file_fault(int fd, struct stat *st) {
  if (fd < 0 || fstat(fd, st) != 0) {
    return strerror(errno);
  }
  return S_ISREG(st->st_mode) ? NULL : S_ISDIR(st->st_mode) ? "it is a folder" : "it is no file";
}

static int begins_as_gzip(int fd) {
  unsigned char magic[3] = {0};
  return pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
         memcmp(magic, "\x1F\x8B\x08", 3) == 0; /* RFC 1952: deflate is the only method */
}

static int start_unpacking(Bytes *b, Err *err) {
  b->unpack = b->unpack ? b->unpack : calloc(1, sizeof *b->unpack);
  struct Unpack *u = b->unpack;
  if (!u) {
    return err_nomem(err);
  }
  if (u->is_open) {
    inflateEnd(&u->z);
  }
  memset(&u->z, 0, sizeof u->z);
  u->is_whole = 0;
  u->is_open = inflateInit2(&u->z, GZIP_ONLY) == Z_OK;
  return u->is_open ? RC_OK : err_nomem(err);
}

static long long mtime_of(const struct stat *st) {
  return (long long)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int bytes_are_of(const char *path, long long size, long long mtime, long long inode) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == size &&
         mtime_of(&st) == mtime && (long long)st.st_ino == inode;
}

int bytes_open(Bytes *b, const char *path, Err *err) {
  struct stat st;
  *b = (Bytes){.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
  const char *fault = file_fault(b->fd, &st);
  if (fault) {
    return io_error(fault, err);
  }
  b->size = st.st_size;
  b->mtime = mtime_of(&st);
  b->inode = (long long)st.st_ino;
  b->is_gzip = begins_as_gzip(b->fd);
  return b->is_gzip ? start_unpacking(b, err) : RC_OK;
}

void bytes_close(Bytes *b) {
  if (b->unpack && b->unpack->is_open) {
    inflateEnd(&b->unpack->z);
  }
  free(b->unpack);
  if (b->fd >= 0) {
    close(b->fd);
  }
  *b = (Bytes){.fd = -1};
}

static size_t read_plain(int fd, void *to, size_t n, Err *err) {
  ssize_t got;
  do {
    got = read(fd, to, n);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    io_error(strerror(errno), err);
  }
  return got > 0 ? (size_t)got : 0;
}

/* The next packed bytes; 0 at the end. */
static int refill(Bytes *b, Err *err) {
  struct Unpack *u = b->unpack;
  if (u->z.avail_in == 0) {
    u->z.next_in = u->in;
    u->z.avail_in = (unsigned)read_plain(b->fd, u->in, sizeof u->in, err);
  }
  return u->z.avail_in > 0;
}

/* One step of unpacking: members follow each other; what stands behind the last is none of them (tar pads with zeros). */
static int unpack_step(struct Unpack *u, Err *err) {
  if (u->is_whole) {
    int goes_on = u->z.next_in[0] == 0x1F;
    if (!goes_on || inflateReset(&u->z) != Z_OK) {
      u->z.avail_in = 0;
      return RC_OK;
    }
    u->is_whole = 0;
  }
  int rc = inflate(&u->z, Z_NO_FLUSH);
  u->is_whole = rc == Z_STREAM_END;
  return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? RC_OK
         : rc == Z_MEM_ERROR                                   ? err_nomem(err)
                             : io_error("what gzip packed is damaged", err);
}

size_t bytes_read(Bytes *b, char *to, size_t n, Err *err) {
  enum { EVERY = 128 }; /* 8 MiB */
  struct Unpack *u = b->unpack;
  if (b->interrupted && ++b->reads % EVERY == 0 && b->interrupted(b->arg)) {
    err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
    return 0;
  }
  if (!u) {
    return read_plain(b->fd, to, n, err);
  }
  u->z.next_out = (unsigned char *)to;
  u->z.avail_out = (unsigned)(n < (1u << 30) ? n : 1u << 30);
  unsigned all = u->z.avail_out;
  while (u->z.avail_out == all && err->rc == RC_OK && refill(b, err)) {
    unpack_step(u, err);
  }
  if (u->z.avail_out == all && err->rc == RC_OK && !u->is_whole) {
    io_error("what gzip packed ends early", err);
  }
  return all - u->z.avail_out;
}

int bytes_seek(Bytes *b, long long offset, Err *err) {
  if (lseek(b->fd, (off_t)offset, SEEK_SET) < 0) {
    return io_error(strerror(errno), err);
  }
  return b->is_gzip ? start_unpacking(b, err) : RC_OK;
}

int bytes_hash(const Bytes *b, long long offset, size_t n, Hash *hash, Err *err) {
  char bytes[BYTES_HEAD];
  size_t got = 0, want = n < sizeof bytes ? n : sizeof bytes;
  ssize_t step = 1;
  while (got < want && step != 0) {
    step = pread(b->fd, bytes + got, want - got, (off_t)(offset + (long long)got));
    if (step < 0 && errno != EINTR) {
      return io_error(strerror(errno), err);
    }
    got += step > 0 ? (size_t)step : 0;
  }
  *hash = hash_bytes(bytes, got, 0);
  return RC_OK;
}
