/*
** What one database connection holds: its settings, its store and its kept HTTP connections.
**
** Made when the extension is loaded, shared by all functions and tables registered with it, freed
** with the last of them. Used under the connection's mutex only.
**
** A process that got it by fork() uses neither the parent's sockets nor its store: it drops the first without a
** word to their other end, and opens the second anew. With the store 'main' that is the database connection
** itself: an error says to open one.
*/
#ifndef LLMCOST_CONN_H
#define LLMCOST_CONN_H

#include "base/clock.h"
#include "vec/cache/cache.h"
#include "conn/settings.h"
#include "base/error.h"
#include "core/request/options.h"
#include "net/transport.h"
#include "store/host/config.h"
#include "store/open.h"
#include "trust/node/node.h"

struct Conn;

/* What another room hangs on a connection: `size` zeroed bytes, made when first asked for. The type's address
** is its name. Each function may be NULL. */
typedef struct ConnSlot {
  size_t size;
  /* The connection closes; all else of it is still there. */
  void (*settle)(struct Conn *c, void *slot);
  /* After a fork: what it holds is the parent's. */
  void (*leave)(void *slot);
  /* Frees what it owns, not itself. */
  void (*free)(void *slot);
} ConnSlot;

enum { CONN_SLOTS = 12 };

/* Whom a request is to be sent to, and what it counts against the limits there. */
typedef struct ConnTurn {
  const char *provider, *base_url, *model;
  long long tokens; /* its input as estimated, and its longest answer where one was asked for */
} ConnTurn;

/* Who runs several requests of this connection side by side (work/pool): what they wait for, it waits for in their stead, while
** others go on. Each is as the function of this header that asks it. */
typedef struct ConnSide {
  int (*sleep)(void *arg, long long ms, Err *err);
  int (*turn)(void *arg, const ConnTurn *turn, long long *waited_ms, Err *err);
  int (*post)(void *arg, const NetRequest *request, NetResponse *response, Err *err);
  void *arg;
} ConnSide;

typedef struct Conn {
  sqlite3 *db;
  int refs;
  Settings set;
  pid_t pid;                     /* of the process that loaded the extension */
  Store *store;                  /* NULL until needed */
  long long trim_at;             /* monotonic ms: when keep_calls is looked at again */
  int is_closing;                /* nothing runs on db any more */
  int pins;                      /* requests on their way: see conn_pin */
  Net *net;                      /* NULL until needed */
  const ConnSide *side;          /* NULL: one request at a time */
  Config *config;                /* as last read; NULL until needed */
  unsigned glanced_version;      /* of the database, when conn_config_glance last looked */
  sqlite3_int64 glanced_changes; /* and what this connection had changed by then */
  CacheHost cache;               /* what semantic_cache tables ask of this connection */
  StoreHost host;                /* what the store does */
  Node node;                     /* where it runs */
  struct Guard *guard;           /* of names that a database file must not use */
  struct {
    const ConnSlot *type; /* NULL: from here on there is none */
    void *data;
  } slots[CONN_SLOTS + 1]; /* the last stays empty */
} Conn;

/* A new connection state with one reference; NULL without memory. `reads`: it is loaded as on a replica. `find` resolves the names of embedders for its
** semantic_cache tables (see cache.h). */
Conn *conn_new(sqlite3 *db, CacheFindEmbedder find, int reads);
Conn *conn_ref(Conn *c);
void conn_unref(void *c); /* of type Conn*: the destructor SQLite calls */

/* What hangs there under that name, made where it is not there yet. NULL and *err without memory. */
void *conn_slot(Conn *c, const ConnSlot *type, Err *err);

/* The same, or NULL where it was never asked for. */
void *conn_slot_if_any(const Conn *c, const ConnSlot *type);

/* The store, opened when first needed. `create` 0: NULL without error where there is none yet. */
Store *conn_store(Conn *c, int create, Err *err);

/* The store where it is open already and is this process's; else NULL. */
Store *conn_open_store(const Conn *c);

/* Adopts what there is: the store's tables in main, and the file of this connection's store. *in_main: only
** the former. An error where there is neither. */
int conn_trust_store(Conn *c, int *in_main, Err *err);

/* Where the store is or would be: a path, "main", or "mirror" on a replica that reads a copy of the ledger. Owned (sqlite3_free); NULL and *err without memory. */
char *conn_store_path(Conn *c, Err *err);

/* The store's file. NULL where it has none of its own, or where nobody has said yet where it is to be. Owned (sqlite3_free); *err
** without memory. */
char *conn_store_file(Conn *c, Err *err);

/* Trims the ledger to what the setting keep_calls keeps; nothing where there is no store, or no such setting. The other
** at most once an hour, and in silence: the next one goes on. */
int conn_trim(Conn *c, Err *err);
void conn_trim_if_due(Conn *c);

/* The user's configuration as it is now; borrowed until the next call. NULL and *err on failure. */
const Config *conn_config(Conn *c, Err *err);

/* The same as it was last read, be it a moment ago; read now where a reading failed since. */
const Config *conn_config_kept(Conn *c, Err *err);

/* The same for who asks all the time: read again where this connection has changed something since, or has seen another's
** change (with its next statement that reads the database), and rows of llm_models add something to requests. Nothing else of
** it is sure to be as it is now. */
const Config *conn_config_glance(Conn *c, Err *err);

/* While a request is on its way its configuration is the one that was read before it left: an interrupt, which
** lets no statement of this connection run, must not keep its answer from being priced. In pairs. */
void conn_pin(Conn *c);
void conn_unpin(Conn *c);

/* The HTTP side, opened when first needed. */
Net *conn_net(Conn *c, Err *err);

/* Closes it, unless others are on their way over it: the next request has a new one. */
void conn_drop_net(Conn *c);

/* Sends and waits, as net_post. */
int conn_post(Conn *c, const NetRequest *request, NetResponse *response, Err *err);

/* Waits until it is this request's turn to be sent, among those that run beside it; *waited_ms is how long, which is not the
** request's own time. RC_OK or *err. */
int conn_turn(Conn *c, const ConnTurn *turn, long long *waited_ms, Err *err);

/* 1 if the user pressed Ctrl-C (sqlite3_interrupt). Takes a Conn*. */
int conn_interrupted(void *c);

/* Sleeps in short steps. RC_OK, or RC_INTERRUPT as soon as interrupted. */
int conn_sleep(Conn *c, long long ms, Err *err);

/* Sets the error of a function: its name, then the message. */
void result_error(sqlite3_context *ctx, const char *function, const Err *err);

#endif
