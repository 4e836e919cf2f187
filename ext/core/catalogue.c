/*
** The compiled-in catalogue. See catalogue.h for the contract.
**
** Both files are tab-separated, a row a line; lines that start with '#' are comments.
**   models.tsv: name provider api base_url key_env context_window max_output supports
**   prices.tsv: model valid_from above_tokens input output cache_read cache_write cache_write_1h checked source
** Prices are US dollars per million tokens, '-' where there is none. A row with a later valid_from
** ends the earlier rows of its model.
*/
#include "catalogue.h"

#include "sql_text.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_FIELDS = 8, PRICE_FIELDS = 10 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Model *models;
static int n_models;
static PriceRow *prices;
static int n_prices;
static char newest_check[11] = "";

static const Tier tiers[] = {
    {"simple", "gpt-4o-mini", 0.3, 1},
    {"medium", "claude-haiku-4-5", 0.7, 2},
    {"complex", "gpt-4o", 1.0, 3},
};

/* Splits the line at *at into fields (NUL-terminated in place) and moves *at past it. Returns
** the number of fields, 0 for comments and blank lines. */
static int next_row(char **at, char **fields, int max) {
  char *line = *at;
  char *end = strchr(line, '\n');
  *at = end ? end + 1 : line + strlen(line);
  if (end) {
    *end = 0;
  }
  int n = 0;
  while (*line && *line != '#' && n < max) {
    fields[n++] = line;
    char *tab = strchr(line, '\t');
    if (!tab) {
      break;
    }
    *tab = 0;
    line = tab + 1;
  }
  return n;
}

static int count_lines(const char *text) {
  int n = 1;
  for (; *text; text++) {
    n += *text == '\n';
  }
  return n;
}

static const char *field_text(const char *field) {
  return strcmp(field, "-") == 0 ? "" : field;
}

static void load_models(void) {
  char *at = strdup(sql_models_tsv);
  char *f[MODEL_FIELDS];
  models = at ? calloc((size_t)count_lines(at), sizeof *models) : NULL;
  while (models && *at) {
    if (next_row(&at, f, MODEL_FIELDS) == MODEL_FIELDS) {
      models[n_models++] = (Model){
          field_text(f[0]), field_text(f[1]), field_text(f[2]),        field_text(f[3]),
          field_text(f[4]), field_text(f[7]), strtoll(f[5], NULL, 10), strtoll(f[6], NULL, 10)};
    }
  }
}

/* Ends the still open rows of the same model and tier at the start of this one. */
static void end_earlier(const PriceRow *row) {
  for (int i = 0; i < n_prices; i++) {
    if (strcmp(prices[i].model, row->model) == 0 && prices[i].from_ms < row->from_ms &&
        prices[i].to_ms > row->from_ms) {
      prices[i].to_ms = row->from_ms;
    }
  }
}

static void add_price_row(char **f) {
  PriceRow row = {.model = f[0], .from_ms = 0, .to_ms = LLONG_MAX};
  time_parse(f[1], &row.from_ms);
  row.above_tokens = strtoll(f[2], NULL, 10);
  end_earlier(&row);
  for (int k = 0; k < PRICE_KINDS; k++) {
    row.kind = (PriceKind)k;
    if (decimal_parse_pico(f[3 + k], &row.pusd)) {
      prices[n_prices++] = row;
    }
  }
  if (strlen(f[8]) == 10 && strcmp(f[8], newest_check) > 0) {
    memcpy(newest_check, f[8], 11);
  }
}

static void load_prices(void) {
  char *at = strdup(sql_prices_tsv);
  char *f[PRICE_FIELDS];
  prices = at ? calloc((size_t)count_lines(at) * PRICE_KINDS, sizeof *prices) : NULL;
  while (prices && *at) {
    if (next_row(&at, f, PRICE_FIELDS) == PRICE_FIELDS) {
      add_price_row(f);
    }
  }
}

static void load(void) {
  load_models();
  load_prices();
}

PriceList catalogue_prices(void) {
  pthread_once(&once, load);
  return (PriceList){prices, n_prices};
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

const char *catalogue_date(void) {
  pthread_once(&once, load);
  return newest_check;
}
