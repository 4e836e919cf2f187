/*
** See examples.h for the contract.
**
** As kept: a Header, then the labels, then the vectors. Numbers are this machine's: a store that was carried to one of
** another byte order has another magic, and is trained anew.
*/
#include "call/score/examples.h"

#include "store/scorers/scorers.h"
#include "vec/embed/static_embedder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x6c6d6578 };

typedef struct Header {
  unsigned magic;
  int n, dim;
  Learned learned;
} Header;

/* What hangs on the connection: the newest, as read. */
typedef struct Loaded {
  TrainedScorer kept;
} Loaded;

static void free_loaded(void *slot) {
  free(((Loaded *)slot)->kept.weights);
}

static const ConnSlot slot_type = {.size = sizeof(Loaded), .free = free_loaded};

static size_t size_of(int n, int dim) {
  return sizeof(Header) + (size_t)n * sizeof(double) + (size_t)n * (size_t)dim * sizeof(float);
}

void *examples_pack(const LearnExamples *x, const Learned *l, size_t *n, Err *err) {
  const Header h = {.magic = MAGIC, .n = x->n, .dim = x->dim, .learned = *l};
  *n = size_of(x->n, x->dim);
  char *bytes = calloc(1, *n);
  if (!bytes) {
    err_nomem(err);
    return NULL;
  }
  memcpy(bytes, &h, sizeof h);
  memcpy(bytes + sizeof h, x->labels, (size_t)x->n * sizeof *x->labels);
  memcpy(bytes + sizeof h + (size_t)x->n * sizeof *x->labels, x->vectors,
         (size_t)x->n * (size_t)x->dim * sizeof *x->vectors);
  return bytes;
}

/* 1 if the bytes are what examples_pack makes. */
static int unpack(const TrainedScorer *kept, Header *h, LearnExamples *x) {
  if (kept->n < sizeof *h) {
    return 0;
  }
  memcpy(h, kept->weights, sizeof *h);
  if (h->magic != MAGIC || h->n < 1 || h->n > LEARN_MOST || h->dim != STATIC_DIM ||
      kept->n != size_of(h->n, h->dim) || h->learned.k < 1 || h->learned.k > LEARN_MOST_K) {
    return 0;
  }
  const char *labels = (const char *)kept->weights + sizeof *h;
  *x = (LearnExamples){.labels = (const double *)(const void *)labels,
                       .vectors =
                           (const float *)(const void *)(labels + (size_t)h->n * sizeof(double)),
                       .n = h->n,
                       .dim = h->dim};
  return 1;
}

/* The newest; read again only when another one was trained. NULL and *err. */
static const TrainedScorer *load(Conn *conn, Store *store, Err *err) {
  Loaded *l = conn_slot(conn, &slot_type, err);
  char version[SCORER_VERSION] = "";
  int found = l && store ? scorers_version(store, EXAMPLES_NAME, version, err) : 0;
  if (found == 1 && (!l->kept.weights || strcmp(version, l->kept.version) != 0)) {
    free(l->kept.weights);
    l->kept.weights = NULL;
    found = scorers_get(store, EXAMPLES_NAME, &l->kept, err);
  }
  if (found == 0 && err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_CONFIG,
            "scorer 'examples' has learnt nothing yet: fill llm_route_examples, then SELECT"
            " llm_route_train('examples')");
  }
  return found == 1 && err->rc == RC_OK ? &l->kept : NULL;
}

int examples_score(Conn *conn, Store *store, const char *text, size_t n, double *score,
                   char version[24], Err *err) {
  float vector[STATIC_DIM];
  Header h;
  LearnExamples x;
  const TrainedScorer *kept = load(conn, store, err);
  if (!kept) {
    return err->rc;
  }
  if (!unpack(kept, &h, &x)) {
    return err_set(
        err, RC_ERROR, ERR_STORE,
        "what scorer 'examples' learnt can't be read: SELECT llm_route_train('examples')");
  }
  /* a text without a word is as hard as any other */
  *score = static_embed(text, n, vector) == RC_OK ? learn_score(&x, &h.learned, vector, NULL)
                                                  : h.learned.base_rate;
  snprintf(version, 24, "%s", kept->version);
  return RC_OK;
}
