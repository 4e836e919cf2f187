/*
** What others' logs say, in the ledger: imported calls, sums of a period, and the files they came from.
**
** Nothing is added twice. A call's key is a hash of its format and its own identity (core/logs/entry.h); the row of
** llm_import_keys says which row of the ledger it is, and outlives it. Of several copies the one that counts is chosen by
** an order that does not depend on which came first: an original before a copy, the higher rank, then by what they say;
** the time is the earliest of all.
**
** A sum has no identity: a bucket (format, from, to, and what it belongs to) is replaced as a whole.
**
** Ledger rows, keys, sums beside the ledger and the file's row are written in one transaction, which the caller begins and
** ends: what a kill leaves is whole.
*/
#ifndef LLMCOST_PAST_H
#define LLMCOST_PAST_H

#include "store/db/row.h"
#include "store/db/store.h"

typedef struct Past Past;

/* For the time of one import. Owned; NULL and *err. What is not ended is taken back. */
Past *past_new(Store *s, Err *err);
void past_free(Past *p);

/* Begins and ends a transaction (store_begin); `ok` 0, or an error in *err, takes back what was written. */
int past_begin(Past *p, Err *err);
int past_end(Past *p, int ok, Err *err);

/* The hash of some texts, each apart from the next: {format, "call", key}. NULL ends them. */
Hash past_hash(const char *const *texts);

/* ---- calls */

/* Texts are borrowed. */
typedef struct PastCall {
  Hash key;
  Hash part_key; /* of key and part, where it has a part */
  const char *part;
  int is_copy;
  long long rank;
  int has_group;
  Hash group;
  LedgerRow row; /* without id and request_id */
} PastCall;

typedef enum PastOutcome {
  PAST_ADDED,
  PAST_UPDATED, /* it was known, and says now what this one does */
  PAST_KNOWN
} PastOutcome;

/* What it did, and to the sums of costs: LEDGER_NULL counts 0. */
typedef struct PastEffect {
  PastOutcome outcome;
  long long cost_nusd, reported_nusd;
  int unpriced; /* 1, 0 or -1 */
  int dropped;  /* sums of its group, which counted until now */
} PastEffect;

/* Two that are not written yet: 1 if they are copies of one call beyond doubt (the same key, part and is_copy). And makes
** the first what both are together; its texts may be those of the second then. */
int past_are_same(const PastCall *a, const PastCall *b);
void past_merge(PastCall *into, const PastCall *call);

int past_put_call(Past *p, const PastCall *call, PastEffect *effect, Err *err);

/* ---- sums */

/* X(name, type) as in LEDGER_COLUMNS: what a sum says, beside source, period and what it belongs to. */
#define PAST_SUM_COLUMNS(X)                                                                        \
  X(provider, TEXT)                                                                                \
  X(model, TEXT)                                                                                   \
  X(model_plain, TEXT) /* model_name_plain */                                                      \
  X(service, TEXT)                                                                                 \
  X(geo, TEXT)                                                                                     \
  X(item, TEXT)                                                                                    \
  X(project, TEXT)                                                                                 \
  X(user, TEXT)                                                                                    \
  X(api_key, TEXT)                                                                                 \
  X(requests, INT)                                                                                 \
  X(input_tokens, INT)                                                                             \
  X(cached_input_tokens, INT)                                                                      \
  X(cache_write_tokens, INT)                                                                       \
  X(cache_write_long_tokens, INT)                                                                  \
  X(output_tokens, INT)                                                                            \
  X(reasoning_tokens, INT)                                                                         \
  X(quantity, REAL)                                                                                \
  X(unit, TEXT)                                                                                    \
  X(amount_nusd, INT)                                                                              \
  X(list_nusd, INT)

/* Texts are borrowed; NULL, LEDGER_NULL and NAN as in a LedgerRow. */
typedef struct PastSum {
  const char *source;
  long long from, to;
  int has_group; /* it belongs to a group: it counts only if no call of that is known */
  Hash group;
  int precedence;
  /* Not kept, but told by a file: what its record is; what it is itself and whose part (of the same group). */
  Hash record, self, parent;
  int has_self;
  double in; /* what its parts come to */
#define PAST_SUM_FIELD(name, type) ROW_C_##type name;
  PAST_SUM_COLUMNS(PAST_SUM_FIELD)
#undef PAST_SUM_FIELD
} PastSum;

/* In the order of buckets. */
int past_sum_compare(const PastSum *a, const PastSum *b);

typedef enum PastBucket {
  PAST_BUCKET_NEW,
  PAST_BUCKET_REPLACED,
  PAST_BUCKET_KEPT,   /* what was there says more, and stays */
  PAST_BUCKET_DROPPED /* calls of its group are known */
} PastBucket;

/* What a bucket comes to: its amounts where it has any, else its tokens. */
typedef struct PastTotal {
  long long rows, amounts;
  double nusd, tokens;
} PastTotal;

typedef struct PastBucketEffect {
  PastBucket outcome;
  int is_smaller; /* than what was there */
  PastTotal before, now;
} PastBucketEffect;

/* The n sums of one bucket in the place of what is known of it. One that got smaller stays as it was unless
** `replace_smaller`. */
int past_put_bucket(Past *p, const PastSum *sums, int n, int replace_smaller,
                    PastBucketEffect *effect, Err *err);

/* Sums stand in sums: the hours of a day that was imported too, an agent's in a workflow's of the same trace. Of a sum and of what is
** within it the one that comes to more counts, and of equal ones what is within: the others stay, with a precedence of
** PAST_UNDER more, and views leave them out. To be called when the buckets of a period, or of a group, are written. */
#define PAST_UNDER 1000
#define PAST_UNDER_TEXT "1000"
int past_settle_nested(Past *p, const PastSum *period, Err *err);

/* ---- files */

typedef struct PastFile {
  const char *path, *format;
  long long size; /* -1: it was read in part */
  long long mtime, inode, offset, line;
  int has_hashes;
  Hash head, tail;
  const char *state;
} PastFile;

/* What is known of a path: 1 and *file, whose texts are borrowed until the next call; 0; -1 and *err. */
int past_get_file(Past *p, const char *path, PastFile *file, Err *err);
int past_put_file(Past *p, const PastFile *file, long long now, Err *err);

#endif
