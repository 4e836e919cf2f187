/*
** batch.c: /v1/batches, as OpenAI has them and those who follow it. What a batch does is job.c's.
**
** Who is meant is told by the path: /v1 is OpenAI; /openai/v1 Groq (windows from 24h to 7d, chat alone);
** /azure/... or the header api-key Azure (100,000 lines, its own error codes, a file of errors that is
** there and empty, and /openai/batches?api-version=...); /api/v1 OpenRouter (inline requests, 202,
** results in the batch and by pages, no cancelling, and no mark: metadata is taken and dropped).
*/
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPENROUTER_BATCH_MAX 5000
#define AZURE_BATCH_MAX 100000
#define PAGE_RESULTS 100 /* OpenRouter: of results, unless ?limit= says otherwise */

static const char *const aState[] = {"validating", "in_progress", "finalizing", "completed",
                                     "failed",     "expired",     "cancelling", "cancelled"};

/* ---- creating: what is refused at once ---- */

/* Hours of "24h" or "3d"; 0 = neither. */
static long window_hours(const char *text) {
  char *end = NULL;
  long n = strtol(text, &end, 10);
  int whole = end > text && *end && !end[1] && n > 0 && n < 1000;
  return whole && *end == 'h' ? n : whole && *end == 'd' ? n * 24 : 0;
}

static int endpoint_taken(enum form form, const char *end) {
  if (strcmp(end, "/v1/chat/completions") == 0 ||
      (form == FORM_AZURE && strcmp(end, "/chat/completions") == 0)) {
    return 1;
  }
  return (form == FORM_OPENAI || form == FORM_OPENROUTER) && strcmp(end, "/v1/embeddings") == 0;
}

/* A member that nobody knows, or NULL. */
static const char *unknown_member(const cJSON *req, const char *const *known) {
  const cJSON *m;
  cJSON_ArrayForEach(m, req) {
    int found = 0;
    for (int i = 0; known[i]; i++) {
      found |= strcmp(m->string, known[i]) == 0;
    }
    if (!found) {
      return m->string;
    }
  }
  return NULL;
}

/* Why a create request is refused, or NULL; *param names the culprit. */
static const char *create_wrong(const cJSON *req, enum form form, const char **param) {
  static const char *const aParam[] = {
      "input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after", NULL};
  for (int i = 0; i < 3; i++) {
    *param = aParam[i];
    if (!json_text(req, *param)) {
      return "Missing required parameter.";
    }
  }
  long hours = window_hours(json_text(req, "completion_window"));
  if (hours < 24 || hours > (form == FORM_GROQ ? 168 : 24)) {
    return form == FORM_GROQ ? "Invalid value: completion_window goes from '24h' to '7d'."
                             : "Invalid value: the only supported value is '24h'.";
  }
  *param = "endpoint";
  if (!endpoint_taken(form, json_text(req, "endpoint"))) {
    return "Invalid value: this endpoint is not supported in batches.";
  }
  *param = unknown_member(req, aParam);
  if (*param) {
    return "Unknown parameter.";
  }
  *param = "metadata";
  const cJSON *meta = json_get(req, "metadata");
  return meta && !cJSON_IsNull(meta) && !cJSON_IsObject(meta) ? "Invalid type: expected an object."
                                                              : NULL;
}

/* 1 when a member stands in front of another. */
static int stands_before(const cJSON *req, const char *name, const char *other) {
  const cJSON *m = req->child;
  while (m && strcmp(m->string, name) != 0 && strcmp(m->string, other) != 0) {
    m = m->next;
  }
  return m && strcmp(m->string, name) == 0;
}

/* The same of OpenRouter's, who reads the body as it comes. */
static const char *inline_wrong(const cJSON *req, const char **param) {
  static const char *const aParam[] = {"endpoint", "model",        "requests", "completion_window",
                                       "metadata", "callback_url", NULL};
  const cJSON *list = json_get(req, "requests"), *one;
  const char *model = json_text(req, "model");
  *param = !json_text(req, "endpoint") ? "endpoint" : !model ? "model" : "requests";
  if (strcmp(*param, "requests") != 0 || !cJSON_IsArray(list)) {
    return "Missing required parameter.";
  }
  if (!stands_before(req, "endpoint", "requests") || !stands_before(req, "model", "requests")) {
    return "endpoint and model have to stand before requests.";
  }
  if (!endpoint_taken(FORM_OPENROUTER, json_text(req, "endpoint"))) {
    *param = "endpoint";
    return "Invalid value: this endpoint is not supported in batches.";
  }
  if (cJSON_GetArraySize(list) < 1 || cJSON_GetArraySize(list) > OPENROUTER_BATCH_MAX) {
    return "A batch has 1 to 5000 requests.";
  }
  cJSON_ArrayForEach(one, list) {
    const char *own = json_text(json_get(one, "body"), "model");
    if (own && strcmp(own, model) != 0) {
      return "The model of a request has to be the batch's.";
    }
  }
  *param = unknown_member(req, aParam);
  return *param ? "Unknown parameter." : NULL;
}

/* Refuses a create request that would be refused at once. */
int batch_check(struct request *r) {
  const char *param = NULL;
  const char *why = r->form == FORM_OPENROUTER ? inline_wrong(r->json, &param)
                                               : create_wrong(r->json, r->form, &param);
  char text[256];
  if (!why) {
    return 0;
  }
  snprintf(text, sizeof text, "%s ('%.100s')", why, param);
  reply_error(r, 400, NULL, "invalid_request", param, text);
  return 400;
}

/* ---- creating: what shows up later ---- */

/* A code as the provider calls it. */
static const char *code_of(enum form form, const char *code) {
  static const char *const aAzure[][2] = {{"invalid_url", "url_mismatch"},
                                          {"mismatched_model", "model_mismatch"},
                                          {"empty_file", "empty_batch"},
                                          {"invalid_method", "invalid_request"},
                                          {"missing_required_parameter", "invalid_request"}};
  for (size_t i = 0; form == FORM_AZURE && i < sizeof aAzure / sizeof aAzure[0]; i++) {
    if (strcmp(aAzure[i][0], code) == 0) {
      return aAzure[i][1];
    }
  }
  return code;
}

static void complain(struct job *b, const char *code, const char *message) {
  job_complain(b, code_of(b->form, code), b->total, message);
}

/* Bytes of a model's name before the scenario. */
static size_t model_len(const char *model) {
  const char *at = strrchr(model, '@');
  return at ? (size_t)(at - model) : strlen(model);
}

/* Looks at one line. ids holds the custom_ids seen, model the first line's model. */
static void check_line(struct job *b, const cJSON *j, struct map *ids, char *model, size_t cap) {
  const char *id = json_text(j, "custom_id"), *method = json_text(j, "method");
  const char *url = json_text(j, "url"), *m = json_text(json_get(j, "body"), "model");
  int bare = b->form == FORM_OPENROUTER;
  if (!j) {
    complain(b, "invalid_json_line", "This line is not parseable as valid JSON.");
    return;
  }
  if (!id || !*id || (!bare && (!method || !url)) || !cJSON_IsObject(json_get(j, "body"))) {
    complain(b, "missing_required_parameter", "Each line needs custom_id, method, url and body.");
    return;
  }
  if (map_add(ids, hash_bytes(id, strlen(id), 7), 1) > 1) {
    complain(b, "duplicate_custom_id",
             "The custom_id for this request is a duplicate of another request. The custom_id "
             "parameter must be unique for each request in a batch.");
  }
  if (!bare && strcmp(method, "POST") != 0) {
    complain(b, "invalid_method", "The method must be POST.");
  }
  if (!bare && strcmp(url, b->endpoint) != 0) {
    complain(b, "invalid_url",
             "The URL provided for this request does not match the batch endpoint.");
  }
  if (!m) {
    return;
  }
  if (!*model) {
    snprintf(model, cap, "%.*s", (int)model_len(m), m);
  } else if (strlen(model) != model_len(m) || strncmp(model, m, strlen(model)) != 0) {
    complain(b, "mismatched_model", "All requests of a batch must be for the same model.");
  }
}

/* Looks at all lines: counts them, and notes what is wrong. */
static void check_lines(struct job *b) {
  struct map ids = {0};
  char model[MODEL_MAX] = "";
  size_t at = 0, n;
  const char *line;
  int64_t most = b->form == FORM_AZURE ? AZURE_BATCH_MAX : OPENAI_BATCH_MAX;
  b->total = 0;
  while ((line = line_next(&b->lines->bytes, &at, &n))) {
    cJSON *j = utf8_valid(line, n) ? json_strict(line, n) : NULL;
    b->total++;
    check_line(b, j, &ids, model, sizeof model);
    cJSON_Delete(j);
  }
  if (b->total == 0) {
    job_complain(b, code_of(b->form, "empty_file"), 0, "The input file is empty.");
  }
  if (b->total > most) {
    job_complain(b, "too_many_tasks", 0,
                 most == AZURE_BATCH_MAX
                     ? "The batch input file contains too many requests. The limit is 100,000."
                     : "The batch input file contains too many requests. The limit is 50,000.");
  }
  map_free(&ids);
}

/* ---- how a batch is shown ---- */

/* Adds a time in seconds, or null. */
static void add_time(cJSON *o, const char *key, time_t t) {
  if (t) {
    cJSON_AddNumberToObject(o, key, (double)t);
  } else {
    cJSON_AddNullToObject(o, key);
  }
}

/* request_counts. */
static void add_counts(cJSON *j, const struct job *b) {
  cJSON *c = cJSON_AddObjectToObject(j, "request_counts");
  cJSON_AddNumberToObject(c, "total", b->state == JOB_VALIDATING ? 0 : (double)b->total);
  cJSON_AddNumberToObject(c, "completed", (double)b->completed);
  cJSON_AddNumberToObject(c, "failed", (double)(b->failed + b->undone));
}

/* The sum of what was answered, as far as the provider can count. */
static void add_usage(cJSON *j, const struct job *b) {
  const struct usage *u = &b->use;
  int64_t in = u->fresh + u->cached + (job_over(b) ? b->plan.usage_off : 0);
  cJSON *c = cJSON_AddObjectToObject(j, "usage");
  cJSON_AddNumberToObject(c, "input_tokens", (double)in);
  cJSON_AddNumberToObject(cJSON_AddObjectToObject(c, "input_tokens_details"), "cached_tokens",
                          (double)u->cached);
  cJSON_AddNumberToObject(c, "output_tokens", (double)u->output);
  cJSON_AddNumberToObject(cJSON_AddObjectToObject(c, "output_tokens_details"), "reasoning_tokens",
                          0);
  cJSON_AddNumberToObject(c, "total_tokens", (double)(in + u->output));
}

static void add_copy(cJSON *j, const char *name, const cJSON *value) {
  cJSON_AddItemToObject(j, name, value ? cJSON_Duplicate(value, 1) : cJSON_CreateNull());
}

/* A batch as OpenAI shows it, owned. */
static cJSON *file_batch_json(const struct job *b) {
  cJSON *j = cJSON_CreateObject();
  long hours = window_hours(b->window);
  time_t created = job_time(b, JOB_VALIDATING);
  int shown = b->errors && b->state != JOB_VALIDATING;
  cJSON_AddStringToObject(j, "id", b->id);
  cJSON_AddStringToObject(j, "object", "batch");
  cJSON_AddStringToObject(j, "endpoint", b->endpoint);
  if (shown) {
    cJSON *e = cJSON_AddObjectToObject(j, "errors");
    cJSON_AddStringToObject(e, "object", "list");
    add_copy(e, "data", b->errors);
  } else {
    cJSON_AddNullToObject(j, "errors");
  }
  cJSON_AddStringToObject(j, "input_file_id", b->input);
  cJSON_AddStringToObject(j, "completion_window", b->window);
  cJSON_AddStringToObject(j, "status", aState[b->state]);
  json_add_text(j, "output_file_id", b->output);
  json_add_text(j, "error_file_id", b->error_file);
  cJSON_AddNumberToObject(j, "created_at", (double)created);
  add_time(j, "in_progress_at", job_time(b, JOB_RUNNING));
  cJSON_AddNumberToObject(j, "expires_at", (double)(created + hours * 3600));
  add_time(j, "finalizing_at", job_time(b, b->at[JOB_FINALIZING] ? JOB_FINALIZING : JOB_COMPLETED));
  add_time(j, "completed_at", job_time(b, JOB_COMPLETED));
  add_time(j, "failed_at", job_time(b, JOB_FAILED));
  add_time(j, "expired_at", job_time(b, JOB_EXPIRED));
  add_time(j, "cancelling_at", job_time(b, JOB_CANCELLING));
  add_time(j, "cancelled_at", job_time(b, JOB_CANCELLED));
  add_counts(j, b);
  add_usage(j, b);
  add_copy(j, "metadata", b->metadata);
  return j;
}

/* A batch as OpenRouter shows it, without its results. */
static cJSON *inline_batch_json(const struct job *b) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", b->id);
  cJSON_AddStringToObject(j, "object", "batch");
  cJSON_AddStringToObject(j, "status", aState[b->state]);
  cJSON_AddStringToObject(j, "endpoint", b->endpoint);
  cJSON_AddStringToObject(j, "model", b->model);
  cJSON_AddStringToObject(j, "completion_window", "24h");
  cJSON_AddNumberToObject(j, "created_at", (double)job_time(b, JOB_VALIDATING));
  add_counts(j, b);
  if (b->errors && b->state != JOB_VALIDATING) {
    cJSON *e = cJSON_AddObjectToObject(j, "error");
    cJSON_AddStringToObject(e, "code", json_text(b->errors->child, "code"));
    cJSON_AddStringToObject(e, "message", json_text(b->errors->child, "message"));
  } else {
    cJSON_AddNullToObject(j, "error");
  }
  cJSON *u = cJSON_AddObjectToObject(j, "usage");
  cJSON_AddNumberToObject(u, "prompt_tokens",
                          (double)(b->use.fresh + b->use.cached + b->plan.usage_off));
  cJSON_AddNumberToObject(u, "completion_tokens", (double)b->use.output);
  json_add_usd(u, "cost", b->nusd);
  cJSON_AddNullToObject(j, "results");
  return j;
}

static cJSON *batch_json(const struct job *b) {
  return b->form == FORM_OPENROUTER ? inline_batch_json(b) : file_batch_json(b);
}

/* ---- the API ---- */

/* The bytes of the input. NULL and a refusal when there is no such file, or not yet: providers say the
** same of both. */
static struct blob *take_file(struct request *r, const char *input) {
  char text[200];
  struct blob *lines = plan_late(input) ? NULL : files_share(input);
  if (!lines) {
    snprintf(text, sizeof text, "No such File object: %.120s", input);
    reply_error(r, 400, NULL, "invalid_request", "input_file_id", text);
  }
  return lines;
}

/* POST /v1/batches */
void batch_create(struct request *r) {
  const char *input = json_text(r->json, "input_file_id");
  const cJSON *meta = json_get(r->json, "metadata");
  int bare = r->form == FORM_OPENROUTER;
  struct blob *lines = bare ? NULL : take_file(r, input);
  if (!bare && !lines) {
    return;
  }
  struct job *b = job_new(r, r->form, "batch_standin");
  copy_name(b->endpoint, sizeof b->endpoint, json_text(r->json, "endpoint"));
  copy_name(b->window, sizeof b->window, bare ? "24h" : json_text(r->json, "completion_window"));
  if (bare) {
    copy_name(b->model, sizeof b->model, json_text(r->json, "model"));
    job_inline(b, cJSON_GetObjectItemCaseSensitive(r->json, "requests"));
  } else {
    copy_name(b->input, sizeof b->input, input);
    b->metadata = cJSON_IsObject(meta) ? cJSON_Duplicate(meta, 1) : NULL;
    b->lines = lines;
  }
  check_lines(b);
  job_lock();
  job_start(b);
  cJSON *j = batch_json(b);
  job_unlock();
  reply_json(&r->reply, bare ? 202 : 200, j);
}

/* Answers with a batch (owned JSON), or that there is none. */
static void reply_batch(struct request *r, cJSON *j) {
  char text[256];
  if (j) {
    reply_json(&r->reply, 200, j);
    return;
  }
  snprintf(text, sizeof text, "No batch found with id '%.160s'.", r->id);
  job_reply_gone(r, text);
}

/* OpenRouter's results are elements: the lines with commas between them. */
static void add_elements(struct buf *out, const struct job *b, int64_t from, int64_t limit,
                         int64_t *next) {
  size_t at = 0, n;
  const char *line;
  int64_t i = 0;
  *next = 0;
  for (; (line = line_next(&b->results, &at, &n)); i++) {
    if (i >= from && i < from + limit) {
      buf_str(out, i > from ? "," : "");
      buf_add(out, line, n);
    }
  }
  *next = i > from + limit ? from + limit : 0;
}

/* Puts the results into the batch that was just written, which ends with "results":null}. */
static void insert_results(struct request *r, const struct job *b) {
  int64_t next;
  if (b->form == FORM_OPENROUTER && job_over(b) && b->state != JOB_FAILED) {
    r->reply.body.n -= strlen("null}");
    buf_str(&r->reply.body, "[");
    add_elements(&r->reply.body, b, 0, INT64_MAX / 2, &next);
    buf_str(&r->reply.body, "]}");
  }
}

/* GET /v1/batches/{id}: a poll. */
void batch_get(struct request *r) {
  int gone;
  job_lock();
  struct job *b = job_find(r->id, r->form, &gone);
  if (b) {
    job_poll(b);
  }
  reply_batch(r, b ? batch_json(b) : NULL);
  if (b) {
    insert_results(r, b);
  }
  job_unlock();
}

/* POST /v1/batches/{id}/cancel */
void batch_cancel(struct request *r) {
  int gone;
  if (r->form == FORM_OPENROUTER) {
    reply_error(r, 404, NULL, NULL, NULL, "Not Found");
    return;
  }
  job_lock();
  struct job *b = job_find(r->id, r->form, &gone);
  int done = b && job_cancel(b);
  cJSON *j = done ? batch_json(b) : NULL;
  job_unlock();
  if (b && !done) {
    reply_error(r, 409, NULL, NULL, NULL, "Cannot cancel a batch that has ended.");
  } else {
    reply_batch(r, j);
  }
}

/* A parameter of the query that is a number, or what is said otherwise. */
static long query_number(const struct request *r, const char *name, long otherwise, long most) {
  const char *text = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, name);
  long n = text ? strtol(text, NULL, 10) : otherwise;
  return n < 0 || n > most ? otherwise : n;
}

/* GET /v1/batches?limit=N&after=ID (OpenRouter: cursor=ID): newest first; no poll. */
void batch_list(struct request *r) {
  int bare = r->form == FORM_OPENROUTER, gone = 0;
  const char *after =
      MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, bare ? "cursor" : "after");
  long limit = query_number(r, "limit", 20, 100);
  cJSON *j = cJSON_CreateObject(), *list;
  cJSON_AddStringToObject(j, "object", "list");
  list = cJSON_AddArrayToObject(j, "data");
  job_tick();
  job_lock();
  struct job *b = after && *after ? job_find(after, r->form, &gone) : NULL;
  b = after && *after && !b ? NULL : job_next(b, r->form);
  b = plan_gone(GONE_NOT) || plan_gone(GONE_ARCHIVED) ? b : NULL;
  for (limit = limit ? limit : 20; b && limit > 0; b = job_next(b, r->form)) {
    if (job_listed(b)) {
      cJSON_AddItemToArray(list, batch_json(b));
      limit--;
    }
  }
  int more = b != NULL;
  job_unlock();
  const cJSON *first = list->child, *last = first ? first->prev : NULL;
  json_add_text(j, "first_id", first ? json_text(first, "id") : "");
  json_add_text(j, "last_id", last ? json_text(last, "id") : "");
  cJSON_AddBoolToObject(j, "has_more", more);
  if (bare) {
    json_add_text(j, "next_cursor", more && last ? json_text(last, "id") : NULL);
  }
  reply_json(&r->reply, 200, j);
}

/* GET /api/v1/batches/{id}/results?cursor=C: a page of OpenRouter's. */
void batch_results(struct request *r) {
  int64_t from = query_number(r, "cursor", 0, 1000000), next;
  int64_t limit = query_number(r, "limit", PAGE_RESULTS, 1000000);
  int gone;
  struct buf *out = &r->reply.body;
  if (r->form != FORM_OPENROUTER) {
    reply_error(r, 404, NULL, NULL, NULL, "Invalid URL");
    return;
  }
  job_lock();
  struct job *b = job_find(r->id, r->form, &gone);
  if (b && job_over(b) && plan_gone(GONE_NOT)) {
    r->reply.status = 200;
    buf_str(out, "{\"object\":\"list\",\"data\":[");
    add_elements(out, b, from, limit, &next);
    buf_printf(out, "],\"has_more\":%s,\"next_cursor\":", next ? "true" : "false");
    buf_printf(out, next ? "\"%lld\"}" : "null}", (long long)next);
  } else if (b && !job_over(b)) {
    reply_error(r, 409, NULL, NULL, NULL, "The batch is still in progress.");
  } else {
    reply_batch(r, NULL);
  }
  job_unlock();
}

/* DELETE /api/v1/batches/{id}: OpenRouter's, once it is over. */
void batch_delete(struct request *r) {
  int gone;
  if (r->form != FORM_OPENROUTER) {
    reply_error(r, 405, NULL, NULL, NULL, "Method Not Allowed");
    return;
  }
  job_lock();
  struct job *b = job_find(r->id, r->form, &gone);
  if (b && !job_over(b)) {
    reply_error(r, 409, NULL, NULL, NULL, "The batch is still in progress.");
  } else if (b) {
    job_delete(b);
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "id", r->id);
    cJSON_AddTrueToObject(j, "deleted");
    reply_json(&r->reply, 200, j);
  } else {
    reply_batch(r, NULL);
  }
  job_unlock();
}
