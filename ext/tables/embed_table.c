/*
** embed_batch(texts, model): one row per text of a JSON array, in its order; all that is not
** remembered is embedded EMBED_BATCH texts to a request.
**
**   CREATE TEMP TABLE v AS SELECT text, embedding FROM
**     embed_batch((SELECT json_group_array(question) FROM tickets), 'text-embedding-3-small');
**
** Afterwards embed(text, model) finds each of them without a request.
*/
#include "work/embed_remote.h"
#include "work/embedders.h"
#include "tables/kit/table.h"
#include "tables/tables.h"

#include "base/text/json.h"
#include "vec/engine/kernels/vector.h"

#include <stdlib.h>
#include <string.h>

enum { C_TEXT, C_EMBEDDING };
enum { MOST_TEXTS = 1000000 };

typedef struct BatchCursor {
  TableCursor base;
  cJSON *doc; /* the array */
  const cJSON *item;
  float *vectors;
  int n, dim;
} BatchCursor;

static void clear(TableCursor *base) {
  BatchCursor *c = (BatchCursor *)base;
  cJSON_Delete(c->doc);
  free(c->vectors);
  c->doc = NULL;
  c->item = NULL;
  c->vectors = NULL;
}

/* Embeds with a local embedder, one by one. */
static float *embed_locally(const Embedder *e, const char *const *texts, const size_t *lengths,
                            int n, Err *err) {
  float *all = calloc((size_t)n, sizeof(float) * (size_t)e->dim);
  for (int i = 0; all && i < n && err->rc == RC_OK; i++) {
    if (e->run(e->ctx, texts[i], lengths[i], all + (size_t)i * (size_t)e->dim, err) != RC_OK) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "text %d holds no word that '%.60s' knows", i + 1,
              e->name);
    }
  }
  if (!all) {
    err_nomem(err);
  }
  return all;
}

static int embed_texts(BatchCursor *c, Conn *conn, const char *model, const char *const *texts,
                       const size_t *lengths, Err *err) {
  Embedder e;
  if (strcmp(model, "static") != 0 && strcmp(model, "minilm") != 0) {
    c->vectors = embed_remote(conn, model, texts, lengths, c->n, &c->dim, err);
  } else if (embedders_find(conn, model, &e, err) == RC_OK) {
    c->dim = e.dim;
    c->vectors = embed_locally(&e, texts, lengths, c->n, err);
  }
  return err->rc;
}

/* Reads the array and embeds its texts. */
static int fill(BatchCursor *c, Conn *conn, const char *json, size_t length, const char *model,
                Err *err) {
  c->doc = json_parse(json, length, "the texts", err);
  int n = cJSON_GetArraySize(c->doc), i = 0;
  if (c->doc && (!cJSON_IsArray(c->doc) || n > MOST_TEXTS)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "expected a JSON array of at most %d texts",
            MOST_TEXTS);
  }
  const char **texts = calloc((size_t)n + 1, sizeof *texts);
  size_t *lengths = calloc((size_t)n + 1, sizeof *lengths);
  if (!texts || !lengths) {
    err_nomem(err);
  }
  for (const cJSON *x = err->rc == RC_OK ? c->doc->child : NULL; x && err->rc == RC_OK;
       x = x->next, i++) {
    texts[i] = cJSON_GetStringValue(x);
    lengths[i] = texts[i] ? strlen(texts[i]) : 0;
    if (!texts[i]) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "element %d of the array is no text", i + 1);
    }
  }
  c->n = n;
  c->item = err->rc == RC_OK ? c->doc->child : NULL;
  if (err->rc == RC_OK && n > 0) {
    embed_texts(c, conn, model, texts, lengths, err);
  }
  free(texts);
  free(lengths);
  return err->rc;
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  size_t n;
  const char *model = arg_name(q->args[1], "the model", err);
  const char *json = arg_bytes(q->args[0], &n, err);
  if (!json || err->rc != RC_OK) {
    return err->rc; /* NULL embeds nothing */
  }
  return model ? fill((BatchCursor *)base, table_of(base)->conn, json, n, model, err)
               : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                         "expected the name of a model, received NULL");
}

static int next(TableCursor *base, Err *err) {
  BatchCursor *c = (BatchCursor *)base;
  c->item = c->item->next;
  return err->rc;
}

static int is_done(const TableCursor *base) {
  return ((const BatchCursor *)base)->item == NULL;
}

static void column(TableCursor *base, sqlite3_context *ctx, int column) {
  const BatchCursor *c = (BatchCursor *)base;
  if (column == C_TEXT) {
    sqlite3_result_text(ctx, c->item->valuestring, -1, SQLITE_TRANSIENT);
  } else {
    sqlite3_result_blob(ctx, c->vectors + (size_t)(base->row - 1) * (size_t)c->dim, 4 * c->dim,
                        SQLITE_TRANSIENT);
    sqlite3_result_subtype(ctx, VECTOR_SUBTYPE);
  }
}

const TableKind embed_table = {
    .is_guarded = 1,
    .columns = "text TEXT, embedding BLOB",
    .args = {"texts", "model"},
    .n_required = 2,
    .usage = "expected (JSON array of texts, name of a model)",
    .rows = 100,
    .cost = 1e6,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(BatchCursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
