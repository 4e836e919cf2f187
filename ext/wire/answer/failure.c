/*
** Errors of others. See failure.h for the contract.
**
** A tree is gone through from outside in. At each object its words and times are noted (a word further in takes the place
** of one further out, a number that of nothing), then what may hold another error is gone into, and only where none of it
** says anything, the object's own sentence is taken. A text in the place of a sentence may hold JSON, which is read, or a
** web page, of which the title is taken. How deep this goes is bounded, and so is what of a list is looked at: a body is
** read as often as it is nested at most.
*/
#include "wire/answer/failure.h"

#include "base/text/decimal.h"
#include "base/text/json_lenient.h"
#include "core/request/retry.h"
#include "wire/answer/page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_LEVELS = 12, MOST_OF_LIST = 3, MOST_OF_PLAIN = 128 };

typedef struct Reading {
  Failure *f;
  int is_nomem;
} Reading;

static int read_node(Reading *r, const cJSON *node, int depth);

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* ---- words and numbers */

static int is_number(const char *word) {
  return word[0] && !word[strspn(word, "-0123456789.")];
}

/* One word; not one of those that only say "an error". */
static int is_word(const char *text) {
  static const char *const empty[] = {"error",   "fail", "false", "errors",    "failed", "failure",
                                      "message", "none", "null",  "undefined", "unknown"};
  int ok = text[0] && strlen(text) < 64 && !strpbrk(text, " \t\r\n:/\"'{}");
  for (size_t i = 0; ok && i < sizeof empty / sizeof empty[0]; i++) {
    ok = strcasecmp(text, empty[i]) != 0;
  }
  return ok;
}

/* A member that is a word, or a number, into its place. */
static void take_word(const cJSON *object, const char *key, char *out, size_t size) {
  const cJSON *item = member(object, key);
  const char *text = cJSON_GetStringValue(item);
  char number[32] = "";
  if (cJSON_IsNumber(item)) {
    snprintf(number, sizeof number, "%.15g", item->valuedouble);
    text = number;
  }
  const char *last = text ? strrchr(text, '#') : NULL; /* of AWS: a namespace in front */
  text = last ? last + 1 : text;
  if (text && is_word(text) && (!out[0] || !is_number(text))) {
    page_line(text, strlen(text), out, size);
  }
}

static long as_status(const cJSON *item) {
  const char *text = cJSON_GetStringValue(item);
  char *end = NULL;
  double number = cJSON_IsNumber(item) ? item->valuedouble : text ? strtod(text, &end) : 0;
  int is_status = number >= 100 && number < 600 && (!end || (end != text && *end == 0));
  return is_status ? (long)number : 0;
}

/* The outermost status counts: whoever is nearest to us knows what we can do about it. */
static void take_status(const cJSON *object, Failure *f) {
  static const char *const keys[] = {"code",      "status",      "statusCode", "status_code",
                                     "http_code", "http_status", "error_code"};
  for (size_t i = 0; f->status == 0 && i < sizeof keys / sizeof keys[0]; i++) {
    f->status = as_status(member(object, keys[i]));
  }
}

static void take_words(const cJSON *object, Failure *f) {
  take_word(object, "type", f->type, sizeof f->type);
  take_word(object, "status", f->type, sizeof f->type);
  take_word(object, "__type", f->type, sizeof f->type);
  take_word(object, "error_type", f->type, sizeof f->type);
  take_word(object, "code", f->code, sizeof f->code);
  take_word(object, "error_code", f->code, sizeof f->code);
  take_word(object, "errorCode", f->code, sizeof f->code);
  take_word(object, "reason", f->reason, sizeof f->reason);
  take_status(object, f);
}

/* ---- times and quotas */

/* A time in a member, of `ms` milliseconds each where it is a number. */
#define MOST_WAIT_MS 1e12 /* (nobody waits so long: it means not to come again) */

static void take_wait(const cJSON *object, const char *key, double ms, Failure *f) {
  const cJSON *item = member(object, key);
  if (f->retry_after_ms >= 0) {
    return;
  }
  if (cJSON_IsString(item) && ms > 1) {
    f->retry_after_ms = retry_read_time(item->valuestring);
  } else if (cJSON_IsNumber(item) && item->valuedouble >= 0) {
    double wait = item->valuedouble * ms;
    f->retry_after_ms = wait < MOST_WAIT_MS ? (long long)wait : (long long)MOST_WAIT_MS;
  }
}

static void take_waits(const cJSON *object, Failure *f) {
  take_wait(object, "retry_after_ms", 1, f);
  take_wait(object, "retryAfterMs", 1, f);
  take_wait(object, "retry_after", 1000, f);
  take_wait(object, "retryAfter", 1000, f);
  take_wait(object, "retry_after_seconds", 1000, f);
  take_wait(object, "retry-after", 1000, f);
  take_wait(object, "Retry-After", 1000, f);
  take_wait(object, "retryDelay", 1000, f);
  take_wait(object, "retryAfterSeconds", 1000, f);
  take_wait(member(object, "retryDelay"), "seconds", 1000, f);
  f->is_loading |= cJSON_IsNumber(member(object, "estimated_time"));
}

/* Of several quotas that of the longest time counts. */
static void take_quota(const cJSON *object, const char *key, Failure *f) {
  const char *name = json_text(object, key);
  if (name && !strcasestr(f->quota, "perday")) {
    page_line(name, strlen(name), f->quota, sizeof f->quota);
  }
}

/* Google's details: what quota, when again, why; a list of things that each say one of them. */
static void take_details(const cJSON *details, Failure *f) {
  const cJSON *item, *violation;
  cJSON_ArrayForEach(item, details) {
    take_waits(item, f);
    take_word(item, "reason", f->reason, sizeof f->reason);
    take_quota(member(item, "metadata"), "quota_limit", f);
    cJSON_ArrayForEach(violation, member(item, "violations")) {
      take_quota(violation, "quotaId", f);
    }
  }
}

/* ---- sentences */

static int has_sentence(const Failure *f) {
  return f->message[0] != 0;
}

static void append(Failure *f, const char *before, const char *text, const char *behind) {
  char line[LIMIT_ERROR_QUOTE];
  size_t n = strlen(f->message);
  page_line(text, strlen(text), line, sizeof line);
  if (line[0] && n + strlen(line) + strlen(before) + strlen(behind) < sizeof f->message) {
    snprintf(f->message + n, sizeof f->message - n, "%s%s%s", before, line, behind);
  }
}

static int is_called(const cJSON *object, const char *key, const char *word) {
  const char *text = json_text(object, key);
  return text && strcasecmp(text, word) == 0;
}

/* 1 if a text says something: many write what stands for nothing, or for well. */
static int says_something(const char *text) {
  static const char *const nothing[] = {"null", "none", "ok", "success", "succeeded", "0", "200"};
  text += strspn(text, " \t\r\n");
  int is = text[0] != 0;
  for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
    is = is && strcasecmp(text, nothing[i]) != 0;
  }
  return is;
}

/* An error object with something in it, and not the number that means that all is well. */
static int is_error_object(const cJSON *error) {
  const cJSON *code = member(error, "code"), *item;
  int is = 0;
  if (!cJSON_IsObject(error) ||
      (cJSON_IsNumber(code) && (code->valuedouble == 0 || code->valuedouble == 200))) {
    return 0;
  }
  cJSON_ArrayForEach(item, error) {
    is |= cJSON_IsString(item)   ? says_something(item->valuestring)
          : cJSON_IsNumber(item) ? item->valuedouble != 0
                                 : cJSON_IsTrue(item) || item->child != NULL;
  }
  return is;
}

/* An error that is one by its value. */
static int is_error(const cJSON *error) {
  return is_error_object(error) || (cJSON_IsArray(error) && error->child) ||
         (cJSON_IsString(error) && says_something(error->valuestring)) || cJSON_IsTrue(error);
}

/* 1 if it can't be but an error: one that is quoted by somebody else. */
static int is_quoted_error(const cJSON *tree) {
  const cJSON *root = cJSON_IsArray(tree) ? tree->child : tree;
  return is_error(member(root, "error")) || is_error(member(root, "errors")) ||
         is_error(member(root, "detail")) || is_called(root, "object", "error") ||
         is_called(root, "type", "error");
}

/* JSON in a text, which may stand inside a sentence of its own: then it is read if it is an error, and not what the
** sentence is about. */
static int read_json_in(Reading *r, const char *text, int depth) {
  Err why;
  err_clear(&why);
  int is_list = text[strspn(text, " \t\r\n")] == '[';
  const char *from = strchr(text, is_list ? '[' : '{'), *to = strrchr(text, is_list ? ']' : '}');
  if (depth > MOST_LEVELS || !from || !to || to <= from) {
    return 0;
  }
  cJSON *tree = json_parse_lenient(from, (size_t)(to - from) + 1, "", &why);
  int is_all = from == text + strspn(text, " \t\r\n");
  int found = tree && (is_all || is_quoted_error(tree)) && read_node(r, tree, depth);
  r->is_nomem |= why.rc == RC_NOMEM;
  cJSON_Delete(tree);
  return found;
}

static int read_text(Reading *r, const char *text, int depth) {
  Failure *f = r->f;
  size_t n = strlen(text);
  if (read_json_in(r, text, depth + 1)) {
    return 1;
  }
  if (page_is_html(NULL, text, n)) {
    page_title(text, n, f->message, sizeof f->message);
  } else {
    page_line(text, n, f->message, sizeof f->message);
  }
  return has_sentence(f);
}

/* FastAPI's: where it is that something is wrong, "body.seed: Extra inputs are not permitted". */
static int read_place(const cJSON *object, Failure *f) {
  const cJSON *loc = member(object, "loc"), *step;
  const char *msg = json_text(object, "msg");
  char place[160] = "";
  size_t n = 0;
  if (!cJSON_IsArray(loc) || !msg) {
    return 0;
  }
  cJSON_ArrayForEach(step, loc) {
    char number[32];
    snprintf(number, sizeof number, "%.15g", cJSON_IsNumber(step) ? step->valuedouble : 0);
    const char *name = cJSON_IsString(step) ? step->valuestring : number;
    if (n + strlen(name) + 2 < sizeof place) {
      n += (size_t)snprintf(place + n, sizeof place - n, "%s%s", n ? "." : "", name);
    }
  }
  f->message[0] = 0;
  append(f, "", place, n ? ": " : "");
  append(f, "", msg, "");
  return has_sentence(f);
}

static int read_list(Reading *r, const cJSON *list, int depth) {
  char all[LIMIT_ERROR_QUOTE] = "";
  size_t n = 0;
  int looked_at = 0;
  for (const cJSON *item = list->child; item && looked_at < MOST_OF_LIST;
       item = item->next, looked_at++) {
    const char *said = r->f->message;
    if (read_node(r, item, depth + 1) && !strstr(all, said) && n + strlen(said) + 2 < sizeof all) {
      n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", n ? "; " : "", said);
    }
  }
  memcpy(r->f->message, all, sizeof all);
  return has_sentence(r->f);
}

/* OpenRouter's: what its provider said, who that is; what was flagged. */
static int read_metadata(Reading *r, const cJSON *metadata, int depth) {
  const cJSON *raw = member(metadata, "raw");
  take_waits(metadata, r->f);
  take_waits(member(metadata, "headers"), r->f);
  return raw && read_node(r, raw, depth + 1);
}

static void add_metadata(const cJSON *metadata, Failure *f) {
  const cJSON *reason;
  const char *name = json_text(metadata, "provider_name");
  cJSON_ArrayForEach(reason, member(metadata, "reasons")) {
    if (cJSON_IsString(reason) && !strstr(f->message, reason->valuestring)) {
      append(f, " [", reason->valuestring, "]");
    }
  }
  if (name) {
    append(f, " (", name, ")");
  }
}

/* The errors inside: 1 if one of them says something. */
static int read_inside(Reading *r, const cJSON *object, int depth) {
  static const char *const keys[] = {"error", "errors",    "message", "detail", "response",  "data",
                                     "body",  "base_resp", "cause",   "fault",  "innererror"};
  const cJSON *metadata = member(object, "metadata");
  int found = read_metadata(r, metadata, depth);
  for (size_t i = 0; !found && i < sizeof keys / sizeof keys[0]; i++) {
    const cJSON *item = member(object, keys[i]);
    found = (cJSON_IsObject(item) || cJSON_IsArray(item)) && read_node(r, item, depth + 1);
  }
  return found;
}

/* The object's own sentence. */
static int read_sentence(Reading *r, const cJSON *object, int depth) {
  static const char *const keys[] = {
      "message",     "msg",    "error_description", "error_message", "errorMessage", "Message",
      "status_msg",  "detail", "description",       "error",         "title",        "details",
      "faultstring", "reason", "statusText",        "response",      "body"};
  int found = 0;
  for (size_t i = 0; !found && i < sizeof keys / sizeof keys[0]; i++) {
    const char *text = json_text(object, keys[i]);
    found = text && read_text(r, text, depth);
    const char *title = found && strcmp(keys[i], "detail") == 0 ? json_text(object, "title") : NULL;
    if (title && strlen(title) < 100) {
      char detail[LIMIT_ERROR_QUOTE];
      memcpy(detail, r->f->message, sizeof detail);
      r->f->message[0] = 0;
      append(r->f, "", title, ": ");
      append(r->f, "", detail, "");
    }
  }
  return found;
}

/* {"errors": {"model": ["must be a text"]}}, as web frameworks write it. */
static int read_fields(Reading *r, const cJSON *object, int depth) {
  const cJSON *first = object->child;
  char said[LIMIT_ERROR_QUOTE];
  if (!first || !object->string || strcmp(object->string, "errors") != 0 ||
      !read_node(r, first, depth + 1)) {
    return 0;
  }
  memcpy(said, r->f->message, sizeof said);
  r->f->message[0] = 0;
  append(r->f, "", first->string, ": ");
  append(r->f, "", said, "");
  return 1;
}

static int read_object(Reading *r, const cJSON *object, int depth) {
  Failure *f = r->f;
  const cJSON *details = member(object, "details");
  const char *generation = json_text(object, "failed_generation");
  if (read_place(object, f)) {
    return 1;
  }
  take_words(object, f);
  take_waits(object, f);
  take_details(details, f);
  take_word(details, "error_code", f->code, sizeof f->code);
  if (generation) {
    page_line(generation, strlen(generation), f->generation, sizeof f->generation);
  }
  int found = read_inside(r, object, depth) || read_sentence(r, object, depth) ||
              read_fields(r, object, depth);
  if (found) {
    add_metadata(member(object, "metadata"), f);
  }
  return found;
}

static int read_node(Reading *r, const cJSON *node, int depth) {
  return depth > MOST_LEVELS    ? 0
         : cJSON_IsString(node) ? read_text(r, node->valuestring, depth)
         : cJSON_IsArray(node)  ? read_list(r, node, depth)
         : cJSON_IsObject(node) ? read_object(r, node, depth)
                                : 0;
}

/* ---- whole bodies */

/* Of the choice itself, or of its message; NULL: none. */
static const cJSON *error_of_choice(const cJSON *answer) {
  const cJSON *choice = cJSON_GetArrayItem(member(answer, "choices"), 0);
  const cJSON *at[] = {member(choice, "error"), member(member(choice, "message"), "error"),
                       member(member(choice, "delta"), "error")};
  const cJSON *error = NULL;
  for (size_t i = 0; i < sizeof at / sizeof at[0] && !error; i++) {
    error = is_error(at[i]) ? at[i] : NULL;
  }
  return error;
}

/* What MiniMax writes beside everything; 0 is well. */
static long minimax_code(const cJSON *answer) {
  const cJSON *code = member(member(answer, "base_resp"), "status_code");
  return cJSON_IsNumber(code) && decimal_is_whole(code->valuedouble, 0, 1e6)
             ? (long)code->valuedouble
             : 0;
}

static long minimax_status(long code) {
  static const struct {
    long code, status;
  } known[] = {{1000, 500}, {1001, 504}, {1002, 429}, {1004, 401}, {1008, 402}, {1013, 500},
               {1024, 500}, {1033, 500}, {1039, 429}, {1041, 429}, {2013, 400}, {2049, 401}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (known[i].code == code) {
      return known[i].status;
    }
  }
  return 0;
}

/* What a status that is not said is by the words. */
static long meant_status(const Failure *f) {
  long status = retry_status_of(f->code);
  return status ? status : retry_status_of(f->type);
}

static void read_root(Reading *r, const cJSON *tree) {
  Failure *f = r->f;
  const cJSON *root = cJSON_IsArray(tree) && cJSON_IsObject(tree->child) ? tree->child : tree;
  const cJSON *of_choice = error_of_choice(root);
  long minimax = minimax_code(root);
  f->is_shaped = is_error_object(member(root, "error")) || is_called(root, "object", "error") ||
                 is_called(root, "type", "error");
  if (of_choice && !is_error_object(member(root, "error"))) {
    read_node(r, of_choice, 1);
  }
  if (!has_sentence(f)) {
    read_node(r, tree, 0);
  }
  if (minimax && !f->status) {
    snprintf(f->code, sizeof f->code, "%ld", minimax);
    f->status = minimax_status(minimax);
  }
  f->status = f->status ? f->status : meant_status(f);
}

/* An error among the events of a stream, or among lines of JSON. */
static int read_events(Reading *r, const char *body, size_t n) {
  int found = 0;
  for (size_t at = 0, end; at < n && !found; at = end + 1) {
    const char *line = body + at, *newline = memchr(line, '\n', n - at);
    end = newline ? (size_t)(newline - body) : n;
    const char *brace = memchr(line, '{', end - at);
    Err why;
    err_clear(&why);
    if (brace && memmem(line, end - at, "\"error\"", 7)) {
      cJSON *tree = json_parse_lenient(brace, end - (size_t)(brace - body), "", &why);
      if (is_error(member(tree, "error")) || is_called(tree, "type", "error") ||
          error_of_choice(tree)) {
        read_root(r, tree);
        found = has_sentence(r->f);
      }
      r->is_nomem |= why.rc == RC_NOMEM;
      cJSON_Delete(tree);
    }
  }
  return found;
}

/* No JSON and no page: XML, an event of a stream, or words; JSON that was cut says nothing. */
static void read_plain(Reading *r, const char *body, size_t n) {
  Failure *f = r->f;
  char head[4096];
  page_line(body, n < sizeof head ? n : sizeof head, head, sizeof head);
  if (head[0] == '<') {
    page_title(body, n, f->message, sizeof f->message);
  }
  if (!has_sentence(f) && !read_events(r, body, n) && head[0] != '{' && head[0] != '[' &&
      !read_json_in(r, head, 1)) {
    page_line(head, strlen(head), f->message, MOST_OF_PLAIN);
  }
}

int failure_read(const char *content_type, const char *body, size_t n, Failure *f) {
  Reading r = {.f = f};
  Err why;
  err_clear(&why);
  *f = (Failure){.retry_after_ms = -1};
  cJSON *tree = json_parse_lenient(body, n, "the error", &why);
  if (tree) {
    read_root(&r, tree);
  } else if (page_is_html(content_type, body, n)) {
    f->is_html = 1;
    page_title(body, n, f->message, sizeof f->message);
  } else {
    read_plain(&r, body, n);
  }
  if (f->retry_after_ms < 0) {
    f->retry_after_ms = retry_read_sentence(f->message);
  }
  f->is_loading |= retry_is_loading(
      &(RetryCase){.status = f->status, .type = f->type, .code = f->code, .sentence = f->message});
  page_line(body, n < 4096 ? n : 4096, f->sample, sizeof f->sample - 36);
  cJSON_Delete(tree);
  return why.rc == RC_NOMEM || r.is_nomem ? RC_NOMEM : RC_OK;
}

static int has_items(const cJSON *answer, const char *key) {
  return cJSON_GetArraySize(member(answer, key)) > 0;
}

/* 1 if a choice has something to show for itself. */
static int has_content(const cJSON *choice) {
  const cJSON *message = member(choice, "message"), *content = member(message, "content");
  return (cJSON_IsString(content) && content->valuestring[0]) || cJSON_GetArraySize(content) > 0 ||
         has_items(message, "tool_calls");
}

static int has_answer(const cJSON *answer) {
  const cJSON *choice;
  int found = has_items(answer, "content") || has_items(answer, "data");
  cJSON_ArrayForEach(choice, member(answer, "choices")) {
    found |= has_content(choice);
  }
  return found;
}

/* {"code":500,"msg":"…"}, {"success":false,…}: without any member that an answer has. */
static int is_envelope(const cJSON *answer) {
  const cJSON *code = member(answer, "code"), *success = member(answer, "success");
  int says = json_text(answer, "msg") || json_text(answer, "message");
  int has_shape = member(answer, "choices") || member(answer, "content") ||
                  member(answer, "data") || member(answer, "output");
  return says && !has_shape &&
         (cJSON_IsFalse(success) || as_status(code) >= 400 || minimax_code(answer));
}

/* An object that says what went wrong, in whatever members. */
static int is_telling(const cJSON *error) {
  return is_error_object(error) &&
         (cJSON_IsString(member(error, "message")) || cJSON_IsString(member(error, "code")) ||
          as_status(member(error, "code")) >= 400);
}

/* A piece without any text, usage or kind that is known, that says something. */
static int is_strange(const cJSON *piece) {
  static const char *const shapes[] = {"choices",  "content",      "candidates", "message",
                                       "response", "output",       "usage",      "delta",
                                       "done",     "usageMetadata"};
  int says = json_text(piece, "detail") || json_text(piece, "msg") || json_text(piece, "message");
  int has_shape = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    const cJSON *item = member(piece, shapes[i]);
    has_shape |= item && !(cJSON_IsString(item) && strcmp(shapes[i], "message") == 0);
  }
  return says && !has_shape;
}

int failure_may_be_piece(const cJSON *piece) {
  const cJSON *code = member(piece, "code");
  int is_well = cJSON_IsNumber(code) && (code->valuedouble == 0 || code->valuedouble == 200);
  return is_strange(piece) && !is_well;
}

int failure_in_piece(const cJSON *piece) {
  long ignored;
  return failure_in_answer(piece, &ignored) || is_error(member(member(piece, "x_groq"), "error")) ||
         is_error(member(piece, "error")) ||
         is_called(member(piece, "response"), "status", "failed") ||
         (is_strange(piece) && as_status(member(piece, "code")) >= 400);
}

int failure_in_answer(const cJSON *answer, long *status) {
  Failure f = {.retry_after_ms = -1};
  Reading r = {.f = &f};
  const cJSON *root =
      cJSON_IsArray(answer) && cJSON_IsObject(answer->child) ? answer->child : answer;
  int is_failure = error_of_choice(root) || is_telling(member(root, "error")) ||
                   (is_called(root, "status", "failed") && !member(root, "choices")) ||
                   (!has_answer(root) &&
                    (is_error(member(root, "error")) || is_called(root, "object", "error") ||
                     is_called(root, "type", "error") || minimax_code(root) || is_envelope(root)));
  *status = 0;
  if (is_failure) {
    read_root(&r, answer);
    *status = f.status;
  }
  return is_failure;
}

/* ---- what it means */

static int says_one_of(const char *text, const char *const *phrases) {
  int found = 0;
  for (; *phrases && !found; phrases++) {
    found = strcasestr(text, *phrases) != NULL;
  }
  return found;
}

/* 1 if a word stands in the text by itself, or with an ending ("streaming", not "upstream" or "streamlm"). */
static int has_word(const char *text, const char *word) {
  static const char *const endings[] = {"", "ing", "ed", "s"};
  int has = 0;
  for (const char *at = text; !has && (at = strcasestr(at, word)) != NULL; at++) {
    const char *end = at + strlen(word);
    int is_first = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
    for (size_t i = 0; is_first && i < sizeof endings / sizeof endings[0]; i++) {
      size_t n = strlen(endings[i]);
      has |= strncasecmp(end, endings[i], n) == 0 && !isalnum((unsigned char)end[n]) &&
             end[n] != '_' && end[n] != '-';
    }
  }
  return has;
}

int failure_refuses_base64(const Failure *f) {
  return has_word(f->message, "encoding_format") || has_word(f->message, "base64");
}

StreamRefusal failure_refuses_stream(const Failure *f, long status) {
  static const long statuses[] = {200, 400, 401, 403, 404, 405, 406, 415, 422, 501};
  static const char *const refuses[] = {
      "not support", "n't support", "unsupported",   "not allowed", "not permitted", "unrecogni",
      "unknown",     "unexpected",  "not available", "not enabled", "not implement", "verified",
      "disabled",    "invalid",     "must be false", "extra input", "not accept",    NULL};
  int may_be = says_one_of(f->message, refuses);
  int is_listed = 0;
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    is_listed |= statuses[i] == status;
  }
  if (!may_be || !is_listed) {
    return TAKES_STREAM;
  }
  return has_word(f->message, "stream_options") || has_word(f->message, "include_usage")
             ? NO_STREAM_OPTIONS
         : has_word(f->message, "stream") ? NO_STREAM
                                          : TAKES_STREAM;
}

const char *failure_word(const Failure *f, long status) {
  if (f->code[0] && !is_number(f->code)) {
    return f->code;
  }
  if (f->type[0] && !is_number(f->type)) {
    return f->type;
  }
  const char *number = f->code[0] ? f->code : f->type;
  long value = strtol(number, NULL, 10);
  return value == status || value == f->status ? "" : number;
}

/* What else is forbidden, under the words of a wrong key. */
static int is_forbidden_else(const char *sentence) {
  static const char *const phrases[] = {
      "scope",       "country",      "region",       "territory",     "moderation",   "flagged",
      "credit",      "balance",      "permission",   "have access",   "no access to", "ip address",
      "budget",      "not allowed",  "allowed to",   "disabled",      "suspended",    "not active",
      "deactivated", "organization", "organisation", "not yet valid", "model",        NULL};
  return says_one_of(sentence, phrases);
}

static int says_wrong_key(const char *sentence) {
  static const char *const phrases[] = {"incorrect api key",
                                        "invalid api key",
                                        "invalid api-key",
                                        "invalid x-api-key",
                                        "api key not valid",
                                        "api key is invalid",
                                        "api key expired",
                                        "api key is expired",
                                        "expired api key",
                                        "api key has expired",
                                        "missing api key",
                                        "provide an api key",
                                        "provide your api key",
                                        "no api key",
                                        "api key not found",
                                        "wrong api key",
                                        "api key is missing",
                                        "api key required",
                                        "api key is required",
                                        "invalid subscription key",
                                        "api key you provided is invalid",
                                        "invalid api token",
                                        NULL};
  return says_one_of(sentence, phrases);
}

static int says_who_are_you(const char *sentence) {
  static const char *const phrases[] = {"invalid authentication",
                                        "authentication fail",
                                        "invalid token",
                                        "invalid bearer",
                                        "no auth credentials",
                                        "no cookie auth",
                                        "bad credentials",
                                        "invalid credentials",
                                        "unauthorized",
                                        "user not found",
                                        "not authenticated",
                                        "invalid username or password",
                                        NULL};
  return says_one_of(sentence, phrases);
}

static int is_word_of_key(const char *word) {
  static const char *const words[] = {"invalid_api_key",
                                      "api_key_invalid",
                                      "incorrect_api_key",
                                      "wrong_api_key",
                                      "missing_api_key",
                                      "expired_api_key",
                                      "authentication",
                                      "unauthenticated",
                                      "unauthorized",
                                      "invalid_token",
                                      "invalid_key",
                                      "auth_error",
                                      NULL};
  return says_one_of(word, words);
}

int failure_is_of_key(const Failure *f, long status) {
  if (f->is_html) {
    return status == 401; /* a server's own page: "401 Authorization Required" */
  }
  if (status != 400 && status != 401 && status != 403) {
    return 0;
  }
  if (says_wrong_key(f->message)) {
    return 1;
  }
  int by_word = is_word_of_key(f->code) || is_word_of_key(f->type) || is_word_of_key(f->reason);
  int says_nothing = !has_sentence(f) && !f->code[0] && !f->type[0];
  return !is_forbidden_else(f->message) &&
         (by_word || (status == 401 && (says_nothing || says_who_are_you(f->message))));
}

/* Envoy's: the stream to the server broke, and it was not while connecting. */
static int is_broken_stream(const Failure *f) {
  static const char *const before[] = {"connection failure", "connection timeout", "overflow",
                                       "delayed connect", NULL};
  return strcasestr(f->message, "before headers") && !says_one_of(f->message, before);
}

/* (503 and 529 without a provider's word are refusals of a server that took nothing on, but for a stream that broke; of
** 521 and 523, where nothing can have been reached as a rule, a gateway may say so of a later connection as well. An error
** that is only a text, {"error":"timeout"}, may be anybody's.) */
int failure_may_be_billed(long status, const Failure *f) {
  static const char *const late[] = {"timed out",
                                     "time-out",
                                     "timeout",
                                     "time out",
                                     "deadline",
                                     "read error",
                                     "did not respond in time",
                                     "INVOCATION_TIMEOUT",
                                     "application error",
                                     NULL};
  static const char *const patience[] = {"litellm.timeout",
                                         "function_invocation",
                                         "provider timed out",
                                         "upstream timed out",
                                         "gateway",
                                         NULL};
  int is_gateways = status == 408 || status == 444 || status == 460 || status == 499 ||
                    status == 502 || status == 504 ||
                    (status >= 520 && status != 529 && status < 600);
  int is_late = says_one_of(f->message, late) || says_one_of(f->code, late);
  if (f->is_shaped) { /* a box that speaks like a provider, of its own patience */
    return status >= 408 && is_late &&
           (says_one_of(f->message, patience) || says_one_of(f->code, patience));
  }
  return is_gateways || (status == 503 && (is_broken_stream(f) || is_late));
}

/* 1234567 as 1,234,567. */
static void write_count(size_t n, char *out, size_t size) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%zu", n);
  size_t kept = 0;
  for (int i = 0; i < length && kept + 2 < size; i++) {
    if (i && (length - i) % 3 == 0) {
      out[kept++] = ',';
    }
    out[kept++] = digits[i];
  }
  out[kept] = 0;
}

void failure_describe(const char *content_type, size_t total, const char *sample, size_t n,
                      char *out, size_t size) {
  char type[96], count[32], begin[64];
  page_line(content_type ? content_type : "", content_type ? strcspn(content_type, ";") : 0, type,
            sizeof type);
  page_line(sample, n < 4096 ? n : 4096, begin, sizeof begin);
  write_count(total, count, sizeof count);
  snprintf(out, size, "%s%s%s bytes%s%s%s", type, type[0] ? ", " : "", count, begin[0] ? ": '" : "",
           begin, begin[0] ? "'" : "");
}
