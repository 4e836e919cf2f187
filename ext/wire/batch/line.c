/*
** See line.h for the contract. A line is written by one function into a sink, which keeps the bytes or only counts them: so
** the size can't differ from what is written.
*/
#include "wire/batch/line.h"

#include "base/check.h"
#include "base/text/json.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ids */

static int is_alnum(char c) {
  return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

void batch_id_write(long long rowid, long long attempt, const char *tag, char out[BATCH_ID]) {
  char kept[BATCH_TAG] = "";
  size_t n = 0;
  CHECK(attempt >= 0);
  for (; tag && tag[n] && n < BATCH_TAG - 1; n++) {
    CHECK(is_alnum(tag[n]));
    kept[n] = tag[n];
  }
  snprintf(out, BATCH_ID, "r%lld-%lld%s%s", rowid, attempt, kept[0] ? "-" : "", kept);
}

int batch_id_read(const char *id, BatchKey *key) {
  char again[BATCH_ID], *end;
  size_t n = 0;
  *key = (BatchKey){0};
  if (id[0] != 'r' || strlen(id) >= BATCH_ID) {
    return 0;
  }
  errno = 0;
  key->rowid = strtoll(id + 1, &end, 10);
  if (*end != '-' || end[1] == '-') {
    return 0;
  }
  key->attempt = strtoll(end + 1, &end, 10);
  for (end += *end == '-'; n < BATCH_TAG - 1 && is_alnum(end[n]); n++) {
    key->tag[n] = end[n];
  }
  /* What it would be written as: so zeros in front, blanks, signs, numbers out of range are none. */
  batch_id_write(key->rowid, key->attempt, key->tag, again);
  return errno == 0 && strcmp(again, id) == 0;
}

/* ---- writing */

typedef struct Sink {
  Buf *out; /* NULL: it is only counted */
  size_t n;
} Sink;

static void put(Sink *s, const char *bytes, size_t n) {
  s->n += n;
  if (s->out) {
    buf_add(s->out, bytes, n);
  }
}

static void put_text(Sink *s, const char *text) {
  put(s, text, strlen(text));
}

/* The bytes of a character at p that somebody may take for an end of line, or no text at all; its number in *code. 0: there
** is none. */
static size_t unsafe_length(const unsigned char *p, size_t n, unsigned *code) {
  if (p[0] < 0x20 || p[0] == 0x7F) {
    *code = p[0];
    return 1;
  }
  if (p[0] == 0xC2 && n > 1 && p[1] < 0xA0) {
    *code = p[1];
    return 2;
  }
  if (p[0] == 0xE2 && n > 2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)) {
    *code = 0x2000u + (p[2] - 0x80u);
    return 3;
  }
  return 0;
}

/* Of most bytes of most texts nothing need be asked. */
static int is_plain(unsigned char c) {
  return c > ' ' && c < 0x7F && c != '"' && c != '\\';
}

/* A part of valid JSON, without blanks between its values. */
static void put_json(Sink *s, const char *text, size_t n) {
  int in_string = 0;
  size_t from = 0;
  for (size_t i = 0; i < n;) {
    unsigned code = 0;
    if (is_plain((unsigned char)text[i])) {
      i++;
      continue;
    }
    char c = text[i], escape[8];
    size_t unsafe = unsafe_length((const unsigned char *)text + i, n - i, &code);
    if (in_string && c == '\\') {
      i += 2;
    } else if (unsafe > 0 || (!in_string && c == ' ')) {
      put(s, text + from, i - from);
      if (in_string) {
        put(s, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", code));
      }
      from = i += unsafe ? unsafe : 1;
    } else {
      in_string ^= c == '"';
      i++;
    }
  }
  put(s, text + from, n - from);
}

/* ---- the body's members */

/* Whatever json_is_text passes over: control characters too. */
static size_t skip_blanks(const char *text, size_t n, size_t i) {
  while (i < n && (unsigned char)text[i] <= ' ') {
    i++;
  }
  return i;
}

static size_t string_end(const char *text, size_t n, size_t i) {
  for (i++; i < n && text[i] != '"'; i++) {
    i += text[i] == '\\';
  }
  return i + 1;
}

/* The place of the comma or bracket behind a value. */
static size_t value_end(const char *text, size_t n, size_t i) {
  int depth = 0;
  while (i < n && (depth > 0 || (text[i] != ',' && text[i] != '}'))) {
    char c = text[i];
    depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    i = c == '"' ? string_end(text, n, i) : i + 1;
  }
  return i;
}

/* 1 for members that a batch's request does not have. */
static int is_dropped(const BatchForm *form, const char *name, size_t n) {
  static const char *const never[] = {"\"stream\"", "\"stream_options\""};
  static const char model[] = "\"model\"";
  int is = form->model_in_job && n == sizeof model - 1 && memcmp(name, model, n) == 0;
  for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
    is |= n == strlen(never[i]) && memcmp(name, never[i], n) == 0;
  }
  return is;
}

/* An object that was found to be JSON; `i` is at its bracket. */
static void put_body(Sink *s, const BatchForm *form, const char *text, size_t n, size_t i) {
  int any = 0;
  put_text(s, "{");
  for (i = skip_blanks(text, n, i + 1); i < n && text[i] != '}';) {
    size_t name = i, name_end = string_end(text, n, i);
    size_t value = skip_blanks(text, n, name_end) + 1, end = value_end(text, n, value);
    if (!is_dropped(form, text + name, name_end - name)) {
      put(s, ",", any ? 1 : 0);
      put_json(s, text + name, name_end - name);
      put_text(s, ":");
      put_json(s, text + value, end - value);
      any = 1;
    }
    i = end < n && text[end] == ',' ? skip_blanks(text, n, end + 1) : end;
  }
  put_text(s, "}");
}

/* Where the body's object begins; an error where it is none. */
static int check_body(const BatchLine *line, size_t *at, Err *err) {
  static const char what[] = "the request's body";
  size_t bad_at = 0;
  if (!utf8_is_valid(line->body, line->n, &bad_at)) {
    return err_set(err, RC_ERROR, ERR_BAD_UTF8, "%s: not valid UTF-8 at byte %zu", what, bad_at);
  }
  if (!json_is_text(line->body, line->n, LIMIT_ANSWER_DEPTH, &bad_at)) {
    return json_bad_at(what, bad_at == JSON_TOO_DEEP ? 0 : bad_at, line->n, err);
  }
  *at = line->n >= 3 && memcmp(line->body, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  *at = skip_blanks(line->body, line->n, *at);
  return line->body[*at] == '{' ? RC_OK
                                : err_set(err, RC_ERROR, ERR_BAD_JSON, "%s is no object", what);
}

static int put_line(Sink *s, const BatchForm *form, const BatchLine *line, Err *err) {
  const char *endpoint = form->endpoints[line->endpoint];
  size_t at = 0;
  if (!endpoint) {
    return err_set(err, RC_ERROR, ERR_BAD_API, "%s takes no batches of %s", form->name,
                   line->endpoint == BATCH_CHAT ? "chat completions" : "embeddings");
  }
  if (check_body(line, &at, err) != RC_OK) {
    return err->rc;
  }
  put_text(s, form->takes_file || line->is_first ? "{\"custom_id\":\"" : ",{\"custom_id\":\"");
  put_text(s, line->id);
  put_text(s, "\",");
  if (form->line_has_url) {
    put_text(s, "\"method\":\"POST\",\"url\":\"");
    put_text(s, endpoint);
    put_text(s, "\",");
  }
  put_text(s, "\"");
  put_text(s, form->body_name);
  put_text(s, "\":");
  put_body(s, form, line->body, line->n, at);
  put_text(s, form->takes_file ? "}\n" : "}");
  return RC_OK;
}

int batch_line_add(const BatchForm *form, const BatchLine *line, Buf *out, Err *err) {
  Sink s = {.out = out};
  if (put_line(&s, form, line, err) == RC_OK && out->failed) {
    return out->failed == RC_TOOBIG
               ? err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the line is over %zu bytes", out->max)
               : err_nomem(err);
  }
  return err->rc;
}

int batch_line_size(const BatchForm *form, const BatchLine *line, size_t *size, Err *err) {
  Sink s = {.out = NULL};
  put_line(&s, form, line, err);
  *size = s.n;
  return err->rc;
}
