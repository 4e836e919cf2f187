/*
** See shorten.h for the contract.
**
** A text that many requests begin with is kept by its provider: read again, it costs a part (core/price). What depends on the question
** is another text for each of them and is paid in full. So with `sharers` both are priced, and the dearer one is not made.
*/
#include "work/prompts/shorten.h"

#include "base/utf8.h"
#include "money/counter.h"
#include "money/pricing.h"
#include "work/prompts/answers_schema.h"
#include "work/prompts/nearness.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXTS(X)                                                                                \
  X(CONTEXT_WORD_MARKED, "marked")                                                                 \
  X(CONTEXT_WORD_GUESSED, "guessed")                                                               \
  X(CONTEXT_WORD_WHOLE, "whole")
#define SCORES(X)                                                                                  \
  X(SCORE_WORDS, "words")                                                                          \
  X(SCORE_EMBED, "embed")
enum { SCORES(SPEC_AS_ID) SCORE_N };

typedef struct ShortenOptions {
  const char *query, *model;
  const cJSON *schema; /* of the answer */
  long long budget, sharers;
  unsigned methods;
  int context, score;
} ShortenOptions;

/* The name of a method, or an array of some. */
static int take_methods(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                        Err *err) {
  ShortenOptions *o = to;
  const cJSON *item = cJSON_IsArray(v->json) ? v->json->child : v->json;
  for (; item && err->rc == RC_OK; item = cJSON_IsArray(v->json) ? item->next : NULL) {
    const char *name = cJSON_GetStringValue(item);
    int method = name ? compress_method_parse(name, strlen(name)) : -1;
    if (method < 0) {
      return spec_bad(table, s->name,
                      "'space', 'json', 'format', 'examples', 'repeats', 'filler', 'extract', or "
                      "an array of these",
                      err);
    }
    o->methods |= 1u << method;
  }
  return o->methods ? RC_OK : spec_bad(table, s->name, "one of the methods at least", err);
}

#define INTO(type, member) SPEC_INTO(ShortenOptions, type, member)
static const Spec specs[] = {
    {"query", INTO(TEXT, query)},
    {"budget", INTO(INTEGER, budget), .min = 1, .max = 100000000},
    {"model", INTO(TEXT, model)},
    {"methods", SPEC_OTHER, .take = take_methods},
    {"context", INTO(WORD, context), .words = SPEC_WORDS(CONTEXTS), .initial = "marked"},
    {"score", INTO(WORD, score), .words = SPEC_WORDS(SCORES)},
    {"schema", SPEC_OTHER, .at = offsetof(ShortenOptions, schema), .take = answers_schema_take},
    {"sharers", INTO(INTEGER, sharers), .min = 1, .max = 1000000000},
};
static const SpecHint hints[] = {
    {"question", "query"},
    {"target_tokens", "budget"},
    {"max_tokens", "budget"},
    {"rate", "a share is no budget: give the tokens, llm_tokens(text) / 2, say"},
    {"ratio", "a share is no budget: give the tokens, llm_tokens(text) / 2, say"},
    {NULL, NULL},
};
static const SpecTable table = {"option", ERR_BAD_OPTION, "model",
                                hints,    specs,          sizeof specs / sizeof specs[0]};

/* What counting and scoring go by. */
typedef struct Measure {
  TokenRule rule;
  Nearness near;
} Measure;

static long long count_tokens(void *arg, const char *text, size_t n) {
  return tokens_count(&((Measure *)arg)->rule, text, n);
}

static int score_unit(void *arg, const char *text, size_t n, double *score, Err *err) {
  return nearness_of(&((Measure *)arg)->near, text, n, score, err);
}

/* What all who share the text pay for it, in nano-dollars of a million of them; below 0: nobody says. */
static double price_all(Conn *conn, const Model *model, long long tokens, long long sharers,
                        int is_shared, Err *err) {
  const PrefixAsk ask = {.tokens = tokens, .sharers = is_shared ? (int)sharers : 1};
  long long one = pricing_of_shared(conn, model, tokens, &ask, 0, err);
  return one < 0 ? -1 : (double)one * (double)sharers;
}

/* 1 if the shorter text costs more: it is another one for each question, and the longer one is read from the provider's cache. */
static int is_loss(Conn *conn, const ShortenOptions *o, const Compressed *c, Err *err) {
  Model model = {0};
  Err unknown = {0};
  int depends = c->steps[COMPRESS_LAST].n_cuts > 0 && o->query;
  const Config *config = o->model && o->sharers > 1 ? conn_config(conn, err) : NULL;
  if (!config || config_model(config, o->model, &model, &unknown) != RC_OK ||
      pricing_refresh(conn, NULL, err) != RC_OK) {
    return 0;
  }
  double before = price_all(conn, &model, c->tokens_before, o->sharers, 1, err);
  double after = price_all(conn, &model, c->tokens_after, o->sharers, !depends, err);
  config_model_free(&model);
  return err->rc == RC_OK && before >= 0 && after >= 0 && after > before;
}

/* Puts the text as it was into the place of the shorter one. */
static int give_back(const char *text, size_t n, Compressed *c, Err *err) {
  char *copy = malloc(n + 1);
  if (!copy) {
    return err_nomem(err);
  }
  memcpy(copy, text, n);
  copy[n] = 0;
  free(c->text);
  free(c->drops);
  c->drops = NULL;
  c->n_drops = 0;
  c->text = copy;
  c->n = n;
  c->tokens_after = c->tokens_before;
  return RC_OK;
}

static int run(Conn *conn, const char *text, size_t n, const ShortenOptions *o, Shortened *out,
               Err *err) {
  Measure m = {.near = {.query = NULL}};
  if (counter_rule(conn, o->model, &m.rule, err) != RC_OK) {
    return err->rc;
  }
  JsonFields *fields = answers_schema_fields(o->schema, err);
  int has_score = o->score != SCORE_WORDS && o->query &&
                  nearness_open(&m.near, o->query, strlen(o->query), err);
  const CompressOptions with = {.methods = o->methods,
                                .context = (ContextWhere)o->context,
                                .query = o->query,
                                .n_query = o->query ? strlen(o->query) : 0,
                                .schema = fields,
                                .budget = o->budget == SPEC_UNSET ? 0 : o->budget,
                                .count = count_tokens,
                                .score = has_score ? score_unit : NULL,
                                .arg = &m};
  if (err->rc == RC_OK && compress_text(text, n, &with, &out->c, err) == RC_OK) {
    out->is_loss = is_loss(conn, o, &out->c, err);
    if (out->is_loss) {
      give_back(text, n, &out->c, err);
    }
  }
  json_fields_free(fields);
  nearness_close(&m.near);
  return err->rc;
}

int shorten_text(Conn *conn, const char *text, size_t n, const char *options, size_t n_options,
                 Shortened *out, Err *err) {
  ShortenOptions o = {.schema = NULL};
  size_t bad_at;
  memset(out, 0, sizeof *out);
  spec_init(&table, &o);
  o.methods = 0;
  cJSON *doc = options ? spec_parse(&table, options, n_options, err) : NULL;
  if (doc) {
    spec_read(&table, 0, doc, &o, err);
  }
  if (err->rc == RC_OK && !utf8_is_valid(text, n, &bad_at)) {
    err_set(err, RC_ERROR, ERR_BAD_UTF8, "the text is not valid UTF-8 (byte %zu)", bad_at);
  }
  if (err->rc == RC_OK && o.score == SCORE_EMBED && !o.query) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "option 'score': 'embed' compares with a 'query': give it");
  }
  if (err->rc == RC_OK && o.methods & COMPRESS_FORMAT && !o.schema) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "method 'format' leaves out what a JSON Schema says: give it as 'schema'");
  }
  if (err->rc == RC_OK && (o.query || o.methods & COMPRESS_EXTRACT) && o.budget == SPEC_UNSET) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "sentences are left out to fit a 'budget' of tokens: give it");
  }
  if (err->rc == RC_OK) {
    run(conn, text, n, &o, out, err);
  }
  cJSON_Delete(doc);
  if (err->rc != RC_OK) {
    shortened_free(out);
  }
  return err->rc;
}

void shortened_free(Shortened *s) {
  compressed_free(&s->c);
  memset(s, 0, sizeof *s);
}
