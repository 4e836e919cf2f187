/*
** Price books. See book.h for the contract.
**
** Finding is a walk over all models with GLOBs, some 100 microseconds in the catalogue: callers keep
** what was found.
*/
#include "core/price/book.h"

#include "base/text/glob.h"
#include "base/limits.h"
#include "core/names/model_name.h"

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

/* Names in lower case, kept. */
static const char *keep_names(PriceBook *book, const char *names) {
  char *kept = (char *)keep(book, names, NULL);
  if (kept) {
    model_name_lower(names, kept, strlen(names) + 1);
  }
  return kept;
}

/* The model added last, if it is that one ("*" is one per names: Gemini's second generation is not its third); else
** a new one. */
static PriceModel *model_of(PriceBook *book, PriceModels *list, const char *provider,
                            const char *name, const char *names) {
  PriceModel *last = list->n ? &list->at[list->n - 1] : NULL;
  if (last && is_model(last, provider, name) &&
      (!names[0] || strcasecmp(last->names, names) == 0)) {
    return last;
  }
  PriceModel *more = room(list->at, list->n, sizeof *more);
  if (!more) {
    return NULL;
  }
  list->at = more;
  last = list->n ? &more[list->n - 1] : NULL;
  PriceModel model = {keep(book, provider, last ? last->provider : NULL), keep(book, name, NULL),
                      keep_names(book, names), NULL, 0};
  if (!model.provider || !model.name || !model.names) {
    return NULL;
  }
  more[list->n++] = model;
  return &more[list->n - 1];
}

static int add_row(PriceBook *book, PriceModel *m, const PriceRow *row) {
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
  if (!copy.terms.service || !copy.terms.source || !copy.terms.checked) {
    return 0;
  }
  rows[m->n++] = copy;
  return 1;
}

static PriceModels *models_for(PriceBook *book, const char *model, const PriceRow *row) {
  int shared = row->unit == UNIT_COUNT || (book->list[0] && strcmp(model, "*") == 0);
  return shared ? &book->shared : &book->models;
}

int book_add(PriceBook *book, const char *provider, const char *model, const char *names,
             const PriceRow *row) {
  const Vendor *vendor = provider[0] ? vendor_by_word(provider) : NULL;
  PriceModels *list = models_for(book, model, row);
  return add_row(book, model_of(book, list, vendor ? vendor->id : provider, model, names), row);
}

int book_join(PriceBook *book, const char *provider, const char *model, const PriceRow *row) {
  PriceModels *list = models_for(book, model, row);
  for (int i = 0; i < list->n; i++) {
    if (is_model(&list->at[i], provider, model)) {
      return add_row(book, &list->at[i], row);
    }
  }
  return book_add(book, provider, model, "", row);
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

/* 1 if a name has a number that is not a size ("-3b"). */
static int has_version(const char *name) {
  for (const char *p = strpbrk(name, "0123456789"); p; p = strpbrk(p, "0123456789")) {
    p += strspn(p, "0123456789");
    if (*p != 'b') {
      return 1;
    }
  }
  return 0;
}

/* 1 if what is behind a name's base may be left out: a date, or "-latest" of a name with a version
** (without one it means the newest there is, whichever that is). */
static int may_drop(const char *name, size_t base) {
  return strcmp(name + base, "-latest") == 0 ? has_version(name) : strlen(name + base) > 5;
}

/* As the seller writes it; without the prefix of one. (Any other part of a path may change the price, but
** at OpenRouter, where it is the maker.) */
static void fill_forms(Forms *f, const Vendor *seller, const char *name) {
  const Vendor *vendor;
  const char *slash = strcmp(seller->id, "openrouter") == 0 ? strrchr(name, '/') : NULL;
  const char *bare = slash ? slash + 1 : book_bare_name(name, &vendor);
  char base[LIMIT_MODEL_NAME];
  size_t n = model_name_base(bare);
  f->n = 0;
  add_form(f, name);
  add_dashed_date(f, name);
  add_form(f, bare);
  if (may_drop(bare, n)) {
    snprintf(base, sizeof base, "%.*s", (int)n, bare);
    add_form(f, base);
  }
}

/* 1 if digits at p are the rest of a date that ends there or goes on by parts: "-03-25", "-09-2025". */
static int is_date_tail(const char *p) {
  size_t n = *p == '-' ? strspn(p + 1, "0123456789") : 0;
  return n == 2 || n == 4;
}

/* 1 if a number that a '*' cut in two, or that it begins with, is a version ("5" of "-15", "-1", ".5-mini",
** "-7-20260101"), and neither a date in parts nor a number of a revision ("-001"). */
static int is_version(const char *name, const char *rest) {
  int cut = rest > name && isdigit((unsigned char)rest[-1]) && rest[-1] != '0' &&
            isdigit((unsigned char)rest[0]);
  const char *digits = cut ? rest : rest + (*rest == '-' || *rest == '.');
  size_t n = cut || digits > rest ? strspn(digits, "0123456789") : 0;
  return n > 0 && n < 3 && !is_date_tail(digits + n);
}

/* 1 if what a '*' took of a name makes it another model: a further version number, also as "-v3" (the first
** is no news, nor is one behind or before a date); another size or kind; or a variant behind a colon that is
** no revision ("-v1:0") and no fine-tuned model's own. */
static int goes_beyond(const char *name, const char *rest) {
  static const char *const kinds[] = {"distill", "-qwen", "-llama", "deep-research", "-nemotron"};
  const char *colon = rest ? strrchr(rest, ':') : NULL;
  int revised = rest && strncmp(rest, "-v", 2) == 0 && rest[2] > '1' && rest[2] <= '9' &&
                rest[3] != '@' && !(rest > name && isdigit((unsigned char)rest[-1]));
  int beyond = rest && (is_version(name, rest) || revised);
  for (size_t i = 0; rest && i < sizeof kinds / sizeof kinds[0]; i++) {
    beyond |= strstr(rest, kinds[i]) != NULL;
  }
  return beyond ||
         (colon && strncmp(name, "ft:", 3) != 0 && !all_digits(colon + 1, (int)strlen(colon + 1)));
}

int book_means(const PriceModel *m, const char *name) {
  const char *rest;
  return strcasecmp(m->name, name) == 0 ||
         (glob_find(m->names, name, &rest) && !goes_beyond(name, rest));
}

/* The first model of a provider (NULL: of all) from `i` on that a name means. Rows without a provider
** are of any. */
static const PriceModel *match_from(const PriceBook *book, int i, const char *provider,
                                    const char *name) {
  for (; i < book->models.n; i++) {
    const PriceModel *m = &book->models.at[i];
    if ((!provider || !m->provider[0] || strcasecmp(m->provider, provider) == 0) &&
        book_means(m, name)) {
      return m;
    }
  }
  return NULL;
}

/* A name at one seller, or at those whose models it resells. */
static const PriceModel *find_at(const PriceBook *book, const Vendor *vendor, const char *name) {
  const PriceModel *found = NULL;
  Forms forms;
  fill_forms(&forms, vendor, name);
  for (int i = 0; i < forms.n && !found; i++) {
    found = match_from(book, 0, vendor->id, forms.text[i]);
    for (const char *p = vendor->fallback; *p && !found; p += strspn(p, " ")) {
      char id[64];
      size_t n = strcspn(p, " ");
      snprintf(id, sizeof id, "%.*s", (int)n, p);
      found = match_from(book, 0, id, forms.text[i]);
      p += n;
    }
  }
  return found;
}

/* A name that only one provider sells. Of several, OpenRouter's where the name is written its way. */
static BookMatch find_anywhere(const PriceBook *book, const char *name) {
  BookMatch match = {0};
  Forms forms = {.n = 0};
  add_form(&forms, name);
  add_dashed_date(&forms, name);
  for (int f = 0; f < forms.n && !match.model; f++) {
    const char *form = forms.text[f];
    const PriceModel *m = match_from(book, 0, NULL, form), *next = m;
    while (next && strcmp(next->provider, m->provider) == 0) {
      next = match_from(book, (int)(next - book->models.at) + 1, NULL, form);
    }
    match.model = m;
    if (m && next) {
      match.model = strchr(name, '/') ? match_from(book, 0, "openrouter", form) : NULL;
      if (!match.model) {
        return (BookMatch){NULL, NULL, m->provider, next->provider};
      }
    }
  }
  match.vendor = match.model ? vendor_by_word(match.model->provider) : NULL;
  return match;
}

const char *book_bare_name(const char *name, const Vendor **vendor) {
  const char *models = strstr(name, "models/"), *slash = strchr(name, '/');
  char prefix[64];
  *vendor = NULL;
  if (models && (models == name || strncmp(name, "publishers/", 11) == 0)) {
    return models + strlen("models/");
  }
  if (slash && slash - name < (int)sizeof prefix) {
    snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - name), name);
    *vendor = vendor_by_word(prefix);
  }
  return *vendor ? slash + 1 : name;
}

/* 1 if a model is not the one of that name, but one that also answers to it ("deepseek-reasoner" to
** "deepseek-r1"), or has open weights, which the prefix of a name tells the maker of. */
static int is_alias(const PriceModel *m, const char *name) {
  size_t n = model_name_base(m->name), same = 0;
  while (same < n && (tolower((unsigned char)m->name[same]) == name[same] ||
                      (strchr("-.", m->name[same]) && name[same] && strchr("-.", name[same])))) {
    same++;
  }
  return same < n || glob_any("gemma* gpt-oss* deepseek-chat-v3*", name);
}

/* A name whose prefix is a seller: its model, else OpenRouter's of that whole name, which sells others'
** models under such names. A server that somebody runs for themselves has no price list. */
static BookMatch find_prefixed(const PriceBook *book, const Vendor *vendor, const char *name,
                               const char *bare) {
  BookMatch match = {find_at(book, vendor, bare), vendor, NULL, NULL};
  if (vendor->page[0] && (!match.model || is_alias(match.model, bare))) {
    const PriceModel *m = match_from(book, 0, "openrouter", name);
    if (m) {
      match = (BookMatch){m, vendor_by_word("openrouter"), NULL, NULL};
    }
  }
  return match;
}

BookMatch book_find(const PriceBook *book, Seller seller, const char *name) {
  BookMatch match = {NULL, seller.vendor, NULL, NULL};
  const Vendor *vendor;
  if (seller.vendor) {
    match.model = find_at(book, seller.vendor, name);
    return match;
  }
  if (seller.word) {
    match.model = match_from(book, 0, seller.word, name);
    return match;
  }
  const char *bare = book_bare_name(name, &vendor);
  if (vendor) {
    return find_prefixed(book, vendor, name, bare);
  }
  match.vendor = strchr(bare, '/') ? NULL : vendor_of_model(bare);
  if (match.vendor) {
    match.model = find_at(book, match.vendor, bare);
  }
  return match.model || match.vendor ? match : find_anywhere(book, bare);
}
