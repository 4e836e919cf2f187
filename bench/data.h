/*
** Synthetic embeddings for benchmarks and tests: what a semantic cache sees.
**
** n vectors in n / 25 intents (50 … 20,000) of Zipf-like popularity; paraphrases of an intent have
** pair cosines of 0.80 … 0.97; intents gather in topics around a common mean; the spectra decay;
** all of it is turned so that no coordinate is special. The isotropic kind has no structure at all,
** the worst case. The same arguments give the same data.
*/
#ifndef LLMCOST_BENCH_DATA_H
#define LLMCOST_BENCH_DATA_H

#include <stddef.h>
#include <stdint.h>

typedef enum DataKind { DATA_CLUSTERED, DATA_ISOTROPIC } DataKind;

typedef struct Data {
  int dim;
  size_t n;
  float *vectors;    /* n * dim, unit vectors */
  uint32_t *intents; /* n: which of the intents each belongs to; isotropic: 0 */
  struct World *world;
} Data;

/* NULL without memory. Freed with data_free. */
Data *data_make(DataKind kind, int dim, size_t n, uint64_t seed);
void data_free(Data *data);

/* A unit vector at this cosine from vector i, in a random direction of the data's own kind. */
void data_near(Data *data, size_t i, double cosine, float *out);

/* A unit vector of the same world that no vector was made from: a new intent, or a far paraphrase.
** */
void data_novel(Data *data, float *out);

uint64_t data_random(Data *data); /* 64 random bits */

#endif
