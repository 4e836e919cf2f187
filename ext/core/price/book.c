/*
** Price books: building them. See book.h for the contract, book_find.c for finding.
*/
#include "core/price/book.h"

#include "core/names/model_name.h"

#include <stdlib.h>
#include <string.h>

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

typedef struct BookCalendar {
  struct BookCalendar *next;
  Calendar calendar;
} BookCalendar;

/* The book's own copy of a calendar, one for all of its text; NULL without memory. */
static const Calendar *keep_calendar(PriceBook *book, const Calendar *calendar) {
  BookCalendar *kept = book->calendars;
  while (kept && strcmp(kept->calendar.text, calendar->text) != 0) {
    kept = kept->next;
  }
  if (!kept) {
    kept = malloc(sizeof *kept);
    const char *text = kept ? keep(book, calendar->text, NULL) : NULL;
    if (!text) {
      free(kept);
      return NULL;
    }
    *kept = (BookCalendar){book->calendars, *calendar};
    kept->calendar.text = text;
    book->calendars = kept;
  }
  return &kept->calendar;
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
  for (BookCalendar *next, *c = book->calendars; c; c = next) {
    next = c->next;
    free(c);
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
  copy.terms.hours = row->terms.hours ? keep_calendar(book, row->terms.hours) : NULL;
  if (!copy.terms.service || !copy.terms.source || !copy.terms.checked ||
      !copy.terms.hours != !row->terms.hours) {
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
