/*
** Usage objects. See usage.h for the contract.
*/
#include "usage.h"

#include <math.h>

void usage_init(Usage *u) {
  u->input = u->cached = u->write_5m = u->write_1h = USAGE_UNKNOWN;
  u->output = u->reasoning = u->reported_nusd = USAGE_UNKNOWN;
}

/* Reads the first of two member names that is there. */
static int read_count(const cJSON *object, const char *key, const char *other, long long *value,
                      Err *err) {
  int found = json_count(object, key, value);
  if (found == 0 && other) {
    key = other;
    found = json_count(object, key, value);
  }
  found = found == 1 && *value > LIMIT_TOKENS ? -1 : found;
  return found >= 0 ? RC_OK
                    : err_set(err, RC_ERROR, "bad_usage", "usage: '%s' is not a token count", key);
}

static const cJSON *child(const cJSON *object, const char *key, const char *other) {
  const cJSON *c = cJSON_GetObjectItemCaseSensitive(object, key);
  return c ? c : cJSON_GetObjectItemCaseSensitive(object, other);
}

/* A cost in dollars (OpenRouter) or in ticks of 1e-10 dollars (xAI). */
static void read_reported_cost(const cJSON *usage, Usage *u) {
  const cJSON *cost = cJSON_GetObjectItemCaseSensitive(usage, "cost");
  long long ticks;
  if (cJSON_IsNumber(cost) && cost->valuedouble >= 0 && cost->valuedouble < 9e9) {
    u->reported_nusd = llround(cost->valuedouble * 1e9);
  } else if (json_count(usage, "cost_in_usd_ticks", &ticks) == 1) {
    u->reported_nusd = (ticks + 5) / 10;
  }
}

/* Where the total is more than its two parts, the rest is reasoning that completion_tokens
** leaves out (xAI, and Gemini's OpenAI endpoint at times): it is billed as output. */
static void add_unlisted_output(const cJSON *usage, Usage *u) {
  long long total = USAGE_UNKNOWN;
  if (json_count(usage, "total_tokens", &total) == 1 && total <= LIMIT_TOKENS &&
      u->input != USAGE_UNKNOWN && u->output != USAGE_UNKNOWN && total > u->input + u->output) {
    u->output = total - u->input;
  }
}

int usage_from_openai(const cJSON *usage, Usage *u, Err *err) {
  usage_init(u);
  const cJSON *in = child(usage, "prompt_tokens_details", "input_tokens_details");
  const cJSON *out = child(usage, "completion_tokens_details", "output_tokens_details");
  read_count(usage, "prompt_tokens", "input_tokens", &u->input, err);
  read_count(usage, "completion_tokens", "output_tokens", &u->output, err);
  read_count(in, "cached_tokens", 0, &u->cached, err);
  read_count(in, "cache_write_tokens", 0, &u->write_5m, err);
  read_count(out, "reasoning_tokens", 0, &u->reasoning, err);
  if (u->cached == USAGE_UNKNOWN) {
    read_count(usage, "prompt_cache_hit_tokens", 0, &u->cached, err); /* DeepSeek */
  }
  add_unlisted_output(usage, u);
  if (u->output == USAGE_UNKNOWN && u->input != USAGE_UNKNOWN &&
      !cJSON_GetObjectItemCaseSensitive(usage, "completion_tokens")) {
    long long total = USAGE_UNKNOWN; /* embeddings report no output */
    if (json_count(usage, "total_tokens", &total) == 1 && total == u->input) {
      u->output = 0;
    }
  }
  read_reported_cost(usage, u);
  return err->rc;
}

static long long known(long long count) {
  return count == USAGE_UNKNOWN ? 0 : count;
}

int usage_from_anthropic(const cJSON *usage, Usage *u, Err *err) {
  usage_init(u);
  long long uncached = USAGE_UNKNOWN, written = USAGE_UNKNOWN;
  const cJSON *split = cJSON_GetObjectItemCaseSensitive(usage, "cache_creation");
  const cJSON *out = cJSON_GetObjectItemCaseSensitive(usage, "output_tokens_details");
  read_count(usage, "input_tokens", 0, &uncached, err);
  read_count(usage, "output_tokens", 0, &u->output, err);
  read_count(usage, "cache_read_input_tokens", 0, &u->cached, err);
  read_count(usage, "cache_creation_input_tokens", 0, &written, err);
  read_count(split, "ephemeral_5m_input_tokens", 0, &u->write_5m, err);
  read_count(split, "ephemeral_1h_input_tokens", 0, &u->write_1h, err);
  read_count(out, "thinking_tokens", 0, &u->reasoning, err);
  if (written != USAGE_UNKNOWN &&
      (u->write_5m == USAGE_UNKNOWN || written > known(u->write_5m) + known(u->write_1h))) {
    u->write_5m =
        written - known(u->write_1h); /* what the split does not name has the short lifetime */
    if (u->write_5m < 0) {
      err_set(err, RC_ERROR, "bad_usage", "usage: more 1-hour cache writes than cache writes");
    }
  }
  if (uncached != USAGE_UNKNOWN) {
    u->input = uncached + known(u->cached) + known(u->write_5m) + known(u->write_1h);
  }
  return err->rc;
}

int usage_from_any(const cJSON *usage, Usage *u, Err *err) {
  int anthropic = cJSON_HasObjectItem(usage, "cache_read_input_tokens") ||
                  cJSON_HasObjectItem(usage, "cache_creation_input_tokens") ||
                  cJSON_HasObjectItem(usage, "cache_creation");
  return anthropic ? usage_from_anthropic(usage, u, err) : usage_from_openai(usage, u, err);
}
