/*
** See reply.h for the contract. A table joins the forms: how each is told, and how it is read.
*/
#include "wire/answer/reply.h"

#include "wire/answer/failure.h"

#include "base/buf.h"
#include "base/text/text.h"
#include "base/utf8.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An answer as it is put together. */
typedef struct Reading {
  Buf text, reasoning, refusal;
  cJSON *logprobs; /* owned; NULL: none came */
  int has_no_memory;
  int has_text; /* there is a text, be it empty */
  int has_tools;
  const cJSON *index; /* of the choice that is read, in a stream: the first that has one */
  int has_others;     /* other choices came besides */
  const char *word;   /* the last */
  int is_early;       /* more text came behind it: it stands in every piece, and ends none */
  int is_blocked;     /* whatever the word, it was a filter's */
} Reading;

static void add(Reading *r, const char *text) {
  buf_puts(&r->text, text);
  r->has_text = 1;
}

static int is_one_of(const char *word, const char *const *words) {
  while (word && *words && strcmp(word, *words) != 0) {
    words++;
  }
  return word && *words;
}

/* Of several words that a stream says the worst counts: half an answer is not whole because another end follows. */
static void set_word(Reading *r, const char *word) {
  static const char *const nothing[] = {"null", "none", "unspecified", NULL};
  if (word && word[0] && !is_one_of(word, nothing) && !strstr(word, "UNSPECIFIED") &&
      finish_of(word) >= finish_of(r->word)) {
    r->word = word;
  }
}

/* ---- content: a text, or parts */

/* The texts inside a reasoning field: itself, or those of its parts. */
static void add_reasoning(Reading *r, const cJSON *item) {
  static const char *const keys[] = {"text", "thinking", "reasoning", "summary", "content"};
  if (cJSON_IsString(item)) {
    buf_puts(&r->reasoning, item->valuestring);
  } else if (cJSON_IsArray(item)) {
    for (const cJSON *part = item->child; part; part = part->next) {
      add_reasoning(r, part);
    }
  } else if (cJSON_IsObject(item)) {
    const cJSON *inner = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !inner; i++) {
      inner = cJSON_GetObjectItemCaseSensitive(item, keys[i]);
      inner = cJSON_IsNull(inner) ? NULL : inner;
    }
    add_reasoning(r, inner);
  }
}

/* 1 if a call names what is to be called: some write empty ones into every answer. */
static int has_name(const cJSON *call) {
  const cJSON *function = cJSON_GetObjectItemCaseSensitive(call, "function");
  const char *name = json_text(function ? function : call, "name");
  return name && name[0];
}

/* One part of a content, by its type. What is neither text nor thought (images, calls of tools) is no text. */
static void add_part(Reading *r, const cJSON *part) {
  static const char *const thoughts[] = {
      "thinking",          "reasoning", "reasoning_text", "summary_text", "thought",
      "reasoning_content", NULL};
  static const char *const tools[] = {"tool_use", "tool_call", "function_call", "tool-call", NULL};
  const char *type = json_text(part, "type"), *refusal = json_text(part, "refusal");
  const cJSON *text = cJSON_GetObjectItemCaseSensitive(part, "text");
  const char *value = cJSON_IsObject(text) ? json_text(text, "value") : cJSON_GetStringValue(text);
  if (cJSON_IsString(part)) {
    add(r, part->valuestring);
  } else if (is_one_of(type, thoughts) ||
             cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(part, "thought"))) {
    add_reasoning(r, part);
  } else if (refusal) {
    buf_puts(&r->refusal, refusal);
  } else if (value) {
    add(r, value);
  }
  r->has_tools |= (is_one_of(type, tools) && has_name(part)) ||
                  has_name(cJSON_GetObjectItemCaseSensitive(part, "functionCall"));
}

/* A value where a text is expected: as JSON, which it stands for. */
static void add_value(Reading *r, const cJSON *value) {
  char *text = cJSON_PrintUnformatted(value);
  if (text) {
    add(r, text);
  } else {
    buf_fail(&r->text, RC_NOMEM);
  }
  cJSON_free(text);
}

static void add_content(Reading *r, const cJSON *content) {
  int is_part = cJSON_GetObjectItemCaseSensitive(content, "type") ||
                cJSON_GetObjectItemCaseSensitive(content, "text");
  if (cJSON_IsString(content)) {
    add(r, content->valuestring);
  } else if (cJSON_IsArray(content)) {
    for (const cJSON *part = content->child; part; part = part->next) {
      add_part(r, part);
    }
  } else if (is_part) {
    add_part(r, content);
  } else if (cJSON_IsNumber(content) || cJSON_IsBool(content) || cJSON_IsObject(content)) {
    add_value(r, content);
  }
}

/* An assistant's message: content, and what it thought, which has a name of its own at each server. Some send it twice. */
static void add_message(Reading *r, const cJSON *message) {
  static const char *const thoughts[] = {"reasoning_content", "reasoning", "thinking",
                                         "reasoning_text", "reasoning_details"};
  const char *refusal = json_text(message, "refusal");
  const cJSON *audio = cJSON_GetObjectItemCaseSensitive(message, "audio");
  const cJSON *calls = cJSON_GetObjectItemCaseSensitive(message, "tool_calls");
  const size_t before = r->reasoning.n;
  for (size_t i = 0; i < sizeof thoughts / sizeof thoughts[0] && r->reasoning.n == before; i++) {
    add_reasoning(r, cJSON_GetObjectItemCaseSensitive(message, thoughts[i]));
  }
  if (refusal) {
    buf_puts(&r->refusal, refusal);
  }
  add_content(r, cJSON_GetObjectItemCaseSensitive(message, "content"));
  if (r->text.n == 0) { /* where others have it */
    add_content(r, cJSON_IsString(message) ? message
                                           : cJSON_GetObjectItemCaseSensitive(message, "text"));
    add_content(r, cJSON_GetObjectItemCaseSensitive(audio, "transcript"));
  }
  const cJSON *call;
  cJSON_ArrayForEach(call, calls) {
    r->has_tools |= has_name(call);
  }
  r->has_tools |= has_name(cJSON_GetObjectItemCaseSensitive(message, "function_call"));
}

/* ---- forms */

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The first of two words that says something. */
static const char *word_of(const cJSON *object, const char *key, const char *other) {
  const char *word = json_text(object, key);
  return word && word[0] ? word : json_text(object, other);
}

/* OpenAI's chat completions, and what speaks it; the older completions have `text`, a piece has `delta`. Some streams end
** with the whole message once more. */
static int is_openai(const cJSON *a) {
  return member(a, "choices") != NULL;
}

/* 1 if a choice is that which is read. (We ask for one. A server that sends several all the same must not have them
** mixed up.) */
static int is_ours(Reading *r, const cJSON *choice) {
  const cJSON *index = member(choice, "index");
  int is_numbered = (cJSON_IsNumber(index) || cJSON_IsString(index)) && member(choice, "delta");
  r->index = is_numbered && !r->index ? index : r->index;
  return !is_numbered || cJSON_Compare(index, r->index, 1);
}

static const cJSON *choice_of(Reading *r, const cJSON *choices) {
  const cJSON *choice = cJSON_IsArray(choices) ? choices->child : choices;
  while (choice && !is_ours(r, choice)) {
    r->has_others = 1;
    choice = cJSON_IsArray(choices) ? choice->next : NULL;
  }
  return choice;
}

/* A message that comes again, longer each time or in pieces. (Some trim it.) */
static void add_message_again(Reading *r, const cJSON *message) {
  const char *content = json_text(message, "content");
  const char *before = r->text.n > 0 ? r->text.data + strspn(r->text.data, " \t\r\n") : "";
  if (content && before[0]) {
    content += strspn(content, " \t\r\n");
    if (strncmp(content, before, strlen(before)) == 0) {
      buf_clear(&r->text);
    }
  }
  add_message(r, message);
}

/* How sure it was of each of its tokens. */
static void add_logprobs(Reading *r, const cJSON *choice) {
  const cJSON *list = member(member(choice, "logprobs"), "content");
  for (const cJSON *token = cJSON_IsArray(list) ? list->child : NULL; token; token = token->next) {
    cJSON *copy = cJSON_Duplicate(token, 1);
    r->logprobs = r->logprobs ? r->logprobs : cJSON_CreateArray();
    if (!copy || !cJSON_AddItemToArray(r->logprobs, copy)) {
      cJSON_Delete(copy);
      r->has_no_memory = 1;
    }
  }
}

/* One choice: of a whole answer its message, of a piece its delta; some have both, and one of them empty. */
static void read_choice(Reading *r, const cJSON *choice) {
  const cJSON *delta = member(choice, "delta"), *message = member(choice, "message");
  const size_t before = r->text.n + r->reasoning.n + r->refusal.n;
  if (cJSON_IsObject(delta)) {
    add_message(r, delta);
  }
  if (r->text.n + r->reasoning.n + r->refusal.n == before && (message || !delta)) {
    add_message_again(r, message);
  }
  if (cJSON_IsString(member(choice, "text")) && r->text.n == before) {
    add(r, json_text(choice, "text"));
  }
  add_logprobs(r, choice);
  set_word(r, word_of(choice, "finish_reason", "native_finish_reason"));
}

/* (A whole answer whose first choice is empty may have another.) */
static void read_openai(Reading *r, const cJSON *a) {
  const cJSON *choice = choice_of(r, member(a, "choices"));
  read_choice(r, choice);
  for (; choice && choice->next && !member(choice, "delta") && r->text.n == 0 &&
         r->refusal.n == 0 && !r->has_tools && finish_of(r->word) <= FINISH_COMPLETE;
       choice = choice->next) {
    read_choice(r, choice->next);
  }
}

/* Anthropic's messages. */
static int is_anthropic(const cJSON *a) {
  return member(a, "stop_reason") || cJSON_IsArray(member(a, "content"));
}

static void read_anthropic(Reading *r, const cJSON *a) {
  const char *why = json_text(member(a, "stop_details"), "explanation");
  set_word(r, json_text(a, "stop_reason"));
  add_content(r, member(a, "content"));
  if (why && finish_of(r->word) == FINISH_FILTERED) {
    buf_puts(&r->refusal, why);
  }
}

/* OpenAI's responses. */
static int is_responses(const cJSON *a) {
  return cJSON_IsArray(member(a, "output"));
}

static void read_responses(Reading *r, const cJSON *a) {
  for (const cJSON *item = member(a, "output")->child; item; item = item->next) {
    const char *type = json_text(item, "type");
    if (type && strcmp(type, "message") == 0) {
      add_content(r, member(item, "content"));
    } else {
      add_part(r, item);
    }
  }
  const char *reason = json_text(member(a, "incomplete_details"), "reason");
  set_word(r, reason ? reason : json_text(a, "status"));
}

/* Gemini's own. */
static int is_gemini(const cJSON *a) {
  return member(a, "candidates") || member(a, "promptFeedback");
}

static void read_gemini(Reading *r, const cJSON *a) {
  const cJSON *candidate = cJSON_GetArrayItem(member(a, "candidates"), 0);
  const char *block = json_text(member(a, "promptFeedback"), "blockReason");
  add_content(r, member(member(candidate, "content"), "parts"));
  set_word(r, candidate ? json_text(candidate, "finishReason") : block);
  r->is_blocked |= !candidate && block;
}

/* Ollama's own chat, Cohere's. */
static int is_message(const cJSON *a) {
  return cJSON_IsObject(member(a, "message"));
}

static void read_message(Reading *r, const cJSON *a) {
  add_message(r, member(a, "message"));
  set_word(r, word_of(a, "done_reason", "finish_reason"));
}

/* Ollama's generate, and other bare texts. */
static const char *const bare[] = {"response",   "generated_text", "output_text",
                                   "completion", "content",        "text"};
enum { N_BARE = sizeof bare / sizeof bare[0] };

static const char *bare_text(const cJSON *a) {
  const char *text = NULL;
  for (int i = 0; i < N_BARE && !text; i++) {
    text = json_text(a, bare[i]);
  }
  return text;
}

static int is_bare(const cJSON *a) {
  return bare_text(a) != NULL;
}

static void read_bare(Reading *r, const cJSON *a) {
  add_reasoning(r, member(a, "thinking"));
  add(r, bare_text(a));
  set_word(r, word_of(a, "done_reason", "finish_reason"));
}

/* Anthropic's events: blocks begin, grow, and the message ends. */
static int is_block_event(const cJSON *a) {
  return member(a, "content_block") || cJSON_IsObject(member(a, "delta"));
}

static void read_block_event(Reading *r, const cJSON *a) {
  const cJSON *delta = member(a, "delta");
  const char *text = json_text(delta, "text"), *thought = json_text(delta, "thinking");
  const cJSON *cohere = member(member(member(delta, "message"), "content"), "text");
  text = text ? text : cJSON_GetStringValue(cohere);
  set_word(r, json_text(delta, "finish_reason"));
  if (cJSON_IsObject(member(a, "content_block"))) {
    add_part(r, member(a, "content_block"));
  }
  if (text) {
    add(r, text);
  }
  if (thought) {
    buf_puts(&r->reasoning, thought);
  }
  if (json_text(delta, "stop_reason")) {
    read_anthropic(r, delta);
  }
}

/* OpenAI's response events: texts grow; the last has the whole response inside. */
static int is_response_event(const cJSON *a) {
  const char *type = json_text(a, "type");
  return type && strncmp(type, "response.", 9) == 0;
}

static void read_response_event(Reading *r, const cJSON *a) {
  static const struct {
    const char *type;
    size_t into;
  } texts[] = {{"response.output_text.delta", offsetof(Reading, text)},
               {"response.refusal.delta", offsetof(Reading, refusal)},
               {"response.reasoning_text.delta", offsetof(Reading, reasoning)},
               {"response.reasoning_summary_text.delta", offsetof(Reading, reasoning)}};
  const char *type = json_text(a, "type"), *delta = json_text(a, "delta");
  const cJSON *response = member(a, "response"), *output = member(response, "output");
  for (size_t i = 0; delta && i < sizeof texts / sizeof texts[0]; i++) {
    if (strcmp(type, texts[i].type) == 0) {
      buf_puts((Buf *)(void *)((char *)r + texts[i].into), delta);
      r->has_text |= i == 0;
    }
  }
  if (!r->has_text && r->refusal.n == 0 && cJSON_IsArray(output)) {
    read_responses(r, response);
  } else if (response && !strstr(type, "created") && !strstr(type, "progress")) {
    const char *reason = json_text(member(response, "incomplete_details"), "reason");
    set_word(r, reason ? reason : json_text(response, "status"));
  }
}

static const struct {
  int (*is)(const cJSON *answer);
  void (*read)(Reading *r, const cJSON *answer);
} forms[] = {
    {is_openai, read_openai},           {is_response_event, read_response_event},
    {is_block_event, read_block_event}, {is_anthropic, read_anthropic},
    {is_responses, read_responses},     {is_gemini, read_gemini},
    {is_message, read_message},         {is_bare, read_bare},
};

/* Reads it in the form it has; 0 where it has none. Some gateways put the answer into a member of theirs. */
static int read_form(Reading *r, const cJSON *answer, int depth) {
  static const char *const wraps[] = {"result", "response", "data", "body"};
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    if (forms[i].is(answer)) {
      forms[i].read(r, answer);
      return 1;
    }
  }
  int found = 0;
  for (size_t i = 0; i < sizeof wraps / sizeof wraps[0] && depth < 2 && !found; i++) {
    const cJSON *inner = member(answer, wraps[i]);
    found = cJSON_IsObject(inner) && read_form(r, inner, depth + 1);
  }
  return found;
}

/* ---- what it comes to */

/* 1 if it says something: others write what stands for nothing. */
static int is_refusal(const Buf *b) {
  return b->n > 0 && !reply_is_blank(b->data) && strcasecmp(b->data, "null") != 0 &&
         strcasecmp(b->data, "none") != 0;
}

/* Hands a text over; NULL for an empty one. */
static char *take(Buf *b, int is_there, Err *err) {
  if (!b->failed && is_there && text_mend(b) != RC_OK) { /* characters that came in two pieces */
    err_nomem(err);
  }
  if (b->failed) {
    err_nomem(err); /* (never more than the answer was) */
  }
  char *text = is_there && !b->failed ? buf_take(b) : NULL;
  if (is_there && !text) {
    err_nomem(err);
  }
  buf_free(b);
  return text;
}

/* A stream's pieces, one behind the other. 1 if any has a form that is known. */
static int read_pieces(Reading *r, const cJSON *pieces, int *with_text) {
  int found = 0, had_tools = 0;
  for (const cJSON *piece = pieces->child; piece; piece = piece->next) {
    size_t before = r->text.n + r->reasoning.n + r->refusal.n;
    int had_word = r->word != NULL;
    found |= read_form(r, piece, 0);
    int brings = r->text.n + r->reasoning.n + r->refusal.n > before || r->has_tools > had_tools;
    had_tools = r->has_tools;
    *with_text += brings;
    r->is_early |= had_word && brings;
  }
  return found;
}

/* Anthropic's and OpenAI's answers to a request that asked for it. */
static const char *cache_miss_of(const cJSON *answer) {
  const cJSON *openai = member(answer, "prompt_cache_diagnostics");
  const char *type = json_text(openai, "type"), *reason = json_text(openai, "reason");
  if (type) {
    return strcmp(type, "cache_hit") == 0 ? NULL : reason ? reason : type;
  }
  return json_text(member(member(answer, "diagnostics"), "cache_miss_reason"), "type");
}

/* A provider's word, "" where it is none or no text. */
static void copy_word(char to[REPLY_WORD], const char *word) {
  size_t bad_at;
  utf8_copy(to, REPLY_WORD, word && utf8_is_valid(word, strlen(word), &bad_at) ? word : "");
}

int reply_read(const Body *body, Reply *reply, Err *err) {
  Reading r = {0};
  buf_init(&r.text, LIMIT_RESPONSE_BYTES);
  buf_init(&r.reasoning, LIMIT_RESPONSE_BYTES);
  buf_init(&r.refusal, LIMIT_RESPONSE_BYTES);
  int found =
      body->pieces ? read_pieces(&r, body->pieces, &reply->pieces) : read_form(&r, body->tree, 0);
  if (!found) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER,
            "the answer has no choices[0].message, nor any other form that is known");
  }
  reply->reasoning = take(&r.reasoning, r.reasoning.n > 0, err);
  reply->refusal = take(&r.refusal, is_refusal(&r.refusal), err);
  reply->text = take(&r.text, r.has_text, err);
  reply->logprobs = r.logprobs && err->rc == RC_OK ? cJSON_PrintUnformatted(r.logprobs) : NULL;
  if (r.has_no_memory || (r.logprobs && !reply->logprobs)) {
    err_nomem(err);
  }
  cJSON_Delete(r.logprobs);
  reply->has_tools = r.has_tools;
  int is_early = r.is_early && !member(body->tree, "usage") && !member(body->tree, "usageMetadata");
  reply->is_broken = body->pieces && (!r.word || is_early) && (!body->is_done || r.has_others);
  reply->finish = r.is_blocked || reply->refusal ? FINISH_FILTERED : finish_of(r.word);
  copy_word(reply->word, r.word);
  copy_word(reply->cache_miss, cache_miss_of(body->tree));
  return err->rc;
}

/* 1 if a piece tells nothing but the usage: OpenAI's last. */
static int is_of_usage(const cJSON *piece) {
  return cJSON_IsObject(member(piece, "usage")) &&
         cJSON_GetArraySize(member(piece, "choices")) == 0 && is_openai(piece);
}

int reply_is_done(const char *bytes, size_t n) {
  Body body;
  Reply reply = {0};
  Err ignored = {0};
  long status;
  int is = 0;
  if (body_read(bytes, n, "", &body, &ignored) == RC_OK) {
    int is_read = reply_read(&body, &reply, &ignored) == RC_OK;
    const cJSON *last = body.pieces ? body.pieces->child->prev : NULL;
    is = body.pieces
             ? body.is_done || (is_read && !reply.is_broken && reply.finish != FINISH_UNKNOWN &&
                                is_of_usage(last))
             : (is_read && (reply.text || reply.word[0])) || failure_in_answer(body.tree, &status);
    body_free(&body);
  }
  reply_free(&reply);
  return is;
}

void reply_free(Reply *reply) {
  free(reply->text);
  free(reply->reasoning);
  free(reply->refusal);
  free(reply->parts);
  cJSON_free(reply->logprobs);
  reply->logprobs = NULL;
  reply->text = reply->reasoning = reply->refusal = NULL;
  reply->parts = NULL;
}
