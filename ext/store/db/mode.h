/*
** The two places a store can lie. Each table's file tells the whole of its story.
*/
#ifndef LLMCOST_MODE_H
#define LLMCOST_MODE_H

#include "store/db/store.h"

/* A file of its own: what was paid stays, whatever becomes of the caller's transaction. */
extern const StoreMode mode_file;

/* The caller's database: rows are the caller's own data, and follow the caller's transaction. */
extern const StoreMode mode_main;

#endif
