#include "vec/embed/embedder.h"

#include "vec/embed/static_embedder.h"

#include <stdio.h>
#include <string.h>

static int run_static(void *ctx, const char *text, size_t n, float *out, Err *err) {
  (void)ctx;
  int rc = static_embed(text, n, out);
  return rc == VEC_NOMEM ? err_nomem(err) : rc;
}

void embedder_static(Embedder *e) {
  memset(e, 0, sizeof *e);
  snprintf(e->name, sizeof e->name, "static");
  snprintf(e->version, sizeof e->version, STATIC_VERSION);
  e->dim = STATIC_DIM;
  e->threshold = 0.95;
  e->even = 0.80;
  e->floor = 0.60;
  e->run = run_static;
}

void embedder_none(Embedder *e, int dim) {
  memset(e, 0, sizeof *e);
  snprintf(e->name, sizeof e->name, "none");
  snprintf(e->version, sizeof e->version, "none");
  e->dim = dim;
  e->threshold = 0.95;
  e->even = 0.85;
  e->floor = 0.80;
}
