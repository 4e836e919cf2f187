/*
** Per-connection state. See conn.h for the contract.
*/
#include "conn/conn.h"

#include "base/sqlite/columns.h"
#include "store/db/mode.h"
#include "store/mirror/mirror.h"
#include "store/retention.h"

#include "base/check.h"
#include "base/hash.h"
#include "trust/node/env.h"
#include "trust/guard.h"
#include "trust/mark.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The store's own connections have the module of llm_cache too; they end before this Conn. */
static int prepare_store(void *p, sqlite3 *db) {
  return sqlite3_create_module_v2(db, "semantic_cache", cache_module(), &((Conn *)p)->cache, NULL);
}

/* For the guard: whether tables called like ours are the store of this installation. */
static int is_own_store(void *p, const char *schema, Err *err) {
  Conn *c = p;
  return strcmp(schema, "main") == 0 && node_is_copy(&c->node) /* the primary has asked */
             ? 1
             : store_is_ours(c->db, schema, &c->host, err);
}

/* For tables that send what they are given. */
static int make_mark(void *p, const char *id, int create, char out[CACHE_MARK_SIZE], Err *err) {
  Mark mark;
  (void)p;
  mark_make(MARK_TABLE, id, create, &mark, err);
  sqlite3_snprintf(CACHE_MARK_SIZE, out, "%s", mark.mark);
  return err->rc;
}

Conn *conn_new(sqlite3 *db, CacheFindEmbedder find, int reads) {
  Conn *c = sqlite3_malloc64(sizeof *c);
  if (c) {
    memset(c, 0, sizeof *c);
    c->db = db;
    c->refs = 1;
    c->pid = getpid();
    c->cache = (CacheHost){c, find, make_mark, 0};
    c->host = (StoreHost){conn_interrupted, prepare_store, c, &c->node};
    c->node.is_reader = reads;
    c->guard = node_init(&c->node, db) == SQLITE_OK ? guard_new(db, is_own_store, c) : NULL;
    if (!c->guard) {
      node_free(&c->node);
      sqlite3_free(c);
      return NULL;
    }
    settings_init(&c->set);
  }
  return c;
}

Conn *conn_ref(Conn *c) {
  c->refs++;
  return c;
}

/* Where it hangs, or the first free place. */
static int place_of(const Conn *c, const ConnSlot *type) {
  int at = 0;
  while (c->slots[at].type && c->slots[at].type != type) {
    at++;
    CHECK(at < CONN_SLOTS);
  }
  return at;
}

void *conn_slot_if_any(const Conn *c, const ConnSlot *type) {
  return c->slots[place_of(c, type)].data;
}

void *conn_slot(Conn *c, const ConnSlot *type, Err *err) {
  int at = place_of(c, type);
  if (!c->slots[at].type) {
    c->slots[at].data = calloc(1, type->size);
    c->slots[at].type = c->slots[at].data ? type : NULL;
  }
  if (!c->slots[at].data) {
    err_nomem(err);
  }
  return c->slots[at].data;
}

/* After a fork: what waits is the parent's. */
static void leave_slots(Conn *c) {
  for (int i = 0; i < CONN_SLOTS && c->slots[i].type; i++) {
    if (c->slots[i].type->leave) {
      c->slots[i].type->leave(c->slots[i].data);
    }
  }
}

static void settle_slots(Conn *c) {
  for (int i = 0; i < CONN_SLOTS && c->slots[i].type; i++) {
    if (c->slots[i].type->settle) {
      c->slots[i].type->settle(c, c->slots[i].data);
    }
  }
}

static void free_slots(Conn *c) {
  for (int i = 0; i < CONN_SLOTS && c->slots[i].type; i++) {
    if (c->slots[i].type->free) {
      c->slots[i].type->free(c->slots[i].data);
    }
    free(c->slots[i].data);
  }
}

void conn_unref(void *p) {
  Conn *c = p;
  if (--c->refs > 0) {
    return;
  }
  c->is_closing = 1;
  if (c->store && store_is_inherited(c->store)) {
    leave_slots(c);
  } else {
    settle_slots(c);
  }
  if (store_close(c->store) != RC_OK) {
    sqlite3_log(SQLITE_WARNING,
                "llmcost: ledger rows could not be written when the connection closed");
  }
  net_close(c->net);
  config_free(c->config);
  free_slots(c);
  guard_free(c->guard);
  node_free(&c->node);
  settings_free(&c->set);
  sqlite3_free(c);
}

static int is_folder(const char *path) {
  size_t n = strlen(path);
  return n > 0 && path[n - 1] == '/';
}

/* A folder holds a file for each database, told apart by the hash of the database's path. On a server it is called like the server's
** database, and told apart by when that was made, too: one that was deleted and made again is another's. NULL, too,
** for a database in memory. */
static char *path_in_folder(Conn *c, const char *folder, Err *err) {
  char *beside = store_default_path(c->db, err), *path = NULL;
  if (beside) {
    const char *slash = strrchr(beside, '/'), *name = slash ? slash + 1 : beside;
    int length = (int)(strlen(name) - strlen("-llmcost"));
    unsigned long long id = hash_short(beside, strlen(beside));
    if (node_role(&c->node) != NODE_ALONE) {
      long long born = node_database_born(&c->node);
      const unsigned long long both[] = {id, (unsigned long long)born};
      name = node_database(&c->node, &length);
      id = born ? hash_short(both, sizeof both) : id;
    }
    path = sqlite3_mprintf("%s%.*s-%016llx-llmcost", folder, length, name, id);
    path ? RC_OK : err_nomem(err);
  }
  sqlite3_free(beside);
  return path;
}

/* Where the store is, or would be. */
typedef struct Place {
  const StoreMode *mode;
  char *path; /* in a file; else NULL. Owned (sqlite3_free) */
} Place;

static int is_there(Conn *c, const char *table, Err *err) {
  int found = 0, rc = column_look(c->db, "main", table, NULL, &found);
  return rc == SQLITE_OK ? found
                         : (err_set(err, rc & 0xff, ERR_STORE, "%s", sqlite3_errmsg(c->db)), 0);
}

/* On a replica, whatever it is told: the store that came with the database, or the copy of a ledger that did. */
static int find_copy(Conn *c, const char *said, Place *place, Err *err) {
  int in_main = said && strcmp(said, "main") == 0;
  if (!in_main && !is_there(c, MIRROR_CALLS, err)) {
    in_main = is_there(c, "llm_meta", err);
  }
  place->mode = in_main ? &mode_main : &mode_mirror;
  return err->rc;
}

/* Anywhere else: where it was said, else beside the database; of one in memory, in it. */
static int find_own(Conn *c, const char *said, Place *place, Err *err) {
  int in_main = said && strcmp(said, "main") == 0;
  place->path = in_main           ? NULL
                : !said           ? store_default_path(c->db, err)
                : is_folder(said) ? path_in_folder(c, said, err)
                                  : sqlite3_mprintf("%s", said);
  place->mode = place->path ? &mode_file : &mode_main;
  return !place->path && said && !in_main && !is_folder(said) ? err_nomem(err) : err->rc;
}

static int find_place(Conn *c, Place *place, Err *err) {
  const char *said = c->set.store ? c->set.store : env_get("LLMCOST_STORE");
  *place = (Place){NULL, NULL};
  NodeRole role = node_role(&c->node);
  return role == NODE_UNCLEAR                              ? node_may_change(&c->node, err)
         : role == NODE_REPLICA                            ? find_copy(c, said, place, err)
         : node_may_store_at(&c->node, said, err) == RC_OK ? find_own(c, said, place, err)
                                                           : err->rc;
}

char *conn_store_path(Conn *c, Err *err) {
  Place place;
  char *text = NULL;
  if (find_place(c, &place, err) == RC_OK) {
    text = place.path ? place.path : sqlite3_mprintf("%s", place.mode->name);
    text ? RC_OK : err_nomem(err);
  }
  return text;
}

char *conn_store_file(Conn *c, Err *err) {
  Place place;
  Err why = {0};
  if (find_place(c, &place, &why) != RC_OK && why.code != ERR_STORE) {
    *err = why;
  }
  return place.path;
}

/* 1 if there is something at that path, 0 if not, -1 where that can't be told. */
static int file_exists(const char *path, Err *err) {
  struct stat st;
  if (lstat(path, &st) == 0) {
    return 1;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return 0;
  }
  err_set(err, RC_ERROR, ERR_STORE, "the store '%s': %s", path, strerror(errno));
  return -1;
}

/* A file that the user named is adopted by that; "main" and a folder name none. */
static StoreTrust trust_in(const Conn *c) {
  if (node_is_copy(&c->node)) {
    return STORE_COPIED;
  }
  const char *said = c->set.store ? c->set.store : env_get("LLMCOST_STORE");
  return said && strcmp(said, "main") != 0 && !is_folder(said) ? STORE_NAMED : STORE_MARKED;
}

/* 1 if there is a store at that place, 0 if not, -1 error. */
static int store_exists(Conn *c, const Place *place, Err *err) {
  return place->path                                                ? file_exists(place->path, err)
         : place->mode != &mode_mirror                              ? store_has_schema(c->db, err)
         : is_there(c, MIRROR_CALLS, err) && node_is_copy(&c->node) ? 1
                                                                    : 0;
}

/* Opens the store; NULL without error where there is none yet and none is to be made. */
static Store *open_store(Conn *c, int create, Err *err) {
  Place place;
  Store *store = NULL;
  if (find_place(c, &place, err) != RC_OK) {
    return NULL;
  }
  int exists = create && place.mode != &mode_mirror ? 1 : store_exists(c, &place, err);
  if (!place.path && c->pid != getpid()) {
    err_set(err, RC_ERROR, ERR_STORE,
            "this connection was opened by process %ld, before fork(): with its own database as the"
            " store it can't be used here; open one in this process",
            (long)c->pid);
  } else if (exists == 1) {
    store = store_open(c->db, place.mode, place.path, trust_in(c), &c->host, err);
  } else if (exists == 0 && create) {
    node_may_change(&c->node, err); /* a replica to which nothing was copied */
  }
  sqlite3_free(place.path);
  return store;
}

int conn_trim(Conn *c, Err *err) {
  Store *store = c->set.keep_ms != SPEC_UNSET ? conn_store(c, 0, err) : NULL;
  return store ? retention_trim(store, c->set.keep_ms, now_ms(), err) : err->rc;
}

void conn_trim_if_due(Conn *c) {
  enum { EVERY_MS = 3600000 };
  Err ignored = {0};
  const Store *s = conn_open_store(c);
  int may_write = !s || !s->mode->may_write_ahead || s->mode->may_write_ahead(s);
  if (c->set.keep_ms != SPEC_UNSET && monotonic_ms() >= c->trim_at && may_write) {
    c->trim_at = monotonic_ms() + EVERY_MS;
    conn_trim(c, &ignored);
  }
}

Store *conn_open_store(const Conn *c) {
  return c->store && !store_is_inherited(c->store) ? c->store : NULL;
}

/* After a fork: nothing that the parent opened is used here. */
static int leave_parent(Conn *c, Err *err) {
  if (store_leave(err) == RC_OK) {
    leave_slots(c);
    store_close(c->store);
    c->store = NULL;
  }
  return err->rc;
}

Store *conn_store(Conn *c, int create, Err *err) {
  if (c->store && store_is_inherited(c->store) && leave_parent(c, err) != RC_OK) {
    return NULL;
  }
  if (c->store) {
    int is_there =
        create ? store_revive(c->store, err) == RC_OK : store_is_there(c->store, err) == 1;
    return is_there ? c->store : NULL;
  }
  c->store = open_store(c, create, err);
  return c->store;
}

/* Adopts a store; it is this connection's from now on where it is the one that this uses. */
static int adopt(Conn *c, int in_main, Err *err) {
  const Place main = {&mode_main, NULL};
  Place own;
  Store *store = NULL;
  if (find_place(c, &own, err) != RC_OK) {
    return 0;
  }
  const Place *place = in_main ? &main : &own;
  int uses_main = !own.path;
  if ((in_main || !uses_main) && store_exists(c, place, err) == 1) {
    store = store_open(c->db, place->mode, place->path, STORE_ADOPTED, &c->host, err);
  }
  sqlite3_free(own.path);
  int is_adopted = store != NULL;
  if (store && !c->store && in_main == uses_main) {
    c->store = store;
  } else {
    store_close(store);
  }
  return is_adopted;
}

int conn_trust_store(Conn *c, int *in_main, Err *err) {
  *in_main = adopt(c, 1, err);
  int in_file = err->rc == RC_OK ? adopt(c, 0, err) : 0;
  if (!*in_main && !in_file) {
    err_set(err, RC_ERROR, ERR_STORE, "there is no store here yet: nothing to trust");
  }
  *in_main &= !in_file;
  return err->rc;
}

const Config *conn_config(Conn *c, Err *err) {
  if ((c->is_closing || c->pins > 0) && c->config) {
    return c->config; /* the database can't be asked any more, or just now */
  }
  Config *now = config_read(c->db, c->config, err);
  if (now || err->rc != RC_INTERRUPT) {
    c->config = now;
  }
  return now;
}

const Config *conn_config_kept(Conn *c, Err *err) {
  return c->config ? c->config : conn_config(c, err);
}

const Config *conn_config_glance(Conn *c, Err *err) {
  unsigned version = 0;
  sqlite3_int64 changes = sqlite3_total_changes64(c->db);
  if (!c->config || c->is_closing || c->pins > 0) {
    return conn_config_kept(c, err);
  }
  sqlite3_file_control(c->db, "main", SQLITE_FCNTL_DATA_VERSION, &version);
  int is_alone = sqlite3_get_autocommit(c->db);
  int is_same = c->config->keep && version == c->glanced_version &&
                (changes == c->glanced_changes || is_alone);
  c->glanced_version = version;
  c->glanced_changes = changes;
  if (is_same || (!c->config->has_model_table && !is_alone)) {
    return c->config;
  }
  int adds =
      !c->config->has_model_table || config_adds(c->config) || config_adds_now(c->db, err) != 0;
  return err->rc != RC_OK ? NULL : adds ? conn_config(c, err) : c->config;
}

void conn_pin(Conn *c) {
  c->pins++;
}

void conn_unpin(Conn *c) {
  CHECK(c->pins > 0);
  c->pins--;
}

Net *conn_net(Conn *c, Err *err) {
  if (c->net && net_is_inherited(c->net)) {
    net_leave(c->net);
    c->net = NULL;
  }
  if (!c->net) {
    c->net = net_open(err);
  }
  return c->net;
}

void conn_drop_net(Conn *c) {
  if (c->net && !net_is_busy(c->net)) {
    net_close(c->net);
    c->net = NULL;
  }
}

int conn_post(Conn *c, const NetRequest *request, NetResponse *response, Err *err) {
  Net *net = node_may_change(&c->node, err) == RC_OK ? conn_net(c, err) : NULL;
  if (!net) {
    return err->rc;
  }
  return c->side ? c->side->post(c->side->arg, request, response, err)
                 : net_post(net, request, response, err);
}

int conn_turn(Conn *c, const ConnTurn *turn, long long *waited_ms, Err *err) {
  *waited_ms = 0;
  return c->side ? c->side->turn(c->side->arg, turn, waited_ms, err) : RC_OK;
}

/* sqlite3_is_interrupted() is newer than 3.40; a statement that starts while the flag is up says
** so too. (While there is no memory for it, nobody can be heard.) */
int conn_interrupted(void *p) {
  Conn *c = p;
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(c->db, "SELECT 1", -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
    rc = sqlite3_finalize(stmt);
  }
  return (rc & 0xff) == SQLITE_INTERRUPT;
}

int conn_sleep(Conn *c, long long ms, Err *err) {
  if (c->side) {
    return c->side->sleep(c->side->arg, ms, err);
  }
  long long until = monotonic_ms() + ms;
  for (long long left = ms; left > 0; left = until - monotonic_ms()) {
    if (conn_interrupted(c)) {
      return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
    }
    sqlite3_sleep((int)(left < LIMIT_POLL_MS ? left : LIMIT_POLL_MS));
  }
  return RC_OK;
}

void result_error(sqlite3_context *ctx, const char *function, const Err *err) {
  char text[LIMIT_ERROR_TEXT + 128];
  if (err->rc == RC_NOMEM) {
    sqlite3_result_error_nomem(ctx);
    return;
  }
  sqlite3_snprintf((int)sizeof text, text, "%s: %s%s", function, err->msg, err_advice(err));
  sqlite3_result_error(ctx, text, -1);
  sqlite3_result_error_code(ctx, err->rc);
}
