/*
** Trimming the ledger: rows of llm_calls that are older than what is to be kept go, their sums stay.
**
** Whole UTC days. What a day comes to is sealed first (llm_sum_state.sealed_before); then its rows go, some thousands in a
** transaction. A row stays whose money nobody knows (kind 'unknown', or unpriced), or that is on its way. Keys of
** imports stay: what was trimmed is not imported again. Texts that nothing names any more go, and batches that are settled.
*/
#ifndef LLMCOST_RETENTION_H
#define LLMCOST_RETENTION_H

#include "store/db/store.h"

/* Trims what is older than `keep_ms` at `now` (Unix ms); nothing where that was done already. Writes first what waits.
** RC_OK or *err: what was trimmed until then stays trimmed. */
int retention_trim(Store *s, long long keep_ms, long long now, Err *err);

#endif
