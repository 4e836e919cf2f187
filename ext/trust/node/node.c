/*
** See node.h for the contract.
*/
#include "trust/node/node.h"

#include "trust/node/env.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- server mode: of the process */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int has_node; /* a connection of this process was on a node */

static void note_node(void) {
  pthread_mutex_lock(&lock);
  has_node = 1;
  pthread_mutex_unlock(&lock);
  err_leave_out_cures();
}

static int has_noted_node(void) {
  pthread_mutex_lock(&lock);
  int noted = has_node;
  pthread_mutex_unlock(&lock);
  return noted;
}

/* 1 if this program is called so. */
static int is_program(const char *name) {
  char path[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n < 0) {
    return 0;
  }
  path[n] = 0;
  const char *slash = strrchr(path, '/');
  return strcmp(slash ? slash + 1 : path, name) == 0;
}

static int is_server_process(void) {
  static int known = -1;
  pthread_mutex_lock(&lock);
  known = known < 0 ? is_program("sqld") : known;
  int is_server = known;
  pthread_mutex_unlock(&lock);
  return is_server;
}

/* What is set to anything but a 0 is set. */
static int is_switched_on(const char *name) {
  const char *said = env_get(name);
  return said && strcmp(said, "0") != 0;
}

static int is_locked_process(void) {
  return is_switched_on("LLMCOST_LOCK") || env_get("LLMCOST_ROLE") || has_noted_node() ||
         is_server_process();
}

/* --- roles */

int node_init(Node *node, sqlite3 *db) {
  const char *file = sqlite3_db_filename(db, "main");
  node->file = sqlite3_mprintf("%s", file ? file : "");
  if (is_locked_process()) {
    err_leave_out_cures();
  }
  return node->file ? SQLITE_OK : SQLITE_NOMEM;
}

void node_free(Node *node) {
  sqlite3_free(node->file);
  node->file = NULL;
}

/* Where the name of main's file begins. */
static size_t name_at(const Node *node) {
  const char *slash = strrchr(node->file, '/');
  return slash ? (size_t)(slash - node->file) + 1 : 0;
}

/* 1 if a file of that name lies beside main's. */
static int has_sibling(const Node *node, const char *name) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof path, "%.*s%s", (int)name_at(node), node->file, name);
  return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

static NodeRole role_by_files(const Node *node) {
  return strcmp(node->file + name_at(node), "data") != 0 ? NODE_ALONE
         : has_sibling(node, "client_wal_index")         ? NODE_REPLICA
         : has_sibling(node, "wallog")                   ? NODE_PRIMARY
         : is_server_process()                           ? NODE_UNCLEAR
                                                         : NODE_ALONE;
}

static NodeRole role_by_name(const char *name) {
  return strcasecmp(name, "primary") == 0   ? NODE_PRIMARY
         : strcasecmp(name, "replica") == 0 ? NODE_REPLICA
                                            : NODE_UNCLEAR;
}

NodeRole node_role(const Node *node) {
  const char *said = env_get("LLMCOST_ROLE");
  NodeRole role = node->is_reader ? NODE_REPLICA : said ? role_by_name(said) : role_by_files(node);
  if (role != NODE_ALONE) {
    note_node();
  }
  return role;
}

int node_is_copy(const Node *node) {
  int is_told = node->is_reader || env_get("LLMCOST_ROLE") || is_server_process();
  return is_told && node_role(node) == NODE_REPLICA;
}

const char *node_role_name(NodeRole role) {
  static const char *const names[] = {"alone", "primary", "replica", "unclear"};
  return names[role];
}

int node_may_change(const Node *node, Err *err) {
  const char *said = env_get("LLMCOST_ROLE");
  NodeRole role = node_role(node);
  if (role == NODE_UNCLEAR) {
    return err_set(
        err, RC_ERROR, ERR_REPLICA,
        "%s: nothing was sent or written; set it to primary or replica where this server is "
        "started",
        said ? "LLMCOST_ROLE says neither primary nor replica"
             : "nothing tells yet whether this node is a primary or a replica (LLMCOST_ROLE)");
  }
  return role != NODE_REPLICA ? RC_OK
                              : err_set(err, RC_ERROR, ERR_REPLICA,
                                        "this is a replica, which only reads: nothing was sent or "
                                        "written; ask on the primary, or as a"
                                        " write, which the server passes on: INSERT INTO … SELECT "
                                        "…, or BEGIN IMMEDIATE in a transaction of its own");
}

/* --- where a store may lie */

const char *node_database(const Node *node, int *n) {
  size_t end = name_at(node);
  end -= end > 0;
  size_t at = end;
  while (at > 0 && node->file[at - 1] != '/') {
    at--;
  }
  enum { MOST = 64 };
  *n = end - at < MOST ? (int)(end - at) : MOST;
  return node->file + at;
}

long long node_database_born(const Node *node) {
  struct statx st;
  int is_told = statx(AT_FDCWD, node->file, 0, STATX_BTIME, &st) == 0 && st.stx_mask & STATX_BTIME;
  return is_told ? st.stx_btime.tv_sec * 1000000000LL + st.stx_btime.tv_nsec : 0;
}

/* The length of the server's own folder, with its slash: what the databases' folder (dbs/NAME/data) is in; else that of main's file. */
static size_t server_folder(const Node *node) {
  const char *found = NULL;
  for (const char *at = node->file; (at = strstr(at, "/dbs/")) != NULL; at++) {
    found = at;
  }
  return found ? (size_t)(found - node->file) + 1 : name_at(node);
}

/* 1 if the folder `path` is in the server's, links followed; one that is not there yet by its name. */
static int is_inside(const Node *node, const char *path) {
  char folder[PATH_MAX], own[PATH_MAX], name[PATH_MAX];
  size_t n = server_folder(node);
  if (n == 0 || n >= sizeof name) {
    return 0;
  }
  memcpy(name, node->file, n);
  name[n] = 0;
  const char *mine = realpath(name, own) ? own : name;
  const char *theirs = realpath(path, folder) ? folder : path;
  size_t length = strlen(mine);
  length -= length > 1 && mine[length - 1] == '/';
  return strncmp(theirs, mine, length) == 0 && (theirs[length] == '/' || theirs[length] == 0);
}

int node_may_store_at(const Node *node, const char *path, Err *err) {
  NodeRole role = node_role(node);
  size_t n = path ? strlen(path) : 0;
  if (role == NODE_ALONE || (path && strcmp(path, "main") == 0)) {
    return RC_OK;
  }
  const char *fault =
      !path                   ? "is not set"
      : path[n - 1] != '/'    ? "is a file, which all databases of this server would share"
      : is_inside(node, path) ? "is inside of the server's own folder, which it may delete"
                              : NULL;
  return !fault ? RC_OK
                : err_set(err, RC_ERROR, ERR_STORE,
                          "on a server the store must be outside of the database's folder, and "
                          "LLMCOST_STORE %s: set it, where the server"
                          " is started, to a folder of its own that ends in '/' (a file for each "
                          "database), or to main",
                          fault);
}

/* --- server mode */

int node_is_locked(const Node *node) {
  return is_locked_process() || node_role(node) != NODE_ALONE;
}

int node_may_name(const Node *node, const char *what, Err *err) {
  return !node_is_locked(node) ? RC_OK
                               : err_set(err, RC_ERROR, ERR_SERVER_MODE,
                                         "%s is refused in server mode: only the environment of "
                                         "the server names files, hosts, keys and"
                                         " stores",
                                         what);
}
