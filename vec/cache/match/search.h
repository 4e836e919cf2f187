/*
** A search under way in one partition: the question, what the index proposes, and what is known of an entry.
*/
#ifndef LLMCOST_CACHE_SEARCH_H
#define LLMCOST_CACHE_SEARCH_H

#include "vec/cache/match/query.h"

enum { MOST_VETOES = 8 };

/* `skip` holds the entries that it will not hear of again. */
typedef struct Search {
  CacheTable *table;
  const MatchQuery *q;
  Partition *partition;
  const void *vector;
  RowSource rows;
  int64_t now; /* what expired by then is not found */
  int64_t skip[MOST_VETOES + 1];
  int has_asked_second, has_near_miss;
} Search;

void search_skip(Search *s, int64_t id);

/* Up to k entries with cosine >= lowest, best first. Returns err->rc. */
int search_nearest(Search *s, double lowest, int k, VecHit *hits, int *n, Err *err);

/* A row's texts, borrowed from its statement until the next read. */
typedef struct Entry {
  sqlite3_stmt *stmt;
  const char *query; /* NULL: none */
  size_t n_query;
} Entry;

/* The response is column ENTRY_RESPONSE of its statement, and so on. */
enum {
  ENTRY_RESPONSE = 2,
  ENTRY_SECOND = 3,
  ENTRY_EXPIRES = 4,
  ENTRY_MODEL = 5,
  ENTRY_TAG = 6,
  ENTRY_ASKER = 7
};

/* 1 found (reset its statement afterwards), 0 gone, -1 error. */
int search_read(CacheTable *t, int64_t id, Entry *e, Err *err);

typedef enum Allowed {
  ALLOWED_ERROR = -1,
  ALLOWED_NOT,
  ALLOWED,
  ALLOWED_IF_TAUGHT /* all that the guard objects to is a telling word: those who judged its answers know better */
} Allowed;

/* Whether an entry found at this cosine has not expired and neither feedback nor the guard is against it. `why` (NULL: not
** wanted) says what is. */
Allowed search_allows(Search *s, const VecHit *hit, char why[WHY_SIZE], Err *err);

/* The cosine of the question and an entry by the confirming embedder; NAN where there is none. */
double search_second(Search *s, int64_t id, Err *err);

/* Says which condition on tag or model an entry does not meet: "tag: v2". Returns err->rc; "" where it meets all. */
int search_condition(Search *s, int64_t id, char why[WHY_SIZE], Err *err);

/* The cosine from which a match is a hit where a threshold decides. */
double search_threshold(const Search *s);
/* 1 if somebody chose it: an argument of the table, or of this lookup. */
int search_has_threshold(const Search *s);

/* Gives a match its why; "" is none. Returns err->rc. */
int search_why(Match *m, const char *why, Err *err);

/* Keeps why the first entry of a lookup that might have been served was not. The evidence's similarity is the entry's. */
int search_near_miss(Search *s, int64_t id, const Evidence *evidence, const char *why, Err *err);
/* The same where a cosine is all that is known. */
int search_near(Search *s, const VecHit *hit, const char *why, Err *err);

#endif
