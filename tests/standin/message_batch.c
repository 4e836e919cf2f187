/*
** message_batch.c: Anthropic's /v1/messages/batches. The pace, the price and the way a line is
** answered are batch.c's.
**
** The whole request is looked at when the batch is made (custom_ids, their uniqueness, the number
** of requests); what's inside "params" shows up as an errored result. Counts stay zero, but for
** "processing", until the batch ends. Results come in reverse order.
**
** Scenarios: batch-expired and cancelling finish the first half; batch-token-limit, which Anthropic
** has no state for, makes every result errored; the others are as in batch.c.
*/
#include "standin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum outcome_kind { R_SUCCEEDED, R_ERRORED, R_CANCELED, R_EXPIRED, R_KINDS };
static const char *const aKind[] = {"succeeded", "errored", "canceled", "expired"};

struct mbatch {
  char id[48];
  struct origin from;
  cJSON *requests; /* owned array; NULL once ended */
  int64_t polls, created_ms, total, count[R_KINDS];
  time_t created, ended, canceled; /* 0 = not yet */
  struct buf results;
  struct mbatch *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mbatch *batches; /* newest first */

/* ---- running it ---- */

/* One result line, into out. Takes inner (message or error), which may be NULL. */
static void write_result(struct buf *out, const char *id, enum outcome_kind kind, cJSON *inner,
                         enum fault fault) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "custom_id", id);
  cJSON *r = cJSON_AddObjectToObject(j, "result");
  cJSON_AddStringToObject(r, "type", aKind[kind]);
  if (inner) {
    cJSON_AddItemToObject(r, kind == R_SUCCEEDED ? "message" : "error", inner);
  }
  buf_json(out, j);
  buf_str(out, fault == FT_BATCH_CRLF ? "\r\n" : "\n");
  cJSON_Delete(j);
}

/* Answers and bills request i; returns how it ended, the result's body in *inner. */
static enum outcome_kind run_one(struct mbatch *b, const cJSON *one, int i, cJSON **inner) {
  struct outcome o = {0};
  cJSON *params = cJSON_GetObjectItemCaseSensitive(one, "params");
  if (b->from.fault == FT_BATCH_LIMIT) {
    *inner = error_anthropic(429, NULL, NULL, "The batch exceeds the enqueued token limit.");
    return R_ERRORED;
  }
  int status = batch_line(params, i, &b->from, API_ANTHROPIC, "/v1/messages/batches", &o, inner);
  if (status == 200) {
    batch_bill("/v1/messages/batches", b->id, &b->from, &o);
  }
  outcome_free(&o);
  return status == 200 ? R_SUCCEEDED : R_ERRORED;
}

/* Appends result i; batch-ids doubles the first, drops the second and invents a third. */
static void add_result(struct mbatch *b, const cJSON *one, int i, int64_t finished) {
  const char *id = json_text(one, "custom_id");
  cJSON *inner = NULL;
  enum outcome_kind kind = b->from.fault == FT_BATCH_EXPIRED ? R_EXPIRED : R_CANCELED;
  struct choice c;
  enum fault mark = b->from.fault;
  const char *model = json_text(cJSON_GetObjectItemCaseSensitive(one, "params"), "model");
  const char *at = model ? strrchr(model, '@') : NULL;
  if (at && scenario_find(at + 1, &c)) {
    mark = c.row->fault;
  }
  if (i < finished) {
    kind = run_one(b, one, i, &inner);
  }
  b->count[kind]++;
  int ids = b->from.fault == FT_BATCH_IDS;
  int copies = !ids ? 1 : i == 0 ? 3 : i == 1 ? 0 : 1;
  for (int k = 0; k < copies; k++) {
    struct buf line = {0};
    write_result(&line, k == 2 ? "unknown-custom-id" : id, kind,
                 inner ? cJSON_Duplicate(inner, 1) : NULL, b->from.fault);
    deliver_marker(&line, mark);
    buf_add(&b->results, line.p, line.n);
    buf_free(&line);
  }
  cJSON_Delete(inner);
}

/* Ends a batch of which the first "finished" requests get answers. */
static void run_all(struct mbatch *b, int64_t finished) {
  const cJSON *last = b->requests->child ? b->requests->child->prev : NULL;
  int i = (int)b->total - 1;
  for (const cJSON *one = last; i >= 0; one = one->prev, i--) {
    add_result(b, one, i, finished);
  }
  if (b->from.fault == FT_BATCH_CRLF) {
    buf_str(&b->results, "\r\n");
  }
  cJSON_Delete(b->requests);
  b->requests = NULL;
  b->ended = time(NULL);
}

/* Takes a batch as far as it should be by now. Caller holds the lock. */
static void advance(struct mbatch *b) {
  int due = batch_due(b->polls, b->created_ms);
  int half = b->canceled || b->from.fault == FT_BATCH_EXPIRED;
  if (!b->ended && (due || (b->canceled && b->polls))) {
    run_all(b, half ? (b->total + 1) / 2 : b->total);
  }
}

/* Completes what is due by its age. */
void message_batch_tick(void) {
  pthread_mutex_lock(&lock);
  for (struct mbatch *b = batches; b; b = b->next) {
    advance(b);
  }
  pthread_mutex_unlock(&lock);
}

/* ---- the API ---- */

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

/* A batch as the API shows it, owned. base = scheme and host of results_url. */
static cJSON *batch_json(const struct mbatch *b, const char *base) {
  char url[256];
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", b->id);
  cJSON_AddStringToObject(j, "type", "message_batch");
  cJSON_AddStringToObject(j, "processing_status",
                          b->ended      ? "ended"
                          : b->canceled ? "canceling"
                                        : "in_progress");
  cJSON *c = cJSON_AddObjectToObject(j, "request_counts");
  cJSON_AddNumberToObject(c, "processing", b->ended ? 0 : (double)b->total);
  for (int i = 0; i < R_KINDS; i++) {
    cJSON_AddNumberToObject(c, aKind[i], (double)b->count[i]);
  }
  add_time(j, "ended_at", b->ended);
  add_time(j, "created_at", b->created);
  add_time(j, "expires_at", b->created + 86400);
  add_time(j, "archived_at", 0);
  add_time(j, "cancel_initiated_at", b->canceled);
  snprintf(url, sizeof url, "%s/v1/messages/batches/%s/results", base, b->id);
  if (b->ended) {
    cJSON_AddStringToObject(j, "results_url", url);
  } else {
    cJSON_AddNullToObject(j, "results_url");
  }
  return j;
}

/* Scheme and host as the client wrote them. */
static void base_of(const struct request *r, char *out, size_t cap) {
  const char *host = request_header(r, "Host");
  const union MHD_ConnectionInfo *tls =
      MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_PROTOCOL);
  snprintf(out, cap, "%s://%.100s", tls ? "https" : "http", host ? host : "127.0.0.1");
}

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
  struct mbatch *b = need(calloc(1, sizeof *b));
  snprintf(b->id, sizeof b->id, "msgbatch_standin%016llx", (unsigned long long)next_id());
  b->requests = cJSON_DetachItemFromObjectCaseSensitive(r->json, "requests");
  b->total = cJSON_GetArraySize(b->requests);
  b->created = time(NULL);
  b->created_ms = now_ms();
  batch_origin(r, cJSON_GetObjectItemCaseSensitive(b->requests->child, "params"), &b->from);
  base_of(r, base, sizeof base);
  cJSON *j = batch_json(b, base);
  pthread_mutex_lock(&lock);
  b->next = batches;
  batches = b;
  pthread_mutex_unlock(&lock);
  reply_json(&r->reply, 200, j);
}

/* The batch of an id, or NULL. Caller holds the lock. */
static struct mbatch *find(const char *id) {
  struct mbatch *b = batches;
  while (b && strcmp(b->id, id) != 0) {
    b = b->next;
  }
  return b;
}

/* Answers with a batch (owned JSON), or with 404. */
static void reply_batch(struct request *r, cJSON *j) {
  if (j) {
    reply_json(&r->reply, 200, j);
  } else {
    reply_error(r, 404, NULL, NULL, NULL, "Message batch not found.");
  }
}

/* GET /v1/messages/batches/{id}: a poll. */
void message_batch_get(struct request *r) {
  char base[160];
  base_of(r, base, sizeof base);
  pthread_mutex_lock(&lock);
  struct mbatch *b = find(r->id);
  if (b) {
    b->polls++;
    advance(b);
  }
  cJSON *j = b ? batch_json(b, base) : NULL;
  pthread_mutex_unlock(&lock);
  reply_batch(r, j);
}

/* POST /v1/messages/batches/{id}/cancel */
void message_batch_cancel(struct request *r) {
  char base[160];
  base_of(r, base, sizeof base);
  pthread_mutex_lock(&lock);
  struct mbatch *b = find(r->id);
  if (b && !b->ended && !b->canceled) {
    b->canceled = time(NULL);
    b->polls = 0;
  }
  cJSON *j = b ? batch_json(b, base) : NULL;
  pthread_mutex_unlock(&lock);
  reply_batch(r, j);
}

/* GET /v1/messages/batches/{id}/results: JSON lines, once the batch has ended. */
void message_batch_results(struct request *r) {
  pthread_mutex_lock(&lock);
  struct mbatch *b = find(r->id);
  int found = b != NULL, ended = b && b->ended;
  if (ended) {
    buf_add(&r->reply.body, b->results.p, b->results.n);
  }
  pthread_mutex_unlock(&lock);
  if (ended) {
    r->reply.status = 200;
    r->reply.type = "application/x-jsonl";
  } else if (found) {
    reply_error(r, 400, NULL, NULL, NULL,
                "The batch has no available results as it is still processing.");
  } else {
    reply_batch(r, NULL);
  }
}

/* GET /v1/messages/batches: newest first; no poll. */
void message_batch_list(struct request *r) {
  char base[160];
  cJSON *j = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(j, "data");
  base_of(r, base, sizeof base);
  message_batch_tick();
  pthread_mutex_lock(&lock);
  for (struct mbatch *b = batches; b; b = b->next) {
    cJSON_AddItemToArray(list, batch_json(b, base));
  }
  pthread_mutex_unlock(&lock);
  const cJSON *first = list->child;
  cJSON_AddFalseToObject(j, "has_more");
  cJSON_AddItemToObject(j, "first_id",
                        first ? cJSON_CreateString(json_text(first, "id")) : cJSON_CreateNull());
  cJSON_AddItemToObject(
      j, "last_id", first ? cJSON_CreateString(json_text(first->prev, "id")) : cJSON_CreateNull());
  reply_json(&r->reply, 200, j);
}

/* Forgets all batches. */
void message_batch_reset(void) {
  pthread_mutex_lock(&lock);
  while (batches) {
    struct mbatch *b = batches;
    batches = b->next;
    cJSON_Delete(b->requests);
    buf_free(&b->results);
    free(b);
  }
  pthread_mutex_unlock(&lock);
}
