/*
** The arguments of CREATE VIRTUAL TABLE … USING semantic_cache(…), and changing them in place.
*/
#ifndef LLMCOST_CACHE_SETTINGS_H
#define LLMCOST_CACHE_SETTINGS_H

#include "base/error.h"
#include "base/limits.h"

enum { MOST_DIMENSIONS = 16384 }; /* of a vector: what the engine takes */

/* To add one: its member here, its line in settings.c, its line in the manual. */
typedef struct CacheSettings {
  char embedder[LIMIT_MODEL_NAME]; /* 'static' */
  int dim;                         /* 0: the embedder's */
  double threshold;                /* NAN: the embedder's */
  double max_false_hits;           /* NAN: the threshold is fixed */
  long long ttl_ms;                /* 0: entries do not expire */
  long long max_entries;           /* 0: no limit */
  long long seed;                  /* of the adaptive policy's draws */
  int guard;                       /* 1: the guard may veto a match */
  int confirm; /* 1: MiniLM confirms what 'static' proposes, where it is there */
} CacheSettings;

/* Reads `argc` arguments of the form name=value, value a number or a quoted text. An unknown name,
** a bad value or a contradiction is an error that names it and says what is valid. */
int cache_settings_parse(int argc, const char *const *argv, CacheSettings *set, Err *err);

enum { SETTING_NAME = 32, SETTING_VALUE = 256 };

/* Reads name=value as a change of a table that exists, into its parts, ready to be stored. A value
** may be 'default'. What can't be changed is an error that says what to do. */
int cache_settings_change(const char *text, char name[SETTING_NAME], char value[SETTING_VALUE],
                          Err *err);

/* Applies a change that was stored. The same errors. */
int cache_settings_apply(const char *name, const char *value, CacheSettings *set, Err *err);

#endif
