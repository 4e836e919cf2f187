/*
** Price books: what a model's name means. See book.h for the contract.
**
** A walk over all models with GLOBs, some 100 microseconds in the catalogue: callers keep what was found.
*/
#include "core/price/book.h"

#include "base/text/glob.h"
#include "base/limits.h"
#include "core/names/model_name.h"
#include "core/names/suffix.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_FORMS = 16 };

/* The ways a name may be written in a book. */
typedef struct Forms {
  char text[MOST_FORMS][LIMIT_MODEL_NAME + 8];
  const char
      *service[MOST_FORMS]; /* what was left out of it told this service; NULL: nothing did */
  int n;
} Forms;

static void add_form(Forms *f, const char *text, const char *service) {
  for (int i = 0; i < f->n; i++) {
    if (strcmp(f->text[i], text) == 0) {
      return;
    }
  }
  if (f->n < MOST_FORMS && *text) {
    f->service[f->n] = service;
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
      add_form(f, text, NULL);
      return;
    }
  }
}

/* The name without what may be left out of any, one after the other from its end. */
static void add_stripped(Forms *f, const char *bare) {
  char text[LIMIT_MODEL_NAME];
  const char *service = NULL;
  size_t n = strlen(bare), base;
  for (const Suffix *s = suffix_of(bare, n, &base);
       s && (s->means == SUFFIX_SAME || (s->means == SUFFIX_SERVICE && !service));
       s = suffix_of(bare, n, &base)) {
    service = s->means == SUFFIX_SERVICE ? s->word : service;
    n = base;
    snprintf(text, sizeof text, "%.*s", (int)n, bare);
    add_form(f, text, service);
  }
}

/* The number of a version in the other spelling: "4.5" as "4-5", and the other way round. (A size is no
** version: "-3-32b".) */
static void add_respelled(Forms *f, const char *name, const char *service) {
  char dashes[LIMIT_MODEL_NAME + 8], dots[LIMIT_MODEL_NAME + 8];
  snprintf(dashes, sizeof dashes, "%s", name);
  snprintf(dots, sizeof dots, "%s", name);
  for (size_t i = 1; name[i]; i++) {
    int between = isdigit((unsigned char)name[i - 1]) && isdigit((unsigned char)name[i + 1]);
    int ends = between && (!name[i + 2] || strchr("-@:[", name[i + 2]));
    dashes[i] = between && name[i] == '.' ? '-' : dashes[i];
    dots[i] =
        ends && name[i] == '-' && (i < 2 || !isdigit((unsigned char)name[i - 2])) ? '.' : dots[i];
  }
  add_form(f, dashes, service);
  add_form(f, dots, service);
}

/* As the seller writes it; without the prefix of one. (Any other part of a path may change the price, but
** at OpenRouter, where it is the maker.) */
static void fill_forms(Forms *f, const Vendor *seller, const char *name) {
  const Vendor *vendor;
  const char *slash = strcmp(seller->id, "openrouter") == 0 ? strrchr(name, '/') : NULL;
  const char *bare = slash ? slash + 1 : book_bare_name(name, &vendor);
  f->n = 0;
  add_form(f, name, NULL);
  add_dashed_date(f, name);
  add_stripped(f, name);
  add_form(f, bare, NULL);
  add_stripped(f, bare);
  for (int i = 0, n = f->n; i < n; i++) {
    add_respelled(f, f->text[i], f->service[i]);
  }
}

/* ---- what a book's names mean */

/* 1 if what a '*' took of a name is another model: not only a snapshot's or a revision's suffixes. Of a
** fine-tuned model, what is behind the second colon is its own name. */
static int goes_beyond(const char *name, const char *rest) {
  const char *own = strncmp(name, "ft:", 3) == 0 ? strchr(name + 3, ':') : NULL;
  size_t n = own ? (size_t)(own - name) : strlen(name), base;
  while (rest && name + n > rest) {
    const Suffix *s = suffix_of(name, n, &base);
    if (!s || (s->means != SUFFIX_SAME && s->means != SUFFIX_REVISION)) {
      return 1;
    }
    n = base;
  }
  return 0;
}

int book_means(const PriceModel *m, const char *name) {
  const char *rest;
  return strcasecmp(m->name, name) == 0 ||
         (glob_find(m->names, name, &rest) && !goes_beyond(name, rest));
}

/* The first model of a provider that a name means. Rows without a provider are of any. */
static const PriceModel *match_at(const PriceBook *book, const char *provider, const char *name) {
  for (int i = 0; i < book->models.n; i++) {
    const PriceModel *m = &book->models.at[i];
    if ((!m->provider[0] || strcasecmp(m->provider, provider) == 0) && book_means(m, name)) {
      return m;
    }
  }
  return NULL;
}

/* A name as sellers vary it: without a path, with dashes for points. */
static void plain_name(const char *name, char *out, size_t size) {
  const char *slash = strrchr(name, '/');
  model_name_lower(slash ? slash + 1 : name, out, size);
  for (; *out; out++) {
    *out = *out == '.' ? '-' : *out;
  }
}

static int is_plainly(const PriceModel *m, const char *plain) {
  char own[LIMIT_MODEL_NAME];
  plain_name(m->name, own, sizeof own);
  return strcmp(own, plain) == 0;
}

/* The only model of a seller whose name has a path and ends with this one; NULL where there is none, or two. */
static const PriceModel *match_end(const PriceBook *book, const char *provider, const char *name) {
  char plain[LIMIT_MODEL_NAME];
  const PriceModel *found = NULL;
  plain_name(name, plain, sizeof plain);
  for (int i = 0; i < book->models.n && !strchr(name, '/'); i++) {
    const PriceModel *m = &book->models.at[i];
    if (strcmp(m->provider, provider) == 0 && strchr(m->name, '/') && is_plainly(m, plain)) {
      if (found) {
        return NULL;
      }
      found = m;
    }
  }
  return found;
}

static int is_compiled_in(const PriceBook *book) {
  return strcmp(book->list, "catalogue") == 0;
}

/* ---- finding */

/* A name at one seller, or at those whose models it resells. */
static BookMatch find_at(const PriceBook *book, const Vendor *vendor, const char *name) {
  BookMatch match = {NULL, vendor, NULL};
  Forms forms;
  fill_forms(&forms, vendor, name);
  for (int i = 0; i < forms.n && !match.model; i++) {
    match.service = forms.service[i];
    match.model = match_at(book, vendor->id, forms.text[i]);
    for (const char *p = vendor->fallback; *p && !match.model; p += strspn(p, " ")) {
      char id[64];
      size_t n = strcspn(p, " ");
      snprintf(id, sizeof id, "%.*s", (int)n, p);
      match.model = match_at(book, id, forms.text[i]);
      p += n;
    }
  }
  return match;
}

const char *book_bare_name(const char *name, const Vendor **vendor) {
  const char *models = strstr(name, "models/"), *slash = strchr(name, '/');
  char prefix[64];
  *vendor = NULL;
  if (models && (models == name || strncmp(name, "publishers/", 11) == 0)) {
    return models + strlen("models/");
  }
  size_t word = strspn(name, "abcdefghijklmnopqrstuvwxyz-_");
  slash = name[word] == ':' ? name + word : slash; /* as some libraries write it: "openai:gpt-5" */
  if (slash && slash - name < (int)sizeof prefix) {
    snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - name), name);
    *vendor = vendor_by_word(prefix);
  }
  return *vendor ? slash + 1 : name;
}

/* The provider that alone writes names with such an end, or NULL. */
static const Vendor *told_by_suffix(const char *name) {
  size_t base;
  const Suffix *s = suffix_of(name, strlen(name), &base);
  return s && s->means == SUFFIX_SELLER ? vendor_by_word(s->word) : NULL;
}

/* 1 if a maker's model is not the one of that name, but one that also answers to it ("deepseek-reasoner" to
** "deepseek-r1"), or has open weights, which others run under the maker's prefix. */
static int is_alias(const PriceModel *m, const char *name) {
  size_t n = model_name_base(m->name), same = 0;
  while (same < n && (tolower((unsigned char)m->name[same]) == name[same] ||
                      (strchr("-.", m->name[same]) && name[same] && strchr("-.", name[same])))) {
    same++;
  }
  return same < n || glob_any("gemma* gpt-oss* deepseek-chat-v3*", name);
}

/* A name behind the prefix of a maker or a seller. Under a maker's prefix others sell his open weights: such a
** name is his own model, or nobody's in particular. */
static BookMatch find_prefixed(const PriceBook *book, const Vendor *vendor, const char *name,
                               const char *bare) {
  const Vendor *told = vendor->page[0] ? told_by_suffix(name) : NULL;
  if (told) {
    return find_at(book, told, name);
  }
  BookMatch match = find_at(book, vendor, bare);
  if (match.model && strcmp(vendor->id, "openrouter") != 0 && vendor->page[0] &&
      is_alias(match.model, bare) && match_at(book, "openrouter", name)) {
    match.model = NULL;
  }
  return match;
}

/* A bare name at its maker, or in rows that are of any provider. Where the maker has two shops, the name does
** not tell which. */
static BookMatch find_at_maker(const PriceBook *book, const char *name) {
  int has_maker = !strchr(name, '/') || name[0] == '@' || strncmp(name, "accounts/", 9) == 0;
  const Vendor *maker = has_maker ? vendor_of_model(name) : NULL;
  if (!maker || vendor_other_shop(maker)) {
    return (BookMatch){match_at(book, "", name), NULL, NULL};
  }
  return find_at(book, maker, name);
}

/* ---- who else sells it */

/* Puts a seller into the list, in front if he makes it. */
static void put_seller(const PriceModel *m, const char *name, const PriceModel **models, int n,
                       int max) {
  const Vendor *vendor = vendor_by_word(m->provider);
  if (vendor && glob_any(vendor->models, name)) {
    memmove(models + 1, models, (size_t)(n < max ? n : max - 1) * sizeof *models);
    models[0] = m;
  } else if (n < max) {
    models[n] = m;
  }
}

static int is_among(const PriceModel *const *models, int n, const char *provider) {
  for (int i = 0; i < n; i++) {
    if (strcmp(models[i]->provider, provider) == 0) {
      return 1;
    }
  }
  return 0;
}

int book_sellers(const PriceBook *book, const char *name, const PriceModel **models, int max) {
  char asked[LIMIT_MODEL_NAME];
  int n = 0;
  plain_name(name, asked, sizeof asked);
  for (int i = 0; i < book->models.n; i++) {
    const PriceModel *m = &book->models.at[i];
    if (m->provider[0] && !is_among(models, n < max ? n : max, m->provider) &&
        (is_plainly(m, asked) || book_means(m, name))) {
      put_seller(m, name, models, n++, max);
    }
  }
  return n;
}

/* A name of no known maker that a list of the user's own has from one seller. (The catalogue has some that
** only a small reseller happens to spell so.) */
static BookMatch find_sole(const PriceBook *book, const char *name) {
  const PriceModel *seller;
  int is_own = book->list[0] && !is_compiled_in(book);
  if (!is_own || book_sellers(book, name, &seller, 1) != 1) {
    return (BookMatch){0};
  }
  return (BookMatch){seller, vendor_by_word(seller->provider), NULL};
}

BookMatch book_find(const PriceBook *book, Seller seller, const char *name) {
  const Vendor *vendor;
  if (seller.vendor) {
    BookMatch match = find_at(book, seller.vendor, name);
    if (!match.model && is_compiled_in(book)) { /* (in others' lists paths are places, too) */
      match.model = match_end(book, seller.vendor->id, name);
    }
    return match;
  }
  if (seller.word) {
    return (BookMatch){match_at(book, seller.word, name), NULL, NULL};
  }
  const char *bare = book_bare_name(name, &vendor);
  if (vendor) {
    return find_prefixed(book, vendor, name, bare);
  }
  vendor = told_by_suffix(bare);
  BookMatch match = vendor ? find_at(book, vendor, bare) : find_at_maker(book, bare);
  return match.model || match.vendor ? match : find_sole(book, bare);
}
