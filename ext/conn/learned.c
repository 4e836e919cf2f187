/*
** See learned.h for the contract.
*/
#include "conn/learned.h"

#include <stdlib.h>
#include <string.h>

enum { LEARNED_MODELS = 64 }; /* who has more of them pays a refusal now and then */

typedef struct Learned {
  struct {
    Hash model;
    unsigned refusals;
  } at[LEARNED_MODELS];
  int n;
} Learned;

static const ConnSlot slot_type = {sizeof(Learned), NULL, NULL, NULL};

/* Its place; -1: none. */
static int find(const Learned *l, const Hash *model) {
  int i = l->n - 1;
  while (i >= 0 && memcmp(&l->at[i].model, model, sizeof *model) != 0) {
    i--;
  }
  return i;
}

unsigned learned_refusals(const Conn *c, const char *model) {
  const Learned *l = conn_slot_if_any(c, &slot_type);
  Hash h = hash_bytes(model, strlen(model), 0);
  int i = l ? find(l, &h) : -1;
  return i >= 0 ? l->at[i].refusals : 0;
}

void learned_add(Conn *c, const char *model, unsigned refusals) {
  Err ignored = {0};
  Learned *l = conn_slot(c, &slot_type, &ignored);
  Hash h = hash_bytes(model, strlen(model), 0);
  int i = l ? find(l, &h) : -1;
  if (l && i < 0 && l->n < LEARNED_MODELS) {
    i = l->n++;
    l->at[i].model = h;
  }
  if (i >= 0) {
    l->at[i].refusals |= refusals;
  }
}
