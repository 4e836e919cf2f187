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
#include "base/error.h"
#include "core/request/options.h"
#include "net/transport.h"
#include "store/config.h"
#include "store/open.h"

typedef enum CacheScope { SCOPE_SHARED, SCOPE_USER } CacheScope;
typedef enum LogText { LOG_FULL, LOG_HASH, LOG_NONE } LogText;

/* Settings of llm_config; see the table in config.c for their meaning. */
typedef struct Settings {
  char *store;           /* path, "main", or NULL: beside the database */
  char *proxy;           /* NULL: none */
  char *minilm;          /* path of MiniLM's weights, or NULL: beside the library */
  int log_text;          /* LogText */
  int cache;             /* CacheMode that requests have unless they say otherwise */
  int scope;             /* CacheScope */
  double max_false_hits; /* of the built-in semantic cache; NAN: its threshold is fixed */
  long long ttl_ms, timeout_ms, connect_timeout_ms, idle_timeout_ms, retries, backoff_ms;
} Settings;

typedef struct LocalModel LocalModel; /* embedders.c */
typedef struct Pricing Pricing;       /* pricing.c */

/* A provider's embedding model that tables of this connection use. */
typedef struct RemoteModel {
  struct RemoteModel *next;
  struct Conn *conn;
  char name[LIMIT_MODEL_NAME];
  int dim;
} RemoteModel;

/* How many tokens a model that is estimated bills, as the ledger taught (counter.c). */
typedef struct Learned {
  struct Learned *next;
  char *model;
  double factor;      /* where n > 0 */
  int n;              /* bills it was learned from */
  long long newest;   /* id of the ledger then */
  long long asked_ms; /* when the ledger was last asked whether it has grown; 0: never */
} Learned;

typedef struct Conn {
  sqlite3 *db;
  int refs;
  Settings set;
  pid_t pid;                    /* of the process that loaded the extension */
  Store *store;                 /* NULL until needed */
  struct Parked *parked;        /* calls that wait for memory or room: a list */
  int is_closing;               /* nothing runs on db any more */
  Net *net;                     /* NULL until needed */
  Config *config;               /* as last read; NULL until needed */
  Pricing *pricing;             /* what prices were looked up; NULL until needed */
  RemoteModel *remote;          /* a list */
  LocalModel *local;            /* MiniLM; NULL until needed */
  Learned *learned;             /* a list */
  struct EncodingCache *pieces; /* of texts counted lately; NULL until needed */
  CacheHost cache;              /* what semantic_cache tables ask of this connection */
  StoreHost host;               /* what the store does */
  struct Guard *guard;          /* of names that a database file must not use */
} Conn;

/* A new connection state with one reference; NULL without memory. */
Conn *conn_new(sqlite3 *db);
Conn *conn_ref(Conn *c);
void conn_unref(void *c); /* of type Conn*: the destructor SQLite calls */

/* The store, opened when first needed. `create` 0: NULL without error where there is none yet. */
Store *conn_store(Conn *c, int create, Err *err);

/* The store where it is open already and is this process's; else NULL. */
Store *conn_open_store(const Conn *c);

/* Adopts what there is: the store's tables in main, and the file of this connection's store. *in_main: only
** the former. An error where there is neither. */
int conn_trust_store(Conn *c, int *in_main, Err *err);

/* Where the store is or would be: a path, or "main". Owned (sqlite3_free); NULL and *err without memory. */
char *conn_store_path(Conn *c, Err *err);

/* The user's configuration as it is now; borrowed until the next call. NULL and *err on failure. */
const Config *conn_config(Conn *c, Err *err);

/* The HTTP side, opened when first needed. */
Net *conn_net(Conn *c, Err *err);

/* Closes it: the next request has a new one. */
void conn_drop_net(Conn *c);

/* 1 if the user pressed Ctrl-C (sqlite3_interrupt). Takes a Conn*. */
int conn_interrupted(void *c);

/* Sleeps in short steps. RC_OK, or RC_INTERRUPT as soon as interrupted. */
int conn_sleep(Conn *c, long long ms, Err *err);

/* Sets the error of a function: its name, then the message. */
void result_error(sqlite3_context *ctx, const char *function, const Err *err);

#endif
