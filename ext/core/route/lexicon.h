/*
** The compiled-in table of effort (sql/effort.tsv): weights, and stems as a tree of characters.
*/
#ifndef LLMCOST_LEXICON_H
#define LLMCOST_LEXICON_H

#include "core/route/features.h"

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

/* A stem met at the begin of some text. */
typedef struct LexiconMatch {
  const LexiconStem *stem;
  int n; /* its characters */
} LexiconMatch;
enum { LEXICON_MATCHES = 8 }; /* stems of which each begins with the one before */

/* The weights; read at first use, from any thread. Static. */
const Lexicon *lexicon(void);

/* The stems that n folded characters begin with (a line break is a blank), shortest first; their number. lexicon() was called
** before. */
int lexicon_match(const int32_t *chars, int n, LexiconMatch out[LEXICON_MATCHES]);

#endif
