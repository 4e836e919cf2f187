/*
** What is known of answers, however many questions they were given to: for how many neighbours of the entries that hold one it
** would have been right.
**
** An answer that was given to questions with nothing in common ("I don't know") stands near many that it does not answer.
** Each question that was asked anyway shows it: the nearest entry's answer is compared with the new one.
*/
#ifndef LLMCOST_CACHE_TRACK_H
#define LLMCOST_CACHE_TRACK_H

#include "base/error.h"
#include "base/hash.h"

#include <stdint.h>

typedef struct Track Track;

Track *track_new(void); /* NULL without memory */
void track_free(Track *r);

/* Learns that `entry` holds the answer `key`. Returns err->rc, as the next. */
int track_note(Track *r, const Hash *key, int64_t entry, Err *err);

/* … and that it would have been right (ok 1) or wrong (0) for a question whose nearest entry this was. `cosine`: of the
** two questions. That questions which are nearly the same have one answer says nothing, and is not counted. */
int track_learn(Track *r, const Hash *key, int64_t entry, double cosine, int ok, Err *err);

/* 1 if several entries hold the answer and it was wrong for neighbours of theirs too often to be believed. */
int track_doubts(const Track *r, const Hash *key);

#endif
