/*
** route.c: one HTTP request from its first byte to its answer.
**
** The order of things, the same for all: the body is collected; /standin/ pages are served by
** admin.c and counted nowhere; the path is cleaned (a leading /s/NAME names a scenario;
** OpenRouter's, Gemini's, Groq's and Azure's prefixes become /v1); the route is looked up; key, version
** header, content type and JSON are checked; the scenario is chosen (header, path, model suffix,
** default); the body is checked; a rate limit may refuse (rate.c); the latency is slept; a fault
** that strikes before any work answers, or the route runs, which may bill; the reply is mangled as
** the scenario wants; the journal gets its line; the reply is delivered.
**
** So a malformed request is refused as such in every scenario, and money is counted before the
** client can see, or miss, a byte of the answer.
*/
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* FREE_SHAPE: both providers have the path; LIMITED: rate limits are of these requests */
enum flag { JSON_BODY = 1, FREE_SHAPE = 2, LIMITED = 4 };

struct route {
  const char *method, *path; /* '*' stands for one path segment: the id */
  enum api api;
  int flags;
  int (*check)(struct request *);
  void (*run)(struct request *);
  enum step step;
};

static const struct route aRoute[] = {
    {"POST", "/v1/chat/completions", API_OPENAI, JSON_BODY | LIMITED, openai_check, openai_run,
     STEP_NONE},
    {"POST", "/v1/embeddings", API_OPENAI, JSON_BODY | LIMITED, embed_check, embed_run, STEP_NONE},
    {"GET", "/v1/models", API_OPENAI, FREE_SHAPE, NULL, models_run, STEP_NONE},
    {"POST", "/v1/files", API_OPENAI, 0, files_check, files_create, STEP_UPLOAD},
    {"GET", "/v1/files", API_OPENAI, 0, NULL, files_list, STEP_LIST_FILES},
    {"GET", "/v1/files/*", API_OPENAI, 0, NULL, files_get, STEP_GET_FILE},
    {"DELETE", "/v1/files/*", API_OPENAI, 0, NULL, files_delete, STEP_DELETE_FILE},
    {"GET", "/v1/files/*/content", API_OPENAI, 0, NULL, files_content, STEP_RESULTS},
    {"POST", "/v1/batches", API_OPENAI, JSON_BODY, batch_check, batch_create, STEP_CREATE},
    {"GET", "/v1/batches", API_OPENAI, 0, NULL, batch_list, STEP_LIST},
    {"GET", "/v1/batches/*", API_OPENAI, 0, NULL, batch_get, STEP_GET},
    {"POST", "/v1/batches/*/cancel", API_OPENAI, 0, NULL, batch_cancel, STEP_CANCEL},
    {"GET", "/v1/batches/*/results", API_OPENAI, 0, NULL, batch_results, STEP_RESULTS},
    {"DELETE", "/v1/batches/*", API_OPENAI, 0, NULL, batch_delete, STEP_DELETE},
    {"POST", "/v1/batch/jobs", API_OPENAI, JSON_BODY, mistral_check, mistral_create, STEP_CREATE},
    {"GET", "/v1/batch/jobs", API_OPENAI, 0, NULL, mistral_list, STEP_LIST},
    {"GET", "/v1/batch/jobs/*", API_OPENAI, 0, NULL, mistral_get, STEP_GET},
    {"POST", "/v1/batch/jobs/*/cancel", API_OPENAI, 0, NULL, mistral_cancel, STEP_CANCEL},
    {"DELETE", "/v1/batch/jobs/*", API_OPENAI, 0, NULL, mistral_delete, STEP_DELETE},
    {"POST", "/v1/messages", API_ANTHROPIC, JSON_BODY | LIMITED, anthropic_check, anthropic_run,
     STEP_NONE},
    {"POST", "/v1/messages/count_tokens", API_ANTHROPIC, JSON_BODY, count_check, count_run,
     STEP_NONE},
    {"POST", "/v1/messages/batches", API_ANTHROPIC, JSON_BODY, message_batch_check,
     message_batch_create, STEP_CREATE},
    {"GET", "/v1/messages/batches", API_ANTHROPIC, 0, NULL, message_batch_list, STEP_LIST},
    {"GET", "/v1/messages/batches/*", API_ANTHROPIC, 0, NULL, message_batch_get, STEP_GET},
    {"GET", "/v1/messages/batches/*/results", API_ANTHROPIC, 0, NULL, message_batch_results,
     STEP_RESULTS},
    {"POST", "/v1/messages/batches/*/cancel", API_ANTHROPIC, 0, NULL, message_batch_cancel,
     STEP_CANCEL},
    {"DELETE", "/v1/messages/batches/*", API_ANTHROPIC, 0, NULL, message_batch_delete, STEP_DELETE},
};
#define ROUTES (sizeof aRoute / sizeof aRoute[0])

/* A request header, borrowed; NULL when there is none. */
const char *request_header(const struct request *r, const char *name) {
  return MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, name);
}

/* Answers with JSON. Takes body. */
void reply_json(struct reply *p, int status, cJSON *body) {
  p->status = status;
  p->type = "application/json";
  p->body.n = 0;
  buf_json(&p->body, body);
  cJSON_Delete(body);
}

/* Adds a response header; silently not when there are too many. */
void reply_header(struct reply *p, const char *name, const char *value) {
  if (p->headers >= (int)(sizeof p->header / sizeof p->header[0])) {
    return;
  }
  struct header *h = &p->header[p->headers++];
  copy_name(h->name, sizeof h->name, name);
  copy_name(h->value, sizeof h->value, value);
}

/* Answers with an error in the provider's shape. type, code and param may be NULL. */
void reply_error(struct request *r, int status, const char *type, const char *code,
                 const char *param, const char *message) {
  if (r->api == API_ANTHROPIC) {
    reply_json(&r->reply, status, error_anthropic(status, type, NULL, message));
  } else {
    reply_json(&r->reply, status,
               error_openai(type ? type : "invalid_request_error", code, param, message));
  }
}

/* 1 when path fits the pattern; the segment under '*' goes to id. */
static int path_fits(const char *pattern, const char *path, char *id, size_t cap) {
  const char *star = strchr(pattern, '*');
  if (!star) {
    return strcmp(pattern, path) == 0;
  }
  size_t before = (size_t)(star - pattern);
  if (strncmp(pattern, path, before) != 0) {
    return 0;
  }
  size_t n = strcspn(path + before, "/");
  if (n == 0 || n >= cap || strcmp(path + before + n, star + 1) != 0) {
    return 0;
  }
  memcpy(id, path + before, n);
  id[n] = 0;
  return 1;
}

/* The route of a request. *known = 1 when the path exists with another method. */
static const struct route *route_find(struct request *r, int *known) {
  const struct route *other = NULL;
  char id[sizeof r->id];
  *known = 0;
  for (size_t i = 0; i < ROUTES; i++) {
    if (!path_fits(aRoute[i].path, r->path, id, sizeof id)) {
      continue;
    }
    if (strcmp(aRoute[i].method, r->method) == 0) {
      if (strchr(aRoute[i].path, '*')) {
        copy_name(r->id, sizeof r->id, id);
      }
      return &aRoute[i];
    }
    other = &aRoute[i];
  }
  *known = other != NULL;
  return NULL;
}

/* Cuts /s/NAME off the path (NAME goes to name, "" when none) and unifies the API prefixes. */
static void clean_path(struct request *r, char *name, size_t cap) {
  static const struct {
    const char *prefix;
    enum form form;
    int dated; /* wants ?api-version= */
  } aPrefix[] = {{"/api/v1/", FORM_OPENROUTER, 0},     {"/api/beta/", FORM_OPENROUTER, 0},
                 {"/azure/openai/v1/", FORM_AZURE, 0}, {"/azure/openai/", FORM_AZURE, 1},
                 {"/azure/v1/", FORM_AZURE, 0},        {"/openai/v1/", FORM_GROQ, 0},
                 {"/v1beta/openai/", FORM_OPENAI, 0},  {"/openai/", FORM_AZURE, 1}};
  r->path = r->raw_path;
  name[0] = 0;
  if (strncmp(r->path, "/s/", 3) == 0) {
    size_t n = strcspn(r->path + 3, "/");
    if (n < cap) {
      memcpy(name, r->path + 3, n);
      name[n] = 0;
    }
    r->path += 3 + n;
  }
  for (size_t i = 0; i < sizeof aPrefix / sizeof aPrefix[0]; i++) {
    size_t n = strlen(aPrefix[i].prefix);
    if (strncmp(r->path, aPrefix[i].prefix, n) != 0) {
      continue;
    }
    char *at = r->raw_path + (r->path - r->raw_path) + n - 4; /* room for "/v1/" */
    memcpy(at, "/v1/", 4);
    r->path = at;
    r->form = aPrefix[i].form;
    r->dated = aPrefix[i].dated;
    return;
  }
}

/* Reads the key. Stores its last 4 characters; the key itself goes nowhere. */
static void read_key(struct request *r) {
  const char *key = request_header(r, r->api == API_ANTHROPIC ? "x-api-key" : "Authorization");
  const char *azure = request_header(r, "api-key");
  if (r->api == API_OPENAI) {
    key = key && strncasecmp(key, "Bearer ", 7) == 0 ? key + 7 : NULL;
  }
  if (r->api == API_OPENAI && azure && (!key || r->form == FORM_AZURE)) {
    key = azure;
    r->form = FORM_AZURE;
  }
  key = key ? key + strspn(key, " ") : "";
  size_t n = strlen(key);
  r->has_key = n > 0;
  copy_name(r->key_tail, sizeof r->key_tail, n > 4 ? key + n - 4 : "");
  if (n > 0 && strstr(key, "invalid")) {
    r->has_key = -1;
  }
}

/* Refuses a request without a key, or with a key that says it's invalid. */
static int check_key(struct request *r) {
  if (r->has_key == 1) {
    return 0;
  }
  if (r->api == API_ANTHROPIC) {
    reply_error(r, 401, NULL, NULL, NULL,
                r->has_key ? "invalid x-api-key" : "x-api-key header is required");
  } else {
    reply_error(r, 401, NULL, "invalid_api_key", NULL,
                r->has_key
                    ? "Incorrect API key provided."
                    : "You didn't provide an API key. You need to provide your API key in an "
                      "Authorization header using Bearer auth.");
  }
  return 401;
}

/* Version header and content type. Returns 0 when fine. */
static int check_headers(struct request *r, const struct route *route) {
  const char *type = request_header(r, "Content-Type");
  if (r->api == API_ANTHROPIC && !request_header(r, "anthropic-version")) {
    reply_error(r, 400, NULL, NULL, NULL, "anthropic-version: header is required");
    return 400;
  }
  if (route->flags & JSON_BODY && (!type || strncasecmp(type, "application/json", 16) != 0)) {
    reply_error(r, 415, NULL, "unsupported_content_type", NULL,
                "Unsupported content type: this API method only accepts 'application/json' "
                "requests.");
    return 415;
  }
  return 0;
}

/* Size, UTF-8 and JSON of the body. Returns 0 when fine; r->json is set for routes that want it. */
static int check_body(struct request *r, const struct route *route) {
  size_t max = r->api == API_ANTHROPIC ? ANTHROPIC_BODY_MAX : BODY_MAX;
  if (r->too_large || r->body.n > max) {
    reply_error(r, 413, NULL, "request_too_large", NULL,
                "Request exceeds the maximum allowed number of bytes.");
    return 413;
  }
  if (!(route->flags & JSON_BODY)) {
    return 0;
  }
  if (utf8_valid(r->body.p, r->body.n)) {
    r->json = json_strict(r->body.p, r->body.n);
  }
  if (r->json) {
    return 0;
  }
  reply_error(
      r, 400, NULL, NULL, NULL,
      r->api == API_ANTHROPIC
          ? "The request body is not valid JSON"
          : "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly. The OpenAI API expects a JSON "
            "payload, but what was sent was not valid JSON.)");
  return 400;
}

/* Cuts a known "@scenario" off the model's name. Returns 1 when there was one. Other names with
** "@" are left as they are: some providers use it for versions. */
int model_scenario(cJSON *req, struct choice *out) {
  cJSON *m = cJSON_GetObjectItemCaseSensitive(req, "model");
  char *at = cJSON_IsString(m) ? strrchr(m->valuestring, '@') : NULL;
  if (!at || !scenario_find(at + 1, out)) {
    return 0;
  }
  *at = 0;
  return 1;
}

/* Chooses the scenario: header, path, model suffix, default. Returns 0 when fine. */
static int choose(struct request *r, const char *in_path) {
  const char *name = request_header(r, "X-Standin-Scenario");
  struct choice of_model;
  char text[128];
  if (!name) {
    name = *in_path ? in_path : NULL;
  }
  int has_model = r->json && model_scenario(r->json, &of_model);
  if (!name && has_model) {
    r->choice = of_model;
  } else if (!name) {
    scenario_default_get(&r->choice);
  } else if (!scenario_find(name, &r->choice)) {
    scenario_find("ok", &r->choice);
    snprintf(text, sizeof text, "standin: no scenario is named '%.64s'", name);
    reply_error(r, 400, NULL, "unknown_scenario", NULL, text);
    return 400;
  }
  return 0;
}

/* Bytes of the body that are the question. Of one that is told what was wrong with an answer (wrong-schema), those
** before that answer: it is the same question. */
static size_t question_bytes(const struct request *r) {
  const char *told = r->choice.row && r->choice.row->fault == FT_WRONG_SCHEMA
                         ? memmem(r->body.p, r->body.n, "\"}],\"", 5)
                         : NULL;
  const char *said = told ? memmem(r->body.p, r->body.n, "\"},{\"role\":\"assistant\"", 22) : NULL;
  told = said && said < told ? said : told;
  return told ? (size_t)(told - r->body.p) : r->body.n;
}

/* Waits, strikes, and runs the route. */
static void produce(struct request *r, const struct route *route) {
  uint64_t h = hash_bytes(r->path, strlen(r->path), 5);
  h = hash_bytes(r->body.p, question_bytes(r), h);
  r->wait_ms = latency_ms(&r->choice, h);
  if (r->wait_ms > 0) {
    deliver_sleep(r->wait_ms);
  }
  r->fault = r->struck ? r->choice.row->fault : scenario_strike(&r->choice, h);
  if (r->fault >= FT_HTTP && r->fault <= FT_LAST_UNBILLED) {
    deliver_unbilled(r);
    return;
  }
  route->run(r);
  if (route->step == STEP_RESULTS) {
    plan_deliver(r);
  }
  deliver_mangle(r);
}

/* Recognises, refuses or answers a provider request. */
static void answer(struct request *r) {
  char in_path[NAME_MAX_LEN];
  int known;
  clean_path(r, in_path, sizeof in_path);
  const struct route *route = route_find(r, &known);
  if (strncmp(r->path, "/v1/batch/jobs", 14) == 0) {
    r->form = FORM_MISTRAL;
  }
  r->api = route                                       ? route->api
           : strncmp(r->path, "/v1/messages", 12) == 0 ? API_ANTHROPIC
                                                       : API_OPENAI;
  if (route && route->flags & FREE_SHAPE && request_header(r, "anthropic-version")) {
    r->api = API_ANTHROPIC;
  }
  read_key(r);
  scenario_find("ok", &r->choice);
  if (!route) {
    reply_error(r, known ? 405 : 404, NULL, NULL, NULL,
                known ? "Method Not Allowed" : "Invalid URL");
    return;
  }
  if (r->dated && !MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "api-version")) {
    reply_error(r, 404, NULL, "404", NULL, "Resource not found");
    return;
  }
  struct choice of_step;
  r->struck = route->step != STEP_NONE && plan_strike(route->step, &of_step);
  int sends = route->step == STEP_UPLOAD || route->step == STEP_CREATE;
  if (check_key(r) || (sends && plan_too_large(r)) || check_headers(r, route) ||
      check_body(r, route) || choose(r, in_path)) {
    return;
  }
  if (r->struck) {
    r->choice = of_step;
  }
  if (route->check && route->check(r)) {
    return;
  }
  r->checked = 1;
  if (route->flags & LIMITED && rate_refuse(r)) {
    return;
  }
  produce(r, route);
}

/* The last user message of a well-formed request that nothing answered, into p. */
static void read_prompt(const struct request *r, struct prompt *p) {
  const char *model = json_text(r->json, "model");
  if (!r->checked || !model || !cJSON_GetObjectItemCaseSensitive(r->json, "messages")) {
    return;
  }
  if (r->api == API_ANTHROPIC) {
    prompt_anthropic(p, r->json, model);
  } else {
    prompt_openai(p, r->json, model);
  }
}

/* The journal's line for a request. */
static void journal(struct request *r) {
  const struct outcome *o = r->reply.outcome;
  struct prompt unanswered = {0};
  int sent = r->reply.delivery <= D_LAST_ANSWER;
  struct event e = {.path = r->path,
                    .scenario = r->choice.name,
                    .client_id = r->client_id[0] ? r->client_id : NULL,
                    .key_tail = r->key_tail,
                    .has_key = r->has_key != 0,
                    .status = sent ? r->reply.status : 0,
                    .at_ms = r->arrived_unix,
                    .wait_ms = r->wait_ms,
                    .model = json_text(r->json, "model")};
  char *prompt = NULL;
  if (o && r->reply.billed) {
    e.billed = 1;
    e.model = o->model;
    e.use = o->use;
    e.nusd = o->nusd;
  } else {
    read_prompt(r, &unanswered);
  }
  const struct buf *user = e.billed ? &o->prompt.user : &unanswered.user;
  if (user->p || e.billed) {
    prompt = dup_n(user->p ? user->p : "", utf8_fit(user->p, user->n, PROMPT_BYTES));
    e.prompt = prompt;
    e.prompt_hash = hash_bytes(user->p, user->n, 0);
  }
  bill_add(&e);
  free(prompt);
  prompt_free(&unanswered);
}

/* The header by which each provider names a request. */
static void add_request_id(struct request *r) {
  char id[40];
  snprintf(id, sizeof id, "req_standin%016llx", (unsigned long long)next_id());
  reply_header(&r->reply, r->api == API_ANTHROPIC ? "request-id" : "x-request-id", id);
}

/* A complete request. */
static enum MHD_Result serve(struct request *r) {
  if (admin_handle(r)) {
    return deliver_send(r);
  }
  const char *client = request_header(r, "X-Client-Request-Id");
  copy_name(r->client_id, sizeof r->client_id, client ? client : "");
  r->arrived = now_ms();
  r->arrived_unix = unix_ms();
  bill_request();
  admin_remember(r);
  rate_present(1);
  answer(r);
  add_request_id(r);
  journal(r);
  enum MHD_Result sent = deliver_send(r);
  rate_present(-1);
  return sent;
}

/* The daemon's access handler: called for the header, for each piece of the body, and at the
** end. */
enum MHD_Result route_handle(void *cls, struct MHD_Connection *conn, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **state) {
  struct request *r = *state;
  (void)cls;
  (void)version;
  if (!r) {
    r = need(calloc(1, sizeof *r));
    r->conn = conn;
    r->method = method;
    r->raw_path = dup_n(url, strlen(url));
    r->path = r->raw_path;
    *state = r;
    return MHD_YES;
  }
  if (*size == 0) {
    return serve(r);
  }
  if (r->body.n + *size > BODY_MAX) {
    r->too_large = 1;
  } else {
    buf_add(&r->body, data, *size);
  }
  *size = 0;
  return MHD_YES;
}

/* The daemon's notice that a request is over. */
void route_done(void *cls, struct MHD_Connection *conn, void **state,
                enum MHD_RequestTerminationCode why) {
  struct request *r = *state;
  (void)cls;
  (void)conn;
  (void)why;
  if (!r) {
    return;
  }
  outcome_free(r->reply.outcome);
  free(r->reply.outcome);
  buf_free(&r->reply.body);
  buf_free(&r->body);
  cJSON_Delete(r->json);
  free(r->raw_path);
  free(r);
  *state = NULL;
}
