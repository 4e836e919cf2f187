/*
** mistral.c: Mistral's /v1/batch/jobs. What a job does is job.c's; its files are those of /v1/files.
**
** The model stands in the job, and lines have neither method nor url. Results may be read when all is
** done. Lists count pages. Errors are {"detail": a text}.
*/
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISTRAL_BATCH_MAX 100000
#define MISTRAL_HOURS_MAX 167 /* under seven days */

static const char *const aState[] = {"QUEUED",
                                     "RUNNING",
                                     "RUNNING",
                                     "SUCCESS",
                                     "FAILED",
                                     "TIMEOUT_EXCEEDED",
                                     "CANCELLATION_REQUESTED",
                                     "CANCELLED"};

/* An error in Mistral's way. */
static int refuse(struct request *r, int status, const char *detail) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "detail", detail);
  reply_json(&r->reply, status, j);
  return status;
}

static const char *create_wrong(const cJSON *req) {
  static const char *const aParam[] = {"input_files", "requests", "endpoint",     "model",
                                       "agent_id",    "metadata", "timeout_hours"};
  const cJSON *m, *files = json_get(req, "input_files"), *list = json_get(req, "requests");
  const char *end = json_text(req, "endpoint");
  int64_t hours = json_int(req, "timeout_hours", 24);
  cJSON_ArrayForEach(m, req) {
    int known = 0;
    for (size_t i = 0; i < sizeof aParam / sizeof aParam[0]; i++) {
      known |= strcmp(m->string, aParam[i]) == 0;
    }
    if (!known) {
      return "Extra inputs are not permitted";
    }
  }
  if (!end || (strcmp(end, "/v1/chat/completions") != 0 && strcmp(end, "/v1/embeddings") != 0)) {
    return "endpoint: Input should be one of the endpoints of batches";
  }
  if (!json_text(req, "model")) {
    return "model: Field required";
  }
  if (hours < 1 || hours > MISTRAL_HOURS_MAX) {
    return "timeout_hours: Input should be from 1 to 167";
  }
  return cJSON_IsArray(files) == cJSON_IsArray(list) ? "either input_files or requests is required"
                                                     : NULL;
}

/* Refuses a job that would be refused at once. */
int mistral_check(struct request *r) {
  const char *why = create_wrong(r->json);
  return why ? refuse(r, 422, why) : 0;
}

/* What its lines lack. */
static void check_lines(struct job *b) {
  size_t at = 0, n;
  const char *text;
  b->total = 0;
  while ((text = line_next(&b->lines->bytes, &at, &n))) {
    cJSON *line = utf8_valid(text, n) ? json_strict(text, n) : NULL;
    b->total++;
    if (!json_text(line, "custom_id") || !cJSON_IsObject(json_get(line, "body"))) {
      job_complain(b, "invalid_line", b->total, "A line needs custom_id and body.");
    }
    cJSON_Delete(line);
  }
  if (b->total == 0 || b->total > MISTRAL_BATCH_MAX) {
    job_complain(b, "invalid_file", 0, "A job has 1 to 100000 requests.");
  }
}

/* {"message","count"} of each complaint. */
static void add_errors(cJSON *j, const struct job *b) {
  const cJSON *one, *shown = b->state == JOB_VALIDATING ? NULL : b->errors;
  cJSON *list = cJSON_AddArrayToObject(j, "errors");
  cJSON_ArrayForEach(one, shown) {
    cJSON *e = cJSON_CreateObject();
    cJSON_AddStringToObject(e, "message", json_text(one, "message"));
    cJSON_AddNumberToObject(e, "count", 1);
    cJSON_AddItemToArray(list, e);
  }
}

static void add_time(cJSON *j, const char *name, time_t t) {
  cJSON_AddItemToObject(j, name, t ? cJSON_CreateNumber((double)t) : cJSON_CreateNull());
}

/* A job as the API shows it, owned. */
static cJSON *job_json(const struct job *b) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", b->id);
  cJSON_AddStringToObject(j, "object", "batch");
  cJSON *files = cJSON_AddArrayToObject(j, "input_files");
  if (b->input[0]) {
    cJSON_AddItemToArray(files, cJSON_CreateString(b->input));
  }
  cJSON_AddItemToObject(j, "metadata",
                        b->metadata ? cJSON_Duplicate(b->metadata, 1) : cJSON_CreateNull());
  cJSON_AddStringToObject(j, "endpoint", b->endpoint);
  cJSON_AddStringToObject(j, "model", b->model);
  json_add_text(j, "output_file", b->output);
  json_add_text(j, "error_file", b->error_file);
  add_errors(j, b);
  cJSON_AddStringToObject(j, "status", aState[b->state]);
  add_time(j, "created_at", job_time(b, JOB_VALIDATING));
  add_time(j, "started_at", job_time(b, JOB_RUNNING));
  add_time(j, "completed_at", job_over(b) ? job_time(b, b->state) : 0);
  cJSON_AddNumberToObject(j, "total_requests", (double)b->total);
  cJSON_AddNumberToObject(j, "completed_requests", (double)(b->completed + b->failed));
  cJSON_AddNumberToObject(j, "succeeded_requests", (double)b->completed);
  cJSON_AddNumberToObject(j, "failed_requests", (double)b->failed);
  return j;
}

/* The lines of a file, or of the body; 0 and a refusal where there is no such file. */
static int take_lines(struct request *r, struct job *b) {
  cJSON *list = cJSON_GetObjectItemCaseSensitive(r->json, "requests");
  const char *file = cJSON_GetStringValue(cJSON_GetArrayItem(json_get(r->json, "input_files"), 0));
  if (list) {
    job_inline(b, list);
    return 1;
  }
  copy_name(b->input, sizeof b->input, file ? file : "");
  b->lines = plan_late(b->input) ? NULL : files_share(b->input);
  if (!b->lines) {
    refuse(r, 400, "input_files: file not found");
  }
  return b->lines != NULL;
}

/* POST /v1/batch/jobs */
void mistral_create(struct request *r) {
  const cJSON *meta = json_get(r->json, "metadata");
  struct job *b = job_new(r, FORM_MISTRAL, "0196ba5e-standin-");
  copy_name(b->endpoint, sizeof b->endpoint, json_text(r->json, "endpoint"));
  copy_name(b->model, sizeof b->model, json_text(r->json, "model"));
  if (!take_lines(r, b)) {
    job_free(b);
    return;
  }
  b->metadata = cJSON_IsObject(meta) ? cJSON_Duplicate(meta, 1) : NULL;
  check_lines(b);
  job_lock();
  job_start(b);
  cJSON *j = job_json(b);
  job_unlock();
  reply_json(&r->reply, 200, j);
}

/* Answers with a job (owned JSON), or that there is none. */
static void reply_job(struct request *r, cJSON *j) {
  if (j) {
    reply_json(&r->reply, 200, j);
  } else if (plan_gone(GONE_ERROR)) {
    job_reply_gone(r, "Batch job not found");
  } else {
    refuse(r, 404, "Batch job not found");
  }
}

/* GET /v1/batch/jobs/{id}: a poll. */
void mistral_get(struct request *r) {
  int gone;
  job_lock();
  struct job *b = job_find(r->id, FORM_MISTRAL, &gone);
  if (b) {
    job_poll(b);
  }
  cJSON *j = b ? job_json(b) : NULL;
  job_unlock();
  reply_job(r, j);
}

/* POST /v1/batch/jobs/{id}/cancel: of one that is over, nothing. */
void mistral_cancel(struct request *r) {
  int gone;
  job_lock();
  struct job *b = job_find(r->id, FORM_MISTRAL, &gone);
  if (b) {
    job_cancel(b);
  }
  cJSON *j = b ? job_json(b) : NULL;
  job_unlock();
  reply_job(r, j);
}

/* DELETE /v1/batch/jobs/{id} */
void mistral_delete(struct request *r) {
  int gone;
  job_lock();
  struct job *b = job_find(r->id, FORM_MISTRAL, &gone);
  cJSON *j = b ? cJSON_CreateObject() : NULL;
  if (b) {
    job_delete(b);
    cJSON_AddStringToObject(j, "id", r->id);
    cJSON_AddStringToObject(j, "object", "batch");
    cJSON_AddTrueToObject(j, "deleted");
  }
  job_unlock();
  reply_job(r, j);
}

static int64_t query_number(const struct request *r, const char *name, int64_t otherwise) {
  const char *text = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, name);
  long n = text ? strtol(text, NULL, 10) : -1;
  return n < 0 || n > 1000000 ? otherwise : n;
}

/* GET /v1/batch/jobs?page=N&page_size=M: pages from 0; newest first; no poll. */
void mistral_list(struct request *r) {
  int64_t page = query_number(r, "page", 0), size = query_number(r, "page_size", 100), i = 0;
  int listed = plan_gone(GONE_NOT) || plan_gone(GONE_ARCHIVED);
  cJSON *j = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(j, "data");
  job_tick();
  job_lock();
  for (struct job *b = job_next(NULL, FORM_MISTRAL); b && listed; b = job_next(b, FORM_MISTRAL)) {
    if (!job_listed(b)) {
      continue;
    }
    if (i >= page * size && i < (page + 1) * size) {
      cJSON_AddItemToArray(list, job_json(b));
    }
    i++;
  }
  job_unlock();
  cJSON_AddStringToObject(j, "object", "list");
  cJSON_AddNumberToObject(j, "total", (double)i);
  reply_json(&r->reply, 200, j);
}
