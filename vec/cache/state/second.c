/*
** The confirming embedder of a semantic_cache that embeds with 'static': MiniLM, where its weights are at hand.
**
** The vectors it made of entries' queries cost milliseconds each, so they are kept: the last used in memory, all in their rows
** (x_rows.second), written with the next write of this connection.
*/
#include "vec/cache/state/table.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

const Embedder *second_embedder(CacheTable *t, Err *err) {
  Err why = {0};
  if (!t->second_asked) {
    if (!t->set.confirm || strcmp(t->set.embedder, "static") != 0 ||
        t->host->embedder(t->host->ctx, "minilm", &t->second, &why) != RC_OK) {
      t->second.dim = 0;
    }
    t->second_asked = why.rc == RC_OK || why.rc == RC_ERROR;
  }
  if (!t->second_asked && err->rc == RC_OK) {
    *err = why;
  }
  return t->second.dim ? &t->second : NULL;
}

size_t second_bytes(const CacheTable *t) {
  return sizeof(float) * (size_t)t->second.dim;
}

static SecondVector *second_slot(CacheTable *t, int64_t id, Err *err) {
  if (!t->seconds) {
    t->seconds = calloc(SECOND_SLOTS, sizeof *t->seconds);
  }
  SecondVector *s = t->seconds ? &t->seconds[(uint64_t)id % SECOND_SLOTS] : NULL;
  if (s && !s->vector) {
    s->vector = malloc(second_bytes(t));
  }
  if (!s || !s->vector) {
    err_nomem(err);
    return NULL;
  }
  return s;
}

const float *second_of(CacheTable *t, int64_t id, const char *text, size_t n, const void *stored,
                       size_t stored_bytes, Err *err) {
  SecondVector *s = second_slot(t, id, err);
  Hash h = hash_bytes(text, n, 0);
  if (!s || (s->id == id && memcmp(&s->text, &h, sizeof h) == 0)) {
    return s ? s->vector : NULL;
  }
  s->id = 0;
  if (stored && stored_bytes == second_bytes(t) &&
      vector_unit(stored, (size_t)t->second.dim, s->vector) == VECTOR_FINE) {
    memcpy(s->vector, stored, stored_bytes);
    s->is_unsaved = 0;
  } else if (t->second.run(t->second.ctx, text, n, s->vector, err) == RC_OK) {
    s->is_unsaved = 1;
  } else {
    return NULL;
  }
  s->id = id;
  s->text = h;
  return s->vector;
}

int second_prepare(CacheTable *t, int64_t id, const char *text, size_t n, Err *err) {
  if (second_embedder(t, err)) {
    second_of(t, id, text, n, NULL, 0, err);
  }
  return err->rc;
}

int second_flush(CacheTable *t, Err *err) {
  for (int i = 0; t->seconds && i < SECOND_SLOTS && err->rc == RC_OK; i++) {
    SecondVector *s = &t->seconds[i];
    sqlite3_stmt *stmt = s->id && s->is_unsaved ? rows_stmt(t, ROW_SET_SECOND, err) : NULL;
    if (stmt) {
      sqlite3_bind_int64(stmt, 1, s->id);
      sqlite3_bind_blob64(stmt, 2, s->vector, second_bytes(t), SQLITE_STATIC);
      rows_run(t, stmt, err);
      s->is_unsaved = 0;
    }
  }
  return err->rc;
}

void second_forget(CacheTable *t) {
  for (int i = 0; t->seconds && i < SECOND_SLOTS; i++) {
    free(t->seconds[i].vector);
  }
  free(t->seconds);
  free(t->asked_second);
  t->seconds = NULL;
  t->asked_second = NULL;
  t->second_asked = t->second.dim = 0;
}
