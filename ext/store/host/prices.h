/*
** The table llm_prices in `main`: single rows that go before the catalogue, and imported price lists.
*/
#ifndef LLMCOST_STORE_PRICES_H
#define LLMCOST_STORE_PRICES_H

#include "core/price/book.h"
#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

/* The kinds of a price, for messages. */
#define PRICE_KIND_WORDS                                                                           \
  "'input', 'output', 'cache_read', 'cache_write', 'cache_write_1h', 'reasoning', 'input_audio', " \
  "'output_audio', 'input_image', 'output_image', 'request', 'web_search', … or 'factor'"

/* Reads the table (there: 0 makes no more than the empty book of single rows): an owned array of
** books, the single rows first, then the lists by name; NULL on failure. */
int prices_read(sqlite3 *host, int there, PriceBook **books, int *n, Err *err);
void prices_free(PriceBook *books, int n);

/* 1 if the table has every column of this version, 0 if not; -1 and *err. */
int prices_are_current(sqlite3 *host, Err *err);

/* Adds the columns that a table of an older version has not; *added: how many. */
int prices_add_columns(sqlite3 *host, int *added, Err *err);

/* Replaces the rows of the book's list by the book's, in one savepoint. */
int prices_replace_list(sqlite3 *host, const PriceBook *book, Err *err);

#endif
