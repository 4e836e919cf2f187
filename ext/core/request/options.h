/*
** The options object of llm_complete, llm_chat and llm_call, checked. To add one: its member here,
** its line in options.c, its line in the manual.
*/
#ifndef LLMCOST_OPTIONS_H
#define LLMCOST_OPTIONS_H

#include "base/error.h"
#include "base/text/spec.h"

#define CACHE_MODES(X)                                                                             \
  X(CACHE_EXACT, "exact")                                                                          \
  X(CACHE_SEMANTIC, "semantic")                                                                    \
  X(CACHE_OFF, "off")                                                                              \
  X(CACHE_REFRESH, "refresh")
#define ON_ERRORS(X)                                                                               \
  X(ON_ERROR_ERROR, "error")                                                                       \
  X(ON_ERROR_NULL, "null")                                                                         \
  X(ON_ERROR_JSON, "json")

/* How long providers are asked to keep what a request begins with. */
#define PROMPT_CACHES(X)                                                                           \
  X(PROMPT_CACHE_OFF, "off")                                                                       \
  X(PROMPT_CACHE_AUTO, "auto")                                                                     \
  X(PROMPT_CACHE_5M, "5m")                                                                         \
  X(PROMPT_CACHE_1H, "1h")

/* How much a model is to think before it answers; or a number of tokens. */
#define REASONINGS(X)                                                                              \
  X(REASONING_NONE, "none")                                                                        \
  X(REASONING_MINIMAL, "minimal")                                                                  \
  X(REASONING_LOW, "low")                                                                          \
  X(REASONING_MEDIUM, "medium")                                                                    \
  X(REASONING_HIGH, "high")                                                                        \
  X(REASONING_XHIGH, "xhigh")                                                                      \
  X(REASONING_MAX, "max")

/* What comes back: the answer's text, or the whole message of the assistant as JSON. */
#define RETURNS(X)                                                                                 \
  X(RETURNS_TEXT, "text")                                                                          \
  X(RETURNS_MESSAGE, "message")

#define SCORERS(X)                                                                                 \
  X(SCORER_HEURISTIC, "heuristic")                                                                 \
  X(SCORER_EXAMPLES, "examples")                                                                   \
  X(SCORER_VERIFIER, "verifier")

typedef enum Scorer { SCORERS(SPEC_AS_ID) } Scorer;
typedef enum Returns { RETURNS(SPEC_AS_ID) } Returns;
typedef enum Reasoning { REASONINGS(SPEC_AS_ID) } Reasoning;
typedef enum PromptCache { PROMPT_CACHES(SPEC_AS_ID) } PromptCache;
typedef enum CacheMode { CACHE_MODES(SPEC_AS_ID) } CacheMode;
typedef enum OnError { ON_ERRORS(SPEC_AS_ID) } OnError;

/* An option the caller did not give is NULL, NAN or OPTION_UNSET. Strings and trees belong to
** `doc` and `made`. */
#define OPTION_UNSET SPEC_UNSET
#define OPTION_P99 "p99" /* a value of max_tokens */

typedef struct Options {
  cJSON *doc;        /* owned; NULL where there were no options */
  const char *given; /* the text of `doc`, while it is read */
  size_t n_given;
  cJSON *made; /* owned: what was made of values that came as something else; mostly NULL */
  const char *model, *system, *tag, *user, *conversation;
  const cJSON *stop;   /* a string or an array of strings */
  const cJSON *schema; /* an object: JSON Schema */
  const cJSON *gate;   /* a name, an object, or an array of them */
  const cJSON *extra;  /* an object: members of the body beside ours (extra.h) */
  const cJSON *tools;  /* an array in OpenAI's form (tools.h) */
  const cJSON
      *tool_choice; /* "auto", "none", "required", a tool's name; or an object of the provider's */
  const cJSON *reasoning; /* a word of REASONINGS, or a number of tokens from 1 */
  const cJSON *prune;     /* an object: options of llm_prune; false: the setting does not hold */
  const char *service;    /* as the provider calls it: "flex", "priority", … */
  double temperature, top_p, threshold;
  double score; /* how hard it is, 0 to 1; NAN: it is to be found out */
  double audit; /* of the answers that gates accept, the share that is asked again above */
  long long max_tokens, timeout_ms, retries, seed, ttl_ms;
  int by_tag; /* max_tokens is "p99": as the tag's own answers were (call/limit.h puts the number into max_tokens, and here */
  long long by_tag_of; /* of how many answers it is, */
  double by_tag_cut;   /* and the share of them that it would have cut) */
  int has_seed;        /* any integer is a seed */
  int cache;           /* CacheMode, or -1: not given */
  int prompt_cache;    /* PromptCache */
  int on_error;        /* OnError */
  int retry_lost;      /* an answer that was lost is bought again */
  int dry_run;
  int scorer;   /* Scorer, or -1: not given */
  int escalate; /* the cheapest tier first, the next one where its answer does not pass */
  int logprobs; /* how sure the model was of each token is asked for */
  int returns;  /* one of RETURNS */
} Options;

/* Fills *o with "nothing given". */
void options_init(Options *o);

/* Parses n bytes of JSON. Unknown keys, wrong types, values out of range and options that
** contradict each other are errors that name the key and say what is valid. On error *o is left
** as after options_init. */
int options_parse(const char *json, size_t n, Options *o, Err *err);

/* The service whose prices hold where it is granted, as price lists call it; NULL: the standard one, or one that the answer alone
** tells ("auto"). */
const char *options_service(const Options *o);

/* 1 if an option has that name. */
int options_know(const char *name);

/* 1 if that one may be an array or an object. */
int options_take_json(const char *name);

/* Frees the tree; safe after options_init and on a failed parse. */
void options_free(Options *o);

#endif
