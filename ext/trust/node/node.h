/*
** Where a connection runs: alone, or on a node of a server that copies its database to others (libSQL server, "sqld").
**
** A node's copy is made page by page from what the primary's own connections write. What is written on a replica, or
** past the server, makes its copy another database and then a damaged one, and nothing of SQLite says so: so the role
** is known here, and what pays, sends or writes asks first.
**
** Who says which it is, the first that does: the entry point (sqlite3_llmcostro_init: the library deployed as
** llmcost_ro.so on replicas); LLMCOST_ROLE; what lies beside main's file, which libSQL server calls `data`:
** `client_wal_index` beside it is a replica's, `wallog` a primary's. The files are looked at each time, because a replica
** that has just started does not have them yet.
**
** Server mode: others' SQL runs here, with the rights of the server's process. It stands from the first node's connection of
** the process on, and wherever LLMCOST_LOCK is set: hosts, keys, files and stores are then named by the environment alone.
*/
#ifndef LLMCOST_NODE_H
#define LLMCOST_NODE_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

typedef enum NodeRole {
  NODE_ALONE,   /* no server is known of */
  NODE_PRIMARY, /* it may write, through the connections that the server sees */
  NODE_REPLICA, /* it reads */
  NODE_UNCLEAR  /* a server's, and nothing tells which: as a replica, until something does */
} NodeRole;

typedef struct Node {
  int is_reader; /* loaded by the entry point for replicas */
  char *
      file; /* of main, "" for none; owned. (While a connection closes SQLite can't be asked any more) */
} Node;

/* Of a connection. RC_OK or SQLITE_NOMEM. */
int node_init(Node *node, sqlite3 *db);
void node_free(Node *node);

NodeRole node_role(const Node *node);

/* "alone", "primary", "replica", "unclear". */
const char *node_role_name(NodeRole role);

/* 1 if main is a copy that the server makes of the primary's: who said so is the operator, or the program that runs is the server.
** (Files beside a database may be anybody's: they make it read-only here, and no more trusted.) */
int node_is_copy(const Node *node);

/* RC_OK where that node may pay, send and write; else an error (code "replica") that says how it is asked on the
** primary. Nothing was done. */
int node_may_change(const Node *node, Err *err);

/* RC_OK, or an error where a store may not lie at that path (of a folder if it ends in '/'; "main"): on a node of a
** server, in a file that all databases would share, or inside of the server's own folder, which it may delete. NULL: nobody said where. */
int node_may_store_at(const Node *node, const char *path, Err *err);

/* The name of the server's database ("default", or its namespace): what the folder of main's file is called, its first bytes. Borrowed
** from the node, *n its length. And when its file was made, in nanoseconds; 0 where the file system does not say. */
const char *node_database(const Node *node, int *n);
long long node_database_born(const Node *node);

/* 1 in server mode. */
int node_is_locked(const Node *node);

/* RC_OK, or an error (code "server_mode") in server mode: `what` is refused. */
int node_may_name(const Node *node, const char *what, Err *err);

#endif
