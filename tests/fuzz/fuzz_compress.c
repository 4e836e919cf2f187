/*
** Two bytes of options, a question, and a prompt.
**
** Holds: what comes back is the prompt with bytes left out, in its order, with no more tokens; within the budget, or
** said not to be; UTF-8
** where the prompt is; the same when compressed again; what was dropped lies in the prompt, in order, and none over
** another. JSON that is the
** whole prompt stays the same values. What lint finds (with a schema, and the question as the prompt of last time)
** lies in the prompt, in the order of the kinds, is no more
** than it, and what moves is out of the text that is given instead. A form that it is not in takes nothing from it. Units and protected spans are in order, within
** the text.
*/
#include "fuzz.h"

#include "core/compress/compress.h"
#include "core/lint/form.h"
#include "core/lint/lint.h"
#include "core/split/spans.h"

#include <string.h>

/* Tokens of a kind: a byte of punctuation, a run of others, a line end. */
static long long count(void *arg, const char *text, size_t n) {
  long long tokens = 0;
  int was_word = 0;
  (void)arg;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    int is_word = c >= 'A' || (c >= '0' && c <= '9');
    tokens += c == '\n' || (is_word ? !was_word : c > ' ');
    was_word = is_word;
  }
  return tokens;
}

static void check_left(const char *text, size_t n, const Compressed *c) {
  size_t k = 0, bad_at;
  for (size_t i = 0; i < n && k < c->n; i++) {
    k += text[i] == c->text[k];
  }
  require(k == c->n);
  require(c->tokens_after <= c->tokens_before && c->tokens_after == count(NULL, c->text, c->n));
  require(!utf8_is_valid(text, n, &bad_at) || utf8_is_valid(c->text, c->n, &bad_at));
  for (size_t i = 0; i < c->n_drops; i++) {
    require(c->drops[i].n > 0 && c->drops[i].from + c->drops[i].n <= n);
    require(i == 0 || c->drops[i - 1].from <= c->drops[i].from);
  }
}

static void check_json(const char *text, size_t n, const Compressed *c) {
  cJSON *before = fuzz_json(text, n), *after = before ? fuzz_json(c->text, c->n) : NULL;
  if (before) {
    char *x = cJSON_PrintUnformatted(before), *y = cJSON_PrintUnformatted(after);
    require(x && y && strcmp(x, y) == 0);
    cJSON_free(x);
    cJSON_free(y);
  }
  cJSON_Delete(before);
  cJSON_Delete(after);
}

static void check_split(const char *text, size_t n) {
  Err err = {0};
  TextUnits u = {NULL, 0, 0, 0};
  TextSpans s = {NULL, 0, 0};
  require(units_find(text, n, &u, &err) == RC_OK && spans_find(text, n, &s, &err) == RC_OK);
  for (size_t i = 0; i < u.n; i++) {
    size_t from = i > 0 ? u.at[i - 1].from + u.at[i - 1].n : 0;
    require(u.at[i].n > 0 && u.at[i].from >= from && u.at[i].from + u.at[i].n <= n);
    require(u.at[i].parent == UNIT_NONE || u.at[i].parent < i);
    for (size_t k = from; k < u.at[i].from; k++) {
      require(text[k] == ' ' || text[k] == '\t' || text[k] == '\n' || text[k] == '\r');
    }
  }
  for (size_t i = 0; i < s.n; i++) {
    require(s.at[i].from >= (i > 0 ? s.at[i - 1].from + s.at[i - 1].n : 0) &&
            s.at[i].from + s.at[i].n <= n);
  }
  units_free(&u);
  spans_free(&s);
}

static const JsonFields *some_fields(void) {
  static const char schema[] = "{\"required\":[\"name\",\"mood\"],\"properties\":{\"name\":{"
                               "\"type\":\"string\"},\"mood\":{\"enum\":[\"good\",\"bad\"]}}}";
  static JsonFields *fields;
  Err err = {0};
  fields = fields ? fields : json_fields_read(schema, sizeof schema - 1, &err);
  return fields;
}

/* before: what was sent last time; the question stands for it. */
static void check_lint(const char *text, size_t n, const char *before, size_t n_before,
                       unsigned what, long long floor) {
  Err err = {0};
  Lint l;
  static MovingFinder *finder;
  const JsonFields *fields = some_fields();
  finder = finder ? finder : moving_open(&err);
  const LintOptions o = {.floor = floor,
                         .count = count,
                         .wants_marks = (what & 1) != 0,
                         .fields = what & 2 ? fields : NULL,
                         .before = what & 4 ? before : NULL,
                         .n_before = n_before};
  require(finder && fields && lint_text(finder, text, n, &o, &l, &err) == RC_OK);
  for (size_t i = 0; i < l.n; i++) {
    const LintFinding *f = &l.at[i];
    require(f->from + f->n <= n && f->tokens >= 0 && (!f->changed || f->n_changed <= n));
    require(f->other + f->n_other <= n && (!f->n_other || f->other < f->from));
    require(i == 0 || l.at[i - 1].kind <= f->kind);
    require(!f->n_moved || (f->moved <= f->from && f->from + f->n <= f->moved + f->n_moved));
  }
  lint_free(&l);
}

/* A text that is in no form is itself without it, and all of them say the same of it. */
static void check_forms(const char *text, size_t n) {
  FormOfText forms[FORM_COUNT];
  Err err = {0};
  const char *whole = NULL;
  require(form_find(text, n, forms, &err) == RC_OK);
  for (int i = 0; i < FORM_COUNT; i++) {
    require(forms[i].is_there || !whole || strcmp(forms[i].rest, whole) == 0);
    whole = forms[i].is_there ? whole : forms[i].rest;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  unsigned what = take_byte(&in), budget = take_byte(&in);
  size_t n, n_query;
  char *query = take_text(&in, &n_query), *text = take_rest(&in, &n);
  CompressOptions o = {.methods = what & COMPRESS_ALL,
                       .context = (ContextWhere)((what >> 4) % 3),
                       .query = n_query > 0 ? query : NULL,
                       .n_query = n_query,
                       .budget = budget,
                       .schema = what & 128 ? some_fields() : NULL,
                       .count = count};
  Err err = {0};
  Compressed once, twice;
  require(compress_text(text, n, &o, &once, &err) == RC_OK);
  require(compress_text(once.text, once.n, &o, &twice, &err) == RC_OK);
  check_left(text, n, &once);
  require(once.fits == (o.budget == 0 || once.tokens_after <= o.budget));
  require(once.n == twice.n && memcmp(once.text, twice.text, once.n) == 0);
  if (o.budget == 0) {
    check_json(text, n, &once);
  }
  check_split(text, n);
  check_forms(text, n);
  check_lint(text, n, query, n_query, what, (long long)budget - 1);
  compressed_free(&once);
  compressed_free(&twice);
  free(query);
  free(text);
  return 0;
}
