/*
** The arguments of CREATE VIRTUAL TABLE … USING semantic_cache(…), parted by NULs; and, as stored settings
** come from a file, the name and the value of a change.
**
** Holds: what is accepted is in its range, and a change that was accepted can be applied.
*/
#include "fuzz.h"

#include "vec/cache/state/settings.h"

#include <math.h>

static void check_settings(const CacheSettings *s) {
  require(memchr(s->embedder, 0, sizeof s->embedder) && s->embedder[0]);
  require(s->dim >= 0 && s->dim <= 16384);
  require(isnan(s->threshold) || (s->threshold >= -1 && s->threshold <= 1));
  require(isnan(s->max_false_hits) || (s->max_false_hits > 0 && s->max_false_hits < 1));
  require(s->ttl_ms >= 0 && s->max_entries >= 0 && s->seed >= 0);
  require((s->guard | 1) == 1 && (s->confirm | 1) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { MOST = 8 };
  Input in = {data, size};
  char *argv[MOST], name[SETTING_NAME], value[SETTING_VALUE];
  CacheSettings set;
  Err err = {0};
  int argc = 0;
  size_t n;
  while (in.n > 0 && argc < MOST) {
    argv[argc++] = take_text(&in, &n);
  }
  if (cache_settings_parse(argc, (const char *const *)argv, &set, &err) == RC_OK) {
    check_settings(&set);
  }
  check_err(&err);
  for (int i = 0; i < argc; i++) {
    Err bad = {0}, worse = {0};
    cache_settings_parse(0, NULL, &set, &bad);
    if (cache_settings_change(argv[i], name, value, &bad) == RC_OK) {
      require(cache_settings_apply(name, value, &set, &worse) == RC_OK);
      check_settings(&set);
    }
    check_err(&bad);
    if (i > 0) {
      Err why = {0};
      cache_settings_apply(argv[i - 1], argv[i], &set, &why);
      check_settings(&set);
      check_err(&why);
    }
    free(i > 0 ? argv[i - 1] : NULL);
  }
  free(argc > 0 ? argv[argc - 1] : NULL);
  return 0;
}
