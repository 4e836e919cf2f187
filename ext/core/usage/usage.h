/*
** What a provider says it will bill: its usage object, read by each one's own rules into counts of units.
**
** How an answer is looked into is data: the shapes of usage objects (sql/usage.tsv, sql/usage_more.tsv; vendor.h),
** and what else in an answer is billed (sql/fees.tsv; fees.c).
*/
#ifndef LLMCOST_USAGE_H
#define LLMCOST_USAGE_H

#include "base/error.h"
#include "base/text/json.h"
#include "core/usage/counts.h"
#include "core/usage/vendor.h"

/* Reads a usage object, or a whole answer (or a line of a log) that holds one, or an array of the snapshots a
** stream sent of one answer (they are cumulative: the largest number of each kind counts).
**
** The shape is that of `vendor`'s `api` if both are given. Otherwise it is found: of the shapes of the
** vendor (if one is given) and the common ones, the one that explains most of the object; then
** output that only the total shows is added (some leave reasoning out of completion_tokens), and what else the
** answer shows that is billed. A unit of which a required part is missing is unknown. RC_OK, also where there is
** nothing to read (has is empty then, and other); or an error that names the member that is no count, or that
** looks like one and is not known. */
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

/* Counts what the name that was asked for adds to a bill, whoever answered: Azure's model router has a price of its
** own on the input it hands on. */
void usage_note_asked(Usage *u, const Vendor *vendor, const char *model);

/* Our own form: a JSON object of the reported units by their words, with "service", "geo" and
** "other" where they matter. usage_read reads it back. Owned (cJSON_Delete); NULL without memory. */
cJSON *usage_json(const Usage *u);

/* The same with the parts in "parts", each with its model. Whole or not at all: NULL without memory. */
cJSON *usage_parts_json(const Usage *whole, const UsagePart *parts, int n);

#endif
