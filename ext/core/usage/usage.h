/*
** What a provider says it will bill: counts of units, read by each one's own rules into one form.
**
** A count that was not reported is not zero: `has` tells which are there. What a shape can't report at
** all (embeddings have no output) is outside `can`.
*/
#ifndef LLMCOST_USAGE_H
#define LLMCOST_USAGE_H

#include "base/error.h"
#include "base/text/json.h"
#include "core/usage/unit.h"
#include "core/usage/vendor.h"

#define USAGE_UNKNOWN (-1LL) /* not reported: not the same as zero */

enum { USAGE_WORD = 24 };

typedef struct Usage {
  long long n[UNIT_COUNT];  /* where `has` */
  UnitSet has;              /* what was reported */
  UnitSet can;              /* what could have been */
  long long reported_nusd;  /* the cost the provider itself states, nano-USD, or USAGE_UNKNOWN */
  char service[USAGE_WORD]; /* "standard", "batch", "flex", "priority", "fast", or another's word */
  char geo[USAGE_WORD];     /* where inference was bound to: "us"; "": anywhere */
  char other
      [USAGE_WORD]; /* what else is billed that no unit counts ("audio seconds"); "": nothing */
} Usage;

/* Nothing reported, everything could be; the standard service. */
void usage_init(Usage *u);

void usage_set(Usage *u, Unit unit, long long count);

/* The count of a unit, USAGE_UNKNOWN where it was not reported. */
long long usage_get(const Usage *u, Unit unit);

/* Sets the service that a provider's word means ("default", "on_demand" and "auto" are the
** standard one), or the place ("global": anywhere). In lower case. */
void usage_set_service(Usage *u, const char *word);
void usage_set_geo(Usage *u, const char *word);

/* Reads a usage object, or a whole answer that holds one, or an array of the snapshots a stream sent
** of one answer (they are cumulative: the last number of each kind counts).
**
** The shape is that of `vendor`'s `api` if both are given. Otherwise it is found: of the shapes of the
** vendor (if one is given) and the common ones, the one that explains most of the object; then
** output that only total_tokens shows is added (some leave reasoning out of completion_tokens).
** A unit of which a required part is missing is unknown. RC_OK, also where there is nothing to read
** (has is empty then); or an error that names the member that is no count. */
int usage_read(const cJSON *body, const Vendor *vendor, const char *api, Usage *u, Err *err);

/* The model's name in a whole answer, borrowed; NULL where it has none. */
const char *usage_model(const cJSON *body, const Vendor *vendor, const char *api);

/* A request that a provider answered in several attempts of its own, each billed at its own model's
** price (Anthropic's usage.iterations: fallbacks and compaction). */
typedef struct UsagePart {
  char model[LIMIT_MODEL_NAME]; /* "": the answer's own */
  Usage usage;
} UsagePart;

/* As usage_read, and the parts: an array to free() and its length, or NULL and 0 where the object is a
** single part (or an `api` says how to read it). Attempts without output are not billed and not in
** it; what a part does not say (service, place) is as the whole says; fees go with the last. */
int usage_read_all(const cJSON *body, const Vendor *vendor, const char *api, Usage *u,
                   UsagePart **parts, int *n, Err *err);

/* Our own form: a JSON object of the reported units by their words, with "service", "geo" and
** "other" where they matter. usage_read reads it back. Owned (cJSON_Delete); NULL without memory. */
cJSON *usage_json(const Usage *u);

/* The same with the parts in "parts", each with its model. Whole or not at all: NULL without memory. */
cJSON *usage_parts_json(const Usage *whole, const UsagePart *parts, int n);

#endif
