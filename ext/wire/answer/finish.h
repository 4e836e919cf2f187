/*
** What ended an answer: a provider's word for it, and which of four classes that means.
**
** Providers have more than eighty words for it, and gateways pass on each other's. A word is looked up without its case, its
** punctuation and what stands behind a colon ("content_filter: SAFETY"); one that nobody knows, or none at all,
** is FINISH_UNKNOWN: the answer counts as complete if all else about it is sound, and is listed.
*/
#ifndef LLMCOST_FINISH_H
#define LLMCOST_FINISH_H

/* As llm_calls.ended has them. */
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

/* 1 if the word says that the answer hands over to a tool. */
int finish_is_tool(const char *word);

/* A class by its name. Static storage. */
const char *finish_name(Finish finish);

/* The i-th word that is known, and its class; NULL past the end. */
const char *finish_word_at(int i, Finish *finish);

#endif
