/*
** A template, and names of columns, parted by NULs; what is left is what each column holds.
**
** Holds: what is refused says why, in UTF-8; what is taken writes the same twice, and as long as its parts; a template without a brace
** is itself; and a row of the same columns is one JSON value, in any order of its fields.
*/
#include "fuzz.h"

#include "core/prompt/fields.h"
#include "core/prompt/template.h"

enum { MOST = 8 };

static void check_template(const char *text, size_t n, char *const *names, int n_names,
                           const TemplateValue *value) {
  Err err = {0};
  TemplateValue values[MOST];
  Buf once, twice;
  Template *t = template_parse(text, n, (const char *const *)names, n_names, &err);
  require((t != NULL) == (err.rc == RC_OK));
  check_err(&err);
  if (!t) {
    return;
  }
  buf_init(&once, LIMIT_REQUEST_BYTES);
  buf_init(&twice, LIMIT_REQUEST_BYTES);
  size_t used = 0;
  for (int i = 0; i < n_names; i++) {
    values[i] = *value;
    used += (size_t)template_uses(t, i);
  }
  require(template_render(t, values, &once) == RC_OK);
  require(template_render(t, values, &twice) == RC_OK);
  require(once.n == twice.n && (once.n == 0 || memcmp(once.data, twice.data, once.n) == 0));
  require(once.n >= used * value->n);
  if (!memchr(text, '{', n) && !memchr(text, '}', n)) {
    require(once.n == n && (n == 0 || memcmp(once.data, text, n) == 0));
  }
  buf_free(&once);
  buf_free(&twice);
  template_free(t);
}

static void check_fields(char *const *names, int n_names, const TemplateValue *value) {
  Err err = {0};
  Field row[MOST];
  double repeated[MOST];
  int order[MOST];
  Buf out;
  if (fields_check((const char *const *)names, n_names, &err) != RC_OK) {
    check_err(&err);
    return;
  }
  for (int i = 0; i < n_names; i++) {
    row[i] = (Field){.type = FIELD_TEXT, .text = value->text, .n = value->n};
    repeated[i] = (double)strlen(names[i]);
  }
  fields_order(repeated, n_names, order);
  for (int i = 1; i < n_names; i++) {
    require(repeated[order[i - 1]] >= repeated[order[i]]);
  }
  buf_init(&out, LIMIT_REQUEST_BYTES);
  if (fields_render((const char *const *)names, row, order, n_names, &out, &err) == RC_OK) {
    cJSON *tree = fuzz_json(out.data, out.n);
    require(tree && cJSON_GetArraySize(tree) == n_names);
    cJSON_Delete(tree);
  }
  check_err(&err);
  buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size < 4096 ? size : 4096};
  char *names[MOST];
  size_t n, ignored;
  int n_names = 0;
  char *text = take_text(&in, &n);
  while (n_names < MOST && memchr(in.at, 0, in.n)) {
    names[n_names++] = take_text(&in, &ignored);
  }
  TemplateValue value;
  char *rest = take_rest(&in, &value.n);
  value.text = rest;
  check_template(text, n, names, n_names, &value);
  check_fields(names, n_names, &value);
  for (int i = 0; i < n_names; i++) {
    free(names[i]);
  }
  free(rest);
  free(text);
  return 0;
}
