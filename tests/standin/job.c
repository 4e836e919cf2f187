/*
** job.c: a batch, whoever's it is: its life, its lines, its bill.
**
** Its requests are lines of JSON, whether they came as a file or inline. A batch of a file is taken
** whatever the file holds, as OpenAI does: what is wrong shows up at the first poll as "failed". The
** life of a good one: the first poll says that it runs, the second (plan.c changes that, and all else)
** or an age of 10 s ends it. A line is answered and billed, at half price, when it is counted as done;
** looking at the bill ends what is due by age too, so money never hides in a batch that nobody polls.
**
** Only what was answered is billed: not what was refused, and not what had no turn. Results stand in
** reverse order, since no provider but one promises any. What became of requests that were refused or
** had no turn stands in a file of its own, or among the results (job_one_file). A batch that expired or
** was cancelled has answered half of its lines (one cancelled before its first poll: none).
**
** Locking: one lock for the list; answering lines takes the locks of files and bill inside it.
*/
#include "batch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct job *jobs; /* newest first */
static int64_t made, deleted;

void job_lock(void) {
  pthread_mutex_lock(&lock);
}

void job_unlock(void) {
  pthread_mutex_unlock(&lock);
}

int job_one_file(enum form form) {
  return form == FORM_ANTHROPIC || form == FORM_OPENROUTER;
}

static enum api api_of(const struct job *b) {
  return b->form == FORM_ANTHROPIC ? API_ANTHROPIC : API_OPENAI;
}

/* ---- lines ---- */

/* The next line of the input, without its end; skips empty ones. NULL at the end. */
const char *line_next(const struct buf *b, size_t *at, size_t *n) {
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

/* The request of a line: what a form calls its body. */
static cJSON *body_of(const struct job *b, const cJSON *line) {
  return cJSON_GetObjectItemCaseSensitive(line, b->form == FORM_ANTHROPIC ? "params" : "body");
}

/* ---- answering ---- */

/* Bills one answered line, and journals it under the batch's id. */
static void bill_line(struct job *b, const struct outcome *o) {
  const struct buf *user = &o->prompt.user;
  char *prompt = dup_n(user->p ? user->p : "", utf8_fit(user->p, user->n, PROMPT_BYTES));
  struct event e = {.path = b->form == FORM_ANTHROPIC ? "/v1/messages/batches" : b->endpoint,
                    .batch = b->id,
                    .model = o->model,
                    .scenario = b->from.scenario,
                    .client_id = b->from.client_id[0] ? b->from.client_id : NULL,
                    .key_tail = b->from.key_tail,
                    .prompt = prompt,
                    .prompt_hash = hash_bytes(user->p, user->n, 0),
                    .status = 200,
                    .billed = 1,
                    .has_key = 1,
                    .use = o->use,
                    .nusd = o->nusd};
  bill_add(&e);
  free(prompt);
  b->use.fresh += o->use.fresh;
  b->use.cached += o->use.cached;
  b->use.output += o->use.output;
  b->nusd += o->nusd;
}

/* An error for one line, in the provider's shape. */
static int line_error(const struct job *b, int status, const char *message, cJSON **body) {
  *body = api_of(b) == API_ANTHROPIC
              ? error_anthropic(status, NULL, NULL, message)
              : error_openai(status >= 500 ? "server_error" : "invalid_request_error", NULL, NULL,
                             message);
  return status;
}

/* OpenAI calls it a quota; Anthropic an invalid request, which only its sentence tells from others. */
static int no_credit(const struct job *b, cJSON **body) {
  if (api_of(b) == API_ANTHROPIC) {
    *body = error_anthropic(400, NULL, NULL,
                            "Your credit balance is too low to access the Anthropic API. Please go "
                            "to Plans & Billing to upgrade or purchase credits.");
    return 400;
  }
  *body =
      error_openai("insufficient_quota", "insufficient_quota", NULL,
                   "You exceeded your current quota, please check your plan and billing details.");
  return 429;
}

static int among_first(int64_t many, int64_t i) {
  return many < 0 || i < many;
}

/* What the plan refuses of line i: its status with *body owned, or 0. */
static int planned_error(const struct job *b, int64_t i, cJSON **body) {
  const struct plan *p = &b->plan;
  if (p->refuse[0]) { /* of a form that can't fail as a whole */
    return line_error(b, 429, "The batch exceeds the enqueued token limit.", body);
  }
  if (among_first(p->no_credit, i) || plan_line(p, LINE_NO_CREDIT, i)) {
    return no_credit(b, body);
  }
  if (among_first(p->errors, i) || plan_line(p, LINE_ERROR, i) ||
      (p->errors_every > 0 && i % p->errors_every == 0)) {
    int status = (int)p->errors_status;
    return line_error(b, status,
                      status >= 500 ? "The server had an error while processing this line."
                                    : "Invalid value: this line is refused by the settings.",
                      body);
  }
  return 0;
}

/* The fault of one line, by its model's suffix, else the batch's own; a refusing one fills *status and *body. */
static enum fault line_fault(const struct job *b, cJSON *req, int *status, cJSON **body) {
  struct choice c;
  enum fault f = b->from.fault;
  if (model_scenario(req, &c)) {
    struct buf text = {0};
    buf_json(&text, req);
    f = c.row->fault == FT_BATCH ? b->from.fault
                                 : scenario_strike(&c, hash_bytes(text.p, text.n, 6));
    buf_free(&text);
    if (f == FT_HTTP) {
      *status = scenario_error(c.row, api_of(b), body);
    } else if (f > FT_HTTP && f <= FT_LAST_UNBILLED) {
      *status = line_error(b, 500, "The request failed.", body);
    }
  }
  return f == FT_NUL || f == FT_BAD_UTF8 || (f >= FT_LENGTH && f < FT_BATCH) ? f : FT_OK;
}

/* Answers line i: the status, with *body owned. */
static int answer_line(struct job *b, cJSON *req, int64_t i, enum fault *fault, struct outcome *o,
                       cJSON **body) {
  int status = planned_error(b, i, body);
  if (status) {
    return status;
  }
  if (b->model[0] && !json_get(req, "model")) {
    cJSON_AddStringToObject(req, "model", b->model);
  }
  *fault = line_fault(b, req, &status, body);
  if (status) {
    return status;
  }
  if (api_of(b) == API_ANTHROPIC) {
    return anthropic_answer(req, *fault, 1, o, body);
  }
  return strcmp(b->endpoint, "/v1/embeddings") == 0 ? embed_answer(req, *fault, 1, o, body)
                                                    : openai_answer(req, *fault, 1, o, body);
}

/* Answers, bills and writes the next line. */
static void run_line(struct job *b, cJSON *line) {
  struct outcome o = {0};
  cJSON *body = NULL;
  enum fault fault = FT_OK;
  const char *id = json_text(line, "custom_id");
  if (plan_line(&b->plan, LINE_UNANSWERED, b->index)) {
    b->undone++;
    return;
  }
  int status = answer_line(b, body_of(b, line), b->index, &fault, &o, &body);
  struct buf *out = &b->part[b->index];
  if (status == 200) {
    bill_line(b, &o);
    b->completed++;
  } else {
    b->failed++;
    out = job_one_file(b->form) ? out : &b->errors_out;
  }
  result_write(b, b->index, id ? id : "", status, body, out);
  if (status == 200) {
    deliver_marker(out, fault);
  }
  cJSON_Delete(body);
  outcome_free(&o);
}

/* Answers lines until so many are. */
static void answer(struct job *b, int64_t many) {
  size_t n;
  const char *text;
  if (!b->part) {
    b->part = need(calloc((size_t)b->total + 1, sizeof *b->part));
  }
  for (; b->index < many && (text = line_next(&b->lines->bytes, &b->read, &n)); b->index++) {
    cJSON *line = json_strict(text, n);
    run_line(b, line);
    cJSON_Delete(line);
  }
}

/* Writes what became of the lines that had no turn. */
static void write_undone(struct job *b) {
  size_t n;
  const char *text;
  for (; (text = line_next(&b->lines->bytes, &b->read, &n)); b->index++) {
    cJSON *line = json_strict(text, n);
    const char *id = json_text(line, "custom_id");
    b->undone++;
    result_write(b, b->index, id ? id : "", 0, NULL,
                 job_one_file(b->form) ? &b->part[b->index] : &b->errors_out);
    cJSON_Delete(line);
  }
}

/* ---- its life ---- */

/* Changes the state and notes when. */
static void enter(struct job *b, enum job_state s) {
  b->state = s;
  b->at[s] = time(NULL);
}

int job_over(const struct job *b) {
  return b->state != JOB_VALIDATING && b->state != JOB_RUNNING && b->state != JOB_FINALIZING &&
         b->state != JOB_CANCELLING;
}

/* Brings the results into their files, or into one. */
static void store(struct job *b) {
  for (int64_t i = b->part ? b->total : 0; i-- > 0;) {
    buf_add(&b->results, b->part[i].p, b->part[i].n);
    buf_free(&b->part[i]);
  }
  free(b->part);
  b->part = NULL;
  blob_release(b->lines);
  b->lines = NULL;
  if (job_one_file(b->form)) {
    result_frame(b, &b->results);
    return;
  }
  if (b->results.n) {
    result_frame(b, &b->results);
    files_add("batch_output", "output.jsonl", &b->results, b->output, sizeof b->output);
  }
  if (b->errors_out.n || (b->form == FORM_AZURE && b->plan.end != END_EMPTY)) {
    files_add("batch_output", "error.jsonl", &b->errors_out, b->error_file, sizeof b->error_file);
  }
}

/* Ends it in a state, with so many lines answered. */
static void finish(struct job *b, enum job_state state, int64_t many) {
  answer(b, many < b->total ? many : b->total);
  enter(b, state); /* before what is written, which says why */
  if (state == JOB_EXPIRED || state == JOB_CANCELLED ||
      (b->form == FORM_ANTHROPIC && state == JOB_FAILED)) {
    write_undone(b);
  }
  store(b);
}

/* Ends one that is due. */
static void end(struct job *b) {
  static const enum job_state aState[] = {JOB_COMPLETED, JOB_FAILED, JOB_EXPIRED, JOB_COMPLETED};
  const struct plan *p = &b->plan;
  if (p->end == END_EMPTY) {
    b->total = 0;
  }
  int64_t many = p->finished >= 0          ? p->finished
                 : p->end == END_COMPLETED ? b->total
                                           : (b->total + 1) / 2;
  if (p->finalizing > 0 && b->state == JOB_RUNNING) {
    answer(b, many < b->total ? many : b->total);
    enter(b, JOB_FINALIZING);
    b->polls = 0;
  } else {
    finish(b, aState[p->end], many);
  }
}

/* How many are answered when it is cancelled. */
static int64_t cancel_target(const struct job *b) {
  int64_t many = b->plan.cancel_finished >= 0 ? b->plan.cancel_finished
                 : b->at[JOB_RUNNING]         ? (b->total + 1) / 2
                                              : 0;
  many = many < b->total ? many : b->total;
  return many > b->index ? many : b->index;
}

/* One that is being cancelled goes on for a while. */
static void advance_cancelling(struct job *b) {
  const struct plan *p = &b->plan;
  int64_t target = cancel_target(b);
  if (b->polls >= p->cancel_polls || now_ms() - b->cancelled_ms >= p->cancel_ms) {
    finish(b, JOB_CANCELLED, target);
  } else {
    answer(b, b->cancelled_at + (target - b->cancelled_at) * b->polls / p->cancel_polls);
  }
}

/* Takes a batch as far as it should be by now. */
static void advance(struct job *b) {
  int due = (b->polls > 0 && b->polls >= b->plan.polls) || now_ms() - b->created_ms >= b->plan.ms;
  if (b->state == JOB_CANCELLING) {
    advance_cancelling(b);
    return;
  }
  if (b->state == JOB_VALIDATING && (b->polls || due)) {
    enter(b, b->errors ? JOB_FAILED : JOB_RUNNING);
  }
  if (b->state == JOB_FINALIZING ? b->polls >= b->plan.finalizing
                                 : b->state == JOB_RUNNING && due) {
    end(b);
  }
}

void job_poll(struct job *b) {
  b->polls++;
  advance(b);
  if (b->state == JOB_RUNNING && b->plan.progress > 0 && b->plan.end != END_EMPTY) {
    int64_t many = b->index + b->plan.progress;
    answer(b, b->plan.finished >= 0 && many > b->plan.finished ? b->plan.finished : many);
  }
}

int job_cancel(struct job *b) {
  if (job_over(b)) {
    return 0;
  }
  if (b->state != JOB_CANCELLING) {
    enter(b, JOB_CANCELLING);
    b->polls = 0;
    b->cancelled_ms = now_ms();
    b->cancelled_at = b->index;
  }
  return 1;
}

void job_tick(void) {
  job_lock();
  for (struct job *b = jobs; b; b = b->next) {
    advance(b);
  }
  job_unlock();
}

/* When it entered a state, as it says itself. 0 = never. */
time_t job_time(const struct job *b, enum job_state state) {
  return b->at[state] ? b->at[state] - (time_t)b->plan.age_s : 0;
}

/* ---- making it ---- */

/* The requests of an inline form, a line each. One by one, since all of them may be 256 MB. */
void job_inline(struct job *b, cJSON *requests) {
  struct buf lines = {0};
  for (cJSON *one; (one = cJSON_DetachItemFromArray(requests, 0)); cJSON_Delete(one)) {
    buf_json(&lines, one);
    buf_add(&lines, "\n", 1);
    b->total++;
  }
  b->lines = blob_new(&lines);
}

/* Notes why the batch will fail; line 0 = the whole. */
void job_complain(struct job *b, const char *code, int64_t line, const char *message) {
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

/* A batch that nobody knows yet. */
struct job *job_new(struct request *r, enum form form, const char *id_prefix) {
  struct job *b = need(calloc(1, sizeof *b));
  snprintf(b->id, sizeof b->id, "%s%016llx", id_prefix, (unsigned long long)next_id());
  b->form = form;
  b->created_ms = now_ms();
  copy_name(b->from.client_id, sizeof b->from.client_id, r->client_id);
  copy_name(b->from.key_tail, sizeof b->from.key_tail, r->key_tail);
  copy_name(b->from.scenario, sizeof b->from.scenario, r->choice.name);
  b->from.fault = r->fault;
  plan_of(&r->choice, &b->plan);
  enter(b, JOB_VALIDATING);
  return b;
}

/* The batch's scenario is its request's, else that of the model of its job or its first line. */
static void take_scenario(struct job *b) {
  struct choice c;
  size_t at = 0, n = 0;
  const char *p = line_next(&b->lines->bytes, &at, &n);
  cJSON *line = p ? json_strict(p, n) : NULL;
  const char *model = json_text(body_of(b, line), "model");
  const char *mark = strrchr(model ? model : b->model, '@'), *id = json_text(line, "custom_id");
  copy_name(b->first_id, sizeof b->first_id, id ? id : "");
  if (b->from.fault == FT_OK && mark && scenario_find(mark + 1, &c) && c.row->fault == FT_BATCH) {
    copy_name(b->from.scenario, sizeof b->from.scenario, c.name);
    b->from.fault = FT_BATCH;
    plan_of(&c, &b->plan);
  }
  cJSON_Delete(line);
}

/* Requests that are under way, of forms that count them. Caller holds the lock. */
static int64_t under_way(void) {
  int64_t sum = 0;
  for (const struct job *b = jobs; b; b = b->next) {
    sum += job_over(b) || b->errors ? 0 : b->total;
  }
  return sum;
}

int job_listed(struct job *b) {
  return b->lists++ >= b->plan.late_list;
}

void job_start(struct job *b) {
  take_scenario(b);
  if (b->plan.queue_max > 0 && b->form != FORM_ANTHROPIC &&
      under_way() + b->total > b->plan.queue_max) {
    copy_name(b->plan.refuse, sizeof b->plan.refuse, "token_limit_exceeded");
  }
  if (b->plan.refuse[0] && b->form != FORM_ANTHROPIC) {
    int is_full = strcmp(b->plan.refuse, "token_limit_exceeded") == 0;
    job_complain(b, b->plan.refuse, 0,
                 is_full ? "Enqueued token limit reached for this model in organization "
                           "org-standin. Please try again once some in_progress batches have been "
                           "completed."
                         : "The batch is refused by the settings.");
  }
  b->next = jobs;
  jobs = b;
  made++;
}

/* ---- finding it ---- */

/* OpenAI's own, Groq's and Azure's are looked at by the same paths. */
static int is_kin(enum form a, enum form b) {
  return a == b || (a <= FORM_AZURE && b <= FORM_AZURE);
}

struct job *job_next(struct job *after, enum form form) {
  struct job *b = after ? after->next : jobs;
  while (b && !is_kin(b->form, form)) {
    b = b->next;
  }
  return b;
}

struct job *job_find(const char *id, enum form form, int *gone) {
  struct job *b = job_next(NULL, form);
  while (b && strcmp(b->id, id) != 0) {
    b = job_next(b, form);
  }
  *gone = plan_gone(GONE_404) || plan_gone(GONE_ERROR);
  return *gone ? NULL : b;
}

const struct job *job_other(const struct job *than) {
  const struct job *b = jobs;
  while (b == than && b) {
    b = b->next;
  }
  return b;
}

void job_reply_gone(struct request *r, const char *message) {
  reply_error(r, 404, NULL, NULL, NULL, message);
  if (plan_gone(GONE_ERROR)) {
    r->reply.status = 200;
  }
}

void job_free(struct job *b) {
  for (int64_t i = 0; b->part && i < b->total; i++) {
    buf_free(&b->part[i]);
  }
  free(b->part);
  cJSON_Delete(b->metadata);
  cJSON_Delete(b->errors);
  blob_release(b->lines);
  buf_free(&b->errors_out);
  buf_free(&b->results);
  free(b);
}

void job_delete(struct job *b) {
  struct job **at = &jobs;
  while (*at != b) {
    at = &(*at)->next;
  }
  *at = b->next;
  deleted++;
  job_free(b);
}

void job_reset(void) {
  job_lock();
  while (jobs) {
    struct job *b = jobs;
    jobs = b->next;
    job_free(b);
  }
  made = deleted = 0;
  job_unlock();
}

/* {"made","deleted","there":[{"id","state",...}]}, newest first. */
cJSON *job_report(void) {
  static const char *const aState[] = {"validating", "running", "finalizing", "completed",
                                       "failed",     "expired", "cancelling", "cancelled"};
  cJSON *j = cJSON_CreateObject();
  job_lock();
  cJSON_AddNumberToObject(j, "made", (double)made);
  cJSON_AddNumberToObject(j, "deleted", (double)deleted);
  cJSON *list = cJSON_AddArrayToObject(j, "there");
  for (const struct job *b = jobs; b; b = b->next) {
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "id", b->id);
    cJSON_AddStringToObject(one, "state", aState[b->state]);
    cJSON_AddStringToObject(one, "input", b->input);
    cJSON_AddNumberToObject(one, "total", (double)b->total);
    cJSON_AddNumberToObject(one, "completed", (double)b->completed);
    cJSON_AddNumberToObject(one, "failed", (double)b->failed);
    cJSON_AddNumberToObject(one, "undone", (double)b->undone);
    cJSON_AddNumberToObject(one, "nusd", (double)b->nusd);
    cJSON_AddItemToObject(one, "metadata",
                          b->metadata ? cJSON_Duplicate(b->metadata, 1) : cJSON_CreateNull());
    cJSON_AddItemToArray(list, one);
  }
  job_unlock();
  return j;
}
