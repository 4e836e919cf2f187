/*
** anthropic.c: POST /v1/messages (whole and as a stream) and /v1/messages/count_tokens.
**
** Input counts are additive here: input_tokens, cache_creation_input_tokens and
** cache_read_input_tokens have no token in common. In a stream, message_start carries the input's
** usage and message_delta the cumulative total.
*/
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Refuses a message request that Anthropic would refuse. */
int anthropic_check(struct request *r) {
  cJSON *error = NULL;
  int status = check_messages(r->json, 0, &error);
  if (status) {
    reply_json(&r->reply, status, error);
  }
  return status;
}

/* The same for count_tokens. */
int count_check(struct request *r) {
  cJSON *error = NULL;
  int status = check_messages(r->json, 1, &error);
  if (status) {
    reply_json(&r->reply, status, error);
  }
  return status;
}

/* The name of a tool that must be called, and its argument schema; NULL when none must. */
static const char *forced_tool(const cJSON *req, int any, const cJSON **schema) {
  const cJSON *choice = json_get(req, "tool_choice"), *t;
  const char *type = json_text(choice, "type"), *want = json_text(choice, "name");
  any = any || (type && strcmp(type, "any") == 0);
  cJSON_ArrayForEach(t, json_get(req, "tools")) {
    const char *name = json_text(t, "name");
    if (any || (want && strcmp(want, name) == 0)) {
      *schema = json_get(t, "input_schema");
      return name;
    }
  }
  return NULL;
}

/* Reads the request into an ask. */
static void read_ask(const cJSON *req, enum fault fault, int batch, struct ask *a) {
  const cJSON *tool_schema = NULL;
  memset(a, 0, sizeof *a);
  a->api = API_ANTHROPIC;
  a->model = json_text(req, "model");
  a->max_tokens = json_int(req, "max_tokens", -1);
  a->n = 1;
  a->stop = json_get(req, "stop_sequences");
  a->fault = fault;
  a->batch = batch;
  a->tool = forced_tool(req, fault == FT_TOOL, &tool_schema);
  a->schema = a->tool || fault == FT_TOOL
                  ? tool_schema
                  : json_get(json_get(json_get(req, "output_config"), "format"), "schema");
}

/* The cache's part of the usage. */
static void add_cache(cJSON *j, const struct usage *u, enum fault fault) {
  int text = fault == FT_STRING_USAGE;
  if (fault == FT_NULL_USAGE) {
    cJSON_AddNullToObject(j, "cache_creation_input_tokens");
    cJSON_AddNullToObject(j, "cache_read_input_tokens");
    cJSON_AddNullToObject(j, "cache_creation");
    return;
  }
  json_add_count(j, "cache_creation_input_tokens", u->write_5m + u->write_1h, text);
  json_add_count(j, "cache_read_input_tokens", u->cached, text);
  cJSON *split = cJSON_AddObjectToObject(j, "cache_creation");
  json_add_count(split, "ephemeral_5m_input_tokens", u->write_5m, text);
  json_add_count(split, "ephemeral_1h_input_tokens", u->write_1h, text);
}

/* One attempt of an answer that several models worked on. */
static void add_attempt(cJSON *list, const char *model, int64_t input, int64_t output) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "type", "message");
  cJSON_AddStringToObject(j, "model", model);
  json_add_count(j, "input_tokens", input, 0);
  json_add_count(j, "output_tokens", output, 0);
  cJSON_AddItemToArray(list, j);
}

/* A dearer model declined after 10 tokens, another before the first; then the one asked for answered. (The
** bill leaves the declined ones out.) */
static void add_fallback(cJSON *j, const struct outcome *o, int64_t output) {
  cJSON *list = cJSON_AddArrayToObject(j, "iterations");
  add_attempt(list, "claude-opus-4-8", 1000, 10);
  add_attempt(list, "claude-opus-4-8", 1000, 0);
  add_attempt(list, o->model, o->use.fresh, output);
}

/* The usage object; NULL when the scenario leaves it out. bad-usage claims a negative input. */
static cJSON *usage_json(const struct outcome *o, enum fault fault, int batch, int64_t output) {
  if (fault == FT_NO_USAGE) {
    return NULL;
  }
  int text = fault == FT_STRING_USAGE;
  cJSON *j = cJSON_CreateObject();
  json_add_count(j, "input_tokens", fault == FT_BAD_USAGE ? -5 : o->use.fresh, text);
  add_cache(j, &o->use, fault);
  json_add_count(j, "output_tokens", output, text);
  if (fault == FT_NULL_USAGE) {
    cJSON_AddNullToObject(j, "output_tokens_details");
    cJSON_AddNullToObject(j, "server_tool_use");
  } else {
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(j, "output_tokens_details"), "thinking_tokens",
                            0);
    cJSON *tools = cJSON_AddObjectToObject(j, "server_tool_use");
    cJSON_AddNumberToObject(tools, "web_search_requests", 0);
    cJSON_AddNumberToObject(tools, "web_fetch_requests", 0);
  }
  cJSON_AddStringToObject(j, "service_tier",
                          batch              ? "batch"
                          : fault == FT_TIER ? "priority"
                                             : "standard");
  cJSON_AddStringToObject(j, "speed", "standard");
  cJSON_AddStringToObject(j, "inference_geo", "not_available");
  if (fault == FT_COST) {
    json_add_usd(j, "cost", o->nusd);
  }
  if (fault == FT_FALLBACK) {
    add_fallback(j, o, output);
  }
  return j;
}

/* stop_reason. Anthropic has no content_filter: that comes as a refusal. */
static const char *stop_name(enum finish f) {
  static const char *const aName[] = {"end_turn", "stop_sequence", "max_tokens",
                                      "tool_use", "refusal",       "refusal"};
  return aName[f];
}

/* The tool_use block; input NULL = the answer's own, parsed. */
static cJSON *tool_block(const struct outcome *o, cJSON *input) {
  char id[40];
  snprintf(id, sizeof id, "toolu_%016llx", (unsigned long long)next_id());
  cJSON *b = cJSON_CreateObject();
  cJSON_AddStringToObject(b, "type", "tool_use");
  cJSON_AddStringToObject(b, "id", id);
  cJSON_AddStringToObject(b, "name", o->tool);
  if (!input) {
    input = cJSON_Parse(o->text ? o->text : "{}");
  }
  cJSON_AddItemToObject(b, "input", input ? input : cJSON_CreateObject());
  return b;
}

/* The content list. */
static cJSON *content_json(const struct outcome *o) {
  cJSON *list = cJSON_CreateArray(), *b;
  if (o->text && !*o->text) {
    return list;
  }
  if (o->tool[0]) {
    b = tool_block(o, NULL);
  } else {
    b = cJSON_CreateObject();
    cJSON_AddStringToObject(b, "type", "text");
    if (o->text) {
      cJSON_AddStringToObject(b, "text", o->text);
    } else {
      cJSON_AddNullToObject(b, "text");
    }
  }
  cJSON_AddItemToArray(list, b);
  return list;
}

/* Adds stop_reason and stop_sequence; done 0 = not known yet. */
static void add_stop(cJSON *j, const struct outcome *o, int done) {
  if (done) {
    cJSON_AddStringToObject(j, "stop_reason", stop_name(o->finish));
  } else {
    cJSON_AddNullToObject(j, "stop_reason");
  }
  if (done && o->finish == FIN_SEQUENCE) {
    cJSON_AddStringToObject(j, "stop_sequence", o->sequence);
  } else {
    cJSON_AddNullToObject(j, "stop_sequence");
  }
}

/* The message; done 0 = as a stream begins it: no content, one output token. */
static cJSON *message_json(const struct outcome *o, enum fault fault, int batch, int done) {
  char id[48];
  snprintf(id, sizeof id, "msg_standin%016llx", (unsigned long long)next_id());
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", id);
  cJSON_AddStringToObject(j, "type", "message");
  cJSON_AddStringToObject(j, "role", "assistant");
  cJSON_AddStringToObject(j, "model", o->answered);
  cJSON_AddItemToObject(j, "content", done ? content_json(o) : cJSON_CreateArray());
  add_stop(j, o, done);
  cJSON *usage = usage_json(o, fault, batch, done ? o->use.output : 1);
  if (usage) {
    cJSON_AddItemToObject(j, "usage", usage);
  }
  cJSON_AddNullToObject(j, "diagnostics");
  cJSON_AddNullToObject(j, "container");
  cJSON_AddNullToObject(j, "stop_details");
  return j;
}

/* Answers one message request body: its status, its body, and in *o what was produced. */
int anthropic_answer(const cJSON *req, enum fault fault, int batch, struct outcome *o,
                     cJSON **body) {
  struct ask a;
  int status = check_messages(req, 0, body);
  if (status) {
    return status;
  }
  read_ask(req, fault, batch, &a);
  prompt_anthropic(&o->prompt, req, a.model);
  complete_run(&a, o);
  *body = message_json(o, fault, batch, 1);
  return 200;
}

/* One SSE event. Takes j, whose first member is its type. */
static void event(struct buf *out, cJSON *j) {
  buf_printf(out, "event: %s\ndata: ", json_text(j, "type"));
  buf_json(out, j);
  buf_str(out, "\n\n");
  cJSON_Delete(j);
}

/* A new event of a type; index -1 = none. */
static cJSON *event_new(const char *type, int index) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "type", type);
  if (index >= 0) {
    cJSON_AddNumberToObject(j, "index", index);
  }
  return j;
}

/* One piece of the content, as text or as a tool's partial JSON. */
static void event_piece(struct buf *out, const char *piece, int tool) {
  cJSON *j = event_new("content_block_delta", 0);
  cJSON *d = cJSON_AddObjectToObject(j, "delta");
  cJSON_AddStringToObject(d, "type", tool ? "input_json_delta" : "text_delta");
  cJSON_AddStringToObject(d, tool ? "partial_json" : "text", piece);
  event(out, j);
}

/* The content block, token by token. */
static void stream_block(struct buf *out, const struct outcome *o) {
  const char *at = o->text, *end = at + strlen(at), *from = at;
  size_t len;
  int tool = o->tool[0] != 0;
  cJSON *j = event_new("content_block_start", 0), *b;
  if (tool) {
    b = tool_block(o, cJSON_CreateObject());
  } else {
    b = cJSON_CreateObject();
    cJSON_AddStringToObject(b, "type", "text");
    cJSON_AddStringToObject(b, "text", "");
  }
  cJSON_AddItemToObject(j, "content_block", b);
  event(out, j);
  event(out, event_new("ping", -1));
  while (token_next(&at, end, &len) || from < end) {
    char *piece = dup_n(from, (size_t)(at - from));
    event_piece(out, piece, tool);
    free(piece);
    from = at;
  }
  event(out, event_new("content_block_stop", 0));
}

/* The whole stream into the reply's body. */
static void stream_answer(struct request *r) {
  struct buf *out = &r->reply.body;
  const struct outcome *o = r->reply.outcome;
  int cut = r->fault == FT_SSE_CUT;
  cJSON *j = event_new("message_start", -1);
  cJSON_AddItemToObject(j, "message", message_json(o, r->fault, 0, 0));
  event(out, j);
  if (o->text && *o->text) {
    stream_block(out, o);
  }
  if (!cut) {
    j = event_new("message_delta", -1);
    add_stop(cJSON_AddObjectToObject(j, "delta"), o, 1);
    cJSON *usage = r->fault == FT_SSE_NO_USAGE ? NULL : usage_json(o, r->fault, 0, o->use.output);
    if (usage) {
      cJSON_AddItemToObject(j, "usage", usage);
    }
    event(out, j);
    event(out, event_new("message_stop", -1));
  }
  deliver_events(r, cut);
}

/* Answers a message request that anthropic_check let through. */
void anthropic_run(struct request *r) {
  cJSON *body = NULL;
  r->reply.outcome = need(calloc(1, sizeof *r->reply.outcome));
  r->reply.outcome->prompt.arrived = r->arrived;
  int status = anthropic_answer(r->json, r->fault, 0, r->reply.outcome, &body);
  r->reply.billed = status == 200;
  if (status == 200 && cJSON_IsTrue(json_get(r->json, "stream"))) {
    cJSON_Delete(body);
    stream_answer(r);
  } else {
    reply_json(&r->reply, status, body);
  }
}

/* Counts tokens; costs nothing. */
void count_run(struct request *r) {
  struct prompt p = {0};
  prompt_anthropic(&p, r->json, json_text(r->json, "model"));
  cJSON *j = cJSON_CreateObject();
  cJSON_AddNumberToObject(j, "input_tokens", (double)p.tokens);
  prompt_free(&p);
  reply_json(&r->reply, 200, j);
}
