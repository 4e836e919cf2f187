/*
** Options as one table: name, type, place, range. See options.h for the contract.
*/
#include "core/request/options.h"

#include "base/once.h"
#include "base/text/decimal.h"
#include "core/request/extra.h"
#include "core/request/tools.h"

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

enum { MOST_TOKENS = 10000000 };

/* A number, or by the tag's own answers. */
static int take_max_tokens(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                           Err *err) {
  Options *o = to;
  int is_word = v->text && strcmp(v->text, OPTION_P99) == 0;
  if (!is_word && !decimal_is_whole(v->number, 1, MOST_TOKENS)) {
    return spec_bad(table, s->name, "an integer from 1 to 10000000, or '" OPTION_P99 "'", err);
  }
  o->by_tag = is_word;
  o->max_tokens = is_word ? OPTION_UNSET : (long long)v->number;
  return RC_OK;
}

enum { MOST_STOPS = 64, MOST_REASONING = 10000000, LONGEST_SERVICE = 32 };

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

/* JSON that may have come as its text, where SQL's json() was forgotten around it: borrowed, or NULL and *err. `what` names it
** in the message. */
static const cJSON *json_or_text(const SpecTable *table, const Spec *s, const SpecValue *v,
                                 const char *what, Options *o, Err *err) {
  if (!v->text) {
    return v->json;
  }
  Err why = {0};
  cJSON *tree = json_parse_digits(v->text, strlen(v->text), what, &why);
  if (why.rc != RC_OK) {
    err_set(err, why.rc, table->code, "option '%s': %s", s->name, why.msg);
    return NULL;
  }
  if (!json_drop_doubles(tree)) {
    spec_bad(table, s->name, "objects of at most 1000 members", err);
  }
  return keep_made(o, tree, err);
}

static int take_schema(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                       Err *err) {
  Options *o = to;
  const cJSON *schema = json_or_text(table, s, v, "the schema", o, err);
  if (err->rc == RC_OK && !cJSON_IsObject(schema)) {
    spec_bad(table, s->name, "a JSON Schema (an object)", err);
  }
  if (err->rc == RC_OK) {
    o->schema = schema;
  }
  return err->rc;
}

static int take_extra(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  Options *o = to;
  const cJSON *extra = json_or_text(table, s, v, "the object", o, err);
  if (err->rc == RC_OK && !cJSON_IsObject(extra)) {
    spec_bad(table, s->name, "an object: members of the request beside ours", err);
  }
  if (err->rc == RC_OK && extra_check(extra, EXTRA_OF_CALL, err) == RC_OK) {
    o->extra = extra->child ? extra : NULL;
  }
  return err->rc;
}

static int take_prune(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  Options *o = to;
  if (v->text && !v->text[0]) { /* as the setting: none */
    o->prune = NULL;
    return RC_OK;
  }
  const cJSON *prune =
      cJSON_IsFalse(v->json) ? v->json : json_or_text(table, s, v, "the object", o, err);
  if (err->rc == RC_OK && !cJSON_IsObject(prune) && !cJSON_IsFalse(prune)) {
    spec_bad(table, s->name, "an object: options of llm_prune; or false", err);
  }
  if (err->rc == RC_OK) {
    o->prune = prune;
  }
  return err->rc;
}

static int take_tools(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  Options *o = to;
  const cJSON *given = json_or_text(table, s, v, "the tools", o, err);
  cJSON *tools = err->rc == RC_OK ? tools_read(given, err) : NULL;
  if (err->rc == RC_OK) {
    o->tools = keep_made(o, tools, err);
  }
  return err->rc;
}

static int take_tool_choice(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                            Err *err) {
  Options *o = to;
  if (!cJSON_IsObject(v->json) && (!v->text || !v->text[0])) {
    return spec_bad(table, s->name,
                    "'auto', 'none', 'required', a tool's name, or the provider's own object", err);
  }
  o->tool_choice = v->json;
  return RC_OK;
}

/* A word, or how many tokens; no token is none. */
static int take_reasoning(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                          Err *err) {
  static const char *const words[] = {REASONINGS(SPEC_AS_WORD) NULL};
  Options *o = to;
  int is_known = decimal_is_whole(v->number, 0, MOST_REASONING);
  for (int i = 0; v->text && words[i] && !is_known; i++) {
    is_known = strcmp(v->text, words[i]) == 0;
  }
  if (!is_known) {
    return spec_bad(table, s->name,
                    "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', or a number of "
                    "tokens",
                    err);
  }
  o->reasoning =
      v->text || v->number > 0 ? v->json : keep_made(o, cJSON_CreateString(words[0]), err);
  return err->rc;
}

/* A provider's own word. */
static int take_service(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                        Err *err) {
  Options *o = to;
  size_t n = v->text ? strspn(v->text, "abcdefghijklmnopqrstuvwxyz_") : 0;
  if (n == 0 || n > LONGEST_SERVICE || v->text[n]) {
    return spec_bad(table, s->name, "a word such as 'standard', 'flex', 'priority'", err);
  }
  o->service = v->text;
  return RC_OK;
}

#define INTO(type, member) SPEC_INTO(Options, type, member)
#define LABEL(member) SPEC_OTHER, .at = offsetof(Options, member), .take = take_label

static const Spec specs[] = {
    {"model", INTO(TEXT, model)},
    {"system", INTO(TEXT, system)},
    {"max_tokens", SPEC_OTHER, .take = take_max_tokens},
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
    {"reasoning", SPEC_OTHER, .take = take_reasoning},
    {"service", SPEC_OTHER, .take = take_service},
    {"extra", SPEC_OTHER, .take = take_extra},
    {"tools", SPEC_OTHER, .take = take_tools},
    {"tool_choice", SPEC_OTHER, .take = take_tool_choice},
    {"prune", SPEC_OTHER, .take = take_prune},
    {"returns", INTO(WORD, returns), .words = SPEC_WORDS(RETURNS), .initial = "text"},
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
    {"reasoning_effort", "reasoning"},
    {"effort", "reasoning"},
    {"thinking", "reasoning"},
    {"think", "reasoning"},
    {"thinking_budget", "reasoning"},
    {"budget_tokens", "reasoning"},
    {"service_tier", "service"},
    {"priority", "service"},
    {"extra_body", "extra"},
    {"extra_args", "extra"},
    {"model_kwargs", "extra"},
    {"functions", "tools"},
    {"function_call", "tool_choice"},
    {"extra_headers", "headers stand in llm_models, of the user's own database alone"},
    {"headers", "headers stand in llm_models, of the user's own database alone"},
    {"n", "a request has one answer: with cache 'off' each call is a fresh one"},
    {"top_k", "what no option is for goes into 'extra': {\"extra\":{\"top_k\":40}}"},
    {"presence_penalty", "what no option is for goes into 'extra'"},
    {"frequency_penalty", "what no option is for goes into 'extra'"},
    {"metadata", "what no option is for goes into 'extra'"},
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
    {"api_key", "keys come from the environment" ERR_CURE(", or from llm_secret(name, value)")},
    {"base_url", "addresses stand in llm_models; SELECT llm_init() makes it"},
    {"api_base", "addresses stand in llm_models; SELECT llm_init() makes it"},
    {"stream", "answers are streamed inside, and given whole"},
    {"proxy", "it is a setting of the connection" ERR_CURE(": llm_config('proxy', url)")},
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

const char *options_service(const Options *o) {
  static const struct {
    const char *word, *service;
  } words[] = {{"standard", NULL},
               {"default", NULL},
               {"auto", NULL},
               {"on_demand", NULL},
               {"fast", "priority"}};
  const char *service = o->service;
  for (size_t i = 0; service && i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(o->service, words[i].word) == 0) {
      service = words[i].service;
    }
  }
  return service;
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
  nothing.max_tokens = OPTION_UNSET;
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
  if (o->tool_choice && tools_check_choice(o->tools, o->tool_choice, err) != RC_OK) {
    return err->rc;
  }
  if (o->by_tag && !o->tag) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'max_tokens': '" OPTION_P99
                   "' is by the answers of a tag: give tag with it");
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

/* What goes into the body as it is keeps the digits of long integers, too. */
static int keep_digits(Options *o, const char *json, size_t n, Err *err) {
  static const char *const names[] = {"extra", "tools", "tool_choice"};
  if (!o->doc || err->rc != RC_OK || !json_has_digits(json, n)) {
    return err->rc;
  }
  cJSON *exact = json_parse_digits(json, n, "the options", err);
  if (exact && json_drop_doubles(exact)) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
      cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(exact, names[i]);
      if (item && cJSON_HasObjectItem(o->doc, names[i])) {
        json_replace(o->doc, names[i], item, err);
      } else {
        cJSON_Delete(item);
      }
    }
  }
  cJSON_Delete(exact);
  return err->rc;
}

int options_parse(const char *json, size_t n, Options *o, Err *err) {
  options_init(o);
  if (n > LIMIT_OPTIONS_BYTES) {
    return err_set(err, RC_TOOBIG, ERR_BAD_OPTION, "options of %zu bytes (at most %zu)", n,
                   LIMIT_OPTIONS_BYTES);
  }
  o->doc = spec_parse(&table, json, n, err);
  for (cJSON *item = o->doc ? o->doc->child : NULL; item && err->rc == RC_OK; item = item->next) {
    if (!json_drop_doubles(
            item)) { /* (of the options themselves the last that is not null counts) */
      err_set(err, RC_ERROR, ERR_BAD_OPTION, "an object in the options has over %d members",
              JSON_MOST_MEMBERS);
    }
  }
  keep_digits(o, json, n, err);
  o->given = json;
  o->n_given = n;
  if (!o->doc || err->rc != RC_OK || spec_read(&table, 0, o->doc, o, err) != RC_OK ||
      check_together(o, err) != RC_OK) {
    options_free(o);
  }
  o->given = NULL;
  o->n_given = 0;
  return err->rc;
}
