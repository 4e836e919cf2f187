/*
** Which shape an object has, and its counts. See reading.h for the contract, vendor.h for the shapes.
*/
#include "core/usage/reading.h"

#include "base/text/decimal.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The shapes an unknown sender may report in. Of those that explain as much the first is taken. */
static const char *const common[] = {"openai",
                                     "azure.responses",
                                     "anthropic.default",
                                     "google.default",
                                     "aws.default",
                                     "cohere.default",
                                     "ollama",
                                     "azure.embeddings",
                                     "ledger",
                                     "langchain",
                                     "ai-sdk",
                                     "cohere.v1",
                                     "agent-sdk",
                                     "aws.details",
                                     "openai.lifetimes",
                                     "ai-sdk.provider",
                                     "google.python",
                                     "codex",
                                     "otel",
                                     "openinference",
                                     "aws.metrics",
                                     "aws.invocation",
                                     "aws.titan",
                                     "aws.llama",
                                     "aws.nova",
                                     "google.live",
                                     "google.interactions",
                                     "mistral.connectors",
                                     "openrouter.generation",
                                     "codex.event",
                                     "gemini-cli.event",
                                     "claude-code.event"};

/* Those of programs, whose names others have in other senses: only where all that one requires is there. */
static const char *const programs[] = {"gemini-cli.stats", "ai-sdk.4",  "spring",   "dotnet",
                                       "dotnet.client",    "codex.app", "lmstudio", "continue"};

enum { COMMON = sizeof common / sizeof common[0], PROGRAMS = sizeof programs / sizeof programs[0] };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const Shape *common_shapes[COMMON + PROGRAMS];

static void find_common(void) {
  for (size_t i = 0; i < COMMON; i++) {
    common_shapes[i] = shape_by_name(common[i]);
  }
  for (size_t i = 0; i < PROGRAMS; i++) {
    common_shapes[COMMON + i] = shape_by_name(programs[i]);
  }
}

/* ---- paths */

/* The element of an array whose field is a value; step is "field=VALUE". */
static const cJSON *find_element(const cJSON *array, const char *step, const char *equals) {
  const cJSON *item;
  cJSON_ArrayForEach(item, (cJSON_IsArray(array) ? array : NULL)) {
    char field[32];
    snprintf(field, sizeof field, "%.*s", (int)(equals - step), step);
    const char *value = json_text(item, field);
    if (value && strcasecmp(value, equals + 1) == 0) {
      return item;
    }
  }
  return NULL;
}

static const cJSON *step_into(const cJSON *at, const char *step) {
  if (cJSON_IsObject(at)) {
    return cJSON_GetObjectItemCaseSensitive(at, step);
  }
  const char *equals = strchr(step, '=');
  if (equals) {
    return find_element(at, step, equals);
  }
  return cJSON_IsArray(at) && isdigit((unsigned char)*step) ? cJSON_GetArrayItem(at, *step - '0')
                                                            : NULL;
}

const cJSON *shape_walk(const cJSON *at, const char *const *steps) {
  while (at && *steps) {
    at = step_into(at, *steps++);
  }
  return at && !cJSON_IsNull(at) ? at : NULL;
}

/* A number, also one in a text where a shape has such (programs' events, whose attributes are texts). -1: it is none. */
static double number_of(const Shape *shape, const cJSON *item) {
  const char *text = shape && shape->has_texts ? cJSON_GetStringValue(item) : NULL;
  size_t n = text ? strlen(text) : 0;
  if (n > 0 && n <= 10 && strspn(text, "0123456789") == n) {
    return strtod(text, NULL);
  }
  return cJSON_IsNumber(item) ? item->valuedouble : -1.0;
}

/* 1 if something was counted: a number that the shape requires (of input or output, where it requires none) is not 0. */
static int counts(const Shape *shape, const cJSON *root) {
  for (int i = 0; i < shape->n; i++) {
    const ShapePath *p = &shape->paths[i];
    int is_main = p->unit == UNIT_INPUT || p->unit == UNIT_OUTPUT;
    if ((p->required || (!shape->required && is_main)) &&
        number_of(shape, shape_walk(root, p->steps)) > 0) {
      return 1;
    }
  }
  return 0;
}

/* ---- names of counts */

/* 1 if a name is of a count of tokens that were used. What a request asks for has such names too, and an identifier. */
static int is_token_name(const char *name) {
  static const char *const not_used =
      "max* limit* budget* remain* rate* cost* per price* logprob* id ids usd window*";
  char words[NAME_WORDS];
  name_words(name, words);
  return strstr(words, "token") != NULL && !name_has_word(not_used, words);
}

/* 1 for a number, also in a text, that is not 0. */
static int is_some(const cJSON *item) {
  const char *text = cJSON_GetStringValue(item);
  return text ? text[0] && strspn(text, "0123456789") == strlen(text) &&
                    strspn(text, "0") < strlen(text)
              : cJSON_IsNumber(item) && item->valuedouble > 0;
}

/* 1 if an object has such a count itself. */
static int has_tokens(const cJSON *object) {
  const cJSON *item;
  cJSON_ArrayForEach(item, object) {
    if (is_some(item) && is_token_name(item->string) && !own_is_beside(item->string)) {
      return 1;
    }
  }
  return 0;
}

/* ---- where the usage object is */

/* The usage object of an answer, by the names that it goes by where the answer has no counts itself; or the answer. */
static const cJSON *usage_in(const cJSON *body) {
  static const char *const names[] = {"usage",        "token_usage", "tokenUsage",
                                      "models_usage", "Usage",       "stats"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(body, names[i]);
    if (cJSON_IsObject(found)) {
      return i == 0 || !has_tokens(body) ? found : body;
    }
  }
  return body;
}

/* Of several places the first where something was counted: gateways leave zeros in others. */
const cJSON *shape_root(const cJSON *body, const Shape *shape) {
  const cJSON *first = NULL;
  for (int i = 0; i < shape->n_roots; i++) {
    for (const char *const *root = shape->roots[i]; *root; root++) {
      const cJSON *found = shape_walk(body, root);
      if (cJSON_IsObject(found) && (shape->n_roots == 1 || counts(shape, found))) {
        return found;
      }
      first = !first && cJSON_IsObject(found) ? found : first;
    }
  }
  return first ? first : shape->is_usual ? usage_in(body) : body;
}

/* ---- which shape */

uint64_t shape_names(const cJSON *object) {
  uint64_t bits = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, (cJSON_IsObject(object) ? object : NULL)) {
    bits |= name_bit(item->string);
  }
  return bits;
}

/* How much of an object a shape explains: whether all it requires is there (1), and something was counted (2: gateways
** send zeros of other dialects beside their own); its numbers that are there. */
typedef struct Fit {
  const Shape *shape;
  int complete, read;
} Fit;

/* 1 if two paths are the same: one number that counts as two units. */
static int same_steps(const char *const *a, const char *const *b) {
  while (*a && *b && strcmp(*a, *b) == 0) {
    a++;
    b++;
  }
  return !*a && !*b;
}

static int is_again(const Shape *shape, int i) {
  return i > 0 && same_steps(shape->paths[i].steps, shape->paths[i - 1].steps);
}

static int is_complete(const Shape *shape, const cJSON *root) {
  for (int i = 0; i < shape->n; i++) {
    if (shape->paths[i].required && !shape_walk(root, shape->paths[i].steps)) {
      return 0;
    }
  }
  return 1;
}

static Fit fit_of(const Shape *shape, const cJSON *root, int complete) {
  Fit fit = {shape, complete, 0};
  for (int i = 0; i < shape->n; i++) {
    const ShapePath *p = &shape->paths[i];
    fit.read += !(p->required && is_again(shape, i)) && shape_walk(root, p->steps) != NULL;
  }
  return fit;
}

/* A shape without output is only believed where the total says there was none. */
static int hides_output(const Shape *shape, const cJSON *root) {
  long long total = 0, input = -1;
  if (shape->can & UNIT_BIT(UNIT_OUTPUT)) {
    return 0;
  }
  json_count(root, "total_tokens", &total);
  json_count(root, "prompt_tokens", &input);
  return input >= 0 && total != input;
}

/* Where shapes are looked for: the answer, and the usage object that is the root of most; the names that each has. */
typedef struct Sight {
  const cJSON *body, *usage;
  uint64_t in_body, in_usage;
} Sight;

/* `is_strict`: only if all it requires is there. */
static void offer(Fit *best, const Sight *at, const Shape *shape, int is_strict) {
  const cJSON *root = shape->is_plain ? at->usage : shape_root(at->body, shape);
  uint64_t names = root == at->usage  ? at->in_usage
                   : root == at->body ? at->in_body
                                      : shape_names(root);
  int complete = !(shape->required & ~names) && is_complete(shape, root);
  complete += complete && counts(shape, root);
  if (best->complete > complete || is_strict > complete || hides_output(shape, root)) {
    return;
  }
  Fit fit = fit_of(shape, root, complete);
  if (fit.read > 0 && (!best->shape || fit.complete > best->complete || fit.read > best->read)) {
    *best = fit;
  }
}

const Shape *shape_find(const cJSON *body, const Vendor *vendor) {
  Fit best = {0};
  const Shape *shape;
  const cJSON *usage = usage_in(body);
  int is_alias = usage != body && strcmp(usage->string, "usage") != 0;
  const Sight at = {body, usage, shape_names(body), shape_names(usage)};
  for (int i = 0; vendor && (shape = vendor_shape_at(vendor, i, NULL, NULL)) != NULL; i++) {
    offer(&best, &at, shape, is_alias);
  }
  pthread_once(&once, find_common);
  for (size_t i = 0; i < COMMON + PROGRAMS; i++) {
    if (common_shapes[i]) {
      offer(&best, &at, common_shapes[i], is_alias || i >= COMMON);
    }
  }
  return best.shape;
}

/* 1 if a member counts nothing, or a path begins there. */
static int explains(const Shape *shape, const cJSON *item) {
  if (own_is_beside(item->string) || !(cJSON_IsNumber(item) || cJSON_IsObject(item)) ||
      (cJSON_IsNumber(item) && item->valuedouble == 0)) {
    return 1;
  }
  for (int i = 0; i < shape->n; i++) {
    if (strcmp(shape->paths[i].steps[0], item->string) == 0) {
      return 1;
    }
  }
  return 0;
}

int shape_explains(const Shape *shape, const cJSON *root, const cJSON **unknown) {
  const cJSON *item = root->child;
  while (item && explains(shape, item)) {
    item = item->next;
  }
  *unknown = item;
  return is_complete(shape, root);
}

/* ---- counts */

static int count_of(const Shape *shape, const cJSON *root, const char *const *steps,
                    long long *count, Err *err) {
  const cJSON *item = shape_walk(root, steps);
  double d = number_of(shape, item);
  if (!item) {
    return 0;
  }
  if (!decimal_is_whole(d, 0, (double)LIMIT_TOKENS)) {
    while (steps[1]) {
      steps++;
    }
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage: '%s' is not a token count", *steps);
    return -1;
  }
  *count = (long long)d;
  return 1;
}

int shape_count(const cJSON *root, const char *const *steps, long long *count, Err *err) {
  return count_of(NULL, root, steps, count, err);
}

/* 1 if cached tokens are reported outside the input tokens, as Anthropic does: their paths then count as input too. */
static int stands_beside(const Shape *shape) {
  int inputs = 0;
  for (int i = 0; i < shape->n; i++) {
    inputs += shape->paths[i].unit == UNIT_INPUT && !shape->paths[i].otherwise;
  }
  return inputs > 1;
}

/* Cache writes that are only reported by their lifetimes. */
static void add_split_writes(const Shape *shape, Usage *u) {
  UnitSet split = UNIT_BIT(UNIT_CACHE_WRITE_5M) | UNIT_BIT(UNIT_CACHE_WRITE_1H);
  if (shape->can & UNIT_BIT(UNIT_CACHE_WRITE) && u->has & split &&
      usage_get(u, UNIT_CACHE_WRITE) <= 0) {
    usage_set(u, UNIT_CACHE_WRITE, u->n[UNIT_CACHE_WRITE_5M] + u->n[UNIT_CACHE_WRITE_1H]);
    u->n[UNIT_INPUT] += stands_beside(shape) ? u->n[UNIT_CACHE_WRITE] : 0;
  }
}

int shape_read(const Shape *shape, const cJSON *root, Usage *u, Err *err) {
  UnitSet incomplete = 0;
  u->can = shape->can;
  for (int i = 0; i < shape->n; i++) {
    const ShapePath *p = &shape->paths[i];
    long long count = 0;
    if (p->otherwise && usage_get(u, p->unit) > 0) {
      continue;
    }
    if (count_of(shape, root, p->steps, &count, err) == 1) {
      u->n[p->unit] += count;
      u->has |= UNIT_BIT(p->unit);
    } else if (p->required) {
      incomplete |= UNIT_BIT(p->unit);
    }
  }
  u->has &= ~incomplete;
  add_split_writes(shape, u);
  return err->rc;
}

/* ---- what the total says */

/* What an object says that all tokens together were. */
typedef struct Total {
  long long count; /* -1: nothing */
  int is_whole; /* 1: whoever says it, it is the input and the output; -1: only if it is the sum of what is told */
  int has_cached; /* it tells, too, whether cached tokens stand in the input */
} Total;

/* By the names that shapes have for it. (Where cached tokens stand beside the input, as at Bedrock, its totalTokens
** holds other things.) */
static Total total_of(const Shape *shape, const cJSON *root) {
  static const struct {
    const char *name;
    int is_whole, has_cached;
  } names[] = {{"total_tokens", 0, 0},
               {"totalTokenCount", 1, 0},
               {"total_token_count", 1, 0},
               {"total", 1, 1},
               {"totalTokens", -1, 0}};
  Total total = {-1, 0, 0};
  for (size_t i = 0; i < sizeof names / sizeof names[0] && total.count < 0; i++) {
    total.is_whole = names[i].is_whole;
    total.has_cached = names[i].has_cached;
    if (names[i].is_whole >= 0 || (shape && !stands_beside(shape))) {
      json_count(root, names[i].name, &total.count);
    }
  }
  total.count = total.count <= LIMIT_TOKENS ? total.count : -1;
  return total;
}

/* Whose total is known to be the input and all output. Others' hold other things (audio at Mistral), or leave out what
** is billed (Perplexity's reasoning). */
static int is_whole_total(const Vendor *vendor) {
  static const char *const ids[] = {"x-ai", "google", "openai"};
  int found = !vendor;
  for (size_t i = 0; i < sizeof ids / sizeof ids[0] && !found; i++) {
    found = strcmp(vendor->id, ids[i]) == 0;
  }
  return found;
}

/* The input or output without what a shape adds to it: what it requires, or the first that is there. */
static long long plain_of(const Shape *shape, const cJSON *root, Unit unit) {
  Err ignored = {0};
  long long count = 0, plain = -1;
  for (int i = 0; i < shape->n; i++) {
    const ShapePath *p = &shape->paths[i];
    if (p->unit == unit && (plain < 0 || p->required) &&
        count_of(shape, root, p->steps, &count, &ignored) == 1) {
      plain = count;
    }
  }
  return plain;
}

/* The input, if the total says that the cached tokens, which a shape adds to it, stand in it (Langfuse keeps what it
** is given). */
static long long input_of(const Shape *shape, const cJSON *root, long long total, const Usage *u) {
  long long input = u->n[UNIT_INPUT], plain = plain_of(shape, root, UNIT_INPUT),
            output = u->n[UNIT_OUTPUT], rest = total - plain;
  int is_sum = input + output == total || (plain_of(shape, root, UNIT_OUTPUT) + input == total);
  int is_inside = rest == output || rest == plain_of(shape, root, UNIT_OUTPUT);
  long long cached = usage_get(u, UNIT_CACHE_READ), written = usage_get(u, UNIT_CACHE_WRITE);
  return !is_sum && is_inside && plain >= cached && plain >= written ? plain : input;
}

/* Reasoning stands inside the output or beside it, and at one and the same provider both are seen: xAI's own answers
** have it beside completion_tokens, those that a gateway put into OpenAI's form inside; Gemini's OpenAI endpoint and
** servers that are spoken to as if they were OpenAI leave it out at times. The total tells: what it has beyond the
** input is the output. Where that is the output and the reasoning, to the token, it is believed of everybody. */
void shape_use_total(const Shape *shape, const Vendor *vendor, const cJSON *root, Usage *u) {
  const Total total = total_of(shape, root);
  long long input = usage_get(u, UNIT_INPUT), reasoning = usage_get(u, UNIT_REASONING),
            told = usage_get(u, UNIT_OUTPUT);
  if (input < 0 || total.count < 0) {
    return;
  }
  if (told < 0) { /* the total is the input alone: there was no output */
    if (total.count == input) {
      usage_set(u, UNIT_OUTPUT, 0);
    }
    return;
  }
  if (!shape) {
    return;
  }
  if (total.has_cached) {
    input = input_of(shape, root, total.count, u);
    usage_set(u, UNIT_INPUT, input);
  }
  long long plain = plain_of(shape, root, UNIT_OUTPUT), rest = total.count - input;
  int is_sum = reasoning > 0 && rest == plain + reasoning;
  int is_inside = reasoning > 0 && rest == plain && told == plain + reasoning;
  int is_whole = total.is_whole > 0 || (total.is_whole == 0 && is_whole_total(vendor));
  if (rest > told ? is_sum || is_whole : is_inside && is_whole) {
    usage_set(u, UNIT_OUTPUT, rest);
  }
}

/* ---- what no shape reads */

static const char *find_token_like(const cJSON *at, int is_counted, int depth) {
  const cJSON *item;
  const char *found = NULL;
  cJSON_ArrayForEach(item, (depth > 0 ? at : NULL)) {
    int is_name = item->string && is_token_name(item->string);
    if (is_some(item) && item->string &&
        (is_name || (is_counted && !own_is_beside(item->string)))) {
      return item->string;
    }
    found = find_token_like(item, is_name, depth - 1);
    if (found) {
      return found;
    }
  }
  return NULL;
}

const char *shape_token_like(const cJSON *body) {
  return find_token_like(body, 0, 8);
}
