/*
** admin.c: the /standin/ pages, for the tests themselves. They ask for no key, are not counted and
** not journalled.
**
**   GET  /standin/bill[?client_request_id=X]   {"total_nusd","calls","requests"}
**   GET  /standin/journal                      every provider request, oldest first
**   GET  /standin/last                         headers and body of the latest provider request
**   GET  /standin/scenarios                    names, one per line
**   POST /standin/reset                        forget bill, journal, strikes, caches, files, batches
**   POST /standin/latency   {"ms":N[,"scenario":"X"]}, or {"ms":N,"to_ms":M[,"seed":S]}: drawn between them
**   POST /standin/scenario  {"name":"X"}       for requests that choose none
**   POST /standin/tokens    {"factor":F} input tokens billed per token counted, 0.1 to 10,000
**   POST /standin/answers   {"question":"answer",...} what those last user messages are answered, whatever the model; {}: none
**   POST /standin/batch     {"polls":N,"ms":N,"end":"expired",...} what is to happen to batches: plan.c
**   GET  /standin/batches   {"files","batches","steps"}: how many were made and deleted, what is there, and what was asked
**   POST /standin/cache     {"readable_ms":N,"miss":0.5,"seed":N,"floor":1024,"apart":true} how prefixes become readable (prompt.c)
**   POST /standin/cache     {"later_ms":N}             prefixes are forgotten; the cache's clock goes on
**   POST /standin/rate      {"kind":"window"|"bucket","requests":N,"request_ms":1000,"burst":N,"tokens":N,
**                           "token_ms":60000,"token_burst":N,"headers":true,"retry_after":true}: rate.c
**   GET  /standin/rate      {"taken","refused","span_ms","at_once","most_at_once","seconds":[[taken,refused],...]}
*/
#include "batch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *last; /* the latest request: a JSON object without its body */
static struct buf last_body;

/* Answers {"ok":true}. */
static void ok(struct request *r) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddTrueToObject(j, "ok");
  reply_json(&r->reply, 200, j);
}

/* Refuses what a test asked for. */
static void wrong(struct request *r, const char *why) {
  reply_error(r, 400, NULL, "standin", NULL, why);
}

/* Adds one header to the object; keys are masked but for their last 4 characters. */
static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *value) {
  cJSON *o = cls;
  char masked[32];
  (void)kind;
  value = value ? value : "";
  if (strcasecmp(key, "authorization") == 0 || strcasecmp(key, "x-api-key") == 0 ||
      strcasecmp(key, "api-key") == 0) {
    size_t n = strlen(value);
    int bearer = strncasecmp(value, "Bearer ", 7) == 0;
    snprintf(masked, sizeof masked, "%s***%s", bearer ? "Bearer " : "",
             n > 11 ? value + n - 4 : "");
    value = masked;
  }
  cJSON_AddStringToObject(o, key, value);
  return MHD_YES;
}

/* Keeps the latest provider request for /standin/last. */
void admin_remember(const struct request *r) {
  struct buf b = {0};
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "method", r->method);
  cJSON_AddStringToObject(j, "path", r->raw_path);
  MHD_get_connection_values(r->conn, MHD_HEADER_KIND, add_header,
                            cJSON_AddObjectToObject(j, "headers"));
  buf_json(&b, j);
  cJSON_Delete(j);
  pthread_mutex_lock(&lock);
  free(last);
  last = buf_take(&b);
  last_body.n = 0;
  buf_add(&last_body, r->body.p, r->body.n < LAST_BODY_MAX ? r->body.n : LAST_BODY_MAX);
  pthread_mutex_unlock(&lock);
}

/* GET /standin/last */
static void show_last(struct request *r) {
  pthread_mutex_lock(&lock);
  cJSON *j = last ? json_strict(last, strlen(last)) : NULL;
  cJSON *body = json_strict(last_body.p, last_body.n);
  if (!j) {
    j = cJSON_CreateObject();
  }
  if (!body) {
    body = cJSON_CreateString(last_body.p ? last_body.p : "");
  }
  pthread_mutex_unlock(&lock);
  cJSON_AddItemToObject(j, "body", body);
  reply_json(&r->reply, 200, j);
}

/* GET /standin/bill */
static void show_bill(struct request *r) {
  job_tick();
  reply_json(
      &r->reply, 200,
      bill_total(MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "client_request_id")));
}

/* GET /standin/journal */
static void show_journal(struct request *r) {
  job_tick();
  r->reply.status = 200;
  bill_journal(&r->reply.body);
}

/* GET /standin/scenarios */
static void show_scenarios(struct request *r) {
  r->reply.status = 200;
  r->reply.type = "text/plain";
  scenario_list(&r->reply.body);
}

/* POST /standin/reset */
static void reset_all(struct request *r) {
  bill_reset();
  scenario_reset();
  token_factor_set(1);
  cache_reset();
  rate_reset();
  plan_reset();
  job_reset();
  files_reset();
  admin_free();
  ok(r);
}

/* POST /standin/latency */
static void set_latency(struct request *r) {
  int64_t ms = json_int(r->json, "ms", -1), to_ms = json_int(r->json, "to_ms", ms);
  if (ms < 0 || ms > 3600000) {
    wrong(r, "ms: a number from 0 to 3600000");
  } else if (to_ms < ms || to_ms > 3600000) {
    wrong(r, "to_ms: a number from ms to 3600000");
  } else if (to_ms > ms) {
    latency_draw(ms, to_ms, (uint64_t)json_int(r->json, "seed", 0));
    ok(r);
  } else if (!latency_set(json_text(r->json, "scenario"), ms)) {
    wrong(r, "scenario: no such scenario");
  } else {
    ok(r);
  }
}

/* POST /standin/scenario */
static void set_scenario(struct request *r) {
  const char *name = json_text(r->json, "name");
  if (!name || !scenario_default_set(name)) {
    wrong(r, "name: no such scenario");
  } else {
    ok(r);
  }
}

/* POST /standin/tokens */
static void set_token_factor(struct request *r) {
  const cJSON *factor = json_get(r->json, "factor");
  if (!cJSON_IsNumber(factor) || !(factor->valuedouble >= 0.1 && factor->valuedouble <= 10000)) {
    wrong(r, "factor: a number from 0.1 to 10000");
  } else {
    token_factor_set(factor->valuedouble);
    ok(r);
  }
}

/* POST /standin/answers */
static void set_answers(struct request *r) {
  const cJSON *x = cJSON_IsObject(r->json) ? r->json->child : NULL;
  while (x && cJSON_IsString(x)) {
    x = x->next;
  }
  if (x || !cJSON_IsObject(r->json)) {
    wrong(r, "answers: an object of texts, question and answer");
  } else {
    answers_tell(r->json);
    r->json = NULL;
    ok(r);
  }
}

/* POST /standin/batch */
static void set_batch(struct request *r) {
  const char *why = plan_set(r->json);
  if (why) {
    wrong(r, why);
  } else {
    ok(r);
  }
}

/* GET /standin/batches */
static void show_batches(struct request *r) {
  cJSON *j = cJSON_CreateObject();
  job_tick();
  cJSON_AddItemToObject(j, "files", files_report());
  cJSON_AddItemToObject(j, "batches", job_report());
  cJSON_AddItemToObject(j, "steps", plan_steps());
  reply_json(&r->reply, 200, j);
}

/* POST /standin/cache */
static void set_cache(struct request *r) {
  const cJSON *miss = json_get(r->json, "miss");
  double share = cJSON_IsNumber(miss) ? miss->valuedouble : 0;
  if (json_get(r->json, "later_ms")) {
    cache_later(json_int(r->json, "later_ms", 0));
    ok(r);
  } else if (!(share >= 0 && share <= 1)) {
    wrong(r, "miss: a share from 0 to 1");
  } else {
    cache_set(json_int(r->json, "readable_ms", -1), share, (uint64_t)json_int(r->json, "seed", 0),
              json_int(r->json, "floor", 0), cJSON_IsTrue(json_get(r->json, "apart")));
    ok(r);
  }
}

/* POST /standin/rate */
static void set_rate(struct request *r) {
  const char *why = rate_set(r->json);
  if (why) {
    wrong(r, why);
  } else {
    ok(r);
  }
}

/* GET /standin/rate */
static void show_rate(struct request *r) {
  reply_json(&r->reply, 200, rate_report());
}

/* Serves a /standin/ page into r->reply; 0 when the path is none of them. */
int admin_handle(struct request *r) {
  static const struct {
    const char *method, *path;
    void (*run)(struct request *);
  } aPage[] = {
      {"GET", "/standin/bill", show_bill},           {"GET", "/standin/journal", show_journal},
      {"GET", "/standin/last", show_last},           {"GET", "/standin/scenarios", show_scenarios},
      {"POST", "/standin/reset", reset_all},         {"POST", "/standin/latency", set_latency},
      {"POST", "/standin/scenario", set_scenario},   {"POST", "/standin/batch", set_batch},
      {"POST", "/standin/tokens", set_token_factor}, {"POST", "/standin/cache", set_cache},
      {"POST", "/standin/rate", set_rate},           {"GET", "/standin/rate", show_rate},
      {"GET", "/standin/batches", show_batches},     {"POST", "/standin/answers", set_answers},
  };
  if (strncmp(r->raw_path, "/standin", 8) != 0) {
    return 0;
  }
  r->json = json_strict(r->body.p, r->body.n);
  for (size_t i = 0; i < sizeof aPage / sizeof aPage[0]; i++) {
    if (strcmp(aPage[i].path, r->raw_path) == 0 && strcmp(aPage[i].method, r->method) == 0) {
      aPage[i].run(r);
      return 1;
    }
  }
  reply_error(r, 404, NULL, "standin", NULL, "no such page");
  return 1;
}

/* Forgets the latest request, and the answers that were told. */
void admin_free(void) {
  answers_tell(NULL);
  pthread_mutex_lock(&lock);
  free(last);
  last = NULL;
  buf_free(&last_body);
  pthread_mutex_unlock(&lock);
}
