/*
** What is told of an import. See import_batch.h for the contract.
*/
#include "work/import_batch.h"

#include "base/buf.h"
#include "base/text/decimal.h"
#include "base/text/text.h"

#include <string.h>

void report_init(Report *r) {
  *r = (Report){.formats = cJSON_CreateObject(),
                .skipped_list = cJSON_CreateArray(),
                .lines = cJSON_CreateArray(),
                .kept = cJSON_CreateArray(),
                .shrunk = cJSON_CreateArray()};
}

void report_free(Report *r) {
  cJSON *const trees[] = {r->formats, r->skipped_list, r->lines, r->kept, r->shrunk};
  for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
    cJSON_Delete(trees[i]);
  }
}

void report_format(Report *r, const char *format, Err *err) {
  cJSON *n = cJSON_GetObjectItemCaseSensitive(r->formats, format);
  r->files++;
  if (n) {
    cJSON_SetNumberValue(n, n->valuedouble + 1);
  } else {
    json_add(r->formats, format, cJSON_CreateNumber(1), err);
  }
}

/* A path may hold any bytes. */
static void add_text(cJSON *object, const char *name, const char *text, Err *err) {
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  text_replace_invalid(text, strlen(text), &b);
  json_add(object, name, b.failed ? NULL : cJSON_CreateString(b.data ? b.data : ""), err);
  buf_free(&b);
}

void report_skipped(Report *r, const char *path, const char *why, Err *err) {
  if (++r->skipped <= LIMIT_IMPORT_TOLD_FILES) {
    cJSON *item = json_add(r->skipped_list, NULL, cJSON_CreateObject(), err);
    add_text(item, "file", path, err);
    add_text(item, "reason", why, err);
  }
}

void report_line(Report *r, const char *path, long long line, const char *why, Err *err) {
  if (cJSON_GetArraySize(r->lines) < LIMIT_IMPORT_TOLD_LINES) {
    cJSON *item = json_add(r->lines, NULL, cJSON_CreateObject(), err);
    add_text(item, "file", path, err);
    json_add(item, "line", cJSON_CreateNumber((double)line), err);
    add_text(item, "reason", why, err);
  }
}

static void add_count(cJSON *tree, const char *name, long long n, Err *err) {
  json_add(tree, name, cJSON_CreateNumber((double)n), err);
}

/* Dollars in full. */
static void add_money(cJSON *tree, const char *name, long long nusd, Err *err) {
  char text[80] = "-";
  int is_below = nusd < 0;
  decimal_format((unsigned __int128)(is_below ? -nusd : nusd), 9, text + is_below, sizeof text - 1);
  json_add(tree, name, cJSON_CreateRaw(text), err);
}

/* Hands a list over to the tree. */
static void add_list(cJSON *tree, const char *name, cJSON **list, Err *err) {
  json_add(tree, name, *list, err);
  *list = NULL;
}

char *report_json(Report *r, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  add_count(tree, "files", r->files, err);
  add_count(tree, "unchanged", r->unchanged, err);
  add_list(tree, "formats", &r->formats, err);
  add_count(tree, "calls", r->added, err);
  add_count(tree, "updated", r->updated, err);
  add_count(tree, "copies", r->copies, err);
  add_count(tree, "without_id", r->without_id, err);
  add_count(tree, "sums", r->sums, err);
  add_count(tree, "replaced", r->replaced, err);
  add_count(tree, "dropped", r->dropped, err);
  add_list(tree, "kept", &r->kept, err);
  add_list(tree, "shrunk", &r->shrunk, err);
  add_count(tree, "unpriced", r->unpriced, err);
  add_money(tree, "cost_usd", r->cost_nusd, err);
  add_money(tree, "reported_usd", r->reported_nusd, err);
  add_count(tree, "not_read", r->skipped, err);
  add_list(tree, "skipped", &r->skipped_list, err);
  add_count(tree, "torn", r->torn, err);
  add_count(tree, "unfinished", r->unfinished, err);
  add_list(tree, "lines", &r->lines, err);
  return json_print(tree, err);
}
