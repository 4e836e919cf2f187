/*
** JSON under limits. See json.h for the contract.
**
** cJSON itself checks neither UTF-8 nor (below 1,000 levels) depth and would end a string at \u0000
** silently (a raw NUL, which JSON doesn't allow, too), so one pass over the text looks at these
** before it.
*/
#include "json.h"

#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Deepest nesting of the text, brackets inside strings not counted; counts \u0000 escapes on the
** way. */
static int scan(const char *s, size_t n, size_t *nuls) {
  int depth = 0, deepest = 0, in_string = 0;
  *nuls = 0;
  for (size_t i = 0; i < n; i++) {
    char c = s[i];
    if (in_string && c == '\\') {
      if (i + 5 < n && memcmp(s + i + 1, "u0000", 5) == 0) {
        ++*nuls;
      }
      i++;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      depth++;
      deepest = depth > deepest ? depth : deepest;
    } else if (!in_string && (c == ']' || c == '}')) {
      depth--;
    }
  }
  return deepest;
}

/* A copy of the text whose \u0000 escapes are \ufffd. Owned by the caller; NULL without memory. */
static char *replace_nuls(const char *s, size_t n) {
  char *copy = malloc(n + 1);
  if (!copy) {
    return NULL;
  }
  memcpy(copy, s, n);
  copy[n] = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    if (copy[i] == '\\') {
      if (i + 5 < n && memcmp(copy + i + 1, "u0000", 5) == 0) {
        memcpy(copy + i + 1, "ufffd", 5);
      }
      i++;
    }
  }
  return copy;
}

static cJSON *parse_whole(const char *s, size_t n) {
  const char *end = NULL;
  cJSON *tree = cJSON_ParseWithLengthOpts(s, n, &end, 0);
  while (tree && end < s + n && (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t')) {
    end++;
  }
  if (tree && end < s + n) {
    cJSON_Delete(tree);
    tree = NULL;
  }
  return tree;
}

cJSON *json_parse(const char *text, size_t n, const char *what, Err *err) {
  size_t bad_at = 0, nuls = 0;
  if (!text_is_utf8(text, n, &bad_at)) {
    err_set(err, RC_ERROR, "bad_utf8", "%s: not valid UTF-8 at byte %zu", what, bad_at);
    return NULL;
  }
  int depth = scan(text, n, &nuls);
  if (depth > LIMIT_JSON_DEPTH) {
    err_set(err, RC_ERROR, "bad_json", "%s: JSON nested %d deep (at most %d)", what, depth,
            LIMIT_JSON_DEPTH);
    return NULL;
  }
  char *copy = nuls ? replace_nuls(text, n) : NULL;
  int impossible = (nuls && !copy) || (n && memchr(text, 0, n));
  cJSON *tree = impossible ? NULL : parse_whole(copy ? copy : text, n);
  free(copy);
  if (!tree) {
    err_set(err, RC_ERROR, "bad_json", "%s: not valid JSON", what);
  }
  return tree;
}

int json_begins(const char *text) {
  char first = text ? text[strspn(text, " \t\r\n")] : 0;
  return first == '{' || first == '[';
}

const char *json_text(const cJSON *object, const char *key) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

int json_count(const cJSON *object, const char *key, long long *value) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!item || cJSON_IsNull(item)) {
    return 0;
  }
  double d = cJSON_IsNumber(item) ? item->valuedouble : -1.0;
  if (!(d >= 0 && d <= (double)LIMIT_COUNT) || d != floor(d)) {
    return -1;
  }
  *value = (long long)d;
  return 1;
}

const cJSON *json_at(const cJSON *object, const char *const *path) {
  while (object && *path) {
    object = cJSON_GetObjectItemCaseSensitive(object, *path++);
  }
  return object;
}
