/*
** Rows of batch_submit that are answered at once: those that the cache knows, and those that are due sooner than a batch ends.
*/
#ifndef LLMCOST_NOW_H
#define LLMCOST_NOW_H

#include "work/parcel/dispatch.h"
#include "work/desk/report.h"

/* Answers those of d->others that the cache knows. */
int now_hits(Dispatch *d, Report *report, Err *err);

/* Asks those of d->others that can't wait, many at a time, through llm_map's engine. Each is 'sending', without a batch, before
** it is asked; who is killed then leaves it to the next flush, and its answer, if there is one, to the cache. */
int now_ask(Dispatch *d, int concurrency, Report *report, Err *err);

#endif
