/*
** Price lists of others.
**
** Holds: a model of an accepted list has rows with prices that are not negative, and asking for any of
** its names at any day gives a cost that is not negative or says why there is none.
*/
#include "fuzz.h"

#include "core/price/price.h"
#include "core/price/price_import.h"

static void check_cost(const PriceRef *ref, long long at_ms, long long tokens) {
  const PriceWhen when = {at_ms, tokens, "standard", ""};
  PriceSet set;
  Usage u;
  PriceSum sum = {.why = ""};
  usage_init(&u);
  usage_set(&u, UNIT_INPUT, tokens);
  usage_set(&u, UNIT_CACHE_READ, tokens / 2);
  usage_set(&u, UNIT_OUTPUT, 7);
  if (price_select(ref, &when, &set)) {
    PriceVerdict verdict = price_cost(&set, &u, &sum);
    require(verdict == PRICED ? cost_nusd(sum.cost) >= 0 : sum.why[0] != 0);
  } else {
    require(set.missing);
  }
}

static void ask(const PriceBook *book, const PriceModel *m) {
  PriceBook own;
  PriceRef ref;
  char name[LIMIT_MODEL_NAME];
  require(m->n > 0 && m->name[0] && m->provider && m->names && is_utf8(m->name));
  for (int i = 0; i < m->n; i++) {
    require(m->rows[i].pusd >= 0 && m->rows[i].unit <= UNIT_COUNT);
  }
  require(book_init(&own, ""));
  const PriceBook *const books[] = {&own, book};
  snprintf(name, sizeof name, "%s", m->name);
  if (price_find(books, 2, (Seller){vendor_by_word(m->provider), m->provider}, name, &ref)) {
    check_cost(&ref, 0, 10);
    check_cost(&ref, 1767225600000, 300000);
  }
  book_find(book, (Seller){NULL, NULL}, name);
  book_free(&own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  PriceImport import;
  Err err = {0};
  size_t n;
  char *text = take_rest(&in, &n);
  cJSON *tree = fuzz_json(text, n);
  if (tree && price_import(tree, NULL, &import, &err) == RC_OK) {
    for (int i = 0; i < import.book.models.n; i++) {
      ask(&import.book, &import.book.models.at[i]);
    }
    cJSON_Delete(import.left_out);
    book_free(&import.book);
  }
  check_err(&err);
  cJSON_Delete(tree);
  free(text);
  return 0;
}
