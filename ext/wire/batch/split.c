/*
** See split.h for the contract.
**
** Every byte is looked at once, and all that is known between two pieces stands in Split. A line that grows past its limit is
** given up, but for its custom_id: the members of its outermost level are followed to its end, since none has to be the first.
*/
#include "wire/batch/split.h"

#include "base/limits.h"

#include <string.h>

void batch_split_init(Split *s, const char *names, size_t most) {
  *s = (Split){.names = names, .most = most};
  buf_init(&s->line, most);
  buf_init(&s->around, most);
}

void batch_split_free(Split *s) {
  buf_free(&s->line);
  buf_free(&s->around);
}

void batch_split_feed(Split *s, const char *bytes, size_t n) {
  s->in = bytes;
  s->n_in = n;
}

void batch_split_end(Split *s) {
  s->is_over = 1;
}

const char *batch_split_around(const Split *s, size_t *n) {
  *n = s->around.n;
  return s->around.failed ? NULL : s->around.data ? s->around.data : "";
}

/* ---- where a byte of JSON is */

/* A string of the outermost level has ended: a member's name, or its value. */
static void end_caught(SplitScan *scan) {
  int fits = scan->n < SPLIT_NAME;
  scan->text[fits ? scan->n : 0] = 0;
  if (!scan->is_value) {
    memcpy(scan->name, scan->text, SPLIT_NAME);
  } else if (strcmp(scan->name, "custom_id") == 0) {
    memcpy(scan->id, scan->text, SPLIT_NAME);
  }
  scan->is_caught = 0;
}

static void scan_string(SplitScan *scan, char c) {
  int closes = c == '"' && !scan->is_escaped;
  if (closes && scan->is_caught) {
    end_caught(scan);
  } else if (scan->is_caught) {
    int fits = scan->n < SPLIT_NAME - 1 && c != '\\' && c != 0; /* (no id of ours has escapes) */
    scan->text[fits ? scan->n : 0] = c;
    scan->n = fits ? scan->n + 1 : SPLIT_NAME;
  }
  scan->is_escaped = c == '\\' && !scan->is_escaped;
  scan->in_string = !closes;
}

static void scan_byte(SplitScan *scan, char c) {
  if (scan->in_string) {
    scan_string(scan, c);
    return;
  }
  if (c == '"') {
    scan->in_string = 1;
    scan->is_escaped = 0;
    scan->is_caught = scan->depth == 1;
    scan->n = 0;
  } else if (c == '{' || c == '[') {
    scan->depth++;
    scan->is_value = scan->depth == 1 ? 0 : scan->is_value;
  } else if (c == '}' || c == ']') {
    scan->depth -= scan->depth > 0;
  } else if (scan->depth == 1 && (c == ':' || c == ',')) {
    scan->is_value = c == ':';
  }
}

static void scan_bytes(SplitScan *scan, const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    scan_byte(scan, bytes[i]);
  }
}

/* ---- one line */

/* Takes more bytes of the line. */
static int keep(Split *s, const char *bytes, size_t n, Err *err) {
  if (!s->is_skipping && s->line.n + n > s->most) {
    s->is_skipping = 1;
    s->skipped = s->line.n;
    s->inner = (SplitScan){0};
    scan_bytes(&s->inner, s->line.data ? s->line.data : "", s->line.n);
    buf_clear(&s->line);
  }
  if (s->is_skipping) {
    s->skipped += n;
    scan_bytes(&s->inner, bytes, n);
    return err->rc;
  }
  return buf_add(&s->line, bytes, n) == RC_OK ? err->rc : err_nomem(err);
}

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0;
}

/* Hands the line over: 1, or 0 where it is blank. What it was made of stays until more is kept. */
static int hand_over(Split *s, int is_whole, SplitLine *line) {
  const char *at = s->line.data ? s->line.data : "";
  size_t n = s->line.n;
  if (s->number == 0 && n >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
    at += 3;
    n -= 3;
  }
  while (n > 0 && is_blank(at[n - 1])) {
    n--;
  }
  while (n > 0 && is_blank(*at)) {
    at++;
    n--;
  }
  int is_too_long = s->is_skipping;
  if (n == 0 && !is_too_long) {
    buf_clear(&s->line);
    return 0;
  }
  *line = (SplitLine){.at = is_too_long ? "" : at,
                      .n = is_too_long ? s->skipped : n,
                      .number = ++s->number,
                      .is_whole = is_whole,
                      .is_too_long = is_too_long};
  if (is_too_long) {
    memcpy(line->id, s->inner.id, SPLIT_NAME);
  }
  s->is_skipping = 0;
  return 1;
}

/* ---- lines */

static int next_line(Split *s, SplitLine *line, Err *err) {
  while (s->n_in > 0) {
    const char *end = memchr(s->in, '\n', s->n_in);
    size_t n = end ? (size_t)(end - s->in) : s->n_in;
    if (keep(s, s->in, n, err) != RC_OK) {
      return 0;
    }
    s->in += n + (end != NULL);
    s->n_in -= n + (end != NULL);
    if (end && hand_over(s, 1, line)) {
      return 1;
    }
  }
  return s->is_over && hand_over(s, 0, line);
}

/* ---- elements */

/* 1 if the array that begins is one of those. */
static int is_named(const Split *s) {
  size_t length = strlen(s->scan.name);
  const char *p = s->names;
  while (length > 0 && p && *p) {
    size_t n = strcspn(p, " ");
    if (n == length && memcmp(p, s->scan.name, n) == 0) {
      return 1;
    }
    p += n + strspn(p + n, " ");
  }
  return 0;
}

/* What is around is kept as far as it fits. */
static void keep_around(Split *s, char c) {
  if (!s->around.failed) {
    buf_add(&s->around, &c, 1);
  }
}

/* A byte outside of elements. */
static void take_around(Split *s, char c) {
  int begins = c == '[' && !s->scan.in_string && s->scan.depth == 1 && s->scan.is_value;
  if (!(s->is_in_array && (c == ',' || is_blank(c)))) {
    keep_around(s, c);
  }
  scan_byte(&s->scan, c);
  s->is_in_array = begins ? is_named(s) : s->is_in_array && s->scan.depth > 1;
}

/* 1 if an element begins with this byte. */
static int begins_element(const Split *s, char c) {
  return s->is_in_array && s->scan.depth == 2 && !is_blank(c) && !strchr(",]}", c);
}

/* 1 if a number or a word ends before this byte. */
static int ends_scalar(const Split *s, char c) {
  return s->is_scalar && !s->scan.in_string && (is_blank(c) || strchr(",]}", c) != NULL);
}

/* Takes what there is of an element: 1 if it ends. */
static int take_inside(Split *s, Err *err) {
  size_t n = 0;
  int ends = 0;
  while (n < s->n_in && !ends) {
    ends = ends_scalar(s, s->in[n]);
    if (!ends) {
      scan_byte(&s->scan, s->in[n++]);
      ends = s->scan.depth <= 2 && !s->scan.in_string && !s->is_scalar;
    }
  }
  keep(s, s->in, n, err);
  s->in += n;
  s->n_in -= n;
  s->is_inside = !ends;
  return ends;
}

static int next_element(Split *s, SplitLine *line, Err *err) {
  while (s->n_in > 0 && err->rc == RC_OK) {
    char c = *s->in;
    if (!s->is_inside && begins_element(s, c)) {
      s->is_inside = 1;
      s->is_scalar = !strchr("{[\"", c);
    }
    if (!s->is_inside) {
      take_around(s, c);
      s->in++;
      s->n_in--;
    } else if (take_inside(s, err) && err->rc == RC_OK && hand_over(s, 1, line)) {
      return 1;
    }
  }
  int is_left = s->is_over && s->is_inside && err->rc == RC_OK;
  s->is_inside = s->is_inside && !is_left;
  return is_left && hand_over(s, 0, line);
}

int batch_split_next(Split *s, SplitLine *line, Err *err) {
  /* The line before was borrowed up to here. */
  if (s->is_handed) {
    buf_clear(&s->line);
    s->is_handed = 0;
  }
  s->is_handed = s->names ? next_element(s, line, err) : next_line(s, line, err);
  return s->is_handed;
}
