/*
** What the unit tests share: cmocka's own includes, and a check that names the case of a table that
** failed.
*/
#ifndef LLMCOST_UNIT_H
#define LLMCOST_UNIT_H

#include "base/error.h"
#include "base/text/json.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A Model by its first members, in their order: what a table of the user's may add is not there. */
#define MODEL(name_, provider_, api_, url_, key_, supports_, window_, most_)                       \
  {                                                                                                \
    .name = (name_), .provider = (provider_), .api = (api_), .base_url = (url_),                   \
    .key_env = (key_), .supports = (supports_), .context_window = (window_),                       \
    .max_output = (most_), .extra = "", .auth = "", .headers = ""                                  \
  }

/* Fails the test with the condition and a printf-formatted description of the case. */
#define check(condition, fmt, ...)                                                                 \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fail_msg("%s: " fmt, #condition, ##__VA_ARGS__);                                             \
    }                                                                                              \
  } while (0)

/* The tree of a JSON text that must parse. Owned by the caller. */
static inline cJSON *tree_of(const char *json) {
  Err err = {0};
  cJSON *tree = json_parse(json, strlen(json), "the test's JSON", &err);
  check(tree, "%s: %s", json, err.msg);
  return tree;
}

/* Fails unless the error is of this code and its message holds `part`. */
static inline void check_error(const Err *err, const char *code, const char *part,
                               const char *name) {
  size_t bad_at = 0;
  check(err->rc != RC_OK, "%s: no error", name);
  check(strcmp(err_word(err->code), code) == 0, "%s: code '%s', expected '%s' (%s)", name,
        err_word(err->code), code, err->msg);
  check(strstr(err->msg, part), "%s: '%s' does not say '%s'", name, err->msg, part);
  check(utf8_is_valid(err->msg, strlen(err->msg), &bad_at), "%s: message is not UTF-8", name);
}

#endif
