/*
** See nearness.h for the contract.
*/
#include "work/prompts/nearness.h"

#include <stdlib.h>

int nearness_open(Nearness *m, const char *query, size_t n, Err *err) {
  embedder_static(&m->embedder);
  m->query = calloc((size_t)m->embedder.dim, sizeof *m->query);
  m->unit = calloc((size_t)m->embedder.dim, sizeof *m->unit);
  if (!m->query || !m->unit) {
    err_nomem(err);
    return 0;
  }
  return m->embedder.run(m->embedder.ctx, query, n, m->query, err) == RC_OK;
}

void nearness_close(Nearness *m) {
  free(m->query);
  free(m->unit);
  m->query = m->unit = NULL;
}

int nearness_of(Nearness *m, const char *text, size_t n, double *score, Err *err) {
  *score = 0;
  int rc = m->embedder.run(m->embedder.ctx, text, n, m->unit, err);
  for (int i = 0; rc == RC_OK && i < m->embedder.dim; i++) {
    *score += (double)m->query[i] * (double)m->unit[i];
  }
  return err->rc;
}
