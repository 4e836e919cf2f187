/*
** See turns_read.h for the contract.
**
** Anthropic's form: a user's message holds "tool_result" blocks, an assistant's "tool_use", "thinking", "redacted_thinking". These are
** taken out of the content and counted as their JSON (images within results as images); the rest is read as any message. A provider's
** own tools ("server_tool_use", "web_search_tool_result") are pairs as well, mostly within one message.
**
** A call is found by its id; ids may come again in later turns (some providers number them anew), so a result answers the last call
** before it. What nobody answers counts no call: nothing waits for it.
*/
#include "work/prune/turns_read.h"

#include "base/tables/hash_map.h"
#include "base/utf8.h"
#include "core/request/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the text of the array */

/* As cJSON, which read it: any control character is one. */
static int is_blank(char c) {
  return (unsigned char)c <= ' ';
}

static size_t skip_blanks(const char *text, size_t n, size_t at) {
  while (at < n && is_blank(text[at])) {
    at++;
  }
  return at;
}

/* Behind the value at `at`, of JSON that was read before. */
static size_t skip_value(const char *text, size_t n, size_t at) {
  int depth = 0;
  do {
    if (text[at] == '"') {
      for (at++; at < n && text[at] != '"'; at++) {
        at += text[at] == '\\';
      }
    }
    depth += text[at] == '{' || text[at] == '[';
    depth -= text[at] == '}' || text[at] == ']';
    at++;
  } while (at < n && (depth > 0 || !strchr(",]", text[at])));
  return at;
}

/* Where the elements of an array stand. */
static void find_elements(const char *text, size_t n, Turns *t) {
  size_t at = skip_blanks(text, n, 0) + 1;
  for (size_t i = 0; i < t->n; i++) {
    at = skip_blanks(text, n, at);
    size_t end = skip_value(text, n, at);
    t->at[i].from = at;
    while (end > at && is_blank(text[end - 1])) {
      end--;
    }
    t->at[i].n = end - at;
    at = skip_value(text, n, at) + 1;
  }
}

/* ---- blocks */

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

static int ends_with(const char *text, const char *end) {
  size_t n = strlen(text), k = strlen(end);
  return n >= k && strcmp(text + n - k, end) == 0;
}

static int is_call(const char *type) {
  return ends_with(type, "tool_use");
}

static int is_result(const char *type) {
  return ends_with(type, "tool_result");
}

/* Whatever is no text and no media of a request's: it stays as it is, or goes with its message, whoever made it up. */
static int is_block(const cJSON *part) {
  static const char *const read[] = {"text",  "input_text", "output_text", "refusal",
                                     "image", "image_url",  "input_image", "document",
                                     "file",  "input_file", "input_audio", NULL};
  const char *type = json_text(part, "type");
  int is_read = !type;
  for (int i = 0; read[i] && !is_read; i++) {
    is_read = strcmp(type, read[i]) == 0;
  }
  return !is_read;
}

/* Images within a result count as images of the message. */
static void lift_images(cJSON *result, cJSON *content, Err *err) {
  cJSON *inner = cJSON_GetObjectItemCaseSensitive(result, "content");
  for (cJSON *part = cJSON_IsArray(inner) ? inner->child : NULL, *next; part; part = next) {
    const char *type = json_text(part, "type");
    next = part->next;
    if (type && (strcmp(type, "image") == 0 || strcmp(type, "document") == 0)) {
      json_add(content, NULL, cJSON_DetachItemViaPointer(inner, part), err);
    }
  }
}

/* Takes the blocks out of a content: owned; NULL where there are none, or *err. */
static cJSON *take_blocks(cJSON *content, Err *err) {
  cJSON *blocks = NULL;
  for (cJSON *part = cJSON_IsArray(content) ? content->child : NULL, *next; part; part = next) {
    next = part->next;
    if (is_block(part) && err->rc == RC_OK) {
      blocks = blocks ? blocks : cJSON_CreateArray();
      json_add(blocks, NULL, cJSON_DetachItemViaPointer(content, part), err);
    }
  }
  return blocks;
}

/* ---- what providers return, and no request takes */

static int is_role(const cJSON *item, const char *role) {
  const char *is = json_text(item, "role");
  return is && strcmp(is, role) == 0;
}

/* A call of a tool that takes a text, as one of a function. */
static void mend_call(cJSON *call, Err *err) {
  const cJSON *custom = member(call, "custom");
  const char *name = json_text(custom, "name"), *input = json_text(custom, "input");
  if (name && input && !member(call, "function")) {
    cJSON *function = json_add(call, "function", cJSON_CreateObject(), err);
    json_add(function, "name", cJSON_CreateString(name), err);
    json_add(function, "arguments", cJSON_CreateString(input), err);
    cJSON_DeleteItemFromObjectCaseSensitive(call, "custom");
  }
}

/* Calls and results of OpenAI's first form have no id: a result answers the last call of its name. */
static void add_id(cJSON *to, const char *as, const char *name, Err *err) {
  char id[160];
  snprintf(id, sizeof id, "function:%.140s", name);
  json_add(to, as, cJSON_CreateString(id), err);
}

static void mend_function_call(cJSON *item, Err *err) {
  const char *name = json_text(member(item, "function_call"), "name");
  if (is_role(item, "assistant") && name && !cJSON_IsArray(member(item, "tool_calls"))) {
    cJSON_DeleteItemFromObjectCaseSensitive(item, "tool_calls"); /* null */
    cJSON *calls = json_add(item, "tool_calls", cJSON_CreateArray(), err);
    cJSON *call = json_add(calls, NULL, cJSON_CreateObject(), err);
    add_id(call, "id", name, err);
    json_add(call, "function", cJSON_DetachItemFromObjectCaseSensitive(item, "function_call"), err);
  } else if (is_role(item, "function") && json_text(item, "name")) {
    json_replace(item, "role", cJSON_CreateString("tool"), err);
    add_id(item, "tool_call_id", json_text(item, "name"), err);
  }
}

/* Of an assistant's parts empty texts go, and a refusal is a text. */
static void mend_parts(cJSON *content, Err *err) {
  for (cJSON *part = cJSON_IsArray(content) ? content->child : NULL, *next; part; part = next) {
    const char *text = json_text(part, "text"), *refusal = json_text(part, "refusal");
    next = part->next;
    if (text && !text[0]) {
      cJSON_Delete(cJSON_DetachItemViaPointer(content, part));
    } else if (refusal && !text && json_text(part, "type")) {
      json_replace(part, "type", cJSON_CreateString("text"), err);
      json_add(part, "text", cJSON_CreateString(refusal[0] ? refusal : " "), err);
    }
  }
}

/* Brings what an assistant may have returned into the form that is read. */
static int mend_form(cJSON *item, Err *err) {
  cJSON *call;
  mend_function_call(item, err);
  if (is_role(item, "assistant")) {
    cJSON_ArrayForEach(call, member(item, "tool_calls")) {
      mend_call(call, err);
    }
    mend_parts(cJSON_GetObjectItemCaseSensitive(item, "content"), err);
  }
  return err->rc;
}

/* 1 if an assistant answered nothing, or refused beside the content: *m is that. */
static int is_empty_answer(const cJSON *item, Message *m) {
  const cJSON *content = member(item, "content"), *calls = member(item, "tool_calls");
  const char *refusal = json_text(item, "refusal");
  int is_said = cJSON_IsString(content) ? content->valuestring[0] != 0 : content && content->child;
  int is_content =
      !content || cJSON_IsNull(content) || cJSON_IsString(content) || cJSON_IsArray(content);
  if (!is_role(item, "assistant") || is_said || !is_content || (calls && calls->child)) {
    return 0;
  }
  *m = (Message){.role = "assistant", .content = refusal ? refusal : "", .item = item};
  m->n = strlen(m->content);
  return 1;
}

/* ---- one message */

static PruneRole role_of(const char *role) {
  return strcmp(role, "user") == 0        ? PRUNE_USER
         : strcmp(role, "assistant") == 0 ? PRUNE_ASSISTANT
                                          : PRUNE_TOOL;
}

/* Tokens of a message that is no instruction: as in a request of it alone. */
static long long count_message(const TokenRule *rule, Message *m) {
  Options none;
  options_init(&none);
  const Request r = {.options = &none, .messages = m, .n_messages = 1};
  long long tokens = tokens_request(rule, &r);
  return tokens < 0 ? tokens : tokens - tokens_overhead(rule, 0);
}

static long long count_blocks(const TokenRule *rule, const cJSON *blocks) {
  char *text = blocks ? cJSON_PrintUnformatted(blocks) : NULL;
  long long tokens = !blocks ? 0 : text ? tokens_count(rule, text, strlen(text)) : -1;
  cJSON_free(text);
  return tokens;
}

static int read_system(const TokenRule *rule, const cJSON *item, Turn *t, Err *err) {
  const cJSON *content = member(item, "content");
  char *text = cJSON_IsArray(content) ? parts_text(content, err) : NULL;
  const char *said = text ? text : json_text(item, "content");
  long long tokens = tokens_count(rule, said ? said : "", said ? strlen(said) : 0);
  free(text);
  t->plan = (PruneMessage){.role = PRUNE_SYSTEM,
                           .tokens = tokens + tokens_overhead(rule, 1) - tokens_overhead(rule, 0)};
  return tokens < 0 ? err_nomem(err) : err->rc;
}

/* A message that has blocks: what is left of it, which may be nothing. */
static int read_rest(cJSON *item, const cJSON *blocks, int position, Turn *t, Err *err) {
  const char *role = json_text(item, "role");
  cJSON *content = cJSON_GetObjectItemCaseSensitive(item, "content");
  int is_known = role && (strcmp(role, "user") == 0 || strcmp(role, "assistant") == 0);
  t->says = content->child != NULL;
  for (cJSON *block = blocks->child; block; block = block->next) {
    lift_images(block, content, err);
  }
  if (is_known && !content->child) {
    t->m = (Message){.role = strcmp(role, "user") == 0 ? "user" : "assistant", .content = ""};
    return err->rc;
  }
  return message_read(item, position, &t->m, err);
}

static int read_turn(const TokenRule *rule, cJSON *item, int position, Turn *t, Err *err) {
  t->item = item;
  t->m = (Message){.content = ""};
  if (mend_form(item, err) != RC_OK) {
    return err->rc;
  }
  const char *role = json_text(item, "role");
  if (role && (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0)) {
    return read_system(rule, item, t, err);
  }
  cJSON *blocks = take_blocks(cJSON_GetObjectItemCaseSensitive(item, "content"), err);
  if (blocks && err->rc == RC_OK) {
    read_rest(item, blocks, position, t, err);
  } else if (err->rc == RC_OK && !is_empty_answer(item, &t->m)) {
    message_read(item, position, &t->m, err);
  }
  t->blocks = blocks ? json_add(item, "blocks", blocks, err) : NULL;
  if (err->rc == RC_OK) {
    long long more = count_blocks(rule, t->blocks), tokens = count_message(rule, &t->m);
    t->plan = (PruneMessage){.role = role_of(t->m.role), .tokens = tokens + more};
    if (more < 0 || tokens < 0) {
      err_nomem(err);
    }
  }
  return err->rc;
}

/* ---- calls and results */

/* The calls so far: of each id the message that made it last. */
typedef struct Calls {
  HashMap ids;
  size_t *last; /* owned */
  size_t n, cap;
} Calls;

static int add_call(Calls *c, const char *id, size_t message, Err *err) {
  Hash key = hash_bytes(id, strlen(id), 0);
  long long at = hash_map_get(&c->ids, &key);
  if (at == HASH_MAP_NONE) {
    if (c->n == c->cap) {
      size_t cap = c->cap ? 2 * c->cap : 64;
      size_t *more = realloc(c->last, cap * sizeof *more);
      if (!more) {
        return err_nomem(err);
      }
      c->last = more;
      c->cap = cap;
    }
    at = (long long)c->n++;
    hash_map_put(&c->ids, &key, at, err);
  }
  c->last[at] = message;
  return err->rc;
}

static int add_result(Calls *c, Turns *t, const char *id, size_t message, Err *err) {
  Hash key = hash_bytes(id, strlen(id), 0);
  long long at = hash_map_get(&c->ids, &key);
  if (at == HASH_MAP_NONE) {
    return err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                   "message %zu: the result of '%.60s' has no call before it: give the "
                   "assistant's message that made the call, or leave the result out",
                   message + 1, id);
  }
  if (c->last[at] != message) { /* within one message nothing waits */
    Turn *x = &t->at[message];
    t->at[c->last[at]].plan.calls++;
    x->plan.results++;
    x->plan.flags |= x->plan.role == PRUNE_USER && x->says ? PRUNE_SAYS : 0;
  }
  return RC_OK;
}

static void pair_blocks(Calls *c, Turns *t, size_t i, Err *err) {
  const cJSON *block;
  cJSON_ArrayForEach(block, t->at[i].blocks) {
    const char *type = json_text(block, "type");
    const char *id = json_text(block, is_call(type) ? "id" : "tool_use_id");
    if (is_call(type) && id) {
      t->at[i].n_calls++;
      add_call(c, id, i, err);
    } else if (is_result(type) && err->rc == RC_OK) {
      id ? add_result(c, t, id, i, err)
         : err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                   "message %zu: a %.40s needs the 'tool_use_id' that it answers", i + 1, type);
    }
  }
}

static void pair_one(Calls *c, Turns *t, size_t i, Err *err) {
  const Turn *x = &t->at[i];
  const char *answers = x->plan.role == PRUNE_TOOL ? json_text(x->item, "tool_call_id") : NULL;
  const cJSON *call;
  cJSON_ArrayForEach(call, member(x->item, "tool_calls")) {
    t->at[i].n_calls++;
    add_call(c, json_text(call, "id"), i, err);
  }
  if (answers && err->rc == RC_OK) {
    add_result(c, t, answers, i, err);
  }
  pair_blocks(c, t, i, err);
}

static int pair(Turns *t, Err *err) {
  Calls c = {.n = 0};
  for (size_t i = 0; i < t->n && err->rc == RC_OK; i++) {
    pair_one(&c, t, i, err);
  }
  hash_map_free(&c.ids);
  free(c.last);
  return err->rc;
}

/* ---- all of them */

int turns_read(const char *text, size_t n, const TokenRule *rule, Turns *t, Err *err) {
  int position = 0;
  *t = (Turns){.text = text, .doc = json_parse(text, n, "the messages", err)};
  t->n = cJSON_IsArray(t->doc) ? (size_t)cJSON_GetArraySize(t->doc) : 0;
  if (err->rc == RC_OK && t->n == 0) {
    err_set(err, RC_ERROR, ERR_BAD_MESSAGES, "expected a JSON array of {\"role\", \"content\"}");
  }
  t->at = err->rc == RC_OK ? calloc(t->n, sizeof *t->at) : NULL;
  if (!t->at) {
    return err->rc != RC_OK ? err->rc : err_nomem(err);
  }
  find_elements(text, n, t);
  for (cJSON *item = t->doc->child; item && err->rc == RC_OK; item = item->next) {
    read_turn(rule, item, position + 1, &t->at[position], err);
    position++;
  }
  return err->rc == RC_OK ? pair(t, err) : err->rc;
}

void turns_free(Turns *t) {
  free(t->at);
  cJSON_Delete(t->doc);
  *t = (Turns){.n = 0};
}

/* ---- for reading */

/* The beginning of a text that may be long; not half of a character. */
static void write_some(Buf *b, const char *text) {
  enum { MOST = 4000 };
  char some[MOST + 1];
  utf8_copy(some, sizeof some, text);
  buf_puts(b, some);
  buf_puts(b, strlen(some) < strlen(text) ? " …\n\n" : "\n\n");
}

static void write_json(Buf *b, const char *head, const cJSON *value) {
  const char *text = cJSON_GetStringValue(value);
  char *json = value && !text ? cJSON_PrintUnformatted(value) : NULL;
  if (value && !text && !json) {
    buf_fail(b, RC_NOMEM);
  }
  buf_puts(b, head);
  write_some(b, text ? text : json ? json : "");
  cJSON_free(json);
}

static void write_call(Buf *b, const char *name, const cJSON *arguments) {
  buf_puts(b, "Assistant called ");
  buf_puts(b, name ? name : "a tool");
  write_json(b, ": ", arguments);
}

static void write_block(Buf *b, const cJSON *block) {
  const char *type = json_text(block, "type");
  if (is_call(type)) {
    write_call(b, json_text(block, "name"), member(block, "input"));
  } else if (is_result(type)) {
    write_json(b, "Result: ", member(block, "content"));
  }
}

/* (A blank line ends each: what stands in lines one under the other would be no sentences but rows.) */
void turns_write(const Turn *t, Buf *b) {
  static const char *const who[] = {"User: ", "Assistant: ", "Result: ", "System: "};
  const cJSON *item;
  if (t->m.n > 0 && t->plan.role == PRUNE_TOOL) {
    buf_puts(b, who[PRUNE_TOOL]);
    write_some(b, t->m.content);
  } else if (t->m.n > 0) {
    buf_puts(b, who[t->plan.role]);
    buf_puts(b, t->m.content);
    buf_puts(b, "\n\n");
  }
  cJSON_ArrayForEach(item, member(t->item, "tool_calls")) {
    const cJSON *function = member(item, "function");
    write_call(b, json_text(function, "name"), member(function, "arguments"));
  }
  cJSON_ArrayForEach(item, t->blocks) {
    write_block(b, item);
  }
}
