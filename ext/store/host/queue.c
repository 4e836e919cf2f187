/*
** See queue.h for the contract.
**
** What is there is compared by its text with what sql/queue.sql makes of an empty database, as SQLite reads it (ddl.h): the columns
** name and tbl_name of sqlite_schema say whatever a file's author liked. A trigger is on the table that stands behind its first ON
** outside of quotes; an index of the user's own is welcome.
*/
#include "store/host/queue.h"

#include "base/sqlite/ddl.h"
#include "base/sqlite/savepoint.h"
#include "sql/sql_text.h"
#include "store/host/host.h"

#include <stdlib.h>
#include <string.h>

#define TABLE "batch_submit"

/* Ours of a name. */
typedef struct Ours {
  char *name, *form; /* owned (sqlite3_free) */
  int is_found;
} Ours;

enum { MOST_OURS = 16 };

typedef struct Model {
  Ours at[MOST_OURS];
  int n;
} Model;

static void model_free(Model *m) {
  for (int i = 0; i < m->n; i++) {
    sqlite3_free(m->at[i].name);
    sqlite3_free(m->at[i].form);
  }
}

/* The text in the form that is compared, owned (sqlite3_free). */
static char *form_of(const char *sql, Err *err) {
  size_t n = strlen(sql);
  char *form = sqlite3_malloc64(n + 1);
  if (form) {
    ddl_normalize(sql, n, form);
  } else {
    err_nomem(err);
  }
  return form;
}

static int add_ours(void *arg, const char *sql, Err *err) {
  Model *m = arg;
  Ddl d;
  if (m->n == MOST_OURS) {
    return err_set(err, RC_ERROR, ERR_CONFIG, "more than %d objects", MOST_OURS);
  }
  ddl_start(&d, sql, strlen(sql));
  Ours *o = &m->at[m->n++];
  *o = (Ours){sqlite3_mprintf("%.*s", (int)d.n_name, d.name), form_of(sql, err), 0};
  return o->name ? err->rc : err_nomem(err);
}

/* Gives the text of each object of main. */
static int each_object(sqlite3 *db, int (*take)(void *arg, const char *sql, Err *err), void *arg,
                       Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(
      db, "SELECT sql FROM main.sqlite_schema NOT INDEXED WHERE sql IS NOT NULL", -1, &stmt, NULL);
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *sql = (const char *)sqlite3_column_text(stmt, 0);
    sql ? take(arg, sql, err) : err_nomem(err);
    rc = SQLITE_OK;
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    host_error(db, "read the schema", err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int read_model(Model *m, Err *err) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(":memory:", &db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  rc = rc == SQLITE_OK ? sqlite3_exec(db, sql_queue_sql, NULL, NULL, NULL) : rc;
  if (rc == SQLITE_OK) {
    each_object(db, add_ours, m, err);
  } else {
    rc == SQLITE_NOMEM ? (void)err_nomem(err) : (void)host_error(db, "make a table", err);
  }
  sqlite3_close(db);
  return err->rc;
}

/* 1 if a trigger is on our table. */
static int is_on_table(const Ddl *trigger) {
  Ddl d = *trigger;
  const char *word;
  size_t n;
  int is_found = 0;
  while (!is_found && ddl_next_word(&d, &word, &n)) {
    is_found = !d.quote && ddl_is_name(word, n, "on");
  }
  is_found = is_found && ddl_next_word(&d, &word, &n);
  if (is_found && ddl_is_name(word, n, "main")) {
    is_found = ddl_next_word(&d, &word, &n);
  }
  return is_found && ddl_is_name(word, n, TABLE);
}

static Ours *find_named(Model *m, const Ddl *d) {
  Ours *found = NULL;
  for (int i = 0; i < m->n && !found; i++) {
    found = ddl_is_name(d->name, d->n_name, m->at[i].name) ? &m->at[i] : NULL;
  }
  return found;
}

static int refuse(const Ddl *d, Err *err) {
  char shown[64];
  ddl_show_name(d->name, d->n_name, shown, sizeof shown);
  return err_set(err, RC_ERROR, ERR_CONFIG,
                 TABLE
                 " is not as llm_init() makes it: the %s '%s' is another's: nothing was sent; drop"
                 " it (triggers of yours belong into TEMP)",
                 ddl_kind_name(d->kind), shown);
}

static int look_at(void *arg, const char *sql, Err *err) {
  Model *m = arg;
  Ddl d;
  ddl_start(&d, sql, strlen(sql));
  Ours *ours = find_named(m, &d);
  if (!ours) {
    return d.kind == DDL_TRIGGER && is_on_table(&d) ? refuse(&d, err) : err->rc;
  }
  char *form = form_of(sql, err);
  if (form && strcmp(form, ours->form) == 0) {
    ours->is_found = 1;
  } else if (form && !ddl_is_name(d.name, d.n_name, TABLE)) {
    refuse(&d, err); /* (the table's columns are named instead) */
  }
  sqlite3_free(form);
  return err->rc;
}

/* Columns of a table as one text: "a b c"; owned (sqlite3_free). `others` as such a text: only those that are not in it. */
static char *columns_of(sqlite3 *db, const char *others, Err *err) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *list = sqlite3_str_new(NULL);
  int rc = sqlite3_prepare_v2(db, "PRAGMA main.table_xinfo(" TABLE ")", -1, &stmt, NULL);
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(stmt, 1);
    char *framed = sqlite3_mprintf(" %s ", name ? name : "");
    if (framed && (!others || !strstr(others, framed))) {
      sqlite3_str_appendf(list, "%s%.60s", sqlite3_str_length(list) ? " " : "", name);
    }
    rc = name && framed ? SQLITE_OK : SQLITE_NOMEM;
    sqlite3_free(framed);
  }
  int end = sqlite3_finalize(stmt);
  char *text = sqlite3_str_finish(list);
  if (rc != SQLITE_OK || end != SQLITE_OK) {
    host_error(db, "read the columns of " TABLE, err);
  }
  return text;
}

/* The table has another text than ours. */
static int refuse_table(sqlite3 *host, Err *err) {
  static const char ours[] = " id custom_id prompt system model options tag user conversation"
                             " priority deadline attempts status answer error cost_usd batch_id"
                             " created_at finished_at ";
  char *more = columns_of(host, ours, err);
  if (err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_CONFIG,
            TABLE " is not as llm_init() makes it (%s%.200s): nothing was sent; %s",
            more ? "its columns " : "its columns or checks are others", more ? more : "",
            more ? "drop them, or keep them in a table of yours"
                 : "rename it, and SELECT llm_init()");
  }
  sqlite3_free(more);
  return err->rc;
}

/* How many of ours are there. */
static int count_found(const Model *m, const char **missing) {
  int n = 0;
  for (int i = 0; i < m->n; i++) {
    n += m->at[i].is_found;
    *missing = m->at[i].is_found ? *missing : m->at[i].name;
  }
  return n;
}

/* The queue's name. One that is none is as good as missing. */
static int read_id(sqlite3 *host, char id[QUEUE_ID], Err *err) {
  sqlite3_stmt *stmt = NULL;
  id[0] = 0;
  int rc =
      sqlite3_prepare_v2(host,
                         "SELECT id FROM main.batch_queue WHERE one = 1 AND typeof(id) = 'text'"
                         " AND length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'",
                         -1, &stmt, NULL);
  if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    sqlite3_snprintf(QUEUE_ID, id, "%s", text ? text : "");
  }
  int end = sqlite3_finalize(stmt);
  if (rc != SQLITE_OK || end != SQLITE_OK) {
    return host_error(host, "read the queue's name", err);
  }
  return id[0] ? RC_OK
               : err_set(err, RC_ERROR, ERR_CONFIG, "batch_queue has no name: SELECT llm_init()");
}

/* The plain table or nothing has that name; whether it is there in *is_there. */
static int note_table(void *arg, const char *sql, Err *err) {
  int *is_there = arg;
  Ddl d;
  ddl_start(&d, sql, strlen(sql));
  if (ddl_is_name(d.name, d.n_name, TABLE) && d.kind != DDL_INDEX && d.kind != DDL_TRIGGER) {
    *is_there = 1;
    if (d.kind != DDL_TABLE || d.is_temp) {
      refuse(&d, err);
    }
  }
  return err->rc;
}

static int look(sqlite3 *host, Model *m, char id[QUEUE_ID], Err *err) {
  int is_there = 0;
  const char *missing = NULL;
  if (each_object(host, note_table, &is_there, err) != RC_OK || read_model(m, err) != RC_OK ||
      each_object(host, look_at, m, err) != RC_OK) {
    return -1;
  }
  int n = count_found(m, &missing);
  if (!is_there) {
    return 0;
  }
  if (missing && strcmp(missing, TABLE) == 0) {
    refuse_table(host, err);
  } else if (n < m->n) {
    err_set(err, RC_ERROR, ERR_CONFIG, TABLE " lacks %s of llm_init(): SELECT llm_init()", missing);
  }
  return err->rc == RC_OK && read_id(host, id, err) == RC_OK ? 1 : -1;
}

int queue_look(sqlite3 *host, char id[QUEUE_ID], Err *err) {
  Model m = {.n = 0};
  id[0] = 0;
  int state = look(host, &m, id, err);
  model_free(&m);
  return err->rc == RC_OK ? state : -1;
}

/* Runs statements in a savepoint of their own. */
static int change(sqlite3 *host, const char *sql, const char *doing, Err *err) {
  Savepoint savepoint;
  if (savepoint_begin(host, &savepoint) != SQLITE_OK) {
    return host_error(host, doing, err);
  }
  if (sqlite3_exec(host, sql, NULL, NULL, NULL) != SQLITE_OK) {
    host_error(host, doing, err);
  }
  return host_end(host, &savepoint, err);
}

int queue_make(sqlite3 *host, Err *err) {
  int is_there = 0;
  return each_object(host, note_table, &is_there, err) == RC_OK
             ? change(host, sql_queue_sql, "create " TABLE, err)
             : err->rc;
}

int queue_rename(sqlite3 *host, char id[QUEUE_ID], Err *err) {
  static const char rename[] = "UPDATE main.batch_queue SET id = lower(hex(randomblob(16)))";
  return change(host, rename, "rename the queue", err) == RC_OK ? read_id(host, id, err) : err->rc;
}
