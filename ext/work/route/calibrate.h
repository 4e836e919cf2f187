/*
** llm_route_calibrate: the thresholds of llm_tiers, so that the requests of the ledger part as is wished.
*/
#ifndef LLMCOST_CALIBRATE_H
#define LLMCOST_CALIBRATE_H

#include "conn/conn.h"

typedef struct CalibrateOptions {
  const cJSON
      *shares; /* an array of numbers that add up to 1, one for each tier; NULL: 0.72, 0.20, 0.08 */
  double usd_per_call; /* instead: at most that on average; NAN: not given */
  long long last; /* so many of the latest requests are looked at; SPEC_UNSET: CALIBRATE_LAST */
  int dry_run;
} CalibrateOptions;

enum { CALIBRATE_LAST = 10000, CALIBRATE_LEAST = 50 };

/* Old and new thresholds, shares and dollars a call, as JSON: owned (cJSON_free); NULL and *err. Unless it is a dry run, the
** new ones stand in llm_tiers. */
char *calibrate_run(Conn *conn, const CalibrateOptions *o, Err *err);

#endif
