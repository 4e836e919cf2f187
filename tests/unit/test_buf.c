/*
** The growable buffer and the error buffer.
*/
#include "unit.h"
#include "base/utf8.h"

#include "base/buf.h"

#include <stdio.h>

static void test_holds_up_to_its_maximum(void **state) {
  static const struct {
    size_t max;
    const char *parts[4];
    int rc;
    const char *text;
  } cases[] = {
      {0, {""}, RC_OK, ""},           {0, {"a"}, RC_TOOBIG, NULL},
      {3, {"abc"}, RC_OK, "abc"},     {3, {"a", "b", "c"}, RC_OK, "abc"},
      {3, {"abcd"}, RC_TOOBIG, NULL}, {3, {"abc", "d"}, RC_TOOBIG, NULL},
      {3, {"abc", ""}, RC_OK, "abc"}, {SIZE_MAX, {"abc", "def"}, RC_OK, "abcdef"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf b;
    int rc = RC_OK;
    buf_init(&b, cases[i].max);
    for (int k = 0; k < 4 && cases[i].parts[k]; k++) {
      rc = buf_puts(&b, cases[i].parts[k]);
    }
    char *text = buf_take(&b);
    check(rc == cases[i].rc, "case %zu gives %d", i, rc);
    check(!text == !cases[i].text, "case %zu", i);
    check(!text || strcmp(text, cases[i].text) == 0, "case %zu is '%s'", i, text);
    free(text);
  }
}

static void test_a_failure_stays(void **state) {
  Buf b;
  (void)state;
  buf_init(&b, 4);
  assert_int_equal(buf_puts(&b, "1234"), RC_OK);
  assert_int_equal(buf_puts(&b, "5"), RC_TOOBIG);
  assert_int_equal(b.failed, RC_TOOBIG);
  assert_int_equal(b.n, 0);
  assert_int_equal(buf_add(&b, "", 0), RC_TOOBIG);
  assert_int_equal(buf_puts(&b, "a"), RC_TOOBIG);
  assert_int_equal(buf_printf(&b, "%d", 1), RC_TOOBIG);
  assert_null(buf_take(&b));
  buf_free(&b);
  assert_int_equal(buf_puts(&b, "1234"), RC_OK);
  assert_int_equal(buf_puts(&b, "5"), RC_TOOBIG);
  buf_clear(&b);
  assert_int_equal(buf_puts(&b, "abcd"), RC_OK);
  assert_string_equal(b.data, "abcd");
  buf_free(&b);
}

static void test_printf_obeys_the_maximum(void **state) {
  Buf b;
  (void)state;
  buf_init(&b, 300);
  assert_int_equal(buf_printf(&b, "%s=%d;", "key", 7), RC_OK);
  assert_int_equal(buf_printf(&b, "%0290d", 1), RC_OK);
  assert_int_equal(b.n, 296);
  assert_memory_equal(b.data, "key=7;000", 9);
  assert_int_equal(b.data[b.n], 0);
  assert_int_equal(buf_printf(&b, "%s", "12345"), RC_TOOBIG);
  assert_int_equal(b.n, 0);
  buf_free(&b);
}

static void test_clear_keeps_the_memory(void **state) {
  Buf b;
  (void)state;
  buf_init(&b, 10000);
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(buf_add(&b, "0123456789", 10), RC_OK);
  }
  char *before = b.data;
  buf_clear(&b);
  assert_int_equal(b.n, 0);
  assert_string_equal(b.data, "");
  assert_int_equal(buf_puts(&b, "again"), RC_OK);
  assert_ptr_equal(b.data, before);
  buf_free(&b);
}

static void test_take_hands_over(void **state) {
  Buf b;
  (void)state;
  buf_init(&b, 100);
  char *empty = buf_take(&b);
  assert_string_equal(empty, "");
  free(empty);
  assert_int_equal(buf_add(&b, "a\0b", 3), RC_OK);
  char *bytes = buf_take(&b);
  assert_memory_equal(bytes, "a\0b", 4);
  free(bytes);
  assert_null(b.data);
  assert_int_equal(buf_puts(&b, "next"), RC_OK);
  assert_string_equal(b.data, "next");
  buf_free(&b);
  buf_free(&b);
}

static void test_free_is_safe_on_zeroed_memory(void **state) {
  Buf b = {0};
  (void)state;
  buf_free(&b);
  assert_int_equal(buf_puts(&b, "x"), RC_TOOBIG);
  buf_free(&b);
}

static void test_the_first_error_wins(void **state) {
  Err err = {0};
  (void)state;
  assert_int_equal(err_set(&err, RC_BUSY, ERR_STORE, "first %d", 1), RC_BUSY);
  assert_int_equal(err_set(&err, RC_ERROR, ERR_CONFIG, "second"), RC_BUSY);
  assert_int_equal(err_nomem(&err), RC_BUSY);
  assert_int_equal(err.rc, RC_BUSY);
  assert_string_equal(err_word(err.code), "store");
  assert_string_equal(err.msg, "first 1");

  Err fresh = {0};
  assert_int_equal(err_nomem(&fresh), RC_NOMEM);
  assert_string_equal(err_word(fresh.code), "no_memory");
}

/* A message that ends in these characters, at every position around the end of its buffer. */
static void test_a_cut_message_stays_utf8(void **state) {
  static const char *const tails[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  (void)state;
  for (size_t t = 0; t < COUNT(tails); t++) {
    for (size_t n = LIMIT_ERROR_TEXT - 12; n < LIMIT_ERROR_TEXT + 4; n++) {
      char text[LIMIT_ERROR_TEXT + 64];
      size_t bad_at = 0, whole = n + strlen(tails[t]);
      Err err = {0};
      memset(text, 'x', n);
      snprintf(text + n, sizeof text - n, "%s%s", tails[t], tails[t]);
      err_set(&err, RC_ERROR, ERR_CONFIG, "%s", text);
      size_t len = strlen(err.msg);
      check(utf8_is_valid(err.msg, len, &bad_at), "tail %zu after %zu bytes", t, n);
      check(memcmp(err.msg, text, len) == 0, "tail %zu after %zu bytes", t, n);
      check(len + strlen(tails[t]) >= LIMIT_ERROR_TEXT || len == strlen(text),
            "tail %zu after %zu bytes: %zu bytes left", t, n, len);
      check(whole >= LIMIT_ERROR_TEXT || len >= whole, "tail %zu after %zu bytes", t, n);
    }
  }
}

/* A quotation cut by a precision ("%.4s") inside a character. */
static void test_a_cut_quotation_stays_utf8(void **state) {
  size_t bad_at = 0;
  (void)state;
  for (int n = 0; n < 10; n++) {
    Err err = {0};
    err_set(&err, RC_ERROR, ERR_CONFIG, "option '%.*s'", n,
            "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    check(utf8_is_valid(err.msg, strlen(err.msg), &bad_at), "%d bytes", n);
    check(err.msg[strlen(err.msg) - 1] == '\'', "%d bytes: %s", n, err.msg);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_holds_up_to_its_maximum),
      cmocka_unit_test(test_a_failure_stays),
      cmocka_unit_test(test_printf_obeys_the_maximum),
      cmocka_unit_test(test_clear_keeps_the_memory),
      cmocka_unit_test(test_take_hands_over),
      cmocka_unit_test(test_free_is_safe_on_zeroed_memory),
      cmocka_unit_test(test_the_first_error_wins),
      cmocka_unit_test(test_a_cut_message_stays_utf8),
      cmocka_unit_test(test_a_cut_quotation_stays_utf8),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
