/*
** See message.h for the contract.
*/
#include "wire/answer/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CALLS = 256 }; /* of one message: as OpenAI has it, 128 at most */

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void add_copy(cJSON *to, const char *key, const cJSON *item, Err *err) {
  if (item && !cJSON_IsNull(item)) {
    json_add(to, key, cJSON_Duplicate(item, 1), err);
  }
}

/* A list of the message, made when it gets its first element. */
static cJSON *list_of(cJSON *message, const char *name, Err *err) {
  cJSON *list = cJSON_GetObjectItemCaseSensitive(message, name);
  return list ? list : json_add(message, name, cJSON_CreateArray(), err);
}

/* Adds a call; arguments that are no text become one. Without an id it gets its place: results need something to point at. */
static void add_call(cJSON *message, const char *id, const char *name, const cJSON *arguments,
                     Err *err) {
  char made[24];
  cJSON *calls = list_of(message, "tool_calls", err);
  snprintf(made, sizeof made, "call_%d", cJSON_GetArraySize(calls) + 1);
  cJSON *call = json_add(calls, NULL, cJSON_CreateObject(), err);
  json_add(call, "id", cJSON_CreateString(id && id[0] ? id : made), err);
  json_add(call, "type", cJSON_CreateString("function"), err);
  cJSON *function = json_add(call, "function", cJSON_CreateObject(), err);
  json_add(function, "name", cJSON_CreateString(name), err);
  char *text = arguments && !cJSON_IsString(arguments) ? json_print_exact(arguments, err) : NULL;
  const char *is = cJSON_IsString(arguments) ? arguments->valuestring : text ? text : "{}";
  json_add(function, "arguments", cJSON_CreateString(is), err);
  cJSON_free(text);
}

/* OpenAI's calls stay as they are, whatever else stands in them: Gemini's signatures, for one. */
static void read_chat(cJSON *to, const cJSON *message, Err *err) {
  static const char *const thoughts[] = {"reasoning_content", "reasoning_details"};
  const cJSON *calls = member(message, "tool_calls"), *call;
  cJSON_ArrayForEach(call, (cJSON_IsArray(calls) ? calls : NULL)) {
    const cJSON *function = member(call, "function");
    int is_whole = json_text(call, "id") && json_text(call, "id")[0] &&
                   cJSON_IsString(member(function, "arguments"));
    if (is_whole) {
      add_copy(list_of(to, "tool_calls", err), NULL, call, err);
    } else if (json_text(function, "name")) {
      add_call(to, json_text(call, "id"), json_text(function, "name"),
               member(function, "arguments"), err);
    }
  }
  for (size_t i = 0; i < sizeof thoughts / sizeof thoughts[0]; i++) {
    add_copy(to, thoughts[i], member(message, thoughts[i]), err);
  }
}

/* Anthropic's blocks. */
static void read_blocks(cJSON *to, const cJSON *blocks, Err *err) {
  const cJSON *block;
  cJSON_ArrayForEach(block, blocks) {
    const char *type = json_text(block, "type");
    if (type && strcmp(type, "tool_use") == 0 && json_text(block, "name")) {
      add_call(to, json_text(block, "id"), json_text(block, "name"), member(block, "input"), err);
    } else if (type && strstr(type, "thinking")) {
      add_copy(list_of(to, "thinking_blocks", err), NULL, block, err);
    }
  }
}

/* The items of OpenAI's Responses. */
static void read_items(cJSON *to, const cJSON *items, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, items) {
    const char *type = json_text(item, "type");
    if (type && strcmp(type, "function_call") == 0 && json_text(item, "name")) {
      add_call(to, json_text(item, "call_id"), json_text(item, "name"), member(item, "arguments"),
               err);
    }
  }
}

/* ---- a stream's pieces */

/* The call of that place, made where it is new. */
static cJSON *call_at(cJSON *message, const cJSON *index, Err *err) {
  int at = cJSON_IsNumber(index) && index->valuedouble >= 0 && index->valuedouble < MOST_CALLS
               ? (int)index->valuedouble
               : 0;
  cJSON *calls = list_of(message, "tool_calls", err);
  while (err->rc == RC_OK && cJSON_GetArraySize(calls) <= at) {
    add_call(message, NULL, "", NULL, err);
    calls = list_of(message, "tool_calls", err);
    cJSON *made = cJSON_GetArrayItem(calls, cJSON_GetArraySize(calls) - 1);
    json_replace(cJSON_GetObjectItemCaseSensitive(made, "function"), "arguments",
                 cJSON_CreateString(""), err);
  }
  return err->rc == RC_OK ? cJSON_GetArrayItem(calls, at) : NULL;
}

static void set_text(cJSON *object, const char *key, const char *text, Err *err) {
  if (text && text[0]) {
    json_replace(object, key, cJSON_CreateString(text), err);
  }
}

/* Adds what a piece brings of a call. */
static void grow_call(cJSON *call, const char *id, const char *name, const char *more, Err *err) {
  cJSON *function = cJSON_GetObjectItemCaseSensitive(call, "function");
  const char *before = json_text(function, "arguments");
  size_t n = before ? strlen(before) : 0, m = more ? strlen(more) : 0;
  set_text(call, "id", id, err);
  set_text(function, "name", name, err);
  char *all = m && err->rc == RC_OK ? malloc(n + m + 1) : NULL;
  if (m && !all) {
    err_nomem(err);
  } else if (m) {
    memcpy(all, before ? before : "", n);
    memcpy(all + n, more, m + 1);
    json_replace(function, "arguments", cJSON_CreateString(all), err);
  }
  free(all);
}

static void read_piece(cJSON *to, const cJSON *piece, Err *err) {
  const cJSON *delta = member(cJSON_GetArrayItem(member(piece, "choices"), 0), "delta"), *call;
  const cJSON *block = member(piece, "content_block"), *grown = member(piece, "delta");
  const char *type = json_text(block, "type");
  cJSON_ArrayForEach(call, member(delta, "tool_calls")) {
    const cJSON *function = member(call, "function");
    grow_call(call_at(to, member(call, "index"), err), json_text(call, "id"),
              json_text(function, "name"), json_text(function, "arguments"), err);
  }
  if (type && strcmp(type, "tool_use") == 0) {
    grow_call(call_at(to, member(piece, "index"), err), json_text(block, "id"),
              json_text(block, "name"), NULL, err);
  }
  if (json_text(grown, "partial_json")) {
    grow_call(call_at(to, member(piece, "index"), err), NULL, NULL,
              json_text(grown, "partial_json"), err);
  }
  if (cJSON_IsArray(member(member(piece, "response"), "output"))) {
    cJSON_DeleteItemFromObjectCaseSensitive(to, "tool_calls"); /* all of it comes at the end */
    read_items(to, member(member(piece, "response"), "output"), err);
  }
}

/* Places that stay empty are those of blocks of text. */
static void drop_nameless(cJSON *message) {
  cJSON *calls = cJSON_GetObjectItemCaseSensitive(message, "tool_calls");
  for (cJSON *call = calls ? calls->child : NULL, *next; call; call = next) {
    const char *name = json_text(member(call, "function"), "name");
    next = call->next;
    if (!name || !name[0]) {
      cJSON_Delete(cJSON_DetachItemViaPointer(calls, call));
    }
  }
  if (calls && !calls->child) {
    cJSON_DeleteItemFromObjectCaseSensitive(message, "tool_calls");
  }
}

cJSON *answer_message(const Body *body, int has_tools, const char *text, Err *err) {
  const cJSON *choices = member(body->tree, "choices");
  const cJSON *content = member(body->tree, "content"), *output = member(body->tree, "output");
  cJSON *made = cJSON_CreateObject();
  json_add(made, "role", cJSON_CreateString("assistant"), err);
  json_add(made, "content", text ? cJSON_CreateString(text) : cJSON_CreateNull(), err);
  const cJSON *piece;
  cJSON_ArrayForEach(piece, (has_tools ? body->pieces : NULL)) {
    if (err->rc == RC_OK) {
      read_piece(made, piece, err);
    }
  }
  if (body->pieces) {
    drop_nameless(made);
  } else if (choices) {
    read_chat(made, member(cJSON_GetArrayItem(choices, 0), "message"), err);
  } else if (cJSON_IsArray(content)) {
    read_blocks(made, content, err);
  } else if (cJSON_IsArray(output)) {
    read_items(made, output, err);
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(made);
    return NULL;
  }
  return made;
}

const char *answer_arguments(const cJSON *message, const char *function) {
  const cJSON *call;
  cJSON_ArrayForEach(call, member(message, "tool_calls")) {
    const cJSON *is = member(call, "function");
    const char *name = json_text(is, "name");
    if (name && strcmp(name, function) == 0) {
      return json_text(is, "arguments");
    }
  }
  return NULL;
}
