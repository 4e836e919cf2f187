/*
** result.c: what a request of a batch came to, as one line; and what can be wrong with it. What the
** settings ask of a line (plan.c) is done to its JSON first, then to its text.
**
** Three shapes: OpenAI's, Groq's, Azure's, Mistral's and OpenRouter's {"id","custom_id","response","error"};
** Anthropic's {"custom_id","result"}; and OpenRouter's are elements of an array and no lines, which is
** up to who serves them (batch.c).
*/
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands for control characters until the line is text: U+E001. */
#define CONTROLS_MARK "\xee\x80\x81"
#define SEPARATORS                                                                                 \
  "a\xe2\x80\xa8"                                                                                  \
  "b\xe2\x80\xa9"                                                                                  \
  "c\xc2\x85"                                                                                      \
  "d\xf0\x9f\x98\x80"                                                                              \
  "e"

/* Replaces a text by another, as long or not. */
static void replace(struct buf *b, const char *what, const char *with) {
  struct buf out = {0};
  char *at = b->p, *hit;
  if (!at || !strstr(at, what)) {
    return;
  }
  for (; (hit = strstr(at, what)); at = hit + strlen(what)) {
    buf_add(&out, at, (size_t)(hit - at));
    buf_str(&out, with);
  }
  buf_str(&out, at);
  buf_free(b);
  *b = out;
}

/* The words of an answer, or NULL (of embeddings). */
static cJSON *words_of(const cJSON *body) {
  cJSON *choice = cJSON_GetArrayItem(json_get(body, "choices"), 0);
  cJSON *words = cJSON_GetObjectItemCaseSensitive(json_get(choice, "message"), "content");
  if (!words) {
    cJSON *block = cJSON_GetArrayItem(json_get(body, "content"), 0);
    words = cJSON_GetObjectItemCaseSensitive(block, "text");
  }
  return cJSON_IsString(words) ? words : NULL;
}

/* Adds to the words of an answer. */
static void add_words(const cJSON *body, const char *more) {
  cJSON *words = words_of(body);
  struct buf b = {0};
  if (words) {
    buf_str(&b, words->valuestring);
    buf_str(&b, more);
    cJSON_SetValuestring(words, b.p);
    buf_free(&b);
  }
}

static void add_filler(const cJSON *body, int64_t bytes) {
  char *fill = need(malloc((size_t)bytes + 1));
  memset(fill, 'x', (size_t)bytes);
  fill[bytes] = 0;
  add_words(body, fill);
  free(fill);
}

/* A line's JSON in OpenAI's shape. Takes body. */
static cJSON *openai_line(const struct job *b, const char *id, int status, cJSON *body) {
  char text[64];
  cJSON *j = cJSON_CreateObject();
  snprintf(text, sizeof text, "batch_req_standin%016llx", (unsigned long long)next_id());
  cJSON_AddStringToObject(j, "id", text);
  cJSON_AddStringToObject(j, "custom_id", id);
  if (body) {
    cJSON *r = cJSON_AddObjectToObject(j, "response");
    cJSON_AddNumberToObject(r, "status_code", status);
    snprintf(text, sizeof text, "req_standin%016llx", (unsigned long long)next_id());
    cJSON_AddStringToObject(r, "request_id", text);
    cJSON_AddItemToObject(r, "body", body);
    cJSON_AddNullToObject(j, "error");
    return j;
  }
  int expired = b->state == JOB_EXPIRED;
  cJSON_AddNullToObject(j, "response");
  cJSON *e = cJSON_AddObjectToObject(j, "error");
  cJSON_AddStringToObject(e, "code", expired ? "batch_expired" : "batch_cancelled");
  cJSON_AddStringToObject(e, "message",
                          expired ? "This request could not be executed before the completion "
                                    "window expired."
                                  : "This request was cancelled.");
  return j;
}

/* The same in Anthropic's. */
static cJSON *anthropic_line(const struct job *b, const char *id, int status, cJSON *body) {
  cJSON *j = cJSON_CreateObject();
  if (!body && b->state == JOB_FAILED) {
    body = error_anthropic(500, NULL, NULL, "Internal server error");
    status = 500;
  }
  cJSON_AddStringToObject(j, "custom_id", id);
  cJSON *r = cJSON_AddObjectToObject(j, "result");
  cJSON_AddStringToObject(r, "type",
                          body                      ? (status == 200 ? "succeeded" : "errored")
                          : b->state == JOB_EXPIRED ? "expired"
                                                    : "canceled");
  if (body) {
    cJSON_AddItemToObject(r, status == 200 ? "message" : "error", body);
  }
  return j;
}

/* What the settings do to an answer. body is the line's own. */
static void spoil_answer(const struct job *b, int64_t i, cJSON *body) {
  const struct plan *p = &b->plan;
  if (plan_line(p, LINE_NO_USAGE, i)) {
    cJSON_DeleteItemFromObjectCaseSensitive(body, "usage");
  }
  if (plan_line(p, LINE_HUGE, i)) {
    add_filler(body, p->huge_bytes);
  }
  if (plan_line(p, LINE_SEPARATORS, i)) {
    add_words(body, SEPARATORS);
  }
  if (plan_line(p, LINE_CONTROLS, i)) {
    add_words(body, CONTROLS_MARK);
  }
  while (plan_line(p, LINE_NO_BODY, i) && body->child) {
    cJSON_Delete(cJSON_DetachItemViaPointer(body, body->child));
  }
}

/* What they do to its text. */
static void spoil_text(const struct job *b, int64_t i, struct buf *line) {
  const struct plan *p = &b->plan;
  if (plan_line(p, LINE_CONTROLS, i)) {
    replace(line, CONTROLS_MARK,
            "a\x0b"
            "b\x0c"
            "c\rd");
  }
  if (p->file & FILE_LONE_CR) {
    replace(line, "\"custom_id\":", "\r\"custom_id\":\r");
  }
  if (plan_line(p, LINE_CUT, i)) {
    line->n /= 2;
  } else if (plan_line(p, LINE_NULL, i) || plan_line(p, LINE_ARRAY, i)) {
    line->n = 0;
    buf_str(line, plan_line(p, LINE_NULL, i) ? "null" : "[1,2]");
  }
  buf_str(line, p->file & FILE_CRLF ? "\r\n" : "\n");
  if (plan_line(p, LINE_BLANK, i)) {
    buf_str(line, p->file & FILE_CRLF ? "\r\n" : "\n");
  }
}

/* One line, whole or spoilt. */
static void add_line(const struct job *b, int64_t i, const char *id, int status, const cJSON *body,
                     struct buf *out) {
  struct buf line = {0};
  cJSON *own = body ? cJSON_Duplicate(body, 1) : NULL;
  if (own && status == 200) {
    spoil_answer(b, i, own);
  }
  cJSON *j = b->form == FORM_ANTHROPIC ? anthropic_line(b, id, status, own)
                                       : openai_line(b, id, status, own);
  buf_json(&line, j);
  cJSON_Delete(j);
  spoil_text(b, i, &line);
  buf_add(out, line.p, line.n);
  buf_free(&line);
}

/* An id of another batch's, else one that could be. */
static void foreign_id(const struct job *b, char *out, size_t cap) {
  const struct job *other = job_other(b);
  copy_name(out, cap, other && other->first_id[0] ? other->first_id : "r1-1-another");
}

void result_write(const struct job *b, int64_t i, const char *id, int status, const cJSON *body,
                  struct buf *out) {
  const struct plan *p = &b->plan;
  char other[JOB_ID_MAX * 2];
  if (!plan_line(p, LINE_MISSING, i)) {
    add_line(b, i, id, status, body, out);
  }
  if (plan_line(p, LINE_DOUBLE, i)) {
    cJSON *again = body ? cJSON_Duplicate(body, 1) : NULL;
    add_words(again, " (again)");
    add_line(b, i, id, status, again, out);
    cJSON_Delete(again);
  }
  if (plan_line(p, LINE_UNKNOWN, i)) {
    add_line(b, i, "unknown-custom-id", status, body, out);
  }
  if (plan_line(p, LINE_FOREIGN, i)) {
    foreign_id(b, other, sizeof other);
    add_line(b, i, other, status, body, out);
  }
}

/* A byte order mark in front, an empty line behind, or no end of the last. */
void result_frame(const struct job *b, struct buf *all) {
  int64_t file = b->plan.file;
  if (file & FILE_BOM) {
    struct buf with = {0};
    buf_str(&with, "\xef\xbb\xbf");
    buf_add(&with, all->p, all->n);
    buf_free(all);
    *all = with;
  }
  if (file & FILE_BLANK && all->n) {
    buf_str(all, file & FILE_CRLF ? "\r\n" : "\n");
  }
  while (file & FILE_NO_NEWLINE && all->n && strchr("\r\n", all->p[all->n - 1])) {
    all->p[--all->n] = 0;
  }
}
