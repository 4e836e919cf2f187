/*
** The compiled-in table of effort (sql/effort.tsv): weights, and stems as a tree of characters.
*/
#ifndef LLMCOST_LEXICON_H
#define LLMCOST_LEXICON_H

#include "core/route/effort.h"

#include <stdint.h>

enum { LEXICON_STEMS = 512 }; /* at most; also the bits of `seen` */

typedef struct LexiconWeight {
  double weight, most; /* most: INFINITY where there is no cap */
} LexiconWeight;

typedef struct Lexicon {
  char version[16];
  LexiconWeight weights[EFFORT_PARTS];
  double x[2], score[2]; /* two points of the curve */
} Lexicon;

/* A stem that was met. */
typedef struct LexiconStem {
  int id; /* spellings of one stem share it; below LEXICON_STEMS */
  EffortFeature feature;
} LexiconStem;

/* A place in the tree. */
typedef int LexiconNode;
enum { LEXICON_ROOT = 0, LEXICON_NOWHERE = -1 };

/* The weights; read at first use, from any thread. Static. */
const Lexicon *lexicon(void);

/* One character further (folded; a line break as a blank); LEXICON_NOWHERE where no stem goes on so. */
LexiconNode lexicon_step(LexiconNode at, int32_t c);

/* The stem that ends there, or NULL. */
const LexiconStem *lexicon_stem(LexiconNode at);

#endif
