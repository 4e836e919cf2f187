/*
** See supports.h for the contract.
*/
#include "wire/model/supports.h"

#include "base/text/json.h"
#include "base/utf8.h"

#include <string.h>

/* Owned; NULL where there is none, it is no JSON, or *err. */
static cJSON *supports_of(const Model *model, Err *err) {
  Err why = {0};
  cJSON *tree = model->supports[0]
                    ? json_parse(model->supports, strlen(model->supports), "supports", &why)
                    : NULL;
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  return tree;
}

int wire_supports(const Model *model, const char *name, int otherwise, Err *err) {
  cJSON *tree = supports_of(model, err);
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, name);
  int value = cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
  cJSON_Delete(tree);
  return value;
}

SupportsWord wire_supports_word(const Model *model, const char *name, char *out, size_t size,
                                Err *err) {
  cJSON *tree = supports_of(model, err);
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, name);
  SupportsWord word = cJSON_IsString(item)  ? SUPPORTS_TEXT
                      : cJSON_IsFalse(item) ? SUPPORTS_NO
                                            : SUPPORTS_NOTHING;
  if (word == SUPPORTS_TEXT) {
    utf8_copy(out, size, item->valuestring);
  }
  cJSON_Delete(tree);
  return word;
}

long long wire_dimension(const Model *model, Err *err) {
  cJSON *tree = supports_of(model, err);
  long long dimension = 0;
  json_count(tree, "dimensions", &dimension);
  cJSON_Delete(tree);
  return dimension;
}
