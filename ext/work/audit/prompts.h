/*
** How prompts change over time: conversations that grow with each turn (llm_conversations), and the versions of a tag's system
** prompt (llm_system_prompts).
**
** A conversation's turn is a request: its retries and the judges of its answer belong to it. Input beyond that of the first turn
** is what the conversation carries along; it cost its share of what that call's input really cost, so what was read from a
** cache counts as cheap as it was.
**
** A system prompt is what a request begins with. So of its tokens the first are those that were read from the provider's cache,
** the next those that were written to it, the rest plain input.
*/
#ifndef LLMCOST_WORK_PROMPTS_H
#define LLMCOST_WORK_PROMPTS_H

#include "work/audit/counted.h"
#include "base/tables/groups.h"

/* A conversation. Texts are borrowed from the result; LEDGER_NULL and NAN: nobody says. */
typedef struct Conversation {
  /* Two users' that share a name are two. tag: of its first turn. */
  const char *conversation, *tag, *user, *billed;
  long long turns, calls, hits; /* requests; those sent, with retries; answered by a cache */
  long long first_ts, last_ts;
  long long first_input_tokens, last_input_tokens; /* of the first and last turn that says them */
  double mean_input_tokens;
  double slope; /* input tokens a turn, least squares over the number of the turn; NAN with one */
  long long cost_nusd, inflated_nusd;
  double growth_percent; /* inflated_nusd of cost_nusd; NAN */
  long long unpriced;    /* calls whose cost is not known, or not that of their input: in no sum */
  struct ConversationSums {
    double n, x, y, xx, xy;
    unsigned long long request; /* the hash of the last turn's */
    long long last_input;       /* what it added to the sums; LEDGER_NULL: nothing */
    long long costed, inflated;
  } sums;
} Conversation;

/* Those of the ledger's rows in `ask`, the oldest first, in *all (groups_free). RC_OK or *err. */
int conversations_read(Conn *conn, const AuditAsk *ask, Groups *all, Err *err);

/* A version of a tag's system prompt: one text. */
typedef struct SystemPrompt {
  const char *tag, *system_hash;
  long long version; /* from 1, by first use */
  long long first_ts, last_ts, calls;
  long long tokens;        /* as counted for its last call that says so */
  long long grown_by;      /* against the version before */
  const char *before;      /* that one's system_hash; NULL: the first */
  long long cost_nusd;     /* what these tokens cost in all its calls */
  double usd_per_day;      /* over the days from its first to its last use, at least one */
  long long unpriced;      /* calls for which nobody says: not in cost_nusd */
  double changes_per_week; /* of the tag: versions after the first, over its weeks, at least one */
  long long
      is_volatile; /* of the tag: new versions in most of its last weeks (up to 4, at least 2) */
  Cost cost;
  long long priced;
} SystemPrompt;

/* Those of the ledger's own calls in `ask`, by tag and version, in *all (groups_free). What is at list prices is not among
** them. RC_OK or *err. */
int system_prompts_read(Conn *conn, const AuditAsk *ask, Groups *all, Err *err);

/* How much of two texts is the same from their front, in bytes, whole characters; and from the second what stands around that
** place: some 60 characters, owned (sqlite3_free); NULL without memory. */
size_t prompts_first_change(const char *before, const char *text);
char *prompts_around(const char *text, size_t at);

#endif
