/*
** The pieces that usage.c puts together to read what was billed. Of this room alone; outside it is usage.h.
**
**   envelope.c   what an answer comes wrapped in: events, lines of batches and logs, a stream's snapshots, attributes
**   shape.c      which shape an object has, and its counts
**   own.c        our own form, there and back, and the programs' logs that use its words otherwise
**   fees.c       what is billed beside the counts, and the cost that the answer itself states
*/
#ifndef LLMCOST_USAGE_READING_H
#define LLMCOST_USAGE_READING_H

#include "base/error.h"
#include "base/text/json.h"
#include "core/usage/counts.h"
#include "core/usage/vendor.h"

/* ---- envelope.c */

/* The answer inside an event of a stream or a line of a batch's results or of a log, or the body itself. Borrowed. */
const cJSON *envelope_open(const cJSON *body);

/* 1 for a line of a batch's results. */
int envelope_is_batch(const cJSON *body);

/* The snapshots of one answer as one object, owned; NULL and *err. */
cJSON *envelope_merge(const cJSON *array, Err *err);

/* A copy of a body, owned, in which what LiteLLM's log keeps as a JSON text is the object that it says; NULL where there
** is none. */
cJSON *envelope_parse(const cJSON *body);

/* 1 if the elements of an array are a span's attributes themselves. */
int envelope_is_span(const cJSON *array);

/* The attributes of a span (OpenTelemetry's names with dots, as members or as an array of keys and values) that is
** or stands somewhere in the body, as objects in objects: owned, NULL where there are none, or *err. */
cJSON *envelope_attributes(const cJSON *body, Err *err);

/* ---- shape.c */

/* Follows a path; NULL where a step is missing or null. A step is a member's name, the place of an element, or
** "field=VALUE", the element of an array whose field is VALUE. */
const cJSON *shape_walk(const cJSON *at, const char *const *steps);

/* name_bit of all members of an object. */
uint64_t shape_names(const cJSON *object);

/* The shape that explains most of a body, NULL where none explains anything. */
const Shape *shape_find(const cJSON *body, const Vendor *vendor);

/* The usage object in a whole answer, or the object itself where it is one already. */
const cJSON *shape_root(const cJSON *body, const Shape *shape);

/* 1 if a shape has all it requires in an object; *unknown is the first count in it where it starts no path, or NULL. */
int shape_explains(const Shape *shape, const cJSON *root, const cJSON **unknown);

/* The counts of a usage object; then what its total says of them (without a shape: only where there was no output).
** RC_OK or *err. */
int shape_read(const Shape *shape, const cJSON *root, Usage *u, Err *err);
void shape_use_total(const Shape *shape, const Vendor *vendor, const cJSON *root, Usage *u);

/* The count at the end of a path: 1 and *count, 0 where there is none, -1 and *err. */
int shape_count(const cJSON *root, const char *const *steps, long long *count, Err *err);

/* The name of a member somewhere in a body that looks like a count of tokens, or NULL. */
const char *shape_token_like(const cJSON *body);

/* ---- own.c */

/* An object in our own form in a body, or one whose names are like ours: the body itself, or a member that logs have
** for it. Borrowed; NULL where there is none. */
const cJSON *own_find(const cJSON *body);

/* The shape of a program's log that such an object has; NULL: it is in our own form, or in none, and *unknown (not NULL then)
** is what neither has. */
const Shape *own_shape(const cJSON *own, const cJSON **unknown);

/* 1 if a member of that name counts nothing that is billed ("total", "latency_ms"). */
int own_is_beside(const char *name);

/* `unknown`: what own_shape found, or NULL. */
int own_read(const cJSON *own, const cJSON *unknown, Usage *u, Err *err);

/* The words of a member's name in lower case with '_' between them ("billedMinutes", "billed-minutes": "billed_minutes"),
** cut off at its size; and 1 if one of such words matches the GLOBs. */
enum { NAME_WORDS = 64 };
void name_words(const char *name, char out[NAME_WORDS]);
int name_has_word(const char *globs, const char *words);

/* ---- fees.c */

/* Where something that is billed may stand. */
typedef struct FeePlace {
  const cJSON *answer, *usage;
  const Shape *shape; /* that the usage object was read by, or NULL */
  const Vendor *vendor;
} FeePlace;

/* Units, and names of what no unit counts; or only the names that the table has for such things. */
void fees_read(const FeePlace *place, int only_names, Usage *u);

/* What was sold and where, as an answer (never the request) tells it. */
void fees_read_words(const FeePlace *place, Usage *u);

/* The cost that the answer itself states. */
void fees_read_cost(const FeePlace *place, Usage *u);

#endif
