/*
** The lines of one batch, in a private file until they are sent: a batch has up to half a gigabyte, and memory has 64 KiB of it.
**
** The file is made in SQLITE_TMPDIR, TMPDIR or /tmp, the first that is named and not empty; nobody else may read it, and it has no
** name from the start, so that nothing of it is left behind by a process that ends. Lines are added until it is sent for the first
** time; it may be sent more than once. Used by one request at a time.
*/
#ifndef LLMCOST_SPOOL_H
#define LLMCOST_SPOOL_H

#include "base/buf.h"
#include "base/error.h"
#include "net/transport.h"

#include <stdio.h>

/* Twice what the provider with the largest batches takes (Mistral: 512 MB). */
#define SPOOL_MOST (1LL << 30)

typedef struct Spool {
  FILE *file;     /* NULL: not open */
  char *room;     /* owned: its buffer */
  long long size; /* bytes that were added */
  int is_sent;    /* nothing more may be added */
  long long at;   /* of what is sent: the next byte */
  const char *head, *tail;
  size_t n_head, n_tail;
  char folder[64]; /* where it is, cut: for messages */
  Err why;         /* what adding or reading failed with first */
} Spool;

/* A new one, empty. RC_OK, or *err ("io", RC_IOERR, where no file can be made; memory): then there is nothing to close. */
int spool_open(Spool *s, Err *err);

/* Appends n bytes. *err: "io" (RC_IOERR) where the disk is full or fails, "too_big" beyond SPOOL_MOST, memory. After a failure what
** is in it is not to be sent. */
int spool_add(Spool *s, const char *bytes, size_t n, Err *err);

/* Bytes that were added. */
long long spool_size(const Spool *s);

/* Frees it and its file; safe on zeroed memory, and twice. */
void spool_close(Spool *s);

/* As the body of a request, from its beginning: `head` and `tail` (NULL: none), borrowed while it is sent, stand around the lines.
** Afterwards s->why is what reading failed with, if it did. RC_OK or *err as spool_add. */
int spool_upload(Spool *s, const Buf *head, const Buf *tail, NetUpload *upload, Err *err);

#endif
