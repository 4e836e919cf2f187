/*
** What stands behind a model's name: a snapshot's day, a window, an effort, a service, a seller's variant.
** Compiled in from sql/suffixes.tsv. What is not in that table makes another model of a name.
*/
#ifndef LLMCOST_SUFFIX_H
#define LLMCOST_SUFFIX_H

#include <stddef.h>

typedef enum SuffixMeans {
  SUFFIX_SAME,     /* may be left out of any name */
  SUFFIX_REVISION, /* may be left out where a price list says so by a '*' */
  SUFFIX_SERVICE,  /* the model at another service's price: `word` */
  SUFFIX_SELLER    /* only the provider `word` writes names so */
} SuffixMeans;

typedef struct Suffix {
  const char *pattern; /* a GLOB */
  const char *of;      /* GLOBs of the name before it; "": of any */
  SuffixMeans means;
  const char *word;
} Suffix;

/* What the first n bytes of a name (lower case) end with, and in *base their length without it; NULL
** where the table knows nothing there. */
const Suffix *suffix_of(const char *name, size_t n, size_t *base);

#endif
