/*
** Remote embeddings. See embed_remote.h for the contract.
**
** A text's vector is remembered as the answer to the request that embeds it alone, in llm_answers
** (base64 of float32, as wire/openai_embed.c writes it). One text goes through the pipeline as it is;
** several are looked up one by one, and those without a vector go in one request, whose vectors are
** kept one by one in the transaction that settles it.
*/
#include "work/embed_remote.h"

#include "base/base64.h"
#include "call/call.h"
#include "vec/engine/kernels/vector.h"

#include <stdlib.h>
#include <string.h>

/* One piece of work. */
typedef struct Batch {
  Conn *conn;
  Options options;
  const char *const *texts;
  const size_t *lengths;
  int n, dim;
  float *vectors; /* n * dim; NULL until the first vector has told dim */
  char *is_done;
} Batch;

/* Takes `count` vectors out of an answer, into the places `at` names. */
static int take_vectors(Batch *b, const char *answer, size_t length, const int *at, int count,
                        Err *err) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  int decoded = base64_decode(answer, length, &bytes, &size);
  int ok = decoded == 1 && size % (4 * (size_t)count) == 0;
  int dim = ok ? (int)(size / 4 / (size_t)count) : 0;
  if (dim > 0 && !b->vectors) {
    b->dim = dim;
    b->vectors = calloc((size_t)b->n, sizeof(float) * (size_t)dim);
  }
  if (decoded < 0 || (dim > 0 && !b->vectors)) {
    free(bytes);
    return err_nomem(err);
  }
  ok = dim > 0 && b->vectors && dim == b->dim;
  for (int i = 0; i < count && ok; i++) {
    ok = vector_unit(bytes + 4 * (size_t)dim * (size_t)i, (size_t)dim,
                     b->vectors + (size_t)dim * (size_t)at[i]) == VECTOR_FINE;
    b->is_done[at[i]] = 1;
  }
  free(bytes);
  return ok ? RC_OK
            : err_set(err, RC_ERROR, ERR_BAD_ANSWER,
                      "the vectors have no direction, or not all the same length");
}

/* The pipeline for the texts at these places. */
static int ask(Batch *b, const int *at, int count, CacheMode cache, Outcome *out, Err *err) {
  const char *texts[EMBED_BATCH];
  size_t lengths[EMBED_BATCH];
  Request r = {0};
  for (int i = 0; i < count; i++) {
    texts[i] = b->texts[at[i]];
    lengths[i] = b->lengths[at[i]];
  }
  b->options.cache = cache;
  if (request_from_texts(texts, lengths, count, &b->options, &r, err) == RC_OK) {
    pipeline_run(b->conn, &r, NULL, out, err);
  }
  request_free(&r);
  return err->rc;
}

/* The key under which one text's vector is remembered. */
static int text_key(Batch *b, Store *s, int at, Hash *key, Err *err) {
  Request r = {0};
  if (request_from_texts(&b->texts[at], &b->lengths[at], 1, &b->options, &r, err) == RC_OK) {
    request_key(&r, &(KeyBeside){NULL, NULL}, s->seed, key, err);
  }
  request_free(&r);
  return err->rc;
}

/* Takes the vector of one text where it is remembered. */
static int recall(Batch *b, Store *s, int at, Err *err) {
  Hash key;
  Answer a;
  sqlite3_stmt *held = NULL;
  if (text_key(b, s, at, &key, err) != RC_OK) {
    return err->rc;
  }
  if (ledger_get_answer(s, &key, now_ms(), &a, &held, err) == 1 &&
      take_vectors(b, a.text, a.n, &at, 1, err) == RC_ERROR) {
    *err = (Err){0}; /* an older version kept what is no vector: it is asked for anew */
    b->is_done[at] = 0;
  }
  ledger_answer_done(s, held);
  return err->rc;
}

/* A request of several texts: which, and the answers made of its success. */
typedef struct Several {
  Batch *batch;
  Store *store;
  const int *at;
  int count;
  Answer *answers; /* owned, and their texts */
  Err err;
} Several;

static void free_answers(Several *v) {
  for (int i = 0; v->answers && i < v->count; i++) {
    free((char *)v->answers[i].text);
  }
  free(v->answers);
}

/* The vector of one text as its own answer. */
static int make_answer(Several *v, int i) {
  Batch *b = v->batch;
  Answer *a = &v->answers[i];
  const float *vector = b->vectors + (size_t)b->dim * (size_t)v->at[i];
  *a = (Answer){.created_at = now_ms(),
                .expires_at = LEDGER_NULL,
                .model = b->options.model,
                .cost_nusd = LEDGER_NULL,
                .next = i + 1 < v->count ? a + 1 : NULL};
  a->text = base64_encode(vector, 4 * (size_t)b->dim);
  a->n = a->text ? strlen(a->text) : 0;
  return a->text ? text_key(b, v->store, v->at[i], &a->key, &v->err) : err_nomem(&v->err);
}

/* Makes a success into an answer per text; NULL, and v->err, where it can't be. Asked again where there was no
** memory. */
static Answer *split(void *arg, const char *text, size_t n, Err *err) {
  Several *v = arg;
  free_answers(v);
  v->answers = NULL;
  v->err = (Err){0};
  if (take_vectors(v->batch, text, n, v->at, v->count, &v->err) == RC_OK) {
    v->answers = calloc((size_t)v->count, sizeof *v->answers);
    v->answers ? RC_OK : err_nomem(&v->err);
  }
  for (int i = 0; i < v->count && v->err.rc == RC_OK; i++) {
    make_answer(v, i);
  }
  if (v->err.rc == RC_NOMEM) {
    err_nomem(err);
  }
  return v->err.rc == RC_OK ? v->answers : NULL;
}

/* The first place with the text of each place: itself, unless it comes again. Owned (free). */
static int *find_first(const Batch *b) {
  size_t slots = 2;
  while (slots < 2 * (size_t)b->n) {
    slots *= 2;
  }
  int *first = malloc(sizeof *first * (size_t)b->n), *table = calloc(slots, sizeof *table);
  for (int i = 0; first && table && i < b->n; i++) {
    Hash h = hash_bytes(b->texts[i], b->lengths[i], 0);
    size_t at = ((size_t)h.b[0] << 16 | (size_t)h.b[1] << 8 | h.b[2]) & (slots - 1);
    while (table[at] && (b->lengths[table[at] - 1] != b->lengths[i] ||
                         memcmp(b->texts[table[at] - 1], b->texts[i], b->lengths[i]) != 0)) {
      at = (at + 1) & (slots - 1);
    }
    table[at] = table[at] ? table[at] : i + 1;
    first[i] = table[at] - 1;
  }
  if (!table) {
    free(first);
    first = NULL;
  }
  free(table);
  return first;
}

/* The vector of the one text. What an older version kept and is none is asked for anew: today's are looked at before they
** are kept. */
static int take_one(Batch *b, const int *at, Outcome *out, Err *err) {
  if (take_vectors(b, out->text, out->n, at, 1, err) != RC_ERROR) {
    return err->rc;
  }
  free(out->text);
  free(out->reasoning);
  *out = (Outcome){0};
  *err = (Err){0};
  return ask(b, at, 1, CACHE_REFRESH, out, err) == RC_OK
             ? take_vectors(b, out->text, out->n, at, 1, err)
             : err->rc;
}

/* Embeds the texts at these places with one request. */
static int embed_some(Batch *b, Store *s, const int *at, int count, Err *err) {
  Several v = {.batch = b, .store = s, .at = at, .count = count};
  Outcome out = {.split = count > 1 ? split : NULL, .split_arg = &v};
  if (ask(b, at, count, count == 1 ? CACHE_EXACT : CACHE_OFF, &out, err) == RC_OK && count == 1) {
    take_one(b, at, &out, err);
  } else if (err->rc == RC_OK && v.err.rc != RC_OK) {
    *err = v.err;
  }
  free_answers(&v);
  free(out.text);
  free(out.reasoning);
  return err->rc;
}

static int embed_missing(Batch *b, Store *s, const int *first, Err *err) {
  int at[EMBED_BATCH], count = 0;
  size_t bytes = 0;
  for (int i = 0; i < b->n && err->rc == RC_OK; i++) {
    if (first[i] != i || (b->n > 1 && recall(b, s, i, err) == RC_OK && b->is_done[i])) {
      continue;
    }
    if (count == EMBED_BATCH || (count > 0 && bytes + b->lengths[i] > EMBED_BATCH_BYTES)) {
      embed_some(b, s, at, count, err);
      count = 0;
      bytes = 0;
    }
    bytes += b->lengths[i];
    at[count++] = i;
  }
  return count > 0 && err->rc == RC_OK ? embed_some(b, s, at, count, err) : err->rc;
}

float *embed_remote(Conn *conn, const char *model, const char *const *texts, const size_t *lengths,
                    int n, int *dim, Err *err) {
  Batch b = {.conn = conn, .texts = texts, .lengths = lengths, .n = n};
  if (strlen(model) >= LIMIT_MODEL_NAME) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "the model's name: at most %d bytes",
            LIMIT_MODEL_NAME - 1);
    return NULL;
  }
  options_init(&b.options);
  b.options.model = model;
  Store *s = conn_store(conn, 1, err);
  b.is_done = calloc((size_t)n + 1, 1);
  int *first = find_first(&b);
  if (s && b.is_done && first) {
    embed_missing(&b, s, first, err);
  } else if (s) {
    err_nomem(err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    memmove(b.vectors + (size_t)b.dim * (size_t)i, b.vectors + (size_t)b.dim * (size_t)first[i],
            sizeof(float) * (size_t)b.dim);
  }
  free(first);
  free(b.is_done);
  if (err->rc != RC_OK) {
    free(b.vectors);
    return NULL;
  }
  *dim = b.dim;
  return b.vectors;
}

/* --- as a table's embedder */

/* A provider's embedding model that tables of this connection use. */
typedef struct RemoteModel {
  struct RemoteModel *next;
  Conn *conn;
  char name[LIMIT_MODEL_NAME];
  int dim;
} RemoteModel;

/* What hangs on the connection. */
typedef struct RemoteModels {
  RemoteModel *first;
} RemoteModels;

static void free_models(void *slot) {
  for (RemoteModel *m = ((RemoteModels *)slot)->first, *next; m; m = next) {
    next = m->next;
    free(m);
  }
}

static const ConnSlot slot_type = {sizeof(RemoteModels), NULL, NULL, free_models};

static int run(void *ctx, const char *text, size_t n, float *out, Err *err) {
  const RemoteModel *m = ctx;
  int dim = 0;
  if (strspn(text, " \t\r\n") == n) {
    return VEC_EMPTY;
  }
  float *vector = embed_remote(m->conn, m->name, &text, &n, 1, &dim, err);
  if (vector && dim != m->dim) {
    err_set(err, RC_ERROR, ERR_EMBEDDER,
            "model '%.80s' gave a vector of length %d, llm_models.supports says %d", m->name, dim,
            m->dim);
  }
  if (err->rc == RC_OK) {
    memcpy(out, vector, sizeof *out * (size_t)dim);
  }
  free(vector);
  return err->rc;
}

/* The model's "dimensions", 0 where supports has none, or *err. */
static int dimensions_of(const Model *model, Err *err) {
  Err why = {0};
  cJSON *tree = json_parse(model->supports, strlen(model->supports), "supports", &why);
  const cJSON *n = cJSON_GetObjectItemCaseSensitive(tree, "dimensions");
  int dim = cJSON_IsNumber(n) && n->valuedouble >= 1 && n->valuedouble <= 16384 ? n->valueint : 0;
  cJSON_Delete(tree);
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  return dim;
}

/* The connection's record of a model, made when first asked for. */
static RemoteModel *remember(Conn *conn, const char *name, int dim, Err *err) {
  RemoteModels *models = conn_slot(conn, &slot_type, err);
  RemoteModel *m = models ? models->first : NULL;
  while (m && (strcmp(m->name, name) != 0 || m->dim != dim)) {
    m = m->next;
  }
  if (models && !m && (m = calloc(1, sizeof *m))) {
    sqlite3_snprintf(sizeof m->name, m->name, "%s", name);
    m->conn = conn;
    m->dim = dim;
    m->next = models->first;
    models->first = m;
  }
  if (!m) {
    err_nomem(err);
  }
  return m;
}

int embed_remote_find(Conn *conn, const char *name, Embedder *e, Err *err) {
  Model model = {0};
  Err why = {0};
  const Config *config = conn_config(conn, err);
  if (!config) {
    return err->rc;
  }
  if (strlen(name) >= LIMIT_MODEL_NAME) {
    return err_set(err, RC_ERROR, ERR_EMBEDDER, "an embedder's name has at most %d bytes",
                   LIMIT_MODEL_NAME - 1);
  }
  int is_known = config_model(config, name, &model, &why) == RC_OK;
  if (!is_known && why.code != ERR_UNKNOWN_MODEL) {
    *err = why;
  } else if ((!is_known || !wire_supports(&model, "embeddings", 0, err)) && err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_EMBEDDER,
            "unknown embedder '%.60s' (valid: 'static', 'minilm', 'none' with dim, or a model of"
            " llm_models with {\"embeddings\":true,\"dimensions\":N} in supports)",
            name);
  }
  memset(e, 0, sizeof *e);
  e->dim = err->rc == RC_OK ? dimensions_of(&model, err) : 0;
  if (err->rc == RC_OK && !e->dim) {
    err_set(err, RC_ERROR, ERR_EMBEDDER,
            "model '%.80s': a table needs {\"dimensions\":N} in its supports in llm_models", name);
  }
  config_model_free(&model);
  e->ctx = err->rc == RC_OK ? remember(conn, name, e->dim, err) : NULL;
  sqlite3_snprintf(sizeof e->name, e->name, "%s", name);
  sqlite3_snprintf(sizeof e->version, e->version, "%s", name);
  e->threshold = 0.90;
  e->even = 0.80;
  e->floor = 0.60;
  e->run = run;
  return err->rc;
}
