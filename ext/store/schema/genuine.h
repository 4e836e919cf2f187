/*
** Is this really a store of ours? Its schema must be exactly the one that we make, and it must carry the
** mark of this installation (trust/mark.h).
**
** A trigger, a view in the place of a table, a generated column or an index over an expression would run
** somebody's SQL while we read and write. So the objects are compared, at every opening, with those of a
** database in memory that was just made by our own statements: texts but for comments, blanks and case. What another
** version or another build has made otherwise is let pass just so far as to be brought up to date (GenuineAge).
*/
#ifndef LLMCOST_GENUINE_H
#define LLMCOST_GENUINE_H

#include "store/db/store.h"

enum { GENUINE_ID_SIZE = 64 }; /* of a store's id with its NUL */

/* The first version whose stores carry marks. */
enum { GENUINE_MARKS_SINCE = 4 };

typedef enum GenuineScope {
  GENUINE_FILE, /* the schema holds nothing but a store */
  GENUINE_TABLES /* a store's tables among the user's own: only what is called like ours is looked at,
                    and no trigger and no index of others may be on it */
} GenuineScope;

typedef enum GenuineAge {
  GENUINE_OURS,        /* every object is as this build makes it */
  GENUINE_OTHER_VIEWS, /* but views may be those of another build of this version, if llm_meta says so */
  GENUINE_OTHER_VERSION /* of another version: its objects may be fewer and other, but of our names and kinds (and
                           views that llm_meta names); only llm_meta and llm_marks, which are read first, are ours */
} GenuineAge;

/* A schema to be compared. Another build's views, and another version's objects, are passed for the moment only: they
** are dropped or brought up to date before anything reads them, and then compared with GENUINE_OURS. */
typedef struct GenuineAsk {
  sqlite3 *db;
  const char *schema;
  const char *what; /* names the store in messages */
  GenuineScope scope;
  GenuineAge age;
} GenuineAsk;

/* RC_OK if the schema's objects are ours; else an error that names the first one that is not, and the cure. */
int genuine_check(const GenuineAsk *ask, const StoreHost *host, Err *err);

/* The same for main of a store's connection. */
int genuine_check_store(Store *s, GenuineAge age, Err *err);

/* The version that llm_meta of that schema says, of a store that is marked; 0 for none. RC_OK or *err. */
int genuine_version(sqlite3 *db, const char *schema, long long *version, Err *err);

/* 1 if the schema has a mark of this installation (of this process, where it has no file), 0 if not, -1
** error. */
int genuine_is_marked(sqlite3 *db, const char *schema, Err *err);

/* Adds the mark of this installation; others stay. */
int genuine_mark(sqlite3 *db, const char *schema, Err *err);

#endif
