/*
** See env.h for the contract.
*/
#include "trust/node/env.h"

#include <stdlib.h>

const char *env_get(const char *name) {
  const char *value = getenv(name);
  return value && value[0] ? value : NULL;
}
