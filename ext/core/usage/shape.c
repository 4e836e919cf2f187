/*
** Which shape an object has, and its counts. See reading.h for the contract, vendor.h for the shapes.
*/
#include "core/usage/reading.h"

#include "base/text/decimal.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
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
                                     "gemini-cli.event",
                                     "claude-code.event"};

enum { COMMON = sizeof common / sizeof common[0] };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const Shape *common_shapes[COMMON];

static void find_common(void) {
  for (size_t i = 0; i < COMMON; i++) {
    common_shapes[i] = shape_by_name(common[i]);
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

const cJSON *shape_root(const cJSON *body, const Shape *shape) {
  for (int i = 0; i < shape->n_roots; i++) {
    for (const char *const *root = shape->roots[i]; *root; root++) {
      const cJSON *found = shape_walk(body, root);
      if (cJSON_IsObject(found)) {
        return found;
      }
    }
  }
  return body;
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

/* How much of an object a shape explains: its numbers that are there, and whether all required ones
** are. */
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

static void offer(Fit *best, const Sight *at, const Shape *shape) {
  const cJSON *root = shape->is_plain ? at->usage : shape_root(at->body, shape);
  uint64_t names = root == at->usage  ? at->in_usage
                   : root == at->body ? at->in_body
                                      : shape_names(root);
  int complete = !(shape->required & ~names) && is_complete(shape, root);
  if ((best->complete && !complete) || hides_output(shape, root)) {
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
  const cJSON *usage = cJSON_GetObjectItemCaseSensitive(body, "usage");
  usage = cJSON_IsObject(usage) ? usage : body;
  const Sight at = {body, usage, shape_names(body), shape_names(usage)};
  for (int i = 0; vendor && (shape = vendor_shape_at(vendor, i, NULL, NULL)) != NULL; i++) {
    offer(&best, &at, shape);
  }
  pthread_once(&once, find_common);
  for (size_t i = 0; i < COMMON; i++) {
    if (common_shapes[i]) {
      offer(&best, &at, common_shapes[i]);
    }
  }
  return best.shape;
}

int shape_explains(const Shape *shape, const cJSON *root) {
  const cJSON *item;
  cJSON_ArrayForEach(item, root) {
    int found = own_is_beside(item->string) || !(cJSON_IsNumber(item) || cJSON_IsObject(item));
    for (int i = 0; i < shape->n && !found; i++) {
      found = strcmp(shape->paths[i].steps[0], item->string) == 0;
    }
    if (!found) {
      return 0;
    }
  }
  return is_complete(shape, root);
}

/* ---- counts */

int shape_count(const cJSON *root, const char *const *steps, long long *count, Err *err) {
  const cJSON *item = shape_walk(root, steps);
  double d = item && cJSON_IsNumber(item) ? item->valuedouble : -1.0;
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
    if (p->otherwise && u->has & UNIT_BIT(p->unit)) {
      continue;
    }
    if (shape_count(root, p->steps, &count, err) == 1) {
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

/* By the names that shapes have for it; -1 where there is none. */
static long long total_of(const cJSON *root) {
  static const char *const names[] = {"total_tokens", "totalTokenCount", "total_token_count",
                                      "total"};
  long long total = -1;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && total < 0; i++) {
    json_count(root, names[i], &total);
  }
  return total <= LIMIT_TOKENS ? total : -1;
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

/* The output without what a shape adds to it. */
static long long plain_output(const Shape *shape, const cJSON *root) {
  Err ignored = {0};
  long long count = 0;
  for (int i = shape->n - 1; i >= 0; i--) {
    const ShapePath *p = &shape->paths[i];
    if (p->unit == UNIT_OUTPUT && (p->required || i == 0) &&
        shape_count(root, p->steps, &count, &ignored) == 1) {
      return count;
    }
  }
  return -1;
}

/* Reasoning stands inside the output or beside it, and at one and the same provider both are seen: xAI's own answers
** have it beside completion_tokens, those that a gateway put into OpenAI's form inside; Gemini's OpenAI endpoint and
** servers that are spoken to as if they were OpenAI leave it out at times. The total tells: what it has beyond the
** input is the output. Where that is the output and the reasoning, to the token, it is believed of everybody. */
void shape_use_total(const Shape *shape, const Vendor *vendor, const cJSON *root, Usage *u) {
  long long total = total_of(root), input = usage_get(u, UNIT_INPUT),
            reasoning = usage_get(u, UNIT_REASONING), told = usage_get(u, UNIT_OUTPUT);
  if (input < 0 || total < input) {
    return;
  }
  if (told < 0) { /* the total is the input alone: there was no output */
    if (total == input) {
      usage_set(u, UNIT_OUTPUT, 0);
    }
    return;
  }
  if (!shape) {
    return;
  }
  long long plain = plain_output(shape, root), rest = total - input;
  int is_sum = reasoning > 0 && rest == plain + reasoning;
  int is_inside = reasoning > 0 && rest == plain && told == plain + reasoning;
  if (rest > told ? is_sum || is_whole_total(vendor) : is_inside && is_whole_total(vendor)) {
    usage_set(u, UNIT_OUTPUT, rest);
  }
}

/* ---- what no shape reads */

/* 1 if a name is of a count of tokens that were used. What a request asks for has such names too, and an identifier. */
static int is_token_name(const char *name) {
  static const char *const not_used[] = {"max", "limit", "budget",  "remain", "rate", "cost",
                                         "per", "price", "logprob", "_id",    "usd",  "window"};
  char lower[48];
  snprintf(lower, sizeof lower, "%s", name);
  for (char *p = lower; *p; p++) {
    *p = (char)tolower((unsigned char)*p);
  }
  for (size_t i = 0; i < sizeof not_used / sizeof not_used[0]; i++) {
    if (strstr(lower, not_used[i])) {
      return 0;
    }
  }
  return strstr(lower, "token") != NULL;
}

static const char *find_token_like(const cJSON *at, int is_counted, int depth) {
  const cJSON *item;
  const char *found = NULL;
  cJSON_ArrayForEach(item, (depth > 0 ? at : NULL)) {
    int is_name = item->string && is_token_name(item->string);
    if (cJSON_IsNumber(item) && item->valuedouble > 0 && item->string &&
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
