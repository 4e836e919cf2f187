/*
** What a record of somebody's usage log says: a call, or a sum over a period.
**
** Every format is read into these; what is done with them (work/import.c) knows no format.
**
** Identity. `key` names a call over all files of its format (a message's id, a span's id, …): the same call again, in a
** file that was resumed, forked or exported twice, has the same key. Two entries of one key are the same call, unless
** both have a `part`, the parts differ, and neither `is_copy`: then `part` belongs to the identity. Of several copies
** of one call the counts are those of the highest `rank` (of equal ones, of the first that came), the time is the
** earliest of all, and a copy never goes before the original. A sum has no identity of its own: a bucket (source,
** from, to) is replaced as a whole.
*/
#ifndef LLMCOST_LOG_ENTRY_H
#define LLMCOST_LOG_ENTRY_H

#include "core/usage/usage.h"

typedef enum LogWhat { LOG_CALL, LOG_SUM } LogWhat;

/* What became of a call; the ledger's kinds that a log can tell. */
typedef enum LogKind { LOG_ANSWERED, LOG_BATCH, LOG_EMBED, LOG_HIT, LOG_HIT_SEMANTIC } LogKind;

/* Who says what it cost: `paid`, or nobody, because a subscription or a local agent says no price: `list`. */
typedef enum LogBilled { LOG_PAID, LOG_LIST } LogBilled;

enum { LOG_UNKNOWN = -1 }; /* of counts and money: not said */

/* Texts are borrowed until it was taken; NULL: not said. Times are Unix ms, UTC. Who is named by an e-mail or an IP address has a
** name made from its hash ("person-…"). */
typedef struct LogEntry {
  LogWhat what;
  long long ts; /* of a call: when it began, as far as the log tells; of a sum: from */
  long long to; /* of a sum: until, exclusive; of a call: ts */

  /* identity, of a call */
  const char *key; /* NULL: it has none; the record's own bytes are its identity then */
  const char *part;
  int is_copy;
  long long rank;
  /* What it belongs to (a trace): a sum with a group counts only if no call of that group is known. NULL: none. */
  const char *group;

  LogKind kind;
  LogBilled billed;
  const char *provider;        /* as the log calls it */
  const char *model;           /* as the answer names it */
  const char *model_requested; /* as it was asked for */
  const char *tag, *user, *conversation;
  const char *error; /* a word or code of what went wrong, no text of a person's; NULL: nothing */
  const char *finish_reason;
  const char *request_id;            /* the provider's */
  long long latency_ms, http_status; /* LOG_UNKNOWN */
  /* of our own log, beside the above: as the columns of llm_calls. `logical`: the request that several attempts share */
  const char *logical, *system_hash, *prompt_hash, *retry_reason, *purpose, *tier, *tier_drawn,
      *tier_served, *cache_miss;
  long long attempt, turn, system_tokens, history_tokens; /* LOG_UNKNOWN */
  double route_score;                                     /* NAN */
  /* Its input is all of it, cached and written included; has 0: not said. reported_nusd: what the log states. */
  Usage usage;
  long long saved_nusd; /* of a hit; LOG_UNKNOWN */

  /* of a sum, beside the above */
  const char *item; /* a kind of tokens ("input", "cache_read", …), or the seller's words */
  const char *project, *api_key;
  long long requests;               /* LOG_UNKNOWN */
  double quantity;                  /* NAN: not said */
  const char *unit;                 /* of the quantity */
  long long amount_nusd, list_nusd; /* LOG_UNKNOWN */
  /* Of several sources of the same money, or usage, of a provider and period the lowest counts. */
  int precedence;
  const char *record; /* its bytes: what a file says twice in the same bytes is one */
  size_t n_record;
  const char *self, *parent; /* in its group: what it is, and whose part; NULL: not said */
} LogEntry;

/* An entry of which nothing is said. */
void log_entry_init(LogEntry *entry, LogWhat what);

/* Takes an entry; sets *err to end the reading. */
typedef void (*LogTake)(void *arg, const LogEntry *entry, Err *err);

#endif
