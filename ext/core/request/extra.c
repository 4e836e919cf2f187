/*
** See extra.h for the contract.
*/
#include "core/request/extra.h"

#include "base/text/glob.h"

#include <math.h>
#include <string.h>

/* Names that are taken, lower case (GLOBs), and what to do. */
static const struct {
  const char *names, *instead;
} taken[] = {
    {"model models", "the model is option 'model'; others are tiers, see llm_tiers"},
    {"messages prompt input instructions system contents systeminstruction",
     "what is said is the call's first argument, and option 'system'"},
    {"stream stream_options", "answers are streamed inside, and given whole"},
    {"max_tokens max_completion_tokens max_output_tokens max_new_tokens",
     "use option 'max_tokens'"},
    {"n best_of num_generations candidatecount candidate_count",
     "a request has one answer: with cache 'off' each call is a fresh one"},
    {"temperature", "use option 'temperature'"},
    {"top_p", "use option 'top_p'"},
    {"seed random_seed", "use option 'seed'"},
    {"stop stop_sequences", "use option 'stop'"},
    {"response_format", "use option 'schema'"},
    {"tools functions", "use option 'tools'"},
    {"tool_choice function_call", "use option 'tool_choice'"},
    {"service_tier speed", "use option 'service'"},
    {"reasoning_effort", "use option 'reasoning'"},
    {"logprobs", "use option 'logprobs'"},
    {"background", "an answer is waited for here; batch_submit is for those that are not"},
};

/* Of a row, these alone: what makes an answer better or worse, and nothing dearer than was held for it, answered by others, or told
** to others. */
static const char of_row[] = "top_k min_p top_a typical_p *_penalty logit_bias mirostat* verbosity "
                             "num_ctx keep_alive user metadata "
                             "safety_identifier safe_prompt safety_settings truncation ignore_eos "
                             "skip_special_tokens parallel_tool_calls transforms";

enum { LONGEST_NAME = 64, MOST_MEMBERS = 64 };

static int refuse(const char *name, const char *why, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "'extra' can't have '%.64s': %s", name, why);
}

static void lower(const char *name, char out[LONGEST_NAME + 1]) {
  size_t n = 0;
  for (; n < LONGEST_NAME && name[n]; n++) {
    out[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] + 32 : name[n]);
  }
  out[n] = 0;
}

/* 1 if something in it, however deep, is an address. */
static int has_address(const cJSON *item) {
  int has = cJSON_IsString(item) && strstr(item->valuestring, "//") != NULL;
  for (const cJSON *child = item->child; child && !has; child = child->next) {
    has = has_address(child);
  }
  return has;
}

/* 1 if something in it is a number that JSON has no digits for. */
static int has_endless(const cJSON *item) {
  int has = cJSON_IsNumber(item) && !isfinite(item->valuedouble);
  for (const cJSON *child = item->child; child && !has; child = child->next) {
    has = has_endless(child);
  }
  return has;
}

/* What is wrong with a member; NULL: nothing. (Names are ASCII: some readers take a long s for an s.) */
static const char *fault_of(const cJSON *item, ExtraFrom from) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  char name[LONGEST_NAME + 1];
  size_t n = strlen(item->string);
  if (n == 0 || n > LONGEST_NAME || strspn(item->string, letters) < n) {
    return "a name has 1 to 64 letters, digits, '_', '-' and '.'";
  }
  lower(item->string, name);
  for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
    if (glob_any(taken[i].names, name)) {
      return taken[i].instead;
    }
  }
  if (from == EXTRA_OF_ROW && (!glob_any(of_row, name) || has_address(item))) {
    return "a row of llm_models has only what can't cost more or reach others; a call may have it";
  }
  return has_endless(item) ? "a number is too large for JSON" : NULL;
}

int extra_check(const cJSON *extra, ExtraFrom from, Err *err) {
  int n = 0;
  for (const cJSON *item = extra->child; item && err->rc == RC_OK; item = item->next) {
    const char *fault = ++n > MOST_MEMBERS ? "at most 64 members" : fault_of(item, from);
    if (fault) {
      refuse(item->string, fault, err);
    }
  }
  return err->rc;
}

int extra_merge(cJSON *into, const cJSON *extra, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, extra) {
    cJSON *there = cJSON_GetObjectItemCaseSensitive(into, item->string);
    if (cJSON_IsObject(there) && cJSON_IsObject(item)) {
      extra_merge(there, item, err);
      continue;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(into, item->string);
    json_add(into, item->string, cJSON_Duplicate(item, 1), err);
  }
  return err->rc;
}
