/*
** What ended an answer: a provider's word for it, and which of four classes that means.
**
** Providers have more than a hundred words for it, and gateways pass on each other's. A word is looked up without its case, its
** punctuation, what stands behind a colon ("content_filter: SAFETY") and the name of an enumeration in front
** (FinishReason.STOP, ALTERNATIVE_STATUS_FINAL); of one that is not listed a stem tells ("kv_cache_limit_hit"). One that says
** nothing that we know, or none at all, is FINISH_UNKNOWN: the answer counts as complete if all else about it is sound, and is
** listed.
*/
#ifndef LLMCOST_FINISH_H
#define LLMCOST_FINISH_H

/* As llm_calls.ended has them; the worse, the further down (finish_worst). */
#define FINISHES(X)                                                                                \
  X(FINISH_UNKNOWN, "unknown")   /* no word, or one that nobody knows */                           \
  X(FINISH_COMPLETE, "complete") /* it may be cached */                                            \
  X(FINISH_CUT_OFF, "cut_off")   /* the same request would be cut off again */                     \
  X(FINISH_FILTERED, "filtered") /* refused, by the model or by a filter: no answer */             \
  X(FINISH_FAILED, "failed")     /* the generation broke: no answer, and another may come */

typedef enum Finish {
#define NAME(id, word) id,
  FINISHES(NAME)
#undef NAME
} Finish;

/* The class of a provider's word; NULL is FINISH_UNKNOWN. */
Finish finish_of(const char *word);

/* 1 if it is one of the words that we know as a whole, and so can't be anything that a stranger put there. */
int finish_is_listed(const char *word);

/* Of two classes of one answer the one to go by. Any word counts for more than none; what can't be used at all for more than what
** was cut off; and a failure, after which another attempt may bring an answer, for the most. */
Finish finish_worst(Finish a, Finish b);

/* 1 if the word says that the answer hands over to a tool. */
int finish_is_tool(const char *word);

/* A class by its name. Static storage. */
const char *finish_name(Finish finish);

/* The i-th word that is known, and its class; NULL past the end. */
const char *finish_word_at(int i, Finish *finish);

#endif
