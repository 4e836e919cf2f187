/*
** embed, embed_cosine: vectors as SQL values.
**
** A vector is a BLOB of float32, little-endian, of unit length, with the subtype sqlite-vec marks
** its vectors with.
*/
#include "base/sqlite/args.h"
#include "work/embed_remote.h"
#include "work/embedders.h"
#include "fn/fn.h"

#include "base/utf8.h"
#include "vec/engine/kernels/cosine.h"
#include "vec/engine/kernels/vector.h"

#include <stdlib.h>
#include <string.h>

static int check_text(const char *text, size_t n, Err *err) {
  size_t bad_at = 0;
  if (n > LIMIT_REQUEST_BYTES) {
    err_set(err, RC_TOOBIG, ERR_TOO_BIG, "a text of %zu bytes (at most %zu)", n,
            LIMIT_REQUEST_BYTES);
  } else if (!utf8_is_valid(text, n, &bad_at)) {
    err_set(err, RC_ERROR, ERR_BAD_UTF8, "the text is not valid UTF-8 (byte %zu)", bad_at);
  }
  return err->rc;
}

/* Embeds with a local embedder. A text without a vector is an error here: one was asked for. */
static float *embed_local(const Embedder *e, const char *text, size_t n, Err *err) {
  float *vector = malloc(sizeof *vector * (size_t)e->dim);
  if (!vector) {
    err_nomem(err);
  } else if (check_text(text, n, err) == RC_OK && e->run(e->ctx, text, n, vector, err) != RC_OK) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "the text holds no word that '%.60s' knows", e->name);
  }
  if (err->rc != RC_OK) {
    free(vector);
    vector = NULL;
  }
  return vector;
}

static int is_local(const char *name) {
  return strcmp(name, "static") == 0 || strcmp(name, "minilm") == 0;
}

static float *embed_text(Conn *c, const char *name, const char *text, size_t n, int *dim,
                         Err *err) {
  Embedder e;
  if (!is_local(name)) {
    return embed_remote(c, name, &text, &n, 1, dim, err);
  }
  if (embedders_find(c, name, &e, err) != RC_OK) {
    return NULL;
  }
  *dim = e.dim;
  return embed_local(&e, text, n, err);
}

void fn_embed(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  int dim = 0;
  float *vector = NULL;
  size_t n;
  const char *name = argc == 2 ? arg_name(argv[1], "the embedder", err) : "static";
  const char *text = arg_bytes(argv[0], &n, err);
  if (!name) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "expected the name of an embedder, received NULL");
  } else if (text && err->rc == RC_OK) {
    vector = embed_text(fn_conn(ctx), name, text, n, &dim, err);
  }
  if (vector) {
    sqlite3_result_blob(ctx, vector, 4 * dim, free);
    sqlite3_result_subtype(ctx, VECTOR_SUBTYPE);
  }
}

void fn_embed_cosine(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  const void *u = sqlite3_value_blob(argv[0]), *v = sqlite3_value_blob(argv[1]);
  int a = sqlite3_value_bytes(argv[0]), b = sqlite3_value_bytes(argv[1]);
  double cosine = 0;
  if ((a && !u) || (b && !v)) {
    err_nomem(err);
  } else if (a != b || a == 0 || a % 4) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "expected two float32 vectors of one length, received %d and %d bytes", a, b);
  } else if (!cosine_f32(u, v, (size_t)a / 4, &cosine)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "a vector is zero or holds NaN or infinity");
  }
  if (err->rc == RC_OK) {
    sqlite3_result_double(ctx, cosine);
  }
}
