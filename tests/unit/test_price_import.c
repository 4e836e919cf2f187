/*
** Price lists that are not what they seem (core/price/price_import.h): a list where an object is expected and
** the other way round, and names without end. What good ones come to, the SQL tests check.
*/
#include "unit.h"

#include "core/price/price_import.h"

#include <stdio.h>

/* Imports a text; the number of models, or -1 with the error in *err. */
static int import_text(const char *json, PriceImport *import, Err *err) {
  cJSON *tree = tree_of(json);
  int rc = price_import(tree, NULL, import, err);
  cJSON_Delete(tree);
  return rc == RC_OK ? import->book.models.n : -1;
}

static void free_import(PriceImport *import) {
  cJSON_Delete(import->left_out);
  book_free(&import->book);
}

static void test_lists_for_objects(void **state) {
  static const char *const refused[] = {
      "[{\"input_cost_per_token\":1}]",
      "[{\"litellm_provider\":\"openai\",\"input_cost_per_token\":1}]",
      "[[{\"models\":[]}]]",
      "{\"a\":[{\"input_cost_per_token\":1}]}",
      "[{\"id\":\"p\",\"models\":{\"a\":1}}]",
      "[{\"id\":\"p\",\"models\":[[1],2,\"x\",null]}]",
      "[]",
      "7",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(refused); i++) {
    PriceImport import;
    Err err = {0};
    assert_int_equal(import_text(refused[i], &import, &err), -1);
    check_error(&err, "bad_prices", "", refused[i]);
  }
}

/* A member that is a list makes a model of a list unreadable, not the list. */
static void test_lists_inside(void **state) {
  static const char *const models[] = {
      "{\"id\":\"a\",\"prices\":[{\"constraint\":[1],\"prices\":{\"input_mtok\":1}}]}",
      "{\"id\":\"a\",\"prices\":[{\"constraint\":[\"start_date\"],\"prices\":{\"input_mtok\":1}}]}",
      "{\"id\":\"a\",\"prices\":[{\"constraint\":\"2026\",\"prices\":{\"input_mtok\":1}}]}",
      "{\"id\":\"a\",\"prices\":[[1]]}",
      "{\"id\":\"a\",\"prices\":{\"input_mtok\":[1]}}",
      "{\"id\":\"a\",\"prices\":{\"input_mtok\":{\"base\":[1],\"tiers\":[[1]]}}}",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(models); i++) {
    char text[400];
    PriceImport import;
    Err err = {0};
    snprintf(text, sizeof text,
             "[{\"id\":\"p\",\"models\":[%s,{\"id\":\"b\",\"prices\":{\"input_mtok\":2}}]}]",
             models[i]);
    check(import_text(text, &import, &err) == 1, "%s: %s", text, err.msg);
    assert_string_equal(import.book.models.at[0].name, "b");
    free_import(&import);
  }
}

/* Names that are longer than their limit, under conditions that can't be said: no names. */
static void test_names_without_end(void **state) {
  enum { NAMES = 40, LENGTH = 10000 };
  static const char end[] = "]},\"prices\":{\"input_mtok\":1}}]}]";
  char *name = malloc(LENGTH + 1), *text = malloc(NAMES * (LENGTH + 40) + 200);
  PriceImport import;
  Err err = {0};
  (void)state;
  memset(name, 'n', LENGTH);
  name[LENGTH] = 0;
  size_t n = (size_t)snprintf(text, 200, "%s",
                              "[{\"id\":\"p\",\"models\":[{\"id\":\"a\",\"match\":{\"and\":[");
  for (int i = 0; i < NAMES; i++) {
    n += (size_t)snprintf(text + n, LENGTH + 40, "%s{\"equals\":\"%s\"}", i ? "," : "", name);
  }
  memcpy(text + n, end, sizeof end);
  check(import_text(text, &import, &err) == 1, "%s", err.msg);
  assert_string_equal(import.book.models.at[0].names, "");
  free_import(&import);
  free(name);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_lists_for_objects),
                                     cmocka_unit_test(test_lists_inside),
                                     cmocka_unit_test(test_names_without_end)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
