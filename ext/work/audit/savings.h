/*
** llm_savings: what was saved, each against a baseline that is stated, and all of it adding up to what was spent.
**
** Of each call the same tokens are priced again under terms that change one after the other, in this order:
**
**   baseline   at the dearest model of llm_tiers where the model was chosen ('auto'), else at the model that was named; without
**              the provider's cache; as a standard request
**   pruning    the same without the history that was not sent (option and setting `prune`), read from the provider's cache: it had been
**              sent with the turn before. Where the model has no price for that, as plain input. Our count of it, scaled by what was
**              billed for the rest. Calls for summaries count against it
**   routing    the same at the model that answered
**   batch, service   the same in the service it was sold in
**   prefix     the same with what was read from the provider's cache and written to it: what it comes to by its prices
**   prices     what the ledger says it cost
**
** Each saving is a step's difference, signed: baseline - savings = spend, to the nano-dollar. A hit is a request of its
** own: its baseline is what it would have cost (saved_nusd). A call that is there only because of routing (an answer that did
** not pass before the tier was raised, a judge's opinion, an audit) has a baseline of 0: all of it counts against routing.
**
** Forms (forms.h) stand in front of these steps: what the call would have cost more had its prompt been answered in prose
** (`structured`), at length (`brevity`), or been asked with examples (`zero_shot`), as the same prompt was, of the same model: it is added to
** the baseline, and saved. Both are priced in the call's own service and, as the baseline is, with all of the input as plain input. Of the
** tokens that it did not have none is of a kind (reasoning, audio); where it would have had fewer, each kind has its share of these. An
** attempt that the schema refused has a baseline of 0: all of it counts against `structured`; one that failed for another reason would have
** failed in any form.
**
** Split by day, tag or model (that of the answer, by its plain name, as sums have it) each row counts in the split of its own
** values: so each split is whole, and all together are what it says without. What depends on other rows (superseded answers,
** forms) is found as it is without; forms in the whole ledger, also where a part of it is asked for.
*/
#ifndef LLMCOST_WORK_SAVINGS_H
#define LLMCOST_WORK_SAVINGS_H

#include "base/tables/groups.h"
#include "base/text/spec.h"
#include "conn/conn.h"
#include "core/price/zone.h"
#include "store/audit/audit.h"

/* X(id, word, whose prefix, the baseline in words) */
#define SAVINGS(X)                                                                                 \
  X(BASELINE, "baseline", NULL,                                                                    \
    "every request sent: routed ones at the dearest model of llm_tiers, others at the model that " \
    "was named, uncached, standard service; hits at what they would have cost")                    \
  X(STRUCTURED, "structured", NULL,                                                                \
    "the same prompt, asked of the same model without a schema, under the same system prompt: "    \
    "its output tokens")                                                                           \
  X(BREVITY, "brevity", NULL,                                                                      \
    "the same prompt, asked of the same model under the same system prompt without its words "     \
    "about brevity: its output tokens")                                                            \
  X(ZERO_SHOT, "zero_shot", NULL,                                                                  \
    "the same prompt, asked of the same model under the same system prompt with examples: its "    \
    "input tokens, as plain input")                                                                \
  X(PRUNING, "pruning", NULL,                                                                      \
    "the same call with the history that was not sent, read from the provider's cache; calls for " \
    "summaries count against it")                                                                  \
  X(ROUTING, "routing", NULL,                                                                      \
    "the dearest model of llm_tiers at the call's own tokens, for calls whose model was chosen; "  \
    "answers that did not pass, judges and audits count against it")                               \
  X(BATCH, "batch", NULL, "the same call in the standard service, uncached")                       \
  X(SERVICE, "service", NULL,                                                                      \
    "the same call in the standard service, uncached (flex, priority, fast)")                      \
  X(PREFIX_OURS, "prefix", "ours",                                                                 \
    "the same call with all of its input as plain input: option prompt_cache marked its prefix")   \
  X(PREFIX_CALLER, "prefix", "caller",                                                             \
    "the same call with all of its input as plain input: the caller's own marks")                  \
  X(PREFIX_PROVIDER, "prefix", "provider",                                                         \
    "the same call with all of its input as plain input: the provider caches by itself")           \
  X(EXACT, "exact", NULL, "what the answer cost when it was bought")                               \
  X(SEMANTIC, "semantic", NULL, "what the answer cost when it was bought")                         \
  X(PRICES, "prices", NULL,                                                                        \
    "the same call by the prices of its time as they are known now; the ledger says another cost") \
  X(SPEND, "spend", NULL, "what the ledger says")

typedef enum SavingId {
#define SAVING_ID(id, word, who, baseline) SAVING_##id,
  SAVINGS(SAVING_ID)
#undef SAVING_ID
      SAVING_COUNT
} SavingId;

/* What savings are split by, in the order of its columns: X(id, word) */
#define SAVING_DIMENSIONS(X)                                                                       \
  X(SAVING_DAY, "day")                                                                             \
  X(SAVING_TAG, "tag")                                                                             \
  X(SAVING_MODEL, "model")

typedef enum SavingDimension {
  SAVING_DIMENSIONS(SPEC_AS_ID) SAVING_DIMENSION_COUNT
} SavingDimension;

typedef struct SavingsAsk {
  AuditAsk rows;
  unsigned by; /* 1 << SAVING_DAY, …: a split for each combination of their values; 0: one */
  Zone zone;   /* whose days they are */
} SavingsAsk;

typedef struct SavingLine {
  const char *of[SAVING_DIMENSION_COUNT]; /* NULL: not asked for, or its calls have none */
  const char *saving, *who, *billed, *baseline;
  long long calls;    /* rows that it is about */
  long long nusd;     /* saved; of baseline and spend: what they come to */
  double share;       /* of the baseline of the same split and `billed`; NAN where that is 0 */
  long long unpriced; /* rows for which it could not be computed: nothing of them is in it */
} SavingLine;

/* By day, tag and model, none first; paid before list; in the order of SAVINGS. */
typedef struct Savings {
  Groups splits; /* whose texts the lines borrow */
  SavingLine *lines;
  int n; /* by nothing: all of SAVINGS, and those at list prices only where there are any; else those that are about a row */
} Savings;

/* RC_OK or *err; savings_free in any case. */
int savings_read(Conn *conn, const SavingsAsk *ask, Savings *savings, Err *err);
void savings_free(Savings *savings);

#endif
