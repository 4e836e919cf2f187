/*
** Settings of llm_config, of one connection. To add one: its member here, its line in settings.c,
** its line in the manual.
*/
#ifndef LLMCOST_SETTINGS_H
#define LLMCOST_SETTINGS_H

#include "base/text/spec.h"

#define LOG_TEXTS(X)                                                                               \
  X(LOG_FULL, "full")                                                                              \
  X(LOG_HASH, "hash")                                                                              \
  X(LOG_NONE, "none")
#define CACHE_SCOPES(X)                                                                            \
  X(SCOPE_SHARED, "shared")                                                                        \
  X(SCOPE_USER, "user")

#define FALLBACKS(X)                                                                               \
  X(FALLBACK_DOWN, "down")                                                                         \
  X(FALLBACK_UP, "up")                                                                             \
  X(FALLBACK_OFF, "off")
#define ROUTES(X)                                                                                  \
  X(ROUTE_SCORE, "score")                                                                          \
  X(ROUTE_FIRST, "first")

#define PROGRESSES(X)                                                                              \
  X(PROGRESS_AUTO, "auto")                                                                         \
  X(PROGRESS_ON, "on")                                                                             \
  X(PROGRESS_OFF, "off")

typedef enum ProgressShown { PROGRESSES(SPEC_AS_ID) } ProgressShown;
typedef enum Fallback { FALLBACKS(SPEC_AS_ID) } Fallback;
typedef enum RouteBy { ROUTES(SPEC_AS_ID) } RouteBy;
typedef enum LogText { LOG_TEXTS(SPEC_AS_ID) } LogText;
typedef enum CacheScope { CACHE_SCOPES(SPEC_AS_ID) } CacheScope;

/* The texts are its own; a time that is not set is SPEC_UNSET (OPTION_UNSET). */
typedef struct Settings {
  char *store;        /* path, "main", or NULL: beside the database */
  char *proxy;        /* NULL: none */
  char *time_zone;    /* of days and hours in reports; NULL: UTC */
  char *minilm;       /* path of MiniLM's weights, or NULL: beside the library */
  int log_text;       /* LogText */
  int cache;          /* CacheMode that requests have unless they say otherwise */
  int scope;          /* CacheScope */
  int heeds_volatile; /* by meaning: no answers of the moment, and of a person only to that person */
  int route;          /* RouteBy: which tier "auto" is */
  int scorer;         /* Scorer that says how hard a request is */
  int fallback;       /* Fallback: where a call may go whose model can't be had */
  int progress;       /* ProgressShown: llm_map's bar */
  char *gate;         /* what answers must pass unless their call says otherwise; NULL: nothing */
  char *
      prune; /* options of llm_prune for conversations that are named, JSON; NULL: they are sent whole */
  double audit;          /* of what gates accept, the share that is asked again above */
  double max_false_hits; /* of the built-in semantic cache; NAN: its threshold is fixed */
  double
      max_usd; /* what this connection may spend from now on (money/allowance.h); NAN: no limit */
  long long max_calls; /* and how many requests it may send; SPEC_UNSET: no limit */
  long long keep_ms;   /* rows of the ledger that are older are trimmed; SPEC_UNSET: none */
  long long ttl_ms, timeout_ms, connect_timeout_ms, idle_timeout_ms, retries, backoff_ms;
} Settings;

/* Their names, as llm_config knows them; into a Settings. */
extern const SpecTable settings_table;

/* The defaults, whatever stood there. */
void settings_init(Settings *set);
void settings_free(Settings *set);

#endif
