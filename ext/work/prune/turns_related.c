/*
** See turns_related.h for the contract. A turn is to core/compress/score.h what a sentence is in llm_compress: one unit of a text, in
** a block of its own, so that none is scored for what stands beside it.
*/
#include "work/prune/turns_related.h"

#include "core/compress/score.h"
#include "work/prompts/nearness.h"

#include <stdlib.h>

/* A turn with less than this share of the best score is not related: nearly every text has a word or a number in common with another. */
#define LEAST_SHARE 0.4

/* The user's last words; NULL: there are none. */
static const Message *last_words(const Turns *t) {
  for (size_t i = t->n; i > 0; i--) {
    const Turn *x = &t->at[i - 1];
    if (x->plan.role == PRUNE_USER && x->m.n > 0) {
      return &x->m;
    }
  }
  return NULL;
}

static void write_turns(const Turns *t, const PruneTurn *turns, TextUnits *u, Buf *b) {
  for (size_t i = 0; i < u->n; i++) {
    size_t from = b->n;
    for (size_t k = turns[i].from; k < turns[i].end; k++) {
      turns_write(&t->at[k], b);
    }
    u->at[i] = (TextUnit){.from = from, .n = b->n - from, .parent = UNIT_NONE, .block = i};
  }
}

static int score_unit(void *arg, const char *text, size_t n, double *score, Err *err) {
  return nearness_of(arg, text, n, score, err);
}

static void take_scores(PruneTurn *turns, const double *scores, size_t n) {
  double best = 0;
  for (size_t i = 0; i < n; i++) {
    best = scores[i] > best ? scores[i] : best;
  }
  for (size_t i = 0; i < n; i++) {
    turns[i].score = scores[i] >= LEAST_SHARE * best ? scores[i] : 0;
  }
}

static int score_all(const Buf *b, const TextUnits *u, const Message *asked, PruneTurn *turns,
                     Err *err) {
  Nearness near = {.query = NULL};
  unsigned char *roles = calloc(u->n, 1);
  double *scores = calloc(u->n, sizeof *scores);
  if (!roles || !scores) {
    err_nomem(err);
  }
  int has_meaning = err->rc == RC_OK && nearness_open(&near, asked->content, asked->n, err);
  const ScoreOptions with = {.query = asked->content,
                             .n_query = asked->n,
                             .score = has_meaning ? score_unit : NULL,
                             .arg = &near};
  for (size_t i = 0; roles && i < u->n; i++) {
    roles[i] = ROLE_CONTEXT;
  }
  if (err->rc == RC_OK && score_units(b->data, u, roles, &with, scores, err) == RC_OK) {
    take_scores(turns, scores, u->n);
  }
  nearness_close(&near);
  free(roles);
  free(scores);
  return err->rc;
}

int turns_relate(const Turns *t, PruneTurn *turns, size_t n_turns, Err *err) {
  const Message *asked = last_words(t);
  Buf b;
  if (!asked || n_turns == 0) {
    return RC_OK;
  }
  TextUnits u = {.at = calloc(n_turns, sizeof *u.at), .n = n_turns, .n_blocks = n_turns};
  buf_init(&b, 4 * LIMIT_REQUEST_BYTES);
  if (!u.at) {
    err_nomem(err);
  } else {
    write_turns(t, turns, &u, &b);
    if (b.failed == RC_NOMEM) {
      err_nomem(err);
    } else if (!b.failed && b.n > 0) {
      score_all(&b, &u, asked, turns, err);
    }
  }
  buf_free(&b);
  free(u.at);
  return err->rc;
}
