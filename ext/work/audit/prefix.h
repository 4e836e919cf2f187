/*
** llm_prefix_cache: what providers' prefix caches gave and took, by tag, model, provider and who had the prefix kept.
**
** What reads saved is what the same call would have cost had these tokens been plain input; what writes lost is what it would
** have cost less had those been. Both at the call's own prices, service and time, so that gained - lost is what the call would
** have cost without the cache, less what it did by its prices.
**
** Lifetimes are tried on the times at which calls with the same prefix (system prompt) really came: a prefix is written where
** the last one is longer ago than it lives, else read (which begins its life anew). Its tokens are those of the system prompt
** as llm_tokens counts. A prefix shorter than the model's provider keeps is plain input whatever one chooses.
*/
#ifndef LLMCOST_WORK_PREFIX_H
#define LLMCOST_WORK_PREFIX_H

#include "base/hash.h"
#include "work/audit/counted.h"
#include "base/tables/groups.h"

/* X(id, word): who had a prefix kept. */
#define PREFIX_OWNERS(X)                                                                           \
  X(OURS, "ours")     /* a mark of ours: option prompt_cache */                                    \
  X(CALLER, "caller") /* a mark of the caller's, where the provider keeps only what is marked */   \
  X(PROVIDER, "provider") /* the provider by itself; or an attempt that failed over */

typedef enum PrefixOwner {
#define PREFIX_OWNER_ID(id, word) PREFIX_##id,
  PREFIX_OWNERS(PREFIX_OWNER_ID)
#undef PREFIX_OWNER_ID
      PREFIX_OWNER_COUNT
} PrefixOwner;

const char *prefix_owner_word(PrefixOwner owner);

/* Whose prefix a row's was, or would have been. */
PrefixOwner prefix_owner(const AuditRow *row);

enum { PREFIX_MISSES = 12 }; /* words of one line; providers have eleven */

/* A line. Texts are borrowed from the result; LEDGER_NULL: nobody says. */
typedef struct PrefixLine {
  const char *tag, *model, *provider, *owner, *billed;
  long long calls, eligible, hits; /* eligible: long enough for the cache, or it was used */
  long long input_tokens, cached_input_tokens, cache_write_tokens, cache_write_long_tokens;
  double hit_percent; /* hits of eligible; NAN */
  long long
      min_tokens; /* the shortest prefix that is kept, at the last call: as is known, or shorter where shorter ones were written */
  long long least_written; /* of those; 0: none was */
  long long gained_nusd, lost_nusd,
      net_nusd; /* LLONG_MIN: nobody says of any that used the cache */
  long long priced,
      unpriced; /* calls that used the cache; those of which nobody says what that came to are in no sum */
  double paid_nusd, listed_nusd; /* what calls cost whose list price the ledger states, and that */
  double cost_nusd;              /* what all calls cost */
  long long first, within_5m, within_1h,
      later; /* calls by how long ago the last with that prefix was */
  long long none_nusd, five_minutes_nusd, hour_nusd; /* the prefixes' cost by their lifetime */
  const char *best_ttl;                              /* "none", "5m", "1h"; NULL */
  char system[HASH_HEX_SIZE],
      system_before
          [HASH_HEX_SIZE]; /* its latest system prompt, and the latest other one; "": none */
  const char *
      misses; /* why the cache did not read, in providers' words with their numbers; NULL: none was told */
  struct PrefixMiss {
    const char *word;
    long long n;
  } miss[PREFIX_MISSES];
  struct PrefixTrial {
    Cost cost[3];
    int is_unsold[3], is_unknown, is_any; /* unsold: at that lifetime, to one of them */
  } trial;
  long long min_day; /* 1 + the day that min_tokens is of */
} PrefixLine;

/* The lines of the ledger's calls in `ask`, sorted, in *lines (groups_free). RC_OK or *err. */
int prefix_read(Conn *conn, const AuditAsk *ask, Groups *lines, Err *err);

#endif
