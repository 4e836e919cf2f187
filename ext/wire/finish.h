/*
** What ended an answer.
*/
#ifndef LLMCOST_FINISH_H
#define LLMCOST_FINISH_H

/* In our words, as llm_calls.finish_reason has them, and what follows from each. */
#define FINISHES(X)                                                                                \
  X(FINISH_OTHER, "other", 0)                                                                      \
  X(FINISH_STOP, "stop", FINISH_IS_COMPLETE)                                                       \
  X(FINISH_LENGTH, "length", FINISH_IS_CUT_OFF)                                                    \
  X(FINISH_TOOL_CALLS, "tool_calls", 0)                                                            \
  X(FINISH_CONTENT_FILTER, "content_filter", FINISH_IS_REFUSAL)                                    \
  X(FINISH_REFUSAL, "refusal", FINISH_IS_REFUSAL)

enum {
  FINISH_IS_COMPLETE = 1, /* it may be cached */
  FINISH_IS_CUT_OFF = 2,  /* the same request would be cut off again */
  FINISH_IS_REFUSAL = 4   /* no answer */
};

typedef enum Finish {
#define NAME(id, word, is) id,
  FINISHES(NAME)
#undef NAME
} Finish;

/* What a provider's word means; NULL and words that nobody knows are FINISH_OTHER. */
Finish finish_of(const char *word);

const char *finish_word(Finish finish); /* static storage */

/* 1 if that (FINISH_IS_…) follows from it. */
int finish_is(Finish finish, int what);

#endif
