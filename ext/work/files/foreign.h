/*
** Rows of an SQLite file of another program's, as JSON objects.
**
** It is opened to be read only, on a connection of its own that trusts nothing of its schema. (The other program may be
** writing: its WAL is read too.)
*/
#ifndef LLMCOST_FOREIGN_H
#define LLMCOST_FOREIGN_H

#include "base/error.h"

#include <stddef.h>

typedef struct ForeignRows {
  const char *path;
  const char *
      query; /* one or several; one that asks for what this version of the file lacks is passed over */
  int (*interrupted)(void *arg);
  int (*take)(void *arg, const char *json, size_t n, long long number,
              Err *err); /* sets *err to end it */
  void *arg;             /* of both */
} ForeignRows;

/* The first bytes of a file where it is an SQLite file: how many; 0 where it is another, or can't be opened. It is asked
** before anything else opens the file: SQLite's locks on it, which another connection of this process may hold, would go
** with any descriptor that is closed (sqlite.org/howtocorrupt.html, 2.2). */
enum { FOREIGN_HEAD = 100 };
size_t foreign_head(const char *path, char head[FOREIGN_HEAD]);

/* Hands every row to `take`. RC_OK or *err, which says only the reason. */
int foreign_each(const ForeignRows *f, Err *err);

#endif
