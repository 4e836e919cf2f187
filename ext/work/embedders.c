/*
** Embedders by name.
**
** MiniLM's weights are a file of their own: where the setting 'minilm' or LLMCOST_MINILM says, else
** minilm.bin beside the library. Its vectors take milliseconds, so the newest MEMO_SLOTS of a
** connection are remembered by the hash of their text.
*/
#include "work/embedders.h"

#include "base/hash.h"
#include "trust/node/env.h"
#include "work/embed_remote.h"
#include "vec/embed/minilm.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { MEMO_SLOTS = 1024 };

typedef struct MemoSlot {
  Hash text;
  int is_used;
  float vector[MINILM_DIM];
} MemoSlot;

/* What hangs on the connection. */
typedef struct LocalModel {
  MiniLm *model; /* NULL until it was opened */
  MemoSlot memo[MEMO_SLOTS];
} LocalModel;

static void free_local(void *slot) {
  minilm_close(((LocalModel *)slot)->model);
}

static const ConnSlot slot_type = {sizeof(LocalModel), NULL, NULL, free_local};

/* Where the weights are. Owned (sqlite3_free). */
static char *minilm_path(const Conn *c) {
  const char *path = c->set.minilm ? c->set.minilm : env_get("LLMCOST_MINILM");
  Dl_info info;
  if (path) {
    return sqlite3_mprintf("%s", path);
  }
  const void *here = (const void *)(size_t)&embedders_find;
  const char *name = dladdr(here, &info) && info.dli_fname ? info.dli_fname : "";
  char *real = realpath(name, NULL); /* an installed library is found by a link to it */
  const char *file = real ? real : name, *slash = strrchr(file, '/');
  char *beside = sqlite3_mprintf("%.*sminilm.bin", slash ? (int)(slash - file + 1) : 0, file);
  free(real);
  return beside;
}

static int run_minilm(void *ctx, const char *text, size_t n, float *out, Err *err) {
  LocalModel *local = ctx;
  Hash h = hash_bytes(text, n, 0);
  MemoSlot *slot = &local->memo[(h.b[0] << 8 | h.b[1]) % MEMO_SLOTS];
  if (!slot->is_used || memcmp(&slot->text, &h, sizeof h) != 0) {
    slot->is_used = 0;
    int rc = minilm_embed(local->model, text, n, slot->vector);
    if (rc != VEC_OK) {
      return rc == VEC_EMPTY ? rc : err_nomem(err);
    }
    slot->text = h;
    slot->is_used = 1;
  }
  memcpy(out, slot->vector, sizeof slot->vector);
  return RC_OK;
}

static int open_minilm(const Conn *c, LocalModel *local, Err *err) {
  char why[200] = "";
  char *path = minilm_path(c);
  int rc = path ? minilm_open(path, &local->model, why, sizeof why) : VEC_NOMEM;
  if (rc == VEC_NOMEM) {
    err_nomem(err);
  } else if (rc != VEC_OK) {
    err_set(err, rc == VEC_IO ? RC_IOERR : RC_ERROR, ERR_EMBEDDER,
            "embedder 'minilm': %s; `make minilm` makes the file, and LLMCOST_MINILM" ERR_CURE(
                " or llm_config('minilm', path)") " says where it is",
            why);
  }
  sqlite3_free(path);
  return err->rc;
}

static int find_minilm(Conn *c, Embedder *e, Err *err) {
  LocalModel *local = conn_slot(c, &slot_type, err);
  if (!local || (!local->model && open_minilm(c, local, err) != RC_OK)) {
    return err->rc;
  }
  memset(e, 0, sizeof *e);
  sqlite3_snprintf(sizeof e->name, e->name, "minilm");
  sqlite3_snprintf(sizeof e->version, e->version, "%s", minilm_version());
  e->dim = MINILM_DIM;
  e->threshold = 0.92;
  e->even = 0.80;
  e->floor = 0.60;
  e->run = run_minilm;
  e->ctx = local;
  return RC_OK;
}

int embedders_find(void *conn, const char *name, Embedder *e, Err *err) {
  if (strcmp(name, "static") == 0) {
    embedder_static(e);
    return RC_OK;
  }
  if (strcmp(name, "minilm") == 0) {
    return find_minilm(conn, e, err);
  }
  return embed_remote_find(conn, name, e, err);
}
