/*
** llm_prices_import: another project's price list into llm_prices.
*/
#include "fn/fn.h"

#include "core/buf.h"
#include "core/price_import.h"
#include "store/prices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole file in `b`. RC_OK or *err. */
static int read_file(const char *path, Buf *b, Err *err) {
  FILE *f = fopen(path, "rb");
  char chunk[65536];
  size_t n;
  if (!f) {
    return err_set(err, RC_ERROR, "bad_prices", "cannot open '%.200s': %s", path, strerror(errno));
  }
  while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && buf_add(b, chunk, n) == RC_OK) {
  }
  if (ferror(f) || b->failed) {
    err_set(err, RC_ERROR, "bad_prices", "cannot read '%.200s': %s", path,
            b->failed == RC_TOOBIG ? "larger than any price list" : strerror(errno));
  }
  fclose(f);
  return err->rc;
}

/* The argument's JSON, or that of the file it names; NULL and *err. */
static cJSON *read_list(sqlite3_value *v, Err *err) {
  const char *text = (const char *)sqlite3_value_text(v);
  size_t n = (size_t)sqlite3_value_bytes(v);
  cJSON *tree = NULL;
  Buf b;
  if (json_begins(text)) {
    return json_parse(text, n, "the price list", err);
  }
  buf_init(&b, LIMIT_IMPORT_BYTES);
  if (read_file(text ? text : "", &b, err) == RC_OK) {
    tree = json_parse(b.data ? b.data : "", b.n, "the price list", err);
  }
  buf_free(&b);
  return tree;
}

/* What was done, as JSON. */
static char *report(PriceImport *import) {
  cJSON *tree = cJSON_CreateObject();
  int prices = 0;
  for (int i = 0; i < import->book.models.n; i++) {
    prices += import->book.models.at[i].n;
  }
  cJSON_AddStringToObject(tree, "list", import->book.list);
  cJSON_AddNumberToObject(tree, "models", import->book.models.n);
  cJSON_AddNumberToObject(tree, "prices", prices);
  cJSON_AddItemToObject(tree, "left_out", import->left_out);
  import->left_out = NULL;
  char *text = cJSON_PrintUnformatted(tree);
  cJSON_Delete(tree);
  return text;
}

void fn_llm_prices_import(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = fn_conn(ctx);
  Err err = {0};
  PriceImport import;
  char *made = NULL, *text = NULL;
  (void)argc;
  if (sqlite3_value_type(argv[0]) == SQLITE_NULL) {
    return;
  }
  cJSON *file = read_list(argv[0], &err);
  if (file && price_import(file, &import, &err) == RC_OK) {
    if (config_init(c->db, &made, &err) == RC_OK &&
        prices_replace_list(c->db, &import.book, &err) == RC_OK) {
      text = report(&import);
    }
    cJSON_Delete(import.left_out);
    book_free(&import.book);
  }
  cJSON_Delete(file);
  sqlite3_free(made);
  if (err.rc != RC_OK) {
    result_error(ctx, "llm_prices_import", &err);
  } else if (text) {
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
    sqlite3_result_subtype(ctx, 'J');
  }
  cJSON_free(text);
}
