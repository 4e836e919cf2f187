/*
** See message_form.h for the contract. Forms: the type declarations of npm openai 7.59 (ChatCompletionMessageParam, ResponseInputItem)
** and @anthropic-ai/sdk 1.14 (MessageParam, ToolUseBlockParam, ToolResultBlockParam).
**
** What a model thought goes back byte for byte, to whom it came from, or not at all: Anthropic's blocks to Anthropic's API,
** reasoning_details to OpenRouter, reasoning_content with calls of tools to DeepSeek.
*/
#include "wire/message_form.h"

#include "core/request/parts.h"
#include "core/request/tools.h"
#include "wire/model/dialect.h"

#include <stdlib.h>
#include <string.h>

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void add_copy(cJSON *to, const char *key, const cJSON *item, Err *err) {
  if (item) {
    json_add(to, key, cJSON_Duplicate(item, 1), err);
  }
}

static cJSON *add_typed(cJSON *to, const char *type, Err *err) {
  cJSON *made = json_add(to, NULL, cJSON_CreateObject(), err);
  json_add(made, "type", cJSON_CreateString(type), err);
  return made;
}

static void add_text(cJSON *to, const char *key, const char *text, Err *err) {
  if (text) {
    json_add(to, key, cJSON_CreateString(text), err);
  }
}

static void add_bytes(cJSON *to, const char *key, const char *bytes, size_t n, Err *err) {
  char *copy = strndup(bytes, n);
  if (!copy) {
    err_nomem(err);
    return;
  }
  json_add(to, key, cJSON_CreateString(copy), err);
  free(copy);
}

static int has_no_form(const char *what, const char *api, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "%s can't be sent by the %s API", what, api);
}

/* ---- parts */

static void part_openai(cJSON *to, const cJSON *part, int keeps_marks, Err *err) {
  if (member(member(part, "file"), "file_url")) {
    has_no_form("a file by its address", "Chat Completions", err);
    return;
  }
  cJSON *copy = json_add(to, NULL, cJSON_Duplicate(part, 1), err);
  if (!keeps_marks) {
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "cache_control");
  }
}

static void add_source(cJSON *block, const char *url, Err *err) {
  Media m;
  cJSON *source = json_add(block, "source", cJSON_CreateObject(), err);
  if (media_read(url, &m)) {
    add_text(source, "type", "base64", err);
    add_bytes(source, "media_type", m.type, m.n_type, err);
    add_bytes(source, "data", m.data, m.n_data, err);
  } else {
    add_text(source, "type", "url", err);
    add_text(source, "url", url, err);
  }
}

static void part_anthropic(cJSON *to, const cJSON *part, Err *err) {
  const cJSON *file = member(part, "file");
  const char *url = part_url(part), *text = json_text(part, "text");
  const char *id = json_text(file, "file_id");
  if (!text && !url && !id) {
    has_no_form("sound", "Anthropic", err);
    return;
  }
  cJSON *block = add_typed(to, text ? "text" : file ? "document" : "image", err);
  add_text(block, "text", text, err);
  if (url) {
    add_source(block, url, err);
  } else if (id) {
    cJSON *source = json_add(block, "source", cJSON_CreateObject(), err);
    add_text(source, "type", "file", err);
    add_text(source, "file_id", id, err);
  }
  add_text(block, "title", file ? json_text(file, "filename") : NULL, err);
  add_copy(block, "cache_control", member(part, "cache_control"), err);
}

static void part_responses(cJSON *to, const cJSON *part, Err *err) {
  static const char *const members[] = {"filename", "file_data", "file_id", "file_url"};
  const cJSON *file = member(part, "file"), *image = member(part, "image_url");
  const char *text = json_text(part, "text");
  if (!text && !file && !image) {
    has_no_form("sound", "Responses", err);
    return;
  }
  cJSON *made = add_typed(to, text ? "input_text" : image ? "input_image" : "input_file", err);
  add_text(made, "text", text, err);
  if (image) {
    add_text(made, "image_url", json_text(image, "url"), err);
    add_text(made, "detail", json_text(image, "detail") ? json_text(image, "detail") : "auto", err);
  }
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    add_copy(made, members[i], member(file, members[i]), err);
  }
}

/* A message's content, as an array, or as a text where it is one. */
static void add_content(cJSON *to, const char *key, const Message *m, Style style, int keeps_marks,
                        Err *err) {
  const cJSON *content = member(m->item, "content"), *part;
  if (!cJSON_IsArray(content)) {
    add_text(to, key, m->content, err);
    return;
  }
  cJSON *parts = json_add(to, key, cJSON_CreateArray(), err);
  cJSON_ArrayForEach(part, content) {
    if (style == STYLE_OPENAI) {
      part_openai(parts, part, keeps_marks, err);
    } else if (style == STYLE_ANTHROPIC) {
      part_anthropic(parts, part, err);
    } else {
      part_responses(parts, part, err);
    }
  }
}

/* ---- messages */

static int is_vendor(const Dialect *d, const char *name) {
  return d->vendor && strcmp(d->vendor, name) == 0;
}

static void drop_extra_content(cJSON *message) {
  cJSON *call;
  cJSON_ArrayForEach(call, cJSON_GetObjectItemCaseSensitive(message, "tool_calls")) {
    cJSON_DeleteItemFromObjectCaseSensitive(call, "extra_content");
  }
}

static int add_openai(cJSON *array, const Message *m, const Model *model, Err *err) {
  const Dialect *d = dialect_of(model);
  const cJSON *calls = member(m->item, "tool_calls");
  cJSON *made = json_add(array, NULL, cJSON_CreateObject(), err);
  add_text(made, "role", m->role, err);
  if (calls && m->n == 0) {
    json_add(made, "content", cJSON_CreateNull(), err);
  } else {
    add_content(made, "content", m, STYLE_OPENAI, is_vendor(d, "openrouter"), err);
  }
  add_copy(made, "tool_calls", calls, err);
  if (!is_vendor(d, "google")) { /* Google's signatures, say, are of no use to others */
    drop_extra_content(made);
  }
  add_copy(made, "tool_call_id", member(m->item, "tool_call_id"), err);
  add_copy(made, "reasoning_details",
           is_vendor(d, "openrouter") ? member(m->item, "reasoning_details") : NULL, err);
  add_copy(made, "reasoning_content",
           calls && is_vendor(d, "deepseek") ? member(m->item, "reasoning_content") : NULL, err);
  return err->rc;
}

/* The arguments of a call as what they are. */
static int add_arguments(cJSON *block, const cJSON *function, Err *err) {
  const char *text = json_text(function, "arguments");
  Err why = {0};
  cJSON *tree =
      text[0] ? json_parse_digits(text, strlen(text), "the arguments", &why) : cJSON_CreateObject();
  if (why.rc != RC_OK || !cJSON_IsObject(tree)) {
    cJSON_Delete(tree);
    return why.rc == RC_NOMEM ? err_nomem(err)
                              : err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                                        "the arguments of the call of '%.64s' are no JSON object",
                                        json_text(function, "name"));
  }
  json_add(block, "input", tree, err);
  return err->rc;
}

static int assistant_anthropic(cJSON *array, const Message *m, Err *err) {
  const cJSON *thought, *call;
  cJSON *made = json_add(array, NULL, cJSON_CreateObject(), err);
  add_text(made, "role", m->role, err);
  cJSON *blocks = json_add(made, "content", cJSON_CreateArray(), err);
  cJSON_ArrayForEach(thought, member(m->item, "thinking_blocks")) {
    json_add(blocks, NULL, cJSON_Duplicate(thought, 1), err);
  }
  const cJSON *parts = member(m->item, "content"), *part;
  if (!cJSON_IsArray(parts) && m->n > 0) {
    add_text(add_typed(blocks, "text", err), "text", m->content, err);
  }
  cJSON_ArrayForEach(part, (cJSON_IsArray(parts) ? parts : NULL)) {
    part_anthropic(blocks, part, err);
  }
  cJSON_ArrayForEach(call, member(m->item, "tool_calls")) {
    const cJSON *function = member(call, "function");
    cJSON *block = add_typed(blocks, "tool_use", err);
    add_text(block, "id", json_text(call, "id"), err);
    add_text(block, "name", json_text(function, "name"), err);
    add_arguments(block, function, err);
  }
  return err->rc;
}

/* Results of tools stand together, in a message of the user's. */
static int results_anthropic(cJSON *array, const Request *r, int i, Err *err) {
  cJSON *made = json_add(array, NULL, cJSON_CreateObject(), err);
  add_text(made, "role", "user", err);
  cJSON *blocks = json_add(made, "content", cJSON_CreateArray(), err);
  for (; i < r->n_messages && strcmp(r->messages[i].role, "tool") == 0; i++) {
    const Message *m = &r->messages[i];
    cJSON *block = add_typed(blocks, "tool_result", err);
    add_text(block, "tool_use_id", json_text(m->item, "tool_call_id"), err);
    add_content(block, "content", m, STYLE_ANTHROPIC, 1, err);
  }
  return i;
}

static int add_anthropic(cJSON *array, const Request *r, int i, Err *err) {
  const Message *m = &r->messages[i];
  if (strcmp(m->role, "tool") == 0) {
    return results_anthropic(array, r, i, err);
  }
  if (strcmp(m->role, "assistant") == 0) {
    assistant_anthropic(array, m, err);
    return i + 1;
  }
  cJSON *made = json_add(array, NULL, cJSON_CreateObject(), err);
  add_text(made, "role", m->role, err);
  add_content(made, "content", m, STYLE_ANTHROPIC, 1, err);
  return i + 1;
}

/* There calls and results are items of their own. */
static void add_responses(cJSON *array, const Message *m, Err *err) {
  const cJSON *call;
  if (strcmp(m->role, "tool") == 0) {
    cJSON *made = add_typed(array, "function_call_output", err);
    add_text(made, "call_id", json_text(m->item, "tool_call_id"), err);
    add_content(made, "output", m, STYLE_RESPONSES, 0, err);
    return;
  }
  if (m->n > 0 || cJSON_IsArray(member(m->item, "content"))) {
    cJSON *made = json_add(array, NULL, cJSON_CreateObject(), err);
    add_text(made, "role", m->role, err);
    if (strcmp(m->role, "assistant") == 0) {
      add_text(made, "content", m->content, err);
    } else {
      add_content(made, "content", m, STYLE_RESPONSES, 0, err);
    }
  }
  cJSON_ArrayForEach(call, member(m->item, "tool_calls")) {
    const cJSON *function = member(call, "function");
    cJSON *made = add_typed(array, "function_call", err);
    add_text(made, "call_id", json_text(call, "id"), err);
    add_text(made, "name", json_text(function, "name"), err);
    add_text(made, "arguments", json_text(function, "arguments"), err);
  }
}

int message_form_add(cJSON *array, const Request *r, int i, Style style, const Model *model,
                     Err *err) {
  if (style == STYLE_ANTHROPIC) {
    return add_anthropic(array, r, i, err);
  }
  if (style == STYLE_OPENAI) {
    add_openai(array, &r->messages[i], model, err);
  } else {
    add_responses(array, &r->messages[i], err);
  }
  return i + 1;
}

/* A mark of the caller's; NULL: none. */
static const cJSON *mark_of(const cJSON *item) {
  const cJSON *mark = member(item, "cache_control");
  return mark && !cJSON_IsNull(mark) ? mark : NULL;
}

static int marks_of_tools(const cJSON *tools) {
  const cJSON *tool;
  int n = 0;
  cJSON_ArrayForEach(tool, tools) {
    n += mark_of(tool) || mark_of(member(tool, "function"));
  }
  return n;
}

static int is_for_an_hour(const cJSON *mark) {
  const char *ttl = json_text(mark, "ttl");
  return ttl && strcmp(ttl, "1h") == 0;
}

Marks message_form_marks(const Request *r) {
  const Options *o = r->options;
  Marks n = {cJSON_GetArraySize(r->system_marks), 0, 0};
  n.front += o ? marks_of_tools(o->tools) + (mark_of(o->extra) != NULL) : 0;
  for (int i = 0; i < r->n_messages; i++) {
    const cJSON *content = member(r->messages[i].item, "content"), *part;
    cJSON_ArrayForEach(part, (cJSON_IsArray(content) ? content : NULL)) {
      n.messages += mark_of(part) != NULL;
      n.has_long |= mark_of(part) && is_for_an_hour(mark_of(part));
    }
  }
  return n;
}

/* ---- tools */

static int is_of_function(const char *name) {
  static const char *const ours[] = {"name", "description", "parameters", "strict"};
  int is = 0;
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
    is |= strcmp(name, ours[i]) == 0;
  }
  return is;
}

/* What else the caller says of a function is Anthropic's: cache_control, input_examples. */
static void add_others(cJSON *tool, const cJSON *function, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, function) {
    if (!is_of_function(item->string) && !cJSON_IsNull(item)) {
      add_copy(tool, item->string, item, err);
    }
  }
}

/* In OpenAI's frame. */
static void add_framed(cJSON *tools, const cJSON *function, Err *err) {
  const cJSON *item;
  cJSON *made = json_add(add_typed(tools, "function", err), "function", cJSON_CreateObject(), err);
  cJSON_ArrayForEach(item, function) {
    if (is_of_function(item->string)) {
      add_copy(made, item->string, item, err);
    }
  }
}

/* A function of ours in an API's form. */
static void add_function(cJSON *tools, const cJSON *function, Style style, Err *err) {
  const cJSON *parameters = member(function, "parameters");
  cJSON *tool = style == STYLE_RESPONSES ? add_typed(tools, "function", err)
                                         : json_add(tools, NULL, cJSON_CreateObject(), err);
  add_text(tool, "name", json_text(function, "name"), err);
  add_text(tool, "description", json_text(function, "description"), err);
  cJSON *copy = parameters ? cJSON_Duplicate(parameters, 1)
                           : cJSON_Parse("{\"type\":\"object\",\"properties\":{}}");
  json_add(tool, style == STYLE_RESPONSES ? "parameters" : "input_schema", copy, err);
  if (style == STYLE_ANTHROPIC) {
    add_others(tool, function, err);
  }
  if (member(function, "strict")) {
    add_copy(tool, "strict", member(function, "strict"), err);
  } else if (style == STYLE_RESPONSES) { /* there it is meant where nobody says otherwise */
    json_add(tool, "strict", cJSON_CreateFalse(), err);
  }
}

static void add_choice(cJSON *tree, const char *choice, Style style, Err *err) {
  int is_word =
      strcmp(choice, "auto") == 0 || strcmp(choice, "none") == 0 || strcmp(choice, "required") == 0;
  if (is_word && style != STYLE_ANTHROPIC) {
    add_text(tree, "tool_choice", choice, err);
    return;
  }
  cJSON *made = json_add(tree, "tool_choice", cJSON_CreateObject(), err);
  if (style == STYLE_ANTHROPIC) {
    add_text(made, "type",
             !is_word                          ? "tool"
             : strcmp(choice, "required") == 0 ? "any"
                                               : choice,
             err);
  } else {
    add_text(made, "type", "function", err);
  }
  if (!is_word) {
    cJSON *in =
        style == STYLE_OPENAI ? json_add(made, "function", cJSON_CreateObject(), err) : made;
    add_text(in, "name", choice, err);
  }
}

void message_form_tools(cJSON *tree, const Options *o, Style style, Err *err) {
  const cJSON *tool;
  if (!o->tools) {
    return;
  }
  cJSON *tools = json_add(tree, "tools", cJSON_CreateArray(), err);
  cJSON_ArrayForEach(tool, o->tools) {
    const cJSON *function = tool_function(tool);
    if (!function) {
      json_add(tools, NULL, cJSON_Duplicate(tool, 1), err);
    } else if (style == STYLE_OPENAI) {
      add_framed(tools, function, err);
    } else {
      add_function(tools, function, style, err);
    }
  }
  if (cJSON_IsString(o->tool_choice)) {
    add_choice(tree, o->tool_choice->valuestring, style, err);
  } else {
    add_copy(tree, "tool_choice", o->tool_choice, err);
  }
}

int message_form_fits(const cJSON *schema) {
  const char *type = json_text(schema, "type");
  return type && strcmp(type, "object") == 0;
}

void message_form_schema(cJSON *tree, const cJSON *schema, Style style, Err *err) {
  cJSON *tools = json_add(tree, "tools", cJSON_CreateArray(), err), *tool;
  if (style == STYLE_OPENAI) {
    tool = json_add(add_typed(tools, "function", err), "function", cJSON_CreateObject(), err);
  } else {
    tool = json_add(tools, NULL, cJSON_CreateObject(), err);
  }
  add_text(tool, "name", SCHEMA_TOOL, err);
  add_text(tool, "description", "Gives the answer.", err);
  add_copy(tool, style == STYLE_OPENAI ? "parameters" : "input_schema", schema, err);
  add_choice(tree, SCHEMA_TOOL, style, err);
}
