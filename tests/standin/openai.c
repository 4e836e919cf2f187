/*
** openai.c: POST /v1/chat/completions (whole and as a stream) and GET /v1/models.
**
** prompt_tokens includes cached ones. With n > 1 every choice has the same text. A stream comes as
** one chunk per token, the last chunk with choices carries finish_reason, then the usage chunk when
** stream_options.include_usage asks for it, then [DONE].
**
** Scenarios that change the answer's form rather than its words (usage, tier, cost) are applied
** here.
*/
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Refuses a chat request that OpenAI would refuse. */
int openai_check(struct request *r) {
  cJSON *error = NULL;
  int status = check_chat(r->json, &error);
  if (status) {
    reply_json(&r->reply, status, error);
  }
  return status;
}

/* The name of a tool that must be called, and its argument schema; NULL when none must. */
static const char *forced_tool(const cJSON *req, const cJSON **schema) {
  const cJSON *choice = json_get(req, "tool_choice"), *t;
  const char *want = json_text(json_get(choice, "function"), "name");
  int any = cJSON_IsString(choice) && strcmp(choice->valuestring, "required") == 0;
  cJSON_ArrayForEach(t, json_get(req, "tools")) {
    const char *name = json_text(json_get(t, "function"), "name");
    if (name && (any || (want && strcmp(want, name) == 0))) {
      *schema = json_get(json_get(t, "function"), "parameters");
      return name;
    }
  }
  return NULL;
}

/* Reads the request into an ask. */
static void read_ask(const cJSON *req, enum fault fault, int batch, struct ask *a) {
  const cJSON *format = json_get(req, "response_format"), *tool_schema = NULL;
  const char *type = json_text(format, "type");
  memset(a, 0, sizeof *a);
  a->api = API_OPENAI;
  a->model = json_text(req, "model");
  a->max_tokens = json_int(req, "max_completion_tokens", json_int(req, "max_tokens", -1));
  a->n = json_int(req, "n", 1);
  a->stop = json_get(req, "stop");
  a->fault = fault;
  a->batch = batch;
  a->tool = forced_tool(req, &tool_schema);
  if (fault == FT_TOOL && !a->tool) {
    const cJSON *first = json_get(cJSON_GetArrayItem(json_get(req, "tools"), 0), "function");
    a->tool = json_text(first, "name");
    tool_schema = json_get(first, "parameters");
  }
  if (!a->tool) {
    tools_choose(req, a);
  }
  a->thought = thought_tokens(req, a->model);
  a->flex = json_text(req, "service_tier") && strcmp(json_text(req, "service_tier"), "flex") == 0;
  a->schema = a->tool || fault == FT_TOOL ? tool_schema
                                          : json_get(json_get(format, "json_schema"), "schema");
  a->json_object = type && strcmp(type, "json_object") == 0;
}

/* OpenRouter's way to tell the price: USD as a number. */
static void add_cost(cJSON *usage, int64_t nusd) {
  json_add_usd(usage, "cost", nusd);
  cJSON_AddFalseToObject(usage, "is_byok");
  cJSON_AddNullToObject(cJSON_AddObjectToObject(usage, "cost_details"), "upstream_inference_cost");
}

/* The usage object; NULL when the scenario leaves it out. */
static cJSON *usage_json(const struct outcome *o, enum fault fault) {
  const struct usage *u = &o->use;
  int64_t in = u->fresh + u->cached, cached = u->cached;
  int text = fault == FT_STRING_USAGE;
  if (fault == FT_NO_USAGE) {
    return NULL;
  }
  if (fault == FT_BAD_USAGE) {
    cached = in + 100;
  }
  cJSON *j = cJSON_CreateObject();
  json_add_count(j, "prompt_tokens", in, text);
  json_add_count(j, "completion_tokens", u->output, text);
  json_add_count(j, "total_tokens", in + u->output, text);
  if (fault == FT_NULL_USAGE) {
    cJSON_AddNullToObject(j, "prompt_tokens_details");
    cJSON_AddNullToObject(j, "completion_tokens_details");
    return j;
  }
  cJSON *d = cJSON_AddObjectToObject(j, "prompt_tokens_details");
  json_add_count(d, "cached_tokens", cached, text);
  json_add_count(d, "cache_write_tokens", 0, text);
  json_add_count(d, "audio_tokens", 0, text);
  d = cJSON_AddObjectToObject(j, "completion_tokens_details");
  json_add_count(d, "reasoning_tokens", u->thought, text);
  json_add_count(d, "audio_tokens", 0, text);
  json_add_count(d, "accepted_prediction_tokens", 0, text);
  json_add_count(d, "rejected_prediction_tokens", 0, text);
  if (fault == FT_COST) {
    add_cost(j, o->nusd);
  }
  return j;
}

/* finish_reason. */
static const char *finish_name(const struct outcome *o) {
  static const char *const aName[] = {"stop",       "stop",           "length",
                                      "tool_calls", "content_filter", "stop"};
  return aName[o->finish];
}

/* The list of tool calls. */
static cJSON *tool_calls(const struct outcome *o) {
  char id[40];
  snprintf(id, sizeof id, "call_%016llx", (unsigned long long)next_id());
  cJSON *list = cJSON_CreateArray(), *call = cJSON_CreateObject();
  cJSON_AddStringToObject(call, "id", id);
  cJSON_AddStringToObject(call, "type", "function");
  cJSON *f = cJSON_AddObjectToObject(call, "function");
  cJSON_AddStringToObject(f, "name", o->tool);
  cJSON_AddStringToObject(f, "arguments", o->text ? o->text : "");
  cJSON_AddItemToArray(list, call);
  return list;
}

/* The assistant's message. */
static cJSON *message_json(const struct outcome *o) {
  cJSON *m = cJSON_CreateObject();
  int refused = o->finish == FIN_REFUSAL;
  cJSON_AddStringToObject(m, "role", "assistant");
  if (!o->text || refused || o->tool[0]) {
    cJSON_AddNullToObject(m, "content");
  } else {
    cJSON_AddStringToObject(m, "content", o->text);
  }
  if (refused) {
    cJSON_AddStringToObject(m, "refusal", o->text);
  } else {
    cJSON_AddNullToObject(m, "refusal");
  }
  if (o->tool[0]) {
    cJSON_AddItemToObject(m, "tool_calls", tool_calls(o));
  }
  cJSON_AddItemToObject(m, "annotations", cJSON_CreateArray());
  return m;
}

/* Members that the answer and every chunk begin with. */
static cJSON *head_json(const struct outcome *o, const char *object, const char *id, enum fault f) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", id);
  cJSON_AddStringToObject(j, "object", object);
  cJSON_AddNumberToObject(j, "created", (double)time(NULL));
  cJSON_AddStringToObject(j, "model", o->answered);
  cJSON_AddStringToObject(j, "service_tier",
                          f == FT_TIER ? "priority"
                          : o->flex    ? "flex"
                                       : "default");
  cJSON_AddStringToObject(j, "system_fingerprint", "fp_standin");
  return j;
}

/* A new completion id. */
static void new_id(char *id, size_t cap) {
  snprintf(id, cap, "chatcmpl-standin%016llx", (unsigned long long)next_id());
}

/* How likely each token was: of n bytes, e^(-n/10). NULL where nobody asks. */
static cJSON *logprobs_json(const cJSON *req, const struct outcome *o) {
  if (!cJSON_IsTrue(json_get(req, "logprobs")) || !o->text) {
    return cJSON_CreateNull();
  }
  cJSON *j = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(j, "content");
  const char *p = o->text, *end = p + strlen(p), *token;
  size_t len;
  while ((token = token_next(&p, end, &len))) {
    char *text = dup_n(token, len);
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "token", text);
    cJSON_AddNumberToObject(one, "logprob", -(double)len / 10);
    cJSON_AddNullToObject(one, "bytes");
    cJSON_AddItemToObject(one, "top_logprobs", cJSON_CreateArray());
    cJSON_AddItemToArray(list, one);
    free(text);
  }
  return j;
}

/* The whole answer as JSON, owned. */
static cJSON *answer_json(const cJSON *req, const struct outcome *o, int64_t n, enum fault fault) {
  char id[48];
  new_id(id, sizeof id);
  cJSON *j = head_json(o, "chat.completion", id, fault);
  cJSON *choices = cJSON_AddArrayToObject(j, "choices");
  for (int64_t i = 0; i < n; i++) {
    cJSON *c = cJSON_CreateObject();
    cJSON_AddNumberToObject(c, "index", (double)i);
    cJSON_AddItemToObject(c, "message", message_json(o));
    cJSON_AddItemToObject(c, "logprobs", logprobs_json(req, o));
    cJSON_AddStringToObject(c, "finish_reason", finish_name(o));
    cJSON_AddItemToArray(choices, c);
  }
  cJSON *usage = usage_json(o, fault);
  if (usage) {
    cJSON_AddItemToObject(j, "usage", usage);
  }
  return j;
}

/* Answers one chat request body: its status, its body, and in *o what was produced. */
int openai_answer(const cJSON *req, enum fault fault, int batch, struct outcome *o, cJSON **body) {
  struct ask a;
  int status = check_chat(req, body);
  if (status) {
    return status;
  }
  read_ask(req, fault, batch, &a);
  prompt_openai(&o->prompt, req, a.model);
  complete_run(&a, o);
  *body = answer_json(req, o, a.n, fault);
  return 200;
}

/* One SSE event. Takes j. */
static void event(struct buf *out, cJSON *j) {
  buf_str(out, "data: ");
  buf_json(out, j);
  buf_str(out, "\n\n");
  cJSON_Delete(j);
}

struct stream {
  struct buf *out;
  const struct outcome *o;
  char id[48];
  enum fault fault;
  int64_t choice;
  int usage; /* 1 = include_usage: every chunk has the member */
};

/* One chunk with a delta (taken) and perhaps a finish_reason. */
static void chunk(struct stream *s, cJSON *delta, const char *finish) {
  cJSON *j = head_json(s->o, "chat.completion.chunk", s->id, s->fault);
  cJSON *c = cJSON_CreateObject();
  cJSON_AddNumberToObject(c, "index", (double)s->choice);
  cJSON_AddItemToObject(c, "delta", delta);
  cJSON_AddNullToObject(c, "logprobs");
  if (finish) {
    cJSON_AddStringToObject(c, "finish_reason", finish);
  } else {
    cJSON_AddNullToObject(c, "finish_reason");
  }
  cJSON_AddItemToArray(cJSON_AddArrayToObject(j, "choices"), c);
  if (s->usage) {
    cJSON_AddNullToObject(j, "usage");
  }
  event(s->out, j);
}

/* The text of one choice, token by token; white space goes with the token after it. */
static void chunk_text(struct stream *s, const char *member) {
  const char *at = s->o->text, *end = at + strlen(at), *from = at;
  size_t len;
  while (token_next(&at, end, &len) || from < end) {
    char *piece = dup_n(from, (size_t)(at - from));
    cJSON *delta = cJSON_CreateObject();
    cJSON_AddStringToObject(delta, member, piece);
    chunk(s, delta, NULL);
    free(piece);
    from = at;
  }
}

/* All chunks of one choice. */
static void chunk_choice(struct stream *s) {
  cJSON *delta = cJSON_CreateObject();
  cJSON_AddStringToObject(delta, "role", "assistant");
  if (s->o->tool[0]) {
    cJSON *calls = tool_calls(s->o);
    cJSON_AddNumberToObject(calls->child, "index", 0);
    cJSON_AddNullToObject(delta, "content");
    cJSON_AddItemToObject(delta, "tool_calls", calls);
  } else {
    cJSON_AddStringToObject(delta, "content", "");
  }
  chunk(s, delta, NULL);
  if (s->o->text && !s->o->tool[0]) {
    chunk_text(s, s->o->finish == FIN_REFUSAL ? "refusal" : "content");
  }
  chunk(s, cJSON_CreateObject(), finish_name(s->o));
}

/* The whole stream into the reply's body. */
static void stream_answer(struct request *r) {
  struct stream s = {.out = &r->reply.body, .o = r->reply.outcome, .fault = r->fault};
  s.usage = cJSON_IsTrue(json_get(json_get(r->json, "stream_options"), "include_usage"));
  new_id(s.id, sizeof s.id);
  int64_t n = json_int(r->json, "n", 1);
  for (s.choice = 0; s.choice < n; s.choice++) {
    chunk_choice(&s);
  }
  int cut = r->fault == FT_SSE_CUT;
  cJSON *usage = cut || r->fault == FT_SSE_NO_USAGE ? NULL : usage_json(s.o, r->fault);
  if (s.usage && usage) {
    cJSON *j = head_json(s.o, "chat.completion.chunk", s.id, r->fault);
    cJSON_AddItemToObject(j, "choices", cJSON_CreateArray());
    cJSON_AddItemToObject(j, "usage", usage);
    event(s.out, j);
  } else {
    cJSON_Delete(usage);
  }
  if (!cut) {
    buf_str(s.out, "data: [DONE]\n\n");
  }
  deliver_events(r, cut);
}

/* Answers a chat request that openai_check let through. */
void openai_run(struct request *r) {
  cJSON *body = NULL;
  r->reply.outcome = need(calloc(1, sizeof *r->reply.outcome));
  r->reply.outcome->prompt.arrived = r->arrived;
  int status = openai_answer(r->json, r->fault, 0, r->reply.outcome, &body);
  r->reply.billed = status == 200;
  if (status == 200 && cJSON_IsTrue(json_get(r->json, "stream"))) {
    cJSON_Delete(body);
    stream_answer(r);
  } else {
    reply_json(&r->reply, status, body);
  }
}

/* One row of the model list, in the asking provider's shape. */
static cJSON *model_json(const char *name, enum api api) {
  cJSON *m = cJSON_CreateObject();
  cJSON_AddStringToObject(m, "id", name);
  if (api == API_ANTHROPIC) {
    cJSON_AddStringToObject(m, "type", "model");
    cJSON_AddStringToObject(m, "display_name", name);
    cJSON_AddStringToObject(m, "created_at", "2025-01-01T00:00:00Z");
  } else {
    cJSON_AddStringToObject(m, "object", "model");
    cJSON_AddNumberToObject(m, "created", 1735689600);
    cJSON_AddStringToObject(m, "owned_by", "standin");
  }
  return m;
}

/* GET /v1/models. */
void models_run(struct request *r) {
  static const char *const aOpenai[] = {"gpt-4o",       "gpt-4o-mini",  "gpt-4.1",
                                        "gpt-4.1-mini", "gpt-4.1-nano", "text-embedding-3-small"};
  static const char *const aClaude[] = {"claude-haiku-4-5-20251001", "claude-sonnet-4-6"};
  int anthropic = r->api == API_ANTHROPIC;
  const char *const *name = anthropic ? aClaude : aOpenai;
  size_t n = anthropic ? 2 : sizeof aOpenai / sizeof aOpenai[0];
  cJSON *j = cJSON_CreateObject();
  if (!anthropic) {
    cJSON_AddStringToObject(j, "object", "list");
  }
  cJSON *list = cJSON_AddArrayToObject(j, "data");
  for (size_t i = 0; i < n; i++) {
    cJSON_AddItemToArray(list, model_json(name[i], r->api));
  }
  if (anthropic) {
    cJSON_AddFalseToObject(j, "has_more");
    cJSON_AddStringToObject(j, "first_id", name[0]);
    cJSON_AddStringToObject(j, "last_id", name[n - 1]);
  }
  reply_json(&r->reply, 200, j);
}
