/*
** The table of APIs, and what the API files share. See provider.h for the contract.
*/
#include "wire/provider.h"

#include "base/check.h"
#include "base/utf8.h"
#include "core/request/extra.h"
#include "wire/model/takes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Api apis[] = {
    {"openai", "/chat/completions", openai_build, reply_read, "bearer", NULL, 0, 0},
    {"anthropic", "/messages", anthropic_build, reply_read, "x-api-key",
     "anthropic-version: 2023-06-01", 0, 8192},
    {"responses", "/responses", responses_build, reply_read, "bearer", NULL, 0, 0},
};

static const Api openai_embeddings = {
    "openai", "/embeddings", openai_embed_build, openai_embed_parse, "bearer", NULL, 1, 0};

long long provider_most_output(const Api *api, const Request *request, const Model *model) {
  long long own = model->max_output > 0 ? model->max_output : model->context_window;
  if (request->options->max_tokens != OPTION_UNSET) {
    return request->options->max_tokens;
  }
  long long usual = api->output ? api->output + takes_budget(request->options, model) : 0;
  return usual && (own <= 0 || own > usual) ? usual : own;
}

const Api *provider_api(const char *name) {
  for (size_t i = 0; i < sizeof apis / sizeof apis[0]; i++) {
    if (strcmp(apis[i].name, name) == 0) {
      return &apis[i];
    }
  }
  return NULL;
}

const Api *provider_embedding_api(const char *name) {
  return strcmp(name, openai_embeddings.name) == 0 ? &openai_embeddings : NULL;
}

int provider_read_usage(const cJSON *answer, const char *provider, Reply *reply) {
  const Vendor *vendor = vendor_by_word(provider);
  const char *model = usage_model(answer, vendor, NULL);
  Err err = {0};
  utf8_copy(reply->model, sizeof reply->model, model ? model : "");
  usage_read_all(answer, vendor, NULL, &reply->usage, &reply->parts, &reply->n_parts, &err);
  if (err.rc != RC_OK) {
    utf8_copy(reply->usage_error, sizeof reply->usage_error, err.msg);
    usage_init(&reply->usage);
  }
  return err.rc == RC_NOMEM ? RC_NOMEM : RC_OK;
}

int wire_finish(cJSON *tree, Buf *body, Err *err) {
  char *text = json_print(tree, err);
  if (!text) {
    return err->rc;
  }
  int rc = buf_puts(body, text);
  cJSON_free(text);
  return rc == RC_TOOBIG
             ? err_set(err, rc, ERR_TOO_BIG, "the request is over %zu bytes", LIMIT_REQUEST_BYTES)
         : rc == RC_OK ? RC_OK
                       : err_nomem(err);
}

static void add_message(cJSON *array, const char *role, const char *content, Err *err) {
  cJSON *item = json_add(array, NULL, cJSON_CreateObject(), err);
  json_add(item, "role", cJSON_CreateString(role), err);
  json_add(item, "content", cJSON_CreateString(content), err);
}

static void add_mark(cJSON *part, const Sending *how, Err *err) {
  const char *mark = how->is_long ? how->form->long_mark : how->form->mark;
  json_add(part, how->form->member, cJSON_CreateRaw(mark), err);
}

/* A part of a message: n bytes. NULL without memory. */
static cJSON *add_part(cJSON *parts, const char *text, size_t n, Err *err) {
  char *copy = malloc(n + 1);
  cJSON *part = json_add(parts, NULL, cJSON_CreateObject(), err);
  if (!copy) {
    err_nomem(err);
    return NULL;
  }
  memcpy(copy, text, n);
  copy[n] = 0;
  json_add(part, "type", cJSON_CreateString("text"), err);
  json_add(part, "text", cJSON_CreateString(copy), err);
  free(copy);
  return part;
}

cJSON *wire_marked_text(const char *text, const Sending *how, Err *err) {
  cJSON *parts = cJSON_CreateArray();
  if (parts) {
    add_mark(add_part(parts, text, strlen(text), err), how, err);
  }
  return parts;
}

cJSON *wire_marked_system(const char *system, const Request *r, const Sending *how, Err *err) {
  cJSON *parts = cJSON_CreateArray();
  const cJSON *noted;
  size_t n = strlen(system), at = 0;
  cJSON_ArrayForEach(noted, (parts ? r->system_marks : NULL)) {
    long long end = 0;
    if (json_count(noted, "end", &end) && (size_t)end > at && (size_t)end <= n) {
      cJSON *part = add_part(parts, system + at, (size_t)end - at, err);
      json_add(part, "cache_control",
               cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(noted, "mark"), 1), err);
      at = (size_t)end;
    }
  }
  cJSON *rest = parts && at < n ? add_part(parts, system + at, n - at, err) : NULL;
  if (rest && how->form && how->marks & PREFIX_SYSTEM) {
    add_mark(rest, how, err);
  }
  return parts;
}

void wire_add_beside(cJSON *tree, const Sending *how, Err *err) {
  if (how->form && how->marks && how->form->beside) {
    json_add(tree, how->form->beside, cJSON_CreateRaw(how->form->beside_value), err);
  }
}

/* The last message of a request whose beginning others share. */
static void add_shared_message(cJSON *array, const Request *r, const Sending *how, Err *err) {
  const Message *last = &r->messages[r->n_messages - 1];
  size_t shared = prefix_shared(r);
  cJSON *item = json_add(array, NULL, cJSON_CreateObject(), err);
  json_add(item, "role", cJSON_CreateString(last->role), err);
  cJSON *parts = json_add(item, "content", cJSON_CreateArray(), err);
  add_mark(add_part(parts, last->content, shared, err), how, err);
  if (shared < last->n) {
    add_part(parts, last->content + shared, last->n - shared, err);
  }
}

/* The last part of a message that can bear a mark: a text, or a tool's result. NULL: none can. */
static cJSON *markable(cJSON *parts) {
  cJSON *found = NULL, *part;
  cJSON_ArrayForEach(part, parts) {
    const char *type = json_text(part, "type"), *text = json_text(part, "text");
    int is_text = type && strcmp(type, "text") == 0 && text && text[strspn(text, " \t\r\n\f\v")];
    found = is_text || (type && strcmp(type, "tool_result") == 0) ? part : found;
  }
  return found;
}

/* Marks the end of a message that was built. */
static void mark_message(cJSON *message, const Sending *how, Err *err) {
  cJSON *content = cJSON_GetObjectItemCaseSensitive(message, "content");
  if (cJSON_IsString(content) &&
      content->valuestring[strspn(content->valuestring, " \t\r\n\f\v")]) {
    cJSON *parts = wire_marked_text(content->valuestring, how, err);
    if (!parts || !cJSON_ReplaceItemInObjectCaseSensitive(message, "content", parts)) {
      cJSON_Delete(parts);
      err_nomem(err);
    }
    return;
  }
  cJSON *part = cJSON_IsArray(content) ? markable(content) : NULL;
  if (part && !cJSON_HasObjectItem(part, how->form->member)) {
    add_mark(part, how, err);
  }
}

/* What was answered before, and what was wrong with it. */
static void add_rejected(cJSON *array, const Sending *how, Err *err) {
  char text[LIMIT_ERROR_TEXT + 160];
  snprintf(
      text, sizeof text,
      "That was not accepted: %s. Answer again, with nothing but JSON that satisfies the schema.",
      how->why);
  add_message(array, "assistant", how->rejected, err);
  add_message(array, "user", text, err);
}

/* The system prompt as a message. */
static void add_system(cJSON *array, const char *system, const Sending *how, Err *err) {
  if (how->form && how->marks & PREFIX_SYSTEM) {
    cJSON *item = json_add(array, NULL, cJSON_CreateObject(), err);
    json_add(item, "role", cJSON_CreateString("system"), err);
    json_add(item, "content", wire_marked_text(system, how, err), err);
  } else {
    add_message(array, "system", system, err);
  }
}

/* Adds message i, and what belongs into the same one: returns the next one's place. */
static int add_one(cJSON *array, const Request *r, int i, const Saying *saying, const Sending *how,
                   Err *err) {
  const Message *m = &r->messages[i];
  unsigned marks = how->form ? how->marks : 0;
  if (marks & PREFIX_SHARED && i + 1 == r->n_messages && prefix_shared(r) > 0) {
    add_shared_message(array, r, how, err);
  } else if (m->item) {
    return message_form_add(array, r, i, saying->style, saying->model, err);
  } else {
    add_message(array, m->role, m->content, err);
  }
  return i + 1;
}

void wire_add_messages(cJSON *tree, const Request *request, const Saying *saying,
                       const Sending *how, Err *err) {
  cJSON *array = json_add(tree, saying->key, cJSON_CreateArray(), err);
  int ends[PREFIX_ENDS], n = 0, next = 0;
  if (how->form && how->marks & PREFIX_HISTORY) {
    n = prefix_ends(request, ends);
    next = how->marks & PREFIX_SHARED && n == PREFIX_ENDS; /* providers take four marks */
  }
  if (saying->system) {
    add_system(array, saying->system, how, err);
  }
  for (int i = 0; i < request->n_messages && err->rc == RC_OK;) {
    i = add_one(array, request, i, saying, how, err);
    int is_end = next < n && ends[next] < i;
    while (next < n && ends[next] < i) {
      next++;
    }
    if (is_end && err->rc == RC_OK) {
      mark_message(cJSON_GetArrayItem(array, cJSON_GetArraySize(array) - 1), how, err);
    }
  }
  if (how->rejected && err->rc == RC_OK) {
    add_rejected(array, how, err);
  }
}

/* What the model's row adds: it was given by whoever made the file. */
static int add_row_extra(cJSON *tree, const Model *model, Err *err) {
  Err why = {0};
  const char *text = model->extra ? model->extra : "";
  cJSON *extra = text[0] ? json_parse(text, strlen(text), "extra", &why) : NULL;
  if (why.rc == RC_OK && extra && !cJSON_IsObject(extra)) {
    err_set(&why, RC_ERROR, ERR_CONFIG, "is no JSON object");
  }
  if (why.rc == RC_OK && extra) {
    extra_check(extra, EXTRA_OF_ROW, &why);
  }
  if (why.rc == RC_OK) {
    extra_merge(tree, extra, err);
  } else if (why.rc == RC_NOMEM) {
    err_nomem(err);
  } else {
    err_set(err, RC_ERROR, ERR_CONFIG, "model '%.80s': extra in llm_models: %.300s", model->name,
            why.msg);
  }
  cJSON_Delete(extra);
  return err->rc;
}

int wire_add_options(cJSON *tree, const Request *request, const Model *model, Style style,
                     const Sending *how, Err *err) {
  const Options *o = request->options;
  add_row_extra(tree, model, err); /* first: what the call says goes before it */
  takes_write(tree, o, model, how->logprobs, err);
  if (o->tools && err->rc == RC_OK && !wire_supports(model, "tools", 1, err)) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "option 'tools': %.80s takes none, its row in llm_models says", model->name);
  }
  message_form_tools(tree, o, style, err);
  return err->rc == RC_OK ? extra_merge(tree, o->extra, err) : err->rc;
}
