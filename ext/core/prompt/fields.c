/*
** Rows as JSON. See fields.h for the contract.
*/
#include "core/prompt/fields.h"

#include "base/text/json.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int fields_check(const char *const *names, int n, Err *err) {
  for (int i = 0; i < n; i++) {
    size_t bad_at;
    if (!utf8_is_valid(names[i], strlen(names[i]), &bad_at)) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION, "the name of column %d is not valid UTF-8",
                     i + 1);
    }
    for (int j = 0; j < i; j++) {
      if (strcmp(names[i], names[j]) == 0) {
        return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                       "columns %d and %d are both named '%.60s': give them names of their own "
                       "(AS)",
                       j + 1, i + 1, names[i]);
      }
    }
  }
  return RC_OK;
}

/* With as few escapes as JSON allows: they are tokens. */
static void put_text(const char *text, size_t n, Buf *out) {
  static const char named[][2] = {{'"', '"'},  {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'},
                                  {'\t', 't'}, {'\b', 'b'},  {'\f', 'f'}};
  size_t plain = 0;
  buf_add(out, "\"", 1);
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= ' ' && c != '"' && c != '\\') {
      continue;
    }
    buf_add(out, text + plain, i - plain);
    plain = i + 1;
    size_t k = 0;
    while (k < sizeof named / sizeof named[0] && named[k][0] != (char)c) {
      k++;
    }
    if (k < sizeof named / sizeof named[0]) {
      buf_add(out, (const char[]){'\\', named[k][1]}, 2);
    } else {
      buf_printf(out, "\\u%04x", c);
    }
  }
  buf_add(out, text + plain, n - plain);
  buf_add(out, "\"", 1);
}

/* Beyond all numbers it is one that JSON's readers make that of; and a NaN SQLite holds for NULL. */
static void put_real(double value, Buf *out) {
  char digits[JSON_NUMBER];
  json_number(value, digits);
  buf_puts(out, isnan(value) ? "null" : digits);
  if (!isnan(value) && !strpbrk(digits, ".e")) {
    buf_puts(out, ".0");
  }
}

static void put_value(const Field *f, Buf *out) {
  switch (f->type) {
  case FIELD_INTEGER:
    buf_printf(out, "%lld", f->integer);
    break;
  case FIELD_REAL:
    put_real(f->real, out);
    break;
  case FIELD_TEXT:
    put_text(f->text, f->n, out);
    break;
  default:
    buf_puts(out, "null");
  }
}

static int check_value(const char *name, const Field *f, Err *err) {
  size_t bad_at;
  if (f->type == FIELD_BLOB) {
    return err_set(err, RC_ERROR, ERR_BAD_PROMPT, "column '%.60s' holds a blob, not a text", name);
  }
  if (f->type == FIELD_TEXT && !utf8_is_valid(f->text, f->n, &bad_at)) {
    return err_set(err, RC_ERROR, ERR_BAD_UTF8, "column '%.60s' is not valid UTF-8 (byte %zu)",
                   name, bad_at);
  }
  return RC_OK;
}

int fields_render(const char *const *names, const Field *values, const int *order, int n, Buf *out,
                  Err *err) {
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    check_value(names[i], &values[i], err);
  }
  if (err->rc != RC_OK) {
    return err->rc;
  }
  buf_add(out, "{", 1);
  for (int i = 0; i < n; i++) {
    int field = order ? order[i] : i;
    buf_puts(out, i ? "," : "");
    put_text(names[field], strlen(names[field]), out);
    buf_add(out, ":", 1);
    put_value(&values[field], out);
  }
  buf_add(out, "}", 1);
  if (out->failed == RC_TOOBIG) {
    return err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the row makes a prompt of over %zu bytes",
                   out->max);
  }
  return out->failed ? err_nomem(err) : RC_OK;
}

void fields_order(const double *repeated, int n, int *order) {
  for (int i = 0; i < n; i++) {
    int at = i;
    for (; at > 0 && repeated[order[at - 1]] < repeated[i]; at--) {
      order[at] = order[at - 1];
    }
    order[at] = i;
  }
}
