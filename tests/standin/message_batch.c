/*
** message_batch.c: Anthropic's /v1/messages/batches. What a batch does is job.c's.
**
** The whole request is looked at when the batch is made (custom_ids, their uniqueness, the number
** of requests); what's inside "params" shows up as an errored result. Counts stay zero, but for
** "processing", until the batch ends, however it ends: it has no states of failing or expiring, its
** results have. Of one that is archived the results are gone (404), and it says since when.
*/
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- how a batch is shown ---- */

/* A time as RFC 3339, or null. */
static void add_time(cJSON *o, const char *key, time_t t) {
  char text[40];
  struct tm tm;
  if (!t) {
    cJSON_AddNullToObject(o, key);
    return;
  }
  gmtime_r(&t, &tm);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  cJSON_AddStringToObject(o, key, text);
}

/* When it was over, or 0. */
static time_t ended_at(const struct job *b) {
  return job_over(b) ? job_time(b, b->state) : 0;
}

static void add_counts(cJSON *j, const struct job *b) {
  int over = job_over(b), expired = b->state == JOB_EXPIRED, canceled = b->state == JOB_CANCELLED;
  int64_t errored = b->failed + (expired || canceled ? 0 : b->undone);
  cJSON *c = cJSON_AddObjectToObject(j, "request_counts");
  cJSON_AddNumberToObject(c, "processing", over ? 0 : (double)b->total);
  cJSON_AddNumberToObject(c, "succeeded", over ? (double)b->completed : 0);
  cJSON_AddNumberToObject(c, "errored", over ? (double)errored : 0);
  cJSON_AddNumberToObject(c, "canceled", canceled ? (double)b->undone : 0);
  cJSON_AddNumberToObject(c, "expired", expired ? (double)b->undone : 0);
}

/* A batch as the API shows it, owned. base = scheme and host of results_url. */
static cJSON *batch_json(const struct job *b, const char *base) {
  char url[256];
  cJSON *j = cJSON_CreateObject();
  time_t created = job_time(b, JOB_VALIDATING);
  int archived = plan_gone(GONE_ARCHIVED);
  cJSON_AddStringToObject(j, "id", b->id);
  cJSON_AddStringToObject(j, "type", "message_batch");
  cJSON_AddStringToObject(j, "processing_status",
                          job_over(b)                  ? "ended"
                          : b->state == JOB_CANCELLING ? "canceling"
                                                       : "in_progress");
  add_counts(j, b);
  add_time(j, "ended_at", ended_at(b));
  add_time(j, "created_at", created);
  add_time(j, "expires_at", created + 86400);
  add_time(j, "archived_at", archived ? time(NULL) : 0);
  add_time(j, "cancel_initiated_at", job_time(b, JOB_CANCELLING));
  snprintf(url, sizeof url, "%s/v1/messages/batches/%s/results", base, b->id);
  json_add_text(j, "results_url",
                job_over(b) && !archived && b->plan.end != END_EMPTY ? url : NULL);
  return j;
}

/* Scheme and host as the client wrote them. */
static void base_of(const struct request *r, char *out, size_t cap) {
  const char *host = request_header(r, "Host");
  const union MHD_ConnectionInfo *tls =
      MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_PROTOCOL);
  snprintf(out, cap, "%s://%.100s", tls ? "https" : "http", host ? host : "127.0.0.1");
}

/* ---- creating ---- */

/* Refuses request i of a batch. */
static int refuse(struct request *r, int i, const char *what) {
  char text[160];
  snprintf(text, sizeof text, "requests.%d.%s", i, what);
  reply_error(r, 400, NULL, NULL, NULL, text);
  return 400;
}

/* One request of a batch. */
static int check_one(struct request *r, const cJSON *one, int i, struct map *ids) {
  const char *id = json_text(one, "custom_id");
  const cJSON *m, *params = cJSON_GetObjectItemCaseSensitive(one, "params");
  if (!cJSON_IsObject(one)) {
    return refuse(r, i, "Input should be a valid dictionary");
  }
  if (!cJSON_GetObjectItemCaseSensitive(one, "custom_id")) {
    return refuse(r, i, "custom_id: Field required");
  }
  if (!name_valid(id, NAME_MAX_LEN)) {
    return refuse(r, i, "custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'");
  }
  if (!cJSON_IsObject(params)) {
    return refuse(r, i, "params: Field required");
  }
  if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(params, "stream"))) {
    return refuse(r, i, "params.stream: streaming is not supported in batches");
  }
  cJSON_ArrayForEach(m, one) {
    if (strcmp(m->string, "custom_id") != 0 && strcmp(m->string, "params") != 0) {
      return refuse(r, i, "Extra inputs are not permitted");
    }
  }
  if (map_add(ids, hash_bytes(id, strlen(id), 8), 1) > 1) {
    return refuse(r, i, "custom_id: custom_ids must be unique within a batch");
  }
  return 0;
}

/* Refuses a batch that Anthropic would refuse at once. */
int message_batch_check(struct request *r) {
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(r->json, "requests"), *one;
  struct map ids = {0};
  int i = 0, status = 0, n = cJSON_GetArraySize(list);
  if (!list) {
    reply_error(r, 400, NULL, NULL, NULL, "requests: Field required");
    return 400;
  }
  if (!cJSON_IsArray(list) || n < 1 || n > ANTHROPIC_BATCH_MAX) {
    reply_error(r, n > ANTHROPIC_BATCH_MAX ? 413 : 400, NULL, NULL, NULL,
                "requests: List should have 1 to 100000 items");
    return n > ANTHROPIC_BATCH_MAX ? 413 : 400;
  }
  if (r->json->child->next) {
    reply_error(r, 400, NULL, NULL, NULL, "Extra inputs are not permitted");
    return 400;
  }
  cJSON_ArrayForEach(one, list) {
    status = check_one(r, one, i++, &ids);
    if (status) {
      break;
    }
  }
  map_free(&ids);
  return status;
}

/* POST /v1/messages/batches */
void message_batch_create(struct request *r) {
  char base[160];
  base_of(r, base, sizeof base);
  struct job *b = job_new(r, FORM_ANTHROPIC, "msgbatch_standin");
  copy_name(b->endpoint, sizeof b->endpoint, "/v1/messages");
  buf_free(&r->body);
  job_inline(b, cJSON_GetObjectItemCaseSensitive(r->json, "requests"));
  job_lock();
  job_start(b);
  cJSON *j = batch_json(b, base);
  job_unlock();
  reply_json(&r->reply, 200, j);
}

/* ---- the rest of its life ---- */

/* Answers with a batch (owned JSON), or that there is none. */
static void reply_batch(struct request *r, cJSON *j) {
  if (j) {
    reply_json(&r->reply, 200, j);
  } else {
    job_reply_gone(r, "Message batch not found.");
  }
}

/* GET /v1/messages/batches/{id}: a poll. */
void message_batch_get(struct request *r) {
  char base[160];
  int gone;
  base_of(r, base, sizeof base);
  job_lock();
  struct job *b = job_find(r->id, FORM_ANTHROPIC, &gone);
  if (b) {
    job_poll(b);
  }
  cJSON *j = b ? batch_json(b, base) : NULL;
  job_unlock();
  reply_batch(r, j);
}

/* POST /v1/messages/batches/{id}/cancel: of one that has ended, nothing. */
void message_batch_cancel(struct request *r) {
  char base[160];
  int gone;
  base_of(r, base, sizeof base);
  job_lock();
  struct job *b = job_find(r->id, FORM_ANTHROPIC, &gone);
  if (b) {
    job_cancel(b);
  }
  cJSON *j = b ? batch_json(b, base) : NULL;
  job_unlock();
  reply_batch(r, j);
}

/* GET /v1/messages/batches/{id}/results: JSON lines, once the batch has ended. */
void message_batch_results(struct request *r) {
  int gone;
  job_lock();
  struct job *b = job_find(r->id, FORM_ANTHROPIC, &gone);
  int found = b != NULL, ended = b && job_over(b);
  if (ended) {
    buf_add(&r->reply.body, b->results.p, b->results.n);
  }
  job_unlock();
  if (ended && plan_gone(GONE_ARCHIVED)) {
    r->reply.body.n = 0;
    reply_error(r, 404, NULL, NULL, NULL,
                "The results of this batch were archived and are no longer available.");
  } else if (ended) {
    r->reply.status = 200;
    r->reply.type = "application/x-jsonl";
  } else if (found) {
    reply_error(r, 400, NULL, NULL, NULL,
                "The batch has no available results as it is still processing.");
  } else {
    reply_batch(r, NULL);
  }
}

/* DELETE /v1/messages/batches/{id}, once it has ended. */
void message_batch_delete(struct request *r) {
  int gone;
  job_lock();
  struct job *b = job_find(r->id, FORM_ANTHROPIC, &gone);
  if (b && !job_over(b)) {
    reply_error(r, 400, NULL, NULL, NULL, "The batch is still processing: cancel it first.");
  } else if (b) {
    job_delete(b);
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "id", r->id);
    cJSON_AddStringToObject(j, "type", "message_batch_deleted");
    reply_json(&r->reply, 200, j);
  } else {
    reply_batch(r, NULL);
  }
  job_unlock();
}

/* GET /v1/messages/batches?limit=N&after_id=ID: newest first; no poll. */
void message_batch_list(struct request *r) {
  const char *after = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "after_id");
  const char *text = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "limit");
  long limit = text ? strtol(text, NULL, 10) : 20;
  char base[160];
  int gone = 0;
  cJSON *j = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(j, "data");
  base_of(r, base, sizeof base);
  job_tick();
  job_lock();
  struct job *b = after && *after ? job_find(after, FORM_ANTHROPIC, &gone) : NULL;
  b = after && *after && !b ? NULL : job_next(b, FORM_ANTHROPIC);
  b = plan_gone(GONE_NOT) || plan_gone(GONE_ARCHIVED) ? b : NULL;
  limit = limit < 1 || limit > 1000 ? 20 : limit;
  for (; b && limit > 0; b = job_next(b, FORM_ANTHROPIC)) {
    if (job_listed(b)) {
      cJSON_AddItemToArray(list, batch_json(b, base));
      limit--;
    }
  }
  int more = b != NULL;
  job_unlock();
  const cJSON *first = list->child;
  cJSON_AddBoolToObject(j, "has_more", more);
  json_add_text(j, "first_id", first ? json_text(first, "id") : NULL);
  json_add_text(j, "last_id", first ? json_text(first->prev, "id") : NULL);
  reply_json(&r->reply, 200, j);
}
