/*
** See columns.h for the contract.
*/
#include "work/map/columns.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int name_columns(MapColumns *c, sqlite3_stmt *stmt, Err *err) {
  c->n = sqlite3_column_count(stmt);
  c->names = calloc((size_t)c->n, sizeof *c->names);
  c->uses = calloc((size_t)c->n, sizeof *c->uses);
  if (!c->names || !c->uses) {
    return err_nomem(err);
  }
  for (int i = 0; i < c->n && err->rc == RC_OK; i++) {
    const char *name = sqlite3_column_name(stmt, i);
    c->names[i] = name ? strdup(name) : NULL;
    if (!c->names[i]) {
      err_nomem(err);
    }
  }
  return err->rc;
}

/* What the columns behind the prompt are: options of their row. */
static int use_rest(MapColumns *c, Err *err) {
  for (int i = 2; i < c->n; i++) {
    if (!options_know(c->names[i])) {
      return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                     "column %d, '%.80s', is no option of a call: the first column of the SELECT is the key, the"
                     " second the prompt, others are named after options (model, tag, …); a template over the columns is"
                     " the option 'prompt'",
                     i + 1, c->names[i]);
    }
    c->uses[i] = COLUMN_OPTION;
    c->has_options = 1;
  }
  return RC_OK;
}

int map_columns_read(MapColumns *c, sqlite3_stmt *stmt, const MapOptions *options, Err *err) {
  *c = (MapColumns){.options = options};
  if (name_columns(c, stmt, err) != RC_OK) {
    return err->rc;
  }
  c->uses[0] = COLUMN_KEY;
  if (c->n < 2) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "the SELECT has one column: the first is the key, the second the prompt");
  }
  c->uses[1] = strcasecmp(c->names[1], "messages") == 0 ? COLUMN_MESSAGES : COLUMN_PROMPT;
  return use_rest(c, err);
}

void map_columns_free(MapColumns *c) {
  for (int i = 0; i < c->n && c->names; i++) {
    free(c->names[i]);
  }
  free(c->names);
  free(c->uses);
}

/* Its type and its bytes. */
static unsigned long long hash_value(sqlite3_stmt *row, int at) {
  int type = sqlite3_column_type(row, at);
  const void *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(row, at) : (const void *)sqlite3_column_text(row, at);
  size_t n = (size_t)sqlite3_column_bytes(row, at);
  return hash_short(bytes ? bytes : "", n) ^ (unsigned long long)type;
}

long long map_columns_hash(const MapColumns *c, sqlite3_stmt *row, int first) {
  unsigned long long pair[2] = {0, 0};
  for (int i = 1; i < c->n; i++) {
    if (c->uses[i] != COLUMN_UNUSED) {
      pair[1] = hash_value(row, first + i);
      pair[0] = hash_short(pair, sizeof pair);
    }
  }
  return (long long)pair[0];
}

/* ---- a row's own options */

static cJSON *value_json(sqlite3_stmt *row, int at) {
  int type = sqlite3_column_type(row, at);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT
             ? cJSON_CreateNumber(sqlite3_column_double(row, at))
             : cJSON_CreateString((const char *)sqlite3_column_text(row, at));
}

/* Puts the row's values in place of those that are given for all. */
static int put_options(const MapColumns *c, sqlite3_stmt *row, int first, cJSON *to, Err *err) {
  for (int i = 2; i < c->n && err->rc == RC_OK; i++) {
    int at = first + i, type = sqlite3_column_type(row, at);
    if (c->uses[i] != COLUMN_OPTION || type == SQLITE_NULL) {
      continue;
    }
    if (type == SQLITE_BLOB) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option '%s': a BLOB", c->names[i]);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(to, c->names[i]);
    json_add(to, c->names[i], value_json(row, at), err);
  }
  return err->rc;
}

static int read_own(const MapColumns *c, sqlite3_stmt *row, int first, MapAsk *ask, Err *err) {
  const cJSON *base = c->options->call.doc;
  cJSON *tree = base ? cJSON_Duplicate(base, 1) : cJSON_CreateObject();
  if (!tree) {
    return err_nomem(err);
  }
  put_options(c, row, first, tree, err);
  char *text = json_print(tree, err);
  if (text) {
    ask->has_own = options_parse(text, strlen(text), &ask->own, err) == RC_OK;
    ask->own.on_error = ON_ERROR_NULL;
  }
  cJSON_free(text);
  return err->rc;
}

/* ---- its prompt */

static int take_text(sqlite3_stmt *row, int at, MapAsk *ask, Err *err) {
  if (sqlite3_column_type(row, at) == SQLITE_BLOB) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "the prompt is a BLOB: CAST(… AS TEXT) makes a text of its bytes");
  }
  const char *text = (const char *)sqlite3_column_text(row, at);
  size_t n = (size_t)sqlite3_column_bytes(row, at);
  return text && buf_add(&ask->text, text, n) == RC_OK ? RC_OK : err_nomem(err);
}

int map_columns_ask(const MapColumns *c, sqlite3_stmt *row, int first, MapAsk *ask, Err *err) {
  *ask = (MapAsk){.is_null = sqlite3_column_type(row, first + 1) == SQLITE_NULL};
  buf_init(&ask->text, (size_t)1 << 30);
  if (ask->is_null || take_text(row, first + 1, ask, err) != RC_OK ||
      (c->has_options && read_own(c, row, first, ask, err) != RC_OK)) {
    return err->rc;
  }
  const Options *o = ask->has_own ? &ask->own : &c->options->call;
  const char *text = ask->text.data ? ask->text.data : "";
  return c->uses[1] == COLUMN_MESSAGES
             ? request_from_messages(text, ask->text.n, o, &ask->request, err)
             : request_from_prompt(text, ask->text.n, o, &ask->request, err);
}

void map_ask_done(MapAsk *ask) {
  request_free(&ask->request);
  if (ask->has_own) {
    options_free(&ask->own);
  }
  buf_free(&ask->text);
  *ask = (MapAsk){.is_null = 1};
}
