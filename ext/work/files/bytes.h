/*
** The bytes of a file, from its beginning or from where it was read to; of a gzip'd one what it holds.
**
** And what tells a file that has grown from another in its place: its size, its time, its inode, and hashes of pieces of it.
*/
#ifndef LLMCOST_BYTES_H
#define LLMCOST_BYTES_H

#include "base/error.h"
#include "base/hash.h"

#include <stddef.h>

typedef struct Bytes {
  int fd;
  long long size, mtime, inode; /* as it was opened; nanoseconds */
  int is_gzip;
  struct Unpack *unpack;         /* NULL: it is read as it is */
  int (*interrupted)(void *arg); /* asked now and then, where it is set */
  void *arg;
  unsigned reads;
} Bytes;

/* Opens a file, and nothing but a file (who opens a FIFO may wait without end). RC_OK or *err, which says only the reason.
** bytes_close in each case. */
int bytes_open(Bytes *b, const char *path, Err *err);
void bytes_close(Bytes *b);

/* 1 if what a path names has this size, time and inode, as bytes_open would say. */
int bytes_are_of(const char *path, long long size, long long mtime, long long inode);

/* The next bytes, at most n: how many; 0 at the end, and with *err. A gzip'd file that ends early is an error. */
size_t bytes_read(Bytes *b, char *to, size_t n, Err *err);

/* From the beginning again; or from an offset of one that is not gzip'd. */
int bytes_seek(Bytes *b, long long offset, Err *err);

/* The hash of n bytes of the file itself, at most 4,096, from an offset; of fewer, where it ends. */
enum { BYTES_HEAD = 4096, BYTES_TAIL = 256 };
int bytes_hash(const Bytes *b, long long offset, size_t n, Hash *hash, Err *err);

#endif
