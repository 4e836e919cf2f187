/*
** See train.h for the contract.
*/
#include "work/route/train.h"

#include "base/hash.h"
#include "call/score/examples.h"
#include "store/host/examples.h"
#include "store/scorers/scorers.h"
#include "vec/embed/static_embedder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The examples as vectors. */
typedef struct Table {
  float *vectors; /* owned */
  double *labels; /* owned */
  int n, room, skipped;
} Table;

static int make_room(Table *t, Err *err) {
  if (t->n < t->room) {
    return RC_OK;
  }
  int room = t->room ? 2 * t->room : 256;
  float *vectors = realloc(t->vectors, (size_t)room * STATIC_DIM * sizeof *vectors);
  if (!vectors) {
    return err_nomem(err);
  }
  t->vectors = vectors;
  double *labels = realloc(t->labels, (size_t)room * sizeof *labels);
  if (!labels) {
    return err_nomem(err);
  }
  t->labels = labels;
  t->room = room;
  return RC_OK;
}

static int take(void *arg, const char *prompt, size_t n, double label, Err *err) {
  Table *t = arg;
  if (t->n >= LEARN_MOST) {
    return err_set(err, RC_TOOBIG, ERR_UNAVAILABLE, "llm_route_examples: at most %d rows",
                   LEARN_MOST);
  }
  if (make_room(t, err) != RC_OK) {
    return err->rc;
  }
  if (static_embed(prompt, n, t->vectors + (size_t)t->n * STATIC_DIM) != RC_OK) {
    t->skipped++;
    return RC_OK;
  }
  t->labels[t->n++] = label;
  return RC_OK;
}

static cJSON *number(double value) {
  return isnan(value) ? cJSON_CreateNull() : cJSON_CreateNumber(round(value * 1e4) / 1e4);
}

static void add_quality(cJSON *tree, const char *name, const LearnQuality *q, Err *err) {
  cJSON *item = json_add(tree, name, cJSON_CreateObject(), err);
  json_add(item, "auc", number(q->auc), err);
  json_add(item, "log_loss", number(q->log_loss), err);
  json_add(item, "brier", number(q->brier), err);
}

static char *report(const Table *t, const Learned *l, const char *version, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "scorer", cJSON_CreateString(EXAMPLES_NAME), err);
  json_add(tree, "version", cJSON_CreateString(version), err);
  json_add(tree, "examples", cJSON_CreateNumber(t->n), err);
  json_add(tree, "without_words", cJSON_CreateNumber(t->skipped), err);
  json_add(tree, "neighbours", cJSON_CreateNumber(l->k), err);
  json_add(tree, "folds", cJSON_CreateNumber(LEARN_FOLDS), err);
  add_quality(tree, "unseen", &l->here, err);
  add_quality(tree, "base_rate", &l->base, err);
  json_add(tree, "is_better_than_base_rate", cJSON_CreateBool(l->here.log_loss < l->base.log_loss),
           err);
  return json_print(tree, err);
}

/* Keeps what was learnt, under a version that its bytes have. */
static char *keep(Conn *conn, const Table *t, const LearnExamples *x, const Learned *l, Err *err) {
  TrainedScorer scorer = {.n = 0};
  char hex[HASH_HEX_SIZE];
  char *text = NULL;
  Store *store = conn_store(conn, 1, err);
  scorer.weights = store ? examples_pack(x, l, &scorer.n, err) : NULL;
  if (!scorer.weights) {
    return NULL;
  }
  Hash h = hash_bytes(scorer.weights, scorer.n, 0);
  hash_hex(&h, hex);
  snprintf(scorer.version, sizeof scorer.version, "examples-%.8s", hex);
  scorer.report = text = report(t, l, scorer.version, err);
  if (text && scorers_put(store, EXAMPLES_NAME, &scorer, now_ms(), err) != RC_OK) {
    cJSON_free(text);
    text = NULL;
  }
  free(scorer.weights);
  return text;
}

char *train_run(Conn *conn, const char *what, const TrainOptions *o, Err *err) {
  Table t = {0};
  Learned learned;
  char *text = NULL;
  if (strcmp(what, EXAMPLES_NAME) != 0) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "'%.60s' can't be trained (valid: examples)", what);
    return NULL;
  }
  if (examples_read(conn->db, take, &t, err) == RC_OK) {
    const LearnExamples x = {.vectors = t.vectors, .labels = t.labels, .n = t.n, .dim = STATIC_DIM};
    int k = o->k == SPEC_UNSET ? 0 : (int)o->k;
    text =
        learn_train(&x, k, &learned, NULL, err) == RC_OK ? keep(conn, &t, &x, &learned, err) : NULL;
  }
  free(t.vectors);
  free(t.labels);
  return text;
}
