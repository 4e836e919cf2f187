/*
** What flush, poll, wait and cancel say when they have run: counts of rows, and why some were not moved on.
*/
#ifndef LLMCOST_BATCH_REPORT_H
#define LLMCOST_BATCH_REPORT_H

#include "base/error.h"
#include "base/text/json.h"

enum { REPORT_REASONS = 10 };

/* One reason, and how many rows it holds up. */
typedef struct ReportReason {
  char text[LIMIT_ERROR_TEXT];
  long long rows;
} ReportReason;

typedef struct Report {
  long long hits, now, submitted, waiting, refused, failed, expired; /* rows, of a flush */
  long long unsure;                          /* of these, not known to be there yet */
  long long answered, again, cancelled;      /* rows, of a poll */
  long long open, open_rows;                 /* batches and rows that are under way still */
  long long cost_nusd, saved_nusd, unpriced; /* of what was settled */
  ReportReason reasons[REPORT_REASONS];
  int n_reasons;
} Report;

/* Notes why so many rows were not moved on; of more than REPORT_REASONS the others are counted and not told. */
void report_reason(Report *r, const char *text, long long rows);

/* Adds "errors" to an object: [{"error":…,"rows":…}], where there are any. */
void report_add_reasons(const Report *r, cJSON *tree, Err *err);

/* Dollars of so many; null where not known (negative). */
void report_add_usd(cJSON *tree, const char *name, long long nusd, Err *err);
void report_add_count(cJSON *tree, const char *name, long long n, Err *err);

#endif
