/*
** Content codings: what they are called, bytes that are something else than their header says, bytes that end early.
*/
#include "unit.h"

#include "net/decode.h"

#include <zlib.h>

#define TEXT "{\"a\":\"text text text text\"}"
enum { MAX = 1 << 16, GZIP = 15 + 16, ZLIB = 15, RAW = -15 };

/* `text` in the place of itself, compressed. */
static void compress_as(Buf *text, int window) {
  unsigned char out[4096];
  z_stream z = {.next_in = (unsigned char *)text->data, .avail_in = (unsigned)text->n};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_out = out;
  z.avail_out = sizeof out;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  buf_clear(text);
  buf_add(text, out, sizeof out - z.avail_out);
  deflateEnd(&z);
}

static void test_codings(void **state) {
  static const struct {
    const char *list;
    int windows[4]; /* in this order; 0: no more */
    int is_whole;   /* the text comes out */
  } cases[] = {
      {"", {0}, 1},
      {"gzip", {0}, 1},
      {"gzip", {GZIP}, 1},
      {"GZIP", {GZIP}, 1},
      {"x-gzip", {GZIP}, 1},
      {"gzip;charset=utf-8", {GZIP}, 1},
      {"gzip; charset=utf-8", {GZIP}, 1},
      {"\"gzip\"", {GZIP}, 1},
      {"'gzip'", {GZIP}, 1},
      {"application/gzip", {GZIP}, 1},
      {"application/x-gzip", {GZIP}, 1},
      {"deflate", {ZLIB}, 1},
      {"deflate", {RAW}, 1},
      {"x-deflate", {ZLIB}, 1},
      {"x-deflate", {RAW}, 1},
      {"\"deflate\";q=1", {RAW}, 1},
      {"deflate", {GZIP}, 1},
      {"gzip", {ZLIB}, 1},
      {"utf-8, gzip", {GZIP}, 1},
      {"deflate, gzip", {RAW, GZIP}, 1},
      /* that the header does not say */
      {"", {GZIP}, 1},
      {"identity", {GZIP}, 1},
      {"utf-8", {GZIP}, 1},
      {"br", {GZIP}, 1},
      {"zstd", {GZIP}, 1},
      {"gzip", {GZIP, GZIP}, 1},
      {"gzip", {GZIP, GZIP, GZIP}, 1},
      {"", {GZIP, GZIP, GZIP}, 1},
      {"", {GZIP, GZIP, GZIP, GZIP}, 0},
      {"", {ZLIB}, 1},
      {"gzip", {ZLIB, GZIP}, 1},
      {"", {RAW}, 0}, /* nothing tells it */
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf body;
    buf_init(&body, MAX);
    buf_puts(&body, TEXT);
    for (int k = 0; k < 4 && cases[i].windows[k]; k++) {
      compress_as(&body, cases[i].windows[k]);
    }
    assert_int_equal(decode_body(&body, cases[i].list), RC_OK);
    check((strcmp(body.data, TEXT) == 0) == cases[i].is_whole, "%zu, %s", i, cases[i].list);
    buf_free(&body);
  }
}

/* What is not coded stays, though it begins as something that is. */
static void test_plain(void **state) {
  static const char *const texts[] = {"x^2 is a square",
                                      "x\x01",
                                      "x\xDA",
                                      "x\x9C",
                                      "\x1F\x8B\x08",
                                      "\x1F\x8B\x08 and so on, at some length",
                                      "{}"};
  static const char *const lists[] = {"", "gzip", "br", "deflate"};
  (void)state;
  for (size_t i = 0; i < COUNT(texts); i++) {
    for (size_t k = 0; k < COUNT(lists); k++) {
      Buf body;
      buf_init(&body, MAX);
      buf_puts(&body, texts[i]);
      assert_int_equal(decode_body(&body, lists[k]), RC_OK);
      check(strcmp(body.data, texts[i]) == 0, "%s, %s", texts[i], lists[k]);
      buf_free(&body);
    }
  }
}

/* Of gzip that ends early what there is; of zlib only where it was named. */
static void test_cut_off(void **state) {
  static const struct {
    const char *list;
    int window, is_begun;
  } cases[] = {{"gzip", GZIP, 1}, {"", GZIP, 1}, {"deflate", ZLIB, 1}, {"", ZLIB, 0}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf body;
    buf_init(&body, MAX);
    buf_puts(&body, TEXT);
    compress_as(&body, cases[i].window);
    body.n -= 9;
    assert_int_equal(decode_body(&body, cases[i].list), RC_OK);
    check((strncmp(body.data, TEXT, 5) == 0) == cases[i].is_begun, "%zu", i);
    buf_free(&body);
  }
}

/* What it comes to is bounded, named or not. */
static void test_bombs(void **state) {
  (void)state;
  for (int named = 0; named < 2; named++) {
    Buf body;
    char *much = calloc(1, 1 << 20);
    buf_init(&body, 1 << 20);
    buf_add(&body, much, 1 << 20);
    compress_as(&body, GZIP);
    body.max = MAX;
    assert_int_equal(decode_body(&body, named ? "gzip" : ""), RC_TOOBIG);
    buf_free(&body);
    free(much);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codings),
      cmocka_unit_test(test_plain),
      cmocka_unit_test(test_cut_off),
      cmocka_unit_test(test_bombs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
