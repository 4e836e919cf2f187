/*
** Options as one table: name, type, place, range. See options.h for the contract.
*/
#include "core/request/options.h"

#include "base/once.h"
#include "base/text/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Any integer that a JSON number can hold. */
static int take_seed(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                     Err *err) {
  Options *o = to;
  if (!decimal_is_whole(v->number, -(double)LIMIT_COUNT, (double)LIMIT_COUNT)) {
    return spec_bad(table, s->name, "an integer of at most 53 bits", err);
  }
  o->seed = (long long)v->number;
  o->has_seed = 1;
  return RC_OK;
}

enum { MOST_STOPS = 64 };

/* A string, or some of them; none empty (providers refuse those). How many there may be, each provider says. */
static int take_stop(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                     Err *err) {
  Options *o = to;
  const cJSON *item = cJSON_IsArray(v->json) ? v->json->child : v->json;
  int n = cJSON_IsArray(v->json) ? cJSON_GetArraySize(v->json) : 1;
  int fits = n >= 1 && n <= MOST_STOPS;
  for (int i = 0; i < n && fits; i++, item = item->next) {
    fits = cJSON_IsString(item) && item->valuestring[0];
  }
  if (!fits) {
    return spec_bad(table, s->name, "a non-empty string, or an array of 1 to 64 of them", err);
  }
  o->stop = v->json;
  return RC_OK;
}

/* Keeps a value that was made of another: it lives as long as the options. NULL is out of memory. */
static cJSON *keep_made(Options *o, cJSON *item, Err *err) {
  o->made = o->made ? o->made : cJSON_CreateArray();
  return json_add(o->made, NULL, item, err);
}

/* A text; or an integer, as the keys of tables are, digit by digit as it was given (63 of them). */
static int take_label(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  const char *text = v->text;
  const Options *o = to;
  char digits[64];
  int is_integer =
      !isnan(v->number) && json_integer_text(o->given, o->n_given, s->name, digits, sizeof digits);
  if (!is_integer && decimal_is_whole(v->number, -(double)LIMIT_COUNT, (double)LIMIT_COUNT)) {
    snprintf(digits, sizeof digits, "%lld", (long long)v->number); /* 1.0, 1e3 */
    is_integer = 1;
  }
  if (is_integer) {
    const cJSON *made = keep_made(to, cJSON_CreateString(digits), err);
    text = made ? made->valuestring : NULL;
  } else if (!text) {
    spec_bad(table, s->name, "text or an integer", err);
  }
  if (err->rc == RC_OK) {
    *(const char **)((char *)to + s->at) = text;
  }
  return err->rc;
}

/* A name, an object, or an array of these. */
static int take_gate(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                     Err *err) {
  Options *o = to;
  const cJSON *item = cJSON_IsArray(v->json) ? v->json->child : v->json;
  int fits = item != NULL;
  for (; item && fits; item = cJSON_IsArray(v->json) ? item->next : NULL) {
    fits = cJSON_IsObject(item) || (cJSON_IsString(item) && item->valuestring[0]);
  }
  if (!fits) {
    return spec_bad(table, s->name,
                    "a name in llm_gates, an object {\"kind\": …}, or an array of these", err);
  }
  o->gate = v->json;
  return RC_OK;
}

/* An object; or the text of one, where SQL's json() was forgotten around it. */
static int take_schema(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                       Err *err) {
  Options *o = to;
  const cJSON *schema = v->json;
  if (v->text) {
    Err why = {0};
    cJSON *tree = json_parse(v->text, strlen(v->text), "the schema", &why);
    if (why.rc != RC_OK) {
      return err_set(err, why.rc, table->code, "option 'schema': %s", why.msg);
    }
    schema = keep_made(o, tree, err);
  }
  if (err->rc == RC_OK && !cJSON_IsObject(schema)) {
    spec_bad(table, s->name, "a JSON Schema (an object)", err);
  }
  if (err->rc == RC_OK) {
    o->schema = schema;
  }
  return err->rc;
}

#define INTO(type, member) SPEC_INTO(Options, type, member)
#define LABEL(member) SPEC_OTHER, .at = offsetof(Options, member), .take = take_label

static const Spec specs[] = {
    {"model", INTO(TEXT, model)},
    {"system", INTO(TEXT, system)},
    {"max_tokens", INTO(INTEGER, max_tokens), .min = 1, .max = 10000000},
    {"temperature", INTO(NUMBER, temperature), .min = 0, .max = 2},
    {"top_p", INTO(NUMBER, top_p), .min = 0, .max = 1},
    {"seed", SPEC_OTHER, .take = take_seed},
    {"stop", SPEC_OTHER, .take = take_stop},
    {"schema", SPEC_OTHER, .take = take_schema},
    {"cache", INTO(WORD, cache), .words = SPEC_WORDS(CACHE_MODES)},
    {"threshold", INTO(NUMBER, threshold), .min = -1, .max = 1, .what = "a cosine"},
    {"ttl", INTO(DURATION, ttl_ms)},
    {"tag", LABEL(tag)},
    {"user", LABEL(user)},
    {"conversation", LABEL(conversation)},
    {"timeout_ms", INTO(INTEGER, timeout_ms), .min = 1, .max = 3600000},
    {"retries", INTO(INTEGER, retries), .min = 0, .max = LIMIT_ATTEMPTS - 1},
    {"retry_lost", INTO(SWITCH, retry_lost)},
    {"dry_run", INTO(SWITCH, dry_run)},
    {"gate", SPEC_OTHER, .take = take_gate},
    {"escalate", INTO(SWITCH, escalate)},
    {"audit", INTO(NUMBER, audit), .min = 0, .max = 1},
    {"score", INTO(NUMBER, score), .min = 0, .max = 1},
    {"scorer", INTO(WORD, scorer), .words = SPEC_WORDS(SCORERS)},
    {"logprobs", INTO(SWITCH, logprobs)},
    {"prompt_cache", INTO(WORD, prompt_cache), .words = SPEC_WORDS(PROMPT_CACHES),
     .initial = "auto"},
    {"on_error", INTO(WORD, on_error), .words = SPEC_WORDS(ON_ERRORS), .initial = "error"},
};

/* As the clients of OpenAI, Anthropic, Google, LangChain, LiteLLM and our own tables say it. */
static const SpecHint hints[] = {
    {"system_prompt", "system"},
    {"system_message", "system"},
    {"instructions", "system"},
    {"max_completion_tokens", "max_tokens"},
    {"max_output_tokens", "max_tokens"},
    {"maxOutputTokens", "max_tokens"},
    {"max_length", "max_tokens"},
    {"temp", "temperature"},
    {"random_seed", "seed"},
    {"stop_sequences", "stop"},
    {"json_schema", "schema"},
    {"response_format", "schema"},
    {"response_schema", "schema"},
    {"responseSchema", "schema"},
    {"format", "schema"},
    {"similarity", "threshold"},
    {"similarity_threshold", "threshold"},
    {"cache_ttl", "ttl"},
    {"cache_control", "prompt_cache"},
    {"prompt_caching", "prompt_cache"},
    {"prompt_cache_ttl", "prompt_cache"},
    {"prompt_cache_retention", "prompt_cache"},
    {"prompt_cache_options", "prompt_cache"},
    {"expires", "ttl"},
    {"model_name", "model"},
    {"deployment", "model"},
    {"engine", "model"},
    {"tags", "tag"},
    {"label", "tag"},
    {"difficulty", "score"},
    {"router", "scorer"},
    {"gates", "gate"},
    {"guardrails", "gate"},
    {"validator", "gate"},
    {"cascade", "escalate"},
    {"fallback", "it is a setting of the connection: llm_config('fallback', 'up')"},
    {"fallbacks", "other models are tiers: see llm_tiers, and llm_config('fallback', 'up')"},
    {"top_logprobs", "logprobs"},
    {"user_id", "user"},
    {"customer", "user"},
    {"customer_id", "user"},
    {"end_user", "user"},
    {"session", "conversation"},
    {"session_id", "conversation"},
    {"thread_id", "conversation"},
    {"conversation_id", "conversation"},
    {"timeout", "it is called 'timeout_ms' here, in milliseconds"},
    {"request_timeout", "it is called 'timeout_ms' here, in milliseconds"},
    {"max_retries", "retries"},
    {"num_retries", "retries"},
    {"on_conflict", "on_error"},
    {"messages", "a conversation is the first argument of llm_chat"},
    {"prompt", "the prompt is the first argument"},
    {"provider", "the provider stands in front of the model: {\"model\":\"openai/o3\"}"},
    {"api_key", "keys come from the environment, or from llm_secret(name, value)"},
    {"base_url", "addresses stand in llm_models; SELECT llm_init() makes it"},
    {"api_base", "addresses stand in llm_models; SELECT llm_init() makes it"},
    {"stream", "answers are streamed inside, and given whole"},
    {"proxy", "it is a setting of the connection: llm_config('proxy', url)"},
    {"max_usd", "it is a setting of the connection: llm_config('max_usd', 5)"},
    {"max_calls", "it is a setting of the connection: llm_config('max_calls', 100)"},
    {"budget", "a limit is a setting of the connection: llm_config('max_usd', 5)"},
    {"log_text", "it is a setting of the connection: llm_config('log_text', 'hash')"},
    {NULL, NULL},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, "model",
                                hints,    specs,          sizeof specs / sizeof specs[0]};

static const Spec *spec_named(const char *name) {
  const Spec *found = NULL;
  for (size_t i = 0; i < sizeof specs / sizeof specs[0] && !found; i++) {
    found = strcmp(specs[i].name, name) == 0 ? &specs[i] : NULL;
  }
  return found;
}

int options_know(const char *name) {
  return spec_named(name) != NULL;
}

int options_take_json(const char *name) {
  const Spec *s = spec_named(name);
  return s && s->type == SPEC_OTHER;
}

/* What every call without options starts from: going through the table each time would cost an exact
** hit one instruction in twelve. */
static Options nothing;
static Once once = ONCE_INIT;

static int make_nothing(void) {
  spec_init(&table, &nothing);
  return 1;
}

void options_init(Options *o) {
  once_make(&once, make_nothing);
  *o = nothing;
}

void options_free(Options *o) {
  cJSON_Delete(o->doc);
  cJSON_Delete(o->made);
  options_init(o);
}

/* What no single option shows. */
static int check_together(const Options *o, Err *err) {
  if (!isnan(o->threshold) && o->cache != CACHE_SEMANTIC) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'threshold' is for the semantic cache: give cache 'semantic' with it");
  }
  if (o->model && !o->model[0]) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'model': expected a name, or 'auto'");
  }
  if (o->model && strlen(o->model) >= LIMIT_MODEL_NAME) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'model': at most %d bytes",
                   LIMIT_MODEL_NAME - 1);
  }
  return RC_OK;
}

int options_parse(const char *json, size_t n, Options *o, Err *err) {
  options_init(o);
  if (n > LIMIT_OPTIONS_BYTES) {
    return err_set(err, RC_TOOBIG, ERR_BAD_OPTION, "options of %zu bytes (at most %zu)", n,
                   LIMIT_OPTIONS_BYTES);
  }
  o->doc = spec_parse(&table, json, n, err);
  o->given = json;
  o->n_given = n;
  if (!o->doc || spec_read(&table, 0, o->doc, o, err) != RC_OK || check_together(o, err) != RC_OK) {
    options_free(o);
  }
  o->given = NULL;
  o->n_given = 0;
  return err->rc;
}
