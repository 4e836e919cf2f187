/*
** The compiled-in catalogue. See catalogue.h for the contract.
**
** All files are tab-separated (tsv.h), '-' where there is nothing.
**   models.tsv        name provider api base_url key_env context_window max_output supports
**   endpoints.tsv     words provider api base_url key_env automatic supports
**   prices*.tsv       model names valid_from valid_to hours above_tokens service prices
**                     after lines "@provider id", "@source text", "@checked day" and "@hours calendar"
**                     that hold until the next; `hours` is a calendar (calendar.h), or '@' for that one; `names` are GLOBs, on a model's first row; `prices` are "unit=price", US
**                     dollars per million ('?': billed apart, at a price that nobody knows), or "factor=0.5": of all token prices of the standard service
**   cache_minimum.tsv provider names valid_from tokens source
** In a provider, the first model whose names match is the one. A row with a later valid_from ends the
** earlier rows of its model. Models that prices_more.tsv names go before those of prices.tsv; its rows
** without names join those of the model of that name. The model "*" is all that its names mean.
**
** Models and minimums are read into memory of their own, which can't fail. The prices are 800 kB that most
** processes never ask for: made at first use, whole or not at all.
*/
#include "core/price/catalogue.h"

#include "base/text/decimal.h"
#include "base/text/glob.h"
#include "core/names/model_name.h"
#include "base/once.h"
#include "sql/sql_text.h"
#include "base/tables/tsv.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MODEL_FIELDS = 8, ENDPOINT_FIELDS = 7, PRICE_FIELDS = 8, MINIMUM_FIELDS = 5 };
enum { MOST_MODELS = 128, MOST_ENDPOINTS = 64, MOST_MINIMUMS = 128 };

typedef struct CacheMinimum {
  const Vendor *vendor;
  const char *names;
  long long from_ms, tokens;
} CacheMinimum;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Model models[MOST_MODELS];
static int n_models;
static Endpoint endpoints[MOST_ENDPOINTS];
static int n_endpoints;
static CacheMinimum minimums[MOST_MINIMUMS];
static int n_minimums;
static Once prices_once = ONCE_INIT;
static PriceBook book;
static char newest_check[11] = "";

static const Tier tiers[] = {
    {"simple", "gpt-4o-mini", 0.3, 1},
    {"medium", "claude-haiku-4-5", 0.7, 2},
    {"complex", "gpt-4o", 1.0, 3},
};

static void load_models(void) {
  static char text[16384];
  char *at = tsv_copy(sql_models_tsv, text, sizeof text);
  char *f[MODEL_FIELDS];
  while (*at && n_models < MOST_MODELS) {
    if (tsv_row(&at, f, MODEL_FIELDS) == MODEL_FIELDS) {
      models[n_models++] = (Model){.name = tsv_text(f[0]),
                                   .provider = tsv_text(f[1]),
                                   .api = tsv_text(f[2]),
                                   .base_url = tsv_text(f[3]),
                                   .key_env = tsv_text(f[4]),
                                   .context_window = strtoll(f[5], NULL, 10),
                                   .max_output = strtoll(f[6], NULL, 10),
                                   .supports = tsv_text(f[7]),
                                   .extra = "",
                                   .auth = "",
                                   .headers = ""};
    }
  }
}

static void load_endpoints(void) {
  static char text[8192];
  char *at = tsv_copy(sql_endpoints_tsv, text, sizeof text), *f[ENDPOINT_FIELDS];
  while (*at && n_endpoints < MOST_ENDPOINTS) {
    if (tsv_row(&at, f, ENDPOINT_FIELDS) == ENDPOINT_FIELDS) {
      endpoints[n_endpoints++] =
          (Endpoint){f[0], f[1], f[2], f[3], tsv_text(f[4]), tsv_text(f[6]), tsv_text(f[5])};
    }
  }
}

/* What the '@' lines of a price file said last. */
typedef struct Context {
  char provider[64], source[256], checked[16], hours[1024];
} Context;

static void read_context(Context *c, char **f) {
  if (strcmp(f[0], "@provider") == 0) {
    snprintf(c->provider, sizeof c->provider, "%s", f[1]);
  } else if (strcmp(f[0], "@source") == 0) {
    snprintf(c->source, sizeof c->source, "%s", f[1]);
  } else if (strcmp(f[0], "@hours") == 0) {
    snprintf(c->hours, sizeof c->hours, "%s", f[1]);
  } else if (strcmp(f[0], "@checked") == 0) {
    snprintf(c->checked, sizeof c->checked, "%s", f[1]);
    if (strlen(f[1]) == 10 && strcmp(f[1], newest_check) > 0) {
      memcpy(newest_check, f[1], 11);
    }
  }
}

/* Adds "input=2.5 output=10" as rows of the same terms. 0 without memory. */
static int add_prices(const Context *c, const char *model, const char *names, int joins,
                      char *prices, PriceTerms terms) {
  char *next = prices;
  int ok = 1;
  for (char *p = prices; p && *p && ok; p = next) {
    char *blank = strchr(p, ' '), *equals = strchr(p, '=');
    PriceRow row = {.terms = terms};
    next = blank ? blank + 1 : NULL;
    if (blank) {
      *blank = 0;
    }
    if (!equals) {
      continue;
    }
    *equals = 0;
    row.unit = unit_parse(p);
    int is_unknown = strcmp(equals + 1, "?") == 0 && row.unit < UNIT_COUNT;
    row.pusd = BOOK_UNKNOWN;
    if ((is_unknown || decimal_parse_pico(equals + 1, &row.pusd)) &&
        (row.unit < UNIT_COUNT || strcmp(p, "factor") == 0)) {
      ok = joins ? book_join(&book, c->provider, model, &row)
                 : book_add(&book, c->provider, model, names, &row);
    }
  }
  return ok;
}

static int add_price_row(const Context *c, char **f, int joins) {
  char why[CALENDAR_WHY];
  Calendar hours;
  PriceTerms terms = {.service = f[6],
                      .from_ms = 0,
                      .to_ms = LLONG_MAX,
                      .above_tokens = strtoll(f[5], NULL, 10),
                      .source = c->source,
                      .checked = c->checked};
  time_parse(f[2], &terms.from_ms);
  time_parse(f[3], &terms.to_ms);
  if (tsv_text(f[4])[0]) {
    if (!calendar_parse(f[4][0] == '@' ? c->hours : f[4], &hours, why)) {
      return 1; /* (a test sees that there is none) */
    }
    terms.hours = &hours;
  }
  return add_prices(c, f[0], tsv_text(f[1]), joins, f[7], terms);
}

/* 1 if a row belongs to a model that its file names: the row has names, or the model is one of the
** first n_named. */
static int is_named(const Context *c, char **f, int n_named) {
  int found = f[1][0] != '-' || f[1][1];
  for (int i = 0; i < n_named && !found; i++) {
    found = strcmp(book.models.at[i].provider, c->provider) == 0 &&
            strcmp(book.models.at[i].name, f[0]) == 0;
  }
  return found;
}

/* Which rows of a file to read: those of models with names of their own, or those that join others. */
enum Which { ALL, NAMED, JOINING };

/* 0 without memory. */
static int load_prices(const char *text, enum Which which, int n_named) {
  char *copy = strdup(text), *at = copy, *f[PRICE_FIELDS];
  Context context = {"", "", "", ""};
  int ok = copy != NULL;
  while (ok && *at) {
    int n = tsv_row(&at, f, PRICE_FIELDS);
    if (n == 2 && f[0][0] == '@') {
      read_context(&context, f);
    } else if (n == PRICE_FIELDS &&
               (which == ALL ||
                (which == NAMED) ==
                    is_named(&context, f, which == NAMED ? book.models.n : n_named))) {
      ok = add_price_row(&context, f, which == JOINING);
    }
  }
  free(copy);
  return ok;
}

static void load_minimums(void) {
  static char text[16384];
  char *at = tsv_copy(sql_cache_minimum_tsv, text, sizeof text), *f[MINIMUM_FIELDS];
  while (*at && n_minimums < MOST_MINIMUMS) {
    if (tsv_row(&at, f, MINIMUM_FIELDS) == MINIMUM_FIELDS) {
      CacheMinimum m = {vendor_by_word(f[0]), f[1], 0, strtoll(f[3], NULL, 10)};
      time_parse(f[2], &m.from_ms);
      minimums[n_minimums++] = m;
    }
  }
}

static void load(void) {
  load_models();
  load_endpoints();
  load_minimums();
}

static int make_prices(void) {
  int n_named = 0, ok = book_init(&book, "catalogue") && load_prices(sql_prices_more_tsv, NAMED, 0);
  n_named = book.models.n;
  ok = ok && load_prices(sql_prices_tsv, ALL, 0) &&
       load_prices(sql_prices_more_tsv, JOINING, n_named);
  if (!ok) {
    book_free(&book);
  }
  return ok;
}

const PriceBook *catalogue_prices(void) {
  return once_make(&prices_once, make_prices) ? &book : NULL;
}

const Model *catalogue_models(int *n) {
  pthread_once(&once, load);
  *n = n_models;
  return models;
}

const Tier *catalogue_tiers(int *n) {
  *n = (int)(sizeof tiers / sizeof tiers[0]);
  return tiers;
}

const Endpoint *catalogue_endpoints(int *n) {
  pthread_once(&once, load);
  *n = n_endpoints;
  return endpoints;
}

const Endpoint *catalogue_endpoint(const char *word, size_t n) {
  pthread_once(&once, load);
  for (int i = 0; i < n_endpoints; i++) {
    for (const char *at = endpoints[i].words; at[0];) {
      size_t len = strcspn(at, " ");
      if (len == n && strncasecmp(at, word, n) == 0) {
        return &endpoints[i];
      }
      at += len + (at[len] == ' ');
    }
  }
  return NULL;
}

long long catalogue_cache_minimum(const Vendor *vendor, const char *name, long long at_ms) {
  char lower[LIMIT_MODEL_NAME];
  const CacheMinimum *best = NULL;
  pthread_once(&once, load);
  model_name_lower(name, lower, sizeof lower);
  for (int i = 0; i < n_minimums; i++) {
    const CacheMinimum *m = &minimums[i];
    if (m->vendor == vendor && m->from_ms <= at_ms && glob_any(m->names, lower) &&
        (!best || m->from_ms > best->from_ms)) {
      best = m;
    }
  }
  return best ? best->tokens : -1;
}

int catalogue_rows(void) {
  int n = 0;
  if (!catalogue_prices()) {
    return -1;
  }
  for (int i = 0; i < book.models.n; i++) {
    n += book.models.at[i].n;
  }
  return n;
}

const char *catalogue_date(void) {
  return catalogue_prices() ? newest_check : NULL;
}
