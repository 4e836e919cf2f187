/*
** What of a prompt is another one at each request: the time, the day, an id, a count, or a place that a template fills with these.
**
** Told by the words in front of it ("Today is 2026-11-28", "Request id: 7f3a…"), in English and some other languages: a date alone is
** a date. Not looked for in quotations, code, JSON, and under a heading or in a sentence that speaks of examples.
*/
#ifndef LLMCOST_MOVING_H
#define LLMCOST_MOVING_H

#include "core/split/units.h"

typedef enum MovingKind {
  MOVING_CLOCK, /* another one each second or minute */
  MOVING_DAY,   /* each day */
  MOVING_ID,    /* each request, session or user */
  MOVING_COUNT, /* each request */
  MOVING_PLACE, /* {{now}}: filled in later */
  MOVING_SEEN /* another one in other texts, whatever it says: known from these (moving_add_seen) */
} MovingKind;

typedef struct Moving {
  size_t from, n;    /* bytes: the value alone */
  size_t unit;       /* its place among the units */
  size_t cue, n_cue; /* bytes: with the words that say so */
  MovingKind kind;
} Moving;

typedef struct MovingList {
  Moving *at; /* owned */
  size_t n, cap;
} MovingList;

/* What finds them. For one thread at a time; many texts may be looked through with one. NULL and *err without memory. */
typedef struct MovingFinder MovingFinder;
MovingFinder *moving_open(Err *err);
void moving_close(MovingFinder *f);

/* Appends those of a text (any bytes) with these units, in order. Linear time. Returns RC_OK, or *err. */
int moving_find(MovingFinder *f, const char *text, const TextUnits *u, MovingList *out, Err *err);
/* Adds whole sentences of which somebody knows that they move, where nothing in them does by its words. RC_OK, or *err. */
int moving_add_seen(const TextUnits *u, const unsigned *places, size_t n, MovingList *list,
                    Err *err);
void moving_free(MovingList *list);

/* 1 if the text can do without the sentence that holds the one at `i` of a list: that says nothing else, and no other means it ("that
** date", "above", "Use it"). */
int moving_can_go(MovingFinder *f, const char *text, const TextUnits *u, const MovingList *list,
                  size_t i, Err *err);

#endif
