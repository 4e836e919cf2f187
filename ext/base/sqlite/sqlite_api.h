/*
** SQLite as an extension sees it: through the API table where we are loaded, directly where we are
** linked.
*/
#ifndef LLMCOST_SQLITE_API_H
#define LLMCOST_SQLITE_API_H

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Constants newer than the 3.40 headers we build against. */
#ifndef SQLITE_RESULT_SUBTYPE
#define SQLITE_RESULT_SUBTYPE 0x001000000
#endif

#endif
