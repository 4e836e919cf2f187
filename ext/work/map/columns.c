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

/* (What a dry run gives is no answer, and what an error does is the statement's.) */
static int is_option(const MapColumns *c, int at) {
  const char *name = c->names[at];
  return at > 0 && options_know(name) && strcmp(name, "dry_run") != 0 &&
         strcmp(name, "on_error") != 0;
}

static int use_option(MapColumns *c, int at, Err *err) {
  for (int i = 0; i < at; i++) {
    if (c->uses[i] == COLUMN_OPTION && strcmp(c->names[i], c->names[at]) == 0) {
      return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "two columns are the option '%.80s'",
                     c->names[at]);
    }
  }
  c->uses[at] = COLUMN_OPTION;
  c->has_options = 1;
  return RC_OK;
}

/* A key, a prompt, and options of their row. */
static int use_prompt(MapColumns *c, Err *err) {
  if (c->n < 2) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "the SELECT has one column: the first is the key, the second the prompt");
  }
  c->uses[1] = strcasecmp(c->names[1], "messages") == 0 ? COLUMN_MESSAGES : COLUMN_PROMPT;
  for (int i = 2; i < c->n; i++) {
    if (!is_option(c, i)) {
      return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                     "column %d, '%.80s', is no option of a call: the first column of the SELECT is"
                     " the key, the second the prompt, others are named after options (model, tag,"
                     " …); a prompt made of several columns is the option 'prompt' or 'fields'",
                     i + 1, c->names[i]);
    }
    if (use_option(c, i, err) != RC_OK) {
      break;
    }
  }
  return err->rc;
}

/* A template names the columns that it wants; of the others those are options that are named so. */
static int use_template(MapColumns *c, Err *err) {
  const char *text = c->options->prompt;
  c->template = template_parse(text, strlen(text), (const char *const *)c->names, c->n, err);
  c->values = calloc((size_t)c->n, sizeof *c->values);
  if (!c->template || !c->values) {
    return err->rc != RC_OK ? err->rc : err_nomem(err);
  }
  for (int i = 0; i < c->n; i++) {
    if (template_uses(c->template, i)) {
      c->uses[i] = COLUMN_FIELD;
    } else if (is_option(c, i)) {
      use_option(c, i, err);
    }
  }
  return err->rc;
}

/* All but the key and options are fields. */
static int use_fields(MapColumns *c, Err *err) {
  size_t n = (size_t)c->n;
  c->fields = calloc(n, sizeof *c->fields);
  c->titles = calloc(n, sizeof *c->titles);
  c->order = calloc(n, sizeof *c->order);
  c->cells = calloc(n, sizeof *c->cells);
  if (!c->fields || !c->titles || !c->order || !c->cells) {
    return err_nomem(err);
  }
  for (int i = 1; i < c->n; i++) {
    if (is_option(c, i)) {
      use_option(c, i, err);
      continue;
    }
    c->uses[i] = COLUMN_FIELD;
    c->order[c->n_fields] = c->n_fields;
    c->titles[c->n_fields] = c->names[i];
    c->fields[c->n_fields++] = i;
  }
  return err->rc != RC_OK  ? err->rc
         : c->n_fields > 0 ? fields_check(c->titles, c->n_fields, err)
                           : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                                     "the SELECT has no column for 'fields': the first is the key");
}

int map_columns_read(MapColumns *c, sqlite3_stmt *stmt, const MapOptions *options, Err *err) {
  *c = (MapColumns){.options = options};
  if (name_columns(c, stmt, err) != RC_OK) {
    return err->rc;
  }
  c->uses[0] = COLUMN_KEY;
  return options->prompt   ? use_template(c, err)
         : options->fields ? use_fields(c, err)
                           : use_prompt(c, err);
}

void map_columns_free(MapColumns *c) {
  for (int i = 0; i < c->n && c->names; i++) {
    free(c->names[i]);
  }
  free(c->names);
  free(c->uses);
  template_free(c->template);
  free(c->fields);
  free(c->titles);
  free(c->order);
  free(c->values);
  free(c->cells);
}

static int is_asked(const MapColumns *c, int at) {
  return c->uses[at] != COLUMN_UNUSED && c->uses[at] != COLUMN_KEY;
}

/* Its type and its bytes. */
static unsigned long long hash_value(sqlite3_stmt *row, int at) {
  int type = sqlite3_column_type(row, at);
  const void *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(row, at)
                                          : (const void *)sqlite3_column_text(row, at);
  size_t n = (size_t)sqlite3_column_bytes(row, at);
  return hash_short(bytes ? bytes : "", n) ^ (unsigned long long)type;
}

long long map_columns_hash(const MapColumns *c, sqlite3_stmt *row, int first) {
  unsigned long long pair[2] = {0, 0};
  for (int i = 0; i < c->n; i++) {
    if (is_asked(c, i)) {
      pair[1] = hash_value(row, first + i);
      pair[0] = hash_short(pair, sizeof pair);
    }
  }
  return (long long)pair[0];
}

/* ---- a row's own options */

/* A text of an option that takes arrays or objects, and is one, is that: SQL has no others. */
static cJSON *text_json(const char *name, const char *text) {
  Err ignored = {0};
  cJSON *tree =
      text && options_take_json(name) ? json_parse(text, strlen(text), "", &ignored) : NULL;
  if (cJSON_IsArray(tree) || cJSON_IsObject(tree)) {
    return tree;
  }
  cJSON_Delete(tree);
  return cJSON_CreateString(text);
}

static cJSON *value_json(sqlite3_stmt *row, int at, const char *name) {
  int type = sqlite3_column_type(row, at);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT
             ? cJSON_CreateNumber(sqlite3_column_double(row, at))
             : text_json(name, (const char *)sqlite3_column_text(row, at));
}

/* Puts the row's values in place of those that are given for all. */
static int put_options(const MapColumns *c, sqlite3_stmt *row, int first, cJSON *to, Err *err) {
  for (int i = 1; i < c->n && err->rc == RC_OK; i++) {
    int at = first + i, type = sqlite3_column_type(row, at);
    if (c->uses[i] != COLUMN_OPTION || type == SQLITE_NULL) {
      continue;
    }
    if (type == SQLITE_BLOB) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option '%s': a BLOB", c->names[i]);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(to, c->names[i]);
    json_add(to, c->names[i], value_json(row, at, c->names[i]), err);
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

static int too_big(int rc, Err *err) {
  return rc == RC_NOMEM ? err_nomem(err)
                        : err_set(err, RC_TOOBIG, ERR_TOO_BIG, "a prompt of more than %zu bytes",
                                  LIMIT_REQUEST_BYTES);
}

/* Borrowed until the next step. */
static int read_text(const MapColumns *c, sqlite3_stmt *row, int at, TemplateValue *v, Err *err) {
  *v = (TemplateValue){0};
  if (sqlite3_column_type(row, at) == SQLITE_BLOB) {
    return err_set(err, RC_ERROR, ERR_BAD_PROMPT,
                   "column '%.80s' is a BLOB: CAST(… AS TEXT) makes a text of its bytes",
                   c->names[at - sqlite3_column_count(row) + c->n]);
  }
  v->text = (const char *)sqlite3_column_text(row, at);
  v->n = (size_t)sqlite3_column_bytes(row, at);
  int is_lost = !v->text && sqlite3_column_type(row, at) != SQLITE_NULL;
  return is_lost ? err_nomem(err) : RC_OK;
}

static Field field_of(sqlite3_stmt *row, int at) {
  static const FieldType types[] = {[SQLITE_INTEGER] = FIELD_INTEGER,
                                    [SQLITE_FLOAT] = FIELD_REAL,
                                    [SQLITE_TEXT] = FIELD_TEXT,
                                    [SQLITE_BLOB] = FIELD_BLOB,
                                    [SQLITE_NULL] = FIELD_NULL};
  Field f = {.type = types[sqlite3_column_type(row, at)]};
  f.integer = f.type == FIELD_INTEGER ? sqlite3_column_int64(row, at) : 0;
  f.real = f.type == FIELD_REAL ? sqlite3_column_double(row, at) : 0;
  f.text = f.type == FIELD_TEXT ? (const char *)sqlite3_column_text(row, at) : NULL;
  f.n = f.text ? (size_t)sqlite3_column_bytes(row, at) : 0;
  return f;
}

/* Its instruction, and its first n fields as an object. */
static int write_fields(const MapColumns *c, sqlite3_stmt *row, int first, int n, Buf *out,
                        Err *err) {
  const char *instruction = c->options->instruction;
  for (int i = 0; i < c->n_fields; i++) {
    c->cells[i] = field_of(row, first + c->fields[i]);
  }
  if (instruction && (buf_puts(out, instruction) != RC_OK || buf_puts(out, "\n\n") != RC_OK)) {
    return err_nomem(err);
  }
  return fields_render(c->titles, c->cells, c->order, n, out, err);
}

static int write_template(const MapColumns *c, sqlite3_stmt *row, int first, Buf *out, Err *err) {
  for (int i = 0; i < c->n && err->rc == RC_OK; i++) {
    if (c->uses[i] == COLUMN_FIELD) {
      read_text(c, row, first + i, &c->values[i], err);
    }
  }
  int rc = err->rc == RC_OK ? template_render(c->template, c->values, out) : RC_OK;
  return rc == RC_OK ? err->rc : too_big(rc, err);
}

/* The prompt of a row as text. */
static int write_prompt(const MapColumns *c, sqlite3_stmt *row, int first, Buf *out, Err *err) {
  TemplateValue v;
  if (c->template) {
    return write_template(c, row, first, out, err);
  }
  if (c->fields) {
    return write_fields(c, row, first, c->n_fields, out, err);
  }
  int rc = read_text(c, row, first + 1, &v, err) == RC_OK ? buf_add(out, v.text, v.n) : RC_OK;
  return rc == RC_OK ? err->rc : too_big(rc, err);
}

int map_columns_prompt(const MapColumns *c, sqlite3_stmt *row, int first, Buf *out, Err *err) {
  int is_chat = !c->template && !c->fields && c->uses[1] == COLUMN_MESSAGES;
  return is_chat ? RC_OK : write_prompt(c, row, first, out, err);
}

int map_columns_ends(const MapColumns *c, sqlite3_stmt *row, int first, Buf *out, size_t *end,
                     int n, Err *err) {
  Buf part;
  buf_init(&part, LIMIT_REQUEST_BYTES);
  for (int i = 1; i <= n && err->rc == RC_OK; i++) {
    buf_clear(&part);
    write_fields(c, row, first, i, &part, err);
    end[i] = part.n > 0 ? part.n - 1 : 0; /* without the brace that closes it */
  }
  buf_free(&part);
  return err->rc == RC_OK ? write_prompt(c, row, first, out, err) : err->rc;
}

/* 1 if all that it would be made of is NULL: so is its answer. */
static int is_null(const MapColumns *c, sqlite3_stmt *row, int first) {
  int null = 1;
  for (int i = 0; i < c->n && null; i++) {
    null = c->uses[i] == COLUMN_OPTION || !is_asked(c, i) ||
           sqlite3_column_type(row, first + i) == SQLITE_NULL;
  }
  return null;
}

int map_columns_ask(const MapColumns *c, sqlite3_stmt *row, int first, MapAsk *ask, Err *err) {
  *ask = (MapAsk){.is_null = is_null(c, row, first)};
  buf_init(&ask->text, LIMIT_REQUEST_BYTES);
  if (ask->is_null || write_prompt(c, row, first, &ask->text, err) != RC_OK ||
      (c->has_options && read_own(c, row, first, ask, err) != RC_OK)) {
    return err->rc;
  }
  const Options *o = ask->has_own ? &ask->own : &c->options->call;
  const char *text = ask->text.data ? ask->text.data : "";
  int is_chat = !c->template && !c->fields && c->uses[1] == COLUMN_MESSAGES;
  return is_chat ? request_from_messages(text, ask->text.n, o, &ask->request, err)
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
