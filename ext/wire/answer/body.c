/*
** See body.h for the contract.
*/
#include "wire/answer/body.h"

#include "base/buf.h"
#include "base/text/json_lenient.h"
#include "base/utf8.h"
#include "wire/answer/failure.h"
#include "wire/answer/finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A piece of the bytes that is still to be read. */
typedef struct Rest {
  const char *at, *end;
} Rest;

/* In any case: some write "Data:" and "[done]". */
static int starts(const Rest *r, const char *with) {
  size_t n = strlen(with);
  return (size_t)(r->end - r->at) >= n && strncasecmp(r->at, with, n) == 0;
}

/* By its byte order mark. */
static int is_utf16(const Rest *r) {
  return starts(r, "\xFF\xFE") || starts(r, "\xFE\xFF");
}

/* Byte order mark, blanks and NULs at both ends. */
static Rest trim(const char *bytes, size_t n) {
  Rest r = {bytes, bytes + n};
  r.at += starts(&r, "\xEF\xBB\xBF") ? 3 : 0;
  while (r.at < r.end && (unsigned char)*r.at <= ' ') {
    r.at++;
  }
  while (r.end > r.at && (unsigned char)r.end[-1] <= ' ') {
    r.end--;
  }
  return r;
}

/* ---- framing */

/* Behind the string at p. */
static const char *skip_string(const char *p, const char *end) {
  for (p++; p < end && *p != '"'; p++) {
    p += *p == '\\' && p + 1 < end;
  }
  return p < end ? p + 1 : end;
}

/* The end of the object or array at the front; NULL where the bytes end before it does. */
static const char *value_end(const Rest *r) {
  int depth = 0;
  for (const char *p = r->at; p < r->end;) {
    if (*p == '"') {
      p = skip_string(p, r->end);
      continue;
    }
    depth += *p == '{' || *p == '[';
    depth -= *p == '}' || *p == ']';
    p++;
    if (depth == 0) {
      return p;
    }
  }
  return NULL;
}

/* A field of server-sent events at the front of a line; a comment begins with a colon. */
static int is_field(const Rest *r) {
  static const char *const fields[] = {"data:", "event:", "id:", "retry:", ":"};
  int is = 0;
  for (size_t i = 0; i < sizeof fields / sizeof fields[0] && !is; i++) {
    is = starts(r, fields[i]);
  }
  return is;
}

static int begins_with_letter(const Rest *r) {
  return r->at < r->end && ((*r->at | 32) >= 'a' && (*r->at | 32) <= 'z');
}

/* 1 if what an event carries are JSON values, as far as their first letters tell. */
static int is_values(Rest r) {
  int is_list = starts(&r, "[");
  Rest inner = {r.at + 1, r.end};
  inner = trim(inner.at, is_list ? (size_t)(inner.end - inner.at) : 0);
  return starts(&r, "{") || (is_list && !begins_with_letter(&inner));
}

typedef enum Mark { MARK_NONE, MARK_CUT, MARK_DONE } Mark;

/* "[DONE]" in any case, in quotes too; or its beginning, where the bytes end. */
static Mark done_mark(Rest r) {
  static const char mark[] = "[DONE]";
  const size_t length = sizeof mark - 1;
  r.at += starts(&r, "\"");
  size_t n = (size_t)(r.end - r.at);
  return strncasecmp(r.at, mark, n < length ? n : length) != 0 ? MARK_NONE
         : n < length                                          ? MARK_CUT
                                                               : MARK_DONE;
}

/* A sentence where values were to come: an error, as an object. */
static void put_sentence(const Rest *r, Buf *out) {
  char *text = strndup(r->at, (size_t)(r->end - r->at));
  cJSON *string = text ? cJSON_CreateString(text) : NULL;
  char *json = string ? cJSON_PrintUnformatted(string) : NULL;
  if (!json) {
    buf_fail(out, RC_NOMEM);
  } else {
    buf_printf(out, "{\"error\":{\"message\":%s}}\n", json);
  }
  cJSON_free(json);
  cJSON_Delete(string);
  free(text);
}

/* An event as it is read. */
typedef struct Event {
  Buf data;
  int is_error; /* by its name */
} Event;

/* Puts what an event carries behind the rest: its values; an error as an object that says so. */
static void put_event(Event *e, Buf *out) {
  Rest r = trim(e->data.data ? e->data.data : "", e->data.n);
  Mark mark = done_mark(r);
  if (mark == MARK_DONE) {
    buf_puts(out, "[DONE]\n");
  } else if (e->is_error && starts(&r, "{")) {
    buf_puts(out, "{\"error\":");
    buf_add(out, r.at, (size_t)(r.end - r.at));
    buf_puts(out, "}\n");
  } else if (is_values(r)) {
    buf_add(out, r.at, (size_t)(r.end - r.at));
    buf_puts(out, "\n");
  } else if (mark == MARK_NONE && (e->is_error || starts(&r, "[error") || starts(&r, "error"))) {
    put_sentence(&r, out); /* others keep the connection, or end the stream in words of their own */
  }
  if (e->data.failed) {
    buf_fail(out, e->data.failed);
  }
  buf_clear(&e->data);
  e->is_error = 0;
}

/* One line of them. Without a field's name it is a value by itself, or goes on with one that was broken by a line end. */
static void take_line(Event *e, Rest line, Buf *out) {
  while (line.at < line.end && (*line.at == ' ' || *line.at == '\t')) {
    line.at++;
  }
  Rest value = line;
  if (line.at == line.end) {
    put_event(e, out);
  } else if (starts(&line, "event:")) {
    value = trim(line.at + 6, (size_t)(line.end - line.at) - 6);
    e->is_error |= starts(&value, "error");
  } else if (starts(&line, "data:") || (!is_field(&line) && (e->data.n > 0 || is_values(line)))) {
    value.at += starts(&line, "data:") ? 5 : 0;
    buf_add(&e->data, value.at, (size_t)(value.end - value.at));
    buf_add(&e->data, "\n", 1);
  }
}

/* What events carry, one behind the other. */
static void strip_fields(Rest r, Buf *out) {
  Event e = {.is_error = 0};
  buf_init(&e.data, out->max);
  while (r.at < r.end) {
    const char *eol = r.at;
    while (eol < r.end && *eol != '\n' && *eol != '\r') {
      eol++;
    }
    take_line(&e, (Rest){r.at, eol}, out);
    r.at = eol < r.end ? eol + 1 : eol;
    r.at += eol < r.end && *eol == '\r' && r.at < r.end && *r.at == '\n';
  }
  put_event(&e, out);
  buf_free(&e.data);
}

/* ---- pieces */

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* 1 if a piece says that it is the last. */
static int is_last(const cJSON *piece) {
  static const char *const types[] = {"message_stop", "response.completed", "response.incomplete",
                                      "response.failed"};
  const char *type = json_text(piece, "type");
  int is = cJSON_IsTrue(member(piece, "done"));
  for (size_t i = 0; type && i < sizeof types / sizeof types[0]; i++) {
    is |= strcmp(type, types[i]) == 0;
  }
  return is;
}

/* 1 for words that say nothing of what was sold: an earlier one that does stays. */
static int says_nothing(const cJSON *item) {
  return cJSON_IsString(item) && (strcmp(item->valuestring, "auto") == 0 ||
                                  strcmp(item->valuestring, "not_available") == 0);
}

/* Puts a copy of an item into the place of an earlier one of its name. More names than any answer has are not kept. */
static void put(cJSON *into, const cJSON *item, Err *err) {
  enum { MOST_NAMES = 256 };
  if (cJSON_GetObjectItemCaseSensitive(into, item->string)) {
    if (says_nothing(item)) {
      return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(into, item->string);
  } else if (cJSON_GetArraySize(into) >= MOST_NAMES) {
    return;
  }
  json_add(into, item->string, cJSON_Duplicate(item, 1), err);
}

/* A later object's members take the place of an earlier one's, unless they are null, or less than a number there: counts are
** cumulative, and some end with an empty sum. */
static void merge(cJSON *into, const cJSON *from, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, from) {
    const cJSON *before = cJSON_GetObjectItemCaseSensitive(into, item->string ? item->string : "");
    int is_less =
        cJSON_IsNumber(item) && cJSON_IsNumber(before) && item->valuedouble < before->valuedouble;
    if (item->string && !cJSON_IsNull(item) && !is_less) {
      put(into, item, err);
    }
  }
}

/* Annotations of the text, which are signs of a search: of all pieces, in one list beside it. */
static void note_annotations(cJSON *tree, const cJSON *choice, Err *err) {
  const cJSON *list = member(member(choice, "delta"), "annotations"), *item;
  cJSON_ArrayForEach(item, (cJSON_IsArray(list) ? list : NULL)) {
    cJSON *all = cJSON_GetObjectItemCaseSensitive(tree, "annotations");
    all = all ? all : json_add(tree, "annotations", cJSON_CreateArray(), err);
    json_add(all, NULL, cJSON_Duplicate(item, 1), err);
  }
}

/* What a piece says beside the text. */
static void note(cJSON *tree, const cJSON *piece, Err *err) {
  static const char *const texts[] = {"choices",       "delta",      "content",
                                      "content_block", "candidates", "message",
                                      "output",        "response",   "usage"};
  const cJSON *choice = cJSON_GetArrayItem(member(piece, "choices"), 0);
  const cJSON *usage = member(piece, "usage");
  usage = cJSON_IsObject(usage) ? usage : member(member(piece, "x_groq"), "usage");
  usage = cJSON_IsObject(usage) ? usage : member(choice, "usage");
  usage = cJSON_IsObject(usage) ? usage : member(member(piece, "delta"), "usage");
  const cJSON *item;
  cJSON_ArrayForEach(item, piece) {
    int is_text = !item->string || cJSON_IsNull(item);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && !is_text; i++) {
      is_text = strcmp(item->string, texts[i]) == 0;
    }
    if (!is_text) {
      put(tree, item, err);
    }
  }
  note_annotations(tree, choice, err);
  if (cJSON_IsObject(usage)) {
    cJSON *sum = cJSON_GetObjectItemCaseSensitive(tree, "usage");
    merge(sum ? sum : json_add(tree, "usage", cJSON_CreateObject(), err), usage, err);
  }
}

/* Anthropic's first event and OpenAI's last have the answer inside. */
static void note_all(cJSON *tree, const cJSON *piece, Err *err) {
  note(tree, piece, err);
  if (cJSON_IsObject(member(piece, "message"))) {
    note(tree, member(piece, "message"), err);
  }
  if (cJSON_IsObject(member(piece, "response"))) {
    note(tree, member(piece, "response"), err);
  }
}

/* 1 if a piece says how the answer ended. */
static int has_end(const cJSON *piece) {
  const cJSON *choice = cJSON_GetArrayItem(member(piece, "choices"), 0);
  const cJSON *candidate = cJSON_GetArrayItem(member(piece, "candidates"), 0);
  const char *words[] = {json_text(choice, "finish_reason"), json_text(piece, "stop_reason"),
                         json_text(piece, "done_reason"),    json_text(candidate, "finishReason"),
                         json_text(piece, "finish_reason"),  json_text(piece, "status")};
  int has = 0;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    has |= words[i] && finish_of(words[i]) != FINISH_UNKNOWN;
  }
  return has;
}

static void add_piece(Body *b, cJSON *value, Err *err) {
  b->is_done |= is_last(value);
  value = json_add(b->pieces, NULL, value, err);
  b->is_ended = b->is_ended || (value && has_end(value));
  b->is_paid = b->is_paid || (b->is_ended && value && cJSON_IsObject(member(value, "usage")));
  if (value && !b->failed && !b->is_paid && failure_in_piece(value)) {
    b->failed = value;
  } else if (value && !b->suspect && failure_may_be_piece(value)) {
    b->suspect = value;
  }
}

/* Adds a value to the pieces: itself, or what an array has. */
static void add_value(Body *b, cJSON *value, Err *err) {
  if (!cJSON_IsArray(value)) {
    add_piece(b, value, err);
    return;
  }
  for (cJSON *item; err->rc == RC_OK && (item = cJSON_DetachItemFromArray(value, 0)) != NULL;) {
    add_piece(b, item, err);
  }
  cJSON_Delete(value);
}

/* 1 if a value that can't be read may be a piece of the answer. */
static int looks_like_text(const char *at, const char *end) {
  static const char *const names[] = {"choices", "delta", "content", "text", "message"};
  int looks = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    looks |= memmem(at, (size_t)(end - at), names[i], strlen(names[i])) != NULL;
  }
  return looks;
}

/* Every value of the text, one behind the other, up to the one that says that it is the last. 1 if it ends within one. */
static int read_values(Body *b, Rest r, Err *err) {
  while (err->rc == RC_OK && r.at < r.end && !b->is_done) {
    const char *end;
    if (starts(&r, "[DONE]")) {
      b->is_done = 1;
      r.at += 6;
    } else if (*r.at != '{' && *r.at != '[') {
      r.at++;
    } else if ((end = value_end(&r)) == NULL) {
      return 1;
    } else {
      Err why = {0};
      cJSON *value = json_piece_parse(r.at, (size_t)(end - r.at), "the answer", &why);
      if (value) {
        add_value(b, value, err);
      } else if (why.rc == RC_NOMEM) {
        err_nomem(err);
      } else if (looks_like_text(r.at, end)) {
        b->has_gap = 1;
      }
      r.at = end;
    }
  }
  return 0;
}

/* ---- what it is */

/* 1 if a value says that it is a piece. */
static int is_piece(const cJSON *value) {
  const cJSON *choice = cJSON_GetArrayItem(member(value, "choices"), 0);
  static const char *const types[] = {"message_start", "content_block_", "response."};
  const char *type = json_text(value, "type");
  int is =
      (cJSON_IsObject(member(choice, "delta")) && !cJSON_IsObject(member(choice, "message"))) ||
      cJSON_IsFalse(member(value, "done"));
  for (size_t i = 0; type && i < sizeof types / sizeof types[0]; i++) {
    is |= strncmp(type, types[i], strlen(types[i])) == 0;
  }
  return is;
}

/* One value is the answer; several are a stream's pieces, and so is one that says it is. */
static void settle(Body *b, int is_framed, Err *err) {
  const cJSON *first = b->pieces->child;
  int is_open = is_framed && !b->is_done && !has_end(first) && !b->failed;
  if (!first->next && !is_piece(first) && !is_open) {
    b->tree = cJSON_DetachItemFromArray(b->pieces, 0);
    cJSON_Delete(b->pieces);
    b->pieces = NULL;
    b->failed = b->suspect = NULL;
    json_piece_mend(b->tree, err);
    return;
  }
  b->tree = cJSON_CreateObject();
  for (const cJSON *piece = first; b->tree && piece; piece = piece->next) {
    note_all(b->tree, piece, err);
  }
  if (!b->tree || json_piece_mend(b->tree, err) != RC_OK) {
    err_nomem(err);
  }
}

/* What there was instead: its type, its size, how it begins. */
static int refuse(const char *bytes, size_t n, const char *type, Err *err) {
  char begin[64];
  size_t used = 0;
  for (size_t i = 0; i < n && used < 60; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c > ' ' && c < 0x7F) {
      begin[used++] = (char)c;
    } else if (used > 0 && begin[used - 1] != ' ') {
      begin[used++] = ' ';
    }
  }
  begin[used] = 0;
  return err_set(err, RC_ERROR, ERR_BAD_JSON,
                 "the answer is not valid JSON but %s%.60s%s%zu bytes: \"%s\" (is base_url right? "
                 "It ends with the "
                 "version, as in …/v1)",
                 type[0] ? "" : "of no content type", type, type[0] ? ", " : ", ", n, begin);
}

static int read_pieces(Rest r, Body *body, int *is_short, Err *err) {
  Buf plain;
  buf_init(&plain, LIMIT_RESPONSE_BYTES + LIMIT_HEADER_BYTES);
  body->pieces = cJSON_CreateArray();
  if (is_field(&r)) {
    strip_fields(r, &plain);
  } else {
    buf_add(&plain, r.at, (size_t)(r.end - r.at));
  }
  if (!body->pieces || plain.failed) {
    err_nomem(err);
  } else if (plain.n > 0) {
    *is_short = read_values(body, (Rest){plain.data, plain.data + plain.n}, err);
  }
  buf_free(&plain);
  return err->rc;
}

/* Moonshot has the usage in the choice. */
static int lift_usage(Body *b, Err *err) {
  const cJSON *inner = member(cJSON_GetArrayItem(member(b->tree, "choices"), 0), "usage");
  if (cJSON_IsObject(inner) && !cJSON_IsObject(member(b->tree, "usage"))) {
    cJSON_DeleteItemFromObjectCaseSensitive(b->tree, "usage");
    json_add(b->tree, "usage", cJSON_Duplicate(inner, 1), err);
  }
  return err->rc;
}

/* Where the answer begins: behind lines of others ("ok", a warning of PHP's, the length of a chunk), if there are some. */
static Rest skip_foreign(Rest r) {
  enum { MOST = 1024 };
  for (const char *at = r.at; at < r.end && at - r.at < MOST; at++) {
    Rest line = {at, r.end};
    if (starts(&line, "{") || starts(&line, "[") || (at[0] != ':' && is_field(&line))) {
      return line;
    }
    const char *newline = memchr(at, '\n', (size_t)(r.end - at));
    at = newline ? newline : r.end;
  }
  return r;
}

/* Text of one byte a character, as UTF-8. RC_OK, also where it is none of that. Under either name it is windows-1252, which has
** characters where ISO 8859-1 has controls (https://encoding.spec.whatwg.org/#names-and-labels, index-windows-1252). */
static int from_latin1(const char *bytes, size_t n, const char *type, Buf *out) {
  static const unsigned short from_0x80[32] = {
      0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};
  size_t bad_at;
  if ((!strcasestr(type, "8859-1") && !strcasestr(type, "1252")) ||
      utf8_is_valid(bytes, n, &bad_at)) {
    return RC_OK;
  }
  out->max = 3 * n + 1; /* of these some have three bytes */
  for (size_t i = 0; i < n; i++) {
    char c[4];
    unsigned byte = (unsigned char)bytes[i];
    buf_add(out, c, utf8_encode(byte >= 0x80 && byte < 0xA0 ? from_0x80[byte - 0x80] : byte, c));
  }
  return out->failed;
}

/* Says why there is no answer in it. */
static int explain(Rest r, Rest from, int is_short, const char *type, Err *err) {
  Err why = {0};
  size_t n = (size_t)(r.end - r.at);
  if (is_short) {
    return err_set(err, RC_ERROR, ERR_BAD_JSON,
                   "the provider's answer: not valid JSON: it ends after %zu bytes, within a value",
                   n);
  }
  if (from.at == r.at && !is_field(&r)) {
    cJSON_Delete(json_parse_lenient(r.at, n, "the provider's answer", &why));
  }
  return why.rc ? err_set(err, why.rc, why.code, "%s", why.msg) : refuse(r.at, n, type, err);
}

static int read_text(Rest r, const char *type, Body *body, Err *err) {
  Rest from = skip_foreign(r);
  int is_short = 0;
  Err why = {0};
  if (starts(&from, "{") || is_utf16(&from)) {
    body->tree =
        json_parse_lenient(from.at, (size_t)(from.end - from.at), "the provider's answer", &why);
  }
  if (why.rc == RC_NOMEM) {
    return err_nomem(err);
  }
  if (body->tree && !is_piece(body->tree)) {
    return lift_usage(body, err);
  }
  cJSON_Delete(body->tree); /* the first line of several that were to come */
  body->tree = NULL;
  if (!starts(&from, "{") && !starts(&from, "[") && !is_field(&from)) {
    return refuse(r.at, (size_t)(r.end - r.at), type, err);
  }
  if (read_pieces(from, body, &is_short, err) == RC_OK && body->pieces->child) {
    settle(body, is_short || is_field(&from), err);
    lift_usage(body, err);
  } else if (err->rc == RC_OK) {
    explain(r, from, is_short, type, err);
  }
  return err->rc;
}

int body_read(const char *bytes, size_t n, const char *type, Body *body, Err *err) {
  Buf plain;
  *body = (Body){0};
  buf_init(&plain, 2 * n + 1);
  if (from_latin1(bytes, n, type, &plain) != RC_OK) {
    err_nomem(err);
  } else {
    Rest all = {bytes, bytes + n};
    Rest r = is_utf16(&all) ? all : plain.n > 0 ? trim(plain.data, plain.n) : trim(bytes, n);
    read_text(r, type, body, err);
  }
  buf_free(&plain);
  if (err->rc != RC_OK) {
    body_free(body);
  }
  return err->rc;
}

int body_has_begun(const char *bytes, size_t n) {
  static const char *const keys[] = {"content\"",           "text\"",  "thinking\"", "reasoning\"",
                                     "reasoning_content\"", "delta\"", "response\""};
  int has = 0;
  for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !has; i++) {
    const char *at = bytes;
    size_t length = strlen(keys[i]);
    while (!has && (at = memmem(at, n - (size_t)(at - bytes), keys[i], length)) != NULL) {
      at += length;
      const char *value = at + strspn(at, " \t:");
      has = value > at && value[0] == '"' && value[1] && value[1] != '"';
    }
  }
  return has;
}

void body_free(Body *body) {
  cJSON_Delete(body->tree);
  cJSON_Delete(body->pieces);
  body->tree = body->pieces = NULL;
  body->failed = body->suspect = NULL;
}
