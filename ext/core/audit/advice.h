/*
** What can be done about a bill: the rules, as data, and how they are ranked.
**
** A rule says what it costs to follow it (effort), what one expects of it (impact, a range of savings), and when it is
** worth while. The order is that in which teams do well to take them up: leaks first, then routing and caching by what
** was measured, batches, and only then a model of one's own. Rank is by dollars a month, weighted by the effort.
*/
#ifndef LLMCOST_ADVICE_H
#define LLMCOST_ADVICE_H

/* X(id, word, step, effort, impact, least, most, when): the step of the sequence at which one takes it up; of the spending that it is
** about it is expected to save from `least` to `most`; 0, 0: what is measured. */
#define ADVICES(X)                                                                                 \
  X(NONE, "none", 0, NO_EFFORT, "", 0, 0, "")                                                      \
  X(RETRIES, "stop a retry loop", 1, LOW_EFFORT, "medium", 0, 0, "always: a leak")                 \
  X(PREFIX, "keep the prefix stable", 1, LOW_EFFORT, "medium", 0, 0, "always: a leak")             \
  X(MARK_PREFIX, "mark the prefix", 1, LOW_EFFORT, "medium", 0, 0, "always: a leak")               \
  X(COMPRESS, "shorten the system prompt", 1, LOW_EFFORT, "medium", 0.2, 0.4, "always do first")   \
  X(LENGTH, "limit the length of answers", 1, LOW_EFFORT, "medium", 0.2, 0.6, "always: a leak")    \
  X(SUCCESSOR, "replace a dominated model", 1, LOW_EFFORT, "high", 0, 0,                           \
    "always: it costs more for less")                                                              \
  X(ROUTE, "route easy prompts", 2, MEDIUM_EFFORT, "very high", 0.6, 0.8,                          \
    "as soon as spending is material")                                                             \
  X(CACHE, "cache repeated questions", 3, LOW_EFFORT, "high", 0.1, 0.6, "when questions repeat")   \
  X(BATCH, "send it as a batch", 4, LOW_EFFORT, "medium", 0.5, 0.5,                                \
    "when nobody waits for the answer")                                                            \
  X(TUNE, "fine-tune a small model", 5, HIGH_EFFORT, "high", 0.7, 0.9,                             \
    "narrow task, much traffic, 500 examples")                                                     \
  X(SERVERLESS, "try an open model, serverless", 6, MEDIUM_EFFORT, "high", 0, 0,                   \
    "before machines of your own")                                                                 \
  X(HOST, "host an open model", 7, VERY_HIGH_EFFORT, "very high", 0.8, 0.95,                       \
    "above $5,000 a month, or where data may not leave")

typedef enum Advice {
#define ADVICE_ID(id, word, step, effort, impact, least, most, when) ADVICE_##id,
  ADVICES(ADVICE_ID)
#undef ADVICE_ID
      ADVICE_COUNT
} Advice;

/* X(id, word, weight): dollars count so much in the ranking. */
#define ADVICE_EFFORTS(X)                                                                          \
  X(NO, "", 1.0)                                                                                   \
  X(LOW, "low", 1.0)                                                                               \
  X(MEDIUM, "medium", 0.8)                                                                         \
  X(HIGH, "high", 0.4)                                                                             \
  X(VERY_HIGH, "very high", 0.2)

typedef enum AdviceEffort {
#define EFFORT_ID(id, word, weight) id##_EFFORT,
  ADVICE_EFFORTS(EFFORT_ID)
#undef EFFORT_ID
} AdviceEffort;

typedef struct AdviceRule {
  const char *word, *effort, *impact, *when;
  int step;
  double weight;      /* of its effort */
  double least, most; /* shares */
} AdviceRule;

AdviceRule advice_rule(Advice advice);

/* Whether work of that tag may wait, as far as its name tells: what people watch or wait for (chat, moderation, streaming) never; what is known to run
** by itself (backfills, summaries, evaluations) probably. */
typedef enum AdviceWait { WAIT_UNKNOWN, WAIT_NEVER, WAIT_PROBABLY } AdviceWait;

AdviceWait advice_may_wait(const char *tag);

/* The plain name of the model by which its maker replaced one, better and cheaper; NULL: none is known. */
const char *advice_successor(const char *plain_model);

#endif
