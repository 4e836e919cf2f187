/*
** Answers, compared: what is the same by text or by JSON value has one key.
*/
#ifndef LLMCOST_CACHE_ANSWER_H
#define LLMCOST_CACHE_ANSWER_H

#include "base/hash.h"
#include "vec/cache/state/table.h"

/* The key of an answer: of a JSON object or array by its value (members in any order, 1 is 1.0), of a short text by
** its normal form without case and a full stop, of another by its normal form, of a BLOB by its bytes. Returns err->rc. */
int answer_key(sqlite3_value *v, Hash *key, Err *err);

#endif
