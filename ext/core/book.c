/*
** Price books. See book.h for the contract.
**
** Finding is a walk over all models with GLOBs, some 100 microseconds in the catalogue: callers keep
** what was found.
*/
#include "book.h"

#include "glob.h"
#include "limits.h"
#include "model_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_CHUNK = 16384 };

struct BookText {
  BookText *next;
  size_t n, cap;
  char bytes[];
};

/* ---- building */

/* A copy of a text that lives as long as the book. A text equal to `last` is not copied again. */
static const char *keep(PriceBook *book, const char *text, const char *last) {
  size_t n = strlen(text) + 1;
  if (last && strcmp(text, last) == 0) {
    return last;
  }
  BookText *chunk = book->texts;
  if (!chunk || chunk->cap - chunk->n < n) {
    size_t cap = n > TEXT_CHUNK ? n : TEXT_CHUNK;
    chunk = malloc(sizeof *chunk + cap);
    if (!chunk) {
      return NULL;
    }
    *chunk = (BookText){book->texts, 0, cap};
    book->texts = chunk;
  }
  char *copy = chunk->bytes + chunk->n;
  memcpy(copy, text, n);
  chunk->n += n;
  return copy;
}

int book_init(PriceBook *book, const char *list) {
  *book = (PriceBook){0};
  book->list = keep(book, list, NULL);
  return book->list != NULL;
}

static void free_models(PriceModels *list) {
  for (int i = 0; i < list->n; i++) {
    free(list->at[i].rows);
  }
  free(list->at);
}

void book_free(PriceBook *book) {
  for (BookText *next, *t = book->texts; t; t = next) {
    next = t->next;
    free(t);
  }
  free_models(&book->models);
  free_models(&book->shared);
  *book = (PriceBook){0};
}

/* Room for one more element; arrays double. */
static void *room(void *array, int n, size_t size) {
  return n & (n - 1) ? array : realloc(array, (size_t)(n ? 2 * n : 1) * size);
}

static int is_model(const PriceModel *m, const char *provider, const char *name) {
  return strcmp(m->name, name) == 0 && strcmp(m->provider, provider) == 0;
}

/* The model of that name: the last one added; without names of its own, any; else a new one. */
static PriceModel *model_of(PriceBook *book, PriceModels *list, const char *provider,
                            const char *name, const char *names) {
  PriceModel *last = list->n ? &list->at[list->n - 1] : NULL;
  if (last && is_model(last, provider, name)) {
    return last;
  }
  for (int i = 0; i < list->n && !names[0]; i++) {
    if (is_model(&list->at[i], provider, name)) {
      return &list->at[i];
    }
  }
  PriceModel *more = room(list->at, list->n, sizeof *more);
  if (!more) {
    return NULL;
  }
  list->at = more;
  last = list->n ? &more[list->n - 1] : NULL;
  PriceModel model = {keep(book, provider, last ? last->provider : NULL), keep(book, name, NULL),
                      keep(book, names, NULL), NULL, 0};
  if (!model.provider || !model.name || !model.names) {
    return NULL;
  }
  more[list->n++] = model;
  return &more[list->n - 1];
}

int book_add(PriceBook *book, const char *provider, const char *model, const char *names,
             const PriceRow *row) {
  int shared = row->unit == UNIT_COUNT || (book->list[0] && strcmp(model, "*") == 0);
  PriceModel *m = model_of(book, shared ? &book->shared : &book->models, provider, model, names);
  PriceRow *rows = m ? room(m->rows, m->n, sizeof *rows) : NULL;
  if (!rows) {
    return 0;
  }
  m->rows = rows;
  const PriceTerms *last = m->n ? &rows[m->n - 1].terms : NULL;
  PriceRow copy = *row;
  copy.terms.service = keep(book, row->terms.service, last ? last->service : NULL);
  copy.terms.source = keep(book, row->terms.source, last ? last->source : NULL);
  copy.terms.checked = keep(book, row->terms.checked, last ? last->checked : NULL);
  rows[m->n++] = copy;
  return copy.terms.service && copy.terms.source && copy.terms.checked;
}

/* ---- finding */

enum { MOST_FORMS = 4 };

/* The ways a name may be written in a book. */
typedef struct Forms {
  char text[MOST_FORMS][LIMIT_MODEL_NAME + 8];
  int n;
} Forms;

static void add_form(Forms *f, const char *text) {
  for (int i = 0; i < f->n; i++) {
    if (strcmp(f->text[i], text) == 0) {
      return;
    }
  }
  if (f->n < MOST_FORMS && *text) {
    snprintf(f->text[f->n++], sizeof f->text[0], "%s", text);
  }
}

static int all_digits(const char *s, int n) {
  for (int i = 0; i < n; i++) {
    if (!isdigit((unsigned char)s[i])) {
      return 0;
    }
  }
  return 1;
}

/* "-20251001" as "-2025-10-01", wherever it ends a word. */
static void add_dashed_date(Forms *f, const char *name) {
  char text[LIMIT_MODEL_NAME + 8];
  for (const char *p = strstr(name, "-20"); p; p = strstr(p + 1, "-20")) {
    if (all_digits(p + 1, 8) && (p[9] == 0 || p[9] == '-' || p[9] == ':')) {
      snprintf(text, sizeof text, "%.*s-%.4s-%.2s-%.2s%s", (int)(p - name), name, p + 1, p + 5,
               p + 7, p + 9);
      add_form(f, text);
      return;
    }
  }
}

static void fill_forms(Forms *f, const char *name) {
  const char *slash = strrchr(name, '/');
  const char *bare = slash ? slash + 1 : name;
  char base[LIMIT_MODEL_NAME];
  f->n = 0;
  add_form(f, name);
  add_dashed_date(f, name);
  add_form(f, bare);
  snprintf(base, sizeof base, "%.*s", (int)model_name_base(bare), bare);
  add_form(f, base);
}

/* 1 if the model is what a name means. */
static int means(const PriceModel *m, const char *name) {
  return strcasecmp(m->name, name) == 0 || glob_any(m->names, name);
}

/* The first model of a provider (NULL: of all) from `i` on that a name means. */
static const PriceModel *match_from(const PriceBook *book, int i, const char *provider,
                                    const char *name) {
  for (; i < book->models.n; i++) {
    const PriceModel *m = &book->models.at[i];
    if ((!provider || strcmp(m->provider, provider) == 0) && means(m, name)) {
      return m;
    }
  }
  return NULL;
}

/* A name at one seller, or at those whose models it resells. */
static const PriceModel *find_at(const PriceBook *book, const Vendor *vendor, const Forms *forms) {
  const PriceModel *found = NULL;
  for (int i = 0; i < forms->n && !found; i++) {
    found = match_from(book, 0, vendor->id, forms->text[i]);
    for (const char *p = vendor->fallback; *p && !found; p += strspn(p, " ")) {
      char id[64];
      size_t n = strcspn(p, " ");
      snprintf(id, sizeof id, "%.*s", (int)n, p);
      found = match_from(book, 0, id, forms->text[i]);
      p += n;
    }
  }
  return found;
}

/* A name that only its seller uses. Of several, OpenRouter's where the name is written its way. */
static BookMatch find_anywhere(const PriceBook *book, const Forms *forms) {
  BookMatch match = {0};
  for (int f = 0; f < forms->n && !match.model; f++) {
    const char *name = forms->text[f];
    const PriceModel *m = match_from(book, 0, NULL, name), *next = m;
    while (next && strcmp(next->provider, m->provider) == 0) {
      next = match_from(book, (int)(next - book->models.at) + 1, NULL, name);
    }
    if (m && next) {
      const PriceModel *router = strchr(name, '/') ? match_from(book, 0, "openrouter", name) : NULL;
      if (!router) {
        return (BookMatch){NULL, NULL, m->provider, next->provider};
      }
      m = router;
    }
    match.model = m;
  }
  match.vendor = match.model ? vendor_by_word(match.model->provider) : NULL;
  return match;
}

/* The seller a name tells: by its prefix ("openai/…"), or because its models are called so. */
static const Vendor *told_by_name(const char *name, const char **rest) {
  const char *slash = strchr(name, '/');
  char prefix[64];
  *rest = name;
  if (slash && slash - name < (int)sizeof prefix) {
    snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - name), name);
    const Vendor *vendor = vendor_by_word(prefix);
    if (vendor) {
      *rest = slash + 1;
      return vendor;
    }
  }
  const Vendor *vendor = vendor_of_model(name);
  return vendor || !slash ? vendor : vendor_of_model(strrchr(name, '/') + 1);
}

BookMatch book_find(const PriceBook *book, const Vendor *vendor, const char *name) {
  const char *rest = name;
  Forms forms;
  BookMatch match = {NULL, vendor, NULL, NULL};
  if (vendor) {
    fill_forms(&forms, name);
    match.model = find_at(book, vendor, &forms);
    return match;
  }
  match.vendor = told_by_name(name, &rest);
  if (match.vendor) {
    fill_forms(&forms, rest);
    match.model = find_at(book, match.vendor, &forms);
  }
  fill_forms(&forms, name);
  return match.model ? match : find_anywhere(book, &forms);
}

const PriceModel *book_find_single(const PriceBook *book, const Vendor *vendor, const char *name) {
  const PriceModel *found = NULL;
  int best = 0;
  for (int i = 0; i < book->models.n; i++) {
    const PriceModel *m = &book->models.at[i];
    int ours = !m->provider[0] || (vendor && vendor_by_word(m->provider) == vendor);
    /* twice the rank, and one more for a row of this very provider */
    int rank = 2 * (1 + model_name_match(name, m->name));
    rank = rank > 2 ? rank : glob_any(m->names, name) ? 2 : 0;
    rank += rank && m->provider[0];
    if (ours && rank > best) {
      best = rank;
      found = m;
    }
  }
  return found;
}
