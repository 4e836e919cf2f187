/*
** See extra.h for the contract.
*/
#include "core/request/extra.h"

#include "base/text/glob.h"

#include <string.h>

/* Names that are taken, lower case (GLOBs), and what to do. */
static const struct {
  const char *names, *instead;
} taken[] = {
    {"model", "the model is option 'model'"},
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
    {"service_tier", "use option 'service'"},
    {"reasoning_effort", "use option 'reasoning'"},
    {"logprobs", "use option 'logprobs'"},
    {"background", "an answer is waited for here; batch_submit is for those that are not"},
};

/* Of a row: what makes a provider ask, call or tell others, or go on with what somebody else has said. */
static const char reaching[] =
    "plugins mcp* *webhook* *callback* *connector* *search* *_url url previous_response_id "
    "conversation container* *file_id* *vector_store* audio modalities prediction";

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

/* 1 if something in it, however deep, is an address or names a way to somebody else. */
static int reaches(const cJSON *item) {
  char name[LONGEST_NAME + 1];
  lower(item->string ? item->string : "", name);
  int does = (name[0] && glob_any(reaching, name)) ||
             (cJSON_IsString(item) && strstr(item->valuestring, "://") != NULL);
  for (const cJSON *child = item->child; child && !does; child = child->next) {
    does = reaches(child);
  }
  return does;
}

/* What is wrong with a member's name; NULL: nothing. */
static const char *fault_of(const cJSON *item) {
  char name[LONGEST_NAME + 1];
  if (!item->string[0] || strlen(item->string) > LONGEST_NAME) {
    return "a name has 1 to 64 bytes";
  }
  lower(item->string, name);
  for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
    if (glob_any(taken[i].names, name)) {
      return taken[i].instead;
    }
  }
  return NULL;
}

int extra_check(const cJSON *extra, ExtraFrom from, Err *err) {
  int n = 0;
  for (const cJSON *item = extra->child; item && err->rc == RC_OK; item = item->next) {
    const char *fault = ++n > MOST_MEMBERS ? "at most 64 members" : fault_of(item);
    if (!fault && from == EXTRA_OF_ROW && reaches(item)) {
      fault = "a row of llm_models may not make a provider turn to somebody else; a call may";
    }
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
