/*
** The options object of llm_complete, llm_chat and llm_call, checked.
*/
#ifndef LLMCOST_OPTIONS_H
#define LLMCOST_OPTIONS_H

#include "base/error.h"
#include "base/text/json.h"

typedef enum CacheMode { CACHE_EXACT, CACHE_SEMANTIC, CACHE_OFF, CACHE_REFRESH } CacheMode;
typedef enum OnError { ON_ERROR_ERROR, ON_ERROR_NULL, ON_ERROR_JSON } OnError;

/* An option the caller did not give is NULL, NAN or OPTION_UNSET. Strings and trees belong to
** `doc`. */
#define OPTION_UNSET (-1LL)

typedef struct Options {
  cJSON *doc; /* owned; NULL where there were no options */
  const char *model, *system, *tag, *user, *conversation, *gate;
  const cJSON *stop;   /* a string or an array of strings */
  const cJSON *schema; /* an object: JSON Schema */
  double temperature, top_p, threshold;
  long long max_tokens, timeout_ms, retries, seed, ttl_ms;
  int has_seed; /* any integer is a seed */
  int cache;    /* CacheMode, or -1: not given */
  int on_error; /* OnError */
  int dry_run, escalate;
} Options;

/* Fills *o with "nothing given". */
void options_init(Options *o);

/* Parses n bytes of JSON. Unknown keys, wrong types, values out of range and options that
** contradict each other are errors that name the key and say what is valid. On error *o is left
** as after options_init. */
int options_parse(const char *json, size_t n, Options *o, Err *err);

/* Frees the tree; safe after options_init and on a failed parse. */
void options_free(Options *o);

/* Reads a duration: a number of seconds, or text such as '90s', '15m', '36h', '7d', '2w'.
** Returns milliseconds, or -1 where the text is none. */
long long duration_parse(const char *text);

/* The CacheMode a word names, or -1; and the words, for messages. */
int cache_mode_parse(const char *word);
#define CACHE_MODES "'exact', 'semantic', 'off' or 'refresh'"

#endif
