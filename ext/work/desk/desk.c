/*
** See desk.h for the contract.
*/
#include "work/desk/desk.h"

#include "wire/model/supports.h"
#include "trust/hosts.h"

#include <stdlib.h>
#include <string.h>

static int check_alone(const Conn *conn, Err *err) {
  if (!sqlite3_get_autocommit(conn->db)) {
    return err_set(
        err, RC_ERROR, ERR_BAD_ARGUMENT,
        "runs as a statement of its own, outside of a transaction, and one is open: "
        "COMMIT (or ROLLBACK) first; what it sends is paid for whatever becomes of that");
  }
  return sqlite3_txn_state(conn->db, "main") == SQLITE_TXN_NONE
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                       "runs as a statement of its own, outside of a transaction and beside no "
                       "other: what it sends is paid for whatever becomes of them");
}

/* A copy of a database must not be told what the original asked: it gets a name of its own. */
static int part_copy(Desk *d, const char *path, Err *err) {
  static const char sql[] =
      "UPDATE main.batch_submit SET status = 'failed',"
      " finished_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), error = 'this "
      "database is a copy of another:"
      " what was under way is answered there; set status to queued to ask again here'"
      " WHERE status IN ('sending', 'submitted') AND batch_id IS NOT NULL";
  QueueSeen seen;
  if (queue_rename(d->conn->db, d->queue, err) == RC_OK &&
      sqlite3_exec(d->conn->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
    err_set(err, sqlite3_errcode(d->conn->db) & 0xff, ERR_STORE, "cannot write batch_submit: %s",
            sqlite3_errmsg(d->conn->db));
  }
  return err->rc == RC_OK ? queues_see(d->store, d->queue, path, &seen, err) : err->rc;
}

static int find_queue(Desk *d, Err *err) {
  const char *path = sqlite3_db_filename(d->conn->db, "main");
  QueueSeen seen = QUEUE_KNOWN;
  int found = queue_look(d->conn->db, d->queue, err);
  if (found == 0) {
    return err_set(err, RC_ERROR, ERR_NO_STATE,
                   "there is no table batch_submit in main: SELECT llm_init() makes it");
  }
  if (found == 1 && queues_see(d->store, d->queue, path, &seen, err) == RC_OK &&
      seen == QUEUE_COPY) {
    part_copy(d, path, err);
  }
  return err->rc;
}

int desk_open(Desk *d, Conn *conn, Err *err) {
  *d = (Desk){.conn = conn, .rows = {.db = conn->db}, .asker = {.conn = conn}};
  if (check_alone(conn, err) == RC_OK) {
    d->store = conn_store(conn, 1, err);
  }
  return d->store ? find_queue(d, err) : err->rc;
}

void desk_close(Desk *d) {
  submits_close(&d->rows);
  asker_close(&d->asker);
}

int desk_take(Desk *d, Err *err) {
  d->taken_at = monotonic_ms();
  return queues_take(d->store, d->queue, now_ms(), DESK_LEASE_MS, err);
}

int desk_keep(Desk *d, Err *err) {
  if (monotonic_ms() - d->taken_at > DESK_LEASE_MS / 10) {
    desk_take(d, err);
  }
  return err->rc;
}

/* ---- batches */

void desk_batch_free(DeskBatch *b) {
  free(b->texts);
  *b = (DeskBatch){.texts = NULL};
}

void desk_batches_free(DeskBatches *b) {
  for (int i = 0; i < b->n; i++) {
    free(b->list[i].texts);
  }
  free(b->list);
  *b = (DeskBatches){.n = 0};
}

static int copy(const BatchRow *from, DeskBatch *to, Err *err) {
  size_t size = 1;
#define ADD_SIZE(name) size += row_text_size(from->name);
  BATCH_TEXTS(ADD_SIZE)
#undef ADD_SIZE
  *to = (DeskBatch){*from, malloc(size)};
  char *at = to->texts;
  if (!at) {
    return err_nomem(err);
  }
#define KEEP(name) row_keep_text(&to->row.name, &at);
  BATCH_TEXTS(KEEP)
#undef KEEP
  return RC_OK;
}

static int take(void *arg, const BatchRow *batch, Err *err) {
  DeskBatches *b = arg;
  if (b->n == b->cap) {
    int cap = b->cap ? 2 * b->cap : 16;
    DeskBatch *more = realloc(b->list, (size_t)cap * sizeof *more);
    if (!more) {
      return err_nomem(err);
    }
    b->list = more;
    b->cap = cap;
  }
  return copy(batch, &b->list[b->n], err) == RC_OK ? (b->n++, RC_OK) : err->rc;
}

int desk_batches(Desk *d, BatchChoice which, DeskBatches *out, Err *err) {
  *out = (DeskBatches){.n = 0};
  return batches_each(d->store->db, which, d->queue, take, out, err);
}

int desk_batches_of_all(Desk *d, DeskBatches *out, Err *err) {
  *out = (DeskBatches){.n = 0};
  return batches_each(d->store->db, BATCHES_ALL, NULL, take, out, err);
}

/* One that is sought among all. */
typedef struct Sought {
  long long id;
  DeskBatch *out;
  int is_found;
} Sought;

static int take_one(void *arg, const BatchRow *batch, Err *err) {
  Sought *s = arg;
  if (batch->id == s->id) {
    s->is_found = copy(batch, s->out, err) == RC_OK;
  }
  return err->rc;
}

int desk_batch(Desk *d, long long id, DeskBatch *out, Err *err) {
  Sought s = {id, out, 0};
  *out = (DeskBatch){.texts = NULL};
  return batches_each(d->store->db, BATCHES_ALL, d->queue, take_one, &s, err) == RC_OK ? s.is_found
                                                                                       : -1;
}

int desk_embeds(const BatchRow *batch) {
  const BatchForm *form = batch_form_by_name(batch->form);
  const char *path = form ? form->endpoints[BATCH_EMBEDDINGS] : NULL;
  return path && strcmp(path, batch->endpoint) == 0;
}

static int is_same_host(const char *url, const char *other) {
  Url a, b;
  Err ignored = {0};
  return url_parse(url, &a, &ignored) == RC_OK && url_parse(other, &b, &ignored) == RC_OK &&
         strcmp(a.host, b.host) == 0 && a.port == b.port;
}

/* What the model is asked by stands in the batch; what it supports, in the configuration, where it is still there. How its key is
** sent, and headers, are the configuration's too, as long as it is asked at the same host. */
int desk_model(Desk *d, const BatchRow *batch, Model *model, Err *err) {
  const BatchForm *form = batch_form_by_name(batch->form);
  const Config *config = form ? conn_config_kept(d->conn, err) : NULL;
  Model known = {0};
  Err unknown = {0};
  char supports[120];
  if (!form) {
    return err_set(err, RC_ERROR, ERR_STORE, "batch %lld is of a form that is not known: '%.40s'",
                   batch->id, batch->form);
  }
  if (!config) {
    return err->rc;
  }
  int is_known = config_model(config, batch->model, &known, &unknown) == RC_OK;
  sqlite3_snprintf(sizeof supports, supports, "{\"batch\":\"%s\"%s}", form->name,
                   desk_embeds(batch) ? ",\"embeddings\":true" : "");
  Model made = {.name = batch->model,
                .provider = batch->provider,
                .api = form->api,
                .base_url = batch->base_url,
                .key_env = batch->key_env ? batch->key_env : "",
                .supports = supports};
  if (is_known) {
    Err ignored = {0};
    const BatchForm *now = batch_form_of(&known, &ignored);
    made.supports = now == form && known.supports[0] ? known.supports : supports;
    made.context_window = known.context_window;
    made.max_output = known.max_output;
    int is_there = is_same_host(known.base_url, batch->base_url);
    made.auth = is_there ? known.auth : "";
    made.headers = is_there ? known.headers : "";
  }
  config_model_copy(&made, model, err);
  config_model_free(&known);
  return err->rc;
}
