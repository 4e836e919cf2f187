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

#include "base/limits.h"
#include "base/text/glob.h"
#include "base/text/json.h"
#include "core/names/model_name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRIMING = 3, ROLE = 1 }; /* a role's name is one token in every encoding */

/* Bare names in lower case, as GLOBs, of the models that an encoding counts exactly. */
static const struct Exact {
  const char *names;
  Encoding encoding;
} exact[] = {
    {"gpt-4o* chatgpt-* gpt-4.* gpt-5* gpt-6* gpt-chat-* gpt-oss* gpt-image* gpt-audio* "
     "gpt-realtime* "
     "o1 o1-* o3 o3-* o4-* codex-mini* computer-use-*",
     ENCODING_O200K},
    {"gpt-4 gpt-4-* gpt-4:* gpt-3.5* gpt-35* text-embedding-3-* text-embedding-ada-002* "
     "davinci-002* "
     "babbage-002*",
     ENCODING_CL100K},
    {"text-davinci-002* text-davinci-003* text-davinci-edit-* code-* !code-search-* davinci-codex "
     "cushman-codex",
     ENCODING_P50K},
    {"code-search-* text-davinci-001* text-curie-001* text-babbage-001* text-ada-001* "
     "text-similarity-* text-search-* davinci davinci:* davinci-20* curie curie:* curie-20* "
     "babbage "
     "babbage:* babbage-20* ada ada:* ada-20* gpt2 gpt-2",
     ENCODING_R50K},
};

/* The priors of other vendors' families: the first that a name fits. Claude's are by the generation of
** its tokenizer: the models of the first are named, since those to come have the second (Anthropic's
** model overview: Opus 4.7 and later, Fable 5, Mythos 5). A '?' stands for the dot, dash or '@' that a
** version is written with. */
static const struct Family {
  const char *names;
  double factor;
} families[] = {
    {"*claude-v* *claude-instant* *claude-1* *claude-2* *claude-3* "
     "*claude-opus-3* *claude-sonnet-3* *claude-haiku-3* "
     "*claude-opus-4 *claude-opus-4[0-6] *claude-opus-4[0-6]-* *claude-opus-4?[0-6]* "
     "*claude-opus-4?[a-z]* *claude-sonnet-4* "
     "*claude-haiku-4* "
     "*claude-4-opus* *claude-4-sonnet* *claude-4-haiku* "
     "*claude-4?[0-6]-opus* *claude-4?[0-9]-sonnet* *claude-4?[0-9]-haiku*",
     1.2},
    {"*claude*", 1.45},
    {"*gemini* *gemma*", 1.05},
    {"*llama-2* *llama2*", 1.25},
    {"*llama*", 1.03},
    {"*mistral-7b* *mixtral*", 1.25},
    {"*mistral* *ministral* *magistral* *codestral* *devstral*", 1.15},
    {"*qwen* *deepseek*", 1.05},
};

static const double other_factor = 1.1;

/* The name (in lower case) without what vendors and gateways put in front of it: a path
** ("azure/gpt-4o"), words with a dot ("us.openai.gpt-5.6-sol"; no number: that is a version), "ft:". */
static const char *bare_name(const char *model) {
  static const char *const prefixes[] = {"openai:", "azure:", "ft:"};
  const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model;
  size_t word;
  while ((word = strspn(name, "abcdefghijklmnopqrstuvwxyz-_")) > 0 && name[word] == '.') {
    name += word + 1;
  }
  for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
    size_t n = strlen(prefixes[i]);
    name += strncmp(name, prefixes[i], n) == 0 ? n : 0;
  }
  return name;
}

static double prior_of(const char *name) {
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    if (glob_any(families[i].names, name)) {
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
  char lower[LIMIT_MODEL_NAME];
  model_name_lower(model, lower, sizeof lower);
  const char *name = bare_name(lower);
  int e = encoding_parse(lower);
  for (size_t i = 0; i < sizeof exact / sizeof exact[0] && e < 0; i++) {
    e = glob_any(exact[i].names, name) ? (int)exact[i].encoding : -1;
  }
  rule->image = image_rule(name);
  rule->is_exact = e >= 0;
  rule->encoding = e >= 0 ? (Encoding)e : ENCODING_O200K;
  rule->factor = e >= 0 ? 1 : prior_of(lower);
  rule->per_message = strcmp(name, "gpt-3.5-turbo-0301") == 0 ? 4 : 3;
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

/* Adds to a sum; -1 stays, and comes of -1. */
static void add(long long *sum, long long more) {
  *sum = *sum < 0 || more < 0 ? -1 : *sum + more;
}

static long long count_json(const TokenRule *rule, const cJSON *item) {
  char *text = item ? cJSON_PrintUnformatted(item) : NULL;
  long long n = !item  ? 0
                : text ? encoding_count(rule->encoding, text, strlen(text), rule->cache)
                       : -1;
  cJSON_free(text);
  return n;
}

/* What stands in a message beside its text. */
static long long count_item(const TokenRule *rule, const Message *m) {
  long long tokens = count_json(rule, cJSON_GetObjectItemCaseSensitive(m->item, "tool_calls"));
  add(&tokens, count_json(rule, cJSON_GetObjectItemCaseSensitive(m->item, "thinking_blocks")));
  return tokens;
}

/* (Of those a factor for texts says nothing.) */
long long tokens_media(const TokenRule *rule, const Request *r) {
  long long tokens = 0;
  for (int i = 0; i < r->n_messages; i++) {
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(r->messages[i].item, "content"), *part;
    cJSON_ArrayForEach(part, (cJSON_IsArray(content) ? content : NULL)) {
      if (!json_text(part, "text")) {
        add(&tokens, image_tokens(rule->image ? rule->image : image_rule(""), part));
      }
    }
  }
  return tokens;
}

int tokens_is_exact(const TokenRule *rule, const Request *r) {
  const Options *o = r->options;
  return rule->is_exact && request_is_plain(r) && !(o && (o->schema || o->tools || o->extra));
}

long long tokens_request(const TokenRule *rule, const Request *r) {
  long long texts = r->options ? count_json(rule, r->options->tools) : 0;
  if (r->system) {
    add(&texts, encoding_count(rule->encoding, r->system, strlen(r->system), rule->cache));
  }
  for (int i = 0; i < r->n_messages && texts >= 0; i++) {
    const Message *m = &r->messages[i];
    add(&texts, encoding_count(rule->encoding, m->content, m->n, rule->cache));
    add(&texts, m->item ? count_item(rule, m) : 0);
  }
  long long all = texts < 0 ? -1 : scaled(rule, texts);
  add(&all, tokens_media(rule, r));
  add(&all, tokens_overhead(rule, r->n_messages + (r->system != NULL)));
  return all;
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
