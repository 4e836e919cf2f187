/*
** Names of models and providers, and patterns of names: two names, a list of GLOBs and what a row of
** llm_models says it supports, parted by NULs.
**
** Holds: a name means itself, distance is symmetric and 0 of a name to itself, a list is found to match
** where one of its patterns does and only there, and a rule of tokens has a factor.
*/
#include "fuzz.h"

#include "core/price/book.h"
#include "core/price/catalogue.h"
#include "base/text/glob.h"
#include "base/text/text.h"
#include "core/names/model_name.h"
#include "core/tokens/tokens.h"

static void check_names(const char *a, const char *b) {
  char lower[64];
  int cap = 5, distance = text_distance(a, b, cap);
  require(model_name_match(a, a) == 3);
  require(model_name_base(a) <= strlen(a));
  require(model_name_lower(a, lower, sizeof lower) == strlen(a) && strlen(lower) < sizeof lower);
  require(distance == text_distance(b, a, cap) && distance >= 0 && distance <= cap);
  require(strlen(a) > LIMIT_MODEL_NAME || text_distance(a, a, cap) == 0);
}

static void check_globs(const char *globs, const char *name) {
  const char *rest = NULL;
  int any = glob_any(globs, name), found = glob_find(globs, name, &rest);
  require(any == found);
  require(!rest || (rest >= name && rest <= name + strlen(name)));
}

static void check_rule(const char *name, const char *supports) {
  TokenRule rule;
  Err err = {0};
  tokens_rule(name, &rule);
  require(rule.factor > 0 && (!rule.is_exact || rule.factor == 1));
  if (tokens_rule_declared(name, supports, &rule, &err) == RC_OK) {
    require(rule.factor > 0 && (!rule.is_exact || rule.factor == 1));
  }
  check_err(&err);
}

/* As the catalogue is asked by everybody. */
static void check_catalogue(const char *name, const char *word) {
  const Vendor *vendor = vendor_by_word(word), *seller = NULL;
  char lower[LIMIT_MODEL_NAME];
  model_name_lower(name, lower, sizeof lower);
  const char *bare = book_bare_name(lower, &seller);
  require(bare >= lower && bare <= lower + strlen(lower));
  vendor_of_model(lower);
  book_find(catalogue_prices(), (Seller){vendor, word}, lower);
  book_find(catalogue_prices(), (Seller){NULL, NULL}, lower);
  require(catalogue_cache_minimum(vendor, name, 1767225600000) >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n;
  char *a = take_text(&in, &n), *b = take_text(&in, &n), *globs = take_text(&in, &n),
       *supports = take_text(&in, &n);
  check_names(a, b);
  check_globs(globs, a);
  check_rule(a, supports);
  check_catalogue(a, b);
  free(a);
  free(b);
  free(globs);
  free(supports);
  return 0;
}
