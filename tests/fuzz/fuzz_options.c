/*
** The options object.
**
** Holds: what is accepted is in its ranges, what is refused has a message and leaves nothing behind.
*/
#include "fuzz.h"

#include "core/request/options.h"

#include <math.h>

static void check_options(const Options *o) {
  require(isnan(o->temperature) || (o->temperature >= 0 && o->temperature <= 2));
  require(isnan(o->top_p) || (o->top_p >= 0 && o->top_p <= 1));
  require(isnan(o->threshold) || (o->threshold >= -1 && o->threshold <= 1));
  require(o->max_tokens == OPTION_UNSET || o->max_tokens >= 1);
  require(o->timeout_ms >= OPTION_UNSET && o->retries >= OPTION_UNSET);
  require(o->ttl_ms >= OPTION_UNSET && o->ttl_ms != 0);
  require(o->cache >= -1 && o->cache <= CACHE_REFRESH);
  require(!o->schema || cJSON_IsObject(o->schema));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  Options options;
  Err err = {0};
  size_t n;
  char *text = take_rest(&in, &n);
  if (options_parse(text, n, &options, &err) == RC_OK) {
    check_options(&options);
  } else {
    require(!options.doc && !options.model && !options.schema);
  }
  check_err(&err);
  options_free(&options);
  free(text);
  return 0;
}
