/*
** The store's views, sql/views.sql and sql/cost_views.sql: plain SQL over its tables, made again whenever their text is another.
**
** A view is no data, so its change needs no version. llm_meta notes under 'views' which ones a store has: the hash of
** the text that made them, and their names. Where that is not the note of this build, all views that it names and all
** that are called like ours are dropped, and ours are made. Builds of one version that differ in their views can so
** use a store by turns; each finds its own.
**
** Those of costs are there for other tools that open a store's file; our own connections read their text with periods
** and time zones put into it (tables/cost_table.c). In main mode they would stand before our table of that name, so
** that they are not made there.
*/
#ifndef LLMCOST_VIEWS_H
#define LLMCOST_VIEWS_H

#include "store/db/store.h"

/* The note of this build's views. */
const char *views_note(void);

/* 1 if the note (NULL: none) has that name among its views. */
int views_names(const char *note, const char *name, size_t n);

/* The SELECT of a view of costs, its bytes in *length; NULL where that is none. */
const char *views_of_costs(const char *name, size_t n, size_t *length);

/* The note of the store in that schema, owned (sqlite3_free); NULL where it has none. An SQLite code. */
int views_read_note(sqlite3 *db, const char *schema, char **note);

/* 1 if the store has this build's views, 0 if not; -1 error. */
int views_are_ours(Store *s, Err *err);

/* Inside a transaction: drops what stands in the place of ours and what another build made; and makes ours. */
int views_drop(Store *s, Err *err);
int views_make(Store *s, Err *err);

#endif
