/*
** The features of apparent effort: see effort.h.
*/
#ifndef LLMCOST_FEATURES_H
#define LLMCOST_FEATURES_H

/* The features, in the order of their parts: the name in sql/effort.tsv. */
#define EFFORT_FEATURES(X)                                                                         \
  X(EFFORT_BASE, "base")                                                                           \
  X(EFFORT_PROOF, "proof")                                                                         \
  X(EFFORT_DEEP, "deep")                                                                           \
  X(EFFORT_WORK, "work")                                                                           \
  X(EFFORT_CONSTRAINT, "constraint")                                                               \
  X(EFFORT_EASY, "easy")                                                                           \
  X(EFFORT_FAQ, "faq")                                                                             \
  X(EFFORT_WORDS, "words")                                                                         \
  X(EFFORT_NUMBERS, "numbers")                                                                     \
  X(EFFORT_QUESTIONS, "questions")                                                                 \
  X(EFFORT_SENTENCES, "sentences")                                                                 \
  X(EFFORT_CODE, "code")                                                                           \
  X(EFFORT_FORMULA, "formula")                                                                     \
  X(EFFORT_LONG_WORDS, "long_words")

typedef enum EffortFeature {
#define EFFORT_ID(id, name) id,
  EFFORT_FEATURES(EFFORT_ID)
#undef EFFORT_ID
      EFFORT_PARTS
} EffortFeature;

#endif
