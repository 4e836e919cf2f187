/*
** scenario.c: the table of faults, who chose which, and how often each has struck.
**
** A scenario is a row of aScenario. A request chooses one by name; "-always" after the name makes
** it strike every time, "-N" makes it strike the first N times a body is seen (for "slow", N is
** milliseconds, for "batch-..." what plan.c says). Strikes are counted per (scenario, path, body), so a client that repeats its
** request unchanged sees the fault end, and another request meets it anew.
**
** What a row means to the provider that lacks it: content-filter is stop_reason refusal with
** Anthropic; empty is an empty content list there; bad-usage is a negative input_tokens there, and
** cached_tokens above prompt_tokens with OpenAI; sse-cut breaks a stream before its usage and
** leaves whole answers alone; service-tier says "priority" but is billed like any other;
** cache-floor asks 4,096 tokens of an Anthropic prefix, and changes nothing with OpenAI. Scenarios
** that alter an answer do nothing to requests that have none (files, polls); those that break the
** wire or refuse do so everywhere.
**
** Errors that scenarios answer with, and the two providers' error bodies, are built here as well.
*/
#include "standin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IRE "invalid_request_error"

/* name, fault, times, status, type, code, message, Anthropic: status, type, details.error_code,
** header */
static const struct scenario aScenario[] = {
    {"ok", FT_OK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"rate-limit", FT_HTTP, 1, 429, "requests", "rate_limit_exceeded",
     "Rate limit reached for requests. Please try again in 40ms.", 0, "rate_limit_error", 0,
     "retry-after-ms", "40"},
    {"rate-limit-seconds", FT_HTTP, 1, 429, "tokens", "rate_limit_exceeded",
     "Rate limit reached for tokens. Please try again in 1s.", 0, "rate_limit_error", 0,
     "retry-after", "1"},
    {"rate-limit-date", FT_HTTP, 1, 429, "requests", "rate_limit_exceeded",
     "Rate limit reached for requests.", 0, "rate_limit_error", 0, "retry-after", "date"},
    {"rate-limit-long", FT_HTTP, 0, 429, "tokens", "rate_limit_exceeded",
     "Rate limit reached for tokens per day. Please try again in 1h.", 0, "rate_limit_error", 0,
     "retry-after", "3600"},
    {"slow-down", FT_HTTP, 1, 429, "requests", "slow_down",
     "You are sending requests too quickly. Reduce your rate and ramp up gradually.", 0,
     "rate_limit_error", "ramp_limit_exceeded", 0, 0},
    {"quota", FT_HTTP, 0, 429, "insufficient_quota", "insufficient_quota",
     "You exceeded your current quota, please check your plan and billing details.", 0,
     "rate_limit_error", "contract_spend_limit_reached", 0, 0},
    {"spend-limit", FT_HTTP, 0, 429, "insufficient_quota", "project_spend_limit_exceeded",
     "The project has reached its spend limit.", 0, "rate_limit_error",
     "enforced_spend_limit_reached", 0, 0},
    {"overloaded", FT_HTTP, 1, 503, "server_error", "overloaded",
     "The server is currently overloaded, please try again later.", 529, "overloaded_error", 0, 0,
     0},
    {"server-error", FT_HTTP, 1, 500, "server_error", 0,
     "The server had an error while processing your request. Sorry about that!", 0, "api_error", 0,
     0, 0},
    {"bad-gateway", FT_HTML, 1, 502, 0, 0, 0, 0, 0, 0, 0, 0},
    {"conflict", FT_HTTP, 1, 409, IRE, "conflict",
     "The resource is being changed by another request.", 0, "conflict_error", 0, 0, 0},
    {"request-timeout", FT_HTTP, 1, 408, "server_error", "request_timeout",
     "The request timed out.", 0, "timeout_error", 0, 0, 0},
    {"should-retry-false", FT_HTTP, 0, 500, "server_error", 0, "Do not repeat this request.", 0,
     "api_error", 0, "x-should-retry", "false"},
    {"should-retry-true", FT_HTTP, 1, 400, IRE, 0, "Repeat this request.", 0, IRE, 0,
     "x-should-retry", "true"},
    {"unauthorized", FT_HTTP, 0, 401, IRE, "invalid_api_key", "Incorrect API key provided.", 0,
     "authentication_error", 0, 0, 0},
    {"forbidden", FT_HTTP, 0, 403, IRE, "unsupported_country_region_territory",
     "Country, region, or territory not supported.", 0, "permission_error", 0, 0, 0},
    {"billing", FT_HTTP, 0, 402, "insufficient_quota", "credit_balance_exhausted",
     "Your credit balance is exhausted.", 0, "billing_error", 0, 0, 0},
    {"not-found", FT_HTTP, 0, 404, IRE, "model_not_found",
     "The model does not exist or you do not have access to it.", 0, "not_found_error", 0, 0, 0},
    {"gone", FT_HTTP, 1, 404, IRE, 0, "No such object was found.", 0, "not_found_error", 0, 0, 0},
    {"bad-request", FT_HTTP, 0, 400, IRE, 0, "The request was refused by this scenario.", 0, IRE, 0,
     0, 0},
    {"context-length", FT_HTTP, 0, 400, IRE, "context_length_exceeded",
     "This model's maximum context length is 128000 tokens. However, your messages resulted in "
     "128001 tokens. Please reduce the length of the messages.",
     0, IRE, 0, 0, 0},
    {"unprocessable", FT_DETAIL, 0, 422, 0, 0, 0, 0, 0, 0, 0, 0},
    {"hang", FT_HANG, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"hang-unbilled", FT_HANG_UNBILLED, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"slow-loris", FT_LORIS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"truncated", FT_TRUNCATED, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"reset", FT_RESET, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"close", FT_CLOSE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"reset-after", FT_RESET_AFTER, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"bad-gateway-after", FT_GATEWAY_AFTER, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"failed-200", FT_FAILED_200, 1, 200, 0, 0, 0, 0, 0, 0, 0, 0},
    {"length", FT_LENGTH, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"refusal", FT_REFUSAL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"content-filter", FT_FILTER, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"tool-call", FT_TOOL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"empty", FT_EMPTY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"null-content", FT_NULL_CONTENT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"no-usage", FT_NO_USAGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"zero-usage", FT_ZERO_USAGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"null-usage-fields", FT_NULL_USAGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"bad-usage", FT_BAD_USAGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"string-usage", FT_STRING_USAGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"bad-json", FT_BAD_JSON, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"not-json", FT_NOT_JSON, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"bad-utf8", FT_BAD_UTF8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"nul", FT_NUL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"deep-json", FT_DEEP, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"huge", FT_HUGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"big-headers", FT_BIG_HEADERS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"wrong-schema", FT_WRONG_SCHEMA, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"fenced-json", FT_FENCED, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"redirect", FT_REDIRECT, 0, 302, 0, 0, 0, 0, 0, 0, 0, 0},
    {"redirect-away", FT_REDIRECT_AWAY, 0, 302, 0, 0, 0, 0, 0, 0, 0, 0},
    {"sse-cut", FT_SSE_CUT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"sse-no-usage", FT_SSE_NO_USAGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"slow", FT_SLOW, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"reported-cost", FT_COST, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"service-tier", FT_TIER, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"fallback", FT_FALLBACK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"gpt-cached", FT_CACHED, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"cache-floor", FT_CACHE_FLOOR, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"rst-after", FT_RST_AFTER, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    /* Settings of plan.c for one batch; N is the number behind the name, else the code. */
    {"batch-token-limit", FT_BATCH, 0, 0, 0, 0, "{\"refuse\":\"token_limit_exceeded\"}", 0, 0, 0, 0,
     0},
    {"batch-expired", FT_BATCH, 0, 0, 0, "-1", "{\"end\":\"expired\",\"finished\":N}", 0, 0, 0, 0,
     0},
    {"batch-failed", FT_BATCH, 0, 0, 0, "-1", "{\"end\":\"failed\",\"finished\":N}", 0, 0, 0, 0, 0},
    {"batch-empty", FT_BATCH, 0, 0, 0, 0, "{\"end\":\"empty\"}", 0, 0, 0, 0, 0},
    {"batch-all-failed", FT_BATCH, 0, 0, 0, "400", "{\"errors\":-1,\"errors_status\":N}", 0, 0, 0,
     0, 0},
    {"batch-no-credit", FT_BATCH, 0, 0, 0, "-1", "{\"no_credit\":N}", 0, 0, 0, 0, 0},
    {"batch-errors", FT_BATCH, 0, 0, 0, "500", "{\"errors_every\":3,\"errors_status\":N}", 0, 0, 0,
     0, 0},
    {"batch-progress", FT_BATCH, 0, 0, 0, "1", "{\"progress\":N}", 0, 0, 0, 0, 0},
    {"batch-finalizing", FT_BATCH, 0, 0, 0, "1", "{\"finalizing\":N}", 0, 0, 0, 0, 0},
    {"batch-slow-cancel", FT_BATCH, 0, 0, 0, "3", "{\"cancel_polls\":N}", 0, 0, 0, 0, 0},
    {"batch-ids", FT_BATCH, 0, 0, 0, 0, "{\"lines\":{\"double\":0,\"missing\":1,\"unknown\":0}}", 0,
     0, 0, 0, 0},
    {"batch-crlf", FT_BATCH, 0, 0, 0, 0, "{\"file\":[\"crlf\",\"blank\"]}", 0, 0, 0, 0, 0},
    {"batch-usage-off", FT_BATCH, 0, 0, 0, "100", "{\"usage_off\":N}", 0, 0, 0, 0, 0},
    {"batch-line-cut", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"cut\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-null", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"null\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-array", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"array\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-no-usage", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"no-usage\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-no-body", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"no-body\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-huge", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"huge\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-separators", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"separators\":N}}", 0, 0, 0, 0,
     0},
    {"batch-line-controls", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"controls\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-blank", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"blank\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-double", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"double\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-missing", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"missing\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-unknown", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"unknown\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-foreign", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"foreign\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-error", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"error\":N}}", 0, 0, 0, 0, 0},
    {"batch-line-no-credit", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"no-credit\":N}}", 0, 0, 0, 0,
     0},
    {"batch-line-unanswered", FT_BATCH, 0, 0, 0, "0", "{\"lines\":{\"unanswered\":N}}", 0, 0, 0, 0,
     0},
    {"batch-file-crlf", FT_BATCH, 0, 0, 0, 0, "{\"file\":[\"crlf\"]}", 0, 0, 0, 0, 0},
    {"batch-file-blank", FT_BATCH, 0, 0, 0, 0, "{\"file\":[\"blank\"]}", 0, 0, 0, 0, 0},
    {"batch-file-no-newline", FT_BATCH, 0, 0, 0, 0, "{\"file\":[\"no-newline\"]}", 0, 0, 0, 0, 0},
    {"batch-file-bom", FT_BATCH, 0, 0, 0, 0, "{\"file\":[\"bom\"]}", 0, 0, 0, 0, 0},
    {"batch-file-lone-cr", FT_BATCH, 0, 0, 0, 0, "{\"file\":[\"lone-cr\"]}", 0, 0, 0, 0, 0},
};
#define ROWS (sizeof aScenario / sizeof aScenario[0])

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map strikes;            /* (scenario, path, body) -> times struck */
static const struct scenario *chosen; /* the default; NULL = ok */
static char chosen_name[NAME_MAX_LEN];
static int64_t wait_all;  /* latency of every request, at least */
static int64_t wait_more; /* and so much more at most, drawn by the request and the seed */
static uint64_t wait_seed;
static int64_t wait_row[ROWS]; /* latency + 1 of one scenario; 0 = as for all */

/* The row whose name is the first n bytes of s, or NULL. */
static const struct scenario *row_named(const char *s, size_t n) {
  for (size_t i = 0; i < ROWS; i++) {
    if (strlen(aScenario[i].name) == n && memcmp(aScenario[i].name, s, n) == 0) {
      return &aScenario[i];
    }
  }
  return NULL;
}

/* Finds a scenario by name, suffix included. Returns 0 when there is no such row. */
int scenario_find(const char *name, struct choice *out) {
  memset(out, 0, sizeof *out);
  copy_name(out->name, sizeof out->name, name);
  out->arg = -1;
  out->row = row_named(name, strlen(name));
  if (out->row) {
    out->times = out->row->times;
    return 1;
  }
  const char *dash = strrchr(name, '-');
  if (!dash) {
    return 0;
  }
  out->row = row_named(name, (size_t)(dash - name));
  if (!out->row) {
    return 0;
  }
  if (strcmp(dash, "-always") == 0) {
    return 1;
  }
  char *end = NULL;
  out->arg = strtol(dash + 1, &end, 10);
  if (end == dash + 1 || *end || out->arg < 0) {
    return 0;
  }
  out->times = out->row->fault == FT_SLOW || out->row->fault == FT_BATCH ? 0 : out->arg;
  return 1;
}

/* The scenario of requests that choose none. */
void scenario_default_get(struct choice *out) {
  char name[NAME_MAX_LEN];
  pthread_mutex_lock(&lock);
  copy_name(name, sizeof name, chosen ? chosen_name : "ok");
  pthread_mutex_unlock(&lock);
  scenario_find(name, out);
}

/* Sets it. Returns 0 when no scenario has the name. */
int scenario_default_set(const char *name) {
  struct choice c;
  if (!scenario_find(name, &c)) {
    return 0;
  }
  pthread_mutex_lock(&lock);
  chosen = c.row;
  copy_name(chosen_name, sizeof chosen_name, name);
  pthread_mutex_unlock(&lock);
  return 1;
}

/* The fault that strikes this request now: the row's, or FT_OK once it has struck often enough. */
enum fault scenario_strike(const struct choice *c, uint64_t body_hash) {
  if (c->times == 0) {
    int counts = c->row->fault != FT_SLOW && c->row->fault != FT_BATCH;
    return c->arg == 0 && counts ? FT_OK : c->row->fault;
  }
  pthread_mutex_lock(&lock);
  int64_t seen = map_add(&strikes, hash_bytes(c->name, strlen(c->name), body_hash), 1);
  pthread_mutex_unlock(&lock);
  return seen <= c->times ? c->row->fault : FT_OK;
}

/* Forgets strikes, the default, and latencies of single scenarios. */
void scenario_reset(void) {
  pthread_mutex_lock(&lock);
  map_free(&strikes);
  chosen = NULL;
  memset(wait_row, 0, sizeof wait_row);
  pthread_mutex_unlock(&lock);
}

/* Appends the names, one per line. */
void scenario_list(struct buf *out) {
  for (size_t i = 0; i < ROWS; i++) {
    buf_printf(out, "%s%s\n", aScenario[i].name, aScenario[i].times ? " (once)" : "");
  }
}

/* Milliseconds to wait before a request of this scenario is answered. */
int64_t latency_ms(const struct choice *c, uint64_t body_hash) {
  pthread_mutex_lock(&lock);
  int64_t own = wait_row[c->row - aScenario];
  int64_t ms = own ? own - 1 : wait_all;
  if (!own && wait_more > 0) {
    ms +=
        (int64_t)(hash_bytes(&body_hash, sizeof body_hash, wait_seed) % (uint64_t)(wait_more + 1));
  }
  pthread_mutex_unlock(&lock);
  if (c->row->fault == FT_SLOW) {
    ms += c->arg >= 0 ? c->arg : 1000;
  }
  return ms;
}

/* Sets the latency of all requests (NULL) or of one scenario. Returns 0 when it is unknown. */
int latency_set(const char *scenario, int64_t ms) {
  const struct scenario *row = scenario ? row_named(scenario, strlen(scenario)) : NULL;
  if (scenario && !row) {
    return 0;
  }
  pthread_mutex_lock(&lock);
  if (row) {
    wait_row[row - aScenario] = ms + 1;
  } else {
    wait_all = ms;
    wait_more = 0;
  }
  pthread_mutex_unlock(&lock);
  return 1;
}

/* Sets the latency of all requests to one drawn from ms to to_ms: by the request's path, its body
** and the seed, so that the same one takes as long each time. */
void latency_draw(int64_t ms, int64_t to_ms, uint64_t seed) {
  pthread_mutex_lock(&lock);
  wait_all = ms;
  wait_more = to_ms - ms;
  wait_seed = seed;
  pthread_mutex_unlock(&lock);
}

/* An OpenAI error body, owned; type, code and param may be NULL. */
cJSON *error_openai(const char *type, const char *code, const char *param, const char *message) {
  cJSON *body = cJSON_CreateObject();
  cJSON *e = cJSON_AddObjectToObject(body, "error");
  cJSON_AddStringToObject(e, "message", message);
  json_add_text(e, "type", type);
  json_add_text(e, "param", param);
  json_add_text(e, "code", code);
  return body;
}

/* Anthropic's error type for a status. */
static const char *anthropic_type(int status) {
  static const struct {
    int status;
    const char *type;
  } aType[] = {{401, "authentication_error"}, {402, "billing_error"},    {403, "permission_error"},
               {404, "not_found_error"},      {408, "timeout_error"},    {409, "conflict_error"},
               {413, "request_too_large"},    {429, "rate_limit_error"}, {529, "overloaded_error"}};
  for (size_t i = 0; i < sizeof aType / sizeof aType[0]; i++) {
    if (aType[i].status == status) {
      return aType[i].type;
    }
  }
  return status >= 500 ? "api_error" : IRE;
}

/* An Anthropic error body; type NULL = the one that goes with the status; code may be NULL. */
cJSON *error_anthropic(int status, const char *type, const char *code, const char *message) {
  char id[40];
  snprintf(id, sizeof id, "req_standin%016llx", (unsigned long long)next_id());
  cJSON *body = cJSON_CreateObject();
  cJSON_AddStringToObject(body, "type", "error");
  cJSON *e = cJSON_AddObjectToObject(body, "error");
  cJSON_AddStringToObject(e, "type", type ? type : anthropic_type(status));
  cJSON_AddStringToObject(e, "message", message);
  if (code) {
    cJSON_AddStringToObject(cJSON_AddObjectToObject(e, "details"), "error_code", code);
  }
  cJSON_AddStringToObject(body, "request_id", id);
  return body;
}

/* The error a row of the FT_HTTP family answers with: its status, and the body in *body (owned). */
int scenario_error(const struct scenario *s, enum api api, cJSON **body) {
  if (api == API_ANTHROPIC) {
    int status = s->status_anthropic ? s->status_anthropic : s->status;
    *body = error_anthropic(status, s->type_anthropic, s->code_anthropic, s->message);
    return status;
  }
  *body = error_openai(s->type, s->code, NULL, s->message);
  return s->status;
}
