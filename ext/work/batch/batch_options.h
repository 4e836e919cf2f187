/*
** The options of flush, poll and wait.
*/
#ifndef LLMCOST_BATCH_OPTIONS_H
#define LLMCOST_BATCH_OPTIONS_H

#include "work/parcel/parcel.h"

enum { FOR_FLUSH = 1, FOR_POLL = 2, FOR_WAIT = 4 };

typedef struct BatchOptions {
  int dry_run;
  ParcelLimits limits;
  long long concurrency; /* of what is sent at once */
  int deletes_files;     /* at the provider, once a batch is settled */
  long long timeout_ms;  /* of a wait; SPEC_UNSET: none */
  long long every_ms;    /* between two looks; SPEC_UNSET: 2 s, and longer each time */
} BatchOptions;

/* `of`: FOR_… RC_OK or *err. Nothing is owned. */
int batch_options_read(const char *json, size_t n, unsigned of, BatchOptions *o, Err *err);

#endif
