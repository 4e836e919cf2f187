/*
** Providers and shapes of usage objects. See vendor.h for the contract.
**
**   providers.tsv: id names models fallback apis page
**   usage*.tsv:    "@shape name", then "root path" (more than one: any of them) and "model path", then rows: path unit required|else|-
**
** Read at first use (safe from any thread) into memory of its own, so that it can't fail: a provider that is
** not found is none. A row that isn't what is expected here, or has no room, is left out.
*/
#include "core/usage/vendor.h"

#include "base/text/glob.h"
#include "base/limits.h"
#include "core/names/model_name.h"
#include "sql/sql_text.h"
#include "base/tables/tsv.h"

#include <pthread.h>
#include <string.h>

enum { VENDOR_FIELDS = 6, MOST_VENDORS = 256, MOST_SHAPES = 96, MOST_PATHS = 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Vendor vendors[MOST_VENDORS];
static int n_vendors;
static Shape shapes[MOST_SHAPES];
static int n_shapes;
static ShapePath all_paths[MOST_PATHS];
static int n_paths;

static void load_vendors(void) {
  static char text[32768];
  char *at = tsv_copy(sql_providers_tsv, text, sizeof text);
  char *f[VENDOR_FIELDS];
  while (*at && n_vendors < MOST_VENDORS) {
    if (tsv_row(&at, f, VENDOR_FIELDS) == VENDOR_FIELDS) {
      vendors[n_vendors++] = (Vendor){f[0],           tsv_text(f[1]), tsv_text(f[2]),
                                      tsv_text(f[3]), tsv_text(f[4]), tsv_text(f[5])};
    }
  }
}

uint64_t name_bit(const char *name) {
  size_t n = strlen(name);
  return n ? (uint64_t)1 << (((size_t)name[0] * 7 + (size_t)name[n - 1] * 3 + n) & 63) : 0;
}

int path_split(char *path, const char **steps, int max) {
  int n = 0;
  for (char *p = path; p; n++) {
    char *dot = strchr(p, '.');
    if (n + 1 >= max) {
      return 0;
    }
    steps[n] = p;
    p = dot ? dot + 1 : NULL;
    if (dot) {
      *dot = 0;
    }
  }
  steps[n] = NULL;
  return 1;
}

/* One row of the shape that is being read, whose paths are the last ones so far. */
static void read_shape_row(Shape *s, char **f, int n) {
  if (n == 2 && strcmp(f[0], "root") == 0) {
    int fits = s->n_roots < SHAPE_ROOTS && strcmp(f[1], "-") != 0;
    s->is_usual |= strcmp(f[1], "usage") == 0;
    s->has_texts |= strcmp(f[1], "attributes") == 0;
    s->is_plain = s->n_roots == 0 && strcmp(f[1], "usage") == 0;
    s->n_roots += fits && path_split(f[1], s->roots[s->n_roots], SHAPE_STEPS);
  } else if (n == 2 && strcmp(f[0], "model") == 0) {
    path_split(f[1], s->model, SHAPE_STEPS);
  } else if (n == 3 && n_paths < MOST_PATHS) {
    ShapePath *p = &all_paths[n_paths];
    p->unit = unit_parse(f[1]);
    p->required = strcmp(f[2], "required") == 0;
    p->otherwise = strcmp(f[2], "else") == 0;
    if (p->unit < UNIT_COUNT && path_split(f[0], p->steps, SHAPE_STEPS)) {
      s->can |= UNIT_BIT(p->unit);
      s->required |= p->required ? name_bit(p->steps[0]) : 0;
      s->n++;
      n_paths++;
    }
  }
}

/* `at`: a copy of the file. */
static void load_shapes(char *at) {
  char *f[3];
  Shape *s = NULL;
  while (*at) {
    int n = tsv_row(&at, f, 3);
    if (n == 2 && strcmp(f[0], "@shape") == 0) {
      s = n_shapes < MOST_SHAPES ? &shapes[n_shapes++] : NULL;
      if (s) {
        s->name = f[1];
        s->paths = &all_paths[n_paths];
      }
    } else if (s) {
      read_shape_row(s, f, n);
    }
  }
}

static void load(void) {
  static char more[32768], usage[32768];
  load_vendors();
  load_shapes(tsv_copy(sql_usage_more_tsv, more, sizeof more));
  load_shapes(tsv_copy(sql_usage_tsv, usage, sizeof usage));
}

const Vendor *vendor_by_word(const char *word) {
  char name[LIMIT_MODEL_NAME];
  pthread_once(&once, load);
  model_name_lower(word, name, sizeof name);
  for (int i = 0; i < n_vendors; i++) {
    if (strcmp(vendors[i].id, name) == 0) {
      return &vendors[i];
    }
  }
  for (int i = 0; i < n_vendors; i++) {
    if (glob_any(vendors[i].names, name)) {
      return &vendors[i];
    }
  }
  return NULL;
}

const Vendor *vendor_of_model(const char *name) {
  pthread_once(&once, load);
  for (int i = 0; i < n_vendors; i++) {
    if (glob_any(vendors[i].models, name)) {
      return &vendors[i];
    }
  }
  return NULL;
}

const Vendor *vendor_other_shop(const Vendor *vendor) {
  for (int i = 0; i < n_vendors && vendor->models[0]; i++) {
    if (&vendors[i] != vendor && strcmp(vendors[i].models, vendor->models) == 0) {
      return &vendors[i];
    }
  }
  return NULL;
}

const Shape *shape_by_name(const char *name) {
  pthread_once(&once, load);
  for (int i = 0; i < n_shapes; i++) {
    if (strcmp(shapes[i].name, name) == 0) {
      return &shapes[i];
    }
  }
  return NULL;
}

const Shape *shape_at(int i) {
  pthread_once(&once, load);
  return i < n_shapes ? &shapes[i] : NULL;
}

const Shape *vendor_shape_at(const Vendor *vendor, int i, const char **name, int *n_name) {
  const char *p = vendor->apis;
  char shape[64];
  for (; *p && i > 0; i--) {
    p += strcspn(p, " ");
    p += strspn(p, " ");
  }
  size_t n = strcspn(p, "="), rest = strcspn(p, " ");
  if (!*p || rest <= n || rest - n > sizeof shape) {
    return NULL;
  }
  memcpy(shape, p + n + 1, rest - n - 1);
  shape[rest - n - 1] = 0;
  if (name) {
    *name = p;
    *n_name = (int)n;
  }
  return shape_by_name(shape);
}

const Shape *vendor_shape(const Vendor *vendor, const char *api) {
  const Shape *s;
  const char *name;
  int n;
  for (int i = 0; (s = vendor_shape_at(vendor, i, &name, &n)) != NULL; i++) {
    if (strlen(api) == (size_t)n && strncmp(name, api, (size_t)n) == 0) {
      return s;
    }
  }
  return NULL;
}
