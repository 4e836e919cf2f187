/*
** The options of llm_map: its own, and those of each of its calls.
*/
#ifndef LLMCOST_MAP_OPTIONS_H
#define LLMCOST_MAP_OPTIONS_H

#include "core/request/options.h"

enum { MAP_MOST_CONCURRENCY = 1024 };

#define MAP_FIELDS(X)                                                                              \
  X(FIELDS_OFF, "off")                                                                             \
  X(FIELDS_GIVEN, "given")                                                                         \
  X(FIELDS_ANY, "any")

typedef enum MapFields { MAP_FIELDS(SPEC_AS_ID) } MapFields;

typedef struct MapOptions {
  cJSON *doc;              /* owned; what the texts below lie in */
  long long concurrency;   /* requests on their way at once */
  int is_ordered;          /* rows come in the order of the SELECT */
  const char *prompt;      /* a template over the columns; NULL: none */
  const char *instruction; /* before the fields; NULL: none */
  int fields;              /* MapFields */
  double max_usd;          /* NAN: no limit */
  long long max_calls;     /* SPEC_UNSET: no limit */
  int stops;               /* the first error ends the statement */
  Options call;            /* of each call; on_error as it is for one of many */
} MapOptions;

/* Reads n bytes of JSON (NULL: nothing was given) into *o, which is for map_options_free then, after an error too. */
int map_options_parse(const char *json, size_t n, MapOptions *o, Err *err);
void map_options_free(MapOptions *o);

#endif
