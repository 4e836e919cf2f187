/*
** batch.c: OpenAI's /v1/batches; and what both providers' batches share: when they are due, how a
** line is answered and billed.
**
** A batch is accepted whatever its file holds, as OpenAI does: creating it answers 200,
** "validating", and a bad file shows up at the first poll as status "failed". The life of a good
** one: the first poll says in_progress, the second (POST /standin/batch changes the number) or an
** age of 10 s completes it. All lines are answered and billed, at half price, in that moment;
** looking at the bill completes what is due by age too, so money never hides in a batch that nobody
** polls.
**
** Output lines come in reverse order, since the provider promises none. Lines with a bad body, and
** lines whose model names a refusing scenario, go to the error file. Expired and cancelled batches
** have finished, and bill, the first half of their lines (a batch cancelled before its first poll:
** none).
**
** Locking: one lock for the list; answering lines takes the locks of files and bill inside it.
*/
#include "standin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLLS_DEFAULT 2
#define AGE_DEFAULT_MS 10000
#define ERRORS_SHOWN 100 /* of a bad file's lines */

enum state {
  B_VALIDATING,
  B_IN_PROGRESS,
  B_COMPLETED,
  B_FAILED,
  B_EXPIRED,
  B_CANCELLING,
  B_CANCELLED
};
static const char *const aState[] = {"validating", "in_progress", "completed", "failed",
                                     "expired",    "cancelling",  "cancelled"};

struct batch {
  char id[48], input[64], output[64], error[64], endpoint[64], window[16];
  struct origin from;
  enum state state;
  cJSON *metadata, *errors; /* owned; NULL = none */
  struct buf lines;         /* the input file */
  int64_t polls, created_ms, total, completed, failed;
  time_t at[B_CANCELLED + 1]; /* when each state began */
  struct usage use;
  struct batch *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct batch *batches; /* newest first */
static int64_t pace_polls = POLLS_DEFAULT, pace_ms = AGE_DEFAULT_MS;

/* ---- shared with message batches ---- */

/* Sets after how many polls, or at what age, batches complete; -1 leaves a value. */
void batch_pace_set(int64_t polls, int64_t ms) {
  if (polls >= 0) {
    __atomic_store_n(&pace_polls, polls, __ATOMIC_RELAXED);
  }
  if (ms >= 0) {
    __atomic_store_n(&pace_ms, ms, __ATOMIC_RELAXED);
  }
}

/* 1 when a batch of so many polls and that birth time should be complete. */
int batch_due(int64_t polls, int64_t created_ms) {
  return (polls > 0 && polls >= __atomic_load_n(&pace_polls, __ATOMIC_RELAXED)) ||
         now_ms() - created_ms >= __atomic_load_n(&pace_ms, __ATOMIC_RELAXED);
}

/* Notes who makes a batch; its scenario is the request's, else the first line's batch scenario. */
void batch_origin(const struct request *r, cJSON *first_body, struct origin *o) {
  struct choice c;
  memset(o, 0, sizeof *o);
  copy_name(o->client_id, sizeof o->client_id, r->client_id);
  copy_name(o->key_tail, sizeof o->key_tail, r->key_tail);
  copy_name(o->scenario, sizeof o->scenario, r->choice.name);
  o->fault = r->fault;
  const char *model = json_text(first_body, "model");
  const char *at = model ? strrchr(model, '@') : NULL;
  if (o->fault == FT_OK && at && scenario_find(at + 1, &c) && c.row->fault >= FT_BATCH_LIMIT) {
    copy_name(o->scenario, sizeof o->scenario, c.name);
    o->fault = c.row->fault;
  }
}

/* Bills one answered line, and journals it under the batch's id. */
void batch_bill(const char *path, const char *batch, const struct origin *from,
                const struct outcome *o) {
  const struct buf *user = &o->prompt.user;
  char *prompt = dup_n(user->p ? user->p : "", utf8_fit(user->p, user->n, PROMPT_BYTES));
  struct event e = {.path = path,
                    .batch = batch,
                    .model = o->model,
                    .scenario = from->scenario,
                    .client_id = from->client_id[0] ? from->client_id : NULL,
                    .key_tail = from->key_tail,
                    .prompt = prompt,
                    .prompt_hash = hash_bytes(user->p, user->n, 0),
                    .status = 200,
                    .billed = 1,
                    .has_key = 1,
                    .use = o->use,
                    .nusd = o->nusd};
  bill_add(&e);
  free(prompt);
}

/* An error in the provider's shape, for one line. */
static int line_error(enum api api, int status, const char *message, cJSON **body) {
  *body = api == API_ANTHROPIC ? error_anthropic(status, NULL, NULL, message)
                               : error_openai("server_error", NULL, NULL, message);
  return status;
}

/* The fault of one line; a refusing one fills *status and *body. */
static enum fault line_fault(cJSON *req, int i, const struct origin *from, enum api api,
                             int *status, cJSON **body) {
  struct choice c;
  enum fault f = from->fault;
  if (model_scenario(req, &c)) {
    struct buf b = {0};
    buf_json(&b, req);
    f = c.row->fault >= FT_BATCH_LIMIT ? from->fault : scenario_strike(&c, hash_bytes(b.p, b.n, 6));
    buf_free(&b);
    if (f == FT_HTTP) {
      *status = scenario_error(c.row, api, body);
    } else if (f > FT_HTTP && f <= FT_LAST_UNBILLED) {
      *status = line_error(api, 500, "The request failed.", body);
    }
  }
  if (f == FT_BATCH_ERRORS && i % 3 == 0) {
    *status = line_error(api, 500, "The server had an error while processing this line.", body);
  }
  return f == FT_NUL || f == FT_BAD_UTF8 || (f >= FT_LENGTH && f < FT_BATCH_LIMIT) ? f : FT_OK;
}

/* Answers line i at half price; see standin.h. */
int batch_line(cJSON *req, int i, const struct origin *from, enum api api, const char *path,
               struct outcome *o, cJSON **body) {
  int status = 0;
  enum fault f = line_fault(req, i, from, api, &status, body);
  if (status) {
    return status;
  }
  if (api == API_ANTHROPIC) {
    return anthropic_answer(req, f, 1, o, body);
  }
  if (strcmp(path, "/v1/embeddings") == 0) {
    return embed_answer(req, f, 1, o, body);
  }
  return openai_answer(req, f, 1, o, body);
}

/* ---- the file ---- */

/* The next line of the input, without its end; skips empty ones. NULL at the end. */
static const char *line_next(const struct buf *b, size_t *at, size_t *n) {
  while (*at < b->n) {
    const char *p = b->p + *at, *end = memchr(p, '\n', b->n - *at);
    *n = end ? (size_t)(end - p) : b->n - *at;
    *at += *n + 1;
    while (*n && (p[*n - 1] == '\r' || p[*n - 1] == ' ')) {
      --*n;
    }
    if (*n) {
      return p;
    }
  }
  return NULL;
}

/* Notes why the batch will fail; line 0 = the whole file. */
static void add_error(struct batch *b, const char *code, int64_t line, const char *message) {
  if (!b->errors) {
    b->errors = cJSON_CreateArray();
  }
  if (cJSON_GetArraySize(b->errors) >= ERRORS_SHOWN) {
    return;
  }
  cJSON *e = cJSON_CreateObject();
  cJSON_AddStringToObject(e, "code", code);
  if (line) {
    cJSON_AddNumberToObject(e, "line", (double)line);
  } else {
    cJSON_AddNullToObject(e, "line");
  }
  cJSON_AddStringToObject(e, "message", message);
  cJSON_AddNullToObject(e, "param");
  cJSON_AddItemToArray(b->errors, e);
}

/* Bytes of a model's name before the scenario. */
static size_t model_len(const char *model) {
  const char *at = strrchr(model, '@');
  return at ? (size_t)(at - model) : strlen(model);
}

/* Looks at one line. ids holds the custom_ids seen, model the first line's model. */
static void check_line(struct batch *b, const cJSON *j, struct map *ids, char *model, size_t cap) {
  const char *id = json_text(j, "custom_id"), *method = json_text(j, "method");
  const char *url = json_text(j, "url"), *m = json_text(json_get(j, "body"), "model");
  if (!j) {
    add_error(b, "invalid_json_line", b->total, "This line is not parseable as valid JSON.");
    return;
  }
  if (!id || !*id || !method || !url || !cJSON_IsObject(json_get(j, "body"))) {
    add_error(b, "missing_required_parameter", b->total,
              "Each line needs custom_id, method, url and body.");
    return;
  }
  if (map_add(ids, hash_bytes(id, strlen(id), 7), 1) > 1) {
    add_error(b, "duplicate_custom_id", b->total,
              "The custom_id for this request is a duplicate of another request. The custom_id "
              "parameter must be unique for each request in a batch.");
  }
  if (strcmp(method, "POST") != 0) {
    add_error(b, "invalid_method", b->total, "The method must be POST.");
  }
  if (strcmp(url, b->endpoint) != 0) {
    add_error(b, "invalid_url", b->total,
              "The URL provided for this request does not match the batch endpoint.");
  }
  if (!m) {
    return;
  }
  if (!*model) {
    snprintf(model, cap, "%.*s", (int)model_len(m), m);
  } else if (strlen(model) != model_len(m) || strncmp(model, m, strlen(model)) != 0) {
    add_error(b, "mismatched_model", b->total,
              "All requests of a batch must be for the same model.");
  }
}

/* Looks at the whole file: counts lines, and notes what is wrong in b->errors. */
static void check_file(struct batch *b) {
  struct map ids = {0};
  char model[MODEL_MAX] = "";
  size_t at = 0, n;
  const char *line;
  while ((line = line_next(&b->lines, &at, &n))) {
    cJSON *j = utf8_valid(line, n) ? json_strict(line, n) : NULL;
    b->total++;
    check_line(b, j, &ids, model, sizeof model);
    cJSON_Delete(j);
  }
  if (b->total == 0) {
    add_error(b, "empty_file", 0, "The input file is empty.");
  }
  if (b->total > OPENAI_BATCH_MAX) {
    add_error(b, "too_many_tasks", 0,
              "The batch input file contains too many requests. The limit is 50,000.");
  }
  if (b->from.fault == FT_BATCH_LIMIT) {
    add_error(b, "token_limit_exceeded", 0,
              "Enqueued token limit reached for this model in organization org-standin. Please try "
              "again once some in_progress batches have been completed.");
  }
  map_free(&ids);
}

/* ---- running it ---- */

/* What running a batch fills. */
struct run {
  struct batch *b;
  struct buf *line; /* one entry per output line */
  int64_t lines;
  struct buf error;
  int64_t index, finished; /* lines from "finished" on are left undone */
};

/* How lines end in the output. */
static const char *line_end(const struct run *run) {
  return run->b->from.fault == FT_BATCH_CRLF ? "\r\n" : "\n";
}

/* One line of the output or error file, into out. Takes body; NULL body = an undone line. */
static void write_line(struct run *run, struct buf *out, const char *id, int status, cJSON *body) {
  char text[64];
  cJSON *j = cJSON_CreateObject();
  snprintf(text, sizeof text, "batch_req_standin%016llx", (unsigned long long)next_id());
  cJSON_AddStringToObject(j, "id", text);
  cJSON_AddStringToObject(j, "custom_id", id);
  if (body) {
    cJSON *r = cJSON_AddObjectToObject(j, "response");
    cJSON_AddNumberToObject(r, "status_code", status);
    snprintf(text, sizeof text, "req_standin%016llx", (unsigned long long)next_id());
    cJSON_AddStringToObject(r, "request_id", text);
    cJSON_AddItemToObject(r, "body", body);
    cJSON_AddNullToObject(j, "error");
  } else {
    int expired = run->b->from.fault == FT_BATCH_EXPIRED;
    cJSON_AddNullToObject(j, "response");
    cJSON *e = cJSON_AddObjectToObject(j, "error");
    cJSON_AddStringToObject(e, "code", expired ? "batch_expired" : "batch_cancelled");
    cJSON_AddStringToObject(e, "message",
                            expired ? "This request could not be executed before the completion "
                                      "window expired."
                                    : "This request was cancelled.");
  }
  buf_json(out, j);
  buf_str(out, line_end(run));
  cJSON_Delete(j);
}

/* Appends an output line; batch-ids doubles the first, drops the second and invents a third. */
static void keep_line(struct run *run, const char *id, const cJSON *body, enum fault line_fault) {
  int ids = run->b->from.fault == FT_BATCH_IDS;
  int copies = !ids ? 1 : run->index == 0 ? 3 : run->index == 1 ? 0 : 1;
  for (int i = 0; i < copies; i++) {
    struct buf out = {0};
    write_line(run, &out, i == 2 ? "unknown-custom-id" : id, 200, cJSON_Duplicate(body, 1));
    deliver_marker(&out, line_fault);
    run->line[run->lines++] = out;
  }
}

/* Answers and bills one line. */
static void run_line(struct run *run, cJSON *j) {
  struct batch *b = run->b;
  struct outcome o = {0};
  struct choice c;
  cJSON *req = cJSON_GetObjectItemCaseSensitive(j, "body"), *body = NULL;
  const char *id = json_text(j, "custom_id"), *model = json_text(req, "model");
  enum fault mark = b->from.fault;
  const char *at = model ? strrchr(model, '@') : NULL;
  if (at && scenario_find(at + 1, &c)) {
    mark = c.row->fault;
  }
  int status = batch_line(req, (int)run->index, &b->from, API_OPENAI, b->endpoint, &o, &body);
  if (status == 200) {
    batch_bill(b->endpoint, b->id, &b->from, &o);
    b->completed++;
    b->use.fresh += o.use.fresh;
    b->use.cached += o.use.cached;
    b->use.output += o.use.output;
    keep_line(run, id, body, mark);
    cJSON_Delete(body);
  } else {
    b->failed++;
    write_line(run, &run->error, id, status, body);
  }
  outcome_free(&o);
}

/* Answers the lines that finish and stores the two files. */
static void run_lines(struct batch *b, int64_t finished) {
  struct run run = {.b = b, .finished = finished};
  struct buf all = {0};
  size_t at = 0, n;
  const char *line;
  run.line = need(calloc((size_t)b->total + 3, sizeof *run.line));
  for (; (line = line_next(&b->lines, &at, &n)); run.index++) {
    cJSON *j = json_strict(line, n);
    if (run.index < run.finished) {
      run_line(&run, j);
    } else {
      b->failed++;
      write_line(&run, &run.error, json_text(j, "custom_id"), 0, NULL);
    }
    cJSON_Delete(j);
  }
  while (run.lines) {
    struct buf *out = &run.line[--run.lines];
    buf_add(&all, out->p, out->n);
    buf_free(out);
  }
  if (all.n && b->from.fault == FT_BATCH_CRLF) {
    buf_str(&all, "\r\n");
  }
  if (all.n) {
    files_add("batch_output", "output.jsonl", &all, b->output, sizeof b->output);
  }
  if (run.error.n) {
    files_add("batch_output", "error.jsonl", &run.error, b->error, sizeof b->error);
  }
  free(run.line);
}

/* Changes the state and notes when. */
static void enter(struct batch *b, enum state s) {
  b->state = s;
  b->at[s] = time(NULL);
}

/* Takes a batch as far as it should be by now. Caller holds the lock. */
static void advance(struct batch *b) {
  int due = batch_due(b->polls, b->created_ms);
  if (b->state == B_CANCELLING && (due || b->polls)) {
    run_lines(b, b->at[B_IN_PROGRESS] ? (b->total + 1) / 2 : 0);
    enter(b, B_CANCELLED);
  }
  if (b->state == B_VALIDATING && (b->polls || due)) {
    enter(b, b->errors ? B_FAILED : B_IN_PROGRESS);
  }
  if (b->state != B_IN_PROGRESS || !due) {
    return;
  }
  int expired = b->from.fault == FT_BATCH_EXPIRED;
  run_lines(b, expired ? (b->total + 1) / 2 : b->total);
  enter(b, expired ? B_EXPIRED : B_COMPLETED);
}

/* Completes what is due by its age. */
void batch_tick(void) {
  pthread_mutex_lock(&lock);
  for (struct batch *b = batches; b; b = b->next) {
    advance(b);
  }
  pthread_mutex_unlock(&lock);
}

/* ---- the API ---- */

/* Adds a time in seconds, or null. */
static void add_time(cJSON *o, const char *key, time_t t) {
  if (t) {
    cJSON_AddNumberToObject(o, key, (double)t);
  } else {
    cJSON_AddNullToObject(o, key);
  }
}

/* request_counts and usage. */
static void add_counts(cJSON *j, const struct batch *b) {
  const struct usage *u = &b->use;
  cJSON *c = cJSON_AddObjectToObject(j, "request_counts");
  cJSON_AddNumberToObject(c, "total", b->state == B_VALIDATING ? 0 : (double)b->total);
  cJSON_AddNumberToObject(c, "completed", (double)b->completed);
  cJSON_AddNumberToObject(c, "failed", (double)b->failed);
  c = cJSON_AddObjectToObject(j, "usage");
  cJSON_AddNumberToObject(c, "input_tokens", (double)(u->fresh + u->cached));
  cJSON_AddNumberToObject(cJSON_AddObjectToObject(c, "input_tokens_details"), "cached_tokens",
                          (double)u->cached);
  cJSON_AddNumberToObject(c, "output_tokens", (double)u->output);
  cJSON_AddNumberToObject(cJSON_AddObjectToObject(c, "output_tokens_details"), "reasoning_tokens",
                          0);
  cJSON_AddNumberToObject(c, "total_tokens", (double)(u->fresh + u->cached + u->output));
}

/* A batch as the API shows it, owned. */
static cJSON *batch_json(const struct batch *b) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", b->id);
  cJSON_AddStringToObject(j, "object", "batch");
  cJSON_AddStringToObject(j, "endpoint", b->endpoint);
  if (b->state == B_FAILED) {
    cJSON *e = cJSON_AddObjectToObject(j, "errors");
    cJSON_AddStringToObject(e, "object", "list");
    cJSON_AddItemToObject(e, "data", cJSON_Duplicate(b->errors, 1));
  } else {
    cJSON_AddNullToObject(j, "errors");
  }
  cJSON_AddStringToObject(j, "input_file_id", b->input);
  cJSON_AddStringToObject(j, "completion_window", b->window);
  cJSON_AddStringToObject(j, "status", aState[b->state]);
  json_add_text(j, "output_file_id", b->output);
  json_add_text(j, "error_file_id", b->error);
  cJSON_AddNumberToObject(j, "created_at", (double)b->at[B_VALIDATING]);
  add_time(j, "in_progress_at", b->at[B_IN_PROGRESS]);
  cJSON_AddNumberToObject(j, "expires_at", (double)(b->at[B_VALIDATING] + 86400));
  add_time(j, "finalizing_at", b->at[B_COMPLETED]);
  add_time(j, "completed_at", b->at[B_COMPLETED]);
  add_time(j, "failed_at", b->at[B_FAILED]);
  add_time(j, "expired_at", b->at[B_EXPIRED]);
  add_time(j, "cancelling_at", b->at[B_CANCELLING]);
  add_time(j, "cancelled_at", b->at[B_CANCELLED]);
  add_counts(j, b);
  if (b->metadata) {
    cJSON_AddItemToObject(j, "metadata", cJSON_Duplicate(b->metadata, 1));
  } else {
    cJSON_AddNullToObject(j, "metadata");
  }
  return j;
}

/* Why a create request is refused, or NULL; *param names the culprit. */
static const char *create_wrong(const cJSON *req, const char **param) {
  static const char *const aParam[] = {"input_file_id", "endpoint", "completion_window", "metadata",
                                       "output_expires_after"};
  const cJSON *m;
  const char *window = json_text(req, "completion_window"), *end = json_text(req, "endpoint");
  for (int i = 0; i < 3; i++) {
    *param = aParam[i];
    if (!json_text(req, *param)) {
      return "Missing required parameter.";
    }
  }
  if (strcmp(window, "24h") != 0) {
    return "Invalid value: the only supported value is '24h'.";
  }
  *param = "endpoint";
  if (strcmp(end, "/v1/chat/completions") != 0 && strcmp(end, "/v1/embeddings") != 0) {
    return "Invalid value: this endpoint is not supported in batches.";
  }
  cJSON_ArrayForEach(m, req) {
    int known = 0;
    for (int i = 0; i < 5; i++) {
      known |= strcmp(m->string, aParam[i]) == 0;
    }
    *param = m->string;
    if (!known) {
      return "Unknown parameter.";
    }
  }
  *param = "metadata";
  int has = json_get(req, "metadata") && !cJSON_IsNull(json_get(req, "metadata"));
  return has && !cJSON_IsObject(json_get(req, "metadata")) ? "Invalid type: expected an object."
                                                           : NULL;
}

/* Refuses a create request that OpenAI would refuse at once. */
int batch_check(struct request *r) {
  const char *param = NULL, *why = create_wrong(r->json, &param);
  char text[256];
  if (!why) {
    return 0;
  }
  snprintf(text, sizeof text, "%s ('%.100s')", why, param);
  reply_error(r, 400, NULL, "invalid_request", param, text);
  return 400;
}

/* The body of the file's first line, with the line owned in *line. */
static cJSON *first_body(const struct buf *b, cJSON **line) {
  size_t at = 0, n = 0;
  const char *p = line_next(b, &at, &n);
  *line = p ? json_strict(p, n) : NULL;
  return cJSON_GetObjectItemCaseSensitive(*line, "body");
}

/* POST /v1/batches */
void batch_create(struct request *r) {
  struct batch *b = need(calloc(1, sizeof *b));
  const char *input = json_text(r->json, "input_file_id");
  const cJSON *meta = json_get(r->json, "metadata");
  cJSON *line = NULL;
  if (!files_read(input, &b->lines)) {
    free(b);
    reply_error(r, 400, NULL, "invalid_request", "input_file_id", "The input file was not found.");
    return;
  }
  snprintf(b->id, sizeof b->id, "batch_standin%016llx", (unsigned long long)next_id());
  copy_name(b->input, sizeof b->input, input);
  copy_name(b->endpoint, sizeof b->endpoint, json_text(r->json, "endpoint"));
  copy_name(b->window, sizeof b->window, json_text(r->json, "completion_window"));
  b->metadata = cJSON_IsObject(meta) ? cJSON_Duplicate(meta, 1) : NULL;
  b->created_ms = now_ms();
  batch_origin(r, first_body(&b->lines, &line), &b->from);
  cJSON_Delete(line);
  check_file(b);
  enter(b, B_VALIDATING);
  cJSON *j = batch_json(b);
  pthread_mutex_lock(&lock);
  b->next = batches;
  batches = b;
  pthread_mutex_unlock(&lock);
  reply_json(&r->reply, 200, j);
}

/* The batch of an id, or NULL. Caller holds the lock. */
static struct batch *find(const char *id) {
  struct batch *b = batches;
  while (b && strcmp(b->id, id) != 0) {
    b = b->next;
  }
  return b;
}

/* Answers with a batch (owned JSON), or with 404. */
static void reply_batch(struct request *r, cJSON *j) {
  char text[256];
  if (j) {
    reply_json(&r->reply, 200, j);
    return;
  }
  snprintf(text, sizeof text, "No batch found with id '%.160s'.", r->id);
  reply_error(r, 404, NULL, NULL, NULL, text);
}

/* GET /v1/batches/{id}: a poll. */
void batch_get(struct request *r) {
  pthread_mutex_lock(&lock);
  struct batch *b = find(r->id);
  if (b) {
    b->polls++;
    advance(b);
  }
  cJSON *j = b ? batch_json(b) : NULL;
  pthread_mutex_unlock(&lock);
  reply_batch(r, j);
}

/* POST /v1/batches/{id}/cancel */
void batch_cancel(struct request *r) {
  pthread_mutex_lock(&lock);
  struct batch *b = find(r->id);
  int over = b && (b->state == B_COMPLETED || b->state == B_FAILED || b->state == B_EXPIRED ||
                   b->state == B_CANCELLED);
  if (b && !over && b->state != B_CANCELLING) {
    enter(b, B_CANCELLING);
    b->polls = 0;
  }
  cJSON *j = b && !over ? batch_json(b) : NULL;
  pthread_mutex_unlock(&lock);
  if (over) {
    reply_error(r, 409, NULL, NULL, NULL, "Cannot cancel a batch that has ended.");
  } else {
    reply_batch(r, j);
  }
}

/* GET /v1/batches?limit=N&after=ID: newest first; no poll. */
void batch_list(struct request *r) {
  const char *after = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "after");
  const char *text = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "limit");
  long limit = text ? strtol(text, NULL, 10) : 20;
  limit = limit < 1 || limit > 100 ? 20 : limit;
  cJSON *j = cJSON_CreateObject(), *list;
  cJSON_AddStringToObject(j, "object", "list");
  list = cJSON_AddArrayToObject(j, "data");
  batch_tick();
  pthread_mutex_lock(&lock);
  struct batch *b = after ? find(after) : NULL;
  for (b = after ? (b ? b->next : NULL) : batches; b && limit > 0; b = b->next, limit--) {
    cJSON_AddItemToArray(list, batch_json(b));
  }
  int more = b != NULL;
  pthread_mutex_unlock(&lock);
  const cJSON *first = list->child, *last = first ? first->prev : NULL;
  json_add_text(j, "first_id", first ? json_text(first, "id") : "");
  json_add_text(j, "last_id", last ? json_text(last, "id") : "");
  cJSON_AddBoolToObject(j, "has_more", more);
  reply_json(&r->reply, 200, j);
}

/* Forgets all batches. */
void batch_reset(void) {
  pthread_mutex_lock(&lock);
  while (batches) {
    struct batch *b = batches;
    batches = b->next;
    cJSON_Delete(b->metadata);
    cJSON_Delete(b->errors);
    buf_free(&b->lines);
    free(b);
  }
  pthread_mutex_unlock(&lock);
}
