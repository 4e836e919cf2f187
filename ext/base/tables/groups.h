/*
** Records by what their rows have in common: some texts, each of which may be NULL. What a GROUP BY does, for sums that SQL
** can't make.
**
** A record is `size` bytes that are zeroed when it is made. Its texts are kept as long as the groups are.
*/
#ifndef LLMCOST_GROUPS_H
#define LLMCOST_GROUPS_H

#include "base/error.h"

#include <stddef.h>

enum {
  GROUP_MOST_TEXTS = 6,
  GROUP_MOST =
      4000000 /* records of some hundred bytes: past that a report is as long as the ledger, and asked for in parts */
};

typedef struct Groups {
  size_t size;   /* of a record */
  char *records; /* n of them, one behind the other */
  int n, cap;
  int is_new; /* the last that was asked for was not there before */
  struct GroupKey *keys;
  int *slots, n_slots; /* 1 + the place of a record, by the hash of its key; 0 */
  char *scratch;
  size_t n_scratch;
  struct Groups *texts; /* of groups_keep, owned; NULL: none */
} Groups;

/* Nothing in it. */
void groups_init(Groups *g, size_t size);
void groups_free(Groups *g);

/* The record of n texts, made where there is none; its texts in kept[n]. Borrowed until another is made. NULL and *err. */
void *groups_of(Groups *g, const char *const *texts, int n, const char **kept, Err *err);

/* The same of n bytes. */
void *groups_of_bytes(Groups *g, const void *key, size_t n, Err *err);

/* A copy of a text that lives as long: the same text is one copy. NULL stays NULL; NULL and *err. */
const char *groups_keep(Groups *g, const char *text, Err *err);

/* 1 if there is one of these bytes. */
int groups_has(const Groups *g, const void *key, size_t n);

/* Sorts the records; no more can be asked for then. */
void groups_sort(Groups *g, int (*compare)(const void *a, const void *b));

/* By text, NULL first. For `compare`. */
int groups_compare_texts(const char *a, const char *b);

#endif
