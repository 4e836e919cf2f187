/*
** Making a store's tables and views, and bringing those of earlier versions up to date.
*/
#ifndef LLMCOST_MIGRATE_H
#define LLMCOST_MIGRATE_H

#include "store/db/store.h"

/* The version of the stores that this build makes. */
int migrate_newest(void);

/* RC_OK, or for a version that is newer than ours an error that says so. */
int migrate_check_version(const Store *s, long long version, Err *err);

/* Makes or migrates what is not of our version, and the views where they are not this build's, in one transaction;
** and marks what was made or adopted. What comes out is compared with what we make; where it differs, nothing was
** changed. */
int migrate_run(Store *s, Err *err);

/* Before a file is made that nobody named: 1 if it could be marked, else 0 and *err. */
int migrate_can_mark(Store *s, Err *err);

/* The version that llm_meta says; 0 where there is no such table. */
int store_version(Store *s, long long *version, Err *err);

#endif
