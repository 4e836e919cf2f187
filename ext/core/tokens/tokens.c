/*
** Models and their token counts. See tokens.h for the contract.
**
** Names of encodings by model: tiktoken's own list (model.py), and OpenAI's later models, which all
** use o200k_base.
**
** The priors are estimates of our own for English prose and code, to be replaced by what a ledger
** teaches: Claude's vocabulary has about 65,000 entries (Anthropic published that of Claude 2), a
** third of o200k_base, and gives about a fifth more tokens; from Opus 4.7 on Anthropic says the
** same text has up to 1.35 times as many as before; Gemini and Gemma have 256,000 entries, near
** o200k_base; Mistral's later models 131,000, its earlier ones and Llama 2 32,000; Llama 3 128,000,
** made like cl100k_base; Qwen 152,000, DeepSeek 129,000.
*/
#include "core/tokens/tokens.h"

#include "base/text/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PRIMING = 3, ROLE = 1 }; /* a role's name is one token in every encoding */

/* A name, or the beginning of one ("…*"). The first that fits counts. */
static const struct Named {
  const char *pattern;
  Encoding encoding;
} named[] = {
    {"gpt-4o*", ENCODING_O200K},
    {"chatgpt-*", ENCODING_O200K},
    {"gpt-4.*", ENCODING_O200K},
    {"gpt-5*", ENCODING_O200K},
    {"gpt-6*", ENCODING_O200K},
    {"o1", ENCODING_O200K},
    {"o1-*", ENCODING_O200K},
    {"o3", ENCODING_O200K},
    {"o3-*", ENCODING_O200K},
    {"o4-*", ENCODING_O200K},
    {"gpt-oss*", ENCODING_O200K},
    {"gpt-image*", ENCODING_O200K},
    {"gpt-audio*", ENCODING_O200K},
    {"gpt-realtime*", ENCODING_O200K},
    {"codex-mini*", ENCODING_O200K},
    {"gpt-4", ENCODING_CL100K},
    {"gpt-4-*", ENCODING_CL100K},
    {"gpt-4:*", ENCODING_CL100K},
    {"gpt-3.5*", ENCODING_CL100K},
    {"gpt-35*", ENCODING_CL100K},
    {"text-embedding-3-*", ENCODING_CL100K},
    {"text-embedding-ada-002*", ENCODING_CL100K},
    {"davinci-002*", ENCODING_CL100K},
    {"babbage-002*", ENCODING_CL100K},
    {"text-davinci-002*", ENCODING_P50K},
    {"text-davinci-003*", ENCODING_P50K},
    {"text-davinci-edit-*", ENCODING_P50K},
    {"code-search-*", ENCODING_R50K},
    {"code-*", ENCODING_P50K},
    {"davinci-codex", ENCODING_P50K},
    {"cushman-codex", ENCODING_P50K},
    {"text-davinci-001*", ENCODING_R50K},
    {"text-curie-001*", ENCODING_R50K},
    {"text-babbage-001*", ENCODING_R50K},
    {"text-ada-001*", ENCODING_R50K},
    {"text-similarity-*", ENCODING_R50K},
    {"text-search-*", ENCODING_R50K},
    {"davinci", ENCODING_R50K},
    {"davinci:*", ENCODING_R50K},
    {"curie", ENCODING_R50K},
    {"curie:*", ENCODING_R50K},
    {"babbage", ENCODING_R50K},
    {"babbage:*", ENCODING_R50K},
    {"ada", ENCODING_R50K},
    {"ada:*", ENCODING_R50K},
    {"gpt2", ENCODING_R50K},
    {"gpt-2", ENCODING_R50K},
};

/* What a name of another vendor holds, and the prior of its family. The first that fits counts. */
static const struct Family {
  const char *word;
  double factor;
} families[] = {
    {"claude-opus-4-7", 1.45}, {"claude-opus-4-8", 1.45},
    {"claude-opus-4-9", 1.45}, {"claude-opus-5", 1.45},
    {"claude-sonnet-5", 1.45}, {"claude-haiku-5", 1.45},
    {"claude", 1.2},           {"gemini", 1.05},
    {"gemma", 1.05},           {"llama-2", 1.25},
    {"llama2", 1.25},          {"llama", 1.03},
    {"mistral-7b", 1.25},      {"mixtral", 1.25},
    {"mistral", 1.15},         {"ministral", 1.15},
    {"magistral", 1.15},       {"codestral", 1.15},
    {"devstral", 1.15},        {"qwen", 1.05},
    {"deepseek", 1.05},
};

static const double other_factor = 1.1;

static int fits(const char *name, const char *pattern) {
  size_t n = strlen(pattern);
  return pattern[n - 1] == '*' ? strncasecmp(name, pattern, n - 1) == 0
                               : strcasecmp(name, pattern) == 0;
}

/* 1 if behind the beginning `name` of a longer one there is only a date or "-latest". */
static int fits_dated(const char *name, const char *pattern) {
  size_t n = strlen(pattern);
  return pattern[n - 1] != '*' && strncasecmp(name, pattern, n) == 0 &&
         (strncmp(name + n, "-20", 3) == 0 || strcasecmp(name + n, "-latest") == 0);
}

/* The name without what vendors and gateways put in front of it. */
static const char *bare_name(const char *model) {
  static const char *const prefixes[] = {"ft:", "openai."};
  const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model;
  for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
    size_t n = strlen(prefixes[i]);
    name += strncasecmp(name, prefixes[i], n) == 0 ? n : 0;
  }
  return name;
}

static double prior_of(const char *name) {
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    if (strcasestr(name, families[i].word)) {
      return families[i].factor;
    }
  }
  return other_factor;
}

void tokens_rule(const char *model, TokenRule *rule) {
  *rule = (TokenRule){.encoding = ENCODING_O200K, .is_exact = 1, .factor = 1, .per_message = 3};
  if (!model || !model[0]) {
    return;
  }
  const char *name = bare_name(model);
  int e = encoding_parse(model);
  for (size_t i = 0; i < sizeof named / sizeof named[0] && e < 0; i++) {
    if (fits(name, named[i].pattern) || fits_dated(name, named[i].pattern)) {
      e = named[i].encoding;
    }
  }
  rule->is_exact = e >= 0;
  rule->encoding = e >= 0 ? (Encoding)e : ENCODING_O200K;
  rule->factor = e >= 0 ? 1 : prior_of(model);
  rule->per_message = strcasecmp(name, "gpt-3.5-turbo-0301") == 0 ? 4 : 3;
}

int tokens_rule_declared(const char *model, const char *supports, TokenRule *rule, Err *err) {
  Err why = {0}; /* what is no JSON declares nothing (and is told where it is called) */
  cJSON *tree =
      supports && supports[0] ? json_parse(supports, strlen(supports), "supports", &why) : NULL;
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "tokens");
  const char *word = cJSON_GetStringValue(item);
  int e = word ? encoding_parse(word) : -1;
  tokens_rule(model, rule);
  if (e >= 0) {
    rule->encoding = (Encoding)e;
    rule->is_exact = 1;
    rule->factor = 1;
  } else if (word && strcmp(word, "estimate") == 0) {
    rule->factor = rule->is_exact ? other_factor : rule->factor;
    rule->encoding = ENCODING_O200K;
    rule->is_exact = 0;
  } else if (item) {
    err_set(err, RC_ERROR, ERR_CONFIG,
            "model '%.80s': tokens in its supports in llm_models is '%.40s' (valid: %s, estimate)",
            model, word ? word : "no text", ENCODING_NAMES);
  }
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

static long long scaled(const TokenRule *rule, long long tokens) {
  return rule->is_exact || tokens <= 0 ? tokens
                                       : (long long)fmax(1, round((double)tokens * rule->factor));
}

long long tokens_count(const TokenRule *rule, const char *text, size_t n) {
  return scaled(rule, encoding_count(rule->encoding, text, n, rule->cache));
}

long long tokens_overhead(const TokenRule *rule, int n_messages) {
  return (long long)n_messages * (rule->per_message + ROLE) + PRIMING;
}

long long tokens_request(const TokenRule *rule, const Request *r) {
  long long texts = 0, one = 0;
  if (r->system) {
    texts = one = encoding_count(rule->encoding, r->system, strlen(r->system), rule->cache);
  }
  for (int i = 0; i < r->n_messages && one >= 0; i++) {
    one = encoding_count(rule->encoding, r->messages[i].content, r->messages[i].n, rule->cache);
    texts += one;
  }
  return one < 0 ? -1
                 : scaled(rule, texts) + tokens_overhead(rule, r->n_messages + (r->system != NULL));
}

long long tokens_names(const TokenRule *rule, const cJSON *messages) {
  long long names = 0, n = 0;
  const cJSON *message;
  cJSON_ArrayForEach(message, messages) {
    const char *name = json_text(message, "name");
    long long one = name ? tokens_count(rule, name, strlen(name)) : 0;
    if (one < 0) {
      return -1;
    }
    names += one;
    n += name != NULL;
  }
  return names + n * (rule->per_message == 4 ? -1 : 1);
}

/* By billed / counted. */
static int compare_samples(const void *a, const void *b) {
  const TokenSample *x = a, *y = b;
  double left = x->billed * y->counted, right = y->billed * x->counted;
  return (left > right) - (left < right);
}

double tokens_learn(TokenSample *samples, int n, double prior) {
  double total = 0, below = 0, median = prior;
  if (n == 0) {
    return prior;
  }
  qsort(samples, (size_t)n, sizeof *samples, compare_samples);
  for (int i = 0; i < n; i++) {
    total += samples[i].counted;
  }
  for (int i = 0; i < n; i++) {
    below += samples[i].counted;
    if (2 * below >= total) {
      median = samples[i].billed / samples[i].counted;
      break;
    }
  }
  return (prior * TOKENS_PRIOR_SAMPLES + median * n) / (TOKENS_PRIOR_SAMPLES + n);
}
