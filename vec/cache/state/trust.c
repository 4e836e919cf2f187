/*
** Tables that send: those with an embedder of llm_models.
**
** The schema of a file decides which embedder a table has, and a file may come from a stranger; then an
** INSERT or a MATCH would send the user's texts, with the user's key, because somebody else wrote so. Such a
** table embeds only if this installation made it: x_meta holds the host's mark of its seed and embedder. Any
** other says the command that lets it.
**
** Where the host can keep no marks (no folder for its secret), the command holds for this connection.
*/
#include "vec/cache/state/table.h"

#include <string.h>

int trust_is_local(const CacheTable *t) {
  static const char *const local[] = {"static", "minilm", "none"};
  int found = 0;
  for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
    found |= strcmp(t->set.embedder, local[i]) == 0;
  }
  return found;
}

/* What is marked. */
static int make_id(CacheTable *t, char *id, size_t size, Err *err) {
  char seed[SEED_TEXT];
  if (rows_meta(t, "seed", seed, sizeof seed, err) < 0) {
    return err->rc;
  }
  sqlite3_snprintf((int)size, id, "%s %s", seed, t->set.embedder);
  return RC_OK;
}

/* 1 if the table has this installation's mark, 0 if not, -1 error. */
static int is_marked(CacheTable *t, Err *err) {
  char id[LIMIT_MODEL_NAME + 64], ours[CACHE_MARK_SIZE], stored[CACHE_MARK_SIZE];
  if (make_id(t, id, sizeof id, err) != RC_OK ||
      t->host->mark(t->host->ctx, id, 0, ours, err) != RC_OK) {
    return -1;
  }
  int found = rows_meta(t, "mark", stored, sizeof stored, err);
  return found == 1 ? ours[0] && strcmp(stored, ours) == 0 : found;
}

int trust_check(CacheTable *t, Err *err) {
  Err why = {0};
  if (t->is_trusted) {
    return RC_OK;
  }
  t->is_trusted = is_marked(t, &why) == 1;
  if (t->is_trusted) {
    return RC_OK;
  }
  if (why.rc != RC_OK && why.rc != RC_ERROR) { /* (RC_ERROR: there can be no mark) */
    *err = why;
    return err->rc;
  }
  return err_set(
      err, RC_ERROR, ERR_CACHE,
      "'%.60s' sends its texts to '%.60s' and was not made by this installation: nothing was"
      " sent; if that is what you want, INSERT INTO \"%.60s\"(\"%.60s\") VALUES('trust')",
      t->name, t->set.embedder, t->name, t->name);
}

int trust_grant(CacheTable *t, Err *err) {
  char id[LIMIT_MODEL_NAME + 64], mark[CACHE_MARK_SIZE];
  Err why = {0};
  if (trust_is_local(t) || make_id(t, id, sizeof id, err) != RC_OK) {
    return err->rc;
  }
  if (t->host->mark(t->host->ctx, id, 1, mark, &why) == RC_OK) {
    rows_set_meta(t, "mark", mark, err);
  } else if (why.rc != RC_ERROR) {
    *err = why;
  }
  t->is_trusted = err->rc == RC_OK;
  return err->rc;
}
