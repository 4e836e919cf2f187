/*
** Price lists of others: LiteLLM's model_prices_and_context_window.json and the data file (v2) of
** genai-prices, read into a price book.
*/
#ifndef LLMCOST_PRICE_IMPORT_H
#define LLMCOST_PRICE_IMPORT_H

#include "core/price/book.h"
#include "base/error.h"
#include "base/text/json.h"

typedef struct PriceImport {
  PriceBook book;  /* book_free */
  cJSON *left_out; /* an object: what we can't bill in, and how often it was there; cJSON_Delete */
  Err *err;        /* of the import that runs */
} PriceImport;

/* Reads a whole file's JSON into a book of that list (NULL: "litellm" or "genai-prices"); the form is
** recognised. RC_OK, or *err: then there is nothing to free. */
int price_import(const cJSON *file, const char *list, PriceImport *import, Err *err);

#endif
