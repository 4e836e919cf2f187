/*
** See tools.h for the contract.
*/
#include "core/request/tools.h"

#include <string.h>

enum { MOST_TOOLS = 128, LONGEST_NAME = 64 };

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

static int refuse(int position, const char *what, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'tools': tool %d %s", position, what);
}

static int is_name(const char *name) {
  size_t n =
      name ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") : 0;
  return n > 0 && n <= LONGEST_NAME && !name[n];
}

const cJSON *tool_function(const cJSON *tool) {
  return member(tool, "function");
}

static const cJSON *find_function(const cJSON *tools, const char *name) {
  const cJSON *tool, *found = NULL;
  cJSON_ArrayForEach(tool, tools) {
    const char *is = json_text(tool_function(tool) ? tool_function(tool) : tool, "name");
    found = !found && is && strcmp(is, name) == 0 ? tool : found;
  }
  return found;
}

static int is_placed(const char *name) {
  static const char *const placed[] = {"type",       "name",         "description",
                                       "parameters", "input_schema", "function"};
  int is = 0;
  for (size_t i = 0; i < sizeof placed / sizeof placed[0]; i++) {
    is |= strcmp(name, placed[i]) == 0;
  }
  return is;
}

/* Puts the function's members behind each other as OpenAI's documents have them. */
static void add_function(cJSON *to, const cJSON *from, Err *err) {
  const cJSON *parameters = member(from, "parameters");
  parameters = parameters ? parameters : member(from, "input_schema");
  json_add(to, "name", cJSON_CreateString(json_text(from, "name")), err);
  if (json_text(from, "description")) {
    json_add(to, "description", cJSON_CreateString(json_text(from, "description")), err);
  }
  if (parameters) {
    json_add(to, "parameters", cJSON_Duplicate(parameters, 1), err);
  }
  const cJSON *item;
  cJSON_ArrayForEach(item, from) { /* "strict", and what others have beside it */
    if (!is_placed(item->string)) {
      json_add(to, item->string, cJSON_Duplicate(item, 1), err);
    }
  }
}

static int is_object_or_none(const cJSON *item) {
  return !item || cJSON_IsObject(item);
}

/* Adds a tool, the position-th from 1. */
static int add_tool(cJSON *tools, const cJSON *given, int position, Err *err) {
  const char *type = json_text(given, "type");
  const cJSON *function = member(given, "function") ? member(given, "function") : given;
  int is_own =
      type && strcmp(type, "function") != 0 &&
      (strcmp(type, "custom") != 0 || member(given, "custom")); /* OpenAI's, not Anthropic's */
  if (!cJSON_IsObject(given)) {
    return refuse(position, "is no object", err);
  }
  if (is_own) {
    json_add(tools, NULL, cJSON_Duplicate(given, 1), err);
    return err->rc;
  }
  if (!is_name(json_text(function, "name"))) {
    return refuse(position, "has no 'name' of 1 to 64 letters, digits, '_' and '-'", err);
  }
  if (!is_object_or_none(member(function, "parameters")) ||
      !is_object_or_none(member(function, "input_schema"))) {
    return refuse(position, "has 'parameters' that are no JSON Schema (an object)", err);
  }
  if (find_function(tools, json_text(function, "name"))) {
    return refuse(position, "has the name of one before it", err);
  }
  cJSON *tool = json_add(tools, NULL, cJSON_CreateObject(), err);
  json_add(tool, "type", cJSON_CreateString("function"), err);
  cJSON *made = json_add(tool, "function", cJSON_CreateObject(), err);
  add_function(made, function, err);
  const cJSON *mark = function != given ? member(given, "cache_control") : NULL;
  if (made && cJSON_IsObject(mark) &&
      !member(made, "cache_control")) { /* in OpenAI's frame it stands beside */
    json_add(made, "cache_control", cJSON_Duplicate(mark, 1), err);
  }
  return err->rc;
}

cJSON *tools_read(const cJSON *given, Err *err) {
  int n = cJSON_IsArray(given) ? cJSON_GetArraySize(given) : 0, position = 0;
  if (n < 1 || n > MOST_TOOLS) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "option 'tools': expected an array of 1 to %d tools, each {\"name\", \"description\", "
            "\"parameters\"}",
            MOST_TOOLS);
    return NULL;
  }
  cJSON *tools = cJSON_CreateArray();
  const cJSON *tool;
  cJSON_ArrayForEach(tool, given) {
    if (err->rc == RC_OK) {
      add_tool(tools, tool, ++position, err);
    }
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(tools);
    return NULL;
  }
  return tools;
}

int tools_is_forced(const cJSON *choice) {
  const char *word = cJSON_GetStringValue(choice);
  return word && strcmp(word, "auto") != 0 && strcmp(word, "none") != 0;
}

int tools_check_choice(const cJSON *tools, const cJSON *given, Err *err) {
  static const char *const words[] = {"auto", "none", "required"};
  if (!tools) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'tool_choice' is for 'tools': give them");
  }
  const char *choice = cJSON_GetStringValue(given);
  if (!choice) {
    return RC_OK;
  }
  int is_known = find_function(tools, choice) != NULL;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    is_known |= strcmp(choice, words[i]) == 0;
  }
  return is_known ? RC_OK
                  : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                            "option 'tool_choice': '%.64s' is no tool of these (or 'auto', 'none', "
                            "'required')",
                            choice);
}
