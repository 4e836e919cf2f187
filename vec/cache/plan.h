/*
** How a query on a semantic_cache is answered: which conditions are part of the search.
*/
#ifndef LLMCOST_CACHE_PLAN_H
#define LLMCOST_CACHE_PLAN_H

#include "vec/cache/match/match.h"

/* What idxNum holds: a sum of these. */
typedef enum Plan {
  P_MATCH = 1,
  P_ROWID = 2,
  P_PROMPT = 4,
  P_SCOPE = 8,
  P_TAG = 16,
  P_MODEL = 32,
  P_THRESHOLD = 64,
  P_K = 128,
  P_VERIFY = 256,
  P_LIMIT = 512,
  P_BOUND = 1024,
  P_USER = 2048,
  P_FLAGS = 12,       /* bits that have a value */
  P_PROMPT_IS = 4096, /* compared with IS: NULL is the partition without a prompt, else nothing */
  P_SCOPE_IS = 8192,
  P_EXPLAINS = 16384 /* policy or why is read */
} Plan;

int plan_best_index(sqlite3_vtab *base, sqlite3_index_info *info);

/* The arguments of xFilter by their bit; NULL where there is none. Those of the conditions of idxStr stand behind them:
** returns how many stand in front. */
int plan_spread(int bits, sqlite3_value **argv, sqlite3_value *by_bit[P_FLAGS]);
sqlite3_value *plan_value(sqlite3_value *const by_bit[P_FLAGS], Plan bit);

/* Reads the conditions on tag and model that idxStr names, their values from argv. Returns how many. */
int plan_conditions(const char *text, sqlite3_value **argv, Condition out[CONDITIONS_MOST]);

#endif
