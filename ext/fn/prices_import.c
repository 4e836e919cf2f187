/*
** llm_prices_import: another project's price list into llm_prices.
*/
#include "fn/fn.h"

#include "base/buf.h"
#include "core/price/price_import.h"
#include "base/sqlite/args.h"
#include "store/host/prices.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What can't be imported from, or NULL. A file only: who opens a FIFO or a device may wait without end. */
static const char *file_fault(int fd) {
  struct stat st;
  if (fd < 0 || fstat(fd, &st) != 0) {
    return strerror(errno);
  }
  return S_ISREG(st.st_mode) ? NULL : S_ISDIR(st.st_mode) ? "it is a folder" : "it is no file";
}

/* The whole file in `b`. RC_OK or *err. */
static int read_file(Conn *c, const char *path, Buf *b, Err *err) {
  char chunk[65536];
  ssize_t n = 1;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  const char *fault = file_fault(fd);
  while (!fault && n != 0 && err->rc == RC_OK) {
    n = read(fd, chunk, sizeof chunk);
    if (n > 0) {
      buf_add(b, chunk, (size_t)n);
    }
    fault = n < 0 && errno != EINTR  ? strerror(errno)
            : b->failed == RC_TOOBIG ? "larger than any price list"
                                     : NULL;
    if (b->failed == RC_NOMEM) {
      err_nomem(err);
    } else if (conn_interrupted(c)) {
      err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
    }
  }
  if (fault) {
    err_set(err, RC_ERROR, ERR_BAD_PRICES, "cannot %s '%.200s': %s", fd < 0 ? "open" : "read", path,
            fault);
  }
  if (fd >= 0) {
    close(fd);
  }
  return err->rc;
}

/* The argument's JSON, or that of the file it names; NULL and *err. */
static cJSON *read_list(Conn *c, sqlite3_value *v, Err *err) {
  size_t n;
  const char *text = arg_bytes(v, &n, err);
  cJSON *tree = NULL;
  Buf b;
  if (json_begins(text)) {
    return json_parse(text, n, "the price list", err);
  }
  text = text ? arg_text(v, "the path", err) : NULL;
  buf_init(&b, LIMIT_IMPORT_BYTES);
  if (text && node_may_name(&c->node, "a path", err) == RC_OK &&
      read_file(c, text, &b, err) == RC_OK) {
    tree = json_parse(b.data ? b.data : "", b.n, "the price list", err);
  }
  buf_free(&b);
  return tree;
}

/* What is to be done, as JSON (cJSON_free); NULL and *err. Takes what was left out. */
static char *report(PriceImport *import, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  int prices = 0;
  for (int i = 0; i < import->book.models.n; i++) {
    prices += import->book.models.at[i].n;
  }
  json_add(tree, "list", cJSON_CreateString(import->book.list), err);
  json_add(tree, "models", cJSON_CreateNumber(import->book.models.n), err);
  json_add(tree, "prices", cJSON_CreateNumber(prices), err);
  json_add(tree, "left_out", import->left_out, err);
  import->left_out = NULL;
  return json_print(tree, err);
}

typedef struct ImportOptions {
  char list[64]; /* "": as the form is called */
} ImportOptions;

static const Spec specs[] = {
    {"list", SPEC_INTO(ImportOptions, CHARS, list)},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, NULL,
                                NULL,     specs,          sizeof specs / sizeof specs[0]};

static int read_options(sqlite3_value *v, ImportOptions *o, Err *err) {
  return arg_spec(v, &table, o, err) != RC_OK || strcmp(o->list, "catalogue") != 0
             ? err->rc
             : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                       "option 'list': 'catalogue' is the list that is compiled in");
}

/* llm_prices_import(path_or_json [, options]): JSON. */
void fn_llm_prices_import(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  PriceImport import;
  ImportOptions o;
  char *made = NULL, *text = NULL;
  cJSON *file =
      read_options(argc > 1 ? argv[1] : NULL, &o, err) == RC_OK ? read_list(c, argv[0], err) : NULL;
  if (file && price_import(file, o.list[0] ? o.list : NULL, &import, err) == RC_OK) {
    text = report(&import, err);
    if (text && config_init(c->db, &made, err) == RC_OK) {
      prices_replace_list(c->db, &import.book, err);
    }
    book_free(&import.book);
  }
  cJSON_Delete(file);
  sqlite3_free(made);
  if (err->rc != RC_OK) {
    cJSON_free(text);
  } else {
    result_json(ctx, text);
  }
}
