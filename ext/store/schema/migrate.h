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

/* In llm_meta: when a store was made in a file that held nothing, though its database was in use; and what that means. */
#define MIGRATE_BARE "began_bare"
#define MIGRATE_BARE_TEXT                                                                          \
  "began empty beside a database that was in use, in a file of one page: so looks a copy that was" \
  " made without its -wal file. What it lacks is paid again: close the connections of the "        \
  "original,"                                                                                      \
  " or use .backup or VACUUM INTO, and copy it once more"

/* When that was, Unix ms; 0: it was not. */
int migrate_began_bare(Store *s, long long *ms, Err *err);

/* The version that llm_meta says; 0 where there is no such table. */
int store_version(Store *s, long long *version, Err *err);

#endif
