/*
** See answer.h for the contract.
*/
#include "vec/cache/state/answer.h"

#include "base/limits.h"
#include "base/text/json.h"
#include "base/text/text.h"
#include "base/utf8.h"

#include <string.h>

/* Seeds, so that no kind of answer has another's key. */
enum Kind { KIND_NULL = 1, KIND_BYTES, KIND_TEXT, KIND_NUMBER, KIND_WORD, KIND_ARRAY, KIND_OBJECT };

static Hash keyed(const void *data, size_t n, enum Kind kind) {
  return hash_bytes(data, n, (unsigned long long)kind);
}

static void add(Hash *sum, const Hash *x) {
  for (size_t i = 0; i < sizeof sum->b; i += 8) {
    uint64_t a, b;
    memcpy(&a, sum->b + i, sizeof a);
    memcpy(&b, x->b + i, sizeof b);
    a += b;
    memcpy(sum->b + i, &a, sizeof a);
  }
}

static Hash of_json(const cJSON *j);

/* A chain, so that the order counts. */
static Hash of_array(const cJSON *j) {
  Hash both[2] = {keyed("", 0, KIND_ARRAY), {{0}}};
  const cJSON *item;
  cJSON_ArrayForEach(item, j) {
    both[1] = of_json(item);
    both[0] = keyed(both, sizeof both, KIND_ARRAY);
  }
  return both[0];
}

/* A sum over its members, so that their order doesn't. */
static Hash of_object(const cJSON *j) {
  Hash sum = {{0}};
  const cJSON *item;
  cJSON_ArrayForEach(item, j) {
    Hash both[2] = {keyed(item->string, strlen(item->string), KIND_TEXT), of_json(item)};
    Hash member = keyed(both, sizeof both, KIND_OBJECT);
    add(&sum, &member);
  }
  return keyed(&sum, sizeof sum, KIND_OBJECT);
}

/* Its depth is bounded by the parser's. */
static Hash of_json(const cJSON *j) {
  char number[JSON_NUMBER];
  if (cJSON_IsObject(j)) {
    return of_object(j);
  }
  if (cJSON_IsArray(j)) {
    return of_array(j);
  }
  if (cJSON_IsString(j)) {
    return keyed(j->valuestring, strlen(j->valuestring), KIND_TEXT);
  }
  if (cJSON_IsNumber(j)) {
    json_number(j->valuedouble, number);
    return keyed(number, strlen(number), KIND_NUMBER);
  }
  const char *word = cJSON_IsTrue(j) ? "true" : cJSON_IsFalse(j) ? "false" : "null";
  return keyed(word, strlen(word), KIND_WORD);
}

/* 0 where a number has more digits than a double keeps. */
static int has_exact_numbers(const cJSON *j) {
  const double most = 9007199254740992.0; /* 2^53 */
  int is_exact = !cJSON_IsNumber(j) || (j->valuedouble > -most && j->valuedouble < most);
  const cJSON *item;
  cJSON_ArrayForEach(item, j) {
    is_exact = is_exact && has_exact_numbers(item);
  }
  return is_exact;
}

/* 1 where the text is JSON that has more than one spelling. */
static int by_value(const char *text, size_t n, Hash *key, Err *err) {
  Err why = {0};
  size_t bad_at;
  if (!json_begins(text)) {
    return 0; /* a number alone may be a telephone's, or have more digits than a double */
  }
  if (!json_is_text(text, n, LIMIT_JSON_DEPTH, &bad_at)) {
    return 0;
  }
  cJSON *tree = json_parse(text, n, "an answer", &why);
  if (!tree) {
    return why.rc == RC_NOMEM ? (err_nomem(err), 0) : 0;
  }
  int is_exact = has_exact_numbers(tree);
  *key = is_exact ? of_json(tree) : *key;
  cJSON_Delete(tree);
  return is_exact;
}

/* A label is the same in another case, and with a full stop behind it. (Of other texts these can be part of the answer.) */
static void fold_label(Buf *form) {
  enum { LABEL = 64 };
  if (form->n > LABEL || form->n == 0) {
    return;
  }
  for (size_t i = 0; i < form->n; i++) {
    char c = form->data[i];
    form->data[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  while (form->n > 1 && strchr(".! ", form->data[form->n - 1])) {
    form->n--;
  }
}

static int by_form(const char *text, size_t n, Hash *key, Err *err) {
  Buf form;
  buf_init(&form, LIMIT_RESPONSE_BYTES * 4);
  int rc = text_normalize(text, n, &form);
  if (rc == RC_NOMEM) {
    err_nomem(err);
  }
  fold_label(&form);
  *key = rc == RC_OK ? keyed(form.data ? form.data : "", form.n, KIND_TEXT)
                     : keyed(text, n, KIND_BYTES);
  buf_free(&form);
  return err->rc;
}

int answer_key(sqlite3_value *v, Hash *key, Err *err) {
  size_t n, bad_at;
  const char *bytes = value_bytes(v, &n, err);
  if (!bytes || value_is_null(v)) {
    *key = keyed("", 0, KIND_NULL);
    return err->rc;
  }
  int is_text = sqlite3_value_type(v) != SQLITE_BLOB && n <= LIMIT_RESPONSE_BYTES &&
                utf8_is_valid(bytes, n, &bad_at);
  if (!is_text) {
    *key = keyed(bytes, n, KIND_BYTES);
    return RC_OK;
  }
  return by_value(bytes, n, key, err) || err->rc != RC_OK ? err->rc : by_form(bytes, n, key, err);
}
