/*
** See said.h for the contract.
*/
#include "call/gate/said.h"

#include <string.h>

void said_put(Call *k, char *text) {
  if (text) {
    cJSON_free(k->gate_said);
    k->gate_said = text;
    k->row.gate = text;
  }
}

int said_add(Call *k, const char *name, cJSON *item, Err *err) {
  Err bad = {0};
  cJSON *tree = k->gate_said ? json_parse(k->gate_said, strlen(k->gate_said), "", &bad)
                             : cJSON_CreateObject();
  json_add(tree, name, item, err);
  said_put(k, json_print(tree, err));
  return err->rc;
}
