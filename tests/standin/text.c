/*
** text.c: bytes. Buffers, a counting hash map, strict UTF-8 and JSON, and the token rule.
**
** The token rule, the same for input and output:
**   a token is a run of letters, digits and bytes above 127, cut into pieces of at most 8 bytes (a
**   UTF-8 character is never split), or one other printable character. White space is free. A message
**   costs 3 tokens more than its text (prompt.c adds them).
** English text comes out near one token per four to five bytes, as with the providers' own rules.
**
** Strict JSON: cJSON alone takes more than the standard allows (numbers such as 01 or 1., control
** characters in strings, bytes after the value), so a lexical pass goes before it.
*/
#include "standin.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#define TOKEN_BYTES 8

/* Ends the program when p is NULL. */
void *need(void *p) {
  if (!p) {
    fputs("standin: out of memory\n", stderr);
    abort();
  }
  return p;
}

/* An owned copy of n bytes. */
char *dup_n(const char *s, size_t n) {
  char *p = need(malloc(n + 1));
  memcpy(p, s, n);
  p[n] = 0;
  return p;
}

/* Copies as much as fits. */
void copy_name(char *to, size_t cap, const char *from) {
  size_t n = strlen(from);
  if (n >= cap) {
    n = cap - 1;
  }
  memcpy(to, from, n);
  to[n] = 0;
}

/* Makes room for n more bytes and the final NUL. */
static void buf_room(struct buf *b, size_t n) {
  if (b->n + n + 1 <= b->cap) {
    return;
  }
  size_t cap = b->cap ? b->cap : 256;
  while (cap < b->n + n + 1) {
    cap += cap;
  }
  b->p = need(realloc(b->p, cap));
  b->cap = cap;
}

/* Appends bytes. */
void buf_add(struct buf *b, const void *p, size_t n) {
  buf_room(b, n);
  if (n) {
    memcpy(b->p + b->n, p, n);
  }
  b->n += n;
  b->p[b->n] = 0;
}

/* Appends a string. */
void buf_str(struct buf *b, const char *s) {
  buf_add(b, s, strlen(s));
}

/* Appends formatted text. */
void buf_printf(struct buf *b, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  if (n > 0) {
    buf_room(b, (size_t)n);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
    b->n += (size_t)n;
  }
  va_end(again);
}

/* Appends a JSON value without spaces. */
void buf_json(struct buf *b, const cJSON *j) {
  char *s = need(cJSON_PrintBuffered(j, 1024, 0));
  buf_str(b, s);
  cJSON_free(s);
}

/* Hands the bytes over and leaves the buffer empty. */
char *buf_take(struct buf *b) {
  char *p = b->p ? b->p : dup_n("", 0);
  memset(b, 0, sizeof *b);
  return p;
}

/* Frees the bytes and leaves the buffer empty. */
void buf_free(struct buf *b) {
  free(b->p);
  memset(b, 0, sizeof *b);
}

/* XXH64; NULL is the empty string. */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed) {
  return XXH64(p ? p : "", p ? n : 0, seed);
}

/* The slot that holds key, or the free one where it would go. Key 0 is stored as 1. */
static struct map_slot *map_slot(const struct map *m, uint64_t key) {
  size_t i = (size_t)(key * 0x9e3779b97f4a7c15u) & (m->cap - 1);
  while (m->slot[i].key && m->slot[i].key != key) {
    i = (i + 1) & (m->cap - 1);
  }
  return &m->slot[i];
}

/* Doubles the table; a map that outgrew any test starts again empty. */
static void map_grow(struct map *m) {
  struct map old = *m;
  m->cap = old.cap ? old.cap * 2 : 1024;
  m->slot = need(calloc(m->cap, sizeof *m->slot));
  for (size_t i = 0; i < old.cap; i++) {
    if (old.slot[i].key) {
      *map_slot(m, old.slot[i].key) = old.slot[i];
    }
  }
  free(old.slot);
}

/* Adds to the count of a key; returns the new count. */
int64_t map_add(struct map *m, uint64_t key, int64_t delta) {
  if (m->used * 2 >= m->cap) {
    map_grow(m);
  }
  struct map_slot *s = map_slot(m, key ? key : 1);
  if (!s->key) {
    s->key = key ? key : 1;
    m->used++;
  }
  s->count += delta;
  return s->count;
}

/* The count of a key, 0 when it was never added. */
int64_t map_get(const struct map *m, uint64_t key) {
  return m->cap ? map_slot(m, key ? key : 1)->count : 0;
}

/* Frees the table and leaves the map empty. */
void map_free(struct map *m) {
  free(m->slot);
  memset(m, 0, sizeof *m);
}

/* Bytes of the UTF-8 character at p (n left), or 0 when it isn't one (RFC 3629: no surrogates,
** no overlong forms, nothing above U+10FFFF). */
static size_t utf8_step(const unsigned char *p, size_t n) {
  size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
  if (len == 0 || len > n || p[0] > 0xf4) {
    return 0;
  }
  for (size_t i = 1; i < len; i++) {
    if ((p[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) {
    return 0;
  }
  if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
    return 0;
  }
  return len;
}

/* 1 when all of it is UTF-8. */
int utf8_valid(const char *p, size_t n) {
  const unsigned char *u = (const unsigned char *)p;
  for (size_t i = 0, step; i < n; i += step) {
    step = utf8_step(u + i, n - i);
    if (!step) {
      return 0;
    }
  }
  return 1;
}

/* The longest prefix of at most max bytes that splits no character. */
size_t utf8_fit(const char *s, size_t n, size_t max) {
  if (n <= max) {
    return n;
  }
  while (max && ((unsigned char)s[max] & 0xc0) == 0x80) {
    max--;
  }
  return max;
}

/* Skips digits; NULL when there is none. */
static const char *skip_digits(const char *p, const char *end) {
  const char *from = p;
  while (p < end && *p >= '0' && *p <= '9') {
    p++;
  }
  return p > from ? p : NULL;
}

/* The end of the JSON number at p, or NULL when it breaks the grammar. */
static const char *scan_number(const char *p, const char *end) {
  if (p < end && *p == '-') {
    p++;
  }
  const char *from = p;
  p = skip_digits(p, end);
  if (!p || (*from == '0' && p > from + 1)) {
    return NULL;
  }
  if (p < end && *p == '.') {
    p = skip_digits(p + 1, end);
    if (!p) {
      return NULL;
    }
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (p < end && (*p == '+' || *p == '-')) {
      p++;
    }
    p = skip_digits(p, end);
  }
  return p;
}

/* The byte after the string's closing quote (p is after the opening one), or NULL. */
static const char *scan_string(const char *p, const char *end) {
  while (p < end && *p != '"') {
    if ((unsigned char)*p < 0x20) {
      return NULL;
    }
    if (*p == '\\') {
      p++;
      if (p >= end || !strchr("\"\\/bfnrtu", *p) || !*p) {
        return NULL;
      }
    }
    p++;
  }
  return p < end ? p + 1 : NULL;
}

/* 1 when every string and number in the text keeps the grammar; structure is cJSON's part. */
static int scan_json(const char *p, const char *end) {
  while (p && p < end) {
    if (*p == '"') {
      p = scan_string(p + 1, end);
    } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
      p = scan_number(p, end);
    } else if (strchr(" \t\r\n{}[]:,", *p) ? *p != 0 : islower((unsigned char)*p)) {
      p++;
    } else {
      return 0;
    }
  }
  return p != NULL;
}

/* Parses one JSON value, by the standard's grammar. NULL when it isn't one. */
cJSON *json_strict(const char *p, size_t n) {
  const char *end = NULL;
  if (!p || !scan_json(p, p + n)) {
    return NULL;
  }
  cJSON *j = cJSON_ParseWithLengthOpts(p, n, &end, 0);
  while (j && end < p + n && isspace((unsigned char)*end)) {
    end++;
  }
  if (j && end != p + n) {
    cJSON_Delete(j);
    j = NULL;
  }
  return j;
}

/* 1 for 1 to max letters, digits, '_' and '-'. */
int name_valid(const char *s, size_t max) {
  size_t n = s ? strlen(s) : 0;
  if (n == 0 || n > max) {
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '-') {
      return 0;
    }
  }
  return 1;
}

/* 1 for a byte that belongs to a word. */
static int is_word(char c) {
  unsigned char u = (unsigned char)c;
  return u >= 0x80 || (u >= '0' && u <= '9') || ((u | 0x20) >= 'a' && (u | 0x20) <= 'z');
}

/* The next token at *p, its length in *len, *p moved behind it; NULL at the end. */
const char *token_next(const char **p, const char *end, size_t *len) {
  const char *s = *p;
  while (s < end && (*s == ' ' || (unsigned char)*s < 0x20)) {
    s++;
  }
  const char *from = s;
  if (s >= end) {
    *p = end;
    return NULL;
  }
  if (is_word(*s)) {
    while (s < end && is_word(*s) &&
           (s - from < TOKEN_BYTES || ((unsigned char)*s & 0xc0) == 0x80)) {
      s++;
    }
  } else {
    s++;
  }
  *len = (size_t)(s - from);
  *p = s;
  return from;
}

/* Tokens in n bytes. */
int64_t token_count(const char *p, size_t n) {
  const char *end = p + n;
  size_t len;
  int64_t count = 0;
  while (token_next(&p, end, &len)) {
    count++;
  }
  return count;
}

/* Bytes up to the end of the max-th token. */
size_t token_cut(const char *p, size_t n, int64_t max) {
  const char *at = p, *end = p + n;
  size_t len;
  for (int64_t i = 0; i < max; i++) {
    if (!token_next(&at, end, &len)) {
      break;
    }
  }
  return max > 0 ? (size_t)(at - p) : 0;
}

/* A string member, borrowed; NULL when it's missing or no string. */
const char *json_text(const cJSON *obj, const char *key) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(obj, key));
}

/* A member; NULL when it's missing. */
const cJSON *json_get(const cJSON *obj, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(obj, key);
}

/* Adds a string member, or null when s is NULL or empty. */
void json_add_text(cJSON *obj, const char *key, const char *s) {
  if (s && *s) {
    cJSON_AddStringToObject(obj, key, s);
  } else {
    cJSON_AddNullToObject(obj, key);
  }
}

/* Adds a count, as a number or as text (the scenario string-usage). */
void json_add_count(cJSON *obj, const char *key, int64_t n, int as_text) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)n);
  if (as_text) {
    cJSON_AddStringToObject(obj, key, text);
  } else {
    cJSON_AddNumberToObject(obj, key, (double)n);
  }
}

/* Nano-dollars as a JSON number of dollars, exactly. */
void json_add_usd(cJSON *obj, const char *key, int64_t nusd) {
  char text[40];
  snprintf(text, sizeof text, "%lld.%09lld", (long long)(nusd / 1000000000),
           (long long)(nusd % 1000000000));
  cJSON_AddRawToObject(obj, key, text);
}

/* A numeric member; otherwise when it's missing, no number, or out of range. */
int64_t json_int(const cJSON *obj, const char *key, int64_t otherwise) {
  const cJSON *j = cJSON_GetObjectItemCaseSensitive(obj, key);
  if (!cJSON_IsNumber(j) || j->valuedouble > 9e15 || j->valuedouble < -9e15) {
    return otherwise;
  }
  return (int64_t)j->valuedouble;
}

/* Milliseconds since 1970. */
int64_t unix_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Monotonic milliseconds. */
int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
