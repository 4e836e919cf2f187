/*
** Who sells models: how a provider is named, which model names are its own, and the shapes of what
** it reports. Compiled in from sql/providers.tsv, sql/usage.tsv (both generated) and
** sql/usage_more.tsv.
*/
#ifndef LLMCOST_VENDOR_H
#define LLMCOST_VENDOR_H

#include "core/usage/unit.h"

enum { SHAPE_STEPS = 6, SHAPE_ROOTS = 8 };

/* One number of a usage object. A step "field=VALUE" is the element of an array whose `field` is
** VALUE, a digit the place of one. Numbers of one unit add up. */
typedef struct ShapePath {
  const char *steps[SHAPE_STEPS]; /* NULL-terminated */
  Unit unit;
  int required;
  int otherwise; /* counts only where the unit has no number but 0 yet */
} ShapePath;

/* A shape of usage object. */
typedef struct Shape {
  const char *name;
  /* The ways to the usage object in a whole answer, the best first; of each its end will do. None: it is the answer. */
  const char *roots[SHAPE_ROOTS][SHAPE_STEPS];
  int n_roots;
  int is_plain;                   /* the only root is "usage" */
  int is_usual;                   /* a root is "usage" */
  int has_texts;                  /* a root is "attributes": counts may be texts there */
  const char *model[SHAPE_STEPS]; /* the way to the model's name */
  const ShapePath *paths;
  int n;
  UnitSet can;       /* the units it can report */
  uint64_t required; /* name_bit of all first steps that must be there */
} Shape;

/* One of 64 bits for a name: objects are passed over by the bits of the names that they have. */
uint64_t name_bit(const char *name);

/* Splits "a.b.c" in place into NULL-terminated steps; 0 if they are too many for so many places. */
int path_split(char *path, const char **steps, int max);

typedef struct Vendor {
  const char *id;
  const char *names;    /* GLOBs of the words that mean this provider */
  const char *models;   /* GLOBs of model names that are its own, if nothing else is known */
  const char *fallback; /* providers whose models it sells too, separated by blanks */
  const char *apis;     /* "chat=openai.chat responses=…" */
  const char *page;     /* its price page */
} Vendor;

/* The provider a word means ("openai", "bedrock", "Together-AI"), or NULL. */
const Vendor *vendor_by_word(const char *word);

/* The provider a model name belongs to, or NULL. `name` in lower case. */
const Vendor *vendor_of_model(const char *name);

/* The other shop of a maker, with prices of its own: the provider whose names of own models are the same;
** or NULL. */
const Vendor *vendor_other_shop(const Vendor *vendor);

/* The shape a provider's API reports in; NULL where it has none of that name. */
const Shape *vendor_shape(const Vendor *vendor, const char *api);

/* The i-th API of a provider, with its name's length in *n_name if that is not NULL; NULL past the
** end. */
const Shape *vendor_shape_at(const Vendor *vendor, int i, const char **name, int *n_name);

/* A shape by its own name ("openai"), or NULL; and the i-th of all, or NULL past the end. */
const Shape *shape_by_name(const char *name);
const Shape *shape_at(int i);

#endif
