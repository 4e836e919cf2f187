/*
** gzip undone piece by piece: bytes in pieces of every size, several members, what is behind them, what ends early, what is
** not what it says, and a taker that has enough.
*/
#include "unit.h"

#include "net/unpack.h"

#include <zlib.h>

enum { TEXT = 300000, ENOUGH = 77 };

static char text[TEXT];

static void make_text(void) {
  for (size_t i = 0; i < TEXT; i++) {
    text[i] = (char)('a' + (i * i / 7 + i / 1000) % 26);
  }
}

/* Its gzip, owned by the caller. */
static unsigned char *packed(size_t from, size_t n, size_t *size) {
  unsigned char *out = malloc(n + 1000);
  z_stream z = {.next_in = (unsigned char *)text + from, .avail_in = (unsigned)n};
  assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_out = out;
  z.avail_out = (unsigned)n + 1000;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  *size = n + 1000 - z.avail_out;
  deflateEnd(&z);
  return out;
}

typedef struct Taken {
  char *data;
  size_t n, most; /* it has enough with more than `most` */
} Taken;

static int take(void *arg, const char *data, size_t n) {
  Taken *t = arg;
  if (t->n + n > t->most) {
    return ENOUGH;
  }
  memcpy(t->data + t->n, data, n);
  t->n += n;
  return RC_OK;
}

/* Feeds n bytes in pieces of `step`, and the end. What came of it; *t holds the bytes. */
static int run(const void *data, size_t n, size_t step, Taken *t) {
  Unpack *u = unpack_open();
  int rc = RC_OK;
  t->n = 0;
  for (size_t at = 0; at < n && rc == RC_OK; at += step) {
    rc = unpack_feed(u, (const char *)data + at, n - at < step ? n - at : step, take, t);
  }
  rc = rc == RC_OK ? unpack_end(u, take, t) : rc;
  unpack_close(u);
  return rc;
}

static const size_t steps[] = {1, 2, 3, 7, 1000, 65536, 1000000};

static void test_whole(void **state) {
  (void)state;
  Taken t = {.data = malloc(TEXT), .most = TEXT};
  size_t size;
  unsigned char *gz = packed(0, TEXT, &size);
  for (size_t i = 0; i < COUNT(steps); i++) {
    check(run(gz, size, steps[i], &t) == RC_OK && t.n == TEXT && memcmp(t.data, text, TEXT) == 0,
          "gzip by %zu", steps[i]);
    check(run(text, TEXT, steps[i], &t) == RC_OK && t.n == TEXT && memcmp(t.data, text, TEXT) == 0,
          "plain by %zu", steps[i]);
  }
  free(gz);
  free(t.data);
}

static void test_members_and_what_is_behind(void **state) {
  (void)state;
  Taken t = {.data = malloc(TEXT), .most = TEXT};
  size_t one, two;
  unsigned char *first = packed(0, 1000, &one), *second = packed(1000, TEXT - 1000, &two);
  unsigned char *both = calloc(1, one + two + 20);
  memcpy(both, first, one);
  memcpy(both + one, second, two);
  for (size_t i = 0; i < COUNT(steps); i++) {
    check(run(both, one + two + 20, steps[i], &t) == RC_OK && t.n == TEXT &&
              memcmp(t.data, text, TEXT) == 0,
          "by %zu", steps[i]);
  }
  free(first);
  free(second);
  free(both);
  free(t.data);
}

static void test_short(void **state) {
  static const char *const texts[] = {"", "\x1F", "\x1F\x8B", "\x1F\x8B\x09x", "x", "{}\n"};
  (void)state;
  char room[16];
  Taken t = {.data = room, .most = sizeof room};
  for (size_t i = 0; i < COUNT(texts); i++) {
    check(run(texts[i], strlen(texts[i]), 1, &t) == RC_OK && t.n == strlen(texts[i]) &&
              memcmp(room, texts[i], t.n) == 0,
          "%zu", i);
  }
}

static void test_torn_and_wrong(void **state) {
  (void)state;
  Taken t = {.data = malloc(TEXT), .most = TEXT};
  size_t size;
  unsigned char *gz = packed(0, TEXT, &size);
  size_t cuts[] = {3, 10, 11, size / 2, size - 9, size - 1};
  for (size_t i = 0; i < COUNT(cuts); i++) {
    check(run(gz, cuts[i], 1000, &t) == RC_MISMATCH, "cut at %zu", cuts[i]);
  }
  gz[size - 5] ^= 1; /* the sum */
  check(run(gz, size, 1000, &t) == RC_MISMATCH, "%s", "sum");
  gz[size / 2] ^= 0x55;
  gz[size - 5] ^= 1;
  check(run(gz, size, 1000, &t) == RC_MISMATCH, "%s", "middle");
  free(gz);
  free(t.data);
}

static void test_enough(void **state) {
  (void)state;
  Taken t = {.data = malloc(TEXT), .most = 100000};
  size_t size;
  unsigned char *gz = packed(0, TEXT, &size);
  check(run(gz, size, 1000, &t) == ENOUGH && t.n <= 100000, "%zu", t.n);
  check(run(text, TEXT, 1000, &t) == ENOUGH && t.n == 100000, "%zu", t.n);
  free(gz);
  free(t.data);
}

static void test_names(void **state) {
  static const struct {
    const char *list;
    int is_foreign;
  } cases[] = {{"", 0},        {"gzip", 0},    {"x-gzip", 0},     {"identity", 0},
               {"utf-8", 0},   {"binary", 0},  {"br", 1},         {"gzip, br", 1},
               {"deflate", 1}, {"ZSTD", 1},    {"x-compress", 1}, {"\"deflate\";q=1", 1},
               {"bright", 0},  {"utf-8,br", 1}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(unpack_is_foreign(cases[i].list) == cases[i].is_foreign, "%s", cases[i].list);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole),  cmocka_unit_test(test_members_and_what_is_behind),
      cmocka_unit_test(test_short),  cmocka_unit_test(test_torn_and_wrong),
      cmocka_unit_test(test_enough), cmocka_unit_test(test_names),
  };
  make_text();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
