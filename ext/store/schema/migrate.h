/*
** Making a store's tables, and bringing those of earlier versions up to date.
**
**   1  the ledger, the exact cache
**   2  the semantic cache and what it needs
**   3  llm_calls.usage; views that list what is unpriced
**   4  marks (genuine.h); texts named with the store's seed
*/
#ifndef LLMCOST_MIGRATE_H
#define LLMCOST_MIGRATE_H

#include "store/db/store.h"

#define STORE_VERSION 4

/* Makes or migrates what is not of STORE_VERSION, in one transaction, and marks what was made or adopted.
** What comes out is compared with what we make; where it differs, nothing was changed. */
int migrate_run(Store *s, Err *err);

/* Before a file is made that nobody named: 1 if it could be marked, else 0 and *err. */
int migrate_can_mark(Store *s, Err *err);

/* The version that llm_meta says; 0 where there is no such table. */
int store_version(Store *s, long long *version, Err *err);

#endif
