/*
** JSON under limits. See json.h for the contract.
**
** cJSON itself checks neither UTF-8 nor (below 1,000 levels) depth and would end a string at \u0000
** silently (a raw NUL, which JSON doesn't allow, too), so one pass over the text looks at these
** before it.
**
** And it gives the same NULL for a text that is no JSON and for lack of memory. So a second pass, which
** needs none, decides whether the text is one: it goes by cJSON's own rules which are laxer than RFC 8259 in
** numbers and blanks; what passes and still has no tree is out of memory. (So is, to a cJSON that has
** not had its CVE-2023-26819 mended, a number of more than 63 characters.)
*/
#include "base/text/json.h"

#include "base/text/decimal.h"
#include "base/utf8.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
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

/* ---- the grammar, as cJSON has it */

typedef struct Text {
  const char *at, *end;
  int depth, most; /* levels: of the place, and at most */
} Text;

/* What cJSON takes for blanks: every control character. */
static void skip_blanks(Text *t) {
  while (t->at < t->end && (unsigned char)*t->at <= ' ') {
    t->at++;
  }
}

static int take_char(Text *t, char c) {
  int is_there = t->at < t->end && *t->at == c;
  t->at += is_there;
  return is_there;
}

static size_t count_digits(const char *p, const char *end) {
  size_t n = 0;
  while (p + n < end && p[n] >= '0' && p[n] <= '9') {
    n++;
  }
  return n;
}

/* As strtod(3) reads it: "01", "1." and "-.5" are numbers. */
static int take_number(Text *t) {
  const char *p = t->at, *end = t->end;
  p += *p == '-';
  size_t whole = count_digits(p, end), part = 0;
  p += whole;
  if (p < end && *p == '.' && (whole || count_digits(p + 1, end))) {
    part = count_digits(p + 1, end);
    p += 1 + part;
  }
  if (!whole && !part) {
    return 0;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    const char *power = p + 1;
    power += power < end && (*power == '+' || *power == '-');
    size_t n = count_digits(power, end);
    p = n ? power + n : p;
  }
  t->at = p;
  return 1;
}

int json_hex(const char *p, const char *end, int digits) {
  int value = 0;
  for (int i = 0; i < digits; i++) {
    char c = p + i < end ? p[i] : 0;
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) {
      return -1;
    }
    value = value << 4 | digit;
  }
  return value;
}

static int hex4(const char *p) {
  return json_hex(p, p + 4, 4);
}

int json_is_half_pair(const char *p, size_t n) {
  int value = n >= 6 && p[1] == 'u' ? hex4(p + 2) : -1;
  return value >= 0xD800 && value <= 0xDFFF;
}

/* The bytes of a \u escape at p in front of the string's end, with its second half where it is the
** first of a pair; 0 where it is none. (cJSON reads four characters that are no digits as a NUL, which
** would end the string there: this is stricter.) */
static size_t unicode_length(const char *p, const char *end) {
  int first = end - p >= 6 ? hex4(p + 2) : -1;
  if (first < 0 || (first >= 0xDC00 && first <= 0xDFFF)) {
    return 0;
  }
  if (first < 0xD800 || first > 0xDBFF) {
    return 6;
  }
  int second = end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;
  return second >= 0xDC00 && second <= 0xDFFF ? 12 : 0;
}

size_t json_escape_length(const char *p, size_t n) {
  return n < 2                                ? 0
         : p[1] == 'u'                        ? unicode_length(p, p + n)
         : p[1] && strchr("bfnrt\"\\/", p[1]) ? 2
                                              : 0;
}

static int take_string(Text *t) {
  if (!take_char(t, '"')) {
    return 0;
  }
  const char *close = t->at;
  while (close < t->end && *close != '"') {
    close += *close == '\\' ? 2 : 1;
  }
  if (close >= t->end) {
    t->at = t->end;
    return 0;
  }
  for (const char *p = t->at; p < close;) {
    size_t n = *p != '\\' ? 1 : json_escape_length(p, (size_t)(close - p));
    if (n == 0) {
      t->at = p;
      return 0;
    }
    p += n;
  }
  t->at = close + 1;
  return 1;
}

static int take_word(Text *t, const char *word) {
  size_t n = strlen(word);
  int is_there = (size_t)(t->end - t->at) >= n && memcmp(t->at, word, n) == 0;
  t->at += is_there ? n : 0;
  return is_there;
}

static int take_value(Text *t);

/* An object (`close` is '}') or an array. */
static int take_members(Text *t, char close) {
  int ok = 1;
  if (++t->depth > t->most) {
    return 0;
  }
  t->at++;
  skip_blanks(t);
  if (take_char(t, close)) {
    t->depth--;
    return 1;
  }
  do {
    skip_blanks(t);
    if (close == '}') {
      ok = take_string(t);
      if (ok) {
        skip_blanks(t);
        ok = take_char(t, ':');
        skip_blanks(t);
      }
    }
    ok = ok && take_value(t);
    if (ok) {
      skip_blanks(t);
    }
  } while (ok && take_char(t, ','));
  t->depth -= ok;
  return ok && take_char(t, close);
}

static int take_value(Text *t) {
  if (t->at == t->end) {
    return 0;
  }
  switch (*t->at) {
  case '"':
    return take_string(t);
  case '{':
    return take_members(t, '}');
  case '[':
    return take_members(t, ']');
  case 'n':
    return take_word(t, "null");
  case 't':
    return take_word(t, "true");
  case 'f':
    return take_word(t, "false");
  default:
    return (*t->at == '-' || (*t->at >= '0' && *t->at <= '9')) && take_number(t);
  }
}

int json_is_text(const char *s, size_t n, int most, size_t *bad_at) {
  Text t = {s, s + n, 0, most};
  const char *nul = memchr(s, 0, n);
  if (nul) {
    *bad_at = (size_t)(nul - s);
    return 0;
  }
  if (n > 4 && memcmp(s, "\xEF\xBB\xBF", 3) == 0) { /* cJSON passes over a byte order mark */
    t.at += 3;
  }
  skip_blanks(&t);
  int ok = take_value(&t);
  while (ok && t.at < t.end && (*t.at == ' ' || *t.at == '\n' || *t.at == '\r' || *t.at == '\t')) {
    t.at++;
  }
  *bad_at = t.depth > most ? JSON_TOO_DEEP : (size_t)(t.at - s);
  return ok && t.at == t.end;
}

/* ---- reading */

int json_bad_at(const char *what, size_t at, size_t n, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_JSON, "%s: not valid JSON at byte %zu%s", what, at,
                 at >= n ? ", where it ends" : "");
}

cJSON *json_parse(const char *text, size_t n, const char *what, Err *err) {
  size_t bad_at = 0;
  if (!utf8_is_valid(text, n, &bad_at)) {
    err_set(err, RC_ERROR, ERR_BAD_UTF8, "%s: not valid UTF-8 at byte %zu", what, bad_at);
    return NULL;
  }
  return json_parse_bytes(text, n, LIMIT_JSON_DEPTH, what, err);
}

cJSON *json_parse_bytes(const char *text, size_t n, int most, const char *what, Err *err) {
  size_t bad_at = 0, nuls = 0;
  int depth = scan(text, n, &nuls);
  if (depth > most) {
    err_set(err, RC_ERROR, ERR_BAD_JSON, "%s: JSON nested %d deep (at most %d)", what, depth, most);
    return NULL;
  }
  if (!json_is_text(text, n, most, &bad_at)) {
    json_bad_at(what, bad_at, n, err);
    return NULL;
  }
  char *copy = nuls ? replace_nuls(text, n) : NULL;
  cJSON *tree = nuls && !copy ? NULL : cJSON_ParseWithLength(copy ? copy : text, n);
  free(copy);
  if (!tree) {
    err_nomem(err);
  }
  return tree;
}

/* ---- building */

cJSON *json_add(cJSON *parent, const char *key, cJSON *item, Err *err) {
  int ok = parent && item && err->rc == RC_OK &&
           (key ? cJSON_AddItemToObject(parent, key, item) : cJSON_AddItemToArray(parent, item));
  if (!ok) {
    cJSON_Delete(item);
    err_nomem(err);
  }
  return ok ? item : NULL;
}

/* The last of that name behind an item; NULL: it is the last itself. */
static const cJSON *same_behind(const cJSON *item) {
  const cJSON *found = NULL;
  for (const cJSON *other = item->next; other && !found; other = other->next) {
    found = strcmp(other->string, item->string) == 0 ? other : NULL;
  }
  return found;
}

int json_drop_doubles(cJSON *tree) {
  int is_fine = !cJSON_IsObject(tree) || cJSON_GetArraySize(tree) <= JSON_MOST_MEMBERS;
  for (cJSON *item = is_fine ? tree->child : NULL, *next; item && is_fine; item = next) {
    next = item->next;
    if (cJSON_IsObject(tree) && same_behind(item)) {
      cJSON_Delete(cJSON_DetachItemViaPointer(tree, item));
    } else {
      is_fine = json_drop_doubles(item);
    }
  }
  return is_fine;
}

cJSON *json_replace(cJSON *object, const char *key, cJSON *item, Err *err) {
  int ok = item && err->rc == RC_OK && cJSON_ReplaceItemInObjectCaseSensitive(object, key, item);
  if (!ok) {
    cJSON_Delete(item);
  } else if (!item->string) { /* it is there, but without memory for its name */
    ok = 0;
  }
  return ok ? item : (err_nomem(err), NULL);
}

char *json_print(cJSON *tree, Err *err) {
  char *text = tree && err->rc == RC_OK ? cJSON_PrintUnformatted(tree) : NULL;
  cJSON_Delete(tree);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

/* ---- numbers, exactly */

void json_number(double value, char out[JSON_NUMBER]) {
  const double two_63 = 9223372036854775808.0;
  if (!isfinite(value)) { /* it was written so large: JSON has no word for it */
    snprintf(out, JSON_NUMBER, "%s", value < 0 ? "-1e999" : "1e999");
  } else if (fabs(value) < two_63 && value == trunc(value)) {
    snprintf(out, JSON_NUMBER, "%lld", (long long)value);
  } else if (value == two_63) {
    snprintf(out, JSON_NUMBER, "%lld", LLONG_MAX);
  } else if (value == 2 * two_63) {
    snprintf(out, JSON_NUMBER, "%llu", ULLONG_MAX);
  } else if (fabs(value) < 1e21 && value == trunc(value)) {
    snprintf(out, JSON_NUMBER, "%.0f", value);
  } else {
    for (int digits = 15; digits <= 17; digits++) {
      snprintf(out, JSON_NUMBER, "%.*g", digits, value);
      if (strtod(out, NULL) == value) {
        break;
      }
    }
    for (char *p = out; *p; p++) { /* a locale's point */
      *p = *p == ',' ? '.' : *p;
    }
  }
}

int json_exact_numbers(cJSON *tree, Err *err) {
  if (cJSON_IsNumber(tree)) {
    char digits[JSON_NUMBER];
    json_number(tree->valuedouble, digits);
    size_t n = strlen(digits) + 1;
    char *text = cJSON_malloc(n);
    if (!text) {
      return err_nomem(err);
    }
    memcpy(text, digits, n);
    tree->type = (tree->type & ~0xFF) | cJSON_Raw;
    tree->valuestring = text;
  }
  for (cJSON *item = tree->child; item && err->rc == RC_OK; item = item->next) {
    json_exact_numbers(item, err);
  }
  return err->rc;
}

char *json_print_exact(const cJSON *tree, Err *err) {
  cJSON *copy = cJSON_Duplicate(tree, 1);
  if (copy) {
    json_exact_numbers(copy, err);
  }
  return json_print(copy, err);
}

/* ---- looking */

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
  if (!decimal_is_whole(d, 0, (double)LIMIT_COUNT)) {
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

/* The place behind the string that begins at i. */
static size_t behind_string(const char *json, size_t n, size_t i) {
  for (i++; i < n && json[i] != '"'; i++) {
    i += json[i] == '\\';
  }
  return i + 1;
}

static size_t behind_blanks(const char *json, size_t n, size_t i) {
  while (i < n && (json[i] == ' ' || json[i] == '\t' || json[i] == '\r' || json[i] == '\n')) {
    i++;
  }
  return i;
}

/* Copies an integer that ends where a value ends. */
static int copy_integer(const char *json, size_t n, size_t i, char *out, size_t size) {
  size_t to = i + (json[i] == '-'), from = i;
  while (to < n && json[to] >= '0' && json[to] <= '9') {
    to++;
  }
  int ends = to < n && json[to] && strchr(" \t\r\n,}", json[to]) && to > from + (json[i] == '-');
  if (!ends || to - from >= size) {
    return 0;
  }
  memcpy(out, json + from, to - from);
  out[to - from] = 0;
  return 1;
}

int json_integer_text(const char *json, size_t n, const char *key, char *out, size_t size) {
  size_t length = strlen(key), depth = 0;
  int found = 0;
  for (size_t i = 0; i < n;) {
    char c = json[i];
    size_t end = c == '"' ? behind_string(json, n, i) : i + 1;
    depth += c == '{' || c == '[';
    depth -= (c == '}' || c == ']') && depth > 0;
    size_t colon = c == '"' && depth == 1 ? behind_blanks(json, n, end) : n;
    if (colon < n && json[colon] == ':') {
      size_t at = behind_blanks(json, n, colon + 1);
      int is_it = end - i == length + 2 && memcmp(json + i + 1, key, length) == 0;
      if (memchr(json + i, '\\', end - i)) {
        return 0;
      }
      if (is_it && at < n && json[at] != 'n') {
        found = copy_integer(json, n, at, out, size);
      }
    }
    i = end;
  }
  return found;
}
