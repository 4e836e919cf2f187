/*
** See records.h for the contract.
**
** A window onto the file: what was cut is dropped from its front, bytes are read behind its end. A scanner goes over each
** byte once and keeps its state in between: it says where a record begins (bytes before it are dropped) and where it ends.
*/
#include "work/files/records.h"

#include <stdlib.h>
#include <string.h>

/* Where the scanner of JSON values is, outside of one: looking for the array whose elements are the records; between them;
** behind that array, in what was around it. */
typedef enum Around { SEARCHING, BETWEEN, BEHIND } Around;

typedef struct Scan {
  int is_inside; /* a record has begun */
  int in_string, is_escaped;
  long long depth;
  /* of JSON values */
  Around around;
  long long base; /* the depth that values lie at */
  int is_scalar;  /* the value is a number or a word */
  /* of a CSV */
  int at_field, has_quoted;
} Scan;

struct Records {
  LogShape shape;
  Bytes *from;
  char *data;
  size_t start, at, n,
      cap;        /* the record, or what is dropped; how far it was looked at; filled; room */
  long long base; /* where in the file data[0] is */
  long long number, lines; /* of the record; of all that was cut */
  int is_at_end;
  int is_skipping; /* the record is too long */
  Scan scan;
};

enum { CHUNK = 1 << 16 };

Records *records_new(LogShape shape, Bytes *from, long long offset, long long number, Err *err) {
  Records *r = calloc(1, sizeof *r);
  if (!r) {
    err_nomem(err);
    return NULL;
  }
  r->from = from;
  r->base = offset;
  r->number = r->lines = number;
  records_cut_as(r, shape);
  return r;
}

void records_free(Records *r) {
  if (r) {
    free(r->data);
    free(r);
  }
}

void records_cut_as(Records *r, LogShape shape) {
  r->shape = shape;
  r->scan = (Scan){.at_field = 1, .around = shape == LOG_ELEMENTS ? SEARCHING : BETWEEN};
}

int records_may_go_on(const Records *r) {
  return r->shape == LOG_LINES && !r->from->is_gzip;
}

int records_is_array(const Records *r) {
  return r->shape == LOG_ELEMENTS;
}

/* ---- the window */

/* Drops what lies before `start`, where that is worth moving the rest. */
static void drop(Records *r) {
  if (r->start > 0 && (r->start == r->n || r->start >= CHUNK)) {
    memmove(r->data, r->data + r->start, r->n - r->start);
    r->base += (long long)r->start;
    r->at -= r->start;
    r->n -= r->start;
    r->start = 0;
  }
}

/* Reads more: 1; 0 at the end of the file, where the record is too long (start is moved), and with *err. */
static int fill(Records *r, Err *err) {
  drop(r);
  if (r->n - r->start > LIMIT_IMPORT_BYTES) {
    r->is_skipping = 1;
    r->start = r->at;
    drop(r);
  }
  if (r->cap - r->n < CHUNK) {
    size_t cap = r->cap < CHUNK ? 2 * CHUNK : r->cap * 2;
    char *data = realloc(r->data, cap);
    if (!data) {
      err_nomem(err);
      return 0;
    }
    r->data = data;
    r->cap = cap;
  }
  size_t got = r->is_at_end ? 0 : bytes_read(r->from, r->data + r->n, CHUNK, err);
  r->n += got;
  r->is_at_end |= got == 0;
  return got > 0;
}

size_t records_peek(Records *r, size_t n, const char **at, int *is_all, Err *err) {
  while (r->n - r->start < n && fill(r, err)) {
  }
  *at = r->data ? r->data + r->start : "";
  *is_all = r->is_at_end && r->n - r->start <= n;
  return r->n - r->start < n ? r->n - r->start : n;
}

/* ---- scanners: 1 if a record ends before r->at; 0: more bytes are needed */

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int scan_lines(Records *r) {
  const char *end = r->n > r->at ? memchr(r->data + r->at, '\n', r->n - r->at) : NULL;
  r->scan.is_inside |= r->n > r->at;
  r->at = end ? (size_t)(end - r->data) + 1 : r->n;
  r->lines += end != NULL;
  return end != NULL;
}

/* A quote opens where a field begins (RFC 4180; others' separators too), and a doubled one is none. */
static int scan_csv(Records *r) {
  Scan *s = &r->scan;
  for (; r->at < r->n; r->at++) {
    char c = r->data[r->at];
    s->is_inside = 1;
    r->lines += c == '\n';
    if (c == '"' && (s->at_field || s->in_string || s->has_quoted)) {
      s->in_string = !s->in_string; /* (behind a closing one: it was doubled) */
      s->has_quoted = !s->in_string;
      s->at_field = 0;
      continue;
    }
    s->has_quoted = 0;
    if (s->in_string) {
      continue;
    }
    if (c == '\n') {
      s->at_field = 1;
      r->at++;
      return 1;
    }
    s->at_field = c == ',' || c == ';' || c == '\t';
  }
  return 0;
}

/* A byte of a string: 1 while it is in one. */
static int scan_string(Scan *s, char c) {
  if (!s->in_string) {
    return 0;
  }
  int closes = c == '"' && !s->is_escaped;
  s->is_escaped = c == '\\' && !s->is_escaped;
  s->in_string = !closes;
  return 1;
}

/* A byte around the array. */
static void scan_around(Scan *s, char c) {
  if (scan_string(s, c)) {
    return;
  }
  s->in_string = c == '"';
  s->depth += c == '[' || c == '{' ? 1 : (c == ']' || c == '}') && s->depth > 0 ? -1 : 0;
  if (c == '[' && s->around == SEARCHING) {
    s->around = BETWEEN;
    s->base = s->depth;
  } else if (s->depth == 0 && s->around == BEHIND) {
    s->around = SEARCHING;
  }
}

/* A byte between values: 1 if one begins with it. */
static int scan_between(Scan *s, char c) {
  int is_byte_order_mark = c == '\xEF' || c == '\xBB' || c == '\xBF';
  if (is_blank(c) || is_byte_order_mark || (s->base > 0 && c == ',')) {
    return 0;
  }
  if (s->base > 0 && c == ']') {
    s->depth--;
    s->around = s->depth > 0 ? BEHIND : SEARCHING;
    return 0;
  }
  s->is_inside = 1;
  s->in_string = c == '"';
  s->is_scalar = !strchr("\"[{", c) || c == 0;
  s->depth += c == '[' || c == '{';
  return 1;
}

/* A byte of a value: 1 if the value ends with it, 2 if before it. */
static int scan_inside(Scan *s, char c) {
  if (s->is_scalar) {
    return is_blank(c) || c == ',' || c == ']' || c == '}' ? 2 : 0;
  }
  if (scan_string(s, c)) {
    return !s->in_string && s->depth == s->base;
  }
  s->in_string = c == '"';
  s->depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
  return s->depth <= s->base;
}

/* At the outermost level a stray bracket behind a scalar would stop everything: it is taken as one more. */
static int scan_values(Records *r) {
  Scan *s = &r->scan;
  for (; r->at < r->n; r->at++) {
    char c = r->data[r->at];
    if (!s->is_inside) {
      if (s->around != BETWEEN) {
        scan_around(s, c);
        r->start = r->at + 1;
      } else {
        r->start = scan_between(s, c) ? r->at : r->at + 1;
      }
      continue;
    }
    int ends = scan_inside(s, c);
    if (ends) {
      r->at += ends == 1;
      s->depth = s->base;
      return 1;
    }
  }
  return 0;
}

static int scan(Records *r) {
  return r->shape == LOG_LINES ? scan_lines(r) : r->shape == LOG_CSV ? scan_csv(r) : scan_values(r);
}

/* ---- records */

/* Of lines without their ends, and at the beginning of a file without a byte order mark. */
static void trim(const Records *r, Record *record) {
  if (r->base + (long long)r->start == 0 && record->n >= 3 &&
      memcmp(record->at, "\xEF\xBB\xBF", 3) == 0) {
    record->at += 3;
    record->n -= 3;
  }
  while (record->n > 0 && strchr("\r\n", record->at[record->n - 1]) && record->at[record->n - 1]) {
    record->n--;
  }
}

/* A file of lines that begins with '[' is an array. */
static int look_at_shape(Records *r, Err *err) {
  const char *at;
  int is_all;
  size_t n = records_peek(r, CHUNK, &at, &is_all, err), i = 0;
  i = n >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  while (i < n && is_blank(at[i])) {
    i++;
  }
  if (i < n && at[i] == '[') {
    records_cut_as(r, LOG_ELEMENTS);
  }
  return err->rc;
}

int records_next(Records *r, Record *record, Err *err) {
  if (r->base + (long long)r->at == 0 && r->shape == LOG_LINES && look_at_shape(r, err) != RC_OK) {
    return 0;
  }
  int is_text = r->shape == LOG_LINES || r->shape == LOG_CSV, is_whole;
  long long before = r->lines;
  r->start = r->at;
  r->is_skipping = 0;
  r->scan.is_inside = 0;
  while (!(is_whole = scan(r)) && fill(r, err)) {
  }
  if (err->rc != RC_OK || !r->scan.is_inside) {
    return 0;
  }
  r->number = is_text ? before + 1 : r->number + 1;
  *record = (Record){.at = r->is_skipping ? "" : r->data + r->start,
                     .n = r->is_skipping ? 0 : r->at - r->start,
                     .number = r->number,
                     .end = r->base + (long long)r->at,
                     .is_whole = is_whole,
                     .is_too_long = r->is_skipping};
  if (!is_whole) {
    r->at = r->n;
    r->scan.is_inside = 0;
  }
  if (is_text && !r->is_skipping) {
    trim(r, record);
  }
  return 1;
}
