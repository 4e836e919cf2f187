/*
** embed_batch(texts, model): one row per text of a JSON array, in its order; all that is not
** remembered is embedded EMBED_BATCH texts to a request.
**
**   CREATE TEMP TABLE v AS SELECT text, embedding FROM
**     embed_batch((SELECT json_group_array(question) FROM tickets), 'text-embedding-3-small');
**
** Afterwards embed(text, model) finds each of them without a request.
*/
#include "base/sqlite/args.h"
#include "work/embed_remote.h"
#include "work/embedders.h"
#include "tables/tables.h"
#include "trust/guard.h"

#include "base/text/json.h"
#include "vec/engine/kernels/vector.h"

#include <stdlib.h>
#include <string.h>

enum { C_TEXT, C_EMBEDDING, C_TEXTS, C_MODEL };
enum { MOST_TEXTS = 1000000 };

typedef struct BatchTable {
  sqlite3_vtab base;
  Conn *conn;
} BatchTable;

typedef struct BatchCursor {
  sqlite3_vtab_cursor base;
  cJSON *doc; /* the array */
  const cJSON *item;
  float *vectors;
  int n, dim, at;
} BatchCursor;

static int batch_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **table, char **message) {
  (void)argc;
  (void)argv;
  (void)message;
  BatchTable *t = sqlite3_malloc64(sizeof *t);
  if (!t) {
    return SQLITE_NOMEM;
  }
  memset(t, 0, sizeof *t);
  t->conn = aux;
  int rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  if (rc == SQLITE_OK) {
    rc = sqlite3_declare_vtab(
        db, "CREATE TABLE x(text TEXT, embedding BLOB, texts HIDDEN, model HIDDEN)");
  }
  if (rc != SQLITE_OK) {
    sqlite3_free(t);
    return rc;
  }
  *table = &t->base;
  return SQLITE_OK;
}

static int batch_disconnect(sqlite3_vtab *base) {
  sqlite3_free(base);
  return SQLITE_OK;
}

static int batch_best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
  int found = 0;
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    if (c->op != SQLITE_INDEX_CONSTRAINT_EQ || c->iColumn < C_TEXTS) {
      continue;
    }
    if (!c->usable) {
      return SQLITE_CONSTRAINT;
    }
    info->aConstraintUsage[i].argvIndex = c->iColumn - C_TEXTS + 1;
    info->aConstraintUsage[i].omit = 1;
    found |= 1 << (c->iColumn - C_TEXTS);
  }
  if (found != 3) {
    sqlite3_free(base->zErrMsg);
    base->zErrMsg = sqlite3_mprintf("embed_batch: expected (JSON array of texts, name of a model)");
    return SQLITE_ERROR;
  }
  info->estimatedRows = 100;
  info->estimatedCost = 1e6;
  return SQLITE_OK;
}

static int batch_open(sqlite3_vtab *base, sqlite3_vtab_cursor **cursor) {
  (void)base;
  BatchCursor *c = sqlite3_malloc64(sizeof *c);
  if (!c) {
    return SQLITE_NOMEM;
  }
  memset(c, 0, sizeof *c);
  *cursor = &c->base;
  return SQLITE_OK;
}

static void clear(BatchCursor *c) {
  cJSON_Delete(c->doc);
  free(c->vectors);
  c->doc = NULL;
  c->item = NULL;
  c->vectors = NULL;
  c->n = c->at = 0;
}

static int batch_close(sqlite3_vtab_cursor *cursor) {
  clear((BatchCursor *)cursor);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

/* Embeds with a local embedder, one by one. */
static float *embed_locally(const Embedder *e, const char *const *texts, const size_t *lengths,
                            int n, Err *err) {
  float *all = calloc((size_t)n, sizeof(float) * (size_t)e->dim);
  for (int i = 0; all && i < n && err->rc == RC_OK; i++) {
    if (e->run(e->ctx, texts[i], lengths[i], all + (size_t)i * (size_t)e->dim, err) != RC_OK) {
      err_set(err, RC_ERROR, "bad_argument", "text %d holds no word that '%.60s' knows", i + 1,
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
    err_set(err, RC_ERROR, "bad_argument", "expected a JSON array of at most %d texts", MOST_TEXTS);
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
      err_set(err, RC_ERROR, "bad_argument", "element %d of the array is no text", i + 1);
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

static int batch_filter(sqlite3_vtab_cursor *cursor, int plan, const char *name, int argc,
                        sqlite3_value **argv) {
  (void)plan;
  (void)name;
  (void)argc;
  BatchCursor *c = (BatchCursor *)cursor;
  BatchTable *t = (BatchTable *)cursor->pVtab;
  Err err = {0};
  clear(c);
  size_t n;
  const char *model = arg_text(argv[1], "the model", &err);
  const char *json = arg_bytes(argv[0], &n, &err);
  if (!json && err.rc == RC_OK) {
    return SQLITE_OK; /* NULL embeds nothing */
  }
  if (err.rc == RC_OK && guard_check_name(t->conn->guard, "embed_batch", &err) == RC_OK && !model) {
    err_set(&err, RC_ERROR, "bad_argument", "expected the name of a model, received NULL");
  } else if (err.rc == RC_OK) {
    fill(c, t->conn, json, n, model, &err);
  }
  if (err.rc != RC_OK) {
    clear(c);
    sqlite3_free(t->base.zErrMsg);
    t->base.zErrMsg = sqlite3_mprintf("embed_batch: %s", err.msg);
  }
  return err.rc;
}

static int batch_next(sqlite3_vtab_cursor *cursor) {
  BatchCursor *c = (BatchCursor *)cursor;
  c->item = c->item->next;
  c->at++;
  return SQLITE_OK;
}

static int batch_eof(sqlite3_vtab_cursor *cursor) {
  return ((BatchCursor *)cursor)->item == NULL;
}

static int batch_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int column) {
  const BatchCursor *c = (BatchCursor *)cursor;
  if (column == C_TEXT) {
    sqlite3_result_text(ctx, c->item->valuestring, -1, SQLITE_TRANSIENT);
  } else if (column == C_EMBEDDING) {
    sqlite3_result_blob(ctx, c->vectors + (size_t)c->at * (size_t)c->dim, 4 * c->dim,
                        SQLITE_TRANSIENT);
    sqlite3_result_subtype(ctx, VECTOR_SUBTYPE);
  }
  return SQLITE_OK;
}

static int batch_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
  *rowid = ((BatchCursor *)cursor)->at + 1;
  return SQLITE_OK;
}

const sqlite3_module embed_table_module = {
    .xConnect = batch_connect,
    .xBestIndex = batch_best_index,
    .xDisconnect = batch_disconnect,
    .xOpen = batch_open,
    .xClose = batch_close,
    .xFilter = batch_filter,
    .xNext = batch_next,
    .xEof = batch_eof,
    .xColumn = batch_column,
    .xRowid = batch_rowid,
};
