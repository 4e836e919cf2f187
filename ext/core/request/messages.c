/*
** See messages.h for the contract.
*/
#include "core/request/messages.h"

#include "core/request/parts.h"

#include <stdlib.h>
#include <string.h>

static int refuse(int position, const char *what, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_MESSAGES, "message %d: %s", position, what);
}

#define EXPECTED "expected {\"role\": text, \"content\": non-empty text}"

static cJSON *member(cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* What an assistant's message may have beside its text; the rest of it (annotations, audio, ids) is of its answer alone. */
static const char *const kept[] = {
    "role", "content", "tool_calls", "thinking_blocks", "reasoning_content", "reasoning_details"};

static void drop_others(cJSON *given) {
  for (cJSON *item = given->child, *next; item; item = next) {
    int is_kept = 0;
    next = item->next;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
      is_kept |= strcmp(item->string, kept[i]) == 0;
    }
    if (!is_kept || cJSON_IsNull(item)) {
      cJSON_Delete(cJSON_DetachItemViaPointer(given, item));
    }
  }
}

/* ---- what an assistant said */

/* Takes Anthropic's blocks of thought out of parts, into a member of their own. */
static int part_thoughts(cJSON *given, Err *err) {
  cJSON *content = member(given, "content"), *thoughts = NULL;
  for (cJSON *part = cJSON_IsArray(content) ? content->child : NULL, *next; part; part = next) {
    const char *type = json_text(part, "type");
    next = part->next;
    if (type && (strcmp(type, "thinking") == 0 || strcmp(type, "redacted_thinking") == 0)) {
      thoughts = thoughts ? thoughts : json_add(given, "thinking_blocks", cJSON_CreateArray(), err);
      json_add(thoughts, NULL, cJSON_DetachItemViaPointer(content, part), err);
    }
  }
  return err->rc;
}

static int check_call(const cJSON *call, int position, Err *err) {
  const cJSON *function = cJSON_GetObjectItemCaseSensitive(call, "function");
  const char *id = json_text(call, "id");
  int is_call = id && id[0] && json_text(function, "name") && json_text(function, "arguments");
  if (!is_call && cJSON_HasObjectItem(call, "custom")) {
    return refuse(position, "calls of custom tools can't be sent: functions alone can", err);
  }
  return is_call ? RC_OK
                 : refuse(position,
                          "each of its 'tool_calls' needs {\"id\", \"function\": {\"name\", "
                          "\"arguments\": text}}",
                          err);
}

static int read_calls(cJSON *given, int position, Err *err) {
  cJSON *calls = member(given, "tool_calls"), *call;
  if (calls && !cJSON_IsArray(calls)) {
    return refuse(position, "'tool_calls' is an array", err);
  }
  cJSON_ArrayForEach(call, calls) {
    if (check_call(call, position, err) == RC_OK && !json_text(call, "type")) {
      json_add(call, "type", cJSON_CreateString("function"), err);
    }
  }
  if (calls && !calls->child) {
    cJSON_DeleteItemFromObjectCaseSensitive(given, "tool_calls");
  }
  return err->rc;
}

/* ---- text and parts */

/* What a tool said may be any value: as a text, which is its JSON. Parts stay, null says nothing. */
static int result_as_text(cJSON *given, Err *err) {
  cJSON *content = member(given, "content");
  int is_parts = cJSON_IsArray(content) && json_text(content->child, "type");
  if (!content || cJSON_IsString(content) || cJSON_IsNull(content) || is_parts) {
    return RC_OK;
  }
  char *text = json_print_exact(content, err);
  json_replace(given, "content", text ? cJSON_CreateString(text) : NULL, err);
  cJSON_free(text);
  return err->rc;
}

/* Brings the content into our form. *m gets its text: the message's own, or one that is kept beside it as "text". */
static int read_content(cJSON *given, int position, Message *m, Err *err) {
  if (strcmp(m->role, "tool") == 0 && result_as_text(given, err) != RC_OK) {
    return err->rc;
  }
  cJSON *content = member(given, "content");
  if (!cJSON_IsArray(content)) {
    m->content = cJSON_IsString(content) ? content->valuestring : "";
    return RC_OK;
  }
  cJSON *parts = parts_read(content, position, err);
  char *text = parts ? parts_text(parts, err) : NULL;
  cJSON *string = text ? cJSON_CreateString(text) : NULL;
  free(text);
  if (!string) {
    cJSON_Delete(parts);
    return err->rc != RC_OK ? err->rc : err_nomem(err);
  }
  if (parts->child && !parts->child->next && json_text(parts->child, "text") &&
      !member(parts->child, "cache_control")) { /* one text, in parts or not, is the same */
    cJSON_Delete(parts);
    m->content = json_replace(given, "content", string, err) ? string->valuestring : "";
    return err->rc;
  }
  json_replace(given, "content", parts, err);
  m->item = given;
  m->content = json_add(given, "text", string, err) ? string->valuestring : "";
  return err->rc;
}

static const char *role_of(const char *role) {
  static const char *const roles[] = {"user", "assistant", "tool"};
  for (size_t i = 0; role && i < sizeof roles / sizeof roles[0]; i++) {
    if (strcmp(role, roles[i]) == 0) {
      return roles[i];
    }
  }
  return NULL;
}

/* 1 if it has something that no text says. */
static int has_more(const cJSON *given) {
  static const char *const names[] = {"tool_calls", "tool_call_id", "thinking_blocks",
                                      "reasoning_content", "reasoning_details"};
  int has = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    has |= cJSON_HasObjectItem(given, names[i]);
  }
  return has;
}

/* 1 if there is nothing that a model could read. (A tool may have nothing to say.) */
static int is_empty(const cJSON *given, const Message *m) {
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(given, "content");
  int has_parts = cJSON_IsArray(content) && content->child;
  return m->n == 0 && !has_parts && !cJSON_HasObjectItem(given, "tool_calls") &&
         strcmp(m->role, "tool") != 0;
}

/* What to say of a message in which nothing can be read. */
static const char *why_empty(const cJSON *given) {
  static const struct {
    const char *name, *why;
  } forms[] = {{"refusal",
                "its 'refusal' can't be sent: give it as its 'content', or leave the message out"},
               {"function_call", "'function_call' can't be sent: give the call as 'tool_calls'"},
               {"audio", "its 'audio' can't be sent: give what it said as 'content'"}};
  const char *role = json_text(given, "role");
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    const cJSON *has = cJSON_GetObjectItemCaseSensitive(given, forms[i].name);
    if (has && !cJSON_IsNull(has)) {
      return forms[i].why;
    }
  }
  return role && strcmp(role, "assistant") == 0 ? EXPECTED
             "; an answer that is empty can't be sent: leave it out"
                                                : EXPECTED;
}

/* What role says. */
static int read_role(cJSON *given, int position, Message *m, Err *err) {
  const char *role = json_text(given, "role");
  *m = (Message){.role = role_of(role), .content = ""};
  if (!role) {
    return refuse(position, EXPECTED, err);
  }
  if (!m->role) {
    return err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                   "message %d: role '%.20s' (valid: system, user, assistant, tool)", position,
                   role);
  }
  if (strcmp(role, "tool") == 0 && !json_text(given, "tool_call_id")) {
    return refuse(position, "a tool's result needs the 'tool_call_id' that it answers", err);
  }
  if (strcmp(role, "assistant") != 0) {
    cJSON_DeleteItemFromObjectCaseSensitive(given, "tool_calls");
    return RC_OK;
  }
  drop_others(given);
  return part_thoughts(given, err) == RC_OK ? read_calls(given, position, err) : err->rc;
}

int message_read(cJSON *given, int position, Message *m, Err *err) {
  const char *why = why_empty(given); /* what it has beside is dropped on the way */
  if (read_role(given, position, m, err) != RC_OK ||
      read_content(given, position, m, err) != RC_OK) {
    return err->rc;
  }
  m->n = strlen(m->content);
  m->item = has_more(given) ? given : m->item;
  return is_empty(given, m) ? refuse(position, why, err) : RC_OK;
}

/* ---- calls and their results */

/* The id of the next result that messages from `at` on may be; NULL: nobody's result stands there. */
static const char *result_at(const Message *messages, int n, int at) {
  return at < n && strcmp(messages[at].role, "tool") == 0
             ? json_text(messages[at].item, "tool_call_id")
             : NULL;
}

/* How many results behind a message have that id. */
static int count_results(const Message *messages, int n, int from, const char *id) {
  int count = 0;
  const char *is;
  for (int i = from; (is = result_at(messages, n, i)) != NULL; i++) {
    count += strcmp(is, id) == 0;
  }
  return count;
}

/* How many calls of a message have that id. */
static int count_calls(const Message *m, const char *id) {
  const cJSON *calls = cJSON_GetObjectItemCaseSensitive(m->item, "tool_calls"), *call;
  int has = 0;
  cJSON_ArrayForEach(call, calls) {
    has += strcmp(json_text(call, "id"), id) == 0;
  }
  return has;
}

int messages_check_tools(const Message *messages, int n, int first, Err *err) {
  int caller = -1; /* the last that called tools, while results follow it */
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    const char *id = result_at(messages, n, i);
    caller = id ? caller : i;
    if (id && (caller < 0 || !count_calls(&messages[caller], id))) {
      err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
              "message %d: the assistant before it has no call '%.60s'", first + i, id);
    }
    const cJSON *calls = cJSON_GetObjectItemCaseSensitive(messages[i].item, "tool_calls"), *call;
    cJSON_ArrayForEach(call, calls) {
      const char *own = json_text(call, "id");
      if (err->rc == RC_OK && count_calls(&messages[i], own) != 1) {
        err_set(err, RC_ERROR, ERR_BAD_MESSAGES, "message %d: two of its calls are '%.60s'",
                first + i, own);
      } else if (err->rc == RC_OK && count_results(messages, n, i + 1, own) != 1) {
        err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                "message %d: its call '%.60s' needs one message {\"role\":\"tool\","
                "\"tool_call_id\":…} behind it",
                first + i, own);
      }
    }
  }
  return err->rc;
}
