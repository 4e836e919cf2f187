/*
** What was billed: counts of units, and what was said beside them.
**
** A count that was not reported is not zero: `has` tells which are there. What a shape can't report at
** all (embeddings have no output) is outside `can`.
*/
#ifndef LLMCOST_COUNTS_H
#define LLMCOST_COUNTS_H

#include "core/usage/unit.h"

#define USAGE_UNKNOWN (-1LL) /* not reported: not the same as zero */

enum { USAGE_WORD = 24, USAGE_OTHER = 80 };

typedef struct Usage {
  long long n[UNIT_COUNT];  /* where `has` */
  UnitSet has;              /* what was reported */
  UnitSet can;              /* what could have been */
  long long reported_nusd;  /* the cost the provider itself states, nano-USD, or USAGE_UNKNOWN */
  char service[USAGE_WORD]; /* "standard", "batch", "flex", "priority", "fast", or another's word */
  char geo[USAGE_WORD];     /* where inference was bound to: "us"; "": anywhere */
  char other[USAGE_OTHER];  /* what else is billed that no unit counts, by the names it has in the
                               answer, with ", " between them; "": nothing */
} Usage;

/* Nothing reported, everything could be; the standard service. */
void usage_init(Usage *u);

void usage_set(Usage *u, Unit unit, long long count);

/* The same of a unit and of all that contain it: all that goes in is of that kind. */
void usage_set_whole(Usage *u, Unit unit, long long count);

/* The count of a unit, USAGE_UNKNOWN where it was not reported. */
long long usage_get(const Usage *u, Unit unit);

/* Sets a count that was reported to another one: what it would have been. Of fewer tokens each kind that it contains keeps its
** share, rounded down; what there is more of is of no kind. So the parts are no more than the whole where they were not before. */
void usage_resize(Usage *u, Unit unit, long long count);

/* Sets the service that a provider's word means ("default", "on_demand" and "auto" are the
** standard one), or the place ("global": anywhere). In lower case. */
void usage_set_service(Usage *u, const char *word);
void usage_set_geo(Usage *u, const char *word);

/* What was asked to be kept for an hour: writes to a cache of which the answer does not say how long they are kept are such. */
void usage_note_hour(Usage *u);

/* Names something else that is billed. Of several the first is there in any case, the others as far as they
** fit whole. */
void usage_add_other(Usage *u, const char *name);

#endif
