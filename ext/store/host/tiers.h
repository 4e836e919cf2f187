/*
** Writing llm_tiers.
*/
#ifndef LLMCOST_HOST_TIERS_H
#define LLMCOST_HOST_TIERS_H

#include "store/host/config.h"

/* Puts new thresholds into the tiers of the configuration, in their order, all or none. An error where there is no table
** (llm_init() makes it). RC_OK or *err. */
int tiers_write(sqlite3 *host, const Config *config, const double *max_scores, Err *err);

#endif
