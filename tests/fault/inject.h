/*
** Faults of the machine, on demand: the n-th allocation fails, or the n-th operation on a file, once or from then
** on. This program's own malloc, open, write and the rest stand before the C library's for everything that is
** loaded into it: SQLite, libcurl, cJSON and the extension.
*/
#ifndef FAULT_INJECT_H
#define FAULT_INJECT_H

#include <stddef.h>

typedef enum Fault {
  FAULT_MEMORY,
  FAULT_OPEN,
  FAULT_READ,
  FAULT_WRITE,
  FAULT_SYNC,
  FAULT_MAP,
  FAULT_COUNT
} Fault;

/* From now on the n-th operation of the kind fails with errno `code` (from 1), and those after it where `forever`.
** n 0: none, they are only counted. */
void inject_start(Fault kind, long n, int forever, int code);

/* Ends that. The number of operations seen. */
long inject_stop(void);

/* How many operations failed since inject_start. */
long inject_failed(void);

/* Blocks of memory that are allocated now. */
long inject_live(void);

#endif
