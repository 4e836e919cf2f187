/*
** Expressions. See expression.h for the contract.
*/
#include "trust/sandbox/expression.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/sqlite/sqlite_api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  LOOK_EVERY =
      10, /* steps of SQLite's machine between two looks at the clock: one step may copy a text */
  TRIMMED = 64 /* characters that trim() may be given */
};

struct Expression {
  sqlite3 *db;
  sqlite3_stmt *statement; /* of `read`, or NULL */
  char *read;              /* owned: the expression that was read last */
  long long until_ms, steps, memory;
  const char *stopped; /* why, or NULL */
  char denied[80];     /* what the authorizer denied */
};

/* ---- what may be used */

/* SQLite's functions that read their arguments alone, in time in proportion to them. Missing: what makes blobs of any size,
** random numbers, load_extension, what tells of the program; json_patch, unhex (slow on hostile texts). */
static const char FUNCTIONS[] =
    " abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling char coalesce concat concat_ws "
    "cos "
    "cosh count cume_dist date datetime degrees dense_rank exp first_value floor format glob "
    "group_concat hex ifnull iif instr json json_array json_array_length json_error_position "
    "json_extract json_group_array json_group_object json_insert json_object json_quote "
    "json_remove "
    "json_replace json_set json_type json_valid julianday lag last_value lead length like "
    "likelihood "
    "likely ln log log10 log2 lower ltrim max min mod nth_value ntile nullif octet_length "
    "percent_rank pi pow power printf quote radians rank replace round row_number rtrim sign sin "
    "sinh "
    "sqrt strftime string_agg substr substring sum tan tanh time total trim trunc typeof unicode "
    "unixepoch unlikely upper -> ->> ";

static int is_listed(const char *name) {
  char sought[40];
  size_t n = name ? strlen(name) : 0;
  if (n == 0 || n + 3 > sizeof sought || strchr(name, ' ')) {
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    sought[i + 1] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
  }
  sought[0] = sought[n + 1] = ' ';
  sought[n + 2] = 0;
  return strstr(FUNCTIONS, sought) != NULL;
}

/* Of count(*) over a WITH's table SQLite asks as of a table's, without a column. Others there are none: tables of modules
** declare themselves first, which is denied. */
static int is_readable(const char *name, const char *column) {
  return strcmp(name, "json_each") == 0 || strcmp(name, "json_tree") == 0 ||
         (!*column && sqlite3_strnicmp(name, "sqlite_", 7) != 0);
}

static int deny(Expression *e, const char *what, const char *name) {
  if (!e->denied[0]) {
    sqlite3_snprintf(sizeof e->denied, e->denied, "%s%s%.40s", what, name ? " " : "",
                     name ? name : "");
  }
  return SQLITE_DENY;
}

static int authorize(void *arg, int action, const char *a, const char *b, const char *schema,
                     const char *source) {
  (void)schema;
  (void)source;
  Expression *e = arg;
  switch (action) {
  case SQLITE_SELECT:
  case SQLITE_RECURSIVE:
    return SQLITE_OK;
  case SQLITE_READ:
    return a && b && is_readable(a, b) ? SQLITE_OK : deny(e, "the table", a);
  case SQLITE_FUNCTION:
    return is_listed(b) ? SQLITE_OK : deny(e, "the function", b);
  default:
    return deny(e, "anything but an expression", NULL);
  }
}

/* ---- when it is stopped */

static int look(void *arg) {
  Expression *e = arg;
  e->steps += LOOK_EVERY;
  if (monotonic_ms() > e->until_ms) {
    e->stopped = "it takes too long";
  } else if (e->steps > EXPRESSION_STEPS) {
    e->stopped = "it takes too many steps";
  } else if (sqlite3_memory_used() - e->memory > EXPRESSION_MEMORY) {
    e->stopped = "it takes too much memory";
  }
  return e->stopped != NULL;
}

/* ---- functions of our own */

typedef struct Bytes {
  const char *p;
  size_t n;
} Bytes;

static Bytes bytes_of(sqlite3_value *value) {
  const char *p = (const char *)sqlite3_value_text(value);
  return (Bytes){p ? p : "", p ? (size_t)sqlite3_value_bytes(value) : 0};
}

static int has_null(int argc, sqlite3_value **argv) {
  for (int i = 0; i < argc; i++) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL) {
      return 1;
    }
  }
  return 0;
}

/* instr(X, Y): the place of Y in X in characters from 1, or 0. */
static void fn_instr(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  if (has_null(argc, argv)) {
    return;
  }
  Bytes x = bytes_of(argv[0]), y = bytes_of(argv[1]);
  const char *found = memmem(x.p, x.n, y.p, y.n);
  sqlite3_int64 place = found ? 1 : 0;
  for (const char *p = x.p; found && p < found; p++) {
    place += (*p & 0xC0) != 0x80;
  }
  sqlite3_result_int64(ctx, place);
}

/* replace(X, Y, Z) */
static void fn_replace(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  if (has_null(argc, argv)) {
    return;
  }
  Bytes x = bytes_of(argv[0]), y = bytes_of(argv[1]), z = bytes_of(argv[2]);
  const char *end = x.p + x.n, *found;
  Buf out;
  buf_init(&out, EXPRESSION_TEXT_BYTES);
  while (y.n > 0 && !out.failed && (found = memmem(x.p, (size_t)(end - x.p), y.p, y.n))) {
    buf_add(&out, x.p, (size_t)(found - x.p));
    buf_add(&out, z.p, z.n);
    x.p = found + y.n;
  }
  buf_add(&out, x.p, (size_t)(end - x.p));
  if (out.failed == RC_NOMEM) {
    sqlite3_result_error_nomem(ctx);
  } else if (out.failed) {
    sqlite3_result_error_toobig(ctx);
  } else {
    sqlite3_result_text64(ctx, out.data ? out.data : "", out.n, SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  buf_free(&out);
}

/* Bytes of the character at p. */
static size_t char_length(const char *p, const char *end) {
  size_t n = 1;
  while (p + n < end && (p[n] & 0xC0) == 0x80) {
    n++;
  }
  return n;
}

static int is_in(const char *p, size_t n, Bytes set) {
  return n <= set.n && memmem(set.p, set.n, p, n) != NULL;
}

enum { TRIM_LEFT = 1, TRIM_RIGHT = 2 };

/* trim(X, Y), ltrim, rtrim: which stands in the function's data. */
static void fn_trim(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  if (has_null(argc, argv)) {
    return;
  }
  int sides = *(const int *)sqlite3_user_data(ctx);
  Bytes x = bytes_of(argv[0]), set = argc > 1 ? bytes_of(argv[1]) : (Bytes){" ", 1};
  const char *end = x.p + x.n;
  if (set.n > TRIMMED) {
    sqlite3_result_error(ctx, "trim() takes at most 64 bytes of characters here", -1);
    return;
  }
  while (sides & TRIM_LEFT && x.p < end && is_in(x.p, char_length(x.p, end), set)) {
    x.p += char_length(x.p, end);
  }
  while (sides & TRIM_RIGHT && x.p < end) {
    const char *last = end - 1;
    while (last > x.p && (*last & 0xC0) == 0x80) {
      last--;
    }
    if (!is_in(last, (size_t)(end - last), set)) {
      break;
    }
    end = last;
  }
  sqlite3_result_text64(ctx, x.p, (sqlite3_uint64)(end - x.p), SQLITE_TRANSIENT, SQLITE_UTF8);
}

static int add_functions(sqlite3 *db) {
  static const int left = TRIM_LEFT, right = TRIM_RIGHT, both = TRIM_LEFT | TRIM_RIGHT;
  static const struct {
    const char *name;
    int args;
    const int *data;
    void (*f)(sqlite3_context *, int, sqlite3_value **);
  } all[] = {
      {"instr", 2, NULL, fn_instr},  {"replace", 3, NULL, fn_replace}, {"trim", 1, &both, fn_trim},
      {"trim", 2, &both, fn_trim},   {"ltrim", 1, &left, fn_trim},     {"ltrim", 2, &left, fn_trim},
      {"rtrim", 1, &right, fn_trim}, {"rtrim", 2, &right, fn_trim},
  };
  int rc = SQLITE_OK;
  for (size_t i = 0; i < sizeof all / sizeof *all && rc == SQLITE_OK; i++) {
    rc =
        sqlite3_create_function_v2(db, all[i].name, all[i].args, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                   (void *)all[i].data, all[i].f, NULL, NULL, NULL);
  }
  return rc;
}

/* ---- the connection */

static void restrict_it(Expression *e) {
  static const int limits[][2] = {
      {SQLITE_LIMIT_LENGTH, EXPRESSION_TEXT_BYTES},
      {SQLITE_LIMIT_SQL_LENGTH, EXPRESSION_BYTES + 100},
      {SQLITE_LIMIT_COLUMN, 50},
      {SQLITE_LIMIT_EXPR_DEPTH, 100},
      {SQLITE_LIMIT_COMPOUND_SELECT, 20},
      {SQLITE_LIMIT_VDBE_OP, 25000},
      {SQLITE_LIMIT_FUNCTION_ARG, 50},
      {SQLITE_LIMIT_ATTACHED, 0},
      {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100}, /* LIKE takes time by the product of its arguments */
      {SQLITE_LIMIT_VARIABLE_NUMBER, 20},
      {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
      {SQLITE_LIMIT_WORKER_THREADS, 0},
  };
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    sqlite3_limit(e->db, limits[i][0], limits[i][1]);
  }
  sqlite3_db_config(e->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
  sqlite3_db_config(e->db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
  sqlite3_db_config(e->db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
  sqlite3_db_config(e->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
  sqlite3_db_config(e->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, (int *)NULL);
  sqlite3_set_authorizer(e->db, authorize, e);
  sqlite3_progress_handler(e->db, LOOK_EVERY, look, e);
}

Expression *expression_open(Err *err) {
  Expression *e = calloc(1, sizeof *e);
  if (!e) {
    err_nomem(err);
    return NULL;
  }
  int rc = sqlite3_open_v2(":memory:", &e->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  /* The tables declare themselves when first used: before the authorizer is there. */
  rc = rc == SQLITE_OK ? sqlite3_exec(e->db,
                                      "PRAGMA temp_store = MEMORY;"
                                      "SELECT 1 FROM json_each('[]'), json_tree('[]')",
                                      NULL, NULL, NULL)
                       : rc;
  rc = rc == SQLITE_OK ? add_functions(e->db) : rc;
  if (rc == SQLITE_OK) {
    restrict_it(e);
    return e;
  }
  if (rc == SQLITE_NOMEM) {
    err_nomem(err);
  } else {
    err_set(err, RC_ERROR, ERR_FAILED, "can't open a connection for expressions: %s",
            sqlite3_errstr(rc));
  }
  expression_close(e);
  return NULL;
}

static void forget(Expression *e) {
  sqlite3_finalize(e->statement);
  free(e->read);
  e->statement = NULL;
  e->read = NULL;
}

void expression_close(Expression *e) {
  if (e) {
    forget(e);
    sqlite3_close(e->db);
    free(e);
  }
}

/* ---- reading */

/* Behind the string, name or comment that begins at p; NULL: it does not end; p: none begins. */
static const char *past_quoted(const char *p) {
  char close = *p == '[' ? ']' : *p;
  if (p[0] == '-' && p[1] == '-') {
    const char *line = strchr(p, '\n');
    return line ? line : p + strlen(p);
  }
  if (p[0] == '/' && p[1] == '*') {
    const char *end = strstr(p + 2, "*/");
    return end ? end + 2 : NULL;
  }
  if (*p == 0 || !strchr("'\"`[", *p)) {
    return p;
  }
  const char *end = strchr(p + 1, close);
  return end ? end + 1 : NULL; /* a doubled mark is two strings to us, which is the same */
}

/* What is wrong with it as one expression, or NULL. */
static const char *fault_of(const char *expr) {
  int depth = 0, has_any = 0;
  for (const char *p = expr; *p;) {
    const char *q = past_quoted(p);
    if (!q) {
      return "a string or a comment does not end";
    }
    if (q == p) {
      depth += (*p == '(') - (*p == ')');
      if (depth < 0) {
        return "a ')' too many";
      }
      if (*p == ';') {
        return "one expression, without ';'";
      }
      q++;
    }
    has_any |=
        !(*p == '-' && p[1] == '-') && !(*p == '/' && p[1] == '*') && (unsigned char)*p > ' ';
    p = q;
  }
  return depth > 0 ? "a ')' is missing" : has_any ? NULL : "it is empty";
}

static int bad(const char *expr, const char *why, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "expression '%.80s': %s", expr, why);
}

/* SQLite's own error. */
static int failed(Expression *e, int rc, const char *expr, ErrCode code, Err *err) {
  char why[160];
  if (rc == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  if (e->stopped) {
    sqlite3_snprintf(sizeof why, why, "%s, and was stopped", e->stopped);
  } else if (e->denied[0]) {
    sqlite3_snprintf(sizeof why, why, "%s is not allowed", e->denied);
  } else {
    sqlite3_snprintf(sizeof why, why, "%.150s", sqlite3_errmsg(e->db));
  }
  return err_set(err, RC_ERROR, code, "expression '%.80s': %s", expr, why);
}

static void begin(Expression *e) {
  e->until_ms = monotonic_ms() + EXPRESSION_MS;
  e->steps = 0;
  e->memory = sqlite3_memory_used();
  e->stopped = NULL;
  e->denied[0] = 0;
}

static int prepare(Expression *e, const char *expr, Err *err) {
  Buf sql;
  const char *tail = NULL;
  buf_init(&sql, EXPRESSION_BYTES + 100);
  buf_printf(&sql, "SELECT (\n%s\n)", expr); /* on a line of its own: "1 --" ends with it */
  if (sql.failed) {
    return err_nomem(err);
  }
  int rc = sqlite3_prepare_v2(e->db, sql.data, (int)sql.n, &e->statement, &tail);
  int is_one = rc == SQLITE_OK && e->statement && !*tail && sqlite3_column_count(e->statement) == 1;
  buf_free(&sql);
  e->read = rc == SQLITE_OK ? strdup(expr) : NULL;
  return rc != SQLITE_OK ? failed(e, rc, expr, ERR_BAD_OPTION, err)
         : !e->read      ? err_nomem(err)
         : !is_one       ? bad(expr, "expected one value", err)
                         : RC_OK;
}

static int read_expression(Expression *e, const char *expr, Err *err) {
  begin(e);
  if (e->read && strcmp(e->read, expr) == 0) {
    sqlite3_reset(e->statement);
    return err->rc;
  }
  forget(e);
  if (strlen(expr) > EXPRESSION_BYTES) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "an expression of %zu bytes (at most %d)",
                   strlen(expr), EXPRESSION_BYTES);
  }
  const char *fault = fault_of(expr);
  if (fault) {
    return bad(expr, fault, err);
  }
  if (prepare(e, expr, err) != RC_OK) {
    forget(e);
  }
  return err->rc;
}

static int unknown_name(const char *expr, const char *name, const ExpressionText *texts, int n,
                        Err *err) {
  char why[200], valid[100] = "";
  for (int i = 0; i < n; i++) {
    sqlite3_snprintf((int)(sizeof valid - strlen(valid)), valid + strlen(valid), "%s%s",
                     i ? ", " : "", texts[i].name);
  }
  sqlite3_snprintf(sizeof why, why, "unknown %.40s (valid: %s)", name ? name : "?", valid);
  return bad(expr, why, err);
}

static int bind_texts(Expression *e, const char *expr, const ExpressionText *texts, int n,
                      Err *err) {
  int rc = SQLITE_OK;
  for (int i = 1; i <= sqlite3_bind_parameter_count(e->statement) && rc == SQLITE_OK; i++) {
    const char *name = sqlite3_bind_parameter_name(e->statement, i);
    int k = 0;
    while (k < n && !(name && strcmp(name, texts[k].name) == 0)) {
      k++;
    }
    if (k == n) {
      return unknown_name(expr, name, texts, n, err);
    }
    rc = texts[k].text ? sqlite3_bind_text64(e->statement, i, texts[k].text, texts[k].n,
                                             SQLITE_STATIC, SQLITE_UTF8)
                       : sqlite3_bind_null(e->statement, i);
  }
  return rc == SQLITE_OK ? RC_OK : failed(e, rc, expr, ERR_FAILED, err);
}

int expression_check(Expression *e, const char *expr, const ExpressionText *texts, int n_texts,
                     Err *err) {
  if (read_expression(e, expr, err) == RC_OK && bind_texts(e, expr, texts, n_texts, err) == RC_OK) {
    sqlite3_clear_bindings(e->statement);
  }
  return err->rc;
}

static void read_value(sqlite3_stmt *s, ExpressionValue *out) {
  int type = sqlite3_column_type(s, 0);
  double number = sqlite3_column_double(s, 0);
  out->is_null = type == SQLITE_NULL;
  out->is_true = type != SQLITE_NULL && number != 0;
  out->number = type == SQLITE_INTEGER || type == SQLITE_FLOAT ? number : (double)NAN;
}

int expression_eval(Expression *e, const char *expr, const ExpressionText *texts, int n_texts,
                    ExpressionValue *out, Err *err) {
  *out = (ExpressionValue){1, 0, (double)NAN};
  if (err->rc != RC_OK || read_expression(e, expr, err) != RC_OK ||
      bind_texts(e, expr, texts, n_texts, err) != RC_OK) {
    return err->rc;
  }
  int rc = sqlite3_step(e->statement);
  if (rc == SQLITE_ROW) {
    read_value(e->statement, out);
  } else if (rc != SQLITE_DONE) {
    failed(e, rc, expr, ERR_FAILED, err);
  }
  sqlite3_reset(e->statement);
  sqlite3_clear_bindings(e->statement); /* the texts are the caller's */
  return err->rc;
}
